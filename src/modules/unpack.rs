//! What `unarchive` asks of the host's `tar` and `unzip`, and how their answers are read.

use super::Result;
use crate::base::Failure;
use crate::system::{Command, Ended, System, Writer};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// The kind of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Plain, or compressed with what this names.
    Tar(&'static str),
    /// For `unzip`.
    Zip,
}

impl Kind {
    /// Looks at how the file begins. Magic numbers as in `file`'s database.
    pub fn of(system: &System, path: &Path) -> Result<Self> {
        let mut start = Vec::new();
        let read = system.open(path)?.take(512).read_to_end(&mut start);
        read.map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        let kinds: [(&[u8], Self); 6] = [
            (b"PK\x03\x04", Self::Zip),
            (b"PK\x05\x06", Self::Zip),
            (b"\x1f\x8b", Self::Tar("Tgz")),
            (b"BZh", Self::Tar("TarBzip")),
            (b"\xfd7zXZ\0", Self::Tar("TarXz")),
            (b"\x28\xb5\x2f\xfd", Self::Tar("TarZstd")),
        ];
        if let Some((_, kind)) = kinds.into_iter().find(|(magic, _)| start.starts_with(magic)) {
            return Ok(kind);
        }
        if start.get(257..262) == Some(b"ustar") {
            return Ok(Self::Tar("Tar"));
        }
        Err(Failure::new(format!("{}: it is neither a tar nor a zip archive", path.display())))
    }

    /// What Ansible calls it.
    pub fn handler(self) -> String {
        match self {
            Self::Tar(name) => format!("{name}Archive"),
            Self::Zip => "ZipArchive".into(),
        }
    }
}

/// An archive and the folder that it belongs into; both as the host's programs name them.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    pub kind: Kind,
    pub file: String,
    pub dest: String,
    pub include: &'a [String],
    pub exclude: &'a [String],
    pub extra: &'a [String],
    pub keep_newer: bool,
    /// Whether the task itself says mode, owner and group: then the archive's do not count.
    pub ours: [bool; 3],
}

impl Archive<'_> {
    /// The paths of all members below the folder.
    pub fn members(&self, system: &System) -> Result<Vec<String>> {
        if self.kind == Kind::Zip {
            return Ok(below(self.entries(system)?.keys().map(String::as_str)));
        }
        // `--show-transformed` makes `--strip-components` count.
        let ended = self.tar(system, &["--list", "--show-transformed-names", "--quoting-style=literal"])?;
        good(&ended, &self.file)?;
        Ok(below(ended.stdout.lines()))
    }

    /// What is not as in the archive, one line each.
    pub fn differing(&self, system: &System) -> Result<Vec<String>> {
        if self.kind == Kind::Zip {
            return self.zip_differing(system);
        }
        let ended = self.tar(system, &["--compare"])?;
        if ended.code > 1 && !ended.stderr.contains("Cannot stat") && !ended.stdout.contains("differ") {
            good(&ended, &self.file)?;
        }
        let root = rustix::process::geteuid().is_root();
        let [mode, owner, group] = self.ours;
        let counts = |line: &&str| {
            !((mode && line.ends_with(": Mode differs"))
                || ((owner || !root) && line.ends_with(": Uid differs"))
                || ((group || !root) && line.ends_with(": Gid differs"))
                || line.contains("Exiting with failure status")
                // A folder of which `--strip-components` leaves nothing.
                || line.starts_with("tar: : ")
                || line.contains("Removing leading"))
        };
        let lines = ended.stdout.lines().chain(ended.stderr.lines()).map(str::trim);
        Ok(lines.filter(|line| !line.is_empty()).filter(counts).map(str::to_owned).collect())
    }

    /// Size and CRC-32 of each file in a zip archive; folders have none.
    fn entries(&self, system: &System) -> Result<BTreeMap<String, Option<(u64, u32)>>> {
        let mut argv = vec!["unzip".to_owned(), "-v".into(), self.file.clone()];
        argv.extend_from_slice(self.include);
        if !self.exclude.is_empty() {
            argv.push("-x".into());
            argv.extend_from_slice(self.exclude);
        }
        let ended = run(system, argv)?;
        good(&ended, &self.file)?;
        let mut entries = BTreeMap::new();
        // Columns: length, method, size, ratio, date, time, CRC-32, name.
        for line in ended.stdout.lines() {
            let mut fields = line.split_whitespace();
            let (Some(length), Some(crc)) = (fields.next(), fields.nth(5)) else { continue };
            let (Ok(length), Ok(crc)) = (length.parse(), u32::from_str_radix(crc, 16)) else { continue };
            let Some((_, name)) = line.split_once(&format!(" {crc:08x}  ")) else { continue };
            entries.insert(name.to_owned(), (!name.ends_with('/')).then_some((length, crc)));
        }
        Ok(entries)
    }

    fn zip_differing(&self, system: &System) -> Result<Vec<String>> {
        let below = System::new(&self.dest);
        let mut differing = Vec::new();
        for (name, wanted) in self.entries(system)? {
            let path = Path::new("/").join(&name);
            let same = match (wanted, below.meta(&path)?) {
                (None, Some(meta)) => meta.is_folder(),
                (Some((size, crc)), Some(meta)) => meta.is_file() && meta.size == size && crc32(&below, &path)? == crc,
                (_, None) => false,
            };
            if !same {
                differing.push(name);
            }
        }
        Ok(differing)
    }

    /// Unpacks it.
    pub fn extract(&self, writer: &Writer) -> Result<()> {
        let ended = if self.kind == Kind::Zip {
            let mut argv = vec!["unzip".to_owned(), if self.keep_newer { "-u" } else { "-o" }.into()];
            argv.extend(["-q".into()]);
            argv.extend_from_slice(self.extra);
            argv.push(self.file.clone());
            argv.extend_from_slice(self.include);
            if !self.exclude.is_empty() {
                argv.push("-x".into());
                argv.extend_from_slice(self.exclude);
            }
            argv.extend(["-d".into(), self.dest.clone()]);
            run(writer.system(), argv)?
        } else {
            let mut options = vec!["--extract"];
            if rustix::process::geteuid().is_root() {
                options.push("--preserve-permissions");
            }
            if self.keep_newer {
                options.push("--keep-newer-files");
            }
            self.tar(writer.system(), &options)?
        };
        good(&ended, &self.file)
    }

    fn tar(&self, system: &System, options: &[&str]) -> Result<Ended> {
        let mut argv = vec!["tar".to_owned()];
        argv.extend(options.iter().map(|option| (*option).to_owned()));
        argv.extend(["-C".into(), self.dest.clone()]);
        argv.extend_from_slice(self.extra);
        argv.extend(self.exclude.iter().map(|name| format!("--exclude={name}")));
        argv.extend(["-f".into(), self.file.clone()]);
        if !self.include.is_empty() {
            argv.push("--".into());
            argv.extend_from_slice(self.include);
        }
        run(system, argv)
    }
}

/// Sorted names as they are below the folder: `tar` and `unzip` unpack nothing above it either.
fn below<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let names = names.map(|name| name.trim_start_matches("./").trim_start_matches('/'));
    let inside = |name: &&str| !name.is_empty() && !name.split('/').any(|part| part == "..");
    let mut names: Vec<String> = names.filter(inside).map(str::to_owned).collect();
    names.sort();
    names
}

fn run(system: &System, argv: Vec<String>) -> Result<Ended> {
    let program = argv[0].clone();
    // Their answers are read, so they must not be translated.
    let environment = BTreeMap::from([("LC_ALL".to_owned(), "C".to_owned())]);
    system.run(&Command { argv, environment, ..Command::default() }).map_err(|failure| {
        if failure.message.contains("no such program") {
            failure.help(format!("install `{program}` on the host in an earlier task"))
        } else {
            failure
        }
    })
}

fn good(ended: &Ended, file: &str) -> Result<()> {
    if ended.code == 0 {
        return Ok(());
    }
    let said =
        [ended.stderr.trim(), ended.stdout.trim()].into_iter().find(|text| !text.is_empty()).unwrap_or("nothing");
    Err(Failure::new(format!("{file}: cannot be unpacked: {said}")).with("rc", ended.code))
}

fn crc32(system: &System, path: &Path) -> Result<u32> {
    let mut crc = flate2::Crc::new();
    let mut file = system.open(path)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(crc.sum()),
            Ok(count) => crc.update(&buffer[..count]),
            Err(error) => return Err(Failure::new(format!("{}: {error}", path.display()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_member_leads_out_of_the_folder() {
        let names = ["./", "./a", "/etc/passwd", "../x", "a/../../y", "/", "b/"];
        assert_eq!(below(names.into_iter()), ["a", "b/", "etc/passwd"]);
    }
}
