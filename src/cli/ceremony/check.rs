//! `chainwright ceremony check`: statements that came as files, against the genesis and the accounts that signed. Nobody is asked.

use super::{load, read};
use crate::base::failure::Result;
use crate::base::{Failure, Map};
use crate::chain::ceremony::{Memory, Party, Sheet, Statement, Template};
use crate::chain::enode::parse_public_key;
use crate::chain::{Address, Enode, parse_address};
use clap::Args;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The sheet, as JSON or YAML
    #[arg(long, value_name = "FILE", env = "CEREMONY_SHEET")]
    sheet: PathBuf,
    /// The genesis
    #[arg(long, value_name = "FILE", env = "CEREMONY_GENESIS")]
    genesis: PathBuf,
    /// What an earlier `ceremony resolve` has seen, validated
    #[arg(long, value_name = "FILE", env = "CEREMONY_MEMORY", required_unless_present = "account")]
    memory: Option<PathBuf>,
    /// Whose account it is: NAME=ADDRESS, or NAME= and the 128 digits of the node's key
    #[arg(long, value_name = "NAME=ADDRESS")]
    account: Vec<String>,
    /// The genesis template: the genesis must be what becomes of it with what was seen
    #[arg(long, value_name = "FILE", requires = "memory")]
    template: Option<PathBuf>,
    /// Refuse if somebody who took part has no statement among these
    #[arg(long)]
    all: bool,
    /// The statements: JSON, as `ceremony resolve --statement` writes it
    #[arg(value_name = "STATEMENT", required = true)]
    statements: Vec<PathBuf>,
}

pub fn check(args: &CheckArgs) -> Result<Map> {
    let sheet = load(&args.sheet)?;
    let genesis = read(&args.genesis)?;
    let sha256 = alloy_primitives::hex::encode(Sha256::digest(&genesis));
    let parties = match &args.memory {
        Some(path) => remembered(path, &sheet)?,
        None => Vec::new(),
    };
    if let Some(path) = &args.template {
        made_of(path, &sheet, &parties, &genesis).map_err(|failure| failure.context(args.genesis.display()))?;
    }
    let mut accounts: BTreeMap<String, Address> =
        parties.into_iter().map(|party| (party.fqdn, party.account)).collect();
    for text in &args.account {
        let (fqdn, account) = account(text, &sheet)?;
        accounts.insert(fqdn, account);
    }
    let (mut good, mut wrong, mut helps) = (BTreeMap::new(), Vec::new(), Vec::new());
    for path in &args.statements {
        match one(path, &sheet, &accounts, &sha256) {
            Ok((fqdn, line)) => {
                good.insert(fqdn, line);
            }
            Err(failure) => {
                wrong.push(format!("{}: {}", path.display(), failure.message));
                helps.extend(failure.help);
            }
        }
    }
    let without: Vec<&str> = sheet
        .organisations
        .iter()
        .filter(|party| !good.contains_key(&party.fqdn))
        .map(|party| party.name.as_str())
        .collect();
    if wrong.is_empty() && args.all && !without.is_empty() {
        wrong.push(format!("there is no statement of {}", without.join(", ")));
    }
    if !wrong.is_empty() {
        helps.dedup();
        let failure = Failure::new(wrong.join("; "));
        return Err(if helps.is_empty() { failure } else { failure.help(helps.join("; ")) });
    }
    let mut answer = Map::new();
    answer.insert("id".into(), sheet.id().into());
    answer.insert("genesis_sha256".into(), sha256.into());
    answer.insert("statements".into(), good.into_values().collect::<Vec<_>>().into());
    if !without.is_empty() {
        answer.insert("without_a_statement".into(), json!(without));
    }
    Ok(answer)
}

/// One statement: whose it is, and what is to be said of it.
fn one(path: &Path, sheet: &Sheet, accounts: &BTreeMap<String, Address>, sha256: &str) -> Result<(String, String)> {
    let text = fs::read_to_string(path).map_err(|error| Failure::new(format!("it cannot be read: {error}")))?;
    let statement = Statement::read(&text)?;
    let organisation = sheet.by_fqdn(&statement.fqdn)?;
    let account = accounts.get(&organisation.fqdn).ok_or_else(|| {
        let name = &organisation.name;
        Failure::new(format!("it is of {name}, whose account is not known"))
            .help(format!("write --account {name}=0x.. as its TXT record has it, or --memory of a run that saw it"))
    })?;
    statement.check_as(&sheet.id(), &organisation.fqdn, *account, sha256)?;
    let line = format!("{} ({}): signed by {account}, of this genesis", organisation.name, organisation.fqdn);
    Ok((organisation.fqdn.clone(), line))
}

/// What was seen of those on the sheet.
fn remembered(path: &Path, sheet: &Sheet) -> Result<Vec<Party>> {
    let memory = Memory::read(&read(path)?).map_err(|failure| failure.context(path.display()))?;
    if memory.ceremony != sheet.id() {
        return Err(Failure::new(format!(
            "{} is of the ceremony {}, and the sheet is of {}",
            path.display(),
            memory.ceremony,
            sheet.id()
        )));
    }
    let each = sheet.everybody().map(|organisation| memory.party(organisation));
    let parties: Result<Vec<Option<Party>>> = each.collect();
    Ok(parties.map_err(|failure| failure.context(path.display()))?.into_iter().flatten().collect())
}

/// Refuses a genesis that is not what becomes of the template.
fn made_of(path: &Path, sheet: &Sheet, parties: &[Party], genesis: &str) -> Result<()> {
    let template = Template::read(&read(path)?)?;
    template.fits(sheet).map_err(|failure| failure.context(path.display()))?;
    if template.fill(parties)?.text == genesis {
        return Ok(());
    }
    Err(Failure::new("it is not what becomes of the template with the records that were seen")
        .help("`ceremony resolve --genesis FILE` makes it anew; compare both with `chainwright genesis diff`"))
}

/// `NAME=ADDRESS` or `NAME=KEY`.
fn account(text: &str, sheet: &Sheet) -> Result<(String, Address)> {
    let wrong = || Failure::new(format!("`{text}` is not NAME=ADDRESS")).help("write alpha=0x and 40 digits");
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let fqdn = sheet.by_name(name)?.fqdn.clone();
    let account = if value.trim_start_matches("0x").len() >= 128 {
        Enode::new(&parse_public_key(value)?, "127.0.0.1", 1, 1)?.address()
    } else {
        parse_address(value)?
    };
    Ok((fqdn, account))
}
