//! The module on a host with what a ceremony of real charon left, and with programs that are not charon; ceremonies themselves
//! are in `tests/chain/dkg.rs`.

use crate::base::Value;
use crate::chain::charon::api::stand_in::{StandIn, answer};
use crate::chain::charon::testing::{Cluster, DEPOSITS, LOCK};
use crate::modules::eth_tests::{Host, outcome};
use crate::system::{Algorithm, Meta, System};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The key and passwords of the first node of the ceremony in `chain/charon/testing`; nobody uses them.
const KEY: &str = "4c3a6f10e305a2a14a7c9917253c4860218ad6d5fb73274854d87d9f670e5998";
const PASSWORDS: [&str; 2] = ["b5e58e7bab63147fb426ef44ee2d30a5", "9a67a09fc2db3a998d2f5669705a14de"];
const LOCK_HASH: &str = "0x7eb16c646f30eff6ca78c8cb39fa561a19799e582ee7562f752cd3b024e5ff61";
const KEYSTORES: [&str; 2] = [
    include_str!("../../chain/charon/testing/keystore-0.json"),
    include_str!("../../chain/charon/testing/keystore-1.json"),
];

/// A host on which the ceremony is over.
fn finished() -> Host {
    let host = Host::new();
    host.write("/data/charon-enr-private-key", KEY);
    host.write("/data/cluster-lock.json", LOCK);
    for (name, text) in DEPOSITS {
        host.write(&format!("/data/{name}"), text);
    }
    shares(&host);
    host
}

fn shares(host: &Host) {
    for (at, (keystore, password)) in KEYSTORES.iter().zip(PASSWORDS).enumerate() {
        host.write(&format!("/data/validator_keys/keystore-{at}.json"), keystore);
        host.write(&format!("/data/validator_keys/keystore-{at}.txt"), password);
    }
}

/// The definition in the lock, as a file.
fn definition() -> String {
    let lock: Value = serde_json::from_str(LOCK).unwrap();
    lock["cluster_definition"].to_string()
}

/// A round that began in 1970 and is not over yet: nobody waits for the next.
const DEADLINE: u64 = 4_000_000_000;

fn args(more: &Value) -> Value {
    let mut args = json!({"data_dir": "/data", "definition_file": "/definition.json", "allow_unsigned": true,
        "charon": "false", "patience": 30, "first_wait": 300, "deadline": DEADLINE});
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    args
}

#[test]
fn a_ceremony_that_is_over_is_checked_protected_and_backed_up_and_then_nothing_changes() {
    let host = finished();
    let args = args(&json!({"backup": "/backup"}));
    let first = outcome(&host, "charon_dkg", &args, false).unwrap();
    assert!(first.changed() && first.output["created"] == json!(false));
    assert_eq!(first.output["operator"], json!(1));
    assert_eq!(first.output["lock_hash"], json!(LOCK_HASH));
    for file in ["/data/cluster-lock.json", "/data/validator_keys/keystore-1.txt", "/data/dkg-manifest.sha256"] {
        assert_eq!(host.mode(file), 0o400, "{file}");
    }
    let backup = first.output["backup"].as_str().unwrap().to_owned();
    assert_eq!(host.read(&format!("{backup}/charon-enr-private-key")), KEY);
    assert!(!host.exists("/data/.restored"));
    let second = outcome(&host, "charon_dkg", &args, false).unwrap();
    assert!(!second.changed(), "{second:?}");
    // A run was cut off while it compared the backup.
    host.write("/data/.restored/charon-enr-private-key", KEY);
    assert!(outcome(&host, "charon_dkg", &args, false).unwrap().changed() && !host.exists("/data/.restored"));
    // A backup that was changed is told, and so is a file.
    let password = format!("{backup}/validator_keys/keystore-1.txt");
    host.remove(&password);
    host.write(&password, "lost");
    for check in [true, false] {
        let why = outcome(&host, "charon_dkg", &args, check).unwrap_err().message;
        assert!(why.starts_with("the backup /backup/") && why.contains("validator_keys/keystore-1.txt"), "{why}");
        assert!(!why.contains("lost") && !why.contains(PASSWORDS[1]), "{why}");
    }
    host.remove("/data/deposit-data-1eth.json");
    let why = outcome(&host, "charon_dkg", &args, false).unwrap_err().message;
    assert!(why.contains("no deposit-data file has the deposit of 1000000000 gwei"), "{why}");
    host.remove("/data/deposit-data.json");
    let why = outcome(&host, "charon_dkg", &args, false).unwrap_err().message;
    assert!(why.starts_with("/data/deposit-data-1eth.json is not what the ceremony made"), "{why}");
}

/// Every file of the host, with its mode, its content, and when it was changed; but for the note of who works there.
fn everything(host: &Host) -> Vec<String> {
    let system = System::new(host.path());
    let walk = system.walk(Path::new("/")).unwrap();
    let told = |(path, meta): &(PathBuf, Meta)| {
        let sum = system.read(path).map(|bytes| Algorithm::Sha256.of(&bytes)).unwrap_or_default();
        format!("{} {:o} {} {sum}", path.display(), meta.mode, meta.modified)
    };
    walk.iter().map(told).filter(|it| !it.contains("/.chainwright-dkg ")).collect()
}

#[test]
fn check_mode_changes_nothing_whether_there_is_a_backup_or_not() {
    let host = finished();
    let args = args(&json!({"backup": "/backup"}));
    let before = everything(&host);
    assert!(outcome(&host, "charon_dkg", &args, true).unwrap().changed());
    assert_eq!(everything(&host), before);
    outcome(&host, "charon_dkg", &args, false).unwrap();
    let before = everything(&host);
    assert!(!outcome(&host, "charon_dkg", &args, true).unwrap().changed());
    assert_eq!(everything(&host), before);
}

#[test]
fn a_lock_without_shares_is_enough_only_where_they_may_be_elsewhere() {
    let host = finished();
    let elsewhere = args(&json!({"keys_elsewhere": true, "backup": "/backup"}));
    host.rename("/data/validator_keys", "/secret");
    let why = outcome(&host, "charon_dkg", &args(&json!({})), false).unwrap_err().message;
    assert!(why.contains("/data/validator_keys"), "{why}");
    let before = everything(&host);
    let first = outcome(&host, "charon_dkg", &elsewhere, false).unwrap();
    assert!(!first.changed() && first.output["shares"] == json!(0) && first.output["lock_hash"] == json!(LOCK_HASH));
    assert_eq!(everything(&host), before);
    // Where the shares were made, they must be.
    host.rename("/secret", "/data/validator_keys");
    assert_eq!(outcome(&host, "charon_dkg", &elsewhere, false).unwrap().output["shares"], json!(2));
    host.rename("/data/validator_keys", "/secret");
    assert!(outcome(&host, "charon_dkg", &elsewhere, false).is_err());
}

#[test]
fn a_lock_is_taken_from_the_api_by_its_hash_and_only_if_it_is_true_and_ours() {
    let serve = |lock: String| {
        StandIn::new(move |request| match request {
            it if it.starts_with(&format!("GET /v1/lock/{LOCK_HASH} ")) => answer("200 OK", &lock),
            _ => answer("404 Not Found", "{}"),
        })
    };
    let api = serve(LOCK.to_owned());
    let take = |api: &StandIn, hash: &str| json!({"data_dir": "/data", "lock_hash": hash, "api": api.url, "allow_unsigned": true, "patience": 30, "first_wait": 300});
    let host = Host::new();
    host.write("/data/charon-enr-private-key", KEY);
    let before = everything(&host);
    assert!(outcome(&host, "charon_dkg", &take(&api, LOCK_HASH), true).unwrap().changed());
    assert_eq!(everything(&host), before);
    // Nobody's account has signed it: whoever takes that says so.
    let mut strict = take(&api, LOCK_HASH);
    strict["allow_unsigned"] = json!(false);
    let why = outcome(&host, "charon_dkg", &strict, false).unwrap_err().message;
    assert!(why.contains("no operator has signed"), "{why}");
    let false_one = serve(LOCK.replace("\"threshold\": 3", "\"threshold\": 2"));
    let why = outcome(&host, "charon_dkg", &take(&false_one, LOCK_HASH), false).unwrap_err().message;
    assert!(why.starts_with(&format!("the lock {LOCK_HASH} of the API: ")) && why.contains("config hash"), "{why}");
    let unknown = format!("0x{}", "11".repeat(32));
    let why = outcome(&host, "charon_dkg", &take(&api, &unknown), false).unwrap_err().message;
    assert!(why.starts_with("no lock was found in 30 s; last: the API does not know the lock 0x11"), "{why}");
    assert!(!host.exists("/data/cluster-lock.json"));
    // Shares of another cluster are not overlooked; ours are protected.
    host.write("/data/validator_keys/keystore-0.json", KEYSTORES[1]);
    assert!(outcome(&host, "charon_dkg", &take(&api, LOCK_HASH), false).unwrap_err().message.contains("1 keystores"));
    host.remove("/data/validator_keys/keystore-0.json");
    shares(&host);
    let taken = outcome(&host, "charon_dkg", &take(&api, LOCK_HASH), false).unwrap();
    assert!(taken.changed() && taken.output["created"] == json!(true) && taken.output["shares"] == json!(2));
    assert_eq!(host.mode("/data/cluster-lock.json"), 0o400);
    assert!(!outcome(&host, "charon_dkg", &take(&api, LOCK_HASH), false).unwrap().changed());
    let why = outcome(&host, "charon_dkg", &take(&api, &unknown), false).unwrap_err().message;
    assert!(why.contains("the lock hash is 0x7eb1"), "{why}");
    // Without shares, and of another node.
    let bare = Host::new();
    bare.write("/data/charon-enr-private-key", KEY);
    assert_eq!(outcome(&bare, "charon_dkg", &take(&api, LOCK_HASH), false).unwrap().output["shares"], json!(0));
    assert!(!outcome(&bare, "charon_dkg", &take(&api, LOCK_HASH), false).unwrap().changed());
    let other = Host::new();
    let why = outcome(&other, "charon_dkg", &take(&api, LOCK_HASH), false).unwrap_err().message;
    assert!(why.contains("is in no operator's record") && !other.exists("/data/cluster-lock.json"), "{why}");
}

#[test]
fn a_definition_that_is_kept_is_gone_on_with_unless_its_ceremony_is_over() {
    let cluster = Cluster::new();
    let (kept, newer) = (cluster.signed_at("2026-01-01T00:00:00Z"), cluster.signed_at("2026-02-01T00:00:00Z"));
    let (hash, newer_hash) = (kept.config_hash.to_string(), newer.config_hash.to_string());
    let host = || {
        let host = Host::new();
        host.write("/data/charon-enr-private-key", &cluster.nodes[0].to_hex());
        host.write("/data/cluster-definition.json", &kept.to_json().unwrap().to_string());
        host
    };
    let api = |over: bool, list: Value| {
        let hash = hash.clone();
        let lock = json!({"cluster_definition": kept.to_json().unwrap(), "distributed_validators": [], "lock_hash": hash,
            "signature_aggregate": "0x", "node_signatures": []});
        let lock = lock.to_string();
        StandIn::new(move |request| match request {
            it if over && it.starts_with("GET /v1/lock/configHash/") && it.contains(&hash) => answer("200 OK", &lock),
            it if it.contains("/v1/definition/operator/") => {
                answer("200 OK", &json!({"cluster_definitions": list, "total_pages": 1}).to_string())
            }
            _ => answer("404 Not Found", "{}"),
        })
    };
    let go = |host: &Host, url: &str, more: &Value| {
        let mut args = json!({"data_dir": "/data", "api": url, "charon": "false", "patience": 30, "first_wait": 300,
            "deadline": DEADLINE, "operator": cluster.accounts[0].address().to_string()});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        outcome(host, "charon_dkg", &args, false).unwrap_err()
    };
    let tried = |host: &Host| host.read("/data/cluster-definition.json");
    let ran = "charon dkg ended with code 1";
    // It is open, or nobody says that it is over.
    let open = host();
    assert!(go(&open, &api(false, json!([newer.to_json().unwrap()])).url, &json!({})).message.contains(ran));
    assert!(tried(&open).contains(&hash));
    assert!(go(&host(), "http://127.0.0.1:1", &json!({})).message.contains(ran));
    // It is over: it is not run again. Nor is any other, if it is the one that is wanted.
    let over = api(true, json!([kept.to_json().unwrap()]));
    let failure = go(&host(), &over.url, &json!({"config_hash": hash}));
    assert!(failure.message.starts_with(&format!("not the cluster {hash}: its ceremony is over")), "{failure}");
    assert!(failure.help.unwrap().contains("take this node's files from its backup"));
    let failure = go(&host(), &over.url, &json!({}));
    assert!(failure.message.contains("the API knows no cluster of 0x"), "{failure}");
    let newest = host();
    let both = api(true, json!([kept.to_json().unwrap(), newer.to_json().unwrap()]));
    assert!(go(&newest, &both.url, &json!({})).message.contains(ran));
    assert!(tried(&newest).contains(&newer_hash));
    // Nobody can be asked for another cluster.
    let failure = go(&host(), &both.url, &json!({"operator": null}));
    assert!(failure.message.contains("its ceremony is over"), "{failure}");
    // Of another cluster than the one that is wanted.
    let wanted = host();
    assert!(go(&wanted, &both.url, &json!({"config_hash": newer_hash})).message.contains(ran));
    assert!(tried(&wanted).contains(&newer_hash));
    // A file that is wrong is told, and stays.
    let broken = host();
    broken.write("/data/cluster-definition.json", "{");
    let failure = go(&broken, &both.url, &json!({}));
    assert!(
        failure.message.starts_with("/data/cluster-definition.json: this is not a cluster definition"),
        "{failure}"
    );
    assert_eq!(tried(&broken), "{");
}

#[test]
fn shares_that_were_made_before_the_lock_was_written_are_joined_with_that_of_another_operator() {
    for place in ["/data", "/data/failed-dkg/7"] {
        let host = finished();
        host.rename("/data/cluster-lock.json", "/theirs.json");
        host.rename("/data/validator_keys", "/keys");
        host.write(&format!("{place}/dkg.log"), "cut off");
        host.rename("/keys", &format!("{place}/validator_keys"));
        // The last file was being written.
        host.write("/data/deposit-data.json", "[");
        host.write("/data/.dkg-running", "");
        host.write("/definition.json", &definition());
        host.write("/false.json", &LOCK.replace("\"threshold\": 3", "\"threshold\": 2"));
        let why = outcome(&host, "charon_dkg", &args(&json!({"lock_file": "/false.json"})), false).unwrap_err();
        assert!(why.message.starts_with("/false.json: ") && why.message.contains("config hash"), "{why}");
        let before = everything(&host);
        let theirs = args(&json!({"lock_file": "/theirs.json"}));
        assert!(outcome(&host, "charon_dkg", &theirs, true).unwrap().changed());
        assert_eq!(everything(&host), before);
        let joined = outcome(&host, "charon_dkg", &theirs, false).unwrap();
        assert!(joined.output["shares"] == json!(2) && joined.output["lock_hash"] == json!(LOCK_HASH), "{joined:?}");
        assert!(!host.exists("/data/.dkg-running"));
        assert_eq!(host.read("/data/deposit-data.json"), DEPOSITS[0].1);
        assert!(!outcome(&host, "charon_dkg", &theirs, true).unwrap().changed());
        assert!(!outcome(&host, "charon_dkg", &args(&json!({})), true).unwrap().changed());
        // Of a cluster that is over here, another operator cannot have another lock.
        host.write("/other.json", &LOCK.replace(LOCK_HASH, &format!("0x{}", "12".repeat(32))));
        let why = outcome(&host, "charon_dkg", &args(&json!({"lock_file": "/other.json"})), false).unwrap_err();
        assert!(why.message.contains(&format!("with the lock {LOCK_HASH}, and /other.json is 0x1212")), "{why}");
    }
}

#[test]
fn a_lock_of_others_is_not_taken_without_shares_to_it() {
    let host = finished();
    host.rename("/data/cluster-lock.json", "/theirs.json");
    host.remove("/data/validator_keys/keystore-1.json");
    host.write("/data/.dkg-running", "");
    // The folder itself is another minute's: the note of who works there came and went.
    let files = || everything(&host).split_off(1);
    let before = files();
    let theirs = json!({"data_dir": "/data", "lock_file": "/theirs.json", "allow_unsigned": true});
    let failure = outcome(&host, "charon_dkg", &theirs, false).unwrap_err();
    assert!(failure.message.starts_with(&format!("no shares to the lock {LOCK_HASH} of /theirs.json")), "{failure}");
    assert!(failure.help.unwrap().contains("all operators make a new cluster"));
    assert_eq!(files(), before);
}

/// A charon that lays what is in `made` into the data folder, says what is in `said`, and fails. Another program writes it: nobody
/// else has it open.
fn stumbling(host: &Host) -> String {
    host.write(
        "/text",
        "#!/bin/sh\n[ \"$1\" = dkg ] || exit 0\necho \"$@\" >\"$3/../argv\"\ncp -R \"$3/../made/.\" \"$3\"\ncat \"$3/../said\" >&2\nexit 1\n",
    );
    let program = host.path().join("charon");
    let mut copy = std::process::Command::new("install");
    assert!(copy.args(["-m", "755"]).arg(host.path().join("text")).arg(&program).status().unwrap().success());
    program.display().to_string()
}

/// A host where charon makes everything, and then says this and fails.
fn stumbled(said: &str) -> Host {
    let host = finished();
    host.rename("/data", "/made");
    host.write("/said", said);
    host.write("/definition.json", &definition());
    host
}

#[test]
fn what_is_made_here_counts_when_all_operators_have_theirs_and_is_kept_until_then() {
    let host = stumbled("Fatal error: sync step: context deadline exceeded");
    host.remove("/made/charon-enr-private-key");
    host.write("/data/charon-enr-private-key", KEY);
    let args = args(&json!({"charon": stumbling(&host)}));
    let failure = outcome(&host, "charon_dkg", &args, false).unwrap_err();
    assert!(failure.message.contains("all is made here, but not known to be made everywhere"), "{failure}");
    let (help, kept) = (failure.help.unwrap(), "/data/failed-dkg/1/cluster-lock.json");
    assert!(help.contains(&format!("with the lock {LOCK_HASH}, run it with `lock_file`: {kept}")), "{help}");
    assert!(!host.exists("/data/cluster-lock.json") && !host.exists("/data/.dkg-running"));
    // So it is where the host's power went in that moment; unless charon has noted that all have written.
    let (note, first, second) = ("{}", "sync shutdown: sync step", "INFO dkg Successfully completed DKG ceremony");
    for (log, counts) in [(note, false), (first, true), (second, true)] {
        let host = finished();
        host.write("/definition.json", &definition());
        host.write("/data/.dkg-running", "");
        host.write("/data/dkg.log", log);
        let outcome = outcome(&host, "charon_dkg", &self::args(&json!({})), false);
        assert_eq!(outcome.is_ok(), counts, "{log}");
        assert!(host.exists("/data/cluster-lock.json") == counts && !host.exists("/data/.dkg-running"));
        assert_eq!(host.exists(kept), !counts);
    }
    // Another operator has seen the good end, and has the same lock.
    let mut theirs = args.clone();
    theirs["lock_file"] = json!(kept);
    assert_eq!(outcome(&host, "charon_dkg", &theirs, false).unwrap().output["shares"], json!(2));
    assert!(!outcome(&host, "charon_dkg", &args, false).unwrap().changed());
}

#[test]
fn charon_that_dies_when_all_have_written_has_made_the_cluster() {
    let host = stumbled("Fatal error: sync shutdown: context deadline exceeded");
    host.write("/data/charon-enr-private-key", KEY);
    for name in ["charon-enr-private-key", "deposit-data.json", "deposit-data-1eth.json"] {
        host.remove(&format!("/made/{name}"));
    }
    host.write("/made/validator_keys/slashing.lock", "");
    // What somebody moved away has left its checksums.
    host.write("/data/dkg-manifest.sha256", &format!("{}  cluster-lock.json\n", "0".repeat(64)));
    // Of `charon run`, with another cluster.
    let note = "{\"command\":\"charon run\",\"cluster_lock_hash\":\"0x12\"}";
    host.write("/data/charon-enr-private-key.lock", note);
    let before = std::time::SystemTime::now() - std::time::Duration::from_mins(1);
    let file = std::fs::File::open(host.path().join("data/charon-enr-private-key.lock")).unwrap();
    file.set_modified(before).unwrap();
    let mut args = args(&json!({"charon": stumbling(&host), "backup": "/backup"}));
    args["keys_elsewhere"] = json!(true);
    let made = outcome(&host, "charon_dkg", &args, false).unwrap();
    assert!(made.output["created"] == json!(true) && made.output["shares"] == json!(2), "{made:?}");
    assert!(!host.exists("/data/.dkg-running") && host.exists("/data/failed-dkg/1/dkg-manifest.sha256"));
    for (name, text) in DEPOSITS {
        assert_eq!(host.read(&format!("/data/{name}")), text);
    }
    assert_eq!(host.read("/data/charon-enr-private-key.lock"), note);
    assert!(
        !host.read("/data/dkg-manifest.sha256").contains("slashing")
            && host.mode("/data/validator_keys/slashing.lock") != 0o400
    );
    assert!(
        host.read("/argv").contains(
            " --zipped=false --keymanager-address= --keymanager-auth-token= --no-verify=false --publish=false"
        )
    );
    // A validator client comes and goes.
    host.remove("/data/validator_keys/slashing.lock");
    assert!(!outcome(&host, "charon_dkg", &args, false).unwrap().changed());
    // Of a run of ours the power took the shares: that they may be in another place is no excuse.
    host.rename("/data/validator_keys", "/lost");
    host.remove("/data/dkg-manifest.sha256");
    host.write("/data/.dkg-running", "");
    assert!(outcome(&host, "charon_dkg", &args, true).unwrap().changed());
    host.rename("/made", "/never");
    host.write("/made/nothing", "");
    assert!(outcome(&host, "charon_dkg", &args, false).is_err());
}

#[test]
fn a_program_that_is_missing_is_told_before_anybody_waits() {
    let host = Host::new();
    host.write("/data/charon-enr-private-key", KEY);
    host.write("/definition.json", &definition());
    let failure = outcome(&host, "charon_dkg", &args(&json!({"charon": "/nowhere/charon", "patience": 0})), false);
    let failure = failure.unwrap_err();
    assert!(failure.message.starts_with("charon cannot be run: "), "{failure}");
}

#[test]
fn the_logs_of_failed_ceremonies_do_not_fill_the_disk_and_keys_among_them_stay() {
    let host = Host::new();
    host.write("/data/charon-enr-private-key", KEY);
    host.write("/definition.json", &definition());
    for number in 1..=30 {
        host.write(&format!("/data/failed-dkg/{number}/dkg.log"), "");
    }
    host.write("/data/failed-dkg/3/validator_keys/keystore-0.json", KEYSTORES[0]);
    host.write("/data/dkg.log", "the last");
    outcome(&host, "charon_dkg", &args(&json!({})), false).unwrap_err();
    assert_eq!(host.read("/data/failed-dkg/31/dkg.log"), "the last");
    let mut left = host.list("/data/failed-dkg");
    left.sort_by_key(|name| name.parse::<u32>().unwrap());
    assert_eq!((left.len(), left[0].as_str(), left[1].as_str()), (21, "3", "12"));
}

#[test]
fn a_lock_that_is_false_is_told_and_nothing_is_removed() {
    for (file, old, new) in [
        ("/data/cluster-lock.json", "\"lock_hash\": \"0x7e", "\"lock_hash\": \"0x7f"),
        ("/data/charon-enr-private-key", "", "1"),
        ("/data/validator_keys/keystore-0.txt", "", "x"),
    ] {
        let host = finished();
        let text = host.read(file);
        let changed = if old.is_empty() { format!("{new}{}", &text[1..]) } else { text.replace(old, new) };
        assert_ne!(text, changed);
        host.write(file, &changed);
        let why = outcome(&host, "charon_dkg", &args(&json!({})), false).unwrap_err().message;
        assert!(why.starts_with("a ceremony is over in /data, but: "), "{why}");
        assert_eq!(host.read(file), changed);
    }
}

#[test]
fn keys_of_unknown_origin_stop_everything_and_those_of_a_cut_off_ceremony_are_moved() {
    let host = finished();
    host.remove("/data/cluster-lock.json");
    host.write("/definition.json", &definition());
    let why = outcome(&host, "charon_dkg", &args(&json!({})), false).unwrap_err().message;
    assert!(why.contains("/data/deposit-data-1eth.json is there, but no cluster-lock.json"), "{why}");
    host.write("/data/.dkg-running", "");
    let failure = outcome(&host, "charon_dkg", &args(&json!({})), false).unwrap_err();
    assert!(failure.message.contains("no cluster was made in 30 s; last: charon dkg ended with code 1"), "{failure}");
    assert_eq!(host.read("/data/failed-dkg/1/validator_keys/keystore-0.json"), KEYSTORES[0]);
    assert!(host.exists("/data/failed-dkg/1/deposit-data.json") && !host.exists("/data/.dkg-running"));
    assert_eq!(host.read("/data/charon-enr-private-key"), KEY);
    assert_eq!(host.read("/data/cluster-definition.json"), definition());
}

#[test]
fn a_false_definition_is_refused_before_charon_is_started_and_a_key_is_never_overwritten() {
    let host = Host::new();
    host.write("/data/charon-enr-private-key", KEY);
    host.write("/definition.json", &definition().replace("\"threshold\":3", "\"threshold\":2"));
    let args = args(&json!({"charon": "/nowhere/charon"}));
    for check in [true, false] {
        let why = outcome(&host, "charon_dkg", &args, check).unwrap_err().message;
        assert!(why.starts_with("/definition.json: the config hash is wrong"), "{why}");
    }
    host.write("/definition.json", &definition());
    let strict = json!({"data_dir": "/data", "definition_file": "/definition.json", "charon": "/nowhere/charon"});
    let why = outcome(&host, "charon_dkg", &strict, false).unwrap_err().message;
    assert!(why.contains("no operator has signed"), "{why}");
    let predicted = outcome(&host, "charon_dkg", &args, true).unwrap();
    assert!(predicted.changed() && predicted.output["config_hash"].is_null());
    // Of another node it is not ours.
    host.write("/data/charon-enr-private-key", &"1".repeat(64));
    let why = outcome(&host, "charon_dkg", &args, false).unwrap_err().message;
    assert!(why.contains("is in no operator's record"), "{why}");
    host.write("/data/charon-enr-private-key", "rubbish");
    let why = outcome(&host, "charon_dkg", &args, false).unwrap_err().message;
    assert!(why.contains("is left as it is"), "{why}");
    assert_eq!(host.read("/data/charon-enr-private-key"), "rubbish");
}

#[test]
fn a_new_node_gets_a_key_and_a_record_must_be_of_it() {
    let host = Host::new();
    let api = |more: &Value| {
        let mut args = json!({"data_dir": "/new/data", "operator": format!("0x{}", "11".repeat(20)),
            "api": "http://127.0.0.1:1", "charon": "true", "patience": 30, "first_wait": 300, "deadline": DEADLINE});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    };
    assert!(outcome(&host, "charon_dkg", &api(&json!({})), true).unwrap().changed());
    assert!(!host.exists("/new"));
    let only = json!({"data_dir": "/other", "only_key": true});
    let first = outcome(&host, "charon_dkg", &only, false).unwrap();
    let second = outcome(&host, "charon_dkg", &only, false).unwrap();
    assert!(first.changed() && !second.changed() && first.output["enr"] == second.output["enr"]);
    assert!(first.output["enr"].as_str().unwrap().starts_with("enr:-HW4Q"));
    let why = outcome(&host, "charon_dkg", &api(&json!({})), false).unwrap_err().message;
    assert!(why.contains("nothing listens there"), "{why}");
    assert_eq!((host.mode("/new/data"), host.mode("/new/data/charon-enr-private-key")), (0o700, 0o600));
    let key = host.read("/new/data/charon-enr-private-key");
    let lock: Value = serde_json::from_str(LOCK).unwrap();
    host.write(
        "/enr",
        &format!(
            "Created ENR private key: x\n{}\n",
            lock["cluster_definition"]["operators"][0]["enr"].as_str().unwrap()
        ),
    );
    let why = outcome(&host, "charon_dkg", &api(&json!({"enr_file": "/enr"})), false).unwrap_err().message;
    assert!(why.contains("is of another key"), "{why}");
    host.write("/key", KEY);
    let why = outcome(&host, "charon_dkg", &api(&json!({"key_file": "/key"})), false).unwrap_err().message;
    assert!(why.contains("hold different keys"), "{why}");
    assert_eq!(host.read("/new/data/charon-enr-private-key"), key);
    host.remove("/new/data/charon-enr-private-key");
    let _ = outcome(&host, "charon_dkg", &api(&json!({"key_file": "/key", "enr_file": "/enr"})), false).unwrap_err();
    assert_eq!(host.read("/new/data/charon-enr-private-key"), KEY);
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let host = Host::new();
    let operator = format!("0x{}", "11".repeat(20));
    for (args, reason) in [
        (json!({"data_dir": "/d"}), "nothing says which cluster"),
        (json!({"data_dir": "d", "operator": operator}), "must be an absolute path"),
        (json!({"data_dir": "/d", "operator": "null"}), "`null` is not an address"),
        (json!({"data_dir": "/d", "operator": operator, "config_hash": "0x12"}), "`0x12` is no config hash"),
        (json!({"data_dir": "/d", "operator": operator, "accept_with": "/k"}), "`accept_with` needs `config_hash`"),
        (json!({"data_dir": "/d", "operator": operator, "allow_unsigned": true}), "is for a `definition_file`"),
        (json!({"data_dir": "/d", "lock_hash": "0x12"}), "`0x12` is no lock hash"),
        (json!({"data_dir": "/d", "lock_hash": LOCK_HASH, "definition_file": "/x"}), "which is it?"),
        (json!({"data_dir": "/d", "lock_hash": LOCK_HASH, "lock_file": "/x"}), "which is it?"),
        (json!({"data_dir": "/d", "operator": operator, "options": ["--publish"]}), "`options` has `--publish`"),
        (json!({"data_dir": "/d", "operator": operator, "deadline": 0}), "`deadline` is 0"),
        (json!({"data_dir": "/d", "operator": operator, "options": ["--zipped"]}), "`options` has `--zipped`"),
        (
            json!({"data_dir": "/d", "operator": operator, "options": ["--keymanager-address=http://x"]}),
            "--keymanager-",
        ),
        (json!({"data_dir": "/d", "operator": operator, "options": ["--no-verify"]}), "`options` has `--no-verify`"),
        (
            json!({"data_dir": "/d", "operator": operator, "options": ["--data-dir", "/e"]}),
            "`options` has `--data-dir`",
        ),
        (json!({"data_dir": "/d", "operator": operator, "options": ["--definition-file=e"]}), "`options` has `--def"),
    ] {
        let why = outcome(&host, "charon_dkg", &args, false).unwrap_err().message;
        assert!(why.contains(reason), "{why}");
        assert!(!host.exists("/d"));
    }
}
