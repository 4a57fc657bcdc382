//! Transactions: legacy ones bound to their chain (EIP-155) and those with a fee market (EIP-1559), signed here.

use super::AccountKey;
use crate::base::{Value, failure::Result};
use alloy_primitives::{Address, B256, U256, hex, keccak256};
use alloy_rlp::{Encodable, Header};
use serde_json::json;

/// The first byte of a transaction with a fee market (EIP-2718, EIP-1559).
const DYNAMIC: u8 = 2;

/// What the sender pays for a unit of gas, in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fee {
    /// This price: every chain takes it, those before London only this.
    Legacy {
        /// For a unit of gas.
        price: U256,
    },
    /// The block's base fee and a priority fee (EIP-1559).
    Dynamic {
        /// Both together at most.
        most: U256,
        /// The priority fee, which the sealer gets.
        priority: U256,
    },
}

impl Fee {
    /// The most that a unit of gas can cost.
    pub fn most(self) -> U256 {
        match self {
            Self::Legacy { price } => price,
            Self::Dynamic { most, .. } => most,
        }
    }
}

/// A transaction before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The chain on which alone it is valid.
    pub chain_id: u64,
    /// How many transactions of the sender come before it.
    pub nonce: u64,
    /// What it pays.
    pub fee: Fee,
    /// The most gas that it may use.
    pub gas: u64,
    /// Whom it calls or pays; `None` makes a contract.
    pub to: Option<Address>,
    /// What it pays to `to`, in wei.
    pub value: U256,
    /// The call, or the code that makes a contract.
    pub data: Vec<u8>,
}

/// A transaction as nodes take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What `eth_sendRawTransaction` wants.
    pub raw: Vec<u8>,
    /// Its hash.
    pub hash: B256,
}

impl Signed {
    /// What a node has signed.
    pub fn of(raw: Vec<u8>) -> Self {
        Self { hash: keccak256(&raw), raw }
    }
}

impl Transaction {
    /// Signs it.
    pub fn sign(&self, key: &AccountKey) -> Result<Signed> {
        let signature = key.sign(keccak256(self.encode(None)))?;
        let number = |bytes: &[u8]| U256::from_be_slice(bytes);
        let parts = (u64::from(signature[64] - 27), number(&signature[..32]), number(&signature[32..64]));
        Ok(Signed::of(self.encode(Some(parts))))
    }

    /// The most that it can take from its sender, in wei. `None`: more than there can be.
    pub fn cost(&self) -> Option<U256> {
        self.fee.most().checked_mul(U256::from(self.gas))?.checked_add(self.value)
    }

    /// As `eth_signTransaction` takes it.
    pub fn json(&self, from: Address) -> Value {
        let mut json = json!({
            "from": from,
            "nonce": format!("{:#x}", self.nonce),
            "gas": format!("{:#x}", self.gas),
            "value": format!("{:#x}", self.value),
            "data": hex::encode_prefixed(&self.data),
            "chainId": format!("{:#x}", self.chain_id),
        });
        if let Some(to) = self.to {
            json["to"] = json!(to);
        }
        match self.fee {
            Fee::Legacy { price } => json["gasPrice"] = json!(format!("{price:#x}")),
            Fee::Dynamic { most, priority } => {
                json["maxFeePerGas"] = json!(format!("{most:#x}"));
                json["maxPriorityFeePerGas"] = json!(format!("{priority:#x}"));
            }
        }
        json
    }

    /// What is signed, or, with the signature's parity, `r` and `s`, what is sent.
    fn encode(&self, signature: Option<(u64, U256, U256)>) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.data.len() + 200);
        match self.fee {
            Fee::Legacy { price } => {
                self.nonce.encode(&mut body);
                price.encode(&mut body);
            }
            Fee::Dynamic { most, priority } => {
                self.chain_id.encode(&mut body);
                self.nonce.encode(&mut body);
                priority.encode(&mut body);
                most.encode(&mut body);
            }
        }
        self.gas.encode(&mut body);
        match self.to {
            Some(to) => to.encode(&mut body),
            None => b"".as_slice().encode(&mut body),
        }
        self.value.encode(&mut body);
        self.data.as_slice().encode(&mut body);
        let dynamic = matches!(self.fee, Fee::Dynamic { .. });
        if dynamic {
            // An access list (EIP-2930) with nothing in it.
            Header { list: true, payload_length: 0 }.encode(&mut body);
        }
        match signature {
            Some((parity, r, s)) => {
                // EIP-155: the chain's number is in `v`.
                let v =
                    if dynamic { u128::from(parity) } else { u128::from(self.chain_id) * 2 + 35 + u128::from(parity) };
                v.encode(&mut body);
                r.encode(&mut body);
                s.encode(&mut body);
            }
            None if dynamic => {}
            None => {
                self.chain_id.encode(&mut body);
                0_u64.encode(&mut body);
                0_u64.encode(&mut body);
            }
        }
        let mut whole = if dynamic { vec![DYNAMIC] } else { Vec::new() };
        Header { list: true, payload_length: body.len() }.encode(&mut whole);
        whole.extend_from_slice(&body);
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Transaction {
        Transaction {
            chain_id: 1,
            nonce: 9,
            fee: Fee::Legacy { price: U256::from(20_000_000_000_u64) },
            gas: 21_000,
            to: Some(Address::repeat_byte(0x35)),
            value: U256::from(10).pow(U256::from(18)),
            data: Vec::new(),
        }
    }

    #[test]
    fn the_example_of_eip_155_is_signed_as_it_stands_there() {
        let key = AccountKey::from_bytes(&[0x46; 32]).unwrap();
        let signing = "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080";
        assert_eq!(hex::encode(example().encode(None)), signing);
        assert_eq!(
            hex::encode(example().sign(&key).unwrap().raw),
            "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe5\
             37567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
        );
    }

    /// The fields by hand: 02, a list of 0x33 bytes; chain 5, nonce 1, priority 1, at most 0x64, gas 0x5208, no `to`, nothing paid,
    /// the code 6001.., no access list.
    #[test]
    fn a_transaction_with_a_fee_market_has_its_fields_in_the_order_of_eip_1559() {
        let fee = Fee::Dynamic { most: U256::from(100), priority: U256::from(1) };
        let making =
            Transaction { chain_id: 5, nonce: 1, fee, to: None, value: U256::ZERO, data: vec![0x60, 1], ..example() };
        assert_eq!(hex::encode(making.encode(None)), "02cd050101648252088080826001c0");
        let key = AccountKey::from_bytes(&[0x46; 32]).unwrap();
        let signed = making.sign(&key).unwrap();
        assert!(
            hex::encode(&signed.raw).starts_with("02f850050101648252088080826001c0"),
            "{}",
            hex::encode(&signed.raw)
        );
        assert_eq!(signed.hash, keccak256(&signed.raw));
    }

    #[test]
    fn a_cost_that_nobody_can_pay_is_no_number_that_wraps() {
        let fee = Fee::Legacy { price: U256::MAX };
        assert_eq!(Transaction { fee, ..example() }.cost(), None);
        assert_eq!(example().cost().unwrap(), U256::from(1_000_420_000_000_000_000_u64));
    }
}
