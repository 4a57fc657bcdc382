//! A client's version, as people and clients write it.

use crate::base::{Failure, failure::Result};
use std::fmt;
use std::str::FromStr;

/// A version: `1.13.15`, and Besu's `25.12.0` too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16, pub u16);

/// In which versions something holds: from one on, and before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first version.
    pub since: Version,
    /// The first version in which it does not hold any more.
    pub before: Option<Version>,
}

/// In every version that this program knows.
pub const ALWAYS: Span = since(0, 0, 0);

/// From a version on.
pub const fn since(a: u16, b: u16, c: u16) -> Span {
    Span { since: Version(a, b, c), before: None }
}

impl Span {
    /// Until this version comes.
    #[must_use]
    pub const fn before(self, a: u16, b: u16, c: u16) -> Self {
        Self { before: Some(Version(a, b, c)), ..self }
    }

    /// Whether it holds in `version`.
    pub fn holds(self, version: Version) -> bool {
        self.since <= version && self.before.is_none_or(|end| version < end)
    }
}

impl fmt::Display for Span {
    /// `since 1.11.0`, `before 1.11.0`, `1.9.14 to before 1.10.9`; nothing if it always holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.since, self.before) {
            (Version(0, 0, 0), None) => Ok(()),
            (Version(0, 0, 0), Some(end)) => write!(f, "before {end}"),
            (first, None) => write!(f, "since {first}"),
            (first, Some(end)) => write!(f, "{first} to before {end}"),
        }
    }
}

impl FromStr for Version {
    type Err = Failure;

    /// Reads `1.13.15`, `v1.13.15-stable`, and what `web3_clientVersion` says: `Geth/v1.13.15-stable-c5ba367e/linux-amd64/go1.26`.
    fn from_str(text: &str) -> Result<Self> {
        let wrong =
            || Failure::new(format!("`{text}` is not a version of a client")).help("write three numbers, as 1.13.15");
        let part = text.split('/').find(|part| part.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()));
        let part = part.ok_or_else(wrong)?.trim_start_matches('v');
        let part = part.split(['-', '+', ' ']).next().unwrap_or_default();
        let mut numbers = part.split('.').map(|number| number.parse::<u16>().map_err(|_| wrong()));
        let mut next = || numbers.next().unwrap_or_else(|| Err(wrong()));
        let version = Self(next()?, next()?, next()?);
        if numbers.next().is_some() { Err(wrong()) } else { Ok(version) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_people_and_clients_write_them() {
        for text in [
            "1.13.15",
            "v1.13.15",
            "Geth/v1.13.15-stable-c5ba367e/linux-amd64/go1.26.8",
            "Geth/sealer1/v1.13.15-stable/x",
        ] {
            assert_eq!(text.parse::<Version>().unwrap(), Version(1, 13, 15), "{text}");
        }
        for text in ["", "1.13", "latest", "1.2.3.4", "besu/v"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_span_ends_before_its_end() {
        let span = since(1, 9, 14).before(1, 10, 9);
        assert!(span.holds(Version(1, 9, 14)) && span.holds(Version(1, 10, 8)) && !span.holds(Version(1, 10, 9)));
        assert_eq!(span.to_string(), "1.9.14 to before 1.10.9");
    }
}
