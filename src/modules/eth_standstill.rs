//! A node whose head stands still meets its peers anew.
//!
//! A node that has just been started throws away blocks that its peers send, until it has synced once. geth learns how far a
//! peer is when it meets it, and from the blocks that come after; where no further block can come (two signers: each waits for
//! the other), it never asks for the one that it threw away. Seen with geth 1.13.15.

use super::Result;
use crate::chain::rpc::Client;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// For how long a head stands before the node meets its peers anew. geth does not dial a peer again within 35 s
/// (`dialHistoryExpiration` in `p2p/dial.go`).
const PATIENCE: Duration = Duration::from_secs(45);

/// A head that is watched.
#[derive(Debug)]
pub struct Standstill {
    head: Option<Value>,
    since: Instant,
}

impl Standstill {
    /// Nothing was seen yet.
    pub fn begin(now: Instant) -> Self {
        Self { head: None, since: now }
    }

    /// Whether the head has stood for long enough to do something, which is then not asked for again at once.
    fn is_long(&mut self, head: Value, now: Instant) -> bool {
        let moved = self.head.as_ref() != Some(&head);
        let long = !moved && now.saturating_duration_since(self.since) >= PATIENCE;
        if moved || long {
            self.since = now;
        }
        self.head = Some(head);
        long
    }

    /// Looks at the node's head. Where it stands still, ends and remakes the connections that the node itself made; those
    /// that others made are theirs to make again. Returns how many were remade.
    pub fn end(&mut self, client: &Client, now: Instant) -> Result<usize> {
        let head = client.call("eth_blockNumber", json!([]))?;
        if !self.is_long(head, now) {
            return Ok(0);
        }
        let peers = client.call("admin_peers", json!([]))?;
        let dialled = dialled(&peers);
        for enode in &dialled {
            client.call("admin_removePeer", json!([enode]))?;
            client.call("admin_addPeer", json!([enode]))?;
        }
        Ok(dialled.len())
    }
}

/// The enodes of the peers that this node has dialled.
fn dialled(peers: &Value) -> Vec<String> {
    let ours = |peer: &&Value| peer.pointer("/network/inbound") == Some(&Value::Bool(false));
    let peers = peers.as_array().into_iter().flatten().filter(ours);
    peers.filter_map(|peer| peer.get("enode")?.as_str().map(ToOwned::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_head_that_stands_for_long_is_a_standstill_and_only_once_at_a_time() {
        let start = Instant::now();
        let mut standstill = Standstill::begin(start);
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(!standstill.is_long(json!("0x9"), after(1)));
        assert!(!standstill.is_long(json!("0x9"), after(45)));
        assert!(standstill.is_long(json!("0x9"), after(46)));
        assert!(!standstill.is_long(json!("0x9"), after(47)));
        assert!(!standstill.is_long(json!("0xa"), after(100)), "it moves");
        assert!(!standstill.is_long(json!("0xa"), after(101)));
    }

    #[test]
    fn who_dialled_us_is_left_alone() {
        let peers = json!([
            {"enode": "enode://aa@10.0.0.1:30303", "network": {"inbound": false}},
            {"enode": "enode://bb@10.0.0.2:51234", "network": {"inbound": true}},
        ]);
        assert_eq!(dialled(&peers), ["enode://aa@10.0.0.1:30303"]);
    }
}
