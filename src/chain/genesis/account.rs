//! Accounts of block 0, and the root of the state they make.

use super::json::{Data, Node};
use super::value::{self, Read, Wrong};
use crate::base::{Failure, Map, Value, failure::Result};
use crate::chain::{keccak256, parse_address, quantity};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, hex};
use alloy_trie::TrieAccount;
use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
use std::collections::BTreeMap;

/// Who has what in block 0.
pub type Alloc = BTreeMap<Address, Account>;

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

impl Account {
    /// As geth's and Besu's files have it.
    pub fn to_json(&self) -> Value {
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

    /// Reads what people write in a playbook: a bare number or text (`5 ether`) is a balance.
    pub fn from_value(value: &Value) -> Result<Self> {
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

    /// Reads one of a file. Mistakes are told one by one with their place; the rest is read on.
    pub fn read(node: &Node, tell: &mut impl FnMut(&Node, Wrong)) -> Self {
        let mut account = Self::default();
        if !matches!(node.data, Data::Table(_)) {
            let message = format!("{} is not a table with a balance", value::show(node));
            tell(node, Wrong { message, help: "write {\"balance\": \"0x1\"}".into() });
            return account;
        }
        for (key, node) in node.entries().iter().filter(|(_, node)| node.data != Data::Null) {
            let name = key.name.as_ref();
            let told = if name.eq_ignore_ascii_case("balance") {
                keep(&mut account.balance, value::number(node))
            } else if name.eq_ignore_ascii_case("nonce") {
                keep(&mut account.nonce, value::small(node))
            } else if name.eq_ignore_ascii_case("code") {
                keep(&mut account.code, value::bytes(node))
            } else if name.eq_ignore_ascii_case("storage") {
                for (slot, node) in node.entries() {
                    let text = match &node.data {
                        Data::Text(text) => text.as_ref(),
                        Data::Number(digits) => digits,
                        _ => "-",
                    };
                    match (value::slot(&slot.name), value::slot(text)) {
                        (Ok(slot), Ok(value)) => drop(account.storage.insert(slot, value)),
                        (Err(wrong), _) | (_, Err(wrong)) => tell(node, wrong),
                    }
                }
                None
            } else {
                None
            };
            if let Some(wrong) = told {
                tell(node, wrong);
            }
        }
        account
    }

    fn in_trie(&self) -> TrieAccount {
        let slots = self.storage.iter().filter(|(_, value)| !value.is_zero());
        TrieAccount {
            nonce: self.nonce,
            balance: self.balance,
            storage_root: storage_root_unhashed(slots.map(|(slot, value)| (*slot, U256::from_be_bytes(value.0)))),
            code_hash: if self.code.is_empty() { KECCAK256_EMPTY } else { keccak256(&self.code) },
        }
    }
}

fn keep<T>(field: &mut T, read: Read<T>) -> Option<Wrong> {
    read.map(|value| *field = value).err()
}

/// Reads an `alloc` of a playbook: address to account, addresses with or without `0x`, their checksum looked at.
pub fn alloc(table: &Map) -> Result<Alloc> {
    let mut accounts = BTreeMap::new();
    for (name, value) in table {
        let address = parse_address(name)?;
        let account = Account::from_value(value).map_err(|failure| failure.context(format!("alloc of {name}")))?;
        if accounts.insert(address, account).is_some() {
            return Err(Failure::new(format!("alloc names the account {address} twice")));
        }
    }
    Ok(accounts)
}

/// The root of the accounts' trie, as a header holds it.
pub fn state_root(accounts: &Alloc) -> B256 {
    state_root_unhashed(accounts.iter().map(|(address, account)| (*address, account.in_trie())))
}
