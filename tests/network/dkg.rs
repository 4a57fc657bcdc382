//! A key ceremony of Charon by `playbooks/dkg.yml`: four operators on four hosts, with real charon, a real relay, and a stand-in of
//! the Obol API; and what comes of it when the power of a host goes in the middle.

#[path = "../chain/charon_program.rs"]
#[allow(dead_code)]
mod charon_program;
#[path = "../chain/dkg/stand_in.rs"]
#[allow(dead_code)]
mod stand_in;

use crate::plain::Project;
use crate::run::{on, root, until};
use chainwright::chain::AccountKey;
use chainwright::chain::charon::{Plan, Version};
use charon_program::{free_port, program, relay_at};
use sha2::{Digest, Sha256};
use stand_in::{StandIn, State};
use std::fmt::Write as _;
use std::process::Command;

const HOSTS: [&str; 4] = ["host10", "host11", "host12", "host13"];

/// This machine's own address, as the hosts see it.
fn controller() -> String {
    let lab = std::fs::read_to_string(root().join(".lab/plain.yml")).unwrap();
    let line = lab.lines().find_map(|line| line.strip_prefix("lab_controller: ")).expect("an address");
    line.trim_matches('"').to_owned()
}

fn lab(deed: &str, host: &str) {
    assert!(Command::new("tests/lab/lab").current_dir(root()).args([deed, host]).status().unwrap().success());
}

#[test]
fn four_organisations_make_a_cluster_although_the_power_goes() {
    let project = Project::of_checkout(&HOSTS);
    let (ip, ports, folder) = (controller(), (free_port(), free_port()), tempfile::tempdir().unwrap());
    let accounts = HOSTS.map(|_| AccountKey::generate().unwrap());
    let definition = Plan {
        name: "four organisations".into(),
        uuid: "5A1E0C0B-8B0E-4F43-9E5C-0C2D0C1B7A11".into(),
        timestamp: "2026-04-01T00:00:00Z".into(),
        version: Version::V1_10,
        chain_id: 560_048,
        operators: accounts.iter().map(AccountKey::address).collect(),
        threshold: 3,
        validators: vec![(accounts[0].address(), accounts[1].address())],
        deposit_amounts: Vec::new(),
    }
    .definition(&AccountKey::generate().unwrap())
    .unwrap();
    let hash = definition.config_hash.to_string();
    let api = StandIn::new(&ip, State { definitions: vec![definition], ..State::default() });
    let _relay = relay_at(folder.path(), &ip, ports);

    let sum = Sha256::digest(std::fs::read(program()).unwrap());
    let sum = sum.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let mut hosts = format!(
        "all:\n  children:\n    charon:\n      vars:\n        ansible_ssh_common_args: '-F {}'\n        charon_source: {}\n        \
         charon_sha256: {sum}\n        charon_config_hash: '{hash}'\n        charon_api: '{}'\n        charon_chain_id: 560048\n        \
         charon_accept_with: /var/lib/charon/account\n        charon_relays: ['http://{ip}:{}']\n        charon_first_wait: 1\n        \
         charon_longest_wait: 2\n        charon_deadline: 60\n        charon_options: [--shutdown-delay=1s]\n      hosts:\n",
        root().join(".lab/ssh_config").display(),
        program().display(),
        api.url,
        ports.0
    );
    for (host, account) in HOSTS.iter().zip(&accounts) {
        let _ = writeln!(hosts, "        {host}: {{charon_operator: '{}'}}", account.address());
        let key = account.node().to_hex();
        project.write(&format!("accounts/{host}"), &key);
    }
    project.write("inventories/main/hosts.yml", &hosts);
    project.write(
        "playbooks/accounts.yml",
        "- hosts: charon\n  gather_facts: false\n  tasks:\n    - copy: {src: '../accounts/{{ inventory_hostname }}', dest: /var/lib/charon/account, owner: charon, mode: '0400'}\n",
    );
    let records = project.play("dkg.yml", &["-t", "enr"]).expect(0);
    assert!(records.matches("enr:-HW4Q").count() >= 4, "{records}");
    project.play("accounts.yml", &[]).expect(0);

    // Three agree, and do not wait for the fourth.
    let agreed = project.play("dkg.yml", &["--limit", "host11,host12,host13", "-e", "charon_patience=12"]).expect(2);
    assert!(agreed.contains("waits for operator 1 (0x"), "{agreed}");
    // It comes late, and alone; its power goes while charon waits for the others.
    std::thread::scope(|scope| {
        let alone = scope.spawn(|| project.play("dkg.yml", &["--limit", "host10", "-e", "charon_patience=300"]));
        let look = "test -e /var/lib/charon/.dkg-running && pgrep -x charon || true";
        assert!(until(240, || !on("host10", look).trim().is_empty()));
        lab("kill", "host10");
        alone.join().unwrap().expect(4);
    });
    lab("boot", "host10");
    let made = project.play("dkg.yml", &["-e", "charon_patience=300"]).expect(0);
    assert!(!made.contains(&*accounts[2].node().to_hex()));
    let locks = HOSTS
        .map(|host| on(host, "cd /var/lib/charon; sha256sum cluster-lock.json; stat -c '%a %U' cluster-lock.json"));
    assert!(locks[0].ends_with("400 charon\n") && locks.iter().all(|lock| *lock == locks[0]), "{locks:?}");
    let again = project.play("dkg.yml", &["-e", "charon_patience=300"]).expect(0);
    assert_eq!(again.matches("changed=0").count(), 4, "{again}");
    assert!(again.contains("operator 4, lock hash 0x"), "{again}");
}
