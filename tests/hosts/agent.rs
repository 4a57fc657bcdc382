//! The agent that tests upload: the binary under test without its symbols, a fifth of the size. Made once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of the stripped copy.
pub fn stripped() -> &'static Path {
    static AGENT: OnceLock<PathBuf> = OnceLock::new();
    AGENT.get_or_init(|| {
        let full = Path::new(env!("CARGO_BIN_EXE_chainwright"));
        let small = Path::new(env!("CARGO_TARGET_TMPDIR")).join("agent");
        let written = |path: &Path| path.metadata().and_then(|meta| meta.modified()).ok();
        if written(&small) <= written(full) {
            // Test programs may run side by side: nobody may see half a file.
            let new = small.with_extension(std::process::id().to_string());
            let status = Command::new("strip").arg("-o").arg(&new).arg(full).status().expect("strip, of binutils");
            assert!(status.success(), "cannot strip {}", full.display());
            std::fs::rename(&new, &small).expect("a new agent takes the place of the old");
        }
        small
    })
}
