//! A socket at which a test answers JSON-RPC as it likes: what fakes of nodes are made of.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Answers by method; of `eth_getBlockByNumber` by method and number.
pub type Answers = BTreeMap<String, Value>;

/// The node; it answers for as long as the test runs.
pub struct Node {
    answers: Arc<Mutex<Answers>>,
}

impl Node {
    /// Answers at a socket.
    pub fn start(socket: &Path, answers: Answers) -> Self {
        // The kernel takes at most 107 bytes as a socket's name: temporary folders are shorter.
        let listener = UnixListener::bind(socket).unwrap();
        let node = Self { answers: Arc::new(Mutex::new(answers)) };
        let answers = node.answers.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut line = String::new();
                if BufReader::new(&stream).read_line(&mut line).is_ok() {
                    let request: Value = serde_json::from_str(&line).unwrap();
                    let _ = (&stream).write_all(answer(&request, &answers.lock().unwrap()).to_string().as_bytes());
                }
            }
        });
        node
    }

    /// From now on it answers this.
    pub fn says(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
    }
}

fn answer(request: &Value, answers: &Answers) -> Value {
    let method = request["method"].as_str().unwrap_or_default();
    let with_number = format!("{method} {}", request["params"][0].as_str().unwrap_or_default());
    match answers.get(&with_number).or_else(|| answers.get(method)) {
        Some(result) => json!({"jsonrpc": "2.0", "id": request["id"], "result": result}),
        None => json!({"jsonrpc": "2.0", "id": request["id"],
            "error": {"code": -32601, "message": format!("the method {method} does not exist/is not available")}}),
    }
}
