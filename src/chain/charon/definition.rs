//! `cluster-definition.json`: who makes a cluster of distributed validators together, and what all agree to beforehand.

use super::json::{Amount, Bytes, or_default, signatures};
use super::{Version, network};
use crate::base::{Failure, Value, failure::Result};
use crate::chain::{Address, Record, parse_address};
use serde::Deserialize;
use serde_json::json;

/// The most operators, deposits and validators that the hashes have room for.
pub const MOST_OPERATORS: usize = 256;
/// See [`MOST_OPERATORS`].
pub const MOST_VALIDATORS: usize = 65_536;

/// A definition as its file says it. Whether it is true says [`verify`](Self::verify).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Definition {
    /// What people call the cluster.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Who made the definition.
    #[serde(deserialize_with = "or_default")]
    pub creator: Creator,
    /// Who takes part, in the order of their shares.
    #[serde(deserialize_with = "or_default")]
    pub operators: Vec<Operator>,
    /// Makes two definitions with the same content differ.
    #[serde(deserialize_with = "or_default")]
    pub uuid: String,
    /// The format; see [`Version`].
    #[serde(deserialize_with = "or_default")]
    pub version: String,
    /// When it was made (RFC 3339).
    #[serde(deserialize_with = "or_default")]
    pub timestamp: String,
    /// How many validators are to be made.
    pub num_validators: u64,
    /// How many operators must sign together.
    pub threshold: u64,
    /// Addresses of each validator.
    #[serde(deserialize_with = "or_default")]
    pub validators: Vec<Validator>,
    /// `default`, as a rule.
    #[serde(deserialize_with = "or_default")]
    pub dkg_algorithm: String,
    /// Which chain; see [`network`].
    pub fork_version: Bytes,
    /// Partial deposits in gwei; none means the usual one (from v1.8).
    #[serde(deserialize_with = "or_default")]
    pub deposit_amounts: Vec<Amount>,
    /// From v1.9.
    #[serde(deserialize_with = "or_default")]
    pub consensus_protocol: String,
    /// From v1.10.
    #[serde(deserialize_with = "or_default")]
    pub target_gas_limit: u64,
    /// Withdrawal credentials 0x02 instead of 0x01 (from v1.10).
    #[serde(deserialize_with = "or_default")]
    pub compounding: bool,
    /// The hash of all that is agreed to: what creator and operators sign.
    pub config_hash: Bytes,
    /// The hash of everything, with the operators' records and all signatures.
    pub definition_hash: Bytes,
}

/// Who made a definition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Creator {
    /// The account; empty if the definition is not signed.
    #[serde(deserialize_with = "or_default")]
    pub address: String,
    /// Of the config hash.
    #[serde(deserialize_with = "signatures")]
    pub config_signature: Bytes,
}

/// Who takes part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Operator {
    /// The account; empty if the definition is not signed.
    #[serde(deserialize_with = "or_default")]
    pub address: String,
    /// The record of the node (EIP-778); empty until the operator has accepted.
    #[serde(deserialize_with = "or_default")]
    pub enr: String,
    /// Of the config hash.
    #[serde(deserialize_with = "signatures")]
    pub config_signature: Bytes,
    /// Of the node's record.
    #[serde(deserialize_with = "signatures")]
    pub enr_signature: Bytes,
}

/// Addresses of a validator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Validator {
    /// Who gets the fees of its blocks.
    #[serde(deserialize_with = "or_default")]
    pub fee_recipient_address: String,
    /// Who gets its stake back.
    #[serde(deserialize_with = "or_default")]
    pub withdrawal_address: String,
}

impl Operator {
    /// Has signed both, as far as one can see.
    pub fn has_signed(&self) -> bool {
        !self.config_signature.0.is_empty() && !self.enr_signature.0.is_empty()
    }

    /// Its node's record, whose own signature is right.
    pub fn record(&self) -> Result<Record> {
        let record: Record = self.enr.parse()?;
        record.verify().map(|()| record)
    }
}

impl Definition {
    /// Reads a definition's JSON; what a version does not know is passed over, as it is in no hash.
    pub fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Failure::new(format!("this is not a cluster definition: {error}")))?;
        Self::read(&value)
    }

    /// Reads a definition from JSON that was parsed already.
    pub fn read(value: &Value) -> Result<Self> {
        if !value.is_object() {
            return Err(Failure::new("this is not a cluster definition: it is no JSON table"));
        }
        let definition = Self::deserialize(value)
            .map_err(|error| Failure::new(format!("this is not a cluster definition: {error}")))?;
        definition.version()?;
        Ok(definition)
    }

    /// The format of the file.
    pub fn version(&self) -> Result<Version> {
        Version::parse(&self.version)
    }

    /// The chain that it is for.
    pub fn chain_id(&self) -> Result<u64> {
        network::chain_id(&self.fork_version.0)
    }

    /// How an operator is called in messages: its number from 1 on, and its address if it has one.
    pub fn operator_name(&self, index: usize) -> String {
        match self.operators.get(index).map_or("", |operator| operator.address.as_str()) {
            "" => format!("operator {}", index + 1),
            address => format!("operator {} ({address})", index + 1),
        }
    }

    /// Where the operator with this account stands in the list.
    pub fn position_of(&self, account: Address) -> Option<usize> {
        self.operators.iter().position(|operator| parse_address(&operator.address).is_ok_and(|it| it == account))
    }

    /// The operators that have not signed yet, by their names.
    pub fn unsigned(&self) -> Vec<String> {
        let missing = |index: &usize| !self.operators[*index].has_signed();
        (0..self.operators.len()).filter(missing).map(|index| self.operator_name(index)).collect()
    }

    /// The file's content, with exactly the fields of its version.
    pub fn to_json(&self) -> Result<Value> {
        let version = self.version()?;
        let operator = |it: &Operator| {
            json!({"address": it.address, "enr": it.enr, "config_signature": it.config_signature,
                "enr_signature": it.enr_signature})
        };
        let validator = |it: &Validator| json!({"fee_recipient_address": it.fee_recipient_address, "withdrawal_address": it.withdrawal_address});
        let mut value = json!({
            "name": self.name,
            "creator": {"address": self.creator.address, "config_signature": self.creator.config_signature},
            "operators": self.operators.iter().map(operator).collect::<Vec<_>>(),
            "uuid": self.uuid,
            "version": self.version,
            "timestamp": self.timestamp,
            "num_validators": self.num_validators,
            "threshold": self.threshold,
            "validators": self.validators.iter().map(validator).collect::<Vec<_>>(),
            "dkg_algorithm": self.dkg_algorithm,
            "fork_version": self.fork_version,
        });
        if version.has_deposit_amounts() {
            value["deposit_amounts"] = match self.deposit_amounts.as_slice() {
                [] => Value::Null,
                amounts => json!(amounts),
            };
        }
        if version.has_consensus_protocol() {
            value["consensus_protocol"] = json!(self.consensus_protocol);
        }
        if version.has_gas_limit() {
            value["target_gas_limit"] = json!(self.target_gas_limit);
            value["compounding"] = json!(self.compounding);
        }
        value["config_hash"] = json!(self.config_hash);
        value["definition_hash"] = json!(self.definition_hash);
        Ok(value)
    }
}
