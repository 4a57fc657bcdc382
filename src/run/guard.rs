//! Which entries run for a host, given what has failed: `rescue`, `always`, and the end of a role.

use crate::plan::{BlockId, Entry, Section};
use std::collections::HashMap;

/// What has gone wrong in one block, for one host.
#[derive(Debug, Clone, Copy, Default)]
struct BlockState {
    block_failed: bool,
    rescue_failed: bool,
    always_failed: bool,
    ended: bool,
}

/// A host's failures so far.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    blocks: HashMap<BlockId, BlockState>,
    failed: bool,
}

/// Whether somebody takes over after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// A `rescue` does.
    Rescued,
    /// Nobody: the host has failed.
    Failed,
}

impl Guard {
    /// Whether `entry` runs for this host.
    pub fn allows(&self, entry: &Entry) -> bool {
        self.allows_here(entry).unwrap_or(!self.failed)
    }

    /// The same for a handler that must run although the host has failed (`force_handlers`).
    pub fn allows_forced(&self, entry: &Entry) -> bool {
        self.allows_here(entry).unwrap_or(true)
    }

    /// What the blocks around `entry` say, if they decide it.
    fn allows_here(&self, entry: &Entry) -> Option<bool> {
        for within in entry.path.iter().rev() {
            let state = self.blocks.get(&within.id).copied().unwrap_or_default();
            match within.section {
                Section::Block if state.block_failed || state.ended => return Some(false),
                Section::Rescue if !state.block_failed || state.rescue_failed => return Some(false),
                Section::Always if state.always_failed => return Some(false),
                // It cleans up after its own block: failures further out are only what came of that.
                Section::Always if state.block_failed || state.rescue_failed => return Some(true),
                _ => {}
            }
        }
        None
    }

    /// Records a failure at `entry`.
    pub fn fail(&mut self, entry: &Entry) -> After {
        for within in entry.path.iter().rev() {
            let state = self.blocks.entry(within.id).or_default();
            match within.section {
                Section::Block => {
                    state.block_failed = true;
                    if !within.block.rescue.is_empty() {
                        return After::Rescued;
                    }
                }
                Section::Rescue => state.rescue_failed = true,
                Section::Always => state.always_failed = true,
            }
        }
        self.failed = true;
        After::Failed
    }

    /// Whether a failure at `entry` has been recorded already.
    pub fn has_failed_at(&self, entry: &Entry) -> bool {
        entry.path.last().map_or(self.failed, |within| {
            let state = self.blocks.get(&within.id).copied().unwrap_or_default();
            match within.section {
                Section::Block => state.block_failed,
                Section::Rescue => state.rescue_failed,
                Section::Always => state.always_failed,
            }
        })
    }

    /// Ends the innermost role around `entry`.
    pub fn end_role(&mut self, entry: &Entry) {
        if let Some(within) = entry.path.iter().rev().find(|within| within.block.role.is_some()) {
            self.blocks.entry(within.id).or_default().ended = true;
        }
    }

    /// Whether nobody took over after a failure.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Forgets failures (`meta: clear_host_errors`).
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
