//! The fork id of EIP-2124: by which nodes tell, before they speak, whether they are on one chain and know the same forks.

use super::forks::{Fork, Target};
use super::model::Genesis;
use alloy_primitives::B256;
use std::fmt;

/// A checksum of the genesis and of the forks so far, and where the next fork comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForkId {
    /// CRC-32 of the genesis' hash and the forks that have passed.
    pub hash: [u8; 4],
    /// Block or time of the next fork; 0 if none is known.
    pub next: u64,
}

impl fmt::Display for ForkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, next {}", alloy_primitives::hex::encode_prefixed(self.hash), self.next)
    }
}

/// The fork id at block 0, and after each fork that comes later: the last is that of a chain which has passed all.
pub fn fork_ids(genesis: &Genesis, hash: B256, target: Target) -> Vec<ForkId> {
    let known = |timed: bool| {
        let mut at: Vec<u64> = genesis
            .forks
            .iter()
            .filter(|(fork, _)| fork.timed() == timed && target.knows(**fork))
            .map(|(_, at)| *at)
            .filter(|at| if timed { *at > genesis.timestamp } else { *at > 0 })
            .collect();
        at.sort_unstable();
        at.dedup();
        at
    };
    let steps: Vec<u64> = known(false).into_iter().chain(known(true)).collect();
    let mut crc = crc32(0, hash.as_slice());
    let mut ids = Vec::new();
    for next in steps {
        ids.push(ForkId { hash: crc.to_be_bytes(), next });
        crc = crc32(crc, &next.to_be_bytes());
    }
    ids.push(ForkId { hash: crc.to_be_bytes(), next: 0 });
    ids
}

/// The forks at one step of the schedule, for people: `Berlin and London at block 5`.
pub fn name_step(genesis: &Genesis, at: u64) -> String {
    let names: Vec<&str> = genesis.forks.iter().filter(|(_, when)| **when == at).map(|(f, _)| f.fact().name).collect();
    let timed = genesis.forks.iter().any(|(fork, when)| *when == at && Fork::timed(*fork));
    format!("{} at {} {at}", names.join(", "), if timed { "time" } else { "block" })
}

/// CRC-32 (IEEE), continued from `crc`.
fn crc32(crc: u32, bytes: &[u8]) -> u32 {
    let mut crc = !crc;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::super::model::{Engine, Format};
    use super::*;
    use alloy_primitives::{b256, hex};

    /// The ids of Ethereum's main network and of Sepolia in EIP-2124's and geth's tests.
    #[test]
    fn the_ids_of_public_networks_are_right() {
        let mut main = Genesis::empty(Format::Geth, Engine::Ethash);
        let blocks = [
            (Fork::Homestead, 1_150_000),
            (Fork::Dao, 1_920_000),
            (Fork::Eip150, 2_463_000),
            (Fork::Eip155, 2_675_000),
            (Fork::Eip158, 2_675_000),
            (Fork::Byzantium, 4_370_000),
            (Fork::Constantinople, 7_280_000),
            (Fork::Petersburg, 7_280_000),
        ];
        main.forks.extend(blocks);
        let hash = b256!("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3");
        let ids = fork_ids(&main, hash, Target::NEWEST);
        let seen: Vec<(String, u64)> = ids.iter().map(|id| (hex::encode(id.hash), id.next)).collect();
        let wanted = [
            ("fc64ec04", 1_150_000),
            ("97c2c34c", 1_920_000),
            ("91d1f948", 2_463_000),
            ("7a64da13", 2_675_000),
            ("3edd5b10", 4_370_000),
            ("a00bc324", 7_280_000),
            ("668db0af", 0),
        ];
        assert_eq!(seen, wanted.map(|(hash, next)| (hash.to_owned(), next)));
        assert_eq!(name_step(&main, 7_280_000), "Constantinople, Petersburg at block 7280000");
    }

    #[test]
    fn forks_that_block_0_begins_with_are_no_step() {
        let mut genesis = Genesis::empty(Format::Geth, Engine::ProofOfStake);
        genesis.timestamp = 100;
        genesis.forks.extend([(Fork::London, 0), (Fork::Shanghai, 100), (Fork::Cancun, 200)]);
        let nexts: Vec<u64> = fork_ids(&genesis, B256::ZERO, Target::NEWEST).iter().map(|id| id.next).collect();
        assert_eq!(nexts, [200, 0]);
    }
}
