//! What `check` says of broken files: one line a finding, `line:column`, `!` before an error.

use super::*;
use crate::base::{Source, Value};
use crate::chain::client::Version;
use crate::chain::genesis::build::{Aura, Bft, Clique, Common, Ethereum, Family, Validators};
use crate::chain::genesis::forks::{CLIQUE_FORKS, Fork};
use crate::chain::genesis::{Account, read};
use alloy_primitives::{Address, U256};
use serde_json::json;

const GETH: Target = Target::Geth(Version(1, 13, 15));

fn lines(text: &str, target: Target) -> Vec<String> {
    let source = Source::new("genesis.json", text);
    let found = match read::read(&source, Some(target)) {
        Ok(file) => check(&file, target),
        Err(mistakes) => mistakes,
    };
    let line = |diagnostic: &Diagnostic| {
        assert!(diagnostic.help.as_ref().is_some_and(|help| !help.is_empty()), "no remedy: {diagnostic}");
        let (line, column) = diagnostic.span.as_ref().unwrap().line_column();
        let mark = if diagnostic.warning { "" } else { "!" };
        format!("{line}:{column} {mark}{}", diagnostic.message)
    };
    found.iter().map(line).collect()
}

fn common(last: Fork) -> Common {
    let mut common = Common { chain_id: 46_781, gas_limit: 30_000_000, ..Common::default() };
    common.forks.extend(CLIQUE_FORKS.iter().filter(|fork| **fork <= last).map(|fork| (*fork, 0)));
    let rich = Account { balance: U256::from(5), ..Account::default() };
    common.alloc.insert(Address::repeat_byte(3), rich);
    common
}

fn address(byte: u8) -> String {
    Address::repeat_byte(byte).to_string()
}

fn validators() -> Vec<Address> {
    [1, 2, 4].map(Address::repeat_byte).to_vec()
}

fn clique() -> String {
    let clique = Clique { period: 5, epoch: 30_000, signers: validators(), besu: false };
    clique.to_json(&common(Fork::London)).unwrap()
}

/// What is found in a file of Clique in which something was changed.
fn changed(change: impl Fn(&mut Value)) -> Vec<String> {
    changed_for(GETH, change)
}

fn changed_for(target: Target, change: impl Fn(&mut Value)) -> Vec<String> {
    let mut file: Value = serde_json::from_str(&clique()).unwrap();
    change(&mut file);
    lines(&format!("{file:#}"), target)
}

fn config(file: &mut Value) -> &mut crate::base::Map {
    file["config"].as_object_mut().unwrap()
}

/// The findings' messages without places.
fn messages(found: &[String]) -> Vec<&str> {
    found.iter().map(|line| line.split_once(' ').unwrap().1).collect()
}

fn one(found: &[String], part: &str) {
    assert!(found.len() == 1 && found[0].contains(part), "{found:#?}");
}

#[test]
fn what_is_built_is_sound() {
    assert_eq!(lines(&clique(), GETH), [] as [&str; 0]);
    for (family, target, last) in [
        (Family::Qbft, Target::BESU, Fork::London),
        (Family::Ibft2, Target::BESU, Fork::London),
        (Family::Istanbul, Target::QUORUM, Fork::Berlin),
        (Family::QuorumQbft, Target::QUORUM, Fork::Berlin),
    ] {
        let bft = Bft { family, period: 2, epoch: 30_000, request_timeout: 4, validators: validators() };
        assert_eq!(lines(&bft.to_json(&common(last)).unwrap(), target), [] as [&str; 0], "{family:?}");
    }
    let aura = Aura { name: "ours".into(), period: 5, validators: Validators::List(validators()) };
    assert_eq!(lines(&aura.to_json(&common(Fork::Berlin)).unwrap(), Target::OPEN_ETHEREUM), [] as [&str; 0]);
    let mut prague = common(Fork::London);
    prague.forks.extend([Fork::Shanghai, Fork::Cancun, Fork::Prague].map(|fork| (fork, 0)));
    let found = lines(&Ethereum::default().to_json(&prague).unwrap(), Target::NEWEST);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("contracts that forks of this file call are not there"));
}

#[test]
fn extra_data_of_a_wrong_length_says_what_is_missing() {
    let with = |extra: String| changed(|file| file["extraData"] = extra.as_str().into());
    let signer = "11".repeat(20);
    one(&with(format!("0x{}{signer}", "00".repeat(32))), "!the extra data has 52 bytes");
    one(&with("0x00".into()), "has 1 bytes");
    one(&with(format!("0x{}", "00".repeat(97))), "!the extra data lists no signer");
    one(&with(format!("0x{}0", "00".repeat(97))), "odd number of digits");
}

#[test]
fn signers_are_in_order_and_each_once() {
    let with = |signers: &[u8]| {
        let list: String = signers.iter().map(|byte| format!("{byte:02x}").repeat(20)).collect();
        changed(|file| file["extraData"] = format!("0x{}{list}{}", "00".repeat(32), "00".repeat(65)).into())
    };
    one(&with(&[2, 1, 3]), "the signers are not in ascending order");
    one(&with(&[1, 2, 2]), "!the signer 0x0202020202020202020202020202020202020202 is listed twice");
    one(&with(&[0, 1, 2]), "!the zero address is a signer");
    one(&with(&[1, 2]), "of two signers 2 must be live");
}

#[test]
fn the_settings_of_clique_are_looked_at() {
    let with = |name: &str, value: Value| {
        changed(|file| drop(config(file)["clique"].as_object_mut().unwrap().insert(name.into(), value.clone())))
    };
    one(&with("period", json!(0)), "with a period of 0");
    one(&with("period", json!(5000)), "5000 seconds");
    one(&with("epoch", json!(0)), "reset every 30000");
    one(&with("epoch", json!(3)), "reset every 3 blocks");
    one(&with("perod", json!(3)), "!geth 1.13.15 knows no `perod` in `clique`");
    let found = with("blockperiodseconds", json!(2));
    one(&found, "!`blockperiodseconds` is Besu's name");
    one(
        &changed(|file| drop(config(file)["clique"].as_object_mut().unwrap().remove("period"))),
        "`clique` has no `period`",
    );
}

/// As `geth init` 1.9.25, 1.10.26 and 1.13.15 refuse it.
#[test]
fn geth_wants_numbers_of_clique_without_quotes() {
    let with = |name: &str, value: Value| {
        changed(|file| drop(config(file)["clique"].as_object_mut().unwrap().insert(name.into(), value.clone())))
    };
    one(&with("epoch", json!("0x7530")), "!geth refuses `clique.epoch` in quotes: numbers have none here");
    one(&with("epoch", json!(-1)), "!geth refuses `clique.epoch` as -1");
    one(&with("period", json!("5")), "!geth refuses `clique.period` in quotes");
    one(&with("period", json!(1.5)), "!geth refuses `clique.period` as 1.5: it is a whole number");
    one(&with("period", json!("soon")), "!geth refuses `clique.period` as \"soon\"");
    let found = changed(|file| drop(config(file).insert("daoForkSupport".into(), "true".into())));
    one(&found, "!geth refuses `daoForkSupport` as \"true\"");
}

#[test]
fn a_schedule_has_no_holes_and_keeps_its_order() {
    one(&changed(|file| drop(config(file).remove("berlinBlock"))), "!`londonBlock` stands without `berlinBlock`");
    let found = changed(|file| {
        config(file)["berlinBlock"] = 9.into();
        config(file)["londonBlock"] = 7.into();
    });
    one(&found, "!`londonBlock` is 7, but `berlinBlock`, which comes before it, is 9");
    one(&changed(|file| drop(config(file).insert("shanghaiTime".into(), 0.into()))), "!Clique cannot seal Shanghai");
    one(&changed(|file| config(file)["londonBlock"] = "0x0".into()), "!geth refuses `londonBlock` in quotes");
    one(&changed(|file| config(file)["londonBlock"] = "soon".into()), "is not a whole number");
    one(
        &changed(|file| drop(config(file).insert("londnBlock".into(), 0.into()))),
        "!geth 1.13.15 knows no `londnBlock`",
    );
}

#[test]
fn a_missing_eip_155_lets_transactions_be_replayed() {
    let found =
        changed(|file| config(file).retain(|name, _| ["chainId", "clique", "homesteadBlock"].contains(&name.as_str())));
    one(&found, "!there is no `eip155Block`");
    let found = changed(|file| {
        for name in [
            "eip155Block",
            "eip158Block",
            "byzantiumBlock",
            "constantinopleBlock",
            "petersburgBlock",
            "istanbulBlock",
            "berlinBlock",
            "londonBlock",
        ] {
            config(file)[name] = 9.into();
        }
    });
    one(&found, "up to block 9 transactions can be played again");
}

#[test]
fn a_client_that_is_too_old_is_told_with_the_version_that_is_not() {
    let found = changed_for(Target::Geth(Version(1, 9, 25)), |_| ());
    assert_eq!(
        messages(&found),
        [
            "!geth 1.9.25 does not know Berlin and passes `berlinBlock` over: it plays by other rules from the first block on",
            "!geth 1.9.25 does not know London and passes `londonBlock` over: it computes another block 0 than newer clients",
        ]
    );
    let later = changed_for(Target::Geth(Version(1, 10, 0)), |file| config(file)["londonBlock"] = 100.into());
    one(&later, "it leaves the chain at block 100");
    assert!(changed_for(Target::Geth(Version(1, 10, 26)), |_| ()).is_empty());
    one(
        &changed_for(Target::Geth(Version(1, 10, 26)), |file| file["gasLimit"] = 30_000_000.into()),
        "!geth before 1.11.2 refuses `gasLimit` without quotes",
    );
    one(&changed_for(Target::QUORUM, |_| ()), "!GoQuorum does not know London");
}

#[test]
fn clique_past_its_last_version_is_refused() {
    one(
        &changed_for(Target::Geth(Version(1, 14, 0)), |_| ()),
        "!geth 1.14.0 does not seal with Clique; 1.13.15 is the last geth that does",
    );
    one(
        &changed(|file| drop(config(file).insert("terminalTotalDifficulty".into(), 0.into()))),
        "!from block 1 on this network expects its blocks from a consensus client",
    );
    let plain = json!({"config": {"chainId": 46_781, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0},
        "gasLimit": "0x1c9c380", "difficulty": "0x1", "alloc": {}});
    one(
        &lines(&plain.to_string(), Target::Geth(Version(1, 17, 4))),
        "refuses a file without `terminalTotalDifficulty`",
    );
}

#[test]
fn chain_ids_of_others_are_told() {
    let with = |id: Value| changed(|file| config(file)["chainId"] = id.clone());
    one(&with(json!(1)), "Ethereum's main network");
    one(&with(json!(1337)), "everybody's development network");
    one(&with(json!(0)), "!the chain id is 0");
    one(&changed(|file| drop(config(file).remove("chainId"))), "!there is no `chainId`");
}

#[test]
fn gas_limits_that_stop_a_chain_are_told() {
    let with = |limit: &str| changed(|file| file["gasLimit"] = limit.into());
    one(&with("0x0"), "the gas limit is 0");
    one(&with("0x1000"), "!the gas limit is 4096");
    one(&with("0x2000"), "no transaction fits");
    one(&with("0x8000000000000000"), "!the gas limit is 9223372036854775808");
    one(&changed(|file| drop(file.as_object_mut().unwrap().remove("gasLimit"))), "!this genesis has no `gasLimit`");
}

#[test]
fn accounts_are_looked_at_one_by_one() {
    let with = |address: &str, account: Value| {
        changed(|file| drop(file["alloc"].as_object_mut().unwrap().insert(address.into(), account.clone())))
    };
    let money = || json!({"balance": "0x10"});
    one(&with("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", money()), "!the checksum of this address is wrong");
    one(&with("0x0000000000000000000000000000000000000004", money()), "is a precompiled contract: nobody can spend");
    assert!(with("0x0000000000000000000000000000000000000004", json!({"balance": "0x1"})).is_empty());
    one(&with("0x12", money()), "!`alloc`: `0x12` has 2 digits, not 40");
    one(
        &with("0x0303030303030303030303030303030303030303", money()),
        "!the account 0x0303030303030303030303030303030303030303 stands here a second time",
    );
    one(
        &with("0x0505050505050505050505050505050505050505", json!({"balance": "0x0"})),
        "holds nothing, but changes the hash",
    );
    one(
        &with("0x0505050505050505050505050505050505050505", json!({"nonce": "0x1"})),
        "!the account 0x0505050505050505050505050505050505050505 has no `balance`",
    );
    one(
        &with("0x0505050505050505050505050505050505050505", json!({"balance": "0x1", "secretKey": "0x12"})),
        "the private key of",
    );
    one(
        &with("0x0505050505050505050505050505050505050505", json!({"balance": "0x1", "code": "6080"})),
        "!geth refuses `code` without 0x",
    );
    one(&with("0x0505050505050505050505050505050505050505", json!({"balance": "much"})), "is not a whole number");
    one(
        &with("0x0505050505050505050505050505050505050505", json!({"balance": "0x1", "storage": {"0x1": "0x01"}})),
        "!geth refuses the slot 0x1",
    );
    one(&changed(|file| file["alloc"] = json!({})), "nobody can pay for gas");
}

#[test]
fn unquoted_hexadecimal_numbers_are_told_where_they_stand() {
    let text = clique()
        .replace("\"0303030303030303030303030303030303030303\": {", "0x0303030303030303030303030303030303030303: {");
    let found = lines(&text, GETH);
    assert_eq!(found, ["27:5 !`0x0303030303030303030303030303030303030303` is a hexadecimal number without quotes"]);
}

#[test]
fn files_of_other_clients_are_refused_once() {
    let bft = Bft { family: Family::Qbft, period: 2, epoch: 30_000, request_timeout: 4, validators: validators() };
    let text = bft.to_json(&common(Fork::London)).unwrap();
    one(&lines(&text, GETH), "!geth 1.13.15 cannot run this network: it is a genesis of Besu, with QBFT");
    let mut file: Value = serde_json::from_str(&text).unwrap();
    file["config"]["qbft"] = json!({"requesttimeoutseconds": 1});
    one(&lines(&file.to_string(), Target::BESU), "!`qbft` has no `blockperiodseconds`");
    file["config"]["qbft"] = json!({"blockperiodseconds": 5, "requesttimeoutseconds": 1});
    one(&lines(&file.to_string(), Target::BESU), "a round is given up after 1 s");
    file["config"]["qbft"] = json!({"blockperiodseconds": 5});
    file["extraData"] = "0x00".into();
    one(&lines(&file.to_string(), Target::BESU), "!the extra data lists no validators of QBFT");
    let with_decimal = text.replace("\"difficulty\": \"0x1\"", "\"difficulty\": 10");
    let found = lines(&with_decimal, Target::BESU);
    assert!(found.iter().any(|line| line.contains("!Besu reads `difficulty` 10 as 0x10")), "{found:#?}");
}

#[test]
fn the_extra_data_is_that_of_the_engine() {
    let of = |family| {
        let bft = Bft { family, period: 2, epoch: 30_000, request_timeout: 4, validators: validators() };
        serde_json::from_str::<Value>(&bft.to_json(&common(Fork::London)).unwrap()).unwrap()
    };
    let (mut qbft, mut ibft2) = (of(Family::Qbft), of(Family::Ibft2));
    std::mem::swap(&mut qbft["extraData"], &mut ibft2["extraData"]);
    one(&lines(&qbft.to_string(), Target::BESU), "!the extra data is that of IBFT 2.0, which QBFT cannot read");
    one(&lines(&ibft2.to_string(), Target::BESU), "!the extra data is that of QBFT, which IBFT 2.0 cannot read");
}

#[test]
fn goquorum_wants_its_own_settings() {
    let bft = Bft { family: Family::Istanbul, period: 2, epoch: 30_000, request_timeout: 4, validators: validators() };
    let mut file: Value = serde_json::from_str(&bft.to_json(&common(Fork::Berlin)).unwrap()).unwrap();
    file["config"]["txnSizeLimit"] = 16.into();
    one(&lines(&file.to_string(), Target::QUORUM), "!GoQuorum refuses a `txnSizeLimit`");
    file["config"]["txnSizeLimit"] = 64.into();
    file["mixHash"] = format!("0x{}", "0".repeat(64)).into();
    one(&lines(&file.to_string(), Target::QUORUM), "!the mix hash is not the one");
}

#[test]
fn mistyped_keys_inside_tables_are_told() {
    let of = |family, last| {
        let bft = Bft { family, period: 2, epoch: 30_000, request_timeout: 4, validators: validators() };
        serde_json::from_str::<Value>(&bft.to_json(&common(last)).unwrap()).unwrap()
    };
    for (family, name) in [(Family::Qbft, "qbft"), (Family::Ibft2, "ibft2")] {
        let with = |key: &str, value: Value| {
            let mut file = of(family, Fork::London);
            file["config"][name][key] = value;
            lines(&file.to_string(), Target::BESU)
        };
        one(&with("requesttimeoutsecond", json!(9)), &format!("!Besu knows no `requesttimeoutsecond` in `{name}`"));
        one(&with("epochlength", json!("30000")), &format!("!Besu refuses `{name}.epochlength` in quotes"));
        one(&with("epochlength", json!("x")), "it is a whole number");
    }
    let transitions = |value: Value| {
        let mut file = of(Family::Qbft, Fork::London);
        file["config"]["transitions"] = value;
        lines(&file.to_string(), Target::BESU)
    };
    one(
        &transitions(json!({"qbft": [{"block": 5, "blockperiodsecond": 9}]})),
        "!Besu knows no `blockperiodsecond` in a",
    );
    one(&transitions(json!({"qbtf": []})), "!Besu knows no `qbtf` in `transitions`");
    one(&transitions(json!({"qbft": [{"blockperiodseconds": 9}]})), "!a transition has no `block`");
    let istanbul = |value: Value| {
        let mut file = of(Family::Istanbul, Fork::Berlin);
        file["config"]["istanbul"] = value;
        lines(&file.to_string(), Target::QUORUM)
    };
    let found = istanbul(json!({"policy": 7, "epoch": "x"}));
    assert_eq!(
        messages(&found),
        [
            "!GoQuorum has no way 7 to choose who proposes",
            "!GoQuorum refuses `istanbul.epoch` as \"x\": it is a whole number"
        ]
    );
    one(&istanbul(json!({"policy": 0, "epoc": 5})), "!GoQuorum knows no `epoc` in `istanbul`");
    let found = changed(|file| {
        file["alloc"]["0505050505050505050505050505050505050505"] = json!({"balance": "0x1", "balnce": "0x5"});
    });
    one(&found, "!geth 1.13.15 knows no `balnce` in an account");
}

#[test]
fn other_clients_may_be_too_old_too() {
    let bft = Bft { family: Family::Qbft, period: 2, epoch: 30_000, request_timeout: 4, validators: validators() };
    let text = bft.to_json(&common(Fork::London)).unwrap();
    let found = lines(&text, Target::BESU.at(Version(21, 1, 2)));
    one(&found, "!Besu 21.1.2 does not know London and passes `londonBlock` over");
    assert!(lines(&text, Target::BESU.at(Version(21, 7, 0))).is_empty());
    let with = |key: &str, value: u64, version: Version| {
        let mut file: Value = serde_json::from_str(&text).unwrap();
        file["config"][key] = value.into();
        lines(&file.to_string(), Target::BESU.at(version))
    };
    let found = with("shanghaiTime", 0, Version(23, 10, 2));
    one(&found, "!Besu 23.10.2 cannot seal Shanghai with QBFT");
    assert_eq!(with("shanghaiTime", 0, Version(24, 3, 0)), [] as [&str; 0]);
    one(&with("shanghaiTime", 0, Version(22, 10, 3)), "!Besu 22.10.3 does not know Shanghai");
    let bft = Bft { family: Family::QuorumQbft, ..bft };
    let text = bft.to_json(&common(Fork::Berlin)).unwrap();
    one(&lines(&text, Target::QUORUM.at(Version(20, 10, 0))), "!GoQuorum 20.10.0 has no QBFT");
}

#[test]
fn besu_s_clique_ends_and_its_period_for_empty_blocks_changes_its_name() {
    let clique = Clique { period: 2, epoch: 30_000, signers: validators(), besu: true };
    let clique = clique.to_json(&common(Fork::London)).unwrap();
    assert_eq!(lines(&clique, Target::BESU.at(Version(26, 2, 0))), [] as [&str; 0]);
    one(&lines(&clique, Target::BESU.at(Version(26, 4, 0))), "!Besu 26.4.0 has no Clique any more");
    let bft = Bft { family: Family::Qbft, period: 2, epoch: 30_000, request_timeout: 4, validators: validators() };
    let with = |key: &str, version: Version| {
        let mut file: Value = serde_json::from_str(&bft.to_json(&common(Fork::London)).unwrap()).unwrap();
        file["config"]["qbft"][key] = 30.into();
        lines(&file.to_string(), Target::BESU.at(version))
    };
    let (old, new) = ("xemptyblockperiodseconds", "emptyblockperiodseconds");
    one(
        &with(new, Version(26, 4, 0)),
        "!Besu 26.4.0 knows `emptyblockperiodseconds` by another name and passes it over",
    );
    one(&with(old, Version(24, 9, 1)), "!Besu 24.9.1 does not know `xemptyblockperiodseconds` and passes it over");
    assert_eq!(with(old, Version(24, 10, 0)), [] as [&str; 0]);
    assert_eq!(with(new, Version(26, 5, 0)), [] as [&str; 0]);
}

#[test]
fn a_value_that_is_wrong_is_told_once() {
    let with = |place: &str| lines(&clique().replace(place, &format!("{} NaN,", &place[..place.len() - 3])), GETH);
    one(&with("\"berlinBlock\": 0,"), "!`NaN` is no value of JSON");
    one(&with("\"londonBlock\": 0,"), "!`NaN` is no value of JSON");
    one(&lines(&clique().replace("\"epoch\": 30000", "\"epoch\": NaN"), GETH), "!`NaN` is no value of JSON");
    let found = changed(|file| drop(config(file).insert("daoForkBlock".into(), 100.into())));
    one(&found, "!`daoForkBlock` is 100, but `eip150Block`, which comes after it, is 0");
}

#[test]
fn keys_that_a_chain_specification_has_not_are_told() {
    let aura = Aura { name: "ours".into(), period: 5, validators: Validators::List(validators()) };
    let good: Value = serde_json::from_str(&aura.to_json(&common(Fork::Berlin)).unwrap()).unwrap();
    let with = |target: Target, change: &dyn Fn(&mut Value)| {
        let mut file = good.clone();
        change(&mut file);
        lines(&file.to_string(), target)
    };
    let here = Target::OPEN_ETHEREUM;
    one(&with(here, &|file| file["enginee"] = json!({})), "!OpenEthereum knows no `enginee` in the file");
    one(
        &with(here, &|file| file["engine"]["authorityRound"]["params"]["stepDuraton"] = 5.into()),
        "!OpenEthereum knows no `stepDuraton` in the engine's `params`",
    );
    one(&with(here, &|file| file["genesis"]["gasLimt"] = 5.into()), "!OpenEthereum knows no `gasLimt` in `genesis`");
    let account = |file: &mut Value| file["accounts"][address(7)] = json!({"balance": "0x1", "balnce": "0x2"});
    one(&with(here, &account), "!OpenEthereum knows no `balnce` in an account and refuses the file");
    one(&with(Target::NETHERMIND, &account), "!Nethermind knows no `balnce` in an account and passes it over");
    one(
        &with(here, &|file| file["params"]["minGasLimt"] = "0x1".into()),
        "!OpenEthereum knows no `minGasLimt` in `params`",
    );
    one(&with(here, &|file| file["params"]["minGasLimit"] = "0x2000000".into()), "below `minGasLimit`, 33554432");
    let found = with(here, &|file| {
        let engine = file.as_object_mut().unwrap().shift_remove("engine").unwrap();
        file["enginee"] = engine;
    });
    assert!(found.iter().any(|line| line.contains("!the file names no engine")), "{found:#?}");
    let zero = json!({"list": [Address::ZERO.to_string(), address(1), address(2)]});
    one(
        &with(here, &|file| file["engine"]["authorityRound"]["params"]["validators"] = zero.clone()),
        "!the zero address is a validator",
    );
}

#[test]
fn nethermind_has_keys_of_its_own_and_looks_them_up_whatever_their_case() {
    let aura = Aura { name: "ours".into(), period: 5, validators: Validators::List(validators()) };
    let good: Value = serde_json::from_str(&aura.to_json(&common(Fork::London)).unwrap()).unwrap();
    let with = |target: Target, key: &str, value: Value| {
        let mut file = good.clone();
        file["params"][key] = value;
        lines(&file.to_string(), target)
    };
    let here = Target::NETHERMIND;
    let sound: [&str; 0] = [];
    assert_eq!(with(here, "NETWORKID", 5.into()), sound);
    assert_eq!(with(here, "eip1559FeeCollectorTransition", 5.into()), sound);
    assert_eq!(with(here, "eip4895TransitionTimestamp", 5.into()), sound);
    one(
        &with(here, "eip1559Transiton", 0.into()),
        "!Nethermind knows no `eip1559Transiton` in `params` and passes it over",
    );
    // A number that nobody knows may be an EIP of tomorrow.
    one(&with(here, "eip9999TransitionTimestamp", 0.into()), " Nethermind knows no `eip9999TransitionTimestamp`");
    one(
        &with(here, "maxTransactionSize", 5.into()),
        " `maxTransactionSize` is for OpenEthereum alone: Nethermind passes",
    );
    one(&with(here, "eip2200Transition", 0.into()), "!`eip2200Transition` and `eip1706Transition` stand there both");
    one(&with(here, "eip4895TransitionTimestamp", "soon".into()), "`eip4895TransitionTimestamp`: ");
    let old = here.at(Version(1, 16, 1));
    one(
        &with(old, "eip3855TransitionTimestamp", 5.into()),
        "!Nethermind 1.16.1 does not know Shanghai and passes them over",
    );
    let open_ethereum = with(Target::OPEN_ETHEREUM, "eip4895TransitionTimestamp", 5.into());
    one(&open_ethereum, "!OpenEthereum knows no `eip4895TransitionTimestamp` in `params` and refuses the file");
}

#[test]
fn nethermind_reads_a_whole_fork_from_one_key_since_its_last_versions_only() {
    let aura = Aura { name: "ours".into(), period: 5, validators: Validators::List(validators()) };
    let mut file: Value = serde_json::from_str(&aura.to_json(&common(Fork::Berlin)).unwrap()).unwrap();
    file["params"]["london"] = "0x0".into();
    let text = file.to_string();
    assert_eq!(lines(&text, Target::NETHERMIND), [] as [&str; 0]);
    one(
        &lines(&text, Target::NETHERMIND.at(Version(1, 25, 4))),
        "!Nethermind 1.25.4 does not read a whole fork from `london`",
    );
    let source = Source::new("genesis.json", text);
    let file = read::read(&source, Some(Target::NETHERMIND)).unwrap();
    assert!(file.genesis.begins_with(Fork::London));
}

#[test]
fn nethermind_needs_less_in_params_than_open_ethereum() {
    let aura = Aura { name: "ours".into(), period: 5, validators: Validators::List(validators()) };
    let mut file: Value = serde_json::from_str(&aura.to_json(&common(Fork::London)).unwrap()).unwrap();
    file["params"].as_object_mut().unwrap().shift_remove("gasLimitBoundDivisor");
    assert_eq!(lines(&file.to_string(), Target::NETHERMIND), [] as [&str; 0]);
    one(&lines(&file.to_string(), Target::OPEN_ETHEREUM), "!`params` has no `gasLimitBoundDivisor`");
    let params = file["params"].as_object_mut().unwrap();
    params.shift_remove("networkID");
    params.shift_remove("chainID");
    one(&lines(&file.to_string(), Target::NETHERMIND), "!there is no `networkID`");
}

#[test]
fn signers_of_clique_stand_in_a_chain_specification_too() {
    let aura = Aura { name: "ours".into(), period: 5, validators: Validators::List(validators()) };
    let mut file: Value = serde_json::from_str(&aura.to_json(&common(Fork::London)).unwrap()).unwrap();
    file["engine"] = json!({"clique": {"params": {"period": 5, "epoch": 30_000}}});
    file["genesis"]["seal"] = json!({"ethereum": {"nonce": "0x0", "mixHash": format!("0x{}", "0".repeat(64))}});
    one(&lines(&file.to_string(), Target::NETHERMIND), "!the extra data has 0 bytes; Clique's has 32");
    let clique: Value = serde_json::from_str(&clique()).unwrap();
    file["genesis"]["extraData"] = clique["extraData"].clone();
    assert_eq!(lines(&file.to_string(), Target::NETHERMIND), [] as [&str; 0]);
}

#[test]
fn transitions_of_a_chain_specification_keep_their_order() {
    let aura = Aura { name: "ours".into(), period: 5, validators: Validators::List(validators()) };
    let good: Value = serde_json::from_str(&aura.to_json(&common(Fork::London)).unwrap()).unwrap();
    let with = |target: Target, change: &dyn Fn(&mut crate::base::Map)| {
        let mut file = good.clone();
        change(file["params"].as_object_mut().unwrap());
        lines(&file.to_string(), target)
    };
    let here = Target::OPEN_ETHEREUM;
    one(
        &with(here, &|params| drop(params.insert("eip140Transition".into(), 9.into()))),
        "!`eip140Transition` is 9, but `eip145Transition`, which comes after it, is 0",
    );
    one(
        &with(here, &|params| {
            params.retain(|name, _| !["eip2929Transition", "eip2930Transition"].contains(&name.as_str()));
        }),
        "stands without Berlin, which comes before it",
    );
    one(
        &with(here, &|params| drop(params.shift_remove("eip1884Transition"))),
        "Istanbul is there only in part: without `eip1884Transition`",
    );
    one(&with(here, &|params| drop(params.shift_remove("eip2930Transition"))), "Berlin is there only in part");
    // OpenEthereum and Nethermind take 0 for it: nothing is wrong.
    assert_eq!(with(here, &|params| drop(params.shift_remove("eip155Transition"))), [] as [&str; 0]);
    let found = with(here, &|params| drop(params.insert("eip155Transition".into(), 7.into())));
    assert!(found.iter().any(|line| line.contains("up to block 7 transactions can be played again")), "{found:#?}");
    let found = with(here.at(Version(2, 5, 13)), &|_| ());
    assert_eq!(found.len(), 3, "{found:#?}");
    for part in ["does not know Berlin and refuses", "does not know London and refuses", "prices of built-in contracts"]
    {
        assert!(found.iter().any(|line| line.contains(part)), "{found:#?}");
    }
    one(&with(here.at(Version(3, 2, 6)), &|_| ()), "!OpenEthereum 3.2.6 does not know London and refuses the file");
    one(&with(Target::NETHERMIND.at(Version(1, 10, 31)), &|_| ()), "does not know London and passes them over");
    let found = with(Target::NETHERMIND.at(Version(1, 9, 0)), &|_| ());
    assert!(
        found.len() == 2 && found.iter().any(|line| line.contains("does not know Berlin and passes")),
        "{found:#?}"
    );
}

#[test]
fn chain_specifications_are_looked_at() {
    let aura = Aura { name: "ours".into(), period: 5, validators: Validators::List(validators()) };
    let good: Value = serde_json::from_str(&aura.to_json(&common(Fork::Berlin)).unwrap()).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut file = good.clone();
        change(&mut file);
        lines(&file.to_string(), Target::OPEN_ETHEREUM)
    };
    let engine = |file: &mut Value, name: &str, value: Value| file["engine"]["authorityRound"]["params"][name] = value;
    one(&with(&|file| engine(file, "stepDuration", json!("0"))), "!`stepDuration` is not a positive number");
    one(&with(&|file| engine(file, "validators", json!({"list": []}))), "!the list of validators is empty");
    one(
        &with(&|file| engine(file, "validators", json!({"lst": []}))),
        "!the validators are neither a list nor a contract",
    );
    one(
        &with(&|file| engine(file, "validators", json!({"multi": {"5": {"list": [address(1)]}}}))),
        "!`multi` names no validators for block 0",
    );
    one(&with(&|file| engine(file, "validators", json!({"list": [address(1), address(1)]}))), "is listed twice");
    one(&with(&|file| file["params"]["eip155Transitoin"] = "0x0".into()), "!OpenEthereum knows no `eip155Transitoin`");
    one(
        &with(&|file| drop(file["params"].as_object_mut().unwrap().remove("minGasLimit"))),
        "!`params` has no `minGasLimit`",
    );
    one(&with(&|file| drop(file["genesis"].as_object_mut().unwrap().remove("seal"))), "!block 0 has no seal of Aura");
    one(
        &with(&|file| file["genesis"]["seal"]["authorityRound"]["signature"] = "0x00".into()),
        "!the signature has 1 bytes",
    );
    one(
        &with(&|file| {
            drop(file["accounts"].as_object_mut().unwrap().remove("0x0000000000000000000000000000000000000002"));
        }),
        "!the built-in contract sha256",
    );
}

#[test]
fn autonity_s_users_are_looked_at() {
    let enode = "enode://ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f@10.0.0.1:30303";
    let file = |user: Value| {
        let file = json!({"config": {"chainId": 46_781, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "tendermint": {"block-period": 1},
            "autonityContract": {"operator": address(1), "users": [user]}},
            "gasLimit": "0x1c9c380", "difficulty": "0x1", "mixHash": crate::chain::bft::MIX_HASH, "alloc": {}});
        lines(&file.to_string(), Target::AUTONITY)
    };
    assert_eq!(file(json!({"enode": enode, "type": "validator", "stake": 5})), [] as [&str; 0]);
    one(
        &file(json!({"enode": enode, "type": "validator", "address": address(2)})),
        "!this address is not that of the enode",
    );
    one(&file(json!({"enode": "fqdn://a.example", "type": "validator"})), "!a name is not resolved yet");
    let found = file(json!({"enode": enode, "type": "participant", "stake": 5}));
    assert!(
        found.iter().any(|line| line.contains("a participant has stake"))
            && found.iter().any(|line| line.contains("no user is a validator")),
        "{found:#?}"
    );
}

#[test]
fn autonity_s_generations_are_told_apart() {
    let key = "ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f";
    let enode = format!("enode://{key}@10.0.0.1:30303");
    let file = |config: Value, difficulty: &str, target: Target| {
        let mut file = json!({"config": {"chainId": 46_781, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0},
            "gasLimit": "0x1c9c380", "difficulty": difficulty, "mixHash": crate::chain::bft::MIX_HASH, "alloc": {}});
        file["config"].as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        lines(&file.to_string(), target)
    };
    let old = |users: Value| json!({"tendermint": {"block-period": 1}, "autonityContract": {"operator": address(1), "users": users}});
    let user = || json!({"enode": enode, "type": "validator", "stake": 5});
    let young = json!({"autonity": {"operator": address(1), "treasury": address(2), "validators": [{"enode": enode,
        "treasury": address(3), "oracleAddress": address(4), "bondedStake": 5, "consensusKey": format!("0x{}", "11".repeat(48))}]}});
    let (v07, v14) = (Target::AUTONITY.at(Version(0, 7, 1)), Target::AUTONITY.at(Version(0, 14, 1)));
    assert_eq!(file(old(json!([user()])), "0x1", v07), [] as [&str; 0]);
    assert_eq!(file(young.clone(), "0x0", v14), [] as [&str; 0]);
    one(&file(old(json!([user()])), "0x1", v14), "!Autonity 0.14.1 does not read `autonityContract`");
    one(&file(young, "0x0", v07), "!Autonity 0.7.1 does not read `autonity`");
    one(&file(old(json!([user(), user()])), "0x1", v07), "!this user is listed twice");
    let mut poor = user();
    poor["stake"] = json!(-5);
    one(&file(old(json!([poor])), "0x1", v07), "!`stake`: -5 is not a whole number");
    let mut config = old(json!([user()]));
    config["tendermint"]["block-perod"] = 1.into();
    one(&file(config, "0x1", v07), "!Autonity 0.7.1 knows no `block-perod` in `tendermint`");
}

#[test]
fn what_is_no_genesis_is_said_to_be_none() {
    one(&lines("[]", GETH), "!this is a list, not a genesis");
    one(&lines("", GETH), "!the text ends");
    let found = lines("{}", GETH);
    assert!(found.len() >= 4 && found.iter().all(|line| line.starts_with("1:1 !")), "{found:#?}");
}

proptest::proptest! {
    /// Whatever is broken, `check` says something and does not fall.
    #[test]
    fn no_broken_file_makes_it_fall(at in 0.0..1.0_f64, with in "[\"{}\\[\\],:0x1a ]{0,3}") {
        let text = clique();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let at = (text.len() as f64 * at) as usize;
        let broken = format!("{}{with}{}", &text[..at], &text[at + 1..]);
        for target in [GETH, Target::BESU, Target::OPEN_ETHEREUM, Target::AUTONITY] {
            let source = Source::new("genesis.json", broken.clone());
            if let Ok(file) = read::read(&source, Some(target)) {
                for diagnostic in check(&file, target) {
                    diagnostic.render(false);
                }
            }
        }
    }
}
