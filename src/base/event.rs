//! What happens in a run, as data: every reporter and every test reads this stream and nothing else.

use super::{Diff, Map, Recap, Value};
use serde::{Deserialize, Serialize};

/// One thing that happened. In `--json` an event is one line; `event` names its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins; everything has been parsed and checked.
    RunStarted {
        /// Playbooks as typed.
        playbooks: Vec<String>,
        /// `-C`.
        check: bool,
        /// This program's version.
        version: String,
    },
    /// A play (or, with `serial`, its next batch) begins.
    PlayStarted {
        /// The play's name, or its host pattern.
        play: String,
        /// The hosts of this batch, in the order in which they are taken.
        hosts: Vec<String>,
    },
    /// A task begins: at least one host has come to it. Always in playbook order.
    TaskStarted {
        /// Number of the task in this run, unique.
        task: usize,
        /// `role : name`, or the module's name.
        name: String,
        /// The module's name without `ansible.builtin.`: `debug` shows its message always.
        module: String,
        /// `file:line:column`.
        path: String,
        /// It is a handler.
        handler: bool,
    },
    /// A step (one task on one host) begins: from now on it is waited for.
    StepStarted {
        /// The task's number.
        task: usize,
        /// The host.
        host: String,
    },
    /// A try of `until` was not the last: the step tries again.
    StepRetrying {
        /// The task's number.
        task: usize,
        /// The host.
        host: String,
        /// How many tries are left.
        left: u64,
    },
    /// A line that a command printed while it runs, or progress that a module reports.
    Line {
        /// The task's number.
        task: usize,
        /// The host.
        host: String,
        /// Without its newline.
        text: String,
    },
    /// One item of a loop is done.
    ItemDone(Done),
    /// A step (one task on one host) is done.
    StepDone(Done),
    /// A host could not be spoken to, outside of any task's own failure.
    Warning {
        /// One line, or a few.
        text: String,
    },
    /// The run cannot go on: wrong input that only showed now.
    Error {
        /// One line, or a few.
        text: String,
    },
    /// Something that the user should know, and that is no trouble.
    Note {
        /// One line.
        text: String,
    },
    /// Every host of the batch has failed, or more than the play puts up with: it ends here.
    NoMoreHosts,
    /// The run ends.
    RunEnded {
        /// In inventory order.
        recap: Recap,
        /// Ansible's exit code.
        exit: u8,
        /// Frames that were sent and waited for, over all hosts.
        round_trips: u64,
        /// Bytes to all hosts, and from them, as given to ssh.
        bytes: (u64, u64),
        /// Wall time.
        seconds: f64,
    },
}

/// The end of a step or of one item of its loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The task's number.
    pub task: usize,
    /// The host that the step belongs to.
    pub host: String,
    /// Where it really ran, if delegated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegate: Option<String>,
    /// How it ended.
    pub status: Status,
    /// The loop's label for this item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Value>,
    /// What would be registered; censored under `no_log`.
    pub result: Map,
    /// What changed; only filled where it may be shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diffs: Vec<Diff>,
    /// What to do about a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Evidence, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<Proof>,
    /// Wall time.
    pub seconds: f64,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is as it should be, and was before.
    Ok,
    /// It is as it should be now.
    Changed,
    /// Its `when` did not hold, or check mode cannot run it.
    Skipped,
    /// It failed.
    Failed,
    /// It failed, and `ignore_errors` says to go on.
    Ignored,
    /// It failed, and a `rescue` takes over.
    Rescued,
    /// The host did not answer.
    Unreachable,
}

/// One thing that was proven, with its evidence. A module returns a list of them as `proofs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The claim: `state saved`, `head level with peers`.
    pub claim: String,
    /// What was seen: block numbers, times, log lines.
    pub evidence: String,
}

impl Proof {
    /// A claim with what shows it.
    pub fn new(claim: impl Into<String>, evidence: impl Into<String>) -> Self {
        Self { claim: claim.into(), evidence: evidence.into() }
    }
}

/// Someone who is told of everything that happens in a run. The observers are in `report`; `run` knows only this.
pub trait Reporter {
    /// Something happened.
    fn event(&mut self, event: &Event);

    /// Somebody else is about to use the terminal (a prompt): takes what moves off the screen until the next event.
    fn hush(&mut self) {}
}
