//! A folder of our own for a moment, for programs that write files before they are in their place.

use super::stage::temporary_name;
use super::{Traits, Writer};
use crate::base::failure::Result;
use std::path::{Path, PathBuf};

/// A folder that nobody else can look into. Dropped, it is removed with all that is in it.
#[derive(Debug)]
pub struct Scratch<'a> {
    writer: &'a Writer,
    path: PathBuf,
}

impl Writer {
    /// A new one, where the host keeps temporary files: in a folder whose entries only their owner can rename.
    pub fn scratch(&self) -> Result<Scratch<'_>> {
        let system = self.system();
        let parent = system.expand(&system.variable("TMPDIR").unwrap_or_else(|| "/tmp".into()))?;
        let path = parent.join(temporary_name()?);
        self.folder(&path, Traits::mode(0o700))?;
        Ok(Scratch { writer: self, path })
    }
}

impl Scratch<'_> {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        let _ = self.writer.remove(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::host;
    use super::*;

    #[test]
    fn it_is_private_and_leaves_nothing_behind() {
        let (root, system) = host();
        let system = system.with_environment([("TMPDIR".into(), "/".into())].into());
        let writer = system.writer();
        let scratch = writer.scratch().unwrap();
        assert_eq!(system.meta(scratch.path()).unwrap().unwrap().mode, 0o700);
        writer.write(&scratch.path().join("key"), b"k", Traits::mode(0o600)).unwrap();
        drop(scratch);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
