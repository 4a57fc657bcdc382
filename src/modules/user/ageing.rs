//! When a user's password and account end.

use super::super::loose::Number;
use super::super::program::{must, tool};
use super::super::{Cx, Result};
use super::User;
use super::shadow::Shadow;
use crate::base::{Diff, Failure};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What has to be set with `chage`: its options, and one diff for each.
#[derive(Debug, Default)]
pub(super) struct Ageing {
    options: Vec<String>,
    diffs: Vec<Diff>,
}

impl Ageing {
    /// The command line, if there is anything to do.
    pub fn chage(self, name: &str) -> Option<Vec<String>> {
        let argv = || std::iter::once("chage".to_owned()).chain(self.options).chain([name.to_owned()]).collect();
        (!self.diffs.is_empty()).then(argv)
    }

    fn set(&mut self, option: &str, what: &str, before: Option<i64>, after: i64, shown: impl Fn(i64) -> String) {
        if before != Some(after) {
            self.options.extend([option.to_owned(), after.to_string()]);
            self.diffs.push(Diff::value(what, before.map_or_else(|| "unknown".into(), &shown), shown(after)));
        }
    }
}

impl User {
    /// How a user's line differs from what is asked for. What a new user gets from the host's settings is not known
    /// before: all that is asked for is set.
    pub(super) fn ageing(&self, found: Option<&Shadow>) -> Result<Ageing> {
        let mut ageing = Ageing::default();
        for (option, what, wanted, before) in [
            ("-m", "password_expire_min", self.password_expire_min, found.map(|found| found.least)),
            ("-M", "password_expire_max", self.password_expire_max, found.map(|found| found.most)),
            ("-W", "password_expire_warn", self.password_expire_warn, found.map(|found| found.warn)),
            (
                "-I",
                "password_expire_account_disable",
                self.password_expire_account_disable,
                found.map(|found| found.inactive),
            ),
        ] {
            if let Some(Number(wanted)) = wanted {
                ageing.set(option, what, before, wanted, |days| days.to_string());
            }
        }
        if let Some(seconds) = self.expires {
            ageing.set("-E", "expires", found.map(|found| found.expires), last_day(seconds.0)?, date);
        }
        Ok(ageing)
    }

    pub(super) fn modify_ageing(&self, cx: &mut Cx) -> Result<()> {
        if self.ageing(None)?.diffs.is_empty() {
            return Ok(());
        }
        let mut ageing = self.ageing(Some(&Shadow::of(cx.system, &self.name.0)?))?;
        let mut diffs = std::mem::take(&mut ageing.diffs).into_iter();
        let Some(first) = diffs.next() else { return Ok(()) };
        let argv = ["chage".to_owned()].into_iter().chain(ageing.options).chain([self.name.0.clone()]);
        let command = tool(argv);
        cx.change(first, |writer| must(writer, &command))?;
        for diff in diffs {
            cx.change(diff, |_| Ok(()))?;
        }
        Ok(())
    }
}

/// The day of a moment in seconds since 1970, counted from there; -1 for one before it: never.
fn last_day(seconds: f64) -> Result<i64> {
    if seconds < 0.0 {
        return Ok(-1);
    }
    #[allow(clippy::cast_possible_truncation, reason = "a number too large stays so large that no date has it")]
    let moment = Timestamp::from_second(seconds as i64);
    let moment = moment.map_err(|_| {
        Failure::new(format!("`expires: {seconds}` is no date")).help("write seconds since 1970, or -1 for never")
    })?;
    Ok(moment.as_second().div_euclid(86400))
}

/// A day as people write it.
fn date(day: i64) -> String {
    let moment = day.checked_mul(86400).filter(|_| day >= 0).and_then(|seconds| Timestamp::from_second(seconds).ok());
    moment.map_or_else(|| "never".to_owned(), |moment| moment.to_zoned(TimeZone::UTC).date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn chage(args: Value, found: Option<&Shadow>) -> String {
        let user: User = serde_json::from_value(args).unwrap();
        user.ageing(found).unwrap().chage("geth").unwrap_or_default().join(" ")
    }

    #[test]
    fn only_what_differs_is_set() {
        let args =
            json!({"name": "geth", "password_expire_max": 90, "password_expire_min": "1", "expires": 1_422_403_387});
        assert_eq!(chage(args.clone(), None), "chage -m 1 -M 90 -E 16463 geth");
        let found = Shadow { most: 90, least: 0, expires: 16463, ..Shadow::default() };
        assert_eq!(chage(args, Some(&found)), "chage -m 1 geth");
    }

    #[test]
    fn an_account_without_end_is_left_alone_when_none_is_wanted() {
        let args = json!({"name": "geth", "expires": -1, "password_expire_account_disable": -1});
        assert_eq!(chage(args.clone(), Some(&Shadow::default())), "");
        assert_eq!(chage(args, Some(&Shadow { expires: 9, ..Shadow::default() })), "chage -E -1 geth");
    }

    #[test]
    fn days_are_shown_as_dates() {
        assert_eq!((date(16463).as_str(), date(0).as_str(), date(-1).as_str()), ("2015-01-28", "1970-01-01", "never"));
        assert!(last_day(1e300).unwrap_err().message.contains("is no date"));
    }
}
