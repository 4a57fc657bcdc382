//! Functions that templates may call, methods of values, and the search for included files.

use super::args::Args;
use super::convert::{to_text, wrong};
use super::session::Session;
use super::undefined::Missing;
use super::{Callable, Included, TemplateOptions, lookups};
use minijinja::{Error, State, Value};
use std::path::{Path, PathBuf};

/// All of them.
pub(super) fn all() -> [(&'static str, Callable); 8] {
    [
        ("range", range),
        ("dict", dict),
        ("now", now),
        ("undef", undef),
        ("lookup", lookups::lookup),
        ("query", lookups::query),
        ("q", lookups::query),
        ("__include", include),
    ]
}

fn range(_: &mut State, args: &Args) -> Result<Value, Error> {
    let number = |at: usize| match args.values.get(at) {
        Some(value) => i64::try_from(value.clone()).map(Some).map_err(|_| wrong("`range` needs whole numbers")),
        None => Ok(None),
    };
    let (start, stop) = match (number(0)?, number(1)?) {
        (Some(stop), None) => (0, stop),
        (Some(start), Some(stop)) => (start, stop),
        (None, _) => return Err(wrong("`range` needs where to stop: `range(5)`")),
    };
    let stride = number(2)?.unwrap_or(1);
    let length = match stride {
        0 => return Err(wrong("`range` cannot step by 0")),
        1.. => (i128::from(stop) - i128::from(start) + i128::from(stride) - 1) / i128::from(stride),
        _ => (i128::from(start) - i128::from(stop) - i128::from(stride) - 1) / -i128::from(stride),
    };
    let length = usize::try_from(length.max(0)).unwrap_or(usize::MAX);
    if length > 1_000_000 {
        return Err(wrong("`range` of more than a million numbers"));
    }
    Ok((0..i64::try_from(length).unwrap_or(0)).map(|at| Value::from(start + at * stride)).collect())
}

fn dict(_: &mut State, args: &Args) -> Result<Value, Error> {
    let mut pairs = Vec::new();
    if let Some(first) = args.values.first() {
        if first.kind() == minijinja::value::ValueKind::Map {
            for key in first.try_iter()?.checked() {
                let key = key?;
                pairs.push((key.clone(), first.get_item(&key)?));
            }
        } else {
            for pair in first.try_iter()?.checked() {
                let pair = pair?;
                pairs.push((pair.get_item_by_index(0)?, pair.get_item_by_index(1)?));
            }
        }
    }
    pairs.extend(args.take_named().iter().map(|(name, value)| (Value::from(name.as_str()), value.clone())));
    Ok(Value::from_pairs(pairs))
}

fn undef(_: &mut State, args: &Args) -> Result<Value, Error> {
    let hint = match args.values.first().or_else(|| args.named("hint")) {
        Some(hint) => to_text(hint)?,
        None => "a required variable has not been set".into(),
    };
    Ok(Missing::because(hint).value())
}

/// The moment as a date and time, or as a text if there is a format.
fn now(_: &mut State, args: &Args) -> Result<Value, Error> {
    let named = |at: usize, name: &str| args.values.get(at).or_else(|| args.named(name));
    let zone = if named(0, "utc").is_some_and(Value::is_true) {
        jiff::tz::TimeZone::UTC
    } else {
        jiff::tz::TimeZone::system()
    };
    let now = jiff::Timestamp::now().to_zoned(zone);
    match named(1, "fmt").filter(|format| format.is_true()) {
        Some(format) => super::filters::time::formatted(&to_text(format)?, &now).map(Value::from),
        None => Ok(super::filters::time::moment(now.datetime())),
    }
}

/// A Python method of a value.
pub(super) fn method(state: &mut State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    if let Some(text) = value.as_str() {
        match (method, args) {
            ("zfill", [width]) => {
                let width = usize::try_from(width.clone())?;
                let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
                return Ok(Value::from(format!("{sign}{digits:0>0$}", width.saturating_sub(sign.len()))));
            }
            ("ljust" | "rjust", [width]) => {
                let width = usize::try_from(width.clone())?;
                return Ok(Value::from(if method == "ljust" {
                    format!("{text:<width$}")
                } else {
                    format!("{text:>width$}")
                }));
            }
            ("format", _) => return super::filters::printf::braces(text, args),
            ("rsplit", [by, limit]) => {
                let limit = usize::try_from(limit.clone())?;
                let mut parts: Vec<&str> = text.rsplitn(limit + 1, by.as_str().unwrap_or(" ")).collect();
                parts.reverse();
                return Ok(parts.into_iter().map(Value::from).collect());
            }
            ("partition" | "rpartition", [by]) => {
                let by = by.as_str().unwrap_or_default();
                let split = if method == "partition" { text.split_once(by) } else { text.rsplit_once(by) };
                let parts = match split {
                    Some((head, tail)) => [head, by, tail],
                    None if method == "partition" => [text, "", ""],
                    None => ["", "", text],
                };
                return Ok(parts.into_iter().map(Value::from).collect());
            }
            ("swapcase", []) => {
                let swapped = |letter: char| {
                    if letter.is_uppercase() {
                        letter.to_lowercase().collect()
                    } else {
                        letter.to_uppercase().collect::<String>()
                    }
                };
                return Ok(Value::from(text.chars().map(swapped).collect::<String>()));
            }
            ("encode", _) => return Ok(value.clone()),
            _ => {}
        }
    }
    if let (minijinja::value::ValueKind::Seq | minijinja::value::ValueKind::Iterable, "index", [item]) =
        (value.kind(), method, args)
    {
        return match value.try_iter()?.position(|known| known == *item) {
            Some(at) => Ok(Value::from(at)),
            None => Err(wrong(format!("`index`: {item} is not in the list"))),
        };
    }
    if let (Some(bytes), "decode") = (value.as_bytes().filter(|_| value.as_str().is_none()), method) {
        return Ok(Value::from(String::from_utf8_lossy(bytes).into_owned()));
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args)
}

/// A file of `folders` named as in `include`: `templates/` first.
pub(super) fn find(folders: &[PathBuf], kind: &str, name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.is_absolute() {
        return path.exists().then(|| path.to_owned());
    }
    let candidates = folders.iter().flat_map(|folder| [folder.join(kind).join(name), folder.join(name)]);
    candidates.into_iter().find(|path| path.exists())
}

/// `include`: the other file's text, rendered with this template's variables.
fn include(state: &mut State, args: &Args) -> Result<Value, Error> {
    let session = Session::of(state).ok_or_else(|| wrong("`include` works only in a template"))?;
    let choice = args.values.first().cloned().unwrap_or_default();
    let names: Vec<String> = match choice.as_str() {
        Some(name) => vec![name.to_owned()],
        None => choice.try_iter()?.map(|name| name.to_string()).collect(),
    };
    let folders = session.vars.folders();
    let found = names.iter().find_map(|name| find(&folders, "templates", name));
    let Some(path) = found else {
        if args.values.get(1).is_some_and(Value::is_true) {
            return Ok(Value::from(""));
        }
        return Err(not_found(&names.join(", "), &folders));
    };
    let text = read(&path)?;
    let known: Vec<String> = state.known_variables().into_iter().map(std::borrow::Cow::into_owned).collect();
    let locals: Vec<(String, Value)> =
        known.into_iter().filter_map(|name| state.lookup(&name).map(|value| (name, value))).collect();
    let root = Value::from_object(Included(Value::from_pairs(locals), session.clone()));
    let text = session.file(&path, &text, &TemplateOptions::default(), root).map_err(Error::from)?;
    Ok(Value::from(text))
}

/// The whole path of a template to import or extend.
pub(super) fn file(state: &mut State, args: &Args) -> Result<Value, Error> {
    let session = Session::of(state).ok_or_else(|| wrong("`import` works only in a template"))?;
    let name = args.text()?;
    let folders = session.vars.folders();
    match find(&folders, "templates", &name) {
        Some(path) => Ok(Value::from(path.display().to_string())),
        None => Err(not_found(&name, &folders)),
    }
}

fn not_found(name: &str, folders: &[PathBuf]) -> Error {
    let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    wrong(format!("no template `{name}` in {}", folders.join(", ")))
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| wrong(format!("{}: {error}", path.display())))
}

/// Loads what `import` and `extends` name: always a whole path by now.
pub(super) fn load(name: &str) -> Result<Option<String>, Error> {
    let path = Path::new(name);
    if path.is_absolute() && path.exists() { read(path).map(Some) } else { Ok(None) }
}
