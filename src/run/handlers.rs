//! Who is notified, and what must outlive this run: a notified handler is noted on the host until it has run there.
//!
//! The note travels with the call that may make the change, and the agent writes it before the first change
//! ([`crate::agent::notes`]); the agent's `Hello` brings what earlier runs left. So a run that nothing happens to pays no
//! round trip for it. A handler runs at least once: a run that dies between the handler and the end of its note runs it again.

use super::context::Missing;
use super::play::PlayRun;
use super::result::Judged;
use super::step::Work;
use crate::agent::protocol::{Note, Request};
use crate::base::event::Status;
use crate::base::{Event, Value};
use crate::language::inventory::Inventory;
use crate::language::node::Node;
use crate::language::playbook::{Action, Play};
use crate::plan::Entry;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The notes that are on hosts, as far as they are known.
#[derive(Default)]
pub struct Ledger {
    /// This run's own name.
    pub run: String,
    held: Vec<Held>,
}

/// A note, and the agents that have it.
struct Held {
    note: Note,
    at: BTreeSet<Arc<str>>,
    /// The user was told that it came from an earlier run.
    told: bool,
    /// Its handler has included what it is made of: once that is done, too, nothing is pending.
    included: bool,
}

impl Ledger {
    /// A ledger of a new run.
    pub fn new() -> Self {
        let mut name = [0; 8];
        // Two runs with one name would only not tell of each other's notes.
        let _ = getrandom::fill(&mut name);
        Self { run: alloy_primitives::hex::encode(name), held: Vec::new() }
    }

    fn hold(&mut self, note: Note, at: &Arc<str>) {
        match self.held.iter_mut().find(|held| held.note.is(&note)) {
            Some(held) => _ = held.at.insert(at.clone()),
            None => self.held.push(Held { note, at: BTreeSet::from([at.clone()]), told: false, included: false }),
        }
    }

    fn take(&mut self, gone: impl Fn(&Note) -> bool) -> Vec<(Note, BTreeSet<Arc<str>>)> {
        let taken = self.held.extract_if(.., |held| gone(&held.note));
        taken.map(|held| (held.note, held.at)).collect()
    }
}

/// The names of a play that its notes bear: the playbook's file and the inventory's folder, and the play. Hosts may belong to
/// several inventories, and what is pending for one is not for another.
fn names(play: &Play, inventory: &Inventory) -> (String, String) {
    let mut file = last(&play.span.source.path);
    for source in &inventory.sources {
        // However it was named: `hosts.yml` in its own folder, too.
        let source = std::path::absolute(source).unwrap_or_else(|_| source.clone());
        let folder = if source.is_dir() { Some(source.as_path()) } else { source.parent() };
        file = format!("{file}, {}", folder.map(last).unwrap_or_default());
    }
    (file, super::pattern(&play.name.as_ref().unwrap_or(&play.hosts).to_value()))
}

fn last(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The name of a handler that its notes bear.
fn name(handler: &Entry) -> String {
    let title = handler.title();
    match handler.task() {
        Some(task) if task.name.is_none() => {
            task.listen.iter().filter_map(Node::as_str).fold(title, |name, topic| format!("{name}, on {topic}"))
        }
        _ => title,
    }
}

impl PlayRun<'_> {
    /// Notifies the handlers that a changed step names.
    pub fn notify(&mut self, index: usize, work: &Work, sharers: &[usize]) {
        let (found, problems) = self.named_by(index, &work.entry);
        for text in problems {
            self.screen.now(Event::Warning { text });
        }
        for sharer in sharers {
            self.members[*sharer].notified.extend(found.iter().copied());
        }
        // What the module did not see as a change was not noted before it.
        let Some(route) = work.route().filter(|_| !work.check) else { return };
        let mut missing = self.notes(&found, sharers);
        missing.retain(|note| !self.ledger.held.iter().any(|held| held.note.is(note)));
        if missing.is_empty() {
            return;
        }
        for note in &missing {
            self.ledger.hold(note.clone(), &route.key);
        }
        self.pool.tell(&route.key, &Request::Notes { add: missing, drop: vec![] });
    }

    /// The handlers that a task notifies, and what is wrong with their names.
    fn named_by(&self, index: usize, entry: &Entry) -> (BTreeSet<usize>, Vec<String>) {
        let (mut all, mut problems) = (BTreeSet::new(), Vec::new());
        let Some(task) = entry.task().filter(|task| !task.notify.is_empty()) else { return (all, problems) };
        let vars = self.plain_vars(index, entry);
        for node in &task.notify {
            let names = match self.context.render(node, &vars) {
                Ok(Value::String(name)) => vec![name],
                Ok(Value::Array(names)) => {
                    names.iter().filter_map(|name| name.as_str().map(ToOwned::to_owned)).collect()
                }
                Ok(other) => vec![other.to_string()],
                Err(Missing::Failed(failure)) => {
                    problems.push(failure.to_string());
                    continue;
                }
                Err(Missing::Wait) => continue,
            };
            for name in names {
                let found = self.handlers_named(index, &name);
                if found.is_empty() {
                    problems.push(format!(
                        "the handler `{name}` was not found, neither as a name nor as a `listen` topic ({})",
                        node.span
                    ));
                }
                all.extend(found);
            }
        }
        (all, problems)
    }

    /// The last handler of that name, and every handler that listens to it.
    fn handlers_named(&self, index: usize, name: &str) -> Vec<usize> {
        let mut named = None;
        let mut found = Vec::new();
        for (number, handler) in self.handlers.iter().enumerate() {
            let Some(task) = handler.entry.task() else { continue };
            let title = self.title(index, &handler.entry);
            let short = title.split_once(" : ").map_or(title.as_str(), |(_, short)| short);
            if title == name || short == name {
                named = Some(number);
            }
            if task.listen.iter().filter_map(Node::as_str).any(|topic| topic == name) {
                found.push(number);
            }
        }
        found.extend(named);
        found
    }

    fn notes(&self, handlers: &BTreeSet<usize>, members: &[usize]) -> Vec<Note> {
        let (playbook, play) = names(self.play, self.inventory);
        let note = |member: usize, handler: usize| Note {
            host: self.members[member].name.clone(),
            playbook: playbook.clone(),
            play: play.clone(),
            handler: name(&self.handlers[handler].entry),
            run: self.ledger.run.clone(),
        };
        members.iter().flat_map(|member| handlers.iter().map(|handler| note(*member, *handler))).collect()
    }

    /// What the calls of a work have to note before they change anything.
    pub fn notes_of(&self, index: usize, work: &Work) -> Vec<Note> {
        let never = |node: &Node| node.to_value() == Value::Bool(false);
        if work.check || work.entry.task().is_none_or(|task| task.changed_when.iter().any(never)) {
            return vec![];
        }
        let (handlers, _) = self.named_by(index, &work.entry);
        self.notes(&handlers, &self.sharers(index, &work.entry))
    }

    /// A step with notes is over: keeps account of them.
    pub fn noted(&mut self, index: usize, work: &Work, judged: &Judged) {
        let (Some(route), false) = (work.route(), work.check) else { return };
        if judged.diffs.is_empty() && !judged.is_failure() {
            return;
        }
        let notes = self.notes_of(index, work);
        let own: Vec<bool> = notes.iter().map(|note| !self.ledger.held.iter().any(|held| held.note.is(note))).collect();
        for note in &notes {
            self.ledger.hold(note.clone(), &route.key);
        }
        if judged.status == Status::Ok {
            // `changed_when` says that it was no change after all.
            let surplus: Vec<Note> = notes.into_iter().zip(own).filter_map(|(note, own)| own.then_some(note)).collect();
            self.forget(|note| surplus.iter().any(|known| known.is(note)));
        }
    }

    /// A handler has run for these members, as far as it must: nothing is pending any more.
    pub fn handled(&mut self, handler: usize, work: &Work, status: Status, members: &[usize]) {
        for member in members {
            self.members[*member].notified.remove(&handler);
        }
        if work.check || matches!(status, Status::Failed | Status::Unreachable) {
            return;
        }
        let done = self.notes(&BTreeSet::from([handler]), members);
        let is_done = |note: &Note| done.iter().any(|known| known.is(note));
        if work.entry.task().is_some_and(|task| matches!(task.action, Action::Include(_))) {
            let held = self.ledger.held.iter_mut().filter(|held| is_done(&held.note));
            held.for_each(|held| held.included = true);
        } else {
            self.forget(is_done);
        }
    }

    /// Takes notes from the hosts that have them; returns them.
    fn forget(&mut self, gone: impl Fn(&Note) -> bool) -> Vec<Note> {
        let taken = self.ledger.take(gone);
        for (note, agents) in &taken {
            for key in agents {
                self.pool.tell(key, &Request::Notes { add: vec![], drop: vec![note.clone()] });
            }
        }
        taken.into_iter().map(|(note, _)| note).collect()
    }

    /// An agent has come with what is pending on its host.
    pub fn pending_at(&mut self, key: &Arc<str>, notes: Vec<Note>) {
        for note in notes {
            if note.run != self.ledger.run {
                self.ledger.hold(note, key);
            }
        }
        self.take_up();
    }

    /// What earlier runs left to the handlers of this play counts as notified.
    pub fn take_up(&mut self) {
        let (playbook, play) = names(self.play, self.inventory);
        for at in 0..self.ledger.held.len() {
            let held = &self.ledger.held[at];
            if held.told || held.note.run == self.ledger.run || !held.note.of_play(&playbook, &play) {
                continue;
            }
            let Some(index) = self.members.iter().position(|member| member.name == held.note.host) else { continue };
            let mut found: Vec<usize> = (0..self.handlers.len())
                .filter(|number| name(&self.handlers[*number].entry) == held.note.handler)
                .collect();
            let Some(last) = found.last().copied() else { continue };
            if self.handlers[last].entry.task().is_some_and(|task| task.name.is_some()) {
                // Of several with one name only the last can be notified.
                found = vec![last];
            }
            let text = format!("{}: handler `{}` is pending from an earlier run", held.note.host, held.note.handler);
            self.members[index].notified.extend(found);
            self.ledger.held[at].told = true;
            self.screen.now(Event::Note { text });
        }
    }

    /// The batch is over. Where nothing failed, what was noted but not notified is not pending; and what is left to a handler
    /// that the play does not have (any more) never will be.
    pub fn close_ledger(&mut self) {
        if self.interrupts > 0 || self.context.options.check {
            return;
        }
        let whole = self.context.options.whole();
        let (playbook, play) = names(self.play, self.inventory);
        let well: Vec<usize> = self.present().filter(|index| !self.members[*index].guard.failed()).collect();
        for index in well {
            let host = self.members[index].name.clone();
            let notified = self.notes(&self.members[index].notified.clone(), &[index]);
            let known: BTreeSet<String> = self.handlers.iter().map(|handler| name(&handler.entry)).collect();
            let run = self.ledger.run.clone();
            let included: Vec<Note> =
                self.ledger.held.iter().filter(|held| held.included).map(|held| held.note.clone()).collect();
            let over = |note: &Note| note.run == run || included.contains(note);
            let gone = self.forget(|note| {
                note.host == host
                    && note.of_play(&playbook, &play)
                    && !notified.iter().any(|live| live.is(note))
                    && (over(note) || (whole && !known.contains(&note.handler)))
            });
            for note in gone.iter().filter(|note| !over(note)) {
                let text = format!(
                    "{host}: handler `{}` was pending from an earlier run, but the play has it no more: forgotten",
                    note.handler
                );
                self.screen.now(Event::Note { text });
            }
        }
    }

    /// Whom a step's result concerns: its host, or, with `run_once`, everybody.
    pub fn sharers(&self, index: usize, entry: &Entry) -> Vec<usize> {
        if self.runs_once(entry) { self.present().collect() } else { vec![index] }
    }
}
