//! `eth_verify`: the proof that a network works, from what its nodes say.

use super::eth_preflight::{SET_CLOCKS, clock_difference, clocks_agree, wrong_clocks};
use super::eth_quorum::{height, recent_sealers, statuses};
use super::eth_status::Output as Status;
use super::loose::{Number, Words};
use super::{Cx, Module, Reach, Result, eth};
use crate::base::event::Proof;
use crate::base::{Failure, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// Compares what `eth_status` said of all nodes, twice, and fails with every check that does not hold: all answer, one
/// genesis, one hash at a common height, the head rises, every sealer has sealed recently, peers, clocks, the rpc nodes
/// serve, the stats server sees all.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthVerify {
    /// What `eth_status` says of every node: a table from host to status, or the results of a loop over hosts.
    pub nodes: Value,
    /// What it said some blocks earlier.
    #[serde(default)]
    pub before: Option<Value>,
    /// The hosts that must seal.
    #[serde(default)]
    pub sealers: Words,
    /// The hash that block 0 must have.
    #[serde(default)]
    pub genesis: Option<String>,
    /// How many peers every sealer must have; other nodes need one.
    #[serde(default)]
    pub min_peers: Option<Number>,
    /// What `eth_status` over HTTP said of the rpc nodes: a table, or results of a loop.
    #[serde(default)]
    pub rpc: Option<Value>,
    /// The answer of the stats server at `/api/nodes`.
    #[serde(default)]
    pub stats: Option<Value>,
    /// The names that the stats server must list. Default: the hosts of `nodes`.
    #[serde(default)]
    pub stats_names: Option<Words>,
    /// How far clocks may be apart, in seconds.
    #[serde(default = "clock_difference")]
    pub max_clock_difference: Number,
}

/// What `eth_verify` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// Evidence.
    proofs: Vec<Proof>,
    /// A line a node.
    table: Vec<Map>,
}

impl Module for EthVerify {
    const NAME: &'static str = "eth_verify";
    const EXAMPLE: &'static str = "\
- eth_verify:
    nodes: \"{{ now.results }}\"
    before: \"{{ earlier.results }}\"
    sealers: \"{{ groups.sealers }}\"
    min_peers: 2";
    const REACH: Reach = Reach::Controller;
    type Output = Output;

    fn run(&self, _: &mut Cx) -> Result<Output> {
        let nodes = statuses(&self.nodes)?;
        if nodes.is_empty() {
            return Err(
                Failure::new("there are no nodes to verify").help("`nodes` is empty: is the inventory's group?")
            );
        }
        let mut checks = Checks::default();
        let alive: Vec<&(String, Status)> = nodes.iter().filter(|(_, status)| status.alive).collect();
        checks.add("every node answers", missing(&nodes), || format!("{} of {}", alive.len(), nodes.len()));
        self.genesis(&alive, &mut checks);
        let common = Self::common(&alive, &mut checks);
        self.rising(&nodes, &mut checks)?;
        self.sealing(&alive, &mut checks);
        self.peers(&alive, &mut checks);
        self.clocks(&alive, &mut checks);
        self.rpc(common.as_ref(), &mut checks)?;
        self.stats(&nodes, &mut checks);
        let table = self.table(&nodes);
        if checks.failed.is_empty() {
            return Ok(Output { proofs: checks.proofs, table });
        }
        let failure = Failure::new(format!("the network is not as it should be:\n  {}", checks.failed.join("\n  ")));
        let failure = eth::with_proofs(failure, &checks.proofs);
        Err(failure.with("table", json!(table)).help(
            "look at the hosts named; a sealer whose configuration was changed takes it with playbooks/restart.yml",
        ))
    }
}

/// How many blocks must stand on one before all nodes are expected to have the same.
const SETTLED: u64 = 3;

#[derive(Default)]
struct Checks {
    proofs: Vec<Proof>,
    failed: Vec<String>,
}

impl Checks {
    /// A check holds if nothing speaks against it.
    fn add(&mut self, claim: &str, against: Vec<String>, evidence: impl FnOnce() -> String) {
        if against.is_empty() {
            self.proofs.push(Proof::new(claim, evidence()));
        } else {
            self.failed.push(format!("{claim}: {}", against.join("; ")));
        }
    }
}

fn missing(nodes: &[(String, Status)]) -> Vec<String> {
    let dead = nodes.iter().filter(|(_, status)| !status.alive);
    dead.map(|(host, status)| format!("{host} does not ({})", status.why.as_deref().unwrap_or("no answer"))).collect()
}

fn short(hash: &str) -> String {
    if hash.len() > 14 { format!("{}..{}", &hash[..8], &hash[hash.len() - 6..]) } else { hash.to_owned() }
}

impl EthVerify {
    fn genesis(&self, alive: &[&(String, Status)], checks: &mut Checks) {
        let first = self.genesis.clone().or_else(|| alive.first().and_then(|(_, status)| status.genesis.clone()));
        let Some(wanted) = first else { return };
        let other = alive.iter().filter(|(_, status)| status.genesis.as_deref() != Some(wanted.as_str()));
        let against = other.map(|(host, status)| {
            format!("{host} has {}, not {}", status.genesis.as_deref().unwrap_or("none"), wanted)
        });
        checks.add("one genesis", against.collect(), || wanted.clone());
    }

    /// A block that every node has had for a while.
    fn common(alive: &[&(String, Status)], checks: &mut Checks) -> Option<(u64, String)> {
        // The newest blocks may differ for a moment, where a signer out of turn was faster to some; nodes then follow the heavier.
        let lowest = alive.iter().map(|(_, status)| height(status)).min()?;
        let lowest = if lowest > SETTLED { lowest - SETTLED } else { lowest };
        let hash =
            |status: &Status| status.recent.iter().find(|block| block.number == lowest).map(|block| block.hash.clone());
        let mut by_hash: BTreeMap<Option<String>, Vec<&str>> = BTreeMap::new();
        for (host, status) in alive {
            by_hash.entry(hash(status)).or_default().push(host);
        }
        let mut against = Vec::new();
        if let Some(hosts) = by_hash.get(&None) {
            against.push(format!(
                "{} so far ahead of block {lowest} that it is not among the newest blocks",
                hosts.join(", ")
            ));
        } else if by_hash.len() > 1 {
            let sides = by_hash.iter().map(|(hash, hosts)| {
                format!("{} has {}", hosts.join(", "), hash.as_deref().map_or_else(String::new, short))
            });
            against.push(format!("block {lowest}: {}", sides.collect::<Vec<_>>().join("; ")));
        }
        let found = by_hash.into_keys().flatten().next();
        let text = found.clone().unwrap_or_default();
        checks.add("one chain", against, || format!("block {lowest} is {} on all {} nodes", short(&text), alive.len()));
        found.map(|hash| (lowest, hash))
    }

    fn rising(&self, nodes: &[(String, Status)], checks: &mut Checks) -> Result<()> {
        let Some(before) = &self.before else { return Ok(()) };
        let before: BTreeMap<String, u64> =
            statuses(before)?.into_iter().map(|(host, status)| (host, height(&status))).collect();
        let mut least: Option<(u64, u64)> = None;
        let mut against = Vec::new();
        for (host, status) in nodes.iter().filter(|(_, status)| status.alive) {
            let (Some(earlier), now) = (before.get(host).copied(), height(status)) else { continue };
            if now <= earlier {
                against.push(format!("{host} stays at block {now}"));
            }
            least = least
                .filter(|(from, to)| to - from <= now.saturating_sub(earlier))
                .or(Some((earlier, now.max(earlier))));
        }
        checks.add("the head rises", against, || {
            least.map_or_else(String::new, |(from, to)| format!("from block {from} to {to} where it rose least"))
        });
        Ok(())
    }

    fn sealing(&self, alive: &[&(String, Status)], checks: &mut Checks) {
        let Some((_, best)) = alive.iter().max_by_key(|(_, status)| height(status)) else { return };
        if self.sealers.0.is_empty() {
            return;
        }
        let signers = best.signers.len().max(self.sealers.0.len());
        let recent = recent_sealers(best, signers);
        let mut against = Vec::new();
        let mut seen = Vec::new();
        for host in &self.sealers.0 {
            let account = alive.iter().find(|(name, _)| name == host).and_then(|(_, status)| status.account.clone());
            let Some(account) = account else {
                against.push(format!("{host} names no account to seal with"));
                continue;
            };
            let last = best.recent.iter().find(|block| block.sealer.as_deref() == Some(account.as_str()));
            if !best.signers.contains(&account) {
                against.push(format!("{host} is no signer: {account} may not seal"));
            } else if recent.contains(account.as_str()) {
                seen.push(format!("{host} block {}", last.map_or(0, |block| block.number)));
            } else {
                against.push(format!("{host} ({account}) has sealed none of the last {} blocks", 3 * signers));
            }
        }
        checks.add("every sealer seals", against, || seen.join(", "));
    }

    fn peers(&self, alive: &[&(String, Status)], checks: &mut Checks) {
        let Some(wanted) = self.min_peers else { return };
        let wanted = u64::try_from(wanted.0).unwrap_or(0);
        let mut against = Vec::new();
        let mut seen = Vec::new();
        for (host, status) in alive {
            let least = if self.sealers.0.contains(host) { wanted } else { wanted.min(1) };
            if status.peers < least {
                against.push(format!("{host} has {} of {least}", status.peers));
            }
            seen.push(format!("{host} {}", status.peers));
        }
        checks.add("peers", against, || seen.join(", "));
    }

    fn clocks(&self, alive: &[&(String, Status)], checks: &mut Checks) {
        let readings: Vec<(&str, f64)> =
            alive.iter().filter_map(|(host, status)| Some((host.as_str(), status.clock_offset?))).collect();
        if readings.len() < 2 {
            return;
        }
        let mut against = wrong_clocks(&readings, self.max_clock_difference.0);
        if let Some(last) = against.pop() {
            against.push(format!("{last}: {SET_CLOCKS}"));
        }
        checks.add("clocks agree", against, || clocks_agree(&readings));
    }

    fn rpc(&self, common: Option<&(u64, String)>, checks: &mut Checks) -> Result<()> {
        let Some(rpc) = &self.rpc else { return Ok(()) };
        let nodes = statuses(rpc)?;
        let mut against = missing(&nodes);
        let mut seen = Vec::new();
        for (host, status) in nodes.iter().filter(|(_, status)| status.alive) {
            let block = common.and_then(|(number, _)| status.recent.iter().find(|block| block.number == *number));
            match (block, common) {
                (Some(block), Some((number, hash))) if block.hash != *hash => {
                    against.push(format!("{host} serves another block {number}: {}", short(&block.hash)));
                }
                _ => seen.push(format!("{host} answers over HTTP, block {}", height(status))),
            }
        }
        checks.add("the rpc node serves", against, || seen.join(", "));
        Ok(())
    }

    fn stats(&self, nodes: &[(String, Status)], checks: &mut Checks) {
        let Some(stats) = &self.stats else { return };
        let list =
            stats.as_array().or_else(|| stats.get("nodes").and_then(Value::as_array)).cloned().unwrap_or_default();
        let name = |node: &Value| {
            ["name", "id"].iter().find_map(|field| node.get(*field).and_then(Value::as_str).map(str::to_owned))
        };
        // A node that has gone stays listed; only those that are there count.
        let there = list.iter().filter(|node| node.get("online").and_then(Value::as_bool).unwrap_or(true));
        let listed: Vec<String> = there.filter_map(name).collect();
        let wanted = self
            .stats_names
            .as_ref()
            .map_or_else(|| nodes.iter().map(|(host, _)| host.clone()).collect(), |names| names.0.clone());
        let absent: Vec<String> = wanted.iter().filter(|name| !listed.contains(name)).cloned().collect();
        let against =
            if absent.is_empty() { Vec::new() } else { vec![format!("it does not see {}", absent.join(", "))] };
        checks.add("the stats server sees all nodes", against, || listed.join(", "));
    }

    fn table(&self, nodes: &[(String, Status)]) -> Vec<Map> {
        let best = nodes.iter().filter(|(_, status)| status.alive).max_by_key(|(_, status)| height(status));
        let row = |(host, status): &(String, Status)| {
            let last = status.account.as_ref().filter(|_| self.sealers.0.contains(host)).and_then(|account| {
                best?.1.recent.iter().find(|block| block.sealer.as_deref() == Some(account.as_str()))
            });
            let version = status
                .client
                .as_deref()
                .map(|client| client.split('/').find(|part| part.starts_with('v')).unwrap_or(client).to_owned());
            let entries = [
                ("node", Some(host.clone())),
                ("client", version.or_else(|| Some("does not answer".into()))),
                ("peers", status.alive.then(|| status.peers.to_string())),
                ("head", status.head.as_ref().map(|head| head.number.to_string())),
                ("hash", status.head.as_ref().map(|head| short(&head.hash))),
                ("last sealed", last.map(|block| format!("{} at {}", block.number, eth::clock(block.time)))),
            ];
            entries
                .map(|(name, value)| (name.to_owned(), value.unwrap_or_else(|| "-".into()).into()))
                .into_iter()
                .collect()
        };
        nodes.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::base::{Outcome, Value, failure::Result};
    use crate::modules::eth_tests::{Host, outcome};
    use serde_json::json;

    const ACCOUNTS: [&str; 3] = ["0xA", "0xB", "0xC"];

    fn node(account: usize, head: u64) -> Value {
        let block = |number: u64| {
            let sealer = ACCOUNTS[usize::try_from(number % 3).unwrap()];
            json!({"number": number, "hash": format!("0x{number}"), "time": number * 2, "sealer": sealer})
        };
        let recent: Vec<Value> = (1..=head).rev().take(16).map(block).collect();
        json!({"alive": true, "peers": 3, "genesis": "0x0", "head": recent[0], "recent": recent, "signers": ACCOUNTS,
            "account": ACCOUNTS[account], "clock_offset": 0.1, "client": "Geth/v1.13.15-stable/linux"})
    }

    fn run(change: impl FnOnce(&mut Value)) -> Result<Outcome> {
        let mut args = json!({
            "nodes": {"s1": node(0, 100), "s2": node(1, 101), "s3": node(2, 100)},
            "before": {"s1": node(0, 98), "s2": node(1, 98), "s3": node(2, 98)},
            "sealers": ["s1", "s2", "s3"], "min_peers": 2, "stats": [{"name": "s1"}, {"name": "s2"}, {"name": "s3"}],
        });
        change(&mut args);
        outcome(&Host::new(), "eth_verify", &args, false)
    }

    #[test]
    fn a_network_that_works_is_proven_with_a_table() {
        let done = run(|_| {}).unwrap();
        let claims: Vec<&str> =
            done.output["proofs"].as_array().unwrap().iter().filter_map(|proof| proof["claim"].as_str()).collect();
        assert!(
            claims.contains(&"one chain") && claims.contains(&"every sealer seals") && claims.contains(&"clocks agree")
        );
        assert_eq!(done.output["table"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn every_check_that_fails_is_named_with_its_host() {
        let failure = run(|args| {
            args["nodes"]["s3"]["alive"] = json!(false);
            args["nodes"]["s2"]["peers"] = json!(1);
            args["nodes"]["s1"]["clock_offset"] = json!(60.2);
            args["stats"] = json!([{"name": "s1"}]);
        });
        let message = failure.unwrap_err().message;
        for part in ["s3 does not", "s2 has 1 of 2", "s1 is 60 s ahead", "does not see s2, s3"] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }

    #[test]
    fn two_chains_are_told_apart() {
        let failure = run(|args| {
            args["nodes"]["s3"]["recent"][0]["hash"] = json!("0xmoment");
            args["nodes"]["s3"]["recent"][3]["hash"] = json!("0xother");
        });
        assert!(failure.unwrap_err().message.contains("block 97: s1, s2 has 0x97; s3 has 0xother"));
    }

    #[test]
    fn a_chain_that_stands_is_noticed() {
        let failure = run(|args| args["before"] = args["nodes"].clone());
        assert!(failure.unwrap_err().message.contains("s1 stays at block 100"));
    }
}
