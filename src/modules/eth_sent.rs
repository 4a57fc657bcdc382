//! A transaction that was noted before it was sent: what became of it, and how it becomes a receipt, even if the run that sent it was
//! killed.

use super::eth_sender::{SenderOptions, whole};
use super::{Cx, Result, eth};
use crate::base::{Diff, Failure, Value};
use crate::chain::rpc::Client;
use crate::chain::{Address, B256, quantity};
use crate::system::{Hold, System, Traits, Writer};
use alloy_primitives::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// A transaction as it is noted on the host before it is sent. The signed bytes are noted, too: sent again they are the same
/// transaction, so however often a run is killed it happens once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// Who sends it.
    pub from: Address,
    /// Its place among the sender's.
    pub nonce: u64,
    /// Its hash.
    pub transaction: B256,
    /// What is sent.
    pub raw: Bytes,
}

/// A transaction in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// False: it failed, and only its gas was paid. Blocks before Byzantium do not say.
    pub succeeded: bool,
    /// The block's number.
    pub block: u64,
    /// What it used.
    pub gas_used: u64,
}

/// What became of a noted transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is in a block.
    Mined(Receipt),
    /// It can still come into a block: it waits in the node's pool, or was never sent.
    Open,
    /// Its nonce was used by another transaction: it never comes into a block.
    Lost,
}

/// Sends a noted transaction, if it is not in a block yet, and waits until it is, as deep as was asked for. A transaction that failed
/// is a failure that names it.
pub fn see_through(
    options: &SenderOptions,
    system: &System,
    client: &Client,
    noted: &Noted,
    what: &str,
) -> Result<Receipt> {
    let hash = noted.transaction;
    if receipt(client, hash)?.is_none()
        && let Err(failure) = client.call("eth_sendRawTransaction", json!([noted.raw]))
        // Nodes have many words for "I have it already".
        && client.call("eth_getTransactionByHash", json!([hash]))?.is_null()
    {
        return Err(failure.context(format!("to {what}: transaction {hash} was not taken")));
    }
    let deep = whole("confirmations", options.confirmations)?;
    let patience = options.patience()?;
    let (done, seen) = eth::wait(system, patience, || {
        let look = || -> Result<(Option<Receipt>, u64)> {
            Ok((receipt(client, hash)?, eth::quantity(client, "eth_blockNumber")?))
        };
        match look() {
            Ok((Some(receipt), head)) => {
                (!receipt.succeeded || head >= receipt.block.saturating_add(deep), Ok((Some(receipt), head)))
            }
            other => (false, other),
        }
    })?;
    match seen? {
        (Some(receipt), _) if !receipt.succeeded => Err(failed(client, noted, receipt, what)),
        (Some(receipt), _) if done => Ok(receipt),
        (Some(receipt), head) => Err(Failure::new(format!(
            "to {what}: transaction {hash} is in block {}, and after {} s the head is {head}, not {deep} blocks above it",
            receipt.block,
            patience.as_secs()
        ))
        .help("run it again: it goes on waiting for the same transaction")),
        (None, head) => {
            let why = waiting(client, noted, head);
            Err(Failure::new(format!(
                "to {what}: transaction {hash} is in no block after {} s: {why}",
                patience.as_secs()
            ))
            .help("run it again: it goes on waiting for the same transaction"))
        }
    }
}

fn failed(client: &Client, noted: &Noted, receipt: Receipt, what: &str) -> Failure {
    let sent = client.call("eth_getTransactionByHash", json!([noted.transaction])).ok();
    let gas = sent.as_ref().and_then(|sent| quantity::small(sent.get("gas")?).ok());
    let used = match gas {
        Some(gas) if gas <= receipt.gas_used => format!("it used all of its {gas} gas"),
        Some(gas) => format!("it used {} of its {gas} gas, so it was reverted", receipt.gas_used),
        None => format!("it used {} gas", receipt.gas_used),
    };
    let (hash, block) = (noted.transaction, receipt.block);
    Failure::new(format!("to {what}: transaction {hash} failed in block {block}: {used}"))
        .help("what it was to do has not happened; when the cause is gone, run it again: it sends a new transaction")
}

/// What became of a noted transaction. One that waits for others that nobody has is a failure.
pub fn fate(system: &System, client: &Client, noted: &Noted) -> Result<Fate> {
    if let Some(receipt) = receipt(client, noted.transaction)? {
        return Ok(Fate::Mined(receipt));
    }
    let next = count(client, noted.from, "latest")?;
    if next > noted.nonce {
        // It may have come into a block between the two questions, or one of several nodes behind an address may lag.
        let (_, seen) = eth::wait(system, Duration::from_secs(2), || {
            let seen = receipt(client, noted.transaction);
            (!matches!(seen, Ok(None)), seen)
        })?;
        return Ok(seen?.map_or(Fate::Lost, Fate::Mined));
    }
    let pending = count(client, noted.from, "pending")?;
    if pending < noted.nonce {
        return Err(Failure::new(format!(
            "transaction {} has nonce {}, but the node knows of none of {} from nonce {pending} on: those before it were lost, and it \
             can never come into a block without them",
            noted.transaction, noted.nonce, noted.from
        ))
        .help("send those again, or remove the file that it is noted in, so that a new one is made"));
    }
    Ok(Fate::Open)
}

fn receipt(client: &Client, hash: B256) -> Result<Option<Receipt>> {
    let answer = client.call("eth_getTransactionReceipt", json!([hash]))?;
    // Nethermind and OpenEthereum show pending ones without a block.
    let Some(block) = answer.get("blockNumber").filter(|block| !block.is_null()) else { return Ok(None) };
    let status = answer.get("status").filter(|status| !status.is_null()).map(quantity::small).transpose()?;
    Ok(Some(Receipt {
        succeeded: status != Some(0),
        block: quantity::small(block)?,
        gas_used: quantity::small(answer.get("gasUsed").unwrap_or(&Value::Null))?,
    }))
}

/// How many transactions an account has sent: `latest` counts those in blocks, `pending` those in the pool, too.
pub fn count(client: &Client, account: Address, when: &str) -> Result<u64> {
    quantity::small(&client.call("eth_getTransactionCount", json!([account, when]))?)
}

/// Why a transaction is still in no block, as far as the node shows it.
fn waiting(client: &Client, noted: &Noted, head: u64) -> String {
    let known = client.call("eth_getTransactionByHash", json!([noted.transaction])).is_ok_and(|sent| !sent.is_null());
    let next = count(client, noted.from, "latest").unwrap_or(noted.nonce);
    let block = eth::block(client, "latest").ok().flatten();
    let age = block.map_or_else(String::new, |block| format!(", sealed at {}", eth::clock(block.time)));
    if !known {
        format!("the node has dropped it (head {head}{age})")
    } else if next < noted.nonce {
        format!("it has nonce {}, and {} must send {next} first (head {head}{age})", noted.nonce, noted.from)
    } else {
        format!("the node has it, but nobody seals it (head {head}{age})")
    }
}

/// Reads what a module notes in a file of the host.
pub fn read_note<T: for<'de> Deserialize<'de>>(system: &System, path: &Path) -> Result<Option<T>> {
    let Some(text) = system.read_text_if_there(path)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Failure::new(format!("{}: this is not what is noted there of a transaction: {error}", path.display()))
            .help("restore the file from a backup, or name another one")
    })
}

/// Writes such a note: it is on the disk when this returns.
pub fn write_note(writer: &Writer, path: &Path, note: &impl Serialize) -> Result<()> {
    if let Some(folder) = path.parent() {
        writer.folders(folder, Traits::default())?;
    }
    let text =
        serde_json::to_string_pretty(note).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    writer.write(path, format!("{text}\n").as_bytes(), Traits::mode(0o600))
}

/// Does something that no second run may do at the same time, as far as it uses the same note; and only if that still is what was read.
pub fn alone<N: PartialEq + for<'de> Deserialize<'de>, T>(
    cx: &mut Cx,
    diff: Diff,
    path: &Path,
    read: Option<&N>,
    act: impl FnOnce(&Writer) -> Result<T>,
) -> Result<Option<T>> {
    let lock = path.with_added_extension("lock");
    cx.change(diff, |writer| {
        let system = writer.system();
        if let Some(folder) = path.parent() {
            writer.folders(folder, Traits::default())?;
        }
        // A run that was killed may still be ending on this host.
        let (_, held) = eth::wait(system, Duration::from_secs(10), || {
            let held = system.hold(&lock, "chainwright\n");
            (matches!(held, Ok(Hold::Held) | Err(_)), held)
        })?;
        if let Hold::By(_) = held? {
            return Err(Failure::new(format!("another run is at it: it holds {}", lock.display()))
                .help("wait until that has ended, and run again"));
        }
        let result = match read_note::<N>(system, path) {
            Ok(note) if note.as_ref() == read => act(writer),
            Ok(_) => Err(Failure::new(format!("another run has just changed {}", path.display())).help("run again")),
            Err(failure) => Err(failure),
        };
        system.release(&lock);
        result
    })
}
