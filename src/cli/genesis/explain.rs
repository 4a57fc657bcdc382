//! `chainwright genesis explain`: what a file is, in plain words.

use super::{ClientArgs, sound, source};
use crate::base::Failure;
use crate::chain::genesis::fork_id::{fork_ids, name_step};
use crate::chain::genesis::forks::Target;
use crate::chain::genesis::{BlockZero, Engine, Format, Genesis, networks};
use crate::chain::quantity::amount;
use crate::cli::answer::print;
use alloy_primitives::{Address, U256};
use clap::Args;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Say in plain words what a genesis is: engine, signers, forks, money, hash, fork id.
#[derive(Debug, Args)]
#[command(disable_version_flag = true, after_help = "Example:\n  chainwright genesis explain genesis.json")]
pub(super) struct ExplainArgs {
    /// The genesis; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    client: ClientArgs,
}

/// Of a long list so many entries are printed.
const SHOWN: usize = 12;

/// Prints the page.
pub(super) fn run(args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let source = source(&args.file)?;
    let named = args.client.target()?;
    let file = sound(&source, named)?;
    let target = super::or_usual(named, &file.genesis);
    print(&page(&file.genesis, target));
    Ok(ExitCode::SUCCESS)
}

fn page(genesis: &Genesis, target: Target) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let mut rows = value.lines();
        let _ = writeln!(text, "{name:<12}{}", rows.next().unwrap_or_default());
        for row in rows {
            let _ = writeln!(text, "{:<12}{row}", "");
        }
    };
    line("format", genesis.format.name());
    line("chain id", &chain_id(genesis));
    line("engine", &engine(genesis));
    let validators = genesis.validators();
    if !validators.is_empty() {
        line(if genesis.engine == Engine::Clique { "signers" } else { "validators" }, &signers(genesis, &validators));
    }
    line("forks", &forks(genesis, target));
    line(
        "block 0",
        &format!("gas limit {}, difficulty {}, {}", genesis.gas_limit, genesis.difficulty, when(genesis.timestamp)),
    );
    line("accounts", &accounts(genesis));
    match BlockZero::new(genesis).and_then(|block| block.read_by(target).map(|()| block)) {
        Ok(block) => {
            let hash = block.header(target).hash();
            line("state root", &block.state_root.to_string());
            line("hash", &format!("{hash} (as {target} computes it)"));
            let others: Vec<String> = block
                .ages()
                .into_iter()
                .filter(|age| genesis.format == Format::Geth && age.hash != hash)
                .map(|age| {
                    let end =
                        age.before.map_or_else(|| format!("{} and later", age.since), |end| format!("before {end}"));
                    format!("{} (geth {end})", age.hash)
                })
                .collect();
            if !others.is_empty() {
                line("", &others.join("\n"));
            }
            if genesis.format != Format::Parity {
                let ids = fork_ids(genesis, hash, target);
                let steps = ids.iter().map(|id| {
                    let next = if id.next == 0 {
                        "then no fork is known".to_owned()
                    } else {
                        format!("then {}", name_step(genesis, id.next))
                    };
                    format!("{}, {next}", alloy_primitives::hex::encode_prefixed(id.hash))
                });
                line("fork id", &steps.collect::<Vec<_>>().join("\n"));
            }
        }
        Err(failure) => line("hash", &failure.message),
    }
    text
}

fn chain_id(genesis: &Genesis) -> String {
    let Some(id) = genesis.chain_id else { return "none".into() };
    let known = u64::try_from(id).ok().and_then(|id| networks::public(id).or_else(|| networks::development(id)));
    known.map_or_else(|| id.to_string(), |name| format!("{id}, that of {name}"))
}

fn engine(genesis: &Genesis) -> String {
    let setting = |names: &[&str]| names.iter().find_map(|name| genesis.settings.get(*name));
    let mut text = genesis.engine.name().to_owned();
    let period = [
        "clique.period",
        "clique.blockperiodseconds",
        "qbft.blockperiodseconds",
        "ibft2.blockperiodseconds",
        "ibft.blockperiodseconds",
        "engine.stepduration",
        "tendermint.block-period",
        "autonity.blockperiod",
    ];
    if let Some(period) = setting(&period) {
        let _ = write!(text, ", a block every {period} s");
    }
    if let Some(epoch) =
        setting(&["clique.epoch", "clique.epochlength", "qbft.epochlength", "ibft2.epochlength", "istanbul.epoch"])
    {
        let _ = write!(text, ", votes reset every {epoch} blocks");
    }
    if let Some(ttd) = genesis.terminal_total_difficulty {
        let _ = write!(text, ", terminal total difficulty {ttd}");
    }
    text
}

fn signers(genesis: &Genesis, validators: &[Address]) -> String {
    let mut rows: Vec<String> = validators.iter().take(SHOWN).map(Address::to_string).collect();
    if validators.len() > SHOWN {
        rows.push(format!("... and {} more", validators.len() - SHOWN));
    }
    if let Some(needed) = genesis.quorum(validators.len()) {
        let spare = validators.len() - needed.min(validators.len());
        rows.push(format!("{needed} of {} must be live for blocks to come: {spare} may be down", validators.len()));
    }
    rows.join("\n")
}

/// Forks that begin together stand in one line.
fn forks(genesis: &Genesis, target: Target) -> String {
    if genesis.format == Format::Parity {
        let mut blocks: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for (path, value) in &genesis.settings {
            if let (Some(name), Ok(block)) = (path.strip_prefix("params."), value.parse())
                && let Some(name) = name.strip_suffix("transition")
            {
                blocks.entry(block).or_default().push(name);
            }
        }
        let rows: Vec<String> =
            blocks.iter().map(|(block, names)| format!("block {block}: {}", names.join(", "))).collect();
        return if rows.is_empty() { "none: the rules of Frontier".into() } else { rows.join("\n") };
    }
    let mut steps: BTreeMap<(bool, u64), Vec<String>> = BTreeMap::new();
    for (fork, at) in &genesis.forks {
        let begun = genesis.begins_with(*fork);
        let name = fork.fact().name;
        let name = if target.knows(*fork) { name.to_owned() } else { format!("{name} (which {target} does not know)") };
        steps.entry(if begun { (false, 0) } else { (fork.timed(), *at) }).or_default().push(name);
    }
    let rows = steps.into_iter().map(|((timed, at), names)| match (timed, at) {
        (false, 0) => format!("from the beginning: {}", names.join(", ")),
        (false, at) => format!("block {at}: {}", names.join(", ")),
        (true, at) => format!("time {at}: {}", names.join(", ")),
    });
    let rows: Vec<String> = rows.collect();
    if rows.is_empty() { "none: the rules of Frontier".into() } else { rows.join("\n") }
}

fn when(timestamp: u64) -> String {
    let date = i64::try_from(timestamp).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    match date {
        Some(date) if timestamp > 0 => format!("time {timestamp} ({date})"),
        _ => format!("time {timestamp}"),
    }
}

fn accounts(genesis: &Genesis) -> String {
    let sum = genesis.alloc.values().try_fold(U256::ZERO, |sum, account| sum.checked_add(account.balance));
    let sum = sum.map_or_else(|| "more than 256 bits".to_owned(), amount);
    let contracts = genesis.alloc.values().filter(|account| !account.code.is_empty()).count();
    let mut rows = vec![format!("{}, {contracts} of them with code; together {sum}", genesis.alloc.len())];
    let mut rich: Vec<_> = genesis.alloc.iter().filter(|(_, account)| account.balance > U256::ONE).collect();
    rich.sort_by(|one, two| two.1.balance.cmp(&one.1.balance).then(one.0.cmp(two.0)));
    rows.extend(rich.iter().take(SHOWN).map(|(address, account)| format!("{address}  {}", amount(account.balance))));
    if rich.len() > SHOWN {
        rows.push(format!("... and {} more", rich.len() - SHOWN));
    }
    rows.join("\n")
}
