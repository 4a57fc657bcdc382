//! A lock that real charon made, and every way in which it could be false.

use super::*;
use crate::chain::charon::testing::LOCK;

const OPEN: Rules = Rules { unsigned: true, chain_id: None, config_hash: None };

fn lock() -> Lock {
    Lock::parse(LOCK).unwrap()
}

#[track_caller]
fn refusal(change: impl FnOnce(&mut Lock)) -> String {
    let mut changed = lock();
    change(&mut changed);
    changed.verify(&OPEN).expect_err("it should be refused").message
}

/// The lock hash of a lock that was changed, as whoever changed it would write it.
fn rehash(lock: &mut Lock) {
    lock.lock_hash = Bytes(lock.compute_lock_hash().unwrap().to_vec());
}

#[test]
fn a_lock_that_charon_made_is_true() {
    let lock = lock();
    assert_eq!(lock.verify(&OPEN), Ok(()));
    let hash = "0xb809c66e3de95e9c4bfa3fa9c3af75ed15e0037bc7607cdf3fbba797d99634ec";
    assert_eq!(lock.definition.compute_config_hash().unwrap().to_string(), hash);
    assert!(lock.verify(&Rules { config_hash: Some(B256::ZERO), ..OPEN }).unwrap_err().message.contains("config hash"));
    let strict = lock.verify(&Rules::default()).unwrap_err().message;
    assert_eq!(strict, "the definition in the lock: no operator has signed this definition");
}

#[test]
fn one_flipped_bit_in_a_hash_or_signature_is_told() {
    assert!(refusal(|it| it.lock_hash.0[3] ^= 1).starts_with("the lock hash is wrong"));
    assert!(refusal(|it| it.definition.definition_hash.0[3] ^= 1).contains("definition hash is wrong"));
    for byte in [0, 50, 95] {
        assert!(refusal(|it| it.signature_aggregate.0[byte] ^= 1).contains("`signature_aggregate` is wrong"));
    }
    for at in 0..4 {
        let why = refusal(|it| it.node_signatures[at].0[20] ^= 1);
        assert!(why.contains(&format!("the node of operator {}", at + 1)), "{why}");
    }
    assert!(refusal(|it| it.node_signatures.truncate(3)).contains("signatures of 3 nodes"));
    assert!(refusal(|it| it.node_signatures.swap(0, 1)).contains("the node of operator 1"));
    let registration = |it: &mut Lock| it.validators[1].builder_registration.as_mut().unwrap().signature.0[50] ^= 1;
    for change in [|it: &mut Lock| it.validators[0].partial_deposit_data[1].signature.0[50] ^= 1, registration] {
        assert!(refusal(change).starts_with("the lock hash is wrong"));
        let why = refusal(|it| {
            change(it);
            rehash(it);
        });
        assert!(why.contains("the signature of"), "{why}");
    }
}

#[test]
fn shares_that_make_another_key_are_told() {
    let why = refusal(|it| {
        it.validators[0].public_shares.swap(1, 2);
        rehash(it);
    });
    assert!(why.contains("do not make the validator's key"), "{why}");
    let why = refusal(|it| {
        let strange = it.validators[1].public_shares[3].clone();
        it.validators[0].public_shares[3] = strange;
        rehash(it);
    });
    assert_eq!(why, "validator 1: the shares up to that of operator 4 do not make the validator's key");
    let why = refusal(|it| {
        it.validators[0].public_shares.truncate(3);
        rehash(it);
    });
    assert!(why.contains("it has 3 shares"), "{why}");
    let why = refusal(|it| {
        it.validators[0].public_shares[1] = it.validators[0].public_shares[0].clone();
        rehash(it);
    });
    assert!(why.contains("the share of operator 2 is another operator's"), "{why}");
    assert!(refusal(|it| it.validators.truncate(1)).contains("the lock has 1 validators, and 2 were agreed to"));
}

#[test]
fn a_deposit_that_leads_elsewhere_is_told() {
    let why = refusal(|it| {
        it.validators[0].partial_deposit_data[0].withdrawal_credentials.0[31] ^= 1;
        rehash(it);
    });
    assert!(why.contains("the stake of a deposit does not go back to"), "{why}");
    let why = refusal(|it| {
        drop(it.validators[1].partial_deposit_data.pop());
        rehash(it);
    });
    assert_eq!(why, "validator 2: its deposits are of 1000000000 gwei, and none is the full one of 32000000000");
    // A field that this version does not hash is not passed over.
    let why = refusal(|it| {
        it.validators[0].deposit_data = Some(it.validators[0].partial_deposit_data[1].clone());
    });
    assert!(why.contains("each must be another one"), "{why}");
    let why = refusal(|it| {
        it.validators[0].builder_registration.as_mut().unwrap().message.fee_recipient.0[0] ^= 1;
        rehash(it);
    });
    assert!(why.contains("sends its fees not to"), "{why}");
}

#[test]
fn a_true_looking_lock_that_the_shares_did_not_sign_is_told() {
    let why = refusal(|it| {
        it.validators[0].builder_registration.as_mut().unwrap().message.timestamp.0 += 1;
        rehash(it);
    });
    assert!(why.contains("what builders are told is wrong"), "{why}");
}

#[test]
fn keystores_hold_the_shares_of_their_operator() {
    let file = ShareKeystore::parse(include_str!("../testing/keystore-0.json")).unwrap();
    let password = Secret::new("b5e58e7bab63147fb426ef44ee2d30a5".into());
    let lock = lock();
    let why = lock.verify_keystores(0, &[(file.clone(), password.clone())]).unwrap_err().message;
    assert_eq!(why, "there are 1 keystores, and the lock has 2 validators");
    let twice = [(file.clone(), password.clone()), (file, password)];
    let why = lock.verify_keystores(0, &twice).unwrap_err().message;
    assert!(why.starts_with("keystore-1.json: it holds the share") && why.contains("operator 1"), "{why}");
    let why = lock.verify_keystores(2, &twice).unwrap_err().message;
    assert!(why.starts_with("keystore-0.json: it holds the share") && why.contains("operator 3"), "{why}");
    let mut one = lock;
    one.validators.truncate(1);
    assert_eq!(one.verify_keystores(0, &twice[..1]), Ok(()));
}

#[test]
fn what_is_no_lock_is_refused() {
    for text in ["", "{}", "[]", "{\"cluster_definition\": {}}"] {
        assert!(Lock::parse(text).is_err());
    }
}
