//! `find`: the files in some folders that fit.

use super::loose::{Flag, Number, Text, Words, yes};
use super::mode::Mode;
use super::stat::{Names, algorithm, seconds, values};
use super::{Cx, Module, Reach, Result};
use crate::base::python_regex::{self, Flags};
use crate::base::{Failure, Map, Value, wildcard};
use crate::system::{Algorithm, Kind, Meta, System};
use fancy_regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Returns the files of some folders that fit all conditions. Changes nothing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Find {
    /// The folders to search.
    pub paths: Words,
    /// Wildcards for the name (with `use_regex`, regular expressions); one has to match.
    #[serde(default)]
    pub patterns: Option<Words>,
    /// The same for names to leave out.
    #[serde(default)]
    pub excludes: Option<Words>,
    /// A regular expression that a line of the file must match from its start.
    #[serde(default)]
    pub contains: Option<Text>,
    /// Search `contains` in the whole file instead of line by line.
    #[serde(default)]
    pub read_whole_file: Flag,
    /// What to look for.
    #[serde(default)]
    pub file_type: FileType,
    /// Also in folders within the folders.
    #[serde(default)]
    pub recurse: Flag,
    /// How deep to go, with `recurse`; 1 is the folder itself.
    #[serde(default)]
    pub depth: Option<Number>,
    /// Also what begins with a dot.
    #[serde(default)]
    pub hidden: Flag,
    /// Follow links to folders, and describe what links point to.
    #[serde(default)]
    pub follow: Flag,
    /// At least this old: `3d`, `2h`, `10m`, `4w`, or seconds; negative: at most.
    #[serde(default)]
    pub age: Option<Text>,
    /// Which time `age` means.
    #[serde(default)]
    pub age_stamp: Stamp,
    /// At least this large: bytes, or `10k`, `1m`, `2g`; negative: at most.
    #[serde(default)]
    pub size: Option<Text>,
    /// Only with this mode.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// `false`: the bits of `mode` must be set, others may be.
    #[serde(default = "yes")]
    pub exact_mode: Flag,
    /// `patterns` and `excludes` are regular expressions that must match from the start of the name.
    #[serde(default)]
    pub use_regex: Flag,
    /// Also compute checksums.
    #[serde(default)]
    pub get_checksum: Flag,
    /// Which checksum: `md5`, `sha1`, `sha224`, `sha256`, `sha384` or `sha512`.
    #[serde(default = "sha1")]
    pub checksum_algorithm: String,
    /// Stop after so many.
    #[serde(default)]
    pub limit: Option<Number>,
    /// The files' encoding, for `contains`: only `utf-8`.
    #[serde(default)]
    pub encoding: Option<Text>,
}

/// What kind of thing to find.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileType {
    /// Whatever it is.
    Any,
    /// Folders.
    Directory,
    /// Regular files.
    #[default]
    File,
    /// Links.
    Link,
}

/// One of a file's times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stamp {
    /// When it was read.
    Atime,
    /// When its attributes changed.
    Ctime,
    /// When its content changed.
    #[default]
    Mtime,
}

fn sha1() -> String {
    "sha1".into()
}

/// What `find` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    files: Vec<Map>,
    matched: usize,
    examined: usize,
    skipped_paths: Map,
    msg: String,
}

impl Module for Find {
    const NAME: &'static str = "find";
    const EXAMPLE: &'static str = "\
- find:
    paths: /var/lib/geth/keystore
    patterns: UTC--*
  register: keys
- debug: {msg: \"{{ keys.files | map(attribute='path') }}\"}";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] = &[
        ("path", "paths"),
        ("name", "paths"),
        ("pattern", "patterns"),
        ("exclude", "excludes"),
        ("checksum", "checksum_algorithm"),
        ("checksum_algo", "checksum_algorithm"),
    ];
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        super::edit::only_utf8(self.encoding.as_ref())?;
        let search = self.conditions()?;
        let mut output =
            Output { files: Vec::new(), matched: 0, examined: 0, skipped_paths: Map::new(), msg: String::new() };
        let mut names = Names::default();
        for path in &self.paths.0 {
            let path = cx.system.expand(path)?;
            if !cx.system.is_folder(&path)? {
                let reason = format!("{} is not a directory", path.display());
                output.skipped_paths.insert(path.display().to_string(), reason.into());
                continue;
            }
            self.search(cx.system, &path, &search, &mut names, &mut output)?;
        }
        output.matched = output.files.len();
        output.msg = if output.skipped_paths.is_empty() {
            "All paths examined".into()
        } else {
            "Not all paths examined, check skipped_paths for details".into()
        };
        Ok(output)
    }
}

/// The conditions, ready to be tested.
struct Conditions {
    patterns: Vec<Regex>,
    excludes: Vec<Regex>,
    contains: Option<Regex>,
    /// Seconds.
    age: Option<i64>,
    /// Bytes.
    size: Option<i64>,
    checksum: Algorithm,
    now: f64,
}

impl Find {
    fn conditions(&self) -> Result<Conditions> {
        let names = |words: &Option<Words>| -> Result<Vec<Regex>> {
            let words = words.iter().flat_map(|words| &words.0);
            words.map(|word| if self.use_regex.0 { from_start(word, false) } else { wildcard::compile(word) }).collect()
        };
        let contains = self.contains.as_ref().map(|text| from_start(&text.0, self.read_whole_file.0)).transpose()?;
        let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86400), ("w", 604_800)];
        let sizes = [("b", 1), ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1 << 40)];
        Ok(Conditions {
            patterns: names(&self.patterns)?,
            excludes: names(&self.excludes)?,
            contains,
            age: self.age.as_ref().map(|text| amount("age", &text.0, &units)).transpose()?,
            size: self.size.as_ref().map(|text| amount("size", &text.0, &sizes)).transpose()?,
            checksum: algorithm(&self.checksum_algorithm)?,
            now: seconds(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)),
        })
    }

    fn search(
        &self,
        system: &System,
        top: &Path,
        search: &Conditions,
        names: &mut Names,
        output: &mut Output,
    ) -> Result<()> {
        let mut open: Vec<(PathBuf, i64)> = vec![(top.to_owned(), 1)];
        let mut seen = BTreeSet::new();
        while let Some((folder, depth)) = open.pop() {
            let entries = match system.list(&folder) {
                Ok(entries) => entries,
                Err(failure) => {
                    output.skipped_paths.insert(folder.display().to_string(), failure.message.into());
                    continue;
                }
            };
            let mut below = Vec::new();
            for path in entries {
                output.examined += 1;
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if name.starts_with('.') && !self.hidden.0 {
                    continue;
                }
                let Some(own) = system.meta(&path)? else { continue };
                let followed = if self.follow.0 && own.is_link() { system.meta_followed(&path)? } else { None };
                let meta = followed.unwrap_or(own);
                let deeper = self.depth.is_none_or(|most| depth < most.0);
                if meta.is_folder() && self.recurse.0 && deeper && seen.insert((meta.device, meta.inode)) {
                    below.push((path.clone(), depth + 1));
                }
                if self.fits(system, &path, &name, &meta, search)? {
                    let mut found = values(system, &path, &meta, names)?;
                    if self.get_checksum.0 && meta.is_file() {
                        let checksum = system.checksum(&path, search.checksum)?;
                        found.insert("checksum".into(), Value::from(checksum));
                    }
                    output.files.push(found);
                    if self.limit.is_some_and(|limit| output.files.len() as u64 >= limit.0.unsigned_abs()) {
                        return Ok(());
                    }
                }
            }
            open.extend(below.into_iter().rev());
        }
        Ok(())
    }

    fn fits(&self, system: &System, path: &Path, name: &str, meta: &Meta, search: &Conditions) -> Result<bool> {
        let kind = match self.file_type {
            FileType::Any => true,
            FileType::Directory => meta.kind == Kind::Folder,
            FileType::File => meta.kind == Kind::File,
            FileType::Link => meta.kind == Kind::Link,
        };
        if !kind || !(search.patterns.is_empty() || any(&search.patterns, name)?) || any(&search.excludes, name)? {
            return Ok(false);
        }
        let at_least = |wanted: i64, is: i64| if wanted >= 0 { is >= wanted } else { is <= -wanted };
        if let Some(age) = search.age {
            let time = match self.age_stamp {
                Stamp::Atime => meta.accessed,
                Stamp::Ctime => meta.changed,
                Stamp::Mtime => meta.modified,
            };
            #[allow(clippy::cast_possible_truncation, reason = "whole seconds are meant")]
            if !at_least(age, (search.now - seconds(time)) as i64) {
                return Ok(false);
            }
        }
        if search.size.is_some_and(|size| !at_least(size, i64::try_from(meta.size).unwrap_or(i64::MAX))) {
            return Ok(false);
        }
        if let Some(mode) = &self.mode {
            let wanted = mode.bits(if self.exact_mode.0 { meta.mode } else { 0 }, meta.is_folder(), 0);
            let fits = if self.exact_mode.0 { meta.mode == wanted } else { meta.mode & wanted == wanted };
            if !fits {
                return Ok(false);
            }
        }
        match &search.contains {
            Some(pattern) if meta.is_file() => self.contains(system, path, pattern),
            Some(_) => Ok(false),
            None => Ok(true),
        }
    }

    fn contains(&self, system: &System, path: &Path, pattern: &Regex) -> Result<bool> {
        // What is no text, or cannot be read, contains nothing.
        let Ok(text) = system.read_text(path) else { return Ok(false) };
        if self.read_whole_file.0 {
            return python_regex::is_match(pattern, &text);
        }
        for line in text.lines() {
            if python_regex::is_match(pattern, line)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn any(patterns: &[Regex], name: &str) -> Result<bool> {
    for pattern in patterns {
        if python_regex::is_match(pattern, name)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A pattern as `re.match` has it: it must match where the text starts, unless it is searched `anywhere`.
fn from_start(pattern: &str, anywhere: bool) -> Result<Regex> {
    let compiled = python_regex::compile(pattern, Flags::default())?;
    if anywhere {
        return Ok(compiled);
    }
    python_regex::compile(&format!("^(?:{pattern})"), Flags::default())
}

/// A number with a unit; without one it counts the first unit.
fn amount(option: &str, text: &str, units: &[(&str, i64)]) -> Result<i64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "" => Some(1),
        unit => units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor),
    };
    if let (Ok(number), Some(factor)) = (digits.parse::<i64>(), factor) {
        return Ok(number.saturating_mul(factor));
    }
    let known: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    Err(Failure::new(format!("option `{option}`: `{text}` is not understood"))
        .help(format!("write a whole number and one of {}", known.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Host;
    use serde_json::{Value, json};

    fn host() -> Host {
        let host = Host::new();
        host.file("/d/a.log", "start\nerror: x\n");
        host.file("/d/b.log", "fine\n");
        host.file("/d/.hidden.log", "");
        host.file("/d/sub/c.log", "error\n");
        host.file("/d/sub/deep/d.txt", vec![b'x'; 3000]);
        host.link("sub", "/d/link");
        host
    }

    fn found(mut args: Value) -> Vec<String> {
        args["paths"] = json!("/d");
        let done = host().check_apply_apply("find", args);
        let files = done.output["files"].as_array().unwrap().clone();
        assert_eq!(done.output["matched"], files.len());
        files.iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn names_are_matched_by_wildcard_or_regular_expression() {
        assert_eq!(found(json!({"patterns": "*.log"})), ["/d/a.log", "/d/b.log"]);
        assert_eq!(found(json!({"patterns": "*.log", "hidden": true})), ["/d/.hidden.log", "/d/a.log", "/d/b.log"]);
        assert_eq!(found(json!({"patterns": ["^[ab]\\.log$"], "use_regex": true, "excludes": "b"})), ["/d/a.log"]);
        assert_eq!(found(json!({"recurse": true, "patterns": ["*.txt", "c*"]})), ["/d/sub/c.log", "/d/sub/deep/d.txt"]);
    }

    #[test]
    fn kinds_depth_and_links_are_minded() {
        assert_eq!(found(json!({"file_type": "directory", "recurse": true})), ["/d/sub", "/d/sub/deep"]);
        assert_eq!(found(json!({"file_type": "link"})), ["/d/link"]);
        assert_eq!(found(json!({"recurse": true, "depth": 2, "patterns": "?.*"})).len(), 3);
        assert_eq!(found(json!({"recurse": true, "limit": 1})).len(), 1);
    }

    #[test]
    fn content_size_and_age_are_minded() {
        assert_eq!(found(json!({"contains": "error", "recurse": true})), ["/d/a.log", "/d/sub/c.log"]);
        assert_eq!(found(json!({"size": "2k", "recurse": true})), ["/d/sub/deep/d.txt"]);
        assert_eq!(found(json!({"size": "-6"})), ["/d/b.log"]);
        assert!(found(json!({"age": "1d"})).is_empty());
        assert_eq!(found(json!({"age": "-1h"})).len(), 2);
        assert!(host().fails("find", json!({"paths": "/d", "age": "soon"})).contains("`soon`"));
    }

    #[test]
    fn a_missing_folder_is_skipped_and_named() {
        let done = host().run("find", json!({"paths": ["/no", "/d"]})).unwrap();
        assert_eq!(done.output["skipped_paths"]["/no"], "/no is not a directory");
        assert_eq!(done.output["matched"], 2);
    }
}
