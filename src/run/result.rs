//! The second half of a step's life: from what came back to what is registered, counted and shown.

use super::context::{Context, Missing};
use super::files::Local;
use super::step::{Item, Todo, Work, truthy};
use super::vars::Pending;
use crate::base::event::{Proof, Status};
use crate::base::{Diff, Failure, Map, Outcome, Value};
use crate::language::layers::{Table, Var};
use crate::language::playbook::Task;
use std::sync::Arc;

/// One item, or a whole step, that is done.
#[derive(Debug, Clone)]
pub struct Judged {
    /// How it ended, before `ignore_errors` and `rescue` have their say.
    pub status: Status,
    /// What is registered.
    pub result: Map,
    /// What changed.
    pub diffs: Vec<Diff>,
    /// What to do about a failure.
    pub help: Option<String>,
    /// Evidence.
    pub proofs: Vec<Proof>,
    /// Wall time on the host.
    pub seconds: f64,
}

impl Judged {
    /// An item that did not run.
    pub fn skipped(condition: &str) -> Self {
        let mut result = Map::new();
        result.insert("changed".into(), false.into());
        result.insert("skipped".into(), true.into());
        result.insert("skip_reason".into(), "Conditional result was False".into());
        result.insert("false_condition".into(), condition.into());
        Self { status: Status::Skipped, result, diffs: vec![], help: None, proofs: vec![], seconds: 0.0 }
    }

    /// An item that failed.
    pub fn failed(failure: Failure, seconds: f64) -> Self {
        let status = if failure.unreachable { Status::Unreachable } else { Status::Failed };
        let mut result = failure.output;
        let proofs = proofs(&mut result);
        result.entry("changed").or_insert(false.into());
        result.insert(if failure.unreachable { "unreachable" } else { "failed" }.into(), true.into());
        result.insert("msg".into(), failure.message.into());
        Self { status, result, diffs: vec![], help: failure.help, proofs, seconds }
    }

    fn ended(outcome: Outcome, seconds: f64) -> Self {
        let changed = outcome.changed();
        let Outcome { diffs, output: mut result } = outcome;
        let proofs = proofs(&mut result);
        let skipped = result.get("skipped").is_some_and(truthy);
        result.insert("changed".into(), (changed && !skipped).into());
        let failed = result.get("failed").is_some_and(truthy);
        let status = match (failed, skipped, changed) {
            (true, ..) => Status::Failed,
            (_, true, _) => Status::Skipped,
            (.., true) => Status::Changed,
            _ => Status::Ok,
        };
        Self { status, result, diffs, help: None, proofs, seconds }
    }

    /// Whether it failed in any way.
    pub fn is_failure(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Unreachable)
    }
}

fn proofs(result: &mut Map) -> Vec<Proof> {
    result.get("proofs").and_then(|proofs| serde_json::from_value(proofs.clone()).ok()).unwrap_or_default()
}

/// Gives the module's part on the controller what it brought back: values whose names begin with `_` are for it.
fn receive(context: &Context, host: &str, work: &Work, item: &Item, mut outcome: Outcome) -> Result<Outcome, Failure> {
    if let Todo::Call(call) = &item.todo
        && outcome.output.keys().any(|name| name.starts_with('_'))
    {
        let vars = context.store.step(host, &work.entry, item.extra.clone(), Pending::default(), work.position);
        (call.module.receive)(call.args.clone(), &mut outcome.output, &Local::new(context, &vars))?;
    }
    Ok(outcome)
}

/// Applies `changed_when` and `failed_when` to what an item brought back.
pub fn judge(
    context: &Context,
    host: &str,
    work: &Work,
    item: &Item,
    came: Result<Outcome, Failure>,
    seconds: f64,
    attempts: Option<u64>,
) -> Judged {
    let task = work.entry.task().expect("markers are no steps");
    let mut judged = match came.and_then(|outcome| receive(context, host, work, item, outcome)) {
        Ok(outcome) => Judged::ended(outcome, seconds),
        Err(failure) => Judged::failed(failure, seconds),
    };
    for (lines, text) in [("stdout_lines", "stdout"), ("stderr_lines", "stderr")] {
        if let (None, Some(Value::String(whole))) = (judged.result.get(lines), judged.result.get(text)) {
            let split: Value = whole.lines().collect::<Vec<_>>().into();
            judged.result.insert(lines.into(), split);
        }
    }
    if task.r#async.is_some() && judged.status != Status::Unreachable {
        // Somebody waited for it, unless it says otherwise.
        judged.result.entry("started").or_insert(true.into());
        judged.result.entry("finished").or_insert(true.into());
    }
    if let Some(attempts) = attempts {
        judged.result.insert("attempts".into(), attempts.into());
    }
    if judged.status == Status::Unreachable || judged.status == Status::Skipped {
        return judged;
    }
    judged.result.entry("failed").or_insert(false.into());
    if !task.changed_when.is_empty() {
        match holds(context, host, work, item, task, &task.changed_when, &judged) {
            Ok(changed) => {
                judged.result.insert("changed".into(), changed.into());
                if judged.status != Status::Failed {
                    judged.status = if changed { Status::Changed } else { Status::Ok };
                }
            }
            Err(failure) => return broken(judged, failure),
        }
    }
    if !task.failed_when.is_empty() {
        match holds(context, host, work, item, task, &task.failed_when, &judged) {
            Ok(failed) => {
                judged.result.insert("failed".into(), failed.into());
                judged.result.insert("failed_when_result".into(), failed.into());
                let changed = judged.result.get("changed").is_some_and(truthy);
                judged.status = match (failed, changed) {
                    (true, _) => Status::Failed,
                    (false, true) => Status::Changed,
                    (false, false) => Status::Ok,
                };
            }
            Err(failure) => return broken(judged, failure),
        }
    }
    judged
}

fn broken(mut judged: Judged, failure: Failure) -> Judged {
    judged.status = Status::Failed;
    judged.result.insert("failed".into(), true.into());
    judged.result.insert("msg".into(), failure.message.into());
    judged.help = failure.help;
    judged
}

/// Whether all `conditions` hold, with the result under the name that it will be registered as.
pub fn holds(
    context: &Context,
    host: &str,
    work: &Work,
    item: &Item,
    task: &Task,
    conditions: &[crate::language::node::Node],
    judged: &Judged,
) -> Result<bool, Failure> {
    let mut extra = item.extra.clone();
    let result = Arc::new(Value::Object(judged.result.clone()));
    if let Some(register) = &task.register {
        extra.insert(register.name.to_string(), Var::Value(result.clone()));
    }
    // Ansible lets these conditions name the module's return values themselves.
    for (name, value) in &judged.result {
        extra.entry(name.clone()).or_insert_with(|| Var::Value(Arc::new(value.clone())));
    }
    extra.insert("_task".into(), Var::Value(Arc::new(serde_json::json!({"result": *result}))));
    let vars = context.store.step(host, &work.entry, extra, Pending::default(), work.position);
    match context.first_false(conditions, &vars) {
        Ok(first) => Ok(first.is_none()),
        Err(Missing::Failed(failure)) => Err(failure),
        Err(Missing::Wait) => Err(Failure::new("a condition reads another host that has not come this far")
            .help("read the other host's value in an earlier `set_fact`")),
    }
}

/// Adds the items of a loop up to what the step registers.
pub fn gather(work: &Work, items: Vec<Judged>) -> Judged {
    if !work.looped {
        return items.into_iter().next().unwrap_or_else(|| Judged::skipped(""));
    }
    let mut result = Map::new();
    let changed = items.iter().any(|item| item.status == Status::Changed);
    let failed = items.iter().any(|item| item.status == Status::Failed);
    let unreachable = items.iter().any(|item| item.status == Status::Unreachable);
    let skipped = items.iter().all(|item| item.status == Status::Skipped);
    let status = match (unreachable, failed, skipped, changed) {
        (true, ..) => Status::Unreachable,
        (_, true, ..) => Status::Failed,
        (.., true, _) => Status::Skipped,
        (.., true) => Status::Changed,
        _ => Status::Ok,
    };
    let message = match status {
        Status::Unreachable => "the host did not answer",
        Status::Failed => "One or more items failed",
        Status::Skipped if items.is_empty() => "No items in the list",
        Status::Skipped => "All items skipped",
        _ => "All items completed",
    };
    let help = items.iter().find_map(|item| item.help.clone());
    result.insert("changed".into(), changed.into());
    if failed {
        result.insert("failed".into(), true.into());
    }
    if unreachable {
        result.insert("unreachable".into(), true.into());
    }
    if skipped {
        result.insert("skipped".into(), true.into());
        if items.is_empty() {
            result.insert("skipped_reason".into(), message.into());
        }
    }
    result.insert("msg".into(), message.into());
    let seconds = items.iter().map(|item| item.seconds).sum();
    let diffs = items.iter().flat_map(|item| item.diffs.clone()).collect();
    result.insert("results".into(), items.into_iter().map(|item| Value::Object(item.result)).collect());
    Judged { status, result, diffs, help, proofs: vec![], seconds }
}

/// Puts the loop's own values into an item's result.
pub fn mark_item(judged: &mut Judged, item: &Item) {
    for (name, var) in &item.extra {
        if let Var::Value(value) = var {
            judged.result.insert(name.clone(), (**value).clone());
        }
    }
    if let Some(label) = &item.label {
        judged.result.insert("_ansible_item_label".into(), label.clone());
    }
}

/// What `register` sets.
pub fn registered(task: &Task, judged: &Judged) -> Option<Table> {
    let register = task.register.as_ref()?;
    let value = Var::Value(Arc::new(Value::Object(judged.result.clone())));
    Some(Table::from_iter([(register.name.to_string(), value)]))
}
