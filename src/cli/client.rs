//! `chainwright client`: what each client version reads and can do, from the table that modules and roles ask too.

use super::answer;
use crate::base::Failure;
use crate::base::failure::Result;
use crate::chain::client::{self, CLIENTS, Client, Row, Topic, Version, upgrade};
use crate::report::look::{self, Look};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::process::ExitCode;

/// Show what clients read: flags, files, peers, forks, log lines, RPC, each by version and with its source.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct ClientArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the clients that are known, and how
    #[command(after_help = "Example:\n  chainwright client list")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show everything that holds for one version
    #[command(after_help = "Example:\n  chainwright client explain geth 1.13.15")]
    Explain {
        /// The client: geth, openethereum, nethermind, besu, goquorum, autonity
        client: String,
        /// The version: 1.13.15
        #[arg(id = "of", value_name = "VERSION")]
        version: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show which versions a live network must go through, so that its nodes stay peers while they change one by one
    #[command(after_help = "Example:\n  chainwright client path geth 1.9.25 1.13.15")]
    Path {
        /// The client
        client: String,
        /// The version that runs
        from: String,
        /// The version that is wanted
        to: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Prints to standard output; what is not known is an error.
pub fn run(args: &ClientArgs) -> ExitCode {
    let look = Look::of_stdout(0, false);
    let text = match &args.command {
        Command::List { json } => Ok(list(*json, &look)),
        Command::Explain { client, version, json } => explain(client, version, *json, &look),
        Command::Path { client, from, to, json } => path(client, from, to, *json),
    };
    match text {
        Ok(text) => {
            answer::print(&text);
            ExitCode::SUCCESS
        }
        Err(failure) => answer::refuse(&failure),
    }
}

fn list(json: bool, look: &Look) -> String {
    if json {
        let clients = CLIENTS.iter().map(|client| {
            json!({"name": client.name, "also": client.also, "from": client.versions.0.to_string(),
                "to": client.versions.1.to_string(), "tried": client.tried, "facts": client.all().count()})
        });
        return format!("{:#}\n", Value::from(clients.collect::<Vec<_>>()));
    }
    let mut text = String::new();
    for client in CLIENTS {
        let (first, last) = client.versions;
        let name = look.paint(look::STRONG, &look::pad(client.name, 14));
        let _ = writeln!(text, "{name}{first} to {last}, {} facts", client.all().count());
        let _ = writeln!(text, "{:14}{}", "", look.paint(look::FAINT, client.tried));
    }
    text + "\nchainwright client explain geth 1.13.15 shows what holds for a version.\n"
}

fn known(client: &str, version: &str) -> Result<(&'static Client, Version)> {
    let client = client::find(client)?;
    let version: Version = version.parse()?;
    client.check(version)?;
    Ok((client, version))
}

fn explain(client: &str, version: &str, json: bool, look: &Look) -> Result<String> {
    let (client, version) = known(client, version)?;
    Ok(if json { as_json(client, version) } else { as_text(client, version, look) })
}

/// The rows of a topic; of two spellings of a flag the newer one.
fn rows(client: &Client, version: Version, topic: Topic) -> Vec<&'static Row> {
    let rows = client.rows(version).filter(|row| row.topic == topic);
    rows.filter(|row| {
        topic != Topic::Flag || client.row(version, topic, row.name).is_some_and(|newest| newest.says == row.says)
    })
    .collect()
}

/// What other versions have and this one has not, told once a name.
fn absent(client: &Client, version: Version) -> Vec<&'static Row> {
    let gone = client.all().filter(|row| matches!(row.topic, Topic::Flag | Topic::Fork | Topic::Api | Topic::Engine));
    gone.filter(|row| client.row(version, row.topic, row.name).is_none()).collect()
}

fn as_json(client: &Client, version: Version) -> String {
    let fact = |row: &Row| {
        json!({"name": row.name, "says": row.says, "since": row.span.since.to_string(),
            "before": row.span.before.map(|end| end.to_string()), "source": row.source})
    };
    let mut topics = Map::new();
    for topic in Topic::ALL {
        let facts: Vec<Value> = rows(client, version, *topic).into_iter().map(fact).collect();
        topics.insert(topic.key().to_owned(), facts.into());
    }
    let absent: Vec<Value> = absent(client, version).into_iter().map(fact).collect();
    let all = json!({"client": client.name, "version": version.to_string(), "tried": client.tried, "facts": topics,
        "absent": absent});
    format!("{all:#}\n")
}

fn as_text(client: &Client, version: Version, look: &Look) -> String {
    let mut text = look.paint(look::STRONG, &format!("{} {version}", client.name)) + "\n";
    let _ = writeln!(text, "{}", look.paint(look::FAINT, &format!("What was tried: {}.", client.tried)));
    let newer = version > client.versions.1;
    if newer {
        let note = format!("Newer than all that is known: what follows is of {}.", client.versions.1);
        let _ = writeln!(text, "{}", look.paint(look::WARNING, &note));
    }
    for topic in Topic::ALL {
        let rows = rows(client, version, *topic);
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{}", look.paint(look::STRONG, topic.title()));
        let widest = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).min(34);
        for row in rows {
            let name = look.paint(look::OK, &look::pad(row.name, widest));
            let span = row.span.to_string();
            let says = if row.says == format!("--{}", row.name) { "" } else { row.says };
            let parts: Vec<&str> = [says, span.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
            let source = look.paint(look::FAINT, &format!("[{}]", row.source));
            let _ =
                writeln!(text, "  {name}  {}{}{source}", parts.join("; "), if parts.is_empty() { "" } else { "  " });
        }
    }
    let absent = absent(client, version);
    if !absent.is_empty() {
        let _ = writeln!(text, "\n{}", look.paint(look::STRONG, "Not in this version"));
        for row in absent {
            let _ = writeln!(text, "  {}  {}", look.paint(look::OK, &look::pad(row.name, 28)), row.span);
        }
    }
    text
}

fn path(client: &str, from: &str, to: &str, json: bool) -> Result<String> {
    let (client, from) = known(client, from)?;
    let (_, to) = known(client.name, to)?;
    if upgrade::wires(client, from).is_empty() {
        return Err(Failure::new(format!("of {} it is not known which versions are peers of which", client.name)));
    }
    let path = upgrade::path(client, from, to)?;
    let mut at = from;
    let mut steps = Vec::new();
    for next in path {
        steps.push((at, next, upgrade::shared(client, at, next)));
        at = next;
    }
    if json {
        let steps = steps
            .iter()
            .map(|(from, to, shared)| json!({"from": from.to_string(), "to": to.to_string(), "shared": shared}));
        return Ok(format!("{:#}\n", Value::from(steps.collect::<Vec<_>>())));
    }
    if steps.is_empty() {
        return Ok(format!("{} {from} is there already\n", client.name));
    }
    let line = |(from, to, shared): &(Version, Version, Vec<&str>)| {
        format!("{from} -> {to}  both speak {}", shared.join(", "))
    };
    Ok(steps.iter().map(line).collect::<Vec<_>>().join("\n") + "\n")
}
