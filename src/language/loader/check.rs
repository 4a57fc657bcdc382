//! Whether a keyword's value is of a kind that it can have. A template may become anything, so it always passes.

use crate::base::Diagnostic;
use crate::base::diagnostic::did_you_mean;
use crate::language::node::{Data, Key, Node};

/// The kinds of value that keywords have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true`, `yes`, `"off"`, 0, 1.
    Boolean,
    /// `3`, `"3"`, `0.5`.
    Number,
    /// A text or a number.
    Text,
    /// A table.
    Table,
    /// A table or a list of tables.
    Tables,
    /// A list.
    List,
    /// One text or a list of texts.
    Texts,
    /// A condition or a list of conditions.
    Conditions,
    /// Anything.
    Any,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Boolean => "`true` or `false`",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Table => "a table",
            Self::Tables => "a table, or a list of tables",
            Self::List => "a list",
            Self::Texts => "a text, or a list of texts",
            Self::Conditions => "a condition, or a list of conditions",
            Self::Any => "a value",
        }
    }

    fn accepts(self, node: &Node) -> bool {
        if matches!(node.data, Data::Null) || (matches!(node.data, Data::Text(_)) && node.is_template()) {
            return true;
        }
        let text = node.as_str();
        match self {
            Self::Boolean => match &node.data {
                Data::Bool(_) | Data::Int(0 | 1) => true,
                _ => text.is_some_and(|text| {
                    matches!(
                        text.to_lowercase().as_str(),
                        "yes" | "no" | "true" | "false" | "on" | "off" | "y" | "n" | "t" | "f" | "1" | "0"
                    )
                }),
            },
            Self::Number => {
                matches!(node.data, Data::Int(_) | Data::Float(_))
                    || text.is_some_and(|text| text.trim().parse::<f64>().is_ok())
            }
            Self::Text => !matches!(node.data, Data::List(_) | Data::Table(_)),
            Self::Table => matches!(node.data, Data::Table(_)),
            Self::Tables => match &node.data {
                Data::Table(_) => true,
                Data::List(items) => items.iter().all(|item| Self::Table.accepts(item)),
                _ => false,
            },
            Self::List => matches!(node.data, Data::List(_)),
            Self::Texts | Self::Conditions => match &node.data {
                Data::Table(_) => false,
                Data::List(items) => items.iter().all(|item| !matches!(item.data, Data::Table(_))),
                _ => true,
            },
            Self::Any => true,
        }
    }
}

/// Reports a value of the wrong kind; says whether it was right.
pub fn kind(kind: Kind, key: &Key, node: &Node, mistakes: &mut Vec<Diagnostic>) -> bool {
    let good = kind.accepts(node);
    if !good {
        let is = match node.as_str() {
            Some(text) if text.len() < 40 => format!("`{text}`"),
            _ => node.kind().to_owned(),
        };
        mistakes.push(Diagnostic::new(format!("`{}` needs {}, this is {is}", key.name, kind.words()), &node.span));
    }
    good
}

/// Reports a keyword that does not exist.
pub fn unknown(what: &str, key: &Key, known: &[&[&str]]) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("{what} has no keyword `{}`", key.name), &key.span);
    let lists = known.iter().flat_map(|list| list.iter().copied());
    if let Some(name) = did_you_mean(&key.name, lists) {
        return diagnostic.help(format!("did you mean `{name}`?"));
    }
    let mut names: Vec<&str> = known.iter().flat_map(|list| list.iter().copied()).collect();
    names.sort_unstable();
    diagnostic.help(format!("known keywords: {}", names.join(", ")))
}

/// Reports a keyword of Ansible's that does nothing here.
pub fn ignored(key: &Key) -> Diagnostic {
    let help = match &*key.name {
        "debugger" => "run it again with `-vvv`, or with `--start-at-task` after a `debug`",
        "fact_path" => "local facts are read from /etc/ansible/facts.d",
        _ => "the task keyword `timeout` limits a `setup` of its own",
    };
    Diagnostic::new(format!("`{}` has no effect", key.name), &key.span).help(help).warning()
}

/// Reports keys of `vars` that no template could name.
pub fn variable_names(node: &Node, mistakes: &mut Vec<Diagnostic>) {
    for (key, _) in node.entries() {
        variable_name(key, mistakes);
    }
}

/// Reports a name that no template could use.
pub fn variable_name(key: &Key, mistakes: &mut Vec<Diagnostic>) {
    const WORDS: &[&str] =
        &["true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else"];
    let mut letters = key.name.chars();
    let good = letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
        && !WORDS.contains(&&*key.name);
    if !good {
        mistakes.push(
            Diagnostic::new(format!("`{}` cannot be a variable's name", key.name), &key.span)
                .help("names are letters, digits and `_`, and do not begin with a digit"),
        );
    }
}

/// A list's items, or the one value; nothing for null.
pub fn list(node: &Node) -> Vec<Node> {
    match &node.data {
        Data::Null => vec![],
        Data::List(items) => items.to_vec(),
        _ => vec![node.clone()],
    }
}
