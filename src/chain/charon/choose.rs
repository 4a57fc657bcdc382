//! Which of the clusters that the API names is the one to make now.

use super::{Definition, Rules};
use crate::base::{Failure, Value, failure::Result};
use crate::chain::{Address, B256, NodeKey};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::fmt;

/// How far a cluster has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// We have not agreed yet.
    Invited,
    /// We have, and these have not.
    Waiting(Vec<String>),
    /// All have, and everything in it is true.
    Ready,
}

/// A cluster that is ours and that nothing speaks against.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its config hash, computed anew.
    pub config_hash: B256,
    /// What it is.
    pub definition: Definition,
    /// As the API gave it.
    pub json: Value,
    /// How far it has come.
    pub state: State,
}

/// Those that are ours, the newest first, and for each of the others why it is not one.
pub fn candidates(list: &[Value], operator: Address, node: &NodeKey, rules: &Rules) -> (Vec<Candidate>, Vec<String>) {
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    for json in list {
        let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
        // A name comes from strangers, and goes to a terminal.
        let name: String = text("name").chars().filter(|letter| !letter.is_control()).take(60).collect();
        let hash: String = text("config_hash").chars().filter(char::is_ascii_alphanumeric).take(10).collect();
        match judge(json, operator, node, rules) {
            Ok(candidate) => found.push(candidate),
            Err(failure) => notes.push(format!("not the cluster `{name}` ({hash}..): {}", failure.message)),
        }
    }
    found.sort_by_key(|it| Reverse((made(&it.definition), it.config_hash)));
    (found, notes)
}

/// When it was made; the creator's clock may be in any zone. What is no time is the oldest.
fn made(definition: &Definition) -> Option<Timestamp> {
    definition.timestamp.parse().ok()
}

/// What is to be done.
#[derive(Debug, Default)]
pub struct Pick {
    /// To be made now: the newest that is ready and not over.
    pub ready: Option<Candidate>,
    /// That its ceremony is over, of each such cluster.
    pub over: Vec<B256>,
    /// The others, the newest first.
    pub rest: Vec<Candidate>,
}

/// Takes the newest that is ready. `over` asks whether a cluster's ceremony is over; only of those that matter.
pub fn pick<E>(found: Vec<Candidate>, mut over: impl FnMut(B256) -> Result<bool, E>) -> Result<Pick, E> {
    let mut pick = Pick::default();
    for candidate in found {
        if candidate.state != State::Ready || pick.ready.is_some() {
            pick.rest.push(candidate);
        } else if over(candidate.config_hash)? {
            pick.over.push(candidate.config_hash);
        } else {
            pick.ready = Some(candidate);
        }
    }
    Ok(pick)
}

impl Pick {
    /// Which one it is and why, if there was a choice.
    pub fn reason(&self) -> Option<String> {
        let ready = self.ready.as_ref().filter(|_| !self.rest.is_empty())?;
        let others: Vec<String> = self.rest.iter().map(ToString::to_string).collect();
        let hash = ready.config_hash;
        Some(format!("the cluster {hash} is taken: it is the newest that is ready; {}", others.join("; ")))
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = self.config_hash;
        match &self.state {
            State::Invited => write!(f, "the cluster {hash} invites us, and we have not agreed"),
            State::Waiting(others) => write!(f, "the cluster {hash} waits for {}", others.join(", ")),
            State::Ready => write!(f, "the cluster {hash} is ready, too"),
        }
    }
}

fn judge(json: &Value, operator: Address, node: &NodeKey, rules: &Rules) -> Result<Candidate> {
    let definition = Definition::read(json)?;
    definition.verify_offer(rules)?;
    let at = definition
        .position_of(operator)
        .ok_or_else(|| Failure::new(format!("the account {operator} is no operator of it")))?;
    let mine = &definition.operators[at];
    let state = if !mine.has_signed() {
        State::Invited
    } else if definition.position_of_node(node)? != at {
        return Err(Failure::new("our node key is in another operator's record"));
    } else {
        let missing = definition.unsigned();
        if missing.is_empty() {
            definition.verify(rules)?;
            State::Ready
        } else {
            State::Waiting(missing)
        }
    };
    let config_hash = definition.compute_config_hash()?;
    Ok(Candidate { config_hash, definition, json: json.clone(), state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::AccountKey;
    use crate::chain::charon::Version;
    use crate::chain::charon::testing::Cluster;
    use std::convert::Infallible;

    fn ask(cluster: &Cluster, list: &[Definition], rules: &Rules) -> (Vec<Candidate>, Vec<String>) {
        let list: Vec<Value> = list.iter().map(|definition| definition.to_json().unwrap()).collect();
        candidates(&list, cluster.accounts[0].address(), &cluster.nodes[0], rules)
    }

    #[test]
    fn what_is_ready_invites_or_waits_is_told_apart_and_the_newest_comes_first() {
        let cluster = Cluster::new();
        let ready = cluster.signed(Version::V1_10);
        let invited = cluster.offered(Version::V1_9);
        let mut waiting = cluster.offered(Version::V1_8);
        waiting.accept(&cluster.accounts[0], &cluster.nodes[0], &Rules::default()).unwrap();
        let (found, notes) = ask(&cluster, &[invited, waiting.clone(), ready.clone()], &Rules::default());
        assert!(notes.is_empty());
        let states: Vec<State> = found.iter().map(|it| it.state.clone()).collect();
        assert!(states.contains(&State::Ready) && states.contains(&State::Invited));
        assert!(states.contains(&State::Waiting(waiting.unsigned())));
        let target = Rules { config_hash: Some(ready.compute_config_hash().unwrap()), ..Rules::default() };
        let (found, notes) = ask(&cluster, &[waiting, ready], &target);
        assert_eq!((found.len(), notes.len()), (1, 1));
        assert!(
            notes[0].starts_with("not the cluster `four friends` (0x") && notes[0].contains("config hash"),
            "{notes:?}"
        );
    }

    #[test]
    fn of_several_the_newest_that_is_ready_and_not_over_is_taken_and_it_is_told_why() {
        let cluster = Cluster::new();
        // By the clock, not by the letters: the second was made an hour before the first.
        let [newest, second, oldest] =
            ["2026-01-01T12:00:00+01:00", "2026-01-01T12:00:00+02:00", "2025-06-01T00:00:00Z"]
                .map(|time| cluster.signed_at(time));
        let hash = |definition: &Definition| definition.compute_config_hash().unwrap();
        let invited = cluster.offered(Version::V1_9);
        let list = [second.clone(), oldest.clone(), invited.clone(), newest.clone()];
        let pick_but = |over: &[B256]| {
            let (found, notes) = ask(&cluster, &list, &Rules::default());
            assert!(notes.is_empty());
            pick(found, |hash| Ok::<_, Infallible>(over.contains(&hash))).unwrap()
        };
        let all = pick_but(&[]);
        assert_eq!(all.ready.as_ref().unwrap().config_hash, hash(&newest));
        let why = all.reason().unwrap();
        assert!(why.starts_with(&format!("the cluster {} is taken: it is the newest", hash(&newest))), "{why}");
        assert!(why.contains(&format!("{} is ready, too", hash(&oldest))), "{why}");
        assert!(why.contains(&format!("{} invites us", hash(&invited))), "{why}");
        let later = pick_but(&[hash(&newest)]);
        assert_eq!((later.ready.unwrap().config_hash, later.over), (hash(&second), vec![hash(&newest)]));
        let none = pick_but(&[hash(&newest), hash(&second), hash(&oldest)]);
        assert!(none.reason().is_none() && none.ready.is_none() && none.over.len() == 3 && none.rest.len() == 1);
    }

    #[test]
    fn a_cluster_of_another_node_chain_or_with_a_false_signature_is_told() {
        let cluster = Cluster::new();
        let mut other = Cluster::new();
        other.accounts[0] = AccountKey::from_bytes(&cluster.accounts[0].to_bytes()).unwrap();
        let theirs = other.signed(Version::V1_10);
        let mut broken = cluster.signed(Version::V1_10);
        broken.operators[2].config_signature.0[3] ^= 1;
        broken.definition_hash.0 = broken.compute_definition_hash().unwrap().to_vec();
        let (found, notes) = ask(&cluster, &[theirs, broken], &Rules::default());
        assert!(found.is_empty());
        assert!(notes[0].contains("our node key") && notes[1].contains("operator 3 ("), "{notes:?}");
        let mainnet = Rules { chain_id: Some(1), ..Rules::default() };
        let (_, notes) = ask(&cluster, &[cluster.signed(Version::V1_10)], &mainnet);
        assert!(notes[0].contains("for the chain 560048, not for 1"), "{notes:?}");
    }
}
