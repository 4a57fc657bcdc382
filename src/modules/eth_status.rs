//! `eth_status`: what a node says of itself and of its chain.

use super::eth::Block;
use super::loose::{Flag, Number};
use super::{Controller, Cx, Module, Result, eth, eth_rpc};
use crate::base::{Map, Value};
use crate::chain::client::Version;
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
    /// How long to wait, in seconds, for a signer that has sealed none of the last 2·N blocks of N signers: geth pauses its sealing
    /// while it catches up with a peer that came back, and goes on by itself.
    #[serde(default)]
    pub settle: Number,
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
    /// The version in that: `1.13.15`.
    #[serde(default)]
    pub version: Option<String>,
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
    /// The chain configuration that it runs with, as far as it knows it: chain id, forks, engine.
    #[serde(default)]
    pub config: Option<Value>,
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
    /// How far the host's clock is from the controller's at least, in seconds, whatever the way to the host and back took;
    /// positive if it is ahead.
    #[serde(default)]
    pub clock_offset: Option<f64>,
    /// The host's clock, for the controller.
    #[serde(default, rename = "_clock", skip_serializing_if = "Option::is_none")]
    clock: Option<f64>,
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
        let clock = Some(eth::now());
        let mut client = Client::new(cx.system, eth_rpc::endpoint(self.ipc.as_deref(), self.url.as_deref())?);
        client.patience = Duration::from_secs(u64::try_from(self.timeout.0).unwrap_or(10));
        let blocks = u64::try_from(self.blocks.0).unwrap_or(1);
        let settle = if cx.check { 0 } else { u64::try_from(self.settle.0).unwrap_or(0) };
        let (_, status) = eth::wait(cx.system, Duration::from_secs(settle), || {
            let status = status(&client, blocks);
            (!status.as_ref().is_ok_and(pauses), status)
        })?;
        match status {
            Ok(status) => Ok(Output { clock, ..status }),
            Err(failure) if self.required.0 => Err(failure),
            Err(failure) => Ok(Output { why: Some(failure.message), clock, ..Output::default() }),
        }
    }

    fn receive(&self, output: &mut Map, _: &dyn Controller) -> Result<()> {
        let clock = output.shift_remove("_clock").and_then(|clock| clock.as_f64());
        if let (Some(clock), Some(asked)) = (clock, self.asked_at) {
            output.insert("clock_offset".into(), offset(clock, asked, eth::now()).into());
        }
        Ok(())
    }
}

/// Whether it answers and may seal, and has sealed none of the last 2·N blocks.
fn pauses(status: &Output) -> bool {
    let last = 2 * status.signers.len();
    let Some(account) = status.account.as_ref().filter(|account| status.signers.contains(account)) else {
        return false;
    };
    let sealed = |block: &Block| block.sealer.as_ref() == Some(account);
    !status.syncing && status.recent.len() > last && !status.recent.iter().take(last).any(sealed)
}

/// The host read its clock between our question and its answer: the least difference that explains what it read.
pub fn offset(clock: f64, asked: f64, answered: f64) -> f64 {
    let least = if clock < asked { clock - asked } else { (clock - answered).max(0.0) };
    (least * 1000.0).round() / 1000.0
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
        version: version.as_str().and_then(|text| text.parse::<Version>().ok()).map(|version| version.to_string()),
        enode: eth::text(&info, "enode").map(str::to_owned),
        node_id: eth::text(&info, "id").map(str::to_owned),
        network_id: text(maybe("net_version")),
        genesis: eth::block(client, "0x0")?.map(|block| block.hash),
        config: info.pointer("/protocols/eth/config").cloned(),
        syncing: client.call("eth_syncing", json!([]))? != Value::Bool(false),
        peers: eth::quantity(client, "net_peerCount")?,
        peer_enodes: peers.iter().filter_map(|peer| eth::text(peer, "enode").map(str::to_owned)).collect(),
        head: recent.first().cloned(),
        recent,
        signers: signers.iter().filter_map(Value::as_str).map(checksummed).collect(),
        account: text(maybe("eth_coinbase")).as_deref().map(checksummed),
        mining: maybe("eth_mining") == Some(Value::Bool(true)),
        ..Output::default()
    })
}

#[cfg(test)]
mod tests {
    use super::{Block, Output, offset, pauses};

    #[test]
    fn a_signer_that_left_out_two_rounds_pauses_and_no_other_node_does() {
        let node = |account: &str, sealers: &[&str]| {
            let block = |(number, sealer): (u64, &&str)| Block {
                number,
                hash: number.to_string(),
                time: number,
                sealer: Some((*sealer).into()),
            };
            let mut recent: Vec<Block> = (0..).zip(sealers).map(block).collect();
            recent.reverse();
            let signers = ["A", "B", "C"].map(str::to_owned).to_vec();
            Output { alive: true, account: Some(account.into()), signers, recent, ..Output::default() }
        };
        let two = ["C", "A", "B", "A", "B", "A", "B"];
        assert!(pauses(&node("C", &two)) && !pauses(&node("A", &two)) && !pauses(&node("an rpc node", &two)));
        assert!(!pauses(&node("C", &["A", "C", "A", "B", "A", "B", "A"])));
        assert!(!pauses(&node("C", &["A", "B", "A"])), "the chain is young");
        assert!(!pauses(&Output { syncing: true, ..node("C", &two) }));
    }

    #[test]
    fn a_slow_way_is_not_taken_for_a_wrong_clock() {
        assert!(offset(1010.0, 1000.0, 1020.0).abs() < 1e-9);
    }

    #[test]
    fn a_clock_ahead_or_behind_is_at_least_so_far_off() {
        assert!((offset(1060.5, 1000.0, 1000.5) - 60.0).abs() < 1e-9);
        assert!((offset(940.0, 1000.0, 1000.5) + 60.0).abs() < 1e-9);
    }
}
