//! `eth_ceremony` without a node: what is refused before anybody is asked, and a node that is not there.

use super::eth_tests::{Host, outcome};
use crate::base::Value;
use serde_json::json;

const GENESIS: &str = r#"{"config": {"chainId": 1, "clique": {"period": 2, "epoch": 30000}}, "difficulty": "0x1", "gasLimit": "0x47b760", "extraData": "0x", "alloc": {}}"#;
const ENODE: &str = "enode://ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f@10.0.0.1:30303";

fn refused(change: Value) -> String {
    let host = Host::new();
    host.write("/genesis.json", GENESIS);
    host.write("/list", "[]");
    let party = json!({"name": "alpha", "enode": ENODE, "account": format!("0x{}", "11".repeat(20))});
    let mut args =
        json!({"ipc": "/ipc", "genesis": "/genesis.json", "parties": [party], "organisation": "alpha", "timeout": 0});
    for (name, value) in change.as_object().unwrap() {
        args[name] = value.clone();
    }
    outcome(&host, "eth_ceremony", &args, false).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_compared_is_refused_by_its_name() {
    for (change, reason) in [
        (json!({"genesis": "/none"}), "/none"),
        (json!({"genesis": "/list"}), "/list: "),
        (json!({"parties": []}), "`parties` is empty"),
        (json!({"parties": [{"name": "alpha"}]}), "`parties`: a party has no `enode`"),
        (json!({"parties": [{"name": "alpha", "enode": "x", "account": "y"}]}), "`parties`: `x` is not an enode"),
        (json!({"joined": [1]}), "`joined`: a party has no `name`"),
        (json!({"organisation": "beta"}), "`beta` is none of the parties (these are: alpha)"),
        (json!({"ipc": null}), "`ipc` or `url`"),
        (json!({"spec": "/none"}), "/none"),
        (json!({}), "there is no socket /ipc: the node does not run"),
    ] {
        let failure = refused(change.clone());
        assert!(failure.contains(reason), "{change}: {failure}");
    }
}
