//! A host made of a temporary folder, on which the tests of the `eth_*` modules call them as the agent does.

use super::{Cx, NoBlobs, Result};
use crate::base::{Outcome, Value};
use crate::system::System;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

pub struct Host {
    folder: tempfile::TempDir,
    pub system: System,
}

impl Host {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { system: System::new(folder.path()), folder }
    }

    fn real(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    pub fn write(&self, path: &str, text: &str) {
        std::fs::create_dir_all(self.real(path).parent().unwrap()).unwrap();
        std::fs::write(self.real(path), text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.real(path)).unwrap()
    }

    pub fn exists(&self, path: &str) -> bool {
        self.real(path).exists()
    }

    pub fn mode(&self, path: &str) -> u32 {
        std::fs::metadata(self.real(path)).unwrap().permissions().mode() & 0o7777
    }

    pub fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.real(from), self.real(to)).unwrap();
    }

    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.real(path)).unwrap();
    }

    pub fn list(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.real(path)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Calls a module as the agent does.
pub fn outcome(host: &Host, module: &str, args: &Value, check: bool) -> Result<Outcome> {
    let entry = super::find(module).unwrap();
    let cx = Cx::new(&host.system, check, &NoBlobs, &|_| {});
    super::registry::run(entry, args.as_object().unwrap().clone(), cx)
}
