//! What a key file holds: a private key in hexadecimal, or an account's keystore.

use super::files;
use super::password::PasswordArgs;
use crate::base::{Failure, failure::Result};
use crate::chain::keystore::{Keystore, folder};
use crate::chain::{AccountKey, Address, NodeKey, parse_address};
use clap::Args;
use std::path::{Path, PathBuf};

/// A key file, named by its path or by its account.
#[derive(Debug, Args)]
pub struct WhichKey {
    /// The key file; with --keystore an account's address
    #[arg(value_name = "FILE|ADDRESS")]
    key: String,
    /// The keystore folder in which the account is
    #[arg(long, value_name = "DIR")]
    keystore: Option<PathBuf>,
}

impl WhichKey {
    /// The file.
    pub fn path(&self) -> Result<PathBuf> {
        let Some(folder) = &self.keystore else { return Ok(PathBuf::from(&self.key)) };
        let wanted = parse_address(&self.key)?;
        let found = files_of(folder, wanted)?;
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(Failure::new(format!("{} does not hold the account {wanted}", folder.display()))
                .help("`chainwright key list` shows what it holds")),
            several => {
                let names: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
                Err(Failure::new(format!("{} files hold the account {wanted}: {}", several.len(), names.join(", ")))
                    .help("name one of the files instead, and move the others away: geth refuses to choose"))
            }
        }
    }
}

/// The files of a keystore folder that name this account.
pub fn files_of(folder: &Path, wanted: Address) -> Result<Vec<PathBuf>> {
    let entries = folder::entries(&files::here(), &files::absolute(folder)?)?;
    Ok(entries.into_iter().filter(|entry| entry.account == Ok(wanted)).map(|entry| entry.path).collect())
}

/// What a key file holds.
pub enum Content {
    /// A private key that anybody who reads the file has, and whether geth reads it, too.
    Plain(AccountKey, bool),
    /// An account that a password protects.
    Sealed(Box<Keystore>),
}

impl Content {
    /// Reads a file; failures name it and never repeat what is in it.
    pub fn read(path: &Path) -> Result<Self> {
        let text = files::read(path)?;
        let content = if text.trim_start().starts_with('{') {
            Keystore::parse(&text).map(|keystore| Self::Sealed(Box::new(keystore)))
        } else {
            AccountKey::from_hex(&text).map(|key| Self::Plain(key, NodeKey::geth_reads(&text)))
        };
        content.map_err(|failure| failure.context(path.display()))
    }

    /// The key; a sealed one takes its password.
    pub fn open(&self, path: &Path, password: &PasswordArgs) -> Result<AccountKey> {
        match self {
            Self::Plain(key, _) => Ok(key.node().account()),
            Self::Sealed(keystore) => {
                let password = password.ask(&format!("Password of {}", path.display()))?;
                keystore.open(&password).map_err(|failure| failure.context(path.display()))
            }
        }
    }
}

/// Reads a node's key file.
pub fn node_key(path: &Path) -> Result<NodeKey> {
    let text = files::read(path)?;
    NodeKey::from_hex(&text).map_err(|failure| failure.context(path.display()))
}
