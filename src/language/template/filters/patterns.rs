//! Regular expressions as Python has them.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::{kind_words, wrong};
use super::super::session::lock;
use crate::base::python_regex::{self, Flags};
use fancy_regex::{Captures, Regex};
use minijinja::{Error, State, Value};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("regex_replace", regex_replace),
    ("regex_search", regex_search),
    ("regex_findall", regex_findall),
    ("regex_escape", regex_escape),
];

/// By text, and whether case is ignored and lines count.
type Known = HashMap<(String, bool, bool), Arc<Regex>>;

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

/// A compiled pattern, compiled once.
pub(in super::super) fn pattern(text: &str, ignore_case: bool, multiline: bool) -> Result<Arc<Regex>, Error> {
    let key = (text.to_owned(), ignore_case, multiline);
    if let Some(known) = lock(&KNOWN).get(&key) {
        return Ok(known.clone());
    }
    let flags = Flags { multiline, ignore_case, ..Flags::default() };
    let regex = python_regex::compile(text, flags).map_err(|failure| wrong(failure.message))?;
    let regex = Arc::new(regex);
    lock(&KNOWN).insert(key, regex.clone());
    Ok(regex)
}

fn given(args: &Args, at: usize) -> Result<Arc<Regex>, Error> {
    let text = args.str(0, "regex")?.or(args.str(0, "pattern")?).unwrap_or_default();
    pattern(&text, args.flag(at, "ignorecase"), args.flag(at + 1, "multiline"))
}

fn failed(error: fancy_regex::Error) -> Error {
    wrong(format!("the regular expression gave up: {error}"))
}

fn regex_replace(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let replacement = args.str(1, "replacement")?.unwrap_or_default();
    let regex = given(args, 2)?;
    let most = match args.int(4, "count")?.unwrap_or(0) {
        ..=0 => usize::MAX,
        count => usize::try_from(count).unwrap_or(usize::MAX),
    };
    let replaced = python_regex::replace(&regex, &text, &replacement, most);
    let (out, count) = replaced.map_err(|failure| wrong(failure.message))?;
    let wanted = args.int(9, "mandatory_count")?.unwrap_or(0);
    if wanted > 0 && usize::try_from(wanted) != Ok(count) {
        return Err(wrong(format!("`regex_replace` should have replaced {wanted} times, but did {count} times")));
    }
    Ok(Value::from(out))
}

fn group_text(found: &Captures<str>, at: usize) -> Value {
    found.get(at).map_or_else(|| Value::from(()), |group| Value::from(group.as_str()))
}

fn regex_search(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let word = args.str(0, "regex")?.or(args.str(0, "pattern")?).unwrap_or_default();
    let regex = pattern(&word, args.flag(99, "ignorecase"), args.flag(99, "multiline"))?;
    let wanted = args.values.get(2..).unwrap_or_default();
    let Some(found) = regex.captures(text.as_str()).map_err(failed)? else { return Ok(Value::from(())) };
    if wanted.is_empty() {
        return Ok(group_text(&found, 0));
    }
    wanted
        .iter()
        .map(|group| {
            let name = group.as_str().unwrap_or_default();
            if let Some(number) = name.strip_prefix('\\').and_then(|number| number.parse::<usize>().ok()) {
                return Ok(group_text(&found, number));
            }
            match name.strip_prefix("\\g<").and_then(|name| name.strip_suffix('>')) {
                Some(name) => Ok(name.parse().map_or_else(
                    |_| found.name(name).map_or_else(|| Value::from(()), |group| Value::from(group.as_str())),
                    |number| group_text(&found, number),
                )),
                None => Err(wrong(format!(
                    "`regex_search` takes groups as '\\\\1' or '\\\\g<name>', not {}",
                    kind_words(group)
                ))),
            }
        })
        .collect::<Result<Vec<_>, _>>()
        .map(Value::from)
}

fn regex_findall(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let word = args.str(0, "regex")?.unwrap_or_default();
    let regex = pattern(&word, args.flag(2, "ignorecase"), args.flag(1, "multiline"))?;
    let mut all = Vec::new();
    for found in regex.captures_iter(text.as_str()) {
        let found = found.map_err(failed)?;
        let group = |at: usize| Value::from(found.get(at).map_or("", |group| group.as_str()));
        all.push(match found.len() {
            1 => group(0),
            2 => group(1),
            groups => (1..groups).map(group).collect(),
        });
    }
    Ok(Value::from(all))
}

fn regex_escape(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let special = match args.str(0, "re_type")?.as_deref() {
        None | Some("python") => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        Some("posix_basic") => "[].^$*\\",
        Some(other) => return Err(wrong(format!("`regex_escape` knows python and posix_basic, not `{other}`"))),
    };
    let mut out = String::new();
    for letter in text.chars() {
        if special.contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    Ok(Value::from(out))
}
