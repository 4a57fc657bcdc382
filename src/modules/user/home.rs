//! A user's home folder.

use super::super::{Cx, Result};
use super::{Found, User};
use crate::base::Diff;
use crate::system::{System, Traits};
use std::path::Path;

impl User {
    /// Where the home folder of a user who is not there yet will be.
    pub(super) fn home_to_be(&self, system: &System) -> Result<String> {
        if let Some(home) = &self.home {
            return Ok(home.clone());
        }
        let defaults = system.read_text_if_there(Path::new("/etc/default/useradd"))?.unwrap_or_default();
        let base = defaults.lines().find_map(|line| line.trim().strip_prefix("HOME=")).unwrap_or("/home");
        Ok(format!("{}/{}", base.trim().trim_end_matches('/'), self.name.0))
    }

    pub(super) fn create_home(&self, cx: &mut Cx, home: &str, found: &Found) -> Result<()> {
        let skeleton = Path::new(self.skeleton.as_deref().unwrap_or("/etc/skel"));
        let has_skeleton = cx.system.is_folder(skeleton)?;
        let settings = cx.system.read_text_if_there(Path::new("/etc/login.defs"))?.unwrap_or_default();
        let mode = home_mode(&settings, self.umask.as_ref().map(|umask| umask.0.as_str()));
        let group = self.primary(cx)?.and_then(|(_, gid)| gid).unwrap_or(found.gid);
        let home = Path::new(home);
        cx.change(Diff::value(home.display().to_string(), "absent", "directory"), |writer| {
            if let Some(parent) = home.parent() {
                writer.folders(parent, Traits::mode(0o755))?;
            }
            if has_skeleton {
                writer.copy_tree(skeleton, home)?;
            } else {
                writer.folder(home, Traits::mode(0o700))?;
            }
            for (path, _) in writer.system().walk(home)? {
                writer.owner(&path, Some(found.uid), Some(group))?;
            }
            writer.owner(home, Some(found.uid), Some(group))?;
            writer.mode(home, mode)
        })?;
        Ok(())
    }
}

/// The mode of a new home folder, as useradd finds it in `login.defs`, with the umask that the task gives.
fn home_mode(text: &str, umask: Option<&str>) -> u32 {
    let octal = |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix([' ', '\t']))?;
        u32::from_str_radix(line.trim(), 8).ok()
    };
    let umask = umask.and_then(|umask| u32::from_str_radix(umask, 8).ok()).or_else(|| octal("UMASK"));
    octal("HOME_MODE").or_else(|| umask.map(|umask| 0o777 & !umask)).unwrap_or(0o755)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_home_has_the_mode_that_the_host_wants() {
        assert_eq!(home_mode("#HOME_MODE\t0700\nUMASK\t\t022\n", None), 0o755);
        assert_eq!(home_mode("UMASK\t\t022\n", Some("077")), 0o700);
        assert_eq!(home_mode("HOME_MODE 0700\nUMASK 022\n", None), 0o700);
    }
}
