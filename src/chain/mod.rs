//! Pure Ethereum: keys, keystore, enode, genesis, what client versions read, RPC.

pub mod address;
pub mod client;
pub mod clique;
pub mod enode;
pub mod genesis;
pub mod header;
pub mod keys;
pub mod keystore;
pub mod quantity;
pub mod rpc;

pub use address::parse_address;
pub use alloy_primitives::{Address, B256, U256, keccak256};
pub use enode::Enode;
pub use header::Header;
pub use keys::{AccountKey, NodeKey};
