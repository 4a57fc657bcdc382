//! `chainwright ceremony`: the operator's sheet, a party's lines, and what is refused before anybody is asked.

mod fake_autonity;
mod verify;
mod webhook;

use crate::project::{Project, Ran};
use chainwright::base::Map;
use chainwright::chain::ceremony::sheet::Organisation;
use chainwright::chain::ceremony::verify::read;
use chainwright::chain::ceremony::{Memory, Party, Sheet, Statement, Template};
use chainwright::chain::genesis::build::{Autonity, Common, Generation};
use chainwright::chain::genesis::compare::compare;
use chainwright::chain::{AccountKey, Enode, NodeKey};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

const TEMPLATE: &str = r#"{"config": {"chainId": 1, "clique": {"period": 2, "epoch": 30000}}, "difficulty": "0x1", "gasLimit": "0x47b760", "extraData": ["fqdn://node.alpha.example", "fqdn://node.beta.example"], "alloc": {}}"#;
/// Of the private key 1.
const KEY: &str = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";

fn project() -> Project {
    let project = Project::new().file("template.json", TEMPLATE);
    let sheet = ["ceremony", "sheet", "--name", "x", "--template", "template.json"];
    let parties = ["alpha=node.alpha.example", "beta=Node.Beta.example."];
    let ran = project.chainwright(&[sheet.as_slice(), &parties].concat()).code(0);
    project.file("sheet.json", &ran.out)
}

#[test]
fn the_operator_makes_a_sheet_and_a_party_the_lines_of_its_zone() {
    let project = project();
    let record = |more: &[&str]| {
        let fixed = ["ceremony", "record", "--sheet", "sheet.json", "--public-key", KEY];
        project.chainwright(&[fixed.as_slice(), more].concat())
    };
    let lines = record(&["--organisation", "beta", "--address", "192.0.2.10"]).code(0);
    lines
        .says(&format!("node.beta.example. 60 IN TXT \"p=30303; k={KEY}; c="))
        .says("node.beta.example. 60 IN A 192.0.2.10");
    record(&["--organisation", "beta", "--address", "2001:db8::1", "--port", "1"])
        .code(0)
        .says("AAAA 2001:db8::1")
        .says("p=1;");
    record(&["--organisation", "gamma", "--address", "192.0.2.10"]).code(1).says("`gamma` is not on the sheet");
    // Who joins later is on a sheet of the same ceremony.
    let sheet = ["ceremony", "sheet", "--name", "x", "--template", "template.json"];
    let parties = ["alpha=node.alpha.example", "beta=node.beta.example", "--joined", "gamma=node.gamma.example"];
    let later = project.chainwright(&[&sheet[..], &parties].concat()).code(0);
    let read = |text: &str| serde_json::from_str::<Sheet>(text).unwrap();
    let first = read(&std::fs::read_to_string(project.path().join("sheet.json")).unwrap());
    assert_eq!((read(&later.out).id(), &*read(&later.out).joined[0].name), (first.id(), "gamma"));
    record(&["--organisation", "beta", "--address", "192.0.2.256"]).code(5);
    record(&["--organisation", "beta", "--address", "192.0.2.10", "--port", "0"]).code(5);
    record(&["--organisation", "beta", "--address", "192.0.2.10", "--account", "0x12"]).code(1).says("not an address");
}

#[test]
fn what_cannot_become_a_ceremony_is_refused() {
    let project = project().file("other.json", &TEMPLATE.replace("beta", "gamma")).file("list.yml", "- 1\n");
    let sheet = |template: &str, parties: &[&str]| {
        let fixed = ["ceremony", "sheet", "--name", "x", "--template", template];
        project.chainwright(&[fixed.as_slice(), parties].concat())
    };
    sheet("none.json", &["a=b.c"]).code(1).says("none.json");
    sheet("template.json", &["alpha"]).code(1).says("not NAME=FQDN");
    sheet("template.json", &["alpha=node.alpha.example"])
        .code(1)
        .says("`node.beta.example`, which is nobody's on the sheet");
    let resolve = |more: &[&str]| {
        let fixed = ["ceremony", "resolve", "--timeout", "0", "--resolver", "127.0.0.1:1"];
        project.chainwright(&[fixed.as_slice(), more].concat())
    };
    resolve(&["--sheet", "list.yml"]).code(1).says("`sheet`");
    resolve(&["--sheet", "sheet.json", "--template", "other.json"]).code(1).says("this is not the sheet's template");
    resolve(&["--sheet", "sheet.json", "--genesis", "g.json"]).code(1).says("`dest` needs a `template`");
    let ran = resolve(&["--sheet", "sheet.json", "--template", "template.json", "--genesis", "g.json"]).code(1);
    ran.says("not complete after 0 s: alpha (node.alpha.example): unanswered");
    assert!(!project.path().join("g.json").exists());
}

/// The operator's example inventory in a project of its own, for an engine; its organisations' names end otherwise.
fn example(engine: &str, end: &str) -> Project {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/inventories/ceremony/operator");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
    let named = |text: String| {
        let names = ["alpha", "beta", "gamma"].into_iter();
        names.fold(text, |text, name| text.replace(&format!("node.{name}.example"), &format!("{name}{end}")))
    };
    let settings =
        read("group_vars/ceremony.yml").replace("ceremony_engine: clique", &format!("ceremony_engine: {engine}"));
    Project::new()
        .file("operator/hosts.yml", &named(read("hosts.yml")))
        .file("operator/group_vars/ceremony.yml", &named(settings))
}

fn template_of(project: &Project) -> Ran {
    let book = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks/ceremony-template.yml");
    project.chainwright(&["playbook", "-i", "operator/hosts.yml", book])
}

/// The parties with the keys 1, 2 and 3.
fn parties(end: &str) -> Vec<Party> {
    let party = |(number, name): (u8, &str)| {
        let key = NodeKey::from_hex(&format!("{number:064x}")).unwrap();
        let enode = Enode::new(&key.public_key(), &format!("10.0.0.{number}"), 30303, 30303).unwrap();
        let (name, fqdn, account) = (name.into(), format!("{name}{end}"), enode.address());
        Party { name, fqdn, account, enode, signed: 0, address_signed: 0 }
    };
    [(1, "alpha"), (2, "beta"), (3, "gamma")].map(party).to_vec()
}

#[test]
fn the_example_s_template_becomes_a_genesis_of_every_engine() {
    let parties = parties(".example");
    for engine in ["clique", "qbft", "aura", "autonity_0_7", "autonity"] {
        let project = example(engine, ".example");
        template_of(&project).code(0);
        let text = |name: &str| std::fs::read_to_string(project.path().join("operator").join(name)).unwrap();
        let template = Template::read(&text("genesis-template.json")).unwrap();
        let sheet = serde_json::from_str(&text("sheet.json")).unwrap();
        template.fits(&sheet).unwrap();
        let filled = template.fill(&parties).unwrap();
        assert!(!filled.text.contains("fqdn://"), "{}", filled.text);
        let genesis = read(&filled.text).unwrap();
        if engine.starts_with("autonity") {
            assert_eq!(filled.hash, None);
            let built = read(&autonity(engine, &parties, &filled.text)).unwrap();
            let found = compare(&genesis, &built, None).differences;
            assert!(found.is_empty(), "{engine}: {found:?}");
        } else {
            assert!(filled.hash.is_some());
            let mut validators = genesis.validators();
            validators.sort_unstable();
            let mut accounts: Vec<_> = parties.iter().map(|party| party.account).collect();
            accounts.sort_unstable();
            assert_eq!(validators, accounts, "{engine}");
        }
        // Run again, nothing changes: what was sent out stays what it is.
        template_of(&project).code(0).says("changed=0");
    }
}

/// The same network by the generator of genesis files, which checks each of Autonity's values.
fn autonity(engine: &str, parties: &[Party], text: &str) -> String {
    let file: Value = serde_json::from_str(text).unwrap();
    let young = engine == "autonity";
    let validators = (1..).zip(parties).map(|(number, party): (u8, &Party)| {
        let mut user = json!({"enode": party.enode.to_string()});
        let own = if young {
            json!({"treasury": party.account.to_string(), "oracleAddress": format!("0x{:0>40}", number.to_string().repeat(4)),
                "consensusKey": format!("0x{}", number.to_string().repeat(96)), "bondedStake": 50_000})
        } else {
            json!({"type": "validator", "stake": 50_000})
        };
        user.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        user.as_object().unwrap().clone()
    });
    let network = Autonity {
        generation: if young { Generation::V14 } else { Generation::V07 },
        period: 5,
        operator: "0x00000000000000000000000000000000000000aA".parse().unwrap(),
        treasury: Some("0x00000000000000000000000000000000000000bb".parse().unwrap()),
        validators: validators.collect(),
        settings: Map::new(),
    };
    let common = Common {
        chain_id: 46_781,
        alloc: read(text).unwrap().alloc,
        gas_limit: chainwright::chain::quantity::small(&file["gasLimit"]).unwrap(),
        forks: read(text).unwrap().forks,
        ..Common::default()
    };
    let built = network.to_json(&common).unwrap();
    // The generator writes the account beside the enode from which it follows; the ceremony leaves that to the client.
    let mut built: Value = serde_json::from_str(&built).unwrap();
    for user in built["config"]["autonityContract"]["users"].as_array_mut().into_iter().flatten() {
        user.as_object_mut().unwrap().remove("address");
    }
    built.to_string()
}

#[test]
fn an_operator_who_leaves_something_out_is_told_what() {
    let change = |engine: &str, name: &str, from: &str, to: &str| {
        let project = example(engine, ".example");
        let path = project.path().join("operator").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        let ran = template_of(&project).code(2);
        assert!(!project.path().join("operator/sheet.json").exists());
        ran
    };
    change("clique", "hosts.yml", "ceremony_fqdn: beta.example", "x: y").says("needs `ceremony_fqdn` (beta has none)");
    change("clique", "group_vars/ceremony.yml", "ceremony_chain_id: 46781", "x: y").says("`ceremony_chain_id`");
    change("tendermint", "group_vars/ceremony.yml", "5", "5").says("there is no template for `tendermint`");
    change("autonity", "hosts.yml", "0x2222", "0x22").says("two public values of beta that do not stand in DNS");
    change("autonity", "group_vars/ceremony.yml", "00bb", "00").says("`ceremony_network_treasury`");
    change("autonity_0_7", "group_vars/ceremony.yml", "00aA", "00").says("`ceremony_operator`, who governs");
}

#[test]
fn a_template_of_other_organisations_is_not_kept() {
    let project = example("clique", ".example");
    template_of(&project).code(0).says("genesis-template.json (SHA-256 ").says("sheet.json (SHA-256 ");
    let hosts = project.path().join("operator/hosts.yml");
    let text = std::fs::read_to_string(&hosts).unwrap();
    std::fs::write(&hosts, text.replace("gamma.example", "GAMMA.example.")).unwrap();
    template_of(&project).code(0);
    std::fs::write(&hosts, text.replace("gamma.example", "delta.example")).unwrap();
    template_of(&project).code(2).says("move genesis-template.json away to have it made anew").says("delta.example");
    std::fs::write(&hosts, text.replace("gamma.example", "beta.example")).unwrap();
    template_of(&project).code(2).says("one of them twice");
}

#[test]
fn a_party_whose_values_the_operator_changed_notices_before_anything_is_made() {
    let project = example("autonity", ".example");
    template_of(&project).code(0);
    let text = |name: &str| std::fs::read_to_string(project.path().join("operator").join(name)).unwrap();
    let (sheet, template) = (text("sheet.json"), text("genesis-template.json"));
    let project = project.file("party/sheet.json", &sheet).file("party/genesis-template.json", &template).file(
        "own.yml",
        "- hosts: ceremony\n  gather_facts: false\n  tasks:\n    - include_role: {name: ceremony, tasks_from: own}\n",
    );
    std::os::unix::fs::symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/roles"), project.path().join("roles")).unwrap();
    let play = |more: &str| {
        let host = format!("ceremony: {{hosts: {{beta: {{ansible_connection: local{more}}}}}}}\n");
        std::fs::write(project.path().join("party/hosts.yml"), host).unwrap();
        project.chainwright(&["playbook", "-i", "party/hosts.yml", "own.yml"])
    };
    let oracle = "ceremony_oracle: '0x0000000000000000000000000000000000002222'";
    let key = format!("ceremony_consensus_key: '0x{}'", "2".repeat(96));
    play(&format!(", {oracle}, {key}")).code(0);
    play(&format!(", {oracle}")).code(2).says("the template has of beta: ceremony_consensus_key 0x2222");
    play(&format!(", {oracle}, {}", key.replace("22'", "23'"))).code(2).says("the operator has wrong ones");
    play(&format!(", {oracle}, {key}, ceremony_treasury: '0x{}'", "7".repeat(40)))
        .code(2)
        .says("Nothing was made or published");

    // However the operator writes it, it is what a client reads of us.
    let said = |from: &str, to: &str| {
        assert!(template.contains(from), "{template}");
        std::fs::write(project.path().join("party/genesis-template.json"), template.replace(from, to)).unwrap();
        play(&format!(", {oracle}, {}", key.replace("22'", "23'"))).code(2).says("the operator has wrong ones");
        play(&format!(", {oracle}, {key}")).code(0);
    };
    said("fqdn://beta.example", "fqdn://BETA.example.");
    said("fqdn://beta.example", "fqdn:// Beta.Example. ");
    said("\"autonity\"", "\"Autonit\\u0059\"");
    said("\"consensusKey\"", "\"CONSENSUSKEY\"");
    said("\"config\"", "\"Config\"");
    let once = |from: &str, to: &str, found: &str| {
        let path = project.path().join("party/genesis-template.json");
        std::fs::write(path, template.replace(from, to)).unwrap();
        play(&format!(", {oracle}, {key}"))
            .code(2)
            .says(&format!("the template has {found} validators of beta, not one"));
    };
    once("fqdn://gamma.example", "fqdn://beta.example.", "2");
    once("fqdn://beta.example", "fqdn://gamma.example", "0");
    once("\"validators\"", "\"validator\u{17f}\"", "0");
}

#[test]
fn the_example_of_a_party_fits_its_playbooks() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/inventories/ceremony/alpha/hosts.yml");
    for book in ["ceremony.yml", "ceremony-verify.yml"] {
        let path = format!("{}/playbooks/{book}", env!("CARGO_MANIFEST_DIR"));
        Project::new().chainwright(&["playbook", "-i", folder, &path, "--syntax-check"]).code(0);
    }
}

#[test]
fn a_signal_ends_the_wait() {
    let project = project();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
    command.args(["ceremony", "resolve", "--sheet", "sheet.json", "--resolver", "127.0.0.1:1"]);
    let mut running = command.current_dir(project.path()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(running.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("0 of 2; the next look is in")));
    assert!(Command::new("kill").arg(running.id().to_string()).status().unwrap().success());
    assert!(lines.any(|line| line.contains("cancelled while waiting")));
    assert_eq!(running.wait().unwrap().code(), Some(99));
}

#[test]
fn a_backup_of_keys_is_never_overwritten_and_a_lost_key_is_no_reason_for_a_new_one() {
    let project = Project::new().file(
        "keys.yml",
        "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n    - include_role: {name: ceremony, tasks_from: keys}\n",
    );
    std::os::unix::fs::symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/roles"), project.path().join("roles")).unwrap();
    let id = Command::new("id").arg("-un").output().unwrap();
    let user = String::from_utf8_lossy(&id.stdout).trim().to_owned();
    let folder = |name: &str| project.path().join(name).display().to_string();
    let vars = format!(
        r#"{{"ceremony_datadir": "{}", "ceremony_backup": "{}", "ceremony_folder": "{}", "ceremony_user": "{user}", "ceremony_own_account": false}}"#,
        folder("data"),
        folder("backup"),
        folder("ceremony")
    );
    let (key, backup) = (project.path().join("data/geth/nodekey"), project.path().join("backup/nodekey"));
    let play = || project.chainwright(&["playbook", "keys.yml", "-e", &vars]);
    play().code(0);
    let first = std::fs::read(&key).unwrap();
    assert_eq!(std::fs::read(&backup).unwrap(), first);
    play().code(0).says("changed=0");

    std::fs::remove_file(&key).unwrap();
    play().code(2).says("restore it from");
    assert!(!key.exists());
    assert_eq!(std::fs::read(&backup).unwrap(), first);

    std::fs::write(&key, format!("{:064x}", 7)).unwrap();
    play().code(2).says("is of other keys: nothing is published");
    assert_eq!(std::fs::read(&backup).unwrap(), first);
}

#[test]
fn an_account_that_was_lost_or_whose_backup_cannot_be_opened_is_named() {
    let project = Project::new().file(
        "keys.yml",
        "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n    - include_role: {name: ceremony, tasks_from: keys}\n",
    );
    std::os::unix::fs::symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/roles"), project.path().join("roles")).unwrap();
    let id = Command::new("id").arg("-un").output().unwrap();
    let folder = |name: &str| project.path().join(name).display().to_string();
    let vars = format!(
        r#"{{"ceremony_datadir": "{}", "ceremony_backup": "{}", "ceremony_folder": "{}", "ceremony_user": "{}"}}"#,
        folder("data"),
        folder("backup"),
        folder("ceremony"),
        String::from_utf8_lossy(&id.stdout).trim()
    );
    let play = || project.chainwright(&["playbook", "keys.yml", "-e", &vars]);
    play().code(0);
    play().code(0).says("changed=0");
    let only = |folder: &str| {
        let mut files = std::fs::read_dir(project.path().join(folder)).unwrap().map(|file| file.unwrap().path());
        (files.next().unwrap(), files.next().is_none())
    };
    let (keystore, alone) = only("data/keystore");
    assert!(alone);
    let kept = std::fs::read(&keystore).unwrap();

    std::fs::remove_file(&keystore).unwrap();
    play().code(2).says("restore it from");
    assert!(!keystore.exists());
    // As it is told: the keystore from the backup.
    let (copy, alone) = only("backup/keystore");
    assert!(alone && std::fs::read(&copy).unwrap() == kept);
    std::fs::copy(&copy, &keystore).unwrap();
    std::fs::set_permissions(&keystore, std::fs::Permissions::from_mode(0o600)).unwrap();
    play().code(0);

    let password = project.path().join("backup/password");
    std::fs::remove_file(&password).unwrap();
    std::fs::write(&password, "another").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o400)).unwrap();
    play().code(2).says(&folder("backup/keystore"));
    assert_eq!(std::fs::read(&password).unwrap(), b"another");
    assert_eq!(std::fs::read(&keystore).unwrap(), kept);
}

/// Statements of alpha and beta, whose keys are 1 and 2, with what they have seen of each other.
fn stated() -> (Project, String) {
    let project = project();
    let sheet: Sheet =
        serde_json::from_str(&std::fs::read_to_string(project.path().join("sheet.json")).unwrap()).unwrap();
    let (mut memory, mut parties) = (Memory::new(sheet.id()), Vec::new());
    for (number, organisation) in (1..).zip(&sheet.organisations) {
        let key = NodeKey::from_hex(&format!("{number:064x}")).unwrap();
        let enode = Enode::new(&key.public_key(), &format!("192.0.2.{number}"), 30303, 30303).unwrap();
        let Organisation { name, fqdn } = organisation.clone();
        parties.push(Party { name, fqdn, account: enode.address(), enode, signed: 1, address_signed: 1 });
    }
    for party in &parties {
        memory.remember(party);
    }
    let genesis = Template::read(TEMPLATE).unwrap().fill(&parties).unwrap();
    let mut project = project.file("genesis.json", &genesis.text);
    for (number, party) in (1..).zip(&parties) {
        let key = AccountKey::from_hex(&format!("{number:064x}")).unwrap();
        let statement = Statement::sign(&sheet.id(), party, &genesis, &key).unwrap();
        project = project.file(&format!("{}.json", party.name), &serde_json::to_string(&statement).unwrap());
    }
    (project.file("seen.json", &serde_json::to_string(&memory).unwrap()), parties[1].account.to_string())
}

#[test]
fn a_statement_that_came_by_mail_is_checked_without_a_network() {
    let (project, beta) = stated();
    let check = |more: &[&str]| {
        let fixed = ["ceremony", "check", "--sheet", "sheet.json", "--genesis", "genesis.json"];
        project.chainwright(&[fixed.as_slice(), more].concat())
    };
    let seen = ["--memory", "seen.json"];
    check(&[&seen[..], &["--template", "template.json", "--all", "alpha.json", "beta.json"]].concat())
        .code(0)
        .says("alpha (node.alpha.example): signed by 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf, of this genesis")
        .says(&format!("beta (node.beta.example): signed by {beta}"));
    check(&[&seen[..], &["beta.json"]].concat()).code(0).says("without a statement  alpha");
    check(&[&seen[..], &["--all", "beta.json"]].concat()).code(1).says("there is no statement of alpha");
    // Without anything seen, the account as it stands in the TXT record, or the key where it has none.
    check(&["--account", &format!("beta={beta}"), "beta.json"]).code(0);
    check(&["--account", &format!("alpha={KEY}"), "alpha.json"]).code(0);
    check(&["beta.json"]).code(5);
    check(&["--account", "beta", "beta.json"]).code(1).says("not NAME=ADDRESS");
    check(&["--account", "gamma=0x12", "beta.json"]).code(1).says("`gamma` is not on the sheet");
    check(&["--account", "beta=0x12", "beta.json"]).code(1).says("not an address");
    check(&["--account", &format!("beta={beta}"), "alpha.json"])
        .code(1)
        .says("alpha.json: it is of alpha, whose account is not known")
        .says("--account alpha=0x..");
    check(&["--account", &format!("alpha={beta}"), "alpha.json", "beta.json"])
        .code(1)
        .says("alpha.json: forged: its statement is not signed by its account")
        .says("beta.json: it is of beta, whose account is not known");
}

#[test]
fn a_statement_that_proves_nothing_is_refused() {
    let (project, beta) = stated();
    let text = |name: &str| std::fs::read_to_string(project.path().join(name)).unwrap();
    let (statement, genesis) = (text("beta.json"), text("genesis.json"));
    let sheet = text("sheet.json").replace("\"x\"", "\"y\"");
    let changed = |from: &str, to: &str| {
        assert!(statement.contains(from), "{statement}");
        statement.replacen(from, to, 1)
    };
    let project = project
        .file("other-genesis.json", &genesis.replace("0x47b760", "0x47b761"))
        .file("other-sheet.json", &sheet)
        .file("as-alpha.json", &changed("node.beta", "node.alpha"))
        .file("as-nobody.json", &changed("node.beta", "node.gamma"))
        .file("cut.json", &changed("\"signature\":\"0x", "\"signature\":\"0x12"))
        .file("bad.json", "{\"signature\": \"0x\"}");
    let seen = "seen.json";
    for (sheet, genesis, memory, statement, reason) in [
        ("sheet.json", "other-genesis.json", seen, "beta.json", "beta.json: different: it has made another genesis"),
        ("sheet.json", "genesis.json", seen, "as-alpha.json", "as-alpha.json: forged: "),
        ("sheet.json", "genesis.json", seen, "as-nobody.json", "`node.gamma.example` is nobody's on the sheet"),
        ("sheet.json", "genesis.json", seen, "cut.json", "cut.json: malformed: its statement"),
        ("sheet.json", "genesis.json", seen, "bad.json", "bad.json: this is not a statement"),
        ("sheet.json", "genesis.json", seen, "none.json", "none.json"),
        ("sheet.json", "genesis.json", "beta.json", "beta.json", "beta.json: this is not the memory of a ceremony"),
        ("other-sheet.json", "genesis.json", seen, "beta.json", "seen.json is of the ceremony"),
        ("bad.json", "genesis.json", seen, "beta.json", "`sheet`"),
        ("sheet.json", "none.json", seen, "beta.json", "none.json"),
    ] {
        let ran = project.chainwright(&[
            "ceremony",
            "check",
            "--sheet",
            sheet,
            "--genesis",
            genesis,
            "--memory",
            memory,
            statement,
        ]);
        ran.code(1).says(reason);
    }
    // Of another sheet, whose account is given: the signature is of another ceremony.
    let fixed = ["ceremony", "check", "--sheet", "other-sheet.json", "--genesis", "genesis.json", "--account"];
    let ran = project.chainwright(&[&fixed[..], &[&format!("beta={beta}"), "beta.json"]].concat());
    ran.code(1).says("beta.json: foreign: its statement is of another ceremony");
    // The genesis is compared with what becomes of the template, too.
    let fixed = ["ceremony", "check", "--sheet", "sheet.json", "--template", "template.json", "--memory", seen];
    let ran = project.chainwright(&[&fixed[..], &["--genesis", "other-genesis.json", "beta.json"]].concat());
    ran.code(1).says("other-genesis.json: it is not what becomes of the template");
}

#[test]
fn who_has_no_dynamic_update_is_shown_the_lines_of_the_zone_and_check_mode_makes_nothing() {
    let project = project().file(
        "keys.yml",
        "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n    - include_role: {name: ceremony, tasks_from: keys}\n    \
         - include_role: {name: ceremony, tasks_from: publish}\n",
    );
    std::os::unix::fs::symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/roles"), project.path().join("roles")).unwrap();
    let id = Command::new("id").arg("-un").output().unwrap();
    let folder = |name: &str| project.path().join(name).display().to_string();
    let vars = format!(
        r#"{{"ceremony_datadir": "{}", "ceremony_backup": "{}", "ceremony_user": "{}", "ceremony_organisation": "beta",
            "ceremony_address": "2001:db8::10", "ceremony_sheet": "{{{{ lookup('file', 'sheet.json') | from_json }}}}"}}"#,
        folder("data"),
        folder("backup"),
        String::from_utf8_lossy(&id.stdout).trim()
    );
    let play = |more: &[&str]| project.chainwright(&[&["playbook", "keys.yml", "-e", &vars][..], more].concat());
    play(&["-C"]).code(0).says("nodekey");
    assert!(!project.path().join("data").exists() && !project.path().join("backup").exists());
    play(&[]).code(0).says("node.beta.example. 60 IN AAAA 2001:db8::10").says("node.beta.example. 60 IN TXT");
    play(&[]).code(0).says("changed=0");
}
