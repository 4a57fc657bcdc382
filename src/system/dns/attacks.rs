//! What somebody on the way can do with records that are validly signed: none of it makes anything count.

use super::signed_world::{World, hash, hashed, name};
use super::tests::resolver;
use super::*;
use hickory_net::proto::dnssec::rdata::sig::SigInput;
use hickory_net::proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, NSEC, RRSIG};
use hickory_net::proto::dnssec::{Algorithm, DigestType, PublicKeyBuf};
use hickory_net::proto::op::Message;
use hickory_net::proto::rr::SerialNumber;
use hickory_net::proto::rr::rdata::{A, AAAA, CNAME, SOA, TXT};

const NODE: &str = "node.alpha.example";
const ZONE: &str = "alpha.example";
const HIS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 9);

fn world() -> World {
    let world = World::new();
    world.add(NODE, RData::A(A(Ipv4Addr::new(10, 0, 0, 1))));
    world.add(NODE, RData::AAAA(AAAA("2001:db8::1".parse().unwrap())));
    world.add(NODE, text("genuine"));
    world
}

fn text(text: &str) -> RData {
    RData::TXT(TXT::new(vec![text.to_owned()]))
}

fn record(at: &str, data: RData) -> Record {
    Record::from_rdata(name(at), 60, data)
}

/// Other answers and authorities to one question.
fn on(world: &World, at: &str, kind: RecordType, answers: &[Record], authorities: &[Record]) {
    let (at, answers, authorities) = (name(at), answers.to_vec(), authorities.to_vec());
    world.lie(move |answer: &mut Message| {
        if *answer.queries[0].name() == at && answer.queries[0].query_type() == kind {
            answer.answers.clone_from(&answers);
            answer.authorities.clone_from(&authorities);
        }
    });
}

/// What the zone's server answers for a name out of `*.alpha.example`.
fn wildcard(world: &World, data: RData) -> Vec<Record> {
    world.sign(ZONE, ZONE, 2, &[record(NODE, data)])
}

/// A genuine record of the zone `example` that says that it has nothing with the hash of the node's name, or near it.
fn parent_s_gap(world: &World) -> Vec<Record> {
    let mut before = hash(&name(NODE));
    before[19] = before[19].wrapping_sub(1);
    let delegation = vec![RecordType::NS, RecordType::DS, RecordType::RRSIG];
    world.sign("example", "example", 2, &[hashed(&name("example."), &before, 2, delegation)])
}

/// A record of a zone that is really not signed, as its parent proves.
fn of_an_unsigned_zone(world: &World) -> Record {
    world.found("other.example");
    world.unsign("other.example");
    record("other.example", RData::SOA(SOA::new(name("ns."), name("op."), 1, 3600, 600, 86400, 60)))
}

fn is_bogus<T: std::fmt::Debug>(found: &Found<T>, reason: &str) {
    assert!(matches!(found, Found::Bogus(why) if why.contains(reason)), "{found:?}");
}

#[test]
fn a_wildcard_counts_for_no_name_whatever_else_the_answer_proves() {
    let world = world();
    let resolver = resolver(&world);
    let (wild, unsigned, gap) = (wildcard(&world, RData::A(A(HIS))), of_an_unsigned_zone(&world), parent_s_gap(&world));
    for beside in [Vec::new(), vec![unsigned.clone()], gap] {
        on(&world, NODE, RecordType::A, &wild, &beside);
        is_bogus(&resolver.v4(NODE), "it is of a wildcard");
    }
    on(&world, NODE, RecordType::TXT, &wildcard(&world, text("the wildcard's")), std::slice::from_ref(&unsigned));
    is_bogus(&resolver.txt(NODE), "it is of a wildcard");
    let alias = RData::CNAME(CNAME(name("node.mallory.example.")));
    on(&world, NODE, RecordType::TXT, &wildcard(&world, alias), &[unsigned]);
    is_bogus(&resolver.txt(NODE), "it is an alias (CNAME), and it is of a wildcard");

    // That signature beside the name's own record does no harm.
    let own = world.sign(ZONE, ZONE, 3, &[record(NODE, RData::A(A(Ipv4Addr::new(10, 0, 0, 1))))]);
    on(&world, NODE, RecordType::A, &[own, vec![wild[1].clone()]].concat(), &[]);
    assert!(matches!(resolver.v4(NODE), Found::Secure { records, .. } if records == [Ipv4Addr::new(10, 0, 0, 1)]));
}

#[test]
fn only_what_a_zone_lists_for_the_very_name_proves_that_it_has_no_record() {
    let world = world();
    let resolver = resolver(&world);
    let wild = wildcard(&world, RData::A(A(HIS)));
    let gap = parent_s_gap(&world);
    let unproven = Found::Missing { proven_by: None };
    // The parent has nothing there; beside it a signature that seems to be a wildcard's, or not.
    on(&world, NODE, RecordType::A, &wild[1..], &gap);
    assert_eq!(resolver.v4(NODE), unproven);
    on(&world, NODE, RecordType::A, &[], &gap);
    assert_eq!(resolver.v4(NODE), unproven);

    let (zone, at) = (name("alpha.example."), name(NODE));
    let without = |kinds: &[RecordType]| [&[RecordType::TXT, RecordType::RRSIG], kinds].concat();
    let listed = |of: &str, record: Record| world.sign(of, of, record.name.num_labels(), &[record]);
    let nsec = |at: &str, types: Vec<RecordType>| {
        record(at, RData::DNSSEC(DNSSECRData::NSEC(NSEC::new(name("z.alpha.example."), types))))
    };
    for (what, proof) in [
        // The type is in the list, or an alias, or the name is delegated: then only the parent speaks.
        ("has it", listed(ZONE, hashed(&zone, &hash(&at), 1, without(&[RecordType::A])))),
        ("alias", listed(ZONE, hashed(&zone, &hash(&at), 1, without(&[RecordType::CNAME])))),
        ("delegated", listed(ZONE, hashed(&zone, &hash(&at), 1, without(&[RecordType::NS])))),
        ("has it", listed(ZONE, nsec(NODE, without(&[RecordType::A])))),
        ("delegated", listed(ZONE, nsec(NODE, without(&[RecordType::NS])))),
        ("of another name", listed(ZONE, nsec("other.alpha.example", without(&[])))),
        ("of another hash", listed(ZONE, hashed(&zone, &hash(&name("other.alpha.example.")), 1, without(&[])))),
        // A wildcard's list, for whatever name.
        ("wildcard", world.sign(ZONE, ZONE, 2, &[nsec(NODE, without(&[]))])),
        // Another zone may have any hash at all in it.
        ("another zone", {
            world.found("mallory.example");
            world.vouch("mallory.example", DigestType::SHA256);
            listed("mallory.example", hashed(&name("mallory.example."), &hash(&at), 1, without(&[])))
        }),
        ("another signer", world.sign("example", "example", 3, &[hashed(&zone, &hash(&at), 1, without(&[]))])),
    ] {
        on(&world, NODE, RecordType::A, &[], &proof);
        assert_eq!(resolver.v4(NODE), unproven, "{what}: {proof:?}");
    }
    // Of whichever zone the proof is, it is told, so that it can be compared with that of the other records.
    for (of, proof) in [
        (ZONE, listed(ZONE, nsec(NODE, without(&[])))),
        (ZONE, listed(ZONE, hashed(&zone, &hash(&at), 1, without(&[RecordType::NS, RecordType::SOA])))),
        ("example", listed("example", hashed(&name("example."), &hash(&at), 1, without(&[])))),
    ] {
        on(&world, NODE, RecordType::A, &[], &proof);
        assert_eq!(resolver.v4(NODE), Found::Missing { proven_by: Some(of.into()) }, "{proof:?}");
    }
}

#[test]
fn that_there_is_no_such_name_is_told_and_proves_nothing_of_its_addresses() {
    let world = world();
    let resolver = resolver(&world);
    // One record covers both the name and the wildcard that could stand for it.
    let soa = world.answer("nobody.alpha.example", RecordType::TXT).authorities[..2].to_vec();
    let types = [RecordType::NS, RecordType::SOA, RecordType::RRSIG, RecordType::NSEC, RecordType::DNSKEY];
    let gap = record(ZONE, RData::DNSSEC(DNSSECRData::NSEC(NSEC::new(name("node.alpha.example."), types))));
    let proof = [soa, world.sign(ZONE, ZONE, 2, &[gap])].concat();
    world.lie(move |answer: &mut Message| {
        if answer.queries[0].name().to_string() == "nobody.alpha.example." {
            answer.metadata.response_code = ResponseCode::NXDomain;
            answer.authorities.clone_from(&proof);
        }
    });
    assert_eq!(resolver.txt("nobody.alpha.example"), Found::NoName);
    assert_eq!(resolver.v4("nobody.alpha.example"), Found::NoName);
}

#[test]
fn names_are_denied_by_their_hashes_as_well() {
    let world = world();
    world.hash_names();
    world.clear(NODE, RecordType::AAAA);
    let resolver = resolver(&world);
    let proven = Some(ZONE.to_owned());
    assert_eq!(resolver.v6(NODE), Found::Missing { proven_by: proven.clone() });
    assert_eq!(resolver.v6("NODE.Alpha.example"), Found::Missing { proven_by: proven });
    world.unsign(ZONE);
    assert_eq!(resolver.txt(NODE), Found::Insecure);
    assert_eq!(resolver.v6(NODE), Found::Missing { proven_by: None });
}

#[test]
fn an_alias_that_its_zone_did_not_sign_is_bogus() {
    let world = world();
    let resolver = resolver(&world);
    let alias = record(NODE, RData::CNAME(CNAME(name("node.mallory.example."))));
    on(&world, NODE, RecordType::TXT, std::slice::from_ref(&alias), &[]);
    is_bogus(&resolver.txt(NODE), "it is an alias (CNAME), and it has no signature");
    let mut forged = world.sign(ZONE, ZONE, 3, &[record(NODE, RData::CNAME(CNAME(name("elsewhere.example."))))]);
    forged[0] = alias.clone();
    on(&world, NODE, RecordType::TXT, &forged, &[]);
    is_bogus(&resolver.txt(NODE), "it is an alias (CNAME), and its signature does not fit it");
    // Beside the name's own record it is passed over.
    let own = world.sign(ZONE, ZONE, 3, &[record(NODE, text("genuine"))]);
    on(&world, NODE, RecordType::TXT, &[vec![alias.clone()], own].concat(), &[]);
    assert!(matches!(resolver.txt(NODE), Found::Secure { .. }));
    world.unsign(ZONE);
    on(&world, NODE, RecordType::TXT, &[alias], &[]);
    assert_eq!(resolver.txt(NODE), Found::Insecure);
}

#[test]
fn a_digest_that_stands_at_another_name_vouches_for_no_key() {
    // Mallory has her parent publish a digest at her own zone that is really one of her key as alpha's; or at a wildcard.
    let world = world();
    world.found("mallory.example");
    let key = world.key("mallory.example");
    let digest = DS::from_key(key.public_key(), &name("alpha.example."), DigestType::SHA256).unwrap();
    let digest = RData::DNSSEC(DNSSECRData::DS(digest));
    let at_her_name = world.sign("example", "example", 2, &[record("mallory.example", digest.clone())]);
    let wild = world.sign("example", "example", 1, &[record(ZONE, digest.clone())]);
    let beside = of_an_unsigned_zone(&world);
    let keys = world.sign("mallory.example", ZONE, 2, &[record(ZONE, RData::DNSSEC(DNSSECRData::DNSKEY(key)))]);
    let forged = world.sign("mallory.example", ZONE, 3, &[record(NODE, text("forged"))]);
    for digests in [[vec![record(ZONE, digest)], at_her_name].concat(), wild] {
        let (keys, forged, beside) = (keys.clone(), forged.clone(), beside.clone());
        world.lie(move |answer: &mut Message| {
            let query = answer.queries[0].clone();
            let lie = match (query.name().to_string().as_str(), query.query_type()) {
                ("alpha.example.", RecordType::DS) => &digests,
                ("alpha.example.", RecordType::DNSKEY) => &keys,
                ("node.alpha.example.", RecordType::TXT) => &forged,
                _ => return,
            };
            answer.answers.clone_from(lie);
            answer.authorities = vec![beside.clone()];
        });
        is_bogus(&resolver(&world).txt(NODE), "the keys (DNSKEY) of alpha.example do not validate");
    }
}

#[test]
fn a_digest_with_sha_1_alone_does_not_count_and_beside_another_does_no_harm() {
    let world = world();
    let resolver = resolver(&world);
    world.vouch(ZONE, DigestType::SHA1);
    let weak = "the keys of alpha.example have only a SHA-1 digest (DS) in its parent";
    assert_eq!(resolver.txt(NODE), Found::Weak(weak.into()));
    // Neither does the proof that there is nothing, so it is told before anything is published.
    assert_eq!(resolver.txt("nobody.alpha.example"), Found::Weak(weak.into()));
    let key = world.key(ZONE);
    let strong = DS::from_key(key.public_key(), &name("alpha.example."), DigestType::SHA384).unwrap();
    world.add(ZONE, RData::DNSSEC(DNSSECRData::DS(strong)));
    assert!(matches!(resolver.txt(NODE), Found::Secure { .. }));
    // What is forged stays that.
    world.vouch(ZONE, DigestType::SHA1);
    world.lie(|answer| {
        for record in answer.answers.iter_mut().filter(|record| record.record_type() == RecordType::TXT) {
            record.data = text("forged");
        }
    });
    assert!(matches!(resolver.txt(NODE), Found::Bogus(_)));
}

/// A zone signed with RSASHA1, by OpenSSL: its key, and its signature of the node's TXT record. It holds until 2090.
const RSA_KEY: &str = "AwEAAbYBzq93PWqyJs82UKtcHIHsQHV0KAaBFmgZ/oisjsgH7C8KmZVmUcRoVDxvxCrBEGFNOaqpU6Maj8EJ1sLCR6ScDTVImS8qLoeFjBBgrwzbMqQ2uTWAHECy1+wS8LDAlMGOcJh5v90I3f/lOchnKXR7RrDj/0avNh2WXOq5wZWX";
const RSA_SIGNATURE: &str = "OcItligAbhiZo+abE5HhD48rLn/VyQgy4lqhAMzd3xMerUkjsNjSsRdBrvoBqgmiEDK3YfP7ZDLH4YJwDoW6dwNuMCq9iYYIWYB3fHqU/Yb9HSlQeUaj9vwD2ckqVLz0/l6gvGxt3LfhgRdqBClJamurKf0bGzb2fP1MOAislto=";

#[test]
fn a_zone_signed_with_sha_1_is_told_by_name_and_does_not_count() {
    use base64::Engine as _;
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let world = world();
    let algorithm = Algorithm::from_u8(5);
    let key = DNSKEY::new(true, true, false, PublicKeyBuf::new(base64(RSA_KEY), algorithm));
    let digest = DS::new(
        key.calculate_key_tag().unwrap(),
        algorithm,
        DigestType::SHA256,
        key.to_digest(&name("alpha.example."), DigestType::SHA256).unwrap().as_ref().to_vec(),
    );
    let input = SigInput {
        type_covered: RecordType::TXT,
        algorithm,
        num_labels: 3,
        original_ttl: 60,
        sig_expiration: SerialNumber::new(3_800_000_000),
        sig_inception: SerialNumber::new(1_700_000_000),
        key_tag: key.calculate_key_tag().unwrap(),
        signer_name: name("alpha.example."),
    };
    let weak = record(NODE, RData::DNSSEC(DNSSECRData::RRSIG(RRSIG::from_sig(input, base64(RSA_SIGNATURE)))));
    let digests = world.sign("example", "example", 2, &[record(ZONE, RData::DNSSEC(DNSSECRData::DS(digest)))]);
    let keys = [record(ZONE, RData::DNSSEC(DNSSECRData::DNSKEY(key)))];
    let signed = [record(NODE, text("genuine")), weak.clone()];
    world.lie(move |answer: &mut Message| {
        let query = answer.queries[0].clone();
        match (query.name().to_string().as_str(), query.query_type()) {
            ("alpha.example.", RecordType::DS) => answer.answers.clone_from(&digests),
            ("alpha.example.", RecordType::DNSKEY) => answer.answers = keys.to_vec(),
            ("node.alpha.example.", RecordType::TXT) => answer.answers = signed.to_vec(),
            _ => {}
        }
    });
    assert_eq!(resolver(&world).txt(NODE), Found::Weak("alpha.example signs with RSASHA1".into()));

    // Beside a signature that counts it is passed over.
    world.lie(move |answer| {
        if answer.queries[0].query_type() == RecordType::TXT {
            answer.answers.push(weak.clone());
        }
    });
    assert!(matches!(resolver(&world).txt(NODE), Found::Secure { .. }));
}
