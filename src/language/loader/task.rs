//! One task: its keywords, and the one key that is none, its module.

use super::arguments::{self, Arguments};
use super::check::{self, Kind};
use super::keywords;
use super::walk::{Place, Walk};
use crate::base::Diagnostic;
use crate::base::diagnostic::did_you_mean;
use crate::language::node::{Data, Key, Node};
use crate::language::playbook::{Action, Item, Keywords, Loop, LoopControl, Task};
use std::sync::Arc;

/// Keywords of a task alone.
const TASK: &[&str] = &[
    "name",
    "action",
    "local_action",
    "args",
    "register",
    "changed_when",
    "failed_when",
    "loop",
    "loop_control",
    "notify",
    "listen",
    "until",
    "retries",
    "delay",
    "async",
    "poll",
];

const LOOP_CONTROL: &[&str] =
    &["loop_var", "index_var", "label", "pause", "extended", "extended_allitems", "break_when"];

/// A task while its keys are read.
pub struct Draft {
    /// The task without its action.
    pub task: Task,
    /// The module's key and what stands after it.
    pub action: Option<(Key, Node)>,
    /// `args`.
    pub args: Option<Node>,
}

impl Walk<'_> {
    pub fn task(&mut self, node: &Node, place: &Place) -> Option<Item> {
        let mut draft = Draft { task: empty(node, place), action: None, args: None };
        let mut candidates: Vec<(&Key, &Node)> = vec![];
        for (key, value) in node.entries() {
            if !self.task_keyword(&mut draft, key, value, place)
                && !keywords::take(&mut draft.task.keywords, key, value, &mut self.mistakes)
            {
                candidates.push((key, value));
            }
        }
        self.choose(&mut draft, candidates, node)?;
        let (key, value) = draft.action.take()?;
        match arguments::short(&key.name) {
            "import_tasks" => self.import_tasks(draft.task, &key, &value, draft.args.as_ref(), place),
            "import_role" => self.import_role(draft.task, &key, &value, draft.args.as_ref(), place),
            "include_tasks" | "include_role" => self.include(draft.task, &key, &value, draft.args.as_ref()),
            "include" => {
                self.wrong(
                    Diagnostic::new("there is no `include` any more", &key.span)
                        .help("write `include_tasks` or `import_tasks`"),
                );
                None
            }
            "import_playbook" => {
                self.wrong(
                    Diagnostic::new("`import_playbook` is no task", &key.span)
                        .help("put it beside the plays: `- import_playbook: file.yml` at the left margin"),
                );
                None
            }
            _ => {
                let Arguments { args, free } = self.arguments(&key, &value, draft.args.as_ref());
                draft.task.action = Action::Module { name: key, args, free };
                Some(Item::Task(Arc::new(draft.task)))
            }
        }
    }

    /// The module's arguments, `args:` below them.
    pub fn arguments(&mut self, key: &Key, value: &Node, below: Option<&Node>) -> Arguments {
        let mut read = arguments::read(key, value, &mut self.mistakes);
        let Some(below) = below else { return read };
        match (&below.data, &read.args.data) {
            (Data::Null, _) => {}
            (Data::Table(more), Data::Table(own)) => {
                let mut entries = more.to_vec();
                for (key, node) in own.iter() {
                    match entries.iter_mut().find(|(known, _)| known.name == key.name) {
                        Some(entry) => *entry = (key.clone(), node.clone()),
                        None => entries.push((key.clone(), node.clone())),
                    }
                }
                read.args.data = Data::Table(Arc::new(entries));
            }
            (Data::Text(_), Data::Table(own)) if own.is_empty() && below.is_template() => read.args = below.clone(),
            _ => self.wrong(
                Diagnostic::new("these arguments cannot be merged", &below.span)
                    .help(format!("write all options in one table below `{}:`", key.name)),
            ),
        }
        read
    }

    /// Which of the keys that are no keywords is the module.
    fn choose(&mut self, draft: &mut Draft, mut candidates: Vec<(&Key, &Node)>, node: &Node) -> Option<()> {
        if candidates.len() > usize::from(draft.action.is_none()) {
            let known = || TASK.iter().chain(keywords::SHARED).copied();
            let (misspelt, modules): (Vec<_>, Vec<_>) =
                candidates.iter().partition(|(key, _)| did_you_mean(&key.name, known()).is_some());
            let only_misspelt = modules.is_empty();
            if !only_misspelt || draft.action.is_some() {
                for (key, _) in &misspelt {
                    self.wrong(check::unknown("a task", key, &[TASK, keywords::SHARED]));
                }
                candidates = modules;
            }
        }
        let given = draft.action.as_ref().map(|(key, _)| key.clone());
        let names: Vec<&Key> = given.iter().chain(candidates.iter().map(|(key, _)| *key)).collect();
        if let Some(hosts) = names.iter().find(|key| &*key.name == "hosts") {
            self.wrong(Diagnostic::new("a play stands where a task should", &hosts.span).help(
                "a file of tasks has no plays; move this to the left margin of a playbook, or use `import_playbook`",
            ));
            return None;
        }
        match names.as_slice() {
            [] => {
                self.wrong(
                    Diagnostic::new("this task has no module", &node.span)
                        .help("say what it does: `command: ...`, `copy: {...}`, ..."),
                );
                return None;
            }
            [_] => {}
            [first, .., last] => {
                let mut diagnostic = Diagnostic::new(
                    format!("two modules in one task: `{}` and `{}`", first.name, last.name),
                    &last.span,
                )
                .help("make two tasks of it");
                if let Some(name) = did_you_mean(&last.name, TASK.iter().chain(keywords::SHARED).copied()) {
                    diagnostic =
                        diagnostic.help(format!("make two tasks of it; or did you mean the keyword `{name}`?"));
                }
                self.wrong(diagnostic);
                return None;
            }
        }
        if draft.action.is_none() {
            draft.action = candidates.first().map(|(key, value)| ((*key).clone(), (*value).clone()));
        }
        Some(())
    }

    /// Takes a keyword of tasks; `false` if `key` is none.
    fn task_keyword(&mut self, draft: &mut Draft, key: &Key, value: &Node, place: &Place) -> bool {
        let mistakes = &mut self.mistakes;
        let task = &mut draft.task;
        let (slot, kind) = match &*key.name {
            "name" => (&mut task.name, Kind::Text),
            "retries" => (&mut task.retries, Kind::Number),
            "delay" => (&mut task.delay, Kind::Number),
            "async" => (&mut task.r#async, Kind::Number),
            "poll" => (&mut task.poll, Kind::Number),
            "args" => (&mut draft.args, Kind::Table),
            "until" | "changed_when" | "failed_when" | "notify" | "listen" => {
                let (list, kind) = match &*key.name {
                    "until" => (&mut task.until, Kind::Conditions),
                    "changed_when" => (&mut task.changed_when, Kind::Conditions),
                    "failed_when" => (&mut task.failed_when, Kind::Conditions),
                    "notify" => (&mut task.notify, Kind::Texts),
                    _ => (&mut task.listen, Kind::Texts),
                };
                if check::kind(kind, key, value, mistakes) {
                    list.extend(check::list(value));
                }
                if &*key.name == "listen" && !place.handlers {
                    mistakes.push(
                        Diagnostic::new("only a handler can `listen`", &key.span).help("move this task to `handlers`"),
                    );
                }
                return true;
            }
            "register" => {
                match value.as_str() {
                    Some(name) => {
                        let name = Key { name: name.into(), span: value.span.clone() };
                        check::variable_name(&name, mistakes);
                        task.register = Some(name);
                    }
                    None => mistakes.push(Diagnostic::new(
                        format!("`register` needs a variable's name, this is {}", value.kind()),
                        &value.span,
                    )),
                }
                return true;
            }
            "loop_control" => {
                if check::kind(Kind::Table, key, value, mistakes) {
                    task.loop_control = loop_control(value, mistakes);
                }
                return true;
            }
            "action" | "local_action" => {
                draft.action = spelled_out(key, value, mistakes).or(draft.action.take());
                if &*key.name == "local_action" && task.keywords.delegate_to.is_none() {
                    task.keywords.delegate_to = Some(Node::text("localhost", key.span.clone()));
                }
                return true;
            }
            name if name == "loop" || name.starts_with("with_") => {
                if task.r#loop.is_some() {
                    mistakes.push(
                        Diagnostic::new("a task has one loop", &key.span).help("keep one of `loop` and `with_...`"),
                    );
                }
                let with = name.strip_prefix("with_").map(|with| Arc::from(arguments::short(with)));
                if with.is_none() && !matches!(value.data, Data::List(_)) && !value.is_template() {
                    let help = match value.data {
                        Data::Table(_) => "make a list of it: `loop: \"{{ table | dict2items }}\"`",
                        _ => "write a list, or a template that gives one",
                    };
                    mistakes.push(
                        Diagnostic::new(format!("`loop` needs a list, this is {}", value.kind()), &value.span)
                            .help(help),
                    );
                }
                task.r#loop = Some(Loop { with, over: value.clone() });
                return true;
            }
            _ => return false,
        };
        if check::kind(kind, key, value, mistakes) && !matches!(value.data, Data::Null) {
            *slot = Some(value.clone());
        }
        true
    }
}

/// `action: module k=v`, `action: {module: name, k: v}`, and `local_action` alike.
fn spelled_out(key: &Key, value: &Node, mistakes: &mut Vec<Diagnostic>) -> Option<(Key, Node)> {
    let place = value.span.clone();
    let (name, rest) = match &value.data {
        Data::Text(text) => {
            let text = text.trim();
            let end =
                arguments::tokens(text).and_then(|tokens| tokens.first().map(|(_, end)| *end)).unwrap_or(text.len());
            let (name, rest) = (&text[..end], text[end..].trim_start());
            let data = if rest.is_empty() { Data::Null } else { Data::Text(rest.into()) };
            (name.to_owned(), Node { span: place.clone(), data })
        }
        Data::Table(entries) => {
            let Some(name) = value.get("module").and_then(Node::as_str) else {
                mistakes.push(
                    Diagnostic::new(format!("`{}` needs a `module`", key.name), &place)
                        .help("or write the module as the task's own key"),
                );
                return None;
            };
            let rest = entries.iter().filter(|(key, _)| &*key.name != "module").cloned().collect();
            (name.to_owned(), Node { span: place.clone(), data: Data::Table(Arc::new(rest)) })
        }
        _ => {
            mistakes.push(Diagnostic::new(
                format!("`{}` needs a module and its options, this is {}", key.name, value.kind()),
                &place,
            ));
            return None;
        }
    };
    Some((Key { name: name.into(), span: place }, rest))
}

fn loop_control(node: &Node, mistakes: &mut Vec<Diagnostic>) -> LoopControl {
    let mut control = LoopControl::default();
    for (key, value) in node.entries() {
        let (slot, kind) = match &*key.name {
            "loop_var" => (&mut control.loop_var, Kind::Text),
            "index_var" => (&mut control.index_var, Kind::Text),
            "label" => (&mut control.label, Kind::Any),
            "pause" => (&mut control.pause, Kind::Number),
            "extended" => (&mut control.extended, Kind::Boolean),
            "extended_allitems" => continue,
            "break_when" => {
                control.break_when = check::list(value);
                continue;
            }
            _ => {
                mistakes.push(check::unknown("`loop_control`", key, &[LOOP_CONTROL]));
                continue;
            }
        };
        if check::kind(kind, key, value, mistakes) {
            *slot = Some(value.clone());
        }
    }
    control
}

fn empty(node: &Node, place: &Place) -> Task {
    let nothing = Node { span: node.span.clone(), data: Data::Null };
    Task {
        span: node.span.clone(),
        name: None,
        keywords: Keywords::default(),
        action: Action::Module { name: Key { name: "".into(), span: node.span.clone() }, args: nothing, free: None },
        r#loop: None,
        loop_control: LoopControl::default(),
        register: None,
        until: vec![],
        retries: None,
        delay: None,
        changed_when: vec![],
        failed_when: vec![],
        notify: place.notify.clone(),
        listen: vec![],
        r#async: None,
        poll: None,
        role: place.role.clone(),
        folder: place.folder.clone(),
    }
}
