//! The agent: one thread reads what the controller says, each batch has a thread of its own.
//!
//! A host's own batches come one after the other, since the controller waits for each; beside them run those that other hosts
//! delegate to this one, so that nobody waits for a stranger's long task.
//!
//! It lives as long as its stdin: at its end, at `Bye`, and when the controller is silent for too long, running commands
//! are ended, locks are let go, and nothing remains. Its stdout belongs to the protocol.

use super::blobs::Store;
use super::notes::Notes;
use super::protocol::{Call, Reply, Request, SILENCE};
use super::{call, frame, job};
use crate::base::failure::Context as _;
use crate::base::{Failure, Outcome};
use crate::modules::{BlobRef, Blobs};
use crate::system::System;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// How much of what a call sends goes in one frame, in bytes.
const PART: usize = 256 << 10;
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
        notes: Notes::own(&system),
        system,
        blobs: Store::default(),
        work: Mutex::new(Work::default()),
    });
    agent.say(&Reply::Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uid: rustix::process::getuid().as_raw(),
        pending: agent.notes.all(),
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
            Request::Notes { add, drop } => {
                agent.notes.drop(&drop);
                // A change that the module did not see as one: it is done already, so there is nothing to hold back.
                let _ = agent.notes.add(&add);
            }
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
    notes: Notes,
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
        let wire = Wire { agent: self, cancelled: Arc::clone(&flag) };
        if let Some(folder) = call.job.clone() {
            return job::start(call, &folder, &self.system, &wire, &self.notes);
        }
        let line = |text: &str| {
            let _ = self.say(&Reply::Line { id, call: index, text: text.to_owned() });
        };
        call::run(call, &self.system, &flag, &wire, &self.notes, &line)
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

    fn give(&self, source: &mut dyn Read) -> Result<String, Failure> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).context("no randomness")?;
        let name = alloy_primitives::hex::encode(random);
        loop {
            let mut bytes = Vec::with_capacity(PART);
            let read =
                Read::take(&mut *source, PART as u64).read_to_end(&mut bytes).context("cannot read what is sent")?;
            if read == 0 {
                return Ok(name);
            }
            if self.cancelled.load(Ordering::Relaxed) {
                return Err(Failure::new("cancelled while a file was sent to the controller"));
            }
            let part = Reply::Part { name: name.clone(), bytes };
            self.agent.say(&part).context("cannot send to the controller")?;
        }
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
