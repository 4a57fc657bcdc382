//! `group`: a group of users exists, or does not.

use super::loose::{Flag, Number, Text};
use super::program::{must, tool};
use super::{Cx, Module, Reach, Result};
use crate::base::{Diff, Failure, Map};
use crate::system::users::Group as Found;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes, changes or removes a group of users.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// The group's name.
    pub name: Text,
    /// Its number.
    #[serde(default)]
    pub gid: Option<Number>,
    /// Whether it shall exist.
    #[serde(default)]
    pub state: State,
    /// Take the number of a new group from those for system groups.
    #[serde(default)]
    pub system: Flag,
    /// A new group's number is taken from here on; if left out, as the host is configured.
    #[serde(default)]
    pub gid_min: Option<Number>,
    /// A new group's number is taken up to here; if left out, as the host is configured.
    #[serde(default)]
    pub gid_max: Option<Number>,
    /// Allow a `gid` that another group has.
    #[serde(default)]
    pub non_unique: Flag,
    /// Look only at the host's own files, not at LDAP and the like.
    #[serde(default)]
    pub local: Flag,
    /// Remove the group even if it is a user's primary group.
    #[serde(default)]
    pub force: Flag,
}

/// Whether something shall exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It exists.
    #[default]
    Present,
    /// It does not.
    Absent,
}

impl Group {
    fn found(&self, cx: &Cx) -> Result<Option<Found>> {
        if self.local.0 {
            return Ok(cx.system.groups()?.into_iter().find(|group| group.name == self.name.0));
        }
        cx.system.group(&self.name.0)
    }

    fn groupadd(&self) -> Vec<String> {
        let mut argv = vec!["groupadd".to_owned()];
        argv.extend(self.system.0.then(|| "-r".to_owned()));
        for (setting, number) in [("GID_MIN", self.gid_min), ("GID_MAX", self.gid_max)] {
            if let Some(number) = number {
                argv.extend(["-K".into(), format!("{setting}={}", number.0)]);
            }
        }
        argv
    }
}

impl Module for Group {
    const NAME: &'static str = "group";
    const EXAMPLE: &'static str = "\
- group:
    name: geth
    system: true";
    const REACH: Reach = Reach::Host;
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let name = self.name.0.as_str();
        for (option, given) in [("gid_min", self.gid_min), ("gid_max", self.gid_max)] {
            if given.is_some() && self.local.0 {
                return Err(
                    Failure::new(format!("`{option}` cannot be used with `local`")).help("leave one of them out")
                );
            }
        }
        let gid = self.gid.map(|gid| gid.0.to_string());
        let unique = |argv: &mut Vec<String>| {
            if let Some(gid) = &gid {
                argv.extend(["-g".into(), gid.clone()]);
                if self.non_unique.0 {
                    argv.push("-o".into());
                }
            }
        };
        match (self.state, self.found(cx)?) {
            (State::Absent, Some(_)) => {
                cx.change(Diff::value(format!("group {name}"), "present", "absent"), |writer| {
                    let force = self.force.0.then_some("-f");
                    must(writer, &tool(["groupdel"].into_iter().chain(force).chain([name])))
                })?;
            }
            (State::Present, None) => {
                let mut argv = self.groupadd();
                unique(&mut argv);
                argv.push(name.into());
                let diff = Diff::value(format!("group {name}"), "absent", "present");
                cx.change(diff, |writer| must(writer, &tool(argv)))?;
            }
            (State::Present, Some(found)) if gid.as_ref().is_some_and(|gid| *gid != found.gid.to_string()) => {
                let mut argv = vec!["groupmod".to_owned()];
                unique(&mut argv);
                argv.push(name.into());
                let diff = Diff::value("gid", found.gid, gid.as_deref().unwrap_or_default());
                cx.change(diff, |writer| must(writer, &tool(argv)))?;
            }
            (State::Absent, None) | (State::Present, Some(_)) => {}
        }
        let state = if self.state == State::Present { "present" } else { "absent" };
        let mut output = Map::from_iter([
            ("name".to_owned(), name.into()),
            ("state".to_owned(), state.into()),
            ("system".to_owned(), self.system.0.into()),
        ]);
        if let Some(found) = self.found(cx)?.filter(|_| self.state == State::Present) {
            output.insert("gid".into(), found.gid.into());
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call_on;
    use super::Group;
    use crate::base::Diff;
    use crate::system::System;
    use serde_json::json;

    /// A host that has the group `geth`; nothing is run there: everything is only checked.
    fn host() -> (tempfile::TempDir, System) {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(root.path().join("etc/group"), "root:x:0:\ngeth:x:991:\n").unwrap();
        let system = System::new(root.path());
        (root, system)
    }

    #[test]
    fn a_group_that_is_as_it_should_be_is_left_alone() {
        let (_root, system) = host();
        let outcome = call_on(&system, "group", json!({"name": "geth", "gid": "991", "local": true}), true).unwrap();
        assert!(!outcome.changed());
        assert_eq!(outcome.output["gid"], 991);
    }

    #[test]
    fn what_would_be_done_is_predicted() {
        let (_root, system) = host();
        let diffs = |args| call_on(&system, "group", args, true).unwrap().diffs;
        assert_eq!(diffs(json!({"name": "geth", "gid": 900, "local": true})), [Diff::value("gid", 991, 900)]);
        let made = [Diff::value("group new-one", "absent", "present")];
        assert_eq!(diffs(json!({"name": "new-one", "local": true})), made);
        let removed = [Diff::value("group geth", "present", "absent")];
        assert_eq!(diffs(json!({"name": "geth", "state": "absent", "local": true})), removed);
    }

    #[test]
    fn a_new_number_is_taken_from_a_range() {
        let args = json!({"name": "geth", "gid_min": 5000, "gid_max": "5999", "system": true});
        let group: Group = serde_json::from_value(args).unwrap();
        assert_eq!(group.groupadd().join(" "), "groupadd -r -K GID_MIN=5000 -K GID_MAX=5999");
        let (_root, system) = host();
        let failure = call_on(&system, "group", json!({"name": "x", "gid_min": 1, "local": true}), true).unwrap_err();
        assert_eq!(failure.message, "`gid_min` cannot be used with `local`");
    }
}
