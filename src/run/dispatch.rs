//! The loop of a batch of hosts: start what may start, wait for something to come, see what it means.

use super::play::PlayRun;
use super::pool::Message;
use crate::base::Event;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// The loop of a batch: start what may start, wait for something to come, see what it means.
pub fn dispatch(run: &mut PlayRun, inbox: &Receiver<Message>) {
    loop {
        while run.advance() {}
        if run.is_over() {
            return;
        }
        let patience =
            run.next_due().map_or(Duration::from_hours(1), |due| due.saturating_duration_since(Instant::now()));
        let message = match inbox.recv_timeout(patience) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        match message {
            Message::Agent(key, message) => run.agent_says(&key, message),
            Message::Typed(line) => run.typed(&line),
            Message::Interrupt => interrupt(run),
        }
    }
}

/// The first interrupt lets running steps end; the second ends them.
fn interrupt(run: &mut PlayRun) {
    run.interrupts += 1;
    let text = if run.interrupts == 1 {
        for member in &mut run.members {
            // Retries, pauses and the like only wait.
            if member.active.as_ref().is_some_and(|active| active.batch.as_ref().is_none_or(|(id, _)| *id == 0)) {
                member.active = None;
            }
        }
        let running = run.members.iter().filter(|member| member.active.is_some()).count();
        format!("interrupted: {running} running steps are let to end; press Ctrl-C again to end them now")
    } else {
        run.cancel_all();
        "interrupted again: running steps are ended".to_owned()
    };
    run.screen.now(Event::Warning { text });
    if run.interrupts > 2 {
        for member in &mut run.members {
            member.active = None;
        }
    }
}
