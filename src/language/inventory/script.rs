//! Executable inventories: a program that prints JSON for `--list`.

use super::Inventory;
use super::build::Builder;
use crate::base::{Diagnostic, Source};
use crate::language::loader::shown;
use crate::language::node::{Data, Node};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Starts a program with arguments and gives its standard output, or says what went wrong.
pub type Run<'a> = dyn Fn(&Path, &[&str]) -> Result<String, String> + 'a;

/// Whether the file is executable, and looks it.
pub fn is_program(path: &Path, bytes: &[u8]) -> bool {
    let executable = path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0);
    executable && (bytes.starts_with(b"#!") || bytes.starts_with(b"\x7fELF"))
}

/// Runs the program and takes what it prints.
pub fn read(builder: &mut Builder<'_>, path: &Path) {
    let Some(node) = output(builder, path, &["--list"]) else { return };
    if !matches!(node.data, Data::Table(_)) {
        builder.mistakes.push(Diagnostic::new(
            format!("an executable inventory must print a table, this is {}", node.kind()),
            &node.span,
        ));
    }
    let meta = node.get("_meta").and_then(|meta| meta.get("hostvars")).cloned();
    for (key, body) in node.entries().iter().filter(|(key, _)| &*key.name != "_meta") {
        let name = &*key.name;
        builder.inventory.group(name, Some(&key.span));
        let hosts = if matches!(body.data, Data::List(_)) { Some(body) } else { body.get("hosts") };
        for host in texts(hosts) {
            builder.hosts(host.as_str().unwrap_or_default(), &host.span, name);
        }
        for (key, value) in body.get("vars").map(Node::entries).unwrap_or_default() {
            Inventory::set(&mut builder.inventory.group(name, None).vars, &key.name, value.clone());
        }
        for child in texts(body.get("children")) {
            let child_name = child.as_str().unwrap_or_default();
            builder.child(name, child_name, &child.span);
        }
    }
    if let Some(meta) = meta {
        for (key, vars) in meta.entries() {
            let host = builder.inventory.host(&key.name, Some(&key.span), Some(&path.to_owned()));
            for (key, value) in vars.entries() {
                Inventory::set(&mut host.vars, &key.name, value.clone());
            }
        }
        return;
    }
    // An old program: it wants to be asked for each host.
    let hosts = builder.inventory.hosts.values().filter(|host| host.source.as_deref() == Some(path));
    let names: Vec<String> = hosts.map(|host| host.name.clone()).collect();
    for name in names {
        let Some(vars) = output(builder, path, &["--host", &name]) else { return };
        for (key, value) in vars.entries() {
            Inventory::set(&mut builder.inventory.host(&name, None, None).vars, &key.name, value.clone());
        }
    }
}

fn texts(list: Option<&Node>) -> Vec<Node> {
    match list.map(|list| &list.data) {
        Some(Data::List(items)) => items.iter().filter(|item| item.as_str().is_some()).cloned().collect(),
        _ => vec![],
    }
}

fn output(builder: &mut Builder<'_>, path: &Path, args: &[&str]) -> Option<Node> {
    let label = format!("{} {}", shown(path), args.join(" "));
    match (builder.run)(path, args) {
        Ok(text) => match crate::language::yaml::load(&Source::new(label, text)) {
            Ok(node) => Some(node),
            Err(mistakes) => {
                builder.mistakes.extend(mistakes);
                None
            }
        },
        Err(message) => {
            builder.mistakes.push(
                Diagnostic::plain(format!("{label}: {message}"))
                    .help("an executable inventory prints JSON and ends with 0"),
            );
            None
        }
    }
}
