//! The two hashes of a definition: of what is agreed to, and of everything.

use super::definition::{Definition, MOST_OPERATORS, MOST_VALIDATORS};
use super::json::Bytes;
use super::ssz::{self, Root};
use super::version::Version;
use crate::base::{Failure, failure::Result};
use crate::chain::{B256, parse_address};

/// The most signatures of one account that is a contract (v1.11).
const MOST_SIGNATURES: usize = 32;
const SIGNATURE: usize = 65;

impl Definition {
    /// The hash of all that is agreed to, computed anew.
    pub fn compute_config_hash(&self) -> Result<B256> {
        self.root(None).map(B256::from)
    }

    /// The hash of everything, computed anew, over the config hash that the file says.
    pub fn compute_definition_hash(&self) -> Result<B256> {
        self.root(Some(&self.config_hash)).map(B256::from)
    }

    /// With a config hash: of the whole definition; without one: of what is agreed to.
    pub(super) fn root(&self, config_hash: Option<&Bytes>) -> Result<Root> {
        let version = self.version()?;
        let whole = config_hash.is_some();
        let mut operators = Vec::with_capacity(self.operators.len());
        for (index, operator) in self.operators.iter().enumerate() {
            let name = || self.operator_name(index);
            let mut fields = vec![address(&operator.address).map_err(|failure| failure.context(name()))?];
            if whole {
                fields.push(text(&operator.enr, 1024, "enr").map_err(|failure| failure.context(name()))?);
                for bytes in [&operator.config_signature, &operator.enr_signature] {
                    fields.push(signature(bytes, version).map_err(|failure| failure.context(name()))?);
                }
            }
            operators.push(ssz::container(&fields));
        }
        let mut creator = vec![address(&self.creator.address).map_err(|failure| failure.context("the creator"))?];
        if whole {
            let bytes = &self.creator.config_signature;
            creator.push(signature(bytes, version).map_err(|failure| failure.context("the creator"))?);
        }
        let mut validators = Vec::with_capacity(self.validators.len());
        for validator in &self.validators {
            let (fees, stake) = (address(&validator.fee_recipient_address), address(&validator.withdrawal_address));
            validators.push(ssz::container(&[fees?, stake?]));
        }
        let mut fields = vec![
            text(&self.uuid, 64, "uuid")?,
            text(&self.name, 256, "name")?,
            text(&self.version, 16, "version")?,
            text(&self.timestamp, 32, "timestamp")?,
            ssz::uint(self.num_validators),
            ssz::uint(self.threshold),
            text(&self.dkg_algorithm, 32, "dkg_algorithm")?,
            fixed::<4>(&self.fork_version.0, "fork_version")?,
            ssz::list(&within(operators, MOST_OPERATORS, "operators")?, MOST_OPERATORS),
            ssz::container(&creator),
            ssz::list(&within(validators, MOST_VALIDATORS, "validators")?, MOST_VALIDATORS),
        ];
        if version.has_deposit_amounts() {
            let amounts: Vec<u64> = self.deposit_amounts.iter().map(|amount| amount.0).collect();
            fields.push(ssz::uint_list(&within(amounts, 256, "deposit_amounts")?, 256));
        }
        if version.has_consensus_protocol() {
            fields.push(text(&self.consensus_protocol, 256, "consensus_protocol")?);
        }
        if version.has_gas_limit() {
            fields.extend([ssz::uint(self.target_gas_limit), ssz::boolean(self.compounding)]);
        }
        if let Some(hash) = config_hash {
            fields.push(fixed::<32>(&hash.0, "config_hash")?);
        }
        Ok(ssz::container(&fields))
    }
}

fn within<T>(items: Vec<T>, limit: usize, name: &str) -> Result<Vec<T>> {
    if items.len() > limit {
        return Err(Failure::new(format!("the cluster has {} `{name}`, and {limit} is the most", items.len())));
    }
    Ok(items)
}

fn text(value: &str, limit: usize, name: &str) -> Result<Root> {
    if value.len() > limit {
        return Err(Failure::new(format!("`{name}` has {} bytes, and {limit} is the most", value.len())));
    }
    Ok(ssz::byte_list(value.as_bytes(), limit))
}

/// Bytes of a fixed length; what is too short gets zeros before it.
pub(super) fn fixed<const N: usize>(value: &[u8], name: &str) -> Result<Root> {
    let missing = N
        .checked_sub(value.len())
        .ok_or_else(|| Failure::new(format!("`{name}` has {} bytes instead of {N}", value.len())))?;
    let mut bytes = [0; N];
    bytes[missing..].copy_from_slice(value);
    Ok(ssz::bytes(&bytes))
}

/// An account; none is the address of zeros.
pub(super) fn address(text: &str) -> Result<Root> {
    if text.is_empty() { fixed::<20>(&[], "address") } else { Ok(ssz::bytes(parse_address(text)?.as_slice())) }
}

fn signature(bytes: &Bytes, version: Version) -> Result<Root> {
    if version.has_signature_lists() {
        let signatures: Vec<Root> =
            bytes.0.chunks(SIGNATURE).map(|one| fixed::<SIGNATURE>(one, "signature")).collect::<Result<_>>()?;
        return Ok(ssz::list(&within(signatures, MOST_SIGNATURES, "signatures")?, MOST_SIGNATURES));
    }
    fixed::<SIGNATURE>(&bytes.0, "signature").map_err(|failure| {
        failure.help(format!(
            "more than {SIGNATURE} bytes come from a contract account (Safe), which {version} has no room for"
        ))
    })
}
