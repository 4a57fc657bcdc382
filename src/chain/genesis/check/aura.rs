//! Chain specifications: what OpenEthereum refuses, what Nethermind does, and Aura's own settings.

use super::Checker;
use crate::base::diagnostic::did_you_mean;
use crate::chain::genesis::forks::Target;
use crate::chain::genesis::json::{Data, Node};
use crate::chain::genesis::value;

/// Without these in `params` OpenEthereum does not start.
const NEEDED: [(&str, &str); 4] = [
    ("networkID", "\"0xb6bd\""),
    ("maximumExtraDataSize", "\"0x20\""),
    ("minGasLimit", "\"0x1388\""),
    ("gasLimitBoundDivisor", "\"0x400\""),
];

const PARAMS: &[&str] = &[
    "accountStartNonce",
    "maximumExtraDataSize",
    "minGasLimit",
    "networkID",
    "chainID",
    "subprotocolName",
    "forkBlock",
    "forkCanonHash",
    "eip150Transition",
    "eip160Transition",
    "eip161abcTransition",
    "eip161dTransition",
    "eip98Transition",
    "eip155Transition",
    "validateChainIdTransition",
    "validateReceiptsTransition",
    "eip140Transition",
    "eip210Transition",
    "eip210ContractAddress",
    "eip210ContractCode",
    "eip210ContractGas",
    "eip211Transition",
    "eip145Transition",
    "eip214Transition",
    "eip658Transition",
    "eip1052Transition",
    "eip1283Transition",
    "eip1283DisableTransition",
    "eip1283ReenableTransition",
    "eip1014Transition",
    "eip1706Transition",
    "eip1344Transition",
    "eip1884Transition",
    "eip2028Transition",
    "eip2315Transition",
    "eip2929Transition",
    "eip2930Transition",
    "eip1559Transition",
    "eip3198Transition",
    "eip3529Transition",
    "eip3541Transition",
    "eip3607Transition",
    "dustProtectionTransition",
    "nonceCapIncrement",
    "removeDustContracts",
    "gasLimitBoundDivisor",
    "registrar",
    "applyReward",
    "nodePermissionContract",
    "maxCodeSize",
    "maxTransactionSize",
    "maxCodeSizeTransition",
    "transactionPermissionContract",
    "transactionPermissionContractTransition",
    "wasmActivationTransition",
    "wasmDisableTransition",
    "kip4Transition",
    "kip6Transition",
    "eip1559BaseFeeMaxChangeDenominator",
    "eip1559ElasticityMultiplier",
    "eip1559BaseFeeInitialValue",
    "eip1559BaseFeeMinValue",
    "eip1559BaseFeeMinValueTransition",
    "eip1559FeeCollector",
    "eip1559FeeCollectorTransition",
    "validateServiceTransactionsTransition",
    "terminalTotalDifficulty",
];

pub(super) fn check(checker: &mut Checker) {
    params(checker);
    engine(checker);
    seal(checker);
    builtins(checker);
}

fn params(checker: &mut Checker) {
    let Some(params) = checker.node(&["params"]) else { return };
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
    for (key, node) in params.entries() {
        if checker.target == Target::OpenEthereum && !PARAMS.contains(&key.name.as_ref()) {
            let help = did_you_mean(&key.name, PARAMS.iter().copied())
                .map_or_else(|| "take it out".to_owned(), |near| format!("did you mean `{near}`?"));
            checker.error(
                &key.span(checker.file.source),
                format!("OpenEthereum knows no `{}` and refuses the file", key.name),
                help,
            );
        } else if key.name.ends_with("Transition")
            && let Err(wrong) = value::small(node)
        {
            checker.error(&node.span(checker.file.source), format!("`{}`: {}", key.name, wrong.message), wrong.help);
        }
    }
    let (reenable, istanbul) =
        (checker.node(&["params", "eip1283ReenableTransition"]), checker.node(&["params", "eip1706Transition"]));
    if checker.node(&["params", "eip1283DisableTransition"]).is_some()
        && reenable.map(value::small) != istanbul.map(value::small)
    {
        let span = checker.key(&["params", "eip1283ReenableTransition"]);
        checker.error(
            &span,
            "`eip1283ReenableTransition` and `eip1706Transition` differ: Nethermind refuses the file",
            "both are Istanbul: write one block for both",
        );
    }
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
            value::address(&key.name).is_ok_and(|address| address == alloy_primitives::Address::with_last_byte(number))
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
}
