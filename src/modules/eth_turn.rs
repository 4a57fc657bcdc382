//! When a sealer may be stopped: while the next block cannot be its own.
//!
//! A block that is sealed in the middle of a stop is kept by its node and sent to nobody. The others seal another in its place, the
//! node comes back with its own, and where both chains weigh the same, none gives way. Seen with geth 1.13.2: a chain of three stood
//! until its nodes met anew. Clique lets nobody seal twice among floor(N/2)+1 blocks in a row (EIP-225), so whoever has just sealed
//! has time to stop.

use super::{Cx, Result, eth};
use crate::base::Failure;
use crate::base::event::Proof;
use crate::chain::clique;
use crate::chain::rpc::Client;
use eth::Block;
use serde_json::json;
use std::time::{Duration, Instant};

/// From the seal to the moment when the block is with the peers.
const ON_ITS_WAY: Duration = Duration::from_millis(250);
/// A head that stands for so long, and for several times the usual distance of two blocks, does not rise.
const STANDS: Duration = Duration::from_secs(45);
/// The others have had so many turns meanwhile: this node does not seal, and so does no harm.
const ROUNDS: u64 = 2;

/// Who may seal, and how many of the newest blocks forbid the next one to who has sealed them.
struct Rule {
    sealer: String,
    signers: usize,
}

impl Rule {
    /// None where nothing forbids it: another engine, a single signer, no signer.
    fn of(client: &Client, sealer: &str) -> Option<Self> {
        let signers = client.call("clique_getSigners", json!(["latest"])).ok()?;
        let signers = signers.as_array()?;
        let one_of_them = signers.iter().any(|it| it.as_str().is_some_and(|it| it.eq_ignore_ascii_case(sealer)));
        (one_of_them && signers.len() > 1).then(|| Self { sealer: sealer.to_owned(), signers: signers.len() })
    }

    fn reach(&self) -> u64 {
        u64::try_from(clique::quorum(self.signers)).unwrap_or(u64::MAX) - 1
    }

    /// The node's own block among the newest, by which it may not seal the next one.
    fn forbidding<'a>(&self, newest: &'a [Block]) -> Option<&'a Block> {
        let head = newest.first()?.number;
        newest
            .iter()
            .take_while(|block| block.number + self.reach() > head)
            .find(|block| block.number > 0 && block.sealer.as_deref() == Some(self.sealer.as_str()))
    }
}

/// Waits until this sealer may not seal the next block. Returns the evidence; none where it does not matter: the node does not
/// answer, does not seal, or seals alone.
///
/// # Errors
/// The chain stands still meanwhile: then this node may be the one that it needs.
pub fn wait(cx: &Cx, client: &Client, sealer: &str) -> Result<Option<Proof>> {
    let Some(rule) = Rule::of(client, sealer) else { return Ok(None) };
    let Ok(newest) = eth::newest(client, rule.reach() + 1) else { return Ok(None) };
    let Some(first) = newest.first().cloned() else { return Ok(None) };
    let stands = STANDS.max(3 * usual_distance(&newest));
    let enough = first.number + ROUNDS * u64::try_from(rule.signers).unwrap_or(u64::MAX);
    let (mut head, mut since, mut told) = (first.number, Instant::now(), false);
    loop {
        let Ok(newest) = eth::newest(client, rule.reach()) else { return Ok(None) };
        if let Some(own) = rule.forbidding(&newest) {
            cx.system.rest(ON_ITS_WAY)?;
            let Ok(newest) = eth::newest(client, rule.reach()) else { return Ok(None) };
            if rule.forbidding(&newest).is_some_and(|still| still.hash == own.hash) {
                let evidence = format!("it sealed block {}, and Clique gives it none before another's", own.number);
                return Ok(Some(Proof::new("no block of its own under way", evidence)));
            }
            continue;
        }
        let now = newest.first().map_or(head, |block| block.number);
        if now >= enough {
            return Ok(None);
        }
        if now != head {
            (head, since) = (now, Instant::now());
        } else if since.elapsed() >= stands {
            return Err(Failure::new(format!(
                "the chain stands still: no block after {head} for {} s. Nothing was stopped",
                stands.as_secs()
            ))
            .help("see what ails it: `chainwright doctor`; where there is nothing left to halt, restart with -e allow_halt=true"));
        }
        if !told {
            cx.line("waiting for a block of its own: after it the next is another's, so none is lost by the stop");
            told = true;
        }
        cx.system.rest(Duration::from_millis(100))?;
    }
}

/// The distance of two blocks in time, of the newest that are known.
fn usual_distance(newest: &[Block]) -> Duration {
    match newest {
        [head, parent, ..] => Duration::from_secs(head.time.saturating_sub(parent.time)),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks up to this one, newest first, sealed by signers in turn: block 1 by B of A, B, C.
    fn blocks(signers: u64, head: u64) -> Vec<Block> {
        let name = |number: u64| char::from(b'A' + u8::try_from(number % signers).unwrap()).to_string();
        let block = |number| Block { number, hash: number.to_string(), time: 15 * number, sealer: Some(name(number)) };
        (0..=head).rev().map(block).collect()
    }

    fn forbids(signers: usize, sealer: &str) -> Vec<u64> {
        let rule = Rule { sealer: sealer.into(), signers };
        let chain = |head| blocks(u64::try_from(signers).unwrap(), head);
        (1..=10).filter(|head| rule.forbidding(&chain(*head)).is_some()).collect()
    }

    #[test]
    fn whoever_has_sealed_one_of_the_last_blocks_does_not_seal_the_next() {
        assert_eq!(forbids(2, "B"), [1, 3, 5, 7, 9]);
        assert_eq!(forbids(3, "B"), [1, 4, 7, 10]);
        // Of four, nobody seals twice among three blocks; of five neither.
        assert_eq!(forbids(4, "B"), [1, 2, 5, 6, 9, 10]);
        assert_eq!(forbids(5, "B"), [1, 2, 6, 7]);
        assert_eq!(forbids(5, "F"), [0; 0]);
    }

    #[test]
    fn block_0_is_nobodys() {
        let rule = Rule { sealer: "A".into(), signers: 3 };
        assert!(rule.forbidding(&blocks(3, 0)).is_none() && rule.forbidding(&[]).is_none());
    }

    #[test]
    fn a_chain_of_slow_blocks_is_given_longer() {
        assert_eq!(usual_distance(&blocks(3, 5)), Duration::from_secs(15));
        assert_eq!(usual_distance(&blocks(3, 0)), Duration::ZERO);
    }
}
