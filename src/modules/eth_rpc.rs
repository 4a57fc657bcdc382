//! `eth_rpc`: one JSON-RPC call to a node.

use super::loose::Number;
use super::{Cx, Module, Result};
use crate::base::{Diff, Failure, Value};
use crate::chain::rpc::{Client, Endpoint};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// Asks a node one thing over JSON-RPC, through its IPC socket on the host or over HTTP from the host.
///
/// Methods that only read run in check mode too and change nothing; all others count as a change.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthRpc {
    /// The method: `eth_blockNumber`.
    pub method: String,
    /// Its parameters.
    #[serde(default)]
    pub params: Vec<Value>,
    /// The node's socket on the host.
    #[serde(default)]
    pub ipc: Option<String>,
    /// Or its address: `http://10.0.0.1:8545`.
    #[serde(default)]
    pub url: Option<String>,
    /// How long to wait for the answer, in seconds.
    #[serde(default = "timeout")]
    pub timeout: Number,
}

fn timeout() -> Number {
    Number(10)
}

/// What `eth_rpc` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The node's answer; null in check mode where the call would change something.
    result: Value,
}

/// The endpoint that two arguments name: exactly one of them must be given.
pub fn endpoint(ipc: Option<&str>, url: Option<&str>) -> Result<Endpoint> {
    match (ipc, url) {
        (Some(path), None) => Ok(Endpoint::Ipc(PathBuf::from(path))),
        (None, Some(url)) if url.starts_with("http://") || url.starts_with("https://") => {
            Ok(Endpoint::Http(url.to_owned()))
        }
        (None, Some(url)) => {
            Err(Failure::new(format!("`{url}` is not an address of a node")).help("write http://HOST:PORT"))
        }
        _ => Err(Failure::new("say where the node is: `ipc` or `url`, one of them")),
    }
}

/// Whether a method only reads.
fn reads(method: &str) -> bool {
    const READING: &[&str] = &[
        "eth_get",
        "eth_block",
        "eth_call",
        "eth_chainId",
        "eth_syncing",
        "eth_coinbase",
        "eth_mining",
        "eth_accounts",
        "eth_gas",
        "eth_estimate",
        "eth_fee",
        "eth_maxPriority",
        "eth_protocol",
        "eth_hashrate",
        "eth_createAccessList",
        "net_",
        "web3_",
        "admin_nodeInfo",
        "admin_peers",
        "admin_datadir",
        "clique_get",
        "clique_status",
        "clique_proposals",
        "txpool_",
        "rpc_modules",
        "debug_get",
        "debug_trace",
        "debug_metrics",
        "qbft_get",
        "ibft_get",
        "tendermint_get",
        "aut_get",
        "parity_net",
        "parity_mode",
        "parity_enode",
    ];
    READING.iter().any(|prefix| method.starts_with(prefix))
}

impl Module for EthRpc {
    const NAME: &'static str = "eth_rpc";
    const EXAMPLE: &'static str = "\
- eth_rpc:
    ipc: /var/lib/geth/geth.ipc
    method: clique_getSigners
  register: signers";
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let mut client = Client::new(cx.system, endpoint(self.ipc.as_deref(), self.url.as_deref())?);
        client.patience = Duration::from_secs(u64::try_from(self.timeout.0).unwrap_or(10));
        let params = Value::Array(self.params.clone());
        if reads(&self.method) {
            return Ok(Output { result: client.call(&self.method, params)? });
        }
        let result = cx.change(Diff::action(format!("call {}", self.method)), |_| client.call(&self.method, params))?;
        Ok(Output { result: result.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_a_node_is_told_from_what_reads_it() {
        for method in ["eth_getBlockByNumber", "net_peerCount", "clique_getSigners", "admin_peers"] {
            assert!(reads(method), "{method}");
        }
        for method in [
            "eth_sendRawTransaction",
            "clique_propose",
            "admin_addPeer",
            "miner_stop",
            "personal_unlockAccount",
            "debug_setHead",
        ] {
            assert!(!reads(method), "{method}");
        }
    }
}
