//! The lock of a network: what its members have agreed upon, in a file that each of them computes alone.
//!
//! | file | job |
//! |---|---|
//! | [`read`] | strict reading, each mistake with its place |
//! | [`compare`] | two locks, or a lock and what a node says |
//! | [`sign`] | detached signatures of accounts |

pub mod compare;
pub mod read;
pub mod sign;

pub use compare::{Difference, Seen};
pub use sign::Signature;

use super::Enode;
use super::genesis::fork_id::fork_ids;
use super::genesis::forks::Fork;
use super::genesis::{self, BlockZero, hash::usual_target};
use crate::base::{Failure, Map, Source, Value, failure::Result};
use alloy_primitives::hex;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The format that this program writes and reads.
pub const VERSION: u64 = 1;

/// What the members of a network have agreed upon: which block 0, which rules, who seals, which nodes, which program. It
/// holds no secret. The same network is the same bytes, whoever writes them: keys stand in the order shown here, hosts by
/// name, signers by address, and a newline ends the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, title = "network.lock")]
pub struct Lock {
    /// The format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u64,
    /// The network's name.
    pub network: String,
    /// The id that transactions are signed for.
    pub chain_id: u64,
    /// The id by which nodes tell whether they are of one network.
    pub network_id: u64,
    /// How blocks are agreed upon.
    pub engine: Engine,
    /// Block 0, and the rules from there on.
    pub genesis: Genesis,
    /// The accounts that seal: those of the hosts with the role `sealers`, with checksum (EIP-55), in ascending order.
    pub signers: Vec<String>,
    /// The program that every node runs.
    pub client: Client,
    /// Every node, by its name in the inventory.
    pub hosts: BTreeMap<String, Host>,
}

/// How blocks are agreed upon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Engine {
    /// `clique`, `qbft`, `ibft2`, `istanbul`, `aura`, `ethereum`.
    pub name: String,
    /// Seconds between blocks.
    pub period: u64,
    /// Blocks after which votes on signers are reset.
    pub epoch: u64,
}

/// Block 0, and the rules from there on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "LockedGenesis")]
pub struct Genesis {
    /// Hash of block 0.
    #[schemars(regex(pattern = r"^0x[0-9a-f]{64}$"))]
    pub hash: String,
    /// SHA-256 of the genesis' `config` (of a chain specification: of its `engine` and `params`) as JSON without white space,
    /// keys in lower case and sorted, numbers as texts of decimal digits, nulls left out: 64 digits. The hash of block 0 does
    /// not cover these settings.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub config_digest: String,
    /// Where each fork begins, in the order of the forks, by the names of geth's `config`: a block, or from Shanghai on seconds
    /// since 1970.
    #[serde(serialize_with = "by_key")]
    #[schemars(with = "BTreeMap<String, u64>")]
    pub forks: BTreeMap<Fork, u64>,
    /// The fork id at block 0 (EIP-2124), by which nodes tell before they speak whether they are on one chain.
    #[schemars(regex(pattern = r"^0x[0-9a-f]{8}$"))]
    pub fork_id: String,
}

/// The program that every node runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "LockedClient")]
pub struct Client {
    /// `geth`, ...
    pub name: String,
    /// `1.13.15`
    pub version: String,
    /// SHA-256 of the program: 64 digits.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub sha256: String,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "LockedHost")]
pub struct Host {
    /// Its groups that mean something to the network, by name: `bootnode`, `rpc`, `sealers`.
    pub roles: Vec<String>,
    /// The account that it seals with, with checksum (EIP-55); absent where it does not seal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = r"^0x[0-9a-fA-F]{40}$"))]
    pub account: Option<String>,
    /// Its devp2p key and where it is reached: `enode://PUBLIC_KEY@HOST:PORT`, with `?discport=0` where it takes no part in
    /// discovery.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String", regex(pattern = r"^enode://[0-9a-f]{128}@"))]
    pub enode: Enode,
}

impl Lock {
    /// The file's text: the same bytes for the same lock.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// SHA-256 of the file as this program writes it: 64 digits.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.text()))
    }

    /// The file's schema.
    pub fn schema() -> Value {
        schemars::schema_for!(Self).to_value()
    }

    /// The hosts with this role, by name.
    pub fn hosts_with<'a>(&'a self, role: &'a str) -> impl Iterator<Item = (&'a str, &'a Host)> {
        let has = move |host: &&Host| host.roles.iter().any(|known| known == role);
        self.hosts.iter().filter(move |(_, host)| has(host)).map(|(name, host)| (name.as_str(), host))
    }
}

impl Genesis {
    /// What a lock says of a genesis file. Fails where the file cannot be read, and where block 0 does not follow from it.
    pub fn of(text: &str) -> Result<Self> {
        let source = Source::new("genesis", text);
        let hash = genesis::header(text)?.hash();
        let file = genesis::read::read(&source, None).map_err(|_| Failure::new("this genesis cannot be read"))?;
        let target = usual_target(file.genesis.format, file.genesis.engine);
        let ids = fork_ids(&file.genesis, BlockZero::new(&file.genesis)?.header(target).hash(), target);
        let id = ids.first().map_or([0; 4], |id| id.hash);
        Ok(Self {
            hash: hash.to_string(),
            config_digest: config_digest(text)?,
            forks: file.genesis.forks.clone(),
            fork_id: hex::encode_prefixed(id),
        })
    }
}

/// SHA-256 of a genesis' settings in canonical form; see [`Genesis::config_digest`].
pub fn config_digest(genesis: &str) -> Result<String> {
    let whole: Map = serde_json::from_str(genesis)
        .map_err(|error| Failure::new(format!("this genesis is not a JSON table: {error}")))?;
    let settings = if whole.contains_key("params") {
        Value::Object(whole.into_iter().filter(|(name, _)| name == "engine" || name == "params").collect())
    } else {
        genesis::config(genesis)?.into()
    };
    Ok(hex::encode(Sha256::digest(genesis::canonical(&settings).to_string())))
}

fn by_key<S: Serializer>(forks: &BTreeMap<Fork, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(forks.iter().map(|(fork, at)| (fork.fact().key, at)))
}

fn as_text<S: Serializer>(enode: &Enode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(enode)
}

#[cfg(test)]
pub(crate) mod tests;
