//! `eth_transaction`: a contract is called, or an account paid, unless that has been done.

use super::eth_sender::{Chain, Intent, SenderOptions, local_text};
use super::eth_sent::{Fate, Noted, alone, fate, read_note, see_through, write_note};
use super::{Controller, Cx, Module, Result, eth};
use crate::base::event::Proof;
use crate::base::{Diff, Failure, Value};
use crate::chain::abi::{self, Function};
use crate::chain::rpc::Client;
use crate::chain::transaction::Transaction;
use crate::chain::{Address, B256, artefact, keccak256, parse_address, quantity};
use crate::system::System;
use alloy_dyn_abi::FunctionExt;
use alloy_primitives::hex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;

/// Calls a method of a contract with a transaction, or pays an account, and waits for the receipt. With `unless` it asks first whether
/// that has been done, and then changes nothing; without it each run sends one.
///
/// Accounts, signing and fees are as in `eth_contract`. The transaction is noted in `state_file` before it is sent: a run that was killed is
/// taken up by the next one with the same transaction.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthTransaction {
    /// The contract that is called, or the account that is paid. Must be known but in check mode.
    #[serde(default)]
    pub to: Option<String>,
    /// The method: its declaration, `setPeer(address)`, or its name where `artefact` has the ABI. Without it only `value` is paid.
    #[serde(default)]
    pub method: Option<String>,
    /// What the method is given: a list, or a table by name.
    #[serde(default)]
    pub args: Value,
    /// A compiler's file on the controller (looked for in `files/`) whose ABI has the methods.
    #[serde(default)]
    pub artefact: Option<String>,
    /// Which contract, if that file has several.
    #[serde(default)]
    pub contract: Option<String>,
    /// What is read to see whether it has been done. Read again afterwards.
    #[serde(default)]
    pub unless: Option<Unless>,
    /// The file on the host that notes a transaction that was sent.
    pub state_file: String,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub sender: SenderOptions,
    /// The two methods as JSON, once they are known.
    #[serde(default)]
    #[schemars(skip)]
    declared: Option<(Option<Function>, Option<Function>)>,
}

/// A question to the contract, and the answer that means: nothing to do.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Unless {
    /// The method: its declaration with what it returns, `peer() view returns (address)`, or its name where `artefact` has the ABI.
    pub method: String,
    /// What it is given.
    #[serde(default)]
    pub args: Value,
    /// What it must return; a list, if it returns several values.
    #[serde(default)]
    pub returns: Value,
}

/// What `eth_transaction` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The transaction's hash; null if there was nothing to do, and in check mode.
    transaction: Option<B256>,
    /// Its block.
    block: Option<u64>,
    /// Evidence.
    proofs: Vec<Proof>,
}

/// What is noted on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    chain_id: u64,
    genesis: B256,
    /// The hash of recipient, value and call.
    deed: B256,
    #[serde(flatten)]
    sent: Noted,
    /// The block that it came into, once it is done.
    #[serde(default)]
    block: Option<u64>,
}

/// What there is to do.
enum Job {
    /// A killed run's transaction is seen through.
    Again(State),
    New(Transaction),
}

impl Module for EthTransaction {
    const NAME: &'static str = "eth_transaction";
    const EXAMPLE: &'static str = "\
- eth_transaction:
    url: http://127.0.0.1:8545
    to: \"{{ home.address }}\"
    method: setPeer(address)
    args: [\"{{ foreign.address }}\"]
    unless:
      method: peer() view returns (address)
      returns: \"{{ foreign.address }}\"
    keystore: /etc/bridge/deployer.json
    password_file: /etc/bridge/deployer.password
    state_file: /var/lib/bridge/home-peer.json";
    const ALIASES: &'static [(&'static str, &'static str)] = &[("artifact", "artefact"), ("src", "artefact")];
    type Output = Output;

    fn prepare(mut self, controller: &dyn Controller) -> Result<Self> {
        let interface = self.artefact.as_ref().map(|name| {
            let path = controller.find("files", name)?;
            artefact::interface(&local_text(&path)?, self.contract.as_deref())
                .map_err(|failure| failure.context(path.display()))
        });
        let interface = interface.transpose()?;
        let method = self.method.as_ref().map(|method| abi::function(method, interface.as_ref())).transpose()?;
        let question =
            self.unless.as_ref().map(|unless| abi::function(&unless.method, interface.as_ref())).transpose()?;
        if let Some(question) = question.as_ref().filter(|question| question.outputs.is_empty()) {
            return Err(Failure::new(format!("`unless` asks {}, which returns nothing", question.signature()))
                .help(format!("write what it returns: `{} view returns (address)`", question.signature())));
        }
        self.declared = Some((method, question));
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let client = self.sender.client(cx.system)?;
        let path = Path::new(&self.state_file);
        let account = self.sender.account(cx)?;
        let chain = self.sender.chain(&client)?;
        let to = self.to.as_deref().filter(|to| !to.is_empty() && *to != "None");
        let whom = to.unwrap_or("a contract that is yet to be made");
        let what = match &self.method {
            Some(method) => format!("call {} of {whom}", method.split('(').next().unwrap_or_default()),
            None => format!("pay {whom}"),
        };
        let unknown = to.is_none() || !self.args.is_null() && eth::has_unknown(&self.args);
        let Some(account) = account.filter(|_| !(cx.check && unknown)) else {
            cx.change(Diff::action(format!("{what} on chain {}", chain.id)), |_| Ok(()))?;
            return Ok(Output { transaction: None, block: None, proofs: Vec::new() });
        };
        let to = to.ok_or_else(|| Failure::new("`to` is missing: the contract to call, or the account to pay"))?;
        let to = parse_address(to).map_err(|failure| failure.context("`to`"))?;
        let data = self.data(&client, to)?;
        if let Some(seen) = self.done(&client, to)? {
            return Ok(Output { transaction: None, block: None, proofs: vec![Proof::new("done before", seen)] });
        }
        let noted: Option<State> = read_note(cx.system, path)?;
        let deed = keccak256([to.as_slice(), &self.sender.wei()?.to_be_bytes::<32>(), &data].concat());
        let of_this = noted
            .clone()
            .filter(|state| (state.chain_id, state.genesis, state.deed) == (chain.id, chain.genesis, deed));
        // A transaction that was noted and not seen in a block: this is the killed run's work.
        let unfinished = match of_this.filter(|state| state.block.is_none()) {
            None => self.no_other(cx.system, &client, chain, noted.as_ref().filter(|state| state.deed != deed))?,
            Some(state) => match fate(cx.system, &client, &state.sent)? {
                Fate::Open => Some(state),
                Fate::Mined(receipt) if receipt.succeeded => Some(state),
                Fate::Mined(_) | Fate::Lost => None,
            },
        };
        let system = cx.system;
        let job = if let Some(state) = unfinished {
            Job::Again(state)
        } else {
            let intent = Intent { what: what.clone(), to: Some(to), data };
            Job::New(self.sender.price(&client, chain, account.address, &intent)?)
        };
        let diff = Diff::action(format!("{what} on chain {} from {}", chain.id, account.address));
        let sent = alone(cx, diff, path, noted.as_ref(), |writer| {
            let state = match &job {
                Job::Again(state) => state.clone(),
                Job::New(transaction) => {
                    let signed = account.sign(system, &client, transaction)?;
                    let (from, nonce) = (account.address, transaction.nonce);
                    let sent = Noted { from, nonce, transaction: signed.hash, raw: signed.raw.into() };
                    State { chain_id: chain.id, genesis: chain.genesis, deed, sent, block: None }
                }
            };
            write_note(writer, path, &state)?;
            let receipt = see_through(&self.sender, system, &client, &state.sent, &what)?;
            write_note(writer, path, &State { block: Some(receipt.block), ..state.clone() })?;
            Ok((state.sent.transaction, receipt))
        })?;
        let Some((hash, receipt)) = sent else {
            return Ok(Output { transaction: None, block: None, proofs: Vec::new() });
        };
        let mut proofs = vec![Proof::new(
            "sent",
            format!("transaction {hash} in block {}, {} gas", receipt.block, receipt.gas_used),
        )];
        if let Some(unless) = &self.unless {
            let seen = self.done(&client, to)?.ok_or_else(|| {
                Failure::new(format!(
                    "transaction {hash} succeeded in block {}, but {} does not return {}",
                    receipt.block, unless.method, unless.returns
                ))
                .help("does `unless` ask for what the method changes?")
            })?;
            proofs.push(Proof::new("done", seen));
        }
        Ok(Output { transaction: Some(hash), block: Some(receipt.block), proofs })
    }
}

impl EthTransaction {
    /// Fails if the note is of another deed that may still be done: with the note its transaction would be forgotten.
    fn no_other(&self, system: &System, client: &Client, chain: Chain, noted: Option<&State>) -> Result<Option<State>> {
        let here = |state: &&State| (state.chain_id, state.genesis, state.block) == (chain.id, chain.genesis, None);
        match noted.filter(here) {
            Some(state) if fate(system, client, &state.sent)? == Fate::Open => Err(Failure::new(format!(
                "transaction {} of an earlier run is not in a block yet, and it does something else",
                state.sent.transaction
            ))
            .help(format!(
                "run again once it is in one; remove {} if it was never sent, and give each task a `state_file` of its own",
                self.state_file
            ))),
            _ => Ok(None),
        }
    }

    /// The call. Where there is no contract, a call would succeed and do nothing.
    fn data(&self, client: &Client, to: Address) -> Result<Vec<u8>> {
        let Some((Some(method), _)) = &self.declared else { return Ok(Vec::new()) };
        if quantity::bytes(&client.call("eth_getCode", json!([to, "latest"]))?)?.is_empty() {
            return Err(Failure::new(format!("there is no contract at {to} to call {} of", method.name))
                .help("correct `to`, or the node's address"));
        }
        call(method, &self.args)
    }

    /// What `unless` reads, if it is what means that all is done.
    fn done(&self, client: &Client, to: Address) -> Result<Option<String>> {
        let (Some(unless), Some((_, Some(question)))) = (&self.unless, &self.declared) else { return Ok(None) };
        let data = call(question, &unless.args)?;
        let answer = client.call("eth_call", json!([{"to": to, "data": hex::encode_prefixed(data)}, "latest"]))?;
        let answer = quantity::bytes(&answer)?;
        let wrong = || {
            Failure::new(format!(
                "{to} does not answer {} as declared: {}",
                question.signature(),
                hex::encode_prefixed(&answer)
            ))
        };
        let values = question.abi_decode_output(&answer).map_err(|_| wrong())?;
        let returns = if question.outputs.len() == 1 { json!([unless.returns]) } else { unless.returns.clone() };
        let wanted = abi::values("what `unless` returns", &question.outputs, &returns)?;
        let told: Vec<Value> = values.iter().map(abi::json).collect();
        Ok((values == wanted).then(|| format!("{} returns {}", question.name, Value::Array(told))))
    }
}

fn call(method: &Function, args: &Value) -> Result<Vec<u8>> {
    let values = abi::values(&method.name, &method.inputs, args)?;
    Ok([method.selector().as_slice(), &abi::encode(values)].concat())
}

#[cfg(test)]
mod tests {
    use super::super::eth_chain_tests::{Chain, Scripted};
    use super::*;
    use crate::base::Outcome;

    fn word(number: u8) -> Vec<u8> {
        let mut word = vec![0; 32];
        word[31] = number;
        word
    }

    /// A contract that answers 1, and 7 once somebody has seen a transaction of ours through.
    fn scripted(chain: Chain) -> Scripted {
        let code = [(Address::repeat_byte(9), vec![0x60])].into();
        Scripted::new(Chain { makes: word(1), code, later: vec![(1, |chain| chain.makes = word(7))], ..chain })
    }

    fn args() -> Value {
        json!({"ipc": "/node.ipc", "to": Address::repeat_byte(9).to_string(), "method": "setLimit(uint256)", "args": [7],
            "unless": {"method": "limit() view returns (uint256)", "returns": 7}, "private_key_file": "/key",
            "state_file": "/state/limit.json", "timeout": 0})
    }

    fn run(scripted: &Scripted, args: Value) -> Result<Outcome> {
        scripted.host.run("eth_transaction", args)
    }

    #[test]
    fn a_method_is_called_unless_that_has_been_done() {
        let scripted = scripted(Chain::default());
        assert!(scripted.host.check("eth_transaction", args()).unwrap().changed() && scripted.chain().sent.is_empty());
        let first = run(&scripted, args()).unwrap();
        assert_eq!((first.changed(), &first.output["proofs"][1]["evidence"]), (true, &json!("limit returns [\"7\"]")));
        let second = run(&scripted, args()).unwrap();
        assert_eq!((second.changed(), scripted.chain().sent.len()), (false, 1));
    }

    #[test]
    fn a_killed_run_is_taken_up_with_the_same_transaction() {
        let scripted = scripted(Chain { seals: false, ..Chain::default() });
        scripted.chain().later.clear();
        assert!(run(&scripted, args()).unwrap_err().message.contains("in no block after 0 s"));
        scripted.chain().seal();
        scripted.chain().later.push((2, |chain| chain.makes = word(7)));
        assert!(run(&scripted, args()).unwrap().changed());
        assert_eq!(scripted.chain().sent.len(), 1);
    }

    #[test]
    fn a_transaction_that_may_still_happen_is_not_forgotten_for_another() {
        let scripted = scripted(Chain { seals: false, ..Chain::default() });
        let mut pay = args();
        for name in ["method", "args", "unless"] {
            pay[name] = Value::Null;
        }
        pay["value"] = json!("5 gwei");
        run(&scripted, pay.clone()).unwrap_err();
        pay["value"] = json!("6 gwei");
        let failure = run(&scripted, pay.clone()).unwrap_err();
        assert!(failure.message.contains("is not in a block yet, and it does something else"), "{failure}");
        scripted.chain().seal();
        scripted.chain().seals = true;
        assert!(run(&scripted, pay).unwrap().changed());
        assert_eq!(scripted.chain().sent.len(), 2);
    }

    #[test]
    fn arguments_that_only_the_real_run_knows_are_no_mistake_in_check_mode() {
        let scripted = scripted(Chain::default());
        let mut args = args();
        args["args"] = json!({"": ""});
        assert!(scripted.host.check("eth_transaction", args).unwrap().changed());
    }

    #[test]
    fn without_a_question_each_run_pays_again() {
        let scripted = scripted(Chain::default());
        let mut pay = args();
        for name in ["method", "args", "unless"] {
            pay[name] = Value::Null;
        }
        pay["value"] = json!("5 gwei");
        assert!(run(&scripted, pay.clone()).unwrap().changed() && run(&scripted, pay).unwrap().changed());
        assert_eq!(scripted.chain().sent.len(), 2);
    }

    #[test]
    fn mistakes_are_named() {
        for (name, value, reason) in [
            ("to", Value::Null, "`to` is missing"),
            ("to", json!("0x12"), "`to`: `0x12` is not an address"),
            ("to", json!(Address::repeat_byte(8).to_string()), "there is no contract at"),
            ("method", json!("setLimit"), "`setLimit` alone does not say"),
            ("args", json!([]), "setLimit wants 1 arguments, 0 are given"),
            ("unless", json!({"method": "limit()", "returns": 7}), "`unless` asks limit(), which returns nothing"),
            (
                "unless",
                json!({"method": "limit() returns (string)", "returns": "x"}),
                "does not answer limit() as declared",
            ),
            ("unless", json!({"method": "limit() returns (uint8)", "returns": "x"}), "what `unless` returns"),
            (
                "unless",
                json!({"method": "limit() returns (uint8)", "returns": 3}),
                "succeeded in block 11, but limit() returns (uint8) does not return 3",
            ),
        ] {
            let mut args = args();
            args[name] = value;
            let failure = run(&scripted(Chain::default()), args).unwrap_err();
            assert!(failure.message.contains(reason), "{failure}");
        }
    }
}
