//! What differs from the network's lock, where no other rule has told it already.

use super::identity::block_zero;
use super::{Case, Findings, Host, Severity, finding, short};
use crate::chain::Enode;
use crate::chain::lock::{Difference, Seen};

const REMEDY: &str = "if the difference is meant, all members agree on a new lock (`chainwright lock`); if not, put back what the lock says: \
                      playbooks/site.yml";

/// Whether the lock is of another network: no node has its block 0.
pub(super) fn is_anothers(case: &Case, findings: &mut Findings) -> bool {
    let Some(lock) = &case.wanted.lock else { return false };
    let known: Vec<(&str, &str)> =
        case.hosts.iter().filter_map(|host| Some((host.name.as_str(), block_zero(host)?))).collect();
    if known.is_empty() || known.iter().any(|(_, own)| *own == lock.genesis.hash) {
        return false;
    }
    let hosts: Vec<&str> = known.iter().map(|(host, _)| *host).collect();
    let what = format!("the lock is of another network, {}: no node has its block 0", lock.network);
    let evidence = [format!("the lock says {}, the nodes {}", lock.genesis.hash, known[0].1)];
    let remedy = "give the lock of this network with --lock, or as `network.lock` beside its inventory";
    findings.add(finding("other-lock", Severity::Error, &hosts, what, remedy).seen(evidence));
    true
}

/// Nodes with another node key than the lock says.
pub(super) fn other_keys(case: &Case, findings: &mut Findings) {
    let Some(lock) = &case.wanted.lock else { return };
    for host in &case.hosts {
        let (Some(locked), Some(own)) = (lock.hosts.get(&host.name), host.public_key()) else { continue };
        if findings.explains(&host.name) || own == locked.enode.public_key {
            continue;
        }
        let what = format!("{} has another node key than the lock says: the others will not call it", host.name);
        let remedy = format!(
            "put the old `geth/nodekey` back on {}; if the key is lost, all members agree on a new lock",
            host.name
        );
        let evidence = [format!("the lock says {}, it has {}", short(&locked.enode.public_key), short(own))];
        findings.add(finding("other-node-key", Severity::Error, &[&host.name], what, remedy).seen(evidence));
    }
}

/// Everything else: chain id, forks, ports, accounts, signers, hosts.
pub(super) fn rest(case: &Case, findings: &mut Findings) {
    let Some(lock) = &case.wanted.lock else { return };
    let mut signers_told = false;
    for host in &case.hosts {
        if !lock.hosts.contains_key(&host.name) {
            let what = format!("the lock knows no host {}", host.name);
            findings.add(finding("not-in-lock", Severity::Error, &[&host.name], what, REMEDY));
            continue;
        }
        if findings.explains(&host.name) && host.node().is_none() {
            continue;
        }
        let mut differences = lock.node_differences(&host.name, &said(host));
        differences.retain(|difference| !told(difference));
        // What the chain says of its signers it says everywhere.
        if signers_told {
            differences.retain(|difference| !difference.what.starts_with("signer"));
        }
        signers_told |= differences.iter().any(|difference| difference.what.starts_with("signer"));
        if differences.is_empty() {
            continue;
        }
        let what = format!("{} differs from the lock", host.name);
        let evidence = differences.iter().map(ToString::to_string);
        findings.add(finding("differs-from-lock", Severity::Error, &[&host.name], what, REMEDY).seen(evidence));
    }
}

fn said(host: &Host) -> Seen<'_> {
    let Some(node) = host.node() else { return Seen::default() };
    Seen {
        genesis: node.genesis.as_deref(),
        network_id: node.network_id.as_deref(),
        config: node.config.as_ref().and_then(|config| config.as_object()),
        client: Some(&node.client),
        enode: node.enode.as_deref().filter(|text| text.parse::<Enode>().is_ok()),
        // A node that does not seal may still name an account.
        account: node.account.as_deref().filter(|_| host.sealer),
        signers: &node.signers,
    }
}

/// Whether a rule before this one tells it with its cause.
fn told(difference: &Difference) -> bool {
    ["hash of block 0 ", "network id ", "client version ", "node key "]
        .iter()
        .any(|start| difference.what.starts_with(start))
}
