//! The screen: text that stays, and on a terminal below it one line a running step, redrawn five times a second.
//!
//! After each drawing the cursor stands at the beginning of the live lines, so whatever is written next, by whomever,
//! takes their place.

use super::look::{self, Look};
use indexmap::IndexMap;
use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const REDRAW: Duration = Duration::from_millis(200);
/// A step that is over sooner never flickers up.
const PATIENCE: Duration = Duration::from_millis(300);
const ROWS: usize = 12;

/// Where a reporter prints.
pub struct Screen {
    state: Arc<Mutex<State>>,
    ticker: Option<(Sender<()>, JoinHandle<()>)>,
}

struct State {
    out: Box<dyn Write + Send>,
    look: Look,
    rows: IndexMap<(usize, String), Row>,
    drawn: bool,
    hushed: bool,
}

struct Row {
    since: Instant,
    line: String,
}

impl Screen {
    /// A screen; `live` says that `out` is a terminal.
    pub fn new(out: impl Write + Send + 'static, look: Look, live: bool) -> Self {
        let state = State { out: Box::new(out), look, rows: IndexMap::new(), drawn: false, hushed: false };
        let state = Arc::new(Mutex::new(state));
        let ticker = live.then(|| {
            let (stop, stopped) = channel();
            let state = Arc::clone(&state);
            let thread = std::thread::spawn(move || {
                while stopped.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
                    let (columns, lines) = terminal_size::terminal_size()
                        .map_or((80, 24), |(columns, lines)| (usize::from(columns.0), usize::from(lines.0)));
                    lock(&state).draw(Instant::now(), columns, lines);
                }
            });
            (stop, thread)
        });
        Self { state, ticker }
    }

    /// Prints text that stays; it ends with a newline or is empty.
    pub fn print(&self, text: &str) {
        let mut state = lock(&self.state);
        state.hushed = false;
        state.clear();
        // A reader that went away must not stop a run half-way.
        let _ = state.out.write_all(text.as_bytes()).and_then(|()| state.out.flush());
    }

    /// A step runs.
    pub fn begin(&self, task: usize, host: &str) {
        if self.ticker.is_some() {
            let row = Row { since: Instant::now(), line: String::new() };
            lock(&self.state).rows.insert((task, host.to_owned()), row);
        }
    }

    /// A running step said something.
    pub fn say(&self, task: usize, host: &str, text: &str) {
        if let Some(row) = lock(&self.state).rows.get_mut(&(task, host.to_owned())) {
            text.clone_into(&mut row.line);
        }
    }

    /// A step is over.
    pub fn end(&self, task: usize, host: &str) {
        lock(&self.state).rows.shift_remove(&(task, host.to_owned()));
    }

    /// No step runs any more.
    pub fn end_all(&self) {
        lock(&self.state).rows.clear();
    }

    /// Takes the live lines away until something is printed.
    pub fn hush(&self) {
        let mut state = lock(&self.state);
        state.clear();
        state.hushed = true;
        let _ = state.out.flush();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.ticker.take() {
            drop(stop);
            let _ = thread.join();
            self.hush();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = self.out.write_all(b"\r\x1b[J");
        }
    }

    fn draw(&mut self, now: Instant, columns: usize, lines: usize) {
        let frame = if self.hushed { Vec::new() } else { self.frame(now, columns, lines) };
        if frame.is_empty() {
            self.clear();
        } else {
            let text = self.look.paint(look::FAINT, &frame.join("\n"));
            let _ = write!(self.out, "\r\x1b[J{text}\n\x1b[{}A", frame.len());
            self.drawn = true;
        }
        let _ = self.out.flush();
    }

    /// `  sealer1   12 s  the last line`, for the steps that have run for a while.
    fn frame(&self, now: Instant, columns: usize, lines: usize) -> Vec<String> {
        let running: Vec<_> =
            self.rows.iter().map(|((_, host), row)| (host, row, now.saturating_duration_since(row.since))).collect();
        let slow: Vec<_> = running.iter().filter(|(_, _, time)| *time >= PATIENCE).collect();
        let room = ROWS.min(lines.saturating_sub(3)).max(1);
        let hosts = slow.iter().map(|(host, ..)| host.chars().count()).max().unwrap_or(0);
        let mut frame: Vec<String> = slow
            .iter()
            .take(room)
            .map(|(host, row, time)| format!("  {}  {:>4} s  {}", look::pad(host, hosts), time.as_secs(), row.line))
            .collect();
        if slow.len() > room {
            frame.push(format!("  and {} more", slow.len() - room));
        }
        frame.iter().map(|line| look::cut(line.trim_end(), columns.saturating_sub(1))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::look::PLAIN;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn state(hosts: usize, out: Shared) -> (State, Instant) {
        let since = Instant::now();
        let rows = (0..hosts).map(|i| ((1, format!("host{i}")), Row { since, line: format!("line {i}") })).collect();
        (State { out: Box::new(out), look: PLAIN, rows, drawn: false, hushed: false }, since)
    }

    #[test]
    fn steps_that_take_long_are_shown_with_their_last_line() {
        let (state, since) = state(2, Shared::default());
        assert!(state.frame(since, 80, 24).is_empty());
        insta::assert_snapshot!(state.frame(since + Duration::from_secs(75), 80, 24).join("\n"), @r"
          host0    75 s  line 0
          host1    75 s  line 1
        ");
    }

    #[test]
    fn a_small_terminal_shows_what_fits() {
        let (state, since) = state(9, Shared::default());
        insta::assert_snapshot!(state.frame(since + Duration::from_secs(1), 19, 5).join("\n"), @"
        host0     1 s  …
        host1     1 s  …
        and 7 more
        ");
    }

    #[test]
    fn what_is_printed_next_takes_the_place_of_the_live_lines() {
        let out = Shared::default();
        let (mut state, since) = state(1, out.clone());
        state.draw(since + Duration::from_secs(1), 80, 24);
        let screen = Screen { state: Arc::new(Mutex::new(state)), ticker: None };
        screen.print("ok: [host0]\n");
        let written = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        assert_eq!(written, "\r\u{1b}[J  host0     1 s  line 0\n\u{1b}[1A\r\u{1b}[Jok: [host0]\n");
    }
}
