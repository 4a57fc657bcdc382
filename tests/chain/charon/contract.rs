//! A cluster one of whose operators is a contract, and a chain on which that contract is: it says yes (ERC-1271) to the messages
//! that its owners agreed to, and to no other.

use super::{CHAIN, Message, RULES, rehash};
use crate::charon_program::free_port;
use crate::geth::{Node, geth};
use chainwright::chain::charon::{Definition, Plan, Version};
use chainwright::chain::{AccountKey, Address, B256, NodeKey};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// What a contract answers that stands for a signature (ERC-1271).
const YES: &str = "0x1626ba7e00000000000000000000000000000000000000000000000000000000";
/// Answers what is stored at the hash that it is asked for.
const CODE: &str = "0x6004355460005260206000f3";
const CONTRACT: Address = Address::repeat_byte(0x5a);

/// Three operators with ordinary accounts, and the contract, for which two owners "signed".
pub fn cluster(folder: &Path) -> (Definition, Vec<PathBuf>) {
    let accounts = [(); 3].map(|()| AccountKey::generate().unwrap());
    let mut definition = Plan {
        name: "with a contract".into(),
        uuid: "5A1E0C0B-8B0E-4F43-9E5C-0C2D0C1B7A11".into(),
        timestamp: "2026-11-21T18:44:57Z".into(),
        version: Version::V1_11,
        chain_id: CHAIN,
        operators: accounts.iter().map(AccountKey::address).chain([CONTRACT]).collect(),
        threshold: 3,
        validators: vec![(Address::repeat_byte(1), Address::repeat_byte(2)); 2],
        deposit_amounts: Vec::new(),
    }
    .definition(&AccountKey::generate().unwrap())
    .unwrap();
    let nodes = [(); 4].map(|()| NodeKey::generate().unwrap());
    for (account, node) in accounts.iter().zip(&nodes) {
        assert!(definition.accept(account, node, &RULES).unwrap());
    }
    let record = chainwright::chain::Record::sign(&chainwright::chain::enr::Content::default(), &nodes[3]).unwrap();
    let theirs = &mut definition.operators[3];
    theirs.enr = record.to_string();
    theirs.config_signature.0 = (0..130).collect();
    theirs.enr_signature.0 = (100..230).collect();
    rehash(&mut definition);
    let folders = nodes.iter().enumerate().map(|(at, node)| {
        let data = folder.join(at.to_string());
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("charon-enr-private-key"), node.to_hex().as_bytes()).unwrap();
        data
    });
    let folders = folders.collect();
    (definition, folders)
}

/// Real geth with the contract in its block 0.
pub struct Chain {
    pub url: String,
    _node: Node,
}

impl Chain {
    pub fn start(folder: &Path, definition: &Definition) -> Self {
        let place = folder.join("geth");
        fs::create_dir_all(&place).unwrap();
        let config_hash = definition.compute_config_hash().unwrap();
        let agreed = [Message::Operator(config_hash), Message::Enr(&definition.operators[3].enr)];
        let storage: Map<String, Value> =
            agreed.iter().map(|message| (message.hash(CHAIN).to_string(), json!(YES))).collect();
        let forks =
            ["homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul"];
        let mut config: Map<String, Value> = forks.iter().map(|fork| (format!("{fork}Block"), json!(0))).collect();
        config.extend([("chainId".into(), json!(1337)), ("clique".into(), json!({"period": 1, "epoch": 30000}))]);
        let extra = format!("{}{}{}", B256::ZERO, "11".repeat(20), "00".repeat(65));
        let genesis = json!({"config": config, "difficulty": "0x1", "gasLimit": "0x1c9c380", "extraData": extra,
            "alloc": {CONTRACT.to_string(): {"balance": "0x0", "code": CODE, "storage": storage}}});
        let file = place.join("genesis.json");
        fs::write(&file, genesis.to_string()).unwrap();
        geth("geth", &["init", "--datadir", &place.join("data").display().to_string(), &file.display().to_string()]);
        let port = free_port();
        let node = Node::start(&place, &["--http", "--http.port", &port.to_string(), "--networkid", "1337"]);
        Self { url: format!("http://127.0.0.1:{port}"), _node: node }
    }
}
