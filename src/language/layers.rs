//! Which variable wins: the order of [`Layer`]'s variants *is* the precedence.

use super::node::{Key, Node};
use crate::base::{Span, Value};
use indexmap::IndexMap;
use std::sync::Arc;

/// Where a variable comes from. Later wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// A role's `defaults/`.
    RoleDefaults,
    /// `vars` of the group `all` in the inventory file.
    AllInline,
    /// `vars` of other groups in the inventory file.
    GroupsInline,
    /// `group_vars/all` beside the inventory.
    InventoryGroupVarsAll,
    /// `group_vars/all` beside the playbook.
    PlaybookGroupVarsAll,
    /// Other `group_vars/` beside the inventory.
    InventoryGroupVars,
    /// Other `group_vars/` beside the playbook.
    PlaybookGroupVars,
    /// The host's variables in the inventory file.
    HostInline,
    /// `host_vars/` beside the inventory.
    InventoryHostVars,
    /// `host_vars/` beside the playbook.
    PlaybookHostVars,
    /// Facts, and `set_fact` with `cacheable`.
    Facts,
    /// The play's `vars`.
    PlayVars,
    /// Answers to `vars_prompt`.
    VarsPrompt,
    /// `vars_files`.
    VarsFiles,
    /// A role's `vars/`.
    RoleVars,
    /// A block's `vars`.
    BlockVars,
    /// A task's `vars`.
    TaskVars,
    /// `include_vars`.
    IncludeVars,
    /// `set_fact` and `register`.
    SetFacts,
    /// Parameters of a role where it is used.
    RoleParams,
    /// Parameters of an include.
    IncludeParams,
    /// `-e`.
    Extra,
    /// What the engine itself says: `inventory_hostname`, `item`, ...
    Magic,
}

/// A variable's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Var {
    /// As the user wrote it: may hold templates.
    Node(Node),
    /// Data, never a template.
    Value(Arc<Value>),
}

/// Variables by name.
pub type Table = IndexMap<String, Var>;

/// The table of what the user wrote.
pub fn table(entries: &[(Key, Node)]) -> Table {
    entries.iter().map(|(key, node)| (key.name.to_string(), Var::Node(node.clone()))).collect()
}

/// The variables that one step sees. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Sorted by layer, lowest first; within one layer the last pushed wins.
    layers: Vec<(Layer, Arc<Table>)>,
}

impl Scope {
    /// Puts a table above those of its own and lower layers. Empty tables cost nothing.
    pub fn push(&mut self, layer: Layer, table: Arc<Table>) {
        if table.is_empty() {
            return;
        }
        let at = self.layers.partition_point(|(other, _)| *other <= layer);
        self.layers.insert(at, (layer, table));
    }

    /// The value that wins, and where it comes from.
    pub fn get(&self, name: &str) -> Option<(&Var, Layer)> {
        self.layers.iter().rev().find_map(|(layer, table)| table.get(name).map(|var| (var, *layer)))
    }

    /// Every name, each once.
    pub fn names(&self) -> Vec<String> {
        let names: indexmap::IndexSet<&String> = self.layers.iter().flat_map(|(_, table)| table.keys()).collect();
        names.into_iter().cloned().collect()
    }

    /// Every place that sets `name`, the winner first; `None` for data that stands in no file.
    pub fn explain(&self, name: &str) -> Vec<(Layer, Option<Span>)> {
        let found = self.layers.iter().rev().filter_map(|(layer, table)| table.get(name).map(|var| (*layer, var)));
        found
            .map(|(layer, var)| match var {
                Var::Node(node) => (layer, Some(node.span.clone())),
                Var::Value(_) => (layer, None),
            })
            .collect()
    }

    /// The tables, lowest first.
    pub fn layers(&self) -> &[(Layer, Arc<Table>)] {
        &self.layers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, value: i64) -> Arc<Table> {
        Arc::new(Table::from_iter([(name.to_owned(), Var::Value(Arc::new(value.into())))]))
    }

    #[test]
    fn the_higher_layer_wins_in_whatever_order_they_are_pushed() {
        let mut scope = Scope::default();
        scope.push(Layer::Extra, one("port", 3));
        scope.push(Layer::RoleDefaults, one("port", 1));
        scope.push(Layer::PlayVars, one("port", 2));
        let (value, layer) = scope.get("port").unwrap();
        assert_eq!((value, layer), (&Var::Value(Arc::new(3.into())), Layer::Extra));
        let layers: Vec<Layer> = scope.explain("port").into_iter().map(|(layer, _)| layer).collect();
        assert_eq!(layers, [Layer::Extra, Layer::PlayVars, Layer::RoleDefaults]);
    }

    #[test]
    fn within_one_layer_the_last_pushed_wins() {
        let mut scope = Scope::default();
        scope.push(Layer::BlockVars, one("a", 1));
        scope.push(Layer::BlockVars, one("a", 2));
        assert_eq!(scope.get("a").unwrap().0, &Var::Value(Arc::new(2.into())));
    }
}
