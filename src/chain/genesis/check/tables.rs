//! Keys inside the tables of `config` and inside accounts: a mistyped one there is passed over as silently as anywhere.
//!
//! Besu: `JsonBftConfigOptions`, `JsonQbftConfigOptions`, `BftFork`, `QbftFork`, `CliqueFork`; GoQuorum: `params/config.go`;
//! Autonity: `params/autonity_contract.go` of 0.7 and `params/protocol_contracts.go` of later ones.

use super::Checker;
use super::keys::unknown;
use super::notation::bare;
use crate::chain::client::Version;
use crate::chain::genesis::forks::Target;
use crate::chain::genesis::json::{Data, Node};
use crate::chain::genesis::value;

const BESU_BFT: &[&str] = &[
    "blockperiodseconds",
    "epochlength",
    "requesttimeoutseconds",
    "emptyblockperiodseconds",
    "xemptyblockperiodseconds",
    "xblockperiodmilliseconds",
    "gossipedhistorylimit",
    "messagequeuelimit",
    "duplicatemessagelimit",
    "futuremessageslimit",
    "futuremessagesmaxdistance",
    "miningbeneficiary",
    "blockreward",
    "validatorcontractaddress",
    "startblock",
];

/// Besu refuses these as texts; a period it reads from a text too.
const BESU_NUMBERS: &[&str] = &[
    "epochlength",
    "requesttimeoutseconds",
    "gossipedhistorylimit",
    "messagequeuelimit",
    "duplicatemessagelimit",
    "futuremessageslimit",
    "futuremessagesmaxdistance",
    "startblock",
];

const BESU_TRANSITION: &[&str] = &[
    "block",
    "validators",
    "blockperiodseconds",
    "emptyblockperiodseconds",
    "xemptyblockperiodseconds",
    "xblockperiodmilliseconds",
    "blockreward",
    "miningbeneficiary",
    "validatorselectionmode",
    "validatorcontractaddress",
];

const QUORUM_ISTANBUL: &[&str] = &["epoch", "policy", "ceil2Nby3Block", "testQBFTBlock"];

const QUORUM_BFT: &[&str] = &[
    "epochlength",
    "blockperiodseconds",
    "emptyblockperiodseconds",
    "requesttimeoutseconds",
    "policy",
    "ceil2Nby3Block",
    "validatorcontractaddress",
    "validators",
    "validatorselectionmode",
    "blockReward",
    "beneficiaryMode",
    "beneficiaryList",
    "miningBeneficiary",
    "maxRequestTimeoutSeconds",
];

const QUORUM_TRANSITION: &[&str] = &[
    "block",
    "algorithm",
    "epochlength",
    "blockperiodseconds",
    "emptyblockperiodseconds",
    "requesttimeoutseconds",
    "contractsizelimit",
    "validatorcontractaddress",
    "validators",
    "validatorselectionmode",
    "enhancedPermissioningEnabled",
    "privacyEnhancementsEnabled",
    "privacyPrecompileEnabled",
    "gasPriceEnabled",
    "miner.gaslimit",
    "2FPlus1Enabled",
    "transactionSizeLimit",
    "blockReward",
    "beneficiaryMode",
    "beneficiaryList",
    "miningBeneficiary",
    "maxRequestTimeoutSeconds",
];

const QUORUM_NUMBERS: &[&str] = &[
    "epoch",
    "policy",
    "ceil2Nby3Block",
    "testQBFTBlock",
    "epochlength",
    "blockperiodseconds",
    "emptyblockperiodseconds",
    "requesttimeoutseconds",
    "maxRequestTimeoutSeconds",
];

const TENDERMINT: &[&str] = &["policy", "block-period", "request-timeout", "epoch"];
const CONTRACT_OF_07: &[&str] = &["bytecode", "abi", "minGasPrice", "operator", "deployer", "users"];
const USER: &[&str] = &["address", "enode", "type", "stake"];

const CONTRACT_OF_14: &[&str] = &[
    "bytecode",
    "abi",
    "minBaseFee",
    "epochPeriod",
    "unbondingPeriod",
    "blockPeriod",
    "maxCommitteeSize",
    "maxScheduleDuration",
    "operator",
    "treasury",
    "withheldRewardsPool",
    "treasuryFee",
    "delegationRate",
    "withholdingThreshold",
    "proposerRewardRate",
    "oracleRewardRate",
    "initialInflationReserve",
    "validators",
    "schedules",
];

const VALIDATOR: &[&str] = &[
    "treasury",
    "nodeAddress",
    "oracleAddress",
    "enode",
    "commissionRate",
    "bondedStake",
    "unbondingStake",
    "unbondingShares",
    "selfBondedStake",
    "selfUnbondingStake",
    "selfUnbondingShares",
    "selfUnbondingStakeLocked",
    "liquidStateContract",
    "liquidSupply",
    "registrationBlock",
    "totalSlashed",
    "jailReleaseBlock",
    "consensusKey",
    "pop",
    "state",
];

const ORACLE: &[&str] = &[
    "bytecode",
    "abi",
    "symbols",
    "votePeriod",
    "outlierDetectionThreshold",
    "outlierSlashingThreshold",
    "baseSlashingRate",
];

const ACCOUNTABILITY: &[&str] = &[
    "innocenceProofSubmissionWindow",
    "baseSlashingRateLow",
    "baseSlashingRateMid",
    "baseSlashingRateHigh",
    "collusionFactor",
    "historyFactor",
    "jailFactor",
    "slashingRatePrecision",
];

/// The last three are for people and tools.
const ACCOUNT: &[&str] = &["balance", "nonce", "code", "storage", "secretKey", "privateKey", "comment"];

pub(super) fn check(checker: &mut Checker) {
    match checker.target {
        Target::Besu(_) => besu(checker),
        Target::Quorum(_) => quorum(checker),
        Target::Autonity(_) => autonity(checker),
        Target::Geth(_) | Target::OpenEthereum(_) | Target::Nethermind(_) => {}
    }
    for (_, account) in checker.node(&["alloc"]).map(Node::entries).unwrap_or_default() {
        unknown(checker, account, "an account", ACCOUNT);
    }
}

fn items<'a, 'f>(node: &'a Node<'f>) -> &'a [Node<'f>] {
    match &node.data {
        Data::List(items) => items,
        _ => &[],
    }
}

fn numbers(checker: &mut Checker, table: &Node, of: &str, names: &[&str]) {
    let reader = checker.target.name();
    for name in names {
        if let Some(node) = table.get(name) {
            bare(checker, &format!("{of}.{name}"), node, reader);
        }
    }
}

/// A change of settings on the way.
fn transition(checker: &mut Checker, step: &Node, known: &[&str]) {
    unknown(checker, step, "a transition", known);
    if step.get("block").is_none() {
        let span = checker.opening(step);
        let message = format!("a transition has no `block`, and {} refuses that", checker.target.name());
        checker.error(&span, message, "write \"block\": with the number of the block from which on it holds");
    }
    numbers(checker, step, "transitions", &["block"]);
}

fn besu(checker: &mut Checker) {
    for name in ["qbft", "ibft2"] {
        if let Some(table) = checker.node(&["config", name]) {
            unknown(checker, table, &format!("`{name}`"), BESU_BFT);
            numbers(checker, table, name, BESU_NUMBERS);
            empty_blocks(checker, table);
        }
    }
    if let Some(table) = checker.node(&["config", "clique"]) {
        numbers(checker, table, "clique", &["epochlength"]);
    }
    let Some(transitions) = checker.node(&["config", "transitions"]) else { return };
    unknown(checker, transitions, "`transitions`", &["qbft", "ibft2", "clique"]);
    for (key, steps) in transitions.entries() {
        let clique = key.name.eq_ignore_ascii_case("clique");
        let known = if clique { &["block", "blockperiodseconds", "createemptyblocks"] } else { BESU_TRANSITION };
        for step in items(steps) {
            transition(checker, step, known);
            empty_blocks(checker, step);
        }
    }
}

/// Besu's period for blocks without transactions was an experiment with another name at first: its changelog of 24.10.0 (pull
/// request 6965) and of 26.5.0 (10264).
fn empty_blocks(checker: &mut Checker, table: &Node) {
    let Target::Besu(version) = checker.target else { return };
    let span = |name: &str| table.entry(name).map(|(key, _)| key.span(checker.file.source));
    let (trial, stable) = (span("xemptyblockperiodseconds"), span("emptyblockperiodseconds"));
    let (tried_since, stable_since) = (Version(24, 10, 0), Version(26, 5, 0));
    if version < tried_since {
        for (name, span) in [("xemptyblockperiodseconds", trial), ("emptyblockperiodseconds", stable)] {
            let Some(span) = span else { continue };
            let message = format!("{} does not know `{name}` and passes it over", checker.target);
            checker.error(&span, message, format!("use Besu {tried_since} or later, or take it out"));
        }
    } else if let Some(span) = stable.filter(|_| version < stable_since) {
        let message = format!("{} knows `emptyblockperiodseconds` by another name and passes it over", checker.target);
        let help = format!("write `xemptyblockperiodseconds`, or use Besu {stable_since} or later");
        checker.error(&span, message, help);
    }
}

fn quorum(checker: &mut Checker) {
    for (name, known) in [("istanbul", QUORUM_ISTANBUL), ("ibft", QUORUM_BFT), ("qbft", QUORUM_BFT)] {
        let Some(table) = checker.node(&["config", name]) else { continue };
        unknown(checker, table, &format!("`{name}`"), known);
        numbers(checker, table, name, QUORUM_NUMBERS);
        if let Some(node) = table.get("policy")
            && let Ok(policy) = value::small(node)
            && policy > 1
        {
            let message = format!("GoQuorum has no way {policy} to choose who proposes");
            let help = "write 0, in turn, or 1, the same until it fails";
            checker.error(&node.span(checker.file.source), message, help);
        }
    }
    if let Some(table) = checker.node(&["config", "clique"]) {
        numbers(checker, table, "clique", &["period", "epoch", "allowedFutureBlockTime"]);
    }
    for step in checker.node(&["config", "transitions"]).map(items).unwrap_or_default() {
        transition(checker, step, QUORUM_TRANSITION);
    }
}

fn autonity(checker: &mut Checker) {
    for (name, known, inner) in [
        ("tendermint", TENDERMINT, None),
        ("autonityContract", CONTRACT_OF_07, Some(("users", "a user", USER))),
        ("autonity", CONTRACT_OF_14, Some(("validators", "a validator", VALIDATOR))),
        ("oracle", ORACLE, None),
        ("accountability", ACCOUNTABILITY, None),
    ] {
        let Some(table) = checker.node(&["config", name]) else { continue };
        unknown(checker, table, &format!("`{name}`"), known);
        let Some((list, of, known)) = inner else { continue };
        for item in table.get(list).map(items).unwrap_or_default() {
            unknown(checker, item, of, known);
        }
    }
}
