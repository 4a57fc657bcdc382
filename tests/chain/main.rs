//! What Chainwright knows of Ethereum, held against real geth on this machine; no hosts are needed.

mod bridge;
mod ceremony;
mod charon;
mod charon_program;
mod client_flags;
mod dkg;
mod genesis;
mod geth;
mod keys;
mod metrics;
mod records;
