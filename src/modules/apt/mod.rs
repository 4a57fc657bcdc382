//! `apt`: packages of Debian and its relatives are installed, or not.

mod clean;
mod file;
mod lists;
mod packages;
mod policy;

use super::execution::lines;
use super::loose::{Flag, Number, Text, Words, yes};
use super::program::{ask, complaint, tool};
use super::{Cx, Module, Result};
use crate::base::{Diff, Failure, Map};
use crate::system::{Command, Ended, Writer};
use packages::{FORMAT, Package, Spec, Step, candidates, installed, simulated};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Installs, upgrades and removes packages with apt.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Apt {
    /// Packages: `geth`, `geth=1.13.15-1`, `geth=1.13*`, `libc6:i386`, `linux-image-*`.
    #[serde(default)]
    pub name: Words,
    /// `present` (in any version, unless `name` says which), `latest`, `absent`, `build-dep` (what is needed to build
    /// it) or `fixed` (repair what is half installed).
    #[serde(default)]
    pub state: State,
    /// Get the lists of packages first.
    #[serde(default)]
    pub update_cache: Flag,
    /// Lists younger than this many seconds are good enough; implies `update_cache`.
    #[serde(default)]
    pub cache_valid_time: Number,
    /// Also install what packages recommend; if left out, as the host is configured.
    #[serde(default)]
    pub install_recommends: Option<Flag>,
    /// Remove configuration files, too.
    #[serde(default)]
    pub purge: Flag,
    /// Remove packages that were only installed for others and are needed no more.
    #[serde(default)]
    pub autoremove: Flag,
    /// Remove downloaded packages that can be downloaded no more.
    #[serde(default)]
    pub autoclean: Flag,
    /// Remove all downloaded packages, before anything is installed.
    #[serde(default)]
    pub clean: Flag,
    /// The exit code of `/usr/sbin/policy-rc.d` meanwhile: 101 keeps packages from starting their services. What is there is
    /// put back afterwards.
    #[serde(default)]
    pub policy_rc_d: Option<Number>,
    /// A package file on the host, or its URL.
    #[serde(default)]
    pub deb: Option<String>,
    /// Upgrade all packages: `yes` or `safe` removes none, `full` or `dist` may.
    #[serde(default)]
    pub upgrade: Upgrade,
    /// Take packages from this release: `bookworm-backports`.
    #[serde(default)]
    pub default_release: Option<Text>,
    /// Only upgrade what is installed, install nothing new.
    #[serde(default)]
    pub only_upgrade: Flag,
    /// Install packages whose origin cannot be proved.
    #[serde(default)]
    pub allow_unauthenticated: Flag,
    /// Install an older version than the one that is there.
    #[serde(default)]
    pub allow_downgrade: Flag,
    /// Change packages that are on hold.
    #[serde(default)]
    pub allow_change_held_packages: Flag,
    /// Fail rather than remove a package.
    #[serde(default)]
    pub fail_on_autoremove: Flag,
    /// Allow everything that the options beginning with `allow_` allow.
    #[serde(default)]
    pub force: Flag,
    /// Options for dpkg, with commas.
    #[serde(default = "keep_configuration")]
    pub dpkg_options: Words,
    /// Seconds to wait for another program that uses apt.
    #[serde(default = "sixty")]
    pub lock_timeout: Number,
    /// Accepted for Ansible's sake: it is always apt-get.
    #[serde(default)]
    pub force_apt_get: Flag,
    /// Accepted for Ansible's sake: nothing has to be installed for this module.
    #[serde(default = "yes")]
    pub auto_install_module_deps: Flag,
    /// Accepted for Ansible's sake: an update is tried until `lock_timeout` is over.
    #[serde(default)]
    pub update_cache_retries: Option<Number>,
    /// Accepted for Ansible's sake: an update is tried every second.
    #[serde(default)]
    pub update_cache_retry_max_delay: Option<Number>,
}

/// What shall be with the packages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Installed.
    #[default]
    #[serde(alias = "installed")]
    Present,
    /// Not installed.
    #[serde(alias = "removed")]
    Absent,
    /// Installed in the newest version.
    Latest,
    /// What is needed to build them is installed.
    BuildDep,
    /// Nothing is half installed.
    Fixed,
}

/// How to upgrade everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Upgrade {
    /// Not.
    #[default]
    No,
    /// Without removing packages.
    Safe,
    /// Removing packages if it must be.
    Dist,
}

impl<'de> Deserialize<'de> for Upgrade {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(word) = Text::deserialize(deserializer)?;
        match word.to_lowercase().as_str() {
            "" | "no" | "false" => Ok(Self::No),
            "yes" | "true" | "safe" => Ok(Self::Safe),
            "dist" | "full" => Ok(Self::Dist),
            _ => Err(serde::de::Error::custom(format!("`upgrade` cannot be `{word}`; write safe, full or no"))),
        }
    }
}

fn keep_configuration() -> Words {
    Words(vec!["force-confdef".into(), "force-confold".into()])
}
fn sixty() -> Number {
    Number(60)
}

/// Records several diffs that one effect makes true together.
fn change_all<T>(cx: &mut Cx, diffs: Vec<Diff>, effect: impl FnOnce(&Writer) -> Result<T>) -> Result<Option<T>> {
    let mut diffs = diffs.into_iter();
    let Some(first) = diffs.next() else { return Ok(None) };
    let done = cx.change(first, effect)?;
    for diff in diffs {
        cx.change(diff, |_| Ok(()))?;
    }
    Ok(done)
}

fn diffs(steps: &[Step]) -> Vec<Diff> {
    let text = |version: &Option<String>| version.clone().unwrap_or_else(|| "absent".into());
    steps.iter().map(|step| Diff::value(&step.name, text(&step.before), text(&step.after))).collect()
}

impl Apt {
    fn apt_get(&self, words: &[&str]) -> Command {
        let mut argv = vec!["apt-get".to_owned(), "-y".into()];
        argv.extend(["-o".into(), format!("DPkg::Lock::Timeout={}", self.lock_timeout.0.max(0))]);
        for option in self.dpkg_options.0.iter().filter(|option| !option.is_empty()) {
            argv.extend(["-o".into(), format!("Dpkg::Options::=--{option}")]);
        }
        if let Some(Flag(recommends)) = self.install_recommends {
            argv.extend(["-o".into(), format!("APT::Install-Recommends={recommends}")]);
        }
        if let Some(Text(release)) = &self.default_release {
            argv.extend(["-t".into(), release.clone()]);
        }
        for (on, option) in [
            (self.allow_unauthenticated.0 || self.force.0, "--allow-unauthenticated"),
            (self.allow_downgrade.0 || self.force.0, "--allow-downgrades"),
            (self.allow_change_held_packages.0 || self.force.0, "--allow-change-held-packages"),
            (self.fail_on_autoremove.0, "--no-remove"),
            (self.only_upgrade.0, "--only-upgrade"),
            (self.purge.0, "--purge"),
        ] {
            argv.extend(on.then(|| option.to_owned()));
        }
        argv.extend(words.iter().map(|word| (*word).to_owned()));
        let mut command = tool(argv);
        for (name, value) in [("DEBIAN_FRONTEND", "noninteractive"), ("DEBIAN_PRIORITY", "critical")] {
            command.environment.insert(name.into(), value.into());
        }
        command
    }

    /// Runs apt-get and waits for others who use apt.
    fn run_apt(&self, writer: &Writer, command: &Command, lines: &dyn Fn(&str)) -> Result<Ended> {
        let deadline = Instant::now() + Duration::from_secs(u64::try_from(self.lock_timeout.0).unwrap_or(0));
        let _policy = self.policy_rc_d.map(|code| policy::set(writer, code.0)).transpose()?;
        loop {
            let ended = writer.run_streaming(command, lines)?;
            if ended.code == 0 {
                return Ok(ended);
            }
            let locked = ended.stderr.contains("Could not get lock") || ended.stderr.contains("Unable to lock");
            if !locked || Instant::now() >= deadline || writer.system().cancelled.load(Ordering::Relaxed) {
                return Err(explain(command, &ended, locked));
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// What apt-get would do.
    fn simulate(&self, cx: &Cx, words: &[&str]) -> Result<Vec<Step>> {
        let words: Vec<&str> = std::iter::once("-s").chain(words.iter().copied()).collect();
        let command = self.apt_get(&words);
        let ended = cx.system.run(&command)?;
        if ended.code == 0 { Ok(simulated(&ended.stdout)) } else { Err(explain(&command, &ended, false)) }
    }

    /// Does what a simulation predicts, if that is anything.
    fn predicted(&self, cx: &mut Cx, words: &[&str]) -> Result<Option<Ended>> {
        let steps = self.simulate(cx, words)?;
        let (command, lines) = (self.apt_get(words), cx.lines());
        change_all(cx, diffs(&steps), |writer| self.run_apt(writer, &command, lines))
    }

    fn packages(cx: &Cx) -> Result<Vec<Package>> {
        Ok(installed(&ask(cx.system, &tool(["dpkg-query", "-W", "-f", FORMAT]))?))
    }

    /// The packages that patterns in `name` stand for.
    fn specs(&self, cx: &Cx) -> Result<Vec<Spec>> {
        let mut specs = Vec::new();
        let mut all = None;
        for text in self.name.0.iter().flat_map(|name| name.split(',')).filter(|text| !text.trim().is_empty()) {
            let spec = Spec::parse(text);
            if spec.name.starts_with('-') {
                return Err(Failure::new(format!("`{text}` is not the name of a package")));
            }
            if !spec.is_pattern() || self.state == State::Absent {
                specs.push(spec);
                continue;
            }
            let names = match &all {
                Some(names) => names,
                None => all.insert(ask(cx.system, &tool(["apt-cache", "pkgnames"]))?),
            };
            let mut found: Vec<_> = names.lines().filter(|name| crate::system::glob::fits(&spec.name, name)).collect();
            if found.is_empty() {
                return Err(Failure::new(format!("no package fits `{text}`")));
            }
            found.sort_unstable();
            specs.extend(found.into_iter().map(|name| Spec { name: name.into(), text: name.into(), ..spec.clone() }));
        }
        Ok(specs)
    }

    fn install(&self, cx: &mut Cx) -> Result<Option<Ended>> {
        let (specs, packages) = (self.specs(cx)?, Self::packages(cx)?);
        let newest = if self.state == State::Latest && !specs.is_empty() {
            let names = specs.iter().map(|spec| spec.name.as_str());
            candidates(&ask(cx.system, &tool(["apt-cache", "policy"].into_iter().chain(names)))?)
        } else {
            Vec::new()
        };
        let mut wanted = Vec::new();
        let mut diffs = Vec::new();
        for spec in specs {
            let found = spec.found(&packages);
            let candidate = newest.iter().find(|(name, _)| *name == spec.name).map(|(_, version)| version);
            let (before, after) = match (found, &spec.version, candidate) {
                (None, ..) if self.only_upgrade.0 => continue,
                (None, version, candidate) => {
                    let after = version.as_ref().or(candidate).map_or("present", String::as_str);
                    ("absent".to_owned(), after.to_owned())
                }
                (Some(found), Some(version), _) if !spec.right_version(found) => {
                    (found.version.clone(), version.clone())
                }
                (Some(found), None, Some(newest)) if found.name == spec.name && found.version != *newest => {
                    (found.version.clone(), newest.clone())
                }
                _ => continue,
            };
            diffs.push(Diff::value(&spec.name, before, after));
            wanted.push(spec.text);
        }
        let words: Vec<&str> = ["install"].into_iter().chain(wanted.iter().map(String::as_str)).collect();
        let (command, lines) = (self.apt_get(&words), cx.lines());
        change_all(cx, diffs, |writer| self.run_apt(writer, &command, lines))
    }

    fn remove(&self, cx: &mut Cx) -> Result<Option<Ended>> {
        let (specs, packages) = (self.specs(cx)?, Self::packages(cx)?);
        let there = |package: &&Package| match package.status.as_str() {
            "not-installed" => false,
            "config-files" => self.purge.0,
            _ => true,
        };
        let found: Vec<String> = packages
            .iter()
            .filter(there)
            .filter(|package| specs.iter().any(|spec| spec.means(package) && spec.right_version(package)))
            .map(|package| format!("{}:{}", package.name, package.architecture))
            // apt does not know `all` as an architecture of a name.
            .map(|name| name.strip_suffix(":all").map(str::to_owned).unwrap_or(name))
            .collect();
        if found.is_empty() {
            return Ok(None);
        }
        let auto = self.autoremove.0.then_some("--auto-remove");
        let words: Vec<&str> = ["remove"].into_iter().chain(auto).chain(found.iter().map(String::as_str)).collect();
        self.predicted(cx, &words)
    }
}

fn explain(command: &Command, ended: &Ended, locked: bool) -> Failure {
    let failure = complaint(command, ended);
    let said = |text| ended.stderr.contains(text);
    if locked {
        failure.help("another program uses apt on this host; wait longer with `lock_timeout`")
    } else if said("Unable to locate package") || said("has no installation candidate") {
        failure.help("is the name right? Get the lists of packages with `update_cache: true`")
    } else if said("are you root?") || said("Permission denied") {
        failure.help("does the task need `become: true`?")
    } else {
        failure
    }
}

impl Module for Apt {
    const NAME: &'static str = "apt";
    const EXAMPLE: &'static str = "\
- apt:
    name: [ca-certificates, jq]
    update_cache: true
    cache_valid_time: 3600";
    const ALIASES: &'static [(&'static str, &'static str)] = &[
        ("package", "name"),
        ("pkg", "name"),
        ("update-cache", "update_cache"),
        ("default-release", "default_release"),
        ("install-recommends", "install_recommends"),
        ("allow-unauthenticated", "allow_unauthenticated"),
        ("allow-downgrade", "allow_downgrade"),
        ("allow_downgrades", "allow_downgrade"),
        ("allow-downgrades", "allow_downgrade"),
    ];
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        if !cx.system.exists(Path::new("/usr/bin/apt-get"))? {
            return Err(Failure::new("there is no apt on this host").help("apt is for Debian and its relatives"));
        }
        let any_name = self.name.0.iter().any(|name| !name.trim().is_empty());
        let cleans = self.autoremove.0 || self.autoclean.0 || self.clean.0;
        let acts =
            any_name || self.deb.is_some() || self.upgrade != Upgrade::No || cleans || self.state == State::Fixed;
        if !acts && !self.update_cache.0 && self.cache_valid_time.0 == 0 {
            return Err(Failure::new("say what to do: `name`, `deb`, `upgrade`, `update_cache` or `autoremove`"));
        }
        let mut done = vec![if self.clean.0 { self.clean(cx)? } else { None }];
        let updated = self.update(cx, !acts)?;
        match self.upgrade {
            Upgrade::No => {}
            Upgrade::Safe => done.push(self.predicted(cx, &["--with-new-pkgs", "upgrade"])?),
            Upgrade::Dist => done.push(self.predicted(cx, &["dist-upgrade"])?),
        }
        if let Some(deb) = &self.deb {
            done.push(self.install_file(cx, deb)?);
        }
        done.push(match self.state {
            State::Fixed => self.predicted(cx, &["--fix-broken", "install"])?,
            _ if !any_name => None,
            State::Present | State::Latest => self.install(cx)?,
            State::Absent => self.remove(cx)?,
            State::BuildDep => {
                let names: Vec<String> = self.specs(cx)?.into_iter().map(|spec| spec.text).collect();
                let words: Vec<&str> = ["build-dep"].into_iter().chain(names.iter().map(String::as_str)).collect();
                self.predicted(cx, &words)?
            }
        });
        if self.autoremove.0 && !(any_name && self.state == State::Absent) {
            done.push(self.predicted(cx, &["autoremove"])?);
        }
        if self.autoclean.0 {
            let text = ask(cx.system, &self.apt_get(&["-s", "autoclean"]))?;
            let gone = text.lines().filter_map(|line| line.strip_prefix("Del ")?.split(' ').next());
            let diffs: Vec<_> = gone.map(|name| Diff::action(format!("remove the downloaded {name}"))).collect();
            let (command, lines) = (self.apt_get(&["autoclean"]), cx.lines());
            done.push(change_all(cx, diffs, |writer| self.run_apt(writer, &command, lines))?);
        }
        let mut output = Map::from_iter([
            ("cache_updated".to_owned(), updated.into()),
            ("cache_update_time".to_owned(), Self::cache_time(cx.system)?.into()),
        ]);
        let done: Vec<Ended> = done.into_iter().flatten().collect();
        if !done.is_empty() {
            let stdout: String = done.iter().map(|ended| ended.stdout.as_str()).collect();
            let stderr: String = done.iter().map(|ended| ended.stderr.as_str()).collect();
            output.insert("stdout_lines".into(), lines(&stdout));
            output.insert("stderr_lines".into(), lines(&stderr));
            output.insert("stdout".into(), stdout.into());
            output.insert("stderr".into(), stderr.into());
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_host_without_apt_is_told_so() {
        assert_eq!(call("apt", json!({"name": "jq"})).unwrap_err().message, "there is no apt on this host");
    }

    #[test]
    fn options_become_arguments() {
        let apt: Apt = serde_json::from_value(json!({
            "install_recommends": "no", "default_release": "sid", "purge": true, "dpkg_options": "force-confnew",
        }))
        .unwrap();
        let argv = apt.apt_get(&["install", "jq"]).argv.join(" ");
        assert_eq!(
            argv,
            "apt-get -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confnew -o APT::Install-Recommends=false \
             -t sid --purge install jq"
        );
    }

    #[test]
    fn upgrade_takes_booleans_and_words() {
        let read = |value| serde_json::from_value::<Upgrade>(value);
        assert_eq!(read(json!(true)).unwrap(), Upgrade::Safe);
        assert_eq!(read(json!("full")).unwrap(), Upgrade::Dist);
        assert_eq!(read(json!("no")).unwrap(), Upgrade::No);
        assert!(read(json!("all")).unwrap_err().to_string().contains("`all`"));
    }
}
