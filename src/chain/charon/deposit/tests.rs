//! The deposits of a ceremony of real charon, and every way in which the files could differ from the lock.

use super::*;
use crate::base::Value;
use crate::chain::charon::testing::{DEPOSITS, LOCK};
use serde_json::json;

fn lock() -> Lock {
    Lock::parse(LOCK).unwrap()
}

fn files() -> Vec<(String, String)> {
    DEPOSITS.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec()
}

/// Why the files are refused after a change of the full deposits.
#[track_caller]
fn refusal(change: impl FnOnce(&mut Vec<Value>)) -> String {
    let mut files = files();
    let mut entries: Vec<Value> = serde_json::from_str(&files[0].1).unwrap();
    change(&mut entries);
    files[0].1 = json!(entries).to_string();
    lock().verify_deposit_files(&files).expect_err("it should be refused").message
}

/// One digit differs.
fn flip(value: &mut Value) {
    let text = value.as_str().unwrap();
    let digit = if text.ends_with('0') { "1" } else { "0" };
    *value = json!(format!("{}{digit}", &text[..text.len() - 1]));
}

#[test]
fn what_charon_wrote_is_true_and_what_we_write_is_the_same() {
    assert_eq!(lock().verify_deposit_files(&files()), Ok(()));
    let mut ours = lock().deposit_files().unwrap();
    ours.reverse();
    assert_eq!(ours, files());
    assert_eq!(
        [1_500_000_000, 256 * FULL / 32].map(file_name),
        ["deposit-data-1.5eth.json", "deposit-data-256eth.json"]
    );
}

#[test]
fn whatever_differs_from_the_lock_is_named() {
    for (field, reason) in [
        ("pubkey", "is of no validator of the lock"),
        ("withdrawal_credentials", "deposit of 32000000000 gwei: the stake goes back to 0x01"),
        ("signature", "its signature is not the one in the lock"),
        ("deposit_message_root", "`deposit_message_root` is"),
        ("deposit_data_root", "`deposit_data_root` is"),
        ("fork_version", "it is for hoodi (0x10000911), and the cluster for hoodi (0x10000910)"),
    ] {
        let why = refusal(|entries| flip(&mut entries[1][field]));
        assert!(why.starts_with("deposit-data.json: ") && why.contains(reason), "{why}");
    }
    let why = refusal(|entries| entries[0]["network_name"] = json!("mainnet"));
    assert!(why.contains("it is for mainnet (0x10000910), and the cluster for hoodi"), "{why}");
    let why = refusal(|entries| entries[0]["amount"] = json!(31_000_000_000_u64));
    assert!(why.contains("deposit of 31000000000 gwei: the lock has no deposit of this amount"), "{why}");
    let why = refusal(|entries| entries[0]["amount"] = json!("much"));
    assert!(why.starts_with("deposit-data.json: this is no list of deposits"), "{why}");
}

#[test]
fn a_deposit_that_is_missing_or_there_twice_is_named() {
    let why = refusal(|entries| drop(entries.pop()));
    assert!(why.contains("no deposit-data file has the deposit of 32000000000 gwei of validator "), "{why}");
    let why = refusal(|entries| entries.push(entries[0].clone()));
    assert!(why.contains("is there twice"), "{why}");
    let why = lock().verify_deposit_files(&files()[..1]).unwrap_err().message;
    assert!(why.contains("has the deposit of 1000000000 gwei of validator 1"), "{why}");
}

#[test]
fn amounts_are_those_that_were_agreed_to() {
    let lock = lock();
    let verdict = |made: &[u64], agreed: &[u64], compounding: bool, version: Version| {
        let deposits: Vec<Deposit> = made
            .iter()
            .map(|amount| Deposit { amount: Amount(*amount), ..lock.validators[0].partial_deposit_data[0].clone() })
            .collect();
        let definition = Definition {
            deposit_amounts: agreed.iter().map(|amount| Amount(*amount)).collect(),
            compounding,
            ..Definition::default()
        };
        verify_amounts(&deposits.iter().collect::<Vec<_>>(), &definition, version).map_err(|failure| failure.message)
    };
    let eth = |amounts: &[u64]| amounts.iter().map(|amount| amount * LEAST).collect::<Vec<_>>();
    let ten = Version::V1_10;
    // Charon signs an amount once, however often it was named, and where none was, these.
    assert_eq!(verdict(&eth(&[8, 16]), &eth(&[16, 8, 8]), false, ten), Ok(()));
    assert_eq!(verdict(&eth(&[1, 32]), &[], false, ten), Ok(()));
    assert_eq!(verdict(&eth(&[1, 8, 32, 256]), &[], true, ten), Ok(()));
    assert_eq!(verdict(&eth(&[32]), &[], false, Version::V1_7), Ok(()));
    for (made, agreed, compounding, version, reason) in [
        (eth(&[8]), eth(&[8, 16]), false, ten, "and 8000000000, 16000000000 were agreed to"),
        (eth(&[8, 8, 16]), eth(&[8, 16]), false, ten, "were agreed to"),
        (eth(&[1, 32, 256]), vec![], false, ten, "must be another one of 1000000000 to 32000000000"),
        (eth(&[1, 1, 32]), vec![], false, ten, "must be another one"),
        (vec![LEAST - 1, FULL], vec![], true, ten, "must be another one of 1000000000 to 2048000000000"),
        (eth(&[1]), vec![], false, ten, "none is the full one"),
        (vec![], vec![], false, ten, "its deposits are of no gwei"),
        (eth(&[1, 32]), vec![], false, Version::V1_7, "and 32000000000 were agreed to"),
    ] {
        let why = verdict(&made, &agreed, compounding, version).unwrap_err();
        assert!(why.contains(reason), "{why}");
    }
}
