//! What a network is made of, as a playbook says it: the arguments that `eth_genesis` and `chainwright genesis build` share.

use super::loose::Number;
use super::{Result, eth};
use crate::base::diagnostic::did_you_mean;
use crate::base::{Failure, Map, Value};
use crate::chain::genesis::build::{Aura, Autonity, Bft, Clique, Common, Ethereum, Family, Generation, Validators};
use crate::chain::genesis::forks::{CLIQUE_FORKS, FORKS, Fork};
use crate::chain::{Address, Header, genesis, parse_address, quantity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The network of a genesis.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// The chain id, which is the network id too. Choose one that no other network has.
    pub chain_id: Number,
    /// The consensus engine: `clique`, `qbft`, `ibft2`, `istanbul`, `aura`, `autonity`, or `ethereum` for proof of stake
    /// from block 0.
    #[serde(default = "clique")]
    pub engine: String,
    /// Whose format: `geth` or `besu` for clique, `besu` or `goquorum` for qbft; other engines have one.
    #[serde(default)]
    pub client: Option<String>,
    /// The client's version. Only Autonity's format depends on it: `0.7.1`, `0.14.1`.
    #[serde(default)]
    pub client_version: Option<String>,
    /// Seconds between blocks.
    #[serde(default = "period")]
    pub period: Number,
    /// Blocks after which votes on signers are reset.
    #[serde(default = "epoch")]
    pub epoch: Number,
    /// Seconds after which QBFT and IBFT 2.0 give up a round without a block; twice the period, if not given.
    #[serde(default)]
    pub request_timeout: Option<Number>,
    /// Who may seal: a list of addresses, or better a table from host to address, so that failures can name hosts. For
    /// `autonity` tables with Autonity's own names: `enode`, `type` and `stake` (0.7), or `enode`, `treasury`,
    /// `consensusKey`, `oracleAddress` and `bondedStake` (0.14). `ethereum` has none.
    #[serde(default)]
    pub signers: Option<Value>,
    /// Where Aura's clients learn who seals, in their own words: `{list: [...]}`, `{safeContract: "0x..."}`, `{contract: "0x..."}`,
    /// or by block `{multi: {0: {list: [...]}, 1000: {safeContract: "0x..."}}}`. A list may name hosts of `signers`. Without it
    /// all signers seal, in their order.
    #[serde(default)]
    pub validator_set: Option<Value>,
    /// Who has what in block 0: address to balance (`"5 ether"`, wei), or to a table of balance, nonce, code, storage.
    #[serde(default)]
    pub alloc: Option<Map>,
    /// Gas limit of block 0.
    #[serde(default = "gas_limit")]
    pub gas_limit: Number,
    /// Time of block 0, in seconds since 1970.
    #[serde(default)]
    pub timestamp: Number,
    /// Forks that do not begin with block 0: `{londonBlock: 1000}`; `null` leaves a fork out. Otherwise all forks that the
    /// engine's clients can seal are on from block 0: up to London with geth and Besu, Berlin with GoQuorum and Aura, Prague
    /// with `ethereum`.
    #[serde(default)]
    pub forks: Option<Map>,
    /// More of the file's `config` (of a chain specification: of `params`), with the client's own names:
    /// `{zeroBaseFee: true}`. Wins over what the other options make; `null` takes a key out.
    #[serde(default)]
    pub config: Option<Map>,
    /// The network's name, for chain specifications.
    #[serde(default)]
    pub name: Option<String>,
    /// Autonity's governance account.
    #[serde(default)]
    pub operator: Option<String>,
    /// Autonity's treasury account.
    #[serde(default)]
    pub treasury: Option<String>,
    /// More settings of Autonity's contract, with Autonity's own names: `{maxCommitteeSize: 21}`.
    #[serde(default)]
    pub contract: Option<Map>,
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

/// The engines and, for each, the clients that have a format for it, the usual one first.
const ENGINES: &[(&str, &[&str])] = &[
    ("clique", &["geth", "besu"]),
    ("qbft", &["besu", "goquorum"]),
    ("ibft2", &["besu"]),
    ("istanbul", &["goquorum"]),
    ("aura", &["openethereum", "nethermind"]),
    ("autonity", &["autonity"]),
    ("ethereum", &["geth", "besu", "nethermind"]),
];

/// A genesis that was made.
#[derive(Debug)]
pub struct Made {
    /// The file's text.
    pub text: String,
    /// Block 0; none for Autonity, whose hash does not follow from the file.
    pub header: Option<Header>,
    /// Who may seal.
    pub signers: Vec<Address>,
}

impl Network {
    /// The file. None: not known yet, in check mode, because keys are still to be made.
    pub fn make(&self, check: bool) -> Result<Option<Made>> {
        let (engine, client) = self.engine_and_client()?;
        let common = self.common(engine, client)?;
        let mut signers = Vec::new();
        let set = self.validator_set.as_ref().filter(|set| !set.is_null());
        if set.is_some() && engine != "aura" {
            return Err(Failure::new(format!("`validator_set` is Aura's, and the engine is {}", of(engine)))
                .help("name who seals with `signers`"));
        }
        if !["autonity", "ethereum"].contains(&engine) {
            let Some(known) = self.addresses(check)? else { return self.with_any_signers().make(false).map(|_| None) };
            signers = known;
        }
        let period = positive(self.period, "period")?;
        let epoch = positive(self.epoch, "epoch")?;
        if common.chain_id == 0 || epoch == 0 {
            return Err(Failure::new("`chain_id` and `epoch` cannot be 0"));
        }
        let text = match engine {
            "clique" => Clique { period, epoch, signers: signers.clone(), besu: client == "besu" }.to_json(&common)?,
            "qbft" | "ibft2" | "istanbul" => {
                let family = match (engine, client) {
                    ("qbft", "goquorum") => Family::QuorumQbft,
                    ("qbft", _) => Family::Qbft,
                    ("ibft2", _) => Family::Ibft2,
                    _ => Family::Istanbul,
                };
                if period == 0 {
                    return Err(Failure::new(format!(
                        "`period` is 0, and {engine} has no blocks without time between them"
                    )));
                }
                let timeout =
                    self.request_timeout.map_or(Ok(2 * period), |given| positive(given, "request_timeout"))?;
                Bft { family, period, epoch, request_timeout: timeout, validators: signers.clone() }.to_json(&common)?
            }
            "aura" => {
                let name = self.name.clone().unwrap_or_else(|| format!("network {}", common.chain_id));
                let validators = match set {
                    Some(set) => self.validators(set)?,
                    None => Validators::List(signers),
                };
                signers = validators.first().to_vec();
                Aura { name, period, validators }.to_json(&common)?
            }
            "autonity" => match self.autonity(period, check)? {
                Some(autonity) => autonity.to_json(&common)?,
                None => return Ok(None),
            },
            _ => Ethereum::default().to_json(&common)?,
        };
        if !["aura", "autonity"].contains(&engine) {
            signers.sort_unstable();
        }
        let header = if engine == "autonity" { None } else { Some(genesis::header(&text)?) };
        Ok(Some(Made { text, header, signers }))
    }

    fn engine_and_client(&self) -> Result<(&'static str, &'static str)> {
        let names = || ENGINES.iter().map(|(name, _)| *name);
        let (engine, clients) = ENGINES.iter().find(|(name, _)| *name == self.engine).ok_or_else(|| {
            Failure::new(format!("the engine `{}` is not known", self.engine)).help(
                did_you_mean(&self.engine, names()).map_or_else(
                    || format!("known are {}", names().collect::<Vec<_>>().join(", ")),
                    |near| format!("did you mean `{near}`?"),
                ),
            )
        })?;
        let Some(wanted) = &self.client else { return Ok((engine, clients[0])) };
        let client = clients.iter().find(|client| client.eq_ignore_ascii_case(wanted)).ok_or_else(|| {
            Failure::new(format!("there is no genesis of {engine} for the client `{wanted}`"))
                .help(format!("{engine} is run by {}", clients.join(", ")))
        })?;
        Ok((engine, client))
    }

    fn common(&self, engine: &str, client: &str) -> Result<Common> {
        Ok(Common {
            chain_id: positive(self.chain_id, "chain_id")?,
            alloc: self.alloc.as_ref().map(genesis::alloc).transpose()?.unwrap_or_default(),
            gas_limit: positive(self.gas_limit, "gas_limit")?,
            timestamp: positive(self.timestamp, "timestamp")?,
            forks: self.schedule(engine, client)?,
            config: self.config.clone().unwrap_or_default(),
        })
    }

    fn schedule(&self, engine: &str, client: &str) -> Result<BTreeMap<Fork, u64>> {
        let last = match (engine, client) {
            (_, "goquorum") => Fork::Berlin,
            ("clique" | "aura", _) => Fork::London,
            ("autonity", _) => Fork::Istanbul,
            _ => Fork::Amsterdam,
        };
        let usual = match (engine, client) {
            (_, "goquorum") | ("aura", _) => Fork::Berlin,
            ("autonity", _) => Fork::Istanbul,
            ("ethereum", _) => Fork::Prague,
            _ => Fork::London,
        };
        let mut forks: BTreeMap<Fork, u64> =
            CLIQUE_FORKS.iter().filter(|fork| **fork <= usual).map(|f| (*f, 0)).collect();
        if engine == "ethereum" {
            forks.extend([Fork::Shanghai, Fork::Cancun, Fork::Prague].map(|fork| (fork, 0)));
        }
        let possible = || FORKS.iter().filter(|fact| fact.fork <= last).map(|fact| fact.key);
        for (name, at) in self.forks.iter().flatten() {
            let fork = possible().find(|key| key == name).and_then(Fork::of_key).ok_or_else(|| {
                Failure::new(format!("`{name}` is not a fork that {} can seal", of(engine))).help(
                    did_you_mean(name, possible()).map_or_else(
                        || format!("known are {}", possible().collect::<Vec<_>>().join(", ")),
                        |near| format!("did you mean `{near}`?"),
                    ),
                )
            })?;
            if at.is_null() {
                forks.remove(&fork);
            } else {
                forks.insert(fork, quantity::small(at).map_err(|failure| failure.context(name))?);
            }
        }
        Ok(forks)
    }

    /// The signers with the names of their hosts, and whether any is not known yet.
    fn named(&self) -> Result<Vec<(String, &Value)>> {
        let named: Vec<(String, &Value)> = match &self.signers {
            Some(Value::Object(map)) => map.iter().map(|(host, value)| (host.clone(), value)).collect(),
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(i, value)| (format!("entry {}", i + 1), value)).collect()
            }
            None | Some(Value::Null) => Vec::new(),
            Some(other) => {
                return Err(Failure::new(format!("`signers` is {other}, neither a list nor a table of addresses")));
            }
        };
        if named.is_empty() {
            return Err(Failure::new("the network has no signers: nobody could ever seal a block")
                .help("name at least one as `signers` (`--signer` on a command line); the roles take the hosts of the inventory's group `sealers`"));
        }
        Ok(named)
    }

    /// The same with some address for each that is not known yet: what is wrong with the rest shows before keys are made.
    fn with_any_signers(&self) -> Self {
        let mut some = self.clone();
        let values: Vec<&mut Value> = match &mut some.signers {
            Some(Value::Object(map)) => map.values_mut().collect(),
            Some(Value::Array(items)) => items.iter_mut().collect(),
            _ => Vec::new(),
        };
        for (number, value) in (1_u64..).zip(values).filter(|(_, value)| eth::unknown(value)) {
            *value = Address::left_padding_from(&(u64::MAX - number).to_be_bytes()).to_checksum(None).into();
        }
        some
    }

    fn addresses(&self, check: bool) -> Result<Option<Vec<Address>>> {
        let named = self.named()?;
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

    /// A set of validators of Aura, as `validator_set` says it.
    fn validators(&self, set: &Value) -> Result<Validators> {
        const FORMS: [&str; 4] = ["list", "safeContract", "contract", "multi"];
        let unclear = |what: String| {
            Failure::new(what).help(
                "write {list: [...]}, {safeContract: \"0x...\"}, {contract: \"0x...\"}, or {multi: {0: {list: [...]}, ...}}",
            )
        };
        let one = set.as_object().filter(|table| table.len() == 1).and_then(|table| table.iter().next());
        let Some((form, value)) = one else {
            return Err(unclear(format!("`validator_set` is {set}, not a table with one form of validators")));
        };
        match (form.as_str(), value) {
            ("list", Value::Array(items)) => {
                items.iter().map(|item| self.validator(item)).collect::<Result<_>>().map(Validators::List)
            }
            ("safeContract" | "contract", Value::String(text)) => {
                let address = parse_address(text).map_err(|failure| failure.context(form))?;
                Ok(if form == "contract" { Validators::Contract(address) } else { Validators::SafeContract(address) })
            }
            ("multi", Value::Object(table)) => {
                let sets = table.iter().map(|(block, set)| {
                    let at = quantity::small(&Value::from(block.as_str()))
                        .map_err(|failure| failure.context(format!("block `{block}` of `multi`")))?;
                    Ok((at, self.validators(set)?))
                });
                let sets = sets.collect::<Result<BTreeMap<_, _>>>()?;
                if sets.len() < table.len() {
                    return Err(Failure::new("`multi` names one block twice").help("16 and 0x10 are one block"));
                }
                Ok(Validators::Multi(sets))
            }
            (form, value) if FORMS.contains(&form) => Err(unclear(format!("`{form}` of `validator_set` is {value}"))),
            (form, _) => {
                let failure = unclear(format!("`{form}` is not a form of validators"));
                Err(match did_you_mean(form, FORMS) {
                    Some(near) => failure.help(format!("did you mean `{near}`?")),
                    None => failure,
                })
            }
        }
    }

    /// An address, or a host that `signers` has the address of.
    fn validator(&self, item: &Value) -> Result<Address> {
        let text = item.as_str().map_or_else(|| item.to_string(), ToOwned::to_owned);
        let hosts = self.signers.as_ref().and_then(Value::as_object);
        match hosts.and_then(|hosts| hosts.get(&text)) {
            Some(address) => {
                parse_address(address.as_str().unwrap_or_default()).map_err(|failure| failure.context(text))
            }
            None => parse_address(&text).map_err(|failure| {
                let near = hosts.and_then(|hosts| did_you_mean(&text, hosts.keys().map(String::as_str)));
                match near {
                    Some(near) => failure.help(format!("did you mean `{near}`?")),
                    None => failure.context("a validator of `validator_set`"),
                }
            }),
        }
    }

    fn autonity(&self, period: u64, check: bool) -> Result<Option<Autonity>> {
        let version = self.client_version.as_deref().unwrap_or("0.14");
        let generation = match version.trim_start_matches('v').split('.').nth(1).and_then(|minor| minor.parse().ok()) {
            Some(2..=7) if version.trim_start_matches('v').starts_with("0.") => Generation::V07,
            Some(10..=14) if version.trim_start_matches('v').starts_with("0.") => Generation::V14,
            _ => {
                return Err(Failure::new(format!("the genesis format of Autonity {version} is not known"))
                    .help("`client_version` is 0.2 to 0.7, or 0.10 to 0.14"));
            }
        };
        let named = self.named()?;
        if check && named.iter().any(|(_, value)| eth::unknown(value) || value.get("enode").is_some_and(eth::unknown)) {
            return Ok(None);
        }
        let validators = named.into_iter().map(|(name, value)| {
            let table = value.as_object().cloned();
            table.ok_or_else(|| {
                Failure::new(format!("the validator of {name} is {value}, not a table"))
                    .help("a validator of Autonity is a table with at least its `enode`")
            })
        });
        let operator = self
            .operator
            .as_deref()
            .ok_or_else(|| Failure::new("Autonity wants a governance account").help("write `operator: \"0x...\"`"))?;
        Ok(Some(Autonity {
            generation,
            period,
            operator: parse_address(operator).map_err(|failure| failure.context("operator"))?,
            treasury: self.treasury.as_deref().map(parse_address).transpose().map_err(|f| f.context("treasury"))?,
            validators: validators.collect::<Result<_>>()?,
            settings: self.contract.clone().unwrap_or_default(),
        }))
    }
}

fn of(engine: &str) -> &str {
    match engine {
        "clique" => "Clique",
        "qbft" => "QBFT",
        "ibft2" => "IBFT 2.0",
        "istanbul" => "Istanbul",
        "aura" => "Aura",
        "autonity" => "Autonity",
        _ => "Ethereum",
    }
}

fn positive(number: Number, name: &str) -> Result<u64> {
    u64::try_from(number.0).map_err(|_| Failure::new(format!("`{name}` is {}; it cannot be negative", number.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{bft, clique};
    use alloy_primitives::hex;
    use serde_json::json;

    fn network(more: Value) -> Network {
        let mut args = json!({"chain_id": 46_781, "period": 2});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(args).unwrap()
    }

    fn address(byte: u8) -> String {
        format!("0x{}", hex::encode([byte; 20]))
    }

    fn make(more: Value) -> (Value, Option<Header>) {
        let made = network(more).make(false).unwrap().unwrap();
        (serde_json::from_str(&made.text).unwrap(), made.header)
    }

    fn refusal(more: Value) -> String {
        network(more).make(false).unwrap_err().to_string()
    }

    #[test]
    fn every_engine_has_its_own_extra_data_and_settings() {
        let signers = json!([address(2), address(1)]);
        let wanted: Vec<Address> = vec![Address::repeat_byte(1), Address::repeat_byte(2)];
        let (file, header) = make(json!({"engine": "qbft", "signers": signers}));
        assert_eq!(
            file["config"]["qbft"],
            json!({"blockperiodseconds": 2, "epochlength": 30000, "requesttimeoutseconds": 4})
        );
        assert_eq!(file["mixHash"], bft::MIX_HASH);
        assert_eq!(bft::qbft_validators(&header.unwrap().extra), wanted);
        let (file, header) = make(json!({"engine": "ibft2", "signers": signers}));
        assert_eq!(file["config"]["ibft2"]["blockperiodseconds"], 2);
        assert_eq!(bft::ibft2_validators(&header.unwrap().extra), wanted);
        let (file, header) = make(json!({"engine": "istanbul", "signers": signers}));
        assert_eq!((&file["config"]["isQuorum"], &file["config"]["londonBlock"]), (&json!(true), &Value::Null));
        let header = header.unwrap();
        assert_eq!((header.base_fee, bft::istanbul_validators(&header.extra)), (None, wanted.clone()));
        let (file, _) = make(json!({"engine": "qbft", "client": "goquorum", "signers": signers}));
        assert_eq!(file["config"]["qbft"]["policy"], 0);
        let (file, header) = make(json!({"engine": "clique", "client": "besu", "signers": signers}));
        assert_eq!(file["config"]["clique"], json!({"blockperiodseconds": 2, "epochlength": 30000}));
        assert_eq!(clique::signers(&header.unwrap().extra).unwrap(), wanted);
    }

    #[test]
    fn aura_keeps_the_order_of_its_validators_and_its_built_in_contracts() {
        let holder = "0x0000000000000000000000000000000000000001";
        let (file, header) = make(json!({"engine": "aura", "name": "ours", "signers": [address(2), address(1)],
            "alloc": {(holder): "5 wei"}, "forks": {"londonBlock": 0}}));
        assert_eq!(file["engine"]["authorityRound"]["params"]["validators"]["list"], json!([address(2), address(1)]));
        assert_eq!(file["params"]["networkID"], "0xb6bd");
        assert_eq!(file["accounts"][holder]["balance"], "0x5");
        assert_eq!(file["accounts"][holder]["builtin"]["name"], "ecrecover");
        assert_eq!(file["accounts"]["0x0000000000000000000000000000000000000009"]["builtin"]["name"], "blake2_f");
        assert!(header.unwrap().aura.is_some());
    }

    /// What iExec's parity-deploy writes for two authorities, with its own params, accounts and block 0.
    #[test]
    fn aura_without_the_forks_after_constantinople_is_what_parity_deploy_writes() {
        let (file, header) = make(json!({"engine": "aura", "chain_id": 17, "name": "parity", "period": 2,
            "signers": [address(2), address(1)], "gas_limit": 40_000_000,
            "alloc": {"0x00Ea169ce7e0992960D3BdE6F5D539C955316432": "1606938044258990275541962092341162602522202993782792835301376"},
            "forks": {"petersburgBlock": null, "istanbulBlock": null, "berlinBlock": null}}));
        assert_eq!(file["engine"]["authorityRound"]["params"]["stepDuration"], "2");
        for (name, value) in [
            ("maximumExtraDataSize", "0x20"),
            ("minGasLimit", "0x1388"),
            ("gasLimitBoundDivisor", "0x400"),
            ("networkID", "0x11"),
            ("eip140Transition", "0x0"),
            ("eip211Transition", "0x0"),
            ("eip214Transition", "0x0"),
            ("eip658Transition", "0x0"),
            ("eip145Transition", "0x0"),
            ("eip1014Transition", "0x0"),
            ("eip1052Transition", "0x0"),
            ("eip1283Transition", "0x0"),
        ] {
            assert_eq!(file["params"][name], value, "{name}");
        }
        let linear = |name: &str, base: u64, word: u64| json!({"name": name, "pricing": {"linear": {"base": base, "word": word}}});
        let young = |name: &str, pricing: Value| json!({"name": name, "activate_at": "0x0", "pricing": pricing});
        let builtins = [
            linear("ecrecover", 3000, 0),
            linear("sha256", 60, 12),
            linear("ripemd160", 600, 120),
            linear("identity", 15, 3),
            young("modexp", json!({"modexp": {"divisor": 20}})),
            young("alt_bn128_add", json!({"linear": {"base": 500, "word": 0}})),
            young("alt_bn128_mul", json!({"linear": {"base": 40_000, "word": 0}})),
            young("alt_bn128_pairing", json!({"alt_bn128_pairing": {"base": 100_000, "pair": 80_000}})),
        ];
        assert_eq!(file["accounts"].as_object().unwrap().len(), 9);
        for (number, builtin) in (1..).zip(builtins) {
            let account = &file["accounts"][format!("{number:#042x}")];
            assert_eq!(account["builtin"], builtin);
            assert_eq!(account.get("balance"), (number < 5).then(|| json!("0x1")).as_ref());
        }
        let theirs = json!({
            "name": "parity",
            "engine": {"authorityRound": {"params": {"stepDuration": "2", "validators": {"list": [address(2), address(1)]}}}},
            "params": {"maximumExtraDataSize": "0x20", "minGasLimit": "0x1388", "gasLimitBoundDivisor": "0x400", "networkID": "0x11"},
            "genesis": {"seal": {"authorityRound": {"step": "0x0", "signature": hex::encode_prefixed([0; 65])}},
                "difficulty": "0x20000", "gasLimit": "0x2625A00"},
            "accounts": file["accounts"],
        });
        let theirs = genesis::header(&theirs.to_string()).unwrap();
        assert_eq!(header.unwrap().hash(), theirs.hash());
    }

    #[test]
    fn mistakes_show_before_the_keys_are_made() {
        let make = |more: Value| network(more).make(true);
        let signers = json!({"a": null, "b": null});
        assert!(make(json!({"engine": "aura", "signers": signers})).unwrap().is_none());
        for wrong in [json!({"validator_set": {"list": ["c"]}}), json!({"period": 0}), json!({"period": 70_000})] {
            let mut args = json!({"engine": "aura", "signers": signers});
            args.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
            assert!(make(args).is_err(), "{wrong}");
        }
    }

    #[test]
    fn aura_takes_validators_by_block_and_from_contracts() {
        let signers = json!({"a": address(1), "b": address(2), "c": address(3)});
        let set = |set: Value, alloc: Value| {
            make(json!({"engine": "aura", "signers": signers, "alloc": alloc, "validator_set": set})).0
            ["engine"]["authorityRound"]["params"]["validators"].clone()
        };
        let contract = address(9);
        let code = json!({(contract.clone()): {"balance": 0, "code": "0x6001"}});
        assert_eq!(set(json!({"list": ["c", address(7)]}), json!({})), json!({"list": [address(3), address(7)]}));
        assert_eq!(set(json!({"contract": contract}), code.clone()), json!({"contract": contract}));
        assert_eq!(
            set(json!({"multi": {"100": {"safeContract": contract}, "0": {"list": ["a", "b"]}}}), json!({})),
            json!({"multi": {"0": {"list": [address(1), address(2)]}, "100": {"safeContract": contract}}})
        );
        let refused = |set: Value| refusal(json!({"engine": "aura", "signers": signers, "validator_set": set}));
        assert!(refused(json!({"lst": ["a"]})).contains("did you mean `list`?"));
        assert!(refused(json!(["a"])).contains("write {list: [...]}"));
        assert!(refused(json!({"list": []})).contains("no validators"));
        assert!(refused(json!({"list": ["a", address(1)]})).contains("named twice"));
        assert!(refused(json!({"list": ["acme"]})).contains("not an address"));
        assert!(refused(json!({"safeContract": contract})).contains("no code there"));
        assert!(refused(json!({"multi": {"5": {"list": ["a"]}}})).contains("no validators for block 0"));
        assert!(refused(json!({"multi": {"0": {"list": ["a"]}, "0x0": {"list": ["b"]}}})).contains("one block twice"));
        assert!(refused(json!({"multi": {"0": {"multi": {"0": {"list": ["a"]}}}}})).contains("into one table"));
        assert!(
            refusal(json!({"engine": "clique", "signers": signers, "validator_set": {"list": ["a"]}}))
                .contains("is Aura's")
        );
        assert!(
            refusal(json!({"engine": "aura", "signers": signers, "period": 70_000}))
                .contains("longer than Aura can count")
        );
    }

    #[test]
    fn plain_ethereum_begins_with_prague_and_names_the_blobs_of_each_fork() {
        let (file, header) = make(json!({"engine": "ethereum", "forks": {"osakaTime": 100}}));
        let names: Vec<&String> = file["config"]["blobSchedule"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["cancun", "prague", "osaka"]);
        let header = header.unwrap();
        assert!(header.requests_hash.is_some() && header.blob_gas_used == Some(0));
    }

    const ENODE: &str = "enode://ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f@10.0.0.1:30303";

    #[test]
    fn autonity_has_two_formats_and_no_hash() {
        let (file, header) = make(json!({"engine": "autonity", "client_version": "0.7.1", "operator": address(9),
            "signers": [{"enode": ENODE, "type": "validator", "stake": 50_000}]}));
        assert_eq!(header, None);
        let user = &file["config"]["autonityContract"]["users"][0];
        let key = hex::decode(&ENODE[8..136]).unwrap();
        assert_eq!(user["address"], crate::chain::keys::address_of(&key).to_checksum(None));
        assert_eq!(file["config"]["tendermint"]["block-period"], 2);
        assert_eq!((file["difficulty"].as_str(), file["mixHash"].as_str()), (Some("0x1"), Some(bft::MIX_HASH)));
        let validator = json!({"enode": ENODE, "treasury": address(3), "consensusKey": format!("0x{}", "ab".repeat(48)),
            "oracleAddress": address(4), "bondedStake": 10_000});
        let (file, _) = make(json!({"engine": "autonity", "operator": address(9), "treasury": address(8),
            "signers": {"a": validator}, "contract": {"maxCommitteeSize": 21}}));
        assert_eq!(file["config"]["autonity"]["maxCommitteeSize"], 21);
        assert_eq!(file["config"]["autonity"]["validators"][0]["bondedStake"], 10_000);
    }

    #[test]
    fn bad_input_is_refused_with_what_to_write() {
        assert!(refusal(json!({"engine": "qbtf"})).contains("did you mean `qbft`?"));
        assert!(refusal(json!({"engine": "istanbul", "client": "geth"})).contains("istanbul is run by goquorum"));
        assert!(refusal(json!({"engine": "qbft"})).contains("no signers"));
        assert!(refusal(json!({"engine": "qbft", "period": 0, "signers": [address(1)]})).contains("`period` is 0"));
        assert!(refusal(json!({"engine": "aura", "period": 0, "signers": [address(1)]})).contains("`period` is 0"));
        assert!(
            refusal(json!({"engine": "clique", "signers": [address(1)], "forks": {"shanghaiTime": 0}}))
                .contains("not a fork that Clique can seal")
        );
        assert!(
            refusal(json!({"engine": "istanbul", "signers": [address(1)], "forks": {"londonBlock": 0}}))
                .contains("Istanbul")
        );
        let autonity = |signers: Value| {
            refusal(
                json!({"engine": "autonity", "client_version": "0.7.1", "operator": address(9), "signers": signers}),
            )
        };
        assert!(autonity(json!([{"enode": "enode://x"}])).contains("validator 1"));
        assert!(autonity(json!([{"enode": ENODE, "type": "boss"}])).contains("has the type `boss`"));
        assert!(
            autonity(json!([{"enode": ENODE, "type": "participant", "stake": 1}])).contains("participant with stake")
        );
        assert!(autonity(json!([{"enode": ENODE, "address": address(5)}])).contains("its enode belongs to"));
        assert!(autonity(json!([{"enode": ENODE, "type": "stakeholder"}])).contains("no user is a validator"));
        assert!(autonity(json!([{"enode": ENODE, "stak": 1}])).contains("did you mean `stake`?"));
        let young = |more: Value| {
            let mut args = json!({"engine": "autonity", "operator": address(9), "treasury": address(8), "signers": [{"enode": ENODE}]});
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            refusal(args)
        };
        assert!(young(json!({})).contains("has no `treasury`"));
        assert!(young(json!({"client_version": "1.1.0"})).contains("0.10 to 0.14"));
        assert!(young(json!({"operator": null})).contains("governance account"));
    }
}
