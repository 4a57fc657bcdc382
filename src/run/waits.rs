//! Tasks that only wait: `pause`, `wait_for_connection`.

use super::context::truth;
use super::play::PlayRun;
use super::pool::Message as Inbox;
use super::step::{Call, Todo};
use crate::base::{Event, Failure, Outcome, Value};
use crate::modules::{Cx, NoBlobs, registry};
use crate::system::System;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Whether the engine itself waits for this call.
pub fn is_wait(call: &Call) -> bool {
    matches!(call.module.name, "pause" | "wait_for_connection")
}

fn seconds(call: &Call, name: &str, or: f64) -> f64 {
    match call.args.get(name) {
        Some(Value::Number(number)) => number.as_f64().unwrap_or(or),
        Some(Value::String(text)) => text.parse().unwrap_or(or),
        _ => or,
    }
}

impl PlayRun<'_> {
    /// Begins a wait, or ends one that is over; says whether the item has its result.
    pub fn wait(&mut self, index: usize, item: usize) -> bool {
        let Some(call) = self.call(index, item) else { return true };
        if call.module.name == "pause" { self.pause(index, item, &call) } else { self.reconnect(index, &call) }
    }

    fn call(&self, index: usize, item: usize) -> Option<Call> {
        match &self.members[index].active.as_ref()?.works.front()?.work.items[item].todo {
            Todo::Call(call) => Some(call.clone()),
            _ => None,
        }
    }

    fn pause(&mut self, index: usize, item: usize, call: &Call) -> bool {
        let now = Instant::now();
        let active = self.members[index].active.as_mut().expect("a pause");
        let at = active.works.front_mut().expect("a pause");
        if let Some(deadline) = at.deadline {
            if deadline > now {
                active.due = Some(deadline);
                return false;
            }
            let waited = at.began.elapsed().as_secs_f64();
            self.end_pause(index, item, call, "", waited);
            return true;
        }
        let timed =
            ["seconds", "minutes"].iter().any(|name| call.args.get(*name).is_some_and(|value| !value.is_null()));
        let prompt =
            call.args.get("prompt").and_then(Value::as_str).unwrap_or("Press enter to continue, Ctrl-C to stop");
        if timed {
            let wait = seconds(call, "seconds", 0.0) + 60.0 * seconds(call, "minutes", 0.0);
            let deadline = now + Duration::from_secs_f64(wait.max(0.0));
            at.deadline = Some(deadline);
            active.due = Some(deadline);
            return false;
        }
        if !std::io::stdin().is_terminal() {
            let text = "`pause` waits for an answer, but there is no terminal: going on".to_owned();
            self.screen.now(Event::Warning { text });
            self.end_pause(index, item, call, "", 0.0);
            return true;
        }
        self.screen.hush();
        let (prompt, inbox) = (format!("{prompt}: "), self.pool.inbox());
        let private = call.args.get("echo").and_then(truth) == Some(false);
        std::thread::spawn(move || {
            if let Ok(line) = super::prompt::read(&prompt, private) {
                let _ = inbox.send(Inbox::Typed(line));
            }
        });
        let active = self.members[index].active.as_mut().expect("a pause");
        active.batch = Some((0, "".into()));
        false
    }

    fn end_pause(&mut self, index: usize, item: usize, call: &Call, typed: &str, waited: f64) {
        let mut args = call.args.clone();
        args.insert("_user_input".into(), typed.into());
        args.insert("_waited".into(), waited.into());
        let system = System::new("/");
        let came = registry::run(call.module, args, Cx::new(&system, false, &NoBlobs, &|_| {}));
        self.item_came(index, 0, item, came, waited);
    }

    /// Somebody typed a line at the prompt of a `pause`.
    pub fn typed(&mut self, line: &str) {
        let waiting = (0..self.members.len()).find(|index| {
            self.members[*index].active.as_ref().is_some_and(|active| active.batch == Some((0, "".into())))
        });
        let Some(index) = waiting else { return };
        let active = self.members[index].active.as_mut().expect("a pause");
        active.batch = None;
        let Some((item, waited)) = active.works.front().and_then(|at| Some((at.next()?, at.began.elapsed()))) else {
            return;
        };
        if let Some(call) = self.call(index, item) {
            self.end_pause(index, item, &call, line, waited.as_secs_f64());
        }
        self.proceed(index);
    }

    fn reconnect(&mut self, index: usize, call: &Call) -> bool {
        let now = Instant::now();
        let key = call.route.key.clone();
        let active = self.members[index].active.as_mut().expect("a wait");
        let at = active.works.front_mut().expect("a wait");
        if at.deadline.is_none() {
            at.deadline = Some(now + Duration::from_secs_f64(seconds(call, "timeout", 600.0).max(0.0)));
            self.pool.forget(&key);
            let delay = seconds(call, "delay", 0.0);
            if delay > 0.0 {
                active.due = Some(now + Duration::from_secs_f64(delay));
                return false;
            }
        }
        active.batch = Some((0, key));
        self.pool.open(&call.route);
        false
    }

    /// The members that wait for this connection, with the item that does.
    fn waiting_for(&self, key: &Arc<str>) -> Vec<(usize, usize)> {
        let waits = |index: &usize| -> Option<(usize, usize)> {
            let active = self.members[*index].active.as_ref()?;
            let (0, route) = active.batch.as_ref()? else { return None };
            if route != key {
                return None;
            }
            Some((*index, active.works.front()?.next()?))
        };
        (0..self.members.len()).filter_map(|index| waits(&index)).collect()
    }

    /// An agent answered.
    pub fn opened(&mut self, key: &Arc<str>) {
        for (index, item) in self.waiting_for(key) {
            let active = self.members[index].active.as_mut().expect("a wait");
            active.batch = None;
            let waited = active.works.front().map_or(0.0, |at| at.began.elapsed().as_secs_f64());
            let mut outcome = Outcome::default();
            outcome.output.insert("elapsed".into(), waited.floor().into());
            self.item_came(index, 0, item, Ok(outcome), waited);
            self.proceed(index);
        }
    }

    /// A connection ended or did not come about; says whether somebody who waits for it takes care of that.
    pub fn closed(&mut self, key: &Arc<str>, failure: &Failure) -> bool {
        let waiting = self.waiting_for(key);
        for (index, item) in &waiting {
            let Some(call) = self.call(*index, *item) else { continue };
            let active = self.members[*index].active.as_mut().expect("a wait");
            active.batch = None;
            let at = active.works.front_mut().expect("a wait");
            let waited = at.began.elapsed().as_secs_f64();
            if at.deadline.is_some_and(|deadline| deadline > Instant::now()) && self.interrupts == 0 {
                active.due = Some(Instant::now() + Duration::from_secs_f64(seconds(&call, "sleep", 1.0).max(0.1)));
                continue;
            }
            let failed = Failure::new(format!("the host did not come back within {waited:.0} s: {}", failure.message));
            self.item_came(*index, 0, *item, Err(failed.with("elapsed", waited)), waited);
            self.proceed(*index);
        }
        !waiting.is_empty()
    }
}
