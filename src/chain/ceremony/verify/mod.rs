//! Whether a node is one of the network that was agreed on: what it says, held against the genesis that was made and the parties
//! that DNS names. Asking is the module's; here everything is compared, and what differs gets a sentence that names it.
//!
//! | file | job |
//! |---|---|
//! | [`seats`] | who may seal: by the genesis, and by the node |
//! | [`blocks`] | block 0 and block 1 |
//! | [`config`] | the chain's configuration |

pub mod blocks;
pub mod config;
pub mod seats;

use crate::base::{Failure, Source, Value, failure::Result};
use crate::chain::genesis::{self, BlockZero, Genesis, hash};
use crate::chain::{Address, B256, Enode, parse_address};

/// A party, as `dns_ceremony` returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What it is called.
    pub name: String,
    /// Its node.
    pub enode: Enode,
    /// The account that seals.
    pub account: Address,
}

impl Member {
    /// Reads `name`, `enode` and `account`.
    pub fn read(value: &Value) -> Result<Self> {
        let text = |name: &str| {
            value
                .get(name)
                .and_then(Value::as_str)
                .ok_or_else(|| Failure::new(format!("a party has no `{name}`")).help("give `parties` of dns_ceremony"))
        };
        Ok(Self {
            name: text("name")?.into(),
            enode: text("enode")?.parse()?,
            account: parse_address(text("account")?)?,
        })
    }
}

/// What was agreed on.
#[derive(Debug, Clone)]
pub struct Agreed {
    /// The genesis file.
    pub text: String,
    /// What it means.
    pub genesis: Genesis,
    /// Hash of block 0, where it follows from the file.
    pub hash: Option<B256>,
    /// Everybody on the sheet.
    pub members: Vec<Member>,
    /// Who came later, and may seal beside those of the genesis.
    pub joined: Vec<Member>,
    /// Which of them we are, by name.
    pub own: Option<String>,
}

impl Agreed {
    /// Reads the genesis. A file with a mistake is refused.
    pub fn new(text: &str, members: Vec<Member>) -> Result<Self> {
        let genesis = read(text)?;
        let target = hash::usual_target(genesis.format, genesis.engine);
        let hash = BlockZero::new(&genesis).ok().map(|block| block.header(target).hash());
        Ok(Self { text: text.to_owned(), genesis, hash, members, joined: Vec::new(), own: None })
    }

    /// Who we are.
    pub fn ourselves(&self) -> Option<&Member> {
        let own = self.own.as_deref()?;
        self.members.iter().chain(&self.joined).find(|member| member.name == own)
    }

    /// Whose account it is: `beta (0x..)`, or the account alone.
    pub fn account(&self, account: Address) -> String {
        match self.members.iter().chain(&self.joined).find(|member| member.account == account) {
            Some(member) => format!("{} ({account})", member.name),
            None => account.to_string(),
        }
    }
}

/// Reads a genesis or a chain specification.
pub fn read(text: &str) -> Result<Genesis> {
    let source = Source::new("genesis", text);
    let file = genesis::read::read(&source, None).map_err(|mistakes| genesis::unreadable(&mistakes))?;
    if file.mistakes.is_empty() { Ok(file.genesis) } else { Err(genesis::unreadable(&file.mistakes)) }
}

/// Something that is not as it was agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which check: `block 0`, `block 1`, `configuration`, `validators`, `own node`, `peers`.
    pub check: &'static str,
    /// What differs, in one sentence.
    pub why: String,
    /// Whether it may pass by itself, as while a network starts.
    pub passing: bool,
}

impl Difference {
    /// One that stays.
    pub fn new(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, why: why.into(), passing: false }
    }

    /// One that may pass.
    pub fn passing(check: &'static str, why: impl Into<String>) -> Self {
        Self { passing: true, ..Self::new(check, why) }
    }
}

/// The beginning of a value, for messages.
fn brief(text: &str) -> String {
    if text.chars().count() > 80 { text.chars().take(60).collect::<String>() + ".." } else { text.to_owned() }
}

#[cfg(test)]
mod tests;
