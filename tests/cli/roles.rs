//! Roles: whom their variables reach, how often those that others need run, what they are called.

use crate::project::Project;

/// A role that says which variables it sees.
fn role(project: Project, name: &str, more: &str) -> Project {
    project.file(
        &format!("roles/{name}/tasks/main.yml"),
        &format!(
            "- debug: {{msg: \"{name} qq={{{{ qq | default('no') }}}} own={{{{ own | default('no') }}}}\"}}\n{more}"
        ),
    )
}

#[test]
fn the_vars_of_a_roles_use_reach_it_and_what_it_uses_and_nothing_else() {
    let project = role(Project::new(), "first", "");
    let project = role(project, "needed", "");
    let project = role(project, "inner", "");
    let project = role(project, "outer", "- import_role: {name: inner}\n- include_role: {name: first}\n")
        .file("roles/outer/meta/main.yml", "dependencies: [{role: needed, vars: {own: mine}}]\n")
        .file("roles/outer/vars/main.yml", "exported: yes it is\n");
    project
        .play(
            "- hosts: a
  gather_facts: false
  roles: [first, {role: outer, vars: {qq: X}}]
  tasks:
    - debug: {msg: \"play qq={{ qq | default('no') }} own={{ own | default('no') }} {{ exported }}\"}
",
            &[],
        )
        .code(0)
        .in_order(&[
            "first qq=no own=no",
            "needed qq=X own=mine",
            "outer qq=X own=no",
            "inner qq=X own=no",
            "first qq=X own=no",
            "play qq=no own=no yes it is",
        ]);
}

#[test]
fn what_an_included_role_needs_runs_once() {
    let project = role(Project::new(), "needed", "");
    let project = role(project, "twice", "").file("roles/twice/meta/main.yml", "allow_duplicates: true\n");
    let project = role(project, "outer", "")
        .file("roles/outer/meta/main.yml", "dependencies: [needed, twice, {role: needed, vars: {own: other}}]\n");
    let ran = project
        .play(
            "- hosts: a
  gather_facts: false
  tasks:
    - include_role: {name: outer}
      loop: [1, 2]
    - include_role: {name: outer}
",
            &[],
        )
        .code(0);
    let times = |text: &str| ran.out.matches(text).count();
    assert_eq!(times("outer qq="), 3, "{}", ran.out);
    assert_eq!(times("needed qq=no own=no"), 1, "{}", ran.out);
    assert_eq!(times("needed qq=no own=other"), 1, "{}", ran.out);
    assert_eq!(times("twice qq="), 3, "{}", ran.out);
}

#[test]
fn a_play_knows_its_roles_and_where_it_searches() {
    let project = role(Project::new(), "needed", "");
    let project = role(project, "outer", "- debug: {msg: 'search {{ ansible_search_path | first | basename }}'}\n")
        .file("roles/outer/meta/main.yml", "dependencies: [needed]\n");
    project
        .play(
            "- hosts: a
  gather_facts: false
  roles: [outer]
  tasks:
    - debug: {msg: '{{ ansible_play_role_names }} {{ role_names }} {{ ansible_role_names | sort }}'}
    - debug: {msg: '{{ ansible_inventory_sources | first | basename }} {{ ansible_playbook_python | basename }}'}
",
            &[],
        )
        .code(0)
        .in_order(&["search outer", "['outer'] ['outer'] ['needed', 'outer']", "hosts.yml python3"]);
}

#[test]
fn a_template_knows_where_it_comes_from() {
    let line = "{{ ansible_managed }}, {{ template_path }} -> {{ template_destpath | basename }}, \
                {{ template_fullpath is abs }} {{ template_host | length > 0 }} {{ template_uid is string }} \
                {{ template_run_date is search('^20') }}\n";
    let project = Project::new().file("templates/conf.j2", line).file(
        "site.yml",
        "- hosts: a
  gather_facts: false
  tasks:
    - template: {src: conf.j2, dest: '{{ playbook_dir }}/one'}
    - template: {src: conf.j2, dest: '{{ playbook_dir }}/two'}
      vars: {ansible_managed: Ours}
",
    );
    project.chainwright(&["playbook", "-i", "hosts.yml", "site.yml"]).code(0);
    let read = |name: &str| std::fs::read_to_string(project.path().join(name)).unwrap();
    assert_eq!(read("one"), "Ansible managed, conf.j2 -> one, True True True True\n");
    assert!(read("two").starts_with("Ours, "));
}
