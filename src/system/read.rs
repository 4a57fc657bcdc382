//! Reading files and folders of the host.

use super::System;
use crate::base::Failure;
use crate::base::failure::Result;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Folder,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Pipe,
    /// A Unix socket.
    Socket,
    /// A block device.
    Block,
    /// A character device.
    Char,
}

impl Kind {
    /// The word that Ansible's `state` has for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "directory",
            Self::Link => "link",
            Self::Pipe => "fifo",
            Self::Socket => "socket",
            Self::Block => "block device",
            Self::Char => "character device",
        }
    }
}

/// What is known of a path without opening it. Times are nanoseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// What it is.
    pub kind: Kind,
    /// The permission bits, up to 0o7777.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// In bytes.
    pub size: u64,
    /// Number of hard links.
    pub links: u64,
    /// Inode number.
    pub inode: u64,
    /// The device on which it lies.
    pub device: u64,
    /// The device that it is, for device files.
    pub special: u64,
    /// Blocks of 512 bytes in use.
    pub blocks: u64,
    /// Preferred size of reads and writes.
    pub block_size: u64,
    /// Last read.
    pub accessed: i64,
    /// Last change of the content.
    pub modified: i64,
    /// Last change of content or attributes.
    pub changed: i64,
}

impl Meta {
    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// Whether it is a directory.
    pub fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }

    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.kind == Kind::Link
    }
}

impl From<Metadata> for Meta {
    fn from(meta: Metadata) -> Self {
        let kind = match meta.file_type() {
            kind if kind.is_dir() => Kind::Folder,
            kind if kind.is_symlink() => Kind::Link,
            kind if kind.is_fifo() => Kind::Pipe,
            kind if kind.is_socket() => Kind::Socket,
            kind if kind.is_block_device() => Kind::Block,
            kind if kind.is_char_device() => Kind::Char,
            _ => Kind::File,
        };
        let nanos = |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
        Self {
            kind,
            mode: meta.mode() & 0o7777,
            uid: meta.uid(),
            gid: meta.gid(),
            size: meta.size(),
            links: meta.nlink(),
            inode: meta.ino(),
            device: meta.dev(),
            special: meta.rdev(),
            blocks: meta.blocks(),
            block_size: meta.blksize(),
            accessed: nanos(meta.atime(), meta.atime_nsec()),
            modified: nanos(meta.mtime(), meta.mtime_nsec()),
            changed: nanos(meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// The system's number for "too many levels of symbolic links".
const LOOP: i32 = rustix::io::Errno::LOOP.raw_os_error();

/// A failure that names the path and the reason in plain words: `/etc/x: cannot write: no space left on the disk`.
pub(super) fn trouble(path: &Path, deed: &str, error: &io::Error) -> Failure {
    let (reason, help) = match error.kind() {
        ErrorKind::NotFound => ("no such file or folder".to_owned(), None),
        ErrorKind::PermissionDenied => {
            ("permission denied".to_owned(), Some("does the task need `become: true`?".to_owned()))
        }
        ErrorKind::StorageFull => (
            "no space left on the disk".to_owned(),
            Some("make room there (`df -h` shows which disk is full)".to_owned()),
        ),
        ErrorKind::QuotaExceeded => ("the user's disk quota is used up".to_owned(), None),
        ErrorKind::ReadOnlyFilesystem => ("the file system is mounted read-only".to_owned(), None),
        ErrorKind::NotADirectory => ("a part of the path is not a folder".to_owned(), None),
        ErrorKind::IsADirectory => ("it is a folder".to_owned(), None),
        ErrorKind::DirectoryNotEmpty => ("the folder is not empty".to_owned(), None),
        ErrorKind::AlreadyExists => ("it exists already".to_owned(), None),
        ErrorKind::CrossesDevices => ("the two paths are on different file systems".to_owned(), None),
        ErrorKind::ExecutableFileBusy | ErrorKind::ResourceBusy => ("it is in use".to_owned(), None),
        ErrorKind::InvalidFilename => ("the name is too long, or not a file name".to_owned(), None),
        ErrorKind::TooManyLinks => ("it has too many hard links".to_owned(), None),
        _ if error.raw_os_error() == Some(LOOP) => ("symbolic links lead in a circle".to_owned(), None),
        _ => (error.to_string(), None),
    };
    let failure = Failure::new(format!("{}: cannot {deed}: {reason}", path.display()));
    match help {
        Some(help) => failure.help(help),
        None => failure,
    }
}

/// `None` where nothing is.
fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

impl System {
    /// What the path itself is, a link not followed. `None`: nothing is there.
    pub fn meta(&self, path: &Path) -> Result<Option<Meta>> {
        if_there(fs::symlink_metadata(self.locate(path)))
            .map(|meta| meta.map(Meta::from))
            .map_err(|error| trouble(path, "look at it", &error))
    }

    /// What the path leads to, links followed. `None`: nothing is there, or a link leads nowhere.
    pub fn meta_followed(&self, path: &Path) -> Result<Option<Meta>> {
        if_there(self.followed(path).and_then(fs::symlink_metadata))
            .map(|meta| meta.map(Meta::from))
            .map_err(|error| trouble(path, "look at it", &error))
    }

    /// Whether the path leads to something, links followed.
    pub fn exists(&self, path: &Path) -> Result<bool> {
        Ok(self.meta_followed(path)?.is_some())
    }

    /// Whether the path is a folder, or a link to one.
    pub fn is_folder(&self, path: &Path) -> Result<bool> {
        Ok(self.meta_followed(path)?.is_some_and(|meta| meta.is_folder()))
    }

    /// The path without links in it; its last parts need not exist.
    pub fn resolve(&self, path: &Path) -> Result<PathBuf> {
        self.walk_links(path).map_err(|error| trouble(path, "follow it", &error))
    }

    /// The real place that a path leads to. Below `/` the kernel follows links; below another root they must not lead out.
    fn followed(&self, path: &Path) -> io::Result<PathBuf> {
        if self.is_host() {
            return fs::canonicalize(self.locate(path));
        }
        self.walk_links(path).map(|path| self.locate(&path))
    }

    fn walk_links(&self, path: &Path) -> io::Result<PathBuf> {
        let mut done = PathBuf::from("/");
        let mut rest: Vec<PathBuf> = path.components().rev().map(|part| PathBuf::from(part.as_os_str())).collect();
        let mut links = 0;
        while let Some(part) = rest.pop() {
            match part.components().next() {
                Some(Component::RootDir) => done = PathBuf::from("/"),
                Some(Component::ParentDir) => {
                    done.pop();
                }
                Some(Component::Normal(name)) => {
                    let next = done.join(name);
                    match fs::read_link(self.locate(&next)) {
                        Ok(target) => {
                            links += 1;
                            if links > 40 {
                                return Err(io::Error::from_raw_os_error(LOOP));
                            }
                            rest.extend(target.components().rev().map(|part| PathBuf::from(part.as_os_str())));
                        }
                        // What is no link, or not there yet, is taken as it is.
                        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(error),
                        Err(_) => done = next,
                    }
                }
                _ => {}
            }
        }
        Ok(done)
    }

    /// Opens a file to read it in pieces, links followed.
    pub fn open(&self, path: &Path) -> Result<File> {
        // The kernel opens pipes (`/dev/fd/63`) that have no other name.
        let real = if self.is_host() { Ok(self.locate(path)) } else { self.followed(path) };
        real.and_then(File::open)
            .and_then(|file| if file.metadata()?.is_dir() { Err(ErrorKind::IsADirectory.into()) } else { Ok(file) })
            .map_err(|error| trouble(path, "read", &error))
    }

    /// The whole content of a file, links followed.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path)?.read_to_end(&mut bytes).map_err(|error| trouble(path, "read", &error))?;
        Ok(bytes)
    }

    /// The whole content of a file that may be missing.
    pub fn read_if_there(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        if self.exists(path)? { self.read(path).map(Some) } else { Ok(None) }
    }

    /// The content of a text file.
    pub fn read_text(&self, path: &Path) -> Result<String> {
        String::from_utf8(self.read(path)?)
            .map_err(|_| Failure::new(format!("{}: cannot read: it is not UTF-8 text", path.display())))
    }

    /// The content of a text file that may be missing.
    pub fn read_text_if_there(&self, path: &Path) -> Result<Option<String>> {
        if self.exists(path)? { self.read_text(path).map(Some) } else { Ok(None) }
    }

    /// What a link says, as it was written.
    pub fn read_link(&self, path: &Path) -> Result<PathBuf> {
        fs::read_link(self.locate(path)).map_err(|error| trouble(path, "read the link", &error))
    }

    /// The entries of a folder as full paths, sorted by name.
    pub fn list(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let entries = self.followed(folder).and_then(fs::read_dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(|error| trouble(folder, "list", &error))?;
        let mut paths: Vec<PathBuf> = entries.iter().map(|entry| folder.join(entry.file_name())).collect();
        paths.sort();
        Ok(paths)
    }

    /// Everything below a folder, itself excluded: a folder comes before its entries. Links are not followed. What
    /// vanishes meanwhile is left out.
    pub fn walk(&self, folder: &Path) -> Result<Vec<(PathBuf, Meta)>> {
        let mut found = Vec::new();
        let mut open = vec![self.list(folder)?.into_iter()];
        while let Some(entries) = open.last_mut() {
            let Some(path) = entries.next() else {
                open.pop();
                continue;
            };
            if let Some(meta) = self.meta(&path)? {
                if meta.is_folder() {
                    open.push(self.list(&path)?.into_iter());
                }
                found.push((path, meta));
            }
        }
        Ok(found)
    }

    /// Whether this process may read (`r`), write (`w`) or execute (`x`) a path.
    pub fn may(&self, path: &Path, right: char) -> bool {
        let access = match right {
            'r' => rustix::fs::Access::READ_OK,
            'w' => rustix::fs::Access::WRITE_OK,
            _ => rustix::fs::Access::EXEC_OK,
        };
        self.followed(path).is_ok_and(|path| rustix::fs::access(path, access).is_ok())
    }

    /// Whether paths are taken below `/` itself and not below a test's folder.
    pub(super) fn is_host(&self) -> bool {
        self.root == Path::new("/")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::host;
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn an_absolute_link_stays_below_the_root() {
        let (root, system) = host();
        fs::create_dir_all(root.path().join("srv/data")).unwrap();
        fs::write(root.path().join("srv/data/key"), "k").unwrap();
        symlink("/srv/data", root.path().join("link")).unwrap();
        symlink("../link/key", root.path().join("srv/second")).unwrap();
        assert_eq!(system.read_text(Path::new("/srv/second")).unwrap(), "k");
        assert_eq!(system.resolve(Path::new("/link/new/file")).unwrap(), Path::new("/srv/data/new/file"));
        assert!(system.meta(Path::new("/link")).unwrap().unwrap().is_link());
        assert!(system.meta_followed(Path::new("/link")).unwrap().unwrap().is_folder());
    }

    #[test]
    fn links_in_a_circle_are_refused_and_a_dangling_one_leads_nowhere() {
        let (root, system) = host();
        symlink("b", root.path().join("a")).unwrap();
        symlink("a", root.path().join("b")).unwrap();
        symlink("/nowhere", root.path().join("dangling")).unwrap();
        assert!(system.read(Path::new("/a")).unwrap_err().message.contains("circle"));
        assert!(!system.exists(Path::new("/dangling")).unwrap());
    }

    #[test]
    fn a_walk_lists_folders_before_their_entries() {
        let (root, system) = host();
        fs::create_dir_all(root.path().join("t/a/b")).unwrap();
        fs::write(root.path().join("t/a/b/f"), "").unwrap();
        fs::write(root.path().join("t/z"), "").unwrap();
        let names: Vec<String> =
            system.walk(Path::new("/t")).unwrap().iter().map(|(path, _)| path.display().to_string()).collect();
        assert_eq!(names, ["/t/a", "/t/a/b", "/t/a/b/f", "/t/z"]);
    }

    #[test]
    fn messages_name_path_and_reason() {
        let (root, system) = host();
        fs::create_dir(root.path().join("d")).unwrap();
        assert_eq!(system.read(Path::new("/no")).unwrap_err().message, "/no: cannot read: no such file or folder");
        assert_eq!(system.read(Path::new("/d")).unwrap_err().message, "/d: cannot read: it is a folder");
        fs::write(root.path().join("bin"), [0xff, 0xfe]).unwrap();
        assert!(system.read_text(Path::new("/bin")).unwrap_err().message.ends_with("not UTF-8 text"));
    }
}
