//! From argv to one function per subcommand.

pub mod doc;
pub mod ethstats;
pub mod init;
pub mod inventory;
pub mod options;
pub mod plan;
pub mod playbook;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Ansible's exit code for a bad command line.
const BAD_COMMAND_LINE: u8 = 5;

/// Run playbooks against the hosts of private Ethereum networks.
#[derive(Debug, Parser)]
#[command(name = "chainwright", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run playbooks
    Playbook(playbook::PlaybookArgs),
    /// Show the steps of playbooks and what each waits for
    Plan(plan::PlanArgs),
    /// Show hosts, groups and variables
    Inventory(inventory::InventoryArgs),
    /// Show what a module does and takes
    Doc(doc::DocArgs),
    /// Write an inventory, the playbooks and the roles into a folder
    Init(init::InitArgs),
    /// Serve the stats page of a network
    Ethstats(ethstats::EthstatsArgs),
    /// Serve on stdin and stdout; started by the controller on each host
    #[command(hide = true)]
    Agent,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    // The agent must be up at once: it is the only subcommand that has no options.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == "agent") {
        return crate::agent::serve::main();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(BAD_COMMAND_LINE) } else { ExitCode::SUCCESS };
        }
    };
    match cli.command {
        Command::Playbook(args) => playbook::run(args),
        Command::Plan(args) => plan::run(&args),
        Command::Inventory(args) => inventory::run(&args),
        Command::Doc(args) => doc::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Ethstats(args) => ethstats::run(args),
        Command::Agent => crate::agent::serve::main(),
    }
}
