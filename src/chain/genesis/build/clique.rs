//! Clique: geth's and Besu's.

use super::{Block, Common, object};
use crate::base::failure::Result;
use crate::chain::clique;
use alloy_primitives::Address;
use serde_json::json;

/// A network that a list of signers seals, every few seconds one of them.
#[derive(Debug, Clone)]
pub struct Clique {
    /// Seconds between blocks.
    pub period: u64,
    /// Blocks after which the votes are reset.
    pub epoch: u64,
    /// Who may seal.
    pub signers: Vec<Address>,
    /// Besu calls the two settings otherwise.
    pub besu: bool,
}

impl Clique {
    /// The file.
    pub fn to_json(&self, common: &Common) -> Result<String> {
        let engine = if self.besu {
            json!({"clique": {"blockperiodseconds": self.period, "epochlength": self.epoch}})
        } else {
            json!({"clique": {"period": self.period, "epoch": self.epoch}})
        };
        common.to_json(object(engine), Block::new(clique::extra_data(&self.signers)?))
    }
}
