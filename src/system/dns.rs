//! DNS from a host: names resolved with DNSSEC validated here, and records changed by dynamic update.
//!
//! A resolver is only a way to the records. What it says of them (its AD bit) is not looked at: each record's signatures
//! are followed to a trust anchor by this process. The resolver is asked not to hold back what it finds wrong (the CD bit),
//! so that the reason can be told.

mod forward;
mod signed;
#[cfg(test)]
mod signed_world;
pub mod tsig;
pub mod update;
mod why;

use crate::base::{Failure, failure::Result};
use forward::Forward;
use hickory_net::dnssec::DnssecDnsHandle;
use hickory_net::proto::dnssec::{Proof, TrustAnchors};
use hickory_net::proto::op::{DnsRequestOptions, DnsResponse, Query, ResponseCode};
use hickory_net::proto::rr::{Name, RData, Record, RecordType};
use hickory_net::xfer::{DnsHandle, FirstAnswer};
use hickory_net::{DnsError, NetError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// What a name has of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// Records, each with a valid chain of signatures from the trust anchor.
    Secure {
        /// In ascending order, none twice.
        records: Vec<T>,
        /// When they were signed, in seconds since 1970: the newest inception of a signature that holds.
        signed: u32,
    },
    /// There is none.
    Missing {
        /// Whether a signed record proves it. Somebody on the way can take records out, but cannot prove that.
        proven: bool,
    },
    /// There are records, but it is proven that their zone is not signed.
    Insecure,
    /// There are records, and they are not what their zone signed; the reason.
    Bogus(String),
    /// The name is an alias of this one.
    Alias(String),
    /// No resolver gave an answer; the reason.
    Unanswered(String),
}

impl<T> Found<T> {
    fn map<U: Ord>(self, convert: impl Fn(T) -> Option<U>) -> Found<U> {
        match self {
            Self::Secure { records, signed } => {
                let mut records: Vec<U> = records.into_iter().filter_map(convert).collect();
                records.sort();
                records.dedup();
                Found::Secure { records, signed }
            }
            Self::Missing { proven } => Found::Missing { proven },
            Self::Insecure => Found::Insecure,
            Self::Bogus(why) => Found::Bogus(why),
            Self::Alias(target) => Found::Alias(target),
            Self::Unanswered(why) => Found::Unanswered(why),
        }
    }
}

/// Resolves and validates.
pub struct Resolver {
    runtime: tokio::runtime::Runtime,
    forward: Forward,
    anchors: Arc<TrustAnchors>,
}

type Validator = DnssecDnsHandle<Forward>;

impl Resolver {
    /// Asks these servers, the first that answers counts. `anchors` is the text of a file of DNSKEY records, which stand
    /// in place of the root's own. `timeout` is for each server.
    pub fn new(servers: &[SocketAddr], anchors: Option<&str>, timeout: Duration) -> Result<Self> {
        if servers.is_empty() {
            return Err(Failure::new("no resolver is configured")
                .help("name one or more, as 10.0.0.53 or 10.0.0.53:5353; or /etc/resolv.conf on the host does"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("cannot wait for DNS: {error}")))?;
        let anchors = anchors.map(trust_anchors).transpose()?.unwrap_or_default();
        Ok(Self { runtime, forward: Forward { servers: servers.into(), timeout }, anchors: Arc::new(anchors) })
    }

    /// The A records of a name.
    pub fn v4(&self, name: &str) -> Found<Ipv4Addr> {
        self.look(name, RecordType::A).map(|data| match data {
            RData::A(address) => Some(address.0),
            _ => None,
        })
    }

    /// The AAAA records of a name.
    pub fn v6(&self, name: &str) -> Found<Ipv6Addr> {
        self.look(name, RecordType::AAAA).map(|data| match data {
            RData::AAAA(address) => Some(address.0),
            _ => None,
        })
    }

    /// The TXT records of a name, each a list of strings.
    pub fn txt(&self, name: &str) -> Found<Vec<Vec<u8>>> {
        self.look(name, RecordType::TXT).map(|data| match data {
            RData::TXT(text) => Some(text.txt_data.iter().map(|string| string.to_vec()).collect()),
            _ => None,
        })
    }

    fn look(&self, name: &str, kind: RecordType) -> Found<RData> {
        let Ok(mut name) = Name::from_ascii(name) else {
            return Found::Unanswered(format!("`{name}` is not a name in DNS"));
        };
        name.set_fqdn(true);
        // The validator's cache finds verdicts by a hash for which others can be made that collide: it gets no room.
        let validator: Validator =
            DnssecDnsHandle::with_trust_anchor(self.forward.clone(), self.anchors.clone()).validation_cache_size(0);
        self.runtime.block_on(async {
            match ask(&validator, &name, kind).await {
                Ok(answer) => classify(&validator, &name, kind, answer).await,
                Err(why) => Found::Unanswered(why),
            }
        })
    }
}

/// What a validator makes of a question.
struct Answer {
    message: DnsResponse,
    denial: Denial,
}

/// What a validator found of a proof that there is no such record, or that none stands before a wildcard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Denial {
    /// Signed, and it proves that.
    Proven,
    /// There is none.
    Unproven,
    /// It would have been needed, and does not hold.
    Refused,
}

async fn ask(validator: &Validator, name: &Name, kind: RecordType) -> Result<Answer, String> {
    let query = Query::query(name.clone(), kind);
    match validator.lookup(query, DnsRequestOptions::default()).first_answer().await {
        Ok(message) => {
            let signed = message.authorities.iter().any(|record| {
                record.proof.is_secure() && matches!(record.record_type(), RecordType::NSEC | RecordType::NSEC3)
            });
            Ok(Answer { message, denial: if signed { Denial::Proven } else { Denial::Unproven } })
        }
        Err(NetError::Dns(DnsError::Nsec { response, .. })) => {
            Ok(Answer { message: *response, denial: Denial::Refused })
        }
        Err(error) => Err(error.to_string()),
    }
}

fn of_kind<'a>(message: &'a DnsResponse, name: &Name, kind: RecordType) -> Vec<&'a Record> {
    message.answers.iter().filter(|record| record.record_type() == kind && record.name == *name).collect()
}

async fn classify(validator: &Validator, name: &Name, kind: RecordType, answer: Answer) -> Found<RData> {
    let Answer { message, denial } = answer;
    let records = of_kind(&message, name, kind);
    if records.is_empty() {
        let alias = message.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == *name => Some(target.0.to_string()),
            _ => None,
        });
        return match (alias, message.response_code) {
            (Some(target), _) => Found::Alias(target.trim_end_matches('.').to_owned()),
            (None, ResponseCode::NoError | ResponseCode::NXDomain) => {
                Found::Missing { proven: denial == Denial::Proven }
            }
            (None, code) => Found::Unanswered(format!("the resolver answers {code}")),
        };
    }
    let all = |proof: Proof| records.iter().all(|record| record.proof == proof);
    // To a record that stands for many names (`*`) belongs the proof that this name has none of its own.
    if all(Proof::Secure) && denial == Denial::Refused {
        return Found::Bogus(
            "it is of a wildcard (`*`), and nothing proves that the name has no record of its own".into(),
        );
    }
    if all(Proof::Secure) {
        let signed = signed::newest(validator, name, kind, &message).await;
        // Without a signature that was checked, nothing is secure, whatever the records are marked as.
        if let Some(signed) = signed {
            return Found::Secure { records: records.into_iter().map(|record| record.data.clone()).collect(), signed };
        }
    }
    if all(Proof::Insecure) {
        return Found::Insecure;
    }
    Found::Bogus(why::bogus(validator, name.clone(), kind, message).await)
}

/// Reads trust anchors: DNSKEY records as master files have them.
fn trust_anchors(text: &str) -> Result<TrustAnchors> {
    let wrong = |why: String| {
        Failure::new(format!("these are not trust anchors: {why}"))
            .help("write the DNSKEY records of the root's key signing key, as `. IN DNSKEY 257 3 13 ...`, one a line")
    };
    // `keymgr . dnskey` leaves the class out, which the parser wants.
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [name, kind, rest @ ..] if kind.eq_ignore_ascii_case("DNSKEY") => {
                format!("{name} IN DNSKEY {}", rest.join(" "))
            }
            _ => line.to_owned(),
        }
    });
    let text = lines.collect::<Vec<_>>().join("\n") + "\n";
    let anchors = TrustAnchors::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if anchors.is_empty() {
        return Err(wrong("the root (`.`) has no key".into()));
    }
    Ok(anchors)
}

/// Reads the address of a server: `10.0.0.53`, `10.0.0.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`.
pub fn parse_server(text: &str) -> Result<SocketAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, 53));
    }
    text.parse().ok().filter(|server: &SocketAddr| server.port() > 0).ok_or_else(|| {
        Failure::new(format!("`{text}` is not the address of a DNS server"))
            .help("write 10.0.0.53, 10.0.0.53:5353, 2001:db8::53 or [2001:db8::53]:5353")
    })
}

/// The servers that the text of a `resolv.conf` names.
pub fn in_resolv_conf(text: &str) -> Vec<SocketAddr> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"))
        .filter_map(|rest| parse_server(rest.split(['#', ';']).next()?).ok())
        .collect()
}

#[cfg(test)]
mod tests;
