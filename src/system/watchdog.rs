//! Ends a program whose agent was killed: SIGKILL gives the agent no chance to do it, and a program that nobody waits for
//! would go on behind the next run's back.
//!
//! A shell reads from a pipe whose other end only the agent holds. A line says that the program is over; the end of the pipe
//! without one, that the agent is. A program that is soon over gets none: it costs nothing there.

use rustix::process::Pid;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Programs that run for longer than this are watched.
pub const AFTER: Duration = Duration::from_millis(500);

/// Between the two signals there is as long as when the agent itself ends a program.
const SCRIPT: &str = "read over && exit; kill -TERM -$1; sleep 2; kill -KILL -$1";

/// Watches one process group until it is dropped.
pub struct Watchdog(Child);

impl Watchdog {
    /// Watches a process group. `None` if there is no shell: then it is as it would be without.
    pub fn over(group: Pid) -> Option<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", SCRIPT, "chainwright-watchdog", &group.as_raw_nonzero().to_string()]);
        shell.process_group(0).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        shell.spawn().ok().map(Self)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.0.stdin.take() {
            let _ = pipe.write_all(b"over\n");
        }
        let _ = self.0.wait();
    }
}
