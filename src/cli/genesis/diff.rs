//! `chainwright genesis diff`: two files by meaning.

use super::{ClientArgs, sound, source};
use crate::base::Failure;
use crate::chain::genesis::compare::{Comparison, Difference, Weight, compare};
use crate::chain::genesis::fork_id::fork_ids;
use crate::chain::genesis::forks::Target;
use crate::chain::genesis::hash::usual_target;
use crate::chain::genesis::{Format, Genesis};
use crate::cli::answer::print;
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compare two genesis files by meaning, not by text: which differences change the hash of block 0, which split the chain
/// later, which are nothing.
///
/// Exit code, as that of diff: 0 if nodes with the two files stay in one network, 1 if they do not, 2 on trouble.
#[derive(Debug, Args)]
#[command(disable_version_flag = true, after_help = "Example:\n  chainwright genesis diff ours.json theirs.json")]
pub(super) struct DiffArgs {
    /// A genesis
    one: PathBuf,
    /// Another; `-` is standard input
    two: PathBuf,
    #[command(flatten)]
    client: ClientArgs,
    /// Print JSON: whether it is one network, the hashes, and each difference with what it does
    #[arg(long)]
    json: bool,
}

/// Of each kind so many differences are printed.
const SHOWN: usize = 30;

/// Prints the differences.
pub(super) fn run(args: &DiffArgs) -> Result<ExitCode, Failure> {
    let named = args.client.target()?;
    let (one, two) = (source(&args.one)?, source(&args.two)?);
    let (first, second) = (sound(&one, named)?, sound(&two, named)?);
    let comparison = compare(&first.genesis, &second.genesis, named);
    if args.json {
        print(&format!("{:#}\n", data(&comparison)));
        return Ok(ExitCode::from(u8::from(!comparison.same())));
    }
    let mut text = String::new();
    for (path, hash) in [&args.one, &args.two].iter().zip(comparison.hashes) {
        let hash = hash.map_or("its hash does not follow from the file".to_owned(), |hash| hash.to_string());
        let _ = writeln!(text, "{}: {hash}", path.display());
    }
    text += &listing(&comparison);
    text += &ids([&first.genesis, &second.genesis], &comparison, named);
    if comparison.same() {
        let bytes = one.text == two.text;
        let how = if bytes { "the same bytes" } else { "the same meaning" };
        let _ = writeln!(text, "\none network: {how}");
    } else {
        text += "\ntwo networks\n";
    }
    print(&text);
    Ok(ExitCode::from(u8::from(!comparison.same())))
}

fn data(comparison: &Comparison) -> Value {
    let differences = comparison.differences.iter().map(|found| {
        let does = match found.weight {
            Weight::Hash => "changes the hash",
            Weight::Split => "splits the chain",
            Weight::Nothing => "nothing",
        };
        json!({"what": found.what, "one": found.one, "two": found.two, "does": does, "because": found.because})
    });
    json!({"same": comparison.same(), "hashes": comparison.hashes.map(|hash| hash.map(|hash| hash.to_string())),
        "differences": differences.collect::<Vec<_>>()})
}

fn listing(comparison: &Comparison) -> String {
    let mut text = String::new();
    for (weight, title) in [
        (Weight::Hash, "changes the hash of block 0"),
        (Weight::Split, "splits the chain"),
        (Weight::Nothing, "makes no difference to the chain"),
    ] {
        let of: Vec<&Difference> = comparison.differences.iter().filter(|found| found.weight == weight).collect();
        if of.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{title}:");
        for found in of.iter().take(SHOWN) {
            let because = found.because.as_ref().map(|because| format!("  ({because})")).unwrap_or_default();
            let _ = writeln!(text, "  {}: {} -> {}{because}", found.what, found.one, found.two);
        }
        if of.len() > SHOWN {
            let _ = writeln!(text, "  ... and {} more", of.len() - SHOWN);
        }
    }
    text
}

/// The fork ids at block 0, by which nodes refuse each other before they compare anything else.
fn ids(files: [&Genesis; 2], comparison: &Comparison, named: Option<Target>) -> String {
    let id = |index: usize| {
        let genesis = files[index];
        let target = named.unwrap_or_else(|| usual_target(genesis.format, genesis.engine));
        let hash = comparison.hashes[index].filter(|_| genesis.format != Format::Parity)?;
        fork_ids(genesis, hash, target).first().copied()
    };
    match (id(0), id(1)) {
        (Some(one), Some(two)) if one == two => format!("\nfork id at block 0: {one} in both\n"),
        (Some(one), Some(two)) => format!("\nfork id at block 0: {one} -> {two}\n"),
        _ => String::new(),
    }
}
