//! The chain's configuration: what the node runs with, against what the genesis says. Nothing may be other, and nothing added.

use super::{Agreed, Difference, brief};
use crate::base::{Map, Value};
use crate::chain::genesis::compare::{Weight, compare};
use crate::chain::genesis::{Engine, Genesis};
use std::collections::{BTreeMap, BTreeSet};

const CHECK: &str = "configuration";

/// What a comparison found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// What is not as it was agreed on.
    pub differences: Vec<Difference>,
    /// What the client fills in of its own where the file says nothing: Autonity's contracts and their usual settings.
    pub filled: Vec<String>,
    /// What the genesis has and this client never tells.
    pub untold: Vec<String>,
}

/// Compares the `config` that the node tells (geth's family: `admin_nodeInfo.protocols.eth.config`). `client` is how it calls itself.
pub fn told(agreed: &Agreed, told: &Map, client: &str) -> Compared {
    let mut file: Map = serde_json::from_str(&agreed.text).unwrap_or_default();
    file.insert("config".into(), Value::Object(told.clone()));
    let theirs = match super::read(&Value::Object(file).to_string()) {
        Ok(genesis) => settings(&genesis),
        Err(failure) => {
            let why = format!("what the node tells cannot be read: {}", failure.message);
            return Compared { differences: vec![Difference::new(CHECK, why)], ..Compared::default() };
        }
    };
    let ours = settings(&agreed.genesis);
    let besu = client.to_ascii_lowercase().starts_with("besu");
    let autonity = agreed.genesis.engine == Engine::Autonity;
    let mut compared = Compared::default();
    let mut filled = BTreeSet::new();
    for path in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let why = match (ours.get(path), theirs.get(path)) {
            (Some(ours), Some(theirs)) if ours == theirs => continue,
            (Some(ours), Some(theirs)) => {
                format!("`{path}` is {} in the node, and {} in the genesis", brief(theirs), brief(ours))
            }
            (Some(_), None) if besu && untold_by_besu(path) => {
                compared.untold.push(path.clone());
                continue;
            }
            (Some(ours), None) => format!("the node does not have `{path}`, which is {} in the genesis", brief(ours)),
            (None, Some(theirs)) if autonity && fills_in(path, theirs) => {
                filled.insert(path.split('.').take(2).collect::<Vec<_>>().join("."));
                continue;
            }
            (None, Some(theirs)) => {
                format!("the node has `{path}` ({}) in addition, which is not in the genesis", brief(theirs))
            }
            (None, None) => continue,
        };
        compared.differences.push(Difference::new(CHECK, why));
    }
    compared.filled = filled.into_iter().collect();
    compared
}

/// Compares the chain specification that the node runs with, where no method tells its configuration (Parity, Nethermind).
pub fn file(agreed: &Agreed, text: &str) -> Vec<Difference> {
    if text == agreed.text {
        return Vec::new();
    }
    let theirs = match super::read(text) {
        Ok(genesis) => genesis,
        Err(failure) => {
            return vec![Difference::new(CHECK, format!("the node's file cannot be read: {}", failure.message))];
        }
    };
    let found = compare(&theirs, &agreed.genesis, None).differences;
    let real = found.into_iter().filter(|difference| difference.weight != Weight::Nothing);
    real.map(|found| {
        let why = format!(
            "{} is {} in the node's file, and {} in the genesis",
            found.what,
            brief(&found.one),
            brief(&found.two)
        );
        Difference::new(CHECK, why)
    })
    .collect()
}

/// Everything in `config` by its path; what says nothing (false, geth's hash of nothing) is left out.
fn settings(genesis: &Genesis) -> BTreeMap<String, String> {
    let mut all = genesis.settings.clone();
    let forks = genesis.forks.iter().map(|(fork, at)| (fork.fact().key.to_owned(), at.to_string()));
    all.extend(forks);
    all.extend(genesis.chain_id.map(|id| ("chainId".to_owned(), id.to_string())));
    all.extend(
        genesis.terminal_total_difficulty.map(|total| ("terminalTotalDifficulty".to_owned(), total.to_string())),
    );
    // geth before 1.11 writes a hash of zeros for EIP-150 where the file has none.
    let empty =
        |path: &str, text: &str| text == "false" || (path == "eip150hash" && text.trim_matches(['0', 'x']).is_empty());
    all.retain(|path, text| !empty(path, text));
    all
}

/// What Autonity's client writes into its configuration of its own, by the structures of 0.7 and of 0.14 (`params` in its sources):
/// the contracts' code, the state of a validator who has just begun, and the sections of the contracts beside the first. Of its own
/// it lets nobody's money vest.
fn fills_in(path: &str, value: &str) -> bool {
    const SECTIONS: &[&str] = &["asm", "oracle", "accountability", "omissionaccountability", "inflationcontroller"];
    const VESTING: &[&str] = &["nonstakablevesting", "nonstakeablevesting", "stakablevesting", "stakeablevesting"];
    const OF_VALIDATORS: &[&str] = &[
        "address",
        "nodeaddress",
        "commissionrate",
        "unbondingstake",
        "unbondingshares",
        "selfbondedstake",
        "selfunbondingstake",
        "selfunbondingshares",
        "selfunbondingstakelocked",
        "liquidcontract",
        "liquidstatecontract",
        "liquidsupply",
        "registrationblock",
        "totalslashed",
        "jailreleaseblock",
        "provablefaultcount",
        "state",
    ];
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        ["autonitycontract" | "autonity", "bytecode" | "abi", ..] => true,
        ["autonitycontract", "users", _, name] | ["autonity", "validators", _, name] => OF_VALIDATORS.contains(name),
        [section, ..] if VESTING.contains(section) => matches!(value, "" | "0" | "0x0" | "null" | "[]"),
        [section, ..] => SECTIONS.contains(section),
        [] => false,
    }
}

/// What Besu reads and does not repeat (`asMap` of its `JsonGenesisConfigOptions` and `JsonBftConfigOptions`): it has EIP-155 and EIP-158 as
/// one fork, and tells of its engines only the clockwork.
fn untold_by_besu(path: &str) -> bool {
    const CLOCKWORK: &[&str] = &["epochlength", "blockperiodseconds", "requesttimeoutseconds", "period", "epoch"];
    match path.split_once('.') {
        Some(("qbft" | "ibft2" | "clique", setting)) => !CLOCKWORK.contains(&setting),
        Some((section, _)) => section == "transitions" || section == "discovery",
        None => path == "eip155Block",
    }
}
