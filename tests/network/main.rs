//! The demo network, for real: six booted hosts, real geth, built, proven, restarted in order, and troubled.
//!
//! The tests share one network and take turns; each leaves it sealing. `make test` boots the hosts.

#[path = "../hosts/agent.rs"]
mod agent;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

static NETWORK: Mutex<bool> = Mutex::new(false);
const SEALERS: [&str; 3] = ["sealer1", "sealer2", "sealer3"];
const NODES: [&str; 5] = ["sealer1", "sealer2", "sealer3", "bootnode1", "rpc1"];

/// The checkout whose hosts are used: this one, unless `CHAINWRIGHT_LAB` names another.
fn checkout() -> PathBuf {
    std::env::var_os("CHAINWRIGHT_LAB").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

fn lab_file(name: &str) -> PathBuf {
    checkout().join(".lab").join(name)
}

/// How a run ended.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text) || self.err.contains(text), "`{text}` is missing\n{}\n{}", self.out, self.err);
        self
    }

    /// The events of a `--json` run.
    fn events(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}

fn start(playbook: &str, args: &[&str]) -> Child {
    let config = lab_file("ssh_config");
    assert!(config.is_file(), "no lab: run `make test`, or `tests/lab/lab up demo` as root");
    let vars = format!("@{}", lab_file("demo.yml").display());
    Command::new(env!("CARGO_BIN_EXE_chainwright"))
        .args(["playbook", "-i", "inventories/demo", "-e", &vars])
        .args(["-e", &format!("ansible_ssh_common_args='-F {}'", config.display())])
        .args(args)
        .arg(format!("playbooks/{playbook}"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env("CHAINWRIGHT_AGENT", agent::stripped())
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("chainwright starts")
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().expect("it ends");
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn run(playbook: &str, args: &[&str]) -> Ran {
    ended(start(playbook, args))
}

/// What a command of root's prints on a host.
fn try_shell(host: &str, command: &str) -> Result<String, String> {
    let output = Command::new("ssh")
        .arg("-F")
        .arg(lab_file("ssh_config"))
        .args(["-o", "LogLevel=ERROR", host, command])
        .stdin(Stdio::null())
        .output()
        .expect("ssh");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[track_caller]
fn shell(host: &str, command: &str) -> String {
    try_shell(host, command).unwrap_or_else(|said| panic!("{host}: `{command}` failed: {said}"))
}

fn until<T>(what: &str, within: Duration, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {within:?}");
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

/// The network, built: nobody else uses it until this is dropped.
fn network() -> MutexGuard<'static, bool> {
    let mut built = NETWORK.lock().unwrap_or_else(PoisonError::into_inner);
    if !*built {
        run("site.yml", &[]).code(0);
        *built = true;
    }
    built
}

/// When the node's process was started, in systemd's words; changes with every start.
fn started(host: &str) -> String {
    shell(host, "systemctl show -p ExecMainStartTimestampMonotonic --value geth.service")
}

#[test]
fn a_second_run_changes_nothing_and_proves_the_network_again() {
    let _network = network();
    let keys = |host| shell(host, "cat /var/lib/geth/geth/nodekey /var/lib/geth/keystore/* 2>/dev/null | sha256sum");
    let before: Vec<String> = NODES.iter().map(|host| keys(host)).collect();
    let processes: Vec<String> = NODES.iter().map(|host| started(host)).collect();
    let ran = run("site.yml", &["--json"]).code(0);
    let last = ran.events().pop().expect("an end");
    for (host, counts) in last["recap"].as_object().expect("a recap") {
        assert_eq!(counts["changed"], 0, "{host} has changed something\n{}", ran.out);
    }
    assert_eq!(before, NODES.iter().map(|host| keys(host)).collect::<Vec<_>>(), "a key is another");
    assert_eq!(processes, NODES.iter().map(|host| started(host)).collect::<Vec<_>>(), "a node was restarted");
}

#[test]
fn nothing_of_the_network_runs_as_root_and_the_units_are_confined() {
    let _network = network();
    for host in NODES {
        assert_ne!(shell(host, "ps -o user= -p $(systemctl show -p MainPID --value geth.service)"), "root", "{host}");
        let said = shell(host, "systemd-analyze security --no-pager geth.service | tail -1");
        let exposure = said.split_whitespace().find_map(|word| word.parse::<f64>().ok()).expect("a number");
        assert!(exposure < 4.0, "{host}: {said}");
    }
    for host in SEALERS {
        let modes = shell(host, "stat -c '%a %n' /var/lib/geth /var/lib/geth/geth/nodekey /var/lib/geth/keystore/*");
        assert!(modes.lines().all(|line| line.starts_with("700 ") || line.starts_with("400 ")), "{host}: {modes}");
        let listening = shell(host, "ss -Hltn | awk '{print $4}'");
        assert!(!listening.contains(":8545"), "{host} answers HTTP RPC: {listening}");
        let argv = shell(host, "tr '\\0' ' ' < /proc/$(systemctl show -p MainPID --value geth.service)/cmdline");
        assert!(!argv.contains("allow-insecure-unlock"), "{argv}");
    }
}

#[test]
fn a_restart_takes_the_sealers_in_order_and_proves_each() {
    let _network = network();
    let before: Vec<String> = SEALERS.iter().map(|host| started(host)).collect();
    let ran = run("restart.yml", &["--json"]).code(0);
    let events = ran.events();
    let mut order: Vec<String> = Vec::new();
    let mut proofs: Vec<String> = Vec::new();
    for event in events.iter().filter(|event| event["event"] == "step_done") {
        for proof in event["proofs"].as_array().into_iter().flatten() {
            proofs.push(format!("{} {}", proof["claim"], proof["evidence"]));
            let host = event["host"].as_str().expect("a host").to_owned();
            if proof["evidence"].as_str().is_some_and(|seen| seen.contains("Blockchain stopped"))
                && !order.contains(&host)
            {
                order.push(host);
            }
        }
    }
    assert_eq!(order, ["sealer2", "sealer3", "sealer1"], "{proofs:#?}");
    for (host, before) in SEALERS.iter().zip(before) {
        assert_ne!(started(host), before, "{host} was not restarted");
    }
}

#[test]
fn a_sealer_that_cannot_come_back_stops_the_run_before_the_next_is_touched() {
    let _network = network();
    let before = [started("sealer3"), started("sealer1")];
    // The program is gone when systemd starts it again: the stop goes well, the start cannot.
    let binary = shell("sealer2", "readlink -f /proc/$(systemctl show -p MainPID --value geth.service)/exe");
    shell("sealer2", &format!("mv {binary} {binary}.away"));
    let ran = run("restart.yml", &[]);
    shell("sealer2", &format!("mv {binary}.away {binary}"));
    ran.code(2).says("sealer2");
    assert_eq!(before, [started("sealer3"), started("sealer1")], "a later sealer was touched");
    // A later run picks up from there.
    run("restart.yml", &[]).code(0);
}

#[test]
fn a_sealer_that_is_down_for_good_forbids_to_stop_another() {
    let _network = network();
    let before = started("sealer2");
    shell("sealer3", "systemctl mask --now geth.service 2>&1; systemctl stop geth.service");
    let ran = run("restart.yml", &[]);
    shell("sealer3", "systemctl unmask geth.service 2>&1");
    ran.code(2).says("sealer3");
    assert_eq!(before, started("sealer2"), "sealer2 was stopped although sealer3 was down");
    run("site.yml", &[]).code(0);
}

#[test]
fn two_runs_against_one_network_do_not_mix() {
    let _network = network();
    let mut first = start("restart.yml", &["--json"]);
    let held = "ls /run/chainwright/*.lock && ! flock -n $(ls /run/chainwright/*.lock) true";
    until("the first run holds the lock", Duration::from_secs(30), || {
        assert!(first.try_wait().expect("a child").is_none(), "the first run is over already");
        try_shell("sealer1", held).ok()
    });
    run("restart.yml", &[]).code(2).says("since");
    assert_eq!(ended(first).code(0).code, 0);
}

#[test]
fn a_node_that_knows_only_the_bootnode_finds_the_network_and_syncs() {
    let _network = network();
    let key = shell("bootnode1", "cat /var/lib/geth/geth/nodekey");
    let node_key = chainwright::chain::NodeKey::from_hex(key.trim()).expect("a node key");
    let address = |host: &str| {
        let text = std::fs::read_to_string(lab_file("ssh_config")).expect("the lab's configuration");
        let (_, after) = text.split_once(&format!("Host {host}\n")).expect("the host");
        after.split_whitespace().nth(1).expect("an address").to_owned()
    };
    let enode = format!("enode://{}@{}:30303", node_key.public_key(), address("bootnode1"));
    let command = format!(
        "systemctl stop stranger 2>/dev/null; rm -rf /tmp/stranger; mkdir /tmp/stranger && \
         geth=/tmp/stranger/bin; cp /tmp/stranger-geth $geth && \
         $geth --datadir /tmp/stranger/data init /tmp/stranger-genesis.json && \
         systemd-run -q --collect --unit stranger $geth --datadir /tmp/stranger/data --networkid $(grep -o '\"chainId\":[ 0-9]*' \
         /tmp/stranger-genesis.json | tr -dc 0-9) --syncmode full --nat extip:{} --port 30399 --bootnodes {enode}",
        address("ethstats1")
    );
    // The stats host has no geth: it gets the program and the genesis, and nothing else of the network.
    for (from, to) in [("/opt/geth/1.13.15/geth", "stranger-geth"), ("/etc/geth/genesis.json", "stranger-genesis.json")]
    {
        let config = lab_file("ssh_config");
        let pipe = format!(
            "ssh -F {0} rpc1 cat {from} | ssh -F {0} ethstats1 'cat > /tmp/{to}; chmod 755 /tmp/{to}'",
            config.display()
        );
        assert!(Command::new("sh").args(["-c", &pipe]).status().expect("sh").success(), "{from} is not copied");
    }
    shell("ethstats1", &command);
    let ask = |host: &str, ipc: &str, what: &str| {
        let geth = if host == "ethstats1" { "/tmp/stranger/bin" } else { "/opt/geth/1.13.15/geth" };
        try_shell(host, &format!("{geth} attach --exec '{what}' {ipc}")).ok()
    };
    let head = ask("sealer1", "/var/lib/geth/geth.ipc", "eth.blockNumber").expect("a head");
    let head: u64 = head.parse().expect("a number");
    until("the stranger is in sync", Duration::from_secs(90), || {
        let seen: u64 = ask("ethstats1", "/tmp/stranger/data/geth.ipc", "eth.blockNumber")?.parse().ok()?;
        (seen >= head).then_some(())
    });
    shell("ethstats1", "systemctl stop stranger; rm -rf /tmp/stranger*");
}
