//! Where in the user's file a mistake in a template stands, and what to say about it.

use super::Names;
use crate::base::diagnostic::did_you_mean;
use crate::base::{Diagnostic, Span};
use minijinja::{Error, ErrorKind};
use std::ops::Range;

/// The part `range` of `text` in the file where `text` stands at `span`; the whole of it if that cannot be told.
pub(super) fn narrow(span: &Span, text: &str, range: Option<Range<usize>>) -> Span {
    let Some(range) = range.filter(|range| !range.is_empty()) else { return span.clone() };
    let Some(written) = span.source.text.get(span.start..span.end) else { return span.clone() };
    let at = |offset: usize| Span::new(span.source.clone(), span.start + offset, span.start + offset + range.len());
    if let Some(offset) = written.find(text) {
        return at(offset + range.start);
    }
    // A block scalar or a quoted text with escapes: the expression itself may still stand there once.
    match text.get(range.clone()) {
        Some(piece) if written.matches(piece).count() == 1 => written.find(piece).map_or_else(|| span.clone(), at),
        _ => span.clone(),
    }
}

/// An error of the template engine in our words.
pub(super) fn explain(error: &Error, span: &Span, names: &Names, text: &str) -> Diagnostic {
    let mut cause = error;
    while let Some(inner) = std::error::Error::source(cause).and_then(|source| source.downcast_ref::<Error>()) {
        cause = inner;
    }
    let detail = cause.detail().unwrap_or_default();
    let name = detail.split_whitespace().nth(1).unwrap_or_default();
    let unknown = |what: &str, name: &str, known: &[&'static str]| {
        let diagnostic = Diagnostic::new(format!("there is no {what} `{name}`"), span);
        match did_you_mean(name, known.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        }
    };
    match cause.kind() {
        ErrorKind::UnknownFilter => unknown("filter", name, &names.filters),
        ErrorKind::UnknownTest => unknown("test", name, &names.tests),
        ErrorKind::UnknownFunction => {
            unknown("function", detail.split_whitespace().next().unwrap_or_default(), &names.functions)
        }
        ErrorKind::UnknownMethod => {
            let diagnostic = Diagnostic::new(format!("in a template, {detail}"), span);
            if [".append(", ".extend(", ".update(", ".insert("].iter().any(|method| text.contains(method)) {
                diagnostic
                    .help("values cannot be changed in a template: use `list + [item]` or `table | combine(other)`")
            } else {
                diagnostic
            }
        }
        ErrorKind::SyntaxError => Diagnostic::new(format!("template syntax: {detail}"), span)
            .help("an expression stands in {{ }}, a statement in {% %}; each must be closed"),
        _ if detail.is_empty() => Diagnostic::new(cause.kind().to_string(), span),
        _ => Diagnostic::new(detail.to_owned(), span),
    }
}
