//! `chainwright key list`: the accounts of a keystore folder, as `geth account list` numbers them, and what is wrong.

use super::files;
use crate::base::{Failure, failure::Result};
use crate::chain::Address;
use crate::chain::keystore::{Keystore, folder};
use crate::cli::answer;
use alloy_primitives::hex;
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// List the accounts of a keystore, and what is wrong with its files.
///
/// The lines are those of `geth account list`. Problems are named after them: files that geth passes over in silence or
/// cannot open, accounts that are in two files, files that others can read. No password is needed.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chainwright key list /var/lib/geth/keystore")]
pub struct ListArgs {
    /// The keystore folder
    keystore: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What the folder holds.
struct Listing {
    accounts: Vec<(Address, PathBuf)>,
    problems: Vec<(PathBuf, String)>,
}

/// Prints the accounts; problems are no failure.
pub fn run(args: &ListArgs) -> ExitCode {
    let listing = match read(&args.keystore) {
        Ok(listing) => listing,
        Err(failure) => return answer::refuse(&failure),
    };
    let shown = |path: &Path| path.display().to_string();
    if args.json {
        let accounts: Vec<_> = listing
            .accounts
            .iter()
            .map(|(address, path)| json!({"address": address.to_checksum(None), "path": shown(path)}))
            .collect();
        let problems: Vec<_> =
            listing.problems.iter().map(|(path, why)| json!({"path": shown(path), "problem": why})).collect();
        answer::print(&format!("{:#}\n", json!({"accounts": accounts, "problems": problems})));
        return ExitCode::SUCCESS;
    }
    for (number, (address, path)) in listing.accounts.iter().enumerate() {
        answer::print(&format!("Account #{number}: {{{}}} keystore://{}\n", hex::encode(address), path.display()));
    }
    for (path, why) in &listing.problems {
        answer::warn(&format!("{}: {why}", path.display()));
    }
    ExitCode::SUCCESS
}

fn read(keystore: &Path) -> Result<Listing> {
    let system = files::here();
    let folder = files::absolute(keystore)?;
    files::must_be_folder(keystore)?;
    if !system.exists(&folder)? {
        return Err(Failure::new(format!("there is no folder {}", keystore.display())));
    }
    let mut listing = Listing { accounts: Vec::new(), problems: Vec::new() };
    let mut holders: BTreeMap<Address, Vec<PathBuf>> = BTreeMap::new();
    for folder::Entry { path, account } in folder::entries(&system, &folder)? {
        match account {
            Ok(address) => {
                holders.entry(address).or_default().push(path.clone());
                if let Err(failure) = system.read_text(&path).and_then(|text| Keystore::parse(&text)) {
                    listing.problems.push((path.clone(), failure.message));
                }
                listing.accounts.push((address, path.clone()));
            }
            Err(failure) => listing.problems.push((path.clone(), failure.message)),
        }
        if std::fs::metadata(&path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0) {
            listing.problems.push((path, "others than its owner can read this file".into()));
        }
    }
    for (address, paths) in holders.into_iter().filter(|(_, paths)| paths.len() > 1) {
        let address = address.to_checksum(None);
        let several = format!("the account {address} is in {} files; geth does not choose", paths.len());
        listing.problems.extend(paths.into_iter().map(|path| (path, several.clone())));
    }
    Ok(listing)
}
