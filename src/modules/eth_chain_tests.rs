//! A scripted chain behind an IPC socket: what the modules that send transactions and wait for events do where a real chain would make
//! the test slow or could not be brought to it. Real chains are in `tests/chain`.

use super::testing::Host;
use crate::base::Value;
use crate::chain::{AccountKey, Address, B256, keccak256};
use alloy_primitives::{Bytes, hex};
use serde_json::{Deserializer, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex, MutexGuard};

/// What happens to a chain by itself.
type Event = fn(&mut Chain);

/// What the chain has, and how it behaves.
pub struct Chain {
    pub id: u64,
    pub genesis: u8,
    pub head: u64,
    pub balance: u64,
    pub base_fee: Option<u64>,
    pub estimate: Result<u64, &'static str>,
    /// The code that contracts get.
    pub makes: Vec<u8>,
    pub succeeds: bool,
    /// Whether what is sent comes into a block.
    pub seals: bool,
    pub syncing: bool,
    /// Whether the node takes transactions.
    pub takes: bool,
    pub next: u64,
    pub pending: u64,
    pub sent: Vec<String>,
    pub receipts: BTreeMap<B256, u64>,
    pub code: BTreeMap<Address, Vec<u8>>,
    pub logs: Vec<Value>,
    /// The byte that block hashes are made of; another one after a reorganisation.
    pub branch: u8,
    /// Happens once the head has been asked for so often.
    pub later: Vec<(u64, Event)>,
    pub asked: u64,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            id: 5,
            genesis: 1,
            head: 10,
            balance: 1_000_000_000_000_000_000,
            base_fee: Some(7),
            estimate: Ok(100_000),
            makes: vec![0x60, 0x00],
            succeeds: true,
            seals: true,
            syncing: false,
            takes: true,
            next: 0,
            pending: 0,
            sent: Vec::new(),
            receipts: BTreeMap::new(),
            code: BTreeMap::new(),
            logs: Vec::new(),
            branch: 0xaa,
            later: Vec::new(),
            asked: 0,
        }
    }
}

/// The account of [`KEY`].
pub fn account() -> Address {
    AccountKey::from_hex(KEY).unwrap().address()
}

/// The private key of EIP-155's example.
pub const KEY: &str = "4646464646464646464646464646464646464646464646464646464646464646";

impl Chain {
    /// Puts everything that was sent into a block.
    pub fn seal(&mut self) {
        for raw in self.sent.clone() {
            let hash = keccak256(hex::decode(&raw).unwrap());
            if self.receipts.contains_key(&hash) {
                continue;
            }
            self.head += 1;
            self.receipts.insert(hash, self.head);
            if self.succeeds {
                self.code.insert(account().create(self.next), self.makes.clone());
            }
            self.next += 1;
            self.pending = self.pending.max(self.next);
        }
    }

    fn block(&self, number: u64) -> Value {
        let zeros = format!("0x{}", "00".repeat(32));
        let byte = if number == 0 { self.genesis } else { self.branch };
        let mut block = json!({"number": format!("{number:#x}"), "hash": B256::repeat_byte(byte), "gasLimit": "0x1c9c380",
            "parentHash": zeros, "sha3Uncles": zeros, "stateRoot": zeros, "transactionsRoot": zeros, "receiptsRoot": zeros,
            "logsBloom": format!("0x{}", "00".repeat(256)), "miner": Address::ZERO, "difficulty": "0x1", "gasUsed": "0x0",
            "timestamp": "0x0", "extraData": "0x", "mixHash": zeros, "nonce": "0x0000000000000000"});
        if let Some(fee) = self.base_fee {
            block["baseFeePerGas"] = json!(format!("{fee:#x}"));
        }
        block
    }

    fn answer(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        let hexadecimal = |number: u64| json!(format!("{number:#x}"));
        let address = || params[0].as_str().and_then(|text| text.parse::<Address>().ok()).unwrap_or_default();
        let hash = || params[0].as_str().and_then(|text| text.parse::<B256>().ok()).unwrap_or_default();
        let number =
            |value: &Value| u64::from_str_radix(value.as_str().unwrap_or("0x0").trim_start_matches("0x"), 16).ok();
        Ok(match method {
            "eth_chainId" => hexadecimal(self.id),
            "eth_blockNumber" => {
                self.asked += 1;
                let due: Vec<_> = self.later.extract_if(.., |(when, _)| *when <= self.asked).collect();
                for (_, act) in due {
                    act(self);
                }
                hexadecimal(self.head)
            }
            "eth_getBlockByNumber" => self.block(number(&params[0]).unwrap_or(self.head)),
            "eth_getBalance" => hexadecimal(self.balance),
            "eth_estimateGas" => hexadecimal(self.estimate?),
            "eth_syncing" if self.syncing => json!({"currentBlock": "0x1", "highestBlock": "0x9"}),
            "eth_syncing" => json!(false),
            "eth_gasPrice" | "eth_maxPriorityFeePerGas" => hexadecimal(3),
            "eth_getTransactionCount" if params[1] == "pending" => hexadecimal(self.pending),
            "eth_getTransactionCount" => hexadecimal(self.next),
            "eth_call" => json!(Bytes::from(self.makes.clone())),
            "eth_getCode" => json!(Bytes::from(self.code.get(&address()).cloned().unwrap_or_default())),
            "eth_sendRawTransaction" if !self.takes => return Err("the pool is full".into()),
            "eth_sendRawTransaction" => {
                let raw = params[0].as_str().unwrap_or_default().to_owned();
                if self.sent.contains(&raw) {
                    return Err("already known".into());
                }
                self.sent.push(raw.clone());
                self.pending = self.pending.max(self.next + 1);
                if self.seals {
                    self.seal();
                }
                json!(keccak256(hex::decode(&raw).unwrap()))
            }
            "eth_getTransactionReceipt" => self.receipts.get(&hash()).map_or(Value::Null, |block| {
                json!({"blockNumber": format!("{block:#x}"), "gasUsed": "0x100", "status": if self.succeeds { "0x1" } else { "0x0" }})
            }),
            "eth_getTransactionByHash" => {
                let known = self.sent.iter().any(|raw| keccak256(hex::decode(raw).unwrap()) == hash());
                if known { json!({"hash": hash(), "gas": "0x1d4c0"}) } else { Value::Null }
            }
            "eth_getLogs" => {
                let (from, to) = (number(&params[0]["fromBlock"]), number(&params[0]["toBlock"]));
                let inside = |log: &&Value| number(&log["blockNumber"]) >= from && number(&log["blockNumber"]) <= to;
                let logs = self.logs.iter().filter(inside);
                let wanted = params[0]["topics"].as_array().cloned().unwrap_or_default();
                let fits = |log: &&Value| wanted.iter().enumerate().all(|(at, topic)| topic.is_null() || *topic == log["topics"][at]);
                Value::Array(logs.filter(fits).cloned().collect())
            }
            other => return Err(format!("the script has no {other}")),
        })
    }
}

/// A host with a node of the scripted chain at `/node.ipc` and a key in `/key`.
pub struct Scripted {
    pub host: Host,
    chain: Arc<Mutex<Chain>>,
}

impl Scripted {
    pub fn new(chain: Chain) -> Self {
        let host = Host::new();
        host.file("/key", KEY);
        host.mode("/key", 0o600);
        let chain = Arc::new(Mutex::new(chain));
        let listener = UnixListener::bind(host.real("/node.ipc")).unwrap();
        let shared = Arc::clone(&chain);
        // Ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(Ok(request)) =
                    Deserializer::from_reader(&mut stream as &mut dyn Read).into_iter::<Value>().next()
                else {
                    continue;
                };
                let method = request["method"].as_str().unwrap_or_default();
                let answer = match shared.lock().unwrap().answer(method, &request["params"]) {
                    Ok(result) => json!({"jsonrpc": "2.0", "id": 1, "result": result}),
                    Err(message) => json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": message}}),
                };
                let _ = stream.write_all(answer.to_string().as_bytes());
            }
        });
        Self { host, chain }
    }

    pub fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap()
    }
}
