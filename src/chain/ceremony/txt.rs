//! The TXT record by which an organisation tells where its node is and whose key it has: `p=30303; k=KEY`.
//!
//! The form is Autonity's; the parts may stand in any order. Beside them stand, where needed, `a=ADDRESS` (the account that
//! seals, if it is not the node key's own) and `c=ID` (the ceremony for which the record was published: see
//! [`Sheet::id`](super::Sheet::id)). Other parts are passed over.
//!
//! Read is what a master file or the form of a provider really makes of it: one string or several (they are one text, as
//! RFC 7208 has it), with and without spaces, with a `\;` or `"` that somebody's form took literally.

use crate::base::{Failure, failure::Result};
use crate::chain::enode::parse_public_key;
use crate::chain::genesis::json::shorten;
use crate::chain::{Address, parse_address};
use std::fmt::Write as _;

/// The port of devp2p that is meant where none is written.
pub const USUAL_PORT: u16 = 30303;

/// The names of its parts.
const OURS: [&str; 4] = ["p", "k", "a", "c"];

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `p`: the port of devp2p.
    pub port: u16,
    /// `k`: the node's public key, 128 digits, lower case: a point of the curve.
    pub key: String,
    /// `a`: the account that seals.
    pub account: Option<Address>,
    /// `c`: the ceremony for which it was published.
    pub ceremony: Option<String>,
}

/// Reads the TXT records of a name. Those that have nothing of ours (a name may have others: SPF, proofs of ownership) are
/// passed over, and exactly one must be left.
pub fn read(records: &[Vec<Vec<u8>>]) -> Result<Entry> {
    let texts: Vec<String> = records.iter().map(|strings| join(strings)).collect();
    let has = |text: &str, names: &[&str]| parts(text).any(|(name, _)| names.contains(&name.as_str()));
    let ours: Vec<&String> = texts.iter().filter(|text| has(text, &OURS)).collect();
    match (ours.as_slice(), texts.as_slice()) {
        ([one], _) => parse(one),
        ([], [only]) => parse(only),
        ([], _) => Err(Failure::new(format!("none of the {} TXT records has a key (`k=`)", texts.len()))
            .help("publish one TXT record of the form `p=30303; k=` and 128 hexadecimal digits")),
        (several, _) => Err(match several.iter().filter(|text| has(text, &["k"])).count() {
            // What stands in another record would be left out without a word.
            0 | 1 => {
                let names = OURS.iter().filter(|name| several.iter().any(|text| has(text, &[name])));
                let names: Vec<String> = names.map(|name| format!("`{name}=`")).collect();
                Failure::new(format!("its parts are in {} TXT records: {}", several.len(), names.join(", ")))
                    .help("publish them in one TXT record, as `p=30303; k=..`, and delete the others")
            }
            keys => Failure::new(format!("{keys} TXT records have a key (`k=`), and only one can count"))
                .help("delete those that are out of date"),
        }),
    }
}

/// The text of a record, from its strings: joined, and without what a form should have taken away.
pub(super) fn join(strings: &[Vec<u8>]) -> String {
    let text = String::from_utf8_lossy(&strings.concat()).into_owned();
    if !text.contains(['"', '\\']) {
        return text;
    }
    // The text of a master file was taken literally: `"p=30303; " "k=.."`, `p=30303\; k=..`, `p=30303\059 k=..`.
    let (mut plain, mut quoted) = (String::new(), false);
    let mut rest = text.replace("\\\"", "\"");
    while let Some(at) = rest.find(['"', '\\']) {
        let (before, after) = rest.split_at(at);
        if quoted || !before.trim().is_empty() {
            plain.push_str(before);
        }
        let after = if let Some(after) = after.strip_prefix('"') {
            quoted = !quoted;
            after.to_owned()
        } else {
            let code = after.get(1..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
            match code.and_then(|digits| digits.parse::<u8>().ok()).filter(u8::is_ascii) {
                Some(byte) => {
                    plain.push(char::from(byte));
                    after[4..].to_owned()
                }
                None => after[1..].to_owned(),
            }
        };
        rest = after;
    }
    plain + &rest
}

/// The parts of a text, names in lower case. What has no `=` has an empty name.
pub(super) fn parts(text: &str) -> impl Iterator<Item = (String, &str)> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(|part| match part.split_once('=') {
        Some((name, value)) => (name.trim().to_ascii_lowercase(), value.trim()),
        None => (String::new(), part),
    })
}

fn parse(text: &str) -> Result<Entry> {
    parse_parts(text).map_err(|failure| {
        // `p=30303 k=..`, or two strings of one record, which are joined to `p=30303k=..`.
        let separated = ["p=", "k=", "P=", "K="].iter().fold(text.to_owned(), |text, name| {
            text.replace(name, &format!(";{name}"))
        });
        match parse_parts(&separated) {
            Ok(_) => Failure::new("no `;` stands between its parts").help(
                "write `p=30303; k=..` in one string; between several strings of one record nothing is put: \"p=30303; \" \"k=..\"",
            ),
            Err(_) => failure,
        }
    })
}

fn parse_parts(text: &str) -> Result<Entry> {
    let form = "the form is `p=30303; k=` and 128 hexadecimal digits";
    if text.trim().is_empty() {
        return Err(Failure::new("the TXT record is empty").help(form));
    }
    let (mut port, mut key, mut account, mut ceremony) = (None, None, None, None);
    for (name, value) in parts(text) {
        let place = match name.as_str() {
            "p" => &mut port,
            "k" => &mut key,
            "a" => &mut account,
            "c" => &mut ceremony,
            "" if value.eq_ignore_ascii_case("p") || value.eq_ignore_ascii_case("k") => {
                return Err(Failure::new(format!("`{value}` stands there without a value")).help(form));
            }
            _ => continue,
        };
        if place.replace(value).is_some() {
            return Err(Failure::new(format!("`{name}=` stands there twice")).help(form));
        }
    }
    let Some(key) = key else {
        return Err(if let Some(port) = port {
            parse_port(port)?;
            Failure::new("it ends without a key (`k=`)")
                .help("in a master file a `;` outside of quotes begins a comment: write the text in quotes, or `\\;`")
        } else {
            Failure::new("it has no key (`k=`)").help(form)
        });
    };
    if key.is_empty() {
        return Err(Failure::new("its key (`k=`) is empty").help(form));
    }
    // What is in the record is everybody's to read; a private key there is still not repeated by parse_public_key.
    let key = parse_public_key(key).map_err(|failure| failure.context("`k=`"))?;
    let port = match port {
        None => USUAL_PORT,
        Some(text) => parse_port(text)?,
    };
    let account = account.map(parse_address).transpose().map_err(|failure| failure.context("`a=`"))?;
    if account == Some(Address::ZERO) {
        return Err(Failure::new("`a=`: nobody has the account 0x0").help("write the address of the sealing account"));
    }
    Ok(Entry { port, key, account, ceremony: ceremony.map(str::to_ascii_lowercase) })
}

fn parse_port(text: &str) -> Result<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(0) => Err(Failure::new("the port (`p=`) is 0: nobody could connect").help("write a port from 1 to 65535")),
        Ok(port) if digits => Ok(port),
        _ if digits => {
            Err(Failure::new(format!("the port (`p=`) is {text}, more than 65535"))
                .help("write a port from 1 to 65535"))
        }
        _ => Err(Failure::new(format!("the port (`p=`) is `{}`, not a number", shorten(text).escape_default()))
            .help("the parts of the record are separated by `;`: `p=30303; k=..`")),
    }
}

impl Entry {
    /// The text of the record: one string, with fewer than 255 bytes.
    pub fn text(&self) -> String {
        let Self { port, key, account, ceremony } = self;
        let mut text = format!("p={port}; k={key}");
        if let Some(account) = account {
            let _ = write!(text, "; a={account}");
        }
        if let Some(ceremony) = ceremony {
            let _ = write!(text, "; c={ceremony}");
        }
        text
    }
}

/// A text as master files have it: in quotes, `"` and `\` escaped, what is not printable as `\DDD`. Texts of more than 255
/// bytes become several strings. A `;` needs no escape in quotes.
pub fn quoted(text: &[u8]) -> String {
    let string = |bytes: &[u8]| {
        let mut out = String::from("\"");
        for byte in bytes {
            match byte {
                b'"' | b'\\' => {
                    out.push('\\');
                    out.push(char::from(*byte));
                }
                b' '..=b'~' => out.push(char::from(*byte)),
                _ => {
                    let _ = write!(out, "\\{byte:03}");
                }
            }
        }
        out + "\""
    };
    if text.is_empty() {
        return "\"\"".into();
    }
    text.chunks(255).map(string).collect::<Vec<_>>().join(" ")
}

/// A line of a zone file: `NAME. TTL IN TYPE DATA`.
pub fn zone_line(fqdn: &str, ttl: u32, kind: &str, data: &str) -> String {
    format!("{}. {ttl} IN {kind} {data}", fqdn.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f";
    const OTHER: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

    fn one(strings: &[&str]) -> Result<Entry> {
        read(&[strings.iter().map(|string| string.as_bytes().to_vec()).collect()])
    }

    fn entry() -> Entry {
        Entry { port: 30303, key: KEY.into(), account: None, ceremony: None }
    }

    #[test]
    fn every_form_that_a_zone_really_has_is_read() {
        let (first, second) = KEY.split_at(50);
        for strings in [
            vec![format!("p=30303; k={KEY}")],
            vec![format!("p=30303;k={KEY}")],
            vec![format!("k={KEY}; p=30303;")],
            vec![format!("  p = 30303 ;  K = {}  ", KEY.to_uppercase())],
            vec![format!("k={KEY}")],
            vec![format!("p=30303; k=0x{KEY}")],
            vec![format!("p=30303; k=04{KEY}")],
            vec!["p=30303;".into(), format!("k={KEY}")],
            vec!["p=30303; k=".into(), KEY.into()],
            vec![format!("p=30303; k={first}"), second.into()],
            vec![format!("p=30303\\; k={KEY}")],
            vec![format!("p=30303\\059 k={KEY}")],
            vec![format!("\"p=30303; k={KEY}\"")],
            vec![format!("\\\"p=30303; k={KEY}\\\"")],
            vec![format!("\"p=30303; k={first}\" \"{second}\"")],
            vec![format!("v=autonity1; p=30303; k={KEY}; note=x=y")],
        ] {
            let strings: Vec<&str> = strings.iter().map(String::as_str).collect();
            assert_eq!(one(&strings).unwrap(), entry(), "{strings:?}");
        }
    }

    #[test]
    fn what_is_refused_says_why() {
        let off_curve = "1".repeat(128);
        for (text, reason) in [
            (String::new(), "is empty"),
            ("hello".into(), "no key"),
            ("p=30303".into(), "ends without a key"),
            ("p=30303; k".into(), "without a value"),
            ("p=30303; k=".into(), "is empty"),
            (format!("p=0; k={KEY}"), "is 0"),
            (format!("p=65536; k={KEY}"), "more than 65535"),
            (format!("p=99999999999; k={KEY}"), "more than 65535"),
            (format!("p=+1; k={KEY}"), "not a number"),
            (format!("p=; k={KEY}"), "not a number"),
            (format!("p=30303 k={KEY}"), "no `;` stands between its parts"),
            (format!("k={KEY}p=30303"), "no `;` stands between its parts"),
            (format!("\"P=30303\" \"K={KEY}\""), "no `;` stands between its parts"),
            (format!("p=0 k={KEY}"), "not a number"),
            (format!("p=30303, k={KEY}"), "not a number"),
            (format!("p=1; p=2; k={KEY}"), "`p=` stands there twice"),
            (format!("k={KEY}; K={KEY}"), "`k=` stands there twice"),
            (format!("p=30303; k={off_curve}"), "not a public key"),
            (format!("p=30303; k={}", &KEY[1..]), "not a public key"),
            (format!("p=30303; k={}", KEY.replace('c', "z")), "not a public key"),
            (format!("p=30303; k={}", "1".repeat(64)), "as a private key has"),
            (format!("k={KEY}; a=0x12"), "`a=`: `0x12` is not an address"),
            (format!("k={KEY}; a={}", OTHER.replace("ed", "eD")), "checksum"),
            (format!("k={KEY}; a=0x{}", "0".repeat(40)), "nobody"),
        ] {
            let failure = one(&[&text]).unwrap_err();
            assert!(failure.message.contains(reason), "{text}: {failure}");
            assert!(!failure.to_string().contains(&"1".repeat(64)) || text.len() > 100, "{failure}");
        }
    }

    #[test]
    fn other_records_of_the_name_are_passed_over() {
        let strings = |text: &str| vec![text.as_bytes().to_vec()];
        let ours = strings(&format!("p=30303; k={KEY}"));
        assert_eq!(read(&[strings("v=spf1 -all"), ours.clone()]).unwrap(), entry());
        let failure = read(&[ours.clone(), ours]).unwrap_err();
        assert!(failure.message.contains("2 TXT records have a key"), "{failure}");
        let failure = read(&[strings("v=spf1 -all"), strings("x")]).unwrap_err();
        assert!(failure.message.contains("none of the 2"), "{failure}");
    }

    #[test]
    fn no_part_in_a_record_of_its_own_is_left_out_in_silence() {
        let strings = |text: &str| vec![text.as_bytes().to_vec()];
        let key = strings(&format!("k={KEY}"));
        for (part, names) in [
            ("p=30304", "`p=`, `k=`"),
            ("a=0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "`k=`, `a=`"),
            ("c=00ff00ff00ff00ff", "`k=`, `c=`"),
            ("v=x; P = 1", "`p=`, `k=`"),
        ] {
            let failure = read(&[strings("v=spf1 a -all"), key.clone(), strings(part)]).unwrap_err();
            assert_eq!(failure.message, format!("its parts are in 2 TXT records: {names}"));
        }
        let failure = read(&[strings("p=1"), strings("p=2")]).unwrap_err();
        assert_eq!(failure.message, "its parts are in 2 TXT records: `p=`");

        // Strings of one record are another thing: they are one text.
        let failure = one(&["p=30303", &format!("k={KEY}")]).unwrap_err();
        assert_eq!(failure.message, "no `;` stands between its parts");
        assert!(failure.help.unwrap().contains("\"p=30303; \" \"k=..\""));
    }

    #[test]
    fn what_is_written_is_one_string_that_is_read_back() {
        let entry = Entry {
            port: 1,
            key: KEY.into(),
            account: Some(OTHER.parse().unwrap()),
            ceremony: Some("00ff00ff00ff00ff".into()),
        };
        let text = entry.text();
        assert!(text.len() < 255);
        assert_eq!(one(&[&text]).unwrap(), entry);
        assert_eq!(
            zone_line("node.alpha.example", 60, "TXT", &quoted(text.as_bytes())),
            format!("node.alpha.example. 60 IN TXT \"p=1; k={KEY}; a={OTHER}; c=00ff00ff00ff00ff\"")
        );
        assert_eq!(quoted(b"a\"b\\\xff"), "\"a\\\"b\\\\\\255\"");
        assert_eq!(quoted(&[b'x'; 256]).len(), 255 + 2 + 1 + 3);
    }

    proptest::proptest! {
        #[test]
        fn no_record_makes_the_reader_panic(text in "\\PC{0,40}", more in "[pkac=;\\\\\" 0-9]{0,40}") {
            let _ = one(&[&text, &more]);
            let _ = one(&[&more, &text]);
            let _ = one(&[&format!("k={KEY};{more}")]);
        }
    }
}
