//! `inventories/four-chains` as it is shipped, without hosts.

use crate::project::Project;
use serde_json::Value;
use std::collections::BTreeMap;

const CHAINS: [&str; 4] = ["mainnet", "testnet", "mainnet-sidechain", "testnet-sidechain"];

fn folder(chain: &str) -> String {
    format!("{}/inventories/four-chains/{chain}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn no_two_chains_have_a_port_or_a_name_in_common() {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for chain in CHAINS {
        let shown = Project::new().chainwright(&["inventory", "-i", &folder(chain), "--host", "delta"]).code(0);
        let variables: Value = serde_json::from_str(&shown.out).expect("JSON");
        let ports = variables.as_object().expect("a table").iter().filter(|(name, _)| name.ends_with("_port"));
        let ports: Vec<String> = ports.map(|(_, port)| port.to_string()).collect();
        assert_eq!(ports.len(), 6, "{chain}: {ports:?}");
        let network = &variables["network"];
        for own in ports.into_iter().chain([network["name"].to_string(), network["chain_id"].to_string()]) {
            assert_eq!(owners.insert(own.clone(), chain), None, "{own} of {chain} is another's");
        }
        assert_eq!(variables["geth_instance"], "geth-{{ network.name }}");
    }
}

#[test]
fn what_is_wanted_of_every_chain_can_be() {
    let playbook = format!("{}/playbooks/preflight.yml", env!("CARGO_MANIFEST_DIR"));
    for chain in CHAINS {
        Project::new().chainwright(&["playbook", "-i", &folder(chain), &playbook]).code(0).recap("delta", "ok=1");
    }
}

#[test]
fn the_bridge_joins_two_of_them_by_their_ports_and_ids() {
    let show = |inventory: &str| -> Value {
        let shown = Project::new().chainwright(&["inventory", "-i", &folder(inventory), "--host", "delta"]).code(0);
        serde_json::from_str(&shown.out).expect("JSON")
    };
    let bridge = show("bridge");
    for (side, chain) in [("bridge_home", "testnet"), ("bridge_foreign", "testnet-sidechain")] {
        let (side, chain) = (&bridge[side], show(chain));
        assert_eq!(side["chain_id"], chain["network"]["chain_id"]);
        assert_eq!(side["url"], format!("http://127.0.0.1:{}", chain["rpc_port"]));
        assert!(side["public_url"].as_str().expect("text").ends_with(&format!(":{}", chain["proxy_port"])), "{side}");
    }
}
