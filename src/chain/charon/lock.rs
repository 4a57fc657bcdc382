//! `cluster-lock.json`: what a ceremony made. The definition, each validator's public key with its shares, what was signed
//! beforehand for them, and the signatures of all shares and all nodes.

use super::Version;
use super::definition::{Definition, MOST_OPERATORS, MOST_VALIDATORS};
use super::hash::fixed;
use super::json::{Amount, Bytes, or_default};
use super::ssz::{self, Root};
use crate::base::{Failure, Value, failure::Result};
use crate::chain::B256;
use serde::Deserialize;

/// A lock as its file says it. Whether it is true says [`verify`](Self::verify).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Lock {
    /// What all had agreed to.
    #[serde(rename = "cluster_definition")]
    pub definition: Definition,
    /// The validators that were made.
    #[serde(rename = "distributed_validators", default, deserialize_with = "or_default")]
    pub validators: Vec<DistributedValidator>,
    /// Of the lock hash, by all shares of all validators together.
    #[serde(default)]
    pub signature_aggregate: Bytes,
    /// The hash of definition and validators.
    #[serde(default)]
    pub lock_hash: Bytes,
    /// Of the lock hash, by each operator's node (from v1.7).
    #[serde(default, deserialize_with = "or_default")]
    pub node_signatures: Vec<Bytes>,
}

/// A validator whose key nobody has whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct DistributedValidator {
    /// Its public key.
    pub distributed_public_key: Bytes,
    /// The public keys of the shares, in the order of the operators.
    #[serde(deserialize_with = "or_default")]
    pub public_shares: Vec<Bytes>,
    /// Up to v1.7: its deposit.
    pub deposit_data: Option<Deposit>,
    /// From v1.8: its deposits.
    #[serde(deserialize_with = "or_default")]
    pub partial_deposit_data: Vec<Deposit>,
    /// From v1.7: what builders of blocks are told.
    pub builder_registration: Option<Registration>,
}

/// A deposit that is signed and not yet made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Deposit {
    /// The validator.
    pub pubkey: Bytes,
    /// Where its stake goes back to.
    pub withdrawal_credentials: Bytes,
    /// In gwei.
    pub amount: Amount,
    /// By the validator.
    pub signature: Bytes,
}

/// What builders of blocks are told, signed by the validator.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Registration {
    /// What is signed.
    pub message: RegistrationMessage,
    /// By the validator.
    pub signature: Bytes,
}

/// What is signed for builders of blocks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RegistrationMessage {
    /// Who gets the fees.
    pub fee_recipient: Bytes,
    /// The size of blocks that the validator wants.
    pub gas_limit: Amount,
    /// Seconds since 1970.
    pub timestamp: Amount,
    /// The validator.
    pub pubkey: Bytes,
}

impl Lock {
    /// Reads a lock's JSON.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |error: serde_json::Error| Failure::new(format!("this is not a cluster lock: {error}"));
        let value: Value = serde_json::from_str(text).map_err(wrong)?;
        let lock = Self::deserialize(&value).map_err(wrong)?;
        lock.definition.version()?;
        Ok(lock)
    }

    /// The hash of definition and validators, computed anew.
    pub fn compute_lock_hash(&self) -> Result<B256> {
        let version = self.definition.version()?;
        if self.validators.len() > MOST_VALIDATORS {
            return Err(Failure::new(format!("the lock has {} validators", self.validators.len())));
        }
        let validators: Vec<Root> =
            self.validators.iter().map(|validator| validator.root(version)).collect::<Result<_>>()?;
        let definition = self.definition.root(Some(&self.definition.config_hash))?;
        Ok(B256::from(ssz::container(&[definition, ssz::list(&validators, MOST_VALIDATORS)])))
    }
}

impl DistributedValidator {
    /// The deposits, wherever the version has them.
    pub fn deposits(&self) -> impl Iterator<Item = &Deposit> {
        self.deposit_data.iter().chain(&self.partial_deposit_data)
    }

    fn root(&self, version: Version) -> Result<Root> {
        if self.public_shares.len() > MOST_OPERATORS {
            return Err(Failure::new(format!("a validator of the lock has {} shares", self.public_shares.len())));
        }
        let shares: Vec<Root> =
            self.public_shares.iter().map(|share| fixed::<48>(&share.0, "public share")).collect::<Result<_>>()?;
        let mut fields =
            vec![fixed::<48>(&self.distributed_public_key.0, "public key")?, ssz::list(&shares, MOST_OPERATORS)];
        match version {
            Version::V1_5 => {}
            // Charon writes the four values of the deposit as the validator's own, and so everybody must.
            Version::V1_6 => fields.extend(self.deposit()?.fields()?),
            Version::V1_7 => fields.push(ssz::container(&self.deposit()?.fields()?)),
            _ => {
                if self.partial_deposit_data.len() > 256 {
                    return Err(Failure::new("a validator of the lock has more than 256 deposits"));
                }
                let deposits: Vec<Root> = self
                    .partial_deposit_data
                    .iter()
                    .map(|deposit| deposit.fields().map(|fields| ssz::container(&fields)))
                    .collect::<Result<_>>()?;
                fields.push(ssz::list(&deposits, 256));
            }
        }
        if version.has_registration() {
            let registration = self
                .builder_registration
                .as_ref()
                .ok_or_else(|| Failure::new("a validator of the lock has no `builder_registration`"))?;
            let signature = fixed::<96>(&registration.signature.0, "signature")?;
            fields.push(ssz::container(&[registration.message.root()?, signature]));
        }
        Ok(ssz::container(&fields))
    }

    fn deposit(&self) -> Result<&Deposit> {
        self.deposit_data.as_ref().ok_or_else(|| Failure::new("a validator of the lock has no `deposit_data`"))
    }
}

impl Deposit {
    /// All four values.
    pub(super) fn fields(&self) -> Result<[Root; 4]> {
        let [key, credentials, amount] = self.message_fields()?;
        Ok([key, credentials, amount, fixed::<96>(&self.signature.0, "signature")?])
    }

    /// The three values that are signed.
    pub(super) fn message_fields(&self) -> Result<[Root; 3]> {
        let credentials = fixed::<32>(&self.withdrawal_credentials.0, "withdrawal_credentials")?;
        Ok([fixed::<48>(&self.pubkey.0, "pubkey")?, credentials, ssz::uint(self.amount.0)])
    }
}

impl RegistrationMessage {
    /// The root of what is signed.
    pub(super) fn root(&self) -> Result<Root> {
        Ok(ssz::container(&[
            fixed::<20>(&self.fee_recipient.0, "fee_recipient")?,
            ssz::uint(self.gas_limit.0),
            ssz::uint(self.timestamp.0),
            fixed::<48>(&self.pubkey.0, "pubkey")?,
        ]))
    }
}
