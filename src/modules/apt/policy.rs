//! `policy-rc.d`, the program that packages ask whether they may start their services.

use super::super::Result;
use crate::system::{Traits, Writer};
use std::path::Path;

const FILE: &str = "/usr/sbin/policy-rc.d";

/// While it lives the program answers as asked for; dropped, it puts back what was there.
pub(super) struct Policy<'a> {
    writer: &'a Writer,
    before: Option<(Vec<u8>, Traits)>,
}

/// Makes the program end with `code`.
pub(super) fn set(writer: &Writer, code: i64) -> Result<Policy<'_>> {
    let (system, path) = (writer.system(), Path::new(FILE));
    let before = match system.meta(path)? {
        Some(meta) => {
            let traits = Traits { mode: Some(meta.mode), uid: Some(meta.uid), gid: Some(meta.gid) };
            Some((system.read(path)?, traits))
        }
        None => None,
    };
    writer.write(path, format!("#!/bin/sh\nexit {code}\n").as_bytes(), Traits::mode(0o755))?;
    Ok(Policy { writer, before })
}

impl Drop for Policy<'_> {
    fn drop(&mut self) {
        let path = Path::new(FILE);
        let _ = match &self.before {
            Some((bytes, traits)) => self.writer.write(path, bytes, *traits),
            None => self.writer.remove(path),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Host;
    use super::*;

    #[test]
    fn what_was_there_is_put_back() {
        let host = Host::new();
        host.folder("/usr/sbin");
        let writer = host.system.writer();
        let policy = set(&writer, 101).unwrap();
        assert_eq!((host.read(FILE).as_str(), host.mode_of(FILE)), ("#!/bin/sh\nexit 101\n", 0o755));
        drop(policy);
        assert!(!host.has(FILE));
        host.file(FILE, "mine");
        host.mode(FILE, 0o750);
        drop(set(&writer, 0).unwrap());
        assert_eq!((host.read(FILE).as_str(), host.mode_of(FILE)), ("mine", 0o750));
    }
}
