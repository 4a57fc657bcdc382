//! `.netrc`: logins for servers that a URL does not name (`man 5 netrc`).

use super::super::System;
use crate::base::Secret;
use std::path::PathBuf;

impl System {
    /// The login that the file of `NETRC`, or `.netrc` in the home folder, has for a server. A file that cannot be read has
    /// none.
    pub(super) fn netrc(&self, server: &str) -> Option<(String, Secret)> {
        let path = match self.variable("NETRC").filter(|path| !path.is_empty()) {
            Some(path) => PathBuf::from(path),
            None => self.home().ok()?.join(".netrc"),
        };
        let text = Secret::new(self.read_text_if_there(&path).ok()??);
        login(text.expose(), server)
    }
}

fn login(text: &str, server: &str) -> Option<(String, Secret)> {
    let mut words = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    let (mut user, mut password) = (None, None);
    let mut ours = false;
    while let Some(word) = words.next() {
        match word {
            // What comes before ends here; the first that fits counts.
            "machine" | "default" if ours => break,
            "machine" => ours = words.next()?.eq_ignore_ascii_case(server),
            "default" => ours = true,
            "login" | "user" if ours => user = words.next(),
            "password" if ours => password = words.next(),
            _ => {}
        }
    }
    Some((user.unwrap_or_default().to_owned(), Secret::new(password?.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::host_with;
    use super::*;

    #[test]
    fn the_first_machine_that_fits_has_the_login() {
        let text = "# mine\nmachine a.lab login ann password p1\nmachine b.lab\n  password p2\n  login bob\n\
                    default login anonymous password x\n";
        let read = |server: &str| login(text, server).map(|(user, password)| format!("{user}:{}", password.expose()));
        assert_eq!(read("A.lab").as_deref(), Some("ann:p1"));
        assert_eq!(read("b.lab").as_deref(), Some("bob:p2"));
        assert_eq!(read("c.lab").as_deref(), Some("anonymous:x"));
        assert!(login("machine a.lab login ann", "a.lab").is_none());
    }

    #[test]
    fn the_file_lies_in_the_home_folder() {
        let (_root, system) = host_with(&[("root/.netrc", "machine a.lab login ann password p1\n")]);
        let system = system.with_environment([("HOME".into(), "/root".into()), ("NETRC".into(), String::new())].into());
        assert_eq!(system.netrc("a.lab").unwrap().0, "ann");
        assert!(system.netrc("b.lab").is_none());
    }
}
