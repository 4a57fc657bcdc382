//! Questions on the terminal: `vars_prompt` before a play begins, passwords, `pause`.

use super::context::{Context, Missing, text, truth};
use super::screen::Screen;
use crate::base::{Failure, Secret, Value};
use crate::language::layers::{Table, Var};
use crate::language::playbook::Play;
use crate::language::variables::Variables;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{BufRead, IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::channel;

/// The message of a failure that is Ctrl-C.
pub const INTERRUPTED: &str = "interrupted";

/// Asks what `-e` has not answered. Without a terminal the default is taken, as Ansible does.
pub fn ask(
    context: &Context,
    play: &Play,
    extra: &Table,
    vars: &Arc<dyn Variables>,
    screen: &mut Screen,
) -> Result<Table, Failure> {
    let mut answers = Table::default();
    for question in &play.vars_prompt {
        let value = match context.render(question, vars) {
            Ok(value) => value,
            Err(Missing::Failed(failure)) => return Err(failure),
            Err(Missing::Wait) => continue,
        };
        let name = value.get("name").and_then(text);
        let Some(name) = name.or_else(|| text(&value)) else {
            return Err(Failure::new(format!("a question of `vars_prompt` needs a `name` ({})", question.span)));
        };
        if extra.contains_key(&name) {
            continue;
        }
        let prompt = value.get("prompt").and_then(text).unwrap_or_else(|| name.clone());
        let default = value.get("default").and_then(text);
        let private = value.get("private").and_then(truth).unwrap_or(true);
        let answer = if std::io::stdin().is_terminal() {
            screen.hush();
            let shown = default.as_ref().map(|default| format!(" [{default}]")).unwrap_or_default();
            read(&format!("{prompt}{shown}: "), private)?
        } else {
            String::new()
        };
        let answer = if answer.is_empty() { default.unwrap_or_default() } else { answer };
        if private {
            screen.mask.add(&Secret::new(answer.clone()));
        }
        answers.insert(name, Var::Value(Arc::new(Value::String(answer))));
    }
    Ok(answers)
}

/// Reads a line from the terminal; a `private` one is not shown while it is typed. Ctrl-C is a failure, and leaves the
/// terminal as it was.
pub fn read(prompt: &str, private: bool) -> Result<String, Failure> {
    let (answer, came) = channel();
    let interrupted = answer.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| Failure::new(format!("the terminal cannot be watched: {error}")))?;
    let listening = signals.handle();
    std::thread::spawn(move || signals.forever().try_for_each(|_| interrupted.send(None)));
    let quiet = private.then(Quiet::begin).flatten();
    eprint!("{prompt}");
    let _ = std::io::stderr().flush();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let _ = answer.send(Some(read.map(|_| line)));
    });
    let line = came.recv();
    listening.close();
    if quiet.is_some() {
        eprintln!();
    }
    match line {
        Ok(Some(Ok(line))) => Ok(line.trim_end_matches(['\n', '\r']).to_owned()),
        Ok(Some(Err(error))) => Err(Failure::new(format!("the terminal cannot be read: {error}"))),
        Ok(None) | Err(_) => Err(Failure::new(INTERRUPTED)),
    }
}

/// A terminal that does not show what is typed, until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> Option<Self> {
        let before = tcgetattr(std::io::stdin()).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes &= !LocalModes::ECHO;
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet).ok()?;
        Some(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}
