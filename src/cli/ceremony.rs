//! `chainwright ceremony`: one party's side of a DNS ceremony, from a shell, cron, a systemd unit or an init container.

mod check;

use super::answer;
use super::key::node_key;
use crate::base::failure::{Context, Result};
use crate::base::{Failure, Map, Source, Value};
use crate::chain::ceremony::sheet::Organisation;
use crate::chain::ceremony::txt::{USUAL_PORT, quoted, zone_line};
use crate::chain::ceremony::{Entry, Sheet, Template};
use crate::chain::enode::parse_public_key;
use crate::chain::parse_address;
use crate::language::yaml;
use crate::modules::{Cx, NoBlobs, registry};
use crate::system::System;
use check::CheckArgs;
use clap::{Args, Subcommand};
use serde_json::json;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Make one genesis with organisations that do not trust each other, over DNS with DNSSEC.
///
/// The operator writes a genesis in which `fqdn://NAME` stands for each party's enode or account, makes the sheet of it, and sends
/// both out. Each party publishes its record, resolves everybody's, and gets the same genesis as all others.
#[derive(Debug, Args)]
pub struct CeremonyArgs {
    #[command(subcommand)]
    command: Command,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the sheet of a ceremony, for the operator to send out with the template
    #[command(
        after_help = "Example:\n  chainwright ceremony sheet --name ours-2026 --template template.json alpha=node.alpha.example beta=node.beta.example > sheet.json"
    )]
    Sheet(SheetArgs),
    /// Write the lines that a party adds to its zone
    #[command(
        after_help = "Example:\n  chainwright ceremony record --sheet sheet.json --organisation alpha --node-key geth/nodekey --address 192.0.2.10"
    )]
    Record(RecordArgs),
    /// Resolve and validate everybody's records until all count; write the genesis and a signed statement of it
    #[command(
        after_help = "Example:\n  chainwright ceremony resolve --sheet sheet.json --template template.json --genesis genesis.json\n\nProgress goes to standard error. The exit code is 0 when all organisations count and the genesis is written; 99 after a signal; else 1."
    )]
    Resolve(ResolveArgs),
    /// Check statements that came as files, without asking anybody
    #[command(
        after_help = "Example:\n  chainwright ceremony check --sheet sheet.json --genesis genesis.json --memory seen.json alpha.json beta.json\n  chainwright ceremony check --sheet sheet.json --genesis genesis.json --account alpha=0x5aAe.. alpha.json\n\nA statement is what `ceremony resolve --statement FILE` writes. It convinces only if the account is known by which it is signed: from what an\nearlier `ceremony resolve --memory FILE` validated, or as you read it in the party's TXT record (`a=`, or `k=` where there is no `a=`).\nThe exit code is 0 if every statement holds, else 1."
    )]
    Check(CheckArgs),
}

#[derive(Debug, Args)]
struct SheetArgs {
    /// What the ceremony is called
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The genesis template
    #[arg(long, value_name = "FILE")]
    template: PathBuf,
    /// Count records of Autonity's original form, too, which do not say for which ceremony they are
    #[arg(long)]
    without_id: bool,
    /// Who joined when the ceremony was over: the sheet stays one of the same ceremony
    #[arg(long, value_name = "NAME=FQDN")]
    joined: Vec<String>,
    /// The parties: NAME=FQDN
    #[arg(value_name = "NAME=FQDN", required = true)]
    organisations: Vec<String>,
}

#[derive(Debug, Args)]
struct RecordArgs {
    /// The sheet, as JSON or YAML
    #[arg(long, value_name = "FILE", env = "CEREMONY_SHEET")]
    sheet: PathBuf,
    /// Whose record it is: a name on the sheet
    #[arg(long, value_name = "NAME", env = "CEREMONY_ORGANISATION")]
    organisation: String,
    /// The node's key file
    #[arg(long, value_name = "FILE", required_unless_present = "public_key")]
    node_key: Option<PathBuf>,
    /// The node's public key: 128 hexadecimal digits
    #[arg(long, value_name = "HEX", conflicts_with = "node_key")]
    public_key: Option<String>,
    /// The account that seals, if it is not that of the node's key
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// The address at which others reach the node
    #[arg(long, value_name = "IP")]
    address: IpAddr,
    /// The port of devp2p
    #[arg(long, value_name = "PORT", default_value_t = USUAL_PORT, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// How long others may keep the records, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    ttl: u32,
}

#[derive(Debug, Args)]
struct ResolveArgs {
    /// The sheet, as JSON or YAML
    #[arg(long, value_name = "FILE", env = "CEREMONY_SHEET")]
    sheet: PathBuf,
    /// The genesis template; without it only the enodes are resolved
    #[arg(long, value_name = "FILE", env = "CEREMONY_TEMPLATE")]
    template: Option<PathBuf>,
    /// Where to write the genesis
    #[arg(long, value_name = "FILE", env = "CEREMONY_GENESIS")]
    genesis: Option<PathBuf>,
    /// Which organisation we are, for signing: a name on the sheet
    #[arg(long, value_name = "NAME", env = "CEREMONY_ORGANISATION")]
    organisation: Option<String>,
    /// Where to write our statement
    #[arg(long, value_name = "FILE", env = "CEREMONY_STATEMENT")]
    statement: Option<PathBuf>,
    /// The key that signs it: a keystore file, or a node's key file
    #[arg(long, value_name = "FILE", env = "CEREMONY_SIGN_WITH")]
    sign_with: Option<PathBuf>,
    /// The file with the keystore's password
    #[arg(long, value_name = "FILE", env = "CEREMONY_PASSWORD_FILE")]
    password_file: Option<PathBuf>,
    /// Wait for everybody's statement, too, and compare
    #[arg(long, env = "CEREMONY_STATEMENTS")]
    statements: bool,
    /// Statements that came in another way than by DNS, for parties that have none there; separated by commas
    #[arg(long, value_name = "FILE", value_delimiter = ',', env = "CEREMONY_RECEIVED")]
    received: Vec<PathBuf>,
    /// Resolvers to ask, separated by commas: 10.0.0.53, `[2001:db8::53]:5353`. Default: those of /etc/resolv.conf
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', env = "CEREMONY_RESOLVERS")]
    resolver: Vec<String>,
    /// A file with the DNSKEY records of a root of your own
    #[arg(long, value_name = "FILE", env = "CEREMONY_TRUST_ANCHOR")]
    trust_anchor: Option<PathBuf>,
    /// A file that keeps what was seen, so that a replayed record or a changed key is known in the next run, too
    #[arg(long, value_name = "FILE", env = "CEREMONY_MEMORY")]
    memory: Option<PathBuf>,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 10, env = "CEREMONY_INTERVAL")]
    interval: u32,
    /// Where nothing changes, looks become rarer, up to this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, env = "CEREMONY_MAX_INTERVAL")]
    max_interval: u32,
    /// How long to wait for all, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, env = "CEREMONY_TIMEOUT")]
    timeout: u32,
}

/// Runs one of them.
pub fn run(args: &CeremonyArgs) -> ExitCode {
    let mut interrupted = false;
    match &args.command {
        Command::Sheet(sheet) => match self::sheet(sheet) {
            Ok(sheet) => {
                answer::print(&sheet);
                ExitCode::SUCCESS
            }
            Err(failure) => answer::refuse(&failure),
        },
        Command::Check(check) => answer::give(check::check(check), args.json),
        Command::Record(record) => answer::give_one("zone", self::record(record), args.json),
        Command::Resolve(resolve) => match answer::interruptible().and_then(|(system, stop)| {
            let result = self::resolve(&system, resolve);
            interrupted = stop.load(Ordering::Relaxed);
            result
        }) {
            Err(failure) if interrupted => {
                answer::refuse(&failure);
                ExitCode::from(crate::run::INTERRUPTED)
            }
            Ok(output) if args.json => answer::give(Ok(output), true),
            Ok(output) => answer::give(Ok(brief(&output)), false),
            Err(failure) => answer::refuse(&failure),
        },
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).context(path.display())
}

fn sheet(args: &SheetArgs) -> Result<String> {
    let template = Template::read(&read(&args.template)?)?;
    let party = |text: &String| match text.split_once('=') {
        Some((name, fqdn)) => Ok(Organisation { name: name.to_owned(), fqdn: fqdn.to_owned() }),
        None => Err(Failure::new(format!("`{text}` is not NAME=FQDN")).help("write alpha=node.alpha.example")),
    };
    let sheet = Sheet {
        ceremony: args.name.clone(),
        template_sha256: template.sha256(),
        organisations: args.organisations.iter().map(party).collect::<Result<_>>()?,
        joined: args.joined.iter().map(party).collect::<Result<_>>()?,
        require_id: !args.without_id,
    };
    let sheet = sheet.checked()?;
    template.fits(&sheet)?;
    let text = serde_json::to_string_pretty(&sheet).map_err(|error| Failure::new(error.to_string()))?;
    eprintln!("id: {}", sheet.id());
    Ok(text + "\n")
}

/// A sheet as data: JSON is YAML, too.
fn sheet_value(path: &Path) -> Result<Value> {
    let source = Source::new(path, read(path)?);
    let node = yaml::load(&source).map_err(|mistakes| {
        let first = mistakes.first().map_or_else(String::new, |mistake| mistake.message.clone());
        Failure::new(format!("{}: {first}", path.display()))
    })?;
    Ok(node.to_value())
}

fn load(path: &Path) -> Result<Sheet> {
    Sheet::from_value(&sheet_value(path)?).map_err(|failure| failure.context(path.display()))
}

fn record(args: &RecordArgs) -> Result<String> {
    let sheet = load(&args.sheet)?;
    let organisation = sheet.by_name(&args.organisation)?;
    let key = match (&args.node_key, &args.public_key) {
        (Some(file), _) => node_key(file)?.public_key(),
        (None, text) => parse_public_key(text.as_deref().unwrap_or_default())?,
    };
    let account = args.account.as_deref().map(parse_address).transpose()?;
    let entry = Entry { port: args.port, key, account, ceremony: Some(sheet.id()) };
    let kind = if args.address.is_ipv4() { "A" } else { "AAAA" };
    Ok([
        zone_line(&organisation.fqdn, args.ttl, kind, &args.address.to_string()),
        zone_line(&organisation.fqdn, args.ttl, "TXT", &quoted(entry.text().as_bytes())),
    ]
    .join("\n"))
}

/// It is the module `dns_ceremony`, run here.
fn resolve(system: &System, args: &ResolveArgs) -> Result<Map> {
    let absolute = |path: &Option<PathBuf>| -> Result<Value> {
        let Some(path) = path else { return Ok(Value::Null) };
        Ok(std::path::absolute(path).context(path.display())?.display().to_string().into())
    };
    let received = args.received.iter().map(|path| absolute(&Some(path.clone())));
    let mut options = Map::new();
    for (name, value) in [
        ("sheet", sheet_value(&args.sheet)?),
        ("template", absolute(&args.template)?),
        ("dest", absolute(&args.genesis)?),
        ("organisation", json!(args.organisation)),
        ("statement", absolute(&args.statement)?),
        ("sign_with", absolute(&args.sign_with)?),
        ("password_file", absolute(&args.password_file)?),
        ("statements", json!(args.statements)),
        ("received", received.collect::<Result<_>>()?),
        ("resolvers", json!(args.resolver)),
        ("trust_anchor", absolute(&args.trust_anchor)?),
        ("memory", absolute(&args.memory)?),
        ("interval", json!(args.interval)),
        ("max_interval", json!(args.max_interval)),
        ("timeout", json!(args.timeout)),
    ] {
        if !value.is_null() {
            options.insert(name.to_owned(), value);
        }
    }
    let entry = registry::find("dns_ceremony").ok_or_else(|| Failure::new("there is no module `dns_ceremony`"))?;
    let cx = Cx::new(system, false, &NoBlobs, &answer::progress);
    registry::run(entry, options, cx).map(|outcome| outcome.output)
}

/// What people want to see of it.
fn brief(output: &Map) -> Map {
    let names = ["id", "enodes", "genesis_sha256", "genesis_hash"];
    let mut answer: Map =
        names.iter().filter_map(|name| Some(((*name).to_owned(), output.get(*name)?.clone()))).collect();
    let joined = output.get("joined").and_then(Value::as_array).into_iter().flatten();
    let joined: Vec<Value> = joined.map(|party| newcomer(party).into()).collect();
    if !joined.is_empty() {
        answer.insert("joined_later".into(), joined.into());
    }
    if let Some(value) = output.get("statement_txt").filter(|value| value.is_object()) {
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        answer.insert("publish".into(), zone_line(text("record"), 60, "TXT", &quoted(text("value").as_bytes())).into());
    }
    answer
}

fn newcomer(party: &Value) -> String {
    let text = |name: &str| party.get(name).and_then(Value::as_str).unwrap_or_default();
    let stated = match party.get("stated").and_then(Value::as_bool) {
        Some(true) => ", states the same genesis",
        Some(false) => ", does not state the same genesis",
        None => "",
    };
    format!("{}: account {}, {}{stated}", text("name"), text("account"), text("enode"))
}
