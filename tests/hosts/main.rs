//! Chainwright against booted Debian hosts, which `make test` (or `tests/lab/lab up plain 4`) provides.

mod agent;
mod become_user;
mod broken;
mod connections;
mod contract;
mod https;
mod interrupts;
mod lab;
mod memory;
mod modules;
mod run;
