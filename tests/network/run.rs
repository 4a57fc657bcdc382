//! Runs a playbook against the demo's hosts and reads what happened from its events.

use crate::agent;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One test at a time uses the demo's hosts.
pub fn turn() -> MutexGuard<'static, ()> {
    static HOSTS: Mutex<()> = Mutex::new(());
    HOSTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a run left.
pub struct Run {
    pub exit: i32,
    /// Everything that it printed.
    pub text: String,
    events: Vec<Value>,
}

/// The checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn command(playbook: &str, arguments: &[&str]) -> Command {
    assert!(
        root().join(".lab/demo.yml").exists(),
        "the demo's hosts are not there: run `make test`, or `tests/lab/lab up demo`"
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
    command.env("CHAINWRIGHT_AGENT", agent::stripped());
    command.current_dir(root()).args(["playbook", "--json", "-i", "inventories/demo", "-e", "@.lab/demo.yml"]);
    command.arg(format!("playbooks/{playbook}")).args(arguments).stdin(Stdio::null());
    command
}

/// Runs a playbook to its end.
pub fn play(playbook: &str, arguments: &[&str]) -> Run {
    finish(command(playbook, arguments))
}

/// Runs a command of Chainwright's that tells its events, to its end.
pub fn finish(mut command: Command) -> Run {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&stdout).into_owned();
    let events = stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    Run { exit: status.code().unwrap_or(-1), text: stdout + &String::from_utf8_lossy(&stderr), events }
}

impl Run {
    /// How many steps changed something.
    pub fn changed(&self) -> u64 {
        let recap = self.events.iter().find_map(|event| event.get("recap")?.as_object());
        recap.expect("a recap").values().filter_map(|counts| counts["changed"].as_u64()).sum()
    }

    /// Host, task, item and diffs of every step that changed something or would, in order.
    pub fn changes(&self) -> Vec<String> {
        let mut tasks = BTreeMap::new();
        let mut changes = Vec::new();
        for event in &self.events {
            match event["event"].as_str() {
                Some("task_started") => _ = tasks.insert(event["task"].as_u64(), event["name"].to_string()),
                Some("step_done") if event["status"] == "changed" => {
                    let task = tasks.get(&event["task"].as_u64()).cloned().unwrap_or_default();
                    changes.push(format!("{} {task} {}", event["host"], event["diffs"]));
                }
                _ => {}
            }
        }
        changes
    }

    /// Whether a step proved this.
    pub fn proves(&self, claim: &str) -> bool {
        let proofs = self.events.iter().filter_map(|event| event.get("proofs")?.as_array()).flatten();
        proofs.filter_map(|proof| proof["claim"].as_str()).any(|known| known == claim)
    }

    /// The evidence, a line each: `host: claim: evidence`.
    pub fn proofs(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for event in &self.events {
            let host = event["host"].as_str().unwrap_or_default();
            for proof in event["proofs"].as_array().into_iter().flatten() {
                let text = |name: &str| proof[name].as_str().unwrap_or_default().to_owned();
                lines.push(format!("{host}: {}: {}", text("claim"), text("evidence")));
            }
        }
        lines
    }

    /// The hosts on which a module ran, in order; skipped ones are left out.
    pub fn hosts_of(&self, module: &str) -> Vec<&str> {
        let mut modules = BTreeMap::new();
        let mut hosts = Vec::new();
        for event in &self.events {
            match event["event"].as_str() {
                Some("task_started") => _ = modules.insert(event["task"].as_u64(), event["module"].as_str()),
                Some("step_done")
                    if event["status"] != "skipped" && modules.get(&event["task"].as_u64()) == Some(&Some(module)) =>
                {
                    hosts.extend(event["host"].as_str());
                }
                _ => {}
            }
        }
        hosts
    }
}

/// A run that goes on.
pub struct Going {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// Starts a playbook.
pub fn start(playbook: &str, arguments: &[&str]) -> Going {
    let mut child = command(playbook, arguments).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    Going { child, lines }
}

impl Going {
    /// Reads its output until these texts have come, one after the other.
    pub fn wait_for(&mut self, texts: &[&str]) {
        for text in texts {
            let found = self.lines.by_ref().map_while(Result::ok).any(|line| line.contains(text));
            assert!(found, "the run ended before `{text}`");
        }
    }

    /// Ctrl-C, and again once it has said what that would do. Returns the exit code.
    pub fn interrupt_twice(mut self) -> i32 {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::INT).unwrap();
        self.wait_for(&["press Ctrl-C again"]);
        kill_process(pid, Signal::INT).unwrap();
        self.lines.by_ref().for_each(drop);
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

/// Runs again while the network is still held: agents of a dead controller take a moment to notice.
pub fn until_free(attempt: impl Fn() -> Run) -> Run {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let run = attempt();
        if !run.text.contains("is held by") || Instant::now() > deadline {
            return run;
        }
        std::thread::park_timeout(Duration::from_secs(1));
    }
}

/// Runs a shell command on a host, past Chainwright.
pub fn on(host: &str, script: &str) -> String {
    let mut ssh = Command::new("ssh");
    ssh.current_dir(env!("CARGO_MANIFEST_DIR")).args(["-F", ".lab/ssh_config", host, script]).stdin(Stdio::null());
    let Output { status, stdout, stderr } = ssh.output().unwrap();
    assert!(status.success(), "{host}: {script}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).into_owned()
}

/// When geth's process on a host was started.
pub fn geth_started(host: &str) -> String {
    on(host, "systemctl show -p ExecMainStartTimestampMonotonic --value geth")
}

/// Copies a file from one host to another.
pub fn copy(from: &str, path: &str, to: &str, target: &str) {
    let script = format!("ssh -F .lab/ssh_config {from} cat {path} | ssh -F .lab/ssh_config {to} 'cat > {target}'");
    let status = Command::new("sh").current_dir(env!("CARGO_MANIFEST_DIR")).args(["-c", &script]).status().unwrap();
    assert!(status.success(), "{path} is not copied from {from} to {to}");
}

/// Whether something comes true in time.
pub fn until(seconds: u64, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !holds() {
        if Instant::now() > deadline {
            return false;
        }
        // Asking is work, for the machine on which all of it runs.
        std::thread::park_timeout(Duration::from_millis(300));
    }
    true
}
