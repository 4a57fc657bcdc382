//! What a run does with its inventory: patterns in loops, hosts that it adds.

use crate::project::Project;

#[test]
fn a_loop_over_host_names_follows_its_pattern() {
    Project::new()
        .play(
            "- hosts: c
  gather_facts: false
  tasks:
    - debug: {msg: 'in two: {{ item }}'}
      with_inventory_hostnames: two
    - debug: {msg: 'left: {{ item }}'}
      with_inventory_hostnames: ['all:!two']
    - debug: {msg: 'line {{ item }}'}
      with_lines: printf 'x\\ny\\n'
",
            &[],
        )
        .code(0)
        .in_order(&["in two: a", "in two: b", "left: c", "line x", "line y"])
        .silent_about("in two: c")
        .silent_about("left: a");
}

#[test]
fn a_host_is_added_once_for_all() {
    let ran = Project::new()
        .play(
            "- hosts: all
  gather_facts: false
  tasks:
    - add_host: {name: 'of-{{ inventory_hostname }}', groups: added, ansible_connection: local}
      register: first
    - add_host: {name: 'of-{{ inventory_hostname }}', groups: added, ansible_connection: local}
      register: second
    - group_by: {key: 'n_{{ n }}'}
      register: grouped
    - debug: {msg: '{{ first is changed }} {{ second is changed }} {{ grouped is changed }}'}
- hosts: added
  gather_facts: false
  tasks:
    - debug: {msg: 'here {{ inventory_hostname }}'}
",
            &[],
        )
        .code(0)
        .says("True False True")
        .says("here of-a");
    assert!(!ran.out.contains("of-b"), "{}", ran.out);
}

#[test]
fn a_failed_item_shows_nothing_of_the_engines_own_and_a_skipped_task_its_reason() {
    Project::new()
        .play(
            "- hosts: a
  gather_facts: false
  tasks:
    - fail: {msg: no}
      loop: [{name: x}]
      loop_control: {label: '{{ item.name }}'}
      ignore_errors: true
    - file: {path: '{{ playbook_dir }}/later', mode: '0600'}
",
            &["-C", "-v"],
        )
        .code(0)
        .silent_about("_ansible_item_label")
        .says("is not there (yet): not known in check mode");
}
