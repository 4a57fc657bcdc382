//! A stand-in of the Obol API that has the same clusters for everybody, agrees to everything, and notes what it was asked.

use chainwright::chain::charon::Definition;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// It answers for as long as the test runs.
pub struct NotingApi {
    /// Where it is.
    pub url: String,
    asked: Receiver<(String, Value)>,
}

impl NotingApi {
    /// Listens on a port of the kernel's choice.
    pub fn start(clusters: &[&Definition]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let clusters: Vec<Value> = clusters.iter().map(|it| it.to_json().unwrap()).collect();
        let list = json!({"cluster_definitions": clusters, "total_count": clusters.len(), "total_pages": 1});
        let (sender, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Who was killed in the middle of a request has asked for nothing.
                let Some((line, body)) = read(&stream) else { continue };
                let (status, answer) = match line.split(' ').next() {
                    Some("GET") if line.contains("/v1/definition/operator/") => (200, list.to_string()),
                    Some("POST" | "PUT") => (201, "{}".into()),
                    _ => (404, "{}".into()),
                };
                let length = answer.len();
                let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                let _ = (&stream).write_all((head + &answer).as_bytes());
                if sender.send((line, body)).is_err() {
                    return;
                }
            }
        });
        Self { url, asked }
    }

    /// The next request whose first line begins like this, and its body.
    #[track_caller]
    pub fn asked(&self, start: &str) -> (String, Value) {
        loop {
            let (line, body) = self.asked.recv_timeout(Duration::from_mins(1)).expect("a request");
            if line.starts_with(start) {
                return (line, body);
            }
        }
    }
}

fn read(stream: &TcpStream) -> Option<(String, Value)> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first.trim().to_owned(), serde_json::from_slice(&body).unwrap_or_default()))
}
