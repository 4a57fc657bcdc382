//! An entry: one task's place in a play, with everything that its surroundings say about it.
//!
//! A step is an entry on a host. A host takes the entries in order; which of them run for it follows from
//! their path through blocks, so `rescue` and `always` need no jumps.

use crate::base::Span;
use crate::language::loader::short_name;
use crate::language::node::Node;
use crate::language::playbook::{Action, Block, Keywords, Role, Task};
use crate::modules::{Reach, registry};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Names one use of a block; includes make new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub usize);

impl BlockId {
    /// A number that no other block of this process has.
    pub fn fresh() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// The part of a block in which a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `block`.
    Block,
    /// `rescue`.
    Rescue,
    /// `always`.
    Always,
}

/// One enclosing block of an entry.
#[derive(Debug, Clone)]
pub struct Within {
    /// Which block.
    pub id: BlockId,
    /// Which part of it.
    pub section: Section,
    /// The block itself.
    pub block: Arc<Block>,
}

/// What an entry is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A task of the user's.
    Task(Arc<Task>),
    /// The implicit gathering of facts.
    Gather(Arc<Task>),
    /// Handlers that have been notified run here.
    Flush,
}

/// One task's place in a play.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Enclosing blocks, outermost first.
    pub path: Arc<[Within]>,
    /// Keywords of the play, the enclosing blocks and applied includes, outermost first; the task's own are not among them.
    pub outer: Arc<[Arc<Keywords>]>,
    /// Variables that an include gave (`include_tasks` with `vars`), outermost first.
    pub include_vars: Arc<[(Node, Option<Arc<Role>>)]>,
    /// Only for these hosts (a dynamic include); everybody if `None`.
    pub hosts: Option<Arc<Vec<String>>>,
    /// Runs only where it has been notified: its number among the play's handlers.
    pub handler: Option<usize>,
    /// Number of the task, for events; the same on all hosts.
    pub number: usize,
}

impl Entry {
    /// The task, unless it is a marker.
    pub fn task(&self) -> Option<&Arc<Task>> {
        match &self.kind {
            Kind::Task(task) | Kind::Gather(task) => Some(task),
            Kind::Flush => None,
        }
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        self.task().map_or_else(Span::nowhere, |task| task.span.clone())
    }

    /// Keywords, innermost first, the task's own included.
    pub fn keywords(&self) -> impl Iterator<Item = &Keywords> {
        self.task().into_iter().map(|task| &task.keywords).chain(self.outer.iter().rev().map(AsRef::as_ref))
    }

    /// The innermost value of a keyword.
    pub fn keyword<'a>(&'a self, pick: impl Fn(&'a Keywords) -> Option<&'a Node>) -> Option<&'a Node> {
        self.keywords().find_map(pick)
    }

    /// What it runs: a module, or an include.
    pub fn module(&self) -> &str {
        match self.task().map(|task| &task.action) {
            Some(Action::Module { name, .. }) => registry::find(&name.name).map_or(&*name.name, |known| known.name),
            Some(Action::Include(include)) if include.role => "include_role",
            Some(Action::Include(_)) => "include_tasks",
            None => "",
        }
    }

    /// `role : name`, or the module's name: templates are not rendered.
    pub fn title(&self) -> String {
        let Some(task) = self.task() else { return String::new() };
        let name = match (&task.name, &task.action) {
            (Some(name), _) => name.as_str().unwrap_or_default().to_owned(),
            (None, Action::Module { name, .. }) => name.name.to_string(),
            (None, Action::Include(include)) if include.role => "include_role".to_owned(),
            (None, Action::Include(_)) => "include_tasks".to_owned(),
        };
        match &task.role {
            Some(role) => format!("{} : {name}", role.name),
            None => name,
        }
    }

    /// Whether it brings files to the controller: what comes after it, on any host, may read them there.
    pub fn fetches(&self) -> bool {
        matches!(self.task().map(|task| &task.action),
            Some(Action::Module { name, .. }) if short_name(&name.name) == "fetch")
    }

    /// Whether every host of the play must have done everything before this entry before any host may start it.
    ///
    /// True for what other hosts could observe; an unknown module counts as such.
    pub fn waits_for_all(&self) -> bool {
        let Some(task) = self.task() else { return false };
        if self.keyword(|keywords| keywords.run_once.as_ref()).is_some()
            || self.keyword(|keywords| keywords.throttle.as_ref()).is_some()
            || self.keyword(|keywords| keywords.any_errors_fatal.as_ref()).is_some()
            || self.keyword(|keywords| keywords.delegate_to.as_ref()).is_some()
        {
            return true;
        }
        match &task.action {
            Action::Include(_) => true,
            Action::Module { name, .. } => registry::find(&name.name).is_none_or(|entry| {
                entry.reach == Reach::World || matches!(entry.name, "meta" | "add_host" | "group_by" | "pause")
            }),
        }
    }
}
