//! The program that is uploaded: our own, or the one that `CHAINWRIGHT_AGENT` names.

use crate::base::Failure;
use crate::base::failure::{Context, Result};
use alloy_primitives::hex;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The gzip level. For a binary of 8 MB, level 6 takes twice as long and saves one hundredth.
const LEVEL: u32 = 5;

/// An agent's binary. One is shared by all targets of a run, so that it is read and compressed once.
#[derive(Debug)]
pub struct AgentBinary {
    path: PathBuf,
    hash: OnceLock<Result<String>>,
    packed: OnceLock<Result<Arc<[u8]>>>,
}

impl AgentBinary {
    /// What `CHAINWRIGHT_AGENT` names, or this very program. Hashing it begins at once, on a thread.
    pub fn own() -> Result<Arc<Self>> {
        let path = match std::env::var_os("CHAINWRIGHT_AGENT").filter(|path| !path.is_empty()) {
            Some(path) => PathBuf::from(path),
            None => std::env::current_exe().context("cannot find our own program to upload it")?,
        };
        let binary = Self::at(path);
        let hashing = Arc::clone(&binary);
        std::thread::spawn(move || hashing.hash().is_ok());
        Ok(binary)
    }

    /// The binary at `path`; it is not read before it is needed.
    pub fn at(path: impl Into<PathBuf>) -> Arc<Self> {
        Arc::new(Self { path: path.into(), hash: OnceLock::new(), packed: OnceLock::new() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The first 16 hex digits of its sha256: its name on a host.
    pub fn hash(&self) -> Result<&str> {
        let compute = || -> io::Result<String> {
            let mut hash = Sha256::new();
            let mut file = File::open(&self.path)?;
            let mut buffer = vec![0; 256 << 10];
            loop {
                match file.read(&mut buffer)? {
                    0 => break,
                    count => hash.update(&buffer[..count]),
                }
            }
            Ok(hex::encode(&hash.finalize()[..8]))
        };
        let hash = self.hash.get_or_init(|| compute().map_err(|error| self.unreadable(&error)));
        hash.as_deref().map_err(Clone::clone)
    }

    /// Its size in KiB, rounded up.
    pub fn kib(&self) -> Result<u64> {
        let size = std::fs::metadata(&self.path).map_err(|error| self.unreadable(&error))?.len();
        Ok(size.div_ceil(1024))
    }

    /// The binary as gzip. What was packed once is kept in the user's cache.
    pub fn packed(&self) -> Result<Arc<[u8]>> {
        let pack = || -> io::Result<Arc<[u8]>> {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
            io::copy(&mut File::open(&self.path)?, &mut gzip)?;
            Ok(gzip.finish()?.into())
        };
        let compute = || {
            let kept = self.kept();
            if let Some(bytes) = kept.as_ref().and_then(|path| std::fs::read(path).ok()) {
                return Ok(bytes.into());
            }
            let bytes = pack().map_err(|error| self.unreadable(&error))?;
            if let Some(path) = kept {
                keep(&path, &bytes);
            }
            Ok(bytes)
        };
        self.packed.get_or_init(compute).clone()
    }

    /// Begins to pack on a thread, if this binary never was: then no host has it, and it will be wanted.
    pub fn pack_ahead(self: &Arc<Self>) {
        if self.packed.get().is_none() && self.kept().is_some_and(|path| !path.exists()) {
            let binary = Arc::clone(self);
            std::thread::spawn(move || binary.packed().is_ok());
        }
    }

    fn kept(&self) -> Option<PathBuf> {
        Some(super::cache()?.join(format!("packed-{}.gz", self.hash().ok()?)))
    }

    fn unreadable(&self, error: &io::Error) -> Failure {
        Failure::new(format!("cannot read the agent's binary {}: {error}", self.path.display()))
    }
}

/// Keeps `bytes` at `path`, and removes what was kept of other versions. What cannot be kept is no loss.
fn keep(path: &Path, bytes: &[u8]) {
    let Some(folder) = path.parent() else { return };
    let new = folder.join(format!(".packed-{}", std::process::id()));
    if std::fs::write(&new, bytes).and_then(|()| std::fs::rename(&new, path)).is_err() {
        let _ = std::fs::remove_file(&new);
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("packed-") && entry.path() != path {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
