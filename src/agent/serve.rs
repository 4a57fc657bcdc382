//! The agent: one thread reads what the controller says, each batch has a thread of its own.
//!
//! A host's own batches come one after the other, since the controller waits for each; beside them run those that other hosts
//! delegate to this one, so that nobody waits for a stranger's long task.
//!
//! It lives as long as its stdin: at its end, at `Bye`, and when the controller is silent for too long, running commands
//! are ended, locks are let go, and nothing remains. Its stdout belongs to the protocol.

use super::blobs::Store;
use super::frame;
use super::protocol::{Call, Reply, Request, SILENCE};
use crate::base::{Failure, Outcome};
use crate::modules::{BlobRef, Blobs, Cx, registry};
use crate::system::System;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// How long a running call has to stop when the controller is gone: SIGTERM's grace and a little more.
const FAREWELL: Duration = Duration::from_secs(4);

/// `chainwright agent`: serves on stdin and stdout until the controller is gone.
pub fn main() -> ExitCode {
    let streams = io::stdin().as_fd().try_clone_to_owned().and_then(|input| {
        let output = io::stdout().as_fd().try_clone_to_owned()?;
        Ok((Impatient(File::from(input)), File::from(output)))
    });
    match streams.and_then(|(input, output)| serve(input, output, System::new("/"))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chainwright agent: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until `Bye`, the end of `input`, or an error on it.
pub fn serve(mut input: impl Read, output: impl Write + Send + 'static, system: System) -> io::Result<()> {
    let agent = Arc::new(Agent {
        output: Mutex::new(Box::new(output)),
        system,
        blobs: Store::default(),
        work: Mutex::new(Work::default()),
    });
    agent.say(&Reply::Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uid: rustix::process::getuid().as_raw(),
    })?;
    let (at_end, ended) = mpsc::channel::<()>();
    let result = listen(&agent, &mut input, &at_end);
    agent.cancel(None);
    // The channel closes when the last batch has let go of its end.
    drop(at_end);
    // A call that does not stop in time goes down with the process.
    let _ = ended.recv_timeout(FAREWELL);
    result
}

fn listen(agent: &Arc<Agent>, input: &mut impl Read, at_end: &mpsc::Sender<()>) -> io::Result<()> {
    while let Some((request, _)) = frame::read::<Request>(input)? {
        match request {
            Request::Batch { id, calls, blobs } => {
                // Kept before the next request is read: a `Cancel` must find it.
                agent.work().running.insert(id, Arc::default());
                agent.blobs.keep(blobs);
                let (agent, at_end) = (Arc::clone(agent), at_end.clone());
                std::thread::Builder::new().name(format!("batch {id}")).spawn(move || {
                    let _at_end = at_end;
                    agent.run(id, calls);
                })?;
            }
            Request::Chunk { sha256, bytes, last, error } => agent.blobs.chunk(&sha256, &bytes, last, error),
            Request::Cancel { id } => agent.cancel(Some(id)),
            Request::Ping => {}
            Request::Bye => break,
        }
    }
    Ok(())
}

struct Agent {
    output: Mutex<Box<dyn Write + Send>>,
    system: System,
    blobs: Store,
    work: Mutex<Work>,
}

/// What runs, and what must not run any more.
#[derive(Default)]
struct Work {
    /// The flag that cancels the call at which a batch is.
    running: HashMap<u64, Arc<AtomicBool>>,
    cancelled: HashSet<u64>,
    over: bool,
}

impl Agent {
    /// Cancels one batch, or everything for good.
    fn cancel(&self, batch: Option<u64>) {
        let mut work = self.work();
        match batch {
            Some(id) if work.running.contains_key(&id) => _ = work.cancelled.insert(id),
            Some(_) => {}
            None => work.over = true,
        }
        for (id, flag) in &work.running {
            if batch.is_none_or(|batch| batch == *id) {
                flag.store(true, Ordering::Relaxed);
            }
        }
    }

    fn run(&self, id: u64, calls: Vec<Call>) {
        let mut stop_after = None;
        for (index, call) in calls.into_iter().enumerate() {
            let (step, keep_going) = (call.step, call.keep_going);
            if stop_after.is_some_and(|last| last != step) {
                break;
            }
            let Some(flag) = self.begin(id) else { break };
            let started = Instant::now();
            let result = self.call(id, index, call, flag);
            if result.is_err() && !keep_going {
                stop_after = Some(step);
            }
            self.answer(id, index, result, started.elapsed().as_secs_f64());
        }
        let mut work = self.work();
        work.running.remove(&id);
        work.cancelled.remove(&id);
        if work.running.is_empty() {
            self.blobs.clear();
        }
        drop(work);
        let _ = self.say(&Reply::BatchDone { id });
    }

    /// The flag that cancels the next call of a batch, unless the batch must not go on.
    fn begin(&self, id: u64) -> Option<Arc<AtomicBool>> {
        let mut work = self.work();
        if work.over || work.cancelled.contains(&id) {
            return None;
        }
        let flag = Arc::<AtomicBool>::default();
        work.running.insert(id, Arc::clone(&flag));
        Some(flag)
    }

    fn call(&self, id: u64, index: usize, call: Call, flag: Arc<AtomicBool>) -> Result<Outcome, Failure> {
        let name = call.module;
        let Some(entry) = registry::find(&name) else {
            return Err(Failure::new(format!("the agent has no module {name}")));
        };
        let timer = call.timeout.map(|seconds| Timer::start(seconds, Arc::clone(&flag)));
        let wire = Wire { agent: self, cancelled: Arc::clone(&flag) };
        let system = self.system.with_environment(call.environment).with_cancel(flag);
        let line = |text: &str| {
            let _ = self.say(&Reply::Line { id, call: index, text: text.to_owned() });
        };
        let cx = Cx::new(&system, call.check, &wire, &line);
        let result = catch_unwind(AssertUnwindSafe(|| registry::run(entry, call.args, cx)));
        let result = result.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Err(Failure::new(format!("module {name} has a bug: {text}")).help("please report it"))
        });
        match timer {
            Some(timer) if timer.rang() => result.map_err(|failure| Failure {
                message: format!("timed out after {} s: {}", timer.seconds, failure.message),
                ..failure
            }),
            _ => result,
        }
    }

    fn answer(&self, id: u64, call: usize, result: Result<Outcome, Failure>, seconds: f64) {
        let said = self.say(&Reply::Done { id, call, result, seconds });
        if let Err(error) = said
            && error.kind() == io::ErrorKind::InvalidData
        {
            let failure = Failure::new(format!("the task ran, but its result cannot travel: {error}"))
                .help("send what it prints to a file on the host");
            let _ = self.say(&Reply::Done { id, call, result: Err(failure), seconds });
        }
    }

    fn say(&self, reply: &Reply) -> io::Result<()> {
        let bytes = frame::encode(reply)?;
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output.write_all(&bytes)?;
        output.flush()
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Blobs as a module sees them.
struct Wire<'a> {
    agent: &'a Agent,
    cancelled: Arc<AtomicBool>,
}

impl Blobs for Wire<'_> {
    fn open(&self, blob: &BlobRef) -> Result<Box<dyn Read>, Failure> {
        self.agent.blobs.open(blob, &self.cancelled, &|| {
            let _ = self.agent.say(&Reply::Need { sha256: blob.sha256.clone() });
        })
    }
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

/// Stdin that fails when nothing has come for [`SILENCE`].
struct Impatient(File);

impl Read for Impatient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut waiting = [PollFd::new(&self.0, PollFlags::IN)];
        let limit = Timespec::try_from(SILENCE).map_err(io::Error::other)?;
        match poll(&mut waiting, Some(&limit)) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::TimedOut, "the controller has been silent for too long")),
            Ok(_) => self.0.read(buffer),
            Err(error) => Err(error.into()),
        }
    }
}
