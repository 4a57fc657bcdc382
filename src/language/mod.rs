//! What the user wrote: playbooks, roles, inventories, variables, templates. Pure: no I/O but reading files.

pub mod node;
pub mod playbook;
pub mod variables;

pub use node::{Data, Key, Node};
pub use variables::{Found, Variables};
