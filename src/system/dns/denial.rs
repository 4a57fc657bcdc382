//! Proofs that a name has no record of a type.
//!
//! What a validator calls proven is more than what counts here. A record above the name may say that there is no such name, or
//! that it is one of those for which a wildcard stands; hickory 0.26.3 takes that from a zone which has delegated the name to
//! another, too, where the answer has a signature that seems to be a wildcard's (`validate_nodata_response` reads it from any,
//! checked or not). Which address of two a node has must not hang on that. So only a signed record of the very name counts:
//! who has any record there can always give this one.

use super::{Answer, zone_of};
use hickory_net::proto::dnssec::rdata::sig::SigInput;
use hickory_net::proto::dnssec::rdata::{DNSSECRData, NSEC3, RRSIG};
use hickory_net::proto::op::DnsResponse;
use hickory_net::proto::rr::{Name, RData, Record, RecordType, RecordTypeSet};

/// More rounds of the hash no zone should have (RFC 9276), and hickory does not follow more either.
const MOST_ITERATIONS: u16 = 100;

/// What proves that an answer has no such record.
#[derive(Debug, PartialEq, Eq)]
pub enum Denial {
    /// This zone, by what it lists for the name.
    OfType(String),
    /// There is no such name, or nothing at it. As a validator sees it: see above.
    OfName,
    /// Nothing.
    None,
}

/// Looks for a proof in an answer that has no such record.
pub fn of(answer: &Answer, name: &Name, kind: RecordType) -> Denial {
    let Answer { message, denied } = answer;
    let mut zones = message.authorities.iter().filter_map(|record| {
        let types = types_of(record, name)?;
        // Of a name that is delegated, the parent knows only that it is.
        let delegated = types.contains(RecordType::NS) && !types.contains(RecordType::SOA);
        let has = types.contains(kind) || types.contains(RecordType::CNAME);
        (!delegated && !has).then(|| signer(message, record)).flatten()
    });
    match zones.next() {
        Some(zone) => Denial::OfType(zone_of(zone)),
        None if *denied && message.answers.is_empty() => Denial::OfName,
        None => Denial::None,
    }
}

/// The types that a name has, if this is a validated record which lists them.
fn types_of<'a>(record: &'a Record, name: &Name) -> Option<&'a RecordTypeSet> {
    match &record.data {
        _ if !record.proof.is_secure() => None,
        RData::DNSSEC(DNSSECRData::NSEC(nsec)) if record.name == *name => Some(nsec.type_set()),
        RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) if is_hash(&record.name, nsec3, name) => Some(nsec3.type_set()),
        _ => None,
    }
}

/// Whether the first label of `owner` is the hash of the name, which is in the zone that the others make.
fn is_hash(owner: &Name, nsec3: &NSEC3, name: &Name) -> bool {
    let zone = owner.base_name();
    if nsec3.iterations() > MOST_ITERATIONS || owner.is_root() || !zone.zone_of(name) {
        return false;
    }
    let hash = nsec3.hash_algorithm().hash(nsec3.salt(), name, nsec3.iterations());
    hash.is_ok_and(|hash| {
        owner.iter().next().is_some_and(|label| label.eq_ignore_ascii_case(base32(hash.as_ref()).as_bytes()))
    })
}

/// The zone whose signature of this record was checked. One with fewer labels is of a wildcard, and lists another's types.
fn signer<'a>(message: &'a DnsResponse, of: &Record) -> Option<&'a Name> {
    let hashed = of.record_type() == RecordType::NSEC3;
    let covers = |one: &RRSIG| {
        let SigInput { type_covered, num_labels, signer_name, .. } = one.input();
        *type_covered == of.record_type()
            && *num_labels == of.name.num_labels()
            && if hashed { *signer_name == of.name.base_name() } else { signer_name.zone_of(&of.name) }
    };
    message.authorities.iter().find_map(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(one)) if record.proof.is_secure() && record.name == of.name && covers(one) => {
            Some(&one.input().signer_name)
        }
        _ => None,
    })
}

/// Base 32 with the extended hex alphabet, as NSEC3 has it; of bytes in groups of five, as a SHA-1 hash is.
fn base32(bytes: &[u8]) -> String {
    let digits = |group: &[u8]| {
        let number = group.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        (0..8).rev().map(move |place| number >> (5 * place) & 31)
    };
    let text = bytes.chunks(5).flat_map(digits).filter_map(|digit| char::from_digit(u32::try_from(digit).ok()?, 32));
    text.collect()
}
