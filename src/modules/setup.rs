//! `setup`: gathers facts.

use super::loose::{Number, Words};
use super::{Cx, Module, Reach, Result};
use crate::base::{Map, Value};
use crate::system::facts::LocalFacts;
use crate::system::glob::fits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Gathers facts about the host: `ansible_hostname`, `ansible_distribution`, `ansible_default_ipv4`, ... Plays do this by
/// themselves unless they say `gather_facts: false`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Setup {
    /// What to gather: `all`, `min`, `hardware`, `network`, `virtual`, a part such as `mounts`, or any of these with `!`
    /// before it to leave it out.
    #[serde(default = "all")]
    pub gather_subset: Words,
    /// Seconds that a program in `fact_path` may take.
    #[serde(default = "ten")]
    pub gather_timeout: Number,
    /// Only facts whose names fit one of these patterns, with or without `ansible_`.
    #[serde(default)]
    pub filter: Words,
    /// A folder of `*.fact` files, which become `ansible_local`.
    #[serde(default = "fact_path")]
    pub fact_path: String,
}

fn all() -> Words {
    Words(vec!["all".into()])
}
fn ten() -> Number {
    Number(10)
}
fn fact_path() -> String {
    "/etc/ansible/facts.d".into()
}

impl Module for Setup {
    const NAME: &'static str = "setup";
    const ALSO: &'static [&'static str] = &["gather_facts"];
    const EXAMPLE: &'static str = "\
- setup:
    gather_subset: [network, mounts]
    filter: ansible_default_*";
    const REACH: Reach = Reach::Host;
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let subset = if self.gather_subset.0.is_empty() { all() } else { self.gather_subset.clone() };
        let mut facts = cx.system.facts(&subset.0)?;
        let folder = cx.system.expand(&self.fact_path)?;
        let timeout = u64::try_from(self.gather_timeout.0).unwrap_or(10).max(1);
        let local = cx.system.local_facts(&LocalFacts { folder: &folder, timeout })?;
        facts.insert("ansible_local".into(), Value::Object(local));
        facts.insert("module_setup".into(), true.into());
        let filter: Vec<_> = self.filter.0.iter().filter(|pattern| !pattern.is_empty()).collect();
        if !filter.is_empty() {
            facts.retain(|name, _| {
                let bare = name.strip_prefix("ansible_").unwrap_or(name);
                filter.iter().any(|pattern| fits(pattern, name) || fits(pattern, bare))
            });
        }
        Ok(Map::from_iter([("ansible_facts".to_owned(), Value::Object(facts))]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call_on;
    use crate::system::System;
    use serde_json::json;

    #[test]
    fn a_filter_keeps_what_fits() {
        let args = json!({"filter": ["ansible_kern*", "distribution"], "gather_subset": "!all"});
        let output = call_on(&System::new("/"), "gather_facts", args, false).unwrap().output;
        let facts = output["ansible_facts"].as_object().unwrap();
        let mut names: Vec<_> = facts.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["ansible_distribution", "ansible_kernel", "ansible_kernel_version"]);
    }
}
