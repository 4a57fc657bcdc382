//! Clique (EIP-225): who may seal, how many must, and who did.

use super::{Header, keys::address_of};
use crate::base::{Failure, failure::Result};
use alloy_primitives::{Address, keccak256};
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};

/// Bytes before the signers in a genesis' extra data.
pub const VANITY: usize = 32;
/// Bytes of a seal: `r`, `s`, `v`.
pub const SEAL: usize = 65;

/// How many signers of `signers` must be live for blocks to come: each may seal one of any ⌊N/2⌋+1 blocks in a row.
pub const fn quorum(signers: usize) -> usize {
    signers / 2 + 1
}

/// The extra data of block 0: 32 zeros, the signers in ascending order, 65 zeros. Refuses none, and one named twice.
pub fn extra_data(signers: &[Address]) -> Result<Vec<u8>> {
    if signers.is_empty() {
        return Err(Failure::new("the network has no signers: nobody could ever seal a block")
            .help("name at least one signer; usually every host of the group `sealers` is one"));
    }
    let mut sorted = signers.to_vec();
    sorted.sort_unstable();
    if let Some((twice, _)) = sorted.iter().zip(sorted.iter().skip(1)).find(|(one, next)| one == next) {
        return Err(Failure::new(format!("the signer {twice} is named twice")));
    }
    let mut extra = vec![0; VANITY];
    for signer in &sorted {
        extra.extend_from_slice(signer.as_slice());
    }
    extra.extend_from_slice(&[0; SEAL]);
    Ok(extra)
}

/// The signers that the extra data of block 0, or of an epoch's first block, lists.
pub fn signers(extra: &[u8]) -> Result<Vec<Address>> {
    let list = extra.len().checked_sub(VANITY + SEAL).filter(|length| length % 20 == 0);
    let length = list.ok_or_else(|| Failure::new(format!("{} bytes are not extra data of Clique", extra.len())))?;
    Ok(extra[VANITY..VANITY + length].chunks(20).map(Address::from_slice).collect())
}

/// The sealer of a block, recovered from its seal. Clique leaves the `miner` field zero, so nothing else names him.
pub fn sealer(header: &Header) -> Result<Address> {
    let wrong = |why: &str| Failure::new(format!("block {} has no valid seal: {why}", header.number));
    let body = header.extra.len().checked_sub(SEAL).ok_or_else(|| wrong("its extra data is too short"))?;
    let (extra, seal) = header.extra.split_at(body);
    let signature = Signature::from_slice(&seal[..64]).map_err(|_| wrong("it is no signature"))?;
    let recovery = RecoveryId::from_byte(seal[64]).ok_or_else(|| wrong("its last byte is not 0 to 3"))?;
    let hash = keccak256(header.rlp(extra));
    let key = VerifyingKey::recover_from_prehash(hash.as_slice(), &signature, recovery)
        .map_err(|_| wrong("it belongs to no key"))?;
    Ok(address_of(&key.to_encoded_point(false).as_bytes()[1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::parse_address;
    use alloy_primitives::{B256, Bloom, U256};
    use k256::ecdsa::SigningKey;

    fn address(byte: u8) -> Address {
        Address::repeat_byte(byte)
    }

    #[test]
    fn the_quorum_is_more_than_half() {
        let wanted = [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (7, 4)];
        for (signers, needed) in wanted {
            assert_eq!(quorum(signers), needed);
        }
    }

    #[test]
    fn signers_are_written_in_order_and_read_back() {
        let extra = extra_data(&[address(3), address(1), address(2)]).unwrap();
        assert_eq!(extra.len(), 32 + 60 + 65);
        assert_eq!(signers(&extra).unwrap(), [address(1), address(2), address(3)]);
    }

    #[test]
    fn no_signers_and_a_signer_named_twice_are_refused() {
        assert!(extra_data(&[]).unwrap_err().message.contains("no signers"));
        assert!(extra_data(&[address(1), address(1)]).unwrap_err().message.contains("twice"));
    }

    #[test]
    fn the_sealer_is_recovered_from_the_seal_of_a_london_header() {
        let secret = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
        let key = SigningKey::from_slice(&alloy_primitives::hex::decode(secret).unwrap()).unwrap();
        let mut header = Header {
            parent_hash: B256::repeat_byte(7),
            ommers_hash: B256::ZERO,
            coinbase: Address::ZERO,
            state_root: B256::ZERO,
            transactions_root: B256::ZERO,
            receipts_root: B256::ZERO,
            bloom: Bloom::ZERO,
            difficulty: U256::from(2),
            number: 12,
            gas_limit: 30_000_000,
            gas_used: 0,
            timestamp: 1_700_000_000,
            extra: vec![0; VANITY],
            mix_hash: B256::ZERO,
            nonce: [0; 8],
            aura: None,
            base_fee: Some(U256::from(7)),
            withdrawals_root: None,
            blob_gas_used: None,
            excess_blob_gas: None,
            parent_beacon_root: None,
            requests_hash: None,
            block_access_list_hash: None,
            slot_number: None,
        };
        let (signature, recovery) =
            key.sign_prehash_recoverable(keccak256(header.rlp(&header.extra)).as_slice()).unwrap();
        header.extra.extend_from_slice(&signature.to_bytes());
        header.extra.push(recovery.to_byte());
        assert_eq!(sealer(&header).unwrap(), parse_address("0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b").unwrap());
        header.number = 13;
        assert_ne!(sealer(&header).ok(), parse_address("0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b").ok());
    }
}
