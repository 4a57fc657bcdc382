//! The hosts of a ceremony, and what each party has on its own desk.

use crate::agent;
use crate::plain::{Ended, Hosts, address, run};
use crate::run::root;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An organisation and its host.
pub(crate) type Party = (&'static str, &'static str);

/// The public key of the private key 1.
pub(crate) const LIAR: &str = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
pub(crate) const SECRET: &str = "2TcE2AOsMqlWsWm3MNWVRXjyRSWtBPOXNgCdqh1oCrw=";
pub(crate) const WRONG_SECRET: &str = "AAAA2AOsMqlWsWm3MNWVRXjyRSWtBPOXNgCdqh1oCrw=";

/// A way to the records.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// The ordinary resolver.
    Honest,
    /// Some answers are the attacker's: see ceremony/attack.yml.
    Lies,
    /// Whole zones are the attacker's.
    Usurped,
    /// Every answer is the first that was ever given.
    Replayed,
}

/// Far more than anything takes on a busy machine; it is waited so long only for what never comes.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

/// Organisations with a host and a zone each, the host of the root and the resolver, and that of an attacker.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
    registry: &'static str,
    attacker: Option<&'static str>,
    _hosts: Hosts,
}

/// A playbook that runs.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Lab {
    pub(crate) fn new(parties: &[Party], registry: &'static str, attacker: Option<&'static str>) -> Self {
        let hosts: Vec<&str> = parties.iter().map(|(_, host)| *host).chain([registry]).chain(attacker).collect();
        let lab = Self { folder: tempfile::tempdir().unwrap(), registry, attacker, _hosts: Hosts::take(&hosts) };
        lab.inventory("all", parties);
        for one in parties {
            // Nobody has more than the operator sent, and his own host.
            lab.inventory(one.0, &[*one]);
        }
        lab
    }

    /// Writes the inventory of a folder.
    pub(crate) fn inventory(&self, folder: &str, parties: &[Party]) {
        let party = |(name, host): &Party| {
            format!(
                "    {name}: {{ansible_host: {host}, ceremony_fqdn: node.{name}.example, ceremony_address: '{}'}}\n",
                address(host)
            )
        };
        let head = format!(
            "all:\n  vars:\n    ansible_ssh_common_args: '-F {}'\n    ceremony_resolvers: ['{}']\n    \
             ceremony_trust_anchor: '{}'\n    ceremony_dns: {{server: 127.0.0.1, key_file: /etc/knot/tsig.key}}\n    \
             ceremony_ttl: 1\n    ceremony_interval: 1\n    ceremony_timeout: 600\n    ceremony_name: lab\n    \
             ceremony_chain_id: 46781\n    ceremony_period: 2\n    \
             ceremony_alloc: {{'fqdn://node.alpha.example': {{balance: '0x33b2e3c9fd0803ce8000000'}}}}\nceremony:\n  hosts:\n",
            root().join(".lab/ssh_config").display(),
            self.resolver(Way::Honest),
            self.path("all/root.key").display(),
        );
        let parties: String = parties.iter().map(party).collect();
        let registry = self.registry;
        let attacker =
            self.attacker.map(|host| format!("attackers:\n  hosts:\n    mallory: {{ansible_host: {host}}}\n"));
        let others = format!("root_servers:\n  hosts:\n    registry: {{ansible_host: {registry}}}\n");
        let text = format!("{head}{parties}{others}{}", attacker.unwrap_or_default());
        self.write(&format!("{folder}/hosts.yml"), &text);
    }

    fn resolver(&self, way: Way) -> String {
        let attacker = self.attacker.unwrap_or(self.registry);
        let (host, port) = match way {
            Way::Honest => (self.registry, 5335),
            Way::Lies => (attacker, 5336),
            Way::Usurped => (attacker, 5337),
            Way::Replayed => (attacker, 5338),
        };
        format!("{}:{port}", address(host))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
        command.env("CHAINWRIGHT_AGENT", agent::stripped()).current_dir(self.path("all")).args(arguments);
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn play(&self, inventory: &str, playbook: &Path, more: &[&str]) -> Command {
        let lab_addresses = format!("@{}", root().join(".lab/plain.yml").display());
        let inventory = self.path(inventory).join("hosts.yml");
        let playbook = playbook.display().to_string();
        let fixed = ["playbook", "-i", inventory.to_str().unwrap(), "-e", &lab_addresses, &playbook];
        self.command(&[fixed.as_slice(), more].concat())
    }

    /// The zones and the resolver.
    pub(crate) fn dns(&self) {
        let (right, wrong) = (format!("tsig_secret={SECRET}"), format!("wrong_secret={WRONG_SECRET}"));
        run(&mut self.play("all", &labs("dns.yml"), &["-e", &right, "-e", &wrong])).expect(0);
    }

    /// The attacker.
    pub(crate) fn attack(&self) {
        let (secret, key) = (format!("tsig_secret={SECRET}"), format!("liar_key={LIAR}"));
        run(&mut self.play("all", &labs("attack.yml"), &["-e", &secret, "-e", &key])).expect(0);
    }

    /// The operator makes sheet and template, and sends them to these.
    pub(crate) fn send_out(&self, parties: &[Party], more: &[&str]) {
        run(&mut self.play("all", &ours("ceremony-template.yml"), more)).expect(0);
        for (name, _) in parties {
            for file in ["sheet.json", "genesis-template.json"] {
                std::fs::copy(self.path("all").join(file), self.path(name).join(file)).unwrap();
            }
        }
    }

    /// An organisation begins its side of the ceremony.
    pub(crate) fn begin(&self, name: &str) -> Running {
        let log = self.path(name).join("log");
        let file = std::fs::File::create(&log).unwrap();
        let mut command = self.play(name, &ours("ceremony.yml"), &["-vv"]);
        command.stdout(file.try_clone().unwrap()).stderr(file);
        Running { child: command.spawn().unwrap(), log }
    }

    /// `chainwright ceremony resolve` on the controller, with what the operator sent or with another sheet of this folder.
    pub(crate) fn resolve(&self, way: Way, more: &[&str]) -> Ended {
        let resolver = self.resolver(way);
        let sheet = if more.contains(&"--sheet") { &[][..] } else { &["--sheet", "sheet.json"] };
        let fixed = ["ceremony", "resolve", "--trust-anchor", "root.key", "--resolver", &resolver, "--interval", "1"];
        run(&mut self.command(&[fixed.as_slice(), sheet, more].concat()))
    }

    /// Looks, and looks again, until all of this is told; what was told with it. A busy resolver may be late with an answer
    /// at first, or have a former one for a second.
    #[track_caller]
    pub(crate) fn told(&self, way: Way, more: &[&str], wanted: &[&str]) -> String {
        until(1, wanted, || self.resolve(way, &[&["--timeout", "0"], more].concat()))
    }
}

/// The program of the nodes, as start.yml takes it.
pub(crate) fn geth() -> String {
    format!("geth={}", root().join(".lab/geth/1.13.15/geth").display())
}

pub(crate) fn ours(name: &str) -> PathBuf {
    root().join("playbooks").join(name)
}

pub(crate) fn labs(name: &str) -> PathBuf {
    root().join("tests/network/ceremony").join(name)
}

/// Everybody's side of it ends well.
#[track_caller]
pub(crate) fn end(running: Vec<Running>) {
    for one in running {
        one.ends(0);
    }
}

/// Runs it until it ends with this code and has said all of this.
#[track_caller]
pub(crate) fn until(code: i32, wanted: &[&str], mut look: impl FnMut() -> Ended) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ended = look();
        if ended.code == code && wanted.iter().all(|text| ended.text.contains(text)) {
            return ended.text;
        }
        assert!(Instant::now() < deadline, "{} is not {code}, or it says not {wanted:?}: {}", ended.code, ended.text);
    }
}

impl Running {
    fn text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until it has said this.
    #[track_caller]
    pub(crate) fn says(&mut self, wanted: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.text().contains(wanted) {
            let runs = self.child.try_wait().unwrap().is_none();
            assert!(runs && Instant::now() < deadline, "it has not said `{wanted}`: {}", self.text());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until it ends, with this code; what it has said.
    #[track_caller]
    pub(crate) fn ends(mut self, code: i32) -> String {
        let ended = self.child.wait().unwrap().code();
        assert_eq!(ended, Some(code), "{}", self.text());
        self.text()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
