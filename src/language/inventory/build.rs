//! From the words after `-i` to an inventory.

use super::{Inventory, Run, folders, ini, range, script, yaml};
use crate::base::diagnostic::Checked;
use crate::base::{Diagnostic, Source, Span};
use crate::language::loader::shown;
use crate::language::node::Node;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Endings that Ansible skips in a folder of inventories, and those of a network's lock and its signatures.
const SKIPPED: &[&str] =
    &["pyc", "pyo", "swp", "bak", "rpm", "md", "txt", "rst", "orig", "cfg", "retry", "log", "j2", "lock", "sig"];

/// An inventory while its sources are read.
pub struct Builder<'a> {
    pub inventory: Inventory,
    pub mistakes: Vec<Diagnostic>,
    /// The file in hand.
    pub source: Option<PathBuf>,
    pub run: &'a Run<'a>,
}

pub fn load(sources: &[String], run: &Run<'_>) -> Checked<Inventory> {
    let mut builder = Builder { inventory: Inventory::empty(), mistakes: vec![], source: None, run };
    for source in sources {
        builder.source(source);
    }
    builder.finish()
}

impl Builder<'_> {
    fn source(&mut self, word: &str) {
        let path = Path::new(word);
        if word.contains(',') && !path.exists() {
            self.inventory.sources.push(path.to_owned());
            self.source = None;
            let source = Source::new("<command line>", word);
            let mut start = 0;
            for part in word.split(',') {
                let name = part.trim();
                if !name.is_empty() {
                    let at = start + (part.len() - part.trim_start().len());
                    self.hosts(name, &Span::new(source.clone(), at, at + name.len()), "ungrouped");
                }
                start += part.len() + 1;
            }
            return;
        }
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if !path.exists() {
            self.mistakes.push(
                Diagnostic::plain(format!("there is no inventory {}", shown(&path)))
                    .help("give a file, a folder, or a list of hosts that ends with a comma: `-i host1,host2,`"),
            );
            return;
        }
        let folder = if path.is_dir() { path.clone() } else { path.parent().map(Path::to_owned).unwrap_or_default() };
        if !self.inventory.folders.contains(&folder) {
            self.inventory.folders.push(folder);
        }
        self.inventory.sources.push(path.clone());
        self.path(&path);
    }

    fn path(&mut self, path: &Path) {
        if !path.is_dir() {
            self.file(path);
            return;
        }
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for entry in entries {
            let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let ending = entry.extension().map(|ending| ending.to_string_lossy().into_owned()).unwrap_or_default();
            // They may stand beside the lock of the network that they are of.
            let skipped = matches!(name.as_str(), "genesis.json" | "prometheus-targets.json")
                || name.starts_with('.')
                || name.ends_with('~')
                || SKIPPED.contains(&ending.as_str());
            let variables = entry.is_dir() && matches!(name.as_str(), "group_vars" | "host_vars" | "vars_plugins");
            if !skipped && !variables {
                self.path(&entry);
            }
        }
    }

    fn file(&mut self, path: &Path) {
        self.source = Some(path.to_owned());
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.mistakes.push(Diagnostic::plain(format!("cannot read {}: {error}", shown(path))));
                return;
            }
        };
        if script::is_program(path, &bytes) {
            script::read(self, path);
            return;
        }
        let Ok(text) = String::from_utf8(bytes) else {
            self.mistakes.push(Diagnostic::plain(format!("{} is not UTF-8 text", shown(path))));
            return;
        };
        let source = Source::new(shown(path), text);
        let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned()).unwrap_or_default();
        match ending.as_str() {
            "yml" | "yaml" | "json" => yaml::read(self, &source),
            "" if looks_like_yaml(&source) => yaml::read(self, &source),
            _ => ini::read(self, &source),
        }
    }

    /// Adds the hosts that a name with ranges stands for to a group; gives their names.
    pub fn hosts(&mut self, name: &str, span: &Span, group: &str) -> Vec<String> {
        let (pattern, port) = range::port(name);
        let names = match range::expand(pattern) {
            Ok(names) => names,
            Err(message) => {
                self.mistakes
                    .push(Diagnostic::new(message, span).help("write `host[1:3]`, `host[01:20:2]` or `host-[a:f]`"));
                return vec![];
            }
        };
        let source = self.source.clone();
        for name in &names {
            let host = self.inventory.host(name, Some(span), source.as_ref());
            if let Some(port) = port {
                let node = Node { span: span.clone(), data: crate::language::node::Data::Int(port.into()) };
                Inventory::set(&mut host.vars, "ansible_port", node);
            }
            self.inventory.group(group, None);
            self.inventory.join(name, group);
        }
        names
    }

    /// Puts a group into another, unless that would close a circle.
    pub fn child(&mut self, parent: &str, child: &str, span: &Span) {
        self.inventory.group(child, Some(span));
        if self.inventory.descendants(child).iter().any(|name| name == parent) {
            self.mistakes.push(
                Diagnostic::new(format!("the group `{child}` would be inside itself"), span)
                    .help(format!("`{parent}` is `{child}` or is in it: remove one of the two")),
            );
            return;
        }
        let children = &mut self.inventory.group(parent, None).children;
        if !children.iter().any(|known| known == child) {
            children.push(child.to_owned());
        }
    }

    fn finish(mut self) -> Checked<Inventory> {
        let inventory = &mut self.inventory;
        let lonely: Vec<String> = inventory
            .hosts
            .values()
            .filter(|host| host.groups.iter().all(|group| group == "all"))
            .map(|host| host.name.clone())
            .collect();
        for host in lonely {
            inventory.join(&host, "ungrouped");
        }
        inventory.root();
        for group in inventory.groups.values() {
            let both = inventory.hosts.get(&group.name).and_then(|host| host.span.as_ref());
            if let Some(span) = both {
                inventory.warnings.push(
                    Diagnostic::new(format!("`{}` is both a host and a group", group.name), span)
                        .help("rename one of them: patterns take the group")
                        .warning(),
                );
            }
        }
        for kind in
            inventory.folders.iter().flat_map(|folder| ["group_vars", "host_vars"].map(|kind| folder.join(kind)))
        {
            for (unread, read) in folders::shadowed(&kind) {
                let warning = format!("{} is not read: {} goes before it", shown(&unread), shown(&read));
                let help = "put all into one of them, or all files into a folder of that name";
                inventory.warnings.push(Diagnostic::plain(warning).help(help).warning());
            }
        }
        if self.mistakes.is_empty() { Ok(self.inventory) } else { Err(self.mistakes) }
    }
}

/// A file without an ending may be either.
fn looks_like_yaml(source: &Arc<Source>) -> bool {
    let sections = source.text.lines().any(|line| line.starts_with('['));
    !sections
        && crate::language::yaml::load(source)
            .is_ok_and(|node| matches!(node.data, crate::language::node::Data::Table(_)))
}
