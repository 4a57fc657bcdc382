//! A fake of Autonity, 0.7 and 0.14: what such a node would answer, made of its genesis by what its sources say. No release of Autonity can
//! be installed where these tests run.

use crate::scripted_node::Answers;
use chainwright::chain::ceremony::Party;
use serde_json::{Value, json};

/// What a node of `parties[0]` tells; `genesis` is the file with which it was started.
pub fn answers(genesis: &str, parties: &[Party]) -> Answers {
    let genesis: Value = serde_json::from_str(genesis).unwrap();
    let young = genesis["config"]["autonity"].is_object();
    let zero = json!({
        "number": "0x0", "hash": format!("0x{}", "a".repeat(64)), "parentHash": format!("0x{}", "0".repeat(64)), "timestamp": "0x0",
        "gasLimit": genesis["gasLimit"], "difficulty": genesis["difficulty"], "mixHash": genesis["mixHash"],
        "nonce": "0x0000000000000000", "extraData": "0x", "miner": format!("0x{}", "0".repeat(40)),
        "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    });
    let mut first = zero.clone();
    let changes = [
        ("number", json!("0x1")),
        ("hash", json!(format!("0x{}", "b".repeat(64)))),
        ("parentHash", zero["hash"].clone()),
        ("timestamp", json!("0x65000000")),
        ("difficulty", json!("0x1")),
        ("miner", json!(parties[1].account.to_string())),
    ];
    for (field, value) in changes {
        first[field] = value;
    }
    // Enodes as the contract has them: what stood in the genesis.
    let enodes: Vec<String> = parties.iter().map(|party| party.enode.to_string()).collect();
    let peers: Vec<Value> = parties[1..]
        .iter()
        .map(|party| json!({"id": party.enode.id(), "enode": party.enode.to_string(), "network": {"static": true}}))
        .collect();
    let mut answers = Answers::from([
        ("eth_chainId".to_owned(), json!(format!("{:#x}", genesis["config"]["chainId"].as_u64().unwrap()))),
        ("eth_blockNumber".to_owned(), json!("0x5")),
        ("eth_getBlockByNumber 0x0".to_owned(), zero),
        ("eth_getBlockByNumber 0x1".to_owned(), first),
        ("admin_peers".to_owned(), json!(peers)),
        (
            "admin_nodeInfo".to_owned(),
            json!({"enode": format!("{}?discport=0", enodes[0]), "protocols": {"eth": {"config": filled_in(&genesis["config"])}}}),
        ),
    ]);
    let method = if young { "tendermint_getCommitteeEnodes" } else { "tendermint_getWhitelist" };
    answers.insert(method.to_owned(), json!(enodes));
    answers
}

/// The configuration as the client holds it: with its contract's code, and with all that it notes of a user or a validator.
fn filled_in(config: &Value) -> Value {
    let mut config = config.clone();
    if let Some(contract) = config.get_mut("autonityContract") {
        contract["bytecode"] = "6080604052".into();
        contract["abi"] = "[]".into();
        for user in contract["users"].as_array_mut().unwrap() {
            user["address"] = "0x00000000000000000000000000000000000000cc".into();
        }
    }
    if let Some(contract) = config.get_mut("autonity") {
        contract["bytecode"] = "0x6080604052".into();
        contract["abi"] = json!([{"type": "constructor", "inputs": [{"name": "_validators"}]}]);
        for validator in contract["validators"].as_array_mut().unwrap() {
            validator["nodeAddress"] = "0x00000000000000000000000000000000000000cc".into();
            validator["commissionRate"] = 1000.into();
            validator["liquidContract"] = Value::Null;
            validator["state"] = 0.into();
        }
        config["oracle"]["symbols"] = json!(["AUD-USD", "CAD-USD"]);
        config["asm"] = json!({"acu": {"scale": 5}});
        config["stakeableVesting"] = json!({"stakeableContracts": [], "totalNominal": 0});
    }
    config
}
