//! The names of the roles that a play uses, as its tasks see them: `include_role` adds to them while the play runs.

use crate::base::Value;
use crate::language::layers::{Table, Var};
use crate::language::playbook::Role;
use std::sync::Arc;

/// The variables that hold them.
pub fn table(roles: &[Arc<Role>]) -> Table {
    let names = |wanted: &dyn Fn(&Role) -> bool| -> Vec<&str> {
        roles.iter().filter(|role| wanted(role)).map(|role| &*role.name).collect()
    };
    let once = |names: Vec<&str>| -> Value {
        let mut seen: Vec<&str> = Vec::new();
        for name in names {
            if !seen.contains(&name) {
                seen.push(name);
            }
        }
        seen.into()
    };
    // A role that is included twice is named twice, as in Ansible.
    let asked: Value = names(&|role| !role.dependency).into();
    let variables = [
        ("ansible_play_role_names", asked.clone()),
        ("role_names", asked),
        ("ansible_dependent_role_names", once(names(&|role| role.dependency))),
        ("ansible_role_names", once(names(&|_| true))),
    ];
    variables.into_iter().map(|(name, value)| (name.to_owned(), Var::Value(Arc::new(value)))).collect()
}
