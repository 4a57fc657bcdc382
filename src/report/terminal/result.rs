//! The words of results.

use crate::base::event::Status;
use crate::base::{Map, Value};
use crate::report::look;
use crate::report::show::{clean, field, one_line, yaml};
use anstyle::Style;

pub fn style(status: Status) -> Style {
    match status {
        Status::Ok => look::OK,
        Status::Changed => look::CHANGED,
        Status::Skipped => look::SKIPPED,
        Status::Failed | Status::Ignored | Status::Rescued => look::FAILED,
        Status::Unreachable => look::UNREACHABLE,
    }
}

pub fn message(result: &Map) -> String {
    message_of(result, "msg")
}

/// Why something failed whose module did not think so.
pub fn unexplained(result: &Map) -> String {
    match result.get("rc") {
        _ if result.get("failed_when_result") == Some(&Value::Bool(true)) => "its `failed_when` holds".to_owned(),
        Some(code) => format!("exit code {code}"),
        None => "no reason given".to_owned(),
    }
}

pub fn message_of(result: &Map, name: &str) -> String {
    result.get(name).map(one_line).unwrap_or_default().trim_end().to_owned()
}

/// What `debug` shows: the message line by line (a list of texts too), or the variable as YAML.
pub fn readable(result: &Map) -> Vec<String> {
    match result.get("msg") {
        Some(Value::String(text)) => clean(text).lines().map(str::to_owned).collect(),
        Some(Value::Array(items))
            if !items.is_empty() && items.iter().all(|item| !item.is_object() && !item.is_array()) =>
        {
            items.iter().flat_map(|item| one_line(item).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
        }
        Some(other) => yaml(other),
        None => {
            let noise = ["changed", "failed", "skipped", "warnings", "deprecations"];
            let shown = result.iter().filter(|(name, _)| !noise.contains(&name.as_str()));
            shown.flat_map(|(name, value)| field(name, value)).collect()
        }
    }
}

/// A command that is kept as a list of words, as a shell would take it.
pub fn command_line(name: &str, value: &Value) -> Option<String> {
    let words: Option<Vec<&str>> = value.as_array()?.iter().map(Value::as_str).collect();
    (name == "cmd").then(|| shlex::try_join(words?).ok()).flatten().map(|line| clean(&line))
}

pub fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}
