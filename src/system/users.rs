//! Users and groups, read from the files of the host: no NSS, which a static binary cannot use.
//!
//! Who is in neither file (LDAP, systemd's dynamic users) is asked for with `getent`, a program of the host's own.

use super::{Command, System};
use crate::base::Failure;
use crate::base::failure::Result;
use std::path::Path;

/// A line of `/etc/passwd` (`man 5 passwd`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its own group.
    pub gid: u32,
    /// The comment field.
    pub comment: String,
    /// The home folder.
    pub home: String,
    /// The login shell.
    pub shell: String,
}

/// A line of `/etc/group` (`man 5 group`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name.
    pub name: String,
    /// Its number.
    pub gid: u32,
    /// Names of users for whom it is not their own group.
    pub members: Vec<String>,
}

fn user(line: &str) -> Option<User> {
    let mut fields = line.trim_end().split(':');
    let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with(['#', '+', '-']))?.to_owned();
    let (_, uid, gid) = (fields.next()?, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let mut text = || fields.next().unwrap_or_default().to_owned();
    Some(User { name, uid, gid, comment: text(), home: text(), shell: text() })
}

fn group(line: &str) -> Option<Group> {
    let mut fields = line.trim_end().split(':');
    let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with(['#', '+', '-']))?.to_owned();
    let (_, gid) = (fields.next()?, fields.next()?.parse().ok()?);
    let members = fields.next().unwrap_or_default();
    let members = members.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect();
    Some(Group { name, gid, members })
}

impl System {
    /// Every user in `/etc/passwd`.
    pub fn users(&self) -> Result<Vec<User>> {
        let text = self.read_if_there(Path::new("/etc/passwd"))?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&text).lines().filter_map(user).collect())
    }

    /// Every group in `/etc/group`.
    pub fn groups(&self) -> Result<Vec<Group>> {
        let text = self.read_if_there(Path::new("/etc/group"))?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&text).lines().filter_map(group).collect())
    }

    /// The user of that name.
    pub fn user(&self, name: &str) -> Result<Option<User>> {
        let found = self.users()?.into_iter().find(|user| user.name == name);
        Ok(found.or_else(|| user(&self.getent("passwd", name)?)))
    }

    /// The user of that number.
    pub fn user_by_id(&self, uid: u32) -> Result<Option<User>> {
        let found = self.users()?.into_iter().find(|user| user.uid == uid);
        Ok(found.or_else(|| user(&self.getent("passwd", &uid.to_string())?)))
    }

    /// The group of that name.
    pub fn group(&self, name: &str) -> Result<Option<Group>> {
        let found = self.groups()?.into_iter().find(|group| group.name == name);
        Ok(found.or_else(|| group(&self.getent("group", name)?)))
    }

    /// The group of that number.
    pub fn group_by_id(&self, gid: u32) -> Result<Option<Group>> {
        let found = self.groups()?.into_iter().find(|group| group.gid == gid);
        Ok(found.or_else(|| group(&self.getent("group", &gid.to_string())?)))
    }

    /// The number of a user given by name or number; a name that nobody has is a failure.
    pub fn uid(&self, owner: &str) -> Result<u32> {
        if let Some(user) = self.users()?.into_iter().find(|user| user.name == owner) {
            return Ok(user.uid);
        }
        if let Ok(uid) = owner.parse() {
            return Ok(uid);
        }
        self.user(owner)?.map(|user| user.uid).ok_or_else(|| {
            Failure::new(format!("there is no user `{owner}` on this host"))
                .help("make it in an earlier task with the module `user`")
        })
    }

    /// The number of a group given by name or number; a name that no group has is a failure.
    pub fn gid(&self, name: &str) -> Result<u32> {
        if let Some(group) = self.groups()?.into_iter().find(|group| group.name == name) {
            return Ok(group.gid);
        }
        if let Ok(gid) = name.parse() {
            return Ok(gid);
        }
        self.group(name)?.map(|group| group.gid).ok_or_else(|| {
            Failure::new(format!("there is no group `{name}` on this host"))
                .help("make it in an earlier task with the module `group`")
        })
    }

    /// The name of a user, or its number where it has no name.
    pub fn user_name(&self, uid: u32) -> Result<String> {
        Ok(self.user_by_id(uid)?.map_or_else(|| uid.to_string(), |user| user.name))
    }

    /// The name of a group, or its number where it has no name.
    pub fn group_name(&self, gid: u32) -> Result<String> {
        Ok(self.group_by_id(gid)?.map_or_else(|| gid.to_string(), |group| group.name))
    }

    /// One line of `getent`; `None` where it finds nothing, or where there is no `getent`.
    fn getent(&self, database: &str, key: &str) -> Option<String> {
        // A test's folder has no programs, and the machine's own users are not its users.
        if !self.is_host() || key.starts_with('-') {
            return None;
        }
        let argv = ["getent", database, key].map(str::to_owned).to_vec();
        let ended = self.run(&Command { argv, timeout: Some(10), ..Command::default() }).ok()?;
        (ended.code == 0).then(|| ended.stdout.lines().next().unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::host_with;

    #[test]
    fn names_and_numbers_come_from_the_hosts_own_files() {
        let passwd = "# x\nroot:x:0:0:root:/root:/bin/sh\n+nis::::::\n\
                      geth:x:990:991::/var/lib/geth:/usr/sbin/nologin\n7:x:1234:1::/:/bin/sh\n";
        let group = "root:x:0:\ngeth:x:991:alice,bob\n";
        let (_root, system) = host_with(&[("etc/passwd", passwd), ("etc/group", group)]);
        assert_eq!(system.users().unwrap().len(), 3);
        assert_eq!(system.user("geth").unwrap().unwrap().home, "/var/lib/geth");
        assert_eq!(system.group("geth").unwrap().unwrap().members, ["alice", "bob"]);
        assert_eq!((system.uid("geth").unwrap(), system.uid("4000").unwrap()), (990, 4000));
        assert_eq!(system.uid("7").unwrap(), 1234, "a name of digits is still a name");
        assert_eq!((system.user_name(990).unwrap(), system.user_name(5).unwrap()), ("geth".into(), "5".into()));
        assert!(system.gid("nobody").unwrap_err().message.contains("`nobody`"));
    }
}
