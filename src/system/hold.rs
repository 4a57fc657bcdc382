//! Locks on the host that are held until the agent exits, however it dies: `flock` on a file that says who holds it.

use super::System;
use crate::base::failure::{Context, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The answer to [`System::hold`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// It is ours until the agent exits.
    Held,
    /// Somebody else has it; this is what they wrote (empty if they have not got to it).
    By(String),
}

/// A lock of ours.
#[derive(Debug)]
pub(super) struct Held(File);

impl Drop for Held {
    /// Closing the file does not do: a program that another thread starts in this moment has it open until it begins.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl System {
    /// Takes the lock file at `path` without waiting, and writes `text` (who we are, since when) into it.
    ///
    /// The folder and the file (mode 0644) are made if missing. The lock ends with this agent, even if it is killed:
    /// what remains is a file that nobody holds. Taking a lock that this agent already has renews its text.
    pub fn hold(&self, path: &Path, text: &str) -> Result<Hold> {
        let real = self.locate(path);
        let shown = path.display();
        let mut held = self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(Held(file)) = held.get_mut(&real) {
            return inscribe(file, text).context(&shown).map(|()| Hold::Held);
        }
        if let Some(folder) = real.parent() {
            std::fs::create_dir_all(folder).context(format!("cannot make the folder of the lock {shown}"))?;
        }
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o644).open(&real);
        let mut file = opened.context(format!("cannot open the lock {shown}"))?;
        match file.try_lock() {
            Ok(()) => {
                inscribe(&mut file, text).context(&shown)?;
                held.insert(real, Held(file));
                Ok(Hold::Held)
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).context(&shown)?;
                Ok(Hold::By(holder))
            }
            Err(TryLockError::Error(error)) => Err(error).context(format!("cannot lock {shown}")),
        }
    }

    /// Lets a lock go before the agent exits. Nothing happens if it is not ours.
    pub fn release(&self, path: &Path) {
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&self.locate(path));
    }
}

fn inscribe(file: &mut File, text: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_agent_is_told_who_holds_the_lock_and_gets_it_after_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (System::new(folder.path()), System::new(folder.path()));
        let path = Path::new("/run/chainwright/network.lock");
        assert_eq!(first.hold(path, "alice since noon").unwrap(), Hold::Held);
        assert_eq!(second.hold(path, "bob").unwrap(), Hold::By("alice since noon".into()));
        drop(first);
        assert_eq!(second.hold(path, "bob").unwrap(), Hold::Held);
    }

    #[test]
    fn a_lock_is_renewed_by_its_holder_and_can_be_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (System::new(folder.path()), System::new(folder.path()));
        let path = Path::new("/lock");
        first.hold(path, "a long text").unwrap();
        assert_eq!(first.clone().hold(path, "short").unwrap(), Hold::Held);
        assert_eq!(second.hold(path, "bob").unwrap(), Hold::By("short".into()));
        first.release(path);
        assert_eq!(second.hold(path, "bob").unwrap(), Hold::Held);
    }
}
