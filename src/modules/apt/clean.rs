//! Packages that were downloaded and are only kept.

use super::super::{Cx, Result};
use super::{Apt, change_all};
use crate::base::Diff;
use crate::modules::program::ask;
use crate::system::{Ended, System};
use std::path::{Path, PathBuf};

impl Apt {
    pub(super) fn clean(&self, cx: &mut Cx) -> Result<Option<Ended>> {
        let said = ask(cx.system, &self.apt_get(&["-s", "clean"]))?;
        let diffs =
            kept(cx.system, &said)?.iter().map(|path| Diff::action(format!("remove {}", path.display()))).collect();
        let (command, lines) = (self.apt_get(&["clean"]), cx.lines());
        change_all(cx, diffs, |writer| self.run_apt(writer, &command, lines))
    }
}

/// The files that `apt-get -s clean` would remove: `Del /var/cache/apt/archives/* /var/cache/apt/archives/partial/*`. What
/// it names without a pattern is only an index, which apt makes again whenever it runs.
fn kept(system: &System, said: &str) -> Result<Vec<PathBuf>> {
    let words = said.lines().filter_map(|line| line.strip_prefix("Del ")).flat_map(str::split_whitespace);
    let mut found = Vec::new();
    for pattern in words.filter(|word| word.ends_with("/*")) {
        for path in system.glob(Path::new(pattern))? {
            let is_file = system.meta(&path)?.is_some_and(|meta| meta.is_file());
            if is_file && path.file_name().is_some_and(|name| name != "lock") {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Host;
    use super::*;

    #[test]
    fn only_packages_count_as_kept() {
        let host = Host::new();
        let said = "Del /a/archives/* /a/archives/partial/*\nDel /a/pkgcache.bin /a/srcpkgcache.bin\n";
        host.file("/a/pkgcache.bin", "");
        host.file("/a/archives/lock", "");
        host.folder("/a/archives/partial");
        assert_eq!(kept(&host.system, said).unwrap(), Vec::<PathBuf>::new());
        host.file("/a/archives/jq_1.6_amd64.deb", "");
        assert_eq!(kept(&host.system, said).unwrap(), [Path::new("/a/archives/jq_1.6_amd64.deb")]);
    }
}
