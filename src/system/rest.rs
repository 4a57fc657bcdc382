//! Waits that end at once when the call is cancelled.

use super::System;
use crate::base::{Failure, failure::Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Sleeps; a failure as soon as it is cancelled.
pub fn rest(time: Duration, cancelled: &AtomicBool) -> Result<()> {
    let until = Instant::now() + time;
    loop {
        if cancelled.load(Ordering::Relaxed) {
            return Err(Failure::new("cancelled"));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}

/// How long something may still take: to a moment, and not when the call is cancelled.
#[derive(Debug, Clone, Copy)]
pub struct Until<'a> {
    /// The moment.
    pub end: Instant,
    /// Whether nobody waits for it any more.
    pub cancelled: &'a AtomicBool,
}

impl Until<'_> {
    /// What is left.
    pub fn left(self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Whether nothing is left.
    pub fn is_over(self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.left().is_zero()
    }
}

impl System {
    /// Sleeps; a failure as soon as the call is cancelled.
    pub fn rest(&self, time: Duration) -> Result<()> {
        rest(time, &self.cancelled)
    }
}
