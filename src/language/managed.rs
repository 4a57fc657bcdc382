//! The variables of a template file: a step's, and over them what the file can say of itself.

use super::layers::{Table, Var};
use super::variables::{Found, Variables};
use crate::base::Map;
use crate::base::failure::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A step's variables, and those of the template that is rendered.
#[derive(Debug)]
pub struct Managed {
    /// The step's.
    pub vars: Arc<dyn Variables>,
    /// The template's. The user's own `ansible_managed` goes before this one.
    pub own: Table,
}

impl Variables for Managed {
    fn get(&self, name: &str) -> Found {
        let own = match self.own.get(name) {
            Some(Var::Value(value)) => Found::Value(value.clone()),
            Some(Var::Node(node)) => Found::Node(node.clone()),
            None => return self.vars.get(name),
        };
        if name != "ansible_managed" {
            return own;
        }
        match self.vars.get(name) {
            Found::Missing => own,
            found => found,
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

    fn fetch(&self, url: &str, options: &Map) -> Result<String> {
        self.vars.fetch(url, options)
    }

    fn select(&self, pattern: &str) -> Vec<String> {
        self.vars.select(pattern)
    }

    fn of_template(&self, file: &Path, written: &str) -> Table {
        self.vars.of_template(file, written)
    }
}
