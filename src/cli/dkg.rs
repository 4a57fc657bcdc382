//! `chainwright dkg`: one operator's side of a key ceremony of Charon, from a laptop, a unit or an init container.

use super::answer;
use crate::base::{Failure, Map, Value, failure::Result};
use crate::modules::{self, Cx, NoBlobs};
use crate::system::System;
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::atomic::Ordering;

/// Take part in a key ceremony of Charon (DKG), once: wait until all operators have agreed, check every signature, run charon,
/// check everything that it made.
///
/// Reads the environment of Obol's charon-dkg-sidecar, and can stand in its place. A ceremony that is over is checked again, and
/// is a success. What charon itself takes (`CHARON_P2P_RELAYS`, ..) is handed on to it, but for what this command does in its
/// stead (`CHARON_PUBLISH`: when all operators have written their shares, and not before).
///
/// Example: chainwright dkg 0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b --data-dir /var/lib/charon
/// --config-hash 0xb809c66e3de95e9c4bfa3fa9c3af75ed15e0037bc7607cdf3fbba797d99634ec
///
/// Exit codes: 0 the cluster is made and true; 1 it is not; 5 a bad command line; 99 interrupted, everything tidied up.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct DkgArgs {
    /// The operator's account; not needed with --definition-file
    #[arg(env = "OPERATOR_ADDRESS", value_name = "ACCOUNT")]
    operator: Option<String>,
    /// A file with our node's record, to compare the key with
    #[arg(env = "ENR_FILE_PATH", value_name = "ENR-FILE")]
    enr_file: Option<String>,
    /// Charon's data folder; a node key is made in it if there is none
    #[arg(long, env = "CHARON_NODE_ID_DIR", value_name = "FOLDER", default_value = ".charon")]
    data_dir: String,
    /// Use this node key instead of making one; it is copied into the data folder
    #[arg(long, env = "CHARON_PRIVATE_KEY_FILE", value_name = "FILE")]
    key_file: Option<String>,
    /// Only make the node key, if there is none, and print its record: what the creator of a cluster wants to know first
    #[arg(long)]
    enr: bool,
    /// Take this definition instead of asking the API
    #[arg(long, value_name = "FILE")]
    definition_file: Option<String>,
    /// Where to keep the definition; one that is there already is gone on with, unless its ceremony is over [default:
    /// cluster-definition.json in the data folder]
    #[arg(long, env = "OUTPUT_DEFINITION_FILE", value_name = "FILE")]
    output_definition: Option<String>,
    /// The Obol API [default: api.obol.tech, over HTTPS]
    #[arg(long, env = "API_ENDPOINT", value_name = "URL")]
    api: Option<String>,
    /// Take part in the cluster with this config hash and no other
    #[arg(long, env = "TARGET_CONFIG_HASH", value_name = "HASH")]
    config_hash: Option<String>,
    /// Take part only in a cluster on the chain with this id
    #[arg(long, env = "CHAIN_ID", value_name = "ID")]
    chain_id: Option<String>,
    /// Make no cluster, take the lock with this hash from the API [default: what the file lockhash in the data folder says]
    #[arg(long, value_name = "HASH")]
    lock_hash: Option<String>,
    /// Make no cluster, take the lock in this file, from an operator with whom the ceremony is over; the shares to it are here
    #[arg(long, value_name = "FILE")]
    lock_file: Option<String>,
    /// Whether to tell the API the lock when all operators have theirs [default: true where the definition comes from the API]
    #[arg(long, env = "CHARON_PUBLISH", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    publish: Option<String>,
    /// Take a definition that no operator signed, from a file
    #[arg(long)]
    allow_unsigned: bool,
    /// Agree to the cluster with the account key in this file (hexadecimal, or a keystore); needs --config-hash
    #[arg(long, env = "CHAINWRIGHT_ACCEPT_WITH", value_name = "FILE")]
    accept_with: Option<String>,
    /// The password of that keystore
    #[arg(long, env = "CHAINWRIGHT_ACCEPT_PASSWORD_FILE", value_name = "FILE", requires = "accept_with")]
    accept_password_file: Option<String>,
    /// Charon's program
    #[arg(long, env = "CHAINWRIGHT_CHARON", value_name = "PROGRAM", default_value = "charon")]
    charon: String,
    /// A relay over which the nodes meet, instead of charon's own (may be given again)
    #[arg(long, value_name = "URL")]
    relay: Vec<String>,
    /// One more option for charon dkg, as --option=--p2p-tcp-address=0.0.0.0:3610 (may be given again)
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    option: Vec<String>,
    /// How much charon tells
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL")]
    log_level: Option<String>,
    /// How long one ceremony may take, in seconds: the same for all operators, who begin anew together
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    deadline: u32,
    /// How long to wait and try in all, in seconds; 0 is for ever
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    patience: u32,
    /// The first wait between two tries
    #[arg(long, env = "INITIAL_RETRY_INTERVAL_SECONDS", value_name = "SECONDS", default_value = "10", value_parser = |text: &str| number::<u32>(text, "10"))]
    first_wait: u32,
    /// The longest wait between two tries
    #[arg(long, env = "MAX_RETRY_INTERVAL_SECONDS", value_name = "SECONDS", default_value = "300", value_parser = |text: &str| number::<u32>(text, "300"))]
    longest_wait: u32,
    /// How many times longer each wait is than the one before
    #[arg(long, env = "BACKOFF_FACTOR", value_name = "FACTOR", default_value = "2", value_parser = |text: &str| number::<f64>(text, "2"))]
    factor: f64,
    /// How many clusters the API is to tell at once
    #[arg(long, env = "PAGE_LIMIT", value_name = "COUNT", default_value = "100", value_parser = |text: &str| number::<u32>(text, "100"))]
    page_limit: u32,
    /// Copy everything into a folder below this one, and prove the copy
    #[arg(long, env = "CHAINWRIGHT_BACKUP", value_name = "FOLDER")]
    backup: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Runs it to its end.
pub fn run(args: &DkgArgs) -> ExitCode {
    let (system, stop) = match answer::interruptible() {
        Ok(both) => both,
        Err(failure) => return answer::refuse(&failure),
    };
    match take_part(&system, args) {
        Err(failure) if stop.load(Ordering::Relaxed) => {
            answer::refuse(&failure);
            ExitCode::from(crate::run::INTERRUPTED)
        }
        Ok(output) if args.enr => {
            let enr = output.get("enr").and_then(Value::as_str).unwrap_or_default().to_owned();
            answer::give_one("enr", Ok(enr), args.json)
        }
        result => answer::give(result, args.json),
    }
}

fn take_part(system: &System, args: &DkgArgs) -> Result<Map> {
    let module = modules::find("charon_dkg").ok_or_else(|| Failure::new("there is no such module"))?;
    let cx = Cx::new(system, false, &NoBlobs, &answer::progress);
    modules::registry::run(module, arguments(system, args)?, cx).map(|outcome| {
        let mut output = outcome.output;
        output.shift_remove("proofs");
        output
    })
}

/// The module's arguments: what is empty, as variables of containers often are, is not given.
fn arguments(system: &System, args: &DkgArgs) -> Result<Map> {
    let file = |path: Option<&str>| given(path).map(|path| absolute(Path::new(path))).transpose();
    let data_dir = absolute(Path::new(given(Some(&args.data_dir)).unwrap_or(".charon")))?;
    let kept = file(args.output_definition.as_deref())?.unwrap_or_else(|| data_dir.join("cluster-definition.json"));
    // The chart of the sidecar says there which lock it is.
    let lockhash = system.read_text_if_there(&data_dir.join("lockhash"))?;
    let mut options = args.option.clone();
    if let Some(level) = given(args.log_level.as_deref()) {
        options.push(format!("--log-level={level}"));
    }
    let value = json!({
        "data_dir": data_dir,
        "only_key": args.enr,
        "charon": given(Some(&args.charon)).unwrap_or("charon"),
        "definition_file": file(args.definition_file.as_deref())?,
        "lock_hash": given(args.lock_hash.as_deref()).or(given(lockhash.as_deref())),
        "lock_file": file(args.lock_file.as_deref())?,
        "publish": given(args.publish.as_deref()),
        // As the sidecar does: its chart has them in a secret of their own, where somebody made the cluster beforehand.
        "keys_elsewhere": true,
        "operator": given(args.operator.as_deref()),
        "api": given(args.api.as_deref()).unwrap_or(crate::chain::charon::api::ENDPOINT),
        "config_hash": given(args.config_hash.as_deref()),
        "chain_id": given(args.chain_id.as_deref()),
        "allow_unsigned": args.allow_unsigned,
        "accept_with": file(args.accept_with.as_deref())?,
        "accept_password_file": file(args.accept_password_file.as_deref())?,
        "enr_file": file(args.enr_file.as_deref())?,
        "key_file": file(args.key_file.as_deref())?,
        "relays": args.relay,
        "options": options,
        "deadline": args.deadline,
        "patience": args.patience,
        "first_wait": args.first_wait,
        "longest_wait": args.longest_wait,
        "factor": args.factor,
        "page_limit": args.page_limit,
        "output_definition": kept,
        "backup": file(args.backup.as_deref())?,
    });
    match value {
        Value::Object(map) => Ok(map.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        _ => Ok(Map::new()),
    }
}

/// A number; an empty text is the usual one.
fn number<T: FromStr<Err: std::fmt::Display>>(text: &str, usual: &str) -> Result<T, String> {
    given(Some(text)).unwrap_or(usual).parse().map_err(|error: T::Err| error.to_string())
}

fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}
