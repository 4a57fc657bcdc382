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

fn default(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    let replace = Marker::of(&value).is_some() || (args.flag(1, "boolean") && !value.is_true());
    if replace {
        return Ok(args.get(0, "default_value").cloned().unwrap_or_else(|| Value::from("")));
    }
    Ok(value)
}

fn mandatory(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    let Some(missing) = Marker::of(&value) else { return Ok(value) };
    Err(wrong(match args.get(0, "msg") {
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

fn bool(_: &mut State, args: &Args) -> Result<Value, Error> {
    Ok(Value::from(truth(&args.subject())))
}

fn ternary(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    if Marker::of(&value).is_some() {
        return Ok(value);
    }
    if value.is_none()
        && let Some(none) = args.get(2, "none_val")
    {
        return Ok(none.clone());
    }
    let (yes, no) = (args.need(0, "true_val")?, args.need(1, "false_val")?);
    Ok(if value.is_true() { yes.clone() } else { no.clone() })
}

fn type_debug(_: &mut State, args: &Args) -> Result<Value, Error> {
    Ok(Value::from(type_name(&args.subject())))
}
