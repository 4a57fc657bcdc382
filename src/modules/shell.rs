//! `shell` and `raw`: a line for the host's shell.

use super::execution::{Execution, Inline, Streams, When};
use super::loose::Text;
use super::{Cx, Module, Result};
use crate::base::{Failure, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Gives a line to the host's shell: pipes, redirections and patterns work. `raw` is the same module: the agent that runs
/// everything needs nothing on the host, so there is nothing to go around.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Shell {
    /// The line or script; also written after `shell:`, with `chdir=`, `creates=` and `removes=` at its ends.
    #[serde(default)]
    pub cmd: Option<Text>,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub when: When,
    /// The shell, an absolute path.
    #[serde(default)]
    pub executable: Option<String>,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub streams: Streams,
}

impl Module for Shell {
    const NAME: &'static str = "shell";
    const ALSO: &'static [&'static str] = &["raw"];
    const EXAMPLE: &'static str = "\
- shell: journalctl -u geth -o cat | grep -c 'Sealed new block'
  register: sealed
  changed_when: false";
    const FREE_FORM: Option<&'static str> = Some("cmd");
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let inline = self.cmd.as_ref().map(|line| Inline::parse(&line.0)).unwrap_or_default();
        if inline.cmd.trim().is_empty() {
            return Err(Failure::new("no command given").with("rc", 256));
        }
        let shell = self.executable.clone().or(inline.executable).unwrap_or_else(|| "/bin/sh".into());
        let execution = Execution {
            cmd: Value::from(inline.cmd.as_str()),
            shown: inline.cmd.clone(),
            when: self.when.or(inline.when),
            streams: self.streams.or(inline.stdin),
        };
        execution.perform(cx, |_| Ok((vec![shell, "-c".into(), inline.cmd], None)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call_on;
    use crate::system::System;
    use serde_json::json;

    #[test]
    fn a_line_is_read_by_the_shell() {
        let args = json!({"cmd": "echo one two | wc -w && pwd chdir=/usr"});
        let outcome = call_on(&System::new("/"), "raw", args, false).unwrap();
        assert_eq!(outcome.output["stdout_lines"], json!(["2", "/usr"]));
        assert_eq!(outcome.output["cmd"], "echo one two | wc -w && pwd");
    }

    #[test]
    fn another_shell_may_be_asked_for() {
        let args = json!({"cmd": "echo $0", "executable": "/bin/bash"});
        let outcome = call_on(&System::new("/"), "shell", args, false).unwrap();
        assert_eq!(outcome.output["stdout"], "/bin/bash");
    }
}
