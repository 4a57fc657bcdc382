//! Text that must never be seen, and the mask that keeps it out of everything that is shown.

use super::Value;
use std::fmt;
use zeroize::Zeroizing;

/// A text that no `Debug`, `Display` or serialiser shows, and that is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Every use is a place to look at when reviewing.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What stands where a secret stood.
pub const MASKED: &str = "********";

/// The secrets of a run; they are replaced wherever events are made.
#[derive(Debug, Default)]
pub struct Mask {
    secrets: Vec<Secret>,
}

impl Mask {
    /// Remembers a secret. Texts shorter than four characters are not masked: they would hide half of every line.
    pub fn add(&mut self, secret: &Secret) {
        if secret.expose().len() >= 4 && !self.secrets.contains(secret) {
            self.secrets.push(secret.clone());
        }
    }

    /// Replaces every secret in `text`.
    pub fn text(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose(), MASKED))
    }

    /// Replaces every secret in all strings and keys of `value`.
    pub fn value(&self, value: &mut Value) {
        if self.secrets.is_empty() {
            return;
        }
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.value(item)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_replaced_in_nested_values() {
        let mut mask = Mask::default();
        mask.add(&Secret::new("hunter22".into()));
        let mut value = serde_json::json!({"stdout": "pw=hunter22;", "list": ["hunter22"]});
        mask.value(&mut value);
        assert_eq!(value, serde_json::json!({"stdout": "pw=********;", "list": ["********"]}));
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter22".into())), "Secret(..)");
    }
}
