//! An attempt that was cut off or failed at its very end: whether all operators have what it made, and how shares and lock come
//! together again.
//!
//! Charon writes shares and lock, tells the others so, and waits for each of them to say the same. Only then does it go on to its
//! good end. So one operator's good end says that all have written; files that lie here without it say nothing of the others. If
//! each took its own files for the cluster, one that was cut off a moment earlier would stand alone. They are kept, and the
//! ceremony is tried again: either all come back to it, or somebody has seen the good end and can show the lock.

use super::folder::{FAILED, Folder, LOG};
use super::made::{Deposits, KEYS, LOCK, Made, Ours, verify};
use crate::base::failure::Result;
use crate::chain::B256;
use crate::chain::charon::Lock;
use crate::system::{System, Writer};
use std::path::{Path, PathBuf};

/// What charon 1.10 logs when it has heard from all that they have written (`dkg/dkg.go`, after its seventh step): its good end, or
/// that it did not come to it although only the farewell was left.
const ALL_HAVE_WRITTEN: [&str; 2] = ["Successfully completed DKG ceremony", "sync shutdown"];

/// Whether this, of charon's output or log, says that all operators have written what they made.
pub fn says_all_have_written(text: &str) -> bool {
    ALL_HAVE_WRITTEN.iter().any(|phrase| text.contains(phrase))
}

impl Folder {
    /// Whether the log of the last attempt says that all operators have written what they made.
    pub fn all_have_written(&self, system: &System) -> Result<bool> {
        Ok(system.read_text_if_there(&self.inside(LOG))?.is_some_and(|log| says_all_have_written(&log)))
    }

    /// The shares to a lock that others have, and where they are: an attempt of ours made them that was cut off, or failed.
    pub fn shares_to(&self, system: &System, text: &str, ours: &Ours) -> Result<Option<(PathBuf, Made)>> {
        for place in self.places(system)? {
            if let Ok(made) = verify(system, &place, text, ours, Deposits::Renewed) {
                return Ok(Some((place, made)));
            }
        }
        Ok(None)
    }

    /// Puts the shares from that place, and the lock with this text, where they belong.
    pub fn join(&self, writer: &Writer, place: &Path, text: &str, made: &Made) -> Result<()> {
        // From here on it is as if charon had been cut off a moment later.
        self.begin(writer, &made.lock.definition.config_hash)?;
        if place != self.path() {
            self.tidy(writer)?;
            writer.rename(&place.join(KEYS), &self.inside(KEYS))?;
        }
        self.adopt(writer, text)
    }

    /// The last attempt that made everything, of a cluster: its lock's hash and file.
    pub fn made_once(&self, system: &System, config_hash: B256) -> Result<Option<(String, PathBuf)>> {
        for place in self.places(system)? {
            let file = place.join(LOCK);
            let lock = system.read_text_if_there(&file)?.and_then(|text| Lock::parse(&text).ok());
            if let Some(lock) = lock.filter(|it| it.definition.config_hash.0 == config_hash.as_slice()) {
                return Ok(Some((lock.lock_hash.to_string(), file)));
            }
        }
        Ok(None)
    }

    /// Whether there are shares of a ceremony that was cut off or failed.
    pub fn keeps_shares(&self, system: &System) -> Result<bool> {
        Ok(!self.places(system)?.is_empty())
    }

    /// Where shares of attempts are, the last one first.
    fn places(&self, system: &System) -> Result<Vec<PathBuf>> {
        let failed = self.inside(FAILED);
        let mut places = vec![self.path().to_owned()];
        places.extend(self.failures(system)?.iter().rev().map(|number| failed.join(number.to_string())));
        let mut kept = Vec::new();
        for place in places {
            if system.exists(&place.join(KEYS))? {
                kept.push(place);
            }
        }
        Ok(kept)
    }
}
