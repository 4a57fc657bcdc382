//! `chainwright genesis build`: a genesis from a few words, or from the options of `eth_genesis` in a file.

use crate::base::{Failure, Map, Source, Value, failure::Context};
use crate::cli::answer::print;
use crate::language::yaml;
use crate::modules;
use crate::modules::eth_network::Network;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Make a genesis from a few words: the same bytes for the same network, whatever order things are named in.
///
/// The options are those of the module `eth_genesis` (`chainwright doc eth_genesis`); --from reads them from a YAML file, and
/// what is given here wins over it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chainwright genesis build --from network.yml > genesis.json")]
pub(super) struct BuildArgs {
    /// A YAML or JSON file with options of `eth_genesis`
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// clique, qbft, ibft2, istanbul, aura, autonity or ethereum
    #[arg(long, value_name = "NAME")]
    engine: Option<String>,
    /// Whose format, where an engine has several: geth, besu, goquorum
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// The client's version, for Autonity
    #[arg(long, value_name = "VERSION")]
    client_version: Option<String>,
    /// The chain id, which is the network id too
    #[arg(long, value_name = "N")]
    chain_id: Option<u64>,
    /// Seconds between blocks
    #[arg(long, value_name = "SECONDS")]
    period: Option<u64>,
    /// Blocks after which votes on signers are reset
    #[arg(long, value_name = "BLOCKS")]
    epoch: Option<u64>,
    /// Who may seal; give it for each
    #[arg(long, alias = "validator", value_name = "ADDRESS")]
    signer: Vec<String>,
    /// Who has what: `0x...=1000 ether`; give it for each
    #[arg(long, value_name = "ADDRESS=AMOUNT")]
    alloc: Vec<String>,
    /// A fork that does not begin with block 0: `londonBlock=1000`, `londonBlock=never`
    #[arg(long, value_name = "NAME=BLOCK")]
    fork: Vec<String>,
    /// More of the file's `config`: `zeroBaseFee=true`
    #[arg(long, value_name = "NAME=JSON")]
    config: Vec<String>,
    /// Gas limit of block 0
    #[arg(long, value_name = "GAS")]
    gas_limit: Option<u64>,
    /// Time of block 0, in seconds since 1970
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<u64>,
    /// Write into this file instead of standard output; another one that is there is not overwritten
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints or writes the file; its hash goes to standard error.
pub(super) fn run(args: &BuildArgs) -> Result<ExitCode, Failure> {
    let network = network(args)?;
    let made = network.make(false)?.ok_or_else(|| Failure::new("the network has no signers"))?;
    match &args.output {
        None => print(&made.text),
        Some(path) => match std::fs::read_to_string(path) {
            Ok(there) if there == made.text => {}
            Ok(_) => {
                return Err(Failure::new(format!("{} is there already, with another genesis", path.display()))
                        .help("a genesis of a living network cannot change: remove it first if no node has it, or write another file"));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                std::fs::write(path, &made.text).context(path.display())?;
            }
            Err(error) => return Err(Failure::new(format!("{}: {error}", path.display()))),
        },
    }
    match &made.header {
        Some(header) => eprintln!("hash of block 0: {}", header.hash()),
        None => eprintln!("note: the hash of an Autonity genesis does not follow from the file"),
    }
    Ok(ExitCode::SUCCESS)
}

fn network(args: &BuildArgs) -> Result<Network, Failure> {
    let mut options = match &args.from {
        None => Map::new(),
        Some(path) => from_file(path)?,
    };
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            options.insert(name.into(), value);
        }
    };
    set("engine", args.engine.clone().map(Value::from));
    set("client", args.client.clone().map(Value::from));
    set("client_version", args.client_version.clone().map(Value::from));
    set("chain_id", args.chain_id.map(Value::from));
    set("period", args.period.map(Value::from));
    set("epoch", args.epoch.map(Value::from));
    set("gas_limit", args.gas_limit.map(Value::from));
    set("timestamp", args.timestamp.map(Value::from));
    set("signers", (!args.signer.is_empty()).then(|| args.signer.clone().into()));
    for (name, pairs) in [("alloc", &args.alloc), ("forks", &args.fork), ("config", &args.config)] {
        for pair in pairs {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                Failure::new(format!("`{pair}` has no `=`")).help("write NAME=VALUE, for example londonBlock=1000")
            })?;
            let value = match (name, value) {
                ("forks", "never") => Value::Null,
                ("config", text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
                (_, text) => text.into(),
            };
            let table = options.entry(name).or_insert_with(|| Map::new().into());
            match table.as_object_mut() {
                Some(table) => drop(table.insert(key.trim().into(), value)),
                None => return Err(Failure::new(format!("`{name}` is no table"))),
            }
        }
    }
    if !options.contains_key("chain_id") {
        return Err(
            Failure::new("there is no chain id").help("write --chain-id N with a number that no other network has")
        );
    }
    // The module's own check tells mistyped options; it wants a path that is not used here.
    let mut whole = options.clone();
    whole.insert("path".into(), "genesis.json".into());
    if let Some(signers) = options.shift_remove("validators") {
        options.insert("signers".into(), signers);
    }
    let entry = modules::find("eth_genesis").ok_or_else(|| Failure::new("there is no module eth_genesis"))?;
    modules::arguments::check_names(entry, whole.keys().map(String::as_str))?;
    (entry.check)(whole)?;
    serde_json::from_value(options.into()).map_err(|error| Failure::new(error.to_string()))
}

fn from_file(path: &std::path::Path) -> Result<Map, Failure> {
    let source = Source::read(path).context(path.display())?;
    let node = yaml::load(&source).map_err(|mistakes| {
        super::tell(&mistakes, false);
        Failure::new(format!("{} cannot be read", path.display()))
    })?;
    match node.to_value() {
        Value::Object(mut options) => {
            // What belongs to a host's file and not to the network.
            for name in ["path", "owner", "group", "datadir"] {
                options.shift_remove(name);
            }
            Ok(options)
        }
        Value::Null => Ok(Map::new()),
        _ => {
            Err(Failure::new(format!("{} is not a table of options", path.display()))
                .help("write `chain_id: 46781`, ..."))
        }
    }
}
