//! Which chain a definition's fork version means.

use crate::base::{Failure, failure::Result};
use alloy_primitives::hex;

/// Fork versions of genesis with the chain's id and name: those that charon v1.10 knows.
const NETWORKS: &[([u8; 4], u64, &str)] = &[
    ([0x00, 0x00, 0x00, 0x00], 1, "mainnet"),
    ([0x00, 0x00, 0x10, 0x20], 5, "goerli"),
    ([0x00, 0x00, 0x00, 0x64], 100, "gnosis"),
    ([0x00, 0x00, 0x00, 0x6f], 10_200, "chiado"),
    ([0x90, 0x00, 0x00, 0x69], 11_155_111, "sepolia"),
    ([0x10, 0x00, 0x09, 0x10], 560_048, "hoodi"),
];

/// The id of the chain that this fork version means.
pub fn chain_id(fork_version: &[u8]) -> Result<u64> {
    NETWORKS.iter().find(|(version, ..)| version == fork_version).map(|(_, id, _)| *id).ok_or_else(|| {
        let known: Vec<String> =
            NETWORKS.iter().map(|(version, _, name)| format!("0x{} {name}", hex::encode(version))).collect();
        Failure::new(format!("no chain is known with the fork version 0x{}", hex::encode(fork_version)))
            .help(format!("charon knows {}", known.join(", ")))
    })
}

/// The fork version of the chain with this id.
pub fn fork_version(chain_id: u64) -> Result<[u8; 4]> {
    NETWORKS.iter().find(|(_, id, _)| *id == chain_id).map(|(version, ..)| *version).ok_or_else(|| {
        let known: Vec<String> = NETWORKS.iter().map(|(_, id, name)| format!("{id} {name}")).collect();
        Failure::new(format!("no fork version is known for the chain {chain_id}"))
            .help(format!("charon knows {}", known.join(", ")))
    })
}

/// What people call the chain with this id.
pub fn name(chain_id: u64) -> &'static str {
    NETWORKS.iter().find(|(_, id, _)| *id == chain_id).map_or("unknown", |(.., name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hoodi_is_known_and_what_charon_dropped_is_not() {
        assert_eq!(chain_id(&[0x10, 0x00, 0x09, 0x10]).unwrap(), 560_048);
        assert_eq!(fork_version(560_048).unwrap(), [0x10, 0x00, 0x09, 0x10]);
        let failure = chain_id(&[0x01, 0x01, 0x70, 0x00]).unwrap_err().to_string();
        assert!(failure.contains("0x01017000") && failure.contains("0x10000910 hoodi"), "{failure}");
        assert!(fork_version(1337).is_err());
    }
}
