//! What travels together: consecutive steps of one host that only it can see, until one needs what another brings.

use super::play::PlayRun;
use super::step::{Todo, Work};
use super::vars::Pending;
use crate::agent::protocol::{Call, Note, Request};
use crate::base::Event;
use crate::language::node::Data;
use crate::modules::Reach;

impl PlayRun<'_> {
    /// Sends the calls of the works at hand as one batch; a stepwise work sends one item.
    pub fn send(&mut self, index: usize) {
        let name = self.members[index].name.clone();
        let active = self.members[index].active.as_ref().expect("something to send");
        let notes: Vec<Vec<Note>> = active.works.iter().map(|at| self.notes_of(index, &at.work)).collect();
        let active = self.members[index].active.as_mut().expect("something to send");
        let mut calls = Vec::new();
        let mut places = Vec::new();
        let mut route = None;
        let mut started = Vec::new();
        let mut blobs: Vec<crate::agent::protocol::Blob> = Vec::new();
        for (number, at) in active.works.iter().enumerate() {
            let items: Vec<usize> = if at.work.stepwise {
                at.next().into_iter().collect()
            } else {
                (0..at.work.items.len()).filter(|item| at.results[*item].is_none()).collect()
            };
            for item in items {
                let Todo::Call(call) = &at.work.items[item].todo else { continue };
                if call.module.reach == Reach::Controller {
                    continue;
                }
                for blob in self.context.blobs.inline(&call.args) {
                    if !blobs.iter().any(|known| known.sha256 == blob.sha256) {
                        blobs.push(blob);
                    }
                }
                calls.push(Call {
                    module: call.module.name.to_owned(),
                    args: call.args.clone(),
                    environment: call.environment.clone(),
                    check: at.work.check,
                    keep_going: at.work.ignore_errors,
                    timeout: call.timeout,
                    notes: notes[number].clone(),
                    job: call.job.clone(),
                    step: u32::try_from(number).unwrap_or(u32::MAX),
                });
                places.push((number, item));
                route = Some(call.route.clone());
            }
            started.push((at.work.position, at.work.entry.clone()));
            if at.work.stepwise {
                break;
            }
        }
        let Some(route) = route else { return };
        *self.next_batch += 1;
        let id = *self.next_batch;
        active.calls = places;
        active.finished = 0;
        active.batch = Some((id, route.key.clone()));
        self.pool.send(&route, &Request::Batch { id, calls, blobs });
        for (position, entry) in started {
            let title = self.title(index, &entry);
            self.screen.start(position, &entry, &title);
            self.screen.now(Event::StepStarted { task: entry.number, host: name.clone() });
        }
    }
}

/// Whether a work can travel with those before it.
pub fn fits(works: &[Work], work: &Work) -> bool {
    let Some(first) = works.iter().find_map(Work::route) else {
        return works.is_empty() || !work.stepwise;
    };
    if work.stepwise || work.items.iter().any(|item| matches!(item.todo, Todo::Fail(_))) {
        return false;
    }
    work.items.iter().all(|item| match &item.todo {
        Todo::Call(call) if call.module.reach == Reach::Controller => matches!(call.module.name, "debug" | "set_fact"),
        Todo::Call(call) => call.route == *first,
        _ => true,
    })
}

/// Notes what a work will set; says whether it must be the last of its batch.
pub fn expect(pending: &mut Pending, work: &Work) -> bool {
    let task = work.entry.task().expect("markers are no steps");
    if let Some(register) = &task.register {
        pending.names.insert(register.name.to_string());
    }
    let mut last = work.stepwise
        || !task.failed_when.is_empty()
        || task.changed_when.iter().any(|node| !matches!(node.data, Data::Bool(_)))
        || !task.notify.is_empty() && work.entry.handler.is_some();
    for item in &work.items {
        let Todo::Call(call) = &item.todo else { continue };
        match call.module.name {
            "setup" | "service_facts" | "package_facts" => pending.facts = true,
            "set_fact" => pending.names.extend(call.args.keys().cloned()),
            // What comes next may read the file that it brings to the controller.
            "fetch" => last = true,
            name if call.module.reach == Reach::Controller => last |= name != "debug",
            _ => {}
        }
    }
    last
}
