//! `assemble`: one file made of the fragments in a folder.

use super::attributes::Attributes;
use super::content::{Content, Replacing, put};
use super::copy::report;
use super::file::unknown;
use super::loose::{Flag, Text, yes};
use super::{BlobRef, Controller, Cx, Module, Reach, Result};
use crate::base::failure::Context;
use crate::base::python_regex::{self, Flags};
use crate::base::{Failure, Map};
use crate::system::System;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Joins the files of a folder, in the order of their names, into one file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Assemble {
    /// The folder with the fragments.
    pub src: Text,
    /// The file to make.
    pub dest: Text,
    /// `false`: `src` is on the controller.
    #[serde(default = "yes")]
    pub remote_src: Flag,
    /// A line between fragments; `\n` and `\t` in it are a newline and a tab.
    #[serde(default)]
    pub delimiter: Option<Text>,
    /// Only files whose name matches this regular expression.
    #[serde(default)]
    pub regexp: Option<Text>,
    /// Leave out files whose name begins with a dot.
    #[serde(default)]
    pub ignore_hidden: Flag,
    /// Accepted for playbooks that have it: fragments that are encrypted with vault are refused.
    #[serde(default = "yes")]
    pub decrypt: Flag,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub replacing: Replacing,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub attributes: Attributes,
    #[serde(default, rename = "_blob", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    blob: Option<BlobRef>,
}

impl Module for Assemble {
    const NAME: &'static str = "assemble";
    const EXAMPLE: &'static str = "- assemble: {src: /etc/geth/peers.d, dest: /etc/geth/peers.txt, regexp: '\\.txt$'}";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] = &[("attr", "attributes")];
    type Output = Map;

    fn prepare(mut self, controller: &dyn Controller) -> Result<Self> {
        if !self.remote_src.0 {
            let found = controller.find("files", self.src.0.trim_end_matches('/'))?;
            let found = std::path::absolute(&found).context(found.display())?;
            self.blob = Some(controller.blob(self.assembled(&System::new("/"), &found)?));
        }
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let path = cx.system.resolve(&cx.system.expand(&self.dest.0)?)?;
        let how = self.replacing.how(&path, &self.attributes);
        let done = if let Some(blob) = &self.blob {
            put(cx, how, Content::Blob(blob))?
        } else {
            let src = cx.system.expand(&self.src.0)?;
            if cx.check && !cx.system.exists(&src)? {
                return Ok(unknown(&src));
            }
            let bytes = self.assembled(cx.system, &src)?;
            put(cx, how, Content::Bytes(&bytes))?
        };
        let mut output = report(cx, &path, Some(&self.src.0), done)?;
        output.insert("msg".into(), "OK".into());
        Ok(output)
    }
}

impl Assemble {
    fn assembled(&self, system: &System, folder: &Path) -> Result<Vec<u8>> {
        if !system.is_folder(folder)? {
            return Err(Failure::new(format!("{}: it is no folder with fragments", folder.display())));
        }
        let regexp = self.regexp.as_ref().map(|text| python_regex::compile(&text.0, Flags::default())).transpose()?;
        let delimiter = self.delimiter.as_ref().map(|text| text.0.replace("\\n", "\n").replace("\\t", "\t"));
        let mut whole: Vec<u8> = Vec::new();
        let mut first = true;
        for path in system.list(folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let wanted = match &regexp {
                Some(regexp) => python_regex::is_match(regexp, &name)?,
                None => true,
            };
            let file = system.meta_followed(&path)?.is_some_and(|meta| meta.is_file());
            if !wanted || !file || (self.ignore_hidden.0 && name.starts_with('.')) {
                continue;
            }
            let fragment = system.read(&path)?;
            if fragment.starts_with(b"$ANSIBLE_VAULT") {
                return Err(Failure::new(format!("{}: it is encrypted with vault", path.display())));
            }
            if !first && !whole.ends_with(b"\n") {
                whole.push(b'\n');
            }
            if let (false, Some(delimiter)) = (first, &delimiter) {
                whole.extend_from_slice(delimiter.as_bytes());
                if !delimiter.ends_with('\n') {
                    whole.push(b'\n');
                }
            }
            whole.extend_from_slice(&fragment);
            first = false;
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Host;
    use serde_json::json;

    #[test]
    fn fragments_are_joined_in_the_order_of_their_names() {
        let host = Host::new();
        host.file("/d/20-b", "b\n");
        host.file("/d/10-a", "a");
        host.file("/d/.hidden", "h\n");
        host.file("/d/readme.md", "r\n");
        host.folder("/d/30-folder");
        let args = json!({"src": "/d", "dest": "/f", "regexp": r"^\d", "delimiter": "--"});
        host.check_apply_apply("assemble", args);
        assert_eq!(host.read("/f"), "a\n--\nb\n");
        assert!(host.fails("assemble", json!({"src": "/no", "dest": "/f"})).contains("no folder"));
    }

    #[test]
    fn the_controller_can_have_the_fragments() {
        let host = Host::new();
        host.local("files/parts/1", "x");
        host.local("files/parts/2", "y");
        host.check_apply_apply("assemble", json!({"src": "parts", "dest": "/f", "remote_src": false}));
        assert_eq!(host.read("/f"), "x\ny");
    }
}
