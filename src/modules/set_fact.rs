//! `set_fact`: gives a host variables for the rest of the run.

use super::loose::Flag;
use super::{Cx, Module, Reach, Result};
use crate::base::{Failure, Map};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sets variables of this host; they last until the run ends and stand above all but role parameters and `-e`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct SetFact {
    /// Also keep them as facts, under the precedence of facts.
    #[serde(default)]
    pub cacheable: Flag,
    /// The variables: any names, any values.
    #[serde(flatten)]
    pub variables: Map,
}

/// Whether a text can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first == '_' || first.is_ascii_alphabetic())
        && characters.all(|character| character == '_' || character.is_ascii_alphanumeric())
}

impl Module for SetFact {
    const NAME: &'static str = "set_fact";
    const EXAMPLE: &'static str = "\
- set_fact:
    genesis_hash: \"{{ genesis.hash }}\"
    expected_peers: \"{{ groups['sealers'] | length - 1 }}\"";
    const REACH: Reach = Reach::Controller;
    const OPEN: bool = true;
    type Output = Map;

    fn run(&self, _: &mut Cx) -> Result<Map> {
        if self.variables.is_empty() {
            return Err(Failure::new("set_fact sets nothing").help("write at least one `name: value` below it"));
        }
        if let Some(wrong) = self.variables.keys().find(|name| !is_name(name)) {
            return Err(Failure::new(format!("`{wrong}` cannot be the name of a variable"))
                .help("a name starts with a letter or `_` and goes on with letters, digits and `_`"));
        }
        let mut output = Map::from_iter([("ansible_facts".to_owned(), self.variables.clone().into())]);
        if self.cacheable.0 {
            output.insert("_ansible_facts_cacheable".into(), true.into());
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call;
    use serde_json::json;

    #[test]
    fn every_key_but_cacheable_is_a_variable() {
        let output = call("set_fact", json!({"a": 1, "b": [true], "cacheable": "yes"})).unwrap();
        assert_eq!(output["ansible_facts"], json!({"a": 1, "b": [true]}));
        assert_eq!(output["_ansible_facts_cacheable"], true);
    }

    #[test]
    fn a_name_that_no_template_could_use_is_refused() {
        assert!(call("set_fact", json!({"chain-id": 1})).unwrap_err().message.contains("`chain-id`"));
        assert!(call("set_fact", json!({})).is_err());
    }
}
