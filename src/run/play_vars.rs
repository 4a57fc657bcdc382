//! The variables that a play brings along: the run's own, the play's, its roles', `vars_files`.

use super::context::Missing;
use super::{Run, files, told, vars};
use crate::base::{Failure, Value};
use crate::language::layers::{Layer, Table, Var, table};
use crate::language::node::{Data, Node};
use crate::language::playbook::Play;
use std::path::PathBuf;
use std::sync::Arc;

/// A Python of the controller, for playbooks that name Ansible's own.
fn python() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("python3")).find(|file| file.is_file());
    found.unwrap_or_else(|| "/usr/bin/python3".into()).display().to_string()
}

impl Run {
    /// What is the same on every host: the command line's, and what the run knows of itself.
    pub fn globals(&self, play: &Play) -> vars::Layers {
        let options = &self.context.options;
        let mut magic = Table::default();
        let mut put = |name: &str, value: Value| {
            magic.insert(name.to_owned(), Var::Value(Arc::new(value)));
        };
        put("ansible_check_mode", options.check.into());
        put("ansible_diff_mode", options.diff.into());
        put("ansible_forks", options.forks.into());
        put("ansible_verbosity", options.verbosity.into());
        put(
            "ansible_run_tags",
            if options.tags.is_empty() { vec!["all".to_owned()] } else { options.tags.clone() }.into(),
        );
        put("ansible_skip_tags", options.skip_tags.clone().into());
        put(
            "ansible_version",
            serde_json::json!({"full": "2.19.0", "major": 2, "minor": 19, "revision": 0, "string": "2.19.0"}),
        );
        put("chainwright_version", env!("CARGO_PKG_VERSION").into());
        if let Ok(binary) = std::env::current_exe() {
            put("chainwright_binary", binary.display().to_string().into());
        }
        if let Some(limit) = &options.limit {
            put("ansible_limit", limit.as_str().into());
        }
        put("playbook_dir", play.folder.display().to_string().into());
        put("omit", crate::language::template::OMIT.into());
        put("ansible_playbook_python", python().into());
        let sources = self.inventory.sources.iter().map(|source| Value::from(source.display().to_string()));
        put("ansible_inventory_sources", sources.collect());
        if let Some(source) = self.inventory.sources.first() {
            let folder =
                if source.is_dir() { source.clone() } else { source.parent().map(PathBuf::from).unwrap_or_default() };
            put("inventory_dir", folder.display().to_string().into());
            put("inventory_file", source.display().to_string().into());
        }
        vec![(Layer::Extra, Arc::new(self.extra.clone())), (Layer::Magic, Arc::new(magic))]
    }

    /// The play's own variables, and those of the roles that it uses.
    pub fn play_vars(play: &Play) -> vars::Layers {
        let mut layers = Vec::new();
        for role in &play.used_roles {
            layers.push((Layer::RoleDefaults, Arc::new(table(&role.defaults))));
            layers.push((Layer::RoleVars, Arc::new(table(&role.vars))));
        }
        if let Some(vars) = &play.keywords.vars {
            layers.push((Layer::PlayVars, Arc::new(table(vars.entries()))));
        }
        layers
    }

    /// Reads `vars_files` for each host: their names may use its variables.
    pub fn vars_files(&self, play: &Play, hosts: &[String]) -> Result<(), Failure> {
        if play.vars_files.is_empty() {
            return Ok(());
        }
        for host in hosts {
            let Some(vars) = self.context.store.host(host, 0) else { continue };
            let mut merged = Table::default();
            for node in &play.vars_files {
                let choices: Vec<Node> = match &node.data {
                    Data::List(items) => items.to_vec(),
                    _ => vec![node.clone()],
                };
                let mut found = None;
                let mut trouble = None;
                for choice in &choices {
                    match self.context.text(Some(choice), &vars) {
                        Ok(Some(name)) => match files::find(std::slice::from_ref(&play.folder), "vars", &name) {
                            Ok(path) => {
                                found = Some(path);
                                break;
                            }
                            Err(failure) => trouble = Some(failure),
                        },
                        Ok(None) | Err(Missing::Wait) => {}
                        Err(Missing::Failed(failure)) => trouble = Some(failure),
                    }
                }
                let Some(path) = found else {
                    return Err(trouble
                        .unwrap_or_else(|| Failure::new("`vars_files` names no file"))
                        .context(&node.span));
                };
                let read = self.context.loader.vars_file(&path).map_err(told)?;
                merged.extend(table(&read));
            }
            self.context.store.set_vars_files(host, merged);
        }
        Ok(())
    }
}
