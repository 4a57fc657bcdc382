//! Events leave in playbook order, whatever order the hosts work in.

use crate::base::event::Done;
use crate::base::event::Reporter;
use crate::base::{Event, Mask, Recap};
use crate::plan::Entry;
use std::collections::{BTreeMap, HashSet};

/// Holds events back until every task before theirs is over on every host, counts them, and masks secrets.
pub struct Screen {
    reporter: Box<dyn Reporter>,
    /// What must not be shown.
    pub mask: Mask,
    /// The counts so far.
    pub recap: Recap,
    held: BTreeMap<usize, Vec<Event>>,
    announced: HashSet<usize>,
    last: Option<usize>,
    frontier: usize,
    /// `strategy: free`: nothing is held back.
    free: bool,
}

impl Screen {
    /// Shows everything to `reporter`.
    pub fn new(reporter: Box<dyn Reporter>) -> Self {
        Self {
            reporter,
            mask: Mask::default(),
            recap: Recap::default(),
            held: BTreeMap::new(),
            announced: HashSet::new(),
            last: None,
            frontier: 0,
            free: false,
        }
    }

    /// A new play: positions count from nothing again.
    pub fn begin(&mut self, free: bool) {
        self.flush(usize::MAX);
        self.frontier = 0;
        self.free = free;
        self.last = None;
        self.announced.clear();
    }

    /// Shows an event at once.
    pub fn now(&mut self, event: Event) {
        let event = masked(&self.mask, event);
        self.reporter.event(&event);
    }

    /// A step, or an item of it, is done.
    pub fn done(&mut self, position: usize, entry: &Entry, name: &str, event: Event) {
        if let Event::StepDone(done) = &event {
            self.recap.count(done);
        }
        let start = announcement(entry, name);
        if self.free {
            if self.last != Some(entry.number) {
                self.last = Some(entry.number);
                self.now(start);
            }
            self.now(event);
            return;
        }
        let mut events = Vec::new();
        if self.announced.insert(entry.number) {
            events.push(start);
        }
        events.push(event);
        if position <= self.frontier {
            for event in events {
                self.now(event);
            }
        } else {
            self.held.entry(position).or_default().extend(events);
        }
    }

    /// Announces a task whose first host begins it now, if nothing before it is held back.
    pub fn start(&mut self, position: usize, entry: &Entry, name: &str) {
        if !self.free && position <= self.frontier && self.announced.insert(entry.number) {
            self.now(announcement(entry, name));
        }
    }

    /// Every host has done everything before `frontier`.
    pub fn advance(&mut self, frontier: usize) {
        if frontier > self.frontier {
            self.frontier = frontier;
            self.flush(frontier);
        }
    }

    fn flush(&mut self, up_to: usize) {
        while let Some(entry) = self.held.first_entry() {
            if *entry.key() > up_to {
                break;
            }
            for event in entry.remove() {
                self.now(event);
            }
        }
    }

    /// `count` entries were inserted behind `position`.
    pub fn inserted(&mut self, position: usize, count: usize) {
        let later = self.held.split_off(&(position + 1));
        self.held.extend(later.into_iter().map(|(at, events)| (at + count, events)));
    }

    /// Takes what moves off the screen.
    pub fn hush(&mut self) {
        self.reporter.hush();
    }
}

fn announcement(entry: &Entry, name: &str) -> Event {
    Event::TaskStarted {
        task: entry.number,
        name: name.to_owned(),
        module: entry.module().to_owned(),
        path: entry.span().to_string(),
        handler: entry.handler.is_some(),
    }
}

fn masked(mask: &Mask, mut event: Event) -> Event {
    match &mut event {
        Event::Line { text, .. } | Event::Warning { text } | Event::Error { text } | Event::Note { text } => {
            *text = mask.text(text);
        }
        Event::TaskStarted { name, .. } => *name = mask.text(name),
        Event::ItemDone(done) | Event::StepDone(done) => mask_done(mask, done),
        _ => {}
    }
    event
}

fn mask_done(mask: &Mask, done: &mut Done) {
    for value in done.result.values_mut() {
        mask.value(value);
    }
    if let Some(help) = &mut done.help {
        *help = mask.text(help);
    }
    if let Some(item) = &mut done.item {
        mask.value(item);
    }
    for proof in &mut done.proofs {
        proof.evidence = mask.text(&proof.evidence);
    }
    for diff in &mut done.diffs {
        let text = |text: &mut String| *text = mask.text(text);
        match diff {
            crate::base::Diff::Text { before, after, .. } => {
                before.iter_mut().for_each(text);
                after.iter_mut().for_each(text);
            }
            crate::base::Diff::Value { before, after, .. } => {
                text(before);
                text(after);
            }
            crate::base::Diff::Action { what } => text(what),
        }
    }
}
