//! Who sees whom.

use super::identity::meant;
use super::{Case, Findings, Host, Node, Observation, Severity, and, finding};
use crate::chain::Enode;

/// For so many seconds after its start a node may still be looking for its peers, and be behind.
const FINDS_PEERS: f64 = 120.0;

fn linked(one: (&Host, &Node), two: (&Host, &Node)) -> bool {
    let has =
        |node: &Node, host: &Host| node.peers.iter().any(|peer| Some(peer.public_key.as_str()) == host.public_key());
    // Of a cut connection one end may still believe in it.
    has(one.1, two.0) && has(two.1, one.0)
}

/// Whether a node cannot be blamed yet.
pub(super) fn just_started(host: &Host) -> bool {
    let started = |seen: &Observation| seen.unit.started.is_some_and(|started| seen.time - started < FINDS_PEERS);
    host.observation().is_some_and(started)
}

/// Groups of nodes that see each other, the one with most sealers first. Those that are out link too.
fn parts(case: &Case) -> Vec<Vec<&Host>> {
    let mut rest: Vec<(&Host, &Node)> = case.answering().collect();
    let mut parts: Vec<Vec<&Host>> = Vec::new();
    while !rest.is_empty() {
        let mut part = vec![rest.remove(0)];
        let mut next = 0;
        while let Some(&member) = part.get(next) {
            let (friends, others) = rest.into_iter().partition(|other| linked(member, *other));
            part.extend::<Vec<_>>(friends);
            rest = others;
            next += 1;
        }
        parts.push(part.into_iter().map(|(host, _)| host).collect());
    }
    parts.sort_by_key(|part| std::cmp::Reverse((part.iter().filter(|host| host.sealer).count(), part.len())));
    parts
}

/// What stands between a part and the rest: ports that do not answer, of nodes that run.
fn obstacles<'a>(case: &'a Case, part: &'a [&Host]) -> Vec<String> {
    let inside = |host: &Host| part.iter().any(|member| member.name == host.name);
    let mut found = Vec::new();
    for host in &case.hosts {
        for wanted in host.observation().into_iter().flat_map(|seen| &seen.wanted_peers) {
            let Some(peer) = wanted.enode.parse::<Enode>().ok() else { continue };
            let Some(target) =
                meant(case, &peer).filter(|target| target.node().is_some() && inside(target) != inside(host))
            else {
                continue;
            };
            let (from, to, place) = (&host.name, &target.name, format!("{}:{}", peer.host, peer.tcp));
            found.extend(wanted.trouble.as_ref().map(|why| format!("{from} does not reach {to} at {place}: {why}")));
        }
    }
    found
}

/// Nodes that run, of one network, and do not see each other.
pub(super) fn partition(case: &Case, findings: &mut Findings) {
    let mut parts = parts(case);
    // What is out already is told, and whom only such a one cuts off.
    parts.retain(|part| part.iter().any(|host| !findings.explains(&host.name)));
    let [_, others @ ..] = parts.as_slice() else { return };
    let others_are_out = !findings.out.is_empty();
    let names = |part: &[&Host]| part.iter().map(|host| host.name.clone()).collect::<Vec<_>>();
    let mut apart: Vec<Vec<String>> = Vec::new();
    let mut evidence = Vec::new();
    for part in others {
        let hosts = names(part);
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let seen = obstacles(case, part);
        let verb = if hosts.len() == 1 { "sees" } else { "see" };
        let by_one_that_is_out = part.iter().any(|host| findings.explains(&host.name));
        if seen.is_empty() && by_one_that_is_out {
            // Who is out takes with him who hangs on him.
        } else if seen.is_empty() && part.iter().all(|host| just_started(host)) {
            let what =
                format!("{} {verb} none of the others yet: started less than {FINDS_PEERS:.0} s ago", and(&hosts));
            findings.add(finding("starting", Severity::Warning, &hosts, what, "look again in two minutes"));
        } else if seen.is_empty() && others_are_out {
            let what = format!("{} {verb} none of the others, and no port is closed between them", and(&hosts));
            let remedy = "they find each other only through nodes that are out: mend those first, and look again";
            findings.add(finding("alone", Severity::Warning, &hosts, what, remedy));
        } else {
            apart.push(names(part));
            evidence.extend(seen);
        }
        for host in part {
            findings.is_out(&host.name, "it sees none of the others");
        }
    }
    if apart.is_empty() {
        return;
    }
    let sides =
        parts.iter().map(|part| names(part)).filter(|side| apart.contains(side) || *side == names(parts[0].as_slice()));
    let sides: Vec<String> = sides.map(|side| and(&side.iter().map(String::as_str).collect::<Vec<_>>())).collect();
    let what = format!("the network is in {} parts that do not see each other: {}", sides.len(), sides.join(" | "));
    let remedy = "let devp2p's port (30303, TCP and UDP) through between them: look at firewalls, routes and links on both sides, and whether \
                  the addresses in their static peers are still right";
    evidence.sort();
    evidence.dedup();
    let hosts: Vec<&str> = apart.iter().flatten().map(String::as_str).collect();
    findings.add(finding("partition", Severity::Error, &hosts, what, remedy).seen(evidence));
}

/// Static peers that do not answer, though their nodes run, while the network hangs together by others.
pub(super) fn unreached(case: &Case, findings: &mut Findings) {
    for (host, _) in case.answering().filter(|(host, _)| !findings.explains(&host.name)).collect::<Vec<_>>() {
        let mut seen = Vec::new();
        let mut hosts = vec![host.name.as_str()];
        for wanted in host.observation().into_iter().flat_map(|seen| &seen.wanted_peers) {
            let (Ok(peer), Some(why)) = (wanted.enode.parse::<Enode>(), &wanted.trouble) else { continue };
            let place = format!("{}:{}", peer.host, peer.tcp);
            match meant(case, &peer) {
                Some(target) if findings.explains(&target.name) || target.node().is_none() => {}
                Some(target) => {
                    hosts.push(&target.name);
                    seen.push(format!("{} at {place}: {why}", target.name));
                }
                None => seen.push(format!("{place}, which is no node of the inventory: {why}")),
            }
        }
        if seen.is_empty() {
            continue;
        }
        let what = format!("{} does not reach {} of its configured peers", host.name, seen.len());
        let remedy = "let devp2p's port through between them, or take the peer out of the configuration";
        findings.add(finding("peer-unreached", Severity::Warning, &hosts, what, remedy).seen(seen));
    }
}
