//! `chainwright lock sign`: an account's signature of a lock.

use super::read_exact;
use crate::base::failure::{Context, Result};
use crate::base::{Failure, Map};
use crate::chain::lock::Signature;
use crate::cli::answer;
use crate::cli::key::{Content, password::PasswordArgs};
use clap::Args;
use std::path::{Path, PathBuf};

/// Sign a lock with an account's key.
///
/// The signature is of a text that names the network and the file's SHA-256, signed as wallets sign a message (EIP-191): who keeps
/// keys elsewhere signs the same text there, and writes address, message and signature into such a file.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  chainwright lock sign network.lock --keystore keystore/UTC--.. --password-file password"
)]
pub struct SignArgs {
    /// The lock
    #[arg(value_name = "LOCK")]
    lock: PathBuf,
    /// The account's keystore file
    #[arg(long, value_name = "FILE", required_unless_present = "key", conflicts_with = "key")]
    keystore: Option<PathBuf>,
    /// A file with the account's private key: 64 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
    /// The signature's file. Default: LOCK.ADDRESS.sig
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Signs, and writes the file.
pub fn run(args: &SignArgs) -> Result<Map> {
    let lock = read_exact(&args.lock)?;
    let file = args.keystore.as_ref().or(args.key.as_ref()).ok_or_else(|| Failure::new("name the account's key"))?;
    let key = Content::read(file)?.open(file, &args.password)?;
    let signature = Signature::new(&lock, &key)?;
    if !lock.signers.contains(&signature.address) {
        answer::warn(&format!("{} is not one of the lock's signers", signature.address));
    }
    let path = args.output.clone().unwrap_or_else(|| beside(&args.lock, &signature.address));
    keep_what_is_none(&path)?;
    std::fs::write(&path, signature.text()).context(path.display())?;
    let mut answer = Map::new();
    answer.insert("path".into(), path.display().to_string().into());
    answer.insert("address".into(), signature.address.into());
    answer.insert("sha256".into(), lock.digest().into());
    Ok(answer)
}

/// Refuses to overwrite anything but a signature: what `-o` names by mistake may be a key.
fn keep_what_is_none(path: &Path) -> Result<()> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Ok(there) if Signature::parse(&name, &there).is_ok() => Ok(()),
        _ => Err(Failure::new(format!("{name} is there, is no signature, and is left as it is"))
            .help("write another file with -o")),
    }
}

fn beside(lock: &Path, address: &str) -> PathBuf {
    let mut path = lock.as_os_str().to_owned();
    path.push(format!(".{address}.sig"));
    path.into()
}
