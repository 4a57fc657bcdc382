//! A host's trouble, as data: it crosses the wire, is registered, and becomes an event.

use super::{Map, Value};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What the module knew when it failed (`rc`, `stdout`, ...); registered beside `msg`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub output: Map,
    /// The host did not answer, as opposed to: it answered that something is wrong.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreachable: bool,
}

/// What most of the program returns.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure with a message and nothing else.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, output: Map::new(), unreachable: false }
    }

    /// The host cannot be spoken to.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { unreachable: true, ..Self::new(message) }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a value that the user may register.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.output.insert(name.to_owned(), value.into());
        self
    }

    /// Puts `context` before the message: `context: message`.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// Names what was being done when an error of another kind arose.
pub trait Context<T> {
    /// `context` is the thing in hand: a path, a command, a host.
    fn context(self, context: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, context: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Failure::new(format!("{context}: {error}")))
    }
}
