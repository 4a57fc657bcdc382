//! `service`: `systemd` under the name that does not say so.

use super::loose::{Flag, Number, Text};
use super::systemd::State;
use super::{Cx, Module, Result, pass_on};
use crate::base::{Failure, Map};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Starts, stops and enables services. Hosts run systemd, and options of `systemd` may be written here, too; what only other
/// service managers know is accepted and not used.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// The service.
    pub name: Text,
    /// Whether it shall run; `restarted` and `reloaded` always do something.
    #[serde(default)]
    pub state: Option<State>,
    /// Whether it shall start at boot.
    #[serde(default)]
    pub enabled: Option<Flag>,
    /// Accepted for Ansible's sake: the service manager is always systemd.
    #[serde(default)]
    pub r#use: Option<String>,
    /// Accepted for Ansible's sake: for service managers that cannot tell whether a service runs.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Accepted for Ansible's sake: for service managers that do not wait.
    #[serde(default)]
    pub sleep: Option<Number>,
    /// Accepted for Ansible's sake: for service managers with runlevels.
    #[serde(default)]
    pub runlevel: Option<Text>,
    /// Accepted for Ansible's sake: systemd takes no arguments for a service.
    #[serde(default)]
    pub arguments: Option<Text>,
    /// What `systemd` gets beside these.
    #[serde(flatten)]
    #[schemars(skip)]
    pub more: Map,
}

impl Module for Service {
    const NAME: &'static str = "service";
    const EXAMPLE: &'static str = "\
- service:
    name: geth
    state: restarted";
    const ALIASES: &'static [(&'static str, &'static str)] = &[("args", "arguments")];
    const PASSES_TO: Option<&'static str> = Some("systemd");
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        if self.state.is_none() && self.enabled.is_none() && self.more.is_empty() {
            return Err(Failure::new("say what the service shall do: `state` or `enabled`"));
        }
        let mut args = self.more.clone();
        args.insert("name".into(), self.name.0.as_str().into());
        for (option, value) in [
            ("state", serde_json::to_value(self.state).unwrap_or_default()),
            ("enabled", self.enabled.map(|enabled| enabled.0).into()),
        ] {
            args.insert(option.into(), value);
        }
        pass_on::<Self>(args, cx)
    }
}
