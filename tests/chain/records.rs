//! Node keys, enodes and node records: as bootnode computes them, and as a running geth publishes them.

use crate::geth::{Node, ask, chainwright, folder, geth};
use chainwright::chain::{NodeKey, Record};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

#[test]
fn a_node_key_of_ours_is_the_same_node_to_bootnode_and_the_other_way_round() {
    let folder = TempDir::new().expect("a folder");
    let (ours, theirs) = (path(folder.path(), "ours"), path(folder.path(), "theirs"));
    let made = ask(&["key", "new", "node", &ours]);
    geth("bootnode", &["-genkey", &theirs]);
    for key in [&ours, &theirs] {
        let public_key = geth("bootnode", &["-nodekey", key, "-writeaddress"]);
        assert_eq!(ask(&["key", "inspect", key])["public_key"], public_key.trim());
        let enode = chainwright(&["enode", "encode", "--node-key", key, "--host", "10.0.0.1"]);
        assert_eq!(enode.trim(), format!("enode://{}@10.0.0.1:30303", public_key.trim()));
    }
    assert_eq!(
        made,
        ask(&["key", "inspect", &ours]).as_object().map_or(Value::Null, |seen| {
            Value::Object(
                seen.iter()
                    .filter(|(name, _)| *name != "kind")
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            )
        })
    );
}

#[test]
fn geth_reads_the_key_files_that_we_say_it_reads() {
    let folder = TempDir::new().expect("a folder");
    let key = path(folder.path(), "key");
    let digits = "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291";
    for (before, after) in [("", ""), ("", "\n"), ("", "\r\n"), ("0x", ""), (" ", ""), ("", " "), ("", "\n\n\n")] {
        let text = format!("{before}{digits}{after}");
        std::fs::write(&key, &text).expect("a file");
        let read = Command::new(self::folder().join("bootnode")).args(["-nodekey", &key, "-writeaddress"]).output();
        assert_eq!(read.expect("bootnode").status.success(), NodeKey::geth_reads(&text), "{text:?}");
    }
}

#[test]
fn geth_takes_enodes_and_records_of_ours_and_no_changed_ones() {
    let folder = TempDir::new().expect("a folder");
    let key = path(folder.path(), "nodekey");
    chainwright(&["key", "new", "node", &key]);
    let node = Node::start(folder.path(), &["--dev"]);
    let takes = |text: &str| node.try_call("admin_addPeer", &json!([text])).is_ok();
    for host in ["127.0.0.1", "::1", "localhost"] {
        let enode = chainwright(&["enode", "encode", "--node-key", &key, "--host", host, "--udp", "30301"]);
        assert!(takes(enode.trim()), "{enode}");
    }
    let all = ["--ip", "127.0.0.1", "--ip6", "::1", "--tcp", "30303", "--udp", "0", "--tcp6", "1", "--udp6", "65535"];
    for (seq, content) in [("0", &[][..]), ("1", &all[..2]), ("18446744073709551615", &all)] {
        let record = chainwright(&[&["enr", "encode", "--node-key", &key, "--seq", seq][..], content].concat());
        let record = record.trim();
        assert!(takes(record), "{record}");
        // The eighth letter is in the signature.
        let (start, rest) = record.split_at(12);
        let changed = format!("{start}{}{}", if rest.starts_with('A') { 'B' } else { 'A' }, &rest[1..]);
        assert!(
            !takes(&changed) && changed.parse::<Record>().is_ok_and(|record| record.verify().is_err()),
            "{changed}"
        );
    }
}

/// What a node says of itself, once its ports are in its record.
fn info(node: &Node, discovery: bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let info = node.call("admin_nodeInfo", &Value::Null);
        let ready = info["ports"]["listener"] != 0 && (!discovery || info["ports"]["discovery"] != 0);
        if ready || Instant::now() > deadline {
            return info;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn agrees(info: &Value, key: &str, discovery: bool) {
    let text = |name: &str| info[name].as_str().unwrap_or_default();
    let record = ask(&["enr", "decode", text("enr")]);
    assert_eq!((&record["valid"], &record["node_id"]), (&json!(true), &info["id"]), "{info:#}");
    assert_eq!((&record["ip"], &record["tcp"]), (&info["ip"], &info["ports"]["listener"]), "{info:#}");
    if discovery {
        assert_eq!(record["udp"], info["ports"]["discovery"], "{info:#}");
    }
    assert!(record["eth"].is_array(), "the fork id: {record:#}");

    let enode = ask(&["enode", "verify", text("enode"), "--node-key", key]);
    assert_eq!((&enode["node_id"], &enode["key_matches"]), (&info["id"], &json!(true)));
    assert_eq!(chainwright(&["enr", "convert", text("enr")]).trim(), text("enode"));
    let [host, tcp, udp] = ["host", "tcp", "udp"].map(|name| match &enode[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let ours = chainwright(&["enode", "encode", "--node-key", key, "--host", &host, "--tcp", &tcp, "--udp", &udp]);
    assert_eq!(ours.trim(), text("enode"));

    // A record that we sign for the same node is read by the same rules, and says the same place.
    let converted = chainwright(&["enode", "convert", text("enode"), "--node-key", key, "--seq", "5"]);
    assert_eq!(chainwright(&["enr", "convert", converted.trim()]).trim(), text("enode"));
}

#[test]
fn a_running_geth_publishes_the_enode_and_the_record_that_we_compute() {
    let folder = TempDir::new().expect("a folder");
    let (key, data, genesis) =
        (path(folder.path(), "nodekey"), path(folder.path(), "data"), path(folder.path(), "genesis.json"));
    chainwright(&["key", "new", "node", &key]);
    let extra = format!("0x{}{}{}", "0".repeat(64), "12".repeat(20), "0".repeat(130));
    let clique = json!({"config": {"chainId": 46781, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
        "byzantiumBlock": 0, "clique": {"period": 1, "epoch": 30000}}, "difficulty": "1", "gasLimit": "8000000", "alloc": {},
        "extradata": extra});
    std::fs::write(&genesis, clique.to_string()).expect("a file");
    geth("geth", &["--datadir", &data, "init", &genesis]);
    for (discovery, more) in [(true, &[][..]), (false, &["--nodiscover"][..])] {
        let args = ["--networkid", "46781", "--nodekey", &key, "--nat", "extip:10.1.2.3"];
        let node = Node::start(folder.path(), &[&args, more].concat());
        agrees(&info(&node, discovery), &key, discovery);
    }
}
