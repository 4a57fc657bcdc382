//! The bytes that hosts may ask for, small ones in memory, files where they are; and what hosts send.

use crate::agent::blobs::nameless;
use crate::agent::protocol::{Blob, INLINE};
use crate::base::Failure;
use crate::base::failure::Context as _;
use crate::modules::BlobRef;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone)]
enum Kept {
    Bytes(Arc<Vec<u8>>),
    File(PathBuf),
}

/// Bytes by their SHA-256.
#[derive(Debug, Default)]
pub struct BlobStore {
    kept: Mutex<HashMap<String, Kept>>,
    arrivals: Mutex<HashMap<String, Result<File, Failure>>>,
}

impl BlobStore {
    /// Keeps bytes.
    pub fn keep(&self, bytes: Vec<u8>) -> BlobRef {
        let sha256 = alloy_primitives::hex::encode(Sha256::digest(&bytes));
        let size = bytes.len() as u64;
        self.kept.lock().expect("blobs").insert(sha256.clone(), Kept::Bytes(Arc::new(bytes)));
        BlobRef { sha256, size }
    }

    /// Keeps a file, which must not change until the end of the run.
    pub fn keep_file(&self, path: &Path) -> Result<BlobRef, Failure> {
        let mut file = File::open(path).context(path.display())?;
        let size = file.metadata().context(path.display())?.len();
        if size <= INLINE {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).context(path.display())?;
            return Ok(self.keep(bytes));
        }
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer).context(path.display())? {
                0 => break,
                read => hash.update(&buffer[..read]),
            }
        }
        let sha256 = alloy_primitives::hex::encode(hash.finalize());
        self.kept.lock().expect("blobs").insert(sha256.clone(), Kept::File(path.to_owned()));
        Ok(BlobRef { sha256, size })
    }

    /// The blobs named anywhere in `args` that are small enough to travel with them.
    pub fn inline(&self, args: &crate::base::Map) -> Vec<Blob> {
        let mut names = Vec::new();
        for value in args.values() {
            collect(value, &mut names);
        }
        let kept = self.kept.lock().expect("blobs");
        names
            .into_iter()
            .filter_map(|sha256| match kept.get(&sha256) {
                Some(Kept::Bytes(bytes)) if bytes.len() as u64 <= INLINE => {
                    Some(Blob { sha256, bytes: bytes.to_vec() })
                }
                _ => None,
            })
            .collect()
    }

    /// Keeps the next part of what a host sends, in a file without a name.
    pub fn arrive(&self, name: &str, bytes: &[u8]) {
        let broken = |error| Failure::new(format!("cannot keep what a host sends: {error}"));
        let mut arrivals = self.arrivals.lock().expect("arrivals");
        let arrival = arrivals.entry(name.to_owned()).or_insert_with(|| nameless().map_err(broken));
        if let Ok(file) = arrival
            && let Err(error) = file.write_all(bytes)
        {
            *arrival = Err(broken(error));
        }
    }

    /// What a host has sent under a name, from its start. It is forgotten here.
    pub fn arrived(&self, name: &str) -> Result<Box<dyn Read>, Failure> {
        let arrival = self.arrivals.lock().expect("arrivals").remove(name);
        let mut file = arrival.unwrap_or_else(|| Err(Failure::new("a host did not send what it said it would")))?;
        file.rewind().context("what a host sent")?;
        Ok(Box::new(file))
    }

    /// Opens a blob that a host asks for.
    pub fn open(&self, sha256: &str) -> Result<Box<dyn Read + Send>, Failure> {
        match self.kept.lock().expect("blobs").get(sha256).cloned() {
            Some(Kept::Bytes(bytes)) => Ok(Box::new(std::io::Cursor::new(bytes.to_vec()))),
            Some(Kept::File(path)) => Ok(Box::new(File::open(&path).context(path.display())?)),
            None => Err(Failure::new(format!("a host asked for bytes that nobody offered it ({sha256})"))),
        }
    }
}

fn collect(value: &crate::base::Value, names: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            if let (2, Some(serde_json::Value::String(sha256)), Some(_)) =
                (map.len(), map.get("sha256"), map.get("size"))
            {
                names.push(sha256.clone());
            } else {
                map.values().for_each(|value| collect(value, names));
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}
