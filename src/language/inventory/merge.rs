//! A host's variables, one table per level of precedence.

use super::{Inventory, LOCALHOST, folders};
use crate::base::diagnostic::Checked;
use crate::base::{Diagnostic, Span};
use crate::language::Loader;
use crate::language::layers::{Layer, Table, Var};
use crate::language::node::Node;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Tables of `group_vars/NAME` and `host_vars/NAME`, by their path without ending.
pub type Cache = Mutex<HashMap<PathBuf, Checked<Arc<Table>>>>;

impl Inventory {
    /// The tables of a host (also of the `localhost` that no file lists), lowest first, each merged in group order.
    /// `playbook_folders` are those in which the playbooks stand: `group_vars/` and `host_vars/` are looked for there too.
    pub fn host_layers(
        &self,
        host: &str,
        playbook_folders: &[PathBuf],
        loader: &Loader,
    ) -> Checked<Vec<(Layer, Arc<Table>)>> {
        let groups = self.groups_of(host);
        let all = ["all".to_owned()];
        let mut mistakes = vec![];
        let mut layers = vec![];
        let mut push = |layer, tables: Vec<Checked<Arc<Table>>>| {
            let mut good = vec![];
            for table in tables {
                match table {
                    Ok(table) if table.is_empty() => {}
                    Ok(table) => good.push(table),
                    Err(wrong) => mistakes.extend(wrong),
                }
            }
            if let Some(table) = merged(&good) {
                layers.push((layer, table));
            }
        };
        let inline = |names: &[String]| -> Vec<Checked<Arc<Table>>> {
            names.iter().filter_map(|name| self.groups.get(name)).map(|group| Ok(group.vars.clone())).collect()
        };
        let files = |bases: &[PathBuf], kind: &str, names: &[String]| -> Vec<Checked<Arc<Table>>> {
            // A base's groups are merged before the next base: as Ansible does, source by source.
            let paths = bases.iter().flat_map(|base| names.iter().map(move |name| (base.join(kind), name)));
            paths.map(|(folder, name)| self.variables(&folder, name, loader)).collect()
        };
        let own = [host.to_owned()];
        push(Layer::AllInline, inline(&all));
        push(Layer::GroupsInline, inline(&groups));
        push(Layer::InventoryGroupVarsAll, files(&self.folders, "group_vars", &all));
        push(Layer::PlaybookGroupVarsAll, files(playbook_folders, "group_vars", &all));
        push(Layer::InventoryGroupVars, files(&self.folders, "group_vars", &groups));
        push(Layer::PlaybookGroupVars, files(playbook_folders, "group_vars", &groups));
        let inline = match self.hosts.get(host) {
            Some(host) => host.vars.clone(),
            None if LOCALHOST.contains(&host) => implicit(),
            None => Arc::default(),
        };
        push(Layer::HostInline, vec![Ok(inline)]);
        push(Layer::InventoryHostVars, files(&self.folders, "host_vars", &own));
        push(Layer::PlaybookHostVars, files(playbook_folders, "host_vars", &own));
        if mistakes.is_empty() { Ok(layers) } else { Err(mistakes) }
    }

    /// The files of one group or host in one folder, each read once.
    fn variables(&self, folder: &Path, name: &str, loader: &Loader) -> Checked<Arc<Table>> {
        let path = folder.join(name);
        if let Some(known) = self.tables.lock().ok().and_then(|tables| tables.get(&path).cloned()) {
            return known;
        }
        let mut table = Table::new();
        let mut mistakes: Vec<Diagnostic> = vec![];
        for file in folders::files_of(folder, name) {
            match loader.vars_file(&file) {
                Ok(entries) => {
                    table.extend(entries.into_iter().map(|(key, node)| (key.name.to_string(), Var::Node(node))));
                }
                Err(wrong) => mistakes.extend(wrong),
            }
        }
        let read = if mistakes.is_empty() { Ok(Arc::new(table)) } else { Err(mistakes) };
        if let Ok(mut tables) = self.tables.lock() {
            tables.insert(path, read.clone());
        }
        read
    }
}

/// One table of several, later ones winning; the table itself if there is but one.
fn merged(tables: &[Arc<Table>]) -> Option<Arc<Table>> {
    match tables {
        [] => None,
        [one] => Some(one.clone()),
        [first, rest @ ..] => {
            let mut whole = (**first).clone();
            for table in rest {
                whole.extend(table.iter().map(|(name, var)| (name.clone(), var.clone())));
            }
            Some(Arc::new(whole))
        }
    }
}

/// What is known of a `localhost` that no inventory lists.
fn implicit() -> Arc<Table> {
    let node = Node::text("local", Span::nowhere());
    Arc::new(Table::from_iter([("ansible_connection".to_owned(), Var::Node(node))]))
}
