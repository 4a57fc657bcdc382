//! `command`: runs a program, without a shell.

use super::execution::{Execution, Inline, Streams, When};
use super::loose::{Flag, Text, Words, yes};
use super::{Cx, Module, Result};
use crate::base::{Failure, Map, Value};
use crate::system::System;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Runs a program on the host. No shell reads the line: `|`, `>`, `*` and `&&` mean nothing. `$HOME` and `~` are expanded.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// The program and its arguments as one line; also written after `command:`, with `chdir=`, `creates=` and `removes=` at
    /// its ends.
    #[serde(default)]
    pub cmd: Option<Text>,
    /// The program and its arguments as a list: nothing needs quoting.
    #[serde(default)]
    pub argv: Option<Words>,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub when: When,
    /// Accepted for Ansible's sake; only `shell` uses it.
    #[serde(default)]
    pub executable: Option<String>,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub streams: Streams,
    /// Expand `$NAME` and `~` in the arguments.
    #[serde(default = "yes")]
    pub expand_argument_vars: Flag,
}

impl Module for Command {
    const NAME: &'static str = "command";
    const EXAMPLE: &'static str = "\
- command: geth init --datadir /var/lib/geth genesis.json
  args:
    chdir: /etc/geth
    creates: /var/lib/geth/geth/chaindata
- command:
    argv: [echo, a b, \"$HOME\"]";
    const FREE_FORM: Option<&'static str> = Some("cmd");
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let (argv, inline) = match (&self.cmd, &self.argv) {
            (Some(_), Some(_)) => return Err(Failure::new("command takes `cmd` or `argv`, not both")),
            (Some(Text(line)), None) => {
                let inline = Inline::parse(line);
                let argv = shlex::split(&inline.cmd).ok_or_else(|| {
                    Failure::new(format!("cannot split the command: a quote is not closed: {}", inline.cmd))
                })?;
                (argv, inline)
            }
            (None, Some(argv)) => (argv.0.clone(), Inline::default()),
            (None, None) => (Vec::new(), Inline::default()),
        };
        if argv.is_empty() {
            return Err(Failure::new("no command given").with("rc", 256));
        }
        // The result tells what was written.
        let cmd = argv.iter().map(String::as_str).collect::<Value>();
        let argv: Vec<String> = if self.expand_argument_vars.0 {
            argv.iter().map(|word| expand(cx.system, word)).collect::<Result<_>>()?
        } else {
            argv
        };
        let execution = Execution {
            cmd,
            shown: shlex::try_join(argv.iter().map(String::as_str)).unwrap_or_else(|_| argv.join(" ")),
            when: self.when.or(inline.when),
            streams: self.streams.or(inline.stdin),
        };
        execution.perform(cx, |_| Ok((argv, None)))
    }
}

/// Variables and a leading `~`, and nothing else: an argument need not be a path.
fn expand(system: &System, word: &str) -> Result<String> {
    let text = system.expand_variables(word);
    Ok(match text.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{}{rest}", system.home()?.display()),
        _ => text,
    })
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::{call, call_on};
    use crate::system::System;
    use serde_json::{Value, json};

    /// Runs on this machine: `true`, `echo` and the like are everywhere.
    fn here(args: Value, check: bool) -> super::Result<crate::base::Outcome> {
        call_on(&System::new("/"), "command", args, check)
    }

    #[test]
    fn a_program_is_run_and_its_outputs_returned() {
        let outcome = here(json!({"cmd": "printf 'a  b\\nc\\n\\n'"}), false).unwrap();
        assert!(outcome.changed());
        let output = outcome.output;
        assert_eq!(output["stdout"], "a  b\nc");
        assert_eq!(output["stdout_lines"], json!(["a  b", "c"]));
        assert_eq!(output["rc"], 0);
        assert_eq!(output["cmd"], json!(["printf", "a  b\\nc\\n\\n"]));
        assert!(output["delta"].as_str().unwrap().starts_with("0:00:0"));
    }

    #[test]
    fn a_failing_program_tells_what_it_said() {
        let failure = here(json!({"argv": ["sh", "-c", "echo no >&2; exit 3"]}), false).unwrap_err();
        assert_eq!(failure.message, "non-zero return code");
        assert_eq!((&failure.output["rc"], &failure.output["stderr"]), (&json!(3), &json!("no")));
    }

    #[test]
    fn a_program_whose_work_is_done_does_not_run() {
        let outcome = here(json!({"cmd": "false creates=/etc/pass*d"}), false).unwrap();
        assert!(!outcome.changed());
        assert_eq!(outcome.output["stdout"], "skipped, since /etc/pass*d exists");
        assert!(!here(json!({"cmd": "false", "removes": "/no/such"}), false).unwrap().changed());
    }

    #[test]
    fn checking_skips_what_cannot_be_predicted_and_predicts_the_rest() {
        let outcome = here(json!({"cmd": "false"}), true).unwrap();
        assert_eq!(outcome.output["skipped"], true);
        assert!(!outcome.changed());
        let outcome = here(json!({"cmd": "false", "creates": "/no/such"}), true).unwrap();
        assert!(outcome.changed() && !outcome.output.contains_key("skipped"));
    }

    #[test]
    fn stdin_and_folder_reach_the_program() {
        let outcome = here(json!({"cmd": "sh -c 'pwd; cat'", "chdir": "/usr", "stdin": "in"}), false).unwrap();
        assert_eq!(outcome.output["stdout_lines"], json!(["/usr", "in"]));
        assert!(here(json!({"cmd": "true", "chdir": "/no/such"}), false).unwrap_err().message.contains("/no/such"));
    }

    #[test]
    fn nothing_to_run_is_said_so() {
        assert_eq!(call("command", json!({})).unwrap_err().message, "no command given");
        assert!(call("command", json!({"cmd": "echo 'x"})).unwrap_err().message.contains("quote"));
    }
}
