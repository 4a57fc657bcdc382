//! QBFT, IBFT 2.0 and Istanbul: the validators in the extra data, the mix hash, the settings.

use super::Checker;
use super::clique::signers_are_sound;
use crate::chain::bft;
use crate::chain::client::Version;
use crate::chain::genesis::forks::{Fork, Target};
use crate::chain::genesis::model::{Engine, Format};
use crate::chain::genesis::value;
use alloy_primitives::hex;

pub(super) fn check(checker: &mut Checker) {
    let genesis = &checker.file.genesis;
    let (engine, format) = (genesis.engine, genesis.format);
    let name = match engine {
        Engine::Qbft => "qbft",
        Engine::Ibft2 => "ibft2",
        _ if checker.node(&["config", "istanbul"]).is_some() => "istanbul",
        _ => "ibft",
    };
    extra_data(checker, name);
    if hex::encode_prefixed(genesis.mix_hash) != bft::MIX_HASH {
        let place = checker.span(&["mixHash"]);
        let message = format!("the mix hash is not the one by which {} know their blocks", engine.name());
        let help = format!("write \"mixHash\": \"{}\"", bft::MIX_HASH);
        if format == Format::Quorum {
            checker.error(&place, message, help);
        } else {
            checker.warn(&place, message, help);
        }
    }
    if format == Format::Quorum {
        quorum(checker);
    } else {
        besu(checker, name);
        shanghai(checker);
    }
}

/// The first Besu whose QBFT and IBFT 2.0 seal Shanghai: its changelog of 24.3.0, pull request 6353.
const SEALS_SHANGHAI: Version = Version(24, 3, 0);

fn shanghai(checker: &mut Checker) {
    let Target::Besu(version) = checker.target else { return };
    // An older one does not know the fork at all, which is told with its key.
    if version >= SEALS_SHANGHAI || !checker.target.knows(Fork::Shanghai) {
        return;
    }
    let genesis = &checker.file.genesis;
    let Some(fork) = genesis.forks.keys().copied().find(|fork| fork.timed() && checker.target.knows(*fork)) else {
        return;
    };
    let message = format!("{} cannot seal {} with {}", checker.target, fork.fact().name, genesis.engine.name());
    let help = format!("use Besu {SEALS_SHANGHAI} or later, or take `{}` out", fork.fact().key);
    checker.error(&checker.key(&["config", fork.fact().key]), message, help);
}

fn extra_data(checker: &mut Checker, name: &str) {
    let place = checker.span(&["extraData"]);
    if checker.node(&["config", name, "validatorcontractaddress"]).is_some() {
        return;
    }
    if checker.node(&["extraData"]).is_some_and(|node| value::bytes(node).is_err()) {
        return;
    }
    let validators = checker.file.genesis.validators();
    if validators.is_empty() {
        let genesis = &checker.file.genesis;
        let other = [
            (Engine::Qbft, bft::qbft_validators(&genesis.extra_data)),
            (Engine::Ibft2, bft::ibft2_validators(&genesis.extra_data)),
            (Engine::Istanbul, bft::istanbul_validators(&genesis.extra_data)),
        ]
        .into_iter()
        .find(|(engine, validators)| *engine != genesis.engine && !validators.is_empty());
        let shape = match checker.file.genesis.engine {
            Engine::Qbft => "RLP([32 bytes, [validators], [], 0, []])",
            Engine::Ibft2 => "RLP([32 bytes, [validators], '', 4 bytes, []])",
            _ => "32 bytes and RLP([[validators], '', []])",
        };
        let engine = genesis.engine.name();
        let message = match other {
            Some((other, _)) => format!("the extra data is that of {}, which {engine} cannot read", other.name()),
            None => format!("the extra data lists no validators of {engine}"),
        };
        checker.error(&place, message, format!("it is {shape}; `chainwright genesis build` makes it"));
        return;
    }
    signers_are_sound(checker, &place, &validators, "validator", bft::quorum);
}

fn besu(checker: &mut Checker, name: &str) {
    let number = |checker: &Checker, key: &str| checker.node(&["config", name, key]).map(value::small);
    let table = checker.span(&["config", name]);
    let period = number(checker, "blockperiodseconds");
    match &period {
        None => checker.error(
            &table,
            format!("`{name}` has no `blockperiodseconds`, and Besu does not start without"),
            "write \"blockperiodseconds\": 2",
        ),
        Some(Ok(0) | Err(_)) => {
            let span = checker.span(&["config", name, "blockperiodseconds"]);
            checker.error(
                &span,
                "`blockperiodseconds` is not a positive number",
                "write the seconds between blocks, 2 is usual",
            );
        }
        Some(Ok(_)) => {}
    }
    if let (Some(Ok(period)), Some(Ok(timeout))) = (period, number(checker, "requesttimeoutseconds"))
        && timeout < period
    {
        let span = checker.span(&["config", name, "requesttimeoutseconds"]);
        let message = format!("a round is given up after {timeout} s, before the block after {period} s is due");
        checker.warn(&span, message, format!("write {}, twice the period", 2 * period));
    }
    if let Some(Ok(0)) = number(checker, "epochlength") {
        let span = checker.span(&["config", name, "epochlength"]);
        checker.error(&span, "an epoch has no blocks", "write 30000");
    }
}

fn quorum(checker: &mut Checker) {
    let path = ["config", "txnSizeLimit"];
    match checker.node(&path).map(value::small) {
        Some(Ok(32..=128)) => {}
        Some(_) => {
            let span = checker.span(&path);
            checker.error(&span, "GoQuorum refuses a `txnSizeLimit` outside of 32 to 128", "write 64");
        }
        None => {
            let span = checker.span(&["config"]);
            checker.error(
                &span,
                "there is no `txnSizeLimit`, and GoQuorum refuses the file",
                "write \"txnSizeLimit\": 64",
            );
        }
    }
    if checker.node(&["config", "isQuorum"]).is_none() {
        let span = checker.span(&["config"]);
        checker.warn(
            &span,
            "there is no `isQuorum`: GoQuorum then behaves as geth, without private transactions",
            "write \"isQuorum\": true",
        );
    }
}
