//! What one WebSocket has subscribed to: each subscription costs the node work until it ends, so there is a most of them.
//!
//! Only the node's answer tells that there is a subscription, or none any more. So that a client cannot pass another answer off as
//! that one, the call goes to the node under an id that the client does not know, and its answer comes back under the client's.

use super::judge::{Call, Judged, LIMIT};
use crate::base::Value;
use std::collections::{HashMap, HashSet};

/// The subscriptions of one WebSocket.
#[derive(Debug)]
pub struct Subscriptions {
    most: usize,
    /// What our ids begin with.
    secret: String,
    asked: u64,
    /// Calls that the node has not answered, by our id.
    waiting: HashMap<String, Waiting>,
    /// By the id that the node gave.
    live: HashSet<String>,
}

#[derive(Debug)]
struct Waiting {
    /// The client's own id.
    id: Value,
    /// What is to end; nothing if it is to begin.
    ends: Option<String>,
}

impl Subscriptions {
    /// None yet. `secret` is not to be known by the client.
    pub fn new(most: usize, secret: String) -> Self {
        Self { most, secret, asked: 0, waiting: HashMap::new(), live: HashSet::new() }
    }

    /// Looks at what a client asks before the node does: refuses all of a message with which there would be too many, and
    /// gives the calls that begin or end a subscription ids of ours.
    pub fn ask(&mut self, judged: &mut Judged) {
        let begins = |call: &&Call| call.method.ends_with("_subscribe");
        let new = judged.allowed.iter().filter(begins).count();
        let starting = self.waiting.values().filter(|waiting| waiting.ends.is_none()).count();
        if new > 0 && self.live.len() + starting + new > self.most {
            let why = format!("limit exceeded: at most {} subscriptions on one connection", self.most);
            judged.refuse_all(LIMIT, &why);
            return;
        }
        // Nobody could end what has no answer.
        judged.allowed.retain(|call| call.id.is_some() || !begins(&call));
        for call in &mut judged.allowed {
            let ends = match &call.method {
                method if method.ends_with("_subscribe") => None,
                method if method.ends_with("_unsubscribe") => match call.params.as_ref().and_then(|list| list.get(0)) {
                    Some(Value::String(id)) => Some(id.clone()),
                    _ => continue,
                },
                _ => continue,
            };
            let Some(id) = &mut call.id else { continue };
            self.asked += 1;
            let ours = format!("{}{}", self.secret, self.asked);
            let id = std::mem::replace(id, ours.clone().into());
            self.waiting.insert(ours, Waiting { id, ends });
        }
    }

    /// The node's message as the client is to have it, if that is another than the node's own.
    pub fn hear(&mut self, text: &str) -> Option<String> {
        if self.waiting.is_empty() || !text.contains(&self.secret) {
            return None;
        }
        let mut message: Value = serde_json::from_str(text).ok()?;
        match &mut message {
            Value::Array(answers) => answers.iter_mut().for_each(|answer| self.answered(answer)),
            answer => self.answered(answer),
        }
        Some(message.to_string())
    }

    fn answered(&mut self, answer: &mut Value) {
        let Some(waiting) = answer.get("id").and_then(Value::as_str).and_then(|id| self.waiting.remove(id)) else {
            return;
        };
        match (&waiting.ends, answer.get("result")) {
            (None, Some(Value::String(begun))) => _ = self.live.insert(begun.clone()),
            (Some(ended), Some(Value::Bool(true))) => _ = self.live.remove(ended),
            _ => {}
        }
        answer["id"] = waiting.id;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Allow;
    use super::super::judge::judge;
    use super::*;

    fn asked(subscriptions: &mut Subscriptions, text: &str) -> Judged {
        let mut judged = judge(text.as_bytes(), &Allow::parse(["eth_*"]).unwrap(), 9);
        subscriptions.ask(&mut judged);
        judged
    }

    fn subscribe(id: u8) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"eth_subscribe","params":["newHeads"]}}"#)
    }

    fn forwarded_id(judged: &Judged) -> String {
        let message: Value = serde_json::from_str(&judged.forward().unwrap()).unwrap();
        message["id"].as_str().unwrap().to_owned()
    }

    fn result(id: &str, result: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":"{id}","result":{result}}}"#)
    }

    #[test]
    fn one_too_many_is_refused_until_another_has_ended() {
        let mut all = Subscriptions::new(2, "s-".to_owned());
        for (number, name) in [(1, "\"0xa\""), (2, "\"0xb\"")] {
            let ours = forwarded_id(&asked(&mut all, &subscribe(number)));
            let heard: Value = serde_json::from_str(&all.hear(&result(&ours, name)).unwrap()).unwrap();
            assert_eq!(heard["id"], number, "the client has its own id again");
        }
        let refused = asked(&mut all, &subscribe(3));
        assert!(refused.forward().is_none() && refused.answer().unwrap().contains("at most 2 subscriptions"));
        let end = |id| format!(r#"{{"jsonrpc":"2.0","id":"e","method":"eth_unsubscribe","params":["{id}"]}}"#);
        // What the node does not confirm has not ended.
        let ours = forwarded_id(&asked(&mut all, &end("0xc")));
        all.hear(&result(&ours, "false"));
        assert!(asked(&mut all, &subscribe(3)).forward().is_none());
        let ours = forwarded_id(&asked(&mut all, &end("0xa")));
        all.hear(&result(&ours, "true"));
        assert!(asked(&mut all, &subscribe(3)).forward().is_some());
    }

    #[test]
    fn those_on_their_way_and_those_of_a_batch_count_and_failed_ones_do_not() {
        let mut all = Subscriptions::new(2, "s-".to_owned());
        let batch = format!("[{},{},{}]", subscribe(1), subscribe(2), subscribe(3));
        assert!(asked(&mut all, &batch).forward().is_none());
        let ours = forwarded_id(&asked(&mut all, &subscribe(1)));
        assert!(asked(&mut all, &format!("[{},{}]", subscribe(2), subscribe(3))).forward().is_none());
        all.hear(&format!(r#"[{{"id":"{ours}","error":{{"code":1}}}}]"#));
        assert!(asked(&mut all, &format!("[{},{}]", subscribe(2), subscribe(3))).forward().is_some());
    }

    #[test]
    fn what_is_no_answer_to_them_passes_as_it_is() {
        let mut all = Subscriptions::new(1, "s-".to_owned());
        assert_eq!(asked(&mut all, r#"{"jsonrpc":"2.0","method":"eth_subscribe"}"#).forward(), None);
        asked(&mut all, &subscribe(1));
        assert_eq!(all.hear(r#"{"jsonrpc":"2.0","id":1,"result":"0xa"}"#), None);
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;
        assert_eq!(asked(&mut all, call).forward().as_deref(), Some(call));
    }
}
