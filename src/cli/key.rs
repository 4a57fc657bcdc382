//! `chainwright key`: keys of nodes and accounts on this machine.

mod change_password;
mod content;
mod files;
mod import;
mod inspect;
mod list;
mod new;
pub mod password;

pub use content::{Content, node_key};

use super::answer;
use crate::chain::keystore::{Kdf, LIGHT, PBKDF2, STANDARD};
use clap::{Args, Subcommand, ValueEnum};
use std::process::ExitCode;

/// Make and look after keys of nodes and accounts.
///
/// A node key is what geth keeps in DATADIR/geth/nodekey: 64 hexadecimal digits. An account is a file of a keystore folder, in
/// geth's own format and with geth's names. Private keys are never printed, and no file is ever overwritten; passwords come from a
/// file, a descriptor or the terminal.
#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key
    New(new::NewArgs),
    /// Show what a key file holds, without its secret
    Inspect(inspect::InspectArgs),
    /// Take a key from a file into a node's key file or a keystore
    Import(import::ImportArgs),
    /// Give an account's file another password
    ChangePassword(change_password::ChangePasswordArgs),
    /// List the accounts of a keystore, and what is wrong with its files
    List(list::ListArgs),
}

/// Runs one of them.
pub fn run(args: &KeyArgs) -> ExitCode {
    match &args.command {
        Command::New(args) => answer::give(new::run(args), args.json()),
        Command::Inspect(args) => answer::give(inspect::run(args), args.json),
        Command::Import(args) => answer::give(import::run(args), args.json()),
        Command::ChangePassword(args) => answer::give(change_password::run(args), args.json),
        Command::List(args) => list::run(args),
    }
}

/// How hard it is to guess the password of a new keystore file.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Cost {
    /// As geth does it: 256 MB of memory and about a second
    Scrypt,
    /// As `geth --lightkdf`: 4 MB; for tests
    Light,
    /// PBKDF2 with 262144 rounds: no memory, for programs that know no scrypt
    Pbkdf2,
}

impl Cost {
    fn kdf(self) -> Kdf {
        match self {
            Self::Scrypt => STANDARD,
            Self::Light => LIGHT,
            Self::Pbkdf2 => PBKDF2,
        }
    }
}
