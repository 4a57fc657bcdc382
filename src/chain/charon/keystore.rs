//! Keystore files of validators (EIP-2335, version 4), as charon writes a share of a key into `validator_keys`.

use super::bls;
use crate::base::{Failure, Map, Secret, Value, failure::Result};
use crate::chain::keystore::kdf::Derivation;
use aes::Aes128;
use aes::cipher::{KeyIvInit, StreamCipher};
use alloy_primitives::hex;
use ctr::Ctr128BE;
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A keystore file of a share, read as far as that goes without its password.
#[derive(Debug, Clone)]
pub struct ShareKeystore {
    /// The public key that it names.
    pub public_key: Vec<u8>,
    derivation: Derivation,
    checksum: [u8; 32],
    iv: [u8; 16],
    cipher_text: Vec<u8>,
}

impl ShareKeystore {
    /// Reads a file's content.
    pub fn parse(text: &str) -> Result<Self> {
        // The parser's own words may repeat the text.
        let file: Value = serde_json::from_str(text)
            .map_err(|_| Failure::new("this keystore file is damaged: it is no JSON").help("take it from a backup"))?;
        if file.get("version").and_then(Value::as_u64) != Some(4) {
            return Err(Failure::new("this is no keystore file of a validator (EIP-2335): its `version` is not 4"));
        }
        let function = |part: &str, known: &str| match at(&file, &format!("/crypto/{part}/function")) {
            Ok(name) if name == known => Ok(()),
            Ok(name) => Err(Failure::new(format!("this keystore file has the {part} `{name}`; known is `{known}`"))),
            Err(failure) => Err(failure),
        };
        function("checksum", "sha256")?;
        function("cipher", "aes-128-ctr")?;
        let params = file.pointer("/crypto/kdf/params").cloned().unwrap_or_default();
        let crypto: Map =
            [("kdf".to_owned(), json!(at(&file, "/crypto/kdf/function")?)), ("kdfparams".to_owned(), params)]
                .into_iter()
                .collect();
        let cipher_text = bytes(&file, "/crypto/cipher/message")?;
        Ok(Self {
            public_key: bytes(&file, "/pubkey")?,
            derivation: Derivation::read(&crypto)?,
            checksum: sized(&file, "/crypto/checksum/message")?,
            iv: sized(&file, "/crypto/cipher/params/iv")?,
            cipher_text,
        })
    }

    /// Opens it, and says the public key of what is in it. The share itself is wiped at once.
    pub fn open(&self, password: &Secret) -> Result<[u8; 48]> {
        // EIP-2335 leaves control characters out, as they cannot be typed. Its other rule (NFKD) changes nothing in the
        // digits that charon's passwords are made of.
        let typed = Secret::new(password.expose().chars().filter(|letter| !letter.is_control()).collect());
        let derived = self.derivation.derive(&typed)?;
        let checksum = Sha256::new().chain_update(&derived[16..32]).chain_update(&self.cipher_text).finalize();
        if !bool::from(checksum.as_slice().ct_eq(&self.checksum)) {
            return Err(Failure::new("the password does not open this keystore file")
                .help("it is another file's; a file that was changed looks the same"));
        }
        let mut secret = Zeroizing::new(self.cipher_text.clone());
        let mut cipher = Ctr128BE::<Aes128>::new_from_slices(&derived[..16], &self.iv)
            .map_err(|_| Failure::new("this keystore file is damaged"))?;
        cipher.apply_keystream(&mut secret);
        let public = bls::public_of(&secret)?;
        if public[..] != self.public_key[..] {
            return Err(Failure::new("this keystore file names another public key than that of what is in it"));
        }
        Ok(public)
    }
}

fn at(file: &Value, pointer: &str) -> Result<String> {
    let name = pointer.trim_start_matches('/').replace('/', ".");
    file.pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("this keystore file has no `{name}`")))
}

fn bytes(file: &Value, pointer: &str) -> Result<Vec<u8>> {
    hex::decode(at(file, pointer)?)
        .map_err(|_| Failure::new(format!("this keystore file has a `{pointer}` that is not hexadecimal")))
}

fn sized<const N: usize>(file: &Value, pointer: &str) -> Result<[u8; N]> {
    let value = bytes(file, pointer)?;
    let length = value.len();
    value
        .try_into()
        .map_err(|_| Failure::new(format!("the `{pointer}` of this keystore file has {length} bytes, not {N}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A share as charon v1.10.3 wrote it in a ceremony of ours, and its password.
    const FILE: &str = include_str!("testing/keystore-0.json");
    const PASSWORD: &str = "b5e58e7bab63147fb426ef44ee2d30a5";

    fn open(text: &str, password: &str) -> Result<[u8; 48]> {
        ShareKeystore::parse(text)?.open(&Secret::new(password.into()))
    }

    #[test]
    fn a_share_that_charon_wrote_opens_with_its_password_and_no_other() {
        let public = open(FILE, PASSWORD).unwrap();
        assert_eq!(hex::encode(public), at(&serde_json::from_str(FILE).unwrap(), "/pubkey").unwrap());
        assert_eq!(open(FILE, &format!("{PASSWORD}\n")).unwrap(), public);
        assert!(open(FILE, "b5e58e7bab63147fb426ef44ee2d30a6").unwrap_err().message.contains("does not open"));
    }

    #[test]
    fn the_example_of_eip_2335_opens() {
        let file = json!({"crypto": {"kdf": {"function": "pbkdf2", "params": {"dklen": 32, "c": 262_144, "prf": "hmac-sha256",
            "salt": "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"}, "message": ""},
            "checksum": {"function": "sha256", "params": {},
            "message": "8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1"},
            "cipher": {"function": "aes-128-ctr", "params": {"iv": "264daa3f303d7259501c93d997d84fe6"},
            "message": "cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad"}},
            "pubkey": "9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27f4ae4040902382ae2910c15e2b420d07",
            "version": 4});
        let public = open(&file.to_string(), "testpassword\u{1f511}").unwrap();
        assert_eq!(public[..4], [0x96, 0x12, 0xd7, 0xa7]);
    }

    #[test]
    fn a_file_that_was_changed_does_not_open() {
        let whole: Value = serde_json::from_str(FILE).unwrap();
        for pointer in [
            "/crypto/cipher/message",
            "/crypto/checksum/message",
            "/crypto/kdf/params/salt",
            "/crypto/cipher/params/iv",
            "/pubkey",
        ] {
            let mut file = whole.clone();
            let old = at(&file, pointer).unwrap();
            let digit = if old.starts_with('0') { "1" } else { "0" };
            *file.pointer_mut(pointer).unwrap() = json!(format!("{digit}{}", &old[1..]));
            assert!(open(&file.to_string(), PASSWORD).is_err(), "{pointer}");
            *file.pointer_mut(pointer).unwrap() = json!("zz");
            assert!(open(&file.to_string(), PASSWORD).is_err(), "{pointer}");
        }
        assert!(open("{}", PASSWORD).is_err() && open("", PASSWORD).is_err());
    }
}
