//! What an inventory can say wrongly of a bridge: one clear error, before anything is contacted.

use crate::project::{Project, Ran};
use serde_json::{Value, json};

fn run(name: &str, value: Value) -> Ran {
    let side = |chain_id: u64| json!({"url": "http://127.0.0.1:1", "chain_id": chain_id, "artefact": "None.json"});
    let mut vars = json!({"bridge_home": side(1), "bridge_foreign": side(2), "ansible_become": false});
    vars[name] = value;
    let playbook = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks/bridge.yml");
    let inventory = json!({"all": {"children": {"bridge": {"hosts": {"a": {"ansible_connection": "local"}}}}}});
    Project::new().file("bridge.yml", &inventory.to_string()).chainwright(&[
        "playbook",
        "-i",
        "bridge.yml",
        playbook,
        "-e",
        &vars.to_string(),
    ])
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_contacted() {
    for (name, value, said) in [
        (
            "bridge_home",
            json!({"chain_id": 1, "artefact": "a"}),
            "`bridge_home` wants `url` (or `ipc`), `chain_id` and `artefact`",
        ),
        ("bridge_foreign", Value::Null, "`bridge_foreign` wants `url`"),
        ("bridge_foreign", json!({"url": "x", "chain_id": "1", "artefact": "a"}), "both sides have chain_id 1"),
        (
            "bridge_home",
            json!({"url": "http://me:word@127.0.0.1:1", "chain_id": 1, "artefact": "None.json"}),
            "the address of a side's node has a login in it",
        ),
        ("bridge_env", json!({"VALIDATOR_PRIVATE_KEY": "0x46"}), "`bridge_env` holds a secret as it is"),
        (
            "bridge_env",
            json!({"VALIDATOR_KEY": format!("0x{}", "46".repeat(32))}),
            "`bridge_env` holds a secret as it is",
        ),
        ("bridge_env", json!({"A-B": "x"}), "`bridge_env` has a name that is no variable's"),
        ("bridge_env", json!({"A": "x\nB=y"}), "or a value of several lines"),
        ("bridge_calls", json!([{"side": "both"}]), "an entry of `bridge_calls` wants `side` (home or foreign)"),
    ] {
        run(name, value).code(2).says(said).silent_about("The contracts");
    }
}

#[test]
fn an_artefact_that_is_not_there_is_named() {
    run("bridge_ui", json!({})).code(2).says("None.json");
}
