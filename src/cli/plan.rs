//! `chainwright plan`: the steps of playbooks, and what each waits for.

use super::options::{self, HostArgs, TaskArgs};
use crate::language::node::Node;
use crate::language::serial;
use crate::plan::graph::Plan;
use crate::plan::{Entry, flatten_play};
use crate::run::{Options, select};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

/// Show a plan without running it.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Playbooks
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    #[command(flatten)]
    hosts: HostArgs,
    #[command(flatten)]
    tasks: TaskArgs,
    /// How to show it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A numbered list
    Text,
    /// For Graphviz
    Dot,
    /// For Mermaid
    Mermaid,
}

/// Prints the plan.
pub fn run(args: &PlanArgs) -> ExitCode {
    let read = match options::read(&args.hosts, &args.playbooks) {
        Ok(read) => read,
        Err(mistakes) => return options::unreadable(&mistakes),
    };
    options::complain(&read.warnings);
    let options =
        Options { tags: args.tasks.tags.clone(), skip_tags: args.tasks.skip_tags.clone(), ..Options::default() };
    for play in read.playbooks.iter().flat_map(|playbook| &playbook.plays) {
        let pattern = match play.hosts.to_value() {
            serde_json::Value::Array(items) => {
                items.iter().filter_map(|item| item.as_str()).collect::<Vec<_>>().join(",")
            }
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let mut hosts = read.inventory.select_with(&pattern, &mut Vec::new());
        let whole = hosts.clone();
        if let Some(limit) = &args.hosts.limit {
            hosts = match read.inventory.limit(&hosts, limit) {
                Ok(hosts) => hosts,
                Err(error) => return options::unreadable(&[error.diagnostic(None)]),
            };
        }
        let is = |node: Option<&Node>, word: &str| {
            node.is_some_and(|node| node.to_value() == word || node.to_value() == (word == "true"))
        };
        let free = play.strategy.as_ref().and_then(|node| node.as_str()) == Some("free");
        let strict = is(play.keywords.any_errors_fatal.as_ref(), "true") || play.max_fail_percentage.is_some();
        let gather = !play.gather_facts.as_ref().is_some_and(|node| node.to_value() == false);
        let flat = flatten_play(play, gather);
        let entries: Vec<Entry> = flat.entries.into_iter().filter(|entry| select::tags(&options, entry)).collect();
        let written = |node: &Option<Node>| {
            node.as_ref().filter(|node| !node.is_template()).map(|node| (node.to_value(), node.span.clone()))
        };
        if let Some((order, span)) = written(&play.order) {
            hosts = match serial::arrange(&order, &span, hosts, &whole) {
                Ok(hosts) => hosts,
                Err(mistake) => return options::unreadable(&[mistake]),
            };
        }
        let sizes = match written(&play.serial).map(|(value, span)| serial::batches(&value, &span, hosts.len())) {
            None => vec![hosts.len()],
            Some(Ok(sizes)) => sizes,
            Some(Err(mistake)) => return options::unreadable(&[mistake]),
        };
        let mut rest = hosts.as_slice();
        let batches = sizes.into_iter().map(|size| {
            let (batch, others) = rest.split_at(size.min(rest.len()));
            rest = others;
            batch.to_vec()
        });
        let title = play.name.as_ref().and_then(|name| name.as_str()).unwrap_or(&pattern);
        for batch in batches {
            let plan = Plan::of(title, &entries, &flat.handlers, &batch, free, strict);
            match args.format {
                Format::Text => print!("{}", plan.text()),
                Format::Dot => print!("{}", plan.dot()),
                Format::Mermaid => print!("{}", plan.mermaid()),
            }
        }
    }
    ExitCode::SUCCESS
}
