//! Numbers, bytes and addresses of a genesis file, read strictly: what no client reads is a mistake with a remedy.

use super::json::{Data, Node, shorten};
use alloy_primitives::{Address, B256, U256, hex};

/// What is wrong with a value, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// In one sentence, without the key.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// A value, or what is wrong with it.
pub type Read<T> = Result<T, Wrong>;

fn wrong(message: impl Into<String>, help: impl Into<String>) -> Wrong {
    Wrong { message: message.into(), help: help.into() }
}

/// The value in a few letters, for messages.
pub fn show(node: &Node) -> String {
    match &node.data {
        Data::Null => "null".into(),
        Data::Bool(value) => value.to_string(),
        Data::Number(digits) => shorten(digits).into_owned(),
        Data::Text(text) => format!("\"{}\"", shorten(text)),
        Data::List(_) => "a list".into(),
        Data::Table(_) => "a table".into(),
    }
}

/// A whole number of up to 256 bits: a JSON number, a text of decimal digits, a text that begins with `0x`.
pub fn number(node: &Node) -> Read<U256> {
    let example = "write a whole number, as 4700000 or \"0x47b760\"";
    match &node.data {
        Data::Number(digits) | Data::Text(std::borrow::Cow::Borrowed(digits)) => digits_of(digits),
        Data::Text(text) => digits_of(text),
        _ => None,
    }
    .ok_or_else(|| {
        let text = match &node.data {
            Data::Number(digits) => digits,
            _ => node.as_text().unwrap_or_default(),
        };
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        let is_number = match digits {
            Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
            None => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
        };
        if is_number {
            return wrong(
                format!("{} is too large", show(node)),
                "a number has at most 256 bits: 64 hexadecimal digits",
            );
        }
        wrong(format!("{} is not a whole number", show(node)), example)
    })
}

fn digits_of(text: &str) -> Option<U256> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        return U256::from_str_radix(if digits.is_empty() { "0" } else { digits }, 16).ok();
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    U256::from_str_radix(if text.is_empty() { "0" } else { text }, 10).ok()
}

/// A number as Besu reads `difficulty` and `nonce`: hexadecimal digits, whether `0x` stands before them or not.
pub fn besu_hex(node: &Node) -> Read<U256> {
    let text = match &node.data {
        Data::Number(digits) => digits,
        Data::Text(text) => text.as_ref(),
        _ => "-",
    };
    let digits = text.strip_prefix("0x").unwrap_or(text);
    U256::from_str_radix(if digits.is_empty() { "0" } else { digits }, 16)
        .map_err(|_| wrong(format!("{} is not a hexadecimal number", show(node)), "write it as \"0x1\""))
}

/// A number that fits 64 bits.
pub fn small(node: &Node) -> Read<u64> {
    let value = number(node)?;
    u64::try_from(value)
        .map_err(|_| wrong(format!("{} is too large", show(node)), "the largest number here is 18446744073709551615"))
}

/// Bytes: a text of hexadecimal digits, with or without `0x`.
pub fn bytes(node: &Node) -> Read<Vec<u8>> {
    let text = node.as_text().ok_or_else(|| {
        wrong(format!("{} is not a text of hexadecimal digits", show(node)), "write bytes as \"0x00ff\"")
    })?;
    hex::decode(text).map_err(|error| match error {
        hex::FromHexError::OddLength => {
            wrong(format!("{} has an odd number of digits", show(node)), "a byte has two digits: is one missing?")
        }
        _ => wrong(
            format!("{} is not a text of hexadecimal digits", show(node)),
            "hexadecimal digits are 0 to 9 and a to f",
        ),
    })
}

/// Exactly 32 bytes.
pub fn hash(node: &Node) -> Read<B256> {
    let bytes = bytes(node)?;
    B256::try_from(bytes.as_slice())
        .map_err(|_| wrong(format!("{} has {} bytes, not 32", show(node), bytes.len()), "write 0x and 64 digits"))
}

/// Up to 32 bytes, filled up with zeros on the left: keys and values of a contract's storage.
pub fn slot(text: &str) -> Read<B256> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut padded = [b'0'; 64];
    if digits.len() > 64 {
        return Err(wrong(format!("\"{}\" has more than 32 bytes", shorten(text)), "a slot has 32 bytes"));
    }
    padded[64 - digits.len()..].copy_from_slice(digits.as_bytes());
    let mut slot = B256::ZERO;
    hex::decode_to_slice(padded, slot.as_mut_slice()).map_err(|_| {
        wrong(format!("\"{}\" is not a text of hexadecimal digits", shorten(text)), "write it as \"0x01\"")
    })?;
    Ok(slot)
}

/// An address, whatever the case of its letters: [`has_wrong_checksum`] looks at that.
pub fn address(text: &str) -> Read<Address> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let mut address = Address::ZERO;
    if digits.len() != 40 || hex::decode_to_slice(digits, address.as_mut_slice()).is_err() {
        let count = digits.chars().count();
        let message = if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            format!("`{}` has {count} digits, not 40", shorten(text))
        } else {
            format!("`{}` is not an address", shorten(text))
        };
        return Err(wrong(message, "an address is 40 hexadecimal digits, usually after 0x"));
    }
    Ok(address)
}

/// The right notation of an address whose upper and lower case letters contradict it (EIP-55).
pub fn has_wrong_checksum(text: &str, address: Address) -> Option<String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mixed =
        digits.bytes().any(|byte| byte.is_ascii_lowercase()) && digits.bytes().any(|byte| byte.is_ascii_uppercase());
    if !mixed {
        return None;
    }
    let right = address.to_checksum(None);
    (right[2..] != *digits).then_some(right)
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;
    use crate::base::Source;

    fn read<T>(text: &str, reader: impl Fn(&Node) -> Read<T>) -> Read<T> {
        let source = Source::new("x", text);
        let (value, _) = json::read(&source);
        reader(&value.unwrap())
    }

    #[test]
    fn numbers_are_read_in_the_three_notations_of_genesis_files() {
        for text in ["4700000", "\"4700000\"", "\"0x47b760\"", "\"0x00047b760\""] {
            assert_eq!(read(text, small).unwrap(), 4_700_000, "{text}");
        }
        assert_eq!(read("58750000000000000000000", number).unwrap().to_string(), "58750000000000000000000");
        for text in ["1e18", "-1", "1.5", "\"5 ether\"", "\"0xgg\"", "\"1_000\"", "true", "{}"] {
            assert!(read(text, number).is_err(), "{text}");
        }
        assert!(read("18446744073709551616", small).unwrap_err().message.contains("too large"));
        for text in [format!("\"0x1{}\"", "0".repeat(64)), format!("1{}", "0".repeat(78))] {
            assert!(read(&text, number).unwrap_err().message.contains("too large"), "{text}");
        }
    }

    #[test]
    fn besu_reads_a_difficulty_as_hexadecimal_digits() {
        assert_eq!(read("10", besu_hex).unwrap(), U256::from(16));
        assert_eq!(read("\"0x10\"", besu_hex).unwrap(), U256::from(16));
    }

    #[test]
    fn slots_are_filled_up_and_addresses_are_not() {
        assert_eq!(slot("0x1").unwrap(), B256::with_last_byte(1));
        assert_eq!(slot("").unwrap(), B256::ZERO);
        assert!(slot(&"0".repeat(65)).is_err() && slot("zz").is_err() && slot("é").is_err());
        assert!(address("0x1").unwrap_err().message.contains("1 digits"));
        assert!(address("Zero").unwrap_err().message.contains("not an address"));
    }

    #[test]
    fn a_checksum_is_only_wrong_where_the_case_is_mixed() {
        let text = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD";
        let right = has_wrong_checksum(text, address(text).unwrap()).unwrap();
        assert_eq!(right, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
        assert_eq!(has_wrong_checksum(&right, address(&right).unwrap()), None);
        assert_eq!(has_wrong_checksum(&text.to_lowercase(), address(text).unwrap()), None);
    }
}
