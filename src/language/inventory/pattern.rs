//! Which hosts a pattern means: `web:&staging:!web3`, `db*`, `~db\d+`, `web[0:2]`, `all`.

use super::{Inventory, LOCALHOST};
use crate::base::diagnostic::did_you_mean;
use crate::base::{Diagnostic, Span};
use indexmap::IndexSet;

/// A part of a pattern that means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The pattern cannot be read at all, as opposed to: it matches no host.
    pub malformed: bool,
}

impl PatternError {
    /// As a mistake in the user's file, or on the command line.
    pub fn diagnostic(&self, span: Option<&Span>) -> Diagnostic {
        Diagnostic { message: self.message.clone(), span: span.cloned(), help: self.help.clone(), warning: false }
    }

    fn malformed(message: String) -> Self {
        Self { message, help: None, malformed: true }
    }
}

impl Inventory {
    /// The hosts that a pattern means, in the order in which its parts and the inventory name them. Every part must match
    /// something, if only what other parts take away: for `--limit`.
    pub fn select(&self, pattern: &str) -> Result<Vec<String>, PatternError> {
        let mut problems = vec![];
        let hosts = self.select_with(pattern, &mut problems);
        match problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(hosts),
        }
    }

    /// As [`select`](Self::select), with what does not match put aside: for `hosts:`, where that is a warning unless it is
    /// [malformed](PatternError::malformed).
    pub fn select_with(&self, pattern: &str, problems: &mut Vec<PatternError>) -> Vec<String> {
        let parts = split(pattern);
        let (excluded, rest): (Vec<&str>, Vec<&str>) =
            parts.iter().map(String::as_str).partition(|part| part.starts_with('!'));
        let (common, mut added): (Vec<&str>, Vec<&str>) = rest.into_iter().partition(|part| part.starts_with('&'));
        if added.is_empty() && !parts.is_empty() {
            added.push("all");
        }
        let mut hosts: IndexSet<String> = IndexSet::new();
        for part in added {
            hosts.extend(self.part(part, problems));
        }
        for part in common {
            let keep = self.part(&part[1..], problems);
            hosts.retain(|host| keep.contains(host));
        }
        for part in excluded {
            let drop = self.part(&part[1..], problems);
            hosts.retain(|host| !drop.contains(host));
        }
        hosts.into_iter().collect()
    }

    /// The hosts of `hosts` that `--limit` leaves, in their order. `@file` parts are read: a pattern a line.
    pub fn limit(&self, hosts: &[String], limit: &str) -> Result<Vec<String>, PatternError> {
        let mut parts = vec![];
        for part in split(limit) {
            match part.strip_prefix('@') {
                Some(file) => {
                    let text = std::fs::read_to_string(file).map_err(|error| {
                        PatternError::malformed(format!("cannot read the limit file {file}: {error}"))
                    })?;
                    parts.extend(
                        text.lines()
                            .map(str::trim)
                            .filter(|line| !line.is_empty() && !line.starts_with('#'))
                            .map(str::to_owned),
                    );
                }
                None => parts.push(part),
            }
        }
        let keep: IndexSet<String> = self.select(&parts.join(","))?.into_iter().collect();
        Ok(hosts.iter().filter(|host| keep.contains(*host)).cloned().collect())
    }

    /// One part, without `!` or `&`.
    fn part(&self, part: &str, problems: &mut Vec<PatternError>) -> IndexSet<String> {
        let (name, subscript) = match subscript(part) {
            Some(_) if self.hosts.contains_key(part) || part.starts_with('~') => (part, None),
            Some((name, subscript)) => (name, Some(subscript)),
            None => (part, None),
        };
        let matches = match matcher(name) {
            Ok(matches) => matches,
            Err(problem) => {
                problems.push(problem);
                return IndexSet::new();
            }
        };
        let mut hosts: IndexSet<String> = IndexSet::new();
        let mut known = false;
        for group in self.groups.keys().filter(|group| matches(group)) {
            known = true;
            hosts.extend(self.hosts_of(group));
        }
        if !known || name.starts_with('~') || name.contains(['.', '?', '*', '[']) {
            let found: Vec<&String> = self.hosts.keys().filter(|host| matches(host)).collect();
            known |= !found.is_empty();
            hosts.extend(found.into_iter().cloned());
        }
        if !known && LOCALHOST.contains(&name) {
            known = true;
            hosts.insert(name.to_owned());
        }
        if !known {
            problems.push(self.unknown(name));
        }
        match subscript {
            Some(subscript) => subscript.pick(&hosts),
            None => hosts,
        }
    }

    fn unknown(&self, name: &str) -> PatternError {
        let known = self.hosts.keys().chain(self.groups.keys()).map(String::as_str);
        let help = match did_you_mean(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.hosts.is_empty() => "the inventory has no hosts: give one with -i".to_owned(),
            None => {
                let groups: Vec<&str> = self.groups.keys().map(String::as_str).collect();
                format!("groups of the inventory: {}", groups.join(", "))
            }
        };
        PatternError { message: format!("no host or group matches `{name}`"), help: Some(help), malformed: false }
    }
}

/// Splits at commas; without commas at colons, unless the whole is an address.
fn split(pattern: &str) -> Vec<String> {
    let at_commas = pattern.contains(',');
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    if !at_commas && pattern.parse::<std::net::Ipv6Addr>().is_ok() {
        return vec![pattern.to_owned()];
    }
    for letter in pattern.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' if at_commas && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            // A regular expression may hold colons, but then it must be a part of its own, between commas.
            ':' if !at_commas && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Positions in a group: `[0]`, `[-1]`, `[1:3]` (the last included), `[2:]`.
enum Subscript {
    One(isize),
    Range(usize, Option<usize>),
}

impl Subscript {
    fn pick(&self, hosts: &IndexSet<String>) -> IndexSet<String> {
        match *self {
            Self::One(at) => {
                let at = if at < 0 { hosts.len().checked_add_signed(at) } else { usize::try_from(at).ok() };
                at.and_then(|at| hosts.get_index(at)).cloned().into_iter().collect()
            }
            Self::Range(from, to) => {
                let count = to.map_or(usize::MAX, |to| (to + 1).saturating_sub(from));
                hosts.iter().skip(from).take(count).cloned().collect()
            }
        }
    }
}

fn subscript(part: &str) -> Option<(&str, Subscript)> {
    let (name, inner) = part.strip_suffix(']')?.rsplit_once('[')?;
    if name.is_empty() {
        return None;
    }
    if let Ok(at) = inner.parse::<isize>() {
        return Some((name, Subscript::One(at)));
    }
    let (from, to) = inner.split_once([':', '-'])?;
    let from = from.parse().ok()?;
    let to = if to.is_empty() { None } else { Some(to.parse().ok()?) };
    Some((name, Subscript::Range(from, to)))
}

type Matches = Box<dyn Fn(&str) -> bool>;

fn matcher(name: &str) -> Result<Matches, PatternError> {
    let regex = match name.strip_prefix('~') {
        Some(regex) => format!("^(?:{regex})"),
        None if name.contains(['*', '?', '[']) => glob(name),
        None => {
            let name = name.to_owned();
            return Ok(Box::new(move |other| other == name));
        }
    };
    let regex = fancy_regex::Regex::new(&regex)
        .map_err(|error| PatternError::malformed(format!("the pattern `{name}` cannot be read: {error}")))?;
    Ok(Box::new(move |other| regex.is_match(other).unwrap_or(false)))
}

/// A shell glob as a regular expression.
fn glob(pattern: &str) -> String {
    let mut regex = String::from("(?s)^");
    let letters: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    while at < letters.len() {
        match letters[at] {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => match letters[at + 1..].iter().skip(1).position(|letter| *letter == ']') {
                Some(length) => {
                    let inside: String = letters[at + 1..at + 2 + length].iter().collect();
                    let inside = inside.replace('\\', "\\\\");
                    regex.push('[');
                    regex.push_str(&inside.strip_prefix('!').map_or(inside.clone(), |inside| format!("^{inside}")));
                    regex.push(']');
                    at += length + 2;
                }
                None => regex.push_str("\\["),
            },
            letter => regex.push_str(&fancy_regex::escape(&letter.to_string())),
        }
        at += 1;
    }
    regex.push('$');
    regex
}
