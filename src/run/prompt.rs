//! `vars_prompt`: questions asked before a play begins.

use super::context::{Context, Missing, text, truth};
use super::screen::Screen;
use crate::base::{Failure, Secret, Value};
use crate::language::layers::{Table, Var};
use crate::language::playbook::Play;
use crate::language::variables::Variables;
use std::io::{BufRead, IsTerminal, Write};
use std::sync::Arc;

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

/// Reads a line from the terminal; a `private` one is not shown while it is typed.
pub fn read(prompt: &str, private: bool) -> Result<String, Failure> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = std::io::stdin();
    eprint!("{prompt}");
    let _ = std::io::stderr().flush();
    let before = if private { tcgetattr(&stdin).ok() } else { None };
    if let Some(before) = &before {
        let mut quiet = before.clone();
        quiet.local_modes &= !LocalModes::ECHO;
        let _ = tcsetattr(&stdin, OptionalActions::Flush, &quiet);
    }
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    if let Some(before) = &before {
        let _ = tcsetattr(&stdin, OptionalActions::Flush, before);
        eprintln!();
    }
    read.map_err(|error| Failure::new(format!("the terminal cannot be read: {error}")))?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}
