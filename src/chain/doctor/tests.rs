//! A network of five hosts, broken in one way after the other.

use super::*;
use crate::chain::NodeKey;
use serde_json::json;

const NAMES: [&str; 5] = ["s1", "s2", "s3", "rpc1", "boot1"];
const ACCOUNTS: [&str; 3] = ["0xA", "0xB", "0xC"];
const NOW: u64 = 1_000_000;

fn key(number: usize) -> String {
    NodeKey::from_hex(&format!("{:064x}", number + 1)).unwrap().public_key()
}

fn enode(number: usize) -> String {
    format!("enode://{}@10.0.0.{}:30303", key(number), number + 1)
}

/// The newest 32 blocks, sealed in turn by those of `sealing`; the newest is so many seconds old.
fn blocks(sealing: &[&str], old: u64) -> Vec<Block> {
    let block = |number: u64| Block {
        number,
        hash: format!("{number:#x}"),
        time: NOW - old - 2 * (100 - number),
        sealer: Some(sealing[usize::try_from(number).unwrap() % sealing.len()].to_owned()),
    };
    (69..=100).rev().map(block).collect()
}

fn host(number: usize) -> Host {
    let sealer = number < 3;
    let node = Node {
        client: "Geth/v1.13.15-stable/linux-amd64/go1.26".into(),
        version: Some("1.13.15".into()),
        enode: Some(enode(number)),
        network_id: Some("46781".into()),
        genesis: Some("0xgenesis".into()),
        config: Some(json!({"clique": {"period": 2}})),
        peers: (0..5)
            .filter(|other| *other != number)
            .map(|other| Peer { public_key: key(other), ..Peer::default() })
            .collect(),
        recent: blocks(&ACCOUNTS, 1),
        signers: ACCOUNTS.map(str::to_owned).to_vec(),
        account: sealer.then(|| ACCOUNTS[number].to_owned()),
        mining: sealer,
        ..Node::default()
    };
    let wanted = |other: usize, bootnode| WantedPeer { enode: enode(other), bootnode, connected: true, trouble: None };
    let mut wanted_peers: Vec<WantedPeer> = if number == 4 {
        Vec::new()
    } else {
        (0..3).filter(|other| *other != number).map(|other| wanted(other, false)).collect()
    };
    if number == 3 {
        wanted_peers.push(wanted(4, true));
    }
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let now = NOW as f64;
    let seen = Observation {
        time: now,
        clock_offset: Some(0.1),
        node_clock: Some(0.0),
        unit: Unit {
            name: "geth.service".into(),
            exists: true,
            runs: true,
            active: "active".into(),
            result: "success".into(),
            started: Some(now - 10_000.0),
            ..Unit::default()
        },
        node: Some(node),
        public_key: Some(key(number)),
        accounts: if sealer { vec![ACCOUNTS[number].to_owned()] } else { Vec::new() },
        unlocked: if sealer { vec![ACCOUNTS[number].to_owned()] } else { Vec::new() },
        program: Program { path: Some("/opt/geth/geth".into()), sha256: Some("aa".into()) },
        disk: Some(Disk { folder: "/var/lib/geth".into(), free: 40 << 30, size: 80 << 30 }),
        wanted_peers,
        ..Observation::default()
    };
    Host {
        name: NAMES[number].to_owned(),
        sealer,
        bootnode: number == 4,
        address: Some(format!("10.0.0.{}", number + 1)),
        seen: Ok(seen),
    }
}

struct Network(Case);

impl Network {
    fn new() -> Self {
        let wanted = Wanted { source: "the inventory".into(), network_id: Some("46781".into()), ..Wanted::default() };
        Self(Case { hosts: (0..5).map(host).collect(), wanted })
    }

    fn seen(&mut self, name: &str) -> &mut Observation {
        self.0.hosts.iter_mut().find(|host| host.name == name).unwrap().seen.as_mut().unwrap()
    }

    fn node(&mut self, name: &str) -> &mut Node {
        self.seen(name).node.as_mut().unwrap()
    }

    /// The node ends, and all others have one peer less.
    fn stop(&mut self, name: &str) {
        let number = NAMES.iter().position(|known| *known == name).unwrap();
        let seen = self.seen(name);
        seen.node = None;
        (seen.unit.runs, seen.unit.active) = (false, "inactive".into());
        seen.unit.state = "inactive (dead), result success, exit code 0".into();
        self.lose(&[number], &[0, 1, 2, 3, 4]);
    }

    /// Those of one side and those of the other see each other no more.
    fn lose(&mut self, one: &[usize], two: &[usize]) {
        for (from, to) in [(one, two), (two, one)] {
            for number in from {
                let keys: Vec<String> = to.iter().filter(|other| *other != number).map(|other| key(*other)).collect();
                let Some(seen) = self.0.hosts[*number].seen.as_mut().ok() else { continue };
                if let Some(node) = &mut seen.node {
                    node.peers.retain(|peer| !keys.contains(&peer.public_key));
                }
                for wanted in &mut seen.wanted_peers {
                    if keys.iter().any(|key| wanted.enode.contains(key.as_str())) {
                        (wanted.connected, wanted.trouble) = (false, Some("connection timed out".into()));
                    }
                }
            }
        }
    }

    /// So many seconds pass without a block.
    fn halt(&mut self, seconds: u64, sealing: &[&str]) {
        for host in &mut self.0.hosts {
            if let Some(node) = host.seen.as_mut().ok().and_then(|seen| seen.node.as_mut()) {
                node.recent = blocks(sealing, seconds);
            }
        }
    }

    #[track_caller]
    fn is(&self, expected: &[&str]) -> Vec<Finding> {
        let found = diagnose(&self.0);
        let ids: Vec<&str> = found.iter().map(|finding| finding.id.as_str()).collect();
        assert_eq!(ids, expected, "{found:#?}");
        assert!(found.iter().all(|finding| !finding.remedy.is_empty() && !finding.hosts.is_empty()), "{found:#?}");
        found
    }
}

#[test]
fn a_healthy_network_has_no_findings() {
    Network::new().is(&[]);
}

#[test]
fn a_stopped_sealer_is_one_finding_and_nobody_misses_a_peer() {
    let mut network = Network::new();
    network.stop("s3");
    let found = network.is(&["sealer-stopped"]);
    assert_eq!(found[0].hosts, ["s3"]);
    assert!(found[0].remedy.contains("systemctl start geth.service"));
}

#[test]
fn of_an_unreachable_host_nothing_is_known_and_nothing_is_blamed() {
    let mut network = Network::new();
    network.stop("s3");
    network.0.hosts[2].seen = Err("no route to host".into());
    let found = network.is(&["host-unreachable"]);
    assert_eq!(found[0].evidence, ["no route to host"]);
}

#[test]
fn the_parts_of_a_network_are_told_with_the_ports_that_do_not_answer() {
    let mut network = Network::new();
    network.lose(&[0], &[1, 2, 3, 4]);
    let found = network.is(&["partition"]);
    assert_eq!(found[0].hosts, ["s1"]);
    assert!(found[0].what.ends_with("s2, s3, rpc1 and boot1 | s1"), "{}", found[0].what);
    assert!(found[0].evidence.contains(&"s1 does not reach s2 at 10.0.0.2:30303: connection timed out".to_owned()));
}

#[test]
fn a_partition_without_a_majority_halts_the_chain_and_both_are_told_the_cause_first() {
    let mut network = Network::new();
    for (one, two) in [(&[0_usize][..], &[1, 2, 3, 4][..]), (&[1], &[0, 2, 3, 4])] {
        network.lose(one, two);
    }
    network.halt(60, &ACCOUNTS);
    let found = network.is(&["partition", "halted"]);
    assert!(found[1].what.contains("3 signers need 2, and only s3 can seal"), "{}", found[1].what);
    assert!(found[1].evidence.contains(&"s1: it sees none of the others".to_owned()), "{:?}", found[1]);
}

#[test]
fn a_node_without_peers_is_not_blamed_just_after_its_start() {
    let mut network = Network::new();
    network.lose(&[4], &[0, 1, 2, 3]);
    for host in &mut network.0.hosts {
        host.seen.as_mut().unwrap().wanted_peers.clear();
    }
    network.seen("boot1").unit.started = Some(999_990.0);
    assert_eq!(network.is(&["starting"])[0].severity, Severity::Warning);
    network.seen("boot1").unit.started = Some(0.0);
    network.is(&["partition"]);
}

#[test]
fn another_block_0_or_network_id_is_told_and_not_as_a_partition() {
    let mut network = Network::new();
    network.lose(&[2], &[0, 1, 3, 4]);
    network.lose(&[3], &[0, 1, 2, 4]);
    network.node("s3").genesis = Some("0xother".into());
    network.node("rpc1").network_id = Some("1".into());
    let found = network.is(&["other-genesis", "other-network-id"]);
    assert_eq!((&found[0].hosts[0], &found[1].hosts[0]), (&"s3".to_owned(), &"rpc1".to_owned()));
    assert!(found[1].evidence[0].contains("the inventory says 46781"));
}

#[test]
fn a_stopped_node_with_another_block_0_in_its_database_is_told_both() {
    let mut network = Network::new();
    network.stop("rpc1");
    network.seen("rpc1").stored_genesis = Some("0xother".into());
    network.is(&["node-stopped", "other-genesis"]);
}

#[test]
fn whose_clock_is_off_is_told_and_whether_it_is_the_hosts_or_the_nodes() {
    let mut network = Network::new();
    network.seen("s2").clock_offset = Some(-60.0);
    let found = network.is(&["clock"]);
    assert!(found[0].what.starts_with("the clock of s2 is 60 s behind: it refuses"), "{}", found[0].what);
    let mut network = Network::new();
    network.seen("s2").node_clock = Some(60.0);
    network.lose(&[1], &[0, 2, 3, 4]);
    let found = network.is(&["clock"]);
    assert!(found[0].what.starts_with("the clock of the node of s2 is 60 s ahead: others refuse"), "{}", found[0].what);
}

#[test]
fn a_controller_with_a_wrong_clock_blames_nobody() {
    let mut network = Network::new();
    for name in NAMES {
        network.seen(name).clock_offset = Some(60.0);
    }
    network.is(&[]);
}

#[test]
fn the_clock_of_a_host_alone_is_compared_with_the_controllers() {
    let mut network = Network::new();
    network.0.hosts.truncate(1);
    network.seen("s1").wanted_peers.clear();
    network.seen("s1").clock_offset = Some(-60.0);
    assert_eq!(diagnose(&network.0)[0].id, "clock");
}

#[test]
fn a_pinned_sum_that_is_no_sum_is_shortened_all_the_same() {
    let mut network = Network::new();
    network.0.wanted.sha256 = Some("\u{20ac}".repeat(24));
    network.is(&["other-program"]);
}

#[test]
fn who_knows_a_host_by_an_old_key_is_named_once_with_it() {
    let mut network = Network::new();
    network.seen("s3").public_key = Some(key(7));
    network.node("s3").enode = Some(format!("enode://{}@10.0.0.3:30303", key(7)));
    for name in ["s1", "s2", "rpc1", "boot1"] {
        network.node(name).peers.retain(|peer| peer.public_key != key(2));
        network.node(name).peers.push(Peer { public_key: key(7), ..Peer::default() });
    }
    let found = network.is(&["stale-peer"]);
    assert_eq!(found[0].hosts, ["s1", "s2", "rpc1", "s3"]);
    assert!(found[0].what.starts_with("s1, s2 and rpc1 know s3 by an old key"), "{}", found[0].what);
}

#[test]
fn two_nodes_with_one_key_are_both_named_and_nothing_follows_from_it() {
    let mut network = Network::new();
    network.lose(&[3], &[0]);
    network.seen("rpc1").public_key = Some(key(0));
    network.node("rpc1").enode = Some(format!("enode://{}@10.0.0.4:30303", key(0)));
    let found = network.is(&["same-node-key"]);
    assert!(found[0].what.starts_with("s1 and rpc1 have one and the same node key"), "{}", found[0].what);
}

#[test]
fn two_sealers_with_one_account_are_both_named() {
    let mut network = Network::new();
    network.node("s2").account = Some("0xA".into());
    network.seen("s2").unlocked = vec!["0xA".into()];
    let found = diagnose(&network.0);
    assert_eq!((found[0].id.as_str(), &found[0].hosts), ("same-account", &vec!["s1".to_owned(), "s2".to_owned()]));
}

#[test]
fn a_sealer_that_has_not_unlocked_its_account_is_told_from_one_that_is_merely_silent() {
    let two = ["0xA", "0xC"];
    let mut network = Network::new();
    network.halt(1, &two);
    network.seen("s2").unlocked.clear();
    network.seen("s2").log.locked = Some("13:05:47Z Block sealing failed err=\"authentication needed\"".into());
    network.is(&["sealer-locked"]);
    let mut network = Network::new();
    network.halt(1, &two);
    let found = network.is(&["sealer-silent"]);
    assert!(found[0].remedy.contains("`systemctl restart geth.service` on s2"), "{}", found[0].remedy);
}

#[test]
fn a_halted_chain_says_how_many_are_needed_and_why_the_others_are_missing() {
    let mut network = Network::new();
    network.stop("s3");
    network.seen("s2").unlocked.clear();
    network.seen("s2").log.locked = Some("authentication needed".into());
    network.halt(60, &ACCOUNTS);
    let found = network.is(&["sealer-stopped", "sealer-locked", "halted"]);
    let halted = &found[2];
    assert!(halted.what.contains("lack of quorum: 3 signers need 2, and only s1 can seal"), "{}", halted.what);
    assert_eq!(halted.hosts, ["s2", "s3"]);
    assert!(halted.evidence.ends_with(&["s2: its account is locked".into(), "s3: it is stopped".into()]), "{halted:?}");
}

#[test]
fn a_chain_that_stands_although_enough_could_seal_is_told_so() {
    let mut network = Network::new();
    network.halt(60, &ACCOUNTS);
    let found = network.is(&["halted"]);
    assert!(found[0].what.contains("though 3 of 3 signers could seal"), "{}", found[0].what);
    assert!(found[0].remedy.contains("allow_halt=true"));
}

#[test]
fn an_unlocked_account_behind_open_rpc_is_an_error_and_dangerous_namespaces_a_warning() {
    let open = |namespaces: &[&str]| Listener {
        address: "0.0.0.0".into(),
        port: 8545,
        loopback: false,
        namespaces: namespaces.iter().map(|name| (*name).to_owned()).collect(),
    };
    let mut network = Network::new();
    network.seen("rpc1").listeners = vec![open(&["eth", "net", "web3"])];
    network.is(&[]);
    network.seen("rpc1").unlocked = vec!["0xD".into()];
    let found = network.is(&["rpc-unlocked"]);
    assert!(found[0].what.contains("http://0.0.0.0:8545 can spend from the unlocked account 0xD"), "{}", found[0].what);
    network.seen("rpc1").listeners[0].loopback = true;
    network.is(&[]);
    network.seen("rpc1").listeners = vec![open(&["admin", "eth"])];
    network.seen("rpc1").unlocked.clear();
    assert_eq!(network.is(&["rpc-open"])[0].severity, Severity::Warning);
}

#[test]
fn a_full_disk_is_the_cause_and_the_stopped_node_its_consequence() {
    let mut network = Network::new();
    network.seen("s1").disk = Some(Disk { folder: "/var/lib/geth".into(), free: 700 << 20, size: 80 << 30 });
    let found = network.is(&["disk-full"]);
    assert!(found[0].evidence[0].contains("700 MiB free of 80 GiB"), "{:?}", found[0].evidence);
    let mut network = Network::new();
    network.stop("s1");
    network.seen("s1").disk = Some(Disk { folder: "/var/lib/geth".into(), free: 100 << 20, size: 200 << 20 });
    network.seen("s1").log.low_disk = Some("Low disk space. Gracefully shutting down Geth".into());
    let found = network.is(&["disk-full"]);
    assert!(found[0].what.contains("its node has ended itself"), "{}", found[0].what);
    // Without the node's own word for it, somebody may have stopped it.
    network.seen("s1").log.low_disk = None;
    let found = network.is(&["disk-full"]);
    assert!(found[0].what.starts_with("the node of s1 is stopped"), "{}", found[0].what);
    assert!(!found[0].what.contains("has ended itself") && found[0].remedy.contains("make room"), "{}", found[0].what);
}

#[test]
fn a_node_that_was_just_started_may_be_silent_for_a_moment() {
    let mut network = Network::new();
    let time = network.seen("rpc1").time;
    let seen = network.seen("rpc1");
    (seen.node, seen.unit.started, seen.silent) = (None, Some(time - 3.0), Some("there is no socket".into()));
    let found = network.is(&["node-starting"]);
    assert!(found[0].may_pass() && found[0].what.contains("was started 3 s ago"), "{}", found[0].what);
    network.seen("rpc1").unit.restarts = 4;
    assert!(!network.is(&["node-silent"])[0].may_pass());
    let seen = network.seen("rpc1");
    (seen.unit.restarts, seen.unit.started) = (0, Some(time - 90.0));
    network.is(&["node-silent"]);
}

#[test]
fn another_version_is_a_warning_and_against_a_lock_an_error() {
    let mut network = Network::new();
    network.node("s2").version = Some("1.13.2".into());
    network.seen("s2").program.sha256 = Some("bb".into());
    let found = network.is(&["other-client"]);
    assert_eq!(found[0].what, "s2 runs 1.13.2, most nodes say 1.13.15");
    assert_eq!(found[0].severity, Severity::Warning);
    network.0.wanted.binding = true;
    assert_eq!(network.is(&["other-client"])[0].severity, Severity::Error);
    let mut network = Network::new();
    network.seen("s3").program.sha256 = Some("bb".into());
    network.is(&["other-program"]);
}

#[test]
fn an_unclean_shutdown_is_told_while_the_run_after_it_lasts() {
    let mut network = Network::new();
    network.seen("s2").log.unclean = Some("Unclean shutdown detected booted=2026-11-21T13:00:00+0000".into());
    let found = network.is(&["unclean-shutdown"]);
    assert!(found[0].what.starts_with("the node of s2 did not end as it should"), "{}", found[0].what);
}

#[test]
fn a_bootnode_that_is_gone_is_named_as_such() {
    let mut network = Network::new();
    network.stop("boot1");
    assert!(network.is(&["bootnode-gone"])[0].what.contains("find nobody"));
}

#[test]
fn a_node_that_fails_again_and_again_is_told_with_its_last_words() {
    let mut network = Network::new();
    network.stop("rpc1");
    let seen = network.seen("rpc1");
    (seen.unit.active, seen.unit.restarts) = ("activating".into(), 7);
    seen.log.last = vec!["13:05:47Z Fatal: Failed to unlock account".into()];
    let found = network.is(&["node-failed"]);
    assert!(found[0].what.contains("(7 times)") && found[0].evidence[1].contains("Fatal:"), "{found:?}");
}

#[test]
fn a_node_that_is_behind_and_a_chain_that_has_split_are_told() {
    let mut network = Network::new();
    network.node("rpc1").recent.drain(..25);
    assert!(network.is(&["behind"])[0].may_pass());
    let mut network = Network::new();
    for block in &mut network.node("rpc1").recent {
        block.hash.push_str("other");
    }
    let found = network.is(&["two-chains"]);
    assert_eq!(found[0].hosts, ["rpc1"]);
}

#[test]
fn many_troubles_at_once_stand_side_by_side() {
    let mut network = Network::new();
    network.stop("boot1");
    network.stop("s3");
    network.node("rpc1").version = Some("1.13.2".into());
    network.seen("s1").disk = Some(Disk { folder: "/var/lib/geth".into(), free: 700 << 20, size: 80 << 30 });
    network.is(&["sealer-stopped", "bootnode-gone", "disk-full", "other-client"]);
}

mod held_against_a_lock {
    use super::*;
    use crate::chain::lock::Lock;

    fn lock() -> Lock {
        crate::chain::lock::tests::example()
    }

    #[test]
    fn the_lock_of_another_network_is_one_finding() {
        let mut network = Network::new();
        network.0.wanted = Wanted::of(lock());
        let found = network.is(&["other-lock"]);
        assert_eq!(found[0].hosts.len(), 5);
    }

    #[test]
    fn a_host_that_the_lock_does_not_know_and_a_key_that_it_does_not_say_are_named() {
        let lock = lock();
        let mut network = Network::new();
        for name in NAMES {
            let node = network.node(name);
            node.genesis = Some(lock.genesis.hash.clone());
            node.network_id = Some(lock.network_id.to_string());
            node.version = Some(lock.client.version.clone());
            network.seen(name).program.sha256 = Some(lock.client.sha256.clone());
        }
        network.0.hosts[0].name = "sealer1".into();
        network.0.wanted = Wanted::of(lock);
        let found = diagnose(&network.0);
        let about = |id: &str| -> Vec<String> {
            found.iter().filter(|finding| finding.id == id).flat_map(|finding| finding.hosts.clone()).collect()
        };
        assert_eq!(about("not-in-lock"), ["s2", "s3", "boot1"]);
        assert_eq!(about("other-node-key"), ["sealer1", "rpc1"]);
        assert!(found.iter().all(|finding| finding.severity == Severity::Error), "{found:#?}");
    }
}
