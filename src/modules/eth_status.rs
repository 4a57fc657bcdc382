//! `eth_status`: what a node says of itself and of its chain.

use super::eth::Block;
use super::loose::{Flag, Number};
use super::{Controller, Cx, Module, Result, eth, eth_rpc};
use crate::base::Value;
use crate::chain::rpc::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// Asks a node for its state, and changes nothing. A node that does not answer is not a failure (`alive: false`), so that
/// others can be told of it; with `required` it is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthStatus {
    /// The node's socket on the host.
    #[serde(default)]
    pub ipc: Option<String>,
    /// Or its address: `http://10.0.0.1:8545`.
    #[serde(default)]
    pub url: Option<String>,
    /// How many of the newest blocks to return, with their sealers.
    #[serde(default = "blocks")]
    pub blocks: Number,
    /// Fail if the node does not answer.
    #[serde(default)]
    pub required: Flag,
    /// How long to wait for each answer, in seconds.
    #[serde(default = "timeout")]
    pub timeout: Number,
    /// The controller's clock when the question left it.
    #[serde(default)]
    #[schemars(skip)]
    asked_at: Option<f64>,
}

fn blocks() -> Number {
    Number(32)
}

fn timeout() -> Number {
    Number(10)
}

/// What `eth_status` returns. Over HTTP a node tells less: then fields are null.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Output {
    /// Whether it answers.
    #[serde(default)]
    pub alive: bool,
    /// Why it does not.
    #[serde(default)]
    pub why: Option<String>,
    /// `Geth/v1.13.15-stable/linux-amd64/go1.26`.
    #[serde(default)]
    pub client: Option<String>,
    /// Its enode.
    #[serde(default)]
    pub enode: Option<String>,
    /// Its id in discovery.
    #[serde(default)]
    pub node_id: Option<String>,
    /// The network that it is in.
    #[serde(default)]
    pub network_id: Option<String>,
    /// Hash of block 0.
    #[serde(default)]
    pub genesis: Option<String>,
    /// Whether it is catching up; also false for a node without peers.
    #[serde(default)]
    pub syncing: bool,
    /// How many peers it has.
    #[serde(default)]
    pub peers: u64,
    /// Their enodes.
    #[serde(default)]
    pub peer_enodes: Vec<String>,
    /// The newest block.
    #[serde(default)]
    pub head: Option<Block>,
    /// The newest blocks, newest first.
    #[serde(default)]
    pub recent: Vec<Block>,
    /// Who may seal, as of the newest block.
    #[serde(default)]
    pub signers: Vec<String>,
    /// The account that it seals with, if it seals.
    #[serde(default)]
    pub account: Option<String>,
    /// Whether it tries to seal.
    #[serde(default)]
    pub mining: bool,
    /// The host's clock less the controller's, in seconds; the way to the host is in it.
    #[serde(default)]
    pub clock_offset: Option<f64>,
}

impl Module for EthStatus {
    const NAME: &'static str = "eth_status";
    const EXAMPLE: &'static str = "\
- eth_status:
    ipc: /var/lib/geth/geth.ipc
  register: status";
    type Output = Output;

    fn prepare(mut self, _: &dyn Controller) -> Result<Self> {
        self.asked_at = Some(eth::now());
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let clock_offset = self.asked_at.map(|asked| ((eth::now() - asked) * 1000.0).round() / 1000.0);
        let mut client = Client::new(cx.system, eth_rpc::endpoint(self.ipc.as_deref(), self.url.as_deref())?);
        client.patience = Duration::from_secs(u64::try_from(self.timeout.0).unwrap_or(10));
        match status(&client, u64::try_from(self.blocks.0).unwrap_or(1)) {
            Ok(status) => Ok(Output { clock_offset, ..status }),
            Err(failure) if self.required.0 => Err(failure),
            Err(failure) => Ok(Output { why: Some(failure.message), clock_offset, ..Output::default() }),
        }
    }
}

/// Asks for everything.
pub fn status(client: &Client, blocks: u64) -> Result<Output> {
    let version = client.call("web3_clientVersion", json!([]))?;
    let maybe = |method: &str| client.call(method, json!([])).ok();
    let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    let info = maybe("admin_nodeInfo").unwrap_or_default();
    let recent = eth::newest(client, blocks)?;
    let peers = maybe("admin_peers").and_then(|value| value.as_array().cloned()).unwrap_or_default();
    let signers = maybe("clique_getSigners").and_then(|value| value.as_array().cloned()).unwrap_or_default();
    let checksummed =
        |text: &str| crate::chain::parse_address(text).map_or_else(|_| text.to_owned(), |a| a.to_checksum(None));
    Ok(Output {
        alive: true,
        why: None,
        client: version.as_str().map(str::to_owned),
        enode: eth::text(&info, "enode").map(str::to_owned),
        node_id: eth::text(&info, "id").map(str::to_owned),
        network_id: text(maybe("net_version")),
        genesis: eth::block(client, "0x0")?.map(|block| block.hash),
        syncing: client.call("eth_syncing", json!([]))? != Value::Bool(false),
        peers: eth::quantity(client, "net_peerCount")?,
        peer_enodes: peers.iter().filter_map(|peer| eth::text(peer, "enode").map(str::to_owned)).collect(),
        head: recent.first().cloned(),
        recent,
        signers: signers.iter().filter_map(Value::as_str).map(checksummed).collect(),
        account: text(maybe("eth_coinbase")).as_deref().map(checksummed),
        mining: maybe("eth_mining") == Some(Value::Bool(true)),
        clock_offset: None,
    })
}
