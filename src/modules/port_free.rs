//! `port_free`: may a service listen on these ports?

use super::loose::{Text, Words};
use super::{Cx, Module, Result};
use crate::base::Failure;
use crate::base::event::Proof;
use crate::system::ports::{Holder, Transport};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Fails if ports that a service is going to listen on are taken by something else, and names it. Changes nothing.
///
/// As root it names the process and its unit, as another user only whose process it is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct PortFree {
    /// A table from the setting that chooses a port, which messages name, to the port: `30303` or `30303/tcp` for TCP,
    /// `30303/udp`, or a list of them.
    pub ports: BTreeMap<String, Words>,
    /// The systemd unit that may hold them already.
    #[serde(default)]
    pub unit: Option<Text>,
}

/// What `port_free` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for PortFree {
    const NAME: &'static str = "port_free";
    const EXAMPLE: &'static str = "\
- port_free:
    ports:
      geth_port: [30303/tcp, 30303/udp]
      rpc_port: 8545
    unit: geth.service";
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let mut taken = Vec::new();
        let mut remedies = Vec::new();
        let mut fine = Vec::new();
        for (setting, ports) in &self.ports {
            for text in &ports.0 {
                let (port, transport) = parse(text)?;
                let name = format!("{port}/{}", transport.word());
                let holders = cx.system.holders(transport, port)?;
                let mut others = holders.iter().filter(|holder| !self.is_ours(holder));
                match others.next() {
                    Some(holder) => {
                        taken.push(format!("port {name} (`{setting}`) is taken by {holder}"));
                        let remedy = format!("{}, or give `{setting}` another number", end_it(holder));
                        if !remedies.contains(&remedy) {
                            remedies.push(remedy);
                        }
                    }
                    None => fine.push(format!("{name} {}", if holders.is_empty() { "free" } else { "ours" })),
                }
            }
        }
        if taken.is_empty() {
            return Ok(Output { proofs: vec![Proof::new("ports", fine.join(", "))] });
        }
        Err(Failure::new(taken.join("; ")).help(remedies.join("; ")))
    }
}

impl PortFree {
    fn is_ours(&self, holder: &Holder) -> bool {
        let unit = holder.process.as_ref().and_then(|process| process.unit.as_deref());
        unit.is_some() && unit == self.unit.as_ref().map(|unit| unit.0.as_str())
    }
}

fn parse(text: &str) -> Result<(u16, Transport)> {
    let (number, transport) = match text.split_once('/') {
        None | Some((_, "tcp")) => (text.trim_end_matches("/tcp"), Transport::Tcp),
        Some((number, "udp")) => (number, Transport::Udp),
        Some(_) => return Err(no_port(text)),
    };
    match number.parse() {
        Ok(port) if port > 0 => Ok((port, transport)),
        _ => Err(no_port(text)),
    }
}

fn no_port(text: &str) -> Failure {
    Failure::new(format!("`{text}` is not a port")).help("write `30303`, `30303/tcp` or `30303/udp`")
}

/// How a user ends whoever holds a port. Stopping its unit could be worse: what was started by hand over ssh is in sshd's.
pub fn end_it(holder: &Holder) -> String {
    match &holder.process {
        Some(process) => format!("`systemctl status {}` on the host tells more of it; end it", process.pid),
        None => "`ss -lntup` as root on the host tells which; end it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call;
    use super::*;
    use serde_json::json;

    #[test]
    fn ports_are_numbers_with_or_without_a_transport() {
        assert_eq!(parse("30303").unwrap(), (30303, Transport::Tcp));
        assert_eq!(parse("30303/tcp").unwrap(), (30303, Transport::Tcp));
        assert_eq!(parse("30303/udp").unwrap(), (30303, Transport::Udp));
    }

    #[test]
    fn what_is_no_port_is_named() {
        for wrong in ["0", "65536", "http", "80/sctp"] {
            let failure = call("port_free", json!({"ports": {"a": wrong}})).unwrap_err();
            assert_eq!(failure.message, format!("`{wrong}` is not a port"));
        }
    }

    #[test]
    fn free_ports_are_told() {
        let output = call("port_free", json!({"ports": {"geth_port": [30303, "30303/udp"]}})).unwrap();
        assert_eq!(output["proofs"][0]["evidence"], "30303/tcp free, 30303/udp free");
    }
}
