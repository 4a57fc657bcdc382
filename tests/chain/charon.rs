//! Clusters of distributed validators, held against real charon: it takes the definitions that we make and sign (without
//! `--no-verify`), what its ceremonies make is what we say is true, and what we refuse it refuses, too. For version 1.5 it can
//! only judge the definition's hash; for version 1.11 a release candidate is asked, and only where somebody wants to wait for
//! it: `cargo test --test chain -- --ignored`.

mod contract;

use crate::charon_program::{NEXT, Running, charon, folder, free_port, program, relay_at};
use chainwright::base::{Secret, Value};
use chainwright::chain::charon::eip712::Message;
use chainwright::chain::charon::{Definition, Lock, Plan, Rules, ShareKeystore, Standing, Version};
use chainwright::chain::{AccountKey, Address, NodeKey};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

type Change = fn(&mut Definition);

const NODES: usize = 4;
const CHAIN: u64 = 560_048;
const RULES: Rules = Rules { unsigned: false, chain_id: Some(CHAIN), config_hash: None };

/// A relay, and its address for nodes; it answers already.
fn relay(folder: &Path) -> (Running, String) {
    let ports = (free_port(), free_port());
    (relay_at(folder, "127.0.0.1", ports), format!("http://127.0.0.1:{}", ports.0))
}

/// A definition that a creator and four operators signed, and a data folder for each of their nodes.
fn cluster(folder: &Path, version: Version) -> (Definition, Vec<PathBuf>) {
    let (definition, folders) = cluster_of(folder, version, &[(); NODES].map(|()| NodeKey::generate().unwrap()));
    assert_eq!(definition.verify(&RULES), Ok(Standing::Signed));
    (definition, folders)
}

fn cluster_of(folder: &Path, version: Version, nodes: &[NodeKey]) -> (Definition, Vec<PathBuf>) {
    let (creator, accounts) = (AccountKey::generate().unwrap(), [(); NODES].map(|()| AccountKey::generate().unwrap()));
    let plan = Plan {
        name: format!("friends of {version}"),
        uuid: "5A1E0C0B-8B0E-4F43-9E5C-0C2D0C1B7A11".into(),
        timestamp: "2026-11-21T18:44:57Z".into(),
        version,
        chain_id: CHAIN,
        operators: accounts.iter().map(AccountKey::address).collect(),
        threshold: 3,
        validators: (1..3).map(|at| (Address::repeat_byte(at), Address::repeat_byte(0x10 + at))).collect(),
        deposit_amounts: match version {
            Version::V1_8 | Version::V1_10 => vec![1_000_000_000, 31_000_000_000],
            _ => Vec::new(),
        },
    };
    let mut definition = plan.definition(&creator).unwrap();
    let mut folders = Vec::new();
    for (at, (account, node)) in accounts.iter().zip(nodes).enumerate() {
        let data = folder.join(format!("{version}-{at}"));
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("charon-enr-private-key"), node.to_hex().as_bytes()).unwrap();
        assert!(definition.accept(account, node, &RULES).unwrap());
        folders.push(data);
    }
    (definition, folders)
}

fn node(definition: &Definition, data: &Path, relay: &str) -> Running {
    node_of(program(), definition, data, relay, &[])
}

fn node_of(charon: &Path, definition: &Definition, data: &Path, relay: &str, more: &[&str]) -> Running {
    // Each node has its own: another may be reading while this one is written.
    let beside = |end: &str| PathBuf::from(format!("{}.{end}", data.display()));
    let file = beside("definition");
    fs::write(&file, definition.to_json().unwrap().to_string()).unwrap();
    let mut command = Command::new(charon);
    command.args(["dkg", "--p2p-relays", relay, "--shutdown-delay", "1s", "--timeout", "5m", "--data-dir"]).arg(data);
    command.arg("--definition-file").arg(file).args(more);
    Running::start(&mut command, beside("log"))
}

/// The lock that a node made.
fn lock(data: &Path) -> Lock {
    Lock::parse(&fs::read_to_string(data.join("cluster-lock.json")).unwrap()).unwrap()
}

/// A node's keystores with their passwords.
fn keystores(data: &Path) -> Vec<(ShareKeystore, Secret)> {
    let read = |at: usize, end: &str| fs::read_to_string(data.join(format!("validator_keys/keystore-{at}.{end}")));
    (0..2)
        .map(|at| (ShareKeystore::parse(&read(at, "json").unwrap()).unwrap(), Secret::new(read(at, "txt").unwrap())))
        .collect()
}

#[test]
fn ceremonies_of_every_version_make_what_we_say_is_true() {
    let folder = tempfile::tempdir().unwrap();
    let (_relay, address) = relay(folder.path());
    let versions = [Version::V1_6, Version::V1_7, Version::V1_8, Version::V1_9, Version::V1_10];
    let mut clusters = Vec::new();
    for version in versions {
        let (definition, folders) = cluster(folder.path(), version);
        let running: Vec<Running> = folders.iter().map(|data| node(&definition, data, &address)).collect();
        clusters.push((definition, folders, running));
    }
    let deadline = Instant::now() + Duration::from_mins(6);
    for (definition, folders, running) in &mut clusters {
        all_is_true(definition, folders, running, deadline);
    }
    let newest = &clusters.last().unwrap().1;
    forged_locks_are_refused(folder.path(), newest);
}

#[track_caller]
fn all_is_true(definition: &Definition, folders: &[PathBuf], running: &mut [Running], deadline: Instant) {
    for (at, (data, running)) in folders.iter().zip(running).enumerate() {
        assert!(running.succeeded(deadline), "{}", running.said());
        let lock = lock(data);
        let ours = Rules { config_hash: Some(definition.compute_config_hash().unwrap()), ..RULES };
        assert_eq!(lock.verify(&ours), Ok(()), "{}", definition.version);
        assert_eq!(lock.definition, *definition);
        assert_eq!(lock.verify_keystores(at, &keystores(data)), Ok(()), "{}", definition.version);
        // What we would write is what charon wrote, byte for byte.
        let deposits = lock.deposit_files().unwrap();
        assert_eq!(lock.verify_deposit_files(&deposits), Ok(()));
        for (name, text) in &deposits {
            assert_eq!(fs::read_to_string(data.join(name)).unwrap(), *text, "{}: {name}", definition.version);
        }
        let files = fs::read_dir(data).unwrap().flatten();
        let files = files.filter(|it| it.file_name().to_string_lossy().starts_with("deposit-data")).count();
        assert_eq!(files, deposits.len(), "{}", definition.version);
    }
}

/// Whoever changes a lock, or a keystore, is found by charon (`combine` reads them all) as by us.
fn forged_locks_are_refused(folder: &Path, nodes: &[PathBuf]) {
    let flipped = |value: &mut Value| {
        let text = value.as_str().unwrap();
        let digit = u8::from_str_radix(&text[20..21], 16).unwrap() ^ 1;
        *value = Value::from(format!("{}{digit:x}{}", &text[..20], &text[21..]));
    };
    let text = fs::read_to_string(nodes[0].join("cluster-lock.json")).unwrap();
    let forgeries = [
        "",
        "/lock_hash",
        "/signature_aggregate",
        "/node_signatures/2",
        "/cluster_definition/config_hash",
        "/cluster_definition/definition_hash",
        "/cluster_definition/creator/config_signature",
        "/cluster_definition/operators/3/enr_signature",
        "/distributed_validators/1/public_shares/0",
        "/distributed_validators/0/partial_deposit_data/1/signature",
        "/distributed_validators/0/builder_registration/signature",
    ];
    for some in forgeries.chunks(4) {
        let start = |pointer: &&str| {
            let mut value: Value = serde_json::from_str(&text).unwrap();
            value.pointer_mut(pointer).filter(|_| !pointer.is_empty()).map(flipped);
            let refused = Lock::parse(&value.to_string()).and_then(|lock| lock.verify(&RULES)).is_err();
            assert_eq!(refused, !pointer.is_empty(), "{pointer}");
            let place = folder.join(format!("forged{}", pointer.replace('/', "-")));
            for (at, node) in nodes.iter().enumerate() {
                let copy = place.join(format!("node{at}"));
                fs::create_dir_all(&copy).unwrap();
                fs::write(copy.join("cluster-lock.json"), value.to_string()).unwrap();
                symlink(node.join("validator_keys"), copy.join("validator_keys")).unwrap();
            }
            let mut command = charon();
            command.arg("combine").arg("--cluster-dir").arg(&place).arg("--output-dir").arg(place.join("keys"));
            Running::start(&mut command, place.with_extension("log"))
        };
        let running: Vec<Running> = some.iter().map(start).collect();
        for (pointer, mut running) in some.iter().zip(running) {
            let succeeded = running.succeeded(Instant::now() + Duration::from_mins(3));
            assert_eq!(succeeded, pointer.is_empty(), "{pointer}: {}", running.said());
        }
    }
    let mut strange = keystores(&nodes[0]);
    strange[1] = keystores(&nodes[1]).remove(1);
    assert!(lock(&nodes[0]).verify_keystores(0, &strange).is_err());
}

/// Hashes as somebody writes them who knows the format, and cannot sign for others.
fn rehash(definition: &mut Definition) {
    definition.config_hash.0 = definition.compute_config_hash().unwrap().to_vec();
    definition.definition_hash.0 = definition.compute_definition_hash().unwrap().to_vec();
}

#[test]
fn what_we_refuse_charon_refuses_too() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = [(); NODES].map(|()| NodeKey::generate().unwrap());
    let (definition, _) = cluster_of(&folder.path().join("new"), Version::V1_10, &nodes);
    assert_eq!(definition.verify(&RULES), Ok(Standing::Signed));
    // Of a version that it no longer takes it says so only after it has looked at the hashes: they are as it computes them.
    let (old, _) = cluster_of(&folder.path().join("old"), Version::V1_5, &nodes);
    let mut changed = old.clone();
    changed.config_hash.0[0] ^= 1;
    let mut refused = vec![("only v1.6.0 and newer", old), ("invalid config hash", changed)];
    // Two operators who run one node, and signed for it.
    let first = || NodeKey::from_hex(&nodes[0].to_hex()).unwrap();
    let twins = [first(), first(), NodeKey::generate().unwrap(), NodeKey::generate().unwrap()];
    let (twins, _) = cluster_of(&folder.path().join("twins"), Version::V1_10, &twins);
    assert!(twins.verify(&RULES).unwrap_err().message.contains("have the same node key"));
    refused.push(("duplicate peer", twins));
    // By somebody who cannot sign for others, and who writes the hashes anew.
    let forgeries: [Change; 15] = [
        |it| it.creator.config_signature.0[20] ^= 1,
        |it| it.creator.config_signature.0.clear(),
        |it| it.operators[0].config_signature.0[20] ^= 1,
        |it| it.operators[1].config_signature.0[20] ^= 1,
        |it| it.operators[2].config_signature.0[20] ^= 1,
        |it| it.operators[3].config_signature.0[20] ^= 1,
        |it| it.operators[0].enr_signature.0[40] ^= 1,
        |it| it.operators[1].enr_signature.0[40] ^= 1,
        |it| it.operators[2].enr_signature.0[40] ^= 1,
        |it| it.operators[3].enr_signature.0[40] ^= 1,
        |it| it.operators[3].enr_signature.0.clear(),
        |it| it.threshold = 2,
        |it| it.operators[3] = it.operators[2].clone(),
        |it| {
            let first = it.operators[0].address.clone();
            it.operators[0].address = std::mem::replace(&mut it.operators[1].address, first);
        },
        |it| {
            let first = it.operators[0].enr.clone();
            it.operators[0].enr = std::mem::replace(&mut it.operators[1].enr, first);
        },
    ];
    for change in forgeries {
        let mut forged = definition.clone();
        change(&mut forged);
        rehash(&mut forged);
        refused.push(("verify cluster definition signatures", forged));
    }
    let hashes: [(&str, Change); 4] = [
        ("invalid config hash", |it| it.threshold = 2),
        ("invalid config hash", |it| it.config_hash.0[31] ^= 1),
        ("invalid definition hash", |it| it.definition_hash.0[0] ^= 1),
        ("invalid definition hash", |it| it.operators[0].enr_signature.0[3] ^= 1),
    ];
    for (said, change) in hashes {
        let mut forged = definition.clone();
        change(&mut forged);
        refused.push((said, forged));
    }
    // A few at a time: each wants its memory.
    for (chunk, some) in refused.chunks(6).enumerate() {
        let start = |(at, (_, definition)): (usize, &(&str, Definition))| {
            let data = folder.path().join(format!("{chunk}-{at}"));
            fs::create_dir(&data).unwrap();
            fs::write(data.join("charon-enr-private-key"), nodes[0].to_hex().as_bytes()).unwrap();
            node(definition, &data, "http://127.0.0.1:1")
        };
        let running: Vec<Running> = some.iter().enumerate().map(start).collect();
        for ((said, definition), mut running) in some.iter().zip(running) {
            let ours = definition.verify(&RULES);
            assert!(ours.is_err() || definition.version == "v1.5.0", "{said}: {ours:?}");
            assert!(!running.succeeded(Instant::now() + Duration::from_mins(3)), "{said}");
            assert!(running.said().contains(said), "{said}: {}", running.said());
        }
    }
}

#[test]
#[ignore = "builds a release candidate of charon, for a minute"]
fn the_next_charon_takes_signatures_of_contracts_with_several_owners() {
    let folder = tempfile::tempdir().unwrap();
    let (_relay, address) = relay(folder.path());
    let charon = crate::charon_program::folder(NEXT).join("charon");
    // Ordinary accounts; and a cluster whose last operator is a contract, which two owners signed for.
    let (ordinary, folders) = cluster(folder.path(), Version::V1_11);
    let mut running: Vec<Running> =
        folders.iter().map(|data| node_of(&charon, &ordinary, data, &address, &[])).collect();
    let (with_contract, data) = contract::cluster(&folder.path().join("contract"));
    let chain = contract::Chain::start(folder.path(), &with_contract);
    let endpoint = ["--execution-client-rpc-endpoint", chain.url.as_str()];
    let mut others: Vec<Running> =
        data.iter().map(|data| node_of(&charon, &with_contract, data, &address, &endpoint)).collect();
    let deadline = Instant::now() + Duration::from_mins(2);
    all_is_true(&ordinary, &folders, &mut running, deadline);
    for (data, running) in data.iter().zip(&mut others) {
        assert!(running.succeeded(deadline), "{}", running.said());
        let lock = lock(data);
        assert_eq!(lock.definition, with_contract);
        assert_eq!(lock.compute_lock_hash().unwrap().as_slice(), lock.lock_hash.0);
        let why = lock.verify(&RULES).unwrap_err().message;
        assert!(why.contains("operator 4 (") && why.contains("130 bytes, as those of contract accounts"), "{why}");
    }
    // Nobody asked the contract: it is refused, as by us.
    let place = folder.path().join("unasked");
    fs::create_dir(&place).unwrap();
    fs::copy(data[0].join("charon-enr-private-key"), place.join("charon-enr-private-key")).unwrap();
    let mut unasked = node_of(&charon, &with_contract, &place, "http://127.0.0.1:1", &[]);
    assert!(!unasked.succeeded(Instant::now() + Duration::from_secs(30)), "{}", unasked.said());
}

#[test]
#[ignore = "builds a release candidate of charon, for a minute"]
fn the_hashes_of_charons_own_test_files_are_ours() {
    let fixtures = folder(NEXT).join("fixtures");
    let read = |kind: &str, version: u8| {
        fs::read_to_string(fixtures.join(format!("cluster_{kind}_v1_{version}_0.json"))).unwrap()
    };
    for version in 5..=11 {
        let definition = Definition::parse(&read("definition", version)).unwrap();
        assert_eq!(definition.compute_config_hash().unwrap().as_slice(), definition.config_hash.0, "v1.{version}");
        assert_eq!(
            definition.compute_definition_hash().unwrap().as_slice(),
            definition.definition_hash.0,
            "v1.{version}"
        );
        if version > 5 {
            let lock = Lock::parse(&read("lock", version)).unwrap();
            assert_eq!(lock.compute_lock_hash().unwrap().as_slice(), lock.lock_hash.0, "v1.{version}");
        }
    }
}
