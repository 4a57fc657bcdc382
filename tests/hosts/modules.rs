//! Every module on real hosts, by its playbook in `tests/modules`.

use crate::contract;
use crate::lab::{self, Host};
use chainwright::modules::registry::REGISTRY;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

fn playbooks() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(lab::module_playbooks()).expect("tests/modules");
    let mut found: Vec<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    found.sort();
    found
}

fn name(playbook: impl AsRef<Path>) -> String {
    playbook.as_ref().file_stem().expect("a file").to_string_lossy().into_owned()
}

/// Modules named `eth_...` are tested with real nodes, in `tests/network`.
#[test]
fn each_module_that_is_not_about_a_chain_has_a_playbook() {
    let have: BTreeSet<_> = playbooks().iter().map(name).collect();
    let want: BTreeSet<_> =
        REGISTRY.iter().map(|entry| entry.name.to_owned()).filter(|name| !name.starts_with("eth_")).collect();
    let missing: Vec<_> = want.difference(&have).collect();
    assert!(missing.is_empty(), "add tests/modules/NAME.yml for {missing:?}");
    let unknown: Vec<_> = have.difference(&want).collect();
    assert!(unknown.is_empty(), "no module has the name of these playbooks: {unknown:?}");
}

/// As many at a time as there are hosts; `ONLY=copy,file` takes these alone.
#[test]
fn check_mode_predicts_the_first_run_and_the_second_changes_nothing() {
    let only = std::env::var("ONLY").ok();
    let wanted = |path: &PathBuf| only.as_ref().is_none_or(|only| only.split(',').any(|one| one == name(path)));
    let waiting = Mutex::new(playbooks().into_iter().filter(wanted).rev().collect::<Vec<_>>());
    let broken = Mutex::new(Vec::new());
    let next = || waiting.lock().expect("no thread has panicked").pop();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(playbook) = next() {
                    let host = Host::take();
                    if let Err(report) = contract::hold(&playbook, &host) {
                        let report = format!("{} on {}: {report}", name(&playbook), &*host);
                        broken.lock().expect("no thread has panicked").push(report);
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().expect("no thread has panicked");
    assert!(broken.is_empty(), "{} modules broke their promise:\n\n{}", broken.len(), broken.join("\n\n"));
}
