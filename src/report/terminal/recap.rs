//! The end of a run: a line a host, and how it went as a whole.

use super::Terminal;
use crate::base::Recap;
use crate::report::look;
use std::fmt::Write;

impl Terminal {
    /// A line a host, with what its steps came to.
    pub fn recap(&self, recap: &Recap) -> String {
        let mut text = self.look.heading("PLAY RECAP");
        for (host, counts) in &recap.0 {
            let style = if counts.failed + counts.unreachable > 0 {
                look::FAILED
            } else if counts.changed > 0 {
                look::CHANGED
            } else {
                look::OK
            };
            let _ = write!(text, "{} :", self.look.paint(style, &look::pad(host, 26)));
            let numbers = [
                ("ok", counts.ok, look::OK),
                ("changed", counts.changed, look::CHANGED),
                ("unreachable", counts.unreachable, look::UNREACHABLE),
                ("failed", counts.failed, look::FAILED),
                ("skipped", counts.skipped, look::SKIPPED),
                ("rescued", counts.rescued, look::OK),
                ("ignored", counts.ignored, look::WARNING),
            ];
            for (name, number, style) in numbers {
                let number = format!("{name}={number:<4}");
                let number = if number.contains("=0") { number } else { self.look.paint(style, &number) };
                let _ = write!(text, " {number}");
            }
            text.push('\n');
        }
        text
    }

    /// How it went, how long it took, what it cost.
    pub fn last_line(&self, exit: u8, round_trips: u64, (sent, received): (u64, u64), seconds: f64) -> String {
        let (word, style) = match exit {
            0 => ("Done", look::OK),
            99 => ("Interrupted", look::FAILED),
            _ => ("Failed", look::FAILED),
        };
        let code = if exit == 0 { String::new() } else { format!(" (exit code {exit})") };
        let traffic = match round_trips {
            0 => String::new(),
            1 => format!(", 1 round trip, {} sent, {} received", size(sent), size(received)),
            n => format!(", {n} round trips, {} sent, {} received", size(sent), size(received)),
        };
        let check = if self.check { "; nothing was changed (check mode)" } else { "" };
        format!("\n{}{}\n", self.look.paint(style, word), format_args!("{code}: {}{traffic}{check}", time(seconds)))
    }
}

/// `1.2 MB`: decimal, as networks count.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a run takes less than an age")]
fn time(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, seconds) => format!("{hours} h {minutes} min {seconds} s"),
    }
}
