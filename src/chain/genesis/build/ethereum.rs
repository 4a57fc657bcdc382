//! Plain Ethereum: proof of stake from block 0, blocks come from consensus clients.

use super::{Block, Common, object};
use crate::base::{Map, failure::Result};
use crate::chain::genesis::forks::Fork;
use serde_json::json;

/// A network that begins after the merge.
#[derive(Debug, Clone, Default)]
pub struct Ethereum {
    /// Up to 32 bytes, free to choose.
    pub extra_data: Vec<u8>,
}

impl Ethereum {
    /// The file. Of every fork with blobs it names the schedule, without which geth from 1.15.11 on does not start.
    pub fn to_json(&self, common: &Common) -> Result<String> {
        let mut blobs = Map::new();
        for (fork, name, target, max, fraction) in [
            (Fork::Cancun, "cancun", 3, 6, 3_338_477),
            (Fork::Prague, "prague", 6, 9, 5_007_716),
            (Fork::Osaka, "osaka", 6, 9, 5_007_716),
            (Fork::Bpo1, "bpo1", 10, 15, 8_346_193),
            (Fork::Bpo2, "bpo2", 14, 21, 11_684_671),
        ] {
            if common.forks.contains_key(&fork) {
                blobs.insert(name.into(), json!({"target": target, "max": max, "baseFeeUpdateFraction": fraction}));
            }
        }
        let mut engine = object(json!({"terminalTotalDifficulty": 0, "terminalTotalDifficultyPassed": true}));
        if !blobs.is_empty() {
            engine.insert("blobSchedule".into(), blobs.into());
        }
        common.to_json(engine, Block { difficulty: "0x0", ..Block::new(self.extra_data.clone()) })
    }
}
