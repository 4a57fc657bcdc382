//! Events as JSON lines: `--json`.

use super::Reporter;
use crate::base::Event;
use jiff::Timestamp;
use serde::Serialize;
use std::io::Write;

/// Writes one event a line: `{"time": ..., "event": "step_done", ...}`.
pub struct Json<W> {
    out: W,
    now: fn() -> Timestamp,
}

#[derive(Serialize)]
struct Line<'a> {
    /// RFC 3339, UTC, with milliseconds.
    time: String,
    #[serde(flatten)]
    event: &'a Event,
}

impl<W: Write> Json<W> {
    /// Lines go to `out` and are flushed one by one.
    pub fn new(out: W) -> Self {
        Self { out, now: Timestamp::now }
    }
}

impl<W: Write> Reporter for Json<W> {
    fn event(&mut self, event: &Event) {
        let line = Line { time: format!("{:.3}", (self.now)()), event };
        // A reader that went away must not stop a run half-way: what is written is lost, what is done is done.
        if let Ok(text) = serde_json::to_string(&line) {
            let _ = writeln!(self.out, "{text}").and_then(|()| self.out.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line_with_its_time_and_kind() {
        let mut out = Vec::new();
        let mut json = Json { out: &mut out, now: || Timestamp::UNIX_EPOCH };
        json.event(&Event::Warning { text: "two\nlines".into() });
        json.event(&Event::StepStarted { task: 3, host: "a".into() });
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        {"time":"1970-01-01T00:00:00.000Z","event":"warning","text":"two\nlines"}
        {"time":"1970-01-01T00:00:00.000Z","event":"step_started","task":3,"host":"a"}
        "#);
    }
}
