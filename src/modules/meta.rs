//! `meta`: orders for the engine itself.

use super::{Cx, Module, Reach, Result};
use crate::base::diagnostic::did_you_mean;
use crate::base::{Failure, Map};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// Tells the engine to do something that is no task: to run handlers now, to end a host or a play. The engine obeys it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Meta {
    /// `flush_handlers`, `noop`, `end_host`, `end_play`, `end_batch`, `end_role`, `clear_facts`, `clear_host_errors`,
    /// `refresh_inventory` or `reset_connection`.
    pub action: Action,
}

/// What can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Run the notified handlers now.
    FlushHandlers,
    /// Nothing.
    Noop,
    /// This host is done with this play, without failing.
    EndHost,
    /// All hosts are done with this play.
    EndPlay,
    /// The hosts of this batch (`serial`) are done with this play.
    EndBatch,
    /// This host is done with the role that this task stands in.
    EndRole,
    /// Forget the facts.
    ClearFacts,
    /// Take failed and unreachable hosts back in.
    ClearHostErrors,
    /// Read the inventory again.
    RefreshInventory,
    /// Close the connection; the next task opens it anew.
    ResetConnection,
}

/// Every order by its name.
pub const ACTIONS: &[(&str, Action)] = &[
    ("flush_handlers", Action::FlushHandlers),
    ("noop", Action::Noop),
    ("end_host", Action::EndHost),
    ("end_play", Action::EndPlay),
    ("end_batch", Action::EndBatch),
    ("end_role", Action::EndRole),
    ("clear_facts", Action::ClearFacts),
    ("clear_host_errors", Action::ClearHostErrors),
    ("refresh_inventory", Action::RefreshInventory),
    ("reset_connection", Action::ResetConnection),
];

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let word = word.trim();
        if let Some((_, action)) = ACTIONS.iter().find(|(name, _)| *name == word) {
            return Ok(*action);
        }
        let names = || ACTIONS.iter().map(|(name, _)| *name);
        Err(D::Error::custom(match did_you_mean(word, names()) {
            Some(meant) => format!("there is no action `{word}`; did you mean `{meant}`?"),
            None => format!("there is no action `{word}`; there are {}", names().collect::<Vec<_>>().join(", ")),
        }))
    }
}

impl Module for Meta {
    const NAME: &'static str = "meta";
    const EXAMPLE: &'static str = "- meta: flush_handlers";
    const REACH: Reach = Reach::Controller;
    const ALIASES: &'static [(&'static str, &'static str)] = &[("free_form", "action")];
    const FREE_FORM: Option<&'static str> = Some("action");
    type Output = Map;

    fn run(&self, _: &mut Cx) -> Result<Map> {
        match self.action {
            Action::Noop => Ok(Map::new()),
            action => Err(Failure::new(format!("meta: {action:?} only works inside a playbook"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call;
    use serde_json::json;

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        let failure = call("meta", json!({"action": "flush_handler"})).unwrap_err();
        assert!(failure.message.contains("did you mean `flush_handlers`?"), "{failure}");
        assert!(call("meta", json!({"action": "noop"})).is_ok());
    }
}
