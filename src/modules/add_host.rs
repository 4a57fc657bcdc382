//! `add_host`: adds a host to the inventory of this run.

use super::loose::{Text, Words};
use super::{Cx, Module, Reach, Result};
use crate::base::{Failure, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Adds a host, and groups for it, to the inventory in memory, for later plays.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct AddHost {
    /// The host's name, as in an inventory; `name:port` sets its SSH port.
    pub name: Text,
    /// Groups to put it in; they are made if they do not exist.
    #[serde(default)]
    pub groups: Words,
    /// The host's variables: any names, any values.
    #[serde(flatten)]
    pub variables: Map,
}

impl Module for AddHost {
    const NAME: &'static str = "add_host";
    const EXAMPLE: &'static str = "\
- add_host:
    name: \"{{ new_address }}\"
    groups: sealers
    ansible_user: root";
    const REACH: Reach = Reach::Controller;
    const OPEN: bool = true;
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("hostname", "name"), ("host", "name"), ("group", "groups"), ("groupname", "groups")];
    type Output = Map;

    fn run(&self, _: &mut Cx) -> Result<Map> {
        let mut variables = self.variables.clone();
        let (name, port) = split_port(self.name.0.trim());
        if name.is_empty() {
            return Err(Failure::new("add_host was given an empty name"));
        }
        if let Some(port) = port {
            variables.insert("ansible_port".into(), port.into());
        }
        let host = Map::from_iter([
            ("host_name".to_owned(), name.into()),
            ("groups".to_owned(), self.groups.0.iter().map(|group| group.trim()).collect()),
            ("host_vars".to_owned(), Value::Object(variables)),
        ]);
        Ok(Map::from_iter([("add_host".to_owned(), Value::Object(host))]))
    }
}

/// `host:22`, `[fe80::1]:22`, but not the last part of `fe80::1`.
fn split_port(name: &str) -> (&str, Option<u16>) {
    let Some((host, port)) = name.rsplit_once(':') else { return (name, None) };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match (port.parse(), bracketed) {
        (Ok(port), Some(host)) => (host, Some(port)),
        (Ok(port), None) if !host.contains(':') => (host, Some(port)),
        _ => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call;
    use super::split_port;
    use serde_json::json;

    #[test]
    fn a_host_comes_with_its_groups_and_variables() {
        let output = call("add_host", json!({"hostname": "new:2222", "group": "a, b", "role": "rpc"})).unwrap();
        assert_eq!(
            output["add_host"],
            json!({"host_name": "new", "groups": ["a", "b"], "host_vars": {"role": "rpc", "ansible_port": 2222}})
        );
    }

    #[test]
    fn an_ipv6_address_is_not_a_port() {
        assert_eq!(split_port("fe80::1"), ("fe80::1", None));
        assert_eq!(split_port("[fe80::1]:22"), ("fe80::1", Some(22)));
    }
}
