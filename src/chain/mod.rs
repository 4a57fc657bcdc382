//! Pure Ethereum: keys, keystore, enode, genesis, what client versions read, RPC.

pub mod abi;
pub mod address;
pub mod artefact;
pub mod backoff;
pub mod bft;
pub mod ceremony;
pub mod charon;
pub mod client;
pub mod clique;
pub mod code;
pub mod doctor;
pub mod enode;
pub mod enr;
pub mod genesis;
pub mod header;
pub mod keys;
pub mod keystore;
pub mod lock;
pub mod quantity;
pub mod rpc;
pub mod signature;
pub mod transaction;

pub use address::parse_address;
pub use alloy_primitives::{Address, B256, U256, keccak256};
pub use enode::Enode;
pub use enr::Record;
pub use header::Header;
pub use keys::{AccountKey, NodeKey};
pub use signature::Signature;
