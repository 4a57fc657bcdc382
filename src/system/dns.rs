//! DNS from a host: names resolved with DNSSEC validated here, and records changed by dynamic update.
//!
//! A resolver is only a way to the records. What it says of them (its AD bit) is not looked at: each record's signatures
//! are followed to a trust anchor by this process. The resolver is asked not to hold back what it finds wrong (the CD bit),
//! so that the reason can be told.

mod denial;
mod forward;
mod found;
mod sift;
mod signed;
#[cfg(test)]
mod signed_world;
pub mod tsig;
pub mod update;
mod why;

use crate::base::{Failure, failure::Result};
use crate::system::rest::Until;
use denial::Denial;
use forward::Forward;
pub use found::{Found, Signed};
use hickory_net::dnssec::DnssecDnsHandle;
use hickory_net::proto::dnssec::{Proof, TrustAnchors};
use hickory_net::proto::op::{DnsRequestOptions, DnsResponse, Query, ResponseCode};
use hickory_net::proto::rr::{Name, RData, Record, RecordType};
use hickory_net::xfer::{DnsHandle, FirstAnswer};
use hickory_net::{DnsError, NetError};
use sift::Sieve;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Resolves and validates.
pub struct Resolver {
    runtime: tokio::runtime::Runtime,
    servers: Arc<[SocketAddr]>,
    timeout: Duration,
    anchors: Arc<TrustAnchors>,
}

type Validator = DnssecDnsHandle<Forward>;

/// How often it is looked whether an answer is still wanted.
const STEP: Duration = Duration::from_millis(50);

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
        Ok(Self { runtime, servers: servers.into(), timeout, anchors: Arc::new(anchors) })
    }

    /// The A records of a name.
    pub fn v4(&self, name: &str, until: Until) -> Found<Ipv4Addr> {
        self.look(name, RecordType::A, until).map(|data| match data {
            RData::A(address) => Some(address.0),
            _ => None,
        })
    }

    /// The AAAA records of a name.
    pub fn v6(&self, name: &str, until: Until) -> Found<Ipv6Addr> {
        self.look(name, RecordType::AAAA, until).map(|data| match data {
            RData::AAAA(address) => Some(address.0),
            _ => None,
        })
    }

    /// The TXT records of a name, each a list of strings.
    pub fn txt(&self, name: &str, until: Until) -> Found<Vec<Vec<u8>>> {
        self.look(name, RecordType::TXT, until).map(|data| match data {
            RData::TXT(text) => Some(text.txt_data.iter().map(|string| string.to_vec()).collect()),
            _ => None,
        })
    }

    fn look(&self, name: &str, kind: RecordType, until: Until) -> Found<RData> {
        let Ok(mut name) = Name::from_ascii(name) else {
            return Found::Unanswered(format!("`{name}` is not a name in DNS"));
        };
        name.set_fqdn(true);
        let strict = Sieve::strict();
        let found = self.validate(&name, kind, &strict, until);
        let weak = strict.stopped();
        if weak.is_empty() || found.is_proven() {
            return found;
        }
        // It may lack only what was taken out of the answers.
        if self.validate(&name, kind, &Sieve::lenient(), until).is_proven() {
            Found::Weak(weak.join("; "))
        } else {
            found
        }
    }

    fn validate(&self, name: &Name, kind: RecordType, sieve: &Sieve, until: Until) -> Found<RData> {
        let forward = Forward { servers: self.servers.clone(), timeout: self.timeout, sieve: sieve.clone() };
        // The validator's cache finds verdicts by a hash for which others can be made that collide: it gets no room.
        let validator: Validator =
            DnssecDnsHandle::with_trust_anchor(forward, self.anchors.clone()).validation_cache_size(0);
        self.runtime.block_on(async {
            let mut asking = pin!(async {
                match ask(&validator, name, kind).await {
                    Ok(answer) => classify(&validator, name, kind, answer).await,
                    Err(why) => Found::Unanswered(why),
                }
            });
            // A chain is many questions, and each may be answered late: all together they get what time is left.
            while !until.is_over() {
                if let Ok(found) = tokio::time::timeout(STEP.min(until.left()), asking.as_mut()).await {
                    return found;
                }
            }
            Found::Unanswered("no answer came before the time was over".into())
        })
    }
}

/// What a validator makes of a question.
struct Answer {
    message: DnsResponse,
    /// Whether it finds proven that there is no such record.
    denied: bool,
}

async fn ask(validator: &Validator, name: &Name, kind: RecordType) -> Result<Answer, String> {
    let query = Query::query(name.clone(), kind);
    match validator.lookup(query, DnsRequestOptions::default()).first_answer().await {
        Ok(message) => {
            let denied = message.authorities.iter().any(|record| {
                record.proof.is_secure() && matches!(record.record_type(), RecordType::NSEC | RecordType::NSEC3)
            });
            Ok(Answer { message, denied })
        }
        // A proof is missing, or does not hold. What is there is marked all the same.
        Err(NetError::Dns(DnsError::Nsec { response, .. })) => Ok(Answer { message: *response, denied: false }),
        Err(error) => Err(error.to_string()),
    }
}

fn of_kind<'a>(message: &'a DnsResponse, name: &Name, kind: RecordType) -> Vec<&'a Record> {
    message.answers.iter().filter(|record| record.record_type() == kind && record.name == *name).collect()
}

async fn classify(validator: &Validator, name: &Name, kind: RecordType, answer: Answer) -> Found<RData> {
    if !of_kind(&answer.message, name, kind).is_empty() {
        return weigh(validator, name, kind, answer.message).await;
    }
    if !of_kind(&answer.message, name, RecordType::CNAME).is_empty() {
        return match weigh(validator, name, RecordType::CNAME, answer.message).await {
            Found::Secure { records, .. } => Found::Alias(records.iter().find_map(target).unwrap_or_default()),
            Found::Bogus(why) => Found::Bogus(format!("it is an alias (CNAME), and {why}")),
            other => other,
        };
    }
    match (answer.message.response_code, denial::of(&answer, name, kind)) {
        (ResponseCode::NoError | ResponseCode::NXDomain, denial) => match denial {
            Denial::OfType(zone) => Found::Missing { proven_by: Some(zone) },
            Denial::OfName => Found::NoName,
            Denial::None => Found::Missing { proven_by: None },
        },
        (code, _) => Found::Unanswered(format!("the resolver answers {code}")),
    }
}

/// What records are worth that are there.
async fn weigh(validator: &Validator, name: &Name, kind: RecordType, message: DnsResponse) -> Found<RData> {
    let records = of_kind(&message, name, kind);
    let all = |proof: Proof| records.iter().all(|record| record.proof == proof);
    // Without a signature that was checked, nothing is secure, whatever the records are marked as.
    if all(Proof::Secure)
        && let Some(checked) = signed::checked(&message, name, kind)
    {
        // Fewer labels than the name has: it stands for many names. Such a signature fits each of them, and that this name has
        // no record of its own is proven in many ways, of which a validator may take one too many. Nobody needs it.
        if checked.input().num_labels < name.num_labels() {
            return Found::Bogus("it is of a wildcard (`*`), and must be a record of the name's own".into());
        }
        let signed = Signed {
            at: signed::newest(validator, name, kind, &message, checked).await,
            zone: zone_of(&checked.input().signer_name),
            ttl: records.iter().map(|record| record.ttl).min().unwrap_or(0),
        };
        return Found::Secure { records: records.into_iter().map(|record| record.data.clone()).collect(), signed };
    }
    if all(Proof::Insecure) {
        return Found::Insecure;
    }
    Found::Bogus(why::bogus(validator, name.clone(), kind, message).await)
}

fn target(data: &RData) -> Option<String> {
    match data {
        RData::CNAME(target) => Some(show(&target.0)),
        _ => None,
    }
}

/// A zone, so that two that are the same are equal.
fn zone_of(name: &Name) -> String {
    show(&name.to_lowercase())
}

fn show(name: &Name) -> String {
    if name.is_root() { "the root".into() } else { name.to_string().trim_end_matches('.').to_owned() }
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
mod attacks;
#[cfg(test)]
mod tests;
