//! The shape of what is known of a client: rows that hold in some versions, each with its source.

use super::version::{Span, Version};

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A flag by today's name, and how it is written in these versions.
    Flag,
    /// A file or folder that it reads.
    Reads,
    /// A file that it passes over, though other versions read it.
    Ignores,
    /// The form of static peers, and what an enode may hold.
    Peers,
    /// A consensus engine that it can seal with.
    Engine,
    /// A fork that it knows, by its name in genesis.json.
    Fork,
    /// What it cannot do, and what happens to who tries.
    Refuses,
    /// How an account is unlocked for sealing.
    Unlock,
    /// What others find the network by.
    Bootnode,
    /// How state is kept.
    State,
    /// A version of the protocol `eth` that it speaks with its peers.
    Wire,
    /// Log lines of a clean stop.
    Stop,
    /// Log lines of trouble, at a stop or at a start.
    Trouble,
    /// Metrics.
    Metrics,
    /// Methods that tell of sync, peers and sealing.
    Rpc,
    /// A namespace that can be offered over HTTP.
    Api,
}

impl Topic {
    /// Every topic, in the order in which they are shown.
    pub const ALL: &[Self] = &[
        Self::Engine,
        Self::Refuses,
        Self::Fork,
        Self::Wire,
        Self::Peers,
        Self::Reads,
        Self::Ignores,
        Self::Unlock,
        Self::Flag,
        Self::Api,
        Self::Rpc,
        Self::Bootnode,
        Self::State,
        Self::Stop,
        Self::Trouble,
        Self::Metrics,
    ];

    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Flag => "Flags",
            Self::Reads => "Files it reads",
            Self::Ignores => "Files it passes over",
            Self::Peers => "Peers",
            Self::Engine => "Engines it seals with",
            Self::Fork => "Forks it knows",
            Self::Refuses => "What it refuses",
            Self::Unlock => "Unlocking accounts",
            Self::Bootnode => "Bootnode",
            Self::State => "State",
            Self::Wire => "Protocol between peers",
            Self::Stop => "Log of a clean stop",
            Self::Trouble => "Log of trouble",
            Self::Metrics => "Metrics",
            Self::Rpc => "RPC for sync, peers and sealing",
            Self::Api => "Namespaces for HTTP",
        }
    }

    /// As a key in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Self::Flag => "flags",
            Self::Reads => "reads",
            Self::Ignores => "ignores",
            Self::Peers => "peers",
            Self::Engine => "engines",
            Self::Fork => "forks",
            Self::Refuses => "refuses",
            Self::Unlock => "unlock",
            Self::Bootnode => "bootnode",
            Self::State => "state",
            Self::Wire => "wire",
            Self::Stop => "stop",
            Self::Trouble => "trouble",
            Self::Metrics => "metrics",
            Self::Rpc => "rpc",
            Self::Api => "apis",
        }
    }
}

/// One thing that holds in some versions.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What it is about.
    pub topic: Topic,
    /// What is spoken of: a flag by its newest name, a file, a method.
    pub name: &'static str,
    /// What holds; of a flag, how it is written.
    pub says: &'static str,
    /// In which versions.
    pub span: Span,
    /// Where that is written.
    pub source: &'static str,
}

impl Row {
    /// Whether it holds in `version`.
    pub fn holds(&self, version: Version) -> bool {
        self.span.holds(version)
    }
}

/// A row.
pub const fn row(topic: Topic, name: &'static str, says: &'static str, span: Span, source: &'static str) -> Row {
    Row { topic, name, says, span, source }
}
