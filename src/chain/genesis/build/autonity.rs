//! Autonity: the formats of 0.7 (Clearmatics' chart) and of 0.14. No release of it runs in this project's tests, so what
//! is written here is checked against the documentation and the formats only.

use super::{Block, Common, merge, object};
use crate::base::{Failure, Map, Value, failure::Result};
use crate::chain::keys::address_of;
use crate::chain::{Enode, bft, parse_address};
use alloy_primitives::Address;
use serde_json::json;

/// Whose format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// 0.2 to 0.7: `config.tendermint` and `config.autonityContract`.
    V07,
    /// 0.10 to 0.14: `config.autonity`.
    V14,
}

/// A network of Autonity.
#[derive(Debug, Clone)]
pub struct Autonity {
    /// Whose format.
    pub generation: Generation,
    /// Seconds between blocks.
    pub period: u64,
    /// The governance account.
    pub operator: Address,
    /// Where fees go; 0.14 wants it.
    pub treasury: Option<Address>,
    /// The users or validators, with Autonity's own names: `enode`, and `type` and `stake` (0.7), or `treasury`,
    /// `consensusKey`, `oracleAddress` and `bondedStake` (0.14).
    pub validators: Vec<Map>,
    /// More settings of the contract, with Autonity's own names.
    pub settings: Map,
}

impl Autonity {
    /// The file.
    pub fn to_json(&self, common: &Common) -> Result<String> {
        if self.validators.is_empty() {
            return Err(Failure::new("the network has no validators: nobody could ever propose a block")
                .help("name at least one, with its enode"));
        }
        let users = self.validators.iter().enumerate().map(|(index, user)| {
            let named = || format!("validator {}", index + 1);
            match self.generation {
                Generation::V07 => user_of_07(user),
                Generation::V14 => validator_of_14(user),
            }
            .map_err(|failure| failure.context(named()))
        });
        let users: Vec<Value> = users.collect::<Result<_>>()?;
        let mut block = Block { mix_hash: bft::MIX_HASH.into(), ..Block::new(Vec::new()) };
        let engine = match self.generation {
            Generation::V07 => {
                if !users.iter().any(|user| user["type"] == "validator") {
                    return Err(Failure::new("no user is a validator: nobody could ever propose a block")
                        .help("write `type: validator` for at least one"));
                }
                let mut contract = object(json!({"minGasPrice": 0, "operator": self.operator.to_checksum(None)}));
                merge(&mut contract, &self.settings);
                contract.insert("users".into(), users.into());
                json!({"tendermint": {"policy": 0, "block-period": self.period}, "autonityContract": contract})
            }
            Generation::V14 => {
                block.difficulty = "0x0";
                let treasury = self.treasury.ok_or_else(|| {
                    Failure::new("Autonity 0.14 wants a treasury account").help("write `treasury: \"0x...\"`")
                })?;
                let mut contract = object(json!({
                    "minBaseFee": 500_000_000,
                    "epochPeriod": 1800,
                    "unbondingPeriod": 21_600,
                    "blockPeriod": self.period,
                    "maxCommitteeSize": 100,
                    "operator": self.operator.to_checksum(None),
                    "treasury": treasury.to_checksum(None),
                    "treasuryFee": 10_000_000_000_000_000_u64,
                    "delegationRate": 1000,
                    "initialInflationReserve": "0x2116545850052128000000",
                }));
                merge(&mut contract, &self.settings);
                contract.insert("validators".into(), users.into());
                json!({
                    "autonity": contract,
                    "accountability": {
                        "innocenceProofSubmissionWindow": 600,
                        "baseSlashingRateLow": 1000,
                        "baseSlashingRateMid": 2000,
                        "collusionFactor": 800,
                        "historyFactor": 500,
                        "jailFactor": 2,
                        "slashingRatePrecision": 10_000,
                    },
                    "oracle": {"votePeriod": 30},
                })
            }
        };
        common.to_json(object(engine), block)
    }
}

fn enode(user: &Map) -> Result<Enode> {
    let text = user.get("enode").and_then(Value::as_str);
    text.ok_or_else(|| Failure::new("has no `enode`").help("write `enode: enode://...@HOST:30303`"))?.parse()
}

fn known(user: &Map, names: &[&str]) -> Result<()> {
    let Some(other) = user.keys().find(|name| !names.contains(&name.as_str())) else { return Ok(()) };
    let near = crate::base::diagnostic::did_you_mean(other, names.iter().copied());
    Err(Failure::new(format!("has no `{other}`")).help(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", names.join(", ")),
    }))
}

/// The client refuses an address that does not belong to the enode, and a participant with stake.
fn user_of_07(user: &Map) -> Result<Value> {
    known(user, &["enode", "address", "type", "stake"])?;
    let node = enode(user)?;
    let kind = user.get("type").and_then(Value::as_str).unwrap_or("validator");
    if !["participant", "stakeholder", "validator"].contains(&kind) {
        return Err(Failure::new(format!("has the type `{kind}`"))
            .help("a user is a participant, a stakeholder or a validator"));
    }
    let stake = user.get("stake").map_or(Ok(0), crate::chain::quantity::small)?;
    if kind == "participant" && stake > 0 {
        return Err(Failure::new("is a participant with stake").help("a participant has none: make it a stakeholder"));
    }
    let address = address_of(&alloy_primitives::hex::decode(&node.public_key).unwrap_or_default());
    if let Some(named) = user.get("address").and_then(Value::as_str)
        && parse_address(named)? != address
    {
        return Err(Failure::new(format!("has the address {named}, but its enode belongs to {address}"))
            .help("leave `address` out: it follows from the enode"));
    }
    Ok(json!({"enode": node.to_string(), "address": address.to_checksum(None), "type": kind, "stake": stake}))
}

fn validator_of_14(user: &Map) -> Result<Value> {
    known(user, &["enode", "treasury", "consensusKey", "oracleAddress", "bondedStake", "pop"])?;
    enode(user)?;
    for name in ["treasury", "oracleAddress"] {
        let text = user.get(name).and_then(Value::as_str);
        parse_address(text.ok_or_else(|| Failure::new(format!("has no `{name}`")))?)
            .map_err(|failure| failure.context(name))?;
    }
    let key = user.get("consensusKey").map(crate::chain::quantity::bytes).transpose()?;
    if key.as_ref().map(Vec::len) != Some(48) {
        return Err(Failure::new("has no `consensusKey` of 48 bytes")
            .help("it is the public BLS key that `autonity genAutonityKeys` prints"));
    }
    if user.get("bondedStake").map(crate::chain::quantity::number).transpose()?.is_none_or(|stake| stake.is_zero()) {
        return Err(Failure::new("has no `bondedStake`").help("write how much Newton it bonds, at least 1"));
    }
    Ok(Value::Object(user.clone()))
}
