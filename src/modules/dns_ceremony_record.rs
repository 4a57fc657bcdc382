//! `dns_ceremony_record`: the records that an organisation publishes for a ceremony.

use super::loose::{Number, Text};
use super::{Cx, Module, Reach, Result};
use crate::base::{Failure, Value};
use crate::chain::ceremony::txt::{USUAL_PORT, quoted, zone_line};
use crate::chain::ceremony::{Entry, Sheet};
use crate::chain::enode::parse_public_key;
use crate::chain::parse_address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Works out which records an organisation publishes for a ceremony: an A or AAAA record with the node's address, and a TXT
/// record with its port and key, bound to the sheet. Changes nothing and asks nobody; `dns_record` publishes them, or
/// `lines` are pasted into the zone.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct DnsCeremonyRecord {
    /// The sheet, as `dns_ceremony` takes it.
    pub sheet: Value,
    /// Whose records: a name on the sheet.
    pub organisation: Text,
    /// The node's public key: 128 hexadecimal digits.
    pub public_key: String,
    /// The account that seals, if it is not that of the node's key.
    #[serde(default)]
    pub account: Option<String>,
    /// The address at which others reach the node.
    pub address: Text,
    /// The port of devp2p.
    #[serde(default = "usual")]
    pub port: Number,
    /// How long others may keep the records, in seconds.
    #[serde(default = "minute")]
    pub ttl: Number,
}

fn usual() -> Number {
    Number(i64::from(USUAL_PORT))
}
fn minute() -> Number {
    Number(60)
}

/// What `dns_ceremony_record` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The ceremony's id.
    id: String,
    /// The name in DNS.
    fqdn: String,
    /// `A` or `AAAA`.
    address_type: String,
    /// The address.
    address: String,
    /// The text of the TXT record.
    txt: String,
    /// For how long, in seconds.
    ttl: u32,
    /// The lines that a zone file has of it.
    lines: Vec<String>,
}

impl Module for DnsCeremonyRecord {
    const NAME: &'static str = "dns_ceremony_record";
    const EXAMPLE: &'static str = "\
- dns_ceremony_record:
    sheet: \"{{ sheet }}\"
    organisation: alpha
    public_key: \"{{ node.public_key }}\"
    account: \"{{ account.address }}\"
    address: 192.0.2.10
  register: wanted
- debug: {msg: \"{{ wanted.lines }}\"}";
    const REACH: Reach = Reach::Controller;
    type Output = Output;

    fn run(&self, _: &mut Cx) -> Result<Output> {
        let sheet = Sheet::from_value(&self.sheet)?;
        let name = &self.organisation.0;
        let organisation = sheet.by_name(name)?;
        let address: IpAddr = self
            .address
            .0
            .trim()
            .parse()
            .map_err(|_| Failure::new(format!("`address` is `{}`, not an IP address", self.address.0)))?;
        let port = u16::try_from(self.port.0).ok().filter(|port| *port > 0);
        let port = port.ok_or_else(|| Failure::new(format!("`port` is {}, not a port", self.port.0)))?;
        let ttl = u32::try_from(self.ttl.0).map_err(|_| Failure::new(format!("`ttl` is {}", self.ttl.0)))?;
        let key = parse_public_key(&self.public_key).map_err(|failure| failure.context("`public_key`"))?;
        let account = self.account.as_deref().filter(|account| !account.is_empty()).map(parse_address).transpose()?;
        let txt = Entry { port, key, account, ceremony: Some(sheet.id()) }.text();
        let kind = if address.is_ipv4() { "A" } else { "AAAA" };
        let fqdn = organisation.fqdn.clone();
        let lines = vec![
            zone_line(&fqdn, ttl, kind, &address.to_string()),
            zone_line(&fqdn, ttl, "TXT", &quoted(txt.as_bytes())),
        ];
        Ok(Output { id: sheet.id(), fqdn, address_type: kind.into(), address: address.to_string(), txt, ttl, lines })
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call;
    use serde_json::json;

    #[test]
    fn the_lines_of_the_zone_are_bound_to_the_sheet() {
        let key = crate::chain::NodeKey::from_hex(&format!("{:064x}", 1)).unwrap().public_key();
        let args = |organisation: &str, address: &str| {
            json!({
                "sheet": {"ceremony": "x", "template_sha256": "0".repeat(64), "organisations": [{"name": "alpha", "fqdn": "node.alpha.example"}]},
                "organisation": organisation, "public_key": key, "address": address,
            })
        };
        let output = call("dns_ceremony_record", args("alpha", "192.0.2.10")).unwrap();
        let id = output["id"].as_str().unwrap();
        assert_eq!(output["lines"][0], "node.alpha.example. 60 IN A 192.0.2.10");
        assert_eq!(output["lines"][1], format!("node.alpha.example. 60 IN TXT \"p=30303; k={key}; c={id}\""));
        assert_eq!(call("dns_ceremony_record", args("alpha", "2001:db8::1")).unwrap()["address_type"], "AAAA");
        assert!(call("dns_ceremony_record", args("beta", "1.2.3.4")).unwrap_err().message.contains("`beta`"));
        assert!(call("dns_ceremony_record", args("alpha", "x")).unwrap_err().message.contains("not an IP address"));
    }
}
