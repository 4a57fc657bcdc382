//! `eth_block`: the proof that a node has a certain block.

use super::eth::Block;
use super::loose::Number;
use super::{Cx, Module, Result, eth, eth_rpc};
use crate::base::Failure;
use crate::base::event::Proof;
use crate::chain::rpc::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Waits until a node has the block with this number and this hash. A node that has another block there is on another
/// chain: if that does not pass, it is a failure that names both.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthBlock {
    /// The node's socket on the host.
    #[serde(default)]
    pub ipc: Option<String>,
    /// Or its address: `http://10.0.0.1:8545`.
    #[serde(default)]
    pub url: Option<String>,
    /// The block's number.
    pub number: Number,
    /// The hash that it must have. Without it any block will do.
    #[serde(default)]
    pub hash: Option<String>,
    /// How long to wait, in seconds.
    #[serde(default = "timeout")]
    pub timeout: Number,
}

fn timeout() -> Number {
    Number(60)
}

/// What `eth_block` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The block.
    block: Block,
    /// The node's newest block.
    head: u64,
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for EthBlock {
    const NAME: &'static str = "eth_block";
    const EXAMPLE: &'static str = "\
- eth_block:
    ipc: /var/lib/geth/geth.ipc
    number: \"{{ back.sealed.number }}\"
    hash: \"{{ back.sealed.hash }}\"
  delegate_to: \"{{ item }}\"
  loop: \"{{ groups.sealers | difference([inventory_hostname]) }}\"";
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let number = u64::try_from(self.number.0)
            .map_err(|_| Failure::new(format!("`number` is {}, not a block's number", self.number.0)))?;
        let mut client = Client::new(cx.system, eth_rpc::endpoint(self.ipc.as_deref(), self.url.as_deref())?);
        client.patience = Duration::from_secs(5);
        let hash = self.hash.as_deref().filter(|hash| !hash.is_empty());
        let patience = Duration::from_secs(u64::try_from(self.timeout.0).unwrap_or(60));
        let right = |block: &Block| hash.is_none_or(|hash| block.hash.eq_ignore_ascii_case(hash));
        let (_, answer) = eth::wait(cx.system, patience, || {
            let answer = eth::block(&client, &format!("{number:#x}"));
            (matches!(&answer, Ok(Some(block)) if right(block)), answer)
        })?;
        let seen = match answer {
            Ok(Some(block)) if right(&block) => {
                let head = eth::quantity(&client, "eth_blockNumber")?;
                let sealer = block.sealer.as_deref().map_or_else(String::new, |sealer| format!(" sealed by {sealer}"));
                let short = &block.hash[..block.hash.len().min(12)];
                let proof = Proof::new("has the block", format!("block {number} {short}..{sealer}, head {head}"));
                return Ok(Output { block, head, proofs: vec![proof] });
            }
            Ok(Some(block)) => format!("{} there: the two nodes are on different chains", block.hash),
            Ok(None) => match eth::quantity(&client, "eth_blockNumber") {
                Ok(head) => format!("its head is {head}"),
                Err(failure) => failure.message,
            },
            Err(failure) => failure.message,
        };
        let expected =
            hash.map_or_else(|| format!("block {number}"), |hash| format!("block {number} with hash {hash}"));
        Err(Failure::new(format!("expected {expected}; seen after {} s: {seen}", patience.as_secs())).help(
            "see with `eth_status` whether this node has peers and what its head is; nodes that do not connect have different \
             genesis blocks, clocks that differ, or a firewall between them",
        ))
    }
}
