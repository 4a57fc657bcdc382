//! Modules that need what only the engine has: conditions for `assert`, a value for `debug`, files for `include_vars`.

use super::context::{Context, Missing, text};
use super::files;
use crate::base::{Failure, Map, Value};
use crate::language::layers::{Table, Var};
use crate::language::node::{Data, Key, Node};
use crate::language::playbook::{Action, Task};
use crate::language::variables::Variables;
use crate::modules::Entry as Module;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Adds the hidden arguments that the module documents as filled in by the engine.
pub fn prepare(
    context: &Context,
    module: &Module,
    task: &Task,
    args: &mut Map,
    vars: &Arc<dyn Variables>,
) -> Result<(), Missing> {
    match module.name {
        "assert" => {
            let results = judge(context, task, vars)?;
            args.insert("_results".into(), results);
        }
        "async_status" => {
            args.insert("_async_dir".into(), super::step::async_folder(context, vars)?.into());
        }
        "debug" => {
            args.insert("_verbosity".into(), context.options.verbosity.into());
            if let Some(expression) = args.get("var").and_then(text) {
                let node = Node::text(format!("{{{{ {expression} }}}}"), task.span.clone());
                match context.render(&node, vars) {
                    Ok(value) => {
                        args.insert("_value".into(), value);
                    }
                    Err(Missing::Wait) => return Err(Missing::Wait),
                    Err(Missing::Failed(failure)) if failure.message.contains("undefined") => {}
                    Err(failed) => return Err(failed),
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Tests the conditions of an `assert` one by one, up to the first that does not hold.
fn judge(context: &Context, task: &Task, vars: &Arc<dyn Variables>) -> Result<Value, Missing> {
    let Action::Module { args, .. } = &task.action else { return Ok(Value::Null) };
    let Some(that) = args.get("that") else { return Ok(Value::Array(vec![])) };
    let conditions: Vec<Node> = match &that.data {
        Data::List(items) => items.to_vec(),
        _ => vec![that.clone()],
    };
    let mut results = Vec::new();
    for condition in &conditions {
        let holds = context.templates.test(condition, vars)?;
        results.push(serde_json::json!({"condition": condition.to_value(), "holds": holds}));
        if !holds {
            break;
        }
    }
    Ok(Value::Array(results))
}

/// Reads what `include_vars` names: the variables, with their templates still to be rendered, and the files.
pub fn include_vars(context: &Context, args: &Map, vars: &Arc<dyn Variables>) -> Result<(Table, Vec<String>), Failure> {
    let mut files = Vec::new();
    if let Some(file) = args.get("file").and_then(text) {
        files.push(files::find(&vars.folders(), "vars", &file)?);
    } else if let Some(dir) = args.get("dir").and_then(text) {
        let folder = files::find(&vars.folders(), "vars", &dir)?;
        let extensions: Vec<String> = match args.get("extensions") {
            Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
            _ => vec!["yaml".into(), "yml".into(), "json".into()],
        };
        let matching = args.get("files_matching").and_then(text);
        let matching = matching
            .map(|pattern| {
                regex::Regex::new(&pattern).map_err(|error| Failure::new(format!("`files_matching`: {error}")))
            })
            .transpose()?;
        let depth = args.get("depth").and_then(Value::as_u64).unwrap_or(0);
        walk(&folder, depth, 1, &mut files)?;
        files.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            extensions.iter().any(|known| *known == extension)
                && matching.as_ref().is_none_or(|regex| regex.is_match(&name))
        });
    } else {
        return Err(Failure::new("include_vars takes either `file` or `dir`"));
    }
    let mut table = Table::default();
    for file in &files {
        let read = context.loader.vars_file(file).map_err(|diagnostics| {
            Failure::new(diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })?;
        table.extend(crate::language::layers::table(&read));
    }
    if let Some(name) = args.get("name").and_then(text) {
        let entries: Vec<(Key, Node)> = table
            .into_iter()
            .filter_map(|(name, var)| match var {
                Var::Node(node) => Some((Key { name: name.into(), span: node.span.clone() }, node)),
                Var::Value(_) => None,
            })
            .collect();
        let span = entries.first().map_or_else(crate::base::Span::nowhere, |(_, node)| node.span.clone());
        table = Table::from_iter([(name, Var::Node(Node { span, data: Data::Table(Arc::new(entries)) }))]);
    }
    Ok((table, files.iter().map(|path| path.display().to_string()).collect()))
}

fn walk(folder: &Path, depth: u64, level: u64, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if depth == 0 || level < depth {
                walk(&path, depth, level + 1, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}
