//! The accounts: mistyped addresses, money where nobody can spend it, what is in the hash and was not meant.

use super::Checker;
use crate::base::Diagnostic;
use crate::chain::genesis::Account;
use crate::chain::genesis::json::Node;
use crate::chain::genesis::model::{Engine, Format};
use crate::chain::genesis::value;
use alloy_primitives::{Address, U256};

/// The largest code that a contract may have since Spurious Dragon.
const LARGEST_CODE: usize = 24_576;

/// The addresses of precompiled contracts that a fork of this or the coming years brings: 0x01 to 0x11, and 0x0100.
fn precompiled(address: Address) -> bool {
    let (head, tail) = address.as_slice().split_at(18);
    head.iter().all(|byte| *byte == 0) && matches!(tail, [0, 1..=0x11] | [1, 0])
}

pub(super) fn check(checker: &mut Checker) {
    let file = checker.file;
    let spec = file.genesis.format == Format::Parity;
    let name = if spec { "accounts" } else { "alloc" };
    let mut total = Some(U256::ZERO);
    let mut spendable = false;
    for (key, node) in checker.node(&[name]).map(Node::entries).unwrap_or_default() {
        let Ok(address) = value::address(&key.name) else { continue };
        let span = key.span(file.source);
        if let Some(right) = value::has_wrong_checksum(&key.name, address) {
            let message = "the checksum of this address is wrong: a digit may be mistyped, and its money lost";
            checker.error(&span, message, format!("if every digit is right, write {right}"));
        }
        let Some(account) = file.genesis.alloc.get(&address) else { continue };
        let inside = |mistake: &Diagnostic| {
            mistake.span.as_ref().is_some_and(|span| (node.start as usize..node.end as usize).contains(&span.start))
        };
        total = total.and_then(|total| total.checked_add(account.balance));
        if precompiled(address) {
            if !account.code.is_empty() || !account.storage.is_empty() {
                checker.error(
                    &span,
                    format!("{address} is a precompiled contract: its code never runs"),
                    "take `code` and `storage` out",
                );
            } else if account.balance > U256::ONE {
                checker.warn(
                    &span,
                    format!("{address} is a precompiled contract: nobody can spend what it holds"),
                    "give it 1 wei or nothing",
                );
            }
        } else {
            spendable |= !account.balance.is_zero();
            if *account == Account::default()
                && !file.mistakes.iter().any(inside)
                && !file.genesis.constructors.contains(&address)
            {
                checker.warn(
                    &span,
                    format!("the account {address} holds nothing, but changes the hash of block 0"),
                    "take it out, if no node has this genesis yet",
                );
            }
        }
        if address == Address::ZERO && !account.balance.is_zero() {
            checker.warn(&span, "the zero address has money that nobody can spend", "take it out");
        }
        if account.code.len() > LARGEST_CODE {
            checker.warn(
                &span,
                format!(
                    "the code of {address} has {} bytes; the largest that can be deployed has {LARGEST_CODE}",
                    account.code.len()
                ),
                "is it the code that runs, not the one that deploys it?",
            );
        }
        for secret in ["secretKey", "privateKey"] {
            if let Some((key, _)) = node.entry(secret) {
                let span = key.span(file.source);
                checker.warn(
                    &span,
                    format!("the private key of {address} stands here, and everybody who gets the file has it"),
                    "take it out; no client needs it",
                );
            }
        }
    }
    let place = checker.key(&[name]);
    if total.is_none() {
        checker.warn(
            &place,
            "the balances add up to more than 256 bits",
            "no client minds, but what is bought with it?",
        );
    }
    let free = file.genesis.settings.get("zerobasefee").is_some_and(|value| value == "true");
    let rewarded = matches!(file.genesis.engine, Engine::Ethash | Engine::Unknown | Engine::Autonity);
    if !spendable && !free && !rewarded && checker.node(&[name]).is_some() && file.mistakes.is_empty() {
        checker.warn(
            &place,
            "no account has any money, and the engine mints none: nobody can pay for gas",
            "give at least one account a balance",
        );
    }
}
