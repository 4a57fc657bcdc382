//! The program that is uploaded: our own, or the one that `CHAINWRIGHT_AGENT` names.

use crate::base::Failure;
use crate::base::failure::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The gzip level. On an 8 MB binary, levels above cost more time than they save on any link faster than 30 Mbit/s.
const LEVEL: u32 = 6;

/// An agent's binary. One is shared by all targets of a run, so that it is read and compressed once.
#[derive(Debug)]
pub struct AgentBinary {
    path: PathBuf,
    hash: OnceLock<Result<String>>,
    packed: OnceLock<Result<Arc<[u8]>>>,
}

impl AgentBinary {
    /// What `CHAINWRIGHT_AGENT` names, or this very program.
    pub fn own() -> Result<Arc<Self>> {
        match std::env::var_os("CHAINWRIGHT_AGENT").filter(|path| !path.is_empty()) {
            Some(path) => Ok(Self::at(PathBuf::from(path))),
            None => std::env::current_exe().map(Self::at).context("cannot find our own program to upload it"),
        }
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
            Ok(hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect())
        };
        let hash = self.hash.get_or_init(|| compute().map_err(|error| self.unreadable(&error)));
        hash.as_deref().map_err(Clone::clone)
    }

    /// Its size in KiB, rounded up.
    pub fn kib(&self) -> Result<u64> {
        let size = std::fs::metadata(&self.path).map_err(|error| self.unreadable(&error))?.len();
        Ok(size.div_ceil(1024))
    }

    /// The binary as gzip.
    pub fn packed(&self) -> Result<Arc<[u8]>> {
        let compute = || -> io::Result<Arc<[u8]>> {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
            io::copy(&mut File::open(&self.path)?, &mut gzip)?;
            gzip.flush()?;
            Ok(gzip.finish()?.into())
        };
        self.packed.get_or_init(|| compute().map_err(|error| self.unreadable(&error))).clone()
    }

    fn unreadable(&self, error: &io::Error) -> Failure {
        Failure::new(format!("cannot read the agent's binary {}: {error}", self.path.display()))
    }
}
