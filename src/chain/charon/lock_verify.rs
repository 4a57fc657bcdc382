//! Whether a lock is what it says: its hash, its shares, and the signatures of all shares, nodes and validators.

use super::definition::Definition;
use super::deposit::verify_amounts;
use super::eip712::recover;
use super::json::Bytes;
use super::lock::{Deposit, DistributedValidator, Lock};
use super::ssz::{self, Root};
use super::verify::same;
use super::{Rules, ShareKeystore, Version, bls};
use crate::base::{Failure, Secret, failure::Result};
use crate::chain::{B256, parse_address};
use alloy_primitives::hex;
use blst::min_pk::PublicKey;

/// What a deposit is signed for (consensus specifications, `DOMAIN_DEPOSIT`).
const DEPOSIT: [u8; 4] = [3, 0, 0, 0];
/// What a registration with builders is signed for (builder specifications, `DOMAIN_APPLICATION_BUILDER`).
const BUILDER: [u8; 4] = [0, 0, 0, 1];

impl Lock {
    /// Checks all that can be checked without the shares themselves. `rules` are those of the definition.
    pub fn verify(&self, rules: &Rules) -> Result<()> {
        let version = self.definition.version()?;
        if version < Version::V1_6 {
            return Err(Failure::new(format!(
                "a lock of version {version} cannot be checked; known are v1.6.0 and later"
            ))
            .help("charon of today makes no such lock: run the ceremony anew"));
        }
        self.definition.verify(rules).map_err(|failure| failure.context("the definition in the lock"))?;
        self.verify_made()
    }

    /// Checks what the ceremony made of the definition: the lock's hash, shares, and all signatures.
    fn verify_made(&self) -> Result<()> {
        let version = self.definition.version()?;
        if self.validators.len() as u64 != self.definition.num_validators {
            return Err(Failure::new(format!(
                "the lock has {} validators, and {} were agreed to",
                self.validators.len(),
                self.definition.num_validators
            )));
        }
        let hash = self.compute_lock_hash()?;
        same(&self.lock_hash, hash, "lock")?;
        let mut shares = Vec::new();
        for (at, validator) in self.validators.iter().enumerate() {
            let name = |failure: Failure| failure.context(format!("validator {}", at + 1));
            shares.extend(validator.verify_shares(&self.definition).map_err(name)?);
            validator.verify_signed(at, &self.definition).map_err(name)?;
        }
        if !bls::signed(&hash.0, &self.signature_aggregate.0, &shares) {
            return Err(Failure::new("`signature_aggregate` is wrong: not all shares signed this lock"));
        }
        self.verify_nodes(hash, version)
    }

    /// Checks that these keystores, in their files' order, hold the shares of the operator at `position`, one of each
    /// validator. Says nothing of what is in them.
    pub fn verify_keystores(&self, position: usize, keystores: &[(ShareKeystore, Secret)]) -> Result<()> {
        if keystores.len() != self.validators.len() {
            return Err(Failure::new(format!(
                "there are {} keystores, and the lock has {} validators",
                keystores.len(),
                self.validators.len()
            )));
        }
        for (at, ((keystore, password), validator)) in keystores.iter().zip(&self.validators).enumerate() {
            let name = format!("keystore-{at}.json");
            let public = keystore.open(password).map_err(|failure| failure.context(&name))?;
            let share = validator.public_shares.get(position).map_or(&[][..], |share| &share.0);
            if public[..] != *share {
                return Err(Failure::new(format!(
                    "{name}: it holds the share 0x{}.., which is not that of {} in the lock",
                    hex::encode(&public[..8]),
                    self.definition.operator_name(position)
                )));
            }
        }
        Ok(())
    }

    fn verify_nodes(&self, hash: B256, version: Version) -> Result<()> {
        if !version.has_registration() {
            return Ok(());
        }
        let operators = &self.definition.operators;
        if self.node_signatures.len() != operators.len() {
            return Err(Failure::new(format!(
                "the lock has the signatures of {} nodes, and the cluster has {} operators",
                self.node_signatures.len(),
                operators.len()
            )));
        }
        for (at, (operator, signature)) in operators.iter().zip(&self.node_signatures).enumerate() {
            let key = operator.record()?.public_key()?;
            let signed =
                signature.0.len() == 65 && recover(hash, &signature.0).is_some_and(|it| hex::encode(it) == key);
            if !signed {
                let name = self.definition.operator_name(at);
                return Err(Failure::new(format!("the node of {name} did not sign this lock: its signature is wrong")));
            }
        }
        Ok(())
    }
}

impl DistributedValidator {
    /// One share for each operator, all different, and any of them that are enough make the validator's key.
    fn verify_shares(&self, definition: &Definition) -> Result<Vec<PublicKey>> {
        let operators = definition.operators.len();
        if self.public_shares.len() != operators {
            let count = self.public_shares.len();
            return Err(Failure::new(format!("it has {count} shares, and the cluster has {operators} operators")));
        }
        if let Some((at, _)) =
            self.public_shares.iter().enumerate().find(|(at, it)| self.public_shares[..*at].contains(it))
        {
            return Err(Failure::new(format!(
                "the share of {} is another operator's, too",
                definition.operator_name(at)
            )));
        }
        let shares: Vec<PublicKey> = self
            .public_shares
            .iter()
            .enumerate()
            .map(|(at, share)| bls::public_key(&share.0).map_err(|it| it.context(definition.operator_name(at))))
            .collect::<Result<_>>()?;
        let numbered: Vec<(u64, PublicKey)> = (1..).zip(shares.iter().copied()).collect();
        let enough = usize::try_from(definition.threshold).unwrap_or(usize::MAX).min(operators);
        let (first, others) = numbered.split_at(enough - 1);
        // All others lie on the curve of the first ones, if each makes the same key with them.
        for (number, share) in others {
            let mut chosen = first.to_vec();
            chosen.push((*number, *share));
            if bls::combine(&chosen)[..] != self.distributed_public_key.0[..] {
                let name = definition.operator_name(usize::try_from(*number - 1).unwrap_or(0));
                return Err(Failure::new(format!("the shares up to that of {name} do not make the validator's key")));
            }
        }
        Ok(shares)
    }

    /// What was signed beforehand is of this validator, and sends its stake and fees where all agreed to.
    fn verify_signed(&self, at: usize, definition: &Definition) -> Result<()> {
        let key = [bls::public_key(&self.distributed_public_key.0)?];
        let addresses = &definition.validators[at];
        let stake = parse_address(&addresses.withdrawal_address)?;
        let kind = if definition.compounding { 2 } else { 1 };
        let credentials = [&[kind], &[0; 11][..], stake.as_slice()].concat();
        let deposits: Vec<&Deposit> = self.deposits().collect();
        verify_amounts(&deposits, definition, definition.version()?)?;
        for deposit in deposits {
            if deposit.pubkey != self.distributed_public_key {
                return Err(Failure::new("a deposit is another validator's"));
            }
            if deposit.withdrawal_credentials.0 != credentials {
                return Err(Failure::new(format!("the stake of a deposit does not go back to {stake}")));
            }
            let message = ssz::container(&deposit.message_fields()?);
            if !bls::signed(&signing_root(message, DEPOSIT, &definition.fork_version), &deposit.signature.0, &key) {
                return Err(Failure::new(format!(
                    "the signature of the deposit of {} gwei is wrong",
                    deposit.amount.0
                )));
            }
        }
        if let Some(registration) = &self.builder_registration {
            let fees = parse_address(&addresses.fee_recipient_address)?;
            if registration.message.fee_recipient.0 != fees.as_slice()
                || registration.message.pubkey.0 != self.distributed_public_key.0
            {
                return Err(Failure::new(format!(
                    "what builders are told is not of this validator, or sends its fees not to {fees}"
                )));
            }
            let root = signing_root(registration.message.root()?, BUILDER, &definition.fork_version);
            if !bls::signed(&root, &registration.signature.0, &key) {
                return Err(Failure::new("the signature of what builders are told is wrong"));
            }
        }
        Ok(())
    }
}

/// What is signed for a message, before any chain has begun (no genesis validators).
fn signing_root(message: Root, purpose: [u8; 4], fork_version: &Bytes) -> Root {
    let fork = ssz::container(&[ssz::bytes(&fork_version.0), [0; 32]]);
    let mut domain = [0; 32];
    domain[..4].copy_from_slice(&purpose);
    domain[4..].copy_from_slice(&fork[..28]);
    ssz::container(&[message, domain])
}

#[cfg(test)]
mod figures;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
