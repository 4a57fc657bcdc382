//! `eth_event`: the proof that a contract said something, and that it stays said.

use super::loose::{Number, Text, Words};
use super::{Controller, Cx, Module, Result, eth, eth_rpc, eth_sender};
use crate::base::event::Proof;
use crate::base::{Failure, Map, Value};
use crate::chain::abi::{self, Event};
use crate::chain::rpc::Client;
use crate::chain::{Address, B256, artefact, parse_address, quantity};
use alloy_dyn_abi::{DynSolValue, EventExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The most blocks that a node is asked about at once: public nodes and proxies refuse more.
const AT_ONCE: u64 = 2000;

/// At least so many of the newest blocks are looked at again each time.
const REORGANISED: u64 = 64;

/// How long a node may take for one answer: at least, and at most.
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(20);

/// Waits until an event is in the log of the chain behind a node, N blocks deep and still on the canonical chain. The oldest one that fits
/// comes back with its arguments. Where the chain is reorganised and the event is in no block any more, or in another one, it goes
/// on waiting. Changes nothing; in check mode it looks once and does not fail.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthEvent {
    /// The node's socket on the host.
    #[serde(default)]
    pub ipc: Option<String>,
    /// Or its address: `http://10.0.0.1:8545`.
    #[serde(default)]
    pub url: Option<String>,
    /// The chain that is meant. A node of another chain is refused.
    #[serde(default)]
    pub chain_id: Option<Number>,
    /// The event: its declaration, `Deposit(address indexed from, uint256 amount)`, or its name where `artefact` has the ABI.
    pub event: String,
    /// A compiler's file on the controller (looked for in `files/`) whose ABI has the event.
    #[serde(default)]
    pub artefact: Option<String>,
    /// Which contract, if that file has several.
    #[serde(default)]
    pub contract: Option<String>,
    /// The contract that says it, or several. Default: any.
    #[serde(default)]
    pub address: Option<Words>,
    /// The values that arguments must have, by their names, or by their place from 0 where they have none.
    #[serde(default)]
    pub r#where: Option<Map>,
    /// The first block to look at. Default: 0.
    #[serde(default)]
    pub from_block: Option<Text>,
    /// How many blocks must be on top of the event's block: as many as the chain could still reorganise away.
    #[serde(default)]
    pub confirmations: Number,
    /// How long to look and to wait for that, in seconds. A long chain is looked through from `from_block` on for no longer, either.
    #[serde(default = "timeout")]
    pub timeout: Number,
    /// The event as JSON, once it is known.
    #[serde(default)]
    #[schemars(skip)]
    declared: Option<String>,
}

fn timeout() -> Number {
    Number(60)
}

/// What `eth_event` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The event; null only in check mode.
    event: Option<Seen>,
    /// The node's newest block.
    head: u64,
    /// Evidence.
    proofs: Vec<Proof>,
}

/// An event in the chain's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its name.
    name: String,
    /// Its arguments by name, or by place (`0`) where they have none. Numbers of more than 64 bits are decimal texts; of an indexed text,
    /// list or struct the chain keeps only the hash.
    args: Map,
    /// The contract that said it.
    address: String,
    /// The block's number.
    block: u64,
    /// The block's hash.
    block_hash: B256,
    /// The transaction's hash.
    transaction: B256,
    /// Its place in the block's log.
    log_index: u64,
}

impl Module for EthEvent {
    const NAME: &'static str = "eth_event";
    const EXAMPLE: &'static str = "\
- eth_event:
    url: http://127.0.0.1:8545
    address: \"{{ home.address }}\"
    event: Deposit(address indexed from, uint256 amount)
    where: {from: \"{{ payer }}\"}
    from_block: \"{{ home.block }}\"
    confirmations: 12
    timeout: 300
  register: deposit";
    const ALIASES: &'static [(&'static str, &'static str)] = &[("artifact", "artefact"), ("src", "artefact")];
    type Output = Output;

    fn prepare(mut self, controller: &dyn Controller) -> Result<Self> {
        let interface = self.artefact.as_ref().map(|name| {
            let path = controller.find("files", name)?;
            let text = eth_sender::local_text(&path)?;
            artefact::interface(&text, self.contract.as_deref()).map_err(|failure| failure.context(path.display()))
        });
        let event = abi::event(&self.event, interface.transpose()?.as_ref())?;
        self.declared = Some(serde_json::to_string(&event).map_err(|error| Failure::new(error.to_string()))?);
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        if !cx.check && self.address.as_ref().is_some_and(|list| list.0.is_empty()) {
            return Err(Failure::new("`address` is empty: it would mean any contract")
                .help("give the contract's address, or leave `address` out if any contract will do"));
        }
        // What the real run will make cannot be searched for yet.
        let unknown = cx.check && self.unknown();
        let search = if unknown { None } else { Some(self.search()?) };
        let mut client = Client::new(cx.system, eth_rpc::endpoint(self.ipc.as_deref(), self.url.as_deref())?);
        client.patience = LONGEST;
        if let Some(wanted) = self.chain_id {
            let (wanted, id) = (eth_sender::whole("chain_id", wanted)?, eth::quantity(&client, "eth_chainId")?);
            if wanted != id {
                return Err(Failure::new(format!("this is a node of chain {id}, meant is chain {wanted}"))
                    .help("correct the node's address or `chain_id`"));
            }
        }
        let Some(search) = search else {
            let head = eth::quantity(&client, "eth_blockNumber").unwrap_or_default();
            return Ok(Output { event: None, head, proofs: Vec::new() });
        };
        let timeout = Duration::from_secs(eth_sender::whole("timeout", self.timeout)?);
        let patience = if cx.check { Duration::ZERO } else { timeout };
        let deadline = Instant::now() + timeout;
        let mut look = Look { next: search.from, ..Look::default() };
        let (done, last) = eth::wait(cx.system, patience, || {
            let is_over = || Instant::now() >= deadline || cx.system.cancelled.load(Ordering::Relaxed);
            let seen = look.again(&mut client, &search, &|text| cx.line(text), &mut |client| {
                client.patience = deadline.saturating_duration_since(Instant::now()).clamp(SHORTEST, LONGEST);
                is_over()
            });
            (matches!(seen, Ok(true)), seen)
        })?;
        match (done, look.found.clone()) {
            (true, Some(event)) => {
                let evidence = format!(
                    "block {} {}.., transaction {}, {} blocks on top",
                    event.block,
                    &event.block_hash.to_string()[..12],
                    event.transaction,
                    look.head - event.block
                );
                let proofs = vec![Proof::new(format!("{} was said", event.name), evidence)];
                Ok(Output { event: Some(event), head: look.head, proofs })
            }
            _ if cx.check => Ok(Output { event: None, head: look.head, proofs: Vec::new() }),
            (_, found) => {
                let seen = match (last, found) {
                    (Err(failure), _) => failure.message,
                    (Ok(_), Some(event)) => {
                        format!(
                            "it is in block {}, {} deep, head {}",
                            event.block,
                            look.head.saturating_sub(event.block),
                            look.head
                        )
                    }
                    (Ok(_), None) if look.left > 0 => format!(
                        "none up to block {} of {}, where the time was over{}; give a later `from_block` or a longer `timeout`",
                        look.head - look.left,
                        look.head,
                        look.others()
                    ),
                    (Ok(_), None) if look.head < search.from => format!("the head is {}", look.head),
                    (Ok(_), None) => format!("none up to block {}{}", look.head, look.others()),
                };
                Err(Failure::new(format!("expected {}; seen after {} s: {seen}", search.phrase(self), patience.as_secs()))
                    .help("is `address` the contract's, `from_block` not too late, and does the chain have new blocks (`eth_status`)?"))
            }
        }
    }
}

/// What is searched for.
struct Search {
    event: Event,
    addresses: Vec<Address>,
    /// The first topic, and one for each indexed parameter, null where any will do.
    topics: Vec<Value>,
    /// Values that are not indexed, by the parameter's place.
    values: Vec<(usize, DynSolValue)>,
    from: u64,
    deep: u64,
}

impl EthEvent {
    /// Whether something is wanted that is not known before the real run.
    fn unknown(&self) -> bool {
        self.address
            .as_ref()
            .is_some_and(|list| list.0.is_empty() || list.0.iter().any(|word| eth::unknown(&json!(word))))
            || self.r#where.iter().flatten().any(|(_, value)| eth::has_unknown(value))
            || self.from_block.as_ref().is_some_and(|block| eth::unknown(&json!(block)))
    }

    fn search(&self) -> Result<Search> {
        let declared = self.declared.as_ref().ok_or_else(|| Failure::new("the event did not come with the task"))?;
        let event: Event = serde_json::from_str(declared).map_err(|error| Failure::new(error.to_string()))?;
        let addresses = self.address.iter().flat_map(|list| &list.0).map(|text| parse_address(text));
        let addresses = addresses.collect::<Result<Vec<_>>>().map_err(|failure| failure.context("`address`"))?;
        let names = names(&event);
        let mut wanted = vec![None; names.len()];
        for (name, value) in self.r#where.iter().flatten() {
            let place = names.iter().position(|known| known == name).ok_or_else(|| {
                Failure::new(format!("the event {} has no argument `{name}`", event.name))
                    .help(format!("it has {}", names.join(", ")))
            })?;
            let read = abi::read(&abi::parameter(&event.inputs[place]), value);
            wanted[place] = Some(read.map_err(|failure| failure.context(format!("`{name}` in `where`")))?);
        }
        let mut topics = vec![json!(event.selector())];
        let mut values = Vec::new();
        for (place, (input, wanted)) in event.inputs.iter().zip(wanted).enumerate() {
            if input.indexed {
                topics.push(wanted.map_or(Value::Null, |value| json!(value.encode_topic())));
            } else if let Some(value) = wanted {
                values.push((place, value));
            }
        }
        let from = match &self.from_block {
            None => 0,
            Some(Text(text)) => text
                .trim()
                .parse()
                .map_err(|_| Failure::new(format!("`from_block` is `{text}`, which is no block's number")))?,
        };
        let deep = eth_sender::whole("confirmations", self.confirmations)?;
        Ok(Search { event, addresses, topics, values, from, deep })
    }
}

fn names(event: &Event) -> Vec<String> {
    let name = |(place, name): (usize, &String)| if name.is_empty() { place.to_string() } else { name.clone() };
    event.inputs.iter().map(|input| &input.name).enumerate().map(name).collect()
}

impl Search {
    fn phrase(&self, asked: &EthEvent) -> String {
        let of: Vec<String> = self.addresses.iter().map(|address| address.to_checksum(None)).collect();
        let of = if of.is_empty() { String::new() } else { format!(" of {}", of.join(" or ")) };
        let with = asked.r#where.as_ref().filter(|table| !table.is_empty());
        let with = with.map_or_else(String::new, |table| format!(" with {}", Value::Object(table.clone())));
        format!("{}{of}{with} from block {} on, {} blocks deep", self.event.signature(), self.from, self.deep)
    }
}

/// What has been seen so far.
#[derive(Default)]
struct Look {
    /// The first block whose log may still hold something new.
    next: u64,
    head: u64,
    /// Blocks up to the head for which there was no time.
    left: u64,
    found: Option<Seen>,
    /// The arguments of the last event of the kind that has others than those wanted.
    stranger: Option<Map>,
}

impl Look {
    /// Looks at all that could have changed since the last time, or at as much of it as there is time for; true once the event is
    /// deep enough. `is_over` is asked between the node's answers.
    fn again(
        &mut self,
        client: &mut Client,
        search: &Search,
        line: &dyn Fn(&str),
        is_over: &mut dyn FnMut(&mut Client) -> bool,
    ) -> Result<bool> {
        self.head = eth::quantity(client, "eth_blockNumber")?;
        let before = self.found.take();
        let mut at = self.next;
        while at <= self.head && self.found.is_none() {
            let end = (at + AT_ONCE - 1).min(self.head);
            for log in logs(client, search, at, end)? {
                let Some((seen, values)) = read(&search.event, &log)? else { continue };
                if search.values.iter().all(|(place, wanted)| values.get(*place) == Some(wanted)) {
                    self.found = Some(seen);
                    break;
                }
                self.stranger = Some(seen.args);
            }
            at = end + 1;
            // What is deeper than asked for stays as it is; short reorganisations are seen however little was asked for.
            if self.found.is_none() {
                self.next = at.min(self.head.saturating_sub(search.deep.max(REORGANISED))).max(self.next);
            }
            if is_over(client) {
                break;
            }
        }
        self.left = if self.found.is_none() { (self.head + 1).saturating_sub(at) } else { 0 };
        if let Some(before) = before
            && self.found.as_ref().is_none_or(|found| found.block_hash != before.block_hash)
        {
            line(&format!(
                "the chain was reorganised: block {} {} is not in it any more",
                before.block, before.block_hash
            ));
        }
        let Some(found) = &self.found else { return Ok(false) };
        if self.head < found.block.saturating_add(search.deep) {
            return Ok(false);
        }
        // A node answers for logs from an index: whether the block is still in the chain is asked for itself.
        let block = eth::block(client, &format!("{:#x}", found.block))?;
        Ok(block.is_some_and(|block| block.hash.eq_ignore_ascii_case(&found.block_hash.to_string())))
    }

    fn others(&self) -> String {
        match &self.stranger {
            Some(args) => format!(", but one with {}", Value::Object(args.clone())),
            None => String::new(),
        }
    }
}

fn logs(client: &Client, search: &Search, from: u64, to: u64) -> Result<Vec<Value>> {
    let mut filter = json!({"fromBlock": format!("{from:#x}"), "toBlock": format!("{to:#x}"), "topics": search.topics});
    if !search.addresses.is_empty() {
        filter["address"] = json!(search.addresses);
    }
    match client.call("eth_getLogs", json!([filter]))? {
        Value::Array(logs) => Ok(logs),
        other => Err(Failure::new(format!("eth_getLogs: the node answers {other}, which is no list"))),
    }
}

/// A log as an event. None: it is of an event that only has the same signature, with others of its parameters indexed.
fn read(event: &Event, log: &Value) -> Result<Option<(Seen, Vec<DynSolValue>)>> {
    let field = |name: &str| log.get(name).unwrap_or(&Value::Null);
    if field("removed") == &json!(true) || field("blockHash").is_null() {
        return Ok(None);
    }
    let topics = field("topics").as_array().into_iter().flatten().map(quantity::hash).collect::<Result<Vec<B256>>>()?;
    let Ok(decoded) = event.decode_log_parts(topics, &quantity::bytes(field("data"))?) else { return Ok(None) };
    let (mut indexed, mut body) = (decoded.indexed.into_iter(), decoded.body.into_iter());
    let next = |input: &alloy_json_abi::EventParam| if input.indexed { indexed.next() } else { body.next() };
    let values: Vec<DynSolValue> = event.inputs.iter().filter_map(next).collect();
    let address = field("address").as_str().map(parse_address).transpose()?;
    let seen = Seen {
        name: event.name.clone(),
        args: names(event).into_iter().zip(values.iter().map(abi::json)).collect(),
        address: address.map_or_else(String::new, |address| address.to_checksum(None)),
        block: quantity::small(field("blockNumber"))?,
        block_hash: quantity::hash(field("blockHash"))?,
        transaction: quantity::hash(field("transactionHash"))?,
        log_index: quantity::small(field("logIndex"))?,
    };
    Ok(Some((seen, values)))
}

#[cfg(test)]
mod tests {
    use super::super::eth_chain_tests::{Chain, Scripted};
    use super::*;
    use crate::base::Outcome;

    const DECLARED: &str = "Deposit(address indexed from, uint256 amount)";

    fn log(block: u64, branch: u8, from: u8, amount: u64) -> Value {
        let selector = abi::event(DECLARED, None).unwrap().selector();
        json!({"address": Address::repeat_byte(9), "topics": [selector, Address::repeat_byte(from).into_word()],
            "data": format!("0x{amount:064x}"), "blockNumber": format!("{block:#x}"), "blockHash": B256::repeat_byte(branch),
            "transactionHash": B256::repeat_byte(3), "logIndex": "0x0", "removed": false})
    }

    fn run(chain: Chain, more: Value) -> Result<Outcome> {
        let scripted = Scripted::new(chain);
        let mut args = json!({"ipc": "/node.ipc", "event": DECLARED, "timeout": 0});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        scripted.host.run("eth_event", args)
    }

    #[test]
    fn the_oldest_event_that_fits_comes_back_with_its_arguments() {
        let logs = vec![log(3, 0xaa, 1, 5), log(4, 0xaa, 2, 5), log(6, 0xaa, 2, 7), log(7, 0xaa, 2, 7)];
        let from = Address::repeat_byte(2).to_checksum(None);
        let wanted = json!({"where": {"from": from, "amount": 7}, "confirmations": 4});
        let outcome = run(Chain { logs, ..Chain::default() }, wanted).unwrap();
        assert!(!outcome.changed());
        let event = &outcome.output["event"];
        assert_eq!((&event["block"], &event["args"]), (&json!(6), &json!({"from": from, "amount": "7"})));
    }

    #[test]
    fn an_event_that_is_not_deep_enough_or_has_other_arguments_is_told_when_the_time_is_over() {
        let chain = || Chain { logs: vec![log(8, 0xaa, 1, 5)], ..Chain::default() };
        for (more, seen) in [
            (json!({"confirmations": 3}), "3 blocks deep; seen after 0 s: it is in block 8, 2 deep, head 10"),
            (json!({"where": {"amount": 6}}), "seen after 0 s: none up to block 10, but one with {\"from\":\"0x0101"),
            (json!({"from_block": 9}), "from block 9 on, 0 blocks deep; seen after 0 s: none up to block 10"),
            (json!({"from_block": 99}), "seen after 0 s: the head is 10"),
        ] {
            let failure = run(chain(), more).unwrap_err();
            assert!(failure.message.contains(seen), "{failure}");
        }
    }

    #[test]
    fn a_long_chain_is_looked_through_for_no_longer_than_the_time_that_is_given() {
        let failure = run(Chain { head: 9_999_999, ..Chain::default() }, json!({})).unwrap_err();
        let seen =
            "seen after 0 s: none up to block 1999 of 9999999, where the time was over; give a later `from_block`";
        assert!(failure.message.contains(seen), "{failure}");
        // With its event in the first part.
        let chain = Chain { head: 9_999_999, logs: vec![log(8, 0xaa, 1, 5)], ..Chain::default() };
        assert_eq!(run(chain, json!({"confirmations": 3})).unwrap().output["event"]["block"], 8);
    }

    #[test]
    fn an_event_whose_block_is_reorganised_away_is_waited_for_again() {
        let chain = Chain {
            logs: vec![log(9, 0xaa, 1, 5)],
            later: vec![
                (2, |chain| (chain.branch, chain.head, chain.logs) = (0xbb, 11, Vec::new())),
                (3, |chain| (chain.head, chain.logs) = (12, vec![log(12, 0xbb, 1, 5)])),
                (4, |chain| chain.head = 14),
            ],
            ..Chain::default()
        };
        let outcome = run(chain, json!({"confirmations": 2, "timeout": 30})).unwrap();
        let event = &outcome.output["event"];
        assert_eq!((&event["block"], &event["block_hash"]), (&json!(12), &json!(B256::repeat_byte(0xbb))));
    }

    #[test]
    fn a_log_of_a_block_that_is_not_in_the_chain_does_not_count() {
        let failure = run(Chain { logs: vec![log(5, 0xcc, 1, 5)], ..Chain::default() }, json!({})).unwrap_err();
        assert!(failure.message.contains("it is in block 5, 5 deep"), "{failure}");
    }

    #[test]
    fn mistakes_are_named() {
        for (more, reason) in [
            (json!({"event": "Deposit"}), "`Deposit` alone does not say"),
            (json!({"where": {"to": 1}}), "the event Deposit has no argument `to`"),
            (json!({"where": {"amount": "x"}}), "`amount` in `where`: \"x\" is not a number"),
            (json!({"address": ""}), "`address` is empty"),
            (json!({"address": "0x12"}), "`address`: `0x12` is not an address"),
            (json!({"chain_id": 6}), "this is a node of chain 5, meant is chain 6"),
            (json!({"confirmations": -1}), "`confirmations` is -1"),
            (json!({"from_block": -1}), "`from_block` is `-1`"),
            (json!({"from_block": ""}), "`from_block` is ``"),
            (json!({"url": "http://x"}), "`ipc` or `url`, one of them"),
        ] {
            let failure = run(Chain::default(), more).unwrap_err();
            assert!(failure.message.contains(reason), "{failure}");
        }
    }

    #[test]
    fn check_mode_looks_once_and_does_not_fail() {
        let scripted = Scripted::new(Chain::default());
        let outcome = scripted.host.check("eth_event", json!({"ipc": "/node.ipc", "event": DECLARED})).unwrap();
        assert!(outcome.output["event"].is_null());
    }

    #[test]
    fn check_mode_finds_no_strangers_event_where_it_does_not_know_yet_which_is_wanted() {
        let scripted = Scripted::new(Chain { logs: vec![log(3, 0xaa, 1, 5)], ..Chain::default() });
        for (name, value) in [("address", json!("")), ("where", json!({"from": ""})), ("from_block", json!(""))] {
            let mut args = json!({"ipc": "/node.ipc", "event": DECLARED});
            args[name] = value;
            let outcome = scripted.host.check("eth_event", args).unwrap();
            assert!(outcome.output["event"].is_null() && outcome.output["head"] == 10, "{name}");
        }
    }
}
