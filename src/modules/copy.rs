//! `copy`: files and folders from the controller, or given contents, onto the host.

mod text;
mod tree;

use super::attributes::{Attributes, describe};
use super::content::{Content, Done, Replacing, put, refuse_vault};
use super::file::unknown;
use super::loose::{Flag, Text, yes};
use super::mode::Mode;
use super::{BlobRef, Controller, Cx, Module, Reach, Result};
use crate::base::failure::Context;
use crate::base::{Diff, Failure, Map, Value};
use crate::system::{Algorithm, Kind, System};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use text::as_text;
use tree::{tree_dest, walk};

/// Copies a file or a folder to the host, or writes the given content. Only what differs travels.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Copy {
    /// A file or folder of the controller, searched in `files/` of the role and the playbook. With `/` at its end, what is
    /// in the folder is copied, not the folder itself.
    #[serde(default)]
    pub src: Option<Text>,
    /// The content of the file, instead of `src`. A table or list is written as JSON.
    #[serde(default)]
    pub content: Option<Value>,
    /// Where it shall be. With `/` at its end, or if it is a folder, the file goes into it under its own name.
    pub dest: Text,
    /// Take `src` from the host itself.
    #[serde(default)]
    pub remote_src: Flag,
    /// `false`: write only if nothing is there.
    #[serde(default = "yes")]
    pub force: Flag,
    /// If `dest` is a link, write what it points to instead of replacing it.
    #[serde(default)]
    pub follow: Flag,
    /// Copy what links in `src` point to; `false` copies them as links.
    #[serde(default = "yes")]
    pub local_follow: Flag,
    /// Mode of folders that are made on the way.
    #[serde(default)]
    pub directory_mode: Option<Mode>,
    /// The SHA-1 that the source must have.
    #[serde(default)]
    pub checksum: Option<Text>,
    /// `false`: copy a file that is encrypted with vault as it is.
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
    #[serde(default, rename = "_tree", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    tree: Option<Vec<Entry>>,
}

/// Something in a folder of the controller.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// Seen from the folder.
    path: String,
    mode: u32,
    /// Of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blob: Option<BlobRef>,
    /// Of a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

/// What a path below `dest` shall be.
enum What<'a> {
    Folder,
    Link(&'a Path),
    File(Content<'a>),
}

impl Module for Copy {
    const NAME: &'static str = "copy";
    const EXAMPLE: &'static str = "\
- copy:
    src: geth-1.13.15
    dest: /opt/geth/1.13.15/geth
    mode: \"0755\"
- copy: {content: \"{{ genesis }}\", dest: /etc/geth/genesis.json, validate: \"python3 -m json.tool %s\"}";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] = &[("thirsty", "force"), ("attr", "attributes")];
    type Output = Map;

    fn prepare(mut self, controller: &dyn Controller) -> Result<Self> {
        match (&self.src, &self.content) {
            (Some(_), Some(_)) => return Err(Failure::new("`copy` takes `src` or `content`, not both")),
            (None, None) => return Err(Failure::new("`copy` needs `src` or `content`")),
            (None, Some(content)) => {
                self.blob = Some(controller.blob(as_text(content).into_bytes()));
                // It must not travel twice, and it may be a secret.
                self.content = Some(Value::String(String::new()));
            }
            (Some(src), None) if !self.remote_src.0 => {
                let src = src.0.clone();
                self.prepare_source(controller, &src)?;
            }
            _ => {}
        }
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let into = self.dest.0.ends_with('/');
        let dest = cx.system.expand(&self.dest.0)?;
        let src = self.src.as_ref().map(|src| src.0.as_str()).unwrap_or_default();
        if let Some(tree) = &self.tree {
            let items: Vec<_> = tree.iter().map(|entry| (entry.path.clone(), entry.mode, entry.what())).collect();
            return self.tree(cx, &tree_dest(src, &dest), &items);
        }
        if let Some(blob) = &self.blob {
            if self.content.is_some() && (into || cx.system.is_folder(&dest)?) {
                return Err(Failure::new(format!("{}: content cannot be written to a folder", dest.display()))
                    .help("give `dest` the name of a file"));
            }
            return self.file(cx, &dest, into, Path::new(src), Content::Blob(blob), &self.attributes);
        }
        let from = cx.system.expand(src)?;
        match cx.system.meta_followed(&from)? {
            None if cx.check => Ok(unknown(&from)),
            None => Err(Failure::new(format!("{}: there is no such file on the host", from.display()))
                .help("remote_src is true: without it, `src` is searched on the controller")),
            Some(meta) if meta.is_folder() => {
                let walked = walk(cx.system, &from, self.local_follow.0)?;
                let items: Vec<_> = walked
                    .iter()
                    .map(|(relative, meta, path, link)| {
                        let what = match (link, meta.kind) {
                            (Some(target), _) => What::Link(target),
                            (None, Kind::Folder) => What::Folder,
                            (None, _) => What::File(Content::File(path)),
                        };
                        (relative.clone(), meta.mode, what)
                    })
                    .collect();
                self.tree(cx, &tree_dest(src, &dest), &items)
            }
            Some(meta) => {
                let attributes = self.attributes.preserving(meta.mode);
                self.file(cx, &dest, into, &from, Content::File(&from), &attributes)
            }
        }
    }
}

impl Entry {
    fn what(&self) -> What<'_> {
        match (&self.blob, &self.link) {
            (Some(blob), _) => What::File(Content::Blob(blob)),
            (None, Some(target)) => What::Link(Path::new(target)),
            (None, None) => What::Folder,
        }
    }
}

impl Copy {
    fn prepare_source(&mut self, controller: &dyn Controller, src: &str) -> Result<()> {
        let local = System::new("/");
        let name = if src.starts_with('~') { local.expand(src)?.display().to_string() } else { src.to_owned() };
        let found = controller.find("files", name.trim_end_matches('/'))?;
        let found = std::path::absolute(&found).context(found.display())?;
        let Some(meta) = local.meta_followed(&found)? else {
            return Err(Failure::new(format!("{}: there is no such file on the controller", found.display())));
        };
        if !meta.is_folder() {
            if src.ends_with('/') {
                return Err(Failure::new(format!("`{src}` is a file, not a folder; leave the `/` at its end out")));
            }
            self.blob = Some(self.local_blob(controller, &local, &found)?);
            self.attributes = self.attributes.preserving(meta.mode);
            return Ok(());
        }
        let mut tree = Vec::new();
        for (path, meta, real, link) in walk(&local, &found, self.local_follow.0)? {
            let link = link.map(|target| target.display().to_string());
            let blob = match meta.kind {
                Kind::Folder | Kind::Link => None,
                _ => Some(self.local_blob(controller, &local, &real)?),
            };
            tree.push(Entry { path, mode: meta.mode, blob, link });
        }
        self.tree = Some(tree);
        Ok(())
    }

    fn local_blob(&self, controller: &dyn Controller, local: &System, path: &Path) -> Result<BlobRef> {
        if self.decrypt.0 {
            refuse_vault(local, path)?;
        }
        if let Some(wanted) = &self.checksum {
            let found = local.checksum(path, Algorithm::Sha1)?;
            if !found.eq_ignore_ascii_case(&wanted.0) {
                return Err(Failure::new(format!("{}: its SHA-1 is {found}, expected {}", path.display(), wanted.0)));
            }
        }
        controller.blob_file(path)
    }

    /// One file; `into`: `dest` is meant as a folder.
    fn file(
        &self,
        cx: &mut Cx,
        dest: &Path,
        into: bool,
        src: &Path,
        content: Content,
        attributes: &Attributes,
    ) -> Result<Map> {
        let mut path = dest.to_owned();
        if into || cx.system.is_folder(dest)? {
            self.folder(cx, dest, false)?;
            path.push(src.file_name().unwrap_or_default());
        }
        if self.follow.0 {
            path = cx.system.resolve(&path)?;
        }
        let done = self.put(cx, &path, content, attributes)?;
        report(cx, &path, self.src.as_ref().map(|src| src.0.as_str()), done)
    }

    fn put(&self, cx: &mut Cx, path: &Path, content: Content, attributes: &Attributes) -> Result<Done> {
        if !self.force.0 && cx.system.meta(path)?.is_some() {
            return Ok(Done::default());
        }
        put(cx, self.replacing.how(path, attributes), content)
    }

    /// Makes a folder that is missing; one that is there is only managed where it belongs to the copied tree.
    fn folder(&self, cx: &mut Cx, path: &Path, managed: bool) -> Result<()> {
        let attributes = Attributes { mode: self.directory_mode.clone(), chattr: None, ..self.attributes.clone() };
        match cx.system.meta_followed(path)? {
            Some(meta) if !meta.is_folder() => {
                Err(Failure::new(format!("{}: it is a {}, not a folder", path.display(), meta.kind.word())))
            }
            Some(_) if managed => attributes.apply(cx, &cx.system.resolve(path)?),
            Some(_) => Ok(()),
            None => {
                let traits = attributes.for_new(cx, true)?;
                let name = path.display().to_string();
                cx.change(Diff::value(name, "absent", "directory"), |writer| writer.folders(path, traits))?;
                Ok(())
            }
        }
    }

    fn tree(&self, cx: &mut Cx, dest: &Path, items: &[(String, u32, What)]) -> Result<Map> {
        self.folder(cx, dest, false)?;
        for (relative, mode, what) in items {
            let path = dest.join(relative);
            match what {
                What::Folder => self.folder(cx, &path, true)?,
                What::Link(target) => link(cx, &path, target)?,
                What::File(content) => {
                    let attributes = self.attributes.preserving(*mode);
                    let path = if self.follow.0 { cx.system.resolve(&path)? } else { path };
                    self.put(cx, &path, *content, &attributes)?;
                }
            }
        }
        let mut output = describe(cx.system, dest)?;
        output.insert("dest".into(), dest.display().to_string().into());
        output.insert("src".into(), self.src.as_ref().map(|src| src.0.clone()).unwrap_or_default().into());
        Ok(output)
    }
}

/// What Ansible returns about a written file.
pub(super) fn report(cx: &Cx, path: &Path, src: Option<&str>, done: Done) -> Result<Map> {
    let mut output = describe(cx.system, path)?;
    if cx.system.meta(path)?.is_some_and(|meta| meta.is_file()) {
        output.insert("checksum".into(), cx.system.checksum(path, Algorithm::Sha1)?.into());
        if done.changed && !cx.check {
            output.insert("md5sum".into(), cx.system.checksum(path, Algorithm::Md5)?.into());
        }
    }
    output.insert("dest".into(), path.display().to_string().into());
    if let Some(src) = src {
        output.insert("src".into(), src.into());
    }
    if let Some(backup) = done.backup {
        output.insert("backup_file".into(), backup.into());
    }
    Ok(output)
}

fn link(cx: &mut Cx, path: &Path, target: &Path) -> Result<()> {
    let before = match cx.system.meta(path)? {
        None => "absent".to_owned(),
        Some(meta) if meta.is_link() => {
            let before = cx.system.read_link(path)?;
            if before == target {
                return Ok(());
            }
            format!("link to {}", before.display())
        }
        Some(meta) => meta.kind.word().to_owned(),
    };
    let diff = Diff::value(path.display().to_string(), before, format!("link to {}", target.display()));
    cx.change(diff, |writer| writer.symlink(target, path))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::json;

    #[test]
    fn a_file_goes_into_a_folder_under_its_own_name() {
        let host = Host::new();
        host.local("files/app.conf", "x=1\n");
        host.folder("/etc/app");
        let done = host.check_apply_apply("copy", json!({"src": "app.conf", "dest": "/etc/app", "mode": "0640"}));
        assert_output(
            &done.output,
            json!({"dest": "/etc/app/app.conf", "mode": "0640", "src": "app.conf", "size": 4, "state": "file",
                "checksum": "75d155771c678a74cef8ce298f9b752cc10c5d70"}),
        );
        host.check_apply_apply("copy", json!({"src": "app.conf", "dest": "/new/folder/"}));
        assert_eq!(host.read("/new/folder/app.conf"), "x=1\n");
    }

    #[test]
    fn content_is_written_as_it_is_and_tables_as_json() {
        let host = Host::new();
        let args = json!({"content": {"a": [1, "é"], "b": null}, "dest": "/f"});
        host.check_apply_apply("copy", args);
        assert_eq!(host.read("/f"), r#"{"a": [1, "\u00e9"], "b": null}"#);
        host.check_apply_apply("copy", json!({"content": "", "dest": "/f"}));
        assert_eq!(host.read("/f"), "");
        host.folder("/d");
        assert!(host.fails("copy", json!({"content": "x", "dest": "/d"})).contains("cannot be written to a folder"));
        assert!(host.fails("copy", json!({"content": "x", "src": "y", "dest": "/d"})).contains("not both"));
        assert!(host.fails("copy", json!({"dest": "/d"})).contains("needs `src` or `content`"));
    }

    #[test]
    fn force_false_leaves_what_is_there() {
        let host = Host::new();
        host.file("/f", "mine");
        let args = json!({"content": "yours", "dest": "/f", "force": false});
        assert!(host.check_apply_apply("copy", args).diffs.is_empty());
        let done = host.check_apply_apply("copy", json!({"content": "yours", "dest": "/f", "backup": true}));
        assert_eq!(host.read(done.output["backup_file"].as_str().unwrap()), "mine");
    }

    #[test]
    fn a_link_is_replaced_or_written_through() {
        let host = Host::new();
        host.file("/target", "old");
        host.link("target", "/link");
        host.check_apply_apply("copy", json!({"content": "new", "dest": "/link", "follow": true}));
        assert_eq!(host.read("/target"), "new");
        host.check_apply_apply("copy", json!({"content": "newer", "dest": "/link"}));
        assert_eq!((host.read("/target"), host.read("/link")), ("new".into(), "newer".into()));
    }

    #[test]
    fn a_folder_is_copied_whole_and_only_what_differs_changes() {
        let host = Host::new();
        host.local("files/site/a", "a");
        let run = host.local("files/site/bin/run", "#!/bin/sh\n");
        std::fs::set_permissions(&run, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::create_dir(run.with_file_name("empty")).unwrap();
        std::os::unix::fs::symlink("run", run.with_file_name("alias")).unwrap();
        let args = json!({"src": "site", "dest": "/srv", "mode": "preserve", "directory_mode": "0750"});
        host.check_apply_apply("copy", args.clone());
        assert_eq!(host.names("/srv/site/bin"), ["alias", "empty", "run"]);
        assert_eq!((host.mode_of("/srv/site/bin"), host.mode_of("/srv/site/bin/run")), (0o750, 0o755));
        assert_eq!(host.read("/srv/site/bin/alias"), "#!/bin/sh\n");
        host.file("/srv/site/a", "spoiled");
        assert_eq!(host.check_apply_apply("copy", args).diffs.len(), 1);
        host.check_apply_apply("copy", json!({"src": "site/", "dest": "/flat", "local_follow": false}));
        assert_eq!(host.names("/flat"), ["a", "bin"]);
        assert_eq!(host.system.read_link(std::path::Path::new("/flat/bin/alias")).unwrap().to_str(), Some("run"));
    }

    #[test]
    fn the_host_can_copy_to_itself() {
        let host = Host::new();
        host.file("/a/f", "x");
        host.mode("/a/f", 0o640);
        host.check_apply_apply("copy", json!({"src": "/a/f", "dest": "/b", "remote_src": true, "mode": "preserve"}));
        assert_eq!(host.mode_of("/b"), 0o640);
        host.check_apply_apply("copy", json!({"src": "/a", "dest": "/c", "remote_src": "yes"}));
        assert_eq!(host.read("/c/a/f"), "x");
        let gone = json!({"src": "/no", "dest": "/c", "remote_src": true});
        assert!(host.fails("copy", gone).contains("no such file on the host"));
    }

    #[test]
    fn a_source_with_another_checksum_is_refused() {
        let host = Host::new();
        host.local("files/f", "x");
        let args = json!({"src": "f", "dest": "/f", "checksum": "0000000000000000000000000000000000000000"});
        assert!(host.fails("copy", args).contains("11f6ad8ec52a2984abaafd7c3b516503785c2072"));
        assert!(host.fails("copy", json!({"src": "nowhere", "dest": "/f"})).contains("cannot find `nowhere`"));
    }
}
