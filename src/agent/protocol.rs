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
