//! Streams of events made by hand, and what a person then sees.

use super::*;
use crate::base::event::Proof;
use crate::base::{Diff, Recap};
use crate::report::look::PLAIN;
use serde_json::json;

fn shown(look: Look, events: Vec<Event>) -> String {
    let mut terminal = Terminal::new(look, Screen::new(std::io::sink(), look, false));
    events.iter().map(|event| terminal.text(event)).collect()
}

fn task(task: usize, name: &str, module: &str) -> Event {
    let path = format!("site.yml:{}:5", task + 3);
    Event::TaskStarted { task, name: name.into(), module: module.into(), path, handler: false }
}

fn done(task: usize, host: &str, status: Status, result: Value) -> Done {
    let Value::Object(result) = result else { panic!("a result is a table") };
    Done {
        task,
        host: host.into(),
        delegate: None,
        status,
        item: None,
        result,
        diffs: Vec::new(),
        help: None,
        proofs: Vec::new(),
        seconds: 0.1,
    }
}

fn step(number: usize, host: &str, status: Status, result: Value) -> Event {
    Event::StepDone(done(number, host, status, result))
}

fn item(label: &str, status: Status, result: Value) -> Event {
    Event::ItemDone(Done { item: Some(json!(label)), ..done(1, "a", status, result) })
}

#[test]
fn a_run_reads_as_ansible_users_expect() {
    let mut recap = Recap::default();
    let changed = Done {
        diffs: vec![Diff::value("mode", "0755", "0700"), Diff::value("owner", "root", "geth")],
        ..done(1, "sealer2", Status::Changed, json!({"path": "/var/lib/geth"}))
    };
    let failed = Done {
        help: Some("run it by hand\nto see why".into()),
        ..done(
            2,
            "sealer1",
            Status::Failed,
            json!({
                "msg": "non-zero return code", "cmd": ["false"], "rc": 1, "stdout": "", "stderr": "oh\nno", "changed": true
            }),
        )
    };
    let unreachable = done(2, "sealer2", Status::Unreachable, json!({"msg": "Connection refused"}));
    for done in [&changed, &failed, &unreachable] {
        recap.count(done);
    }
    let text = shown(
        PLAIN,
        vec![
            Event::RunStarted { playbooks: vec!["site.yml".into()], check: false, version: "0.1.0".into() },
            Event::PlayStarted { play: "Sealers".into(), hosts: vec!["sealer1".into(), "sealer2".into()] },
            task(1, "geth : Make the folder", "file"),
            step(1, "sealer1", Status::Ok, json!({"path": "/var/lib/geth"})),
            Event::StepDone(changed),
            task(2, "Try", "command"),
            Event::StepDone(failed),
            Event::StepDone(unreachable),
            Event::Warning { text: "be careful".into() },
            Event::NoMoreHosts,
            Event::RunEnded { recap, exit: 4, round_trips: 3, bytes: (1_234_567, 890), seconds: 75.2 },
        ],
    );
    insta::assert_snapshot!(text, @"
    PLAY [Sealers] *****************************************************************

    TASK [geth : Make the folder] **************************************************
    ok: [sealer1]
    changed: [sealer2] => mode 0755 -> 0700, owner root -> geth

    TASK [Try] *********************************************************************
    fatal: [sealer1]: FAILED! => non-zero return code
        cmd: false
        rc: 1
        stderr: |
          oh
          no
        help: run it by hand
              to see why
    fatal: [sealer2]: UNREACHABLE! => Connection refused
    [WARNING]: be careful

    NO MORE HOSTS LEFT *************************************************************

    PLAY RECAP *********************************************************************
    sealer2                    : ok=1    changed=1    unreachable=1    failed=0    skipped=0    rescued=0    ignored=0   
    sealer1                    : ok=0    changed=0    unreachable=0    failed=1    skipped=0    rescued=0    ignored=0   

    Failed (exit code 4): 1 min 15 s, 3 round trips, 1.2 MB sent, 890 B received
    ");
}

#[test]
fn a_loop_shows_its_items_and_not_its_sum() {
    let text = shown(
        PLAIN,
        vec![
            task(1, "Install", "apt"),
            item("curl", Status::Ok, json!({})),
            Event::ItemDone(Done {
                item: Some(json!({"name": "jq"})),
                diffs: vec![Diff::action("install: jq")],
                ..done(1, "a", Status::Changed, json!({}))
            }),
            item("vim", Status::Skipped, json!({})),
            item("nope", Status::Failed, json!({"msg": "no such package"})),
            step(1, "a", Status::Ignored, json!({"msg": "One or more items failed", "results": []})),
            step(1, "b", Status::Skipped, json!({"msg": "nothing to loop over"})),
            step(1, "c", Status::Failed, json!({"rc": 0, "failed_when_result": true, "stdout_lines": ["x"]})),
        ],
    );
    insta::assert_snapshot!(text, @r#"
    TASK [Install] *****************************************************************
    ok: [a] => (item=curl)
    changed: [a] => (item={"name":"jq"}) install: jq
    skipping: [a] => (item=vim)
    failed: [a] (item=nope) => no such package
    ...ignoring
    skipping: [b]
    fatal: [c]: FAILED! => its `failed_when` holds
        rc: 0
    "#);
}

#[test]
fn debug_is_always_readable() {
    let text = shown(
        PLAIN,
        vec![
            task(1, "Say", "debug"),
            step(1, "a", Status::Ok, json!({"msg": "hello", "changed": false})),
            step(1, "b", Status::Ok, json!({"msg": "one\ntwo\n"})),
            step(1, "c", Status::Ok, json!({"msg": ["one", 2]})),
            step(1, "d", Status::Ok, json!({"port": 30303})),
            step(1, "e", Status::Ok, json!({"network": {"name": "demo", "id": 4224}})),
            Event::ItemDone(Done { item: Some(json!("x")), ..done(1, "f", Status::Ok, json!({"msg": "x is 1"})) }),
        ],
    );
    insta::assert_snapshot!(text, @"
    TASK [Say] *********************************************************************
    ok: [a] => hello
    ok: [b] =>
        one
        two
    ok: [c] =>
        one
        2
    ok: [d] => port: 30303
    ok: [e] =>
        network:
          name: demo
          id: 4224
    ok: [f] => (item=x) x is 1
    ");
}

#[test]
fn evidence_and_tables_stand_below_their_step() {
    let proofs = vec![Proof::new("state saved", "Blockchain stopped 13:00:01"), Proof::new("exit", "code 0")];
    let text = shown(
        PLAIN,
        vec![
            task(1, "Restart", "eth_stopped"),
            Event::StepDone(Done { proofs, ..done(1, "a", Status::Ok, json!({"proofs": []})) }),
            task(2, "Heads", "eth_network"),
            step(2, "a", Status::Ok, json!({"table": [{"host": "a", "head": 7}, {"host": "bcd", "head": 12}]})),
        ],
    );
    insta::assert_snapshot!(text, @"
    TASK [Restart] *****************************************************************
    ok: [a]
        proven: state saved  Blockchain stopped 13:00:01
        proven: exit         code 0

    TASK [Heads] *******************************************************************
    ok: [a]
        host  head
        a     7
        bcd   12
    ");
}

#[test]
fn verbose_shows_results_and_diff_shows_texts() {
    let look = Look { verbosity: 1, diff: true, ..PLAIN };
    let text = shown(
        look,
        vec![
            Event::RunStarted { playbooks: Vec::new(), check: true, version: "0.1.0".into() },
            Event::PlayStarted { play: "all".into(), hosts: Vec::new() },
            task(1, "Write", "copy"),
            Event::StepDone(Done {
                delegate: Some("b".into()),
                diffs: vec![Diff::text("/etc/motd", None, Some("hi\n".into())), Diff::value("mode", "0644", "0600")],
                ..done(1, "a", Status::Changed, json!({"dest": "/etc/motd", "warnings": ["old option"]}))
            }),
            step(1, "c", Status::Skipped, json!({"false_condition": "x == 1"})),
            Event::RunEnded { recap: Recap::default(), exit: 0, round_trips: 0, bytes: (0, 0), seconds: 0.04 },
        ],
    );
    insta::assert_snapshot!(text, @"
    PLAY [all] [CHECK MODE] ********************************************************
    skipping: no hosts matched

    TASK [Write] *******************************************************************
    changed: [a -> b] => /etc/motd created, mode 0644 -> 0600
        dest: /etc/motd
    --- before: /etc/motd (absent)
    +++ after: /etc/motd
    @@ -0,0 +1 @@
    +hi
    [WARNING]: old option
    skipping: [c] =>
        false_condition: x == 1

    PLAY RECAP *********************************************************************

    Done: 0.0 s; nothing was changed (check mode)
    ");
}

#[test]
fn steps_that_come_out_of_order_get_their_heading_again() {
    let text = shown(
        PLAIN,
        vec![
            task(1, "One", "command"),
            step(1, "a", Status::Ok, json!({})),
            task(2, "Two", "command"),
            step(2, "a", Status::Ok, json!({})),
            Event::StepRetrying { task: 1, host: "b".into(), left: 2 },
            step(1, "b", Status::Rescued, json!({"msg": "no"})),
        ],
    );
    insta::assert_snapshot!(text, @"
    TASK [One] *********************************************************************
    ok: [a]

    TASK [Two] *********************************************************************
    ok: [a]

    TASK [One] *********************************************************************
    FAILED - RETRYING: [b]: One (2 retries left).
    fatal: [b]: FAILED! => no
    ...rescued
    ");
}

#[test]
fn a_long_output_of_a_failure_keeps_its_end() {
    let stdout = (1..=100).map(|i| format!("line {i}")).collect::<Vec<_>>().join("\n");
    let result = json!({"msg": "failed", "stdout": stdout});
    let short = shown(PLAIN, vec![step(1, "a", Status::Failed, result.clone())]);
    assert!(short.contains("stdout: |\n      (40 lines before; all of them with -v)\n      line 41\n"), "{short}");
    assert!(short.trim_end().ends_with("line 100"));
    let all = shown(Look { verbosity: 1, ..PLAIN }, vec![step(1, "a", Status::Failed, result)]);
    assert!(all.contains("      line 1\n"));
}
