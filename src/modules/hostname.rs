//! `hostname`: what the host calls itself.

use super::loose::Text;
use super::program::{must, tool};
use super::{Cx, Module, Result};
use crate::base::{Diff, Failure, Map, Value};
use crate::system::Traits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Sets the host's name, now and after the next boot.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Hostname {
    /// The name, with or without a domain.
    pub name: Text,
    /// Accepted for Ansible's sake: it is done in the same way everywhere.
    #[serde(default)]
    pub r#use: Option<String>,
}

impl Module for Hostname {
    const NAME: &'static str = "hostname";
    const EXAMPLE: &'static str = "\
- hostname:
    name: \"{{ inventory_hostname }}\"";
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let name = self.name.0.trim();
        // `man 7 hostname`
        let label = |label: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            !label.is_empty() && label.len() <= 63 && label.chars().all(plain) && !label.starts_with('-')
        };
        if name.len() > 64 || !name.split('.').all(label) {
            return Err(Failure::new(format!("`{name}` cannot be the name of a host"))
                .help("letters, digits, `-`, and `.` between parts; at most 64 characters"));
        }
        let file = Path::new("/etc/hostname");
        let saved = cx.system.read_text_if_there(file)?;
        if saved.as_deref().map(str::trim) != Some(name) {
            let text = format!("{name}\n");
            let diff = Diff::text("/etc/hostname", saved, Some(text.clone()));
            cx.change(diff, |writer| writer.write(file, text.as_bytes(), Traits::mode(0o644)))?;
        }
        let kernel = cx.system.read_text_if_there(Path::new("/proc/sys/kernel/hostname"))?.unwrap_or_default();
        if kernel.trim() != name {
            let diff = Diff::value("hostname", kernel.trim(), name);
            cx.change(diff, |writer| must(writer, &tool(["hostname", name])))?;
        }
        let (short, domain) = name.split_once('.').unwrap_or((name, ""));
        let facts = [("hostname", short), ("nodename", name), ("fqdn", name), ("domain", domain)];
        let facts = facts.iter().map(|(fact, value)| (format!("ansible_{fact}"), Value::from(*value)));
        Ok(Map::from_iter([
            ("name".to_owned(), name.into()),
            ("ansible_facts".to_owned(), Value::Object(facts.collect())),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::{call, call_on};
    use crate::system::System;
    use serde_json::json;

    #[test]
    fn both_the_file_and_the_kernel_are_told() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("etc")).unwrap();
        std::fs::create_dir_all(root.path().join("proc/sys/kernel")).unwrap();
        std::fs::write(root.path().join("etc/hostname"), "old\n").unwrap();
        std::fs::write(root.path().join("proc/sys/kernel/hostname"), "old\n").unwrap();
        let system = System::new(root.path());
        let outcome = call_on(&system, "hostname", json!({"name": "node7.lab"}), true).unwrap();
        let shown: Vec<_> = outcome.diffs.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["/etc/hostname content", "hostname old -> node7.lab"]);
        assert_eq!(outcome.output["ansible_facts"]["ansible_domain"], "lab");
        assert!(!call_on(&system, "hostname", json!({"name": "old"}), true).unwrap().changed());
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for name in ["", "-a", "a b", "a..b", "a;b"] {
            assert!(call("hostname", json!({"name": name})).unwrap_err().message.contains("cannot be the name"));
        }
    }
}
