//! What a unit's journal tells of its node: trouble at the start, a locked account, its last words, and its own clock.

use crate::chain::client::{START_FAILURES, Version};
use crate::chain::doctor::{Log, Unit};
use crate::modules::eth_synced::booted;
use crate::modules::eth_unit::{self, Line, last_lines, squeeze};
use crate::system::{Command, System};

/// What was read.
#[derive(Debug, Default)]
pub struct Journal {
    /// Lines that tell something.
    pub log: Log,
    /// How far the node's clock is from the host's, in seconds.
    pub clock: Option<f64>,
}

/// Reads the first minute and the newest lines of the unit's last run.
pub fn read(system: &System, unit: &Unit) -> Journal {
    if !unit.exists {
        return Journal::default();
    }
    let newest = lines(system, &["-u", &unit.name, "-n", "200"]);
    if !unit.runs {
        // The last words are geth's, not systemd's about it.
        let own: Vec<Line> = newest.iter().filter(|line| !line.text.starts_with("Stopp")).cloned().collect();
        let low_disk = saying(last_run(&own), "Low disk space");
        return Journal { log: Log { last: last_words(&own), low_disk, ..Log::default() }, clock: None };
    }
    let started = unit.started.unwrap_or(0.0);
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    let newest: Vec<Line> = newest.into_iter().filter(|line| line.time as f64 >= started - 1.0).collect();
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let (from, to) = (format!("--since=@{}", started as i64), format!("--until=@{}", started as i64 + 60));
    let first = lines(system, &["-u", &unit.name, &from, &to]);
    let log = Log {
        unclean: unclean(&first, orderly_stop(system, &unit.name, started)),
        locked: saying(&newest, "authentication needed"),
        low_disk: saying(&newest, "Low disk space"),
        last: Vec::new(),
    };
    let clock = newest.iter().rev().find_map(difference);
    Journal { log, clock }
}

fn lines(system: &System, arguments: &[&str]) -> Vec<Line> {
    let fixed = ["journalctl", "--quiet", "--no-pager", "-o", "json", "--output-fields=MESSAGE"];
    let argv = fixed.into_iter().chain(arguments.iter().copied());
    let ended = system.run(&Command { timeout: Some(20), ..Command::new(argv) });
    ended.map(|ended| ended.stdout.lines().filter_map(eth_unit::line).collect()).unwrap_or_default()
}

/// From the newest start on.
fn last_run(lines: &[Line]) -> &[Line] {
    let start = lines.iter().rposition(|line| line.text.starts_with("Started ")).unwrap_or(0);
    lines.get(start..).unwrap_or_default()
}

fn saying(lines: &[Line], text: &str) -> Option<String> {
    let line = lines.iter().rev().find(|line| line.text.contains(text))?;
    last_lines(std::slice::from_ref(line), 1).pop()
}

/// The line that ended it, and what stands around it.
fn last_words(lines: &[Line]) -> Vec<String> {
    let telling = ["Fatal:", "panic:", "fatal error:", "ERROR", "CRIT"];
    let fatal: Vec<Line> = lines
        .iter()
        .rev()
        .take(30)
        .filter(|line| telling.iter().any(|text| line.text.contains(text)))
        .take(2)
        .cloned()
        .collect();
    if !fatal.is_empty() {
        return last_lines(&fatal, 2);
    }
    // Of an end as it should be systemd's words say nothing.
    let dull = ["Deactivated successfully", "Consumed "];
    let rest: Vec<Line> =
        lines.iter().filter(|line| !dull.iter().any(|text| line.text.contains(text))).cloned().collect();
    last_lines(&rest, 2)
}

/// When a run before this one ended as it should, the last time.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
#[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
fn orderly_stop(system: &System, unit: &str, started: f64) -> Option<f64> {
    // It is among the last words of that run, in a restart of the very second in which this one began; runs that failed at
    // once may stand between.
    let before = lines(system, &["-u", unit, &format!("--until=@{}", started as i64 + 1), "-n", "400"]);
    let says = [Version(1, 8, 0).stopped(), Version(1, 17, 0).stopped()];
    let stop = before.iter().rev().find(|line| says.iter().any(|text| line.text.contains(text)))?;
    Some(stop.time as f64)
}

/// The line by which this start tells that the last run before it did not end well. geth tells at each start of all such runs
/// that it remembers, each by the second in which it had begun: one after which another ended as it should is no news.
fn unclean(first: &[Line], orderly_stop: Option<f64>) -> Option<String> {
    let bad = || first.iter().filter(|line| START_FAILURES.iter().any(|text| line.text.contains(text)));
    let last = bad().filter_map(|line| booted(&line.text)).fold(f64::MIN, f64::max);
    let news = |line: &&Line| match booted(&line.text) {
        Some(booted) => booted >= last && orderly_stop.is_none_or(|stopped| booted >= stopped),
        None => true,
    };
    bad().find(news).map(|line| squeeze(&line.text))
}

/// How far the time in a line of geth's, `INFO [11-21|13:05:47.642] ..`, is from the journal's, in seconds. The line's time is
/// the zone's of the host, and without a year: whole quarters of an hour are not told.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
fn difference(line: &Line) -> Option<f64> {
    let (_, rest) = line.text.split_once('[')?;
    let (stamp, _) = rest.split_once(']')?;
    let (date, clock) = stamp.split_once('|')?;
    let mut numbers = date.split('-').chain(clock.split([':', '.'])).map(|part| part.parse::<u32>().ok());
    let [_, _, hour, minute, second] = std::array::from_fn(|_| numbers.next().flatten());
    let told = f64::from(hour?) * 3600.0 + f64::from(minute?) * 60.0 + f64::from(second?);
    let quarter = 900.0;
    let off = (told - line.time as f64).rem_euclid(quarter);
    Some(if off > quarter / 2.0 { off - quarter } else { off })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(time: u64, text: &str) -> Line {
        Line { time, text: text.to_owned() }
    }

    // 2026-11-21 13:05:47 UTC
    const TIME: u64 = 1_795_266_347;

    #[test]
    fn a_nodes_clock_is_read_from_its_log_whatever_the_zone() {
        let off = |text: &str| difference(&line(TIME, text));
        assert_eq!(off("INFO [11-21|13:05:47.642] Commit new sealing work"), Some(0.0));
        assert_eq!(off("INFO [11-21|14:05:46.642] An hour ahead is a zone"), Some(-1.0));
        assert_eq!(off("WARN [11-21|13:06:47.001] Block sealing failed"), Some(60.0));
        assert_eq!(off("INFO [11-21|05:35:17.000] In a zone with a half hour"), Some(-30.0));
        assert_eq!(off("Fatal: no stamp [here]"), None);
        assert!(off("INFO [1-1|4000000000:4000000000:1] No time at all").is_some());
    }

    #[test]
    fn what_ended_a_run_before_the_last_did_not_end_the_last() {
        let low = line(TIME, "ERROR[11-21|13:05:47.642] Low disk space. Gracefully shutting down Geth");
        let started = line(TIME + 9, "Started geth.service - geth.");
        let log =
            [started.clone(), low.clone(), started, line(TIME + 20, "INFO [11-21|13:06:07.642] Blockchain stopped")];
        assert_eq!(saying(last_run(&log), "Low disk space"), None);
        assert!(saying(last_run(&log[..2]), "Low disk space").is_some());
        assert!(saying(last_run(&[low]), "Low disk space").is_some(), "the start may be out of sight");
    }

    #[test]
    fn only_the_last_run_can_have_ended_uncleanly_now() {
        let old = line(
            TIME,
            "WARN [11-21|13:05:47.642] Unclean shutdown detected    booted=2026-11-20T10:00:00+0000 age=1d3h",
        );
        let new = line(
            TIME,
            "WARN [11-21|13:05:47.642] Unclean shutdown detected    booted=2026-11-21T13:00:00+0000 age=5m47s",
        );
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
        let before = Some((TIME - 348) as f64);
        assert_eq!(unclean(std::slice::from_ref(&old), before), None);
        assert!(unclean(&[old.clone(), new], before).unwrap().contains("13:00:00"));
        assert!(unclean(&[old], None).is_some(), "nobody knows of a later run");
        assert!(unclean(&[line(TIME, "WARN [11-21|13:05:47.642] Head state missing, repairing")], before).is_some());
    }

    #[test]
    fn the_last_words_are_those_that_tell_why() {
        let lines = [line(TIME, "Fatal: Failed to unlock account"), line(TIME, "geth.service: Main process exited")];
        assert_eq!(last_words(&lines), ["13:05:47Z Fatal: Failed to unlock account"]);
        assert_eq!(last_words(&lines[1..]), ["13:05:47Z geth.service: Main process exited"]);
    }
}
