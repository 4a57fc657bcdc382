//! Records: the example of EIP-778, what is refused, round trips.

use super::*;
use proptest::prelude::*;

const EXAMPLE: &str = "enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8";
const KEY: &str = "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291";

fn key() -> NodeKey {
    NodeKey::from_hex(KEY).unwrap()
}

fn content() -> Content {
    Content { seq: 1, ip: Some([127, 0, 0, 1].into()), udp: Some(30303), ..Content::default() }
}

/// A record of any list, signed or not.
fn text(items: &[&[u8]]) -> String {
    let payload: Vec<u8> = items.iter().flat_map(|item| alloy_rlp::encode(*item)).collect();
    let mut bytes = Vec::new();
    Header { list: true, payload_length: payload.len() }.encode(&mut bytes);
    bytes.extend(payload);
    format!("enr:{}", BASE64.encode(bytes))
}

#[test]
fn the_example_of_eip_778_is_read_and_made() {
    let record: Record = EXAMPLE.parse().unwrap();
    record.verify().unwrap();
    assert_eq!(record.content().unwrap(), content());
    assert_eq!(hex::encode(record.id().unwrap()), "a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7");
    assert_eq!(record.public_key().unwrap(), key().public_key());
    assert_eq!(record.to_string(), EXAMPLE);
    assert_eq!(Record::sign(&content(), &key()).unwrap().to_string(), EXAMPLE);
}

#[test]
fn an_enode_and_a_record_say_the_same() {
    for place in
        ["10.1.2.3:30303", "10.1.2.3:30303?discport=0", "[2001:db8::1]:30303?discport=30301", "10.1.2.3:0?discport=1"]
    {
        let enode: Enode = format!("enode://{}@{place}", key().public_key()).parse().unwrap();
        let record = Record::sign(&Content::of(&enode, 7).unwrap(), &key()).unwrap();
        assert_eq!(record.enode().unwrap(), enode);
    }
    let named: Enode = format!("enode://{}@node.example:30303", key().public_key()).parse().unwrap();
    assert!(Content::of(&named, 1).unwrap_err().message.contains("is a name"));
    let nowhere = Record::sign(&Content::default(), &key()).unwrap();
    assert!(nowhere.enode().unwrap_err().message.contains("no address"));
}

#[test]
fn a_record_that_was_changed_is_found_out() {
    let mut record: Record = EXAMPLE.parse().unwrap();
    record.seq = 2;
    assert!(record.verify().unwrap_err().message.contains("signature"));
    let mut record: Record = EXAMPLE.parse().unwrap();
    record.pairs.insert(b"ip".to_vec(), alloy_rlp::encode(&[10_u8, 0, 0, 1][..]));
    assert!(record.to_string().parse::<Record>().unwrap().verify().unwrap_err().message.contains("signature"));
}

#[test]
fn what_is_no_record_is_named_with_the_reason() {
    let signature = [1_u8; 64];
    for (text, reason) in [
        ("enode://x".to_owned(), "begin with enr:"),
        ("enr:*".to_owned(), "base64"),
        (EXAMPLE[..EXAMPLE.len() - 4].to_owned(), "cut short"),
        (text(&[&signature[..63], &[1]]), "64 bytes"),
        (text(&[&signature, &[1], b"id", b"v4", b"id", b"v4"]), "`id` comes twice"),
        (text(&[&signature, &[1], b"ip", b"1234", b"id", b"v4"]), "not sorted: `id`"),
        (text(&[&signature, &[1], b"id"]), "`id` has no value"),
        (text(&[&signature, &[1], b"a", &[7; 300]]), "300 is the most"),
    ] {
        let message = text.parse::<Record>().unwrap_err().message;
        assert!(message.contains(reason), "{message}");
    }
    for (text, reason) in [
        (text(&[&signature, &[1]]), "no identity scheme"),
        (text(&[&signature, &[1], b"id", b"v5"]), "`v5`"),
        (text(&[&signature, &[1], b"id", b"v4"]), "no public key"),
        (text(&[&signature, &[1], b"id", b"v4", b"secp256k1", &[9; 33]]), "no point"),
        (text(&[&signature, &[1], b"id", b"v4", b"secp256k1", &[2; 32]]), "32 bytes instead of 33"),
        (text(&[&signature, &[1], b"id", b"v4", b"secp256k1", &key().compressed()]), "signature"),
    ] {
        let message = text.parse::<Record>().unwrap().verify().unwrap_err().message;
        assert!(message.contains(reason), "{message}");
    }
    let ip = text(&[&signature, &[1], b"ip", b"123"]).parse::<Record>().unwrap();
    assert!(ip.content().unwrap_err().message.contains("3 bytes instead of 4"));
    for port in [&[0_u8, 1][..], &[1, 2, 3]] {
        let record = text(&[&signature, &[1], b"tcp", port]).parse::<Record>().unwrap();
        assert!(record.content().unwrap_err().message.contains("no port"));
    }
}

#[test]
fn what_follows_the_list_is_refused() {
    let mut bytes = BASE64.decode(&EXAMPLE[4..]).unwrap();
    bytes.push(0);
    let text = format!("enr:{}", BASE64.encode(bytes));
    assert!(text.parse::<Record>().unwrap_err().message.contains("something follows"));
}

proptest! {
    #[test]
    fn what_is_signed_is_read_back(seq: u64, ip: Option<Ipv4Addr>, ip6: Option<Ipv6Addr>, tcp: Option<u16>,
        udp: Option<u16>, tcp6: Option<u16>, udp6: Option<u16>, secret in 1..u64::MAX) {
        let key = NodeKey::from_hex(&format!("{secret:064x}")).unwrap();
        let content = Content { seq, ip, tcp, udp, ip6, tcp6, udp6 };
        let record: Record = Record::sign(&content, &key).unwrap().to_string().parse().unwrap();
        prop_assert!(record.verify().is_ok());
        prop_assert_eq!(record.content().unwrap(), content);
        prop_assert_eq!(record.public_key().unwrap(), key.public_key());
    }

    #[test]
    fn no_text_makes_the_reader_panic(at in 0..130_usize, byte: u8, rest: Vec<u8>, words in "(enr:)?\\PC{0,40}") {
        let mut bytes = BASE64.decode(&EXAMPLE[4..]).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        let texts = [bytes, rest].map(|bytes| format!("enr:{}", BASE64.encode(bytes)));
        for text in texts.into_iter().chain([words]) {
            if let Ok(record) = text.parse::<Record>() {
                let _ = (record.verify(), record.content(), record.enode());
                prop_assert_eq!(record.to_string().parse::<Record>().unwrap(), record);
            }
        }
    }
}
