//! `eth_observe`: everything that one look at a node's host tells, for `eth_doctor`.

mod journal;
mod peers;
mod process;

use super::loose::Number;
use super::{Controller, Cx, Module, Result, eth, eth_init, eth_status, eth_unit};
use crate::base::{Map, Value};
use crate::chain::client::{StaticPeers, Version};
use crate::chain::doctor::{Block, Disk, Listener, Node, Observation, Peer, Program, Unit};
use crate::chain::keystore::folder;
use crate::chain::rpc::{Client, Endpoint};
use crate::chain::{Enode, NodeKey, parse_address};
use crate::system::System;
use process::Process;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Looks at a node and its host, and changes nothing: its unit and why it is down, what it answers, the program that runs,
/// clocks, its peers and whether those that its configuration names answer, where it listens and what it answers there, which
/// accounts it has unlocked, the disk, and what its log tells. A node that does not run is no failure: `eth_doctor` judges.
///
/// What a running process was told on its command line (data folder, socket, configuration) wins over the arguments.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthObserve {
    /// The systemd unit.
    #[serde(default = "unit")]
    pub unit: String,
    /// The data folder.
    #[serde(default = "datadir")]
    pub datadir: String,
    /// The node's socket. Default: `DATADIR/geth.ipc`.
    #[serde(default)]
    pub ipc: Option<String>,
    /// The file that `--config` names.
    #[serde(default = "config")]
    pub config: String,
    /// How long to wait for each answer, in seconds.
    #[serde(default = "timeout")]
    pub timeout: Number,
    /// The controller's clock when the question left it.
    #[serde(default)]
    #[schemars(skip)]
    asked_at: Option<f64>,
}

fn unit() -> String {
    "geth.service".into()
}
fn datadir() -> String {
    "/var/lib/geth".into()
}
fn config() -> String {
    "/etc/geth/config.toml".into()
}
fn timeout() -> Number {
    Number(5)
}

/// What `eth_observe` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// What was seen, for `eth_doctor`.
    observation: Observation,
    /// The host's clock, for the controller.
    #[serde(rename = "_clock")]
    clock: f64,
}

impl Module for EthObserve {
    const NAME: &'static str = "eth_observe";
    const EXAMPLE: &'static str = "\
- eth_observe:
    unit: geth.service
    datadir: /var/lib/geth
  register: observed";
    type Output = Output;

    fn prepare(mut self, _: &dyn Controller) -> Result<Self> {
        self.asked_at = Some(eth::now());
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let clock = eth::now();
        Ok(Output { observation: self.observe(cx.system), clock })
    }

    fn receive(&self, output: &mut Map, _: &dyn Controller) -> Result<()> {
        let clock = output.shift_remove("_clock").and_then(|clock| clock.as_f64());
        if let (Some(clock), Some(asked), Some(Value::Object(seen))) =
            (clock, self.asked_at, output.get_mut("observation"))
        {
            seen.insert("clock_offset".into(), eth_status::offset(clock, asked, eth::now()).into());
        }
        Ok(())
    }
}

impl EthObserve {
    fn observe(&self, system: &System) -> Observation {
        let time = eth::now();
        let state = eth_unit::state(system, &self.unit);
        let unit = match &state {
            Ok(state) => Unit {
                name: self.unit.clone(),
                exists: true,
                runs: state.runs(),
                state: state.phrase(),
                active: state.active().to_owned(),
                result: state.result().to_owned(),
                restarts: state.restarts(),
                started: state.started(),
                ended: state.exited().filter(|_| !state.runs()),
            },
            Err(failure) => Unit { name: self.unit.clone(), state: failure.message.clone(), ..Unit::default() },
        };
        let process = state.ok().map(|state| Process::of(system, &self.unit, state.pid())).unwrap_or_default();
        let datadir = PathBuf::from(process.flag("datadir").unwrap_or_else(|| self.datadir.clone()));
        let ipc = match process.flag("ipcpath").or_else(|| self.ipc.clone()) {
            Some(path) if path.starts_with('/') => PathBuf::from(path),
            // geth takes a bare name for a file in its data folder.
            Some(name) => datadir.join(name),
            None => datadir.join("geth.ipc"),
        };
        let mut client = Client::ipc(system, &ipc);
        client.patience = Duration::from_secs(u64::try_from(self.timeout.0).unwrap_or(5));
        let answer = node(&client);
        let (node, silent) = match answer {
            Ok(node) => (Some(node), None),
            Err(failure) => (None, Some(failure.message)),
        };
        let journal = journal::read(system, &unit);
        let keystore = process.flag("keystore").map_or_else(|| datadir.join("keystore"), PathBuf::from);
        let accounts = accounts(system, &keystore);
        let enode = node.as_ref().and_then(|node| node.enode.as_ref()?.parse::<Enode>().ok());
        let answered = enode.as_ref().map(|enode| enode.public_key.clone());
        let version = node.as_ref().and_then(|node| node.version.as_ref()?.parse::<Version>().ok());
        let mut observation = Observation {
            time,
            clock_offset: None,
            node_clock: journal.clock,
            stored_genesis: stored_genesis(system, &unit, &datadir, process.path.as_deref()),
            public_key: answered.or_else(|| key_in(system, &process, &datadir)),
            unlocked: if node.is_some() { unlocked(&client, &process) } else { Vec::new() },
            accounts,
            program: Program { sha256: process.sha256(system), path: process.path.clone() },
            disk: disk(system, &datadir),
            wanted_peers: peers::Sources {
                config: PathBuf::from(process.flag("config").unwrap_or_else(|| self.config.clone())),
                json: version
                    .is_some_and(|version| version.static_peers() == StaticPeers::Json)
                    .then(|| datadir.join("static-nodes.json")),
                bootnodes: process.flag("bootnodes"),
            }
            .look(system, node.as_ref(), answered_key(enode.as_ref())),
            listeners: if node.is_some() {
                process.listeners(system, enode.as_ref().map_or(0, |enode| enode.tcp))
            } else {
                Vec::new()
            },
            log: journal.log,
            unit,
            node,
            silent,
        };
        for listener in &mut observation.listeners {
            ask(system, &process, listener);
        }
        observation
    }
}

fn answered_key(enode: Option<&Enode>) -> Option<&str> {
    enode.map(|enode| enode.public_key.as_str())
}

/// How many of the newest blocks are looked at at least.
const BLOCKS: u64 = 32;

/// Three turns of all signers: who has sealed none of them is silent. More signers than a hundred are not told apart.
fn three_turns(signers: usize) -> u64 {
    u64::try_from(3 * signers.min(100)).unwrap_or(BLOCKS).max(BLOCKS)
}

fn node(client: &Client) -> Result<Node> {
    let mut status = eth_status::status(client, BLOCKS)?;
    let wanted = three_turns(status.signers.len());
    if wanted > BLOCKS {
        status.recent = eth::newest(client, wanted)?;
    }
    let block =
        |block: eth::Block| Block { number: block.number, hash: block.hash, time: block.time, sealer: block.sealer };
    let peer = |text: &String| {
        let peer: Enode = text.parse().ok()?;
        Some(Peer { address: format!("{}:{}", peer.host, peer.tcp), public_key: peer.public_key })
    };
    Ok(Node {
        client: status.client.unwrap_or_default(),
        version: status.version,
        enode: status.enode,
        network_id: status.network_id,
        genesis: status.genesis,
        config: status.config,
        syncing: status.syncing,
        peers: status.peer_enodes.iter().filter_map(peer).collect(),
        recent: status.recent.into_iter().map(block).collect(),
        signers: status.signers,
        account: status.account,
        mining: status.mining,
    })
}

/// The accounts in a keystore.
fn accounts(system: &System, keystore: &Path) -> Vec<String> {
    let entries = folder::entries(system, keystore).unwrap_or_default();
    entries.iter().filter_map(|entry| entry.account.as_ref().ok()).map(|address| address.to_checksum(None)).collect()
}

/// The accounts that the node has unlocked: as it says where it offers that, or else those that its command line unlocks. Without
/// the namespace `personal` nothing else can unlock one.
fn unlocked(client: &Client, process: &Process) -> Vec<String> {
    let checksummed = |text: &str| parse_address(text).ok().map(|address| address.to_checksum(None));
    if let Ok(Value::Array(wallets)) = client.call("personal_listWallets", json!([])) {
        let open = wallets.iter().filter(|wallet| eth::text(wallet, "status") == Some("Unlocked"));
        let accounts = open.filter_map(|wallet| wallet.get("accounts")?.as_array()).flatten();
        return accounts.filter_map(|account| checksummed(eth::text(account, "address")?)).collect();
    }
    let list = process.flag("unlock").unwrap_or_default();
    list.split(',').filter_map(|text| checksummed(text.trim())).collect()
}

/// The public key of the node key in the data folder; the key itself stays here.
fn key_in(system: &System, process: &Process, datadir: &Path) -> Option<String> {
    let file = process.flag("nodekey").map_or_else(|| datadir.join("geth/nodekey"), PathBuf::from);
    let text = zeroize::Zeroizing::new(system.read_text_if_there(&file).ok()??);
    Some(NodeKey::from_hex(text.trim()).ok()?.public_key())
}

fn stored_genesis(system: &System, unit: &Unit, datadir: &Path, binary: Option<&str>) -> Option<String> {
    let binary = binary.filter(|_| unit.exists && !unit.runs)?;
    eth_init::stored(system, datadir, binary).ok()?
}

fn disk(system: &System, datadir: &Path) -> Option<Disk> {
    let stat = rustix::fs::statvfs(system.locate(datadir)).ok()?;
    let folder = datadir.display().to_string();
    Some(Disk {
        folder,
        free: stat.f_bavail.saturating_mul(stat.f_frsize),
        size: stat.f_blocks.saturating_mul(stat.f_frsize),
    })
}

/// Asks a port what it answers to whoever comes.
fn ask(system: &System, process: &Process, listener: &mut Listener) {
    let host = match listener.address.as_str() {
        "0.0.0.0" => "127.0.0.1".to_owned(),
        "::" => "[::1]".to_owned(),
        address if address.contains(':') => format!("[{address}]"),
        address => address.to_owned(),
    };
    let mut client = Client::new(system, Endpoint::Http(format!("http://{host}:{}", listener.port)));
    client.patience = Duration::from_secs(2);
    let modules = client.call("rpc_modules", json!([])).ok();
    listener.namespaces = match modules.as_ref().and_then(Value::as_object) {
        Some(modules) => modules.keys().filter(|name| *name != "rpc").cloned().collect(),
        // A port for WebSocket alone answers no POST.
        None => process.websocket(listener.port),
    };
}

#[cfg(test)]
mod tests {
    use super::three_turns;
    use crate::modules::eth_tests::{Host, outcome};
    use serde_json::json;

    #[test]
    fn of_many_signers_more_blocks_are_looked_at() {
        assert_eq!([3, 10, 11, 21, 1_000].map(three_turns), [32, 32, 33, 63, 300]);
    }

    #[test]
    fn a_host_without_a_node_is_seen_as_such_and_its_key_stays_there() {
        let host = Host::new();
        let key = "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291";
        host.write("/data/geth/nodekey", key);
        host.write(
            "/data/keystore/UTC--2026-11-21T13-00-00.0Z",
            r#"{"version": 3, "address": "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"}"#,
        );
        let args = json!({"unit": "there-is-no-such-unit.service", "datadir": "/data", "config": "/config.toml"});
        let done = outcome(&host, "eth_observe", &args, false).unwrap();
        let seen = &done.output["observation"];
        assert_eq!(seen["unit"]["exists"], false);
        assert!(seen["silent"].as_str().unwrap().contains("does not run"), "{seen}");
        assert!(seen["public_key"].as_str().unwrap().starts_with("ca634cae0d49acb4"), "{seen}");
        assert_eq!(seen["accounts"], json!(["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"]));
        assert!(done.diffs.is_empty() && !seen.to_string().contains(key));
    }
}
