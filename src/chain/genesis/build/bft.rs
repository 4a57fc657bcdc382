//! QBFT and IBFT 2.0 for Besu, QBFT and Istanbul for GoQuorum.

use super::{Block, Common, object};
use crate::base::failure::Result;
use crate::chain::bft;
use alloy_primitives::Address;
use serde_json::json;

/// Which engine of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Besu's QBFT.
    Qbft,
    /// Besu's IBFT 2.0.
    Ibft2,
    /// GoQuorum's QBFT.
    QuorumQbft,
    /// GoQuorum's Istanbul, which takes its period from `--istanbul.blockperiod`.
    Istanbul,
}

/// A network whose validators agree on every block before it is made.
#[derive(Debug, Clone)]
pub struct Bft {
    /// Which engine.
    pub family: Family,
    /// Seconds between blocks.
    pub period: u64,
    /// Blocks after which the votes are reset.
    pub epoch: u64,
    /// Seconds after which a round without a block is given up.
    pub request_timeout: u64,
    /// Who proposes and agrees.
    pub validators: Vec<Address>,
}

impl Bft {
    /// The file.
    pub fn to_json(&self, common: &Common) -> Result<String> {
        let besu = json!({
            "blockperiodseconds": self.period,
            "epochlength": self.epoch,
            "requesttimeoutseconds": self.request_timeout,
        });
        let (engine, extra_data) = match self.family {
            Family::Qbft => (json!({"qbft": besu}), bft::qbft(&self.validators)?),
            Family::Ibft2 => (json!({"ibft2": besu}), bft::ibft2(&self.validators)?),
            Family::QuorumQbft => {
                let mut qbft = object(besu);
                qbft.insert("policy".into(), 0.into());
                qbft.insert("ceil2Nby3Block".into(), 0.into());
                (quorum(&json!({"qbft": qbft})), bft::qbft(&self.validators)?)
            }
            Family::Istanbul => {
                let istanbul = json!({"istanbul": {"epoch": self.epoch, "policy": 0, "ceil2Nby3Block": 0}});
                (quorum(&istanbul), bft::istanbul(&self.validators)?)
            }
        };
        let block = Block { mix_hash: bft::MIX_HASH.into(), ..Block::new(extra_data) };
        common.to_json(object(engine), block)
    }
}

/// What GoQuorum wants in every file: it refuses a transaction size limit outside of 32 to 128.
fn quorum(engine: &serde_json::Value) -> serde_json::Value {
    let mut config = object(json!({
        "isQuorum": true,
        "txnSizeLimit": 64,
        "maxCodeSizeConfig": [{"block": 0, "size": 64}],
    }));
    config.extend(object(engine.clone()));
    config.into()
}
