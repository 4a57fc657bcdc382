//! `systemd`: units run, are enabled, are masked, or not.

use super::loose::{Flag, Text};
use super::program::{ask, complaint, must, tool};
use super::{Cx, Module, Result};
use crate::base::{Diff, Failure, Map, Value};
use crate::system::{Command, System};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Starts, stops, enables and masks units of systemd.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Systemd {
    /// The unit: `geth`, `geth.service`, `node@1`, `backup.timer`.
    #[serde(default)]
    pub name: Option<Text>,
    /// Whether it shall run; `restarted` and `reloaded` always do something.
    #[serde(default)]
    pub state: Option<State>,
    /// Whether it shall start at boot.
    #[serde(default)]
    pub enabled: Option<Flag>,
    /// Whether it shall be impossible to start.
    #[serde(default)]
    pub masked: Option<Flag>,
    /// Let systemd read its unit files anew first.
    #[serde(default)]
    pub daemon_reload: Flag,
    /// Let systemd start itself anew first.
    #[serde(default)]
    pub daemon_reexec: Flag,
    /// Override links that are in the way of `enabled` or `masked`.
    #[serde(default)]
    pub force: Flag,
    /// Do not wait until the unit has started or stopped.
    #[serde(default)]
    pub no_block: Flag,
    /// Whose units: the host's, or with `become_user` those of a user who is logged in or lingers.
    #[serde(default)]
    pub scope: Scope,
}

/// What a unit shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Run.
    Started,
    /// Not run.
    Stopped,
    /// Stop, if it runs, and start.
    Restarted,
    /// Read its configuration anew, or start.
    Reloaded,
}

/// Whose units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The host's.
    #[default]
    System,
    /// The user's as whom the task runs.
    User,
    /// Every user's: refused, since systemd does not tell how they are.
    Global,
}

impl Scope {
    /// A command line for systemd.
    fn tool<'a>(self, program: &'a str, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = tool([program].into_iter().chain((self == Self::User).then_some("--user")).chain(words));
        if self == Self::User && std::env::var_os("XDG_RUNTIME_DIR").is_none() {
            // What a login would have set: there the user's systemd is asked.
            let folder = format!("/run/user/{}", rustix::process::geteuid().as_raw());
            command.environment.insert("XDG_RUNTIME_DIR".into(), folder);
        }
        command
    }
}

/// What `systemctl show` says of a unit: a property a line, values may hold `=`.
fn properties(text: &str) -> Map {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect()
}

/// A unit as it is.
struct Unit {
    name: String,
    scope: Scope,
    status: Map,
}

impl Unit {
    fn look(system: &System, name: &str, scope: Scope) -> Result<Self> {
        let text = ask(system, &scope.tool("systemctl", ["show", "--no-pager", "--", name]))?;
        Ok(Self { name: name.to_owned(), scope, status: properties(&text) })
    }

    fn get(&self, property: &str) -> &str {
        self.status.get(property).and_then(Value::as_str).unwrap_or_default()
    }

    fn found(&self) -> bool {
        // A unit without a file may still exist: a device, a mount, a scope that runs.
        !matches!(self.get("LoadState"), "not-found" | "") || self.running()
    }

    fn masked(&self) -> bool {
        self.get("LoadState") == "masked" || self.get("UnitFileState").starts_with("masked")
    }

    fn running(&self) -> bool {
        matches!(self.get("ActiveState"), "active" | "activating" | "reloading")
    }

    fn stopped(&self) -> bool {
        matches!(self.get("ActiveState"), "inactive" | "failed" | "")
    }

    /// `None`: being enabled means nothing for it, since nothing would have it started (`static`).
    fn enabled(&self, system: &System) -> Result<Option<bool>> {
        Ok(match self.get("UnitFileState") {
            "enabled" | "enabled-runtime" => Some(true),
            "static" => None,
            // Scripts of System V, and instances whose template alone has a file.
            "" | "generated" | "transient" if self.found() => {
                let ended = system.run(&self.scope.tool("systemctl", ["is-enabled", "--", &self.name]))?;
                Some(ended.code == 0 && !matches!(ended.stdout.trim(), "indirect" | "alias"))
            }
            _ => Some(false),
        })
    }
}

impl Systemd {
    fn act(&self, cx: &mut Cx, unit: &str, diff: Diff, verb: &str) -> Result<()> {
        let options = [(self.force.0 && verb != "start", "--force"), (self.no_block.0, "--no-block")];
        let managing = matches!(verb, "enable" | "disable" | "mask" | "unmask");
        let options = options.iter().filter(|(on, option)| *on && (*option == "--force") == managing);
        let words = [verb].into_iter().chain(options.map(|(_, option)| *option)).chain(["--", unit]);
        let command = self.scope.tool("systemctl", words);
        cx.change(diff, |writer| {
            let ended = writer.run(&command)?;
            if ended.code == 0 {
                return Ok(());
            }
            let failure = complaint(&command, &ended).context(format!("cannot {verb} {unit}"));
            Err(match last_words(writer.system(), unit, self.scope) {
                Some(log) if !managing => failure.help(format!("the last lines of its log:\n{log}")),
                _ => failure,
            })
        })?;
        Ok(())
    }

    fn enable(&self, cx: &mut Cx, unit: &Unit) -> Result<()> {
        let Some(Flag(wanted)) = self.enabled else { return Ok(()) };
        let word = |enabled: bool| if enabled { "enabled" } else { "disabled" };
        match unit.enabled(cx.system)? {
            Some(enabled) if enabled != wanted => {
                let verb = if wanted { "enable" } else { "disable" };
                self.act(cx, &unit.name, Diff::value("enabled", word(enabled), word(wanted)), verb)
            }
            _ => Ok(()),
        }
    }

    fn mask(&self, cx: &mut Cx, unit: &Unit) -> Result<()> {
        let Some(Flag(wanted)) = self.masked else { return Ok(()) };
        let masked = unit.masked();
        if masked == wanted {
            return Ok(());
        }
        let word = |masked: bool| if masked { "masked" } else { "unmasked" };
        self.act(
            cx,
            &unit.name,
            Diff::value("masked", word(masked), word(wanted)),
            if wanted { "mask" } else { "unmask" },
        )
    }

    fn drive(&self, cx: &mut Cx, unit: &Unit) -> Result<()> {
        let name = &unit.name;
        let now = if unit.found() { unit.get("ActiveState") } else { "absent" };
        match self.state {
            Some(State::Started) if !unit.running() => {
                self.act(cx, name, Diff::value("state", now, "started"), "start")
            }
            Some(State::Stopped) if !unit.stopped() => self.act(cx, name, Diff::value("state", now, "stopped"), "stop"),
            Some(State::Reloaded) if unit.running() => {
                self.act(cx, name, Diff::action(format!("reload {name}")), "reload")
            }
            Some(State::Reloaded) => self.act(cx, name, Diff::value("state", now, "started"), "start"),
            Some(State::Restarted) => self.act(cx, name, Diff::action(format!("restart {name}")), "restart"),
            Some(State::Started | State::Stopped) | None => Ok(()),
        }
    }
}

/// What a unit that failed said last; it is what everybody looks at next.
fn last_words(system: &System, unit: &str, scope: Scope) -> Option<String> {
    let command = scope.tool("journalctl", ["--no-pager", "-q", "-n", "5", "-o", "cat", "-u", unit]);
    let ended = system.run(&command).ok()?;
    let text = ended.stdout.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

impl Module for Systemd {
    const NAME: &'static str = "systemd";
    const ALSO: &'static [&'static str] = &["systemd_service"];
    const EXAMPLE: &'static str = "\
- systemd:
    name: geth
    state: started
    enabled: true
    daemon_reload: true";
    const ALIASES: &'static [(&'static str, &'static str)] = &[
        ("service", "name"),
        ("unit", "name"),
        ("daemon-reload", "daemon_reload"),
        ("daemon-reexec", "daemon_reexec"),
    ];
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        if self.scope == Scope::Global {
            return Err(Failure::new("units of all users cannot be managed: systemd does not tell how they are")
                .help("write `command: systemctl --global enable UNIT`, with `creates` the link that it makes"));
        }
        if !cx.system.exists(Path::new("/run/systemd/system"))? {
            return Err(Failure::new("systemd does not run on this host"));
        }
        // Not a change: afterwards systemd knows what its files say, which it would have to read at some time anyway.
        for (wanted, verb) in [(self.daemon_reexec, "daemon-reexec"), (self.daemon_reload, "daemon-reload")] {
            if wanted.0 && !cx.check {
                must(&cx.system.writer(), &self.scope.tool("systemctl", [verb]))?;
            }
        }
        let Some(Text(name)) = &self.name else {
            if self.state.is_some() || self.enabled.is_some() || self.masked.is_some() {
                return Err(Failure::new("say which unit in `name`"));
            }
            return Ok(Map::new());
        };
        if name.contains(['*', '?']) {
            return Err(Failure::new(format!("`{name}` is a pattern; name one unit")));
        }
        let unit = Unit::look(cx.system, name, self.scope)?;
        let acts = self.state.is_some() || self.enabled.is_some();
        // In check mode an earlier task may only have predicted the unit's file.
        if acts && !unit.found() && !cx.check && (self.state, self.enabled) != (Some(State::Stopped), None) {
            return Err(Failure::new(format!("there is no unit `{name}` on this host"))
                .help("install its unit file in an earlier task, and set `daemon_reload: true` after it"));
        }
        self.mask(cx, &unit)?;
        self.enable(cx, &unit)?;
        self.drive(cx, &unit)?;
        let mut output = Map::from_iter([("name".to_owned(), name.as_str().into())]);
        if let Some(state) = self.state {
            output.insert("state".into(), if state == State::Stopped { "stopped" } else { "started" }.into());
        }
        if let Some(enabled) = self.enabled {
            output.insert("enabled".into(), enabled.0.into());
        }
        output.insert("status".into(), Value::Object(unit.status));
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str) -> Unit {
        Unit { name: "geth".into(), scope: Scope::System, status: properties(text) }
    }

    #[test]
    fn properties_keep_what_stands_behind_the_first_equals_sign() {
        let status = properties("ActiveState=active\nExecStart={ path=/usr/bin/geth ; argv[]=geth --a=b }\nEmpty=\n");
        assert_eq!(status["ExecStart"], "{ path=/usr/bin/geth ; argv[]=geth --a=b }");
        assert_eq!(status["Empty"], "");
    }

    #[test]
    fn a_units_state_is_read_from_its_properties() {
        let running = unit("LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n");
        assert!(running.found() && running.running() && !running.stopped() && !running.masked());
        let missing = unit("LoadState=not-found\nActiveState=inactive\nUnitFileState=\n");
        assert!(!missing.found() && missing.stopped());
        let masked = unit("LoadState=masked\nActiveState=inactive\nUnitFileState=masked\n");
        assert!(masked.masked() && masked.found());
        let failed = unit("LoadState=loaded\nActiveState=failed\nUnitFileState=disabled\n");
        assert!(failed.stopped() && !failed.running());
    }

    #[test]
    fn a_users_units_are_asked_for_where_a_login_would() {
        let command = Scope::User.tool("systemctl", ["show", "--", "node"]);
        assert_eq!(command.argv.join(" "), "systemctl --user show -- node");
        let set = std::env::var_os("XDG_RUNTIME_DIR").is_some();
        assert!(set || command.environment["XDG_RUNTIME_DIR"].starts_with("/run/user/"));
        assert_eq!(Scope::System.tool("systemctl", ["x"]).argv, ["systemctl", "x"]);
    }

    #[test]
    fn enabling_means_nothing_to_a_static_unit() {
        let system = System::new("/nonexistent");
        assert_eq!(unit("LoadState=loaded\nUnitFileState=static\n").enabled(&system).unwrap(), None);
        assert_eq!(unit("LoadState=loaded\nUnitFileState=enabled\n").enabled(&system).unwrap(), Some(true));
        assert_eq!(unit("LoadState=loaded\nUnitFileState=indirect\n").enabled(&system).unwrap(), Some(false));
        assert_eq!(unit("LoadState=not-found\nUnitFileState=\n").enabled(&system).unwrap(), Some(false));
    }
}
