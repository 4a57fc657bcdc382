//! What the user wrote: playbooks, roles, inventories, variables, templates. Pure: no I/O but reading files.

pub mod extra;
pub mod inventory;
pub mod layers;
pub mod loader;
pub mod managed;
pub mod node;
pub mod playbook;
pub mod serial;
pub mod tags;
pub mod template;
pub mod variables;
pub mod yaml;

pub use layers::{Layer, Scope, Table, Var};
pub use loader::Loader;
pub use node::{Data, Key, Node};
pub use template::{OMIT, RenderError, TemplateOptions, Templates};
pub use variables::{Found, Variables};
