//! Becoming another user: the command that starts the agent, the password, and what goes wrong.

use super::bootstrap::quote;
use crate::base::{Failure, Secret};

/// How to become whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Become {
    /// The user to become.
    pub user: String,
    /// With which program.
    pub method: Method,
    /// Where that program is, if not on the `PATH`.
    pub exe: Option<String>,
    /// Options in place of the usual ones.
    pub flags: Option<String>,
    /// The password that the program asks for.
    pub password: Option<Secret>,
}

/// The programs that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// `sudo`
    #[default]
    Sudo,
    /// `su`
    Su,
}

impl Become {
    /// The user `root` by `sudo` without a password.
    pub fn root() -> Self {
        Self { user: "root".into(), method: Method::Sudo, exe: None, flags: None, password: None }
    }

    /// A shell function `launch` that replaces the shell by the agent at `$1`, as the other user.
    ///
    /// Somebody who is that user already, or is root on a host without `sudo`, needs no `sudo`.
    pub(super) fn launch(&self, prompt: &str) -> String {
        let user = quote(&self.user);
        let exe = quote(self.exe.as_deref().unwrap_or(match self.method {
            Method::Sudo => "sudo",
            Method::Su => "su",
        }));
        let by_root = format!(
            "if [ \"$(id -un)\" = {user} ]; then exec \"$1\" agent; fi; \
             if [ \"$(id -u)\" = 0 ] && command -v runuser >/dev/null && [ -z \"$(command -v {exe})\" ]; then \
             HOME=$(getent passwd {user} | cut -d: -f6); export HOME; exec runuser -u {user} -- \"$1\" agent; fi;"
        );
        let command = match self.method {
            Method::Sudo => {
                let flags = self.flags.as_deref().unwrap_or("-H");
                // Without a password, sudo is told not to ask, and says so clearly.
                let ask = if self.password.is_some() { format!("-S -p {}", quote(prompt)) } else { "-n".into() };
                format!("exec {exe} {flags} {ask} -u {user} -- \"$1\" agent")
            }
            Method::Su => {
                let flags = self.flags.as_deref().unwrap_or("");
                format!("exec {exe} {flags} {user} -c \"exec \\\"$1\\\" agent\"")
            }
        };
        format!("launch() {{ {by_root} {command}; }}")
    }

    /// What tells that the password is wanted, in what the program prints on stderr.
    pub(super) fn asks<'a>(&self, prompt: &'a str) -> &'a str {
        match self.method {
            Method::Sudo => prompt,
            Method::Su => "assword:",
        }
    }

    /// The program asked again: what it was given is wrong.
    pub(super) fn wrong(&self, host: &str) -> Failure {
        Failure::new(format!("wrong become password for {host}")).help(format!(
            "it was refused for becoming {}: give the right one with -K or ansible_become_password",
            self.user
        ))
    }

    /// The program asked, and we have nothing to give.
    pub(super) fn missing(&self, host: &str) -> Failure {
        let name = match self.method {
            Method::Sudo => "sudo",
            Method::Su => "su",
        };
        Failure::new(format!("{host} asks for a password to become {}", self.user))
            .help(format!("give it with -K or ansible_become_password, or let {name} need none"))
    }

    /// What went wrong, from what the program said before it ended; `None` if that says nothing about becoming.
    pub(super) fn explain(&self, host: &str, said: &str) -> Option<Failure> {
        let line = |needles: &[&str]| said.lines().find(|line| needles.iter().any(|needle| line.contains(needle)));
        let user = &self.user;
        if line(&["a password is required", "a terminal is required", "no tty present", "no password was provided"])
            .is_some()
        {
            return Some(if self.password.is_none() { self.missing(host) } else { self.wrong(host) });
        }
        if line(&["incorrect password attempt", "Sorry, try again", "Authentication failure"]).is_some() {
            return Some(if self.password.is_none() { self.missing(host) } else { self.wrong(host) });
        }
        if let Some(said) = line(&["is not in the sudoers file", "may not run sudo", "is not allowed to"]) {
            return Some(
                Failure::new(format!("not allowed to become {user} on {host}: {}", said.trim()))
                    .help("add the login user to the group sudo there, or to a file in /etc/sudoers.d"),
            );
        }
        if let Some(said) = line(&["unknown user", "does not exist", "unknown uid"]) {
            return Some(Failure::new(format!("there is no user {user} on {host}: {}", said.trim())));
        }
        if let Some(said) = line(&["you must have a tty"]) {
            return Some(
                Failure::new(format!("sudo on {host} wants a terminal: {}", said.trim()))
                    .help("remove `requiretty` from its sudoers"),
            );
        }
        let exe = self.exe.as_deref().unwrap_or(match self.method {
            Method::Sudo => "sudo",
            Method::Su => "su",
        });
        let missing = said
            .lines()
            .any(|line| line.contains(exe) && ["not found", "No such file"].iter().any(|needle| line.contains(needle)));
        missing.then(|| {
            Failure::new(format!("there is no {exe} on {host}"))
                .help("install it there, log in as root, or set become_method: su")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sudo_says_becomes_one_clear_sentence() {
        let with = Become { password: Some(Secret::new("secret".into())), ..Become::root() };
        let without = Become::root();
        let table = [
            (&without, "sudo: a password is required", "host1 asks for a password to become root"),
            (&with, "Sorry, try again.\nsudo: no password was provided", "wrong become password for host1"),
            (&with, "sudo: 1 incorrect password attempt", "wrong become password for host1"),
            (
                &with,
                "bob is not in the sudoers file.",
                "not allowed to become root on host1: bob is not in the sudoers file.",
            ),
            (&with, "sh: 1: exec: sudo: not found", "there is no sudo on host1"),
            (&with, "sudo: unknown user geth", "there is no user root on host1: sudo: unknown user geth"),
        ];
        for (given, said, message) in table {
            let failure = given.explain("host1", said).unwrap();
            assert_eq!((failure.message.as_str(), failure.unreachable), (message, false));
        }
        assert_eq!(with.explain("host1", "Segmentation fault"), None);
    }

    #[test]
    fn the_password_is_not_in_the_command() {
        let given = Become { password: Some(Secret::new("hunter22".into())), ..Become::root() };
        assert!(!given.launch("prompt").contains("hunter22"));
    }
}
