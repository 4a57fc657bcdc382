//! `eth_quorum`: may this sealer be stopped?

use super::eth_status::Output as Status;
use super::loose::{Flag, Number, Text};
use super::{Cx, Module, Reach, Result, eth};
use crate::base::event::Proof;
use crate::base::{Failure, Value};
use crate::chain::clique;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Counts the live sealers, and refuses if stopping one would leave fewer than Clique needs: ⌊N/2⌋+1 of N signers.
///
/// A sealer is live if it answers, is level with the highest head, may seal, and (where the chain is long enough to
/// tell) has sealed one of the last 3·N blocks. One that does not answer is not live, whatever the reason.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthQuorum {
    /// What `eth_status` said of every sealer just now: a table from host to status, or the results of a loop over hosts.
    pub nodes: Value,
    /// The host whose node is to be stopped.
    pub stop: Text,
    /// Go on although the network will halt until the node is back.
    #[serde(default)]
    pub allow_halt: Flag,
    /// How many blocks a live sealer may be behind the highest head.
    #[serde(default = "lag")]
    pub max_lag: Number,
}

fn lag() -> Number {
    Number(5)
}

/// What `eth_quorum` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The hosts whose sealers are live.
    live: Vec<String>,
    /// Those that are not, and why.
    not_live: serde_json::Map<String, Value>,
    /// Live sealers beside the one to be stopped.
    others: usize,
    /// How many signers the network has.
    signers: usize,
    /// How many of them must be live.
    need: usize,
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for EthQuorum {
    const NAME: &'static str = "eth_quorum";
    const EXAMPLE: &'static str = "\
- eth_quorum:
    nodes: \"{{ statuses.results }}\"
    stop: \"{{ inventory_hostname }}\"
    allow_halt: \"{{ allow_halt | default(false) }}\"";
    const REACH: Reach = Reach::Controller;
    type Output = Output;

    fn run(&self, _: &mut Cx) -> Result<Output> {
        let nodes = statuses(&self.nodes)?;
        let stop = &self.stop.0;
        if !nodes.iter().any(|(host, _)| host == stop) {
            return Err(Failure::new(format!("`nodes` says nothing of {stop}, which is to be stopped")));
        }
        let best = nodes.iter().filter(|(_, status)| status.alive).max_by_key(|(_, status)| height(status));
        let signers: Vec<String> = best.map(|(_, status)| status.signers.clone()).unwrap_or_default();
        if best.is_some() && signers.is_empty() {
            return Err(Failure::new("no node says who the signers are")
                .help("`eth_status` must ask over IPC, as root or as the node's user"));
        }
        // Nobody answers: there is nothing to ask how many there are, nor anything left to halt.
        let total = if signers.is_empty() { nodes.len() } else { signers.len() };
        let need = clique::quorum(total);
        let mut live = Vec::new();
        let mut not_live = serde_json::Map::new();
        for (host, status) in &nodes {
            match reason_not_live(status, best.map(|(_, best)| best), total, u64::try_from(self.max_lag.0).unwrap_or(0))
            {
                None => live.push(host.clone()),
                Some(why) => {
                    not_live.insert(host.clone(), why.into());
                }
            }
        }
        // Signers that no host of the inventory has count if they seal.
        let ours: BTreeSet<&str> = nodes.iter().filter_map(|(_, status)| status.account.as_deref()).collect();
        let sealing = best.map(|(_, best)| recent_sealers(best, total)).unwrap_or_default();
        let strangers = signers
            .iter()
            .filter(|signer| !ours.contains(signer.as_str()) && sealing.contains(signer.as_str()))
            .count();
        let was_live = live.iter().any(|host| host == stop);
        let others = live.iter().filter(|host| *host != stop).count() + strangers;
        let reasons: Vec<String> =
            not_live.iter().map(|(host, why)| format!("; {host}: {}", why.as_str().unwrap_or(""))).collect();
        let seen = format!(
            "live {} of {total} signers{}{}",
            live.len() + strangers,
            if live.is_empty() { String::new() } else { format!(": {}", live.join(", ")) },
            reasons.join("")
        );
        if was_live && others < need && !self.allow_halt.0 {
            let failure = Failure::new(format!(
                "stopping {stop} would leave {others} live sealer{}, and {total} signers need {need}: the chain would halt ({seen})",
                if others == 1 { "" } else { "s" }
            ));
            let first = if not_live.is_empty() { "" } else { "bring the others back first; " };
            return Err(failure.help(format!(
                "{first}to accept that no blocks come until it is back, run again with -e allow_halt=true"
            )));
        }
        let evidence = format!("{seen}; without {stop} {others}, needed {need}");
        let claim = if others >= need { "enough sealers stay live" } else { "too few sealers stay live, as allowed" };
        Ok(Output { live, not_live, others, signers: total, need, proofs: vec![Proof::new(claim, evidence)] })
    }
}

/// Statuses by host. A host that could not be reached has a result without `alive`: it is not alive.
pub fn statuses(value: &Value) -> Result<Vec<(String, Status)>> {
    let entries = eth::by_host(value)?;
    let read = |(host, value): (String, Value)| {
        let why = eth::text(&value, "msg").map(str::to_owned);
        let mut status: Status = serde_json::from_value(value)
            .map_err(|error| Failure::new(format!("the entry of {host} is not a result of eth_status: {error}")))?;
        if !status.alive && status.why.is_none() {
            status.why = Some(why.unwrap_or_else(|| "the host did not answer".into()));
        }
        Ok((host, status))
    };
    entries.into_iter().map(read).collect()
}

/// The number of the newest block.
pub fn height(status: &Status) -> u64 {
    status.head.as_ref().map_or(0, |head| head.number)
}

/// Who sealed one of the last 3·N blocks.
pub fn recent_sealers(status: &Status, signers: usize) -> BTreeSet<&str> {
    status.recent.iter().take(3 * signers).filter_map(|block| block.sealer.as_deref()).collect()
}

/// Why a sealer does not count; None: it does.
fn reason_not_live(status: &Status, best: Option<&Status>, signers: usize, lag: u64) -> Option<String> {
    let best = best?;
    if !status.alive {
        return Some(status.why.clone().unwrap_or_else(|| "it does not answer".into()));
    }
    if status.syncing {
        return Some("it is still catching up".into());
    }
    let (own, highest) = (height(status), height(best));
    if own + lag < highest {
        return Some(format!("its head is {own}, the highest {highest}"));
    }
    // The newest blocks may be on a side for a moment; the oldest that both know must be the same.
    let oldest = status.recent.iter().rev().find_map(|block| {
        best.recent
            .iter()
            .find(|other| other.number == block.number)
            .map(|other| (block.number, other.hash != block.hash))
    });
    if let Some((number, true)) = oldest {
        return Some(format!("it is on another chain: its block {number} differs"));
    }
    let Some(account) = &status.account else { return Some("it has no account to seal with".into()) };
    if !best.signers.contains(account) {
        return Some(format!("its account {account} is not among the signers"));
    }
    let sealers = recent_sealers(best, signers);
    if best.recent.len() >= 3 * signers && highest >= 3 * signers as u64 && !sealers.contains(account.as_str()) {
        return Some(format!("it has sealed none of the last {} blocks", 3 * signers));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::eth_tests::{Host, outcome};
    use serde_json::json;

    const ACCOUNTS: [&str; 3] = ["0xA", "0xB", "0xC"];

    /// Block `number`, sealed in turn by those of `sealing`.
    fn recent(head: u64, sealing: &[&str]) -> Vec<Value> {
        let block = |number: u64| {
            let sealer = sealing[usize::try_from(number).unwrap() % sealing.len()];
            json!({"number": number, "hash": format!("{number:#x}"), "time": number * 2, "sealer": sealer})
        };
        (1..=head).rev().take(16).map(block).collect()
    }

    fn node(account: usize, head: u64, sealing: &[&str]) -> Value {
        let recent = recent(head, sealing);
        json!({"alive": true, "syncing": false, "peers": 2, "head": recent[0], "recent": recent, "signers": ACCOUNTS,
            "account": ACCOUNTS[account]})
    }

    fn run(nodes: &Value, stop: &str, allow: bool) -> Result<crate::base::Outcome> {
        outcome(&Host::new(), "eth_quorum", &json!({"nodes": nodes, "stop": stop, "allow_halt": allow}), false)
    }

    #[test]
    fn one_of_three_may_be_stopped() {
        let nodes = json!({"s1": node(0, 100, &ACCOUNTS), "s2": node(1, 99, &ACCOUNTS), "s3": node(2, 100, &ACCOUNTS)});
        let done = run(&nodes, "s2", false).unwrap();
        assert_eq!(done.output["others"], 2);
        assert_eq!(done.output["need"], 2);
    }

    #[test]
    fn with_one_down_no_other_may_be_stopped_unless_it_is_said() {
        let two = ["0xA", "0xB"];
        let nodes =
            json!({"s1": node(0, 100, &two), "s2": node(1, 100, &two), "s3": {"alive": false, "why": "no socket"}});
        let failure = run(&nodes, "s2", false).unwrap_err();
        assert!(failure.message.contains("would leave 1 live sealer, and 3 signers need 2"), "{failure}");
        assert!(failure.message.contains("s3: no socket") && failure.help.unwrap().contains("allow_halt=true"));
        assert!(run(&nodes, "s2", true).is_ok());
        // The one that is down can be taken: that takes nothing away.
        assert!(run(&nodes, "s3", false).is_ok());
    }

    #[test]
    fn a_node_that_answers_but_does_not_seal_is_not_live() {
        let two = ["0xA", "0xB"];
        let nodes = json!({"s1": node(0, 100, &two), "s2": node(1, 100, &two), "s3": node(2, 100, &two)});
        let failure = run(&nodes, "s1", false).unwrap_err();
        assert!(failure.message.contains("s3: it has sealed none of the last 9 blocks"), "{failure}");
    }

    #[test]
    fn a_node_behind_is_not_live_and_an_unreachable_host_neither() {
        let nodes = json!([
            {"item": "s1", "unreachable": true, "msg": "no route to host"},
            node(1, 100, &ACCOUNTS).as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.clone())).chain([("item".to_owned(), json!("s2"))]).collect::<serde_json::Map<_, _>>(),
            node(2, 80, &ACCOUNTS).as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.clone())).chain([("item".to_owned(), json!("s3"))]).collect::<serde_json::Map<_, _>>(),
        ]);
        let failure = run(&nodes, "s2", false).unwrap_err();
        assert!(
            failure.message.contains("s1: no route to host") && failure.message.contains("its head is 80"),
            "{failure}"
        );
    }

    #[test]
    fn when_nobody_lives_anybody_may_be_started_again() {
        let nodes = json!({"s1": {"alive": false}, "s2": {"alive": false}, "s3": {"alive": false}});
        assert!(run(&nodes, "s2", false).is_ok());
    }
}
