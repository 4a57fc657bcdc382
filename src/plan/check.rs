//! What can be known to be wrong before anything connects: module names, their arguments, templates, handlers.

use super::entry::Entry;
use super::flatten::Flat;
use crate::base::diagnostic::did_you_mean;
use crate::base::{Diagnostic, Map, Source, Value};
use crate::language::node::{Data, Node};
use crate::language::playbook::{Action, Keywords, Task};
use crate::language::template::{TemplateOptions, Templates};
use crate::modules::{arguments, registry};

/// Every mistake in a flattened play.
pub fn play(flat: &Flat, templates: &Templates) -> Vec<Diagnostic> {
    let handlers: Vec<Entry> = flat.handlers.iter().map(|handler| handler.entry.clone()).collect();
    let mut mistakes = entries(&flat.entries, templates);
    mistakes.extend(entries(&handlers, templates));
    let dynamic = flat
        .entries
        .iter()
        .any(|entry| matches!(entry.task().map(|task| &task.action), Some(Action::Include(include)) if include.role));
    if !dynamic {
        mistakes.extend(missing_handlers(flat, &handlers));
    }
    mistakes
}

/// Every mistake in these entries, handlers' names aside.
pub fn entries(entries: &[Entry], templates: &Templates) -> Vec<Diagnostic> {
    let mut mistakes = Vec::new();
    let mut seen: Vec<*const Task> = Vec::new();
    for entry in entries {
        let Some(task) = entry.task() else { continue };
        if seen.contains(&std::sync::Arc::as_ptr(task)) {
            continue;
        }
        seen.push(std::sync::Arc::as_ptr(task));
        check_task(task, templates, &mut mistakes);
        for keywords in entry.outer.iter() {
            check_keywords(keywords, templates, &mut mistakes);
        }
    }
    let mut unique: Vec<Diagnostic> = Vec::new();
    for mistake in mistakes {
        if !unique.contains(&mistake) {
            unique.push(mistake);
        }
    }
    unique
}

fn check_keywords(keywords: &Keywords, templates: &Templates, mistakes: &mut Vec<Diagnostic>) {
    for condition in &keywords.when {
        mistakes.extend(templates.check_condition(condition));
    }
    for node in [&keywords.vars, &keywords.environment, &keywords.delegate_to].into_iter().flatten() {
        mistakes.extend(templates.check(node));
    }
}

fn check_task(task: &Task, templates: &Templates, mistakes: &mut Vec<Diagnostic>) {
    check_keywords(&task.keywords, templates, mistakes);
    for condition in task.until.iter().chain(&task.changed_when).chain(&task.failed_when) {
        mistakes.extend(templates.check_condition(condition));
    }
    for node in task.name.iter().chain(task.r#loop.as_ref().map(|over| &over.over)) {
        mistakes.extend(templates.check(node));
    }
    let Action::Module { name, args, free } = &task.action else { return };
    mistakes.extend(templates.check(args));
    mistakes.extend(free.iter().flat_map(|free| templates.check(free)));
    let Some(module) = registry::find(&name.name) else {
        let mut mistake = Diagnostic::new(format!("there is no module `{}`", name.name), &name.span);
        // Only the last word: those of one collection are alike in all that stands before it.
        let last = |name: &'static str| (name.rsplit('.').next().unwrap_or(name), name);
        let known: Vec<(&str, &str)> = registry::names().map(last).collect();
        let short = name.name.rsplit('.').next().unwrap_or(&name.name);
        let near = did_you_mean(short, known.iter().map(|(short, _)| *short));
        mistake = match known.iter().find(|(short, _)| Some(*short) == near).map(|(_, name)| name) {
            Some(known) => mistake.help(format!("did you mean `{known}`?")),
            None => mistake.help("`chainwright doc -l` lists the modules"),
        };
        mistakes.push(mistake);
        return;
    };
    if let (Some(free), None) = (free, module.free_form) {
        mistakes.push(
            Diagnostic::new(format!("`{}` takes no free text", module.name), &free.span)
                .help("write its options as `name: value` lines below it"),
        );
    }
    for (key, _) in args.entries() {
        if let Err(failure) = arguments::check_names(module, [&*key.name]) {
            let mut mistake = Diagnostic::new(failure.message, &key.span);
            mistake.help = failure.help;
            mistakes.push(mistake);
        }
    }
    let open =
        args.is_template() || free.as_ref().is_some_and(Node::is_template) || !matches!(args.data, Data::Table(_));
    if open || module.name == "debug" || has_defaults(task) {
        check_template_file(task, module.name, args, templates, mistakes);
        return;
    }
    let mut values: Map = match args.to_value() {
        Value::Object(values) => values,
        _ => Map::new(),
    };
    if let (Some(free), Some(option)) = (free, module.free_form) {
        values.insert(option.to_owned(), free.to_value());
    }
    if let Err(failure) = (module.check)(values) {
        let place = blamed(args, &failure.message).unwrap_or(&name.span);
        let mut mistake = Diagnostic::new(failure.message, place);
        mistake.help = failure.help;
        mistakes.push(mistake);
    }
    check_template_file(task, module.name, args, templates, mistakes);
}

fn has_defaults(task: &Task) -> bool {
    task.keywords.module_defaults.is_some()
}

/// The option that a failure names in backticks, if the user wrote it.
fn blamed<'a>(args: &'a Node, message: &str) -> Option<&'a crate::base::Span> {
    args.entries()
        .iter()
        .find(|(key, _)| message.contains(&format!("option `{}`", key.name)))
        .map(|(_, node)| &node.span)
}

/// Reads the file that a `template` task names, and checks its syntax.
fn check_template_file(task: &Task, module: &str, args: &Node, templates: &Templates, mistakes: &mut Vec<Diagnostic>) {
    if module != "template" {
        return;
    }
    let Some(src) = args.get("src").filter(|src| !src.is_template()) else { return };
    let Some(name) = src.as_str() else { return };
    let role = task.role.as_ref().map(|role| role.path.clone());
    let bases = role.into_iter().chain([task.folder.clone()]);
    let path = bases.flat_map(|base| [base.join("templates").join(name), base.join(name)]).find(|path| path.is_file());
    let Some(path) = path else { return };
    let options_given = ["variable_start_string", "block_start_string", "comment_start_string"];
    if options_given.iter().any(|option| args.get(option).is_some()) {
        return;
    }
    if let Ok(source) = Source::read(&path) {
        mistakes.extend(templates.check_text(&source, &TemplateOptions::default()));
    }
}

fn missing_handlers(flat: &Flat, handlers: &[Entry]) -> Vec<Diagnostic> {
    let mut names: Vec<String> = Vec::new();
    let mut open = false;
    for entry in handlers {
        let title = entry.title();
        open |= title.contains("{{");
        if let Some((_, short)) = title.split_once(" : ") {
            names.push(short.to_owned());
        }
        names.push(title);
        if let Some(task) = entry.task() {
            names.extend(task.listen.iter().filter_map(Node::as_str).map(ToOwned::to_owned));
        }
    }
    let mut mistakes: Vec<Diagnostic> = Vec::new();
    let notifying = flat.entries.iter().chain(handlers).filter_map(Entry::task);
    for node in notifying.flat_map(|task| &task.notify).filter(|node| !node.is_template() && !open) {
        let Some(name) = node.as_str() else { continue };
        if names.iter().any(|known| known == name) {
            continue;
        }
        let mut mistake = Diagnostic::new(
            format!("there is no handler `{name}`, neither as a name nor as a `listen` topic"),
            &node.span,
        );
        if let Some(known) = did_you_mean(name, names.iter().map(String::as_str)) {
            mistake = mistake.help(format!("did you mean `{known}`?"));
        }
        if !mistakes.contains(&mistake) {
            mistakes.push(mistake);
        }
    }
    mistakes
}
