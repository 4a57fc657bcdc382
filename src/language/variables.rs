//! What a template can see: the contract between the engine, which knows the variables, and the templates, which ask.

use super::node::Node;
use crate::base::Value;
use std::fmt::Debug;
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
    fn folders(&self) -> Vec<std::path::PathBuf>;
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
