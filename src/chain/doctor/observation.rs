//! What was seen on one host: data, without judgement. The module `eth_observe` makes it, [`diagnose`](super::diagnose) reads it.

use crate::base::Value;
use serde::{Deserialize, Serialize};

/// Everything that one look at a host tells. What could not be seen is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observation {
    /// The host's clock, in seconds since 1970.
    pub time: f64,
    /// How far that clock is from the controller's at least, in seconds; positive if it is ahead.
    pub clock_offset: Option<f64>,
    /// How far the node's clock, as its log shows it, is from the host's, in seconds; positive if it is ahead.
    pub node_clock: Option<f64>,
    /// The node's systemd unit.
    pub unit: Unit,
    /// What the node answers.
    pub node: Option<Node>,
    /// Why it does not answer.
    pub silent: Option<String>,
    /// Block 0 in the data folder of a node that does not run.
    pub stored_genesis: Option<String>,
    /// The node's public key: what it answers, else that of the key in its data folder.
    pub public_key: Option<String>,
    /// The accounts whose keys are in its keystore.
    pub accounts: Vec<String>,
    /// Those that it has unlocked, as far as that can be told.
    pub unlocked: Vec<String>,
    /// The program that runs, or is to run.
    pub program: Program,
    /// Where the data folder lies.
    pub disk: Option<Disk>,
    /// The peers that its configuration names.
    pub wanted_peers: Vec<WantedPeer>,
    /// Where its process listens, devp2p aside.
    pub listeners: Vec<Listener>,
    /// What its log says.
    pub log: Log,
}

impl Observation {
    /// How far the node's clock is from the controller's, in seconds. The log of a node whose clock is the host's may be a
    /// little late.
    pub fn clock(&self) -> Option<f64> {
        Some(self.clock_offset? + self.own_clock())
    }

    /// What the node's clock differs from the host's.
    pub(super) fn own_clock(&self) -> f64 {
        self.node_clock.filter(|own| own.abs() > 2.5).unwrap_or(0.0)
    }
}

/// A systemd unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// Whether there is one.
    pub exists: bool,
    /// Whether its main process is there.
    pub runs: bool,
    /// `active (running), result success, exit code 0`.
    pub state: String,
    /// `failed`, `inactive`, `active`, `activating`, ...
    pub active: String,
    /// How the last run ended: `success`, `exit-code`, `signal`, `oom-kill`, ...
    pub result: String,
    /// How often systemd started it again by itself.
    pub restarts: u64,
    /// When the process was started, in seconds since 1970.
    pub started: Option<f64>,
    /// When the last process ended.
    pub ended: Option<f64>,
}

/// What a node says of itself and of its chain.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// `Geth/v1.13.15-stable/linux-amd64/go1.26`.
    pub client: String,
    /// The version in that.
    pub version: Option<String>,
    /// Its enode.
    pub enode: Option<String>,
    /// The network that it is in.
    pub network_id: Option<String>,
    /// Hash of block 0.
    pub genesis: Option<String>,
    /// The chain configuration that it runs with.
    pub config: Option<Value>,
    /// Whether it is catching up.
    pub syncing: bool,
    /// Its peers.
    pub peers: Vec<Peer>,
    /// The newest blocks, newest first.
    pub recent: Vec<Block>,
    /// Who may seal, with checksum.
    pub signers: Vec<String>,
    /// The account that it seals with.
    pub account: Option<String>,
    /// Whether it tries to seal.
    pub mining: bool,
}

impl Node {
    /// The newest block.
    pub fn head(&self) -> Option<&Block> {
        self.recent.first()
    }

    /// The number of the newest block.
    pub fn height(&self) -> u64 {
        self.head().map_or(0, |head| head.number)
    }

    /// Seconds between blocks, if the engine is Clique.
    pub fn period(&self) -> Option<u64> {
        self.config.as_ref()?.pointer("/clique/period")?.as_u64()
    }
}

/// A peer that a node has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Peer {
    /// Its public key.
    pub public_key: String,
    /// Where it is.
    pub address: String,
}

/// A block.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: String,
    /// Seconds since 1970.
    pub time: u64,
    /// Who sealed it, with checksum.
    pub sealer: Option<String>,
}

/// A program on the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Program {
    /// Its path.
    pub path: Option<String>,
    /// Of the bytes that run, even if the file was replaced since.
    pub sha256: Option<String>,
}

/// The file system of a data folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Disk {
    /// The folder.
    pub folder: String,
    /// Bytes that the node may still write.
    pub free: u64,
    /// Bytes in all.
    pub size: u64,
}

/// A peer that a configuration names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WantedPeer {
    /// The enode.
    pub enode: String,
    /// It is where discovery starts, not a static peer.
    pub bootnode: bool,
    /// Whether it is a peer now.
    pub connected: bool,
    /// Why its port does not answer; asked only if it is no peer.
    pub trouble: Option<String>,
}

/// An address at which a node's process listens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Listener {
    /// The address: `0.0.0.0`, `10.0.0.1`, `::`.
    pub address: String,
    /// The port.
    pub port: u16,
    /// Whether only the host itself reaches it.
    pub loopback: bool,
    /// The namespaces that it answers to whoever asks; empty if it is no JSON-RPC or wants a secret.
    pub namespaces: Vec<String>,
}

/// Lines of a log that tell something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Log {
    /// Of the run's start: the run before it did not end as it should.
    pub unclean: Option<String>,
    /// The sealing account is locked.
    pub locked: Option<String>,
    /// There was too little space on the disk.
    pub low_disk: Option<String>,
    /// The last words of a process that ended.
    pub last: Vec<String>,
}
