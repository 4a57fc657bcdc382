//! `lineinfile`: one line of a text file.

use super::edit::{Edit, State, message, missing, only_utf8, text_to_edit};
use super::loose::{Flag, Text};
use super::{Cx, Module, Reach, Result};
use crate::base::python_regex::{self, Flags};
use crate::base::{Failure, Map};
use fancy_regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes sure that a line is in a file, in the place of the one that matches, or that no such line is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct LineInFile {
    /// The file.
    pub path: Text,
    /// The line, without its newline.
    #[serde(default)]
    pub line: Option<Text>,
    /// A regular expression for the line to replace (the last that matches) or to remove (all that match).
    #[serde(default)]
    pub regexp: Option<Text>,
    /// As `regexp`, but a plain text somewhere in the line.
    #[serde(default)]
    pub search_string: Option<Text>,
    /// Whether the line shall be there.
    #[serde(default)]
    pub state: State,
    /// Fill groups of `regexp` (`\1`) into `line`. If nothing matches, the file stays as it is.
    #[serde(default)]
    pub backrefs: Flag,
    /// Where to add the line if nothing matches: after the last line that matches this regular expression, or `EOF`, `BOF`.
    #[serde(default)]
    pub insertafter: Option<Text>,
    /// The same, before that line.
    #[serde(default)]
    pub insertbefore: Option<Text>,
    /// Take the first matching line instead of the last.
    #[serde(default)]
    pub firstmatch: Flag,
    /// Make the file, and its folder, if they are missing.
    #[serde(default)]
    pub create: Flag,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub edit: Edit,
}

impl Module for LineInFile {
    const NAME: &'static str = "lineinfile";
    const EXAMPLE: &'static str = "\
- lineinfile:
    path: /etc/systemd/journald.conf
    regexp: '^#?SystemMaxUse='
    line: SystemMaxUse=200M";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] = &[
        ("dest", "path"),
        ("destfile", "path"),
        ("name", "path"),
        ("regex", "regexp"),
        ("value", "line"),
        ("attr", "attributes"),
    ];
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        self.verify()?;
        let path = cx.system.resolve(&cx.system.expand(&self.path.0)?)?;
        let Some(old) = text_to_edit(cx.system, &path)? else {
            if self.state == State::Absent {
                return Ok(message("file not present", Some(0), None));
            }
            if !self.create.0 {
                return missing(cx, &path);
            }
            let (new, said) = self.present("")?;
            let backup = self.edit.write(cx, &path, &new)?;
            return Ok(told(said, None, backup));
        };
        let (new, said, found) = match self.state {
            State::Present => {
                let (new, said) = self.present(&old)?;
                (new, said.to_owned(), None)
            }
            State::Absent => {
                let (new, count) = self.absent(&old)?;
                (new, if count > 0 { format!("{count} line(s) removed") } else { String::new() }, Some(count))
            }
        };
        let backup = self.edit.write(cx, &path, &new)?;
        Ok(told(&said, found, backup))
    }
}

/// What this module returns: `backup` is always there, empty if no copy was made.
fn told(said: &str, found: Option<usize>, backup: Option<String>) -> Map {
    let mut output = message(said, found, backup);
    output.entry("backup").or_insert("".into());
    output
}

impl LineInFile {
    fn verify(&self) -> Result<()> {
        let wrong = |message: &str| Err(Failure::new(format!("`lineinfile`: {message}")));
        if self.regexp.is_some() && self.search_string.is_some() {
            return wrong("give `regexp` or `search_string`, not both");
        }
        if self.insertafter.is_some() && self.insertbefore.is_some() {
            return wrong("give `insertafter` or `insertbefore`, not both");
        }
        if self.state == State::Present && self.line.is_none() {
            return wrong("`line` is needed with `state: present`");
        }
        if self.state == State::Absent && self.line.is_none() && self.regexp.is_none() && self.search_string.is_none() {
            return wrong("`state: absent` needs `line`, `regexp` or `search_string`");
        }
        if self.backrefs.0 && self.regexp.is_none() {
            return wrong("`backrefs` needs `regexp`");
        }
        only_utf8(self.edit.encoding.as_ref())
    }

    /// The new text, and what was done to the old one.
    fn present(&self, old: &str) -> Result<(String, &'static str)> {
        let line = self.line.as_ref().map(|line| line.0.as_str()).unwrap_or_default();
        let mut lines: Vec<String> = old.split_inclusive('\n').map(str::to_owned).collect();
        let regexp = compiled(self.regexp.as_ref())?;
        let mut matched = self.find(&lines, regexp.as_ref())?;
        let mut wanted = line.to_owned();
        if let (Some(at), true, Some(regexp)) = (matched, self.backrefs.0, &regexp)
            && let Some(captures) = python_regex::captures(regexp, bare(&lines[at]))?
        {
            wanted = python_regex::expand(line, &captures)?;
        }
        if matched.is_none() {
            matched = lines.iter().rposition(|known| bare(known) == line);
        }
        if !wanted.ends_with('\n') {
            wanted.push('\n');
        }
        let added = match matched {
            Some(at) if lines[at] == wanted => "",
            Some(at) => {
                lines[at] = wanted;
                "line replaced"
            }
            // Without a match there is nothing to fill the groups with.
            None if self.backrefs.0 => "",
            None => {
                let at = self.place(&lines)?;
                if at > 0 && !lines[at - 1].ends_with('\n') {
                    lines[at - 1].push('\n');
                }
                lines.insert(at, wanted);
                "line added"
            }
        };
        Ok((lines.concat(), added))
    }

    fn find(&self, lines: &[String], regexp: Option<&Regex>) -> Result<Option<usize>> {
        let mut found = None;
        for (number, line) in lines.iter().enumerate() {
            let matches = match (regexp, &self.search_string) {
                (Some(regexp), _) => python_regex::is_match(regexp, bare(line))?,
                (None, Some(text)) => line.contains(&text.0),
                (None, None) => false,
            };
            if matches {
                found = Some(number);
                if self.firstmatch.0 {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Where a new line goes.
    fn place(&self, lines: &[String]) -> Result<usize> {
        let (pattern, offset) = match (&self.insertafter, &self.insertbefore) {
            (Some(text), _) | (None, Some(text)) if text.0 == "BOF" => return Ok(0),
            (Some(text), _) if text.0 == "EOF" => return Ok(lines.len()),
            (Some(text), _) => (text, 1),
            (None, Some(text)) => (text, 0),
            (None, None) => return Ok(lines.len()),
        };
        let pattern = python_regex::compile(&pattern.0, Flags::default())?;
        let mut found = None;
        for (number, line) in lines.iter().enumerate() {
            if python_regex::is_match(&pattern, bare(line))? {
                found = Some(number + offset);
                if self.firstmatch.0 {
                    break;
                }
            }
        }
        Ok(found.unwrap_or(lines.len()))
    }

    /// The text without the lines that match, and their number.
    fn absent(&self, old: &str) -> Result<(String, usize)> {
        let regexp = compiled(self.regexp.as_ref())?;
        let (mut new, mut count) = (String::new(), 0);
        for line in old.split_inclusive('\n') {
            let matches = match (&regexp, &self.search_string, &self.line) {
                (Some(regexp), ..) => python_regex::is_match(regexp, bare(line))?,
                (None, Some(text), _) => line.contains(&text.0),
                (None, None, wanted) => wanted.as_ref().is_some_and(|wanted| bare(line) == wanted.0),
            };
            if matches {
                count += 1;
            } else {
                new.push_str(line);
            }
        }
        Ok((new, count))
    }
}

fn compiled(pattern: Option<&Text>) -> Result<Option<Regex>> {
    pattern.map(|text| python_regex::compile(&text.0, Flags::default())).transpose()
}

/// A line without what ends it.
fn bare(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::{Value, json};

    const TEXT: &str = "# ports\nListen 80\nListen 443\nUser www\n";

    fn after(mut args: Value) -> String {
        after_in(TEXT, &mut args)
    }

    fn after_in(text: &str, args: &mut Value) -> String {
        let host = Host::new();
        host.file("/f", text);
        args["path"] = json!("/f");
        host.check_apply_apply("lineinfile", args.clone());
        host.read("/f")
    }

    #[test]
    fn the_last_matching_line_is_replaced() {
        let text = after(json!({"regexp": "^Listen 4", "line": "Listen 8443"}));
        assert_eq!(text, "# ports\nListen 80\nListen 8443\nUser www\n");
        let text = after(json!({"regexp": "^Listen (80|443)$", "line": "Listen 80", "firstmatch": true}));
        assert_eq!(text, TEXT);
        let text = after(json!({"search_string": "ports", "line": "# doors ports"}));
        assert_eq!(text, TEXT.replace("# ports", "# doors ports"));
    }

    #[test]
    fn a_line_without_a_match_goes_where_it_is_told() {
        for (place, value, expected) in [
            ("insertafter", "EOF", format!("{TEXT}new\n")),
            ("insertafter", "^Listen", TEXT.replace("443\n", "443\nnew\n")),
            ("insertbefore", "^Listen", TEXT.replace("Listen 443", "new\nListen 443")),
            ("insertbefore", "BOF", format!("new\n{TEXT}")),
            ("insertafter", "^Nothing", format!("{TEXT}new\n")),
        ] {
            assert_eq!(after(json!({place: value, "line": "new"})), expected, "{place} {value}");
        }
        let first = after(json!({"insertafter": "^Listen", "line": "new", "firstmatch": true}));
        assert_eq!(first, TEXT.replace("80\n", "80\nnew\n"));
        assert_eq!(after(json!({"line": "User www", "insertafter": "^# ports"})), TEXT, "it is there already");
    }

    #[test]
    fn groups_are_filled_in_and_without_a_match_nothing_happens() {
        let args = json!({"regexp": r"^(Listen) 44(\d)$", "line": r"\1 \g<2>", "backrefs": true});
        let host = Host::new();
        host.file("/f", TEXT);
        let mut args = args;
        args["path"] = json!("/f");
        host.check_apply_apply("lineinfile", args);
        assert_eq!(host.read("/f"), TEXT.replace("443", "3"));
        assert_eq!(after(json!({"regexp": "^Nope(.)", "line": r"\1", "backrefs": true})), TEXT);
    }

    #[test]
    fn a_file_without_a_last_newline_gets_one() {
        assert_eq!(after_in("a\nb", &mut json!({"line": "c"})), "a\nb\nc\n");
        assert_eq!(after_in("", &mut json!({"line": "c"})), "c\n");
        assert_eq!(after_in("a\r\nb\r\n", &mut json!({"regexp": "^a$", "line": "x"})), "x\nb\r\n");
    }

    #[test]
    fn lines_are_removed_and_counted() {
        let host = Host::new();
        host.file("/f", TEXT);
        let done = host.check_apply_apply("lineinfile", json!({"path": "/f", "regexp": "^Listen", "state": "absent"}));
        assert_output(&done.output, json!({"found": 2, "msg": "2 line(s) removed"}));
        let done = host.run("lineinfile", json!({"path": "/no", "line": "x", "state": "absent"})).unwrap();
        assert_output(&done.output, json!({"msg": "file not present"}));
    }

    #[test]
    fn a_missing_file_is_made_only_when_asked() {
        let host = Host::new();
        let mut args = json!({"path": "/new/f", "line": "x", "mode": "0600"});
        assert!(host.fails("lineinfile", args.clone()).contains("`create: true`"));
        args["create"] = json!("yes");
        host.check_apply_apply("lineinfile", args);
        assert_eq!((host.read("/new/f").as_str(), host.mode_of("/new/f")), ("x\n", 0o600));
    }

    #[test]
    fn a_link_stays_a_link() {
        let host = Host::new();
        host.file("/real", "a\n");
        host.link("/real", "/link");
        host.check_apply_apply("lineinfile", json!({"path": "/link", "line": "b"}));
        assert_eq!(host.read("/real"), "a\nb\n");
    }

    #[test]
    fn odd_wishes_get_plain_answers() {
        let host = Host::new();
        host.file("/f", TEXT);
        for (args, message) in [
            (json!({"path": "/f"}), "`line` is needed"),
            (json!({"path": "/f", "line": "x", "backrefs": true}), "needs `regexp`"),
            (json!({"path": "/f", "line": "x", "regexp": "("}), "regular expression `(`"),
            (json!({"path": "/f", "line": "x", "insertafter": "a", "insertbefore": "b"}), "not both"),
            (json!({"path": "/f", "state": "absent"}), "needs `line`, `regexp`"),
            (json!({"path": "/", "line": "x"}), "it is a folder"),
        ] {
            assert!(host.fails("lineinfile", args.clone()).contains(message), "{args}");
        }
    }
}
