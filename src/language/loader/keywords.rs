//! The keywords that plays, blocks, roles and tasks share.

use super::check::{self, Kind};
use crate::base::Diagnostic;
use crate::language::node::{Data, Key, Node};
use crate::language::playbook::Keywords;

/// The names of [`Keywords`], and those that are read and have no meaning here.
pub const SHARED: &[&str] = &[
    "vars",
    "tags",
    "when",
    "become",
    "become_user",
    "become_method",
    "become_exe",
    "become_flags",
    "environment",
    "no_log",
    "ignore_errors",
    "ignore_unreachable",
    "check_mode",
    "diff",
    "any_errors_fatal",
    "run_once",
    "delegate_to",
    "delegate_facts",
    "connection",
    "remote_user",
    "port",
    "throttle",
    "timeout",
    "module_defaults",
    "collections",
    "debugger",
];

/// Takes a keyword that all share; `false` if `key` is none.
pub fn take(keywords: &mut Keywords, key: &Key, node: &Node, mistakes: &mut Vec<Diagnostic>) -> bool {
    use Kind::{Any, Boolean, Number, Table, Tables, Text, Texts};
    let (slot, kind) = match &*key.name {
        "tags" => {
            if check::kind(Texts, key, node, mistakes) {
                keywords.tags = tags(node);
            }
            return true;
        }
        "when" => {
            if check::kind(Kind::Conditions, key, node, mistakes) {
                keywords.when = check::list(node);
            }
            return true;
        }
        "vars" => (&mut keywords.vars, Table),
        "become" => (&mut keywords.r#become, Boolean),
        "become_user" => (&mut keywords.become_user, Text),
        "become_method" => (&mut keywords.become_method, Text),
        "become_exe" => (&mut keywords.become_exe, Text),
        "become_flags" => (&mut keywords.become_flags, Text),
        "environment" => (&mut keywords.environment, Tables),
        "no_log" => (&mut keywords.no_log, Boolean),
        "ignore_errors" => (&mut keywords.ignore_errors, Boolean),
        "ignore_unreachable" => (&mut keywords.ignore_unreachable, Boolean),
        "check_mode" => (&mut keywords.check_mode, Boolean),
        "diff" => (&mut keywords.diff, Boolean),
        "any_errors_fatal" => (&mut keywords.any_errors_fatal, Boolean),
        "run_once" => (&mut keywords.run_once, Boolean),
        "delegate_to" => (&mut keywords.delegate_to, Text),
        "delegate_facts" => (&mut keywords.delegate_facts, Boolean),
        "connection" => (&mut keywords.connection, Text),
        "remote_user" => (&mut keywords.remote_user, Text),
        "port" => (&mut keywords.port, Number),
        "throttle" => (&mut keywords.throttle, Number),
        "timeout" => (&mut keywords.timeout, Number),
        "module_defaults" => (&mut keywords.module_defaults, Tables),
        "debugger" => {
            mistakes.push(check::ignored(key));
            return true;
        }
        "collections" => return check::kind(Any, key, node, mistakes),
        _ => return false,
    };
    if check::kind(kind, key, node, mistakes) && !matches!(node.data, Data::Null) {
        *slot = Some(node.clone());
        if &*key.name == "vars" {
            check::variable_names(node, mistakes);
        }
    }
    true
}

/// Splits `a, b` and lists of it.
fn tags(node: &Node) -> Vec<Node> {
    let mut all = vec![];
    for item in check::list(node) {
        match &item.data {
            Data::Text(text) if text.contains(',') && !item.is_template() => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                all.extend(parts.map(|part| Node::text(part, item.span.clone())));
            }
            _ => all.push(item),
        }
    }
    all
}
