//! The arguments of a filter, test or function, by position or by name.

use super::convert::{kind_words, to_text, wrong};
use super::undefined::Marker;
use crate::base::diagnostic::did_you_mean;
use minijinja::value::Kwargs;
use minijinja::{Error, Value};
use std::cell::RefCell;

/// One call's arguments.
pub(super) struct Args {
    /// What is called, for messages.
    pub name: &'static str,
    /// By position; a filter's or test's subject comes first.
    pub values: Vec<Value>,
    /// By name, in the order written.
    pub named: Vec<(String, Value)>,
    /// Names that somebody asked for.
    asked: RefCell<Vec<String>>,
}

impl Args {
    /// Takes a call apart.
    pub fn new(name: &'static str, values: Vec<Value>, named: &Kwargs) -> Result<Self, Error> {
        let named = named.args().map(|key| Ok((key.to_owned(), named.peek(key)?))).collect::<Result<_, Error>>()?;
        Ok(Self { name, values, named, asked: RefCell::default() })
    }

    /// Fails if a named argument was given that nobody asked for.
    pub fn all_asked(&self) -> Result<(), Error> {
        let asked = self.asked.borrow();
        match self.named.iter().find(|(name, _)| !asked.contains(name)) {
            Some((name, _)) => {
                let near = did_you_mean(name, asked.iter().map(String::as_str));
                let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                Err(wrong(format!("`{}` has no argument `{name}`{near}", self.name)))
            }
            None => Ok(()),
        }
    }

    /// Takes all named arguments, for a call that passes them on.
    pub fn take_named(&self) -> &[(String, Value)] {
        self.asked.borrow_mut().extend(self.named.iter().map(|(name, _)| name.clone()));
        &self.named
    }

    /// The first undefined argument, as a value that travels on.
    pub fn undefined(&self) -> Option<Value> {
        let all = self.values.iter().chain(self.named.iter().map(|(_, value)| value));
        all.into_iter().find_map(Marker::of).map(|missing| Value::from_object(Marker(missing)))
    }

    /// What the filter or test is applied to.
    pub fn subject(&self) -> Value {
        self.values.first().cloned().unwrap_or_default()
    }

    /// The subject as text.
    pub fn text(&self) -> Result<String, Error> {
        subject_text(&self.subject())
    }

    /// The subject's items.
    pub fn items(&self) -> Result<Vec<Value>, Error> {
        self.list_of(&self.subject(), "what stands before it")
    }

    /// The items of any value that has some.
    pub fn list_of(&self, value: &Value, what: &str) -> Result<Vec<Value>, Error> {
        if let Some(text) = value.as_str() {
            return Ok(text.chars().map(Value::from).collect());
        }
        if value.is_none() || value.is_number() || !matches!(type_of(value), "list" | "dict") {
            return Err(wrong(format!("`{}` needs a list: {what} is {}", self.name, kind_words(value))));
        }
        value.try_iter()?.checked().collect()
    }

    /// The argument `at` (counted after the subject) or of that name.
    pub fn get(&self, at: usize, name: &str) -> Option<&Value> {
        self.values.get(at + 1).or_else(|| self.named(name))
    }

    /// The argument of that name.
    pub fn named(&self, name: &str) -> Option<&Value> {
        self.asked.borrow_mut().push(name.to_owned());
        self.named.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// As [`get`](Self::get); required.
    pub fn need(&self, at: usize, name: &str) -> Result<&Value, Error> {
        self.get(at, name).ok_or_else(|| wrong(format!("`{}` needs an argument `{name}`", self.name)))
    }

    /// A text argument; numbers are written out.
    pub fn str(&self, at: usize, name: &str) -> Result<Option<String>, Error> {
        match self.get(at, name) {
            Some(value) if !value.is_none() => to_text(value).map(Some),
            _ => Ok(None),
        }
    }

    /// A whole number.
    pub fn int(&self, at: usize, name: &str) -> Result<Option<i64>, Error> {
        match self.get(at, name) {
            Some(value) if !value.is_none() => match i64::try_from(value.clone()) {
                Ok(number) => Ok(Some(number)),
                Err(_) => match value.as_str().and_then(|text| text.trim().parse().ok()) {
                    Some(number) => Ok(Some(number)),
                    None => Err(wrong(format!(
                        "`{}` needs a whole number as `{name}`, not {}",
                        self.name,
                        kind_words(value)
                    ))),
                },
            },
            _ => Ok(None),
        }
    }

    /// A switch, off if not given.
    pub fn flag(&self, at: usize, name: &str) -> bool {
        self.get(at, name).is_some_and(Value::is_true)
    }
}

fn type_of(value: &Value) -> &'static str {
    super::convert::type_name(value)
}

/// Any value as text, `None` as Python prints it.
pub(super) fn subject_text(value: &Value) -> Result<String, Error> {
    if value.is_none() { Ok("None".into()) } else { to_text(value) }
}
