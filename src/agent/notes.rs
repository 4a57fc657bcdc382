//! Pending handlers, noted on the host itself: a run may die between a change and the handler that the change notified, and
//! the next one, perhaps from another controller, finds what was changed in order. So the note is on the disk before the
//! change is made, and goes when the handler has run.
//!
//! One small JSON file a handler, mode 0600, in the agent's user's own `~/.local/state/chainwright/pending` (`XDG_STATE_HOME`
//! counts), or below `/var/tmp/chainwright-state-UID` if there is no home. The folder is there only while something is pending.

use super::protocol::Note;
use crate::base::failure::Result;
use crate::system::{System, Traits};
use alloy_primitives::hex::encode as hex;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The notes of one host and user.
pub struct Notes {
    system: System,
    /// The first in which a file can be made takes them.
    folders: Vec<PathBuf>,
}

impl Notes {
    /// Those of the user as whom this process runs.
    pub fn own(system: &System) -> Self {
        let state = system.variable("XDG_STATE_HOME").filter(|folder| folder.starts_with('/')).map(PathBuf::from);
        let state = state.or_else(|| system.home().ok().map(|home| home.join(".local/state")));
        let user = rustix::process::geteuid().as_raw();
        let public = PathBuf::from(format!("/var/tmp/chainwright-state-{user}"));
        let folders = state.map(|state| state.join("chainwright")).into_iter().chain([public]);
        Self { system: system.clone(), folders: folders.map(|folder| folder.join("pending")).collect() }
    }

    /// What is pending. A note that cannot be read is passed over: there is nobody to tell.
    pub fn all(&self) -> Vec<Note> {
        let folders = self.folders.iter().filter(|folder| self.is_ours(folder));
        let files = folders.filter_map(|folder| self.system.list(folder).ok()).flatten();
        files.filter_map(|file| serde_json::from_slice(&self.system.read(&file).ok()?).ok()).collect()
    }

    /// Notes what is not noted yet; it is on the disk when this returns.
    pub fn add(&self, notes: &[Note]) -> Result<()> {
        for note in notes {
            let name = name(note);
            if self
                .folders
                .iter()
                .any(|folder| self.is_ours(folder) && self.system.exists(&folder.join(&name)) == Ok(true))
            {
                continue;
            }
            let mut written = Ok(());
            for folder in &self.folders {
                written = self.write(folder, &name, note);
                if written.is_ok() {
                    break;
                }
            }
            written?;
        }
        Ok(())
    }

    /// Forgets notes; one that is not there is no mistake.
    pub fn drop(&self, notes: &[Note]) {
        for (folder, note) in self.folders.iter().flat_map(|folder| notes.iter().map(move |note| (folder, note))) {
            if self.is_ours(folder) && self.system.writer().remove(&folder.join(name(note))).is_ok() {
                // The last one takes the folder along.
                let _ = self.system.writer().remove_empty(folder);
            }
        }
    }

    fn write(&self, folder: &Path, name: &str, note: &Note) -> Result<()> {
        let writer = self.system.writer();
        writer.folders(folder, Traits::mode(0o700))?;
        if !self.is_ours(folder) {
            return Err(crate::base::Failure::new(format!("{} belongs to somebody else", folder.display())));
        }
        let text = serde_json::to_vec(note).map_err(|error| crate::base::Failure::new(error.to_string()))?;
        writer.write(&folder.join(name), &text, Traits::mode(0o600))
    }

    /// Nobody else may have made it, or could put notes there.
    fn is_ours(&self, folder: &Path) -> bool {
        let user = rustix::process::geteuid().as_raw();
        let meta = self.system.meta(folder).ok().flatten();
        meta.is_some_and(|meta| meta.is_folder() && meta.uid == user && meta.mode & 0o022 == 0)
    }
}

/// A handler's file: the same for every run.
fn name(note: &Note) -> String {
    let Note { host, playbook, play, handler, run: _ } = note;
    let parts = serde_json::json!([host, playbook, play, handler]).to_string();
    format!("{}.json", &hex(Sha256::digest(parts))[..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(handler: &str, run: &str) -> Note {
        let text = str::to_owned;
        Note { host: text("a"), playbook: text("site.yml"), play: text("Web"), handler: text(handler), run: text(run) }
    }

    fn notes(root: &Path) -> Notes {
        std::fs::create_dir_all(root.join("home")).unwrap();
        Notes { system: System::new(root), folders: vec!["/home/pending".into(), "/spare/pending".into()] }
    }

    #[test]
    fn a_note_outlives_its_agent_and_its_folder_goes_with_the_last() {
        let root = tempfile::tempdir().unwrap();
        notes(root.path()).add(&[note("Reload", "1"), note("Restart", "1")]).unwrap();
        let later = notes(root.path());
        assert_eq!(later.all().len(), 2);
        later.drop(&[note("Reload", "2"), note("Restart", "2"), note("Unknown", "2")]);
        assert_eq!(later.all(), []);
        assert!(!root.path().join("home/pending").exists());
    }

    #[test]
    fn what_an_earlier_run_noted_stays_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        let notes = notes(root.path());
        notes.add(&[note("Reload", "1")]).unwrap();
        notes.add(&[note("Reload", "2")]).unwrap();
        assert_eq!(notes.all(), [note("Reload", "1")]);
    }

    #[test]
    fn without_a_home_they_are_kept_elsewhere() {
        let root = tempfile::tempdir().unwrap();
        let notes = notes(root.path());
        std::fs::write(root.path().join("home/pending"), "in the way").unwrap();
        notes.add(&[note("Reload", "1")]).unwrap();
        assert_eq!(notes.all(), [note("Reload", "1")]);
        assert!(root.path().join("spare/pending").exists());
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_not_believed() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let notes = notes(root.path());
        notes.add(&[note("Reload", "1")]).unwrap();
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(root.path().join("home/pending"), open).unwrap();
        assert_eq!(notes.all(), []);
    }
}
