//! Python literals, as INI inventories have them: `1`, `0x1f`, `1.5`, `True`, `None`, `'a'`, `[1, 2]`, `{'a': 1}`, `(1,)`.
//! Anything else is text as it stands.

use crate::base::Span;
use crate::language::node::{Data, Key, Node};
use std::sync::Arc;

/// The literal, or the text itself.
pub fn parse(text: &str, span: &Span) -> Node {
    let mut reader = Reader { rest: text, span, depth: 0 };
    let value = reader.value();
    reader.blanks();
    match value {
        Some(data) if reader.rest.is_empty() => Node { span: span.clone(), data },
        _ => Node::text(text, span.clone()),
    }
}

struct Reader<'a> {
    rest: &'a str,
    span: &'a Span,
    depth: usize,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, letter: char) -> bool {
        self.blanks();
        let stripped = self.rest.strip_prefix(letter);
        self.rest = stripped.unwrap_or(self.rest);
        stripped.is_some()
    }

    fn node(&mut self) -> Option<Node> {
        Some(Node { span: self.span.clone(), data: self.value()? })
    }

    fn value(&mut self) -> Option<Data> {
        self.blanks();
        self.depth += 1;
        if self.depth > 60 {
            return None;
        }
        let value = match self.rest.chars().next()? {
            '[' => self.list('[', ']'),
            '(' => self.list('(', ')'),
            '{' => self.table(),
            '"' | '\'' => self.text().map(|text| Data::Text(text.into())),
            _ => self.word(),
        };
        self.depth -= 1;
        value
    }

    fn list(&mut self, open: char, close: char) -> Option<Data> {
        self.eat(open);
        let mut items = vec![];
        let mut comma = false;
        while !self.eat(close) {
            items.push(self.node()?);
            comma = self.eat(',');
            if !comma {
                if !self.eat(close) {
                    return None;
                }
                break;
            }
        }
        if open == '(' && items.len() == 1 && !comma {
            return items.pop().map(|node| node.data);
        }
        Some(Data::List(Arc::new(items)))
    }

    fn table(&mut self) -> Option<Data> {
        self.eat('{');
        let mut entries: Vec<(Key, Node)> = vec![];
        while !self.eat('}') {
            let name = self.node()?;
            if !self.eat(':') {
                return None;
            }
            let name = name.as_str().map_or_else(|| name.to_value().to_string(), str::to_owned);
            let node = self.node()?;
            entries.retain(|(key, _)| *key.name != *name);
            entries.push((Key { name: name.into(), span: self.span.clone() }, node));
            if !self.eat(',') && !self.rest.trim_start().starts_with('}') {
                return None;
            }
        }
        Some(Data::Table(Arc::new(entries)))
    }

    fn text(&mut self) -> Option<String> {
        let mut letters = self.rest.char_indices();
        let (_, quote) = letters.next()?;
        let mut text = String::new();
        while let Some((at, letter)) = letters.next() {
            match letter {
                _ if letter == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Some(text);
                }
                '\\' => match letters.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    plain @ ('\\' | '"' | '\'') => text.push(plain),
                    other => text.extend(['\\', other]),
                },
                _ => text.push(letter),
            }
        }
        None
    }

    fn word(&mut self) -> Option<Data> {
        let end = self.rest.find([',', ']', ')', '}', ':']).unwrap_or(self.rest.len());
        let word = self.rest[..end].trim_end();
        let data = match word {
            "True" => Data::Bool(true),
            "False" => Data::Bool(false),
            "None" => Data::Null,
            _ => number(word)?,
        };
        self.rest = &self.rest[end..];
        Some(data)
    }
}

/// Python's numbers. Those beyond 64 bits stay text.
fn number(word: &str) -> Option<Data> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1_i64, digits),
        None => (1, word.strip_prefix('+').unwrap_or(word)),
    };
    if !digits.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.')
        || digits.ends_with('_')
        || digits.contains("__")
    {
        return None;
    }
    let plain = digits.replace('_', "");
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = plain.strip_prefix(prefix) {
            return i64::from_str_radix(digits, radix).ok().map(|value| Data::Int(sign * value));
        }
    }
    if plain.bytes().all(|byte| byte.is_ascii_digit()) {
        let zeros = plain.bytes().all(|byte| byte == b'0');
        if plain.starts_with('0') && !zeros {
            return None;
        }
        return plain.parse::<i64>().ok().map(|value| Data::Int(sign * value));
    }
    if !plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "the sign is 1 or -1")]
    plain.parse::<f64>().ok().map(|value| Data::Float(sign as f64 * value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_literals_become_values_and_the_rest_stays_text() {
        let cases = [
            ("1", serde_json::json!(1)),
            ("-1_000", serde_json::json!(-1000)),
            ("0644", serde_json::json!("0644")),
            ("0x1f", serde_json::json!(31)),
            ("1.5e3", serde_json::json!(1500.0)),
            ("True", serde_json::json!(true)),
            ("true", serde_json::json!("true")),
            ("None", serde_json::json!(null)),
            ("'a b'", serde_json::json!("a b")),
            ("[1, 'x', [True]]", serde_json::json!([1, "x", [true]])),
            ("(1,)", serde_json::json!([1])),
            ("(1)", serde_json::json!(1)),
            ("{'a': 1, 'b': {}}", serde_json::json!({"a": 1, "b": {}})),
            ("[1, x]", serde_json::json!("[1, x]")),
            ("10.0.0.1", serde_json::json!("10.0.0.1")),
            ("{{ x }}", serde_json::json!("{{ x }}")),
            ("", serde_json::json!("")),
            ("115792089237316195423570985008687907853", serde_json::json!("115792089237316195423570985008687907853")),
        ];
        for (text, value) in cases {
            assert_eq!(parse(text, &Span::nowhere()).to_value(), value, "{text}");
        }
    }
}
