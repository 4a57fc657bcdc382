//! What a user means by a path: `~`, `~name`, `$VARIABLE`, and names relative to the home folder.

use super::System;
use crate::base::Failure;
use crate::base::failure::Result;
use std::path::{Path, PathBuf};

impl System {
    /// The absolute path meant by `text`, without `.` and doubled slashes. Relative ones are meant from the home folder,
    /// where an SSH login starts. An unknown `$VARIABLE` stays as it is.
    pub fn expand(&self, text: &str) -> Result<PathBuf> {
        if text.is_empty() {
            return Err(Failure::new("the path is empty").help("is a variable in it empty?"));
        }
        if text.contains('\0') {
            return Err(Failure::new(format!("the path {text:?} has a zero byte in it")));
        }
        let text = self.expand_variables(text);
        let path = match text.strip_prefix('~') {
            None => PathBuf::from(text),
            Some(rest) => {
                let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
                match (name, self.user(name)?) {
                    ("", _) => self.home()?.join(rest),
                    (_, Some(user)) => Path::new(&user.home).join(rest),
                    (_, None) => PathBuf::from(text),
                }
            }
        };
        let path = if path.is_absolute() { path } else { self.home()?.join(path) };
        Ok(path.components().collect())
    }

    /// The home folder of the user as whom this process runs.
    pub fn home(&self) -> Result<PathBuf> {
        if let Some(home) = self.variable("HOME").filter(|home| home.starts_with('/')) {
            return Ok(home.into());
        }
        let user = self.user_by_id(rustix::process::geteuid().as_raw())?;
        Ok(user.map_or_else(|| PathBuf::from("/"), |user| user.home.into()))
    }

    /// A variable of the task's environment, or of this process's.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned().or_else(|| std::env::var(name).ok())
    }

    /// The text with every `$NAME` and `${NAME}` that is known replaced.
    pub fn expand_variables(&self, text: &str) -> String {
        let mut done = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('$') {
            done.push_str(&rest[..start]);
            let after = &rest[start + 1..];
            let (name, length) =
                if let Some((name, _)) = after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
                    (name, name.len() + 2)
                } else {
                    let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                    (&after[..end], end)
                };
            match self.variable(name).filter(|_| !name.is_empty()) {
                Some(value) => done.push_str(&value),
                None => done.push_str(&rest[start..=start + length]),
            }
            rest = &after[length..];
        }
        done + rest
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::host_with;
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_path_is_expanded_as_a_shell_would() {
        let (_root, system) = host_with(&[("etc/passwd", "geth:x:9:9::/var/lib/geth:\n")]);
        let environment = BTreeMap::from([("HOME".into(), "/home/me".into()), ("NET".into(), "demo".into())]);
        let system = system.with_environment(environment);
        for (text, path) in [
            ("/a//b/./c/", "/a/b/c"),
            ("~/x", "/home/me/x"),
            ("~", "/home/me"),
            ("~geth/keystore", "/var/lib/geth/keystore"),
            ("rel", "/home/me/rel"),
            ("/srv/$NET/${NET}x", "/srv/demo/demox"),
            ("/srv/$NO_SUCH_THING/$", "/srv/$NO_SUCH_THING/$"),
            ("/a/é$", "/a/é$"),
        ] {
            assert_eq!(system.expand(text).unwrap(), Path::new(path), "{text}");
        }
        assert!(system.expand("").unwrap_err().message.contains("empty"));
    }
}
