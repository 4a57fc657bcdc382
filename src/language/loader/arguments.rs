//! `module: key=value ...` texts, and the free text of `command: ls -l chdir=/tmp`.

use crate::base::{Diagnostic, Span};
use crate::language::node::{Data, Key, Node};
use std::sync::Arc;

/// Options that may stand in the free text of the command family, and nothing else may.
const COMMAND_OPTIONS: &[&str] =
    &["creates", "removes", "chdir", "executable", "warn", "stdin", "stdin_add_newline", "strip_empty_ends"];

/// Modules whose text is a command line.
const COMMANDS: &[&str] = &["command", "shell", "raw", "script"];

/// Modules whose text may be a word that is no `key=value`.
const WORDS: &[&str] = &[
    "meta",
    "include_vars",
    "include_tasks",
    "import_tasks",
    "include_role",
    "import_role",
    "import_playbook",
    "add_host",
    "group_by",
    "set_fact",
];

/// A module's arguments and its free text.
#[derive(Debug, Clone)]
pub struct Arguments {
    /// A table, or one template that gives one.
    pub args: Node,
    /// What is no `key=value`.
    pub free: Option<Node>,
}

/// The module's name without the collection that Ansible's own modules live in.
pub fn short(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}

/// Reads what stands after `module:`.
pub fn read(module: &Key, node: &Node, mistakes: &mut Vec<Diagnostic>) -> Arguments {
    let empty = || Node { span: node.span.clone(), data: Data::Table(Arc::default()) };
    match &node.data {
        Data::Null => Arguments { args: empty(), free: None },
        Data::Table(_) => Arguments { args: node.clone(), free: None },
        Data::List(_) => {
            mistakes.push(
                Diagnostic::new(format!("`{}` needs a table of options, this is a list", module.name), &node.span)
                    .help(format!("write the options one per line below `{}:`", module.name)),
            );
            Arguments { args: empty(), free: None }
        }
        Data::Text(text) | Data::Unsafe(text) => split(module, node, text, mistakes),
        _ => {
            let text: Arc<str> = node.to_value().to_string().into();
            split(module, &Node { span: node.span.clone(), data: Data::Text(text.clone()) }, &text, mistakes)
        }
    }
}

fn split(module: &Key, node: &Node, text: &str, mistakes: &mut Vec<Diagnostic>) -> Arguments {
    let name = short(&module.name);
    let command = COMMANDS.contains(&name);
    let table = |entries| Node { span: node.span.clone(), data: Data::Table(Arc::new(entries)) };
    let Some(tokens) = tokens(text) else {
        if !command {
            mistakes.push(
                Diagnostic::new("a quote or a template in these arguments is never closed", &node.span)
                    .help(format!("write the options as a table below `{}:`", module.name)),
            );
        }
        return Arguments { args: table(vec![]), free: command.then(|| node.clone()) };
    };
    let mut entries: Vec<(Key, Node)> = vec![];
    let mut rest = String::new();
    let mut last = 0;
    for (start, end) in tokens {
        let token = &text[start..end];
        match pair(token).filter(|(key, _)| !command || COMMAND_OPTIONS.contains(key)) {
            Some((key, value)) => {
                let data = match node.data {
                    Data::Unsafe(_) => Data::Unsafe(unquote(value).into()),
                    _ => Data::Text(unquote(value).into()),
                };
                let place = |from: usize, to: usize| inside(node, text, from, to);
                let name = Key { name: key.into(), span: place(start, start + key.len()) };
                let value = Node { span: place(end - value.len(), end), data };
                match entries.iter_mut().find(|(known, _)| known.name == name.name) {
                    Some(entry) => *entry = (name, value),
                    None => entries.push((name, value)),
                }
                rest.push_str(&text[last..start]);
                last = end;
            }
            None if command || WORDS.contains(&name) => {}
            None => {
                if entries.is_empty() && whole_template(text) {
                    return Arguments { args: node.clone(), free: None };
                }
                mistakes.push(
                    Diagnostic::new(format!("`{token}` is no `option=value`"), &inside(node, text, start, end)).help(
                        format!("`{}` takes options: write them as a table below `{}:`", module.name, module.name),
                    ),
                );
                return Arguments { args: table(entries), free: None };
            }
        }
    }
    rest.push_str(&text[last..]);
    let rest = rest.trim();
    let free = (!rest.is_empty()).then(|| Node {
        span: if last == 0 {
            node.span.clone()
        } else {
            inside(node, text, 0, text.find(rest).map_or(text.len(), |at| at + rest.len()))
        },
        data: match node.data {
            Data::Unsafe(_) => Data::Unsafe(rest.into()),
            _ => Data::Text(rest.into()),
        },
    });
    Arguments { args: table(entries), free }
}

/// Reads a text that holds only `name=value`.
pub fn pairs(node: &Node) -> Result<Vec<(Key, Node)>, Diagnostic> {
    let text = node.as_str().unwrap_or_default();
    let Some(tokens) = tokens(text) else {
        return Err(Diagnostic::new("a quote or a template here is never closed", &node.span));
    };
    let read = |(start, end): (usize, usize)| {
        let token = &text[start..end];
        let Some((key, value)) = pair(token) else {
            return Err(Diagnostic::new(format!("`{token}` is no `name=value`"), &inside(node, text, start, end)));
        };
        let name = Key { name: key.into(), span: inside(node, text, start, start + key.len()) };
        Ok((name, Node::text(unquote(value), inside(node, text, end - value.len(), end))))
    };
    tokens.into_iter().map(read).collect()
}

/// Whether the whole text is one expression.
fn whole_template(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1
}

/// The place of a part of the text, if the file holds the text letter by letter; else of the whole.
fn inside(node: &Node, text: &str, from: usize, to: usize) -> Span {
    let span = &node.span;
    match span.source.text.get(span.start..span.end).and_then(|written| written.find(text)) {
        Some(offset) => Span::new(span.source.clone(), span.start + offset + from, span.start + offset + to),
        None => span.clone(),
    }
}

/// The ranges between blanks that stand in no quotes and no template; `None` if one of those is never closed.
pub fn tokens(text: &str) -> Option<Vec<(usize, usize)>> {
    let mut found = vec![];
    let mut start = None;
    let (mut quote, mut depth, mut escaped) = (None, 0_usize, false);
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let next = letters.peek().map(|(_, next)| *next);
        if letter.is_whitespace() && quote.is_none() && depth == 0 {
            if let Some(start) = start.take() {
                found.push((start, at));
            }
            continue;
        }
        start.get_or_insert(at);
        if escaped {
            escaped = false;
            continue;
        }
        match (letter, next) {
            ('\\', _) if quote.is_some() => escaped = true,
            ('"' | '\'', _) if quote == Some(letter) => quote = None,
            ('"' | '\'', _) if quote.is_none() => quote = Some(letter),
            ('{', Some('{' | '%' | '#')) if quote.is_none() || depth == 0 => {
                depth += 1;
                letters.next();
            }
            ('}' | '%' | '#', Some('}')) if depth > 0 && (letter != '}' || quote.is_none() || depth == 1) => {
                depth -= 1;
                letters.next();
            }
            _ => {}
        }
    }
    if quote.is_some() || depth > 0 {
        return None;
    }
    if let Some(start) = start {
        found.push((start, text.len()));
    }
    Some(found)
}

/// `key=value`, if the token is one.
fn pair(token: &str) -> Option<(&str, &str)> {
    let (key, value) = token.split_once('=')?;
    let good = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    good.then_some((key, value))
}

/// Takes quotes away and reads the escapes that Ansible reads in such texts.
fn unquote(value: &str) -> String {
    let mut inner = value;
    for quote in ['"', '\''] {
        if value.len() > 1 && value.starts_with(quote) && value.ends_with(quote) {
            inner = &value[1..value.len() - 1];
        }
    }
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    let mut text = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some(plain @ ('\\' | '"' | '\'')) => text.push(plain),
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(module: &str, text: &str) -> (serde_json::Value, Option<String>, usize) {
        let key = Key { name: module.into(), span: Span::nowhere() };
        let mut mistakes = vec![];
        let found = super::read(&key, &Node::text(text, Span::nowhere()), &mut mistakes);
        (found.args.to_value(), found.free.and_then(|free| free.as_str().map(str::to_owned)), mistakes.len())
    }

    #[test]
    fn pairs_are_split_around_quotes_and_templates() {
        let text = r#"content="{{ a | default('x y') }}" dest=/x mode={{ mode }} line='it is "so"' tail="a\nb""#;
        let wanted = serde_json::json!({
            "content": "{{ a | default('x y') }}", "dest": "/x", "mode": "{{ mode }}", "line": "it is \"so\"", "tail": "a\nb",
        });
        assert_eq!(read("copy", text), (wanted, None, 0));
    }

    #[test]
    fn a_command_keeps_its_text_and_gives_its_options_away() {
        let (args, free, mistakes) =
            read("ansible.builtin.shell", "A=1 make  install \"x y\" chdir=/src creates={{ done }}");
        assert_eq!(args, serde_json::json!({"chdir": "/src", "creates": "{{ done }}"}));
        assert_eq!(free.as_deref(), Some("A=1 make  install \"x y\""));
        assert_eq!(mistakes, 0);
    }

    #[test]
    fn a_shell_line_with_an_odd_quote_is_left_to_the_shell() {
        assert_eq!(read("shell", "echo it's").1.as_deref(), Some("echo it's"));
    }

    #[test]
    fn a_word_that_is_no_option_is_a_mistake_unless_the_module_takes_words() {
        assert_eq!(read("apt", "update").2, 1);
        assert_eq!(read("meta", "flush_handlers").1.as_deref(), Some("flush_handlers"));
        let (args, _, mistakes) = read("user", "{{ account }}");
        assert_eq!((args, mistakes), (serde_json::json!("{{ account }}"), 0));
    }
}
