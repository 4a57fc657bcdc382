//! Says in plain words what the YAML parser stumbled over.

use crate::base::{Diagnostic, Source, Span};
use granit_parser::{ErrorKind, ScanError};
use std::sync::Arc;

/// A template that stands at the start of a value without quotes. `line` is the rest of its line.
pub fn bare_template(source: &Arc<Source>, start: usize, line: &str) -> Diagnostic {
    let place = Span::new(source.clone(), start, start + line.len());
    let quoted = if line.contains('"') { format!("'{line}'") } else { format!("\"{line}\"") };
    Diagnostic::new("a value that begins with a template needs quotes", &place).help(format!("write {quoted}"))
}

/// The parser's error, with the place and what to write instead.
pub fn explain(source: &Arc<Source>, error: &ScanError) -> Diagnostic {
    let text = &source.text;
    let mark = error.marker();
    let at = text.floor_char_boundary(mark.byte_offset().unwrap_or(0).min(text.len()));
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let here = line_at(text, start);
    let lines: Vec<(usize, &str)> = [Some(here), previous_line(text, start)].into_iter().flatten().collect();
    for (start, line) in &lines {
        if let Some(offset) = bare_template_in(line) {
            return bare_template(source, start + offset, line[offset..].trim_end());
        }
    }
    // The parser notices a tab only where the line before it ends.
    let next = text[at..].find('\n').map(|length| line_at(text, at + length + 1));
    for (start, line) in lines.iter().chain(&next) {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line[..indent].find('\t') {
            let place = Span::new(source.clone(), start + tab, start + indent);
            return Diagnostic::new("a tab cannot indent YAML", &place).help("indent with spaces");
        }
    }
    if let Some((start, line)) = lines.get(1) {
        if let Some((offset, bracket, close)) = open_bracket(line) {
            let place = Span::new(source.clone(), start + offset, start + offset + 1);
            return Diagnostic::new(format!("this `{bracket}` is never closed"), &place)
                .help(format!("add the closing `{close}`"));
        }
        if matches!(error.kind(), ErrorKind::MappingValueNotAllowed) && is_word(line) {
            let indent = line.len() - line.trim_start().len();
            let place = Span::new(source.clone(), start + indent, start + line.trim_end().len());
            return Diagnostic::new("this line is neither `key: value` nor `- item`", &place)
                .help("check for a missing `:` (a space must follow it), or a missing quote above");
        }
    }
    let (message, help) = words(error.kind(), &error.info(), here.1);
    let end = text[at..].chars().next().filter(|c| *c != '\n').map_or(at, |c| at + c.len_utf8());
    let diagnostic = Diagnostic::new(message, &Span::new(source.clone(), at, end));
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn line_at(text: &str, start: usize) -> (usize, &str) {
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    (start, &text[start..end])
}

/// The nearest line above that has something on it.
fn previous_line(text: &str, mut start: usize) -> Option<(usize, &str)> {
    while start > 0 {
        let begin = text[..start - 1].rfind('\n').map_or(0, |newline| newline + 1);
        let line = &text[begin..start - 1];
        if !line.trim().is_empty() {
            return Some((begin, line));
        }
        start = begin;
    }
    None
}

/// Where in the line a value begins with `{{` or `{%`.
fn bare_template_in(line: &str) -> Option<usize> {
    let body = line.trim_start();
    let mut offset = line.len() - body.len();
    if body.starts_with('#') {
        return None;
    }
    loop {
        let rest = &line[offset..];
        if rest.starts_with("{{") || rest.starts_with("{%") {
            return Some(offset);
        }
        let skip = if rest.starts_with("- ") {
            2
        } else {
            let colon = rest.find(": ")?;
            if rest[..colon].contains(['"', '\'', '{', '[']) {
                return None;
            }
            colon + 2
        };
        let after = &rest[skip..];
        offset += skip + (after.len() - after.trim_start().len());
    }
}

/// The last `[` or `{` of a line that is not closed in it, and what would close it.
fn open_bracket(line: &str) -> Option<(usize, char, char)> {
    let mut open = vec![];
    let mut quote = None;
    for (at, letter) in line.char_indices() {
        match letter {
            '"' | '\'' if quote == Some(letter) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(letter),
            _ if quote.is_some() => {}
            '#' if line[..at].ends_with(' ') => break,
            '[' => open.push((at, '[', ']')),
            '{' => open.push((at, '{', '}')),
            ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// Whether a line is a bare text, neither entry nor item.
fn is_word(line: &str) -> bool {
    let line = line.trim();
    !line.contains(": ") && !line.ends_with(':') && !line.starts_with("- ") && !line.starts_with('#')
}

fn words(kind: &ErrorKind, info: &str, line: &str) -> (String, Option<String>) {
    let (message, help) = match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar => ("a tab cannot stand here", "use spaces"),
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::InvalidFlowScalarIndent
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::ExpectedDocumentStart => (
            "this line's indentation fits nothing above it",
            "begin it in the same column as its neighbours of the same list or table",
        ),
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement | ErrorKind::MappingKeyNotAllowed => {
            if line.matches(": ").count() > 1 {
                ("a second `: ` in one value", "put the whole value in quotes")
            } else {
                (
                    "a key cannot stand here",
                    "check the indentation of this line and of the one above; a text that contains `: ` needs quotes",
                )
            }
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            "this line is neither `key: value` nor `- item`",
            "check for a missing `:` (a space must follow it), or a missing quote above",
        ),
        ErrorKind::UnknownAnchor => (
            "no anchor of this name stands above",
            "define it first: `&name value`; a text that begins with `*` needs quotes",
        ),
        ErrorKind::InvalidQuotedScalarIndent => (
            "this line belongs to a quoted text that began above",
            "close the quote above, or indent this line further",
        ),
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => {
            ("this quote is never closed", "add the closing quote")
        }
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            ("text follows the closing quote", "put the whole value in one pair of quotes")
        }
        ErrorKind::UnknownQuotedScalarEscape | ErrorKind::InvalidQuotedScalarHexEscape => {
            ("unknown escape in double quotes", "write `\\\\` for a backslash, or use single quotes")
        }
        ErrorKind::UnclosedFlowCollection { open: '[' } | ErrorKind::UnexpectedEofFlowSequence => {
            ("this `[` is never closed", "add the closing `]`")
        }
        ErrorKind::UnclosedFlowCollection { .. } | ErrorKind::UnexpectedEofFlowMapping => {
            ("this `{` is never closed", "add the closing `}`")
        }
        ErrorKind::ExpectedFlowSequenceSeparator => {
            ("`,` or `]` is missing before this", "separate the items of `[...]` with commas")
        }
        ErrorKind::ExpectedFlowMappingSeparator => {
            ("`,` or `}` is missing before this", "separate the entries of `{...}` with commas")
        }
        ErrorKind::UnexpectedCharacter { character } => {
            return (format!("no value can begin with `{character}`"), Some("put the value in quotes".to_owned()));
        }
        ErrorKind::RecursionLimitExceeded => ("lists and tables are nested too deeply", "255 levels are the most"),
        _ => return (info.to_owned(), None),
    };
    (message.to_owned(), Some(help.to_owned()))
}
