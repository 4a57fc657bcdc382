//! JSON-RPC: over a node's IPC socket, which is bare JSON in both directions, and over HTTP.

use crate::base::{Failure, Value, failure::Result};
use crate::system::System;
use crate::system::http::{Request, without_login};
use serde_json::{Deserializer, json};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The longest answer that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// Where a node answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A Unix socket on the host.
    Ipc(PathBuf),
    /// `http://` or `https://`.
    Http(String),
}

/// A node to ask.
#[derive(Debug)]
pub struct Client<'a> {
    system: &'a System,
    endpoint: Endpoint,
    /// How long one answer may take.
    pub patience: Duration,
}

impl<'a> Client<'a> {
    /// A node that is asked from this host.
    pub fn new(system: &'a System, endpoint: Endpoint) -> Self {
        Self { system, endpoint, patience: Duration::from_secs(10) }
    }

    /// A node's IPC socket.
    pub fn ipc(system: &'a System, path: &Path) -> Self {
        Self::new(system, Endpoint::Ipc(path.to_owned()))
    }

    /// Asks one thing. An error that the node answers is a failure with its text; so is no answer in time.
    pub fn call(&self, method: &str, params: Value) -> Result<Value> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let answer = match &self.endpoint {
            Endpoint::Ipc(path) => self.ask_socket(path, &request),
            Endpoint::Http(url) => self.ask_http(url, &request),
        };
        let answer = answer.map_err(|failure| failure.context(method))?;
        match answer.get("error").filter(|error| !error.is_null()) {
            Some(error) => {
                let text = error.get("message").and_then(Value::as_str).unwrap_or("an error without a message");
                Err(Failure::new(format!("{method}: the node answers: {text}")).with("error", error.clone()))
            }
            None => Ok(answer.get("result").cloned().unwrap_or_default()),
        }
    }

    fn ask_socket(&self, path: &Path, request: &Value) -> Result<Value> {
        let deadline = Instant::now() + self.patience;
        let mut stream = UnixStream::connect(self.system.locate(path)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                Failure::new(format!("there is no socket {}: the node does not run", path.display()))
            }
            ErrorKind::ConnectionRefused => {
                Failure::new(format!("nobody answers at {}: the node does not run", path.display()))
            }
            _ => Failure::new(format!("{}: {error}", path.display())),
        })?;
        let broken = |error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
        stream.set_write_timeout(Some(self.patience)).map_err(broken)?;
        stream.set_read_timeout(Some(Duration::from_millis(200))).map_err(broken)?;
        stream.write_all(format!("{request}\n").as_bytes()).map_err(broken)?;
        // The node keeps the connection open: the answer ends where its JSON does, not at the end of the stream.
        let reader = BufReader::new(Patient { stream, deadline, system: self.system });
        match Deserializer::from_reader(reader).into_iter::<Value>().next() {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err(Failure::new(format!("{}: {error}", path.display()))),
            None => Err(Failure::new(format!("{}: the node closed the connection without an answer", path.display()))),
        }
    }

    fn ask_http(&self, url: &str, request: &Value) -> Result<Value> {
        let mut post = Request::new("POST", url);
        post.headers.push(("Content-Type".into(), "application/json".into()));
        post.body = Some(request.to_string().into_bytes());
        post.timeout = self.patience;
        post.redirects = 0;
        let url = without_login(url);
        let response = self.system.http(&post)?;
        let mut text = String::new();
        let body = response.body.take(LARGEST).read_to_string(&mut text);
        body.map_err(|error| Failure::new(format!("{url}: {error}")))?;
        serde_json::from_str(&text).map_err(|_| {
            let start: String = text.chars().take(200).collect();
            Failure::new(format!("{url} answers {} and no JSON: {}", response.status, start.trim()))
        })
    }
}

/// A socket that waits until a deadline, and no longer than its call is wanted.
struct Patient<'a> {
    stream: UnixStream,
    deadline: Instant,
    system: &'a System,
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.stream.read(buffer) {
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if self.system.cancelled.load(Ordering::Relaxed) {
                        return Err(std::io::Error::other("cancelled"));
                    }
                    if Instant::now() >= self.deadline {
                        return Err(std::io::Error::new(ErrorKind::TimedOut, "no answer in time"));
                    }
                }
                result => return result,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::thread;

    fn node(folder: &Path, answer: &'static str) -> thread::JoinHandle<String> {
        let listener = UnixListener::bind(folder.join("geth.ipc")).unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 1000];
            let length = stream.read(&mut buffer).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            // Until the client lets go: an answer must not need the end of the stream.
            let _ = stream.read(&mut [0; 1]);
            String::from_utf8_lossy(&buffer[..length]).into_owned()
        })
    }

    #[test]
    fn an_answer_ends_where_its_json_does() {
        let folder = tempfile::tempdir().unwrap();
        let node = node(folder.path(), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x10\"}\n");
        let system = System::new(folder.path());
        let answer = Client::ipc(&system, Path::new("/geth.ipc")).call("eth_blockNumber", json!([])).unwrap();
        assert_eq!(answer, "0x10");
        assert!(node.join().unwrap().contains("\"method\":\"eth_blockNumber\""));
    }

    #[test]
    fn an_error_of_the_node_is_a_failure_with_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let _node = node(folder.path(), r#"{"id":1,"error":{"code":-32601,"message":"the method x does not exist"}}"#);
        let system = System::new(folder.path());
        let failure = Client::ipc(&system, Path::new("/geth.ipc")).call("x", json!([])).unwrap_err();
        assert_eq!(failure.message, "x: the node answers: the method x does not exist");
    }

    #[test]
    fn a_node_that_does_not_run_is_named_so_and_a_silent_one_does_not_hang_us() {
        let folder = tempfile::tempdir().unwrap();
        let system = System::new(folder.path());
        let mut client = Client::ipc(&system, Path::new("/geth.ipc"));
        assert!(client.call("x", json!([])).unwrap_err().message.contains("does not run"));
        let _node = node(folder.path(), "");
        client.patience = Duration::from_millis(300);
        assert!(client.call("x", json!([])).unwrap_err().message.contains("no answer in time"));
    }
}
