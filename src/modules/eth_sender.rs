//! What `eth_contract` and `eth_transaction` share: which node, whose account signs, what it costs. What becomes of a transaction then is in
//! `eth_sent.rs`.

use super::loose::{Flag, Number, Text};
use super::{Cx, Result, eth, eth_rpc, eth_sent};
use crate::base::failure::Context;
use crate::base::{Failure, Value};
use crate::chain::keystore::{self, Keystore, password};
use crate::chain::quantity::{self, amount};
use crate::chain::rpc::Client;
use crate::chain::transaction::{Fee, Signed, Transaction};
use crate::chain::{AccountKey, Address, B256, U256, parse_address};
use crate::system::System;
use crate::system::http::without_login;
use alloy_primitives::hex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// Where a transaction is sent, who signs it, what it may cost. Put it into a module's struct with `#[serde(flatten)]`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SenderOptions {
    /// The node's socket on the host.
    #[serde(default)]
    pub ipc: Option<String>,
    /// Or its address: `http://10.0.0.1:8545`.
    #[serde(default)]
    pub url: Option<String>,
    /// The chain that is meant. A node of another chain is refused before anything is signed.
    #[serde(default)]
    pub chain_id: Option<Number>,
    /// The account that sends. Needed where the keystore folder holds several, and with `unlocked`; else it is checked.
    #[serde(default)]
    pub from: Option<Text>,
    /// The account's keystore file on the host, or its folder.
    #[serde(default)]
    pub keystore: Option<String>,
    /// The file on the host whose first line is the keystore's password.
    #[serde(default)]
    pub password_file: Option<String>,
    /// Or a file on the host with the private key as 64 hexadecimal digits.
    #[serde(default)]
    pub private_key_file: Option<String>,
    /// Or the node signs itself with `from`, which it has unlocked.
    #[serde(default)]
    pub unlocked: Flag,
    /// What is paid with the transaction: wei, or `5 ether`.
    #[serde(default)]
    pub value: Option<Text>,
    /// The most gas that it may use. Default: what the node estimates and a fifth more.
    #[serde(default)]
    pub gas: Option<Number>,
    /// The price of gas, `1 gwei`; makes a legacy transaction. Default: what the node says, and where the chain has a base fee
    /// `max_fee` and `priority_fee`.
    #[serde(default)]
    pub gas_price: Option<Text>,
    /// The most for a unit of gas, base fee and priority fee together. Default: twice the base fee and the priority fee.
    #[serde(default)]
    pub max_fee: Option<Text>,
    /// The priority fee for a unit of gas. Default: what the node suggests.
    #[serde(default)]
    pub priority_fee: Option<Text>,
    /// How many blocks must be on top of the transaction's block.
    #[serde(default)]
    pub confirmations: Number,
    /// How long to wait for that, in seconds.
    #[serde(default = "timeout")]
    pub timeout: Number,
}

fn timeout() -> Number {
    Number(120)
}

/// A chain as the node shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// `eth_chainId`.
    pub id: u64,
    /// The hash of block 0.
    pub genesis: B256,
}

/// Who sends.
pub struct Account {
    /// Its address.
    pub address: Address,
    signer: Signer,
}

enum Signer {
    Keystore(PathBuf, Keystore, PathBuf),
    Key(AccountKey),
    Node,
}

/// What a transaction is to do.
pub struct Intent {
    /// For people: `deploy HomeBridge`.
    pub what: String,
    /// Whom it calls; `None` makes a contract.
    pub to: Option<Address>,
    /// The call or the code.
    pub data: Vec<u8>,
}

impl SenderOptions {
    /// The node. Numbers that no run could use are refused here, first of all.
    pub fn client<'a>(&self, system: &'a System) -> Result<Client<'a>> {
        whole("confirmations", self.confirmations)?;
        self.patience()?;
        self.wei()?;
        Ok(Client::new(system, eth_rpc::endpoint(self.ipc.as_deref(), self.url.as_deref())?))
    }

    fn node(&self) -> String {
        match (&self.url, &self.ipc) {
            (Some(url), _) => without_login(url),
            (None, ipc) => ipc.clone().unwrap_or_default(),
        }
    }

    /// How long to wait.
    pub fn patience(&self) -> Result<Duration> {
        whole("timeout", self.timeout).map(Duration::from_secs)
    }

    /// What is paid with it, in wei.
    pub fn wei(&self) -> Result<U256> {
        Ok(wei("value", self.value.as_ref())?.unwrap_or_default())
    }

    /// The node's chain, which must be the one that is meant.
    pub fn chain(&self, client: &Client) -> Result<Chain> {
        let id = eth::quantity(client, "eth_chainId")?;
        if let Some(wanted) = self.chain_id
            && whole("chain_id", wanted)? != id
        {
            return Err(Failure::new(format!("{} is a node of chain {id}, meant is chain {}", self.node(), wanted.0))
                .help("correct the node's address or `chain_id`; nothing was sent"));
        }
        let block = client.call("eth_getBlockByNumber", json!(["0x0", false]))?;
        let genesis = block.get("hash").ok_or_else(|| Failure::new("the node does not show block 0"))?;
        Ok(Chain { id, genesis: quantity::hash(genesis)? })
    }

    /// The account that sends. `None` only in check mode, where its key may be made by the real run.
    pub fn account(&self, cx: &Cx) -> Result<Option<Account>> {
        let from = self.from.as_ref().map(|text| text.0.as_str()).filter(|text| !text.is_empty() && *text != "None");
        let from = from.map(parse_address).transpose().map_err(|failure| failure.context("from"))?;
        let account = match (&self.keystore, &self.private_key_file, self.unlocked.0) {
            (Some(keystore), None, false) => {
                if cx.check && !cx.system.exists(Path::new(keystore))? {
                    return Ok(None);
                }
                let password = self.password_file.as_ref().ok_or_else(|| {
                    Failure::new(
                        "`keystore` wants `password_file`, the file on the host whose first line is its password",
                    )
                })?;
                let (path, keystore) = choose(cx.system, Path::new(keystore), from)?;
                let address = keystore.address.ok_or_else(|| {
                    Failure::new(format!("{}: this keystore file names no address", path.display()))
                        .help("`chainwright key import account` writes it anew, with its address")
                })?;
                Account { address, signer: Signer::Keystore(path, keystore, PathBuf::from(password)) }
            }
            (None, Some(file), false) => {
                let path = Path::new(file);
                if cx.check && !cx.system.exists(path)? {
                    return Ok(None);
                }
                private(cx.system, path)?;
                let text = Zeroizing::new(cx.system.read_text(path)?);
                let key = AccountKey::from_hex(&text).map_err(|failure| failure.context(path.display()))?;
                Account { address: key.address(), signer: Signer::Key(key) }
            }
            (None, None, true) => {
                let address = from
                    .ok_or_else(|| Failure::new("`unlocked` wants `from`, the account that the node has unlocked"))?;
                Account { address, signer: Signer::Node }
            }
            (None, None, false) => {
                return Err(Failure::new("nothing says who signs").help(
                    "write `keystore` and `password_file`, or `private_key_file`, or `unlocked: true` and `from`",
                ));
            }
            _ => {
                return Err(Failure::new(
                    "give one of `keystore`, `private_key_file` and `unlocked`: several say who signs",
                ));
            }
        };
        match from.filter(|from| *from != account.address) {
            Some(from) => {
                Err(Failure::new(format!("the key is of the account {}, `from` says {from}", account.address)))
            }
            None => Ok(Some(account)),
        }
    }

    /// The transaction with its nonce, gas and fee. Whatever the node or the account's balance would refuse is refused here, before
    /// anything is signed.
    pub fn price(&self, client: &Client, chain: Chain, from: Address, intent: &Intent) -> Result<Transaction> {
        let value = self.wei()?;
        let what = &intent.what;
        // geth answers with a table, too, while it indexes transactions, as one that has no block yet always does.
        let syncing = client.call("eth_syncing", json!([]))?;
        let reached = |name: &str| syncing.get(name).and_then(|number| quantity::small(number).ok()).unwrap_or(0);
        if reached("highestBlock") > reached("currentBlock") {
            return Err(Failure::new(format!(
                "{} has not caught up with its chain yet: it cannot say what to send",
                self.node()
            ))
            .help("wait until it has (`eth_synced`), or name another node; nothing was sent"));
        }
        let mut call =
            json!({"from": from, "data": hex::encode_prefixed(&intent.data), "value": format!("{value:#x}")});
        if let Some(to) = intent.to {
            call["to"] = json!(to);
        }
        let balance = quantity::number(&client.call("eth_getBalance", json!([from, "latest"]))?)?;
        if balance < value {
            return Err(Failure::new(format!(
                "{from} has {} on chain {}; to {what} it pays {}",
                amount(balance),
                chain.id,
                amount(value)
            )));
        }
        let head = client.call("eth_getBlockByNumber", json!(["latest", false]))?;
        let limit = quantity::small(head.get("gasLimit").unwrap_or(&Value::Null))?;
        let estimate =
            client.call("eth_estimateGas", json!([call])).map_err(|failure| refused(failure, what, limit))?;
        let estimate = quantity::small(&estimate)?;
        let gas = match self.gas {
            None if estimate > limit => {
                return Err(Failure::new(format!(
                    "to {what} takes about {estimate} gas, but a block of chain {} holds {limit}",
                    chain.id
                )));
            }
            None => estimate.saturating_add(estimate / 5).min(limit),
            Some(gas) => match whole("gas", gas)? {
                gas if gas < estimate => {
                    return Err(Failure::new(format!("to {what} takes about {estimate} gas, `gas` allows {gas}"))
                        .help("leave `gas` out, or give more; nothing was sent"));
                }
                gas if gas > limit => {
                    return Err(Failure::new(format!(
                        "`gas` is {gas}, but a block of chain {} holds {limit}",
                        chain.id
                    )));
                }
                gas => gas,
            },
        };
        let fee = self.fee(client, &head)?;
        let nonce = eth_sent::count(client, from, "pending")?;
        let transaction =
            Transaction { chain_id: chain.id, nonce, fee, gas, to: intent.to, value, data: intent.data.clone() };
        match transaction.cost() {
            Some(cost) if cost <= balance => Ok(transaction),
            cost => {
                let cost = cost.map_or_else(|| "more than there is".to_owned(), amount);
                Err(Failure::new(format!(
                    "{from} has {} on chain {}; to {what} may cost {cost} ({gas} gas at {} and {})",
                    amount(balance),
                    chain.id,
                    amount(fee.most()),
                    amount(value)
                ))
                .help("pay something to the account, or lower the price of gas; nothing was sent"))
            }
        }
    }

    fn fee(&self, client: &Client, head: &Value) -> Result<Fee> {
        let (price, most, priority) = (
            wei("gas_price", self.gas_price.as_ref())?,
            wei("max_fee", self.max_fee.as_ref())?,
            wei("priority_fee", self.priority_fee.as_ref())?,
        );
        let base = head.get("baseFeePerGas").filter(|fee| !fee.is_null()).map(quantity::number).transpose()?;
        match (price, base) {
            (Some(_), _) if most.is_some() || priority.is_some() => {
                Err(Failure::new("give `gas_price`, or `max_fee` and `priority_fee`, not both"))
            }
            (None, None) if most.is_some() || priority.is_some() => Err(Failure::new(
                "this chain has no base fee yet (London), so it takes no `max_fee` and `priority_fee`",
            )
            .help("write `gas_price` instead")),
            (Some(price), Some(base)) if price < base => {
                Err(Failure::new(format!("`gas_price` is {}, below the base fee of {}", amount(price), amount(base))))
            }
            (Some(price), _) => Ok(Fee::Legacy { price }),
            (None, None) => Ok(Fee::Legacy { price: quantity::number(&client.call("eth_gasPrice", json!([]))?)? }),
            (None, Some(base)) => {
                let priority = match priority {
                    Some(priority) => priority,
                    None => suggested(client, base)?,
                };
                let most = most.unwrap_or(base * U256::from(2) + priority);
                if most < base || most < priority {
                    return Err(Failure::new(format!(
                        "`max_fee` is {}, below the base fee of {} or the priority fee of {}",
                        amount(most),
                        amount(base),
                        amount(priority)
                    )));
                }
                Ok(Fee::Dynamic { most, priority })
            }
        }
    }
}

impl Account {
    /// Signs; for an account of the node that is asked to.
    pub fn sign(&self, system: &System, client: &Client, transaction: &Transaction) -> Result<Signed> {
        match &self.signer {
            Signer::Key(key) => transaction.sign(key),
            Signer::Keystore(path, keystore, password_file) => {
                private(system, password_file)?;
                let text = Zeroizing::new(system.read_text(password_file)?);
                let key = keystore.open(&password::first_line(&text)).map_err(|failure| {
                    failure.context(format!("{} with {}", path.display(), password_file.display()))
                })?;
                transaction.sign(&key)
            }
            Signer::Node => {
                let answer =
                    client.call("eth_signTransaction", json!([transaction.json(self.address)])).map_err(|failure| {
                        failure.help(format!("unlock {} in the node, or name its key with `keystore`", self.address))
                    })?;
                Ok(Signed::of(quantity::bytes(answer.get("raw").unwrap_or(&Value::Null))?))
            }
        }
    }
}

/// The priority fee that the node suggests; where it knows no such question, what its price of gas is above the base fee.
fn suggested(client: &Client, base: U256) -> Result<U256> {
    match client.call("eth_maxPriorityFeePerGas", json!([])) {
        Ok(fee) => quantity::number(&fee),
        Err(_) => Ok(quantity::number(&client.call("eth_gasPrice", json!([]))?)?.saturating_sub(base)),
    }
}

/// The node's refusal of an estimate, in the words of the one who wants it.
fn refused(failure: Failure, what: &str, limit: u64) -> Failure {
    let data = failure.output.get("error").and_then(|error| error.get("data")?.as_str().map(str::to_owned));
    let reverted = failure.message.contains("revert");
    let help = if reverted {
        "the contract itself refuses this: see what it demands of its arguments, its sender and the value; nothing was sent".to_owned()
    } else {
        format!("a block holds {limit} gas; nothing was sent")
    };
    let reason = data.filter(|data| reverted && data.len() > 2).map_or_else(String::new, |data| {
        let start: String = data.chars().take(74).collect();
        format!(" (data {start})")
    });
    Failure { message: format!("cannot {what}: {}{reason}", failure.message), ..failure }.help(help)
}

/// A keystore file, or the file of a folder that is meant.
fn choose(system: &System, path: &Path, from: Option<Address>) -> Result<(PathBuf, Keystore)> {
    let file = if system.is_folder(path)? {
        let entries = keystore::folder::entries(system, path)?;
        let mut fitting: Vec<_> = entries
            .iter()
            .filter_map(|entry| Some((&entry.path, *entry.account.as_ref().ok()?)))
            .filter(|(_, address)| from.is_none_or(|from| from == *address))
            .collect();
        let names: Vec<String> = fitting.iter().map(|(_, address)| address.to_checksum(None)).collect();
        match (fitting.pop(), fitting.is_empty()) {
            (Some((path, _)), true) => path.clone(),
            (Some(_), false) => {
                return Err(Failure::new(format!("{} holds several accounts: {}", path.display(), names.join(", ")))
                    .help("say with `from` which one sends"));
            }
            (None, _) => {
                let account = from.map_or_else(|| "any account".to_owned(), |from| format!("the account {from}"));
                return Err(Failure::new(format!("{} does not hold {account}", path.display())));
            }
        }
    } else {
        path.to_owned()
    };
    let text = Zeroizing::new(system.read_text(&file)?);
    let keystore = Keystore::parse(&text).map_err(|failure| failure.context(file.display()))?;
    Ok((file, keystore))
}

/// A file with a secret must not be everybody's.
fn private(system: &System, path: &Path) -> Result<()> {
    match system.meta_followed(path)?.filter(|meta| meta.mode & 0o007 != 0) {
        Some(meta) => Err(Failure::new(format!(
            "{} has mode {:04o}: every user of the host can have it",
            path.display(),
            meta.mode
        ))
        .help(format!("chmod 0600 {}", path.display()))),
        None => Ok(()),
    }
}

/// A text file of the controller.
pub fn local_text(path: &Path) -> Result<String> {
    System::new("/").read_text(&std::path::absolute(path).context(path.display())?)
}

/// A number that is not negative.
pub fn whole(name: &str, number: Number) -> Result<u64> {
    u64::try_from(number.0).map_err(|_| Failure::new(format!("`{name}` is {}; it must not be negative", number.0)))
}

fn wei(name: &str, text: Option<&Text>) -> Result<Option<U256>> {
    let number = text.map(|text| quantity::number(&Value::String(text.0.clone())));
    number.transpose().map_err(|failure| failure.context(format!("`{name}`")))
}

#[cfg(test)]
mod tests {
    use super::super::eth_chain_tests::{Chain as Script, KEY, Scripted, account};
    use super::*;
    use crate::base::Secret;

    /// A keystore with two accounts, and a file with the password of both.
    fn host() -> Scripted {
        let scripted = Scripted::new(Script::default());
        for (name, key) in [("a", KEY.to_owned()), ("b", "45".repeat(32))] {
            let key = AccountKey::from_hex(&key).unwrap();
            let text = keystore::encrypt(&key, &Secret::new("right".into()), keystore::LIGHT).unwrap();
            scripted.host.file(&format!("/keystore/{name}"), text);
        }
        for (name, password) in [("/right", "right\n"), ("/wrong", "wrong\n")] {
            scripted.host.file(name, password);
            scripted.host.mode(name, 0o600);
        }
        scripted
    }

    fn options(more: Value) -> SenderOptions {
        serde_json::from_value(more).unwrap()
    }

    /// The address of who signs a transaction, or why nobody does.
    fn signs(scripted: &Scripted, more: Value) -> std::result::Result<Address, String> {
        let options = options(more);
        let mut found = None;
        let act = |cx: &mut Cx| {
            let account = options.account(cx)?.ok_or_else(|| Failure::new("nobody"))?;
            let transaction = Transaction {
                chain_id: 5,
                nonce: 0,
                fee: Fee::Legacy { price: U256::ONE },
                gas: 21_000,
                to: None,
                value: U256::ZERO,
                data: Vec::new(),
            };
            let client = Client::ipc(cx.system, Path::new("/node.ipc"));
            let signed = account.sign(cx.system, &client, &transaction)?;
            assert_eq!(signed, transaction.sign(&AccountKey::from_hex(KEY)?)?);
            found = Some(account.address);
            Ok(())
        };
        scripted.host.with_cx(false, act).map_err(|failure| failure.to_string())?;
        found.ok_or_else(|| "nobody".into())
    }

    #[test]
    fn the_account_that_is_meant_is_found_in_a_keystore_and_signs_with_its_password() {
        let host = host();
        let meant = account().to_string();
        let folder = json!({"keystore": "/keystore", "password_file": "/right", "from": meant});
        assert_eq!(signs(&host, folder), Ok(account()));
        assert_eq!(signs(&host, json!({"keystore": "/keystore/a", "password_file": "/right"})), Ok(account()));
        assert_eq!(signs(&host, json!({"private_key_file": "/key"})), Ok(account()));
    }

    #[test]
    fn why_nobody_signs_is_told() {
        let host = host();
        for (more, reason) in [
            (json!({"keystore": "/keystore", "password_file": "/right"}), "/keystore holds several accounts: 0x"),
            (
                json!({"keystore": "/keystore", "password_file": "/right", "from": Address::ZERO.to_string()}),
                "does not hold the account 0x0000",
            ),
            (json!({"keystore": "/keystore/a"}), "`keystore` wants `password_file`"),
            (
                json!({"keystore": "/keystore/a", "password_file": "/wrong"}),
                "/keystore/a with /wrong: the password does not open",
            ),
            (json!({"keystore": "/keystore/a", "password_file": "/none"}), "/none: cannot read: no such file"),
            (json!({"keystore": "/none", "password_file": "/right"}), "/none: cannot read: no such file"),
            (json!({"private_key_file": "/right"}), "/right: this is not a private key"),
            (json!({"unlocked": true}), "`unlocked` wants `from`"),
            (json!({"unlocked": true, "from": account().to_string()}), "the script has no eth_signTransaction"),
        ] {
            let why = signs(&host, more).unwrap_err();
            assert!(why.contains(reason), "{why}");
            assert!(!why.contains(KEY) && !why.contains("wrong\n"), "{why}");
        }
    }
}
