//! How long to wait before the next look: longer each time, never all at the same moment, and short again after progress.

use std::time::Duration;

/// However long a server asks for: no wait is longer.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// The waits of somebody who looks again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    factor: f64,
    next: Duration,
    state: String,
}

impl Backoff {
    /// Waits of `first`, then each `factor` times the one before (at least as long), up to `most`.
    pub fn new(first: Duration, most: Duration, factor: f64) -> Self {
        let factor = if factor >= 1.0 { factor } else { 1.0 };
        Self { first, most: most.max(first), factor, next: first, state: String::new() }
    }

    /// What a look has seen, in words. Another than the last time is progress: the next wait is the first again.
    pub fn saw(&mut self, state: &str) {
        if self.state != state {
            state.clone_into(&mut self.state);
            self.next = self.first;
        }
    }

    /// The next wait: a tenth more or less than it would be, by `chance` (0 to 1), so that a thousand clients do not come
    /// back in the same second; within the bounds, but never less than the server `asked` for.
    pub fn wait(&mut self, chance: f64, asked: Option<Duration>) -> Duration {
        let wait = self.next;
        self.next = Duration::try_from_secs_f64(wait.as_secs_f64() * self.factor).unwrap_or(self.most).min(self.most);
        let (least, most) = (wait.mul_f64(0.9).max(self.first), wait.mul_f64(1.1).min(self.most));
        let spread = least + most.saturating_sub(least).mul_f64(chance.clamp(0.0, 1.0));
        spread.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }
}

/// A number from 0 to 1 that nobody can tell beforehand.
pub fn chance() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn waits(chance: f64) -> Vec<u64> {
        let mut backoff = Backoff::new(10 * SECOND, 300 * SECOND, 2.0);
        (0..7).map(|_| backoff.wait(chance, None).as_secs()).collect()
    }

    #[test]
    fn waits_double_from_ten_seconds_to_five_minutes_and_chance_moves_them_within_the_bounds() {
        assert_eq!(waits(0.0), [10, 18, 36, 72, 144, 270, 270]);
        assert_eq!(waits(1.0), [11, 22, 44, 88, 176, 300, 300]);
    }

    #[test]
    fn only_something_new_makes_them_short_again() {
        let mut backoff = Backoff::new(10 * SECOND, 300 * SECOND, 2.0);
        let mut wait_after = |state: Option<&str>| {
            if let Some(state) = state {
                backoff.saw(state);
            }
            backoff.wait(0.0, None).as_secs()
        };
        assert_eq!([wait_after(Some("nobody")), wait_after(Some("nobody")), wait_after(None)], [10, 18, 36]);
        assert_eq!([wait_after(Some("waits for B")), wait_after(Some("waits for B"))], [10, 18]);
    }

    #[test]
    fn a_server_may_ask_for_more_but_not_for_a_day() {
        let wait = |asked: u32| Backoff::new(10 * SECOND, 300 * SECOND, 2.0).wait(0.5, Some(asked * SECOND));
        assert_eq!((wait(77), wait(86_400)), (77 * SECOND, 3600 * SECOND));
        assert_eq!(Backoff::new(SECOND, SECOND, f64::NAN).wait(0.5, None), SECOND);
    }
}
