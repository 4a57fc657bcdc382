//! One rendering: the variables, seen lazily, each rendered once.

use super::compile::Compiled;
use super::convert::to_text;
use super::undefined::{Marker, Missing, Trouble};
use super::{Inner, OMIT, place};
use crate::base::{Diagnostic, Span};
use crate::language::{Data, Found, Node, Variables};
use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{AutoEscape, Error, State, Value, machinery};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The variable under which filters and functions find the session.
pub(super) const SESSION: &str = "\u{0}session";
/// Variables inside variables, deeper than anyone means: the thread's stack must not run out.
const DEPTH: usize = 64;

/// What a name came to.
#[derive(Debug, Clone)]
enum Slot {
    Value(Value),
    Missing(Arc<Missing>),
    Trouble(Trouble),
}

/// Shared by the sessions of all hosts that one rendering looks at.
#[derive(Debug, Default)]
pub(super) struct Shared {
    wait: AtomicBool,
    /// Variables being rendered, to find cycles.
    stack: Mutex<Vec<(usize, String)>>,
    hosts: Mutex<HashMap<String, Arc<Session>>>,
    /// Texts being rendered: a lazy list's item may need itself, and the depth has a bound.
    texts: Mutex<Vec<(usize, usize)>>,
}

/// The variables of one host during one rendering.
pub(super) struct Session {
    pub inner: Arc<Inner>,
    pub vars: Arc<dyn Variables>,
    shared: Arc<Shared>,
    memo: Mutex<HashMap<String, Slot>>,
    /// Values printed by the text being rendered, innermost last: how many, and the last with its text.
    printed: Mutex<Vec<(usize, Value, String)>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

/// A lock that a panic elsewhere cannot poison for us: the data is valid between any two statements.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub fn new(inner: Arc<Inner>, vars: Arc<dyn Variables>, shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { inner, vars, shared, memo: Mutex::default(), printed: Mutex::default() })
    }

    /// A session within this one, with other variables of the same host.
    pub fn with(&self, vars: Arc<dyn Variables>) -> Arc<Self> {
        Self::new(self.inner.clone(), vars, self.shared.clone())
    }

    /// The session of a running template.
    pub fn of(state: &State) -> Option<Arc<Self>> {
        let handle = state.lookup(SESSION)?;
        handle.downcast_object_ref::<Handle>().map(|handle| handle.0.clone())
    }

    /// Whether some look-up had to wait.
    pub fn waits(&self) -> bool {
        self.shared.wait.load(Ordering::Relaxed)
    }

    fn wait(&self) -> Trouble {
        self.shared.wait.store(true, Ordering::Relaxed);
        Trouble::Wait
    }

    /// The variables of another host.
    pub fn host(self: &Arc<Self>, name: &str) -> Option<Arc<Session>> {
        if let Some(session) = lock(&self.shared.hosts).get(name) {
            return Some(session.clone());
        }
        let vars = self.vars.host(name)?;
        let session = Self::new(self.inner.clone(), vars, self.shared.clone());
        lock(&self.shared.hosts).insert(name.to_owned(), session.clone());
        Some(session)
    }

    /// A variable by name: `Ok(None)` if there is none.
    pub fn variable(self: &Arc<Self>, name: &str) -> Result<Option<Value>, Trouble> {
        match self.slot(name) {
            Slot::Value(value) => Ok(Some(value)),
            Slot::Missing(_) => Ok(None),
            Slot::Trouble(trouble) => Err(trouble),
        }
    }

    /// A name as a template's root has it.
    fn named_value(self: &Arc<Self>, name: &str) -> Option<Value> {
        if name == SESSION {
            return Some(Value::from_object(Handle(self.clone())));
        }
        match self.variable(name) {
            Ok(value) => value,
            Err(trouble) => Some(Value::from(Error::from(trouble))),
        }
    }

    /// What is known about a name that has no value.
    pub fn missing(&self, name: &str) -> Missing {
        match lock(&self.memo).get(name) {
            Some(Slot::Missing(missing)) => (**missing).clone(),
            _ => Missing::named(name),
        }
    }

    fn slot(self: &Arc<Self>, name: &str) -> Slot {
        if let Some(slot) = lock(&self.memo).get(name) {
            return slot.clone();
        }
        let slot = match name {
            "vars" => Slot::Value(Value::from_object(Scope(self.clone()))),
            "hostvars" => Slot::Value(Value::from_object(Hosts(self.clone()))),
            "omit" => Slot::Value(Value::from(OMIT)),
            _ => match self.vars.get(name) {
                Found::Missing => Slot::Missing(Arc::new(Missing::named(name))),
                Found::Value(data) => Slot::Value(self.inner.data(&data)),
                Found::Wait => Slot::Trouble(self.wait()),
                Found::Node(node) => self.named(name, &node),
            },
        };
        lock(&self.memo).insert(name.to_owned(), slot.clone());
        slot
    }

    /// Renders a variable's own text; a cycle is named.
    fn named(self: &Arc<Self>, name: &str, node: &Node) -> Slot {
        let entry = (Arc::as_ptr(self) as usize, name.to_owned());
        {
            let mut stack = lock(&self.shared.stack);
            if let Some(start) = stack.iter().position(|other| *other == entry) {
                let mut names: Vec<&str> = stack[start..].iter().map(|(_, name)| name.as_str()).collect();
                names.push(name);
                let message = format!("the variable `{name}` needs itself: {}", names.join(" -> "));
                return Slot::Trouble(Trouble::Failed(Box::new(Diagnostic::new(message, &node.span))));
            }
            if stack.len() >= DEPTH {
                let message = format!("`{name}` lies more than {DEPTH} variables deep");
                return Slot::Trouble(Trouble::Failed(Box::new(Diagnostic::new(message, &node.span))));
            }
            stack.push(entry);
        }
        let result = self.value(node);
        lock(&self.shared.stack).pop();
        match result {
            Ok(value) => match Marker::of(&value) {
                Some(missing) => Slot::Missing(missing),
                None => Slot::Value(value),
            },
            Err(Trouble::Missing(missing)) => Slot::Missing(missing),
            Err(trouble) => Slot::Trouble(trouble),
        }
    }

    /// A node as a value; lists and tables stay lazy.
    pub fn value(self: &Arc<Self>, node: &Node) -> Result<Value, Trouble> {
        Ok(match &node.data {
            Data::Null => Value::from(()),
            Data::Bool(value) => Value::from(*value),
            Data::Int(value) => Value::from(*value),
            Data::Float(value) => Value::from(*value),
            Data::Unsafe(text) => Value::from(text.clone()),
            Data::Text(text) if !super::has_marks(text) => Value::from(text.clone()),
            Data::Text(text) => self.text(text, &node.span)?,
            Data::List(_) => Value::from_object(NodeList(self.clone(), node.clone())),
            Data::Table(_) => Value::from_object(NodeTable(self.clone(), node.clone())),
        })
    }

    /// A template text's native value.
    pub fn text(self: &Arc<Self>, text: &str, span: &Span) -> Result<Value, Trouble> {
        let compiled = match self.inner.inline(text) {
            Ok(compiled) => compiled,
            Err(failure) => return Err(Trouble::Failed(Box::new(failure.diagnostic(text, span)))),
        };
        self.enter(&compiled, text, span)?;
        let result = self.run(&compiled);
        self.leave();
        result.map(|value| Self::ended(value, text)).map_err(|error| self.trouble(&error, &compiled, text, span))
    }

    /// A template's value with as many newlines at its end as the template has: Jinja takes one away, and those behind
    /// blocks. What is no text has none.
    pub fn ended(value: Value, written: &str) -> Value {
        let Some(text) = value.as_str().filter(|text| written.ends_with('\n') && *text != OMIT) else { return value };
        let count = |text: &str| text.len() - text.trim_end_matches('\n').len();
        let missing = count(written).saturating_sub(count(text));
        if missing == 0 { value } else { Value::from(format!("{text}{}", "\n".repeat(missing))) }
    }

    /// Notes that a text is being rendered; the caller takes the note away.
    pub fn enter(self: &Arc<Self>, compiled: &Arc<Compiled>, text: &str, span: &Span) -> Result<(), Trouble> {
        let entry = (Arc::as_ptr(self) as usize, Arc::as_ptr(compiled) as usize);
        let mut texts = lock(&self.shared.texts);
        let same = texts.iter().filter(|other| **other == entry).count();
        // A file may include itself and end; a variable's text that needs itself never does.
        if texts.len() >= DEPTH || (same > 1 && compiled.native) || same > DEPTH / 4 {
            let short: String = text.chars().take(40).collect();
            let message = if same > 0 {
                format!("`{short}` needs itself")
            } else {
                format!("templates need templates more than {DEPTH} deep")
            };
            return Err(Trouble::Failed(Box::new(Diagnostic::new(message, span))));
        }
        texts.push(entry);
        Ok(())
    }

    /// Takes the note of `enter` away.
    pub fn leave(&self) {
        lock(&self.shared.texts).pop();
    }

    /// A bare expression's value.
    pub fn expression(self: &Arc<Self>, text: &str, span: &Span) -> Result<Value, Trouble> {
        let compiled = match self.inner.expression(text) {
            Ok(compiled) => compiled,
            Err(failure) => return Err(Trouble::Failed(Box::new(failure.diagnostic(text, span)))),
        };
        self.run(&compiled).map_err(|error| self.trouble(&error, &compiled, text, span))
    }

    /// Runs instructions with these variables.
    pub fn run(self: &Arc<Self>, compiled: &Compiled) -> Result<Value, Error> {
        if compiled.native {
            let mut nothing = String::new();
            let root = Value::from_object(Root(self.clone()));
            let mut out = machinery::make_string_output(&mut nothing);
            let (value, _) = machinery::eval(
                &self.inner.env,
                &compiled.instructions,
                root,
                &compiled.blocks,
                &mut out,
                AutoEscape::None,
            )?;
            let value = value.unwrap_or_default();
            return match Marker::of(&value) {
                Some(missing) => Err(Trouble::Missing(missing).into()),
                None => Ok(value),
            };
        }
        self.run_native(compiled, Value::from_object(Root(self.clone()))).map(|(value, _)| value)
    }

    /// Runs instructions for their value, and their text: what is printed alone is the value itself.
    pub fn run_native(self: &Arc<Self>, compiled: &Compiled, root: Value) -> Result<(Value, String), Error> {
        lock(&self.printed).push((0, Value::from(()), String::new()));
        let text = self.run_text(compiled, root);
        let (count, value, printed) = lock(&self.printed).pop().unwrap_or_default();
        let text = text?;
        let value = match count {
            0 if text.is_empty() => Value::from(()),
            1 if text == printed => value,
            _ => Value::from(text.as_str()),
        };
        Ok((value, text))
    }

    /// Runs instructions for their text.
    pub fn run_text(self: &Arc<Self>, compiled: &Compiled, root: Value) -> Result<String, Error> {
        let mut text = String::new();
        let mut out = machinery::make_string_output(&mut text);
        machinery::eval(&self.inner.env, &compiled.instructions, root, &compiled.blocks, &mut out, AutoEscape::None)?;
        drop(out);
        Ok(text)
    }

    /// The text of a printed value; notes it, since a value printed alone is the whole result.
    pub fn print(&self, value: &Value) -> Result<String, Error> {
        let text = to_text(value)?;
        if let Some((count, last, printed)) = lock(&self.printed).last_mut() {
            *count += 1;
            if *count == 1 {
                *last = value.clone();
                printed.clone_from(&text);
            }
        }
        Ok(text)
    }

    /// What an error of the template engine means for the user, with the place where it stands.
    pub fn trouble(&self, error: &Error, compiled: &Compiled, text: &str, span: &Span) -> Trouble {
        if self.waits() {
            return Trouble::Wait;
        }
        let here = place::narrow(span, text, error.range().map(|range| compiled.written(range)));
        match Trouble::of(error) {
            Some(Trouble::Missing(missing)) if missing.found.is_none() => {
                let mut missing = (*missing).clone();
                let mut diagnostic = Diagnostic::new(missing.sentence(), &here);
                diagnostic.help = self.help(&missing);
                missing.found = Some(Box::new(diagnostic));
                Trouble::Missing(Arc::new(missing))
            }
            Some(trouble) => trouble,
            None => Trouble::Failed(Box::new(place::explain(error, &here, self.inner.names(), compiled.text))),
        }
    }

    /// A near name for what is missing.
    fn help(&self, missing: &Missing) -> Option<String> {
        let near = missing.near().or_else(|| {
            let known = self.vars.names();
            let plain = !missing.path.is_empty() && missing.inside.is_none();
            let names = known.iter().map(String::as_str).chain(self.inner.names().functions.iter().copied());
            plain.then(|| crate::base::diagnostic::did_you_mean(&missing.path, names).map(str::to_owned)).flatten()
        })?;
        Some(format!("did you mean `{near}`?"))
    }
}

/// Hands the session to filters and functions.
#[derive(Debug)]
struct Handle(Arc<Session>);

impl Object for Handle {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// A template's root: all variables, which nobody can list, since what an included file gets is only what its own root
/// does not have.
#[derive(Debug)]
pub(super) struct Root(pub Arc<Session>);

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.named_value(key)
    }
}

/// All variables of a host: `vars`, and `hostvars[name]`.
#[derive(Debug)]
pub(super) struct Scope(pub Arc<Session>);

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.named_value(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.vars.names().into_iter().map(Value::from).collect())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}

/// The root of an included text: the including template's own names, then all variables.
#[derive(Debug)]
pub(super) struct Included(pub Value, pub Arc<Session>);

impl Object for Included {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match self.0.get_attr(key) {
            Ok(value) if !value.is_undefined() => Some(value),
            _ => self.1.named_value(key),
        }
    }

    /// What the including template had: a file that this one includes gets it, too.
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.try_iter().into_iter().flatten().collect())
    }
}

/// `hostvars`.
#[derive(Debug)]
struct Hosts(Arc<Session>);

impl Object for Hosts {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.host(key.as_str()?).map(|session| Value::from_object(Scope(session)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.vars.hosts().into_iter().map(Value::from).collect())
    }
}

/// A list as the user wrote it; items are rendered when asked for.
#[derive(Debug)]
struct NodeList(Arc<Session>, Node);

/// A table as the user wrote it; values are rendered when asked for.
#[derive(Debug)]
struct NodeTable(Arc<Session>, Node);

/// An item of a lazy list or table; what is undefined in it becomes a marker.
fn lazily(session: &Arc<Session>, node: &Node) -> Value {
    match session.value(node) {
        Ok(value) => value,
        Err(Trouble::Missing(missing)) => Value::from_object(Marker(missing)),
        Err(trouble) => Value::from(Error::from(trouble)),
    }
}

impl Object for NodeList {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match &self.1.data {
            Data::List(items) => items.get(key.as_usize()?).map(|item| lazily(&self.0, item)),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &self.1.data {
            Data::List(items) => Enumerator::Seq(items.len()),
            _ => Enumerator::Empty,
        }
    }
}

impl NodeTable {
    fn key(&self, name: &str) -> Value {
        if !super::has_marks(name) {
            return Value::from(name);
        }
        match self.0.text(name, &self.1.span) {
            Ok(value) => Value::from(value.to_string()),
            Err(trouble) => Value::from(Error::from(trouble)),
        }
    }
}

impl Object for NodeTable {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let wanted = match key.as_str() {
            Some(text) => text.to_owned(),
            None if key.is_number() => key.to_string(),
            None => return None,
        };
        self.get_value_by_str(&wanted)
    }

    fn get_value_by_str(self: &Arc<Self>, wanted: &str) -> Option<Value> {
        let entries = self.1.entries();
        let found = entries.iter().find(|(key, _)| &*key.name == wanted).or_else(|| {
            entries
                .iter()
                .filter(|(key, _)| super::has_marks(&key.name))
                .find(|(key, _)| self.key(&key.name).as_str() == Some(wanted))
        });
        found.map(|(_, node)| lazily(&self.0, node))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.1.entries().iter().map(|(key, _)| self.key(&key.name)).collect())
    }
}
