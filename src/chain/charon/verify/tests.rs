//! Definitions that are true, and every way in which one is not.

use super::*;
use crate::base::Value;
use crate::chain::AccountKey;
use crate::chain::charon::testing::Cluster;
use crate::chain::charon::{Definition, Version};
use serde_json::json;

type Change = fn(&mut Definition);

const VERSIONS: [Version; 7] =
    [Version::V1_5, Version::V1_6, Version::V1_7, Version::V1_8, Version::V1_9, Version::V1_10, Version::V1_11];

fn strict() -> Rules {
    Rules { chain_id: Some(560_048), ..Rules::default() }
}

/// Why the definition is refused after `change`.
#[track_caller]
fn refusal(definition: &Definition, change: impl FnOnce(&mut Definition)) -> String {
    let mut changed = definition.clone();
    change(&mut changed);
    changed.verify(&strict()).expect_err("it should be refused").message
}

/// As somebody does who knows the format, and cannot sign for others.
fn rehash(definition: &mut Definition) {
    definition.config_hash = Bytes(definition.compute_config_hash().unwrap().to_vec());
    definition.definition_hash = Bytes(definition.compute_definition_hash().unwrap().to_vec());
}

#[test]
fn a_definition_that_all_signed_is_true_in_every_version_and_says_so_after_reading() {
    let cluster = Cluster::new();
    for version in VERSIONS {
        let definition = cluster.signed(version);
        assert_eq!(definition.verify(&strict()), Ok(Standing::Signed), "{version}");
        let text = definition.to_json().unwrap().to_string();
        assert_eq!(Definition::parse(&text).unwrap(), definition, "{version}");
        assert_eq!(definition.position_of_node(&cluster.nodes[2]), Ok(2));
        assert!(definition.unsigned().is_empty());
    }
}

#[test]
fn null_and_an_empty_list_are_the_same() {
    let mut value = Cluster::new().signed(Version::V1_7).to_json().unwrap();
    value["version"] = json!("v1.10.0");
    value["consensus_protocol"] = Value::Null;
    for amounts in [Value::Null, json!([])] {
        value["deposit_amounts"] = amounts;
        let hash = Definition::read(&value).unwrap().compute_config_hash().unwrap();
        value.as_object_mut().unwrap().shift_remove("deposit_amounts");
        assert_eq!(Definition::read(&value).unwrap().compute_config_hash().unwrap(), hash);
    }
}

#[test]
fn one_flipped_bit_in_a_signature_is_told_with_the_operators_name() {
    let definition = Cluster::new().signed(Version::V1_10);
    for at in 0..4 {
        let name = format!("operator {} ({})", at + 1, definition.operators[at].address);
        for byte in [0, 31, 40] {
            let why = refusal(&definition, |it| {
                it.operators[at].config_signature.0[byte] ^= 1;
                rehash(it);
            });
            assert!(why.starts_with(&name) && why.contains("signature of the configuration"), "{why}");
            let why = refusal(&definition, |it| {
                it.operators[at].enr_signature.0[byte] ^= 1;
                rehash(it);
            });
            assert!(why.starts_with(&name) && why.contains("signature of its node record"), "{why}");
        }
    }
    let why = refusal(&definition, |it| it.creator.config_signature.0[7] ^= 0x80);
    assert!(why.starts_with("the creator's signature"), "{why}");
}

#[test]
fn one_flipped_bit_in_a_hash_is_told() {
    let definition = Cluster::new().signed(Version::V1_10);
    assert!(refusal(&definition, |it| it.config_hash.0[0] ^= 1).starts_with("the config hash is wrong"));
    assert!(refusal(&definition, |it| it.definition_hash.0[31] ^= 1).starts_with("the definition hash is wrong"));
    assert!(refusal(&definition, |it| it.definition_hash.0.clear()).contains("the file says nothing"));
}

#[test]
fn whatever_is_changed_changes_the_config_hash_and_then_no_signature_fits() {
    let definition = Cluster::new().signed(Version::V1_10);
    let changes: [Change; 10] = [
        |it| it.threshold = 2,
        |it| it.name.push('!'),
        |it| it.uuid.push('!'),
        |it| it.timestamp.push('!'),
        |it| it.dkg_algorithm = "frost".into(),
        |it| it.validators[1].withdrawal_address = Address::repeat_byte(9).to_checksum(None),
        |it| it.validators[0].fee_recipient_address = Address::repeat_byte(9).to_checksum(None),
        |it| it.deposit_amounts[0].0 += 1,
        |it| it.target_gas_limit += 1,
        |it| it.compounding = true,
    ];
    for change in changes {
        assert!(refusal(&definition, change).starts_with("the config hash is wrong"));
        let why = refusal(&definition, |it| {
            change(it);
            rehash(it);
        });
        assert!(why.starts_with("the creator's signature: it is wrong: it leads to"), "{why}");
    }
}

#[test]
fn operators_that_changed_places_or_records_are_told() {
    let cluster = Cluster::new();
    let definition = cluster.signed(Version::V1_10);
    let swap = |it: &mut Definition| {
        let first = it.operators[0].address.clone();
        it.operators[0].address = std::mem::replace(&mut it.operators[1].address, first);
    };
    assert!(refusal(&definition, swap).starts_with("the config hash is wrong"));
    // Even a creator that is in it cannot swap them: the operators signed another configuration.
    let why = refusal(&definition, |it| {
        swap(it);
        rehash(it);
        let hash = it.compute_config_hash().unwrap();
        it.creator.config_signature = Bytes(Message::Creator(hash).sign(&cluster.creator, 560_048).unwrap().to_vec());
        rehash(it);
    });
    assert!(why.starts_with("operator 1 (") && why.contains("configuration: it is wrong"), "{why}");
    let stranger = crate::chain::charon::sign::record_of(&NodeKey::generate().unwrap()).unwrap().to_string();
    let why = refusal(&definition, |it| {
        it.operators[2].enr.clone_from(&stranger);
        rehash(it);
    });
    assert!(why.starts_with("operator 3 (") && why.contains("signature of its node record: it is wrong"), "{why}");
    let why = refusal(&definition, |it| {
        it.operators[3].enr = it.operators[2].enr.clone();
        rehash(it);
    });
    assert!(why.contains("operator 3 (") && why.contains("have the same node key"), "{why}");
    // One letter in the middle of a record: its own signature tells.
    let why = refusal(&definition, |it| {
        let letter = if &it.operators[1].enr[40..=40] == "A" { "B" } else { "A" };
        it.operators[1].enr.replace_range(40..41, letter);
        rehash(it);
    });
    assert!(why.starts_with("operator 2 ("), "{why}");
}

#[test]
fn an_operator_is_there_once() {
    let cluster = Cluster::new();
    let mut definition = cluster.signed(Version::V1_10);
    definition.operators[3].address = definition.operators[0].address.to_lowercase();
    rehash(&mut definition);
    let why = definition.verify(&strict()).unwrap_err().message;
    assert!(why.starts_with("operator 4 (") && why.contains("is there twice"), "{why}");
}

#[test]
fn who_has_not_signed_is_named_and_nobody_at_all_needs_leave() {
    let cluster = Cluster::new();
    let mut definition = cluster.offered(Version::V1_10);
    for at in [0, 1, 3] {
        definition.accept(&cluster.accounts[at], &cluster.nodes[at], &strict()).unwrap();
    }
    assert_eq!(definition.unsigned(), [definition.operator_name(2)]);
    let why = definition.verify(&strict()).unwrap_err().message;
    assert!(why.starts_with("operator 3 (") && why.contains("has not accepted"), "{why}");

    let signed = cluster.signed(Version::V1_10);
    let why = refusal(&signed, |it| {
        it.operators[1].config_signature.0.clear();
        rehash(it);
    });
    assert!(why.starts_with("operator 2 (") && why.ends_with("signature of the configuration: it is missing"), "{why}");
    let why = refusal(&signed, |it| {
        it.creator.config_signature.0.clear();
        rehash(it);
    });
    assert!(why.starts_with("the creator has not signed"), "{why}");

    let mut nobody = signed.clone();
    nobody.creator = super::super::Creator::default();
    for operator in &mut nobody.operators {
        *operator = super::super::Operator { enr: operator.enr.clone(), ..super::super::Operator::default() };
    }
    rehash(&mut nobody);
    assert!(nobody.verify(&strict()).unwrap_err().message.contains("no operator has signed"));
    assert_eq!(nobody.verify(&Rules { unsigned: true, ..strict() }), Ok(Standing::Unsigned));
    // A creator who is named signs; charon wants that, too.
    let why = {
        let mut named = nobody.clone();
        named.creator.address.clone_from(&signed.creator.address);
        rehash(&mut named);
        named.verify(&Rules { unsigned: true, ..strict() }).unwrap_err().message
    };
    assert!(why.starts_with("the creator, 0x") && why.contains("has not signed"), "{why}");
    // A mix is refused even where unsigned ones are taken.
    nobody.operators[2] = signed.operators[2].clone();
    nobody.creator = signed.creator.clone();
    rehash(&mut nobody);
    let why = nobody.verify(&Rules { unsigned: true, ..strict() }).unwrap_err().message;
    assert!(why.starts_with("the creator's signature") || why.contains("has no account"), "{why}");
}

#[test]
fn our_own_node_is_found_by_its_key() {
    let definition = Cluster::new().signed(Version::V1_10);
    let failure = definition.position_of_node(&NodeKey::generate().unwrap()).unwrap_err();
    assert!(failure.message.contains("is in no operator's record"), "{failure}");
}

#[test]
fn numbers_that_make_no_cluster_are_refused() {
    let definition = Cluster::new().signed(Version::V1_10);
    let cases: [(Change, &str); 7] = [
        (|it| it.threshold = 1, "the threshold is 1"),
        (|it| it.threshold = 5, "the threshold is 5"),
        (|it| it.operators.truncate(2), "the cluster has 2 operators"),
        (|it| it.num_validators = 3, "names the addresses of 2"),
        (|it| it.num_validators = 0, "have 0 validators"),
        (|it| it.fork_version = Bytes(vec![1, 1, 0x70, 0]), "no chain is known with the fork version 0x01017000"),
        (|it| it.fork_version = Bytes(vec![0; 4]), "for the chain 1, not for 560048"),
    ];
    for (change, reason) in cases {
        let why = refusal(&definition, change);
        assert!(why.contains(reason), "{why}");
    }
    let other = Rules { config_hash: Some(B256::ZERO), ..strict() };
    assert!(definition.verify(&other).unwrap_err().message.contains(&format!("not {}", B256::ZERO)));
}

#[test]
fn the_signature_of_a_contract_is_named_as_what_it_is() {
    let mut definition = Cluster::new().signed(Version::V1_11);
    let doubled = definition.operators[1].config_signature.0.repeat(2);
    definition.operators[1].config_signature.0 = doubled.clone();
    rehash(&mut definition);
    let read = Definition::read(&definition.to_json().unwrap()).unwrap();
    assert_eq!(read, definition);
    let why = read.verify(&strict()).unwrap_err().message;
    assert!(why.contains("operator 2 (") && why.contains("130 bytes") && why.contains("Safe"), "{why}");
    let mut older = Cluster::new().signed(Version::V1_10);
    older.operators[1].config_signature.0 = doubled;
    let failure = older.verify(&strict()).unwrap_err().to_string();
    assert!(failure.contains("130 bytes") && failure.contains("v1.10.0 has no room"), "{failure}");
}

#[test]
fn agreeing_is_done_once_and_only_by_an_operator() {
    let cluster = Cluster::new();
    let mut definition = cluster.offered(Version::V1_10);
    let stranger = AccountKey::generate().unwrap();
    let why = definition.accept(&stranger, &cluster.nodes[0], &strict()).unwrap_err().message;
    assert!(why.contains("is no operator of this cluster"), "{why}");
    assert_eq!(definition.accept(&cluster.accounts[0], &cluster.nodes[0], &strict()), Ok(true));
    let before = definition.clone();
    assert_eq!(definition.accept(&cluster.accounts[0], &cluster.nodes[0], &strict()), Ok(false));
    let why = definition.accept(&cluster.accounts[0], &cluster.nodes[1], &strict()).unwrap_err().message;
    assert!(why.contains("has agreed already, with the node of another key"), "{why}");
    assert_eq!(definition, before);
    definition.threshold = 2;
    let why = definition.accept(&cluster.accounts[1], &cluster.nodes[1], &strict()).unwrap_err().message;
    assert!(why.starts_with("the config hash is wrong"), "{why}");
}

#[test]
fn what_is_no_definition_is_refused() {
    for (text, reason) in [
        ("", "not a cluster definition"),
        ("[]", "no JSON table"),
        ("{}", "version ``"),
        ("{\"version\": \"v1.4.0\"}", "`v1.4.0`"),
        ("{\"version\": \"v1.10.0\", \"config_hash\": \"12\"}", "does not begin with 0x"),
        ("{\"version\": \"v1.10.0\", \"config_hash\": \"0xzz\"}", "is not hexadecimal"),
        ("{\"version\": \"v1.10.0\", \"deposit_amounts\": [\"x\"]}", "whole number of gwei"),
        ("{\"version\": \"v1.10.0\", \"operators\": [{\"enr_signature\": 7}]}", "a signature is"),
    ] {
        let failure = Definition::parse(text).unwrap_err().to_string();
        assert!(failure.contains(reason), "{failure}");
    }
}

proptest::proptest! {
    #[test]
    fn no_value_makes_the_checks_panic(field in 0..12_usize, number in proptest::prelude::any::<i64>(), text in "(0x)?[0-9a-f]{0,300}|.{0,40}") {
        let mut value = Cluster::new().offered(Version::V1_10).to_json().unwrap();
        let fields = ["/version", "/threshold", "/num_validators", "/operators", "/operators/0/enr", "/operators/1/address",
            "/creator/config_signature", "/validators/0/withdrawal_address", "/deposit_amounts/0", "/fork_version", "/config_hash", "/uuid"];
        for new in [Value::from(number), Value::from(text), Value::Null] {
            *value.pointer_mut(fields[field]).unwrap_or(&mut Value::Null) = new;
            if let Ok(definition) = Definition::read(&value) {
                let _ = (definition.verify(&strict()), definition.to_json(), definition.unsigned());
            }
        }
    }
}
