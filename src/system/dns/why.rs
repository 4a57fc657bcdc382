//! Why records do not validate, told to people: which of the things that a validator looks at is wrong.

use super::{Answer, Validator, ask, of_kind, show};
use hickory_net::proto::dnssec::rdata::{DNSSECRData, RRSIG};
use hickory_net::proto::op::DnsResponse;
use hickory_net::proto::rr::{Name, RData, RecordType};

/// More zones in each other than this no name has.
const DEEPEST: usize = 12;

/// Finds the reason. `message` has records of `name` that are neither secure nor insecure.
pub async fn bogus(validator: &Validator, name: Name, kind: RecordType, message: DnsResponse) -> String {
    let (mut name, mut kind, mut message) = (name, kind, message);
    let mut path = String::new();
    for _ in 0..DEEPEST {
        let signatures = signatures(&message, &name, kind);
        if let Some(reason) = of_signatures(&signatures) {
            return path + &reason;
        }
        let Some(zone) = signatures.first().map(|signature| signature.input().signer_name.clone()) else { break };
        let shown = show(&zone);
        if kind != RecordType::DNSKEY {
            // Are the keys themselves all right?
            match ask(validator, &zone, RecordType::DNSKEY).await {
                Err(why) => return format!("{path}the keys (DNSKEY) of {shown} cannot be had: {why}"),
                Ok(Answer { message: keys, .. }) => {
                    let records = of_kind(&keys, &zone, RecordType::DNSKEY);
                    if records.is_empty() {
                        return format!("{path}{shown} has no keys (DNSKEY)");
                    }
                    if records.iter().all(|key| key.proof.is_secure()) {
                        return format!(
                            "{path}its signature does not fit it: it was forged, or damaged on the way (zone {shown})"
                        );
                    }
                    path = format!("{path}the keys (DNSKEY) of {shown} do not validate: ");
                    (name, kind, message) = (zone, RecordType::DNSKEY, keys);
                    continue;
                }
            }
        }
        // The keys have a signature in its time, and are not trusted: does the parent vouch for others, or for none?
        if zone.is_root() {
            return format!("{path}they are not those of the trust anchor");
        }
        match ask(validator, &zone, RecordType::DS).await {
            Err(why) => return format!("{path}the DS record of {shown} cannot be had: {why}"),
            Ok(Answer { message: parent, .. }) => {
                let records = of_kind(&parent, &zone, RecordType::DS);
                if records.is_empty() {
                    return format!(
                        "{path}the answer has no DS record of {shown}, and no proof that its parent has none: it was \
                         taken out on the way"
                    );
                }
                if records.iter().all(|record| record.proof.is_secure()) {
                    return format!("{path}its parent vouches for other keys than these (DS)");
                }
                path = format!("{path}the DS record of {shown} does not validate: ");
                (name, kind, message) = (zone, RecordType::DS, parent);
            }
        }
    }
    path + "no chain of signatures leads to the trust anchor"
}

fn signatures(message: &DnsResponse, name: &Name, kind: RecordType) -> Vec<RRSIG> {
    let answers = message.answers.iter().filter(|record| record.name == *name);
    answers
        .filter_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::RRSIG(signature)) if signature.input().type_covered == kind => {
                Some(signature.clone())
            }
            _ => None,
        })
        .collect()
}

/// What the signatures themselves show: there is none, or none is in its time.
fn of_signatures(signatures: &[RRSIG]) -> Option<String> {
    if signatures.is_empty() {
        return Some(
            "it has no signature, and no proof that its zone is not signed: it was forged, or the signature taken out"
                .into(),
        );
    }
    // As long as 2106 is ahead, these are seconds since 1970.
    let now = jiff::Timestamp::now().as_second();
    let times = |of: fn(&RRSIG) -> u32| signatures.iter().map(move |signature| i64::from(of(signature)));
    let last = times(|signature| signature.input().sig_expiration.get()).max()?;
    if last < now {
        return Some(format!("its signature expired at {}", time(last)));
    }
    let first = times(|signature| signature.input().sig_inception.get()).min()?;
    (first > now).then(|| format!("its signature begins only at {}: is this host's clock right?", time(first)))
}

fn time(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).ok();
    time.map_or_else(|| seconds.to_string(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
