//! A user's line in `/etc/shadow` (`man 5 shadow`).

use super::super::Result;
use crate::system::System;
use std::path::Path;

/// What it says. Days without a number are -1, as the tools count: never.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shadow {
    /// The password's hash, with `!` before it if it is locked.
    pub hash: String,
    /// Days for which a password must be kept.
    pub least: i64,
    /// Days after which it must be changed.
    pub most: i64,
    /// Days of warning before that.
    pub warn: i64,
    /// Days after that until the account is closed.
    pub inactive: i64,
    /// The account's last day, counted from 1970.
    pub expires: i64,
}

impl Default for Shadow {
    fn default() -> Self {
        Self { hash: String::new(), least: -1, most: -1, warn: -1, inactive: -1, expires: -1 }
    }
}

impl Shadow {
    /// The line of `name`; a user who is not in it has the default.
    pub fn of(system: &System, name: &str) -> Result<Self> {
        let text = system.read_text_if_there(Path::new("/etc/shadow"))?;
        Ok(text.and_then(|text| text.lines().find_map(|line| Self::parse(line, name))).unwrap_or_default())
    }

    fn parse(line: &str, name: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split(':').collect();
        let days = |at: usize| fields.get(at).and_then(|text| text.parse().ok()).unwrap_or(-1);
        (fields.first() == Some(&name)).then(|| Self {
            hash: fields.get(1).copied().unwrap_or_default().to_owned(),
            least: days(3),
            most: days(4),
            warn: days(5),
            inactive: days(6),
            expires: days(7),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_by_its_fields() {
        let read = Shadow::parse("geth:!$6$x$y:19700:1:90:7::20000:", "geth").unwrap();
        let expected = Shadow { hash: "!$6$x$y".into(), least: 1, most: 90, warn: 7, inactive: -1, expires: 20000 };
        assert_eq!(read, expected);
        assert_eq!(Shadow::parse("geth2:*:::::::", "geth"), None);
        assert_eq!(Shadow::parse("geth", "geth"), Some(Shadow::default()));
    }
}
