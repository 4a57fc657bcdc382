//! `playbooks/consortium-aura.yml` on this machine: the folder that parity-deploy makes, and the N-1 peers of those who run it.

mod fake_parity;

use crate::project::{Project, Ran};
use chainwright::base::Secret;
use chainwright::chain::{NodeKey, genesis, keystore};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HOLDER: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const CONTRACT: &str = "0x000000000000000000000000000000000000c0DE";

fn project() -> Project {
    let hosts = "parity_folder:\n  hosts:\n    localhost: {ansible_connection: local}\n";
    Project::new().file("hosts.yml", hosts)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn arguments(project: &Project, playbook: &str, variables: &Value) -> Vec<String> {
    let mut all = json!({"parity_folder": project.path().join("net"), "parity_peers_timeout": 1});
    all.as_object_mut().unwrap().extend(variables.as_object().unwrap().clone());
    let playbook = root().join("playbooks").join(playbook).display().to_string();
    ["playbook", "-i", "hosts.yml", &playbook, "-e", &all.to_string()].map(str::to_owned).to_vec()
}

fn play(project: &Project, playbook: &str, variables: &Value, more: &[&str]) -> Ran {
    let arguments = arguments(project, playbook, variables);
    let words: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
    project.chainwright(&words)
}

fn make(project: &Project, variables: &Value) -> Ran {
    play(project, "consortium-aura.yml", variables, &[])
}

/// The files of the network, by their names in its folder, with modes and contents.
fn files(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            let (path, meta) = (entry.path(), entry.metadata().unwrap());
            if meta.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                files.insert(name, (meta.permissions().mode() & 0o7777, fs::read(path).unwrap()));
            }
        }
    }
    files
}

fn text(project: &Project, name: &str) -> String {
    let path = project.path().join("net").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The keystore file of a member.
fn account(project: &Project, member: &str, network: &str) -> PathBuf {
    let folder = project.path().join("net/deployment").join(member).join(network);
    let names: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(names[0].file_name().unwrap().to_string_lossy().starts_with("UTC--"));
    names[0].clone()
}

/// What `docker compose config` makes of the file.
fn compose_config(project: &Project) -> Value {
    let built = Command::new(root().join("tests/lab/compose")).stdin(Stdio::null()).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let ended = Command::new(String::from_utf8_lossy(&built.stdout).trim())
        .current_dir(project.path().join("net"))
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

/// Everything that is edited by hand after parity-deploy, said beforehand.
fn everything() -> Value {
    json!({
        "parity_name": "ours", "parity_network_id": 9917, "parity_step_duration": 7, "parity_nodes": 3,
        "parity_hosts": ["acme", "globex", "initech.example"], "parity_ports": [30303, 30304, 30305],
        "parity_funded": {HOLDER: "1000 ether"},
        "parity_contracts": {CONTRACT: {"code": "0x6001"}},
        "parity_validators": {"multi": {"0": {"list": ["acme", "globex"]}, "100": {"safeContract": CONTRACT}}},
        "parity_params": {"minGasLimit": "0x5ced"}, "parity_forks": {"istanbulBlock": null, "berlinBlock": null},
        "parity_options": {"force-sealing": true, "logging": "engine=trace"}, "parity_enable_client": true,
        "parity_ethstats": true, "parity_expose": {"globex": 1000, "client": 0}, "parity_rpc_cors": ["all"],
    })
}

#[test]
fn the_folder_is_what_parity_deploy_makes_with_all_that_is_edited_by_hand() {
    let project = project();
    let ran = play(&project, "consortium-aura.yml", &everything(), &["-vvv", "-D"]).code(0);
    let made = files(&project.path().join("net"));
    let mut accounts = Vec::new();
    let mut peers = String::new();
    let hosts = ["acme:30303", "globex:30304", "initech.example:30305", "client:0"];
    for (member, host) in ["1", "2", "3", "client"].into_iter().zip(hosts) {
        let file = |name: &str| text(&project, &format!("deployment/{member}/{name}"));
        let (key, password) = (file("key.priv"), file("password"));
        assert_eq!(file("key.pub").trim(), NodeKey::from_hex(&key).unwrap().public_key());
        let stored = fs::read_to_string(account(&project, member, "ours")).unwrap();
        let opened = keystore::decrypt(&stored, &Secret::new(password.trim().to_owned())).unwrap();
        let address = opened.address().to_checksum(None);
        assert_eq!(file("address.txt").trim(), address);
        for secret in [key.trim(), password.trim()] {
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "a secret is on the screen");
        }
        if member == "client" {
            assert!(!file("client.toml").contains("[mining]"));
        } else {
            let toml = file("authority.toml");
            assert!(toml.contains(&format!("engine_signer = \"{address}\"")), "{toml}");
            assert!(
                toml.contains("cors = [\"all\"]") && toml.contains("reserved_peers = \"/home/parity/reserved_peers\"")
            );
            peers += &["enode://", file("key.pub").trim(), "@", host, "\n"].concat();
        }
        accounts.push(address);
    }
    assert_eq!(text(&project, "deployment/chain/reserved_peers"), peers);
    assert_eq!(text(&project, ".env"), "NETWORK_NAME=ours\n");
    for (name, (mode, _)) in &made {
        let secret = ["key.priv", "password", "/UTC--", "config/", ".zip"].iter().any(|part| name.contains(part));
        assert_eq!(*mode, if secret { 0o400 } else { 0o644 }, "{name}");
    }
    let secret = text(&project, "config/secret");
    assert!(!ran.out.contains(&secret) && !ran.err.contains(&secret));
    assert_eq!(text(&project, "config/dashboard/ws_secret.json"), format!("[\"{secret}\"]\n"));
    let monitor: Value = serde_json::from_str(&text(&project, "config/monitor/app.json")).unwrap();
    assert_eq!((monitor.as_array().unwrap().len(), &monitor[1]["env"]["RPC_HOST"]), (4, &json!("globex")));

    specification(&project, &ran, &accounts);
    containers(&project);
    archive(&project, &made);

    make(&project, &everything()).code(0).recap("localhost", "changed=0");
    assert_eq!(files(&project.path().join("net")), made);
}

fn specification(project: &Project, ran: &Ran, accounts: &[String]) {
    let written = text(project, "deployment/chain/spec.json");
    let spec: Value = serde_json::from_str(&written).unwrap();
    let engine = &spec["engine"]["authorityRound"]["params"];
    assert_eq!((&spec["name"], &engine["stepDuration"]), (&json!("ours"), &json!("7")));
    let validators = json!({"multi": {"0": {"list": accounts[..2]}, "100": {"safeContract": CONTRACT}}});
    assert_eq!(engine["validators"], validators);
    assert_eq!((&spec["params"]["networkID"], &spec["params"]["minGasLimit"]), (&json!("0x26bd"), &json!("0x5ced")));
    assert_eq!(spec["accounts"][HOLDER.to_lowercase()]["balance"], "0x3635c9adc5dea00000");
    assert_eq!(spec["accounts"][CONTRACT.to_lowercase()]["code"], "0x6001");
    let hash = genesis::header(&written).unwrap().hash().to_string();
    assert!(ran.out.contains(&hash), "{hash} is not told");
    project
        .chainwright(&["genesis", "check", "net/deployment/chain/spec.json"])
        .code(0)
        .says("nothing is wrong for OpenEthereum");
}

fn containers(project: &Project) {
    let services = compose_config(project)["services"].as_object().unwrap().clone();
    let names: Vec<&String> = services.keys().collect();
    assert_eq!(names.len(), 6, "{names:?}");
    let folder = project.path().join("net").canonicalize().unwrap();
    for (member, name) in [("1", "acme"), ("2", "globex"), ("3", "initech.example"), ("client", "client")] {
        let service = &services[name];
        let command = service["command"].to_string();
        assert!(command.contains("--force-sealing") && command.contains("engine=trace"), "{command}");
        let mounts = service["volumes"].as_array().unwrap();
        let target = |target: &str| {
            let found = mounts.iter().find(|mount| mount["target"] == target);
            PathBuf::from(found.unwrap_or_else(|| panic!("{target}: {mounts:?}"))["source"].as_str().unwrap())
        };
        // Every file of the deployment that is mounted is there.
        assert!(mounts.iter().all(|mount| Path::new(mount["source"].as_str().unwrap()).exists()), "{mounts:?}");
        assert_eq!(
            target("/home/parity/data/keys/ours").canonicalize().unwrap(),
            folder.join("deployment").join(member).join("ours")
        );
        assert_eq!(
            target("/home/parity/data/network/key").canonicalize().unwrap(),
            folder.join("deployment").join(member).join("key.priv")
        );
    }
    let published = |name: &str| -> Vec<(String, u64)> {
        let ports = services[name]["ports"].as_array().cloned().unwrap_or_default();
        ports
            .iter()
            .map(|port| (port["published"].as_str().unwrap().to_owned(), port["target"].as_u64().unwrap()))
            .collect()
    };
    assert!(published("globex").contains(&("9545".to_owned(), 8545)), "{:?}", published("globex"));
    assert!(published("client").contains(&("8545".to_owned(), 8545)) && published("acme").is_empty());
}

/// The zip holds all files but itself and what nodes wrote.
fn archive(project: &Project, made: &BTreeMap<String, (u32, Vec<u8>)>) {
    let out = project.path().join("out");
    let unpacked = Command::new("python3")
        .args(["-m", "zipfile", "-e", "net/ours.zip", "out"])
        .current_dir(project.path())
        .status()
        .unwrap();
    assert!(unpacked.success());
    let contents = |files: &BTreeMap<String, (u32, Vec<u8>)>| -> BTreeMap<String, Vec<u8>> {
        files
            .iter()
            .filter(|(name, _)| *name != "ours.zip")
            .map(|(name, (_, bytes))| (name.clone(), bytes.clone()))
            .collect()
    };
    assert_eq!(contents(&files(&out)), contents(made));
}

#[test]
fn a_run_that_was_killed_half_way_is_finished_by_the_next_and_no_key_is_made_twice() {
    let project = project();
    let variables = json!({"parity_nodes": 3});
    let mut child = Command::new(env!("CARGO_BIN_EXE_chainwright"))
        .args(arguments(&project, "consortium-aura.yml", &variables))
        .current_dir(project.path())
        .env("XDG_STATE_HOME", project.path().join(".state"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let second = project.path().join("net/deployment/2/password");
    let deadline = Instant::now() + Duration::from_mins(1);
    while !second.exists() {
        assert!(Instant::now() < deadline, "the second password does not come");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let secret = |name: &str| name.contains("key.priv") || name.contains("password") || name.contains("UTC--");
    let secrets = |files: BTreeMap<String, (u32, Vec<u8>)>| -> BTreeMap<String, (u32, Vec<u8>)> {
        // A temporary file of the moment in which it died is nobody's.
        files.into_iter().filter(|(name, _)| secret(name) && !name.contains("/.")).collect()
    };
    let before = secrets(files(&project.path().join("net")));
    assert!(!project.path().join("net/docker-compose.yml").exists(), "it was not killed half-way");
    make(&project, &variables).code(0);
    let after = secrets(files(&project.path().join("net")));
    assert!(before.iter().all(|(name, file)| after.get(name) == Some(file)), "a secret was made again");
    assert_eq!(after.len(), 9);
    make(&project, &variables).code(0).recap("localhost", "changed=0");
}

#[test]
fn the_version_says_which_image_runs_and_which_forks_there_are() {
    let project = project();
    let old = json!({"parity_nodes": 1, "parity_client_version": "2.5.13", "parity_forks": {"berlinBlock": null},
        "parity_options": {"ws-interface": "all"}});
    make(&project, &old).code(0);
    let (compose, spec) = (text(&project, "docker-compose.yml"), text(&project, "deployment/chain/spec.json"));
    assert!(
        compose.contains("image: parity/parity:v2.5.13-stable") && compose.contains("--ws-interface all"),
        "{compose}"
    );
    assert!(!spec.contains("eip2929") && !spec.contains("eip2930") && spec.contains("eip1884"), "{spec}");
    make(
        &project,
        &json!({"parity_nodes": 1, "parity_client_version": "3.3.0", "parity_forks": {"berlinBlock": null}}),
    )
    .code(0);
    assert!(text(&project, "docker-compose.yml").contains("image: openethereum/openethereum:v3.3.0"));
}

#[test]
fn bad_input_is_one_clear_error_and_nothing_is_made() {
    let project = project();
    for (variables, says) in [
        (json!({"parity_nodes": 0}), "parity_nodes is 0: at least one authority must seal"),
        (json!({"parity_nodes": "many"}), "parity_nodes is many"),
        (json!({"parity_step_duration": 0}), "parity_step_duration is 0: write whole seconds"),
        (json!({"parity_step_duration": "2s"}), "parity_step_duration is 2s"),
        (json!({"parity_network_id": "ours"}), "parity_network_id `ours`"),
        (json!({"parity_name": "a/b"}), "parity_name is `a/b`"),
        (json!({"parity_folder": "net"}), "parity_folder is `net`"),
        (json!({"parity_nodes": 2, "parity_hosts": ["a", "a"]}), "give each authority one name"),
        (json!({"parity_nodes": 2, "parity_ports": [1]}), "give each authority one name"),
        (json!({"parity_expose": {"host9": 0}}), "parity_expose names host9; containers are host1, host2"),
        (json!({"parity_options": {"force-saeling": true}}), "did you mean `force-sealing`?"),
        (json!({"parity_validators": {"lst": ["host1"]}}), "did you mean `list`?"),
        (json!({"parity_validators": {"list": ["host1", "host3"]}}), "did you mean `host"),
        (json!({"parity_validators": {"multi": {"7": {"list": ["host1"]}}}}), "names no validators for block 0"),
        (json!({"parity_validators": {"safeContract": CONTRACT}}), "has no code there"),
        (json!({"parity_funded": {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD": 1}}), "wrong checksum"),
        (json!({"parity_forks": {"berlnBlock": 0}}), "did you mean `berlinBlock`?"),
        (json!({"parity_rpc_apis": ["eb3", "eth"]}), "openethereum 3.3.5 has no namespace `eb3`"),
        (json!({"parity_ws_apis": ["eht"]}), "openethereum 3.3.5 has no namespace `eht`"),
        (
            json!({"parity_client_version": "2.5.13"}),
            "openethereum 2.5.13 does not know `berlinBlock` (known since 3.2.0)",
        ),
        (
            json!({"parity_client_version": "3.2.6", "parity_forks": {"londonBlock": 0}}),
            "openethereum 3.2.6 does not know `londonBlock` (known since 3.3.0)",
        ),
    ] {
        make(&project, &variables).code(2).says(says);
        assert!(!project.path().join("net").exists(), "{variables}: something was made");
    }
}

#[test]
fn a_copied_account_or_key_is_refused_and_another_network_does_not_overwrite_a_chain() {
    let project = project();
    make(&project, &json!({})).code(0);
    let net = project.path().join("net");
    let before = text(&project, "deployment/chain/spec.json");
    let (one, two) = (account(&project, "1", "parity"), account(&project, "2", "parity"));
    let kept = fs::read(&two).unwrap();
    fs::remove_file(&two).unwrap();
    fs::copy(&one, net.join("deployment/2/parity").join(one.file_name().unwrap())).unwrap();
    make(&project, &json!({})).code(2).says("account");
    fs::remove_file(net.join("deployment/2/parity").join(one.file_name().unwrap())).unwrap();
    fs::write(&two, kept).unwrap();
    let key = net.join("deployment/2/key.priv");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    fs::copy(net.join("deployment/1/key.priv"), &key).unwrap();
    make(&project, &json!({})).code(2).says("node key").says("1 and 2");
    fs::remove_file(&key).unwrap();
    fs::write(&key, kept).unwrap();
    fs::create_dir(net.join("data/2/chains")).unwrap();
    make(&project, &json!({"parity_funded": {HOLDER: 1}})).code(2).says("is the genesis of another network");
    assert_eq!(text(&project, "deployment/chain/spec.json"), before);
    make(&project, &json!({})).code(0);
}

#[test]
fn a_secret_that_is_lost_is_named_and_not_made_again() {
    let project = project();
    make(&project, &json!({"parity_nodes": 1})).code(0);
    let net = project.path().join("net");
    let key = net.join("deployment/1/key.priv");
    fs::rename(&key, project.path().join("kept")).unwrap();
    make(&project, &json!({"parity_nodes": 1})).code(2).says("deployment/1/key.priv is gone");
    fs::rename(project.path().join("kept"), &key).unwrap();
    let account = account(&project, "1", "parity");
    fs::rename(&account, project.path().join("kept")).unwrap();
    make(&project, &json!({"parity_nodes": 1})).code(2).says("does not hold the expected account");
    assert!(!account.exists() && fs::read_dir(net.join("deployment/1/parity")).unwrap().next().is_none());
    fs::rename(project.path().join("kept"), &account).unwrap();
    make(&project, &json!({"parity_nodes": 1})).code(0).recap("localhost", "changed=0");
}

#[test]
fn every_authority_must_have_n_minus_1_peers() {
    let project = project();
    let variables = json!({"parity_nodes": 3});
    make(&project, &variables).code(0);
    let keys: Vec<String> =
        (1..=3).map(|number| text(&project, &format!("deployment/{number}/key.pub")).trim().to_owned()).collect();
    let nodes: Vec<fake_parity::Node> = (1..=3)
        .map(|number| {
            let others = keys.iter().enumerate().filter(|(index, _)| index + 1 != number).map(|(_, key)| key.clone());
            fake_parity::Node::start(&project.path().join(format!("net/data/{number}/jsonrpc.ipc")), others.collect())
        })
        .collect();
    play(&project, "consortium-verify.yml", &variables, &[])
        .code(0)
        .says("host2: 2 of 2")
        .recap("localhost", "changed=0");
    nodes[1].has_peers(vec![keys[0].clone()]);
    let ran = play(&project, "consortium-verify.yml", &variables, &[]).code(2);
    ran.says("host2 has 1 of 2 peers").says("host3 missing").silent_about("host1 has").silent_about("host3 has");
}
