//! The table of geth's flags against what each version's `--help` tells.

use crate::geth;
use chainwright::chain::client::{Client, Row, Topic, Version};
use std::collections::BTreeSet;
use std::process::Command;

/// One of each age. A build that is not there is made once.
const VERSIONS: [&str; 6] = ["1.9.25", "1.10.8", "1.10.26", "1.13.2", "1.13.15", "1.17.4"];

/// Read for old times' sake, and no more told of.
const HIDDEN: [&str; 2] = ["--log.json", "--nousb"];

/// Print something and end, so that no node runs with them; or are read without effect, and not given any more.
const PASSED_OVER: [&str; 3] = ["--help", "--version", "--nousb"];

/// 1.9.25 tells of them, and refuses them.
const TOLD_AND_REFUSED: [&str; 2] = ["--graphql.addr", "--graphql.port"];

fn help(version: &str) -> String {
    let help = Command::new(geth::built(version).join("geth")).arg("--help").output().expect("geth runs");
    String::from_utf8_lossy(&help.stdout).into_owned()
}

/// Whatever looks like a flag, also in the middle of an explanation.
fn told(help: &str) -> BTreeSet<&str> {
    let words = help.split(|c: char| c.is_whitespace() || ",=\"`()".contains(c));
    words.filter(|word| word.starts_with("--")).collect()
}

/// The flags that have a line of their own: `--discovery.v4, --discv4   (default: true)`.
fn offered(help: &str) -> BTreeSet<&str> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with("--"));
    lines
        .flat_map(|line| line.split_whitespace().take_while(|word| word.starts_with('-')))
        .map(|word| word.trim_end_matches(','))
        .filter(|word| word.starts_with("--"))
        .collect()
}

fn flags() -> impl Iterator<Item = &'static Row> {
    Client::geth().all().filter(|row| row.topic == Topic::Flag)
}

#[test]
fn every_flag_of_the_table_is_one_of_the_program_and_none_is_said_to_be_missing() {
    for version in VERSIONS {
        let help = help(version);
        let told = told(&help);
        let number: Version = version.parse().unwrap();
        // A spelling may come, go and come again.
        let valid: BTreeSet<&str> = flags().filter(|row| row.holds(number)).map(|row| row.says).collect();
        for row in flags().filter(|row| !HIDDEN.contains(&row.says)) {
            let newest = Client::geth().row(number, Topic::Flag, row.name);
            if newest.is_some_and(|newest| newest.says == row.says) {
                assert!(told.contains(row.says), "geth {version} --help says nothing of {}", row.says);
            } else if !valid.contains(row.says) && !TOLD_AND_REFUSED.contains(&row.says) {
                assert!(
                    !offered(&help).contains(row.says),
                    "geth {version} has {}, the table says {}",
                    row.says,
                    row.span
                );
            }
        }
    }
}

#[test]
fn every_flag_of_the_program_is_in_the_table() {
    for version in VERSIONS {
        let help = help(version);
        let number: Version = version.parse().unwrap();
        let known: BTreeSet<&str> = flags().filter(|row| row.holds(number)).map(|row| row.says).collect();
        let offered = offered(&help);
        assert!(offered.len() > 140, "geth {version} --help is not read: {}", offered.len());
        let refused = if version == "1.9.25" { &TOLD_AND_REFUSED[..] } else { &[] };
        let missing: Vec<_> = offered
            .iter()
            .filter(|flag| !known.contains(*flag) && !PASSED_OVER.contains(flag) && !refused.contains(flag))
            .collect();
        assert!(missing.is_empty(), "geth {version} has {missing:?}, which the table does not");
    }
}

#[test]
fn what_1_9_25_tells_of_and_is_not_in_the_table_is_refused_by_it() {
    for flag in TOLD_AND_REFUSED {
        let ran = Command::new(geth::built("1.9.25").join("geth")).args([flag, "1", "version"]).output().unwrap();
        let said = [ran.stderr, ran.stdout].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!ran.status.success() && said.contains("flag provided but not defined"), "{flag}: {said}");
    }
}
