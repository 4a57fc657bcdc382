//! Digests and the names made from them.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::wrong;
use md5::Md5;
use minijinja::{Error, State, Value};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use std::fmt::Write as _;

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("hash", hash),
    ("checksum", |_, args| Ok(Value::from(hex(&Sha1::digest(args.text()?))))),
    ("sha1", |_, args| Ok(Value::from(hex(&Sha1::digest(args.text()?))))),
    ("md5", |_, args| Ok(Value::from(hex(&Md5::digest(args.text()?))))),
    ("to_uuid", to_uuid),
    ("password_hash", password_hash),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn hash(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let kind = args.str(0, "hashtype")?.unwrap_or_else(|| "sha1".into());
    Ok(Value::from(match kind.as_str() {
        "md5" => hex(&Md5::digest(text)),
        "sha1" => hex(&Sha1::digest(text)),
        "sha224" => hex(&Sha224::digest(text)),
        "sha256" => hex(&Sha256::digest(text)),
        "sha384" => hex(&Sha384::digest(text)),
        "sha512" => hex(&Sha512::digest(text)),
        other => {
            return Err(wrong(format!("`hash` knows md5, sha1, sha224, sha256, sha384 and sha512, not `{other}`")));
        }
    }))
}

/// The namespace that Ansible uses for `to_uuid`.
const NAMESPACE: &str = "361E6D51FAEC444A9079341386DA8E2E";

/// A version 5 UUID (RFC 9562, 5.5).
fn to_uuid(_: &mut State, args: &Args) -> Result<Value, Error> {
    let namespace = args.str(0, "namespace")?.unwrap_or_else(|| NAMESPACE.into()).replace('-', "");
    let bytes: Option<Vec<u8>> = (0..namespace.len())
        .step_by(2)
        .map(|at| namespace.get(at..at + 2).and_then(|byte| u8::from_str_radix(byte, 16).ok()))
        .collect();
    let bytes =
        bytes.filter(|bytes| bytes.len() == 16).ok_or_else(|| wrong("the namespace of `to_uuid` is not a UUID"))?;
    let digest = Sha1::new().chain_update(bytes).chain_update(args.text()?).finalize();
    let mut id: Vec<u8> = digest[..16].to_vec();
    id[6] = (id[6] & 0x0f) | 0x50;
    id[8] = (id[8] & 0x3f) | 0x80;
    let id = hex(&id);
    Ok(Value::from(format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..])))
}

/// The alphabet of `crypt(3)`.
const CRYPT: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Bytes in `crypt(3)`'s base64: least significant bits first.
fn crypt_base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let mut bits = group.iter().rev().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        for _ in 0..=group.len() {
            out.push(char::from(CRYPT[(bits & 63) as usize]));
            bits >>= 6;
        }
    }
    out
}

/// The order in which `crypt(3)` writes a digest's bytes: threes that walk through its thirds.
fn crypt_order(digest: &[u8]) -> Vec<u8> {
    let third = digest.len() / 3;
    let (mut a, mut b, mut c) = (0, third, third * 2);
    let mut out = Vec::new();
    for _ in 0..third {
        out.extend([digest[c], digest[b], digest[a]]);
        (a, b, c) = if digest.len() == 64 { (b + 1, c + 1, a + 1) } else { (c + 1, a + 1, b + 1) };
    }
    out.extend_from_slice(&digest[third * 3..]);
    out
}

/// A password for `/etc/shadow`. Without a salt every rendering gives another text: name one to converge.
fn password_hash(_: &mut State, args: &Args) -> Result<Value, Error> {
    use sha_crypt::Params;
    let password = args.text()?;
    let kind = args.str(0, "hashtype")?.unwrap_or_else(|| "sha512".into());
    let salt = if let Some(salt) = args.str(1, "salt")? {
        salt
    } else {
        let mut bytes = [0; 12];
        getrandom::fill(&mut bytes).map_err(|error| wrong(format!("no random numbers: {error}")))?;
        crypt_base64(&bytes)
    };
    if salt.len() > 16 || !salt.bytes().all(|byte| CRYPT.contains(&byte)) {
        return Err(wrong("a salt of `password_hash` is up to 16 letters, digits, dots and slashes"));
    }
    let given = args.int(3, "rounds")?.or(args.int(99, "rounds")?);
    let rounds = u32::try_from(given.unwrap_or(5000)).unwrap_or(0);
    let params = Params::new(rounds).map_err(|_| wrong("`rounds` is a number from 1000 to 999999999"))?;
    let count = given.map_or_else(String::new, |rounds| format!("rounds={rounds}$"));
    Ok(Value::from(match kind.as_str() {
        "sha512" => {
            let digest = sha_crypt::sha512_crypt(password.as_bytes(), salt.as_bytes(), params);
            format!("$6${count}{salt}${}", crypt_base64(&crypt_order(&digest)))
        }
        "sha256" => {
            let digest = sha_crypt::sha256_crypt(password.as_bytes(), salt.as_bytes(), params);
            format!("$5${count}{salt}${}", crypt_base64(&crypt_order(&digest)))
        }
        other => return Err(wrong(format!("`password_hash` knows sha512 and sha256, not `{other}`"))),
    }))
}
