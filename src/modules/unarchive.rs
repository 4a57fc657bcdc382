//! `unarchive`: what is in a tar or zip archive, onto the host.

use super::attributes::{Attributes, describe};
use super::content::refuse_vault;
use super::file::unknown;
use super::loose::{Flag, Number, Text, Words, yes};
use super::unpack::{Archive, Kind};
use super::{BlobRef, Controller, Cx, Module, Reach, Result};
use crate::base::failure::Context;
use crate::base::{Diff, Failure, Map};
use crate::system::http::{Request, without_login};
use crate::system::{Algorithm, System, Traits, Writer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Unpacks an archive with the host's own `tar` or `unzip`, if what it holds is not there already.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Unarchive {
    /// The archive: on the controller, searched in `files/`; with `remote_src` on the host, or a URL from which the host
    /// downloads it.
    pub src: Text,
    /// The folder to unpack into; it must exist.
    pub dest: Text,
    /// The archive is on the host, or the host downloads it.
    #[serde(default)]
    pub remote_src: Flag,
    /// Refuse a server that cannot prove its name, if `src` is a URL. Only switch it off for a test.
    #[serde(default = "yes")]
    pub validate_certs: Flag,
    /// The contrary of `remote_src`, as old playbooks have it.
    #[serde(default)]
    pub copy: Option<Flag>,
    /// Do nothing if this path exists.
    #[serde(default)]
    pub creates: Option<Text>,
    /// Also return the names of what is in the archive.
    #[serde(default)]
    pub list_files: Flag,
    /// Leave these members out.
    #[serde(default)]
    pub exclude: Words,
    /// Unpack only these members.
    #[serde(default)]
    pub include: Words,
    /// Leave files alone that are newer than those in the archive.
    #[serde(default)]
    pub keep_newer: Flag,
    /// More options for `tar` or `unzip`: `--strip-components=1`.
    #[serde(default)]
    pub extra_opts: Words,
    /// `false`: take an archive that is encrypted with vault as it is.
    #[serde(default = "yes")]
    pub decrypt: Flag,
    /// Accepted for Ansible's sake: archives are never in memory.
    #[serde(default)]
    pub io_buffer_size: Option<Number>,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub attributes: Attributes,
    #[serde(default, rename = "_blob", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    blob: Option<BlobRef>,
}

/// The archive's file on the host; one that came from the controller is removed when this is dropped.
enum Source {
    Here(PathBuf),
    Brought(PathBuf, Writer),
}

impl Source {
    fn path(&self) -> &Path {
        match self {
            Self::Here(path) | Self::Brought(path, _) => path,
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Self::Brought(path, writer) = self {
            let _ = writer.remove(path);
        }
    }
}

impl Module for Unarchive {
    const NAME: &'static str = "unarchive";
    const EXAMPLE: &'static str = "\
- unarchive:
    src: geth-linux-amd64-1.13.15.tar.gz
    dest: /opt/geth
    extra_opts: [--strip-components=1]
    creates: /opt/geth/geth";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] = &[("attr", "attributes")];
    type Output = Map;

    fn prepare(mut self, controller: &dyn Controller) -> Result<Self> {
        if self.is_url() && !self.is_remote() {
            return Err(Failure::new(format!("`{}` is an address and not a file of the controller", self.shown()))
                .help("write `remote_src: true`, and the host downloads it"));
        }
        if !self.is_remote() {
            let found = controller.find("files", &self.src.0)?;
            let path = std::path::absolute(&found).context(found.display())?;
            if self.decrypt.0 {
                refuse_vault(&System::new("/"), &path)?;
            }
            self.blob = Some(controller.blob_file(&path)?);
        }
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let dest = cx.system.expand(&self.dest.0)?;
        let shown = dest.display().to_string();
        let mut output =
            Map::from_iter([("dest".to_owned(), shown.clone().into()), ("src".to_owned(), self.shown().into())]);
        if let Some(creates) = &self.creates
            && cx.system.exists(&cx.system.expand(&creates.0)?)?
        {
            output.insert("skipped".into(), true.into());
            output.insert("msg".into(), format!("skipped, since {} exists", creates.0).into());
            return Ok(output);
        }
        if !cx.system.is_folder(&dest)? {
            if cx.check {
                return Ok(unknown(&dest));
            }
            return Err(Failure::new(format!("{shown}: the folder to unpack into does not exist"))
                .help("make it in an earlier task: `file: {path: ..., state: directory}`"));
        }
        let Some(source) = self.source(cx)? else { return Ok(unknown(&cx.system.expand(&self.src.0)?)) };
        let shown_source = self.shown();
        let archive = Archive {
            kind: Kind::of(cx.system, source.path())?,
            file: cx.system.locate(source.path()).display().to_string(),
            dest: cx.system.locate(&dest).display().to_string(),
            include: &self.include.0,
            exclude: &self.exclude.0,
            extra: &self.extra_opts.0,
            keep_newer: self.keep_newer.0,
            ours: [self.attributes.mode.is_some(), self.attributes.owner.is_some(), self.attributes.group.is_some()],
        };
        let members = archive.members(cx.system)?;
        let differing = archive.differing(cx.system)?;
        if let Some(example) = differing.first() {
            // Who shall own it must be known before anything is unpacked.
            self.attributes.for_new(cx, false)?;
            let count = differing.len();
            let diff = Diff::action(format!("unpack {shown_source} into {shown}: {count} differ, first: {example}"));
            cx.change(diff, |writer| {
                archive.extract(writer)?;
                members.iter().try_for_each(|member| self.set(writer, &dest.join(member)))
            })?;
        } else {
            for member in &members {
                self.attributes.apply(cx, &dest.join(member))?;
            }
        }
        output.extend(describe(cx.system, &dest)?);
        output.insert("handler".into(), archive.kind.handler().into());
        if self.list_files.0 {
            output.insert("files".into(), members.into());
        }
        Ok(output)
    }
}

impl Unarchive {
    fn is_remote(&self) -> bool {
        self.copy.map_or(self.remote_src.0, |copy| !copy.0)
    }

    fn is_url(&self) -> bool {
        self.src.0.contains("://")
    }

    /// What `src` says, without a login in it.
    fn shown(&self) -> String {
        if self.is_url() { without_login(&self.src.0) } else { self.src.0.clone() }
    }

    /// The archive as a file that `tar` can read; `None`: in check mode it is not there yet.
    fn source(&self, cx: &Cx) -> Result<Option<Source>> {
        if let Some(blob) = &self.blob {
            return bring(cx, &mut cx.blob(blob)?, &blob.sha256[..16], Some(&blob.sha256)).map(Some);
        }
        if self.is_url() {
            let mut request = Request::new("GET", &self.src.0);
            request.trust.verify = self.validate_certs.0;
            request.netrc = true;
            request.compressed = false;
            let mut response = cx.system.http(&request)?;
            if response.status >= 400 {
                return Err(response.refusal(&self.src.0));
            }
            let name = &Algorithm::Sha256.of(self.src.0.as_bytes())[..16];
            return bring(cx, &mut response.body, name, None).map(Some);
        }
        let path = cx.system.expand(&self.src.0)?;
        match cx.system.exists(&path)? {
            true => Ok(Some(Source::Here(path))),
            false if cx.check => Ok(None),
            false => Err(Failure::new(format!("{}: there is no such archive on the host", path.display()))),
        }
    }

    /// Sets attributes of what was just unpacked.
    fn set(&self, writer: &Writer, path: &Path) -> Result<()> {
        let system: &System = writer.system();
        let Some(meta) = system.meta(path)? else { return Ok(()) };
        let attributes = &self.attributes;
        let mode = attributes.mode.as_ref().filter(|_| !meta.is_link());
        writer.traits(
            path,
            Traits {
                uid: attributes.owner.as_ref().map(|owner| system.uid(&owner.0)).transpose()?,
                gid: attributes.group.as_ref().map(|group| system.gid(&group.0)).transpose()?,
                mode: mode.map(|mode| mode.bits(meta.mode, meta.is_folder(), system.umask())),
            },
        )?;
        if meta.is_link() { Ok(()) } else { attributes.finish_new(writer, path) }
    }
}

/// A file of the moment, which only this call sees: no change of the host, and needed to know whether there is one.
fn bring(cx: &Cx, bytes: &mut dyn Read, name: &str, sha256: Option<&str>) -> Result<Source> {
    let writer = cx.system.writer();
    let folder = cx.system.variable("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let path = folder.join(format!(".chainwright-{}-{name}", std::process::id()));
    writer.folders(&folder, Traits::default())?;
    writer.stage(&path, bytes, sha256, Traits::mode(0o600))?.commit()?;
    Ok(Source::Brought(path, writer))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::json;
    use std::io::{BufRead, BufReader, Write};
    use std::process::Command;

    /// A controller with `files/a.tar.gz`, which holds `top/run` and `top/data`.
    fn host() -> Host {
        let host = Host::new();
        let run = host.local("files/top/run", "#!/bin/sh\n");
        host.local("files/top/data", "x\n");
        std::fs::set_permissions(&run, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let folder = run.ancestors().nth(2).unwrap().to_owned();
        let made = Command::new("tar").args(["czf", "a.tar.gz", "top"]).current_dir(folder).status().unwrap();
        assert!(made.success());
        host.folder("/opt");
        host.folder("/tmp");
        host
    }

    #[test]
    fn an_archive_is_unpacked_once_and_repaired() {
        let host = host();
        let args = json!({"src": "a.tar.gz", "dest": "/opt", "list_files": true});
        let done = host.check_apply_apply("unarchive", args.clone());
        assert_output(
            &done.output,
            json!({"dest": "/opt", "handler": "TgzArchive", "files": ["top/", "top/data", "top/run"]}),
        );
        assert_eq!((host.read("/opt/top/data").as_str(), host.mode_of("/opt/top/run")), ("x\n", 0o755));
        assert!(host.names("/tmp").is_empty(), "the archive is gone");
        host.file("/opt/top/data", "spoiled");
        host.check_apply_apply("unarchive", args);
        assert_eq!(host.read("/opt/top/data"), "x\n");
    }

    #[test]
    fn a_host_downloads_an_archive_and_keeps_none_of_it() {
        let host = host();
        let bytes = std::fs::read(host.local("files/x", "").with_file_name("a.tar.gz")).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let src = format!("http://me:secret@{}/a.tar.gz", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", bytes.len());
                stream.write_all(&[head.as_bytes(), &bytes].concat()).unwrap();
            }
        });
        let args = json!({"src": src, "dest": "/opt", "remote_src": true, "validate_certs": false});
        let done = host.check_apply_apply("unarchive", args);
        assert_eq!(host.read("/opt/top/data"), "x\n");
        assert!(host.names("/tmp").is_empty(), "the archive is gone");
        assert!(!format!("{done:?}").contains("secret"), "{done:?}");
    }

    #[test]
    fn members_can_be_chosen_stripped_and_given_a_mode() {
        let host = host();
        let args = json!({"src": "a.tar.gz", "dest": "/opt", "exclude": "top/data", "mode": "u=rwX,go="});
        host.check_apply_apply("unarchive", args);
        assert_eq!((host.names("/opt/top"), host.mode_of("/opt/top/run")), (vec!["run".to_owned()], 0o700));
        let args = json!({"src": "a.tar.gz", "dest": "/opt", "extra_opts": ["--strip-components=1"]});
        host.check_apply_apply("unarchive", args);
        assert!(host.has("/opt/run"));
    }

    /// A zip archive with one stored file (APPNOTE.TXT 4.3).
    fn zip(name: &str, content: &[u8]) -> Vec<u8> {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let number = |value: usize, bytes: usize| value.to_le_bytes()[..bytes].to_vec();
        let sizes = [number(crc.sum() as usize, 4), number(content.len(), 4), number(content.len(), 4)].concat();
        let common = [number(20, 2), number(0, 2), number(0, 2), number(0, 2), number(0x21, 2), sizes].concat();
        let name_length = number(name.len(), 2);
        let local = [b"PK\x03\x04", &*common, &*name_length, &*number(0, 2), name.as_bytes(), content].concat();
        let central =
            [b"PK\x01\x02", &*number(20, 2), &*common, &*name_length, &*vec![0; 16], name.as_bytes()].concat();
        let end = [
            b"PK\x05\x06".to_vec(),
            number(0, 4),
            number(1, 2),
            number(1, 2),
            number(central.len(), 4),
            number(local.len(), 4),
            number(0, 2),
        ];
        [local, central, end.concat()].concat()
    }

    #[test]
    fn a_zip_archive_is_unpacked_once_and_repaired() {
        let host = host();
        host.local("files/a.zip", zip("sub/f.txt", b"hello"));
        let args = json!({"src": "a.zip", "dest": "/opt", "list_files": true});
        let done = host.check_apply_apply("unarchive", args.clone());
        assert_output(&done.output, json!({"handler": "ZipArchive", "files": ["sub/f.txt"]}));
        host.file("/opt/sub/f.txt", "jello");
        host.check_apply_apply("unarchive", args);
        assert_eq!(host.read("/opt/sub/f.txt"), "hello");
    }

    #[test]
    fn what_creates_names_is_enough() {
        let host = host();
        host.file("/opt/here", "");
        let args = json!({"src": "a.tar.gz", "dest": "/opt", "creates": "/opt/here"});
        assert_output(&host.check_apply_apply("unarchive", args).output, json!({"skipped": true}));
        assert!(!host.has("/opt/top"));
    }

    #[test]
    fn odd_wishes_get_plain_answers() {
        let host = host();
        host.local("files/text", "no archive");
        host.file("/remote", "no archive");
        for (args, message) in [
            (json!({"src": "a.tar.gz", "dest": "/no"}), "does not exist"),
            (json!({"src": "text", "dest": "/opt"}), "neither a tar nor a zip archive"),
            (json!({"src": "/gone", "dest": "/opt", "remote_src": true}), "no such archive on the host"),
            (json!({"src": "https://me:secret@x/y.tgz", "dest": "/opt"}), "`https://x/y.tgz` is an address"),
        ] {
            let said = host.fails("unarchive", args.clone());
            assert!(said.contains(message), "{args}: {said}");
        }
    }
}
