//! A project on the plain hosts, as `chainwright init` writes it and a user goes on with it.

use crate::agent;
use crate::run::root;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use tempfile::TempDir;

/// Plain hosts that one test has for itself, as new as nobody had them before; others may have other hosts meanwhile.
pub struct Hosts {
    names: Vec<&'static str>,
}

/// The hosts that tests have now, and a bell for when some are given back.
static TAKEN: (Mutex<Vec<&'static str>>, Condvar) = (Mutex::new(vec![]), Condvar::new());

impl Hosts {
    /// Waits until all of them are free.
    pub fn take(names: &[&'static str]) -> Self {
        assert!(
            root().join(".lab/plain.yml").exists(),
            "no plain hosts: run `make test`, or `tests/lab/lab up plain 15`"
        );
        let (taken, given_back) = &TAKEN;
        let taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        let any_taken = |taken: &mut Vec<&str>| names.iter().any(|name| taken.contains(name));
        let mut taken = given_back.wait_while(taken, any_taken).unwrap_or_else(PoisonError::into_inner);
        taken.extend(names);
        drop(taken);
        let hosts = Self { names: names.to_vec() };
        assert!(hosts.lab("renew"), "{names:?} are not as new");
        hosts
    }

    fn lab(&self, command: &str) -> bool {
        let status = Command::new("tests/lab/lab").current_dir(root()).arg(command).args(&self.names).status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let spent = self.lab("spend");
        let (taken, given_back) = &TAKEN;
        taken.lock().unwrap_or_else(PoisonError::into_inner).retain(|name| !self.names.contains(name));
        given_back.notify_all();
        assert!(spent || std::thread::panicking(), "{:?} go on running", self.names);
    }
}

/// The project.
pub struct Project {
    folder: TempDir,
    _hosts: Hosts,
}

/// Where a host is.
pub fn address(host: &str) -> String {
    let lab = std::fs::read_to_string(root().join(".lab/plain.yml")).unwrap();
    let found = lab.lines().find_map(|line| line.trim().strip_prefix(host)?.strip_prefix(": "));
    found.unwrap_or_else(|| panic!("{host} has no address")).trim_matches('"').to_owned()
}

/// Where it is in IPv6.
pub fn address6(host: &str) -> String {
    let lab = std::fs::read_to_string(root().join(".lab/plain.yml")).unwrap();
    let (_, lab) = lab.split_once("lab_addresses6:").expect("addresses in IPv6");
    let found = lab.lines().find_map(|line| line.trim().strip_prefix(host)?.strip_prefix(": "));
    found.unwrap_or_else(|| panic!("{host} has no address in IPv6")).trim_matches('"').to_owned()
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Ended { code: output.status.code().unwrap_or(-1), text }
}

/// How a command ended.
pub struct Ended {
    pub code: i32,
    pub text: String,
}

impl Project {
    /// `chainwright init net --sealer host1 ...`, with other hosts by their options, and what it printed.
    pub fn init(sealers: &[&'static str], others: &[(&str, &'static str)]) -> (Self, String) {
        let root = root();
        let names: Vec<&'static str> = sealers.iter().chain(others.iter().map(|(_, host)| host)).copied().collect();
        let hosts = Hosts::take(&names);
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("net")).unwrap();
        let project = Self { folder, _hosts: hosts };
        let ssh = format!("-F {}", root.join(".lab/ssh_config").display());
        let geth = root.join(".lab/geth/1.13.15/geth").display().to_string();
        let mut arguments = vec!["init", ".", "--period", "2", "--client", &geth, "--ssh-common-args", &ssh];
        arguments.extend(sealers.iter().flat_map(|host| ["--sealer", host]));
        arguments.extend(others.iter().flat_map(|(option, host)| [*option, *host]));
        let made = project.chainwright(&arguments).expect(0);
        (project, made)
    }

    /// This checkout's own inventories, playbooks and roles, to be changed at will.
    pub fn of_checkout(hosts: &[&'static str]) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap(), _hosts: Hosts::take(hosts) };
        std::fs::create_dir(project.folder.path().join("net")).unwrap();
        let mut copy = Command::new("cp");
        copy.current_dir(root()).args(["-a", "inventories", "playbooks", "roles"]).arg(project.path("."));
        assert!(copy.status().unwrap().success());
        project
    }

    /// A file of the project's.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("net").join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Runs `chainwright` in the project's folder.
    pub fn chainwright(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
        command.current_dir(self.path(".")).env("CHAINWRIGHT_AGENT", agent::stripped()).args(arguments);
        run(command.stdin(Stdio::null()))
    }

    /// Runs a playbook.
    pub fn play(&self, playbook: &str, arguments: &[&str]) -> Ended {
        let playbook = format!("playbooks/{playbook}");
        self.chainwright(&[&["playbook", "-i", "inventories/main", &playbook], arguments].concat())
    }
}

impl Ended {
    /// Panics unless it ended with this code; what it printed.
    #[track_caller]
    pub fn expect(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}", self.text);
        self.text
    }
}
