//! Block headers: their RLP, their hash.

use super::genesis::AuraSeal;
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
    /// Aura's headers have these two fields in place of mix hash and nonce.
    pub aura: Option<AuraSeal>,
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
    /// From Amsterdam on.
    pub block_access_list_hash: Option<B256>,
    /// From Amsterdam on.
    pub slot_number: Option<u64>,
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
        let header = Self {
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
            aura: None,
            base_fee: optional("baseFeePerGas").map(quantity::number).transpose()?,
            withdrawals_root: optional("withdrawalsRoot").map(quantity::hash).transpose()?,
            blob_gas_used: optional("blobGasUsed").map(quantity::small).transpose()?,
            excess_blob_gas: optional("excessBlobGas").map(quantity::small).transpose()?,
            parent_beacon_root: optional("parentBeaconBlockRoot").map(quantity::hash).transpose()?,
            requests_hash: optional("requestsHash").map(quantity::hash).transpose()?,
            block_access_list_hash: optional("blockAccessListHash").map(quantity::hash).transpose()?,
            slot_number: optional("slotNumber").map(quantity::small).transpose()?,
        };
        // geth 1.10.8 tells the sealer as `miner`, where the header of a Clique block has zeros.
        let bare = Self { coinbase: Address::ZERO, ..header.clone() };
        let told = optional("hash").map(quantity::hash).transpose()?;
        Ok(if told.is_some_and(|hash| hash != header.hash() && hash == bare.hash()) { bare } else { header })
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
        if let Some(aura) = &self.aura {
            aura.step.encode(&mut body);
            aura.signature.as_slice().encode(&mut body);
        } else {
            self.mix_hash.encode(&mut body);
            self.nonce.as_slice().encode(&mut body);
        }
        self.encode_younger(&mut body);
        let mut out = Vec::with_capacity(body.len() + 4);
        RlpHeader { list: true, payload_length: body.len() }.encode(&mut out);
        out.extend_from_slice(&body);
        out
    }

    /// The fields of later forks. One that is missing before one that is there is written as empty, as go-ethereum does.
    fn encode_younger(&self, body: &mut Vec<u8>) {
        let fields: [Option<&dyn Encodable>; 8] = [
            self.base_fee.as_ref().map(|value| value as _),
            self.withdrawals_root.as_ref().map(|value| value as _),
            self.blob_gas_used.as_ref().map(|value| value as _),
            self.excess_blob_gas.as_ref().map(|value| value as _),
            self.parent_beacon_root.as_ref().map(|value| value as _),
            self.requests_hash.as_ref().map(|value| value as _),
            self.block_access_list_hash.as_ref().map(|value| value as _),
            self.slot_number.as_ref().map(|value| value as _),
        ];
        let count = fields.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        for field in &fields[..count] {
            match field {
                Some(value) => value.encode(body),
                None => body.push(alloy_rlp::EMPTY_STRING_CODE),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::clique;
    use alloy_primitives::address;
    use serde_json::json;

    /// Block 5 of a network that geth 1.9.25 made, as geth 1.10.8 tells it.
    #[test]
    fn a_miner_that_is_not_in_the_header_does_not_hide_the_sealer() {
        let empty = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";
        let block = json!({
            "parentHash": "0xba4a63e6a84e07aeb0321bc7423cce7abc7af3a83ebffee91cf101b4eeb97bee",
            "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
            "miner": "0xb4ba176d629721ef39f379309513a48bb3fbd151",
            "stateRoot": empty, "transactionsRoot": empty, "receiptsRoot": empty,
            "logsBloom": format!("0x{}", "00".repeat(256)),
            "difficulty": "0x2", "number": "0x5", "gasLimit": "0x1c78871", "gasUsed": "0x0", "timestamp": "0x6b01c7e4",
            "extraData": "0xd883010919846765746888676f312e32362e38856c696e757800000000000000f96961b651954634b3a9afa1136f8fee5f200883\
                          faaabfc7e0bb6d6fa882a5293d40749d5451ec203662d69e728e559141357105d01a9dcf679e0f7e250c69a700",
            "mixHash": format!("0x{}", "00".repeat(32)), "nonce": "0x0000000000000000",
            "hash": "0xb98edfa1ecb68b34958b50ef600b49be34d2d75961125edb8b761e986c24efeb",
        });
        let header = Header::from_rpc(&block).unwrap();
        assert_eq!(header.hash().to_string(), block["hash"]);
        assert_eq!(clique::sealer(&header).unwrap(), address!("b4ba176d629721ef39f379309513a48bb3fbd151"));
    }
}
