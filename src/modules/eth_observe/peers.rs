//! The peers that a node's configuration names, and whether each answers.

use crate::chain::Enode;
use crate::chain::doctor::{Node, WantedPeer};
use crate::system::System;
use std::path::PathBuf;
use std::time::Duration;

/// How long a port may take to answer: in a network of one's own it answers at once, or is cut off.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Where a node's peers may be named.
pub struct Sources {
    /// The file that `--config` names.
    pub config: PathBuf,
    /// `static-nodes.json`, where the version reads it.
    pub json: Option<PathBuf>,
    /// `--bootnodes`.
    pub bootnodes: Option<String>,
}

impl Sources {
    /// Reads them, leaves the node itself out, and tries the ports of those that are no peers; all at once.
    pub fn look(&self, system: &System, node: Option<&Node>, own: Option<&str>) -> Vec<WantedPeer> {
        let read = |path: &PathBuf| system.read_text_if_there(path).ok().flatten().unwrap_or_default();
        let config = read(&self.config);
        let listed = self.json.as_ref().map(read).unwrap_or_default();
        let mut wanted: Vec<WantedPeer> = Vec::new();
        let mut add = |enodes: Vec<String>, bootnode: bool| {
            for enode in enodes {
                let mine = enode.parse::<Enode>().is_ok_and(|peer| Some(peer.public_key.as_str()) == own);
                if !mine && !wanted.iter().any(|known| known.enode == enode) {
                    wanted.push(WantedPeer { enode, bootnode, ..WantedPeer::default() });
                }
            }
        };
        add(enodes(list(&config, "StaticNodes")), false);
        add(enodes(&listed), false);
        add(enodes(list(&config, "BootstrapNodes")), true);
        add(enodes(self.bootnodes.as_deref().unwrap_or_default()), true);
        // Only of a node that runs its peers are a question.
        if let Some(node) = node {
            std::thread::scope(|scope| {
                for peer in &mut wanted {
                    scope.spawn(move || try_one(system, node, peer));
                }
            });
        }
        wanted
    }
}

fn try_one(system: &System, node: &Node, wanted: &mut WantedPeer) {
    let Ok(peer) = wanted.enode.parse::<Enode>() else { return };
    wanted.connected = node.peers.iter().any(|known| known.public_key == peer.public_key);
    if !wanted.connected && peer.tcp != 0 {
        wanted.trouble =
            system.connect(&peer.host, peer.tcp, PATIENCE).err().map(|failure| why(&failure.message).to_owned());
    }
}

/// `10.0.0.2:30303: No route to host (os error 113)` is `No route to host`.
fn why(message: &str) -> &str {
    let why = message.rsplit(": ").next().unwrap_or(message);
    why.split(" (os error").next().unwrap_or(why)
}

/// The text between the brackets of `NAME = [ ... ]` in TOML.
fn list<'a>(toml: &'a str, name: &str) -> &'a str {
    let mut rest = toml;
    while let Some(at) = rest.find(name) {
        let before = rest[..at].chars().next_back();
        let after = &rest[at + name.len()..];
        rest = after;
        let Some(value) = after.trim_start().strip_prefix('=') else { continue };
        if before.is_some_and(char::is_alphanumeric) {
            continue;
        }
        let Some(list) = value.trim_start().strip_prefix('[') else { continue };
        // An IPv6 address has brackets too, but they stand in quotes.
        let mut quoted = false;
        let end = list.find(|c: char| {
            quoted ^= matches!(c, '"' | '\'');
            c == ']' && !quoted
        });
        return &list[..end.unwrap_or(list.len())];
    }
    ""
}

/// Every enode in a text.
fn enodes(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ','));
    words.filter(|word| word.starts_with("enode://")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enodes_are_found_in_the_lists_that_name_them() {
        let toml = "[Node.P2P]\nBootstrapNodes = []\nStaticNodes = [\"enode://aa@10.0.0.1:1\",\n  'enode://bb@[::1]:1']\nBootstrapNodesV5 = [\"enode://cc@h:1\"]\n";
        assert_eq!(enodes(list(toml, "StaticNodes")), ["enode://aa@10.0.0.1:1", "enode://bb@[::1]:1"]);
        assert!(enodes(list(toml, "BootstrapNodes")).is_empty());
        assert_eq!(enodes("[\"enode://aa@h:1?discport=0\", \"enode://bb@h:2\"]").len(), 2);
    }
}
