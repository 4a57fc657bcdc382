//! `user`: a user exists as described, or does not exist.

mod ageing;
mod create;
mod home;
mod password;
mod shadow;
mod ssh_key;

use super::group::State;
use super::loose::{Decimal, Flag, Number, Text, Words, yes};
use super::program::{must, tool};
use super::{Cx, Module, Reach, Result};
use crate::base::{Diff, Failure, Map};
use crate::system::System;
use crate::system::users::User as Found;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Makes, changes or removes a user.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// The login name.
    pub name: Text,
    /// Whether the user shall exist.
    #[serde(default)]
    pub state: State,
    /// The user's number.
    #[serde(default)]
    pub uid: Option<Number>,
    /// A new user's number is taken from here on; if left out, as the host is configured.
    #[serde(default)]
    pub uid_min: Option<Number>,
    /// A new user's number is taken up to here; if left out, as the host is configured.
    #[serde(default)]
    pub uid_max: Option<Number>,
    /// Allow a `uid` that another user has.
    #[serde(default)]
    pub non_unique: Flag,
    /// The primary group, which must exist; without it a new user gets a group of its own.
    #[serde(default)]
    pub group: Option<Text>,
    /// Other groups to be in, and in no others unless `append`; an empty text is: in none.
    #[serde(default)]
    pub groups: Option<Words>,
    /// Leave the user in groups that `groups` does not name.
    #[serde(default)]
    pub append: Flag,
    /// The comment field: a full name or a purpose.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The home folder.
    #[serde(default)]
    pub home: Option<String>,
    /// Make the home folder if it is missing.
    #[serde(default = "yes")]
    pub create_home: Flag,
    /// When `home` changes, move the old folder there.
    #[serde(default)]
    pub move_home: Flag,
    /// What a new home folder is copied from; `/etc/skel` if left out.
    #[serde(default)]
    pub skeleton: Option<String>,
    /// The umask of a new home folder, as in `"077"`; if left out, the host's own.
    #[serde(default)]
    pub umask: Option<Text>,
    /// The login shell.
    #[serde(default)]
    pub shell: Option<String>,
    /// A new user takes its number from those for system users.
    #[serde(default)]
    pub system: Flag,
    /// The password's hash, as `/etc/shadow` has it; `!` or `*` is: none. Never a password itself.
    #[serde(default)]
    pub password: Option<Text>,
    /// `always` sets `password` when it differs, `on_create` only for a new user.
    #[serde(default)]
    pub update_password: UpdatePassword,
    /// Lock the password (`true`) or unlock it (`false`).
    #[serde(default)]
    pub password_lock: Option<Flag>,
    /// When the account ends, in seconds since 1970: the last day counts in UTC. A negative number is: never.
    #[serde(default)]
    pub expires: Option<Decimal>,
    /// Days after which a password must be changed; -1 is: never.
    #[serde(default)]
    pub password_expire_max: Option<Number>,
    /// Days for which a changed password must be kept.
    #[serde(default)]
    pub password_expire_min: Option<Number>,
    /// Days of warning before a password must be changed.
    #[serde(default)]
    pub password_expire_warn: Option<Number>,
    /// Days after a password's end until the account is closed; -1 is: never.
    #[serde(default)]
    pub password_expire_account_disable: Option<Number>,
    /// The `SELinux` user of a new user's logins.
    #[serde(default)]
    pub seuser: Option<Text>,
    /// Make an SSH key for the user. A key that is there is never replaced, unless `force`.
    #[serde(default)]
    pub generate_ssh_key: Flag,
    /// How many bits the key has; 0 leaves it to the host's `ssh-keygen`.
    #[serde(default)]
    pub ssh_key_bits: Number,
    /// `rsa`, `ed25519`, `ecdsa`: what the host's `ssh-keygen` knows.
    #[serde(default = "rsa")]
    pub ssh_key_type: Text,
    /// The key's file; a relative path is below the home folder. If left out, `.ssh/id_` and the type.
    #[serde(default)]
    pub ssh_key_file: Option<Text>,
    /// The comment in the public key; if left out, `ansible-generated on` and the host's name.
    #[serde(default)]
    pub ssh_key_comment: Option<Text>,
    /// A passphrase for the key, of at least five characters. Without it the key is not encrypted.
    #[serde(default)]
    pub ssh_key_passphrase: Option<Text>,
    /// With `state: absent`: remove the home folder and mail, too.
    #[serde(default)]
    pub remove: Flag,
    /// With `state: absent`: remove even a user who is logged in. With `generate_ssh_key`: replace the key that is there.
    #[serde(default)]
    pub force: Flag,
    /// Look only at the host's own files, not at LDAP and the like.
    #[serde(default)]
    pub local: Flag,
}

/// When a password is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdatePassword {
    /// Whenever it differs.
    #[default]
    Always,
    /// When the user is made.
    OnCreate,
}

fn rsa() -> Text {
    Text("rsa".into())
}

impl User {
    fn found(&self, system: &System) -> Result<Option<Found>> {
        if self.local.0 {
            return Ok(system.users()?.into_iter().find(|user| user.name == self.name.0));
        }
        system.user(&self.name.0)
    }

    /// The names of `groups`, numbers looked up. What does not exist fails, but for check mode.
    fn wanted_groups(&self, cx: &Cx) -> Result<Option<Vec<String>>> {
        let Some(groups) = &self.groups else { return Ok(None) };
        let mut names = Vec::new();
        for group in groups.0.iter().filter(|group| !group.is_empty()) {
            let found = match group.parse() {
                Ok(gid) => cx.system.group_by_id(gid)?,
                Err(_) => cx.system.group(group)?,
            };
            match found {
                Some(found) => names.push(found.name),
                None if cx.check => names.push(group.clone()),
                None => return Err(no_group(group)),
            }
        }
        Ok(Some(names))
    }

    fn primary(&self, cx: &Cx) -> Result<Option<(String, Option<u32>)>> {
        let Some(Text(group)) = &self.group else { return Ok(None) };
        let found = match cx.system.group(group)? {
            None => group.parse().ok().map(|gid| cx.system.group_by_id(gid)).transpose()?.flatten(),
            found => found,
        };
        match found {
            Some(found) => Ok(Some((found.name, Some(found.gid)))),
            None if cx.check => Ok(Some((group.clone(), None))),
            None => Err(no_group(group)),
        }
    }

    fn modify(&self, cx: &mut Cx, found: &Found) -> Result<()> {
        let name = self.name.0.as_str();
        let usermod = |options: &[&str]| tool(["usermod"].iter().chain(options).copied().chain([name]));
        if let Some(uid) = self.uid.map(|uid| uid.0.to_string()).filter(|uid| *uid != found.uid.to_string()) {
            let unique: &[&str] = if self.non_unique.0 { &["-o", "-u", &uid] } else { &["-u", &uid] };
            cx.change(Diff::value("uid", found.uid, &uid), |writer| must(writer, &usermod(unique)))?;
        }
        let primary = self.primary(cx)?;
        if let Some((group, gid)) = &primary
            && *gid != Some(found.gid)
        {
            let before = cx.system.group_name(found.gid)?;
            cx.change(Diff::value("group", before, group), |writer| must(writer, &usermod(&["-g", group])))?;
        }
        self.modify_groups(cx, primary.and_then(|(_, gid)| gid).unwrap_or(found.gid))?;
        if let Some(Text(comment)) = self.comment.as_ref().filter(|comment| comment.0 != found.comment) {
            let diff = Diff::value("comment", &found.comment, comment);
            cx.change(diff, |writer| must(writer, &usermod(&["-c", comment])))?;
        }
        if let Some(shell) = self.shell.as_ref().filter(|shell| **shell != found.shell) {
            cx.change(Diff::value("shell", &found.shell, shell), |writer| must(writer, &usermod(&["-s", shell])))?;
        }
        let home = self.home.as_ref().map_or(found.home.as_str(), |home| home.trim_end_matches('/'));
        if home != found.home.trim_end_matches('/') {
            let options: &[&str] = if self.move_home.0 { &["-m", "-d", home] } else { &["-d", home] };
            cx.change(Diff::value("home", &found.home, home), |writer| must(writer, &usermod(options)))?;
        }
        let moved = cx.check && self.move_home.0 && home != found.home;
        if self.create_home.0 && home.starts_with('/') && !moved && cx.system.meta(Path::new(home))?.is_none() {
            self.create_home(cx, home, found)?;
        }
        self.modify_ageing(cx)?;
        self.modify_password(cx)
    }

    fn modify_groups(&self, cx: &mut Cx, primary: u32) -> Result<()> {
        let Some(wanted) = self.wanted_groups(cx)? else { return Ok(()) };
        let name = self.name.0.as_str();
        let all = cx.system.groups()?;
        let mut current: Vec<String> = all
            .iter()
            .filter(|group| group.members.iter().any(|member| member == name))
            .map(|group| group.name.clone())
            .collect();
        let own = all.iter().find(|group| group.gid == primary).map(|group| group.name.clone());
        let mut after = if self.append.0 { current.clone() } else { Vec::new() };
        after.extend(wanted.into_iter().filter(|group| Some(group) != own.as_ref()));
        for groups in [&mut current, &mut after] {
            groups.retain(|group| Some(group) != own.as_ref());
            groups.sort();
            groups.dedup();
        }
        if current != after {
            let (before, after) = (current.join(","), after.join(","));
            let command = tool(["usermod", "-G", &after, name]);
            cx.change(Diff::value("groups", before, &after), |writer| must(writer, &command))?;
        }
        Ok(())
    }
}

fn no_group(group: &str) -> Failure {
    Failure::new(format!("there is no group `{group}` on this host"))
        .help("make it in an earlier task with the module `group`")
}

impl Module for User {
    const NAME: &'static str = "user";
    const EXAMPLE: &'static str = "\
- user:
    name: geth
    system: true
    home: /var/lib/geth
    shell: /usr/sbin/nologin";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] = &[("user", "name"), ("createhome", "create_home")];
    const REFUSED: &'static [(&'static str, &'static str)] = &[
        ("authorization", "leave it out: it is for hosts with Solaris"),
        ("hidden", "leave it out: it is for hosts with macOS"),
        ("login_class", "leave it out: it is for hosts with BSD"),
        ("profile", "leave it out: it is for hosts with Solaris"),
        ("role", "leave it out: it is for hosts with Solaris; for groups, write `groups`"),
    ];
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let name = self.name.0.as_str();
        if self.password.as_ref().is_some_and(|password| password.0.contains([':', '\n'])) {
            return Err(Failure::new("`password` is not a hash: it contains a colon or a newline")
                .help("make one with `{{ 'the password' | password_hash('sha512') }}`"));
        }
        for (name, given) in
            [("umask", self.umask.is_some()), ("uid_min", self.uid_min.is_some()), ("uid_max", self.uid_max.is_some())]
        {
            if given && self.local.0 {
                return Err(Failure::new(format!("`{name}` cannot be used with `local`")).help("leave one of them out"));
            }
        }
        let found = self.found(cx.system)?;
        match (self.state, &found) {
            (State::Absent, Some(_)) => {
                let options = [(self.force.0, "-f"), (self.remove.0, "-r")];
                let options = options.iter().filter(|(on, _)| *on).map(|(_, option)| *option);
                let command = tool(["userdel"].into_iter().chain(options).chain([name]));
                cx.change(Diff::value(format!("user {name}"), "present", "absent"), |writer| {
                    let ended = writer.run(&command)?;
                    // 12: the user is gone, but its home folder was not there to be removed.
                    let gone = ended.code == 0 || (self.remove.0 && ended.code == 12);
                    if gone { Ok(()) } else { Err(super::program::complaint(&command, &ended)) }
                })?;
            }
            (State::Absent, None) => {}
            (State::Present, None) => self.create(cx)?,
            (State::Present, Some(found)) => self.modify(cx, found)?,
        }
        let state = if self.state == State::Present { "present" } else { "absent" };
        let mut output = Map::from_iter([("name".to_owned(), name.into()), ("state".to_owned(), state.into())]);
        if self.state == State::Absent {
            output.insert("force".into(), self.force.0.into());
            output.insert("remove".into(), self.remove.0.into());
            return Ok(output);
        }
        output.insert("append".into(), self.append.0.into());
        output.insert("create_home".into(), self.create_home.0.into());
        output.insert("move_home".into(), self.move_home.0.into());
        output.insert("system".into(), self.system.0.into());
        if self.password.is_some() {
            output.insert("password".into(), "NOT_LOGGING_PASSWORD".into());
        }
        if let Some(groups) = &self.groups {
            output.insert("groups".into(), groups.0.join(",").into());
        }
        let found = self.found(cx.system)?;
        if self.generate_ssh_key.0 {
            output.extend(self.ssh_key(cx, found.as_ref())?);
        }
        if let Some(found) = found {
            output.insert("uid".into(), found.uid.into());
            output.insert("group".into(), found.gid.into());
            output.insert("comment".into(), found.comment.into());
            output.insert("home".into(), found.home.into());
            output.insert("shell".into(), found.shell.into());
        } else {
            // Only predicted: what is known is what was asked for.
            output.insert("uid".into(), self.uid.map(|uid| uid.0).into());
            output.insert("home".into(), self.home_to_be(cx.system)?.into());
            output.insert("shell".into(), self.shell.clone().into());
            output.insert("comment".into(), self.comment.clone().map(|comment| comment.0).into());
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call_on;
    use super::*;
    use serde_json::{Value, json};

    /// A host with the user `geth`; nothing is run there: everything is only checked.
    fn check(args: Value) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("etc")).unwrap();
        std::fs::create_dir_all(root.path().join("var/lib/geth")).unwrap();
        let write = |path: &str, text: &str| std::fs::write(root.path().join(path), text).unwrap();
        write("etc/passwd", "root:x:0:0::/root:/bin/sh\ngeth:x:990:991:node:/var/lib/geth:/bin/sh\n");
        write("etc/group", "root:x:0:\ngeth:x:991:\nadm:x:4:geth\ndocker:x:5:geth\nsudo:x:6:\n");
        write("etc/shadow", "root:*:1::::::\ngeth:$6$salt$hash:1::::::\n");
        let outcome = call_on(&System::new(root.path()), "user", args, true).unwrap();
        outcome.diffs.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_user_that_is_as_it_should_be_is_left_alone() {
        let args = json!({
            "name": "geth", "uid": 990, "group": "geth", "groups": "docker,adm", "comment": "node", "shell": "/bin/sh",
            "home": "/var/lib/geth/", "password": "$6$salt$hash", "password_lock": false, "local": true,
        });
        assert!(check(args).is_empty());
    }

    #[test]
    fn each_property_that_differs_is_told() {
        let args =
            json!({"name": "geth", "uid": 900, "comment": "x", "shell": "/bin/bash", "group": "adm", "local": true});
        let expected = ["uid 990 -> 900", "group geth -> adm", "comment node -> x", "shell /bin/sh -> /bin/bash"];
        assert_eq!(check(args), expected);
    }

    #[test]
    fn groups_are_added_or_replaced() {
        let groups = |append: bool, groups: &str| check(json!({"name": "geth", "groups": groups, "append": append}));
        assert_eq!(groups(true, "sudo"), ["groups adm,docker -> adm,docker,sudo"]);
        assert_eq!(groups(false, "sudo"), ["groups adm,docker -> sudo"]);
        assert_eq!(groups(false, ""), ["groups adm,docker -> "]);
        assert!(groups(true, "adm,geth").is_empty(), "its own group is no other group");
    }

    #[test]
    fn a_password_is_never_shown() {
        let diffs = check(json!({"name": "geth", "password": "$6$other$secret"}));
        assert_eq!(diffs, ["set the password of geth"]);
        assert!(check(json!({"name": "geth", "password": "$6$o$s", "update_password": "on_create"})).is_empty());
        assert_eq!(check(json!({"name": "geth", "password_lock": true})), ["password unlocked -> locked"]);
    }

    #[test]
    fn a_missing_home_is_made() {
        assert_eq!(
            check(json!({"name": "geth", "home": "/srv/geth"})),
            ["home /var/lib/geth -> /srv/geth", "/srv/geth absent -> directory"]
        );
    }

    #[test]
    fn users_come_and_go() {
        assert_eq!(check(json!({"name": "nobody-of-ours", "local": true})), ["user nobody-of-ours absent -> present"]);
        assert_eq!(check(json!({"name": "geth", "state": "absent"})), ["user geth present -> absent"]);
    }
}
