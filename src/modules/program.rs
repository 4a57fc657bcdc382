//! Running the host's own tools (`useradd`, `systemctl`, `apt-get`) on a module's behalf.

use super::Result;
use crate::base::Failure;
use crate::system::{Command, Ended, System, Writer};

/// A command line for one of the host's tools, in a language that we can read.
pub(super) fn tool<T: Into<String>>(argv: impl IntoIterator<Item = T>) -> Command {
    let mut command = Command::new(argv);
    command.environment.insert("LC_ALL".into(), "C".into());
    command
}

/// Runs a tool that changes the host; any exit code but 0 is a failure with the tool's own words.
pub(super) fn must(writer: &Writer, command: &Command) -> Result<Ended> {
    let ended = writer.run(command)?;
    if ended.code == 0 { Ok(ended) } else { Err(complaint(command, &ended)) }
}

/// Runs a tool that only reads; any exit code but 0 is a failure with the tool's own words.
pub(super) fn ask(system: &System, command: &Command) -> Result<String> {
    let ended = system.run(command)?;
    if ended.code == 0 { Ok(ended.stdout) } else { Err(complaint(command, &ended)) }
}

/// What a tool said when it failed. Most say it in the last line of stderr, with their name before it.
pub(super) fn complaint(command: &Command, ended: &Ended) -> Failure {
    let name = command.argv.first().map(String::as_str).unwrap_or_default();
    let said = if ended.stderr.trim().is_empty() { ended.stdout.trim() } else { ended.stderr.trim() };
    let said = said.strip_prefix(name).map_or(said, |rest| rest.trim_start_matches([':', ' ']));
    let message = if said.is_empty() { format!("{name} ended with {}", ended.code) } else { format!("{name}: {said}") };
    Failure::new(message)
        .with("rc", ended.code)
        .with("stdout", ended.stdout.as_str())
        .with("stderr", ended.stderr.as_str())
}
