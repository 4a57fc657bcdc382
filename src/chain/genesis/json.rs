//! JSON as people write it: values that know where they stand, and every mistake of a file at once.
//!
//! A usual reader stops at the first mistake, rounds numbers beyond 64 bits and keeps the last of two equal keys. In a
//! genesis each of that makes another network, so numbers stay text here, a key that stands twice is a mistake, and what
//! can be guessed (a word without quotes, a comma too many, a comment) is reported and read on.

use crate::base::{Diagnostic, Source, Span};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Deeper nesting than this is refused: no genesis has it, and each level costs stack.
const DEEPEST: usize = 100;
/// What other languages write for values and JSON does not know.
const NO_VALUES: [&str; 7] = ["NaN", "Infinity", "-Infinity", "undefined", "None", "True", "False"];
/// After so many mistakes the file is something else.
const ENOUGH: usize = 50;

/// A value and its place: bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node<'a> {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// What it is.
    pub data: Data<'a>,
}

/// The kinds of JSON value. Numbers keep their digits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are JSON's")]
pub enum Data<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Table(Vec<(Key<'a>, Node<'a>)>),
}

/// A key of a table and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key<'a> {
    /// Without its quotes.
    pub name: Cow<'a, str>,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl<'a> Node<'a> {
    /// The entries of a table; none for anything else.
    pub fn entries(&self) -> &[(Key<'a>, Node<'a>)] {
        match &self.data {
            Data::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The value under `name`, whatever its case, as clients look it up; `null` is as good as absent.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.entry(name).map(|(_, value)| value)
    }

    /// Like [`Node::get`], with the key.
    pub fn entry(&self, name: &str) -> Option<&(Key<'a>, Self)> {
        let entries = self.entries();
        entries
            .iter()
            .find(|(key, _)| key.name == name)
            .or_else(|| entries.iter().find(|(key, _)| key.name.eq_ignore_ascii_case(name)))
            .filter(|(_, value)| value.data != Data::Null)
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The place, in `source`.
    pub fn span(&self, source: &Arc<Source>) -> Span {
        Span::new(source.clone(), self.start as usize, self.end as usize)
    }
}

impl Key<'_> {
    /// The place, in `source`.
    pub fn span(&self, source: &Arc<Source>) -> Span {
        Span::new(source.clone(), self.start as usize, self.end as usize)
    }
}

/// Reads a text. With any mistake that is no warning the value may be incomplete.
pub fn read(source: &Arc<Source>) -> (Option<Node<'_>>, Vec<Diagnostic>) {
    let mut reader = Reader { source, text: &source.text, at: 0, mistakes: Vec::new() };
    if u32::try_from(source.text.len()).is_err() {
        return (None, vec![Diagnostic::new("this file is larger than 4 GB", &Span::whole(source.clone()))]);
    }
    if reader.text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
        reader.mistake(0, "the file begins with a byte order mark", "save it as UTF-8 without a byte order mark");
    }
    let value = reader.value(0);
    if let Some(value) = &value {
        reader.gap();
        if reader.at < reader.text.len() && reader.mistakes.len() < ENOUGH {
            let message = match value.data {
                Data::Table(_) => "something stands behind the end of the table",
                _ => "something stands behind the value",
            };
            reader.mistake(reader.at, message, "keep one JSON table in the file");
        }
    }
    (value, reader.mistakes)
}

struct Reader<'a, 's> {
    source: &'s Arc<Source>,
    text: &'a str,
    at: usize,
    mistakes: Vec<Diagnostic>,
}

#[expect(clippy::cast_possible_truncation, reason = "`read` has refused texts of more than 32 bits")]
const fn place(at: usize) -> u32 {
    at as u32
}

impl<'a> Reader<'a, '_> {
    fn mistake(&mut self, start: usize, message: impl Into<String>, help: impl Into<String>) {
        let end = self.text[start..].chars().next().map_or(start, |first| start + first.len_utf8());
        self.mistake_in(start, end.max(self.at.min(self.text.len())), message, help);
    }

    fn mistake_in(&mut self, start: usize, end: usize, message: impl Into<String>, help: impl Into<String>) {
        let span = Span::new(self.source.clone(), start, end);
        self.mistakes.push(Diagnostic::new(message, &span).help(help));
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes over space, and over comments, which JSON does not have.
    fn gap(&mut self) {
        loop {
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                self.at += 1;
            }
            let rest = &self.text[self.at..];
            let length = if rest.starts_with("//") || rest.starts_with('#') {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                return;
            };
            let start = self.at;
            self.at += length;
            self.mistake_in(start, self.at, "JSON has no comments", "take the comment out");
        }
    }

    /// None: there is nothing that could be read on from; the mistake is told.
    fn value(&mut self, depth: usize) -> Option<Node<'a>> {
        self.gap();
        let start = self.at;
        let Some(first) = self.peek() else {
            let help = if self.text.trim().is_empty() { "the file is empty" } else { "is the file complete?" };
            self.mistake(start, "the text ends where a value should stand", help);
            return None;
        };
        if depth > DEEPEST {
            self.mistake(start, format!("more than {DEEPEST} tables stand in each other"), "is this a genesis?");
            return None;
        }
        let data = match first {
            b'{' => self.table(depth)?,
            b'[' => self.list(depth)?,
            b'"' | b'\'' => Data::Text(self.quoted()?),
            _ => {
                let word = self.word()?;
                match word {
                    "null" => Data::Null,
                    "true" => Data::Bool(true),
                    "false" => Data::Bool(false),
                    _ if is_number(word) => Data::Number(word),
                    _ => {
                        self.unquoted(start, word);
                        Data::Text(Cow::Borrowed(word))
                    }
                }
            }
        };
        Some(Node { start: place(start), end: place(self.at), data })
    }

    fn unquoted(&mut self, start: usize, word: &str) {
        if NO_VALUES.contains(&word) {
            let message = format!("`{word}` is no value of JSON");
            self.mistake_in(start, self.at, message, "write a number, a text in quotes, true, false or null");
            return;
        }
        let hex = word.starts_with("0x") || word.starts_with("0X");
        let what = if hex { "a hexadecimal number" } else { "a word" };
        let message = format!("`{}` is {what} without quotes", shorten(word));
        self.mistake_in(start, self.at, message, format!("write \"{}\"", shorten(word)));
    }

    fn table(&mut self, depth: usize) -> Option<Data<'a>> {
        let start = self.at;
        self.at += 1;
        let mut entries: Vec<(Key<'a>, Node<'a>)> = Vec::new();
        loop {
            self.gap();
            let at = self.at;
            match self.peek() {
                Some(b'}') => break,
                None => {
                    self.mistake_in(start, start + 1, "this table has no end", "close it with `}`");
                    return None;
                }
                Some(b',') => {
                    self.at += 1;
                    self.mistake_in(at, at + 1, "a comma stands where an entry should", "take the comma out");
                    continue;
                }
                _ => {}
            }
            let name = if matches!(self.peek(), Some(b'"' | b'\'')) {
                self.quoted()?
            } else {
                let word = self.word()?;
                self.unquoted(at, word);
                Cow::Borrowed(word)
            };
            let key = Key { name, start: place(at), end: place(self.at) };
            self.gap();
            if self.peek() == Some(b':') {
                self.at += 1;
            } else {
                let message = format!("`{}` is not followed by `:`", shorten(&key.name));
                self.mistake(self.at.min(self.text.len()), message, "write \"key\": value");
                return None;
            }
            let value = self.value(depth + 1)?;
            entries.push((key, value));
            self.separator(b'}')?;
        }
        self.at += 1;
        self.twice(&entries);
        entries.shrink_to_fit();
        Some(Data::Table(entries))
    }

    fn list(&mut self, depth: usize) -> Option<Data<'a>> {
        let start = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.gap();
            match self.peek() {
                Some(b']') => break,
                None => {
                    self.mistake_in(start, start + 1, "this list has no end", "close it with `]`");
                    return None;
                }
                _ => {}
            }
            items.push(self.value(depth + 1)?);
            self.separator(b']')?;
        }
        self.at += 1;
        Some(Data::List(items))
    }

    /// What stands behind an entry: a comma, or the end of its table or list.
    fn separator(&mut self, close: u8) -> Option<()> {
        let behind = self.at;
        self.gap();
        match self.peek() {
            Some(b',') => {
                let comma = self.at;
                self.at += 1;
                self.gap();
                if self.peek() == Some(close) {
                    self.mistake_in(comma, comma + 1, "a comma stands behind the last entry", "take the comma out");
                }
            }
            Some(byte) if byte == close => {}
            Some(b'"' | b'\'' | b'{' | b'[' | b'0'..=b'9' | b'a'..=b'z') => {
                let message = "a comma is missing here";
                self.mistake_in(behind, behind, message, "put a comma between two entries");
            }
            Some(_) => {
                let message = format!("neither `,` nor `{}` stands behind this", close as char);
                self.mistake(self.at, message, "is a bracket of another kind, or too many?");
                return None;
            }
            None => {}
        }
        (self.mistakes.len() < ENOUGH).then_some(())
    }

    fn word(&mut self) -> Option<&'a str> {
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.' | '$' | '@' | '/')))
            .unwrap_or(rest.len());
        if length == 0 {
            let first = rest.chars().next().unwrap_or(' ');
            self.mistake(start, format!("`{first}` cannot stand here"), "a text stands in double quotes");
            return None;
        }
        self.at += length;
        Some(&rest[..length])
    }

    fn quoted(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at;
        let quote = self.text.as_bytes()[start];
        self.at += 1;
        let body = self.at;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(byte) if byte == quote => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at = (self.at + 2).min(self.text.len());
                }
                Some(b'\n') | None => {
                    self.mistake_in(start, self.at, "this text has no end", "close it with `\"` in the same line");
                    return None;
                }
                Some(_) => self.at += 1,
            }
        }
        let inner = &self.text[body..self.at];
        self.at += 1;
        if quote == b'\'' {
            self.mistake_in(start, self.at, "this text stands in single quotes", "JSON has only double quotes");
            return Some(Cow::Borrowed(inner));
        }
        if !escaped {
            return Some(Cow::Borrowed(inner));
        }
        if let Ok(text) = serde_json::from_str::<String>(&self.text[start..self.at]) {
            return Some(Cow::Owned(text));
        }
        self.mistake_in(
            start,
            self.at,
            "this text has an escape that JSON does not know",
            "write `\\\\` for a backslash",
        );
        Some(Cow::Borrowed(inner))
    }

    fn twice(&mut self, entries: &[(Key<'a>, Node<'a>)]) {
        let mut seen: HashMap<&str, u32> = HashMap::with_capacity(entries.len());
        let mut again = Vec::new();
        for (key, _) in entries {
            if let Some(first) = seen.insert(&key.name, key.start) {
                again.push((key.clone(), first));
            }
        }
        for (key, first) in again {
            let (line, _) = Span::new(self.source.clone(), first as usize, first as usize).line_column();
            let message = format!("`{}` stands twice in this table", shorten(&key.name));
            let help = format!("it stands in line {line} too; some clients take the first, some the last: keep one");
            self.mistake_in(key.start as usize, key.end as usize, message, help);
        }
    }
}

/// Where words stand that are no values: what they were meant for cannot be known, and they have been told.
pub fn no_values(mistakes: &[Diagnostic]) -> HashSet<usize> {
    let spans = mistakes.iter().filter_map(|mistake| mistake.span.as_ref());
    let is_none = |span: &&Span| {
        let word = span.source.text.get(span.start..span.end);
        word.is_some_and(|word| NO_VALUES.contains(&word))
    };
    spans.filter(is_none).map(|span| span.start).collect()
}

/// Long words (code, extra data) would hide the message that quotes them.
pub fn shorten(word: &str) -> Cow<'_, str> {
    match word.char_indices().nth(48) {
        Some((end, _)) => Cow::Owned(format!("{}...", &word[..end])),
        None => Cow::Borrowed(word),
    }
}

/// JSON's grammar of numbers.
fn is_number(word: &str) -> bool {
    let rest = word.strip_prefix('-').unwrap_or(word);
    let (whole, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return false;
    }
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            if end == 0 {
                return false;
            }
            &fraction[end..]
        }
        None => rest,
    };
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        None => rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let source = Source::new("genesis.json", text);
        let (_, mistakes) = read(&source);
        mistakes
            .iter()
            .map(|mistake| {
                let (line, column) = mistake.span.as_ref().unwrap().line_column();
                format!("{line}:{column} {}", mistake.message)
            })
            .collect()
    }

    #[test]
    fn values_know_their_place_and_large_numbers_keep_their_digits() {
        let source =
            Source::new("genesis.json", "{\n  \"ttd\": 58750000000000000000000,\n  \"a\\u0062\": [true, null]\n}");
        let (value, mistakes) = read(&source);
        let value = value.unwrap();
        assert_eq!(mistakes, []);
        let ttd = value.get("TTD").unwrap();
        assert_eq!(ttd.data, Data::Number("58750000000000000000000"));
        assert_eq!(ttd.span(&source).line_column(), (2, 10));
        assert!(matches!(&value.get("ab").unwrap().data, Data::List(items) if items.len() == 2));
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let text = "{\n  // ours\n  \"alloc\": {0xab: {\"balance\": 0x10,}},\n  'nonce': 1\n  \"alloc\": {}\n}";
        assert_eq!(
            mistakes(text),
            [
                "2:3 JSON has no comments",
                "3:13 `0xab` is a hexadecimal number without quotes",
                "3:31 `0x10` is a hexadecimal number without quotes",
                "3:35 a comma stands behind the last entry",
                "4:3 this text stands in single quotes",
                "4:13 a comma is missing here",
                "5:3 `alloc` stands twice in this table",
            ]
        );
    }

    #[test]
    fn a_file_that_breaks_off_is_told_where_it_began() {
        assert_eq!(mistakes("{\"alloc\": {\"a\": 1"), ["1:11 this table has no end"]);
        assert_eq!(mistakes(""), ["1:1 the text ends where a value should stand"]);
        assert_eq!(mistakes("{\"a\": \"b\n}"), ["1:7 this text has no end"]);
        assert_eq!(mistakes("{} {}"), ["1:4 something stands behind the end of the table"]);
        assert_eq!(mistakes("{\"a\": }"), ["1:7 `}` cannot stand here"]);
        assert_eq!(mistakes(&"[".repeat(500)).len(), 1);
    }

    #[test]
    fn words_of_other_languages_are_no_values() {
        assert_eq!(mistakes("{\"a\": NaN}"), ["1:7 `NaN` is no value of JSON"]);
        assert_eq!(mistakes("{\"a\": True}"), ["1:7 `True` is no value of JSON"]);
    }

    #[test]
    fn only_json_numbers_are_numbers() {
        for number in ["0", "-1", "12", "1.5", "1e18", "1.5E-3"] {
            assert!(is_number(number), "{number}");
        }
        for word in ["", "-", "01", "1.", ".5", "1e", "0x1", "1_000", "+1"] {
            assert!(!is_number(word), "{word}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_fall(text in "[\\[\\]{}:,\"'a0x \\n\\\\/*#é-]{0,60}") {
            let source = Source::new("genesis.json", text.clone());
            let (value, mistakes) = read(&source);
            if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
                proptest::prop_assert!(value.is_some());
                let twice = mistakes.iter().all(|mistake| mistake.message.contains("twice"));
                proptest::prop_assert!(twice, "{text:?}: {mistakes:?}");
            } else {
                proptest::prop_assert!(!mistakes.is_empty(), "{text:?}");
            }
        }
    }
}
