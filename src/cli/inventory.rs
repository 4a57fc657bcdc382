//! `chainwright inventory`: hosts, groups and variables, as Ansible's own command prints them.

use super::options::{self, HostArgs};
use crate::base::{Map, Value};
use crate::language::layers::{Layer, Scope, Var};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show an inventory.
#[derive(Debug, Args)]
pub struct InventoryArgs {
    #[command(flatten)]
    hosts: HostArgs,
    /// All hosts and groups with their variables, as JSON
    #[arg(long, group = "what")]
    list: bool,
    /// One host's variables, as JSON
    #[arg(long, value_name = "HOST", group = "what")]
    host: Option<String>,
    /// The groups as a tree
    #[arg(long, group = "what")]
    graph: bool,
    /// Where a variable of --host comes from, and what it hides
    #[arg(long, value_name = "NAME", requires = "host")]
    explain: Option<String>,
    /// Also take `group_vars` and `host_vars` from this playbook's folder
    #[arg(long, value_name = "FOLDER")]
    playbook_dir: Option<PathBuf>,
}

/// Prints the inventory.
pub fn run(args: &InventoryArgs) -> ExitCode {
    let read = match options::read(&args.hosts, &[]) {
        Ok(read) => read,
        Err(mistakes) => return options::unreadable(&mistakes),
    };
    options::complain(&read.warnings);
    let folders: Vec<PathBuf> = args.playbook_dir.iter().cloned().collect();
    let scope = |host: &str| -> Result<Scope, Vec<crate::base::Diagnostic>> {
        let mut scope = Scope::default();
        for (layer, table) in read.inventory.host_layers(host, &folders, &read.loader)? {
            scope.push(layer, table);
        }
        scope.push(Layer::Extra, std::sync::Arc::new(read.extra.clone()));
        Ok(scope)
    };
    let vars = |host: &str| -> Result<Value, Vec<crate::base::Diagnostic>> {
        let scope = scope(host)?;
        Ok(Value::Object(
            scope
                .names()
                .into_iter()
                .filter_map(|name| {
                    let value = match scope.get(&name)?.0 {
                        Var::Node(node) => node.to_value(),
                        Var::Value(value) => (**value).clone(),
                    };
                    Some((name, value))
                })
                .collect(),
        ))
    };
    if let Some(host) = &args.host {
        if !read.inventory.hosts.contains_key(host) {
            eprintln!("error: the inventory has no host `{host}`");
            return ExitCode::from(1);
        }
        if let Some(name) = &args.explain {
            return explain(name, &scope(host));
        }
        return match vars(host) {
            Ok(vars) => print(&vars),
            Err(mistakes) => options::unreadable(&mistakes),
        };
    }
    let limited = match &args.hosts.limit {
        Some(limit) => match read.inventory.select(limit) {
            Ok(hosts) => hosts,
            Err(error) => return options::unreadable(&[error.diagnostic(None)]),
        },
        None => read.inventory.hosts.keys().cloned().collect(),
    };
    if args.graph {
        println!("@all:");
        tree(&read.inventory, "all", 1, &limited);
        return ExitCode::SUCCESS;
    }
    let mut hostvars = Map::new();
    for host in &limited {
        match vars(host) {
            Ok(vars) => {
                hostvars.insert(host.clone(), vars);
            }
            Err(mistakes) => return options::unreadable(&mistakes),
        }
    }
    let mut all = Map::new();
    all.insert("_meta".into(), serde_json::json!({"hostvars": hostvars}));
    for (name, group) in &read.inventory.groups {
        let hosts: Vec<&String> = group.hosts.iter().filter(|host| limited.contains(host)).collect();
        let mut table = Map::new();
        let children = children(&read.inventory, name);
        if !children.is_empty() {
            table.insert("children".into(), children.into());
        }
        if !hosts.is_empty() && name != "all" {
            table.insert("hosts".into(), hosts.into_iter().cloned().collect::<Vec<_>>().into());
        }
        if !table.is_empty() {
            all.insert(name.clone(), table.into());
        }
    }
    print(&Value::Object(all))
}

fn children(inventory: &crate::language::inventory::Inventory, name: &str) -> Vec<String> {
    if name != "all" {
        return inventory.groups.get(name).map(|group| group.children.clone()).unwrap_or_default();
    }
    let nested = |group: &String| {
        inventory.groups.iter().any(|(other, parent)| other != "all" && parent.children.contains(group))
    };
    inventory.groups.keys().filter(|group| *group != "all" && !nested(group)).cloned().collect()
}

fn tree(inventory: &crate::language::inventory::Inventory, group: &str, depth: usize, limited: &[String]) {
    let indent = "  |".repeat(depth);
    for child in children(inventory, group) {
        println!("{indent}--@{child}:");
        tree(inventory, &child, depth + 1, limited);
    }
    let hosts = inventory.groups.get(group).map(|group| group.hosts.clone()).unwrap_or_default();
    if group != "all" {
        hosts.iter().filter(|host| limited.contains(host)).for_each(|host| println!("{indent}--{host}"));
    }
}

fn explain(name: &str, scope: &Result<Scope, Vec<crate::base::Diagnostic>>) -> ExitCode {
    let scope = match scope {
        Ok(scope) => scope,
        Err(mistakes) => return options::unreadable(mistakes),
    };
    let found = scope.explain(name);
    if found.is_empty() {
        eprintln!("error: nothing sets `{name}` for this host");
        return ExitCode::from(1);
    }
    for (rank, (layer, span)) in found.iter().enumerate() {
        let place = span.as_ref().map_or_else(|| "data".to_owned(), ToString::to_string);
        println!("{} {layer:?} {place}", if rank == 0 { "wins  " } else { "hidden" });
    }
    ExitCode::SUCCESS
}

fn print(value: &Value) -> ExitCode {
    println!("{}", serde_json::to_string_pretty(value).unwrap_or_default());
    ExitCode::SUCCESS
}
