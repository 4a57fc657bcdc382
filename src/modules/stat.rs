//! `stat`: what is known of a path.

use super::attributes::{letters, lsattr, octal};
use super::loose::{Flag, Text, yes};
use super::{Cx, Module, Reach, Result};
use crate::base::{Failure, Map, Value};
use crate::system::{Algorithm, Command, Kind, Meta, System};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

/// Returns facts about a file, folder or link as `stat`; `stat.exists` says whether there is one. Changes nothing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Stat {
    /// The path to look at.
    pub path: Text,
    /// Look at what a link points to.
    #[serde(default)]
    pub follow: Flag,
    /// Also compute a checksum of a file.
    #[serde(default = "yes")]
    pub get_checksum: Flag,
    /// Which checksum: `md5`, `sha1`, `sha224`, `sha256`, `sha384` or `sha512`.
    #[serde(default = "sha1")]
    pub checksum_algorithm: String,
    /// Also ask the host's program `file` for `mimetype` and `charset`; both are `unknown` where it has none.
    #[serde(default = "yes")]
    pub get_mime: Flag,
    /// Also ask the host's `lsattr` for `attributes`, `attr_flags` and `version`.
    #[serde(default = "yes")]
    pub get_attributes: Flag,
}

fn sha1() -> String {
    "sha1".into()
}

/// What `stat` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    stat: Map,
}

impl Module for Stat {
    const NAME: &'static str = "stat";
    const EXAMPLE: &'static str = "\
- stat: {path: /var/lib/geth/geth/chaindata}
  register: chain
- debug: {msg: initialised}
  when: chain.stat.exists";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] = &[
        ("dest", "path"),
        ("name", "path"),
        ("checksum", "checksum_algorithm"),
        ("checksum_algo", "checksum_algorithm"),
        ("mime", "get_mime"),
        ("mime_type", "get_mime"),
        ("mime-type", "get_mime"),
        ("attr", "get_attributes"),
        ("attributes", "get_attributes"),
    ];
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let algorithm = algorithm(&self.checksum_algorithm)?;
        let system = cx.system;
        let path = system.expand(&self.path.0)?;
        let meta = if self.follow.0 { system.meta_followed(&path)? } else { system.meta(&path)? };
        let Some(meta) = meta else {
            return Ok(Output { stat: Map::from_iter([("exists".to_owned(), false.into())]) });
        };
        let mut stat = values(system, &path, &meta, &mut Names::default())?;
        stat.insert("exists".into(), true.into());
        stat.insert("block_size".into(), meta.block_size.into());
        stat.insert("blocks".into(), meta.blocks.into());
        stat.insert("device_type".into(), meta.special.into());
        if meta.is_link() {
            let target = system.read_link(&path)?;
            stat.insert("lnk_target".into(), target.display().to_string().into());
            stat.insert("lnk_source".into(), system.resolve(&path)?.display().to_string().into());
        }
        for (name, right) in [("readable", 'r'), ("writeable", 'w'), ("executable", 'x')] {
            stat.insert(name.into(), system.may(&path, right).into());
        }
        if meta.is_file() && self.get_checksum.0 && system.may(&path, 'r') {
            stat.insert("checksum".into(), system.checksum(&path, algorithm)?.into());
        }
        if self.get_mime.0 {
            let (kind, charset) = mime(system, &path);
            stat.insert("mimetype".into(), kind.into());
            stat.insert("charset".into(), charset.into());
        }
        if self.get_attributes.0 {
            // Of other kinds a file system keeps none.
            let has = matches!(meta.kind, Kind::File | Kind::Folder);
            let (version, letters) = if has { attributes(system, &path) } else { None }.unzip();
            let letters = letters.unwrap_or_default();
            stat.insert("version".into(), version.into());
            stat.insert("attributes".into(), letters.chars().filter_map(attribute).collect());
            stat.insert("attr_flags".into(), letters.into());
        }
        Ok(Output { stat })
    }
}

/// The algorithm that a user names.
pub(super) fn algorithm(name: &str) -> Result<Algorithm> {
    Algorithm::named(name).ok_or_else(|| {
        Failure::new(format!("there is no checksum `{name}`")).help("write md5, sha1, sha224, sha256, sha384 or sha512")
    })
}

/// Names of users and groups that were looked up already.
#[derive(Debug, Default)]
pub(super) struct Names {
    users: BTreeMap<u32, Option<String>>,
    groups: BTreeMap<u32, Option<String>>,
}

/// What `stat` and `find` both return about a path.
pub(super) fn values(system: &System, path: &Path, meta: &Meta, names: &mut Names) -> Result<Map> {
    let mut found = Map::new();
    let mut put = |name: &str, value: Value| found.insert(name.to_owned(), value);
    put("path", path.display().to_string().into());
    put("mode", octal(meta.mode).into());
    for (name, kind) in [
        ("isdir", Kind::Folder),
        ("ischr", Kind::Char),
        ("isblk", Kind::Block),
        ("isreg", Kind::File),
        ("isfifo", Kind::Pipe),
        ("islnk", Kind::Link),
        ("issock", Kind::Socket),
    ] {
        put(name, (meta.kind == kind).into());
    }
    put("uid", meta.uid.into());
    put("gid", meta.gid.into());
    put("size", meta.size.into());
    put("inode", meta.inode.into());
    put("dev", meta.device.into());
    put("nlink", meta.links.into());
    for (name, nanos) in [("atime", meta.accessed), ("mtime", meta.modified), ("ctime", meta.changed)] {
        put(name, seconds(nanos).into());
    }
    for (name, bit) in [
        ("rusr", 0o400),
        ("wusr", 0o200),
        ("xusr", 0o100),
        ("rgrp", 0o40),
        ("wgrp", 0o20),
        ("xgrp", 0o10),
        ("roth", 0o4),
        ("woth", 0o2),
        ("xoth", 0o1),
        ("isuid", 0o4000),
        ("isgid", 0o2000),
    ] {
        put(name, (meta.mode & bit != 0).into());
    }
    if let Entry::Vacant(unknown) = names.users.entry(meta.uid) {
        unknown.insert(system.user_by_id(meta.uid)?.map(|user| user.name));
    }
    if let Entry::Vacant(unknown) = names.groups.entry(meta.gid) {
        unknown.insert(system.group_by_id(meta.gid)?.map(|group| group.name));
    }
    if let Some(Some(name)) = names.users.get(&meta.uid) {
        put("pw_name", name.clone().into());
    }
    if let Some(Some(name)) = names.groups.get(&meta.gid) {
        put("gr_name", name.clone().into());
    }
    Ok(found)
}

/// Nanoseconds as seconds with a fraction.
#[allow(clippy::cast_precision_loss, reason = "microseconds are kept until the year 2255")]
pub(super) fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

fn mime(system: &System, path: &Path) -> (String, String) {
    let real = system.locate(path).display().to_string();
    let ended = system.run(&Command::new(["file", "--brief", "--mime-type", "--mime-encoding", "--", &real]));
    let unknown = || "unknown".to_owned();
    match ended {
        Ok(ended) if ended.code == 0 => match ended.stdout.trim().split_once("; charset=") {
            Some((kind, charset)) => (kind.to_owned(), charset.to_owned()),
            None => (ended.stdout.trim().to_owned(), unknown()),
        },
        _ => (unknown(), unknown()),
    }
}

/// What `lsattr -v` says of a path: its version number, and its attributes' letters without the dashes.
fn attributes(system: &System, path: &Path) -> Option<(String, String)> {
    let said = lsattr(system, path, "-vd").ok()?;
    let mut words = said.split_whitespace();
    Some((words.next()?.to_owned(), letters(words.next())))
}

/// Ansible's word for a letter of `man chattr`.
fn attribute(letter: char) -> Option<&'static str> {
    Some(match letter {
        'a' => "append",
        'A' => "noatime",
        'c' => "compressed",
        'C' => "nocow",
        'd' => "nodump",
        'D' => "dirsync",
        'e' => "extents",
        'E' => "encrypted",
        'h' => "blocksize",
        'i' => "immutable",
        'I' => "indexed",
        'j' => "journalled",
        'N' => "inline",
        's' => "zero",
        'S' => "synchronous",
        't' => "notail",
        'T' => "blockroot",
        'u' => "undelete",
        'X' => "compressedraw",
        'Z' => "compresseddirty",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::{Value, json};

    fn stat(host: &Host, args: Value) -> crate::base::Map {
        let done = host.check_apply_apply("stat", args);
        done.output["stat"].as_object().unwrap().clone()
    }

    #[test]
    fn a_file_is_described() {
        let host = Host::new();
        host.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
        host.file("/f", "x");
        host.mode("/f", 0o4640);
        let found = stat(&host, json!({"path": "/f", "checksum_algorithm": "sha1"}));
        assert_output(
            &found,
            json!({"exists": true, "path": "/f", "mode": "4640", "isreg": true, "isdir": false, "size": 1, "rusr": true,
                "woth": false, "isuid": true, "checksum": "11f6ad8ec52a2984abaafd7c3b516503785c2072", "readable": true}),
        );
        assert!(found["mtime"].as_f64().unwrap() > 1.6e9);
        assert!(!stat(&host, json!({"path": "/f", "get_checksum": false})).contains_key("checksum"));
    }

    #[test]
    fn a_missing_path_does_not_exist_and_that_is_no_failure() {
        assert_eq!(Value::from(stat(&Host::new(), json!({"path": "/no/such"}))), json!({"exists": false}));
    }

    #[test]
    fn a_link_is_described_or_followed() {
        let host = Host::new();
        host.file("/d/f", "");
        host.link("d", "/link");
        let found = stat(&host, json!({"path": "/link"}));
        assert_output(&found, json!({"islnk": true, "lnk_target": "d", "lnk_source": "/d"}));
        assert_output(&stat(&host, json!({"path": "/link", "follow": true})), json!({"isdir": true, "islnk": false}));
        assert!(host.fails("stat", json!({"path": "/link", "checksum_algorithm": "crc"})).contains("`crc`"));
    }

    #[test]
    fn type_and_attributes_are_told_unless_they_are_not_wanted() {
        let host = Host::new();
        host.file("/f", "x");
        host.link("f", "/link");
        for path in ["/f", "/link"] {
            let found = stat(&host, json!({"path": path}));
            // What they say depends on the programs and the disk that this machine has.
            assert!(found["mimetype"].is_string() && found["charset"].is_string(), "{found:?}");
            assert!(found["attributes"].is_array() && found["attr_flags"].is_string(), "{found:?}");
            assert!(found.contains_key("version") && found["readable"] == true, "{found:?}");
        }
        let found = stat(&host, json!({"path": "/f", "mime": false, "attr": false}));
        assert!(!found.contains_key("mimetype") && !found.contains_key("attr_flags"));
        assert_eq!((super::attribute('i'), super::attribute('m')), (Some("immutable"), None));
    }
}
