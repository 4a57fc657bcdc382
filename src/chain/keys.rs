//! The two private keys of a node: the one it speaks devp2p with, and the one its account signs with.

use super::keccak256;
use crate::base::{Failure, failure::Result};
use alloy_primitives::{Address, B256, hex};
use k256::SecretKey;
use k256::ecdsa::signature::hazmat::PrehashSigner;
use k256::ecdsa::{Signature, SigningKey};
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

    /// Reads geth's file: 64 hexadecimal digits, perhaps with a newline, or with `0x` before them as Besu's has it. The
    /// failure never repeats the text.
    pub fn from_hex(text: &str) -> Result<Self> {
        from_hex(text).map(Self)
    }

    /// Whether geth reads this text as a key file, too: nothing before the digits, at most two line ends after them.
    pub fn geth_reads(text: &str) -> bool {
        let digits = text.trim_end_matches(['\n', '\r']);
        digits.len() == 64 && text.len() <= 66 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// What geth's file holds: 64 hexadecimal digits.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(Zeroizing::new(self.0.to_bytes())))
    }

    /// The public key as enodes have it: 128 hexadecimal digits, without the leading `04`.
    pub fn public_key(&self) -> String {
        hex::encode(public(&self.0))
    }

    /// The public key as node records have it: 33 bytes.
    pub fn compressed(&self) -> [u8; 33] {
        let mut bytes = [0; 33];
        bytes.copy_from_slice(self.0.public_key().to_encoded_point(true).as_bytes());
        bytes
    }

    /// The account that has this same key, as Autonity's validators do.
    pub fn account(&self) -> AccountKey {
        AccountKey(self.0.clone())
    }

    /// Signs a hash: `r` and `s`, the smaller of the two possible `s`, the same for the same hash (RFC 6979).
    pub fn sign(&self, hash: B256) -> Result<[u8; 64]> {
        let signature: Signature = SigningKey::from(&self.0)
            .sign_prehash(hash.as_slice())
            .map_err(|_| Failure::new("this key does not sign"))?;
        Ok(signature.normalize_s().unwrap_or(signature).to_bytes().into())
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

    /// Signs a hash (RFC 6979) so that the account can be found from it: `r`, `s` (the smaller one), and 27 or 28.
    pub fn sign(&self, hash: B256) -> Result<[u8; 65]> {
        let (signature, id) = SigningKey::from(&self.0)
            .sign_prehash_recoverable(hash.as_slice())
            .map_err(|_| Failure::new("this key does not sign"))?;
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = 27 + id.to_byte();
        Ok(bytes)
    }

    /// The node that has this same key, as Autonity's validators do.
    pub fn node(&self) -> NodeKey {
        NodeKey(self.0.clone())
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
    let help = "a private key is 64 hexadecimal digits, and nothing else is in its file";
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::new("this is not a private key: it has something else than hexadecimal digits").help(help));
    }
    if digits.is_empty() {
        return Err(Failure::new("this is not a private key: there is nothing in it").help(help));
    }
    if digits.len() != 64 {
        let length = digits.len();
        return Err(Failure::new(format!("this is not a private key: it has {length} digits instead of 64")).help(help));
    }
    let bytes = hex::decode(digits).map(Zeroizing::new).map_err(|_| Failure::new("this is not a private key"))?;
    from_bytes(&bytes)
}

fn from_bytes(bytes: &[u8]) -> Result<SecretKey> {
    let wrong = |why: &str| {
        Failure::new(format!("this number is no private key: {why}")).help("make a new key, or take it from a backup")
    };
    let bytes: &[u8; 32] = bytes.try_into().map_err(|_| wrong("it does not have 32 bytes"))?;
    SecretKey::from_slice(bytes).map_err(|_| match bytes {
        [0, ..] if bytes.iter().all(|byte| *byte == 0) => wrong("it is zero"),
        _ => wrong("it is not below the order of the curve secp256k1"),
    })
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
    fn what_geth_would_not_read_is_known() {
        for text in [KEY.to_owned(), format!("{KEY}\n"), format!("{KEY}\r\n")] {
            assert!(NodeKey::geth_reads(&text) && NodeKey::from_hex(&text).is_ok());
        }
        for text in [format!("0x{KEY}"), format!(" {KEY}"), format!("{KEY} \n"), format!("{KEY}\n\n\n")] {
            assert!(!NodeKey::geth_reads(&text) && NodeKey::from_hex(&text).is_ok());
        }
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
        let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
        for (text, reason) in [
            ("", "there is nothing in it"),
            ("12", "2 digits"),
            (&"0".repeat(64), "it is zero"),
            (&"z".repeat(64), "something else than hexadecimal"),
            (&"f".repeat(64), "not below the order"),
            (order, "not below the order"),
            (&"a".repeat(65), "65 digits"),
        ] {
            let failure = NodeKey::from_hex(text).unwrap_err().to_string();
            assert!(failure.contains(reason), "{failure}");
            assert!(text.len() < 3 || !failure.contains(text), "{failure}");
        }
        let last = order.replace("4141", "4140");
        assert_eq!(*NodeKey::from_hex(&last).unwrap().to_hex(), last);
        assert!(AccountKey::from_bytes(&[1; 31]).unwrap_err().message.contains("32 bytes"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(0x)?[0-9a-fg]{0,66}|.{0,70}") {
            if let Ok(key) = AccountKey::from_hex(&text) {
                proptest::prop_assert_eq!(key.node().account().address(), key.address());
            }
        }
    }
}
