//! `chainwright doctor` on the demo network, broken for real in fourteen ways: each is named, by its cause, and nothing that
//! only follows from it is.

use super::{SEALERS, network};
use crate::client_versions::geth;
use crate::run::{on, play, root, turn, until};
use crate::{agent, clock};
use chainwright::chain::lock::Genesis;
use serde_json::{Value, json};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a look at the network said.
struct Verdict {
    exit: i32,
    json: Value,
    text: String,
}

impl Verdict {
    /// `sealer-stopped sealer3`, in order; without what only says that a node has just been started.
    fn names(&self) -> Vec<String> {
        let findings = self.json["findings"].as_array().into_iter().flatten();
        let name = |finding: &Value| {
            let hosts: Vec<&str> = finding["hosts"].as_array()?.iter().filter_map(Value::as_str).collect();
            Some(format!("{} {}", finding["id"].as_str()?, hosts.join(",")))
        };
        let passing = |name: &String| ["starting ", "behind ", "alone "].iter().any(|id| name.starts_with(id));
        findings.filter_map(name).filter(|name| !passing(name)).collect()
    }

    fn healthy(&self) -> bool {
        self.exit == 0 && self.names().is_empty()
    }
}

fn doctor(arguments: &[&str]) -> Verdict {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
    command.env("CHAINWRIGHT_AGENT", agent::stripped()).current_dir(root()).stdin(Stdio::null());
    command.args(["doctor", "--json", "-i", "inventories/demo", "-e", "@.lab/demo.yml"]).args(arguments);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Verdict {
        exit: output.status.code().unwrap_or(-1),
        json: serde_json::from_str(&text).unwrap_or_default(),
        text: text + &String::from_utf8_lossy(&output.stderr),
    }
}

/// What names exactly these, as soon as it does: a node needs a moment to come up, or to miss its peers.
#[track_caller]
fn names(expected: &[&str]) -> Verdict {
    names_with(&[], expected)
}

/// The same, asked with arguments. Nothing at all is named of a network that is healthy.
#[track_caller]
fn names_with(arguments: &[&str], expected: &[&str]) -> Verdict {
    let wanted = |verdict: &Verdict| verdict.names() == expected && (!expected.is_empty() || verdict.healthy());
    let mut last = doctor(arguments);
    let found = until(60, || {
        if !wanted(&last) {
            last = doctor(arguments);
        }
        wanted(&last)
    });
    assert!(found, "expected {expected:?}, found {:?}: {}", last.names(), last.text);
    assert!(
        last.json["findings"].as_array().unwrap().iter().all(|finding| finding["remedy"].as_str().unwrap().len() > 10)
    );
    println!("{expected:?}");
    last
}

/// What is broken, and how it is mended: whatever a test comes to, the others find a whole network.
#[derive(Default)]
struct Wounds(Vec<(&'static str, String)>);

impl Wounds {
    /// Breaks a host with one script; the other mends it.
    fn wound(&mut self, host: &'static str, breaks: &str, mends: &str) -> String {
        self.0.push((host, mends.to_owned()));
        on(host, &format!("set -e; {breaks}"))
    }

    /// Starts a node with another command line.
    fn start(&mut self, host: &'static str, edit: &str) {
        let folder = "/run/systemd/system/geth.service.d";
        let line = "sed -n '/^ExecStart=/,/[^\\\\]$/p' /etc/systemd/system/geth.service | tr -d '\\\\\\n'";
        self.wound(
            host,
            &format!(
                "mkdir -p {folder}; (printf '[Service]\\nExecStart=\\n'; {line} | sed '{edit}'; echo) > {folder}/wound.conf; \
                 systemctl daemon-reload; systemctl restart geth"
            ),
            &format!("rm -r {folder}; systemctl daemon-reload; systemctl restart geth"),
        );
    }

    /// Mends everything, and sees that it is.
    #[track_caller]
    fn heal(&mut self) {
        while let Some((host, mends)) = self.0.pop() {
            on(host, &mends);
        }
        let mut last = doctor(&[]);
        let healed = until(120, || {
            last = doctor(&[]);
            last.healthy()
        });
        assert!(healed, "{}", last.text);
    }
}

impl Drop for Wounds {
    fn drop(&mut self) {
        while let Some((host, mends)) = self.0.pop() {
            let mut ssh = Command::new("ssh");
            _ = ssh.current_dir(root()).args(["-F", ".lab/ssh_config", host, &mends]).stdin(Stdio::null()).status();
        }
    }
}

/// Puts a program of this machine's onto a host.
fn put(program: &Path, host: &str, target: &str) {
    let mut ssh = Command::new("ssh");
    ssh.current_dir(root()).args(["-F", ".lab/ssh_config", host]);
    ssh.arg(format!("mkdir -p $(dirname {target}) && cat > {target} && chmod 755 {target}"));
    assert!(ssh.stdin(File::open(program).unwrap()).status().unwrap().success(), "{target} is not on {host}");
}

/// The network's lock, from what its hosts have.
fn lock() -> Value {
    let ask = |host: &str, line: &str| {
        let said = on(host, &format!("/opt/geth/1.13.15/geth attach --exec '{line}' /var/lib/geth/geth.ipc"));
        said.trim().trim_matches('"').to_owned()
    };
    let genesis = Genesis::of(&on("sealer1", "cat /etc/geth/genesis.json")).unwrap();
    let mut hosts = serde_json::Map::new();
    let mut signers = Vec::new();
    for (host, role) in [
        ("bootnode1", "bootnode"),
        ("rpc1", "rpc"),
        ("sealer1", "sealers"),
        ("sealer2", "sealers"),
        ("sealer3", "sealers"),
    ] {
        let enode = ask(host, "admin.nodeInfo.enode");
        let mut entry = json!({"roles": [role], "enode": enode});
        if role == "sealers" {
            let account = chainwright::chain::parse_address(&ask(host, "eth.coinbase")).unwrap();
            signers.push(account);
            entry["account"] = account.to_checksum(None).into();
        }
        hosts.insert(host.to_owned(), entry);
    }
    signers.sort_unstable();
    let signers: Vec<String> = signers.iter().map(|account| account.to_checksum(None)).collect();
    let sha256 = on("sealer1", "sha256sum < /opt/geth/1.13.15/geth");
    json!({"version": 1, "network": "demo", "chain_id": 46_781, "network_id": 46_781, "genesis": genesis, "signers": signers,
        "engine": {"name": "clique", "period": 2, "epoch": 30_000}, "hosts": hosts,
        "client": {"name": "geth", "version": "1.13.15", "sha256": sha256.split_whitespace().next()}})
}

#[test]
fn the_doctor_names_what_is_down_locked_open_or_old_and_why_a_chain_has_halted() {
    let _turn = turn();
    network();
    let mut wounds = Wounds::default();
    names(&[]);

    wounds.wound("sealer3", "systemctl stop geth", "systemctl start geth");
    wounds.wound("bootnode1", "systemctl stop geth", "systemctl start geth");
    let verdict = doctor(&[]);
    assert_eq!(verdict.names(), ["sealer-stopped sealer3", "bootnode-gone bootnode1"], "{}", verdict.text);
    assert_eq!((verdict.exit, &verdict.json["healthy"]), (2, &Value::Bool(false)));
    let verify = play("verify.yml", &[]);
    assert_eq!(verify.exit, 2, "{}", verify.text);
    for text in
        ["sealer-stopped: the sealer of sealer3 is stopped since", "bootnode-gone", "systemctl start geth.service"]
    {
        assert!(verify.text.contains(text), "`{text}` is missing: {}", verify.text);
    }

    put(&geth("1.13.2").join("geth"), "rpc1", "/opt/geth/old/geth");
    let account = wounds.wound(
        "rpc1",
        "umask 077; echo nobody > /run/password; chown geth /run/password; cd /; runuser -u geth -- /opt/geth/1.13.15/geth --datadir \
         /var/lib/geth account new --password /run/password 2>/dev/null | grep -o '0x[0-9a-fA-F]\\{40\\}'",
        "rm -rf /var/lib/geth/keystore/UTC* /run/password /opt/geth/old",
    );
    let unlock = format!(
        "s#/opt/geth/1.13.15/#/opt/geth/old/#; s#$# --unlock {} --password /run/password --allow-insecure-unlock#",
        account.trim()
    );
    wounds.start("rpc1", &unlock);
    let (down, open) = (["sealer-stopped sealer3", "bootnode-gone bootnode1"], "rpc-unlocked rpc1");
    let verdict = names(&[down[0], down[1], open, "other-client rpc1"]);
    let rpc = &verdict.json["findings"][2]["what"];
    assert!(rpc.as_str().unwrap().contains(":8545 can spend from the unlocked account 0x"), "{rpc}");

    wounds.start("sealer2", "s/--unlock [^ ]*//; s/--password [^ ]*//");
    let verdict =
        names(&[down[0], down[1], open, "sealer-locked sealer2", "other-client rpc1", "halted sealer2,sealer3"]);
    for text in [
        "authentication needed",
        "3 signers need 2, and only sealer1 can seal",
        "sealer2: its account is locked",
        "sealer3: it is stopped",
    ] {
        assert!(verdict.text.contains(text), "`{text}` is missing: {}", verdict.text);
    }
    wounds.heal();
}

#[test]
fn the_doctor_names_nodes_of_another_network_with_another_key_and_full_disks_and_kills() {
    let _turn = turn();
    network();
    let mut wounds = Wounds::default();
    wounds.wound(
        "rpc1",
        "systemctl stop geth; cd /var/lib/geth/geth; mkdir /root/aside; mv chaindata lightchaindata /root/aside; \
         sed 's/\"gasLimit\": *\"[^\"]*\"/\"gasLimit\": \"0x2000000\"/' /etc/geth/genesis.json > /tmp/other.json; cd /; \
         runuser -u geth -- /opt/geth/1.13.15/geth --datadir /var/lib/geth init /tmp/other.json 2>/dev/null; systemctl start geth",
        "systemctl stop geth; cd /var/lib/geth/geth; rm -r chaindata lightchaindata; mv /root/aside/* .; rmdir /root/aside; systemctl start geth",
    );
    wounds.start("bootnode1", "s/--networkid [0-9]*/--networkid 999/");
    let aside = "systemctl stop geth; mv /var/lib/geth/geth/nodekey /root/nodekey";
    let back = "systemctl stop geth; mv /root/nodekey /var/lib/geth/geth/nodekey; systemctl start geth";
    wounds.wound("sealer3", &format!("{aside}; systemctl start geth"), back);
    let verdict =
        names(&["other-genesis rpc1", "other-network-id bootnode1", "stale-peer sealer1,sealer2,rpc1,sealer3"]);
    assert!(verdict.text.contains("sealer1, sealer2 and rpc1 know sealer3 by an old key"), "{}", verdict.text);
    wounds.heal();

    let key = on("sealer1", "cat /var/lib/geth/geth/nodekey");
    let copy = format!(
        "{aside}; install -m 400 -o geth -g geth /dev/null /var/lib/geth/geth/nodekey; echo {} > /var/lib/geth/geth/nodekey",
        key.trim()
    );
    wounds.wound("rpc1", &format!("{copy}; systemctl start geth"), back);
    wounds.wound("sealer3", "systemctl kill -s KILL geth", "systemctl restart geth");
    // What the node had stays below the mount, and is there again without it.
    wounds.wound(
        "sealer2",
        "systemctl stop geth; mkdir /mnt/small; mount -t tmpfs -o size=300m tmpfs /mnt/small; cp -a /var/lib/geth/. /mnt/small; \
         head -c 100M /dev/zero > /mnt/small/filler; chown geth:geth /mnt/small; chmod 700 /mnt/small; mount --bind /mnt/small /var/lib/geth; \
         systemctl start geth",
        "systemctl stop geth; umount /var/lib/geth; umount /mnt/small; rmdir /mnt/small; systemctl start geth",
    );
    let verdict = names(&["disk-full sealer2", "same-node-key sealer1,rpc1", "unclean-shutdown sealer3"]);
    for text in ["Low disk space", "its node has ended itself", "Unclean shutdown detected"] {
        assert!(verdict.text.contains(text), "`{text}` is missing: {}", verdict.text);
    }
    assert!(!verdict.text.contains(key.trim()), "a key stays where it is");
    wounds.heal();
}

#[test]
fn the_doctor_names_wrong_clocks_and_cut_links_and_is_not_fooled_by_anothers_lock() {
    let _turn = turn();
    network();
    let mut wounds = Wounds::default();
    // Programs end where their headers say: what is behind that makes another one of it, which does the same.
    let ahead = format!("/opt/geth/ahead-{}", std::process::id());
    wounds.wound(
        "sealer3",
        &format!("mkdir {ahead}; cp /opt/geth/1.13.15/geth {ahead}; echo >> {ahead}/geth"),
        &format!("rm -r {ahead}"),
    );
    wounds.start("sealer3", &format!("s#/opt/geth/1.13.15/#{ahead}/#"));
    clock::put_ahead(&format!("{ahead}/geth"), 60);
    let verdict = names(&["clock sealer3", "other-program sealer3"]);
    assert!(
        verdict.text.contains("the clock of the node of sealer3 is 60 s ahead: others refuse its blocks"),
        "{}",
        verdict.text
    );
    wounds.heal();

    let addresses = on("sealer1", "getent hosts sealer2 sealer3 rpc1 bootnode1 | cut -d' ' -f1");
    let cut = |address| format!("ip route add unreachable {address}; ss -K dst {address} || true");
    wounds.wound(
        "sealer1",
        &addresses.lines().map(cut).collect::<Vec<_>>().join("; "),
        "ip route flush type unreachable",
    );
    let verdict = names(&["partition sealer1"]);
    for text in [" | sealer1\"", "sealer1 does not reach sealer2 at ", "No route to host"] {
        assert!(verdict.text.contains(text), "`{text}` is missing: {}", verdict.text);
    }
    wounds.heal();
    assert_eq!(SEALERS.len(), doctor(&["-l", "sealers"]).json["hosts"].as_array().unwrap().len());

    // The lock that the members of this very network would have agreed upon, and three that differ.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("network.lock");
    let against = |change: &dyn Fn(&mut Value), expected: &[&str]| {
        let mut lock = lock();
        change(&mut lock);
        std::fs::write(&file, lock.to_string()).unwrap();
        let verdict = names_with(&["--lock", file.to_str().unwrap()], expected);
        assert_eq!(verdict.exit, if expected.is_empty() { 0 } else { 2 }, "{}", verdict.text);
        verdict
    };
    let verdict = against(&|_| {}, &[]);
    assert!(verdict.json["compared_with"].as_str().unwrap().starts_with("the lock of demo ("), "{}", verdict.text);
    against(
        &|lock| lock["genesis"]["hash"] = format!("0x{}", "1".repeat(64)).into(),
        &["other-lock sealer1,sealer2,sealer3,bootnode1,rpc1"],
    );
    against(
        &|lock| lock["hosts"]["sealer2"]["enode"] = lock["hosts"]["sealer1"]["enode"].clone(),
        &["other-node-key sealer2"],
    );
    against(&|lock| _ = lock["hosts"].as_object_mut().unwrap().shift_remove("rpc1"), &["not-in-lock rpc1"]);
}
