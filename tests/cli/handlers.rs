//! A handler that was notified runs, whatever happens to the run in between.

use crate::project::{Project, Ran};

/// Changes a file, notifies, and then dies as `-e end=...` says.
const PLAY: &str = r#"
- name: Web
  hosts: a
  gather_facts: false
  tasks:
    - copy: {dest: "{{ playbook_dir }}/conf", content: "x\n"}
      notify: Reload
    - shell: kill -KILL $(sed -n 's/^PPid:\t//p' /proc/$PPID/status)
      changed_when: false
      when: end is defined and end == 'kill'
    - fail: {msg: on purpose}
      when: end is defined and end == 'fail'
  handlers:
    - name: Reload
      shell: echo ran >> {{ playbook_dir }}/log
"#;
const PENDING: &str = "[NOTE]: a: handler `Reload` is pending from an earlier run";

fn project(play: &str) -> Project {
    Project::new().file("site.yml", play)
}

fn run(project: &Project, more: &[&str]) -> Ran {
    let all: Vec<&str> = ["playbook", "-i", "hosts.yml", "site.yml"].into_iter().chain(more.iter().copied()).collect();
    project.chainwright(&all)
}

/// How often the handler ran.
fn times(project: &Project) -> usize {
    std::fs::read_to_string(project.path().join("log")).unwrap_or_default().lines().count()
}

fn is_noted(project: &Project) -> bool {
    project.path().join(".state/chainwright/pending").exists()
}

#[test]
fn a_handler_whose_run_was_killed_runs_in_the_next_and_only_there() {
    let project = project(PLAY);
    run(&project, &["-e", "end=kill"]).code(-1);
    assert!(project.path().join("conf").exists() && is_noted(&project) && times(&project) == 0);
    run(&project, &[]).code(0).says(PENDING).recap("a", "changed=1");
    assert_eq!(times(&project), 1);
    run(&project, &[]).code(0).silent_about("NOTE").recap("a", "changed=0");
    assert!(times(&project) == 1 && !is_noted(&project));
}

#[test]
fn a_handler_whose_host_failed_before_it_runs_in_the_next_run() {
    let project = project(PLAY);
    run(&project, &["-e", "end=fail"]).code(2).silent_about("RUNNING HANDLER");
    run(&project, &["-e", "end=fail"]).code(2).says(PENDING);
    run(&project, &["--tags", "none"]).code(0);
    assert_eq!(times(&project), 0, "nothing spoke to the host");
    run(&project, &[]).code(0).says(PENDING);
    assert!(times(&project) == 1 && !is_noted(&project));
}

#[test]
fn check_mode_predicts_a_pending_handler_and_leaves_it_pending() {
    let project = project(PLAY);
    run(&project, &["-C"]).code(0).says("RUNNING HANDLER");
    assert!(!is_noted(&project));
    run(&project, &["-e", "end=fail"]).code(2);
    run(&project, &["-C"]).code(0).says(PENDING).says("RUNNING HANDLER");
    assert!(times(&project) == 0 && is_noted(&project));
}

#[test]
fn a_run_to_which_nothing_happens_leaves_no_note() {
    let project = project(&PLAY.replace("notify: Reload", "notify: Reload\n      changed_when: 1 > 0"));
    run(&project, &[]).code(0).recap("a", "changed=2");
    assert!(times(&project) == 1 && !is_noted(&project));
}

#[test]
fn what_changed_when_calls_no_change_leaves_nothing_pending() {
    let project = project(&PLAY.replace("notify: Reload", "notify: Reload\n      changed_when: 1 > 2"));
    run(&project, &["-e", "end=fail"]).code(2);
    assert!(!is_noted(&project));
}

#[test]
fn a_handler_that_failed_is_still_pending() {
    let project = project(&PLAY.replace("echo ran", "test -e good && echo ran"));
    run(&project, &[]).code(2);
    std::fs::write(project.path().join("good"), "").expect("a file");
    let project = project.file("site.yml", &PLAY.replace("echo ran", "test -e {{ playbook_dir }}/good && echo ran"));
    run(&project, &[]).code(0).says(PENDING);
    assert!(times(&project) == 1 && !is_noted(&project));
}

#[test]
fn a_pending_handler_that_the_play_does_not_have_any_more_is_forgotten() {
    let project = project(PLAY);
    run(&project, &["-e", "end=fail"]).code(2);
    let project = project.file("site.yml", &PLAY.replace("Reload", "Renew"));
    run(&project, &[]).code(0).says("handler `Reload` was pending from an earlier run, but the play has it no more");
    assert!(times(&project) == 0 && !is_noted(&project));
}

#[test]
fn what_was_changed_for_all_by_one_or_elsewhere_is_pending_for_whom_it_was_notified() {
    let play =
        PLAY.replace("hosts: a\n", "hosts: two\n").replace("notify: Reload", "notify: Reload\n      run_once: true");
    for more in ["", "\n      delegate_to: c"] {
        let project = project(&play.replace("run_once: true", &format!("run_once: true{more}")));
        run(&project, &["-e", "end=fail"]).code(2);
        run(&project, &[]).code(0).says(PENDING).says("b: handler `Reload` is pending");
        assert!(times(&project) == 2 && !is_noted(&project));
    }
}

#[test]
fn what_a_handler_includes_runs_and_is_pending_until_all_of_it_has_run() {
    let play = PLAY.replace("shell: echo ran >> {{ playbook_dir }}/log", "include_tasks: more.yml");
    let more = "- shell: echo ran >> {{ playbook_dir }}/log\n- command: test -e {{ playbook_dir }}/good\n";
    let project = project(&play).file("more.yml", more);
    run(&project, &[]).code(2).in_order(&["RUNNING HANDLER [Reload]", "RUNNING HANDLER [shell]", "FAILED!"]);
    assert!(times(&project) == 1 && is_noted(&project));
    let project = project.file("good", "");
    run(&project, &[]).code(0).says(PENDING).silent_about("has it no more");
    assert!(times(&project) == 2 && !is_noted(&project));
    run(&project, &[]).code(0).silent_about("NOTE").silent_about("RUNNING");
}

#[test]
fn what_is_pending_for_one_inventory_is_not_for_another() {
    let hosts = "all: {hosts: {a: {ansible_connection: local}}}\n";
    let project = project(PLAY).file("one/hosts.yml", hosts).file("two/hosts.yml", hosts);
    let run = |inventory: &str, more: &[&str]| {
        project.chainwright(&[&["playbook", "-i", inventory, "site.yml"], more].concat())
    };
    run("one", &["-e", "end=fail"]).code(2);
    run("two", &[]).code(0).silent_about("NOTE");
    assert!(times(&project) == 0 && is_noted(&project));
    run("one/hosts.yml", &[]).code(0).says(PENDING);
    assert!(times(&project) == 1 && !is_noted(&project));
}
