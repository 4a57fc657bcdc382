//! What playbooks mean: blocks, loops, handlers, includes, tags, batches of hosts.

use crate::project::Project;
use std::io::{BufRead, BufReader, Write};

#[test]
fn a_rescue_takes_over_and_always_runs() {
    Project::new()
        .play(
            "- hosts: a
  gather_facts: false
  tasks:
    - block:
        - command: 'false'
        - debug: {msg: not reached}
      rescue:
        - debug: {msg: 'rescued {{ ansible_failed_result.rc }}'}
      always:
        - debug: {msg: cleaned up}
    - debug: {msg: went on}
",
            &[],
        )
        .code(0)
        .silent_about("not reached")
        .in_order(&["rescued 1", "cleaned up", "went on"])
        .recap("a", "rescued=1");
}

#[test]
fn always_runs_after_a_failure_that_nobody_rescues_and_nothing_else_does() {
    Project::new()
        .play(
            "- hosts: a
  gather_facts: false
  tasks:
    - block:
        - block:
            - command: 'false'
          always:
            - debug: {msg: inner}
      always:
        - debug: {msg: outer}
    - block:
        - debug: {msg: not reached}
      always:
        - debug: {msg: not this either}
",
            &[],
        )
        .code(2)
        .in_order(&["inner", "outer"])
        .silent_about("not reached")
        .silent_about("not this either")
        .recap("a", "failed=1");
}

#[test]
fn one_hosts_failure_stops_nobody_else() {
    Project::new()
        .play(
            "- hosts: all
  gather_facts: false
  tasks:
    - command: 'false'
      when: inventory_hostname == 'b'
    - command: echo done
      register: out
    - debug: {msg: '{{ inventory_hostname }} {{ out.stdout }}'}
",
            &[],
        )
        .code(2)
        .says("a done")
        .says("c done")
        .silent_about("b done")
        .recap("b", "failed=1");
}

#[test]
fn a_loop_runs_every_item_and_registers_all_results() {
    Project::new()
        .play(
            "- hosts: a
  gather_facts: false
  tasks:
    - command: 'echo {{ item }}'
      loop: [x, y, z]
      when: item != 'y'
      register: said
    - debug: {msg: \"{{ said.results | map(attribute='stdout', default='-') | join(',') }}\"}
    - debug: {msg: '{{ item.0 }}{{ item.1 }}'}
      with_nested: [[1, 2], [a, b]]
    - debug: {msg: '{{ number }}:{{ host }}'}
      with_sequence: start=1 end=2 format=h%02d
      loop_control: {loop_var: host, index_var: number}
",
            &[],
        )
        .code(0)
        .says("x,-,z")
        .in_order(&["1a", "1b", "2a", "2b", "0:h01", "1:h02"]);
}

#[test]
fn handlers_run_once_in_definition_order_after_the_tasks() {
    Project::new()
        .play(
            "- hosts: a
  gather_facts: false
  tasks:
    - command: 'true'
      notify: [second, topic]
    - command: 'true'
      notify: second
    - debug: {msg: last task}
  handlers:
    - name: first
      listen: topic
      debug: {msg: handler one}
    - name: second
      debug: {msg: handler two}
    - name: never
      debug: {msg: not notified}
",
            &[],
        )
        .code(0)
        .in_order(&["last task", "handler one", "handler two"])
        .silent_about("not notified");
}

#[test]
fn another_hosts_facts_are_read_only_when_it_has_come_that_far() {
    Project::new()
        .play(
            "- hosts: all
  gather_facts: false
  tasks:
    - command: 'echo {{ n * 10 }}'
      register: ten
    - set_fact: {ten: '{{ ten.stdout }}'}
    - debug: {msg: \"{{ groups.all | map('extract', hostvars, 'ten') | join('+') }}\"}
",
            &[],
        )
        .code(0)
        .says("10+20+30")
        .recap("a", "failed=0");
}

#[test]
fn a_play_with_serial_takes_its_hosts_in_the_order_given() {
    Project::new()
        .play(
            "- hosts: all
  gather_facts: false
  serial: 1
  order: [b, c, a]
  tasks:
    - debug: {msg: 'turn of {{ inventory_hostname }}'}
",
            &[],
        )
        .code(0)
        .in_order(&["turn of b", "turn of c", "turn of a"]);
}

#[test]
fn a_batch_that_fails_whole_ends_the_playbook() {
    Project::new()
        .play(
            "- hosts: all
  gather_facts: false
  serial: 1
  tasks:
    - command: 'false'
      when: inventory_hostname == 'b'
    - debug: {msg: 'after {{ inventory_hostname }}'}
- hosts: all
  gather_facts: false
  tasks:
    - debug: {msg: next play}
",
            &[],
        )
        .code(2)
        .says("after a")
        .silent_about("after c")
        .silent_about("next play");
}

#[test]
fn any_errors_fatal_fails_all_hosts_but_rescues_still_run() {
    Project::new()
        .play(
            "- hosts: all
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - block:
        - command: 'false'
          when: inventory_hostname == 'b'
        - debug: {msg: not reached}
      always:
        - debug: {msg: 'cleaned {{ inventory_hostname }}'}
    - debug: {msg: nor this}
",
            &[],
        )
        .code(2)
        .says("cleaned a")
        .says("cleaned b")
        .silent_about("not reached")
        .silent_about("nor this");
}

#[test]
fn run_once_shares_its_result_with_all() {
    Project::new()
        .play(
            "- hosts: all
  gather_facts: false
  tasks:
    - command: echo {{ inventory_hostname }}
      run_once: true
      register: who
    - debug: {msg: '{{ inventory_hostname }} knows {{ who.stdout }}'}
",
            &[],
        )
        .code(0)
        .says("a knows a")
        .says("c knows a");
}

#[test]
fn includes_are_loaded_for_the_hosts_that_ask() {
    Project::new()
        .file("more.yml", "- debug: {msg: 'included {{ what }} on {{ inventory_hostname }}'}\n")
        .file("roles/r/tasks/main.yml", "- debug: {msg: 'role with {{ depth }}'}\n")
        .file("roles/r/defaults/main.yml", "depth: default\n")
        .play(
            "- hosts: all
  gather_facts: false
  tasks:
    - include_tasks: more.yml
      vars: {what: '{{ item }}'}
      loop: [x, y]
      when: inventory_hostname in groups.two
    - include_role: {name: r}
      vars: {depth: given}
      run_once: true
    - debug: {msg: last}
",
            &[],
        )
        .code(0)
        .in_order(&["included x on a", "included y on a", "role with given", "last"])
        .says("included y on b")
        .silent_about("on c\n");
}

#[test]
fn tags_select_and_never_needs_its_name() {
    let book = "- hosts: a
  gather_facts: false
  tasks:
    - debug: {msg: task-one}
      tags: first
    - debug: {msg: task-two}
    - debug: {msg: task-three}
      tags: [never, danger]
    - debug: {msg: task-four}
      tags: always
";
    Project::new().play(book, &["-t", "first"]).code(0).says("task-one").says("task-four").silent_about("task-two");
    Project::new()
        .play(book, &["--skip-tags", "first"])
        .code(0)
        .says("task-two")
        .silent_about("task-one")
        .silent_about("task-three");
    Project::new().play(book, &["-t", "danger"]).code(0).says("task-three");
}

#[test]
fn until_tries_again_and_says_how_often() {
    Project::new()
        .play(
            "- hosts: a
  gather_facts: false
  tasks:
    - shell: echo x >> count; wc -l < count
      args: {chdir: '{{ playbook_dir }}'}
      register: tries
      until: tries.stdout | int >= 3
      retries: 5
      delay: 0
    - debug: {msg: 'took {{ tries.attempts }}'}
    - command: 'false'
      register: vain
      until: vain.rc == 0
      retries: 2
      delay: 0
      ignore_errors: true
    - debug: {msg: 'in vain {{ vain.attempts }}'}
",
            &[],
        )
        .code(0)
        .in_order(&["took 3", "in vain 2"]);
}

#[test]
fn precedence_is_ansibles() {
    Project::new()
        .file("group_vars/all.yml", "v: group_all\nw: group_all\n")
        .file("group_vars/two.yml", "v: group_two\n")
        .file("host_vars/a.yml", "w: host\n")
        .file("roles/r/defaults/main.yml", "v: default\nz: default\n")
        .file("roles/r/tasks/main.yml", "- debug: {msg: '{{ v }} {{ w }} {{ z }} {{ e }}'}\n")
        .play("- hosts: a\n  gather_facts: false\n  vars: {e: play}\n  roles: [r]\n", &["-e", "e=extra"])
        .code(0)
        .says("group_two host default extra");
}

#[test]
fn check_mode_changes_nothing_and_says_what_would_change() {
    let project = Project::new().file(
        "site.yml",
        "- hosts: a\n  gather_facts: false\n  tasks:\n    - copy: {content: \"one\\n\", dest: '{{ playbook_dir }}/made'}\n",
    );
    let args = ["playbook", "-i", "hosts.yml", "site.yml"];
    project.chainwright(&[&args[..], &["-C", "-D"]].concat()).code(0).says("+one").recap("a", "changed=1");
    assert!(!project.path().join("made").exists());
    project.chainwright(&args).code(0).recap("a", "changed=1");
    project.chainwright(&args).code(0).recap("a", "changed=0");
}

#[test]
fn no_log_hides_arguments_results_and_messages() {
    Project::new()
        .play(
            "- hosts: a
  gather_facts: false
  vars: {word: very-secret}
  tasks:
    - command: 'echo {{ word }}'
      no_log: true
    - command: 'sh -c \"echo {{ word }}; exit 3\"'
      no_log: true
",
            &["-vvv", "-D"],
        )
        .code(2)
        .says("no_log")
        .silent_about("very-secret");
}

#[test]
fn a_task_can_start_in_the_middle() {
    let book = "- hosts: a\n  gather_facts: false\n  tasks:\n    - {name: one, debug: {msg: m1}}\n    - {name: two, debug: {msg: m2}}\n";
    Project::new().play(book, &["--start-at-task", "two"]).code(0).says("m2").silent_about("m1");
    Project::new().play(book, &["--start-at-task", "three"]).code(1).says("No matching task");
}

#[test]
fn free_hosts_do_not_wait_for_each_other() {
    // b waits for a file that a makes later: in a linear play this would never end.
    Project::new()
        .play(
            "- hosts: two
  strategy: free
  gather_facts: false
  tasks:
    - wait_for: {path: '{{ playbook_dir }}/made', timeout: 20}
      when: inventory_hostname == 'b'
    - copy: {content: x, dest: '{{ playbook_dir }}/made'}
      when: inventory_hostname == 'a'
",
            &[],
        )
        .code(0);
}

#[test]
fn hosts_that_fail_drop_out_of_the_hosts_of_the_play() {
    let play = r#"
- hosts: all
  gather_facts: false
  tasks:
    - debug: {msg: "first {{ ansible_play_hosts | join(',') }}"}
    - block:
        - fail:
          when: inventory_hostname == 'a'
      rescue:
        - debug: {msg: "rescued {{ ansible_play_hosts | join(',') }}"}
    - fail:
      when: inventory_hostname == 'b'
    - debug: {msg: "second {{ [ansible_play_hosts, play_hosts, ansible_play_hosts_all] | map('join', ',') | join(' ') }}"}
- hosts: all
  gather_facts: false
  serial: 1
  tasks:
    - debug: {msg: "third {{ [ansible_play_batch, ansible_play_hosts, ansible_play_hosts_all] | map('join', ',') | join(' ') }}"}
    - meta: end_host
"#;
    Project::new().play(play, &[]).code(2).in_order(&[
        "[a] => first a,b,c",
        "[c] => first a,b,c",
        "[a] => rescued a,b,c",
        "[a] => second a,c a,c a,b,c",
        "[c] => second a,c a,c a,b,c",
        "[a] => third a a,c a,b,c",
        "[c] => third c a,c a,b,c",
    ]);
}

#[test]
fn a_failure_reads_as_ansibles_does() {
    let play = "
- hosts: a
  gather_facts: false
  tasks:
    - command: 'false'
      ignore_errors: true
    - command: test {{ item }}
      loop: ['x', '']
      ignore_errors: true
    - fail: {msg: on purpose}
- hosts: b
  tasks: [{debug: {msg: next play}}]
";
    Project::new().play(play, &["site.yml"]).code(2).silent_about("next play").in_order(&[
        "\nfatal: [a]: FAILED! => non-zero return code\n",
        "\n...ignoring\n",
        "\nfailed: [a] (item=) => non-zero return code\n",
        "\n...ignoring\n",
        "\nfatal: [a]: FAILED! => on purpose\n",
        "\nNO MORE HOSTS LEFT ****",
        "\nPLAY RECAP ****",
    ]);
    Project::new()
        .play("- hosts: nobody", &[])
        .code(0)
        .says("\nskipping: no hosts matched\n")
        .says("\nPLAY RECAP ****");
}

#[test]
fn a_play_that_fails_on_all_its_hosts_ends_the_playbook_though_others_are_left() {
    Project::new()
        .play(
            "- hosts: a
  gather_facts: false
  tasks:
    - command: 'false'
- hosts: b
  gather_facts: false
  tasks:
    - debug: {msg: next play}
",
            &[],
        )
        .code(2)
        .silent_about("next play");
}

#[test]
fn an_included_role_lends_its_defaults_to_the_roles_that_it_imports() {
    Project::new()
        .file("roles/outer/defaults/main.yml", "port: 8545\n")
        .file("roles/outer/tasks/main.yml", "- import_role: {name: inner}\n  vars: {ports: ['{{ port }}']}\n")
        .file("roles/inner/tasks/main.yml", "- debug: {msg: 'ports {{ ports }} and {{ port }}'}\n")
        .play("- hosts: a\n  gather_facts: false\n  tasks:\n    - include_role: {name: '{{ \"outer\" }}'}\n", &[])
        .code(0)
        .says("8545] and 8545");
}

#[test]
fn a_role_that_an_included_one_imports_lends_its_defaults_to_the_roles_that_it_includes() {
    Project::new()
        .file("roles/outer/tasks/main.yml", "- import_role: {name: middle}\n")
        .file("roles/middle/defaults/main.yml", "port: 8545\nkind: middle\n")
        .file("roles/middle/tasks/main.yml", "- include_role: {name: inner}\n")
        .file("roles/inner/defaults/main.yml", "kind: inner\n")
        .file("roles/inner/tasks/main.yml", "- debug: {msg: 'port {{ port }} of {{ kind }}'}\n")
        .play("- hosts: a\n  gather_facts: false\n  tasks:\n    - include_role: {name: outer}\n", &[])
        .code(0)
        .says("port 8545 of inner");
}

#[test]
fn wildcards_mean_the_same_wherever_they_stand() {
    let play = r#"
- hosts: a
  gather_facts: false
  tasks:
    - {name: one, debug: {msg: "loop {{ item | basename }}"}, with_fileglob: "[a-b]?.t*"}
    - {name: two, debug: {msg: "lookup {{ query('fileglob', '[a-b]?.t*') | map('basename') | join(' ') }}"}}
    - {name: three, debug: {msg: last}}
"#;
    let project = ["a1.txt", "b2.txt", "c3.txt", "b.txt", ".a4.txt"];
    let project = project.iter().fold(Project::new(), |project, name| project.file(&format!("files/{name}"), ""));
    let ran = project.play(play, &["--start-at-task", "[n-o]?e"]).code(0);
    ran.in_order(&["loop a1.txt", "loop b2.txt", "lookup a1.txt b2.txt\n", "last"]).silent_about("loop c3.txt");
}

#[test]
fn urls_and_the_hosts_of_a_pattern_can_be_looked_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let asked: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let (status, body) =
                if asked[0].contains("/none") { ("404 Not Found", "") } else { ("200 OK", "one\ntwo\n") };
            let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all((head + body).as_bytes()).unwrap();
        }
    });
    Project::new()
        .play(
            &format!(
                "- hosts: a
  gather_facts: false
  vars: {{at: 'http://me:secret@{address}'}}
  tasks:
    - debug: {{msg: \"{{{{ query('url', at ~ '/x') }}}} {{{{ lookup('url', at ~ '/x', split_lines=false) | trim | length }}}}\"}}
    - debug: {{msg: \"{{{{ query('inventory_hostnames', 'all') | length }}}} {{{{ lookup('inventory_hostnames', 'a') }}}}.\"}}
    - debug: {{msg: \"{{{{ lookup('url', at ~ '/none') }}}}\"}}
"
            ),
            &[],
        )
        .code(2)
        .in_order(&["['one', 'two'] 7", " a.", &format!("http://{address}/none: the server answered 404 Not Found")]);
}

#[test]
fn what_is_fetched_is_there_for_all_hosts_that_copy_it_next() {
    let project = Project::new().file("got", "old").file(
        "site.yml",
        "- hosts: two
  gather_facts: false
  tasks:
    - copy: {content: new, dest: '{{ playbook_dir }}/src'}
      when: inventory_hostname == 'a'
    - fetch: {src: '{{ playbook_dir }}/src', dest: got, flat: true}
      when: inventory_hostname == 'a'
    - copy: {src: got, dest: '{{ playbook_dir }}/of-{{ inventory_hostname }}'}
",
    );
    project.chainwright(&["playbook", "-i", "hosts.yml", "site.yml"]).code(0);
    let read = |name: &str| std::fs::read_to_string(project.path().join(name)).unwrap();
    assert_eq!((read("of-a").as_str(), read("of-b").as_str()), ("new", "new"));
    let plan = project.chainwright(&["plan", "-i", "hosts.yml", "site.yml"]).code(0);
    assert!(plan.out.contains("5  a            copy  after 3, 4"), "{}", plan.out);
}

#[test]
fn the_files_of_a_folder_of_variables_are_chosen_by_their_names() {
    let project = Project::new()
        .file("vars/all/10.yml", "a: ten\n")
        .file("vars/all/20", "a: twenty\n")
        .file("vars/all/05/in.yml", "a: inner\nb: inner\n")
        .file("vars/all/readme.md", "not: read\n")
        .file("vars/all/old.yml", "a: old\n");
    project
        .play(
            "- hosts: a
  gather_facts: false
  tasks:
    - include_vars: {dir: all, ignore_files: ['old.yml', 'md', '20']}
    - debug: {msg: 'one {{ a }} {{ b }}'}
    - include_vars: {dir: all, extensions: ['', yml], ignore_unknown_extensions: true, depth: 1, name: only, ignore_files: [old.yml]}
    - debug: {msg: 'two {{ only.a }} {{ only.b is defined }}'}
    - include_vars: {dir: all}
",
            &[],
        )
        .code(2)
        .in_order(&["one inner inner", "two twenty False", "all/20: its ending is none of yaml, yml, json"]);
}
