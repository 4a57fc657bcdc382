//! Keystore files, version 3 (the Web3 Secret Storage Definition), as geth writes and reads them.

use super::{AccountKey, keccak256, parse_address};
use crate::base::{Failure, Map, Secret, Value, failure::Result};
use aes::Aes128;
use aes::cipher::{KeyIvInit, StreamCipher};
use alloy_primitives::{Address, hex};
use ctr::Ctr128BE;
use serde_json::json;
use zeroize::Zeroizing;

/// How much work it is to try a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Binary logarithm of scrypt's `n`.
    pub log_n: u8,
    /// Scrypt's `p`.
    pub p: u32,
}

/// What `geth account new` takes: 256 MB of memory and about a second.
pub const STANDARD: Cost = Cost { log_n: 18, p: 1 };
/// What `geth --lightkdf` takes. For tests.
pub const LIGHT: Cost = Cost { log_n: 12, p: 6 };

/// Encrypts a key; the text is the file's content.
pub fn encrypt(key: &AccountKey, password: &Secret, cost: Cost) -> Result<String> {
    let mut random = [0_u8; 64];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::new(format!("the kernel gives no random numbers: {error}")))?;
    let (salt, rest) = random.split_at(32);
    let (iv, id) = rest.split_at(16);
    let derived = scrypt(password, salt, cost.log_n, 8, cost.p, 32)?;
    let mut cipher_text = key.to_bytes();
    apply_cipher(&derived, iv, &mut cipher_text)?;
    let file = json!({
        // geth's account cache skips a file without this field.
        "address": hex::encode(key.address()),
        "crypto": {
            "cipher": "aes-128-ctr",
            "ciphertext": hex::encode(&*cipher_text),
            "cipherparams": { "iv": hex::encode(iv) },
            "kdf": "scrypt",
            "kdfparams": { "dklen": 32, "n": 1_u64 << cost.log_n, "p": cost.p, "r": 8, "salt": hex::encode(salt) },
            "mac": hex::encode(mac(&derived, &cipher_text)),
        },
        "id": uuid(id),
        "version": 3,
    });
    Ok(file.to_string())
}

/// Decrypts a file's content. Fails if the password is wrong, without saying more.
pub fn decrypt(text: &str, password: &Secret) -> Result<AccountKey> {
    let file = parse(text)?;
    let crypto = file
        .get("crypto")
        .or(file.get("Crypto"))
        .and_then(Value::as_object)
        .ok_or_else(|| Failure::new("this keystore file has no `crypto`"))?;
    let cipher = crypto.get("cipher").and_then(Value::as_str).unwrap_or_default();
    if cipher != "aes-128-ctr" {
        return Err(Failure::new(format!("this keystore file is encrypted with `{cipher}`; known is `aes-128-ctr`")));
    }
    let derived = derive(crypto, password)?;
    let mut text = Zeroizing::new(bytes(crypto.get("ciphertext"), "ciphertext")?);
    if mac(&derived, &text) != bytes(crypto.get("mac"), "mac")?.as_slice() {
        return Err(Failure::new("the password does not open this keystore file"));
    }
    let iv = bytes(crypto.get("cipherparams").and_then(|params| params.get("iv")), "cipherparams.iv")?;
    apply_cipher(&derived, &iv, &mut text)?;
    AccountKey::from_bytes(&text)
}

/// The address that a file's content names, without decrypting it. `None`: it names none, and geth passes it over.
pub fn address(text: &str) -> Result<Option<Address>> {
    match parse(text)?.get("address").and_then(Value::as_str) {
        Some(address) => parse_address(address).map(Some),
        None => Ok(None),
    }
}

/// The name that geth gives a file made at this moment (nanoseconds since 1970, UTC).
pub fn file_name(address: Address, time: jiff::Timestamp) -> String {
    format!("UTC--{}Z--{}", time.strftime("%Y-%m-%dT%H-%M-%S.%9f"), hex::encode(address))
}

fn parse(text: &str) -> Result<Map> {
    let file: Map =
        serde_json::from_str(text).map_err(|_| Failure::new("this is not a keystore file: it is no JSON table"))?;
    match file.get("version").and_then(Value::as_u64) {
        Some(3) => Ok(file),
        Some(version) => Err(Failure::new(format!("this keystore file has version {version}; known is version 3"))),
        None => Err(Failure::new("this is not a keystore file: it has no `version`")),
    }
}

fn derive(crypto: &Map, password: &Secret) -> Result<Zeroizing<Vec<u8>>> {
    let kdf = crypto.get("kdf").and_then(Value::as_str).unwrap_or_default();
    let params = crypto.get("kdfparams").cloned().unwrap_or_default();
    let number = |name: &str| {
        params
            .get(name)
            .and_then(Value::as_u64)
            .ok_or_else(|| Failure::new(format!("this keystore file has no `{name}`")))
    };
    let salt = bytes(params.get("salt"), "salt")?;
    let length = usize::try_from(number("dklen")?).unwrap_or(usize::MAX);
    if !(32..=64).contains(&length) {
        return Err(Failure::new(format!("this keystore file has a `dklen` of {length}; usual is 32")));
    }
    match kdf {
        "scrypt" => {
            let (n, r, p) = (number("n")?, number("r")?, number("p")?);
            // Eight times geth's own memory: a file that asks for more is made to exhaust the host.
            if !n.is_power_of_two() || n.saturating_mul(r) > (1 << 24) || p > 64 {
                return Err(Failure::new(format!("this keystore file asks for scrypt with n={n}, r={r}, p={p}")));
            }
            let log_n = u8::try_from(n.trailing_zeros()).unwrap_or(u8::MAX);
            scrypt(
                password,
                &salt,
                log_n,
                u32::try_from(r).unwrap_or(u32::MAX),
                u32::try_from(p).unwrap_or(u32::MAX),
                length,
            )
        }
        "pbkdf2" => {
            let rounds = u32::try_from(number("c")?).ok().filter(|rounds| *rounds <= 10_000_000);
            let rounds = rounds.ok_or_else(|| Failure::new("this keystore file asks for too many rounds of pbkdf2"))?;
            let mut derived = Zeroizing::new(vec![0; length]);
            pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password.expose().as_bytes(), &salt, rounds, &mut derived);
            Ok(derived)
        }
        other => {
            Err(Failure::new(format!("this keystore file derives its key with `{other}`; known are scrypt and pbkdf2")))
        }
    }
}

fn scrypt(password: &Secret, salt: &[u8], log_n: u8, r: u32, p: u32, length: usize) -> Result<Zeroizing<Vec<u8>>> {
    let params = scrypt::Params::new(log_n, r, p).map_err(|error| Failure::new(format!("scrypt: {error}")))?;
    let mut derived = Zeroizing::new(vec![0; length]);
    scrypt::scrypt(password.expose().as_bytes(), salt, &params, &mut derived)
        .map_err(|error| Failure::new(format!("scrypt: {error}")))?;
    Ok(derived)
}

fn apply_cipher(derived: &[u8], iv: &[u8], text: &mut [u8]) -> Result<()> {
    let mut cipher = Ctr128BE::<Aes128>::new_from_slices(&derived[..16], iv)
        .map_err(|_| Failure::new("this keystore file has an `iv` of a wrong length"))?;
    cipher.apply_keystream(text);
    Ok(())
}

fn mac(derived: &[u8], cipher_text: &[u8]) -> [u8; 32] {
    keccak256([&derived[16..32], cipher_text].concat()).0
}

fn bytes(value: Option<&Value>, name: &str) -> Result<Vec<u8>> {
    value
        .and_then(Value::as_str)
        .and_then(|text| hex::decode(text).ok())
        .ok_or_else(|| Failure::new(format!("this keystore file has no `{name}` in hexadecimal")))
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
    fn a_file_that_would_exhaust_the_host_is_refused() {
        let file =
            example("scrypt", &json!({"dklen": 32, "n": 1_u64 << 40, "p": 1, "r": 8, "salt": "ab"}), "00", "00", "00");
        assert!(decrypt(&file, &Secret::new("x".into())).unwrap_err().message.contains("n=1099511627776"));
    }
}
