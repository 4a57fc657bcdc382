//! The first half of a step's life: from an entry and a host to calls that can travel.

use super::context::{Context, Missing, text, truth};
use super::files::Local;
use super::special;
use super::target::{self, Route};
use super::vars::Pending;
use crate::base::{Failure, Map, Value};
use crate::language::layers::{Table, Var};
use crate::language::node::Node;
use crate::language::playbook::{Action, Task};
use crate::language::template::OMIT;
use crate::language::variables::Variables;
use crate::modules::{Entry as Module, Reach, arguments, registry};
use crate::plan::Entry;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One step, ready.
#[derive(Clone)]
pub struct Work {
    /// Its entry.
    pub entry: Arc<Entry>,
    /// Place of the entry in the play.
    pub position: usize,
    /// One, or one for each item of the loop.
    pub items: Vec<Item>,
    /// There is a loop, even if it has no items.
    pub looped: bool,
    /// Items must run one after the other, each looked at before the next (`until`, `pause`, `break_when`, delegation by item).
    pub stepwise: bool,
    /// `no_log`.
    pub no_log: bool,
    /// `ignore_errors`.
    pub ignore_errors: bool,
    /// `ignore_unreachable`.
    pub ignore_unreachable: bool,
    /// `diff`.
    pub diff: bool,
    /// Check mode holds for this step.
    pub check: bool,
}

/// One call of a step.
#[derive(Clone)]
pub struct Item {
    /// Loop variables and the like.
    pub extra: Table,
    /// What is shown for it.
    pub label: Option<Value>,
    /// What is to be done.
    pub todo: Todo,
}

/// What is to be done for an item.
#[derive(Clone)]
pub enum Todo {
    /// Nothing: the conditions do not hold. The text is the one that does not.
    Skip(String),
    /// Nothing: it has failed before it began.
    Fail(Failure),
    /// Run a module.
    Call(Call),
    /// Load and insert tasks.
    Include,
}

/// A module's call.
#[derive(Clone)]
pub struct Call {
    /// The module.
    pub module: &'static Module,
    /// Rendered and prepared.
    pub args: Map,
    /// Where it runs.
    pub route: Route,
    /// `environment`.
    pub environment: BTreeMap<String, String>,
    /// `timeout`, or what `async` allows.
    pub timeout: Option<u64>,
    /// `poll: 0`: nobody waits; the folder in which its result will be.
    pub job: Option<String>,
    /// `delegate_facts`.
    pub delegate_facts: bool,
}

/// Prepares a step, or says that it must wait for another.
pub fn prepare(
    context: &Context,
    host: &str,
    entry: &Arc<Entry>,
    position: usize,
    pending: &Pending,
) -> Result<Work, Missing> {
    let task = entry.task().expect("markers are no steps");
    let vars = |extra: Table| context.store.step(host, entry, extra, pending.clone(), position);
    let plain = vars(Table::default());
    let mut work = Work {
        entry: entry.clone(),
        position,
        items: vec![],
        looped: task.r#loop.is_some(),
        stepwise: !task.until.is_empty()
            || task.retries.is_some()
            || task.loop_control.pause.is_some()
            || !task.loop_control.break_when.is_empty(),
        no_log: false,
        ignore_errors: false,
        ignore_unreachable: false,
        diff: context.options.diff,
        check: context.options.check,
    };
    let Some(items) = loop_items(context, entry, task, &plain, &mut work)? else { return Ok(work) };
    let loop_var = context.text(task.loop_control.loop_var.as_ref(), &plain)?.unwrap_or_else(|| "item".into());
    let index_var = context.text(task.loop_control.index_var.as_ref(), &plain)?;
    let extended = context.flag(task.loop_control.extended.as_ref(), &plain)?.unwrap_or(false);
    let count = items.len();
    let all = Value::from(items.iter().flatten().cloned().collect::<Vec<_>>());
    for (index, value) in items.into_iter().enumerate() {
        let mut extra = Table::default();
        if let Some(value) = &value {
            put(&mut extra, &loop_var, value.clone());
            put(&mut extra, "ansible_loop_var", loop_var.as_str().into());
            if let Some(name) = &index_var {
                put(&mut extra, name, index.into());
                put(&mut extra, "ansible_index_var", name.as_str().into());
            }
            if extended {
                put(&mut extra, "ansible_loop", extended_loop(&all, index, count));
            }
        }
        let vars = vars(extra.clone());
        let todo = match todo(context, host, entry, task, &vars, &mut work) {
            Err(Missing::Wait) => return Err(Missing::Wait),
            Err(Missing::Failed(failure)) => Todo::Fail(failure),
            Ok(todo) => todo,
        };
        let label = match (&task.loop_control.label, &value) {
            (Some(label), Some(_)) => Some(match context.render(label, &vars) {
                Ok(label) => label,
                Err(Missing::Wait) => return Err(Missing::Wait),
                Err(Missing::Failed(_)) => Value::from("(label undefined)"),
            }),
            _ => value.clone(),
        };
        work.items.push(Item { extra, label, todo });
    }
    let routes: Vec<&Route> = work
        .items
        .iter()
        .filter_map(|item| match &item.todo {
            Todo::Call(call) => Some(&call.route),
            _ => None,
        })
        .collect();
    work.stepwise |= routes.windows(2).any(|pair| pair[0] != pair[1]);
    Ok(work)
}

/// The items, or `None` if the step is already decided.
fn loop_items(
    context: &Context,
    entry: &Entry,
    task: &Task,
    vars: &Arc<dyn Variables>,
    work: &mut Work,
) -> Result<Option<Vec<Option<Value>>>, Missing> {
    let Some(over) = &task.r#loop else { return Ok(Some(vec![None])) };
    match super::loops::items(context, over, vars) {
        Ok(items) => Ok(Some(items.into_iter().map(Some).collect())),
        Err(Missing::Wait) => Err(Missing::Wait),
        Err(Missing::Failed(failure)) => {
            // As Ansible does: a loop over something undefined is no mistake where `when` does not hold anyway.
            let todo = match context.first_false(conditions(entry), vars) {
                Err(Missing::Wait) => return Err(Missing::Wait),
                Ok(Some(condition)) => Todo::Skip(shown(condition)),
                Ok(None) | Err(Missing::Failed(_)) => {
                    flags(context, entry, vars, work).or_else(tolerable)?;
                    Todo::Fail(failure)
                }
            };
            work.looped = false;
            work.items.push(Item { extra: Table::default(), label: None, todo });
            Ok(None)
        }
    }
}

/// `when` of the surroundings, then of the task.
pub fn conditions(entry: &Entry) -> impl Iterator<Item = &Node> {
    let own = entry.task().into_iter().flat_map(|task| &task.keywords.when);
    entry.outer.iter().flat_map(|keywords| &keywords.when).chain(own)
}

fn shown(condition: &Node) -> String {
    match condition.to_value() {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// What the task says of its own result and of how it runs.
fn flags(context: &Context, entry: &Entry, vars: &Arc<dyn Variables>, work: &mut Work) -> Result<(), Missing> {
    let flag = |node: Option<&Node>| context.flag(node, vars);
    work.no_log = flag(entry.keyword(|keywords| keywords.no_log.as_ref()))?.unwrap_or(false);
    work.ignore_errors = flag(entry.keyword(|keywords| keywords.ignore_errors.as_ref()))?.unwrap_or(false);
    work.ignore_unreachable = flag(entry.keyword(|keywords| keywords.ignore_unreachable.as_ref()))?.unwrap_or(false);
    if let Some(diff) = flag(entry.keyword(|keywords| keywords.diff.as_ref()))? {
        work.diff = diff;
    }
    if let Some(check) = flag(entry.keyword(|keywords| keywords.check_mode.as_ref()))? {
        work.check = check;
    }
    Ok(())
}

/// Beside a failure that is already known, another says nothing more; a wait must still be waited for.
fn tolerable(missing: Missing) -> Result<(), Missing> {
    match missing {
        Missing::Wait => Err(Missing::Wait),
        Missing::Failed(_) => Ok(()),
    }
}

fn todo(
    context: &Context,
    host: &str,
    entry: &Arc<Entry>,
    task: &Task,
    vars: &Arc<dyn Variables>,
    work: &mut Work,
) -> Result<Todo, Missing> {
    match context.first_false(conditions(entry), vars) {
        Ok(Some(condition)) => return Ok(Todo::Skip(shown(condition))),
        Ok(None) => flags(context, entry, vars, work)?,
        Err(failed) => {
            // What to make of the failure is said by the same task.
            flags(context, entry, vars, work).or_else(tolerable)?;
            return Err(failed);
        }
    }
    let (name, args, free) = match &task.action {
        Action::Include(_) => return Ok(Todo::Include),
        Action::Module { name, args, free } => (name, args, free),
    };
    let module = registry::find(&name.name)
        .ok_or_else(|| Failure::new(format!("there is no module `{}` ({})", name.name, name.span)))?;
    let mut rendered = arguments(context, entry, module, args, free.as_ref(), vars)?;
    arguments::check_names(module, rendered.keys().map(String::as_str))?;
    special::prepare(context, module, task, &mut rendered, vars)?;
    let local = Local::of_task(context, vars, args);
    let args = (module.prepare)(rendered, &local);
    if local.waits.get() {
        return Err(Missing::Wait);
    }
    let environment = environment(context, entry, vars)?;
    let timeout = seconds(context, entry.keyword(|keywords| keywords.timeout.as_ref()), vars)?;
    let (limit, job) = detached(context, task, module, work.check, vars)?;
    let timeout = timeout.into_iter().chain(limit).min();
    let route = target::route(context, host, entry, vars)?;
    let delegate_facts =
        context.flag(entry.keyword(|keywords| keywords.delegate_facts.as_ref()), vars)?.unwrap_or(false);
    Ok(Todo::Call(Call { module, args: args?, route, environment, timeout, job, delegate_facts }))
}

fn seconds(context: &Context, node: Option<&Node>, vars: &Arc<dyn Variables>) -> Result<Option<u64>, Missing> {
    let seconds = context.number(node, vars)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(seconds.map(|seconds| seconds.max(0.0).ceil() as u64).filter(|seconds| *seconds > 0))
}

/// What `async` and `poll` say: how many seconds it may take, and, if nobody waits for it, where its result will be.
fn detached(
    context: &Context,
    task: &Task,
    module: &Module,
    check: bool,
    vars: &Arc<dyn Variables>,
) -> Result<(Option<u64>, Option<String>), Missing> {
    let Some(limit) = seconds(context, task.r#async.as_ref(), vars)? else { return Ok((None, None)) };
    if module.reach == Reach::Controller {
        return Err(
            Failure::new(format!("`{}` does not support `async`: it does not run on the host", module.name)).into()
        );
    }
    let poll = context.number(task.poll.as_ref(), vars)?;
    // What only predicts is over soon, and nobody could ask for its result later.
    if check || poll != Some(0.0) {
        return Ok((Some(limit), None));
    }
    Ok((Some(limit), Some(async_folder(context, vars)?)))
}

/// Where the results of jobs are on a host, as Ansible has it.
pub fn async_folder(context: &Context, vars: &Arc<dyn Variables>) -> Result<String, Missing> {
    let named = context.variable("ansible_async_dir", vars)?.as_ref().and_then(text);
    Ok(named.unwrap_or_else(|| "~/.ansible_async".into()))
}

fn arguments(
    context: &Context,
    entry: &Entry,
    module: &Module,
    args: &Node,
    free: Option<&Node>,
    vars: &Arc<dyn Variables>,
) -> Result<Map, Missing> {
    let mut all = Map::new();
    for keywords in entry.outer.iter().map(AsRef::as_ref).chain(entry.task().map(|task| &task.keywords)) {
        if let Some(defaults) = &keywords.module_defaults {
            for (name, values) in defaults.entries() {
                if registry::find(&name.name).is_some_and(|named| named.name == module.name)
                    && let Value::Object(values) = context.render(values, vars)?
                {
                    all.extend(values);
                }
            }
        }
    }
    match context.render(args, vars)? {
        Value::Object(values) => all.extend(values),
        Value::Null => {}
        other => {
            return Err(
                Failure::new(format!("the arguments of `{}` are `{other}` instead of a table", module.name)).into()
            );
        }
    }
    if let (Some(free), Some(name)) = (free, module.free_form) {
        all.insert(name.to_owned(), context.render(free, vars)?);
    } else if let Some(free) = free {
        return Err(Failure::new(format!("`{}` takes no free text ({})", module.name, free.span))
            .help("write its options as `name: value` lines below it")
            .into());
    }
    all.retain(|_, value| value != OMIT);
    for (alias, name) in module.aliases {
        if let Some(value) = all.remove(*alias) {
            all.insert((*name).to_owned(), value);
        }
    }
    all.values_mut().for_each(drop_omitted);
    Ok(all)
}

fn drop_omitted(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| value != OMIT);
            map.values_mut().for_each(drop_omitted);
        }
        Value::Array(items) => {
            items.retain(|value| value != OMIT);
            items.iter_mut().for_each(drop_omitted);
        }
        _ => {}
    }
}

fn environment(
    context: &Context,
    entry: &Entry,
    vars: &Arc<dyn Variables>,
) -> Result<BTreeMap<String, String>, Missing> {
    let mut all = BTreeMap::new();
    for keywords in entry.outer.iter().map(AsRef::as_ref).chain(entry.task().map(|task| &task.keywords)) {
        let Some(node) = &keywords.environment else { continue };
        let tables = match context.render(node, vars)? {
            Value::Array(tables) => tables,
            table => vec![table],
        };
        for table in tables {
            if let Value::Object(table) = table {
                all.extend(table.into_iter().map(|(name, value)| (name, text(&value).unwrap_or_default())));
            }
        }
    }
    Ok(all)
}

fn put(table: &mut Table, name: &str, value: Value) {
    table.insert(name.to_owned(), Var::Value(Arc::new(value)));
}

fn extended_loop(all: &Value, index: usize, count: usize) -> Value {
    let mut value = serde_json::json!({
        "index": index + 1, "index0": index, "revindex": count - index, "revindex0": count - index - 1,
        "first": index == 0, "last": index + 1 == count, "length": count, "allitems": all,
    });
    if index > 0 {
        value["previtem"] = all[index - 1].clone();
    }
    if index + 1 < count {
        value["nextitem"] = all[index + 1].clone();
    }
    value
}

/// Whether a value counts as true where Ansible asks loosely.
pub fn truthy(value: &Value) -> bool {
    truth(value).unwrap_or(match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    })
}
