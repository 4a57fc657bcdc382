//! Networks on booted hosts, with real geth: that of the demo (`demo`), and those that tests make on plain hosts for themselves.
//!
//! The hosts are those of `tests/lab/lab up demo` and `up plain 15`; `make test` boots them.

#[path = "../hosts/agent.rs"]
mod agent;
mod ceremony;
mod ceremony_join;
mod client_versions;
mod clock;
mod consortium;
mod demo;
mod dkg;
mod existing_keys;
mod four_chains;
mod init;
mod lock;
mod metrics;
mod plain;
mod run;
mod tls;
