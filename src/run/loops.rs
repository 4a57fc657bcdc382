//! The items of `loop` and `with_*`.

use super::context::{Context, Missing};
use super::files;
use crate::base::{Failure, Value};
use crate::language::node::{Data, Node};
use crate::language::playbook::Loop;
use crate::language::template::files_like;
use crate::language::variables::Variables;
use std::sync::Arc;

/// Renders what is looped over and shapes it as the `with_` form wants.
pub fn items(context: &Context, over: &Loop, vars: &Arc<dyn Variables>) -> Result<Vec<Value>, Missing> {
    let fail = |message: String| Missing::Failed(Failure::new(format!("{message} ({})", over.over.span)));
    let value = render(context, over, vars)?;
    let list = |value: Value| match value {
        Value::Array(items) => items,
        Value::Null => vec![],
        other => vec![other],
    };
    match over.with.as_deref() {
        None => match value {
            Value::Array(items) => Ok(items),
            other => Err(Missing::Failed(
                Failure::new(format!("`loop` wants a list, this is `{other}` ({})", over.over.span))
                    .help("write a list; `| dict2items` makes one of a table"),
            )),
        },
        Some("items") => Ok(list(value).into_iter().flat_map(list_of).collect()),
        Some("list") => Ok(list(value)),
        Some("flattened") => {
            let mut flat = Vec::new();
            flatten(value, &mut flat);
            Ok(flat)
        }
        Some("dict") => match value {
            Value::Object(map) => {
                Ok(map.into_iter().map(|(key, value)| serde_json::json!({"key": key, "value": value})).collect())
            }
            other => Err(fail(format!("`with_dict` wants a table, this is `{other}`"))),
        },
        Some("indexed_items") => Ok(list(value)
            .into_iter()
            .flat_map(list_of)
            .enumerate()
            .map(|(index, item)| serde_json::json!([index, item]))
            .collect()),
        Some("nested" | "cartesian") => {
            Ok(list(value).into_iter().map(list_of).fold(vec![Value::Array(vec![])], |rows, column| {
                rows.iter()
                    .flat_map(|row| {
                        column.iter().map(move |item| {
                            let mut row = row.as_array().cloned().unwrap_or_default();
                            row.push(item.clone());
                            Value::Array(row)
                        })
                    })
                    .collect()
            }))
        }
        Some("together") => {
            let columns: Vec<Vec<Value>> = list(value).into_iter().map(list_of).collect();
            let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
            Ok((0..rows)
                .map(|row| columns.iter().map(|column| column.get(row).cloned().unwrap_or(Value::Null)).collect())
                .collect())
        }
        Some("sequence") => sequence(&value).map_err(fail),
        Some("subelements") => subelements(value).map_err(fail),
        Some("random_choice") => {
            let items = list(value);
            let mut byte = [0u8; size_of::<usize>()];
            getrandom::fill(&mut byte).map_err(|error| fail(error.to_string()))?;
            let index = usize::from_le_bytes(byte) % items.len().max(1);
            Ok(items.into_iter().skip(index).take(1).collect())
        }
        Some("fileglob") => {
            let mut found = Vec::new();
            for pattern in list(value).iter().filter_map(Value::as_str) {
                found.extend(files_like(&vars.folders(), pattern)?.into_iter().map(Value::from));
            }
            Ok(found)
        }
        Some("lines") => lines(&list(value)).map_err(fail),
        Some("first_found") => first_found(value, vars).map_err(|failure| fail(failure.message)),
        Some("file") => list(value)
            .iter()
            .filter_map(Value::as_str)
            .map(|name| {
                let path = files::find(&vars.folders(), "files", name)?;
                std::fs::read_to_string(&path)
                    .map(|text| Value::from(text.trim_end()))
                    .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
            })
            .collect::<Result<_, _>>()
            .map_err(|failure: Failure| fail(failure.message)),
        Some("inventory_hostnames") => {
            let patterns: Vec<String> = list(value).iter().filter_map(super::context::text).collect();
            Ok(context.store.select(&patterns.join(",")).into_iter().map(Value::from).collect())
        }
        Some(other) => Err(Missing::Failed(
            Failure::new(format!("`with_{other}` is not supported ({})", over.over.span))
                .help("write it as `loop:` with a filter or `query(..)`"),
        )),
    }
}

/// `with_items: name` may name a variable without braces; so may each entry of its list be a template.
fn render(context: &Context, over: &Loop, vars: &Arc<dyn Variables>) -> Result<Value, Missing> {
    if over.with.is_some()
        && let Data::Text(text) = &over.over.data
        && !over.over.is_template()
        && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.')
        && text.chars().next().is_some_and(char::is_alphabetic)
        && !matches!(over.with.as_deref(), Some("fileglob" | "file" | "sequence" | "inventory_hostnames" | "lines"))
    {
        let name = text.split('.').next().unwrap_or_default();
        if context.variable(name, vars)?.is_some() {
            return context.render(&Node::text(format!("{{{{ {text} }}}}"), over.over.span.clone()), vars);
        }
    }
    context.render(&over.over, vars)
}

fn list_of(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        other => vec![other],
    }
}

fn flatten(value: Value, flat: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.into_iter().for_each(|item| flatten(item, flat)),
        Value::Null => {}
        other => flat.push(other),
    }
}

/// `start=1 end=5 stride=2 format=host%02d count=3`, as a text or a table.
fn sequence(value: &Value) -> Result<Vec<Value>, String> {
    let mut options = std::collections::BTreeMap::new();
    match value {
        Value::String(text) => {
            for word in text.split_whitespace() {
                let (name, value) =
                    word.split_once('=').ok_or(format!("`with_sequence` wants `end=5` and the like, not `{word}`"))?;
                options.insert(name.to_owned(), value.to_owned());
            }
        }
        Value::Object(map) => {
            for (name, value) in map {
                options.insert(name.clone(), super::context::text(value).unwrap_or_default());
            }
        }
        other => return Err(format!("`with_sequence` wants a text, this is `{other}`")),
    }
    let number = |name: &str| -> Result<Option<i64>, String> {
        options.get(name).map(|text| text.parse().map_err(|_| format!("`{name}={text}` is not a number"))).transpose()
    };
    let start = number("start")?.unwrap_or(1);
    let stride = number("stride")?.unwrap_or(1);
    let end = match (number("end")?, number("count")?) {
        (Some(end), None) => end,
        (None, Some(count)) => start + (count - 1) * stride,
        _ => return Err("`with_sequence` wants one of `end` and `count`".into()),
    };
    if stride == 0 || (end - start) / stride.max(1) > 1_000_000 {
        return Err("`with_sequence` would never end".into());
    }
    let format = options.get("format").map_or("%d", String::as_str);
    let mut items = Vec::new();
    let mut at = start;
    while (stride > 0 && at <= end) || (stride < 0 && at >= end) {
        items.push(Value::from(printf(format, at)?));
        at += stride;
    }
    Ok(items)
}

fn printf(format: &str, number: i64) -> Result<String, String> {
    let bad = || format!("`{format}` is not a format such as `host%02d`");
    let (before, rest) = format.split_once('%').ok_or_else(bad)?;
    let end = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(bad)?;
    let (flags, after) = (&rest[..end], &rest[end + 1..]);
    let width: usize = flags.trim_start_matches('0').parse().unwrap_or(0);
    let zero = flags.starts_with('0');
    let digits = match &rest[end..=end] {
        "d" | "i" | "u" => number.to_string(),
        "x" => format!("{number:x}"),
        "X" => format!("{number:X}"),
        "o" => format!("{number:o}"),
        _ => return Err(bad()),
    };
    let padded = if zero { format!("{digits:0>width$}") } else { format!("{digits:>width$}") };
    Ok(format!("{before}{padded}{after}"))
}

/// What commands of the controller print, line by line.
fn lines(commands: &[Value]) -> Result<Vec<Value>, String> {
    let mut all = Vec::new();
    for command in commands.iter().filter_map(super::context::text) {
        let ran = std::process::Command::new("/bin/sh").args(["-c", &command]).output();
        let ran = ran.map_err(|error| format!("`{command}`: {error}"))?;
        if !ran.status.success() {
            let said = String::from_utf8_lossy(&ran.stderr);
            return Err(format!("`{command}`: {}: {}", ran.status, said.trim_end()));
        }
        all.extend(String::from_utf8_lossy(&ran.stdout).lines().map(|line| Value::from(line.trim_end())));
    }
    Ok(all)
}

/// `[list, key]`: every item with every element of its `key`.
fn subelements(value: Value) -> Result<Vec<Value>, String> {
    let mut terms = list_of(value).into_iter();
    let (Some(items), Some(Value::String(key))) = (terms.next(), terms.next()) else {
        return Err("`with_subelements` wants a list and the name of a key".into());
    };
    let skip = terms.next().and_then(|flags| flags.get("skip_missing").map(super::step::truthy)).unwrap_or(false);
    let items = match items {
        Value::Object(map) => map.into_iter().map(|(_, value)| value).collect(),
        other => list_of(other),
    };
    let mut pairs = Vec::new();
    for item in items {
        let found = key.split('.').try_fold(&item, |value, part| value.get(part));
        match found {
            Some(Value::Array(elements)) => {
                pairs.extend(elements.iter().map(|element| serde_json::json!([item, element])));
            }
            _ if skip => {}
            _ => return Err(format!("`{key}` is not a list in `{item}`")),
        }
    }
    Ok(pairs)
}

fn first_found(value: Value, vars: &Arc<dyn Variables>) -> Result<Vec<Value>, Failure> {
    let (names, skip) = match &value {
        Value::Object(map) => {
            let names = map.get("files").cloned().map(list_of).unwrap_or_default();
            let paths: Vec<String> = map
                .get("paths")
                .cloned()
                .map(list_of)
                .unwrap_or_default()
                .iter()
                .filter_map(|path| path.as_str().map(ToOwned::to_owned))
                .collect();
            let names: Vec<Value> = if paths.is_empty() {
                names
            } else {
                paths
                    .iter()
                    .flat_map(|path| {
                        names.iter().filter_map(Value::as_str).map(move |name| Value::from(format!("{path}/{name}")))
                    })
                    .collect()
            };
            (names, map.get("skip").is_some_and(super::step::truthy))
        }
        other => (list_of(other.clone()), false),
    };
    for name in names.iter().filter_map(Value::as_str) {
        for folder in ["files", "templates", "vars", "tasks"] {
            if let Ok(path) = files::find(&vars.folders(), folder, name) {
                return Ok(vec![path.display().to_string().into()]);
            }
        }
    }
    if skip {
        Ok(vec![])
    } else {
        Err(Failure::new(format!("`with_first_found` found none of {}", Value::from(names))))
    }
}
