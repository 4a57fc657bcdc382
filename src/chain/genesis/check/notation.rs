//! Values that can be understood, but not by this client: geth's reader wants quotes in one place and none in another.

use super::Checker;
use crate::chain::client::Version;
use crate::chain::genesis::forks::{Fork, Target};
use crate::chain::genesis::json::{Data, Node};
use crate::chain::genesis::model::Format;
use crate::chain::genesis::value;

/// The first geth that reads numbers of the block and of accounts without quotes.
const UNQUOTED: Version = Version(1, 11, 2);

pub(super) fn check(checker: &mut Checker) {
    match (checker.target, checker.file.genesis.format) {
        (Target::Geth(version), Format::Geth) => geth(checker, version),
        (Target::Besu(_), _) => besu(checker),
        _ => {}
    }
}

fn geth(checker: &mut Checker, version: Version) {
    let file = checker.file;
    let config = checker.node(&["config"]).map(Node::entries).unwrap_or_default();
    for (key, node) in config {
        let number = Fork::of_key(&key.name).is_some()
            || ["chainid", "terminaltotaldifficulty"].contains(&key.name.to_ascii_lowercase().as_str());
        // What is no number at all has been told.
        if let (true, Data::Text(_), Ok(digits)) = (number, &node.data, value::number(node)) {
            let message = format!("geth refuses `{}` in quotes: in `config` numbers have none", key.name);
            checker.error(&node.span(file.source), message, format!("write {digits}"));
        }
    }
    for name in ["period", "epoch"] {
        if let Some(node) = checker.node(&["config", "clique", name]) {
            bare(checker, &format!("clique.{name}"), node, "geth");
        }
    }
    for name in ["daoForkSupport", "terminalTotalDifficultyPassed"] {
        let Some(node) = checker.node(&["config", name]) else { continue };
        if !matches!(node.data, Data::Bool(_)) {
            let message = format!("geth refuses `{name}` as {}: it is true or false", value::show(node));
            checker.error(&node.span(file.source), message, "write true or false, without quotes");
        }
    }
    for name in ["extraData", "mixHash", "coinbase", "parentHash"] {
        if let Some(node) = checker.node(&[name]) {
            prefixed(checker, name, node);
        }
    }
    let numbers = [
        "nonce",
        "timestamp",
        "gasLimit",
        "difficulty",
        "number",
        "gasUsed",
        "baseFeePerGas",
        "excessBlobGas",
        "blobGasUsed",
    ];
    for name in numbers {
        if let Some(node) = checker.node(&[name]) {
            quoted(checker, version, name, node);
        }
    }
    for (address, account) in checker.node(&["alloc"]).map(Node::entries).unwrap_or_default() {
        if matches!(account.data, Data::Table(_)) && account.get("balance").is_none() {
            let message = format!("the account {} has no `balance`, and geth refuses that", address.name);
            checker.error(&address.span(file.source), message, "write \"balance\": \"0x0\" if it has none");
        }
        for name in ["balance", "nonce"] {
            if let Some(node) = account.get(name) {
                quoted(checker, version, name, node);
            }
        }
        if let Some(code) = account.get("code") {
            prefixed(checker, "code", code);
        }
        for (slot, value) in account.get("storage").map(Node::entries).unwrap_or_default() {
            let odd = |text: &str| text.len() % 2 == 1;
            if odd(&slot.name) || value.as_text().is_some_and(odd) {
                let message = format!("geth refuses the slot {}: a byte has two digits", slot.name);
                checker.error(&slot.span(file.source), message, "write a zero before the first digit");
            }
        }
    }
}

/// A number of Go's: digits alone, no quotes, no point, no exponent.
pub(super) fn bare(checker: &mut Checker, name: &str, node: &Node, reader: &str) {
    let file = checker.file;
    match (&node.data, value::small(node)) {
        (Data::Number(_), Ok(_)) => {}
        (_, Ok(number)) => checker.error(
            &node.span(file.source),
            format!("{reader} refuses `{name}` in quotes: numbers have none here"),
            format!("write {number}"),
        ),
        (_, Err(_)) => checker.error(
            &node.span(file.source),
            format!("{reader} refuses `{name}` as {}: it is a whole number", value::show(node)),
            "write digits alone, as 30000",
        ),
    }
}

fn prefixed(checker: &mut Checker, name: &str, node: &Node) {
    if node.as_text().is_some_and(|text| !text.is_empty() && !text.starts_with("0x")) {
        let message = format!("geth refuses `{name}` without 0x");
        checker.error(&node.span(checker.file.source), message, "write 0x before the digits");
    }
}

fn quoted(checker: &mut Checker, version: Version, name: &str, node: &Node) {
    if let (Data::Number(digits), true) = (&node.data, version < UNQUOTED) {
        let message = format!("geth before {UNQUOTED} refuses `{name}` without quotes");
        checker.error(&node.span(checker.file.source), message, format!("write \"{digits}\""));
    }
}

/// Besu takes the digits of these two for hexadecimal ones, with and without 0x.
fn besu(checker: &mut Checker) {
    for name in ["difficulty", "nonce"] {
        let Some(node) = checker.node(&[name]) else { continue };
        let digits = match &node.data {
            Data::Number(digits) => (*digits).to_owned(),
            Data::Text(text) if !text.starts_with("0x") => text.to_string(),
            _ => continue,
        };
        if digits.len() > 1
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.bytes().any(|byte| byte != b'0')
        {
            let message = format!("Besu reads `{name}` {digits} as 0x{digits}, whatever others do");
            let number: u128 = digits.parse().unwrap_or_default();
            checker.error(
                &node.span(checker.file.source),
                message,
                format!("write \"{number:#x}\", or \"0x{digits}\" if that is meant"),
            );
        }
    }
}
