//! The agents of a run: each opened when first needed, kept until the end.

use super::blobs::BlobStore;
use super::target::Route;
use crate::agent::protocol::{Reply, Request};
use crate::connect::{self, Connection};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

/// How long an agent may take to end what it runs.
const FAREWELL: Duration = Duration::from_secs(5);

/// What reaches the dispatcher.
pub enum Message {
    /// From the agent behind a route.
    Agent(Arc<str>, connect::Message),
    /// SIGINT or SIGTERM.
    Interrupt,
    /// A line typed at a prompt.
    Typed(String),
}

/// Opened connections by route.
pub struct Pool {
    connections: HashMap<Arc<str>, Arc<Connection>>,
    inbox: Sender<Message>,
    blobs: Arc<BlobStore>,
    /// Batches that were sent, and connections that were opened: each is waited for.
    pub round_trips: u64,
    closed_bytes: (u64, u64),
}

impl Pool {
    /// A pool whose agents report to `inbox`.
    pub fn new(inbox: Sender<Message>, blobs: Arc<BlobStore>) -> Self {
        Self { connections: HashMap::new(), inbox, blobs, round_trips: 0, closed_bytes: (0, 0) }
    }

    /// Sends a request, opening the connection if there is none.
    pub fn send(&mut self, route: &Route, request: &Request) {
        let connection = self.open(route);
        if matches!(request, Request::Batch { .. }) {
            self.round_trips += 1;
        }
        // A connection that is gone says so itself, in a message.
        let _ = connection.send(request);
    }

    /// Sends what no answer comes to, if the connection is there.
    pub fn tell(&self, key: &Arc<str>, request: &Request) {
        if let Some(connection) = self.connections.get(key) {
            let _ = connection.send(request);
        }
    }

    /// Opens a connection if there is none.
    pub fn open(&mut self, route: &Route) -> Arc<Connection> {
        if let Some(connection) = self.connections.get(&route.key) {
            return connection.clone();
        }
        self.round_trips += 1;
        let (inbox, key) = (self.inbox.clone(), route.key.clone());
        let blobs = self.blobs.clone();
        let connection = connect::open((*route.target).clone(), move |message| match message {
            // Here, in the connection's own thread, a host that sends faster than we write has to wait.
            connect::Message::Reply(Reply::Part { name, bytes }) => blobs.arrive(&name, &bytes),
            message => _ = inbox.send(Message::Agent(key.clone(), message)),
        });
        let connection = Arc::new(connection);
        self.connections.insert(route.key.clone(), connection.clone());
        connection
    }

    /// A host asks for a blob.
    pub fn give(&self, key: &Arc<str>, sha256: String) {
        let Some(connection) = self.connections.get(key).cloned() else { return };
        match self.blobs.open(&sha256) {
            Ok(file) => connection.send_blob(sha256, file),
            Err(failure) => {
                let error = Some(failure.message);
                let _ = connection.send(&Request::Chunk { sha256, bytes: vec![], last: true, error });
            }
        }
    }

    /// Where messages to the dispatcher go.
    pub fn inbox(&self) -> Sender<Message> {
        self.inbox.clone()
    }

    /// Cancels a batch.
    pub fn cancel(&self, key: &Arc<str>, id: u64) {
        if let Some(connection) = self.connections.get(key) {
            let _ = connection.send(&Request::Cancel { id });
        }
    }

    /// Forgets a connection: the next step opens a new one.
    pub fn forget(&mut self, key: &Arc<str>) {
        if let Some(connection) = self.connections.remove(key) {
            let (sent, received) = connection.bytes();
            self.closed_bytes.0 += sent;
            self.closed_bytes.1 += received;
            connection.bye();
        }
    }

    /// Bytes to all hosts and from them.
    pub fn bytes(&self) -> (u64, u64) {
        self.connections
            .values()
            .map(|connection| connection.bytes())
            .fold(self.closed_bytes, |sum, bytes| (sum.0 + bytes.0, sum.1 + bytes.1))
    }

    /// Ends every agent: all are told first, so that they end side by side.
    pub fn close(&mut self) {
        for connection in self.connections.values() {
            connection.bye();
        }
        self.closed_bytes = self.bytes();
        for (_, connection) in self.connections.drain() {
            if let Ok(connection) = Arc::try_unwrap(connection) {
                connection.close(FAREWELL);
            }
        }
    }
}
