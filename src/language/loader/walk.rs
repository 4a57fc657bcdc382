//! What is known while files are read: where one stands, and what has been found so far.

use super::Loader;
use crate::base::diagnostic::Checked;
use crate::base::{Diagnostic, Span};
use crate::language::node::Node;
use crate::language::playbook::{Identity, Item, Keywords, Role};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One reading of a playbook, a role or a task file.
pub struct Walk<'a> {
    pub loader: &'a Loader,
    pub mistakes: Vec<Diagnostic>,
    /// The folder of the playbook.
    pub playbook: PathBuf,
    /// Handlers of the roles read so far in this play.
    pub handlers: Vec<Item>,
    /// Roles read so far in this play, dependencies first.
    pub used_roles: Vec<Arc<Role>>,
    /// Roles that surely run in this play, so that a second use of the same adds nothing.
    pub run_roles: Vec<Identity>,
    /// Files and role folders that are being read, to see circles.
    pub reading: Vec<PathBuf>,
}

/// Where a task list stands.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The folder of the file.
    pub folder: PathBuf,
    /// The role that the file belongs to.
    pub role: Option<Arc<Role>>,
    /// `notify` of the blocks around.
    pub notify: Vec<Node>,
    /// Keywords of the blocks around, outermost first.
    pub around: Vec<Arc<Keywords>>,
    /// Whether handlers are read: only they may `listen`.
    pub handlers: bool,
}

impl<'a> Walk<'a> {
    pub fn new(loader: &'a Loader, playbook: PathBuf) -> Self {
        Self {
            loader,
            mistakes: vec![],
            playbook,
            handlers: vec![],
            used_roles: vec![],
            run_roles: vec![],
            reading: vec![],
        }
    }

    /// What was read, or the mistakes, each once, warnings apart.
    pub fn finish<T>(self, read: T) -> Checked<T> {
        let mut mistakes: Vec<Diagnostic> = vec![];
        let mut warnings: Vec<Diagnostic> = vec![];
        for diagnostic in self.mistakes {
            let list = if diagnostic.warning { &mut warnings } else { &mut mistakes };
            if !list.contains(&diagnostic) {
                list.push(diagnostic);
            }
        }
        if mistakes.is_empty() {
            if let Ok(mut known) = self.loader.warnings.lock() {
                known.extend(warnings);
            }
            Ok(read)
        } else {
            mistakes.extend(warnings);
            Err(mistakes)
        }
    }

    /// A file's YAML, unless it has mistakes, which are kept.
    pub fn file(&mut self, path: &Path, asked: Option<&Span>) -> Option<Node> {
        match self.loader.file(path, asked) {
            Ok(node) => Some(node),
            Err(mistakes) => {
                self.mistakes.extend(mistakes);
                None
            }
        }
    }

    /// Runs `read` unless `path` is already being read; then `circle` says so.
    pub fn once<T>(
        &mut self,
        path: &Path,
        circle: impl FnOnce() -> Diagnostic,
        read: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        if self.reading.iter().any(|open| open == path) {
            self.mistakes.push(circle());
            return None;
        }
        self.reading.push(path.to_owned());
        let result = read(self);
        self.reading.pop();
        Some(result)
    }

    /// Where something was asked for; for files of the command line, nowhere.
    pub fn asked(message: String, asked: Option<&Span>) -> Diagnostic {
        match asked {
            Some(span) => Diagnostic::new(message, span),
            None => Diagnostic::plain(message),
        }
    }

    /// Keeps a mistake.
    pub fn wrong(&mut self, diagnostic: Diagnostic) {
        self.mistakes.push(diagnostic);
    }
}
