//! Writing: the effects that modules use inside `Cx::change`. Files with content are written in [`stage`](super::stage).

use super::read::trouble;
use super::stage::temporary_name;
use super::{Kind, System, Traits};
use crate::base::failure::Result;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, Timespec, Timestamps};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, lchown, symlink};
use std::path::Path;

/// The right to change a host.
#[derive(Debug)]
pub struct Writer {
    pub(super) system: System,
}

impl Writer {
    pub(super) fn new(system: System) -> Self {
        Self { system }
    }

    /// The host itself, to read.
    pub fn system(&self) -> &System {
        &self.system
    }

    /// Makes one folder; its parent must exist.
    pub fn folder(&self, path: &Path, traits: Traits) -> Result<()> {
        // Until it has its owner, nobody else may look into it, unless that is the system's default anyway.
        let private = traits.mode.is_some() || traits.uid.is_some() || traits.gid.is_some();
        let result = fs::DirBuilder::new().mode(if private { 0o700 } else { 0o777 }).create(self.system.locate(path));
        result.map_err(|error| trouble(path, "make the folder", &error))?;
        if private {
            let mode = traits.mode.unwrap_or(0o777 & !self.system.umask());
            self.traits(path, Traits { mode: Some(mode), ..traits })?;
        }
        Ok(())
    }

    /// Makes a folder and those above it that are missing; all new ones get the traits.
    pub fn folders(&self, path: &Path, traits: Traits) -> Result<()> {
        if self.system.is_folder(path)? {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.folders(parent, traits)?;
        }
        match self.folder(path, traits) {
            // Somebody else has made it in the meantime.
            Err(_) if self.system.is_folder(path)? => self.traits(path, traits),
            made => made,
        }
    }

    /// Sets owner, group and permission bits, those that are given, of something that is no link.
    pub fn traits(&self, path: &Path, traits: Traits) -> Result<()> {
        if traits.uid.is_some() || traits.gid.is_some() {
            self.owner(path, traits.uid, traits.gid)?;
        }
        match traits.mode {
            Some(mode) => self.mode(path, mode),
            None => Ok(()),
        }
    }

    /// Sets the permission bits. A link is refused rather than followed: who owns a folder must not choose what root changes.
    pub fn mode(&self, path: &Path, mode: u32) -> Result<()> {
        let set = || -> io::Result<()> {
            let file = rustix::fs::open(
                self.system.locate(path),
                OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
                Mode::empty(),
            )?;
            if rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode).is_symlink() {
                return Err(io::Error::other("it is a link"));
            }
            rustix::fs::chmod(format!("/proc/self/fd/{}", file.as_raw_fd()), Mode::from_raw_mode(mode))?;
            Ok(())
        };
        set().map_err(|error| trouble(path, "set the mode", &error))
    }

    /// Sets owner and group, of a link itself if it is one.
    pub fn owner(&self, path: &Path, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
        lchown(self.system.locate(path), uid, gid).map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => trouble(path, "give it to another owner", &error),
            _ => trouble(path, "set the owner", &error),
        })
    }

    /// Sets the times of last access and of last change, in nanoseconds since 1970; of a link itself if it is one.
    pub fn times(&self, path: &Path, accessed: Option<i64>, modified: Option<i64>) -> Result<()> {
        let time = |nanos: Option<i64>| match nanos {
            Some(nanos) => {
                Timespec { tv_sec: nanos.div_euclid(1_000_000_000), tv_nsec: nanos.rem_euclid(1_000_000_000) }
            }
            None => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
        };
        let times = Timestamps { last_access: time(accessed), last_modification: time(modified) };
        rustix::fs::utimensat(CWD, self.system.locate(path), &times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| trouble(path, "set the times", &error.into()))
    }

    /// Makes `path` a symbolic link that says `target`, at once; a file or link that is there is replaced, a folder not.
    pub fn symlink(&self, target: &Path, path: &Path) -> Result<()> {
        let temporary = path.with_file_name(temporary_name()?);
        let real = self.system.locate(&temporary);
        let made = symlink(target, &real).and_then(|()| fs::rename(&real, self.system.locate(path)));
        made.map_err(|error| {
            let _ = fs::remove_file(&real);
            trouble(path, "make the link", &error)
        })
    }

    /// Makes `path` another name of the file `target`, at once; a file or link that is there is replaced.
    pub fn hard_link(&self, target: &Path, path: &Path) -> Result<()> {
        let real = self.system.locate(&path.with_file_name(temporary_name()?));
        let made = fs::hard_link(self.system.locate(target), &real)
            .and_then(|()| fs::rename(&real, self.system.locate(path)))
            // Renaming one name of a file onto another does nothing at all, so the temporary one would stay.
            .and_then(|()| fs::remove_file(&real).or(Ok(())));
        made.map_err(|error| {
            let _ = fs::remove_file(&real);
            trouble(path, "make the hard link", &error)
        })
    }

    /// Gives a file or folder another name on the same file system; a file that is there is replaced.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(self.system.locate(from), self.system.locate(to))
            .map_err(|error| trouble(from, &format!("rename it to {}", to.display()), &error))
    }

    /// Returns when a file, or a folder with everything in it, is on the disk, and the entry of the folder that it is in: for what
    /// other programs made and cannot make again.
    pub fn sync(&self, path: &Path) -> Result<()> {
        self.sync_all(path)?;
        // Some file systems cannot sync a folder.
        if let Some(Ok(folder)) = path.parent().map(|folder| fs::File::open(self.system.locate(folder))) {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    fn sync_all(&self, path: &Path) -> Result<()> {
        let Some(meta) = self.system.meta(path)? else { return Ok(()) };
        let open = || fs::File::open(self.system.locate(path));
        match meta.kind {
            Kind::Folder => {
                for entry in self.system.list(path)? {
                    self.sync_all(&entry)?;
                }
                let _ = open().and_then(|folder| folder.sync_all());
            }
            Kind::File => {
                open()
                    .and_then(|file| file.sync_all())
                    .map_err(|error| trouble(path, "write it to the disk", &error))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Removes a file, a link itself, or a folder with everything in it; links in it are not followed. What is not there
    /// is no failure.
    pub fn remove(&self, path: &Path) -> Result<()> {
        let real = self.system.locate(path);
        let removed = match self.system.meta(path)? {
            None => Ok(()),
            Some(meta) if meta.is_folder() => fs::remove_dir_all(real),
            Some(_) => fs::remove_file(real),
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(trouble(path, "remove", &error)),
            _ => Ok(()),
        }
    }

    /// Removes a folder that must be empty.
    pub fn remove_empty(&self, path: &Path) -> Result<()> {
        fs::remove_dir(self.system.locate(path)).map_err(|error| trouble(path, "remove", &error))
    }

    /// Copies one file of the host to another place, at once; what is `None` in `traits` is taken from the source's mode
    /// and from the file that is replaced.
    pub fn copy(&self, from: &Path, to: &Path, traits: Traits) -> Result<()> {
        self.stage(to, &mut self.system.open(from)?, None, traits)?.commit()
    }

    /// Copies a folder with everything in it: modes, owners, times of files and links stay what they are. `to` must not
    /// exist yet, and it does not before all is copied.
    pub fn copy_tree(&self, from: &Path, to: &Path) -> Result<()> {
        let staged = to.with_file_name(temporary_name()?);
        let copied = self.copy_entry(from, &staged).and_then(|()| self.rename(&staged, to));
        if copied.is_err() {
            let _ = self.remove(&staged);
        }
        copied
    }

    fn copy_entry(&self, from: &Path, to: &Path) -> Result<()> {
        let Some(meta) = self.system.meta(from)? else { return Ok(()) };
        let traits = Traits { mode: Some(meta.mode), uid: Some(meta.uid), gid: Some(meta.gid) };
        match meta.kind {
            Kind::Folder => {
                self.folder(to, Traits::mode(0o700))?;
                for entry in self.system.list(from)? {
                    self.copy_entry(&entry, &to.join(entry.file_name().unwrap_or_default()))?;
                }
                self.traits(to, traits)?;
            }
            Kind::Link => {
                self.symlink(&self.system.read_link(from)?, to)?;
                self.owner(to, traits.uid, traits.gid)?;
            }
            Kind::File => self.copy(from, to, traits)?,
            // Sockets and pipes belong to a running process, devices to the machine.
            _ => return Ok(()),
        }
        self.times(to, Some(meta.accessed), Some(meta.modified))
    }

    /// Makes an empty file if nothing is there.
    pub fn touch(&self, path: &Path, traits: Traits) -> Result<()> {
        match self.system.meta(path)? {
            Some(_) => Ok(()),
            None => self.write(path, b"", traits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::host;
    use super::*;
    use std::os::unix::fs::MetadataExt;
    use std::path::PathBuf;

    #[test]
    fn missing_folders_are_made_and_get_their_mode() {
        let (root, system) = host();
        system.writer().folders(Path::new("/a/b"), Traits::mode(0o2750)).unwrap();
        for folder in ["a", "a/b"] {
            assert_eq!(fs::metadata(root.path().join(folder)).unwrap().mode() & 0o7777, 0o2750);
        }
        let failure = system.writer().folder(Path::new("/x/y"), Traits::default()).unwrap_err();
        assert_eq!(failure.message, "/x/y: cannot make the folder: no such file or folder");
    }

    #[test]
    fn two_that_make_the_same_folders_at_once_both_have_them() {
        let (_root, system) = host();
        let make = |number: u32| {
            let path = PathBuf::from(format!("/a{number}/b/c"));
            system.writer().folders(&path, Traits::mode(0o750)).unwrap();
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..200).for_each(make));
            }
        });
    }

    #[test]
    fn removing_a_tree_leaves_what_its_links_point_to() {
        let (root, system) = host();
        fs::create_dir_all(root.path().join("t/sub")).unwrap();
        fs::create_dir(root.path().join("kept")).unwrap();
        fs::write(root.path().join("kept/f"), "").unwrap();
        symlink("../kept", root.path().join("t/link")).unwrap();
        symlink("kept", root.path().join("top")).unwrap();
        system.writer().remove(Path::new("/t")).unwrap();
        system.writer().remove(Path::new("/top")).unwrap();
        system.writer().remove(Path::new("/never-there")).unwrap();
        assert!(root.path().join("kept/f").exists() && !root.path().join("t").exists());
    }

    #[test]
    fn a_mode_is_not_set_through_a_link() {
        let (root, system) = host();
        fs::write(root.path().join("f"), "").unwrap();
        symlink("f", root.path().join("link")).unwrap();
        let before = fs::metadata(root.path().join("f")).unwrap().mode();
        assert!(system.writer().mode(Path::new("/link"), 0o777).unwrap_err().message.contains("link"));
        assert_eq!(fs::metadata(root.path().join("f")).unwrap().mode(), before);
        system.writer().mode(Path::new("/f"), 0o4711).unwrap();
        assert_eq!(fs::metadata(root.path().join("f")).unwrap().mode() & 0o7777, 0o4711);
    }

    #[test]
    fn links_replace_what_is_there_without_litter() {
        let (root, system) = host();
        fs::write(root.path().join("f"), "1").unwrap();
        fs::write(root.path().join("old"), "2").unwrap();
        let writer = system.writer();
        writer.symlink(Path::new("f"), Path::new("/old")).unwrap();
        assert_eq!(system.read_link(Path::new("/old")).unwrap(), PathBuf::from("f"));
        writer.hard_link(Path::new("/f"), Path::new("/hard")).unwrap();
        writer.hard_link(Path::new("/f"), Path::new("/hard")).unwrap();
        assert_eq!(system.meta(Path::new("/f")).unwrap().unwrap().links, 2);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_copied_tree_is_the_same_tree() {
        let (root, system) = host();
        fs::create_dir_all(root.path().join("a/sub")).unwrap();
        fs::write(root.path().join("a/sub/f"), "x").unwrap();
        symlink("sub/f", root.path().join("a/link")).unwrap();
        system.writer().mode(Path::new("/a/sub"), 0o710).unwrap();
        system.writer().times(Path::new("/a/sub/f"), None, Some(1_500_000_000)).unwrap();
        system.writer().copy_tree(Path::new("/a"), Path::new("/b")).unwrap();
        let seen = |top: &str| -> Vec<_> {
            let walked = system.walk(Path::new(top)).unwrap().into_iter();
            walked.map(|(path, meta)| (path.strip_prefix(top).unwrap().to_owned(), meta.mode, meta.modified)).collect()
        };
        assert_eq!(seen("/a"), seen("/b"));
    }
}
