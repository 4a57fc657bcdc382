//! `debug`: shows a message or a variable.

use super::loose::{Number, Text};
use super::{Cx, Module, Reach, Result};
use crate::base::{Failure, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// Shows a message, or a variable with its value.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Debug {
    /// What to show: a text, or any value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg: Option<Value>,
    /// A variable or an expression, without braces, to show with its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub var: Option<Text>,
    /// Shown only from this many `-v` on.
    #[serde(default)]
    pub verbosity: Number,
    /// What `var` comes to; the engine fills it in, and leaves it out if there is no such variable.
    #[serde(default, rename = "_value", deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub value: Option<Value>,
    /// How many `-v` the run has; the engine fills it in.
    #[serde(default, rename = "_verbosity")]
    #[schemars(skip)]
    pub running_at: Number,
}

/// Keeps a null that was given apart from nothing.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Module for Debug {
    const NAME: &'static str = "debug";
    const EXAMPLE: &'static str = "\
- debug:
    msg: The chain is at block {{ head.number }}
- debug:
    var: head";
    const REACH: Reach = Reach::Controller;
    type Output = Map;

    fn run(&self, _: &mut Cx) -> Result<Map> {
        let mut output = Map::new();
        if self.msg.is_some() && self.var.is_some() {
            return Err(Failure::new("debug takes `msg` or `var`, not both"));
        }
        if self.verbosity > self.running_at {
            output.insert("skipped".into(), true.into());
            output.insert("skipped_reason".into(), "Verbosity threshold not met.".into());
        } else if let Some(var) = &self.var {
            let value = self.value.clone().unwrap_or_else(|| "VARIABLE IS NOT DEFINED!".into());
            output.insert(var.0.clone(), value);
        } else {
            output.insert("msg".into(), self.msg.clone().unwrap_or_else(|| "Hello world!".into()));
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call;
    use serde_json::json;

    #[test]
    fn a_variable_is_shown_under_its_own_name() {
        assert_eq!(
            call("debug", json!({"var": "a.b", "_value": [1, 2]})).unwrap(),
            *json!({"a.b": [1, 2]}).as_object().unwrap()
        );
        assert_eq!(call("debug", json!({"var": "a", "_value": null})).unwrap()["a"], json!(null));
        assert_eq!(call("debug", json!({"var": "nope"})).unwrap()["nope"], "VARIABLE IS NOT DEFINED!");
    }

    #[test]
    fn a_message_for_careful_readers_is_skipped_for_others() {
        assert_eq!(call("debug", json!({"msg": "x", "verbosity": 2})).unwrap()["skipped"], true);
        assert_eq!(call("debug", json!({"msg": "x", "verbosity": 2, "_verbosity": 3})).unwrap()["msg"], "x");
    }
}
