//! A lock's file, read strictly: what is unknown, missing or mistyped is one clear mistake with its place.

use super::{Client, Engine, Genesis, Host, Lock, VERSION};
use crate::base::diagnostic::did_you_mean;
use crate::base::{Diagnostic, Failure, Source, failure};
use crate::chain::client::Version;
use crate::chain::genesis::forks::{FORKS, Fork};
use crate::chain::genesis::json::{self, Data, Node};
use crate::chain::genesis::value::{show, small};
use crate::chain::{Address, Enode, parse_address};
use std::collections::BTreeMap;
use std::sync::Arc;

type Result<T> = std::result::Result<T, Diagnostic>;

impl Lock {
    /// Reads a file; the first mistake, with its place.
    pub fn read(source: &Arc<Source>) -> Result<Self> {
        let (value, mistakes) = json::read(source);
        if let Some(mistake) = mistakes.into_iter().next() {
            return Err(mistake);
        }
        let value = value.ok_or_else(|| Diagnostic::plain("the lock is empty"))?;
        // Another version may have other keys: it is told before them.
        if let Some(version) = value.get("version")
            && small(version).ok() != Some(VERSION)
        {
            let message = format!("this lock has version {}; known is {VERSION}", show(version));
            return Err(Diagnostic::new(message, &version.span(source))
                .help("a newer Chainwright wrote it: take that one, or write the lock anew with this one"));
        }
        lock(&Table::of(source, &value, "the lock")?)
    }

    /// Reads a text; a mistake names `path`, line and column.
    pub fn parse(path: &str, text: &str) -> failure::Result<Self> {
        Self::read(&Source::new(path, text)).map_err(|mistake| failure(&mistake))
    }
}

/// A mistake as a failure in one line.
pub fn failure(mistake: &Diagnostic) -> Failure {
    let failure = Failure::new(&mistake.message);
    let failure = match &mistake.help {
        Some(help) => failure.help(help),
        None => failure,
    };
    match &mistake.span {
        Some(span) => {
            let (line, column) = span.line_column();
            failure.context(format!("{}: line {line}, column {column}", span.source.path.display()))
        }
        None => failure,
    }
}

fn lock(top: &Table) -> Result<Lock> {
    let keys = ["version", "network", "chain_id", "network_id", "engine", "genesis", "signers", "client", "hosts"];
    top.has(&keys, &[])?;
    let engine = top.table("engine")?;
    engine.has(&["name", "period", "epoch"], &[])?;
    let genesis = top.table("genesis")?;
    genesis.has(&["hash", "config_digest", "forks", "fork_id"], &[])?;
    let client = top.table("client")?;
    client.has(&["name", "version", "sha256"], &[])?;
    let mut hosts = BTreeMap::new();
    let table = top.table("hosts")?;
    for (key, _) in table.node.entries() {
        hosts.insert(key.name.to_string(), host(&table.table(&key.name)?)?);
    }
    if hosts.is_empty() {
        return Err(table.wrong(table.node, "the lock has no hosts", "a network has at least one"));
    }
    Ok(Lock {
        version: VERSION,
        network: top.text("network")?,
        chain_id: top.number("chain_id")?,
        network_id: top.number("network_id")?,
        engine: Engine { name: engine.text("name")?, period: engine.number("period")?, epoch: engine.number("epoch")? },
        genesis: Genesis {
            hash: genesis.hexadecimal("hash", "0x", 64)?,
            config_digest: genesis.hexadecimal("config_digest", "", 64)?,
            forks: forks(&genesis.table("forks")?)?,
            fork_id: genesis.hexadecimal("fork_id", "0x", 8)?,
        },
        signers: signers(top)?,
        client: Client {
            name: client.text("name")?,
            version: version(&client)?,
            sha256: client.hexadecimal("sha256", "", 64)?,
        },
        hosts,
    })
}

fn version(client: &Table) -> Result<String> {
    let version = client.text("version")?.parse::<Version>();
    Ok(version.map_err(|failure| client.told(client.at("version"), failure))?.to_string())
}

fn host(table: &Table) -> Result<Host> {
    table.has(&["roles", "enode"], &["account"])?;
    let mut roles = Vec::new();
    for node in table.list("roles")? {
        roles.push(table.text_of(node, "a role")?);
    }
    roles.sort_unstable();
    roles.dedup();
    let account = match table.node.get("account") {
        Some(node) => Some(table.address(node)?.to_checksum(None)),
        None => None,
    };
    let node = table.at("enode");
    let text = table.text("enode")?;
    let enode: Enode = text.parse().map_err(|failure: Failure| table.told(node, failure))?;
    Ok(Host { roles, account, enode })
}

fn forks(table: &Table) -> Result<BTreeMap<Fork, u64>> {
    let mut forks = BTreeMap::new();
    for (key, node) in table.node.entries() {
        let known = || FORKS.iter().map(|fact| fact.key);
        let fork = FORKS.iter().find(|fact| fact.key == key.name).ok_or_else(|| {
            let help = did_you_mean(&key.name, known())
                .map_or_else(|| format!("known are {}", known().collect::<Vec<_>>().join(", ")), meant);
            Diagnostic::new(format!("`{}` is not a fork", json::shorten(&key.name)), &key.span(table.source)).help(help)
        })?;
        let at = small(node).map_err(|wrong| table.wrong(node, wrong.message, &wrong.help))?;
        forks.insert(fork.fork, at);
    }
    Ok(forks)
}

fn signers(top: &Table) -> Result<Vec<String>> {
    let mut signers: Vec<Address> = Vec::new();
    for node in top.list("signers")? {
        let address = top.address(node)?;
        if signers.contains(&address) {
            return Err(top.wrong(node, format!("the signer {address} stands twice"), "name each signer once"));
        }
        signers.push(address);
    }
    signers.sort_unstable();
    Ok(signers.iter().map(|address| address.to_checksum(None)).collect())
}

fn meant(near: &str) -> String {
    format!("did you mean `{near}`?")
}

/// A table of the file, and what to call it.
struct Table<'a> {
    source: &'a Arc<Source>,
    node: &'a Node<'a>,
    name: String,
}

impl<'a> Table<'a> {
    fn of(source: &'a Arc<Source>, node: &'a Node<'a>, name: &str) -> Result<Self> {
        let table = Self { source, node, name: name.to_owned() };
        if matches!(node.data, Data::Table(_)) {
            return Ok(table);
        }
        Err(table.wrong(node, format!("{name} is {}, not a table", show(node)), "write {...}"))
    }

    fn wrong(&self, node: &Node, message: impl Into<String>, help: &str) -> Diagnostic {
        Diagnostic::new(message, &node.span(self.source)).help(help)
    }

    fn told(&self, node: &Node, failure: Failure) -> Diagnostic {
        let help = failure.help.unwrap_or_default();
        self.wrong(node, failure.message, &help)
    }

    /// Exactly these keys, and perhaps the optional ones.
    fn has(&self, keys: &[&str], optional: &[&str]) -> Result<()> {
        let known = || keys.iter().chain(optional).copied();
        for (key, _) in self.node.entries() {
            if !known().any(|known| known == key.name) {
                let help = did_you_mean(&key.name, known())
                    .map_or_else(|| format!("known are {}", known().collect::<Vec<_>>().join(", ")), meant);
                let message = format!("{} has no key `{}`", self.name, json::shorten(&key.name));
                return Err(Diagnostic::new(message, &key.span(self.source)).help(help));
            }
        }
        match keys.iter().find(|key| !self.node.entries().iter().any(|(known, _)| known.name == **key)) {
            None => Ok(()),
            Some(missing) => Err(self.wrong(
                self.node,
                format!("`{missing}` is missing in {}", self.name),
                "the file is incomplete: write the lock anew with `chainwright lock`, or take it from a copy",
            )),
        }
    }

    /// A key that [`Table::has`] has found.
    fn at(&self, key: &str) -> &'a Node<'a> {
        self.node.entries().iter().find(|(known, _)| known.name == key).map_or(self.node, |(_, node)| node)
    }

    fn table(&self, key: &str) -> Result<Self> {
        Self::of(self.source, self.at(key), &format!("`{}`", json::shorten(key)))
    }

    fn list(&self, key: &str) -> Result<&'a [Node<'a>]> {
        let node = self.at(key);
        match &node.data {
            Data::List(items) => Ok(items),
            _ => Err(self.wrong(node, format!("`{key}` is {}, not a list", show(node)), "write [...]")),
        }
    }

    fn number(&self, key: &str) -> Result<u64> {
        let node = self.at(key);
        if !matches!(node.data, Data::Number(_)) {
            return Err(self.wrong(node, format!("`{key}` is {}, not a number", show(node)), "write a number"));
        }
        small(node).map_err(|wrong| self.wrong(node, format!("`{key}`: {}", wrong.message), &wrong.help))
    }

    fn text(&self, key: &str) -> Result<String> {
        self.text_of(self.at(key), &format!("`{key}`"))
    }

    fn text_of(&self, node: &Node, name: &str) -> Result<String> {
        match node.as_text() {
            Some("") => Err(self.wrong(node, format!("{name} is empty"), "write a text")),
            Some(text) => Ok(text.to_owned()),
            None => Err(self.wrong(node, format!("{name} is {}, not a text", show(node)), "write a text in quotes")),
        }
    }

    fn hexadecimal(&self, key: &str, prefix: &str, digits: usize) -> Result<String> {
        let node = self.at(key);
        let text = self.text(key)?;
        let right = text.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() == digits && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        });
        if right {
            return Ok(text);
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix} and ") };
        let message = format!("`{key}` is {}", show(node));
        Err(self.wrong(node, message, &format!("it is {prefix}{digits} hexadecimal digits in lower case")))
    }

    fn address(&self, node: &Node) -> Result<Address> {
        let text = self.text_of(node, "an address")?;
        parse_address(&text).map_err(|failure| self.told(node, failure))
    }
}
