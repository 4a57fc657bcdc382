//! Autonity: users or validators, operator and treasury, the periods. What no client here can confirm is not asserted.

use super::Checker;
use crate::chain::client::Version;
use crate::chain::genesis::forks::Target;
use crate::chain::genesis::json::{Data, Node};
use crate::chain::genesis::value;
use crate::chain::keys::address_of;
use crate::chain::{Enode, bft};
use alloy_primitives::{U256, hex};

pub(super) fn check(checker: &mut Checker) {
    let old = checker.node(&["config", "autonityContract"]);
    let young = checker.node(&["config", "autonity"]);
    if hex::encode_prefixed(checker.file.genesis.mix_hash) != bft::MIX_HASH {
        let span = checker.span(&["mixHash"]);
        let message = "the mix hash is not the one by which Autonity knows its blocks";
        checker.warn(&span, message, format!("write \"mixHash\": \"{}\"", bft::MIX_HASH));
    }
    let wanted = u8::from(young.is_none());
    if checker.file.genesis.difficulty != U256::from(wanted) {
        let span = checker.span(&["difficulty"]);
        checker.error(
            &span,
            format!("the difficulty must be {wanted} in this version's format"),
            format!("write \"{wanted:#x}\""),
        );
    }
    generation(checker, old.is_some(), young.is_some());
    match (old, young) {
        (Some(contract), _) => contract_of_07(checker, contract),
        (None, Some(contract)) => contract_of_14(checker, contract),
        (None, None) => {
            let span = checker.span(&["config"]);
            checker.error(
                &span,
                "`config` has `tendermint`, but no `autonityContract` with users",
                "write \"autonityContract\": {\"operator\": \"0x...\", \"users\": [...]}",
            );
        }
    }
}

/// 0.2 to 0.7 read `autonityContract`, 0.10 and later `autonity`; what those between read is not known here.
fn generation(checker: &mut Checker, old: bool, young: bool) {
    let Target::Autonity(version) = checker.target else { return };
    if !checker.target.is_one_version() {
        return;
    }
    let (name, span, right) = if young && version < Version(0, 8, 0) {
        (
            "autonity",
            checker.key(&["config", "autonity"]),
            "0.10.0 or later, or build the file of 0.7: `autonityContract`",
        )
    } else if old && !young && version >= YOUNG {
        (
            "autonityContract",
            checker.key(&["config", "autonityContract"]),
            "0.7.1, or build the file of 0.14: `autonity`",
        )
    } else {
        return;
    };
    let message = format!("{} does not read `{name}`: the file is of another generation", checker.target);
    checker.error(&span, message, format!("use Autonity {right}"));
}

/// The first version with `config.autonity`.
const YOUNG: Version = Version(0, 10, 0);
/// The first in which each validator has an oracle.
const ORACLES: Version = Version(0, 12, 0);
/// The first with BLS keys.
const CONSENSUS_KEYS: Version = Version(0, 13, 0);

/// One node is listed once.
fn once(checker: &mut Checker, seen: &mut Vec<String>, of: &str, user: &Node, node: &Enode) {
    if seen.contains(&node.public_key) {
        let span = user.get("enode").map_or_else(|| checker.opening(user), |node| node.span(checker.file.source));
        checker.error(&span, format!("this {of} is listed twice"), "list each once, with all of its stake");
    } else {
        seen.push(node.public_key.clone());
    }
}

fn address(checker: &mut Checker, table: &Node, name: &str) {
    let span = table.get(name).map_or_else(|| checker.opening(table), |node| node.span(checker.file.source));
    match table.get(name).and_then(Node::as_text).map(value::address) {
        Some(Ok(_)) => {}
        Some(Err(wrong)) => checker.error(&span, format!("`{name}`: {}", wrong.message), wrong.help),
        None => checker.error(&span, format!("there is no `{name}`"), format!("write \"{name}\": \"0x...\"")),
    }
}

fn enode(checker: &mut Checker, user: &Node) -> Option<Enode> {
    let span = user.get("enode").map_or_else(|| checker.opening(user), |node| node.span(checker.file.source));
    let Some(text) = user.get("enode").and_then(Node::as_text) else {
        checker.error(&span, "a validator has no `enode`", "write \"enode\": \"enode://...@HOST:30303\"");
        return None;
    };
    if text.starts_with("fqdn://") {
        checker.error(
            &span,
            "a name is not resolved yet: no release of Autonity reads fqdn://",
            "resolve it to enode://KEY@ADDRESS:PORT first",
        );
        return None;
    }
    match text.parse() {
        Ok(enode) => Some(enode),
        Err(failure) => {
            checker.error(&span, failure.message, failure.help.unwrap_or_default());
            None
        }
    }
}

fn items<'a, 'f>(table: &'a Node<'f>, name: &str) -> &'a [Node<'f>] {
    match table.get(name).map(|node| &node.data) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

fn contract_of_07(checker: &mut Checker, contract: &Node) {
    address(checker, contract, "operator");
    let users = items(contract, "users");
    let is = |user: &Node, kind: &str| user.get("type").and_then(Node::as_text) == Some(kind);
    if !users.iter().any(|user| is(user, "validator")) {
        let span = checker.opening(contract);
        checker.error(
            &span,
            "no user is a validator: nobody can ever propose a block",
            "give at least one user \"type\": \"validator\"",
        );
    }
    let mut seen = Vec::new();
    for user in users {
        let node = enode(checker, user);
        if let Some(node) = &node {
            once(checker, &mut seen, "user", user, node);
        }
        let kind = user.get("type").and_then(Node::as_text).unwrap_or_default();
        if !["participant", "stakeholder", "validator"].contains(&kind) {
            let span = checker.opening(user);
            checker.error(
                &span,
                format!("a user has the type `{kind}`"),
                "a user is a participant, a stakeholder or a validator",
            );
        }
        let stake = user.get("stake").map_or(Ok(U256::ZERO), value::number);
        if let (Some(node), Err(wrong)) = (user.get("stake"), &stake) {
            let message = format!("`stake`: {}", wrong.message);
            checker.error(&node.span(checker.file.source), message, "write a whole number, 0 or more");
        } else if kind == "participant" && stake != Ok(U256::ZERO) {
            let span = user.get("stake").map_or_else(|| checker.opening(user), |node| node.span(checker.file.source));
            checker.error(&span, "a participant has stake", "write 0, or make it a stakeholder");
        }
        if let (Some(enode), Some(named)) = (node, user.get("address"))
            && let Some(Ok(address)) = named.as_text().map(value::address)
        {
            let right = address_of(&hex::decode(&enode.public_key).unwrap_or_default());
            if right != address {
                checker.error(
                    &named.span(checker.file.source),
                    format!("this address is not that of the enode, {right}"),
                    "take `address` out: it follows from the enode",
                );
            }
        }
    }
}

fn contract_of_14(checker: &mut Checker, contract: &Node) {
    address(checker, contract, "operator");
    address(checker, contract, "treasury");
    let number = |name: &str| contract.get(name).and_then(|node| value::number(node).ok());
    if let (Some(epoch), Some(unbonding)) = (number("epochPeriod"), number("unbondingPeriod"))
        && unbonding <= epoch
    {
        let span = contract
            .get("unbondingPeriod")
            .map_or_else(|| checker.opening(contract), |node| node.span(checker.file.source));
        checker.error(
            &span,
            format!("the unbonding period, {unbonding} blocks, is not longer than an epoch, {epoch}"),
            format!("write more than {epoch}"),
        );
    }
    let validators = items(contract, "validators");
    if validators.is_empty() {
        let span = checker.opening(contract);
        checker.error(&span, "there are no `validators`: nobody can ever propose a block", "list at least one");
    }
    let since = |first| !matches!(checker.target, Target::Autonity(version) if version < first);
    let (oracles, keys) = (since(ORACLES), since(CONSENSUS_KEYS));
    let mut seen = Vec::new();
    for validator in validators {
        if let Some(node) = enode(checker, validator) {
            once(checker, &mut seen, "validator", validator, &node);
        }
        address(checker, validator, "treasury");
        if oracles {
            address(checker, validator, "oracleAddress");
        }
        let key = validator.get("consensusKey").filter(|_| keys);
        if keys && key.map(value::bytes).and_then(Result::ok).map(|bytes| bytes.len()) != Some(48) {
            let span = key.map_or_else(|| checker.opening(validator), |node| node.span(checker.file.source));
            checker.error(
                &span,
                "a validator has no `consensusKey` of 48 bytes",
                "write its public BLS key, as `autonity genAutonityKeys` prints it",
            );
        }
        if validator.get("bondedStake").and_then(|node| value::number(node).ok()).is_none_or(|stake| stake.is_zero()) {
            let span = validator
                .get("bondedStake")
                .map_or_else(|| checker.opening(validator), |node| node.span(checker.file.source));
            checker.error(&span, "a validator bonds no stake", "write \"bondedStake\": with at least 1");
        }
    }
}
