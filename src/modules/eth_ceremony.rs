//! `eth_ceremony`: whether a node is one of the network that a ceremony agreed on.

use super::loose::{Flag, Number, Text};
use super::{Cx, Module, Result, eth, eth_rpc};
use crate::base::event::Proof;
use crate::base::{Failure, Value};
use crate::chain::Enode;
use crate::chain::ceremony::verify::seats::{self, Where};
use crate::chain::ceremony::verify::{Agreed, Difference, Member, blocks, config};
use crate::chain::quantity;
use crate::chain::rpc::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// Holds what a node says against the genesis that was made and the parties that DNS names, and fails with everything that
/// differs: block 0; block 1 (that it stands on block 0, gas limit, difficulty, extra data, who sealed it); the chain's
/// configuration, in which nothing may be other and nothing added; who may seal (we ourselves, every other party, and nobody
/// else); the node's own key and address; its peers.
///
/// What is asked follows from the genesis: `clique_getSigners`, `qbft_getValidatorsByBlockNumber`, `istanbul_getValidators`,
/// `tendermint_getCommitteeEnodes` or (Autonity 0.7) `tendermint_getWhitelist`. Aura has no such method: there the sealers of the
/// newest blocks, two for each validator, are compared. A node that does not tell its configuration needs `spec`. What else it does
/// not tell is listed as unchecked.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthCeremony {
    /// The node's socket on the host.
    #[serde(default)]
    pub ipc: Option<String>,
    /// Or its address: `http://10.0.0.1:8545`.
    #[serde(default)]
    pub url: Option<String>,
    /// The genesis on the host that was agreed on.
    pub genesis: String,
    /// Everybody on the sheet: `parties` as `dns_ceremony` returns them, each with `name`, `enode` and `account`.
    pub parties: Vec<Value>,
    /// Which of them we are. Without it the node's own key and its peers are not looked at.
    #[serde(default)]
    pub organisation: Option<Text>,
    /// Those who came later, in the same form: they may seal beside those of the genesis, but only of ourselves it is expected.
    #[serde(default)]
    pub joined: Vec<Value>,
    /// The file on the host with which the node was started, where the node does not tell its configuration (Parity, OpenEthereum,
    /// Nethermind: the chain specification).
    #[serde(default)]
    pub spec: Option<String>,
    /// Whether every other party's node must be a peer of ours.
    #[serde(default = "yes")]
    pub peers: Flag,
    /// How long to wait for what may pass by itself: block 1, peers, a turn to seal. In seconds.
    #[serde(default = "minute")]
    pub timeout: Number,
}

fn yes() -> Flag {
    Flag(true)
}
fn minute() -> Number {
    Number(60)
}

/// What `eth_ceremony` returns.
#[derive(Debug, Default, Serialize)]
pub struct Output {
    /// Hash of the node's block 1: parties can compare it.
    first_block: Option<String>,
    /// Settings that the client has filled in of its own, where the genesis says nothing (Autonity's contracts).
    filled: Vec<String>,
    /// What could not be looked at, because the node does not tell it.
    unchecked: Vec<String>,
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for EthCeremony {
    const NAME: &'static str = "eth_ceremony";
    const EXAMPLE: &'static str = "\
- eth_ceremony:
    ipc: /var/lib/geth/geth.ipc
    genesis: /etc/ceremony/genesis.json
    parties: \"{{ ceremony.parties }}\"
    organisation: alpha";
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let agreed = self.agreed(cx)?;
        let mut client = Client::new(cx.system, eth_rpc::endpoint(self.ipc.as_deref(), self.url.as_deref())?);
        client.patience = Duration::from_secs(10);
        let spec = self.spec.as_ref().filter(|path| !path.is_empty());
        let spec = spec.map(|path| cx.system.read_text(Path::new(path))).transpose()?;
        let patience = Duration::from_secs(u64::try_from(self.timeout.0).unwrap_or(60));
        let (_, look) = eth::wait(cx.system, patience, || {
            let mut look = Look { client: &client, agreed: &agreed, found: Vec::new(), output: Output::default() };
            let done = look.everything(spec.as_deref(), self.peers.0);
            // Waiting helps only where something may pass by itself.
            (done.is_ok() && !look.found.iter().any(|found| found.passing), done.map(|()| look))
        })?;
        let Look { found, output, .. } = look?;
        if found.is_empty() {
            return Ok(output);
        }
        let mut lines: Vec<String> = found.iter().map(|found| format!("{}: {}", found.check, found.why)).collect();
        lines.dedup();
        let list = found.iter().map(|found| json!({"check": found.check, "why": found.why})).collect();
        let failure =
            Failure::new(format!("the node is not of the network that was agreed on:\n  {}", lines.join("\n  ")));
        Err(eth::with_proofs(failure.with("differences", Value::Array(list)), &output.proofs))
    }
}

impl EthCeremony {
    fn agreed(&self, cx: &Cx) -> Result<Agreed> {
        let members = |list: &[Value]| list.iter().map(Member::read).collect::<Result<Vec<Member>>>();
        let text = cx.system.read_text(Path::new(&self.genesis))?;
        let members_of = |name: &str, list| members(list).map_err(|failure| failure.context(format!("`{name}`")));
        let mut agreed = Agreed::new(&text, members_of("parties", &self.parties)?)
            .map_err(|failure| failure.context(&self.genesis))?;
        agreed.joined = members_of("joined", &self.joined)?;
        if agreed.members.is_empty() {
            return Err(
                Failure::new("`parties` is empty: there is nobody to look for").help("give `parties` of dns_ceremony")
            );
        }
        agreed.own = self.organisation.as_ref().map(|name| name.0.clone());
        if let (Some(own), None) = (&agreed.own, agreed.ourselves()) {
            let names: Vec<&str> = agreed.members.iter().map(|member| member.name.as_str()).collect();
            return Err(Failure::new(format!("`organisation`: `{own}` is none of the parties"))
                .help(format!("these are: {}", names.join(", "))));
        }
        Ok(agreed)
    }
}

/// One look at the node.
struct Look<'a> {
    client: &'a Client<'a>,
    agreed: &'a Agreed,
    found: Vec<Difference>,
    output: Output,
}

impl Look<'_> {
    fn everything(&mut self, spec: Option<&str>, peers: bool) -> Result<()> {
        let before = self.found.len();
        let zero = self.block(0)?.ok_or_else(|| Failure::new("the node has no block 0"))?;
        self.found.extend(blocks::zero(self.agreed, &zero));
        self.prove(before, "block 0", || match self.agreed.hash {
            Some(hash) => format!("{hash}, as the genesis makes it"),
            None => "its options are those of the genesis (its hash does not follow from the file)".into(),
        });
        self.first(&zero)?;
        let info = self.maybe("admin_nodeInfo")?.unwrap_or_default();
        self.configuration(&info, spec)?;
        self.validators()?;
        self.own(&info)?;
        if peers { self.peers() } else { Ok(()) }
    }

    /// A check has passed if nothing was found since.
    fn prove(&mut self, before: usize, claim: &str, evidence: impl FnOnce() -> String) {
        if self.found.len() == before {
            self.output.proofs.push(Proof::new(claim, evidence()));
        }
    }

    fn block(&self, number: u64) -> Result<Option<Value>> {
        let block = self.client.call("eth_getBlockByNumber", json!([format!("{number:#x}"), false]))?;
        Ok(Some(block).filter(|block| !block.is_null()))
    }

    /// None where the node does not have the method, or does not offer it here.
    fn maybe(&self, method: &str) -> Result<Option<Value>> {
        self.one_of(&[(method, &[])])
    }

    fn one_of(&self, methods: &[(&str, &[&str])]) -> Result<Option<Value>> {
        for (method, params) in methods {
            match self.client.call(method, json!(params)) {
                Ok(answer) => return Ok(Some(answer)),
                Err(failure) if unknown(&failure) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(None)
    }

    fn first(&mut self, zero: &Value) -> Result<()> {
        let before = self.found.len();
        let Some(first) = self.block(1)? else {
            self.found.push(Difference::passing("block 1", "there is none: no block has been made yet"));
            return Ok(());
        };
        self.found.extend(blocks::first(self.agreed, zero, &first));
        let hash = first["hash"].as_str().map(str::to_owned);
        let shown = hash.clone().unwrap_or_default();
        self.prove(before, "block 1", || format!("{shown}, on block 0, with the options of the genesis"));
        self.output.first_block = hash;
        Ok(())
    }

    fn configuration(&mut self, info: &Value, spec: Option<&str>) -> Result<()> {
        let before = self.found.len();
        if let Some(id) = self.maybe("eth_chainId")?.filter(|id| !id.is_null()) {
            let (theirs, ours) = (quantity::number(&id)?, self.agreed.genesis.chain_id);
            if ours.is_some_and(|ours| ours != theirs) {
                let ours = ours.unwrap_or_default();
                self.found.push(Difference::new(
                    "configuration",
                    format!("its chain id is {theirs}, and {ours} in the genesis"),
                ));
            }
        }
        let told = info["protocols"]["eth"]["config"].as_object();
        if let Some(told) = told {
            let client = self.maybe("web3_clientVersion")?.unwrap_or_default();
            let compared = config::told(self.agreed, told, client.as_str().unwrap_or_default());
            self.found.extend(compared.differences);
            self.output.filled = compared.filled;
            let untold = compared.untold.iter().map(|path| format!("`{path}`: the node does not tell it"));
            self.output.unchecked.extend(untold);
        }
        if let Some(spec) = spec {
            self.found.extend(config::file(self.agreed, spec));
        }
        if told.is_none() && spec.is_none() {
            let why = "the node does not tell it; `spec` must name the file with which it was started";
            self.found.push(Difference::new("configuration", why));
        }
        let filled = self.output.filled.join(", ");
        self.prove(before, "configuration", || match filled.as_str() {
            "" => "that of the genesis, and nothing more".into(),
            filled => format!("that of the genesis, and what the client fills in: {filled}"),
        });
        Ok(())
    }

    fn validators(&mut self) -> Result<()> {
        let before = self.found.len();
        let found = match seats::ask(self.agreed)? {
            Where::Sealers => {
                let blocks = self.newest(2 * seats::accounts_of(self.agreed).len() + 2 * self.agreed.joined.len())?;
                self.found.extend(seats::sealers(self.agreed, &blocks));
                self.prove(before, "validators", || {
                    format!("they sealed the last {} blocks, and nobody else did", blocks.len())
                });
                return Ok(());
            }
            Where::Accounts(methods) => {
                let found = self.one_of(methods)?.ok_or_else(|| silent(methods))?;
                self.found.extend(seats::accounts(self.agreed, &found));
                found
            }
            Where::Enodes(methods) => {
                let found = self.one_of(methods)?.ok_or_else(|| silent(methods))?;
                self.found.extend(seats::enodes(self.agreed, &found));
                found
            }
        };
        let count = found.as_array().map_or(0, Vec::len);
        let later = match seats::outstanding(self.agreed, &found).as_slice() {
            [] => String::new(),
            names => format!("; not among them yet: {}", names.join(", ")),
        };
        self.prove(before, "validators", || format!("the {count} that may, and nobody else{later}"));
        Ok(())
    }

    /// The newest blocks, but for block 0.
    fn newest(&self, count: usize) -> Result<Vec<Value>> {
        let head = eth::quantity(self.client, "eth_blockNumber")?;
        let numbers = (1..=head).rev().take(count);
        numbers.filter_map(|number| self.block(number).transpose()).collect()
    }

    fn own(&mut self, info: &Value) -> Result<()> {
        let Some(own) = self.agreed.ourselves() else {
            self.output.unchecked.push("our own node: `organisation` does not say which of the parties we are".into());
            return Ok(());
        };
        let told = match info["enode"].as_str() {
            Some(told) => Some(told.to_owned()),
            None => self.maybe("parity_enode")?.and_then(|told| told.as_str().map(str::to_owned)),
        };
        let Some(told) = told else {
            self.output.unchecked.push("our own node: it does not tell its enode".into());
            return Ok(());
        };
        let before = self.found.len();
        self.found.extend(seats::own(own, &told));
        self.prove(before, "own node", || format!("{} by DNS, and {told} by itself", own.enode));
        Ok(())
    }

    fn peers(&mut self) -> Result<()> {
        let Some(own) = self.agreed.ourselves() else { return Ok(()) };
        let keys: Vec<String> = if let Some(list) = self.maybe("admin_peers")? {
            let peers = list.as_array().cloned().unwrap_or_default();
            // Besu writes bare keys, geth before 1.9 had nothing else, either.
            let key = |peer: &Value| {
                let enode =
                    peer["enode"].as_str().and_then(|text| text.parse::<Enode>().ok()).map(|enode| enode.public_key);
                enode.or_else(|| eth::text(peer, "id").map(bare))
            };
            peers.iter().filter_map(key).collect()
        } else if let Some(told) = self.maybe("parity_netPeers")? {
            let peers = told["peers"].as_array().cloned().unwrap_or_default();
            peers.iter().filter_map(|peer| eth::text(peer, "id").map(bare)).collect()
        } else {
            self.output.unchecked.push("the other parties' nodes: ours does not tell its peers".into());
            return Ok(());
        };
        let before = self.found.len();
        self.found.extend(seats::peers(self.agreed, own, &keys));
        self.prove(before, "peers", || format!("every other party's node is among our {}", keys.len()));
        Ok(())
    }
}

fn bare(text: &str) -> String {
    text.trim_start_matches("0x").to_ascii_lowercase()
}

/// -32601 is the method that is not there; nodes that do not offer a whole namespace say it in words.
fn unknown(failure: &Failure) -> bool {
    let error = failure.output.get("error");
    error.is_some_and(|error| {
        let text = error["message"].as_str().unwrap_or_default().to_ascii_lowercase();
        matches!(error["code"].as_i64(), Some(-32601 | -32604))
            || text.contains("not enabled")
            || text.contains("does not exist")
    })
}

fn silent(methods: &[(&str, &[&str])]) -> Failure {
    let names: Vec<&str> = methods.iter().map(|(name, _)| *name).collect();
    Failure::new(format!("the node does not tell who may seal: it does not offer {}", names.join(" or ")))
        .help("ask it over its socket (`ipc`), or offer that namespace to this host")
}
