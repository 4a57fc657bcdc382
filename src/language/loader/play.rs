//! Plays, and playbooks that import playbooks.

use super::check::{self, Kind};
use super::walk::{Place, Walk};
use super::{files, keywords};
use crate::base::{Diagnostic, Span};
use crate::language::node::{Data, Key, Node};
use crate::language::playbook::{Keywords, Play};
use crate::language::serial;
use std::path::Path;
use std::sync::Arc;

/// Keywords of a play alone.
const PLAY: &[&str] = &[
    "name",
    "hosts",
    "tasks",
    "pre_tasks",
    "post_tasks",
    "roles",
    "handlers",
    "vars_files",
    "vars_prompt",
    "gather_facts",
    "gather_subset",
    "gather_timeout",
    "fact_path",
    "serial",
    "order",
    "strategy",
    "max_fail_percentage",
    "force_handlers",
    "validate_argspec",
    "user",
];

impl Walk<'_> {
    /// The plays of a file; `import` is what an `import_playbook` sets for all of them.
    pub fn playbook_file(&mut self, path: &Path, import: Option<(&Key, &Keywords)>) -> Vec<Arc<Play>> {
        let asked = import.map(|(key, _)| &key.span);
        let circle = || Self::asked(format!("{} imports itself", super::shown(path)), asked).help("remove this import");
        self.once(path, circle, |walk| {
            let Some(node) = walk.file(path, asked) else { return vec![] };
            let Data::List(items) = &node.data else {
                walk.wrong(match node.data {
                    Data::Null => Diagnostic::plain(format!("{} is empty", super::shown(path)))
                        .help("a playbook is a list of plays: begin with `- hosts: all`"),
                    _ => Diagnostic::new(
                        format!("a playbook must be a list of plays, this is {}", node.kind()),
                        &node.span,
                    )
                    .help("begin each play with `- hosts: ...`"),
                });
                return vec![];
            };
            let mut plays = vec![];
            for item in items.iter() {
                plays.extend(walk.play_or_import(item, path, import.map(|(_, keywords)| keywords)));
            }
            plays
        })
        .unwrap_or_default()
    }

    fn play_or_import(&mut self, node: &Node, path: &Path, outer: Option<&Keywords>) -> Vec<Arc<Play>> {
        if !matches!(node.data, Data::Table(_)) {
            self.wrong(
                Diagnostic::new(format!("a play must be a table, this is {}", node.kind()), &node.span)
                    .help("begin it with `- hosts: ...`"),
            );
            return vec![];
        }
        let import = node.entries().iter().find(|(key, _)| super::arguments::short(&key.name) == "import_playbook");
        match import {
            Some((key, file)) => self.import_playbook(node, key, file, path, outer),
            None => self.play(node, path, outer).into_iter().collect(),
        }
    }

    fn import_playbook(
        &mut self,
        node: &Node,
        import: &Key,
        file: &Node,
        path: &Path,
        outer: Option<&Keywords>,
    ) -> Vec<Arc<Play>> {
        let mut own = Keywords::default();
        for (key, value) in node.entries() {
            match &*key.name {
                "name" => {}
                "tags" | "when" | "vars" => {
                    keywords::take(&mut own, key, value, &mut self.mistakes);
                }
                _ if key.name == import.name => {}
                _ => self.wrong(check::unknown("`import_playbook`", key, &[&["name", "tags", "when", "vars"]])),
            }
        }
        if let Some(outer) = outer {
            own = inherit(outer, own);
        }
        let Some(name) = self.static_text(file, &Place { folder: files::folder(path), ..Place::default() }) else {
            return vec![];
        };
        let found = files::find("playbook", &name, &file.span, &[files::folder(path)]);
        match found {
            Ok(found) => {
                let here = std::mem::replace(&mut self.playbook, files::folder(&found));
                let key = Key { name: import.name.clone(), span: file.span.clone() };
                let plays = self.playbook_file(&found, Some((&key, &own)));
                self.playbook = here;
                plays
            }
            Err(diagnostic) => {
                self.wrong(diagnostic);
                vec![]
            }
        }
    }

    fn play(&mut self, node: &Node, path: &Path, outer: Option<&Keywords>) -> Option<Arc<Play>> {
        self.handlers.clear();
        self.used_roles.clear();
        self.run_roles.clear();
        let place = Place { folder: files::folder(path), ..Place::default() };
        let mut hosts = None;
        let mut own = Keywords::default();
        let mut play = empty(&node.span, &place.folder);
        let mut lists: [Option<&Node>; 5] = [None; 5];
        for (key, value) in node.entries() {
            let set = |walk: &mut Self, slot: &mut Option<Node>, kind| {
                if check::kind(kind, key, value, &mut walk.mistakes) && !matches!(value.data, Data::Null) {
                    *slot = Some(value.clone());
                }
            };
            match &*key.name {
                "hosts" => set(self, &mut hosts, Kind::Texts),
                "name" => set(self, &mut play.name, Kind::Text),
                "gather_facts" => set(self, &mut play.gather_facts, Kind::Boolean),
                "gather_subset" => set(self, &mut play.gather_subset, Kind::Texts),
                "serial" => set(self, &mut play.serial, Kind::Texts),
                "order" => set(self, &mut play.order, Kind::Texts),
                "strategy" => set(self, &mut play.strategy, Kind::Text),
                "max_fail_percentage" => set(self, &mut play.max_fail_percentage, Kind::Number),
                "force_handlers" => set(self, &mut play.force_handlers, Kind::Boolean),
                "user" => set(self, &mut own.remote_user, Kind::Text),
                "gather_timeout" | "fact_path" => self.wrong(check::ignored(key)),
                "validate_argspec" => {}
                "vars_files" => play.vars_files = check::list(value),
                "vars_prompt" => play.vars_prompt = self.prompts(key, value),
                "pre_tasks" => lists[0] = Some(value),
                "roles" => lists[1] = Some(value),
                "tasks" => lists[2] = Some(value),
                "post_tasks" => lists[3] = Some(value),
                "handlers" => lists[4] = Some(value),
                "when" => self.wrong(
                    Diagnostic::new("a play has no `when`", &key.span)
                        .help("put the condition on its tasks, on a block around them, or on the `import_playbook`"),
                ),
                "delegate_to" | "delegate_facts" => self.wrong(
                    Diagnostic::new(format!("a play has no `{}`", key.name), &key.span)
                        .help("put it on its tasks or on a block around them"),
                ),
                _ => {
                    if !keywords::take(&mut own, key, value, &mut self.mistakes) {
                        let unknown = check::unknown("a play", key, &[PLAY, keywords::SHARED]);
                        self.wrong(unknown);
                    }
                }
            }
        }
        let wrong = [
            play.serial.as_ref().and_then(serial::check_serial),
            play.order.as_ref().and_then(serial::check_order),
            play.strategy.as_ref().and_then(serial::check_strategy),
        ];
        self.mistakes.extend(wrong.into_iter().flatten());
        // The keywords around a task matter only below the play: a play's own hold for all of its tasks alike.
        play.keywords = match outer {
            Some(outer) => inherit(outer, own),
            None => own,
        };
        let [pre_tasks, roles, tasks, post_tasks, handlers] = lists;
        play.roles = roles.map(|node| self.roles(node, &place)).unwrap_or_default();
        let of_roles = std::mem::take(&mut self.handlers);
        play.pre_tasks = pre_tasks.map(|node| self.items(node, &place)).unwrap_or_default();
        play.tasks = tasks.map(|node| self.items(node, &place)).unwrap_or_default();
        play.post_tasks = post_tasks.map(|node| self.items(node, &place)).unwrap_or_default();
        let of_imports = std::mem::take(&mut self.handlers);
        play.handlers = of_roles;
        let place = Place { handlers: true, ..place };
        play.handlers.extend(handlers.map(|node| self.items(node, &place)).unwrap_or_default());
        play.handlers.extend(of_imports);
        play.used_roles = std::mem::take(&mut self.used_roles);
        let Some(hosts) = hosts else {
            self.wrong(
                Diagnostic::new("this play has no `hosts`", &node.span)
                    .help("say which hosts it is for: `hosts: all`, or a group's name"),
            );
            return None;
        };
        if hosts.as_str() == Some("") || matches!(&hosts.data, Data::List(items) if items.is_empty()) {
            self.wrong(Diagnostic::new("`hosts` is empty", &hosts.span).help("name a host, a group, or `all`"));
        }
        play.hosts = hosts;
        Some(Arc::new(play))
    }

    fn prompts(&mut self, key: &Key, node: &Node) -> Vec<Node> {
        const KNOWN: &[&str] =
            &["name", "prompt", "default", "private", "confirm", "encrypt", "salt_size", "salt", "unsafe"];
        let prompts = check::list(node);
        for prompt in &prompts {
            if prompt.get("name").and_then(Node::as_str).is_none() {
                self.wrong(
                    Diagnostic::new(format!("each of `{}` needs a `name`", key.name), &prompt.span)
                        .help("name the variable that takes the answer"),
                );
            }
            for (key, _) in prompt.entries() {
                if !KNOWN.contains(&&*key.name) {
                    self.wrong(check::unknown("a prompt", key, &[KNOWN]));
                }
            }
        }
        prompts
    }
}

/// What an import sets for all plays of a file, below what they set themselves.
fn inherit(outer: &Keywords, own: Keywords) -> Keywords {
    let mut keywords = own;
    keywords.tags = [outer.tags.clone(), keywords.tags].concat();
    keywords.when = [outer.when.clone(), keywords.when].concat();
    keywords.vars = match (&outer.vars, keywords.vars.take()) {
        (Some(outer), Some(own)) => {
            let mut entries = outer.entries().to_vec();
            for (key, node) in own.entries() {
                match entries.iter_mut().find(|(known, _)| known.name == key.name) {
                    Some(entry) => *entry = (key.clone(), node.clone()),
                    None => entries.push((key.clone(), node.clone())),
                }
            }
            Some(Node { span: own.span, data: Data::Table(Arc::new(entries)) })
        }
        (outer, own) => own.or_else(|| outer.clone()),
    };
    keywords
}

fn empty(span: &Span, folder: &Path) -> Play {
    Play {
        span: span.clone(),
        name: None,
        hosts: Node { span: span.clone(), data: Data::Null },
        keywords: Keywords::default(),
        gather_facts: None,
        gather_subset: None,
        serial: None,
        order: None,
        strategy: None,
        max_fail_percentage: None,
        force_handlers: None,
        vars_files: vec![],
        vars_prompt: vec![],
        pre_tasks: vec![],
        roles: vec![],
        tasks: vec![],
        post_tasks: vec![],
        handlers: vec![],
        used_roles: vec![],
        folder: folder.to_owned(),
    }
}
