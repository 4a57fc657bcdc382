//! Wishes that a client version cannot fulfil, told before anything is touched.

use super::{Client, StaticPeers, Topic, Version};
use crate::base::diagnostic::did_you_mean;
use crate::base::{Failure, Map, Value};
use serde_json::json;

/// What is wanted of nodes. Failures carry `option`: the argument that is at fault.
#[derive(Debug, Default)]
pub struct Wish<'a> {
    /// The consensus engine.
    pub engine: Option<&'a str>,
    /// Fork to block; `null` leaves a fork out.
    pub forks: Option<&'a Map>,
    /// Flags by today's names.
    pub options: Option<&'a Map>,
    /// Where nodes are reached: what enodes will hold.
    pub addresses: &'a [String],
    /// The form in which static peers are wanted.
    pub static_peers: Option<StaticPeers>,
}

impl Wish<'_> {
    /// Everything in it that cannot be.
    pub fn refused(&self, client: &Client, version: Version) -> Vec<Failure> {
        let mut refused = Vec::new();
        refused.extend(self.engine.and_then(|engine| no_engine(client, version, engine)));
        refused.extend(self.unknown_forks(client, version));
        if let Some(options) = self.options {
            refused.extend(open_unlock(client, version, options));
            refused.extend(unknown_apis(client, version, options));
            refused.extend(super::command::line(client, version, options).err());
        }
        refused.extend(self.names(client, version));
        refused.extend(self.peers_file(client, version));
        refused
    }

    /// A fork that the file has and the client does not know is passed over by it in silence: another block 0, or another
    /// chain later.
    fn unknown_forks(&self, client: &Client, version: Version) -> Vec<Failure> {
        let known: Vec<&str> =
            client.rows(version).filter(|row| row.topic == Topic::Fork).map(|row| row.name).collect();
        let Some(forks) = self.forks.filter(|_| !known.is_empty()) else { return Vec::new() };
        let wanted = forks.iter().filter(|(_, block)| !block.is_null()).map(|(name, _)| name);
        let unknown = wanted.filter(|name| !known.contains(&name.as_str()));
        let tell = |name: &String| {
            let row = client.all().find(|row| row.topic == Topic::Fork && row.name == name)?;
            let mut failure = Failure::new(format!(
                "{} {version} does not know `{name}` (known {}) and would pass it over in silence: it would be on another chain",
                client.name, row.span
            ));
            failure.help = Some(format!(
                "leave it out with `{}: {{{name}: null}}`, or take a newer {}",
                forks_of(client),
                client.name
            ));
            Some(failure.with("option", json!(["forks", name])))
        };
        unknown.filter_map(tell).collect()
    }

    fn names(&self, client: &Client, version: Version) -> Option<Failure> {
        let row = client.row(version, Topic::Peers, "names in enodes").filter(|row| row.says.starts_with("only"))?;
        let name = self.addresses.iter().find(|address| address.parse::<std::net::IpAddr>().is_err())?;
        let failure = Failure::new(format!(
            "`{name}` is a name, and {} {version} takes only addresses in enodes ({})",
            client.name, row.span
        ));
        Some(failure.help("give the node an IP address").with("option", json!(["addresses"])))
    }

    fn peers_file(&self, client: &Client, version: Version) -> Option<Failure> {
        let wanted = self.static_peers.filter(|wanted| *wanted == StaticPeers::Json)?;
        if version.static_peers() == wanted {
            return None;
        }
        let row = client.row(version, Topic::Ignores, "static-nodes.json")?;
        let failure = Failure::new(format!(
            "{} {version} passes static-nodes.json over ({}), {}",
            client.name, row.span, row.says
        ));
        Some(
            failure
                .help("leave `static_peers` out: peers then go where the version reads them")
                .with("option", json!(["static_peers"])),
        )
    }
}

/// The variable of the roles in which an inventory names forks.
fn forks_of(client: &Client) -> &'static str {
    if client.name == "openethereum" { "parity_forks" } else { "network.forks" }
}

fn no_engine(client: &Client, version: Version, engine: &str) -> Option<Failure> {
    if client.row(version, Topic::Engine, engine).is_some() {
        return None;
    }
    let engines = || client.rows(version).filter(|row| row.topic == Topic::Engine).map(|row| row.name);
    let mut failure = match client.row(version, Topic::Refuses, engine) {
        Some(row) => {
            Failure::new(format!("{} {version} cannot seal {engine} ({}): {}", client.name, row.span, row.says))
        }
        None => Failure::new(format!("{} {version} has no engine `{engine}`", client.name)),
    };
    let known: Vec<&str> = engines().collect();
    let rows = client.all().filter(|row| row.topic == Topic::Engine && row.name == engine);
    let older = rows.filter_map(|row| row.span.before).max();
    failure.help = Some(match (did_you_mean(engine, engines()), older) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(_)) if engine == "clique" && client.name == "geth" => {
            format!("the last version that seals Clique is {}", super::LAST_CLIQUE)
        }
        (None, Some(end)) => format!("take a version before {end}"),
        (None, None) if known.is_empty() => "it takes blocks from a consensus client only".to_owned(),
        (None, None) => format!("it seals {}", known.join(", ")),
    });
    Some(failure.with("option", json!(["engine"])))
}

fn on(options: &Map, name: &str) -> bool {
    options.get(name).is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)))
}

/// An unlocked account behind an interface that others reach.
fn open_unlock(client: &Client, version: Version, options: &Map) -> Option<Failure> {
    let open = ["http", "ws", "graphql"].into_iter().find(|name| on(options, name))?;
    if !on(options, "unlock") || on(options, "allow-insecure-unlock") {
        return None;
    }
    let row = client.row(version, Topic::Unlock, "with HTTP")?;
    let failure = Failure::new(format!(
        "{} {version} with `--unlock` and `--{open}` ({}): {}",
        client.name,
        if row.span.to_string().is_empty() { "always".to_owned() } else { row.span.to_string() },
        row.says
    ));
    Some(
        failure
            .help("let a sealer serve nothing but its socket, and put an rpc node beside it")
            .with("option", json!(["options", "unlock"])),
    )
}

/// The flags that list namespaces, of all clients.
const API_OPTIONS: &[&str] = &[
    "http.api",
    "ws.api",
    "rpc-http-api",
    "rpc-ws-api",
    "JsonRpc.EnabledModules",
    "jsonrpc-apis",
    "ws-apis",
    "ipc-apis",
];

/// The namespace that is meant: OpenEthereum reads `-personal` as all but that.
fn api_of<'a>(client: &Client, name: &'a str) -> &'a str {
    if client.name == "openethereum" { name.strip_prefix('-').unwrap_or(name) } else { name }
}

/// Whether this is a word for many namespaces.
fn all_of(client: &Client, name: &str) -> bool {
    client.name == "openethereum" && ["all", "safe"].contains(&name)
}

fn unknown_apis(client: &Client, version: Version, options: &Map) -> Vec<Failure> {
    let known: Vec<&str> = client.rows(version).filter(|row| row.topic == Topic::Api).map(|row| row.name).collect();
    let mut refused = Vec::new();
    for option in API_OPTIONS.iter().copied() {
        let names: Vec<String> = match options.get(option) {
            Some(Value::String(text)) => text.split(',').map(|name| name.trim().to_owned()).collect(),
            Some(Value::Array(items)) => items.iter().filter_map(|item| item.as_str().map(ToOwned::to_owned)).collect(),
            _ => continue,
        };
        let names = names.iter().map(|name| api_of(client, name));
        for name in names.filter(|name| !known.contains(&name.to_ascii_lowercase().as_str()) && !all_of(client, name)) {
            let gone = client.all().find(|row| row.topic == Topic::Api && row.name == name.to_ascii_lowercase());
            let mut failure = match gone {
                Some(row) => Failure::new(format!(
                    "{} {version} has no namespace `{name}`: it is known {}",
                    client.name, row.span
                )),
                None => Failure::new(format!("{} {version} has no namespace `{name}`", client.name)),
            };
            failure.help =
                Some(did_you_mean(&name.to_ascii_lowercase(), known.iter().copied()).map_or_else(
                    || format!("known are {}", known.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                ));
            refused.push(failure.with("option", json!(["options", option])));
        }
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(version: &str, wish: &Wish) -> Vec<String> {
        wish.refused(Client::geth(), version.parse().unwrap()).into_iter().map(|failure| failure.message).collect()
    }

    #[test]
    fn clique_beyond_its_last_version_is_refused_with_what_geth_would_say() {
        let wish = Wish { engine: Some("clique"), ..Wish::default() };
        assert!(refused("1.13.15", &wish).is_empty());
        let said = refused("1.14.0", &wish).concat();
        assert!(said.starts_with("geth 1.14.0 cannot seal clique (1.14.0 to before 1.15.0)"), "{said}");
        assert!(said.contains("only PoS networks are supported"), "{said}");
    }

    #[test]
    fn besu_s_clique_is_refused_from_the_version_that_has_none() {
        let wish = Wish { engine: Some("clique"), ..Wish::default() };
        let besu = super::super::find("besu").unwrap();
        assert!(wish.refused(besu, Version(26, 2, 0)).is_empty());
        let failures = wish.refused(besu, Version(26, 4, 0));
        assert!(failures[0].message.starts_with("besu 26.4.0 cannot seal clique (since 26.4.0)"), "{failures:?}");
        assert_eq!(failures[0].help.as_deref(), Some("take a version before 26.4.0"));
    }

    #[test]
    fn an_unlocked_account_behind_http_is_refused() {
        let options = json!({"unlock": "0x1", "http": true});
        let wish = Wish { options: options.as_object(), ..Wish::default() };
        let said = refused("1.13.15", &wish).concat();
        assert!(said.contains("Account unlock with HTTP access is forbidden!"), "{said}");
        assert!(refused("1.8.27", &wish).concat().contains("open to whoever reaches the interface"));
    }

    #[test]
    fn an_unknown_namespace_is_named_with_the_near_one() {
        let options = json!({"http.api": ["eb3", "eth"]});
        let wish = Wish { options: options.as_object(), ..Wish::default() };
        let failures = wish.refused(Client::geth(), Version(1, 13, 15));
        assert_eq!(failures[0].message, "geth 1.13.15 has no namespace `eb3`");
        assert!(failures[0].help.as_ref().unwrap().contains("web3"), "{failures:?}");
    }

    #[test]
    fn every_client_has_its_namespaces_looked_at_in_its_own_flags() {
        for (client, version, options) in [
            ("besu", "24.1.0", json!({"rpc-http-api": ["ETH", "EB3"]})),
            ("besu", "24.1.0", json!({"rpc-ws-api": "EB3"})),
            ("openethereum", "3.3.5", json!({"jsonrpc-apis": ["eb3", "eth"]})),
            ("openethereum", "3.3.5", json!({"ws-apis": "all,-eb3"})),
            ("nethermind", "1.25.4", json!({"JsonRpc.EnabledModules": ["Eth", "eb3"]})),
        ] {
            let client = super::super::find(client).unwrap();
            let wish = Wish { options: options.as_object(), ..Wish::default() };
            let failures = wish.refused(client, version.parse().unwrap());
            assert_eq!(failures.len(), 1, "{failures:?}");
            assert!(failures[0].message.contains("has no namespace `"), "{failures:?}");
            assert!(failures[0].help.as_ref().unwrap().contains("`web3`"), "{failures:?}");
        }
        let options = json!({"jsonrpc-apis": "all,-personal", "ipc-apis": ["safe"], "ws-interface": "all"});
        let wish = Wish { options: options.as_object(), ..Wish::default() };
        let openethereum = super::super::find("openethereum").unwrap();
        assert!(wish.refused(openethereum, Version(3, 3, 5)).is_empty());
    }

    #[test]
    fn a_fork_that_openethereum_does_not_know_is_refused() {
        let forks = json!({"londonBlock": null, "berlinBlock": 0, "istanbulBlock": 0});
        let wish = Wish { forks: forks.as_object(), ..Wish::default() };
        let openethereum = super::super::find("openethereum").unwrap();
        let failures = wish.refused(openethereum, Version(2, 5, 13));
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(failures[0].message.starts_with("openethereum 2.5.13 does not know `berlinBlock` (known since 3.2.0)"));
        assert!(failures[0].help.as_ref().unwrap().contains("`parity_forks: {berlinBlock: null}`"), "{failures:?}");
        assert!(wish.refused(openethereum, Version(3, 2, 0)).is_empty());
    }

    #[test]
    fn a_fork_that_the_client_does_not_know_is_refused() {
        let forks = json!({"londonBlock": 0, "berlinBlock": null});
        let wish = Wish { forks: forks.as_object(), ..Wish::default() };
        assert!(refused("1.10.26", &wish).is_empty());
        assert!(
            refused("1.9.25", &wish)
                .concat()
                .starts_with("geth 1.9.25 does not know `londonBlock` (known since 1.10.4)")
        );
    }

    #[test]
    fn names_in_enodes_and_files_that_are_not_read_are_refused() {
        let addresses = ["sealer1.example".to_owned()];
        let wish = Wish { addresses: &addresses, static_peers: Some(StaticPeers::Json), ..Wish::default() };
        assert!(refused("1.9.2", &wish).concat().contains("is a name, and geth 1.9.2 takes only addresses"));
        assert!(refused("1.11.0", &wish).concat().contains("geth 1.11.0 passes static-nodes.json over (since 1.11.0)"));
        assert!(refused("1.10.26", &wish).is_empty());
    }
}
