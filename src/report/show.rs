//! Values for people: results as YAML, tables with aligned columns, labels of items.

use super::look::{self, Look};
use crate::base::{Map, Value};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Text from a host without what could move the cursor or colour the rest: escape sequences go, other control characters
/// become visible.
pub fn clean(text: &str) -> String {
    let stripped = anstream::adapter::strip_str(text).to_string();
    if !stripped.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return stripped;
    }
    let mut shown = String::with_capacity(stripped.len());
    for c in stripped.chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            '\r' => {}
            c if c.is_control() => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

/// A value as YAML, one string a line.
pub fn yaml(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) if !map.is_empty() => map.iter().flat_map(|(name, value)| field(name, value)).collect(),
        Value::Array(items) if !items.is_empty() => items
            .iter()
            .flat_map(|item| {
                let lines = if let Some(text) = block(item) { under("|", text) } else { yaml(item) };
                // The text below `- |` is indented already.
                let deeper = block(item).is_none();
                lines.into_iter().enumerate().map(move |(i, line)| match i {
                    0 => format!("- {line}"),
                    _ if deeper => indent(&line),
                    _ => line,
                })
            })
            .collect(),
        scalar => vec![self::scalar(scalar)],
    }
}

/// `name: value` as YAML, one string a line.
pub fn field(name: &str, value: &Value) -> Vec<String> {
    let name = clean(name);
    match value {
        value if block(value).is_some() => under(&format!("{name}: |"), block(value).unwrap_or_default()),
        Value::Object(map) if map.is_empty() => vec![format!("{name}: {{}}")],
        Value::Array(items) if items.is_empty() => vec![format!("{name}: []")],
        Value::Object(_) | Value::Array(_) => {
            let mut lines = vec![format!("{name}:")];
            lines.extend(yaml(value).iter().map(|line| indent(line)));
            lines
        }
        scalar => vec![format!("{name}: {}", self::scalar(scalar))],
    }
}

fn block(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| text.trim_end().contains('\n'))
}

fn under(head: &str, text: &str) -> Vec<String> {
    std::iter::once(head.to_owned()).chain(clean(text).lines().map(indent)).collect()
}

fn indent(line: &str) -> String {
    if line.is_empty() { String::new() } else { format!("  {line}") }
}

/// One line for a text, number, boolean, nothing, or an empty collection.
fn scalar(value: &Value) -> String {
    let Value::String(text) = value else { return value.to_string() };
    let text = clean(text.trim_end_matches('\n'));
    let reads_as_another = text.is_empty()
        || text.trim() != text
        || text.parse::<f64>().is_ok()
        || matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "~")
        || text.starts_with(['"', '\'', '[', ']', '{', '}', '>', '|', '*', '&', '!', '%', '#', '`', '@', ','])
        || text.starts_with("- ")
        || text.contains(": ")
        || text.contains(" #");
    if reads_as_another { Value::String(text).to_string() } else { text }
}

/// A value on one line: a text as it is, anything else as JSON.
pub fn one_line(value: &Value) -> String {
    clean(&match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// Rows with aligned columns: a list of tables (whose names are the heading), or a list of lists (whose first is).
/// `None` if the value is neither.
pub fn table(value: &Value, look: &Look) -> Option<Vec<String>> {
    let rows = value.as_array().filter(|rows| !rows.is_empty())?;
    let cells: Vec<Vec<String>> = if rows.iter().all(Value::is_object) {
        let maps: Vec<&Map> = rows.iter().filter_map(Value::as_object).collect();
        let mut names: Vec<&String> = Vec::new();
        for name in maps.iter().flat_map(|map| map.keys()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let cell = |map: &&Map, name: &&String| map.get(*name).map(one_line).unwrap_or_default();
        let heading = names.iter().map(|name| clean(name)).collect();
        let lines = maps.iter().map(|map| names.iter().map(|name| cell(map, name)).collect());
        std::iter::once(heading).chain(lines).collect()
    } else if rows.iter().all(Value::is_array) {
        rows.iter().filter_map(Value::as_array).map(|row| row.iter().map(one_line).collect()).collect()
    } else {
        return None;
    };
    let columns = cells.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| cells.iter().filter_map(|row| row.get(i)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let line = |(number, row): (usize, &Vec<String>)| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{}  ", look::pad(&cell.replace('\n', " "), *width));
        }
        let line = line.trim_end();
        if number == 0 { look.paint(look::STRONG, line) } else { line.to_owned() }
    };
    Some(cells.iter().enumerate().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::look::PLAIN;
    use serde_json::json;

    #[test]
    fn a_value_reads_as_yaml() {
        let value = json!({
            "rc": 0, "port": "30303", "stdout": "a\nb\n", "empty": "", "list": [1, {"a": 1, "b": [true]}, "x\ny"], "none": {}
        });
        insta::assert_snapshot!(yaml(&value).join("\n"), @r#"
        rc: 0
        port: "30303"
        stdout: |
          a
          b
        empty: ""
        list:
          - 1
          - a: 1
            b:
              - true
          - |
            x
            y
        none: {}
        "#);
    }

    #[test]
    fn a_host_cannot_move_the_cursor() {
        assert_eq!(clean("\u{1b}[2Jred\u{1b}[31m\r\u{1b}]0;title\u{7}\u{9b}."), r"red\u{9b}.");
    }

    #[test]
    fn a_table_has_aligned_columns() {
        let rows = json!([{"host": "sealer1", "head": 12, "hash": "0xab"}, {"host": "rpc", "head": 12345, "peers": 3}]);
        insta::assert_snapshot!(table(&rows, &PLAIN).unwrap().join("\n"), @r"
        host     head   hash  peers
        sealer1  12     0xab
        rpc      12345        3
        ");
        assert_eq!(table(&json!("text"), &PLAIN), None);
    }
}
