//! Files of variables: `group_vars/`, `host_vars/`, a role's `vars/main/`.

use std::path::{Path, PathBuf};

/// Endings that files of variables have; none at all is good too.
const ENDINGS: &[&str] = &["yml", "yaml", "json"];

/// All files of variables in a folder and the folders in it, by name. Hidden files and backups are left out.
pub fn variable_files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut files = vec![];
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if path.is_dir() {
            if path.extension().is_none() {
                files.extend(variable_files(&path));
            }
        } else if path.extension().is_none_or(|ending| ENDINGS.iter().any(|known| ending == *known)) {
            files.push(path);
        }
    }
    files
}

/// The files for one group or host: all of a folder `NAME/`, or else the file `NAME`, or else `NAME.yml`, ...: as Ansible,
/// only the first that is there.
pub fn files_of(folder: &Path, name: &str) -> Vec<PathBuf> {
    match first_of(folder, name) {
        Some(path) if path.is_dir() => variable_files(&path),
        Some(path) => vec![path],
        None => vec![],
    }
}

fn first_of(folder: &Path, name: &str) -> Option<PathBuf> {
    let ended = ENDINGS.iter().map(|ending| folder.join(format!("{name}.{ending}")));
    std::iter::once(folder.join(name)).chain(ended).find(|path| path.exists())
}

/// Files in a folder such as `group_vars/` that are not read, since another of the same name goes before them; each with
/// that one.
pub fn shadowed(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut found: Vec<(PathBuf, PathBuf)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)))
        .filter_map(|path| {
            let first = first_of(folder, &path.file_stem()?.to_string_lossy())?;
            (first != path).then_some((path, first))
        })
        .collect();
    found.sort();
    found
}
