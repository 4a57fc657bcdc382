//! Packages that come as a file, from the host or a URL.

use super::super::program::{ask, tool};
use super::super::{Cx, Result};
use super::Apt;
use crate::base::{Diff, Failure};
use crate::system::http::Request;
use crate::system::{Ended, Traits};
use std::path::{Path, PathBuf};

/// Where apt keeps packages.
const ARCHIVES: &str = "/var/cache/apt/archives";

impl Apt {
    /// Installs a package file.
    pub(super) fn install_file(&self, cx: &mut Cx, deb: &str) -> Result<Option<Ended>> {
        let mut staged = None;
        let path: PathBuf = if deb.contains("://") {
            let name = deb.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
            let path = Path::new(ARCHIVES).join(if name.is_empty() { "package.deb" } else { name });
            let mut response = cx.system.http(&Request::new("GET", deb))?;
            if response.status != 200 {
                return Err(Failure::new(format!(
                    "{deb}: the server answered {} {}",
                    response.status, response.reason
                )));
            }
            // Only the file itself tells what is in it: it is fetched in check mode, too, and dropped.
            let file = cx.system.writer().stage(&path, &mut response.body, None, Traits::mode(0o644))?;
            staged = Some(file);
            path
        } else {
            cx.system.expand(deb)?
        };
        let file = staged.as_ref().map_or(path.as_path(), |staged| staged.path()).to_string_lossy().into_owned();
        let format = "--showformat=${Package}\\t${Version}\\t${Architecture}";
        let text = ask(cx.system, &tool(["dpkg-deb", "-W", format, &file]))?;
        let mut fields = text.trim().split('\t').map(str::to_owned);
        let (Some(name), Some(version), architecture) = (fields.next(), fields.next(), fields.next()) else {
            return Err(Failure::new(format!("{deb} is not a Debian package")));
        };
        let packages = Self::packages(cx)?;
        let there = packages.iter().find(|package| {
            package.status == "installed"
                && package.name == name
                && Some(&package.architecture) == architecture.as_ref()
        });
        if there.is_some_and(|package| package.version == version) {
            return Ok(None);
        }
        let before = there.map_or("absent", |package| package.version.as_str());
        let shown = path.to_string_lossy().into_owned();
        let mut command = self.apt_get(&["install", &shown]);
        command.argv.push("--allow-downgrades".into());
        let lines = cx.lines();
        cx.change(Diff::value(name, before, version), |writer| {
            if let Some(staged) = staged {
                staged.commit()?;
            }
            self.run_apt(writer, &command, lines)
        })
    }
}
