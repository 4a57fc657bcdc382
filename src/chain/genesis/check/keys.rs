//! Keys that the client passes over without a word: mistyped ones, those of other clients, those of later versions.

use super::Checker;
use crate::base::diagnostic::did_you_mean;
use crate::chain::client::Version;
use crate::chain::genesis::forks::{FORKS, Fork, Target};
use crate::chain::genesis::json::{Data, Node};
use crate::chain::genesis::model::Format;

const BLOCK: &[&str] = &[
    "config",
    "nonce",
    "timestamp",
    "extraData",
    "gasLimit",
    "difficulty",
    "mixHash",
    "coinbase",
    "alloc",
    "number",
    "gasUsed",
    "parentHash",
    "baseFeePerGas",
    "excessBlobGas",
    "blobGasUsed",
];

/// Beside the forks.
const GETH_CONFIG: &[&str] = &[
    "chainId",
    "daoForkSupport",
    "eip150Hash",
    "ethash",
    "clique",
    "terminalTotalDifficulty",
    "terminalTotalDifficultyPassed",
    "depositContractAddress",
    "blobSchedule",
    "isDev",
    "ewasmBlock",
    "catalystBlock",
    "mergeForkBlock",
    "verkleTime",
    "enableVerkleAtGenesis",
    "ubtTime",
    "enableUBTAtGenesis",
];

const BESU_CONFIG: &[&str] = &[
    "qbft",
    "ibft2",
    "transitions",
    "discovery",
    "checkpoint",
    "ecCurve",
    "zeroBaseFee",
    "fixedBaseFee",
    "contractSizeLimit",
    "evmStackSize",
    "isQuorum",
    "qip714Block",
    "preMergeForkBlock",
    "parisBlock",
    "terminalBlockNumber",
    "terminalBlockHash",
    "futureEipsTime",
    "experimentalEipsTime",
    "cancunEOFTime",
    "constantinopleFixBlock",
    "withdrawalRequestContractAddress",
    "consolidationRequestContractAddress",
];

const QUORUM_CONFIG: &[&str] = &[
    "istanbul",
    "ibft",
    "qbft",
    "transitions",
    "isQuorum",
    "txnSizeLimit",
    "maxCodeSize",
    "maxCodeSizeConfig",
    "maxCodeSizeChangeBlock",
    "qip714Block",
    "privacyEnhancementsBlock",
    "privacyPrecompileBlock",
    "isMPS",
    "enableGasPriceBlock",
    "yoloV3Block",
];

pub(super) fn check(checker: &mut Checker) {
    let file = checker.file;
    if matches!(file.genesis.format, Format::Parity) {
        return;
    }
    let mut block = BLOCK.to_vec();
    match checker.target {
        Target::Besu(_) => block.extend(["parentBeaconBlockRoot", "gasTarget"]),
        Target::Geth(version) if version >= Version(1, 17, 1) => block.push("slotNumber"),
        Target::Autonity(_) => block.push("baseFee"),
        _ => {}
    }
    unknown(checker, &file.tree, "the genesis", &block);
    if let Some(config) = checker.node(&["config"]) {
        settings(checker, config);
    }
    if let Some(clique) = checker.node(&["config", "clique"]) {
        let known: &[&str] = match checker.target {
            Target::Besu(_) => &["blockperiodseconds", "epochlength", "createemptyblocks", "period", "epoch"],
            Target::Quorum(_) => &["period", "epoch", "allowedFutureBlockTime"],
            _ => &["period", "epoch"],
        };
        for (key, _) in clique.entries() {
            let geth = match key.name.to_ascii_lowercase().as_str() {
                "blockperiodseconds" => "period",
                "epochlength" => "epoch",
                _ => continue,
            };
            if !known.contains(&"blockperiodseconds") {
                let message = format!("`{}` is Besu's name; {} passes it over", key.name, checker.target);
                checker.error(&key.span(file.source), message, format!("write `{geth}`"));
            }
        }
        let mut known = known.to_vec();
        known.extend(["blockperiodseconds", "epochlength"]);
        unknown(checker, clique, "`clique`", &known);
    }
}

fn settings(checker: &mut Checker, config: &Node) {
    let file = checker.file;
    let mut known = GETH_CONFIG.to_vec();
    match checker.target {
        Target::Besu(_) => known.extend(BESU_CONFIG),
        Target::Quorum(_) => known.extend(QUORUM_CONFIG),
        Target::Autonity(_) => {
            known.extend([
                "autonity",
                "autonityContract",
                "tendermint",
                "oracle",
                "accountability",
                "asm",
                "inflationController",
            ]);
        }
        Target::Nethermind(_) | Target::OpenEthereum(_) | Target::Geth(_) => {}
    }
    for (key, _) in config.entries().iter().filter(|(_, node)| node.data != Data::Null) {
        if let Some(fork) = Fork::of_key(&key.name) {
            if !matches!(checker.target, Target::Besu(_)) && !fork.fact().key.eq_ignore_ascii_case(&key.name) {
                let message = format!("`{}` is Besu's name; {} passes it over", key.name, checker.target);
                checker.error(&key.span(file.source), message, format!("write `{}`", fork.fact().key));
            } else if !checker.target.knows(fork) {
                too_old(checker, fork, &key.span(file.source));
            }
            continue;
        }
        if !known.iter().any(|name| name.eq_ignore_ascii_case(&key.name)) && !of_another(checker, &key.name) {
            let forks = FORKS.iter().map(|fact| fact.key);
            let near = did_you_mean(&key.name, known.iter().copied().chain(forks));
            stranger(checker, &key.span(file.source), &key.name, "`config`", near);
        }
    }
}

/// Engines of other clients have been told by [`Checker::fits`].
fn of_another(checker: &Checker, name: &str) -> bool {
    let engines = ["qbft", "ibft2", "ibft", "istanbul", "autonity", "autonityContract", "tendermint"];
    let others = BESU_CONFIG.iter().chain(QUORUM_CONFIG).chain(&engines);
    let format = checker.file.genesis.format;
    format != Format::Geth && others.into_iter().any(|other| other.eq_ignore_ascii_case(name))
}

fn too_old(checker: &mut Checker, fork: Fork, span: &crate::base::Span) {
    let (fact, genesis) = (fork.fact(), &checker.file.genesis);
    let at = genesis.forks.get(&fork).copied().unwrap_or_default();
    let consequence = if genesis.begins_with(fork) {
        let hash = if [Fork::London, Fork::Shanghai, Fork::Cancun, Fork::Prague, Fork::Amsterdam].contains(&fork) {
            "it computes another block 0 than newer clients"
        } else {
            "it plays by other rules from the first block on"
        };
        hash.to_owned()
    } else {
        format!("it leaves the chain at {} {at}", if fork.timed() { "time" } else { "block" })
    };
    let message =
        format!("{} does not know {} and passes `{}` over: {consequence}", checker.target, fact.name, fact.key);
    let help = match checker.target.first(fork) {
        Some(first) => format!("use {} {first} or later, or take `{}` out", checker.target.name(), fact.key),
        None => format!("take `{}` out", fact.key),
    };
    checker.error(span, message, help);
}

pub(super) fn unknown(checker: &mut Checker, table: &Node, of: &str, known: &[&str]) {
    for (key, _) in table.entries().iter().filter(|(_, node)| node.data != Data::Null) {
        if !known.iter().any(|name| name.eq_ignore_ascii_case(&key.name)) {
            let near = did_you_mean(&key.name, known.iter().copied());
            stranger(checker, &key.span(checker.file.source), &key.name, of, near);
        }
    }
}

pub(super) fn stranger(checker: &mut Checker, span: &crate::base::Span, name: &str, of: &str, near: Option<&str>) {
    let name = crate::chain::genesis::json::shorten(name);
    let message = format!("{} knows no `{name}` in {of} and passes it over", checker.target);
    match near {
        Some(near) => checker.error(span, message, format!("did you mean `{near}`?")),
        None => checker.warn(span, message, "take it out, or check with the client that it is for"),
    }
}
