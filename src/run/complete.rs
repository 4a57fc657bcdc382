//! What happens when something comes back: items, steps, failures, notifications.

use super::play::{InWork, PlayRun};
use super::result::{self, Judged};
use super::special;
use super::step::{Todo, Work};
use super::waits;
use crate::base::event::{Done, Status};
use crate::base::{Event, Failure, Map, Outcome, Value};
use crate::language::layers::Var;
use crate::modules::{Cx, NoBlobs, Reach, registry};
use crate::plan::Entry;
use crate::system::System;
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
                    // Where all was in vain Ansible counts only the tries after the first.
                    judged.result.insert("attempts".into(), (at.attempts - 1).into());
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
        let mut items: Vec<Judged> = results.into_iter().flatten().collect();
        for (item, judged) in work.items.iter().zip(&mut items) {
            let says_itself = work.entry.task().is_some_and(|task| !task.changed_when.is_empty());
            if self.effects(index, item, judged) && !says_itself {
                judged.status = Status::Changed;
                judged.result.insert("changed".into(), true.into());
            }
        }
        if work.looped {
            for (item, judged) in work.items.iter().zip(&items) {
                let done = self.done_event(index, &work, judged, item.label.clone(), judged.status, delegate(item));
                self.emit(index, &work, Event::ItemDone(done));
            }
        }
        let judged = result::gather(&work, items);
        self.finish_step(index, &work, &judged)
    }

    fn emit(&mut self, index: usize, work: &Work, event: Event) {
        let title = self.title(index, &work.entry);
        self.screen.done(work.position, &work.entry, &title, event);
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
        let once = self.runs_once(&entry);
        let sharers = self.sharers(index, &entry);
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
        if self.members[index].gone || self.members[index].guard.failed() {
            self.context.store.leave(&name, work.position + 1);
        }
        let delegates: Vec<Option<String>> = work.items.iter().map(delegate).collect();
        let delegate = delegates.first().cloned().flatten().filter(|_| !work.looped);
        let done = self.done_event(index, work, judged, None, status, delegate);
        self.emit(index, work, Event::StepDone(done));
        if !task.notify.is_empty() {
            self.noted(index, work, judged);
            if judged.status == Status::Changed {
                self.notify(index, work, &sharers);
            }
        }
        if let Some(handler) = entry.handler.filter(|_| entry.hosts.is_none()) {
            self.handled(handler, work, status, &sharers);
        }
        let next = work.position + 1;
        for sharer in &sharers {
            if status != Status::Skipped && entry.handler.is_none() {
                self.members[*sharer].note_roles(&entry);
            }
        }
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
}

fn delegate(item: &super::step::Item) -> Option<String> {
    match &item.todo {
        Todo::Call(call) => call.route.delegate.clone(),
        _ => None,
    }
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
