//! Facts about the user as whom the agent runs, and the host's public SSH keys.

use super::{Host, put};
use crate::base::{Map, Value};

/// Who we are.
pub fn user(host: &Host, facts: &mut Map) {
    let (uid, effective_user) = (rustix::process::getuid().as_raw(), rustix::process::geteuid().as_raw());
    let (gid, effective_group) = (rustix::process::getgid().as_raw(), rustix::process::getegid().as_raw());
    put(facts, "user_uid", effective_user);
    put(facts, "user_gid", effective_group);
    put(facts, "real_user_id", uid);
    put(facts, "effective_user_id", effective_user);
    put(facts, "real_group_id", gid);
    put(facts, "effective_group_id", effective_group);
    match host.0.user_by_id(effective_user).ok().flatten() {
        Some(user) => {
            put(facts, "user_id", user.name);
            put(facts, "user_dir", user.home);
            put(facts, "user_shell", user.shell);
            put(facts, "user_gecos", user.comment);
        }
        None => put(facts, "user_id", effective_user.to_string()),
    }
}

/// The environment that commands see.
pub fn env(host: &Host, facts: &mut Map) {
    let own =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let task = host.0.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    put(facts, "env", own.chain(task).map(|(name, value)| (name, Value::from(value))).collect::<Map>());
}

/// The public keys that `known_hosts` files want.
pub fn ssh_pub_keys(host: &Host, facts: &mut Map) {
    for kind in ["dsa", "rsa", "ecdsa", "ed25519"] {
        let Some(text) = host.text(&format!("/etc/ssh/ssh_host_{kind}_key.pub")) else { continue };
        let mut words = text.split_whitespace();
        if let (Some(keytype), Some(key)) = (words.next(), words.next()) {
            put(facts, &format!("ssh_host_key_{kind}_public"), key);
            put(facts, &format!("ssh_host_key_{kind}_public_keytype"), keytype);
        }
    }
}
