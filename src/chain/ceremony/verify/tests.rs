//! Nodes of every engine that say what was agreed on, and then one thing else.

use super::*;
use crate::base::Map;
use crate::chain::NodeKey;
use crate::chain::{bft, clique};
use alloy_primitives::hex;
use serde_json::json;

const FORKS: &str = r#""homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0, "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0"#;

/// The parties with the node keys 1 and 2, at 10.0.0.1 and 10.0.0.2.
fn members() -> Vec<Member> {
    let member = |(name, number): (&str, u8)| {
        let key = NodeKey::from_hex(&format!("{number:064x}")).unwrap();
        let enode = Enode::new(&key.public_key(), &format!("10.0.0.{number}"), 30303, 30303).unwrap();
        Member { name: name.into(), account: enode.address(), enode }
    };
    [("alpha", 1), ("beta", 2)].map(member).to_vec()
}

fn agreed(text: &str) -> Agreed {
    let mut agreed = Agreed::new(text, members()).unwrap();
    agreed.own = Some("alpha".into());
    agreed
}

fn accounts() -> Vec<Address> {
    members().iter().map(|member| member.account).collect()
}

fn clique_genesis() -> String {
    let extra = hex::encode_prefixed(clique::extra_data(&accounts()).unwrap());
    format!(
        r#"{{"config": {{"chainId": 46781, {FORKS}, "clique": {{"period": 2, "epoch": 30000}}}}, "difficulty": "0x1", "gasLimit": "0x1c9c380", "extraData": "{extra}", "alloc": {{}}}}"#
    )
}

fn qbft_genesis() -> String {
    let extra = hex::encode_prefixed(bft::qbft(&accounts()).unwrap());
    format!(
        r#"{{"config": {{"chainId": 46781, {FORKS}, "qbft": {{"blockperiodseconds": 2}}}}, "difficulty": "0x1", "gasLimit": "0x1c9c380", "mixHash": "{}", "extraData": "{extra}", "alloc": {{}}}}"#,
        bft::MIX_HASH
    )
}

fn aura_genesis() -> String {
    let list: Vec<String> = accounts().iter().map(ToString::to_string).collect();
    json!({"name": "x", "engine": {"authorityRound": {"params": {"stepDuration": "2", "validators": {"list": list}}}},
        "params": {"networkID": "0x11", "maximumExtraDataSize": "0x20", "minGasLimit": "0x1388", "gasLimitBoundDivisor": "0x400"},
        "genesis": {"seal": {"authorityRound": {"step": "0x0", "signature": format!("0x{}", "0".repeat(130))}}, "difficulty": "0x20000", "gasLimit": "0x2625a00"},
        "accounts": {}})
    .to_string()
}

fn whys(differences: &[Difference]) -> String {
    differences.iter().flat_map(|found| [found.check, ": ", &found.why, "\n"]).collect()
}

/// A block 1 that a node of this genesis could tell.
fn first(agreed: &Agreed) -> Value {
    let aura = agreed.genesis.engine == genesis::Engine::Aura;
    let mut block = json!({
        "number": "0x1", "hash": format!("0x{}", "1".repeat(64)), "parentHash": agreed.hash.map(|hash| hash.to_string()),
        "timestamp": "0x65000000", "gasLimit": format!("{:#x}", agreed.genesis.gas_limit), "gasUsed": "0x0",
        "difficulty": if aura { "0xfffffffffffffffffffffffff0000000" } else { "0x1" },
        "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
        "miner": accounts()[1].to_string(), "extraData": hex::encode_prefixed(&agreed.genesis.extra_data),
    });
    if !aura {
        block["mixHash"] = bft::MIX_HASH.into();
        block["nonce"] = "0x0000000000000000".into();
    }
    block
}

fn against(agreed: &Agreed, change: impl FnOnce(&mut Value)) -> String {
    let mut block = first(agreed);
    change(&mut block);
    whys(&blocks::first(agreed, &json!({"hash": agreed.hash.map(|hash| hash.to_string())}), &block))
}

#[test]
fn a_first_block_of_qbft_or_aura_has_the_options_of_its_genesis() {
    for genesis in [qbft_genesis(), aura_genesis()] {
        let agreed = agreed(&genesis);
        let limit = agreed.genesis.gas_limit;
        assert_eq!(against(&agreed, |_| ()), "");
        assert_eq!(against(&agreed, |block| block["gasLimit"] = json!(limit + limit / 1024 - 1)), "");
        let of = |change: &dyn Fn(&mut Value)| against(&agreed, change);
        assert!(of(&|block| block["gasLimit"] = json!(limit + limit / 1024)).contains("block 1: its gas limit is"));
        assert!(
            of(&|block| block["parentHash"] = format!("0x{}", "2".repeat(64)).into()).contains("it stands on 0x2222")
        );
        assert!(of(&|block| block["timestamp"] = "0x0".into()).contains("its timestamp is 0, too early"));
        assert!(of(&|block| block["difficulty"] = "0x20000".into()).contains("its difficulty is 131072: with"));
        let stranger = of(&|block| block["miner"] = Address::repeat_byte(7).to_string().into());
        assert!(stranger.contains("by 0x0707070707070707070707070707070707070707, who is no validator"), "{stranger}");
        assert!(
            of(&|block| block["extraData"] = format!("0x{}", "00".repeat(33)).into()).contains("its extraData has")
        );
    }
    let agreed = agreed(&qbft_genesis());
    let one = hex::encode_prefixed(bft::qbft(&accounts()[..1]).unwrap());
    let text = against(&agreed, |block| block["extraData"] = one.into());
    assert!(text.contains("other validators than the genesis; missing: beta (0x2B5A"), "{text}");
    let text = against(&agreed, |block| block["mixHash"] = format!("0x{}", "0".repeat(64)).into());
    assert!(text.contains("its mixHash is 0x000000"), "{text}");
    let text = against(&agreed, |block| block["nonce"] = "0x0000000000000001".into());
    assert!(text.contains("its nonce is 0x0000000000000001: with QBFT it is 0"), "{text}");
}

#[test]
fn block_zero_is_that_of_the_genesis_or_says_where_it_differs() {
    let agreed = agreed(&clique_genesis());
    let hash = agreed.hash.unwrap().to_string();
    assert_eq!(blocks::zero(&agreed, &json!({"hash": hash})), []);
    let other = json!({"hash": format!("0x{}", "3".repeat(64)), "gasLimit": "0x47b760", "difficulty": "0x1", "timestamp": "0x0",
        "nonce": "0x0000000000000000", "mixHash": format!("0x{}", "0".repeat(64)), "extraData": hex::encode_prefixed(&agreed.genesis.extra_data)});
    let found = whys(&blocks::zero(&agreed, &other));
    assert_eq!(
        found,
        format!(
            "block 0: it is 0x{} in the node, and {hash} by the genesis\nblock 0: its gas limit is 4700000 in the node, and 30000000 in the genesis\n",
            "3".repeat(64)
        )
    );
}

#[test]
fn whoever_may_seal_is_named_when_missing_and_when_too_many() {
    let agreed = agreed(&clique_genesis());
    let list =
        |accounts: &[Address]| json!(accounts.iter().map(|one| one.to_string().to_lowercase()).collect::<Vec<_>>());
    let [one, two] = [accounts()[0], accounts()[1]];
    assert_eq!(seats::accounts(&agreed, &list(&[two, one])), []);
    assert_eq!(whys(&seats::accounts(&agreed, &list(&[one]))), format!("validators: beta is missing ({two})\n"));
    assert_eq!(
        whys(&seats::accounts(&agreed, &list(&[two]))),
        format!("validators: we ourselves are missing: alpha ({one})\n")
    );
    let stranger = Address::repeat_byte(9);
    let found = whys(&seats::accounts(&agreed, &list(&[one, two, stranger])));
    assert_eq!(found, format!("validators: {stranger} is one, and nobody's on the sheet\n"));
    assert!(whys(&seats::accounts(&agreed, &json!("x"))).contains("cannot be read"));

    let mut later = agreed.clone();
    let gamma = NodeKey::from_hex(&format!("{:064x}", 3)).unwrap();
    let enode = Enode::new(&gamma.public_key(), "10.0.0.3", 30303, 30303).unwrap();
    later.joined.push(Member { name: "gamma".into(), account: enode.address(), enode });
    let three = later.joined[0].account;
    assert_eq!(seats::accounts(&later, &list(&[one, two, three])), []);
    // Whoever joins is voted in by hand: only he himself waits for it.
    assert_eq!(seats::accounts(&later, &list(&[one, two])), []);
    assert_eq!(seats::outstanding(&later, &list(&[one, two])), ["gamma"]);
    later.own = Some("gamma".into());
    assert!(whys(&seats::accounts(&later, &list(&[one, two]))).contains("we ourselves are missing: gamma"));
}

#[test]
fn aura_s_validators_are_those_who_sealed_the_newest_blocks() {
    let agreed = agreed(&aura_genesis());
    let block = |account: Address| json!({"number": "0x1", "author": account.to_string()});
    let [one, two] = [accounts()[0], accounts()[1]];
    let sealed =
        |accounts: &[Address]| seats::sealers(&agreed, &accounts.iter().map(|one| block(*one)).collect::<Vec<_>>());
    assert_eq!(sealed(&[one, two, one, two]), []);
    let late = sealed(&[one, one, one, one]);
    assert!(whys(&late).contains("beta (0x2B5A") && whys(&late).contains("none of the last 4 blocks"), "{late:?}");
    assert!(!late[0].passing);
    // With fewer blocks its turn may still come.
    assert!(sealed(&[one, one])[0].passing);
    assert!(
        whys(&sealed(&[one, two, Address::repeat_byte(9)]))
            .contains("0x0909090909090909090909090909090909090909 is one, and nobody's")
    );
}

#[test]
fn our_own_node_has_the_key_and_the_place_that_dns_says() {
    let member = &members()[0];
    let key = &member.enode.public_key;
    let told = |rest: &str| whys(&seats::own(member, &format!("enode://{key}@{rest}")));
    // Discovery is another port or none, and IPv4 may be written as IPv6.
    for fine in ["10.0.0.1:30303", "10.0.0.1:30303?discport=0", "[::ffff:10.0.0.1]:30303"] {
        assert_eq!(told(fine), "", "{fine}");
    }
    // A node that was not told where it is says so; what it says is no evidence.
    for unknown in ["127.0.0.1:30303", "[::]:30303"] {
        assert_eq!(told(unknown), "", "{unknown}");
    }
    assert!(told("10.0.0.9:30303").contains("the node says that it is at 10.0.0.9:30303, and DNS says 10.0.0.1:30303"));
    assert!(told("10.0.0.1:30304").contains("10.0.0.1:30304"));
    let other = &members()[1].enode;
    assert!(
        whys(&seats::own(member, &other.to_string()))
            .contains("the node's key is c6047f9441ed7d6d.., and DNS says 79be667ef9dcbbac.. of alpha")
    );
    let outside = Member { enode: Enode::new(key, "203.0.113.7", 30303, 30303).unwrap(), ..member.clone() };
    assert_eq!(seats::own(&outside, &format!("enode://{key}@192.168.0.2:40000")), []);
    assert!(!seats::own(&outside, &format!("enode://{key}@198.51.100.2:30303")).is_empty());

    let agreed = agreed(&clique_genesis());
    assert_eq!(seats::peers(&agreed, member, std::slice::from_ref(&other.public_key)), []);
    let alone = seats::peers(&agreed, member, &[]);
    assert!(
        alone[0].passing && alone[0].why.starts_with("beta (enode://c6047f9441ed7d6d..@10.0.0.2:30303) is no peer"),
        "{alone:?}"
    );
}

#[test]
fn a_configuration_is_the_same_in_any_notation_and_nothing_may_be_added() {
    let agreed = agreed(&clique_genesis());
    let of = |change: &dyn Fn(&mut Map)| {
        // As geth 1.10 tells it.
        let mut told: Map = serde_json::from_str(&format!(
            r#"{{"chainId": 46781, {FORKS}, "eip150Hash": "0x{}", "daoForkSupport": false, "clique": {{"epoch": 30000, "period": 2}}}}"#,
            "0".repeat(64)
        ))
        .unwrap();
        change(&mut told);
        whys(&config::told(&agreed, &told, "Geth/v1.10.26").differences)
    };
    assert_eq!(of(&|_| ()), "");
    assert_eq!(
        of(&|told| told["clique"]["period"] = json!(5)),
        "configuration: `clique.period` is 5 in the node, and 2 in the genesis\n"
    );
    assert_eq!(
        of(&|told| drop(told.insert("berlinBlock".into(), json!(100)))),
        "configuration: the node has `berlinBlock` (100) in addition, which is not in the genesis\n"
    );
    assert_eq!(
        of(&|told| drop(told.remove("istanbulBlock"))),
        "configuration: the node does not have `istanbulBlock`, which is 0 in the genesis\n"
    );
    assert!(of(&|told| told["chainId"] = json!(1)).contains("`chainId` is 1 in the node, and 46781"));
    assert!(of(&|told| told["chainId"] = json!("x")).contains("cannot be read"));
}

#[test]
fn what_besu_never_repeats_is_not_missing_but_unchecked() {
    let agreed = agreed(&qbft_genesis());
    let mut told: Map =
        serde_json::from_str(&format!(r#"{{"chainId": 46781, {FORKS}, "qbft": {{"blockPeriodSeconds": 2}}}}"#))
            .unwrap();
    told.remove("eip155Block");
    let compared = config::told(&agreed, &told, "besu/v24.1.0/linux-x86_64");
    assert_eq!((compared.differences, compared.untold), (Vec::new(), vec!["eip155Block".to_owned()]));
    assert!(!config::told(&agreed, &told, "Geth/v1.13.15").differences.is_empty());
    told.remove("istanbulBlock");
    assert!(whys(&config::told(&agreed, &told, "besu/v24.1.0").differences).contains("`istanbulBlock`"));
}

#[test]
fn a_specification_is_compared_as_a_file() {
    let (text, agreed) = (aura_genesis(), agreed(&aura_genesis()));
    assert_eq!(config::file(&agreed, &text.replace("0x2625a00", "40000000")), []);
    let found = whys(&config::file(&agreed, &text.replace(r#""stepDuration":"2""#, r#""stepDuration":"3""#)));
    assert!(found.contains("stepduration is 3 in the node's file, and 2 in the genesis"), "{found}");
    let found =
        whys(&config::file(&agreed, &text.replace(r#""networkID""#, r#""eip1559Transition":"0x0","networkID""#)));
    assert!(found.contains("in the node's file"), "{found}");
    assert!(whys(&config::file(&agreed, "{")).contains("cannot be read"));
}
