//! The demo network on its booted hosts, with real geth: made, proven, restarted in order, broken on purpose and mended.
//!
//! The hosts are those of `tests/lab/lab up demo`; `make test` boots them. The tests share them, so they take turns.

#[path = "../hosts/agent.rs"]
mod agent;
mod init;
mod run;

use run::{Run, geth_started, on, play, start, turn};

const SEALERS: [&str; 3] = ["sealer1", "sealer2", "sealer3"];

/// The network stands and is proven, whatever an earlier test left: a sealer that is down comes back, and one that still runs
/// with an old configuration (the stats server's secret is new after its host was) takes the new one.
fn network() {
    let mut run = play("site.yml", &[]);
    if run.exit == 2 {
        let restart = play("restart.yml", &[]);
        assert_eq!(restart.exit, 0, "{}", restart.text);
        run = play("site.yml", &[]);
    }
    assert_eq!(run.exit, 0, "{}", run.text);
}

#[test]
fn a_second_run_changes_nothing_and_proves_all_again() {
    let _turn = turn();
    network();
    let run = play("site.yml", &[]);
    assert_eq!(run.exit, 0, "{}", run.text);
    assert_eq!(run.changed(), 0, "{}", run.text);
    for claim in ["one genesis", "one chain", "the head rises", "every sealer seals", "the stats server sees all nodes"]
    {
        assert!(run.proves(claim), "{claim}: {}", run.text);
    }
}

#[test]
fn sealers_are_restarted_in_the_order_of_the_inventory_each_with_its_proofs() {
    let _turn = turn();
    network();
    let run = play("restart.yml", &[]);
    assert_eq!(run.exit, 0, "{}", run.text);
    assert_eq!(run.hosts_of("eth_stop"), ["sealer2", "sealer3", "sealer1"]);
    assert_eq!(run.hosts_of("eth_synced")[3..], ["sealer2", "sealer3", "sealer1"]);
    for claim in ["state saved", "clean start", "sealed a new block itself", "has the block"] {
        assert!(run.proves(claim), "{claim}: {}", run.text);
    }
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
}

#[test]
fn a_sealer_that_was_killed_is_brought_back_before_any_other_is_stopped() {
    let _turn = turn();
    network();
    on(
        "sealer3",
        "systemctl mask --runtime -q geth; systemctl kill -s KILL geth; systemctl stop geth; systemctl unmask --runtime -q geth",
    );
    let run = play("restart.yml", &[]);
    assert_eq!(run.exit, 0, "{}", run.text);
    assert_eq!(run.hosts_of("eth_stop"), ["sealer2", "sealer3", "sealer1"]);
    assert!(run.text.contains("Unclean shutdown detected"), "the start tells of the kill: {}", run.text);
}

#[test]
fn of_two_runs_at_once_the_second_is_told_who_holds_the_network() {
    let _turn = turn();
    network();
    let mut first = start("restart.yml", &[]);
    first.wait_for("eth_quorum");
    let second = play("restart.yml", &[]);
    assert_eq!(second.exit, 2, "{}", second.text);
    assert!(second.text.contains("the network demo is held by"), "{}", second.text);
    assert!(second.hosts_of("eth_stop").is_empty(), "{}", second.text);
    // A holder that dies does not lock for ever: the next run goes ahead.
    first.kill();
    let third = run::until_free(|| play("restart.yml", &[]));
    assert_eq!(third.exit, 0, "{}", third.text);
}

#[test]
fn another_genesis_is_refused_with_both_hashes_and_nothing_touched() {
    let _turn = turn();
    network();
    let before = (on("sealer1", "sha256sum /etc/geth/genesis.json"), SEALERS.map(geth_started));
    let run: Run = play(
        "site.yml",
        &[
            "-e",
            r#"{"network": {"name": "demo", "chain_id": 46781, "engine": "clique", "period": 2,
        "epoch": 30000, "alloc": {}, "client": {"name": "geth", "version": "{{ geth_version }}", "sha256": "{{ geth_sha256 }}",
        "source": "{{ lab_http }}/geth/{{ geth_version }}/geth"}}}"#,
        ],
    );
    assert_eq!(run.exit, 2, "{}", run.text);
    assert!(run.text.contains("is the genesis of another network: it has hash 0x"), "{}", run.text);
    assert_eq!(before, (on("sealer1", "sha256sum /etc/geth/genesis.json"), SEALERS.map(geth_started)));
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
    for secret in secrets {
        assert!(secret.trim().len() >= 40 && !run.text.contains(secret.trim()));
        for host in ["sealer1", "ethstats1"] {
            let seen = on(
                host,
                &format!("(journalctl --no-pager; ps -eo args) | grep -v grep | grep -c -e {} || true", secret.trim()),
            );
            assert_eq!(seen.trim(), "0", "{host}");
        }
    }
    let modes = on(
        "sealer1",
        "stat -c '%a %U' /var/lib/geth /var/lib/geth/keystore /var/lib/geth/password /var/lib/geth/geth/nodekey",
    );
    assert_eq!(modes.lines().collect::<Vec<_>>(), ["700 geth", "700 geth", "400 geth", "400 geth"]);
}

#[test]
fn the_units_are_sandboxed_and_run_as_users_of_their_own() {
    let _turn = turn();
    network();
    for (host, unit) in [("sealer1", "geth"), ("rpc1", "geth"), ("bootnode1", "geth"), ("ethstats1", "ethstats")] {
        let line = on(host, &format!("systemd-analyze security --no-pager {unit}.service | tail -1"));
        let level = line.split_whitespace().find_map(|word| word.parse::<f64>().ok());
        assert!(level.is_some_and(|level| level < 4.0), "{host}: {line}");
        let user = on(host, &format!("ps -o user= -p $(systemctl show -p MainPID --value {unit})"));
        assert_eq!(user.trim(), unit, "{host}");
    }
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
    let log = on("ethstats1", "journalctl -u stranger -n 20 --no-pager; systemctl stop stranger; rm -rf /tmp/stranger*");
    assert!(synced, "the head is {head}; the stranger says\n{log}");
}
