//! Enode URLs: `enode://PUBLIC_KEY@HOST:TCP?discport=UDP`.

use super::{Address, keccak256, keys::address_of};
use crate::base::{Failure, failure::Result};
use alloy_primitives::hex;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// Where a node is, and the key by which it proves that it is the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enode {
    /// 128 hexadecimal digits, lower case: a point of the curve.
    pub public_key: String,
    /// An IP address, or (geth 1.9.3 and later) a name. IPv6 without its brackets.
    pub host: String,
    /// The port of devp2p.
    pub tcp: u16,
    /// The port of discovery; 0 if the node takes no part in it.
    pub udp: u16,
}

impl Enode {
    /// Takes a public key (128 digits, or 130 with the leading `04`) and where its node listens.
    pub fn new(public_key: &str, host: &str, tcp: u16, udp: u16) -> Result<Self> {
        Ok(Self { public_key: parse_public_key(public_key)?, host: parse_host(host)?, tcp, udp })
    }

    /// The host, if it is an address and not a name.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// The account that has the node's key, as Autonity's validators do.
    pub fn address(&self) -> Address {
        address_of(&hex::decode(&self.public_key).unwrap_or_default())
    }

    /// The node's id in discovery and in `admin_peers`: the Keccak hash of the public key, 64 digits.
    pub fn id(&self) -> String {
        hex::encode(keccak256(hex::decode(&self.public_key).unwrap_or_default()))
    }
}

/// Reads a public key: 128 hexadecimal digits that are a point of secp256k1. The answer is in lower case.
pub fn parse_public_key(text: &str) -> Result<String> {
    let wrong = || {
        Failure::new(format!("`{text}` is not a public key"))
            .help("a node's public key is 128 hexadecimal digits, a point of secp256k1 without its leading 04")
    };
    let digits = text.trim().strip_prefix("0x").unwrap_or(text.trim()).to_ascii_lowercase();
    let digits = if digits.len() == 130 { digits.strip_prefix("04").unwrap_or(&digits).to_owned() } else { digits };
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        // It may be one, and then it is not to be seen in a log.
        return Err(Failure::new("this is not a public key: it has 64 digits, as a private key has")
            .help("a node's public key is 128 hexadecimal digits; `chainwright key inspect FILE` shows it"));
    }
    let bytes = hex::decode(&digits).ok().filter(|bytes| bytes.len() == 64).ok_or_else(wrong)?;
    k256::PublicKey::from_sec1_bytes(&[&[4], bytes.as_slice()].concat()).map_err(|_| wrong())?;
    Ok(digits)
}

/// Reads a host: an IP address (IPv6 with brackets or without), or a name.
fn parse_host(text: &str) -> Result<String> {
    let inner = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    if let Ok(address) = inner.map_or_else(|| text.parse(), |inner| inner.parse::<Ipv6Addr>().map(IpAddr::V6)) {
        return Ok(address.to_string());
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A name whose last part is a number is an address that is mistyped.
    let numeric =
        |name: &str| name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    let name = text.strip_suffix('.').unwrap_or(text);
    if text.len() <= 253 && name.split('.').all(label) && !numeric(name) {
        return Ok(text.to_owned());
    }
    Err(Failure::new(format!("`{text}` is neither an IP address nor a name"))
        .help("write an address as 10.0.0.1 or [2001:db8::1], a name as node.example.org"))
}

impl FromStr for Enode {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Failure::new(format!("`{text}` is not an enode: {why}"))
                .help("write enode://PUBLIC_KEY@HOST:PORT, with ?discport=PORT where discovery has another port")
        };
        let rest = text.trim().strip_prefix("enode://").ok_or_else(|| wrong("it does not begin with enode://"))?;
        let (public_key, place) = rest.split_once('@').ok_or_else(|| wrong("it has no @"))?;
        let (place, query) = place.split_once('?').unwrap_or((place, ""));
        let (host, tcp) = place.rsplit_once(':').ok_or_else(|| wrong("it has no port"))?;
        let tcp = tcp.parse().map_err(|_| wrong("its port is not a number below 65536"))?;
        let udp = match query.strip_prefix("discport=") {
            Some(port) => port.parse().map_err(|_| wrong("its discport is not a number below 65536"))?,
            None if query.is_empty() => tcp,
            None => return Err(wrong("after the ? only discport=PORT is known")),
        };
        if host.is_empty() {
            return Err(wrong("it has no host"));
        }
        if host.contains(':') && !host.starts_with('[') {
            return Err(wrong("an IPv6 address stands in brackets, as in [2001:db8::1]:30303"));
        }
        let public_key = parse_public_key(public_key)
            .map_err(|failure| Failure { message: format!("this is not an enode: {}", failure.message), ..failure })?;
        Ok(Self { public_key, host: parse_host(host).map_err(|failure| wrong(&failure.message))?, tcp, udp })
    }
}

impl fmt::Display for Enode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { public_key, host, tcp, udp } = self;
        if host.contains(':') {
            write!(f, "enode://{public_key}@[{host}]:{tcp}")?;
        } else {
            write!(f, "enode://{public_key}@{host}:{tcp}")?;
        }
        if tcp == udp { Ok(()) } else { write!(f, "?discport={udp}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f";

    #[test]
    fn an_enode_is_read_and_written_alike() {
        for rest in
            ["127.0.0.1:30303", "10.0.0.1:30303?discport=0", "[2001:db8::1]:30303?discport=30301", "boot.example:1"]
        {
            let text = format!("enode://{KEY}@{rest}");
            assert_eq!(text.parse::<Enode>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_id_is_that_of_eip_778() {
        let enode = Enode::new(KEY, "127.0.0.1", 30303, 30303).unwrap();
        assert_eq!(enode.id(), "a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7");
    }

    #[test]
    fn what_is_no_enode_is_named_with_the_reason() {
        for (text, reason) in [
            (format!("{KEY}@1.2.3.4:1"), "enode://"),
            (format!("enode://{KEY}@1.2.3.4"), "no port"),
            (format!("enode://{KEY}@1.2.3.4:70000"), "below 65536"),
            (format!("enode://{}@1.2.3.4:1", "1".repeat(128)), "not a public key"),
            (format!("enode://{}@1.2.3.4:1", "1".repeat(64)), "64 digits, as a private key has"),
            (format!("enode://{KEY}@2001:db8::1:30303"), "brackets"),
            (format!("enode://{KEY}@[10.0.0.1]:30303"), "neither an IP address nor a name"),
            (format!("enode://{KEY}@10.0.0.256:30303"), "neither an IP address nor a name"),
            (format!("enode://{KEY}@a b:30303"), "neither an IP address nor a name"),
            (format!("enode://{KEY}@:30303"), "no host"),
            (format!("enode://{KEY}@1.2.3.4:1?udp=2"), "discport"),
        ] {
            let failure = text.parse::<Enode>().unwrap_err();
            assert!(failure.message.contains(reason), "{failure}");
            assert!(!reason.contains("private") || !failure.to_string().contains("1111"), "{failure}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(ip: std::net::IpAddr, tcp: u16, udp: u16) {
            let enode = Enode::new(KEY, &ip.to_string(), tcp, udp).unwrap();
            proptest::prop_assert_eq!(enode.to_string().parse::<Enode>().unwrap(), enode);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(enode://)?[0-9a-f]{0,4}@?\\PC{0,30}", tail in "\\PC{0,30}") {
            let _ = text.parse::<Enode>();
            let _ = format!("enode://{KEY}@{tail}").parse::<Enode>();
        }
    }
}
