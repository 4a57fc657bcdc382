//! Definitions and a lock for tests: made and signed here, and one lock that real charon made.

use super::{Definition, Plan, Rules, Version};
use crate::chain::{AccountKey, Address, NodeKey};

/// A lock that charon v1.10.3 made in a ceremony of four nodes and two validators that we ran; nobody's account signed it.
pub const LOCK: &str = include_str!("testing/cluster-lock.json");

/// The files of its deposits.
pub const DEPOSITS: [(&str, &str); 2] = [
    ("deposit-data.json", include_str!("testing/deposit-data.json")),
    ("deposit-data-1eth.json", include_str!("testing/deposit-data-1eth.json")),
];

/// Everybody of a cluster of four.
pub struct Cluster {
    pub creator: AccountKey,
    pub accounts: Vec<AccountKey>,
    pub nodes: Vec<NodeKey>,
}

impl Cluster {
    pub fn new() -> Self {
        Self {
            creator: AccountKey::generate().unwrap(),
            accounts: (0..4).map(|_| AccountKey::generate().unwrap()).collect(),
            nodes: (0..4).map(|_| NodeKey::generate().unwrap()).collect(),
        }
    }

    /// Signed by the creator only.
    pub fn offered(&self, version: Version) -> Definition {
        self.offered_at(version, "2026-11-21T18:44:57Z")
    }

    fn offered_at(&self, version: Version, timestamp: &str) -> Definition {
        Plan {
            name: "four friends".into(),
            uuid: "D878EE90-F8E8-426F-9163-513E7953FB95".into(),
            timestamp: timestamp.into(),
            version,
            chain_id: 560_048,
            operators: self.accounts.iter().map(AccountKey::address).collect(),
            threshold: 3,
            validators: vec![(Address::repeat_byte(1), Address::repeat_byte(2)); 2],
            deposit_amounts: if version.has_deposit_amounts() { vec![1_000_000_000, 31_000_000_000] } else { vec![] },
        }
        .definition(&self.creator)
        .unwrap()
    }

    /// Signed by all.
    pub fn signed(&self, version: Version) -> Definition {
        self.agreed(self.offered(version))
    }

    /// The same, of the newest version and made at this time.
    pub fn signed_at(&self, timestamp: &str) -> Definition {
        self.agreed(self.offered_at(Version::V1_10, timestamp))
    }

    fn agreed(&self, mut definition: Definition) -> Definition {
        for (account, node) in self.accounts.iter().zip(&self.nodes) {
            assert!(definition.accept(account, node, &Rules::default()).unwrap());
        }
        definition
    }
}
