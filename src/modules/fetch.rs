//! `fetch`: a file of the host, onto the controller.

use super::loose::{Flag, Text, yes};
use super::{Controller, Cx, Module, Origin, Reach, Result, TemplateOptions};
use crate::base::failure::Context;
use crate::base::{Failure, Map, Value};
use crate::system::{Algorithm, System, Traits};
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Copies a file from the host to the controller, if that has not the same one already.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Fetch {
    /// The file on the host. It travels compressed.
    pub src: Text,
    /// The folder on the controller; the file comes to `DEST/HOST/SRC`. A relative one is seen from the playbook.
    pub dest: Text,
    /// The file comes to `dest` itself, or under its own name into it if that ends with `/`.
    #[serde(default)]
    pub flat: Flag,
    /// Whether a missing file is a failure.
    #[serde(default = "yes")]
    pub fail_on_missing: Flag,
    /// Compare checksums after the transfer.
    #[serde(default = "yes")]
    pub validate_checksum: Flag,
    /// Where it comes to.
    #[serde(default, rename = "_local", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    local: Option<PathBuf>,
    /// The checksum of what is there already.
    #[serde(default, rename = "_have", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    have: Option<String>,
}

impl Module for Fetch {
    const NAME: &'static str = "fetch";
    const EXAMPLE: &'static str = "- fetch: {src: /etc/geth/genesis.json, dest: fetched/}";
    const REACH: Reach = Reach::Host;
    type Output = Map;

    fn prepare(mut self, controller: &dyn Controller) -> Result<Self> {
        let name = Path::new(&self.src.0).file_name().unwrap_or_default();
        let mut local = controller.folder().join(&self.dest.0);
        if !self.flat.0 {
            let host = controller.render(
                &Origin { file: Path::new("fetch"), written: None },
                "{{ inventory_hostname }}",
                &TemplateOptions::default(),
            )?;
            local = local.join(host).join(self.src.0.trim_start_matches(['/', '~']));
        } else if self.dest.0.ends_with('/') {
            local.push(name);
        }
        let local = std::path::absolute(&local).context(local.display())?;
        let system = System::new("/");
        if system.is_folder(&local)? {
            return Err(Failure::new(format!("{}: it is a folder on the controller", local.display()))
                .help("with `flat: true`, write `/` at the end of `dest` to fetch into a folder"));
        }
        if system.exists(&local)? {
            self.have = Some(system.checksum(&local, Algorithm::Sha1)?);
        }
        self.local = Some(local);
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let path = cx.system.expand(&self.src.0)?;
        let mut output = Map::from_iter([("file".to_owned(), self.src.0.clone().into())]);
        match cx.system.meta_followed(&path)? {
            None if self.fail_on_missing.0 && !cx.check => {
                return Err(Failure::new(format!("{}: there is no such file on the host", path.display()))
                    .help("write `fail_on_missing: false` if that is no failure"));
            }
            None => {
                output.insert("msg".into(), "the remote file does not exist, not transferring, ignored".into());
                output.insert("changed".into(), false.into());
                return Ok(output);
            }
            Some(meta) if meta.is_folder() => {
                return Err(Failure::new(format!("{}: it is a folder; only files can be fetched", path.display()))
                    .help("find its files with `find`, and fetch each in a loop"));
            }
            Some(_) => {}
        }
        let checksum = cx.system.checksum(&path, Algorithm::Sha1)?;
        let same = self.have.as_deref() == Some(&checksum);
        output.insert("changed".into(), (!same).into());
        output.insert("remote_checksum".into(), checksum.as_str().into());
        output.insert("remote_md5sum".into(), Value::Null);
        output.insert("checksum".into(), checksum.into());
        if let Some(local) = &self.local {
            output.insert("dest".into(), local.display().to_string().into());
        }
        if !same && !cx.check {
            let mut packed = GzEncoder::new(cx.system.open(&path)?, Compression::fast());
            output.insert("_content".into(), cx.blobs().give(&mut packed)?.into());
        }
        Ok(output)
    }

    fn receive(&self, output: &mut Map, controller: &dyn Controller) -> Result<()> {
        let content = output.remove("_content");
        let (Some(content), Some(local)) = (content.as_ref().and_then(|content| content.as_str()), &self.local) else {
            return Ok(());
        };
        let system = System::new("/");
        let writer = system.writer();
        if let Some(folder) = local.parent() {
            writer.folders(folder, Traits::default())?;
        }
        let mut source = GzDecoder::new(controller.arrived(content)?);
        let staged = writer.stage(local, &mut source, None, Traits::default())?;
        let found = system.checksum(staged.path(), Algorithm::Sha1)?;
        let sent = output.get("checksum").and_then(|sum| sum.as_str()).unwrap_or_default();
        if self.validate_checksum.0 && found != sent {
            return Err(Failure::new(format!("{}: it changed while it was read; fetch it again", self.src.0)));
        }
        output.insert("md5sum".into(), system.checksum(staged.path(), Algorithm::Md5)?.into());
        staged.commit_durably()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::json;

    #[test]
    fn a_file_comes_to_the_controller_once() {
        let host = Host::new();
        host.variables.borrow_mut().insert("inventory_hostname".into(), "sealer1".into());
        host.file("/etc/genesis.json", "{}");
        let args = json!({"src": "/etc/genesis.json", "dest": "fetched"});
        let done = host.check_apply_apply("fetch", args);
        let local = crate::modules::Controller::folder(&host).join("fetched/sealer1/etc/genesis.json");
        assert_eq!(std::fs::read_to_string(&local).unwrap(), "{}");
        assert!(done.changed() && !done.output.contains_key("_content"));
        assert_output(&done.output, json!({"dest": local, "changed": true}));
        host.check_apply_apply("fetch", json!({"src": "/etc/genesis.json", "dest": "flat/", "flat": true}));
        assert!(crate::modules::Controller::folder(&host).join("flat/genesis.json").exists());
    }

    #[test]
    fn a_missing_file_fails_unless_told_otherwise() {
        let host = Host::new();
        let mut args = json!({"src": "/no", "dest": "x"});
        assert!(host.fails("fetch", args.clone()).contains("no such file on the host"));
        args["fail_on_missing"] = json!(false);
        assert!(!host.check_apply_apply("fetch", args).changed());
        assert!(host.fails("fetch", json!({"src": "/", "dest": "x"})).contains("only files can be fetched"));
    }
}
