//! `chainwright key import`: a key from a file into a node's key file or a keystore.

use super::content::{Content, files_of};
use super::password::PasswordArgs;
use super::{Cost, files, new};
use crate::base::{Failure, Map, failure::Result};
use crate::chain::{AccountKey, Address, parse_address};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// Take a key from a file into a node's key file or a keystore.
///
/// The source is a private key in hexadecimal (geth's nodekey, Besu's key, what `geth account import` reads) or an account's keystore
/// file. It stays as it is.
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write a node's key file
    #[command(after_help = "Example:\n  chainwright key import node key.priv geth/nodekey")]
    Node {
        /// The file that holds the key
        source: PathBuf,
        /// The new key file; nothing is overwritten
        file: PathBuf,
        #[command(flatten)]
        password: PasswordArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write an account's file into a keystore folder. A keystore file keeps its password
    #[command(after_help = "Example:\n  chainwright key import account key.priv keystore --password-file password")]
    Account {
        /// The file that holds the key
        source: PathBuf,
        /// The keystore folder; made (0700) if it does not exist
        keystore: PathBuf,
        #[command(flatten)]
        password: PasswordArgs,
        /// Fail if the key is not this account's
        #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
        address: Option<Address>,
        /// How hard it is to guess the password
        #[arg(long, value_enum, default_value_t = Cost::Scrypt)]
        kdf: Cost,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl ImportArgs {
    /// Whether the answer is for a machine.
    pub fn json(&self) -> bool {
        match &self.what {
            What::Node { json, .. } | What::Account { json, .. } => *json,
        }
    }
}

/// Writes it.
pub fn run(args: &ImportArgs) -> Result<Map> {
    match &args.what {
        What::Node { source, file, password, .. } => {
            files::must_be_new(file)?;
            let key = Content::read(source)?.open(source, password)?;
            new::write_node(&key.node(), file)
        }
        What::Account { source, keystore, password, address, kdf, .. } => {
            files::must_be_folder(keystore)?;
            let content = Content::read(source)?;
            let fits = |found: Address| check(source, keystore, found, *address);
            let (key, password) = match &content {
                Content::Plain(key, _) => {
                    fits(key.address())?;
                    (key.node().account(), password.choose("Password of the account")?)
                }
                Content::Sealed(sealed) => {
                    if let Some(named) = sealed.address {
                        fits(named)?;
                    }
                    let password = password.ask(&format!("Password of {}", source.display()))?;
                    let key: AccountKey =
                        sealed.open(&password).map_err(|failure| failure.context(source.display()))?;
                    fits(key.address())?;
                    (key, password)
                }
            };
            new::write_account(&key, keystore, &password, *kdf)
        }
    }
}

/// The key is the expected one, and the keystore does not hold it already: geth could not choose between two files.
fn check(source: &Path, keystore: &Path, found: Address, wanted: Option<Address>) -> Result<()> {
    if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
        return Err(Failure::new(format!("{} is the key of {found}, not of {wanted}", source.display())));
    }
    match files_of(keystore, found)?.first() {
        Some(path) => Err(Failure::new(format!("the account {found} is there already: {}", path.display()))
            .help("`chainwright key change-password` gives it another password")),
        None => Ok(()),
    }
}
