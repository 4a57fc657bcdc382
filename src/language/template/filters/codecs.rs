//! JSON and base64.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::{from_data, to_data, wrong};
use crate::base::Value as Data;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use minijinja::{Error, State, Value};
use std::fmt::Write as _;

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("to_json", to_json),
    ("to_nice_json", to_nice_json),
    ("tojson", to_json),
    ("from_json", from_json),
    ("b64encode", b64encode),
    ("b64decode", b64decode),
];

/// How JSON is written.
struct Style {
    indent: Option<usize>,
    sort: bool,
    ascii: bool,
    comma: String,
    colon: String,
}

impl Style {
    fn of(args: &Args, indent: Option<usize>, sort: bool) -> Result<Self, Error> {
        let indent = match args.int(99, "indent")? {
            Some(width) => usize::try_from(width).ok(),
            None => indent,
        };
        let (mut comma, mut colon) = (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned());
        if let Some(pair) = args.get(99, "separators") {
            comma = pair.get_item_by_index(0)?.to_string();
            colon = pair.get_item_by_index(1)?.to_string();
        }
        // Options of Ansible's own that change nothing here.
        let _ = (args.named("vault_to_text"), args.named("preprocess_unsafe"));
        let sort = args.get(99, "sort_keys").map_or(sort, Value::is_true);
        let ascii = args.get(99, "ensure_ascii").is_none_or(Value::is_true);
        Ok(Self { indent, sort, ascii, comma, colon })
    }

    fn text(&self, text: &str, out: &mut String) {
        out.push('"');
        for letter in text.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                letter if u32::from(letter) < 32 || (self.ascii && !letter.is_ascii()) => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        write!(out, "\\u{unit:04x}").unwrap_or_default();
                    }
                }
                letter => out.push(letter),
            }
        }
        out.push('"');
    }

    fn line(&self, depth: usize, out: &mut String) {
        if let Some(width) = self.indent {
            out.push('\n');
            out.push_str(&" ".repeat(width * depth));
        }
    }

    fn write(&self, data: &Data, depth: usize, out: &mut String) {
        match data {
            Data::String(text) => self.text(text, out),
            Data::Array(items) if !items.is_empty() => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push_str(&self.comma);
                    }
                    self.line(depth + 1, out);
                    self.write(item, depth + 1, out);
                }
                self.line(depth, out);
                out.push(']');
            }
            Data::Object(map) if !map.is_empty() => {
                let mut entries: Vec<_> = map.iter().collect();
                if self.sort {
                    entries.sort_by_key(|(key, _)| *key);
                }
                out.push('{');
                for (at, (key, item)) in entries.into_iter().enumerate() {
                    if at > 0 {
                        out.push_str(&self.comma);
                    }
                    self.line(depth + 1, out);
                    self.text(key, out);
                    out.push_str(&self.colon);
                    self.write(item, depth + 1, out);
                }
                self.line(depth, out);
                out.push('}');
            }
            other => write!(out, "{other}").unwrap_or_default(),
        }
    }
}

fn written(args: &Args, style: &Style) -> Result<Value, Error> {
    let mut out = String::new();
    style.write(&to_data(&args.subject())?, 0, &mut out);
    Ok(Value::from(out))
}

fn to_json(_: &mut State, args: &Args) -> Result<Value, Error> {
    written(args, &Style::of(args, None, false)?)
}

fn to_nice_json(_: &mut State, args: &Args) -> Result<Value, Error> {
    written(args, &Style::of(args, Some(4), true)?)
}

fn from_json(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    match serde_json::from_str::<Data>(&text) {
        Ok(data) => Ok(from_data(&data)),
        Err(error) => Err(wrong(format!("`from_json`: the text is not JSON: {error}"))),
    }
}

fn b64encode(_: &mut State, args: &Args) -> Result<Value, Error> {
    utf8_only(args)?;
    let engine = if args.flag(1, "urlsafe") { URL_SAFE } else { STANDARD };
    Ok(Value::from(engine.encode(args.text()?)))
}

fn b64decode(_: &mut State, args: &Args) -> Result<Value, Error> {
    utf8_only(args)?;
    let text: String = args.text()?.split_whitespace().collect();
    let engine = if args.flag(1, "urlsafe") { URL_SAFE } else { STANDARD };
    let bytes = engine.decode(text).map_err(|error| wrong(format!("`b64decode`: the text is not base64: {error}")))?;
    String::from_utf8(bytes).map(Value::from).map_err(|_| wrong("`b64decode`: what comes out is not UTF-8 text"))
}

fn utf8_only(args: &Args) -> Result<(), Error> {
    match args.str(0, "encoding")?.as_deref() {
        None | Some("utf-8" | "utf8" | "UTF-8" | "ascii") => Ok(()),
        Some(other) => Err(wrong(format!("`{}` knows no encoding but utf-8, not `{other}`", args.name))),
    }
}
