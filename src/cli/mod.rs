//! From argv to one function per subcommand.

pub mod answer;
pub mod ceremony;
pub mod client;
pub mod colour;
pub mod connection;
pub mod dkg;
pub mod doc;
pub mod doctor;
pub mod enode;
pub mod enr;
pub mod ethstats;
pub mod genesis;
pub mod init;
pub mod inventory;
pub mod key;
pub mod lock;
pub mod options;
pub mod plan;
pub mod playbook;
pub mod rpc_filter;
pub mod server;

use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

/// Ansible's exit code for a bad command line.
const BAD_COMMAND_LINE: u8 = 5;

/// Run playbooks against the hosts of private Ethereum networks.
#[derive(Debug, Parser)]
#[command(name = "chainwright", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    /// Colours; `auto` means on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    color: colour::When,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run playbooks
    Playbook(playbook::PlaybookArgs),
    /// Show the steps of playbooks and what each waits for
    Plan(plan::PlanArgs),
    Doctor(doctor::DoctorArgs),
    /// Show hosts, groups and variables
    Inventory(inventory::InventoryArgs),
    /// Show what a module does and takes
    Doc(doc::DocArgs),
    /// Show what each client version reads and can do
    Client(client::ClientArgs),
    /// Write an inventory, the playbooks and the roles into a folder
    Init(init::InitArgs),
    /// Make and look after keys of nodes and accounts
    Key(key::KeyArgs),
    /// Write, compare, sign and verify what the members of a network have agreed upon
    Lock(lock::LockArgs),
    /// Read and write enodes: where a node is, and its key
    Enode(enode::EnodeArgs),
    /// Read, check and sign node records (EIP-778)
    Enr(enr::EnrArgs),
    /// Build, hash, check, compare and explain genesis files
    Genesis(genesis::GenesisArgs),
    /// Take part in a key ceremony of Charon (DKG)
    Dkg(dkg::DkgArgs),
    /// Make one genesis with other organisations, over DNS with DNSSEC
    Ceremony(ceremony::CeremonyArgs),
    /// Serve the stats page of a network
    Ethstats(ethstats::EthstatsArgs),
    /// Pass on to a node what clients may ask of it
    RpcFilter(rpc_filter::RpcFilterArgs),
    /// Serve on stdin and stdout; started by the controller on each host
    #[command(hide = true)]
    Agent,
}

/// The command line as clap knows it: the README's commands are held against it.
pub fn command() -> clap::Command {
    Cli::command()
}

/// `chainwright ... | head`: once nobody reads what is printed, there is nothing left to do and nothing to complain about.
/// Runs do not print this way: no reader's going away must stop one half-way.
fn end_quietly_on_a_closed_pipe() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>().map(String::as_str).unwrap_or_default();
        if said.starts_with("failed printing to stdout") && said.contains("Broken pipe") {
            std::process::exit(0);
        }
        report(panic);
    }));
}

/// Runs the command line.
pub fn main() -> ExitCode {
    // The agent must be up at once: it is the only subcommand that has no options.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == "agent") {
        // A task that is left to itself.
        if std::env::args_os().nth(2).is_some_and(|argument| argument == "job") {
            return crate::agent::job::main();
        }
        return crate::agent::serve::main();
    }
    end_quietly_on_a_closed_pipe();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(BAD_COMMAND_LINE) } else { ExitCode::SUCCESS };
        }
    };
    colour::choose(cli.color);
    match cli.command {
        Command::Playbook(args) => playbook::run(args),
        Command::Plan(args) => plan::run(&args),
        Command::Doctor(args) => doctor::run(args),
        Command::Inventory(args) => inventory::run(&args),
        Command::Doc(args) => doc::run(&args),
        Command::Client(args) => client::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Key(args) => key::run(&args),
        Command::Lock(args) => lock::run(&args),
        Command::Enode(args) => enode::run(&args),
        Command::Enr(args) => enr::run(&args),
        Command::Genesis(args) => genesis::run(args),
        Command::Dkg(args) => dkg::run(&args),
        Command::Ceremony(args) => ceremony::run(&args),
        Command::Ethstats(args) => ethstats::run(args),
        Command::RpcFilter(args) => rpc_filter::run(&args),
        Command::Agent => crate::agent::serve::main(),
    }
}
