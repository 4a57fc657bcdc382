//! Whether a definition is what it says: its numbers, its hashes, and the signatures of all whom it names.

use super::definition::{Definition, MOST_OPERATORS, MOST_VALIDATORS};
use super::eip712::Message;
use super::json::Bytes;
use crate::base::{Failure, failure::Result};
use crate::chain::{Address, B256, NodeKey, Record, parse_address};

/// Fewer nodes charon does not take.
const FEWEST_OPERATORS: usize = 3;
const CHANGED: &str = "something in it was changed after it was made: get it anew, from the cluster's creator";

/// What a definition must be beside true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Take a definition that nobody signed, as `charon create dkg` writes it: whoever hands it over is trusted.
    pub unsigned: bool,
    /// The chain that it must be for.
    pub chain_id: Option<u64>,
    /// The config hash that it must have.
    pub config_hash: Option<B256>,
}

/// Who stands for a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The creator and every operator.
    Signed,
    /// No operator; taken only by [`Rules::unsigned`].
    Unsigned,
}

impl Definition {
    /// Checks all that can be checked: numbers, both hashes, the nodes' records, and that the creator and every operator
    /// signed. Fails with the name of the operator whose part is wrong.
    pub fn verify(&self, rules: &Rules) -> Result<Standing> {
        self.verify_offer(rules)?;
        self.verify_nodes()?;
        same(&self.definition_hash, self.compute_definition_hash()?, "definition")?;
        let chain = self.chain_id()?;
        let nobody = |at: &usize| {
            let it = &self.operators[*at];
            it.address.is_empty() && it.config_signature.0.is_empty() && it.enr_signature.0.is_empty()
        };
        if (0..self.operators.len()).all(|at| nobody(&at)) {
            if rules.unsigned && !self.creator.address.is_empty() && self.creator.config_signature.0.is_empty() {
                return Err(Failure::new(format!(
                    "the creator, {}, is named and has not signed this definition",
                    self.creator.address
                ))
                .help("charon takes no such file: either the creator signs, or nobody is named"));
            }
            if rules.unsigned {
                return Ok(Standing::Unsigned);
            }
            return Err(Failure::new("no operator has signed this definition")
                .help("let every operator sign it; or allow unsigned definitions, if you trust the way it came"));
        }
        if self.creator.address.is_empty() || self.creator.config_signature.0.is_empty() {
            return Err(Failure::new("the creator has not signed this definition, though operators have"));
        }
        for (at, operator) in self.operators.iter().enumerate() {
            let name = self.operator_name(at);
            if operator.address.is_empty() {
                return Err(Failure::new(format!("{name} has no account, though others have: who is it?"))
                    .help("either all operators sign with their accounts, or none"));
            }
            let agrees = Message::Operator(self.compute_config_hash()?);
            signed(&operator.config_signature, &operator.address, &agrees, chain)
                .map_err(|failure| failure.context(format!("{name}, signature of the configuration")))?;
            signed(&operator.enr_signature, &operator.address, &Message::Enr(&operator.enr), chain)
                .map_err(|failure| failure.context(format!("{name}, signature of its node record")))?;
        }
        Ok(Standing::Signed)
    }

    /// Checks what is on offer before all have signed: numbers, accounts, the config hash, and the creator's signature if
    /// there is one. This is what an operator agrees to.
    pub fn verify_offer(&self, rules: &Rules) -> Result<()> {
        self.verify_numbers()?;
        let chain = self.chain_id()?;
        if let Some(wanted) = rules.chain_id.filter(|wanted| *wanted != chain) {
            return Err(Failure::new(format!("this definition is for the chain {chain}, not for {wanted}")));
        }
        self.verify_accounts()?;
        let hash = self.compute_config_hash()?;
        same(&self.config_hash, hash, "config")?;
        if let Some(wanted) = rules.config_hash.filter(|wanted| *wanted != hash) {
            return Err(Failure::new(format!("this definition has the config hash {hash}, not {wanted}")));
        }
        if self.creator.config_signature.0.is_empty() {
            return Ok(());
        }
        signed(&self.creator.config_signature, &self.creator.address, &Message::Creator(hash), chain)
            .map_err(|failure| failure.context("the creator's signature"))
    }

    /// Where the node with this key stands among the operators; compared by key, since a record may be signed anew.
    pub fn position_of_node(&self, key: &NodeKey) -> Result<usize> {
        let ours = key.public_key();
        let is_ours =
            |enr: &str| enr.parse::<Record>().and_then(|record| record.public_key()).is_ok_and(|it| it == ours);
        self.operators.iter().position(|operator| is_ours(&operator.enr)).ok_or_else(|| {
            Failure::new(format!("our node key, of {}.., is in no operator's record", &ours[..16])).help(
                "the operator accepted with the record of another key: use that key's file, or accept anew with this one",
            )
        })
    }

    fn verify_numbers(&self) -> Result<()> {
        let operators = self.operators.len();
        if !(FEWEST_OPERATORS..=MOST_OPERATORS).contains(&operators) {
            return Err(Failure::new(format!(
                "the cluster has {operators} operators; {FEWEST_OPERATORS} to {MOST_OPERATORS} can make one"
            )));
        }
        if self.threshold < 2 || self.threshold > operators as u64 {
            return Err(Failure::new(format!(
                "the threshold is {}, and must be 2 to {operators}, the number of operators",
                self.threshold
            )));
        }
        if self.num_validators == 0 || self.num_validators > MOST_VALIDATORS as u64 {
            return Err(Failure::new(format!("the cluster is to have {} validators", self.num_validators)));
        }
        if self.num_validators != self.validators.len() as u64 {
            return Err(Failure::new(format!(
                "the cluster is to have {} validators, and names the addresses of {}",
                self.num_validators,
                self.validators.len()
            )));
        }
        Ok(())
    }

    fn verify_accounts(&self) -> Result<()> {
        let mut seen: Vec<Address> = Vec::with_capacity(self.operators.len());
        for (at, operator) in self.operators.iter().enumerate().filter(|(_, it)| !it.address.is_empty()) {
            let account = parse_address(&operator.address).map_err(|it| it.context(self.operator_name(at)))?;
            if seen.contains(&account) {
                return Err(Failure::new(format!(
                    "{} is there twice: each operator has one account",
                    self.operator_name(at)
                )));
            }
            seen.push(account);
        }
        for (at, validator) in self.validators.iter().enumerate() {
            for address in [&validator.fee_recipient_address, &validator.withdrawal_address] {
                parse_address(address).map_err(|failure| failure.context(format!("validator {}", at + 1)))?;
            }
        }
        Ok(())
    }

    /// Every operator has a record that its own key signed, and no two have one key.
    fn verify_nodes(&self) -> Result<()> {
        let mut keys: Vec<String> = Vec::with_capacity(self.operators.len());
        for (at, operator) in self.operators.iter().enumerate() {
            let name = self.operator_name(at);
            if operator.enr.is_empty() {
                return Err(Failure::new(format!("{name} has given no node record yet: it has not accepted")));
            }
            let key = operator.record().and_then(|record| record.public_key()).map_err(|it| it.context(&name))?;
            if let Some(first) = keys.iter().position(|other| *other == key) {
                return Err(Failure::new(format!("{} and {name} have the same node key", self.operator_name(first)))
                    .help("each operator runs a node with a key of its own"));
            }
            keys.push(key);
        }
        Ok(())
    }
}

/// Whether the account made this signature.
fn signed(signature: &Bytes, address: &str, message: &Message, chain: u64) -> Result<()> {
    if signature.0.is_empty() {
        return Err(Failure::new("it is missing"));
    }
    let account = parse_address(address)?;
    if signature.0.len() != 65 {
        return Err(Failure::new(format!(
            "it has {} bytes, as those of contract accounts (Safe) have",
            signature.0.len()
        ))
        .help("only a contract can judge it, and none is asked here: let the operator sign with an ordinary account"));
    }
    match message.signer(&signature.0, chain) {
        Some(signer) if signer == account => Ok(()),
        Some(signer) => Err(Failure::new(format!("it is wrong: it leads to the account {signer}, not to {account}"))
            .help(format!(
                "{CHANGED}. Or {account} is a contract (Safe), which is not asked here: let it be an ordinary one"
            ))),
        None => Err(Failure::new("it is wrong: it is no signature at all").help(CHANGED)),
    }
}

/// Whether the file's hash is the one that its content has.
pub(super) fn same(said: &Bytes, computed: B256, name: &str) -> Result<()> {
    if said.0 == computed.as_slice() {
        return Ok(());
    }
    let said = if said.0.is_empty() { "nothing".to_owned() } else { said.to_string() };
    Err(Failure::new(format!("the {name} hash is wrong: the file says {said}, its content has {computed}"))
        .help(CHANGED))
}

#[cfg(test)]
mod tests;
