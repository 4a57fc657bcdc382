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

#[test]
fn a_template_that_is_looked_up_knows_itself_and_may_use_other_marks() {
    Project::new()
        .file("templates/inner.j2", "{{ ansible_managed }} {{ template_path }} {{ template_destpath }}{{ extra }}.")
        .file("templates/marks.j2", "[% who %] {{ who }}<# gone #>")
        .file("templates/outer.j2", "{{ lookup('template', 'inner.j2', template_vars={'extra': '!'}) }} {{ template_path }}")
        .play(
            "- hosts: a
  gather_facts: false
  vars: {who: me, seen: '{{ template_path }}'}
  tasks:
    - debug: {msg: \"{{ lookup('template', 'outer.j2') }}\"}
    - debug:
        msg: \"{{ lookup('template', 'marks.j2', variable_start_string='[%', variable_end_string='%]', comment_start_string='<#',
          comment_end_string='#>') }}\"
    - debug: {msg: \"{{ lookup('template', 'inner.j2') }}\"}
      vars: {ansible_managed: Ours, extra: ' {{ template_fullpath | basename }}'}
",
            &[],
        )
        .code(0)
        .in_order(&["Ansible managed inner.j2 !. outer.j2", "me {{ who }}", "Ours inner.j2  inner.j2."]);
}

#[test]
fn roles_that_are_included_are_among_the_plays_roles() {
    let names = "{{ ansible_play_role_names }} {{ ansible_role_names | sort }} {{ ansible_dependent_role_names }}";
    let project = role(Project::new(), "needed", "");
    let project = role(project, "late", &format!("- debug: {{msg: 'late {names}'}}\n"))
        .file("roles/late/meta/main.yml", "dependencies: [needed]\n");
    role(project, "early", "")
        .play(
            &format!(
                "- hosts: a
  gather_facts: false
  roles: [early]
  tasks:
    - debug: {{msg: 'before {names}'}}
    - include_role: {{name: late}}
    - include_role: {{name: late}}
- hosts: a
  gather_facts: false
  tasks:
    - debug: {{msg: 'next {names}'}}
"
            ),
            &[],
        )
        .code(0)
        .in_order(&[
            "before ['early'] ['early'] []",
            "late ['early', 'late'] ['early', 'late', 'needed'] ['needed']",
            "late ['early', 'late', 'late'] ['early', 'late', 'needed'] ['needed']",
            "next [] [] []",
        ]);
}

#[test]
fn a_template_ends_as_its_file_does() {
    // Seen with ansible-core 2.19: a single value that is no text has no newline, and an included file loses one.
    let project = Project::new()
        .file("templates/included.j2", "A{% include 'part.j2' %}B\n")
        .file("templates/part.j2", "x\n")
        .file("templates/block.j2", "{% if true %}y{% endif %}\n\n\n")
        .file("templates/nothing.j2", "{% if false %}\ny\n{% endif %}\n")
        .file("templates/number.j2", "{{ 5 }}\n")
        .file("templates/list.j2", "{{ [1, 2] }}\n")
        .file("templates/macro.j2", "{% import 'macros.j2' as m %}\n{{ m.f() }}\n")
        .file("templates/macros.j2", "{% macro f() %}\nhey\n{% endmacro %}\n");
    let names = "included, block, nothing, number, list, macro";
    let project = project.file(
        "site.yml",
        &format!(
            "- hosts: a
  gather_facts: false
  tasks:
    - template: {{src: '{{{{ item }}}}.j2', dest: '{{{{ playbook_dir }}}}/{{{{ item }}}}'}}
      loop: [{names}]
    - assert:
        that:
          - lookup('template', 'list.j2') == [1, 2] and lookup('template', 'nothing.j2') is none
"
        ),
    );
    project.chainwright(&["playbook", "-i", "hosts.yml", "site.yml"]).code(0);
    let read = |name| std::fs::read_to_string(project.path().join(name)).unwrap();
    let whole: Vec<String> = names.split(", ").map(read).collect();
    assert_eq!(whole, ["AxB\n", "y\n\n\n", "", "5", "[1, 2]", "hey\n"]);
}
