//! `playbooks/ceremony-verify.yml`, from the operator's example inventory on: a ceremony of three in a signed DNS of the test's own, and nodes
//! that say what was agreed on, or something else. The nodes are fakes; real geth is asked in tests/chain and on hosts.

use super::webhook::Webhook;
use super::{example, fake_autonity, parties, template_of};
use crate::project::{Project, Ran};
use crate::scripted_node::{Answers, Node};
use chainwright::chain::ceremony::{Entry, Party, Sheet, Statement, Template, statement};
use chainwright::chain::{AccountKey, NodeKey};
use hickory_net::proto::rr::rdata::{A, TXT};
use hickory_net::proto::rr::{RData, RecordType};
use serde_json::{Value, json};
use signed_world::World;
use std::net::Ipv4Addr;
use std::path::PathBuf;

#[expect(dead_code, reason = "not all of its lies are told here")]
#[path = "../../../src/system/dns/signed_world.rs"]
mod signed_world;

struct Scene {
    project: Project,
    world: World,
    parties: Vec<Party>,
    genesis: String,
    node: Node,
}

fn text(text: &str) -> RData {
    RData::TXT(TXT::new(vec![text.to_owned()]))
}

impl Scene {
    /// The ceremony is over: everybody has published and stated, and alpha has its genesis.
    fn new(engine: &str) -> Self {
        let project = example(engine, ".alpha.example");
        template_of(&project).code(0);
        let read = |name: &str| std::fs::read_to_string(project.path().join("operator").join(name)).unwrap();
        let (template, sheet) = (read("genesis-template.json"), read("sheet.json"));
        let known: Sheet = serde_json::from_str(&sheet).unwrap();
        let parties = parties(".alpha.example");
        let filled = Template::read(&template).unwrap().fill(&parties).unwrap();
        let world = World::new();
        for (number, party) in (1..).zip(&parties) {
            let key = party.enode.public_key.clone();
            let entry = Entry { port: 30303, key, account: None, ceremony: Some(known.id()) };
            world.add(&party.fqdn, RData::A(A(Ipv4Addr::new(10, 0, 0, number))));
            world.add(&party.fqdn, text(&entry.text()));
            let key = AccountKey::from_hex(&format!("{number:064x}")).unwrap();
            let stated = Statement::sign(&known.id(), party, &filled, &key).unwrap();
            world.add(&statement::name(&party.fqdn), text(&stated.to_txt()));
        }
        let folder = project.path().display().to_string();
        let hosts = json!({"ceremony": {"hosts": {"alpha": {
            "ansible_connection": "local", "ansible_become": false, "ceremony_folder": format!("{folder}/made"),
            "ceremony_ipc": format!("{folder}/ipc"), "ceremony_resolvers": [world.address.to_string()], "ceremony_trust_anchor": "yes",
            "ceremony_patience": 0,
        }}}});
        let project = project
            .file("party/hosts.yml", &hosts.to_string())
            .file("party/sheet.json", &sheet)
            .file("made/genesis-template.json", &template)
            .file("made/genesis.json", &filled.text)
            .file("made/root.key", &world.anchors);
        let node = Node::start(&project.path().join("ipc"), Answers::new());
        Self { project, world, parties, genesis: filled.text, node }
    }

    fn verify(&self, more: &[&str]) -> Ran {
        let book = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks/ceremony-verify.yml");
        self.project.chainwright(
            &[["playbook", "-i", "party/hosts.yml", "-e", "ceremony_timeout=0", book].as_slice(), more].concat(),
        )
    }

    /// With one thing that differs: what is said, and that it is an alarm.
    #[track_caller]
    fn differs(&self, answers: &Answers, says: &str, change: impl FnOnce(&mut Answers)) {
        let mut changed = answers.clone();
        change(&mut changed);
        self.node.says(changed);
        self.verify(&[]).code(2).says("the node is not of the network that was agreed on").says(says);
    }
}

fn with_other_key(enode: &str) -> String {
    let key = NodeKey::from_hex(&format!("{:064x}", 9)).unwrap().public_key();
    format!("enode://{key}{}", &enode[enode.find('@').unwrap()..])
}

#[test]
fn what_differs_on_a_node_of_autonity_is_named_and_alarms() {
    for engine in ["autonity_0_7", "autonity"] {
        let scene = Scene::new(engine);
        let good = fake_autonity::answers(&scene.genesis, &scene.parties);
        scene.node.says(good.clone());
        scene.verify(&[]).code(0).says("the 3 that may, and nobody else").says("changed=0");

        let list = if engine == "autonity" { "tendermint_getCommitteeEnodes" } else { "tendermint_getWhitelist" };
        let enode = |answers: &Answers, index: usize| answers[list][index].as_str().unwrap().to_owned();
        scene.differs(&good, "validators: gamma is missing (enode://f9308a019258c310..@10.0.0.3:30303)", |answers| {
            answers.get_mut(list).unwrap().as_array_mut().unwrap().pop();
        });
        scene.differs(&good, "validators: we ourselves are missing: alpha (enode://", |answers| {
            answers.get_mut(list).unwrap().as_array_mut().unwrap().remove(0);
        });
        scene.differs(&good, "..@10.0.0.1:30303 is one, and nobody's on the sheet", |answers| {
            let stranger = with_other_key(&enode(answers, 0));
            answers.get_mut(list).unwrap().as_array_mut().unwrap().push(stranger.into());
        });
        scene.differs(
            &good,
            "validators: beta (c6047f9441ed7d6d..) is at 10.0.0.99:30303 by the node, at 10.0.0.2:30303 by DNS",
            |answers| {
                let moved = enode(answers, 1).replace("10.0.0.2:", "10.0.0.99:");
                answers.get_mut(list).unwrap()[1] = moved.into();
            },
        );
        scene.differs(&good, "own node: the node's key is", |answers| {
            let info = answers.get_mut("admin_nodeInfo").unwrap();
            info["enode"] = with_other_key(info["enode"].as_str().unwrap()).into();
        });
        scene.differs(
            &good,
            "configuration: the node has `berlinBlock` (77) in addition, which is not in the genesis",
            |answers| {
                answers.get_mut("admin_nodeInfo").unwrap()["protocols"]["eth"]["config"]["berlinBlock"] = 77.into();
            },
        );
        scene.differs(&good, "0x00000000000000000000000000000000000000dd in the node", |answers| {
            let config = &mut answers.get_mut("admin_nodeInfo").unwrap()["protocols"]["eth"]["config"];
            let contract = if engine == "autonity" { "autonity" } else { "autonityContract" };
            config[contract]["operator"] = "0x00000000000000000000000000000000000000dd".into();
        });
        if engine == "autonity" {
            let says = "configuration: the node has `stakeablevesting.totalnominal` (5) in addition";
            scene.differs(&good, says, |answers| {
                let config = &mut answers.get_mut("admin_nodeInfo").unwrap()["protocols"]["eth"]["config"];
                config["stakeableVesting"] = json!({"stakeableContracts": [], "totalNominal": 5});
            });
        }
        scene.differs(&good, "block 1: it stands on 0xcccc", |answers| {
            answers.get_mut("eth_getBlockByNumber 0x1").unwrap()["parentHash"] = format!("0x{}", "c".repeat(64)).into();
        });
        scene.differs(&good, "block 0: its gas limit is 8000000 in the node", |answers| {
            answers.get_mut("eth_getBlockByNumber 0x0").unwrap()["gasLimit"] = "0x7a1200".into();
        });
        scene.differs(&good, "peers: gamma (enode://", |answers| {
            answers.get_mut("admin_peers").unwrap().as_array_mut().unwrap().pop();
        });
    }
}

#[test]
fn an_alarm_reaches_the_webhook_with_everything_that_differs() {
    let scene = Scene::new("autonity");
    let webhook = Webhook::start();
    let alarm = ["-e", &format!("ceremony_alarm={}", webhook.url)];
    let good = fake_autonity::answers(&scene.genesis, &scene.parties);
    scene.node.says(good.clone());
    scene.verify(&alarm).code(0);
    assert!(webhook.is_silent());

    let mut bad = good.clone();
    bad.get_mut("tendermint_getCommitteeEnodes").unwrap().as_array_mut().unwrap().pop();
    bad.get_mut("eth_getBlockByNumber 0x1").unwrap()["gasLimit"] = "0x1".into();
    scene.node.says(bad);
    scene.verify(&alarm).code(2).says("gamma is missing").says("its gas limit is 1");
    let told = webhook.next();
    assert_eq!(told["host"], "alpha");
    assert!(told["msg"].as_str().unwrap().contains("gamma is missing"), "{told}");
    let checks: Vec<&str> =
        told["differences"].as_array().unwrap().iter().filter_map(|found| found["check"].as_str()).collect();
    assert_eq!(checks, ["block 1", "validators"]);

    // A node that is not there is one too.
    scene.verify(&[alarm.as_slice(), &["-e", "ceremony_ipc=/nothing/ipc"]].concat()).code(2);
    let told = webhook.next();
    assert!(
        told["msg"].as_str().unwrap().ends_with("there is no socket /nothing/ipc: the node does not run"),
        "{told}"
    );

    // DNS is a part of it.
    scene.node.says(good);
    scene.world.clear(&statement::name(&scene.parties[2].fqdn), RecordType::TXT);
    scene.verify(&alarm).code(2).says("gamma (gamma.alpha.example): missing: there is no statement");
    let told = webhook.next();
    assert!(told["msg"].as_str().unwrap().contains("there is no statement at _ceremony.gamma"), "{told}");
    assert_eq!(told["differences"], json!([]));

    // A genesis that is gone is one, and an alarm that nobody takes changes nothing about the exit code.
    let genesis = scene.project.path().join("made/genesis.json");
    std::fs::remove_file(&genesis).unwrap();
    scene.verify(&alarm).code(2);
    assert!(webhook.next()["msg"].as_str().unwrap().starts_with("there is no "));
    let deaf = ["-e", "ceremony_alarm=http://127.0.0.1:1/", "-e", "ceremony_alarm_delay=0"];
    scene.verify(&deaf).code(2).says("The network is not the one that was agreed on").says("made/genesis.json: run");

    // So is a host that does not answer.
    let hosts = std::fs::read_to_string(scene.project.path().join("party/hosts.yml")).unwrap();
    let away = hosts.replace(r#""local""#, r#""ssh","ansible_host":"127.0.0.1","ansible_port":1"#);
    std::fs::write(scene.project.path().join("party/hosts.yml"), away).unwrap();
    scene.verify(&alarm).code(2);
    let told = webhook.next();
    assert!(told["msg"].as_str().unwrap().starts_with("alpha does not answer: "), "{told}");
}

/// A fake of OpenEthereum: who sealed is in its blocks, and its configuration is in a file.
fn openethereum(genesis: &str, parties: &[Party], hash: &str) -> Answers {
    let genesis: Value = serde_json::from_str(genesis).unwrap();
    let block = |number: usize| {
        let parent = if number == 1 { hash.to_owned() } else { format!("0x{:064x}", number.saturating_sub(1)) };
        let own = if number == 0 { hash.to_owned() } else { format!("0x{number:064x}") };
        let block = json!({
            "number": format!("{number:#x}"), "hash": own, "parentHash": parent, "timestamp": format!("{:#x}", 0x6500_0000 + 2 * number),
            "gasLimit": genesis["genesis"]["gasLimit"], "difficulty": "0xfffffffffffffffffffffffffffffffe", "extraData": "0x",
            "author": parties[number % 3].account.to_string(), "miner": parties[number % 3].account.to_string(),
            "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
            "step": number.to_string(), "signature": "00",
        });
        (format!("eth_getBlockByNumber {number:#x}"), block)
    };
    let peers: Vec<Value> = parties[1..].iter().map(|party| json!({"id": party.enode.public_key})).collect();
    let mut answers: Answers = (0..=8).map(block).collect();
    answers.extend([
        ("eth_chainId".to_owned(), json!("0xb6bd")),
        ("eth_blockNumber".to_owned(), json!("0x8")),
        ("parity_enode".to_owned(), json!(parties[0].enode.to_string())),
        ("parity_netPeers".to_owned(), json!({"active": 2, "connected": 2, "max": 25, "peers": peers})),
    ]);
    answers
}

#[test]
fn aura_is_compared_by_its_sealers_and_the_file_with_which_the_node_was_started() {
    let scene = Scene::new("aura");
    let hash =
        Template::read(&std::fs::read_to_string(scene.project.path().join("made/genesis-template.json")).unwrap())
            .unwrap()
            .fill(&scene.parties)
            .unwrap()
            .hash
            .unwrap();
    let good = openethereum(&scene.genesis, &scene.parties, &hash.to_string());
    scene.node.says(good.clone());
    let untold = "configuration: the node does not tell it; `spec` must name the file";
    scene.verify(&[]).code(2).says(untold);
    let spec: PathBuf = scene.project.path().join("spec.json");
    std::fs::write(&spec, &scene.genesis).unwrap();
    let spec_is = format!("ceremony_spec={}", spec.display());
    scene.verify(&["-e", &spec_is]).code(0).says("they sealed the last 6 blocks, and nobody else did");
    scene.differs(
        &good,
        "gamma (0x6813Eb9362372EEF6200f3b1dbC3f819671cBA69) has sealed none of the last 6 blocks",
        |answers| {
            for number in 3..=8 {
                answers.get_mut(&format!("eth_getBlockByNumber {number:#x}")).unwrap()["author"] =
                    scene.parties[number % 2].account.to_string().into();
            }
        },
    );
    scene.differs(&good, "block 0: it is 0x0000", |answers| {
        answers.get_mut("eth_getBlockByNumber 0x0").unwrap()["hash"] = format!("0x{}", "0".repeat(64)).into();
    });
    scene.differs(&good, "own node: the node's key is", |answers| {
        let other = with_other_key(answers["parity_enode"].as_str().unwrap());
        answers.insert("parity_enode".into(), other.into());
    });
    scene.node.says(good);
    std::fs::write(&spec, scene.genesis.replace("0x400", "0x10")).unwrap();
    scene.verify(&["-e", &spec_is]).code(2).says("configuration: ").says("in the node's file, and");
}
