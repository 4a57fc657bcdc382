//! The extra data of block 0 for the engines of the Byzantine family: QBFT, IBFT 2.0 (Besu) and Istanbul (GoQuorum).
//!
//! QBFT: `RLP([32 bytes, [validators], [], 0, []])`; IBFT 2.0: `RLP([32 bytes, [validators], '', 4 bytes of round, []])`;
//! Istanbul: 32 bytes, then `RLP([[validators], '', []])`. Besu sorts validators by address; so does this.

use super::clique::VANITY;
use crate::base::{Failure, failure::Result};
use alloy_primitives::Address;
use alloy_rlp::{Encodable, Header as RlpHeader};

/// The mix hash by which GoQuorum, Besu and Autonity 0.x know a block of theirs: "ctical byzantine fault tolerance".
pub const MIX_HASH: &str = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365";

/// How many of `validators` must be live: two thirds, rounded up.
pub const fn quorum(validators: usize) -> usize {
    (2 * validators).div_ceil(3)
}

/// Refuses none and one named twice; gives them in ascending order.
pub fn sorted(validators: &[Address]) -> Result<Vec<Address>> {
    if validators.is_empty() {
        return Err(Failure::new("the network has no validators: nobody could ever propose a block")
            .help("name at least one validator; four are the fewest that survive the loss of one"));
    }
    let mut sorted = validators.to_vec();
    sorted.sort_unstable();
    if let Some((twice, _)) = sorted.iter().zip(sorted.iter().skip(1)).find(|(one, next)| one == next) {
        return Err(Failure::new(format!("the validator {twice} is named twice")));
    }
    Ok(sorted)
}

/// Extra data of QBFT, Besu's and GoQuorum's.
pub fn qbft(validators: &[Address]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    [0_u8; VANITY].as_slice().encode(&mut body);
    sorted(validators)?.encode(&mut body);
    // No votes, round 0, no seals.
    body.extend_from_slice(&[0xc0, 0x80, 0xc0]);
    Ok(list(&body))
}

/// Extra data of IBFT 2.0.
pub fn ibft2(validators: &[Address]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    [0_u8; VANITY].as_slice().encode(&mut body);
    sorted(validators)?.encode(&mut body);
    body.push(0x80);
    [0_u8; 4].as_slice().encode(&mut body);
    body.push(0xc0);
    Ok(list(&body))
}

/// Extra data of Istanbul.
pub fn istanbul(validators: &[Address]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    sorted(validators)?.encode(&mut body);
    body.extend_from_slice(&[0x80, 0xc0]);
    let mut extra = vec![0; VANITY];
    extra.extend_from_slice(&list(&body));
    Ok(extra)
}

fn list(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 4);
    RlpHeader { list: true, payload_length: body.len() }.encode(&mut out);
    out.extend_from_slice(body);
    out
}

/// The validators in extra data of QBFT; none if it is something else.
///
/// Besu's `QbftExtraDataCodec` wants a list as the vote, empty for none, and the round as an integer.
pub fn qbft_validators(extra: &[u8]) -> Vec<Address> {
    second_of_list(extra, |vote, round| is_list(vote) && alloy_rlp::decode_exact::<u32>(round).is_ok())
        .unwrap_or_default()
}

/// The validators in extra data of IBFT 2.0; none if it is something else.
///
/// Besu's `IbftExtraDataCodec` wants an empty text for no vote, and the round as exactly four bytes.
pub fn ibft2_validators(extra: &[u8]) -> Vec<Address> {
    let is_vote = |vote: &[u8]| vote == [0x80] || (is_list(vote) && vote != [0xc0]);
    second_of_list(extra, |vote, round| is_vote(vote) && alloy_rlp::decode_exact::<[u8; 4]>(round).is_ok())
        .unwrap_or_default()
}

/// The validators in extra data of Istanbul; none if it is something else.
pub fn istanbul_validators(extra: &[u8]) -> Vec<Address> {
    let parts = extra.get(VANITY..).and_then(|rest| items(rest, 3));
    parts.and_then(|parts| addresses(parts[0])).unwrap_or_default()
}

/// The second of five items, of which the first is vanity, the last a list of seals, and those between are `right`.
fn second_of_list(extra: &[u8], right: impl Fn(&[u8], &[u8]) -> bool) -> Option<Vec<Address>> {
    let parts = items(extra, 5)?;
    let vanity = RlpHeader::decode(&mut &*parts[0]).ok()?;
    if vanity.list || vanity.payload_length != VANITY || !right(parts[2], parts[3]) || !is_list(parts[4]) {
        return None;
    }
    addresses(parts[1])
}

fn is_list(encoded: &[u8]) -> bool {
    encoded.first().is_some_and(|first| *first >= 0xc0)
}

/// The encoded items of a list that has `count` of them and nothing behind it.
fn items(mut text: &[u8], count: usize) -> Option<Vec<&[u8]>> {
    let header = RlpHeader::decode(&mut text).ok()?;
    if !header.list || header.payload_length != text.len() {
        return None;
    }
    let mut parts = Vec::new();
    while !text.is_empty() {
        let whole = text;
        let header = RlpHeader::decode(&mut text).ok()?;
        let used = whole.len() - text.len() + header.payload_length;
        parts.push(whole.get(..used)?);
        text = whole.get(used..)?;
    }
    (parts.len() == count).then_some(parts)
}

fn addresses(encoded: &[u8]) -> Option<Vec<Address>> {
    alloy_rlp::decode_exact(encoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    fn address(byte: u8) -> Address {
        Address::repeat_byte(byte)
    }

    /// The extra data with one validator in Besu's documentation of IBFT 2.0.
    #[test]
    fn ibft2_is_what_besu_s_encoder_makes() {
        let validator: Address = "0xc2ab482b506de561668e07f04547232a72897daf".parse().unwrap();
        let extra = hex::encode_prefixed(ibft2(&[validator]).unwrap());
        let zeros = "0".repeat(64);
        assert_eq!(extra, format!("0xf83ea0{zeros}d594c2ab482b506de561668e07f04547232a72897daf808400000000c0"));
    }

    #[test]
    fn each_engine_reads_its_own_validators_and_not_those_of_another() {
        let wanted = [address(1), address(2)];
        let given = [address(2), address(1)];
        assert_eq!(qbft_validators(&qbft(&given).unwrap()), wanted);
        assert_eq!(ibft2_validators(&ibft2(&given).unwrap()), wanted);
        assert_eq!(istanbul_validators(&istanbul(&given).unwrap()), wanted);
        assert_eq!(istanbul_validators(&qbft(&given).unwrap()), [] as [Address; 0]);
        assert_eq!(qbft_validators(&istanbul(&given).unwrap()), [] as [Address; 0]);
        assert_eq!(qbft_validators(&ibft2(&given).unwrap()), [] as [Address; 0]);
        assert_eq!(ibft2_validators(&qbft(&given).unwrap()), [] as [Address; 0]);
        assert_eq!(qbft_validators(&[0xff; 40]), [] as [Address; 0]);
    }

    #[test]
    fn none_and_one_named_twice_are_refused() {
        assert!(qbft(&[]).unwrap_err().message.contains("no validators"));
        assert!(ibft2(&[address(1), address(1)]).unwrap_err().message.contains("named twice"));
    }

    #[test]
    fn the_quorum_is_two_thirds_rounded_up() {
        assert_eq!([1, 2, 3, 4, 5, 6, 7].map(quorum), [1, 2, 2, 3, 4, 4, 5]);
    }
}
