//! What a subcommand answers: lines for people, JSON for machines, and one clear error.

use crate::base::{Failure, Map, Value, failure::Result};
use crate::report::show::clean;
use crate::run::prompt;
use crate::system::System;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Prints the answer, or the error; the exit code is 0 or 1.
pub fn give(answer: Result<Map>, json: bool) -> ExitCode {
    match answer {
        Ok(answer) => {
            print(&if json { pretty(&answer) } else { lines(&answer) });
            ExitCode::SUCCESS
        }
        Err(failure) => refuse(&failure),
    }
}

/// The same for a single text: people get it bare, as scripts take it.
pub fn give_one(name: &str, answer: Result<String>, json: bool) -> ExitCode {
    match answer {
        Ok(text) if !json => {
            print(&(text + "\n"));
            ExitCode::SUCCESS
        }
        answer => give(answer.map(|text| [(name.to_owned(), text.into())].into_iter().collect()), json),
    }
}

/// Prints an error and what to do about it. Ctrl-C at a question is Ansible's 99.
pub fn refuse(failure: &Failure) -> ExitCode {
    eprintln!("error: {}", clean(&failure.message));
    if failure.message == prompt::INTERRUPTED {
        return ExitCode::from(crate::run::INTERRUPTED);
    }
    // There is no task here that could become somebody else.
    if let Some(help) = failure.help.as_ref().filter(|help| !help.contains("`become: true`")) {
        eprintln!("help: {}", clean(help));
    }
    ExitCode::FAILURE
}

/// Prints something odd that is no reason to stop.
pub fn warn(text: &str) {
    eprintln!("warning: {}", clean(text));
}

/// Tells how it goes, on standard error. The text may be that of strangers.
pub fn progress(line: &str) {
    eprintln!("{}", clean(line));
}

/// What runs until a signal comes: a container's first process is not ended by one that it does not receive.
pub fn interruptible() -> Result<(System, Arc<AtomicBool>)> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| Failure::new(format!("signals cannot be received: {error}")))?;
    }
    Ok((System::new("/").with_cancel(Arc::clone(&stop)), stop))
}

/// Prints to standard output. A reader that went away is no mistake.
pub fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// As JSON, with a newline.
pub fn pretty(answer: &Map) -> String {
    let mut text = serde_json::to_string_pretty(answer).unwrap_or_default();
    text.push('\n');
    text
}

/// One line a value, the names in a column; what is null is left out.
fn lines(answer: &Map) -> String {
    let widest = answer.keys().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in answer {
        let values = match value {
            Value::Null => continue,
            Value::Array(items) if items.iter().all(Value::is_string) => items.clone(),
            other => vec![other.clone()],
        };
        for (number, value) in values.iter().enumerate() {
            let name = if number == 0 { name.replace('_', " ") } else { String::new() };
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = writeln!(text, "{name:widest$}  {value}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn people_get_columns() {
        let Value::Object(answer) =
            json!({"path": "/k", "node_id": "ab", "enode": null, "notes": ["one", "two"], "tcp": 1})
        else {
            unreachable!()
        };
        insta::assert_snapshot!(lines(&answer), @r"
        path     /k
        node id  ab
        notes    one
                 two
        tcp      1
        ");
    }
}
