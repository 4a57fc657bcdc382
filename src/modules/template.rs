//! `template`: a text with the host's variables filled in.

use super::attributes::Attributes;
use super::content::{Content, Done, Replacing, put};
use super::copy::report;
use super::loose::{Flag, Text, yes};
use super::{BlobRef, Controller, Cx, Module, Origin, Reach, Result, TemplateOptions};
use crate::base::failure::Context;
use crate::base::{Failure, Map};
use crate::system::System;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Renders a template of the controller and writes the result on the host.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Template {
    /// The template, searched in `templates/` of the role and the playbook.
    pub src: Text,
    /// Where the result shall be. With `/` at its end, or if it is a folder, it goes into it under the template's name.
    pub dest: Text,
    /// `false`: write only if nothing is there.
    #[serde(default = "yes")]
    pub force: Flag,
    /// If `dest` is a link, write what it points to instead of replacing it.
    #[serde(default)]
    pub follow: Flag,
    /// How lines end in the result.
    #[serde(default)]
    pub newline_sequence: Newline,
    /// Remove the first newline after a block.
    #[serde(default = "yes")]
    pub trim_blocks: Flag,
    /// Remove blanks and tabs before a block.
    #[serde(default)]
    pub lstrip_blocks: Flag,
    /// What begins an expression; `{{` if left out.
    #[serde(default)]
    pub variable_start_string: Option<Text>,
    /// What ends an expression; `}}` if left out.
    #[serde(default)]
    pub variable_end_string: Option<Text>,
    /// What begins a block; `{%` if left out.
    #[serde(default)]
    pub block_start_string: Option<Text>,
    /// What ends a block; `%}` if left out.
    #[serde(default)]
    pub block_end_string: Option<Text>,
    /// What begins a comment; `{#` if left out.
    #[serde(default)]
    pub comment_start_string: Option<Text>,
    /// What ends a comment; `#}` if left out.
    #[serde(default)]
    pub comment_end_string: Option<Text>,
    /// The result's encoding: only `utf-8`.
    #[serde(default)]
    pub output_encoding: Option<Text>,
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

/// How lines end. The escapes are accepted as two characters, too, as they arrive from single quotes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Newline {
    /// As Unix does.
    #[default]
    #[serde(rename = "\n", alias = "\\n")]
    Unix,
    /// As old Macintosh systems did.
    #[serde(rename = "\r", alias = "\\r")]
    Mac,
    /// As Windows does.
    #[serde(rename = "\r\n", alias = "\\r\\n")]
    Windows,
}

impl Module for Template {
    const NAME: &'static str = "template";
    const EXAMPLE: &'static str = "\
- template:
    src: geth.service.j2
    dest: /etc/systemd/system/geth.service
    mode: \"0644\"";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] = &[("attr", "attributes")];
    type Output = Map;

    fn prepare(mut self, controller: &dyn Controller) -> Result<Self> {
        if let Some(encoding) = &self.output_encoding
            && !matches!(encoding.0.to_ascii_lowercase().as_str(), "utf-8" | "utf8")
        {
            return Err(Failure::new(format!("the encoding `{}` cannot be written, only utf-8", encoding.0)));
        }
        let found = controller.find("templates", &self.src.0)?;
        let absolute = std::path::absolute(&found).context(found.display())?;
        let local = System::new("/");
        let text = local.read_text(&absolute)?;
        let mut rendered = {
            let origin = Origin { file: &found, written: Some((&self.src.0, &self.dest.0)) };
            controller.render(&origin, &text, &self.options())?
        };
        let newline = match self.newline_sequence {
            Newline::Unix => "\n",
            Newline::Mac => "\r",
            Newline::Windows => "\r\n",
        };
        if newline != "\n" || rendered.contains('\r') {
            rendered = rendered.replace("\r\n", "\n").replace('\r', "\n").replace('\n', newline);
        }
        if let Some(meta) = local.meta_followed(&absolute)? {
            self.attributes = self.attributes.preserving(meta.mode);
        }
        self.blob = Some(controller.blob(rendered.into_bytes()));
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let Some(blob) = &self.blob else { return Err(Failure::new("the template was not rendered")) };
        let mut path = cx.system.expand(&self.dest.0)?;
        if cx.system.is_folder(&path)? {
            path.push(Path::new(&self.src.0).file_name().unwrap_or_default());
        } else if self.dest.0.ends_with('/') && !cx.check {
            return Err(Failure::new(format!("{}: this folder does not exist", path.display()))
                .help("make it in an earlier task: `file: {path: ..., state: directory}`"));
        }
        if self.follow.0 {
            path = cx.system.resolve(&path)?;
        }
        let mut done = Done::default();
        if self.force.0 || cx.system.meta(&path)?.is_none() {
            done = put(cx, self.replacing.how(&path, &self.attributes), Content::Blob(blob))?;
        }
        report(cx, &path, Some(&self.src.0), done)
    }
}

impl Template {
    fn options(&self) -> TemplateOptions {
        let plain = TemplateOptions::default();
        let mark = |given: &Option<Text>, plain: String| given.as_ref().map_or(plain, |text| text.0.clone());
        TemplateOptions {
            trim_blocks: self.trim_blocks.0,
            lstrip_blocks: self.lstrip_blocks.0,
            variable_start: mark(&self.variable_start_string, plain.variable_start),
            variable_end: mark(&self.variable_end_string, plain.variable_end),
            block_start: mark(&self.block_start_string, plain.block_start),
            block_end: mark(&self.block_end_string, plain.block_end),
            comment_start: mark(&self.comment_start_string, plain.comment_start),
            comment_end: mark(&self.comment_end_string, plain.comment_end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::json;

    fn host() -> Host {
        let host = Host::new();
        host.variables.borrow_mut().insert("name".into(), "demo".into());
        host.local("templates/unit.j2", "[Unit]\nDescription={{ name }}\n");
        host.folder("/etc");
        host
    }

    #[test]
    fn a_template_is_rendered_and_written_once() {
        let host = host();
        let done = host.check_apply_apply("template", json!({"src": "unit.j2", "dest": "/etc/unit", "mode": 420}));
        assert_output(&done.output, json!({"dest": "/etc/unit", "mode": "0644", "src": "unit.j2"}));
        assert_eq!(host.read("/etc/unit"), "[Unit]\nDescription=demo\n");
        host.variables.borrow_mut().insert("name".into(), "other".into());
        let done = host.check_apply_apply("template", json!({"src": "unit.j2", "dest": "/etc/unit"}));
        assert_eq!(done.diffs.len(), 1);
    }

    #[test]
    fn lines_end_as_wanted() {
        let host = host();
        for newline in ["\r\n", "\\r\\n"] {
            let args = json!({"src": "unit.j2", "dest": "/etc/unit", "newline_sequence": newline, "force": true});
            host.run("template", args).unwrap();
            assert_eq!(host.read("/etc/unit"), "[Unit]\r\nDescription=demo\r\n");
        }
    }

    #[test]
    fn a_folder_takes_it_under_the_templates_name() {
        let host = host();
        host.check_apply_apply("template", json!({"src": "unit.j2", "dest": "/etc/"}));
        assert!(host.has("/etc/unit.j2"));
        assert!(host.fails("template", json!({"src": "unit.j2", "dest": "/no/"})).contains("does not exist"));
        assert!(host.fails("template", json!({"src": "none.j2", "dest": "/etc/x"})).contains("`none.j2`"));
        let invalid = json!({"src": "unit.j2", "dest": "/etc/x", "validate": "false %s"});
        assert!(host.fails("template", invalid).contains("failed to validate"));
        assert!(!host.has("/etc/x"));
    }
}
