//! A little HTTP server that takes alarms.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// It takes alarms for as long as the test runs.
pub struct Webhook {
    /// Where to send them.
    pub url: String,
    received: Receiver<Value>,
}

impl Webhook {
    /// Listens on a port of the kernel's choice.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/alarm", listener.local_addr().unwrap());
        let (sender, received) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(&stream);
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                (&stream).write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
                if sender.send(serde_json::from_slice(&body).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { url, received }
    }

    /// The next alarm.
    #[track_caller]
    pub fn next(&self) -> Value {
        self.received.recv_timeout(Duration::from_secs(20)).expect("an alarm")
    }

    /// Whether one came that nobody has looked at.
    pub fn is_silent(&self) -> bool {
        self.received.try_recv().is_err()
    }
}
