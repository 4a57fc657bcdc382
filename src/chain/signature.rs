//! An account's signature: over a hash, and over a text as wallets sign one (EIP-191, version 0x45: `personal_sign`).
//!
//! A text that Chainwright has signed begins with a line that says what it is, `chainwright NAME 1`, so that a signature of
//! one kind can never pass for another.

use super::keys::{AccountKey, address_of};
use super::{Address, B256, keccak256};
use crate::base::{Failure, failure::Result};
use alloy_primitives::hex;
use k256::ecdsa::{RecoveryId, Signature as Ecdsa, VerifyingKey};
use std::fmt;
use std::str::FromStr;

/// `r`, `s` and `v`: 65 bytes, `v` being 27 or 28, `s` the smaller of the two possible ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signature(pub [u8; 65]);

/// The hash of a text that `personal_sign` signs.
pub fn hash_of_text(text: &str) -> B256 {
    keccak256([format!("\x19Ethereum Signed Message:\n{}", text.len()).as_bytes(), text.as_bytes()].concat())
}

impl Signature {
    /// Signs a hash.
    pub fn of_hash(key: &AccountKey, hash: B256) -> Result<Self> {
        key.sign(hash).map(Self)
    }

    /// Signs a text.
    pub fn of_text(key: &AccountKey, text: &str) -> Result<Self> {
        Self::of_hash(key, hash_of_text(text))
    }

    /// Whose signature of this hash it is. It is always somebody's: compare the address with the one expected. `v` may be
    /// 0 or 1 too; the larger `s`, by which anybody can make a second signature from a first, is refused.
    pub fn signer_of_hash(&self, hash: B256) -> Result<Address> {
        let wrong = |why: &str| Failure::new(format!("this is not a signature: {why}"));
        let recovery = match self.0[64] {
            v @ (0 | 1) => v,
            v @ (27 | 28) => v - 27,
            _ => return Err(wrong("its last byte is neither 27 nor 28")),
        };
        let signature = Ecdsa::from_slice(&self.0[..64]).map_err(|_| wrong("its numbers are out of range"))?;
        if signature.normalize_s().is_some() {
            return Err(wrong("its s is the larger one of the two (EIP-2)"));
        }
        let recovery = RecoveryId::from_byte(recovery).ok_or_else(|| wrong("its last byte is out of range"))?;
        let key = VerifyingKey::recover_from_prehash(hash.as_slice(), &signature, recovery)
            .map_err(|_| wrong("it belongs to no key"))?;
        Ok(address_of(&key.to_encoded_point(false).as_bytes()[1..]))
    }

    /// Whose signature of this text it is; see [`Signature::signer_of_hash`].
    pub fn signer_of_text(&self, text: &str) -> Result<Address> {
        self.signer_of_hash(hash_of_text(text))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl FromStr for Signature {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.trim();
        let bytes = hex::decode(digits).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            Failure::new("this is not a signature").help("a signature is 0x and 130 hexadecimal digits: r, s and v")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_signed_as_wallets_sign_it() {
        // The example of the documentation of web3.eth.accounts.sign.
        let key = AccountKey::from_hex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318").unwrap();
        assert_eq!(
            hash_of_text("Some data").to_string(),
            "0x1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655"
        );
        let signature = Signature::of_text(&key, "Some data").unwrap();
        assert_eq!(
            signature.to_string(),
            "0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747\
             ef045e5d18a5f5d4300f8e1a0291c"
        );
        assert_eq!(signature.to_string().parse::<Signature>().unwrap(), signature);
        assert_eq!(signature.signer_of_text("Some data").unwrap(), key.address());
        assert_ne!(signature.signer_of_text("Some datA").unwrap(), key.address());
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let key = AccountKey::generate().unwrap();
        let good = Signature::of_text(&key, "x").unwrap();
        let mut other = good;
        other.0[64] = 29;
        assert!(other.signer_of_text("x").unwrap_err().message.contains("27 nor 28"));
        assert!(Signature([0; 65]).signer_of_text("x").unwrap_err().message.contains("out of range"));
        // The twin with the larger s.
        let order = hex::decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141").unwrap();
        let s = alloy_primitives::U256::from_be_slice(&order) - alloy_primitives::U256::from_be_slice(&good.0[32..64]);
        let mut twin = good;
        twin.0[32..64].copy_from_slice(&s.to_be_bytes::<32>());
        twin.0[64] = if good.0[64] == 27 { 28 } else { 27 };
        assert!(twin.signer_of_text("x").unwrap_err().message.contains("EIP-2"));
        for text in ["", "0x12", &"z".repeat(130)] {
            assert!(text.parse::<Signature>().is_err());
        }
    }
}
