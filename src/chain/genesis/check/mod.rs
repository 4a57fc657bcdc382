//! Everything that is wrong with a genesis, for the client and version that shall read it: all of it at once, each with its
//! place and what to write instead.
//!
//! An error is what the client refuses, what makes another network than was meant, or a network that stops. A warning is
//! what works and is rarely meant.

mod accounts;
mod aura;
mod autonity;
mod bft;
mod block;
mod clique;
mod keys;
mod notation;
mod schedule;
mod specification;
mod tables;

use super::forks::Target;
use super::json::{Node, no_values};
use super::model::{Engine, Format};
use super::read::File;
use crate::base::{Diagnostic, Span};
use crate::chain::client::Version;
use std::collections::HashSet;

/// All that is wrong, in the order of the file; what could not be read is among it.
pub fn check(file: &File, target: Target) -> Vec<Diagnostic> {
    let mut checker = Checker { file, target, told: no_values(&file.mistakes), found: file.mistakes.clone() };
    checker.fits();
    keys::check(&mut checker);
    tables::check(&mut checker);
    specification::check(&mut checker);
    notation::check(&mut checker);
    block::check(&mut checker);
    schedule::check(&mut checker);
    match file.genesis.engine {
        Engine::Clique => clique::check(&mut checker),
        Engine::Qbft | Engine::Ibft2 | Engine::Istanbul => bft::check(&mut checker),
        Engine::Aura => aura::check(&mut checker),
        Engine::Autonity => autonity::check(&mut checker),
        Engine::Ethash | Engine::ProofOfStake | Engine::Unknown => {}
    }
    accounts::check(&mut checker);
    let mut found = checker.found;
    found.sort_by_key(|diagnostic| diagnostic.span.as_ref().map_or(0, |span| span.start));
    found.dedup();
    found
}

struct Checker<'a, 'f> {
    file: &'a File<'f>,
    target: Target,
    /// Where there is nothing more to say.
    told: HashSet<usize>,
    found: Vec<Diagnostic>,
}

impl<'a, 'f> Checker<'a, 'f> {
    fn error(&mut self, span: &Span, message: impl Into<String>, help: impl Into<String>) {
        self.tell(span, Diagnostic::new(message, span).help(help));
    }

    fn warn(&mut self, span: &Span, message: impl Into<String>, help: impl Into<String>) {
        self.tell(span, Diagnostic::new(message, span).help(help).warning());
    }

    fn tell(&mut self, span: &Span, finding: Diagnostic) {
        if !self.told.contains(&span.start) {
            self.found.push(finding);
        }
    }

    /// The value at a path of keys.
    fn node(&self, path: &[&str]) -> Option<&'a Node<'f>> {
        let file: &'a File<'f> = self.file;
        path.iter().try_fold(&file.tree, |node, name| node.get(name))
    }

    /// The place of the value at a path; of the innermost table that there is, if it is missing.
    fn span(&self, path: &[&str]) -> Span {
        let mut at = &self.file.tree;
        for name in path {
            match at.get(name) {
                Some(node) => at = node,
                None => return self.opening(at),
            }
        }
        if at.entries().is_empty() { at.span(self.file.source) } else { self.opening(at) }
    }

    /// A table's first character: all of it would underline half the file.
    fn opening(&self, node: &Node) -> Span {
        let start = node.start as usize;
        Span::new(self.file.source.clone(), start, start + 1)
    }

    /// The place of the key at a path, or as [`Checker::span`].
    fn key(&self, path: &[&str]) -> Span {
        let Some((last, outer)) = path.split_last() else { return self.span(path) };
        match self.node(outer).and_then(|table| table.entry(last)) {
            Some((key, _)) => key.span(self.file.source),
            None => self.span(path),
        }
    }

    /// Whether the client reads files of this format and runs their engine at all.
    fn fits(&mut self) {
        let genesis = &self.file.genesis;
        let (format, engine) = (genesis.format, genesis.engine);
        let fits = match self.target {
            Target::Geth(_) => format == Format::Geth,
            Target::Besu(_) => match format {
                Format::Besu | Format::Geth => true,
                Format::Quorum => engine == Engine::Qbft,
                Format::Parity | Format::Autonity => false,
            },
            Target::Quorum(_) => matches!(format, Format::Quorum | Format::Geth) || engine == Engine::Qbft,
            Target::OpenEthereum(_) => format == Format::Parity,
            Target::Nethermind(_) => matches!(format, Format::Parity | Format::Geth) && engine != Engine::Unknown,
            Target::Autonity(_) => format == Format::Autonity,
        };
        if !fits {
            let message = format!(
                "{} cannot run this network: it is a genesis of {}, with {}",
                self.target,
                format.name(),
                engine.name()
            );
            let help = format!("check it with `--client {}`, or build one for {}", client_of(format), self.target);
            let place = match format {
                Format::Parity => self.key(&["engine"]),
                _ => self.key(&["config"]),
            };
            self.error(&place, message, help);
        } else if let Target::Quorum(version) = self.target
            && engine == Engine::Qbft
            && version < QUORUM_QBFT
        {
            let message = format!("{} has no QBFT", self.target);
            self.error(&self.key(&["config", "qbft"]), message, format!("use GoQuorum {QUORUM_QBFT} or later"));
        }
    }
}

/// The first GoQuorum with QBFT.
const QUORUM_QBFT: Version = Version(21, 4, 0);

const fn client_of(format: Format) -> &'static str {
    match format {
        Format::Geth => "geth",
        Format::Besu => "besu",
        Format::Quorum => "goquorum",
        Format::Parity => "openethereum",
        Format::Autonity => "autonity",
    }
}

#[cfg(test)]
mod tests;
