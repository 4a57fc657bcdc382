//! From argv to one function per subcommand.
