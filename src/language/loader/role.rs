//! Roles: finding them, reading their folders, their dependencies, and the one rule of running each once.

use super::walk::{Place, Walk};
use super::{RoleUse, check, files, import, keywords};
use crate::base::{Diagnostic, Span};
use crate::language::node::{Data, Key, Node};
use crate::language::playbook::{Block, Identity, Item, Keywords, Role, Task};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A use of a role, read but not followed.
struct Use<'a> {
    name: &'a str,
    span: Span,
    keywords: Keywords,
    /// `vars` of an entry of `roles:` or of dependencies.
    vars: Vec<(Key, Node)>,
    params: Vec<(Key, Node)>,
    from: From<'a>,
    /// `roles:` and dependencies run a role once; imports and includes always do.
    once: bool,
    /// Another role needs it.
    dependency: bool,
    title: Option<Node>,
}

/// `tasks_from` and its kin.
#[derive(Default, Clone, Copy)]
struct From<'a> {
    tasks: Option<&'a str>,
    vars: Option<&'a str>,
    defaults: Option<&'a str>,
    handlers: Option<&'a str>,
}

/// What `meta/main.yml` says.
#[derive(Default)]
struct Meta {
    dependencies: Vec<Node>,
    allow_duplicates: bool,
}

impl Walk<'_> {
    /// `roles:` of a play.
    pub fn roles(&mut self, node: &Node, place: &Place) -> Vec<Item> {
        if !matches!(node.data, Data::List(_) | Data::Null) {
            self.wrong(
                Diagnostic::new(format!("`roles` needs a list, this is {}", node.kind()), &node.span)
                    .help("begin each role with `- `"),
            );
            return vec![];
        }
        check::list(node).iter().filter_map(|entry| self.role_entry(entry, place, false)).collect()
    }

    /// An entry of `roles:` or of a role's `dependencies:`.
    fn role_entry(&mut self, node: &Node, place: &Place, dependency: bool) -> Option<Item> {
        let mut own = Keywords::default();
        let mut params = vec![];
        let named = match &node.data {
            Data::Text(_) => Some(node),
            _ => node.get("role").or_else(|| node.get("name")),
        };
        for (key, value) in node.entries() {
            match &*key.name {
                "role" | "name" | "src" | "version" | "scm" => {}
                _ if keywords::take(&mut own, key, value, &mut self.mistakes) => {}
                _ => params.push((key.clone(), value.clone())),
            }
        }
        let Some(named) = named.filter(|node| node.as_str().is_some_and(|text| !text.is_empty())) else {
            self.wrong(Diagnostic::new("this entry names no role", &node.span).help("write `- role: name`"));
            return None;
        };
        let name = self.static_text(named, place)?;
        let vars = own.vars.take().map(|vars| vars.entries().to_vec()).unwrap_or_default();
        let used = Use {
            name: &name,
            span: named.span.clone(),
            keywords: own,
            vars,
            params,
            from: From::default(),
            once: true,
            dependency,
            title: None,
        };
        self.use_role(used, place).map(|(block, _)| Item::Block(block))
    }

    pub fn import_role(
        &mut self,
        task: Task,
        key: &Key,
        value: &Node,
        args: Option<&Node>,
        place: &Place,
    ) -> Option<Item> {
        let read = self.arguments(key, value, args);
        self.no_loop(&task, key);
        let named = self.option_or_free(&read, "name", key)?;
        self.known(&read.args, key, import::ROLE);
        let name = self.static_text(&named, place)?;
        let mut from = |option: &str| read.args.get(option).and_then(|node| self.static_text(node, place));
        let (tasks, vars, defaults, handlers) =
            (from("tasks_from"), from("vars_from"), from("defaults_from"), from("handlers_from"));
        let from = From {
            tasks: tasks.as_deref(),
            vars: vars.as_deref(),
            defaults: defaults.as_deref(),
            handlers: handlers.as_deref(),
        };
        let once = read.args.get("allow_duplicates").is_some_and(|node| node.data == Data::Bool(false));
        let used = Use {
            name: &name,
            span: named.span.clone(),
            keywords: task.keywords,
            vars: vec![],
            params: vec![],
            from,
            once,
            dependency: false,
            title: task.name,
        };
        let place = Place { notify: task.notify, ..place.clone() };
        self.use_role(used, &place).map(|(block, _)| Item::Block(block))
    }

    /// A role asked for by `include_role`.
    pub fn included_role(&mut self, asked: &RoleUse<'_>) -> Option<(Arc<Block>, Arc<Role>)> {
        let from = From {
            tasks: asked.tasks_from,
            vars: asked.vars_from,
            defaults: asked.defaults_from,
            handlers: asked.handlers_from,
        };
        let used = Use {
            name: asked.name,
            span: asked.span.clone(),
            keywords: Keywords::default(),
            vars: vec![],
            params: vec![],
            from,
            once: false,
            dependency: false,
            title: None,
        };
        self.use_role(used, &Place { role: asked.parent.cloned(), ..Place::default() })
    }

    /// Reads a role: dependencies, then its own tasks, all in one block.
    fn use_role(&mut self, used: Use<'_>, place: &Place) -> Option<(Arc<Block>, Arc<Role>)> {
        let path = self.find_role(used.name, &used.span, place)?;
        let asked = used.span.clone();
        // A role may import another of its own task files.
        let entry = path.join("tasks").join(used.from.tasks.unwrap_or("main"));
        let name = used.name.to_owned();
        let circle = || {
            Diagnostic::new(format!("the role `{name}` needs itself"), &asked)
                .help("remove this, or move what both need into a role of its own")
        };
        self.once(&entry, circle, |walk| walk.read_role(used, path, place)).flatten()
    }

    fn read_role(&mut self, used: Use<'_>, path: PathBuf, place: &Place) -> Option<(Arc<Block>, Arc<Role>)> {
        let meta = self.meta(&path);
        let identity = used.identity(&path);
        if used.once && !meta.allow_duplicates && self.run_roles.contains(&identity) {
            return None;
        }
        // A use under a condition or tags of something around it may not run, and then a later one must.
        if place.around.iter().all(|keywords| keywords.when.is_empty() && keywords.tags.is_empty()) {
            self.run_roles.push(identity.clone());
        }
        let mut given = place.role.as_ref().map(|parent| parent.given.clone()).unwrap_or_default();
        join(&mut given, used.vars);
        let parents = place
            .role
            .iter()
            .flat_map(|parent| std::iter::once(&parent.name).chain(&parent.parents))
            .cloned()
            .collect();
        let role = Arc::new(Role {
            name: used.name.trim_end_matches('/').rsplit('/').next().unwrap_or(used.name).into(),
            defaults: self.role_table(&path.join("defaults"), used.from.defaults, &used.span),
            vars: self.role_table(&path.join("vars"), used.from.vars, &used.span),
            given,
            params: used.params,
            parents,
            path: path.clone(),
            dependency: used.dependency,
            once: used.dependency && !meta.allow_duplicates,
            identity,
        });
        let inner = Place {
            folder: path.join("tasks"),
            role: Some(role.clone()),
            handlers: false,
            ..place.within(&used.keywords)
        };
        // Dependencies' handlers go inside this role's block of handlers.
        let handlers_before = std::mem::take(&mut self.handlers);
        let mut block: Vec<Item> = vec![];
        for dependency in &meta.dependencies {
            block.extend(self.role_entry(dependency, &inner, true));
        }
        let mut handlers = std::mem::replace(&mut self.handlers, handlers_before);
        if let Some(file) = self.role_file(&path.join("handlers"), used.from.handlers, &used.span) {
            let place = Place { folder: path.join("handlers"), handlers: true, notify: vec![], ..inner.clone() };
            handlers.extend(self.task_file(&file, None, &place));
        }
        if !handlers.is_empty() {
            let mut handlers = wrap(handlers, &used.span, &used.keywords, Some(&role));
            // A dependency's handlers are already taken into the block of the role that needs it.
            if !used.dependency {
                for keywords in place.around.iter().rev() {
                    handlers = wrap(vec![handlers], &used.span, keywords, None);
                }
            }
            self.handlers.push(handlers);
        }
        if let Some(file) = self.role_file(&path.join("tasks"), used.from.tasks, &used.span) {
            let inner = Place { folder: files::folder(&file), ..inner };
            block.extend(self.task_file(&file, None, &inner));
        }
        self.used_roles.push(role.clone());
        let block = Block {
            span: used.span,
            name: used.title,
            keywords: used.keywords,
            block,
            rescue: vec![],
            always: vec![],
            role: Some(role.clone()),
        };
        Some((Arc::new(block), role))
    }

    /// `tasks/main.yml` and its like; one asked for by name must be there.
    fn role_file(&mut self, folder: &Path, from: Option<&str>, span: &Span) -> Option<PathBuf> {
        let found = files::main_file(folder, from);
        if let (None, Some(from)) = (&found, from) {
            let wrong = folder.join(if from.contains('.') { from.to_owned() } else { format!("{from}.yml") });
            let mut diagnostic = files::find("file", &wrong.display().to_string(), span, &[PathBuf::new()]).err()?;
            diagnostic.message = format!("there is no file {}", super::shown(&wrong));
            self.wrong(diagnostic);
        }
        found
    }

    /// `defaults/` or `vars/`: `main.yml`, or all files of a folder `main/`.
    fn role_table(&mut self, folder: &Path, from: Option<&str>, span: &Span) -> Vec<(Key, Node)> {
        let main = folder.join("main");
        let paths = if from.is_none() && main.is_dir() {
            super::super::inventory::folders::variable_files(&main)
        } else {
            self.role_file(folder, from, span).into_iter().collect()
        };
        let mut table: Vec<(Key, Node)> = vec![];
        for path in paths {
            match self.loader.vars_file(&path) {
                Ok(entries) => join(&mut table, entries),
                Err(mistakes) => self.mistakes.extend(mistakes),
            }
        }
        table
    }

    fn meta(&mut self, path: &Path) -> Meta {
        let Some(node) = files::main_file(&path.join("meta"), None).and_then(|file| self.file(&file, None)) else {
            return Meta::default();
        };
        let mut meta = Meta::default();
        if !matches!(node.data, Data::Table(_) | Data::Null) {
            self.wrong(Diagnostic::new(
                format!("a role's meta file must be a table, this is {}", node.kind()),
                &node.span,
            ));
        }
        for (key, value) in node.entries() {
            match &*key.name {
                "dependencies" => {
                    check::kind(check::Kind::List, key, value, &mut self.mistakes);
                    meta.dependencies = check::list(value);
                }
                "allow_duplicates" => {
                    check::kind(check::Kind::Boolean, key, value, &mut self.mistakes);
                    meta.allow_duplicates = value.data == Data::Bool(true);
                }
                _ => {}
            }
        }
        meta
    }

    /// Looks for a role's folder: `roles/` beside the playbook, `roles/` beside the playbook's folder, `roles/` where
    /// the command was typed, the configured folders, beside the role that asks, beside the playbook.
    fn find_role(&mut self, name: &str, span: &Span, place: &Place) -> Option<PathBuf> {
        let mut folders = vec![self.playbook.join("roles"), self.playbook.join("../roles"), PathBuf::from("roles")];
        folders.extend(self.loader.roles_path.iter().cloned());
        folders.extend(place.role.as_ref().and_then(|role| role.path.parent()).map(Path::to_owned));
        folders.push(self.playbook.clone());
        let mut searched = vec![];
        for folder in folders {
            let folder = files::absolute(&folder);
            let path = files::absolute(&folder.join(name));
            if path.is_dir() {
                return Some(path);
            }
            if !searched.contains(&folder) {
                searched.push(folder);
            }
        }
        let neighbours: Vec<String> = searched
            .iter()
            .filter(|folder| folder.ends_with("roles"))
            .flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        let near = crate::base::diagnostic::did_you_mean(name, neighbours.iter().map(String::as_str));
        let searched = format!("searched {}", files::listed(&searched));
        self.wrong(Diagnostic::new(format!("there is no role `{name}`"), span).help(match near {
            Some(near) => format!("did you mean `{near}`? ({searched})"),
            None => searched,
        }));
        None
    }
}

impl Use<'_> {
    fn identity(&self, path: &Path) -> Identity {
        let table = |entries: &[(Key, Node)]| {
            entries.iter().map(|(key, node)| (key.name.clone(), node.to_value())).collect::<Vec<_>>()
        };
        let keywords = &self.keywords;
        Identity {
            path: path.to_owned(),
            params: [table(&self.params), table(&self.vars)].concat(),
            conditions: keywords.when.iter().chain(&keywords.tags).map(Node::to_value).collect(),
        }
    }
}

/// Adds entries to a table; the last of a name holds.
fn join(table: &mut Vec<(Key, Node)>, more: Vec<(Key, Node)>) {
    for (key, node) in more {
        match table.iter_mut().find(|(known, _)| known.name == key.name) {
            Some(entry) => *entry = (key, node),
            None => table.push((key, node)),
        }
    }
}

/// Items inside a block that has these keywords.
fn wrap(items: Vec<Item>, span: &Span, keywords: &Keywords, role: Option<&Arc<Role>>) -> Item {
    Item::Block(Arc::new(Block {
        span: span.clone(),
        name: None,
        keywords: keywords.clone(),
        block: items,
        rescue: vec![],
        always: vec![],
        role: role.cloned(),
    }))
}
