//! A node's systemd unit as the `eth_*` modules see it: its state, and the journal of one of its runs.

use super::Result;
use crate::base::{Failure, Value};
use crate::system::{Command, System};
use std::collections::BTreeMap;
use std::time::Duration;

/// What `systemctl show` says.
#[derive(Debug, Clone)]
pub struct State {
    fields: BTreeMap<String, String>,
}

/// A line of the journal.
#[derive(Debug, Clone)]
pub struct Line {
    /// Seconds since 1970.
    pub time: u64,
    /// The message.
    pub text: String,
}

impl State {
    fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// `active`, `inactive`, `failed`, `activating`, `deactivating`.
    pub fn active(&self) -> &str {
        self.get("ActiveState")
    }

    /// `running`, `dead`, `auto-restart`, ...
    pub fn sub(&self) -> &str {
        self.get("SubState")
    }

    /// Whether its main process is there.
    pub fn runs(&self) -> bool {
        !matches!(self.get("MainPID"), "" | "0")
    }

    /// Its main process, if it is there.
    pub fn pid(&self) -> Option<u32> {
        self.get("MainPID").parse().ok().filter(|pid| *pid != 0)
    }

    /// `success`, `exit-code`, `signal`, `timeout`, `oom-kill`, ...
    pub fn result(&self) -> &str {
        self.get("Result")
    }

    /// The exit code of the main process.
    pub fn exit_code(&self) -> &str {
        self.get("ExecMainStatus")
    }

    /// Names this run of the unit in the journal.
    pub fn invocation(&self) -> &str {
        self.get("InvocationID")
    }

    /// How often systemd started it again by itself.
    pub fn restarts(&self) -> u64 {
        self.get("NRestarts").parse().unwrap_or(0)
    }

    /// When the main process was started, in seconds since 1970.
    pub fn started(&self) -> Option<f64> {
        self.moment("ExecMainStartTimestampMonotonic")
    }

    /// When the main process ended, in seconds since 1970.
    pub fn exited(&self) -> Option<f64> {
        self.moment("ExecMainExitTimestampMonotonic")
    }

    /// In one phrase.
    pub fn phrase(&self) -> String {
        format!("{} ({}), result {}, exit code {}", self.active(), self.sub(), self.result(), self.exit_code())
    }

    /// The wall clock's time of a moment that systemd tells in microseconds of the monotonic clock: systemd's own wall
    /// times are texts in the host's language and zone.
    #[expect(clippy::cast_precision_loss, reason = "microseconds are enough")]
    fn moment(&self, name: &str) -> Option<f64> {
        let moment: u64 = self.get(name).parse().ok().filter(|moment| *moment > 0)?;
        let clock = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let ago = clock.tv_sec as f64 + clock.tv_nsec as f64 / 1e9 - moment as f64 / 1e6;
        Some(super::eth::now() - ago)
    }
}

/// The unit's state. A unit that does not exist is a failure.
pub fn state(system: &System, unit: &str) -> Result<State> {
    let properties = "LoadState,ActiveState,SubState,Result,ExecMainStatus,MainPID,InvocationID,NRestarts,\
                      ExecMainStartTimestampMonotonic,ExecMainExitTimestampMonotonic";
    let command = Command::new(["systemctl", "show", "-p", properties, "--", unit]);
    let ended = system.run(&Command { timeout: Some(30), ..command })?;
    if ended.code != 0 {
        return Err(Failure::new(format!("systemctl show {unit}: {}", ended.stderr.trim())));
    }
    let pairs = ended.stdout.lines().filter_map(|line| line.split_once('='));
    let fields: BTreeMap<String, String> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let state = State { fields };
    if state.get("LoadState") == "not-found" {
        return Err(Failure::new(format!("there is no unit {unit} on this host")));
    }
    Ok(state)
}

/// Where the journal of a run ends now; later lines are found with [`lines`]. It must be a line of this run: `journalctl`
/// skips the first line after a cursor that its filter does not let through.
pub fn cursor(system: &System, invocation: &str) -> Option<String> {
    let mut argv = ["journalctl", "--quiet", "--no-pager", "-n", "1", "-o", "json", "--output-fields=PRIORITY"]
        .map(str::to_owned)
        .to_vec();
    argv.extend(of_run(invocation));
    let ended = system.run(&Command { timeout: Some(30), ..Command::new(argv) }).ok()?;
    let line: Value = serde_json::from_str(ended.stdout.lines().last()?).ok()?;
    line.get("__CURSOR").and_then(Value::as_str).map(str::to_owned)
}

/// The process' own lines, and systemd's about it.
fn of_run(invocation: &str) -> [String; 3] {
    [format!("_SYSTEMD_INVOCATION_ID={invocation}"), "+".into(), format!("INVOCATION_ID={invocation}")]
}

/// The journal of one run of a unit: the process' own lines and systemd's about it, from `after` on.
pub fn lines(system: &System, invocation: &str, after: Option<&str>) -> Result<Vec<Line>> {
    let run = |argv: Vec<String>| system.run(&Command { argv, timeout: Some(60), ..Command::default() });
    // What the process has written may still be on its way.
    run(vec!["journalctl".into(), "--sync".into()])?;
    let mut argv: Vec<String> = ["journalctl", "--quiet", "--no-pager", "-o", "json"].map(str::to_owned).to_vec();
    argv.push("--output-fields=MESSAGE".into());
    argv.extend(after.map(|cursor| format!("--after-cursor={cursor}")));
    argv.extend(of_run(invocation));
    let ended = run(argv)?;
    if ended.code != 0 {
        return Err(Failure::new(format!("journalctl: {}", ended.stderr.trim()))
            .help("the journal must be readable: run as root, or as a member of the group systemd-journal"));
    }
    Ok(ended.stdout.lines().filter_map(line).collect())
}

/// A line of `journalctl -o json`.
pub fn line(json: &str) -> Option<Line> {
    let entry: Value = serde_json::from_str(json).ok()?;
    let text = match entry.get("MESSAGE")? {
        Value::String(text) => text.clone(),
        // A message that is no UTF-8 comes as a list of bytes.
        Value::Array(bytes) => {
            let bytes: Vec<u8> = bytes.iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => return None,
    };
    let time: u64 = entry.get("__REALTIME_TIMESTAMP")?.as_str()?.parse().ok()?;
    Some(Line { time: time / 1_000_000, text })
}

/// The last lines of a run as a failure's evidence.
pub fn last_lines(lines: &[Line], count: usize) -> Vec<String> {
    let start = lines.len().saturating_sub(count);
    lines[start..].iter().map(|line| format!("{} {}", super::eth::clock(line.time), squeeze(&line.text))).collect()
}

/// geth pads its lines with blanks.
pub fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Adds the last lines of the journal to a failure.
pub fn with_journal(failure: Failure, lines: &[Line]) -> Failure {
    let last = last_lines(lines, 12);
    let shown = if last.is_empty() { "the journal has no lines of it".to_owned() } else { last.join("\n  ") };
    Failure { message: format!("{}\n  {shown}", failure.message), ..failure }
}

/// A unit's command: `systemctl start UNIT`.
pub fn systemctl(verb: &str, unit: &str, timeout: Duration) -> Command {
    Command { timeout: Some(timeout.as_secs()), ..Command::new(["systemctl", verb, "--", unit]) }
}
