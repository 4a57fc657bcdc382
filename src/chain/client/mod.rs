//! What each client version reads, writes and can do: one table, with sources, that modules, roles and `chainwright client` ask.

mod autonity;
mod besu;
pub mod command;
mod geth;
mod geth_flags;
mod goquorum;
pub mod metrics;
mod nethermind;
mod openethereum;
mod row;
pub mod upgrade;
mod version;
pub mod wish;

pub use row::{Row, Topic};
pub use version::{Span, Version};

use crate::base::diagnostic::did_you_mean;
use crate::base::{Failure, failure::Result};
use std::str::FromStr;

/// The last version of geth that seals with Clique without the merge's total difficulty.
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

/// A client program.
#[derive(Debug)]
pub struct Client {
    /// As in an inventory.
    pub name: &'static str,
    /// Its other names.
    pub also: &'static [&'static str],
    /// The first and the last version that the table is about.
    pub versions: (Version, Version),
    /// What was tried of it, beside reading.
    pub tried: &'static str,
    /// What is known of it.
    pub rows: &'static [&'static [Row]],
}

/// Every client that is known.
pub static CLIENTS: &[Client] = &[
    Client {
        name: "geth",
        also: &["go-ethereum"],
        versions: (Version(1, 8, 0), Version(1, 17, 4)),
        tried: "flags read at every tag, the rest at some sixty; networks run with 1.9.25, 1.10.8, 1.10.26, 1.13.2 and 1.13.15",
        rows: &[
            geth::ROWS,
            geth::FORK_ROWS,
            geth_flags::ROWS,
            geth_flags::chain::ROWS,
            geth_flags::debug::ROWS,
            geth_flags::pool::ROWS,
            geth_flags::reach::ROWS,
            geth_flags::state::ROWS,
        ],
    },
    Client {
        name: "openethereum",
        also: &["parity"],
        versions: (Version(1, 8, 0), Version(3, 3, 5)),
        tried: "never run here: from its sources and changelogs, and from deployments that are published",
        rows: &[openethereum::ROWS],
    },
    Client {
        name: "nethermind",
        also: &[],
        versions: (Version(1, 8, 0), Version(1, 35, 0)),
        tried: "never run here: from its sources at the commits that are named, and its documentation",
        rows: &[nethermind::ROWS],
    },
    Client {
        name: "besu",
        also: &["hyperledger-besu", "pantheon"],
        versions: (Version(1, 0, 0), Version(26, 5, 0)),
        tried: "never run here: from its sources, its changelog and its documentation",
        rows: &[besu::ROWS, besu::flags::ROWS],
    },
    Client {
        name: "goquorum",
        also: &["quorum"],
        versions: (Version(2, 0, 0), Version(24, 4, 0)),
        tried: "never run here: from its sources and documentation at the commits that are named",
        rows: &[goquorum::ROWS],
    },
    Client {
        name: "autonity",
        also: &[],
        versions: (Version(0, 3, 0), Version(0, 14, 1)),
        tried: "never run here: from its sources at 0.3.0, 0.7.1 and 0.14.1",
        rows: &[autonity::ROWS],
    },
];

/// Finds a client by any of its names.
pub fn find(name: &str) -> Result<&'static Client> {
    let lower = name.to_ascii_lowercase();
    let found = CLIENTS.iter().find(|client| client.name == lower || client.also.contains(&lower.as_str()));
    found.ok_or_else(|| {
        let names = CLIENTS.iter().flat_map(|client| std::iter::once(&client.name).chain(client.also)).copied();
        let near = did_you_mean(&lower, names);
        Failure::new(format!("there is no client `{name}`")).help(near.map_or_else(
            || "known are geth, openethereum, nethermind, besu, goquorum, autonity".to_owned(),
            |near| format!("did you mean `{near}`?"),
        ))
    })
}

impl Client {
    /// geth.
    pub fn geth() -> &'static Self {
        &CLIENTS[0]
    }

    /// Every row, whatever the version.
    pub fn all(&self) -> impl Iterator<Item = &'static Row> {
        self.rows.iter().flat_map(|rows| rows.iter())
    }

    /// What holds in a version.
    pub fn rows(&self, version: Version) -> impl Iterator<Item = &'static Row> {
        self.all().filter(move |row| row.holds(version))
    }

    /// The row of this name that holds in a version; where two do, the newer one.
    pub fn row(&self, version: Version, topic: Topic, name: &str) -> Option<&'static Row> {
        let rows = self.rows(version).filter(|row| row.topic == topic && row.name == name);
        rows.max_by_key(|row| row.span.since)
    }

    /// Whether the table is about this version. A newer one may have changed: it is taken for like the last.
    pub fn check(&self, version: Version) -> Result<()> {
        let (first, last) = self.versions;
        if version >= first {
            return Ok(());
        }
        Err(Failure::new(format!("{} {version} is older than all that is known of it", self.name))
            .help(format!("known are {first} to {last}")))
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

impl FromStr for StaticPeers {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "json" | "static-nodes.json" => Ok(Self::Json),
            "config" | "config.toml" => Ok(Self::Config),
            _ => Err(Failure::new(format!("`{text}` is no form of static peers")).help("write `json` or `config`")),
        }
    }
}

/// What the modules ask of a version of geth.
impl Version {
    /// The form in which this version takes its static peers: the file where it is read, the configuration after that.
    pub fn static_peers(self) -> StaticPeers {
        match Client::geth().row(self, Topic::Reads, "static-nodes.json") {
            Some(_) => StaticPeers::Json,
            None => StaticPeers::Config,
        }
    }

    /// Whether it seals with Clique on a network without a terminal total difficulty.
    pub fn seals_clique(self) -> bool {
        Client::geth().row(self, Topic::Engine, "clique").is_some()
    }

    /// The last line of a clean stop: the only one that every configuration prints.
    pub fn stopped(self) -> &'static str {
        Client::geth().row(self, Topic::Stop, "the last line").map_or("Blockchain stopped", |row| row.says)
    }

    /// Whether `geth db get` reads a data folder without a running node.
    pub fn reads_database(self) -> bool {
        Client::geth().row(self, Topic::State, "geth db get").is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_gets_its_peers_where_it_reads_them() {
        assert_eq!(Version(1, 10, 26).static_peers(), StaticPeers::Json);
        assert_eq!(Version(1, 11, 0).static_peers(), StaticPeers::Config);
        assert!(LAST_CLIQUE.seals_clique() && !Version(1, 14, 0).seals_clique());
    }

    #[test]
    fn a_stop_is_proven_by_the_line_that_the_version_prints() {
        assert_eq!(Version(1, 9, 12).stopped(), "Blockchain manager stopped");
        assert_eq!(Version(1, 9, 13).stopped(), "Blockchain stopped");
        assert_eq!(LAST_CLIQUE.stopped(), "Blockchain stopped");
    }

    #[test]
    fn every_row_has_a_source_and_a_span_that_is_not_empty() {
        for row in CLIENTS.iter().flat_map(Client::all) {
            assert!(!row.source.is_empty() && !row.name.is_empty() && !row.says.is_empty(), "{row:?}");
            assert!(row.span.before.is_none_or(|end| row.span.since < end), "{row:?}");
        }
    }

    #[test]
    fn a_source_is_a_file_a_page_or_a_pull_request_and_not_just_a_name() {
        for row in CLIENTS.iter().flat_map(Client::all) {
            assert!(row.source.contains('/'), "{row:?}");
        }
    }

    #[test]
    fn a_fork_is_as_old_here_as_where_genesis_files_are_checked() {
        use crate::chain::genesis::forks::{FORKS, Fork, Target};
        for (name, target) in
            [("besu", Target::BESU), ("nethermind", Target::NETHERMIND), ("openethereum", Target::OPEN_ETHEREUM)]
        {
            for fact in FORKS.iter().filter(|fact| fact.fork >= Fork::Berlin) {
                let row = find(name).unwrap().all().find(|row| row.topic == Topic::Fork && row.name == fact.key);
                let Some(row) = row else { continue };
                assert_eq!(Some(row.span.since), target.first(fact.fork), "{name}: {row:?}");
            }
        }
    }

    #[test]
    fn every_client_is_described_in_all_that_an_operator_asks() {
        use Topic::{Api, Bootnode, Engine, Flag, Metrics, Peers, Reads, Rpc, State, Stop, Unlock};
        for client in CLIENTS {
            for topic in [Api, Bootnode, Engine, Flag, Metrics, Peers, Reads, Rpc, State, Stop, Unlock] {
                let known = client.rows(client.versions.1).any(|row| row.topic == topic)
                    || client.rows(client.versions.0).any(|row| row.topic == topic);
                assert!(known, "{}: nothing of {topic:?}", client.name);
            }
        }
    }

    #[test]
    fn a_client_has_the_names_that_people_use() {
        assert_eq!(find("Parity").unwrap().name, "openethereum");
        assert!(find("gehth").unwrap_err().help.unwrap().contains("`geth`"));
    }
}
