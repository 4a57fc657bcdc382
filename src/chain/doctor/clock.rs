//! Clocks that are wrong: whose clock is behind refuses the others' blocks, whose is ahead is refused.

use super::{Case, Findings, Severity, finding};

/// How far a clock may be off, in seconds.
pub const MOST: f64 = 5.0;

/// The middle one; of an even number the lower.
fn median(mut readings: Vec<f64>) -> Option<f64> {
    readings.sort_by(f64::total_cmp);
    readings.get(readings.len().saturating_sub(1) / 2).copied()
}

/// Compares the clocks of nodes, seen from most of them; of one or two the controller's decides.
pub(super) fn clocks(case: &Case, findings: &mut Findings) {
    let mut readings: Vec<(&str, f64, f64)> = Vec::new();
    for host in &case.hosts {
        let Some(seen) = host.observation() else { continue };
        let Some(offset) = seen.clock_offset else { continue };
        readings.push((&host.name, offset, seen.own_clock()));
    }
    let mut all: Vec<f64> = readings.iter().map(|(_, host, own)| host + own).collect();
    all.resize(all.len().max(3), 0.0);
    let Some(right) = median(all) else { return };
    for (name, offset, own) in readings {
        let off = offset + own - right;
        if off.abs() <= MOST {
            continue;
        }
        let way = if off > 0.0 { "ahead" } else { "behind" };
        let whose =
            if own == 0.0 { format!("the clock of {name}") } else { format!("the clock of the node of {name}") };
        let what = format!("{whose} is {:.0} s {way}: {}", off.abs(), consequence(off));
        let evidence = if own == 0.0 {
            format!("its host's clock reads {offset:+.1} s against this machine's")
        } else {
            format!(
                "its log is written {own:+.0} s against its host's clock, which reads {offset:+.1} s against this machine's"
            )
        };
        let remedy = if own == 0.0 {
            format!("set the clock of {name} and keep it right: `timedatectl set-ntp true`, or chrony")
        } else {
            format!(
                "see what gives the node of {name} another time than its host (a wrapper, a container, its environment), and restart it without"
            )
        };
        findings.add(finding("clock", Severity::Error, &[name], what, remedy).seen([evidence]));
        findings.is_out(name, format!("its clock is {:.0} s {way}", off.abs()));
    }
}

fn consequence(off: f64) -> &'static str {
    if off > 0.0 {
        "others refuse its blocks, which come from the future"
    } else {
        "it refuses the others' blocks, which come from the future"
    }
}
