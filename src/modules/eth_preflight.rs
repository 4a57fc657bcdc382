//! `eth_preflight`: what must hold among the hosts of a network before anything is changed.

use super::loose::Number;
use super::{Cx, Module, Reach, Result, eth};
use crate::base::event::Proof;
use crate::base::{Failure, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Fails if two hosts have one node key, one account or one address, or if a host's clock is wrong: networks with such hosts fork or
/// halt. All that is wrong comes at once. Changes nothing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthPreflight {
    /// From host to the public node key that it has or is given; empty where it is yet to be made.
    #[serde(default)]
    pub node_keys: Option<Map>,
    /// From host to the address that it seals with; empty where it is yet to be made.
    #[serde(default)]
    pub accounts: Option<Map>,
    /// From host to the IP address at which other nodes reach it, devp2p's port behind it if hosts share one: `10.0.0.1:30304`.
    #[serde(default)]
    pub addresses: Option<Map>,
    /// From host to what `eth_status` returned as its `clock_offset`, in seconds.
    #[serde(default)]
    pub clocks: Option<Map>,
    /// How far clocks may be apart, in seconds.
    #[serde(default = "clock_difference")]
    pub max_clock_difference: Number,
}

/// Clique refuses blocks of the future: a sealer that is ahead is not heard, one that is behind does not hear.
pub fn clock_difference() -> Number {
    Number(5)
}

/// What `eth_preflight` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for EthPreflight {
    const NAME: &'static str = "eth_preflight";
    const EXAMPLE: &'static str = "\
- eth_preflight:
    accounts:
      sealer1: \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"
      sealer2: \"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359\"
    clocks: {sealer1: 0, sealer2: 0.2}";
    const REACH: Reach = Reach::Controller;
    type Output = Output;

    fn run(&self, _: &mut Cx) -> Result<Output> {
        let mut wrong = Vec::new();
        let mut remedies = Vec::new();
        let mut proofs = Vec::new();
        for (what, owners, remedy) in [
            (
                "node key",
                &self.node_keys,
                "keep the key on one host, and give the other one of its own (see `geth_node_key_src`; a copied disk holds the first host's key)",
            ),
            (
                "account",
                &self.accounts,
                "two sealers with one account seal competing blocks: give each a keystore file of its own (see `geth_account_src`)",
            ),
        ] {
            let Some(owners) = owners else { continue };
            let shared = shared(what, owners);
            if shared.is_empty() {
                let known = owners.values().filter(|value| !eth::unknown(value)).count();
                proofs.push(Proof::new(
                    format!("no {what} twice"),
                    format!("{known} known, {} to be made", owners.len() - known),
                ));
            } else {
                wrong.extend(shared);
                remedies.push(remedy.to_owned());
            }
        }
        if let Some(addresses) = &self.addresses {
            let no_ip: Vec<String> = addresses.iter().filter_map(|(host, value)| no_address(host, value)).collect();
            if !no_ip.is_empty() {
                remedies.push("geth announces a number: write `node_address: 10.0.0.1`, or `[..]` around an IPv6 address with a port".to_owned());
            }
            let shared = if no_ip.is_empty() { shared("address", addresses) } else { Vec::new() };
            if !shared.is_empty() {
                remedies.push("give each host its own `node_address`".to_owned());
            }
            wrong.extend(no_ip.into_iter().chain(shared));
        }
        if let Some(readings) = &self.clocks {
            let readings: Vec<(&str, f64)> =
                readings.iter().filter_map(|(host, offset)| Some((host.as_str(), seconds(offset)?))).collect();
            let against = wrong_clocks(&readings, self.max_clock_difference.0);
            if against.is_empty() {
                proofs.push(Proof::new("clocks agree", clocks_agree(&readings)));
            } else {
                wrong.extend(against);
                remedies.push(SET_CLOCKS.to_owned());
            }
        }
        if wrong.is_empty() {
            return Ok(Output { proofs });
        }
        Err(eth::with_proofs(Failure::new(wrong.join("; ")).help(remedies.join("; ")), &proofs))
    }
}

/// What to do about a wrong clock.
pub const SET_CLOCKS: &str = "set the clock and keep it right: `timedatectl set-ntp true`, or chrony, on that host";

fn shared(what: &str, owners: &Map) -> Vec<String> {
    let mut hosts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (host, value) in owners.iter().filter(|(_, value)| !eth::unknown(value)) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        hosts.entry(value.to_lowercase()).or_default().push(host);
    }
    let shared = hosts.into_iter().filter(|(_, hosts)| hosts.len() > 1);
    shared.map(|(value, hosts)| format!("{} have one and the same {what} {value}", hosts.join(" and "))).collect()
}

fn no_address(host: &str, value: &Value) -> Option<String> {
    let text = value.as_str().unwrap_or_default();
    let is_one = text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok();
    (!is_one).then(|| format!("the address of {host} is {value}, which is no IP address"))
}

fn seconds(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// What speaks against the hosts' clocks, seen from most of them. Of one or two the controller's decides.
pub fn wrong_clocks(readings: &[(&str, f64)], most: i64) -> Vec<String> {
    let mut sorted: Vec<f64> = readings.iter().map(|(_, offset)| *offset).collect();
    let others = if sorted.len() < 3 {
        sorted.resize(3, 0.0);
        "this machine's"
    } else {
        "the others'"
    };
    sorted.sort_by(f64::total_cmp);
    let Some(median) = sorted.get(sorted.len().saturating_sub(1) / 2).copied() else { return Vec::new() };
    #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
    let off = readings.iter().filter(|(_, offset)| (offset - median).abs() > most as f64);
    off.map(|(host, offset)| {
        let way = if *offset > median { "ahead of" } else { "behind" };
        format!("the clock of {host} is {:.0} s {way} {others}, {most} s are allowed", (offset - median).abs())
    })
    .collect()
}

/// The evidence that clocks agree.
pub fn clocks_agree(readings: &[(&str, f64)]) -> String {
    let offsets = || readings.iter().map(|(_, offset)| *offset);
    let widest = offsets().fold(f64::MIN, f64::max) - offsets().fold(f64::MAX, f64::min);
    format!("within {:.1} s as seen from here", widest.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call;
    use serde_json::json;

    #[test]
    fn two_hosts_with_one_key_or_account_are_both_named_with_it() {
        let failure = call(
            "eth_preflight",
            json!({"node_keys": {"a": "04AB", "b": "04ab", "c": null, "d": null}, "accounts": {"a": "0x1", "b": "0x2", "c": "0x1"}}),
        )
        .unwrap_err();
        assert_eq!(
            failure.message,
            "a and b have one and the same node key 04ab; a and c have one and the same account 0x1"
        );
        assert!(failure.help.unwrap().contains("geth_account_src"));
    }

    #[test]
    fn an_address_that_is_none_or_is_shared_is_told_with_its_hosts() {
        let refused =
            |addresses: serde_json::Value| call("eth_preflight", json!({"addresses": addresses})).unwrap_err().message;
        assert_eq!(
            refused(json!({"a": "10.0.0.1", "b": "ten"})),
            "the address of b is \"ten\", which is no IP address"
        );
        assert_eq!(
            refused(json!({"a": "10.0.0.1", "b": "10.0.0.1"})),
            "a and b have one and the same address 10.0.0.1"
        );
        call("eth_preflight", json!({"addresses": {"a": "10.0.0.1:1", "b": "10.0.0.1:2", "c": "::1"}})).unwrap();
    }

    #[test]
    fn keys_that_are_yet_to_be_made_are_not_alike() {
        let output = call("eth_preflight", json!({"accounts": {"a": null, "b": "", "c": "0x1"}})).unwrap();
        assert_eq!(output["proofs"][0]["evidence"], "1 known, 2 to be made");
    }

    #[test]
    fn a_clock_that_is_off_is_told_with_its_host_its_way_and_the_limit() {
        let failure = call("eth_preflight", json!({"clocks": {"a": 0, "b": -60.4, "c": 0.1}})).unwrap_err();
        assert_eq!(failure.message, "the clock of b is 60 s behind the others', 5 s are allowed");
        assert!(failure.help.unwrap().contains("timedatectl"));
    }

    #[test]
    fn of_one_or_two_clocks_the_controllers_says_which_is_wrong() {
        let failure = call("eth_preflight", json!({"clocks": {"a": -60}})).unwrap_err();
        assert!(failure.message.starts_with("the clock of a is 60 s behind this machine's"), "{}", failure.message);
        let failure = call("eth_preflight", json!({"clocks": {"a": 60, "b": "0.2"}})).unwrap_err();
        assert!(failure.message.starts_with("the clock of a is 60 s ahead of this machine's"), "{}", failure.message);
    }

    #[test]
    fn a_controller_whose_own_clock_is_wrong_harms_nobody() {
        call("eth_preflight", json!({"clocks": {"a": 60, "b": 60.2, "c": 60.1}})).unwrap();
    }
}
