//! Finding and reading the files that others name.

use crate::base::diagnostic::{Checked, did_you_mean};
use crate::base::{Diagnostic, Source, Span};
use crate::language::node::Node;
use crate::language::yaml;
use std::path::{Path, PathBuf};

/// The path as the user would name it: relative to where the command was typed when possible.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let short = path.strip_prefix(&here).unwrap_or(path);
    if short.as_os_str().is_empty() { ".".to_owned() } else { short.display().to_string() }
}

/// The path from the root, without `.` and `a/..`.
pub fn absolute(path: &Path) -> PathBuf {
    use std::path::Component;
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut clean = PathBuf::new();
    for part in whole.components() {
        // A link's parent is not the folder it stands in; then `..` must stay.
        if part == Component::ParentDir && !clean.is_symlink() {
            clean.pop();
        } else {
            clean.push(part);
        }
    }
    clean
}

/// The folder a file stands in.
pub fn folder(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// Reads and parses a file. `asked` is where it is named.
pub fn read(path: &Path, asked: Option<&Span>) -> Checked<Node> {
    match std::fs::read_to_string(path) {
        Ok(text) => yaml::load(&Source::new(shown(path), text)),
        Err(error) => {
            let message = match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no file {}", shown(path)),
                std::io::ErrorKind::InvalidData => format!("{} is not UTF-8 text", shown(path)),
                _ => format!("cannot read {}: {error}", shown(path)),
            };
            let diagnostic = match asked {
                Some(span) => Diagnostic::new(message, span),
                None => Diagnostic::plain(message),
            };
            Err(vec![match near(path) {
                Some(name) => diagnostic.help(format!("did you mean {}?", shown(&path.with_file_name(name)))),
                None => diagnostic,
            }])
        }
    }
}

/// The neighbour whose name is nearest to that of a missing file.
fn near(path: &Path) -> Option<String> {
    let names: Vec<String> = std::fs::read_dir(path.parent()?)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    let wrong = path.file_name()?.to_str()?;
    did_you_mean(wrong, names.iter().map(String::as_str)).filter(|name| *name != wrong).map(str::to_owned)
}

/// The first of `name` in `folders` that exists; the error names them all.
pub fn find(what: &str, name: &str, span: &Span, folders: &[PathBuf]) -> Result<PathBuf, Diagnostic> {
    let mut tried: Vec<PathBuf> = vec![];
    for folder in folders {
        let path = absolute(&folder.join(name));
        if path.is_file() {
            return Ok(path);
        }
        if !tried.contains(&path) {
            tried.push(path);
        }
    }
    let diagnostic = Diagnostic::new(format!("there is no {what} `{name}`"), span);
    let near = tried.iter().find_map(|path| near(path).map(|name| shown(&path.with_file_name(name))));
    Err(match near {
        Some(near) => diagnostic.help(format!("did you mean {near}?")),
        None => diagnostic.help(format!("looked for {}", listed(&tried))),
    })
}

/// Paths as a sentence's end.
pub fn listed(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| shown(path)).collect::<Vec<_>>().join(", ")
}

/// Where a task file is looked for: beside the file that names it, in the role's `tasks/` and the role, beside the
/// playbook and in its `tasks/`.
pub fn find_tasks(
    name: &str,
    span: &Span,
    folder: &Path,
    role: Option<&Path>,
    playbook: &Path,
) -> Result<PathBuf, Diagnostic> {
    let mut folders = vec![folder.to_owned()];
    if let Some(role) = role {
        folders.extend([role.join("tasks"), role.to_owned()]);
    }
    folders.extend([playbook.join("tasks"), playbook.to_owned()]);
    find("task file", name, span, &folders)
}

/// The `main` file of a role's folder, or the one asked for: with or without ending.
pub fn main_file(folder: &Path, from: Option<&str>) -> Option<PathBuf> {
    let stem = folder.join(from.unwrap_or("main"));
    let ended = [".yml", ".yaml", ".json"].iter().map(|ending| {
        let mut name = stem.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    });
    let plain = std::iter::once(stem.clone());
    let found = if from.is_some() {
        plain.chain(ended).find(|path| path.is_file())
    } else {
        ended.chain(plain).find(|path| path.is_file())
    };
    found.map(|path| absolute(&path))
}
