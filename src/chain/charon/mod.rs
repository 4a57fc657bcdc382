//! Distributed validators as Charon's clusters have them: definition, lock, their hashes and signatures, key shares, and what
//! the Obol API says of them. Pure: no files, no network.
//!
//! The formats are those of the Distributed Validator Specifications. Judges are the specifications' own test vectors, four
//! clusters that people made on public networks (`lock_verify/vectors.rs`), and real charon (`tests/chain/charon.rs`): v1.10.3
//! for versions 1.6 to 1.10 and the hashes of version 1.5, and, where somebody asks for it, v1.11.0-rc1 for version 1.11.
//!
//! Signatures of contract accounts (Safe, ERC-1271) are in the hashes, but no contract is asked: they are refused by the
//! operator's name.

pub mod api;
pub mod bls;
pub mod choose;
pub mod definition;
mod deposit;
pub mod eip712;
mod hash;
mod json;
pub mod keystore;
pub mod lock;
mod lock_verify;
pub mod network;
mod sign;
mod ssz;
mod verify;
pub mod version;

#[cfg(test)]
pub(crate) mod testing;

pub use definition::{Creator, Definition, Operator, Validator};
pub use keystore::ShareKeystore;
pub use lock::Lock;
pub use sign::{Plan, record_of};
pub use verify::{Rules, Standing};
pub use version::Version;
