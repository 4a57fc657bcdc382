//! The fork schedule: order, holes, what the engine can seal, what goes with a fork.

use super::Checker;
use crate::base::Span;
use crate::chain::client::Version;
use crate::chain::genesis::forks::{FORKS, Fork, Target};
use crate::chain::genesis::hash::KEEPS_EXCESS;
use crate::chain::genesis::json::{Data, Node};
use crate::chain::genesis::model::{Engine, Format};
use alloy_primitives::{Address, address};

/// The contracts that Prague calls at the end of every block, and those that Cancun and Prague write to at its beginning.
const SYSTEM: [(Fork, Address, &str); 4] = [
    (Fork::Cancun, address!("000F3df6D732807Ef1319fB7B8bB8522d0Beac02"), "beacon roots, EIP-4788"),
    (Fork::Prague, address!("0000F90827F1C53a10cb7A02335B175320002935"), "block hashes, EIP-2935"),
    (Fork::Prague, address!("00000961Ef480Eb55e80D19ad83579A64c007002"), "withdrawal requests, EIP-7002"),
    (Fork::Prague, address!("0000BBdDc7CE488642fb579F8B00f3a590007251"), "consolidation requests, EIP-7251"),
];
/// The first geth that refuses a schedule without blobs.
const BLOBS_WANTED: Version = Version(1, 15, 11);

pub(super) fn check(checker: &mut Checker) {
    if checker.file.genesis.format == Format::Parity {
        return;
    }
    order(checker);
    replay(checker);
    engine(checker);
    blobs(checker);
    gaps(checker);
    contracts(checker);
}

fn place(checker: &Checker, fork: Fork) -> Span {
    let config = checker.node(&["config"]);
    let entry = config.into_iter().flat_map(Node::entries).find(|(key, _)| Fork::of_key(&key.name) == Some(fork));
    match entry {
        Some((_, node)) => node.span(checker.file.source),
        None => checker.span(&["config"]),
    }
}

fn order(checker: &mut Checker) {
    let genesis = &checker.file.genesis;
    let strict = !matches!(checker.target, Target::Besu(_) | Target::Nethermind(_));
    let last = genesis.forks.keys().next_back().copied();
    // What stands there and cannot be read has been told, and is no hole.
    let config = checker.node(&["config"]).map(Node::entries).unwrap_or_default();
    let named =
        |fork| config.iter().any(|(key, node)| node.data != Data::Null && Fork::of_key(&key.name) == Some(fork));
    let mut missing: Vec<&'static str> = Vec::new();
    for fact in FORKS {
        let Some(&at) = genesis.forks.get(&fact.fork) else {
            if !fact.optional && Some(fact.fork) < last && !named(fact.fork) {
                missing.push(fact.key);
            }
            continue;
        };
        if strict && !missing.is_empty() {
            let message =
                format!("`{}` stands without {}: geth refuses a schedule with holes", fact.key, list(&missing));
            let default = if fact.fork.timed() { 0 } else { at };
            let help = format!(
                "write {}",
                missing.iter().map(|key| format!("\"{key}\": {default}")).collect::<Vec<_>>().join(", ")
            );
            checker.error(&place(checker, fact.fork), message, help);
            missing.clear();
        }
    }
    for timed in [false, true] {
        let of = genesis.forks.iter().filter(|(fork, _)| fork.timed() == timed);
        let steps: Vec<Step> =
            of.map(|(fork, at)| Step { name: fork.fact().key, at: *at, span: place(checker, *fork) }).collect();
        in_order(checker, &steps);
    }
    if genesis.forks.keys().any(|fork| fork.timed() && genesis.begins_with(*fork))
        && !genesis.begins_with(Fork::London)
        && genesis.forks.contains_key(&Fork::London)
    {
        let message =
            "a fork that begins at a time is on in block 0, but London is not: geth then takes none of them for begun";
        checker.error(&place(checker, Fork::London), message, "write \"londonBlock\": 0");
    }
    if checker.node(&["config", "petersburgBlock"]).is_some()
        && checker.node(&["config", "constantinopleFixBlock"]).is_some()
    {
        let span = checker.key(&["config", "constantinopleFixBlock"]);
        checker.error(
            &span,
            "`petersburgBlock` and `constantinopleFixBlock` are one fork, and Besu refuses both",
            "keep one",
        );
    }
}

/// A step of a schedule: the key, the block or time, its place.
pub(super) struct Step<'a> {
    pub name: &'a str,
    pub at: u64,
    pub span: Span,
}

/// Tells the fewest steps whose moving brings all into order; of two the later.
pub(super) fn in_order(checker: &mut Checker, steps: &[Step]) {
    let kept = longest(steps);
    for (index, step) in steps.iter().enumerate().filter(|(index, _)| !kept.contains(index)) {
        let before = kept.iter().rfind(|kept| **kept < index).map(|kept| &steps[*kept]);
        let after = kept.iter().find(|kept| **kept > index).map(|kept| &steps[*kept]);
        let (other, side) = match (before, after) {
            (Some(before), _) if before.at > step.at => (before, "before"),
            (_, Some(after)) => (after, "after"),
            _ => continue,
        };
        let message =
            format!("`{}` is {}, but `{}`, which comes {side} it, is {}", step.name, step.at, other.name, other.at);
        let least = before.map_or(0, |before| before.at);
        let help = match after {
            None => format!("a fork begins with or after the one before it: {least} or later"),
            Some(after) if after.at == least => format!("write {least}, as those around it have"),
            Some(after) => format!("write a number from {least} to {}", after.at),
        };
        checker.error(&step.span, message, help);
    }
}

/// The longest run of steps, by their index, that never goes back; the earliest of several.
fn longest(steps: &[Step]) -> Vec<usize> {
    let mut best: Vec<(usize, Option<usize>)> = Vec::new();
    for step in steps {
        let mut mine = (1, None);
        for (earlier, (length, _)) in best.iter().enumerate() {
            if steps[earlier].at <= step.at && length + 1 > mine.0 {
                mine = (length + 1, Some(earlier));
            }
        }
        best.push(mine);
    }
    let length = best.iter().map(|(length, _)| *length).max().unwrap_or_default();
    let mut at = best.iter().position(|(one, _)| *one == length);
    let mut kept = Vec::new();
    while let Some(index) = at {
        kept.push(index);
        at = best[index].1;
    }
    kept.reverse();
    kept
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Without EIP-155 a transaction is valid in every network that has not got it either.
fn replay(checker: &mut Checker) {
    let genesis = &checker.file.genesis;
    if matches!(checker.target, Target::Besu(_)) || checker.node(&["config"]).is_none() {
        return;
    }
    match genesis.forks.get(&Fork::Eip155) {
        Some(0) => {}
        Some(at) => {
            let message = format!("up to block {at} transactions can be played again on other networks");
            checker.warn(&place(checker, Fork::Eip155), message, "write \"eip155Block\": 0");
        }
        // With a later fork it is a hole, which is told there.
        None if genesis.forks.keys().any(|fork| *fork > Fork::Eip155) => {}
        None => {
            let span = checker.span(&["config"]);
            let message = "there is no `eip155Block`: the chain id does not protect transactions, they can be played again on \
                           other networks";
            checker.error(&span, message, "write \"eip155Block\": 0, with the forks before it");
        }
    }
}

fn engine(checker: &mut Checker) {
    let genesis = &checker.file.genesis;
    let first = match (genesis.engine, checker.target) {
        (Engine::Clique, Target::Geth(_)) => genesis.forks.keys().copied().find(|fork| fork.timed()),
        _ => None,
    };
    if let Some(fork) = first {
        let message =
            format!("Clique cannot seal {}: geth refuses the file or the first block after it", fork.fact().name);
        checker.error(
            &place(checker, fork),
            message,
            format!("take `{}` and later forks out: London is Clique's last", fork.fact().key),
        );
    }
}

fn blobs(checker: &mut Checker) {
    let Target::Geth(version) = checker.target else { return };
    if version < BLOBS_WANTED {
        return;
    }
    for (fork, at) in &checker.file.genesis.forks {
        if *fork < Fork::Cancun {
            continue;
        }
        let name = fork.fact().key.trim_end_matches("Time");
        let entry = checker.node(&["config", "blobSchedule", name]);
        let example = format!("\"{name}\": {{\"target\": 6, \"max\": 9, \"baseFeeUpdateFraction\": 5007716}}");
        match entry {
            None => {
                let message = format!(
                    "`{}` is {at}, but `blobSchedule` has no `{name}`: {} refuses that",
                    fork.fact().key,
                    checker.target
                );
                let help = if checker.node(&["config", "blobSchedule"]).is_some() {
                    format!("write {example} into it")
                } else {
                    format!("write \"blobSchedule\": {{{example}}}")
                };
                checker.error(&place(checker, *fork), message, help);
            }
            Some(entry) => {
                let fraction =
                    entry.get("baseFeeUpdateFraction").and_then(|node| crate::chain::genesis::value::small(node).ok());
                if fraction.unwrap_or_default() == 0 {
                    let span = checker.opening(entry);
                    checker.error(
                        &span,
                        format!("the blobs of {} have no `baseFeeUpdateFraction`", fork.fact().name),
                        format!("write {example}"),
                    );
                }
            }
        }
    }
}

/// A field of a header that is missing before one that is there: geth writes such a block and cannot read it.
fn gaps(checker: &mut Checker) {
    let genesis = &checker.file.genesis;
    let young = matches!(checker.target, Target::Geth(version) if version >= KEEPS_EXCESS);
    let gap = [(Fork::Cancun, Fork::Prague), (Fork::Cancun, Fork::Amsterdam), (Fork::Prague, Fork::Amsterdam)]
        .into_iter()
        .find(|(early, late)| genesis.begins_with(*late) && !genesis.begins_with(*early));
    if let Some((early, late)) = gap {
        let (early, late_name) = (early.fact(), late.fact().name);
        let message = format!(
            "{late_name} is on in block 0, but {} is not: geth makes a block 0 of it that it cannot read",
            early.name
        );
        checker.error(
            &place(checker, late),
            message,
            format!("let {} begin with block 0 too: \"{}\": 0", early.name, early.key),
        );
    } else if young && genesis.excess_blob_gas.is_some() && !genesis.begins_with(Fork::Shanghai) {
        let message = format!(
            "geth from {KEEPS_EXCESS} on writes `excessBlobGas` into block 0 though Cancun is not on, and cannot read that block"
        );
        checker.error(&checker.key(&["excessBlobGas"]), message, "take it out");
    }
}

fn contracts(checker: &mut Checker) {
    let genesis = &checker.file.genesis;
    if genesis.engine != Engine::ProofOfStake {
        return;
    }
    let missing: Vec<String> = SYSTEM
        .iter()
        .filter(|(fork, address, _)| {
            genesis.forks.contains_key(fork) && genesis.alloc.get(address).is_none_or(|account| account.code.is_empty())
        })
        .map(|(_, address, what)| format!("{address} ({what})"))
        .collect();
    if !missing.is_empty() {
        let span = checker.key(&["alloc"]);
        let message = format!("contracts that forks of this file call are not there: {}", missing.join(", "));
        checker.warn(
            &span,
            message,
            "put them into `alloc` with the code of their EIPs, or deploy them before the fork begins",
        );
    }
}
