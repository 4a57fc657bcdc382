//! From argv to one function per subcommand.

pub mod doc;
pub mod ethstats;
