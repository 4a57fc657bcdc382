//! `-e name=value`, `-e '{"name": "value"}'`, `-e @file`.

use super::layers::{Table, Var};
use super::loader::{Loader, pairs};
use super::node::{Data, Node};
use super::yaml;
use crate::base::diagnostic::Checked;
use crate::base::{Diagnostic, Source, Span};
use std::path::Path;

/// The variables of all `-e`, later ones winning.
pub fn extra_vars(words: &[String]) -> Checked<Table> {
    let loader = Loader::default();
    let mut table = Table::new();
    let mut mistakes = vec![];
    for word in words {
        let text = word.trim();
        let read = match text.strip_prefix('@') {
            Some(file) => loader.vars_file(Path::new(file)).map(|entries| {
                entries.into_iter().map(|(key, node)| (key.name.to_string(), Var::Node(node))).collect()
            }),
            None if text.starts_with(['{', '[']) => inline(text),
            None => named(text),
        };
        match read {
            Ok(read) => table.extend(read),
            Err(wrong) => mistakes.extend(wrong),
        }
    }
    if mistakes.is_empty() { Ok(table) } else { Err(mistakes) }
}

fn inline(text: &str) -> Checked<Table> {
    let node = yaml::load(&Source::new("<-e>", text))?;
    match node.data {
        Data::Table(_) => Ok(super::layers::table(node.entries())),
        _ => Err(vec![
            Diagnostic::new(format!("extra variables must be a table, this is {}", node.kind()), &node.span)
                .help("write -e '{\"name\": \"value\"}'"),
        ]),
    }
}

fn named(text: &str) -> Checked<Table> {
    let span = Span::new(Source::new("<-e>", text), 0, text.len());
    let help = "write -e name=value, -e '{\"name\": \"value\"}' or -e @file.yml";
    pairs(&Node::text(text, span.clone()))
        .map_err(|diagnostic| vec![diagnostic.help(help)])
        .map(|entries| super::layers::table(&entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<serde_json::Value, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let table = extra_vars(&words).map_err(|wrong| wrong[0].message.clone())?;
        Ok(table
            .into_iter()
            .map(|(name, var)| match var {
                Var::Node(node) => (name, node.to_value()),
                Var::Value(value) => (name, (*value).clone()),
            })
            .collect())
    }

    #[test]
    fn every_way_to_give_extra_variables_is_read_and_later_ones_win() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, b"port: 8545\nname: file\n").unwrap();
        let at = format!("@{}", file.path().display());
        let words = ["a=1 b='two words' name=word", r#"{"list": [1], "a": true}"#, &at];
        let wanted = serde_json::json!({"a": true, "b": "two words", "name": "file", "list": [1], "port": 8545});
        assert_eq!(read(&words), Ok(wanted));
        assert_eq!(read(&["nonsense"]), Err("`nonsense` is no `name=value`".into()));
        assert!(read(&["@/nowhere"]).unwrap_err().starts_with("there is no file"));
        assert!(read(&["{a: 1, a: 2}"]).unwrap_err().contains("stands twice"));
    }
}
