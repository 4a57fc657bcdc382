//! An Aura consortium on hosts of their own: each makes its key, only public parts travel, systemd runs a fake of the client.

use crate::agent;
use crate::plain::{Hosts, address};
use crate::run::{Run, finish, on, root};
use serde_json::json;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const HOSTS: [&str; 3] = ["host5", "host6", "host7"];
const FAKE: &str = "tests/network/consortium/fake_openethereum";

/// An inventory of the three hosts; the variables of all of them.
fn inventory() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let hosts: serde_json::Map<_, _> =
        HOSTS.iter().map(|host| ((*host).to_owned(), json!({"node_address": address(host)}))).collect();
    let sha256 = Command::new("sha256sum").arg(root().join(FAKE)).output().unwrap().stdout;
    let vars = json!({
        "ansible_ssh_common_args": format!("-F {}", root().join(".lab/ssh_config").display()),
        "parity_name": "ours", "parity_network_id": 9917, "parity_step_duration": 3, "parity_peers_timeout": 20,
        "parity_source": root().join(FAKE), "parity_sha256": String::from_utf8_lossy(&sha256[..64]),
        "parity_options": {"force-sealing": true, "logging": "engine=trace"},
        "parity_validators": {"multi": {"0": {"list": ["host7", "host5"]}, "100": {"list": HOSTS}}},
    });
    let text = json!({"authorities": {"hosts": hosts, "vars": vars}}).to_string();
    std::fs::write(folder.path().join("hosts.yml"), text).unwrap();
    folder
}

fn play(inventory: &TempDir, playbook: &str, more: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
    command.env("CHAINWRIGHT_AGENT", agent::stripped()).current_dir(root()).stdin(Stdio::null());
    command.args(["playbook", "--json", "-i"]).arg(inventory.path().join("hosts.yml"));
    finish({
        command.arg(format!("playbooks/{playbook}")).args(more);
        command
    })
}

#[test]
fn each_authority_makes_its_own_key_and_all_are_connected() {
    let _hosts = Hosts::take(&HOSTS);
    let inventory = inventory();
    let check = play(&inventory, "consortium-aura.yml", &["-C", "-D"]);
    assert_eq!(check.exit, 0, "{}", check.text);
    assert_eq!(on("host5", "ls -d /etc/parity /var/lib/parity /opt/openethereum 2>/dev/null; true"), "");
    let first = play(&inventory, "consortium-aura.yml", &["-vvv", "-D"]);
    assert_eq!(first.exit, 0, "{}", first.text);
    for host in HOSTS {
        assert!(first.text.contains(&format!("{host}: 2 of 2")), "{}", first.text);
        for secret in ["network/key", "password"] {
            let secret = on(host, &format!("cat /var/lib/parity/{secret}"));
            assert!(!first.text.contains(secret.trim()), "a secret of {host} is on the screen");
        }
        let modes = on(
            host,
            "cd /var/lib/parity; stat -c '%a %U %n' . network network/key keys keys/ours password; stat -c '%a %U' keys/ours/UTC--*",
        );
        let wanted = "700 parity .\n700 parity network\n400 parity network/key\n700 parity keys\n700 parity keys/ours\n400 parity password\n400 parity\n";
        assert_eq!(modes, wanted, "{host}");
        let unit =
            on(host, "systemctl show parity -p TimeoutStopUSec -p User -p ProtectSystem; systemctl is-enabled parity");
        for line in ["TimeoutStopUSec=5min", "User=parity", "ProtectSystem=strict", "enabled"] {
            assert!(unit.lines().any(|there| there == line), "{line}: {unit}");
        }
    }
    for public in ["spec.json", "reserved_peers"] {
        let sums: Vec<String> = HOSTS.iter().map(|host| on(host, &format!("sha256sum /etc/parity/{public}"))).collect();
        assert!(sums.iter().all(|sum| *sum == sums[0]), "{public}: {sums:?}");
    }
    let second = play(&inventory, "consortium-aura.yml", &[]);
    assert_eq!((second.exit, second.changed()), (0, 0), "{}", second.text);

    // With N-2 peers both of the others say who is missing.
    let stopped =
        on("host6", "systemctl stop parity; systemctl show -p Result --value parity; journalctl -u parity -o cat");
    assert!(stopped.starts_with("success") && stopped.contains("Finishing work"), "{stopped}");
    let verify = play(&inventory, "consortium-verify.yml", &["-e", "parity_peers_timeout=2"]);
    assert_eq!(verify.exit, 2, "{}", verify.text);
    for said in ["host5 has 1 of 2 peers", "host7 has 1 of 2 peers", "host6 missing", "host6 does not tell its peers"] {
        assert!(verify.text.contains(said), "{said}: {}", verify.text);
    }
    // What is changed by hand comes back, the authority that is down too, and the others are not restarted.
    let started = on("host5", "systemctl show -p ExecMainStartTimestampMonotonic --value parity");
    assert_eq!(play(&inventory, "consortium-aura.yml", &[]).exit, 0);
    assert_eq!(on("host5", "systemctl show -p ExecMainStartTimestampMonotonic --value parity"), started);
    // Another setting restarts those that run.
    let changed = play(&inventory, "consortium-aura.yml", &["-e", "parity_min_gas_price=5"]);
    assert_eq!(changed.exit, 0, "{}", changed.text);
    assert_ne!(on("host5", "systemctl show -p ExecMainStartTimestampMonotonic --value parity"), started);
    // A key that is lost is not made anew, which would be another node.
    on("host6", "mv /var/lib/parity/network/key /root/key");
    let lost = play(&inventory, "consortium-aura.yml", &[]);
    assert!(lost.exit == 2 && lost.text.contains("/var/lib/parity/network/key is not there any more"), "{}", lost.text);
    on("host6", "test ! -e /var/lib/parity/network/key && mv /root/key /var/lib/parity/network/key");
    // The chain exists now: another network does not take its place.
    let other = play(&inventory, "consortium-aura.yml", &["-e", "parity_gas_limit=50000000"]);
    assert!(other.exit == 2 && other.text.contains("is the genesis of another network"), "{}", other.text);
}
