//! The DNS ceremony: organisations that do not trust each other make one genesis, with DNS as the only channel.
//!
//! Each publishes where its node is and which key it has, in its own signed zone; each resolves all names, validates, and
//! fills the same template; the files must be the same bytes, and each signs a statement of that.
//!
//! | file | job |
//! |---|---|
//! | [`sheet`] | who takes part, and in what |
//! | [`txt`] | the record in DNS: reading every form of it, and writing it |
//! | [`party`] | from the validated answers of DNS to an organisation's entry, or the reason why there is none |
//! | [`memory`] | what has been seen before: a key that changed, a record that is replayed |
//! | [`round`] | one look at all names |
//! | [`poll`] | looking again and again until all count, or it is too late |
//! | [`template`] | the genesis with names in it, filled in |
//! | [`statement`] | "this is the genesis that I made", signed |
//! | [`verify`] | whether a node is one of the network that was agreed on |

pub mod memory;
pub mod party;
pub mod poll;
pub mod round;
pub mod sheet;
pub mod statement;
pub mod template;
pub mod txt;
pub mod verify;

pub use memory::Memory;
pub use party::{Doubt, Party};
pub use sheet::Sheet;
pub use statement::Statement;
pub use template::Template;
pub use txt::Entry;
