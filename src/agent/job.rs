//! Tasks that outlive their agent: `async` with `poll: 0`.
//!
//! The agent starts its own program anew, which leaves the session, runs the call and writes the result into a file, where
//! the module `async_status` reads it: `~/.ansible_async/ID`, JSON, mode 0600, with Ansible's names. Until the result is there
//! it says `"finished": false` and, as `_pid`, whose job it is.

use super::blobs::Store;
use super::notes::Notes;
use super::protocol::{Blob, Call};
use super::{call, frame};
use crate::base::failure::{Context, Result};
use crate::base::{Diff, Failure, Map, Outcome, Value};
use crate::modules::{BlobRef, Blobs};
use crate::system::{System, Traits};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What the new process reads from its stdin: one frame.
#[derive(Debug, Serialize, Deserialize)]
struct Job {
    id: String,
    file: PathBuf,
    call: Call,
    blobs: Vec<Blob>,
}

/// Starts a call that nobody waits for, and tells under which name it will be found. `folder` is where results are kept.
pub fn start(call: Call, folder: &str, system: &System, blobs: &dyn Blobs, notes: &Notes) -> Result<Outcome> {
    let mut named = Vec::new();
    call.args.values().for_each(|value| collect(value, &mut named));
    let blobs = named.iter().map(|blob| read(blobs, blob)).collect::<Result<_>>()?;
    let folder = system.expand(folder)?;
    let id = format!("j{}.{}", getrandom::u64().unwrap_or_default() % 1_000_000_000_000, std::process::id());
    let file = folder.join(&id);
    system.writer().folders(&folder, Traits::mode(0o700))?;
    write(system, &file, &id, Map::from_iter([("finished".to_owned(), false.into())]))?;
    notes.add(&call.notes)?;
    let job = frame::encode(&Job { id: id.clone(), file: file.clone(), call, blobs });
    let job = job.context("the task is too large to be left to itself")?;
    // Not by its path: a newer agent may have taken its place.
    let mut process = Command::new("/proc/self/exe");
    process.args(["agent", "job"]).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut process = process.spawn().context("cannot start a process for the task")?;
    let handed = process.stdin.take().map(|mut stdin| std::io::Write::write_all(&mut stdin, &job));
    handed.transpose().context("cannot hand the task over")?;
    // Somebody must, or its name stays in the process table as long as the agent is there.
    std::thread::spawn(move || process.wait());
    let mut outcome = Outcome { diffs: vec![Diff::action(format!("start job {id}"))], ..Outcome::default() };
    outcome.output.insert("started".into(), true.into());
    outcome.output.insert("finished".into(), false.into());
    outcome.output.insert("ansible_job_id".into(), id.into());
    outcome.output.insert("results_file".into(), file.display().to_string().into());
    Ok(outcome)
}

/// `chainwright agent job`: runs what stdin brings, away from whoever started it.
pub fn main() -> ExitCode {
    // A session of its own: what ends the agent's does not reach it.
    let _ = rustix::process::setsid();
    let Ok(Some((job, _))) = frame::read::<Job>(&mut std::io::stdin()) else { return ExitCode::FAILURE };
    let Job { id, file, call, blobs } = job;
    let system = System::new("/");
    let own = [("finished".to_owned(), false.into()), ("_pid".to_owned(), std::process::id().into())];
    if write(&system, &file, &id, Map::from_iter(own)).is_err() {
        return ExitCode::FAILURE;
    }
    let kept = Kept(Store::default());
    kept.0.keep(blobs);
    let cancelled = Arc::<AtomicBool>::default();
    let result = match call::run(call, &system, &cancelled, &kept, &Notes::own(&system), &|_| ()) {
        Ok(outcome) => finished(outcome),
        Err(failure) => {
            let mut result = failure.output;
            result.insert("failed".into(), true.into());
            result.insert("msg".into(), failure.message.into());
            result
        }
    };
    match write(&system, &file, &id, result) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn finished(outcome: Outcome) -> Map {
    let changed = outcome.changed();
    let mut result = outcome.output;
    // What begins so is for the controller's part of a module, which is not there any more.
    result.retain(|name, _| !name.starts_with('_'));
    result.insert("changed".into(), changed.into());
    result
}

fn write(system: &System, file: &Path, id: &str, mut result: Map) -> Result<()> {
    result.entry("finished").or_insert(true.into());
    result.insert("started".into(), true.into());
    result.insert("ansible_job_id".into(), id.into());
    system.writer().write(file, Value::Object(result).to_string().as_bytes(), Traits::mode(0o600))
}

fn collect(value: &Value, found: &mut Vec<BlobRef>) {
    match value {
        Value::Object(map) => match serde_json::from_value::<BlobRef>(value.clone()) {
            Ok(blob) if map.len() == 2 => found.push(blob),
            _ => map.values().for_each(|value| collect(value, found)),
        },
        Value::Array(items) => items.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

fn read(blobs: &dyn Blobs, blob: &BlobRef) -> Result<Blob> {
    let mut bytes = Vec::new();
    blobs.open(blob)?.read_to_end(&mut bytes).context("a file from the controller")?;
    Ok(Blob { sha256: blob.sha256.clone(), bytes })
}

/// Nobody can be asked for more than has come along.
struct Kept(Store);

impl Blobs for Kept {
    fn open(&self, blob: &BlobRef) -> Result<Box<dyn Read>, Failure> {
        self.0.open(blob, &AtomicBool::new(true), &|| ())
    }

    fn give(&self, _: &mut dyn Read) -> Result<String, Failure> {
        Err(Failure::new("a task that nobody waits for cannot send files to the controller"))
    }
}
