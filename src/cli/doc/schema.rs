//! From a module's JSON schema to words.

use crate::modules::Entry;
use serde_json::{Map, Value};

/// A module's manual.
pub struct Manual {
    /// What it makes true.
    pub purpose: String,
    /// Its options, the required ones first.
    pub options: Vec<Choice>,
}

/// One option.
pub struct Choice {
    /// Its name.
    pub name: String,
    /// `text`, `number`, `boolean`, `list`, `table`, `one of ...`.
    pub kind: String,
    /// It has no default.
    pub required: bool,
    /// Its default, if that is a value.
    pub default: Option<String>,
    /// What it means.
    pub description: String,
    /// The values that it may have, with their meanings.
    pub choices: Vec<(String, String)>,
    /// Its other names.
    pub aliases: Vec<&'static str>,
}

impl Manual {
    /// Reads the schema of a module.
    pub fn of(entry: &Entry) -> Self {
        let schema = (entry.schema)();
        let root = schema.as_value();
        let required: Vec<&str> = root["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let empty = Map::new();
        let mut options: Vec<Choice> = root["properties"]
            .as_object()
            .unwrap_or(&empty)
            .iter()
            .map(|(name, property)| {
                let shape = resolve(root, property);
                let choices = choices(shape);
                let description = text(&property["description"]).or_else(|| text(&shape["description"]));
                let aliases = entry.aliases.iter().filter(|(_, option)| option == name).map(|(alias, _)| *alias);
                Choice {
                    name: name.clone(),
                    kind: kind(root, shape, &choices),
                    required: required.contains(&name.as_str()),
                    default: default(&property["default"]),
                    description: description.unwrap_or_default(),
                    // Meanings that the kind does not show.
                    choices: if choices.iter().any(|(_, meaning)| !meaning.is_empty()) { choices } else { Vec::new() },
                    aliases: aliases.collect(),
                }
            })
            .collect();
        options.sort_by_key(|option| !option.required);
        Self { purpose: text(&root["description"]).unwrap_or_default(), options }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn default(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Object(map) if map.is_empty() => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Follows `$ref`, and looks through `anyOf: [X, null]`, as optional fields are written.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return resolve(root, &root["$defs"][name]);
    }
    let real = |schema: &&Value| schema["type"] != "null";
    match schema["anyOf"].as_array().map(|any| any.iter().filter(real).collect::<Vec<_>>()).as_deref() {
        Some([one]) => resolve(root, one),
        _ => schema,
    }
}

fn choices(schema: &Value) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut choices = Vec::new();
    for value in schema["enum"].as_array().into_iter().flatten().filter(|value| !value.is_null()) {
        choices.push((word(value), String::new()));
    }
    for one in schema["oneOf"].as_array().into_iter().flatten() {
        if let Some(value) = one.get("const") {
            choices.push((word(value), text(&one["description"]).unwrap_or_default().replace('\n', " ")));
        } else {
            choices.extend(self::choices(one));
        }
    }
    choices
}

fn kind(root: &Value, schema: &Value, choices: &[(String, String)]) -> String {
    if !choices.is_empty() {
        let words: Vec<_> = choices.iter().map(|(word, _)| word.as_str()).collect();
        return format!("one of {}", words.join(", "));
    }
    // The types of `modules::loose` name first what is meant, then what is taken as well.
    let meant = match &schema["type"] {
        Value::Array(types) => types.first().and_then(Value::as_str),
        one => one.as_str(),
    };
    let kind = match meant {
        Some("array") if resolve(root, &schema["items"])["type"] == "object" => "list of tables",
        Some("array") => "list",
        Some("object") => "table",
        Some("boolean") => "boolean",
        Some("integer" | "number") => "number",
        Some("string") => "text",
        _ => "anything",
    };
    kind.into()
}
