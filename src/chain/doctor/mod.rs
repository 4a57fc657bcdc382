//! What ails a network: from what was seen on its hosts to findings that name causes. Pure; nothing is asked here.
//!
//! A finding that explains why a node is out is told once: the rules run from causes to consequences, and each leaves
//! alone what an earlier one has explained.

mod client;
mod clock;
mod exposure;
mod identity;
mod locked;
mod observation;
mod peers;
mod process;
mod sealing;

#[cfg(test)]
mod tests;

pub use observation::{Block, Disk, Listener, Log, Node, Observation, Peer, Program, Unit, WantedPeer};

use crate::chain::lock::Lock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The network, or a node of it, does not work as it should, or is open to a stranger.
    Error,
    /// It works; look at it before it does not.
    Warning,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its kind, for machines: `sealer-stopped`.
    pub id: String,
    /// How grave it is.
    pub severity: Severity,
    /// The hosts that it is about.
    pub hosts: Vec<String>,
    /// What is wrong, in a sentence.
    pub what: String,
    /// What was seen.
    pub evidence: Vec<String>,
    /// What to do.
    pub remedy: String,
}

/// A host and what was seen there.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name in the inventory.
    pub name: String,
    /// It is to seal.
    pub sealer: bool,
    /// Others find the network by it.
    pub bootnode: bool,
    /// Where other nodes reach it, as the inventory says.
    pub address: Option<String>,
    /// What was seen, or why nothing was.
    pub seen: Result<Observation, String>,
}

impl Host {
    fn observation(&self) -> Option<&Observation> {
        self.seen.as_ref().ok()
    }

    fn node(&self) -> Option<&Node> {
        self.observation()?.node.as_ref()
    }

    fn public_key(&self) -> Option<&str> {
        self.observation()?.public_key.as_deref()
    }

    /// The account that it seals with: what its node answers, else the only one in its keystore.
    fn account(&self) -> Option<&str> {
        let observation = self.observation()?;
        let answered = observation.node.as_ref().and_then(|node| node.account.as_deref());
        answered.or(match observation.accounts.as_slice() {
            [only] => Some(only),
            _ => None,
        })
    }

    /// What the host is in the network, in a word.
    fn role(&self) -> &'static str {
        if self.sealer {
            "sealer"
        } else if self.bootnode {
            "bootnode"
        } else {
            "node"
        }
    }
}

/// What the network is to be, as far as somebody says.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Who says it: `the lock`, `the inventory`.
    pub source: String,
    /// Whether it is binding: what differs is then an error.
    pub binding: bool,
    /// Hash of block 0.
    pub genesis: Option<String>,
    /// The network id.
    pub network_id: Option<String>,
    /// The client's version: `1.13.15`.
    pub version: Option<String>,
    /// SHA-256 of the client's program.
    pub sha256: Option<String>,
    /// What the members have agreed upon.
    pub lock: Option<Lock>,
}

impl Wanted {
    /// What a lock says, and binding.
    pub fn of(lock: Lock) -> Self {
        Self {
            source: "the lock".into(),
            binding: true,
            genesis: Some(lock.genesis.hash.clone()),
            network_id: Some(lock.network_id.to_string()),
            version: Some(lock.client.version.clone()),
            sha256: Some(lock.client.sha256.clone()),
            lock: Some(lock),
        }
    }
}

/// The patient.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// Its hosts, in the inventory's order.
    pub hosts: Vec<Host>,
    /// What it is to be.
    pub wanted: Wanted,
}

impl Case {
    /// Hosts whose node answers.
    fn answering(&self) -> impl Iterator<Item = (&Host, &Node)> {
        self.hosts.iter().filter_map(|host| Some((host, host.node()?)))
    }

    /// What most of those that say something say, and who says something else. Sealers decide a draw.
    fn majority<'a>(&'a self, say: impl Fn(&'a Host) -> Option<&'a str>) -> Option<&'a str> {
        let mut votes: Vec<(&str, usize, usize)> = Vec::new();
        for host in &self.hosts {
            let Some(said) = say(host) else { continue };
            match votes.iter_mut().find(|(known, ..)| *known == said) {
                Some(vote) => (vote.1, vote.2) = (vote.1 + 1, vote.2 + usize::from(host.sealer)),
                None => votes.push((said, 1, usize::from(host.sealer))),
            }
        }
        // Of equals the first: `max_by_key` would take the last.
        votes.into_iter().rev().max_by_key(|(_, all, sealers)| (*all, *sealers)).map(|(said, ..)| said)
    }
}

/// What was found so far, and which hosts are out because of it.
#[derive(Debug, Default)]
struct Findings {
    list: Vec<Finding>,
    /// Host to why it takes no part, in a few words.
    out: BTreeMap<String, String>,
}

impl Findings {
    fn add(&mut self, finding: Finding) {
        self.list.push(finding);
    }

    /// From here on this host's absence is nobody else's finding.
    fn is_out(&mut self, host: &str, why: impl Into<String>) {
        self.out.entry(host.to_owned()).or_insert_with(|| why.into());
    }

    fn explains(&self, host: &str) -> bool {
        self.out.contains_key(host)
    }
}

/// Looks at everything; causes come before consequences.
pub fn diagnose(case: &Case) -> Vec<Finding> {
    let mut findings = Findings::default();
    // Held against another network's lock everything would be wrong, and nothing would be told.
    let without = Case { hosts: case.hosts.clone(), wanted: Wanted::default() };
    let case = if locked::is_anothers(case, &mut findings) { &without } else { case };
    for rule in [
        process::unreachable,
        process::down,
        process::disk,
        identity::genesis,
        identity::network_id,
        identity::one_key_twice,
        identity::one_account_twice,
        locked::other_keys,
        clock::clocks,
        identity::stale_peers,
        exposure::open_rpc,
        sealing::cannot_seal,
        peers::partition,
        client::versions,
        locked::rest,
        client::unclean_shutdowns,
        peers::unreached,
        sealing::behind,
        sealing::two_chains,
        sealing::silent,
        sealing::halted,
    ] {
        rule(case, &mut findings);
    }
    findings.list
}

/// A finding without evidence yet.
fn finding(
    id: &str,
    severity: Severity,
    hosts: &[&str],
    what: impl Into<String>,
    remedy: impl Into<String>,
) -> Finding {
    Finding {
        id: id.to_owned(),
        severity,
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        what: what.into(),
        evidence: Vec::new(),
        remedy: remedy.into(),
    }
}

impl Finding {
    /// Whether it may be over in a minute without anybody's help.
    pub fn may_pass(&self) -> bool {
        ["behind", "node-starting", "sealer-silent"].contains(&self.id.as_str())
    }

    fn seen(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}

/// `a`, `a and b`, `a, b and c`.
fn and(words: &[&str]) -> String {
    match words {
        [] => "nobody".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A hash, a key or an address, short enough for a line.
fn short(text: &str) -> String {
    let count = text.chars().count();
    if count <= 20 {
        return text.to_owned();
    }
    let (first, last) = (text.chars().take(10), text.chars().skip(count - 6));
    first.chain("..".chars()).chain(last).collect()
}

/// A time as people read it.
#[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
fn moment(seconds: f64) -> String {
    jiff::Timestamp::from_second(seconds as i64)
        .map_or_else(|_| seconds.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// Bytes as people read them.
fn bytes(count: u64) -> String {
    let mib = count / (1 << 20);
    if mib < 10_240 { format!("{mib} MiB") } else { format!("{} GiB", mib / 1024) }
}
