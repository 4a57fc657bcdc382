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
            files.extend(variable_files(&path));
        } else if path.extension().is_none_or(|ending| ENDINGS.iter().any(|known| ending == *known)) {
            files.push(path);
        }
    }
    files
}

/// The files for one group or host: `NAME`, `NAME.yml`, ..., or all of a folder `NAME/`.
pub fn files_of(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut files = vec![];
    let plain = folder.join(name);
    if plain.is_dir() {
        files.extend(variable_files(&plain));
    } else if plain.is_file() {
        files.push(plain);
    }
    let ended = ENDINGS.iter().map(|ending| folder.join(format!("{name}.{ending}")));
    files.extend(ended.filter(|path| path.is_file()));
    files
}
