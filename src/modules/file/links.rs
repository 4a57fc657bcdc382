//! Links that `file` makes, and what they may replace.

use super::super::{Cx, Result};
use super::File;
use crate::base::{Diff, Failure};
use crate::system::Meta;
use std::path::{Path, PathBuf};

impl File {
    pub(super) fn link(&self, cx: &mut Cx, path: &Path) -> Result<()> {
        let old = cx.system.meta(path)?;
        let before = match &old {
            Some(meta) if meta.is_link() => Some(cx.system.read_link(path)?),
            _ => None,
        };
        let src = match (&self.src, &before) {
            (Some(src), _) if src.0.is_empty() => return Err(Failure::new("`src` of the link is empty")),
            // As written: a relative target stays relative.
            (Some(src), _) => PathBuf::from(&src.0),
            (None, Some(target)) => target.clone(),
            (None, None) => return Err(Failure::new("`file` needs `src` to make a link")),
        };
        let target = path.parent().unwrap_or(Path::new("/")).join(&src);
        if !self.force.0 && !cx.check && !cx.system.exists(&target)? {
            return Err(Failure::new(format!(
                "{}: the link's target {} does not exist",
                path.display(),
                src.display()
            ))
            .help("make it before, or write `force: true` to link to what is not there"));
        }
        if before.as_ref() != Some(&src) {
            let diff = match (&before, &old) {
                (Some(before), _) => Diff::value("src", before.display(), src.display()),
                (None, None) => Diff::value("state", "absent", "link"),
                (None, Some(meta)) => {
                    self.may_replace(cx, path, meta, "link")?;
                    Diff::value("state", meta.kind.word(), "link")
                }
            };
            let folder = old.is_some_and(|meta| meta.is_folder());
            cx.change(diff, |writer| {
                if folder {
                    writer.remove_empty(path)?;
                }
                writer.symlink(&src, path)
            })?;
        }
        let managed = if self.follow.0 { cx.system.resolve(&target)? } else { path.to_owned() };
        self.attributes.apply(cx, &managed)
    }

    pub(super) fn hard(&self, cx: &mut Cx, path: &Path) -> Result<()> {
        let Some(src) = &self.src else { return Err(Failure::new("`file` needs `src` to make a hard link")) };
        let src = cx.system.expand(&src.0)?;
        let old = cx.system.meta(path)?;
        let source = match cx.system.meta(&src)? {
            Some(meta) if meta.is_folder() => {
                return Err(Failure::new(format!("{}: a folder cannot have a hard link", src.display())));
            }
            None if !cx.check => {
                return Err(Failure::new(format!("{}: the hard link's source does not exist", src.display())));
            }
            source => source,
        };
        let same = |meta: &Meta| source.as_ref().is_some_and(|s| (s.device, s.inode) == (meta.device, meta.inode));
        if !old.as_ref().is_some_and(same) {
            let before = match &old {
                None => "absent",
                Some(meta) => {
                    if !meta.is_link() {
                        self.may_replace(cx, path, meta, "hard link")?;
                    }
                    meta.kind.word()
                }
            };
            let folder = old.as_ref().is_some_and(Meta::is_folder);
            cx.change(Diff::value("state", before, "hard"), |writer| {
                if folder {
                    writer.remove_empty(path)?;
                }
                writer.hard_link(&src, path)
            })?;
        }
        self.attributes.apply(cx, if cx.check { &src } else { path })
    }

    fn may_replace(&self, cx: &Cx, path: &Path, old: &Meta, wanted: &str) -> Result<()> {
        let word = old.kind.word();
        if !self.force.0 {
            return Err(Failure::new(format!("{}: a {word} is there already, not a {wanted}", path.display()))
                .help("write `force: true` to put the link in its place"));
        }
        if old.is_folder() && !cx.system.list(path)?.is_empty() {
            return Err(Failure::new(format!(
                "{}: a folder with files in it is not replaced by a link",
                path.display()
            ))
            .help("remove it in an earlier task with `state: absent`"));
        }
        Ok(())
    }
}
