//! Stories of playbooks that load, and of those that do not.

use super::Loader;
use crate::base::Diagnostic;
use crate::language::playbook::{Action, Block, Item, Playbook, Task};
use std::path::Path;
use tempfile::TempDir;

/// Files in a fresh folder.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn load(folder: &TempDir) -> Playbook {
    Loader::default()
        .playbook(&folder.path().join("site.yml"))
        .unwrap_or_else(|wrong| panic!("{}", show(&wrong, folder.path())))
}

/// All mistakes as they are printed, without the test's own folder.
fn show(mistakes: &[Diagnostic], folder: &Path) -> String {
    let all: Vec<String> = mistakes.iter().map(Diagnostic::to_string).collect();
    let above = folder.parent().unwrap();
    all.join("\n\n")
        .replace(&format!("{}/", folder.display()), "")
        .replace(&folder.display().to_string(), ".")
        .replace(&format!("{}/", above.display()), "../")
}

fn mistakes(files: &[(&str, &str)]) -> String {
    let folder = folder(files);
    let wrong = Loader::default().playbook(&folder.path().join("site.yml")).expect_err("it loads");
    show(&wrong, folder.path())
}

fn task(item: &Item) -> &Task {
    match item {
        Item::Task(task) => task,
        Item::Block(block) => panic!("a block at {:?}", block.span),
    }
}

fn block(item: &Item) -> &Block {
    match item {
        Item::Block(block) => block,
        Item::Task(task) => panic!("a task at {:?}", task.span),
    }
}

fn module(item: &Item) -> (&str, serde_json::Value, Option<&str>) {
    match &task(item).action {
        Action::Module { name, args, free } => {
            (&name.name, args.to_value(), free.as_ref().and_then(|free| free.as_str()))
        }
        Action::Include(include) => panic!("an include of {:?}", include.what),
    }
}

#[test]
fn a_task_is_its_keywords_and_one_module() {
    let folder = folder(&[(
        "site.yml",
        "- hosts: all\n  tasks:\n  - name: Build\n    ansible.builtin.shell: make all chdir=/src\n    args: {creates: /src/out}\n    when: [a, b]\n    tags: x, y\n    register: built\n    with_items: [1, 2]\n  - copy: content=\"{{ a }}\" dest=/x\n  - local_action: command hostname\n  - action:\n      module: file\n      path: /x\n",
    )]);
    let play = load(&folder).plays[0].clone();
    let first = task(&play.tasks[0]);
    assert_eq!(
        module(&play.tasks[0]),
        ("ansible.builtin.shell", serde_json::json!({"creates": "/src/out", "chdir": "/src"}), Some("make all"))
    );
    assert_eq!((first.keywords.when.len(), first.keywords.tags.len()), (2, 2));
    assert_eq!(first.r#loop.as_ref().unwrap().with.as_deref(), Some("items"));
    assert_eq!(module(&play.tasks[1]), ("copy", serde_json::json!({"content": "{{ a }}", "dest": "/x"}), None));
    assert_eq!(module(&play.tasks[2]), ("command", serde_json::json!({}), Some("hostname")));
    assert_eq!(task(&play.tasks[2]).keywords.delegate_to.as_ref().unwrap().as_str(), Some("localhost"));
    assert_eq!(module(&play.tasks[3]), ("file", serde_json::json!({"path": "/x"}), None));
}

#[test]
fn dependencies_stand_first_inside_their_role_and_run_once() {
    let folder = folder(&[
        ("site.yml", "- hosts: all\n  roles:\n  - common\n  - {role: geth, rpc_port: 1, tags: [g]}\n"),
        ("roles/common/tasks/main.yml", "- ping:\n"),
        ("roles/common/defaults/main.yml", "a: 1\n"),
        ("roles/geth/meta/main.yml", "dependencies: [common, user]\n"),
        ("roles/geth/tasks/main.yml", "- import_tasks: more.yml\n  when: x\n"),
        ("roles/geth/tasks/more.yml", "- command: ls\n"),
        ("roles/geth/handlers/main.yml", "- name: restart\n  service: {name: geth, state: restarted}\n"),
        ("roles/user/tasks/main.yml", "- user: name=x\n"),
    ]);
    let play = load(&folder).plays[0].clone();
    let geth = block(&play.roles[1]);
    assert_eq!(geth.role.as_ref().unwrap().params[0].0.name.as_ref(), "rpc_port");
    assert_eq!(geth.block.len(), 2, "common ran already");
    let user = block(&geth.block[0]).role.clone().unwrap();
    assert_eq!((&*user.name, &*user.parents[0]), ("user", "geth"));
    let import = block(&geth.block[1]);
    assert_eq!((import.keywords.when.len(), module(&import.block[0]).0), (1, "command"));
    let names: Vec<&str> = play.used_roles.iter().map(|role| &*role.name).collect();
    assert_eq!(names, ["common", "user", "geth"]);
    assert_eq!(block(&play.handlers[0]).keywords.tags.len(), 1);
}

#[test]
fn an_imported_playbook_gives_its_tags_conditions_and_variables_to_its_plays() {
    let folder = folder(&[
        ("site.yml", "- import_playbook: sub/two.yml\n  tags: [t]\n  when: w\n  vars: {a: 1, b: 1}\n- hosts: b\n"),
        ("sub/two.yml", "- hosts: a\n  vars: {b: 2}\n  tasks:\n  - import_tasks: t.yml\n"),
        ("sub/t.yml", "- ping:\n"),
    ]);
    let plays = load(&folder).plays;
    assert_eq!(plays.len(), 2);
    let keywords = &plays[0].keywords;
    assert_eq!((keywords.tags.len(), keywords.when.len()), (1, 1));
    assert_eq!(keywords.vars.as_ref().unwrap().to_value(), serde_json::json!({"a": 1, "b": 2}));
    assert!(plays[0].folder.ends_with("sub"));
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    insta::assert_snapshot!(mistakes(&[
        (
            "site.yml",
            "- hosts: all\n  taks: []\n  become: maybe\n  when: x\n  roles: [gth]\n  tasks:\n  - name: Two\n    copy: {}\n    template: {}\n  - name: None\n  - ping:\n    whne: x\n  - import_tasks: mor.yml\n  - block: []\n    loop: [1]\n  - apt: update\n  - command: ls\n    register: a-b\n    loop: 5\n  - import_tasks: \"{{ x }}.yml\"\n- name: nothing\n",
        ),
        ("more.yml", "- ping:\n"),
        ("roles/geth/tasks/main.yml", ""),
    ]));
}

#[test]
fn ten_thousand_lines_are_read_at_once() {
    let task = "  - name: Write a file\n    copy:\n      dest: \"/srv/{{ item }}/x\"\n      content: hello\n      mode: 0644\n    when: a is defined and b\n    register: written\n    loop: [1, 2, 3]\n    tags: [a, b]\n    notify: restart\n";
    let text = format!("- hosts: all\n  tasks:\n{}", task.repeat(1000));
    let folder = folder(&[("site.yml", &text)]);
    let started = std::time::Instant::now();
    assert_eq!(load(&folder).plays[0].tasks.len(), 1000);
    // An unoptimised build on a busy machine is many times slower than what users have.
    assert!(started.elapsed() < std::time::Duration::from_secs(2));
}

#[test]
fn a_role_may_import_its_own_task_files_but_nothing_may_import_itself() {
    let folder = folder(&[
        ("site.yml", "- hosts: all\n  roles: [geth]\n"),
        ("roles/geth/tasks/main.yml", "- import_role: {name: geth, tasks_from: more}\n"),
        ("roles/geth/tasks/more.yml", "- ping:\n"),
    ]);
    let play = load(&folder).plays[0].clone();
    assert_eq!(block(&block(&play.roles[0]).block[0]).block.len(), 1);
    insta::assert_snapshot!(mistakes(&[
        ("site.yml", "- import_playbook: site.yml\n- hosts: all\n  roles: [a]\n  tasks:\n  - import_tasks: t.yml\n"),
        ("t.yml", "- block:\n  - import_tasks: t.yml\n"),
        ("roles/a/meta/main.yml", "dependencies: [b]\n"),
        ("roles/b/meta/main.yml", "dependencies: [{role: a, when: x}]\n"),
    ]));
}

#[test]
fn a_role_under_a_condition_does_not_stand_for_one_without() {
    let folder = folder(&[
        ("site.yml", "- hosts: all\n  roles:\n  - {role: a, when: x}\n  - b\n  - b\n  - {role: b, n: 1}\n"),
        ("roles/a/meta/main.yml", "dependencies: [common]\n"),
        ("roles/b/meta/main.yml", "dependencies: [common]\n"),
        ("roles/common/tasks/main.yml", "- ping:\n"),
    ]);
    let play = load(&folder).plays[0].clone();
    let sizes: Vec<usize> = play.roles.iter().map(|role| block(role).block.len()).collect();
    assert_eq!(sizes, [1, 1, 0]);
}

#[test]
fn a_block_gives_its_notify_to_its_tasks_and_a_role_its_handlers_the_keywords_around() {
    let folder = folder(&[
        (
            "site.yml",
            "- hosts: all\n  tasks:\n  - notify: [a]\n    become: true\n    block:\n    - ping:\n      notify: b\n    - import_role: name=geth\n  handlers:\n  - name: a\n    ping:\n    listen: topic\n",
        ),
        ("roles/geth/handlers/main.yml", "- name: restart\n  ping:\n"),
    ]);
    let play = load(&folder).plays[0].clone();
    assert_eq!(task(&block(&play.tasks[0]).block[0]).notify.len(), 2);
    assert_eq!(task(&play.handlers[0]).listen.len(), 1);
    let around = block(&play.handlers[1]);
    assert!(around.keywords.r#become.is_some());
    assert_eq!(&*block(&around.block[0]).role.as_ref().unwrap().name, "geth");
}

#[test]
fn an_included_role_comes_with_its_dependencies_and_says_what_is_missing() {
    let folder = folder(&[
        ("roles/geth/tasks/install.yml", "- ping:\n"),
        ("roles/geth/meta/main.yml", "dependencies: [user]\n"),
        ("roles/user/defaults/main/a.yml", "name: a\nshell: s\n"),
        ("roles/user/defaults/main/b.yml", "name: b\n"),
    ]);
    let loader = Loader::default();
    let span = crate::base::Span::nowhere();
    let asked = super::RoleUse {
        name: "geth",
        span: &span,
        tasks_from: Some("install"),
        vars_from: None,
        defaults_from: None,
        handlers_from: None,
        parent: None,
        playbook: folder.path(),
    };
    let geth = loader.role(&asked).unwrap();
    assert_eq!((geth.block.block.len(), geth.used_roles.len()), (2, 2));
    let defaults: Vec<(&str, Option<&str>)> =
        geth.used_roles[0].defaults.iter().map(|(key, node)| (&*key.name, node.as_str())).collect();
    assert_eq!(defaults, [("name", Some("b")), ("shell", Some("s"))]);
    let wrong = loader.role(&super::RoleUse { tasks_from: Some("instal"), ..asked }).unwrap_err();
    assert_eq!(
        wrong[0].message,
        "there is no file ".to_owned() + &super::shown(&folder.path().join("roles/geth/tasks/instal.yml"))
    );
    assert!(wrong[0].help.as_ref().unwrap().starts_with("did you mean"), "{:?}", wrong[0].help);
}

#[test]
fn names_of_imports_may_use_extra_variables() {
    let folder = folder(&[
        ("site.yml", "- hosts: all\n  tasks:\n  - import_tasks: \"{{ net }}-{{ n }}.yml\"\n"),
        ("main-1.yml", "- ping:\n"),
    ]);
    let extra = crate::language::extra::extra_vars(&["net=main n=1".to_owned()]).unwrap();
    let playbook = Loader::new(vec![], extra).playbook(&folder.path().join("site.yml")).unwrap();
    assert_eq!(block(&playbook.plays[0].tasks[0]).block.len(), 1);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_loader_fall_over(words in proptest::collection::vec(proptest::sample::select(vec![
        "- ", "  ", "\n", ":", ": ", "hosts", "tasks", "block", "roles", "when", "{{ x }}", "\"", "'", "[", "]", "{", "}", "é", "\t", "#",
        "&a ", "*a", "<<", "!unsafe ", "copy", "a=b ", "|", "---\n", "import_tasks", "site.yml", "args", "loop", "\\",
    ]), 0..40)) {
        let folder = folder(&[("site.yml", &words.concat())]);
        if let Err(wrong) = Loader::default().playbook(&folder.path().join("site.yml")) {
            let _ = show(&wrong, folder.path());
        }
    }
}
