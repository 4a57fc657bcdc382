//! What happens when something comes back: items, steps, failures, notifications.

use super::context::Missing;
use super::play::{Active, InWork, PlayRun};
use super::result::{self, Judged};
use super::special;
use super::step::{Todo, Work, truthy};
use super::waits;
use crate::agent::protocol::Reply;
use crate::base::event::{Done, Status};
use crate::base::{Event, Failure, Map, Outcome, Value};
use crate::connect::Message;
use crate::language::layers::{Table, Var};
use crate::language::node::Node;
use crate::modules::{BlobRef, Blobs, Cx, Reach, registry};
use crate::plan::Entry;
use crate::system::System;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

impl PlayRun<'_> {
    /// Goes on with what a member is at, as far as that is possible now.
    pub fn proceed(&mut self, index: usize) {
        loop {
            let Some(active) = self.members[index].active.as_mut() else { return };
            let Some(at) = active.works.front_mut() else {
                if active.batch.is_none() {
                    self.members[index].active = None;
                }
                return;
            };
            let Some(item) = at.next() else {
                active.finished += 1;
                let at = active.works.pop_front().expect("it is there");
                if !self.finish(index, at)
                    && let Some(active) = self.members[index].active.as_mut()
                {
                    // What stands behind a failure does not run here either; the agent stopped by itself.
                    active.works.clear();
                }
                continue;
            };
            let Todo::Call(call) = &at.work.items[item].todo else {
                at.results[item] = Some(Judged::failed(Failure::new("an include cannot run here"), 0.0));
                continue;
            };
            if waits::is_wait(call) {
                if self.wait(index, item) {
                    continue;
                }
                return;
            }
            if call.module.reach == Reach::Controller {
                let came = self.run_here(index, item);
                self.item_came(index, 0, item, came.0, came.1);
                if self.members[index].active.as_ref().is_some_and(|active| active.due.is_some()) {
                    return;
                }
                continue;
            }
            if active.batch.is_some() {
                return;
            }
            self.send(index);
            return;
        }
    }

    /// Runs a module in this process.
    fn run_here(&mut self, index: usize, item: usize) -> (Result<Outcome, Failure>, f64) {
        let name = self.members[index].name.clone();
        let at = self.members[index].active.as_ref().and_then(|active| active.works.front()).expect("a work");
        let Todo::Call(call) = &at.work.items[item].todo else { unreachable!("only calls run") };
        let began = Instant::now();
        let mut args = call.args.clone();
        if call.module.name == "include_vars" {
            let vars = self.context.store.step(
                &name,
                &at.work.entry,
                at.work.items[item].extra.clone(),
                super::vars::Pending::default(),
                at.work.position,
            );
            match special::include_vars(self.context, &args, &vars) {
                Err(failure) => return (Err(failure), 0.0),
                Ok((table, files)) => {
                    let plain: Map = table
                        .iter()
                        .map(|(name, var)| {
                            let value = match var {
                                Var::Node(node) => node.to_value(),
                                Var::Value(value) => (**value).clone(),
                            };
                            (name.clone(), value)
                        })
                        .collect();
                    args.insert("_vars".into(), plain.into());
                    args.insert("_files".into(), files.into());
                    args.remove("name");
                    self.context.store.include(&name, table);
                }
            }
        }
        let system = System::new("/");
        let silent = |_: &str| {};
        let cx = Cx::new(&system, at.work.check, &NoBlobs, &silent);
        let came = registry::run(call.module, args, cx);
        (came, began.elapsed().as_secs_f64())
    }

    /// An agent says something.
    pub fn agent_says(&mut self, key: &Arc<str>, message: Message) {
        match message {
            Message::Opened { .. } => self.opened(key),
            Message::Closed(failure) => {
                self.pool.forget(key);
                if self.closed(key, &failure) {
                    return;
                }
                for index in 0..self.members.len() {
                    let waiting = self.members[index]
                        .active
                        .as_ref()
                        .is_some_and(|active| active.batch.as_ref().is_some_and(|(_, route)| route == key));
                    if waiting {
                        self.lost(index, &failure);
                    }
                }
            }
            Message::Reply(Reply::Need { sha256 }) => self.pool.give(key, sha256),
            Message::Reply(Reply::Line { id, call, text }) => {
                if let Some((index, work, _)) = self.whose(key, id, call)
                    && let Some(at) = self.members[index].active.as_ref().and_then(|active| active.works.get(work))
                    && !at.work.no_log
                {
                    let (task, host) = (at.work.entry.number, self.members[index].name.clone());
                    self.screen.now(Event::Line { task, host, text });
                }
            }
            Message::Reply(Reply::Done { id, call, result, seconds }) => {
                if let Some((index, work, item)) = self.whose(key, id, call) {
                    self.item_came(index, work, item, result, seconds);
                    self.proceed(index);
                }
            }
            Message::Reply(Reply::BatchDone { id }) => {
                let Some(index) = self.members.iter().position(|member| {
                    member
                        .active
                        .as_ref()
                        .is_some_and(|active| active.batch.as_ref().is_some_and(|batch| batch.0 == id))
                }) else {
                    return;
                };
                let active = self.members[index].active.as_mut().expect("it is there");
                active.batch = None;
                if active.due.is_some() {
                    return;
                }
                let unanswered = active
                    .works
                    .front()
                    .is_some_and(|at| !at.work.stepwise && at.next().is_some_and(|item| is_remote(&at.work, item)));
                if unanswered {
                    // The batch stopped at a failure before these: they are looked at anew.
                    self.members[index].active = None;
                } else {
                    self.proceed(index);
                }
            }
            Message::Reply(Reply::Hello { .. }) => {}
        }
    }

    fn whose(&self, key: &Arc<str>, id: u64, call: usize) -> Option<(usize, usize, usize)> {
        self.members.iter().enumerate().find_map(|(index, member)| {
            let active = member.active.as_ref()?;
            let (batch, route) = active.batch.as_ref()?;
            if *batch != id || route != key {
                return None;
            }
            let (number, item) = *active.calls.get(call)?;
            Some((index, number.checked_sub(active.finished)?, item))
        })
    }

    /// The connection of a member's batch is gone.
    fn lost(&mut self, index: usize, failure: &Failure) {
        let Some(active) = self.members[index].active.as_mut() else { return };
        active.batch = None;
        let Some(at) = active.works.front_mut() else {
            self.members[index].active = None;
            return;
        };
        for item in 0..at.results.len() {
            if at.results[item].is_none() {
                at.results[item] = Some(Judged::failed(failure.clone(), at.began.elapsed().as_secs_f64()));
            }
        }
        active.due = None;
        active.works.truncate(1);
        self.proceed(index);
        if self.members[index].active.as_ref().is_some_and(|active| active.works.is_empty()) {
            self.members[index].active = None;
        }
    }

    /// An item's call came back.
    pub fn item_came(&mut self, index: usize, work: usize, item: usize, came: Result<Outcome, Failure>, seconds: f64) {
        let name = self.members[index].name.clone();
        let Some(active) = self.members[index].active.as_mut() else { return };
        let Some(at) = active.works.get_mut(work) else { return };
        let task = at.work.entry.task().expect("markers are no steps").clone();
        let repeated = !task.until.is_empty() || task.retries.is_some();
        at.attempts += 1;
        let attempts = repeated.then_some(at.attempts);
        let mut judged = result::judge(self.context, &name, &at.work, &at.work.items[item], came, seconds, attempts);
        if repeated && judged.status != Status::Unreachable {
            let vars_plain = self.context.store.step(
                &name,
                &at.work.entry,
                at.work.items[item].extra.clone(),
                super::vars::Pending::default(),
                at.work.position,
            );
            let retries = self.context.number(task.retries.as_ref(), &vars_plain).ok().flatten().unwrap_or(3.0);
            let delay = self.context.number(task.delay.as_ref(), &vars_plain).ok().flatten().unwrap_or(5.0).max(0.0);
            let done = if task.until.is_empty() {
                Ok(!judged.is_failure())
            } else {
                result::holds(self.context, &name, &at.work, &at.work.items[item], &task, &task.until, &judged)
            };
            match done {
                Err(failure) => judged = Judged::failed(failure, seconds),
                Ok(true) => {}
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                Ok(false) if at.attempts <= retries.max(0.0) as u64 && self.interrupts == 0 => {
                    let left = (retries as u64 + 1).saturating_sub(at.attempts);
                    let task = at.work.entry.number;
                    active.due = Some(Instant::now() + Duration::from_secs_f64(delay));
                    self.screen.now(Event::StepRetrying { task, host: name, left });
                    return;
                }
                Ok(false) => {
                    judged.status = Status::Failed;
                    judged.result.insert("failed".into(), true.into());
                    if judged.result.get("msg").is_none() {
                        let message = format!("the condition of `until` did not hold in {} tries", at.attempts);
                        judged.result.insert("msg".into(), message.into());
                    }
                }
            }
        }
        at.attempts = 0;
        if at.work.looped {
            result::mark_item(&mut judged, &at.work.items[item]);
        }
        let stop = at.work.looped && self.breaks(index, work, item, &judged);
        let active = self.members[index].active.as_mut().expect("it is there");
        let at = &mut active.works[work];
        at.results[item] = Some(judged);
        if stop {
            at.work.items.truncate(item + 1);
            at.results.truncate(item + 1);
        } else if let Some(pause) = task.loop_control.pause.as_ref().filter(|_| at.next().is_some()) {
            let vars =
                self.plain_vars(index, &self.members[index].active.as_ref().expect("active").works[work].work.entry);
            if let Ok(Some(seconds)) = self.context.number(Some(pause), &vars) {
                let active = self.members[index].active.as_mut().expect("it is there");
                active.due = Some(Instant::now() + Duration::from_secs_f64(seconds.max(0.0)));
            }
        }
    }

    fn breaks(&self, index: usize, work: usize, item: usize, judged: &Judged) -> bool {
        let active = self.members[index].active.as_ref().expect("active");
        let work = &active.works[work].work;
        let task = work.entry.task().expect("a task");
        !task.loop_control.break_when.is_empty()
            && result::holds(
                self.context,
                &self.members[index].name,
                work,
                &work.items[item],
                task,
                &task.loop_control.break_when,
                judged,
            )
            .unwrap_or(false)
    }

    /// A wait of a member is over: the next try, or the next item.
    pub fn wake(&mut self, index: usize) {
        if let Some(active) = self.members[index].active.as_mut() {
            active.due = None;
            if active.batch.is_none() {
                self.proceed(index);
            }
        }
    }

    /// A work without anything to run is over.
    pub fn finish_at_once(&mut self, index: usize, work: Work) {
        let at = InWork::new(work);
        self.finish(index, at);
    }

    /// A step is over; says whether the host goes on to what stands behind it.
    fn finish(&mut self, index: usize, at: InWork) -> bool {
        let InWork { work, results, .. } = at;
        let items: Vec<Judged> = results.into_iter().flatten().collect();
        if work.looped {
            for (item, judged) in work.items.iter().zip(&items) {
                let done = self.done_event(index, &work, judged, item.label.clone(), judged.status, delegate(item));
                self.emit(index, &work, Event::ItemDone(done));
            }
        }
        for (item, judged) in work.items.iter().zip(&items) {
            self.effects(index, item, judged);
        }
        let judged = result::gather(&work, items);
        self.finish_step(index, &work, &judged)
    }

    fn emit(&mut self, index: usize, work: &Work, event: Event) {
        let title = self.title(index, &work.entry);
        self.screen.done(work.position, &work.entry, &title, event);
    }

    /// What a result does to the run: facts, hosts, groups.
    fn effects(&mut self, index: usize, item: &super::step::Item, judged: &Judged) {
        if judged.is_failure() || judged.status == Status::Skipped {
            return;
        }
        let Todo::Call(call) = &item.todo else { return };
        let entry_host = self.members[index].name.clone();
        if let Some(Value::Object(facts)) = judged.result.get("ansible_facts") {
            let to = call.route.delegate.clone().filter(|_| call.delegate_facts).unwrap_or(entry_host.clone());
            match call.module.name {
                "set_fact" => {
                    self.context.store.set(&to, super::vars::data(facts));
                    if judged.result.get("_ansible_facts_cacheable").is_some_and(truthy) {
                        self.context.store.add_facts(&to, facts);
                    }
                }
                "include_vars" => {}
                _ => self.context.store.add_facts(&to, facts),
            }
        }
        if let Some(Value::Object(host)) = judged.result.get("add_host") {
            self.add_host(host);
        }
        if let Some(group) = judged.result.get("add_group").and_then(Value::as_str) {
            let parents: Vec<String> = judged
                .result
                .get("parent_groups")
                .and_then(|parents| serde_json::from_value(parents.clone()).ok())
                .unwrap_or_default();
            self.inventory.add_to_group(&entry_host, group, &parents);
            self.reload();
        }
    }

    fn add_host(&mut self, host: &Map) {
        let Some(name) = host.get("host_name").and_then(Value::as_str) else { return };
        let groups: Vec<String> =
            host.get("groups").and_then(|groups| serde_json::from_value(groups.clone()).ok()).unwrap_or_default();
        let vars = match host.get("host_vars") {
            Some(Value::Object(vars)) => super::vars::data(vars),
            _ => Table::default(),
        };
        self.inventory.add_host(name, &groups, vars);
        self.reload();
    }

    /// Shows the store what the inventory has become.
    pub fn reload(&mut self) {
        let folders = std::slice::from_ref(&self.play.folder);
        if let Err(mistakes) = self.context.store.refresh(self.inventory, folders, &self.context.loader) {
            let text = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            self.screen.now(Event::Warning { text });
        }
    }

    fn done_event(
        &self,
        index: usize,
        work: &Work,
        judged: &Judged,
        item: Option<Value>,
        status: Status,
        delegate: Option<String>,
    ) -> Done {
        let mut result = judged.result.clone();
        let mut diffs = judged.diffs.clone();
        let mut proofs = judged.proofs.clone();
        let mut help = judged.help.clone();
        let mut item = item;
        if work.no_log {
            let changed = result.get("changed").cloned().unwrap_or(false.into());
            result = Map::new();
            result.insert(
                "censored".into(),
                "the output has been hidden due to the fact that 'no_log: true' was specified for this result".into(),
            );
            result.insert("changed".into(), changed);
            (diffs, proofs, help) = (vec![], vec![], None);
            item = item.map(|_| "(censored due to no_log)".into());
        } else if !work.diff {
            // Contents are shown only with --diff; that something changed, and what, always.
            diffs = diffs.into_iter().map(without_text).collect();
        }
        Done {
            task: work.entry.number,
            host: self.members[index].name.clone(),
            delegate,
            status,
            item,
            result,
            diffs,
            help,
            proofs,
            seconds: judged.seconds,
        }
    }

    /// A step's result takes effect; says whether the host goes on to what stands behind it.
    pub fn finish_step(&mut self, index: usize, work: &Work, judged: &Judged) -> bool {
        let entry = work.entry.clone();
        let task = entry.task().expect("markers are no steps").clone();
        let name = self.members[index].name.clone();
        let once = entry.keyword(|keywords| keywords.run_once.as_ref()).is_some() && !self.free;
        let sharers: Vec<usize> = if once { self.present().collect() } else { vec![index] };
        if let Some(registered) = result::registered(&task, judged) {
            for sharer in &sharers {
                self.context.store.set(&self.members[*sharer].name, registered.clone());
            }
        }
        if once {
            self.share_facts(&name, work, judged, &sharers);
        }
        let ignored = match judged.status {
            Status::Failed => work.ignore_errors,
            Status::Unreachable => work.ignore_unreachable,
            _ => false,
        };
        let mut status = judged.status;
        if ignored {
            status = Status::Ignored;
        } else if judged.status == Status::Unreachable {
            self.members[index].gone = true;
        } else if judged.status == Status::Failed {
            self.remember_failure(&name, &entry, judged);
            if self.members[index].guard.fail(&entry) == super::guard::After::Rescued {
                status = Status::Rescued;
            }
        }
        let delegates: Vec<Option<String>> = work.items.iter().map(delegate).collect();
        let delegate = delegates.first().cloned().flatten().filter(|_| !work.looped);
        let done = self.done_event(index, work, judged, None, status, delegate);
        self.emit(index, work, Event::StepDone(done));
        if judged.status == Status::Changed && !task.notify.is_empty() {
            self.notify(index, work, &sharers);
        }
        if let Some(handler) = entry.handler {
            self.members[index].notified.remove(&handler);
        }
        let next = work.position + 1;
        for sharer in sharers {
            if self.members[sharer].cursor < next {
                self.set_cursor(sharer, next);
            }
        }
        self.set_cursor(index, next);
        if matches!(status, Status::Failed | Status::Rescued | Status::Unreachable) {
            self.spread(index, &entry, status, once);
            return false;
        }
        true
    }

    fn share_facts(&self, name: &str, work: &Work, judged: &Judged, sharers: &[usize]) {
        let sets = |item: &super::step::Item| matches!(&item.todo, Todo::Call(call) if call.module.name == "set_fact");
        if !work.items.iter().any(sets) {
            return;
        }
        let results: Vec<&Map> = match judged.result.get("results").and_then(Value::as_array) {
            Some(results) if work.looped => results.iter().filter_map(Value::as_object).collect(),
            _ => vec![&judged.result],
        };
        for facts in results.iter().filter_map(|result| result.get("ansible_facts")?.as_object()) {
            for other in sharers.iter().map(|sharer| &self.members[*sharer].name).filter(|other| *other != name) {
                self.context.store.set(other, super::vars::data(facts));
            }
        }
    }

    fn remember_failure(&self, host: &str, entry: &Entry, judged: &Judged) {
        let task = serde_json::json!({"name": entry.title(), "path": entry.span().to_string()});
        self.context.store.set(
            host,
            Table::from_iter([
                ("ansible_failed_task".to_owned(), Var::Value(Arc::new(task))),
                ("ansible_failed_result".to_owned(), Var::Value(Arc::new(Value::Object(judged.result.clone())))),
            ]),
        );
    }

    /// What one host's failure means for the others.
    fn spread(&mut self, index: usize, entry: &Arc<Entry>, status: Status, once: bool) {
        let fatal = self.flag_of(index, entry, entry.keyword(|keywords| keywords.any_errors_fatal.as_ref()));
        if once || fatal.unwrap_or(false) {
            self.fatal = Some(entry.clone());
            return;
        }
        if let (Some(limit), Status::Failed) = (self.max_fail, status) {
            let failed = self.members.iter().filter(|member| member.guard.failed()).count();
            #[expect(clippy::cast_precision_loss)]
            if failed as f64 / self.members.len() as f64 * 100.0 > limit {
                self.fatal = Some(entry.clone());
                self.abort = true;
            }
        }
    }

    fn notify(&mut self, index: usize, work: &Work, sharers: &[usize]) {
        let task = work.entry.task().expect("a task").clone();
        let vars = self.plain_vars(index, &work.entry);
        for node in &task.notify {
            let names = match self.context.render(node, &vars) {
                Ok(Value::String(name)) => vec![name],
                Ok(Value::Array(names)) => {
                    names.iter().filter_map(|name| name.as_str().map(ToOwned::to_owned)).collect()
                }
                Ok(other) => vec![other.to_string()],
                Err(Missing::Failed(failure)) => {
                    self.screen.now(Event::Warning { text: failure.to_string() });
                    continue;
                }
                Err(Missing::Wait) => continue,
            };
            for name in names {
                let found = self.handlers_named(index, &name);
                if found.is_empty() {
                    let text = format!(
                        "the handler `{name}` was not found, neither as a name nor as a `listen` topic ({})",
                        node.span
                    );
                    self.screen.now(Event::Warning { text });
                }
                for sharer in sharers {
                    self.members[*sharer].notified.extend(found.iter().copied());
                }
            }
        }
    }

    /// The last handler of that name, and every handler that listens to it.
    fn handlers_named(&self, index: usize, name: &str) -> Vec<usize> {
        let mut named = None;
        let mut found = Vec::new();
        for (number, handler) in self.handlers.iter().enumerate() {
            let Some(task) = handler.entry.task() else { continue };
            let title = self.title(index, &handler.entry);
            let short = title.split_once(" : ").map_or(title.as_str(), |(_, short)| short);
            if title == name || short == name {
                named = Some(number);
            }
            if task.listen.iter().filter_map(Node::as_str).any(|topic| topic == name) {
                found.push(number);
            }
        }
        found.extend(named);
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Cancels everything that is at an agent.
    pub fn cancel_all(&mut self) {
        for member in &mut self.members {
            if let Some(Active { batch: Some((id, key)), .. }) = &member.active {
                self.pool.cancel(key, *id);
            }
        }
    }
}

fn delegate(item: &super::step::Item) -> Option<String> {
    match &item.todo {
        Todo::Call(call) => call.route.delegate.clone(),
        _ => None,
    }
}

fn is_remote(work: &Work, item: usize) -> bool {
    matches!(&work.items[item].todo, Todo::Call(call) if call.module.reach != Reach::Controller)
}

fn without_text(diff: crate::base::Diff) -> crate::base::Diff {
    use crate::base::Diff;
    match diff {
        Diff::Text { name, before: None, .. } => Diff::value(name, "absent", "present"),
        Diff::Text { name, after: None, .. } => Diff::value(name, "present", "absent"),
        Diff::Text { name, .. } => Diff::action(format!("{name}: content")),
        other => other,
    }
}

/// Modules that run in the engine have no blobs.
pub struct NoBlobs;

impl Blobs for NoBlobs {
    fn open(&self, blob: &BlobRef) -> Result<Box<dyn Read>, Failure> {
        Err(Failure::new(format!("{} is not kept here", blob.sha256)))
    }
}
