//! `chainwright init` on plain hosts: from the binary and some hosts to a network that seals.

use crate::agent;
use crate::run::turn;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn a_user_with_the_binary_and_four_hosts_has_a_network() {
    let _turn = turn();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(root.join(".lab/plain.yml").exists(), "no plain hosts: run `make test`, or `tests/lab/lab up plain 4`");
    let folder = tempfile::tempdir().unwrap();
    let ssh = format!("-F {}", root.join(".lab/ssh_config").display());
    let geth = root.join(".lab/geth/1.13.15/geth");
    let chainwright = |folder: &Path, arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_chainwright"))
            .current_dir(folder)
            .env("CHAINWRIGHT_AGENT", agent::stripped())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}\n{text}");
        text
    };
    let made = chainwright(
        folder.path(),
        &[
            "init", "net", "--sealer", "host1", "--sealer", "host2", "--sealer", "host3", "--rpc", "host4", "--period", "2",
            "--client", &geth.display().to_string(), "--ssh-common-args", &ssh,
        ],
    );
    let net = folder.path().join("net");
    // What the screen names as next is what is typed.
    let next: Vec<Vec<&str>> = made
        .lines()
        .filter_map(|line| line.trim().strip_prefix("chainwright "))
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(next.len(), 2, "{made}");
    let site = chainwright(&net, &next[0]);
    assert!(site.contains("every sealer seals"), "{site}");
    let restart = chainwright(&net, &next[1]);
    assert!(restart.contains("sealed a new block itself"), "{restart}");
    for host in ["host1", "host2", "host3", "host4"] {
        let status = Command::new("tests/lab/lab").current_dir(root).args(["reset", host]).status().unwrap();
        assert!(status.success(), "{host} is not reset");
    }
}
