//! `eth_static_peers`: the peers that a node always keeps, in the form that its version reads.

use super::loose::Flag;
use super::{Cx, Module, Reach, Result, eth};
use crate::base::{Diff, Failure, Map, Value};
use crate::chain::Enode;
use crate::chain::client::{StaticPeers, Version};
use crate::chain::enode::parse_public_key;
use crate::system::Traits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Writes a node's static peers where its version of geth reads them: `[Node.P2P] StaticNodes` in the file that `--config`
/// names from 1.11 on, `static-nodes.json` in the data folder before. The file that the version does not read is kept
/// without them. A node never lists itself; one node key, or one address, on two hosts is a failure that names both.
///
/// The configuration file belongs to this module; its other content is given with `settings` and `ethstats`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthStaticPeers {
    /// The file that geth's `--config` names (mode 0400).
    pub config: String,
    /// geth's data folder.
    pub datadir: String,
    /// The version of geth, `1.13.15`.
    pub version: String,
    /// Enodes: a table from host to enode, so that failures can name hosts, or a list.
    pub peers: Value,
    /// This node's own public key, or its enode: it is left out of its peers.
    #[serde(default)]
    pub own: Option<String>,
    /// Trust them too: they may connect when all places for peers are taken.
    #[serde(default)]
    pub trusted: Flag,
    /// Enodes for discovery to start from. An empty list is none at all; without one geth takes those of the main network.
    #[serde(default)]
    pub bootnodes: Option<Vec<Value>>,
    /// More of the configuration file: section to table, as in `Node.P2P: {MaxPeers: 50}`.
    #[serde(default)]
    pub settings: Option<Map>,
    /// Report to a stats server.
    #[serde(default)]
    pub ethstats: Option<Ethstats>,
    /// Who owns the files: the user that runs the node.
    #[serde(default)]
    pub owner: Option<String>,
    /// The files' group.
    #[serde(default)]
    pub group: Option<String>,
}

/// Where and as whom a node reports. The secret is read on the host, so it is in no argument and in no diff.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Ethstats {
    /// The name under which the node is listed.
    pub name: String,
    /// The stats server, `HOST:PORT`.
    pub server: String,
    /// The file on this host that holds the secret.
    pub secret_file: String,
}

/// What `eth_static_peers` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The file that holds the peers.
    path: String,
    /// The peers, without the node itself.
    peers: Vec<String>,
}

impl Module for EthStaticPeers {
    const NAME: &'static str = "eth_static_peers";
    const EXAMPLE: &'static str = "\
- eth_static_peers:
    config: /etc/geth/config.toml
    datadir: /var/lib/geth
    version: 1.13.15
    own: \"{{ node_key.public_key }}\"
    peers: \"{{ dict(groups.sealers | zip(groups.sealers | map('extract', hostvars, ['node_key', 'enode']))) }}\"
    owner: geth";
    const REACH: Reach = Reach::Host;
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let version: Version = self.version.parse()?;
        let json = Path::new(&self.datadir).join("static-nodes.json");
        let form = version.static_peers();
        let path = match form {
            StaticPeers::Config => PathBuf::from(&self.config),
            StaticPeers::Json => json.clone(),
        };
        let shown = path.display().to_string();
        let Some(peers) = self.peers(cx.check)? else {
            cx.change(Diff::action(format!("write {shown} (its peers are not known yet)")), |_| Ok(()))?;
            return Ok(Output { path: shown, peers: Vec::new() });
        };
        let wanted = eth::traits_or_later(cx, self.owner.as_deref(), self.group.as_deref(), 0o400)?;
        self.write_config(cx, if form == StaticPeers::Config { &peers } else { &[] }, wanted)?;
        match form {
            StaticPeers::Json => {
                let list = serde_json::to_string_pretty(&peers).unwrap_or_default() + "\n";
                write(cx, &json, &list, None, wanted)?;
            }
            StaticPeers::Config => {
                // It would be passed over with an error in the log, and mislead who reads it.
                if let Some(before) = cx.system.read_text_if_there(&json)? {
                    cx.change(Diff::text(json.display().to_string(), Some(before), None), |writer| {
                        writer.remove(&json)
                    })?;
                }
            }
        }
        Ok(Output { path: shown, peers })
    }
}

impl EthStaticPeers {
    /// The peers as texts, in the order of their hosts. None: not known yet, in check mode.
    fn peers(&self, check: bool) -> Result<Option<Vec<String>>> {
        let named: Vec<(String, &Value)> = match &self.peers {
            Value::Object(map) => map.iter().map(|(host, value)| (host.clone(), value)).collect(),
            Value::Array(items) => {
                items.iter().enumerate().map(|(i, value)| (format!("entry {}", i + 1), value)).collect()
            }
            Value::Null => Vec::new(),
            other => return Err(Failure::new(format!("`peers` is {other}, neither a list nor a table of enodes"))),
        };
        if check && named.iter().any(|(_, value)| eth::unknown(value)) {
            return Ok(None);
        }
        let own = match self.own.as_deref().map(str::trim).filter(|own| !own.is_empty()) {
            Some(own) if own.starts_with("enode://") => Some(own.parse::<Enode>()?.public_key),
            Some(own) => Some(parse_public_key(own)?),
            None => None,
        };
        let mut known: Vec<(String, Enode)> = Vec::new();
        for (host, value) in named {
            let enode = enode(value).map_err(|failure| failure.context(format!("peer {host}")))?;
            for (other, peer) in &known {
                if peer.public_key == enode.public_key {
                    return Err(Failure::new(format!("{other} and {host} have one and the same node key, {}..", &enode.public_key[..16]))
                        .help("nodes with one key cannot connect to each other; remove the copied key on one of them, and a new one is made"));
                }
                if (&peer.host, peer.tcp) == (&enode.host, enode.tcp) {
                    return Err(Failure::new(format!(
                        "{other} and {host} have one and the same address, {}:{}",
                        enode.host, enode.tcp
                    ))
                    .help("give each host its own address, or its own port, in the inventory"));
                }
            }
            known.push((host, enode));
        }
        let others = known.into_iter().filter(|(_, enode)| Some(&enode.public_key) != own.as_ref());
        Ok(Some(others.map(|(_, enode)| enode.to_string()).collect()))
    }

    fn write_config(&self, cx: &mut Cx, peers: &[String], wanted: Traits) -> Result<()> {
        let mut sections: Vec<(String, Vec<(String, Value)>)> = Vec::new();
        for (section, table) in self.settings.iter().flatten() {
            let table = table.as_object().ok_or_else(|| {
                Failure::new(format!("`settings.{section}` is not a table")).help("write settings as section to table")
            })?;
            sections.push((section.clone(), table.iter().map(|(name, value)| (name.clone(), value.clone())).collect()));
        }
        let mut add =
            |section: &str, name: &str, value: Value| match sections.iter_mut().find(|(known, _)| known == section) {
                Some((_, entries)) => entries.push((name.to_owned(), value)),
                None => sections.push((section.to_owned(), vec![(name.to_owned(), value)])),
            };
        if let Some(bootnodes) = self.bootnodes.as_ref().filter(|nodes| !cx.check || !nodes.iter().any(eth::unknown)) {
            let nodes = bootnodes.iter().map(|value| enode(value).map(|enode| enode.to_string()));
            add("Node.P2P", "BootstrapNodes", nodes.collect::<Result<Vec<_>>>()?.into());
        }
        if !peers.is_empty() {
            add("Node.P2P", "StaticNodes", peers.to_vec().into());
            if self.trusted.0 {
                add("Node.P2P", "TrustedNodes", peers.to_vec().into());
            }
        }
        let secret = match &self.ethstats {
            Some(ethstats) => {
                let text = cx.system.read_text_if_there(Path::new(&ethstats.secret_file))?.unwrap_or_default();
                let secret = zeroize::Zeroizing::new(text.trim().to_owned());
                if secret.is_empty() && !cx.check {
                    return Err(Failure::new(format!("there is no secret in {}", ethstats.secret_file)));
                }
                add("Ethstats", "URL", format!("{}:{}@{}", ethstats.name, *secret, ethstats.server).into());
                Some(secret)
            }
            None => None,
        };
        let text = toml(&sections)?;
        write(cx, Path::new(&self.config), &text, secret.as_ref().map(|secret| secret.as_str()), wanted)
    }
}

fn enode(value: &Value) -> Result<Enode> {
    value.as_str().ok_or_else(|| Failure::new(format!("{value} is not an enode")))?.parse()
}

/// Writes a file if it differs. What the diff shows has the secret masked.
fn write(cx: &mut Cx, path: &Path, text: &str, secret: Option<&str>, wanted: Traits) -> Result<()> {
    let before = cx.system.read_text_if_there(path)?;
    if before.as_deref() == Some(text) {
        return eth::keep(cx, path, wanted);
    }
    let mask = |text: String| match secret.filter(|secret| !secret.is_empty()) {
        Some(secret) => text.replace(secret, crate::base::secret::MASKED),
        None => text,
    };
    // An earlier secret is one too.
    let hide_url = |text: String| {
        let hide = |line: &str| match line.strip_prefix("URL = ") {
            Some(_) if secret.is_some() => format!("URL = \"{}\"", crate::base::secret::MASKED),
            _ => line.to_owned(),
        };
        text.lines().map(|line| hide(line) + "\n").collect::<String>()
    };
    let diff = Diff::text(path.display().to_string(), before.map(hide_url), Some(mask(hide_url(text.to_owned()))));
    cx.change(diff, |writer| writer.write(path, text.as_bytes(), wanted))?;
    Ok(())
}

/// TOML of sections with plain entries.
fn toml(sections: &[(String, Vec<(String, Value)>)]) -> Result<String> {
    let mut text = String::from("# Written by the module eth_static_peers: changes made here are lost.\n");
    for (section, entries) in sections {
        text.extend(["\n[", section, "]\n"]);
        for (name, value) in entries {
            let value = toml_value(value).map_err(|failure| failure.context(format!("{section}.{name}")))?;
            text.extend([name, " = ", &value, "\n"]);
        }
    }
    Ok(text)
}

fn toml_value(value: &Value) -> Result<String> {
    match value {
        // A TOML basic string escapes as JSON does, but for the solidus and DEL, which JSON leaves alone.
        Value::String(text) => Ok(Value::from(text.as_str()).to_string()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Array(items) => {
            let items: Result<Vec<String>> = items.iter().map(toml_value).collect();
            Ok(format!("[{}]", items?.join(", ")))
        }
        Value::Null | Value::Object(_) => Err(Failure::new(format!("{value} cannot be written here"))
            .help("known are texts, numbers, booleans and lists")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::NodeKey;
    use crate::modules::eth_tests::{Host, outcome};
    use serde_json::json;

    fn public_key(byte: u8) -> String {
        NodeKey::from_hex(&format!("{byte:064x}")).unwrap().public_key()
    }

    fn enode(byte: u8) -> String {
        format!("enode://{}@10.0.0.{byte}:30303", public_key(byte))
    }

    fn args(version: &str) -> Value {
        json!({"config": "/config.toml", "datadir": "/data", "version": version, "own": public_key(1),
            "peers": {"one": enode(1), "two": enode(2), "three": enode(3)}})
    }

    #[test]
    fn each_version_finds_its_peers_where_it_looks() {
        let host = Host::new();
        host.write("/data/static-nodes.json", "[]");
        let done = outcome(&host, "eth_static_peers", &args("1.13.15"), false).unwrap();
        assert_eq!(done.output["peers"], json!([enode(2), enode(3)]));
        let config = host.read("/config.toml");
        assert!(
            config.contains(&format!("[Node.P2P]\nStaticNodes = [\"{}\", \"{}\"]\n", enode(2), enode(3))),
            "{config}"
        );
        assert!(!host.exists("/data/static-nodes.json"));
        assert_eq!(host.mode("/config.toml"), 0o400);
        assert!(!outcome(&host, "eth_static_peers", &args("1.13.15"), false).unwrap().changed());
        outcome(&host, "eth_static_peers", &args("1.10.26"), false).unwrap();
        assert!(!host.read("/config.toml").contains("StaticNodes"));
        assert_eq!(
            serde_json::from_str::<Value>(&host.read("/data/static-nodes.json")).unwrap(),
            json!([enode(2), enode(3)])
        );
    }

    #[test]
    fn one_key_or_one_address_on_two_hosts_names_both() {
        let mut same_key = args("1.13.15");
        same_key["peers"]["three"] = json!(enode(2).replace("10.0.0.2", "10.0.0.9"));
        let failure = outcome(&Host::new(), "eth_static_peers", &same_key, false).unwrap_err();
        assert!(failure.message.starts_with("two and three have one and the same node key"), "{failure}");
        let mut same_address = args("1.13.15");
        same_address["peers"]["three"] = json!(enode(3).replace("10.0.0.3", "10.0.0.2"));
        let failure = outcome(&Host::new(), "eth_static_peers", &same_address, false).unwrap_err();
        assert!(failure.message.starts_with("two and three have one and the same address"), "{failure}");
    }

    #[test]
    fn the_secret_of_the_stats_server_is_in_the_file_and_not_in_the_diff() {
        let host = Host::new();
        host.write("/secret", "hunter22\n");
        let mut args = args("1.13.15");
        args["ethstats"] = json!({"name": "one", "server": "10.0.0.9:3000", "secret_file": "/secret"});
        let first = outcome(&host, "eth_static_peers", &args, false).unwrap();
        assert!(host.read("/config.toml").contains("[Ethstats]\nURL = \"one:hunter22@10.0.0.9:3000\""));
        assert!(!format!("{first:?}").contains("hunter22"));
        host.write("/secret", "another");
        let second = outcome(&host, "eth_static_peers", &args, false).unwrap();
        assert!(!format!("{second:?}").contains("hunter22") && !format!("{second:?}").contains("another"));
    }

    #[test]
    fn settings_stand_in_their_sections() {
        let host = Host::new();
        let mut args = args("1.13.15");
        args["settings"] = json!({"Node.P2P": {"MaxPeers": 10}, "Eth": {"SyncMode": "full"}});
        args["bootnodes"] = json!([enode(9)]);
        outcome(&host, "eth_static_peers", &args, false).unwrap();
        let config = host.read("/config.toml");
        assert!(config.contains("[Node.P2P]\nMaxPeers = 10\nBootstrapNodes = ["), "{config}");
        assert!(config.contains("[Eth]\nSyncMode = \"full\"\n"), "{config}");
    }
}
