//! The list of methods that are offered.

use crate::base::diagnostic::did_you_mean;
use crate::base::{Failure, failure::Result};
use crate::chain::client::{CLIENTS, Client, Topic};
use std::collections::BTreeSet;

/// Namespaces that command the node, its accounts or its consensus client's interface: never offered, whatever a list says.
const NEVER: &[&str] = &["admin", "engine", "miner", "personal"];

/// Namespaces of which all may be offered at once. Of others (`debug`, `clique`, ...) each method is named.
const WHOLE: &[&str] = &["eth", "net", "txpool", "web3"];

/// What is in `eth` but uses the node's own accounts, or is its miner's: `eth_*` leaves them out, their names do not.
const OF_THE_NODE: &[&str] = &[
    "eth_accounts",
    "eth_fillTransaction",
    "eth_getWork",
    "eth_pendingTransactions",
    "eth_resend",
    "eth_sendTransaction",
    "eth_setEtherbase",
    "eth_sign",
    "eth_signTransaction",
    "eth_signTypedData",
    "eth_signTypedData_v3",
    "eth_signTypedData_v4",
    "eth_submitHashrate",
    "eth_submitWork",
];

/// Methods that are offered.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Allow {
    methods: BTreeSet<String>,
    namespaces: BTreeSet<String>,
}

impl Allow {
    /// Reads a list of methods: `eth_call`, or `eth_*` for all of a namespace but what uses the node's own accounts. Fails if it is
    /// empty, names what no client has, or what nobody should offer.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut allow = Self::default();
        for word in words {
            allow.add(word)?;
        }
        if allow == Self::default() {
            return Err(Failure::new("no method is allowed").help("name some: `eth_*`, `net_version`"));
        }
        Ok(allow)
    }

    fn add(&mut self, word: &str) -> Result<()> {
        let wrong = |message: String, help: String| Err(Failure::new(message).help(help));
        let Some((namespace, method)) = word.split_once('_').filter(|(_, method)| *method == "*" || is_name(method))
        else {
            return wrong(
                format!("`{word}` is not a method"),
                "write methods as `eth_call`, or `eth_*` for all of a namespace".to_owned(),
            );
        };
        if NEVER.contains(&namespace) {
            return wrong(
                format!("`{word}`: whoever may call `{namespace}` commands the node"),
                "use the node's socket on its host for that, and leave it out here".to_owned(),
            );
        }
        let known = CLIENTS.iter().flat_map(Client::all).filter(|row| row.topic == Topic::Api).map(|row| row.name);
        let known: BTreeSet<&str> = known.collect();
        if !known.contains(namespace) {
            let near = did_you_mean(namespace, known.iter().copied());
            return wrong(
                format!("`{word}`: no client has a namespace `{namespace}`"),
                near.map_or_else(
                    || "`eth`, `net` and `web3` are usual".to_owned(),
                    |near| format!("did you mean `{near}_{method}`?"),
                ),
            );
        }
        if method != "*" {
            self.methods.insert(word.to_owned());
        } else if WHOLE.contains(&namespace) {
            self.namespaces.insert(namespace.to_owned());
        } else {
            return wrong(
                format!("`{word}` offers more than it says"),
                format!(
                    "name the methods of `{namespace}` that are wanted, one by one; `*` goes with {}",
                    WHOLE.join(", ")
                ),
            );
        }
        Ok(())
    }

    /// Whether a method is offered.
    pub fn permits(&self, method: &str) -> bool {
        self.methods.contains(method)
            || method.split_once('_').is_some_and(|(namespace, rest)| {
                self.namespaces.contains(namespace) && is_name(rest) && !OF_THE_NODE.contains(&method)
            })
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_offered_without_what_uses_the_nodes_accounts() {
        let allow = Allow::parse(["eth_*", "debug_traceTransaction"]).unwrap();
        for method in ["eth_call", "eth_sendRawTransaction", "debug_traceTransaction"] {
            assert!(allow.permits(method), "{method}");
        }
        for method in
            OF_THE_NODE.iter().chain(&["debug_traceBlock", "eth_", "eth", "ETH_call", "net_version", "eth_a b", ""])
        {
            assert!(!allow.permits(method), "{method}");
        }
        assert!(Allow::parse(["eth_accounts"]).unwrap().permits("eth_accounts"));
    }

    #[test]
    fn lists_that_are_wrong_are_refused_with_what_to_write() {
        for (word, message, help) in [
            ("admin_peers", "commands the node", "leave it out"),
            ("personal_*", "commands the node", "leave it out"),
            ("eht_call", "no client has a namespace `eht`", "did you mean `eth_call`?"),
            ("debug_*", "offers more than it says", "one by one"),
            ("ethcall", "is not a method", "eth_call"),
            ("eth_call;", "is not a method", "eth_call"),
            ("*", "is not a method", "eth_*"),
            ("eth_", "is not a method", "eth_*"),
        ] {
            let failure = Allow::parse([word]).unwrap_err();
            assert!(failure.message.contains(message), "{failure}");
            assert!(failure.help.as_deref().unwrap_or_default().contains(help), "{failure}");
        }
        assert!(Allow::parse([]).is_err());
    }
}
