//! `assert`: goes on only if all conditions hold.

use super::loose::Flag;
use super::{Cx, Module, Reach, Result};
use crate::base::{Failure, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// Fails unless every condition in `that` holds.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Assert {
    /// The conditions, written as in `when`: one, or a list.
    #[serde(deserialize_with = "one_or_many")]
    pub that: Vec<Value>,
    /// What to say if a condition does not hold: a text, or a list of texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_msg: Option<Value>,
    /// What to say if all hold: a text, or a list of texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_msg: Option<Value>,
    /// Accepted for Ansible's sake: what holds is never listed here.
    #[serde(default)]
    pub quiet: Flag,
    /// What the engine found, in the order of `that`, up to the first that does not hold: only it has the variables.
    #[serde(default, rename = "_results")]
    #[schemars(skip)]
    pub results: Vec<Judged>,
}

/// One condition and what it came to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Judged {
    /// As the user wrote it.
    pub condition: Value,
    /// Whether it held.
    pub holds: bool,
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(conditions) => conditions,
        one => vec![one],
    })
}

impl Module for Assert {
    const NAME: &'static str = "assert";
    const EXAMPLE: &'static str = "\
- assert:
    that:
      - sealers | length >= 3
      - network.chain_id is number
    fail_msg: A Clique network needs three sealers to lose one";
    const REACH: Reach = Reach::Controller;
    const ALIASES: &'static [(&'static str, &'static str)] = &[("msg", "fail_msg")];
    type Output = Map;

    fn run(&self, _: &mut Cx) -> Result<Map> {
        if let Some(broken) = self.results.iter().find(|judged| !judged.holds) {
            let message = self.fail_msg.clone().unwrap_or_else(|| "Assertion failed".into());
            let failure = match &message {
                Value::String(text) => Failure::new(text.clone()),
                // A list is one message a line on the screen and stays a list in what is registered.
                Value::Array(lines) => Failure::new(
                    lines
                        .iter()
                        .map(|line| line.as_str().map_or_else(|| line.to_string(), str::to_owned))
                        .collect::<Vec<_>>()
                        .join("\n"),
                )
                .with("msg", message.clone()),
                other => Failure::new(other.to_string()),
            };
            let condition = broken.condition.as_str().map_or_else(|| broken.condition.to_string(), str::to_owned);
            return Err(failure
                .with("assertion", broken.condition.clone())
                .with("evaluated_to", false)
                .help(format!("this does not hold: {condition}")));
        }
        if self.results.len() < self.that.len() {
            return Err(Failure::new(
                "assert was not told what its conditions come to: it only works inside a playbook",
            ));
        }
        let message = self.success_msg.clone().unwrap_or_else(|| "All assertions passed".into());
        Ok(Map::from_iter([("msg".to_owned(), message)]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call;
    use serde_json::json;

    #[test]
    fn the_first_condition_that_does_not_hold_is_named() {
        let results = json!([{"condition": "a", "holds": true}, {"condition": "b > 1", "holds": false}]);
        let failure = call("assert", json!({"that": ["a", "b > 1", "c"], "_results": results})).unwrap_err();
        assert_eq!(failure.message, "Assertion failed");
        assert_eq!(failure.output["assertion"], "b > 1");
        assert_eq!(failure.output["evaluated_to"], false);
    }

    #[test]
    fn a_single_condition_and_own_words_are_accepted() {
        let held = json!([{"condition": "a", "holds": true}]);
        let output = call("assert", json!({"that": "a", "success_msg": "fine", "_results": held})).unwrap();
        assert_eq!(output["msg"], "fine");
        let broken = json!([{"condition": "a", "holds": false}]);
        let failure = call("assert", json!({"that": "a", "msg": "a is gone", "_results": broken})).unwrap_err();
        assert_eq!(failure.message, "a is gone");
    }

    #[test]
    fn conditions_that_nobody_judged_are_not_taken_as_held() {
        assert!(call("assert", json!({"that": ["a"]})).is_err());
    }
}
