//! What happens with a variable that does not exist.
//!
//! As in ansible-core 2.19, an undefined value is a *marker* that travels: through attributes, calls, filters and tests
//! that do not know it, until `default` or `is defined` takes it in. Any other use (an operator, a condition, a loop,
//! output) is an error which names it. The compiler (`compile`) puts a check before each such use.

use crate::base::Diagnostic;
use crate::base::diagnostic::did_you_mean;
use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value};
use std::fmt;
use std::sync::Arc;

/// A value that is missing, and all that is known about it.
#[derive(Debug, Clone, Default)]
pub(super) struct Missing {
    /// As the user wrote it: `nope`, `x.b`, `x['b']`. Empty if a filter or function made it.
    pub path: String,
    /// What to say instead of "`path` is undefined".
    pub message: Option<String>,
    /// The table in which `key` was looked up, to offer a near name.
    pub inside: Option<(Value, String)>,
    /// Printed as nothing inside of a text: an inline `if` without `else`.
    pub blank: bool,
    /// Where it was used, if that is inside of another variable's text: file and bytes come from there.
    pub found: Option<Box<Diagnostic>>,
}

impl Missing {
    /// A name or a path that leads nowhere.
    pub fn named(path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }

    /// With a message of its own.
    pub fn because(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::default() }
    }

    /// One sentence.
    pub fn sentence(&self) -> String {
        match (&self.message, self.path.as_str()) {
            (Some(message), _) => message.clone(),
            (None, "") => "an undefined value is used".into(),
            (None, path) => format!("`{path}` is undefined"),
        }
    }

    /// The key of its table that was probably meant.
    pub fn near(&self) -> Option<String> {
        let (table, key) = self.inside.as_ref()?;
        let keys: Vec<String> = table.try_iter().ok()?.map(|key| key.to_string()).collect();
        did_you_mean(key, keys.iter().map(String::as_str)).map(str::to_owned)
    }

    /// As a value.
    pub fn value(self) -> Value {
        Value::from_object(Marker(Arc::new(self)))
    }
}

/// The travelling value.
#[derive(Debug)]
pub(super) struct Marker(pub Arc<Missing>);

impl Marker {
    /// The marker in `value`, also for the template engine's own undefined value.
    pub fn of(value: &Value) -> Option<Arc<Missing>> {
        if let Some(marker) = value.downcast_object_ref::<Self>() {
            return Some(marker.0.clone());
        }
        value.is_undefined().then(|| Arc::new(Missing::default()))
    }
}

impl Object for Marker {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, _: &Value) -> Option<Value> {
        Some(Value::from_dyn_object(self.clone()))
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        Ok(Value::from_dyn_object(self.clone()))
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, _: &str, _: &[Value]) -> Result<Value, Error> {
        Ok(Value::from_dyn_object(self.clone()))
    }

    fn render(self: &Arc<Self>, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

/// Why a rendering ended, carried through the template engine's own errors.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// Something undefined was used.
    Missing(Arc<Missing>),
    /// A mistake whose place is known: in the text of a variable that was rendered on the way.
    Failed(Box<Diagnostic>),
    /// A value is not there yet.
    Wait,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => f.write_str(&missing.sentence()),
            Self::Failed(diagnostic) => f.write_str(&diagnostic.message),
            Self::Wait => f.write_str("a value is not there yet"),
        }
    }
}

impl std::error::Error for Trouble {}

impl Trouble {
    /// The trouble inside of an error of the template engine.
    pub fn of(error: &Error) -> Option<Self> {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = next {
            if let Some(trouble) = error.downcast_ref::<Self>() {
                return Some(trouble.clone());
            }
            next = error.source();
        }
        None
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        Error::new(ErrorKind::UndefinedError, trouble.to_string()).with_source(trouble)
    }
}

impl From<Arc<Missing>> for Trouble {
    fn from(missing: Arc<Missing>) -> Self {
        Self::Missing(missing)
    }
}

/// The value, unless it is undefined or carries an error.
pub(super) fn defined(value: Value) -> Result<Value, Error> {
    match Marker::of(&value) {
        Some(missing) => Err(Trouble::Missing(missing).into()),
        None => valid(value),
    }
}

/// The value, unless it carries an error: lazy lists and tables cannot report one in another way.
pub(super) fn valid(value: Value) -> Result<Value, Error> {
    if value.kind() != minijinja::value::ValueKind::Invalid {
        return Ok(value);
    }
    let holder = Value::from(vec![value]);
    holder.try_iter()?.checked().next().unwrap_or(Ok(Value::UNDEFINED))
}
