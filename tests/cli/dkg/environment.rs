//! The environment of Obol's charon-dkg-sidecar, and the variables of ours: what each does where it is set, and what is done where
//! it is not. The API and charon are stand-ins that note what they are asked for.

use super::noting_api::NotingApi;
use crate::project::Project;
use chainwright::chain::charon::{Definition, Plan, Rules, Version, record_of};
use chainwright::chain::{AccountKey, Address, NodeKey};
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStderr, Command, Stdio};

/// It notes how it was called, and fails.
const STAND_IN_OF_CHARON: &str = "#!/bin/sh\n[ \"$1\" = dkg ] || exit 0\n{ echo $*; env; } >\"$0.called\"\nexit 1\n";
const CHAIN: &str = "560048";

/// Who make clusters with each other; we are the first.
struct Friends {
    accounts: Vec<AccountKey>,
    nodes: Vec<NodeKey>,
}

impl Friends {
    fn new() -> Self {
        Self {
            accounts: (0..4).map(|_| AccountKey::generate().unwrap()).collect(),
            nodes: (0..4).map(|_| NodeKey::generate().unwrap()).collect(),
        }
    }

    fn offered(&self, timestamp: &str) -> Definition {
        Plan {
            name: format!("cluster of {timestamp}"),
            uuid: "0B0E4F43-5A1E-4C0B-9E5C-0C2D0C1B7A11".into(),
            timestamp: timestamp.into(),
            version: Version::V1_10,
            chain_id: CHAIN.parse().unwrap(),
            operators: self.accounts.iter().map(AccountKey::address).collect(),
            threshold: 3,
            validators: vec![(Address::repeat_byte(1), Address::repeat_byte(2))],
            deposit_amounts: Vec::new(),
        }
        .definition(&self.accounts[1])
        .unwrap()
    }

    fn ready(&self, timestamp: &str) -> Definition {
        let mut definition = self.offered(timestamp);
        for (account, node) in self.accounts.iter().zip(&self.nodes) {
            assert!(definition.accept(account, node, &Rules::default()).unwrap());
        }
        definition
    }

    /// Our account, the text of our node's key, and its record.
    fn us(&self) -> (String, String, String) {
        let record = record_of(&self.nodes[0]).unwrap().to_string();
        (self.accounts[0].address().to_string(), self.nodes[0].to_hex().to_string(), record)
    }
}

/// With a stand-in of charon in its folder `bin`.
fn project(charon: &str) -> Project {
    let project = Project::new().file(&format!("bin/{charon}"), STAND_IN_OF_CHARON);
    fs::set_permissions(project.path().join("bin").join(charon), PermissionsExt::from_mode(0o755)).unwrap();
    project
}

/// `chainwright dkg` with nothing in its environment but this, and where programs are. It does not go on for ever, whatever happens.
fn dkg(project: &Project, environment: &[(&str, &str)], patience: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
    command.args(["dkg", "--patience", patience]).current_dir(project.path()).stdin(Stdio::null()).env_clear();
    command.env("PATH", format!("{}:/usr/bin:/bin", project.path().join("bin").display()));
    command.envs(environment.iter().copied());
    command
}

/// One that runs.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn start(project: &Project, environment: &[(&str, &str)]) -> Self {
        let mut child = dkg(project, environment, "1000").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines }
    }

    /// How long it says it will wait, in seconds.
    #[track_caller]
    fn next_wait(&mut self) -> u32 {
        let mut said = Vec::new();
        for line in self.lines.by_ref().map_while(Result::ok) {
            if let Some(wait) = line.strip_prefix("next try in ") {
                return wait.trim_end_matches(" s").parse().unwrap();
            }
            said.push(line);
        }
        panic!("it ended: {said:#?}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs it to its end, which is a failure; what it said.
#[track_caller]
fn refused(project: &Project, environment: &[(&str, &str)]) -> String {
    let output = dkg(project, environment, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    text
}

fn read(project: &Project, name: &str) -> String {
    fs::read_to_string(project.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn each_variable_of_the_sidecar_takes_effect() {
    let friends = Friends::new();
    let (account, key, record) = friends.us();
    let (wanted, newer) = (friends.ready("2026-01-01T00:00:00Z"), friends.ready("2026-02-01T00:00:00Z"));
    let api = NotingApi::start(&[&newer, &wanted]);
    let project = project("stand-in").file("key", &key).file("record", &record);
    let here = project.path().display().to_string();
    let mut running = Running::start(
        &project,
        &[
            ("OPERATOR_ADDRESS", &account),
            ("ENR_FILE_PATH", "record"),
            ("CHARON_NODE_ID_DIR", "node"),
            ("CHARON_PRIVATE_KEY_FILE", "key"),
            ("OUTPUT_DEFINITION_FILE", "kept/definition.json"),
            // As the sidecar's own setting goes on.
            ("API_ENDPOINT", &format!("{}/v1/definition/operator/", api.url)),
            ("TARGET_CONFIG_HASH", &wanted.config_hash.to_string()),
            ("CHAIN_ID", CHAIN),
            ("PAGE_LIMIT", "7"),
            ("INITIAL_RETRY_INTERVAL_SECONDS", "1"),
            ("MAX_RETRY_INTERVAL_SECONDS", "5"),
            ("BACKOFF_FACTOR", "60"),
            ("LOG_LEVEL", "debug"),
            ("CHAINWRIGHT_CHARON", "stand-in"),
            // What charon itself reads.
            ("CHARON_P2P_RELAYS", "http://relay.example"),
        ],
    );
    let (line, _) = api.asked("GET /v1/definition/operator/");
    assert_eq!(line, format!("GET /v1/definition/operator/{account}?page=0&limit=7 HTTP/1.1"));
    assert_eq!(running.next_wait(), 1);
    // It would be a minute, and may be a tenth less than the longest.
    assert!((4..=5).contains(&running.next_wait()));

    assert_eq!(read(&project, "node/charon-enr-private-key"), key);
    let kept = Definition::parse(&read(&project, "kept/definition.json")).unwrap();
    assert_eq!(kept.config_hash.to_string(), wanted.config_hash.to_string());
    let called = read(&project, "bin/stand-in.called");
    let (argv, environment) = called.split_once('\n').unwrap();
    let files = format!("dkg --data-dir {here}/node --definition-file {here}/kept/definition.json ");
    assert!(argv.starts_with(&files) && argv.split(' ').any(|it| it == "--log-level=debug"), "{argv}");
    assert!(environment.lines().any(|line| line == "CHARON_P2P_RELAYS=http://relay.example"), "{environment}");
    for usual in [".charon", "node/cluster-definition.json"] {
        assert!(!project.path().join(usual).exists(), "{usual}");
    }
}

#[test]
fn without_them_it_does_what_the_sidecar_does() {
    let friends = Friends::new();
    let (account, key, _) = friends.us();
    let (older, newest) = (friends.ready("2026-01-01T00:00:00Z"), friends.ready("2026-02-01T00:00:00Z"));
    let api = NotingApi::start(&[&older, &newest]);
    let with_key = || project("charon").file(".charon/charon-enr-private-key", &key);
    let set = [("OPERATOR_ADDRESS", account.as_str()), ("API_ENDPOINT", &api.url)];
    let project = with_key();
    let mut running = Running::start(&project, &set);
    // A tenth more at most: no two come back in the same second.
    assert!((10..=11).contains(&running.next_wait()));
    let (line, _) = api.asked("GET /v1/definition/operator/");
    assert!(line.contains("&limit=100 "), "{line}");
    let kept = Definition::parse(&read(&project, ".charon/cluster-definition.json")).unwrap();
    assert_eq!(kept.config_hash.to_string(), newest.config_hash.to_string());
    let called = read(&project, "bin/charon.called");
    let argv = called.lines().next().unwrap();
    assert!(argv.contains("/.charon --definition-file ") && !argv.contains("--log-level"), "{argv}");

    // Twice as long each time, five minutes at most.
    let first = ("INITIAL_RETRY_INTERVAL_SECONDS", "1");
    let (slow, fast) = (with_key(), with_key());
    let mut slowly = Running::start(&slow, &[set[0], set[1], first]);
    let mut fast = Running::start(&fast, &[set[0], set[1], first, ("BACKOFF_FACTOR", "1000")]);
    assert_eq!((slowly.next_wait(), fast.next_wait()), (1, 1));
    assert_eq!(slowly.next_wait(), 2);
    assert!((270..=300).contains(&fast.next_wait()));

    // Obol's own API, to which there is only a proxy here, which says no.
    let text = refused(&with_key(), &[set[0], ("HTTPS_PROXY", &api.url)]);
    assert_eq!(api.asked("CONNECT ").0, "CONNECT api.obol.tech:443 HTTP/1.1", "{text}");
}

#[test]
fn what_the_variables_name_must_fit() {
    let friends = Friends::new();
    let (account, key, record) = friends.us();
    let other = record_of(&friends.nodes[1]).unwrap().to_string();
    let ready = friends.ready("2026-01-01T00:00:00Z");
    let api = NotingApi::start(&[&ready]);
    let project = project("charon").file("key", &key).file("other", &other).file("record", &record);
    let set = [("OPERATOR_ADDRESS", account.as_str()), ("API_ENDPOINT", &api.url), ("CHARON_PRIVATE_KEY_FILE", "key")];
    let with = |name, value| refused(&project, &[set[0], set[1], set[2], (name, value)]);
    let text = with("CHAIN_ID", "1");
    assert!(text.contains("for the chain 560048, not for 1"), "{text}");
    let text = with("ENR_FILE_PATH", "other");
    assert!(text.contains("other is of another key than that in"), "{text}");
    let target = format!("0x{}", "1".repeat(64));
    let text = with("TARGET_CONFIG_HASH", &target);
    assert!(text.contains("not the cluster `cluster of 2026-01-01T00:00:00Z`"), "{text}");
    let text = with("CHARON_PRIVATE_KEY_FILE", "nothing");
    assert!(text.contains("nothing: "), "{text}");
    let text = with("OPERATOR_ADDRESS", &friends.accounts[1].address().to_string());
    assert!(text.contains("in another operator's record"), "{text}");
    assert!(!project.path().join("bin/charon.called").exists());
}

#[test]
fn our_own_variables_agree_to_a_cluster() {
    let friends = Friends::new();
    let (account, key, record) = friends.us();
    let offered = friends.offered("2026-01-01T00:00:00Z");
    let hash = offered.config_hash.to_string();
    let api = NotingApi::start(&[&offered]);
    let project = project("charon").file("key", &key).file("account", &friends.accounts[0].node().to_hex());
    let project = project.file("password", "of the keystore\n");
    let import = ["key", "import", "account", "account", "keystore", "--password-file", "password", "--kdf", "light"];
    project.chainwright(&import).code(0);
    let keystore = fs::read_dir(project.path().join("keystore")).unwrap().next().unwrap().unwrap().path();
    let set = [
        ("OPERATOR_ADDRESS", account.as_str()),
        ("API_ENDPOINT", &api.url),
        ("CHARON_PRIVATE_KEY_FILE", "key"),
        ("TARGET_CONFIG_HASH", &hash),
        ("CHAINWRIGHT_ACCEPT_WITH", keystore.to_str().unwrap()),
        ("CHAINWRIGHT_ACCEPT_PASSWORD_FILE", "password"),
    ];
    // The API here does not remember it.
    let text = refused(&project, &set);
    assert!(text.contains(&format!("the cluster {hash} is agreed to")), "{text}");
    assert_eq!(api.asked("POST ").1["address"], account);
    let (line, told) = api.asked("PUT ");
    assert_eq!(line, format!("PUT /v1/definition/{hash} HTTP/1.1"));
    assert_eq!((&told["address"], &told["enr"]), (&account.into(), &record.into()));
}

#[test]
fn our_own_variables_back_a_cluster_up() {
    // What real charon made once, for nobody.
    let project = Project::new()
        .file(".charon/charon-enr-private-key", "4c3a6f10e305a2a14a7c9917253c4860218ad6d5fb73274854d87d9f670e5998")
        .file(".charon/cluster-lock.json", include_str!("../../../src/chain/charon/testing/cluster-lock.json"))
        .file(
            ".charon/validator_keys/keystore-0.json",
            include_str!("../../../src/chain/charon/testing/keystore-0.json"),
        )
        .file(
            ".charon/validator_keys/keystore-1.json",
            include_str!("../../../src/chain/charon/testing/keystore-1.json"),
        )
        .file(".charon/validator_keys/keystore-0.txt", "b5e58e7bab63147fb426ef44ee2d30a5")
        .file(".charon/validator_keys/keystore-1.txt", "9a67a09fc2db3a998d2f5669705a14de");
    let output = dkg(&project, &[("CHAINWRIGHT_BACKUP", "backup")], "1").arg("--allow-unsigned").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let copy = fs::read_dir(project.path().join("backup")).unwrap().next().unwrap().unwrap().path();
    for name in ["charon-enr-private-key", "cluster-lock.json", "validator_keys/keystore-1.json"] {
        let original = fs::read(project.path().join(".charon").join(name)).unwrap();
        assert!(fs::read(copy.join(name)).unwrap() == original, "{name}");
    }
}
