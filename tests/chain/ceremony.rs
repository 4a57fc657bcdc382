//! `eth_ceremony` against real geth: two nodes with one genesis of Clique that seal, and what they really tell of themselves.

use crate::geth::{Node, chainwright, geth};
use chainwright::chain::{AccountKey, clique};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

struct Place(tempfile::TempDir);

impl Place {
    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(self.0.path().join(name).parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A sealing node with the account of a number.
    fn node(&self, name: &str, number: u8) -> Node {
        let account = account(number);
        let (raw, password) = (
            self.write(&format!("{name}/raw"), &format!("{number:064x}")),
            self.write(&format!("{name}/password"), "x"),
        );
        let keystore = self.path(&format!("{name}/keystore"));
        chainwright(&["key", "import", "account", &raw, &keystore, "--password-file", &password, "--kdf", "light"]);
        geth("geth", &["--datadir", &self.path(&format!("{name}/data")), "init", &self.path("genesis.json")]);
        let keys = ["--keystore", &keystore, "--unlock", &account, "--password", &password];
        let seals = ["--networkid", "46781", "--nodiscover", "--mine", "--miner.etherbase", &account];
        Node::start(&self.0.path().join(name), &[&keys[..], &seals].concat())
    }

    /// What `eth_ceremony` makes of alpha's node, in a play of one task.
    fn ask(&self, parties: &Value, genesis: &str, timeout: u8) -> (Option<i32>, String) {
        let play = json!([{"hosts": "localhost", "connection": "local", "gather_facts": false, "tasks": [{"eth_ceremony": {
            "ipc": self.path("alpha/ipc"), "genesis": self.path(genesis), "parties": parties, "organisation": "alpha", "timeout": timeout}}]}]);
        let book = self.write("play.yml", &play.to_string());
        let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
        let command = command.args(["playbook", &book]).env("XDG_STATE_HOME", self.path("state")).stdin(Stdio::null());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    #[track_caller]
    fn refused(&self, parties: &Value, genesis: &str, timeout: u8, why: &str) {
        let (code, text) = self.ask(parties, genesis, timeout);
        assert!(code == Some(2) && text.contains(why), "`{why}` is missing: {code:?}\n{text}");
    }
}

/// Waits until a node's answer is a list of so many.
fn until(node: &mut Node, method: &str, count: usize) {
    let deadline = Instant::now() + Duration::from_mins(3);
    while node.when_it_can(method, &Value::Null).as_array().map(Vec::len) != Some(count) {
        assert!(Instant::now() < deadline, "{method} is not a list of {count}");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

fn account(number: u8) -> String {
    AccountKey::from_hex(&format!("{number:064x}")).unwrap().address().to_string()
}

#[test]
fn real_geth_is_of_the_network_that_was_agreed_on_until_something_differs() {
    let place = Place(tempfile::tempdir().unwrap());
    let signers = [1, 2].map(|number| account(number).parse().unwrap());
    let extra = alloy_primitives::hex::encode_prefixed(clique::extra_data(&signers).unwrap());
    let genesis = json!({"config": {"chainId": 46781, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
        "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0,
        "clique": {"period": 1, "epoch": 30000}}, "difficulty": "0x1", "gasLimit": "0x1c9c380", "extraData": extra, "alloc": {}});
    place.write("genesis.json", &genesis.to_string());
    // The same block 0, and another configuration.
    place.write("slower.json", &genesis.to_string().replace(r#""period":1"#, r#""period":2"#));
    place.write("shorter.json", &genesis.to_string().replace(r#""berlinBlock":0,"#, ""));
    place.write("richer.json", &genesis.to_string().replace("0x1c9c380", "0x1c9c381"));

    let (mut alpha, beta) = (place.node("alpha", 1), place.node("beta", 2));
    let enode = |node: &Node| node.call("admin_nodeInfo", &Value::Null)["enode"].as_str().unwrap().to_owned();
    let party = |name: &str, number: u8, enode: &str| json!({"name": name, "enode": enode, "account": account(number)});
    let parties = json!([party("alpha", 1, &enode(&alpha)), party("beta", 2, &enode(&beta))]);
    alpha.call("admin_addPeer", &json!([enode(&beta)]));
    let (code, text) = place.ask(&parties, "genesis.json", 150);
    assert_eq!(code, Some(0), "{text}");
    for proof in ["block 0", "block 1", "configuration", "validators", "own node", "peers"] {
        assert!(text.contains(proof), "{proof}: {text}");
    }

    place.refused(&parties, "slower.json", 0, "configuration: `clique.period` is 1 in the node, and 2 in the genesis");
    place.refused(&parties, "shorter.json", 0, "configuration: the node has `berlinBlock` (0) in addition");
    place.refused(
        &parties,
        "richer.json",
        0,
        "block 0: its gas limit is 30000000 in the node, and 30000001 in the genesis",
    );
    let swapped = json!([party("alpha", 1, &enode(&beta)), party("beta", 2, &enode(&alpha))]);
    place.refused(&swapped, "genesis.json", 0, "own node: the node's key is");

    // Both vote for a stranger, and he is one of them.
    let stranger = account(3);
    for node in [&alpha, &beta] {
        node.call("clique_propose", &json!([stranger, true]));
    }
    until(&mut alpha, "clique_getSigners", 3);
    place.refused(&parties, "genesis.json", 0, &format!("validators: {stranger} is one, and nobody's on the sheet"));
    drop(beta);
    until(&mut alpha, "admin_peers", 0);
    place.refused(&parties, "genesis.json", 1, "is no peer of ours");
}
