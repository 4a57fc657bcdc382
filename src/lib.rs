//! Chainwright: a declarative playbook runner for private Ethereum networks.

pub mod agent;
pub mod base;
pub mod chain;
pub mod cli;
pub mod connect;
pub mod ethstats;
pub mod language;
pub mod modules;
pub mod plan;
pub mod report;
pub mod run;
pub mod system;
