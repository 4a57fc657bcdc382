//! Chain id, gas limit, difficulty, total difficulty and the other fields of block 0.

use super::Checker;
use crate::chain::client::{LAST_CLIQUE, Version};
use crate::chain::genesis::forks::{Fork, Target};
use crate::chain::genesis::model::{Engine, Format};
use crate::chain::genesis::networks;
use alloy_primitives::{B256, U256};

/// The least gas limit that any client accepts in the next block.
pub(super) const LEAST_GAS: u64 = 5000;
/// A wallet in a browser computes with numbers up to here.
const WALLETS: u64 = 4_503_599_627_370_476;

pub(super) fn check(checker: &mut Checker) {
    chain_id(checker);
    gas_limit(checker);
    difficulty(checker);
    total_difficulty(checker);
    rest(checker);
}

fn chain_id(checker: &mut Checker) {
    let genesis = &checker.file.genesis;
    let spec = genesis.format == Format::Parity;
    let path: &[&str] = match (spec, checker.node(&["params", "chainID"])) {
        (false, _) => &["config", "chainId"],
        (true, Some(_)) => &["params", "chainID"],
        (true, None) => &["params", "networkID"],
    };
    let place = checker.span(path);
    let Some(id) = genesis.chain_id else {
        if checker.node(path).is_none() && checker.node(&path[..1]).is_some() {
            let name = path[1];
            checker.error(
                &place,
                format!("there is no `{name}`: no transaction could be signed for this network alone"),
                format!("write \"{name}\": with a number that no other network has"),
            );
        }
        return;
    };
    let Ok(id) = u64::try_from(id) else {
        checker.error(&place, "the chain id has more than 64 bits", "choose one below 4503599627370476");
        return;
    };
    if id == 0 {
        checker.error(&place, "the chain id is 0", "choose one that no other network has");
    } else if let Some(name) = networks::public(id) {
        let message = format!("{id} is the chain id of {name}: transactions of one network are valid in the other");
        checker.warn(&place, message, "choose one that no other network has");
    } else if let Some(name) = networks::development(id) {
        let message = format!("{id} is the chain id that {name} take for everybody's development network");
        checker.warn(&place, message, "choose one that no other network has");
    } else if id > WALLETS {
        let message = format!("wallets in browsers cannot compute with the chain id {id}");
        checker.warn(&place, message, format!("choose one up to {WALLETS}"));
    }
}

fn gas_limit(checker: &mut Checker) {
    let path: &[&str] =
        if checker.file.genesis.format == Format::Parity { &["genesis", "gasLimit"] } else { &["gasLimit"] };
    let limit = checker.file.genesis.gas_limit;
    if checker.node(path).is_none_or(|node| crate::chain::genesis::value::small(node).is_err()) {
        return;
    }
    let place = checker.span(path);
    if limit == 0 {
        checker.warn(
            &place,
            "the gas limit is 0, for which geth takes 4712388",
            "write the limit that is meant: \"0x1c9c380\" is 30 million",
        );
    } else if limit < LEAST_GAS {
        checker.error(
            &place,
            format!("the gas limit is {limit}; every client refuses block 1 with less than {LEAST_GAS}"),
            "write \"0x1c9c380\" for 30 million",
        );
    } else if limit < 21_000 {
        checker.warn(
            &place,
            format!("the gas limit is {limit}; no transaction fits into a block"),
            "a transfer takes 21000 gas; write \"0x1c9c380\" for 30 million",
        );
    } else if limit > i64::MAX as u64 {
        checker.error(
            &place,
            format!("the gas limit is {limit}; clients refuse more than {}", i64::MAX),
            "write \"0x1fffffffffffff\" for a limit that no block reaches",
        );
    }
}

fn difficulty(checker: &mut Checker) {
    let genesis = &checker.file.genesis;
    let wanted = match genesis.engine {
        Engine::Clique | Engine::Qbft | Engine::Ibft2 | Engine::Istanbul if genesis.format != Format::Parity => 1,
        Engine::ProofOfStake => 0,
        _ => return,
    };
    let given = genesis.difficulty;
    if checker.node(&["difficulty"]).is_some() && given != U256::from(wanted) {
        let place = checker.span(&["difficulty"]);
        let engine = genesis.engine.name();
        let message = format!("the difficulty is {given}; with {engine} block 0 usually has {wanted}");
        checker.warn(&place, message, format!("write \"{wanted:#x}\""));
    }
}

fn total_difficulty(checker: &mut Checker) {
    let genesis = &checker.file.genesis;
    let ttd = genesis.terminal_total_difficulty;
    let place = checker.key(&["config", "terminalTotalDifficulty"]);
    if genesis.engine == Engine::Clique
        && genesis.format == Format::Geth
        && let Some(ttd) = ttd
    {
        let when = if ttd.is_zero() {
            "from block 1 on".to_owned()
        } else {
            format!("at a total difficulty of {ttd}, after {} blocks or more,", ttd / U256::from(2))
        };
        let message =
            format!("{when} this network expects its blocks from a consensus client, and no signer seals any more");
        checker.error(&place, message, "take `terminalTotalDifficulty` out of a Clique network");
    }
    let Target::Geth(version) = checker.target else { return };
    if genesis.format != Format::Geth || version < Version(1, 14, 0) {
        return;
    }
    if genesis.engine == Engine::Clique {
        let engine = checker.key(&["config", "clique"]);
        let message = format!("{} does not seal with Clique; {LAST_CLIQUE} is the last geth that does", checker.target);
        checker.error(&engine, message, format!("use geth {LAST_CLIQUE}, or an engine that goes on: QBFT with Besu"));
    } else if ttd.is_none() {
        let message = format!(
            "{} runs only networks that have merged, and refuses a file without `terminalTotalDifficulty`",
            checker.target
        );
        checker.error(&place, message, "write \"terminalTotalDifficulty\": 0, and run a consensus client beside it");
    }
}

fn rest(checker: &mut Checker) {
    let genesis = &checker.file.genesis;
    if genesis.format == Format::Parity {
        return;
    }
    if genesis.number != 0 {
        let place = checker.span(&["number"]);
        checker.error(&place, format!("`number` is {}; clients make no block 0 of it", genesis.number), "take it out");
    }
    if genesis.parent_hash != B256::ZERO {
        let place = checker.span(&["parentHash"]);
        checker.warn(&place, "block 0 has a parent", "take `parentHash` out");
    }
    if genesis.gas_used != 0 {
        let place = checker.span(&["gasUsed"]);
        checker.warn(&place, "block 0 has used gas without a transaction", "take `gasUsed` out");
    }
    if genesis.base_fee.is_some() && !genesis.begins_with(Fork::London) {
        let place = checker.key(&["baseFeePerGas"]);
        let message = "there is a base fee, but London does not begin with block 0: newer clients put the fee into the block, \
                       older ones do not, and they are two networks";
        checker.warn(&place, message, "take `baseFeePerGas` out, or let `londonBlock` be 0");
    }
    for name in ["excessBlobGas", "blobGasUsed"] {
        if checker.node(&[name]).is_some() && !genesis.begins_with(Fork::Cancun) {
            let place = checker.key(&[name]);
            let message = format!(
                "there is `{name}`, but Cancun does not begin with block 0: some versions pass it over, some do not"
            );
            checker.warn(&place, message, "take it out");
        }
    }
}
