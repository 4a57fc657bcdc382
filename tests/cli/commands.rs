//! The subcommands beside `playbook`, its listings, and exit codes.

use crate::project::Project;

const BOOK: &str = "- name: the play\n  hosts: two\n  gather_facts: false\n  tags: p\n  tasks:\n    - {name: one, file: {path: /tmp, state: directory}, tags: t}\n    - {name: two, command: 'true'}\n";

#[test]
fn a_bad_command_line_exits_with_5() {
    Project::new().chainwright(&["playbook", "--no-such-option"]).code(5);
    Project::new().chainwright(&["playbok"]).code(5).says("playbook");
}

#[test]
fn lists_of_hosts_tasks_and_tags_run_nothing() {
    Project::new().play(BOOK, &["--list-hosts"]).code(0).says("hosts (2):").in_order(&["a", "b"]);
    Project::new().play(BOOK, &["--list-tasks"]).code(0).says("one\tTAGS: [t, p]");
    Project::new().play(BOOK, &["--list-tags"]).code(0).says("TASK TAGS: [p, t]");
    Project::new().play(BOOK, &["--syntax-check"]).code(0).says("playbook: site.yml");
}

#[test]
fn a_reader_that_goes_away_is_no_reason_to_complain() {
    use std::process::{Command, Stdio};
    let project = Project::new().file("site.yml", BOOK);
    let mut child = Command::new(env!("CARGO_BIN_EXE_chainwright"))
        .args(["playbook", "-i", "hosts.yml", "--list-hosts", "--list-tasks", "site.yml"])
        .current_dir(project.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("chainwright runs");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr)), (Some(0), "".into()));
}

#[test]
fn a_plan_shows_what_waits_for_what() {
    let project = Project::new().file("site.yml", BOOK);
    let plan = |format: &str| project.chainwright(&["plan", "-i", "hosts.yml", "--format", format, "site.yml"]).code(0);
    // `command` could be seen from other hosts: it waits for both of them.
    plan("text").says("two  after 1, 2");
    plan("dot").says("digraph").says("s0 -> s2").says("s1 -> s2");
    plan("mermaid").says("flowchart LR").says("s0 --> s2");
}

#[test]
fn an_inventory_is_shown_as_ansible_shows_it() {
    let project = Project::new();
    project.chainwright(&["inventory", "-i", "hosts.yml", "--graph"]).code(0).in_order(&["@all:", "--@two:", "--a"]);
    project.chainwright(&["inventory", "-i", "hosts.yml", "--host", "b"]).code(0).says("\"n\": 2");
    let listed = project.chainwright(&["inventory", "-i", "hosts.yml", "--list"]).code(0);
    let value: serde_json::Value = serde_json::from_str(&listed.out).expect("JSON");
    assert_eq!(value["_meta"]["hostvars"]["c"]["n"], 3);
    assert_eq!(value["two"]["hosts"], serde_json::json!(["a", "b"]));
}

#[test]
fn json_gives_one_event_a_line_and_the_recap_at_the_end() {
    let ran = Project::new().play(BOOK, &["--json"]).code(0);
    let events: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(events.first().unwrap()["event"], "run_started");
    let last = events.last().unwrap();
    assert_eq!((last["event"].as_str(), last["exit"].as_i64()), (Some("run_ended"), Some(0)));
    assert_eq!(last["recap"]["a"]["ok"], 2);
}

#[test]
fn json_into_a_file_leaves_the_screen_to_people() {
    let project = Project::new().file("site.yml", BOOK);
    let run = |more: &str| project.chainwright(&["playbook", "-i", "hosts.yml", "site.yml", more]);
    run("--json=events").code(0).says("\nPLAY RECAP ****");
    let events = std::fs::read_to_string(project.path().join("events")).expect("events");
    assert!(events.lines().last().is_some_and(|line| line.contains(r#""event":"run_ended""#)), "{events}");
    run("--json=no/such/folder").code(1).says("no/such/folder").silent_about("PLAY");
}

#[test]
fn colours_are_where_the_command_line_wants_them() {
    let colourful = "\u{1b}[32mok: [a]";
    Project::new().play(BOOK, &["--color", "always"]).code(0).says(colourful);
    Project::new().play(BOOK, &["--color=auto"]).code(0).silent_about("\u{1b}");
    Project::new().chainwright(&["--color", "sometimes", "playbook"]).code(5);
}

#[test]
fn a_limit_leaves_hosts_out_and_an_unknown_one_is_named() {
    Project::new().play(BOOK, &["-l", "a"]).code(0).silent_about("[b]");
    Project::new().play(BOOK, &["-l", "aa"]).code(1).says("aa");
}

#[test]
fn init_writes_a_project_that_parses() {
    let project = Project::new();
    let sealers = ["--sealer", "10.0.0.1", "--sealer", "root@10.0.0.2", "--sealer", "10.0.0.3"];
    let others = ["--rpc", "10.0.0.4", "--bootnode", "10.0.0.5", "--ethstats", "10.0.0.6"];
    let geth = ["--client", "https://example.org/geth", "--client-sha256", "00"];
    let args = [&["init", "net"][..], &sealers, &others, &geth].concat();
    project.chainwright(&args).code(0).says("chainwright playbook -i inventories/main");
    for book in ["site.yml", "restart.yml"] {
        let path = format!("net/playbooks/{book}");
        project.chainwright(&["playbook", "-i", "net/inventories/main", &path, "--syntax-check"]).code(0);
    }
    let order = std::fs::read_to_string(project.path().join("net/inventories/main/group_vars/all.yml")).unwrap();
    assert!(order.contains("restart_order: [10.0.0.2, 10.0.0.3, 10.0.0.1]"), "{order}");
    let other = [&["init", "net", "--chain-id", "5"][..], &sealers].concat();
    project.chainwright(&other).code(1).says("nothing was written");
}
