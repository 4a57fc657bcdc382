//! A user's password: set as a hash, locked, unlocked.

use super::super::program::{must, tool};
use super::super::{Cx, Result};
use super::shadow::Shadow;
use super::{UpdatePassword, User};
use crate::base::Diff;
use crate::system::Writer;

impl User {
    pub(super) fn modify_password(&self, cx: &mut Cx) -> Result<()> {
        let name = self.name.0.as_str();
        if self.password.is_none() && self.password_lock.is_none() {
            return Ok(());
        }
        let current = Shadow::of(cx.system, name)?.hash;
        let locked = current.starts_with('!');
        let wants_lock = self.password_lock.map(|lock| lock.0);
        let password = self.password.as_ref().map(|password| password.0.as_str());
        let differs = |password: &&str| password.trim_start_matches('!') != current.trim_start_matches('!');
        if let Some(password) = password.filter(|_| self.update_password == UpdatePassword::Always).filter(differs) {
            let mark = if wants_lock.unwrap_or(false) && !password.starts_with('!') { "!" } else { "" };
            let password = format!("{mark}{password}");
            cx.change(Diff::action(format!("set the password of {name}")), |writer| {
                set_password(writer, name, &password)
            })?;
        } else if wants_lock.is_some_and(|lock| lock != locked) {
            let (option, after) = if locked { ("-U", "unlocked") } else { ("-L", "locked") };
            let before = if locked { "locked" } else { "unlocked" };
            let command = tool(["usermod", option, name]);
            cx.change(Diff::value("password", before, after), |writer| must(writer, &command))?;
        }
        Ok(())
    }
}

/// Through stdin: everybody on the host can read the arguments of a program.
pub(super) fn set_password(writer: &Writer, name: &str, hash: &str) -> Result<()> {
    let mut command = tool(["chpasswd", "-e"]);
    command.stdin = Some(format!("{name}:{hash}\n").into_bytes());
    must(writer, &command).map(|_| ())
}
