//! Writing: the effects that modules use inside `Cx::change`.

use super::System;

/// The right to change a host.
#[derive(Debug)]
pub struct Writer {
    pub(super) system: System,
}

impl Writer {
    pub(super) fn new(system: System) -> Self {
        Self { system }
    }
}
