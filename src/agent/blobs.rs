//! Bytes that the controller keeps, as they arrive: small ones with their batch, large ones in chunks that go to a file
//! without a name, never to memory.

use super::protocol::Blob;
use crate::base::Failure;
use crate::base::failure::{Context, Result};
use crate::modules::BlobRef;
use alloy_primitives::hex::encode as hex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Cursor, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The blobs of one agent. The reader of the wire fills it, the worker takes from it.
#[derive(Default)]
pub struct Store {
    blobs: Mutex<HashMap<String, State>>,
    arrived: Condvar,
}

enum State {
    Memory(Arc<[u8]>),
    Coming { file: File, hash: Sha256 },
    File(Arc<File>),
    Broken(Failure),
}

impl Store {
    /// Keeps what came with a batch.
    pub fn keep(&self, blobs: Vec<Blob>) {
        let mut known = self.lock();
        for blob in blobs {
            let state = if hex(Sha256::digest(&blob.bytes)) == blob.sha256 {
                State::Memory(blob.bytes.into())
            } else {
                State::Broken(damaged(&blob.sha256))
            };
            known.insert(blob.sha256, state);
        }
    }

    /// Takes the next part of a blob that was asked for. Parts of one that was not, or that has failed, are dropped.
    pub fn chunk(&self, sha256: &str, bytes: &[u8], last: bool, error: Option<String>) {
        let mut known = self.lock();
        let Some(state) = known.get_mut(sha256) else { return };
        let State::Coming { file, hash } = state else { return };
        hash.update(bytes);
        let next = if let Some(error) = error {
            Some(State::Broken(Failure::new(error)))
        } else if let Err(error) = file.write_all(bytes) {
            Some(State::Broken(Failure::new(format!("cannot keep a file that arrives from the controller: {error}"))))
        } else if last {
            Some(match (hex(hash.clone().finalize()) == sha256, file.try_clone()) {
                (true, Ok(file)) => State::File(Arc::new(file)),
                (true, Err(error)) => State::Broken(Failure::new(error.to_string())),
                (false, _) => State::Broken(damaged(sha256)),
            })
        } else {
            None
        };
        if let Some(next) = next {
            *state = next;
            self.arrived.notify_all();
        }
    }

    /// Opens a blob. One that has not come with its batch is asked for with `need`, and waited for.
    pub fn open(&self, blob: &BlobRef, cancelled: &AtomicBool, need: &dyn Fn()) -> Result<Box<dyn Read>> {
        let mut known = self.lock();
        if !known.contains_key(&blob.sha256) {
            if blob.size == 0 {
                return Ok(Box::new(io::empty()));
            }
            let file = nameless().context("cannot make a file for what arrives from the controller")?;
            known.insert(blob.sha256.clone(), State::Coming { file, hash: Sha256::new() });
            drop(known);
            need();
            known = self.lock();
        }
        loop {
            match known.get(&blob.sha256) {
                Some(State::Memory(bytes)) => return Ok(Box::new(Cursor::new(Arc::clone(bytes)))),
                Some(State::File(file)) => return Ok(Box::new(FromStart { file: Arc::clone(file), offset: 0 })),
                Some(State::Broken(failure)) => return Err(failure.clone()),
                Some(State::Coming { .. }) if !cancelled.load(Ordering::Relaxed) => {}
                _ => return Err(Failure::new("cancelled while a file arrived from the controller")),
            }
            let tick = Duration::from_millis(50);
            known = self.arrived.wait_timeout(known, tick).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets everything go: a batch is over.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, State>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a shared file from its start, whatever others read of it.
struct FromStart {
    file: Arc<File>,
    offset: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// A file that only its handle reaches; its room is free again when this process ends, however it dies.
pub fn nameless() -> io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    // Beside the agent's own binary there was room for that at least; /tmp is often memory.
    let own = std::env::current_exe().ok().and_then(|exe| exe.parent().map(PathBuf::from));
    let folders = ["/var/tmp".into()].into_iter().chain(own).chain(["/tmp".into()]);
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for folder in folders {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".chainwright-{}-{number}", std::process::id()));
        let opened = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        match opened.and_then(|file| std::fs::remove_file(&path).map(|()| file)) {
            Ok(file) => return Ok(file),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn damaged(sha256: &str) -> Failure {
    Failure::new(format!("a file arrived damaged from the controller: its sha256 is not {sha256}"))
        .help("the file on the controller may have changed during the run: run again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(bytes: &[u8]) -> BlobRef {
        BlobRef { sha256: hex(Sha256::digest(bytes)), size: bytes.len() as u64 }
    }

    fn read(mut from: Box<dyn Read>) -> Vec<u8> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_blob_that_came_with_its_batch_is_not_asked_for() {
        let store = Store::default();
        let blob = reference(b"hello");
        store.keep(vec![Blob { sha256: blob.sha256.clone(), bytes: b"hello".to_vec() }]);
        let opened = store.open(&blob, &AtomicBool::new(false), &|| panic!("asked")).unwrap();
        assert_eq!(read(opened), b"hello");
    }

    #[test]
    fn a_large_blob_is_asked_for_once_and_can_be_read_twice() {
        let store = Store::default();
        let blob = reference(b"hello world");
        let need = || {
            store.chunk(&blob.sha256, b"hello ", false, None);
            store.chunk(&blob.sha256, b"world", true, None);
        };
        for _ in 0..2 {
            assert_eq!(read(store.open(&blob, &AtomicBool::new(false), &need).unwrap()), b"hello world");
        }
    }

    #[test]
    fn a_blob_that_arrives_damaged_is_refused() {
        let store = Store::default();
        let blob = reference(b"hello");
        let need = || store.chunk(&blob.sha256, b"hullo", true, None);
        let failure = store.open(&blob, &AtomicBool::new(false), &need).err().unwrap();
        assert!(failure.message.contains("arrived damaged"), "{failure}");
    }

    #[test]
    fn why_the_controller_cannot_read_a_blob_reaches_the_module() {
        let store = Store::default();
        let blob = reference(b"hello");
        let need = || store.chunk(&blob.sha256, b"", true, Some("files/geth: Permission denied".into()));
        let failure = store.open(&blob, &AtomicBool::new(false), &need).err().unwrap();
        assert_eq!(failure.message, "files/geth: Permission denied");
    }

    #[test]
    fn cancelling_stops_the_wait() {
        let store = Store::default();
        assert!(store.open(&reference(b"hello"), &AtomicBool::new(true), &|| ()).is_err());
    }
}
