//! Black-box tests of the command line: what a user types, and what the screen then says.

mod bad_input;
mod bridge;
mod ceremony;
mod client;
mod commands;
mod consortium;
mod dkg;
mod doctor;
mod failures;
mod four_chains;
mod genesis;
mod handlers;
mod inventories;
mod jobs;
mod keys;
mod language;
mod lock;
mod manual;
mod project;
mod roles;
mod rpc_filter;
mod scripted_node;
mod terminal;
