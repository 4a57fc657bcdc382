//! Options that several subcommands share, and what is read because of them.

use crate::base::diagnostic::Checked;
use crate::base::{Diagnostic, Failure};
use crate::language::inventory::Inventory;
use crate::language::layers::Table;
use crate::language::loader::Loader;
use crate::language::playbook::Playbook;
use crate::language::template::Templates;
use crate::plan::{check, flatten_play};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Which hosts, with which variables.
#[derive(Debug, Args)]
pub struct HostArgs {
    /// Inventory: a file, a folder, an executable, or a list of hosts with a comma (`a,b,`)
    #[arg(short, long = "inventory", alias = "inventory-file", value_name = "INVENTORY", env = "ANSIBLE_INVENTORY")]
    pub inventory: Vec<String>,
    /// Take only these hosts: a pattern such as `sealers:!sealer1`
    #[arg(short, long, value_name = "PATTERN")]
    pub limit: Option<String>,
    /// Variables that win over all others: `name=value`, JSON, or `@FILE`
    #[arg(short, long = "extra-vars", value_name = "VARS")]
    pub extra_vars: Vec<String>,
}

/// Which tasks.
#[derive(Debug, Args)]
pub struct TaskArgs {
    /// Run only tasks with these tags
    #[arg(short, long, value_name = "TAGS", value_delimiter = ',')]
    pub tags: Vec<String>,
    /// Leave out tasks with these tags
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub skip_tags: Vec<String>,
}

/// Everything that is read before anything connects.
pub struct Read {
    /// Hosts and groups.
    pub inventory: Inventory,
    /// `-e`.
    pub extra: Table,
    /// Reads further files while the run goes on.
    pub loader: Loader,
    /// In the order typed.
    pub playbooks: Vec<Playbook>,
    /// Odd, but no reason to stop.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the inventory.
pub fn inventory(sources: &[String]) -> Checked<Inventory> {
    if sources.is_empty() {
        return Ok(Inventory::empty());
    }
    Inventory::load(sources, &|path, arguments| {
        let output = Command::new(path)
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(format!("it ended with {}", output.status))
        }
    })
}

/// Reads and checks everything; all mistakes of all files come together.
pub fn read(hosts: &HostArgs, playbooks: &[PathBuf]) -> Checked<Read> {
    let mut mistakes = Vec::new();
    let mut keep = |result: Checked<Table>| result.map_err(|found| mistakes.extend(found)).ok();
    let extra = keep(crate::language::extra::extra_vars(&hosts.extra_vars)).unwrap_or_default();
    let inventory = inventory(&hosts.inventory).map_err(|found| mistakes.extend(found)).ok();
    let loader = Loader::new(roles_path(), extra.clone());
    let templates = Templates::new();
    let mut read = Vec::new();
    for path in playbooks {
        match loader.playbook(path) {
            Ok(playbook) => {
                for play in &playbook.plays {
                    mistakes.extend(check::play(&flatten_play(play, false), &templates));
                }
                read.push(playbook);
            }
            Err(found) => mistakes.extend(found),
        }
    }
    let mut unique: Vec<Diagnostic> = Vec::new();
    for mistake in mistakes {
        if !unique.contains(&mistake) {
            unique.push(mistake);
        }
    }
    match inventory {
        Some(inventory) if unique.is_empty() => {
            let mut warnings = loader.take_warnings();
            warnings.extend(inventory.warnings.iter().cloned());
            Ok(Read { inventory, extra, loader, playbooks: read, warnings })
        }
        _ => Err(unique),
    }
}

fn roles_path() -> Vec<PathBuf> {
    let own = std::env::var_os("ANSIBLE_ROLES_PATH").map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>());
    own.unwrap_or_default()
}

/// Prints mistakes, each with its place.
pub fn complain(mistakes: &[Diagnostic]) {
    let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    for mistake in mistakes {
        eprintln!("{}\n", mistake.render(colour));
    }
}

/// Ansible's exit code for files that do not parse.
pub fn unreadable(mistakes: &[Diagnostic]) -> ExitCode {
    complain(mistakes);
    let count = mistakes.iter().filter(|mistake| !mistake.warning).count();
    eprintln!("{count} {}; nothing has run", if count == 1 { "mistake" } else { "mistakes" });
    ExitCode::from(4)
}

/// The path as the user typed it, if the file is there.
pub fn existing(path: &Path) -> Result<(), Failure> {
    if path.is_file() { Ok(()) } else { Err(Failure::new(format!("there is no playbook {}", path.display()))) }
}
