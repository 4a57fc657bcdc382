//! `chainwright genesis hash`: block 0 as a client of a certain age computes it.

use super::{ClientArgs, sound, source};
use crate::base::Failure;
use crate::chain::client::Version;
use crate::chain::genesis::forks::{Fork, Target};
use crate::chain::genesis::hash::{Age, usual_target};
use crate::chain::genesis::{BlockZero, Format};
use crate::cli::answer::print;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Print the hash of block 0 that a client computes from a genesis.
///
/// The hash alone goes to standard output. Without `--client` it is that of the newest client of the file's format; if
/// older ones compute another, standard error says which and why.
#[derive(Debug, Args)]
#[command(
    disable_version_flag = true,
    after_help = "Example:\n  chainwright genesis hash genesis.json --client geth --version 1.13.15"
)]
pub(super) struct HashArgs {
    /// The genesis; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    client: ClientArgs,
    /// Print the root of the accounts too, in a second line
    #[arg(long)]
    state_root: bool,
    /// Print JSON: the hash, the root of the accounts, and what older versions of geth compute
    #[arg(long)]
    json: bool,
}

/// Prints it.
pub(super) fn run(args: &HashArgs) -> Result<ExitCode, Failure> {
    let source = source(&args.file)?;
    let named = args.client.target()?;
    let file = sound(&source, named)?;
    let genesis = &file.genesis;
    let target = named.unwrap_or_else(|| usual_target(genesis.format, genesis.engine));
    let block = BlockZero::new(genesis)?;
    block.read_by(target)?;
    let hash = block.header(target).hash();
    let ages = if genesis.format == Format::Geth { block.ages() } else { Vec::new() };
    if args.json {
        let ages: Vec<Value> = ages.iter().map(data).collect();
        let answer = json!({"hash": hash.to_string(), "client": target.to_string(),
            "state_root": block.state_root.to_string(), "geth": ages});
        print(&format!("{answer:#}\n"));
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!("{hash}\n"));
    if args.state_root {
        print(&format!("{}\n", block.state_root));
    }
    if ages.len() > 1 && matches!(target, Target::Geth(_)) && args.client.version.is_none() {
        eprintln!("note: the hash depends on the version of geth:");
        for age in &ages {
            eprintln!("  {}", line(age));
        }
        eprintln!("  --client geth --version VERSION gives that of one version");
    }
    Ok(ExitCode::SUCCESS)
}

fn data(age: &Age) -> Value {
    let names: Vec<&str> = age.without.iter().map(|fork| fork.fact().key).collect();
    json!({"since": age.since.to_string(), "before": age.before.map(|version| version.to_string()),
        "hash": age.hash.to_string(), "without": names})
}

/// `geth 1.10.4 to before 1.11.0: 0x..., without Shanghai`.
fn line(age: &Age) -> String {
    let span = match (age.since, age.before) {
        (Version(0, 0, 0), Some(before)) => format!("before {before}"),
        (since, Some(before)) => format!("{since} to before {before}"),
        (since, None) => format!("{since} and later"),
    };
    let names: Vec<&str> = age.without.iter().map(|fork: &Fork| fork.fact().name).collect();
    let without = if names.is_empty() { String::new() } else { format!(", without {}", names.join(", ")) };
    format!("geth {span}: {}{without}", age.hash)
}
