//! From a file's tables to what it means. What cannot be read is told with its place; the rest is read on.

use super::account::Account;
use super::forks::{Fork, Target};
use super::json::{self, Data, Key, Node};
use super::model::{AuraSeal, Engine, Format, Genesis};
use super::value::{self, Read, Wrong};
use crate::base::{Diagnostic, Source};
use alloy_primitives::U256;
use std::collections::HashSet;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// A file that was read.
#[derive(Debug)]
pub struct File<'a> {
    /// The file.
    pub source: &'a Arc<Source>,
    /// Its tables.
    pub tree: Node<'a>,
    /// What it means; where it could not be read, as if nothing stood there.
    pub genesis: Genesis,
    /// What could not be read. None of them: the meaning is complete.
    pub mistakes: Vec<Diagnostic>,
}

/// Reads a file as `target` would; without one, as the client whose format it has. Only what is no table at all is refused
/// whole.
pub fn read(source: &Arc<Source>, target: Option<Target>) -> Result<File<'_>, Vec<Diagnostic>> {
    let (tree, mut mistakes) = json::read(source);
    let Some(tree) = tree else { return Err(mistakes) };
    if !matches!(tree.data, Data::Table(_)) {
        let message = format!("this is {}, not a genesis", value::show(&tree));
        mistakes.push(Diagnostic::new(message, &tree.span(source)).help("a genesis is a table: {\"config\": ...}"));
        return Err(mistakes);
    }
    let (format, engine) = recognise(&tree);
    let besu = target.map_or(format == Format::Besu, |target| matches!(target, Target::Besu(_)));
    let unread = json::no_values(&mistakes);
    let mut reader = Reader { source, mistakes, unread, besu };
    let genesis = if format == Format::Parity {
        reader.specification(&tree, engine)
    } else {
        reader.genesis(&tree, format, engine)
    };
    let mistakes = reader.mistakes;
    Ok(File { source, tree, genesis, mistakes })
}

fn recognise(tree: &Node) -> (Format, Engine) {
    if let Some(engine) = tree.get("engine") {
        let engine = match engine.entries().first().map(|(key, _)| key.name.to_ascii_lowercase()) {
            Some(name) if name == "authorityround" => Engine::Aura,
            Some(name) if name == "clique" => Engine::Clique,
            Some(name) if name == "ethash" => Engine::Ethash,
            _ => Engine::Unknown,
        };
        return (Format::Parity, engine);
    }
    let Some(config) = tree.get("config") else {
        let parity = tree.get("params").is_some() && tree.get("genesis").is_some();
        return (if parity { Format::Parity } else { Format::Geth }, Engine::Unknown);
    };
    let has = |name: &str| config.get(name).is_some();
    let quorum = config.get("isQuorum").is_some_and(|node| node.data == Data::Bool(true)) || has("txnSizeLimit");
    if has("autonityContract") || has("tendermint") || has("autonity") {
        (Format::Autonity, Engine::Autonity)
    } else if has("istanbul") || has("ibft") {
        (Format::Quorum, Engine::Istanbul)
    } else if has("qbft") {
        (if quorum { Format::Quorum } else { Format::Besu }, Engine::Qbft)
    } else if has("ibft2") {
        (Format::Besu, Engine::Ibft2)
    } else if has("clique") {
        (if quorum { Format::Quorum } else { Format::Geth }, Engine::Clique)
    } else if config.get("terminalTotalDifficulty").is_some_and(|node| value::number(node) == Ok(U256::ZERO))
        || (has("terminalTotalDifficulty") && has("shanghaiTime"))
    {
        (Format::Geth, Engine::ProofOfStake)
    } else if has("ethash") {
        (Format::Geth, Engine::Ethash)
    } else {
        (if quorum { Format::Quorum } else { Format::Geth }, Engine::Unknown)
    }
}

struct Reader<'s> {
    source: &'s Arc<Source>,
    mistakes: Vec<Diagnostic>,
    /// Where words stand that are no values.
    unread: HashSet<usize>,
    besu: bool,
}

impl Reader<'_> {
    fn tell(&mut self, name: &str, node: &Node, wrong: Wrong) {
        if self.unread.contains(&(node.start as usize)) {
            return;
        }
        let message = format!("`{name}`: {}", wrong.message);
        self.mistakes.push(Diagnostic::new(message, &node.span(self.source)).help(wrong.help));
    }

    /// None: absent, or told.
    fn take<T>(&mut self, table: &Node, name: &str, read: impl Fn(&Node) -> Read<T>) -> Option<T> {
        let node = table.get(name)?;
        match read(node) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.tell(name, node, wrong);
                None
            }
        }
    }

    fn need<T>(&mut self, table: &Node, name: &str, of: &str, read: impl Fn(&Node) -> Read<T>) -> Option<T> {
        if table.get(name).is_none() {
            let start = table.start as usize;
            let span = crate::base::Span::new(self.source.clone(), start, start + 1);
            let example = match name {
                "alloc" | "accounts" => "{}".to_owned(),
                "config" => "{\"chainId\": 46781}".to_owned(),
                "difficulty" => "\"0x1\"".to_owned(),
                _ => "\"0x1c9c380\"".to_owned(),
            };
            let message = format!("{of} has no `{name}`, and no client starts without one");
            self.mistakes.push(Diagnostic::new(message, &span).help(format!("write \"{name}\": {example}")));
        }
        self.take(table, name, read)
    }

    fn genesis(&mut self, tree: &Node, format: Format, engine: Engine) -> Genesis {
        let mut genesis = Genesis::empty(format, engine);
        if self.need(tree, "config", "this genesis", table).is_some()
            && let Some(config) = tree.get("config")
        {
            self.config(config, &mut genesis);
        }
        let hex = if self.besu { value::besu_hex } else { value::number };
        genesis.nonce = self
            .take(tree, "nonce", |node| {
                let wide = hex(node)?;
                u64::try_from(wide).map_err(|_| Wrong {
                    message: format!("{} is too large", value::show(node)),
                    help: "a nonce has at most 8 bytes".into(),
                })
            })
            .unwrap_or_default();
        genesis.timestamp = self.take(tree, "timestamp", value::small).unwrap_or_default();
        genesis.extra_data = self.take(tree, "extraData", value::bytes).unwrap_or_default();
        genesis.gas_limit = self.need(tree, "gasLimit", "this genesis", value::small).unwrap_or_default();
        genesis.difficulty = self.need(tree, "difficulty", "this genesis", hex).unwrap_or_default();
        genesis.mix_hash = self.take(tree, "mixHash", value::hash).unwrap_or_default();
        genesis.coinbase = self.take(tree, "coinbase", address).unwrap_or_default();
        genesis.number = self.take(tree, "number", value::small).unwrap_or_default();
        genesis.gas_used = self.take(tree, "gasUsed", value::small).unwrap_or_default();
        genesis.parent_hash = self.take(tree, "parentHash", value::hash).unwrap_or_default();
        genesis.base_fee = self.take(tree, "baseFeePerGas", value::number);
        genesis.blob_gas_used = self.take(tree, "blobGasUsed", value::small);
        genesis.excess_blob_gas = self.take(tree, "excessBlobGas", value::small);
        genesis.parent_beacon_root = self.take(tree, "parentBeaconBlockRoot", value::hash);
        genesis.slot_number = self.take(tree, "slotNumber", value::small);
        if self.need(tree, "alloc", "this genesis", table).is_some()
            && let Some(accounts) = tree.get("alloc")
        {
            for (key, node) in accounts.entries() {
                self.account(&mut genesis, key, node);
            }
        }
        genesis
    }

    fn config(&mut self, config: &Node, genesis: &mut Genesis) {
        genesis.chain_id = self.take(config, "chainId", value::number);
        genesis.terminal_total_difficulty = self.take(config, "terminalTotalDifficulty", value::number);
        for (key, node) in config.entries().iter().filter(|(_, node)| node.data != Data::Null) {
            let name = key.name.as_ref();
            if let Some(fork) = Fork::of_key(name) {
                match value::small(node) {
                    Ok(at) => drop(genesis.forks.insert(fork, at)),
                    Err(wrong) => self.tell(name, node, wrong),
                }
            } else if !["chainid", "terminaltotaldifficulty"].contains(&name.to_ascii_lowercase().as_str()) {
                flatten(name.to_ascii_lowercase(), node, genesis);
            }
        }
    }

    fn account(&mut self, genesis: &mut Genesis, key: &Key, node: &Node) {
        let address = match value::address(&key.name) {
            Ok(address) => address,
            Err(wrong) => {
                self.mistakes.push(
                    Diagnostic::new(format!("`alloc`: {}", wrong.message), &key.span(self.source)).help(wrong.help),
                );
                return;
            }
        };
        let (source, mistakes, unread) = (self.source, &mut self.mistakes, &self.unread);
        let account = Account::read(node, &mut |node, wrong| {
            if unread.contains(&(node.start as usize)) {
                return;
            }
            let message = format!("account {}: {}", key.name, wrong.message);
            mistakes.push(Diagnostic::new(message, &node.span(source)).help(wrong.help));
        });
        match genesis.alloc.entry(address) {
            Entry::Vacant(place) => {
                place.insert(account);
            }
            Entry::Occupied(_) => {
                let message = format!("the account {address} stands here a second time");
                self.mistakes.push(
                    Diagnostic::new(message, &key.span(self.source))
                        .help("with and without 0x, in upper or lower case, it is one account: keep one"),
                );
            }
        }
    }

    /// A chain specification.
    fn specification(&mut self, tree: &Node, engine: Engine) -> Genesis {
        let mut genesis = Genesis::empty(Format::Parity, engine);
        let (params, block) = (tree.get("params"), tree.get("genesis"));
        self.need(tree, "params", "this chain specification", table);
        self.need(tree, "genesis", "this chain specification", table);
        if let Some(params) = params {
            let network = self.take(params, "networkID", value::number);
            genesis.chain_id = self.take(params, "chainID", value::number).or(network);
            genesis.terminal_total_difficulty = self.take(params, "terminalTotalDifficulty", value::number);
            flatten("params".into(), params, &mut genesis);
            // London is the one transition of which block 0 shows anything before the merge. Nethermind since 2026 also reads
            // a whole fork from one key.
            for (key, label, fork) in [
                ("eip1559Transition", "london", Fork::London),
                ("eip4895TransitionTimestamp", "shanghai", Fork::Shanghai),
                ("eip4844TransitionTimestamp", "cancun", Fork::Cancun),
                ("eip7002TransitionTimestamp", "prague", Fork::Prague),
            ] {
                if let Some(at) =
                    self.take(params, key, value::small).or_else(|| self.take(params, label, value::small))
                {
                    genesis.forks.insert(fork, at);
                }
            }
        }
        if let Some((key, node)) = tree.get("engine").and_then(|engine| engine.entries().first()) {
            let inner = node.get("params").unwrap_or(node);
            genesis.settings.insert("engine".into(), key.name.to_string());
            flatten("engine".into(), inner, &mut genesis);
        }
        if let Some(block) = block {
            let hex = value::number;
            genesis.gas_limit = self.need(block, "gasLimit", "`genesis`", value::small).unwrap_or_default();
            genesis.difficulty = self.need(block, "difficulty", "`genesis`", hex).unwrap_or_default();
            genesis.timestamp = self.take(block, "timestamp", value::small).unwrap_or_default();
            genesis.extra_data = self.take(block, "extraData", value::bytes).unwrap_or_default();
            genesis.coinbase = self.take(block, "author", address).unwrap_or_default();
            genesis.parent_hash = self.take(block, "parentHash", value::hash).unwrap_or_default();
            genesis.gas_used = self.take(block, "gasUsed", value::small).unwrap_or_default();
            genesis.base_fee = self.take(block, "baseFeePerGas", value::number);
            genesis.blob_gas_used = self.take(block, "blobGasUsed", value::small);
            genesis.excess_blob_gas = self.take(block, "excessBlobGas", value::small);
            genesis.state_root = self.take(block, "stateRoot", value::hash);
            self.seal(block, &mut genesis);
        }
        for (key, node) in tree.get("accounts").map(Node::entries).unwrap_or_default() {
            self.spec_account(&mut genesis, key, node);
        }
        genesis
    }

    fn seal(&mut self, block: &Node, genesis: &mut Genesis) {
        let Some(seal) = block.get("seal") else { return };
        if let Some(aura) = seal.get("authorityRound") {
            let step = self.take(aura, "step", value::small).unwrap_or_default();
            let signature = self.take(aura, "signature", value::bytes).unwrap_or_default();
            genesis.aura = Some(AuraSeal { step, signature });
        } else if let Some(ethereum) = seal.get("ethereum") {
            genesis.nonce = self.take(ethereum, "nonce", value::small).unwrap_or_default();
            genesis.mix_hash = self.take(ethereum, "mixHash", value::hash).unwrap_or_default();
        }
    }

    /// A built-in contract is no account until it holds something.
    fn spec_account(&mut self, genesis: &mut Genesis, key: &Key, node: &Node) {
        let holds = ["balance", "nonce", "code", "storage", "constructor"].iter().any(|name| node.get(name).is_some());
        if !holds && matches!(node.data, Data::Table(_)) {
            return;
        }
        self.account(genesis, key, node);
        if node.get("constructor").is_some()
            && let Ok(address) = value::address(&key.name)
        {
            genesis.constructors.push(address);
        }
    }
}

fn address(node: &Node) -> Read<alloy_primitives::Address> {
    match node.as_text() {
        Some(text) => value::address(text),
        None => Err(Wrong {
            message: format!("{} is not an address", value::show(node)),
            help: "write it as \"0x...\"".into(),
        }),
    }
}

fn table(node: &Node) -> Read<()> {
    match node.data {
        Data::Table(_) => Ok(()),
        _ => Err(Wrong {
            message: format!("{} is not a table", value::show(node)),
            help: "write {\"key\": value}".into(),
        }),
    }
}

/// Every value below `node` by its path; numbers by their value, addresses and names in lower case.
fn flatten(path: String, node: &Node, genesis: &mut Genesis) {
    match &node.data {
        Data::Null => {}
        Data::Table(entries) => {
            if entries.is_empty() {
                genesis.settings.insert(path, String::new());
                return;
            }
            for (key, node) in entries {
                // Paths with numbers are blocks: "0x10" and "16" are one.
                let name = value::number(&Node { start: 0, end: 0, data: Data::Text(key.name.clone()) })
                    .map_or_else(|_| key.name.to_ascii_lowercase(), |number| number.to_string());
                flatten(format!("{path}.{name}"), node, genesis);
            }
        }
        Data::List(items) => {
            for (index, node) in items.iter().enumerate() {
                flatten(format!("{path}.{index:04}"), node, genesis);
            }
        }
        Data::Bool(value) => drop(genesis.settings.insert(path, value.to_string())),
        Data::Number(_) | Data::Text(_) => {
            let text = match (&node.data, value::number(node)) {
                // Forty digits are an address, whatever number they would be.
                (Data::Text(text), _) if text.len() >= 40 => text.to_ascii_lowercase(),
                (_, Ok(number)) => number.to_string(),
                (Data::Text(text), _) => text.to_string(),
                (Data::Number(digits), _) => (*digits).to_owned(),
                _ => String::new(),
            };
            genesis.settings.insert(path, text);
        }
    }
}
