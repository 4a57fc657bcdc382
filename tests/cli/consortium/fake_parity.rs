//! A fake of Parity: a socket at which the peers that a test names are told, and nothing else is known. No Aura client can be installed
//! where these tests run.

use crate::scripted_node::{self, Answers};
use serde_json::{Value, json};
use std::path::Path;

/// The fake; it answers for as long as the test runs.
pub struct Node(scripted_node::Node);

impl Node {
    /// Answers at a socket; its peers have these public keys.
    pub fn start(socket: &Path, peers: Vec<String>) -> Self {
        Self(scripted_node::Node::start(socket, answers(&peers)))
    }

    /// From now on it has these peers.
    pub fn has_peers(&self, peers: Vec<String>) {
        self.0.says(answers(&peers));
    }
}

fn answers(peers: &[String]) -> Answers {
    let peer = |key: &String| {
        json!({"id": key, "name": "OpenEthereum/v3.3.5-stable", "caps": ["eth/66"],
            "network": {"localAddress": "172.18.0.2:40000", "remoteAddress": "172.18.0.3:30303"},
            "protocols": {"eth": {"version": 66, "difficulty": "0x20000", "head": "0x00"}}})
    };
    let list: Vec<Value> = peers.iter().map(peer).collect();
    let told = json!({"active": list.len(), "connected": list.len(), "max": 25, "peers": list});
    Answers::from([("parity_netPeers".to_owned(), told)])
}
