//! `chainwright init` on plain hosts: from the binary and some hosts to a network that seals.

use crate::plain::Project;

#[test]
fn a_user_with_the_binary_and_six_hosts_has_a_network() {
    let others = [("--rpc", "host13"), ("--bootnode", "host14"), ("--ethstats", "host15")];
    let (project, made) = Project::init(&["host10", "host11", "host12"], &others);
    // What the screen names as next is what is typed.
    let commands: Vec<Vec<&str>> = made
        .lines()
        .filter_map(|line| line.trim().strip_prefix("chainwright "))
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(commands.len(), 2, "{made}");
    let site = project.chainwright(&commands[0]).expect(0);
    assert!(site.contains("every sealer seals") && site.contains("the stats server sees all nodes"), "{site}");
    let restart = project.chainwright(&commands[1]).expect(0);
    assert!(restart.contains("sealed a new block itself"), "{restart}");
}
