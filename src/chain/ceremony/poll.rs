//! Looking again and again, until every organisation counts, waiting cannot help, or it is too late.

use super::party::Doubt;
use super::sheet::Organisation;
use crate::base::{Failure, Value, failure::Result};
use crate::chain::backoff::{Backoff, chance};
use crate::system::rest::{Until, rest};
use serde_json::json;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How an organisation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it is called.
    pub name: String,
    /// Its name in DNS.
    pub fqdn: String,
    /// What it has, or why it does not count.
    pub state: Result<String, Doubt>,
}

impl Standing {
    /// Of an organisation.
    pub fn new(organisation: &Organisation, state: Result<String, Doubt>) -> Self {
        let Organisation { name, fqdn } = organisation.clone();
        Self { name, fqdn, state }
    }

    /// As data.
    pub fn to_value(&self) -> Value {
        let (state, why, help) = match &self.state {
            Ok(what) => ("valid", what, None),
            Err(doubt) => (doubt.state, &doubt.why, doubt.help.as_ref()),
        };
        json!({"name": self.name, "fqdn": self.fqdn, "state": state, "why": why, "help": help})
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, fqdn, state } = self;
        match state {
            Ok(what) => write!(f, "{name} ({fqdn}): {what}"),
            Err(doubt) => write!(f, "{name} ({fqdn}): {}: {}", doubt.state, doubt.why),
        }
    }
}

/// How often to look, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two looks, as long as something changes.
    pub interval: Duration,
    /// Where nothing changes, it becomes half as long again each time, up to this.
    pub longest: Duration,
    /// After this it is too late.
    pub deadline: Duration,
}

/// How long a look may take that is the only one.
const ONCE: Duration = Duration::from_mins(1);

/// How long one may take that begins at the deadline: it is the last chance for each, and shall not be cut off at once.
const LAST: Duration = Duration::from_secs(5);

/// Nobody waits longer.
const YEARS: Duration = Duration::from_hours(100_000);

impl Pace {
    /// Until when a look may take that begins now.
    fn until(self, began: Instant) -> Instant {
        let least = Instant::now() + if self.deadline.is_zero() { ONCE } else { LAST };
        // No clock goes as far as some deadlines.
        let end = began.checked_add(self.deadline).or_else(|| began.checked_add(YEARS));
        end.map_or(least, |end| end.max(least))
    }
}

/// Looks until all count. `look` is told until when it may take: many names, and a resolver that is silent, take long. `say` gets a
/// line for each organisation whose standing changed, and when the next look is.
pub fn poll(
    pace: Pace,
    cancelled: &AtomicBool,
    say: &dyn Fn(&str),
    mut look: impl FnMut(Until) -> Result<Vec<Standing>>,
) -> Result<()> {
    let began = Instant::now();
    let mut last: Vec<String> = Vec::new();
    let mut backoff = Backoff::new(pace.interval, pace.longest, 1.5);
    loop {
        let standings = look(Until { end: pace.until(began), cancelled })?;
        let lines: Vec<String> = standings.iter().map(ToString::to_string).collect();
        for line in lines.iter().filter(|line| !last.contains(line)) {
            say(line);
        }
        backoff.saw(&lines.join("\n"));
        last = lines;
        let waiting: Vec<&Standing> = standings.iter().filter(|standing| standing.state.is_err()).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        if waiting.iter().any(|standing| standing.state.as_ref().is_err_and(Doubt::is_final)) {
            return Err(refuse("refused", &standings, Doubt::is_final));
        }
        let stopped = || Failure::new("cancelled while waiting for the other organisations");
        if cancelled.load(Ordering::Relaxed) {
            return Err(stopped());
        }
        let left = pace.deadline.saturating_sub(began.elapsed());
        if left.is_zero() {
            let when = format!("not complete after {} s", pace.deadline.as_secs());
            return Err(refuse(&when, &standings, |_| true));
        }
        let pause = backoff.wait(chance(), None).min(left);
        say(&format!(
            "{} of {}; the next look is in {:.0} s",
            standings.len() - waiting.len(),
            standings.len(),
            pause.as_secs_f32()
        ));
        rest(pause, cancelled).map_err(|_| stopped())?;
    }
}

fn refuse(what: &str, standings: &[Standing], which: impl Fn(&Doubt) -> bool) -> Failure {
    let doubts = standings.iter().filter(|standing| standing.state.as_ref().is_err_and(&which));
    let lines: Vec<String> = doubts.clone().map(ToString::to_string).collect();
    let helps: Vec<String> = doubts
        .filter_map(|standing| {
            standing.state.as_ref().err()?.help.as_ref().map(|help| format!("{}: {help}", standing.name))
        })
        .collect();
    let failure = Failure::new(format!("the ceremony is {what}: {}", lines.join("; ")))
        .with("organisations", standings.iter().map(Standing::to_value).collect::<Vec<_>>());
    if helps.is_empty() { failure } else { failure.help(helps.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::super::sheet::tests::sheet;
    use super::*;
    use std::cell::RefCell;

    const FAST: Pace = Pace {
        interval: Duration::from_millis(1),
        longest: Duration::from_millis(2),
        deadline: Duration::from_secs(20),
    };

    fn told(pace: Pace, rounds: &[&[Result<&str, Doubt>]]) -> (Result<()>, Vec<String>) {
        let (sheet, said, mut round) = (sheet(&["alpha", "beta"]), RefCell::new(Vec::new()), 0);
        let ended = poll(pace, &AtomicBool::new(false), &|line| said.borrow_mut().push(line.to_owned()), |_| {
            let states = rounds[round.min(rounds.len() - 1)];
            round += 1;
            let each = sheet.organisations.iter().zip(states);
            Ok(each.map(|(one, state)| Standing::new(one, state.clone().map(str::to_owned))).collect())
        });
        (ended, said.into_inner())
    }

    #[test]
    fn changes_are_told_while_it_waits() {
        let missing = || Err(Doubt::new("missing", "it has no TXT record"));
        let (ended, said) =
            told(FAST, &[&[Ok("valid"), missing()], &[Ok("valid"), missing()], &[Ok("valid"), Ok("valid")]]);
        ended.unwrap();
        assert_eq!(said[0], "alpha (node.alpha.example): valid");
        assert_eq!(said[1], "beta (node.beta.example): missing: it has no TXT record");
        assert!(said[2].starts_with("1 of 2; the next look is in"));
        assert_eq!(said.last().unwrap(), "beta (node.beta.example): valid");
        assert_eq!(said.len(), 5);
    }

    #[test]
    fn who_is_missing_at_the_deadline_is_named_and_who_changed_its_key_at_once() {
        let late = Pace { deadline: Duration::ZERO, ..FAST };
        let missing = Doubt::new("missing", "it has no TXT record").help("publish it");
        let (ended, _) = told(late, &[&[Ok("valid"), Err(missing.clone())]]);
        let failure = ended.unwrap_err();
        assert_eq!(
            failure.message,
            "the ceremony is not complete after 0 s: beta (node.beta.example): missing: it has no TXT record"
        );
        assert_eq!(failure.help.as_deref(), Some("beta: publish it"));
        assert_eq!(failure.output["organisations"][0]["state"], "valid");
        assert_eq!(failure.output["organisations"][1]["state"], "missing");

        let (ended, _) = told(FAST, &[&[Err(missing), Err(Doubt::new("changed", "x"))]]);
        assert_eq!(ended.unwrap_err().message, "the ceremony is refused: beta (node.beta.example): changed: x");
    }
    #[test]
    fn a_look_gets_the_time_that_is_left_and_a_last_one_a_little() {
        let cancelled = AtomicBool::new(false);
        let (mut ends, began) = (Vec::new(), Instant::now());
        let pace = Pace { deadline: Duration::from_millis(20), ..FAST };
        let standing = || Standing::new(&sheet(&["alpha"]).organisations[0], Err(Doubt::new("missing", "x")));
        poll(pace, &cancelled, &|_| {}, |until| {
            ends.push(until.end);
            Ok(vec![standing()])
        })
        .unwrap_err();
        assert!(ends.len() > 1 && ends.iter().all(|end| *end >= began + LAST && *end <= Instant::now() + LAST));
        let end = |deadline| Pace { deadline, ..FAST }.until(began).duration_since(began).as_secs();
        assert_eq!(end(Duration::from_hours(1)), 3600);
        assert_eq!([end(Duration::ZERO), end(Duration::MAX)], [60, 360_000_000]);
    }

    #[test]
    fn who_does_not_wait_any_more_is_not_told_who_is_missing() {
        let cancelled = AtomicBool::new(false);
        let ended = poll(FAST, &cancelled, &|_| {}, |until| {
            assert!(!until.is_over());
            cancelled.store(true, Ordering::Relaxed);
            assert!(until.is_over());
            Ok(vec![Standing::new(&sheet(&["alpha"]).organisations[0], Err(Doubt::new("unanswered", "x")))])
        });
        assert_eq!(ended.unwrap_err().message, "cancelled while waiting for the other organisations");
    }
}
