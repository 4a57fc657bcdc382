//! `cron`: jobs that run at set times.

use super::content::{Content, Put, back_up, put};
use super::group::State;
use super::loose::{Flag, Text};
use super::program::{must, tool};
use super::{Cx, Module, Reach, Result};
use crate::base::{Diff, Failure, Map};
use crate::system::Meta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What stands before a job's name in its comment. Ansible's own, so that either can take over from the other.
const MARK: &str = "#Ansible: ";

/// Adds, changes or removes one job in a crontab. It is known by its name.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Cron {
    /// The job's name, in a comment above it; with `env`, the variable's name.
    #[serde(default)]
    pub name: Option<Text>,
    /// The command; with `env`, the variable's value.
    #[serde(default)]
    pub job: Option<Text>,
    /// Whether it shall be there.
    #[serde(default)]
    pub state: State,
    /// 0-59, `*`, `*/2`, `1,2`.
    #[serde(default = "always")]
    pub minute: Text,
    /// 0-23.
    #[serde(default = "always")]
    pub hour: Text,
    /// Day of the month, 1-31.
    #[serde(default = "always")]
    pub day: Text,
    /// 1-12.
    #[serde(default = "always")]
    pub month: Text,
    /// Day of the week, 0-6, Sunday is 0.
    #[serde(default = "always")]
    pub weekday: Text,
    /// A name for the time instead: `reboot`, `hourly`, `daily`, ...
    #[serde(default)]
    pub special_time: Option<SpecialTime>,
    /// Whose crontab; in a `cron_file`: as whom the job runs.
    #[serde(default)]
    pub user: Option<Text>,
    /// A file in `/etc/cron.d` (or an absolute path) instead of a user's crontab.
    #[serde(default)]
    pub cron_file: Option<String>,
    /// Set a variable at the top of the crontab instead of a job.
    #[serde(default)]
    pub env: Flag,
    /// Put the variable after this one.
    #[serde(default)]
    pub insertafter: Option<Text>,
    /// Put the variable before this one.
    #[serde(default)]
    pub insertbefore: Option<Text>,
    /// Keep the job as a comment, so that it does not run.
    #[serde(default)]
    pub disabled: Flag,
    /// Keep a copy of the old crontab.
    #[serde(default)]
    pub backup: Flag,
}

/// Times with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SpecialTime {
    /// When the host starts.
    Reboot,
    /// On January 1st.
    Yearly,
    /// On January 1st.
    Annually,
    /// On the first of each month.
    Monthly,
    /// On Sundays.
    Weekly,
    /// At midnight.
    Daily,
    /// At each full hour.
    Hourly,
}

impl SpecialTime {
    fn word(self) -> &'static str {
        match self {
            Self::Reboot => "@reboot",
            Self::Yearly => "@yearly",
            Self::Annually => "@annually",
            Self::Monthly => "@monthly",
            Self::Weekly => "@weekly",
            Self::Daily => "@daily",
            Self::Hourly => "@hourly",
        }
    }
}

fn always() -> Text {
    Text("*".into())
}

/// The name of the variable that a line sets.
fn variable(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    let name = name.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

impl Cron {
    fn line(&self, job: &str, in_file: bool) -> String {
        let time = match self.special_time {
            Some(time) => time.word().to_owned(),
            None => {
                [&self.minute, &self.hour, &self.day, &self.month, &self.weekday].map(|part| part.0.trim()).join(" ")
            }
        };
        let user =
            if in_file { format!("{} ", self.user.as_ref().map_or("root", |user| &user.0)) } else { String::new() };
        let mark = if self.disabled.0 { "#" } else { "" };
        format!("{mark}{time} {user}{job}")
    }

    /// The crontab as it shall be.
    fn edit(&self, text: &str, name: &str, in_file: bool) -> Result<String> {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let job = self.job.as_ref().map(|job| job.0.trim().to_owned());
        if self.env.0 {
            self.edit_variable(&mut lines, name, job.as_deref().unwrap_or_default())?;
        } else {
            let comment = format!("{MARK}{name}");
            let place = lines.iter().position(|line| *line == comment);
            let new = job.filter(|_| self.state == State::Present).map(|job| self.line(&job, in_file));
            match (place, new) {
                (Some(place), Some(new)) if place + 1 < lines.len() => lines[place + 1] = new,
                (Some(_), Some(new)) => lines.push(new),
                (Some(place), None) => _ = lines.drain(place..(place + 2).min(lines.len())),
                (None, Some(new)) => lines.extend([comment, new]),
                (None, None) => {}
            }
        }
        Ok(if lines.is_empty() { String::new() } else { lines.join("\n") + "\n" })
    }

    fn edit_variable(&self, lines: &mut Vec<String>, name: &str, value: &str) -> Result<()> {
        let at = |lines: &[String], name: &str| lines.iter().position(|line| variable(line) == Some(name));
        let new = format!("{name}=\"{value}\"");
        match (at(lines, name), self.state) {
            (Some(place), State::Present) => lines[place] = new,
            (Some(place), State::Absent) => _ = lines.remove(place),
            (None, State::Absent) => {}
            (None, State::Present) => {
                let missing = |other: &Text| Failure::new(format!("there is no variable `{}` in the crontab", other.0));
                let place = match (&self.insertafter, &self.insertbefore) {
                    (Some(other), _) => at(lines, &other.0).ok_or_else(|| missing(other))? + 1,
                    (None, Some(other)) => at(lines, &other.0).ok_or_else(|| missing(other))?,
                    (None, None) => 0,
                };
                lines.insert(place, new);
            }
        }
        Ok(())
    }

    /// `crontab` for the user that is meant.
    fn crontab(&self, option: &str) -> crate::system::Command {
        let user = self.user.iter().flat_map(|user| ["-u", &user.0]);
        tool(["crontab"].into_iter().chain(user).chain([option]))
    }

    fn read_user(&self, cx: &Cx) -> Result<String> {
        if cx.check
            && !["/usr/bin/crontab", "/bin/crontab"]
                .iter()
                .any(|path| cx.system.exists(Path::new(path)).unwrap_or(false))
        {
            // An earlier task may only have predicted the installation of cron, or the user.
            return Ok(String::new());
        }
        let command = self.crontab("-l");
        let ended = cx.system.run(&command)?;
        if ended.code == 0 {
            return Ok(ended.stdout);
        }
        let none = ended.stderr.contains("no crontab for");
        let unknown = cx.check && ended.stderr.contains("unknown");
        if none || unknown { Ok(String::new()) } else { Err(super::program::complaint(&command, &ended)) }
    }
}

impl Module for Cron {
    const NAME: &'static str = "cron";
    const EXAMPLE: &'static str = "\
- cron:
    name: back up the keystore
    hour: 3
    minute: 15
    job: /usr/local/sbin/backup-keystore";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] = &[("value", "job"), ("dom", "day"), ("dow", "weekday")];
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let file: Option<PathBuf> = self.cron_file.as_ref().map(|file| Path::new("/etc/cron.d").join(file));
        if let (None, Some(path), State::Absent) = (&self.name, &file, self.state) {
            if cx.system.meta(path)?.is_some() {
                let before = cx.system.read_text_if_there(path)?;
                let diff = Diff::text(path.display().to_string(), before, None);
                cx.change(diff, |writer| writer.remove(path))?;
            }
            return Ok(Map::from_iter([("cron_file".to_owned(), path.display().to_string().into())]));
        }
        let name = self.name.as_ref().map(|name| name.0.trim()).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Failure::new("give the job a `name`, by which it is found again"))?;
        if name.contains('\n') || self.job.as_ref().is_some_and(|job| job.0.trim().contains('\n')) {
            return Err(Failure::new("neither `name` nor `job` may hold a newline: a crontab has one line a job"));
        }
        if self.state == State::Present && self.job.is_none() {
            return Err(Failure::new("`job` is needed: what shall run?"));
        }
        if file.is_some() && self.user.is_none() && self.state == State::Present && !self.env.0 {
            return Err(Failure::new("a job in a `cron_file` needs a `user`: as whom shall it run?"));
        }
        let before = match &file {
            Some(path) => cx.system.read_text_if_there(path)?.unwrap_or_default(),
            None => self.read_user(cx)?,
        };
        let after = self.edit(&before, name, file.is_some())?;
        let mut backup = None;
        if before != after {
            if let Some(path) = &file {
                let attributes = serde_json::from_value(serde_json::json!({"mode": "0644"}));
                let attributes = attributes.map_err(|error| Failure::new(error.to_string()))?;
                let how = Put { backup: self.backup.0, ..Put::new(path, &attributes) };
                backup = put(cx, how, Content::Bytes(after.as_bytes()))?.backup;
            } else {
                let whose = self.user.as_ref().map_or("crontab".to_owned(), |user| format!("crontab of {}", user.0));
                let mut command = self.crontab("-");
                command.stdin = Some(after.clone().into_bytes());
                let keep = self.backup.0.then(|| before.clone());
                let there = (!before.is_empty()).then_some(before);
                backup = cx
                    .change(Diff::text(whose, there, Some(after.clone())), |writer| {
                        let mut kept = None;
                        if let Some(text) = keep {
                            let path = Path::new("/tmp/crontab");
                            let staged =
                                writer.stage(path, &mut text.as_bytes(), None, crate::system::Traits::mode(0o600))?;
                            let meta: Option<Meta> = writer.system().meta(staged.path())?;
                            if let Some(meta) = meta {
                                kept = Some(back_up(writer, staged.path(), &meta)?.display().to_string());
                            }
                        }
                        must(writer, &command)?;
                        Ok(kept)
                    })?
                    .flatten();
            }
        }
        let jobs = after.lines().filter_map(|line| line.strip_prefix(MARK));
        let mut output = Map::from_iter([
            ("jobs".to_owned(), jobs.collect()),
            ("envs".to_owned(), after.lines().filter_map(variable).collect()),
        ]);
        if let Some(path) = file {
            output.insert("cron_file".into(), path.display().to_string().into());
        }
        if let Some(backup) = backup {
            output.insert("backup_file".into(), backup.into());
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::json;

    #[test]
    fn a_job_is_added_changed_and_removed_by_its_name() {
        let host = Host::new();
        host.file("/etc/cron.d/ours", "MAILTO=\"\"\n");
        let args = |hour, state| {
            json!({
                "name": "backup", "cron_file": "ours", "user": "root", "hour": hour, "minute": 5, "job": "/bin/b", "state": state,
            })
        };
        let outcome = host.check_apply_apply("cron", args(3, "present"));
        assert_output(&outcome.output, json!({"jobs": ["backup"], "envs": ["MAILTO"]}));
        assert_eq!(host.read("/etc/cron.d/ours"), "MAILTO=\"\"\n#Ansible: backup\n5 3 * * * root /bin/b\n");
        host.check_apply_apply("cron", args(4, "present"));
        assert_eq!(host.read("/etc/cron.d/ours"), "MAILTO=\"\"\n#Ansible: backup\n5 4 * * * root /bin/b\n");
        host.check_apply_apply("cron", args(4, "absent"));
        assert_eq!(host.read("/etc/cron.d/ours"), "MAILTO=\"\"\n");
    }

    #[test]
    fn a_job_may_be_named_by_time_and_disabled() {
        let host = Host::new();
        host.folder("/etc/cron.d");
        let args = json!({
            "name": "n", "cron_file": "ours", "user": "geth", "special_time": "daily", "job": "x", "disabled": true,
        });
        host.check_apply_apply("cron", args);
        assert_eq!(host.read("/etc/cron.d/ours"), "#Ansible: n\n#@daily geth x\n");
        assert_eq!(host.mode_of("/etc/cron.d/ours"), 0o644);
    }

    #[test]
    fn variables_stand_before_the_jobs() {
        let host = Host::new();
        host.file("/etc/cron.d/ours", "A=\"1\"\n#Ansible: n\n@daily root x\n");
        let args = json!({"name": "B", "value": "2", "env": true, "cron_file": "ours", "insertafter": "A"});
        host.check_apply_apply("cron", args);
        assert_eq!(host.read("/etc/cron.d/ours"), "A=\"1\"\nB=\"2\"\n#Ansible: n\n@daily root x\n");
    }

    #[test]
    fn a_whole_file_can_be_removed() {
        let host = Host::new();
        host.file("/etc/cron.d/ours", "x\n");
        host.check_apply_apply("cron", json!({"cron_file": "ours", "state": "absent"}));
        assert!(!host.has("/etc/cron.d/ours"));
    }

    #[test]
    fn a_job_without_a_name_cannot_be_found_again_and_is_refused() {
        let host = Host::new();
        assert!(host.fails("cron", json!({"job": "x"})).contains("name"));
        assert!(host.fails("cron", json!({"name": "x", "job": "a\nb"})).contains("newline"));
        assert!(host.fails("cron", json!({"name": "x", "job": "y", "cron_file": "ours"})).contains("user"));
    }
}
