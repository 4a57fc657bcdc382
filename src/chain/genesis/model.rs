//! What a genesis file means, whoever wrote it.

use super::account::Alloc;
use super::forks::Fork;
use crate::chain::{bft, clique};
use alloy_primitives::{Address, B256, U256};
use std::collections::BTreeMap;

/// Whose format a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// go-ethereum's.
    Geth,
    /// Besu's: geth's with other engines.
    Besu,
    /// GoQuorum's: geth's with other engines.
    Quorum,
    /// The chain specification of Parity, OpenEthereum and Nethermind.
    Parity,
    /// Autonity's: geth's, with contracts that the client deploys into block 0.
    Autonity,
}

/// How blocks are agreed upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the engines")]
pub enum Engine {
    Clique,
    Qbft,
    Ibft2,
    /// GoQuorum's IBFT.
    Istanbul,
    /// Authority round.
    Aura,
    Autonity,
    Ethash,
    /// Beacon chain: blocks come from a consensus client.
    ProofOfStake,
    Unknown,
}

/// The step and the signature that Aura's headers hold in place of mix hash and nonce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuraSeal {
    /// The step in which the block was sealed.
    pub step: u64,
    /// `r`, `s`, `v`; zeros in block 0.
    pub signature: Vec<u8>,
}

/// A genesis.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of geth's files")]
pub struct Genesis {
    pub format: Format,
    pub engine: Engine,
    pub chain_id: Option<U256>,
    /// Fork to block, or to time from Shanghai on.
    pub forks: BTreeMap<Fork, u64>,
    pub terminal_total_difficulty: Option<U256>,
    /// Everything else of `config` (of a chain specification: of `params` and `engine`), by its path in lower case.
    pub settings: BTreeMap<String, String>,
    pub nonce: u64,
    pub timestamp: u64,
    pub extra_data: Vec<u8>,
    pub gas_limit: u64,
    pub difficulty: U256,
    pub mix_hash: B256,
    pub coinbase: Address,
    pub number: u64,
    pub gas_used: u64,
    pub parent_hash: B256,
    pub base_fee: Option<U256>,
    pub blob_gas_used: Option<u64>,
    pub excess_blob_gas: Option<u64>,
    pub parent_beacon_root: Option<B256>,
    pub slot_number: Option<u64>,
    pub aura: Option<AuraSeal>,
    /// Of a chain specification that names it: it wins over the accounts.
    pub state_root: Option<B256>,
    /// Contracts whose constructor the client runs: their state does not follow from the file.
    pub constructors: Vec<Address>,
    pub alloc: Alloc,
}

impl Genesis {
    /// One of which nothing is known yet.
    pub fn empty(format: Format, engine: Engine) -> Self {
        Self {
            format,
            engine,
            chain_id: None,
            forks: BTreeMap::new(),
            terminal_total_difficulty: None,
            settings: BTreeMap::new(),
            nonce: 0,
            timestamp: 0,
            extra_data: Vec::new(),
            gas_limit: 0,
            difficulty: U256::ZERO,
            mix_hash: B256::ZERO,
            coinbase: Address::ZERO,
            number: 0,
            gas_used: 0,
            parent_hash: B256::ZERO,
            base_fee: None,
            blob_gas_used: None,
            excess_blob_gas: None,
            parent_beacon_root: None,
            slot_number: None,
            aura: None,
            state_root: None,
            constructors: Vec::new(),
            alloc: Alloc::new(),
        }
    }

    /// Whether a fork is on in block 0.
    pub fn begins_with(&self, fork: Fork) -> bool {
        self.forks.get(&fork).is_some_and(|&at| at <= if fork.timed() { self.timestamp } else { self.number })
    }

    /// Who seals the first blocks, in the order of the file; none if the file does not say, or not rightly.
    pub fn validators(&self) -> Vec<Address> {
        match self.engine {
            Engine::Clique => clique::signers(&self.extra_data).unwrap_or_default(),
            Engine::Qbft => bft::qbft_validators(&self.extra_data),
            Engine::Ibft2 => bft::ibft2_validators(&self.extra_data),
            Engine::Istanbul => bft::istanbul_validators(&self.extra_data),
            Engine::Aura => {
                let listed = self.settings.iter().filter(|(path, _)| {
                    path.starts_with("engine.validators.list.") || path.starts_with("engine.validators.multi.0.list.")
                });
                listed.filter_map(|(_, text)| text.parse().ok()).collect()
            }
            Engine::Autonity | Engine::Ethash | Engine::ProofOfStake | Engine::Unknown => Vec::new(),
        }
    }

    /// How many of `validators` must be live for blocks to come; none where the engine has no such number.
    pub fn quorum(&self, validators: usize) -> Option<usize> {
        match self.engine {
            _ if validators == 0 => None,
            Engine::Clique => Some(clique::quorum(validators)),
            Engine::Qbft | Engine::Ibft2 | Engine::Istanbul => Some(bft::quorum(validators)),
            Engine::Aura => Some(validators / 2 + 1),
            _ => None,
        }
    }
}

impl Engine {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clique => "Clique",
            Self::Qbft => "QBFT",
            Self::Ibft2 => "IBFT 2.0",
            Self::Istanbul => "Istanbul BFT",
            Self::Aura => "Aura (authority round)",
            Self::Autonity => "Autonity's Tendermint",
            Self::Ethash => "Ethash (proof of work)",
            Self::ProofOfStake => "proof of stake",
            Self::Unknown => "no engine that is known here",
        }
    }
}

impl Format {
    /// Whose it is, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Geth => "geth",
            Self::Besu => "Besu",
            Self::Quorum => "GoQuorum",
            Self::Parity => "OpenEthereum and Nethermind (a chain specification)",
            Self::Autonity => "Autonity",
        }
    }
}
