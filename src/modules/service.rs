//! `service`: `systemd` under the name that does not say so.

use super::loose::{Flag, Number, Text};
use super::systemd::{State, Systemd};
use super::{Cx, Module, Result};
use crate::base::{Failure, Map};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Starts, stops and enables services. Hosts run systemd; what only other service managers know is accepted and not used.
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
}

impl Module for Service {
    const NAME: &'static str = "service";
    const EXAMPLE: &'static str = "\
- service:
    name: geth
    state: restarted";
    const ALIASES: &'static [(&'static str, &'static str)] = &[("args", "arguments")];
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        if self.state.is_none() && self.enabled.is_none() {
            return Err(Failure::new("say what the service shall do: `state` or `enabled`"));
        }
        let unit =
            Systemd { name: Some(self.name.clone()), state: self.state, enabled: self.enabled, ..Systemd::default() };
        unit.run(cx)
    }
}
