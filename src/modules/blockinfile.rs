//! `blockinfile`: some lines of a text file, between two marker lines.

use super::edit::{Edit, State, message, missing, only_utf8, text_to_edit};
use super::loose::{Flag, Text};
use super::{Cx, Module, Reach, Result};
use crate::base::python_regex::{self, Flags};
use crate::base::{Failure, Map};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Puts a block of lines into a file, between markers by which it is found again, or removes it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct BlockInFile {
    /// The file.
    pub path: Text,
    /// The lines. Empty: the block is removed.
    #[serde(default)]
    pub block: Text,
    /// Whether the block shall be there.
    #[serde(default)]
    pub state: State,
    /// The marker lines; `{mark}` becomes `marker_begin` and `marker_end`. Give each block of a file its own.
    #[serde(default = "marker")]
    pub marker: String,
    /// What stands for `{mark}` before the block.
    #[serde(default = "begin")]
    pub marker_begin: String,
    /// What stands for `{mark}` after the block.
    #[serde(default = "end")]
    pub marker_end: String,
    /// Where a new block goes: after the last line that matches this regular expression, or `EOF`.
    #[serde(default)]
    pub insertafter: Option<Text>,
    /// The same, before that line, or `BOF`.
    #[serde(default)]
    pub insertbefore: Option<Text>,
    /// Make the file, and its folder, if they are missing.
    #[serde(default)]
    pub create: Flag,
    /// An empty line after the block, unless it ends the file.
    #[serde(default)]
    pub append_newline: Flag,
    /// An empty line before the block, unless it begins the file.
    #[serde(default)]
    pub prepend_newline: Flag,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub edit: Edit,
}

fn marker() -> String {
    "# {mark} ANSIBLE MANAGED BLOCK".into()
}

fn begin() -> String {
    "BEGIN".into()
}

fn end() -> String {
    "END".into()
}

impl Module for BlockInFile {
    const NAME: &'static str = "blockinfile";
    const EXAMPLE: &'static str = "\
- blockinfile:
    path: /etc/hosts
    marker: \"# {mark} network demo\"
    block: |
      10.0.0.1 sealer1
      10.0.0.2 sealer2";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("dest", "path"), ("destfile", "path"), ("name", "path"), ("content", "block"), ("attr", "attributes")];
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        if self.insertafter.is_some() && self.insertbefore.is_some() {
            return Err(Failure::new("`blockinfile`: give `insertafter` or `insertbefore`, not both"));
        }
        only_utf8(self.edit.encoding.as_ref())?;
        let (first, last) = (self.mark(&self.marker_begin), self.mark(&self.marker_end));
        if first == last {
            return Err(Failure::new("`blockinfile`: both markers are the same line")
                .help("write `{mark}` into `marker`; it becomes BEGIN and END"));
        }
        let path = cx.system.resolve(&cx.system.expand(&self.path.0)?)?;
        let there = text_to_edit(cx.system, &path)?;
        let created = there.is_none();
        let old = match there {
            Some(old) => old,
            None if self.removes() => return Ok(message("file not present", None, None)),
            None if self.create.0 => String::new(),
            None => return missing(cx, &path),
        };
        let new = self.edited(&old, &first, &last)?;
        let said = match (new == old, self.removes()) {
            (true, _) => "",
            (false, _) if created => "File created",
            (false, true) => "Block removed",
            (false, false) => "Block inserted",
        };
        let backup = self.edit.write(cx, &path, &new)?;
        Ok(message(said, None, backup))
    }
}

impl BlockInFile {
    fn removes(&self) -> bool {
        self.state == State::Absent || self.block.0.is_empty()
    }

    fn mark(&self, word: &str) -> String {
        self.marker.replace("{mark}", word)
    }

    fn edited(&self, old: &str, first: &str, last: &str) -> Result<String> {
        // A carriage return before the newline is a part of the line, and stays.
        let mut lines: Vec<String> = old.split_terminator('\n').map(str::to_owned).collect();
        let find = |marker: &str| lines.iter().rposition(|line| line == marker);
        let mut at = match (find(first), find(last)) {
            (Some(a), Some(b)) => {
                lines.drain(a.min(b)..=a.max(b));
                a.min(b)
            }
            _ if self.removes() => return Ok(old.to_owned()),
            _ => self.place(&lines)?,
        };
        if !self.removes() {
            if self.prepend_newline.0 && at > 0 && !lines[at - 1].is_empty() {
                lines.insert(at, String::new());
                at += 1;
            }
            let inside = self.block.0.split_terminator('\n');
            let block: Vec<String> = std::iter::once(first).chain(inside).chain([last]).map(str::to_owned).collect();
            let end = at + block.len();
            lines.splice(at..at, block);
            if self.append_newline.0 && lines.get(end).is_some_and(|line| !line.is_empty()) {
                lines.insert(end, String::new());
            }
        }
        let mut new = lines.join("\n");
        if !new.is_empty() {
            new.push('\n');
        }
        Ok(new)
    }

    fn place(&self, lines: &[String]) -> Result<usize> {
        let (pattern, offset) = match (&self.insertafter, &self.insertbefore) {
            (_, Some(text)) if text.0 == "BOF" => return Ok(0),
            (Some(text), _) if text.0 == "BOF" => return Ok(0),
            (Some(text), _) if text.0 != "EOF" => (text, 1),
            (None, Some(text)) => (text, 0),
            _ => return Ok(lines.len()),
        };
        let pattern = python_regex::compile(&pattern.0, Flags::default())?;
        for (number, line) in lines.iter().enumerate().rev() {
            if python_regex::is_match(&pattern, line)? {
                return Ok(number + offset);
            }
        }
        Ok(lines.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Host;
    use serde_json::{Value, json};

    const MARKED: &str = "# BEGIN ANSIBLE MANAGED BLOCK\na\nb\n# END ANSIBLE MANAGED BLOCK\n";

    fn after(text: &str, mut args: Value) -> String {
        let host = Host::new();
        host.file("/f", text);
        args["path"] = json!("/f");
        host.check_apply_apply("blockinfile", args);
        host.read("/f")
    }

    #[test]
    fn a_block_is_added_changed_and_removed() {
        assert_eq!(after("x\n", json!({"block": "a\nb\n"})), format!("x\n{MARKED}"));
        assert_eq!(after("x", json!({"content": "a\nb"})), format!("x\n{MARKED}"));
        let changed = after(&format!("x\n{MARKED}y\n"), json!({"block": "c"}));
        assert_eq!(changed, "x\n# BEGIN ANSIBLE MANAGED BLOCK\nc\n# END ANSIBLE MANAGED BLOCK\ny\n");
        assert_eq!(after(&format!("x\n{MARKED}y\n"), json!({"block": "c", "state": "absent"})), "x\ny\n");
        assert_eq!(after(&format!("x\n{MARKED}"), json!({"block": ""})), "x\n");
        assert_eq!(after("no newline", json!({"state": "absent"})), "no newline");
    }

    #[test]
    fn a_new_block_goes_where_it_is_told() {
        let args = |place: &str, value: &str| json!({place: value, "block": "a\nb"});
        assert_eq!(after("1\n2\n1\n3\n", args("insertafter", "^1")), format!("1\n2\n1\n{MARKED}3\n"));
        assert_eq!(after("1\n2\n", args("insertbefore", "^2")), format!("1\n{MARKED}2\n"));
        assert_eq!(after("1\n", args("insertbefore", "BOF")), format!("{MARKED}1\n"));
        assert_eq!(after("1\n", args("insertafter", "^9")), format!("1\n{MARKED}"));
        let spaced = json!({"block": "a\nb", "insertafter": "^1", "append_newline": true, "prepend_newline": true});
        assert_eq!(after("1\n2\n", spaced), format!("1\n\n{MARKED}\n2\n"));
    }

    #[test]
    fn blocks_with_their_own_markers_do_not_meet() {
        let host = Host::new();
        for net in ["one", "two"] {
            let args = json!({"path": "/f", "create": true, "block": net, "marker": format!("# {{mark}} {net}")});
            host.check_apply_apply("blockinfile", args);
        }
        assert_eq!(host.read("/f"), "# BEGIN one\none\n# END one\n# BEGIN two\ntwo\n# END two\n");
        assert!(host.fails("blockinfile", json!({"path": "/f", "block": "x", "marker": "# x"})).contains("{mark}"));
        assert!(host.fails("blockinfile", json!({"path": "/no", "block": "x"})).contains("create: true"));
    }

    #[test]
    fn lines_keep_how_they_end() {
        let new = after("dos\r\nunix\n", json!({"block": "a\r\nb\n"}));
        assert_eq!(new, "dos\r\nunix\n# BEGIN ANSIBLE MANAGED BLOCK\na\r\nb\n# END ANSIBLE MANAGED BLOCK\n");
    }
}
