//! `chainwright lock`: the lock that the inventory gives, written or compared.

use super::compute::compute;
use super::{TROUBLE, Trouble, read, verify};
use crate::base::failure::{Context, Result};
use crate::base::{Failure, Map, Value};
use crate::chain::lock::{Difference, Lock};
use crate::cli::answer;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct WriteArgs {
    /// The inventory: a file or a folder
    #[arg(short, long = "inventory", value_name = "INVENTORY", env = "ANSIBLE_INVENTORY")]
    inventory: Vec<String>,
    /// Variables that win over all others: `name=value`, JSON, or `@FILE`
    #[arg(short, long = "extra-vars", value_name = "VARS")]
    extra_vars: Vec<String>,
    /// The lock's file; `-` is standard output. Default: network.lock beside the inventory
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write nothing; name what differs between the file and the inventory
    #[arg(long)]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Writes the file, or compares it.
pub fn run(args: &WriteArgs) -> ExitCode {
    let computed = match compute(&args.inventory, &args.extra_vars) {
        Ok(computed) => computed,
        Err(Trouble::Failed(failure)) if args.check => {
            answer::refuse(&failure);
            return ExitCode::from(TROUBLE);
        }
        Err(trouble) => return trouble.tell(),
    };
    let path = args.output.clone().unwrap_or_else(|| computed.folder.join("network.lock"));
    if args.check {
        return check(&path, &computed.text, args.json).unwrap_or_else(|failure| {
            answer::refuse(&failure);
            ExitCode::from(TROUBLE)
        });
    }
    if path == Path::new("-") {
        answer::print(&computed.text);
        return ExitCode::SUCCESS;
    }
    answer::give(write(&path, &computed.text), args.json)
}

fn check(path: &Path, computed: &str, json: bool) -> Result<ExitCode> {
    let (text, lock) = read(path).map_err(|failure| match failure.help {
        None => failure.help("`chainwright lock` without --check writes it"),
        Some(_) => failure,
    })?;
    let differences = lock.differences(&Lock::parse("the inventory", computed)?);
    let same = differences.is_empty() && text == computed;
    if json {
        let mut answer = Map::new();
        answer.insert("same".into(), same.into());
        answer.insert("differences".into(), to_value(&differences));
        answer::print(&answer::pretty(&answer));
    } else if same {
        answer::print(&format!("{} is what the inventory gives\n", path.display()));
    } else if differences.is_empty() {
        answer::print(&format!("{} says what the inventory gives, in another layout: write it anew\n", path.display()));
    } else {
        answer::print(&format!("the inventory differs from {}:\n{}", path.display(), lines(&differences)));
    }
    Ok(ExitCode::from(u8::from(!same)))
}

fn write(path: &Path, text: &str) -> Result<Map> {
    let name = path.display().to_string();
    let new = Lock::parse("the inventory", text)?;
    let mut differences = Vec::new();
    let there = match std::fs::read_to_string(path) {
        Ok(there) => Some(there),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::new(format!("{name}: {error}"))),
    };
    if let Some(there) = &there {
        let old = Lock::parse(&name, there).map_err(|failure| {
            failure
                .context("the file that is there is no lock, and is left as it is")
                .help("move it away, or write another file with -o")
        })?;
        differences = old.differences(&new);
    }
    let changed = there.as_deref() != Some(text);
    if changed {
        let stage = path.with_extension("lock.new~");
        std::fs::write(&stage, text).context(stage.display())?;
        std::fs::rename(&stage, path).context(&name)?;
        let void = verify::signatures_beside(path)?.len();
        if void > 0 {
            answer::warn(&format!("{void} signatures beside {name} are of the lock before: let it be signed anew"));
        }
    }
    let mut answer = Map::new();
    answer.insert("path".into(), name.into());
    answer.insert("changed".into(), changed.into());
    answer.insert("sha256".into(), new.digest().into());
    answer.insert("genesis".into(), new.genesis.hash.into());
    answer.insert("signers".into(), new.signers.len().into());
    answer.insert("hosts".into(), new.hosts.keys().cloned().collect::<Vec<_>>().join(", ").into());
    if !differences.is_empty() {
        answer.insert(
            "before".into(),
            differences.iter().map(|difference| Value::from(difference.to_string())).collect(),
        );
    }
    Ok(answer)
}

fn to_value(differences: &[Difference]) -> Value {
    serde_json::to_value(differences).unwrap_or_default()
}

fn lines(differences: &[Difference]) -> String {
    differences.iter().fold(String::new(), |text, difference| format!("{text}- {difference}\n"))
}
