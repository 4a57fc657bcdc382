//! Filters on tables.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::{kind_words, wrong};
use super::super::undefined::valid;
use super::lists::{folded, sorted};
use super::picking::attribute;
use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, State, Value};

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("combine", combine),
    ("items", |_, args| {
        Ok(pairs(&args.subject(), args.name)?
            .into_iter()
            .map(|(key, value)| Tuple::from([key, value]))
            .map(Value::from)
            .collect())
    }),
    ("dict2items", dict2items),
    ("items2dict", items2dict),
    ("rekey_on_member", rekey),
    ("dictsort", dictsort),
    ("subelements", subelements),
];

pub(super) type Pairs = Vec<(Value, Value)>;

/// A table's entries.
pub(super) fn pairs(value: &Value, what: &str) -> Result<Pairs, Error> {
    if value.kind() != ValueKind::Map {
        return Err(wrong(format!("`{what}` needs a table, not {}", kind_words(value))));
    }
    let mut out = Vec::new();
    for key in value.try_iter()?.checked() {
        let key = key?;
        let item = valid(value.get_item(&key)?)?;
        out.push((key, item));
    }
    Ok(out)
}

/// What becomes of two lists under one key.
#[derive(Clone, Copy, PartialEq)]
enum ListMerge {
    Replace,
    Keep,
    Append,
    Prepend,
    AppendOnce,
    PrependOnce,
}

fn combine(_: &mut State, args: &Args) -> Result<Value, Error> {
    let lists = match args.str(99, "list_merge")?.as_deref().unwrap_or("replace") {
        "replace" => ListMerge::Replace,
        "keep" => ListMerge::Keep,
        "append" => ListMerge::Append,
        "prepend" => ListMerge::Prepend,
        "append_rp" => ListMerge::AppendOnce,
        "prepend_rp" => ListMerge::PrependOnce,
        other => {
            return Err(wrong(format!(
                "`list_merge` is replace, keep, append, prepend, append_rp or prepend_rp, not `{other}`"
            )));
        }
    };
    let recursive = args.flag(99, "recursive");
    // A list of tables counts as so many arguments.
    let mut tables = Vec::new();
    for value in &args.values {
        if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
            for table in value.try_iter()?.checked() {
                tables.push(super::super::undefined::defined(table?)?);
            }
        } else {
            tables.push(value.clone());
        }
    }
    let mut tables = tables.iter().map(|table| pairs(table, "combine"));
    let mut merged = tables.next().transpose()?.unwrap_or_default();
    for table in tables {
        merge(&mut merged, table?, recursive, lists)?;
    }
    Ok(Value::from_pairs(merged))
}

fn merge(base: &mut Pairs, over: Pairs, recursive: bool, lists: ListMerge) -> Result<(), Error> {
    let is_list = |value: &Value| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    for (key, value) in over {
        let Some((_, old)) = base.iter_mut().find(|(known, _)| *known == key) else {
            base.push((key, value));
            continue;
        };
        if recursive && old.kind() == ValueKind::Map && value.kind() == ValueKind::Map {
            let mut inner = pairs(old, "combine")?;
            merge(&mut inner, pairs(&value, "combine")?, recursive, lists)?;
            *old = Value::from_pairs(inner);
        } else if is_list(old) && is_list(&value) && lists != ListMerge::Replace {
            let items = |value: &Value| value.try_iter()?.checked().collect::<Result<Vec<Value>, Error>>();
            let (mut a, mut b) = (items(old)?, items(&value)?);
            match lists {
                ListMerge::AppendOnce => a.retain(|item| !b.contains(item)),
                ListMerge::PrependOnce => {
                    a.retain(|item| !b.contains(item));
                    std::mem::swap(&mut a, &mut b);
                }
                ListMerge::Prepend => std::mem::swap(&mut a, &mut b),
                ListMerge::Keep => b.clear(),
                ListMerge::Append | ListMerge::Replace => {}
            }
            a.extend(b);
            *old = Value::from(a);
        } else {
            *old = value;
        }
    }
    Ok(())
}

fn dict2items(_: &mut State, args: &Args) -> Result<Value, Error> {
    let key_name = args.str(0, "key_name")?.unwrap_or_else(|| "key".into());
    let value_name = args.str(1, "value_name")?.unwrap_or_else(|| "value".into());
    let item =
        |(key, value): (Value, Value)| Value::from_pairs([(key_name.as_str(), key), (value_name.as_str(), value)]);
    Ok(pairs(&args.subject(), args.name)?.into_iter().map(item).collect())
}

fn items2dict(_: &mut State, args: &Args) -> Result<Value, Error> {
    let key_name = Value::from(args.str(0, "key_name")?.unwrap_or_else(|| "key".into()));
    let value_name = Value::from(args.str(1, "value_name")?.unwrap_or_else(|| "value".into()));
    let mut out: Pairs = Vec::new();
    for item in args.items()? {
        let key = super::super::undefined::defined(attribute(&item, &key_name)?)?;
        let value = attribute(&item, &value_name)?;
        out.retain(|(known, _)| *known != key);
        out.push((key, value));
    }
    Ok(Value::from_pairs(out))
}

fn rekey(_: &mut State, args: &Args) -> Result<Value, Error> {
    let name = Value::from(args.str(0, "key")?.ok_or_else(|| wrong("`rekey_on_member` needs the name of a key"))?);
    let overwrite = match args.str(1, "duplicates")?.as_deref() {
        None | Some("error") => false,
        Some("overwrite") => true,
        Some(other) => return Err(wrong(format!("`duplicates` is `error` or `overwrite`, not `{other}`"))),
    };
    let subject = args.subject();
    let items = match subject.kind() {
        ValueKind::Map => pairs(&subject, args.name)?.into_iter().map(|(_, item)| item).collect(),
        _ => args.items()?,
    };
    let mut out: Pairs = Vec::new();
    for item in items {
        if item.kind() != ValueKind::Map {
            return Err(wrong(format!("`rekey_on_member` needs tables, not {}", kind_words(&item))));
        }
        let key = item.get_item(&name)?;
        if key.is_undefined() {
            return Err(wrong(format!("`rekey_on_member`: no `{name}` in {item}")));
        }
        match out.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) if overwrite => *known = item,
            Some(_) => return Err(wrong(format!("`rekey_on_member`: several have the `{name}` {key}"))),
            None => out.push((key, item)),
        }
    }
    Ok(Value::from_pairs(out))
}

fn dictsort(_: &mut State, args: &Args) -> Result<Value, Error> {
    let by_value = match args.str(1, "by")?.as_deref() {
        None | Some("key") => false,
        Some("value") => true,
        Some(other) => return Err(wrong(format!("`dictsort` sorts by `key` or `value`, not `{other}`"))),
    };
    let case_sensitive = args.flag(0, "case_sensitive");
    let keyed = pairs(&args.subject(), args.name)?
        .into_iter()
        .map(|(key, value)| {
            let by = folded(if by_value { &value } else { &key }, case_sensitive);
            (by, Value::from(Tuple::from([key, value])))
        })
        .collect();
    sorted(keyed, args.flag(2, "reverse")).map(Value::from)
}

fn subelements(_: &mut State, args: &Args) -> Result<Value, Error> {
    let subject = args.subject();
    let items = if subject.kind() == ValueKind::Map {
        pairs(&subject, args.name)?.into_iter().map(|(_, value)| value).collect()
    } else {
        args.items()?
    };
    let path = match args.need(0, "subelements")? {
        keys if keys.as_str().is_none() => {
            let keys: Vec<String> = keys.try_iter()?.map(|key| key.to_string()).collect();
            Value::from(keys.join("."))
        }
        path => path.clone(),
    };
    let skip = args.flag(1, "skip_missing");
    let mut out = Vec::new();
    for item in items {
        let list = attribute(&item, &path)?;
        if super::super::undefined::Marker::of(&list).is_some() {
            if skip {
                continue;
            }
            return Err(wrong(format!("an item has no `{path}`; `skip_missing=true` passes over such items")));
        }
        for part in args.list_of(&list, "the subelement")? {
            out.push(Value::from(vec![item.clone(), part]));
        }
    }
    Ok(Value::from(out))
}
