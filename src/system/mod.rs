//! What an agent can read and write on a host, always under a root directory.

pub mod addresses;
pub mod checksum;
pub mod command;
pub mod dns;
pub mod facts;
pub mod glob;
pub mod hold;
pub mod http;
pub mod paths;
pub mod ports;
pub mod read;
pub mod rest;
pub mod scratch;
pub mod stage;
#[cfg(test)]
mod testing;
pub mod users;
mod watchdog;
pub mod write;

pub use checksum::Algorithm;
pub use command::{Command, Ended};
pub use hold::Hold;
pub use read::{Kind, Meta};
pub use stage::{Staged, Traits};
pub use write::Writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// A host as seen by the agent on it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct System {
    /// `/`, or a temporary folder in tests: every path is taken below it.
    root: PathBuf,
    /// Added to the environment of every command.
    pub environment: Arc<BTreeMap<String, String>>,
    /// Set when the call is cancelled or its time is over: running commands are ended, waits stop.
    pub cancelled: Arc<AtomicBool>,
    /// Locks that this agent holds until it exits; see [`System::hold`].
    held: Arc<Mutex<BTreeMap<PathBuf, hold::Held>>>,
}

impl System {
    /// The host whose root folder is `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), environment: Arc::default(), cancelled: Arc::default(), held: Arc::default() }
    }

    /// The same host with a task's environment.
    #[must_use]
    pub fn with_environment(&self, environment: BTreeMap<String, String>) -> Self {
        Self { environment: Arc::new(environment), ..self.clone() }
    }

    /// The same host for one call that can be cancelled by itself.
    #[must_use]
    pub fn with_cancel(&self, cancelled: Arc<AtomicBool>) -> Self {
        Self { cancelled, ..self.clone() }
    }

    /// The real path of `path`, below the root.
    pub fn locate(&self, path: &Path) -> PathBuf {
        match path.strip_prefix("/") {
            Ok(relative) => self.root.join(relative),
            Err(_) => self.root.join(path),
        }
    }

    /// The door to change the host; only [`Cx::change`](crate::modules::Cx::change) hands it out to modules.
    pub fn writer(&self) -> Writer {
        Writer::new(self.clone())
    }
}
