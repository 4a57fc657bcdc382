//! `chainwright key change-password`: an account's file with another password.

use super::content::WhichKey;
use super::password::{NewPasswordArgs, PasswordArgs};
use super::{Cost, files};
use crate::base::{Map, failure::Result};
use crate::chain::keystore::Keystore;
use clap::Args;

/// Give an account's file another password.
///
/// The new file takes the old one's place at once, and only after the new password has opened it. Whatever fails, the old file
/// stays as it is. Copies of the old file still open with the old password.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  chainwright key change-password --keystore keystore 0x7ef5a6135f1fd6a02593eedc869c6d41d934aef8 \\\n    \
    --password-file old --new-password-file new"
)]
pub struct ChangePasswordArgs {
    #[command(flatten)]
    which: WhichKey,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    new: NewPasswordArgs,
    /// How hard it is to guess the new password
    #[arg(long, value_enum, default_value_t = Cost::Scrypt)]
    kdf: Cost,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Changes it.
pub fn run(args: &ChangePasswordArgs) -> Result<Map> {
    let path = args.which.path()?;
    let name = path.display().to_string();
    let text = files::read(&path)?;
    let keystore = Keystore::parse(&text).map_err(|failure| failure.context(&name))?;
    let old = args.password.ask(&format!("Old password of {name}"))?;
    let key = keystore.open(&old).map_err(|failure| failure.context(&name))?;
    let new = args.new.choose("New password", &args.password)?;

    let system = files::here();
    // The file itself is replaced, not a link that leads to it.
    let target = system.resolve(&files::absolute(&path)?)?;
    let mode = system.meta(&target)?.map_or(0o600, |meta| meta.mode & 0o700);
    files::seal(&target, &key, &new, args.kdf.kdf(), mode)?.commit_durably()?;

    let mut answer = Map::new();
    answer.insert("address".into(), key.address().to_checksum(None).into());
    answer.insert("path".into(), name.into());
    answer.insert("kdf".into(), args.kdf.kdf().to_string().into());
    Ok(answer)
}
