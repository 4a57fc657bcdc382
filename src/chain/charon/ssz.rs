//! The part of SSZ's hash tree that cluster files need: every value becomes a root of 32 bytes.
//!
//! Source: the consensus specifications, `ssz/simple-serialize.md`, "Merkleization".

use sha2::{Digest, Sha256};

/// The root of a value.
pub type Root = [u8; 32];

/// A number of 64 bits.
pub fn uint(number: u64) -> Root {
    let mut root = [0; 32];
    root[..8].copy_from_slice(&number.to_le_bytes());
    root
}

/// A truth value.
pub fn boolean(value: bool) -> Root {
    uint(u64::from(value))
}

/// Bytes of a fixed length.
pub fn bytes(value: &[u8]) -> Root {
    let leaves = chunks(value);
    merkle(&leaves, leaves.len())
}

/// Bytes or a text of at most `limit` bytes. The caller has checked the length.
pub fn byte_list(value: &[u8], limit: usize) -> Root {
    with_length(merkle(&chunks(value), limit.div_ceil(32)), value.len())
}

/// Numbers, at most `limit`.
pub fn uint_list(numbers: &[u64], limit: usize) -> Root {
    let packed: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    with_length(merkle(&chunks(&packed), (limit * 8).div_ceil(32)), numbers.len())
}

/// Values that have roots, at most `limit`.
pub fn list(items: &[Root], limit: usize) -> Root {
    with_length(merkle(items, limit), items.len())
}

/// The fields of a container, in their order.
pub fn container(fields: &[Root]) -> Root {
    merkle(fields, fields.len())
}

fn chunks(value: &[u8]) -> Vec<Root> {
    value
        .chunks(32)
        .map(|chunk| {
            let mut root = [0; 32];
            root[..chunk.len()].copy_from_slice(chunk);
            root
        })
        .collect()
}

/// The root of a tree with room for `limit` leaves; those that are missing are zero.
fn merkle(leaves: &[Root], limit: usize) -> Root {
    let depth = limit.max(1).next_power_of_two().trailing_zeros();
    let mut level = leaves.to_vec();
    // A whole subtree without leaves, of the level in hand.
    let mut nothing = [0; 32];
    for _ in 0..depth {
        level = level.chunks(2).map(|pair| hash(&pair[0], pair.get(1).unwrap_or(&nothing))).collect();
        nothing = hash(&nothing, &nothing);
    }
    level.first().copied().unwrap_or(nothing)
}

fn with_length(root: Root, length: usize) -> Root {
    hash(&root, &uint(length as u64))
}

fn hash(left: &Root, right: &Root) -> Root {
    Sha256::new().chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    #[test]
    fn a_tree_of_nothing_is_made_of_the_known_zero_hashes() {
        // The deposit contract's zero hashes of the first two levels.
        let one = "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b";
        let two = "db56114e00fdd4c1f85c892bf35ac9a89289aaecb1ebd0a96cde606a748b5d71";
        assert_eq!(hex::encode(merkle(&[], 1)), "0".repeat(64));
        assert_eq!(hex::encode(merkle(&[], 2)), one);
        assert_eq!(hex::encode(merkle(&[], 3)), two);
        assert_eq!(hex::encode(merkle(&[[0; 32], [0; 32], [0; 32]], 4)), two);
    }

    #[test]
    fn a_short_value_is_its_own_root_and_lists_carry_their_length() {
        assert_eq!(bytes(&[1, 2])[..3], [1, 2, 0]);
        assert_eq!(uint(258)[..3], [2, 1, 0]);
        assert_ne!(byte_list(b"", 32), byte_list(b"\0", 32));
        assert_ne!(uint_list(&[], 256), uint_list(&[0], 256));
        assert_eq!(byte_list(b"a", 32), hash(&bytes(b"a"), &uint(1)));
    }
}
