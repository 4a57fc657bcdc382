//! `eth_locked`: the proof that a network is as its lock says.

use super::eth_status::Output as Status;
use super::loose::{Flag, yes};
use super::{Cx, Module, Reach, Result, eth};
use crate::base::event::Proof;
use crate::base::{Failure, Value};
use crate::chain::lock::{Difference, Genesis, Lock, Seen};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Refuses a network that differs from its lock (`network.lock`), and names each difference: what the inventory says of it, a
/// genesis file, what running nodes say. Changes nothing, and contacts nobody.
///
/// A node that does not answer is no difference: another module says that it is down.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthLocked {
    /// The lock's text.
    pub lock: String,
    /// What to call the lock in messages: its path.
    #[serde(default = "path")]
    pub path: String,
    /// The lock that the inventory gives now: what `eth_network_lock` returns as `text`.
    #[serde(default)]
    pub inventory: Option<String>,
    /// The text of a genesis file.
    #[serde(default)]
    pub genesis: Option<String>,
    /// From host to what `eth_status` returned, or the `results` of a loop over hosts.
    #[serde(default)]
    pub nodes: Option<Value>,
    /// Whether the nodes must run the lock's version already. An upgrade begins with others.
    #[serde(default = "yes")]
    pub versions: Flag,
}

fn path() -> String {
    "network.lock".into()
}

/// What `eth_locked` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// SHA-256 of the lock: what signatures are of.
    sha256: String,
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for EthLocked {
    const NAME: &'static str = "eth_locked";
    const EXAMPLE: &'static str = "\
- eth_locked:
    lock: \"{{ lookup('file', inventory_dir ~ '/network.lock') }}\"
    nodes: \"{{ status.results }}\"
  run_once: true";
    const REACH: Reach = Reach::Controller;
    type Output = Output;

    fn run(&self, _: &mut Cx) -> Result<Output> {
        let lock = Lock::parse(&self.path, &self.lock)?;
        let mut wrong = Vec::new();
        let mut proofs = Vec::new();
        if let Some(text) = &self.inventory {
            let differences = lock.differences(&Lock::parse("the inventory", text)?);
            self.refuse(&mut wrong, "the inventory", &differences);
            proofs.push(Proof::new("the inventory is as locked", format!("{} hosts", lock.hosts.len())));
        }
        if let Some(text) = &self.genesis {
            self.refuse(&mut wrong, "the genesis", &lock.genesis_differences(&Genesis::of(text)?));
            proofs.push(Proof::new("the genesis is as locked", format!("block 0 is {}", lock.genesis.hash)));
        }
        if let Some(nodes) = &self.nodes {
            let (differences, alive) = self.nodes(&lock, nodes)?;
            self.refuse(&mut wrong, "the running network", &differences);
            // Of nodes that do not run yet nothing is proven.
            if alive > 0 {
                proofs.push(Proof::new("the nodes are as locked", format!("{alive} answered")));
            }
        }
        if wrong.is_empty() {
            return Ok(Output { sha256: lock.digest(), proofs });
        }
        Err(Failure::new(wrong.join("\n")).help(format!(
            "nothing was changed. What nobody intended is to be put right. What is intended, as an upgrade or a new host, is \
             agreed upon first: write {} anew with `chainwright lock -i INVENTORY`, let the members sign it, and run this again. What \
             runs another version than the lock's goes there with playbooks/upgrade.yml",
            self.path
        )))
    }
}

impl EthLocked {
    fn refuse(&self, wrong: &mut Vec<String>, what: &str, differences: &[Difference]) {
        if !differences.is_empty() {
            wrong.push(format!("{what} differs from {}:", self.path));
            wrong.extend(differences.iter().map(|difference| format!("- {difference}")));
        }
    }

    /// The differences of all nodes, and how many answered.
    fn nodes(&self, lock: &Lock, nodes: &Value) -> Result<(Vec<Difference>, usize)> {
        let mut differences = Vec::new();
        let mut alive = 0;
        for (host, value) in eth::by_host(nodes)? {
            // A host that could not be reached has no state.
            let Ok(status) = serde_json::from_value::<Status>(value) else { continue };
            if !status.alive {
                continue;
            }
            alive += 1;
            let seals = lock.hosts.get(&host).is_some_and(|host| host.account.is_some());
            let seen = Seen {
                genesis: status.genesis.as_deref(),
                network_id: status.network_id.as_deref(),
                config: status.config.as_ref().and_then(Value::as_object),
                client: status.client.as_deref().filter(|_| self.versions.0),
                enode: status.enode.as_deref(),
                account: status.account.as_deref().filter(|_| seals),
                signers: &status.signers,
            };
            differences.extend(lock.node_differences(&host, &seen));
        }
        Ok((differences, alive))
    }
}

#[cfg(test)]
mod tests {
    use super::super::eth_network_lock::tests::text;
    use crate::base::Value;
    use crate::modules::eth_tests::{Host, outcome};
    use serde_json::json;

    fn run(args: Value) -> super::Result<Vec<String>> {
        let mut all = json!({"lock": text(|_| {}), "path": "net/network.lock"});
        all.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
        let output = outcome(&Host::new(), "eth_locked", &all, false)?.output;
        let claims = output["proofs"].as_array().unwrap().iter();
        Ok(claims.map(|proof| proof["claim"].as_str().unwrap().to_owned()).collect())
    }

    #[test]
    fn an_inventory_as_locked_passes_and_another_is_refused_with_every_difference() {
        assert_eq!(run(json!({"inventory": text(|_| {})})).unwrap(), ["the inventory is as locked"]);
        let other = text(|args| {
            args["client"]["version"] = "1.13.14".into();
            args["hosts"]["rpc1"]["address"] = "10.0.0.3".into();
        });
        let told = run(json!({"inventory": other})).unwrap_err();
        let lines: Vec<&str> = told.message.lines().collect();
        assert_eq!(lines[0], "the inventory differs from net/network.lock:");
        assert_eq!(lines[1], "- client version: the lock says 1.13.15, there is 1.13.14");
        assert!(lines[2].starts_with("- enode of rpc1: ") && lines.len() == 3, "{told}");
        assert!(told.help.unwrap().contains("`chainwright lock -i INVENTORY`"));
    }

    #[test]
    fn nodes_that_answer_are_held_against_it_and_an_upgrade_may_begin_with_another_version() {
        let node =
            json!({"alive": true, "client": "Geth/v1.13.14-stable/linux", "network_id": "46781", "item": "rpc1"});
        let dead = json!({"alive": false, "item": "sealer1"});
        assert!(run(json!({"nodes": [dead]})).unwrap().is_empty(), "nobody answered: nothing is proven");
        let nodes = json!([node, dead, {"item": "x", "unreachable": true}]);
        let told = run(json!({"nodes": nodes})).unwrap_err();
        assert!(told.message.ends_with("- client version of rpc1: the lock says 1.13.15, there is 1.13.14"), "{told}");
        assert_eq!(run(json!({"nodes": nodes, "versions": false})).unwrap(), ["the nodes are as locked"]);
    }

    #[test]
    fn another_genesis_and_a_broken_lock_are_refused() {
        let genesis = json!({"config": {"chainId": 5, "clique": {"period": 2, "epoch": 3}}, "gasLimit": "0x1", "difficulty": "0x1",
            "alloc": {}, "extraData": format!("0x{}", "00".repeat(32 + 20 + 65))});
        let told = run(json!({"genesis": genesis.to_string()})).unwrap_err();
        assert!(
            told.message.contains("- hash of block 0: ") && told.message.contains("- digest of the genesis"),
            "{told}"
        );
        let told = run(json!({"lock": "{\"version\": 3}"})).unwrap_err();
        assert!(told.message.starts_with("net/network.lock: line 1, column 13: this lock has version 3"), "{told}");
    }
}
