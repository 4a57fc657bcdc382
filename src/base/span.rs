//! Where a piece of the user's text stands: file, bytes, line and column.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One file of the user's, kept whole so that errors can show its lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// As the user would name it: relative to where the command was typed when possible.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// Wraps a text that stands at `path`; `path` may be a label such as `<command line>`.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { path: path.into(), text: text.into() })
    }

    /// Reads a file.
    pub fn read(path: &Path) -> std::io::Result<Arc<Self>> {
        Ok(Self::new(path, std::fs::read_to_string(path)?))
    }

    /// A source that no user wrote: values made by the program itself.
    pub fn internal() -> Arc<Self> {
        Self::new("<internal>", "")
    }
}

/// A range of bytes in a [`Source`].
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub source: Arc<Source>,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The range `start..end` of `source`.
    pub fn new(source: Arc<Source>, start: usize, end: usize) -> Self {
        Self { source, start, end }
    }

    /// The empty range at the beginning of `source`.
    pub fn whole(source: Arc<Source>) -> Self {
        Self { source, start: 0, end: 0 }
    }

    /// A span for values that stand in no file.
    pub fn nowhere() -> Self {
        Self::whole(Source::internal())
    }

    /// Line and column of the first byte, both counted from 1; the column counts characters.
    pub fn line_column(&self) -> (usize, usize) {
        let start = self.source.text.floor_char_boundary(self.start);
        let before = &self.source.text[..start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

impl fmt::Display for Span {
    /// `file:line:column`, as editors and terminals understand it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}", self.source.path.display())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_names_line_and_column_in_characters() {
        let source = Source::new("a.yml", "één: 1\nzwei: ü2\n");
        let start = source.text.find("2\n").unwrap();
        assert_eq!(Span::new(source, start, start + 1).to_string(), "a.yml:2:8");
    }
}
