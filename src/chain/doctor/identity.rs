//! Nodes that are in another network, that share a key, or that others know by an old one.

use super::{Case, Findings, Host, Severity, and, finding, short};
use crate::chain::Enode;
use std::collections::BTreeMap;

/// Who says what is right: the lock or the inventory, or else most nodes.
fn judge<'a>(
    case: &'a Case,
    wanted: Option<&'a str>,
    say: impl Fn(&'a Host) -> Option<&'a str>,
) -> Option<(&'a str, String)> {
    match wanted {
        Some(wanted) => Some((wanted, format!("{} says", case.wanted.source))),
        None => Some((case.majority(say)?, "most nodes say".to_owned())),
    }
}

/// Hash of block 0: as the node answers, else in its data folder.
pub(super) fn block_zero(host: &Host) -> Option<&str> {
    let seen = host.observation()?;
    seen.node.as_ref().and_then(|node| node.genesis.as_deref()).or(seen.stored_genesis.as_deref())
}

/// Nodes with another block 0.
pub(super) fn genesis(case: &Case, findings: &mut Findings) {
    let Some((right, source)) = judge(case, case.wanted.genesis.as_deref(), block_zero) else { return };
    for host in &case.hosts {
        let Some(own) = block_zero(host).filter(|own| !own.eq_ignore_ascii_case(right)) else { continue };
        let what = format!("{} has another block 0: it is in a network of its own", host.name);
        let remedy = format!(
            "stop its node, move its data folder's `geth/chaindata` away, put the network's genesis.json in its place and run playbooks/site.yml; \
             first make sure that it is {} that is wrong",
            host.name
        );
        let evidence = [format!("{} has {own}", host.name), format!("{source} {right}")];
        findings.add(finding("other-genesis", Severity::Error, &[&host.name], what, remedy).seen(evidence));
        findings.is_out(&host.name, "it has another block 0");
    }
}

/// Nodes with another network id.
pub(super) fn network_id(case: &Case, findings: &mut Findings) {
    let own = |host: &'_ Host| -> Option<String> { host.node()?.network_id.clone() };
    let Some((right, source)) =
        judge(case, case.wanted.network_id.as_deref(), |host| host.node()?.network_id.as_deref())
    else {
        return;
    };
    for host in &case.hosts {
        let Some(own) = own(host).filter(|own| own != right) else { continue };
        let what = format!("{} has network id {own}, not {right}: no other node takes it for a peer", host.name);
        let remedy =
            format!("start it with --networkid {right}: playbooks/site.yml writes its unit anew, then restart it");
        let evidence = [format!("net_version of {} is {own}; {source} {right}", host.name)];
        findings.add(finding("other-network-id", Severity::Error, &[&host.name], what, remedy).seen(evidence));
        findings.is_out(&host.name, format!("its network id is {own}"));
    }
}

fn groups<'a>(case: &'a Case, of: impl Fn(&'a Host) -> Option<&'a str>) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for host in &case.hosts {
        if let Some(value) = of(host) {
            groups.entry(value).or_default().push(&host.name);
        }
    }
    groups.into_iter().filter(|(_, hosts)| hosts.len() > 1).collect()
}

/// Nodes that have one node key.
pub(super) fn one_key_twice(case: &Case, findings: &mut Findings) {
    for (key, hosts) in groups(case, Host::public_key) {
        let what = format!(
            "{} have one and the same node key: they are one node to everybody else, and cannot be peers",
            and(&hosts)
        );
        let remedy = "leave the key to the host whose enode the others know; on the other stop the node, remove `geth/nodekey` from its data \
                      folder, take its `node_public_key` out of the inventory, if it is there, and run playbooks/site.yml: a new one is made";
        let found = finding("same-node-key", Severity::Error, &hosts, what, remedy);
        findings.add(found.seen([format!("public key {}", short(key))]));
        for host in &hosts {
            let others: Vec<&str> = hosts.iter().copied().filter(|other| other != host).collect();
            findings.is_out(host, format!("its node key is also that of {}", and(&others)));
        }
    }
}

/// Sealers that have one account.
pub(super) fn one_account_twice(case: &Case, findings: &mut Findings) {
    for (account, hosts) in groups(case, |host| host.account().filter(|_| host.sealer)) {
        let what = format!("{} seal with one and the same account: they make competing blocks", and(&hosts));
        let remedy = "stop all of them but one, and give the others accounts of their own that the signers vote in";
        findings.add(finding("same-account", Severity::Error, &hosts, what, remedy).seen([account.to_owned()]));
    }
}

/// Where a host is: as its node says, else the inventory.
fn is_at(host: &Host, peer: &Enode) -> bool {
    let own: Option<Enode> = host.node().and_then(|node| node.enode.as_ref()?.parse().ok());
    match (own, &host.address) {
        (Some(own), Some(address)) => own.tcp == peer.tcp && (own.host == peer.host || *address == peer.host),
        (Some(own), None) => own.tcp == peer.tcp && own.host == peer.host,
        (None, Some(address)) => *address == peer.host,
        (None, None) => false,
    }
}

/// The host that a configuration means: by its key, else by its address.
pub(super) fn meant<'a>(case: &'a Case, peer: &Enode) -> Option<&'a Host> {
    let by_key = case.hosts.iter().find(|host| host.public_key() == Some(peer.public_key.as_str()));
    by_key.or_else(|| case.hosts.iter().find(|host| is_at(host, peer)))
}

/// Configurations that name a host with a key that it has no more.
pub(super) fn stale_peers(case: &Case, findings: &mut Findings) {
    let mut stale: BTreeMap<&str, (Vec<&str>, String)> = BTreeMap::new();
    for host in &case.hosts {
        for wanted in host.observation().into_iter().flat_map(|seen| &seen.wanted_peers) {
            let Ok(peer) = wanted.enode.parse::<Enode>() else { continue };
            let Some(target) = case.hosts.iter().find(|host| is_at(host, &peer)) else { continue };
            let Some(now) = target.public_key().filter(|now| *now != peer.public_key) else { continue };
            // With a key that is another host's, the finding is that.
            if findings.out.get(&target.name).is_some_and(|why| why.starts_with("its node key")) {
                continue;
            }
            let evidence = format!("they expect {}, it has {}", short(&peer.public_key), short(now));
            let (hosts, _) = stale.entry(&target.name).or_insert_with(|| (Vec::new(), evidence));
            if !hosts.contains(&host.name.as_str()) {
                hosts.push(&host.name);
            }
        }
    }
    for (target, (hosts, evidence)) in stale {
        let what = format!(
            "{} know{} {target} by an old key and cannot call it",
            and(&hosts),
            if hosts.len() == 1 { "s" } else { "" }
        );
        let remedy = format!(
            "if the new key of {target} is meant: playbooks/site.yml writes it to the others, and playbooks/restart.yml lets the sealers read it; \
             if not, put the old `geth/nodekey` back on {target}"
        );
        let all: Vec<&str> = hosts.iter().copied().chain([target]).collect();
        findings.add(finding("stale-peer", Severity::Error, &all, what, remedy).seen([evidence]));
    }
}
