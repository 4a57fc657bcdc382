//! What of an answer is let through to the validator: what belongs into it, and as a rule nothing that rests on SHA-1.
//!
//! hickory makes use of whatever stands in an answer. A DS record of another name, for instance, which that name's parent did
//! sign, it takes for one of the zone in question (`fetch_ds_records` of 0.26.3): who may have any digest published for a zone
//! of his own could so vouch for keys of his neighbour's. What is of another name, or was not asked for, is taken out.
//!
//! RSASHA1 (RFC 9905) and SHA-1 digests in DS records count for hickory, and no more for us. A signature is simply taken out.
//! A DS record cannot be, as its whole set is signed: a set is taken out that has no digest but SHA-1 for a key that counts.
//! So where a set has a stronger digest beside it, of whichever key, hickory may still follow the SHA-1 one. That is no way in
//! for anybody: it would take another key with the same digest.

use hickory_net::proto::dnssec::rdata::{DNSSECRData, DS};
use hickory_net::proto::dnssec::{Algorithm, DigestType};
use hickory_net::proto::op::{Message, Query};
use hickory_net::proto::rr::{RData, Record, RecordType};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// What is let through.
#[derive(Clone)]
pub struct Sieve {
    /// What was taken out because it rests on SHA-1, in words; none where that is let through.
    stopped: Option<Arc<Mutex<BTreeSet<String>>>>,
}

impl Sieve {
    /// Nothing that rests on SHA-1 passes.
    pub fn strict() -> Self {
        Self { stopped: Some(Arc::default()) }
    }

    /// SHA-1 passes: to tell whether it would have counted.
    pub fn lenient() -> Self {
        Self { stopped: None }
    }

    /// What rests on SHA-1 and has not passed, in words. Anybody may have put it there.
    pub fn stopped(&self) -> Vec<String> {
        let stopped = self.stopped.as_ref().map(|all| all.lock().unwrap_or_else(PoisonError::into_inner).clone());
        stopped.into_iter().flatten().collect()
    }

    /// Takes out of an answer what does not belong there.
    pub fn sift(&self, query: &Query, answer: &mut Message) {
        let wanted = |kind: RecordType| kind == query.query_type() || kind == RecordType::CNAME;
        answer.answers.retain(|record| record.name == *query.name() && wanted(of(record)) && !is_wild(record));
        let denies = |kind| matches!(kind, RecordType::SOA | RecordType::NSEC | RecordType::NSEC3);
        answer.authorities.retain(|record| denies(of(record)));
        answer.additionals.clear();
        let Some(stopped) = &self.stopped else { return };
        let mut found = weak_digests(query, answer).into_iter().collect::<Vec<_>>();
        if !found.is_empty() {
            answer.answers.retain(|record| of(record) != RecordType::DS);
        }
        for section in [&mut answer.answers, &mut answer.authorities] {
            section.retain(|record| {
                let weak = weak_signature(record);
                let strong = weak.is_none();
                found.extend(weak);
                strong
            });
        }
        stopped.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
    }
}

/// The type of a record; of a signature, that of what it covers.
fn of(record: &Record) -> RecordType {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => signature.input().type_covered,
        _ => record.record_type(),
    }
}

/// Whether it is the signature of a wildcard's keys or digests: none has such, and that of records is told by name.
fn is_wild(record: &Record) -> bool {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => {
            matches!(signature.input().type_covered, RecordType::DS | RecordType::DNSKEY)
                && signature.input().num_labels < record.name.num_labels()
        }
        _ => false,
    }
}

/// RSASHA1 and RSASHA1-NSEC3-SHA1. (The hash of NSEC3 itself is SHA-1, too, and nothing rests on its strength.)
fn is_sha1(algorithm: Algorithm) -> bool {
    matches!(u8::from(algorithm), 5 | 7)
}

fn weak_signature(record: &Record) -> Option<String> {
    let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data else { return None };
    let (algorithm, zone) = (signature.input().algorithm, &signature.input().signer_name);
    is_sha1(algorithm).then(|| format!("{} signs with {}", super::show(zone), algorithm.as_str()))
}

fn weak_digests(query: &Query, answer: &Message) -> Option<String> {
    let digests = answer.answers.iter().filter_map(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::DS(ds)) => Some(ds),
        _ => None,
    });
    let counts = |ds: &DS| {
        matches!(ds.digest_type(), DigestType::SHA256 | DigestType::SHA384)
            && ds.algorithm().is_supported()
            && !is_sha1(ds.algorithm())
    };
    let (mut weak, mut strong) = (false, false);
    for ds in digests {
        weak |= ds.digest_type() == DigestType::SHA1;
        strong |= counts(ds);
    }
    let zone = super::show(query.name());
    (weak && !strong).then(|| format!("the keys of {zone} have only a SHA-1 digest (DS) in its parent"))
}
