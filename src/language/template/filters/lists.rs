//! Filters on lists.

use super::super::Callable;
use super::super::args::{Args, subject_text};
use super::super::convert::{kind_words, type_name, wrong};
use super::super::undefined::Missing;
use super::operators::order;
use super::picking::attribute;
use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, State, Value};
use std::cmp::Ordering;

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("length", length),
    ("count", length),
    ("list", list),
    ("join", join),
    ("first", first),
    ("last", last),
    ("sort", sort),
    ("reverse", reverse),
    ("flatten", flatten),
    ("product", product),
    ("zip", zip),
    ("zip_longest", zip_longest),
    ("batch", batch),
    ("slice", slice),
    ("permutations", permutations),
    ("combinations", combinations),
    ("random", random),
    ("shuffle", shuffle),
];

fn length(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    match value.len() {
        Some(length) => Ok(Value::from(length)),
        None if value.kind() == ValueKind::Iterable => Ok(Value::from(args.items()?.len())),
        None => Err(wrong(format!("`{}` needs a text, a list or a table, not {}", args.name, kind_words(&value)))),
    }
}

fn list(_: &mut State, args: &Args) -> Result<Value, Error> {
    args.items().map(Value::from)
}

fn join(_: &mut State, args: &Args) -> Result<Value, Error> {
    let by = args.str(0, "d")?.unwrap_or_default();
    let path = args.get(1, "attribute");
    let mut parts = Vec::new();
    for item in args.items()? {
        let item = super::super::undefined::defined(match path {
            Some(path) => attribute(&item, path)?,
            None => item,
        })?;
        parts.push(subject_text(&item)?);
    }
    Ok(Value::from(parts.join(&by)))
}

fn first(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    if value.kind() == ValueKind::Seq && value.len() != Some(0) {
        return value.get_item_by_index(0);
    }
    Ok(args.items()?.into_iter().next().unwrap_or_else(|| Missing::because("`first` of an empty list").value()))
}

fn last(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    if let (ValueKind::Seq, Some(length @ 1..)) = (value.kind(), value.len()) {
        return value.get_item_by_index(length - 1);
    }
    Ok(args.items()?.into_iter().next_back().unwrap_or_else(|| Missing::because("`last` of an empty list").value()))
}

/// A value to compare by: texts without case unless asked for.
pub(super) fn folded(value: &Value, case_sensitive: bool) -> Value {
    match value.as_str() {
        Some(text) if !case_sensitive => Value::from(text.to_lowercase()),
        _ => value.clone(),
    }
}

/// Sorts by keys that must have an order.
pub(super) fn sorted(mut items: Vec<(Value, Value)>, reverse: bool) -> Result<Vec<Value>, Error> {
    let mut failure = None;
    items.sort_by(|(a, _), (b, _)| {
        let order = order(a, b).unwrap_or_else(|error| {
            failure.get_or_insert(error);
            Ordering::Equal
        });
        if reverse { order.reverse() } else { order }
    });
    failure.map_or_else(|| Ok(items.into_iter().map(|(_, item)| item).collect()), Err)
}

fn sort(_: &mut State, args: &Args) -> Result<Value, Error> {
    let case_sensitive = args.flag(1, "case_sensitive");
    let path = args.get(2, "attribute").cloned();
    let mut keyed = Vec::new();
    for item in args.items()? {
        let key = match path.as_ref().and_then(Value::as_str) {
            // Several attributes: `attribute='group,name'`.
            Some(paths) if paths.contains(',') => paths
                .split(',')
                .map(|path| attribute(&item, &Value::from(path.trim())).map(|key| folded(&key, case_sensitive)))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::from)?,
            _ => match &path {
                Some(path) => folded(&attribute(&item, path)?, case_sensitive),
                None => folded(&item, case_sensitive),
            },
        };
        keyed.push((super::super::undefined::defined(key)?, item));
    }
    sorted(keyed, args.flag(0, "reverse")).map(Value::from)
}

fn reverse(_: &mut State, args: &Args) -> Result<Value, Error> {
    if let Some(text) = args.subject().as_str() {
        return Ok(Value::from(text.chars().rev().collect::<String>()));
    }
    let mut items = args.items()?;
    items.reverse();
    Ok(Value::from(items))
}

fn flatten(_: &mut State, args: &Args) -> Result<Value, Error> {
    fn into(items: Vec<Value>, levels: i64, skip: bool, out: &mut Vec<Value>) -> Result<(), Error> {
        for item in items {
            if type_name(&item) == "list" && levels != 0 {
                into(item.try_iter()?.checked().collect::<Result<_, _>>()?, levels - 1, skip, out)?;
            } else if !(skip && item.is_none()) {
                out.push(item);
            }
        }
        Ok(())
    }
    let skip = args.get(1, "skip_nulls").is_none_or(Value::is_true);
    let mut out = Vec::new();
    into(args.items()?, args.int(0, "levels")?.unwrap_or(-1), skip, &mut out)?;
    Ok(Value::from(out))
}

fn all_lists(args: &Args) -> Result<Vec<Vec<Value>>, Error> {
    args.values.iter().map(|value| args.list_of(value, "an argument")).collect()
}

fn product(_: &mut State, args: &Args) -> Result<Value, Error> {
    let mut lists = all_lists(args)?;
    let repeat = args.int(99, "repeat")?.unwrap_or(1);
    let once = lists.clone();
    for _ in 1..repeat {
        lists.extend(once.iter().cloned());
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let size: f64 = lists.iter().map(|list| list.len() as f64).product();
    if size > 1e6 {
        return Err(wrong("`product` of more than a million combinations"));
    }
    let mut rows: Vec<Vec<Value>> = vec![vec![]];
    for list in lists {
        rows = rows
            .into_iter()
            .flat_map(|row| list.iter().map(move |item| row.iter().cloned().chain([item.clone()]).collect()))
            .collect();
    }
    Ok(rows.into_iter().map(|row| Value::from(Tuple::from(row))).collect())
}

fn zip(_: &mut State, args: &Args) -> Result<Value, Error> {
    let lists = all_lists(args)?;
    let length = lists.iter().map(Vec::len).min().unwrap_or(0);
    Ok((0..length).map(|at| lists.iter().map(|list| list[at].clone()).collect::<Value>()).collect())
}

fn zip_longest(_: &mut State, args: &Args) -> Result<Value, Error> {
    let lists = all_lists(args)?;
    let fill = args.get(99, "fillvalue").cloned().unwrap_or_else(|| Value::from(()));
    let length = lists.iter().map(Vec::len).max().unwrap_or(0);
    let row = |at: usize| lists.iter().map(|list| list.get(at).unwrap_or(&fill).clone()).collect::<Value>();
    Ok((0..length).map(row).collect())
}

fn count_of(args: &Args, at: usize, name: &str) -> Result<usize, Error> {
    match args.int(at, name)? {
        Some(count) if count > 0 => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
        _ => Err(wrong(format!("`{}` needs a number above 0 as `{name}`", args.name))),
    }
}

fn batch(_: &mut State, args: &Args) -> Result<Value, Error> {
    let size = count_of(args, 0, "linecount")?;
    let mut rows: Vec<Vec<Value>> = args.items()?.chunks(size).map(<[Value]>::to_vec).collect();
    if let (Some(fill), Some(row)) = (args.get(1, "fill_with"), rows.last_mut()) {
        let missing = size.saturating_sub(row.len()).min(100_000);
        row.extend(std::iter::repeat_n(fill.clone(), missing));
    }
    Ok(rows.into_iter().map(Value::from).collect())
}

fn slice(_: &mut State, args: &Args) -> Result<Value, Error> {
    let count = count_of(args, 0, "slices")?.min(100_000);
    let items = args.items()?;
    let (each, more) = (items.len() / count, items.len() % count);
    let mut rows = Vec::new();
    let mut start = 0;
    for at in 0..count {
        let end = start + each + usize::from(at < more);
        let mut row = items[start..end].to_vec();
        if let Some(fill) = args.get(1, "fill_with")
            && at >= more
            && more > 0
        {
            row.push(fill.clone());
        }
        rows.push(Value::from(row));
        start = end;
    }
    Ok(Value::from(rows))
}

/// Picks `size` of `items`, in order (`combinations`) or in every order (`permutations`).
fn picks(items: &[Value], size: usize, ordered: bool, out: &mut Vec<Value>) -> Result<(), Error> {
    fn step(
        items: &[Value],
        size: usize,
        ordered: bool,
        taken: &mut Vec<usize>,
        out: &mut Vec<Value>,
    ) -> Result<(), Error> {
        if taken.len() == size {
            if out.len() >= 100_000 {
                return Err(wrong("more than 100000 combinations"));
            }
            out.push(taken.iter().map(|at| items[*at].clone()).collect());
            return Ok(());
        }
        let from = if ordered { taken.last().map_or(0, |last| last + 1) } else { 0 };
        for at in from..items.len() {
            if !taken.contains(&at) {
                taken.push(at);
                step(items, size, ordered, taken, out)?;
                taken.pop();
            }
        }
        Ok(())
    }
    step(items, size, ordered, &mut Vec::new(), out)
}

fn permutations(_: &mut State, args: &Args) -> Result<Value, Error> {
    let items = args.items()?;
    let size = args.int(0, "r")?.and_then(|size| usize::try_from(size).ok()).unwrap_or(items.len());
    let mut out = Vec::new();
    picks(&items, size, false, &mut out)?;
    Ok(Value::from(out))
}

fn combinations(_: &mut State, args: &Args) -> Result<Value, Error> {
    let items = args.items()?;
    let mut out = Vec::new();
    picks(&items, count_of(args, 0, "r")?, true, &mut out)?;
    Ok(Value::from(out))
}

/// Random bits; with a seed always the same ones (not Python's: the seed gives stability, not equality with Ansible).
struct Dice(u64);

impl Dice {
    fn new(args: &Args, name: &str) -> Result<Self, Error> {
        use sha2::Digest as _;
        if let Some(seed) = args.str(99, name)? {
            let digest = sha2::Sha256::digest(seed.as_bytes());
            let mut start = [0; 8];
            start.copy_from_slice(&digest[..8]);
            return Ok(Self(u64::from_le_bytes(start)));
        }
        getrandom::u64().map(Self).map_err(|error| wrong(format!("no random numbers: {error}")))
    }

    /// A number below `limit` (splitmix64).
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % limit.max(1)
    }
}

fn random(_: &mut State, args: &Args) -> Result<Value, Error> {
    let mut dice = Dice::new(args, "seed")?;
    let value = args.subject();
    if value.is_integer() {
        let start = args.int(0, "start")?.unwrap_or(0);
        let step = args.int(1, "step")?.unwrap_or(1).max(1);
        let end = i64::try_from(value)?;
        if end <= start {
            return Err(wrong("`random` needs an end above its start"));
        }
        let count = (end - start + step - 1) / step;
        let pick = i64::try_from(dice.below(count.unsigned_abs())).unwrap_or(0);
        return Ok(Value::from(start + step * pick));
    }
    let items = args.items()?;
    if items.is_empty() {
        return Ok(Missing::because("`random` of an empty list").value());
    }
    let pick = usize::try_from(dice.below(items.len() as u64)).unwrap_or(0);
    Ok(items[pick].clone())
}

fn shuffle(_: &mut State, args: &Args) -> Result<Value, Error> {
    let mut dice = Dice::new(args, "seed")?;
    let mut items = args.items()?;
    for at in (1..items.len()).rev() {
        items.swap(at, usize::try_from(dice.below(at as u64 + 1)).unwrap_or(0));
    }
    Ok(Value::from(items))
}
