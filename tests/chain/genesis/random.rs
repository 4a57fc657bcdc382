//! Genesis files that proptest makes: accounts with code and storage, fork schedules, and the notations that people use.

use chainwright::chain::client::Version;
use chainwright::chain::genesis::forks::{FORKS, Fact, Fork, Target};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

/// From here on geth exports blocks only of networks that have merged.
const MERGED: Version = Version(1, 13, 0);

/// The same files in every run.
pub fn files(version: Version, count: usize) -> Vec<String> {
    let seed = [u8::try_from(version.1).unwrap_or_default(); 32];
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = genesis(version);
    (0..count).map(|_| strategy.new_tree(&mut runner).expect("a file").current()).collect()
}

/// A network of one signer, all forks of Clique from block 0 on.
pub fn clique_with_london() -> String {
    let mut config = Map::new();
    config.insert("chainId".into(), 46_781.into());
    for fact in FORKS.iter().filter(|fact| fact.fork <= Fork::London && !fact.optional) {
        config.insert(fact.key.into(), 0.into());
    }
    config.insert("clique".into(), json!({"period": 5, "epoch": 30_000}));
    let extra = format!("0x{}{}{}", "0".repeat(64), "01".repeat(20), "0".repeat(130));
    let genesis = json!({"config": config, "extraData": extra, "gasLimit": "0x1c9c380", "difficulty": "0x1",
        "alloc": {"0303030303030303030303030303030303030303": {"balance": "0x5"}}});
    format!("{genesis:#}")
}

fn bytes(lengths: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    vec(any::<u8>(), lengths).prop_map(alloy_primitives::hex::encode)
}

fn fixed(length: usize) -> impl Strategy<Value = String> {
    bytes(length..length + 1).prop_map(|digits| format!("0x{digits}"))
}

/// In quotes, as all versions read numbers: hexadecimal or decimal.
fn quoted(number: impl Strategy<Value = u64>) -> impl Strategy<Value = Value> {
    (number, any::<bool>()).prop_map(|(n, hex)| if hex { format!("{n:#x}").into() } else { n.to_string().into() })
}

fn wide() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("0x0")),
        Just(json!("0")),
        quoted(any::<u64>()),
        bytes(1..33).prop_map(|digits| format!("0x{digits}").into()),
        any::<u128>().prop_map(|number| number.to_string().into()),
    ]
}

fn account() -> impl Strategy<Value = Value> {
    let slot = prop_oneof![Just("00".to_owned()), bytes(1..33)];
    let value = prop_oneof![Just("0x00".to_owned()), bytes(1..33).prop_map(|digits| format!("0x{digits}"))];
    let storage = btree_map(slot, value, 0..6);
    (wide(), prop::option::of(quoted(any::<u64>())), prop::option::of(bytes(0..60)), storage).prop_map(
        |(balance, nonce, code, storage)| {
            let mut account = json!({"balance": balance});
            if let Some(nonce) = nonce {
                account["nonce"] = nonce;
            }
            if let Some(code) = code {
                account["code"] = format!("0x{code}").into();
            }
            // Two spellings of one slot would be two answers.
            let mut slots: Map<String, Value> = Map::new();
            for (slot, value) in storage {
                slots.insert(format!("0x{slot:0>64}"), value.into());
            }
            if !slots.is_empty() {
                account["storage"] = slots.into();
            }
            account
        },
    )
}

fn alloc() -> impl Strategy<Value = Value> {
    let address = prop_oneof![4 => bytes(20..21), 1 => (0..20_u8).prop_map(|n| format!("{n:040x}"))];
    (btree_map(address, account(), 0..25), any::<bool>()).prop_map(|(accounts, prefixed)| {
        let prefix = if prefixed { "0x" } else { "" };
        accounts
            .into_iter()
            .map(|(address, account)| (format!("{prefix}{address}"), account))
            .collect::<Map<_, _>>()
            .into()
    })
}

/// geth takes a file with Prague and without Cancun, or with Amsterdam and without Prague, but cannot read the block 0 that it
/// makes of it.
fn can_be_left_out(fact: &Fact) -> bool {
    fact.optional && ![Fork::Cancun, Fork::Prague].contains(&fact.fork)
}

/// A schedule that geth takes: in order, without holes; the first so many forks begin with block 0, the rest later or never.
/// Half of the time forks come that `version` does not know.
fn config(version: Version, timestamp: u64) -> impl Strategy<Value = Value> {
    let count = FORKS.len();
    let steps = vec((any::<bool>(), 0..1000_u64), count);
    (0..=count, 0..=count, steps, any::<bool>(), any::<u32>()).prop_map(move |(begun, planned, steps, all, id)| {
        let mut config = Map::new();
        config.insert("chainId".into(), id.into());
        let (mut block, mut time) = (0, timestamp);
        for (index, (fact, (leave_out, step))) in FORKS.iter().zip(steps).enumerate() {
            let known = Target::Geth(version).knows(fact.fork);
            if index >= begun.max(planned) || (can_be_left_out(fact) && leave_out) || !(known || all) {
                continue;
            }
            let at = if fact.fork.timed() { &mut time } else { &mut block };
            if index >= begun {
                *at += step;
            } else if fact.fork.timed() {
                *at = timestamp.min(*at);
            }
            config.insert(fact.key.into(), (*at).into());
        }
        if version >= MERGED {
            config.insert("terminalTotalDifficulty".into(), 0.into());
            config.insert("terminalTotalDifficultyPassed".into(), true.into());
            let blobs = FORKS.iter().filter(|fact| fact.fork >= Fork::Cancun && config.contains_key(fact.key));
            let entry = json!({"target": 6, "max": 9, "baseFeeUpdateFraction": 5_007_716});
            let schedule: Map<String, Value> =
                blobs.map(|fact| (fact.key.trim_end_matches("Time").to_owned(), entry.clone())).collect();
            config.insert("blobSchedule".into(), schedule.into());
        }
        config.into()
    })
}

fn genesis(version: Version) -> impl Strategy<Value = String> {
    let timestamp = prop_oneof![Just(0_u64), 1..2_000_000_000_u64];
    timestamp.prop_flat_map(move |timestamp| {
        let header = (
            prop::option::of(quoted(any::<u64>())),
            bytes(0..140),
            quoted(prop_oneof![Just(0_u64), 5000..u64::MAX / 2]),
            wide(),
            prop::option::of(fixed(32)),
            prop::option::of(fixed(20)),
            prop::option::of(wide()),
            prop::option::of(quoted(any::<u64>())),
            prop::option::of(quoted(any::<u64>())),
            any::<bool>(),
        );
        (config(version, timestamp), header, alloc()).prop_map(
            move |(config, (nonce, extra, gas, difficulty, mix, coinbase, fee, used, excess, lower), alloc)| {
                let mut genesis = Map::new();
                let mut put = |name: &str, value: Option<Value>| {
                    if let Some(value) = value {
                        genesis.insert(if lower { name.to_lowercase() } else { name.to_owned() }, value);
                    }
                };
                put("config", Some(config));
                put("nonce", nonce);
                put("timestamp", Some(format!("{timestamp:#x}").into()));
                put("extraData", Some(format!("0x{extra}").into()));
                put("gasLimit", Some(gas));
                put("difficulty", Some(difficulty));
                put("mixHash", mix.map(Value::from));
                put("coinbase", coinbase.map(Value::from));
                put("baseFeePerGas", fee);
                put("blobGasUsed", used);
                // From 1.16.4 on geth cannot read its own block 0 if this stands in it before Cancun.
                put("excessBlobGas", excess.filter(|_| version < Version(1, 16, 4)));
                put("alloc", Some(alloc));
                serde_json::to_string_pretty(&genesis).expect("JSON")
            },
        )
    })
}
