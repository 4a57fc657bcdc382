//! What controller and agent say to each other.
//!
//! Frames are a big-endian `u32` length and a `MessagePack` body (named fields), on the agent's stdin and stdout. The agent
//! first says [`Reply::Hello`]; it exits on [`Request::Bye`], on end of file, and when no frame (not even
//! [`Request::Ping`]) has come for [`SILENCE`].

use crate::base::{Failure, Map, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an agent waits for a sign of life; the controller pings four times as often.
pub const SILENCE: Duration = Duration::from_mins(1);
/// The largest frame: a blob's chunk and some overhead.
pub const MAX_FRAME: usize = 16 << 20;
/// Blobs up to this size travel with the batch; larger ones are asked for with [`Reply::Need`].
pub const INLINE: u64 = 64 << 10;

/// From the controller.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Run these calls in order; stop after the step of the first failure of a call that does not say `keep_going`.
    Batch {
        /// Number of the batch.
        id: u64,
        /// What to run.
        calls: Vec<Call>,
        /// Small blobs that the calls name.
        #[serde(default)]
        blobs: Vec<Blob>,
    },
    /// A part of a blob that was asked for, in order; `last` ends it. A blob that cannot be read ends with `error`.
    Chunk {
        /// The blob.
        sha256: String,
        /// The next bytes.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        /// Nothing follows.
        last: bool,
        /// Why nothing follows.
        #[serde(default)]
        error: Option<String>,
    },
    /// Stop the batch: end the running command, run nothing more of it.
    Cancel {
        /// The batch.
        id: u64,
    },
    /// Which handlers are pending on this host (see [`Note`]). Not answered.
    Notes {
        /// Note these.
        add: Vec<Note>,
        /// Forget these: they have run.
        drop: Vec<Note>,
    },
    /// A sign of life.
    Ping,
    /// Let everything go and exit.
    Bye,
}

/// From the agent.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The agent is there.
    Hello {
        /// Its version: the controller's own, or the bootstrap went wrong.
        version: String,
        /// The user it runs as.
        uid: u32,
        /// Handlers that earlier runs notified and did not come to run.
        #[serde(default)]
        pending: Vec<Note>,
    },
    /// A line printed by a running command, or progress.
    Line {
        /// The batch.
        id: u64,
        /// Index of the call in the batch.
        call: usize,
        /// Without its newline.
        text: String,
    },
    /// Send this blob in [`Request::Chunk`]s.
    Need {
        /// The blob.
        sha256: String,
    },
    /// The next bytes of something that a running call sends to the controller.
    Part {
        /// Its name: a random one, which the call's output then holds.
        name: String,
        /// The next bytes.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// One call is done. Calls after a failure that stops the batch are not answered; `BatchDone` follows always.
    Done {
        /// The batch.
        id: u64,
        /// Index of the call in the batch.
        call: usize,
        /// How it went.
        result: Result<Outcome, Failure>,
        /// Wall time on the host.
        seconds: f64,
    },
    /// The batch is over: all done, stopped at a failure, or cancelled.
    BatchDone {
        /// The batch.
        id: u64,
    },
}

/// One module to run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// Its name, without `ansible.builtin.`.
    pub module: String,
    /// Its arguments, rendered and prepared.
    pub args: Map,
    /// The task's `environment`.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Change nothing, say what would change.
    #[serde(default)]
    pub check: bool,
    /// Go on with the batch if this one fails (`ignore_errors`).
    #[serde(default)]
    pub keep_going: bool,
    /// Calls of one step (the items of its loop) bear one number: after a failure, the rest of that step still runs.
    #[serde(default)]
    pub step: u32,
    /// The call fails after this many seconds.
    #[serde(default)]
    pub timeout: Option<u64>,
    /// Handlers that it notifies if it changes anything: noted on the host before the first change.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Do not wait for it: it goes on by itself, and its result will be in this folder (see [`crate::agent::job`]).
    #[serde(default)]
    pub job: Option<String>,
}

/// A handler that is to run for a host, as noted on the host where the change was made that notified it: whatever happens
/// to the run, the next one knows of it. Names as written in the playbook: no templates are rendered, so no secrets are in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The inventory name of the host that is notified.
    pub host: String,
    /// The name of the playbook's file, without its folder: checkouts differ.
    pub playbook: String,
    /// The play's name, or its pattern.
    pub play: String,
    /// `role : name`, or what names a handler that has no name.
    pub handler: String,
    /// The run that noted it.
    pub run: String,
}

impl Note {
    /// Whether both mean the same handler for the same host, whichever run noted it.
    pub fn is(&self, other: &Self) -> bool {
        self.host == other.host && self.of_play(&other.playbook, &other.play) && self.handler == other.handler
    }

    /// Whether its handler is one of that play's.
    pub fn of_play(&self, playbook: &str, play: &str) -> bool {
        self.playbook == playbook && self.play == play
    }
}

/// Bytes that an argument names by their hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Blob {
    /// Lower-case hex.
    pub sha256: String,
    /// The bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}
