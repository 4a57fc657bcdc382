//! The two private keys of a node: the one it speaks devp2p with, and the one its account signs with.

use super::keccak256;
use crate::base::{Failure, failure::Result};
use alloy_primitives::{Address, hex};
use k256::SecretKey;
use k256::elliptic_curve::sec1::ToEncodedPoint;
use std::fmt;
use zeroize::Zeroizing;

/// The devp2p key of a node, geth's `nodekey` file. Wiped from memory when dropped, never shown by `Debug`.
pub struct NodeKey(SecretKey);

/// The key of an Ethereum account. Wiped from memory when dropped, never shown by `Debug`.
pub struct AccountKey(SecretKey);

impl NodeKey {
    /// A new key from the kernel's random numbers.
    pub fn generate() -> Result<Self> {
        generate().map(Self)
    }

    /// Reads geth's file: 64 hexadecimal digits, perhaps with a newline. The failure never repeats the text.
    pub fn from_hex(text: &str) -> Result<Self> {
        from_hex(text).map(Self)
    }

    /// What geth's file holds: 64 hexadecimal digits.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(Zeroizing::new(self.0.to_bytes())))
    }

    /// The public key as enodes have it: 128 hexadecimal digits, without the leading `04`.
    pub fn public_key(&self) -> String {
        hex::encode(public(&self.0))
    }
}

impl AccountKey {
    /// A new key from the kernel's random numbers.
    pub fn generate() -> Result<Self> {
        generate().map(Self)
    }

    /// Reads 64 hexadecimal digits, with or without `0x`. The failure never repeats the text.
    pub fn from_hex(text: &str) -> Result<Self> {
        from_hex(text).map(Self)
    }

    /// Takes 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        from_bytes(bytes).map(Self)
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Zeroizing::new(self.0.to_bytes()).to_vec())
    }

    /// The account's address.
    pub fn address(&self) -> Address {
        address_of(&public(&self.0))
    }
}

/// The address of an uncompressed public key (64 bytes, without the leading `04`).
pub fn address_of(public_key: &[u8]) -> Address {
    Address::from_slice(&keccak256(public_key)[12..])
}

fn generate() -> Result<SecretKey> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    // A number outside of the curve's order comes up once in 2^128 draws.
    loop {
        getrandom::fill(bytes.as_mut_slice())
            .map_err(|error| Failure::new(format!("the kernel gives no random numbers: {error}")))?;
        if let Ok(key) = SecretKey::from_slice(bytes.as_slice()) {
            return Ok(key);
        }
    }
}

fn from_hex(text: &str) -> Result<SecretKey> {
    let digits = text.trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    if digits.len() != 64 {
        return Err(Failure::new(format!("a private key has 64 hexadecimal digits, this has {}", digits.len())));
    }
    let bytes = hex::decode(digits)
        .map(Zeroizing::new)
        .map_err(|_| Failure::new("a private key has 64 hexadecimal digits, this has others among them"))?;
    from_bytes(&bytes)
}

fn from_bytes(bytes: &[u8]) -> Result<SecretKey> {
    SecretKey::from_slice(bytes).map_err(|_| Failure::new("this number is not a private key of secp256k1"))
}

fn public(key: &SecretKey) -> [u8; 64] {
    let point = key.public_key().to_encoded_point(false);
    let mut bytes = [0; 64];
    bytes.copy_from_slice(&point.as_bytes()[1..]);
    bytes
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey(of {}..)", &self.public_key()[..16])
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountKey(of {})", self.address())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291";

    #[test]
    fn the_key_of_eip_778_has_its_node_id() {
        let key = NodeKey::from_hex(&format!("{KEY}\n")).unwrap();
        let id = keccak256(hex::decode(key.public_key()).unwrap());
        assert_eq!(hex::encode(id), "a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7");
        assert_eq!(*key.to_hex(), KEY);
    }

    #[test]
    fn an_account_has_the_address_that_geth_gives_it() {
        let key = AccountKey::from_hex("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d").unwrap();
        assert_eq!(key.address().to_checksum(None), "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");
    }

    #[test]
    fn two_new_keys_differ_and_do_not_show_themselves() {
        let (one, two) = (NodeKey::generate().unwrap(), NodeKey::generate().unwrap());
        assert_ne!(one.to_hex(), two.to_hex());
        assert!(!format!("{one:?}").contains(&*one.to_hex()));
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        for text in ["", "12", &"0".repeat(64), &"z".repeat(64), &"f".repeat(64)] {
            let failure = NodeKey::from_hex(text).unwrap_err().to_string();
            assert!(text.is_empty() || text == "12" || !failure.contains(text), "{failure}");
        }
    }
}
