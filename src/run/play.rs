//! One batch of hosts going through one play: who may start what, and what is sent together.

use super::batch::{expect, fits};
use super::context::{Context, Missing};
use super::guard::Guard;
use super::handlers::Ledger;
use super::pool::Pool;
use super::result::Judged;
use super::screen::Screen;
use super::step::{self, Todo, Work};
use super::turn::Turn;
use super::vars::Pending;
use crate::base::{Failure, Value};
use crate::language::inventory::Inventory;
use crate::language::layers::Table;
use crate::language::node::Node;
use crate::language::playbook::{Play, Role};
use crate::language::variables::Variables;
use crate::modules::Reach;
use crate::plan::{Entry, Handler};
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// A host on its way through the play.
pub struct Member {
    /// Its inventory name.
    pub name: String,
    /// The first entry that it has not done.
    pub cursor: usize,
    /// What has failed so far.
    pub guard: Guard,
    /// Handlers that will run at the next flush.
    pub notified: BTreeSet<usize>,
    /// What it is at.
    pub active: Option<Active>,
    /// It takes no further part: unreachable, or `end_host`.
    pub gone: bool,
    /// Roles of which something has run here, each use on its own.
    pub roles: Vec<Arc<Role>>,
}

impl Member {
    /// The roles around an entry that others need, and that run once.
    pub fn needed_roles(entry: &Entry) -> Vec<&Arc<Role>> {
        entry.path.iter().filter_map(|within| within.block.role.as_ref()).filter(|role| role.once).collect()
    }

    /// Whether such a role has already run here where it was needed before.
    pub fn has_run_the_role_of(&self, entry: &Entry) -> bool {
        let ran =
            |role: &Arc<Role>| self.roles.iter().any(|run| run.identity == role.identity && !Arc::ptr_eq(run, role));
        Self::needed_roles(entry).into_iter().any(ran)
    }

    /// Notes that something of the roles around an entry has run here.
    pub fn note_roles(&mut self, entry: &Entry) {
        for role in entry.path.iter().filter_map(|within| within.block.role.as_ref()) {
            if !self.roles.iter().any(|known| Arc::ptr_eq(known, role)) {
                self.roles.push(role.clone());
            }
        }
    }
}

/// The steps that a host is at.
pub struct Active {
    /// In order; the first is the one that is running.
    pub works: VecDeque<InWork>,
    /// The batch at the agent, if there is one, and the agent's route.
    pub batch: Option<(u64, Arc<str>)>,
    /// Which item of which work (counted from the first that was sent) each call of the batch is.
    pub calls: Vec<(usize, usize)>,
    /// Works of this batch that are over already.
    pub finished: usize,
    /// Wake up then.
    pub due: Option<Instant>,
}

/// A step in progress.
pub struct InWork {
    /// The step.
    pub work: Work,
    /// What has come back, item by item.
    pub results: Vec<Option<Judged>>,
    /// Tries of the current item so far.
    pub attempts: u64,
    /// When it began here.
    pub began: Instant,
    /// For waits: when they end.
    pub deadline: Option<Instant>,
}

impl InWork {
    /// A step that begins now. Items that need no call are decided at once.
    pub fn new(work: Work) -> Self {
        let results = work
            .items
            .iter()
            .map(|item| match &item.todo {
                Todo::Skip(condition) => Some(Judged::skipped(condition)),
                Todo::Fail(failure) => Some(Judged::failed(failure.clone(), 0.0)),
                Todo::Call(_) | Todo::Include => None,
            })
            .collect();
        Self { work, results, attempts: 0, began: Instant::now(), deadline: None }
    }

    /// The first item without a result.
    pub fn next(&self) -> Option<usize> {
        self.results.iter().position(Option::is_none)
    }
}

/// A batch of hosts in a play.
pub struct PlayRun<'a> {
    /// The run's surroundings.
    pub context: &'a Context,
    /// The play.
    pub play: &'a Play,
    /// The hosts, in the order in which they are taken.
    pub members: Vec<Member>,
    /// What is to be done, in order.
    pub entries: Vec<Arc<Entry>>,
    /// The play's handlers, in definition order.
    pub handlers: Vec<Handler>,
    /// Flush markers behind which the handlers already stand.
    pub expanded: HashSet<usize>,
    /// `strategy: free`.
    pub free: bool,
    /// Every task is a barrier.
    pub strict: bool,
    /// `force_handlers`.
    pub force_handlers: bool,
    /// `max_fail_percentage`.
    pub max_fail: Option<f64>,
    /// A failure that ends it for all: at this entry.
    pub fatal: Option<Arc<Entry>>,
    /// The playbook ends after this batch.
    pub abort: bool,
    /// `meta: end_play`: later batches of this play do not run.
    pub ended: bool,
    /// `meta: refresh_inventory`: the inventory is read anew before the next play.
    pub refresh: bool,
    /// How many interrupts came.
    pub interrupts: u8,
    /// Batches are numbered over the whole run.
    pub next_batch: &'a mut u64,
    /// The agents.
    pub pool: &'a mut Pool,
    /// Where events go.
    pub screen: &'a mut Screen,
    /// Which handlers are pending on which hosts.
    pub ledger: &'a mut Ledger,
    /// The hosts and groups.
    pub inventory: &'a mut Inventory,
}

impl PlayRun<'_> {
    /// Starts whatever may start; says whether anything moved.
    pub fn advance(&mut self) -> bool {
        if self.settle_fatal() {
            return true;
        }
        let mut moved = false;
        for member in 0..self.members.len() {
            moved |= self.advance_member(member);
        }
        self.show_progress();
        moved
    }

    /// Whether nothing is left to do.
    pub fn is_over(&self) -> bool {
        self.members.iter().all(|member| {
            member.active.is_none() && (member.gone || self.interrupts > 0 || member.cursor >= self.entries.len())
        })
    }

    /// When the next wait ends.
    pub fn next_due(&self) -> Option<Instant> {
        self.members.iter().filter_map(|member| member.active.as_ref()?.due).min()
    }

    fn show_progress(&mut self) {
        let frontier = self.members.iter().filter(|member| !member.gone).map(|member| member.cursor).min();
        self.screen.advance(frontier.unwrap_or(usize::MAX));
    }

    /// Members that have not left.
    pub fn present(&self) -> impl Iterator<Item = usize> + '_ {
        self.members.iter().enumerate().filter(|(_, member)| !member.gone).map(|(index, _)| index)
    }

    /// A member's variables at an entry, without loop variables.
    pub fn plain_vars(&self, member: usize, entry: &Entry) -> Arc<dyn Variables> {
        self.context.store.step(&self.members[member].name, entry, Table::default(), Pending::default(), 0)
    }

    /// A keyword's boolean; `None` if it is not set or cannot be rendered.
    pub fn flag_of(&self, member: usize, entry: &Entry, node: Option<&Node>) -> Option<bool> {
        self.context.flag(node, &self.plain_vars(member, entry)).ok().flatten()
    }

    fn advance_member(&mut self, index: usize) -> bool {
        let member = &self.members[index];
        if member.gone {
            return false;
        }
        if let Some(active) = &member.active {
            if active.due.is_some_and(|due| due <= Instant::now()) {
                self.wake(index);
                return true;
            }
            return false;
        }
        if self.interrupts > 0 {
            return false;
        }
        // What ends the play for all ends it behind this task: everybody else still has a right to it.
        let end = match &self.fatal {
            None => self.entries.len(),
            Some(entry) if !self.free => self.place_of(entry).map_or(0, |position| position + 1),
            Some(_) => return false,
        };
        let mut moved = false;
        let mut works: Vec<Work> = Vec::new();
        let mut pending = Pending::default();
        let mut position = self.members[index].cursor;
        while position < end.min(self.entries.len()) {
            match self.turn(index, position, works.is_empty()) {
                Turn::Wait => break,
                Turn::Pass => {
                    if works.is_empty() {
                        self.set_cursor(index, position + 1);
                        moved = true;
                    }
                    position += 1;
                    continue;
                }
                Turn::Go => {}
            }
            let entry = self.entries[position].clone();
            if works.is_empty() && Self::is_alone(&entry) {
                self.start_alone(index, position, &entry);
                return true;
            }
            if !works.is_empty() && Self::is_alone(&entry) {
                break;
            }
            let name = self.members[index].name.clone();
            let work = match step::prepare(self.context, &name, &entry, position, &pending) {
                Ok(work) => work,
                Err(Missing::Wait) => break,
                Err(Missing::Failed(_)) if !works.is_empty() => break,
                Err(Missing::Failed(failure)) => {
                    let work = Work::failed(&entry, position, failure);
                    self.finish_at_once(index, work);
                    return true;
                }
            };
            if works.is_empty() && work.items.iter().all(|item| !matches!(item.todo, Todo::Call(_))) {
                // Nothing to send and nothing before it: it is over at once, and the next may be first.
                self.finish_at_once(index, work);
                if self.members[index].gone || self.fatal.is_some() {
                    return true;
                }
                moved = true;
                position = self.members[index].cursor;
                continue;
            }
            if !fits(&works, &work) {
                break;
            }
            if works.is_empty() && self.running() >= self.context.options.forks.max(1) {
                return moved;
            }
            let last = expect(&mut pending, &work);
            works.push(work);
            position += 1;
            if last || (self.strict && !self.free && self.members.len() > 1) || works.len() >= 256 {
                break;
            }
        }
        if works.is_empty() {
            return moved;
        }
        self.start(index, works);
        true
    }

    /// Members that have something at an agent.
    fn running(&self) -> usize {
        self.members.iter().filter(|member| member.active.as_ref().is_some_and(|active| active.batch.is_some())).count()
    }

    /// Moves a member on, and tells those who wait for it.
    pub fn set_cursor(&mut self, index: usize, position: usize) {
        let member = &mut self.members[index];
        member.cursor = position;
        self.context.store.settle(&member.name, if member.gone { usize::MAX } else { position });
    }

    /// Sends what can be sent, and runs what runs here.
    pub fn start(&mut self, index: usize, works: Vec<Work>) {
        let works: VecDeque<InWork> = works.into_iter().map(InWork::new).collect();
        self.members[index].active = Some(Active { works, batch: None, calls: vec![], finished: 0, due: None });
        self.proceed(index);
    }

    /// The task's name as shown: rendered with the variables of the member.
    pub fn title(&self, index: usize, entry: &Entry) -> String {
        let title = entry.title();
        if !title.contains("{{") {
            return title;
        }
        let node = Node::text(title.clone(), entry.span());
        match self.context.render(&node, &self.plain_vars(index, entry)) {
            Ok(Value::String(text)) => text,
            Ok(other) => other.to_string(),
            Err(_) => title,
        }
    }

    fn place_of(&self, entry: &Entry) -> Option<usize> {
        self.entries.iter().position(|at| at.number == entry.number && at.hosts == entry.hosts)
    }

    /// Ends for everybody what one failure ends for everybody, once all are at rest.
    fn settle_fatal(&mut self) -> bool {
        let Some(entry) = self.fatal.clone() else { return false };
        if self.members.iter().any(|member| member.active.is_some()) {
            return false;
        }
        let position = self.place_of(&entry);
        let before = |member: &Member| !member.gone && position.is_some_and(|position| member.cursor <= position);
        if !self.free && self.interrupts == 0 && self.members.iter().any(before) {
            return false;
        }
        self.fatal = None;
        let Some(position) = position else { return true };
        for index in 0..self.members.len() {
            let member = &mut self.members[index];
            if member.gone || member.guard.failed() {
                continue;
            }
            if !(self.members[index].cursor > position && self.members[index].guard.has_failed_at(&entry)) {
                self.members[index].guard.fail(&entry);
            }
            if self.members[index].guard.failed() {
                self.context.store.leave(&self.members[index].name, position + 1);
            }
            let cursor = self.members[index].cursor.max(position + 1);
            self.set_cursor(index, cursor);
        }
        true
    }
}

impl Work {
    /// A step that failed before it could be made.
    pub fn failed(entry: &Arc<Entry>, position: usize, failure: Failure) -> Self {
        Self {
            entry: entry.clone(),
            position,
            items: vec![step::Item { extra: Table::default(), label: None, todo: Todo::Fail(failure) }],
            looped: false,
            stepwise: false,
            no_log: false,
            ignore_errors: false,
            ignore_unreachable: false,
            diff: false,
            check: false,
        }
    }

    /// The agent that its first call wants, if it wants one.
    pub fn route(&self) -> Option<&super::target::Route> {
        self.items.iter().find_map(|item| match &item.todo {
            Todo::Call(call) if call.module.reach != Reach::Controller => Some(&call.route),
            _ => None,
        })
    }
}
