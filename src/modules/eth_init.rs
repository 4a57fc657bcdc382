//! `eth_init`: a data folder that holds block 0 of the right network.

use super::loose::Number;
use super::{Cx, Module, Reach, Result, eth};
use crate::base::event::Proof;
use crate::base::{Diff, Failure, Map, Value};
use crate::chain::client::Version;
use crate::chain::genesis;
use crate::chain::rpc::Client;
use crate::system::{Command, Ended, System};
use alloy_primitives::hex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Runs `geth init` once, as the user who owns the data folder, and proves that block 0 is the one that genesis.json says.
///
/// A data folder that already holds another network's block 0, or another chain configuration, is refused with nothing
/// touched. What it holds is asked of the running node, or else read from its database with `geth db get`; before 1.10, `geth init`
/// itself is asked once more.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthInit {
    /// geth's data folder; it must exist, and its owner is who geth runs as.
    pub datadir: String,
    /// genesis.json on the host.
    pub genesis: String,
    /// The geth program on the host.
    pub binary: String,
    /// The version of `binary`, where it is known; asked of the program otherwise.
    #[serde(default)]
    pub version: Option<String>,
    /// The socket of the running node. Default: `DATADIR/geth.ipc`.
    #[serde(default)]
    pub ipc: Option<String>,
    /// How long geth may take, in seconds.
    #[serde(default = "timeout")]
    pub timeout: Number,
}

fn timeout() -> Number {
    Number(300)
}

/// What `eth_init` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// Hash of block 0; null in check mode before genesis.json is written.
    hash: Option<String>,
    /// Whether the data folder was empty before.
    initialised: bool,
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for EthInit {
    const NAME: &'static str = "eth_init";
    const EXAMPLE: &'static str = "\
- eth_init:
    datadir: /var/lib/geth
    genesis: /etc/geth/genesis.json
    binary: /opt/geth/1.13.15/geth";
    const REACH: Reach = Reach::Host;
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let Some(text) = cx.system.read_text_if_there(Path::new(&self.genesis))? else {
            if cx.check {
                cx.change(Diff::action(format!("init {}", self.datadir)), |_| Ok(()))?;
                return Ok(Output { hash: None, initialised: true, proofs: Vec::new() });
            }
            return Err(Failure::new(format!("there is no {}", self.genesis)).help("write it with `eth_genesis` first"));
        };
        let hash = genesis::header(&text).map_err(|failure| failure.context(&self.genesis))?.hash().to_string();
        let config = genesis::config(&text)?;
        let found = self.found(cx.system, &hash, cx.check)?;
        let initialised = found.is_none();
        if let Some(found) = found {
            let proof = self.compare(&hash, &config, &found)?;
            return Ok(Output { hash: Some(hash), initialised, proofs: vec![proof] });
        }
        cx.change(Diff::action(format!("init {} with block 0 {hash}", self.datadir)), |writer| {
            let ended = writer.run(&self.geth(writer.system(), &["init", &self.genesis])?)?;
            if ended.code != 0 {
                return Err(failed("geth init", &ended));
            }
            Ok(())
        })?;
        let mut proofs = Vec::new();
        if !cx.check {
            let found = self.found(cx.system, &hash, false)?.ok_or_else(|| {
                Failure::new(format!("`geth init` ended well, but {} holds no block 0", self.datadir))
            })?;
            proofs.push(self.compare(&hash, &config, &found)?);
        }
        Ok(Output { hash: Some(hash), initialised, proofs })
    }
}

/// A configuration without what says nothing: geth before 1.11 writes a hash of zeros for `eip150Hash`.
fn said(config: &Map) -> Map {
    let nothing = |value: &Value| match value {
        Value::String(text) => text.len() == 66 && text.trim_start_matches(['0', 'x']).is_empty(),
        Value::Bool(value) => !value,
        _ => false,
    };
    config.iter().filter(|(_, value)| !nothing(value)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What a data folder holds, and who said so.
struct Found {
    /// None where it cannot be asked without touching anything.
    hash: Option<String>,
    config: Option<Map>,
    source: &'static str,
}

impl Found {
    fn nothing_asked() -> Self {
        Self { hash: None, config: None, source: "not asked in check mode" }
    }
}

/// Hash of block 0 in the data folder of a node that does not run, where its version tells; None: it holds none.
pub fn stored(system: &System, datadir: &Path, binary: &str) -> Result<Option<String>> {
    let datadir = datadir.display().to_string();
    let genesis = String::new();
    let init = EthInit { datadir, genesis, binary: binary.to_owned(), version: None, ipc: None, timeout: Number(20) };
    Ok(init.found(system, "", true)?.and_then(|found| found.hash))
}

impl EthInit {
    fn compare(&self, hash: &str, config: &Map, found: &Found) -> Result<Proof> {
        if found.hash.as_deref().is_some_and(|theirs| theirs != hash) {
            let theirs = found.hash.as_deref().unwrap_or_default();
            return Err(Failure::new(format!(
                "{} holds another network: its block 0 is {theirs}, {} gives {hash}; nothing is touched",
                self.datadir, self.genesis
            ))
            .help("use another data folder, or the genesis that this one was made with"));
        }
        let differences = found.config.as_ref().map(|theirs| genesis::config_differences(config, &said(theirs)));
        if let Some((name, ours, theirs)) = differences.unwrap_or_default().first() {
            return Err(Failure::new(format!(
                "{} holds the same block 0 with another chain configuration: `{name}` is {theirs} there and {ours} in {}; \
                 the data folder is not touched",
                self.datadir, self.genesis
            ))
            .help("all nodes of a network need one configuration: put the value back, or stop the nodes and run `geth init` on each"));
        }
        Ok(Proof::new("block 0 is the one computed from genesis.json", format!("{hash}, {}", found.source)))
    }

    /// None: no block 0 yet; also after an init that was interrupted.
    fn found(&self, system: &System, hash: &str, check: bool) -> Result<Option<Found>> {
        let folder = Path::new(&self.datadir);
        if !system.exists(&folder.join("geth/chaindata/CURRENT"))? {
            return Ok(None);
        }
        let ipc = self.ipc.as_ref().map_or_else(|| folder.join("geth.ipc"), PathBuf::from);
        let client = Client::ipc(system, &ipc);
        if let Ok(Some(block)) = eth::block(&client, "0x0") {
            let info = client.call("admin_nodeInfo", json!([])).unwrap_or_default();
            let config = info.pointer("/protocols/eth/config").and_then(Value::as_object).cloned();
            return Ok(Some(Found { hash: Some(block.hash), config, source: "says the running node" }));
        }
        if !self.version(system)?.reads_database() {
            return if check { Ok(Some(Found::nothing_asked())) } else { self.told_by_init(system, hash).map(Some) };
        }
        // rawdb's schema: `h` + block number + `n` is the canonical hash; `ethereum-config-` + hash the configuration.
        let Some(hash) = self.database(system, &[b"h".as_slice(), &[0; 8], b"n"].concat())? else { return Ok(None) };
        let config = self.database(system, &[b"ethereum-config-".as_slice(), &hash].concat())?;
        let config = config.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(Some(Found { hash: Some(hex::encode_prefixed(hash)), config, source: "read from the database" }))
    }

    /// What `geth init` says once more, of a version that has no other way to ask: it changes nothing where block 0 is the same,
    /// and refuses where it is another. It shortens hashes: `237c83…afb740`.
    fn told_by_init(&self, system: &System, hash: &str) -> Result<Found> {
        let ended = system.run(&self.geth(system, &["init", &self.genesis])?)?;
        let printed = format!("{}{}", ended.stdout, ended.stderr);
        let after = |mark: &str| {
            let (_, rest) = printed.split_once(mark)?;
            Some(rest.split(|c: char| !c.is_ascii_hexdigit() && c != '…').find(|word| !word.is_empty())?.to_owned())
        };
        let theirs = if ended.code == 0 { after("hash=") } else { after("(have ") };
        let theirs = theirs.ok_or_else(|| failed("geth init", &ended))?;
        let same = match theirs.split_once('…') {
            Some((start, end)) => hash.trim_start_matches("0x").starts_with(start) && hash.ends_with(end),
            None => hash.trim_start_matches("0x") == theirs,
        };
        let theirs = if same { hash.to_owned() } else { format!("0x{theirs}") };
        Ok(Found { hash: Some(theirs), config: None, source: "says `geth init`, asked again" })
    }

    /// One value of the database; None if it has no such key.
    fn database(&self, system: &System, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let key = hex::encode_prefixed(key);
        let ended = system.run(&self.geth(system, &["db", "get", &key])?)?;
        let line = ended.stdout.lines().find_map(|line| line.strip_prefix(&format!("key {key}: ")));
        if let Some(value) = line {
            return hex::decode(value.trim())
                .map(Some)
                .map_err(|_| Failure::new(format!("`geth db get` printed {line:?}")));
        }
        // Not any "not found": geth also says so of the smartcards' socket.
        let absent = |text: &str| ["leveldb: not found", "pebble: not found"].iter().any(|said| text.contains(said));
        if absent(&ended.stderr) || absent(&ended.stdout) {
            return Ok(None);
        }
        let failure =
            failed("geth db get", &ended).context(format!("cannot tell which network {} holds", self.datadir));
        Err(if ended.stderr.contains("already used by another process") {
            failure.help("a node uses the data folder, but does not answer on its socket: see its journal. If it hangs, end it and its unit (`systemctl kill -s KILL`, \
                 then `systemctl stop`), and run this again")
        } else {
            failure.help("nothing is touched; see with `geth db inspect` whether the database is sound")
        })
    }

    fn version(&self, system: &System) -> Result<Version> {
        if let Some(version) = &self.version {
            return version.parse();
        }
        let ended = system.run(&Command { timeout: Some(30), ..Command::new([&self.binary, "version"]) })?;
        let line = ended.stdout.lines().find_map(|line| line.strip_prefix("Version: "));
        line.ok_or_else(|| failed("geth version", &ended))?.trim().parse()
    }

    /// geth on this data folder, as the folder's owner: files of root's in it would stop the node.
    fn geth(&self, system: &System, arguments: &[&str]) -> Result<Command> {
        let meta = system.meta_followed(Path::new(&self.datadir))?.ok_or_else(|| {
            Failure::new(format!("there is no folder {}", self.datadir))
                .help("make it, owned by the user that runs the node")
        })?;
        let mut argv: Vec<String> = Vec::new();
        if meta.uid != 0 && system.user_by_id(rustix::process::geteuid().as_raw())?.is_none_or(|user| user.uid == 0) {
            argv.extend(["setpriv".into(), format!("--reuid={}", meta.uid), format!("--regid={}", meta.gid)]);
            argv.extend(["--clear-groups".into(), "--".into()]);
        }
        argv.extend([self.binary.clone(), "--datadir".into(), self.datadir.clone()]);
        // Without a key geth would make one in the folder, and this must not touch it.
        if !system.exists(&Path::new(&self.datadir).join("geth/nodekey"))? {
            argv.extend(["--nodekeyhex".into(), format!("{:064x}", 1)]);
        }
        argv.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let environment = [("HOME".to_owned(), self.datadir.clone())].into();
        let timeout = Some(u64::try_from(self.timeout.0).unwrap_or(300));
        Ok(Command { argv, environment, timeout, folder: Some("/".into()), ..Command::default() })
    }
}

/// A failure with the last lines that a program printed.
fn failed(what: &str, ended: &Ended) -> Failure {
    let printed = if ended.stderr.trim().is_empty() { &ended.stdout } else { &ended.stderr };
    let lines: Vec<&str> = printed.lines().collect();
    let last = lines[lines.len().saturating_sub(3)..].join("\n");
    Failure::new(format!("{what} ended with code {}: {last}", ended.code)).with("rc", ended.code)
}
