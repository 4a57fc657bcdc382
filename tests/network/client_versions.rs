//! One inventory on several versions of geth, and a live network taken from the oldest to the newest, node by node.

use crate::agent;
use crate::plain::Hosts;
use crate::run::{Run, finish, geth_started, on};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const HOSTS: [&str; 4] = ["host1", "host2", "host3", "host4"];

/// Runs a playbook on the plain hosts with this version pinned; nothing else of the inventory changes.
fn play(playbook: &str, version: &str, more: &Value) -> Run {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut extra: Map<String, Value> = more.as_object().cloned().unwrap_or_default();
    extra.insert("geth_version".into(), version.into());
    extra.insert("lab_geths".into(), geth(version).parent().unwrap().display().to_string().into());
    extra.insert("lab_geth_sums".into(), json!({version: sum(version)}));
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
    command.env("CHAINWRIGHT_AGENT", agent::stripped());
    command.current_dir(root).args([
        "playbook",
        "--json",
        "-i",
        "tests/network/versions",
        "-e",
        "@.lab/plain.yml",
        "-e",
    ]);
    command.arg(Value::from(extra).to_string()).arg(format!("playbooks/{playbook}")).stdin(Stdio::null());
    let run = finish(command);
    for line in run.proofs() {
        println!("{playbook} {version}: {line}");
    }
    run
}

/// The folder of a built geth; built now if it is not there.
pub fn geth(version: &str) -> PathBuf {
    let mut build = Command::new("tests/lab/geth");
    let done = build.current_dir(env!("CARGO_MANIFEST_DIR")).arg(version).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    PathBuf::from(String::from_utf8(done.stdout).unwrap().trim())
}

fn sum(version: &str) -> String {
    let sums = std::fs::read_to_string(geth(version).join("SHA256SUMS")).unwrap();
    sums.lines().find_map(|line| line.strip_suffix("  geth")).unwrap().to_owned()
}

/// Nothing of a network is left on the hosts.
fn wipe() {
    for host in HOSTS {
        on(
            host,
            "systemctl disable --now -q geth 2>/dev/null; rm -rf /var/lib/geth /etc/geth /etc/systemd/system/geth.service",
        );
    }
}

/// What a host's node says to a line of geth's console.
fn ask(host: &str, line: &str) -> String {
    let geth = on(host, "systemctl show -p ExecStart --value geth | grep -o '/opt/geth/[^ ;]*/geth' | head -n 1");
    on(host, &format!("{} attach --exec '{line}' /var/lib/geth/geth.ipc", geth.trim()))
        .trim()
        .trim_matches('"')
        .to_owned()
}

fn versions() -> [String; 4] {
    HOSTS.map(|host| {
        let said = ask(host, "web3.version.node");
        said.trim_start_matches("Geth/v").split('-').next().unwrap_or_default().to_owned()
    })
}

/// Makes the network with this version, and proves it; a second run changes nothing.
fn make(version: &str) {
    let run = play("site.yml", version, &Value::Null);
    assert_eq!(run.exit, 0, "{version}: {}", run.text);
    for claim in ["one genesis", "one chain", "the head rises", "every sealer seals"] {
        assert!(run.proves(claim), "{version}: {claim}: {}", run.text);
    }
    assert_eq!(versions(), [version; 4]);
    let again = play("site.yml", version, &Value::Null);
    assert_eq!((again.exit, again.changed()), (0, 0), "{version}: {}", again.text);
}

/// The oldest is made where the live network begins.
#[test]
fn the_same_inventory_runs_on_younger_ages_of_geth() {
    let _hosts = Hosts::take(&HOSTS);
    for version in ["1.10.26", "1.13.15"] {
        wipe();
        make(version);
    }
}

#[test]
fn a_live_network_goes_through_five_versions_and_never_halts() {
    let _hosts = Hosts::take(&HOSTS);
    make("1.9.25");
    let genesis = ask("host1", "eth.getBlock(0).hash");
    let first: u64 = ask("host1", "eth.blockNumber").parse().unwrap();

    // Nodes of these two are no peers: refused, with the way to go.
    let started = HOSTS.map(geth_started);
    let direct = play("upgrade.yml", "1.10.26", &Value::Null);
    assert_eq!(direct.exit, 2, "{}", direct.text);
    assert!(direct.text.contains("go through 1.10.8, 1.10.26, one after the other"), "{}", direct.text);
    let site = play("site.yml", "1.10.8", &Value::Null);
    assert_eq!(site.exit, 2, "{}", site.text);
    assert!(site.text.contains("playbooks/upgrade.yml takes a live network there"), "{}", site.text);
    assert_eq!(started, HOSTS.map(geth_started));

    // A version that does not come up on host2: host2 goes back, host3 and host1 are not touched.
    let wrong = "{{ ['--ethstats nonsense'] if inventory_hostname == 'host2' else [] }}";
    let failed = play("upgrade.yml", "1.10.8", &json!({"geth_extra_flags": wrong}));
    assert_eq!(failed.exit, 2, "{}", failed.text);
    assert!(
        failed.text.contains("host2 is back at 1.9.25, and proven: 1.10.8 did not prove itself"),
        "{}",
        failed.text
    );
    assert_eq!(failed.hosts_of("eth_stop"), ["host4", "host2"]);
    assert_eq!(versions(), ["1.9.25", "1.9.25", "1.9.25", "1.10.8"]);
    let after = HOSTS.map(geth_started);
    assert_eq!((&started[0], &started[2]), (&after[0], &after[2]), "neither host1 nor host3 is restarted");

    let by_hand: u64 = ask("host1", "eth.blockNumber").parse().unwrap();

    // As if the controller had died after a node was told of a version that does not come up, and once before after another: both go
    // back before all else, whether they seal or not.
    for host in ["host2", "host4"] {
        on(
            host,
            "set -e; systemctl stop geth; test ! -e BEFORE; mkdir -m 700 BEFORE; cp -a UNIT BEFORE/unit; cp -a /etc/geth/config.toml BEFORE/config; \
             if [ -e PEERS ]; then cp -a PEERS BEFORE/peers; fi; sed -i 's|^ExecStart=[^ ]*|& --no-such-flag|' UNIT; systemctl daemon-reload"
                .replace("BEFORE", "/etc/geth/before-upgrade").replace("UNIT", "/etc/systemd/system/geth.service").replace("PEERS", "/var/lib/geth/static-nodes.json").as_str(),
        );
    }
    let half = play("upgrade.yml", "1.10.8", &Value::Null);
    assert_eq!(half.exit, 2, "{}", half.text);
    let told = |host: &str| half.text.contains(&format!("an upgrade of {host} had ended half-way"));
    assert!(told("host2") || told("host4"), "{}", half.text);
    assert_eq!(versions(), ["1.9.25", "1.9.25", "1.9.25", "1.10.8"]);

    let mut heads = vec![];
    for (step, version) in ["1.10.8", "1.10.26", "1.13.2", "1.13.15"].into_iter().enumerate() {
        heads.push(ask("host1", "eth.blockNumber").parse().unwrap());
        let run = play("upgrade.yml", version, &Value::Null);
        assert_eq!(run.exit, 0, "{version}: {}", run.text);
        let stopped = run.hosts_of("eth_stop");
        assert_eq!(
            stopped,
            if step == 0 { &["host2", "host3", "host1"][..] } else { &["host4", "host2", "host3", "host1"] }
        );
        for claim in [
            "the same block 0",
            "the same forks before and after",
            "no block of its own under way",
            "state saved",
            "clean start",
            "has the block",
        ] {
            assert!(run.proves(claim), "{version}: {claim}: {}", run.text);
        }
        assert_eq!(versions(), [version; 4]);
    }
    let idle = play("upgrade.yml", "1.13.15", &Value::Null);
    assert_eq!((idle.exit, idle.changed()), (0, 0), "{}", idle.text);

    // One chain from the first block to the last, without a hole but where the test itself stopped two nodes.
    assert_eq!(ask("host1", "eth.getBlock(0).hash"), genesis);
    let head = ask("host1", "eth.blockNumber").parse().unwrap();
    println!("blocks {first} to {by_hand}, and those of the steps: {heads:?} to {head}");
    assert!(head > first + 60);
    assert_eq!(holes(first, by_hand) + &holes(heads[0], head), "", "steps began at {heads:?}");
}

/// Where the chain stood between two blocks: they come every second, and one sealer down costs some.
fn holes(from: u64, to: u64) -> String {
    let script = "var last = eth.getBlock(FROM).timestamp, holes = []; for (var i = FROM + 1; i <= TO; i++) { \
                  var time = eth.getBlock(i).timestamp; if (time - last > 12) holes.push(time - last + \" s before block \" + i); \
                  last = time }; holes.join(\", \")";
    ask("host1", &script.replace("FROM", &from.to_string()).replace("TO", &to.to_string()))
}
