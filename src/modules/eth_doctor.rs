//! `eth_doctor`: what ails a network, by cause, from what `eth_observe` saw on its hosts.

use super::loose::{Flag, Text, Words};
use super::{Cx, Module, Reach, Result, eth};
use crate::base::event::Proof;
use crate::base::{Failure, Map, Value};
use crate::chain::client::Version;
use crate::chain::doctor::{self, Case, Finding, Host, Observation, Severity, Wanted};
use crate::chain::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt::Write as _;

/// Names what is wrong with a network, causes before consequences, each with what was seen and what to do. Fails if anything
/// found is an error; warnings are returned.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthDoctor {
    /// What `eth_observe` said of every node: a table from host to its result, or the results of a loop over hosts. A host
    /// that could not be reached has a result too.
    pub nodes: Value,
    /// The hosts that must seal.
    #[serde(default)]
    pub sealers: Words,
    /// The hosts by which others find the network.
    #[serde(default)]
    pub bootnodes: Words,
    /// Where other nodes reach each host: a table from host to address.
    #[serde(default)]
    pub addresses: Option<Map>,
    /// The network id that all must have. Without it: what most say; so with the rest.
    #[serde(default)]
    pub network_id: Option<Text>,
    /// The hash that block 0 must have.
    #[serde(default)]
    pub genesis: Option<String>,
    /// The client's version.
    #[serde(default)]
    pub version: Option<Text>,
    /// SHA-256 of the client's program.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The network's lock, as text or table: then it says what is right, and what differs from it is an error.
    #[serde(default)]
    pub lock: Option<Value>,
    /// Return findings, and never fail.
    #[serde(default)]
    pub ignore: Flag,
    /// Do not fail for what may pass by itself: a node that was just started, or is behind; a sealer that has sealed nothing lately.
    #[serde(default)]
    pub patient: Flag,
}

/// What `eth_doctor` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// What the network was held against.
    compared_with: String,
    /// Whether no finding is an error.
    healthy: bool,
    /// What is wrong: `id`, `severity`, `hosts`, `what`, `evidence`, `remedy`.
    findings: Vec<Finding>,
    /// Hosts that could not be reached.
    unreachable: Vec<String>,
    /// A line a host.
    table: Vec<Map>,
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for EthDoctor {
    const NAME: &'static str = "eth_doctor";
    const EXAMPLE: &'static str = "\
- eth_doctor:
    nodes: \"{{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars, 'observed'))) }}\"
    sealers: \"{{ groups.sealers }}\"
  run_once: true";
    const REACH: Reach = Reach::Controller;
    type Output = Output;

    fn run(&self, _: &mut Cx) -> Result<Output> {
        let case = self.case()?;
        let compared_with = compared_with(&case.wanted);
        let findings = doctor::diagnose(&case);
        let healthy = findings.iter().all(|finding| finding.severity != Severity::Error);
        let unreachable = case.hosts.iter().filter(|host| host.seen.is_err()).map(|host| host.name.clone()).collect();
        let table = case.hosts.iter().map(row).collect();
        let proofs = if healthy { vec![Proof::new("nothing ails the network", summary(&case))] } else { Vec::new() };
        let output = Output { compared_with, healthy, findings, unreachable, table, proofs };
        let grave = |finding: &Finding| finding.severity == Severity::Error && !(self.patient.0 && finding.may_pass());
        if self.ignore.0 || !output.findings.iter().any(grave) {
            return Ok(output);
        }
        let failure = Failure::new(format!("the network is not as it should be:\n{}", lines(&output.findings)));
        let failure = failure.with("findings", json!(output.findings)).with("unreachable", json!(output.unreachable));
        Err(failure.with("table", json!(output.table)))
    }
}

impl EthDoctor {
    fn case(&self) -> Result<Case> {
        let hosts = eth::by_host(&self.nodes)?.into_iter().map(|(name, value)| {
            let seen = match value.get("observation") {
                Some(observation) => {
                    Ok(serde_json::from_value::<Observation>(observation.clone()).map_err(|error| {
                        Failure::new(format!("the entry of {name} is not a result of eth_observe: {error}"))
                    })?)
                }
                None => Err(eth::text(&value, "msg").unwrap_or("nothing was seen of it").trim().to_owned()),
            };
            let address = self.addresses.as_ref().and_then(|table| table.get(&name)?.as_str().map(str::to_owned));
            let (sealer, bootnode) = (self.sealers.0.contains(&name), self.bootnodes.0.contains(&name));
            Ok(Host { name, sealer, bootnode, address, seen })
        });
        let hosts = hosts.collect::<Result<Vec<Host>>>()?;
        if hosts.is_empty() {
            return Err(
                Failure::new("there are no nodes to look at").help("`nodes` is empty: is the inventory's group?")
            );
        }
        let text = |text: &Option<Text>| text.as_ref().map(|text| text.0.clone()).filter(|text| !text.is_empty());
        if let Some(lock) = self.lock.as_ref().filter(|lock| !eth::unknown(lock)) {
            let text = lock.as_str().map_or_else(|| lock.to_string(), str::to_owned);
            return Ok(Case { hosts, wanted: Wanted::of(Lock::parse("the lock", &text)?) });
        }
        let wanted = Wanted {
            lock: None,
            source: "the inventory".into(),
            binding: false,
            genesis: self.genesis.clone().filter(|text| !text.is_empty()),
            network_id: text(&self.network_id),
            // As nodes say it: `v1.13.15` is 1.13.15.
            version: text(&self.version)
                .map(|text| text.parse::<Version>().map_or_else(|_| text.clone(), |version| version.to_string())),
            sha256: self.sha256.clone().filter(|text| !text.is_empty()),
        };
        Ok(Case { hosts, wanted })
    }
}

/// Who says what is right.
fn compared_with(wanted: &Wanted) -> String {
    match &wanted.lock {
        Some(lock) => format!("the lock of {} ({}..)", lock.network, &lock.digest()[..12]),
        None if wanted.network_id.is_some() || wanted.version.is_some() || wanted.sha256.is_some() => {
            "the inventory and what most nodes say; there is no lock".into()
        }
        None => "what most nodes say; there is no lock".into(),
    }
}

/// The findings as a failure's text.
fn lines(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let word = if finding.severity == Severity::Error { "error" } else { "warning" };
        let _ = writeln!(text, "  {word}: {}: {}", finding.id, finding.what);
        for seen in &finding.evidence {
            let _ = writeln!(text, "    seen: {seen}");
        }
        let _ = writeln!(text, "    do: {}", finding.remedy);
    }
    text.truncate(text.trim_end().len());
    text
}

fn summary(case: &Case) -> String {
    let best =
        case.hosts.iter().filter_map(|host| host.seen.as_ref().ok()?.node.as_ref()).max_by_key(|node| node.height());
    let (height, signers) = best.map_or((0, 0), |node| (node.height(), node.signers.len()));
    format!("{} nodes, {signers} signers, block {height}", case.hosts.len())
}

/// What people see of a host.
fn row(host: &Host) -> Map {
    let seen = host.seen.as_ref().ok();
    let node = seen.and_then(|seen| seen.node.as_ref());
    let state = match (seen, node) {
        (None, _) => "unreachable",
        (Some(_), Some(_)) => "runs",
        (Some(seen), None) if seen.unit.runs => "silent",
        (Some(seen), None) if !seen.unit.exists => "no unit",
        (Some(seen), None) if seen.unit.active == "failed" => "failed",
        (Some(_), None) => "stopped",
    };
    let role = match (host.sealer, host.bootnode) {
        (true, _) => "sealer",
        (_, true) => "bootnode",
        _ => "node",
    };
    let mebibytes = |bytes: u64| format!("{} MiB", bytes >> 20);
    let entries = [
        ("host", Some(host.name.clone())),
        ("role", Some(role.to_owned())),
        ("node", Some(state.to_owned())),
        ("version", node.and_then(|node| node.version.clone())),
        ("peers", node.map(|node| node.peers.len().to_string())),
        ("head", node.map(|node| node.height().to_string())),
        ("hash", node.and_then(|node| node.head().map(|head| head.hash.chars().take(10).collect()))),
        ("clock", seen.and_then(Observation::clock).map(|offset| format!("{offset:+.1} s"))),
        ("disk free", seen.and_then(|seen| seen.disk.as_ref()).map(|disk| mebibytes(disk.free))),
    ];
    entries.map(|(name, value)| (name.to_owned(), value.unwrap_or_else(|| "-".into()).into())).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use crate::base::{Outcome, Value, failure::Result};
    use crate::modules::eth_tests::{Host, outcome};
    use serde_json::json;

    fn run(args: &Value) -> Result<Outcome> {
        outcome(&Host::new(), "eth_doctor", args, false)
    }

    fn stopped() -> Value {
        let unit = json!({"name": "geth.service", "exists": true, "active": "inactive", "result": "success"});
        json!({"observation": {"unit": unit, "silent": "there is no socket"}})
    }

    #[test]
    fn what_is_wrong_is_a_failure_that_names_cause_and_remedy_and_data_that_can_be_registered() {
        let args = json!({"nodes": {"s1": stopped(), "s2": {"unreachable": true, "msg": "no route to host\n"}}, "sealers": ["s1", "s2"]});
        let failure = run(&args).unwrap_err();
        for text in [
            "error: host-unreachable: s2 cannot",
            "seen: no route to host\n",
            "error: sealer-stopped: the sealer of s1",
            "do: `systemctl start",
        ] {
            assert!(failure.message.contains(text), "{text}: {failure}");
        }
        assert_eq!(failure.output["unreachable"], json!(["s2"]));
        assert_eq!(failure.output["findings"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn it_only_tells_where_that_is_asked_for() {
        let done =
            run(&json!({"nodes": [{"item": "s1", "observation": stopped()["observation"]}], "ignore": true})).unwrap();
        assert_eq!((&done.output["healthy"], &done.output["table"][0]["node"]), (&json!(false), &json!("stopped")));
        assert_eq!(done.output["findings"][0]["id"], "node-stopped");
    }

    #[test]
    fn no_nodes_no_observations_and_no_lock_are_told_in_a_sentence() {
        let refused = |args: Value| run(&args).unwrap_err().message;
        assert_eq!(refused(json!({"nodes": {}})), "there are no nodes to look at");
        assert!(
            refused(json!({"nodes": {"a": {"observation": 1}}}))
                .contains("the entry of a is not a result of eth_observe")
        );
        assert!(refused(json!({"nodes": "a"})).contains("neither a table from host to value nor a list"));
        let lock = refused(json!({"nodes": {"a": stopped()}, "lock": "{\"version\": 1,\n}"}));
        assert!(lock.contains("the lock: line 1, column"), "{lock}");
    }
}
