//! Dynamic update (RFC 2136): reading records where their zone is kept, and changing them, both signed with TSIG.
//!
//! Everything goes over TCP to the zone's primary server, and every answer must be signed with the same key: nobody on the
//! way can make up what is there, or that a change was made.

use super::tsig::Key;
use crate::base::failure::{Context, Result};
use crate::base::{Failure, failure};
use crate::system::System;
use hickory_net::proto::op::{Message, OpCode, Query, ResponseCode, UpdateMessage};
use hickory_net::proto::rr::rdata::tsig::TsigError;
use hickory_net::proto::rr::rdata::{A, AAAA, TXT};
use hickory_net::proto::rr::{DNSClass, Name, RData, Record, RecordType};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::time::Duration;

/// A type of record that can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// A text.
    Txt,
}

/// The records of one name and one type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Set {
    /// Seconds for which others may keep them; none if there is no record.
    pub ttl: Option<u32>,
    /// Addresses as people write them; texts as bytes.
    pub values: BTreeSet<Vec<u8>>,
}

/// A zone's primary server.
#[derive(Debug)]
pub struct Primary<'a> {
    /// The host from which it is spoken to.
    pub system: &'a System,
    /// Its name or address.
    pub server: &'a str,
    /// 53, usually.
    pub port: u16,
    /// The key that it knows.
    pub key: &'a Key,
    /// For connecting, and for each wait.
    pub timeout: Duration,
}

impl Kind {
    fn record_type(self) -> RecordType {
        match self {
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
            Self::Txt => RecordType::TXT,
        }
    }

    fn data(self, value: &[u8]) -> Result<RData> {
        let text = String::from_utf8_lossy(value);
        let wrong = || Failure::new(format!("`{text}` is not the value of such a record"));
        Ok(match self {
            Self::A => RData::A(A(text.parse().map_err(|_| wrong())?)),
            Self::Aaaa => RData::AAAA(AAAA(text.parse().map_err(|_| wrong())?)),
            Self::Txt => {
                RData::TXT(TXT::from_bytes(if value.is_empty() { vec![value] } else { value.chunks(255).collect() }))
            }
        })
    }
}

fn parse_name(text: &str) -> Result<Name> {
    let mut name = Name::from_ascii(text).map_err(|_| Failure::new(format!("`{text}` is not a name in DNS")))?;
    name.set_fqdn(true);
    Ok(name)
}

impl Primary<'_> {
    /// The zone that has `name`: the nearest name above it for which the server has an SOA record.
    pub fn zone_of(&self, name: &str) -> Result<String> {
        let mut zone = parse_name(name)?;
        while !zone.is_root() {
            let answer = self.exchange(question(&zone, RecordType::SOA))?;
            // REFUSED: it keeps nothing there, but perhaps above it.
            if answer.response_code != ResponseCode::Refused {
                self.fine(&answer)?;
            }
            if answer.answers.iter().any(|record| record.record_type() == RecordType::SOA && record.name == zone) {
                return Ok(zone.to_string().trim_end_matches('.').to_owned());
            }
            zone = zone.base_name();
        }
        Err(Failure::new(format!("{} keeps no zone that has {name}", self.server))
            .help("name the zone's primary server, or give the `zone`"))
    }

    /// What the server has now.
    pub fn read(&self, name: &str, kind: Kind) -> Result<Set> {
        let (name, wanted) = (parse_name(name)?, kind.record_type());
        let answer = self.exchange(question(&name, wanted))?;
        self.fine(&answer)?;
        let mut set = Set::default();
        for record in answer.answers.iter().filter(|record| record.record_type() == wanted && record.name == name) {
            set.ttl = Some(set.ttl.map_or(record.ttl, |ttl| ttl.max(record.ttl)));
            set.values.insert(match &record.data {
                RData::TXT(text) => text.txt_data.concat(),
                RData::A(address) => address.to_string().into_bytes(),
                RData::AAAA(address) => address.to_string().into_bytes(),
                _ => continue,
            });
        }
        Ok(set)
    }

    /// Makes `values` all that the name has of this type; none takes the records away. It is one step for everybody who
    /// asks the server.
    pub fn write(&self, zone: &str, name: &str, kind: Kind, ttl: u32, values: &BTreeSet<Vec<u8>>) -> Result<()> {
        let (zone, name) = (parse_name(zone)?, parse_name(name)?);
        if !zone.zone_of(&name) {
            return Err(Failure::new(format!("{name} is not in the zone {zone}")));
        }
        let mut message = Message::query();
        message.metadata.op_code = OpCode::Update;
        message.metadata.recursion_desired = false;
        message.add_zone(Query::query(zone.clone(), RecordType::SOA));
        // "Delete an RRset" (2.5.2), then "add to an RRset" (2.5.1).
        let mut delete = Record::update0(name.clone(), 0, kind.record_type());
        delete.dns_class = DNSClass::ANY;
        message.add_update(delete);
        for value in values {
            message.add_update(Record::from_rdata(name.clone(), ttl, kind.data(value)?));
        }
        self.fine(&self.exchange(message)?)
    }

    /// Asks, and makes sure that the answer is the server's own; what it says is still to be looked at.
    fn exchange(&self, mut message: Message) -> Result<Message> {
        let place = format!("{} port {}", self.server, self.port);
        let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
        let id = message.id;
        let mut chain = message.finalize(&self.key.signer, now).context("signing a message to a DNS server")?;
        let bytes = message.to_vec().context("writing a message to a DNS server")?;
        let answer = self.send(&bytes).map_err(|failure| failure.context(format!("DNS server {place}")))?;
        let garbage = || Failure::new(format!("{place} does not answer as a DNS server does"));
        let plain = Message::from_vec(&answer).map_err(|_| garbage())?;
        if plain.id != id {
            return Err(garbage());
        }
        if let Some(error) = plain.signature().and_then(|record| record.data.error) {
            return Err(self.refused_key(error));
        }
        if plain.signature().is_some() {
            if chain.as_mut().is_none_or(|chain| chain.verify(&answer).is_err()) {
                return Err(Failure::new(format!(
                    "the answer of {place} is not signed with the key `{}`",
                    self.key.name
                ))
                .help("somebody else answered, or the server has another secret under that name"));
            }
        } else if matches!(plain.response_code, ResponseCode::NoError | ResponseCode::NXDomain) {
            return Err(Failure::new(format!("the answer of {place} is not signed, so it may be anybody's"))
                .help("the server must know the TSIG key"));
        }
        Ok(plain)
    }

    fn fine(&self, answer: &Message) -> Result<()> {
        match answer.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => Ok(()),
            code => Err(self.refused(code)),
        }
    }

    fn refused_key(&self, error: TsigError) -> Failure {
        let (server, key) = (self.server, &self.key.name);
        match error {
            TsigError::BadSig => {
                Failure::new(format!("{server} refuses the signature of the TSIG key `{key}` (BADSIG)"))
                    .help("the secret in the key file is not the one that the server has under that name")
            }
            TsigError::BadKey => Failure::new(format!("{server} does not take the TSIG key `{key}` here (BADKEY)"))
                .help("name and algorithm must be those of the server's configuration; Knot says this, too, of a key that no \
                       `acl` of the zone names"),
            TsigError::BadTime => Failure::new(format!("{server} refuses the time of the signature (BADTIME)"))
                .help("the clocks of this host and of the server are more than five minutes apart"),
            other => Failure::new(format!("{server} refuses the TSIG key `{key}` (error {})", u16::from(other))),
        }
    }

    fn refused(&self, code: ResponseCode) -> Failure {
        let (server, key) = (self.server, &self.key.name);
        match code {
            ResponseCode::Refused => Failure::new(format!("{server} refuses this to the TSIG key `{key}` (REFUSED)"))
                .help("it must keep the zone, and allow the key to update it: `acl` in Knot, `update-policy` in BIND"),
            ResponseCode::NotAuth => {
                Failure::new(format!("{server} is not the zone's server, or does not know the TSIG key (NOTAUTH)"))
                    .help("name the zone's primary server, and a key that it knows")
            }
            ResponseCode::NotZone => Failure::new(format!("the name is not in that zone, says {server} (NOTZONE)")),
            code => Failure::new(format!("{server} answers {}", code.to_str())),
        }
    }

    /// A message and its answer: each with its length before it (RFC 1035, 4.2.2).
    fn send(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let length = u16::try_from(bytes.len()).map_err(|_| Failure::new("the message is longer than 65535 bytes"))?;
        let mut stream = self.system.connect(self.server, self.port, self.timeout)?;
        let talk = |stream: &mut std::net::TcpStream| -> std::io::Result<Vec<u8>> {
            stream.set_read_timeout(Some(self.timeout))?;
            stream.set_write_timeout(Some(self.timeout))?;
            stream.write_all(&[&length.to_be_bytes(), bytes].concat())?;
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut answer)?;
            Ok(answer)
        };
        failure::Context::context(talk(&mut stream), "no answer")
    }
}

fn question(name: &Name, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = false;
    message.add_query(Query::query(name.clone(), kind));
    message
}
