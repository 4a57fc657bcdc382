//! `eth_start`: a node started, and answering.

use super::loose::{Number, Text};
use super::port_free::end_it;
use super::{Cx, Module, Result, eth, eth_unit};
use crate::base::event::Proof;
use crate::base::{Diff, Failure};
use crate::chain::client::Version;
use crate::chain::rpc::Client;
use crate::system::ports::Transport;
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
    /// The version that must answer, `1.13.15`.
    #[serde(default)]
    pub version: Option<Text>,
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
                cx.change(Diff::value(unit.as_str(), "stopped", "running"), |_| Ok(()))?;
                return Ok(Output { started: None, height: None, proofs: Vec::new() });
            }
            state => state?,
        };
        if !before.runs() {
            let done = cx.change(Diff::value(unit.as_str(), "stopped", "running"), |writer| {
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
        let mut looks = 0_u32;
        let mut closed = 0;
        let (_, (answer, state)) = eth::wait(cx.system, patience, || {
            let answer = client.call("web3_clientVersion", json!([]));
            let state = eth_unit::state(cx.system, unit);
            let over = state.as_ref().is_ok_and(|state| !state.runs() || state.restarts() > restarts);
            looks += 1;
            if let (0, Ok(state)) = (looks % LOOKS_A_READING, &state) {
                closed += u32::from(hangs(&eth_unit::lines(cx.system, state.invocation(), None).unwrap_or_default()));
            }
            (answer.is_ok() || over || closed > 1, (answer, state))
        })?;
        let state = state?;
        match answer {
            Ok(version) => {
                let height = eth::quantity(&client, "eth_blockNumber").ok();
                let at = height.map_or_else(String::new, |height| format!(", block {height}"));
                let version = version.as_str().unwrap_or_default();
                if let Some(wanted) = &self.version
                    && version.parse::<Version>()? != wanted.0.parse()?
                {
                    return Err(self.failure(cx, &format!("{version} answers, not {}", wanted.0)));
                }
                let time = state.started().map_or_else(String::new, since);
                let proof = Proof::new("running", format!("{version}{time}{at}"));
                Ok(Output { started: state.started(), height, proofs: vec![proof] })
            }
            Err(_) if !state.runs() || state.restarts() > restarts => {
                Err(self.failure(cx, &format!("it ended again: {}", state.phrase())))
            }
            Err(_) if closed > 1 => Err(self.failure(cx, "it has given up and hangs")),
            Err(failure) => Err(self.failure(
                cx,
                &format!("it runs, but has not answered for {} s: {}", patience.as_secs(), failure.message),
            )),
        }
    }
}

/// How often the node is asked, about twice a second, for each look into its journal.
const LOOKS_A_READING: u32 = 6;

/// geth that cannot open a port closes what it has opened, and then sometimes waits for its peers for ever.
fn hangs(lines: &[eth_unit::Line]) -> bool {
    let last = |text: &str| lines.iter().rposition(|line| line.text.contains(text));
    last("IPC endpoint closed").is_some_and(|closed| last("IPC endpoint opened") < Some(closed))
}

impl EthStart {
    fn failure(&self, cx: &Cx, seen: &str) -> Failure {
        let unit = &self.unit;
        let lines = eth_unit::state(cx.system, unit)
            .and_then(|state| eth_unit::lines(cx.system, state.invocation(), None))
            .unwrap_or_default();
        let failure = Failure::new(format!("expected {unit} to run and answer at {}; seen: {seen}", self.ipc));
        let in_use = lines.iter().rev().find_map(|line| port_in_use(&line.text));
        let help = match in_use {
            Some((transport, port)) => {
                let holders = cx.system.holders(transport, port).unwrap_or_default();
                let taken = format!("port {port}/{} is taken", transport.word());
                match holders.first() {
                    Some(holder) => format!("{taken} by {holder}: {}, or give the node another port", end_it(holder)),
                    None => format!("{taken}, or was: run this again, or give the node another port"),
                }
            }
            None if hangs(&lines) => format!(
                "end it on the host with `systemctl kill -s KILL {unit}; systemctl stop {unit}`; mostly one of its ports is taken: see `ss -lntup` there, and run this again"
            ),
            None => format!("read `journalctl -u {unit}` on the host, mend what it says, and run this again"),
        };
        eth_unit::with_journal(failure, &lines).help(help)
    }
}

/// The port in `.. listen tcp :30303: bind: address already in use`, which is Go's wording.
fn port_in_use(line: &str) -> Option<(Transport, u16)> {
    let (before, _) = line.split_once(": bind: address already in use")?;
    let (what, port) = before.rsplit_once(':')?;
    let transport = if what.contains("listen udp") { Transport::Udp } else { Transport::Tcp };
    Some((transport, port.parse().ok()?))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds since 1970 are positive and small"
)]
fn since(seconds: f64) -> String {
    format!(", since {}", eth::clock(seconds as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_in_use_is_read_from_what_geth_says() {
        let line = "Fatal: Error starting protocol stack: listen tcp 127.0.0.1:8551: bind: address already in use";
        assert_eq!(port_in_use(line), Some((Transport::Tcp, 8551)));
        assert_eq!(
            port_in_use("err=\"listen udp :30303: bind: address already in use\""),
            Some((Transport::Udp, 30303))
        );
        assert_eq!(port_in_use("Blockchain stopped"), None);
    }

    #[test]
    fn a_node_that_has_closed_what_it_opened_hangs_and_one_that_was_started_again_does_not() {
        let lines = |texts: &[&str]| -> Vec<eth_unit::Line> {
            texts.iter().map(|text| eth_unit::Line { time: 0, text: (*text).to_owned() }).collect()
        };
        assert!(hangs(&lines(&["IPC endpoint opened", "IPC endpoint closed", "Looking for peers"])));
        assert!(!hangs(&lines(&["IPC endpoint closed", "IPC endpoint opened"])));
        assert!(!hangs(&lines(&["IPC endpoint opened", "Looking for peers"])));
    }
}
