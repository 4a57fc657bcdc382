//! The user's own `ssh`, with a master connection that outlives the run for a while.

use super::Target;
use crate::base::failure::{Context, Result};
use alloy_primitives::hex;
use sha2::{Digest, Sha256};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A cut of ten seconds must be survived, one of half a minute must be noticed: 5 s times 5.
const ALIVE: [&str; 4] = ["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=5"];
/// A socket's path has room for 108 bytes, and ssh adds 18 of its own while it makes it.
const LONGEST_FOLDER: usize = 64;

/// Arguments for `ssh` that run `command` on the target. The user's own options come first, since ssh takes the first.
pub fn arguments(target: &Target, socket: Option<&Path>, command: &str) -> Vec<String> {
    let mut arguments = target.ssh_args.clone();
    let mut option = |text: String| arguments.extend(["-o".to_owned(), text]);
    option("BatchMode=yes".into());
    option("LogLevel=ERROR".into());
    // What a user's configuration may ask for an interactive session, and what would only be in the way here.
    option("RemoteCommand=none".into());
    option("ClearAllForwardings=yes".into());
    option(format!("ConnectTimeout={}", target.timeout));
    match socket {
        Some(socket) => {
            option("ControlMaster=auto".into());
            option(format!("ControlPersist={}", target.persist));
            option(format!("ControlPath={}", socket.display().to_string().replace('%', "%%")));
        }
        None => option("ControlPath=none".into()),
    }
    if let Some(port) = target.port {
        option(format!("Port={port}"));
    }
    if let Some(user) = &target.user {
        option(format!("User={user}"));
    }
    if let Some(key) = &target.private_key {
        arguments.extend(["-i".to_owned(), key.clone()]);
    }
    arguments.extend(ALIVE.map(str::to_owned));
    arguments.extend(["-T", "--", target.address(), command].map(str::to_owned));
    arguments
}

/// The control socket of a target: the same for every run that connects in the same way. `None` without persistence.
pub fn socket(target: &Target) -> Result<Option<PathBuf>> {
    if target.persist == 0 {
        return Ok(None);
    }
    let folder = match &target.control_dir {
        Some(folder) => folder.clone(),
        None => control_dir()?,
    };
    Ok(Some(folder.join(format!("cm-{}", way(target)))))
}

/// Twelve hex digits that are the same for all who connect in the same way.
pub fn way(target: &Target) -> String {
    way_from(std::env::current_dir().ok().as_deref(), target)
}

/// `-F ssh_config` names another file in another folder, and with it `sealer1` another host.
fn way_from(folder: Option<&Path>, target: &Target) -> String {
    let folder = folder.filter(|_| !target.ssh_args.is_empty() || target.private_key.is_some());
    let way = (target.address(), target.port, &target.user, &target.private_key, &target.ssh_args, folder);
    let hash = Sha256::digest(format!("{way:?}"));
    hex::encode(&hash[..6])
}

/// A private folder for control sockets whose path is short enough.
fn control_dir() -> Result<PathBuf> {
    let uid = rustix::process::getuid().as_raw();
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let candidates = [
        std::env::var_os("XDG_RUNTIME_DIR")
            .filter(|folder| !folder.is_empty())
            .map(|dir| PathBuf::from(dir).join("chainwright")),
        home.map(|home| home.join(".cache/chainwright")),
        Some(PathBuf::from(format!("/tmp/chainwright-{uid}"))),
    ];
    let mut result = Err("no folder for it".to_owned());
    for folder in candidates.into_iter().flatten() {
        if folder.as_os_str().len() > LONGEST_FOLDER {
            continue;
        }
        match private(&folder, uid) {
            Ok(()) => return Ok(folder),
            Err(error) => result = Err(error),
        }
    }
    result.context("cannot keep ssh's control sockets")
}

fn private(folder: &Path, uid: u32) -> std::result::Result<(), String> {
    let problem = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(problem)?;
    let meta = std::fs::symlink_metadata(folder).map_err(problem)?;
    if !meta.is_dir() || meta.uid() != uid {
        return Err(format!("{} is not a folder of ours", folder.display()));
    }
    if meta.mode() & 0o022 != 0 {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(problem)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target { control_dir: Some("/run/cm".into()), ..Target::ssh("sealer1") }
    }

    #[test]
    fn the_users_own_options_come_first_and_win() {
        let target = Target { ssh_args: vec!["-F".into(), "lab".into()], port: Some(2222), ..target() };
        let arguments = arguments(&target, None, "true");
        assert_eq!(arguments[..2], ["-F", "lab"]);
        assert!(arguments.contains(&"Port=2222".to_owned()));
        assert_eq!(arguments[arguments.len() - 3..], ["--", "sealer1", "true"]);
        assert!(!arguments.iter().any(|argument| argument.contains("StrictHostKeyChecking")));
    }

    #[test]
    fn one_name_in_two_folders_may_be_two_hosts_where_options_name_files() {
        let (one, other) = (Some(Path::new("/one")), Some(Path::new("/other")));
        let target = Target { ssh_args: vec!["-F".into(), "ssh_config".into()], ..target() };
        assert_ne!(way_from(one, &target), way_from(other, &target));
        let plain = Target { ssh_args: Vec::new(), ..target };
        assert_eq!(way_from(one, &plain), way_from(other, &plain));
    }

    #[test]
    fn two_ways_to_one_host_have_two_sockets_and_one_way_has_one() {
        let other = Target { user: Some("admin".into()), ..target() };
        assert_eq!(socket(&target()).unwrap(), socket(&target()).unwrap());
        assert_ne!(socket(&target()).unwrap(), socket(&other).unwrap());
        assert_eq!(socket(&Target { persist: 0, ..target() }).unwrap(), None);
    }
}
