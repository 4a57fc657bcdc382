//! The files of keys: read with care, made once, private from their first byte on.

use crate::base::{Failure, Secret, failure::Result};
use crate::chain::AccountKey;
use crate::chain::keystore::{self, Kdf};
use crate::cli::answer;
use crate::system::{Staged, System, Traits};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Far more than any key file has.
const MOST_BYTES: u64 = 1 << 20;

/// This machine.
pub fn here() -> System {
    System::new("/")
}

/// The path from the root on, as [`System`] takes it. A key that was typed instead of a file's name is not repeated.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    let name = path.as_os_str().as_encoded_bytes();
    let digits = name.strip_prefix(b"0x").unwrap_or(name);
    if digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit) && !path.exists() {
        return Err(Failure::new(
            "this looks like a private key, not like a file: on the command line everybody can see it",
        )
        .help(
            "write the key into a file that only you can read, and name the file; if the key is in use, make a new one",
        ));
    }
    std::path::absolute(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

/// Reads a file that holds a secret, or a pipe (`/dev/stdin`); says so if others can read it, too.
pub fn read(path: &Path) -> Result<Zeroizing<String>> {
    let name = path.display();
    let file = here().open(&absolute(path)?).map_err(|failure| Failure::new(failure.message))?;
    if let Ok(meta) = file.metadata()
        && meta.is_file()
        && meta.permissions().mode() & 0o077 != 0
    {
        answer::warn(&format!("others than its owner can use {name}; `chmod go= {name}` keeps it private"));
    }
    text(file, path)
}

fn text(file: File, path: &Path) -> Result<Zeroizing<String>> {
    let name = path.display();
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(format!("{name}: cannot read: {error}")))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Failure::new(format!("{name}: this is not a key file: it is far too large")));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Failure::new(format!("{name}: this is not a key file: it is no text"))),
    }
}

/// Fails if something is there: asked early, before anybody types a password for nothing.
pub fn must_be_new(path: &Path) -> Result<()> {
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(Failure::new(format!("{} names a folder; name the file in it", path.display())));
    }
    match here().meta(&absolute(path)?)? {
        Some(_) => Err(Failure::new(format!("{}: it exists already, and a key is never overwritten", path.display()))
            .help("choose another name, or move the old file away")),
        None => Ok(()),
    }
}

/// Makes a file that only its owner can read, and the folders above it that are missing (0700).
pub fn make(path: &Path, bytes: &[u8]) -> Result<()> {
    let path = with_folders(path)?;
    here().writer().write_new(&path, bytes, Traits::mode(0o600))
}

/// The absolute path, when the folders above it are there (0700 if they were missing).
pub fn with_folders(path: &Path) -> Result<PathBuf> {
    let path = absolute(path)?;
    if let Some(folder) = path.parent() {
        here().writer().folders(folder, Traits::mode(0o700))?;
    }
    Ok(path)
}

/// Writes an account's file beside its place, proven to open with the password. The caller puts it there.
pub fn seal(path: &Path, key: &AccountKey, password: &Secret, kdf: Kdf, mode: u32) -> Result<Staged> {
    let broken = || Failure::new(format!("{}: what was written does not open; it is removed again", path.display()));
    // The proof takes a second: it comes before the file, so that who loses patience leaves nothing behind.
    let text = keystore::encrypt(key, password, kdf)?;
    if keystore::decrypt(&text, password)?.address() != key.address() {
        return Err(broken());
    }
    let staged = here().writer().stage(path, &mut text.as_bytes(), None, Traits::mode(mode))?;
    if here().read(staged.path())? != text.as_bytes() {
        return Err(broken());
    }
    Ok(staged)
}

/// Fails if something else than a folder is there: asked early, before anybody types a password for nothing.
pub fn must_be_folder(path: &Path) -> Result<()> {
    match here().meta_followed(&absolute(path)?)? {
        Some(meta) if !meta.is_folder() => Err(Failure::new(format!("{} is a file, not a folder", path.display()))
            .help("a keystore is a folder; name the one in which the account's file is to be")),
        _ => Ok(()),
    }
}
