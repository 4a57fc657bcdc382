//! The values of a node record: any RLP, as people can read it.

use crate::base::Value;
use alloy_primitives::hex;
use alloy_rlp::Header;

/// Takes one item off the front, header included. `None`: there is no whole one, or one inside it is damaged.
pub fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let all = *rest;
    skip(rest)?;
    Some(&all[..all.len() - rest.len()])
}

/// Lists nest no deeper than a record has bytes, and that is at most 300.
fn skip(rest: &mut &[u8]) -> Option<()> {
    let header = Header::decode(rest).ok()?;
    let (mut payload, after) = rest.split_at_checked(header.payload_length)?;
    *rest = after;
    while header.list && !payload.is_empty() {
        skip(&mut payload)?;
    }
    Some(())
}

/// A string of RLP in hexadecimal, a list as a list.
pub fn show(mut item: &[u8]) -> Value {
    let Ok(header) = Header::decode(&mut item) else { return Value::Null };
    if !header.list {
        return Value::String(format!("0x{}", hex::encode(item)));
    }
    let mut items = Vec::new();
    while let Some(inner) = (!item.is_empty()).then(|| take(&mut item)).flatten() {
        items.push(show(inner));
    }
    Value::Array(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fork_id_is_shown_as_its_lists() {
        let bytes = hex::decode("c7c6841234567880").unwrap();
        assert_eq!(take(&mut bytes.as_slice()), Some(bytes.as_slice()));
        assert_eq!(show(&bytes), json!([["0x12345678", "0x"]]));
        assert_eq!(take(&mut &bytes[..5]), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let mut rest = bytes.as_slice();
            while let Some(item) = take(&mut rest) {
                let _ = show(item);
            }
        }
    }
}
