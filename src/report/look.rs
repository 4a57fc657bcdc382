//! How terminal output looks: colours (Ansible's), headings, widths.

use anstyle::{AnsiColor, Color, Style};
use std::io::IsTerminal;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// As it should be.
pub const OK: Style = colour(AnsiColor::Green);
/// Changed.
pub const CHANGED: Style = colour(AnsiColor::Yellow);
/// Skipped, and side remarks.
pub const SKIPPED: Style = colour(AnsiColor::Cyan);
/// Failed.
pub const FAILED: Style = colour(AnsiColor::Red);
/// Did not answer.
pub const UNREACHABLE: Style = colour(AnsiColor::BrightRed);
/// Warnings.
pub const WARNING: Style = colour(AnsiColor::BrightMagenta);
/// What to do next.
pub const HELP: Style = colour(AnsiColor::BrightBlue);
/// Evidence.
pub const PROOF: Style = colour(AnsiColor::BrightGreen);
/// What is of less weight.
pub const FAINT: Style = Style::new().dimmed();
/// Headings of plays and tables.
pub const STRONG: Style = Style::new().bold();

const fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(colour)))
}

/// What the user wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Use colours.
    pub colour: bool,
    /// How often `-v` was given.
    pub verbosity: u8,
    /// `--diff`.
    pub diff: bool,
    /// Columns of a heading with its stars.
    pub width: usize,
}

impl Look {
    /// As fits standard output: colours as the command line or the environment says; 79 columns in a pipe.
    pub fn of_stdout(verbosity: u8, diff: bool) -> Self {
        let stdout = std::io::stdout();
        let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        let columns = stdout.is_terminal().then(terminal_size::terminal_size).flatten();
        let width = columns.map_or(79, |(columns, _)| usize::from(columns.0).saturating_sub(1));
        Self { colour, verbosity, diff, width }
    }

    /// `text` in a style, if colours are wanted. Line by line, so that a cut line does not colour the next.
    pub fn paint(&self, style: Style, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let lines = text.split('\n').map(|line| match line {
            "" => String::new(),
            line => format!("{style}{line}{style:#}"),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// `TASK [name] *****`, after an empty line.
    pub fn heading(&self, title: &str) -> String {
        let stars = self.width.saturating_sub(title.width()).max(3);
        format!("\n{} {}\n", self.paint(STRONG, title), self.paint(FAINT, &"*".repeat(stars)))
    }
}

/// `text` cut to `columns`; a cut text ends with `…`.
pub fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let kept = text.chars().take_while(|c| {
        used += c.width().unwrap_or(0);
        used <= columns
    });
    kept.chain(std::iter::once('…')).collect()
}

/// `text` filled with blanks up to `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

#[cfg(test)]
/// In a pipe.
pub const PLAIN: Look = Look { colour: false, verbosity: 0, diff: false, width: 79 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_fills_the_line_as_ansible_does() {
        assert_eq!(PLAIN.heading("TASK [ping]"), format!("\nTASK [ping] {}\n", "*".repeat(68)));
    }

    #[test]
    fn a_text_is_cut_by_columns_and_not_by_bytes() {
        assert_eq!(cut("übergröße", 20), "übergröße");
        assert_eq!(cut("übergröße", 5), "über…");
        assert_eq!(cut("日本語", 5), "日本…");
    }

    #[test]
    fn a_style_ends_at_the_end_of_each_line() {
        let look = Look { colour: true, ..PLAIN };
        assert_eq!(look.paint(OK, "a\nb"), "\u{1b}[32ma\u{1b}[0m\n\u{1b}[32mb\u{1b}[0m");
    }
}
