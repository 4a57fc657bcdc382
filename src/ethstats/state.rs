//! What is known of every node that ever logged in. Pure: the time is always given.

use super::wire::{Head, Hello, Message, Stats};
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::HashMap;
use tokio::sync::oneshot;

/// How many nodes are kept, connected or not.
pub const MAX_NODES: usize = 1000;
/// geth reports every 15 seconds at least: a node that was silent for longer than two reports is stale.
pub const STALE_AFTER: u64 = 40;

/// All nodes, by the name that they logged in with.
#[derive(Debug, Default)]
pub struct Network {
    nodes: HashMap<String, Node>,
    logins: u64,
}

#[derive(Debug)]
struct Node {
    client: String,
    network: String,
    stats: Option<Stats>,
    pending: Option<u64>,
    latency: Option<u64>,
    head: Option<Head>,
    last_seen: u64,
    /// Which of the secrets it knew.
    secret: usize,
    /// Its connection; dropping the sender ends that connection.
    connection: Option<(u64, oneshot::Sender<()>)>,
}

/// A login that was accepted.
#[derive(Debug)]
pub struct Ticket {
    /// Its number; a node's reports count only while it is the newest.
    pub number: u64,
    /// Ends with an error when another connection takes the node over.
    pub replaced: oneshot::Receiver<()>,
}

/// A node as `/api/nodes` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    /// The name that it logged in with.
    pub name: String,
    /// The client and its version, as it says.
    pub client: String,
    /// The network's number, as it says.
    pub network: String,
    /// `active`; `stale`: connected, but silent; `offline`: not connected.
    pub state: &'static str,
    /// Connected, be it silent.
    pub online: bool,
    /// Connected peers; `null` until reported.
    pub peers: Option<u64>,
    /// The newest block; `null` until reported.
    pub head: Option<ViewHead>,
    /// Milliseconds, one way, as the node measured.
    pub latency_ms: Option<u64>,
    /// Transactions that wait.
    pub pending: Option<u64>,
    /// It seals, mines or validates.
    pub sealing: bool,
    /// It catches up.
    pub syncing: bool,
    /// When it last said anything, Unix seconds.
    pub last_seen: u64,
}

/// A block as `/api/nodes` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewHead {
    /// Height.
    pub number: u64,
    /// `0x…`.
    pub hash: String,
    /// Its timestamp, Unix seconds.
    pub time: u64,
    /// Who made it, `0x…`.
    pub miner: String,
}

impl Network {
    /// A node logs in at `now` (Unix seconds), knowing the secret of this number. A connection that it still has ends,
    /// if it knew the same secret. The error says why not.
    pub fn login(&mut self, hello: &Hello, secret: usize, now: u64) -> Result<Ticket, &'static str> {
        if let Some(node) = self.nodes.get(&hello.id) {
            if node.connection.is_some() && node.secret != secret {
                return Err("a node of this name is connected with another secret");
            }
        } else if self.nodes.len() >= MAX_NODES {
            let oldest = self.nodes.iter().filter(|(_, node)| node.connection.is_none());
            let oldest = oldest.min_by_key(|(_, node)| node.last_seen).map(|(id, _)| id.clone());
            self.nodes.remove(&oldest.ok_or("there are too many nodes")?);
        }
        self.logins += 1;
        let (sender, replaced) = oneshot::channel();
        let node = self.nodes.entry(hello.id.clone()).or_insert_with(|| Node {
            client: String::new(),
            network: String::new(),
            stats: None,
            pending: None,
            latency: None,
            head: None,
            last_seen: now,
            secret,
            connection: None,
        });
        node.client.clone_from(&hello.client);
        node.network.clone_from(&hello.network);
        node.secret = secret;
        node.last_seen = now;
        node.connection = Some((self.logins, sender));
        Ok(Ticket { number: self.logins, replaced })
    }

    /// A node said something; what a connection says that has been replaced is passed over.
    pub fn heard(&mut self, id: &str, ticket: u64, message: Message, now: u64) {
        let Some(node) = self.nodes.get_mut(id).filter(|node| node.is(ticket)) else { return };
        node.last_seen = now;
        match message {
            Message::Latency(latency) => node.latency = Some(latency),
            Message::Block(head) => node.head = Some(head),
            Message::Pending(pending) => node.pending = Some(pending),
            Message::Stats(stats) => node.stats = Some(stats),
            Message::Hello(_) | Message::Ping(_) | Message::Primus(_) | Message::Other => {}
        }
    }

    /// A connection ended.
    pub fn logout(&mut self, id: &str, ticket: u64) {
        if let Some(node) = self.nodes.get_mut(id).filter(|node| node.is(ticket)) {
            node.connection = None;
        }
    }

    /// All nodes by name, `sealer2` before `sealer10`.
    pub fn view(&self, now: u64) -> Vec<View> {
        let mut nodes: Vec<_> = self.nodes.iter().map(|(id, node)| node.view(id, now)).collect();
        nodes.sort_by(|a, b| natural(&a.name, &b.name));
        nodes
    }
}

impl Node {
    fn is(&self, ticket: u64) -> bool {
        self.connection.as_ref().is_some_and(|(number, _)| *number == ticket)
    }

    fn view(&self, id: &str, now: u64) -> View {
        let online = self.connection.is_some();
        let state = match now.saturating_sub(self.last_seen) {
            _ if !online => "offline",
            silent if silent > STALE_AFTER => "stale",
            _ => "active",
        };
        View {
            name: id.to_owned(),
            client: self.client.clone(),
            network: self.network.clone(),
            state,
            online,
            peers: self.stats.map(|stats| stats.peers),
            head: self.head.as_ref().map(|head| ViewHead {
                number: head.number,
                hash: head.hash.clone(),
                time: head.time,
                miner: head.miner.clone(),
            }),
            latency_ms: self.latency,
            pending: self.pending,
            sealing: self.stats.is_some_and(|stats| stats.sealing),
            syncing: self.stats.is_some_and(|stats| stats.syncing),
            last_seen: self.last_seen,
        }
    }
}

/// Digits compare as numbers.
fn natural(a: &str, b: &str) -> Ordering {
    fn parts(text: &str) -> Vec<(String, u64)> {
        let mut parts = vec![(String::new(), 0_u64)];
        let mut in_number = false;
        for c in text.chars() {
            if !c.is_ascii_digit() && in_number {
                parts.push((String::new(), 0));
            }
            in_number = c.is_ascii_digit();
            if let Some((word, number)) = parts.last_mut() {
                match c.to_digit(10) {
                    Some(digit) => *number = number.saturating_mul(10).saturating_add(digit.into()),
                    None => word.push(c),
                }
            }
        }
        parts
    }
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Secret;

    fn hello(id: &str) -> Hello {
        Hello { id: id.into(), secret: Secret::new(String::new()), client: "Geth/v1".into(), network: "1".into() }
    }

    #[test]
    fn a_silent_node_is_stale_and_a_gone_one_is_kept_as_offline() {
        let mut network = Network::default();
        let ticket = network.login(&hello("a"), 0, 100).unwrap();
        assert_eq!(network.view(100)[0].state, "active");
        assert_eq!(network.view(141)[0].state, "stale");
        network.heard("a", ticket.number, Message::Latency(3), 150);
        assert_eq!((network.view(160)[0].state, network.view(160)[0].latency_ms), ("active", Some(3)));
        network.logout("a", ticket.number);
        assert_eq!((network.view(160)[0].state, network.view(160)[0].online), ("offline", false));
    }

    #[test]
    fn a_new_connection_replaces_the_old_one_of_the_same_secret() {
        let mut network = Network::default();
        let mut old = network.login(&hello("a"), 0, 1).unwrap();
        let new = network.login(&hello("a"), 0, 2).unwrap();
        assert!(matches!(old.replaced.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
        network.heard("a", old.number, Message::Latency(9), 3);
        network.logout("a", old.number);
        assert_eq!((network.view(3)[0].online, network.view(3)[0].latency_ms), (true, None));
        assert!(network.login(&hello("a"), 1, 4).is_err());
        network.logout("a", new.number);
        assert!(network.login(&hello("a"), 1, 5).is_ok());
    }

    #[test]
    fn when_it_is_full_the_node_that_is_gone_longest_makes_room() {
        let mut network = Network::default();
        let tickets: Vec<_> =
            (0..MAX_NODES).map(|i| (i, network.login(&hello(&format!("n{i}")), 0, i as u64).unwrap())).collect();
        assert_eq!(network.login(&hello("late"), 0, 5000).unwrap_err(), "there are too many nodes");
        for (i, ticket) in tickets.iter().filter(|(i, _)| [7, 3].contains(i)) {
            network.logout(&format!("n{i}"), ticket.number);
        }
        network.login(&hello("late"), 0, 5000).unwrap();
        let view = network.view(5000);
        assert_eq!(view.len(), MAX_NODES);
        assert!(view.iter().all(|node| node.name != "n3") && view.iter().any(|node| node.name == "n7"));
    }

    #[test]
    fn nodes_are_sorted_as_people_count() {
        let mut network = Network::default();
        for id in ["sealer10", "sealer2", "rpc", "sealer1", "sealer-1"] {
            let _ = network.login(&hello(id), 0, 0).unwrap();
        }
        let names: Vec<_> = network.view(0).into_iter().map(|node| node.name).collect();
        assert_eq!(names, ["rpc", "sealer1", "sealer2", "sealer10", "sealer-1"]);
    }
}
