//! Where a lock and what is there differ, in plain words.

use super::{Genesis, Lock};
use crate::base::{Map, Value};
use crate::chain::client::Version;
use crate::chain::genesis::forks::FORKS;
use crate::chain::quantity;
use serde::Serialize;
use std::fmt;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What differs: `chain id`, `enode of sealer1`.
    pub what: String,
    /// What the lock says; null where it says nothing.
    pub locked: Option<String>,
    /// What is there; null where nothing is.
    pub found: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, locked, found } = self;
        match (locked, found) {
            (Some(locked), Some(found)) => write!(f, "{what}: the lock says {locked}, there is {found}"),
            (Some(locked), None) => write!(f, "{what}: the lock says {locked}, there is none"),
            (None, Some(found)) => write!(f, "{what}: the lock has none, there is {found}"),
            (None, None) => f.write_str(what),
        }
    }
}

/// What a node says of itself, as far as it says it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen<'a> {
    /// Hash of block 0.
    pub genesis: Option<&'a str>,
    /// The network's id, as `net_version` answers it.
    pub network_id: Option<&'a str>,
    /// The chain configuration that it runs with.
    pub config: Option<&'a Map>,
    /// Its client's name and version: `Geth/v1.13.15-stable/linux-amd64/go1.26`.
    pub client: Option<&'a str>,
    /// Its enode.
    pub enode: Option<&'a str>,
    /// The account that it seals with.
    pub account: Option<&'a str>,
    /// Who may seal, as of its newest block; none if it does not say.
    pub signers: &'a [String],
}

impl Lock {
    /// Where `found` differs from this lock.
    pub fn differences(&self, found: &Self) -> Vec<Difference> {
        let mut list = List::default();
        list.add("network name", &self.network, &found.network);
        list.add("chain id", self.chain_id, found.chain_id);
        list.add("network id", self.network_id, found.network_id);
        list.add("engine", &self.engine.name, &found.engine.name);
        list.add("seconds between blocks", self.engine.period, found.engine.period);
        list.add("epoch", self.engine.epoch, found.engine.epoch);
        list.genesis(&self.genesis, &found.genesis);
        list.signers(&self.signers, &found.signers);
        list.add("client", &self.client.name, &found.client.name);
        list.add("client version", &self.client.version, &found.client.version);
        list.add("sha256 of the client's program", &self.client.sha256, &found.client.sha256);
        let hosts: std::collections::BTreeSet<&String> = self.hosts.keys().chain(found.hosts.keys()).collect();
        for name in hosts {
            match (self.hosts.get(name), found.hosts.get(name)) {
                (Some(locked), Some(found)) => {
                    list.add(&format!("roles of {name}"), locked.roles.join(", "), found.roles.join(", "));
                    list.perhaps(&format!("account of {name}"), locked.account.as_deref(), found.account.as_deref());
                    list.add(&format!("enode of {name}"), &locked.enode, &found.enode);
                }
                (locked, found) => {
                    let enode = |host: Option<&super::Host>| host.map(|host| host.enode.to_string());
                    list.perhaps(&format!("host {name}"), enode(locked).as_deref(), enode(found).as_deref());
                }
            }
        }
        list.0
    }

    /// Where a genesis differs from the one of this lock.
    pub fn genesis_differences(&self, found: &Genesis) -> Vec<Difference> {
        let mut list = List::default();
        list.genesis(&self.genesis, found);
        list.0
    }

    /// Where what the node of a host says differs from this lock. What it does not say is no difference.
    pub fn node_differences(&self, host: &str, seen: &Seen) -> Vec<Difference> {
        let mut list = List::default();
        let of = |what: &str| format!("{what} of {host}");
        list.known(&of("hash of block 0"), &self.genesis.hash, seen.genesis);
        list.known(&of("network id"), &self.network_id.to_string(), seen.network_id);
        let version = seen.client.and_then(|text| text.parse::<Version>().ok()).map(|version| version.to_string());
        list.known(&of("client version"), &self.client.version, version.as_deref());
        if let Some(config) = seen.config {
            self.forks_of(host, config, &mut list);
        }
        if !seen.signers.is_empty() {
            list.signers_as(&format!(" as {host} sees it"), &self.signers, seen.signers);
        }
        if let Some(locked) = self.hosts.get(host) {
            if let Some(enode) = seen.enode.and_then(|text| text.parse::<super::Enode>().ok()) {
                // Which address and discovery port a node believes to have depends on more than what it is told.
                list.add(&of("node key"), &locked.enode.public_key, &enode.public_key);
                list.add(&of("devp2p port"), locked.enode.tcp, enode.tcp);
            }
            if let (Some(locked), Some(found)) = (&locked.account, seen.account) {
                list.add(&of("account"), locked, found);
            }
        }
        list.0
    }

    fn forks_of(&self, host: &str, config: &Map, list: &mut List) {
        let number = |name: &str| config.get(name).and_then(|value: &Value| quantity::small(value).ok());
        list.known(
            &format!("chain id of {host}"),
            &self.chain_id.to_string(),
            number("chainId").map(|n| n.to_string()).as_deref(),
        );
        for fact in FORKS {
            // What the version does not know it does not show.
            if let Some(found) = number(fact.key) {
                let locked = self.genesis.forks.get(&fact.fork).map(ToString::to_string);
                let what = format!("{} of {host}", fact.key);
                list.perhaps(&what, locked.as_deref(), Some(&found.to_string()));
            }
        }
        // Neither of them is in block 0: a node may have others, and refuses the blocks that the network makes.
        let clique = |name: &str| config.get("clique")?.get(name).and_then(|value| quantity::small(value).ok());
        for (name, what, locked) in
            [("period", "seconds between blocks", self.engine.period), ("epoch", "epoch", self.engine.epoch)]
        {
            let found = clique(name).map(|found| found.to_string());
            list.known(&format!("{what} of {host}"), &locked.to_string(), found.as_deref());
        }
    }
}

#[derive(Default)]
struct List(Vec<Difference>);

impl List {
    fn add(&mut self, what: &str, locked: impl ToString, found: impl ToString) {
        self.perhaps(what, Some(&locked.to_string()), Some(&found.to_string()));
    }

    fn perhaps(&mut self, what: &str, locked: Option<&str>, found: Option<&str>) {
        if locked != found {
            let own = |text: Option<&str>| text.map(str::to_owned);
            self.0.push(Difference { what: what.to_owned(), locked: own(locked), found: own(found) });
        }
    }

    /// What is not said is no difference.
    fn known(&mut self, what: &str, locked: &str, found: Option<&str>) {
        if found.is_some() {
            self.perhaps(what, Some(locked), found);
        }
    }

    fn genesis(&mut self, locked: &Genesis, found: &Genesis) {
        self.add("hash of block 0", &locked.hash, &found.hash);
        let forks: std::collections::BTreeSet<_> = locked.forks.keys().chain(found.forks.keys()).collect();
        for fork in forks {
            let at = |genesis: &Genesis| genesis.forks.get(fork).map(ToString::to_string);
            self.perhaps(fork.fact().key, at(locked).as_deref(), at(found).as_deref());
        }
        self.add("fork id", &locked.fork_id, &found.fork_id);
        self.add("digest of the genesis' settings", &locked.config_digest, &found.config_digest);
    }

    fn signers(&mut self, locked: &[String], found: &[String]) {
        self.signers_as("", locked, found);
    }

    fn signers_as(&mut self, how: &str, locked: &[String], found: &[String]) {
        for signer in locked.iter().filter(|signer| !found.contains(signer)) {
            self.perhaps(&format!("signer{how}"), Some(signer), None);
        }
        for signer in found.iter().filter(|signer| !locked.contains(signer)) {
            self.perhaps(&format!("signer{how}"), None, Some(signer));
        }
    }
}
