//! `replace`: every match of a regular expression in a text file.

use super::edit::{Edit, message, missing, only_utf8, text_to_edit};
use super::loose::Text;
use super::{Cx, Module, Reach, Result};
use crate::base::python_regex::{self, Flags};
use crate::base::{Failure, Map};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Replaces whatever matches a regular expression in a file. It must not match its own result, or each run changes it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Replace {
    /// The file.
    pub path: Text,
    /// What to replace; `^` and `$` match at each line.
    pub regexp: Text,
    /// What to put there, with groups as `\1` or `\g<name>`. Nothing, if left out.
    #[serde(default)]
    pub replace: Text,
    /// Only what comes after the first match of this; `.` matches newlines in it.
    #[serde(default)]
    pub after: Option<Text>,
    /// Only what comes before the first match of this.
    #[serde(default)]
    pub before: Option<Text>,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub edit: Edit,
}

impl Module for Replace {
    const NAME: &'static str = "replace";
    const EXAMPLE: &'static str = "\
- replace:
    path: /etc/hosts
    regexp: '(\\s+)old\\.example(\\s+.*)?$'
    replace: '\\1new.example\\2'";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("dest", "path"), ("destfile", "path"), ("name", "path"), ("attr", "attributes")];
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        only_utf8(self.edit.encoding.as_ref())?;
        let regexp = python_regex::compile(&self.regexp.0, Flags { multiline: true, ..Flags::default() })?;
        let path = cx.system.resolve(&cx.system.expand(&self.path.0)?)?;
        let Some(old) = text_to_edit(cx.system, &path)? else {
            return missing(cx, &path).map_err(|failure| Failure { help: None, ..failure });
        };
        let Some((start, end)) = self.section(&old)? else {
            self.edit.attributes.apply(cx, &path)?;
            let said = format!("nothing in {} matches `before` and `after`", path.display());
            return Ok(message(&said, None, None));
        };
        let (middle, count) = python_regex::replace(&regexp, &old[start..end], &self.replace.0, usize::MAX)?;
        let new = [&old[..start], &middle, &old[end..]].concat();
        let said = if new == old { String::new() } else { format!("{count} replacements made") };
        let backup = self.edit.write(cx, &path, &new)?;
        let mut output = message(&said, None, backup);
        output.insert("rc".into(), 0.into());
        Ok(output)
    }
}

impl Replace {
    /// The bytes between `after` and `before`.
    fn section(&self, text: &str) -> Result<Option<(usize, usize)>> {
        let pattern = match (&self.after, &self.before) {
            (None, None) => return Ok(Some((0, text.len()))),
            (Some(after), Some(before)) => format!("{}(?P<subsection>.*?){}", after.0, before.0),
            (Some(after), None) => format!("{}(?P<subsection>.*)", after.0),
            (None, Some(before)) => format!("(?P<subsection>.*){}", before.0),
        };
        let pattern = python_regex::compile(&pattern, Flags { dot_all: true, ..Flags::default() })?;
        let found = python_regex::captures(&pattern, text)?;
        Ok(found.and_then(|found| found.name("subsection").map(|section| (section.start(), section.end()))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::{Value, json};

    fn after(mut args: Value) -> (String, Value) {
        let host = Host::new();
        host.file("/f", "[a]\nx=1\ny=2\n[b]\nx=1\n");
        args["path"] = json!("/f");
        let done = host.check_apply_apply("replace", args);
        (host.read("/f"), done.output["msg"].clone())
    }

    #[test]
    fn every_match_is_replaced_and_counted() {
        let (text, said) = after(json!({"regexp": r"^x=(\d)$", "replace": r"z=\1\1"}));
        assert_eq!((text.as_str(), said), ("[a]\nz=11\ny=2\n[b]\nz=11\n", json!("2 replacements made")));
        assert_eq!(after(json!({"regexp": r"^y=2\n"})).0, "[a]\nx=1\n[b]\nx=1\n");
    }

    #[test]
    fn only_the_part_between_after_and_before_is_touched() {
        assert_eq!(after(json!({"regexp": "x", "replace": "z", "after": r"\[b\]"})).0, "[a]\nx=1\ny=2\n[b]\nz=1\n");
        assert_eq!(after(json!({"regexp": "x", "replace": "z", "before": r"\[b\]"})).0, "[a]\nz=1\ny=2\n[b]\nx=1\n");
        let (text, said) = after(json!({"regexp": "x", "after": "nowhere"}));
        assert!(text.contains("x=1") && said.as_str().unwrap().starts_with("nothing"));
    }

    #[test]
    fn odd_wishes_get_plain_answers() {
        let host = Host::new();
        host.file("/f", "x");
        assert!(host.fails("replace", json!({"path": "/no", "regexp": "x"})).contains("no such file"));
        assert!(host.fails("replace", json!({"path": "/f", "regexp": "x", "replace": r"\1"})).contains("group 1"));
        let done = host.check("replace", json!({"path": "/no", "regexp": "x"})).unwrap();
        assert_output(&done.output, json!({"skipped": true}));
    }
}
