//! The ordered restart: its proofs, what stops it, and that it goes on safely from where an earlier one ended.

use super::{SEALERS, left_whole, network};
use crate::run::{self, geth_started, on, play, turn};
use std::process::{Child, Command, Stdio};

#[test]
fn sealers_are_restarted_in_the_order_of_the_inventory_each_with_its_proofs() {
    let _turn = turn();
    network();
    let run = play("restart.yml", &[]);
    assert_eq!(run.exit, 0, "{}", run.text);
    assert_eq!(run.hosts_of("eth_stop"), ["sealer2", "sealer3", "sealer1"]);
    assert_eq!(run.hosts_of("eth_synced")[3..], ["sealer2", "sealer3", "sealer1"]);
    for claim in
        ["no block of its own under way", "state saved", "clean start", "sealed a new block itself", "has the block"]
    {
        assert!(run.proves(claim), "{claim}: {}", run.text);
    }
    left_whole();
}

#[test]
fn no_sealer_is_stopped_that_could_not_start_again() {
    let _turn = turn();
    network();
    let before = SEALERS.map(geth_started);
    on("sealer3", "echo 'Nonsense = 1' >> /etc/geth/config.toml");
    let run = play("restart.yml", &[]);
    on("sealer3", "sed -i /Nonsense/d /etc/geth/config.toml");
    assert_eq!(run.exit, 2, "{}", run.text);
    assert!(run.text.contains("field 'Nonsense' is not defined"), "{}", run.text);
    let after = SEALERS.map(geth_started);
    assert_ne!(before[1], after[1], "sealer2 comes first and is restarted");
    assert_eq!((&before[0], &before[2]), (&after[0], &after[2]), "sealer3 is not stopped, sealer1 not touched");
    left_whole();
}

#[test]
fn a_stop_that_saves_nothing_ends_the_run_and_a_later_one_goes_on_safely() {
    let _turn = turn();
    network();
    let dropin = "/run/systemd/system/geth.service.d";
    on(
        "sealer3",
        &format!(
            "mkdir -p {dropin}; printf '[Service]\\nKillSignal=SIGKILL\\n' > {dropin}/kill.conf; systemctl daemon-reload"
        ),
    );
    let before = SEALERS.map(geth_started);
    let run = play("restart.yml", &[]);
    on("sealer3", &format!("rm -r {dropin}; systemctl daemon-reload"));
    assert_eq!(run.exit, 2, "{}", run.text);
    for text in [
        "geth.service is stopped, but nothing proves that its state was saved: expected an end with code 0, seen",
        "result signal",
        "Main process exited, code=killed, status=9/KILL",
        "it begins with the nodes that are down",
    ] {
        assert!(run.text.contains(text), "`{text}` is missing: {}", run.text);
    }
    assert_eq!(run.hosts_of("eth_stop"), ["sealer2", "sealer3"], "{}", run.text);
    assert_eq!(
        on("sealer3", "systemctl is-active geth || true").trim(),
        "failed",
        "it is left as it is, to be looked at"
    );
    assert_eq!(before[0], geth_started("sealer1"), "no later sealer is touched");

    let later = play("restart.yml", &[]);
    assert_eq!(later.exit, 0, "{}", later.text);
    assert_eq!(later.hosts_of("eth_stop"), ["sealer2", "sealer3", "sealer1"]);
    assert!(later.text.contains("Unclean shutdown detected"), "the start tells of the kill: {}", later.text);
    left_whole();
}

#[test]
fn a_sealer_that_does_not_come_back_into_the_network_ends_the_run_and_no_later_one_is_touched() {
    let _turn = turn();
    network();
    // From its next start on sealer3 reaches none of the others, nor they it.
    let others = on("sealer3", "getent hosts sealer1 sealer2 rpc1 bootnode1 | cut -d' ' -f1");
    let cut: Vec<String> = others.lines().map(|it| format!("ip route replace unreachable {it}")).collect();
    let dropin = "/run/systemd/system/geth.service.d";
    on(
        "sealer3",
        &format!(
            "mkdir -p {dropin}; printf \"[Service]\\nExecStartPre=+/bin/sh -c '{}'\\n\" > {dropin}/cut.conf; systemctl daemon-reload",
            cut.join("; ")
        ),
    );
    let before = geth_started("sealer1");
    let run = play("restart.yml", &["-e", "geth_back_timeout=40"]);
    on("sealer3", &format!("rm -r {dropin}; systemctl daemon-reload; ip route flush type unreachable"));
    assert_eq!(run.exit, 2, "{}", run.text);
    for text in ["the node is not back: expected ", "peers; seen: ", "it begins with the nodes that are down"] {
        assert!(run.text.contains(text), "`{text}` is missing: {}", run.text);
    }
    assert_eq!(run.hosts_of("eth_stop"), ["sealer2", "sealer3"], "{}", run.text);
    assert_eq!(before, geth_started("sealer1"), "no later sealer is touched");
    let later = play("restart.yml", &[]);
    assert_eq!(later.exit, 0, "{}", later.text);
    left_whole();
}

/// A second controller: another machine, another user, a checkout of its own.
struct OtherController;

impl OtherController {
    fn new() -> Self {
        let script = "tar -c playbooks roles inventories/demo .lab/demo.yml .lab/key .lab/known_hosts .lab/ssh_config | \
            ssh -F .lab/ssh_config ethstats1 'rm -rf /tmp/other && mkdir /tmp/other && tar -x -C /tmp/other && \
            sed -i s,/.*/.lab,/tmp/other/.lab, /tmp/other/.lab/ssh_config && chown -R admin: /tmp/other'";
        let status = Command::new("sh").current_dir(run::root()).args(["-c", script]).status().unwrap();
        assert!(status.success());
        Self
    }

    /// Restarts one sealer.
    #[expect(clippy::unused_self, reason = "only one who is there can do it")]
    fn restarts(&self) -> Child {
        let command = "cd /tmp/other && /opt/chainwright/chainwright playbook -i inventories/demo -e @.lab/demo.yml \
            playbooks/restart.yml -l sealer2";
        let mut ssh = Command::new("ssh");
        ssh.current_dir(run::root()).args(["-F", ".lab/ssh_config", "ethstats1", &format!("su admin -c '{command}'")]);
        ssh.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// As if its power failed.
    #[expect(clippy::unused_self, reason = "only one who is there can do it")]
    fn dies(&self) {
        on("ethstats1", "pkill -KILL -u admin");
    }
}

impl Drop for OtherController {
    fn drop(&mut self) {
        on("ethstats1", "pkill -KILL -u admin; rm -rf /tmp/other");
    }
}

#[test]
fn of_two_runs_from_two_machines_the_second_is_told_who_holds_the_network_since_when() {
    let _turn = turn();
    network();
    let other = OtherController::new();
    let first = other.restarts();
    let holds = |host| on(host, "cat /run/chainwright/demo.lock || true").contains("admin@ethstats1");
    let held = run::until(60, || SEALERS.into_iter().all(holds));
    // Another sealer, but of the same network: two must not be down at once.
    let second = play("restart.yml", &["-l", "sealer3"]);
    other.dies();
    let said = first.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
    assert!(held, "{said}");
    assert_eq!(second.exit, 2, "{}\nthe first: {said}", second.text);
    assert!(second.text.contains("the network demo is held by admin@ethstats1, process "), "{}", second.text);
    assert!(second.text.contains(", since 2"), "{}", second.text);
    assert!(second.hosts_of("eth_stop").is_empty(), "{}", second.text);
    // A holder that dies does not lock for ever: the next run goes ahead, from whatever the dead one left.
    let third = run::until_free(|| play("restart.yml", &[]));
    assert_eq!(third.exit, 0, "{}", third.text);
    left_whole();
}
