//! The options that every module about files shares: mode, owner, group and what goes with them.

use super::loose::{Flag, Text};
use super::mode::Mode;
use super::{Cx, Result};
use crate::base::{Diff, Failure, Map};
use crate::system::{Command, Kind, Meta, System, Traits, Writer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Mode, owner and group of a file. Put it into a module's struct with `#[serde(flatten)]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Attributes {
    /// Permission bits: `"0644"` or `u=rw,g=r,o=r`. Quote octal digits. What is there keeps its own if this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Name (or number) of the user who shall own it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Text>,
    /// Name (or number) of the group that shall own it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Text>,
    /// Attributes of the file system as `chattr` takes them: `+i`, `-a`, `=ie`.
    #[serde(default, rename = "attributes", skip_serializing_if = "Option::is_none")]
    pub chattr: Option<Text>,
    /// Where a file cannot be replaced at once (a file mounted into a container), write into it instead.
    #[serde(default)]
    pub unsafe_writes: Flag,
    /// `SELinux` user. `SELinux` labels are not managed: refused on hosts where `SELinux` is on, ignored elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seuser: Option<Text>,
    /// `SELinux` role; see `seuser`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serole: Option<Text>,
    /// `SELinux` type; see `seuser`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setype: Option<Text>,
    /// `SELinux` level; see `seuser`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selevel: Option<Text>,
}

/// What has to be set on something that exists.
#[derive(Debug, Default)]
pub struct Differing {
    /// Only what differs.
    pub traits: Traits,
    /// One for each.
    pub diffs: Vec<Diff>,
    /// For `chattr`.
    pub chattr: Option<String>,
}

impl Differing {
    /// Sets it.
    pub fn set(&self, writer: &Writer, path: &Path) -> Result<()> {
        writer.traits(path, self.traits)?;
        match &self.chattr {
            Some(wanted) => chattr(writer, path, wanted),
            None => Ok(()),
        }
    }
}

impl Attributes {
    /// What something new gets. In check mode a user or group that an earlier task would make is left open.
    pub fn for_new(&self, cx: &Cx, folder: bool) -> Result<Traits> {
        self.refuse_selinux(cx.system)?;
        let plain = if folder { 0o777 } else { 0o666 };
        let umask = cx.system.umask();
        let open = |id: Result<u32>| match id {
            Err(_) if cx.check => Ok(None),
            id => id.map(Some),
        };
        Ok(Traits {
            mode: self.mode.as_ref().map(|mode| mode.bits(plain & !umask, folder, umask)),
            uid: self.owner.as_ref().map_or(Ok(None), |owner| open(cx.system.uid(&owner.0)))?,
            gid: self.group.as_ref().map_or(Ok(None), |group| open(cx.system.gid(&group.0)))?,
        })
    }

    /// How something that exists differs. A link has no mode of its own.
    pub fn differing(&self, cx: &Cx, path: &Path, meta: &Meta) -> Result<Differing> {
        self.refuse_selinux(cx.system)?;
        let mut found = Differing::default();
        if let Some(owner) = &self.owner {
            let before = || cx.system.user_name(meta.uid);
            match cx.system.uid(&owner.0) {
                Ok(uid) if uid == meta.uid => {}
                Ok(uid) => {
                    found.traits.uid = Some(uid);
                    found.diffs.push(Diff::value("owner", before()?, cx.system.user_name(uid)?));
                }
                Err(_) if cx.check => found.diffs.push(Diff::value("owner", before()?, &owner.0)),
                Err(failure) => return Err(failure),
            }
        }
        if let Some(group) = &self.group {
            let before = || cx.system.group_name(meta.gid);
            match cx.system.gid(&group.0) {
                Ok(gid) if gid == meta.gid => {}
                Ok(gid) => {
                    found.traits.gid = Some(gid);
                    found.diffs.push(Diff::value("group", before()?, cx.system.group_name(gid)?));
                }
                Err(_) if cx.check => found.diffs.push(Diff::value("group", before()?, &group.0)),
                Err(failure) => return Err(failure),
            }
        }
        if let Some(mode) = self.mode.as_ref().filter(|_| !meta.is_link()) {
            let wanted = mode.bits(meta.mode, meta.is_folder(), cx.system.umask());
            if wanted != meta.mode {
                found.traits.mode = Some(wanted);
                found.diffs.push(Diff::value("mode", octal(meta.mode), octal(wanted)));
            } else if (found.traits.uid.is_some() || found.traits.gid.is_some()) && meta.mode & 0o6000 != 0 {
                // A change of owner clears set-uid and set-gid; they are wanted, so they are set again.
                found.traits.mode = Some(wanted);
            }
        }
        if let Some(wanted) = self.chattr.as_ref().filter(|_| matches!(meta.kind, Kind::File | Kind::Folder)) {
            let before = letters(lsattr(cx.system, path, "-d")?.split_whitespace().next());
            if !has_attributes(&before, &wanted.0) {
                found.diffs.push(Diff::value("attributes", &before, &wanted.0));
                found.chattr = Some(wanted.0.clone());
            }
        }
        Ok(found)
    }

    /// Makes what exists at `path` have these attributes, one diff for each that differs: `mode 0755 -> 0700`. A link
    /// itself is meant, not what it points to. What does not exist (yet, in check mode) is left alone.
    pub fn apply(&self, cx: &mut Cx, path: &Path) -> Result<()> {
        let Some(meta) = cx.system.meta(path)? else { return Ok(()) };
        let found = self.differing(cx, path, &meta)?;
        let mut diffs = found.diffs.iter().cloned();
        if let Some(first) = diffs.next() {
            cx.change(first, |writer| found.set(writer, path))?;
        }
        for diff in diffs {
            cx.change(diff, |_| Ok(()))?;
        }
        Ok(())
    }

    /// The same with `mode: preserve` made what the source has.
    #[must_use]
    pub fn preserving(&self, source_mode: u32) -> Self {
        let mut this = self.clone();
        if this.mode == Some(Mode::Preserve) {
            this.mode = Some(Mode::Bits(source_mode));
        }
        this
    }

    /// Sets what only an existing file can have, after it was made.
    pub fn finish_new(&self, writer: &Writer, path: &Path) -> Result<()> {
        match &self.chattr {
            Some(wanted) => chattr(writer, path, &wanted.0),
            None => Ok(()),
        }
    }

    fn refuse_selinux(&self, system: &System) -> Result<()> {
        let asked = [&self.seuser, &self.serole, &self.setype, &self.selevel].into_iter().any(Option::is_some);
        if asked && system.exists(Path::new("/sys/fs/selinux/enforce"))? {
            return Err(Failure::new("SELinux labels are not managed by this program")
                .help("leave out seuser, serole, setype and selevel, and set the label with `chcon` or `semanage`"));
        }
        Ok(())
    }
}

/// Four octal digits.
pub fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

/// What Ansible returns about a path: mode, owner, group, uid, gid, size, state. Empty where nothing is.
pub fn describe(system: &System, path: &Path) -> Result<Map> {
    let Some(meta) = system.meta(path)? else { return Ok(Map::new()) };
    let state = if meta.is_file() && meta.links > 1 { "hard" } else { meta.kind.word() };
    Ok(Map::from_iter([
        // With a zero before all digits: `01777`, as in C.
        ("mode".to_owned(), format!("0{:03o}", meta.mode).into()),
        ("owner".to_owned(), system.user_name(meta.uid)?.into()),
        ("group".to_owned(), system.group_name(meta.gid)?.into()),
        ("uid".to_owned(), meta.uid.into()),
        ("gid".to_owned(), meta.gid.into()),
        ("size".to_owned(), meta.size.into()),
        ("state".to_owned(), state.into()),
    ]))
}

/// What `lsattr` with these options prints of a path.
pub(super) fn lsattr(system: &System, path: &Path, options: &str) -> Result<String> {
    let real = system.locate(path).display().to_string();
    let ended = system.run(&Command::new(["lsattr", options, &real]))?;
    if ended.code != 0 {
        return Err(Failure::new(format!("{}: cannot read its attributes: {}", path.display(), ended.stderr.trim())));
    }
    Ok(ended.stdout)
}

/// The letters of the attributes that are set, from lsattr's column of letters and dashes.
pub(super) fn letters(column: Option<&str>) -> String {
    column.unwrap_or_default().replace('-', "")
}

fn has_attributes(current: &str, wanted: &str) -> bool {
    let letters = wanted.trim_start_matches(['+', '-', '=']);
    let has = |letter: char| current.contains(letter);
    match wanted.chars().next() {
        Some('-') => !letters.chars().any(has),
        Some('+') => letters.chars().all(has),
        _ => letters.chars().all(has) && current.chars().all(|letter| letters.contains(letter)),
    }
}

fn chattr(writer: &Writer, path: &Path, wanted: &str) -> Result<()> {
    let wanted = if wanted.starts_with(['+', '-', '=']) { wanted.to_owned() } else { format!("={wanted}") };
    let real = writer.system().locate(path).display().to_string();
    let ended = writer.run(&Command::new(["chattr".to_owned(), wanted, real]))?;
    if ended.code != 0 {
        return Err(Failure::new(format!("{}: cannot set its attributes: {}", path.display(), ended.stderr.trim())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Host;
    use super::*;
    use serde_json::json;

    fn attributes(value: serde_json::Value) -> Attributes {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn only_what_differs_is_set_and_shown() {
        let host = Host::new();
        host.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\ngeth:x:990:991:::\n");
        host.file("/etc/group", "root:x:0:\ngeth:x:991:\n");
        host.file("/f", "");
        host.mode("/f", 0o644);
        let wanted = attributes(json!({"mode": "u=rw,go=", "owner": "geth", "group": "root"}));
        let shown: Vec<String> = host
            .with_cx(false, |cx| wanted.apply(cx, Path::new("/f")))
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(shown, ["owner root -> geth", "mode 0644 -> 0600"]);
        assert!(host.with_cx(false, |cx| wanted.apply(cx, Path::new("/f"))).unwrap().is_empty());
    }

    #[test]
    fn a_user_that_is_not_there_yet_is_a_failure_only_in_earnest() {
        let host = Host::new();
        host.file("/f", "");
        let wanted = attributes(json!({"owner": "geth"}));
        let diffs = host.with_cx(true, |cx| wanted.apply(cx, Path::new("/f"))).unwrap();
        assert_eq!(diffs, [Diff::value("owner", "0", "geth")]);
        let failure = host.with_cx(false, |cx| wanted.apply(cx, Path::new("/f"))).unwrap_err();
        assert_eq!(failure.message, "there is no user `geth` on this host");
    }

    #[test]
    fn attribute_letters_are_compared_as_sets() {
        assert!(has_attributes("ie", "+i") && has_attributes("e", "-i") && has_attributes("ei", "=ie"));
        assert!(!has_attributes("e", "+i") && !has_attributes("ie", "-i") && !has_attributes("ie", "e"));
    }
}
