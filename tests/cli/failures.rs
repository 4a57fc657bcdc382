//! What a failure means: for the task that bears it, for the hosts beside it, for the handlers that were notified.

use crate::project::Project;

#[test]
fn a_condition_or_loop_that_cannot_be_evaluated_is_ignored_where_errors_are() {
    Project::new()
        .play(
            "- hosts: a
  gather_facts: false
  tasks:
    - debug: {msg: never}
      when: nosuch
      ignore_errors: true
    - debug: {msg: never}
      loop: '{{ nosuch }}'
      ignore_errors: true
    - debug: {msg: never}
      loop: [1, 2]
      when: nosuch
      ignore_errors: '{{ item > 0 }}'
    - debug: {msg: went on}
",
            &[],
        )
        .code(0)
        .says("went on")
        .silent_about("never")
        .recap("a", "ignored=3");
}

const NOTIFIES_AND_FAILS: &str = "- hosts: all
  gather_facts: false
  tasks:
    - command: 'true'
      notify: tell
    - command: 'false'
      when: inventory_hostname != end | default('')
    - debug: {msg: not reached by the failed}
  post_tasks:
    - debug: {msg: nor this}
  handlers:
    - name: tell
      debug: {msg: 'handler of {{ inventory_hostname }}'}
";

#[test]
fn forced_handlers_run_on_hosts_that_failed_too() {
    let ran = Project::new().play(NOTIFIES_AND_FAILS, &["--force-handlers"]).code(2);
    ran.says("handler of a")
        .says("handler of b")
        .says("handler of c")
        .silent_about("not reached")
        .silent_about("nor this");
    let forced = NOTIFIES_AND_FAILS.replacen("  tasks:", "  force_handlers: true\n  tasks:", 1);
    let ran = Project::new().play(&forced, &["-e", "end=b"]).code(2);
    ran.says("handler of a").says("handler of b").recap("a", "failed=1").recap("b", "failed=0");
    Project::new().play(NOTIFIES_AND_FAILS, &[]).code(2).silent_about("handler of");
}

const ONE_FAILS: &str = "- hosts: all
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - shell: '{% if n == 1 %}exit 1{% else %}echo done {{ inventory_hostname }}{% endif %}'
      register: out
    - debug: {msg: too late}
- hosts: all
  gather_facts: false
  tasks:
    - debug: {msg: far too late}
";

#[test]
fn a_failure_that_is_fatal_for_all_lets_all_hosts_finish_the_task() {
    for keyword in ["any_errors_fatal: true", "max_fail_percentage: 20"] {
        let play = ONE_FAILS.replacen("any_errors_fatal: true", keyword, 1);
        Project::new()
            .play(&play, &["-f", "1"])
            .code(2)
            .silent_about("too late")
            .recap("a", "failed=1")
            .recap("b", "changed=1")
            .recap("c", "changed=1");
    }
    // Batches that have not begun stay untouched.
    let serial = ONE_FAILS.replacen("  tasks:", "  serial: 1\n  tasks:", 1);
    Project::new().play(&serial, &[]).code(2).silent_about("too late").silent_about("b  ").recap("a", "failed=1");
}

#[test]
fn a_rescue_may_name_what_failed() {
    Project::new()
        .play(
            "- hosts: a
  gather_facts: false
  tasks:
    - block: [{name: Break, ansible.builtin.command: 'false'}]
      rescue: [{debug: {msg: '{{ ansible_failed_task.name }} by {{ ansible_failed_task.action }}'}}]
",
            &[],
        )
        .code(0)
        .says("Break by ansible.builtin.command");
}
