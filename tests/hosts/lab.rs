//! The booted hosts: who uses which, shells on them, and what can happen to them.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

const HOSTS: [&str; 4] = ["host1", "host2", "host3", "host4"];

static FREE: Mutex<Option<Vec<&'static str>>> = Mutex::new(None);
static RETURNED: Condvar = Condvar::new();

/// The checkout whose hosts are used: this one, unless `CHAINWRIGHT_LAB` names another.
fn checkout() -> PathBuf {
    std::env::var_os("CHAINWRIGHT_LAB").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// A file of the lab's state.
pub fn file(name: &str) -> PathBuf {
    checkout().join(".lab").join(name)
}

/// The configuration with which `ssh` reaches the hosts.
pub fn ssh_config() -> PathBuf {
    let path = file("ssh_config");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let up = HOSTS.iter().all(|host| text.lines().any(|line| line == format!("Host {host}")));
    assert!(up, "no lab: run `make test`, or `tests/lab/lab up plain {}` as root", HOSTS.len());
    path
}

/// A host that nobody else uses until this is dropped.
pub struct Host(&'static str);

impl Host {
    /// Waits for a host to be free, of what the test before left there, too: where that has killed an agent, a shell of ours still
    /// has two seconds to end what the agent had begun.
    pub fn take() -> Self {
        let host = Self::next();
        host.until("is free of agents", Duration::from_secs(10), "! ps -eo args | grep '[c]hainwright'");
        host
    }

    fn next() -> Self {
        ssh_config();
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(host) = free.get_or_insert_with(|| HOSTS.to_vec()).pop() {
                return Self(host);
            }
            free = RETURNED.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What a command of root's prints there; it must succeed.
    pub fn shell(&self, command: &str) -> String {
        self.try_shell(command).unwrap_or_else(|said| panic!("{}: `{command}` failed: {said}", self.0))
    }

    /// What a command of root's prints there, or what it says when it fails.
    pub fn try_shell(&self, command: &str) -> Result<String, String> {
        let output = Command::new("ssh")
            .arg("-F")
            .arg(ssh_config())
            .args(["-o", "ControlPath=none", "-o", "LogLevel=ERROR", self.0, command])
            .stdin(Stdio::null())
            .output()
            .expect("ssh");
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Waits until a command of root's succeeds there.
    pub fn until(&self, what: &str, within: Duration, command: &str) {
        until(&format!("{} {what}", self.0), within, || self.try_shell(command).is_ok());
    }

    /// Takes the network link down, until the guard is dropped or healed.
    pub fn cut(&self) -> Trouble<'_> {
        lab(&["cut", self.0]);
        Trouble { host: self, remedy: "heal", over: false }
    }

    /// Cuts the power, until the guard is dropped or healed.
    pub fn kill(&self) -> Trouble<'_> {
        lab(&["kill", self.0]);
        Trouble { host: self, remedy: "boot", over: false }
    }
}

impl Deref for Host {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken again last, so that a playbook finds the hosts in turn.
        free.get_or_insert_default().insert(0, self.0);
        RETURNED.notify_one();
    }
}

/// Something is wrong with a host; it ends with this value, even if the test fails.
pub struct Trouble<'a> {
    host: &'a Host,
    remedy: &'static str,
    over: bool,
}

impl Trouble<'_> {
    /// The host is well again.
    pub fn heal(mut self) {
        self.over = true;
        lab(&[self.remedy, self.host]);
    }
}

impl Drop for Trouble<'_> {
    fn drop(&mut self) {
        if !self.over {
            lab(&[self.remedy, self.host]);
        }
    }
}

fn lab(arguments: &[&str]) {
    let output = Command::new(checkout().join("tests/lab/lab"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("tests/lab/lab starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "lab {arguments:?}: {said}");
}

/// A new folder for a test's files, gone with the value.
pub fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("hosts-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

/// Waits until `true`; panics at the deadline.
pub fn until(what: &str, within: Duration, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not within {within:?}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// The folder with one playbook a module.
pub fn module_playbooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/modules")
}
