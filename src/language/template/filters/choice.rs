//! Filters that choose: a default, one of two, true or false.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::{to_text, type_name, wrong};
use super::super::undefined::Marker;
use minijinja::{Error, State, Value};

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("default", default),
    ("d", default),
    ("mandatory", mandatory),
    ("bool", bool),
    ("ternary", ternary),
    ("type_debug", type_debug),
];

#[expect(clippy::unnecessary_wraps, reason = "the type of all filters")]
fn default(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    let (other, boolean) = (args.get(0, "default_value"), args.flag(1, "boolean"));
    if Marker::of(&value).is_some() || (boolean && !value.is_true()) {
        return Ok(other.cloned().unwrap_or_else(|| Value::from("")));
    }
    Ok(value)
}

fn mandatory(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    let message = args.get(0, "msg");
    let Some(missing) = Marker::of(&value) else { return Ok(value) };
    Err(wrong(match message {
        Some(message) => to_text(message)?,
        None => format!("a required variable is missing: {}", missing.sentence()),
    }))
}

/// Ansible's truth of a text: `yes`, `on`, `1`, `true`; everything else is false.
pub(in super::super) fn truth(value: &Value) -> bool {
    if let Some(text) = value.as_str() {
        return matches!(text.to_lowercase().as_str(), "yes" | "on" | "1" | "true");
    }
    if value.kind() == minijinja::value::ValueKind::Bool { value.is_true() } else { *value == Value::from(1) }
}

#[expect(clippy::unnecessary_wraps, reason = "the type of all filters")]
fn bool(_: &mut State, args: &Args) -> Result<Value, Error> {
    Ok(Value::from(truth(&args.subject())))
}

fn ternary(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    if Marker::of(&value).is_some() {
        return Ok(value);
    }
    let (yes, no) = (args.need(0, "true_val")?, args.need(1, "false_val")?);
    Ok(match args.get(2, "none_val") {
        Some(none) if value.is_none() => none.clone(),
        _ if value.is_true() => yes.clone(),
        _ => no.clone(),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the type of all filters")]
fn type_debug(_: &mut State, args: &Args) -> Result<Value, Error> {
    Ok(Value::from(type_name(&args.subject())))
}
