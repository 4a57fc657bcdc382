//! `chainwright lock`: written from an inventory alone, compared, signed and verified.

use crate::project::{Project, Ran};
use std::path::Path;

const NODE_KEYS: [&str; 3] = [
    "ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f",
    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
    "c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee51ae168fea63dc339a3c58419466ceaeef7f632653266d0e1236431a950cfe52a",
];

/// Of the private keys 1 and 2.
const ACCOUNTS: [&str; 2] =
    ["0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf", "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"];

const HOSTS: &str = "all:\n  children:\n    nodes:\n      children:\n        sealers: {hosts: {a: {node_address: 10.0.0.1}, \
                     b: {node_address: 10.0.0.2}}}\n        rpc: {hosts: {c: {node_address: 10.0.0.3}}}\n";

const NETWORK: &str = "network:\n  name: ours\n  chain_id: 46781\n  engine: clique\n  period: 2\n  epoch: 30000\n  alloc: \
                       {'0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266': 5 ether}\n  client: {name: geth, version: 1.13.15, source: \
                       /nowhere/geth, sha256: '1111111111111111111111111111111111111111111111111111111111111111'}\n";

/// A project with the inventory of a network, in the folder `main`.
fn organisation(hosts: &str, network: &str) -> Project {
    let host = |name: &str, number: usize, account: &str| {
        (format!("main/host_vars/{name}/public.yml"), format!("node_public_key: \"{}\"\n{account}", NODE_KEYS[number]))
    };
    let account = |number: usize| format!("account_address: \"{}\"\n", ACCOUNTS[number]);
    let files = [host("a", 0, &account(0)), host("b", 1, &account(1)), host("c", 2, "")];
    let project = Project::new().file("main/hosts.yml", hosts).file("main/group_vars/all.yml", network);
    files.into_iter().fold(project, |project, (path, text)| project.file(&path, &text))
}

fn lock(project: &Project) -> String {
    project.chainwright(&["lock", "-i", "main"]).code(0);
    std::fs::read_to_string(project.path().join("main/network.lock")).unwrap()
}

fn edit(project: &Project, path: &str, from: &str, to: &str) {
    let path = project.path().join(path);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}: {text}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn two_organisations_get_the_same_bytes_however_they_order_things() {
    let hosts = "all:\n  children:\n    nodes:\n      children:\n        rpc:\n          hosts:\n            c:\n        sealers:\n          \
                 hosts:\n            b:\n            a:\n      vars:\n        node_address: \"10.0.0.{{ {'a': 1, 'b': 2, 'c': \
                 3}[inventory_hostname] }}\"\n";
    let (header, body) = NETWORK.split_once('\n').unwrap();
    let turned: Vec<&str> = body.lines().rev().collect();
    let network = format!("more: nothing\n{header}\n{}\n", turned.join("\n"));
    let (one, two) = (organisation(HOSTS, NETWORK), organisation(hosts, &network));
    let text = lock(&one);
    assert_eq!(text, lock(&two));
    for part in ["\"name\": \"geth\"", "@10.0.0.1:30303?discport=0\"", "@10.0.0.3:30303\"", "\"londonBlock\": 0"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The lock in the inventory's folder is no inventory, and a second time nothing changes.
    one.chainwright(&["lock", "-i", "main"]).code(0).says("changed  false");
    one.chainwright(&["lock", "-i", "main", "--check"]).code(0).says("is what the inventory gives");
    let ran = one.chainwright(&["lock", "-i", "main/hosts.yml", "-o", "-"]).code(0);
    assert_eq!(ran.out, text);
    // The same words, the same genesis.
    let genesis: serde_json::Value = serde_json::from_str(&text).unwrap();
    let build = ["genesis", "build", "--chain-id", "46781", "--period", "2", "--alloc"];
    let alloc = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266=5 ether";
    let more = [alloc, "--signer", ACCOUNTS[1], "--signer", ACCOUNTS[0]];
    one.chainwright(&[&build[..], &more].concat()).code(0).says(genesis["genesis"]["hash"].as_str().unwrap());
}

#[test]
fn a_difference_is_named_by_check_and_refused_by_a_playbook_before_anything_is_contacted() {
    let project = organisation(HOSTS, NETWORK);
    lock(&project);
    edit(&project, "main/group_vars/all.yml", "1.13.15", "1.13.14");
    edit(&project, "main/hosts.yml", "10.0.0.3", "10.0.0.4");
    let named = |ran: Ran| {
        ran.says("client version: the lock says 1.13.15, there is 1.13.14")
            .says("enode of c: the lock says enode://c6047f9441ed")
            .silent_about("10.0.0.1")
    };
    named(project.chainwright(&["lock", "-i", "main", "--check"]).code(1));
    let json = project.chainwright(&["lock", "-i", "main", "--check", "--json"]).code(1);
    let answer: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(answer["differences"][0]["found"], "1.13.14");
    // No host of these has an agent or an address that answers: who tried would be told unreachable, with exit code 4.
    let playbooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks");
    for name in ["site.yml", "restart.yml", "upgrade.yml"] {
        let playbook = playbooks.join(name);
        let ran = project.chainwright(&["playbook", "-i", "main", playbook.to_str().unwrap()]).code(2);
        named(ran).says("network.lock anew with `chainwright lock -i INVENTORY`").silent_about("unreachable=1");
    }
    // What is intended is agreed upon by writing it anew.
    let ran = project.chainwright(&["lock", "-i", "main"]).code(0);
    ran.says("changed  true").says("client version: the lock says 1.13.15, there is 1.13.14");
    project.chainwright(&["lock", "-i", "main", "--check"]).code(0);
}

/// A run with --limit takes what it must know of the other hosts from the lock.
#[test]
fn of_a_limited_run_only_its_own_hosts_are_held_against_the_lock() {
    // Nobody listens on port 1.
    let hosts = HOSTS.replace("node_address: 10", "ansible_host: 127.0.0.1, ansible_port: 1, node_address: 10");
    let project = organisation(&hosts, NETWORK);
    let playbooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks");
    let limited = |name: &str, host: &str| {
        project.chainwright(&["playbook", "-i", "main", playbooks.join(name).to_str().unwrap(), "-l", host])
    };
    for name in ["site.yml", "upgrade.yml"] {
        let ran = limited(name, "c").code(2).says("limited to c").says("a, b are not in ");
        ran.says("playbooks/keys.yml and then `chainwright lock -i").silent_about("unreachable=1");
    }
    lock(&project);
    for (name, host) in [("site.yml", "c"), ("upgrade.yml", "c"), ("site.yml", "a"), ("restart.yml", "b")] {
        limited(name, host).code(4).silent_about("geth_identity").says("unreachable=1");
    }
    edit(&project, "main/hosts.yml", "10.0.0.3", "10.0.0.4");
    limited("upgrade.yml", "c").code(2).says("enode of c: the lock says enode://c6047f9441ed");
    limited("upgrade.yml", "a").code(4);
    edit(&project, "main/group_vars/all.yml", "period: 2", "period: 3");
    limited("restart.yml", "a").code(2).says("seconds between blocks: the lock says 2, there is 3");
}

#[test]
fn what_is_missing_or_wrong_is_said_with_a_remedy() {
    let project = organisation(HOSTS, NETWORK);
    project.chainwright(&["lock"]).code(1).says("name it: `chainwright lock -i inventories/main`");
    project
        .chainwright(&["lock", "-i", "main", "--check"])
        .code(2)
        .says("network.lock")
        .says("without --check writes it");
    let project = project.file("main/network.lock", "{\n  \"version\": 7\n}\n");
    project.chainwright(&["lock", "-i", "main", "--check"]).code(2).says("line 2, column 14: this lock has version 7");
    project.chainwright(&["lock", "-i", "main"]).code(1).says("is left as it is");
    std::fs::remove_file(project.path().join("main/network.lock")).unwrap();
    std::fs::remove_file(project.path().join("main/host_vars/c/public.yml")).unwrap();
    let ran = project.chainwright(&["lock", "-i", "main"]).code(1);
    ran.says("error: c has no public keys in the inventory").says("run playbooks/keys.yml");
    assert!(!project.path().join("main/network.lock").exists());
    let project = project.file("main/host_vars/c/public.yml", "node_public_key: [\n");
    project.chainwright(&["lock", "-i", "main"]).code(1).says("public.yml:1:18").silent_about("error: error");
    let schema: serde_json::Value =
        serde_json::from_str(&project.chainwright(&["lock", "schema"]).code(0).out).unwrap();
    assert_eq!(schema["title"], "network.lock");
}

#[test]
fn a_lock_is_signed_and_it_shows_who_is_missing_and_whose_signature_is_wrong() {
    let project = organisation(HOSTS, NETWORK);
    lock(&project);
    let key = |number: u8| format!("{:064x}\n", u64::from(number));
    let project = project.file("one", &key(1)).file("two", &key(2)).file("three", &key(3)).file("password", "secret\n");
    let path = "main/network.lock";
    project.chainwright(&["lock", "verify", path]).code(1).says("0 of 2 signers have signed").says("missing  0x7E5F");
    project
        .chainwright(&["key", "import", "account", "one", "ks", "--password-file", "password", "--kdf", "light"])
        .code(0);
    let sealed = std::fs::read_dir(project.path().join("ks")).ok().and_then(|mut files| files.next()?.ok());
    let sealed = sealed.expect("a keystore file").path().display().to_string();
    let sign = ["lock", "sign", path, "--keystore", &sealed, "--password-file", "password"];
    project.chainwright(&sign).code(0).says(ACCOUNTS[0]).silent_about("secret");
    let before = std::fs::read_to_string(&sealed).unwrap();
    let onto = [&sign[..], &["-o", &sealed]].concat();
    project.chainwright(&onto).code(1).says("is no signature, and is left as it is");
    assert_eq!(std::fs::read_to_string(&sealed).unwrap(), before);
    let ran = project.chainwright(&["lock", "verify", path]).code(1);
    ran.says("1 of 2 signers")
        .says("signed   0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf  a")
        .says("missing  0x2B5AD5c4");
    project.chainwright(&["lock", "sign", path, "--key", "two"]).code(0);
    project.chainwright(&["lock", "sign", path, "--key", "three"]).code(0).says("is not one of the lock's signers");
    project.chainwright(&["lock", "verify", path]).code(0).says("2 of 2 signers").says("(not one of the signers)");
    // A signature of one passed off as another's.
    let file = format!("{path}.{}.sig", ACCOUNTS[1]);
    edit(&project, &file, ACCOUNTS[1], ACCOUNTS[0]);
    let ran = project.chainwright(&["lock", "verify", path, &file]).code(1);
    ran.says("wrong    main/network.lock.0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF.sig: this is not the signature of 0x7E5F");
    // The lock changes, and all signatures are void.
    edit(&project, "main/hosts.yml", "10.0.0.3", "10.0.0.4");
    project
        .chainwright(&["lock", "-i", "main"])
        .code(0)
        .says("3 signatures beside main/network.lock are of the lock before");
    project
        .chainwright(&["lock", "verify", path])
        .code(1)
        .says("0 of 2 signers")
        .says("has signed something else, not this lock");
    // What other line ends do to it.
    let text = std::fs::read_to_string(project.path().join(path)).unwrap().replace('\n', "\r\n");
    let project = project.file(path, &text);
    project
        .chainwright(&["lock", "sign", path, "--key", "two"])
        .code(1)
        .says("line 1 is not as `chainwright lock` writes it");
    let mut nobody: serde_json::Value = serde_json::from_str(&text).unwrap();
    nobody["signers"] = serde_json::json!([]);
    let project = project.file("nobody.lock", &format!("{nobody:#}\n"));
    project.chainwright(&["lock", "verify", "nobody.lock"]).code(2).says("nobody.lock names no signers");
    project.chainwright(&["lock", "verify", "nothing"]).code(2);
    project.chainwright(&["lock", "sign", path]).code(5);
}

#[test]
fn who_joins_under_the_name_of_another_node_is_refused_before_anything_is_contacted() {
    let project = organisation(HOSTS, NETWORK);
    let text = lock(&project);
    let build = ["genesis", "build", "--chain-id", "46781", "--period", "2", "-o", "theirs/genesis.json", "--alloc"];
    let more = ["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266=5 ether", "--signer", ACCOUNTS[1], "--signer", ACCOUNTS[0]];
    let project =
        project.file("theirs/network.lock", &text).file("theirs/group_vars/all.yml", "join_client: /nowhere/geth\n");
    project.chainwright(&[&build[..], &more].concat()).code(0);
    let playbook = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks/join.yml");
    let join = |host: &str, address: &str| {
        // Nobody listens on port 1.
        let hosts = format!(
            "nodes:\n  children:\n    rpc: {{hosts: {{{host}: {{node_address: {address}, ansible_host: 127.0.0.1, ansible_port: 1}}}}}}\n"
        );
        std::fs::write(project.path().join("theirs/hosts.yml"), hosts).unwrap();
        project.chainwright(&["playbook", "-i", "theirs", playbook])
    };
    join("c", "10.0.0.9").code(2).says("has a node c already, at 10.0.0.3:30303").says("another name");
    for (host, address) in [("c", "10.0.0.3"), ("d", "10.0.0.9")] {
        join(host, address).code(4).silent_about("another name");
    }
}

/// The lock is made of the words that the genesis on the hosts is made of.
#[test]
fn the_lock_and_the_genesis_take_the_same_from_the_inventory() {
    let options = |file: &str| -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("roles/geth/tasks").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| line.trim().to_owned());
        let mut options: Vec<String> = lines
            .skip_while(|line| !line.starts_with("chain_id:"))
            .take_while(|line| !line.starts_with("signers:"))
            .filter(|line| !line.starts_with('#'))
            .collect();
        options.sort();
        options
    };
    assert_eq!(options("lock.yml"), options("genesis.yml"));
}
