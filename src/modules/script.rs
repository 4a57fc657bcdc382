//! `script`: runs a file of the controller on the host.

use super::execution::{Execution, Inline, Streams, When};
use super::loose::Text;
use super::{BlobRef, Controller, Cx, Module, Result};
use crate::base::{Failure, Map, Value};
use crate::system::Traits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Runs a script or program that lies on the controller. On the host it is a file that only its user can read, and only as
/// long as it runs.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Script {
    /// The local file, searched in the role's `files`, and its arguments; also written after `script:`.
    #[serde(default)]
    pub cmd: Option<Text>,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub when: When,
    /// A program that reads the script, with its options; otherwise its first line (`#!`) says.
    #[serde(default)]
    pub executable: Option<String>,
    /// The script's bytes, and the arguments that follow it.
    #[serde(default, rename = "_script", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub script: Option<(BlobRef, Vec<String>)>,
}

impl Module for Script {
    const NAME: &'static str = "script";
    const EXAMPLE: &'static str = "\
- script: check-disk.sh /var/lib/geth
  args:
    executable: /bin/bash";
    const FREE_FORM: Option<&'static str> = Some("cmd");
    type Output = Map;

    fn prepare(mut self, controller: &dyn Controller) -> Result<Self> {
        let inline = Inline::parse(self.cmd.as_ref().map(|line| line.0.as_str()).unwrap_or_default());
        let words = shlex::split(&inline.cmd)
            .ok_or_else(|| Failure::new(format!("cannot split the line: a quote is not closed: {}", inline.cmd)))?;
        let Some((file, arguments)) = words.split_first() else {
            return Err(Failure::new("no script given"));
        };
        let path = controller.find("files", file)?;
        self.script = Some((controller.blob_file(&path)?, arguments.to_vec()));
        self.when = self.when.or(inline.when);
        self.executable = self.executable.or(inline.executable);
        self.cmd = Some(Text(inline.cmd));
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let Some((blob, arguments)) = &self.script else { return Err(Failure::new("no script given")) };
        let line = self.cmd.as_ref().map(|line| line.0.clone()).unwrap_or_default();
        let execution = Execution {
            cmd: Value::from(line.as_str()),
            shown: line,
            when: self.when.clone(),
            streams: Streams::default(),
        };
        let interpreter = shlex::split(self.executable.as_deref().unwrap_or_default()).unwrap_or_default();
        let folder = cx.system.expand(&cx.system.variable("TMPDIR").unwrap_or_else(|| "/tmp".into()))?;
        let blobs = cx.blobs();
        execution.perform(cx, |writer| {
            let mut bytes = blobs.open(blob)?;
            // It never gets its name: dropped, the temporary file is removed.
            let staged = writer.stage(&folder.join("script"), &mut bytes, Some(&blob.sha256), Traits::mode(0o700))?;
            let mut argv = interpreter;
            argv.push(staged.path().to_string_lossy().into_owned());
            argv.extend(arguments.iter().cloned());
            Ok((argv, Some(staged)))
        })
    }
}
