//! `chainwright lock verify`: who has signed a lock, who has not, and whose signature is wrong.

use super::read_exact;
use crate::base::failure::{Context, Result};
use crate::base::{Failure, Map};
use crate::chain::lock::Signature;
use crate::cli::answer;
use clap::Args;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Show who has signed a lock, who has not, and whose signature is wrong.
///
/// All of the lock's signers must have signed, and no signature may be wrong: then the exit code is 0, otherwise 1.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chainwright lock verify inventories/main/network.lock")]
pub struct VerifyArgs {
    /// The lock
    #[arg(value_name = "LOCK")]
    lock: PathBuf,
    /// Signatures. Default: the files LOCK.*.sig
    #[arg(value_name = "SIGNATURE")]
    signatures: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Looks at every signature.
pub fn run(args: &VerifyArgs) -> Result<ExitCode> {
    let lock = read_exact(&args.lock)?;
    if lock.signers.is_empty() {
        return Err(Failure::new(format!("{} names no signers: nobody's signature counts", args.lock.display()))
            .help("a network's lock has the accounts of its sealers: write it anew with `chainwright lock`"));
    }
    let files = if args.signatures.is_empty() { signatures_beside(&args.lock)? } else { args.signatures.clone() };
    let mut signed = Vec::new();
    let mut wrong = Vec::new();
    for file in &files {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).context(&name)?;
        match Signature::parse(&name, &text).and_then(|signature| signature.verify(&lock)) {
            Ok(address) => signed.push(address.to_checksum(None)),
            Err(failure) => wrong.push((name, failure)),
        }
    }
    signed.sort();
    signed.dedup();
    let (signers, others): (Vec<_>, Vec<_>) = signed.into_iter().partition(|address| lock.signers.contains(address));
    let missing: Vec<_> = lock.signers.iter().filter(|signer| !signers.contains(signer)).cloned().collect();
    let right = missing.is_empty() && wrong.is_empty();
    if args.json {
        let wrong: Vec<_> = wrong.iter().map(|(file, failure)| json!({"file": file, "why": failure.message})).collect();
        let answer = json!({"lock": args.lock.display().to_string(), "sha256": lock.digest(), "signed": signers,
            "missing": missing, "others": others, "wrong": wrong});
        answer::print(&answer::pretty(answer.as_object().unwrap_or(&Map::new())));
    } else {
        let whose = |address: &String| {
            let host = lock.hosts.iter().find(|(_, host)| host.account.as_ref() == Some(address));
            host.map_or_else(String::new, |(name, _)| format!("  {name}"))
        };
        let mut text =
            format!("{}: {} of {} signers have signed\n", args.lock.display(), signers.len(), lock.signers.len());
        for address in &signers {
            let _ = writeln!(text, "signed   {address}{}", whose(address));
        }
        for address in &missing {
            let _ = writeln!(text, "missing  {address}{}", whose(address));
        }
        for address in &others {
            let _ = writeln!(text, "signed   {address}  (not one of the signers)");
        }
        for (file, failure) in &wrong {
            let _ = writeln!(text, "wrong    {file}: {failure}");
        }
        answer::print(&text);
    }
    Ok(ExitCode::from(u8::from(!right)))
}

/// The signatures that stand beside a lock, by name.
pub fn signatures_beside(lock: &Path) -> Result<Vec<PathBuf>> {
    let folder = lock.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let begins = format!("{}.", lock.file_name().unwrap_or_default().to_string_lossy());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).context(folder.display())? {
        let name = entry.context(folder.display())?.file_name().to_string_lossy().into_owned();
        if name.starts_with(&begins) && Path::new(&name).extension().is_some_and(|ending| ending == "sig") {
            found.push(folder.join(name));
        }
    }
    found.sort();
    Ok(found)
}
