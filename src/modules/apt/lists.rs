//! The lists of packages: how old they are, and getting new ones.

use super::super::{Cx, Result};
use super::Apt;
use crate::base::Diff;
use crate::system::{System, Writer};
use std::path::Path;

/// Where apt keeps its lists of packages.
const LISTS: &str = "/var/lib/apt/lists";
/// Ubuntu's apt marks each successful update here.
const STAMP: &str = "/var/lib/apt/periodic/update-success-stamp";

impl Apt {
    /// When the lists of packages were last got, in seconds since 1970.
    pub(super) fn cache_time(system: &System) -> Result<i64> {
        let mut newest = 0;
        for path in [STAMP, LISTS] {
            let seconds = system.meta(Path::new(path))?.map_or(0, |meta| meta.modified / 1_000_000_000);
            newest = newest.max(seconds);
        }
        Ok(newest)
    }

    /// Gets the lists of packages, if they are too old. Says whether it did (or would).
    pub(super) fn update(&self, cx: &mut Cx, alone: bool) -> Result<bool> {
        if !self.update_cache.0 && self.cache_valid_time.0 == 0 {
            return Ok(false);
        }
        let age = jiff::Timestamp::now().as_second() - Self::cache_time(cx.system)?;
        if age < self.cache_valid_time.0 {
            return Ok(false);
        }
        let command = self.apt_get(&["-o", "APT::Update::Error-Mode=any", "update"]);
        let lines = cx.lines();
        let effect = |writer: &Writer| {
            self.run_apt(writer, &command, lines)?;
            // apt leaves the folder's time alone if no list was new.
            let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).ok();
            writer.times(Path::new(LISTS), None, now)
        };
        if alone {
            cx.change(Diff::action("get the lists of packages"), effect)?;
        } else if !cx.check {
            // The means to an end: what changes is what is installed.
            effect(&cx.system.writer())?;
        }
        Ok(true)
    }
}
