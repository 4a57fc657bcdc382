//! `map`, `select` and their kin: filters that apply other filters and tests to items.

use super::super::Callable;
use super::super::args::Args;
use super::super::compile::short;
use super::super::convert::wrong;
use super::super::undefined::{Marker, Missing, defined, valid};
use super::operators::order;
use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, ValueKind};
use minijinja::{Error, State, Value};
use std::sync::Arc;

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("map", map),
    ("select", |state, args| select(state, args, true, false)),
    ("reject", |state, args| select(state, args, false, false)),
    ("selectattr", |state, args| select(state, args, true, true)),
    ("rejectattr", |state, args| select(state, args, false, true)),
    ("groupby", groupby),
    ("extract", extract),
    ("attr", attr),
    ("sum", sum),
    ("max", |_, args| extreme(args, true)),
    ("min", |_, args| extreme(args, false)),
];

/// A path such as `a.b.0` in a value; a marker if it leads nowhere.
pub(super) fn attribute(value: &Value, path: &Value) -> Result<Value, Error> {
    let Some(text) = path.as_str() else { return step(value, path) };
    let mut value = value.clone();
    for key in text.split('.') {
        value = step(&value, &Value::from(key))?;
    }
    Ok(value)
}

fn step(value: &Value, key: &Value) -> Result<Value, Error> {
    if Marker::of(value).is_some() {
        return Ok(value.clone());
    }
    let mut found = value.get_item(key).unwrap_or_default();
    if found.is_undefined()
        && let Some(index) = key.as_str().and_then(|key| key.parse::<i64>().ok())
    {
        found = value.get_item(&Value::from(index)).unwrap_or_default();
    }
    let found = valid(found)?;
    if !found.is_undefined() {
        return Ok(found);
    }
    let name = key.to_string();
    let message = format!("an item has no `{name}`");
    let inside = (value.kind() == ValueKind::Map).then(|| (value.clone(), name));
    Ok(Missing { inside, ..Missing::because(message) }.value())
}

/// The call's further arguments for the filter or test it names.
fn passed_on(args: &Args, from: usize, subject: Value) -> Vec<Value> {
    let mut values = vec![subject];
    values.extend(args.values.iter().skip(from).cloned());
    let named = args.take_named();
    if !named.is_empty() {
        let named: Kwargs = named.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        values.push(Value::from(named));
    }
    values
}

fn map(state: &mut State, args: &Args) -> Result<Value, Error> {
    let items = args.items()?;
    if args.values.len() < 2 {
        let path = args.need(9, "attribute")?;
        let default = args.get(9, "default");
        return items
            .iter()
            .map(|item| {
                let found = attribute(item, path)?;
                Ok(match default {
                    Some(default) if Marker::of(&found).is_some() => default.clone(),
                    _ => found,
                })
            })
            .collect::<Result<Vec<_>, Error>>()
            .map(Value::from);
    }
    let name = args.values[1].as_str().unwrap_or_default().to_owned();
    let name = short(&name);
    items
        .into_iter()
        .map(|item| state.apply_filter(name, &passed_on(args, 2, item)))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::from)
}

fn select(state: &mut State, args: &Args, keep: bool, by_attribute: bool) -> Result<Value, Error> {
    let at = usize::from(by_attribute);
    let path = if by_attribute { Some(args.need(0, "attribute")?.clone()) } else { None };
    let test = args.values.get(at + 1).and_then(Value::as_str).map(|name| short(name).to_owned());
    let mut out = Vec::new();
    for item in args.items()? {
        let subject = match &path {
            Some(path) => attribute(&item, path)?,
            None => item.clone(),
        };
        let holds = match &test {
            Some(test) => state.perform_test(test, &passed_on(args, at + 2, subject))?,
            None => defined(subject)?.is_true(),
        };
        if holds == keep {
            out.push(item);
        }
    }
    Ok(Value::from(out))
}

fn groupby(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (path, default) = (args.need(0, "attribute")?, args.get(1, "default"));
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for item in args.items()? {
        let mut key = attribute(&item, path)?;
        if let (Some(default), true) = (default, Marker::of(&key).is_some()) {
            key = default.clone();
        }
        let key = defined(key)?;
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, items)) => items.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    let group = |key: Value, items: Vec<Value>| Value::from_object(Grouped { key, items: Value::from(items) });
    let keyed = groups.into_iter().map(|(key, items)| (key.clone(), group(key, items))).collect();
    super::lists::sorted(keyed, false).map(Value::from)
}

/// A pair of a key and the items that have it; both have names, too.
#[derive(Debug)]
struct Grouped {
    key: Value,
    items: Value,
}

impl Object for Grouped {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (key.as_str(), key.as_usize()) {
            (Some("grouper"), _) | (_, Some(0)) => Some(self.key.clone()),
            (Some("list"), _) | (_, Some(1)) => Some(self.items.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(2)
    }
}

fn extract(_: &mut State, args: &Args) -> Result<Value, Error> {
    let container = args.need(0, "container")?;
    let mut value = step(container, &args.subject())?;
    match args.get(1, "morekeys") {
        Some(keys) if matches!(keys.kind(), ValueKind::Seq | ValueKind::Iterable) => {
            for key in keys.try_iter()?.checked() {
                value = step(&value, &key?)?;
            }
        }
        Some(key) if !key.is_none() => value = step(&value, key)?,
        _ => {}
    }
    Ok(value)
}

fn attr(_: &mut State, args: &Args) -> Result<Value, Error> {
    step(&args.subject(), args.need(0, "name")?)
}

fn sum(_: &mut State, args: &Args) -> Result<Value, Error> {
    let path = args.get(0, "attribute");
    if let Some(first) =
        args.get(1, "start").filter(|start| matches!(start.kind(), ValueKind::Seq | ValueKind::Iterable))
    {
        let mut all = args.list_of(first, "the start")?;
        for item in args.items()? {
            all.extend(args.list_of(&item, "an item")?);
        }
        return Ok(Value::from(all));
    }
    let mut whole: i128 = 0;
    let mut float = 0.0;
    let mut is_float = false;
    let start = args.get(1, "start").cloned();
    for item in args.items()?.into_iter().chain(start) {
        let item = defined(match path {
            Some(path) if !path.is_none() => attribute(&item, path)?,
            _ => item,
        })?;
        if item.is_integer() {
            whole = whole.checked_add(i128::try_from(item)?).ok_or_else(|| wrong("the sum is too large"))?;
        } else if item.is_number() {
            is_float = true;
            float += f64::try_from(item)?;
        } else {
            return Err(wrong("`sum` needs numbers; use `| map('int') | sum` for texts"));
        }
    }
    if is_float {
        #[expect(clippy::cast_precision_loss, reason = "a sum with a float in it is a float")]
        return Ok(Value::from(float + whole as f64));
    }
    Ok(i64::try_from(whole).map_or_else(|_| Value::from(whole), Value::from))
}

fn extreme(args: &Args, largest: bool) -> Result<Value, Error> {
    let path = args.get(9, "attribute");
    let case_sensitive = args.flag(0, "case_sensitive");
    let mut best: Option<(Value, Value)> = None;
    for item in args.items()? {
        let key = match path {
            Some(path) => attribute(&item, path)?,
            None => item.clone(),
        };
        let key = super::lists::folded(&defined(key)?, case_sensitive);
        let better = match &best {
            Some((known, _)) => {
                order(&key, known)? == if largest { std::cmp::Ordering::Greater } else { std::cmp::Ordering::Less }
            }
            None => true,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(|| Missing::because(format!("`{}` of an empty list", args.name)).value(), |(_, item)| item))
}
