//! Enode URLs: `enode://PUBLIC_KEY@HOST:TCP?discport=UDP`.

use super::keccak256;
use crate::base::{Failure, failure::Result};
use alloy_primitives::hex;
use std::fmt;
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
        Ok(Self { public_key: parse_public_key(public_key)?, host: host.to_owned(), tcp, udp })
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
    let bytes = hex::decode(&digits).ok().filter(|bytes| bytes.len() == 64).ok_or_else(wrong)?;
    k256::PublicKey::from_sec1_bytes(&[&[4], bytes.as_slice()].concat()).map_err(|_| wrong())?;
    Ok(digits)
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
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(wrong("it has no host"));
        }
        Self::new(public_key, host, tcp, udp).map_err(|failure| wrong(&failure.message))
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
        ] {
            let failure = text.parse::<Enode>().unwrap_err();
            assert!(failure.message.contains(reason), "{failure}");
        }
    }
}
