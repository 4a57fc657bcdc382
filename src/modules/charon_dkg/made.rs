//! What a ceremony made: whether it is true and ours, its protection, and copies of it.

use super::folder::{Folder, KEY, MARK};
use crate::base::{Failure, Secret, failure::Result};
use crate::chain::charon::{Lock, Rules, ShareKeystore};
use crate::chain::{B256, NodeKey};
use crate::system::{Algorithm, System, Traits, Writer};
use std::path::{Path, PathBuf};

/// The cluster's lock.
pub const LOCK: &str = "cluster-lock.json";
/// The folder of our shares.
pub const KEYS: &str = "validator_keys";
/// What the names of the deposits' files begin with.
pub const DEPOSITS: &str = "deposit-data";
/// Checksums of what was made.
pub const MANIFEST: &str = "dkg-manifest.sha256";
/// A backup that is being compared; of a run that was cut off, if it stays.
const RESTORED: &str = ".restored";

/// What makes a cluster ours.
pub struct Ours<'a> {
    pub key: &'a NodeKey,
    pub rules: &'a Rules,
    /// It must be the one with this lock.
    pub lock_hash: Option<B256>,
    /// The shares may be in another place, if it was not made by us.
    pub keys_elsewhere: bool,
}

/// A cluster that is true and ours.
pub struct Made {
    pub lock: Lock,
    /// Which operator we are, from 0 on.
    pub operator: usize,
    /// Whether our shares are here.
    pub shares: bool,
}

/// Checks a lock, and which operator of it we are. It is held to the rules that its definition was held to beforehand: one that
/// no operator signed needs leave here, too.
pub fn verify_lock(text: &str, ours: &Ours) -> Result<(Lock, usize)> {
    let lock = Lock::parse(text)?;
    lock.verify(ours.rules)?;
    if let Some(wanted) = ours.lock_hash.filter(|wanted| lock.lock_hash.0 != wanted.as_slice()) {
        return Err(Failure::new(format!("the lock hash is {}, not {wanted}", lock.lock_hash)));
    }
    let operator = lock.definition.position_of_node(ours.key)?;
    Ok((lock, operator))
}

/// Which files of deposits are to be in a folder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Deposits {
    /// All of the lock's, or none at all: of an old cluster they may have been thrown away, once the deposits were made.
    AllOrNone,
    /// Whatever is there is written anew.
    Renewed,
}

/// Checks everything that a ceremony made and that is in `folder`, beside the lock with this text.
pub fn verify(system: &System, folder: &Path, text: &str, ours: &Ours, which: Deposits) -> Result<Made> {
    let (lock, operator) = verify_lock(text, ours)?;
    let mut deposits = Vec::new();
    for path in system.list(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(DEPOSITS) {
            deposits.push((name, system.read_text(&path)?));
        }
    }
    if which == Deposits::AllOrNone && !deposits.is_empty() {
        lock.verify_deposit_files(&deposits).map_err(|failure| failure.context(folder.display()))?;
    }
    let keys = folder.join(KEYS);
    // Where our manifest is, the shares were there once.
    if ours.keys_elsewhere && !system.exists(&keys)? && !system.exists(&folder.join(MANIFEST))? {
        return Ok(Made { lock, operator, shares: false });
    }
    let of_shares = system.list(&keys)?.into_iter().filter(|path| is_share(path));
    let count = of_shares.filter(|path| path.extension().is_some_and(|it| it == "json")).count();
    if count != lock.validators.len() {
        return Err(Failure::new(format!(
            "{} has {count} keystores, and the lock {} validators",
            keys.display(),
            lock.validators.len()
        )));
    }
    let mut keystores = Vec::with_capacity(count);
    for number in 0..count {
        let file = keys.join(format!("keystore-{number}.json"));
        let keystore = ShareKeystore::parse(&system.read_text(&file)?).map_err(|it| it.context(file.display()))?;
        keystores.push((keystore, Secret::new(system.read_text(&file.with_extension("txt"))?)));
    }
    lock.verify_keystores(operator, &keystores).map_err(|failure| failure.context(keys.display()))?;
    Ok(Made { lock, operator, shares: true })
}

/// Whether this is the name of a keystore of charon's, or of its password.
fn is_share(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("keystore-") && path.extension().is_some_and(|it| it == "json" || it == "txt")
}

impl Folder {
    /// What is not yet as [`settle`](Self::settle) makes it.
    pub fn settled(&self, system: &System) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for path in self.files(system)? {
            if system.meta(&path)?.is_some_and(|meta| meta.mode != 0o400) {
                wrong.push(path.display().to_string());
            }
        }
        for (name, wanted) in [(MANIFEST, true), (MARK, false), (RESTORED, false)] {
            if system.exists(&self.inside(name))? != wanted {
                wrong.push(self.inside(name).display().to_string());
            }
        }
        Ok(wrong)
    }

    /// Nobody but the owner reads what was made, nobody writes it, and its checksums are noted. Charon writes the files of
    /// deposits last, and syncs nothing: where the mark still is, those are written anew, and all is on the disk before it goes.
    pub fn settle(&self, writer: &Writer, lock: &Lock) -> Result<()> {
        let new = self.interrupted(writer.system())?;
        if new {
            for (name, text) in lock.deposit_files()? {
                writer.write(&self.inside(&name), text.as_bytes(), Traits::mode(0o400))?;
            }
        }
        let files = self.files(writer.system())?;
        for path in &files {
            writer.mode(path, 0o400)?;
        }
        for path in self.leftovers(writer.system())? {
            writer.sync(&path)?;
        }
        writer.remove(&self.inside(RESTORED))?;
        // Beside the mark they are of another cluster.
        if !new && writer.system().exists(&self.inside(MANIFEST))? {
            return Ok(());
        }
        let mut text = String::new();
        for path in &files {
            let name = path.strip_prefix(self.path()).unwrap_or(path).display().to_string();
            let sum = writer.system().checksum(path, Algorithm::Sha256)?;
            text.extend([&sum, "  ", &name, "\n"]);
        }
        writer.write(&self.inside(MANIFEST), text.as_bytes(), Traits::mode(0o400))?;
        self.end(writer)
    }

    /// Whether the files still are what the manifest says (as `sha256sum -c` does).
    pub fn check_manifest(&self, system: &System) -> Result<()> {
        let path = self.inside(MANIFEST);
        let Some(text) = system.read_text_if_there(&path)? else { return Ok(()) };
        for line in text.lines() {
            let Some((sum, name)) = line.split_once("  ") else {
                return Err(Failure::new(format!("{} is damaged: `{line}`", path.display())));
            };
            let file = self.inside(name);
            if !system.exists(&file)? || system.checksum(&file, Algorithm::Sha256)? != sum {
                return Err(Failure::new(format!("{} is not what the ceremony made", file.display()))
                    .help("it was changed or removed afterwards: take it from a backup"));
            }
        }
        Ok(())
    }

    /// Copies what was made, and the node's key, into a new folder.
    pub fn back_up(&self, writer: &Writer, target: &Path) -> Result<()> {
        let part = target.with_extension("part");
        writer.remove(&part)?;
        writer.folders(&part.join(KEYS), Traits::mode(0o700))?;
        for path in self.kept_by_backup(writer.system())? {
            let name = path.strip_prefix(self.path()).unwrap_or(&path);
            writer.copy(&path, &part.join(name), Traits::mode(0o400))?;
        }
        writer.sync(&part)?;
        writer.rename(&part, target)?;
        writer.sync(target)
    }

    /// Restores a backup beside the original, and compares.
    pub fn restore_and_compare(&self, writer: &Writer, backup: &Path) -> Result<()> {
        let restored = self.inside(RESTORED);
        writer.remove(&restored)?;
        let proof = writer.copy_tree(backup, &restored).and_then(|()| self.compare(writer.system(), &restored));
        writer.remove(&restored)?;
        proof
    }

    /// Whether a copy has every byte of what was made, and of the node's key. Only reads.
    pub fn compare(&self, system: &System, copy: &Path) -> Result<()> {
        for path in self.kept_by_backup(system)? {
            let name = path.strip_prefix(self.path()).unwrap_or(&path);
            // What is in a key stays out of the message.
            if system.read_if_there(&copy.join(name))?.is_none_or(|bytes| system.read(&path).ok() != Some(bytes)) {
                return Err(Failure::new(format!(
                    "its {} is missing or another than {}",
                    name.display(),
                    path.display()
                ))
                .help("move the backup away, and it is made anew"));
            }
        }
        Ok(())
    }

    fn kept_by_backup(&self, system: &System) -> Result<Vec<PathBuf>> {
        let mut files = self.files(system)?;
        files.extend([self.inside(KEY), self.inside(MANIFEST)]);
        Ok(files)
    }

    /// What a ceremony made, file by file.
    fn files(&self, system: &System) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for path in self.leftovers(system)? {
            if system.is_folder(&path)? {
                // Validator clients leave locks and logs of their own there.
                files.extend(system.list(&path)?.into_iter().filter(|path| is_share(path)));
            } else {
                files.push(path);
            }
        }
        Ok(files)
    }
}
