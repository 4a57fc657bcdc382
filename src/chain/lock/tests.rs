//! Locks: their bytes, their mistakes, their differences, their signatures.

use super::*;
use crate::chain::AccountKey;
use serde_json::json;

const KEY: &str = "ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f";

fn account(byte: u8) -> AccountKey {
    AccountKey::from_bytes(&[byte; 32]).unwrap()
}

/// A lock of two hosts.
pub fn example() -> Lock {
    let genesis = json!({
        "config": {"chainId": 46_781, "homesteadBlock": 0, "londonBlock": 5, "clique": {"period": 2, "epoch": 30_000}},
        "gasLimit": "0x1c9c380", "difficulty": "0x1", "alloc": {},
        "extraData": format!("0x{}{}{}", "00".repeat(32), hex::encode(account(1).address()), "00".repeat(65)),
    });
    let enode = |host: &str, query: &str| format!("enode://{KEY}@{host}:30303{query}").parse().unwrap();
    let address = account(1).address().to_checksum(None);
    Lock {
        version: VERSION,
        network: "demo".into(),
        chain_id: 46_781,
        network_id: 46_781,
        engine: Engine { name: "clique".into(), period: 2, epoch: 30_000 },
        genesis: Genesis::of(&genesis.to_string()).unwrap(),
        signers: vec![address.clone()],
        client: Client { name: "geth".into(), version: "1.13.15".into(), sha256: "ab".repeat(32) },
        hosts: BTreeMap::from([
            (
                "sealer1".into(),
                Host { roles: vec!["sealers".into()], account: Some(address), enode: enode("10.0.0.1", "?discport=0") },
            ),
            ("rpc1".into(), Host { roles: vec!["rpc".into()], account: None, enode: enode("10.0.0.2", "") }),
        ]),
    }
}

#[test]
fn a_lock_is_written_and_read_alike() {
    let lock = example();
    let text = lock.text();
    assert!(text.ends_with("}\n") && text.contains("\"londonBlock\": 5\n"), "{text}");
    let again = Lock::parse("network.lock", &text).unwrap();
    assert_eq!((again.text(), &again), (text, &lock));
}

#[test]
fn order_and_layout_of_a_file_do_not_matter() {
    let lock = example();
    let mut value: Value = serde_json::from_str(&lock.text()).unwrap();
    let table = value.as_object_mut().unwrap();
    let reversed: Map = std::mem::take(table).into_iter().rev().collect();
    let again = Lock::parse("network.lock", &Value::Object(reversed).to_string()).unwrap();
    assert_eq!(again.text(), lock.text());
}

#[test]
fn the_schema_describes_what_is_written() {
    let schema = Lock::schema();
    let written: Value = serde_json::from_str(&example().text()).unwrap();
    for key in written.as_object().unwrap().keys() {
        assert!(
            schema["properties"][key].get("description").is_some() || schema["properties"][key].get("$ref").is_some()
        );
    }
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn a_mistake_is_told_with_its_place_and_a_remedy() {
    let text = example().text();
    let told = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Lock::parse("network.lock", &text.replacen(from, to, 1)).unwrap_err().to_string()
    };
    for (from, to, message) in [
        ("\"version\": 1", "\"version\": 2", "network.lock: line 2, column 14: this lock has version 2; known is 1"),
        ("\"chain_id\"", "\"chainid\"", "line 4, column 3: the lock has no key `chainid` (did you mean `chain_id`?)"),
        ("\"chain_id\": 46781,", "", "`chain_id` is missing in the lock"),
        ("\"chain_id\": 46781", "\"chain_id\": \"46781\"", "`chain_id` is \"46781\", not a number"),
        ("londonBlock", "londnBlock", "`londnBlock` is not a fork (did you mean `londonBlock`?)"),
        ("enode://ca", "enode://cb", "not a public key"),
        ("10.0.0.2", "10.0.0.256", "neither an IP address nor a name"),
        ("\"rpc\"", "3", "a role is 3, not a text"),
        ("\"1.13.15\"", "\"1.13\"", "`1.13` is not a version of a client (write three numbers, as 1.13.15)"),
        ("abab", "ABAB", "64 hexadecimal digits in lower case"),
        ("\"signers\": [", "\"signers\": [\"0x12\",", "not an address"),
        ("\"demo\"", "\"\"", "`network` is empty"),
        ("\"demo\"", "\"demo\" // ours", "JSON has no comments"),
        ("\"network\"", "\"network\": \"x\", \"network\"", "stands twice"),
    ] {
        let seen = told(from, to);
        assert!(seen.contains(message) && seen.starts_with("network.lock: line "), "{seen}");
    }
    assert!(Lock::parse("network.lock", "[]").unwrap_err().message.contains("not a table"));
    assert!(Lock::parse("network.lock", "").is_err());
}

#[test]
fn every_difference_is_named() {
    let (one, mut two) = (example(), example());
    assert_eq!(one.differences(&two), []);
    two.client.version = "1.13.14".into();
    two.hosts.get_mut("sealer1").unwrap().enode.tcp = 30_304;
    let rpc = two.hosts.remove("rpc1").unwrap();
    two.hosts.insert("rpc2".into(), rpc);
    two.signers.push(account(2).address().to_checksum(None));
    two.genesis.forks.insert(Fork::London, 6);
    let named: Vec<String> = one.differences(&two).iter().map(ToString::to_string).collect();
    assert_eq!(named.len(), 6, "{named:#?}");
    assert_eq!(named[0], "londonBlock: the lock says 5, there is 6");
    assert!(named[1].starts_with("signer: the lock has none, there is 0x"));
    assert_eq!(named[2], "client version: the lock says 1.13.15, there is 1.13.14");
    assert!(named[3].starts_with("host rpc1: the lock says enode://") && named[3].ends_with("there is none"));
    assert!(named[5].starts_with("enode of sealer1: "));
}

#[test]
fn what_a_node_says_is_held_against_the_lock() {
    let lock = example();
    let config = json!({"chainId": 46_781, "londonBlock": 7});
    let seen = Seen {
        genesis: Some("0x00"),
        network_id: Some("46781"),
        config: config.as_object(),
        client: Some("Geth/v1.13.14-stable/linux-amd64/go1.21"),
        enode: None,
        account: None,
        signers: &lock.signers,
    };
    let what: Vec<String> =
        lock.node_differences("rpc1", &seen).into_iter().map(|difference| difference.what).collect();
    assert_eq!(what, ["hash of block 0 of rpc1", "client version of rpc1", "londonBlock of rpc1"]);
    assert_eq!(lock.node_differences("rpc1", &Seen::default()), []);
}

#[test]
fn a_nodes_fork_that_the_lock_does_not_have_and_another_period_are_differences() {
    let lock = example();
    let config = json!({"chainId": 46_781, "homesteadBlock": 0, "londonBlock": 5, "shanghaiTime": 1_800_000_000, "pragueTime": null,
        "clique": {"period": 5, "epoch": 30_000}});
    let seen = Seen { config: config.as_object(), ..Seen::default() };
    let told: Vec<String> = lock.node_differences("rpc1", &seen).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "shanghaiTime of rpc1: the lock has none, there is 1800000000",
            "seconds between blocks of rpc1: the lock says 2, there is 5"
        ]
    );
}

#[test]
fn settings_that_mean_the_same_have_one_digest() {
    let one = config_digest(r#"{"config": {"chainId": 5, "londonBlock": "0x0", "x": null}, "alloc": {}}"#).unwrap();
    let two = config_digest(r#"{"alloc": {"a": 1}, "config": {"londonblock": 0, "chainid": 5}}"#).unwrap();
    let other = config_digest(r#"{"config": {"chainId": 5, "londonBlock": 1}}"#).unwrap();
    assert!(one == two && one != other);
}

#[test]
fn a_signature_is_of_one_lock_and_one_account() {
    let lock = example();
    let signature = Signature::new(&lock, &account(1)).unwrap();
    assert_eq!(signature.verify(&lock).unwrap(), account(1).address());
    let again = Signature::parse("x.sig", &signature.text()).unwrap();
    assert_eq!(again, signature);
    let mut other = example();
    other.chain_id += 1;
    assert!(signature.verify(&other).unwrap_err().message.contains("something else"));
    let forged = Signature { address: account(2).address().to_checksum(None), ..signature.clone() };
    assert!(forged.verify(&lock).unwrap_err().message.contains("not the signature of"));
    let broken = Signature { signature: "0x12".into(), ..signature };
    assert!(broken.verify(&lock).unwrap_err().message.contains("not a signature"));
    let mistake = Signature::parse("x.sig", "{\"address\": 1}").unwrap_err();
    assert!(mistake.message.starts_with("x.sig: line 1, column "), "{mistake}");
}
