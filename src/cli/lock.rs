//! `chainwright lock`: what the members of a network have agreed upon, written, held against the inventory, signed.

mod compute;
mod sign;
mod verify;
mod write;

use super::{answer, options};
use crate::base::failure::{Context, Result};
use crate::base::{Diagnostic, Failure};
use crate::chain::lock::Lock;
use clap::{Args, Subcommand};
use std::path::Path;
use std::process::ExitCode;

/// Write the lock of a network, compare, sign and verify it.
///
/// network.lock holds what a network's members have agreed upon: block 0 and its rules, who seals, every node's public key and
/// address, the client's version and sha256. It is worked out from the inventory alone, offline, and the same inventory gives the
/// same bytes to everybody. Where it stands beside the inventory, the playbooks refuse to go on with a network that differs.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  chainwright lock -i inventories/main\n  chainwright lock -i inventories/main --check\n  \
        chainwright lock sign inventories/main/network.lock --keystore UTC--..\n  chainwright lock verify inventories/main/network.lock\n\n\
        Exit codes: 0 as it should be, 1 it differs or is not signed by all, 2 it could not be looked at, 4 a file does not parse, \
        5 a bad command line."
)]
pub struct LockArgs {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    write: write::WriteArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sign a lock with an account's key, into a file of its own
    Sign(sign::SignArgs),
    /// Show who has signed a lock, who has not, and whose signature is wrong
    Verify(verify::VerifyArgs),
    /// Print the JSON schema of network.lock
    #[command(after_help = "Example:\n  chainwright lock schema > network.lock.schema.json")]
    Schema,
}

/// `--check` and `verify` answer with 0 or 1; what could not be looked at is neither.
const TROUBLE: u8 = 2;

/// Runs one of them.
pub fn run(args: &LockArgs) -> ExitCode {
    match &args.command {
        None => write::run(&args.write),
        Some(Command::Sign(args)) => answer::give(sign::run(args), args.json),
        Some(Command::Verify(args)) => verify::run(args).unwrap_or_else(|failure| {
            answer::refuse(&failure);
            ExitCode::from(TROUBLE)
        }),
        Some(Command::Schema) => {
            answer::print(&format!("{:#}\n", Lock::schema()));
            ExitCode::SUCCESS
        }
    }
}

/// Why there is no answer.
enum Trouble {
    Files(Vec<Diagnostic>),
    Failed(Failure),
}

impl Trouble {
    fn tell(&self) -> ExitCode {
        match self {
            Self::Files(mistakes) => options::unreadable(mistakes),
            Self::Failed(failure) => answer::refuse(failure),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A lock's file, and its lock.
fn read(path: &Path) -> Result<(String, Lock)> {
    let text = std::fs::read_to_string(path).context(path.display())?;
    let lock = Lock::parse(&path.display().to_string(), &text)?;
    Ok((text, lock))
}

/// A lock whose file is byte for byte what is written here: `sha256sum` tells what its signatures are of.
fn read_exact(path: &Path) -> Result<Lock> {
    let (text, lock) = read(path)?;
    let right = lock.text();
    if text == right {
        return Ok(lock);
    }
    let same = text.split('\n').zip(right.split('\n')).take_while(|(one, two)| one == two).count();
    let name = path.display();
    Err(Failure::new(format!("{name}: line {} is not as `chainwright lock` writes it", same + 1)).help(
        "signatures are of the file's bytes: its layout was changed by hand or on its way (line ends?); write it anew, or copy it as it is",
    ))
}
