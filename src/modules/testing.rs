//! A host in a temporary folder, with a controller beside it, on which tests run modules by their names.
//!
//! [`Host::check_apply_apply`] holds a module to its contract: check mode changes nothing and predicts the diffs of the
//! first run; the second run changes nothing.

use super::{BlobRef, Blobs, Controller, Cx, Origin, Result, TemplateOptions, arguments, registry};
use crate::base::{Diff, Failure, Map, Outcome, Value};
use crate::system::{Algorithm, System};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A host and its controller; both vanish when dropped.
pub struct Host {
    root: tempfile::TempDir,
    local: tempfile::TempDir,
    /// The host as modules see it.
    pub system: System,
    blobs: RefCell<BTreeMap<String, Vec<u8>>>,
    opened: Cell<usize>,
    /// What [`Controller::render`] puts for `{{ name }}`.
    pub variables: RefCell<BTreeMap<String, String>>,
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// A host with nothing on it.
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        Self {
            system: System::new(root.path()),
            root,
            local: tempfile::tempdir().unwrap(),
            blobs: RefCell::default(),
            opened: Cell::default(),
            variables: RefCell::default(),
        }
    }

    /// Where `path` of the host really is.
    pub fn real(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    /// Writes a file of the host, with the folders above it.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>) {
        let real = self.real(path);
        fs::create_dir_all(real.parent().unwrap()).unwrap();
        fs::write(real, content).unwrap();
    }

    /// Makes a folder of the host, with those above it.
    pub fn folder(&self, path: &str) {
        fs::create_dir_all(self.real(path)).unwrap();
    }

    /// Makes a link on the host.
    pub fn link(&self, target: &str, path: &str) {
        std::os::unix::fs::symlink(target, self.real(path)).unwrap();
    }

    /// Sets a mode on the host.
    pub fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.real(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The mode of a path of the host.
    pub fn mode_of(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.real(path)).unwrap().mode() & 0o7777
    }

    /// A text file of the host.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.real(path)).unwrap()
    }

    /// Whether something is at a path of the host, a broken link included.
    pub fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.real(path)).is_ok()
    }

    /// The names in a folder of the host, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.real(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Writes a file of the controller (`files/a.conf`) and returns its path.
    pub fn local(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let real = self.local.path().join(path);
        fs::create_dir_all(real.parent().unwrap()).unwrap();
        fs::write(&real, content).unwrap();
        real
    }

    /// Keeps bytes for the host to ask for.
    pub fn blob(&self, bytes: impl Into<Vec<u8>>) -> BlobRef {
        Controller::blob(self, bytes.into())
    }

    /// How often the host asked for a blob.
    pub fn opened(&self) -> usize {
        self.opened.get()
    }

    /// Gives a context to `act` and returns the diffs that it recorded.
    pub fn with_cx(&self, check: bool, act: impl FnOnce(&mut Cx) -> Result<()>) -> Result<Vec<Diff>> {
        let mut cx = Cx::new(&self.system, check, self, &|_| {});
        act(&mut cx)?;
        Ok(cx.into_diffs())
    }

    /// Runs a module.
    pub fn run(&self, module: &str, args: Value) -> Result<Outcome> {
        self.call(module, args, false)
    }

    /// Runs a module in check mode.
    pub fn check(&self, module: &str, args: Value) -> Result<Outcome> {
        self.call(module, args, true)
    }

    /// The message with which a module fails.
    pub fn fails(&self, module: &str, args: Value) -> String {
        match self.run(module, args) {
            Err(failure) => failure.to_string(),
            Ok(outcome) => panic!("{module} did not fail: {outcome:?}"),
        }
    }

    /// Checks, applies, applies again, and holds the module to its contract; returns what the first real run did.
    pub fn check_apply_apply(&self, module: &str, args: Value) -> Outcome {
        let before = self.snapshot();
        let predicted = self.check(module, args.clone()).unwrap_or_else(|failure| panic!("check: {failure}"));
        assert_eq!(self.snapshot(), before, "check mode changed the host");
        let applied = self.run(module, args.clone()).unwrap_or_else(|failure| panic!("apply: {failure}"));
        assert_eq!(predicted.diffs, applied.diffs, "check mode did not predict what was done");
        assert_eq!(predicted.changed(), applied.changed());
        let between = self.snapshot();
        let again = self.run(module, args).unwrap_or_else(|failure| panic!("second: {failure}"));
        assert!(!again.changed(), "the second run changed {:?}", again.diffs);
        assert_eq!(self.snapshot(), between, "the second run changed the host without a diff");
        applied
    }

    fn call(&self, module: &str, args: Value, check: bool) -> Result<Outcome> {
        let Value::Object(args) = args else { panic!("arguments are a table") };
        let entry = registry::find(module).expect("a module of this name");
        arguments::check_names(entry, args.keys().map(String::as_str))?;
        let args = (entry.prepare)(args, self)?;
        let mut outcome = registry::run(entry, args.clone(), Cx::new(&self.system, check, self, &|_| {}))?;
        if !check {
            (entry.receive)(args, &mut outcome.output, self)?;
        }
        Ok(outcome)
    }

    /// Path, mode, owner, content of everything on the host.
    fn snapshot(&self) -> BTreeMap<PathBuf, (u32, u32, u32, Vec<u8>)> {
        let walked = self.system.walk(Path::new("/")).unwrap().into_iter();
        walked
            .map(|(path, meta)| {
                let real = self.system.locate(&path);
                let content = match meta.kind {
                    crate::system::Kind::File => fs::read(real).unwrap(),
                    crate::system::Kind::Link => fs::read_link(real).unwrap().into_os_string().into_encoded_bytes(),
                    _ => Vec::new(),
                };
                (path, (meta.mode, meta.uid, meta.gid, content))
            })
            .collect()
    }
}

impl Blobs for Host {
    fn open(&self, blob: &BlobRef) -> Result<Box<dyn Read>> {
        self.opened.set(self.opened.get() + 1);
        let bytes = self.blobs.borrow().get(&blob.sha256).cloned();
        let bytes = bytes.ok_or_else(|| Failure::new(format!("no blob {}", blob.sha256)))?;
        Ok(Box::new(std::io::Cursor::new(bytes)))
    }

    fn give(&self, source: &mut dyn Read) -> Result<String> {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).unwrap();
        Ok(self.blob(bytes).sha256)
    }
}

impl Controller for Host {
    fn find(&self, folder: &str, name: &str) -> Result<PathBuf> {
        let local = self.local.path();
        let candidates = [local.join(folder).join(name), local.join(name)];
        candidates
            .into_iter()
            .find(|path| path.exists())
            .ok_or_else(|| Failure::new(format!("cannot find `{name}` in {folder}")))
    }

    fn render(&self, _: &Origin<'_>, text: &str, _: &TemplateOptions) -> Result<String> {
        let variables = self.variables.borrow();
        Ok(variables
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{ {name} }}}}"), value)))
    }

    fn blob(&self, bytes: Vec<u8>) -> BlobRef {
        let blob = BlobRef { sha256: Algorithm::Sha256.of(&bytes), size: bytes.len() as u64 };
        self.blobs.borrow_mut().insert(blob.sha256.clone(), bytes);
        blob
    }

    fn blob_file(&self, path: &Path) -> Result<BlobRef> {
        let bytes = fs::read(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        Ok(Controller::blob(self, bytes))
    }

    fn arrived(&self, name: &str) -> Result<Box<dyn Read>> {
        Blobs::open(self, &BlobRef { sha256: name.to_owned(), size: 0 })
    }

    fn folder(&self) -> PathBuf {
        self.local.path().to_owned()
    }
}

/// The names and values that a test expects in a module's output, whatever else is in it.
pub fn assert_output(output: &Map, expected: Value) {
    let Value::Object(expected) = expected else { panic!("expect a table") };
    for (name, value) in expected {
        assert_eq!(output.get(&name), Some(&value), "`{name}` in {output:?}");
    }
}
