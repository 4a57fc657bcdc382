//! The network of `make demo`: made, proven, restarted in order, broken on purpose and mended. Its tests share its hosts, so they take
//! turns.

mod doctor;
mod half_built;
mod refused;
mod restart;

use crate::run::{self, on, play, turn};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

const SEALERS: [&str; 3] = ["sealer1", "sealer2", "sealer3"];

/// Whether the last test left the network whole.
static IS_WHOLE: AtomicBool = AtomicBool::new(false);

/// The network stands and is proven, whatever an earlier test left: a sealer that is down comes back, and one that still runs
/// with an old configuration (the stats server's secret is new after its host was) takes the new one.
fn network() {
    if IS_WHOLE.swap(false, Ordering::Relaxed) || play("verify.yml", &[]).exit == 0 {
        return;
    }
    let mut run = play("site.yml", &[]);
    if run.exit == 2 {
        let restart = play("restart.yml", &[]);
        assert_eq!(restart.exit, 0, "{}", restart.text);
        run = play("site.yml", &[]);
    }
    assert_eq!(run.exit, 0, "{}", run.text);
}

/// The last words of a test that has left the network as it found it, or as a playbook has just proven it: the next one need not
/// prove it once more.
fn left_whole() {
    IS_WHOLE.store(true, Ordering::Relaxed);
}

#[test]
fn a_second_run_changes_nothing_and_proves_all_again() {
    let _turn = turn();
    network();
    play("site.yml", &[]);
    let run = play("site.yml", &[]);
    assert_eq!(run.exit, 0, "{}", run.text);
    assert_eq!(run.changed(), 0, "{}", run.text);
    for claim in ["one genesis", "one chain", "the head rises", "every sealer seals", "the stats server sees all nodes"]
    {
        assert!(run.proves(claim), "{claim}: {}", run.text);
    }
    left_whole();
}

/// The controller's own files, the lab's disks aside, that hold one of these.
fn files_here_with(secrets: &[String]) -> String {
    let script = "grep -rlF -f - inventories playbooks roles .lab/*.yml .lab/ssh_config .lab/known_hosts \
                  \"${XDG_CACHE_HOME:-$HOME/.cache}/chainwright\" || true";
    let mut grep = Command::new("sh");
    grep.current_dir(run::root()).args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut grep = grep.spawn().unwrap();
    let lines: Vec<&str> = secrets.iter().map(|it| it.trim()).collect();
    grep.stdin.take().unwrap().write_all(lines.join("\n").as_bytes()).unwrap();
    String::from_utf8(grep.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn secrets_stay_on_their_hosts() {
    let _turn = turn();
    network();
    let run = play("site.yml", &["-vvv", "-D"]);
    let secrets = [
        on("sealer1", "cat /var/lib/geth/password"),
        on("sealer1", "cat /var/lib/geth/geth/nodekey"),
        on("ethstats1", "cat /etc/ethstats/secret"),
    ];
    for secret in &secrets {
        assert!(secret.trim().len() >= 40 && !run.text.contains(secret.trim()));
        for host in ["sealer1", "ethstats1"] {
            let seen = on(
                host,
                &format!("(journalctl --no-pager; ps -eo args) | grep -v grep | grep -c -e {} || true", secret.trim()),
            );
            assert_eq!(seen.trim(), "0", "{host}");
        }
    }
    assert_eq!(files_here_with(&secrets), "");
    let modes = on(
        "sealer1",
        "stat -c '%a %U' /var/lib/geth /var/lib/geth/keystore /var/lib/geth/password /var/lib/geth/geth/nodekey",
    );
    assert_eq!(modes.lines().collect::<Vec<_>>(), ["700 geth", "700 geth", "400 geth", "400 geth"]);
    left_whole();
}

#[test]
fn all_nodes_have_the_same_genesis_and_sealers_answer_nobody_but_their_own_machine() {
    let _turn = turn();
    network();
    let sum = |host: &str| on(host, "sha256sum /etc/geth/genesis.json");
    for host in ["sealer1", "sealer2", "sealer3", "bootnode1"] {
        assert_eq!(sum(host), sum("rpc1"), "{host}");
    }
    for host in SEALERS {
        // What geth listens on: other nodes, and its authenticated port, which it does not do without, on the loopback.
        let ports = on(host, "ss -lntupH | grep geth | awk '{print $1, $5}' | sort");
        let ports: Vec<&str> = ports.lines().filter(|it| !it.ends_with(":30303")).collect();
        assert_eq!(ports, ["tcp 127.0.0.1:8551"], "{host}");
        assert_eq!(on(host, "ss -lnuH | grep -c :30303 || true").trim(), "0", "{host} takes part in discovery");
    }
    left_whole();
}

#[test]
fn the_units_are_sandboxed_run_as_users_of_their_own_and_their_logs_are_capped() {
    let _turn = turn();
    network();
    for (host, unit) in [("sealer1", "geth"), ("rpc1", "geth"), ("bootnode1", "geth"), ("ethstats1", "ethstats")] {
        let line = on(host, &format!("systemd-analyze security --no-pager {unit}.service | tail -1"));
        let level = line.split_whitespace().find_map(|word| word.parse::<f64>().ok());
        assert!(level.is_some_and(|level| level < 4.0), "{host}: {line}");
        let user = on(host, &format!("ps -o user= -p $(systemctl show -p MainPID --value {unit})"));
        assert_eq!(user.trim(), unit, "{host}");
        // The cap that the running journald has, not only the one in a file.
        let journal = on(host, "journalctl --quiet -u systemd-journald -o cat | grep -F 'System Journal' | tail -1");
        assert!(journal.contains("max 500.0M"), "{host}: {journal}");
    }
    left_whole();
}

#[test]
fn a_node_that_knows_only_the_bootnode_finds_the_network_and_syncs() {
    let _turn = turn();
    network();
    // The stats host has no geth: it gets the program and the genesis, and nothing else of the network.
    for (from, to) in [("/opt/geth/1.13.15/geth", "/tmp/stranger"), ("/etc/geth/genesis.json", "/tmp/stranger.json")] {
        run::copy("rpc1", from, "ethstats1", to);
    }
    let enode = on("bootnode1", "/opt/geth/1.13.15/geth attach --exec admin.nodeInfo.enode /var/lib/geth/geth.ipc");
    on(
        "ethstats1",
        &format!(
            "chmod 755 /tmp/stranger; /tmp/stranger --datadir /tmp/stranger-data init /tmp/stranger.json 2>&1 && systemd-run -q \
             --collect --unit stranger /tmp/stranger --datadir /tmp/stranger-data --networkid 46781 --syncmode full \
             --nat extip:$(hostname -I | cut -d' ' -f1) --bootnodes {}",
            enode.trim().trim_matches('"')
        ),
    );
    let number = |host: &str, geth: &str, ipc: &str| -> u64 {
        let said = on(host, &format!("{geth} attach --exec eth.blockNumber {ipc} 2>/dev/null || echo 0"));
        said.trim().parse().unwrap_or(0)
    };
    let head = number("sealer1", "/opt/geth/1.13.15/geth", "/var/lib/geth/geth.ipc");
    assert!(head > 0);
    let synced = run::until(120, || number("ethstats1", "/tmp/stranger", "/tmp/stranger-data/geth.ipc") >= head);
    let log =
        on("ethstats1", "journalctl -u stranger -n 20 --no-pager; systemctl stop stranger; rm -rf /tmp/stranger*");
    assert!(synced, "the head is {head}; the stranger says\n{log}");
    left_whole();
}
