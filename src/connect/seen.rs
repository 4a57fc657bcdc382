//! Which hosts had our agent the last time. Only a guess that saves a round trip: being wrong costs one.

use super::{Target, ssh};
use std::path::PathBuf;

/// Whether this very agent started there the last time.
pub fn had_agent(target: &Target) -> bool {
    let (Some(path), Ok(hash)) = (path(target), target.agent.hash()) else { return false };
    std::fs::read_to_string(path).is_ok_and(|seen| seen == hash)
}

/// This agent starts there. What cannot be remembered is no loss.
pub fn remember(target: &Target) {
    let (Some(path), Ok(hash)) = (path(target), target.agent.hash()) else { return };
    if !had_agent(target) {
        let _ = std::fs::write(path, hash);
    }
}

fn path(target: &Target) -> Option<PathBuf> {
    let user = target.r#become.as_ref().map_or("", |to| &to.user);
    // The agent of another user than root lies elsewhere on the host.
    let kind = if user.is_empty() || user == "root" { "on" } else { "public-on" };
    Some(super::cache()?.join(format!("{kind}-{}", ssh::way(target))))
}
