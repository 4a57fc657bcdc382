//! From a module's name in a playbook to the code: one line a module.

use super::{Controller, Cx, Module, Reach, Result};
use crate::base::{Failure, Map, Outcome, Value};

/// A module as the engine, the agent and `doc` see it.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Its other names.
    pub also: &'static [&'static str],
    /// A task as YAML.
    pub example: &'static str,
    /// Who could tell that it ran.
    pub reach: Reach,
    /// Other names of arguments.
    pub aliases: &'static [(&'static str, &'static str)],
    /// The argument that takes free text.
    pub free_form: Option<&'static str>,
    /// The JSON schema of the arguments; `description`s are the manual.
    pub schema: fn() -> schemars::Schema,
    /// [`Module::prepare`], over plain data.
    pub prepare: fn(Map, &dyn Controller) -> Result<Map>,
    /// [`Module::run`], over plain data.
    pub run: fn(Map, &mut Cx) -> Result<Map>,
    /// [`Module::receive`], over plain data.
    pub receive: fn(Map, &mut Map, &dyn Controller) -> Result<()>,
    /// Whether arguments have the right names and types; the failure says which has not. Only for untemplated ones.
    pub check: fn(Map) -> Result<()>,
}

impl Entry {
    const fn of<M: Module>() -> Self {
        Self {
            name: M::NAME,
            also: M::ALSO,
            example: M::EXAMPLE,
            reach: M::REACH,
            aliases: M::ALIASES,
            free_form: M::FREE_FORM,
            schema: || schemars::schema_for!(M),
            prepare: |args, controller| to_map(&parse::<M>(args)?.prepare(controller)?),
            run: |args, cx| to_map(&parse::<M>(args)?.run(cx)?),
            receive: |args, output, controller| parse::<M>(args)?.receive(output, controller),
            check: |args| parse::<M>(args).map(|_| ()),
        }
    }
}

fn parse<M: Module>(mut args: Map) -> Result<M> {
    for (alias, name) in M::ALIASES {
        if let Some(value) = args.remove(*alias) {
            args.insert((*name).to_owned(), value);
        }
    }
    serde_json::from_value(Value::Object(args)).map_err(|error| Failure::new(format!("{}: {error}", M::NAME)))
}

fn to_map(value: &impl serde::Serialize) -> Result<Map> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(other) => Err(Failure::new(format!("a module returned {other} instead of a table"))),
        Err(error) => Err(Failure::new(format!("a module's values do not serialise: {error}"))),
    }
}

/// Every module, in alphabetical order.
pub static REGISTRY: &[Entry] = &[Entry::of::<super::ping::Ping>()];

/// Finds a module by any of its names, with or without `ansible.builtin.`.
pub fn find(name: &str) -> Option<&'static Entry> {
    let name = name.strip_prefix("ansible.builtin.").or(name.strip_prefix("ansible.legacy.")).unwrap_or(name);
    REGISTRY.iter().find(|entry| entry.name == name || entry.also.contains(&name))
}

/// Every name that [`find`] knows.
pub fn names() -> impl Iterator<Item = &'static str> {
    REGISTRY.iter().flat_map(|entry| std::iter::once(entry.name).chain(entry.also.iter().copied()))
}

/// Runs a call to its end and adds up what it changed.
pub fn run(entry: &Entry, args: Map, mut cx: Cx) -> Result<Outcome> {
    let output = (entry.run)(args, &mut cx)?;
    Ok(Outcome { diffs: cx.into_diffs(), output })
}
