//! Black-box tests of the command line: what a user types, and what the screen then says.

mod bad_input;
mod commands;
mod language;
mod project;
