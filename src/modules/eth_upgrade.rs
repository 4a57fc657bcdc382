//! `eth_upgrade`: may a live network go to another version of its client, one node at a time?

use super::eth_status::Output as Status;
use super::loose::Text;
use super::{Cx, Module, Reach, Result, eth};
use crate::base::event::Proof;
use crate::base::{Failure, Map, Source, Value};
use crate::chain::client::{self, Client, Topic, Version, upgrade};
use crate::chain::genesis::fork_id::{ForkId, fork_ids};
use crate::chain::genesis::forks::Target;
use crate::chain::genesis::{self, BlockZero};
use crate::chain::quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Looks at what every node of a network says of itself, and refuses a step to another version that would split or halt
/// it: nodes of the two versions would not be peers, the version does not seal with the engine, it computes another block 0 from
/// genesis.json, or it knows other forks than the running nodes.
///
/// Each failure says what to do instead: which versions to go through, or what genesis.json must say.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthUpgrade {
    /// What `eth_status` said of every node just now: a table from host to status, or the results of a loop over hosts.
    pub nodes: Value,
    /// The client.
    #[serde(default = "geth")]
    pub name: Text,
    /// The version to go to, `1.13.15`.
    pub to: Text,
    /// The text of the network's genesis.json, from which new nodes will be made.
    pub genesis: String,
}

fn geth() -> Text {
    Text("geth".into())
}

/// What `eth_upgrade` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// Hosts that do not run that version yet.
    pending: Vec<String>,
    /// What every host runs.
    versions: BTreeMap<String, String>,
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for EthUpgrade {
    const NAME: &'static str = "eth_upgrade";
    const EXAMPLE: &'static str = "\
- eth_upgrade:
    nodes: \"{{ statuses.results }}\"
    to: 1.13.15
    genesis: \"{{ genesis_file.content | b64decode }}\"";
    const REACH: Reach = Reach::Controller;
    type Output = Output;

    fn run(&self, _: &mut Cx) -> Result<Output> {
        let client = client::find(&self.name.0)?;
        let to: Version = self.to.0.parse()?;
        let nodes = nodes(&self.nodes)?;
        let mut versions = BTreeMap::new();
        let mut proofs = Vec::new();
        for (host, status) in &nodes {
            versions.insert(host.clone(), running(host, status)?);
        }
        let mut distinct: Vec<Version> = versions.values().copied().filter(|version| *version != to).collect();
        distinct.sort_unstable();
        distinct.dedup();
        for from in &distinct {
            let shared = upgrade::check_step(client, *from, to)?;
            let claim = format!("nodes of {from} and of {to} are peers");
            proofs.push(Proof::new(claim, format!("both speak {}", shared.join(", "))));
        }
        if let Some((_, status)) = nodes.first() {
            proofs.push(same_block_0(to, &nodes, &self.genesis)?);
            for from in &distinct {
                proofs.push(same_fork_id(*from, to, &self.genesis)?);
            }
            proofs.push(same_forks(client, to, status, &nodes, &self.genesis)?);
        }
        let pending = versions.iter().filter(|(_, version)| **version != to).map(|(host, _)| host.clone()).collect();
        let versions = versions.into_iter().map(|(host, version)| (host, version.to_string())).collect();
        Ok(Output { pending, versions, proofs })
    }
}

fn nodes(value: &Value) -> Result<Vec<(String, Status)>> {
    let read = |(host, value): (String, Value)| {
        let status: Status = serde_json::from_value(value)
            .map_err(|error| Failure::new(format!("the status of {host} is not one of `eth_status`: {error}")))?;
        Ok((host, status))
    };
    eth::by_host(value)?.into_iter().map(read).collect()
}

fn running(host: &str, status: &Status) -> Result<Version> {
    match &status.client {
        Some(client) if status.alive => client.parse().map_err(|failure: Failure| failure.context(host)),
        _ => Err(Failure::new(format!(
            "{host} does not answer ({}); an upgrade begins with all nodes up",
            status.why.as_deref().unwrap_or("no reason known")
        ))
        .help("run playbooks/site.yml or restart.yml first, with the version that runs")),
    }
}

fn is_fork(client: &Client, name: &str) -> bool {
    client.all().any(|row| row.topic == Topic::Fork && row.name == name)
}

/// Block 0 and the fork ids that a version makes of the file.
fn read(text: &str, version: Version) -> Result<(String, Vec<ForkId>)> {
    let source = Source::new("genesis.json", text);
    let file = genesis::read::read(&source, None);
    let file =
        file.map_err(|mistakes| Failure::new(mistakes.first().map_or("genesis.json cannot be read", |m| &m.message)))?;
    let target = Target::Geth(version);
    let hash = BlockZero::new(&file.genesis)?.header(target).hash();
    Ok((hash.to_string(), fork_ids(&file.genesis, hash, target)))
}

fn same_block_0(to: Version, nodes: &[(String, Status)], genesis: &str) -> Result<Proof> {
    let (hash, _) = read(genesis, to)?;
    for (host, status) in nodes {
        let runs = status.genesis.as_deref().unwrap_or("unknown");
        if runs != hash {
            return Err(Failure::new(format!(
                "block 0 of {host} is {runs}, but geth {to} makes {hash} from genesis.json: new nodes would be in another network"
            ))
            .help(
                "genesis.json must leave out what the version that made the network did not know: `londonBlock: null` for geth \
                 before 1.10.4",
            ));
        }
    }
    Ok(Proof::new("the same block 0", format!("geth {to} makes {hash} from genesis.json, every node has it")))
}

/// Nodes refuse peers that have another fork id.
fn same_fork_id(from: Version, to: Version, genesis: &str) -> Result<Proof> {
    let ((_, before), (_, after)) = (read(genesis, from)?, read(genesis, to)?);
    let shown = |ids: &[ForkId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if before == after {
        return Ok(Proof::new("the same fork id", format!("{} for {from} and for {to}", shown(&before))));
    }
    Err(Failure::new(format!(
        "the fork id of geth {from} is {}, that of geth {to} is {}: nodes of the two would refuse each other",
        shown(&before),
        shown(&after)
    ))
    .help("genesis.json has a fork that one of them does not know: let all nodes know it before it comes, or leave it out"))
}

/// The forks of a configuration that a version knows, by name.
fn forks(client: &Client, version: Version, config: &Map) -> BTreeMap<String, u64> {
    let known = config.iter().filter(|(name, _)| client.row(version, Topic::Fork, name).is_some());
    known.filter_map(|(name, at)| Some((name.clone(), quantity::small(at).ok()?))).collect()
}

fn same_forks(
    client: &Client,
    to: Version,
    first: &Status,
    nodes: &[(String, Status)],
    genesis: &str,
) -> Result<Proof> {
    let config = |status: &Status| status.config.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    let file = forks(client, to, &genesis::config(genesis)?);
    let all = |config: &Map| -> BTreeMap<String, u64> {
        let forks = config.iter().filter(|(name, _)| is_fork(client, name));
        forks.filter_map(|(name, at)| Some((name.clone(), quantity::small(at).ok()?))).collect()
    };
    for (host, status) in nodes {
        let runs = all(&config(status));
        if let Some(name) = runs.keys().find(|name| client.row(to, Topic::Fork, name).is_none()) {
            return Err(Failure::new(format!(
                "{host} runs with `{name}`, which {} {to} does not know: its fork id would be another, and its chain with it",
                client.name
            ))
            .help("take a version that knows every fork of the network"));
        }
        let differs = file.iter().find(|(name, at)| runs.get(*name) != Some(*at)).map(|(name, _)| name);
        if let Some(name) = differs.or_else(|| runs.keys().find(|name| !file.contains_key(*name))) {
            let shown =
                |forks: &BTreeMap<String, u64>| forks.get(name).map_or("not at all".into(), |at| format!("at {at}"));
            return Err(Failure::new(format!(
                "`{name}` comes {} in genesis.json and {} on {host}: nodes that {} {to} makes from the file would leave the chain there",
                shown(&file),
                shown(&runs),
                client.name
            ))
            .help(format!("let the file say what the network does, with `network.forks: {{{name}: ...}}`, or `null` for never")));
        }
    }
    let runs = forks(client, to, &config(first));
    let later: Vec<String> =
        runs.iter().filter(|(_, at)| **at > 0).map(|(name, at)| format!("{name} at {at}")).collect();
    let later = if later.is_empty() { "none later".to_owned() } else { later.join(", ") };
    let begin = runs.values().filter(|at| **at == 0).count();
    Ok(Proof::new("the same forks before and after", format!("{begin} from block 0 on, {later}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::eth_tests::{Host, outcome};
    use serde_json::json;

    fn genesis(forks: &Value) -> String {
        let mut genesis = json!({"config": {"chainId": 7, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
                "byzantiumBlock": 0, "clique": {"period": 1, "epoch": 30000}},
            "difficulty": "0x1", "gasLimit": "0x47b760", "alloc": {}, "extraData": format!("0x{}", "00".repeat(117))});
        let config = genesis["config"].as_object_mut().unwrap();
        config.extend(forks.as_object().unwrap().clone());
        genesis.to_string()
    }

    fn run(from: &str, to: &str, file: &Value, running: &Value) -> Result<crate::base::Outcome> {
        let version: Version = from.parse().unwrap();
        let (hash, _) = read(&genesis(running), version).unwrap();
        let mut config = genesis::config(&genesis(running)).unwrap();
        config.retain(|name, _| {
            !is_fork(Client::geth(), name) || Client::geth().row(version, Topic::Fork, name).is_some()
        });
        let status = json!({"alive": true, "client": format!("Geth/v{from}-stable/linux-amd64/go1.26"),
            "genesis": hash, "config": config});
        let args = json!({"nodes": {"s1": status, "s2": status}, "to": to, "genesis": genesis(file)});
        outcome(&Host::new(), "eth_upgrade", &args, false)
    }

    #[test]
    fn a_step_that_keeps_peers_genesis_and_forks_is_proven() {
        let done = run("1.9.25", "1.10.8", &json!({}), &json!({})).unwrap().output;
        assert_eq!(done["pending"], json!(["s1", "s2"]));
        assert_eq!(done["proofs"][0]["evidence"], "both speak eth/65");
        let done = run("1.10.8", "1.10.8", &json!({}), &json!({})).unwrap().output;
        assert_eq!(done["pending"], json!([]));
    }

    #[test]
    fn a_step_between_versions_that_are_no_peers_is_refused() {
        let failure = run("1.10.26", "1.13.15", &json!({}), &json!({})).unwrap_err();
        assert!(failure.message.contains("speaks eth/66, eth/67, geth 1.13.15 speaks eth/68"), "{failure}");
        assert!(failure.help.unwrap().starts_with("go through 1.13.2, 1.13.15"));
    }

    #[test]
    fn a_file_with_a_fork_that_the_old_version_passed_over_is_refused() {
        let london = json!({"berlinBlock": 0, "londonBlock": 0});
        let failure = run("1.9.25", "1.10.8", &london, &london).unwrap_err();
        assert!(failure.message.contains("geth 1.10.8 makes"), "{failure}");
        let later = json!({"berlinBlock": 500});
        let failure = run("1.9.25", "1.10.8", &later, &later).unwrap_err();
        assert!(
            failure.message.contains("fork id")
                || failure.message.starts_with("`berlinBlock` comes at 500 in genesis.json and not at all on s1"),
            "{failure}"
        );
    }

    #[test]
    fn a_way_back_beyond_a_fork_is_refused() {
        let forks = json!({"berlinBlock": 5, "londonBlock": 5});
        let failure = run("1.10.3", "1.9.25", &forks, &json!({"berlinBlock": 5})).unwrap_err();
        assert!(failure.message.starts_with("the fork id of geth 1.10.3 is 0x"), "{failure}");
    }

    #[test]
    fn a_node_that_is_down_is_named() {
        let args = json!({"nodes": {"s1": {"alive": false, "why": "no socket"}}, "to": "1.10.8", "genesis": genesis(&json!({}))});
        let failure = outcome(&Host::new(), "eth_upgrade", &args, false).unwrap_err();
        assert!(failure.message.starts_with("s1 does not answer (no socket)"), "{failure}");
    }
}
