//! `async`: tasks with a time limit, and tasks that nobody waits for.

use crate::project::Project;

#[test]
fn a_task_that_nobody_waits_for_goes_on_after_the_run_and_is_asked_for_later() {
    let start = r#"
- hosts: a
  gather_facts: false
  vars: {ansible_async_dir: "{{ playbook_dir }}/jobs"}
  tasks:
    - shell: until [ -e go ]; do sleep 0.05; done; echo made it
      args: {chdir: "{{ playbook_dir }}"}
      async: 60
      poll: 0
      register: job
    - async_status: {jid: "{{ job.ansible_job_id }}"}
      register: now
    - debug: {msg: "is {{ job.started }} {{ job.finished }} {{ now is finished }}"}
    - copy: {dest: "{{ playbook_dir }}/id", content: "{{ job.ansible_job_id }}"}
"#;
    let later = r#"
- hosts: a
  gather_facts: false
  vars: {ansible_async_dir: "{{ playbook_dir }}/jobs", id: "{{ lookup('file', 'id') }}"}
  tasks:
    - copy: {dest: "{{ playbook_dir }}/go", content: ""}
    - async_status: {jid: "{{ id }}"}
      register: job
      until: job is finished
      retries: 200
      delay: 0.1
    - debug: {msg: "it {{ job.stdout }}, rc {{ job.rc }}"}
    - async_status: {jid: "{{ id }}", mode: cleanup}
    - async_status: {jid: "{{ id }}"}
"#;
    let project = Project::new().file("site.yml", start).file("later.yml", later);
    let run = |book: &str| project.chainwright(&["playbook", "-i", "hosts.yml", book]);
    run("site.yml").code(0).in_order(&["changed: [a] => start job j", "is True False False"]);
    run("later.yml").code(2).in_order(&["it made it, rc 0", "fatal: [a]: FAILED! => could not find job j"]);
}

#[test]
fn a_job_that_fails_or_takes_too_long_says_so_when_it_is_asked_for() {
    let play = r#"
- hosts: a
  gather_facts: false
  vars: {ansible_async_dir: "{{ playbook_dir }}/jobs"}
  tasks:
    - command: "{{ item }}"
      async: 1
      poll: 0
      register: jobs
      loop: ["false", sleep 61.23]
    - async_status: {jid: "{{ item.ansible_job_id }}"}
      loop: "{{ jobs.results }}"
      register: ended
      until: ended is finished
      retries: 100
      delay: 0.1
      ignore_errors: true
    - debug: {msg: "{{ ended.results | map(attribute='msg') | join(' / ') }}"}
"#;
    Project::new().play(play, &[]).code(0).says("non-zero return code / timed out after 1 s: sleep was ended");
}

#[test]
fn a_task_that_is_waited_for_ends_when_its_time_is_over() {
    let play = |command: &str, module: &str| {
        format!(
            "- hosts: a\n  gather_facts: false\n  tasks:\n    - {module}: {command}\n      async: 1\n      poll: 5\n      register: ran\n    - debug: {{msg: 'finished {{{{ ran is finished }}}}'}}\n"
        )
    };
    Project::new().play(&play("sleep 61.24", "command"), &[]).code(2).says("FAILED! => timed out after 1 s");
    Project::new().play(&play("'true'", "command"), &[]).code(0).says("finished True");
    Project::new().play(&play("{msg: hello}", "debug"), &[]).code(2).says("`debug` does not support `async`");
}
