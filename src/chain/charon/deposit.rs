//! Deposits that a ceremony signed beforehand: whether their amounts are those that were agreed to, and whether the files
//! `deposit-data*.json`, which people hand to the deposit contract, have the lock's deposits and nothing else.

use super::definition::Definition;
use super::json::Amount;
use super::lock::{Deposit, DistributedValidator, Lock};
use super::ssz::{self, Root};
use super::{Version, network};
use crate::base::{Failure, Value, failure::Result};
use alloy_primitives::hex;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::json;
use serde_json::ser::PrettyFormatter;
use std::collections::BTreeMap;

/// What makes a validator active, in gwei; the only deposit before version 1.8 (consensus specifications, `MIN_ACTIVATION_BALANCE`).
const FULL: u64 = 32_000_000_000;
/// In gwei.
const ETHER: u64 = 1_000_000_000;
/// The deposit contract takes no less (`MIN_DEPOSIT_AMOUNT`).
const LEAST: u64 = ETHER;
/// More does not count for a validator that compounds (`MAX_EFFECTIVE_BALANCE_ELECTRA`).
const MOST_COMPOUNDING: u64 = 2_048_000_000_000;

/// The version of the format that charon v1.10 names (that of the staking deposit tool).
const FORMAT: &str = "2.7.0";

/// One deposit in a file, as the deposit tools of Ethereum write it: bytes without `0x`.
#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(deserialize_with = "bare")]
    pubkey: Vec<u8>,
    #[serde(deserialize_with = "bare")]
    withdrawal_credentials: Vec<u8>,
    amount: Amount,
    #[serde(deserialize_with = "bare")]
    signature: Vec<u8>,
    #[serde(deserialize_with = "bare")]
    deposit_message_root: Vec<u8>,
    #[serde(deserialize_with = "bare")]
    deposit_data_root: Vec<u8>,
    #[serde(deserialize_with = "bare")]
    fork_version: Vec<u8>,
    network_name: String,
}

fn bare<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    hex::decode(&text).map_err(|_| D::Error::custom("a text that is not hexadecimal"))
}

/// Checks the amounts of one validator's deposits. What was agreed to is there, once each however often it was named; where
/// nothing was, charon chooses: the full deposit is among them.
pub(super) fn verify_amounts(deposits: &[&Deposit], definition: &Definition, version: Version) -> Result<()> {
    let sorted = |mut amounts: Vec<u64>| {
        amounts.sort_unstable();
        amounts
    };
    let made = sorted(deposits.iter().map(|deposit| deposit.amount.0).collect());
    let mut agreed = sorted(definition.deposit_amounts.iter().map(|amount| amount.0).collect());
    agreed.dedup();
    if !version.has_deposit_amounts() {
        agreed = vec![FULL];
    }
    let wrong = |why: String| Err(Failure::new(format!("its deposits are of {} gwei, {why}", words(&made))));
    if !agreed.is_empty() {
        return if made == agreed { Ok(()) } else { wrong(format!("and {} were agreed to", words(&agreed))) };
    }
    let most = if definition.compounding { MOST_COMPOUNDING } else { FULL };
    if made.iter().any(|amount| !(LEAST..=most).contains(amount)) || made.windows(2).any(|two| two[0] == two[1]) {
        return wrong(format!("where each must be another one of {LEAST} to {most}"));
    }
    if made.contains(&FULL) { Ok(()) } else { wrong(format!("and none is the full one of {FULL}")) }
}

/// Charon names the amount in ether, unless it is the full one.
fn file_name(amount: u64) -> String {
    if amount == FULL {
        return "deposit-data.json".to_owned();
    }
    let (ether, rest) = (amount / ETHER, amount % ETHER);
    let fraction = if rest == 0 { String::new() } else { format!(".{rest:09}") };
    format!("deposit-data-{ether}{}eth.json", fraction.trim_end_matches('0'))
}

fn words(amounts: &[u64]) -> String {
    match amounts {
        [] => "no".to_owned(),
        amounts => amounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

impl Lock {
    /// The files of this lock's deposits with their names, byte for byte as charon writes them: one of each amount, the
    /// validators in the order of their keys.
    pub fn deposit_files(&self) -> Result<Vec<(String, String)>> {
        let (fork, network) = (&self.definition.fork_version.0, network::name(self.definition.chain_id()?));
        let mut files: BTreeMap<u64, BTreeMap<&[u8], Value>> = BTreeMap::new();
        for deposit in self.validators.iter().flat_map(DistributedValidator::deposits) {
            let entry = json!({
                "pubkey": hex::encode(&deposit.pubkey.0),
                "withdrawal_credentials": hex::encode(&deposit.withdrawal_credentials.0),
                "amount": deposit.amount.0,
                "signature": hex::encode(&deposit.signature.0),
                "deposit_message_root": hex::encode(ssz::container(&deposit.message_fields()?)),
                "deposit_data_root": hex::encode(ssz::container(&deposit.fields()?)),
                "fork_version": hex::encode(fork),
                "network_name": network,
                "deposit_cli_version": FORMAT,
            });
            files.entry(deposit.amount.0).or_default().insert(&deposit.pubkey.0, entry);
        }
        let file = |(amount, entries): (u64, BTreeMap<&[u8], Value>)| {
            let mut text = Vec::new();
            let list: Vec<Value> = entries.into_values().collect();
            let mut format = serde_json::Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b" "));
            list.serialize(&mut format).map_err(|error| Failure::new(format!("the deposits: {error}")))?;
            Ok((file_name(amount), String::from_utf8_lossy(&text).into_owned()))
        };
        files.into_iter().map(file).collect()
    }

    /// Checks the files of deposits, each with its name and content: together they have every deposit of this lock, once, and
    /// nothing else. The lock itself must have been [checked](Self::verify).
    pub fn verify_deposit_files(&self, files: &[(String, String)]) -> Result<()> {
        let mut seen: Vec<&Deposit> = Vec::new();
        for (name, text) in files {
            // Who reads the file is a contract's front end: whatever else is in it must be right, too.
            let entries: Vec<Entry> = serde_json::from_str(text)
                .map_err(|error| Failure::new(format!("{name}: this is no list of deposits: {error}")))?;
            for entry in &entries {
                let deposit = self.verify_entry(entry).map_err(|failure| failure.context(name))?;
                if seen.iter().any(|it| std::ptr::eq(*it, deposit)) {
                    let key = deposit.pubkey.to_string();
                    let amount = deposit.amount.0;
                    return Err(Failure::new(format!("{name}: the deposit of {amount} gwei for {key} is there twice")));
                }
                seen.push(deposit);
            }
        }
        for (at, validator) in self.validators.iter().enumerate() {
            if let Some(missing) = validator.deposits().find(|it| !seen.iter().any(|seen| std::ptr::eq(*seen, *it))) {
                return Err(Failure::new(format!(
                    "no deposit-data file has the deposit of {} gwei of validator {}, which the lock has",
                    missing.amount.0,
                    at + 1
                )));
            }
        }
        Ok(())
    }

    /// The lock's deposit that this is.
    fn verify_entry(&self, entry: &Entry) -> Result<&Deposit> {
        let key = hex::encode_prefixed(&entry.pubkey);
        let at = self.validators.iter().position(|it| it.distributed_public_key.0 == entry.pubkey);
        let at = at.ok_or_else(|| Failure::new(format!("the deposit for {key} is of no validator of the lock")))?;
        let (name, amount) = (format!("validator {}", at + 1), entry.amount.0);
        let wrong = |why: String| Err(Failure::new(format!("{name}, deposit of {amount} gwei: {why}")));
        let Some(deposit) = self.validators[at].deposits().find(|it| it.amount == entry.amount) else {
            return wrong("the lock has no deposit of this amount".to_owned());
        };
        if entry.withdrawal_credentials != deposit.withdrawal_credentials.0 {
            return wrong(format!(
                "the stake goes back to {}, and in the lock to {}",
                hex::encode_prefixed(&entry.withdrawal_credentials),
                deposit.withdrawal_credentials
            ));
        }
        // There is but one signature of a message by a key, and that of the lock was checked.
        if entry.signature != deposit.signature.0 {
            return wrong("its signature is not the one in the lock".to_owned());
        }
        let roots: [(&str, &[u8], Root); 2] = [
            ("deposit_message_root", &entry.deposit_message_root, ssz::container(&deposit.message_fields()?)),
            ("deposit_data_root", &entry.deposit_data_root, ssz::container(&deposit.fields()?)),
        ];
        for (field, said, computed) in roots {
            if said != computed {
                let (said, computed) = (hex::encode(said), hex::encode(computed));
                return wrong(format!("`{field}` is {said}, and its content has {computed}"));
            }
        }
        let fork = &self.definition.fork_version;
        let network = network::name(self.definition.chain_id()?);
        if entry.fork_version != fork.0 || entry.network_name != network {
            let said = hex::encode_prefixed(&entry.fork_version);
            return wrong(format!("it is for {} ({said}), and the cluster for {network} ({fork})", entry.network_name));
        }
        Ok(deposit)
    }
}

#[cfg(test)]
mod tests;
