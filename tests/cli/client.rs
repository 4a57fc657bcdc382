//! `client`: what versions read; and wishes that a version cannot fulfil, refused before anything is contacted.

use crate::project::Project;

#[test]
fn a_version_is_explained_with_sources() {
    let explained = Project::new().chainwright(&["client", "explain", "geth", "1.13.15"]).code(0);
    explained
        .says("StaticNodes")
        .says("node/config.go")
        .says("Account unlock with HTTP access is forbidden!")
        .says("Blockchain stopped")
        .says("eth/68");
    Project::new()
        .chainwright(&["client", "explain", "geth", "1.9.13"])
        .code(0)
        .says("--rpcapi")
        .says("DATADIR/static-nodes.json")
        .silent_about("eth/66");
    Project::new()
        .chainwright(&["client", "explain", "parity", "2.7.2"])
        .code(0)
        .says("never run here")
        .says("reserved_peers");
    Project::new()
        .chainwright(&["client", "explain", "besu", "24.3.0"])
        .code(0)
        .says("Network stopped.")
        .says("did not shut down cleanly")
        .says("Mismatch: DB at")
        .says("shanghaiTime");
    Project::new()
        .chainwright(&["client", "explain", "nethermind", "1.25.4"])
        .code(0)
        .says("All DBs closed")
        .says("eip4844TransitionTimestamp");
}

#[test]
fn what_is_known_comes_as_json_too() {
    let ran = Project::new().chainwright(&["client", "explain", "geth", "v1.14.0", "--json"]).code(0);
    let value: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(value["facts"]["engines"], serde_json::json!([]));
    assert_eq!(value["facts"]["refuses"][0]["name"], "clique");
    let flags = value["facts"]["flags"].as_array().unwrap();
    assert!(flags.iter().any(|flag| flag["name"] == "http.api" && flag["says"] == "--http.api"));
    assert!(flags.iter().all(|flag| flag["source"].as_str().is_some_and(|source| !source.is_empty())));
    let list = Project::new().chainwright(&["client", "list", "--json"]).code(0);
    let list: serde_json::Value = serde_json::from_str(&list.out).expect("JSON");
    assert_eq!(list.as_array().unwrap().len(), 6);
}

#[test]
fn the_way_of_a_live_network_is_shown() {
    Project::new().chainwright(&["client", "path", "geth", "1.9.25", "1.13.15"]).code(0).in_order(&[
        "1.9.25 -> 1.10.8",
        "eth/65",
        "1.10.8 -> 1.13.2",
        "eth/66",
        "1.13.2 -> 1.13.15",
        "eth/68",
    ]);
    Project::new().chainwright(&["client", "path", "besu", "24.1.0", "25.12.0"]).code(1).says("is not known");
}

#[test]
fn every_subcommand_shows_an_example() {
    for (command, subcommands) in [
        ("client", &["list", "explain", "path"][..]),
        ("genesis", &["build", "hash", "check", "diff", "explain"]),
        ("lock", &["sign", "verify", "schema"]),
    ] {
        for subcommand in subcommands {
            let example = format!("Example:\n  chainwright {command} {subcommand}");
            Project::new().chainwright(&[command, subcommand, "--help"]).code(0).says(&example);
        }
    }
}

#[test]
fn what_is_not_a_client_or_version_is_named() {
    Project::new().chainwright(&["client", "explain", "gehth", "1.13.15"]).code(1).says("did you mean `geth`?");
    Project::new().chainwright(&["client", "explain", "geth", "latest"]).code(1).says("`latest` is not a version");
    Project::new().chainwright(&["client", "explain", "geth", "1.7.3"]).code(1).says("older than all that is known");
    Project::new().chainwright(&["client"]).code(5);
}

/// A network on hosts that nobody could reach: what is told is told before any is tried.
fn refused(version: &str, more: &str) -> crate::project::Ran {
    refused_with(version, more, &[])
}

fn refused_with(version: &str, more: &str, extra: &[&str]) -> crate::project::Ran {
    let project = Project::new();
    let hosts = ["--sealer", "192.0.2.1", "--sealer", "192.0.2.2", "--rpc", "192.0.2.3"];
    let geth = ["--client", "https://example.org/geth", "--client-sha256", "00", "--client-version", version];
    project.chainwright(&[&["init", "net"][..], &hosts, &geth].concat()).code(0);
    let path = project.path().join("net/inventories/main/group_vars/all.yml");
    let all = std::fs::read_to_string(&path).unwrap() + more;
    std::fs::write(&path, all).unwrap();
    let run = ["playbook", "-i", "net/inventories/main", "net/playbooks/site.yml"];
    project.chainwright(&[&run[..], extra].concat()).code(2)
}

#[test]
fn clique_on_geth_1_14_is_refused_with_its_place() {
    refused("1.14.0", "")
        .says("net/inventories/main/group_vars/all.yml:5:11: geth 1.14.0 cannot seal clique")
        .says("only PoS networks are supported")
        .says("the last version that seals Clique is 1.13.15");
}

#[test]
fn a_namespace_that_does_not_exist_is_refused_with_its_place() {
    refused("1.13.15", "\nrpc_api: [eth, eb3]\n")
        .says("group_vars/all.yml:")
        .says("geth 1.13.15 has no namespace `eb3`");
}

#[test]
fn a_fork_that_an_old_geth_passes_over_is_refused() {
    refused("1.9.25", "").says("geth 1.9.25 does not know `londonBlock` (known since 1.10.4)");
}

#[test]
fn an_unlocked_account_behind_http_is_refused() {
    refused("1.13.15", "\ngeth_more_options: {http: true}\n")
        .says("geth 1.13.15 with `--unlock` and `--http`")
        .says("Account unlock with HTTP access is forbidden!");
}

#[test]
fn a_file_that_the_version_passes_over_is_refused() {
    refused("1.13.15", "\ngeth_static_peers_form: static-nodes.json\n")
        .says("group_vars/all.yml:")
        .says("geth 1.13.15 passes static-nodes.json over (since 1.11.0)");
}

#[test]
fn a_name_where_only_addresses_are_read_is_refused() {
    refused_with("1.9.0", "", &["-e", "node_address=node.example"])
        .says("takes only addresses in enodes (before 1.9.3)");
}

#[test]
fn metrics_that_cannot_be_are_refused_with_their_place_and_without_their_secret() {
    let influxdb = "\ngeth_metrics:\n  prometheus: {address: 127.0.0.1, port: 30303}\n  influxdb:\n    endpoint: http://192.0.2.9:8086\n    \
                    username: geth\n    password: hunter22\n    databse: geth\n";
    refused_with("1.13.15", influxdb, &["-vvv"])
        .says("group_vars/all.yml:")
        .says("port 30303 of `prometheus` is the node's `port` too")
        .says("`influxdb` of `geth_metrics` has no option `databse`; did you mean `database`?")
        .says("`influxdb` of `geth_metrics` has no `database`")
        .silent_about("hunter22");
    let influxdb = influxdb.replace("databse", "database").replace("30303", "6060");
    refused_with("1.10.26", &influxdb, &["-vvv"])
        .says("`influxdb.password` of `geth_metrics`: geth 1.10.26 takes a secret on its command line only")
        .silent_about("hunter22");
}
