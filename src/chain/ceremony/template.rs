//! The template of a ceremony: a genesis in which names stand for what is not known yet.
//!
//! `fqdn://NAME` stands, as a whole text, where something of a party belongs: under a key `enode` it becomes the party's
//! enode, everywhere else (a list of validators, a treasury, a key of `alloc`) the address of its account. Where an engine
//! packs its signers into `extraData`, the template has a list of them there, names and addresses, and it is packed. So each
//! engine's genesis can be a template: Autonity's `users[].enode` (0.7) and `validators[].enode` (0.14), Clique, QBFT, IBFT
//! 2.0 and Istanbul by `extraData`, Aura's `validators.list`.
//!
//! Nothing else is touched, not even white space: the same template and the same parties are the same bytes for everybody.

use super::party::Party;
use super::sheet::{Sheet, parse_fqdn};
use crate::base::{Failure, Source, failure::Result};
use crate::chain::genesis::json::{self, Data, Node};
use crate::chain::genesis::{self, BlockZero, Engine, hash};
use crate::chain::{Address, B256, bft, clique, parse_address};
use alloy_primitives::hex;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// What stands before a name.
const SCHEME: &str = "fqdn://";

/// A template that was read.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    places: Vec<Place>,
    engine: Engine,
}

/// A genesis that was made of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The file.
    pub text: String,
    /// SHA-256 of the file, 64 digits.
    pub sha256: String,
    /// Hash of block 0; none for Autonity, where it does not follow from the file.
    pub hash: Option<B256>,
}

#[derive(Debug, Clone)]
struct Place {
    start: usize,
    end: usize,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Enode(String),
    Account(String),
    /// Packed extra data, of names and addresses.
    Signers(Vec<Signer>),
}

#[derive(Debug, Clone)]
enum Signer {
    Name(String),
    Known(Address),
}

impl Template {
    /// Reads a template. Every name in it must be written well, and where `extraData` is a list the engine must be one that
    /// has signers there.
    pub fn read(text: &str) -> Result<Self> {
        let source = Source::new("template", text);
        let (tree, mistakes) = json::read(&source);
        let Some(tree) = tree.filter(|_| mistakes.is_empty()) else {
            return Err(genesis::unreadable(&mistakes).context("the template"));
        };
        let engine = genesis::read::read(&source, None)
            .map_err(|mistakes| genesis::unreadable(&mistakes).context("the template"))?
            .genesis
            .engine;
        let mut places = Vec::new();
        walk(&tree, "", &mut places)?;
        places.sort_by_key(|place| place.start);
        let template = Self { text: text.to_owned(), places, engine };
        if template.names().is_empty() {
            return Err(Failure::new("the template has no names: there is nothing to fill in")
                .help("write \"fqdn://node.alpha.example\" where that organisation's enode or address belongs"));
        }
        let packs = template.places.iter().any(|place| matches!(place.what, What::Signers(_)));
        if packs && !matches!(engine, Engine::Clique | Engine::Qbft | Engine::Ibft2 | Engine::Istanbul) {
            return Err(Failure::new("`extraData` is a list, but `config` names no engine that has its signers there")
                .help("`config` has `clique`, `qbft`, `ibft2` or `istanbul`"));
        }
        Ok(template)
    }

    /// SHA-256 of the file, 64 digits.
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.text))
    }

    /// The names in it.
    pub fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        for place in &self.places {
            match &place.what {
                What::Enode(name) | What::Account(name) => {
                    names.insert(name.as_str());
                }
                What::Signers(signers) => names.extend(signers.iter().filter_map(|signer| match signer {
                    Signer::Name(name) => Some(name.as_str()),
                    Signer::Known(_) => None,
                })),
            }
        }
        names
    }

    /// Whether a validator's account is always that of its node's key, so that no other can be chosen.
    pub fn account_is_the_node_s(&self) -> bool {
        matches!(self.engine, Engine::Autonity | Engine::Qbft | Engine::Ibft2 | Engine::Istanbul)
    }

    /// Refuses a template that is not the sheet's, and names that stand in only one of them.
    pub fn fits(&self, sheet: &Sheet) -> Result<()> {
        if self.sha256() != sheet.template_sha256 {
            return Err(Failure::new(format!(
                "this is not the sheet's template: its SHA-256 is {}, the sheet says {}",
                self.sha256(),
                sheet.template_sha256
            ))
            .help("get both from the operator again; a file that was reformatted is another file"));
        }
        let wanted: BTreeSet<&str> = sheet.organisations.iter().map(|party| party.fqdn.as_str()).collect();
        let names = self.names();
        if let Some(name) = names.difference(&wanted).next() {
            return Err(Failure::new(format!("the template has `{name}`, which is nobody's on the sheet")));
        }
        if let Some(name) = wanted.difference(&names).next() {
            return Err(Failure::new(format!("`{name}` is on the sheet, but nowhere in the template")));
        }
        Ok(())
    }

    /// Fills in what is known of all parties.
    pub fn fill(&self, parties: &[Party]) -> Result<Filled> {
        let find = |name: &str| {
            let party = parties.iter().find(|party| party.fqdn == name);
            party.ok_or_else(|| Failure::new(format!("nothing is known of `{name}`, which the template needs")))
        };
        let mut text = String::with_capacity(self.text.len() + 200 * self.places.len());
        let mut copied = 0;
        for place in &self.places {
            text.push_str(&self.text[copied..place.start]);
            copied = place.end;
            let value = match &place.what {
                What::Enode(name) => find(name)?.enode.to_string(),
                What::Account(name) => find(name)?.account.to_checksum(None),
                What::Signers(signers) => {
                    let signers = signers.iter().map(|signer| match signer {
                        Signer::Known(address) => Ok(*address),
                        Signer::Name(name) => find(name).map(|party| party.account),
                    });
                    self.pack(&signers.collect::<Result<Vec<_>>>()?)?
                }
            };
            // Enodes, addresses and digits have nothing that JSON would want escaped.
            text.push('"');
            text.push_str(&value);
            text.push('"');
        }
        text.push_str(&self.text[copied..]);
        let hash = block_zero(&text).map_err(|failure| failure.context("the genesis that was made"))?;
        Ok(Filled { sha256: hex::encode(Sha256::digest(&text)), hash, text })
    }

    fn pack(&self, signers: &[Address]) -> Result<String> {
        let extra = match self.engine {
            Engine::Qbft => bft::qbft(signers),
            Engine::Ibft2 => bft::ibft2(signers),
            Engine::Istanbul => bft::istanbul(signers),
            _ => clique::extra_data(signers),
        }?;
        Ok(hex::encode_prefixed(extra))
    }
}

/// Hash of block 0, where it follows from the file. A file with a mistake (an account that stands in `alloc` twice, now that
/// its address is known) is refused.
fn block_zero(text: &str) -> Result<Option<B256>> {
    let source = Source::new("genesis", text);
    let file = genesis::read::read(&source, None).map_err(|mistakes| genesis::unreadable(&mistakes))?;
    if !file.mistakes.is_empty() {
        return Err(genesis::unreadable(&file.mistakes));
    }
    if file.genesis.engine == Engine::Autonity {
        return Ok(None);
    }
    let target = hash::usual_target(file.genesis.format, file.genesis.engine);
    Ok(Some(BlockZero::new(&file.genesis)?.header(target).hash()))
}

fn walk(node: &Node, key: &str, places: &mut Vec<Place>) -> Result<()> {
    let place = |start: u32, end: u32, what| Place { start: start as usize, end: end as usize, what };
    match &node.data {
        Data::Text(text) => {
            if let Some(name) = name(text)? {
                let what = if key == "enode" { What::Enode(name) } else { What::Account(name) };
                places.push(place(node.start, node.end, what));
            }
        }
        Data::List(items) if key.eq_ignore_ascii_case("extraData") => {
            let signers = items.iter().map(|item| {
                let text = item.as_text().ok_or_else(|| Failure::new("`extraData` lists something that is no text"))?;
                Ok(match name(text)? {
                    Some(name) => Signer::Name(name),
                    None => Signer::Known(parse_address(text).map_err(|failure| failure.context("`extraData`"))?),
                })
            });
            places.push(place(node.start, node.end, What::Signers(signers.collect::<Result<_>>()?)));
        }
        Data::List(items) => {
            for item in items {
                walk(item, key, places)?;
            }
        }
        Data::Table(entries) => {
            let mut folded = BTreeSet::new();
            for (key, value) in entries {
                // Go's JSON reads a key in any case (and the Kelvin sign as a k, the long s as an s) and takes the last.
                if !folded.insert(key.name.to_uppercase().to_lowercase()) {
                    let name = json::shorten(&key.name);
                    return Err(Failure::new(format!(
                        "the template has `{name}` twice in one table, in different case"
                    ))
                    .help("clients do not agree on which of them counts: leave one"));
                }
                if let Some(name) = name(&key.name)? {
                    places.push(place(key.start, key.end, What::Account(name)));
                }
                walk(value, &key.name, places)?;
            }
        }
        Data::Null | Data::Bool(_) | Data::Number(_) => {}
    }
    Ok(())
}

/// The name in `fqdn://NAME`. A text that only contains one is a mistake: it would stay as it is.
fn name(text: &str) -> Result<Option<String>> {
    match text.strip_prefix(SCHEME) {
        Some(rest) => parse_fqdn(rest).map(Some).map_err(|failure| failure.context("the template")),
        None if text.to_ascii_lowercase().contains(SCHEME) => {
            Err(Failure::new(format!("the template has a name inside of another text: {}", json::shorten(text)))
                .help("`fqdn://NAME` stands alone, in lower case, as the whole text"))
        }
        None => Ok(None),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::party::{judge, tests::good};
    use super::super::sheet::tests::sheet;
    use super::*;
    use crate::chain::NodeKey;

    /// A template of Clique.
    pub const CLIQUE: &str = r#"{
  "config": {"chainId": 46781, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0, "clique": {"period": 2, "epoch": 30000}},
  "difficulty": "0x1",
  "gasLimit": "0x47b760",
  "extraData": ["fqdn://node.beta.example", "fqdn://node.alpha.example"],
  "alloc": {"fqdn://node.alpha.example": {"balance": "1000000000000000000000000000"}, "00000000000000000000000000000000000000ff": {"balance": "1"}}
}
"#;

    /// Parties with the node keys 1, 2, ...
    pub fn parties(sheet: &Sheet) -> Vec<Party> {
        let key = |number: usize| NodeKey::from_hex(&format!("{:064x}", number + 1)).unwrap();
        let parties = sheet.organisations.iter().enumerate();
        parties
            .map(|(number, party)| {
                judge(sheet, party, good(sheet, &key(number), u8::try_from(number + 1).unwrap())).unwrap()
            })
            .collect()
    }

    #[test]
    fn a_clique_template_becomes_the_same_genesis_for_all() {
        let sheet = sheet(&["alpha", "beta"]);
        let template = Template::read(CLIQUE).unwrap();
        assert!(template.fits(&Sheet { template_sha256: template.sha256(), ..sheet.clone() }).is_ok());
        let mut parties = parties(&sheet);
        let filled = template.fill(&parties).unwrap();
        parties.reverse();
        assert_eq!(template.fill(&parties).unwrap(), filled);
        let (one, two) = ("0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf", "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF");
        // Ascending: the account of key 2 is the smaller one.
        let extra =
            format!("0x{}{}{}{}", "0".repeat(64), &two[2..].to_lowercase(), &one[2..].to_lowercase(), "0".repeat(130));
        let expected = CLIQUE
            .replace(r#"["fqdn://node.beta.example", "fqdn://node.alpha.example"]"#, &format!("\"{extra}\""))
            .replace("fqdn://node.alpha.example", one);
        assert_eq!(filled.text, expected);
        assert_eq!(filled.hash, Some(genesis::header(&expected).unwrap().hash()));
    }

    #[test]
    fn autonity_aura_and_qbft_are_filled_where_their_clients_read() {
        let sheet = sheet(&["alpha", "beta"]);
        let parties = parties(&sheet);
        let fill = |text: &str| Template::read(text).unwrap().fill(&parties).unwrap();
        let enode = parties[0].enode.to_string();
        let old = fill(&format!(
            r#"{{"config": {{"chainId": 1, "autonityContract": {{"minGasPrice": 0, "operator": "0x{}", "users": [{{"enode": "fqdn:\/\/NODE.alpha.example.", "type": "validator", "stake": 50000}}]}}}}, "difficulty": "0x1", "gasLimit": "0x5F5E100", "mixHash": "{}", "alloc": {{}}}}"#,
            "11".repeat(20),
            bft::MIX_HASH,
        ));
        assert!(old.text.contains(&format!(r#""users": [{{"enode": "{enode}", "type""#)), "{}", old.text);
        assert_eq!(old.hash, None);
        let young = fill(
            r#"{"config": {"chainId": 1, "autonity": {"validators": [{"enode": "fqdn://node.alpha.example", "treasury": "fqdn://node.beta.example"}]}}, "difficulty": "0x1", "gasLimit": "0x5F5E100", "alloc": {}}"#,
        );
        assert!(young.text.contains(&enode) && young.text.contains("0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"));
        let aura = fill(
            r#"{"name": "x", "engine": {"authorityRound": {"params": {"stepDuration": "2", "validators": {"list": ["fqdn://node.alpha.example", "fqdn://node.beta.example"]}}}}, "params": {"networkID": "0x11", "maximumExtraDataSize": "0x20", "minGasLimit": "0x1388", "gasLimitBoundDivisor": "0x400"}, "genesis": {"seal": {"authorityRound": {"step": "0x0", "signature": "0x"}}, "difficulty": "0x20000", "gasLimit": "0x2625A00"}, "accounts": {}}"#,
        );
        assert!(aura.text.contains(
            r#""list": ["0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf", "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"]"#
        ));
        assert!(aura.hash.is_some());
        let qbft = fill(
            r#"{"config": {"chainId": 1, "berlinBlock": 0, "qbft": {"blockperiodseconds": 2}}, "difficulty": "0x1", "gasLimit": "0x47b760", "mixHash": "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365", "extraData": ["fqdn://node.alpha.example", "0x00000000000000000000000000000000000000ff"], "alloc": {}}"#,
        );
        let extra = genesis::header(&qbft.text).unwrap().extra;
        assert_eq!(bft::qbft_validators(&extra).len(), 2);
    }

    #[test]
    fn a_template_that_would_go_wrong_is_refused_at_once() {
        let wrong = |text: &str| Template::read(text).unwrap_err().to_string();
        assert!(wrong("{").contains("the template: line 1"));
        assert!(wrong("[]").contains("not a genesis"));
        assert!(wrong(r#"{"config": {}}"#).contains("no names"));
        assert!(wrong(r#"{"config": {}, "a": "fqdn://nowhere"}"#).contains("`nowhere` is not a full name"));
        assert!(wrong(r#"{"config": {}, "a": "enode://fqdn://node.a.example"}"#).contains("inside of another"));
        assert!(
            wrong(&CLIQUE.replace(r#""alloc""#, r#""Clique": 1, "cli\u0051ue": 2, "alloc""#))
                .contains("in different case")
        );
        assert!(
            wrong(r#"{"config": {"chainId": 1, "stake": 1, "\u017ftake": 2}, "a": "fqdn://a.b"}"#).contains("twice")
        );
        assert!(wrong(r#"{"config": {}, "extraData": ["fqdn://node.a.example"]}"#).contains("no engine"));
        assert!(wrong(&CLIQUE.replace("fqdn://node.beta.example", "0x12")).contains("`extraData`: `0x12`"));

        let template = Template::read(CLIQUE).unwrap();
        let fits = |sheet: Sheet| template.fits(&sheet).unwrap_err().to_string();
        assert!(fits(sheet(&["alpha", "beta"])).contains("not the sheet's template"));
        let template_sha256 = template.sha256();
        let own = |names: &[&str]| Sheet { template_sha256: template_sha256.clone(), ..sheet(names) };
        assert!(fits(own(&["alpha"])).contains("`node.beta.example`, which is nobody's"));
        assert!(fits(own(&["alpha", "beta", "gamma"])).contains("`node.gamma.example` is on the sheet, but nowhere"));
        let failure = template.fill(&parties(&sheet(&["alpha"]))).unwrap_err();
        assert!(failure.message.contains("nothing is known of `node.beta.example`"), "{failure}");
        // The address of alpha's account is already there.
        let twice =
            CLIQUE.replace("00000000000000000000000000000000000000ff", "7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
        let failure = Template::read(&twice).unwrap().fill(&parties(&sheet(&["alpha", "beta"]))).unwrap_err();
        assert!(failure.message.contains("the genesis that was made"), "{failure}");
    }
}
