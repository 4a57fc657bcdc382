//! Genesis: files from a few words, what a file means, the hash of block 0 of any such file without starting a client, and
//! everything that is wrong with one.
//!
//! | file | job |
//! |---|---|
//! | [`json`] | tables that know where they stand |
//! | [`value`] | numbers, bytes, addresses |
//! | [`read`] | from tables to the [`model`] |
//! | [`hash`] | the header of block 0, for clients of every age |
//! | [`fork_id`] | EIP-2124 |
//! | [`check`] | what is wrong with a file, for a client and a version |
//! | [`compare`] | two files by meaning |
//! | [`build`] | new files |
//! | [`forks`] | which client knows which fork |

pub mod account;
pub mod build;
pub mod check;
pub mod compare;
mod config;
pub mod fork_id;
pub mod forks;
pub mod hash;
pub mod json;
pub mod model;
pub mod networks;
pub mod read;
pub mod value;

pub use account::{Account, Alloc, alloc};
pub use config::{canonical, config, config_differences};
pub use hash::BlockZero;
pub use model::{AuraSeal, Engine, Format, Genesis};
pub use read::File;

use super::Header;
use crate::base::{Diagnostic, Failure, Source, failure::Result};

/// Block 0 of a genesis, as the newest client of its format makes it.
pub fn header(text: &str) -> Result<Header> {
    let source = Source::new("genesis", text);
    let file = read::read(&source, None).map_err(|mistakes| unreadable(&mistakes))?;
    if file.mistakes.is_empty() {
        let target = hash::usual_target(file.genesis.format, file.genesis.engine);
        return Ok(BlockZero::new(&file.genesis)?.header(target));
    }
    Err(unreadable(&file.mistakes))
}

pub(in crate::chain) fn unreadable(mistakes: &[Diagnostic]) -> Failure {
    let Some(first) = mistakes.first() else { return Failure::new("this genesis cannot be read") };
    let place = first.span.as_ref().map_or((1, 1), crate::base::Span::line_column);
    let more = if mistakes.len() > 1 { format!(", and {} more", mistakes.len() - 1) } else { String::new() };
    let failure = Failure::new(format!("line {}, column {}: {}{more}", place.0, place.1, first.message));
    match &first.help {
        Some(help) => failure.help(help.clone()),
        None => failure,
    }
}

#[cfg(test)]
mod tests;
