//! A host in a temporary folder, for the tests of this layer.

use super::System;

/// The folder, which vanishes when dropped, and the host in it.
pub fn host() -> (tempfile::TempDir, System) {
    let root = tempfile::tempdir().unwrap();
    let system = System::new(root.path());
    (root, system)
}

/// A host with these files.
pub fn host_with(files: &[(&str, &str)]) -> (tempfile::TempDir, System) {
    let (root, system) = host();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    (root, system)
}
