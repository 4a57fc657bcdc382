//! `script`: runs a file of the controller on the host.

use super::content::refuse_vault;
use super::execution::{Execution, Inline, Streams, When};
use super::loose::{Flag, Text, yes};
use super::{BlobRef, Controller, Cx, Module, Result};
use crate::base::{Failure, Map, Value};
use crate::system::{System, Traits};
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
    /// `false`: take a script that is encrypted with vault as it is.
    #[serde(default = "yes")]
    pub decrypt: Flag,
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
        if self.decrypt.0 {
            refuse_vault(&System::new("/"), &std::path::absolute(&path).unwrap_or_else(|_| path.clone()))?;
        }
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
        if let Some(why) = execution.spared(cx.system)? {
            // Unlike `command`, which says that all is well.
            return Ok(Map::from_iter([("skipped".to_owned(), true.into()), ("msg".to_owned(), why.into())]));
        }
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

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::json;

    #[test]
    fn a_script_whose_work_is_done_is_skipped() {
        let host = Host::new();
        host.local("files/make.sh", "#!/no/such/program\n");
        host.file("/done", "");
        let outcome = host.run("script", json!({"cmd": "make.sh now creates=/done"})).unwrap();
        assert_output(&outcome.output, json!({"skipped": true, "msg": "skipped, since /done exists"}));
        assert!(!outcome.changed());
    }

    #[test]
    fn an_encrypted_script_is_refused() {
        let host = Host::new();
        host.local("files/secret.sh", "$ANSIBLE_VAULT;1.1;AES256\n00\n");
        assert!(host.fails("script", json!({"cmd": "secret.sh"})).contains("encrypted with vault"));
    }
}
