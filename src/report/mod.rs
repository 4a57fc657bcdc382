//! Observers of events: terminal, JSON lines.

pub mod diff;
pub mod json;
pub mod live;
pub mod look;
pub mod show;
pub mod terminal;

pub use json::Json;
pub use terminal::Terminal;

use crate::base::Event;

/// Someone who is told of everything that happens in a run.
pub trait Reporter {
    /// Something happened.
    fn event(&mut self, event: &Event);

    /// Somebody else is about to use the terminal (a prompt): takes what moves off the screen until the next event.
    fn hush(&mut self) {}
}

/// Tells several reporters, in order.
#[derive(Default)]
pub struct Reporters(Vec<Box<dyn Reporter>>);

impl Reporters {
    /// Adds a reporter.
    pub fn add(&mut self, reporter: impl Reporter + 'static) {
        self.0.push(Box::new(reporter));
    }
}

impl Reporter for Reporters {
    fn event(&mut self, event: &Event) {
        for reporter in &mut self.0 {
            reporter.event(event);
        }
    }

    fn hush(&mut self) {
        for reporter in &mut self.0 {
            reporter.hush();
        }
    }
}
