//! Files to plays: reads playbooks, roles and task files, resolves what is imported, and collects every mistake of all of
//! them before giving up.

mod arguments;
mod block;
mod check;
mod files;
mod import;
mod keywords;
mod play;
mod role;
mod task;
mod walk;

use super::layers::Table;
use super::node::{Data, Key, Node};
use super::playbook::{Block, Item, Playbook, Role};
use super::yaml;
use crate::base::diagnostic::Checked;
use crate::base::{Diagnostic, Source, Span};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use walk::{Place, Walk};

pub use arguments::{pairs, short as short_name};
pub use files::shown;

/// Reads the user's files, each once.
#[derive(Debug, Default)]
pub struct Loader {
    /// Folders of roles, beside those that are near the playbook.
    pub roles_path: Vec<PathBuf>,
    /// `-e`: the only variables that names of imported files may use.
    pub extra: Table,
    files: Mutex<HashMap<PathBuf, Checked<Node>>>,
    warnings: Mutex<Vec<Diagnostic>>,
}

/// A role that is included while the run goes on.
#[derive(Debug, Clone)]
pub struct RoleUse<'a> {
    /// The role's name, rendered.
    pub name: &'a str,
    /// Where it is asked for.
    pub span: &'a Span,
    /// `tasks_from`, rendered; `main` if not given.
    pub tasks_from: Option<&'a str>,
    /// `vars_from`.
    pub vars_from: Option<&'a str>,
    /// `defaults_from`.
    pub defaults_from: Option<&'a str>,
    /// `handlers_from`.
    pub handlers_from: Option<&'a str>,
    /// The role in whose files the include stands.
    pub parent: Option<&'a Arc<Role>>,
    /// [`Play::folder`](super::playbook::Play::folder).
    pub playbook: &'a Path,
}

/// A role, ready to run.
#[derive(Debug, Clone)]
pub struct LoadedRole {
    /// Its tasks; its dependencies' blocks stand first in it.
    pub block: Arc<Block>,
    /// Its handlers and those of its dependencies.
    pub handlers: Vec<Item>,
    /// The role.
    pub role: Arc<Role>,
    /// Its dependencies, deepest first, then itself.
    pub used_roles: Vec<Arc<Role>>,
}

impl Loader {
    /// A loader that also looks for roles in `roles_path`; `extra` are the variables of `-e`.
    pub fn new(roles_path: Vec<PathBuf>, extra: Table) -> Self {
        Self { roles_path, extra, ..Self::default() }
    }

    /// A file that is not on the disk: from now on this text stands at this path.
    pub fn know(&self, path: &Path, text: &str) {
        let read = yaml::load(&Source::new(files::shown(path), text));
        let path = files::absolute(path);
        if let Ok(mut known) = self.files.lock() {
            known.insert(path, read);
        }
    }

    /// A playbook, with everything that it imports.
    pub fn playbook(&self, path: &Path) -> Checked<Playbook> {
        let path = files::absolute(path);
        let mut walk = Walk::new(self, files::folder(&path));
        let plays = walk.playbook_file(&path, None);
        walk.finish(Playbook { plays })
    }

    /// The tasks of a file, for `include_tasks`; `playbook` is the play's folder.
    pub fn task_file(&self, path: &Path, role: Option<&Arc<Role>>, playbook: &Path) -> Checked<Vec<Item>> {
        let path = files::absolute(path);
        let mut walk = Walk::new(self, playbook.to_owned());
        let place = Place { folder: files::folder(&path), role: role.cloned(), ..Place::default() };
        let items = walk.task_file(&path, None, &place);
        walk.finish(items)
    }

    /// Finds the file that `include_tasks: name` means, for a task in `folder` of `role`.
    pub fn find_task_file(
        &self,
        name: &str,
        span: &Span,
        folder: &Path,
        role: Option<&Arc<Role>>,
        playbook: &Path,
    ) -> Result<PathBuf, Diagnostic> {
        files::find_tasks(name, span, folder, role.map(|role| &*role.path), playbook)
    }

    /// A role, for `include_role`.
    pub fn role(&self, asked: &RoleUse<'_>) -> Checked<LoadedRole> {
        let mut walk = Walk::new(self, asked.playbook.to_owned());
        let loaded = walk.included_role(asked);
        let handlers = std::mem::take(&mut walk.handlers);
        let used_roles = std::mem::take(&mut walk.used_roles);
        let loaded = loaded.map(|(block, role)| LoadedRole { block, handlers, role, used_roles });
        walk.finish(loaded)?.ok_or_else(|| vec![Diagnostic::new("this role cannot be read", asked.span)])
    }

    /// The variables of a file, for `vars_files` and `include_vars`.
    pub fn vars_file(&self, path: &Path) -> Checked<Vec<(Key, Node)>> {
        let node = self.file(&files::absolute(path), None)?;
        match &node.data {
            Data::Null => Ok(vec![]),
            Data::Table(entries) => Ok(entries.to_vec()),
            _ => Err(vec![
                Diagnostic::new(format!("a file of variables must be a table, this is {}", node.kind()), &node.span)
                    .help("write one `name: value` per line"),
            ]),
        }
    }

    /// Warnings met since the last call.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        self.warnings.lock().map(|mut warnings| std::mem::take(&mut *warnings)).unwrap_or_default()
    }

    /// A file's YAML; each file is read once. `asked` is where it is named.
    fn file(&self, path: &Path, asked: Option<&Span>) -> Checked<Node> {
        if let Some(known) = self.files.lock().ok().and_then(|files| files.get(path).cloned()) {
            return known;
        }
        let read = files::read(path, asked);
        if let Ok(mut files) = self.files.lock() {
            files.insert(path.to_owned(), read.clone());
        }
        read
    }
}

#[cfg(test)]
mod tests;
