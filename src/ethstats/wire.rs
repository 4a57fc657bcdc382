//! What nodes and server say to each other: JSON texts over a WebSocket, as geth's `--ethstats` and other clients speak
//! it: `{"emit": ["NAME", DATA]}`, and `"primus::ping::TIME"` as a sign of life.
//!
//! Clients differ in details (numbers as texts, `syncing` as a table); what is not understood is passed over, since the
//! next version of a client must not be thrown out for a new field.

use crate::base::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a node says.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Who it is; the first message.
    Hello(Box<Hello>),
    /// It measures how long an answer takes; the data is sent back.
    Ping(Value),
    /// What it measured, in milliseconds one way.
    Latency(u64),
    /// Its head.
    Block(Head),
    /// Transactions that wait.
    Pending(u64),
    /// How it is.
    Stats(Stats),
    /// `primus::ping::TIME`.
    Primus(String),
    /// Something else that is allowed: `history`, or a name of the future.
    Other,
}

/// The login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The name that the user gave the node; it is known by it.
    pub id: String,
    /// The shared secret.
    pub secret: Secret,
    /// `Geth/v1.13.15-stable/linux-amd64/go1.22.2`.
    pub client: String,
    /// The network's number.
    pub network: String,
}

/// The newest block of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Height.
    pub number: u64,
    /// `0x…`.
    pub hash: String,
    /// Unix seconds.
    pub time: u64,
    /// Who made it (in Clique: the sealer whose signature it bears), `0x…`.
    pub miner: String,
}

/// How a node is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connected peers.
    pub peers: u64,
    /// It seals, mines or validates.
    pub sealing: bool,
    /// It catches up.
    pub syncing: bool,
}

#[derive(Deserialize)]
struct Emit {
    emit: Vec<Value>,
}

/// Reads one text. The error says what is wrong with it, without quoting it: it may hold a secret.
pub fn parse(text: &str) -> Result<Message, &'static str> {
    let value: Value = serde_json::from_str(text).map_err(|_| "a message that is not JSON")?;
    if let Value::String(text) = &value {
        return Ok(text.strip_prefix("primus::ping::").map_or(Message::Other, |time| Message::Primus(time.to_owned())));
    }
    let Ok(Emit { emit }) = serde_json::from_value(value) else { return Err("a message without `emit`") };
    let mut emit = emit.into_iter();
    let Some(Value::String(name)) = emit.next() else { return Err("a message without a name") };
    let data = emit.next().unwrap_or(Value::Null);
    match name.as_str() {
        "hello" => hello(&data).map(|hello| Message::Hello(Box::new(hello))),
        "node-ping" => Ok(Message::Ping(data.get("clientTime").cloned().unwrap_or(Value::Null))),
        "latency" => number(&data["latency"]).map(Message::Latency).ok_or("a latency that is not a number"),
        "block" => head(&data["block"]).map(Message::Block).ok_or("a block without number and hash"),
        "pending" => Ok(number(&data["stats"]["pending"]).map_or(Message::Other, Message::Pending)),
        "stats" => Ok(Message::Stats(stats(&data["stats"]))),
        _ => Ok(Message::Other),
    }
}

fn hello(data: &Value) -> Result<Hello, &'static str> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let id = text(&data["id"]);
    if id.trim().is_empty() || id.chars().count() > 100 || id.chars().any(char::is_control) {
        return Err("a login without a usable name");
    }
    let info = &data["info"];
    let short = |value: &Value| text(value).chars().filter(|c| !c.is_control()).take(200).collect();
    Ok(Hello {
        id,
        secret: Secret::new(text(&data["secret"])),
        client: short(&info["node"]),
        network: short(&info["net"]),
    })
}

fn head(block: &Value) -> Option<Head> {
    let hex = |value: &Value, bytes: usize| {
        let text = value.as_str()?;
        let digits = text.strip_prefix("0x")?;
        (digits.len() == 2 * bytes && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| text.to_ascii_lowercase())
    };
    Some(Head {
        number: number(&block["number"])?,
        hash: hex(&block["hash"], 32)?,
        time: number(&block["timestamp"]).unwrap_or(0),
        miner: hex(&block["miner"], 20).unwrap_or_default(),
    })
}

fn stats(stats: &Value) -> Stats {
    let truth = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
    Stats {
        peers: number(&stats["peers"]).unwrap_or(0),
        sealing: truth(&stats["mining"]),
        syncing: truth(&stats["syncing"]),
    }
}

/// A number, also as a decimal or hexadecimal text.
fn number(value: &Value) -> Option<u64> {
    match value {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float saturates")]
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().filter(|f| *f >= 0.0).map(|f| f as u64)),
        Value::String(text) => match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => text.trim().parse().ok(),
        },
        _ => None,
    }
}

/// The login is accepted.
pub fn ready() -> String {
    json!({"emit": ["ready"]}).to_string()
}

/// The answer to [`Message::Ping`]; `now` in Unix milliseconds.
pub fn pong(client_time: &Value, now: u64) -> String {
    json!({"emit": ["node-pong", {"clientTime": client_time, "serverTime": now}]}).to_string()
}

/// The answer to [`Message::Primus`].
pub fn primus_pong(time: &str) -> String {
    Value::String(format!("primus::pong::{time}")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_as_geth_writes_it_is_understood() {
        let text = r#"{"emit":["hello",{"id":"sealer1","info":{"name":"sealer1","node":"Geth/v1.13.15-stable/linux-amd64/go1.22.2",
            "port":30303,"net":"4224","protocol":"eth/68, snap/1","api":"No","os":"linux","os_v":"amd64","client":"0.1.1",
            "canUpdateHistory":true},"secret":"s"}]}"#;
        let Message::Hello(hello) = parse(text).unwrap() else { panic!("a login") };
        assert_eq!((hello.id.as_str(), hello.secret.expose(), hello.network.as_str()), ("sealer1", "s", "4224"));
        assert_eq!(hello.client, "Geth/v1.13.15-stable/linux-amd64/go1.22.2");
    }

    #[test]
    fn numbers_may_be_texts_and_syncing_may_be_a_table() {
        let hash = format!("0x{}", "aB".repeat(32));
        let block =
            json!({"emit": ["block", {"id": "a", "block": {"number": "0x10", "hash": hash, "timestamp": "7"}}]});
        let head = Head { number: 16, hash: hash.to_lowercase(), time: 7, miner: String::new() };
        assert_eq!(parse(&block.to_string()), Ok(Message::Block(head)));
        assert_eq!(parse(r#"{"emit":["latency",{"id":"a","latency":"12"}]}"#), Ok(Message::Latency(12)));
        let stats = r#"{"emit":["stats",{"id":"a","stats":{"peers":3,"mining":true,"syncing":{"currentBlock":1}}}]}"#;
        assert_eq!(parse(stats), Ok(Message::Stats(Stats { peers: 3, sealing: true, syncing: true })));
    }

    #[test]
    fn signs_of_life_are_answered_with_their_time() {
        let Ok(Message::Primus(time)) = parse(r#""primus::ping::1700000000000""#) else { panic!("a ping") };
        assert_eq!(primus_pong(&time), r#""primus::pong::1700000000000""#);
    }

    #[test]
    fn what_is_wrong_is_named_and_what_is_new_is_passed_over() {
        assert_eq!(parse("{"), Err("a message that is not JSON"));
        assert_eq!(parse("{}"), Err("a message without `emit`"));
        assert_eq!(parse(r#"{"emit":[]}"#), Err("a message without a name"));
        assert_eq!(parse(r#"{"emit":["block",{}]}"#), Err("a block without number and hash"));
        assert_eq!(parse(r#"{"emit":["hello",{"id":"a\u001b[2J"}]}"#), Err("a login without a usable name"));
        assert_eq!(parse(r#"{"emit":["history",{"id":"a","history":[]}]}"#), Ok(Message::Other));
    }
}
