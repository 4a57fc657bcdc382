//! Detached signatures of a lock: a personal message (EIP-191), which every wallet can sign and check.

use super::Lock;
use crate::base::{Failure, failure::Result};
use crate::chain::{AccountKey, Address, parse_address, signature};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An account's word for a lock. The signed text is [`message`]: what another wallet signs as a personal message is as good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The account, with checksum (EIP-55).
    pub address: String,
    /// The text that was signed.
    pub message: String,
    /// `r`, `s` and `v` (27 or 28): 0x and 130 digits.
    pub signature: String,
}

/// The text that is signed: what it is for, which network, and the SHA-256 of its lock's file.
pub fn message(lock: &Lock) -> String {
    format!(
        "Chainwright network lock, version {}\nnetwork: {}\nsha256: {}\n",
        lock.version,
        lock.network,
        lock.digest()
    )
}

impl Signature {
    /// Signs.
    pub fn new(lock: &Lock, key: &AccountKey) -> Result<Self> {
        let message = message(lock);
        let signature = signature::Signature::of_text(key, &message)?.to_string();
        Ok(Self { address: key.address().to_checksum(None), message, signature })
    }

    /// Reads a file; a mistake names `path`, line and column.
    pub fn parse(path: &str, text: &str) -> Result<Self> {
        let signature: Self = serde_json::from_str(text).map_err(|error| {
            let place = format!("{path}: line {}, column {}", error.line(), error.column());
            let message = error.to_string();
            Failure::new(message.split(" at line ").next().unwrap_or_default())
                .context(place)
                .help("a signature is {\"address\": .., \"message\": .., \"signature\": ..}, as `chainwright lock sign` writes it")
        })?;
        parse_address(&signature.address).map_err(|failure| failure.context(path))?;
        Ok(signature)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Who signed this lock: the account that the file names, if it is so. Fails where the signature is for another lock,
    /// or not the account's.
    pub fn verify(&self, lock: &Lock) -> Result<Address> {
        let named = parse_address(&self.address)?;
        let wanted = message(lock);
        if self.message.trim_end() != wanted.trim_end() {
            return Err(Failure::new(format!("{named} has signed something else, not this lock"))
                .help("the lock has changed since, or the signature is of another network: let it be signed anew"));
        }
        // A wallet signs the text as it is, with or without the newline at its end.
        let signer = self.signature.parse::<signature::Signature>()?.signer_of_text(&self.message)?;
        if signer != named {
            return Err(Failure::new(format!("this is not the signature of {named}"))
                .help("the file was changed, or another account signed: let it be signed anew"));
        }
        Ok(named)
    }
}
