//! Hosts that do not answer, nodes that do not run, disks that are full.

use super::{Case, Finding, Findings, Host, Observation, Severity, bytes, finding, moment};

/// geth ends itself below this (`--datadir.minfreedisk`: twice the 256 MiB of its cache), looking every half minute.
const GETH_ENDS: u64 = 512 << 20;
/// So much must be free for it to be no trouble soon.
const LITTLE: u64 = 1 << 30;

/// How long a node may take from its start to its first answer, in seconds: opening a large database takes a while.
const STARTING: f64 = 60.0;

/// Hosts that cannot be reached.
pub(super) fn unreachable(case: &Case, findings: &mut Findings) {
    for host in &case.hosts {
        let Err(why) = &host.seen else { continue };
        let remedy =
            format!("see whether the host is up, and whether `ssh {}` works with the inventory's settings", host.name);
        let what = format!("{} cannot be reached: nothing is known of its node", host.name);
        findings.add(finding("host-unreachable", Severity::Error, &[&host.name], what, remedy).seen([why.clone()]));
        findings.is_out(&host.name, "its host cannot be reached");
    }
}

/// Nodes that do not run or do not answer, each with its own cause.
pub(super) fn down(case: &Case, findings: &mut Findings) {
    for host in &case.hosts {
        let Some(seen) = host.observation().filter(|seen| seen.node.is_none()) else { continue };
        let (found, why) = trouble(host, seen);
        findings.add(found);
        findings.is_out(&host.name, why);
    }
}

fn trouble(host: &Host, seen: &Observation) -> (Finding, &'static str) {
    let (name, unit) = (&host.name, &seen.unit);
    let at = unit.ended.map_or_else(String::new, |time| format!(" since {}", moment(time)));
    let journal = format!("read `journalctl -u {}` on {name}, mend what it says", unit.name);
    let one = |id: &str, what: String, remedy: String| {
        let evidence = std::iter::once(format!("{}: {}", unit.name, unit.state)).chain(seen.log.last.iter().cloned());
        finding(id, Severity::Error, &[name], what, remedy).seen(evidence)
    };
    if !unit.exists {
        let what = format!("{name} has no unit {}: no node is installed there", unit.name);
        let remedy = "run playbooks/site.yml, or set `geth_unit` to the unit's name";
        return (finding("not-installed", Severity::Error, &[name], what, remedy), "no node is installed there");
    }
    // What systemd has started again and again is no start.
    let starts = |ago: &f64| unit.runs && unit.restarts == 0 && *ago < STARTING;
    if let Some(ago) = unit.started.map(|started| seen.time - started).filter(starts) {
        let what = format!("the node of {name} was started {:.0} s ago and does not answer yet", ago.max(0.0));
        let found = one("node-starting", what, format!("look again in a minute; if it still does not: {journal}"));
        return (found.seen(seen.silent.clone()), "it was just started");
    }
    if unit.runs {
        let what = format!("the node of {name} runs and does not answer");
        let remedy = format!("{journal}; if it hangs: `systemctl kill -s KILL {0}; systemctl start {0}`", unit.name);
        return (one("node-silent", what, remedy).seen(seen.silent.clone()), "it does not answer");
    }
    let full = seen.disk.as_ref().filter(|disk| disk.free < GETH_ENDS);
    if let (Some(disk), true) = (full, unit.result == "success" || seen.log.low_disk.is_some()) {
        // An operator may have stopped it: only the node's own words say that it was the disk.
        let what = match &seen.log.low_disk {
            Some(_) => format!("the disk of {name} is nearly full, and its node has ended itself{at}"),
            None => {
                format!("the node of {name} is stopped{at}, and its disk is nearly full: it would end itself again")
            }
        };
        let free = format!(
            "{}: {} free of {}; geth ends itself below {}",
            disk.folder,
            bytes(disk.free),
            bytes(disk.size),
            bytes(GETH_ENDS)
        );
        let found = one("disk-full", what, make_room(&disk.folder, Some(&unit.name)));
        return (found.seen([free]), "its disk is full");
    }
    if unit.active == "activating" || unit.active == "failed" {
        let what = if unit.active == "failed" {
            format!("the node of {name} has failed{at}")
        } else {
            format!("the node of {name} ends as often as it is started ({} times)", unit.restarts)
        };
        return (
            one("node-failed", what, format!("{journal}, then `systemctl restart {}`", unit.name)),
            "it has failed",
        );
    }
    let start = format!("`systemctl start {}` on {name}", unit.name);
    match host.role() {
        "sealer" => {
            let what = format!("the sealer of {name} is stopped{at}");
            let remedy = format!("{start}, or playbooks/restart.yml, which begins with the nodes that are down");
            (one("sealer-stopped", what, remedy), "it is stopped")
        }
        "bootnode" => {
            let what = format!("the bootnode {name} is gone{at}: nodes that know nobody else find nobody");
            (one("bootnode-gone", what, start), "it is stopped")
        }
        _ => (one("node-stopped", format!("the node of {name} is stopped{at}"), start), "it is stopped"),
    }
}

/// Running nodes whose disk is nearly full.
pub(super) fn disk(case: &Case, findings: &mut Findings) {
    for (host, _) in case.answering() {
        let Some(disk) = host.observation().and_then(|seen| seen.disk.as_ref()) else { continue };
        // Of a large disk a twentieth is days, of a small one it is nothing.
        let severity = match disk.free {
            free if free < LITTLE => Severity::Error,
            free if free < 5 * LITTLE && free < disk.size / 20 => Severity::Warning,
            _ => continue,
        };
        let what = format!("the disk of {} is nearly full", host.name);
        let free = format!(
            "{}: {} free of {}; geth ends itself below {}",
            disk.folder,
            bytes(disk.free),
            bytes(disk.size),
            bytes(GETH_ENDS)
        );
        findings.add(finding("disk-full", severity, &[&host.name], what, make_room(&disk.folder, None)).seen([free]));
    }
}

fn make_room(folder: &str, start: Option<&str>) -> String {
    let then = start.map_or_else(String::new, |unit| format!(", then `systemctl start {unit}`"));
    format!("make room on the file system of {folder}, or make it larger{then}")
}
