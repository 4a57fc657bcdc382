//! What a template can see: the contract between the engine, which knows the variables, and the templates, which ask.

use super::layers::Table;
use super::node::Node;
use crate::base::failure::Result;
use crate::base::{Failure, Map, Value};
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The variables of one host at one step.
///
/// Values are found lazily: a [`Found::Node`] is itself rendered only when a template asks for it, with these same
/// variables.
pub trait Variables: Send + Sync + Debug {
    /// Looks a variable up, magic ones (`inventory_hostname`, `groups`, ...) included. Not called for `hostvars` and
    /// `vars`, which the templates build from the methods here.
    fn get(&self, name: &str) -> Found;

    /// Every name for which `get` finds something.
    fn names(&self) -> Vec<String>;

    /// The variables of another host, for `hostvars[name]`; `None` if the inventory has no such host. The engine marks
    /// its wait (see [`Found::Wait`]) if that host's values are not settled yet: then `get` on the result says `Wait`.
    fn host(&self, name: &str) -> Option<Arc<dyn Variables>>;

    /// The names of all hosts, for iterating over `hostvars`.
    fn hosts(&self) -> Vec<String>;

    /// Folders in which `lookup('file')`, `lookup('template')`, `{% include %}` search, nearest first (role, playbook).
    /// Each is a base folder: `files/`, `templates/`, `vars/` below it and then itself are tried.
    fn folders(&self) -> Vec<PathBuf>;

    /// The text behind a URL, for `lookup('url')`; `options` are those of the module `uri`.
    fn fetch(&self, _url: &str, _options: &Map) -> Result<String> {
        Err(Failure::new("nothing can be fetched here"))
    }

    /// The hosts that a pattern means, for `lookup('inventory_hostnames')`.
    fn select(&self, _pattern: &str) -> Vec<String> {
        vec![]
    }

    /// What a template file, which the user wrote as `written`, can say of itself: `ansible_managed`, `template_path` and
    /// their kin. Nothing where there is no step that renders it.
    fn of_template(&self, _file: &Path, _written: &str) -> Table {
        Table::default()
    }
}

/// The answer to a look-up.
#[derive(Debug, Clone)]
pub enum Found {
    /// There is no such variable.
    Missing,
    /// As the user wrote it: may hold templates.
    Node(Node),
    /// Data from a host, a result, a fact: never a template.
    Value(Arc<Value>),
    /// It will exist, but the step (or other host) that makes it has not run yet. A rendering that meets this ends with
    /// [`Wait`](super::template::RenderError::Wait), whatever `default` or `is defined` stand around it.
    Wait,
}
