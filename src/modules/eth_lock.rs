//! `eth_lock`: one run at a time on a network.

use super::{Controller, Cx, Module, Result, eth};
use crate::base::Failure;
use crate::system::{Hold, System};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Takes the network's lock on the host for the rest of this run, or fails and says who holds it since when.
///
/// The lock is held by the agent on the host: it ends with the run, however the run ends; if the controller dies or is cut off, within
/// a minute. Take it on every sealer before anything is changed: then two runs from two machines exclude each other.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthLock {
    /// The network's name.
    pub network: String,
    /// The folder of the lock file.
    #[serde(default = "folder")]
    pub folder: String,
    /// What others are told of us. Default: user, machine, process and time.
    #[serde(default)]
    pub holder: Option<String>,
}

fn folder() -> String {
    "/run/chainwright".into()
}

/// What `eth_lock` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The lock file.
    path: String,
    /// What others are told of us.
    holder: String,
}

impl Module for EthLock {
    const NAME: &'static str = "eth_lock";
    const EXAMPLE: &'static str = "\
- eth_lock:
    network: \"{{ network.name }}\"";
    type Output = Output;

    fn prepare(mut self, _: &dyn Controller) -> Result<Self> {
        if self.holder.is_none() {
            let user = System::new("/").user_name(rustix::process::getuid().as_raw())?;
            let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
            let pid = rustix::process::getpid().as_raw_nonzero();
            let time = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%SZ");
            self.holder = Some(format!("{user}@{machine}, process {pid}, since {time}"));
        }
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let name = &self.network;
        if name.is_empty()
            || !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            || name.starts_with('.')
        {
            return Err(Failure::new(format!("`{name}` is not a name for a network"))
                .help("use letters, digits, `.`, `_`, `-`"));
        }
        let path = PathBuf::from(&self.folder).join(format!("{name}.lock"));
        let holder = self.holder.clone().unwrap_or_else(|| format!("somebody, since {}", eth::now()));
        match cx.system.hold(&path, &holder)? {
            Hold::Held => Ok(Output { path: path.display().to_string(), holder }),
            Hold::By(other) => {
                let other = if other.trim().is_empty() { "another run".to_owned() } else { other.trim().to_owned() };
                Err(Failure::new(format!("the network {name} is held by {other}"))
                    .help("wait until that run has ended; a run that died lets go within a minute")
                    .with("holder", other))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::modules::eth_tests::{Host, outcome};
    use crate::system::System;
    use serde_json::json;

    #[test]
    fn a_second_run_is_told_who_holds_the_network() {
        let mut host = Host::new();
        let args = |holder: &str| json!({"network": "demo", "holder": holder});
        let first = host.system.clone();
        outcome(&host, "eth_lock", &args("alice@laptop since 10:00"), false).unwrap();
        outcome(&host, "eth_lock", &args("alice@laptop since 10:00"), false).unwrap();
        host.system = System::new(host.path());
        let failure = outcome(&host, "eth_lock", &args("bob"), false).unwrap_err();
        assert_eq!(failure.message, "the network demo is held by alice@laptop since 10:00");
        drop(first);
        outcome(&host, "eth_lock", &args("bob"), false).unwrap();
    }

    #[test]
    fn a_name_does_not_lead_out_of_the_folder() {
        assert!(outcome(&Host::new(), "eth_lock", &json!({"network": "../etc/x"}), false).is_err());
    }
}
