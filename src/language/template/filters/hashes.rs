//! Digests and the names made from them.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::wrong;
use md5::Md5;
use minijinja::{Error, State, Value};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("hash", hash),
    ("checksum", |_, args| Ok(Value::from(hex(&Sha1::digest(args.text()?))))),
    ("sha1", |_, args| Ok(Value::from(hex(&Sha1::digest(args.text()?))))),
    ("md5", |_, args| Ok(Value::from(hex(&Md5::digest(args.text()?))))),
    ("to_uuid", to_uuid),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
