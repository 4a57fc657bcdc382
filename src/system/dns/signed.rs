//! When records were signed: at the newest time that one of their valid signatures names.
//!
//! A validator is content with one signature, and which one that is, is chance. A zone that changes its keys has two of
//! different times for a while; taken at random, they would seem to go back in time. A signature that does not hold says
//! nothing: anybody may have added it.

use super::{Answer, Validator, ask, of_kind};
use hickory_net::proto::dnssec::Verifier as _;
use hickory_net::proto::dnssec::rdata::{DNSKEY, DNSSECRData, RRSIG};
use hickory_net::proto::op::DnsResponse;
use hickory_net::proto::rr::{DNSClass, Name, RData, Record, RecordType};

/// More signatures of one set no zone needs. Each costs time to check, and a stranger may add as many as he likes.
const MOST: usize = 4;

/// The signature of a set that was checked, and holds. None, where none was.
pub fn checked<'a>(message: &'a DnsResponse, name: &Name, kind: RecordType) -> Option<&'a RRSIG> {
    let all = message.answers.iter().filter_map(|record| of(record, name, kind));
    // Should there be several: the one with the fewest labels stands for the most names, and is to be seen.
    all.filter(|(_, checked)| *checked).map(|(one, _)| one).min_by_key(|one| one.input().num_labels)
}

/// The newest time of a signature that holds, in seconds since 1970, where `checked` is one that does.
pub async fn newest(
    validator: &Validator,
    name: &Name,
    kind: RecordType,
    message: &DnsResponse,
    checked: &RRSIG,
) -> u32 {
    let all = message.answers.iter().filter_map(|record| of(record, name, kind));
    let mut newer: Vec<&RRSIG> = all.map(|(one, _)| one).filter(|one| newer(one, checked)).collect();
    if newer.is_empty() {
        return inception(checked);
    }
    newer.sort_by_key(|one| std::cmp::Reverse(inception(one)));
    let zone = &checked.input().signer_name;
    let Ok(Answer { message: keys, .. }) = ask(validator, zone, RecordType::DNSKEY).await else {
        return inception(checked);
    };
    let keys: Vec<&DNSKEY> = of_kind(&keys, zone, RecordType::DNSKEY)
        .into_iter()
        .filter(|record| record.proof.is_secure())
        .filter_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::DNSKEY(key)) if key.zone_key() && !key.revoke() => Some(key),
            _ => None,
        })
        .collect();
    let records = of_kind(message, name, kind);
    let found = newer.into_iter().take(MOST).find(|one| holds(one, &keys, name, &records));
    inception(found.unwrap_or(checked))
}

fn of<'a>(record: &'a Record, name: &Name, kind: RecordType) -> Option<(&'a RRSIG, bool)> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(one)) if record.name == *name && one.input().type_covered == kind => {
            Some((one, record.proof.is_secure()))
        }
        _ => None,
    }
}

fn inception(one: &RRSIG) -> u32 {
    one.input().sig_inception.get()
}

/// Whether it may be a newer signature of the same set by the same zone.
fn newer(one: &RRSIG, checked: &RRSIG) -> bool {
    let (one, checked) = (one.input(), checked.input());
    // As long as 2106 is ahead, these are seconds since 1970.
    let now = u32::try_from(jiff::Timestamp::now().as_second()).unwrap_or(u32::MAX);
    one.sig_inception.get() > checked.sig_inception.get()
        && one.signer_name == checked.signer_name
        && one.num_labels == checked.num_labels
        && (one.sig_inception.get()..=one.sig_expiration.get()).contains(&now)
}

fn holds(one: &RRSIG, keys: &[&DNSKEY], name: &Name, records: &[&Record]) -> bool {
    let fits = |key: &&&DNSKEY| {
        key.algorithm() == one.input().algorithm && key.calculate_key_tag().is_ok_and(|tag| tag == one.input().key_tag)
    };
    let verifies = |key: &&DNSKEY| key.verify_rrsig(name, DNSClass::IN, one, records.iter().copied()).is_ok();
    keys.iter().filter(fits).take(MOST).any(verifies)
}
