//! `import_tasks`, which becomes a block, and the includes, which wait until they run.

use super::arguments::{self, Arguments};
use super::walk::{Place, Walk};
use super::{check, files, keywords};
use crate::base::Diagnostic;
use crate::language::layers::Var;
use crate::language::node::{Data, Key, Node};
use crate::language::playbook::{Action, Block, Include, Item, Keywords, Task};
use std::sync::Arc;

/// Options of `include_tasks` and `import_tasks`.
const TASKS: &[&str] = &["file", "apply", "_raw_params"];
/// Options of `include_role` and `import_role`.
pub const ROLE: &[&str] = &[
    "name",
    "role",
    "tasks_from",
    "vars_from",
    "defaults_from",
    "handlers_from",
    "public",
    "apply",
    "allow_duplicates",
    "rolespec_validate",
];

impl Walk<'_> {
    pub fn import_tasks(
        &mut self,
        task: Task,
        key: &Key,
        value: &Node,
        args: Option<&Node>,
        place: &Place,
    ) -> Option<Item> {
        let read = self.arguments(key, value, args);
        self.no_loop(&task, key);
        let file = self.option_or_free(&read, "file", key)?;
        self.known(&read.args, key, TASKS);
        let name = self.static_text(&file, place)?;
        let role = place.role.as_ref().map(|role| &*role.path);
        let path = match files::find_tasks(&name, &file.span, &place.folder, role, &self.playbook) {
            Ok(path) => path,
            Err(diagnostic) => {
                self.wrong(diagnostic);
                return None;
            }
        };
        let inner = Place { folder: files::folder(&path), notify: task.notify.clone(), ..place.within(&task.keywords) };
        let block = self.task_file(&path, Some(&file), &inner);
        Some(Item::Block(Arc::new(Block {
            span: task.span,
            name: task.name,
            keywords: task.keywords,
            block,
            rescue: vec![],
            always: vec![],
            role: None,
        })))
    }

    pub fn include(&mut self, mut task: Task, key: &Key, value: &Node, args: Option<&Node>) -> Option<Item> {
        let role = arguments::short(&key.name) == "include_role";
        let read = self.arguments(key, value, args);
        let what =
            if role { self.option_or_free(&read, "name", key) } else { self.option_or_free(&read, "file", key) }?;
        self.known(&read.args, key, if role { ROLE } else { TASKS });
        let option = |name: &str| read.args.get(name).cloned();
        let apply = option("apply").map(|node| self.apply(&node)).unwrap_or_default();
        task.action = Action::Include(Include {
            role,
            what,
            tasks_from: option("tasks_from"),
            vars_from: option("vars_from"),
            defaults_from: option("defaults_from"),
            handlers_from: option("handlers_from"),
            public: option("public"),
            apply,
        });
        Some(Item::Task(Arc::new(task)))
    }

    fn apply(&mut self, node: &Node) -> Keywords {
        let mut apply = Keywords::default();
        if !matches!(node.data, Data::Table(_) | Data::Null) {
            self.wrong(Diagnostic::new(
                format!("`apply` needs a table of keywords, this is {}", node.kind()),
                &node.span,
            ));
        }
        for (key, value) in node.entries() {
            if !keywords::take(&mut apply, key, value, &mut self.mistakes) {
                self.wrong(check::unknown("`apply`", key, &[keywords::SHARED]));
            }
        }
        apply
    }

    /// Reports a loop around an import.
    pub fn no_loop(&mut self, task: &Task, key: &Key) {
        if task.r#loop.is_some() {
            let dynamic = key.name.replace("import_", "include_");
            self.wrong(
                Diagnostic::new(format!("`{}` cannot loop", key.name), &key.span).help(format!("use `{dynamic}`")),
            );
        }
    }

    /// Reports options that the import or include does not have.
    pub fn known(&mut self, args: &Node, key: &Key, known: &[&str]) {
        for (option, _) in args.entries() {
            if !known.contains(&&*option.name) {
                let shown: Vec<&str> = known.iter().copied().filter(|name| !name.starts_with('_')).collect();
                let diagnostic = check::unknown(&format!("`{}`", key.name), option, &[&shown]);
                let message = diagnostic.message.replace("no keyword", "no option");
                self.wrong(Diagnostic { message, ..diagnostic });
            }
        }
    }

    /// The option that says what to import, or the free text that does.
    pub fn option_or_free(&mut self, read: &Arguments, name: &str, key: &Key) -> Option<Node> {
        let found = read.args.get(name).or(if name == "name" { read.args.get("role") } else { None });
        let found = found.or_else(|| read.args.get("_raw_params")).or(read.free.as_ref()).cloned();
        match found {
            Some(node) if node.as_str().is_some_and(|text| !text.is_empty()) => Some(node),
            _ => {
                self.wrong(
                    Diagnostic::new(format!("`{}` does not say what to read", key.name), &key.span)
                        .help(format!("give it `{name}: ...`")),
                );
                None
            }
        }
    }

    /// The text, with `{{ name }}` filled in from `-e` and from what is known before anything runs.
    pub fn static_text(&mut self, node: &Node, place: &Place) -> Option<String> {
        let Some(text) = node.as_str() else {
            self.wrong(Diagnostic::new(format!("this needs a text, it is {}", node.kind()), &node.span));
            return None;
        };
        if !node.is_template() {
            return Some(text.to_owned());
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else { break };
            let Some(value) = self.static_value(name.trim(), place) else {
                return self.not_static(node, name.trim());
            };
            filled.push_str(before);
            filled.push_str(&value);
            rest = after;
        }
        if rest.contains("{{") || rest.contains("{%") {
            return self.not_static(node, rest);
        }
        filled.push_str(rest);
        Some(filled)
    }

    fn not_static(&mut self, node: &Node, name: &str) -> Option<String> {
        self.wrong(
            Diagnostic::new(format!("`{name}` is not known when imports are read"), &node.span)
                .help("an import's name may only use variables given with -e, `playbook_dir` and `role_path`; use an include instead"),
        );
        None
    }

    fn static_value(&self, name: &str, place: &Place) -> Option<String> {
        match (name, &place.role) {
            ("playbook_dir", _) => Some(self.playbook.display().to_string()),
            ("role_path", Some(role)) => Some(role.path.display().to_string()),
            ("role_name" | "ansible_role_name", Some(role)) => Some(role.name.to_string()),
            _ => match self.loader.extra.get(name)? {
                Var::Node(node) if node.is_template() => None,
                Var::Node(node) => Some(node.as_str().map_or_else(|| node.to_value().to_string(), str::to_owned)),
                Var::Value(value) => Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
            },
        }
    }
}
