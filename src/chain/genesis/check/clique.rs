//! Clique: the signers in the extra data, period and epoch.

use super::Checker;
use crate::chain::client::Version;
use crate::chain::clique::{SEAL, VANITY, quorum};
use crate::chain::genesis::Format;
use crate::chain::genesis::forks::Target;
use crate::chain::genesis::value;
use alloy_primitives::Address;

pub(super) fn check(checker: &mut Checker) {
    if checker.file.genesis.format == Format::Parity {
        // Nethermind's own numbers for period and epoch were not looked up.
        extra_data(checker, &["genesis", "extraData"]);
        return;
    }
    if let Target::Besu(version) = checker.target
        && checker.target.is_one_version()
        && version >= BESU_WITHOUT
    {
        let message = format!("{} has no Clique any more: it does not start with this file", checker.target);
        let help = "use Besu before 26.4.0 or geth up to 1.13.15, or build a network with QBFT";
        checker.error(&checker.key(&["config", "clique"]), message, help);
    }
    extra_data(checker, &["extraData"]);
    settings(checker);
}

/// The first Besu without Clique: its changelog of 26.4.0, pull request 9852.
const BESU_WITHOUT: Version = Version(26, 4, 0);

fn extra_data(checker: &mut Checker, path: &[&str]) {
    let extra = &checker.file.genesis.extra_data;
    let place = checker.span(path);
    let readable = checker.node(path).is_none_or(|node| value::bytes(node).is_ok());
    if !readable {
        return;
    }
    let list = extra.len().checked_sub(VANITY + SEAL).filter(|length| length % 20 == 0);
    let Some(length) = list else {
        let message = format!(
            "the extra data has {} bytes; Clique's has 32, 20 for each signer, and 65: 117 for one signer",
            extra.len()
        );
        checker.error(&place, message, remedy(extra));
        return;
    };
    let signers: Vec<Address> = extra[VANITY..VANITY + length].chunks(20).map(Address::from_slice).collect();
    if signers.is_empty() {
        checker.error(
            &place,
            "the extra data lists no signer: nobody can ever seal a block",
            "write at least one address between the first 32 and the last 65 bytes",
        );
    }
    signers_are_sound(checker, &place, &signers, "signer", quorum);
    if extra[VANITY + length..].iter().any(|byte| *byte != 0) {
        checker.warn(
            &place,
            "the last 65 bytes of the extra data are not zero: block 0 has no seal",
            "write 130 zeros behind the signers",
        );
    }
}

/// What was probably done.
fn remedy(extra: &[u8]) -> String {
    let without = |length: usize, what: &str| {
        (extra.len() >= length && (extra.len() - length).is_multiple_of(20) && extra.len() > length)
            .then(|| format!("{what} are missing: write 32 zero bytes, the signers in ascending order, 65 zero bytes"))
    };
    without(VANITY, "the 65 zero bytes behind the signers")
        .or_else(|| without(SEAL, "the 32 bytes before the signers"))
        .or_else(|| without(0, "the bytes around the signers"))
        .unwrap_or_else(|| {
            "write 32 zero bytes, the signers in ascending order, 65 zero bytes; `chainwright genesis build` does it"
                .into()
        })
}

/// Signers or validators: none twice, none zero, in order.
pub(super) fn signers_are_sound(
    checker: &mut Checker,
    place: &crate::base::Span,
    signers: &[Address],
    word: &str,
    quorum: fn(usize) -> usize,
) {
    let mut sorted = signers.to_vec();
    sorted.sort_unstable();
    let mut twice: Vec<Address> = sorted.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    twice.dedup();
    for address in &twice {
        checker.error(
            place,
            format!("the {word} {address} is listed twice"),
            "list each once: two nodes with one key seal competing blocks",
        );
    }
    if sorted != signers {
        let right: Vec<String> = sorted.iter().map(Address::to_string).collect();
        checker.warn(
            place,
            format!("the {word}s are not in ascending order"),
            format!("clients expect {}", right.join(", ")),
        );
    }
    if signers.contains(&Address::ZERO) {
        checker.error(
            place,
            format!("the zero address is a {word}, and nobody has its key"),
            format!("put the address of a {word} there"),
        );
    }
    if twice.is_empty() && signers.len() == 2 {
        let needed = quorum(2);
        checker.warn(
            place,
            format!("of two {word}s {needed} must be live: any restart halts the chain"),
            format!("three {word}s are the fewest of which one may stop, four where two thirds must agree"),
        );
    }
}

fn settings(checker: &mut Checker) {
    let names = if matches!(checker.target, Target::Besu(_)) {
        ("blockperiodseconds", "epochlength")
    } else {
        ("period", "epoch")
    };
    let table = checker.span(&["config", "clique"]);
    // What geth cannot read is told with the rest of its notation.
    let told = matches!(checker.target, Target::Geth(_)) && checker.file.genesis.format == Format::Geth;
    let read = |checker: &Checker, name: &str| {
        checker.node(&["config", "clique", name]).map(|node| (value::small(node), node.span(checker.file.source)))
    };
    match read(checker, names.0) {
        None => checker.warn(
            &table,
            format!("`clique` has no `{}`: it is 0, and blocks are sealed only when there are transactions", names.0),
            format!("write \"{}\": 5", names.0),
        ),
        Some((Ok(0), span)) => checker.warn(
            &span,
            "with a period of 0 blocks are sealed only when there are transactions",
            "write the seconds between blocks, 5 is usual",
        ),
        Some((Ok(period), span)) if period > 600 => {
            checker.warn(&span, format!("there are {period} seconds between blocks"), "the period is in seconds");
        }
        Some((Err(wrong), span)) if !told => checker.error(
            &span,
            format!("`{}`: {}", names.0, wrong.message),
            "write the seconds between blocks, 5 is usual",
        ),
        Some(_) => {}
    }
    match read(checker, names.1) {
        None | Some((Ok(0), _)) => {
            let span = read(checker, names.1).map_or(table, |(_, span)| span);
            checker.warn(
                &span,
                format!("without `{}` votes are reset every 30000 blocks", names.1),
                format!("write \"{}\": 30000", names.1),
            );
        }
        Some((Ok(epoch), span)) if epoch < 10 => checker.warn(
            &span,
            format!("votes are reset every {epoch} blocks: none can be completed"),
            "30000 is usual",
        ),
        Some((Err(wrong), span)) if !told => checker.error(
            &span,
            format!("`{}`: {}", names.1, wrong.message),
            "write the blocks after which votes are reset, 30000 is usual",
        ),
        Some(_) => {}
    }
}
