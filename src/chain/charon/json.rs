//! Values of cluster files as JSON has them: `0x..` for bytes, texts for large numbers, and `null` for what is empty.

use alloy_primitives::hex;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// Bytes, as `0x..`. Nothing, `null` and an empty text are no bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "0x{}", hex::encode(&self.0)) }
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        decode(&text).map(Self).map_err(D::Error::custom)
    }
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    let shown: String = text.chars().take(20).collect();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let digits = text.strip_prefix("0x").ok_or_else(|| format!("`{shown}` does not begin with 0x"))?;
    hex::decode(digits).map_err(|_| format!("`{shown}..` is not hexadecimal"))
}

/// A signature of 65 bytes, or several one after the other; a list of them means the same.
pub fn signatures<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        One(Bytes),
        Several(Vec<Bytes>),
    }
    Ok(
        match Form::deserialize(deserializer)
            .map_err(|_| D::Error::custom("a signature is 0x and 130 hexadecimal digits"))?
        {
            Form::One(bytes) => bytes,
            Form::Several(list) => Bytes(list.into_iter().flat_map(|bytes| bytes.0).collect()),
        },
    )
}

/// What is `null` is what the type is without anything: an empty list, an empty text, 0, no.
pub fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A number that may stand there as a text, as JavaScript needs it for amounts of gwei.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub u64);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Text(String),
        }
        let wrong = || D::Error::custom("an amount is a whole number of gwei");
        match Form::deserialize(deserializer).map_err(|_| wrong())? {
            Form::Number(number) => Ok(Self(number)),
            Form::Text(text) => text.parse().map(Self).map_err(|_| wrong()),
        }
    }
}
