//! Hosts, groups and their variables.

mod build;
pub mod folders;
mod ini;
mod literal;
mod merge;
pub mod pattern;
mod range;
mod script;
mod yaml;

use super::layers::{Table, Var};
use crate::base::diagnostic::Checked;
use crate::base::{Diagnostic, Span};
use crate::language::node::Node;
use indexmap::IndexMap;
use std::path::PathBuf;
use std::sync::Arc;

pub use pattern::PatternError;
pub use script::Run;

/// Everything that can be managed.
#[derive(Debug, Default)]
pub struct Inventory {
    /// By name, in the order of their first appearance.
    pub hosts: IndexMap<String, Host>,
    /// By name; `all` and `ungrouped` are always there.
    pub groups: IndexMap<String, Group>,
    /// What was given with `-i`, files as paths from the root.
    pub sources: Vec<PathBuf>,
    /// Odd, but no reason to stop.
    pub warnings: Vec<Diagnostic>,
    /// Folders in which `group_vars/` and `host_vars/` are looked for, one per source.
    folders: Vec<PathBuf>,
    tables: merge::Cache,
}

/// One host.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name, `inventory_hostname`.
    pub name: String,
    /// Its variables in the inventory itself.
    pub vars: Arc<Table>,
    /// The groups that list it themselves.
    pub groups: Vec<String>,
    /// Where it first appears; `None` for `add_host` and `-i a,b,`.
    pub span: Option<Span>,
    /// The file it comes from, for `inventory_file` and `inventory_dir`.
    pub source: Option<PathBuf>,
}

/// One group.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Hosts that it lists itself.
    pub hosts: Vec<String>,
    /// Groups in it.
    pub children: Vec<String>,
    /// Its variables in the inventory itself.
    pub vars: Arc<Table>,
    /// Where it first appears.
    pub span: Option<Span>,
}

/// The name of the host that is there without being listed.
pub const LOCALHOST: &[&str] = &["localhost", "127.0.0.1", "::1"];

impl Inventory {
    /// The same hosts and groups, for patterns.
    #[must_use]
    pub fn hosts_and_groups(&self) -> Self {
        Self { hosts: self.hosts.clone(), groups: self.groups.clone(), ..Self::default() }
    }

    /// Reads all sources of `-i`: files (YAML, INI, executable), folders of them, lists such as `a,b,`. `run` starts an
    /// executable inventory and gives its output.
    pub fn load(sources: &[String], run: &Run<'_>) -> Checked<Self> {
        build::load(sources, run)
    }

    /// An inventory without hosts; `localhost` is there nevertheless.
    pub fn empty() -> Self {
        let mut inventory = Self::default();
        inventory.group("all", None);
        inventory.group("ungrouped", None);
        inventory.root();
        inventory
    }

    /// Puts groups that are in no other into `all`.
    fn root(&mut self) {
        let inside: indexmap::IndexSet<String> =
            self.groups.values().flat_map(|group| group.children.iter().cloned()).collect();
        let outside: Vec<String> =
            self.groups.keys().filter(|name| *name != "all" && !inside.contains(*name)).cloned().collect();
        if let Some(all) = self.groups.get_mut("all") {
            all.children.extend(outside);
        }
    }

    /// The names of all hosts below a group: its own, then those of its children, each once.
    pub fn hosts_of(&self, group: &str) -> Vec<String> {
        let mut hosts = indexmap::IndexSet::new();
        for name in self.descendants(group) {
            if let Some(group) = self.groups.get(&name) {
                hosts.extend(group.hosts.iter().cloned());
            }
        }
        if group == "all" {
            hosts.extend(self.hosts.keys().cloned());
        }
        hosts.into_iter().collect()
    }

    /// The group and all below it, nearest first.
    fn descendants(&self, group: &str) -> Vec<String> {
        let mut found = indexmap::IndexSet::from([group.to_owned()]);
        let mut next = 0;
        while let Some(name) = found.get_index(next).cloned() {
            next += 1;
            if let Some(group) = self.groups.get(&name) {
                found.extend(group.children.iter().cloned());
            }
        }
        found.into_iter().collect()
    }

    /// All groups of a host, `all` left out, in the order in which their variables are merged: depth, then
    /// `ansible_group_priority`, then name.
    pub fn groups_of(&self, host: &str) -> Vec<String> {
        let mut found: indexmap::IndexSet<String> =
            self.hosts.get(host).map(|host| host.groups.iter().cloned().collect()).unwrap_or_default();
        let mut next = 0;
        while let Some(name) = found.get_index(next).cloned() {
            next += 1;
            let parents = self.groups.values().filter(|group| group.children.contains(&name));
            found.extend(parents.map(|group| group.name.clone()));
        }
        found.shift_remove("all");
        let mut groups: Vec<String> = found.into_iter().collect();
        groups.sort_by_cached_key(|name| (self.depth(name), self.priority(name), name.clone()));
        groups
    }

    /// `group_names`: as Ansible gives it, by name.
    pub fn group_names(&self, host: &str) -> Vec<String> {
        let mut names = self.groups_of(host);
        names.sort();
        names
    }

    /// The longest way up to `all`.
    fn depth(&self, group: &str) -> usize {
        fn walk(inventory: &Inventory, group: &str, left: usize) -> usize {
            let parents = inventory.groups.values().filter(|other| other.children.iter().any(|child| child == group));
            match left {
                0 => 0,
                _ => parents.map(|parent| 1 + walk(inventory, &parent.name, left - 1)).max().unwrap_or(0),
            }
        }
        walk(self, group, self.groups.len())
    }

    fn priority(&self, group: &str) -> i64 {
        match self.groups.get(group).and_then(|group| group.vars.get("ansible_group_priority")) {
            Some(Var::Node(node)) => {
                node.as_str().map_or_else(|| node.to_value().as_i64(), |text| text.trim().parse().ok()).unwrap_or(1)
            }
            Some(Var::Value(value)) => value.as_i64().unwrap_or(1),
            None => 1,
        }
    }

    /// Adds a host while the run goes on (`add_host`); says whether anything is new. Variables replace those of the same name.
    pub fn add_host(&mut self, name: &str, groups: &[String], vars: Table) -> bool {
        let mut new = !self.hosts.contains_key(name);
        self.host(name, None, None);
        if groups.is_empty() && self.hosts[name].groups.is_empty() {
            new |= self.add_to_group(name, "ungrouped", &[]);
        }
        for group in groups {
            new |= self.add_to_group(name, group, &[]);
        }
        if let Some(host) = self.hosts.get_mut(name) {
            let own = Arc::make_mut(&mut host.vars);
            for (name, var) in vars {
                new |= own.insert(name, var.clone()).as_ref() != Some(&var);
            }
        }
        new
    }

    /// Adds a host to a group, which is made if it does not exist, below `parents` (`group_by`); says whether anything is new.
    pub fn add_to_group(&mut self, host: &str, group: &str, parents: &[String]) -> bool {
        let mut new = !self.groups.contains_key(group);
        self.group(group, None);
        for parent in parents.iter().filter(|parent| *parent != group) {
            self.group(parent, None);
            if !self.descendants(group).contains(parent) {
                let children = &mut self.groups[parent.as_str()].children;
                if !children.iter().any(|child| child == group) {
                    children.push(group.to_owned());
                    new = true;
                }
            }
        }
        self.root();
        new | self.join(host, group)
    }

    fn join(&mut self, host: &str, group: &str) -> bool {
        let (Some(entry), Some(list)) = (self.hosts.get_mut(host), self.groups.get_mut(group)) else { return false };
        if entry.groups.iter().any(|known| known == group) {
            return false;
        }
        entry.groups.push(group.to_owned());
        list.hosts.push(host.to_owned());
        if group != "ungrouped" && group != "all" {
            entry.groups.retain(|known| known != "ungrouped");
            if let Some(ungrouped) = self.groups.get_mut("ungrouped") {
                ungrouped.hosts.retain(|known| known != host);
            }
        }
        true
    }

    fn host(&mut self, name: &str, span: Option<&Span>, source: Option<&PathBuf>) -> &mut Host {
        self.hosts.entry(name.to_owned()).or_insert_with(|| Host {
            name: name.to_owned(),
            vars: Arc::default(),
            groups: vec![],
            span: span.cloned(),
            source: source.cloned(),
        })
    }

    fn group(&mut self, name: &str, span: Option<&Span>) -> &mut Group {
        let group = self.groups.entry(name.to_owned()).or_insert_with(|| Group {
            name: name.to_owned(),
            hosts: vec![],
            children: vec![],
            vars: Arc::default(),
            span: None,
        });
        if group.span.is_none() {
            group.span = span.cloned();
        }
        group
    }

    /// Sets a variable of a host or group.
    fn set(vars: &mut Arc<Table>, name: &str, node: Node) {
        Arc::make_mut(vars).insert(name.to_owned(), Var::Node(node));
    }
}

#[cfg(test)]
mod tests;
