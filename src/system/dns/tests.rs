//! Every state of a name, out of a signed DNS that lies.

use super::signed_world::{World, now, other_anchor};
use super::*;
use hickory_net::proto::dnssec::rdata::sig::SigInput;
use hickory_net::proto::dnssec::rdata::{DNSSECRData, RRSIG};
use hickory_net::proto::rr::SerialNumber;
use hickory_net::proto::rr::rdata::{A, CNAME, TXT};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const NAME: &str = "node.alpha.example";

/// A resolver whose questions get all the time they need.
pub(super) struct Patient(Resolver);

impl Patient {
    pub(super) fn v4(&self, name: &str) -> Found<Ipv4Addr> {
        self.0.v4(name, later())
    }

    pub(super) fn v6(&self, name: &str) -> Found<Ipv6Addr> {
        self.0.v6(name, later())
    }

    pub(super) fn txt(&self, name: &str) -> Found<Vec<Vec<u8>>> {
        self.0.txt(name, later())
    }
}

fn later() -> Until<'static> {
    static CANCELLED: AtomicBool = AtomicBool::new(false);
    Until { end: Instant::now() + Duration::from_mins(1), cancelled: &CANCELLED }
}

fn world() -> World {
    let world = World::new();
    world.add(NAME, RData::A(A(Ipv4Addr::new(10, 0, 0, 1))));
    world.add(NAME, text("genuine"));
    world
}

fn text(text: &str) -> RData {
    RData::TXT(TXT::new(vec![text.to_owned()]))
}

pub(super) fn resolver(world: &World) -> Patient {
    Patient(Resolver::new(&[world.address], Some(&world.anchors), Duration::from_secs(2)).unwrap())
}

fn no_proof<T>() -> Found<T> {
    Found::Missing { proven_by: None }
}

fn proven<T>() -> Found<T> {
    Found::Missing { proven_by: Some("alpha.example".into()) }
}

fn why(found: &Found<Vec<Vec<u8>>>) -> &str {
    match found {
        Found::Bogus(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_chain_of_signatures_proves_is_secure() {
    let world = world();
    let resolver = resolver(&world);
    let signed = |found: Found<Vec<Vec<u8>>>| match found {
        Found::Secure { records, signed } => (records, signed.at),
        other => panic!("{other:?}"),
    };
    let (records, first) = signed(resolver.txt(NAME));
    assert_eq!(records, [[b"genuine".to_vec()]]);
    assert!((now() - 3600 - i64::from(first)).abs() < 10, "{first}");
    assert!(matches!(resolver.v4(NAME), Found::Secure { records, .. } if records == [Ipv4Addr::new(10, 0, 0, 1)]));
    // That there is no such record is proven as well.
    assert_eq!(resolver.v6(NAME), proven());
    assert_eq!(resolver.txt("nobody.alpha.example"), proven());
    // Two addresses are two addresses; an alias is not followed.
    world.add(NAME, RData::A(A(Ipv4Addr::new(10, 0, 0, 2))));
    assert!(matches!(resolver.v4(NAME), Found::Secure { records, .. } if records.len() == 2));
    world.add("alias.alpha.example", RData::CNAME(CNAME(super::signed_world::name("node.alpha.example."))));
    assert_eq!(resolver.txt("alias.alpha.example"), Found::Alias(NAME.into()));
}

#[test]
fn a_forged_answer_is_bogus_whatever_the_resolver_claims() {
    let world = world();
    let resolver = resolver(&world);
    // Other content under the same signature. (The world sets the AD bit on every answer.)
    world.lie(|answer| {
        for record in answer.answers.iter_mut().filter(|record| record.record_type() == RecordType::TXT) {
            record.data = text("forged");
        }
    });
    assert!(why(&resolver.txt(NAME)).contains("does not fit it: it was forged"), "{:?}", resolver.txt(NAME));
    // A second record beside the first.
    world.lie(|answer| {
        let more = answer.answers.iter().find(|record| record.record_type() == RecordType::TXT).cloned();
        answer.answers.extend(more.map(|record| Record::from_rdata(record.name, record.ttl, text("forged"))));
    });
    assert!(why(&resolver.txt(NAME)).contains("forged"));
    // No signature at all.
    world.lie(|answer| answer.answers.retain(|record| record.record_type() != RecordType::RRSIG));
    assert!(why(&resolver.txt(NAME)).contains("it has no signature, and no proof"), "{:?}", resolver.txt(NAME));
    // Signed and genuine, but of another name.
    world.add("mallory.alpha.example", text("mallory"));
    let genuine = world.answer("mallory.alpha.example", RecordType::TXT);
    world.lie(move |answer| {
        if answer.queries[0].query_type() == RecordType::TXT {
            answer.answers.clone_from(&genuine.answers);
        }
    });
    assert_eq!(resolver.txt(NAME), no_proof());
    // Nothing, and no proof of that.
    world.lie(|answer| {
        if answer.queries[0].query_type() == RecordType::A {
            answer.answers.clear();
        }
    });
    assert_eq!(resolver.v4(NAME), no_proof());
}

#[test]
fn a_signature_counts_only_in_its_time() {
    let world = world();
    let resolver = resolver(&world);
    world.times(NAME, 1_700_000_000, 1_700_003_600);
    assert!(
        why(&resolver.txt(NAME)).contains("its signature expired at 2023-11-14T23:13:20Z"),
        "{:?}",
        resolver.txt(NAME)
    );
    world.times(NAME, now() + 3600, now() + 7200);
    assert!(why(&resolver.txt(NAME)).contains("begins only at"));
    // That of the keys of the zone, too: these are vouched for by the parent, so what is left is the reason above.
    world.times(NAME, now() - 60, now() + 60);
    world.times("alpha.example", 1_700_000_000, 1_700_003_600);
    assert!(matches!(resolver.txt(NAME), Found::Bogus(_) | Found::Secure { .. }));
}

#[test]
fn an_old_record_whose_signature_still_holds_shows_its_age() {
    let world = world();
    let resolver = resolver(&world);
    world.times(NAME, now() - 1000, now() + 1000);
    let old = world.answer(NAME, RecordType::TXT);
    world.clear(NAME, RecordType::TXT);
    world.add(NAME, text("newer"));
    world.times(NAME, now() - 500, now() + 1000);
    let signed = |resolver: &Patient| match resolver.txt(NAME) {
        Found::Secure { signed, .. } => signed.at,
        other => panic!("{other:?}"),
    };
    let newer = signed(&resolver);
    world.lie(move |answer| {
        if answer.queries[0].query_type() == RecordType::TXT {
            answer.answers.clone_from(&old.answers);
        }
    });
    assert!(signed(&resolver) < newer);
}

#[test]
fn of_two_signatures_the_newest_that_holds_tells_the_age() {
    let world = world();
    let resolver = resolver(&world);
    let signature = |from: i64| {
        world.times(NAME, from, now() + 1000);
        let answer = world.answer(NAME, RecordType::TXT);
        answer.answers.into_iter().find(|record| record.record_type() == RecordType::RRSIG).unwrap()
    };
    let (older, newer) = (now() - 2000, now() - 1000);
    let signatures = [signature(older), signature(newer)];
    // Somebody adds one that seems to be newer still.
    let mut forged = signatures[1].clone();
    if let RData::DNSSEC(DNSSECRData::RRSIG(genuine)) = &mut forged.data {
        let input =
            SigInput { sig_inception: SerialNumber::new(u32::try_from(now() - 1).unwrap()), ..genuine.input().clone() };
        *genuine = RRSIG::from_sig(input, genuine.sig().to_vec());
    }
    let signed = |three: [&Record; 3]| {
        let three = three.map(Clone::clone);
        world.lie(move |answer| {
            if answer.queries[0].query_type() == RecordType::TXT {
                answer.answers.retain(|record| record.record_type() == RecordType::TXT);
                answer.answers.extend(three.iter().cloned());
            }
        });
        match resolver.txt(NAME) {
            Found::Secure { signed, .. } => i64::from(signed.at),
            other => panic!("{other:?}"),
        }
    };
    let [older, genuine] = &signatures;
    for order in
        [[older, genuine, &forged], [&forged, genuine, older], [genuine, older, &forged], [older, &forged, genuine]]
    {
        assert_eq!(signed(order), newer);
    }
}

#[test]
fn a_zone_is_insecure_only_if_its_parent_proves_that() {
    let world = world();
    let resolver = resolver(&world);
    // Its DS is taken out on the way, without a proof that there is none.
    world.lie(|answer| {
        let query = answer.queries[0].clone();
        if query.query_type() == RecordType::DS && query.name().to_string() == "alpha.example." {
            answer.answers.clear();
        }
    });
    let found = resolver.txt(NAME);
    assert!(why(&found).contains("no DS record of alpha.example, and no proof"), "{found:?}");
    // Stripped of its signatures as well, it still is not insecure.
    world.lie(|answer| {
        let query = answer.queries[0].clone();
        if query.query_type() == RecordType::DS && query.name().to_string() == "alpha.example." {
            answer.answers.clear();
        }
        if query.query_type() == RecordType::TXT {
            answer.answers.retain(|record| record.record_type() != RecordType::RRSIG);
        }
    });
    assert!(why(&resolver.txt(NAME)).contains("no signature"));
    world.lie(|_| {});
    world.unsign("alpha.example.");
    assert_eq!(resolver.txt(NAME), Found::Insecure);
    assert_eq!(resolver.v4(NAME), Found::Insecure);
}

#[test]
fn keys_that_nobody_vouches_for_are_named() {
    let world = world();
    world.rekey("alpha.example.");
    let found = resolver(&world).txt(NAME);
    assert!(why(&found).contains("alpha.example do not validate: its parent vouches for other keys"), "{found:?}");
    let stranger = Resolver::new(&[world.address], Some(&other_anchor()), Duration::from_secs(2)).unwrap();
    let found = Patient(stranger).txt(NAME);
    assert!(why(&found).contains("not those of the trust anchor"), "{found:?}");
}

#[test]
fn a_resolver_that_is_silent_is_passed_over_and_named() {
    let world = world();
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let servers = [silent.local_addr().unwrap(), world.address];
    let both = Patient(Resolver::new(&servers, Some(&world.anchors), Duration::from_millis(500)).unwrap());
    assert!(matches!(both.v4(NAME), Found::Secure { .. }));
    let none = Patient(Resolver::new(&servers[..1], Some(&world.anchors), Duration::from_millis(500)).unwrap());
    assert_eq!(none.v4(NAME), Found::Unanswered(format!("{} does not answer within 0.5 s", servers[0])));
    let failing = |answer: &mut hickory_net::proto::op::Message| answer.metadata.response_code = ResponseCode::ServFail;
    world.lie(failing);
    assert!(matches!(resolver(&world).v4(NAME), Found::Unanswered(why) if why.contains("Server Failure")));
}

#[test]
fn a_question_ends_when_the_time_is_over_or_nobody_waits_any_more() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = Resolver::new(&[silent.local_addr().unwrap()], None, Duration::from_hours(1)).unwrap();
    let over = Found::Unanswered("no answer came before the time was over".into());
    let (running, cancelled, began) = (AtomicBool::new(false), AtomicBool::new(true), Instant::now());
    let soon = Until { end: began + Duration::from_millis(100), cancelled: &running };
    assert_eq!(resolver.v4(NAME, soon), over);
    assert!(began.elapsed() >= Duration::from_millis(100));
    // Nothing is left for the next.
    assert_eq!(resolver.v4(NAME, soon), over);
    assert_eq!(resolver.v4(NAME, Until { end: began + Duration::from_hours(1), cancelled: &cancelled }), over);
}

#[test]
fn an_answer_that_is_cut_off_is_asked_for_over_tcp() {
    let world = world();
    world.cut_off_over_udp();
    assert!(matches!(resolver(&world).txt(NAME), Found::Secure { records, .. } if records.len() == 1));
}

#[test]
fn settings_with_a_mistake_are_refused() {
    let server: SocketAddr = "127.0.0.1:53".parse().unwrap();
    let wrong = |anchors: &str| match Resolver::new(&[server], Some(anchors), Duration::from_secs(1)) {
        Ok(_) => panic!("accepted: {anchors}"),
        Err(failure) => failure.to_string(),
    };
    let world = World::new();
    let short = world.anchors.replace(" IN ", " ");
    let autotrust = format!("; autotrust\n\n{} ;;state=2\n", world.anchors.trim().replace(" IN ", " 172800 IN "));
    for anchors in [short, autotrust] {
        assert!(Resolver::new(&[server], Some(&anchors), Duration::from_secs(1)).is_ok(), "{anchors}");
    }
    assert!(wrong("").contains("no key"));
    assert!(wrong("hello").contains("not trust anchors"));
    assert!(Resolver::new(&[], None, Duration::from_secs(1)).is_err());
    for (text, address) in [
        ("10.0.0.53", "10.0.0.53:53"),
        ("10.0.0.53:5353", "10.0.0.53:5353"),
        ("2001:db8::53", "[2001:db8::53]:53"),
        ("[2001:db8::53]", "[2001:db8::53]:53"),
        ("[2001:db8::53]:5353", "[2001:db8::53]:5353"),
    ] {
        assert_eq!(parse_server(text).unwrap().to_string(), address);
    }
    assert!(parse_server("dns.example").is_err() && parse_server("10.0.0.53:0").is_err());
    let conf = "# x\nnameserver 10.0.0.53\nsearch example\nnameserver 2001:db8::53 # second\nnameserver fe80::1%eth0\n";
    assert_eq!(in_resolv_conf(conf).len(), 2);
}
