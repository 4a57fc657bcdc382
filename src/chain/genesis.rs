//! Genesis: geth's JSON from a few words, and the hash of block 0 of any such JSON without starting a client.

use super::{Header, clique, keccak256, parse_address, quantity};
use crate::base::{Failure, Map, Value, failure::Result};
use alloy_primitives::{Address, B256, Bloom, U256, b256, hex};
use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
use alloy_trie::{EMPTY_ROOT_HASH, KECCAK_EMPTY, TrieAccount};
use serde_json::json;
use std::collections::BTreeMap;

/// Hash of an empty list of ommers.
const NO_OMMERS: B256 = b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
/// SHA-256 of nothing: Prague's hash of an empty list of requests.
const NO_REQUESTS: B256 = b256!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// What geth takes for a gas limit of 0.
const DEFAULT_GAS_LIMIT: u64 = 4_712_388;
/// The base fee of London's first block.
const FIRST_BASE_FEE: u64 = 1_000_000_000;

/// What a network's block 0 is made of.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Chain id, which is the network id too.
    pub chain_id: u64,
    /// Seconds between blocks.
    pub period: u64,
    /// Blocks after which the votes are reset.
    pub epoch: u64,
    /// Who may seal.
    pub signers: Vec<Address>,
    /// Who has what: address to account.
    pub alloc: BTreeMap<Address, Account>,
    /// Of block 0.
    pub gas_limit: u64,
    /// Of block 0, in seconds since 1970.
    pub timestamp: u64,
    /// Fork to block: `londonBlock: 0`.
    pub forks: Vec<(String, u64)>,
}

/// An account of block 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// In wei.
    pub balance: U256,
    /// Transactions sent, or contracts made.
    pub nonce: u64,
    /// A contract's code.
    pub code: Vec<u8>,
    /// A contract's storage; zeros are as good as absent.
    pub storage: BTreeMap<B256, B256>,
}

/// Every fork that Clique can seal, in order; all from block 0 unless told otherwise.
pub const CLIQUE_FORKS: &[&str] = &[
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
    "berlinBlock",
    "londonBlock",
];

impl Spec {
    /// geth's JSON: the same bytes for the same network, whatever order things were named in.
    pub fn to_json(&self) -> Result<String> {
        let mut config = Map::new();
        config.insert("chainId".into(), self.chain_id.into());
        for (fork, block) in &self.forks {
            config.insert(fork.clone(), (*block).into());
        }
        config.insert("clique".into(), json!({"period": self.period, "epoch": self.epoch}));
        let alloc: Map =
            self.alloc.iter().map(|(address, account)| (hex::encode(address), account.to_json())).collect();
        let genesis = json!({
            "config": config,
            "nonce": "0x0",
            "timestamp": format!("{:#x}", self.timestamp),
            "extraData": hex::encode_prefixed(clique::extra_data(&self.signers)?),
            "gasLimit": format!("{:#x}", self.gas_limit),
            "difficulty": "0x1",
            "mixHash": hex::encode_prefixed(B256::ZERO),
            "coinbase": hex::encode_prefixed(Address::ZERO),
            "alloc": alloc,
        });
        let mut text = serde_json::to_string_pretty(&genesis).map_err(|error| Failure::new(error.to_string()))?;
        text.push('\n');
        Ok(text)
    }
}

impl Account {
    fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("balance".into(), format!("{:#x}", self.balance).into());
        if self.nonce > 0 {
            json.insert("nonce".into(), format!("{:#x}", self.nonce).into());
        }
        if !self.code.is_empty() {
            json.insert("code".into(), hex::encode_prefixed(&self.code).into());
        }
        if !self.storage.is_empty() {
            let slots = self.storage.iter().map(|(slot, value)| (slot.to_string(), value.to_string().into()));
            json.insert("storage".into(), Value::Object(slots.collect()));
        }
        Value::Object(json)
    }

    /// Reads one account of an `alloc`; a bare number or text is a balance.
    pub fn from_json(value: &Value) -> Result<Self> {
        let Some(table) = value.as_object() else {
            return Ok(Self { balance: quantity::number(value)?, ..Self::default() });
        };
        let mut account = Self::default();
        for (name, value) in table {
            match name.as_str() {
                "balance" => account.balance = quantity::number(value)?,
                "nonce" => account.nonce = quantity::small(value)?,
                "code" => account.code = quantity::bytes(value)?,
                "storage" => {
                    for (slot, value) in value.as_object().into_iter().flatten() {
                        account.storage.insert(quantity::hash(&Value::from(slot.as_str()))?, quantity::hash(value)?);
                    }
                }
                "secretKey" | "privateKey" | "comment" => {}
                other => {
                    return Err(Failure::new(format!("an account has no `{other}`"))
                        .help("known are balance, nonce, code, storage"));
                }
            }
        }
        Ok(account)
    }

    fn in_trie(&self) -> TrieAccount {
        let slots = self.storage.iter().filter(|(_, value)| !value.is_zero());
        TrieAccount {
            nonce: self.nonce,
            balance: self.balance,
            storage_root: storage_root_unhashed(slots.map(|(slot, value)| (*slot, U256::from_be_bytes(value.0)))),
            code_hash: if self.code.is_empty() { KECCAK_EMPTY } else { keccak256(&self.code) },
        }
    }
}

/// Reads an `alloc`: address to account, addresses with or without `0x`.
pub fn alloc(table: &Map) -> Result<BTreeMap<Address, Account>> {
    let mut accounts = BTreeMap::new();
    for (name, value) in table {
        let address = parse_address(name)?;
        let account = Account::from_json(value).map_err(|failure| failure.context(format!("alloc of {name}")))?;
        if accounts.insert(address, account).is_some() {
            return Err(Failure::new(format!("alloc names the account {address} twice")));
        }
    }
    Ok(accounts)
}

/// Block 0 of a genesis JSON, geth's or Besu's. Keys are compared without regard to case (`chainid`), as both clients do.
pub fn header(text: &str) -> Result<Header> {
    let genesis: Value =
        serde_json::from_str(text).map_err(|error| Failure::new(format!("this genesis is not JSON: {error}")))?;
    let genesis = genesis.as_object().ok_or_else(|| Failure::new("this genesis is not a JSON table"))?;
    let config = get(genesis, "config").and_then(Value::as_object).cloned().unwrap_or_default();
    let accounts = match get(genesis, "alloc") {
        Some(Value::Object(table)) => alloc(table)?,
        _ => {
            return Err(
                Failure::new("this genesis has no `alloc`").help("a network without accounts has `\"alloc\": {}`")
            );
        }
    };
    let number = |name: &str| get(genesis, name).map_or(Ok(0), quantity::small);
    let hash = |name: &str| get(genesis, name).map_or(Ok(B256::ZERO), quantity::hash);
    let timestamp = number("timestamp")?;
    let at_zero =
        |fork: &str| get(&config, fork).is_some_and(|block| quantity::small(block).is_ok_and(|block| block == 0));
    let by_time =
        |fork: &str| get(&config, fork).is_some_and(|time| quantity::small(time).is_ok_and(|time| time <= timestamp));
    let base_fee = match get(genesis, "baseFeePerGas") {
        Some(fee) => Some(quantity::number(fee)?),
        None => at_zero("londonBlock").then(|| U256::from(FIRST_BASE_FEE)),
    };
    let (shanghai, cancun, prague) = (by_time("shanghaiTime"), by_time("cancunTime"), by_time("pragueTime"));
    Ok(Header {
        parent_hash: hash("parentHash")?,
        ommers_hash: NO_OMMERS,
        coinbase: match get(genesis, "coinbase").and_then(Value::as_str) {
            Some(text) => parse_address(text)?,
            None => Address::ZERO,
        },
        state_root: state_root_unhashed(accounts.iter().map(|(address, account)| (*address, account.in_trie()))),
        transactions_root: EMPTY_ROOT_HASH,
        receipts_root: EMPTY_ROOT_HASH,
        bloom: Bloom::ZERO,
        difficulty: match get(genesis, "difficulty") {
            Some(value) => quantity::number(value)?,
            None => U256::from(131_072),
        },
        number: number("number")?,
        gas_limit: match number("gasLimit")? {
            0 => DEFAULT_GAS_LIMIT,
            limit => limit,
        },
        gas_used: number("gasUsed")?,
        timestamp,
        extra: get(genesis, "extraData").map_or(Ok(Vec::new()), quantity::bytes)?,
        mix_hash: hash("mixHash")?,
        nonce: number("nonce")?.to_be_bytes(),
        base_fee,
        withdrawals_root: shanghai.then_some(EMPTY_ROOT_HASH),
        blob_gas_used: if cancun { Some(number("blobGasUsed")?) } else { None },
        excess_blob_gas: if cancun { Some(number("excessBlobGas")?) } else { None },
        parent_beacon_root: cancun.then_some(B256::ZERO),
        requests_hash: prague.then_some(NO_REQUESTS),
    })
}

/// The chain configuration of a genesis JSON: what is not in block 0's hash, yet must be the same on all nodes.
pub fn config(text: &str) -> Result<Map> {
    let genesis: Map = serde_json::from_str(text)
        .map_err(|error| Failure::new(format!("this genesis is not a JSON table: {error}")))?;
    Ok(get(&genesis, "config").and_then(Value::as_object).cloned().unwrap_or_default())
}

/// Where two chain configurations differ: name, ours, theirs. A `null` is as good as absent, case does not matter.
pub fn config_differences(ours: &Map, theirs: &Map) -> Vec<(String, Value, Value)> {
    let mut names: Vec<String> = ours.keys().chain(theirs.keys()).map(|name| name.to_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    let side = |map: &Map, name: &str| get(map, name).cloned().unwrap_or(Value::Null);
    names
        .into_iter()
        .map(|name| (side(ours, &name), side(theirs, &name), name))
        .filter(|(one, two, _)| canonical(one) != canonical(two))
        .map(|(one, two, name)| (name, one, two))
        .collect()
}

/// Sorted keys, lower case, numbers as numbers, no nulls: equal exactly when it means the same.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<String, Value> = map
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.to_lowercase(), canonical(value)))
                .collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Number(_) | Value::String(_) => match quantity::number(value) {
            Ok(number) => Value::from(number.to_string()),
            Err(_) => value.clone(),
        },
        other => other.clone(),
    }
}

fn get<'a>(map: &'a Map, name: &str) -> Option<&'a Value> {
    map.get(name)
        .or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
        .filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accounts 0x00 to 0xff with one wei each, and some more.
    fn with_precompiles(more: &[(&str, &str)]) -> Value {
        let mut alloc: Map = (0..256).map(|byte| (format!("{byte:040x}"), json!({"balance": "0x1"}))).collect();
        alloc.extend(more.iter().map(|(address, balance)| ((*address).to_owned(), json!({"balance": balance}))));
        Value::Object(alloc)
    }

    fn hash(genesis: &Value) -> String {
        header(&genesis.to_string()).unwrap().hash().to_string()
    }

    #[test]
    fn rinkeby_and_goerli_have_their_known_hashes() {
        let seal = "0".repeat(130);
        let rinkeby = json!({
            "config": {"chainId": 4, "clique": {"period": 15, "epoch": 30000}}, "difficulty": "1", "gasLimit": 4_700_000,
            "timestamp": "0x58ee40ba", "extraData": format!("0x52657370656374206d7920617574686f7269746168207e452e436172746d616e\
                42eb768f2244c8811c63729a21a3569731535f067ffc57839b00206d1ad20c69a1981b489f772031b279182d99e65703f0076e4812653aab85fca0f0{seal}"),
            "alloc": with_precompiles(&[("31b98d14007bdee637298086988a0bbd31184523",
                "0x200000000000000000000000000000000000000000000000000000000000000")]),
        });
        assert_eq!(hash(&rinkeby), "0x6341fd3daf94b748c72ced5a5b26028f2474f5f00d824504e4fa37a75767e177");
        let goerli = json!({
            "config": {"chainId": 5}, "difficulty": "0x1", "gasLimit": "0xa00000", "timestamp": 1_548_854_791,
            "extraData": format!("0x22466c6578692069732061207468696e6722202d204166726900000000000000e0a2bd4258d2768837baa26a28fe71dc079f84c7{seal}"),
            "alloc": with_precompiles(&[
                ("4c2ae482593505f0163cdefc073e81c63cda4107", "0x152d02c7e14af6800000"),
                ("a8e8f14732658e4b51e8711931053a8a69baf2b1", "0x152d02c7e14af6800000"),
                ("d9a5179f091d85051d3c982785efd1455cec8699", "0x84595161401484a000000"),
                ("e0a2bd4258d2768837baa26a28fe71dc079f84c7", "0x4a47e3c12448f4ad000000"),
            ]),
        });
        assert_eq!(hash(&goerli), "0xbf7e331f7f7c1dd2e05159666b3bf8bc7a8a3a9eb1d518969eab529dd9b88c1a");
    }

    #[test]
    fn sepolia_which_begins_with_london_has_its_known_hash() {
        let alloc: Map = [
            ("a2A6d93439144FFE4D27c9E088dCD8b783946263", "0xD3C21BCECCEDA1000000"),
            ("Bc11295936Aa79d594139de1B2e12629414F3BDB", "0xD3C21BCECCEDA1000000"),
            ("7cF5b79bfe291A67AB02b393E456cCc4c266F753", "0xD3C21BCECCEDA1000000"),
            ("aaec86394441f915bce3e6ab399977e9906f3b69", "0xD3C21BCECCEDA1000000"),
            ("F47CaE1CF79ca6758Bfc787dbD21E6bdBe7112B8", "0xD3C21BCECCEDA1000000"),
            ("d7eDDB78ED295B3C9629240E8924fb8D8874ddD8", "0xD3C21BCECCEDA1000000"),
            ("8b7F0977Bb4f0fBE7076FA22bC24acA043583F5e", "0xD3C21BCECCEDA1000000"),
            ("e2e2659028143784d557bcec6ff3a0721048880a", "0xD3C21BCECCEDA1000000"),
            ("d9a5179f091d85051d3c982785efd1455cec8699", "0xD3C21BCECCEDA1000000"),
            ("beef32ca5b9a198d27B4e02F4c70439fE60356Cf", "0xD3C21BCECCEDA1000000"),
            ("0000006916a87b82333f4245046623b23794c65c", "0x84595161401484A000000"),
            ("b21c33de1fab3fa15499c62b59fe0cc3250020d1", "0x52B7D2DCC80CD2E4000000"),
            ("10F5d45854e038071485AC9e402308cF80D2d2fE", "0x52B7D2DCC80CD2E4000000"),
            ("d7d76c58b3a519e9fA6Cc4D22dC017259BC49F1E", "0x52B7D2DCC80CD2E4000000"),
            ("799D329e5f583419167cD722962485926E338F4a", "0xDE0B6B3A7640000"),
        ]
        .into_iter()
        .map(|(address, balance)| (address.to_lowercase(), json!({"balance": balance})))
        .collect();
        let sepolia = json!({
            "config": {"chainId": 11_155_111, "londonBlock": 0}, "difficulty": "0x20000", "gasLimit": "0x1c9c380",
            "timestamp": "0x6159af19", "nonce": "0x0", "alloc": alloc,
            "extraData": hex::encode_prefixed("Sepolia, Athens, Attica, Greece!"),
        });
        assert_eq!(hash(&sepolia), "0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9");
    }

    fn spec() -> Spec {
        Spec {
            chain_id: 46_781,
            period: 2,
            epoch: 30_000,
            signers: vec![Address::repeat_byte(2), Address::repeat_byte(1)],
            alloc: alloc(json!({"0x0303030303030303030303030303030303030303": "5 ether"}).as_object().unwrap())
                .unwrap(),
            gas_limit: 30_000_000,
            timestamp: 0,
            forks: CLIQUE_FORKS.iter().map(|fork| ((*fork).to_owned(), 0)).collect(),
        }
    }

    #[test]
    fn the_same_network_is_the_same_bytes() {
        let mut other = spec();
        other.signers.reverse();
        assert_eq!(spec().to_json().unwrap(), other.to_json().unwrap());
        let header = header(&spec().to_json().unwrap()).unwrap();
        assert_eq!(header.base_fee, Some(U256::from(FIRST_BASE_FEE)));
        assert_eq!(clique::signers(&header.extra).unwrap(), [Address::repeat_byte(1), Address::repeat_byte(2)]);
    }

    /// The judge was `geth init` 1.13.15, followed by `geth db get 0x6800000000000000006e`.
    #[test]
    fn a_network_of_ours_has_the_hash_that_geth_gives_it() {
        let hash = header(&spec().to_json().unwrap()).unwrap().hash().to_string();
        assert_eq!(hash, "0x48702a8247db730e746bccb1b131285cbeca4f627f567f5eb0538bf7cf387838");
    }

    #[test]
    fn configurations_are_compared_by_meaning() {
        let ours = json!({"chainId": 5, "londonBlock": 0, "clique": {"period": 2, "epoch": 30000}});
        let same = json!({"londonblock": "0x0", "chainid": 5, "clique": {"epoch": 30000, "period": 2}, "muirGlacierBlock": null});
        let other = json!({"chainId": 5, "londonBlock": 0, "clique": {"period": 5, "epoch": 30000}});
        let (ours, same, other) = (ours.as_object().unwrap(), same.as_object().unwrap(), other.as_object().unwrap());
        assert_eq!(config_differences(ours, same), []);
        assert_eq!(config_differences(ours, other)[0].0, "clique");
    }
}
