//! `chainwright dkg` before there is any ceremony: its key, the sidecar's environment, and what it refuses. Ceremonies are in
//! `tests/chain/dkg.rs`.

mod environment;
mod noting_api;

use crate::project::Project;
use std::process::Command;

#[test]
fn a_key_is_made_once_and_its_record_printed_wherever_the_environment_says() {
    let project = Project::new();
    let first = project.chainwright(&["dkg", "--enr"]);
    assert!(first.code == 0 && first.out.starts_with("enr:-HW4Q") && first.out.lines().count() == 1, "{}", first.err);
    assert_eq!(project.chainwright(&["dkg", "--enr"]).out, first.out);
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
    command.args(["dkg", "--enr"]).current_dir(project.path()).env("CHARON_NODE_ID_DIR", "elsewhere");
    // What containers set without a value is as if it were not set.
    for name in [
        "OPERATOR_ADDRESS",
        "ENR_FILE_PATH",
        "TARGET_CONFIG_HASH",
        "CHAIN_ID",
        "API_ENDPOINT",
        "LOG_LEVEL",
        "OUTPUT_DEFINITION_FILE",
        "INITIAL_RETRY_INTERVAL_SECONDS",
        "MAX_RETRY_INTERVAL_SECONDS",
        "BACKOFF_FACTOR",
        "PAGE_LIMIT",
        "CHAINWRIGHT_BACKUP",
        "CHAINWRIGHT_CHARON",
    ] {
        command.env(name, "");
    }
    let other = command.env("CHARON_PRIVATE_KEY_FILE", ".charon/charon-enr-private-key").output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&other.stdout), first.out);
    let key = |folder: &str| std::fs::read(project.path().join(folder).join("charon-enr-private-key")).expect("a key");
    assert_eq!(key("elsewhere"), key(".charon"));
}

#[test]
fn what_makes_no_sense_is_refused_and_nothing_is_made() {
    let account = "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b";
    let project = Project::new().file("nonsense.json", "{}");
    for (args, code, reason) in [
        (&[][..], 1, "nothing says which cluster it is"),
        (&["--lock-hash", "0x12"], 1, "`0x12` is no lock hash"),
        (&["null"], 1, "`null` is not an address"),
        (&["0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786B"], 1, "a digit is mistyped"),
        (&[account, "--config-hash", "0x12"], 1, "`0x12` is no config hash"),
        (&[account, "--chain-id", "hoodi"], 1, "is not a whole number"),
        (&[account, "--accept-with", "key"], 1, "`accept_with` needs `config_hash`"),
        (&[account, "--deadline", "soon"], 5, "invalid value 'soon'"),
        (&[account, "--first-wait", "0"], 1, "`first_wait` is 0"),
    ] {
        let ran = project.chainwright(&[&["dkg"], args].concat());
        assert!(ran.code == code && ran.err.contains(reason), "{args:?}: {}: {}", ran.code, ran.err);
        assert!(!project.path().join(".charon").exists(), "{args:?}");
    }
    let ran = project.chainwright(&["dkg", "--definition-file", "nonsense.json"]);
    assert!(ran.code == 1 && ran.err.contains("nonsense.json: the cluster files have the version ``"), "{}", ran.err);
    // A definition that is kept is gone on with, and so must be true; the chart's file says which lock to take.
    let project = project.file(".charon/cluster-definition.json", "{}");
    let ran = project.chainwright(&["dkg"]);
    assert!(
        ran.code == 1 && ran.err.contains("cluster-definition.json: the cluster files have the version"),
        "{}",
        ran.err
    );
    let project = project.file(".charon/lockhash", "0xabc\n");
    let ran = project.chainwright(&["dkg", account]);
    assert!(ran.code == 1 && ran.err.contains("`0xabc` is no lock hash"), "{}", ran.err);
    // What strangers write does not reach the terminal as it is.
    let project = project.file("strange.json", "{\"version\": \"\\u001b[2Jgone\\u0007\"}");
    let ran = project.chainwright(&["dkg", "--definition-file", "strange.json", "--data-dir", "other"]);
    assert!(ran.code == 1 && ran.err.contains("gone") && !ran.err.contains(['\u{1b}', '\u{7}']), "{:?}", ran.err);
}
