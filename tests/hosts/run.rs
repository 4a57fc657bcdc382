//! One run of `chainwright playbook`: started, interrupted, awaited, and what it said.

use crate::{agent, lab};
use chainwright::base::event::Done;
use chainwright::base::{Event, Recap};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// No run of these tests takes as long, except if something hangs.
const LONGEST: Duration = Duration::from_mins(2);

/// A run that goes on. Dropping it ends it.
pub struct Running {
    child: Child,
    printed: TempDir,
}

/// A run that is over.
pub struct Ended {
    /// The exit code; of one that was killed, 128 and the signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Starts `chainwright playbook --json PLAYBOOK ...` on the lab's hosts.
pub fn start(playbook: &Path, arguments: &[&str]) -> Running {
    start_over(&format!("-F {}", lab::ssh_config().display()), playbook, &[&["--json"], arguments].concat())
}

/// Starts `chainwright playbook PLAYBOOK ...` with these options for ssh.
pub fn start_over(ssh: &str, playbook: &Path, arguments: &[&str]) -> Running {
    let printed = lab::folder();
    let file = |name| File::create(printed.path().join(name)).expect("a file for the output");
    let child = Command::new(env!("CARGO_BIN_EXE_chainwright"))
        .arg("playbook")
        .args(["--ssh-common-args", ssh])
        .args(arguments)
        .arg(playbook)
        .env("CHAINWRIGHT_AGENT", agent::stripped())
        .env_remove("ANSIBLE_INVENTORY")
        // A group of its own, as a terminal gives it: Ctrl-C reaches all of the group.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(file("stdout"))
        .stderr(file("stderr"))
        .spawn()
        .expect("chainwright starts");
    Running { child, printed }
}

/// Runs to its end.
pub fn run(playbook: &Path, arguments: &[&str]) -> Ended {
    start(playbook, arguments).end()
}

impl Running {
    /// Ctrl-C in its terminal.
    pub fn interrupt(&self) {
        kill_process_group(Pid::from_child(&self.child), Signal::INT).expect("it runs");
    }

    /// Kills the controller alone, as the kernel does when memory is short.
    pub fn kill(&self) {
        kill_process(Pid::from_child(&self.child), Signal::KILL).expect("it runs");
    }

    /// Whether its output has this text by now.
    pub fn has_said(&self, text: &str) -> bool {
        self.said("stdout").contains(text)
    }

    /// Whether it is over.
    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Waits for its end.
    pub fn end(self) -> Ended {
        self.end_within(LONGEST)
    }

    /// Waits for its end, which must come in time.
    pub fn end_within(mut self, within: Duration) -> Ended {
        let mut status = None;
        let deadline = std::time::Instant::now() + within;
        while status.is_none() && std::time::Instant::now() < deadline {
            status = self.child.try_wait().expect("a child");
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let (stdout, stderr) = (self.said("stdout"), self.said("stderr"));
        let status = status.unwrap_or_else(|| panic!("not over within {within:?}\n{stdout}\n{stderr}"));
        Ended { code: code(status), stdout, stderr }
    }

    fn said(&self, name: &str) -> String {
        let bytes = std::fs::read(self.printed.path().join(name)).expect("its output");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

impl Ended {
    /// The events, one a line of standard output.
    pub fn events(&self) -> Vec<Event> {
        let event = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(event).collect()
    }

    /// The steps that ended.
    pub fn steps(&self) -> Vec<Done> {
        let step = |event| if let Event::StepDone(done) = event { Some(done) } else { None };
        self.events().into_iter().filter_map(step).collect()
    }

    /// The recap.
    pub fn recap(&self) -> Recap {
        let recap = |event| if let Event::RunEnded { recap, .. } = event { Some(recap) } else { None };
        self.events().into_iter().find_map(recap).unwrap_or_else(|| panic!("no recap: {self}"))
    }

    /// How many steps changed something, over all hosts.
    pub fn changed(&self) -> usize {
        self.recap().0.values().map(|counts| counts.changed).sum()
    }

    /// Panics unless it ended with this code.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// The message and the help of the one step that failed or found no host.
    pub fn trouble(&self) -> String {
        use chainwright::base::event::Status::{Failed, Unreachable};
        let bad: Vec<_> = self.steps().into_iter().filter(|done| matches!(done.status, Failed | Unreachable)).collect();
        assert_eq!(bad.len(), 1, "one step in trouble: {self}");
        let message = bad[0].result["msg"].as_str().expect("a message").to_owned();
        [message].into_iter().chain(bad[0].help.clone()).collect::<Vec<_>>().join("\n")
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {}\n{}\n{}", self.code, self.stdout, self.stderr)
    }
}
