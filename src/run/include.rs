//! What the engine does itself before anything behind it may start: includes, `meta`, flushing handlers.

use super::context::{Context, Missing};
use super::play::PlayRun;
use super::result::Judged;
use super::step::{self, Item, Todo, Work};
use super::told;
use super::vars::Pending;
use crate::base::event::Status;
use crate::base::{Failure, Map};
use crate::language::layers::Var;
use crate::language::loader::RoleUse;
use crate::language::node::{Data, Key, Node};
use crate::language::playbook::{Action, Include, Role};
use crate::plan::flatten::{Around, flatten_items};
use crate::plan::{Entry, Handler};
use std::sync::Arc;

/// One thing to include for one host.
#[derive(Debug, PartialEq)]
struct Wanted {
    what: String,
    from: [Option<String>; 4],
    vars: Vec<(String, crate::base::Value)>,
}

impl PlayRun<'_> {
    /// Puts the play's handlers behind a flush marker, once.
    pub fn expand_handlers(&mut self, position: usize) {
        let marker = self.entries[position].number;
        if !self.expanded.insert(marker) {
            return;
        }
        let handlers: Vec<Entry> = self
            .handlers
            .iter()
            .enumerate()
            .map(|(number, handler)| Entry { handler: Some(number), ..handler.entry.clone() })
            .map(renumbered)
            .collect();
        self.insert(position, handlers);
    }

    /// Inserts entries behind `position`, and moves everything that stands later.
    fn insert(&mut self, position: usize, entries: Vec<Entry>) {
        let count = entries.len();
        if count == 0 {
            return;
        }
        let at = position + 1;
        self.entries.splice(at..at, entries.into_iter().map(Arc::new));
        for index in 0..self.members.len() {
            let member = &mut self.members[index];
            if let Some(active) = &mut member.active {
                for work in active.works.iter_mut().filter(|at| at.work.position > position) {
                    work.work.position += count;
                }
            }
            if member.cursor > position {
                let cursor = member.cursor + count;
                self.set_cursor(index, cursor);
            }
        }
        self.screen.inserted(position, count);
        self.context.store.inserted(position, count);
    }

    /// Runs an include or a `meta` for the member; in a linear play an include is run for all members at once.
    pub fn start_alone(&mut self, index: usize, position: usize, entry: &Arc<Entry>) {
        let task = entry.task().expect("markers are no steps").clone();
        match &task.action {
            Action::Include(include) => {
                let members: Vec<usize> = if self.free {
                    vec![index]
                } else {
                    self.present()
                        .filter(|member| self.members[*member].cursor <= position && self.concerns(*member, entry))
                        .collect()
                };
                self.include(&members, position, entry, include);
            }
            Action::Module { .. } => self.meta(index, position, entry),
        }
    }

    fn include(&mut self, members: &[usize], position: usize, entry: &Arc<Entry>, include: &Include) {
        let mut groups: Vec<(Wanted, Vec<String>)> = Vec::new();
        for &index in members {
            let name = self.members[index].name.clone();
            let work = match step::prepare(self.context, &name, entry, position, &Pending::default()) {
                Ok(work) => work,
                Err(missing) => Work::failed(entry, position, failure_of(missing)),
            };
            let mut wanted = Vec::new();
            let mut problem = None;
            for item in work.items.iter().filter(|item| matches!(item.todo, Todo::Include)) {
                match want(self.context, &name, entry, position, include, item) {
                    Ok(one) => wanted.push(one),
                    Err(missing) => problem = Some(failure_of(missing)),
                }
            }
            if let Some(failure) = problem {
                self.finish_at_once(index, Work::failed(entry, position, failure));
                continue;
            }
            let asked = work.items.iter().any(|item| matches!(item.todo, Todo::Include));
            if !asked {
                self.finish_at_once(index, work);
                continue;
            }
            for one in wanted {
                match groups.iter_mut().find(|(known, hosts)| *known == one && !hosts.contains(&name)) {
                    Some((_, hosts)) => hosts.push(name.clone()),
                    None => groups.push((one, vec![name.clone()])),
                }
            }
        }
        let mut inserted = Vec::new();
        for (wanted, hosts) in groups {
            match self.load(&wanted, entry, include, &hosts) {
                Ok((what, entries)) => {
                    inserted.extend(entries);
                    for host in &hosts {
                        self.included(host, position, entry, &what);
                    }
                }
                Err(failure) => {
                    for host in &hosts {
                        if let Some(index) = self.members.iter().position(|member| member.name == *host) {
                            self.finish_at_once(index, Work::failed(entry, position, failure.clone()));
                        }
                    }
                }
            }
        }
        for &index in members {
            if !self.members[index].gone && self.members[index].cursor <= position {
                self.set_cursor(index, position + 1);
            }
        }
        // Behind the include: those who have passed it stand before what it brought.
        let cursors: Vec<usize> = self.members.iter().map(|member| member.cursor).collect();
        self.insert(position, inserted);
        for &index in members {
            if cursors[index] == position + 1 {
                self.set_cursor(index, position + 1);
            }
        }
    }

    fn included(&mut self, host: &str, position: usize, entry: &Arc<Entry>, what: &str) {
        let Some(index) = self.members.iter().position(|member| member.name == host) else { return };
        let mut result = Map::new();
        result.insert("include".into(), what.into());
        result.insert("changed".into(), false.into());
        let judged = Judged { status: Status::Ok, result, diffs: vec![], help: None, proofs: vec![], seconds: 0.0 };
        let mut work = Work::failed(entry, position, Failure::new(""));
        work.items.clear();
        self.finish_step(index, &work, &judged);
    }

    fn load(
        &mut self,
        wanted: &Wanted,
        entry: &Arc<Entry>,
        include: &Include,
        hosts: &[String],
    ) -> Result<(String, Vec<Entry>), Failure> {
        let task = entry.task().expect("an include");
        let vars: Vec<(Key, Node)> = wanted
            .vars
            .iter()
            .map(|(name, value)| {
                let key = Key { name: name.as_str().into(), span: task.span.clone() };
                (key, Node::from_value(value, &task.span))
            })
            .chain(task.keywords.vars.iter().flat_map(|vars| vars.entries().to_vec()))
            .collect();
        let vars = Node { span: task.span.clone(), data: Data::Table(Arc::new(vars)) };
        let mut outer = entry.outer.to_vec();
        outer.push(Arc::new(include.apply.clone()));
        let mut include_vars = entry.include_vars.to_vec();
        let role: Option<Arc<Role>>;
        let (shown, items) = if include.role {
            let loaded = self
                .context
                .loader
                .role(&RoleUse {
                    name: &wanted.what,
                    span: &task.span,
                    tasks_from: wanted.from[0].as_deref(),
                    vars_from: wanted.from[1].as_deref(),
                    defaults_from: wanted.from[2].as_deref(),
                    handlers_from: wanted.from[3].as_deref(),
                    parent: task.role.as_ref(),
                    playbook: &self.play.folder,
                })
                .map_err(told)?;
            role = Some(loaded.role.clone());
            self.context.store.add_roles(&loaded.used_roles);
            let around =
                Around { path: vec![], outer: vec![entry.outer[0].clone()], include_vars: vec![], hosts: None };
            for handler in flatten_items(&loaded.handlers, &around) {
                let known = self.handlers.iter().any(|known| known.entry.span() == handler.span());
                if !known {
                    self.handlers.push(Handler { entry: handler });
                }
            }
            self.take_up();
            (loaded.role.name.to_string(), vec![crate::language::playbook::Item::Block(loaded.block)])
        } else {
            let path = self
                .context
                .loader
                .find_task_file(&wanted.what, &include.what.span, &task.folder, task.role.as_ref(), &self.play.folder)
                .map_err(|diagnostic| told(vec![diagnostic]))?;
            role = task.role.clone();
            let items = self.context.loader.task_file(&path, task.role.as_ref(), &self.play.folder).map_err(told)?;
            (crate::language::loader::shown(&path), items)
        };
        if include.role && task.role.is_some() {
            // The role that includes may have been imported by one that was included: it lends its variables, too.
            include_vars.push((Node { span: task.span.clone(), data: Data::Table(Arc::default()) }, task.role.clone()));
        }
        include_vars.push((vars, role));
        let around = Around { path: entry.path.to_vec(), outer, include_vars, hosts: Some(Arc::new(hosts.to_vec())) };
        let selected = flatten_items(&items, &around)
            .into_iter()
            .map(|inner| Entry { handler: entry.handler, ..inner })
            .filter(|entry| super::select::tags(&self.context.options, entry))
            .collect::<Vec<_>>();
        let mistakes = crate::plan::check::entries(&selected, &self.context.templates);
        if !mistakes.is_empty() {
            return Err(told(mistakes));
        }
        Ok((shown, selected))
    }

    fn meta(&mut self, index: usize, position: usize, entry: &Arc<Entry>) {
        let name = self.members[index].name.clone();
        let work = match step::prepare(self.context, &name, entry, position, &Pending::default()) {
            Ok(work) => work,
            Err(missing) => Work::failed(entry, position, failure_of(missing)),
        };
        let action = work.items.first().and_then(|item| match &item.todo {
            Todo::Call(call) => call.args.get("action").and_then(|action| action.as_str().map(ToOwned::to_owned)),
            _ => None,
        });
        let Some(action) = action else {
            // Skipped or wrong: Ansible shows the first, and the second is a failure.
            self.finish_at_once(index, work);
            return;
        };
        self.set_cursor(index, position + 1);
        match action.as_str() {
            "flush_handlers" => {
                self.set_cursor(index, position);
                self.expand_handlers(position);
                self.set_cursor(index, position + 1);
            }
            "end_host" => self.leave(index),
            "end_play" | "end_batch" => {
                for index in 0..self.members.len() {
                    self.leave(index);
                }
                self.ended = action == "end_play";
            }
            "end_role" => self.members[index].guard.end_role(entry),
            "clear_facts" => self.context.store.clear_facts(&name),
            "clear_host_errors" => {
                for member in &mut self.members {
                    member.guard.clear();
                    if !member.gone {
                        self.context.store.rejoin(&member.name);
                    }
                }
            }
            "refresh_inventory" => self.refresh = true,
            "reset_connection" => {
                let keys: Vec<Arc<str>> = work.route().map(|route| route.key.clone()).into_iter().collect();
                for key in keys {
                    self.pool.forget(&key);
                }
            }
            _ => {}
        }
    }

    /// The member takes no further part, without having failed.
    fn leave(&mut self, index: usize) {
        if self.members[index].gone {
            return;
        }
        self.context.store.leave(&self.members[index].name, self.members[index].cursor);
        let end = self.entries.len();
        self.set_cursor(index, end);
    }
}

/// An entry of its own for events: the same handler may run after every flush.
fn renumbered(entry: Entry) -> Entry {
    Entry { number: crate::plan::flatten::number(), ..entry }
}

fn failure_of(missing: Missing) -> Failure {
    match missing {
        Missing::Failed(failure) => failure,
        Missing::Wait => Failure::new("it reads a host that has not come this far"),
    }
}

fn want(
    context: &Context,
    host: &str,
    entry: &Arc<Entry>,
    position: usize,
    include: &Include,
    item: &Item,
) -> Result<Wanted, Missing> {
    let vars = context.store.step(host, entry, item.extra.clone(), Pending::default(), position);
    let what = context
        .text(Some(&include.what), &vars)?
        .ok_or_else(|| Failure::new(format!("nothing to include ({})", include.what.span)))?;
    let text = |node: &Option<Node>| context.text(node.as_ref(), &vars);
    let from = [
        text(&include.tasks_from)?,
        text(&include.vars_from)?,
        text(&include.defaults_from)?,
        text(&include.handlers_from)?,
    ];
    let vars = item
        .extra
        .iter()
        .filter_map(|(name, var)| match var {
            Var::Value(value) => Some((name.clone(), (**value).clone())),
            Var::Node(_) => None,
        })
        .collect();
    Ok(Wanted { what, from, vars })
}
