//! `tempfile`: a file or folder with a name that nothing else has.

use super::attributes::describe;
use super::{Cx, Module, Reach, Result};
use crate::base::{Diff, Failure, Map};
use crate::system::Traits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Makes an empty file or folder that only its owner can use, and returns its `path`. Each run makes another one; remove
/// it with `file: {state: absent}`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct TempFile {
    /// A file or a folder.
    #[serde(default)]
    pub state: State,
    /// The folder for it; `$TMPDIR` or `/tmp` if left out.
    #[serde(default)]
    pub path: Option<String>,
    /// How its name begins.
    #[serde(default = "prefix")]
    pub prefix: String,
    /// How its name ends.
    #[serde(default)]
    pub suffix: String,
}

/// What to make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A file.
    #[default]
    File,
    /// A folder.
    Directory,
}

fn prefix() -> String {
    "ansible.".into()
}

impl Module for TempFile {
    const NAME: &'static str = "tempfile";
    const EXAMPLE: &'static str = "\
- tempfile: {state: directory, suffix: build}
  register: build";
    const REACH: Reach = Reach::Host;
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        for (option, text) in [("prefix", &self.prefix), ("suffix", &self.suffix)] {
            if text.contains('/') {
                return Err(Failure::new(format!("`{option}` is a part of the file's name, `{text}` is not"))
                    .help("name the folder in `path`"));
            }
        }
        let folder = match &self.path {
            Some(path) => cx.system.expand(path)?,
            None => cx.system.variable("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from),
        };
        if !cx.check && !cx.system.is_folder(&folder)? {
            return Err(Failure::new(format!("{}: there is no such folder for temporary files", folder.display())));
        }
        let mut random = [0; 5];
        getrandom::fill(&mut random).map_err(|error| Failure::new(format!("no random numbers: {error}")))?;
        let random = crate::system::checksum::hex(&random);
        let path = folder.join(format!("{}{random}{}", self.prefix, self.suffix));
        let (word, mode) = match self.state {
            State::File => ("file", 0o600),
            State::Directory => ("directory", 0o700),
        };
        // The name would be another one in the run that follows a check.
        let diff = Diff::action(format!("a temporary {word} in {}", folder.display()));
        cx.change(diff, |writer| match self.state {
            State::File => writer.write(&path, b"", Traits::mode(mode)),
            State::Directory => writer.folder(&path, Traits::mode(mode)),
        })?;
        let mut output = describe(cx.system, &path)?;
        output.insert("path".into(), path.display().to_string().into());
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::json;

    #[test]
    fn each_run_makes_another_private_one() {
        let host = Host::new();
        host.folder("/scratch");
        let args = json!({"path": "/scratch", "state": "directory", "suffix": ".d"});
        let predicted = host.check("tempfile", args.clone()).unwrap();
        let (one, two) = (host.run("tempfile", args.clone()).unwrap(), host.run("tempfile", args).unwrap());
        assert_eq!(predicted.diffs, one.diffs);
        assert_ne!(one.output["path"], two.output["path"]);
        assert_output(&one.output, json!({"mode": "0700", "state": "directory"}));
        assert_eq!(one.output["path"].as_str().unwrap().rsplit('.').next(), Some("d"));
        assert!(host.fails("tempfile", json!({"path": "/no"})).contains("no such folder"));
    }

    #[test]
    fn a_prefix_does_not_lead_out_of_the_folder() {
        let failure = Host::new().fails("tempfile", json!({"path": "/tmp", "prefix": "../etc/"}));
        assert!(failure.starts_with("`prefix` is a part of the file's name"), "{failure}");
    }
}
