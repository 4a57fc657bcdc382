//! The versions of cluster files, and what each has.

use crate::base::{Failure, failure::Result};
use std::fmt;

/// A version of the format of definition and lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the names are the documentation
pub enum Version {
    V1_5,
    V1_6,
    V1_7,
    V1_8,
    V1_9,
    V1_10,
    V1_11,
}

/// With their names in the files, from the oldest to the newest.
const NAMES: &[(Version, &str)] = &[
    (Version::V1_5, "v1.5.0"),
    (Version::V1_6, "v1.6.0"),
    (Version::V1_7, "v1.7.0"),
    (Version::V1_8, "v1.8.0"),
    (Version::V1_9, "v1.9.0"),
    (Version::V1_10, "v1.10.0"),
    (Version::V1_11, "v1.11.0"),
];

impl Version {
    /// Reads the `version` of a file.
    pub fn parse(text: &str) -> Result<Self> {
        NAMES.iter().find(|(_, name)| *name == text).map(|(version, _)| *version).ok_or_else(|| {
            Failure::new(format!("the cluster files have the version `{text}`; known are v1.5.0 to v1.11.0"))
                .help("let the cluster's creator make the definition with the Launchpad or charon of today")
        })
    }

    /// `deposit_amounts`, and in the lock several deposits.
    pub fn has_deposit_amounts(self) -> bool {
        self >= Self::V1_8
    }

    /// `consensus_protocol`.
    pub fn has_consensus_protocol(self) -> bool {
        self >= Self::V1_9
    }

    /// `target_gas_limit` and `compounding`.
    pub fn has_gas_limit(self) -> bool {
        self >= Self::V1_10
    }

    /// Signatures of accounts that are contracts with several owners.
    pub fn has_signature_lists(self) -> bool {
        self >= Self::V1_11
    }

    /// In the lock: what is told to builders of blocks, and signatures of the nodes.
    pub fn has_registration(self) -> bool {
        self >= Self::V1_7
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAMES.iter().find(|(version, _)| version == self).map_or("", |(_, name)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_written_alike_and_strange_ones_refused() {
        for (version, name) in NAMES {
            assert_eq!(Version::parse(name).unwrap(), *version);
            assert_eq!(version.to_string(), *name);
        }
        for strange in ["v1.4.0", "v1.12.0", "1.10.0", ""] {
            assert!(Version::parse(strange).unwrap_err().message.contains(&format!("`{strange}`")));
        }
    }
}
