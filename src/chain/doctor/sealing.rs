//! Sealers that cannot seal, nodes that are behind, and a chain that stands.

use super::peers::just_started;
use super::{Block, Case, Findings, Host, Node, Severity, and, finding, moment};
use crate::chain::clique;
use std::collections::{BTreeMap, BTreeSet};

/// The node that is furthest, of those that are in the network.
fn best<'a>(case: &'a Case, findings: &Findings) -> Option<(&'a Host, &'a Node)> {
    let all = || case.answering().filter(|(_, node)| !node.recent.is_empty());
    let sound = all().filter(|(host, _)| !findings.explains(&host.name)).max_by_key(|(_, node)| node.height());
    sound.or_else(|| all().filter(|(host, _)| in_network(findings, host)).max_by_key(|(_, node)| node.height()))
}

/// Whether a host that is out still tells of this network's chain.
fn in_network(findings: &Findings, host: &Host) -> bool {
    let elsewhere = |why: &String| why.contains("block 0") || why.contains("network id") || why.contains("clock");
    !findings.out.get(&host.name).is_some_and(elsewhere)
}

/// Who sealed one of the last 3·N blocks.
fn sealed_lately(node: &Node) -> BTreeSet<&str> {
    let count = 3 * node.signers.len().max(1);
    node.recent.iter().take(count).filter_map(|block| block.sealer.as_deref()).collect()
}

/// Seconds since its head's time, by its host's clock.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
fn age(host: &Host, head: &Block) -> f64 {
    host.observation().map_or(0.0, |seen| seen.time - head.time as f64)
}

/// Seconds without a block after which a chain stands. None: blocks come only with transactions.
#[expect(clippy::cast_precision_loss, reason = "a few seconds")]
fn patience(node: &Node) -> Option<f64> {
    match node.period() {
        Some(0) => None,
        Some(period) => Some((5 * period).max(15) as f64),
        None => Some(60.0),
    }
}

/// Sealers that run and cannot seal, for a reason of their own.
pub(super) fn cannot_seal(case: &Case, findings: &mut Findings) {
    let signers: Vec<String> = best(case, findings).map(|(_, node)| node.signers.clone()).unwrap_or_default();
    for (host, node) in case.answering().filter(|(host, _)| host.sealer) {
        let Some(seen) = host.observation() else { continue };
        let name = host.name.as_str();
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
        let since_start = |block: &&Block| seen.unit.started.is_none_or(|started| block.time as f64 >= started);
        let sealed =
            node.recent.iter().filter(since_start).any(|block| block.sealer.is_some() && block.sealer == node.account);
        let Some(account) = node.account.as_deref() else {
            let what = format!("the sealer {name} has no account to seal with");
            let remedy = "playbooks/site.yml gives it one, or set `geth_account_src`";
            findings.add(finding("sealer-without-account", Severity::Error, &[name], what, remedy));
            findings.is_out(name, "it has no account");
            continue;
        };
        let unlocked = seen.unlocked.iter().any(|known| known == account);
        if !unlocked && (seen.log.locked.is_some() || !sealed) {
            let what = format!("the sealer {name} has not unlocked its account, and cannot seal");
            let remedy = format!(
                "start it with --unlock {account} and --password FILE: playbooks/site.yml writes its unit, then playbooks/restart.yml"
            );
            let evidence = std::iter::once(format!("{account} is locked")).chain(seen.log.locked.clone());
            findings.add(finding("sealer-locked", Severity::Error, &[name], what, remedy).seen(evidence));
            findings.is_out(name, "its account is locked");
        } else if !signers.is_empty() && in_network(findings, host) && !signers.iter().any(|signer| signer == account) {
            let what = format!("the sealer {name} seals with {account}, which is no signer");
            let remedy = format!(
                "give it the account that it is to have, or let the signers vote: clique_propose(\"{account}\", true) on more than half of them"
            );
            findings.add(
                finding("sealer-no-signer", Severity::Error, &[name], what, remedy)
                    .seen([format!("signers are {}", signers.join(", "))]),
            );
            findings.is_out(name, "its account is no signer");
        } else if !node.mining && just_started(host) {
            findings.is_out(name, "it was started a moment ago and does not seal yet");
        } else if !node.mining {
            let what = format!("the sealer {name} does not try to seal");
            findings.add(finding(
                "sealer-idle",
                Severity::Error,
                &[name],
                what,
                "start it with --mine: playbooks/site.yml, then playbooks/restart.yml",
            ));
            findings.is_out(name, "it does not try to seal");
        }
    }
}

/// Nodes that are behind the others.
pub(super) fn behind(case: &Case, findings: &mut Findings) {
    let Some((_, best)) = best(case, findings) else { return };
    let lag = best.period().map_or(10, |period| (30 / period.max(1)).max(5));
    for (host, node) in case.answering() {
        if findings.explains(&host.name) || node.height() + lag >= best.height() {
            continue;
        }
        let name = host.name.as_str();
        let doing = if node.syncing { "is catching up" } else { "is behind and does not catch up" };
        let what = format!("{name} {doing}: block {} of {}", node.height(), best.height());
        let remedy = "if it does not come nearer: look at its journal for blocks that it refuses, and at its peers";
        let severity = if node.syncing || just_started(host) { Severity::Warning } else { Severity::Error };
        findings.add(finding("behind", severity, &[name], what, remedy).seen([format!("{} peers", node.peers.len())]));
        findings.is_out(name, "it is behind");
    }
}

/// Nodes of one network that have different blocks at one height.
pub(super) fn two_chains(case: &Case, findings: &mut Findings) {
    let nodes: Vec<(&Host, &Node)> =
        case.answering().filter(|(host, node)| !findings.explains(&host.name) && !node.recent.is_empty()).collect();
    // The newest blocks may differ for a moment.
    let Some(common) = nodes.iter().map(|(_, node)| node.height()).min().map(|lowest| lowest.saturating_sub(3)) else {
        return;
    };
    let mut sides: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (host, node) in nodes {
        if let Some(block) = node.recent.iter().find(|block| block.number == common) {
            sides.entry(&block.hash).or_default().push(&host.name);
        }
    }
    if sides.len() < 2 {
        return;
    }
    let most = sides.values().map(Vec::len).max().unwrap_or(0);
    let few: Vec<&str> = sides.values().filter(|hosts| hosts.len() < most).flatten().copied().collect();
    let hosts = if few.is_empty() { sides.values().flatten().copied().collect() } else { few };
    let what = format!("block {common} is not the same on all nodes: the chain has split");
    let remedy = "compare their versions and fork schedules (`chainwright genesis diff`); the side with fewer signers has to be put back to \
                  before the split (debug_setHead) and restarted";
    let evidence = sides.iter().map(|(hash, hosts)| format!("{} have {hash}", and(hosts)));
    findings.add(finding("two-chains", Severity::Error, &hosts, what, remedy).seen(evidence));
}

/// Sealers without a reason that seal nothing while others do.
pub(super) fn silent(case: &Case, findings: &mut Findings) {
    let Some((host, best)) = best(case, findings) else { return };
    let wanted = 3 * best.signers.len();
    let stands = best.head().is_none_or(|head| patience(best).is_none_or(|patience| age(host, head) > patience));
    if stands || best.recent.len() < wanted || best.height() < wanted as u64 {
        return;
    }
    let lately = sealed_lately(best);
    // It begins when its turn comes.
    let oldest = best.recent.get(wanted.saturating_sub(1)).map_or(0, |block| block.time);
    for (host, node) in case.answering().filter(|(host, _)| host.sealer) {
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
        let started = host.observation().and_then(|seen| seen.unit.started).is_some_and(|time| time > oldest as f64);
        let Some(account) = node.account.as_deref() else { continue };
        if lately.contains(account) || started || findings.explains(&host.name) {
            continue;
        }
        let what = format!("the sealer {} has sealed none of the last {wanted} blocks", host.name);
        let unit = host.observation().map_or("", |seen| &seen.unit.name);
        let remedy = format!(
            "look for \"Block sealing failed\" in its journal, then restart it: `systemctl restart {unit}` on {}, or playbooks/restart.yml, \
             which takes all sealers in order",
            host.name
        );
        findings.add(finding("sealer-silent", Severity::Error, &[&host.name], what, remedy).seen([account.to_owned()]));
    }
}

/// A chain that stands: how many sealers it needs, which it has, and why the others are missing.
pub(super) fn halted(case: &Case, findings: &mut Findings) {
    let Some((host, node)) = best(case, findings) else { return };
    let Some(head) = node.head() else { return };
    let Some(patience) = patience(node).filter(|_| !node.signers.is_empty()) else { return };
    let age = age(host, head);
    if age <= patience {
        return;
    }
    let need = clique::quorum(node.signers.len());
    let (mut live, mut missing, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for owner in case.hosts.iter().filter(|host| host.sealer) {
        if !owner.account().is_some_and(|account| node.signers.iter().any(|signer| signer == account)) {
            continue;
        }
        match findings.out.get(&owner.name) {
            Some(why) => {
                missing.push(format!("{}: {why}", owner.name));
                names.push(owner.name.as_str());
            }
            None => live.push(owner.name.as_str()),
        }
    }
    let has = |signer: &&String| case.hosts.iter().any(|host| host.sealer && host.account() == Some(signer.as_str()));
    for signer in node.signers.iter().filter(|signer| !has(signer)) {
        missing.push(format!("{signer}: no host that was looked at has this account"));
    }
    // Hosts of which nobody knows the account, as where ssh fails.
    for host in case.hosts.iter().filter(|host| host.sealer && host.account().is_none()) {
        missing.push(format!(
            "{}: {}",
            host.name,
            findings.out.get(&host.name).map_or("its account is not known", |why| why)
        ));
        names.push(&host.name);
    }
    let total = node.signers.len();
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    let since = if head.number == 0 {
        "it has no block but block 0".to_owned()
    } else {
        format!("block {} at {}", head.number, moment(head.time as f64))
    };
    let found = if live.len() < need {
        let what = format!(
            "the chain has halted for lack of quorum: {total} signers need {need}, and only {} can seal",
            and(&live)
        );
        let remedy = format!(
            "bring {} of the missing back: mend what is told of them above; blocks then come again by themselves",
            need - live.len()
        );
        finding("halted", Severity::Error, &names, what, remedy)
    } else {
        let what =
            format!("the chain has halted, though {} of {total} signers could seal and {need} are needed", live.len());
        let remedy = "restart the sealers in order: playbooks/restart.yml -e allow_halt=true; if it stays, look at their journals";
        finding("halted", Severity::Error, &live, what, remedy)
    };
    findings.add(found.seen([format!("the newest block: {since}")]).seen(missing));
}
