//! The header of block 0 as a client of a certain age makes it from a genesis, and so its hash.
//!
//! From `core/genesis.go` of go-ethereum (`ToBlock`), Besu's `GenesisState`, OpenEthereum's `spec`, Nethermind's
//! `ChainSpecLoader`. Neither chain id nor fork schedule nor the engine's settings are in the hash, but for the forks that
//! are on in block 0: they bring their fields.

use super::account::state_root;
use super::forks::{Fork, Part, Target};
use super::model::{Format, Genesis};
use crate::base::{Failure, failure::Result};
use crate::chain::Header;
use crate::chain::client::Version;
use alloy_primitives::{B256, Bloom, U256, b256};
use alloy_trie::EMPTY_ROOT_HASH;

/// Hash of an empty list: of ommers, and of what a block has touched.
const EMPTY_LIST: B256 = b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
/// SHA-256 of nothing: Prague's hash of an empty list of requests.
const NO_REQUESTS: B256 = b256!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// What geth takes for a gas limit of 0.
const DEFAULT_GAS_LIMIT: u64 = 4_712_388;
/// The base fee of London's first block.
pub const FIRST_BASE_FEE: u64 = 1_000_000_000;

/// The first geth that writes `excessBlobGas` into block 0 although Cancun is not on.
pub const KEEPS_EXCESS: Version = Version(1, 16, 4);

/// A genesis with the root of its accounts, the costly part, computed once for all clients.
#[derive(Debug)]
pub struct BlockZero<'a> {
    genesis: &'a Genesis,
    /// Root of the accounts.
    pub state_root: B256,
}

/// One hash, and the versions of geth that compute it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Age {
    /// The first version.
    pub since: Version,
    /// The first version with another hash.
    pub before: Option<Version>,
    /// What these versions compute.
    pub hash: B256,
    /// The forks that the genesis begins with and of which these versions write less than the newest.
    pub without: Vec<Fork>,
}

impl<'a> BlockZero<'a> {
    /// Fails where block 0 does not follow from the file.
    pub fn new(genesis: &'a Genesis) -> Result<Self> {
        if genesis.format == Format::Autonity {
            return Err(Failure::new(
                "the hash of an Autonity genesis does not follow from the file: the client deploys its contracts (Autonity, \
                 oracle, accountability, ...) into block 0, and each release brings other contracts",
            )
            .help("start the release of your network with this file once and ask it: eth_getBlockByNumber(\"0x0\", false)"));
        }
        if let Some(state_root) = genesis.state_root {
            return Ok(Self { genesis, state_root });
        }
        if let Some(address) = genesis.constructors.first() {
            return Err(Failure::new(format!(
                "the hash does not follow from the file: the client runs the constructor of {address} in block 0, and only \
                 a virtual machine can tell what it leaves behind"
            ))
            .help("write the code and the storage that it leaves instead of `constructor`, or name `genesis.stateRoot`"));
        }
        Ok(Self { genesis, state_root: state_root(&genesis.alloc) })
    }

    /// For comparing headers alone: the root of the accounts is left zero.
    pub const fn without_accounts(genesis: &'a Genesis) -> Self {
        Self { genesis, state_root: B256::ZERO }
    }

    /// Fails where `target` does not read files of this format at all.
    pub fn read_by(&self, target: Target) -> Result<()> {
        let format = self.genesis.format;
        let reads = match target {
            Target::Geth(_) | Target::Besu(_) | Target::Quorum(_) | Target::Autonity(_) => format != Format::Parity,
            Target::OpenEthereum(_) => format == Format::Parity,
            Target::Nethermind(_) => true,
        };
        if reads {
            return Ok(());
        }
        Err(Failure::new(format!("{target} does not read this file: it is a genesis of {}", format.name()))
            .help("name a client that does, or leave `--client` out"))
    }

    /// Block 0 as `target` makes it.
    pub fn header(&self, target: Target) -> Header {
        let genesis = self.genesis;
        let on = |fork: Fork, part: Part| target.writes(part) && self.is_on(target, fork);
        let base_fee = match (genesis.base_fee, on(Fork::London, Part::BaseFee)) {
            // geth and Besu keep a fee that the file names even where London comes later.
            (Some(fee), _) if target.writes(Part::BaseFee) && genesis.format != Format::Parity => Some(fee),
            (Some(fee), true) => Some(fee),
            (None, true) => Some(self.first_base_fee()),
            (_, false) => None,
        };
        let cancun = on(Fork::Cancun, Part::BlobGas);
        let amsterdam = self.is_on(target, Fork::Amsterdam);
        Header {
            parent_hash: genesis.parent_hash,
            ommers_hash: EMPTY_LIST,
            coinbase: genesis.coinbase,
            state_root: self.state_root,
            transactions_root: EMPTY_ROOT_HASH,
            receipts_root: EMPTY_ROOT_HASH,
            bloom: Bloom::ZERO,
            difficulty: genesis.difficulty,
            number: genesis.number,
            gas_limit: if genesis.gas_limit == 0 { DEFAULT_GAS_LIMIT } else { genesis.gas_limit },
            gas_used: genesis.gas_used,
            timestamp: genesis.timestamp,
            extra: genesis.extra_data.clone(),
            mix_hash: genesis.mix_hash,
            nonce: genesis.nonce.to_be_bytes(),
            aura: genesis.aura.clone(),
            base_fee,
            withdrawals_root: on(Fork::Shanghai, Part::Withdrawals).then_some(EMPTY_ROOT_HASH),
            blob_gas_used: cancun.then(|| genesis.blob_gas_used.unwrap_or_default()),
            excess_blob_gas: match genesis.excess_blob_gas {
                // From 1.16.4 on geth keeps what the file names, "for testing purposes".
                Some(gas) if self.keeps_excess(target) => Some(gas),
                gas => cancun.then(|| gas.unwrap_or_default()),
            },
            parent_beacon_root: on(Fork::Cancun, Part::BeaconRoot)
                .then(|| genesis.parent_beacon_root.filter(|_| matches!(target, Target::Besu(_))).unwrap_or_default()),
            requests_hash: on(Fork::Prague, Part::Requests).then_some(NO_REQUESTS),
            block_access_list_hash: (amsterdam && target.writes(Part::AccessList)).then_some(EMPTY_LIST),
            slot_number: (amsterdam && target.writes(Part::Slot)).then(|| genesis.slot_number.unwrap_or_default()),
        }
    }

    /// Whether `target` takes a fork for begun in block 0.
    fn is_on(&self, target: Target, fork: Fork) -> bool {
        let on = self.genesis.begins_with(fork);
        match target {
            // From 1.12 on geth wants London for every fork that begins at a time.
            Target::Geth(version) if fork.timed() && version >= Version(1, 12, 0) => {
                on && self.genesis.begins_with(Fork::London)
            }
            // Besu takes a fork that the file does not name for begun once a later one is.
            Target::Besu(_) if fork.timed() => {
                let named = self.genesis.forks.range(fork..).next();
                named.is_some_and(|(_, at)| *at <= self.genesis.timestamp)
            }
            _ => on,
        }
    }

    fn keeps_excess(&self, target: Target) -> bool {
        matches!(target, Target::Geth(version) if version >= KEEPS_EXCESS) && self.genesis.format != Format::Parity
    }

    fn first_base_fee(&self) -> U256 {
        let setting = self.genesis.settings.get("params.eip1559basefeeinitialvalue");
        setting.and_then(|text| text.parse().ok()).unwrap_or_else(|| U256::from(FIRST_BASE_FEE))
    }

    /// The hashes that geth has computed from this file in the course of its versions, the oldest first.
    pub fn ages(&self) -> Vec<Age> {
        let mut steps: Vec<Version> = Part::ALL.iter().map(|part| part.since()).collect();
        steps.extend([Version(0, 0, 0), Version(1, 12, 0), KEEPS_EXCESS]);
        steps.sort_unstable();
        let begun: Vec<Fork> =
            self.genesis.forks.keys().copied().filter(|fork| self.genesis.begins_with(*fork)).collect();
        let mut ages: Vec<Age> = Vec::new();
        for version in steps {
            let target = Target::Geth(version);
            let hash = self.header(target).hash();
            match ages.last_mut() {
                Some(last) if last.hash == hash => {}
                last => {
                    if let Some(last) = last {
                        last.before = Some(version);
                    }
                    let lacks = |fork: &Fork| {
                        parts(*fork).iter().any(|part| !target.writes(*part)) || (fork.timed() && !target.knows(*fork))
                    };
                    let without = begun.iter().copied().filter(lacks).collect();
                    ages.push(Age { since: version, before: None, hash, without });
                }
            }
        }
        ages
    }
}

/// What a fork brings into headers.
const fn parts(fork: Fork) -> &'static [Part] {
    match fork {
        Fork::London => &[Part::BaseFee],
        Fork::Shanghai => &[Part::Withdrawals],
        Fork::Cancun => &[Part::BlobGas, Part::BeaconRoot],
        Fork::Prague => &[Part::Requests],
        Fork::Amsterdam => &[Part::Slot, Part::AccessList],
        _ => &[],
    }
}

/// Who would read a file of this format, if nobody is named.
pub const fn usual_target(format: Format, engine: super::model::Engine) -> Target {
    match (format, engine) {
        (Format::Geth, _) => Target::NEWEST,
        (Format::Besu, _) => Target::BESU,
        (Format::Quorum, _) => Target::QUORUM,
        (Format::Parity, super::model::Engine::Aura) => Target::OPEN_ETHEREUM,
        (Format::Parity, _) => Target::NETHERMIND,
        (Format::Autonity, _) => Target::AUTONITY,
    }
}
