//! `chainwright genesis`: build, hash, check, compare and explain genesis files, without starting a client.

mod build;
mod check;
mod diff;
mod explain;
mod hash;

use super::answer;
use crate::base::diagnostic::did_you_mean;
use crate::base::{Diagnostic, Failure, Source};
use crate::chain::client::LAST_CLIQUE;
use crate::chain::genesis::forks::Target;
use crate::chain::genesis::{Engine, File, Format, Genesis, hash::usual_target};
use clap::{Args, Subcommand};
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Build, hash, check, compare and explain genesis files, without starting a client.
#[derive(Debug, Args)]
#[command(disable_version_flag = true)]
pub struct GenesisArgs {
    #[command(subcommand)]
    command: GenesisCommand,
}

#[derive(Debug, Subcommand)]
#[command(disable_version_flag = true)]
enum GenesisCommand {
    Build(build::BuildArgs),
    Hash(hash::HashArgs),
    Check(check::CheckArgs),
    Diff(diff::DiffArgs),
    Explain(explain::ExplainArgs),
}

/// Who shall read the file.
#[derive(Debug, Args)]
struct ClientArgs {
    /// The client that reads the file: geth, besu, goquorum, openethereum, nethermind, autonity
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Its version, as 1.13.15
    #[arg(long, value_name = "VERSION", requires = "client")]
    version: Option<String>,
}

/// `check` and `diff` answer with 0 or 1; what could not be looked at is neither.
const TROUBLE: u8 = 2;

/// Runs the subcommand.
pub fn run(args: GenesisArgs) -> ExitCode {
    let (ran, trouble) = match args.command {
        GenesisCommand::Build(args) => (build::run(&args), 1),
        GenesisCommand::Hash(args) => (hash::run(&args), 1),
        GenesisCommand::Check(args) => (check::run(&args), TROUBLE),
        GenesisCommand::Diff(args) => (diff::run(&args), TROUBLE),
        GenesisCommand::Explain(args) => (explain::run(&args), 1),
    };
    ran.unwrap_or_else(|failure| {
        answer::refuse(&failure);
        ExitCode::from(trouble)
    })
}

impl ClientArgs {
    /// None: nobody is named.
    fn target(&self) -> Result<Option<Target>, Failure> {
        let Some(name) = &self.client else { return Ok(None) };
        let target = match name.to_ascii_lowercase().as_str() {
            "geth" | "go-ethereum" => Target::NEWEST,
            "besu" => Target::BESU,
            "goquorum" | "quorum" => Target::QUORUM,
            "openethereum" | "parity" => Target::OPEN_ETHEREUM,
            "nethermind" => Target::NETHERMIND,
            "autonity" => Target::AUTONITY,
            _ => {
                let known = ["geth", "besu", "goquorum", "openethereum", "nethermind", "autonity"];
                let help = did_you_mean(name, known).map_or_else(
                    || format!("known are {}", known.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                return Err(Failure::new(format!("the client `{name}` is not known")).help(help));
            }
        };
        let Some(version) = &self.version else { return Ok(Some(target)) };
        let target = target.at(version.parse()?);
        if let Some(known) = target.known_of_versions() {
            let name = target.name();
            eprintln!("note: of {name}'s versions only this makes a difference here: {known}");
        }
        Ok(Some(target))
    }
}

/// Who is named, or would usually read such a file: with Clique the last geth that seals it.
fn or_usual(named: Option<Target>, genesis: &Genesis) -> Target {
    match named {
        None | Some(Target::NEWEST) if genesis.engine == Engine::Clique && genesis.format == Format::Geth => {
            Target::Geth(LAST_CLIQUE)
        }
        Some(target) => target,
        None => usual_target(genesis.format, genesis.engine),
    }
}

/// A file's text; `-` is standard input.
fn source(path: &Path) -> Result<Arc<Source>, Failure> {
    if path == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| Failure::new(format!("standard input cannot be read: {error}")))?;
        return Ok(Source::new("standard input", text));
    }
    Source::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => {
            Failure::new(format!("{} is not UTF-8 text", path.display())).help("is it a genesis?")
        }
        _ => Failure::new(format!("{} cannot be read: {error}", path.display())),
    })
}

/// At most so many mistakes are printed: a file with ten thousand has one that matters, usually the first.
const SHOWN: usize = 40;

/// Prints mistakes to standard error, or to standard output where they are the answer.
fn tell(mistakes: &[Diagnostic], is_answer: bool) {
    let choice = if is_answer {
        anstream::AutoStream::choice(&std::io::stdout())
    } else {
        anstream::AutoStream::choice(&std::io::stderr())
    };
    let colour = choice != anstream::ColorChoice::Never;
    let mut text = String::new();
    for mistake in mistakes.iter().take(SHOWN) {
        text += &mistake.render(colour);
        text += "\n\n";
    }
    if mistakes.len() > SHOWN {
        let _ = write!(text, "... and {} more\n\n", mistakes.len() - SHOWN);
    }
    if is_answer { answer::print(&text) } else { eprint!("{text}") }
}

/// A genesis without mistakes, or all of them.
fn sound(source: &Arc<Source>, target: Option<Target>) -> Result<File<'_>, Failure> {
    let mistakes = match crate::chain::genesis::read::read(source, target) {
        Ok(file) if file.mistakes.is_empty() => return Ok(file),
        Ok(file) => file.mistakes,
        Err(mistakes) => mistakes,
    };
    tell(&mistakes, false);
    let count = if mistakes.len() == 1 { "a mistake".to_owned() } else { format!("{} mistakes", mistakes.len()) };
    Err(Failure::new(format!("{} has {count} and cannot be read", source.path.display()))
        .help(format!("`chainwright genesis check {}` tells all that is wrong", source.path.display())))
}
