//! Chain specifications, whatever their engine: keys that OpenEthereum refuses and Nethermind passes over, what `params`
//! must hold, the order of the transitions, clients too old for one.
//!
//! The keys are those of OpenEthereum's `crates/ethjson/src/spec`, which refuses every other one, and of Nethermind's
//! `Nethermind.Specs/ChainSpecStyle`, which looks at no other one.

mod params;

use super::Checker;
use super::block::LEAST_GAS;
use super::keys::stranger;
use super::schedule::{Step, in_order};
use crate::base::Span;
use crate::chain::client::Version;
use crate::chain::genesis::build::TRANSITIONS;
use crate::chain::genesis::forks::{Fork, Target};
use crate::chain::genesis::json::{Data, Node, shorten};
use crate::chain::genesis::model::{Engine, Format};
use crate::chain::genesis::value;

/// Without these in `params` OpenEthereum does not start; Nethermind has numbers of its own.
const NEEDED: [(&str, &str); 4] = [
    ("networkID", "\"0xb6bd\""),
    ("maximumExtraDataSize", "\"0x20\""),
    ("minGasLimit", "\"0x1388\""),
    ("gasLimitBoundDivisor", "\"0x400\""),
];

const TOP: &[&str] = &["name", "dataDir", "engine", "params", "genesis", "accounts", "nodes"];

const BLOCK: &[&str] = &[
    "seal",
    "difficulty",
    "author",
    "timestamp",
    "parentHash",
    "gasLimit",
    "transactionsRoot",
    "receiptsRoot",
    "stateRoot",
    "gasUsed",
    "extraData",
    "baseFeePerGas",
];

/// Of Nethermind alone.
const BLOCK_OF_NETHERMIND: &[&str] =
    &["name", "dataDir", "stateUnavailable", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot"];

const ACCOUNT: &[&str] = &["builtin", "balance", "nonce", "code", "storage", "constructor"];

/// Keys of `params` that belong to no fork here, and the first OpenEthereum that has them.
const YOUNG: [(&str, Version); 3] = [
    ("wasmDisableTransition", Version(3, 1, 1)),
    ("validateServiceTransactionsTransition", Version(3, 3, 0)),
    ("eip3607Transition", Version(3, 3, 3)),
];

/// Blocks from here on are how specifications write "never": 0x7fffffffffffff and more.
const NEVER: u64 = 0x7f_ffff_ffff_ffff;

/// The transitions of which forks that begin at a time are made, for Nethermind.
const TIMED: [(Fork, &[&str]); 3] = [
    (
        Fork::Shanghai,
        &[
            "eip3651TransitionTimestamp",
            "eip3855TransitionTimestamp",
            "eip3860TransitionTimestamp",
            "eip4895TransitionTimestamp",
        ],
    ),
    (
        Fork::Cancun,
        &[
            "eip1153TransitionTimestamp",
            "eip4788TransitionTimestamp",
            "eip4844TransitionTimestamp",
            "eip5656TransitionTimestamp",
            "eip6780TransitionTimestamp",
        ],
    ),
    (
        Fork::Prague,
        &[
            "eip2537TransitionTimestamp",
            "eip2935TransitionTimestamp",
            "eip6110TransitionTimestamp",
            "eip7002TransitionTimestamp",
            "eip7251TransitionTimestamp",
            "eip7623TransitionTimestamp",
            "eip7702TransitionTimestamp",
        ],
    ),
];

/// The keys of a table: of both clients, of OpenEthereum alone, of Nethermind alone.
type Keys<'k> = [&'k [&'static str]; 3];

pub(super) fn check(checker: &mut Checker) {
    if checker.file.genesis.format != Format::Parity {
        return;
    }
    let file = checker.file;
    unknown(checker, &file.tree, "the file", [TOP, &[], &[]]);
    if file.genesis.engine == Engine::Unknown {
        let span = checker.key(&["engine"]);
        checker.error(&span, "the file names no engine that is known", "write \"engine\": {\"authorityRound\": {...}}");
    }
    if let Some(aura) = checker.node(&["engine", "authorityRound", "params"]) {
        let keys = [params::AURA, params::AURA_OF_OPEN_ETHEREUM, params::AURA_OF_NETHERMIND];
        unknown(checker, aura, "the engine's `params`", keys);
    }
    if let Some(block) = checker.node(&["genesis"]) {
        unknown(checker, block, "`genesis`", [BLOCK, &[], BLOCK_OF_NETHERMIND]);
    }
    for (_, account) in checker.node(&["accounts"]).map(Node::entries).unwrap_or_default() {
        unknown(checker, account, "an account", [ACCOUNT, &[], &[]]);
    }
    if let Some(table) = checker.node(&["params"]) {
        needed(checker, table);
        unknown(
            checker,
            table,
            "`params`",
            [params::PARAMS, params::PARAMS_OF_OPEN_ETHEREUM, params::PARAMS_OF_NETHERMIND],
        );
        transitions(checker, table);
    }
    least_gas(checker);
}

fn unknown(checker: &mut Checker, table: &Node, of: &str, [both, parity, nethermind]: Keys) {
    let refuses = matches!(checker.target, Target::OpenEthereum(_));
    let known = [both, if refuses { parity } else { nethermind }].concat();
    let is = |name: &str, key: &str| if refuses { name == key } else { name.eq_ignore_ascii_case(key) };
    for (key, _) in table.entries().iter().filter(|(key, _)| !known.iter().any(|name| is(name, &key.name))) {
        let span = key.span(checker.file.source);
        let near = params::meant(&key.name, &known);
        if refuses {
            let help = near.map_or_else(|| "take it out".to_owned(), |near| format!("did you mean `{near}`?"));
            let message = format!("{} knows no `{}` in {of} and refuses the file", checker.target, shorten(&key.name));
            checker.error(&span, message, help);
        } else if parity.iter().any(|name| is(name, &key.name)) {
            let message = format!("`{}` is for OpenEthereum alone: {} passes it over", key.name, checker.target);
            checker.warn(&span, message, "take it out, or let every node be OpenEthereum");
        } else if !(of == "`params`" && label(checker, &span, &key.name)) {
            stranger(checker, &span, &key.name, of, near);
        }
    }
}

/// Whether this is a whole fork in one key; told where the version is too old for such.
fn label(checker: &mut Checker, span: &Span, name: &str) -> bool {
    let Some((label, parts)) = params::LABELS.iter().find(|(label, _)| label.eq_ignore_ascii_case(name)) else {
        return false;
    };
    if checker.target.is_one_version() && matches!(checker.target, Target::Nethermind(v) if v <= params::LABELS_UNREAD)
    {
        let message = format!("{} does not read a whole fork from `{label}` and passes it over", checker.target);
        checker.error(span, message, format!("write its parts: {parts}"));
    }
    true
}

fn needed(checker: &mut Checker, params: &Node) {
    // A missing network id is told for every client.
    if matches!(checker.target, Target::Nethermind(_)) {
        return;
    }
    for (name, example) in NEEDED {
        if params.get(name).is_none() {
            let span = checker.opening(params);
            checker.error(
                &span,
                format!("`params` has no `{name}`, and OpenEthereum does not start without"),
                format!("write \"{name}\": {example}"),
            );
        }
    }
}

fn least_gas(checker: &mut Checker) {
    let limit = checker.file.genesis.gas_limit;
    let least = checker.node(&["params", "minGasLimit"]).map(value::small);
    if let Some(Ok(least)) = least
        && checker.node(&["genesis", "gasLimit"]).is_some_and(|node| value::small(node).is_ok())
        // Less than this is told for every client.
        && (LEAST_GAS..least).contains(&limit)
    {
        let span = checker.span(&["genesis", "gasLimit"]);
        checker.error(
            &span,
            format!("the gas limit is {limit}, below `minGasLimit`, {least}: every block with it is refused"),
            format!("write \"{least:#x}\" or more, or lower `minGasLimit`"),
        );
    }
}

/// A transition of a fork: its key, its block, its place.
struct Transition<'a> {
    fork: Fork,
    name: &'a str,
    at: u64,
    span: Span,
}

fn transitions(checker: &mut Checker, params: &Node) {
    let begins = |key: &str| key.ends_with("Transition") || key.ends_with("TransitionTimestamp");
    for (key, node) in params.entries().iter().filter(|(key, node)| begins(&key.name) && node.data != Data::Null) {
        if let Err(wrong) = value::small(node) {
            checker.error(&node.span(checker.file.source), format!("`{}`: {}", key.name, wrong.message), wrong.help);
        }
    }
    let mut there: Vec<Transition> = Vec::new();
    for (fork, names) in TRANSITIONS {
        let begin = there.len();
        for name in names.iter().filter(|name| name.starts_with("eip")) {
            let Some(node) = params.get(name) else { continue };
            let Ok(at) = value::small(node) else { continue };
            if at < NEVER {
                there.push(Transition { fork: *fork, name, at, span: node.span(checker.file.source) });
            }
        }
        there[begin..].sort_by_key(|transition| transition.at);
    }
    too_old(checker, params, &there);
    let steps: Vec<Step> =
        there.iter().map(|one| Step { name: one.name, at: one.at, span: one.span.clone() }).collect();
    in_order(checker, &steps);
    // A fork may stand in one key.
    if !params
        .entries()
        .iter()
        .any(|(key, _)| params::LABELS.iter().any(|(label, _)| label.eq_ignore_ascii_case(&key.name)))
    {
        holes(checker, params, &there);
    }
    // Left out it is 0, for OpenEthereum and Nethermind.
    if let Some(one) = there.iter().find(|one| one.name == "eip155Transition" && one.at > 0) {
        let message = format!("up to block {} transactions can be played again on other networks", one.at);
        checker.warn(&one.span, message, "write \"eip155Transition\": \"0x0\"");
    }
    let (reenable, istanbul) = (params.get("eip1283ReenableTransition"), params.get("eip1706Transition"));
    if params.get("eip1283DisableTransition").is_some() && reenable.map(value::small) != istanbul.map(value::small) {
        let span = checker.key(&["params", "eip1283ReenableTransition"]);
        checker.error(
            &span,
            "`eip1283ReenableTransition` and `eip1706Transition` differ: Nethermind refuses the file",
            "both are Istanbul: write one block for both",
        );
    }
    if istanbul.is_some()
        && matches!(checker.target, Target::Nethermind(_))
        && let Some((key, _)) = params.entry("eip2200Transition")
    {
        checker.error(
            &key.span(checker.file.source),
            "`eip2200Transition` and `eip1706Transition` stand there both: Nethermind refuses the file",
            "they are one: keep `eip1706Transition`, which OpenEthereum reads too",
        );
    }
}

fn too_old(checker: &mut Checker, params: &Node, there: &[Transition]) {
    let refuses = matches!(checker.target, Target::OpenEthereum(_));
    let consequence = if refuses { "refuses the file" } else { "passes them over" };
    let mut timed: Vec<Transition> = Vec::new();
    // To OpenEthereum they are unknown keys.
    for (fork, names) in TIMED.iter().filter(|_| !refuses) {
        for name in *names {
            let Some(node) = params.get(name) else { continue };
            if let Ok(at) = value::small(node) {
                timed.push(Transition { fork: *fork, name, at, span: node.span(checker.file.source) });
            }
        }
    }
    for fork in [Fork::Berlin, Fork::London, Fork::Shanghai, Fork::Cancun, Fork::Prague] {
        let of: Vec<&Transition> = there.iter().chain(&timed).filter(|one| one.fork == fork).collect();
        let Some(first) = of.first().filter(|_| !checker.target.knows(fork)) else { continue };
        let names: Vec<String> = of.iter().map(|one| format!("`{}`", one.name)).collect();
        let message =
            format!("{} does not know {} and {consequence}: {}", checker.target, fork.fact().name, names.join(", "));
        let help = match checker.target.first(fork) {
            Some(version) => format!("use {} {version} or later, or take them out", checker.target.name()),
            None => "take them out".to_owned(),
        };
        checker.error(&first.span, message, help);
    }
    let Target::OpenEthereum(version) = checker.target else { return };
    for (name, since) in YOUNG {
        if let Some((key, _)) = params.entry(name).filter(|_| version < since) {
            let message = format!("{} does not know `{name}` and refuses the file", checker.target);
            let help = format!("use OpenEthereum {since} or later, or take it out");
            checker.error(&key.span(checker.file.source), message, help);
        }
    }
}

/// What is missing before a later fork. EIP-1283 came and went: chains have it or not. The EIPs before Byzantium are on from
/// block 0 if nothing is written.
fn holes(checker: &mut Checker, params: &Node, there: &[Transition]) {
    for (fork, names) in TRANSITIONS.iter().filter(|(fork, _)| *fork >= Fork::Byzantium && *fork != Fork::Petersburg) {
        let eips: Vec<&str> =
            names.iter().copied().filter(|name| name.starts_with("eip") && !name.starts_with("eip1283")).collect();
        let missing: Vec<&str> = eips.iter().copied().filter(|name| params.get(name).is_none()).collect();
        let of = there.iter().find(|one| one.fork == *fork && eips.contains(&one.name));
        let later = there.iter().find(|one| one.fork > *fork && one.fork != Fork::Petersburg);
        let name = fork.fact().name;
        let write = |at: u64| {
            let entries: Vec<String> = missing.iter().map(|name| format!("\"{name}\": \"{at:#x}\"")).collect();
            format!("write {}", entries.join(", "))
        };
        match (of, later) {
            _ if missing.is_empty() => {}
            (Some(one), _) => {
                let list: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
                let message = format!("{name} is there only in part: without {}", list.join(", "));
                checker.warn(&one.span, message, write(one.at));
            }
            (None, Some(one)) => {
                let message = format!("`{}` stands without {name}, which comes before it", one.name);
                checker.error(&one.span, message, write(one.at));
            }
            (None, None) => {}
        }
    }
}
