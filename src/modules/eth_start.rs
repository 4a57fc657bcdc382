//! `eth_start`: a node started, and answering.

use super::loose::Number;
use super::{Cx, Module, Result, eth, eth_unit};
use crate::base::event::Proof;
use crate::base::{Diff, Failure};
use crate::chain::rpc::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// Starts a node's systemd unit and waits until the node answers on its socket. If it does not, the failure shows why:
/// the last lines of its journal.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthStart {
    /// The systemd unit.
    pub unit: String,
    /// The node's socket.
    pub ipc: String,
    /// How long it may take until it answers, in seconds: a long chain takes a while to open.
    #[serde(default = "timeout")]
    pub timeout: Number,
}

fn timeout() -> Number {
    Number(120)
}

/// What `eth_start` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// When the process was started, in seconds since 1970.
    started: Option<f64>,
    /// The newest block when it first answered.
    height: Option<u64>,
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for EthStart {
    const NAME: &'static str = "eth_start";
    const EXAMPLE: &'static str = "\
- eth_start:
    unit: geth.service
    ipc: /var/lib/geth/geth.ipc";
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let unit = &self.unit;
        let before = match eth_unit::state(cx.system, unit) {
            // The unit may be written only by the real run.
            Err(_) if cx.check => {
                cx.change(Diff::value(unit.as_str(), "absent", "running"), |_| Ok(()))?;
                return Ok(Output { started: None, height: None, proofs: Vec::new() });
            }
            state => state?,
        };
        if !before.runs() {
            let done = cx.change(Diff::value(unit.as_str(), before.active(), "running"), |writer| {
                // A unit that failed too often is not started again before that is forgotten.
                writer.run(&eth_unit::systemctl("reset-failed", unit, Duration::from_secs(30)))?;
                writer.run(&eth_unit::systemctl("start", unit, Duration::from_mins(2)))
            })?;
            match done {
                None => return Ok(Output { started: None, height: None, proofs: Vec::new() }),
                Some(ended) if ended.code != 0 => {
                    return Err(self.failure(cx, &format!("systemctl start: {}", ended.stderr.trim())));
                }
                Some(_) => {}
            }
        }
        let mut client = Client::ipc(cx.system, Path::new(&self.ipc));
        client.patience = Duration::from_secs(5);
        let patience = Duration::from_secs(u64::try_from(self.timeout.0).unwrap_or(120));
        let restarts = if before.runs() { before.restarts() } else { 0 };
        let (_, (answer, state)) = eth::wait(cx.system, patience, || {
            let answer = client.call("web3_clientVersion", json!([]));
            let state = eth_unit::state(cx.system, unit);
            let over = state.as_ref().is_ok_and(|state| !state.runs() || state.restarts() > restarts);
            (answer.is_ok() || over, (answer, state))
        })?;
        let state = state?;
        match answer {
            Ok(version) => {
                let height = eth::quantity(&client, "eth_blockNumber").ok();
                let at = height.map_or_else(String::new, |height| format!(", block {height}"));
                let version = version.as_str().unwrap_or_default();
                let time = state.started().map_or_else(String::new, since);
                let proof = Proof::new("running", format!("{version}{time}{at}"));
                Ok(Output { started: state.started(), height, proofs: vec![proof] })
            }
            Err(_) if !state.runs() || state.restarts() > restarts => {
                Err(self.failure(cx, &format!("it ended again: {}", state.phrase())))
            }
            Err(failure) => Err(self.failure(
                cx,
                &format!("it runs, but has not answered for {} s: {}", patience.as_secs(), failure.message),
            )),
        }
    }
}

impl EthStart {
    fn failure(&self, cx: &Cx, seen: &str) -> Failure {
        let unit = &self.unit;
        let lines = eth_unit::state(cx.system, unit)
            .and_then(|state| eth_unit::lines(cx.system, state.invocation(), None))
            .unwrap_or_default();
        let failure = Failure::new(format!("expected {unit} to run and answer at {}; seen: {seen}", self.ipc));
        let in_use = lines.iter().any(|line| line.text.contains("address already in use"));
        eth_unit::with_journal(failure, &lines).help(if in_use {
            "another process has the port: `ss -lntup` on the host says which; end it, or give the node another port"
                .to_owned()
        } else {
            format!("read `journalctl -u {unit}` on the host, mend what it says, and run this again")
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds since 1970 are positive and small"
)]
fn since(seconds: f64) -> String {
    format!(", since {}", eth::clock(seconds as u64))
}
