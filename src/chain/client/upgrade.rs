//! From one version to another while the network lives: which versions can be peers, and which lie between.

use super::{Client, Topic, Version};
use crate::base::{Failure, failure::Result};

/// The versions of the protocol `eth` that a version speaks, oldest first: `eth/66`.
pub fn wires(client: &Client, version: Version) -> Vec<&'static str> {
    client.rows(version).filter(|row| row.topic == Topic::Wire).map(|row| row.name).collect()
}

/// Those that two versions share; nodes that share none never become peers.
pub fn shared(client: &Client, one: Version, other: Version) -> Vec<&'static str> {
    let others = wires(client, other);
    wires(client, one).into_iter().filter(|wire| others.contains(wire)).collect()
}

/// Published versions of OpenEthereum at which a protocol begins or ends.
const OPENETHEREUM_STONES: &[Version] = &[Version(2, 5, 13), Version(3, 1, 1), Version(3, 2, 6)];

/// Versions of geth that were published and looked at, at which a protocol begins or ends: the stones to step on.
const GETH_STONES: &[Version] = &[
    Version(1, 8, 27),
    Version(1, 9, 25),
    Version(1, 10, 8),
    Version(1, 10, 26),
    Version(1, 13, 2),
    Version(1, 13, 15),
    Version(1, 16, 7),
    Version(1, 17, 0),
];

/// The versions to go through one after the other, `to` the last: each shares a protocol with the one before, so that nodes
/// of both are peers while the nodes change one at a time. As few as possible.
pub fn path(client: &Client, from: Version, to: Version) -> Result<Vec<Version>> {
    if from == to {
        return Ok(Vec::new());
    }
    let (low, high) = if from < to { (from, to) } else { (to, from) };
    let stones = match client.name {
        "geth" => GETH_STONES,
        "openethereum" => OPENETHEREUM_STONES,
        _ => &[],
    };
    let mut between: Vec<Version> = stones.iter().copied().filter(|stone| low < *stone && *stone < high).collect();
    if from > to {
        between.reverse();
    }
    between.push(to);
    let mut path = Vec::new();
    let mut at = from;
    while at != to {
        // The farthest that is still a peer.
        let next = between.iter().rposition(|stone| !shared(client, at, *stone).is_empty());
        let Some(next) = next else {
            return Err(Failure::new(format!(
                "no way from {} {from} to {to} is known on which nodes stay peers",
                client.name
            )));
        };
        at = between[next];
        path.push(at);
        between.drain(..=next);
    }
    Ok(path)
}

/// Refuses a step on which the upgraded node could not be a peer of the others.
pub fn check_step(client: &Client, from: Version, to: Version) -> Result<Vec<&'static str>> {
    let shared = shared(client, from, to);
    if !shared.is_empty() {
        return Ok(shared);
    }
    let said = |version| wires(client, version).join(", ");
    let stones = path(client, from, to)?;
    let stones: Vec<String> = stones.iter().map(ToString::to_string).collect();
    Err(Failure::new(format!(
        "{name} {from} speaks {}, {name} {to} speaks {}: a node of one is never a peer of a node of the other, so an upgrade one \
         node at a time would halt the chain",
        said(from),
        said(to),
        name = client.name
    ))
    .help(format!("go through {}, one after the other: set network.client to each and run this again", stones.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(from: &str, to: &str) -> Vec<String> {
        steps_of("geth", from, to)
    }

    fn steps_of(client: &str, from: &str, to: &str) -> Vec<String> {
        let path = path(super::super::find(client).unwrap(), from.parse().unwrap(), to.parse().unwrap()).unwrap();
        path.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_live_network_goes_over_versions_that_speak_to_both_sides() {
        assert_eq!(steps("1.9.25", "1.13.15"), ["1.10.8", "1.13.2", "1.13.15"]);
        assert_eq!(steps("1.9.25", "1.10.26"), ["1.10.8", "1.10.26"]);
        assert_eq!(steps("1.10.26", "1.13.15"), ["1.13.2", "1.13.15"]);
        assert_eq!(steps("1.13.2", "1.13.15"), ["1.13.15"]);
        assert_eq!(steps("1.13.15", "1.13.2"), ["1.13.2"]);
    }

    #[test]
    fn geth_takes_a_protocol_up_and_drops_it_at_the_tags_read() {
        let spoken = |tag: (u16, u16, u16)| wires(Client::geth(), Version(tag.0, tag.1, tag.2)).join(" ");
        assert_eq!(spoken((1, 10, 18)), "eth/66");
        assert_eq!(spoken((1, 10, 19)), "eth/66 eth/67");
        assert_eq!(spoken((1, 13, 2)), "eth/66 eth/67 eth/68");
        assert_eq!(spoken((1, 13, 3)), "eth/67 eth/68");
        assert_eq!(spoken((1, 13, 12)), "eth/68");
    }

    #[test]
    fn openethereum_left_eth_63_out_for_a_while_and_steps_over_its_own_versions() {
        assert_eq!(steps_of("parity", "2.7.2", "3.2.0"), ["3.1.1", "3.2.0"]);
        assert_eq!(steps_of("parity", "2.7.2", "3.3.5"), ["3.3.5"]);
        let openethereum = super::super::find("openethereum").unwrap();
        assert_eq!(wires(openethereum, Version(3, 2, 4)), ["eth/64"]);
        assert_eq!(shared(openethereum, Version(2, 7, 2), Version(3, 3, 5)), ["eth/63"]);
    }

    #[test]
    fn a_step_over_which_no_node_is_a_peer_is_refused_with_the_way_round() {
        let failure = check_step(Client::geth(), Version(1, 9, 25), Version(1, 10, 26)).unwrap_err();
        assert!(
            failure
                .message
                .starts_with("geth 1.9.25 speaks eth/63, eth/64, eth/65, geth 1.10.26 speaks eth/66, eth/67")
        );
        assert!(failure.help.unwrap().starts_with("go through 1.10.8, 1.10.26, one after"));
        assert_eq!(check_step(Client::geth(), Version(1, 13, 2), Version(1, 13, 15)).unwrap(), ["eth/68"]);
    }
}
