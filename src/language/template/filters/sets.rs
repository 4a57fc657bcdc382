//! Lists as sets: what is in one, both, or only one of them. The order of the first list is kept.

use super::super::Callable;
use super::super::args::Args;
use super::lists::folded;
use super::picking::attribute;
use minijinja::{Error, State, Value};

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("unique", unique),
    ("union", union),
    ("intersect", intersect),
    ("difference", difference),
    ("symmetric_difference", symmetric_difference),
];

fn two(args: &Args) -> Result<(Vec<Value>, Vec<Value>), Error> {
    Ok((args.items()?, args.list_of(args.need(0, "other")?, "the argument")?))
}

fn once(items: impl IntoIterator<Item = Value>) -> Value {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    Value::from(seen)
}

fn unique(_: &mut State, args: &Args) -> Result<Value, Error> {
    let case_sensitive = args.get(0, "case_sensitive").is_some_and(Value::is_true);
    let path = args.get(1, "attribute");
    let (mut keys, mut out) = (Vec::new(), Vec::new());
    for item in args.items()? {
        let key = match path {
            Some(path) => attribute(&item, path)?,
            None => item.clone(),
        };
        let key = folded(&key, case_sensitive);
        if !keys.contains(&key) {
            keys.push(key);
            out.push(item);
        }
    }
    Ok(Value::from(out))
}

fn union(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (a, b) = two(args)?;
    Ok(once(a.into_iter().chain(b)))
}

fn intersect(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (a, b) = two(args)?;
    Ok(once(a.into_iter().filter(|item| b.contains(item))))
}

fn difference(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (a, b) = two(args)?;
    Ok(once(a.into_iter().filter(|item| !b.contains(item))))
}

fn symmetric_difference(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (a, b) = two(args)?;
    let only_a = a.iter().filter(|item| !b.contains(item));
    let only_b = b.iter().filter(|item| !a.contains(item));
    Ok(once(only_a.chain(only_b).cloned()))
}
