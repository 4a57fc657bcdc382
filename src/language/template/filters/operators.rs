//! What the compiler puts in the place of variables, attributes and operators.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::{kind_words, to_text, type_name, wrong};
use super::super::session::Session;
use super::super::undefined::{Marker, Missing, defined, valid};
use super::super::{OMIT, functions};
use super::{printf, time};
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};
use std::cmp::Ordering;

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("__var", var),
    ("__attr", attr),
    ("__item", item),
    ("__use", use_),
    ("__else", |_, _| {
        Ok(Missing { blank: true, ..Missing::because("an inline `if` without `else` gives no value here") }.value())
    }),
    ("__template", template),
    ("__file", functions::file),
    ("__add", add),
    ("__sub", sub),
    ("__rem", rem),
    ("__eq", eq),
    ("__ne", ne),
    ("__lt", lt),
    ("__le", le),
    ("__gt", gt),
    ("__ge", ge),
];

/// A variable's value, or a marker with its name.
fn var(state: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    if !value.is_undefined() {
        return valid(value);
    }
    let name = args.need(0, "name")?.as_str().unwrap_or_default();
    Ok(Session::of(state).map_or_else(|| Missing::named(name), |session| session.missing(name)).value())
}

/// A quoted text in a condition that is a template itself.
fn template(state: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let session = Session::of(state).ok_or_else(|| wrong("a template works only in a template"))?;
    session.text(&text, &crate::base::Span::nowhere()).map_err(Error::from)
}

/// `x.name`, or a marker with the path.
fn attr(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    if value.downcast_object_ref::<Marker>().is_some() {
        return Ok(value);
    }
    let key = args.need(0, "name")?;
    let name = key.as_str().unwrap_or_default();
    let found = valid(value.get_attr(name).unwrap_or_default())?;
    if !found.is_undefined() {
        return Ok(found);
    }
    // `list.0`
    if let Ok(index) = name.parse::<usize>()
        && let Ok(found) = value.get_item_by_index(index)
        && !found.is_undefined()
    {
        return valid(found);
    }
    Ok(missing(&value, name, args))
}

/// `x[key]`, or a marker with the path.
fn item(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    if value.downcast_object_ref::<Marker>().is_some() {
        return Ok(value);
    }
    let key = args.need(0, "key")?;
    let mut found = value.get_item(key).unwrap_or_default();
    if found.is_undefined() && value.kind() == ValueKind::Map && !key.is_none() && key.as_str().is_none() {
        // All keys of data are texts: `ports[80]` finds "80".
        found = value.get_item(&Value::from(key.to_string())).unwrap_or_default();
    }
    let found = valid(found)?;
    Ok(if found.is_undefined() { missing(&value, &key.to_string(), args) } else { found })
}

fn missing(table: &Value, key: &str, args: &Args) -> Value {
    let path = args.get(1, "path").and_then(Value::as_str).unwrap_or(key);
    let inside = (table.kind() == ValueKind::Map).then(|| (table.clone(), key.to_owned()));
    Missing { inside, ..Missing::named(path) }.value()
}

/// The value, which must be defined.
fn use_(_: &mut State, args: &Args) -> Result<Value, Error> {
    defined(args.subject())
}

fn operands(args: &Args) -> Result<(Value, Value), Error> {
    Ok((defined(args.subject())?, defined(args.need(0, "right")?.clone())?))
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

fn add(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (left, right) = operands(args)?;
    if let (Some(a), Some(b)) = (left.as_str(), right.as_str()) {
        return Ok(Value::from(format!("{a}{b}")));
    }
    if is_list(&left) && is_list(&right) {
        return left
            .try_iter()?
            .checked()
            .chain(right.try_iter()?.checked())
            .collect::<Result<Vec<_>, _>>()
            .map(Value::from);
    }
    if !is_number(&left) || !is_number(&right) {
        let help = match (left.as_str(), right.as_str()) {
            (None, None) if type_name(&left) == "dict" => "; use `a | combine(b)`",
            (Some(_), _) | (_, Some(_)) => "; use `~` to join texts, `| int` to count",
            _ => "",
        };
        return Err(wrong(format!("cannot add {} and {}{help}", kind_words(&left), kind_words(&right))));
    }
    if let (Ok(a), Ok(b)) = (i128::try_from(left.clone()), i128::try_from(right.clone()))
        && both_whole(&left, &right)
    {
        return a.checked_add(b).map(whole).ok_or_else(|| wrong("the sum is too large for a number"));
    }
    Ok(Value::from(f64::try_from(left)? + f64::try_from(right)?))
}

fn sub(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (left, right) = operands(args)?;
    if let Some(between) = time::minus(&left, &right) {
        return Ok(between);
    }
    if !is_number(&left) || !is_number(&right) {
        return Err(wrong(format!("cannot subtract {} from {}", kind_words(&right), kind_words(&left))));
    }
    if both_whole(&left, &right) {
        let (a, b) = (i128::try_from(left)?, i128::try_from(right)?);
        return a.checked_sub(b).map(whole).ok_or_else(|| wrong("the difference is too large for a number"));
    }
    Ok(Value::from(f64::try_from(left)? - f64::try_from(right)?))
}

fn whole(number: i128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from(number), Value::from)
}

fn is_number(value: &Value) -> bool {
    value.is_number() || value.kind() == ValueKind::Bool
}

fn both_whole(left: &Value, right: &Value) -> bool {
    [left, right].iter().all(|value| value.is_integer() || value.kind() == ValueKind::Bool)
}

/// `%`: the rest of a division, or printf.
fn rem(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (left, right) = operands(args)?;
    if let Some(format) = left.as_str() {
        let values =
            if right.is_tuple() { right.try_iter()?.checked().collect::<Result<_, _>>()? } else { vec![right] };
        return printf::percent(format, &values).map(Value::from);
    }
    if !is_number(&left) || !is_number(&right) {
        return Err(wrong(format!("cannot divide {} by {}", kind_words(&left), kind_words(&right))));
    }
    if both_whole(&left, &right) {
        let (a, b) = (i128::try_from(left)?, i128::try_from(right)?);
        if b == 0 {
            return Err(wrong("division by zero"));
        }
        return Ok(whole(a.rem_euclid(b) + if b < 0 && a.rem_euclid(b) != 0 { b } else { 0 }));
    }
    let (a, b) = (f64::try_from(left)?, f64::try_from(right)?);
    if b == 0.0 {
        return Err(wrong("division by zero"));
    }
    Ok(Value::from(a - b * (a / b).floor()))
}

fn eq(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (left, right) = operands(args)?;
    Ok(Value::from(same(&left, &right)))
}

fn ne(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (left, right) = operands(args)?;
    Ok(Value::from(!same(&left, &right)))
}

fn same(left: &Value, right: &Value) -> bool {
    super::time::compared(left, right).map_or_else(|| left == right, Ordering::is_eq)
}

/// The order of two values; only values of like kinds have one.
pub(in super::super) fn order(left: &Value, right: &Value) -> Result<Ordering, Error> {
    let like = (is_number(left) && is_number(right))
        || (left.as_str().is_some() && right.as_str().is_some())
        || (is_list(left) && is_list(right));
    if like {
        return Ok(left.cmp(right));
    }
    if let Some(order) = super::time::compared(left, right) {
        return Ok(order);
    }
    let short = |value: &Value| {
        let text = to_text(value).unwrap_or_default();
        if text.chars().count() > 30 || text == OMIT { String::new() } else { format!(" `{text}`") }
    };
    Err(wrong(format!(
        "cannot compare {}{} with {}{}; use `| int`, `| float` or `| string` to make them alike",
        kind_words(left),
        short(left),
        kind_words(right),
        short(right)
    )))
}

fn lt(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (left, right) = operands(args)?;
    Ok(Value::from(order(&left, &right)?.is_lt()))
}

fn le(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (left, right) = operands(args)?;
    Ok(Value::from(order(&left, &right)?.is_le()))
}

fn gt(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (left, right) = operands(args)?;
    Ok(Value::from(order(&left, &right)?.is_gt()))
}

fn ge(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (left, right) = operands(args)?;
    Ok(Value::from(order(&left, &right)?.is_ge()))
}
