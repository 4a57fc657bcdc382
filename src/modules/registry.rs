//! From a module's name in a playbook to the code: one line a module.

use super::arguments::parse;
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
    /// Arguments of Ansible's that cannot be had, each with what to write instead.
    pub refused: &'static [(&'static str, &'static str)],
    /// The argument that takes free text.
    pub free_form: Option<&'static str>,
    /// Whether any argument is accepted beside those of the schema.
    pub open: bool,
    /// The module that gets the arguments that this one does not declare.
    pub passes_to: Option<&'static str>,
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
            refused: M::REFUSED,
            free_form: M::FREE_FORM,
            open: M::OPEN,
            passes_to: M::PASSES_TO,
            schema: || schemars::schema_for!(M),
            prepare: |args, controller| to_map(&parse::<M>(args)?.prepare(controller)?),
            run: |args, cx| to_map(&parse::<M>(args)?.run(cx)?),
            receive: |args, output, controller| parse::<M>(args)?.receive(output, controller),
            check: |args| parse::<M>(args).map(|_| ()),
        }
    }
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
#[rustfmt::skip] // one line a module
pub static REGISTRY: &[Entry] = &[
    Entry::of::<super::add_host::AddHost>(),
    Entry::of::<super::apt::Apt>(),
    Entry::of::<super::archive::Archive>(),
    Entry::of::<super::assemble::Assemble>(),
    Entry::of::<super::assert::Assert>(),
    Entry::of::<super::async_status::AsyncStatus>(),
    Entry::of::<super::blockinfile::BlockInFile>(),
    Entry::of::<super::charon_dkg::CharonDkg>(),
    Entry::of::<super::command::Command>(),
    Entry::of::<super::copy::Copy>(),
    Entry::of::<super::cron::Cron>(),
    Entry::of::<super::debug::Debug>(),
    Entry::of::<super::dns_ceremony::DnsCeremony>(),
    Entry::of::<super::dns_ceremony_record::DnsCeremonyRecord>(),
    Entry::of::<super::dns_record::DnsRecord>(),
    Entry::of::<super::eth_account::EthAccount>(),
    Entry::of::<super::eth_block::EthBlock>(),
    Entry::of::<super::eth_ceremony::EthCeremony>(),
    Entry::of::<super::eth_client::EthClient>(),
    Entry::of::<super::eth_contract::EthContract>(),
    Entry::of::<super::eth_doctor::EthDoctor>(),
    Entry::of::<super::eth_event::EthEvent>(),
    Entry::of::<super::eth_genesis::EthGenesis>(),
    Entry::of::<super::eth_init::EthInit>(),
    Entry::of::<super::eth_lock::EthLock>(),
    Entry::of::<super::eth_locked::EthLocked>(),
    Entry::of::<super::eth_network_lock::EthNetworkLock>(),
    Entry::of::<super::eth_node_key::EthNodeKey>(),
    Entry::of::<super::eth_observe::EthObserve>(),
    Entry::of::<super::eth_peers::EthPeers>(),
    Entry::of::<super::eth_preflight::EthPreflight>(),
    Entry::of::<super::eth_quorum::EthQuorum>(),
    Entry::of::<super::eth_rpc::EthRpc>(),
    Entry::of::<super::eth_start::EthStart>(),
    Entry::of::<super::eth_static_peers::EthStaticPeers>(),
    Entry::of::<super::eth_status::EthStatus>(),
    Entry::of::<super::eth_stop::EthStop>(),
    Entry::of::<super::eth_synced::EthSynced>(),
    Entry::of::<super::eth_transaction::EthTransaction>(),
    Entry::of::<super::eth_upgrade::EthUpgrade>(),
    Entry::of::<super::eth_verify::EthVerify>(),
    Entry::of::<super::fail::Fail>(),
    Entry::of::<super::fetch::Fetch>(),
    Entry::of::<super::file::File>(),
    Entry::of::<super::find::Find>(),
    Entry::of::<super::get_url::GetUrl>(),
    Entry::of::<super::group::Group>(),
    Entry::of::<super::group_by::GroupBy>(),
    Entry::of::<super::hostname::Hostname>(),
    Entry::of::<super::include_vars::IncludeVars>(),
    Entry::of::<super::lineinfile::LineInFile>(),
    Entry::of::<super::meta::Meta>(),
    Entry::of::<super::package::Package>(),
    Entry::of::<super::pause::Pause>(),
    Entry::of::<super::ping::Ping>(),
    Entry::of::<super::port_free::PortFree>(),
    Entry::of::<super::replace::Replace>(),
    Entry::of::<super::script::Script>(),
    Entry::of::<super::service::Service>(),
    Entry::of::<super::set_fact::SetFact>(),
    Entry::of::<super::setup::Setup>(),
    Entry::of::<super::shell::Shell>(),
    Entry::of::<super::slurp::Slurp>(),
    Entry::of::<super::stat::Stat>(),
    Entry::of::<super::systemd::Systemd>(),
    Entry::of::<super::tempfile::TempFile>(),
    Entry::of::<super::template::Template>(),
    Entry::of::<super::unarchive::Unarchive>(),
    Entry::of::<super::uri::Uri>(),
    Entry::of::<super::user::User>(),
    Entry::of::<super::wait_for::WaitFor>(),
    Entry::of::<super::wait_for_connection::WaitForConnection>(),
];

/// Finds a module by any of its names, with or without `ansible.builtin.`.
pub fn find(name: &str) -> Option<&'static Entry> {
    let name = name.strip_prefix("ansible.builtin.").or(name.strip_prefix("ansible.legacy.")).unwrap_or(name);
    REGISTRY.iter().find(|entry| entry.name == name || entry.also.contains(&name))
}

/// Runs the module to which `M`'s arguments go.
pub fn pass_on<M: Module>(args: Map, cx: &mut Cx) -> Result<Map> {
    let to = M::PASSES_TO.unwrap_or_default();
    let entry = find(to).ok_or_else(|| Failure::new(format!("there is no module `{to}`")))?;
    (entry.run)(args, cx)
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

#[cfg(test)]
pub(super) mod tests {
    use super::super::NoBlobs;
    use super::*;
    use crate::system::System;

    /// Runs a module by its name on a host that it must not touch.
    pub fn call(name: &str, args: Value) -> Result<Map> {
        call_on(&System::new("/nonexistent"), name, args, false).map(|outcome| outcome.output)
    }

    /// Runs a module by its name on a host, without a controller.
    pub fn call_on(system: &System, name: &str, args: Value, check: bool) -> Result<Outcome> {
        let Value::Object(args) = args else { panic!("arguments are a table") };
        let entry = find(name).expect("a module of this name");
        run(entry, args, Cx::new(system, check, &NoBlobs, &|_| {}))
    }

    #[test]
    fn modules_stand_in_order_and_no_name_is_taken_twice() {
        assert!(REGISTRY.is_sorted_by_key(|entry| entry.name));
        let mut all: Vec<_> = names().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), names().count());
    }

    #[test]
    fn aliases_and_free_text_fill_arguments_that_exist() {
        for entry in REGISTRY {
            let schema = (entry.schema)().to_value();
            let known = schema["properties"].as_object().cloned().unwrap_or_default();
            let targets = entry.aliases.iter().map(|(_, name)| *name).chain(entry.free_form);
            for target in targets {
                assert!(known.contains_key(target), "{}: {target}", entry.name);
            }
            for (refused, _) in entry.refused {
                let had = known.contains_key(*refused) || entry.aliases.iter().any(|(alias, _)| alias == refused);
                assert!(!had, "{}: {refused} is both had and refused", entry.name);
            }
            for (name, property) in &known {
                assert!(!name.starts_with('_'), "{}: {name} is for the engine only", entry.name);
                let documented = property.get("description").is_some() || property.get("$ref").is_some();
                assert!(documented, "{}: {name} has no documentation", entry.name);
            }
        }
    }
}
