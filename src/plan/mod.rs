//! Plays become one list of entries in playbook order; names and arguments of modules are checked before anything connects.

pub mod check;
pub mod entry;
pub mod flatten;
pub mod graph;

pub use entry::{BlockId, Entry, Kind, Section};
pub use flatten::{Flat, Handler, flatten_items, flatten_play};
