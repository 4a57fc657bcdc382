//! `eth_network_lock`: the lock of a network, from what the inventory says of it.

use super::eth_network::Network;
use super::loose::{Number, Text, Words};
use super::{Cx, Module, Reach, Result, eth};
use crate::base::{Failure, Map, Value};
use crate::chain::client::Version;
use crate::chain::lock::{Client, Engine, Genesis, Host, Lock, VERSION};
use crate::chain::{Address, Enode, parse_address};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Works out what `network.lock` holds: block 0 and its rules, who seals, every node's key and address, the client's version and
/// sha256. Nothing is contacted and nothing written: `chainwright lock` writes the file, and `eth_locked` holds things against it. The
/// same network is the same text, whatever order things were named in.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthNetworkLock {
    /// The network's name.
    pub name: Text,
    /// What the genesis is made of: the options of `eth_genesis`.
    pub genesis: Network,
    /// The id by which nodes tell whether they are of one network. Default: the chain id.
    #[serde(default)]
    pub network_id: Option<Number>,
    /// The program that every node runs: `name`, `version`, `sha256`.
    pub client: Map,
    /// Every node, from its name to what it is: `roles`, `node_public_key` (128 digits), `account` (of a sealer), `address`,
    /// `port` and `discovery_port` (0: it takes no part in discovery). Or as a lock has it: `roles`, `account`, `enode`.
    pub hosts: Map,
}

/// What `eth_network_lock` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The file's text.
    text: String,
    /// SHA-256 of the text: what signatures are of.
    sha256: String,
    /// Hash of block 0.
    hash: String,
}

impl Module for EthNetworkLock {
    const NAME: &'static str = "eth_network_lock";
    const EXAMPLE: &'static str = "\
- eth_network_lock:
    name: demo
    genesis:
      chain_id: 46781
      period: 2
      signers: [\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"]
    client: {name: geth, version: 1.13.15, sha256: \"{{ geth_sha256 }}\"}
    hosts:
      sealer1:
        roles: [sealers]
        node_public_key: \"{{ hostvars.sealer1.node_public_key }}\"
        account: \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"
        address: 10.0.0.1
  register: network_lock";
    const REACH: Reach = Reach::Controller;
    type Output = Output;

    fn run(&self, _: &mut Cx) -> Result<Output> {
        let lock = self.lock()?;
        Ok(Output { text: lock.text(), sha256: lock.digest(), hash: lock.genesis.hash })
    }
}

/// A host's part, as the inventory says it.
#[derive(Debug, Deserialize)]
struct Node {
    #[serde(default)]
    roles: Words,
    #[serde(default, rename = "node_public_key")]
    public_key: Option<Value>,
    #[serde(default)]
    account: Option<Value>,
    #[serde(default)]
    enode: Option<Text>,
    #[serde(default)]
    address: Option<Text>,
    #[serde(default)]
    port: Option<Number>,
    #[serde(default)]
    discovery_port: Option<Number>,
}

impl EthNetworkLock {
    fn lock(&self) -> Result<Lock> {
        let mut hosts = BTreeMap::new();
        let mut without = Vec::new();
        for (name, value) in &self.hosts {
            let node: Node =
                serde_json::from_value(value.clone()).map_err(|error| Failure::new(format!("host {name}: {error}")))?;
            let seals = node.roles.0.iter().any(|role| role == "sealers");
            let known = |value: &Option<Value>| value.as_ref().is_some_and(|value| !eth::unknown(value));
            if !(known(&node.public_key) || node.enode.is_some()) || (seals && !known(&node.account)) {
                without.push(name.as_str());
                continue;
            }
            hosts.insert(name.clone(), host(node, seals).map_err(|failure| failure.context(format!("host {name}")))?);
        }
        if !without.is_empty() {
            without.sort_unstable();
            let (whose, has) = if without.len() == 1 { ("its", "has") } else { ("their", "have") };
            return Err(Failure::new(format!(
                "{} {has} no public keys in the inventory: a node's `node_public_key`, and a sealer's `account_address`",
                without.join(", ")
            ))
            .help(format!(
                "run playbooks/keys.yml: it makes {whose} keys on the hosts, and writes the public halves into the inventory, as \
                 host_vars/HOST/public.yml"
            )));
        }
        if let Some((name, twice)) = key_twice(&hosts) {
            return Err(Failure::new(format!("{name} and {twice} have one and the same node key in the inventory"))
                .help("a copied host_vars file? run playbooks/keys.yml to have each host's own"));
        }
        let made = self.genesis.make(false)?.ok_or_else(|| Failure::new("the network has no signers"))?;
        let genesis = Genesis::of(&made.text)?;
        let chain_id = positive(self.genesis.chain_id, "chain_id")?;
        let mut signers: Vec<Address> =
            hosts.values().filter_map(|host| parse_address(host.account.as_deref()?).ok()).collect();
        signers.sort_unstable();
        Ok(Lock {
            version: VERSION,
            network: self.name.0.clone(),
            chain_id,
            network_id: self.network_id.map_or(Ok(chain_id), |id| positive(id, "network_id"))?,
            engine: Engine {
                name: self.genesis.engine.clone(),
                period: positive(self.genesis.period, "period")?,
                epoch: positive(self.genesis.epoch, "epoch")?,
            },
            genesis,
            signers: signers.iter().map(|address| address.to_checksum(None)).collect(),
            client: self.client()?,
            hosts,
        })
    }

    fn client(&self) -> Result<Client> {
        let text = |name: &str| match self.client.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => Err(Failure::new(format!("the client has no `{name}`"))
                .help("the inventory's `network.client` holds name, version and sha256")),
        };
        let sha256 = text("sha256")?.to_ascii_lowercase();
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Failure::new(format!("`{sha256}` is not a sha256")).help(
                "write the 64 digits that `sha256sum` prints for the client's program into `network.client.sha256`",
            ));
        }
        let version: Version =
            text("version")?.parse().map_err(|failure: Failure| failure.context("network.client.version"))?;
        Ok(Client { name: text("name")?, version: version.to_string(), sha256 })
    }
}

fn host(node: Node, seals: bool) -> Result<Host> {
    let port =
        |number: Number| u16::try_from(number.0).map_err(|_| Failure::new(format!("{} is not a port", number.0)));
    let said = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
    let enode = match (&node.enode, &node.address) {
        (Some(enode), _) => enode.0.parse()?,
        (None, Some(address)) => {
            let tcp = node.port.map_or(Ok(30303), port)?;
            Enode::new(&said(node.public_key), &address.0, tcp, node.discovery_port.map_or(Ok(tcp), port)?)?
        }
        (None, None) => {
            return Err(Failure::new("it has no `address`").help("set the host's `node_address` in the inventory"));
        }
    };
    let account = if seals { Some(parse_address(&said(node.account))?.to_checksum(None)) } else { None };
    let mut roles = node.roles.0;
    roles.sort_unstable();
    roles.dedup();
    Ok(Host { roles, account, enode })
}

fn key_twice(hosts: &BTreeMap<String, Host>) -> Option<(&String, &String)> {
    let mut seen = BTreeMap::new();
    hosts.iter().find_map(|(name, host)| seen.insert(&host.enode.public_key, name).map(|first| (first, name)))
}

fn positive(number: Number, name: &str) -> Result<u64> {
    u64::try_from(number.0).map_err(|_| Failure::new(format!("`{name}` is {}; it cannot be negative", number.0)))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::base::Value;
    use crate::modules::eth_tests::{Host, outcome};
    use serde_json::json;

    const KEYS: [&str; 2] = [
        "ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f",
        "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
    ];
    const ACCOUNT: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

    fn args() -> Value {
        json!({
            "name": "demo",
            "genesis": {"chain_id": 46_781, "period": 2, "signers": {"sealer1": ACCOUNT}},
            "client": {"name": "geth", "version": "1.13.15", "sha256": "ab".repeat(32)},
            "hosts": {
                "sealer1": {"roles": ["sealers"], "node_public_key": KEYS[0], "account": ACCOUNT, "address": "10.0.0.1",
                    "port": 30303, "discovery_port": 0},
                "rpc1": {"roles": ["rpc"], "node_public_key": KEYS[1], "account": null, "address": "10.0.0.2"},
            },
        })
    }

    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let mut args = args();
        change(&mut args);
        outcome(&Host::new(), "eth_network_lock", &args, false).unwrap_err().to_string()
    }

    /// The text of a lock of two hosts.
    pub fn text(change: impl FnOnce(&mut Value)) -> String {
        let mut args = args();
        change(&mut args);
        let output = outcome(&Host::new(), "eth_network_lock", &args, false).unwrap().output;
        output["text"].as_str().unwrap().to_owned()
    }

    #[test]
    fn the_same_network_is_the_same_text_whatever_the_order() {
        let one = text(|_| {});
        let two = text(|args| {
            let hosts = args["hosts"].as_object_mut().unwrap();
            *hosts = std::mem::take(hosts).into_iter().rev().collect();
            args["hosts"]["sealer1"]["account"] = ACCOUNT.to_lowercase().into();
            args["genesis"]["chain_id"] = "46781".into();
        });
        assert_eq!(one, two);
        assert!(one.contains("10.0.0.1:30303?discport=0") && one.contains("10.0.0.2:30303\""), "{one}");
    }

    #[test]
    fn a_host_may_be_given_as_a_lock_has_it() {
        let whole: Value = serde_json::from_str(&text(|_| {})).unwrap();
        assert_eq!(text(|_| {}), text(|args| args["hosts"]["sealer1"] = whole["hosts"]["sealer1"].clone()));
        assert_eq!(text(|_| {}), text(|args| args["hosts"]["rpc1"] = whole["hosts"]["rpc1"].clone()));
    }

    #[test]
    fn a_version_is_locked_as_three_numbers_however_it_is_written_and_others_are_refused() {
        assert_eq!(text(|_| {}), text(|args| args["client"]["version"] = "v1.13.15-stable".into()));
        // What YAML makes of 1.10 without quotes.
        for bad in [json!(1.1), json!("1.13"), json!("latest")] {
            let told = refusal(|args| args["client"]["version"] = bad.clone());
            assert!(
                told.starts_with("network.client.version: `") && told.contains("write three numbers, as 1.13.15"),
                "{told}"
            );
        }
    }

    #[test]
    fn the_hash_is_that_of_the_genesis_which_the_same_words_make() {
        let genesis = json!({"path": "/genesis.json", "chain_id": 46_781, "period": 2, "signers": [ACCOUNT]});
        let made = outcome(&Host::new(), "eth_genesis", &genesis, false).unwrap().output;
        let locked = outcome(&Host::new(), "eth_network_lock", &args(), false).unwrap().output;
        assert_eq!(made["hash"], locked["hash"]);
    }

    #[test]
    fn what_the_inventory_lacks_is_said_with_the_remedy() {
        let told = refusal(|args| args["hosts"]["rpc1"]["node_public_key"] = Value::Null);
        assert!(told.starts_with("rpc1 has no public keys in the inventory") && told.contains("playbooks/keys.yml"));
        let told = refusal(|args| {
            args["hosts"]["sealer1"]["account"] = Value::Null;
            args["hosts"]["rpc1"]["node_public_key"] = Value::Null;
        });
        assert!(told.starts_with("rpc1, sealer1 have no public keys"), "{told}");
        assert!(refusal(|args| args["hosts"]["rpc1"]["node_public_key"] = KEYS[0].into()).contains("same node key"));
        assert!(refusal(|args| args["hosts"]["rpc1"]["address"] = "10.0.0.256".into()).contains("host rpc1: "));
        assert!(refusal(|args| args["client"]["sha256"] = "".into()).contains("no `sha256`"));
        assert!(refusal(|args| args["client"]["sha256"] = "ab".into()).contains("`ab` is not a sha256"));
    }
}
