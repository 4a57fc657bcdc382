//! Reaching hosts: whose key is not the one we know, that are not there, and that nothing of ours is left on.

use crate::lab::{self, Host};
use crate::run::{run, start_over};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PING: &str = "- hosts: all\n  gather_facts: false\n  tasks:\n    - ping:\n    - command: id -un\n      changed_when: false\n      register: me\n    - assert: {that: me.stdout == expected}\n";

fn write(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file in the test's folder");
    path
}

/// A new public key, as `known_hosts` wants it.
fn another_key(folder: &Path) -> String {
    let key = folder.join("other");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    assert!(made.expect("ssh-keygen").success());
    std::fs::read_to_string(key.with_extension("pub")).expect("a public key")
}

fn address(host: &str) -> String {
    let config = std::fs::read_to_string(lab::ssh_config()).expect("ssh_config");
    let mut lines = config.lines().skip_while(|line| *line != format!("Host {host}"));
    lines.nth(1).and_then(|line| line.trim().strip_prefix("HostName ")).expect("an address").to_owned()
}

#[test]
fn root_is_reached_and_nothing_of_ours_runs_there_afterwards() {
    let (host, folder) = (Host::take(), lab::folder());
    let playbook = write(folder.path(), "ping.yml", PING);
    let ended = run(&playbook, &["-i", &format!("{},", &*host), "-e", "expected=root"]).expect(0);
    assert_eq!(ended.recap().0[&*host].ok, 3);
    let left = host.shell("ps -eo args | grep '[c]hainwright' || true");
    assert_eq!(left, "", "an agent was left running");
}

#[test]
fn a_host_that_is_not_there_costs_code_4_and_the_others_go_on() {
    let (host, folder) = (Host::take(), lab::folder());
    let playbook = write(folder.path(), "ping.yml", PING);
    // Nothing listens at port 1 of this machine.
    let inventory = write(folder.path(), "hosts", &format!("gone ansible_host=127.0.0.1 ansible_port=1\n{}\n", &*host));
    let ended = run(&playbook, &["-i", &inventory.display().to_string(), "-e", "expected=root"]).expect(4);
    let recap = ended.recap();
    assert_eq!((recap.0["gone"].unreachable, recap.0["gone"].ok), (1, 0));
    assert_eq!(recap.0[&*host].ok, 3, "{ended}");
    let trouble = ended.trouble();
    assert!(
        trouble.contains("cannot reach gone: ssh: connect to host 127.0.0.1 port 1: Connection refused"),
        "{trouble}"
    );
    assert!(trouble.contains("ansible_port"), "what to do: {trouble}");
}

#[test]
fn a_host_whose_key_has_changed_is_refused_and_the_way_out_is_named() {
    let (host, folder) = (Host::take(), lab::folder());
    let playbook = write(folder.path(), "ping.yml", PING);
    let other = another_key(folder.path());
    let known = write(folder.path(), "known_hosts", &format!("{} {other}", address(&host)));
    let ended = run_knowing(&known, &playbook, &host);
    let trouble = ended.expect(4).trouble();
    assert!(trouble.starts_with(&format!("the host key of {} has changed (SHA256:", &*host)), "{trouble}");
    assert!(trouble.contains("ssh-keygen -f"), "{trouble}");
    assert_eq!(std::fs::read_to_string(&known).unwrap(), format!("{} {other}", address(&host)), "still the old key");
}

#[test]
fn a_host_whose_key_is_unknown_is_refused_and_not_remembered() {
    let (host, folder) = (Host::take(), lab::folder());
    let playbook = write(folder.path(), "ping.yml", PING);
    let known = write(folder.path(), "known_hosts", "");
    let ended = run_knowing(&known, &playbook, &host);
    let trouble = ended.expect(4).trouble();
    assert!(trouble.starts_with(&format!("the host key of {} is unknown: refused", &*host)), "{trouble}");
    assert_eq!(std::fs::read_to_string(&known).unwrap(), "");
}

/// An ssh-agent that holds the lab's key, until it is dropped.
struct KeyAgent(Child);

impl KeyAgent {
    fn at(socket: &Path) -> Self {
        let agent = Command::new("ssh-agent").arg("-D").arg("-a").arg(socket).stdout(Stdio::null()).spawn();
        let agent = Self(agent.expect("ssh-agent"));
        lab::until("ssh-agent answers", Duration::from_secs(20), || {
            let mut add = Command::new("ssh-add");
            add.arg("-q").arg(lab::file("key")).env("SSH_AUTH_SOCK", socket).stderr(Stdio::null());
            add.status().is_ok_and(|status| status.success())
        });
        agent
    }
}

impl Drop for KeyAgent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Only the first host can resolve the name of the second, and only the agent has the key.
#[test]
fn a_host_behind_another_is_reached_with_a_key_that_only_an_agent_has() {
    let (jump, host, folder) = (Host::take(), Host::take(), lab::folder());
    let socket = folder.path().join("agent");
    let _agent = KeyAgent::at(&socket);
    let config = format!(
        "Host behind\n HostName {}\n ProxyJump jump\nHost jump\n HostName {}\nHost *\n User root\n IdentityFile none\n IdentityAgent {}\n \
         UserKnownHostsFile {}\n StrictHostKeyChecking yes\n",
        &*host,
        address(&jump),
        socket.display(),
        lab::file("known_hosts").display()
    );
    let config = write(folder.path(), "ssh_config", &config);
    let playbook = write(folder.path(), "ping.yml", PING);
    let arguments = ["--json", "-i", "behind,", "-e", "expected=root"];
    let ended = start_over(&format!("-F {}", config.display()), &playbook, &arguments).end().expect(0);
    assert_eq!(ended.recap().0["behind"].ok, 3, "{ended}");
    assert_eq!(host.shell("ps -eo args | grep '[c]hainwright agent' || true"), "");
}

fn run_knowing(known: &Path, playbook: &Path, host: &str) -> crate::run::Ended {
    let ssh = format!("-F {} -o UserKnownHostsFile={}", lab::ssh_config().display(), known.display());
    start_over(&ssh, playbook, &["--json", "-i", &format!("{host},")]).end_within(Duration::from_mins(1))
}
