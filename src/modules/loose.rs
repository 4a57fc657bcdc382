//! Argument types that accept what templates and `k=v` give: texts for booleans, numbers, lists and modes.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// A boolean; also `yes`, `no`, `on`, `off`, `true`, `false`, `1`, `0` as texts, in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let text = match &value {
            Value::Bool(value) => return Ok(Self(*value)),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_ascii_lowercase(),
            other => return Err(D::Error::custom(format!("{other} is not a boolean"))),
        };
        match text.as_str() {
            "yes" | "on" | "true" | "1" | "y" | "t" | "1.0" => Ok(Self(true)),
            "no" | "off" | "false" | "0" | "n" | "f" | "0.0" => Ok(Self(false)),
            _ => Err(D::Error::custom(format!("`{text}` is not a boolean; write `true` or `false`"))),
        }
    }
}

/// The default of a switch that is on.
pub fn yes() -> Flag {
    Flag(true)
}

/// A whole number; also as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct Number(pub i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.map(Self).ok_or_else(|| D::Error::custom(format!("{value} is not a whole number")))
    }
}

/// A number that may have a fraction; also as a text.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize)]
#[serde(transparent)]
pub struct Decimal(pub f64);

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        number.map(Self).ok_or_else(|| D::Error::custom(format!("{value} is not a number")))
    }
}

/// A boolean as Python writes it: that is what Ansible's modules get where they want a text.
fn written(value: &Value) -> String {
    match value {
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        other => other.to_string(),
    }
}

/// A text; also a number or boolean, which becomes its text.
#[derive(Debug, Clone, PartialEq, Eq, Default, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Null => Err(D::Error::custom("nothing is not a text")),
            value => Ok(Self(written(&value))),
        }
    }
}

/// A list of texts; also one text with commas.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Words(pub Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Array(items) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text),
                    Value::Number(_) | Value::Bool(_) => Ok(written(&item)),
                    other => Err(D::Error::custom(format!("{other} is not a text"))),
                })
                .collect::<Result<_, _>>()
                .map(Self),
            Value::String(text) => {
                Ok(Self(text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()))
            }
            Value::Null => Ok(Self(Vec::new())),
            other => Ok(Self(vec![written(&other)])),
        }
    }
}

macro_rules! schema {
    ($type:ty, $name:literal, $schema:tt) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}
schema!(Flag, "Flag", { "type": ["boolean", "string"] });
schema!(Number, "Number", { "type": ["integer", "string"] });
schema!(Decimal, "Decimal", { "type": ["number", "string"] });
schema!(Text, "Text", { "type": ["string", "number", "boolean"] });
schema!(Words, "Words", { "type": ["array", "string"], "items": { "type": "string" } });

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_become_what_is_meant() {
        assert_eq!(serde_json::from_value::<Flag>(json!("Yes")).unwrap(), Flag(true));
        assert_eq!(serde_json::from_value::<Number>(json!("42")).unwrap(), Number(42));
        assert_eq!(serde_json::from_value::<Decimal>(json!("-1")).unwrap(), Decimal(-1.0));
        assert!(serde_json::from_value::<Decimal>(json!("nan")).is_err());
        assert_eq!(serde_json::from_value::<Words>(json!("a, b")).unwrap().0, ["a", "b"]);
        assert_eq!(serde_json::from_value::<Words>(json!([1, true])).unwrap().0, ["1", "True"]);
        assert_eq!(serde_json::from_value::<Text>(json!(false)).unwrap().0, "False");
        assert!(serde_json::from_value::<Flag>(json!("maybe")).unwrap_err().to_string().contains("`maybe`"));
    }
}
