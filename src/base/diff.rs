//! What a step changes, or would change.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One difference between what is and what should be. A step has changed something exactly when it has a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Diff {
    /// A text becomes another text: shown as a unified diff. `None` means: does not exist.
    Text {
        /// The file, or another name for the text.
        name: String,
        /// Before the change.
        before: Option<String>,
        /// After the change.
        after: Option<String>,
    },
    /// A property becomes another: `mode 0755 -> 0700`.
    Value {
        /// The property: `mode`, `owner`, `state`.
        name: String,
        /// Before the change.
        before: String,
        /// After the change.
        after: String,
    },
    /// Something is done that has no before: `run: make install`.
    Action {
        /// What is done.
        what: String,
    },
}

impl Diff {
    /// A text that changes; `None` means that it does not exist.
    pub fn text(name: impl Into<String>, before: Option<String>, after: Option<String>) -> Self {
        Self::Text { name: name.into(), before, after }
    }

    /// A property that changes.
    pub fn value(name: impl Into<String>, before: impl fmt::Display, after: impl fmt::Display) -> Self {
        Self::Value { name: name.into(), before: before.to_string(), after: after.to_string() }
    }

    /// A deed.
    pub fn action(what: impl Into<String>) -> Self {
        Self::Action { what: what.into() }
    }
}

impl fmt::Display for Diff {
    /// One line, for plain output: the whole text of a [`Diff::Text`] is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { name, before: None, .. } => write!(f, "{name} created"),
            Self::Text { name, after: None, .. } => write!(f, "{name} removed"),
            Self::Text { name, .. } => write!(f, "{name} content"),
            Self::Value { name, before, after } => write!(f, "{name} {before} -> {after}"),
            Self::Action { what } => f.write_str(what),
        }
    }
}
