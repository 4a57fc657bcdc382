//! Builds nodes from the parser's events.

use super::scalar;
use crate::base::diagnostic::Checked;
use crate::base::{Diagnostic, Source, Span};
use crate::language::node::{Data, Key, Node};
use granit_parser::{Event, ScalarStyle, Tag};
use std::collections::HashMap;
use std::sync::Arc;

/// How many values a document may have once its aliases are followed. Real inventories stay far below; "billion laughs"
/// documents go far above, and everything that walks nodes would have to walk them all.
const MOST_VALUES: usize = 2_000_000;

/// Takes events, gives a node and the mistakes found on the way.
pub struct Builder<'a> {
    source: &'a Arc<Source>,
    /// What is wrong so far.
    pub mistakes: Vec<Diagnostic>,
    /// Nothing sensible can follow.
    pub hopeless: bool,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    done: Option<Node>,
}

/// A list or table that has begun and not yet ended.
struct Open {
    start: usize,
    anchor: usize,
    /// Values inside, aliases followed.
    weight: usize,
    /// `!unsafe` stands before it or around it.
    wild: bool,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Table {
        entries: Vec<(Key, Node)>,
        merged: Vec<(Key, Node)>,
        key: Option<Key>,
        places: HashMap<Arc<str>, usize>,
    },
    /// A list or table where a key should be; already reported.
    Key,
}

impl<'a> Builder<'a> {
    pub fn new(source: &'a Arc<Source>) -> Self {
        Self { source, mistakes: vec![], hopeless: false, open: vec![], anchors: HashMap::new(), done: None }
    }

    /// The document, or its mistakes.
    pub fn finish(self) -> Checked<Node> {
        if self.mistakes.is_empty() {
            Ok(self.done.unwrap_or_else(|| Node { span: Span::whole(self.source.clone()), data: Data::Null }))
        } else {
            Err(self.mistakes)
        }
    }

    /// The next event of the document.
    pub fn take(&mut self, event: Event<'_>, span: &granit_parser::Span) {
        let range = span.byte_range().unwrap_or(0..0);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let place = Span::new(self.source.clone(), range.start, range.end);
                let wild = self.open.last().is_some_and(|open| open.wild);
                let data = if self.expects_key() && tag.is_none() {
                    Data::Text(Arc::from(&*text))
                } else {
                    self.scalar(&text, style, tag.as_deref(), wild, &place, span)
                };
                self.add(Node { span: place, data }, style == ScalarStyle::Plain, anchor, 1);
            }
            Event::SequenceStart(_, anchor, tag) => {
                let kind = if self.expects_key() { self.odd_key(range.start) } else { Kind::List(vec![]) };
                self.begin(span, anchor, tag.as_deref(), kind);
            }
            Event::MappingStart(_, anchor, tag) => {
                let kind = if self.expects_key() {
                    self.odd_key(range.start)
                } else {
                    Kind::Table { entries: vec![], merged: vec![], key: None, places: HashMap::new() }
                };
                self.begin(span, anchor, tag.as_deref(), kind);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(id) => {
                let known = self.anchors.get(&id).cloned();
                let (node, weight) = known.unwrap_or_else(|| {
                    let place = Span::new(self.source.clone(), range.start, range.end);
                    self.mistakes.push(
                        Diagnostic::new("this alias stands inside its own anchor", &place)
                            .help("a value cannot contain itself"),
                    );
                    (Node { span: place, data: Data::Null }, 1)
                });
                self.add(node, false, 0, weight);
            }
            _ => {}
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { kind: Kind::Table { key: None, .. }, .. }))
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        wild: bool,
        place: &Span,
        event: &granit_parser::Span,
    ) -> Data {
        let as_text = || if wild { Data::Unsafe(Arc::from(text)) } else { Data::Text(Arc::from(text)) };
        let Some(tag) = tag else {
            return match style {
                ScalarStyle::Plain => match scalar::resolve(text) {
                    Data::Text(_) => as_text(),
                    data => data,
                },
                _ => as_text(),
            };
        };
        let wrong = |what: &str| Diagnostic::new(format!("`{text}` is not {what}"), place);
        match (tag.core_suffix(), tag.suffix()) {
            (Some("str"), _) | (None, "" | "!") => as_text(),
            (Some("int"), _) => {
                let wrong = || wrong("an integer of 64 bits").help("leave `!!int` away: larger numbers stay text");
                self.or_wrong(scalar::integer(text).map(Data::Int), wrong)
            }
            (Some("float"), _) => {
                let number = scalar::float(text).or_else(|| text.parse().ok());
                self.or_wrong(number.map(Data::Float), || wrong("a number"))
            }
            (Some("bool"), _) => {
                let boolean = scalar::special(text).filter(|data| matches!(data, Data::Bool(_)));
                self.or_wrong(boolean, || wrong("a boolean").help("write `true` or `false`"))
            }
            (Some("null"), _) => Data::Null,
            (None, "unsafe") => Data::Unsafe(Arc::from(text)),
            _ => {
                self.unknown_tag(tag, event);
                Data::Null
            }
        }
    }

    fn or_wrong(&mut self, data: Option<Data>, wrong: impl FnOnce() -> Diagnostic) -> Data {
        data.unwrap_or_else(|| {
            self.mistakes.push(wrong());
            Data::Null
        })
    }

    fn unknown_tag(&mut self, tag: &Tag, event: &granit_parser::Span) {
        let range = event.tag_span().and_then(|span| span.byte_range()).or_else(|| event.byte_range()).unwrap_or(0..0);
        let place = &Span::new(self.source.clone(), range.start, range.end);
        let diagnostic = match tag.suffix() {
            "vault" | "vault-encrypted" => Diagnostic::new("vault values are not supported yet", place)
                .help("keep the secret in a file outside the repository and read it with lookup('file', ...) or lookup('env', ...)"),
            name => Diagnostic::new(format!("unknown tag `!{name}`"), place)
                .help("known tags are `!unsafe` and YAML's own `!!str`, `!!int`, `!!float`, `!!bool`; a text that begins with `!` needs quotes"),
        };
        self.mistakes.push(diagnostic);
    }

    fn begin(&mut self, event: &granit_parser::Span, anchor: usize, tag: Option<&Tag>, kind: Kind) {
        let start = event.byte_range().map_or(0, |range| range.start);
        let mut wild = self.open.last().is_some_and(|open| open.wild);
        if let Some(tag) = tag {
            match (tag.core_suffix(), tag.suffix()) {
                (Some("map" | "seq"), _) | (None, "" | "!") => {}
                (None, "unsafe") => wild = true,
                _ => self.unknown_tag(tag, event),
            }
        }
        self.open.push(Open { start, anchor, weight: 1, wild, kind });
    }

    /// A list or table as a key: nearly always a template that lacks its quotes.
    fn odd_key(&mut self, start: usize) -> Kind {
        let outer = self.open.last().map_or(start, |open| open.start);
        let text = &self.source.text;
        if text[outer..].starts_with("{{") {
            let end = text[outer..].find('\n').map_or(text.len(), |length| outer + length);
            let line = text[outer..end].trim_end();
            self.mistakes.push(super::trouble::bare_template(self.source, outer, line));
            self.hopeless = true;
        } else {
            let place = Span::new(self.source.clone(), start, start + 1);
            self.mistakes.push(
                Diagnostic::new("a list or a table cannot be a key", &place)
                    .help("put the key in quotes to make it a text"),
            );
        }
        Kind::Key
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        // Only the first line: a mistake in a table points at where the table begins.
        let text = &self.source.text;
        let rest = &text[open.start..];
        let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = rest[..line].trim_end().len();
        let (data, width) = match open.kind {
            Kind::List(items) => (Data::List(Arc::new(items)), line),
            Kind::Table { entries, merged, .. } => {
                let width = match entries.first() {
                    Some((key, _)) if key.span.start == open.start => key.span.end - open.start,
                    _ => line,
                };
                (Data::Table(Arc::new(merge(merged, entries))), width)
            }
            Kind::Key => (Data::Null, line),
        };
        let span = Span::new(self.source.clone(), open.start, open.start + width);
        self.add(Node { span, data }, false, open.anchor, open.weight);
    }

    fn add(&mut self, node: Node, plain: bool, anchor: usize, weight: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), weight));
        }
        let Some(open) = self.open.last_mut() else {
            self.done = Some(node);
            return;
        };
        open.weight = open.weight.saturating_add(weight);
        if open.weight > MOST_VALUES && !self.hopeless {
            self.hopeless = true;
            self.mistakes.push(
                Diagnostic::new("the aliases of this file stand for more than two million values", &node.span)
                    .help("write fewer aliases of aliases"),
            );
        }
        match &mut open.kind {
            Kind::List(items) => items.push(node),
            Kind::Key => {}
            Kind::Table { entries, merged, key, places } => match key.take() {
                None => {
                    let name = match &node.data {
                        Data::Text(text) | Data::Unsafe(text) => text.clone(),
                        Data::Null => "".into(),
                        _ => node.to_value().to_string().into(),
                    };
                    // A quoted `<<` is a key like any other, so it must not look like a merge.
                    let name = if &*name == "<<" && !plain { "<<\0".into() } else { name };
                    *key = Some(Key { name, span: node.span });
                }
                Some(key) if &*key.name == "<<" => match from_merge(&node) {
                    Some(found) => merged.extend(found),
                    None => self.mistakes.push(
                        Diagnostic::new(
                            format!("`<<` needs a table or a list of tables, this is {}", node.kind()),
                            &node.span,
                        )
                        .help("merge an anchored table: `<<: *name`"),
                    ),
                },
                Some(mut key) => {
                    if &*key.name == "<<\0" {
                        key.name = "<<".into();
                    }
                    if let Some(&first) = places.get(&key.name) {
                        let (line, column) = entries[first].0.span.line_column();
                        let message = format!(
                            "the key `{}` stands twice in this table, first at line {line}, column {column}",
                            key.name
                        );
                        self.mistakes.push(
                            Diagnostic::new(message, &key.span)
                                .help("remove one of the two: only the last would count"),
                        );
                    } else {
                        places.insert(key.name.clone(), entries.len());
                        entries.push((key, node));
                    }
                }
            },
        }
    }
}

/// The entries that a `<<` brings, those that win first.
fn from_merge(node: &Node) -> Option<Vec<(Key, Node)>> {
    match &node.data {
        Data::Table(entries) => Some(entries.to_vec()),
        Data::List(items) => {
            let mut all = vec![];
            for item in items.iter() {
                let Data::Table(entries) = &item.data else { return None };
                all.extend(entries.iter().cloned());
            }
            Some(all)
        }
        _ => None,
    }
}

/// Own entries win over merged ones, earlier merged ones over later.
fn merge(merged: Vec<(Key, Node)>, own: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
    if merged.is_empty() {
        return own;
    }
    let mut table: indexmap::IndexMap<Arc<str>, (Key, Node)> = indexmap::IndexMap::new();
    for (key, node) in merged {
        table.entry(key.name.clone()).or_insert((key, node));
    }
    for (key, node) in own {
        table.insert(key.name.clone(), (key, node));
    }
    table.into_values().collect()
}
