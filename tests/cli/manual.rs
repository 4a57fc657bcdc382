//! What `chainwright doc` shows as examples can be copied into a playbook.

use crate::project::Project;
use chainwright::language::node::{Data, Node};
use chainwright::language::yaml;
use chainwright::modules::registry::{REGISTRY, find};

/// The example as the tasks of a play.
fn playbook(example: &str) -> String {
    let tasks = example.replace('\n', "\n    ");
    format!("- hosts: all\n  gather_facts: false\n  tasks:\n    {tasks}\n")
}

#[test]
fn every_modules_example_passes_the_check_of_a_playbook() {
    let project = REGISTRY.iter().fold(Project::new(), |project, module| {
        project.file(&format!("{}.yml", module.name), &playbook(module.example))
    });
    let names: Vec<String> = REGISTRY.iter().map(|module| format!("{}.yml", module.name)).collect();
    let words = ["playbook", "-i", "hosts.yml", "--syntax-check"].into_iter().chain(names.iter().map(String::as_str));
    project.chainwright(&words.collect::<Vec<_>>()).code(0);
}

#[test]
fn every_modules_example_is_a_list_of_tasks_that_use_it() {
    for module in REGISTRY {
        let tasks =
            yaml::load_text(module.name, module.example).unwrap_or_else(|error| panic!("{}: {error:?}", module.name));
        let Data::List(tasks) = &tasks.data else { panic!("the example of {} is no list", module.name) };
        let used = tasks.iter().flat_map(Node::entries);
        let used = used.filter(|(key, _)| find(&key.name).is_some_and(|other| other.name == module.name));
        assert!(used.count() > 0, "the example of {} does not use it:\n{}", module.name, module.example);
    }
}
