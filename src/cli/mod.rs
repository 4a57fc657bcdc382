//! From argv to one function per subcommand.

pub mod ethstats;
