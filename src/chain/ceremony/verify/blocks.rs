//! Block 0 and block 1 as the node tells them, against what the genesis makes of them.

use super::{Agreed, Difference, brief};
use crate::base::Value;
use crate::chain::genesis::forks::Fork;
use crate::chain::genesis::{BlockZero, Engine, Format, hash};
use crate::chain::{Address, B256, Header, U256, bft, clique, quantity};
use alloy_primitives::hex;
use std::collections::BTreeSet;

/// Hash of an empty list: of ommers, which none of these engines has.
const NO_OMMERS: &str = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347";

fn number(block: &Value, field: &str) -> Option<U256> {
    quantity::number(&block[field]).ok()
}

fn small(block: &Value, field: &str) -> Option<u64> {
    quantity::small(&block[field]).ok()
}

fn bytes(block: &Value, field: &str) -> Option<Vec<u8>> {
    quantity::bytes(&block[field]).ok()
}

fn fixed(block: &Value, field: &str) -> Option<B256> {
    quantity::hash(&block[field]).ok()
}

/// Block 0. Where its hash follows from the file, it says everything; fields are named to tell what differs, and where the hash does
/// not follow (Autonity) they are what can be compared.
pub fn zero(agreed: &Agreed, block: &Value) -> Vec<Difference> {
    const CHECK: &str = "block 0";
    let told = fixed(block, "hash");
    if told.is_some() && told == agreed.hash {
        return Vec::new();
    }
    let genesis = &agreed.genesis;
    let header = BlockZero::without_accounts(genesis).header(hash::usual_target(genesis.format, genesis.engine));
    let mut differences = Vec::new();
    let mut field = |what: &str, ours: String, theirs: Option<String>| {
        if theirs.as_ref().is_some_and(|theirs| *theirs != ours) {
            let theirs = theirs.unwrap_or_default();
            let why = format!("its {what} is {} in the node, and {} in the genesis", brief(&theirs), brief(&ours));
            differences.push(Difference::new(CHECK, why));
        }
    };
    let text = |value: Option<U256>| value.map(|value| value.to_string());
    field("gas limit", header.gas_limit.to_string(), text(number(block, "gasLimit")));
    field("difficulty", header.difficulty.to_string(), text(number(block, "difficulty")));
    field("timestamp", header.timestamp.to_string(), text(number(block, "timestamp")));
    if genesis.format != Format::Parity {
        field("nonce", hex::encode_prefixed(header.nonce), bytes(block, "nonce").map(hex::encode_prefixed));
        field("mixHash", header.mix_hash.to_string(), fixed(block, "mixHash").map(|hash| hash.to_string()));
    }
    // Autonity's client writes its committee there, or nothing, as the release has it.
    if genesis.engine != Engine::Autonity {
        field("extraData", hex::encode_prefixed(&header.extra), bytes(block, "extraData").map(hex::encode_prefixed));
    }
    if let Some(wanted) = agreed.hash {
        let theirs = told.map_or_else(|| "no hash".to_owned(), |hash| hash.to_string());
        differences
            .insert(0, Difference::new(CHECK, format!("it is {theirs} in the node, and {wanted} by the genesis")));
    }
    differences
}

/// Block 1: it stands on block 0, and has the form that the engine gives it with the options of the genesis.
pub fn first(agreed: &Agreed, zero: &Value, block: &Value) -> Vec<Difference> {
    let mut look = Look { agreed, block, found: Vec::new() };
    look.stands_on(zero);
    look.gas_limit(zero);
    look.fixed_fields();
    match agreed.genesis.engine {
        Engine::Clique => look.clique(),
        Engine::Aura => look.aura(),
        Engine::Qbft => look.validators_in_extra(bft::qbft_validators),
        Engine::Ibft2 => look.validators_in_extra(bft::ibft2_validators),
        Engine::Istanbul => look.validators_in_extra(bft::istanbul_validators),
        _ => {}
    }
    look.found
}

struct Look<'a> {
    agreed: &'a Agreed,
    block: &'a Value,
    found: Vec<Difference>,
}

impl Look<'_> {
    fn tell(&mut self, why: String) {
        self.found.push(Difference::new("block 1", why));
    }

    fn stands_on(&mut self, zero: &Value) {
        let (parent, below) = (fixed(self.block, "parentHash"), self.agreed.hash.or_else(|| fixed(zero, "hash")));
        if parent.is_none() || parent != below {
            let show = |hash: Option<B256>| hash.map_or_else(|| "nothing".to_owned(), |hash| hash.to_string());
            self.tell(format!("it stands on {}, not on block 0 ({})", show(parent), show(below)));
        }
        if number(self.block, "number") != Some(U256::ONE) {
            self.tell(format!("its number is {}", self.block["number"]));
        }
        let (genesis, begin) = (&self.agreed.genesis, self.agreed.genesis.timestamp);
        // Clique's is the only rule that is the same in all clients: never earlier than a period after its parent.
        let period = match genesis.engine {
            Engine::Clique => genesis.settings.get("clique.period").and_then(|text| text.parse().ok()).unwrap_or(0),
            _ => 1_u64,
        };
        match small(self.block, "timestamp") {
            Some(time) if time >= begin.saturating_add(period) && time > begin => {}
            Some(time) => self.tell(format!("its timestamp is {time}, too early after that of the genesis, {begin}")),
            None => self.tell("it has no timestamp".into()),
        }
    }

    /// Each block may change it by less than a 1024th of its parent's, which is that of the genesis.
    fn gas_limit(&mut self, zero: &Value) {
        let genesis = &self.agreed.genesis;
        let setting = |name: &str| genesis.settings.get(name).and_then(|text| text.parse::<u64>().ok());
        let divisor = setting("params.gaslimitbounddivisor").filter(|divisor| *divisor > 0).unwrap_or(1024);
        let least = setting("params.mingaslimit").unwrap_or(5000);
        let mut parent = if genesis.gas_limit == 0 { small(zero, "gasLimit").unwrap_or(0) } else { genesis.gas_limit };
        // London's first block doubles it, so that its target stays what the limit was.
        if genesis.forks.get(&Fork::London) == Some(&1) && genesis.format != Format::Parity {
            parent = parent.saturating_mul(2);
        }
        match small(self.block, "gasLimit") {
            Some(limit) if limit == parent || (limit.abs_diff(parent) < parent / divisor && limit >= least) => {}
            Some(limit) => self.tell(format!(
                "its gas limit is {limit}: from {parent} in the genesis one block may change it by less than {}, and never below {least}",
                parent / divisor
            )),
            None => self.tell("it has no gas limit".into()),
        }
    }

    /// Fields that an engine uses for something of its own, or not at all.
    fn fixed_fields(&mut self) {
        let engine = self.agreed.genesis.engine;
        let ommers = self.block["sha3Uncles"].as_str().unwrap_or(NO_OMMERS);
        if !ommers.eq_ignore_ascii_case(NO_OMMERS) {
            self.tell("it has uncles, which this engine never has".into());
        }
        let difficulty = number(self.block, "difficulty").unwrap_or_default();
        let (fits, form) = match engine {
            Engine::Clique => (difficulty == U256::ONE || difficulty == U256::from(2), "1 or 2"),
            Engine::Aura => {
                (difficulty > U256::from(u128::MAX >> 1) && difficulty <= U256::from(u128::MAX), "almost 2^128")
            }
            // 0.7 and earlier count blocks; later releases have it at 0.
            Engine::Autonity => (difficulty <= U256::ONE, "0 or 1"),
            _ => (difficulty == U256::ONE, "1"),
        };
        if !fits {
            self.tell(format!("its difficulty is {difficulty}: with {} it is {form}", engine.name()));
        }
        if engine == Engine::Aura {
            return;
        }
        let wanted = if engine == Engine::Clique { Some(B256::ZERO) } else { bft::MIX_HASH.parse().ok() };
        let mix = fixed(self.block, "mixHash");
        if mix != wanted {
            let show = |hash: Option<B256>| hash.map_or_else(|| "missing".to_owned(), |hash| hash.to_string());
            self.tell(format!("its mixHash is {}: with {} it is {}", show(mix), engine.name(), show(wanted)));
        }
        let nonce = bytes(self.block, "nonce").unwrap_or_default();
        // Clique's sealers vote with it.
        let vote = matches!(engine, Engine::Clique | Engine::Istanbul) && nonce == [0xff; 8];
        if nonce != [0; 8] && !vote {
            self.tell(format!("its nonce is {}: with {} it is 0", hex::encode_prefixed(&nonce), engine.name()));
        }
        if matches!(engine, Engine::Qbft | Engine::Autonity) {
            self.coinbase();
        }
    }

    /// Where it is the proposer's.
    fn coinbase(&mut self) {
        let genesis = &self.agreed.genesis;
        // Besu can be told to pay somebody else.
        if genesis.settings.keys().any(|path| path.ends_with("miningbeneficiary")) {
            return;
        }
        self.made_by("proposed", &super::seats::accounts_of(self.agreed));
    }

    fn made_by(&mut self, deed: &str, may: &[Address]) {
        let miner = super::seats::sealer(self.block);
        if !miner.is_some_and(|miner| may.contains(&miner)) {
            let who = miner.map_or_else(|| "nobody".to_owned(), |miner| miner.to_string());
            self.tell(format!("it was {deed} by {who}, who is no validator of the genesis"));
        }
    }

    fn clique(&mut self) {
        let extra = bytes(self.block, "extraData").unwrap_or_default();
        let each_is_an_epoch = self.agreed.genesis.settings.get("clique.epoch").is_some_and(|epoch| epoch == "1");
        if extra.len() != clique::VANITY + clique::SEAL && !each_is_an_epoch {
            let length = extra.len();
            self.tell(format!(
                "its extraData has {length} bytes: a vanity of 32 and a seal of 65 are there between epochs"
            ));
            return;
        }
        match Header::from_rpc(self.block).and_then(|header| clique::sealer(&header)) {
            Ok(sealer) if self.agreed.genesis.validators().contains(&sealer) => {}
            Ok(sealer) => {
                self.tell(format!("it was sealed by {}, who is no signer of the genesis", self.agreed.account(sealer)));
            }
            Err(failure) => self.tell(failure.message),
        }
    }

    fn aura(&mut self) {
        let genesis = &self.agreed.genesis;
        let most = genesis.settings.get("params.maximumextradatasize").and_then(|text| text.parse().ok()).unwrap_or(32);
        let extra = bytes(self.block, "extraData").unwrap_or_default().len();
        if extra > most {
            self.tell(format!("its extraData has {extra} bytes, and the genesis allows {most}"));
        }
        let may = genesis.validators();
        if !may.is_empty() {
            self.made_by("sealed", &may);
        }
    }

    fn validators_in_extra(&mut self, read: fn(&[u8]) -> Vec<Address>) {
        let wanted: BTreeSet<Address> = self.agreed.genesis.validators().into_iter().collect();
        let found: BTreeSet<Address> = read(&bytes(self.block, "extraData").unwrap_or_default()).into_iter().collect();
        if wanted.is_empty() || wanted == found {
            return;
        }
        let list = |from: &BTreeSet<Address>, without: &BTreeSet<Address>| {
            let names: Vec<String> = from.difference(without).map(|account| self.agreed.account(*account)).collect();
            if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
        };
        let (missing, more) = (list(&wanted, &found), list(&found, &wanted));
        self.tell(format!(
            "its extraData has other validators than the genesis; missing: {missing}; in addition: {more}"
        ));
    }
}
