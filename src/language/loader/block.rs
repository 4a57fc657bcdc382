//! Task lists and blocks.

use super::check::{self, Kind};
use super::keywords;
use super::walk::{Place, Walk};
use crate::base::Diagnostic;
use crate::language::node::{Data, Node};
use crate::language::playbook::{Block, Item, Keywords};
use std::path::Path;
use std::sync::Arc;

/// Keywords of a block alone.
const BLOCK: &[&str] = &["name", "block", "rescue", "always", "notify"];

impl Walk<'_> {
    /// The tasks of a file; `asked` is where it is named.
    pub fn task_file(&mut self, path: &Path, asked: Option<&Node>, place: &Place) -> Vec<Item> {
        let asked = asked.map(|node| &node.span);
        let circle = || {
            let message = format!("{} imports itself", super::shown(path));
            Self::asked(message, asked).help("use `include_tasks` with a condition that ends")
        };
        self.once(path, circle, |walk| walk.file(path, asked).map(|node| walk.items(&node, place)).unwrap_or_default())
            .unwrap_or_default()
    }

    /// The members of a task list.
    pub fn items(&mut self, node: &Node, place: &Place) -> Vec<Item> {
        match &node.data {
            Data::Null => vec![],
            Data::List(items) => {
                let mut all = Vec::with_capacity(items.len());
                for item in items.iter() {
                    all.extend(self.item(item, place));
                }
                all
            }
            _ => {
                self.wrong(
                    Diagnostic::new(format!("tasks must be a list, this is {}", node.kind()), &node.span)
                        .help("begin each task with `- `"),
                );
                vec![]
            }
        }
    }

    fn item(&mut self, node: &Node, place: &Place) -> Option<Item> {
        if !matches!(node.data, Data::Table(_)) {
            self.wrong(
                Diagnostic::new(format!("a task must be a table, this is {}", node.kind()), &node.span)
                    .help("a task has a name and a module: `- name: ...`, below it `module: {options}`"),
            );
            return None;
        }
        if node.get("block").is_some() {
            return Some(self.block(node, place));
        }
        if let Some((key, _)) = node.entries().iter().find(|(key, _)| matches!(&*key.name, "rescue" | "always")) {
            let (name, span) = (key.name.clone(), key.span.clone());
            self.wrong(
                Diagnostic::new(format!("`{name}` without `block`"), &span)
                    .help("put the tasks that it guards under `block:`"),
            );
            return None;
        }
        self.task(node, place)
    }

    fn block(&mut self, node: &Node, place: &Place) -> Item {
        let mut own = Keywords::default();
        let mut name = None;
        let mut notify = place.notify.clone();
        for (key, value) in node.entries() {
            match &*key.name {
                "block" | "rescue" | "always" => {}
                "name" => name = check::kind(Kind::Text, key, value, &mut self.mistakes).then(|| value.clone()),
                "notify" => {
                    if check::kind(Kind::Texts, key, value, &mut self.mistakes) {
                        notify.extend(check::list(value));
                    }
                }
                "loop" | "register" | "until" => self
                    .wrong(Diagnostic::new(format!("a block has no `{}`", key.name), &key.span).help(
                        "put the tasks into a file and `include_tasks` it with the loop, or put it on each task",
                    )),
                _ => {
                    if !keywords::take(&mut own, key, value, &mut self.mistakes) {
                        self.wrong(check::unknown("a block", key, &[BLOCK, keywords::SHARED]));
                    }
                }
            }
        }
        let inner = Place { notify, ..place.within(&own) };
        let mut part = |name: &str| node.get(name).map(|list| self.items(list, &inner)).unwrap_or_default();
        let (block, rescue, always) = (part("block"), part("rescue"), part("always"));
        if node.get("block").is_some_and(|list| {
            matches!(&list.data, Data::Null) || matches!(&list.data, Data::List(items) if items.is_empty())
        }) {
            self.wrong(
                Diagnostic::new("this block has no tasks", &node.span)
                    .help("list them under `block:`, or remove the block"),
            );
        }
        Item::Block(Arc::new(Block { span: node.span.clone(), name, keywords: own, block, rescue, always, role: None }))
    }
}

impl Place {
    /// The same place, inside something that has these keywords.
    pub fn within(&self, keywords: &Keywords) -> Self {
        let mut place = self.clone();
        place.around.push(Arc::new(keywords.clone()));
        place
    }
}
