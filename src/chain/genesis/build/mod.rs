//! Genesis files from a few words: the same bytes for the same network, whatever order things were named in.

mod aura;
mod autonity;
mod bft;
mod clique;
mod ethereum;

pub(in crate::chain::genesis) use aura::TRANSITIONS;
pub use aura::{Aura, Validators};
pub use autonity::{Autonity, Generation};
pub use bft::{Bft, Family};
pub use clique::Clique;
pub use ethereum::Ethereum;

use super::account::Alloc;
use super::forks::Fork;
use crate::base::{Failure, Map, Value, failure::Result};
use alloy_primitives::{Address, B256, hex};
use serde_json::json;
use std::collections::BTreeMap;

/// What block 0 of every network is made of.
#[derive(Debug, Clone, Default)]
pub struct Common {
    /// Chain id, which is the network id too.
    pub chain_id: u64,
    /// Who has what.
    pub alloc: Alloc,
    /// Of block 0.
    pub gas_limit: u64,
    /// Of block 0, in seconds since 1970.
    pub timestamp: u64,
    /// Fork to block or time.
    pub forks: BTreeMap<Fork, u64>,
    /// More of `config`, or of `params` of a chain specification; wins over what is made here.
    pub config: Map,
}

/// The fields of block 0 that engines differ in.
struct Block {
    extra_data: Vec<u8>,
    difficulty: &'static str,
    mix_hash: String,
}

impl Block {
    fn new(extra_data: Vec<u8>) -> Self {
        Self { extra_data, difficulty: "0x1", mix_hash: hex::encode_prefixed(B256::ZERO) }
    }
}

impl Common {
    /// A file in geth's format; `engine` is what it adds to `config`.
    fn to_json(&self, engine: Map, block: Block) -> Result<String> {
        let mut config = Map::new();
        config.insert("chainId".into(), self.chain_id.into());
        for (fork, at) in &self.forks {
            config.insert(fork.fact().key.into(), (*at).into());
        }
        config.extend(engine);
        merge(&mut config, &self.config);
        let alloc: Map =
            self.alloc.iter().map(|(address, account)| (hex::encode(address), account.to_json())).collect();
        print(&json!({
            "config": config,
            "nonce": "0x0",
            "timestamp": format!("{:#x}", self.timestamp),
            "extraData": hex::encode_prefixed(block.extra_data),
            "gasLimit": format!("{:#x}", self.gas_limit),
            "difficulty": block.difficulty,
            "mixHash": block.mix_hash,
            "coinbase": hex::encode_prefixed(Address::ZERO),
            "alloc": alloc,
        }))
    }
}

/// Puts `more` over `table`: tables are merged, anything else replaced, `null` takes out.
fn merge(table: &mut Map, more: &Map) {
    for (name, value) in more {
        match (table.get_mut(name), value) {
            (_, Value::Null) => drop(table.shift_remove(name)),
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more),
            _ => drop(table.insert(name.clone(), value.clone())),
        }
    }
}

fn print(genesis: &Value) -> Result<String> {
    let mut text = serde_json::to_string_pretty(genesis).map_err(|error| Failure::new(error.to_string()))?;
    text.push('\n');
    Ok(text)
}

fn object(value: Value) -> Map {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
