//! Between the program's values and the template engine's.

use super::undefined::{Marker, Trouble};
use crate::base::{Map, Value as Data};
use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

/// A value for templates.
pub(super) fn from_data(data: &Data) -> Value {
    match data {
        Data::Null => Value::from(()),
        Data::Bool(flag) => Value::from(*flag),
        Data::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            _ => Value::from(number.as_f64().unwrap_or_default()),
        },
        Data::String(text) => Value::from(text.as_str()),
        Data::Array(items) => items.iter().map(from_data).collect(),
        Data::Object(map) => Value::from_pairs(map.iter().map(|(key, value)| (key.as_str(), from_data(value)))),
    }
}

/// A template's value as plain data. Integers over 64 bits become texts: nothing is rounded.
pub(super) fn to_data(value: &Value) -> Result<Data, Error> {
    if let Some(missing) = Marker::of(value) {
        return Err(Trouble::Missing(missing).into());
    }
    Ok(match value.kind() {
        ValueKind::None => Data::Null,
        ValueKind::Bool => Data::Bool(value.is_true()),
        ValueKind::Number => number(value)?,
        ValueKind::String => Data::String(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Bytes => Data::String(String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned()),
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter()?.checked().map(|item| to_data(&item?)).collect::<Result<_, _>>()?
        }
        ValueKind::Map => {
            let mut map = Map::new();
            for key in value.try_iter()?.checked() {
                let key = key?;
                let item = super::undefined::valid(value.get_item(&key)?)?;
                map.insert(key.to_string(), to_data(&item)?);
            }
            Data::Object(map)
        }
        ValueKind::Invalid => {
            super::undefined::valid(value.clone())?;
            Data::Null
        }
        _ if super::filters::time::is_time(value) => Data::String(value.to_string()),
        _ => return Err(wrong("a function or macro is not a value: call it with `()`")),
    })
}

fn number(value: &Value) -> Result<Data, Error> {
    if !value.is_integer() {
        let float = f64::try_from(value.clone())?;
        return Ok(if float.is_finite() { Data::from(float) } else { Data::String(value.to_string()) });
    }
    Ok(match (i64::try_from(value.clone()), u64::try_from(value.clone())) {
        (Ok(number), _) => Data::from(number),
        (_, Ok(number)) => Data::from(number),
        _ => Data::String(value.to_string()),
    })
}

/// As it stands in the midst of a text: nothing for `None`, as in Ansible.
pub(super) fn to_text(value: &Value) -> Result<String, Error> {
    if value.is_none() || Marker::of(value).is_some_and(|missing| missing.blank) {
        return Ok(String::new());
    }
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable | ValueKind::Map) {
        // Lazy parts may be undefined or fail: find that before printing.
        return Ok(printed(&to_data(value)?));
    }
    if let Some(missing) = Marker::of(value) {
        return Err(Trouble::Missing(missing).into());
    }
    Ok(value.to_string())
}

/// As Python prints it.
fn printed(data: &Data) -> String {
    from_data(data).to_string()
}

/// A mistake in the use of a filter, test or function.
pub(super) fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// Python's name of a value's type.
pub(super) fn type_name(value: &Value) -> &'static str {
    if Marker::of(value).is_some() {
        return "UndefinedMarker";
    }
    match value.kind() {
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq | ValueKind::Iterable => "list",
        ValueKind::Map => "dict",
        _ => super::filters::time::type_name(value).unwrap_or("object"),
    }
}

/// The kind of a value in words.
pub(super) fn kind_words(value: &Value) -> &'static str {
    match type_name(value) {
        "NoneType" => "nothing",
        "bool" => "a boolean",
        "int" | "float" => "a number",
        "str" | "bytes" => "a text",
        "list" => "a list",
        "dict" => "a table",
        "datetime" => "a date",
        "timedelta" => "a time between two dates",
        _ => "something that is no value",
    }
}
