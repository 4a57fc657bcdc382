//! What agents say: whose step it is about, and what is to be done when one says no more.

use super::play::{Active, PlayRun};
use super::result::Judged;
use super::step::{Todo, Work};
use crate::agent::protocol::Reply;
use crate::base::{Event, Failure};
use crate::connect::Message;
use crate::modules::Reach;
use std::sync::Arc;

impl PlayRun<'_> {
    /// An agent says something.
    pub fn agent_says(&mut self, key: &Arc<str>, message: Message) {
        match message {
            Message::Opened { pending, .. } => {
                self.pending_at(key, pending);
                self.opened(key);
            }
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
            Message::Reply(Reply::Hello { .. } | Reply::Part { .. }) => {}
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

    /// Cancels everything that is at an agent.
    pub fn cancel_all(&mut self) {
        for member in &mut self.members {
            if let Some(Active { batch: Some((id, key)), .. }) = &member.active {
                self.pool.cancel(key, *id);
            }
        }
    }
}

fn is_remote(work: &Work, item: usize) -> bool {
    matches!(&work.items[item].todo, Todo::Call(call) if call.module.reach != Reach::Controller)
}
