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
pub use crate::base::event::Reporter;

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
