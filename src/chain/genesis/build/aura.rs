//! Aura (authority round): the chain specification that OpenEthereum and Nethermind read.

use super::{Common, merge, object, print};
use crate::base::{Failure, Map, failure::Result};
use crate::chain::bft;
use crate::chain::genesis::Alloc;
use crate::chain::genesis::forks::Fork;
use alloy_primitives::{Address, hex};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A network whose validators seal in turn, each in its step.
#[derive(Debug, Clone)]
pub struct Aura {
    /// The network's name.
    pub name: String,
    /// Seconds between blocks.
    pub period: u64,
    /// Who seals.
    pub validators: Validators,
}

/// Where the clients learn who seals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validators {
    /// These, in this order.
    List(Vec<Address>),
    /// Those that the contract at this address names.
    SafeContract(Address),
    /// The same, of a contract that also takes reports of misbehaviour.
    Contract(Address),
    /// From each block on another of the above.
    Multi(BTreeMap<u64, Validators>),
}

impl Validators {
    /// Who seals block 1, if that is a list.
    pub fn first(&self) -> &[Address] {
        match self {
            Self::List(list) => list,
            Self::Multi(sets) => sets.get(&0).map_or(&[], Self::first),
            Self::SafeContract(_) | Self::Contract(_) => &[],
        }
    }

    /// Refuses what could never seal; `from` is the block from which on it counts.
    fn check(&self, from: u64, alloc: &Alloc) -> Result<()> {
        match self {
            Self::List(list) => bft::sorted(list).map(|_| ()),
            Self::SafeContract(address) | Self::Contract(address) => {
                if from > 0 || alloc.get(address).is_some_and(|account| !account.code.is_empty()) {
                    return Ok(());
                }
                Err(Failure::new(format!(
                    "the validators of block 0 come from the contract {address}, and block 0 has no code there"
                ))
                .help("give the account its `code` and `storage` in `alloc`, or begin with a list: {multi: {0: {list: [...]}, 100: {safeContract: ...}}}"))
            }
            Self::Multi(sets) => {
                if !sets.contains_key(&0) {
                    return Err(Failure::new("`multi` names no validators for block 0")
                        .help("write {multi: {0: {list: [...]}, ...}}"));
                }
                sets.iter().try_for_each(|(block, set)| match set {
                    Self::Multi(_) => Err(Failure::new(format!("`multi` holds a `multi` for block {block}"))
                        .help("write all blocks into one table")),
                    set => {
                        set.check(*block, alloc).map_err(|failure| failure.context(format!("from block {block} on")))
                    }
                })
            }
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::List(list) => json!({"list": list.iter().map(|one| one.to_checksum(None)).collect::<Vec<_>>()}),
            Self::SafeContract(address) => json!({"safeContract": address.to_checksum(None)}),
            Self::Contract(address) => json!({"contract": address.to_checksum(None)}),
            Self::Multi(sets) => {
                let sets: Map = sets.iter().map(|(block, set)| (block.to_string(), set.to_json())).collect();
                json!({"multi": sets})
            }
        }
    }
}

/// Steps are counted in 16 bits of seconds (OpenEthereum, `engines/authority_round`).
const LONGEST_STEP: u64 = u16::MAX as u64;

/// The transitions of which a fork is made, as the clients' specifications of public networks group them.
pub const TRANSITIONS: &[(Fork, &[&str])] = &[
    (Fork::Eip150, &["eip150Transition"]),
    (Fork::Eip155, &["eip155Transition", "validateChainIdTransition"]),
    (Fork::Eip158, &["eip160Transition", "eip161abcTransition", "eip161dTransition", "maxCodeSizeTransition"]),
    (
        Fork::Byzantium,
        &["eip140Transition", "eip211Transition", "eip214Transition", "eip658Transition", "validateReceiptsTransition"],
    ),
    (Fork::Constantinople, &["eip145Transition", "eip1014Transition", "eip1052Transition", "eip1283Transition"]),
    (Fork::Petersburg, &["eip1283DisableTransition"]),
    (
        Fork::Istanbul,
        &[
            "eip1283ReenableTransition",
            "eip1344Transition",
            "eip1706Transition",
            "eip1884Transition",
            "eip2028Transition",
        ],
    ),
    (Fork::Berlin, &["eip2929Transition", "eip2930Transition"]),
    (Fork::London, &["eip1559Transition", "eip3198Transition", "eip3529Transition", "eip3541Transition"]),
];

impl Aura {
    /// The file.
    pub fn to_json(&self, common: &Common) -> Result<String> {
        self.validators.check(0, &common.alloc)?;
        if self.period > LONGEST_STEP {
            return Err(Failure::new(format!("a step of {} s is longer than Aura can count: `period`", self.period))
                .help(format!("write seconds, at most {LONGEST_STEP}; 5 is usual")));
        }
        if self.period == 0 {
            return Err(Failure::new("Aura cannot make blocks without time between them: `period` is 0")
                .help("write the seconds between two blocks, 5 is usual"));
        }
        let mut params = object(json!({
            "networkID": format!("{:#x}", common.chain_id),
            "chainID": format!("{:#x}", common.chain_id),
            "maximumExtraDataSize": "0x20",
            "minGasLimit": "0x1388",
            "gasLimitBoundDivisor": "0x400",
            "maxCodeSize": "0x6000",
        }));
        for (fork, names) in TRANSITIONS {
            if let Some(block) = common.forks.get(fork) {
                params.extend(names.iter().map(|name| ((*name).to_owned(), format!("{block:#x}").into())));
            }
        }
        if common.forks.contains_key(&Fork::London) {
            params.insert("eip1559BaseFeeInitialValue".into(), "0x3b9aca00".into());
            params.insert("eip1559BaseFeeMaxChangeDenominator".into(), "0x8".into());
            params.insert("eip1559ElasticityMultiplier".into(), "0x2".into());
        }
        merge(&mut params, &common.config);
        let mut accounts = builtins(common);
        for (address, account) in &common.alloc {
            let name = hex::encode_prefixed(address);
            let mut entry = object(account.to_json());
            if let Some(Value::Object(builtin)) = accounts.shift_remove(&name) {
                entry.extend(builtin.into_iter().filter(|(name, _)| name == "builtin"));
            }
            accounts.insert(name, entry.into());
        }
        let engine = json!({"authorityRound": {"params": {
            "stepDuration": self.period.to_string(),
            "validators": self.validators.to_json(),
            "maximumUncleCountTransition": "0x0",
            "maximumUncleCount": "0x0",
        }}});
        let mut genesis = object(json!({
            "seal": {"authorityRound": {"step": "0x0", "signature": hex::encode_prefixed([0; 65])}},
            "difficulty": "0x20000",
            "gasLimit": format!("{:#x}", common.gas_limit),
            "timestamp": format!("{:#x}", common.timestamp),
        }));
        if common.forks.get(&Fork::London) == Some(&0) {
            genesis.insert("baseFeePerGas".into(), "0x3b9aca00".into());
        }
        print(&json!({
            "name": self.name,
            "engine": engine,
            "params": params,
            "genesis": genesis,
            "accounts": accounts,
        }))
    }
}

/// The built-in contracts from the block on from which they are there. The first four hold one wei, as on public networks, so
/// that nothing takes them for empty.
fn builtins(common: &Common) -> Map {
    let at = |fork: Fork| common.forks.get(&fork).map(|block| format!("{block:#x}"));
    let linear = |base: u64, word: u64| json!({"linear": {"base": base, "word": word}});
    let mut contracts: Vec<(&str, Map)> = vec![
        ("ecrecover", object(json!({"0": {"price": linear(3000, 0)}}))),
        ("sha256", object(json!({"0": {"price": linear(60, 12)}}))),
        ("ripemd160", object(json!({"0": {"price": linear(600, 120)}}))),
        ("identity", object(json!({"0": {"price": linear(15, 3)}}))),
    ];
    let mut young = |name, prices: &[(Fork, Value)]| {
        let known = prices.iter().filter_map(|(fork, price)| Some((at(*fork)?, json!({"price": price}))));
        contracts.push((name, known.collect()));
    };
    young(
        "modexp",
        &[(Fork::Byzantium, json!({"modexp": {"divisor": 20}})), (Fork::Berlin, json!({"modexp2565": {}}))],
    );
    young(
        "alt_bn128_add",
        &[
            (Fork::Byzantium, json!({"alt_bn128_const_operations": {"price": 500}})),
            (Fork::Istanbul, json!({"alt_bn128_const_operations": {"price": 150}})),
        ],
    );
    young(
        "alt_bn128_mul",
        &[
            (Fork::Byzantium, json!({"alt_bn128_const_operations": {"price": 40_000}})),
            (Fork::Istanbul, json!({"alt_bn128_const_operations": {"price": 6_000}})),
        ],
    );
    young(
        "alt_bn128_pairing",
        &[
            (Fork::Byzantium, json!({"alt_bn128_pairing": {"base": 100_000, "pair": 80_000}})),
            (Fork::Istanbul, json!({"alt_bn128_pairing": {"base": 45_000, "pair": 34_000}})),
        ],
    );
    young("blake2_f", &[(Fork::Istanbul, json!({"blake2_f": {"gas_per_round": 1}}))]);
    // Prices that change with a block are read from Parity 2.7 on; one price without blocks is read by all.
    let old = !common.forks.contains_key(&Fork::Istanbul) && !common.forks.contains_key(&Fork::Berlin);
    contracts
        .into_iter()
        .enumerate()
        .filter(|(_, (_, pricing))| !pricing.is_empty())
        .map(|(index, (name, pricing))| {
            let mut account = Map::new();
            if index < 4 {
                account.insert("balance".into(), "0x1".into());
            }
            let builtin = if old { one_price(name, &pricing) } else { json!({"name": name, "pricing": pricing}) };
            account.insert("builtin".into(), builtin);
            (format!("{:#042x}", index + 1), account.into())
        })
        .collect()
}

/// A built-in contract that never changes its price, as every version reads it.
fn one_price(name: &str, pricing: &Map) -> Value {
    let (at, price) = pricing.iter().next().map_or(("0", Value::Null), |(at, entry)| (at, entry["price"].clone()));
    // Before there were prices by block, additions and multiplications on the curve cost so much a call.
    let price = match price.get("alt_bn128_const_operations") {
        Some(constant) => json!({"linear": {"base": constant["price"], "word": 0}}),
        None => price,
    };
    match at {
        "0" => json!({"name": name, "pricing": price}),
        at => json!({"name": name, "activate_at": at, "pricing": price}),
    }
}
