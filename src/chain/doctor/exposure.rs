//! What strangers may do.

use super::{Case, Findings, Listener, Severity, finding, short};

/// Namespaces that nobody but the operator should be answered.
const DANGEROUS: &[&str] = &["admin", "personal", "debug", "miner"];

fn url(listener: &Listener) -> String {
    if listener.address.contains(':') {
        format!("http://[{}]:{}", listener.address, listener.port)
    } else {
        format!("http://{}:{}", listener.address, listener.port)
    }
}

/// RPC that others than the host itself reach, with an account unlocked behind it or with what only the operator should have.
/// What a firewall keeps away is not known here.
pub(super) fn open_rpc(case: &Case, findings: &mut Findings) {
    for (host, _) in case.answering() {
        let Some(seen) = host.observation() else { continue };
        let open: Vec<&Listener> =
            seen.listeners.iter().filter(|listener| !listener.loopback && !listener.namespaces.is_empty()).collect();
        let answers = |name: &str| open.iter().any(|listener| listener.namespaces.iter().any(|has| has == name));
        let evidence =
            open.iter().map(|listener| format!("{} answers {}", url(listener), listener.namespaces.join(", ")));
        let evidence: Vec<String> = evidence.collect();
        if answers("eth") && !seen.unlocked.is_empty() {
            let accounts: Vec<String> = seen.unlocked.iter().map(|account| short(account)).collect();
            let what = format!(
                "whoever reaches {} can spend from the unlocked account {}",
                open.first().map(|listener| url(listener)).unwrap_or_default(),
                accounts.join(", ")
            );
            let remedy = format!(
                "unlock no account on a node with open RPC: take --unlock and --allow-insecure-unlock from {}, or let its RPC listen on \
                 127.0.0.1; consider the account's key as known to others",
                host.name
            );
            findings.add(finding("rpc-unlocked", Severity::Error, &[&host.name], what, remedy).seen(evidence));
            continue;
        }
        let offered: Vec<&str> = DANGEROUS.iter().copied().filter(|name| answers(name)).collect();
        if !offered.is_empty() {
            let what = format!("{} offers {} to whoever reaches it", host.name, offered.join(", "));
            let remedy = "offer only eth, net and web3 (`rpc_api`), or let it listen on 127.0.0.1";
            findings.add(finding("rpc-open", Severity::Warning, &[&host.name], what, remedy).seen(evidence));
        }
    }
}
