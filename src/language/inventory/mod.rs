//! Hosts, groups and their variables.

pub mod folders;
