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
