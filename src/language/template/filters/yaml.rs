//! YAML in and out. What is written has `PyYAML`'s form, so that files do not differ from Ansible's.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::{from_data, to_data, wrong};
use crate::base::Value as Data;
use crate::language::yaml;
use minijinja::{Error, State, Value};
use std::fmt::Write as _;

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("to_yaml", |_, args| written(args, 2, Flow::Leaves)),
    ("to_nice_yaml", |_, args| written(args, 4, Flow::Never)),
    ("from_yaml", from_yaml),
    ("from_yaml_all", from_yaml_all),
];

fn from_yaml(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    if value.as_str().is_none() {
        return Ok(value);
    }
    one(&args.text()?, args.name)
}

fn one(text: &str, filter: &str) -> Result<Value, Error> {
    match yaml::load_text("<text>", text) {
        Ok(node) => Ok(from_data(&node.to_value())),
        Err(mistakes) => {
            let first = mistakes.first();
            let place = first.and_then(|mistake| mistake.span.as_ref()).map_or(1, |span| span.line_column().0);
            let message = first.map_or("", |mistake| mistake.message.as_str());
            Err(wrong(format!("`{filter}`: the text is not YAML, line {place}: {message}")))
        }
    }
}

fn from_yaml_all(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line == "---" || line.starts_with("--- ") {
            documents.push(line.strip_prefix("--- ").unwrap_or_default().to_owned());
        } else if line != "..."
            && let Some(last) = documents.last_mut()
        {
            last.push('\n');
            last.push_str(line);
        }
    }
    if documents.first().is_some_and(|first| first.trim().is_empty()) {
        documents.remove(0);
    }
    documents.iter().map(|document| one(document, args.name)).collect::<Result<Vec<_>, _>>().map(Value::from)
}

/// Which lists and tables are written on one line.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Never,
    /// Those without lists and tables inside.
    Leaves,
    Always,
}

fn written(args: &Args, indent: usize, flow: Flow) -> Result<Value, Error> {
    let number = |name: &str, default: usize| -> Result<usize, Error> {
        Ok(args.int(99, name)?.and_then(|number| usize::try_from(number).ok()).unwrap_or(default))
    };
    let flow = match args.get(99, "default_flow_style") {
        Some(value) if value.is_none() => Flow::Leaves,
        Some(value) if value.is_true() => Flow::Always,
        Some(_) => Flow::Never,
        None => flow,
    };
    // Options that change nothing here: text is always written as it is.
    let _ = (args.named("allow_unicode"), args.named("encoding"), args.named("line_break"));
    let mut writer = Writer {
        out: String::new(),
        column: 0,
        step: number("indent", indent)?.clamp(2, 9),
        width: number("width", 80)?,
        flow,
        sort: args.get(99, "sort_keys").is_none_or(Value::is_true),
    };
    if args.flag(99, "explicit_start") {
        writer.out.push_str("---\n");
    }
    writer.node(&to_data(&args.subject())?, 0, false);
    writer.put("\n");
    if args.flag(99, "explicit_end") {
        writer.out.push_str("...\n");
    }
    Ok(Value::from(writer.out))
}

struct Writer {
    out: String,
    column: usize,
    /// Columns by which an inner level is indented.
    step: usize,
    /// Where long lines are folded.
    width: usize,
    flow: Flow,
    sort: bool,
}

type Entries<'a> = Vec<(&'a String, &'a Data)>;

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        match text.rfind('\n') {
            Some(at) => self.column = text[at + 1..].chars().count(),
            None => self.column += text.chars().count(),
        }
    }

    fn line(&mut self, indent: usize) {
        self.put("\n");
        self.put(&" ".repeat(indent));
    }

    fn entries<'a>(&self, map: &'a crate::base::Map) -> Entries<'a> {
        let mut entries: Entries = map.iter().collect();
        if self.sort {
            entries.sort_by_key(|(key, _)| *key);
        }
        entries
    }

    fn is_flow(&self, data: &Data) -> bool {
        let scalar = |data: &Data| !matches!(data, Data::Array(_) | Data::Object(_));
        match (data, self.flow) {
            (Data::Array(items), _) if items.is_empty() => true,
            (Data::Object(map), _) if map.is_empty() => true,
            (Data::Array(items), Flow::Leaves) => items.iter().all(scalar),
            (Data::Object(map), Flow::Leaves) => map.values().all(scalar),
            (_, Flow::Never) => false,
            _ => true,
        }
    }

    /// A node at the current place; its further lines begin at `indent`.
    fn node(&mut self, data: &Data, indent: usize, in_flow: bool) {
        match data {
            Data::Array(_) | Data::Object(_) if in_flow || self.is_flow(data) => self.flow_node(data, indent),
            Data::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.line(indent);
                    }
                    self.put("-");
                    let nested = matches!(item, Data::Array(_) | Data::Object(_)) && !self.is_flow(item);
                    self.put(&" ".repeat(if nested { self.step - 1 } else { 1 }));
                    self.node(item, indent + self.step, false);
                }
            }
            Data::Object(map) => {
                for (at, (key, value)) in self.entries(map).into_iter().enumerate() {
                    if at > 0 {
                        self.line(indent);
                    }
                    self.scalar(key, indent, in_flow, true);
                    self.put(":");
                    match value {
                        Data::Array(_) if !self.is_flow(value) => {
                            self.line(indent);
                            self.node(value, indent, false);
                        }
                        Data::Object(_) if !self.is_flow(value) => {
                            self.line(indent + self.step);
                            self.node(value, indent + self.step, false);
                        }
                        _ => {
                            self.put(" ");
                            self.node(value, indent + self.step, false);
                        }
                    }
                }
            }
            Data::String(text) => self.scalar(text, indent.max(self.step), in_flow, false),
            Data::Number(number) => {
                let mut text = number.to_string();
                if let Some((mantissa, exponent)) = text.clone().split_once('e') {
                    let point = if mantissa.contains('.') { "" } else { ".0" };
                    let sign = if exponent.starts_with('-') { "" } else { "+" };
                    text = format!("{mantissa}{point}e{sign}{exponent}");
                }
                self.put(&text);
            }
            other => self.put(&other.to_string()),
        }
    }

    fn flow_node(&mut self, data: &Data, indent: usize) {
        let (open, close) = if data.is_array() { ("[", "]") } else { ("{", "}") };
        self.put(open);
        let inner = indent.max(self.step);
        match data {
            Data::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.flow_gap(at, inner);
                    self.node(item, inner + self.step, true);
                }
            }
            Data::Object(map) => {
                for (at, (key, value)) in self.entries(map).into_iter().enumerate() {
                    self.flow_gap(at, inner);
                    self.scalar(key, inner, true, true);
                    self.put(": ");
                    self.node(value, inner + self.step, true);
                }
            }
            _ => {}
        }
        self.put(close);
    }

    fn flow_gap(&mut self, at: usize, indent: usize) {
        if at > 0 {
            self.put(",");
        }
        if self.column > self.width {
            self.line(indent);
        } else if at > 0 {
            self.put(" ");
        }
    }

    fn scalar(&mut self, text: &str, indent: usize, in_flow: bool, key: bool) {
        let shape = Shape::of(text);
        let multiline = text.contains('\n');
        if shape.plain(in_flow) && is_text(text) && !(multiline && key) {
            self.folded(text, indent, "", key);
        } else if shape.single && !(multiline && key) {
            self.folded(&text.replace('\'', "''"), indent, "'", key);
        } else {
            self.double(text, indent, key);
        }
    }

    /// Plain or single-quoted text: folded at single spaces past the width, line breaks doubled.
    fn folded(&mut self, text: &str, indent: usize, quote: &str, key: bool) {
        self.put(quote);
        let letters: Vec<char> = text.chars().collect();
        let mut at = 0;
        while at < letters.len() {
            let kind = letters[at];
            let end = letters[at..]
                .iter()
                .position(|letter| match kind {
                    ' ' => *letter != ' ',
                    '\n' => *letter != '\n',
                    _ => matches!(letter, ' ' | '\n'),
                })
                .map_or(letters.len(), |length| at + length);
            match kind {
                ' ' if end - at == 1 && self.column > self.width && !key && at > 0 && end < letters.len() => {
                    self.line(indent);
                }
                '\n' => {
                    self.put(&"\n".repeat(end - at));
                    self.line(indent);
                }
                _ => self.put(&letters[at..end].iter().collect::<String>()),
            }
            at = end;
        }
        self.put(quote);
    }

    fn double(&mut self, text: &str, indent: usize, key: bool) {
        self.put("\"");
        let letters: Vec<char> = text.chars().collect();
        for (at, letter) in letters.iter().enumerate() {
            let fold = *letter == ' ' && !key && self.column > self.width && at > 0 && at + 1 < letters.len();
            if fold {
                self.put("\\");
                self.line(indent);
                self.put("\\");
            }
            let escaped = match letter {
                '"' => "\\\"".into(),
                '\\' => "\\\\".into(),
                '\n' => "\\n".into(),
                '\t' => "\\t".into(),
                '\r' => "\\r".into(),
                '\0' => "\\0".into(),
                '\u{1b}' => "\\e".into(),
                letter if printable(*letter) => letter.to_string(),
                letter => {
                    let mut hex = String::new();
                    let code = u32::from(*letter);
                    let _ = if code < 256 { write!(hex, "\\x{code:02X}") } else { write!(hex, "\\u{code:04X}") };
                    hex
                }
            };
            self.put(&escaped);
        }
        self.put("\"");
    }
}

fn printable(letter: char) -> bool {
    matches!(letter, '\n' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && letter != '\u{feff}'
}

/// Whether a plain text would be read as text again.
fn is_text(text: &str) -> bool {
    let date = text.len() >= 8 && text.as_bytes()[4] == b'-' && text[..4].bytes().all(|byte| byte.is_ascii_digit());
    !date && !matches!(text, "=" | "<<") && matches!(yaml::resolve(text), crate::language::Data::Text(_))
}

/// Which ways of writing a text allows.
struct Shape {
    block_plain: bool,
    flow_plain: bool,
    single: bool,
}

impl Shape {
    fn plain(&self, in_flow: bool) -> bool {
        if in_flow { self.flow_plain } else { self.block_plain }
    }

    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self { block_plain: false, flow_plain: false, single: true };
        }
        let letters: Vec<char> = text.chars().collect();
        let document = text.starts_with("---") || text.starts_with("...");
        let (mut block, mut flow, mut single) = (!document, !document, true);
        for (at, letter) in letters.iter().enumerate() {
            let next_blank = letters.get(at + 1).is_none_or(|next| matches!(next, ' ' | '\n' | '\t'));
            let after_blank = at > 0 && matches!(letters[at - 1], ' ' | '\n' | '\t');
            match letter {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`'
                    if at == 0 =>
                {
                    (block, flow) = (false, false);
                }
                '-' if at == 0 && next_blank => (block, flow) = (false, false),
                '?' | ':' if at == 0 => {
                    flow = false;
                    block &= !next_blank;
                }
                ',' | '?' | '[' | ']' | '{' | '}' => flow = false,
                ':' => {
                    flow = false;
                    block &= !next_blank;
                }
                '#' if after_blank => (block, flow) = (false, false),
                '\n' => {
                    (block, flow) = (false, false);
                    // A space beside a line break cannot be seen in folded text.
                    if next_blank && letters.get(at + 1).is_some_and(|next| *next == ' ')
                        || at > 0 && letters[at - 1] == ' '
                    {
                        single = false;
                    }
                }
                letter if !printable(*letter) => (block, flow, single) = (false, false, false),
                _ => {}
            }
        }
        if matches!(letters.first(), Some(' ')) || matches!(letters.last(), Some(' ')) {
            (block, flow) = (false, false);
        }
        Self { block_plain: block, flow_plain: flow, single }
    }
}
