//! Keystore files, version 3 (the Web3 Secret Storage Definition), as geth writes and reads them.

pub mod folder;
pub mod kdf;
pub mod password;

pub use kdf::{Kdf, LIGHT, PBKDF2, STANDARD};

use super::{AccountKey, keccak256, parse_address};
use crate::base::{Failure, Map, Secret, Value, failure::Result};
use aes::Aes128;
use aes::cipher::{KeyIvInit, StreamCipher};
use alloy_primitives::{Address, hex};
use ctr::Ctr128BE;
use kdf::Derivation;
use serde_json::json;
use zeroize::Zeroizing;

/// A keystore file, read and checked as far as that goes without its password.
#[derive(Debug, Clone)]
pub struct Keystore {
    /// The address that it names. `None`: it names none, and geth passes it over.
    pub address: Option<Address>,
    /// Its UUID, if it has one.
    pub id: Option<String>,
    derivation: Derivation,
    iv: [u8; 16],
    cipher_text: [u8; 32],
    mac: [u8; 32],
}

impl Keystore {
    /// Reads a file's content. Fails where no password could open it.
    pub fn parse(text: &str) -> Result<Self> {
        let file = table(text)?;
        let crypto = file
            .get("crypto")
            .or(file.get("Crypto"))
            .and_then(Value::as_object)
            .ok_or_else(|| Failure::new("this keystore file has no `crypto`"))?;
        let cipher = crypto.get("cipher").and_then(Value::as_str).unwrap_or_default();
        if cipher != "aes-128-ctr" {
            return Err(Failure::new(format!(
                "this keystore file is encrypted with `{cipher}`; known is `aes-128-ctr`"
            )));
        }
        let iv = crypto.get("cipherparams").and_then(|params| params.get("iv"));
        Ok(Self {
            address: named(&file)?,
            id: file.get("id").and_then(Value::as_str).map(str::to_owned),
            derivation: Derivation::read(crypto)?,
            iv: sized(iv, "iv")?,
            cipher_text: sized(crypto.get("ciphertext"), "ciphertext")?,
            mac: sized(crypto.get("mac"), "mac")?,
        })
    }

    /// How the password becomes the file's key.
    pub fn kdf(&self) -> Kdf {
        self.derivation.kdf
    }

    /// Decrypts the key. A wrong password and a file that was changed cannot be told apart.
    pub fn open(&self, password: &Secret) -> Result<AccountKey> {
        let derived = self.derivation.derive(password)?;
        if mac(&derived, &self.cipher_text) != self.mac {
            return Err(Failure::new("the password does not open this keystore file")
                .help("it is another account's, or mistyped; a file that was changed looks the same"));
        }
        let mut bytes = Zeroizing::new(self.cipher_text);
        apply_cipher(&derived, &self.iv, bytes.as_mut_slice());
        let key = AccountKey::from_bytes(bytes.as_slice())?;
        match self.address.filter(|named| *named != key.address()) {
            Some(named) => Err(Failure::new(format!(
                "this keystore file names the address {named}, but holds the key of {}",
                key.address()
            ))
            .help("the file was changed: take it from a backup")),
            None => Ok(key),
        }
    }
}

/// Encrypts a key; the text is the file's content.
pub fn encrypt(key: &AccountKey, password: &Secret, kdf: Kdf) -> Result<String> {
    let mut random = [0_u8; 64];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::new(format!("the kernel gives no random numbers: {error}")))?;
    let (salt, rest) = random.split_at(32);
    let (iv, id) = rest.split_at(16);
    let derivation = Derivation { kdf, salt: salt.to_vec(), length: 32 };
    let derived = derivation.derive(password)?;
    let mut cipher_text = key.to_bytes();
    apply_cipher(&derived, iv.first_chunk().unwrap_or(&[0; 16]), &mut cipher_text);
    let file = json!({
        // geth's account cache skips a file without this field.
        "address": hex::encode(key.address()),
        "crypto": {
            "cipher": "aes-128-ctr",
            "ciphertext": hex::encode(&*cipher_text),
            "cipherparams": { "iv": hex::encode(iv) },
            "kdf": match kdf { Kdf::Scrypt { .. } => "scrypt", Kdf::Pbkdf2 { .. } => "pbkdf2" },
            "kdfparams": derivation.params(),
            "mac": hex::encode(mac(&derived, &cipher_text)),
        },
        "id": uuid(id),
        "version": 3,
    });
    Ok(file.to_string())
}

/// Decrypts a file's content; see [`Keystore::open`].
pub fn decrypt(text: &str, password: &Secret) -> Result<AccountKey> {
    Keystore::parse(text)?.open(password)
}

/// The address that a file's content names, without looking at the rest. `None`: it names none, and geth passes it over.
pub fn address(text: &str) -> Result<Option<Address>> {
    named(&table(text)?)
}

/// The name that geth gives a file made at this moment (nanoseconds since 1970, UTC).
pub fn file_name(address: Address, time: jiff::Timestamp) -> String {
    format!("UTC--{}Z--{}", time.strftime("%Y-%m-%dT%H-%M-%S.%9f"), hex::encode(address))
}

fn named(file: &Map) -> Result<Option<Address>> {
    match file.get("address").and_then(Value::as_str) {
        Some(address) => {
            parse_address(address).map(Some).map_err(|failure| failure.context("the `address` of this keystore file"))
        }
        None => Ok(None),
    }
}

/// The words of the JSON parser are not passed on: they may repeat the text, and that may be a key.
fn table(text: &str) -> Result<Map> {
    if !text.trim_start().starts_with('{') {
        return Err(Failure::new("this is not a keystore file: it is no JSON table"));
    }
    let file: Map = serde_json::from_str(text).map_err(|error| {
        let reason = if error.is_eof() { "it is cut short" } else { "it is no JSON" };
        Failure::new(format!(
            "this keystore file is damaged: {reason} (line {}, column {})",
            error.line(),
            error.column()
        ))
        .help("take it from a backup")
    })?;
    match file.get("version").and_then(Value::as_u64) {
        Some(3) => Ok(file),
        Some(version) => Err(Failure::new(format!("this keystore file has version {version}; known is version 3"))),
        None => Err(Failure::new("this is not a keystore file: it has no `version`")),
    }
}

fn apply_cipher(derived: &[u8], iv: &[u8; 16], text: &mut [u8]) {
    // Both have the right length: every derivation makes at least 32 bytes.
    if let Ok(mut cipher) = Ctr128BE::<Aes128>::new_from_slices(&derived[..16], iv) {
        cipher.apply_keystream(text);
    }
}

fn mac(derived: &[u8], cipher_text: &[u8]) -> [u8; 32] {
    keccak256([&derived[16..32], cipher_text].concat()).0
}

fn missing(name: &str) -> Failure {
    Failure::new(format!("this keystore file has no `{name}`"))
}

fn unhex(value: Option<&Value>, name: &str) -> Result<Vec<u8>> {
    let text = value.and_then(Value::as_str).ok_or_else(|| missing(name))?;
    hex::decode(text).map_err(|_| Failure::new(format!("this keystore file has a `{name}` that is not hexadecimal")))
}

fn sized<const N: usize>(value: Option<&Value>, name: &str) -> Result<[u8; N]> {
    let bytes = unhex(value, name)?;
    let length = bytes.len();
    bytes.try_into().map_err(|_| {
        Failure::new(format!("this keystore file is damaged: its `{name}` has {length} bytes instead of {N}"))
            .help("take it from a backup")
    })
}

/// A random UUID (version 4) of 16 random bytes.
fn uuid(random: &[u8]) -> String {
    let mut bytes = random.to_vec();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let text = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Web3 Secret Storage Definition.
    fn example(kdf: &str, kdfparams: &Value, iv: &str, ciphertext: &str, mac: &str) -> String {
        json!({"crypto": {"cipher": "aes-128-ctr", "cipherparams": {"iv": iv}, "ciphertext": ciphertext, "kdf": kdf,
            "kdfparams": kdfparams, "mac": mac}, "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3})
        .to_string()
    }

    #[test]
    fn the_examples_of_the_definition_are_opened_by_their_password() {
        let scrypt = example(
            "scrypt",
            &json!({"dklen": 32, "n": 262_144, "p": 8, "r": 1,
                "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"}),
            "83dbcc02d8ccb40e466191a123791e0e",
            "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
            "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
        );
        let pbkdf2 = example(
            "pbkdf2",
            &json!({"c": 262_144, "dklen": 32, "prf": "hmac-sha256",
                "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"}),
            "6087dab2f9fdbbfaddc31a909735c1e6",
            "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
            "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
        );
        for file in [scrypt, pbkdf2] {
            let key = decrypt(&file, &Secret::new("testpassword".into())).unwrap();
            assert_eq!(key.address().to_checksum(None), "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");
        }
    }

    #[test]
    fn a_new_file_opens_with_its_password_and_with_no_other() {
        let key = AccountKey::generate().unwrap();
        let file = encrypt(&key, &Secret::new("correct horse".into()), LIGHT).unwrap();
        assert_eq!(address(&file).unwrap(), Some(key.address()));
        assert_eq!(decrypt(&file, &Secret::new("correct horse".into())).unwrap().address(), key.address());
        let failure = decrypt(&file, &Secret::new("wrong".into())).unwrap_err();
        assert_eq!(failure.message, "the password does not open this keystore file");
        assert!(!file.contains(&hex::encode(&*key.to_bytes())));
    }

    #[test]
    fn a_file_is_named_as_geth_names_it() {
        let address = parse_address("7ef5a6135f1fd6a02593eedc869c6d41d934aef8").unwrap();
        let time = "2016-03-22T12:57:55.920751759Z".parse().unwrap();
        assert_eq!(
            file_name(address, time),
            "UTC--2016-03-22T12-57-55.920751759Z--7ef5a6135f1fd6a02593eedc869c6d41d934aef8"
        );
    }

    #[test]
    fn pbkdf2_does_as_well() {
        let (key, password) = (AccountKey::generate().unwrap(), Secret::new("correct horse".into()));
        let file = encrypt(&key, &password, Kdf::Pbkdf2 { rounds: 1000 }).unwrap();
        assert_eq!(Keystore::parse(&file).unwrap().kdf().to_string(), "pbkdf2, hmac-sha256, c=1000");
        assert_eq!(decrypt(&file, &password).unwrap().address(), key.address());
    }

    fn made() -> (String, Secret) {
        let password = Secret::new("correct horse".into());
        let key = AccountKey::generate().unwrap();
        (encrypt(&key, &password, Kdf::Pbkdf2 { rounds: 1 }).unwrap(), password)
    }

    #[test]
    fn a_file_that_was_changed_does_not_open() {
        let (file, password) = made();
        let value: Value = serde_json::from_str(&file).unwrap();
        for field in ["/crypto/ciphertext", "/crypto/mac", "/crypto/kdfparams/salt"] {
            let mut changed = value.clone();
            let old = changed.pointer(field).and_then(Value::as_str).unwrap();
            let digit = if old.starts_with('0') { "1" } else { "0" };
            let new = format!("{digit}{}", &old[1..]);
            *changed.pointer_mut(field).unwrap() = new.into();
            let failure = decrypt(&changed.to_string(), &password).unwrap_err();
            assert_eq!(failure.message, "the password does not open this keystore file", "{field}");
        }
        // The mac does not cover these two; the address tells.
        for (field, new) in [("/address", "0".repeat(40)), ("/crypto/cipherparams/iv", "0".repeat(32))] {
            let mut changed = value.clone();
            *changed.pointer_mut(field).unwrap() = new.into();
            let message = decrypt(&changed.to_string(), &password).unwrap_err().message;
            assert!(message.contains("but holds the key of") || message.contains("private key"), "{message}");
        }
    }

    #[test]
    fn a_file_that_was_cut_short_is_named_so() {
        let (file, password) = made();
        for end in 1..file.len() {
            let message = decrypt(&file[..end], &password).unwrap_err().message;
            assert!(message.contains("damaged: it is cut short"), "{end}: {message}");
        }
        let short = file.replacen("\"mac\":\"", "\"mac\":\"00", 1);
        let message = decrypt(&short, &password).unwrap_err().message;
        assert_eq!(message, "this keystore file is damaged: its `mac` has 33 bytes instead of 32");
    }

    #[test]
    fn what_is_no_keystore_file_is_refused_without_repeating_it() {
        let key = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
        for (text, reason) in [
            (key.to_owned(), "no JSON table"),
            (format!("\"{key}\""), "no JSON table"),
            (format!("{{\"private\": {key}}}"), "it is no JSON"),
            (format!("{{\"private\": \"{key}\"}}"), "no `version`"),
            ("{\"version\": 1}".to_owned(), "version 1"),
            ("{\"version\": 3}".to_owned(), "no `crypto`"),
        ] {
            let failure = Keystore::parse(&text).unwrap_err().to_string();
            assert!(failure.contains(reason) && !failure.contains(key), "{failure}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_key_opens_with_any_password_and_with_no_other(secret in 1..u64::MAX, password in "\\PC{1,20}", other in "\\PC{0,20}") {
            let key = AccountKey::from_hex(&format!("{secret:064x}")).unwrap();
            let file = encrypt(&key, &Secret::new(password.clone()), Kdf::Pbkdf2 { rounds: 1 }).unwrap();
            proptest::prop_assert_eq!(decrypt(&file, &Secret::new(password.clone())).unwrap().to_bytes(), key.to_bytes());
            proptest::prop_assert!(other == password || decrypt(&file, &Secret::new(other)).is_err());
        }

        #[test]
        fn no_value_makes_the_reader_panic(field in 0..11_usize, value in proptest::prelude::any::<i64>(), text in ".{0,70}") {
            let mut file: Value = serde_json::from_str(&made().0).unwrap();
            let fields = ["/address", "/version", "/crypto", "/crypto/cipher", "/crypto/cipherparams", "/crypto/cipherparams/iv",
                "/crypto/ciphertext", "/crypto/kdf", "/crypto/kdfparams", "/crypto/kdfparams/salt", "/crypto/mac"];
            for new in [Value::from(value), Value::from(text)] {
                *file.pointer_mut(fields[field]).unwrap() = new;
                let _ = Keystore::parse(&file.to_string());
            }
        }
    }
}
