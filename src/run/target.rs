//! Where a step runs: which host, over which connection, as which user.

use super::context::{Context, Missing, text, truth};
use crate::base::{Failure, Secret, Value};
use crate::connect::{Become, Kind, Method, Target};
use crate::language::node::Node;
use crate::language::playbook::Keywords;
use crate::language::variables::Variables;
use crate::plan::Entry;
use std::sync::Arc;

/// A connection that a call wants. Equal routes share one agent.
#[derive(Debug, Clone)]
pub struct Route {
    /// Names the connection among all of the run.
    pub key: Arc<str>,
    /// The inventory name of the host it leads to.
    pub host: Arc<str>,
    /// Set if that is not the step's own host.
    pub delegate: Option<String>,
    /// How to open it.
    pub target: Arc<Target>,
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

/// The route of one call.
pub fn route(context: &Context, host: &str, entry: &Entry, vars: &Arc<dyn Variables>) -> Result<Route, Missing> {
    let delegate = context.text(entry.keyword(|keywords| keywords.delegate_to.as_ref()), vars)?;
    let delegate = delegate.filter(|name| name != host);
    let place = match &delegate {
        None => vars.clone(),
        Some(name) => match context.store.host(name, 0) {
            Some(place) => place,
            None => Arc::new(Unlisted { name: name.clone() }),
        },
    };
    let name = delegate.as_deref().unwrap_or(host);
    let asked = |variable: &str| -> Result<Option<String>, Missing> {
        Ok(context.variable(variable, &place)?.as_ref().and_then(text))
    };
    let keyword = |pick: fn(&Keywords) -> Option<&Node>| context.text(entry.keyword(pick), vars);
    let options = &context.options;

    let mut kind = asked("ansible_connection")?;
    if kind.is_none() {
        kind = keyword(|keywords| keywords.connection.as_ref())?.or_else(|| options.connection.clone());
    }
    let address = match asked("ansible_host")? {
        Some(address) => Some(address),
        None => asked("ansible_ssh_host")?,
    };
    let kind = match kind.as_deref() {
        Some("local") => Kind::Local,

        None if matches!(name, "localhost" | "127.0.0.1" | "::1") && address.is_none() => Kind::Local,
        None | Some("ssh" | "smart" | "paramiko" | "paramiko_ssh") => Kind::Ssh,
        Some(other) => {
            return Err(Failure::new(format!("there is no connection `{other}`"))
                .help("write `ssh` or `local`")
                .into());
        }
    };
    let user = match asked("ansible_user")?.or(asked("ansible_ssh_user")?) {
        Some(user) => Some(user),
        None => keyword(|keywords| keywords.remote_user.as_ref())?.or_else(|| options.user.clone()),
    };
    let port = match asked("ansible_port")?.or(asked("ansible_ssh_port")?) {
        Some(port) => Some(port),
        None => keyword(|keywords| keywords.port.as_ref())?,
    };
    let port = port
        .map(|port| port.parse::<u16>().map_err(|_| Failure::new(format!("`{port}` is not a port"))))
        .transpose()?;
    let mut ssh_args = Vec::new();
    let common = asked("ansible_ssh_common_args")?.or_else(|| options.ssh_args.clone());
    for args in [common, asked("ansible_ssh_extra_args")?].into_iter().flatten() {
        let words = shlex::split(&args)
            .ok_or_else(|| Failure::new(format!("the ssh arguments `{args}` have an open quote")))?;
        ssh_args.extend(words);
    }
    let private_key = asked("ansible_ssh_private_key_file")?
        .or(asked("ansible_private_key_file")?)
        .or_else(|| options.private_key.as_ref().map(|path| path.display().to_string()));
    let timeout = match asked("ansible_timeout")? {
        Some(seconds) => {
            seconds.parse().map_err(|_| Failure::new(format!("`ansible_timeout: {seconds}` is not a number")))?
        }
        None => options.timeout,
    };
    let r#become = become_of(context, entry, vars, &place)?;
    let target = Target {
        host: name.to_owned(),
        address,
        port,
        user,
        private_key,
        ssh_args,
        timeout,
        connection: kind,
        r#become,
        persist: options.persist,
        control_dir: None,
        agent: context.agent.clone(),
    };
    let who = target.r#become.as_ref().map_or("", |r#become| r#become.user.as_str());
    let key = format!(
        "{name}\0{:?}\0{:?}\0{:?}\0{:?}\0{:?}\0{who}",
        target.connection, target.address, target.port, target.user, target.ssh_args
    );
    Ok(Route { key: key.into(), host: name.into(), delegate, target: Arc::new(target) })
}

fn become_of(
    context: &Context,
    entry: &Entry,
    vars: &Arc<dyn Variables>,
    place: &Arc<dyn Variables>,
) -> Result<Option<Become>, Missing> {
    let asked = |variable: &str| context.variable(variable, place);
    let keyword = |pick: fn(&Keywords) -> Option<&Node>| context.text(entry.keyword(pick), vars);
    let wanted = match asked("ansible_become")?.as_ref().and_then(truth) {
        Some(wanted) => wanted,
        None => context
            .flag(entry.keyword(|keywords| keywords.r#become.as_ref()), vars)?
            .unwrap_or(context.options.r#become),
    };
    if !wanted {
        return Ok(None);
    }
    let one = |variable: &str, or: Option<String>| -> Result<Option<String>, Missing> {
        Ok(asked(variable)?.as_ref().and_then(text).or(or))
    };
    let user = one("ansible_become_user", keyword(|keywords| keywords.become_user.as_ref())?)?
        .or_else(|| context.options.become_user.clone())
        .unwrap_or_else(|| "root".into());
    let method = one("ansible_become_method", keyword(|keywords| keywords.become_method.as_ref())?)?;
    let method = match method.as_deref() {
        None | Some("sudo" | "ansible.builtin.sudo") => Method::Sudo,
        Some("su" | "ansible.builtin.su") => Method::Su,
        Some(other) => {
            return Err(Failure::new(format!("`become_method: {other}` is not supported"))
                .help("write `sudo` or `su`")
                .into());
        }
    };
    let exe = one("ansible_become_exe", keyword(|keywords| keywords.become_exe.as_ref())?)?;
    let flags = one("ansible_become_flags", keyword(|keywords| keywords.become_flags.as_ref())?)?;
    let password = match asked("ansible_become_password")?.or(asked("ansible_become_pass")?) {
        Some(Value::String(password)) => Some(Secret::new(password)),
        Some(other) => Some(Secret::new(other.to_string())),
        None => context.options.become_password.clone(),
    };
    Ok(Some(Become { user, method, exe, flags, password }))
}

/// A delegate that no inventory names: its name is its address.
#[derive(Debug)]
struct Unlisted {
    name: String,
}

impl Variables for Unlisted {
    fn get(&self, name: &str) -> crate::language::variables::Found {
        use crate::language::variables::Found;
        match name {
            "inventory_hostname" => Found::Value(Arc::new(self.name.as_str().into())),
            _ => Found::Missing,
        }
    }
    fn names(&self) -> Vec<String> {
        vec!["inventory_hostname".into()]
    }
    fn host(&self, _: &str) -> Option<Arc<dyn Variables>> {
        None
    }
    fn hosts(&self) -> Vec<String> {
        vec![]
    }
    fn folders(&self) -> Vec<std::path::PathBuf> {
        vec![]
    }
}
