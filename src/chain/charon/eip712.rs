//! What creator and operators sign with their accounts: typed messages (EIP-712) of one or two values.

use crate::base::failure::Result;
use crate::chain::keys::address_of;
use crate::chain::{AccountKey, Address, B256, keccak256};
use alloy_primitives::U256;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};

/// The hash of Obol's terms, and their version, as `POST /v1/termsAndConditions` takes them.
pub const TERMS_HASH: &str = "0xd33721644e8f3afab1495a74abe3523cec12d48b8da6cb760972492ca3f1a273";
/// See [`TERMS_HASH`].
pub const TERMS_VERSION: u64 = 1;

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// The creator stands for the configuration.
    Creator(B256),
    /// An operator agrees to the configuration.
    Operator(B256),
    /// An operator stands for the record of its node.
    Enr(&'a str),
    /// An operator agrees to Obol's terms; the same on every chain.
    Terms,
}

impl Message<'_> {
    /// What is signed on the chain with this id.
    pub fn hash(&self, chain_id: u64) -> B256 {
        let chain = (!matches!(self, Self::Terms)).then_some(chain_id);
        let content = match self {
            Self::Creator(hash) => one("CreatorConfigHash(string creator_config_hash)", &hash.to_string()),
            Self::Operator(hash) => one("OperatorConfigHash(string operator_config_hash)", &hash.to_string()),
            Self::Enr(enr) => one("ENR(string enr)", enr),
            Self::Terms => structure(
                "TermsAndConditions(string terms_and_conditions_hash,uint256 version)",
                &[keccak256(TERMS_HASH), B256::from(U256::from(TERMS_VERSION))],
            ),
        };
        keccak256([b"\x19\x01", domain(chain).as_slice(), content.as_slice()].concat())
    }

    /// Signs it: `r`, `s` and 27 or 28, as wallets do.
    pub fn sign(&self, key: &AccountKey, chain_id: u64) -> Result<[u8; 65]> {
        key.sign(self.hash(chain_id))
    }

    /// Who signed it. `None`: nobody, it is no signature.
    pub fn signer(&self, signature: &[u8], chain_id: u64) -> Option<Address> {
        recover(self.hash(chain_id), signature).map(|key| address_of(&key))
    }
}

/// The public key (64 bytes) that made a signature of 65 bytes, whose last says which of the possible keys: 0, 1, 27 or 28.
pub fn recover(hash: B256, signature: &[u8]) -> Option<[u8; 64]> {
    let (last, rest) = signature.split_last()?;
    let id = RecoveryId::from_byte(if *last >= 27 { last - 27 } else { *last })?;
    let key = VerifyingKey::recover_from_prehash(hash.as_slice(), &Signature::from_slice(rest).ok()?, id).ok()?;
    key.to_encoded_point(false).as_bytes()[1..].try_into().ok()
}

fn domain(chain_id: Option<u64>) -> B256 {
    let (name, version) = (keccak256("Obol"), keccak256("1"));
    match chain_id {
        Some(id) => structure(
            "EIP712Domain(string name,string version,uint256 chainId)",
            &[name, version, B256::from(U256::from(id))],
        ),
        None => structure("EIP712Domain(string name,string version)", &[name, version]),
    }
}

fn one(kind: &str, text: &str) -> B256 {
    structure(kind, &[keccak256(text)])
}

fn structure(kind: &str, values: &[B256]) -> B256 {
    let mut bytes = keccak256(kind).to_vec();
    for value in values {
        bytes.extend_from_slice(value.as_slice());
    }
    keccak256(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signed_is_found_and_another_chain_is_another_message() {
        let key = AccountKey::generate().unwrap();
        let messages =
            [Message::Creator(B256::ZERO), Message::Operator(B256::ZERO), Message::Enr("enr:-x"), Message::Terms];
        for message in &messages {
            let signature = message.sign(&key, 1).unwrap();
            assert!(signature[64] == 27 || signature[64] == 28);
            assert_eq!(message.signer(&signature, 1), Some(key.address()));
            let terms = *message == Message::Terms;
            assert_eq!(message.signer(&signature, 5) == Some(key.address()), terms);
            let mut low = signature;
            low[64] -= 27;
            assert_eq!(message.signer(&low, 1), Some(key.address()));
        }
        assert_ne!(messages[0].hash(1), messages[1].hash(1));
    }

    #[test]
    fn what_is_no_signature_has_no_signer() {
        for text in [&[][..], &[0; 64], &[0; 65], &[255; 65], &[1; 130]] {
            assert_eq!(Message::Terms.signer(text, 1), None);
        }
    }
}
