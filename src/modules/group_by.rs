//! `group_by`: groups hosts by a value they have.

use super::loose::{Text, Words};
use super::{Cx, Module, Reach, Result};
use crate::base::{Failure, Map};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Puts each host into a group named after a value, for later plays.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct GroupBy {
    /// The group's name, usually a template; blanks become `-`.
    pub key: Text,
    /// The groups above it.
    #[serde(default = "all")]
    pub parents: Words,
}

fn all() -> Words {
    Words(vec!["all".into()])
}

impl Module for GroupBy {
    const NAME: &'static str = "group_by";
    const EXAMPLE: &'static str = "\
- group_by:
    key: client_{{ client_version }}";
    const REACH: Reach = Reach::Controller;
    type Output = Map;

    fn run(&self, _: &mut Cx) -> Result<Map> {
        if self.key.0.trim().is_empty() {
            return Err(Failure::new("group_by was given an empty key"));
        }
        let name = |text: &str| text.replace(' ', "-");
        Ok(Map::from_iter([
            ("add_group".to_owned(), name(&self.key.0).into()),
            ("parent_groups".to_owned(), self.parents.0.iter().map(|parent| name(parent)).collect()),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call;
    use serde_json::json;

    #[test]
    fn blanks_in_a_groups_name_become_dashes() {
        let output = call("group_by", json!({"key": "os debian 12", "parents": "by os,all"})).unwrap();
        assert_eq!(output["add_group"], "os-debian-12");
        assert_eq!(output["parent_groups"], json!(["by-os", "all"]));
    }
}
