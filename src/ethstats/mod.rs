//! The stats server: nodes report to it over eth-netstats' WebSocket protocol, people and scripts read what they said.
//!
//! A room of its own beside `chain`: it knows the wire, keeps what nodes report, and serves it. Nothing else uses it but
//! its subcommand.

pub mod page;
pub mod secrets;
pub mod server;
pub mod state;
pub mod wire;

pub use secrets::Secrets;
pub use server::serve;
