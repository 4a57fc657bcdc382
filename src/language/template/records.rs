//! `lookup('ini')` and `lookup('csvfile')`: single values from files of records on the controller.

use super::convert::wrong;
use minijinja::Error;
use std::collections::BTreeMap;

/// The entries of a section.
type Entries = Vec<(String, String)>;

/// A term with options in it, as older playbooks write them: `key section=one file=x.ini`.
pub fn term(text: &str, known: &[&str]) -> (String, BTreeMap<String, String>) {
    let (mut key, mut options) = (Vec::new(), BTreeMap::new());
    for word in text.split(' ') {
        match word.split_once('=').filter(|(name, _)| known.contains(name)) {
            Some((name, value)) => _ = options.insert(name.to_owned(), value.to_owned()),
            None => key.push(word),
        }
    }
    (key.join(" ").trim().to_owned(), options)
}

/// The entries of a section of an INI file, those of `[DEFAULT]` behind its own; `None` if there is no such section.
/// Without a section it is a properties file, which has none.
pub fn section(text: &str, section: Option<&str>, case_sensitive: bool) -> Option<Entries> {
    let (mut own, mut defaults): (Entries, Entries) = (vec![], vec![]);
    let mut at = section.is_none().then_some("");
    let wanted = section.unwrap_or("");
    let mut found = section.is_none() || section == Some("DEFAULT");
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) {
            at = Some(name);
            found |= name == wanted;
            continue;
        }
        let list = match at {
            Some(name) if name == wanted => &mut own,
            Some("DEFAULT") => &mut defaults,
            _ => continue,
        };
        // What is indented goes on with the value above it.
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = list.last_mut()
        {
            *value = format!("{value}\n{trimmed}");
            continue;
        }
        let (key, value) = trimmed.split_once(['=', ':']).unwrap_or((trimmed, ""));
        let key = if case_sensitive { key.trim().to_owned() } else { key.trim().to_lowercase() };
        list.retain(|(known, _)| *known != key);
        list.push((key, value.trim().to_owned()));
    }
    defaults.retain(|(key, _)| !own.iter().any(|(known, _)| known == key));
    found.then(|| [own, defaults].concat())
}

/// The rows of a CSV file: fields may be quoted, and quotes in them are doubled.
pub fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (vec![], vec![], String::new());
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            '\r' if !quoted && letters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            _ if letter == delimiter && !quoted => row.push(std::mem::take(&mut field)),
            _ => field.push(letter),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

/// The letter that `delimiter` names.
pub fn delimiter(name: &str) -> Result<char, Error> {
    let mut letters = name.chars();
    match (name, letters.next(), letters.next()) {
        ("TAB" | "t" | "\\t", ..) => Ok('\t'),
        (_, Some(letter), None) => Ok(letter),
        _ => Err(wrong(format!("`delimiter` needs one letter or `TAB`, this is `{name}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_playbooks_write_options_into_the_term() {
        let (key, options) = term("my key section=two file=x.ini a=b", &["section", "file"]);
        assert_eq!(
            (key.as_str(), options["section"].as_str(), options["file"].as_str()),
            ("my key a=b", "two", "x.ini")
        );
    }

    #[test]
    fn a_section_has_its_own_entries_and_the_defaults() {
        let text = "; no\n[DEFAULT]\nd = dd\nkey = hidden\n[one]\nKey = value one\n# c\nmulti = a\n  b\ncolon: c\n[two]\nkey=2\n";
        let one = section(text, Some("one"), false).unwrap();
        let get = |name: &str| one.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(get("key"), Some("value one"));
        assert_eq!((get("multi"), get("colon"), get("d"), get("no")), (Some("a\nb"), Some("c"), Some("dd"), None));
        assert!(section(text, Some("three"), false).is_none());
        assert_eq!(section("k=v\nz: y\n", None, true).unwrap()[1], ("z".into(), "y".into()));
    }

    #[test]
    fn fields_may_be_quoted() {
        assert_eq!(rows("a,b\r\n\"x, y\",\"q \"\"z\"\"\"\nc,", ','), [["a", "b"], ["x, y", "q \"z\""], ["c", ""]]);
        assert_eq!(rows("a\tb\n", delimiter("TAB").unwrap()), [["a", "b"]]);
        assert!(delimiter("two").is_err());
    }
}
