//! Contracts, transactions and events on real chains: `playbooks/bridge.yml` between two networks of geth, one before London that seals
//! with Clique, one with a fee market; a run that is killed; an event that is waited for, and reorganised away.

use crate::geth::{Node, chainwright, geth};
use alloy_primitives::{hex, keccak256};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The account of the private key 0x46..46, EIP-155's example.
const DEPLOYER: &str = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
const DECLARED: &str = "Deposit(address indexed from, uint256 amount)";

/// The code of a contract that could be a side of a bridge, assembled by hand. It looks at nothing but the length of what it is sent: a
/// payment without data emits `Deposit(caller, value)`, a method without arguments returns slot 1, one with an argument writes it there.
fn runtime() -> String {
    let topic = hex::encode(keccak256("Deposit(address,uint256)"));
    let lines = [
        "368015601f57",   // CALLDATASIZE DUP1 ISZERO PUSH1 31 JUMPI: no data, to the deposit
        "600414601357",   // PUSH1 4 EQ PUSH1 19 JUMPI: a selector alone, to the question
        "60043560015500", // PUSH1 4 CALLDATALOAD PUSH1 1 SSTORE STOP
        "5b600154600052", // 19: JUMPDEST PUSH1 1 SLOAD PUSH1 0 MSTORE
        "60206000f3",     // PUSH1 32 PUSH1 0 RETURN
        "5b34600052337f", // 31: JUMPDEST CALLVALUE PUSH1 0 MSTORE CALLER PUSH32
        &topic,           // the event's signature
        "60206000a200",   // PUSH1 32 PUSH1 0 LOG2 STOP
    ];
    lines.concat()
}

/// The code that makes it: its argument, the last 32 bytes of it all, goes into slot 0, and the code behind these 25 bytes comes back.
fn creation() -> String {
    let code = runtime();
    let length = code.len() / 2;
    let lines = [
        "6020803803600039",                     // PUSH1 32 DUP1 CODESIZE SUB PUSH1 0 CODECOPY
        "600051600055",                         // PUSH1 0 MLOAD PUSH1 0 SSTORE
        &format!("60{length:02x}806019600039"), // PUSH1 length DUP1 PUSH1 25 PUSH1 0 CODECOPY
        "6000f3",                               // PUSH1 0 RETURN
        &code,
    ];
    lines.concat()
}

/// Files of the user's, keys on the host, which is this machine, and the two chains.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: TempDir::new().expect("a folder") };
        place.secret("raw", &"46".repeat(32));
        place.secret("password", "correct horse\n");
        for folder in ["home", "foreign"] {
            fs::create_dir(place.folder.path().join(folder)).expect("a folder");
        }
        let (raw, keystore, password) = (place.path("raw"), place.path("keystore"), place.path("password"));
        chainwright(&["key", "import", "account", &raw, &keystore, "--password-file", &password, "--kdf", "light"]);
        // As Hardhat and as Foundry write them.
        let constructor = |kind: &str, name: &str| json!([{"type": "constructor", "stateMutability": "payable", "inputs": [{"name": name, "type": kind}]}]);
        let home = json!({"contractName": "Home", "abi": constructor("uint256", "limit"),
            "bytecode": format!("0x{}", creation()), "deployedBytecode": format!("0x{}", runtime())});
        let foreign = json!({"abi": constructor("address", "home"), "bytecode": {"object": format!("0x{}", creation())},
            "deployedBytecode": {"object": format!("0x{}", runtime()), "immutableReferences": {}}});
        place.file("Home.json", &home.to_string()).file("Foreign.json", &foreign.to_string());
        place
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn file(&self, name: &str, text: &str) -> &Self {
        fs::write(self.folder.path().join(name), text).expect("a file");
        self
    }

    fn secret(&self, name: &str, text: &str) {
        self.file(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).expect("its mode");
    }

    /// A chain that seals each second, from before London; the deployer is its signer, too.
    fn home(&self) -> Node {
        let signer = DEPLOYER[2..].to_lowercase();
        let genesis = json!({"config": {"chainId": 46781, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
            "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0,
            "clique": {"period": 1, "epoch": 30000}}, "difficulty": "1", "gasLimit": "8000000",
            "extradata": format!("0x{}{signer}{}", "0".repeat(64), "0".repeat(130)),
            "alloc": {signer.as_str(): {"balance": "1000000000000000000000"}}});
        self.file("genesis.json", &genesis.to_string());
        let folder = self.folder.path().join("home");
        geth("geth", &["--datadir", &self.path("home/data"), "init", &self.path("genesis.json")]);
        let (keystore, password) = (self.path("keystore"), self.path("password"));
        let keys = ["--keystore", &keystore, "--unlock", DEPLOYER, "--password", &password];
        let seals = ["--networkid", "46781", "--nodiscover", "--mine", "--miner.etherbase", DEPLOYER];
        Node::start(&folder, &[&keys[..], &seals].concat())
    }

    /// A chain of today, whose node has an account with much money unlocked.
    fn foreign(&self) -> Node {
        Node::start(&self.folder.path().join("foreign"), &["--dev", "--dev.period", "1"])
    }

    fn command(&self, playbook: &Path, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
        command.args(["playbook", "--json", "-i", &self.path("hosts.yml")]).arg(playbook).args(more);
        command.env("XDG_STATE_HOME", self.path("state")).stdin(Stdio::null());
        command
    }

    fn run(&self, playbook: &Path, more: &[&str]) -> Run {
        Run::of(self.command(playbook, more).output().expect("chainwright runs"))
    }

    /// Runs tasks on this machine.
    fn tasks(&self, tasks: &Value) -> Run {
        let play = json!([{"hosts": "bridge", "gather_facts": false, "tasks": tasks}]);
        self.file("tasks.yml", &play.to_string());
        self.run(&self.folder.path().join("tasks.yml"), &[])
    }

    /// What signs on the home chain.
    fn signed(&self, module: &Value) -> Value {
        let mut module = module.clone();
        let more = json!({"ipc": self.path("home/ipc"), "chain_id": 46781, "keystore": self.path("keystore"),
            "password_file": self.path("password")});
        module.as_object_mut().expect("a table").extend(more.as_object().expect("a table").clone());
        module
    }
}

struct Run {
    code: Option<i32>,
    text: String,
    events: Vec<Value>,
}

impl Run {
    fn of(output: Output) -> Self {
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let events = out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Self { code: output.status.code(), text: out + &String::from_utf8_lossy(&output.stderr), events }
    }

    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.text);
        self
    }

    fn changed(&self) -> u64 {
        let recap = self.events.iter().find_map(|event| event.get("recap")?.as_object()).expect("a recap");
        recap.values().filter_map(|counts| counts["changed"].as_u64()).sum()
    }

    /// The results of the steps, in order.
    fn results(&self) -> Vec<&Value> {
        self.events.iter().filter(|event| event["event"] == "step_done").map(|event| &event["result"]).collect()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().expect("a quantity").trim_start_matches("0x"), 16).expect("a number")
}

/// Waits until a node says what is wanted of it.
#[track_caller]
fn until(node: &Node, method: &str, params: &Value, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let answer = node.call(method, params);
        if wanted(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "{method}: {answer}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_bridge_is_deployed_to_two_chains_and_a_deposit_goes_over_it() {
    let place = Place::new();
    let (home, foreign) = (place.home(), place.foreign());
    let rich = foreign.call("eth_accounts", &Value::Null)[0].clone();
    let peer = "{{ bridge_contracts.foreign.address }}";
    let host = json!({"ansible_connection": "local", "ansible_become": false});
    let vars = json!({
        "bridge_folder": place.path("etc"), "bridge_state_folder": place.path("lib"), "bridge_confirmations": 1, "bridge_timeout": 60,
        "bridge_owner": fs::metadata(place.path("raw")).map(|meta| std::os::unix::fs::MetadataExt::uid(&meta)).expect("its owner").to_string(),
        "bridge_group": fs::metadata(place.path("raw")).map(|meta| std::os::unix::fs::MetadataExt::gid(&meta)).expect("its group").to_string(),
        "bridge_home": {"ipc": place.path("home/ipc"), "public_url": "http://home.example", "chain_id": 46781,
            "artefact": place.path("Home.json"), "args": ["10 ether"], "keystore": place.path("keystore"),
            "password_file": place.path("password")},
        "bridge_foreign": {"ipc": place.path("foreign/ipc"), "chain_id": 1337, "artefact": place.path("Foreign.json"),
            "args": ["{{ bridge_contracts.home.address }}"], "unlocked": true, "from": rich},
        "bridge_calls": [{"side": "home", "name": "peer", "method": "setPeer(address)", "args": [peer],
            "unless": {"method": "peer() view returns (address)", "returns": peer}}],
        "bridge_env": {"VALIDATOR_KEY_FILE": "/etc/bridge/key"}, "bridge_ui": {"title": "Ours"},
    });
    place.file(
        "hosts.yml",
        &json!({"all": {"vars": vars, "children": {"bridge": {"hosts": {"bridge1": host}}}}}).to_string(),
    );
    let playbook = root().join("playbooks/bridge.yml");

    // Check mode sends nothing.
    assert!(place.run(&playbook, &["--check"]).ok().changed() >= 2);
    assert_eq!(home.call("eth_getTransactionCount", &json!([DEPLOYER, "pending"])), "0x0");

    let first = place.run(&playbook, &[]).ok();
    assert!(!first.text.contains(&"46".repeat(32)) && !first.text.contains("correct horse"));
    let again = place.run(&playbook, &[]).ok();
    assert_eq!(again.changed(), 0, "{}", again.text);
    assert_eq!(home.call("eth_getTransactionCount", &json!([DEPLOYER, "latest"])), "0x2");

    // What the agents are told is what is on the chains.
    let env = fs::read_to_string(place.path("etc/.env")).expect("the environment");
    let entry = |name: &str| {
        env.lines()
            .find_map(|line| line.strip_prefix(&format!("{name}=")))
            .unwrap_or_else(|| panic!("{env}"))
            .to_owned()
    };
    let (ours, theirs) = (entry("HOME_BRIDGE_ADDRESS"), entry("FOREIGN_BRIDGE_ADDRESS"));
    for (node, address) in [(&home, &ours), (&foreign, &theirs)] {
        assert_eq!(node.call("eth_getCode", &json!([address, "latest"])), format!("0x{}", runtime()));
    }
    let slot =
        |node: &Node, address: &str, slot: &str| node.call("eth_getStorageAt", &json!([address, slot, "latest"]));
    assert_eq!(number(&slot(&home, &ours, "0x0")), 10_000_000_000_000_000_000);
    assert!(slot(&foreign, &theirs, "0x0").to_string().contains(&ours[2..].to_lowercase()));
    assert!(slot(&home, &ours, "0x1").to_string().contains(&theirs[2..].to_lowercase()));
    assert_eq!(
        (entry("HOME_RPC_URL"), entry("VALIDATOR_KEY_FILE")),
        ("http://home.example".into(), "/etc/bridge/key".into())
    );
    assert_eq!(fs::metadata(place.path("etc/.env")).expect("a file").permissions().mode() & 0o777, 0o640);
    let ui: Value =
        serde_json::from_str(&fs::read_to_string(place.path("etc/ui.json")).expect("a file")).expect("JSON");
    assert_eq!(
        (&ui["home"]["bridgeAddress"], &ui["foreign"]["chainId"], &ui["title"]),
        (&json!(ours), &json!(1337), &json!("Ours"))
    );
    assert_eq!(ui["home"]["startBlock"].to_string(), entry("HOME_START_BLOCK"));

    // A deposit on the one is seen three blocks deep; only then it is paid on the other, and seen there.
    let crossing = place.tasks(&json!([
        {"eth_transaction": place.signed(&json!({"to": ours, "value": "7 gwei", "state_file": place.path("lib/deposit.json")}))},
        {"eth_event": {"ipc": place.path("home/ipc"), "address": ours, "event": DECLARED, "where": {"from": DEPLOYER},
            "from_block": entry("HOME_START_BLOCK"), "confirmations": 3}, "register": "deposit"},
        {"eth_transaction": {"ipc": place.path("foreign/ipc"), "to": theirs, "value": "{{ deposit.event.args.amount }}",
            "unlocked": true, "from": rich, "state_file": place.path("lib/payout.json")}},
        {"eth_event": {"ipc": place.path("foreign/ipc"), "address": theirs, "event": DECLARED, "where": {"amount": "7 gwei"}}},
        {"eth_event": {"ipc": place.path("foreign/ipc"), "event": DECLARED, "where": {"amount": 8}, "timeout": 1}},
    ]));
    assert_eq!(crossing.code, Some(2), "{}", crossing.text);
    let results = crossing.results();
    let (sent, seen) = (results[0], results[1]);
    assert_eq!(
        (&seen["event"]["transaction"], &seen["event"]["args"]["amount"]),
        (&sent["transaction"], &json!("7000000000"))
    );
    assert!(seen["head"].as_u64() >= seen["event"]["block"].as_u64().map(|block| block + 3), "{seen}");
    assert_eq!(results[3]["event"]["transaction"], results[2]["transaction"]);
    let message = results[4]["msg"].as_str().unwrap_or_default();
    assert!(message.contains("with {\"amount\":8}") && message.contains("but one with"), "{message}");
}

#[test]
fn a_killed_deployment_is_taken_up_and_an_event_that_is_reorganised_away_is_waited_for() {
    let place = Place::new();
    let home = place.home();
    let host = json!({"bridge1": {"ansible_connection": "local"}});
    place.file("hosts.yml", &json!({"all": {"children": {"bridge": {"hosts": host}}}}).to_string());
    // It answers before it begins to seal: told to stop then, it would begin all the same.
    until(&home, "eth_mining", &json!([]), |mining| *mining == json!(true));
    home.call("miner_stop", &Value::Null);
    let deploy = place.signed(
        &json!({"artefact": place.path("Home.json"), "args": {"limit": 5}, "state_file": place.path("lib/home.json")}),
    );
    let play = json!([{"hosts": "bridge", "gather_facts": false, "tasks": [{"eth_contract": deploy}]}]);
    place.file("deploy.yml", &play.to_string());
    let playbook = place.folder.path().join("deploy.yml");

    // Nobody seals: the run is killed while it waits for the receipt.
    let mut child =
        place.command(&playbook, &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("chainwright runs");
    until(&home, "txpool_status", &json!([]), |status| status["pending"] == "0x1");
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    home.call("miner_start", &Value::Null);
    let taken_up = place.run(&playbook, &[]).ok();
    assert_eq!((taken_up.changed(), place.run(&playbook, &[]).ok().changed()), (1, 0));
    assert_eq!(home.call("eth_getTransactionCount", &json!([DEPLOYER, "pending"])), "0x1");
    let contract = taken_up.results()[0]["address"].clone();

    // A deposit, and the chain from before it once more, with another deposit.
    let deposit = |value: &str| {
        let sent = home.call("eth_sendTransaction", &json!([{"from": DEPLOYER, "to": contract, "value": value}]));
        let receipt = until(&home, "eth_getTransactionReceipt", &json!([sent]), |receipt| !receipt.is_null());
        (sent, receipt["blockNumber"].clone())
    };
    let (_, block) = deposit("0x5");
    let wait = json!({"ipc": place.path("home/ipc"), "event": DECLARED, "address": contract, "confirmations": 6});
    let play = json!([{"hosts": "bridge", "gather_facts": false, "tasks": [{"eth_event": wait}]}]);
    place.file("wait.yml", &play.to_string());
    let mut waiting = place.command(&place.folder.path().join("wait.yml"), &[]);
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("chainwright runs");
    // Not while it seals: a block whose parent has gone ends its sealing for good.
    home.call("miner_stop", &Value::Null);
    home.call("debug_setHead", &json!([format!("{:#x}", number(&block) - 1)]));
    until(&home, "eth_getTransactionCount", &json!([DEPLOYER, "pending"]), |count| count == "0x1");
    home.call("miner_start", &Value::Null);
    let (second, _) = deposit("0x6");
    let ended = Run::of(waiting.wait_with_output().expect("it ends")).ok();
    let seen = ended.results()[0];
    assert_eq!(
        (&seen["event"]["transaction"], &seen["event"]["args"]["amount"]),
        (&second, &json!("6")),
        "{}",
        ended.text
    );
}
