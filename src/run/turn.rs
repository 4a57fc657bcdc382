//! Who may start what: barriers, `run_once`, `throttle`, handlers that were notified, blocks that failed.

use super::play::{Member, PlayRun};
use crate::language::node::Data;
use crate::language::playbook::Action;
use crate::plan::{Entry, Kind};
use std::sync::Arc;

impl PlayRun<'_> {
    /// What the entry at `position` means for a member; `first` says that nothing goes before it in the batch.
    pub fn turn(&mut self, index: usize, position: usize, first: bool) -> Turn {
        let entry = self.entries[position].clone();
        if !self.concerns(index, &entry) {
            return Turn::Pass;
        }
        if !first && self.needs_again(index, position) {
            return Turn::Wait;
        }
        if let Kind::Flush = entry.kind {
            if !first {
                return Turn::Wait;
            }
            self.expand_handlers(position);
            return Turn::Pass;
        }
        let strict = self.strict && !self.free;
        if (strict || (!self.free && entry.waits_for_all())) && !self.others_at(index, position) {
            return Turn::Wait;
        }
        if !self.free && self.awaits_files(index, position) {
            return Turn::Wait;
        }
        if self.runs_once(&entry) {
            let doer = self
                .present()
                .find(|member| self.members[*member].cursor <= position && self.concerns(*member, &entry));
            if !first || doer != Some(index) {
                return Turn::Wait;
            }
        }
        if let Some(limit) = self.throttle(index, &entry) {
            let busy = self
                .members
                .iter()
                .filter_map(|member| member.active.as_ref()?.works.front())
                .filter(|at| at.work.position == position)
                .count();
            if !first || busy >= limit {
                return Turn::Wait;
            }
        }
        Turn::Go
    }

    /// Whether the entry concerns the member at all.
    pub fn concerns(&self, member: usize, entry: &Entry) -> bool {
        let member = &self.members[member];
        if entry.hosts.as_ref().is_some_and(|hosts| !hosts.contains(&member.name)) {
            return false;
        }
        match entry.handler {
            // What a handler includes is for those who included it.
            Some(handler) if entry.hosts.is_none() && !member.notified.contains(&handler) => false,
            Some(_) if self.force_handlers => entry.hosts.is_none() || member.guard.allows_forced(entry),
            // Where the handlers stand, a host that has failed and yet has some to run must not be past.
            None if self.force_handlers && matches!(entry.kind, Kind::Flush) && !member.notified.is_empty() => true,
            None if member.has_run_the_role_of(entry) => false,
            _ => member.guard.allows(entry),
        }
    }

    /// Whether a role around the entry is one that the batch at hand is about to run: then this use of it will have nothing to do.
    fn needs_again(&self, index: usize, position: usize) -> bool {
        let needed = Member::needed_roles(&self.entries[position]);
        !needed.is_empty()
            && self.entries[self.members[index].cursor..position]
                .iter()
                .flat_map(|entry| Member::needed_roles(entry))
                .any(|before| needed.iter().any(|role| role.identity == before.identity && !Arc::ptr_eq(role, before)))
    }

    /// Whether another host has still to bring a file to the controller, which the entry at `position` may read there.
    fn awaits_files(&self, member: usize, position: usize) -> bool {
        let others = self.members.iter().enumerate().filter(|(index, other)| *index != member && !other.gone);
        let slowest = others.map(|(_, other)| other.cursor).min().unwrap_or(position);
        self.entries[slowest.min(position)..position].iter().any(|entry| entry.fetches())
    }

    fn others_at(&self, member: usize, position: usize) -> bool {
        self.members.iter().enumerate().all(|(index, other)| index == member || other.gone || other.cursor >= position)
    }

    /// Whether one host does it for all.
    pub fn runs_once(&self, entry: &Entry) -> bool {
        if self.free {
            return false;
        }
        // The inventory is one for all hosts.
        if entry.module() == "add_host" {
            return true;
        }
        let Some(node) = entry.keyword(|keywords| keywords.run_once.as_ref()) else { return false };
        match &node.data {
            Data::Bool(once) => *once,
            _ => self.flag_of(0, entry, Some(node)).unwrap_or(true),
        }
    }

    fn throttle(&self, member: usize, entry: &Entry) -> Option<usize> {
        let node = entry.keyword(|keywords| keywords.throttle.as_ref())?;
        let vars = self.plain_vars(member, entry);
        match self.context.number(Some(node), &vars) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Ok(Some(limit)) if limit >= 1.0 => Some(limit as usize),
            _ => None,
        }
    }

    /// Whether the engine itself must look at the entry before anything behind it may start.
    pub fn is_alone(entry: &Entry) -> bool {
        match entry.task().map(|task| &task.action) {
            Some(Action::Include(_)) => true,
            Some(Action::Module { name, .. }) => matches!(crate::language::loader::short_name(&name.name), "meta"),
            None => false,
        }
    }
}

/// What an entry means for a host right now.
pub enum Turn {
    /// Nothing: on to the next.
    Pass,
    /// It must wait for others.
    Wait,
    /// It may start.
    Go,
}
