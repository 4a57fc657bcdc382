//! INI inventories: `[group]`, `[group:children]`, `[group:vars]`, hosts with `name=value` behind them.

use super::build::Builder;
use super::{Inventory, literal};
use crate::base::diagnostic::did_you_mean;
use crate::base::{Diagnostic, Source, Span};
use crate::language::node::Node;
use std::sync::Arc;

#[derive(Clone, PartialEq)]
enum Section {
    Hosts(String),
    Children(String),
    Vars(String),
}

pub fn read(builder: &mut Builder<'_>, source: &Arc<Source>) {
    let mut section = Section::Hosts("ungrouped".to_owned());
    // Groups that are named before their section: they join their parents where that begins.
    let mut waiting: Vec<(String, String, Span)> = vec![];
    let mut described: Vec<(String, Span)> = vec![];
    let mut defined: Vec<String> = builder.inventory.groups.keys().cloned().collect();
    let mut start = 0;
    for whole in source.text.split_inclusive('\n') {
        let from = start + (whole.len() - whole.trim_start().len());
        start += whole.len();
        let line = whole.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let place = |at: usize, length: usize| Span::new(source.clone(), from + at, from + at + length);
        if line.starts_with('[') && !line.contains('=') && closes(line) {
            match head(line) {
                Some((name, kind)) => {
                    builder.inventory.group(name, Some(&place(1, name.len())));
                    section = match kind {
                        None => Section::Hosts(name.to_owned()),
                        Some("children") => Section::Children(name.to_owned()),
                        Some("vars") => Section::Vars(name.to_owned()),
                        Some(kind) => {
                            let diagnostic = Diagnostic::new(
                                format!("a section has no kind `{kind}`"),
                                &place(2 + name.len(), kind.len()),
                            );
                            let near = did_you_mean(kind, ["children", "vars"]);
                            builder.mistakes.push(match near {
                                Some(near) => diagnostic.help(format!("did you mean `[{name}:{near}]`?")),
                                None => diagnostic.help("write `[group]`, `[group:children]` or `[group:vars]`"),
                            });
                            continue;
                        }
                    };
                    if kind == Some("vars") {
                        described.push((name.to_owned(), place(1, name.len())));
                    } else {
                        defined.push(name.to_owned());
                        for (parent, child, span) in waiting.extract_if(.., |(_, child, _)| child == name) {
                            builder.child(&parent, &child, &span);
                        }
                    }
                }
                None => builder.mistakes.push(
                    Diagnostic::new("this is no section", &place(0, line.len()))
                        .help("write `[group]`, `[group:children]` or `[group:vars]`"),
                ),
            }
            continue;
        }
        match &section {
            Section::Hosts(group) => host(builder, line, group, &place),
            Section::Children(group) => {
                let name = line.split_whitespace().next().unwrap_or(line);
                if defined.iter().any(|known| known == name) {
                    builder.child(group, name, &place(0, name.len()));
                } else {
                    waiting.push((group.clone(), name.to_owned(), place(0, name.len())));
                }
            }
            Section::Vars(group) => match line.split_once('=') {
                Some((name, value)) => {
                    let at = name.len() + 1 + (value.len() - value.trim_start().len());
                    let (name, value) = (name.trim(), value.trim());
                    let node = literal::parse(value, &place(at, value.len()));
                    Inventory::set(&mut builder.inventory.group(group, None).vars, name, node);
                }
                None => builder.mistakes.push(
                    Diagnostic::new("a variable needs `name=value`", &place(0, line.len()))
                        .help(format!("write `{line}=...`, or begin another section before it")),
                ),
            },
        }
    }
    described.retain(|(name, _)| !defined.contains(name));
    for (name, span) in waiting.into_iter().map(|(_, name, span)| (name, span)).chain(described) {
        let diagnostic = Diagnostic::new(format!("there is no group `{name}`"), &span);
        builder.mistakes.push(match did_you_mean(&name, defined.iter().map(String::as_str)) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(format!("add a section `[{name}]`")),
        });
    }
}

/// Whether the line ends after its first `]`: `[a:c].example` is a host.
fn closes(line: &str) -> bool {
    line.find(']').is_none_or(|at| {
        let rest = line[at + 1..].trim_start();
        rest.is_empty() || rest.starts_with(['#', ';'])
    })
}

/// The group and the kind of `[group:kind]`.
fn head(line: &str) -> Option<(&str, Option<&str>)> {
    let inner = line.strip_prefix('[')?.split_once(']')?.0;
    let (name, kind) = inner.split_once(':').map_or((inner, None), |(name, kind)| (name, Some(kind)));
    (!name.is_empty() && !name.contains(char::is_whitespace)).then_some((name, kind))
}

fn host(builder: &mut Builder<'_>, line: &str, group: &str, place: &dyn Fn(usize, usize) -> Span) {
    let (words, cut) = words(line);
    if let Some(at) = cut {
        builder.inventory.warnings.push(
            Diagnostic::new("a comment begins inside this word", &place(at, line.len() - at))
                .help("put the value in quotes if `#` belongs to it, or a blank before the `#`")
                .warning(),
        );
    }
    let mut words = words.into_iter();
    let Some((at, name)) = words.next() else { return };
    let span = place(at, name.len());
    let names = builder.hosts(&name, &span, group);
    for (at, word) in words {
        let Some((name, value)) = word.split_once('=') else {
            builder.mistakes.push(
                Diagnostic::new(format!("`{word}` is no `name=value`"), &place(at, word.len()))
                    .help("one host a line; values with blanks need quotes"),
            );
            continue;
        };
        // Quotes are gone from the value, so its place is the whole word.
        let node: Node = literal::parse(value, &place(at, word.len().min(line.len() - at)));
        for host in &names {
            Inventory::set(&mut builder.inventory.host(host, None, None).vars, name, node.clone());
        }
    }
}

/// Splits as a shell does, up to a comment; each word with where it begins. A `#` ends even a word, as in Ansible: then
/// where that is comes too.
fn words(line: &str) -> (Vec<(usize, String)>, Option<usize>) {
    let mut words: Vec<(usize, String)> = vec![];
    let (mut quote, mut open) = (None, false);
    let mut letters = line.char_indices();
    while let Some((at, letter)) = letters.next() {
        if quote.is_none() {
            if letter.is_whitespace() {
                open = false;
                continue;
            }
            if letter == '#' {
                return (words, open.then_some(at));
            }
        }
        if !open {
            words.push((at, String::new()));
            open = true;
        }
        let Some((_, word)) = words.last_mut() else { break };
        match letter {
            '"' | '\'' if quote == Some(letter) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(letter),
            '\\' if quote != Some('\'') => match letters.next() {
                Some((_, next)) if quote.is_none() || matches!(next, '"' | '\\') => word.push(next),
                Some((_, next)) => word.extend(['\\', next]),
                None => word.push('\\'),
            },
            _ => word.push(letter),
        }
    }
    (words, None)
}
