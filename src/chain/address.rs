//! Account addresses as people write them.

use crate::base::{Failure, failure::Result};
use alloy_primitives::Address;

/// Reads an address, with or without `0x`. Where upper and lower case are mixed, the case is a checksum (EIP-55) and must
/// be right: it is the only protection against a typing error that the notation has.
pub fn parse_address(text: &str) -> Result<Address> {
    let digits = text.trim();
    let digits = digits.strip_prefix("0x").or(digits.strip_prefix("0X")).unwrap_or(digits);
    if digits.len() != 40 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(
            Failure::new(format!("`{text}` is not an address")).help("an address is 0x and 40 hexadecimal digits")
        );
    }
    let address: Address = digits.parse().map_err(|_| Failure::new(format!("`{text}` is not an address")))?;
    let mixed =
        digits.bytes().any(|byte| byte.is_ascii_lowercase()) && digits.bytes().any(|byte| byte.is_ascii_uppercase());
    let right = address.to_checksum(None);
    if mixed && right[2..] != *digits {
        return Err(Failure::new(format!("`{text}` has a wrong checksum: a digit is mistyped"))
            .help(format!("if you are sure of every digit, write {right}")));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_eip_55_are_read_and_written_alike() {
        for text in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            assert_eq!(parse_address(text).unwrap().to_checksum(None), text);
            assert_eq!(parse_address(&text[2..].to_lowercase()).unwrap().to_checksum(None), text);
        }
    }

    #[test]
    fn a_mistyped_address_is_refused() {
        let failure = parse_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD").unwrap_err();
        assert!(failure.message.contains("mistyped"), "{failure}");
        assert!(parse_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA").is_err());
        assert!(parse_address("").is_err());
    }
}
