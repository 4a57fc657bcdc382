//! Templates: Jinja in Ansible's dialect, rendered to native values.

mod args;
mod compile;
mod convert;
mod filters;
mod functions;
mod lookups;
mod options;
mod passwords;
mod place;
mod records;
mod session;
mod tests;
mod undefined;

pub use lookups::files_like;
pub use options::TemplateOptions;

use super::{Data, Node, Variables};
use crate::base::{Diagnostic, Map, Source, Span, Value};
use args::Args;
use compile::Compiled;
use minijinja::value::{Kwargs, Rest};
use minijinja::{Environment, Error, State};
use session::{Included, Root, Session, Shared, lock};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use undefined::{Marker, Trouble};

/// What `omit` renders to. The engine removes arguments with this value.
pub const OMIT: &str = "__omit_place_holder__b1a7c9e05d3f4826__";

/// Renders and checks templates. Compiled texts are kept, so one of these serves a whole run; it may be shared by
/// threads.
#[derive(Debug, Clone)]
pub struct Templates {
    inner: Arc<Inner>,
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq)]
pub enum RenderError {
    /// A variable will exist, but its step has not run yet: try again later.
    Wait,
    /// The template or its data is wrong.
    Failed(Box<Diagnostic>),
}

/// A filter, test or function.
type Callable = fn(&mut State<'_, '_>, &Args) -> Result<minijinja::Value, Error>;

/// Names that are known, for "did you mean".
#[derive(Debug, Default)]
struct Names {
    filters: Vec<&'static str>,
    tests: Vec<&'static str>,
    functions: Vec<&'static str>,
}

/// A text that does not compile: what is wrong and where in the text.
#[derive(Debug, Clone)]
struct Broken {
    message: String,
    help: Option<String>,
    range: Option<std::ops::Range<usize>>,
}

/// What compiles a text; on failure with the places of bytes that were added to it.
type Compile = fn(&str) -> Result<Compiled, (Error, Vec<usize>)>;

type Cache<K> = Mutex<HashMap<K, Result<Arc<Compiled>, Broken>>>;

#[derive(Debug)]
struct Inner {
    env: Environment<'static>,
    names: Names,
    inline: Cache<Arc<str>>,
    expressions: Cache<Arc<str>>,
    files: Cache<(PathBuf, Arc<str>, TemplateOptions)>,
    /// Data already made ready for templates, by its address; alive as long as the original is.
    data: Mutex<HashMap<usize, (Weak<Value>, minijinja::Value)>>,
}

/// Whether a text can be a template at all.
fn has_marks(text: &str) -> bool {
    text.contains('{') && (text.contains("{{") || text.contains("{%") || text.contains("{#"))
}

/// Whether a condition is written as a template: `{{ x }}`.
fn is_wrapped(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with("{{") && text.ends_with("}}")) || text.contains("{%")
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Templates {
    /// All filters, tests and functions, and an empty cache.
    pub fn new() -> Self {
        let (env, names) = environment();
        let inner = Inner {
            env,
            names,
            inline: Mutex::default(),
            expressions: Mutex::default(),
            files: Mutex::default(),
            data: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Any node as a native value: `{{ e }}` alone gives e's own value, other templates text. Lists and tables (keys
    /// too) are rendered inside. An `omit` becomes [`OMIT`].
    pub fn render(&self, node: &Node, vars: &Arc<dyn Variables>) -> Result<Value, RenderError> {
        if !node.is_template() {
            return Ok(node.to_value());
        }
        let session = self.session(vars);
        session.finish(render(&session, node))
    }

    /// A condition, as in `when`: a bare expression that gives true or false. Other results are mistakes, as in
    /// ansible-core 2.19.
    pub fn test(&self, condition: &Node, vars: &Arc<dyn Variables>) -> Result<bool, RenderError> {
        let text = match &condition.data {
            Data::Bool(value) => return Ok(*value),
            Data::Text(text) | Data::Unsafe(text) => text,
            _ => {
                let message = format!("a condition is true, false or an expression, not {}", condition.kind());
                return Err(RenderError::Failed(Box::new(Diagnostic::new(message, &condition.span))));
            }
        };
        let session = self.session(vars);
        let value = if is_wrapped(text) {
            session.text(text.trim(), &condition.span)
        } else {
            session.expression(text.trim_end(), &condition.span)
        };
        let value = session.finish(value)?;
        if value.kind() == minijinja::value::ValueKind::Bool {
            return Ok(value.is_true());
        }
        let message = format!("the condition gives {}, not true or false", convert::kind_words(&value));
        let help = match convert::type_name(&value) {
            "str" => "compare it (`x == 'yes'`), ask for its length (`x | length > 0`), or write `x | bool`",
            "int" | "float" => "compare it, as in `x > 0`, or write `x | bool`",
            "list" | "dict" => "ask for its length: `x | length > 0`",
            _ => "compare it, or write `x | bool`",
        };
        Err(RenderError::Failed(Box::new(Diagnostic::new(message, &condition.span).help(help))))
    }

    /// A whole template file's text to text. `{% include %}`, `{% import %}` and `{% extends %}` search
    /// `vars.folders()`.
    pub fn render_text(
        &self,
        name: &Path,
        text: &str,
        options: &TemplateOptions,
        vars: &Arc<dyn Variables>,
    ) -> Result<String, RenderError> {
        let session = self.session(vars);
        let root = minijinja::Value::from_object(Root(session.clone()));
        let rendered = session.whole_file(name, text, options, root);
        session.finish(rendered.map(|(value, text)| value.as_str().map_or(text, str::to_owned)))
    }

    /// Mistakes of syntax, unknown filters and tests in every text of a node; needs no variables.
    pub fn check(&self, node: &Node) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        self.check_into(node, &mut found);
        found
    }

    fn check_into(&self, node: &Node, found: &mut Vec<Diagnostic>) {
        match &node.data {
            Data::Text(text) if has_marks(text) => {
                found.extend(self.inner.inline(text).err().map(|broken| broken.diagnostic(text, &node.span)));
            }
            Data::List(items) => items.iter().for_each(|item| self.check_into(item, found)),
            Data::Table(entries) => {
                for (key, item) in entries.iter() {
                    if has_marks(&key.name) {
                        let broken = self.inner.inline(&key.name).err();
                        found.extend(broken.map(|broken| broken.diagnostic(&key.name, &key.span)));
                    }
                    self.check_into(item, found);
                }
            }
            _ => {}
        }
    }

    /// The same for a condition; a list of conditions is checked item by item.
    pub fn check_condition(&self, node: &Node) -> Vec<Diagnostic> {
        match &node.data {
            Data::List(items) => items.iter().flat_map(|item| self.check_condition(item)).collect(),
            Data::Text(text) if is_wrapped(text) => self.check(node),
            Data::Text(text) => {
                let broken = self.inner.expression(text.trim_end()).err();
                broken.map(|broken| broken.diagnostic(text, &node.span)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The same for a template file.
    pub fn check_text(&self, source: &Arc<Source>, options: &TemplateOptions) -> Vec<Diagnostic> {
        let span = Span::new(source.clone(), 0, source.text.len());
        let broken = self.inner.file(&source.path, &source.text, options).err();
        broken.map(|broken| broken.diagnostic(&source.text, &span)).into_iter().collect()
    }

    fn session(&self, vars: &Arc<dyn Variables>) -> Arc<Session> {
        Session::new(self.inner.clone(), vars.clone(), Arc::new(Shared::default()))
    }
}

/// A node as plain data.
fn render(session: &Arc<Session>, node: &Node) -> Result<Value, Trouble> {
    match &node.data {
        Data::Text(text) if has_marks(text) => {
            let value = session.text(text, &node.span)?;
            session.data(&value, &node.span)
        }
        Data::List(items) => items.iter().map(|item| render(session, item)).collect(),
        Data::Table(entries) => {
            let mut map = Map::new();
            for (key, item) in entries.iter() {
                let name = if has_marks(&key.name) {
                    session.text(&key.name, &key.span)?.to_string()
                } else {
                    key.name.to_string()
                };
                map.insert(name, render(session, item)?);
            }
            Ok(Value::Object(map))
        }
        _ => Ok(node.to_value()),
    }
}

impl Session {
    /// A value as plain data; what is undefined inside of it stands at `span`.
    fn data(&self, value: &minijinja::Value, span: &Span) -> Result<Value, Trouble> {
        convert::to_data(value).map_err(|error| match Trouble::of(&error) {
            Some(Trouble::Missing(missing)) if missing.found.is_none() => {
                Trouble::Failed(Box::new(Diagnostic::new(missing.sentence(), span)))
            }
            Some(trouble) => trouble,
            None => Trouble::Failed(Box::new(place::explain(&error, span, self.inner.names(), ""))),
        })
    }

    /// The text of a file that is part of another, with `root` as its variables.
    fn file(
        self: &Arc<Self>,
        name: &Path,
        text: &str,
        options: &TemplateOptions,
        root: minijinja::Value,
    ) -> Result<String, Trouble> {
        self.in_file(name, text, options, |compiled| self.run_text(compiled, root))
    }

    /// A template file's value, as that of a text between quotes, and its text.
    fn whole_file(
        self: &Arc<Self>,
        name: &Path,
        text: &str,
        options: &TemplateOptions,
        root: minijinja::Value,
    ) -> Result<(minijinja::Value, String), Trouble> {
        let (value, printed) = self.in_file(name, text, options, |compiled| self.run_native(compiled, root))?;
        Ok((Self::ended(value, text), printed))
    }

    fn in_file<T>(
        self: &Arc<Self>,
        name: &Path,
        text: &str,
        options: &TemplateOptions,
        run: impl FnOnce(&Compiled) -> Result<T, Error>,
    ) -> Result<T, Trouble> {
        let span = || Span::new(Source::new(name, text), 0, text.len());
        let compiled = match self.inner.file(name, text, options) {
            Ok(compiled) => compiled,
            Err(broken) => return Err(Trouble::Failed(Box::new(broken.diagnostic(text, &span())))),
        };
        self.enter(&compiled, &name.display().to_string(), &span())?;
        let result = run(&compiled);
        self.leave();
        result.map_err(|error| self.trouble(&error, &compiled, text, &span()))
    }

    /// A result for the caller; whoever met a value that is not there yet has to wait.
    fn finish<T>(&self, result: Result<T, Trouble>) -> Result<T, RenderError> {
        if self.waits() {
            return Err(RenderError::Wait);
        }
        result.map_err(|trouble| match trouble {
            Trouble::Wait => RenderError::Wait,
            Trouble::Failed(diagnostic) => RenderError::Failed(diagnostic),
            Trouble::Missing(missing) => RenderError::Failed(
                missing.found.clone().unwrap_or_else(|| Box::new(Diagnostic::plain(missing.sentence()))),
            ),
        })
    }
}

impl Broken {
    fn new(error: &Error, range: Option<std::ops::Range<usize>>, names: &Names) -> Self {
        let diagnostic = place::explain(error, &Span::nowhere(), names, "");
        Self { message: diagnostic.message, help: diagnostic.help, range }
    }

    fn diagnostic(&self, text: &str, span: &Span) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(&self.message, &place::narrow(span, text, self.range.clone()));
        diagnostic.help.clone_from(&self.help);
        diagnostic
    }
}

impl Inner {
    fn names(&self) -> &Names {
        &self.names
    }

    fn inline(&self, text: &str) -> Result<Arc<Compiled>, Broken> {
        self.cached(&self.inline, text, Compiled::inline)
    }

    fn expression(&self, text: &str) -> Result<Arc<Compiled>, Broken> {
        self.cached(&self.expressions, text, Compiled::expression)
    }

    fn cached(&self, cache: &Cache<Arc<str>>, text: &str, compile: Compile) -> Result<Arc<Compiled>, Broken> {
        if let Some(known) = lock(cache).get(text) {
            return known.clone();
        }
        let result = match compile(text) {
            Ok(compiled) => self.known(compiled),
            Err((error, added)) => {
                let back = |at: usize| at - added.iter().filter(|added| **added < at).count();
                let range = error.range().map(|range| back(range.start)..back(range.end));
                Err(Broken::new(&error, range, &self.names))
            }
        };
        lock(cache).insert(text.into(), result.clone());
        result
    }

    fn file(&self, name: &Path, text: &str, options: &TemplateOptions) -> Result<Arc<Compiled>, Broken> {
        let key = (name.to_owned(), Arc::from(text), options.clone());
        if let Some(known) = lock(&self.files).get(&key) {
            return known.clone();
        }
        let result = match Compiled::file(&name.display().to_string(), text, options) {
            Ok(compiled) => self.known(compiled),
            Err(error) => Err(Broken::new(&error, error.range(), &self.names)),
        };
        lock(&self.files).insert(key, result.clone());
        result
    }

    /// Refuses filters and tests that do not exist, before anything runs.
    fn known(&self, compiled: Compiled) -> Result<Arc<Compiled>, Broken> {
        use minijinja::machinery::Instruction::{ApplyFilter, PerformTest};
        for instructions in std::iter::once(&compiled.instructions).chain(compiled.blocks.values()) {
            let mut at = 0;
            while let Some(instruction) = instructions.get(at) {
                let (what, name, known) = match instruction {
                    ApplyFilter(name, ..) => ("filter", *name, &self.names.filters),
                    PerformTest(name, ..) => ("test", *name, &self.names.tests),
                    _ => {
                        at += 1;
                        continue;
                    }
                };
                let name: String = name.split_whitespace().collect();
                if !name.starts_with("__") && !known.contains(&name.as_str()) {
                    let near = crate::base::diagnostic::did_you_mean(&name, known.iter().copied());
                    let span = instructions.get_span(at);
                    return Err(Broken {
                        message: format!("there is no {what} `{name}`"),
                        help: near.map(|near| format!("did you mean `{near}`?")),
                        range: span.map(|span| compiled.written(span.start_offset as usize..span.end_offset as usize)),
                    });
                }
                at += 1;
            }
        }
        Ok(Arc::new(compiled))
    }

    /// Data made ready for templates, once.
    fn data(&self, data: &Arc<Value>) -> minijinja::Value {
        if !matches!(**data, Value::Array(_) | Value::Object(_)) {
            return convert::from_data(data);
        }
        let address = Arc::as_ptr(data) as usize;
        if let Some((original, value)) = lock(&self.data).get(&address)
            && original.upgrade().is_some_and(|original| Arc::ptr_eq(&original, data))
        {
            return value.clone();
        }
        let value = convert::from_data(data);
        let mut cache = lock(&self.data);
        if cache.len() >= 1024 {
            cache.retain(|_, (original, _)| original.strong_count() > 0);
        }
        cache.insert(address, (Arc::downgrade(data), value.clone()));
        value
    }
}

/// The template engine with everything that Ansible's users expect in it.
fn environment() -> (Environment<'static>, Names) {
    let mut env = Environment::empty();
    let mut names = Names::default();
    env.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    env.set_debug(false);
    // For what `import` and `extends` load; our own texts bring their syntax with them.
    if let Ok(syntax) = TemplateOptions::default().syntax() {
        env.set_syntax(syntax);
    }
    env.set_recursion_limit(120);
    env.set_unknown_method_callback(functions::method);
    env.set_formatter(|out, state, value| {
        let text = match Session::of(state) {
            Some(session) => session.print(value)?,
            None => convert::to_text(value)?,
        };
        out.write_str(&text).map_err(Error::from)
    });
    env.set_loader(functions::load);
    for (name, run) in filters::all() {
        let takes_undefined = filters::TAKES_UNDEFINED.contains(&name);
        let filter = move |state: &mut State<'_, '_>, values: Rest<minijinja::Value>, named: Kwargs| {
            let args = Args::new(name, values.0, &named)?;
            match args.undefined() {
                Some(undefined) if !takes_undefined => Ok(undefined),
                _ => {
                    let result = run(state, &args)?;
                    args.all_asked()?;
                    Ok(result)
                }
            }
        };
        if !name.starts_with("__") {
            names.filters.push(name);
        }
        for prefix in ["ansible.builtin.", "ansible.utils."] {
            env.add_filter(format!("{prefix}{name}"), filter);
        }
        env.add_filter(name, filter);
    }
    for (name, run) in tests::all() {
        let takes_undefined = matches!(name, "defined" | "undefined");
        let test = move |state: &mut State<'_, '_>, values: Rest<minijinja::Value>, named: Kwargs| {
            let args = Args::new(name, values.0, &named)?;
            match args.values.iter().find_map(Marker::of) {
                Some(missing) if !takes_undefined => Err(Trouble::Missing(missing).into()),
                _ => {
                    let result = run(state, &args)?;
                    args.all_asked()?;
                    Ok(result.is_true())
                }
            }
        };
        names.tests.push(name);
        env.add_test(format!("ansible.builtin.{name}"), test);
        env.add_test(name, test);
    }
    for (name, run) in functions::all() {
        let function = move |state: &mut State<'_, '_>, values: Rest<minijinja::Value>, named: Kwargs| {
            let args = Args::new(name, values.0, &named)?;
            args.undefined().map_or_else(|| run(state, &args), Ok)
        };
        if !name.starts_with("__") {
            names.functions.push(name);
        }
        env.add_function(name, function);
    }
    env.add_function("namespace", minijinja::functions::namespace);
    names.functions.push("namespace");
    (env, names)
}

#[cfg(test)]
mod cases;
