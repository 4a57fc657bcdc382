//! Contents that a playbook gives as data.

use crate::base::Value;

/// Given content as Ansible writes it: texts as they are, tables and lists as JSON with a blank after `:` and `,`.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Array(_) | Value::Object(_) => spaced_json(value),
        other => other.to_string(),
    }
}

fn spaced_json(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(spaced_json).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries = map.iter().map(|(name, item)| format!("{}: {}", ascii_json(name), spaced_json(item)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => ascii_json(text),
        other => other.to_string(),
    }
}

fn ascii_json(text: &str) -> String {
    let mut units = [0; 2];
    Value::from(text).to_string().chars().fold(String::new(), |mut done, character| {
        if character.is_ascii() {
            done.push(character);
        } else {
            done.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
        done
    })
}
