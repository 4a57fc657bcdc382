//! What a template can say of itself: `ansible_managed`, `template_path` and their kin, as Ansible has them.

use crate::base::Value;
use crate::language::layers::{Table, Var};
use crate::language::variables::{Found, Variables};
use crate::system::System;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A step's variables, and below them those of the template that is rendered.
#[derive(Debug)]
pub struct Managed {
    /// The step's.
    pub vars: Arc<dyn Variables>,
    /// The template's.
    pub own: Table,
}

/// The variables of the template in `file`, which the user wrote as `src` and whose result goes to `dest`.
pub fn own(file: &Path, src: &str, dest: &str) -> Table {
    let full = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let system = System::new("/");
    let owner = system.meta_followed(&full).ok().flatten().and_then(|meta| system.user_name(meta.uid).ok());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let now = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S.%6f").to_string();
    let texts = [
        ("ansible_managed", "Ansible managed".to_owned()),
        ("template_host", host.trim_end().to_owned()),
        ("template_uid", owner.unwrap_or_default()),
        ("template_path", src.to_owned()),
        ("template_fullpath", full.display().to_string()),
        ("template_destpath", dest.to_owned()),
        ("template_run_date", now),
    ];
    texts.into_iter().map(|(name, text)| (name.to_owned(), Var::Value(Arc::new(Value::from(text))))).collect()
}

impl Variables for Managed {
    fn get(&self, name: &str) -> Found {
        match (self.vars.get(name), self.own.get(name)) {
            (Found::Missing, Some(Var::Value(value))) => Found::Value(value.clone()),
            // Facts that are on their way have other names.
            (Found::Wait, Some(Var::Value(value))) if name != "ansible_managed" => Found::Value(value.clone()),
            (found, _) => found,
        }
    }

    fn names(&self) -> Vec<String> {
        self.vars.names().into_iter().chain(self.own.keys().cloned()).collect()
    }

    fn host(&self, name: &str) -> Option<Arc<dyn Variables>> {
        self.vars.host(name)
    }

    fn hosts(&self) -> Vec<String> {
        self.vars.hosts()
    }

    fn folders(&self) -> Vec<PathBuf> {
        self.vars.folders()
    }
}
