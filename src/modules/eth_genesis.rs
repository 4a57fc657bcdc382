//! `eth_genesis`: genesis.json, the same bytes on every host, with its hash computed without a client.

use super::eth_network::{Made, Network};
use super::{Cx, Module, Reach, Result, eth};
use crate::base::{Diff, Failure};
use crate::chain::genesis;
use alloy_primitives::hex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Writes the genesis of a network, in the format of the client that runs it. The same arguments are the same bytes, on every
/// host and in every run: signers and accounts are sorted. The hash of block 0 is computed here, without a client, and
/// returned; an Autonity genesis has none that follows from the file.
///
/// A file of another network is not overwritten once a database may have been made from it: a genesis cannot change.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthGenesis {
    /// The file.
    pub path: String,
    /// Who owns the file.
    #[serde(default)]
    pub owner: Option<String>,
    /// The file's group.
    #[serde(default)]
    pub group: Option<String>,
    /// What the network is made of.
    #[serde(flatten)]
    pub network: Network,
    /// The node's data folder, or the one that holds those of several nodes. As long as there is no database in it, a genesis of
    /// another network may be replaced.
    #[serde(default)]
    pub datadir: Option<String>,
}

/// What `eth_genesis` returns. In check mode, before keys are made, all but the path may be null.
#[derive(Debug, Default, Serialize)]
pub struct Output {
    /// The file.
    path: String,
    /// Hash of block 0.
    hash: Option<String>,
    /// Root of the accounts.
    state_root: Option<String>,
    /// The extra data, which holds the signers of most engines.
    extra_data: Option<String>,
    /// The signers or validators, with checksum: in ascending order, those of Aura in the order in which they seal.
    signers: Vec<String>,
}

impl Module for EthGenesis {
    const NAME: &'static str = "eth_genesis";
    const EXAMPLE: &'static str = "\
- eth_genesis:
    path: /etc/geth/genesis.json
    chain_id: 46781
    engine: clique
    period: 5
    signers:
      sealer1: \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"
      sealer2: \"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359\"
    alloc:
      \"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB\": 1000 ether
  register: genesis

- eth_genesis:
    path: /etc/besu/genesis.json
    chain_id: 46782
    engine: qbft
    period: 2
    validators: \"{{ dict(groups.validators | zip(groups.validators | map('extract', hostvars, ['account', 'address']))) }}\"
    config: {zeroBaseFee: true}

- eth_genesis:
    path: /etc/openethereum/spec.json
    chain_id: 46783
    engine: aura
    name: ours
    signers:
      acme: \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"
      globex: \"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359\"
    validator_set:
      multi: {0: {list: [acme]}, 1000: {list: [acme, globex]}}

- eth_genesis:
    path: /etc/autonity/genesis.json
    chain_id: 444888
    engine: autonity
    client_version: 0.7.1
    operator: \"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB\"
    validators:
      - {enode: \"{{ enode }}\", type: validator, stake: 50000}";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] = &[("validators", "signers")];
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let path = Path::new(&self.path);
        let Some(made) = self.network.make(cx.check)? else {
            cx.change(Diff::action(format!("write {} (its signers are not known yet)", self.path)), |_| Ok(()))?;
            return Ok(Output { path: self.path.clone(), ..Output::default() });
        };
        let wanted = eth::traits_or_later(cx, self.owner.as_deref(), self.group.as_deref(), 0o644)?;
        let existing = cx.system.read_text_if_there(path)?;
        if existing.as_deref() == Some(made.text.as_str()) {
            eth::keep(cx, path, wanted)?;
        } else {
            self.may_replace(cx, existing.as_deref(), &made)?;
            cx.change(Diff::text(&self.path, existing, Some(made.text.clone())), |writer| {
                writer.write(path, made.text.as_bytes(), wanted)
            })?;
        }
        let header = made.header.as_ref();
        Ok(Output {
            path: self.path.clone(),
            hash: header.map(|header| header.hash().to_string()),
            state_root: header.map(|header| header.state_root.to_string()),
            signers: made.signers.iter().map(|address| address.to_checksum(None)).collect(),
            extra_data: header.map(|header| hex::encode_prefixed(&header.extra)),
        })
    }
}

/// Where geth, and Parity with all that came of it, have their databases below a data folder.
const DATABASES: &[&str] = &["geth/chaindata/CURRENT", "chains", "*/chains"];

impl EthGenesis {
    fn may_replace(&self, cx: &Cx, existing: Option<&str>, made: &Made) -> Result<()> {
        let Some(existing) = existing else { return Ok(()) };
        if let Some(datadir) = &self.datadir {
            let databases = DATABASES.iter().map(|inside| cx.system.glob(&Path::new(datadir).join(inside)));
            if databases.collect::<Result<Vec<_>>>()?.concat().is_empty() {
                return Ok(());
            }
        }
        let difference = match (genesis::header(existing), &made.header) {
            (Ok(there), Some(ours)) if there.hash() != ours.hash() => {
                format!("it has hash {}, the arguments give {}", there.hash(), ours.hash())
            }
            // A file without a hash of its own may be replaced only by an equal one, which is not asked here.
            (_, None) => "it is not the one that the arguments give".to_owned(),
            _ => return Ok(()),
        };
        Err(Failure::new(format!(
            "{} is the genesis of another network: {difference}; nothing is changed",
            self.path
        ))
        .help(
            "signers, accounts, gas limit and time of block 0 can never change: signers of a running network are voted in \
             and out. Put back what the arguments were, or start a new network in a new data folder",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Value;
    use crate::modules::eth_tests::{Host, outcome};
    use serde_json::json;

    fn args(signers: Value) -> Value {
        json!({"path": "/genesis.json", "chain_id": "46781", "period": 2, "signers": signers,
            "alloc": {"0x0303030303030303030303030303030303030303": "5 ether"}})
    }

    fn address(byte: u8) -> String {
        format!("0x{}", hex::encode([byte; 20]))
    }

    #[test]
    fn the_file_is_the_same_whatever_the_order_and_its_hash_is_that_of_geth() {
        let host = Host::new();
        let first = outcome(&host, "eth_genesis", &args(json!({"b": address(2), "a": address(1)})), false).unwrap();
        assert_eq!(first.output["hash"], "0x48702a8247db730e746bccb1b131285cbeca4f627f567f5eb0538bf7cf387838");
        assert!(!outcome(&host, "eth_genesis", &args(json!([address(1), address(2)])), false).unwrap().changed());
    }

    #[test]
    fn two_hosts_with_one_account_are_both_named() {
        let failure = outcome(&Host::new(), "eth_genesis", &args(json!({"one": address(1), "two": address(1)})), false);
        assert!(failure.unwrap_err().message.starts_with("one and two have one and the same account"));
    }

    #[test]
    fn no_signers_are_refused() {
        let failure = outcome(&Host::new(), "eth_genesis", &args(json!({})), false).unwrap_err();
        assert!(failure.message.contains("no signers") && failure.help.unwrap().contains("group `sealers`"));
    }

    #[test]
    fn a_mistyped_fork_is_named_with_the_right_one() {
        let mut args = args(json!([address(1)]));
        args["forks"] = json!({"londnBlock": 5});
        let failure = outcome(&Host::new(), "eth_genesis", &args, false).unwrap_err();
        assert_eq!(failure.help.as_deref(), Some("did you mean `londonBlock`?"));
    }

    #[test]
    fn the_genesis_of_another_network_is_replaced_only_while_there_is_no_database() {
        let host = Host::new();
        let with_datadir = |signer: u8| {
            let mut args = args(json!([address(signer)]));
            args["datadir"] = json!("/data");
            args
        };
        outcome(&host, "eth_genesis", &with_datadir(1), false).unwrap();
        assert!(outcome(&host, "eth_genesis", &with_datadir(2), false).unwrap().changed());
        host.write("/data/geth/chaindata/CURRENT", "MANIFEST");
        let before = host.read("/genesis.json");
        let failure = outcome(&host, "eth_genesis", &with_datadir(3), false).unwrap_err();
        assert_eq!(failure.message.matches("0x").count(), 2, "{failure}");
        assert_eq!(host.read("/genesis.json"), before);
    }

    #[test]
    fn before_the_keys_are_made_check_mode_says_what_it_cannot_know() {
        let outcome = outcome(&Host::new(), "eth_genesis", &args(json!({"a": null})), true).unwrap();
        assert!(outcome.changed() && outcome.output["hash"].is_null());
    }
}
