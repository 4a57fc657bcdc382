//! What `command`, `shell`, `raw` and `script` share: when not to run, how to run, what to return.

use super::loose::{Flag, Text, yes};
use super::{Cx, Result};
use crate::base::{Diff, Failure, Map, Value};
use crate::system::{Command, Ended, System};
use jiff::Zoned;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where to run, and when not: options of everything that runs a program. Put it into a module's struct with
/// `#[serde(flatten)]`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct When {
    /// The folder to run in.
    #[serde(default)]
    pub chdir: Option<String>,
    /// A path or pattern: if it exists, nothing is run.
    #[serde(default)]
    pub creates: Option<String>,
    /// A path or pattern: if it does not exist, nothing is run.
    #[serde(default)]
    pub removes: Option<String>,
}

impl When {
    /// These, and where one is left out, the other's.
    #[must_use]
    pub fn or(&self, other: Self) -> Self {
        Self {
            chdir: self.chdir.clone().or(other.chdir),
            creates: self.creates.clone().or(other.creates),
            removes: self.removes.clone().or(other.removes),
        }
    }
}

/// What a program reads and how its outputs are returned: options of `command` and `shell`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Streams {
    /// What is read on the standard input.
    #[serde(default)]
    pub stdin: Option<Text>,
    /// End `stdin` with a newline.
    #[serde(default = "yes")]
    pub stdin_add_newline: Flag,
    /// Take empty lines from the end of the outputs.
    #[serde(default = "yes")]
    pub strip_empty_ends: Flag,
}

impl Default for Streams {
    fn default() -> Self {
        Self { stdin: None, stdin_add_newline: yes(), strip_empty_ends: yes() }
    }
}

impl Streams {
    /// These, and the standard input that free text names if they have none.
    #[must_use]
    pub fn or(&self, stdin: Option<String>) -> Self {
        Self { stdin: self.stdin.clone().or(stdin.map(Text)), ..self.clone() }
    }
}

/// A program that a user asked for.
#[derive(Debug, Default)]
pub(super) struct Execution {
    /// What the result's `cmd` says: a text or a list.
    pub cmd: Value,
    /// What to say in the diff.
    pub shown: String,
    /// Where, and when not.
    pub when: When,
    /// What it reads and prints.
    pub streams: Streams,
}

impl Execution {
    /// Runs what `argv` makes, unless `creates` or `removes` or check mode say otherwise.
    pub fn perform(
        self,
        cx: &mut Cx,
        argv: impl FnOnce(&crate::system::Writer) -> Result<(Vec<String>, Option<crate::system::Staged>)>,
    ) -> Result<Map> {
        let folder = self.folder(cx.system)?;
        if let Some(folder) = &folder
            && !cx.system.is_folder(folder)?
        {
            return Err(Failure::new(format!("cannot run in {}: there is no such folder", folder.display()))
                .with("cmd", self.cmd)
                .with("rc", 257));
        }
        if let Some(why) = self.spared(cx.system)? {
            return Ok(result(&self.cmd, &Ended { stdout: why.clone(), ..Ended::default() }, None, &why, true));
        }
        if cx.check && self.when.creates.is_none() && self.when.removes.is_none() {
            let why = "Command would have run if not in check mode";
            let mut output = result(&self.cmd, &Ended::default(), None, why, true);
            output.insert("skipped".into(), true.into());
            output.insert("changed".into(), false.into());
            return Ok(output);
        }
        let lines = cx.lines();
        let started = Zoned::now();
        let ended = cx.change(Diff::action(format!("run: {}", self.shown)), |writer| {
            // The script of `script` lives as long as the program runs.
            let (argv, _staged) = argv(writer)?;
            let newline = if self.streams.stdin_add_newline.0 { "\n" } else { "" };
            let command = Command {
                argv,
                folder: folder.map(|folder| folder.to_string_lossy().into_owned()),
                stdin: self.streams.stdin.as_ref().map(|text| format!("{}{newline}", text.0).into_bytes()),
                ..Command::default()
            };
            writer.run_streaming(&command, lines).map_err(|failure| {
                let times = result(&self.cmd, &Ended::default(), Some(&started), &failure.message, true);
                times
                    .into_iter()
                    .filter(|(name, _)| name != "rc")
                    .fold(failure, |failure, (name, value)| failure.with(&name, value))
            })
        })?;
        let Some(ended) = ended else {
            let why = "Command would have run if not in check mode";
            return Ok(result(&self.cmd, &Ended::default(), None, why, true));
        };
        if ended.code == 0 {
            return Ok(result(&self.cmd, &ended, Some(&started), "", self.streams.strip_empty_ends.0));
        }
        let mut failure = Failure::new("non-zero return code");
        failure.output =
            result(&self.cmd, &ended, Some(&started), "non-zero return code", self.streams.strip_empty_ends.0);
        failure.output.insert("changed".into(), true.into());
        Err(failure)
    }

    fn folder(&self, system: &System) -> Result<Option<PathBuf>> {
        self.when.chdir.as_deref().map(|chdir| system.expand(chdir)).transpose()
    }

    /// Why it need not run.
    pub fn spared(&self, system: &System) -> Result<Option<String>> {
        let folder = self.folder(system)?;
        let there = |pattern: &str| -> Result<bool> {
            let pattern = match &folder {
                Some(folder) if !pattern.starts_with(['/', '~', '$']) => folder.join(pattern),
                _ => system.expand(pattern)?,
            };
            Ok(!system.glob(&pattern)?.is_empty())
        };
        if let Some(creates) = &self.when.creates
            && there(creates)?
        {
            return Ok(Some(format!("skipped, since {creates} exists")));
        }
        if let Some(removes) = &self.when.removes
            && !there(removes)?
        {
            return Ok(Some(format!("skipped, since {removes} does not exist")));
        }
        Ok(None)
    }
}

fn result(cmd: &Value, ended: &Ended, started: Option<&Zoned>, message: &str, strip: bool) -> Map {
    let text = |text: &str| if strip { text.trim_end_matches(['\r', '\n']).to_owned() } else { text.to_owned() };
    let (stdout, stderr) = (text(&ended.stdout), text(&ended.stderr));
    let now = started.map(|_| Zoned::now());
    let time = |time: Option<&Zoned>| time.map(|time| time.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string());
    let micros = started
        .zip(now.as_ref())
        .map(|(start, end)| end.timestamp().as_microsecond().saturating_sub(start.timestamp().as_microsecond()));
    Map::from_iter([
        ("cmd".to_owned(), cmd.clone()),
        ("stdout_lines".to_owned(), lines(&stdout)),
        ("stderr_lines".to_owned(), lines(&stderr)),
        ("stdout".to_owned(), stdout.into()),
        ("stderr".to_owned(), stderr.into()),
        ("rc".to_owned(), ended.code.into()),
        ("start".to_owned(), time(started).into()),
        ("end".to_owned(), time(now.as_ref()).into()),
        ("delta".to_owned(), micros.map(delta).into()),
        ("msg".to_owned(), message.into()),
    ])
}

/// The lines of a text as a list.
pub(super) fn lines(text: &str) -> Value {
    text.lines().collect()
}

/// Microseconds as `0:00:01.204500`.
fn delta(micros: i64) -> String {
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    format!("{}:{:02}:{:02}.{micros:06}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The options that free text may carry before or after the command: `make all creates=/opt/all`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inline {
    /// The command itself.
    pub cmd: String,
    pub when: When,
    pub executable: Option<String>,
    pub stdin: Option<String>,
}

impl Inline {
    /// Takes the options from both ends of a command; what stands in its middle is the command's.
    pub fn parse(text: &str) -> Self {
        let mut inline = Self::default();
        let words = words(text);
        let (mut start, mut end) = (0, words.len());
        while start < end && inline.take(&text[words[start].clone()]) {
            start += 1;
        }
        while start < end && inline.take(&text[words[end - 1].clone()]) {
            end -= 1;
        }
        if (start, end) == (0, words.len()) {
            text.clone_into(&mut inline.cmd);
        } else if start < end {
            text[words[start].start..words[end - 1].end].clone_into(&mut inline.cmd);
        }
        inline
    }

    fn take(&mut self, word: &str) -> bool {
        let Some((name, value)) = word.split_once('=') else { return false };
        let slot = match name {
            "chdir" => &mut self.when.chdir,
            "creates" => &mut self.when.creates,
            "removes" => &mut self.when.removes,
            "executable" => &mut self.executable,
            "stdin" => &mut self.stdin,
            _ => return false,
        };
        if slot.is_some() {
            return false;
        }
        let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        *slot = Some(quoted.unwrap_or(value).to_owned());
        true
    }
}

/// Where the words of a command line are; quotes hold a word together.
fn words(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut words = Vec::new();
    let (mut start, mut quote, mut escaped) = (None, None, false);
    for (index, character) in text.char_indices() {
        if character.is_whitespace() && quote.is_none() && !escaped {
            words.extend(start.take().map(|start| start..index));
            continue;
        }
        start = start.or(Some(index));
        match (quote, character) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    words.extend(start.map(|start| start..text.len()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_stand_at_the_ends_of_free_text() {
        let inline = Inline::parse("chdir=/src  make  all creates='/opt/my app' removes=/x");
        assert_eq!(inline.cmd, "make  all");
        assert_eq!(inline.when.chdir.as_deref(), Some("/src"));
        assert_eq!(inline.when.creates.as_deref(), Some("/opt/my app"));
        assert_eq!(inline.when.removes.as_deref(), Some("/x"));
    }

    #[test]
    fn what_is_not_at_an_end_belongs_to_the_command() {
        for text in ["dd if=/dev/zero of=/x", "echo creates=/x done", "echo 'a creates=/x'", " ls\n", ""] {
            assert_eq!(Inline::parse(text), Inline { cmd: text.into(), ..Inline::default() });
        }
    }

    #[test]
    fn a_duration_is_told_as_ansible_does() {
        assert_eq!(delta(3_661_000_042), "1:01:01.000042");
    }
}
