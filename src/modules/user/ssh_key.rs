//! A user's SSH key: made by the host's own `ssh-keygen`, in a folder of ours, and then put into its place.

use super::super::program::{complaint, must, tool};
use super::super::{Cx, Result};
use super::{Found, User};
use crate::base::{Diff, Failure, Map, Value};
use crate::modules::loose::Text;
use crate::system::{Command, System, Traits, Writer};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A pair of keys that has been made.
struct Pair {
    private: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

impl User {
    /// Makes the key if there is none, and returns what Ansible returns of it. `found` is `None` where the user is only
    /// predicted.
    pub(super) fn ssh_key(&self, cx: &mut Cx, found: Option<&Found>) -> Result<Map> {
        let home = match found {
            Some(found) => found.home.clone(),
            None => self.home_to_be(cx.system)?,
        };
        let path = self.ssh_key_path(&home);
        let public = public_part(&path);
        let there = cx.system.meta(&path)?.is_some() || cx.system.meta(&public)?.is_some();
        if !there || self.force.0 {
            if !cx.check {
                self.stays_at_home(cx.system, &path, &home)?;
            }
            let owner = Traits { mode: None, uid: found.map(|found| found.uid), gid: found.map(|found| found.gid) };
            let before = if there { "another one" } else { "absent" };
            let diff = Diff::value(format!("SSH key {}", path.display()), before, "present");
            cx.change(diff, |writer| self.install(writer, &path, owner, there))?;
        }
        Ok(Map::from_iter([
            ("ssh_key_file".to_owned(), path.display().to_string().into()),
            ("ssh_public_key".to_owned(), public_key(cx.system, &public)?.into()),
            ("ssh_fingerprint".to_owned(), fingerprint(cx.system, &path)?),
        ]))
    }

    fn ssh_key_path(&self, home: &str) -> PathBuf {
        let file = self.ssh_key_file.as_ref().map(|file| file.0.clone());
        Path::new(home).join(file.unwrap_or_else(|| format!(".ssh/id_{}", self.ssh_key_type.0)))
    }

    /// Who owns the home folder could put a link there, and must not choose where root writes.
    fn stays_at_home(&self, system: &System, path: &Path, home: &str) -> Result<()> {
        if self.ssh_key_file.as_ref().is_some_and(|file| file.0.starts_with('/')) {
            return Ok(());
        }
        let home = Path::new(home);
        if !system.is_folder(home)? {
            return Err(Failure::new(format!("{} has no home folder {} for an SSH key", self.name.0, home.display()))
                .help("write `create_home: true`, or an absolute path as `ssh_key_file`"));
        }
        let folder = path.parent().unwrap_or(home);
        if system.resolve(folder)?.starts_with(system.resolve(home)?) {
            return Ok(());
        }
        Err(Failure::new(format!("{} leads out of the home folder {}", folder.display(), home.display()))
            .help("remove the link, or write an absolute path as `ssh_key_file`"))
    }

    fn install(&self, writer: &Writer, path: &Path, owner: Traits, replace: bool) -> Result<()> {
        let pair = self.generate(writer)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        if !writer.system().is_folder(folder)? {
            writer.folders(folder, Traits { mode: Some(0o700), ..owner })?;
        }
        let public = public_part(path);
        let write = |path: &Path, bytes: &[u8], mode: u32| {
            let traits = Traits { mode: Some(mode), ..owner };
            if replace { writer.write(path, bytes, traits) } else { writer.write_new(path, bytes, traits) }
        };
        write(path, &pair.private, 0o600)?;
        write(&public, &pair.public, 0o644)
    }

    fn generate(&self, writer: &Writer) -> Result<Pair> {
        let scratch = writer.scratch()?;
        let key = scratch.path().join("key");
        let system = writer.system();
        must(writer, &self.keygen(system, &key)?).map_err(|failure| {
            if failure.message.contains("no such program") || failure.message.contains("No such file") {
                return failure.help("install the package that has ssh-keygen: openssh-client");
            }
            failure
        })?;
        Ok(Pair { private: Zeroizing::new(system.read(&key)?), public: system.read(&public_part(&key))? })
    }

    fn keygen(&self, system: &System, key: &Path) -> Result<Command> {
        let comment = if let Some(Text(comment)) = &self.ssh_key_comment {
            comment.clone()
        } else {
            let name = system.read_text_if_there(Path::new("/proc/sys/kernel/hostname"))?.unwrap_or_default();
            format!("ansible-generated on {}", name.trim())
        };
        let file = system.locate(key).display().to_string();
        let mut argv: Vec<String> = ["ssh-keygen", "-q", "-t", &self.ssh_key_type.0].map(str::to_owned).to_vec();
        if self.ssh_key_bits.0 > 0 {
            argv.extend(["-b".into(), self.ssh_key_bits.0.to_string()]);
        }
        argv.extend(["-C".into(), comment, "-f".into(), file]);
        let Some(Text(passphrase)) = &self.ssh_key_passphrase else {
            argv.extend(["-N".to_owned(), String::new()]);
            return Ok(tool(argv));
        };
        if passphrase.chars().count() < 5 || passphrase.contains(['\n', '\r']) {
            return Err(Failure::new("`ssh_key_passphrase` is too short, or has more than one line")
                .help("write at least five characters, or leave it out for a key that is not encrypted"));
        }
        // Everybody on the host can read the arguments of a program. Without a terminal and without a program that asks,
        // ssh-keygen reads the passphrase, twice, from its stdin.
        let mut command = tool(["setsid", "--wait"].map(str::to_owned).into_iter().chain(argv));
        command.stdin = Some(format!("{passphrase}\n{passphrase}\n").into_bytes());
        for (name, value) in [("SSH_ASKPASS_REQUIRE", "never"), ("DISPLAY", ""), ("WAYLAND_DISPLAY", "")] {
            command.environment.insert(name.into(), value.into());
        }
        Ok(command)
    }
}

fn public_part(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.pub", path.display()))
}

/// The line in a public key's file. A link is not followed: it could lead to what only root may read.
fn public_key(system: &System, path: &Path) -> Result<Option<String>> {
    match system.meta(path)? {
        Some(meta) if meta.is_file() => Ok(Some(system.read_text(path)?.trim().to_owned())),
        _ => Ok(None),
    }
}

/// What `ssh-keygen -l` says of a key; null where none is, in check mode.
fn fingerprint(system: &System, path: &Path) -> Result<Value> {
    if system.meta(path)?.is_none() {
        return Ok(Value::Null);
    }
    let command = tool(["ssh-keygen".to_owned(), "-l".into(), "-f".into(), system.locate(path).display().to_string()]);
    let ended = system.run(&command)?;
    if ended.code == 0 { Ok(ended.stdout.trim().into()) } else { Ok(complaint(&command, &ended).message.into()) }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{Host, assert_output};
    use serde_json::{Value, json};

    /// A host with the user `geth`, who owns what this process owns.
    fn host() -> Host {
        let host = Host::new();
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        host.file("/etc/passwd", format!("geth:x:{uid}:{gid}:node:/home/geth:/bin/sh\n"));
        host.file("/etc/group", format!("geth:x:{gid}:\n"));
        host.file("/proc/sys/kernel/hostname", "node1\n");
        host.folder("/home/geth");
        host.folder(&std::env::var("TMPDIR").unwrap_or_else(|_| "/tmp".into()));
        host
    }

    fn key(more: Value) -> Value {
        let mut args = json!({"name": "geth", "local": true, "generate_ssh_key": true, "ssh_key_type": "ed25519"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let host = host();
        let outcome = host.check_apply_apply("user", key(json!({})));
        let public = host.read("/home/geth/.ssh/id_ed25519.pub");
        assert_output(
            &outcome.output,
            json!({"ssh_key_file": "/home/geth/.ssh/id_ed25519", "ssh_public_key": public.trim()}),
        );
        assert!(public.starts_with("ssh-ed25519 ") && public.trim_end().ends_with("ansible-generated on node1"));
        let fingerprint = outcome.output["ssh_fingerprint"].as_str().unwrap();
        assert!(fingerprint.starts_with("256 SHA256:") && fingerprint.ends_with("(ED25519)"), "{fingerprint}");
        assert_eq!(host.mode_of("/home/geth/.ssh"), 0o700);
        assert_eq!(host.mode_of("/home/geth/.ssh/id_ed25519"), 0o600);
        let outcome = host.run("user", key(json!({"force": true}))).unwrap();
        assert!(outcome.changed() && host.read("/home/geth/.ssh/id_ed25519.pub") != public);
    }

    #[test]
    fn a_passphrase_encrypts_the_key_and_is_in_no_argument() {
        let host = host();
        let args =
            key(json!({"ssh_key_passphrase": "open sesame", "ssh_key_file": "keys/one", "ssh_key_comment": "c"}));
        let user: super::User = serde_json::from_value(args.clone()).unwrap();
        let command = user.keygen(&host.system, std::path::Path::new("/k")).unwrap();
        assert!(!command.argv.join(" ").contains("sesame"), "{:?}", command.argv);
        host.check_apply_apply("user", args);
        let real = host.real("/home/geth/keys/one");
        let opened = |passphrase: &str| {
            let command = std::process::Command::new("ssh-keygen")
                .args(["-y", "-P", passphrase, "-f"])
                .arg(&real)
                .stdin(std::process::Stdio::null())
                .output();
            command.unwrap().status.success()
        };
        assert!(opened("open sesame") && !opened(""));
        let failure = host.fails("user", key(json!({"ssh_key_passphrase": "1234", "ssh_key_file": "keys/two"})));
        assert!(failure.contains("too short"), "{failure}");
    }

    #[test]
    fn a_link_does_not_lead_a_key_out_of_the_home_folder() {
        let host = host();
        host.folder("/root/.ssh");
        host.link("../../root/.ssh", "/home/geth/.ssh");
        let failure = host.fails("user", key(json!({})));
        assert!(failure.starts_with("/home/geth/.ssh leads out of the home folder /home/geth"), "{failure}");
        assert_eq!(host.names("/root/.ssh"), Vec::<String>::new());
    }
}
