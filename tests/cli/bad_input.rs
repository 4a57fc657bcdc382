//! Mistakes in the user's files: one clear error each, with its place, before anything runs.

use crate::project::Project;

#[track_caller]
fn refused(book: &str, texts: &[&str]) {
    let mut ran = Project::new().play(book, &[]).code(4);
    for text in texts {
        ran = ran.says(text);
    }
    ran.says("nothing has run").silent_about("PLAY [");
}

fn task(task: &str) -> String {
    format!("- hosts: all\n  gather_facts: false\n  tasks:\n    - {task}\n")
}

#[test]
fn an_unknown_module_is_named_and_a_near_one_offered() {
    refused(
        &task("tempalte: {src: a, dest: b}"),
        &["there is no module `tempalte`", "did you mean `template`?", "site.yml:4:7"],
    );
}

#[test]
fn an_unknown_option_is_named_and_a_near_one_offered() {
    refused(&task("file: {path: /x, moed: '0700'}"), &["`moed`", "did you mean `mode`?", "site.yml:4"]);
}

#[test]
fn a_wrong_type_is_named() {
    refused(&task("file: {path: /x, state: directory, recurse: perhaps}"), &["`recurse`", "perhaps", "site.yml:4"]);
}

#[test]
fn a_play_that_cannot_be_taken_in_any_order_is_refused_before_an_earlier_one_runs() {
    let refused = |keyword: &str, texts: &[&str]| {
        let later = format!("- hosts: all\n  gather_facts: false\n  {keyword}\n  tasks: []\n");
        refused(&(task("command: 'true'") + &later), texts);
    };
    refused("strategy: fre", &["there is no strategy `fre`", "did you mean `free`?", "site.yml:7:13"]);
    refused("order: sortd", &["there is no order `sortd`", "did you mean `sorted`?", "site.yml:7:10"]);
    refused("serial: abc", &["`serial` needs a number", "site.yml:7:11"]);
    refused("serial: [1, x]", &["this is `x`", "site.yml:7:15"]);
    let ran = Project::new().play("- hosts: all\n  serial: '{{ \"abc\" }}'\n", &[]).code(1);
    ran.says("[ERROR]: `serial` needs a number").silent_about("[ERROR]: error:");
}

#[test]
fn what_has_no_effect_is_said() {
    let play =
        "- hosts: a\n  gather_facts: false\n  fact_path: /x\n  gather_timeout: 3\n  debugger: never\n  tasks: []\n";
    let ran = Project::new().play(play, &[]).code(0);
    ran.says("`fact_path` has no effect").says("`gather_timeout` has no effect").says("`debugger` has no effect");
}

#[test]
fn only_what_is_near_is_offered() {
    refused(&task("service: {name: x, state: strted}"), &["unknown variant `strted`", "did you mean `started`?"]);
    let ran = Project::new().play(&task("community.general.ufw: {rule: allow}"), &[]).code(4);
    ran.says("there is no module `community.general.ufw`").silent_about("did you mean");
}

#[test]
fn a_tab_a_duplicate_key_and_bad_indentation_are_shown_with_their_place() {
    refused("- hosts: all\n\ttasks: []\n", &["tab", "site.yml:2"]);
    refused("- hosts: all\n  vars: {a: 1}\n  vars: {b: 1}\n  tasks: []\n", &["`vars`", "site.yml:3:3"]);
    refused("- hosts: all\n  tasks:\n   - debug: {msg: a}\n  - debug: {msg: b}\n", &["site.yml:4"]);
}

#[test]
fn a_template_with_wrong_syntax_is_shown_before_anything_runs() {
    refused(&task("debug: {msg: '{{ a | }}'}"), &["site.yml:4"]);
    Project::new()
        .file("roles/r/tasks/main.yml", "- template: {src: a.j2, dest: /tmp/a}\n")
        .file("roles/r/templates/a.j2", "fine\n{% if x %}\nnever closed\n")
        .play("- hosts: all\n  gather_facts: false\n  roles: [r]\n", &[])
        .code(4)
        .says("roles/r/templates/a.j2:3:1")
        .says("nothing has run");
}

#[test]
fn a_missing_role_file_or_handler_is_named() {
    refused("- hosts: all\n  roles: [nosuch]\n", &["nosuch", "site.yml:2"]);
    refused(&task("import_tasks: nosuch.yml"), &["nosuch.yml", "site.yml:4"]);
    refused(&task("{command: 'true', notify: nosuch}"), &["no handler `nosuch`", "site.yml:4"]);
    Project::new()
        .play(&task("copy: {src: nosuch.txt, dest: /tmp/x}"), &["-l", "a"])
        .code(2)
        .says("nosuch.txt")
        .says("searched");
}

#[test]
fn an_undefined_variable_is_named_with_its_place() {
    Project::new()
        .play(&task("debug: {msg: 'to {{ nosuch }}'}"), &["-l", "a"])
        .code(2)
        .says("`nosuch` is undefined")
        .says("site.yml:4");
}

#[test]
fn all_mistakes_of_all_files_come_at_once() {
    let ran = Project::new()
        .file("roles/r/tasks/main.yml", "- coppy: {content: a, dest: /tmp/a}\n")
        .play("- hosts: all\n  roles: [r]\n  tasks:\n    - fiel: {path: /x}\n", &[])
        .code(4)
        .says("`coppy`")
        .says("`fiel`");
    assert_eq!(ran.err.matches("error:").count(), 2, "{}", ran.err);
}

#[test]
fn an_unreachable_host_exits_with_4_and_the_others_go_on() {
    Project::new()
        .file(
            "hosts.yml",
            "all:\n  hosts:\n    a: {ansible_connection: local}\n    far: {ansible_host: 127.0.0.1, ansible_port: 1}\n",
        )
        .play(&task("command: echo hi"), &[])
        .code(4)
        .says("UNREACHABLE!")
        .recap("a", "changed=1")
        .recap("far", "unreachable=1");
}

#[test]
fn a_network_without_sealers_is_refused_before_anything_is_made() {
    let site = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks/site.yml");
    Project::new()
        .file(
            "hosts.yml",
            "all:\n  vars: {ansible_connection: local}\n  children:\n    ethstats: {hosts: {stats: }}\n    nodes:\n      children:\n        \
             sealers: {hosts: {}}\n        rpc: {hosts: {rpc: }}\n        bootnode: {hosts: {boot: }}\n",
        )
        .chainwright(&["playbook", "-i", "hosts.yml", site])
        .code(2)
        .says("`sealers` has no host")
        .silent_about("The stats server");
}
