//! What a module has in hand while it runs: the host to read, and the one door to change it.

use super::{BlobRef, Result};
use crate::base::{Diff, Failure};
use crate::system::{System, Writer};
use std::io::Read;

/// The way of larger bytes between a module and the controller.
pub trait Blobs {
    /// Opens a blob. It may have to come over the wire: open it only when it is really needed.
    fn open(&self, blob: &BlobRef) -> Result<Box<dyn Read>>;
    /// Sends all that `source` has, without taking it into memory, and says under which name
    /// [`Controller::arrived`](super::Controller::arrived) finds it.
    fn give(&self, source: &mut dyn Read) -> Result<String>;
}

/// No way: for a module that runs in the engine itself.
pub struct NoBlobs;

impl Blobs for NoBlobs {
    fn open(&self, blob: &BlobRef) -> Result<Box<dyn Read>> {
        Err(Failure::new(format!("{} is not kept here", blob.sha256)))
    }

    fn give(&self, _: &mut dyn Read) -> Result<String> {
        Err(Failure::new("there is no controller to send to"))
    }
}

/// The context of one call.
pub struct Cx<'a> {
    /// The host, to read.
    pub system: &'a System,
    /// Whether this call only predicts.
    pub check: bool,
    diffs: Vec<Diff>,
    blobs: &'a dyn Blobs,
    line: &'a dyn Fn(&str),
    before: Option<&'a dyn Fn()>,
}

impl<'a> Cx<'a> {
    /// A context; `line` receives progress.
    pub fn new(system: &'a System, check: bool, blobs: &'a dyn Blobs, line: &'a dyn Fn(&str)) -> Self {
        Self { system, check, diffs: Vec::new(), blobs, line, before: None }
    }

    /// `before` is called once, right before the first effect.
    #[must_use]
    pub fn before_changes(self, before: &'a dyn Fn()) -> Self {
        Self { before: Some(before), ..self }
    }

    /// Records `diff` and, unless checking, runs `effect`. `None` means that the result is not known in check mode.
    pub fn change<T>(&mut self, diff: Diff, effect: impl FnOnce(&Writer) -> Result<T>) -> Result<Option<T>> {
        self.diffs.push(diff);
        if self.check {
            return Ok(None);
        }
        if let Some(before) = self.before.take() {
            before();
        }
        effect(&self.system.writer()).map(Some)
    }

    /// Reports a line of progress.
    pub fn line(&self, text: &str) {
        (self.line)(text);
    }

    /// Where lines of progress go, for an effect that reports them while it runs.
    pub fn lines(&self) -> &'a dyn Fn(&str) {
        self.line
    }

    /// Opens bytes that the controller keeps.
    pub fn blob(&self, blob: &BlobRef) -> Result<Box<dyn Read>> {
        self.blobs.open(blob)
    }

    /// Where blobs come from, for an effect that opens one only when it runs.
    pub fn blobs(&self) -> &'a dyn Blobs {
        self.blobs
    }

    /// What has been recorded.
    pub fn into_diffs(self) -> Vec<Diff> {
        self.diffs
    }
}
