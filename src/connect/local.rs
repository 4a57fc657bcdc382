//! This very machine: the agent is a child, or, for another user, starts as it does on a host.

use super::Target;
use super::bootstrap::Bootstrap;
use crate::base::failure::Result;
use std::process::Command;

/// The command that starts the agent here, and whether it goes through the bootstrap.
pub fn command<'a>(target: &Target, bootstrap: impl FnOnce() -> Result<Bootstrap<'a>>) -> Result<(Command, bool)> {
    if target.r#become.is_none() {
        let mut command = Command::new(target.agent.path());
        command.arg("agent");
        return Ok((command, false));
    }
    let mut command = Command::new("sh");
    command.args(["-c", &bootstrap()?.command()]);
    Ok((command, true))
}
