//! `eth_contract`: a compiled contract is on the chain.

use super::eth_sender::{Account, Chain, Intent, SenderOptions, local_text};
use super::eth_sent::{Fate, Noted, Receipt, alone, fate, read_note, see_through, write_note};
use super::loose::Flag;
use super::{BlobRef, Controller, Cx, Module, Result, eth};
use crate::base::event::Proof;
use crate::base::{Diff, Failure, Value};
use crate::chain::artefact::Artefact;
use crate::chain::rpc::Client;
use crate::chain::{Address, B256, keccak256, parse_address, quantity};
use crate::system::System;
use alloy_primitives::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io::Read;
use std::path::Path;

/// Deploys a compiled contract to the chain behind a node, once: waits for the receipt and as many blocks on top of it as are asked
/// for, and compares the code on the chain with the artefact's.
///
/// The transaction is signed on the host that the task runs on, with a keystore file or a private key that lie there, or by the node if it
/// has the account unlocked. It is noted in `state_file`, signed, before it is sent: a run that was killed at any moment is taken up by
/// the next one with the same transaction, and nothing is deployed twice. A second run finds the noted address, compares the code there,
/// and changes nothing.
///
/// What is compared is the artefact's deployed bytecode. Immutable values, a library's own address and the compiler's metadata are left
/// out, and the evidence says so. Of bare hexadecimal code only what the node foretells before the deployment can be compared.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthContract {
    /// The compiler's output on the controller (looked for in `files/`): JSON of solc, Hardhat, Truffle or Foundry, or bare hexadecimal
    /// code.
    pub artefact: String,
    /// Which contract, if the file has several.
    #[serde(default)]
    pub contract: Option<String>,
    /// What the constructor is given: a list, or a table by name. Addresses in quotes; amounts may be `5 ether`.
    #[serde(default)]
    pub args: Value,
    /// The file on the host that notes what was deployed. It belongs to one contract on one chain: keep it.
    #[serde(default)]
    pub state_file: Option<String>,
    /// The contract is at this address already: nothing is deployed, only the code is compared.
    #[serde(default)]
    pub address: Option<String>,
    /// Deploy anew if the artefact or the arguments are others than those that were deployed. The old contract stays on the chain.
    #[serde(default)]
    pub replace: Flag,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub sender: SenderOptions,
    #[serde(default)]
    #[schemars(skip)]
    blob: Option<BlobRef>,
}

/// What `eth_contract` returns. In check mode what is yet to be deployed has nulls.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The contract's name, if the artefact says it.
    contract: Option<String>,
    /// The chain's number.
    chain_id: u64,
    /// The contract's address, with checksum.
    address: Option<String>,
    /// The transaction that made it; null if its address was given.
    transaction: Option<B256>,
    /// The block in which it was made; null if its address was given.
    block: Option<u64>,
    /// Evidence.
    proofs: Vec<Proof>,
}

/// What is noted on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// For people.
    contract: Option<String>,
    chain_id: u64,
    genesis: B256,
    address: Address,
    /// The hash of the code with its arguments.
    creation: B256,
    #[serde(flatten)]
    sent: Noted,
    /// The code that the node foretold, where the artefact does not say it.
    #[serde(default)]
    foretold: Option<Bytes>,
    /// From here on: once it is done.
    #[serde(default)]
    block: Option<u64>,
    /// The hash of the code on the chain.
    #[serde(default)]
    code: Option<B256>,
}

/// What there is to do.
enum Job {
    Nothing(State, String),
    Finish(State),
    Deploy,
}

impl Module for EthContract {
    const NAME: &'static str = "eth_contract";
    const EXAMPLE: &'static str = "\
- eth_contract:
    url: http://127.0.0.1:8545
    chain_id: 46781
    artefact: HomeBridge.json
    args: [\"{{ bridge_owner }}\", 20 ether]
    keystore: /etc/bridge/deployer.json
    password_file: /etc/bridge/deployer.password
    state_file: /var/lib/bridge/home.json
    confirmations: 2
  register: home";
    const ALIASES: &'static [(&'static str, &'static str)] = &[("artifact", "artefact"), ("src", "artefact")];
    type Output = Output;

    fn prepare(mut self, controller: &dyn Controller) -> Result<Self> {
        let path = controller.find("files", &self.artefact)?;
        let text = local_text(&path)?;
        let artefact = Artefact::read(&text, self.contract.as_deref().filter(|name| !name.is_empty()));
        let artefact = artefact.map_err(|failure| failure.context(path.display()))?;
        // Of a compiler's file, which may be large, only this crosses to the host.
        let distilled = serde_json::to_vec(&artefact).map_err(|error| Failure::new(error.to_string()))?;
        self.blob = Some(controller.blob(distilled));
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let artefact = self.read(cx)?;
        let system = cx.system;
        let client = self.sender.client(system)?;
        if let Some(address) = self.address.as_deref().filter(|text| !text.is_empty() && *text != "None") {
            return self.look_at(&artefact, &client, parse_address(address)?);
        }
        let path = Path::new(self.state_file.as_deref().ok_or_else(|| {
            Failure::new("`state_file` is missing: the file on the host that notes what was deployed")
                .help("write for example `state_file: /var/lib/bridge/home.json`; or `address`, if the contract is there already")
        })?);
        let data = match artefact.creation_with(&self.args) {
            // Some argument may be made by the real run.
            Err(_) if cx.check && eth::has_unknown(&self.args) => None,
            data => Some(data?),
        };
        let account = self.sender.account(cx)?;
        let chain = self.sender.chain(&client)?;
        let noted: Option<State> = read_note(system, path)?;
        let what =
            artefact.name.as_ref().map_or_else(|| "deploy the contract".to_owned(), |name| format!("deploy {name}"));
        let (Some(data), Some(account)) = (data, account) else {
            cx.change(Diff::action(format!("{what} on chain {}", chain.id)), |_| Ok(()))?;
            return Ok(output(&artefact, chain, None, Vec::new()));
        };
        match self.job(system, &artefact, &client, chain, noted.as_ref(), keccak256(&data))? {
            Job::Nothing(state, seen) => {
                let proofs = vec![Proof::new("code", format!("{} on chain {}: {seen}", state.address, chain.id))];
                Ok(output(&artefact, chain, Some(&state), proofs))
            }
            Job::Finish(state) => {
                let diff =
                    Diff::action(format!("{what} on chain {}: transaction {}", chain.id, state.sent.transaction));
                let done = alone(cx, diff, path, noted.as_ref(), |writer| {
                    self.finish(system, &artefact, &client, state.clone(), &what, |state| {
                        write_note(writer, path, state)
                    })
                })?;
                let (state, proofs) = done.unwrap_or((state, Vec::new()));
                Ok(output(&artefact, chain, Some(&state), proofs))
            }
            Job::Deploy => {
                let intent = Intent { what: what.clone(), to: None, data };
                let transaction = self.sender.price(&client, chain, account.address, &intent)?;
                let foretold = self.foretell(&artefact, &client, &account, &intent)?;
                let diff = Diff::action(format!("{what} on chain {} from {}", chain.id, account.address));
                let done = alone(cx, diff, path, noted.as_ref(), |writer| {
                    let signed = account.sign(system, &client, &transaction)?;
                    let (from, nonce) = (account.address, transaction.nonce);
                    let state = State {
                        contract: artefact.name.clone(),
                        chain_id: chain.id,
                        genesis: chain.genesis,
                        address: from.create(nonce),
                        creation: keccak256(&transaction.data),
                        sent: Noted { from, nonce, transaction: signed.hash, raw: signed.raw.into() },
                        foretold,
                        block: None,
                        code: None,
                    };
                    write_note(writer, path, &state)?;
                    self.finish(system, &artefact, &client, state, &what, |state| write_note(writer, path, state))
                })?;
                let (state, proofs) = done.map_or((None, Vec::new()), |(state, proofs)| (Some(state), proofs));
                Ok(output(&artefact, chain, state.as_ref(), proofs))
            }
        }
    }
}

fn output(artefact: &Artefact, chain: Chain, state: Option<&State>, proofs: Vec<Proof>) -> Output {
    Output {
        contract: artefact.name.clone(),
        chain_id: chain.id,
        address: state.map(|state| state.address.to_checksum(None)),
        transaction: state.map(|state| state.sent.transaction),
        block: state.and_then(|state| state.block),
        proofs,
    }
}

impl EthContract {
    fn read(&self, cx: &Cx) -> Result<Artefact> {
        let blob = self.blob.as_ref().ok_or_else(|| Failure::new("the artefact did not come with the task"))?;
        let mut text = String::new();
        cx.blob(blob)?.read_to_string(&mut text).map_err(|error| Failure::new(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| Failure::new(error.to_string()))
    }

    /// A contract whose address the user gives.
    fn look_at(&self, artefact: &Artefact, client: &Client, address: Address) -> Result<Output> {
        let chain = self.sender.chain(client)?;
        let code = code(client, address)?;
        let seen = match &artefact.runtime {
            _ if code.is_empty() => {
                return Err(Failure::new(format!("chain {} has no contract at {address}", chain.id))
                    .help("correct `address`, or leave it out to have the contract deployed"));
            }
            Some(runtime) => runtime.compare(&code).map_err(|why| other_code(address, chain, &why))?,
            None => format!("{} bytes, and the artefact does not say which it should have", code.len()),
        };
        let proofs = vec![Proof::new(
            "code",
            format!("{address} on chain {}: {seen}; its arguments were not compared", chain.id),
        )];
        Ok(Output { address: Some(address.to_checksum(None)), ..output(artefact, chain, None, proofs) })
    }

    fn job(
        &self,
        system: &System,
        artefact: &Artefact,
        client: &Client,
        chain: Chain,
        noted: Option<&State>,
        creation: B256,
    ) -> Result<Job> {
        let Some(state) = noted.cloned() else { return Ok(Job::Deploy) };
        let file = self.state_file.as_deref().unwrap_or_default();
        if (state.chain_id, state.genesis) != (chain.id, chain.genesis) {
            return Err(Failure::new(format!(
                "{file} notes a contract on chain {} with block 0 {}; the node's is chain {} with {}",
                state.chain_id, state.genesis, chain.id, chain.genesis
            ))
            .help("correct the node's address; if the network was made anew, remove the file"));
        }
        let code = code(client, state.address)?;
        let same = state.creation == creation;
        let address = state.address;
        if !code.is_empty() {
            if !same && self.replace.0 {
                return Ok(Job::Deploy);
            }
            if !same {
                return Err(Failure::new(format!(
                    "the contract at {address} on chain {} was made from another artefact, or with other arguments",
                    chain.id
                ))
                .help("write `replace: true` to deploy the new one to a new address; the old one stays on the chain"));
            }
            if state.block.is_none() {
                return Ok(Job::Finish(state));
            }
            let seen = compare(artefact, &state, &code).map_err(|why| other_code(address, chain, &why))?;
            return Ok(Job::Nothing(state, seen));
        }
        match fate(system, client, &state.sent)? {
            Fate::Mined(Receipt { succeeded: true, block, .. }) => Err(Failure::new(format!(
                "transaction {} made a contract at {address} in block {block}, but there is no code now: it has destroyed itself",
                state.sent.transaction
            ))
            .help(format!("to deploy it anew, remove {file}"))),
            Fate::Open if same => Ok(Job::Finish(state)),
            Fate::Open if !self.replace.0 => Err(Failure::new(format!(
                "transaction {} of an earlier run is not in a block yet, and it deploys another artefact, or with other arguments",
                state.sent.transaction
            ))
            .help(format!("write `replace: true` to deploy the new one, too, or remove {file} if the old one was never sent"))),
            Fate::Mined(_) | Fate::Lost | Fate::Open => Ok(Job::Deploy),
        }
    }

    /// What the node says that the constructor would return: the contract's code.
    fn foretell(
        &self,
        artefact: &Artefact,
        client: &Client,
        account: &Account,
        intent: &Intent,
    ) -> Result<Option<Bytes>> {
        if artefact.runtime.is_some() {
            return Ok(None);
        }
        let call = json!({"from": account.address, "data": Bytes::copy_from_slice(&intent.data), "value": format!("{:#x}", self.sender.wei()?)});
        Ok(Some(quantity::bytes(&client.call("eth_call", json!([call, "latest"]))?)?.into()))
    }

    /// Waits for the noted transaction, compares the code, and notes that it is done.
    fn finish(
        &self,
        system: &System,
        artefact: &Artefact,
        client: &Client,
        state: State,
        what: &str,
        note: impl Fn(&State) -> Result<()>,
    ) -> Result<(State, Vec<Proof>)> {
        let receipt = see_through(&self.sender, system, client, &state.sent, what)?;
        let chain = Chain { id: state.chain_id, genesis: state.genesis };
        let (address, hash) = (state.address, state.sent.transaction);
        let code = code(client, address)?;
        if code.is_empty() {
            return Err(Failure::new(format!(
                "transaction {hash} succeeded in block {}, but {address} has no code",
                receipt.block
            ))
            .help("the constructor returned none: is the bytecode the deployed one, and not the one that makes it?"));
        }
        let seen = compare(artefact, &state, &code).map_err(|why| other_code(address, chain, &why))?;
        let done = State { block: Some(receipt.block), code: Some(keccak256(&code)), foretold: None, ..state };
        note(&done)?;
        let deployed = format!(
            "{address} on chain {} in block {}, transaction {hash}, {} gas",
            chain.id, receipt.block, receipt.gas_used
        );
        Ok((done, vec![Proof::new("deployed", deployed), Proof::new("code", seen)]))
    }
}

/// The code on the chain against what the artefact, the node's forecast, or else the note says.
fn compare(artefact: &Artefact, state: &State, chain: &[u8]) -> Result<String, String> {
    let hash = keccak256(chain);
    match (&artefact.runtime, &state.foretold, state.code) {
        (_, _, Some(noted)) if noted != hash => {
            Err("it is not the code that was noted when it was deployed".to_owned())
        }
        (Some(runtime), _, _) => runtime.compare(chain),
        (None, _, Some(_)) => Ok(format!("the code that was noted when it was deployed, {} bytes", chain.len())),
        (None, Some(foretold), None) if **foretold == *chain => {
            Ok(format!("what the node foretold of the constructor, {} bytes", chain.len()))
        }
        // A constructor may make it from the block that it is in: other code is no proof against it.
        (None, Some(_), None) => Ok(format!(
            "{} bytes, but not those that the node foretold of the constructor; the artefact does not say which it should have",
            chain.len()
        )),
        (None, None, None) => Ok(format!("{} bytes; the artefact does not say which it should have", chain.len())),
    }
}

fn other_code(address: Address, chain: Chain, why: &str) -> Failure {
    Failure::new(format!("the contract at {address} on chain {} is not the artefact's: {why}", chain.id))
        .help("is it the artefact that was deployed there, compiled with the same compiler and settings?")
}

fn code(client: &Client, address: Address) -> Result<Vec<u8>> {
    quantity::bytes(&client.call("eth_getCode", json!([address, "latest"]))?)
}

#[cfg(test)]
mod tests {
    use super::super::eth_chain_tests::{Chain, KEY, Scripted, account};
    use super::*;
    use crate::base::Outcome;

    fn scripted(chain: Chain) -> Scripted {
        let scripted = Scripted::new(chain);
        let abi = json!([{"type": "constructor", "inputs": [{"name": "limit", "type": "uint8"}], "stateMutability": "payable"}]);
        let home = json!({"contractName": "Home", "abi": abi, "bytecode": "0x6001", "deployedBytecode": "0x6000"});
        scripted.host.local("files/Home.json", home.to_string());
        scripted
    }

    fn args() -> Value {
        json!({"ipc": "/node.ipc", "artefact": "Home.json", "args": [7], "private_key_file": "/key", "state_file": "/state/home.json",
            "timeout": 0})
    }

    fn with(name: &str, value: impl Into<Value>) -> Value {
        let mut args = args();
        args[name] = value.into();
        args
    }

    fn run(scripted: &Scripted, args: Value) -> Result<Outcome> {
        scripted.host.run("eth_contract", args)
    }

    #[test]
    fn a_contract_is_deployed_once() {
        let scripted = scripted(Chain::default());
        let predicted = scripted.host.check("eth_contract", args()).unwrap();
        assert!(predicted.changed() && !scripted.host.has("/state") && scripted.chain().sent.is_empty());
        let first = run(&scripted, args()).unwrap();
        assert_eq!(first.diffs, predicted.diffs);
        assert_eq!(first.output["address"], account().create(0).to_checksum(None));
        assert_eq!(first.output["proofs"][1]["evidence"], "identical, 2 bytes");
        let second = run(&scripted, args()).unwrap();
        assert!(!second.changed());
        for name in ["address", "transaction", "block"] {
            assert_eq!(second.output[name], first.output[name]);
        }
        assert_eq!((scripted.host.mode_of("/state/home.json"), scripted.chain().sent.len()), (0o600, 1));
        assert!(!scripted.host.read("/state/home.json").contains(KEY));
    }

    #[test]
    fn other_arguments_make_another_contract_only_when_that_is_wanted() {
        let scripted = scripted(Chain::default());
        run(&scripted, args()).unwrap();
        let failure = run(&scripted, with("args", json!([8]))).unwrap_err();
        assert!(failure.message.contains("with other arguments") && failure.help.unwrap().contains("replace: true"));
        let mut replacing = with("args", json!([8]));
        replacing["replace"] = json!(true);
        assert_eq!(run(&scripted, replacing.clone()).unwrap().output["address"], account().create(1).to_checksum(None));
        assert!(!run(&scripted, replacing).unwrap().changed());
        assert_eq!(scripted.chain().sent.len(), 2);
    }

    #[test]
    fn a_run_that_ended_before_the_transaction_was_sent_is_taken_up_with_the_same_one() {
        let scripted = scripted(Chain { takes: false, ..Chain::default() });
        let failure = run(&scripted, args()).unwrap_err();
        assert!(
            failure.message.contains("was not taken: eth_sendRawTransaction: the node answers: the pool is full"),
            "{failure}"
        );
        let noted: State = serde_json::from_str(&scripted.host.read("/state/home.json")).unwrap();
        scripted.chain().takes = true;
        let finished = run(&scripted, args()).unwrap();
        assert_eq!(scripted.chain().sent, [noted.sent.raw.to_string()]);
        assert!(finished.changed() && !run(&scripted, args()).unwrap().changed());
    }

    #[test]
    fn a_run_that_ended_before_the_receipt_came_is_taken_up_with_the_same_transaction() {
        let scripted = scripted(Chain { seals: false, ..Chain::default() });
        let failure = run(&scripted, args()).unwrap_err();
        assert!(
            failure.message.contains("in no block after 0 s: the node has it, but nobody seals it (head 10"),
            "{failure}"
        );
        assert!(run(&scripted, args()).is_err());
        scripted.chain().seal();
        let finished = run(&scripted, args()).unwrap();
        assert_eq!((finished.changed(), scripted.chain().sent.len()), (true, 1));
        assert_eq!(finished.output["address"], account().create(0).to_checksum(None));
        assert!(!run(&scripted, args()).unwrap().changed());
    }

    #[test]
    fn a_noted_transaction_whose_place_another_took_is_made_anew() {
        let scripted = scripted(Chain { takes: false, ..Chain::default() });
        run(&scripted, args()).unwrap_err();
        (scripted.chain().takes, scripted.chain().next, scripted.chain().pending) = (true, 1, 1);
        assert_eq!(run(&scripted, args()).unwrap().output["address"], account().create(1).to_checksum(None));
    }

    #[test]
    fn a_noted_transaction_behind_a_gap_is_named() {
        let scripted = scripted(Chain { takes: false, next: 4, pending: 4, ..Chain::default() });
        run(&scripted, args()).unwrap_err();
        (scripted.chain().takes, scripted.chain().next, scripted.chain().pending) = (true, 2, 2);
        let failure = run(&scripted, args()).unwrap_err();
        assert!(failure.message.contains("has nonce 4, but the node knows of none of"), "{failure}");
    }

    #[test]
    fn a_transaction_that_failed_is_named_with_its_gas_and_the_next_run_makes_a_new_one() {
        let scripted = scripted(Chain { succeeds: false, ..Chain::default() });
        let failure = run(&scripted, args()).unwrap_err();
        assert!(
            failure.message.contains("failed in block 11: it used 256 of its 120000 gas, so it was reverted"),
            "{failure}"
        );
        scripted.chain().receipts.clear();
        scripted.chain().sent.clear();
        scripted.chain().succeeds = true;
        assert_eq!(run(&scripted, args()).unwrap().output["address"], account().create(1).to_checksum(None));
    }

    #[test]
    fn what_cannot_work_is_refused_before_anything_is_sent() {
        let poor = || Chain { balance: 50_000, ..Chain::default() };
        let reverts = || Chain { estimate: Err("execution reverted: not you"), ..Chain::default() };
        for (chain, args, reason) in [
            (Chain::default(), with("chain_id", 4), "is a node of chain 5, meant is chain 4"),
            (
                poor(),
                args(),
                "has 50000 wei on chain 5; to deploy Home may cost 2040000 wei (120000 gas at 17 wei and 0 wei)",
            ),
            (poor(), with("value", "1 ether"), "to deploy Home it pays 1 ether"),
            (
                Chain { estimate: Ok(u64::MAX), ..Chain::default() },
                args(),
                "takes about 18446744073709551615 gas, but a block of chain 5 holds 30000000",
            ),
            (Chain::default(), with("gas", 60_000), "to deploy Home takes about 100000 gas, `gas` allows 60000"),
            (Chain::default(), with("gas", 40_000_000), "a block of chain 5 holds 30000000"),
            (Chain::default(), with("gas_price", "1 wei"), "`gas_price` is 1 wei, below the base fee of 7 wei"),
            (Chain::default(), with("max_fee", 5), "`max_fee` is 5 wei, below the base fee"),
            (Chain { base_fee: None, ..Chain::default() }, with("max_fee", 5), "has no base fee yet"),
            (Chain { syncing: true, ..Chain::default() }, args(), "has not caught up with its chain yet"),
            (reverts(), args(), "cannot deploy Home: eth_estimateGas: the node answers: execution reverted: not you"),
            (Chain::default(), with("args", json!([])), "the constructor wants 1 arguments, 0 are given"),
            (
                Chain::default(),
                with("args", json!(["x"])),
                "argument 1 `limit` of the constructor (uint8): \"x\" is not a number",
            ),
            (Chain::default(), with("private_key_file", Value::Null), "nothing says who signs"),
            (Chain::default(), with("keystore", "/keystore"), "several say who signs"),
            (Chain::default(), with("from", Address::ZERO.to_string()), "the key is of the account 0x9d8A"),
            (Chain::default(), with("state_file", Value::Null), "`state_file` is missing"),
            (Chain::default(), with("confirmations", -1), "`confirmations` is -1"),
            (Chain::default(), with("artefact", "None.json"), "cannot find `None.json`"),
            (Chain::default(), with("address", Address::ZERO.to_string()), "has no contract at"),
        ] {
            let scripted = scripted(chain);
            let failure = run(&scripted, args).unwrap_err();
            assert!(failure.message.contains(reason), "{failure}");
            assert!(scripted.chain().sent.is_empty(), "{failure}");
        }
    }

    #[test]
    fn a_key_that_everybody_can_read_is_refused() {
        let scripted = scripted(Chain::default());
        scripted.host.mode("/key", 0o644);
        assert!(run(&scripted, args()).unwrap_err().message.contains("/key has mode 0644"));
    }

    #[test]
    fn a_state_file_of_another_network_is_not_taken_for_this_one() {
        let scripted = scripted(Chain::default());
        run(&scripted, args()).unwrap();
        scripted.chain().genesis = 2;
        let failure = run(&scripted, args()).unwrap_err();
        assert!(failure.help.unwrap().contains("if the network was made anew, remove the file"));
        scripted.host.file("/state/home.json", "{}");
        assert!(run(&scripted, args()).unwrap_err().message.contains("/state/home.json: this is not what is noted"));
    }

    #[test]
    fn code_that_is_not_the_artefacts_is_told() {
        let scripted = scripted(Chain { makes: vec![0x60, 0x09], ..Chain::default() });
        let failure = run(&scripted, args()).unwrap_err();
        assert!(failure.message.contains("is not the artefact's: byte 1 of 2 is another one"), "{failure}");
        let address = account().create(0).to_string();
        assert!(
            run(&scripted, with("address", address.as_str())).unwrap_err().message.contains("is not the artefact's")
        );
        scripted.chain().code.insert(account().create(0), vec![0x60, 0]);
        let seen = run(&scripted, with("address", address.as_str())).unwrap();
        assert!(
            !seen.changed()
                && seen.output["proofs"][0]["evidence"].as_str().unwrap().contains("arguments were not compared")
        );
    }

    #[test]
    fn bare_code_is_compared_with_what_the_node_foretold_and_then_with_what_was_noted() {
        let scripted = scripted(Chain { base_fee: None, ..Chain::default() });
        scripted.host.local("files/bare.hex", "0x6001");
        let mut args = with("artefact", "bare.hex");
        args["args"] = Value::Null;
        let first = run(&scripted, args.clone()).unwrap();
        assert_eq!(first.output["proofs"][1]["evidence"], "what the node foretold of the constructor, 2 bytes");
        let second = run(&scripted, args.clone()).unwrap();
        assert!(
            second.output["proofs"][0]["evidence"].as_str().unwrap().contains("that was noted when it was deployed")
        );
        scripted.chain().code.insert(account().create(0), vec![1]);
        assert!(run(&scripted, args).unwrap_err().message.contains("not the code that was noted"));
    }

    #[test]
    fn code_that_the_node_did_not_foretell_is_told() {
        let scripted = scripted(Chain { seals: false, ..Chain::default() });
        scripted.host.local("files/bare.hex", "0x6001");
        let mut args = with("artefact", "bare.hex");
        args["args"] = Value::Null;
        run(&scripted, args.clone()).unwrap_err();
        scripted.chain().makes = vec![9];
        scripted.chain().seal();
        let evidence = run(&scripted, args).unwrap().output["proofs"][1]["evidence"].clone();
        assert!(evidence.as_str().unwrap().starts_with("1 bytes, but not those that the node foretold"), "{evidence}");
    }

    #[test]
    fn arguments_that_only_the_real_run_knows_are_no_mistake_in_check_mode() {
        let scripted = scripted(Chain::default());
        let predicted = scripted.host.check("eth_contract", with("args", json!([""]))).unwrap();
        assert!(predicted.changed() && predicted.output["address"].is_null());
        assert!(run(&scripted, with("args", json!([""]))).is_err());
    }
}
