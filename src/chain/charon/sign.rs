//! Making a definition, and agreeing to one.

use super::definition::{Creator, Definition, Operator, Validator};
use super::eip712::Message;
use super::json::{Amount, Bytes};
use super::{Rules, Version, network};
use crate::base::{Failure, failure::Result};
use crate::chain::enr::Content;
use crate::chain::{AccountKey, Address, NodeKey, Record};

/// What the creator of a cluster decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What people call it.
    pub name: String,
    /// A random UUID.
    pub uuid: String,
    /// Now (RFC 3339).
    pub timestamp: String,
    /// The format of the file.
    pub version: Version,
    /// The chain.
    pub chain_id: u64,
    /// The operators' accounts, in the order of their shares.
    pub operators: Vec<Address>,
    /// How many of them must sign together.
    pub threshold: u64,
    /// Of each validator: who gets the fees, who gets the stake.
    pub validators: Vec<(Address, Address)>,
    /// Partial deposits in gwei; none means the usual one.
    pub deposit_amounts: Vec<u64>,
}

impl Plan {
    /// The definition, signed by its creator and by nobody else yet.
    pub fn definition(&self, creator: &AccountKey) -> Result<Definition> {
        let operator = |account: &Address| Operator { address: account.to_checksum(None), ..Operator::default() };
        let validator = |(fees, stake): &(Address, Address)| Validator {
            fee_recipient_address: fees.to_checksum(None),
            withdrawal_address: stake.to_checksum(None),
        };
        let mut definition = Definition {
            name: self.name.clone(),
            creator: Creator { address: creator.address().to_checksum(None), config_signature: Bytes::default() },
            operators: self.operators.iter().map(operator).collect(),
            uuid: self.uuid.clone(),
            version: self.version.to_string(),
            timestamp: self.timestamp.clone(),
            num_validators: self.validators.len() as u64,
            threshold: self.threshold,
            validators: self.validators.iter().map(validator).collect(),
            dkg_algorithm: "default".into(),
            fork_version: Bytes(network::fork_version(self.chain_id)?.to_vec()),
            deposit_amounts: self.deposit_amounts.iter().map(|amount| Amount(*amount)).collect(),
            target_gas_limit: if self.version.has_gas_limit() { 60_000_000 } else { 0 },
            ..Definition::default()
        };
        let hash = definition.compute_config_hash()?;
        definition.config_hash = Bytes(hash.to_vec());
        definition.creator.config_signature = Bytes(Message::Creator(hash).sign(creator, self.chain_id)?.to_vec());
        definition.renew_hash()?;
        definition.verify_offer(&Rules::default())?;
        Ok(definition)
    }
}

impl Definition {
    /// Agrees to the cluster for the operator with this account, whose node has this key. Checks first what is on offer;
    /// says whether anything changed. An operator that agreed already, with this node, is left as it is.
    pub fn accept(&mut self, account: &AccountKey, node: &NodeKey, rules: &Rules) -> Result<bool> {
        self.verify_offer(rules)?;
        if self.creator.config_signature.0.is_empty() {
            return Err(Failure::new("the creator has not signed this definition: anybody may have made it"));
        }
        let address = account.address();
        let at = self
            .position_of(address)
            .ok_or_else(|| Failure::new(format!("the account {address} is no operator of this cluster")))?;
        let (name, chain) = (self.operator_name(at), self.chain_id()?);
        let operator = &mut self.operators[at];
        if operator.has_signed() {
            let theirs = operator.record().and_then(|record| record.public_key()).map_err(|it| it.context(&name))?;
            if theirs == node.public_key() {
                return Ok(false);
            }
            return Err(Failure::new(format!(
                "{name} has agreed already, with the node of another key, {}..",
                &theirs[..16]
            ))
            .help("use that node's key file; what was signed cannot be taken back"));
        }
        let hash = crate::chain::B256::from_slice(&self.config_hash.0);
        operator.enr = record_of(node)?.to_string();
        operator.enr_signature = Bytes(Message::Enr(&operator.enr).sign(account, chain)?.to_vec());
        operator.config_signature = Bytes(Message::Operator(hash).sign(account, chain)?.to_vec());
        self.renew_hash()?;
        Ok(true)
    }

    /// Computes the definition hash anew, as is due whenever somebody signed.
    fn renew_hash(&mut self) -> Result<()> {
        self.definition_hash = Bytes(self.compute_definition_hash()?.to_vec());
        Ok(())
    }
}

/// The record of a node as charon writes it: nothing but its key, sequence 0.
pub fn record_of(node: &NodeKey) -> Result<Record> {
    Record::sign(&Content::default(), node)
}
