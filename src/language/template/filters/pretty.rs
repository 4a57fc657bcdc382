//! `pprint`: a value as Python's own would be written, to be read by people.

use super::super::Callable;
use super::super::args::{Args, subject_text};
use minijinja::{Error, State, Value};

pub(super) const FILTERS: &[(&str, Callable)] = &[("pprint", pprint)];

/// How wide the lines may be.
const WIDTH: usize = 80;

/// Only texts are broken into lines: Ansible's tables and lists are not Python's own, which that would break.
fn pprint(_: &mut State, args: &Args) -> Result<Value, Error> {
    let subject = args.subject();
    let whole = written(&subject)?;
    match subject.as_str() {
        Some(text) if whole.chars().count() > WIDTH => broken(text).map(Value::from),
        _ => Ok(Value::from(whole)),
    }
}

/// What Python's `repr` makes of it: as it stands in a list.
fn written(value: &Value) -> Result<String, Error> {
    let list = subject_text(&Value::from(vec![value.clone()]))?;
    Ok(list.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(&list).to_owned())
}

/// A long text in parentheses, broken behind newlines, and behind blanks where a line is too long.
fn broken(text: &str) -> Result<String, Error> {
    let mut chunks = Vec::new();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (at, line) in lines.iter().enumerate() {
        let room = |last: bool| WIDTH - 1 - usize::from(last && at + 1 == lines.len());
        let shown = written(&Value::from(*line))?;
        if shown.chars().count() <= room(true) {
            chunks.push(shown);
            continue;
        }
        let words = words(line);
        let mut current = String::new();
        for (number, word) in words.iter().enumerate() {
            let longer = format!("{current}{word}");
            let fits = written(&Value::from(longer.as_str()))?.chars().count() <= room(number + 1 == words.len());
            if fits || current.is_empty() {
                current = longer;
            } else {
                chunks.push(written(&Value::from(std::mem::replace(&mut current, (*word).to_owned())))?);
            }
        }
        chunks.push(written(&Value::from(current))?);
    }
    Ok(if let [only] = chunks.as_slice() { only.clone() } else { format!("({})", chunks.join("\n ")) })
}

/// The words of a line, each with the blanks behind it.
fn words(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let end = rest[word..].find(|letter: char| !letter.is_whitespace()).map_or(rest.len(), |blanks| word + blanks);
        found.push(&rest[..end]);
        rest = &rest[end..];
    }
    found
}
