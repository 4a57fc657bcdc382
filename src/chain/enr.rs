//! Node records (EIP-778), identity scheme `v4`: what a node signs about itself, `enr:` and base64.

pub mod value;

use super::keys::NodeKey;
use super::{B256, Enode, keccak256};
use crate::base::{Failure, failure::Result};
use alloy_primitives::hex;
use alloy_rlp::{Encodable, Header};
use base64::alphabet::URL_SAFE;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use base64::{DecodeError, Engine};
use k256::PublicKey;
use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{Signature, VerifyingKey};
use k256::elliptic_curve::sec1::ToEncodedPoint;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The most bytes of a record (EIP-778).
pub const MOST_BYTES: usize = 300;

/// As geth reads it: bits that are left over at the end may be anything.
const BASE64: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// A record whose form is right: keys in order, none twice, not too long. Whether its signature is right, too, says
/// [`verify`](Self::verify).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Grows with every change of the record.
    pub seq: u64,
    /// Each key with its value as RLP.
    pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// `r` and `s`.
    signature: [u8; 64],
}

/// What a node says of itself in a new record. What is `None` is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Grows with every change.
    pub seq: u64,
    /// IPv4 address.
    pub ip: Option<Ipv4Addr>,
    /// Port of devp2p.
    pub tcp: Option<u16>,
    /// Port of discovery.
    pub udp: Option<u16>,
    /// IPv6 address.
    pub ip6: Option<Ipv6Addr>,
    /// Port of devp2p over IPv6, where it is another one.
    pub tcp6: Option<u16>,
    /// Port of discovery over IPv6, where it is another one.
    pub udp6: Option<u16>,
}

impl Content {
    /// What an enode says; its host must be an address.
    pub fn of(enode: &Enode, seq: u64) -> Result<Self> {
        let ip = enode.ip().ok_or_else(|| {
            Failure::new(format!("a node record holds addresses, and `{}` is a name", enode.host))
                .help("write the enode with the address that the name has")
        })?;
        let (v4, v6) = match ip {
            IpAddr::V4(ip) => (Some(ip), None),
            IpAddr::V6(ip) => (None, Some(ip)),
        };
        let udp = Some(enode.udp).filter(|port| *port != 0);
        Ok(Self { seq, ip: v4, ip6: v6, tcp: Some(enode.tcp).filter(|port| *port != 0), udp, ..Self::default() })
    }
}

impl Record {
    /// Signs a new record.
    pub fn sign(content: &Content, key: &NodeKey) -> Result<Self> {
        let mut pairs: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut put = |name: &str, bytes: Vec<u8>| _ = pairs.insert(name.as_bytes().to_vec(), bytes);
        put("id", alloy_rlp::encode(&b"v4"[..]));
        put("secp256k1", alloy_rlp::encode(&key.compressed()[..]));
        if let Some(ip) = content.ip {
            put("ip", alloy_rlp::encode(&ip.octets()[..]));
        }
        if let Some(ip) = content.ip6 {
            put("ip6", alloy_rlp::encode(&ip.octets()[..]));
        }
        for (name, port) in [("tcp", content.tcp), ("udp", content.udp), ("tcp6", content.tcp6), ("udp6", content.udp6)]
        {
            if let Some(port) = port {
                put(name, alloy_rlp::encode(port));
            }
        }
        let mut record = Self { seq: content.seq, pairs, signature: [0; 64] };
        record.signature = key.sign(record.signed_hash())?;
        Ok(record)
    }

    /// Whether its own key signed it.
    pub fn verify(&self) -> Result<()> {
        let wrong = || Failure::new("the signature of this node record is wrong: it was changed after it was signed");
        let key = VerifyingKey::from(self.key()?);
        let signature = Signature::from_slice(&self.signature).map_err(|_| wrong())?;
        key.verify_prehash(self.signed_hash().as_slice(), &signature).map_err(|_| wrong())
    }

    /// The keys in their order, each with its value as RLP.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    /// The node's public key as enodes have it: 128 hexadecimal digits.
    pub fn public_key(&self) -> Result<String> {
        Ok(hex::encode(&self.key()?.to_encoded_point(false).as_bytes()[1..]))
    }

    /// The node's id in discovery: the Keccak hash of its public key.
    pub fn id(&self) -> Result<B256> {
        Ok(keccak256(&self.key()?.to_encoded_point(false).as_bytes()[1..]))
    }

    /// What it says of the node's addresses and ports.
    pub fn content(&self) -> Result<Content> {
        Ok(Content {
            seq: self.seq,
            ip: self.bytes::<4>("ip")?.map(Ipv4Addr::from),
            ip6: self.bytes::<16>("ip6")?.map(Ipv6Addr::from),
            tcp: self.port("tcp")?,
            udp: self.port("udp")?,
            tcp6: self.port("tcp6")?,
            udp6: self.port("udp6")?,
        })
    }

    /// The enode that says the same: the IPv4 address if there is one, the IPv6 address otherwise. A missing port is 0.
    pub fn enode(&self) -> Result<Enode> {
        let content = self.content()?;
        let (ip, tcp, udp) = match (content.ip, content.ip6) {
            (Some(ip), _) => (IpAddr::V4(ip), content.tcp, content.udp),
            (None, Some(ip)) => (IpAddr::V6(ip), content.tcp6.or(content.tcp), content.udp6.or(content.udp)),
            (None, None) => {
                return Err(Failure::new("this node record holds no address, so no enode says the same")
                    .help("`chainwright enode encode` takes the public key and an address"));
            }
        };
        Enode::new(&self.public_key()?, &ip.to_string(), tcp.unwrap_or(0), udp.unwrap_or(0))
    }

    fn key(&self) -> Result<PublicKey> {
        match self.text("id")?.as_deref() {
            Some(b"v4") => {}
            Some(other) => {
                let name = String::from_utf8_lossy(other);
                return Err(Failure::new(format!("this node record has the identity scheme `{name}`; known is `v4`")));
            }
            None => return Err(Failure::new("this node record has no identity scheme (`id`)")),
        }
        let bytes: [u8; 33] =
            self.bytes("secp256k1")?.ok_or_else(|| Failure::new("this node record has no public key (`secp256k1`)"))?;
        PublicKey::from_sec1_bytes(&bytes)
            .map_err(|_| Failure::new("the public key of this node record is no point of secp256k1"))
    }

    /// A value that is a string of RLP, not a list.
    fn text(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(mut value) = self.pairs.get(name.as_bytes()).map(Vec::as_slice) else { return Ok(None) };
        match Header::decode_bytes(&mut value, false) {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(_) => Err(Failure::new(format!("the `{name}` of this node record is a list"))),
        }
    }

    fn bytes<const N: usize>(&self, name: &str) -> Result<Option<[u8; N]>> {
        let Some(bytes) = self.text(name)? else { return Ok(None) };
        let length = bytes.len();
        bytes
            .try_into()
            .map(Some)
            .map_err(|_| Failure::new(format!("the `{name}` of this node record has {length} bytes instead of {N}")))
    }

    fn port(&self, name: &str) -> Result<Option<u16>> {
        let Some(bytes) = self.text(name)? else { return Ok(None) };
        match bytes.as_slice() {
            [] => Ok(Some(0)),
            [low] if *low > 0 => Ok(Some(u16::from(*low))),
            [high, low] if *high > 0 => Ok(Some(u16::from_be_bytes([*high, *low]))),
            _ => Err(Failure::new(format!("the `{name}` of this node record is no port"))),
        }
    }

    /// The list `[seq, key, value, ..]`, or with the signature before it.
    fn rlp(&self, signature: Option<&[u8; 64]>) -> Vec<u8> {
        let mut payload = Vec::new();
        if let Some(signature) = signature {
            signature[..].encode(&mut payload);
        }
        self.seq.encode(&mut payload);
        for (key, value) in &self.pairs {
            key.as_slice().encode(&mut payload);
            payload.extend_from_slice(value);
        }
        let mut bytes = Vec::new();
        Header { list: true, payload_length: payload.len() }.encode(&mut bytes);
        bytes.extend(payload);
        bytes
    }

    fn signed_hash(&self) -> B256 {
        keccak256(self.rlp(None))
    }
}

impl FromStr for Record {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| Failure::new(format!("this is not a node record: {why}"));
        let rest = text.trim().strip_prefix("enr:").ok_or_else(|| wrong("it does not begin with enr:"))?;
        let cut = || wrong("it is damaged or cut short").help("copy the whole record anew");
        // Charon's own reader allows the padding that EIP-778 leaves out.
        let bytes = BASE64.decode(rest.trim_end_matches('=')).map_err(|error| match error {
            DecodeError::InvalidByte(..) => wrong("what follows enr: is not base64 as URLs have it"),
            _ => cut(),
        })?;
        if bytes.len() > MOST_BYTES {
            return Err(wrong(&format!("it has {} bytes, and {MOST_BYTES} is the most", bytes.len())));
        }
        let mut outer = bytes.as_slice();
        let mut items = Header::decode_bytes(&mut outer, true).map_err(|_| cut())?;
        if !outer.is_empty() {
            return Err(wrong("something follows its list"));
        }
        let signature = Header::decode_bytes(&mut items, false).map_err(|_| cut())?;
        let signature = signature.try_into().map_err(|_| wrong("its signature does not have 64 bytes"))?;
        let seq = <u64 as alloy_rlp::Decodable>::decode(&mut items).map_err(|_| wrong("its sequence is no number"))?;
        let mut pairs: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        while !items.is_empty() {
            let key = Header::decode_bytes(&mut items, false).map_err(|_| cut())?;
            let name = String::from_utf8_lossy(key);
            match pairs.last_key_value() {
                Some((last, _)) if last.as_slice() == key => {
                    return Err(wrong(&format!("its key `{name}` comes twice")));
                }
                Some((last, _)) if last.as_slice() > key => {
                    return Err(wrong(&format!("its keys are not sorted: `{name}` comes too late")));
                }
                _ => {}
            }
            let value = value::take(&mut items).ok_or_else(|| {
                wrong(&format!("its key `{name}` has no value, or a damaged one")).help("copy the whole record anew")
            })?;
            pairs.insert(key.to_vec(), value.to_vec());
        }
        Ok(Self { seq, pairs, signature })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enr:{}", BASE64.encode(self.rlp(Some(&self.signature))))
    }
}

#[cfg(test)]
mod tests;
