//! A stand-in of the Obol API, which cannot be reached from a test: the requests of its `OpenAPI` document that `chainwright dkg`
//! makes, with definitions and locks kept in memory. It checks what a client sends; it invents nothing. It can die at
//! a moment that a test chooses, and come back where it was.

use chainwright::chain::charon::eip712::Message;
use chainwright::chain::charon::{Definition, Rules};
use chainwright::chain::parse_address;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

/// What it knows.
#[derive(Default)]
pub struct State {
    pub definitions: Vec<Definition>,
    /// Locks by their config hashes: their ceremonies are over.
    pub locks: BTreeMap<String, Value>,
    /// Raw answers that come first, whatever is asked.
    pub faults: Vec<Vec<u8>>,
    /// Accounts that agreed to the terms.
    pub terms: BTreeSet<String>,
    /// How often an operator was told to have agreed before.
    pub repeated: usize,
    /// What comes of the next requests that begin with this, after they were dealt with.
    pub accidents: Vec<(&'static str, Accident)>,
    /// Nobody answers.
    pub dead: bool,
}

/// What may happen to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accident {
    /// It dies when it has answered.
    Dies,
    /// Its answer is lost.
    HangsUp,
    /// Its answer is not yet there.
    Hangs,
}

/// A server on this machine, until the test ends.
#[derive(Clone)]
pub struct StandIn {
    pub url: String,
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    /// Begins to answer at an address of this machine.
    pub fn new(ip: &str, state: State) -> Self {
        let listener = TcpListener::bind((ip, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let stand_in = Self { url: format!("http://{address}"), address, state: Arc::new(Mutex::new(state)) };
        stand_in.serve(listener);
        stand_in
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    /// Nobody listens there any more.
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// Ends it, as with its host. What it knows is on its disk.
    pub fn kill(&self) {
        self.state().dead = true;
        // It looks up only when somebody comes; and is gone when nobody can come any more.
        while TcpStream::connect(self.address).is_ok() {
            std::thread::yield_now();
        }
    }

    /// It answers again, at the same address.
    pub fn revive(&self) {
        self.kill();
        self.state().dead = false;
        self.serve(TcpListener::bind(self.address).expect("its port"));
    }

    fn serve(&self, listener: TcpListener) {
        let server = self.clone();
        std::thread::spawn(move || {
            let mut waiting = Vec::new();
            for stream in listener.incoming().flatten() {
                if server.is_dead() {
                    return;
                }
                let (bytes, accident) = server.answer(&stream);
                if matches!(accident, None | Some(Accident::Dies)) {
                    // A client that was killed does not listen any more.
                    let _ = (&stream).write_all(&bytes);
                }
                match accident {
                    Some(Accident::Hangs) => waiting.push(stream),
                    Some(Accident::Dies) => {
                        server.state().dead = true;
                        return;
                    }
                    _ => {}
                }
            }
        });
    }

    fn answer(&self, stream: &TcpStream) -> (Vec<u8>, Option<Accident>) {
        let Some((line, token, body)) = read(stream) else { return (Vec::new(), None) };
        let mut state = self.state();
        if !state.faults.is_empty() {
            return (state.faults.remove(0), None);
        }
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (status, body) = match (method, path.strip_prefix("/v1/").unwrap_or_default().split_once('/')) {
            ("GET", Some(("definition", rest))) if rest.starts_with("operator/") => list(&state, &rest[9..], query),
            ("GET", Some(("definition", hash))) => {
                match state.definitions.iter().find(|it| it.config_hash.to_string() == hash) {
                    Some(definition) => (200, definition.to_json().expect("JSON")),
                    None => (404, json!({"message": "no such definition"})),
                }
            }
            ("PUT", Some(("definition", hash))) => accept(&mut state, hash, &token, &body),
            ("GET", Some(("lock", rest))) => {
                match rest.strip_prefix("configHash/").and_then(|it| state.locks.get(it)) {
                    Some(lock) => (200, lock.clone()),
                    None => (404, json!({"message": "no lock"})),
                }
            }
            ("POST", None) if path == "/v1/termsAndConditions" => agree(&mut state, &token, &body),
            ("POST", None) if path == "/v1/lock" => {
                let hash = body["cluster_definition"]["config_hash"].as_str().unwrap_or_default().to_owned();
                state.locks.insert(hash, body);
                (201, json!({}))
            }
            _ => (404, json!({"message": "no such page"})),
        };
        let accident = state.accidents.iter().position(|(start, _)| line.starts_with(start));
        let accident = accident.map(|at| state.accidents.remove(at).1);
        (respond(status, &body.to_string()), accident)
    }
}
pub fn respond(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

fn read(stream: &TcpStream) -> Option<(String, String, Value)> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut token, mut length) = (String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        match line.split_once(": ") {
            _ if line.is_empty() => break,
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                value.strip_prefix("Bearer ")?.clone_into(&mut token);
            }
            _ if first.is_empty() => line.clone_into(&mut first),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, token, serde_json::from_slice(&body).unwrap_or_default()))
}

/// Pages of one definition each, so that there are several.
fn list(state: &State, operator: &str, query: &str) -> (u16, Value) {
    let page: usize =
        query.split('&').find_map(|it| it.strip_prefix("page=")).and_then(|it| it.parse().ok()).unwrap_or(0);
    let account = parse_address(operator).expect("an address");
    let ours: Vec<Value> = state
        .definitions
        .iter()
        .filter(|it| it.position_of(account).is_some())
        .map(|it| it.to_json().unwrap())
        .collect();
    let shown: Vec<&Value> = ours.iter().skip(page).take(1).collect();
    (200, json!({"cluster_definitions": shown, "total_count": ours.len(), "total_pages": ours.len()}))
}

fn agree(state: &mut State, token: &str, body: &Value) -> (u16, Value) {
    let address = body["address"].as_str().unwrap_or_default();
    let signature = alloy_primitives::hex::decode(token).unwrap_or_default();
    if Message::Terms.signer(&signature, 1) != parse_address(address).ok() {
        return (401, json!({"message": "wrong signature"}));
    }
    state.terms.insert(address.to_lowercase());
    (201, json!({"success": true}))
}

fn accept(state: &mut State, hash: &str, token: &str, body: &Value) -> (u16, Value) {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let address = text("address");
    if !state.terms.contains(&address.to_lowercase()) {
        return (401, json!({"message": "terms and conditions are not signed"}));
    }
    let Some(definition) = state.definitions.iter_mut().find(|it| it.config_hash.to_string() == hash) else {
        return (404, json!({"message": "no such definition"}));
    };
    let Some(operator) = definition.operators.iter_mut().find(|it| it.address.eq_ignore_ascii_case(&address)) else {
        return (401, json!({"message": "no operator"}));
    };
    if operator.has_signed() {
        state.repeated += 1;
        return (409, json!({"message": "duplicate operator"}));
    }
    operator.enr = text("enr");
    operator.enr_signature.0 = alloy_primitives::hex::decode(text("enr_signature")).unwrap_or_default();
    operator.config_signature.0 = alloy_primitives::hex::decode(token).unwrap_or_default();
    definition.definition_hash.0 = definition.compute_definition_hash().expect("a hash").to_vec();
    assert!(definition.verify_offer(&Rules::default()).is_ok());
    (200, json!({"success": true}))
}
