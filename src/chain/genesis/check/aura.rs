//! Aura's own settings: steps, validators, seal, built-in contracts.

use super::Checker;
use crate::chain::client::Version;
use crate::chain::genesis::forks::Target;
use crate::chain::genesis::json::{Data, Node};
use crate::chain::genesis::value;
use alloy_primitives::Address;

pub(super) fn check(checker: &mut Checker) {
    engine(checker);
    seal(checker);
    builtins(checker);
}

fn engine(checker: &mut Checker) {
    let path = ["engine", "authorityRound", "params"];
    let Some(params) = checker.node(&path) else {
        let span = checker.key(&["engine"]);
        checker.error(
            &span,
            "the engine has no `params`",
            "write {\"authorityRound\": {\"params\": {\"stepDuration\": \"5\", \"validators\": {\"list\": [...]}}}}",
        );
        return;
    };
    // A table from step to duration is allowed; its values are looked at by nobody but the client.
    match params.get("stepDuration").map(|node| (matches!(node.data, Data::Table(_)), value::small(node))) {
        None => {
            let span = checker.opening(params);
            checker.error(
                &span,
                "there is no `stepDuration`",
                "write \"stepDuration\": \"5\" for five seconds between blocks",
            );
        }
        Some((false, Ok(0) | Err(_))) => {
            let span = checker.span(&["engine", "authorityRound", "params", "stepDuration"]);
            checker.error(&span, "`stepDuration` is not a positive number of seconds", "write \"5\"");
        }
        Some(_) => {}
    }
    match params.get("validators") {
        None => {
            let span = checker.opening(params);
            checker.error(
                &span,
                "there are no `validators`: nobody can ever seal a block",
                "write \"validators\": {\"list\": [\"0x...\"]}",
            );
        }
        Some(set) => validators(checker, set),
    }
}

fn validators(checker: &mut Checker, set: &Node) {
    let kinds = ["list", "safeContract", "contract", "multi"];
    let place = checker.opening(set);
    let Some((key, node)) = set.entries().first().filter(|(key, _)| kinds.contains(&key.name.as_ref())) else {
        checker.error(
            &place,
            "the validators are neither a list nor a contract",
            "write {\"list\": [\"0x...\"]}, or name a contract as \"safeContract\" or \"contract\"",
        );
        return;
    };
    match (&*key.name, &node.data) {
        ("list", Data::List(items)) => {
            if items.is_empty() {
                checker.error(
                    &node.span(checker.file.source),
                    "the list of validators is empty: nobody can ever seal a block",
                    "list at least one address",
                );
            }
            let mut seen = Vec::new();
            for item in items {
                let span = item.span(checker.file.source);
                match item.as_text().map(value::address) {
                    Some(Ok(address)) if seen.contains(&address) => {
                        checker.error(&span, format!("the validator {address} is listed twice"), "list each once");
                    }
                    Some(Ok(Address::ZERO)) => checker.error(
                        &span,
                        "the zero address is a validator, and nobody has its key",
                        "put the address of a validator there",
                    ),
                    Some(Ok(address)) => {
                        if let Some(right) = value::has_wrong_checksum(item.as_text().unwrap_or_default(), address) {
                            checker.error(
                                &span,
                                "the checksum of this validator's address is wrong: a digit may be mistyped",
                                format!("if every digit is right, write {right}"),
                            );
                        }
                        seen.push(address);
                    }
                    Some(Err(wrong)) => checker.error(&span, wrong.message, wrong.help),
                    None => checker.error(&span, "a validator is an address", "write it as \"0x...\""),
                }
            }
        }
        ("multi", Data::Table(steps)) => {
            if !steps.iter().any(|(block, _)| &*block.name == "0") {
                checker.error(&place, "`multi` names no validators for block 0", "write \"0\": {\"list\": [...]}");
            }
            for (_, step) in steps {
                validators(checker, step);
            }
        }
        ("list" | "multi", _) => checker.error(
            &place,
            format!("`{}` is {}", key.name, value::show(node)),
            "a list is [...], `multi` a table from block to validators",
        ),
        _ => {
            if let Some(Err(wrong)) = node.as_text().map(value::address) {
                checker.error(&node.span(checker.file.source), wrong.message, wrong.help);
            }
        }
    }
}

fn seal(checker: &mut Checker) {
    let Some(block) = checker.node(&["genesis"]) else { return };
    let Some(aura) = &checker.file.genesis.aura else {
        let zeros = "0".repeat(130);
        let span = checker.opening(block);
        checker.error(
            &span,
            "block 0 has no seal of Aura",
            format!("write \"seal\": {{\"authorityRound\": {{\"step\": \"0x0\", \"signature\": \"0x{zeros}\"}}}}"),
        );
        return;
    };
    if aura.signature.len() != 65 {
        let span = checker.span(&["genesis", "seal", "authorityRound", "signature"]);
        checker.error(
            &span,
            format!("the signature has {} bytes, not 65", aura.signature.len()),
            "write 0x and 130 zeros",
        );
    }
}

fn builtins(checker: &mut Checker) {
    let Some(accounts) = checker.node(&["accounts"]) else { return };
    for (number, name) in [(1, "ecrecover"), (2, "sha256"), (3, "ripemd160"), (4, "identity")] {
        let has = accounts.entries().iter().any(|(key, node)| {
            value::address(&key.name).is_ok_and(|address| address == Address::with_last_byte(number))
                && node.get("builtin").is_some()
        });
        if !has {
            let span = checker.opening(accounts);
            checker.error(
                &span,
                format!("the built-in contract {name} is not at address {number}: contracts that call it fail"),
                "copy the accounts 1 to 9 of a file that `chainwright genesis build --engine aura` makes",
            );
        }
    }
    by_block(checker, accounts);
}

/// The first client that reads prices of built-in contracts by block.
const PRICES_BY_BLOCK: Version = Version(2, 7, 0);

fn by_block(checker: &mut Checker, accounts: &Node) {
    let Target::OpenEthereum(version) = checker.target else { return };
    let is_block = |name: &str| name.starts_with(|first: char| first.is_ascii_digit());
    let priced = accounts.entries().iter().find_map(|(_, node)| {
        let pricing = node.get("builtin")?.get("pricing")?;
        pricing.entries().iter().find(|(key, _)| is_block(&key.name))
    });
    if let Some((key, _)) = priced.filter(|_| version < PRICES_BY_BLOCK) {
        let message = format!("{} reads no prices of built-in contracts by block and refuses the file", checker.target);
        let help = format!("use OpenEthereum {PRICES_BY_BLOCK} or later, or write one price for each contract");
        checker.error(&key.span(checker.file.source), message, help);
    }
}
