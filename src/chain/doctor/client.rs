//! Nodes that run another program than they should, and such as have lost one.

use super::{Case, Findings, Host, Severity, and, finding, short};

fn version(host: &Host) -> Option<&str> {
    host.node()?.version.as_deref()
}

fn sha256(host: &Host) -> Option<&str> {
    host.node()?;
    host.observation()?.program.sha256.as_deref()
}

/// Nodes with another client version, or another build of it.
pub(super) fn versions(case: &Case, findings: &mut Findings) {
    let wanted = &case.wanted;
    let severity = if wanted.binding { Severity::Error } else { Severity::Warning };
    let (right, source) = match (&wanted.version, case.majority(version)) {
        (Some(version), _) => (version.as_str(), format!("{} says", wanted.source)),
        (None, Some(version)) => (version, "most nodes say".to_owned()),
        (None, None) => return,
    };
    let mut differ = Vec::new();
    for (host, node) in case.answering() {
        let Some(own) = node.version.as_deref().filter(|own| *own != right) else { continue };
        differ.push(host.name.as_str());
        let what = format!("{} runs {own}, {source} {right}", host.name);
        let remedy = "playbooks/upgrade.yml takes every node to the version of `network.client`, one at a time";
        let program = host.observation().and_then(|seen| seen.program.path.clone());
        let evidence = std::iter::once(node.client.clone()).chain(program);
        findings.add(finding("other-client", severity, &[&host.name], what, remedy).seen(evidence));
    }
    let right = wanted
        .sha256
        .as_deref()
        .or_else(|| case.majority(|host| sha256(host).filter(|_| !differ.contains(&host.name.as_str()))));
    let Some(right) = right else { return };
    let others: Vec<(&str, &str)> = case
        .answering()
        .filter(|(host, _)| !differ.contains(&host.name.as_str()))
        .filter_map(|(host, _)| {
            Some((host.name.as_str(), sha256(host).filter(|own| !own.eq_ignore_ascii_case(right))?))
        })
        .collect();
    if others.is_empty() {
        return;
    }
    let hosts: Vec<&str> = others.iter().map(|(host, _)| *host).collect();
    let one = hosts.len() == 1;
    let what = format!("{} run{} another build of the client's version", and(&hosts), if one { "s" } else { "" });
    let remedy = "find out who put it there; playbooks/site.yml installs the pinned program, then restart the node";
    let evidence = others.iter().map(|(host, own)| format!("{host}: sha256 {}, not {}", short(own), short(right)));
    findings.add(finding("other-program", severity, &hosts, what, remedy).seen(evidence));
}

/// Nodes whose last stop was none.
pub(super) fn unclean_shutdowns(case: &Case, findings: &mut Findings) {
    for (host, _) in case.answering() {
        let Some(line) = host.observation().and_then(|seen| seen.log.unclean.clone()) else { continue };
        let what = format!(
            "the node of {} did not end as it should before this start: what it had not yet written is lost",
            host.name
        );
        let unit = host.observation().map_or("", |seen| &seen.unit.name);
        let remedy = format!(
            "find out who killed it (`journalctl -u {unit}`, `journalctl -k | grep -i oom`); stop it with `systemctl stop {unit}` or \
             playbooks/restart.yml, and give it the time. This ends with its next clean restart"
        );
        findings.add(finding("unclean-shutdown", Severity::Warning, &[&host.name], what, remedy).seen([line]));
    }
}
