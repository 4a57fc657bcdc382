//! `eth_peers`: the proof that a node is connected with certain others.

use super::loose::Number;
use super::{Cx, Module, Result, eth, eth_rpc};
use crate::base::event::Proof;
use crate::base::{Failure, Map, Value};
use crate::chain::Enode;
use crate::chain::rpc::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// Waits until a node is connected with all others of its network, and fails naming those that are missing. In a network of N
/// authorities each has N-1 peers.
///
/// The node is asked with `parity_netPeers` (Parity, OpenEthereum) or `admin_peers` (geth, Nethermind); where it offers neither, with
/// `net_peerCount`, and then peers are only counted.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthPeers {
    /// The node's socket on the host.
    #[serde(default)]
    pub ipc: Option<String>,
    /// Or its address: `http://10.0.0.1:8545`.
    #[serde(default)]
    pub url: Option<String>,
    /// Which of `peers` the node itself is.
    pub name: String,
    /// All nodes of the network by their names, with their enodes or public keys; the node itself may be among them.
    pub peers: Map,
    /// How long to wait, in seconds.
    #[serde(default = "timeout")]
    pub timeout: Number,
}

fn timeout() -> Number {
    Number(60)
}

/// What `eth_peers` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// How many nodes it is connected with, those that `peers` does not name included.
    count: u64,
    /// Evidence.
    proofs: Vec<Proof>,
}

/// What a node says of its peers.
#[derive(Debug)]
struct Seen {
    count: u64,
    /// Their public keys, in lower case, if the node tells.
    keys: Option<Vec<String>>,
}

impl Module for EthPeers {
    const NAME: &'static str = "eth_peers";
    const EXAMPLE: &'static str = "\
- eth_peers:
    ipc: /var/lib/parity/jsonrpc.ipc
    name: \"{{ inventory_hostname }}\"
    peers: \"{{ dict(groups.authorities | zip(groups.authorities | map('extract', hostvars, ['node_key', 'enode']))) }}\"";
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let wanted = self.wanted()?;
        let mut client = Client::new(cx.system, eth_rpc::endpoint(self.ipc.as_deref(), self.url.as_deref())?);
        client.patience = Duration::from_secs(5);
        let patience = Duration::from_secs(u64::try_from(self.timeout.0).unwrap_or(60));
        let (done, seen) = eth::wait(cx.system, patience, || {
            let seen = ask(&client);
            (seen.as_ref().is_ok_and(|seen| missing(seen, &wanted).is_none()), seen)
        })?;
        let (name, others) = (&self.name, wanted.len());
        let seen = seen.map_err(|failure| failure.context(format!("{name} does not tell its peers")))?;
        if !done && let Some(missing) = missing(&seen, &wanted) {
            let (there, names) = match missing.as_slice() {
                [] => (seen.count, String::new()),
                names => ((others - names.len()) as u64, format!(": {} missing", names.join(", "))),
            };
            return Err(Failure::new(format!("{name} has {there} of {others} peers after {} s{names}", patience.as_secs()))
            .help(
                "nodes that do not connect are down, have another genesis or network id, cannot reach each other (name, port, \
                 firewall), or read an old key of each other in reserved_peers",
            ));
        }
        let how = if seen.keys.is_some() { "by their keys" } else { "counted" };
        let proof = Proof::new("connected with all others", format!("{name}: {others} of {others}, {how}"));
        Ok(Output { count: seen.count, proofs: vec![proof] })
    }
}

impl EthPeers {
    /// Names and public keys of the others.
    fn wanted(&self) -> Result<Vec<(&str, String)>> {
        if !self.peers.contains_key(&self.name) {
            return Err(Failure::new(format!("`peers` does not name {} itself", self.name))
                .help("give all nodes of the network, this one included"));
        }
        let others = self.peers.iter().filter(|(name, _)| **name != self.name);
        others
            .map(|(name, value)| {
                let text = value.as_str().unwrap_or_default();
                let key = match text.parse::<Enode>() {
                    Ok(enode) => enode.public_key,
                    Err(_) => text.trim_start_matches("0x").to_ascii_lowercase(),
                };
                if key.len() == 128 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Ok((name.as_str(), key));
                }
                Err(Failure::new(format!("the peer {name} is {value}, neither an enode nor a public key"))
                    .help("write enode://KEY@HOST:PORT, or the key's 128 hexadecimal digits"))
            })
            .collect()
    }
}

/// Whether peers are missing, and which, if the node tells who its peers are.
fn missing<'a>(seen: &Seen, wanted: &[(&'a str, String)]) -> Option<Vec<&'a str>> {
    match &seen.keys {
        Some(keys) => {
            let missing: Vec<&str> =
                wanted.iter().filter(|(_, key)| !keys.contains(key)).map(|(name, _)| *name).collect();
            (!missing.is_empty()).then_some(missing)
        }
        None => (seen.count < wanted.len() as u64).then(Vec::new),
    }
}

fn ask(client: &Client) -> Result<Seen> {
    let parity = client.call("parity_netPeers", json!([]));
    let list = match &parity {
        // Parity also lists nodes with which it has not agreed on a protocol (yet).
        Ok(answer) => answer.get("peers").and_then(Value::as_array).map(|peers| {
            let agreed = |peer: &&Value| {
                let protocols = peer.get("protocols").and_then(Value::as_object);
                protocols.is_some_and(|protocols| protocols.values().any(|protocol| !protocol.is_null()))
            };
            peers.iter().filter(agreed).cloned().collect::<Vec<_>>()
        }),
        // Only a node that answers can lack a method.
        Err(failure) if !failure.output.contains_key("error") => return Err(failure.clone()),
        Err(_) => client.call("admin_peers", json!([])).ok().and_then(|answer| answer.as_array().cloned()),
    };
    let Some(peers) = list else {
        return Ok(Seen { count: eth::quantity(client, "net_peerCount")?, keys: None });
    };
    Ok(Seen { count: peers.len() as u64, keys: Some(peers.iter().filter_map(key).collect()) })
}

/// A peer's public key: Parity's `id` is the key, geth's a hash of it beside an `enode`.
fn key(peer: &Value) -> Option<String> {
    if let Some(enode) = eth::text(peer, "enode") {
        return enode.strip_prefix("enode://")?.get(..128).map(str::to_ascii_lowercase);
    }
    eth::text(peer, "id").map(|id| id.trim_start_matches("0x").to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Outcome;
    use crate::modules::eth_tests::{Host, outcome};
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::UnixListener;

    /// A fake of Parity: a socket on which each method gets its scripted answer, others the error of an unknown method.
    fn fake_parity(host: &Host, answers: Value) {
        let listener = UnixListener::bind(host.path().join("jsonrpc.ipc")).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::<_, _>::ok) {
                let mut line = String::new();
                if BufReader::new(&stream).read_line(&mut line).is_err() {
                    continue;
                }
                let request: Value = serde_json::from_str(&line).unwrap();
                let method = request["method"].as_str().unwrap();
                let answer = match answers.get(method) {
                    Some(result) => json!({"jsonrpc": "2.0", "id": 1, "result": result}),
                    None => {
                        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "Method not found"}})
                    }
                };
                let _ = (&stream).write_all(answer.to_string().as_bytes());
            }
        });
    }

    fn public_key(byte: u8) -> String {
        format!("{byte:02x}").repeat(64)
    }

    fn peer(byte: u8) -> Value {
        json!({"id": public_key(byte), "name": "OpenEthereum/v3.3.5", "network": {"remoteAddress": "10.0.0.2:30303"},
            "protocols": {"eth": {"version": 66}, "les": null}})
    }

    fn ask_fake(answers: Value) -> Result<Outcome> {
        let host = Host::new();
        fake_parity(&host, answers);
        let peers = json!({"acme": public_key(1), "globex": format!("0x{}", public_key(2)), "initech": public_key(3)});
        outcome(
            &host,
            "eth_peers",
            &json!({"ipc": "/jsonrpc.ipc", "name": "acme", "peers": peers, "timeout": 0}),
            false,
        )
    }

    #[test]
    fn all_others_are_there() {
        let netpeers = json!({"active": 3, "connected": 3, "max": 25, "peers": [peer(3), peer(2), peer(9)]});
        assert_eq!(ask_fake(json!({"parity_netPeers": netpeers})).unwrap().output["count"], 3);
    }

    #[test]
    fn the_one_that_is_missing_is_named() {
        let mut half = peer(3);
        half["protocols"]["eth"] = Value::Null;
        for peers in [json!([peer(2)]), json!([peer(2), half]), json!([peer(2), peer(9)])] {
            let failure = ask_fake(json!({"parity_netPeers": {"peers": peers}})).unwrap_err();
            assert_eq!(failure.message, "acme has 1 of 2 peers after 0 s: initech missing");
        }
    }

    #[test]
    fn a_node_that_only_counts_is_believed() {
        assert!(ask_fake(json!({"net_peerCount": "0x2"})).is_ok());
        let failure = ask_fake(json!({"net_peerCount": "0x1"})).unwrap_err();
        assert_eq!(failure.message, "acme has 1 of 2 peers after 0 s");
    }

    #[test]
    fn a_node_that_is_down_is_named() {
        let args = json!({"ipc": "/no.ipc", "name": "acme", "peers": {"acme": public_key(1)}, "timeout": 0});
        let failure = outcome(&Host::new(), "eth_peers", &args, false).unwrap_err();
        assert!(failure.message.contains("acme") && failure.message.contains("does not run"), "{failure}");
    }

    #[test]
    fn odd_input_is_refused() {
        let refused = |peers: Value| {
            let args = json!({"ipc": "/no.ipc", "name": "acme", "peers": peers, "timeout": 0});
            outcome(&Host::new(), "eth_peers", &args, false).unwrap_err().message
        };
        assert!(refused(json!({"globex": public_key(1)})).contains("does not name acme itself"));
        assert!(refused(json!({"acme": "", "globex": "enode://x"})).contains("neither an enode nor a public key"));
    }
}
