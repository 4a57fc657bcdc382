//! Is the code on the chain what the compiler made? Says what was compared and what was left out.

use alloy_primitives::Bytes;
use serde::{Deserialize, Serialize};

/// The code that a contract should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runtime {
    /// As the compiler writes it.
    pub code: Bytes,
    /// Where the constructor puts values into it, as start and length. `None`: the compiler's file does not say.
    pub immutables: Option<Vec<(usize, usize)>>,
}

/// `PUSH32` and 32 zeros: where solc leaves room for an immutable value.
const PUSH32: u8 = 0x7f;
/// `PUSH20`, with which a library's code begins: its own address comes behind it.
const PUSH20: u8 = 0x73;

impl Runtime {
    /// Compares with the code on the chain. `Ok` says how far they are the same: `identical`, or `the same but for ..`. `Err` says
    /// where they first differ.
    ///
    /// Left out are the immutable values, a library's own address, and the metadata that solc appends (CBOR with a hash of the sources
    /// and the compiler's version), which changes nothing in what the code does.
    pub fn compare(&self, chain: &[u8]) -> Result<String, String> {
        if *self.code == *chain {
            return Ok(format!("identical, {} bytes", chain.len()));
        }
        let (ours, theirs) = (without_metadata(&self.code), without_metadata(chain));
        if ours.len() != theirs.len() {
            return Err(format!(
                "the artefact's deployed code has {} bytes, that on the chain {} (without metadata: {} and {})",
                self.code.len(),
                chain.len(),
                ours.len(),
                theirs.len()
            ));
        }
        let library = ours.len() > 21 && ours[0] == PUSH20 && ours[1..21].iter().all(|byte| *byte == 0);
        let places = self.immutables.clone().unwrap_or_else(|| rooms(ours));
        let mut used = vec![false; places.len()];
        let mut own = false;
        for (at, _) in ours.iter().zip(theirs).enumerate().filter(|(_, (one, other))| one != other) {
            match places.iter().position(|(start, length)| at >= *start && at - start < *length) {
                Some(place) => used[place] = true,
                None if library && (1..21).contains(&at) => own = true,
                None => return Err(format!("byte {at} of {} is another one", ours.len())),
            }
        }
        let mut left_out = Vec::new();
        let count = used.iter().filter(|used| **used).count();
        if count > 0 {
            let guessed = if self.immutables.is_none() { " (the artefact does not list them)" } else { "" };
            left_out.push(format!("the immutable values in {count} places{guessed}"));
        }
        if own {
            left_out.push("the library's own address".to_owned());
        }
        if self.code[ours.len()..] != chain[theirs.len()..] {
            left_out.push("the metadata".to_owned());
        }
        Ok(format!("{} bytes, the same but for {}", chain.len(), left_out.join(" and ")))
    }
}

/// Places that look like room for immutable values: the zeros of each `PUSH32` of nothing.
fn rooms(code: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let pushed = match code[at] {
            op @ 0x60..=PUSH32 => usize::from(op - 0x5f),
            _ => 0,
        };
        if pushed == 32 && code.get(at + 1..at + 33).is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0)) {
            found.push((at + 1, 32));
        }
        at += 1 + pushed;
    }
    found
}

/// Code without what solc appends: a CBOR table, and its length in two bytes. A table (`a1` to `a4`) whose first key is one that solc
/// writes is taken for metadata, nothing else.
fn without_metadata(code: &[u8]) -> &[u8] {
    let Some((rest, length)) = code.split_last_chunk::<2>() else { return code };
    let Some(start) = rest.len().checked_sub(usize::from(u16::from_be_bytes(*length))) else { return code };
    let keys = [&b"\x64ipfs"[..], b"\x65bzzr0", b"\x65bzzr1", b"\x64solc", b"\x6cexperimental"];
    match &rest[start..] {
        [0xa1..=0xa4, table @ ..] if keys.iter().any(|key| table.starts_with(key)) => &code[..start],
        _ => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime(code: &[u8], immutables: Option<Vec<(usize, usize)>>) -> Runtime {
        Runtime { code: Bytes::copy_from_slice(code), immutables }
    }

    fn metadata(hash: u8) -> Vec<u8> {
        let mut table = b"\xa2\x64ipfs\x42".to_vec();
        table.extend([hash, hash]);
        table.extend(b"\x64solc\x43\x00\x08\x13");
        let length = u16::try_from(table.len()).unwrap().to_be_bytes();
        table.extend(length);
        table
    }

    #[test]
    fn the_same_code_is_identical_and_other_code_is_named_where_it_differs() {
        assert_eq!(runtime(&[1, 2, 3], None).compare(&[1, 2, 3]).unwrap(), "identical, 3 bytes");
        assert_eq!(runtime(&[1, 2, 3], None).compare(&[1, 9, 3]).unwrap_err(), "byte 1 of 3 is another one");
        assert!(runtime(&[1, 2, 3], None).compare(&[]).unwrap_err().contains("has 3 bytes, that on the chain 0"));
    }

    #[test]
    fn metadata_is_left_out_and_said_so() {
        let code = |hash| [&[1, 2, 3][..], &metadata(hash)].concat();
        assert_eq!(runtime(&code(1), None).compare(&code(2)).unwrap(), "23 bytes, the same but for the metadata");
        assert!(runtime(&code(1), None).compare(&[&[1, 2, 4][..], &metadata(1)].concat()).is_err());
        // Two bytes at the end that happen to be a length are none.
        assert!(runtime(&[1, 2, 0xa1, 9, 0, 2], None).compare(&[1, 2, 0xa1, 8, 0, 2]).is_err());
    }

    #[test]
    fn immutable_values_are_left_out_where_the_compiler_lists_them_or_left_room_for_them() {
        let mut code = vec![0x5b, PUSH32];
        code.extend([0; 32]);
        code.push(0);
        let mut chain = code.clone();
        chain[33] = 7;
        let said = runtime(&code, Some(vec![(2, 32)])).compare(&chain).unwrap();
        assert_eq!(said, "35 bytes, the same but for the immutable values in 1 places");
        assert!(runtime(&code, None).compare(&chain).unwrap().ends_with("(the artefact does not list them)"));
        assert!(runtime(&code, Some(Vec::new())).compare(&chain).is_err());
        chain[34] = 1;
        assert!(runtime(&code, None).compare(&chain).is_err());
        // Whatever a file says of them is no number that wraps.
        assert!(runtime(&code, Some(vec![(usize::MAX, usize::MAX)])).compare(&chain).is_err());
        assert!(runtime(&code, Some(vec![(1, usize::MAX)])).compare(&chain).is_ok());
    }

    #[test]
    fn a_library_has_its_own_address_at_its_start() {
        let mut code = vec![PUSH20];
        code.extend([0; 20]);
        code.extend([0x30, 0x14]);
        let mut chain = code.clone();
        chain[1..21].fill(9);
        assert_eq!(
            runtime(&code, None).compare(&chain).unwrap(),
            "23 bytes, the same but for the library's own address"
        );
    }
}
