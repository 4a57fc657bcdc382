//! `chainwright doctor` where there is no network: what it refuses, and how it ends.

use crate::project::Project;

const LOCAL: &str = "all:\n  vars: {ansible_connection: local, ansible_become: false, geth_unit: there-is-no-such-unit.service, \
    geth_datadir: /nonexistent}\n  children:\n    sealers: {hosts: {a: }}\n    rpc: {hosts: {b: }}\n";

fn project(hosts: &str) -> Project {
    Project::new().file("hosts.yml", hosts)
}

#[test]
fn hosts_without_a_node_are_named_in_a_table_and_as_data_and_the_exit_code_says_it() {
    let project = project(LOCAL);
    project.chainwright(&["doctor", "-i", "hosts.yml"]).code(2).in_order(&[
        "host  role",
        "a     sealer  no unit",
        "there is no lock",
        "error: not-installed",
        "do    run playbooks/site.yml",
        "2 errors",
    ]);
    let ran = project.chainwright(&["doctor", "-i", "hosts.yml", "--json", "-l", "b"]).code(2);
    let data: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON and nothing else");
    assert_eq!((&data["healthy"], &data["findings"][0]["hosts"]), (&false.into(), &serde_json::json!(["b"])));
}

#[test]
fn an_unreachable_host_is_a_finding_and_exit_code_4() {
    let far = LOCAL.replace(
        "rpc: {hosts: {b: }}",
        "rpc: {hosts: {b: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}}}",
    );
    project(&far)
        .chainwright(&["doctor", "-i", "hosts.yml"])
        .code(4)
        .says("error: host-unreachable  b cannot be reached")
        .says("not-installed");
}

#[test]
fn an_inventory_without_sealers_is_refused() {
    project("all:\n  children:\n    nodes: {hosts: {a: }}\n")
        .chainwright(&["doctor", "-i", "hosts.yml"])
        .code(1)
        .says("the inventory's group `sealers` has no host");
    project(LOCAL).chainwright(&["doctor", "-i", "hosts.yml", "-l", "nosuch"]).code(1).says("nosuch");
    project("all: [").chainwright(&["doctor", "-i", "hosts.yml"]).code(4).says("hosts.yml:1");
}

#[test]
fn a_lock_that_is_none_is_refused_with_its_place_before_anything_is_contacted() {
    let project = project(LOCAL)
        .file("broken.lock", "{\"version\": 1,\n \"netwrok\": \"x\"}")
        .file("new.lock", "{\"version\": 2}");
    let asked = |lock: &str| {
        project.chainwright(&["doctor", "-i", "hosts.yml", "--lock", lock]).code(1).silent_about("not-installed")
    };
    asked("broken.lock").says("broken.lock: line 2").says("`netwrok`");
    asked("new.lock").says("this lock has version 2");
    asked("nosuch.lock").says("cannot read the lock nosuch.lock");
}

#[test]
fn an_unknown_option_is_a_bad_command_line_and_help_has_examples() {
    let project = project(LOCAL);
    project.chainwright(&["doctor", "-i", "hosts.yml", "--lokc", "x"]).code(5).says("--lock");
    project.chainwright(&["doctor", "--help"]).code(0).says("Exit code:").says("--lock network.lock").says("jq -r");
}
