//! What every step of a run needs and none changes: options, templates, variables, files.

use super::blobs::BlobStore;
use super::vars::Store;
use crate::base::{Failure, Secret, Value};
use crate::connect::AgentBinary;
use crate::language::loader::Loader;
use crate::language::node::Node;
use crate::language::template::{RenderError, Templates};
use crate::language::variables::{Found, Variables};
use std::path::PathBuf;
use std::sync::Arc;

/// What the command line says of a run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `-C`.
    pub check: bool,
    /// `-D`.
    pub diff: bool,
    /// `-b`.
    pub r#become: bool,
    /// `--become-user`.
    pub become_user: Option<String>,
    /// `-K`.
    pub become_password: Option<Secret>,
    /// `-u`.
    pub user: Option<String>,
    /// `--private-key`.
    pub private_key: Option<PathBuf>,
    /// `-c`.
    pub connection: Option<String>,
    /// `--ssh-common-args`.
    pub ssh_args: Option<String>,
    /// `-f`: how many hosts work at a time.
    pub forks: usize,
    /// `-T`: seconds for a connection to come about.
    pub timeout: u64,
    /// How many seconds an ssh connection outlives the run, for the next one.
    pub persist: u64,
    /// `-v`, counted.
    pub verbosity: u8,
    /// `-t`.
    pub tags: Vec<String>,
    /// `--skip-tags`.
    pub skip_tags: Vec<String>,
    /// `-l`.
    pub limit: Option<String>,
    /// `--start-at-task`.
    pub start_at: Option<String>,
    /// `--force-handlers`.
    pub force_handlers: bool,
}

impl Options {
    /// Whether every task of the playbook is meant.
    pub fn whole(&self) -> bool {
        self.tags.is_empty() && self.skip_tags.is_empty() && self.start_at.is_none()
    }
}

/// The run's surroundings.
pub struct Context {
    /// The command line.
    pub options: Options,
    /// Compiled templates.
    pub templates: Templates,
    /// All variables.
    pub store: Arc<Store>,
    /// Reads playbooks, roles, variable files.
    pub loader: Loader,
    /// Bytes that hosts may ask for.
    pub blobs: Arc<BlobStore>,
    /// What is uploaded to hosts.
    pub agent: Arc<AgentBinary>,
}

/// Why a value is not there: not yet, or not at all.
#[derive(Debug)]
pub enum Missing {
    /// A value that it reads is still being made.
    Wait,
    /// It cannot be made.
    Failed(Failure),
}

impl From<RenderError> for Missing {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Wait => Self::Wait,
            RenderError::Failed(diagnostic) => {
                let place = diagnostic.span.as_ref().map(|span| format!(" ({span})")).unwrap_or_default();
                let mut failure = Failure::new(format!("{}{place}", diagnostic.message));
                failure.help.clone_from(&diagnostic.help);
                Self::Failed(failure)
            }
        }
    }
}

impl From<Failure> for Missing {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Context {
    /// Renders a node.
    pub fn render(&self, node: &Node, vars: &Arc<dyn Variables>) -> Result<Value, Missing> {
        Ok(self.templates.render(node, vars)?)
    }

    /// Whether all conditions hold; the first that does not, if any.
    pub fn first_false<'a>(
        &self,
        conditions: impl IntoIterator<Item = &'a Node>,
        vars: &Arc<dyn Variables>,
    ) -> Result<Option<&'a Node>, Missing> {
        for condition in conditions {
            if !self.templates.test(condition, vars)? {
                return Ok(Some(condition));
            }
        }
        Ok(None)
    }

    /// A keyword's boolean.
    pub fn flag(&self, node: Option<&Node>, vars: &Arc<dyn Variables>) -> Result<Option<bool>, Missing> {
        let Some(node) = node else { return Ok(None) };
        let value = self.render(node, vars)?;
        truth(&value).map(Some).ok_or_else(|| {
            Missing::Failed(
                Failure::new(format!("`{value}` is not a boolean ({})", node.span)).help("write `true` or `false`"),
            )
        })
    }

    /// A keyword's number.
    pub fn number(&self, node: Option<&Node>, vars: &Arc<dyn Variables>) -> Result<Option<f64>, Missing> {
        let Some(node) = node else { return Ok(None) };
        let value = self.render(node, vars)?;
        let number = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number
            .map(Some)
            .ok_or_else(|| Missing::Failed(Failure::new(format!("`{value}` is not a number ({})", node.span))))
    }

    /// A keyword's text.
    pub fn text(&self, node: Option<&Node>, vars: &Arc<dyn Variables>) -> Result<Option<String>, Missing> {
        let Some(node) = node else { return Ok(None) };
        Ok(text(&self.render(node, vars)?))
    }

    /// A variable's value, rendered.
    pub fn variable(&self, name: &str, vars: &Arc<dyn Variables>) -> Result<Option<Value>, Missing> {
        match vars.get(name) {
            Found::Missing => Ok(None),
            Found::Wait => Err(Missing::Wait),
            Found::Value(value) => Ok(Some((*value).clone())),
            Found::Node(node) => self.render(&node, vars).map(Some),
        }
    }
}

/// What a value means as a boolean; `None` if nothing.
pub fn truth(value: &Value) -> Option<bool> {
    serde_json::from_value::<crate::modules::loose::Flag>(value.clone()).ok().map(|flag| flag.0)
}

/// A value as a text; nothing for null and empty.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
