//! `chainwright genesis check`: everything that is wrong, with its place and what to write instead.

use super::{ClientArgs, source, tell};
use crate::base::{Diagnostic, Failure, Span};
use crate::chain::genesis::check::check;
use crate::chain::genesis::read;
use crate::cli::answer::print;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Tell everything that is wrong with a genesis, for the client and version that shall read it.
///
/// An error is what the client refuses, what makes another network than was meant, or a network that stops; a warning is what
/// works and is rarely meant. Without `--client` the file is checked for the usual client of its format, with Clique for
/// geth 1.13.15.
///
/// Exit code: 0 without errors, 1 with errors (with --strict: or warnings), 2 if the file could not be looked at.
#[derive(Debug, Args)]
#[command(
    disable_version_flag = true,
    after_help = "Example:\n  chainwright genesis check genesis.json --client geth --version 1.13.15"
)]
pub(super) struct CheckArgs {
    /// The genesis; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    client: ClientArgs,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
    /// Print JSON: a list of findings with line, column, message and remedy
    #[arg(long)]
    json: bool,
}

/// Prints the findings to standard output.
pub(super) fn run(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let source = source(&args.file)?;
    let named = args.client.target()?;
    let (found, checked) = match read::read(&source, named) {
        Ok(file) => {
            let target = super::or_usual(named, &file.genesis);
            (check(&file, target), format!(" for {target}"))
        }
        Err(mistakes) => (mistakes, String::new()),
    };
    if args.json {
        let findings: Vec<Value> = found.iter().map(data).collect();
        print(&format!("{:#}\n", Value::from(findings)));
    } else {
        tell(&found, true);
    }
    let warnings = found.iter().filter(|diagnostic| diagnostic.warning).count();
    let errors = found.len() - warnings;
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let name = source.path.display();
    if args.json {
        // The list says it all.
    } else if found.is_empty() {
        print(&format!("{name}: nothing is wrong{checked}\n"));
    } else {
        print(&format!("{name}: {}, {}{checked}\n", count(errors, "error"), count(warnings, "warning")));
    }
    Ok(ExitCode::from(u8::from(errors > 0 || (args.strict && warnings > 0))))
}

fn data(finding: &Diagnostic) -> Value {
    let (line, column) = finding.span.as_ref().map_or((1, 1), Span::line_column);
    let severity = if finding.warning { "warning" } else { "error" };
    json!({"line": line, "column": column, "severity": severity, "message": finding.message, "help": finding.help})
}
