//! Files that shall have a certain content: what copy, template, lineinfile and their like have in common.

use super::attributes::{Attributes, Differing};
use super::loose::{Flag, Text};
use super::{BlobRef, Cx, Result};
use crate::base::{Diff, Failure};
use crate::system::{Algorithm, Command, Meta, System, Traits, Writer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Larger contents are shown by their checksum, not as a text.
const SHOWN: u64 = 100_000;

/// Where new content comes from.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// It is here.
    Bytes(&'a [u8]),
    /// The controller has it.
    Blob(&'a BlobRef),
    /// Another file of the host.
    File(&'a Path),
}

/// How a file is to be put in its place.
#[derive(Debug, Clone, Copy)]
pub struct Put<'a> {
    /// The file. A link there is replaced; resolve the path before to write through it.
    pub path: &'a Path,
    /// Mode and owner.
    pub attributes: &'a Attributes,
    /// Keep the old content beside it, under a name with the time.
    pub backup: bool,
    /// A command with `%s` for the new content's file; if it fails, the old file stays.
    pub validate: Option<&'a str>,
}

impl<'a> Put<'a> {
    /// Without backup and validation.
    pub fn new(path: &'a Path, attributes: &'a Attributes) -> Self {
        Self { path, attributes, backup: false, validate: None }
    }
}

/// Options of modules that replace a file. Put it into a module's struct with `#[serde(flatten)]`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Replacing {
    /// Keep a replaced file beside it, with the time in its name.
    #[serde(default)]
    pub backup: Flag,
    /// A command with `%s` for the new file; the old one stays if it fails.
    #[serde(default)]
    pub validate: Option<Text>,
}

impl Replacing {
    /// What these options say about a file.
    pub fn how<'a>(&'a self, path: &'a Path, attributes: &'a Attributes) -> Put<'a> {
        let validate = self.validate.as_ref().map(|text| text.0.as_str());
        Put { path, attributes, backup: self.backup.0, validate }
    }
}

/// How a file that is encrypted with vault begins.
const VAULT: [u8; 14] = *b"$ANSIBLE_VAULT";

/// Refuses a file of the controller that is encrypted with vault.
pub fn refuse_vault(local: &System, path: &Path) -> Result<()> {
    let mut start = [0; VAULT.len()];
    if local.open(path)?.read_exact(&mut start).is_ok() && start == VAULT {
        return Err(Failure::new(format!(
            "{}: it is encrypted with vault, and cannot be decrypted here",
            path.display()
        ))
        .help("write `decrypt: false` to take it as it is"));
    }
    Ok(())
}

/// How it went.
#[derive(Debug, Default)]
pub struct Done {
    /// The content was, or would be, another.
    pub changed: bool,
    /// Where the old content is kept; not in check mode.
    pub backup: Option<String>,
}

/// Makes a file have this content and these attributes: one diff for the content, one for each attribute that differs.
pub fn put(cx: &mut Cx, how: Put, content: Content) -> Result<Done> {
    if let Some(command) = how.validate.filter(|command| !command.contains("%s")) {
        return Err(Failure::new(format!("validate must contain %s, where the file's name goes: {command}")));
    }
    let path = how.path;
    let old = cx.system.meta(path)?;
    match &old {
        Some(meta) if meta.is_folder() => {
            return Err(Failure::new(format!("{}: cannot be written as a file: it is a folder", path.display())));
        }
        Some(meta) if !meta.is_file() && !meta.is_link() => {
            let word = meta.kind.word();
            return Err(Failure::new(format!("{}: cannot be written as a file: it is a {word}", path.display())));
        }
        None => check_parent(cx, path)?,
        _ => {}
    }
    let file = old.filter(Meta::is_file);
    let diff = difference(cx, path, file.as_ref(), content)?;
    let Some(diff) = diff else {
        how.attributes.apply(cx, path)?;
        return Ok(Done::default());
    };
    let differing = match &file {
        Some(meta) => how.attributes.differing(cx, path, meta)?,
        None => Differing { traits: how.attributes.for_new(cx, false)?, ..Default::default() },
    };
    let blobs = cx.blobs();
    let backup = cx.change(diff, |writer| {
        let mut source: Box<dyn Read> = match content {
            Content::Bytes(bytes) => Box::new(bytes),
            Content::Blob(blob) => blobs.open(blob)?,
            Content::File(from) => Box::new(writer.system().open(from)?),
        };
        let sha256 = match content {
            Content::Blob(blob) => Some(blob.sha256.as_str()),
            _ => None,
        };
        let staged = writer.stage(path, &mut source, sha256, differing.traits)?;
        if let Some(command) = how.validate {
            validate(writer.system(), command, staged.path())?;
        }
        let backup = match &file {
            Some(meta) if how.backup => Some(back_up(writer, path, meta)?.display().to_string()),
            _ => None,
        };
        if how.attributes.unsafe_writes.0 {
            staged.commit_or_overwrite()?;
        } else {
            staged.commit()?;
        }
        match &file {
            Some(_) => differing.set(writer, path)?,
            None => how.attributes.finish_new(writer, path)?,
        }
        Ok(backup)
    })?;
    for diff in differing.diffs {
        cx.change(diff, |_| Ok(()))?;
    }
    Ok(Done { changed: true, backup: backup.flatten() })
}

/// The folder of a new file must be there; in check mode an earlier task may still have to make it.
fn check_parent(cx: &Cx, path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    if cx.check || cx.system.is_folder(folder)? {
        return Ok(());
    }
    Err(Failure::new(format!("{}: cannot write: the folder {} does not exist", path.display(), folder.display()))
        .help("make it in an earlier task: `file: {path: ..., state: directory}`"))
}

/// `None` if the content is the same already. The text of a blob is asked for only when it can be shown.
fn difference(cx: &Cx, path: &Path, old: Option<&Meta>, content: Content) -> Result<Option<Diff>> {
    let name = path.display().to_string();
    let size = match content {
        Content::Bytes(bytes) => bytes.len() as u64,
        Content::Blob(blob) => blob.size,
        Content::File(from) => cx.system.meta_followed(from)?.map_or(0, |meta| meta.size),
    };
    if size.max(old.map_or(0, |old| old.size)) > SHOWN {
        let new = match content {
            Content::Bytes(bytes) => Algorithm::Sha256.of(bytes),
            Content::Blob(blob) => blob.sha256.clone(),
            Content::File(from) => cx.system.checksum(from, Algorithm::Sha256)?,
        };
        let before = old.map(|_| cx.system.checksum(path, Algorithm::Sha256)).transpose()?;
        return Ok((before.as_ref() != Some(&new)).then(|| by_checksum(name, before.as_deref(), &new)));
    }
    let before = old.map(|_| cx.system.read(path)).transpose()?;
    if let (Content::Blob(blob), Some(before)) = (content, &before)
        && blob.size == before.len() as u64
        && Algorithm::Sha256.of(before) == blob.sha256
    {
        return Ok(None);
    }
    let mut after = Vec::new();
    match content {
        Content::Bytes(bytes) => after.extend_from_slice(bytes),
        Content::Blob(blob) => {
            cx.blob(blob)?.read_to_end(&mut after).map_err(|error| Failure::new(format!("{name}: {error}")))?;
        }
        Content::File(from) => after = cx.system.read(from)?,
    }
    if before.as_ref() == Some(&after) {
        return Ok(None);
    }
    Ok(Some(text_or_checksum(name, before, after)))
}

/// The difference between two contents that are not the same, as text if both are; `None` before: did not exist.
pub fn text_or_checksum(name: String, before: Option<Vec<u8>>, after: Vec<u8>) -> Diff {
    let shown = |bytes: &[u8]| bytes.len() as u64 <= SHOWN && !bytes.contains(&0) && str::from_utf8(bytes).is_ok();
    if shown(&after) && before.as_deref().is_none_or(shown) {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        return Diff::text(name, before.map(text), Some(text(after)));
    }
    let before = before.map(|bytes| Algorithm::Sha256.of(&bytes));
    by_checksum(name, before.as_deref(), &Algorithm::Sha256.of(&after))
}

fn by_checksum(name: String, before: Option<&str>, after: &str) -> Diff {
    let short = |sum: &str| format!("sha256:{}", &sum[..sum.len().min(12)]);
    Diff::value(name, before.map_or("absent".to_owned(), short), short(after))
}

/// Copies a file to a name with the time in it, as Ansible writes it, and returns that name.
pub fn back_up(writer: &Writer, path: &Path, meta: &Meta) -> Result<PathBuf> {
    let time = jiff::Zoned::now().strftime("%Y-%m-%d@%H:%M:%S~");
    // Of two backups in one second the second must not replace the first.
    let mut number = std::process::id();
    let backup = loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}.{time}"));
        let backup = PathBuf::from(name);
        if writer.system().meta(&backup)?.is_none() {
            break backup;
        }
        number += 1;
    };
    writer.copy(path, &backup, Traits { mode: Some(meta.mode), uid: Some(meta.uid), gid: Some(meta.gid) })?;
    writer.times(&backup, Some(meta.accessed), Some(meta.modified))?;
    Ok(backup)
}

/// Runs a user's command on a file that is not in its place yet.
pub fn validate(system: &System, command: &str, file: &Path) -> Result<()> {
    let real = system.locate(file).display().to_string();
    let words =
        shlex::split(command).ok_or_else(|| Failure::new(format!("the quotes of validate do not match: {command}")))?;
    let ended = system.run(&Command::new(words.iter().map(|word| word.replace("%s", &real))))?;
    if ended.code == 0 {
        return Ok(());
    }
    let said =
        [ended.stderr.trim(), ended.stdout.trim()].into_iter().find(|text| !text.is_empty()).unwrap_or("nothing");
    Err(Failure::new(format!(
        "the new content failed to validate: `{command}` ended with {} and said: {said}; the old file is untouched",
        ended.code
    ))
    .with("rc", ended.code)
    .with("stdout", ended.stdout.clone())
    .with("stderr", ended.stderr.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Host;
    use super::*;
    use serde_json::json;

    fn write(host: &Host, check: bool, how: Put, content: Content) -> Result<(Done, Vec<Diff>)> {
        let mut done = Done::default();
        let diffs = host.with_cx(check, |cx| {
            done = put(cx, how, content)?;
            Ok(())
        })?;
        Ok((done, diffs))
    }

    #[test]
    fn content_and_mode_change_together_and_each_has_its_diff() {
        let host = Host::new();
        host.file("/f", "old\n");
        host.mode("/f", 0o644);
        let attributes: Attributes = serde_json::from_value(json!({"mode": "0600"})).unwrap();
        let how = Put { backup: true, ..Put::new(Path::new("/f"), &attributes) };
        let predicted = write(&host, true, how, Content::Bytes(b"new\n")).unwrap().1;
        let (done, diffs) = write(&host, false, how, Content::Bytes(b"new\n")).unwrap();
        assert_eq!(predicted, diffs);
        assert_eq!(diffs[0], Diff::text("/f", Some("old\n".into()), Some("new\n".into())));
        assert_eq!(diffs[1], Diff::value("mode", "0644", "0600"));
        assert_eq!(host.read(&done.backup.unwrap()), "old\n");
        assert!(write(&host, false, how, Content::Bytes(b"new\n")).unwrap().1.is_empty());
    }

    #[test]
    fn what_does_not_validate_is_not_put_in_place() {
        let host = Host::new();
        host.file("/f", "old");
        let attributes = Attributes::default();
        let how = |command| Put { validate: Some(command), ..Put::new(Path::new("/f"), &attributes) };
        write(&host, false, how("grep -q good %s"), Content::Bytes(b"good")).unwrap();
        let failure = write(&host, false, how("grep good %s"), Content::Bytes(b"bad")).unwrap_err();
        assert!(failure.message.contains("failed to validate"), "{failure}");
        assert_eq!((host.read("/f"), host.names("/")), ("good".to_owned(), vec!["f".to_owned()]));
        assert!(write(&host, false, how("true"), Content::Bytes(b"x")).unwrap_err().message.contains("%s"));
    }

    #[test]
    fn binary_and_large_contents_are_shown_by_checksum() {
        let host = Host::new();
        let attributes = Attributes::default();
        let how = Put::new(Path::new("/f"), &attributes);
        let diffs = write(&host, false, how, Content::Bytes(b"a\0b")).unwrap().1;
        assert_eq!(diffs, [Diff::value("/f", "absent", "sha256:59b271ae1bbc")]);
        let large = vec![b'x'; 200_000];
        let diffs = write(&host, false, how, Content::Bytes(&large)).unwrap().1;
        assert!(matches!(&diffs[0], Diff::Value { before, .. } if before == "sha256:59b271ae1bbc"));
    }

    #[test]
    fn a_large_blob_is_opened_only_when_it_differs() {
        let host = Host::new();
        let attributes = Attributes::default();
        let how = Put::new(Path::new("/f"), &attributes);
        let blob = host.blob(vec![b'x'; 200_000]);
        write(&host, true, how, Content::Blob(&blob)).unwrap();
        assert_eq!(host.opened(), 0);
        write(&host, false, how, Content::Blob(&blob)).unwrap();
        write(&host, false, how, Content::Blob(&blob)).unwrap();
        assert_eq!(host.opened(), 1);
    }

    #[test]
    fn a_folder_in_the_way_and_a_missing_folder_are_said() {
        let host = Host::new();
        host.folder("/d");
        let attributes = Attributes::default();
        let failure = write(&host, false, Put::new(Path::new("/d"), &attributes), Content::Bytes(b"")).unwrap_err();
        assert!(failure.message.contains("it is a folder"));
        let failure = write(&host, false, Put::new(Path::new("/no/f"), &attributes), Content::Bytes(b"")).unwrap_err();
        assert!(failure.message.contains("the folder /no does not exist"), "{failure}");
    }
}
