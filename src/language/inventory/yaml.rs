//! YAML inventories: groups with `hosts`, `vars` and `children`.

use super::Inventory;
use super::build::Builder;
use crate::base::diagnostic::did_you_mean;
use crate::base::{Diagnostic, Source, Span};
use crate::language::node::{Data, Key, Node};
use std::sync::Arc;

const KNOWN: &[&str] = &["hosts", "vars", "children"];

pub fn read(builder: &mut Builder<'_>, source: &Arc<Source>) {
    let node = match crate::language::yaml::load(source) {
        Ok(node) => node,
        Err(mistakes) => {
            builder.mistakes.extend(mistakes);
            return;
        }
    };
    if let Some((key, _)) = node.entries().iter().find(|(key, _)| &*key.name == "plugin") {
        builder.mistakes.push(
            Diagnostic::new("inventory plugins are not supported", &key.span)
                .help("write the hosts into a file, or make an executable that prints them as JSON (`--list`)"),
        );
        return;
    }
    match &node.data {
        Data::Table(_) => {}
        Data::Null => {
            builder
                .inventory
                .warnings
                .push(Diagnostic::new("this inventory is empty", &Span::whole(source.clone())).warning());
        }
        _ => builder.mistakes.push(
            Diagnostic::new(format!("an inventory must be a table of groups, this is {}", node.kind()), &node.span)
                .help("begin with `all:`, below it `hosts:` or `children:`"),
        ),
    }
    for (key, body) in node.entries() {
        group(builder, key, body);
    }
}

fn group(builder: &mut Builder<'_>, key: &Key, body: &Node) {
    let name = &*key.name;
    builder.inventory.group(name, Some(&key.span));
    if !matches!(body.data, Data::Table(_) | Data::Null) {
        builder.mistakes.push(
            Diagnostic::new(format!("the group `{name}` must be a table, this is {}", body.kind()), &body.span)
                .help("below a group stand `hosts:`, `vars:` and `children:`"),
        );
        return;
    }
    for (part, value) in body.entries() {
        if !matches!(value.data, Data::Table(_) | Data::Null) && KNOWN.contains(&&*part.name) {
            let help = match (&*part.name, &value.data) {
                ("vars", _) => "write one `name: value` per line",
                _ => "write one `name:` per line, with a colon and no dash",
            };
            let message = format!("`{}` of a group must be a table, this is {}", part.name, value.kind());
            builder.mistakes.push(Diagnostic::new(message, &value.span).help(help));
            continue;
        }
        match &*part.name {
            "hosts" => value.entries().iter().for_each(|(key, vars)| host(builder, key, vars, name)),
            "vars" => {
                let group = builder.inventory.group(name, None);
                for (key, node) in value.entries() {
                    Inventory::set(&mut group.vars, &key.name, node.clone());
                }
            }
            "children" => {
                for (child, body) in value.entries() {
                    builder.child(name, &child.name, &child.span);
                    group(builder, child, body);
                }
            }
            _ => {
                let diagnostic = Diagnostic::new(format!("a group has no `{}`", part.name), &part.span);
                builder.mistakes.push(match did_you_mean(&part.name, KNOWN.iter().copied()) {
                    Some(name) => diagnostic.help(format!("did you mean `{name}`?")),
                    None => diagnostic.help(
                        "below a group stand `hosts:`, `vars:` and `children:`; groups in a group go below `children:`",
                    ),
                });
            }
        }
    }
}

fn host(builder: &mut Builder<'_>, key: &Key, vars: &Node, group: &str) {
    let names = builder.hosts(&key.name, &key.span, group);
    if !matches!(vars.data, Data::Table(_) | Data::Null) {
        builder.mistakes.push(
            Diagnostic::new(
                format!("the variables of `{}` must be a table, this is {}", key.name, vars.kind()),
                &vars.span,
            )
            .help("write one `name: value` per line below the host"),
        );
    }
    for name in names {
        let host = builder.inventory.host(&name, None, None);
        for (key, node) in vars.entries() {
            Inventory::set(&mut host.vars, &key.name, node.clone());
        }
    }
}
