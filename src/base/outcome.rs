//! What a step that did not fail brings back.

use super::{Diff, Map};
use serde::{Deserialize, Serialize};

/// The differences that were made (or, in check mode, would be) and the values to register.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// In the order they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diffs: Vec<Diff>,
    /// The module's return values; `skipped: true` and `changed: BOOL` in it are obeyed.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub output: Map,
}

impl Outcome {
    /// Whether anything was, or would be, changed.
    pub fn changed(&self) -> bool {
        match self.output.get("changed") {
            Some(serde_json::Value::Bool(changed)) => *changed,
            _ => !self.diffs.is_empty(),
        }
    }
}
