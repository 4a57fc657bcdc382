//! Signatures and key shares of validators: BLS12-381 as the beacon chain uses it.

use crate::base::{Failure, failure::Result};
use alloy_primitives::{U256, hex, uint};
use blst::min_pk::{PublicKey, SecretKey, Signature};
use blst::{BLST_ERROR, MultiPoint};

/// How the beacon chain maps messages to points (consensus specifications, `beacon-chain.md`, "BLS signatures").
const DOMAIN: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
/// The order of the group: shares are numbers below it.
const ORDER: U256 = uint!(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001_U256);

/// Reads a public key: 48 bytes, a point of the right group, not the one at infinity.
pub fn public_key(bytes: &[u8]) -> Result<PublicKey> {
    PublicKey::key_validate(bytes)
        .map_err(|_| Failure::new(format!("0x{} is no public key of a validator", hex::encode(bytes))))
}

/// The public key (48 bytes) of a private one (32 bytes).
pub fn public_of(secret: &[u8]) -> Result<[u8; 48]> {
    let key = SecretKey::from_bytes(secret).map_err(|_| Failure::new("this is no private key of a validator"))?;
    Ok(key.sk_to_pk().to_bytes())
}

/// Whether the holders of all these keys together made this signature (96 bytes) of a message, which as a rule is a hash.
pub fn signed(message: &[u8], signature: &[u8], keys: &[PublicKey]) -> bool {
    let Ok(signature) = Signature::from_bytes(signature) else { return false };
    let keys: Vec<&PublicKey> = keys.iter().collect();
    !keys.is_empty() && signature.fast_aggregate_verify(true, message, DOMAIN, &keys) == BLST_ERROR::BLST_SUCCESS
}

/// The public key whose shares these are; each has the number of its operator, from 1 on, and no number comes twice.
pub fn combine(shares: &[(u64, PublicKey)]) -> [u8; 48] {
    let numbers: Vec<U256> = shares.iter().map(|(number, _)| U256::from(*number)).collect();
    let scalars: Vec<u8> = numbers.iter().flat_map(|number| weight(*number, &numbers).to_le_bytes::<32>()).collect();
    let keys: Vec<PublicKey> = shares.iter().map(|(_, key)| *key).collect();
    keys.mult(&scalars, 255).to_public_key().to_bytes()
}

/// Lagrange's coefficient of the share `number` at zero.
fn weight(number: U256, all: &[U256]) -> U256 {
    let (mut above, mut below) = (U256::from(1), U256::from(1));
    for other in all.iter().filter(|other| **other != number) {
        above = above.mul_mod(*other, ORDER);
        below = below.mul_mod(other.add_mod(ORDER - number, ORDER), ORDER);
    }
    // Fermat: the inverse, since the order is a prime.
    above.mul_mod(below.pow_mod(ORDER - U256::from(2), ORDER), ORDER)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A private key of a polynomial's value at `x`; `coefficients[0]` is the group's.
    pub fn share(coefficients: &[U256], x: u64) -> SecretKey {
        let value = coefficients
            .iter()
            .rev()
            .fold(U256::ZERO, |sum, coefficient| sum.mul_mod(U256::from(x), ORDER).add_mod(*coefficient, ORDER));
        SecretKey::from_bytes(&value.to_be_bytes::<32>()).unwrap()
    }

    pub fn sign(key: &SecretKey, message: &[u8]) -> Signature {
        key.sign(message, DOMAIN, &[])
    }

    #[test]
    fn any_three_of_five_shares_make_the_key_and_two_do_not() {
        let coefficients = [U256::from(7), U256::from(1_234_567), U256::from(99)];
        let group = share(&coefficients, 0).sk_to_pk().to_bytes();
        let shares: Vec<_> = (1..=5).map(|x| (x, share(&coefficients, x).sk_to_pk())).collect();
        for chosen in [[0, 1, 2], [2, 3, 4], [4, 0, 2]] {
            assert_eq!(combine(&chosen.map(|at| shares[at])), group);
        }
        assert_ne!(combine(&shares[..2]), group);
    }

    #[test]
    fn a_signature_of_two_needs_both() {
        let (one, two) = (share(&[U256::from(7)], 0), share(&[U256::from(8)], 0));
        let hash = [3; 32];
        let both = [sign(&one, &hash), sign(&two, &hash)];
        let all = blst::min_pk::AggregateSignature::aggregate(&[&both[0], &both[1]], true).unwrap();
        let bytes = all.to_signature().to_bytes();
        let keys = [one.sk_to_pk(), two.sk_to_pk()];
        assert!(signed(&hash, &bytes, &keys) && !signed(&hash, &bytes, &keys[..1]) && !signed(&[4; 32], &bytes, &keys));
        assert!(!signed(&hash, &[0; 96], &keys) && !signed(&hash, &bytes, &[]));
        assert_eq!(public_of(&U256::from(7).to_be_bytes::<32>()).unwrap(), keys[0].to_bytes());
        assert!(public_of(&[0; 32]).is_err() && public_key(&[0; 48]).is_err());
    }
}
