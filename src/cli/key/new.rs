//! `chainwright key new`: a node's key, or an account.

use super::password::PasswordArgs;
use super::{Cost, files, inspect};
use crate::base::{Map, Secret, failure::Result};
use crate::chain::keystore;
use crate::chain::{AccountKey, NodeKey};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// Make a key.
#[derive(Debug, Args)]
pub struct NewArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a node's key: a file that geth takes with --nodekey
    #[command(after_help = "Example:\n  chainwright key new node nodekey")]
    Node {
        /// The file; nothing is overwritten
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make an account: a file in a keystore folder, as `geth account new` makes it
    #[command(after_help = "Example:\n  chainwright key new account keystore --password-file password")]
    Account {
        /// The keystore folder; made (0700) if it does not exist
        keystore: PathBuf,
        #[command(flatten)]
        password: PasswordArgs,
        /// How hard it is to guess the password
        #[arg(long, value_enum, default_value_t = Cost::Scrypt)]
        kdf: Cost,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl NewArgs {
    /// Whether the answer is for a machine.
    pub fn json(&self) -> bool {
        match &self.what {
            What::Node { json, .. } | What::Account { json, .. } => *json,
        }
    }
}

/// Makes it.
pub fn run(args: &NewArgs) -> Result<Map> {
    match &args.what {
        What::Node { file, .. } => {
            files::must_be_new(file)?;
            write_node(&NodeKey::generate()?, file)
        }
        What::Account { keystore, password, kdf, .. } => {
            files::must_be_folder(keystore)?;
            let password = password.choose("Password of the new account")?;
            write_account(&AccountKey::generate()?, keystore, &password, *kdf)
        }
    }
}

/// Writes a node's key file, and says what is public of it.
pub fn write_node(key: &NodeKey, file: &Path) -> Result<Map> {
    files::make(file, key.to_hex().as_bytes())?;
    let mut answer = Map::new();
    answer.insert("path".into(), file.display().to_string().into());
    inspect::public(&mut answer, key)?;
    Ok(answer)
}

/// Writes a keystore file that its password is proven to open, and says what is public of it.
pub fn write_account(key: &AccountKey, folder: &Path, password: &Secret, cost: Cost) -> Result<Map> {
    let path = folder.join(keystore::file_name(key.address(), jiff::Timestamp::now()));
    files::seal(&files::with_folders(&path)?, key, password, cost.kdf(), 0o600)?.commit_new()?;
    let mut answer = Map::new();
    answer.insert("address".into(), key.address().to_checksum(None).into());
    answer.insert("path".into(), path.display().to_string().into());
    answer.insert("kdf".into(), cost.kdf().to_string().into());
    Ok(answer)
}
