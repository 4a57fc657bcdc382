//! A byte stream with an agent behind it: over ssh, or a child of our own.
//!
//! Opening happens on threads of its own; everything that comes of it arrives at one sink.

pub mod agent_binary;
pub mod r#become;
pub mod bootstrap;
pub mod local;
pub mod outbox;
mod session;
pub mod ssh;
pub mod trouble;
mod upload;

pub use agent_binary::AgentBinary;
pub use r#become::{Become, Method};

use crate::agent::protocol::{Note, Reply, Request};
use crate::base::Failure;
use crate::base::failure::Result;
use session::Session;
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How much of a blob goes in one frame, in bytes.
const CHUNK: usize = 256 << 10;

/// A host and user to run an agent as, and the way there.
#[derive(Debug, Clone)]
pub struct Target {
    /// The name in the inventory.
    pub host: String,
    /// `ansible_host`.
    pub address: Option<String>,
    /// `ansible_port`.
    pub port: Option<u16>,
    /// `ansible_user`.
    pub user: Option<String>,
    /// `ansible_ssh_private_key_file`.
    pub private_key: Option<String>,
    /// `ansible_ssh_common_args` and `ansible_ssh_extra_args`, as words.
    pub ssh_args: Vec<String>,
    /// Seconds that connecting may take.
    pub timeout: u64,
    /// The way.
    pub connection: Kind,
    /// The user to become there.
    pub r#become: Option<Become>,
    /// Seconds that the ssh master outlives its last use; 0 means that there is none.
    pub persist: u64,
    /// Where the masters' sockets are; `None`: in the user's own runtime or cache folder.
    pub control_dir: Option<PathBuf>,
    /// What runs there.
    pub agent: Arc<AgentBinary>,
}

/// The ways to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The user's own `ssh`.
    Ssh,
    /// A child process here.
    Local,
}

impl Target {
    /// Where to connect to.
    pub fn address(&self) -> &str {
        self.address.as_deref().unwrap_or(&self.host)
    }

    /// A host over ssh, with everything as ssh's own configuration says.
    #[cfg(test)]
    fn ssh(host: &str) -> Self {
        Self {
            host: host.into(),
            address: None,
            port: None,
            user: None,
            private_key: None,
            ssh_args: Vec::new(),
            timeout: 10,
            connection: Kind::Ssh,
            r#become: None,
            persist: 60,
            control_dir: None,
            agent: AgentBinary::at("/nonexistent"),
        }
    }
}

/// The user's own folder for what can be made again, if there is one.
fn cache() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?.join("chainwright");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).ok()?;
    Some(folder)
}

/// What a connection tells.
#[derive(Debug)]
pub enum Message {
    /// The agent is there.
    Opened {
        /// Its version, which is ours.
        version: String,
        /// The user it runs as.
        uid: u32,
        /// Handlers that are pending on that host.
        pending: Vec<Note>,
    },
    /// It says something; never `Hello`.
    Reply(Reply),
    /// The connection could not be opened, or was lost. The last message; none comes after [`Connection::close`].
    Closed(Failure),
}

/// A connection that opens, is open, or was. Dropping it closes it without waiting.
#[derive(Debug)]
pub struct Connection {
    session: Arc<Session>,
}

/// Starts connecting. `sink` is called from other threads and must not wait for anything of this connection's.
pub fn open(target: Target, sink: impl Fn(Message) + Send + Sync + 'static) -> Connection {
    Connection { session: Session::start(target, Arc::new(sink)) }
}

impl Connection {
    /// Sends a request, or queues it until the agent is there: there is no need to wait for
    /// [`Message::Opened`]. Never waits, except for parts of blobs when the link is
    /// slower than they come. Returns the bytes of the frame; fails if the connection is gone.
    pub fn send(&self, request: &Request) -> Result<u64> {
        self.session.send(request)
    }

    /// Sends what a [`Reply::Need`] asks for, on a thread of its own, without taking more than a chunk into memory.
    pub fn send_blob(&self, sha256: String, mut from: impl Read + Send + 'static) {
        let session = Arc::clone(&self.session);
        std::thread::spawn(move || {
            loop {
                let mut bytes = Vec::with_capacity(CHUNK);
                let read = from.by_ref().take(CHUNK as u64).read_to_end(&mut bytes);
                let error = read.err().map(|error| format!("cannot read the file on the controller: {error}"));
                let last = error.is_some() || bytes.len() < CHUNK;
                let chunk = Request::Chunk { sha256: sha256.clone(), bytes, last, error };
                if session.send(&chunk).is_err() || last {
                    return;
                }
            }
        });
    }

    /// Bytes to the host and from it, the agent's upload included.
    pub fn bytes(&self) -> (u64, u64) {
        (self.session.sent.load(Ordering::Relaxed), self.session.received.load(Ordering::Relaxed))
    }

    /// Frames to the host and from it.
    pub fn frames(&self) -> (u64, u64) {
        (self.session.frames_sent.load(Ordering::Relaxed), self.session.frames_received.load(Ordering::Relaxed))
    }

    /// Says `Bye`, without waiting: the agent ends what it runs and exits. No message comes any more.
    pub fn bye(&self) {
        self.session.bye();
    }

    /// Says `Bye` and waits until the agent is gone, at most `patience`; then what is left here is killed, and the agent
    /// ends at the end of its stdin. Close several by [`Connection::bye`] to all first.
    pub fn close(self, patience: Duration) {
        self.session.bye();
        self.session.wait(patience);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.session.bye();
    }
}
