//! `eth_synced`: the proof that a node is back.

use super::eth::Block;
use super::eth_standstill::Standstill;
use super::loose::Number;
use super::{Cx, Module, Result, eth, eth_unit};
use crate::base::Failure;
use crate::base::event::Proof;
use crate::chain::client::START_FAILURES;
use crate::chain::parse_address;
use crate::chain::rpc::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// Waits until a node is back in its network, and proves it: the right genesis, a clean start, enough peers, not behind, and,
/// for a sealer, a new block that it sealed itself after its start and on which others have built.
///
/// It looks at its own node only; that the others have the block too is proven there with `eth_block`. If its head stands still
/// for 45 seconds meanwhile, the node ends the connections that it made, and makes them again.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthSynced {
    /// The systemd unit.
    pub unit: String,
    /// The node's socket.
    pub ipc: String,
    /// The hash that block 0 must have.
    #[serde(default)]
    pub genesis: Option<String>,
    /// How many peers it must have.
    #[serde(default = "one")]
    pub min_peers: Number,
    /// The head must reach this block: where it stopped, or where the others are.
    #[serde(default)]
    pub above: Option<Number>,
    /// How old the head may be, in seconds: where blocks come all the time, who is level with the others has a young one.
    #[serde(default)]
    pub max_age: Option<Number>,
    /// The account that must seal a new block: this node's own. Leave it out for a node that does not seal.
    #[serde(default)]
    pub sealer: Option<String>,
    /// How many blocks must stand on that block.
    #[serde(default = "one")]
    pub confirmations: Number,
    /// When the process before this one was started, as `eth_stop` returns it: then no unclean shutdown of that process
    /// may be reported. Without it the node may have died before, and only its state now counts.
    #[serde(default)]
    pub stopped_run: Option<f64>,
    /// How long to wait for all of it, in seconds.
    #[serde(default = "timeout")]
    pub timeout: Number,
}

fn one() -> Number {
    Number(1)
}

fn timeout() -> Number {
    Number(180)
}

/// What `eth_synced` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The newest block.
    head: Block,
    /// The new block that this node sealed.
    sealed: Option<Block>,
    /// The block that others should have too: `sealed`, or the head's parent for a node that does not seal.
    common: Block,
    /// How many peers it has.
    peers: u64,
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for EthSynced {
    const NAME: &'static str = "eth_synced";
    const EXAMPLE: &'static str = "\
- eth_synced:
    unit: geth.service
    ipc: /var/lib/geth/geth.ipc
    genesis: \"{{ genesis.hash }}\"
    min_peers: 2
    sealer: \"{{ account.address }}\"
  register: back";
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let sealer = self.sealer.as_deref().filter(|text| !text.is_empty()).map(parse_address).transpose()?;
        let sealer = sealer.map(|address| address.to_checksum(None));
        let patience = Duration::from_secs(u64::try_from(self.timeout.0).unwrap_or(180));
        let first = eth_unit::state(cx.system, &self.unit)?;
        if !first.runs() && !cx.check {
            return Err(self.failure(cx, "the unit to run", &first.phrase()));
        }
        let started = first.started().unwrap_or_else(eth::now);
        let mut client = Client::ipc(cx.system, Path::new(&self.ipc));
        client.patience = Duration::from_secs(5);
        let mut shown = String::new();
        let mut standstill = Standstill::begin(Instant::now());
        let (_, view) = eth::wait(cx.system, patience, || {
            let view = self.look(cx, &client, sealer.as_deref(), started, first.restarts());
            let text = match &view {
                Ok(View::Waiting { expected, seen }) => format!("waiting for {expected}; now {seen}"),
                _ => String::new(),
            };
            if !text.is_empty() && text != shown {
                cx.line(&text);
                shown = text;
            }
            // A node that does not answer has been seen above.
            if !cx.check
                && matches!(view, Ok(View::Waiting { .. }))
                && let Ok(count @ 1..) = standstill.end(&client, Instant::now())
            {
                cx.line(&format!("the head stands still: the node meets {count} of its peers anew"));
            }
            (!matches!(view, Ok(View::Waiting { .. })) || cx.check, view)
        })?;
        match view? {
            View::Back(output) => Ok(*output),
            View::Waiting { expected, seen } => {
                let seen = format!("{seen}, after {} s", patience.as_secs());
                Err(self.failure(cx, &expected, &seen))
            }
        }
    }
}

/// What one look at the node says.
enum View {
    Waiting { expected: String, seen: String },
    Back(Box<Output>),
}

#[expect(clippy::unnecessary_wraps, reason = "it is what `look` returns")]
fn waiting(expected: impl Into<String>, seen: impl Into<String>) -> Result<View> {
    Ok(View::Waiting { expected: expected.into(), seen: seen.into() })
}

/// What the node answers in one look.
struct Said {
    genesis: String,
    peers: u64,
    syncing: Value,
    blocks: Vec<Block>,
}

impl Said {
    fn by(client: &Client) -> Result<Option<Self>> {
        let Some(first) = eth::block(client, "0x0")? else { return Ok(None) };
        Ok(Some(Self {
            genesis: first.hash,
            peers: eth::quantity(client, "net_peerCount")?,
            syncing: client.call("eth_syncing", json!([]))?,
            blocks: eth::newest(client, 64)?,
        }))
    }
}

/// What a process that was started then, in seconds since 1970, has sealed itself, newest first. Not a block of the very second: that may
/// be of the process before it.
fn sealed_since<'a>(blocks: &'a [Block], sealer: &'a str, started: f64) -> impl Iterator<Item = &'a Block> + Clone {
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    let since = move |block: &&Block| block.time as f64 >= started;
    blocks.iter().filter(since).filter(move |block| block.number > 0 && block.sealer.as_deref() == Some(sealer))
}

impl EthSynced {
    /// Failures end the wait: what they tell does not get better by itself.
    fn look(&self, cx: &Cx, client: &Client, sealer: Option<&str>, started: f64, restarts: u64) -> Result<View> {
        let state = eth_unit::state(cx.system, &self.unit)?;
        if !state.runs() || state.restarts() > restarts {
            let seen = format!("it ended: {}", state.phrase());
            return if cx.check {
                waiting("the node to run", seen)
            } else {
                Err(self.failure(cx, "the node to keep running", &seen))
            };
        }
        let said = match Said::by(client) {
            Ok(Some(said)) => said,
            Ok(None) => return waiting("block 0", "none"),
            // A node that starts, or a busy host, may leave one question unanswered.
            Err(failure) => return waiting("an answer", failure.message),
        };
        let Said { genesis, peers, syncing, blocks } = said;
        if let Some(wanted) = self.genesis.as_deref().filter(|wanted| !wanted.is_empty() && *wanted != genesis) {
            return Err(self.failure(
                cx,
                &format!("block 0 to be {wanted}"),
                &format!("{genesis}: it is in another network"),
            ));
        }
        let start = self.clean_start(cx, state.invocation())?;
        if i64::try_from(peers).unwrap_or(i64::MAX) < self.min_peers.0 {
            return waiting(format!("at least {} peers", self.min_peers.0), format!("{peers}"));
        }
        if syncing != Value::Bool(false) {
            let number =
                |name: &str| syncing.get(name).and_then(|value| crate::chain::quantity::small(value).ok()).unwrap_or(0);
            return waiting(
                "it to have caught up",
                format!("block {} of {}", number("currentBlock"), number("highestBlock")),
            );
        }
        let Some(head) = blocks.first().cloned() else { return waiting("a head", "none") };
        let above = self.above.and_then(|above| u64::try_from(above.0).ok()).unwrap_or(0);
        if head.number < above {
            return waiting(format!("its head to reach block {above}"), format!("block {}", head.number));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since 1970")]
        let age = (eth::now() as u64).saturating_sub(head.time);
        let oldest = self.max_age.and_then(|oldest| u64::try_from(oldest.0).ok());
        if let Some(oldest) = oldest.filter(|oldest| age > *oldest) {
            return waiting(
                format!("a head that is at most {oldest} s old"),
                format!("block {}, {age} s old", head.number),
            );
        }
        let confirmations = u64::try_from(self.confirmations.0).unwrap_or(0);
        let own = sealer.map(|sealer| {
            let mut new = sealed_since(&blocks, sealer, started);
            (new.clone().next().cloned(), new.find(|block| block.number + confirmations <= head.number).cloned())
        });
        let own_block = match own {
            None => None,
            Some((_, Some(block))) => Some(block),
            Some((Some(block), None)) => {
                return waiting(
                    format!("{confirmations} built on its block {}", block.number),
                    format!("head {}", head.number),
                );
            }
            Some((None, None)) => {
                let last = blocks.iter().find(|block| block.number > 0);
                let seen = last.map_or_else(
                    || "no block at all".to_owned(),
                    |block| format!("block {} by {}", block.number, block.sealer.as_deref().unwrap_or("?")),
                );
                return waiting(
                    format!("a new block sealed by {} itself", sealer.unwrap_or_default()),
                    format!("newest {seen}"),
                );
            }
        };
        let common = own_block.clone().or_else(|| blocks.get(1).cloned()).unwrap_or_else(|| head.clone());
        let mut proofs = vec![
            Proof::new("same genesis", genesis),
            start,
            Proof::new("peers", format!("{peers}, at least {} wanted", self.min_peers.0)),
            Proof::new("head level", format!("block {} at {}, not below {above}", head.number, eth::clock(head.time))),
        ];
        if let Some(oldest) = oldest {
            let evidence = format!("block {} is {age} s old, at most {oldest} s wanted", head.number);
            proofs.push(Proof::new("at the end of the chain", evidence));
        }
        if let Some(block) = &own_block {
            let evidence = format!(
                "block {} at {}, {}.., {} built on it",
                block.number,
                eth::clock(block.time),
                &block.hash[..block.hash.len().min(12)],
                head.number - block.number
            );
            proofs.push(Proof::new("sealed a new block itself", evidence));
        }
        Ok(View::Back(Box::new(Output { head, sealed: own_block, common, peers, proofs })))
    }

    /// geth tells of every unclean shutdown it remembers at every start, with the second in which that run had begun: only those
    /// of the run that was just stopped are news.
    fn clean_start(&self, cx: &Cx, invocation: &str) -> Result<Proof> {
        let lines = eth_unit::lines(cx.system, invocation, None)?;
        let bad: Vec<&eth_unit::Line> =
            lines.iter().filter(|line| START_FAILURES.iter().any(|bad| line.text.contains(bad))).collect();
        let Some(stopped) = self.stopped_run else {
            let seen = bad
                .first()
                .map_or_else(|| "no trouble in the journal".to_owned(), |line| eth_unit::squeeze(&line.text));
            return Ok(Proof::new("started", seen));
        };
        let new = bad.iter().find(|line| booted(&line.text).is_none_or(|booted| booted + 1.0 >= stopped));
        if let Some(line) = new {
            let seen = format!("`{}`", eth_unit::squeeze(&line.text));
            return Err(self.failure(cx, "a start without loss, since the stop before it was clean", &seen));
        }
        let first = lines.first().map_or_else(String::new, |line| format!(" since {}", eth::clock(line.time)));
        Ok(Proof::new("clean start", format!("no unclean shutdown and no lost state in the journal{first}")))
    }

    fn failure(&self, cx: &Cx, expected: &str, seen: &str) -> Failure {
        let unit = &self.unit;
        let lines = eth_unit::state(cx.system, unit)
            .and_then(|state| eth_unit::lines(cx.system, state.invocation(), None))
            .unwrap_or_default();
        let failure = Failure::new(format!("the node is not back: expected {expected}; seen: {seen}"));
        eth_unit::with_journal(failure, &lines).help(format!(
            "no other node is touched. Look at `journalctl -u {unit}` and at the peers (`eth_status`); once the node seals again, or \
             its cause is mended, run this again: it begins with the nodes that are down. Where the whole chain stands still and no \
             node is down, restart with -e allow_halt=true: there is nothing left to halt"
        ))
    }
}

/// The time in `Unclean shutdown detected booted=2026-11-21T13:05:47+0000 age=..`, in seconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are small")]
pub fn booted(line: &str) -> Option<f64> {
    let text = line.split_once("booted=")?.1.split_whitespace().next()?.trim_matches('"');
    let time = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%z", text).ok()?.to_timestamp().ok()?;
    Some(time.as_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_the_process_before_proves_nothing_of_this_one() {
        let block = |number: u64, sealer: &str| Block {
            number,
            time: 1000 + 2 * number,
            hash: number.to_string(),
            sealer: Some(sealer.into()),
        };
        let blocks = [block(4, "0xA"), block(3, "0xB"), block(2, "0xA"), block(1, "0xA")];
        let own = |started: f64| sealed_since(&blocks, "0xA", started).map(|block| block.number).collect::<Vec<_>>();
        // Stopped and started again within the second of block 2.
        assert_eq!(own(1004.3), [4]);
        assert_eq!(own(1003.9), [4, 2]);
        assert_eq!(own(1008.5), [0; 0]);
    }

    #[test]
    fn the_run_that_ended_uncleanly_is_known_by_its_start() {
        let line = "WARN [11-21|13:05:47.642] Unclean shutdown detected      booted=2026-11-21T13:05:47+0000 age=1m2s";
        assert_eq!(booted(line), Some(1_795_266_347.0));
        assert_eq!(booted("WARN Head state missing, repairing"), None);
    }
}
