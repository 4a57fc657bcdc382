//! What a result does to the run: facts, hosts, groups, what a `rescue` may read.

use super::play::PlayRun;
use super::result::Judged;
use super::step::{Item, Todo, Work, truthy};
use crate::base::event::Status;
use crate::base::{Event, Map, Value};
use crate::language::layers::{Table, Var};
use crate::language::playbook::Action;
use crate::plan::Entry;
use std::sync::Arc;

impl PlayRun<'_> {
    /// What a result does to the run: facts, hosts, groups. Says whether the inventory has something new.
    pub fn effects(&mut self, index: usize, item: &Item, judged: &Judged) -> bool {
        if judged.is_failure() || judged.status == Status::Skipped {
            return false;
        }
        let Todo::Call(call) = &item.todo else { return false };
        let mut new = false;
        let entry_host = self.members[index].name.clone();
        if let Some(Value::Object(facts)) = judged.result.get("ansible_facts") {
            let to = call.route.delegate.clone().filter(|_| call.delegate_facts).unwrap_or(entry_host.clone());
            match call.module.name {
                "set_fact" => {
                    self.context.store.set(&to, super::vars::data(facts));
                    if judged.result.get("_ansible_facts_cacheable").is_some_and(truthy) {
                        self.context.store.add_facts(&to, facts);
                    }
                }
                "include_vars" => {}
                _ => self.context.store.add_facts(&to, facts),
            }
        }
        if let Some(Value::Object(host)) = judged.result.get("add_host") {
            new |= self.add_host(host);
        }
        if let Some(group) = judged.result.get("add_group").and_then(Value::as_str) {
            let parents: Vec<String> = judged
                .result
                .get("parent_groups")
                .and_then(|parents| serde_json::from_value(parents.clone()).ok())
                .unwrap_or_default();
            new |= self.inventory.add_to_group(&entry_host, group, &parents);
            self.reload();
        }
        new
    }

    fn add_host(&mut self, host: &Map) -> bool {
        let Some(name) = host.get("host_name").and_then(Value::as_str) else { return false };
        let groups: Vec<String> =
            host.get("groups").and_then(|groups| serde_json::from_value(groups.clone()).ok()).unwrap_or_default();
        let vars = match host.get("host_vars") {
            Some(Value::Object(vars)) => super::vars::data(vars),
            _ => Table::default(),
        };
        let new = self.inventory.add_host(name, &groups, vars);
        self.reload();
        new
    }

    /// Shows the store what the inventory has become.
    pub fn reload(&mut self) {
        let folders = std::slice::from_ref(&self.play.folder);
        if let Err(mistakes) = self.context.store.refresh(self.inventory, folders, &self.context.loader) {
            let text = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            self.screen.now(Event::Warning { text });
        }
    }

    pub fn share_facts(&self, name: &str, work: &Work, judged: &Judged, sharers: &[usize]) {
        let sets = |item: &Item| matches!(&item.todo, Todo::Call(call) if call.module.name == "set_fact");
        if !work.items.iter().any(sets) {
            return;
        }
        let results: Vec<&Map> = match judged.result.get("results").and_then(Value::as_array) {
            Some(results) if work.looped => results.iter().filter_map(Value::as_object).collect(),
            _ => vec![&judged.result],
        };
        for facts in results.iter().filter_map(|result| result.get("ansible_facts")?.as_object()) {
            for other in sharers.iter().map(|sharer| &self.members[*sharer].name).filter(|other| *other != name) {
                self.context.store.set(other, super::vars::data(facts));
            }
        }
    }

    pub fn remember_failure(&self, host: &str, entry: &Entry, judged: &Judged) {
        let written = entry.task().and_then(|task| match &task.action {
            Action::Module { name, .. } => Some(name.name.to_string()),
            Action::Include(_) => None,
        });
        let action = written.unwrap_or_else(|| entry.module().to_owned());
        let task = serde_json::json!({
            "name": entry.title(), "action": action, "path": entry.span().to_string(),
            "tags": crate::plan::flatten::tags(entry),
        });
        self.context.store.set(
            host,
            Table::from_iter([
                ("ansible_failed_task".to_owned(), Var::Value(Arc::new(task))),
                ("ansible_failed_result".to_owned(), Var::Value(Arc::new(Value::Object(judged.result.clone())))),
            ]),
        );
    }
}
