//! Folders that `copy` copies: what is in them, and where it goes.

use super::super::Result;
use crate::base::Failure;
use crate::system::{Kind, Meta, System};
use std::path::{Path, PathBuf};

/// A folder without `/` at its end goes into `dest` under its own name.
pub(super) fn tree_dest(src: &str, dest: &Path) -> PathBuf {
    match Path::new(src).file_name() {
        Some(name) if !src.ends_with('/') => dest.join(name),
        _ => dest.to_owned(),
    }
}

/// Relative path, what it is, where it is, and the target of a link that is to stay one.
pub(super) type Walked = Vec<(String, Meta, PathBuf, Option<PathBuf>)>;

/// Everything below a folder; with `follow` links count as what they point to. Sockets, pipes and devices are left out.
pub(super) fn walk(system: &System, folder: &Path, follow: bool) -> Result<Walked> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        for path in system.list(&folder)? {
            let name = path.file_name().unwrap_or_default().to_str().map(|name| format!("{prefix}{name}"));
            let Some(name) = name else {
                return Err(Failure::new(format!("{}: its name is not UTF-8", path.display())));
            };
            let Some(mut meta) = system.meta(&path)? else { continue };
            if meta.is_link() {
                if !follow {
                    let target = system.read_link(&path)?;
                    found.push((name, meta, path, Some(target)));
                    continue;
                }
                meta = system.meta_followed(&path)?.ok_or_else(|| {
                    Failure::new(format!("{}: this link leads nowhere", path.display()))
                        .help("remove it, or write `local_follow: false` to copy links as links")
                })?;
                if meta.is_folder() && folder.starts_with(system.resolve(&path)?) {
                    return Err(Failure::new(format!("{}: this link leads to a folder that it is in", path.display())));
                }
            }
            match meta.kind {
                Kind::Folder => open.push((path.clone(), format!("{name}/"))),
                Kind::File => {}
                _ => continue,
            }
            found.push((name, meta, path, None));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}
