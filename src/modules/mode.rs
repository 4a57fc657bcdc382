//! `mode:` of files: octal texts, the integers that YAML makes of `0644`, symbolic modes, and `preserve`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;

/// Permission bits as a user writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// `"0644"`, or `0644`, which YAML reads as the number 420.
    Bits(u32),
    /// `u=rwX,g+w,o-rwx`: depends on what is there.
    Symbolic(String),
    /// `preserve`: that of the source file.
    Preserve,
}

impl Mode {
    /// The bits that a thing with the bits `current` shall have. `umask` is what an omitted `u`, `g`, `o` or `a` spares.
    pub fn bits(&self, current: u32, folder: bool, umask: u32) -> u32 {
        match self {
            Self::Bits(bits) => *bits,
            Self::Preserve => current,
            Self::Symbolic(text) => {
                text.split(',').fold(current, |bits, clause| apply(bits, clause, current, folder, umask))
            }
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let octal = text.strip_prefix("0o").unwrap_or(text);
        if text == "preserve" {
            return Ok(Self::Preserve);
        }
        if !octal.is_empty() && octal.chars().all(|digit| digit.is_ascii_digit()) {
            return match u32::from_str_radix(octal, 8) {
                Ok(bits) if bits <= 0o7777 => Ok(Self::Bits(bits)),
                _ => Err(format!("`{text}` is no file mode; write octal digits like \"0644\"")),
            };
        }
        if !text.is_empty() && text.split(',').all(is_clause) {
            return Ok(Self::Symbolic(text.to_owned()));
        }
        Err(format!("`{text}` is no file mode; write \"0644\" or \"u=rw,g=r,o=\""))
    }
}

/// `[ugoa]*` and then at least one of `+-=`, each followed by `[rwxXstugo]*`.
fn is_clause(clause: &str) -> bool {
    let actions = clause.trim_start_matches(['u', 'g', 'o', 'a']);
    actions.starts_with(['+', '-', '=']) && actions.chars().all(|c| "+-=rwxXstugo".contains(c))
}

fn apply(mut bits: u32, clause: &str, original: u32, folder: bool, umask: u32) -> u32 {
    let actions = clause.trim_start_matches(['u', 'g', 'o', 'a']);
    let who = &clause[..clause.len() - actions.len()];
    let spared = if who.is_empty() { umask } else { 0 };
    let mut rest = actions;
    while let Some(operator) = rest.chars().next() {
        let end = rest[1..].find(['+', '-', '=']).map_or(rest.len(), |end| end + 1);
        let permissions = &rest[1..end];
        rest = &rest[end..];
        for (class, shift, special) in [('u', 6, 0o4000), ('g', 3, 0o2000), ('o', 0, 0o1000)] {
            if !who.is_empty() && !who.contains([class, 'a']) {
                continue;
            }
            let mut given = 0;
            for permission in permissions.chars() {
                given |= match permission {
                    'r' => 0o4 << shift,
                    'w' => 0o2 << shift,
                    'x' => 0o1 << shift,
                    'X' if folder || original & 0o111 != 0 => 0o1 << shift,
                    's' if class != 'o' => special,
                    't' if class == 'o' => special,
                    'u' => (bits >> 6 & 0o7) << shift,
                    'g' => (bits >> 3 & 0o7) << shift,
                    'o' => (bits & 0o7) << shift,
                    _ => 0,
                };
            }
            given &= !spared;
            bits = match operator {
                '+' => bits | given,
                '-' => bits & !given,
                _ => bits & !(0o7 << shift | special) | given,
            };
        }
    }
    bits
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bits(bits) => serializer.serialize_str(&format!("{bits:04o}")),
            Self::Symbolic(text) => serializer.serialize_str(text),
            Self::Preserve => serializer.serialize_str("preserve"),
        }
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Self::parse(&text).map_err(D::Error::custom),
            Value::Number(number) => match number.as_u64().and_then(|number| u32::try_from(number).ok()) {
                // 0644 without its zero: a mode with the sticky bit and odd permissions that nobody means.
                Some(bits @ 512..=777) if bits.to_string().chars().all(|digit| digit < '8') => {
                    Err(D::Error::custom(format!(
                        "the number {bits} is the mode {bits:04o} in octal; write \"0{bits}\", with the zero and quotes"
                    )))
                }
                Some(bits @ ..=0o7777) => Ok(Self::Bits(bits)),
                _ => Err(D::Error::custom(format!(
                    "the number {number} is no file mode; write it as \"0644\", in quotes"
                ))),
            },
            other => Err(D::Error::custom(format!("{other} is no file mode; write \"0644\""))),
        }
    }
}

impl JsonSchema for Mode {
    fn schema_name() -> Cow<'static, str> {
        "Mode".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mode(value: Value) -> Mode {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn octal_is_meant_in_every_spelling() {
        for value in [json!("0644"), json!("644"), json!("0o644"), json!(420)] {
            assert_eq!(mode(value), Mode::Bits(0o644));
        }
        assert_eq!(mode(json!("01777")), Mode::Bits(0o1777));
        assert_eq!(mode(json!(1517)), Mode::Bits(0o2755));
        assert_eq!(json!(mode(json!(493))), json!("0755"));
    }

    #[test]
    fn a_decimal_that_was_meant_as_octal_is_refused() {
        for value in
            [json!(644), json!(755), json!(7777), json!("0888"), json!("u+q"), json!(""), json!([1]), json!(-1)]
        {
            let message = serde_json::from_value::<Mode>(value.clone()).unwrap_err().to_string();
            assert!(message.contains("write"), "{value}: {message}");
        }
        let message = serde_json::from_value::<Mode>(json!(644)).unwrap_err().to_string();
        assert!(message.contains("\"0644\""), "{message}");
    }

    #[test]
    fn symbolic_modes_do_as_chmod_does() {
        for (text, before, folder, after) in [
            ("u=rw,g=r,o=", 0o777, false, 0o640),
            ("u+x", 0o644, false, 0o744),
            ("a+X", 0o644, false, 0o644),
            ("a+X", 0o744, false, 0o755),
            ("u=rwX,g=rX,o=rX", 0o600, true, 0o755),
            ("go-rwx", 0o4755, false, 0o4700),
            ("g=u,o=g", 0o750, false, 0o777),
            ("g=u", 0o640, false, 0o660),
            ("u+s,g+s,o+t", 0o755, false, 0o7755),
            ("g=", 0o2775, true, 0o705),
            ("+w", 0o444, false, 0o644),
            ("=rw", 0o755, false, 0o644),
            ("ug+rw-x", 0o111, false, 0o661),
        ] {
            let found = mode(json!(text)).bits(before, folder, 0o022);
            assert_eq!(found, after, "{text} on {before:o}: {found:o}");
        }
    }
}
