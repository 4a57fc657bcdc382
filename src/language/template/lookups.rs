//! `lookup`, `query` and `q`: data from the controller.

use super::TemplateOptions;
use super::args::Args;
use super::compile::short;
use super::convert::{to_data, to_text, wrong};
use super::filters::patterns::pattern;
use super::functions::find;
use super::records;
use super::session::{Root, Session};
use super::undefined::{Missing, Trouble, defined};
use crate::base::{Map, python_regex, wildcard};
use crate::language::managed::Managed;
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One call: what was asked for, and with which options.
struct Ask<'a> {
    session: Arc<Session>,
    name: String,
    terms: Vec<Value>,
    args: &'a Args,
}

/// `lookup`: one value as it is, several texts joined by commas.
pub(super) fn lookup(state: &mut State, args: &Args) -> Result<Value, Error> {
    let asked = ask(state, args)?;
    let wants_list = option(args, "wantlist").is_some_and(|value| value.is_true());
    let mut found = match run(&asked) {
        Err(error) if keeps_going(args) && !matches!(Trouble::of(&error), Some(Trouble::Wait)) => {
            return Ok(if wants_list { Value::from(Vec::<Value>::new()) } else { Value::from(()) });
        }
        other => other?,
    };
    if wants_list {
        return Ok(Value::from(found));
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 if asked.name == "first_found" => Ok(Value::from(Vec::<Value>::new())),
        _ if found.iter().all(|value| value.as_str().is_some()) => {
            Ok(Value::from(found.iter().map(to_text).collect::<Result<Vec<_>, _>>()?.join(",")))
        }
        _ => Ok(Value::from(found)),
    }
}

/// `query`: always a list.
pub(super) fn query(state: &mut State, args: &Args) -> Result<Value, Error> {
    match run(&ask(state, args)?) {
        Err(error) if keeps_going(args) && !matches!(Trouble::of(&error), Some(Trouble::Wait)) => {
            Ok(Value::from(Vec::<Value>::new()))
        }
        other => other.map(Value::from),
    }
}

fn option(args: &Args, name: &str) -> Option<Value> {
    args.named(name).cloned()
}

fn keeps_going(args: &Args) -> bool {
    option(args, "errors").is_some_and(|value| matches!(value.as_str(), Some("ignore" | "warn")))
}

fn ask<'a>(state: &mut State, args: &'a Args) -> Result<Ask<'a>, Error> {
    let session = Session::of(state).ok_or_else(|| wrong("`lookup` works only in a template"))?;
    // Each lookup knows its own options, and looks at them only when it needs them.
    args.take_named();
    let mut terms = args.values.iter();
    let name = terms.next().and_then(Value::as_str).ok_or_else(|| wrong("`lookup` needs the name of a lookup"))?;
    Ok(Ask { session, name: short(name).to_owned(), terms: terms.cloned().collect(), args })
}

const NAMES: [&str; 25] = [
    "env",
    "file",
    "template",
    "vars",
    "varnames",
    "pipe",
    "lines",
    "password",
    "first_found",
    "fileglob",
    "items",
    "list",
    "dict",
    "nested",
    "together",
    "sequence",
    "indexed_items",
    "subelements",
    "flattened",
    "random_choice",
    "unvault",
    "ini",
    "csvfile",
    "url",
    "inventory_hostnames",
];

fn run(ask: &Ask) -> Result<Vec<Value>, Error> {
    match ask.name.as_str() {
        "env" => texts(ask)?.iter().map(|name| Ok(env(ask, name))).collect(),
        "file" | "unvault" => texts(ask)?.iter().map(|name| file(ask, name)).collect(),
        "template" => texts(ask)?.iter().map(|name| template(ask, name)).collect(),
        "vars" => texts(ask)?.iter().map(|name| variable(ask, name)).collect(),
        "varnames" => varnames(ask),
        "pipe" => texts(ask)?.iter().map(|line| pipe(ask, line).map(|text| Value::from(text.trim_end()))).collect(),
        "lines" => {
            let mut lines = Vec::new();
            for line in texts(ask)? {
                lines.extend(pipe(ask, &line)?.lines().map(Value::from));
            }
            Ok(lines)
        }
        "password" => texts(ask)?.iter().map(|term| super::passwords::password(ask.args, term)).collect(),
        "first_found" => first_found(ask),
        "fileglob" => fileglob(ask),
        "items" => flat(&ask.terms, 1),
        "flattened" => flat(&ask.terms, usize::MAX),
        "list" => Ok(ask.terms.clone()),
        "dict" => {
            let mut out = Vec::new();
            for term in &ask.terms {
                if term.kind() != ValueKind::Map {
                    return Err(wrong("`lookup('dict')` needs a table"));
                }
                for key in term.try_iter()?.checked() {
                    let key = key?;
                    let value = super::undefined::valid(term.get_item(&key)?)?;
                    out.push(Value::from_pairs([("key", key), ("value", value)]));
                }
            }
            Ok(out)
        }
        "nested" => nested(&ask.terms),
        "together" => {
            let lists = ask.terms.iter().map(list).collect::<Result<Vec<_>, _>>()?;
            let length = lists.iter().map(Vec::len).max().unwrap_or(0);
            let row = |at: usize| lists.iter().map(|list| list.get(at).cloned().unwrap_or(Value::from(()))).collect();
            Ok((0..length).map(row).collect())
        }
        "sequence" => sequence(ask),
        "indexed_items" => {
            let items = flat(&ask.terms, 1)?;
            Ok(items.into_iter().enumerate().map(|(at, item)| Value::from(vec![Value::from(at), item])).collect())
        }
        "subelements" => subelements(ask),
        "random_choice" => {
            let items = flat(&ask.terms, 1)?;
            let pick = getrandom::u64().map_err(|error| wrong(error.to_string()))? % (items.len().max(1) as u64);
            let pick = usize::try_from(pick).unwrap_or(0);
            Ok(items.into_iter().nth(pick).into_iter().collect())
        }
        "ini" => ini(ask),
        "csvfile" => csvfile(ask),
        "url" => url(ask),
        "inventory_hostnames" => {
            let hosts = ask.session.vars.select(&texts(ask)?.join(":"));
            Ok(hosts.into_iter().map(Value::from).collect())
        }
        other => {
            let near = crate::base::diagnostic::did_you_mean(other, NAMES);
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Err(wrong(format!("there is no lookup `{other}`{near}")))
        }
    }
}

/// The terms as texts; a list counts as its items.
fn texts(ask: &Ask) -> Result<Vec<String>, Error> {
    flat(&ask.terms, 1)?.iter().map(to_text).collect()
}

fn list(value: &Value) -> Result<Vec<Value>, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.checked().map(|item| defined(item?)).collect(),
        _ => Ok(vec![value.clone()]),
    }
}

fn flat(values: &[Value], levels: usize) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    for value in values {
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable if levels > 0 => out.extend(flat(&list(value)?, levels - 1)?),
            _ => out.push(value.clone()),
        }
    }
    Ok(out)
}

fn env(ask: &Ask, name: &str) -> Value {
    let default = option(ask.args, "default").unwrap_or_else(|| Value::from(""));
    std::env::var(name).map_or(default, Value::from)
}

fn searched(ask: &Ask, kind: &str, name: &str) -> Result<PathBuf, Error> {
    let folders = ask.session.vars.folders();
    let name = super::filters::paths::expand_user(name);
    find(&folders, kind, &name).ok_or_else(|| {
        let places: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        wrong(format!("`lookup('{}')`: no file `{name}` in {}", ask.name, places.join(", ")))
    })
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| wrong(format!("{}: {error}", path.display())))
}

fn file(ask: &Ask, name: &str) -> Result<Value, Error> {
    let text = read(&searched(ask, "files", name)?)?;
    let strips = |name: &str, default: bool| option(ask.args, name).map_or(default, |value| value.is_true());
    let text = if strips("rstrip", true) { text.trim_end() } else { &text };
    Ok(Value::from(if strips("lstrip", false) { text.trim_start() } else { text }))
}

/// An option of a lookup, or what an older playbook wrote into the term.
fn written(ask: &Ask, inside: &BTreeMap<String, String>, name: &str) -> Result<Option<String>, Error> {
    match inside.get(name) {
        Some(text) => Ok(Some(text.clone())),
        None => option(ask.args, name).as_ref().map(to_text).transpose(),
    }
}

fn ini(ask: &Ask) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    for term in texts(ask)? {
        let (key, inside) = records::term(&term, &["file", "section", "type", "re", "default", "case_sensitive"]);
        let given = |name: &str| written(ask, &inside, name);
        let is = |name: &str| Ok::<_, Error>(given(name)?.is_some_and(|text| text.eq_ignore_ascii_case("true")));
        let file = given("file")?.unwrap_or_else(|| "ansible.ini".into());
        let section = given("section")?.unwrap_or_else(|| "global".into());
        let section =
            Some(section.as_str()).filter(|_| !given("type").is_ok_and(|kind| kind.as_deref() == Some("properties")));
        let text = read(&searched(ask, "files", &file)?)?;
        let entries = records::section(&text, section, is("case_sensitive")?)
            .ok_or_else(|| wrong(format!("`lookup('ini')`: no section `{}` in {file}", section.unwrap_or_default())))?;
        if is("re")? {
            let regex = pattern(&format!("^(?:{key})"), false, false)?;
            let matching = entries.iter().filter(|(name, _)| regex.is_match(name).unwrap_or(false));
            out.extend(matching.map(|(_, value)| Value::from(value.as_str())));
            continue;
        }
        let name = if is("case_sensitive")? { key } else { key.to_lowercase() };
        let found = entries.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        out.push(Value::from(found.or(given("default")?).unwrap_or_default()));
    }
    Ok(out)
}

fn csvfile(ask: &Ask) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    for term in texts(ask)? {
        let (key, inside) = records::term(&term, &["file", "col", "keycol", "delimiter", "default", "encoding"]);
        let given = |name: &str| written(ask, &inside, name);
        let column = |name: &str, or: usize| match given(name)? {
            None => Ok(or),
            Some(text) => text.parse().map_err(|_| wrong(format!("`{name}` needs a number, this is `{text}`"))),
        };
        let file = given("file")?.unwrap_or_else(|| "ansible.csv".into());
        let delimiter = records::delimiter(&given("delimiter")?.unwrap_or_else(|| "TAB".into()))?;
        let (column, key_column) = (column("col", 1)?, column("keycol", 0)?);
        let rows = records::rows(&read(&searched(ask, "files", &file)?)?, delimiter);
        let row = rows.into_iter().find(|row| row.get(key_column) == Some(&key));
        let found = match row {
            Some(row) => Some(row.get(column).cloned().ok_or_else(|| {
                wrong(format!("`lookup('csvfile')`: the row of `{key}` in {file} has no column {column}"))
            })?),
            None => given("default")?,
        };
        out.extend(found.map(Value::from));
    }
    Ok(out)
}

/// The lines behind each URL; with `split_lines=false` each as one text.
fn url(ask: &Ask) -> Result<Vec<Value>, Error> {
    let mut options = Map::new();
    for (name, value) in ask.args.take_named() {
        if !matches!(name.as_str(), "split_lines" | "wantlist" | "errors") {
            options.insert(name.clone(), to_data(value)?);
        }
    }
    let whole = option(ask.args, "split_lines").is_some_and(|value| !value.is_true());
    let mut out = Vec::new();
    for term in texts(ask)? {
        let text = ask.session.vars.fetch(&term, &options).map_err(|failure| wrong(failure.to_string()))?;
        if whole {
            out.push(Value::from(text));
        } else {
            out.extend(text.lines().map(Value::from));
        }
    }
    Ok(out)
}

/// A file as a template, which sees what the step sees, itself, and `template_vars`.
fn template(ask: &Ask, name: &str) -> Result<Value, Error> {
    let path = searched(ask, "templates", name)?;
    let text = read(&path)?;
    let vars = ask.session.vars.clone();
    let own = vars.of_template(&path, name);
    let session = ask.session.with(Arc::new(Managed { vars, own }));
    let root = match option(ask.args, "template_vars") {
        Some(extra) => Value::from_object(super::session::Included(extra, session.clone())),
        None => Value::from_object(Root(session.clone())),
    };
    let mut options = TemplateOptions::default();
    if let Some(trims) = option(ask.args, "trim_blocks") {
        options.trim_blocks = trims.is_true();
    }
    for (name, mark) in [
        ("variable_start_string", &mut options.variable_start),
        ("variable_end_string", &mut options.variable_end),
        ("comment_start_string", &mut options.comment_start),
        ("comment_end_string", &mut options.comment_end),
    ] {
        if let Some(given) = option(ask.args, name) {
            *mark = to_text(&given)?;
        }
    }
    session.whole_file(&path, &text, &options, root).map(|(value, _)| value).map_err(Error::from)
}

fn variable(ask: &Ask, name: &str) -> Result<Value, Error> {
    let found = ask.session.variable(name).map_err(Error::from)?;
    let default = option(ask.args, "default");
    found.or(default).ok_or_else(|| {
        let mut missing = ask.session.missing(name);
        missing.message.get_or_insert_with(|| format!("no variable `{name}` was found"));
        Trouble::Missing(Arc::new(missing)).into()
    })
}

fn varnames(ask: &Ask) -> Result<Vec<Value>, Error> {
    let names = ask.session.vars.names();
    let mut out = Vec::new();
    for term in texts(ask)? {
        let regex = pattern(&term, false, false)?;
        out.extend(
            names.iter().filter(|name| regex.is_match(name).unwrap_or(false)).map(|name| Value::from(name.as_str())),
        );
    }
    Ok(out)
}

/// A command's output on the controller, run in the playbook's folder.
fn pipe(ask: &Ask, line: &str) -> Result<String, Error> {
    let mut command = std::process::Command::new("/bin/sh");
    command.arg("-c").arg(line).stdin(std::process::Stdio::null());
    if let Some(folder) = ask.session.vars.folders().last().filter(|folder| folder.is_dir()) {
        command.current_dir(folder);
    }
    let output = command.output().map_err(|error| wrong(format!("`lookup('{}')`: {error}", ask.name)))?;
    if !output.status.success() {
        let code = output.status.code().map_or_else(|| "a signal".into(), |code| code.to_string());
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(wrong(format!("`lookup('{}')`: the command ended with {code}: {said}", ask.name)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn first_found(ask: &Ask) -> Result<Vec<Value>, Error> {
    let mut names = Vec::new();
    let mut skip = option(ask.args, "skip").is_some_and(|value| value.is_true());
    let mut push = |files: &[Value], paths: &[Value]| -> Result<(), Error> {
        for file in files {
            let file = to_text(file)?;
            if paths.is_empty() {
                names.push(file);
                continue;
            }
            for path in paths {
                names.push(format!("{}/{file}", to_text(path)?.trim_end_matches('/')));
            }
        }
        Ok(())
    };
    let paths = option(ask.args, "paths").map(|paths| list(&paths)).transpose()?.unwrap_or_default();
    if let Some(files) = option(ask.args, "files") {
        push(&list(&files)?, &paths)?;
    }
    for term in flat(&ask.terms, 1)? {
        if term.kind() == ValueKind::Map {
            let part = |name: &str| term.get_item(&Value::from(name)).ok().filter(|value| !value.is_undefined());
            let files = part("files").map(|files| list(&files)).transpose()?.unwrap_or_default();
            let paths = part("paths").map(|paths| list(&paths)).transpose()?.unwrap_or_default();
            skip |= part("skip").is_some_and(|value| value.is_true());
            push(&files, &paths)?;
        } else {
            push(&[term], &paths)?;
        }
    }
    let folders = ask.session.vars.folders();
    for name in &names {
        let name = super::filters::paths::expand_user(name);
        let found = ["files", "templates", "vars", "tasks"].iter().find_map(|kind| find(&folders, kind, &name));
        if let Some(path) = found {
            return Ok(vec![Value::from(path.display().to_string())]);
        }
    }
    if skip {
        return Ok(Vec::new());
    }
    Err(wrong(format!("`first_found` found none of {}", names.join(", "))))
}

fn fileglob(ask: &Ask) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    for term in texts(ask)? {
        let found = files_like(&ask.session.vars.folders(), &term).map_err(|failure| wrong(failure.message))?;
        out.extend(found.into_iter().map(Value::from));
    }
    Ok(out)
}

/// The files whose path fits a wildcard in its last part, sorted: those in the first of the base folders (or its `files/`) that
/// has any. A hidden file must be named as such.
pub fn files_like(bases: &[PathBuf], wildcard: &str) -> crate::base::failure::Result<Vec<String>> {
    let whole = Path::new(wildcard);
    let folder = whole.parent().unwrap_or(Path::new(""));
    let name = whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let regex = wildcard::compile(&name)?;
    let fits = |other: &str| {
        (name.starts_with('.') || !other.starts_with('.')) && python_regex::is_match(&regex, other).unwrap_or(false)
    };
    let folders: Vec<PathBuf> = if whole.is_absolute() {
        vec![folder.to_owned()]
    } else {
        bases.iter().flat_map(|base| [base.join("files").join(folder), base.join(folder)]).collect()
    };
    for folder in folders {
        let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut found: Vec<String> = files
            .filter(|entry| entry.path().is_file() && fits(entry.file_name().to_string_lossy().as_ref()))
            .map(|entry| entry.path().display().to_string())
            .collect();
        if !found.is_empty() {
            found.sort();
            return Ok(found);
        }
    }
    Ok(vec![])
}

fn nested(terms: &[Value]) -> Result<Vec<Value>, Error> {
    let mut rows: Vec<Vec<Value>> = vec![vec![]];
    for term in terms {
        let items = list(term)?;
        if rows.len().saturating_mul(items.len()) > 1_000_000 {
            return Err(wrong("`nested` of more than a million rows"));
        }
        rows = rows
            .into_iter()
            .flat_map(|row| items.iter().map(move |item| row.iter().cloned().chain([item.clone()]).collect()))
            .collect();
    }
    Ok(rows.into_iter().map(Value::from).collect())
}

/// `start=1 end=9 stride=2 format=host%02d`, or the short form `1-9/2:host%02d`, or options by name.
fn sequence(ask: &Ask) -> Result<Vec<Value>, Error> {
    let text = texts(ask)?.join(" ");
    let mut given: Vec<(String, String)> = Vec::new();
    for word in text.split_whitespace() {
        if let Some((key, value)) = word.split_once('=') {
            given.push((key.to_owned(), value.to_owned()));
            continue;
        }
        let (range, format) = word.split_once(':').map_or((word, None), |(range, format)| (range, Some(format)));
        let (range, stride) = range.split_once('/').map_or((range, None), |(range, stride)| (range, Some(stride)));
        let (start, end) = match range.get(1..).and_then(|rest| rest.find('-')) {
            Some(at) => (Some(&range[..=at]), &range[at + 2..]),
            None => (None, range),
        };
        given.extend(start.map(|start| ("start".to_owned(), start.to_owned())));
        given.push(("end".to_owned(), end.to_owned()));
        given.extend(stride.map(|stride| ("stride".to_owned(), stride.to_owned())));
        given.extend(format.map(|format| ("format".to_owned(), format.to_owned())));
    }
    for (name, value) in ask.args.take_named() {
        given.push((name.clone(), to_text(value)?));
    }
    let number = |name: &str| -> Result<Option<i64>, Error> {
        let Some((_, text)) = given.iter().find(|(key, _)| key == name) else { return Ok(None) };
        let (text, base) = match text.strip_prefix("0x") {
            Some(text) => (text, 16),
            None => (text.as_str(), 10),
        };
        i64::from_str_radix(text, base)
            .map(Some)
            .map_err(|_| wrong(format!("`sequence` needs a whole number as `{name}`, not `{text}`")))
    };
    let start = number("start")?.unwrap_or(1);
    let count = number("count")?;
    let end = match (number("end")?, count) {
        (Some(end), None) => end,
        (None, Some(0)) => return Ok(Vec::new()),
        (None, Some(count)) => start + (count - 1) * number("stride")?.unwrap_or(1),
        _ => return Err(wrong("`sequence` needs either `end` or `count`")),
    };
    let stride = number("stride")?.unwrap_or(if end < start { -1 } else { 1 });
    if stride == 0 || (end - start).signum() * stride.signum() < 0 {
        return Err(wrong("`sequence` cannot come from its start to its end by this stride"));
    }
    if (end - start) / stride > 1_000_000 {
        return Err(wrong("`sequence` of more than a million numbers"));
    }
    let format = given.iter().find(|(key, _)| key == "format").map_or("%d", |(_, format)| format.as_str());
    (0..=(end - start) / stride)
        .map(|at| super::filters::printf::percent(format, &[Value::from(start + at * stride)]).map(Value::from))
        .collect()
}

fn subelements(ask: &Ask) -> Result<Vec<Value>, Error> {
    let [items, path, rest @ ..] = ask.terms.as_slice() else {
        return Err(wrong("`subelements` needs a list and the name of a list in its items"));
    };
    let path = to_text(path)?;
    let skip = rest
        .first()
        .is_some_and(|options| options.get_item(&Value::from("skip_missing")).is_ok_and(|value| value.is_true()));
    let items = match items.kind() {
        ValueKind::Map => items.try_iter()?.map(|key| items.get_item(&key)).collect::<Result<Vec<_>, _>>()?,
        _ => list(items)?,
    };
    let mut out = Vec::new();
    for item in items {
        let mut inner = item.clone();
        for key in path.split('.') {
            inner = inner.get_item(&Value::from(key)).unwrap_or_default();
        }
        if inner.is_undefined() {
            if skip {
                continue;
            }
            return Err(Trouble::Missing(Arc::new(Missing::because(format!("an item has no `{path}`")))).into());
        }
        let rest = without(&item, &path)?;
        out.extend(list(&inner)?.into_iter().map(|part| Value::from(vec![rest.clone(), part])));
    }
    Ok(out)
}

/// A table without the list that its rows are made of.
fn without(item: &Value, path: &str) -> Result<Value, Error> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let mut pairs = Vec::new();
    for key in item.try_iter()?.checked() {
        let key = key?;
        let value = super::undefined::valid(item.get_item(&key)?)?;
        match rest {
            _ if key.as_str() != Some(first) => pairs.push((key, value)),
            Some(rest) => pairs.push((key, without(&value, rest)?)),
            None => {}
        }
    }
    Ok(Value::from_pairs(pairs))
}
