//! Modules that need what only the engine has: conditions for `assert`, a value for `debug`, files for `include_vars`.

use super::context::{Context, Missing, text};
use super::files;
use crate::base::{Failure, Map, Value};
use crate::language::layers::{Table, Var};
use crate::language::node::{Data, Key, Node};
use crate::language::playbook::{Action, Task};
use crate::language::variables::Variables;
use crate::modules::Entry as Module;
use crate::modules::include_vars::IncludeVars;
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

/// Those of a folder's files that `include_vars` shall read.
fn of_folder(files: Vec<PathBuf>, asked: &IncludeVars) -> Result<Vec<PathBuf>, Failure> {
    let pattern = |option: &str, text: &str| {
        regex::Regex::new(text).map_err(|error| Failure::new(format!("`include_vars`: `{option}`: {error}")))
    };
    let matching = asked.files_matching.as_deref().map(|text| pattern("files_matching", text)).transpose()?;
    let ignored = asked.ignore_files.0.iter().map(|text| pattern("ignore_files", &format!("{text}$")));
    let ignored = ignored.collect::<Result<Vec<_>, _>>()?;
    let mut chosen = Vec::new();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if matching.as_ref().is_some_and(|regex| !regex.is_match(&name)) || ignored.iter().any(|it| it.is_match(&name))
        {
            continue;
        }
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if asked.extensions.0.iter().any(|known| *known == extension) {
            chosen.push(path);
        } else if !asked.ignore_unknown_extensions.0 {
            let known = asked.extensions.0.join(", ");
            return Err(Failure::new(format!("{}: its ending is none of {known}", path.display()))
                .help("write `ignore_unknown_extensions: true` to pass over it, or name it in `ignore_files`"));
        }
    }
    Ok(chosen)
}

/// Reads what `include_vars` names: the variables, with their templates still to be rendered, and the files.
pub fn include_vars(context: &Context, args: &Map, vars: &Arc<dyn Variables>) -> Result<(Table, Vec<String>), Failure> {
    let mut files = Vec::new();
    if let Some(file) = args.get("file").and_then(text) {
        files.push(files::find(&vars.folders(), "vars", &file)?);
    } else if let Some(dir) = args.get("dir").and_then(text) {
        let folder = files::find(&vars.folders(), "vars", &dir)?;
        let asked: IncludeVars = serde_json::from_value(Value::Object(args.clone()))
            .map_err(|error| Failure::new(format!("`include_vars`: {error}")))?;
        walk(&folder, u64::try_from(asked.depth.0).unwrap_or(0), 1, &mut files)?;
        files = of_folder(files, &asked)?;
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
    // A folder's own files come before those of the folders in it.
    entries.sort_by_cached_key(|path| (path.is_dir(), path.clone()));
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
