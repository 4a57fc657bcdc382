//! What the versions of geth read, write and can do. From go-ethereum's sources at its tags, tried with 1.10.26 and 1.13.15.

use crate::base::{Failure, failure::Result};
use std::fmt;
use std::str::FromStr;

/// A version of geth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16, pub u16);

/// The last version that seals with Clique without the merge's total difficulty.
pub const LAST_CLIQUE: Version = Version(1, 13, 15);

/// Lines of which any, in a stop's log, means that state may be lost.
pub const STOP_FAILURES: &[&str] = &[
    "Failed to journal",
    "Failed to commit recent state trie",
    "Dangling trie nodes after full cleanup",
    "Failed to close trie database",
    "Failed to close database",
    "Failed to store",
    "panic:",
    "fatal error:",
];

/// Lines of which any, in a start's log, means that the stop before it was not clean, or that state was lost.
pub const START_FAILURES: &[&str] = &[
    "Unclean shutdown detected",
    "Head state missing",
    "Head block is not reachable",
    "Rewinding blockchain",
    "Truncating ancient chain",
];

/// The first line of an orderly stop.
pub const INTERRUPTED: &str = "Got interrupt, shutting down";

impl Version {
    /// The form in which this version takes its static peers.
    pub fn static_peers(self) -> StaticPeers {
        if self >= Self(1, 11, 0) { StaticPeers::Config } else { StaticPeers::Json }
    }

    /// Whether it seals with Clique on a network without a terminal total difficulty.
    pub fn seals_clique(self) -> bool {
        self <= LAST_CLIQUE
    }

    /// The last line of a clean stop: the only one that every configuration prints.
    pub fn stopped(self) -> &'static str {
        if self >= Self(1, 9, 11) { "Blockchain stopped" } else { "Blockchain manager stopped" }
    }

    /// Whether `geth db get` reads a data folder without a running node.
    pub fn reads_database(self) -> bool {
        self >= Self(1, 10, 0)
    }
}

/// Where static peers stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaticPeers {
    /// In `static-nodes.json` in the data folder.
    Json,
    /// In `[Node.P2P] StaticNodes` of the file that `--config` names; a `static-nodes.json` is passed over.
    Config,
}

impl FromStr for Version {
    type Err = Failure;

    /// Reads `1.13.15`, `v1.13.15-stable`, and what `web3_clientVersion` says: `Geth/v1.13.15-stable-c5ba367e/linux-amd64/go1.26`.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Failure::new(format!("`{text}` is not a version of geth")).help("write it as 1.13.15");
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
    fn each_version_gets_its_peers_where_it_reads_them() {
        assert_eq!(Version(1, 10, 26).static_peers(), StaticPeers::Json);
        assert_eq!(Version(1, 11, 0).static_peers(), StaticPeers::Config);
        assert!(Version(1, 13, 15).seals_clique() && !Version(1, 14, 0).seals_clique());
    }
}
