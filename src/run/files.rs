//! What modules may do on the controller: find local files, render templates, keep bytes.

use super::context::{Context, Missing};
use crate::base::Failure;
use crate::language::managed::Managed;
use crate::language::node::Node;
use crate::language::variables::Variables;
use crate::modules::{BlobRef, Controller, Origin, TemplateOptions};
use std::cell::Cell;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The controller as one step sees it.
pub struct Local<'a> {
    context: &'a Context,
    vars: &'a Arc<dyn Variables>,
    args: Option<&'a Node>,
    /// A template met a value that is still being made.
    pub waits: Cell<bool>,
}

impl<'a> Local<'a> {
    /// For a step whose variables are `vars`.
    pub fn new(context: &'a Context, vars: &'a Arc<dyn Variables>) -> Self {
        Self { context, vars, args: None, waits: Cell::new(false) }
    }

    /// The same for a step whose arguments were written in `args`.
    pub fn of_task(context: &'a Context, vars: &'a Arc<dyn Variables>, args: &'a Node) -> Self {
        Self { args: Some(args), ..Self::new(context, vars) }
    }
}

impl Controller for Local<'_> {
    fn find(&self, folder: &str, name: &str) -> Result<PathBuf, Failure> {
        find(&self.vars.folders(), folder, name)
    }

    fn render(&self, of: &Origin<'_>, text: &str, options: &TemplateOptions) -> Result<String, Failure> {
        let vars: Arc<dyn Variables> = match of.written {
            Some((src, dest)) => {
                Arc::new(Managed { vars: self.vars.clone(), own: super::managed::own(of.file, src, Some(dest)) })
            }
            None => self.vars.clone(),
        };
        self.context.templates.render_text(of.file, text, options, &vars).map_err(|error| match Missing::from(error) {
            Missing::Wait => {
                self.waits.set(true);
                Failure::new("a value is still being made")
            }
            Missing::Failed(failure) => failure,
        })
    }

    fn blob(&self, bytes: Vec<u8>) -> BlobRef {
        self.context.blobs.keep(bytes)
    }

    fn blob_file(&self, path: &Path) -> Result<BlobRef, Failure> {
        self.context.blobs.keep_file(path)
    }

    fn arrived(&self, name: &str) -> Result<Box<dyn Read>, Failure> {
        self.context.blobs.arrived(name)
    }

    fn folder(&self) -> PathBuf {
        self.vars.folders().last().cloned().unwrap_or_default()
    }

    fn place(&self, argument: &[&str]) -> Option<String> {
        super::place::of(self.args?, argument, self.vars.as_ref())
    }
}

/// Finds `name` in `FOLDER/` of each base folder, or in the base folder itself.
pub fn find(bases: &[PathBuf], folder: &str, name: &str) -> Result<PathBuf, Failure> {
    let path = expand_home(name);
    if path.is_absolute() {
        return if path.exists() {
            Ok(path)
        } else {
            Err(Failure::new(format!("there is no file {}", path.display())))
        };
    }
    let mut tried = Vec::new();
    for base in bases {
        for candidate in [base.join(folder).join(&path), base.join(&path)] {
            if candidate.exists() {
                return Ok(candidate);
            }
            if !tried.contains(&candidate) {
                tried.push(candidate);
            }
        }
    }
    let tried: Vec<String> = tried.iter().map(|path| path.display().to_string()).collect();
    Err(Failure::new(format!("could not find `{name}`")).help(format!("searched in order: {}", tried.join(", "))))
}

fn expand_home(name: &str) -> PathBuf {
    match (name.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(name),
    }
}
