//! `eth_stop`: a node stopped, with the proof that its state was saved.

use super::loose::Number;
use super::{Cx, Module, Result, eth, eth_turn, eth_unit};
use crate::base::event::Proof;
use crate::base::{Diff, Failure};
use crate::chain::client::{INTERRUPTED, STOP_FAILURES, Version};
use crate::chain::parse_address;
use crate::chain::rpc::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// Stops a node's systemd unit (SIGTERM) and proves from the journal lines of this very stop that the node saved its
/// state: its last line is there, no line tells of trouble, the process ended by itself with code 0.
///
/// Anything else is a failure with the last lines of the journal. A node that does not run is left as it is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthStop {
    /// The systemd unit.
    pub unit: String,
    /// The node's socket, to know at which block it stops.
    #[serde(default)]
    pub ipc: Option<String>,
    /// The account with which the node seals: then it is stopped when the next block cannot be its own, since one that is sealed in
    /// the middle of a stop reaches nobody, and the chain may split. Leave it out for a node that does not seal, or where the
    /// whole chain stands still.
    #[serde(default)]
    pub sealer: Option<String>,
    /// How long the stop may take, in seconds. The unit's `TimeoutStopSec` must be shorter, or it does not count.
    #[serde(default = "timeout")]
    pub timeout: Number,
}

fn timeout() -> Number {
    Number(330)
}

/// What `eth_stop` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// Whether the node ran before.
    was_running: bool,
    /// The newest block just before the stop.
    height: Option<u64>,
    /// When the process that was stopped had been started, in seconds since 1970.
    started: Option<f64>,
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for EthStop {
    const NAME: &'static str = "eth_stop";
    const EXAMPLE: &'static str = "\
- eth_stop:
    unit: geth.service
    ipc: /var/lib/geth/geth.ipc
    sealer: \"{{ account.address }}\"
  register: stopped";
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let unit = &self.unit;
        let before = eth_unit::state(cx.system, unit)?;
        if !before.runs() {
            if before.active() == "activating" {
                // Between two attempts of Restart=on-failure: it would come up while we think that it is down.
                cx.change(Diff::value(unit.as_str(), "restarting", "stopped"), |writer| {
                    writer.run(&eth_unit::systemctl("stop", unit, Duration::from_mins(1)))
                })?;
            }
            let proof = Proof::new("not running before", format!("{unit} was {}", before.phrase()));
            return Ok(Output { was_running: false, height: None, started: None, proofs: vec![proof] });
        }
        let turn = self.wait_for_turn(cx)?;
        let (height, version) = self.ask(cx);
        let started = before.started();
        let cursor = eth_unit::cursor(cx.system, before.invocation());
        let asked = eth::now();
        let patience = Duration::from_secs(u64::try_from(self.timeout.0).unwrap_or(330));
        let done = cx.change(Diff::value(unit.as_str(), "running", "stopped"), |writer| {
            writer.run(&eth_unit::systemctl("stop", unit, patience))
        })?;
        let Some(ended) = done else {
            return Ok(Output { was_running: true, height, started, proofs: Vec::new() });
        };
        if ended.code != 0 {
            return Err(Failure::new(format!("systemctl stop {unit}: {}", ended.stderr.trim())));
        }
        let proofs = self.prove(cx, before.invocation(), cursor.as_deref(), version, asked, height)?;
        let proofs = turn.into_iter().chain(proofs).collect();
        Ok(Output { was_running: true, height, started, proofs })
    }
}

impl EthStop {
    fn client<'a>(&self, cx: &'a Cx) -> Option<Client<'a>> {
        let mut client = Client::ipc(cx.system, Path::new(self.ipc.as_deref()?));
        client.patience = Duration::from_secs(5);
        Some(client)
    }

    fn wait_for_turn(&self, cx: &Cx) -> Result<Option<Proof>> {
        let sealer = self.sealer.as_deref().filter(|text| !text.is_empty()).map(parse_address).transpose()?;
        match (sealer, self.client(cx)) {
            (Some(sealer), Some(client)) if !cx.check => eth_turn::wait(cx, &client, &sealer.to_checksum(None)),
            _ => Ok(None),
        }
    }

    fn ask(&self, cx: &Cx) -> (Option<u64>, Option<Version>) {
        let Some(client) = self.client(cx) else { return (None, None) };
        let version = client.call("web3_clientVersion", json!([])).ok();
        let version = version.and_then(|version| version.as_str().and_then(|text| text.parse().ok()));
        (eth::quantity(&client, "eth_blockNumber").ok(), version)
    }

    fn prove(
        &self,
        cx: &Cx,
        invocation: &str,
        cursor: Option<&str>,
        version: Option<Version>,
        asked: f64,
        height: Option<u64>,
    ) -> Result<Vec<Proof>> {
        let unit = &self.unit;
        let after = eth_unit::state(cx.system, unit)?;
        let wanted = version.unwrap_or(crate::chain::client::LAST_CLIQUE).stopped();
        let (complete, lines) = eth::wait(cx.system, Duration::from_secs(5), || {
            let lines = eth_unit::lines(cx.system, invocation, cursor).unwrap_or_default();
            (lines.iter().any(|line| line.text.contains(wanted)), lines)
        })?;
        let fail = |what: String| {
            let failure =
                Failure::new(format!("{unit} is stopped, but nothing proves that its state was saved: {what}"));
            eth_unit::with_journal(failure, &lines).help(format!(
                "look at `journalctl -u {unit}`; start it with `systemctl start {unit}`, wait until its head rises again, then run this \
                 again: it begins with the nodes that are down"
            ))
        };
        let bad = lines.iter().find(|line| STOP_FAILURES.iter().any(|bad| line.text.contains(bad)));
        if let Some(line) = bad {
            return Err(fail(format!("expected no trouble, seen `{}`", eth_unit::squeeze(&line.text))));
        }
        if after.runs() || after.result() != "success" || after.exit_code() != "0" {
            return Err(fail(format!("expected an end with code 0, seen {}", after.phrase())));
        }
        let Some(last) = lines.iter().find(|line| complete && line.text.contains(wanted)) else {
            return Err(fail(format!("expected `{wanted}` among the lines of this stop, seen no such line")));
        };
        let mut evidence: Vec<String> = lines
            .iter()
            .filter(|line| {
                line.text.contains("Writing cached state to disk") || line.text.contains("Persisted dirty state")
            })
            .take(1)
            .map(|line| message(&line.text))
            .collect();
        evidence.push(format!("{} at {}", message(&last.text), eth::clock(last.time)));
        let took = after.exited().map_or(0.0, |exited| (exited - asked).max(0.0));
        let asked_by = if lines.iter().any(|line| line.text.contains(INTERRUPTED)) { "SIGTERM" } else { "systemd" };
        let at = height.map_or_else(String::new, |height| format!(" at block {height}"));
        Ok(vec![
            Proof::new("stopped by itself", format!("code 0, {took:.1} s after {asked_by}{at}")),
            Proof::new("state saved", evidence.join("; ")),
        ])
    }
}

/// geth's message without level and time: `INFO [11-21|13:05:47.642] Blockchain stopped` is `Blockchain stopped`.
fn message(text: &str) -> String {
    eth_unit::squeeze(text.split_once("] ").map_or(text, |(_, message)| message))
}
