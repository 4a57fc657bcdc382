//! `package`: packages are installed, whichever program the host has for it.

use super::apt::State;
use super::loose::{Text, Words};
use super::{Cx, Module, Result, pass_on};
use crate::base::{Failure, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Installs and removes packages, on hosts with apt. Options of `apt` may be written here, too.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Package {
    /// Packages.
    pub name: Words,
    /// `present`, `latest` or `absent`.
    #[serde(default)]
    pub state: State,
    /// The program to use: `auto` or `apt`.
    #[serde(default)]
    pub r#use: Option<Text>,
    /// What `apt` gets beside these.
    #[serde(flatten)]
    #[schemars(skip)]
    pub more: Map,
}

impl Module for Package {
    const NAME: &'static str = "package";
    const EXAMPLE: &'static str = "\
- package:
    name: jq
    state: present";
    const ALIASES: &'static [(&'static str, &'static str)] = &[("pkg", "name")];
    const PASSES_TO: Option<&'static str> = Some("apt");
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let wanted = self.r#use.as_ref().map_or("auto", |wanted| wanted.0.as_str());
        let facts = || cx.system.facts(&["!all", "!min", "distribution"].map(str::to_owned));
        if !matches!(wanted, "auto" | "apt") || !cx.system.exists(Path::new("/usr/bin/apt-get"))? {
            let facts = facts()?;
            let text = |name| facts.get(name).and_then(Value::as_str).unwrap_or("this distribution");
            let (name, version) = (text("ansible_distribution"), text("ansible_distribution_version"));
            return Err(Failure::new(format!("cannot install packages on {name} {version}: only apt is known"))
                .help("install them with `command`, or use Debian or one of its relatives"));
        }
        let mut args = self.more.clone();
        args.insert("name".into(), self.name.0.iter().map(String::as_str).collect());
        args.insert("state".into(), serde_json::to_value(self.state).unwrap_or_default());
        pass_on::<Self>(args, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Host;
    use serde_json::json;

    #[test]
    fn a_distribution_without_apt_is_named() {
        let host = Host::new();
        host.file("/etc/os-release", "ID=fedora\nVERSION_ID=41\n");
        let message = host.fails("package", json!({"name": "jq", "state": "present"}));
        assert!(message.starts_with("cannot install packages on Fedora 41"), "{message}");
    }
}
