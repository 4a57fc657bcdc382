//! `include_vars`: reads variables from files while the run goes on.

use super::loose::{Flag, Number, Text, Words};
use super::set_fact::is_name;
use super::{Cx, Module, Reach, Result};
use crate::base::{Failure, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads variables from YAML or JSON files on the controller. The engine finds and parses the files.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct IncludeVars {
    /// One file: searched in the role's `vars`, then beside the playbook.
    #[serde(default)]
    pub file: Option<String>,
    /// A folder: all its files in alphabetical order, later ones win.
    #[serde(default)]
    pub dir: Option<String>,
    /// Put the variables into one table of this name instead of setting each.
    #[serde(default)]
    pub name: Option<Text>,
    /// How many folders deep to go below `dir`; 0 is all the way.
    #[serde(default)]
    pub depth: Number,
    /// Only files of `dir` whose names match this regular expression.
    #[serde(default)]
    pub files_matching: Option<String>,
    /// Names of files in `dir` to leave out; each is a regular expression that must match to the end.
    #[serde(default)]
    pub ignore_files: Words,
    /// Only files of `dir` with these endings.
    #[serde(default = "yaml_and_json")]
    pub extensions: Words,
    /// Pass over files with other endings silently.
    #[serde(default)]
    pub ignore_unknown_extensions: Flag,
    /// `replace` (a table replaces a table) or `merge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_behaviour: Option<HashBehaviour>,
    /// What was read; the engine fills it in.
    #[serde(default, rename = "_vars")]
    #[schemars(skip)]
    pub variables: Map,
    /// From where; the engine fills it in.
    #[serde(default, rename = "_files")]
    #[schemars(skip)]
    pub files: Vec<String>,
}

/// What happens to a table that exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HashBehaviour {
    /// The new one takes its place.
    Replace,
    /// The two become one, the new one's entries win.
    Merge,
}

fn yaml_and_json() -> Words {
    Words(vec!["yaml".into(), "yml".into(), "json".into()])
}

impl Module for IncludeVars {
    const NAME: &'static str = "include_vars";
    const EXAMPLE: &'static str = "\
- include_vars: \"{{ network.engine }}.yml\"
- include_vars:
    dir: networks
    name: networks";
    const REACH: Reach = Reach::Controller;
    const FREE_FORM: Option<&'static str> = Some("file");
    type Output = Map;

    fn run(&self, _: &mut Cx) -> Result<Map> {
        if self.file.is_some() == self.dir.is_some() {
            return Err(Failure::new("include_vars takes either `file` or `dir`"));
        }
        let facts = match &self.name {
            Some(name) if !is_name(&name.0) => {
                return Err(Failure::new(format!("`{}` cannot be the name of a variable", name.0)));
            }
            Some(name) => Map::from_iter([(name.0.clone(), Value::Object(self.variables.clone()))]),
            None => self.variables.clone(),
        };
        Ok(Map::from_iter([
            ("ansible_facts".to_owned(), Value::Object(facts)),
            ("ansible_included_var_files".to_owned(), self.files.iter().map(String::as_str).collect()),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call;
    use serde_json::json;

    #[test]
    fn variables_may_be_gathered_under_one_name() {
        let args = json!({"file": "a.yml", "name": "net", "_vars": {"id": 7}, "_files": ["/p/vars/a.yml"]});
        let output = call("include_vars", args).unwrap();
        assert_eq!(output["ansible_facts"], json!({"net": {"id": 7}}));
        assert_eq!(output["ansible_included_var_files"], json!(["/p/vars/a.yml"]));
    }

    #[test]
    fn a_file_and_a_folder_at_once_are_refused() {
        assert!(call("include_vars", json!({"file": "a", "dir": "b"})).is_err());
        assert!(call("include_vars", json!({})).is_err());
    }
}
