//! Filters on IP addresses: the basic forms of `ansible.utils`.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::wrong;
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};
use std::net::IpAddr;

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("ipaddr", |_, args| filtered(args, None)),
    ("ipv4", |_, args| filtered(args, Some(4))),
    ("ipv6", |_, args| filtered(args, Some(6))),
    ("ipwrap", ipwrap),
];

/// An address, with the length of its network's prefix if one is written.
#[derive(Clone, Copy)]
struct Address {
    ip: IpAddr,
    prefix: Option<u32>,
}

impl Address {
    fn parse(text: &str) -> Option<Self> {
        let (ip, prefix) = text.trim().split_once('/').map_or((text.trim(), None), |(ip, prefix)| (ip, Some(prefix)));
        let ip: IpAddr = ip.parse().ok()?;
        let prefix = match prefix {
            None => None,
            Some(prefix) => match (prefix.parse::<u32>(), prefix.parse::<std::net::Ipv4Addr>(), ip) {
                (Ok(prefix), ..) => Some(prefix),
                (_, Ok(mask), IpAddr::V4(_)) if mask.to_bits().leading_ones() == mask.to_bits().count_ones() => {
                    Some(mask.to_bits().leading_ones())
                }
                _ => return None,
            },
        };
        let address = Self { ip, prefix };
        (address.length() <= address.bits()).then_some(address)
    }

    fn bits(self) -> u32 {
        if self.ip.is_ipv4() { 32 } else { 128 }
    }

    fn length(self) -> u32 {
        self.prefix.unwrap_or(self.bits())
    }

    fn number(self) -> u128 {
        match self.ip {
            IpAddr::V4(ip) => u128::from(ip.to_bits()),
            IpAddr::V6(ip) => ip.to_bits(),
        }
    }

    /// The bits that differ within the network.
    fn host_mask(self) -> u128 {
        let free = self.bits() - self.length();
        if free == 128 { u128::MAX } else { (1 << free) - 1 }
    }

    fn with(self, number: u128) -> IpAddr {
        match self.ip {
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(number).unwrap_or(u32::MAX).into()),
            IpAddr::V6(_) => IpAddr::V6(number.into()),
        }
    }

    fn network(self) -> IpAddr {
        self.with(self.number() & !self.host_mask())
    }

    fn written(self) -> String {
        self.prefix.map_or_else(|| self.ip.to_string(), |prefix| format!("{}/{prefix}", self.ip))
    }
}

/// What a query finds in an address; `None` if the address does not answer to it.
fn queried(address: Address, query: &Value) -> Result<Option<Value>, Error> {
    let text = |text: String| Ok(Some(Value::from(text)));
    let whole = if address.bits() == 32 { u128::from(u32::MAX) } else { u128::MAX };
    if let Ok(number) = i64::try_from(query.clone())
        && query.as_str().is_none()
    {
        // The n-th address of the network, from its end if negative.
        let base = address.number() & !address.host_mask();
        let offset = u128::from(number.unsigned_abs());
        if offset > address.host_mask() + u128::from(number < 0 && address.host_mask() < u128::MAX) {
            return Ok(None);
        }
        let at = if number < 0 { base + (address.host_mask() - (offset - 1)) } else { base + offset };
        return text(format!("{}/{}", address.with(at), address.length()));
    }
    match query.as_str().unwrap_or_default() {
        "" => text(address.written()),
        "address" | "ip" => text(address.ip.to_string()),
        "host" => text(format!("{}/{}", address.ip, address.length())),
        "network" | "net_id" => text(address.network().to_string()),
        "subnet" | "cidr" => text(format!("{}/{}", address.network(), address.length())),
        "net" => {
            Ok((address.network() == address.ip && address.prefix.is_some()).then(|| Value::from(address.written())))
        }
        "netmask" => text(address.with(!address.host_mask() & whole).to_string()),
        "hostmask" | "wildcard" => text(address.with(address.host_mask()).to_string()),
        "broadcast" => {
            if address.host_mask() < 3 {
                return Ok(None);
            }
            text(address.with(address.number() | address.host_mask()).to_string())
        }
        "prefix" => Ok(Some(Value::from(address.length()))),
        "size" => Ok(Some(Value::from(address.host_mask().saturating_add(1)))),
        "version" => Ok(Some(Value::from(if address.bits() == 32 { 4 } else { 6 }))),
        "int" => Ok(Some(Value::from(address.number()))),
        "bool" => Ok(Some(Value::from(true))),
        "loopback" | "lo" => Ok(address.ip.is_loopback().then(|| Value::from(address.written()))),
        "multicast" => Ok(address.ip.is_multicast().then(|| Value::from(address.written()))),
        "private" => Ok(is_private(address.ip).then(|| Value::from(address.written()))),
        "public" => {
            let public = !is_private(address.ip) && !address.ip.is_loopback() && !address.ip.is_multicast();
            Ok(public.then(|| Value::from(address.written())))
        }
        other => match Address::parse(other) {
            // Whether it lies in that network.
            Some(net) => {
                let inside = net.bits() == address.bits()
                    && address.number() & !net.host_mask() == net.number() & !net.host_mask();
                Ok(inside.then(|| Value::from(address.written())))
            }
            None => Err(wrong(format!(
                "`ipaddr` has no query `{other}`; known are address, host, network, subnet, net, netmask, hostmask, \
                 broadcast, prefix, size, version, int, bool, loopback, multicast, private, public, a number, a network"
            ))),
        },
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

/// One value gives an answer or `false`; a list gives the answers of those that have one.
fn filtered(args: &Args, version: Option<u32>) -> Result<Value, Error> {
    let query = args.get(0, "query").cloned().unwrap_or_else(|| Value::from(""));
    let one = |value: &Value| -> Result<Option<Value>, Error> {
        let address = value.as_str().and_then(Address::parse);
        match address.filter(|address| version.is_none_or(|version| (version == 4) == address.ip.is_ipv4())) {
            Some(address) => queried(address, &query),
            None => Ok(None),
        }
    };
    let subject = args.subject();
    if matches!(subject.kind(), ValueKind::Seq | ValueKind::Iterable) {
        let answers = args.items()?.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        return Ok(answers.into_iter().flatten().collect());
    }
    Ok(one(&subject)?.unwrap_or_else(|| Value::from(false)))
}

fn ipwrap(_: &mut State, args: &Args) -> Result<Value, Error> {
    let wrap = |value: &Value| match value.as_str().and_then(Address::parse) {
        Some(Address { ip: IpAddr::V6(ip), prefix: None }) => Value::from(format!("[{ip}]")),
        Some(Address { ip: IpAddr::V6(ip), prefix: Some(prefix) }) => Value::from(format!("[{ip}]/{prefix}")),
        _ => value.clone(),
    };
    let subject = args.subject();
    if matches!(subject.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Ok(args.items()?.iter().map(wrap).collect());
    }
    Ok(wrap(&subject))
}
