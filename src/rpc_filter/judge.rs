//! One message of a client: which of its calls may pass, and what is answered to the others.

use super::Allow;
use crate::base::Value;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, json};
use std::fmt;

/// The code of JSON-RPC for a message that is no call.
const INVALID: i32 = -32600;
/// For a method that is not there; a node says the same of what it does not offer.
const NO_METHOD: i32 = -32601;
/// For what is no JSON.
const NO_JSON: i32 = -32700;
/// Ethereum's own, for more than is served.
pub const LIMIT: i32 = -32005;

/// A message, judged.
#[derive(Debug, Default)]
pub struct Judged {
    /// Whether it was a list of calls.
    pub batch: bool,
    /// Calls that may pass.
    pub allowed: Vec<Call>,
    /// Answers to the others; calls that wait for no answer get none.
    pub answers: Vec<Value>,
    /// How many calls it was; what is not understood counts as one.
    pub calls: usize,
}

/// A call as it was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Nothing if it waits for no answer.
    pub(super) id: Option<Value>,
    pub(super) method: String,
    pub(super) params: Option<Value>,
}

impl Call {
    /// The call in our own words.
    fn message(&self) -> Value {
        let mut message = Map::new();
        message.insert("jsonrpc".to_owned(), "2.0".into());
        message.extend(self.id.clone().map(|id| ("id".to_owned(), id)));
        message.insert("method".to_owned(), self.method.clone().into());
        message.extend(self.params.clone().map(|params| ("params".to_owned(), params)));
        message.into()
    }

    /// An error in place of an answer.
    pub fn refuse(&self, code: i32, why: &str) -> Option<Value> {
        self.id.as_ref().map(|id| error(id, code, why))
    }
}

impl Judged {
    /// What the node is asked, if anything: written anew.
    pub fn forward(&self) -> Option<String> {
        let mut messages = self.allowed.iter().map(Call::message);
        if self.batch {
            (!self.allowed.is_empty()).then(|| Value::Array(messages.collect()).to_string())
        } else {
            messages.next().map(|message| message.to_string())
        }
    }

    /// The answer where nothing is forwarded; nothing if nobody waits for one.
    pub fn answer(&self) -> Option<String> {
        match self.answers.first() {
            None => None,
            Some(_) if self.batch => Some(Value::Array(self.answers.clone()).to_string()),
            Some(answer) => Some(answer.to_string()),
        }
    }

    /// The node's answer to what was forwarded of a batch, together with ours to the rest. Nothing if the node did not answer a batch.
    pub fn join(&self, answer: &str) -> Option<String> {
        let ours = self.answers.iter().map(Value::to_string).collect::<Vec<_>>().join(",");
        let theirs = answer.trim();
        let theirs = match theirs.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(list) => list.trim(),
            // One error for all of it, or silence where nobody waits.
            None if theirs.is_empty() || theirs.starts_with('{') && theirs.ends_with('}') => theirs,
            None => return None,
        };
        let comma = if ours.is_empty() || theirs.is_empty() { "" } else { "," };
        Some(format!("[{ours}{comma}{theirs}]"))
    }

    /// Refuses what was allowed as well.
    pub fn refuse_all(&mut self, code: i32, why: &str) {
        self.answers.extend(self.allowed.drain(..).filter_map(|call| call.refuse(code, why)));
    }

    fn error(code: i32, why: &str) -> Self {
        Self { answers: vec![error(&Value::Null, code, why)], calls: 1, ..Self::default() }
    }
}

/// Reads a message and says which of its calls may pass. What is not understood in full passes in no part.
pub fn judge(message: &[u8], allow: &Allow, largest_batch: usize) -> Judged {
    let mut reader = serde_json::Deserializer::from_slice(message);
    let read = reader.deserialize_any(Message { largest_batch }).and_then(|read| reader.end().map(|()| read));
    let (batch, calls) = match read {
        Ok(read) => read,
        Err(wrong) if wrong.is_data() => return Judged::error(INVALID, &format!("invalid request: {wrong}")),
        Err(_) => return Judged::error(NO_JSON, "parse error"),
    };
    let mut judged = Judged { batch, calls: calls.len(), ..Judged::default() };
    for call in calls {
        if allow.permits(&call.method) {
            judged.allowed.push(call);
        } else {
            // A node's own words: clients look for them.
            let method: String = call.method.chars().take(64).collect();
            let why = format!("the method {method} does not exist/is not available");
            judged.answers.extend(call.refuse(NO_METHOD, &why));
        }
    }
    judged
}

fn error(id: &Value, code: i32, why: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": why}})
}

/// Reads one call, or a list of them.
struct Message {
    largest_batch: usize,
}

impl<'de> Visitor<'de> for Message {
    type Value = (bool, Vec<Call>);

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a call or a list of calls")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Ok((false, vec![OneCall.visit_map(map)?]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut calls = Vec::new();
        while let Some(call) = list.next_element()? {
            if calls.len() == self.largest_batch {
                return Err(A::Error::custom(format!("a batch has at most {} calls", self.largest_batch)));
            }
            calls.push(call);
        }
        if calls.is_empty() { Err(A::Error::custom("an empty batch")) } else { Ok((true, calls)) }
    }
}

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OneCall)
    }
}

/// Reads one call. Names that are not a call's are passed over, and left out of what is forwarded.
struct OneCall;

impl<'de> Visitor<'de> for OneCall {
    type Value = Call;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a call")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Call, A::Error> {
        let (mut version, mut id, mut method, mut params) = (None, None, None, None);
        while let Some(name) = map.next_key::<String>()? {
            let slot: &mut Option<Value> = match name.as_str() {
                "jsonrpc" => &mut version,
                "id" => &mut id,
                "method" => &mut method,
                "params" => &mut params,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if slot.replace(map.next_value()?).is_some() {
                return Err(A::Error::custom(format!("`{name}` stands twice")));
            }
        }
        let wrong = |why: &str| Err(A::Error::custom(why));
        if version.as_ref().and_then(Value::as_str) != Some("2.0") {
            return wrong("`jsonrpc` is not \"2.0\"");
        }
        if !matches!(id, None | Some(Value::Null | Value::String(_) | Value::Number(_))) {
            return wrong("`id` is neither a text nor a number");
        }
        if !matches!(params, None | Some(Value::Null | Value::Array(_) | Value::Object(_))) {
            return wrong("`params` is no list");
        }
        match method {
            Some(Value::String(method)) => Ok(Call { id, method, params }),
            _ => wrong("`method` is no text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn allow() -> Allow {
        Allow::parse(["eth_*", "net_version"]).unwrap()
    }

    fn judged(text: &str) -> Judged {
        judge(text.as_bytes(), &allow(), 3)
    }

    fn code(text: &str) -> i64 {
        let judged = judged(text);
        assert_eq!(judged.forward(), None, "{text}");
        judged.answers[0]["error"]["code"].as_i64().unwrap()
    }

    #[test]
    fn an_allowed_call_is_forwarded_in_our_own_words() {
        let text = r#" {"method":"eth_\u0063all","Method":"admin_peers","params":[{"to":"0x1"},"latest"],"id":"a","jsonrpc":"2.0"} "#;
        let judged = judged(text);
        let forward = r#"{"jsonrpc":"2.0","id":"a","method":"eth_call","params":[{"to":"0x1"},"latest"]}"#;
        assert_eq!((judged.forward().as_deref(), judged.answer()), (Some(forward), None));
    }

    #[test]
    fn what_is_not_allowed_is_answered_as_a_node_would() {
        let judged = judged(r#"{"jsonrpc":"2.0","id":7,"method":"admin_peers"}"#);
        assert_eq!(judged.forward(), None);
        let answer = r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"the method admin_peers does not exist/is not available"}}"#;
        assert_eq!(judged.answer().as_deref(), Some(answer));
        for method in ["\\u0061dmin_peers", "admin_peers\\u0000", "ETH_call", "eth_call ", "eth_sign", "constructor"] {
            assert_eq!(code(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#)), -32601);
        }
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_in_either_order() {
        for (first, second) in [("eth_call", "admin_peers"), ("admin_peers", "eth_call")] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{first}","\u006dethod":"{second}"}}"#);
            assert_eq!(code(&text), -32600);
        }
    }

    #[test]
    fn what_is_no_call_is_refused() {
        for (text, wanted) in [
            ("", -32700),
            ("{", -32700),
            ("\u{feff}{}", -32700),
            (r#"{"jsonrpc":"2.0","id":1,"method":"eth_call"} {"#, -32700),
            (r#"{"jsonrpc":"2.0","id":1,"method":"eth_\ud800"}"#, -32700),
            ("1", -32600),
            ("[]", -32600),
            ("[1]", -32600),
            (r#"[[{"jsonrpc":"2.0","id":1,"method":"eth_call"}]]"#, -32600),
            (r#"{"id":1,"method":"eth_call"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":{},"method":"eth_call"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":["eth_call"]}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":"eth_call","params":"x"}"#, -32600),
        ] {
            assert_eq!(code(text), wanted, "{text}");
        }
        assert_eq!(judge(&[b'"', 0xff, b'"'], &allow(), 3).forward(), None);
        let deep = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_call","params":{}"#, "[".repeat(100_000));
        assert_eq!(code(&deep), -32700);
    }

    #[test]
    fn a_batch_is_judged_call_by_call_and_both_answers_come_together() {
        let call = |id: u8, method: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"}}"#);
        let judged = judged(&format!("[{},{}]", call(1, "eth_call"), call(2, "debug_setHead")));
        assert_eq!(judged.forward().unwrap(), format!("[{}]", call(1, "eth_call")));
        let joined = judged.join("[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x\"}]\n").unwrap();
        let joined: Value = serde_json::from_str(&joined).unwrap();
        assert_eq!((&joined[0]["id"], &joined[0]["error"]["code"]), (&json!(2), &json!(-32601)));
        assert_eq!(joined[1]["result"], "0x");
        assert_eq!(judged.join("<html>"), None);
        assert!(judged.join("").unwrap().ends_with("}]"));
    }

    #[test]
    fn a_batch_has_a_largest_length() {
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"eth_call"}"#;
        assert_eq!(judged(&format!("[{call},{call},{call}]")).allowed.len(), 3);
        assert_eq!(code(&format!("[{call},{call},{call},{call}]")), -32600);
    }

    #[test]
    fn who_waits_for_no_answer_gets_none() {
        let judged = judged(r#"{"jsonrpc":"2.0","method":"admin_peers"}"#);
        assert_eq!((judged.forward(), judged.answer()), (None, None));
    }

    /// What a node would make of a text, as carelessly as one may: every method that it could run.
    fn methods(value: &Value) -> Vec<String> {
        let calls = match value {
            Value::Array(calls) => calls.clone(),
            call => vec![call.clone()],
        };
        let names = calls.iter().filter_map(Value::as_object).flatten();
        names
            .filter(|(name, _)| name.to_lowercase() == "method")
            .map(|(_, method)| method.as_str().unwrap_or("").to_owned())
            .collect()
    }

    proptest! {
        /// Whatever comes, what is forwarded asks for nothing but what is allowed.
        #[test]
        fn nothing_passes_that_is_not_allowed(parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", " ", "\"jsonrpc\":\"2.0\"", "\"id\":1", "\"id\":null", "\"method\":", "\"Method\":", "\"meth\\u006fd\":",
            "\"eth_call\"", "\"admin_peers\"", "\"eth_\\u0061ccounts\"", "\"params\":[]", "\"params\":{\"method\":\"admin_peers\"}", "\u{0}", "\"",
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_call\"}", "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"admin_peers\"}",
            "{\"jsonrpc\":\"2.0\",\"method\":\"eth_call\",",
        ]), 0..12), wrap in any::<bool>()) {
            let text = parts.concat();
            let text = if wrap { format!("[{text}]") } else { text };
            let judged = judge(text.as_bytes(), &allow(), 10);
            if let Some(forward) = judged.forward() {
                let read: Value = serde_json::from_str(&forward).unwrap();
                for method in methods(&read) {
                    prop_assert!(allow().permits(&method), "{text} -> {forward}");
                }
            }
            for answer in &judged.answers {
                prop_assert!(answer["error"]["code"].is_i64());
            }
        }

        #[test]
        fn any_bytes_are_judged_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let judged = judge(&bytes, &allow(), 10);
            prop_assert!(judged.forward().is_none());
        }
    }
}
