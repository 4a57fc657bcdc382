//! A YAML value with the place where it stands.

use crate::base::{Span, Value};
use std::sync::Arc;

/// A value as the user wrote it. Cloning is cheap.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub data: Data,
}

/// The kinds of YAML value, resolved by the rules of YAML 1.1 as `PyYAML` (and so Ansible) has them.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// `null`, `~`, or nothing.
    Null,
    /// `true`, `yes`, `on`, ...
    Bool(bool),
    /// Up to 64 bits. Larger numbers stay text: wei and addresses must not be rounded.
    Int(i64),
    /// A number with a point.
    Float(f64),
    /// A text, which may be a template.
    Text(Arc<str>),
    /// A text tagged `!unsafe`, which is never a template.
    Unsafe(Arc<str>),
    /// A sequence.
    List(Arc<Vec<Node>>),
    /// A mapping, in the order written; keys are unique.
    Table(Arc<Vec<(Key, Node)>>),
}

/// A mapping's key with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The key as text: `1: x` has the key `1`.
    pub name: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

impl Node {
    /// A text at `span`.
    pub fn text(text: impl Into<Arc<str>>, span: Span) -> Self {
        Self { span, data: Data::Text(text.into()) }
    }

    /// Looks a key up in a table.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.entries().iter().find(|(key, _)| &*key.name == name).map(|(_, node)| node)
    }

    /// The entries of a table; empty for anything else.
    pub fn entries(&self) -> &[(Key, Self)] {
        match &self.data {
            Data::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) | Data::Unsafe(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this or anything in it is a text with template marks.
    pub fn is_template(&self) -> bool {
        match &self.data {
            Data::Text(text) => text.contains("{{") || text.contains("{%") || text.contains("{#"),
            Data::List(items) => items.iter().any(Self::is_template),
            Data::Table(entries) => entries.iter().any(|(key, node)| key.name.contains("{{") || node.is_template()),
            _ => false,
        }
    }

    /// The plain value, templates left as they are.
    pub fn to_value(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Int(value) => Value::from(*value),
            Data::Float(value) => Value::from(*value),
            Data::Text(text) | Data::Unsafe(text) => Value::from(&**text),
            Data::List(items) => items.iter().map(Self::to_value).collect(),
            Data::Table(entries) => {
                Value::Object(entries.iter().map(|(key, node)| (key.name.to_string(), node.to_value())).collect())
            }
        }
    }

    /// A node made of a plain value; all of it stands at `span`. Texts become `Data::Unsafe`: data is never a template.
    pub fn from_value(value: &Value, span: &Span) -> Self {
        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(value) => Data::Bool(*value),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Data::Int(number),
                None if number.is_u64() => Data::Unsafe(number.to_string().into()),
                None => Data::Float(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Data::Unsafe(text.as_str().into()),
            Value::Array(items) => {
                Data::List(Arc::new(items.iter().map(|item| Self::from_value(item, span)).collect()))
            }
            Value::Object(map) => Data::Table(Arc::new(
                map.iter()
                    .map(|(name, item)| {
                        (Key { name: name.as_str().into(), span: span.clone() }, Self::from_value(item, span))
                    })
                    .collect(),
            )),
        };
        Self { span: span.clone(), data }
    }

    /// The kind in words, for messages: `a list`, `a text`.
    pub fn kind(&self) -> &'static str {
        match self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "a boolean",
            Data::Int(_) | Data::Float(_) => "a number",
            Data::Text(_) | Data::Unsafe(_) => "a text",
            Data::List(_) => "a list",
            Data::Table(_) => "a table",
        }
    }
}
