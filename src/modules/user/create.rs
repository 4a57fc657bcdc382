//! A user that was not there.

use super::super::program::{must, tool};
use super::super::{Cx, Result};
use super::User;
use super::password::set_password;
use crate::base::Diff;
use crate::modules::loose::{Flag, Text};
use crate::system::Traits;
use std::path::Path;

impl User {
    pub(super) fn create(&self, cx: &mut Cx) -> Result<()> {
        let name = self.name.0.as_str();
        let argv = self.useradd(cx)?;
        let ageing = self.ageing(None)?.chage(name);
        let home = self.home.clone().filter(|_| self.create_home.0);
        cx.change(Diff::value(format!("user {name}"), "absent", "present"), |writer| {
            // useradd makes only the last folder of the home's path.
            if let Some(parent) = home.as_deref().and_then(|home| Path::new(home).parent()) {
                writer.folders(parent, Traits::mode(0o755))?;
            }
            must(writer, &tool(argv))?;
            if let Some(chage) = ageing {
                must(writer, &tool(chage))?;
            }
            if let Some(Text(password)) = &self.password {
                let locked = self.password_lock == Some(Flag(true)) && !password.starts_with('!');
                set_password(writer, name, &if locked { format!("!{password}") } else { password.clone() })?;
            }
            Ok(())
        })?;
        Ok(())
    }

    pub(super) fn useradd(&self, cx: &Cx) -> Result<Vec<String>> {
        let mut argv = vec!["useradd".to_owned()];
        let mut option = |option: &str, value: String| argv.extend([option.to_owned(), value]);
        if let Some(uid) = self.uid {
            option("-u", uid.0.to_string());
        }
        if let Some((group, _)) = self.primary(cx)? {
            option("-g", group);
        }
        if let Some(groups) = self.wanted_groups(cx)?.filter(|groups| !groups.is_empty()) {
            option("-G", groups.join(","));
        }
        for (word, value) in [("-c", &self.comment), ("-Z", &self.seuser)] {
            if let Some(Text(value)) = value {
                option(word, value.clone());
            }
        }
        for (word, value) in [("-d", &self.home), ("-s", &self.shell)] {
            if let Some(value) = value {
                option(word, value.clone());
            }
        }
        if let Some(skeleton) = self.skeleton.as_ref().filter(|_| self.create_home.0) {
            option("-k", skeleton.clone());
        }
        if let Some(Text(umask)) = self.umask.as_ref().filter(|_| self.create_home.0) {
            option("-K", format!("UMASK={umask}"));
        }
        for (setting, number) in [("UID_MIN", self.uid_min), ("UID_MAX", self.uid_max)] {
            if let Some(number) = number {
                option("-K", format!("{setting}={}", number.0));
            }
        }
        argv.extend((self.uid.is_some() && self.non_unique.0).then(|| "-o".to_owned()));
        argv.extend(self.system.0.then(|| "-r".to_owned()));
        // A group of the same name that is there already would make useradd refuse.
        let taken = self.group.is_none() && cx.system.group(&self.name.0)?.is_some();
        argv.extend(taken.then(|| "-N".to_owned()));
        argv.extend([if self.create_home.0 { "-m" } else { "-M" }.to_owned(), self.name.0.clone()]);
        Ok(argv)
    }
}
