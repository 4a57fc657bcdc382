//! Numbers and bytes as JSON files and RPC answers write them.

use crate::base::{Failure, Value, failure::Result};
use alloy_primitives::{B256, U256, hex};

/// A number: JSON number, decimal text, `0x` text, or (in what people write) a text with a unit, `5 ether`.
pub fn number(value: &Value) -> Result<U256> {
    let wrong = || {
        Failure::new(format!("{value} is not a number"))
            .help("write a whole number, a hexadecimal one as \"0x10\", or an amount as \"5 ether\", \"3 gwei\"")
    };
    let text = match value {
        Value::Number(number) => number.as_u64().ok_or_else(wrong)?.to_string(),
        Value::String(text) => text.trim().replace('_', ""),
        _ => return Err(wrong()),
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return U256::from_str_radix(if digits.is_empty() { "0" } else { digits }, 16).map_err(|_| wrong());
    }
    let (digits, decimals) = match text.split_once(char::is_whitespace) {
        None => (text.as_str(), 0),
        Some((digits, unit)) => match unit.trim().to_ascii_lowercase().as_str() {
            "wei" => (digits, 0),
            "gwei" => (digits, 9),
            "ether" | "eth" => (digits, 18),
            _ => return Err(wrong()),
        },
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let amount = U256::from_str_radix(digits, 10).map_err(|_| wrong())?;
    amount.checked_mul(U256::from(10).pow(U256::from(decimals))).ok_or_else(wrong)
}

/// A number that fits 64 bits.
pub fn small(value: &Value) -> Result<u64> {
    u64::try_from(number(value)?).map_err(|_| Failure::new(format!("{value} is too large a number")))
}

/// An amount of wei for people: `1000 ether`, `0.5 ether`, `7 wei`.
pub fn amount(wei: U256) -> String {
    let ether = U256::from(10).pow(U256::from(18));
    // Below a millionth of an ether the zeros would be harder to read than the wei.
    if wei < U256::from(1_000_000_000_000_u64) {
        return format!("{wei} wei");
    }
    let fraction = format!("{:0>18}", (wei % ether).to_string());
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction} ether", wei / ether)
}

/// Bytes written as hexadecimal digits, with or without `0x`.
pub fn bytes(value: &Value) -> Result<Vec<u8>> {
    value
        .as_str()
        .and_then(|text| hex::decode(text).ok())
        .ok_or_else(|| Failure::new(format!("{value} is not a text of hexadecimal digits")))
}

/// Thirty-two bytes; fewer are filled up with zeros on the left, as in a contract's storage.
pub fn hash(value: &Value) -> Result<B256> {
    let bytes = bytes(value)?;
    if bytes.len() > 32 {
        return Err(Failure::new(format!("{value} has more than 32 bytes")));
    }
    Ok(B256::left_padding_from(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_are_read_in_every_notation() {
        for (value, wei) in [
            (json!(5), "5"),
            (json!("0x10"), "16"),
            (json!("1000000000000000000000"), "1000000000000000000000"),
            (json!("5 ether"), "5000000000000000000"),
            (json!("1_000 gwei"), "1000000000000"),
        ] {
            assert_eq!(number(&value).unwrap().to_string(), wei);
        }
        for wrong in [json!("-1"), json!("1.5 ether"), json!("5 eur"), json!(""), json!(null), json!("1e18")] {
            assert!(number(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn amounts_are_written_as_people_say_them() {
        let of = |text: &str| amount(number(&json!(text)).unwrap());
        assert_eq!(of("1000 ether"), "1000 ether");
        assert_eq!(of("1500000000 gwei"), "1.5 ether");
        assert_eq!(of("7"), "7 wei");
        assert_eq!(of("0"), "0 wei");
    }
}
