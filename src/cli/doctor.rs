//! `chainwright doctor`: what ails a network, by cause: a table for people, JSON for machines, an exit code for cron.

use super::answer;
use super::connection::ConnectionArgs;
use super::options::{self, HostArgs};
use crate::base::event::{Done, Reporter, Status};
use crate::base::{Event, Failure, Map, Value};
use crate::chain::doctor::{Finding, Severity};
use crate::chain::lock::Lock;
use crate::connect::AgentBinary;
use crate::language::inventory::Inventory;
use crate::language::layers::Var;
use crate::language::template::Templates;
use crate::plan::{check, flatten_play};
use crate::report::look::{self, Look};
use crate::run::blobs::BlobStore;
use crate::run::{Context, INTERRUPTED, Options, Run, Store};
use clap::Args;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// Say what ails a network, by cause.
///
/// Looks at every host once, and tells what is wrong: each cause with what was seen and what to do. The hosts are those of the groups `nodes`, `sealers`, `rpc` and `bootnode`. Nothing is changed there. With a lock the
/// network is held against it; without one against what the inventory says (`network.chain_id`, `network.client`), and else
/// against what most nodes say.
///
/// Exit code: 0 healthy, warnings included; 2 something is wrong (with --strict: warnings too); 4 a host cannot be reached, or a
/// file that does not parse; 1 the lock or the inventory is of no use, or nothing could be looked at; 5 a bad command line; 99
/// interrupted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chainwright doctor -i inventories/main
  chainwright doctor -i inventories/main --lock network.lock
  chainwright doctor -i inventories/main --json | jq -r '.findings[].what'
  chainwright doctor -i inventories/main >out || mail -s network ops <out    # in cron")]
pub struct DoctorArgs {
    #[command(flatten)]
    hosts: HostArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    /// The network's lock. Default: `network.lock` beside the inventory, if it is there
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
    /// Print JSON: healthy, unreachable, findings, hosts
    #[arg(long)]
    json: bool,
}

/// The tasks are those of playbooks/verify.yml.
const TASKS: &str = include_str!("../../roles/geth/tasks/doctor.yml");

/// The groups whose hosts have nodes.
const GROUPS: [&str; 4] = ["nodes", "sealers", "rpc", "bootnode"];

/// Looks, and prints what was found.
pub fn run(args: DoctorArgs) -> ExitCode {
    let read = match options::read(&args.hosts, &[]) {
        Ok(read) => read,
        Err(mistakes) => return options::unreadable(&mistakes),
    };
    options::complain(&read.warnings);
    let pattern = match pattern(&read.inventory) {
        Ok(pattern) => pattern,
        Err(failure) => return answer::refuse(&failure),
    };
    let mut extra = read.extra;
    if let Some(path) = &args.lock {
        match lock(path) {
            Ok(text) => _ = extra.insert("doctor_lock".into(), Var::Value(Arc::new(text.into()))),
            Err(failure) => return answer::refuse(&failure),
        }
    }
    let path = Path::new("playbooks/doctor, built in");
    read.loader.know(path, &play(&pattern));
    let playbook = match read.loader.playbook(path) {
        Ok(playbook) => playbook,
        Err(mistakes) => return options::unreadable(&mistakes),
    };
    let templates = Templates::new();
    let mistakes: Vec<_> =
        playbook.plays.iter().flat_map(|play| check::play(&flatten_play(play, false), &templates)).collect();
    if !mistakes.is_empty() {
        return options::unreadable(&mistakes);
    }
    let (options, agent) = match args.connection.options().and_then(|options| Ok((options, AgentBinary::own()?))) {
        Ok(prepared) => prepared,
        Err(failure) => return answer::refuse(&failure),
    };
    let context = Context {
        options: Options { limit: args.hosts.limit.clone(), ..options },
        templates,
        store: Arc::new(Store::default()),
        loader: read.loader,
        blobs: Arc::new(BlobStore::default()),
        agent,
    };
    let seen = Arc::new(Mutex::new(Seen::default()));
    let sources = args.hosts.inventory.clone();
    let reread = move || options::inventory(&sources).map_err(|_| Failure::new("the inventory cannot be read again"));
    let run = Run::new(context, read.inventory, Box::new(reread), Box::new(Listener(seen.clone())), extra);
    let exit = run.playbooks(&[path.display().to_string()], &[playbook]);
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    match seen.judgement {
        _ if exit == INTERRUPTED => ExitCode::from(INTERRUPTED),
        Some(judgement) => tell(&args, &judgement),
        None => answer::refuse(&Failure::new(match seen.trouble {
            Some(trouble) => trouble,
            None => "no host of the network is among those that were asked for".to_owned(),
        })),
    }
}

/// The lock's text, if it is one.
fn lock(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("cannot read the lock {}: {error}", path.display())))?;
    Lock::parse(&path.display().to_string(), &text)?;
    Ok(text)
}

/// Which hosts: those of the groups that the inventory has.
fn pattern(inventory: &Inventory) -> Result<String, Failure> {
    let hosts = |group: &str| inventory.select(group).unwrap_or_default();
    let there: Vec<&str> =
        GROUPS.into_iter().filter(|group| inventory.groups.contains_key(*group) && !hosts(group).is_empty()).collect();
    if !there.contains(&"sealers") {
        return Err(Failure::new("the inventory's group `sealers` has no host: there is no network to look at")
            .help("give the inventory with -i; its groups are `sealers`, `rpc` and `bootnode`"));
    }
    Ok(there.join(":"))
}

fn play(pattern: &str) -> String {
    let mut text = format!(
        "- name: The network\n  hosts: {pattern}\n  gather_facts: false\n  become: true\n  vars:\n    doctor_only_tells: true\n  tasks:\n"
    );
    for line in TASKS.lines() {
        let _ = writeln!(text, "    {line}");
    }
    text
}

/// What the run told.
#[derive(Debug, Default)]
struct Seen {
    judgement: Option<Map>,
    trouble: Option<String>,
    judging: Option<usize>,
}

/// Takes the judgement from the run's events.
struct Listener(Arc<Mutex<Seen>>);

impl Reporter for Listener {
    fn event(&mut self, event: &Event) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::TaskStarted { task, module, .. } if module == "eth_doctor" => seen.judging = Some(*task),
            Event::StepDone(Done { task, status: Status::Ok, result, .. }) if seen.judging == Some(*task) => {
                seen.judgement = Some(result.clone());
            }
            Event::StepDone(Done { host, status: Status::Failed | Status::Unreachable, result, .. }) => {
                let message = result.get("msg").and_then(Value::as_str).unwrap_or("failed without a word");
                seen.trouble.get_or_insert(format!("{host}: {message}"));
            }
            Event::Error { text } => seen.trouble = Some(text.clone()),
            Event::Warning { text } => eprintln!("warning: {text}"),
            _ => {}
        }
    }
}

fn tell(args: &DoctorArgs, judgement: &Map) -> ExitCode {
    let part = |name: &str| judgement.get(name).cloned().unwrap_or_default();
    let findings: Vec<Finding> = serde_json::from_value(part("findings")).unwrap_or_default();
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    let unreachable = part("unreachable").as_array().is_some_and(|hosts| !hosts.is_empty());
    let compared = compared(judgement);
    if args.json {
        let hosts = part("table");
        let all = json!({"healthy": errors == 0, "compared_with": compared, "unreachable": part("unreachable"),
            "findings": findings, "hosts": hosts});
        answer::print(&format!("{all:#}\n"));
    } else {
        let look = Look::of_stdout(0, false);
        answer::print(&text(&findings, part("table").as_array().map_or(&[], Vec::as_slice), &compared, &look));
    }
    ExitCode::from(match (unreachable, errors > 0 || (args.strict && warnings > 0)) {
        (true, _) => 4,
        (false, true) => 2,
        (false, false) => 0,
    })
}

fn compared(judgement: &Map) -> String {
    judgement.get("compared_with").and_then(Value::as_str).unwrap_or("what most nodes say").to_owned()
}

fn text(findings: &[Finding], table: &[Value], compared: &str, look: &Look) -> String {
    let mut text = columns(table, look);
    let _ = writeln!(text, "{}", look.paint(look::FAINT, &format!("compared with {compared}")));
    for finding in findings {
        let (word, style) = match finding.severity {
            Severity::Error => ("error", look::FAILED),
            Severity::Warning => ("warning", look::WARNING),
        };
        let head = look.paint(style, &format!("{word}: {}", finding.id));
        let _ = writeln!(text, "\n{head}  {}", look.paint(look::STRONG, &finding.what));
        for (number, seen) in finding.evidence.iter().enumerate() {
            let _ = writeln!(text, "  {}  {seen}", if number == 0 { "seen" } else { "    " });
        }
        let _ = writeln!(text, "  {}    {}", look.paint(look::HELP, "do"), finding.remedy);
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let warnings = count(findings.len() - errors, "warning");
    if findings.is_empty() {
        text + "\n" + &look.paint(look::OK, "healthy") + "\n"
    } else {
        format!("{text}\n{}, {warnings}\n", count(errors, "error"))
    }
}

/// Rows under their names, as wide as they must be.
fn columns(rows: &[Value], look: &Look) -> String {
    let rows: Vec<&Map> = rows.iter().filter_map(Value::as_object).collect();
    let Some(first) = rows.first() else { return String::new() };
    let cell = |row: &Map, name: &str| row.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    let widths: Vec<usize> = names
        .iter()
        .map(|name| rows.iter().map(|row| cell(row, name).len()).max().unwrap_or(0).max(name.len()))
        .collect();
    let line = |cells: Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| look::pad(cell, *width));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let heading = line(names.iter().map(|name| (*name).to_owned()).collect());
    let mut text = look.paint(look::STRONG, &heading) + "\n";
    for row in rows {
        let _ = writeln!(text, "{}", line(names.iter().map(|name| cell(row, name)).collect()));
    }
    text
}
