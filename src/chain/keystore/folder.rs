//! A keystore folder, as geth's `account list` sees it, and with what geth passes over in silence.

use super::{Address, address};
use crate::base::{Failure, failure::Result};
use crate::system::System;
use std::path::{Path, PathBuf};

/// More bytes than any keystore file has; a larger one is not read.
const MOST_BYTES: u64 = 1 << 20;

/// A file of the folder.
#[derive(Debug)]
pub struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// The account that it names, or why geth passes it over.
    pub account: Result<Address>,
}

/// The files of a keystore folder in the order of their names. Folders, hidden files and editors' backups are no
/// keys. A folder that does not exist is empty.
pub fn entries(system: &System, folder: &Path) -> Result<Vec<Entry>> {
    if !system.is_folder(folder)? {
        return Ok(Vec::new());
    }
    let mut entries = Vec::new();
    for path in system.list(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(meta) = system.meta(&path)? else { continue };
        if name.starts_with('.') || name.ends_with('~') || !meta.is_file() {
            continue;
        }
        let account = if meta.size > MOST_BYTES {
            Err(Failure::new("this is not a keystore file: it is far too large"))
        } else {
            named(system, &path)
        };
        entries.push(Entry { path, account });
    }
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(entries)
}

fn named(system: &System, path: &Path) -> Result<Address> {
    match address(&system.read_text(path)?)? {
        Some(address) => Ok(address),
        None => Err(Failure::new("this keystore file names no address, so geth passes it over")
            .help("`chainwright key import account` writes it anew, with its address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_listed_and_what_geth_passes_over_is_named() {
        let root = tempfile::tempdir().unwrap();
        let system = System::new(root.path());
        assert!(entries(&system, Path::new("/keystore")).unwrap().is_empty());
        let folder = root.path().join("keystore");
        std::fs::create_dir_all(folder.join("folder")).unwrap();
        for (name, text) in [
            ("a", r#"{"version": 3, "address": "7ef5a6135f1fd6a02593eedc869c6d41d934aef8"}"#),
            ("b", r#"{"version": 3}"#),
            ("c", "rubbish"),
            (".hidden", "rubbish"),
            ("backup~", "rubbish"),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let entries = entries(&system, Path::new("/keystore")).unwrap();
        let names: Vec<_> = entries.iter().map(|entry| entry.path.display().to_string()).collect();
        assert_eq!(names, ["/keystore/a", "/keystore/b", "/keystore/c"]);
        assert_eq!(
            entries[0].account.as_ref().unwrap().to_checksum(None),
            "0x7EF5A6135f1FD6a02593eEdC869c6D41D934aef8"
        );
        assert!(entries[1].account.as_ref().unwrap_err().message.contains("no address"));
        assert!(entries[2].account.as_ref().unwrap_err().message.contains("not a keystore file"));
    }
}
