//! Runs one call: the module is found, its time is limited, what it notifies is noted, and a bug in it is a failure.

use super::notes::Notes;
use super::protocol::Call;
use crate::base::{Failure, Outcome, Value};
use crate::modules::{Blobs, Cx, registry};
use crate::system::System;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Runs a call to its end. `cancelled` ends it early; `line` gets what it prints.
pub fn run(
    call: Call,
    system: &System,
    cancelled: &Arc<AtomicBool>,
    blobs: &dyn Blobs,
    notes: &Notes,
    line: &dyn Fn(&str),
) -> Result<Outcome, Failure> {
    let name = call.module;
    let Some(entry) = registry::find(&name) else {
        return Err(Failure::new(format!("the agent has no module {name}")));
    };
    let timer = call.timeout.map(|seconds| Timer::start(seconds, Arc::clone(cancelled)));
    let system = system.with_environment(call.environment).with_cancel(Arc::clone(cancelled));
    let unnoted = Cell::new(None);
    let note = || unnoted.set(notes.add(&call.notes).err());
    let cx = Cx::new(&system, call.check, blobs, line).before_changes(&note);
    let result = catch_unwind(AssertUnwindSafe(|| registry::run(entry, call.args, cx)));
    let result = result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Failure::new(format!("module {name} has a bug: {text}")).help("please report it"))
    });
    let result = match unnoted.take() {
        Some(failure) => result.map(|outcome| with_warning(outcome, &failure)),
        None => result,
    };
    match timer {
        Some(timer) if timer.rang() => result.map_err(|failure| Failure {
            message: format!("timed out after {} s: {}", timer.seconds, failure.message),
            ..failure
        }),
        _ => result,
    }
}

fn with_warning(mut outcome: Outcome, failure: &Failure) -> Outcome {
    let text =
        format!("should this run die, the next one will not know that handlers are pending: {}", failure.message);
    if let Value::Array(warnings) = outcome.output.entry("warnings").or_insert_with(|| vec![Value::Null; 0].into()) {
        warnings.push(text.into());
    }
    outcome
}

/// Cancels a call when its time is over.
struct Timer {
    seconds: u64,
    rang: Arc<AtomicBool>,
    /// Dropped with the timer: the thread ends.
    _done: mpsc::Sender<()>,
}

impl Timer {
    fn start(seconds: u64, flag: Arc<AtomicBool>) -> Self {
        let (done, waiting) = mpsc::channel();
        let rang = Arc::<AtomicBool>::default();
        let bell = Arc::clone(&rang);
        std::thread::spawn(move || {
            if waiting.recv_timeout(Duration::from_secs(seconds)) == Err(mpsc::RecvTimeoutError::Timeout) {
                bell.store(true, Ordering::Relaxed);
                flag.store(true, Ordering::Relaxed);
            }
        });
        Self { seconds, rang, _done: done }
    }

    fn rang(&self) -> bool {
        self.rang.load(Ordering::Relaxed)
    }
}
