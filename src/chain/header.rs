//! Block headers: their RLP, their hash.

use super::quantity;
use crate::base::{Failure, Value, failure::Result};
use alloy_primitives::{Address, B256, Bloom, U256, keccak256};
use alloy_rlp::{Encodable, Header as RlpHeader};

/// A header with all fields that ever were, those of later forks only where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the yellow paper's")]
pub struct Header {
    pub parent_hash: B256,
    pub ommers_hash: B256,
    pub coinbase: Address,
    pub state_root: B256,
    pub transactions_root: B256,
    pub receipts_root: B256,
    pub bloom: Bloom,
    pub difficulty: U256,
    pub number: u64,
    pub gas_limit: u64,
    pub gas_used: u64,
    pub timestamp: u64,
    pub extra: Vec<u8>,
    pub mix_hash: B256,
    pub nonce: [u8; 8],
    /// From London on.
    pub base_fee: Option<U256>,
    /// From Shanghai on.
    pub withdrawals_root: Option<B256>,
    /// From Cancun on.
    pub blob_gas_used: Option<u64>,
    /// From Cancun on.
    pub excess_blob_gas: Option<u64>,
    /// From Cancun on.
    pub parent_beacon_root: Option<B256>,
    /// From Prague on.
    pub requests_hash: Option<B256>,
}

impl Header {
    /// Reads what `eth_getBlockByNumber` returns.
    pub fn from_rpc(block: &Value) -> Result<Self> {
        let field = |name: &str| {
            block
                .get(name)
                .filter(|value| !value.is_null())
                .ok_or_else(|| Failure::new(format!("this block has no `{name}`")))
        };
        let optional = |name: &str| block.get(name).filter(|value| !value.is_null());
        let mut nonce = [0; 8];
        let nonce_bytes = quantity::bytes(field("nonce")?)?;
        if nonce_bytes.len() != 8 {
            return Err(Failure::new("this block's nonce has not 8 bytes"));
        }
        nonce.copy_from_slice(&nonce_bytes);
        let bloom = quantity::bytes(field("logsBloom")?)?;
        if bloom.len() != 256 {
            return Err(Failure::new("this block's bloom filter has not 256 bytes"));
        }
        let coinbase = quantity::bytes(field("miner")?)?;
        if coinbase.len() != 20 {
            return Err(Failure::new("this block's miner has not 20 bytes"));
        }
        Ok(Self {
            parent_hash: quantity::hash(field("parentHash")?)?,
            ommers_hash: quantity::hash(field("sha3Uncles")?)?,
            coinbase: Address::from_slice(&coinbase),
            state_root: quantity::hash(field("stateRoot")?)?,
            transactions_root: quantity::hash(field("transactionsRoot")?)?,
            receipts_root: quantity::hash(field("receiptsRoot")?)?,
            bloom: Bloom::from_slice(&bloom),
            difficulty: quantity::number(field("difficulty")?)?,
            number: quantity::small(field("number")?)?,
            gas_limit: quantity::small(field("gasLimit")?)?,
            gas_used: quantity::small(field("gasUsed")?)?,
            timestamp: quantity::small(field("timestamp")?)?,
            extra: quantity::bytes(field("extraData")?)?,
            mix_hash: quantity::hash(field("mixHash")?)?,
            nonce,
            base_fee: optional("baseFeePerGas").map(quantity::number).transpose()?,
            withdrawals_root: optional("withdrawalsRoot").map(quantity::hash).transpose()?,
            blob_gas_used: optional("blobGasUsed").map(quantity::small).transpose()?,
            excess_blob_gas: optional("excessBlobGas").map(quantity::small).transpose()?,
            parent_beacon_root: optional("parentBeaconBlockRoot").map(quantity::hash).transpose()?,
            requests_hash: optional("requestsHash").map(quantity::hash).transpose()?,
        })
    }

    /// The block's hash.
    pub fn hash(&self) -> B256 {
        keccak256(self.rlp(&self.extra))
    }

    /// The RLP with other extra data: Clique signs the header without its seal.
    pub fn rlp(&self, extra: &[u8]) -> Vec<u8> {
        let mut body = Vec::with_capacity(700);
        self.parent_hash.encode(&mut body);
        self.ommers_hash.encode(&mut body);
        self.coinbase.encode(&mut body);
        self.state_root.encode(&mut body);
        self.transactions_root.encode(&mut body);
        self.receipts_root.encode(&mut body);
        self.bloom.encode(&mut body);
        self.difficulty.encode(&mut body);
        self.number.encode(&mut body);
        self.gas_limit.encode(&mut body);
        self.gas_used.encode(&mut body);
        self.timestamp.encode(&mut body);
        extra.encode(&mut body);
        self.mix_hash.encode(&mut body);
        self.nonce.as_slice().encode(&mut body);
        if let Some(value) = &self.base_fee {
            value.encode(&mut body);
        }
        if let Some(value) = &self.withdrawals_root {
            value.encode(&mut body);
        }
        if let Some(value) = &self.blob_gas_used {
            value.encode(&mut body);
        }
        if let Some(value) = &self.excess_blob_gas {
            value.encode(&mut body);
        }
        if let Some(value) = &self.parent_beacon_root {
            value.encode(&mut body);
        }
        if let Some(value) = &self.requests_hash {
            value.encode(&mut body);
        }
        let mut out = Vec::with_capacity(body.len() + 4);
        RlpHeader { list: true, payload_length: body.len() }.encode(&mut out);
        out.extend_from_slice(&body);
        out
    }
}
