//! From the answers of DNS to an organisation's entry, or the reason why there is none (yet).

use super::sheet::{Organisation, Sheet};
use super::txt;
use crate::base::{Failure, failure::Result};
use crate::chain::{Address, Enode};
use crate::system::dns::{Found, Signed};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an organisation has published, validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// What it is called.
    pub name: String,
    /// Its name in DNS.
    pub fqdn: String,
    /// Its node.
    pub enode: Enode,
    /// The account that seals: `a=`, or that of the node's key.
    pub account: Address,
    /// When its TXT record was signed, in seconds since 1970.
    pub signed: u32,
    /// When its address record was.
    pub address_signed: u32,
}

/// Why an organisation does not count (yet).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// One word: missing, insecure, bogus, malformed, ambiguous, alias, unanswered, foreign, shared, replayed, changed; of
    /// ourselves also mistaken; of
    /// a statement also forged and different.
    pub state: &'static str,
    /// The reason, in one sentence.
    pub why: String,
    /// What to do about it, by the organisation or by us.
    pub help: Option<String>,
    is_final: bool,
}

impl Doubt {
    /// A doubt without a remedy.
    pub fn new(state: &'static str, why: impl Into<String>) -> Self {
        Self { state, why: why.into(), help: None, is_final: matches!(state, "changed" | "different") }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What a reader refused.
    pub fn of(state: &'static str, failure: Failure) -> Self {
        Self { help: failure.help, ..Self::new(state, failure.message) }
    }

    /// It may pass for once, for this reason.
    #[must_use]
    pub fn for_now(mut self, because: &str) -> Self {
        self.why = format!("{} ({because})", self.why);
        self.is_final = false;
        self
    }

    /// Whether waiting cannot help.
    pub fn is_final(&self) -> bool {
        self.is_final
    }
}

impl From<Doubt> for Failure {
    fn from(doubt: Doubt) -> Self {
        let failure = Failure::new(format!("{}: {}", doubt.state, doubt.why));
        Failure { help: doubt.help, ..failure }
    }
}

/// The answers for one name.
#[derive(Debug, Clone)]
pub struct Answers {
    /// A records.
    pub v4: Found<Ipv4Addr>,
    /// AAAA records; they are looked at only where the zone of the TXT record proves that there is no A record.
    pub v6: Found<Ipv6Addr>,
    /// TXT records, each a list of strings.
    pub txt: Found<Vec<Vec<u8>>>,
}

/// Judges what a name has.
pub fn judge(sheet: &Sheet, organisation: &Organisation, answers: Answers) -> Result<Party, Doubt> {
    let (texts, signed) = secure(answers.txt, "TXT")?;
    let entry = txt::read(&texts).map_err(|failure| Doubt::of("malformed", failure))?;
    let wanted = sheet.id();
    match &entry.ceremony {
        Some(id) if *id != wanted => {
            return Err(Doubt::new(
                "foreign",
                format!("its record is of another ceremony: c={id}, and this is {wanted}"),
            )
            .help("it is from before, or that party has another sheet or another template: compare their hashes"));
        }
        None if sheet.require_id => {
            return Err(Doubt::new("foreign", "its record does not say for which ceremony it is")
                .help(format!("add `; c={wanted}` to the TXT record")));
        }
        _ => {}
    }
    let (host, address_signed) = address(answers.v4, answers.v6, &signed.zone)?;
    let enode = Enode::new(&entry.key, &host.to_string(), entry.port, entry.port)
        .map_err(|failure| Doubt::of("malformed", failure))?;
    let account = entry.account.unwrap_or_else(|| enode.address());
    let Organisation { name, fqdn } = organisation.clone();
    Ok(Party { name, fqdn, enode, account, signed: signed.at, address_signed })
}

/// The one address: an A record, or an AAAA record where it is proven that there is no A record. Were that not proven,
/// somebody on the way could choose for each party which of the two it sees. All must be of the one zone: what a zone above it
/// has signed may be from before it gave the name away.
fn address(v4: Found<Ipv4Addr>, v6: Found<Ipv6Addr>, zone: &str) -> Result<(IpAddr, u32), Doubt> {
    let (list, signed) = match v4 {
        Found::Missing { proven_by: Some(by) } if by != zone => {
            return Err(stray("proof that it has no A record", zone, &by));
        }
        Found::Missing { proven_by: Some(_) } => match v6 {
            Found::Missing { .. } => return Err(Doubt::new("missing", "it has neither an A nor an AAAA record")),
            v6 => {
                let (list, signed) = secure(v6, "AAAA")?;
                (list.into_iter().map(IpAddr::V6).collect::<Vec<_>>(), signed)
            }
        },
        v4 => {
            let (list, signed) = secure(v4, "A")?;
            (list.into_iter().map(IpAddr::V4).collect(), signed)
        }
    };
    let kind = if list.iter().all(IpAddr::is_ipv4) { "A" } else { "AAAA" };
    if signed.zone != zone {
        return Err(stray(&format!("{kind} record"), zone, &signed.zone));
    }
    let [address] = list.as_slice() else {
        let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
        return Err(Doubt::new("ambiguous", format!("it has {} {kind} records: {}", list.len(), texts.join(", ")))
            .help("a node has one address: delete the others"));
    };
    let unusable = match address {
        IpAddr::V4(ip) => ip.is_broadcast() || ip.is_multicast() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_multicast() || ip.is_unicast_link_local() || ip.to_ipv4_mapped().is_some(),
    };
    if unusable || address.is_unspecified() || address.is_loopback() {
        return Err(Doubt::new("malformed", format!("nobody else can reach a node at {address}")));
    }
    Ok((*address, signed.at))
}

fn stray(what: &str, zone: &str, other: &str) -> Doubt {
    Doubt::new("bogus", format!("its TXT record is signed by the zone {zone}, and the {what} by {other}"))
}

fn secure<T>(found: Found<T>, kind: &str) -> Result<(Vec<T>, Signed), Doubt> {
    Err(match found {
        Found::Secure { records, signed } => return Ok((records, signed)),
        Found::Missing { proven_by: Some(_) } => Doubt::new("missing", format!("it has no {kind} record")),
        Found::Missing { proven_by: None } => {
            Doubt::new("missing", format!("the answer has no {kind} record, and no proof that there is none"))
        }
        Found::NoName => Doubt::new("missing", format!("it has no {kind} record, nor any other")),
        Found::Insecure => Doubt::new(
            "insecure",
            format!("its {kind} record is not signed: its zone is not, or no DS stands in the parent"),
        )
        .help("sign the zone, and have its DS published by the parent"),
        Found::Weak(what) => weak(&format!("its {kind} record"), &what),
        Found::Bogus(why) => Doubt::new("bogus", format!("its {kind} record does not validate: {why}")),
        Found::Alias(target) => Doubt::new("alias", format!("it is an alias (CNAME) of {target}"))
            .help("publish the A and TXT records at the name itself"),
        Found::Unanswered(why) => Doubt::new("unanswered", why),
    })
}

/// Of what only SHA-1 vouches for.
pub fn weak(subject: &str, what: &str) -> Doubt {
    Doubt::new("insecure", format!("{subject} rests on SHA-1, which counts no more (RFC 9905): {what}")).help(
        "sign the zone with ECDSAP256SHA256 (13), and have a DS with a SHA-256 digest (2) published by its parent",
    )
}

/// Refuses two names with one key, one account, or one address, whatever the ports: both of them.
pub fn shared(parties: &[Party]) -> Vec<(String, Doubt)> {
    let mut doubts = Vec::new();
    let mut look = |what: &str, of: &dyn Fn(&Party) -> String| {
        let mut groups: BTreeMap<String, Vec<&Party>> = BTreeMap::new();
        for party in parties {
            groups.entry(of(party)).or_default().push(party);
        }
        for (value, group) in groups.into_iter().filter(|(_, group)| group.len() > 1) {
            for party in &group {
                let others: Vec<&str> =
                    group.iter().filter(|other| other.fqdn != party.fqdn).map(|other| other.name.as_str()).collect();
                let short = if value.len() > 50 { format!("{}..", &value[..16]) } else { value.clone() };
                let why = format!("it has the same {what} as {}: {short}", others.join(", "));
                doubts.push((party.fqdn.clone(), Doubt::new("shared", why)));
            }
        }
    };
    look("key", &|party| party.enode.public_key.clone());
    look("account", &|party| party.account.to_string());
    // Parties that do not trust each other do not share a host.
    look("address", &|party| party.enode.host.clone());
    doubts
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::sheet::tests::sheet;
    use super::super::txt::Entry;
    use super::*;
    use crate::chain::NodeKey;

    pub fn signed(at: u32) -> Signed {
        Signed { at, zone: "alpha.example".into(), ttl: 60 }
    }

    pub fn missing<T>() -> Found<T> {
        Found::Missing { proven_by: Some("alpha.example".into()) }
    }

    /// The answers for a party that did everything right.
    pub fn good(sheet: &Sheet, key: &NodeKey, last: u8) -> Answers {
        let entry = Entry { port: 30303, key: key.public_key(), account: None, ceremony: Some(sheet.id()) };
        Answers {
            v4: Found::Secure { records: vec![Ipv4Addr::new(10, 0, 0, last)], signed: signed(100) },
            v6: missing(),
            txt: Found::Secure { records: vec![vec![entry.text().into_bytes()]], signed: signed(100) },
        }
    }

    fn doubt(change: impl FnOnce(&mut Answers)) -> String {
        let sheet = sheet(&["alpha"]);
        let mut answers = good(&sheet, &NodeKey::generate().unwrap(), 1);
        change(&mut answers);
        let doubt = judge(&sheet, &sheet.organisations[0], answers).unwrap_err();
        format!("{}: {}", doubt.state, doubt.why)
    }

    #[test]
    fn what_is_published_and_valid_counts() {
        let (sheet, key) = (sheet(&["alpha"]), NodeKey::generate().unwrap());
        let answers = good(&sheet, &key, 1);
        let party = judge(&sheet, &sheet.organisations[0], answers.clone()).unwrap();
        assert_eq!(party.enode.to_string(), format!("enode://{}@10.0.0.1:30303", key.public_key()));
        assert_eq!(party.account, key.account().address());

        let six = "2001:db8::1".parse().unwrap();
        let v6 = Found::Secure { records: vec![six], signed: signed(1) };
        let answers = Answers { v4: missing(), v6, ..answers };
        let party = judge(&sheet, &sheet.organisations[0], answers).unwrap();
        assert_eq!(party.enode.ip(), Some(IpAddr::V6(six)));
    }

    #[test]
    fn every_other_state_has_its_word_and_its_reason() {
        let two = vec![Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
        assert_eq!(doubt(|a| a.txt = missing()), "missing: it has no TXT record");
        assert_eq!(doubt(|a| a.txt = Found::NoName), "missing: it has no TXT record, nor any other");
        assert_eq!(
            doubt(|a| a.txt = Found::Weak("alpha.example signs with RSASHA1".into())),
            "insecure: its TXT record rests on SHA-1, which counts no more (RFC 9905): alpha.example signs with RSASHA1"
        );
        assert!(doubt(|a| a.txt = Found::Insecure).starts_with("insecure: its TXT record is not signed"));
        assert!(doubt(|a| a.v4 = Found::Insecure).starts_with("insecure: its A record"));
        assert!(doubt(|a| a.txt = Found::Bogus("x".into())).starts_with("bogus: its TXT record does not validate: x"));
        assert!(doubt(|a| a.v4 = Found::Bogus("x".into())).starts_with("bogus: its A record"));
        assert!(doubt(|a| a.v4 = Found::Alias("b.example".into())).starts_with("alias"));
        assert!(doubt(|a| a.v4 = Found::Unanswered("no".into())).starts_with("unanswered: no"));
        assert!(
            doubt(|a| a.v4 = Found::Secure { records: two, signed: signed(1) })
                .contains("2 A records: 10.0.0.1, 10.0.0.2")
        );
        assert!(
            doubt(|a| a.v4 = Found::Secure { records: vec![Ipv4Addr::LOCALHOST], signed: signed(1) })
                .contains("nobody else")
        );
        assert!(doubt(|a| a.v4 = missing()).contains("neither an A nor an AAAA"));
        // An AAAA record does not count as long as somebody may only have taken the A record out.
        assert!(
            doubt(|a| {
                a.v4 = Found::Missing { proven_by: None };
                a.v6 = Found::Secure { records: vec!["2001:db8::1".parse().unwrap()], signed: signed(1) };
            })
            .contains("no proof")
        );
        let six = || Found::Secure { records: vec!["2001:db8::1".parse().unwrap()], signed: signed(1) };
        assert!(
            doubt(|a| {
                a.v4 = Found::NoName;
                a.v6 = six();
            })
            .starts_with("missing: it has no A record")
        );
        // What another zone says of the name may be from before it was given away.
        assert_eq!(
            doubt(|a| {
                a.v4 = Found::Missing { proven_by: Some("example".into()) };
                a.v6 = six();
            }),
            "bogus: its TXT record is signed by the zone alpha.example, and the proof that it has no A record by example"
        );
        assert!(
            doubt(|a| {
                let signed = Signed { zone: "example".into(), ..signed(1) };
                a.v4 = Found::Secure { records: vec![Ipv4Addr::new(10, 0, 0, 1)], signed };
            })
            .ends_with("and the A record by example")
        );
        assert!(
            doubt(|a| a.txt = Found::Secure { records: vec![vec![b"p=1".to_vec()]], signed: signed(1) })
                .starts_with("malformed")
        );
    }

    #[test]
    fn a_record_of_another_ceremony_does_not_count() {
        let key = NodeKey::generate().unwrap();
        let (mine, theirs) = (sheet(&["alpha"]), sheet(&["alpha", "beta"]));
        let doubt = judge(&mine, &mine.organisations[0], good(&theirs, &key, 1)).unwrap_err();
        assert_eq!(doubt.state, "foreign");
        let plain = Found::Secure {
            records: vec![vec![format!("p=1; k={}", key.public_key()).into_bytes()]],
            signed: signed(1),
        };
        let answers = Answers { txt: plain, ..good(&mine, &key, 1) };
        assert_eq!(judge(&mine, &mine.organisations[0], answers.clone()).unwrap_err().state, "foreign");
        let original = Sheet { require_id: false, ..mine };
        assert_eq!(judge(&original, &original.organisations[0], answers).unwrap().enode.tcp, 1);
    }

    #[test]
    fn two_names_with_one_key_or_one_address_are_both_refused() {
        let sheet = sheet(&["alpha", "beta", "gamma"]);
        let (key, other) = (NodeKey::generate().unwrap(), NodeKey::generate().unwrap());
        let party = |number: usize, key: &NodeKey, last: u8| {
            judge(&sheet, &sheet.organisations[number], good(&sheet, key, last)).unwrap()
        };
        let doubts = shared(&[party(0, &key, 1), party(1, &key, 2), party(2, &other, 2)]);
        let text: Vec<String> = doubts.iter().map(|(fqdn, doubt)| format!("{fqdn} {}", doubt.why)).collect();
        assert!(text[0].starts_with("node.alpha.example it has the same key as beta: "), "{text:?}");
        assert!(text[1].starts_with("node.beta.example it has the same key as alpha: "), "{text:?}");
        assert!(
            text.iter().any(|line| line == "node.gamma.example it has the same address as beta: 10.0.0.2"),
            "{text:?}"
        );
        let mut another_port = party(2, &other, 1);
        another_port.enode.tcp = 30304;
        let doubts = shared(&[party(0, &key, 1), another_port]);
        assert_eq!(doubts.len(), 2, "{doubts:?}");
        assert!(shared(&[party(0, &key, 1), party(1, &other, 2)]).is_empty());
    }
}
