//! Atomic files: the new content is complete, checked and has its owner and mode before it takes the old one's place.

use super::checksum::hex;
use super::read::trouble;
use super::{System, Writer};
use crate::base::Failure;
use crate::base::failure::Result;
use rustix::fs::{CWD, Gid, Mode, RenameFlags, Uid};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Mode and owner that something new gets. What is `None` is taken from what it replaces, else it is the system's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traits {
    /// Permission bits, up to 0o7777.
    pub mode: Option<u32>,
    /// The owner.
    pub uid: Option<u32>,
    /// The group.
    pub gid: Option<u32>,
}

impl Traits {
    /// These permission bits, and nothing else.
    pub fn mode(mode: u32) -> Self {
        Self { mode: Some(mode), ..Self::default() }
    }
}

/// A complete new file beside the one that it will replace. Dropped without [`commit`](Self::commit) it is removed.
#[derive(Debug)]
pub struct Staged {
    /// As the host's programs name it.
    path: PathBuf,
    target: PathBuf,
    real: Option<PathBuf>,
    real_target: PathBuf,
}

impl Staged {
    /// Where the new content is, for a program that validates it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in the place of the old file. Other programs see the old content or the new, never a mixture; after a
    /// power cut a next run finds and mends what did not reach the disk.
    pub fn commit(mut self) -> Result<()> {
        let real = self.real.take().unwrap_or_default();
        fs::rename(&real, &self.real_target).map_err(|error| {
            let _ = fs::remove_file(&real);
            trouble(&self.target, "replace", &error)
        })
    }

    /// As [`commit`](Self::commit), and the content and the folder's entry are on the disk when this returns: for what
    /// cannot be made again, such as a key.
    pub fn commit_durably(self) -> Result<()> {
        let (target, parent) = (self.target.clone(), self.real_target.parent().map(File::open));
        if let Some(real) = &self.real {
            File::open(real).and_then(|file| file.sync_all()).map_err(|error| trouble(&target, "write", &error))?;
        }
        self.commit()?;
        // Some file systems cannot sync a folder; then the rename is as safe as they make it.
        if let Some(Ok(folder)) = parent {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Staged {
    /// As [`commit`](Self::commit); a file that cannot be replaced at once, since it is a mount point, is written over:
    /// then a failure in the middle leaves it broken.
    pub fn commit_or_overwrite(mut self) -> Result<()> {
        let real = self.real.take().unwrap_or_default();
        let done = match fs::rename(&real, &self.real_target) {
            Err(error) if matches!(error.kind(), ErrorKind::ResourceBusy | ErrorKind::CrossesDevices) => {
                fs::copy(&real, &self.real_target).and_then(|_| fs::remove_file(&real))
            }
            done => done,
        };
        done.map_err(|error| {
            let _ = fs::remove_file(&real);
            trouble(&self.target, "replace", &error)
        })
    }
}

impl Staged {
    /// As [`commit_durably`](Self::commit_durably), but nothing is ever replaced: if something is there, even if it came
    /// a moment ago, that stays and this fails.
    pub fn commit_new(mut self) -> Result<()> {
        let real = self.real.take().unwrap_or_default();
        let committed = File::open(&real).and_then(|file| file.sync_all()).and_then(|()| {
            match rustix::fs::renameat_with(CWD, &real, CWD, &self.real_target, RenameFlags::NOREPLACE) {
                // Some network file systems cannot; a second name is never made over another one, either.
                Err(Errno::INVAL | Errno::NOSYS) => {
                    fs::hard_link(&real, &self.real_target).and_then(|()| fs::remove_file(&real))
                }
                done => Ok(done?),
            }
        });
        committed.map_err(|error| {
            let _ = fs::remove_file(&real);
            trouble(&self.target, "make it", &error)
        })?;
        if let Some(Ok(folder)) = self.real_target.parent().map(File::open) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(real) = self.real.take() {
            let _ = fs::remove_file(real);
        }
    }
}

impl Writer {
    /// Makes `path` hold `bytes`, at once or not at all: whatever fails, the old file stays as it is. A link at `path`
    /// is replaced, not followed. It is on the disk when this returns.
    pub fn write(&self, path: &Path, bytes: &[u8], traits: Traits) -> Result<()> {
        self.stage(path, &mut &*bytes, None, traits)?.commit_durably()
    }

    /// As [`write`](Self::write), for a file that must not exist yet: nothing is ever replaced.
    pub fn write_new(&self, path: &Path, bytes: &[u8], traits: Traits) -> Result<()> {
        self.stage(path, &mut &*bytes, None, traits)?.commit_new()
    }

    /// Writes what `source` gives into a temporary file beside `path` and gives it its traits. With `sha256` (lower-case
    /// hex) the content must be that.
    pub fn stage(&self, path: &Path, source: &mut dyn Read, sha256: Option<&str>, traits: Traits) -> Result<Staged> {
        let system = self.system();
        let folder = path.parent().unwrap_or(Path::new("/"));
        let mut last = ErrorKind::AlreadyExists.into();
        for _ in 0..8 {
            let temporary = folder.join(temporary_name()?);
            let real = system.locate(&temporary);
            // Nobody else may read it before it has its owner and mode.
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&real) {
                Ok(file) => {
                    let staged = Staged {
                        path: temporary,
                        target: path.to_owned(),
                        real: Some(real),
                        real_target: system.locate(path),
                    };
                    fill(system, path, file, source, sha256, traits)?;
                    return Ok(staged);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(trouble(path, "write", &error)),
            }
        }
        Err(trouble(path, "write", &last))
    }
}

fn fill(
    system: &System,
    path: &Path,
    mut file: File,
    source: &mut dyn Read,
    sha256: Option<&str>,
    traits: Traits,
) -> Result<()> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::new(format!("{}: cannot get its new content: {error}", path.display()))),
        };
        if system.cancelled.load(Ordering::Relaxed) {
            return Err(Failure::new(format!("{}: not written: the task was cancelled", path.display())));
        }
        if sha256.is_some() {
            digest.update(&buffer[..count]);
        }
        file.write_all(&buffer[..count]).map_err(|error| trouble(path, "write", &error))?;
    }
    if let Some(wanted) = sha256 {
        let found = hex(&digest.finalize());
        if found != wanted {
            return Err(Failure::new(format!(
                "{}: not written: its new content has sha256 {found}, expected {wanted}",
                path.display()
            )));
        }
    }
    let old = system.meta(path)?.filter(|old| !old.is_link());
    let mode = traits.mode.or(old.as_ref().map(|old| old.mode)).unwrap_or(0o666 & !system.umask());
    // A user who is not root cannot give a file away; keeping the old owner is then left undone, as it always was.
    let keep = old.as_ref().filter(|_| rustix::process::geteuid().is_root());
    let uid = traits.uid.or(keep.map(|old| old.uid));
    let gid = traits.gid.or(keep.map(|old| old.gid));
    let finish = || -> io::Result<()> {
        if uid.is_some() || gid.is_some() {
            rustix::fs::fchown(&file, uid.map(Uid::from_raw), gid.map(Gid::from_raw))?;
        }
        // After the owner, since changing the owner clears set-uid and set-gid.
        Ok(rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?)
    };
    finish().map_err(|error| trouble(path, "write", &error))
}

/// Short, whatever the target's name: that may already be as long as a name can be.
pub(super) fn temporary_name() -> Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| Failure::new(format!("the host gives no random numbers: {error}")))?;
    Ok(format!(".chainwright-{}", hex(&random)))
}

impl System {
    /// The bits that new files and folders do not get (`man 2 umask`).
    pub fn umask(&self) -> u32 {
        // Asking the kernel the usual way would change it for the other threads.
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        line.and_then(|text| u32::from_str_radix(text.trim(), 8).ok()).unwrap_or(0o022)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::host;
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn names(root: &Path) -> Vec<String> {
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_replaced_file_keeps_its_mode_unless_told_otherwise() {
        let (root, system) = host();
        let (path, real) = (Path::new("/f"), root.path().join("f"));
        system.writer().write(path, b"one", Traits::mode(0o640)).unwrap();
        system.writer().write(path, b"two", Traits::default()).unwrap();
        assert_eq!(fs::metadata(&real).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read(&real).unwrap(), b"two");
        system.writer().write(path, b"two", Traits::mode(0o4750)).unwrap();
        assert_eq!(fs::metadata(&real).unwrap().mode() & 0o7777, 0o4750);
        assert_eq!(names(root.path()), ["f"]);
    }

    #[test]
    fn a_source_that_breaks_leaves_the_old_file_and_no_litter() {
        struct Broken(bool);
        impl Read for Broken {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::Error::other("the connection is gone"));
                }
                buffer[0] = b'x';
                Ok(1)
            }
        }
        let (root, system) = host();
        fs::write(root.path().join("f"), "old").unwrap();
        let failure = system.writer().stage(Path::new("/f"), &mut Broken(false), None, Traits::default()).unwrap_err();
        assert_eq!(failure.message, "/f: cannot get its new content: the connection is gone");
        assert_eq!(fs::read(root.path().join("f")).unwrap(), b"old");
        assert_eq!(names(root.path()), ["f"]);
    }

    #[test]
    fn a_new_file_never_replaces_another() {
        let (root, system) = host();
        let path = Path::new("/key");
        system.writer().write_new(path, b"one", Traits::mode(0o600)).unwrap();
        let failure = system.writer().write_new(path, b"two", Traits::mode(0o644)).unwrap_err();
        assert_eq!(failure.message, "/key: cannot make it: it exists already");
        assert_eq!(fs::read(root.path().join("key")).unwrap(), b"one");
        assert_eq!(fs::metadata(root.path().join("key")).unwrap().mode() & 0o7777, 0o600);
        symlink("nowhere", root.path().join("link")).unwrap();
        assert!(system.writer().write_new(Path::new("/link"), b"x", Traits::default()).is_err());
        let mut names = names(root.path());
        names.sort();
        assert_eq!(names, ["key", "link"]);
    }

    #[test]
    fn a_wrong_sha256_is_refused() {
        let (root, system) = host();
        let wrong = "0".repeat(64);
        let staged = system.writer().stage(Path::new("/f"), &mut &b"abc"[..], Some(&wrong), Traits::default());
        assert!(staged.unwrap_err().message.contains("ba7816bf8f01cfea"));
        assert!(names(root.path()).is_empty());
    }

    #[test]
    fn a_staged_file_that_is_not_wanted_vanishes() {
        let (root, system) = host();
        let staged = system.writer().stage(Path::new("/f"), &mut &b"abc"[..], None, Traits::default()).unwrap();
        assert_eq!(system.read(staged.path()).unwrap(), b"abc");
        assert_eq!(fs::metadata(system.locate(staged.path())).unwrap().permissions().mode() & 0o777, 0o644);
        drop(staged);
        assert!(names(root.path()).is_empty());
    }

    #[test]
    fn a_link_is_replaced_and_its_target_untouched() {
        let (root, system) = host();
        fs::write(root.path().join("target"), "t").unwrap();
        symlink("target", root.path().join("link")).unwrap();
        system.writer().write(Path::new("/link"), b"new", Traits::default()).unwrap();
        assert_eq!(fs::read(root.path().join("target")).unwrap(), b"t");
        assert!(!root.path().join("link").is_symlink());
    }

    #[test]
    fn a_full_disk_leaves_the_old_file() {
        if !rustix::process::geteuid().is_root() {
            return; // Only root can mount a small file system; the lab's hosts repeat this story.
        }
        let (root, system) = host();
        let disk = root.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
            .arg(&disk)
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            return; // A container without the right to mount.
        }
        fs::write(disk.join("f"), "old").unwrap();
        let result = system.writer().write(Path::new("/disk/f"), &vec![7; 1 << 20], Traits::default());
        let (kept, listed) = (fs::read(disk.join("f")).unwrap(), names(&disk));
        std::process::Command::new("umount").arg(&disk).status().unwrap();
        let failure = result.unwrap_err();
        assert_eq!(failure.message, "/disk/f: cannot write: no space left on the disk");
        assert!(failure.help.unwrap().contains("df -h"));
        assert_eq!((kept, listed), (b"old".to_vec(), vec!["f".to_owned()]));
    }
}
