//! `dns_record`: a record in a zone, changed by dynamic update.

use super::loose::{Number, Text};
use super::{Cx, Module, Result};
use crate::base::{Diff, Failure};
use crate::chain::ceremony::sheet::parse_fqdn;
use crate::chain::ceremony::txt::{quoted, zone_line};
use crate::system::dns::tsig::Key;
use crate::system::dns::update::{Kind, Primary, Set};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

/// Keeps the A, AAAA or TXT records of one name as they should be, by dynamic update (RFC 2136) of the zone's primary server,
/// signed with TSIG. What is there is read from that server first; only what differs is changed, in one step.
///
/// `value` is all that the name has of this type. TTL and values are compared; the order is not.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct DnsRecord {
    /// The full name: `node.alpha.example`.
    pub record: Text,
    /// `A`, `AAAA` or `TXT`.
    #[serde(default = "a", rename = "type")]
    pub kind: Text,
    /// The addresses or texts: one, or a list. A text is written as it is, without quotes or escapes; one of more than 255
    /// bytes becomes several strings. A list is one record each.
    #[serde(default)]
    pub value: Option<Values>,
    /// How long others may keep it, in seconds.
    #[serde(default = "hour")]
    pub ttl: Number,
    /// Whether the name has these records, or none of this type.
    #[serde(default)]
    pub state: State,
    /// The zone. Without it the server is asked which of its zones has the name.
    #[serde(default)]
    pub zone: Option<Text>,
    /// The zone's primary server: a name or an address.
    pub server: Text,
    /// Its port.
    #[serde(default = "domain")]
    pub port: Number,
    /// The TSIG key's file on the host: of `tsig-keygen`, of `keymgr -t`, one line `hmac-sha256:NAME:SECRET`, or the secret
    /// alone.
    pub key_file: String,
    /// The key's name, if the file does not say it.
    #[serde(default)]
    pub key_name: Option<Text>,
    /// `hmac-sha256`, `hmac-sha384` or `hmac-sha512`, if the file does not say it.
    #[serde(default)]
    pub key_algorithm: Option<Text>,
    /// How long to wait for each answer, in seconds.
    #[serde(default = "ten")]
    pub timeout: Number,
}

/// Whether there are records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The name has `value`.
    #[default]
    Present,
    /// The name has no record of this type.
    Absent,
}

/// One value or several. Unlike other lists, a text is one value, whatever commas and spaces it has.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Values {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

fn a() -> Text {
    Text("A".into())
}
fn hour() -> Number {
    Number(3600)
}
fn domain() -> Number {
    Number(53)
}
fn ten() -> Number {
    Number(10)
}

/// What `dns_record` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The name.
    record: String,
    /// The type.
    #[serde(rename = "type")]
    kind: String,
    /// The zone that has it.
    zone: String,
    /// The lines that a zone file would have.
    lines: Vec<String>,
}

impl Module for DnsRecord {
    const NAME: &'static str = "dns_record";
    const EXAMPLE: &'static str = "\
- dns_record:
    record: node.alpha.example
    type: A
    value: 192.0.2.10
    ttl: 60
    server: ns.alpha.example
    key_file: /etc/alpha/tsig.key

- dns_record:
    record: node.alpha.example
    type: TXT
    value: \"p=30303; k={{ node.public_key }}\"
    ttl: 60
    server: 192.0.2.53
    key_file: /etc/alpha/tsig.key

- dns_record: {record: old.alpha.example, type: AAAA, state: absent, server: 192.0.2.53, key_file: /etc/alpha/tsig.key}";
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let name = parse_fqdn(&self.record.0).map_err(|failure| failure.context("`record`"))?;
        let kind = parse_kind(&self.kind.0)?;
        let ttl = u32::try_from(self.ttl.0)
            .ok()
            .filter(|ttl| *ttl <= 0x7fff_ffff)
            .ok_or_else(|| Failure::new(format!("`ttl` is {}, not a number of seconds", self.ttl.0)))?;
        let wanted = self.wanted(kind, ttl)?;
        let key = self.key(cx)?;
        let primary = Primary {
            system: cx.system,
            server: &self.server.0,
            port: port(self.port)?,
            key: &key,
            timeout: Duration::from_secs(u64::try_from(self.timeout.0).unwrap_or(0).max(1)),
        };
        let zone = match self.zone.as_ref().filter(|zone| !zone.0.is_empty()) {
            Some(zone) => zone.0.trim_end_matches('.').to_ascii_lowercase(),
            None => primary.zone_of(&name)?,
        };
        let there = primary.read(&name, kind)?;
        if there != wanted {
            let diff =
                Diff::text(format!("{name} {}", self.word()), shown(&name, kind, &there), shown(&name, kind, &wanted));
            cx.change(diff, |_| primary.write(&zone, &name, kind, ttl, &wanted.values))?;
            if !cx.check && primary.read(&name, kind)? != wanted {
                return Err(Failure::new(format!(
                    "{} accepted the change of {name}, but does not show it",
                    self.server.0
                ))
                .help("is it the zone's primary server, and does nothing else change the zone?"));
            }
        }
        Ok(Output { kind: self.word(), zone, lines: lines(&name, kind, &wanted), record: name })
    }
}

impl DnsRecord {
    fn word(&self) -> String {
        self.kind.0.trim().to_ascii_uppercase()
    }

    fn key(&self, cx: &Cx) -> Result<Key> {
        let name = self.key_name.as_ref().map(|name| name.0.as_str());
        let algorithm = self.key_algorithm.as_ref().map(|algorithm| algorithm.0.as_str());
        let text = zeroize::Zeroizing::new(cx.system.read_text(Path::new(&self.key_file))?);
        Key::read(&text, name, algorithm).map_err(|failure| failure.context(&self.key_file))
    }

    fn wanted(&self, kind: Kind, ttl: u32) -> Result<Set> {
        let given = match &self.value {
            None => Vec::new(),
            Some(Values::One(value)) => vec![value.clone()],
            Some(Values::Many(values)) => values.clone(),
        };
        match self.state {
            State::Absent => Ok(Set::default()),
            State::Present if given.is_empty() => {
                Err(Failure::new("`value` is missing").help("say what the name has, or `state: absent`"))
            }
            State::Present => {
                let values: Result<BTreeSet<Vec<u8>>> = given.iter().map(|value| normal(kind, value)).collect();
                Ok(Set { ttl: Some(ttl), values: values? })
            }
        }
    }
}

fn parse_kind(text: &str) -> Result<Kind> {
    match text.trim().to_ascii_uppercase().as_str() {
        "A" => Ok(Kind::A),
        "AAAA" => Ok(Kind::Aaaa),
        "TXT" => Ok(Kind::Txt),
        _ => Err(Failure::new(format!("`type` is `{text}`")).help("write A, AAAA or TXT")),
    }
}

fn port(number: Number) -> Result<u16> {
    let port = u16::try_from(number.0).ok().filter(|port| *port > 0);
    port.ok_or_else(|| Failure::new(format!("`port` is {}, not a port", number.0)))
}

/// A value in the one form in which it is compared.
fn normal(kind: Kind, value: &str) -> Result<Vec<u8>> {
    let wrong = |what: &str| Failure::new(format!("`{value}` is not an {what} address"));
    Ok(match kind {
        Kind::A => value.trim().parse::<Ipv4Addr>().map_err(|_| wrong("IPv4"))?.to_string().into_bytes(),
        Kind::Aaaa => value.trim().parse::<Ipv6Addr>().map_err(|_| wrong("IPv6"))?.to_string().into_bytes(),
        Kind::Txt if value.len() > 60_000 => return Err(Failure::new("this text is longer than a TXT record can be")),
        Kind::Txt => value.as_bytes().to_vec(),
    })
}

fn lines(name: &str, kind: Kind, set: &Set) -> Vec<String> {
    let ttl = set.ttl.unwrap_or_default();
    let line = |value: &Vec<u8>| match kind {
        Kind::A => zone_line(name, ttl, "A", &String::from_utf8_lossy(value)),
        Kind::Aaaa => zone_line(name, ttl, "AAAA", &String::from_utf8_lossy(value)),
        Kind::Txt => zone_line(name, ttl, "TXT", &quoted(value)),
    };
    set.values.iter().map(line).collect()
}

fn shown(name: &str, kind: Kind, set: &Set) -> Option<String> {
    let lines = lines(name, kind, set);
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call_on;
    use super::*;
    use crate::system::System;
    use serde_json::{Value, json};

    fn refused(change: Value) -> String {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("key"), "hmac-sha256:k:c2VjcmV0").unwrap();
        let mut args = json!({"record": "node.alpha.example", "value": "10.0.0.1", "server": "127.0.0.1", "port": 1, "key_file": "/key"});
        for (name, value) in change.as_object().unwrap() {
            args[name] = value.clone();
        }
        call_on(&System::new(root.path()), "dns_record", args, true).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_a_record_is_refused_before_anything_is_asked() {
        for (change, reason) in [
            (json!({"record": "node"}), "`record`: `node` is not a full name"),
            (json!({"type": "MX"}), "`type` is `MX`"),
            (json!({"value": "10.0.0.256"}), "not an IPv4 address"),
            (json!({"type": "AAAA"}), "not an IPv6 address"),
            (json!({"value": []}), "`value` is missing"),
            (json!({"ttl": -1}), "`ttl` is -1"),
            (json!({"port": 0}), "`port` is 0"),
            (json!({"key_file": "/nothing"}), "/nothing"),
            (json!({"key_algorithm": "hmac-md5"}), "/key: the algorithm `hmac-md5`"),
        ] {
            let failure = refused(change);
            assert!(failure.contains(reason), "{failure}");
            assert!(!failure.contains("c2Vj"));
        }
        assert!(refused(json!({})).contains("DNS server 127.0.0.1 port 1"));
    }

    #[test]
    fn a_diff_shows_the_lines_of_a_zone_file() {
        let values = BTreeSet::from([b"p=30303; k=\"x\"".to_vec()]);
        let set = Set { ttl: Some(60), values };
        assert_eq!(
            shown("node.alpha.example", Kind::Txt, &set).unwrap(),
            "node.alpha.example. 60 IN TXT \"p=30303; k=\\\"x\\\"\"\n"
        );
        assert_eq!(shown("a.b", Kind::A, &Set::default()), None);
        assert_eq!(normal(Kind::Aaaa, "2001:DB8:0::1").unwrap(), b"2001:db8::1");
    }
}
