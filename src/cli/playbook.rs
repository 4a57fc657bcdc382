//! `chainwright playbook`: Ansible's options, words and exit codes.

use super::connection::ConnectionArgs;
use super::options::{self, HostArgs, TaskArgs};
use crate::connect::AgentBinary;
use crate::language::template::Templates;
use crate::plan::{Entry, flatten, flatten_play};
use crate::report::{Json, Reporters, Terminal};
use crate::run::blobs::BlobStore;
use crate::run::{Context, INTERRUPTED, Options, Run, Store, prompt, select};
use clap::Args;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Run playbooks.
#[derive(Debug, Args)]
pub struct PlaybookArgs {
    /// Playbooks, run one after the other
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    #[command(flatten)]
    hosts: HostArgs,
    #[command(flatten)]
    tasks: TaskArgs,
    /// Change nothing; say what would change
    #[arg(short = 'C', long)]
    check: bool,
    /// Show the differences in files
    #[arg(short = 'D', long)]
    diff: bool,
    /// Become another user on the hosts (root, by sudo)
    #[arg(short, long)]
    r#become: bool,
    /// The user to become
    #[arg(long, value_name = "USER")]
    become_user: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
    /// List the hosts and stop
    #[arg(long)]
    list_hosts: bool,
    /// List the tasks and stop
    #[arg(long)]
    list_tasks: bool,
    /// List the tags and stop
    #[arg(long)]
    list_tags: bool,
    /// Read and check everything, and stop
    #[arg(long)]
    syntax_check: bool,
    /// Begin at the task of this name
    #[arg(long, value_name = "NAME")]
    start_at_task: Option<String>,
    /// Run notified handlers even on hosts that failed
    #[arg(long)]
    force_handlers: bool,
    /// Events as JSON, one a line: on standard output instead of the text for people, or into a file beside it
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    json: Option<PathBuf>,
}

/// Runs the playbooks.
pub fn run(args: PlaybookArgs) -> ExitCode {
    for playbook in &args.playbooks {
        if let Err(failure) = options::existing(playbook) {
            eprintln!("error: {failure}");
            return ExitCode::from(1);
        }
    }
    let read = match options::read(&args.hosts, &args.playbooks) {
        Ok(read) => read,
        Err(mistakes) => return options::unreadable(&mistakes),
    };
    options::complain(&read.warnings);
    if args.syntax_check {
        for playbook in &args.playbooks {
            println!("playbook: {}", playbook.display());
        }
        return ExitCode::SUCCESS;
    }
    if args.list_hosts || args.list_tasks || args.list_tags {
        return list(&args, &read);
    }
    let prepared = args.connection.options().and_then(|options| Ok((options, AgentBinary::own()?)));
    let (options, agent) = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => {
            eprintln!("error: {failure}");
            return ExitCode::from(if failure.message == prompt::INTERRUPTED { INTERRUPTED } else { 1 });
        }
    };
    let names: Vec<String> = args.playbooks.iter().map(|path| path.display().to_string()).collect();
    let reporter = match reporter(&args) {
        Ok(reporter) => Box::new(reporter),
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(1);
        }
    };
    let context = Context {
        options: Options {
            check: args.check,
            diff: args.diff,
            r#become: args.r#become,
            become_user: args.become_user,
            tags: args.tasks.tags,
            skip_tags: args.tasks.skip_tags,
            limit: args.hosts.limit,
            start_at: args.start_at_task,
            force_handlers: args.force_handlers,
            ..options
        },
        templates: Templates::new(),
        store: Arc::new(Store::default()),
        loader: read.loader,
        blobs: Arc::new(BlobStore::default()),
        agent,
    };
    let sources = args.hosts.inventory;
    let reread = move || {
        options::inventory(&sources).map_err(|mistakes| {
            crate::base::Failure::new(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })
    };
    let run = Run::new(context, read.inventory, Box::new(reread), reporter, read.extra);
    ExitCode::from(run.playbooks(&names, &read.playbooks))
}

fn reporter(args: &PlaybookArgs) -> Result<Reporters, String> {
    let mut reporters = Reporters::default();
    match args.json.as_deref() {
        Some(path) if path == Path::new("-") => reporters.add(Json::new(std::io::stdout())),
        Some(path) => {
            // Results may hold what is nobody else's business, though no secrets.
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
            reporters.add(Json::new(file.map_err(|error| format!("{}: {error}", path.display()))?));
            reporters.add(Terminal::stdout(args.connection.verbose, args.diff));
        }
        None => reporters.add(Terminal::stdout(args.connection.verbose, args.diff)),
    }
    Ok(reporters)
}

/// `--list-hosts`, `--list-tasks`, `--list-tags`: in Ansible's layout.
fn list(args: &PlaybookArgs, read: &options::Read) -> ExitCode {
    let options =
        Options { tags: args.tasks.tags.clone(), skip_tags: args.tasks.skip_tags.clone(), ..Options::default() };
    for (path, playbook) in args.playbooks.iter().zip(&read.playbooks) {
        println!("\nplaybook: {}", path.display());
        for (number, play) in playbook.plays.iter().enumerate() {
            let pattern = match play.hosts.to_value() {
                serde_json::Value::String(text) => text,
                serde_json::Value::Array(items) => {
                    items.iter().filter_map(|item| item.as_str()).collect::<Vec<_>>().join(",")
                }
                other => other.to_string(),
            };
            let title = play.name.as_ref().and_then(|name| name.as_str()).unwrap_or(&pattern);
            let entries: Vec<Entry> =
                flatten_play(play, false).entries.into_iter().filter(|entry| select::tags(&options, entry)).collect();
            let play_tags: Vec<String> =
                play.keywords.tags.iter().filter_map(|tag| tag.as_str().map(ToOwned::to_owned)).collect();
            println!("\n  play #{} ({pattern}): {title}\tTAGS: [{}]", number + 1, play_tags.join(", "));
            if args.list_hosts {
                let mut problems = Vec::new();
                let mut hosts = read.inventory.select_with(&pattern, &mut problems);
                if let Some(limit) = &args.hosts.limit {
                    hosts = match read.inventory.limit(&hosts, limit) {
                        Ok(hosts) => hosts,
                        Err(error) => return options::unreadable(&[error.diagnostic(None)]),
                    };
                }
                println!("    pattern: ['{pattern}']\n    hosts ({}):", hosts.len());
                for host in hosts {
                    println!("      {host}");
                }
            }
            if args.list_tasks {
                println!("    tasks:");
                for entry in entries.iter().filter(|entry| entry.task().is_some()) {
                    println!("      {}\tTAGS: [{}]", entry.title(), flatten::tags(entry).join(", "));
                }
            }
            if args.list_tags {
                let mut tags: Vec<String> = entries.iter().flat_map(flatten::tags).collect();
                tags.sort();
                tags.dedup();
                println!("      TASK TAGS: [{}]", tags.join(", "));
            }
        }
    }
    ExitCode::SUCCESS
}
