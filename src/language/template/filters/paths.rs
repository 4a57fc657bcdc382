//! Filters on the names of files.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::{to_text, wrong};
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("basename", |_, args| Ok(Value::from(split(&args.text()?).1))),
    ("dirname", |_, args| Ok(Value::from(split(&args.text()?).0))),
    ("splitext", splitext),
    ("realpath", realpath),
    ("expanduser", |_, args| Ok(Value::from(expand_user(&args.text()?)))),
    ("expandvars", expandvars),
    ("normpath", |_, args| Ok(Value::from(normal(&args.text()?)))),
    ("relpath", relpath),
    ("path_join", path_join),
    ("commonpath", commonpath),
    ("win_basename", |_, args| Ok(Value::from(args.text()?.rsplit(['\\', '/']).next().unwrap_or_default()))),
    ("win_dirname", |_, args| Ok(Value::from(win_dirname(&args.text()?)))),
    ("win_splitdrive", win_splitdrive),
    ("fileglob", fileglob),
];

/// The folder of a path of Windows.
fn win_dirname(path: &str) -> String {
    let head = path.rfind(['\\', '/']).map_or("", |at| &path[..=at]);
    let folder = head.trim_end_matches(['\\', '/']);
    if folder.is_empty() || folder.ends_with(':') { head } else { folder }.to_owned()
}

/// The drive of a path of Windows, and the rest.
fn win_splitdrive(_: &mut State, args: &Args) -> Result<Value, Error> {
    let path = args.text()?;
    let (drive, rest) = path.split_at(if path.get(1..2) == Some(":") { 2 } else { 0 });
    Ok([drive, rest].into_iter().map(Value::from).collect())
}

/// The files of the controller that fit a wildcard in a path's last part.
fn fileglob(_: &mut State, args: &Args) -> Result<Value, Error> {
    let found = super::super::files_like(&[], &args.text()?).map_err(|failure| wrong(failure.message))?;
    Ok(found.into_iter().map(Value::from).collect())
}

/// Folder and name, as Python splits them: `/a/b/` is `/a/b` and nothing.
fn split(path: &str) -> (String, String) {
    let (head, tail) = path.rfind('/').map_or(("", path), |at| path.split_at(at + 1));
    let folder = head.trim_end_matches('/');
    (if folder.is_empty() { head } else { folder }.to_owned(), tail.to_owned())
}

fn splitext(_: &mut State, args: &Args) -> Result<Value, Error> {
    let path = args.text()?;
    let name_start = path.rfind('/').map_or(0, |at| at + 1);
    let name = &path[name_start..];
    let dots = name.len() - name.trim_start_matches('.').len();
    let (root, extension) = match name[dots..].rfind('.') {
        Some(at) => path.split_at(name_start + dots + at),
        None => (path.as_str(), ""),
    };
    Ok(Value::from(vec![Value::from(root), Value::from(extension)]))
}

/// Without `.`, `..` and double slashes.
pub(in super::super) fn normal(path: &str) -> String {
    let root = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if root => {}
            part => parts.push(part),
        }
    }
    match (root, parts.join("/")) {
        (true, path) => format!("/{path}"),
        (false, path) if path.is_empty() => ".".into(),
        (false, path) => path,
    }
}

fn realpath(_: &mut State, args: &Args) -> Result<Value, Error> {
    let path = expand_user(&args.text()?);
    let absolute = std::path::absolute(&path).map_err(|error| wrong(format!("`realpath` of `{path}`: {error}")))?;
    let real = std::fs::canonicalize(&absolute)
        .map_or_else(|_| normal(&absolute.display().to_string()), |path| path.display().to_string());
    Ok(Value::from(real))
}

/// `~` is the home folder.
pub(in super::super) fn expand_user(path: &str) -> String {
    match (path.strip_prefix('~'), std::env::var("HOME")) {
        (Some(rest), Ok(home)) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
        _ => path.to_owned(),
    }
}

fn expandvars(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let regex = super::patterns::pattern(r"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))", false, false)?;
    let expanded = regex.replace_all(text.as_str(), |found: &fancy_regex::Captures<str>| {
        let name = found.get(1).or_else(|| found.get(2)).map_or("", |name| name.as_str());
        std::env::var(name).unwrap_or_else(|_| found.get(0).map_or("", |all| all.as_str()).to_owned())
    });
    Ok(Value::from(expanded.as_ref()))
}

fn relpath(_: &mut State, args: &Args) -> Result<Value, Error> {
    let absolute = |path: &str| {
        std::path::absolute(path)
            .map(|path| normal(&path.display().to_string()))
            .map_err(|error| wrong(error.to_string()))
    };
    let path = absolute(&args.text()?)?;
    let start = absolute(&args.str(0, "start")?.unwrap_or_else(|| ".".into()))?;
    let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (path, start) = (parts(&path), parts(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), start.len() - common);
    let relative: Vec<String> = up.chain(path[common..].iter().cloned()).collect();
    Ok(Value::from(if relative.is_empty() { ".".into() } else { relative.join("/") }))
}

fn path_join(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    let parts: Vec<String> = match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => args.items()?.iter().map(to_text).collect::<Result<_, _>>()?,
        _ => vec![args.text()?],
    };
    let mut path = String::new();
    for part in parts {
        if part.starts_with('/') {
            path = part;
        } else {
            if !path.is_empty() && !path.ends_with('/') {
                path.push('/');
            }
            path.push_str(&part);
        }
    }
    Ok(Value::from(path))
}

fn commonpath(_: &mut State, args: &Args) -> Result<Value, Error> {
    let paths: Vec<String> = args.items()?.iter().map(to_text).collect::<Result<_, _>>()?;
    let mut common: Option<Vec<&str>> = None;
    for path in &paths {
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        common = Some(match common {
            Some(known) => known.into_iter().zip(parts).take_while(|(a, b)| a == b).map(|(a, _)| a).collect(),
            None => parts,
        });
    }
    let path = common.unwrap_or_default().join("/");
    Ok(Value::from(if path.is_empty() && paths.iter().any(|path| path.starts_with('/')) { "/".into() } else { path }))
}
