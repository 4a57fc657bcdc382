//! `eth_genesis`: genesis.json, the same bytes on every host, with its hash computed without a client.

use super::loose::Number;
use super::{Cx, Module, Reach, Result, eth};
use crate::base::{Diff, Failure, Map, Value};
use crate::chain::{Address, genesis, parse_address};
use alloy_primitives::hex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Writes geth's genesis.json for a Clique network. The same arguments are the same bytes, on every host and in every
/// run: signers and accounts are sorted. The hash of block 0 is computed here, without a client, and returned.
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
    /// The chain id, which is the network id too. Choose one that no other network has.
    pub chain_id: Number,
    /// The consensus engine: `clique`.
    #[serde(default = "clique")]
    pub engine: String,
    /// Seconds between blocks.
    #[serde(default = "period")]
    pub period: Number,
    /// Blocks after which votes on signers are reset.
    #[serde(default = "epoch")]
    pub epoch: Number,
    /// Who may seal: a list of addresses, or better a table from host to address, so that failures can name hosts.
    pub signers: Value,
    /// Who has what in block 0: address to balance (`"5 ether"`, wei), or to a table of balance, nonce, code, storage.
    #[serde(default)]
    pub alloc: Option<Map>,
    /// Gas limit of block 0.
    #[serde(default = "gas_limit")]
    pub gas_limit: Number,
    /// Time of block 0, in seconds since 1970.
    #[serde(default)]
    pub timestamp: Number,
    /// Forks that do not begin with block 0: `{londonBlock: 1000}`; `null` leaves a fork out. All forks that Clique can
    /// seal, up to London, are on from block 0 otherwise.
    #[serde(default)]
    pub forks: Option<Map>,
    /// The node's data folder. As long as it holds no database, a genesis.json of another network may be replaced.
    #[serde(default)]
    pub datadir: Option<String>,
}

fn clique() -> String {
    "clique".into()
}
fn period() -> Number {
    Number(5)
}
fn epoch() -> Number {
    Number(30_000)
}
fn gas_limit() -> Number {
    Number(30_000_000)
}

/// What `eth_genesis` returns. In check mode, before keys are made, all but the path may be null.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The file.
    path: String,
    /// Hash of block 0.
    hash: Option<String>,
    /// Root of the accounts.
    state_root: Option<String>,
    /// Clique's extra data.
    extra_data: Option<String>,
    /// The signers in ascending order, with checksum.
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
  register: genesis";
    const REACH: Reach = Reach::Host;
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let path = Path::new(&self.path);
        let Some(signers) = self.signers(cx.check)? else {
            cx.change(Diff::action(format!("write {} (its signers are not known yet)", self.path)), |_| Ok(()))?;
            return Ok(Output {
                path: self.path.clone(),
                hash: None,
                state_root: None,
                extra_data: None,
                signers: vec![],
            });
        };
        let text = self.spec(signers)?.to_json()?;
        let header = genesis::header(&text)?;
        let hash = header.hash().to_string();
        let wanted = eth::traits_or_later(cx, self.owner.as_deref(), self.group.as_deref(), 0o644)?;
        let existing = cx.system.read_text_if_there(path)?;
        if existing.as_deref() == Some(text.as_str()) {
            eth::keep(cx, path, wanted)?;
        } else {
            self.may_replace(cx, existing.as_deref(), &hash)?;
            cx.change(Diff::text(&self.path, existing, Some(text.clone())), |writer| {
                writer.write(path, text.as_bytes(), wanted)
            })?;
        }
        Ok(Output {
            path: self.path.clone(),
            hash: Some(hash),
            state_root: Some(header.state_root.to_string()),
            signers: crate::chain::clique::signers(&header.extra)?.iter().map(|a| a.to_checksum(None)).collect(),
            extra_data: Some(hex::encode_prefixed(&header.extra)),
        })
    }
}

impl EthGenesis {
    /// None: not known yet, in check mode.
    fn signers(&self, check: bool) -> Result<Option<Vec<Address>>> {
        let named: Vec<(String, &Value)> = match &self.signers {
            Value::Object(map) => map.iter().map(|(host, value)| (host.clone(), value)).collect(),
            Value::Array(items) => {
                items.iter().enumerate().map(|(i, value)| (format!("entry {}", i + 1), value)).collect()
            }
            other => {
                return Err(Failure::new(format!("`signers` is {other}, neither a list nor a table of addresses")));
            }
        };
        if named.is_empty() {
            return Err(Failure::new("the network has no signers: nobody could ever seal a block")
                .help("put at least one host into the inventory's group `sealers`"));
        }
        if check && named.iter().any(|(_, value)| eth::unknown(value)) {
            return Ok(None);
        }
        let mut signers: Vec<(String, Address)> = Vec::new();
        for (name, value) in named {
            let text = value
                .as_str()
                .ok_or_else(|| Failure::new(format!("the signer of {name} is {value}, not an address")))?;
            let address = parse_address(text).map_err(|failure| failure.context(format!("signer of {name}")))?;
            if let Some((other, _)) = signers.iter().find(|(_, known)| *known == address) {
                return Err(Failure::new(format!("{other} and {name} have one and the same account {address}"))
                    .help("two sealers with one account seal competing blocks; give each host a key of its own"));
            }
            signers.push((name, address));
        }
        Ok(Some(signers.into_iter().map(|(_, address)| address).collect()))
    }

    fn spec(&self, signers: Vec<Address>) -> Result<genesis::Spec> {
        if self.engine != "clique" {
            return Err(Failure::new(format!("the engine `{}` is not known", self.engine)).help("known is clique"));
        }
        let positive = |number: Number, name: &str| {
            u64::try_from(number.0)
                .map_err(|_| Failure::new(format!("`{name}` is {}; it cannot be negative", number.0)))
        };
        let chain_id = positive(self.chain_id, "chain_id")?;
        let epoch = positive(self.epoch, "epoch")?;
        if chain_id == 0 || epoch == 0 {
            return Err(Failure::new("`chain_id` and `epoch` cannot be 0"));
        }
        let mut forks: Vec<(String, u64)> = genesis::CLIQUE_FORKS.iter().map(|fork| ((*fork).to_owned(), 0)).collect();
        for (name, block) in self.forks.iter().flatten() {
            let index = forks.iter().position(|(fork, _)| fork == name).ok_or_else(|| {
                let near = crate::base::diagnostic::did_you_mean(name, genesis::CLIQUE_FORKS.iter().copied());
                Failure::new(format!("`{name}` is not a fork that Clique can seal")).help(near.map_or_else(
                    || format!("known are {}", genesis::CLIQUE_FORKS.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                ))
            })?;
            if block.is_null() {
                forks.remove(index);
            } else {
                forks[index].1 = crate::chain::quantity::small(block).map_err(|failure| failure.context(name))?;
            }
        }
        Ok(genesis::Spec {
            chain_id,
            period: positive(self.period, "period")?,
            epoch,
            signers,
            alloc: self.alloc.as_ref().map(genesis::alloc).transpose()?.unwrap_or_default(),
            gas_limit: positive(self.gas_limit, "gas_limit")?,
            timestamp: positive(self.timestamp, "timestamp")?,
            forks,
        })
    }

    fn may_replace(&self, cx: &Cx, existing: Option<&str>, hash: &str) -> Result<()> {
        let Some(existing) = existing else { return Ok(()) };
        if let Some(datadir) = &self.datadir
            && !cx.system.exists(&Path::new(datadir).join("geth/chaindata/CURRENT"))?
        {
            return Ok(());
        }
        match genesis::header(existing) {
            Ok(header) if header.hash().to_string() != hash => Err(Failure::new(format!(
                "{} is the genesis of another network: it has hash {}, the arguments give {hash}; nothing is changed",
                self.path,
                header.hash()
            ))
            .help(
                "signers, accounts, gas limit and time of block 0 can never change: signers of a running network are voted in \
                 and out. Put back what the arguments were, or start a new network in a new data folder",
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
