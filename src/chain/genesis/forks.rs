//! The forks of Ethereum in their order: how a genesis names them, and which client reads and writes what of them.
//!
//! The versions are those of the first release of go-ethereum whose `params/config.go` has the key, and whose
//! `core/genesis.go` writes the fork's fields into block 0; each was looked up in the release and in one before it.

use crate::chain::client::Version;

/// A fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are those of the forks")]
pub enum Fork {
    Homestead,
    Dao,
    Eip150,
    Eip155,
    Eip158,
    Byzantium,
    Constantinople,
    Petersburg,
    Istanbul,
    MuirGlacier,
    Berlin,
    London,
    ArrowGlacier,
    GrayGlacier,
    MergeNetsplit,
    Shanghai,
    Cancun,
    Prague,
    Osaka,
    Bpo1,
    Bpo2,
    Bpo3,
    Bpo4,
    Bpo5,
    Amsterdam,
}

/// What is known of a fork.
#[derive(Debug, Clone, Copy)]
pub struct Fact {
    /// The fork.
    pub fork: Fork,
    /// For people.
    pub name: &'static str,
    /// geth's key in `config`.
    pub key: &'static str,
    /// Keys that other clients, or some versions, have for it.
    pub also: &'static [&'static str],
    /// geth takes a schedule that leaves it out and has a later one.
    pub optional: bool,
    /// The first geth that reads the key.
    pub since: Version,
}

const fn fact(fork: Fork, name: &'static str, key: &'static str, since: Version) -> Fact {
    Fact { fork, name, key, also: &[], optional: false, since }
}

impl Fact {
    const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    const fn also(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }
}

/// All forks, in the order in which they must come.
pub const FORKS: &[Fact] = &[
    fact(Fork::Homestead, "Homestead", "homesteadBlock", Version(0, 0, 0)),
    fact(Fork::Dao, "DAO", "daoForkBlock", Version(0, 0, 0)).optional(),
    fact(Fork::Eip150, "Tangerine Whistle", "eip150Block", Version(0, 0, 0)),
    fact(Fork::Eip155, "EIP-155", "eip155Block", Version(0, 0, 0)),
    fact(Fork::Eip158, "Spurious Dragon", "eip158Block", Version(0, 0, 0)),
    fact(Fork::Byzantium, "Byzantium", "byzantiumBlock", Version(0, 0, 0)),
    fact(Fork::Constantinople, "Constantinople", "constantinopleBlock", Version(1, 8, 11)),
    fact(Fork::Petersburg, "Petersburg", "petersburgBlock", Version(1, 8, 22)).also(&["constantinopleFixBlock"]),
    fact(Fork::Istanbul, "Istanbul", "istanbulBlock", Version(1, 9, 2)),
    fact(Fork::MuirGlacier, "Muir Glacier", "muirGlacierBlock", Version(1, 9, 9)).optional(),
    fact(Fork::Berlin, "Berlin", "berlinBlock", Version(1, 10, 0)),
    fact(Fork::London, "London", "londonBlock", Version(1, 10, 4)),
    fact(Fork::ArrowGlacier, "Arrow Glacier", "arrowGlacierBlock", Version(1, 10, 12)).optional(),
    fact(Fork::GrayGlacier, "Gray Glacier", "grayGlacierBlock", Version(1, 10, 19)).optional(),
    fact(Fork::MergeNetsplit, "the merge's netsplit", "mergeNetsplitBlock", Version(1, 10, 19)).optional(),
    fact(Fork::Shanghai, "Shanghai", "shanghaiTime", Version(1, 11, 0)),
    fact(Fork::Cancun, "Cancun", "cancunTime", Version(1, 12, 1)).optional(),
    fact(Fork::Prague, "Prague", "pragueTime", Version(1, 14, 11)).optional(),
    fact(Fork::Osaka, "Osaka", "osakaTime", Version(1, 15, 0)).optional(),
    fact(Fork::Bpo1, "BPO 1", "bpo1Time", Version(1, 16, 2)).optional(),
    fact(Fork::Bpo2, "BPO 2", "bpo2Time", Version(1, 16, 2)).optional(),
    fact(Fork::Bpo3, "BPO 3", "bpo3Time", Version(1, 16, 2)).optional(),
    fact(Fork::Bpo4, "BPO 4", "bpo4Time", Version(1, 16, 2)).optional(),
    fact(Fork::Bpo5, "BPO 5", "bpo5Time", Version(1, 16, 2)).optional(),
    fact(Fork::Amsterdam, "Amsterdam", "amsterdamTime", Version(1, 16, 5)).optional(),
];

/// Every fork that Clique can seal, in order.
pub const CLIQUE_FORKS: &[Fork] = &[
    Fork::Homestead,
    Fork::Eip150,
    Fork::Eip155,
    Fork::Eip158,
    Fork::Byzantium,
    Fork::Constantinople,
    Fork::Petersburg,
    Fork::Istanbul,
    Fork::Berlin,
    Fork::London,
];

impl Fork {
    /// What is known of it.
    pub fn fact(self) -> &'static Fact {
        &FORKS[self as usize]
    }

    /// The fork that `key` of a `config` names, whatever its case.
    pub fn of_key(key: &str) -> Option<Self> {
        let fits = |fact: &&Fact| {
            fact.key.eq_ignore_ascii_case(key) || fact.also.iter().any(|also| also.eq_ignore_ascii_case(key))
        };
        FORKS.iter().find(fits).map(|fact| fact.fork)
    }

    /// Begins at a time, in seconds since 1970, not at a block.
    pub fn timed(self) -> bool {
        self >= Self::Shanghai
    }
}

/// A client that reads a genesis, and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// go-ethereum.
    Geth(Version),
    /// Hyperledger Besu.
    Besu(Version),
    /// GoQuorum, which ends with Berlin.
    Quorum(Version),
    /// OpenEthereum and Parity Ethereum.
    OpenEthereum(Version),
    /// Nethermind.
    Nethermind(Version),
    /// Autonity's fork of geth.
    Autonity(Version),
}

/// No version is named: one that is young enough.
const ANY: Version = Version(u16::MAX, 0, 0);

impl Target {
    /// A geth that knows every fork that this program knows.
    pub const NEWEST: Self = Self::Geth(ANY);
    /// Some Besu.
    pub const BESU: Self = Self::Besu(ANY);
    /// Some GoQuorum.
    pub const QUORUM: Self = Self::Quorum(ANY);
    /// Some OpenEthereum.
    pub const OPEN_ETHEREUM: Self = Self::OpenEthereum(ANY);
    /// Some Nethermind.
    pub const NETHERMIND: Self = Self::Nethermind(ANY);
    /// Some Autonity.
    pub const AUTONITY: Self = Self::Autonity(ANY);

    /// The same client in a version.
    #[must_use]
    pub const fn at(self, version: Version) -> Self {
        match self {
            Self::Geth(_) => Self::Geth(version),
            Self::Besu(_) => Self::Besu(version),
            Self::Quorum(_) => Self::Quorum(version),
            Self::OpenEthereum(_) => Self::OpenEthereum(version),
            Self::Nethermind(_) => Self::Nethermind(version),
            Self::Autonity(_) => Self::Autonity(version),
        }
    }

    const fn version(self) -> Version {
        match self {
            Self::Geth(version)
            | Self::Besu(version)
            | Self::Quorum(version)
            | Self::OpenEthereum(version)
            | Self::Nethermind(version)
            | Self::Autonity(version) => version,
        }
    }

    /// Whether somebody has named a version.
    pub fn is_one_version(self) -> bool {
        self.version() != ANY
    }

    /// The client, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Geth(_) => "geth",
            Self::Besu(_) => "Besu",
            Self::Quorum(_) => "GoQuorum",
            Self::OpenEthereum(_) => "OpenEthereum",
            Self::Nethermind(_) => "Nethermind",
            Self::Autonity(_) => "Autonity",
        }
    }

    /// The first version of this client that plays by a fork's rules; none if no version does.
    ///
    /// Besu: its changelog of 21.1.0 (an outdated Berlin), 21.1.2, 21.7.0, 23.1.0 (the first forks that begin at a time),
    /// 24.1.0 (pull request 6352, Cancun is final), 25.2.0 (8163, Prague on test networks), 25.9.0 (9196, Osaka and BPO on test
    /// networks). OpenEthereum: its changelog of 3.2.0 and 3.3.0. Nethermind: the releases that the announcement of Berlin of
    /// 2021-03-08 on blog.ethereum.org and ethereum/execution-specs (`network-upgrades/mainnet-upgrades/london.md`) list for
    /// the first test network, and the release notes of 1.17.0 (Shanghai on Sepolia), 1.25.0-rc (Cancun on Görli) and 1.31.0
    /// (Prague on Holesky); of Osaka that was not looked up. Where no version is known to be too old, it is 0.
    pub fn first(self, fork: Fork) -> Option<Version> {
        let young = |steps: &[(Fork, Version)]| {
            steps.iter().rfind(|(step, _)| fork >= *step).map_or(Version(0, 0, 0), |(_, version)| *version)
        };
        match self {
            Self::Geth(_) => Some(fork.fact().since),
            Self::Besu(_) => Some(young(&[
                (Fork::Berlin, Version(21, 1, 2)),
                (Fork::London, Version(21, 7, 0)),
                (Fork::Shanghai, Version(23, 1, 0)),
                (Fork::Cancun, Version(24, 1, 0)),
                (Fork::Prague, Version(25, 2, 0)),
                (Fork::Osaka, Version(25, 9, 0)),
            ])),
            Self::Quorum(_) => (fork <= Fork::Berlin).then(|| young(&[])),
            Self::OpenEthereum(_) => (fork <= Fork::London)
                .then(|| young(&[(Fork::Berlin, Version(3, 2, 0)), (Fork::London, Version(3, 3, 0))])),
            Self::Nethermind(_) => Some(young(&[
                (Fork::Berlin, Version(1, 10, 31)),
                (Fork::London, Version(1, 10, 73)),
                (Fork::Shanghai, Version(1, 17, 0)),
                (Fork::Cancun, Version(1, 25, 0)),
                (Fork::Prague, Version(1, 31, 0)),
            ])),
            Self::Autonity(_) => Some(young(&[])),
        }
    }

    /// Whether it reads the fork's key with all that the fork means for block 0.
    pub fn knows(self, fork: Fork) -> bool {
        self.first(fork).is_some_and(|first| self.version() >= first)
    }

    /// Whether it puts `part` into block 0, once the fork that brings it is on.
    pub fn writes(self, part: Part) -> bool {
        match self {
            Self::Geth(version) => version >= part.since(),
            Self::Quorum(_) => false,
            Self::OpenEthereum(_) => part == Part::BaseFee && self.knows(Fork::London),
            Self::Besu(_) | Self::Nethermind(_) | Self::Autonity(_) => part.fork().is_some_and(|fork| self.knows(fork)),
        }
    }

    /// What is known of this client's versions, where that is so little that whoever names one should hear it.
    pub const fn known_of_versions(self) -> Option<&'static str> {
        match self {
            Self::Geth(_) => None,
            Self::Besu(_) => Some(
                "Berlin comes with 21.1.2, London with 21.7.0, Shanghai with 23.1.0 (for QBFT and IBFT 2.0 with 24.3.0), \
                     Cancun with 24.1.0, Prague with 25.2.0, Osaka with 25.9.0; Clique ends with 26.4.0",
            ),
            Self::Quorum(_) => Some("QBFT comes with 21.4.0"),
            Self::OpenEthereum(_) => Some("prices by block come with 2.7.0, Berlin with 3.2.0, London with 3.3.0"),
            Self::Nethermind(_) => Some(
                "Berlin comes with 1.10.31, London with 1.10.73, Shanghai with 1.17.0, Cancun with 1.25.0, Prague with 1.31.0",
            ),
            Self::Autonity(_) => Some("`autonityContract` ends with 0.7, `autonity` comes with 0.10.0"),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())?;
        if self.is_one_version() { write!(f, " {}", self.version()) } else { Ok(()) }
    }
}

/// What forks have added to block headers, in the order in which it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// London's base fee.
    BaseFee,
    /// Shanghai's root of withdrawals.
    Withdrawals,
    /// Cancun's two counters of blob gas.
    BlobGas,
    /// Cancun's root of the beacon block.
    BeaconRoot,
    /// Prague's hash of requests.
    Requests,
    /// Amsterdam's slot number.
    Slot,
    /// Amsterdam's hash of the access list.
    AccessList,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 7] = [
        Self::BaseFee,
        Self::Withdrawals,
        Self::BlobGas,
        Self::BeaconRoot,
        Self::Requests,
        Self::Slot,
        Self::AccessList,
    ];

    /// The fork that brings it; of Amsterdam's only geth's were looked up.
    const fn fork(self) -> Option<Fork> {
        match self {
            Self::BaseFee => Some(Fork::London),
            Self::Withdrawals => Some(Fork::Shanghai),
            Self::BlobGas | Self::BeaconRoot => Some(Fork::Cancun),
            Self::Requests => Some(Fork::Prague),
            Self::Slot | Self::AccessList => None,
        }
    }

    /// The first geth whose block 0 has it.
    pub const fn since(self) -> Version {
        match self {
            Self::BaseFee => Version(1, 10, 4),
            Self::Withdrawals => Version(1, 11, 0),
            Self::BlobGas => Version(1, 12, 1),
            Self::BeaconRoot => Version(1, 13, 0),
            Self::Requests => Version(1, 14, 11),
            Self::Slot => Version(1, 17, 1),
            Self::AccessList => Version(1, 17, 4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_forks() {
        for (index, fact) in FORKS.iter().enumerate() {
            assert_eq!(fact.fork as usize, index, "{}", fact.name);
            assert_eq!(fact.fork.timed(), fact.key.ends_with("Time"));
            assert_eq!(Fork::of_key(&fact.key.to_lowercase()), Some(fact.fork));
        }
        assert!(FORKS.windows(2).all(|pair| pair[0].since <= pair[1].since));
    }

    #[test]
    fn an_old_client_does_not_know_a_young_fork() {
        assert!(!Target::Geth(Version(1, 9, 25)).knows(Fork::London));
        assert!(Target::Geth(Version(1, 10, 26)).knows(Fork::London));
        assert!(!Target::QUORUM.knows(Fork::London) && Target::NEWEST.knows(Fork::Amsterdam));
    }

    #[test]
    fn other_clients_have_versions_too() {
        let knows = |target: Target, a, b, c, fork| target.at(Version(a, b, c)).knows(fork);
        assert!(!knows(Target::BESU, 21, 1, 0, Fork::Berlin) && knows(Target::BESU, 21, 1, 2, Fork::Berlin));
        assert!(!knows(Target::BESU, 21, 1, 2, Fork::London) && knows(Target::BESU, 21, 7, 0, Fork::London));
        assert!(!knows(Target::BESU, 22, 10, 3, Fork::Shanghai) && knows(Target::BESU, 23, 1, 0, Fork::Shanghai));
        assert!(!knows(Target::BESU, 23, 10, 2, Fork::Cancun) && knows(Target::BESU, 24, 1, 0, Fork::Cancun));
        assert!(!knows(Target::BESU, 25, 1, 0, Fork::Prague) && knows(Target::BESU, 25, 2, 0, Fork::Prague));
        assert!(
            !knows(Target::NETHERMIND, 1, 10, 30, Fork::Berlin) && knows(Target::NETHERMIND, 1, 10, 31, Fork::Berlin)
        );
        assert!(
            !knows(Target::NETHERMIND, 1, 16, 1, Fork::Shanghai) && knows(Target::NETHERMIND, 1, 17, 0, Fork::Shanghai)
        );
        assert!(!knows(Target::OPEN_ETHEREUM, 3, 1, 0, Fork::Berlin));
        assert!(knows(Target::OPEN_ETHEREUM, 3, 2, 6, Fork::Berlin));
        assert!(!knows(Target::OPEN_ETHEREUM, 3, 2, 6, Fork::London));
        assert!(!Target::OPEN_ETHEREUM.knows(Fork::Shanghai) && Target::OPEN_ETHEREUM.knows(Fork::London));
        assert!(!Target::BESU.at(Version(21, 1, 2)).writes(Part::BaseFee) && Target::BESU.writes(Part::Requests));
        let of_2023 = Target::BESU.at(Version(23, 10, 2));
        assert!(of_2023.writes(Part::Withdrawals) && !of_2023.writes(Part::BlobGas));
        assert_eq!(Target::BESU.to_string(), "Besu");
        assert_eq!(Target::BESU.at(Version(21, 7, 0)).to_string(), "Besu 21.7.0");
    }
}
