//! A mistake in the user's files: where, what is wrong, what to write instead.

use super::Span;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt;

/// One mistake. All of a run's diagnostics are collected before anything connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where; `None` for a mistake on the command line.
    pub span: Option<Span>,
    /// What to write instead.
    pub help: Option<String>,
    /// A warning does not stop the run.
    pub warning: bool,
}

/// Either all that was asked for, or every mistake that stands in its way.
pub type Checked<T> = std::result::Result<T, Vec<Diagnostic>>;

impl Diagnostic {
    /// A mistake at `span`.
    pub fn new(message: impl Into<String>, span: &Span) -> Self {
        Self { message: message.into(), span: Some(span.clone()), help: None, warning: false }
    }

    /// A mistake that stands in no file.
    pub fn plain(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, help: None, warning: false }
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Makes it a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.warning = true;
        self
    }

    /// For people: the message, the line with the place underlined, and the help.
    pub fn render(&self, colour: bool) -> String {
        let level = if self.warning { Level::WARNING } else { Level::ERROR };
        let mut group = Group::with_title(level.primary_title(self.message.as_str()));
        let path;
        if let Some(span) = &self.span {
            path = span.source.path.display().to_string();
            let text = span.source.text.as_str();
            let start = text.floor_char_boundary(span.start);
            let end = text.floor_char_boundary(span.end.max(start)).max(start);
            group = group.element(
                Snippet::source(text).path(path.as_str()).annotation(AnnotationKind::Primary.span(start..end)),
            );
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// The known name nearest to `wrong`, if it is near enough to be what was meant.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (distance(wrong, name), strange(wrong, name), name))
        .filter(|(distance, _, name)| *distance <= (name.chars().count().max(wrong.chars().count()) / 3).max(1))
        .min()
        .map(|(_, _, name)| name)
}

/// How many letters of `wrong` are not in `name`: a forgotten letter is likelier than a wrong one.
fn strange(wrong: &str, name: &str) -> usize {
    wrong.chars().filter(|letter| !name.contains(*letter)).count()
}

/// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Source;

    #[test]
    fn a_mistake_shows_its_line_and_what_to_write_instead() {
        let source = Source::new("site.yml", "- hosts: all\n  taks: []\n");
        let diagnostic =
            Diagnostic::new("unknown keyword `taks`", &Span::new(source, 15, 19)).help("did you mean `tasks`?");
        insta::assert_snapshot!(diagnostic.render(false));
    }

    #[test]
    fn the_nearest_name_is_offered_and_a_far_one_is_not() {
        assert_eq!(did_you_mean("tempalte", ["copy", "template", "file"]), Some("template"));
        assert_eq!(did_you_mean("taks", ["tags", "tasks"]), Some("tasks"));
        assert_eq!(did_you_mean("kubernetes", ["copy", "template", "file"]), None);
    }
}
