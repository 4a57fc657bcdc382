//! What a name has of a type, and how far that is proven.

/// What a name has of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// Records, each with a valid chain of signatures from the trust anchor.
    Secure {
        /// In ascending order, none twice.
        records: Vec<T>,
        /// What is known of their signature.
        signed: Signed,
    },
    /// There is none.
    Missing {
        /// The zone that proves it, by a signed record of this very name that lists what it has. Somebody on the way can take
        /// records out, but cannot prove that.
        proven_by: Option<String>,
    },
    /// It is proven that there is no such name, or that it has no records at all. This may be said by a zone above that of
    /// the name, and is no proof for anybody who has seen other records of the name.
    NoName,
    /// There are records, but it is proven that their zone is not signed.
    Insecure,
    /// There are records, or the proof that there are none, but only SHA-1 vouches for them; who uses it.
    Weak(String),
    /// There are records, and they are not what their zone signed; the reason.
    Bogus(String),
    /// The name is an alias of this one, as its zone signed it.
    Alias(String),
    /// No resolver gave an answer; the reason.
    Unanswered(String),
}

/// What is known of records by the signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// When it was made, in seconds since 1970: the newest inception of one that holds.
    pub at: u32,
    /// The zone that made it. All records of a name are of one zone.
    pub zone: String,
    /// How long a cache may keep the records still, in seconds.
    pub ttl: u32,
}

impl<T> Found<T> {
    /// Whether it is settled by proof what the name has.
    pub fn is_proven(&self) -> bool {
        match self {
            Self::Secure { .. } | Self::NoName | Self::Alias(_) => true,
            Self::Missing { proven_by } => proven_by.is_some(),
            Self::Insecure | Self::Weak(_) | Self::Bogus(_) | Self::Unanswered(_) => false,
        }
    }

    pub(super) fn map<U: Ord>(self, convert: impl Fn(T) -> Option<U>) -> Found<U> {
        match self {
            Self::Secure { records, signed } => {
                let mut records: Vec<U> = records.into_iter().filter_map(convert).collect();
                records.sort();
                records.dedup();
                Found::Secure { records, signed }
            }
            Self::Missing { proven_by } => Found::Missing { proven_by },
            Self::NoName => Found::NoName,
            Self::Insecure => Found::Insecure,
            Self::Weak(what) => Found::Weak(what),
            Self::Bogus(why) => Found::Bogus(why),
            Self::Alias(target) => Found::Alias(target),
            Self::Unanswered(why) => Found::Unanswered(why),
        }
    }
}
