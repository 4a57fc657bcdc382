//! `file`: files, folders and links, and who may do what with them.

mod links;
mod time;

use super::attributes::{Attributes, describe};
use super::loose::{Flag, Text, yes};
use super::{Cx, Module, Reach, Result};
use crate::base::{Diff, Failure, Map};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use time::{Time, shown};

/// Sets mode, owner and group of files, and makes or removes folders, links and empty files.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// The path to manage.
    pub path: Text,
    /// What shall be there. By default what is there, or a folder with `recurse`.
    #[serde(default)]
    pub state: Option<State>,
    /// What a link shall point to. A relative one is seen from the link's folder.
    #[serde(default)]
    pub src: Option<Text>,
    /// Also set mode, owner and group of everything below a folder. Links are not followed on the way.
    #[serde(default)]
    pub recurse: Flag,
    /// Make a link although its target does not exist, and put a link in the place of a file or an empty folder.
    #[serde(default)]
    pub force: Flag,
    /// If the path is a link, manage what it points to.
    #[serde(default = "yes")]
    pub follow: Flag,
    /// When it shall have been modified: `preserve`, `now`, or a time. `touch` means `now`.
    #[serde(default)]
    pub modification_time: Option<Text>,
    /// How `modification_time` is written, as for `strftime`.
    #[serde(default = "format")]
    pub modification_time_format: String,
    /// When it shall have been read: `preserve`, `now`, or a time. `touch` means `now`.
    #[serde(default)]
    pub access_time: Option<Text>,
    /// How `access_time` is written, as for `strftime`.
    #[serde(default = "format")]
    pub access_time_format: String,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub attributes: Attributes,
}

/// What `file` can make of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A file that is there already.
    File,
    /// A folder, made with those above it.
    Directory,
    /// A symbolic link to `src`.
    Link,
    /// Another name of the file `src`.
    Hard,
    /// A file, made empty if it is missing; its times become now.
    Touch,
    /// Nothing: files and links are removed, folders with everything in them.
    Absent,
}

fn format() -> String {
    "%Y%m%d%H%M.%S".into()
}

impl Module for File {
    const NAME: &'static str = "file";
    const EXAMPLE: &'static str = "\
- file:
    path: /var/lib/geth
    state: directory
    owner: geth
    mode: \"0700\"
- file: {path: /usr/local/bin/geth, src: /opt/geth/1.13.15/geth, state: link}";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("dest", "path"), ("name", "path"), ("attr", "attributes")];
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let mut path = cx.system.expand(&self.path.0)?;
        let state = self.state(cx, &path)?;
        if self.recurse.0 && state != State::Directory {
            return Err(Failure::new("recurse is only for state: directory").help("leave `recurse` out"));
        }
        if self.src.is_some() && !matches!(state, State::Link | State::Hard) {
            return Err(Failure::new("src is only for state: link and state: hard")
                .help("to copy a file on the host, use `copy` with `remote_src: true`"));
        }
        if self.follow.0 && matches!(state, State::File | State::Directory | State::Touch) {
            path = cx.system.resolve(&path)?;
        }
        match state {
            State::Absent => return absent(cx, &path),
            State::Directory => self.directory(cx, &path)?,
            State::Link => self.link(cx, &path)?,
            State::Hard => self.hard(cx, &path)?,
            State::Touch => self.touch(cx, &path)?,
            State::File => match cx.system.meta(&path)? {
                None if cx.check => return Ok(unknown(&path)),
                None => {
                    return Err(Failure::new(format!("{}: there is no such file", path.display())).help(
                        "`state: touch` makes an empty file, `state: directory` a folder, `copy` one with content",
                    ));
                }
                Some(meta) if meta.is_folder() && self.state == Some(State::File) => {
                    return Err(Failure::new(format!("{}: it is a folder, not a file", path.display())));
                }
                Some(_) => self.finish(cx, &path, "preserve")?,
            },
        }
        let mut output = describe(cx.system, &path)?;
        let shown = path.display().to_string();
        output.insert("path".into(), shown.clone().into());
        output.insert("dest".into(), shown.into());
        if let Some(src) = &self.src {
            output.insert("src".into(), src.0.clone().into());
        }
        Ok(output)
    }
}

/// What a task returns that check mode cannot judge: an earlier task would make the file it is about.
pub fn unknown(path: &Path) -> Map {
    Map::from_iter([
        ("skipped".to_owned(), true.into()),
        ("path".to_owned(), path.display().to_string().into()),
        ("msg".to_owned(), format!("{} is not there (yet): not known in check mode", path.display()).into()),
    ])
}

fn absent(cx: &mut Cx, path: &Path) -> Result<Map> {
    if let Some(meta) = cx.system.meta(path)? {
        cx.change(Diff::value("state", meta.kind.word(), "absent"), |writer| writer.remove(path))?;
    }
    Ok(Map::from_iter([("path".to_owned(), path.display().to_string().into()), ("state".to_owned(), "absent".into())]))
}

impl File {
    fn state(&self, cx: &Cx, path: &Path) -> Result<State> {
        if let Some(state) = self.state {
            return Ok(state);
        }
        if self.recurse.0 {
            return Ok(State::Directory);
        }
        Ok(match cx.system.meta(path)? {
            _ if self.src.is_some() => State::Link,
            Some(meta) if meta.is_folder() => State::Directory,
            _ => State::File,
        })
    }

    fn directory(&self, cx: &mut Cx, path: &Path) -> Result<()> {
        match cx.system.meta(path)? {
            None => {
                let traits = self.attributes.for_new(cx, true)?;
                cx.change(Diff::value("state", "absent", "directory"), |writer| {
                    writer.folders(path, traits)?;
                    self.attributes.finish_new(writer, path)
                })?;
                Ok(())
            }
            Some(meta) if meta.is_folder() || (meta.is_link() && cx.system.is_folder(path)?) => {
                self.finish(cx, path, "preserve")?;
                if self.recurse.0 { self.recurse(cx, path) } else { Ok(()) }
            }
            Some(meta) => Err(Failure::new(format!("{}: it exists already as a {}", path.display(), meta.kind.word()))
                .help("remove it in an earlier task with `state: absent`")),
        }
    }

    /// One diff for each path, up to a number that can still be read; the rest is counted.
    fn recurse(&self, cx: &mut Cx, folder: &Path) -> Result<()> {
        const SHOWN: usize = 100;
        let mut work = Vec::new();
        for (path, meta) in cx.system.walk(folder)? {
            let differing = self.attributes.differing(cx, &path, &meta)?;
            if !differing.diffs.is_empty() {
                work.push((path, differing));
            }
        }
        let rest = work.split_off(work.len().min(SHOWN));
        for (path, differing) in work {
            let list: Vec<String> = differing.diffs.iter().map(ToString::to_string).collect();
            let diff = Diff::action(format!("{}: {}", path.display(), list.join(", ")));
            cx.change(diff, |writer| differing.set(writer, &path))?;
        }
        if !rest.is_empty() {
            let diff = Diff::action(format!("the same for {} more below {}", rest.len(), folder.display()));
            cx.change(diff, |writer| rest.iter().try_for_each(|(path, differing)| differing.set(writer, path)))?;
        }
        Ok(())
    }

    fn touch(&self, cx: &mut Cx, path: &Path) -> Result<()> {
        if cx.system.meta(path)?.is_some() {
            return self.finish(cx, path, "now");
        }
        if !cx.check && !cx.system.is_folder(path.parent().unwrap_or(Path::new("/")))? {
            return Err(Failure::new(format!("{}: its folder does not exist", path.display())));
        }
        let traits = self.attributes.for_new(cx, false)?;
        let times = self.times("now")?;
        cx.change(Diff::value("state", "absent", "file"), |writer| {
            writer.touch(path, traits)?;
            writer.times(path, times.0.and_then(Time::fixed), times.1.and_then(Time::fixed))?;
            self.attributes.finish_new(writer, path)
        })?;
        Ok(())
    }

    /// Attributes and times of what exists.
    fn finish(&self, cx: &mut Cx, path: &Path, times: &str) -> Result<()> {
        self.attributes.apply(cx, path)?;
        let Some(meta) = cx.system.meta(path)? else { return Ok(()) };
        let (accessed, modified) = self.times(times)?;
        let differs = |wanted: Option<Time>, is: i64| wanted.filter(|time| time.fixed() != Some(is));
        if let Some(time) = differs(accessed, meta.accessed) {
            let diff = Diff::value("access_time", shown(meta.accessed), time.shown());
            cx.change(diff, |writer| writer.times(path, Some(time.nanos()), None))?;
        }
        if let Some(time) = differs(modified, meta.modified) {
            let diff = Diff::value("modification_time", shown(meta.modified), time.shown());
            cx.change(diff, |writer| writer.times(path, None, Some(time.nanos())))?;
        }
        Ok(())
    }

    fn times(&self, default: &str) -> Result<(Option<Time>, Option<Time>)> {
        let text = |given: &Option<Text>| given.as_ref().map_or(default.to_owned(), |text| text.0.clone());
        Ok((
            Time::parse(&text(&self.access_time), &self.access_time_format)?,
            Time::parse(&text(&self.modification_time), &self.modification_time_format)?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use crate::base::Diff;
    use serde_json::json;

    fn lines(diffs: &[Diff]) -> Vec<String> {
        diffs.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_folder_is_made_with_those_above_it() {
        let host = Host::new();
        let done = host.check_apply_apply("file", json!({"path": "/a/b/c", "state": "directory", "mode": "0750"}));
        assert_eq!(lines(&done.diffs), ["state absent -> directory"]);
        assert_output(&done.output, json!({"path": "/a/b/c", "mode": "0750", "state": "directory"}));
        assert_eq!(host.mode_of("/a"), 0o750);
        let done =
            host.check_apply_apply("file", json!({"dest": "/a/b/c/", "state": "directory", "mode": "u=rwx,go="}));
        assert_eq!(lines(&done.diffs), ["mode 0750 -> 0700"]);
    }

    #[test]
    fn a_whole_tree_gets_its_modes_and_links_in_it_are_left_alone() {
        let host = Host::new();
        host.file("/t/sub/f", "");
        host.file("/outside", "");
        host.link("/outside", "/t/link");
        host.mode("/t/sub/f", 0o644);
        host.mode("/outside", 0o644);
        let args = json!({"path": "/t", "state": "directory", "recurse": true, "mode": "u=rwX,go="});
        host.check_apply_apply("file", args);
        assert_eq!((host.mode_of("/t/sub"), host.mode_of("/t/sub/f"), host.mode_of("/outside")), (0o700, 0o600, 0o644));
    }

    #[test]
    fn a_link_is_made_turned_and_refused() {
        let host = Host::new();
        host.file("/opt/geth-1/geth", "");
        host.file("/opt/geth-2/geth", "");
        let args = |version| json!({"path": "/bin-geth", "src": format!("/opt/geth-{version}/geth"), "state": "link"});
        assert_eq!(lines(&host.check_apply_apply("file", args(1)).diffs), ["state absent -> link"]);
        let done = host.check_apply_apply("file", args(2));
        assert_eq!(lines(&done.diffs), ["src /opt/geth-1/geth -> /opt/geth-2/geth"]);
        assert!(host.fails("file", args(3)).contains("target /opt/geth-3/geth does not exist"));
        host.file("/taken", "precious");
        let mut taken = json!({"path": "/taken", "src": "/opt/geth-1/geth", "state": "link"});
        assert!(host.fails("file", taken.clone()).contains("`force: true`"));
        taken["force"] = json!(true);
        assert_eq!(lines(&host.check_apply_apply("file", taken).diffs), ["state file -> link"]);
        host.file("/full/f", "");
        let full = json!({"path": "/full", "src": "/opt", "state": "link", "force": true});
        assert!(host.fails("file", full).contains("a folder with files in it"));
    }

    #[test]
    fn the_mode_of_a_link_is_that_of_its_target_unless_told_otherwise() {
        let host = Host::new();
        host.file("/f", "");
        host.mode("/f", 0o644);
        host.link("f", "/link");
        host.check_apply_apply("file", json!({"path": "/link", "mode": "0600"}));
        assert_eq!(host.mode_of("/f"), 0o600);
        let kept = host.check_apply_apply("file", json!({"path": "/link", "mode": "0644", "follow": false}));
        assert!(kept.diffs.is_empty());
    }

    #[test]
    fn a_hard_link_is_another_name_of_the_same_file() {
        let host = Host::new();
        host.file("/f", "x");
        let done = host.check_apply_apply("file", json!({"path": "/g", "src": "/f", "state": "hard"}));
        assert_output(&done.output, json!({"state": "hard"}));
        assert!(host.fails("file", json!({"path": "/h", "src": "/no", "state": "hard"})).contains("does not exist"));
    }

    #[test]
    fn removing_is_thorough_and_does_not_follow() {
        let host = Host::new();
        host.file("/t/a/b", "");
        host.link("t", "/link");
        host.check_apply_apply("file", json!({"path": "/link", "state": "absent"}));
        assert!(host.has("/t/a/b"));
        let done = host.check_apply_apply("file", json!({"path": "/t", "state": "absent"}));
        assert_eq!(lines(&done.diffs), ["state directory -> absent"]);
        assert_output(&done.output, json!({"path": "/t", "state": "absent"}));
    }

    #[test]
    fn touching_always_changes_unless_times_are_preserved() {
        let host = Host::new();
        let mut args = json!({"path": "/f", "state": "touch", "mode": "0600"});
        assert_eq!(lines(&host.run("file", args.clone()).unwrap().diffs), ["state absent -> file"]);
        assert_eq!(host.run("file", args.clone()).unwrap().diffs.len(), 2);
        args["access_time"] = json!("preserve");
        args["modification_time"] = json!("preserve");
        host.check_apply_apply("file", args);
        let fixed = json!({"path": "/f", "modification_time": "202001021504.05"});
        assert_eq!(host.check_apply_apply("file", fixed).diffs.len(), 1);
        let wrong = json!({"path": "/f", "modification_time": "yesterday"});
        assert!(host.fails("file", wrong).contains("`yesterday`"));
    }

    #[test]
    fn odd_wishes_get_plain_answers() {
        let host = Host::new();
        host.file("/f", "");
        assert!(host.fails("file", json!({"path": "/no", "mode": "0600"})).contains("there is no such file"));
        assert!(host.fails("file", json!({"path": "/f", "state": "directory"})).contains("exists already as a file"));
        assert!(host.fails("file", json!({"path": "", "state": "directory"})).contains("path is empty"));
        assert!(host.fails("file", json!({"path": "/f", "moed": "0600"})).contains("did you mean `mode`?"));
        assert!(
            host.fails("file", json!({"path": "/f", "state": "dir"})).contains("option `state`: unknown variant `dir`")
        );
        assert!(host.fails("file", json!({"state": "absent"})).contains("`file` needs `path`"));
        assert!(host.fails("file", json!({"path": "/f", "mode": 644})).contains("option `mode`: the number 644"));
        assert!(host.fails("file", json!({"path": "/f", "src": "/g", "state": "touch"})).contains("src is only for"));
    }

    #[test]
    fn what_an_earlier_task_would_make_is_skipped_in_check_mode() {
        let host = Host::new();
        let outcome = host.check("file", json!({"path": "/later", "mode": "0600"})).unwrap();
        assert_output(&outcome.output, json!({"skipped": true}));
    }
}
