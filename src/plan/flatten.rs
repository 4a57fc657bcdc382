//! From the tree of a play (sections, roles, blocks) to the list of its entries.

use super::entry::{BlockId, Entry, Kind, Section, Within};
use crate::language::node::{Data, Key, Node};
use crate::language::playbook::{Action, Item, Keywords, LoopControl, Play, Role, Task};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A handler of a play.
#[derive(Debug, Clone)]
pub struct Handler {
    /// The task and its surroundings, ready to be put behind a flush.
    pub entry: Entry,
}

/// A play as a list.
#[derive(Debug, Clone, Default)]
pub struct Flat {
    /// In playbook order, with markers where handlers are flushed.
    pub entries: Vec<Entry>,
    /// In definition order.
    pub handlers: Vec<Handler>,
}

/// What is around the items that are flattened.
#[derive(Debug, Clone)]
pub struct Around {
    /// Enclosing blocks.
    pub path: Vec<Within>,
    /// Their keywords and the play's.
    pub outer: Vec<Arc<Keywords>>,
    /// Variables of includes.
    pub include_vars: Vec<(Node, Option<Arc<Role>>)>,
    /// Hosts of a dynamic include.
    pub hosts: Option<Arc<Vec<String>>>,
}

/// A number that no other entry of this process has.
pub fn number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Flattens a play. `gather` says whether facts are gathered first.
pub fn flatten_play(play: &Play, gather: bool) -> Flat {
    let around =
        Around { path: vec![], outer: vec![Arc::new(play.keywords.clone())], include_vars: vec![], hosts: None };
    let mut flat = Flat::default();
    if gather {
        flat.entries.push(entry(Kind::Gather(Arc::new(gathering(play))), &around));
    }
    for section in [vec![&play.pre_tasks], vec![&play.roles, &play.tasks], vec![&play.post_tasks]] {
        if section.iter().any(|items| !items.is_empty()) {
            for items in section {
                flat.entries.extend(flatten_items(items, &around));
            }
            flat.entries.push(entry(Kind::Flush, &around));
        }
    }
    flat.handlers = flatten_items(&play.handlers, &around).into_iter().map(|entry| Handler { entry }).collect();
    flat
}

/// Flattens tasks and blocks that stand within `around`.
pub fn flatten_items(items: &[Item], around: &Around) -> Vec<Entry> {
    let mut entries = Vec::new();
    for item in items {
        match item {
            Item::Task(task) => entries.push(entry(Kind::Task(task.clone()), around)),
            Item::Block(block) => {
                let id = BlockId::fresh();
                let mut outer = around.outer.clone();
                outer.push(Arc::new(block.keywords.clone()));
                for (section, items) in
                    [(Section::Block, &block.block), (Section::Rescue, &block.rescue), (Section::Always, &block.always)]
                {
                    let mut path = around.path.clone();
                    path.push(Within { id, section, block: block.clone() });
                    let inside = Around { path, outer: outer.clone(), ..around.clone() };
                    entries.extend(flatten_items(items, &inside));
                }
            }
        }
    }
    entries
}

fn entry(kind: Kind, around: &Around) -> Entry {
    Entry {
        kind,
        path: around.path.clone().into(),
        outer: around.outer.clone().into(),
        include_vars: around.include_vars.clone().into(),
        hosts: around.hosts.clone(),
        handler: None,
        number: number(),
    }
}

/// The task that a play with `gather_facts` begins with.
fn gathering(play: &Play) -> Task {
    let span = play.span.clone();
    let key = |name: &str| Key { name: name.into(), span: span.clone() };
    let mut args = Vec::new();
    if let Some(subset) = &play.gather_subset {
        args.push((key("gather_subset"), subset.clone()));
    }
    let tags = if play.keywords.tags.is_empty() { vec![Node::text("always", span.clone())] } else { vec![] };
    Task {
        span: span.clone(),
        name: Some(Node::text("Gathering Facts", span.clone())),
        keywords: Keywords { tags, ..Keywords::default() },
        action: Action::Module {
            name: key("setup"),
            args: Node { span: span.clone(), data: Data::Table(Arc::new(args)) },
            free: None,
        },
        r#loop: None,
        loop_control: LoopControl::default(),
        register: None,
        until: vec![],
        retries: None,
        delay: None,
        changed_when: vec![],
        failed_when: vec![],
        notify: vec![],
        listen: vec![],
        r#async: None,
        poll: None,
        role: None,
        folder: PathBuf::new(),
    }
}

/// Every tag of an entry, its own and inherited.
pub fn tags(entry: &Entry) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in entry.keywords().flat_map(|keywords| &keywords.tags).filter_map(Node::as_str) {
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    tags
}
