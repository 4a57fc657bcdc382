//! Plays become steps and their needs; names and arguments of modules are checked.
