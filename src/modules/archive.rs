//! `archive`: files and folders of a host, packed into one file.

mod tar;
mod zip;

use super::attributes::{Attributes, describe};
use super::loose::{Flag, Text, Words};
use super::{Cx, Module, Reach, Result};
use crate::base::{Diff, Failure, Map, Value};
use crate::system::{Algorithm, Meta, System, Traits, glob};
use flate2::{Compression, GzBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::{Cursor, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Packs files and folders of a host. The same files with the same modes and times are the same bytes, so a second run
/// changes nothing.
///
/// A single file is compressed (`FILE.gz`) unless `force_archive` is set or the format is `tar` or `zip`. Links are kept as
/// links. What cannot be packed (sockets, pipes) is left out.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Archive {
    /// Files and folders, or wildcards for them. A folder that ends with `/` is packed without its own name.
    pub path: Words,
    /// The archive. Needed for several paths; otherwise it lies beside what is packed.
    #[serde(default)]
    pub dest: Option<Text>,
    /// `gz` (a tar archive, compressed), `tar` or `zip`.
    #[serde(default)]
    pub format: Format,
    /// Paths, or wildcards for them, to leave out with all that is below them.
    #[serde(default)]
    pub exclude_path: Words,
    /// Wildcards for names to leave out, wherever they are.
    #[serde(default)]
    pub exclusion_patterns: Words,
    /// Make an archive of a single file, too.
    #[serde(default)]
    pub force_archive: Flag,
    /// Remove what `path` names afterwards: also what was left out of the archive.
    #[serde(default)]
    pub remove: Flag,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub attributes: Attributes,
}

/// How to pack.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Tar, compressed.
    #[default]
    Gz,
    /// Tar.
    Tar,
    /// Zip.
    Zip,
}

/// One entry.
#[derive(Debug)]
pub(super) struct Member {
    /// In the archive.
    pub name: String,
    /// On the host.
    path: PathBuf,
    pub meta: Meta,
}

impl Module for Archive {
    const NAME: &'static str = "archive";
    const ALSO: &'static [&'static str] = &["community.general.archive"];
    const EXAMPLE: &'static str = "\
- archive:
    path: [/srv/aura/docker-compose.yml, /srv/aura/deployment]
    exclude_path: /srv/aura/deployment/chain
    dest: /srv/aura/ours.zip
    format: zip
    mode: \"0400\"";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] = &[("attr", "attributes"), ("exclude", "exclude_path")];
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let sources = self.sources(cx.system)?;
        let dest = self.dest(cx.system, &sources)?;
        let root = root(&sources.wanted);
        let mut output = Map::from_iter([
            ("dest".to_owned(), dest.display().to_string().into()),
            ("arcroot".to_owned(), format!("{}/", root.display().to_string().trim_end_matches('/')).into()),
            ("expanded_paths".to_owned(), texts(&sources.wanted)),
            ("expanded_exclude_paths".to_owned(), texts(&sources.excluded)),
            ("missing".to_owned(), texts(&sources.missing)),
        ]);
        let members = self.members(cx.system, &sources, &root, &dest)?;
        let single = self.is_single(&sources, cx.system)?;
        output.insert(
            "archived".into(),
            members.iter().map(|member| Value::from(member.path.display().to_string())).collect(),
        );
        let state = match (members.is_empty(), single) {
            (true, _) => {
                let there = cx.system.exists(&dest)?;
                output.insert("state".into(), if there { "archive" } else { "absent" }.into());
                return Ok(output);
            }
            _ if !sources.missing.is_empty() => "incomplete",
            (_, true) => "compress",
            _ => "archive",
        };
        self.write(cx, &dest, &members, single)?;
        if self.remove.0 {
            remove(cx, &sources.wanted, &dest)?;
        }
        if !cx.check {
            output.extend(describe(cx.system, &dest)?);
        }
        output.insert("state".into(), state.into());
        output.insert("dest_state".into(), state.into());
        Ok(output)
    }
}

/// What `path` and `exclude_path` stand for on the host.
struct Sources {
    wanted: Vec<PathBuf>,
    missing: Vec<PathBuf>,
    excluded: Vec<PathBuf>,
}

impl Archive {
    fn sources(&self, system: &System) -> Result<Sources> {
        let (wanted, missing) = expand(system, &self.path.0)?;
        let (excluded, _) = expand(system, &self.exclude_path.0)?;
        if wanted.is_empty() && missing.is_empty() {
            return Err(Failure::new("`path` names nothing that is there: there is nothing to pack"));
        }
        Ok(Sources { wanted, missing, excluded })
    }

    /// Whether one file is compressed instead of an archive made.
    fn is_single(&self, sources: &Sources, system: &System) -> Result<bool> {
        let [only] = sources.wanted.as_slice() else { return Ok(false) };
        let file = system.meta(only)?.is_some_and(|meta| meta.is_file());
        Ok(file && self.format == Format::Gz && !self.force_archive.0 && self.path.0.len() == 1)
    }

    fn dest(&self, system: &System, sources: &Sources) -> Result<PathBuf> {
        let dest = match (&self.dest, sources.wanted.iter().chain(&sources.missing).next()) {
            (Some(dest), _) => system.expand(&dest.0)?,
            (None, Some(only)) if sources.wanted.len() + sources.missing.len() == 1 => {
                let ending = match self.format {
                    Format::Zip => "zip",
                    Format::Tar => "tar",
                    Format::Gz if self.is_single(sources, system)? => "gz",
                    Format::Gz => "tar.gz",
                };
                PathBuf::from(format!("{}.{ending}", only.display()))
            }
            _ => {
                return Err(Failure::new("several paths are to be packed, and `dest` does not say where")
                    .help("write `dest: /srv/all.tar.gz`"));
            }
        };
        let Some(folder) = dest.parent().filter(|_| !sources.wanted.is_empty()) else { return Ok(dest) };
        if system.is_folder(&dest)? {
            return Err(
                Failure::new(format!("`dest` {} is a folder", dest.display())).help("write the archive's name, too")
            );
        }
        if !system.is_folder(folder)? {
            return Err(Failure::new(format!("{}: there is no such folder for the archive", folder.display())));
        }
        Ok(dest)
    }

    /// Everything to pack, sorted, each once. A folder's own time, which changes with whatever is made or removed in it, is that of
    /// the newest file that is packed from it.
    fn members(&self, system: &System, sources: &Sources, root: &Path, dest: &Path) -> Result<Vec<Member>> {
        let mut found = Vec::new();
        for path in &sources.wanted {
            if let Some(meta) = system.meta(path)? {
                if meta.is_folder() {
                    found.extend(system.walk(path)?);
                }
                found.push((path.clone(), meta));
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        found.dedup_by(|(one, _), (other, _)| one == other);
        let out = |path: &Path| {
            path == dest
                || sources.excluded.iter().any(|excluded| path.starts_with(excluded))
                || path.strip_prefix(root).is_ok_and(|inside| {
                    inside.iter().any(|name| {
                        let name = name.to_string_lossy();
                        self.exclusion_patterns.0.iter().any(|pattern| glob::fits(pattern, &name))
                    })
                })
        };
        let packable = |meta: &Meta| meta.is_file() || meta.is_folder() || meta.is_link();
        let members = found.into_iter().filter(|(path, meta)| packable(meta) && !out(path)).map(|(path, meta)| {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            Member { name, path, meta }
        });
        let mut members: Vec<Member> = members.filter(|member| !member.name.is_empty()).collect();
        for index in (0..members.len()).filter(|index| members[*index].meta.is_folder()).collect::<Vec<_>>() {
            let inside = members[index..].iter().take_while(|other| other.path.starts_with(&members[index].path));
            let newest = inside.filter(|other| !other.meta.is_folder()).map(|other| other.meta.modified).max();
            members[index].meta.modified = newest.unwrap_or(0);
        }
        Ok(members)
    }

    /// Packs once to see what it would be, and again if that is not what is there.
    fn write(&self, cx: &mut Cx, dest: &Path, members: &[Member], single: bool) -> Result<()> {
        let packing = Packing { system: cx.system, format: self.format, members, single };
        let wanted = packing.read(|source| Algorithm::Sha256.of_reader(source).map_err(broken))?;
        let existing = cx.system.meta(dest)?;
        if existing.as_ref().is_some_and(Meta::is_file) && cx.system.checksum(dest, Algorithm::Sha256)? == wanted {
            return self.attributes.apply(cx, dest);
        }
        let new = self.attributes.for_new(cx, false)?;
        let before = existing.as_ref();
        let traits = Traits {
            mode: new.mode.or(before.map(|meta| meta.mode)),
            uid: new.uid.or(before.map(|meta| meta.uid)),
            gid: new.gid.or(before.map(|meta| meta.gid)),
        };
        let count = members.len();
        let packing = Packing { system: cx.system, format: self.format, members, single };
        cx.change(Diff::action(format!("pack {count} entries into {}", dest.display())), |writer| {
            let staged = packing.read(|source| writer.stage(dest, source, Some(&wanted), traits));
            staged
                .map_err(|failure| failure.help("something wrote to these files meanwhile: stop it first"))?
                .commit()?;
            self.attributes.finish_new(writer, dest)
        })?;
        Ok(())
    }
}

fn remove(cx: &mut Cx, wanted: &[PathBuf], dest: &Path) -> Result<()> {
    if let Some(above) = wanted.iter().find(|path| dest.starts_with(path)) {
        return Err(Failure::new(format!("{} holds the archive itself, and is not removed", above.display()))
            .help("let `dest` lie elsewhere"));
    }
    for path in wanted {
        cx.change(Diff::value(path.display().to_string(), "there", "absent"), |writer| writer.remove(path))?;
    }
    Ok(())
}

/// All that decides the bytes.
struct Packing<'a> {
    system: &'a System,
    format: Format,
    members: &'a [Member],
    single: bool,
}

impl Packing<'_> {
    /// Gives the archive to `reader` while it is made: it may be larger than memory.
    fn read<T>(&self, reader: impl FnOnce(&mut dyn Read) -> Result<T>) -> Result<T> {
        let (mut from, to) = std::io::pipe().map_err(broken)?;
        std::thread::scope(|scope| {
            let packer = scope.spawn(move || self.pack(to));
            let read = reader(&mut from);
            // A packer whose reader has gone ends at its next write.
            drop(from);
            let ended = packer.join().unwrap_or_else(|_| Err(Failure::new("packing ended in a panic")));
            match (ended, read) {
                (Err(packing), Err(reading)) if packing.message.starts_with(BROKEN) => Err(reading),
                (ended, read) => ended.and(read),
            }
        })
    }

    fn pack(&self, out: impl Write) -> Result<()> {
        let mut out = std::io::BufWriter::with_capacity(64 << 10, out);
        let open = |member: &Member| -> Result<Box<dyn Read>> {
            if member.meta.is_link() {
                let target = self.system.read_link(&member.path)?;
                return Ok(Box::new(Cursor::new(target.into_os_string().into_vec())));
            }
            Ok(Box::new(self.system.open(&member.path)?))
        };
        match (self.format, self.members) {
            (Format::Zip, members) => zip::write(&mut out, members, open)?,
            (Format::Tar, members) => tar::write(&mut out, self.system, members, open)?,
            (Format::Gz, members) => {
                // No name and no time of its own: the same files are the same bytes.
                let mut packed = GzBuilder::new().mtime(0).write(&mut out, Compression::default());
                match members {
                    [only] if self.single => pour(&mut open(only)?, only, |bytes| packed.write_all(bytes))?,
                    members => tar::write(&mut packed, self.system, members, open)?,
                }
                packed.finish().map_err(broken)?;
            }
        }
        out.flush().map_err(broken)
    }
}

/// Passes a member's bytes on; as many as it had when it was looked at.
fn pour(source: &mut dyn Read, member: &Member, mut to: impl FnMut(&[u8]) -> std::io::Result<()>) -> Result<()> {
    let trouble = |error: std::io::Error| Failure::new(format!("{}: {error}", member.path.display()));
    let mut rest = member.meta.size;
    let mut buffer = vec![0; 64 << 10];
    while rest > 0 {
        let room = usize::try_from(rest).map_or(buffer.len(), |rest| rest.min(buffer.len()));
        match source.read(&mut buffer[..room]) {
            Ok(0) => {
                return Err(Failure::new(format!(
                    "{}: it was made shorter while it was packed",
                    member.path.display()
                )));
            }
            Ok(count) => {
                to(&buffer[..count]).map_err(broken)?;
                rest -= count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(trouble(error)),
        }
    }
    Ok(())
}

/// How the packer's failure begins if its reader has gone: then the reader knows why.
const BROKEN: &str = "the archive cannot be written";

fn broken(error: std::io::Error) -> Failure {
    Failure::new(format!("{BROKEN}: {error}"))
}

/// What is there of some paths and wildcards, and which plain paths are not.
fn expand(system: &System, patterns: &[String]) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for text in patterns {
        let pattern = system.expand(text)?;
        let paths = system.glob(&pattern)?;
        if paths.is_empty() && !text.contains(['*', '?', '[']) {
            missing.push(pattern);
        } else if text.ends_with('/') && paths.len() == 1 {
            found.push(PathBuf::from(format!("{}/", paths[0].display().to_string().trim_end_matches('/'))));
        } else {
            found.extend(paths);
        }
    }
    Ok((found, missing))
}

/// The folder against which names in the archive are meant: the deepest that holds all paths.
fn root(paths: &[PathBuf]) -> PathBuf {
    let above = |path: &PathBuf| {
        let text = path.as_os_str().to_string_lossy().into_owned();
        if text.ends_with('/') { path.clone() } else { path.parent().unwrap_or(Path::new("/")).to_owned() }
    };
    let mut roots = paths.iter().map(above);
    let Some(first) = roots.next() else { return PathBuf::from("/") };
    roots.fold(first, |common, other| {
        common.iter().zip(other.iter()).take_while(|(one, two)| one == two).map(|(one, _)| one).collect()
    })
}

fn texts(paths: &[PathBuf]) -> Value {
    paths.iter().map(|path| Value::from(path.display().to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::json;
    use std::process::Command;

    fn host() -> Host {
        let host = Host::new();
        host.file("/src/top/run", "#!/bin/sh\n");
        host.file("/src/top/sub/large", "x".repeat(200_000));
        host.file("/src/.env", "NETWORK_NAME=ours\n");
        host.file(&format!("/src/top/{}", "n".repeat(120)), "long\n");
        host.link("run", "/src/top/link");
        host.folder("/src/top/empty");
        host.mode("/src/top/run", 0o750);
        host
    }

    /// Unpacked by another program into `/out`, it is what it was.
    fn holds(host: &Host, program: &[&str], archive: &str) {
        host.folder("/out");
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).arg(host.real(archive)).current_dir(host.real("/out"));
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(host.read("/out/top/run"), "#!/bin/sh\n");
        assert_eq!(host.read("/out/top/sub/large").len(), 200_000);
        assert_eq!(host.read(&format!("/out/top/{}", "n".repeat(120))), "long\n");
        assert_eq!(host.mode_of("/out/top/run"), 0o750);
        assert_eq!(std::fs::read_link(host.real("/out/top/link")).unwrap(), std::path::Path::new("run"));
        assert!(host.real("/out/top/empty").is_dir() && host.has("/out/.env"));
    }

    #[test]
    fn what_is_packed_comes_out_again_and_the_second_run_changes_nothing() {
        for (format, program) in
            [("gz", ["tar", "-xzf"].as_slice()), ("tar", &["tar", "-xf"]), ("zip", &["python3", "-c", UNZIP])]
        {
            let host = host();
            let args = json!({"path": ["/src/top", "/src/.env"], "dest": "/a", "format": format, "mode": "0400"});
            let done = host.check_apply_apply("archive", args);
            assert_output(&done.output, json!({"state": "archive", "arcroot": "/src/", "mode": "0400", "missing": []}));
            holds(&host, program, "/a");
        }
    }

    /// Python's zipfile, with the modes and links that it leaves to its callers.
    const UNZIP: &str = "
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    for info in archive.infolist():
        mode = info.external_attr >> 16
        if mode & 0o170000 == 0o120000:
            os.symlink(archive.read(info).decode(), info.filename)
        else:
            os.chmod(archive.extract(info), mode & 0o7777)
";

    #[test]
    fn what_is_left_out_is_not_in_it() {
        let host = host();
        let args = json!({"path": "/src/", "dest": "/src/all.zip", "format": "zip", "exclude_path": "/src/top/s*", "exclusion_patterns": "n*"});
        let done = host.check_apply_apply("archive", args);
        let names = ["/src/.env", "/src/top", "/src/top/empty", "/src/top/link", "/src/top/run"];
        assert_output(
            &done.output,
            json!({"archived": names, "arcroot": "/src/", "expanded_exclude_paths": ["/src/top/sub"]}),
        );
    }

    #[test]
    fn one_file_is_compressed_and_removed() {
        let host = host();
        let done = host.check_apply_apply("archive", json!({"path": "/src/.env", "remove": true}));
        assert_output(&done.output, json!({"state": "compress", "dest": "/src/.env.gz"}));
        assert!(host.has("/src/.env.gz") && !host.has("/src/.env"));
        let done = host.run("archive", json!({"path": ["/src/top/run", "/gone"], "dest": "/b.tar.gz"})).unwrap();
        assert_output(&done.output, json!({"state": "incomplete", "missing": ["/gone"]}));
    }

    #[test]
    fn odd_wishes_get_plain_answers() {
        let host = host();
        for (args, message) in [
            (json!({"path": ["/src/top", "/src/.env"]}), "`dest` does not say where"),
            (json!({"path": "/src/top", "dest": "/no/a.zip"}), "no such folder"),
            (json!({"path": "/src/top", "dest": "/src"}), "is a folder"),
            (json!({"path": "/src/x*"}), "nothing to pack"),
            (json!({"path": "/src/top", "dest": "/src/top/a.tar.gz", "remove": true}), "holds the archive itself"),
            (json!({"path": "/src/top", "format": "rar"}), "unknown variant `rar`"),
        ] {
            let said = host.fails("archive", args.clone());
            assert!(said.contains(message), "{args}: {said}");
        }
    }
}
