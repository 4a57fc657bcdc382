//! Charon's data folder: the node's key, whether a ceremony is over in it or was cut off, and what a failed one left.

use super::made::{DEPOSITS, Deposits, KEYS, LOCK, MANIFEST, Made, Ours, verify};
use crate::base::{Diff, Failure, Value, failure::Result};
use crate::chain::{NodeKey, Record};
use crate::modules::Cx;
use crate::system::{System, Traits, Writer};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The node's key, as charon names it.
pub const KEY: &str = "charon-enr-private-key";
/// Charon renews it while it runs.
const KEY_LOCK: &str = "charon-enr-private-key.lock";
/// There while a ceremony runs: what lies here then is of that ceremony, and of nothing else.
pub const MARK: &str = ".dkg-running";
/// Where charon writes its log.
pub const LOG: &str = "dkg.log";
/// Where what a failed ceremony left is moved to.
pub const FAILED: &str = "failed-dkg";
/// So many logs of failed ceremonies are kept: somebody who waits for weeks must not fill the disk.
const MOST_LOGS: usize = 20;

/// A data folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Where the definition is kept.
    pub definition: PathBuf,
}

impl Folder {
    pub fn new(path: PathBuf, definition: Option<&str>) -> Result<Self> {
        if !path.is_absolute() {
            return Err(Failure::new(format!("`data_dir` is `{}`, and must be an absolute path", path.display())));
        }
        let definition = definition.map_or_else(|| path.join("cluster-definition.json"), PathBuf::from);
        Ok(Self { path, definition })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn inside(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The node's key; if there is none, that of `key_file` is taken, or a new one is made. `None` in check mode: it is yet
    /// to be made.
    pub fn key(&self, cx: &mut Cx, enr_file: Option<&str>, key_file: Option<&str>) -> Result<Option<NodeKey>> {
        let path = self.inside(KEY);
        let key_file = key_file.filter(|file| Path::new(file) != path);
        let given = key_file.map(|file| read_key(cx.system, Path::new(file))).transpose()?;
        let said = enr_file.map(|file| read_record(cx.system, Path::new(file))).transpose()?;
        if let Some(text) = cx.system.read_text_if_there(&path)?.map(Zeroizing::new) {
            let key = NodeKey::from_hex(&text).map_err(|failure| {
                failure.context(format!("{} holds no node key, and is left as it is", path.display()))
            })?;
            if given.is_some_and(|given| given.public_key() != key.public_key()) {
                let file = key_file.unwrap_or_default();
                return Err(Failure::new(format!(
                    "{} and {file} hold different keys; nothing is changed",
                    path.display()
                ))
                .help("a node has one key: move away the one that is not used"));
            }
            match said {
                Some(said) if said.public_key()? != key.public_key() => Err(Failure::new(format!(
                    "the record in {} is of another key than that in {}",
                    enr_file.unwrap_or_default(),
                    path.display()
                ))
                .help("one of the two is another node's")),
                _ => Ok(Some(key)),
            }
        } else if let Some(key) = given {
            let diff = Diff::action(format!("install node key {}", path.display()));
            cx.change(diff, |writer| {
                writer.folders(&self.path, Traits::mode(0o700))?;
                writer.write_new(&path, key.to_hex().as_bytes(), Traits::mode(0o600))?;
                Ok(key)
            })
        } else if said.is_some() {
            Err(Failure::new(format!(
                "there is no key {} to the record in {}",
                path.display(),
                enr_file.unwrap_or_default()
            ))
            .help("give the file of the key that the record was made with (`key_file`); or leave the record out, and a new key is made"))
        } else {
            cx.change(Diff::action(format!("make node key {}", path.display())), |writer| {
                writer.folders(&self.path, Traits::mode(0o700))?;
                let key = NodeKey::generate()?;
                writer.write_new(&path, key.to_hex().as_bytes(), Traits::mode(0o600))?;
                Ok(key)
            })
        }
    }

    /// What a ceremony made that is over; `None` if there is none. What a ceremony left that was cut off is none, unless it is
    /// known that all operators have theirs.
    pub fn finished(&self, system: &System, ours: &Ours) -> Result<Option<Made>> {
        let interrupted = self.interrupted(system)?;
        let Some(text) = system.read_text_if_there(&self.inside(LOCK))? else {
            let rest = self.leftovers(system)?;
            return match rest.first() {
                Some(first) if !interrupted && ours.lock_hash.is_none() => Err(Failure::new(format!(
                    "{} is there, but no {LOCK}: it is of something else than a ceremony of ours",
                    first.display()
                ))
                .help("move it away, or take the missing files from a backup; nothing is removed here")),
                _ => Ok(None),
            };
        };
        let deposits = if interrupted { Deposits::Renewed } else { Deposits::AllOrNone };
        // A run of ours makes shares: if they did not reach the disk, they are lost, and nowhere else.
        let keys_elsewhere = ours.keys_elsewhere && (!interrupted || ours.lock_hash.is_some());
        match verify(system, &self.path, &text, &Ours { keys_elsewhere, ..*ours }, deposits) {
            Ok(made) if !interrupted || self.all_have_written(system)? => Ok(Some(made)),
            Ok(_) => Ok(None),
            Err(_) if interrupted => Ok(None),
            Err(failure) => Err(failure
                .context(format!("a ceremony is over in {}, but", self.path.display()))
                .help("take the files from a backup, or choose another `data_dir`; nothing is removed here")),
        }
    }

    /// Whether a ceremony was cut off.
    pub fn interrupted(&self, system: &System) -> Result<bool> {
        system.exists(&self.inside(MARK))
    }

    /// Notes that a ceremony begins, before it does.
    pub fn begin(&self, writer: &Writer, config_hash: &dyn Display) -> Result<()> {
        writer.write(&self.inside(MARK), format!("{config_hash}\n").as_bytes(), Traits::mode(0o600))
    }

    /// Puts a lock in its place that was checked.
    pub fn adopt(&self, writer: &Writer, text: &str) -> Result<()> {
        writer.write(&self.inside(LOCK), text.as_bytes(), Traits::mode(0o400))
    }

    /// Notes that it is over and that everything is true.
    pub fn end(&self, writer: &Writer) -> Result<()> {
        writer.remove(&self.inside(MARK))
    }

    /// Moves what charon refuses to see, and the log, out of the way. Nothing is removed: a share that the others count on
    /// would be lost.
    pub fn tidy(&self, writer: &Writer) -> Result<Option<PathBuf>> {
        let system = writer.system();
        let mut rest = self.leftovers(system)?;
        // Checksums that are left alone are of a cluster that somebody has moved away.
        for path in [self.inside(LOG), self.inside(MANIFEST)] {
            if system.exists(&path)? {
                rest.push(path);
            }
        }
        if rest.is_empty() {
            return Ok(None);
        }
        let failed = self.inside(FAILED);
        let number = self.failures(system)?.last().map_or(1, |last| last + 1);
        let target = failed.join(number.to_string());
        writer.folders(&target, Traits::mode(0o700))?;
        for path in rest {
            writer.rename(&path, &target.join(path.file_name().unwrap_or_default()))?;
        }
        let mut logs = Vec::new();
        for number in self.failures(system)? {
            let folder = failed.join(number.to_string());
            if system.list(&folder)?.iter().all(|path| path.ends_with(LOG)) {
                logs.push(folder);
            }
        }
        for old in logs.iter().rev().skip(MOST_LOGS) {
            writer.remove(old)?;
        }
        Ok(Some(target))
    }

    /// The numbers of failed ceremonies, in their order.
    pub fn failures(&self, system: &System) -> Result<Vec<u64>> {
        let failed = self.inside(FAILED);
        if !system.is_folder(&failed)? {
            return Ok(Vec::new());
        }
        let entries = system.list(&failed)?;
        let mut numbers: Vec<u64> =
            entries.iter().filter_map(|path| path.file_name()?.to_str()?.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Removes the note that charon leaves of itself, once it is over. One that names a cluster is of `charon run`, and keeps the
    /// key from being used for another cluster too soon: it stays.
    pub fn release_key(&self, writer: &Writer) -> Result<()> {
        let path = self.inside(KEY_LOCK);
        let Some(note) = writer.system().read_text_if_there(&path)? else { return Ok(()) };
        let note: Value = serde_json::from_str(&note).unwrap_or_default();
        match note.get("cluster_lock_hash").and_then(Value::as_str) {
            Some(cluster) if !cluster.is_empty() => Ok(()),
            _ => writer.remove(&path),
        }
    }

    /// When charon renewed its note last, in seconds since 1970; `None`: there is none.
    pub fn key_renewed(&self, system: &System) -> Result<Option<i64>> {
        Ok(system.meta(&self.inside(KEY_LOCK))?.map(|meta| meta.modified / 1_000_000_000))
    }

    /// What charon refuses to see before a ceremony.
    pub fn leftovers(&self, system: &System) -> Result<Vec<PathBuf>> {
        if !system.is_folder(&self.path)? {
            return Ok(Vec::new());
        }
        let of_charon = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name == LOCK || name == KEYS || name.starts_with(DEPOSITS)
        };
        Ok(system.list(&self.path)?.into_iter().filter(of_charon).collect())
    }
}

fn read_key(system: &System, path: &Path) -> Result<NodeKey> {
    let text = Zeroizing::new(system.read_text(path)?);
    NodeKey::from_hex(&text).map_err(|failure| failure.context(path.display()))
}

/// The file of a record may hold what `charon create enr` printed: the line that begins with `enr:` counts.
fn read_record(system: &System, path: &Path) -> Result<Record> {
    let text = system.read_text(path)?;
    let line = text.lines().map(str::trim).find(|line| line.starts_with("enr:"));
    let record: Record = line
        .ok_or_else(|| Failure::new(format!("{} holds no node record: no line begins with enr:", path.display())))?
        .parse()
        .map_err(|failure: Failure| failure.context(path.display()))?;
    record.verify().map_err(|failure| failure.context(path.display()))?;
    Ok(record)
}
