//! The tests of templates: `x is defined`, `selectattr('y', 'match', ...)`.

use super::Callable;
use super::args::{Args, subject_text};
use super::convert::{kind_words, type_name, wrong};
use super::filters::patterns::pattern;
use super::undefined::{Marker, defined};
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};
use std::cmp::Ordering;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

#[expect(clippy::unnecessary_wraps, reason = "the type of all tests")]
fn yes(flag: bool) -> Result<Value, Error> {
    Ok(Value::from(flag))
}

fn kind(args: &Args, kinds: &[&str]) -> Result<Value, Error> {
    yes(kinds.contains(&type_name(&args.subject())))
}

const TESTS: &[(&str, Callable)] = &[
    ("defined", |_, args| yes(Marker::of(&args.subject()).is_none())),
    ("undefined", |_, args| yes(Marker::of(&args.subject()).is_some())),
    ("string", |_, args| kind(args, &["str"])),
    ("mapping", |_, args| kind(args, &["dict"])),
    ("iterable", |_, args| kind(args, &["str", "list", "dict"])),
    ("sequence", |_, args| kind(args, &["str", "list", "dict"])),
    ("number", |_, args| kind(args, &["int", "float", "bool"])),
    ("integer", |_, args| kind(args, &["int"])),
    ("float", |_, args| kind(args, &["float"])),
    ("boolean", |_, args| kind(args, &["bool"])),
    ("none", |_, args| kind(args, &["NoneType"])),
    ("true", |_, args| yes(is_bool(&args.subject(), true))),
    ("false", |_, args| yes(is_bool(&args.subject(), false))),
    ("truthy", |_, args| yes(truthy(args))),
    ("falsy", |_, args| yes(!truthy(args))),
    ("callable", |_, args| yes(args.subject().kind() == ValueKind::Plain)),
    ("match", |_, args| matches(args, "^(?:", ")")),
    ("search", |_, args| matches(args, "", "")),
    ("regex", regex),
    ("version", version),
    ("version_compare", version),
    ("in", |_, args| contains(args.need(0, "container")?, &args.subject()).and_then(yes)),
    ("contains", |_, args| contains(&args.subject(), args.need(0, "item")?).and_then(yes)),
    ("any", |_, args| every(args).map(|items| Value::from(items.iter().any(Value::is_true)))),
    ("all", |_, args| every(args).map(|items| Value::from(items.iter().all(Value::is_true)))),
    ("subset", |_, args| within(args, false)),
    ("issubset", |_, args| within(args, false)),
    ("superset", |_, args| within(args, true)),
    ("issuperset", |_, args| within(args, true)),
    ("failed", |_, args| result(args, "failed")),
    ("failure", |_, args| result(args, "failed")),
    ("succeeded", succeeded),
    ("success", succeeded),
    ("successful", succeeded),
    ("changed", changed),
    ("change", changed),
    ("skipped", |_, args| result(args, "skipped")),
    ("skip", |_, args| result(args, "skipped")),
    ("unreachable", |_, args| result(args, "unreachable")),
    ("reachable", |_, args| result(args, "unreachable").and_then(|value| yes(!value.is_true()))),
    ("started", |_, args| result(args, "started")),
    ("finished", |_, args| result(args, "finished")),
    ("timedout", |_, args| result(args, "timedout")),
    ("exists", |_, args| yes(path(args)?.exists())),
    ("file", |_, args| yes(path(args)?.is_file())),
    ("is_file", |_, args| yes(path(args)?.is_file())),
    ("directory", |_, args| yes(path(args)?.is_dir())),
    ("is_dir", |_, args| yes(path(args)?.is_dir())),
    ("link", |_, args| yes(path(args)?.is_symlink())),
    ("is_link", |_, args| yes(path(args)?.is_symlink())),
    ("link_exists", |_, args| yes(path(args)?.symlink_metadata().is_ok())),
    ("abs", |_, args| yes(path(args)?.is_absolute())),
    ("is_abs", |_, args| yes(path(args)?.is_absolute())),
    ("same_file", same_file),
    ("is_same_file", same_file),
    ("mount", |_, args| yes(is_mount(&path(args)?))),
    ("is_mount", |_, args| yes(is_mount(&path(args)?))),
    ("vault_encrypted", |_, args| yes(args.subject().as_str().is_some_and(|text| text.starts_with(VAULT)))),
    ("vaulted_file", |_, args| vaulted(&path(args)?).and_then(yes)),
    ("odd", |_, args| yes(whole(args)? % 2 != 0)),
    ("even", |_, args| yes(whole(args)? % 2 == 0)),
    ("divisibleby", divisible),
    ("sameas", |_, args| {
        let other = args.need(0, "other")?;
        yes(type_name(&args.subject()) == type_name(other) && args.subject() == *other)
    }),
    ("lower", |_, args| args.text().and_then(|text| yes(text == text.to_lowercase()))),
    ("upper", |_, args| args.text().and_then(|text| yes(text == text.to_uppercase()))),
    ("eq", |_, args| yes(args.subject() == *args.need(0, "other")?)),
    ("equalto", |_, args| yes(args.subject() == *args.need(0, "other")?)),
    ("==", |_, args| yes(args.subject() == *args.need(0, "other")?)),
    ("ne", |_, args| yes(args.subject() != *args.need(0, "other")?)),
    ("!=", |_, args| yes(args.subject() != *args.need(0, "other")?)),
    ("lt", |_, args| ordered(args, Ordering::is_lt)),
    ("lessthan", |_, args| ordered(args, Ordering::is_lt)),
    ("<", |_, args| ordered(args, Ordering::is_lt)),
    ("le", |_, args| ordered(args, Ordering::is_le)),
    ("<=", |_, args| ordered(args, Ordering::is_le)),
    ("gt", |_, args| ordered(args, Ordering::is_gt)),
    ("greaterthan", |_, args| ordered(args, Ordering::is_gt)),
    (">", |_, args| ordered(args, Ordering::is_gt)),
    ("ge", |_, args| ordered(args, Ordering::is_ge)),
    (">=", |_, args| ordered(args, Ordering::is_ge)),
    ("uri", |_, args| uri(args, None, false)),
    ("url", |_, args| uri(args, None, true)),
    ("urn", |_, args| uri(args, Some("urn"), false)),
    ("nan", |_, args| yes(f64::try_from(args.subject()).is_ok_and(f64::is_nan))),
    ("isnan", |_, args| yes(f64::try_from(args.subject()).is_ok_and(f64::is_nan))),
];

/// How a text begins that is encrypted with vault.
const VAULT: &str = "$ANSIBLE_VAULT;";

fn vaulted(path: &Path) -> Result<bool, Error> {
    let bytes = std::fs::read(path).map_err(|error| wrong(format!("{}: {error}", path.display())))?;
    Ok(bytes.starts_with(VAULT.as_bytes()))
}

/// The device and the number of what a path leads to.
fn place(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|meta| (meta.dev(), meta.ino()))
}

fn same_file(_: &mut State, args: &Args) -> Result<Value, Error> {
    let other = subject_text(args.need(0, "path")?)?;
    let first = place(&path(args)?);
    yes(first.is_some() && first == place(Path::new(&other)))
}

/// Whether another disk begins there.
fn is_mount(path: &Path) -> bool {
    let (Some(own), Some(above)) = (place(path), place(&path.join(".."))) else { return false };
    !path.is_symlink() && (own.0 != above.0 || own.1 == above.1)
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Callable)> {
    TESTS.iter().copied()
}

fn is_bool(value: &Value, wanted: bool) -> bool {
    value.kind() == ValueKind::Bool && value.is_true() == wanted
}

fn truthy(args: &Args) -> bool {
    let value = args.subject();
    if args.flag(0, "convert_bool") {
        let known = |text: &str| {
            matches!(
                text.to_lowercase().as_str(),
                "yes" | "no" | "on" | "off" | "true" | "false" | "1" | "0" | "y" | "n" | "t" | "f"
            )
        };
        if value.as_str().is_some_and(known) {
            return super::filters::truth(&value);
        }
    }
    value.is_true()
}

fn ordered(args: &Args, holds: fn(Ordering) -> bool) -> Result<Value, Error> {
    yes(holds(super::filters::order(&args.subject(), args.need(0, "other")?)?))
}

fn matches(args: &Args, before: &str, after: &str) -> Result<Value, Error> {
    let text = subject_text(&args.subject())?;
    let word = args.str(0, "pattern")?.unwrap_or_default();
    // `^` means every line's start when asked for; a match is at the text's start all the same.
    let before = if before.is_empty() { "" } else { "\\A(?:" };
    let regex = pattern(&format!("{before}{word}{after}"), args.flag(1, "ignorecase"), args.flag(2, "multiline"))?;
    yes(regex.is_match(&text).map_err(|error| wrong(error.to_string()))?)
}

fn regex(_: &mut State, args: &Args) -> Result<Value, Error> {
    let kind = args.str(3, "match_type")?.unwrap_or_else(|| "search".into());
    match kind.as_str() {
        "search" => matches(args, "", ""),
        "match" => matches(args, "^(?:", ")"),
        "fullmatch" => matches(args, "^(?:", r")\z"),
        other => Err(wrong(format!("`match_type` is search, match or fullmatch, not `{other}`"))),
    }
}

/// Compares two versions part by part: numbers as numbers, words as words.
fn compare_versions(a: &str, b: &str) -> Ordering {
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Part {
        Word(String),
        Number(u64),
    }
    let parts = |text: &str| {
        let text = text
            .strip_prefix('v')
            .filter(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
            .unwrap_or(text);
        let mut out = Vec::new();
        for piece in text.split(['.', '-', '+', '_', '~']) {
            let mut rest = piece;
            while !rest.is_empty() {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                let length =
                    if digits > 0 { digits } else { rest.bytes().take_while(|byte| !byte.is_ascii_digit()).count() };
                let (head, tail) = rest.split_at(length);
                out.push(head.parse().map_or_else(|_| Part::Word(head.to_owned()), Part::Number));
                rest = tail;
            }
        }
        out
    };
    parts(a).cmp(&parts(b))
}

/// A strict or semantic version: a pre-release comes before its release.
fn compare_releases(a: &str, b: &str) -> Ordering {
    let split = |text: &str| {
        let text = text.trim_start_matches('v').split('+').next().unwrap_or_default().to_owned();
        let (core, pre) =
            text.split_once('-').map_or((text.clone(), None), |(core, pre)| (core.to_owned(), Some(pre.to_owned())));
        (core, pre)
    };
    let ((a, a_pre), (b, b_pre)) = (split(a), split(b));
    compare_versions(&a, &b).then_with(|| match (a_pre, b_pre) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => compare_versions(&a, &b),
    })
}

fn version(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (have, want) = (args.text()?, args.str(0, "version")?.unwrap_or_default());
    if have.is_empty() || want.is_empty() {
        return Err(wrong("`version` needs two versions; one is empty"));
    }
    let operator = args.str(1, "operator")?.unwrap_or_else(|| "eq".into());
    let kind = args
        .str(3, "version_type")?
        .unwrap_or_else(|| if args.flag(2, "strict") { "strict".into() } else { "loose".into() });
    let order = match kind.as_str() {
        "loose" => compare_versions(&have, &want),
        "strict" | "semver" | "semantic" | "pep440" => compare_releases(&have, &want),
        other => return Err(wrong(format!("`version_type` is loose, strict, semver or pep440, not `{other}`"))),
    };
    yes(match operator.as_str() {
        "==" | "=" | "eq" => order.is_eq(),
        "!=" | "<>" | "ne" => order.is_ne(),
        "<" | "lt" => order.is_lt(),
        "<=" | "le" => order.is_le(),
        ">" | "gt" => order.is_gt(),
        ">=" | "ge" => order.is_ge(),
        other => return Err(wrong(format!("`version` compares with ==, !=, <, <=, > or >=, not `{other}`"))),
    })
}

fn contains(container: &Value, item: &Value) -> Result<bool, Error> {
    if let (Some(text), Some(part)) = (container.as_str(), item.as_str()) {
        return Ok(text.contains(part));
    }
    match container.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            for known in container.try_iter()?.checked() {
                if known? == *item {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Err(wrong(format!("nothing can be in {}", kind_words(container)))),
    }
}

/// The items, all of which must be defined.
fn every(args: &Args) -> Result<Vec<Value>, Error> {
    args.items()?.into_iter().map(defined).collect()
}

fn within(args: &Args, turned: bool) -> Result<Value, Error> {
    let (mut small, mut large) = (args.items()?, args.list_of(args.need(0, "other")?, "the argument")?);
    if turned {
        std::mem::swap(&mut small, &mut large);
    }
    yes(small.iter().all(|item| large.contains(item)))
}

/// A key of a task's result.
fn result(args: &Args, key: &str) -> Result<Value, Error> {
    let value = args.subject();
    if value.kind() != ValueKind::Map {
        return Err(wrong(format!("`is {}` needs a task's registered result, not {}", args.name, kind_words(&value))));
    }
    yes(value.get_item(&Value::from(key)).is_ok_and(|value| value.is_true()))
}

fn succeeded(_: &mut State, args: &Args) -> Result<Value, Error> {
    result(args, "failed").and_then(|failed| yes(!failed.is_true()))
}

fn changed(_: &mut State, args: &Args) -> Result<Value, Error> {
    if result(args, "changed")?.is_true() {
        return yes(true);
    }
    // A loop's result: any item.
    let items = args.subject().get_item(&Value::from("results")).unwrap_or_default();
    let any = items.try_iter().is_ok_and(|mut items| {
        items.any(|item| item.get_item(&Value::from("changed")).is_ok_and(|value| value.is_true()))
    });
    yes(any)
}

fn path(args: &Args) -> Result<std::path::PathBuf, Error> {
    Ok(super::filters::paths::expand_user(&args.text()?).into())
}

fn whole(args: &Args) -> Result<i128, Error> {
    let value = args.subject();
    i128::try_from(value.clone())
        .map_err(|_| wrong(format!("`is {}` needs a whole number, not {}", args.name, kind_words(&value))))
}

/// As Ansible has it: any text is a URI, unless its scheme is none of those asked for; a URL names a place, too.
fn uri(args: &Args, scheme: Option<&str>, place: bool) -> Result<Value, Error> {
    let text = args.text()?;
    let is = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let parts = text.split_once(':').filter(|(scheme, _)| !scheme.is_empty() && scheme.chars().all(is));
    let (found, rest) = parts.map_or((String::new(), text.as_str()), |(scheme, rest)| (scheme.to_lowercase(), rest));
    let known = match args.get(0, "schemes") {
        Some(schemes) if !schemes.is_none() => {
            args.list_of(schemes, "the argument")?.iter().any(|one| one.as_str() == Some(&found))
        }
        _ => true,
    };
    let there = rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']));
    yes(known && scheme.is_none_or(|scheme| scheme == found) && (!place || there || found == "file"))
}

fn divisible(_: &mut State, args: &Args) -> Result<Value, Error> {
    match args.int(0, "num")?.unwrap_or(0) {
        0 => Err(wrong("nothing is divisible by 0")),
        by => yes(whole(args)? % i128::from(by) == 0),
    }
}
