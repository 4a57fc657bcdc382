//! The shape of a playbook: plays, blocks, tasks, roles, as the user wrote them, imports resolved.
//!
//! Static reuse is gone after loading: `roles:`, `import_role`, `import_tasks` are a [`Block`] with the keywords of the import, so
//! that `when`, `tags` and `vars` reach the children exactly as they reach those of a written block. Dynamic
//! includes stay as an [`Action::Include`] and are loaded when they run.

use super::node::{Key, Node};
use crate::base::{Span, Value};
use std::path::PathBuf;
use std::sync::Arc;

/// The plays of a file, those of imported playbooks in their place.
#[derive(Debug, Clone)]
pub struct Playbook {
    /// In order.
    pub plays: Vec<Arc<Play>>,
}

/// One play.
#[derive(Debug, Clone)]
pub struct Play {
    /// Where it begins.
    pub span: Span,
    /// `name`.
    pub name: Option<Node>,
    /// `hosts`: a text or a list of texts; patterns.
    pub hosts: Node,
    /// What blocks and tasks inherit. `when` comes only from an `import_playbook`, and holds for fact gathering too.
    pub keywords: Keywords,
    /// `gather_facts`.
    pub gather_facts: Option<Node>,
    /// `gather_subset`.
    pub gather_subset: Option<Node>,
    /// `serial`: a number, a percentage, or a list of them.
    pub serial: Option<Node>,
    /// `order`: one of Ansible's words, or a list of hosts.
    pub order: Option<Node>,
    /// `strategy`.
    pub strategy: Option<Node>,
    /// `max_fail_percentage`.
    pub max_fail_percentage: Option<Node>,
    /// `force_handlers`.
    pub force_handlers: Option<Node>,
    /// `vars_files`: each a text, or a list of which the first that exists is taken.
    pub vars_files: Vec<Node>,
    /// `vars_prompt`.
    pub vars_prompt: Vec<Node>,
    /// `pre_tasks`.
    pub pre_tasks: Vec<Item>,
    /// `roles`, each a block that has its role.
    pub roles: Vec<Item>,
    /// `tasks`.
    pub tasks: Vec<Item>,
    /// `post_tasks`.
    pub post_tasks: Vec<Item>,
    /// In definition order: handlers of `roles:`, the play's own, those of static imports. Roles' handlers stand in blocks
    /// that have the role and the keywords around its use.
    pub handlers: Vec<Item>,
    /// Every role that the play uses statically, dependencies first: their defaults and vars are seen by the whole play.
    pub used_roles: Vec<Arc<Role>>,
    /// The folder of the playbook's file.
    pub folder: PathBuf,
}

/// What plays, blocks, roles and tasks can all set, and children inherit.
#[derive(Debug, Clone, Default)]
pub struct Keywords {
    /// `vars`: a table.
    pub vars: Option<Node>,
    /// `tags`, commas already split.
    pub tags: Vec<Node>,
    /// `when`: all must hold.
    pub when: Vec<Node>,
    /// `become`.
    pub r#become: Option<Node>,
    /// `become_user`.
    pub become_user: Option<Node>,
    /// `become_method`.
    pub become_method: Option<Node>,
    /// `become_exe`.
    pub become_exe: Option<Node>,
    /// `become_flags`.
    pub become_flags: Option<Node>,
    /// `environment`: a table or a list of tables.
    pub environment: Option<Node>,
    /// `no_log`.
    pub no_log: Option<Node>,
    /// `ignore_errors`.
    pub ignore_errors: Option<Node>,
    /// `ignore_unreachable`.
    pub ignore_unreachable: Option<Node>,
    /// `check_mode`.
    pub check_mode: Option<Node>,
    /// `diff`.
    pub diff: Option<Node>,
    /// `any_errors_fatal`.
    pub any_errors_fatal: Option<Node>,
    /// `run_once`.
    pub run_once: Option<Node>,
    /// `delegate_to`.
    pub delegate_to: Option<Node>,
    /// `delegate_facts`.
    pub delegate_facts: Option<Node>,
    /// `connection`.
    pub connection: Option<Node>,
    /// `remote_user`.
    pub remote_user: Option<Node>,
    /// `port`.
    pub port: Option<Node>,
    /// `throttle`.
    pub throttle: Option<Node>,
    /// `timeout`, seconds.
    pub timeout: Option<Node>,
    /// `module_defaults`.
    pub module_defaults: Option<Node>,
}

/// A member of a task list.
#[derive(Debug, Clone)]
pub enum Item {
    /// A task.
    Task(Arc<Task>),
    /// A block, or what an import became.
    Block(Arc<Block>),
}

/// A block, an imported task file, or a role in its place.
#[derive(Debug, Clone)]
pub struct Block {
    /// Where it begins.
    pub span: Span,
    /// `name`.
    pub name: Option<Node>,
    /// What the children inherit.
    pub keywords: Keywords,
    /// `block`.
    pub block: Vec<Item>,
    /// `rescue`.
    pub rescue: Vec<Item>,
    /// `always`.
    pub always: Vec<Item>,
    /// The role, if this block is one (`roles:`, `import_role`, a dependency): it ends with the block (`meta: end_role`).
    pub role: Option<Arc<Role>>,
}

/// A role as it is used in one place.
#[derive(Debug, Clone)]
pub struct Role {
    /// As written: `geth`.
    pub name: Arc<str>,
    /// Its folder.
    pub path: PathBuf,
    /// `defaults/`: a table.
    pub defaults: Vec<(Key, Node)>,
    /// `vars/`: a table.
    pub vars: Vec<(Key, Node)>,
    /// `vars` where it is used in `roles:` or as a dependency, and those of the role that uses it: seen by this role and by those
    /// that it uses, not by the rest of the play; below the role's own `vars/`.
    pub given: Vec<(Key, Node)>,
    /// Parameters where it is used: `- {role: geth, port: 1}`.
    pub params: Vec<(Key, Node)>,
    /// The names of the roles that depend on or import it, nearest first.
    pub parents: Vec<Arc<str>>,
    /// Another role needs it.
    pub dependency: bool,
    /// A host runs it once in a play, however often it is needed.
    pub once: bool,
    /// What makes two uses of a role the same.
    pub identity: Identity,
}

/// What makes two uses of a role the same: then the second adds nothing to the play.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identity {
    /// The role's folder.
    pub path: PathBuf,
    /// Parameters and `vars` of the use.
    pub params: Vec<(Arc<str>, Value)>,
    /// Its `when` and `tags`.
    pub conditions: Vec<Value>,
}

/// One task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Where it begins.
    pub span: Span,
    /// `name`.
    pub name: Option<Node>,
    /// What it sets itself; what it inherits is in the blocks around it.
    pub keywords: Keywords,
    /// What it does.
    pub action: Action,
    /// `loop` or `with_*`.
    pub r#loop: Option<Loop>,
    /// `loop_control`.
    pub loop_control: LoopControl,
    /// `register`.
    pub register: Option<Key>,
    /// `until`: all must hold.
    pub until: Vec<Node>,
    /// `retries`.
    pub retries: Option<Node>,
    /// `delay`, seconds.
    pub delay: Option<Node>,
    /// `changed_when`: all must hold.
    pub changed_when: Vec<Node>,
    /// `failed_when`: all must hold.
    pub failed_when: Vec<Node>,
    /// `notify`.
    pub notify: Vec<Node>,
    /// `listen`, of a handler.
    pub listen: Vec<Node>,
    /// `async`, seconds.
    pub r#async: Option<Node>,
    /// `poll`, seconds.
    pub poll: Option<Node>,
    /// The role in whose files it stands.
    pub role: Option<Arc<Role>>,
    /// The folder of the file in which it stands, for relative includes and files.
    pub folder: PathBuf,
}

/// What a task does.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "an include is rare, and a task is shared, never copied")]
pub enum Action {
    /// Run a module.
    Module {
        /// As written: `ansible.builtin.copy`.
        name: Key,
        /// Arguments: always a table (`k=v` texts are parsed, `args:` is merged in), or one template that gives a table.
        args: Node,
        /// Free text, for modules that take it: `command: ls -l`. Trailing `chdir=..` etc. are already in `args`.
        free: Option<Node>,
    },
    /// `include_tasks`, `include_role`: loaded when it runs.
    Include(Include),
}

/// A dynamic include.
#[derive(Debug, Clone)]
pub struct Include {
    /// `include_role`, as opposed to `include_tasks`.
    pub role: bool,
    /// The file, or the role's name.
    pub what: Node,
    /// `tasks_from`.
    pub tasks_from: Option<Node>,
    /// `vars_from`.
    pub vars_from: Option<Node>,
    /// `defaults_from`.
    pub defaults_from: Option<Node>,
    /// `handlers_from`.
    pub handlers_from: Option<Node>,
    /// `public`.
    pub public: Option<Node>,
    /// `apply`: keywords for the children.
    pub apply: Keywords,
}

/// `loop`, `with_items`, ...
#[derive(Debug, Clone)]
pub struct Loop {
    /// `None` for `loop`; `items`, `dict`, ... for `with_items`, `with_dict`, ...
    pub with: Option<Arc<str>>,
    /// The items, or a template that gives them.
    pub over: Node,
}

/// `loop_control`.
#[derive(Debug, Clone, Default)]
pub struct LoopControl {
    /// `loop_var`; `item` if not set.
    pub loop_var: Option<Node>,
    /// `index_var`.
    pub index_var: Option<Node>,
    /// `label`.
    pub label: Option<Node>,
    /// `pause`, seconds.
    pub pause: Option<Node>,
    /// `extended`.
    pub extended: Option<Node>,
    /// `break_when`.
    pub break_when: Vec<Node>,
}
