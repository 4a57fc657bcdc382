//! `wait_for`: goes on when a port answers, a file appears, or either is gone.

use super::attributes::describe;
use super::loose::{Number, Text, Words};
use super::{Cx, Module, Result};
use crate::base::{Failure, Map, Value};
use crate::system::System;
use regex::bytes::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::time::{Duration, Instant};

/// Waits until a port or a file of the host is as wanted. With neither it waits out `timeout`. Times are in seconds.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct WaitFor {
    /// Name or address to connect to, as seen from the host.
    #[serde(default = "localhost")]
    pub host: Text,
    /// TCP port.
    #[serde(default)]
    pub port: Option<Number>,
    /// A file or folder instead of a port.
    #[serde(default)]
    pub path: Option<String>,
    /// `started`: the port answers, or the path exists; `present` is the same. `stopped` and `absent`: it does not.
    /// `drained`: nobody is connected to the port any more.
    #[serde(default)]
    pub state: State,
    /// How long to wait.
    #[serde(default = "five_minutes")]
    pub timeout: Number,
    /// How long to wait before looking for the first time.
    #[serde(default)]
    pub delay: Number,
    /// How long to wait between looks.
    #[serde(default = "one")]
    pub sleep: Number,
    /// How long one connection may take.
    #[serde(default = "five")]
    pub connect_timeout: Number,
    /// A regular expression that must be found in the file, or in what the port says.
    #[serde(default)]
    pub search_regex: Option<Text>,
    /// Addresses whose connections do not count for `drained`.
    #[serde(default)]
    pub exclude_hosts: Words,
    /// States of connections that count for `drained`.
    #[serde(default = "active")]
    pub active_connection_states: Words,
    /// What to say when the time is over.
    #[serde(default)]
    pub msg: Option<Text>,
}

/// What to wait for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The port answers, or the path exists.
    #[default]
    Started,
    /// The same.
    Present,
    /// The port does not answer, or the path does not exist.
    Stopped,
    /// The same.
    Absent,
    /// Nobody is connected to the port.
    Drained,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Present => "present",
            Self::Stopped => "stopped",
            Self::Absent => "absent",
            Self::Drained => "drained",
        }
    }
}

fn localhost() -> Text {
    Text("127.0.0.1".into())
}
fn five_minutes() -> Number {
    Number(300)
}
fn one() -> Number {
    Number(1)
}
fn five() -> Number {
    Number(5)
}
fn active() -> Words {
    Words(["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "SYN_RECV", "SYN_SENT", "TIME_WAIT"].map(Into::into).to_vec())
}

fn seconds(number: Number) -> Duration {
    Duration::from_secs(u64::try_from(number.0).unwrap_or(0))
}

/// What `search_regex` found.
#[derive(Debug, Default)]
struct Found {
    groups: Vec<Value>,
    named: Map,
}

fn search(regex: &Regex, bytes: &[u8]) -> Option<Found> {
    let captures = regex.captures(bytes)?;
    let text = |found: Option<regex::bytes::Match>| {
        found.map_or(Value::Null, |found| String::from_utf8_lossy(found.as_bytes()).into_owned().into())
    };
    let named = regex.capture_names().flatten().map(|name| (name.to_owned(), text(captures.name(name))));
    Some(Found { groups: captures.iter().skip(1).map(text).collect(), named: named.collect() })
}

impl WaitFor {
    /// One look. `Some`: it is as wanted.
    fn look(&self, system: &System, regex: Option<&Regex>, deadline: Instant) -> Result<Option<Found>> {
        let found = |wanted: bool| wanted.then(Found::default);
        if let Some(path) = &self.path {
            let path = system.expand(path)?;
            let there = system.exists(&path)?;
            return Ok(match (self.state, regex) {
                (State::Stopped | State::Absent, _) => found(!there),
                (_, Some(regex)) if there => search(regex, &system.read(&path).unwrap_or_default()),
                _ => found(there),
            });
        }
        let Some(port) = self.port else { return Ok(None) };
        let port = u16::try_from(port.0).map_err(|_| Failure::new(format!("{} is not a port", port.0)))?;
        if self.state == State::Drained {
            return Ok(found(!self.busy(system, port)?));
        }
        let patience = seconds(self.connect_timeout).max(Duration::from_millis(100));
        match (self.state, system.connect(&self.host.0, port, patience)) {
            (State::Stopped | State::Absent, connected) => Ok(found(connected.is_err())),
            (_, Err(_)) => Ok(None),
            (_, Ok(mut stream)) => {
                let Some(regex) = regex else { return Ok(Some(Found::default())) };
                let mut said = Vec::new();
                let mut buffer = [0; 4096];
                loop {
                    let left = deadline.saturating_duration_since(Instant::now()).min(patience);
                    let ready = !left.is_zero() && stream.set_read_timeout(Some(left)).is_ok();
                    match if ready { stream.read(&mut buffer).unwrap_or(0) } else { 0 } {
                        0 => return Ok(None),
                        count => said.extend_from_slice(&buffer[..count]),
                    }
                    if let Some(found) = search(regex, &said) {
                        return Ok(Some(found));
                    }
                }
            }
        }
    }

    /// Whether somebody is connected to the port.
    fn busy(&self, system: &System, port: u16) -> Result<bool> {
        let mut excluded = Vec::new();
        for host in &self.exclude_hosts.0 {
            excluded.extend(system.addresses_of(host)?);
        }
        let states = &self.active_connection_states.0;
        let is_active = |state| states.iter().any(|known| known == state);
        let mut connected = system.connected(port)?.into_iter();
        Ok(connected.any(|(peer, state)| is_active(state) && !excluded.contains(&peer)))
    }

    fn target(&self) -> String {
        let what = match (&self.path, self.port) {
            (Some(path), _) => format!("file {path}"),
            (None, Some(port)) => format!("{}:{}", self.host.0, port.0),
            (None, None) => "nothing".into(),
        };
        match (&self.search_regex, self.state) {
            (Some(regex), State::Started | State::Present) => format!("search string {} in {what}", regex.0),
            (_, State::Stopped | State::Absent) if self.path.is_none() => format!("{what} to stop"),
            (_, State::Stopped | State::Absent) => format!("{what} to be absent"),
            (_, State::Drained) => format!("{what} to drain"),
            _ => what,
        }
    }
}

impl Module for WaitFor {
    const NAME: &'static str = "wait_for";
    const EXAMPLE: &'static str = "\
- wait_for:
    port: 8545
    timeout: 30
- wait_for:
    path: /var/lib/geth/geth.ipc";
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        if self.port.is_some() && self.path.is_some() {
            return Err(Failure::new("wait_for takes `port` or `path`, not both"));
        }
        if self.state == State::Drained && self.port.is_none() {
            return Err(Failure::new("`state: drained` needs a `port`"));
        }
        let regex = match &self.search_regex {
            Some(Text(text)) => Some(
                regex::bytes::RegexBuilder::new(text)
                    .multi_line(true)
                    .build()
                    .map_err(|error| Failure::new(format!("`search_regex` is not a regular expression: {error}")))?,
            ),
            None => None,
        };
        if cx.check {
            let skipped = [("skipped", Value::from(true)), ("msg", "does not wait in check mode".into())];
            return Ok(skipped.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        }
        let started = Instant::now();
        let deadline = started + seconds(self.timeout);
        cx.system.rest(seconds(self.delay))?;
        let found = if self.port.is_none() && self.path.is_none() {
            cx.system.rest(deadline.saturating_duration_since(Instant::now()))?;
            Found::default()
        } else {
            loop {
                if let Some(found) = self.look(cx.system, regex.as_ref(), deadline)? {
                    break found;
                }
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    let message = format!("Timeout when waiting for {}", self.target());
                    let message = self.msg.as_ref().map_or(message, |msg| msg.0.clone());
                    return Err(Failure::new(message).with("elapsed", started.elapsed().as_secs()));
                }
                cx.system.rest(seconds(self.sleep).max(Duration::from_millis(100)).min(left))?;
            }
        };
        let mut output = Map::from_iter([
            ("state".to_owned(), self.state.word().into()),
            ("port".to_owned(), self.port.map(|port| port.0).into()),
            ("path".to_owned(), self.path.clone().into()),
            ("search_regex".to_owned(), self.search_regex.clone().map(|regex| regex.0).into()),
            ("match_groups".to_owned(), found.groups.into()),
            ("match_groupdict".to_owned(), Value::Object(found.named)),
            ("elapsed".to_owned(), started.elapsed().as_secs().into()),
        ]);
        if let Some(path) = &self.path {
            // `state` is then what it is, as everywhere where a file is described.
            output.extend(describe(cx.system, &cx.system.expand(path)?)?);
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::json;
    use std::io::Write;
    use std::net::TcpListener;

    #[test]
    fn a_port_that_answers_is_waited_for_no_longer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let host = Host::new();
        let outcome = host.run("wait_for", json!({"port": port, "timeout": 10})).unwrap();
        assert!(!outcome.changed());
        assert_output(&outcome.output, json!({"state": "started", "port": port, "elapsed": 0}));
        drop(listener);
        assert!(host.run("wait_for", json!({"port": port, "state": "stopped", "timeout": 10})).is_ok());
    }

    #[test]
    fn the_end_of_patience_is_told_in_the_users_words() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = Host::new();
        let message = host.fails("wait_for", json!({"port": port, "timeout": 0}));
        assert_eq!(message, format!("Timeout when waiting for 127.0.0.1:{port}"));
        let message = host.fails("wait_for", json!({"path": "/ipc", "timeout": 0, "msg": "geth is not up"}));
        assert_eq!(message, "geth is not up");
    }

    #[test]
    fn a_pattern_is_searched_in_a_file_and_its_groups_are_returned() {
        let host = Host::new();
        host.file("/log", "starting\nlistening on 8545\n");
        let args = json!({"path": "/log", "search_regex": "^listening on (?P<port>\\d+)$", "timeout": 0});
        let output = host.run("wait_for", args).unwrap().output;
        assert_output(&output, json!({"match_groups": ["8545"], "match_groupdict": {"port": "8545"}}));
        assert!(host.fails("wait_for", json!({"path": "/log", "search_regex": "nope", "timeout": 0})).contains("nope"));
    }

    #[test]
    fn a_pattern_is_searched_in_what_a_port_says() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"SSH-2.0-x\r\n").unwrap());
        let args = json!({"port": port, "search_regex": "SSH-(\\d)", "timeout": 10});
        let output = Host::new().run("wait_for", args).unwrap().output;
        assert_output(&output, json!({"match_groups": ["2"]}));
        server.join().unwrap();
    }

    #[test]
    fn connections_are_read_from_the_kernels_tables() {
        let host = Host::new();
        // 0100007F is 127.0.0.1 on machines that put the low byte first.
        let peer = format!("{:08X}", u32::from_ne_bytes([10, 0, 0, 7]));
        let table = format!("  sl  local rem st\n   0: 0100007F:2161 {peer}:D431 01 0:0 0:0 0 1000 0 4711\n");
        host.file("/proc/net/tcp", table);
        host.file("/proc/net/tcp6", "  sl\n");
        let busy = json!({"port": 0x2161, "state": "drained", "timeout": 0});
        assert!(host.fails("wait_for", busy).ends_with("to drain"));
        let excluded = json!({"port": 0x2161, "state": "drained", "timeout": 0, "exclude_hosts": ["10.0.0.7"]});
        assert!(host.run("wait_for", excluded).is_ok());
        assert!(host.run("wait_for", json!({"port": 1, "state": "drained", "timeout": 0})).is_ok());
    }
}
