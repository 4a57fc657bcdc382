//! The API's client before a stand-in that answers well, badly, half, or without end.

use super::stand_in::{StandIn, answer};
use super::*;
use crate::chain::charon::testing::{Cluster, LOCK};
use crate::chain::charon::{Rules, Version};
use std::io::Write;
use std::net::TcpListener;
use std::thread;

fn page_of(request: &str) -> u64 {
    let (_, rest) = request.split_once("page=").unwrap();
    rest.split('&').next().unwrap().parse().unwrap()
}

fn system() -> System {
    System::new("/nonexistent")
}

fn operator() -> Address {
    Address::repeat_byte(7)
}

fn listed(number: u64) -> Value {
    json!({"config_hash": format!("0x{number:064x}"), "operators": [{"address": operator().to_checksum(None)}]})
}

fn ask(url: &str) -> Answer<Vec<Value>> {
    let system = system();
    let mut api = Api::new(&system, url);
    api.patience = Duration::from_secs(5);
    api.definitions(operator())
}

#[test]
fn all_pages_are_read_wherever_they_begin_and_each_cluster_is_there_once() {
    // Pages from 0 with `total_pages`, from 1 with `total_pages`, with `has_next_page`, with neither.
    let from_zero = StandIn::new(|request| {
        let page = page_of(request);
        let list: Vec<Value> = if page < 3 { vec![listed(page), listed(page + 1)] } else { vec![] };
        answer("200 OK", &json!({"cluster_definitions": list, "total_count": 4, "total_pages": 3}).to_string())
    });
    let from_one = StandIn::new(|request| match page_of(request) {
        0 => answer("400 Bad Request", "{}"),
        page => {
            answer("200 OK", &json!({"cluster_definitions": [listed(page), listed(99)], "total_pages": 3}).to_string())
        }
    });
    let next = StandIn::new(|request| {
        let page = page_of(request);
        answer("200 OK", &json!({"cluster_definitions": [listed(page)], "has_next_page": page < 3}).to_string())
    });
    let neither = StandIn::new(|request| {
        let page = page_of(request);
        let list: Vec<Value> = if page < 4 { vec![listed(page)] } else { vec![] };
        answer("200 OK", &json!({"cluster_definitions": list}).to_string())
    });
    // Page 0 is page 1 once more, or is not there.
    let clamped = StandIn::new(|request| {
        let list = [listed(page_of(request).max(1))];
        answer("200 OK", &json!({"cluster_definitions": list, "total_pages": 4}).to_string())
    });
    let missing = StandIn::new(|request| match page_of(request) {
        0 => answer("404 Not Found", "{}"),
        page => answer("200 OK", &json!({"cluster_definitions": [listed(page)], "total_pages": 4}).to_string()),
    });
    // Page 0 is too much for it; and a page after the last is.
    let stumbling = StandIn::new(|request| match page_of(request) {
        0 => answer("500 Internal Server Error", "OFFSET must not be negative"),
        page => answer("200 OK", &json!({"cluster_definitions": [listed(page)], "total_pages": 4}).to_string()),
    });
    let strict = StandIn::new(|request| match page_of(request) {
        page @ 0..4 => answer("200 OK", &json!({"cluster_definitions": [listed(page)], "total_pages": 4}).to_string()),
        _ => answer("400 Bad Request", "{}"),
    });
    for stand_in in [from_zero, from_one, next, neither, clamped, missing, stumbling, strict] {
        assert_eq!(ask(&stand_in.url).unwrap().len(), 4, "{:?}", stand_in.asked());
    }
    let nothing = StandIn::new(|_| answer("404 Not Found", "{}"));
    assert!(ask(&format!("{}{OPERATOR}0x00", nothing.url)).unwrap().is_empty());
    assert!(nothing.asked()[0].starts_with(&format!("GET {OPERATOR}{}?page=0&limit=100", operator())));
}

#[test]
fn a_list_that_never_ends_ends() {
    // The same page for ever, and ever new ones.
    let same = StandIn::new(|_| {
        answer("200 OK", &json!({"cluster_definitions": [listed(1)], "total_pages": u64::MAX}).to_string())
    });
    assert_eq!(ask(&same.url).unwrap().len(), 1);
    assert_eq!(same.asked().len(), 3);
    let new = StandIn::new(|request| {
        let list = json!({"cluster_definitions": [listed(page_of(request))], "has_next_page": true});
        answer("200 OK", &list.to_string())
    });
    let trouble = ask(&new.url).unwrap_err();
    assert!(trouble.passing && trouble.failure.message.contains("more than 1000 pages"), "{trouble:?}");
    // Pages that are small enough, and too many.
    let system = system();
    let mut api = Api::new(&system, &new.url);
    api.largest_list = 10_000;
    let trouble = api.definitions(operator()).unwrap_err();
    assert!(trouble.passing && trouble.failure.message.contains("and is not read"), "{trouble:?}");
    assert!(new.asked().len() < 1200);
    // Nor is there time for ever.
    api.until = Some(Instant::now());
    let trouble = api.definitions(operator()).unwrap_err();
    assert!(trouble.failure.message.contains("does not come to an end in time"), "{trouble:?}");
}

#[test]
fn a_lock_is_told_and_a_second_time_does_no_harm() {
    let system = system();
    for status in ["201 Created", "409 Conflict"] {
        let stand_in = StandIn::new(move |_| answer(status, "{}"));
        Api::new(&system, &stand_in.url).publish(&json!({"lock_hash": "0x12"})).unwrap();
        let [post] = stand_in.asked().try_into().unwrap();
        assert!(post.starts_with("POST /v1/lock ") && post.contains("0x12"), "{post}");
        assert!(!post.to_lowercase().contains("authorization"), "{post}");
    }
    let refusing = StandIn::new(|_| answer("400 Bad Request", "{\"message\": \"no\"}"));
    let trouble = Api::new(&system, &refusing.url).publish(&json!({})).unwrap_err();
    assert!(!trouble.passing && trouble.failure.message.contains("400"), "{trouble:?}");
}

#[test]
fn a_gigabyte_is_not_read() {
    let said = StandIn::new(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n{".to_vec());
    // Without a length it is sent, as far as it is read.
    let sent = StandIn::new(|_| [&b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"[..], &vec![b' '; 20 << 20]].concat());
    for stand_in in [said, sent] {
        let system = system();
        let api = Api { patience: Duration::from_mins(1), ..Api::new(&system, &stand_in.url) };
        let trouble = api.definitions(operator()).unwrap_err();
        assert!(trouble.failure.message.contains("more than 16384 KiB"), "{trouble:?}");
    }
}

#[test]
fn garbage_half_an_answer_and_an_overloaded_server_pass() {
    let cases: [(Vec<u8>, &str, Option<u64>); 6] = [
        (answer("200 OK", "<html>"), "no JSON", None),
        (answer("200 OK", "{\"cluster_definitions\": [{\"conf"), "no JSON, or half of it", None),
        (answer("200 OK", "{\"ok\": 1}"), "has no `cluster_definitions`", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"cluster".to_vec(), "breaks off", None),
        (b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n".to_vec(), "429", Some(17)),
        (answer("503 Service Unavailable", "later"), "503", None),
    ];
    for (bytes, reason, after) in cases {
        let stand_in = StandIn::new(move |_| bytes.clone());
        let trouble = ask(&stand_in.url).unwrap_err();
        assert!(trouble.passing && trouble.failure.message.contains(reason), "{trouble:?}");
        assert_eq!(trouble.after, after.map(Duration::from_secs));
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(ask(&format!("http://{nobody}")).unwrap_err().passing);
}

#[test]
fn a_server_that_drips_is_left_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        while stream.write_all(b" ").is_ok() {
            thread::park_timeout(Duration::from_millis(10));
        }
    });
    let system = system();
    let mut api = Api::new(&system, &url);
    api.patience = Duration::from_millis(300);
    let trouble = api.definitions(operator()).unwrap_err();
    assert!(trouble.failure.message.contains("in time"), "{trouble:?}");
}

#[test]
fn a_lock_is_asked_for_by_its_hash_and_a_ceremony_is_over_once_its_lock_is_known() {
    let (made, strange) = (Lock::parse(LOCK).unwrap().definition.compute_config_hash().unwrap(), B256::repeat_byte(2));
    let stand_in = StandIn::new(move |request| match request {
        it if it.contains(&format!("/v1/lock/{} ", B256::ZERO)) => answer("200 OK", "{\"lock\": 1}"),
        it if it.contains(&format!("/v1/lock/configHash/{made} ")) => answer("200 OK", LOCK),
        it if it.contains(&format!("/v1/lock/configHash/{} ", B256::ZERO)) => answer("200 OK", "null"),
        it if it.contains(&format!("/v1/lock/configHash/{strange} ")) => answer("200 OK", LOCK),
        _ => answer("404 Not Found", "{}"),
    });
    let system = system();
    let api = Api::new(&system, &stand_in.url);
    let other = B256::repeat_byte(1);
    assert_eq!((api.lock(B256::ZERO).unwrap(), api.lock(other).unwrap()), (Some(json!({"lock": 1})), None));
    assert_eq!(api.lock_of(made).unwrap().unwrap()["lock_hash"], Lock::parse(LOCK).unwrap().lock_hash.to_string());
    assert!(api.lock_of(other).unwrap().is_none());
    // Nothing, and the lock of another cluster, are no answer.
    for hash in [B256::ZERO, strange] {
        let trouble = api.lock_of(hash).unwrap_err();
        assert!(trouble.passing && trouble.failure.message.contains("no lock of this cluster"), "{trouble:?}");
    }
}

#[test]
fn agreeing_is_told_with_both_signatures_and_a_second_time_does_no_harm() {
    let cluster = Cluster::new();
    let mut definition = cluster.offered(Version::V1_10);
    definition.accept(&cluster.accounts[1], &cluster.nodes[1], &Rules::default()).unwrap();
    let stand_in = StandIn::new(|request| match request {
        it if it.starts_with("PUT") => answer("409 Conflict", "{}"),
        _ => answer("201 Created", "{}"),
    });
    let system = system();
    let api = Api::new(&system, &stand_in.url);
    api.accept_terms(&cluster.accounts[1], 560_048).unwrap();
    api.accept(&definition, &cluster.accounts[1]).unwrap();
    let [terms, put] = stand_in.asked().try_into().unwrap();
    assert!(terms.starts_with("POST /v1/termsAndConditions") && terms.contains(TERMS_HASH), "{terms}");
    let operator = &definition.operators[1];
    assert!(put.starts_with(&format!("PUT /v1/definition/{} ", definition.config_hash)), "{put}");
    let token = format!("authorization: bearer {}", operator.config_signature);
    assert!(put.to_lowercase().contains(&token) && put.contains(&operator.enr), "{put}");

    for (status, help) in
        [("401 Unauthorized", "agreed to Obol's terms"), ("404 Not Found", "does not know this cluster")]
    {
        let refusing = StandIn::new(move |_| answer(status, "{\"message\": \"no\"}"));
        let trouble = Api::new(&system, &refusing.url).accept(&definition, &cluster.accounts[1]).unwrap_err();
        assert!(!trouble.passing && trouble.failure.to_string().contains(help), "{trouble:?}");
    }
}
