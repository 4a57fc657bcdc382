//! Facts about network interfaces, addresses and name servers.

use super::{Host, put};
use crate::base::{Map, Value};
use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::Path;

/// An interface as it is built up from its addresses.
#[derive(Debug, Default)]
struct Interface {
    name: String,
    active: bool,
    promiscuous: bool,
    mac: Option<String>,
    ipv4: Vec<(Ipv4Addr, Ipv4Addr, Option<Ipv4Addr>)>,
    ipv6: Vec<(Ipv6Addr, u32)>,
}

/// Every interface, all addresses, and the ones that lead to the world.
pub fn interfaces(host: &Host, facts: &mut Map) {
    let found = gather();
    put(facts, "interfaces", found.iter().map(|interface| interface.name.as_str()).collect::<Value>());
    let mut all: (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for interface in &found {
        let ipv4 = interface.ipv4.iter().map(|(address, ..)| *address).filter(|address| !address.is_loopback());
        all.0.extend(ipv4.map(|address| address.to_string()));
        let ipv6 = interface.ipv6.iter().map(|(address, _)| *address).filter(|address| !address.is_loopback());
        all.1.extend(ipv6.map(|address| address.to_string()));
        put(facts, &fact_name(&interface.name), describe(host, interface));
    }
    put(facts, "all_ipv4_addresses", all.0);
    put(facts, "all_ipv6_addresses", all.1);
    put(facts, "default_ipv4", default_ipv4(host, &found).unwrap_or_else(|| json!({})));
    put(facts, "default_ipv6", default_ipv6(host, &found).unwrap_or_else(|| json!({})));
}

/// `veth-a.7` cannot be part of a variable's name.
fn fact_name(interface: &str) -> String {
    interface.replace(['-', '.', ':'], "_")
}

fn gather() -> Vec<Interface> {
    let mut found: Vec<Interface> = Vec::new();
    for entry in getifaddrs().into_iter().flatten() {
        // `eth0:1` is an old way to write a second address.
        let name = entry.interface_name.split(':').next().unwrap_or_default();
        let index = found.iter().position(|interface| interface.name == name).unwrap_or_else(|| {
            found.push(Interface { name: name.to_owned(), ..Interface::default() });
            found.len() - 1
        });
        add(&mut found[index], &entry);
    }
    found
}

fn add(interface: &mut Interface, entry: &InterfaceAddress) {
    interface.active |= entry.flags.contains(InterfaceFlags::IFF_UP);
    interface.promiscuous |= entry.flags.contains(InterfaceFlags::IFF_PROMISC);
    let Some(address) = &entry.address else { return };
    if let Some(mac) = address.as_link_addr().and_then(nix::sys::socket::LinkAddr::addr) {
        let hex: Vec<_> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        interface.mac = Some(hex.join(":"));
    } else if let Some(address) = address.as_sockaddr_in() {
        let ipv4 = |storage: &nix::sys::socket::SockaddrStorage| {
            storage.as_sockaddr_in().map(nix::sys::socket::SockaddrIn::ip)
        };
        let mask = entry.netmask.as_ref().and_then(ipv4).unwrap_or(Ipv4Addr::BROADCAST);
        let broadcast = entry.broadcast.as_ref().and_then(ipv4);
        interface.ipv4.push((address.ip(), mask, broadcast));
    } else if let Some(address) = address.as_sockaddr_in6() {
        let mask =
            entry.netmask.as_ref().and_then(|mask| mask.as_sockaddr_in6().map(nix::sys::socket::SockaddrIn6::ip));
        interface.ipv6.push((address.ip(), mask.map_or(128, |mask| mask.to_bits().count_ones())));
    }
}

fn describe(host: &Host, interface: &Interface) -> Value {
    let sys = |name: &str| host.text(&format!("/sys/class/net/{}/{name}", interface.name));
    let mut table = Map::new();
    let mut set = |name: &str, value: Value| table.insert(name.to_owned(), value);
    set("device", interface.name.as_str().into());
    set("active", interface.active.into());
    // A bridge's ports are in this mode without saying so: only the kernel's own flags show it.
    let flags = sys("flags").and_then(|flags| u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok());
    set("promisc", flags.map_or(interface.promiscuous, |flags| flags & 0x100 != 0).into());
    set("type", kind(host, &interface.name).into());
    if let Some(mac) = interface.mac.as_ref().filter(|mac| *mac != "00:00:00:00:00:00") {
        set("macaddress", mac.as_str().into());
    }
    if let Some(mtu) = sys("mtu").and_then(|mtu| mtu.parse::<u64>().ok()) {
        set("mtu", mtu.into());
    }
    // A link that is down has no speed: reading it fails, or gives -1.
    if let Some(speed) = sys("speed").and_then(|speed| speed.parse::<i64>().ok()) {
        set("speed", speed.into());
    }
    for (name, link) in [("pciid", "device"), ("module", "device/driver/module")] {
        let path = format!("/sys/class/net/{}/{link}", interface.name);
        let target = std::fs::canonicalize(host.0.locate(Path::new(&path))).ok();
        if let Some(last) = target.as_ref().and_then(|target| target.file_name()) {
            set(name, last.to_string_lossy().into_owned().into());
        }
    }
    if let Some(id) = sys("bridge/bridge_id") {
        set("id", id.into());
        set("stp", (sys("bridge/stp_state").as_deref() == Some("1")).into());
        set("interfaces", host.names(&format!("/sys/class/net/{}/brif", interface.name)).into());
    }
    if let Some(slaves) = sys("bonding/slaves") {
        set("slaves", slaves.split_whitespace().collect());
        for name in ["mode", "miimon", "lacp_rate", "primary"] {
            let first = sys(&format!("bonding/{name}")).and_then(|text| text.split(' ').next().map(str::to_owned));
            set(name, first.into());
        }
    }
    let mut ipv4 = interface.ipv4.iter().map(|(address, mask, broadcast)| {
        json!({
            "address": address.to_string(),
            "broadcast": shown(*address, *broadcast),
            "netmask": mask.to_string(),
            "network": Ipv4Addr::from_bits(address.to_bits() & mask.to_bits()).to_string(),
            "prefix": mask.to_bits().count_ones().to_string(),
        })
    });
    if let Some(first) = ipv4.next() {
        set("ipv4", first);
    }
    let others: Vec<Value> = ipv4.collect();
    if !others.is_empty() {
        set("ipv4_secondaries", others.into());
    }
    if !interface.ipv6.is_empty() {
        let ipv6 = interface.ipv6.iter().map(|(address, prefix)| {
            json!({"address": address.to_string(), "prefix": prefix.to_string(), "scope": scope(*address)})
        });
        set("ipv6", ipv6.collect());
    }
    Value::Object(table)
}

/// A broadcast address; where none is set the kernel gives the interface's own.
fn shown(own: Ipv4Addr, broadcast: Option<Ipv4Addr>) -> String {
    broadcast.filter(|broadcast| *broadcast != own).map(|broadcast| broadcast.to_string()).unwrap_or_default()
}

fn kind(host: &Host, name: &str) -> &'static str {
    let has = |file: &str| host.exists(&format!("/sys/class/net/{name}/{file}"));
    match host.text(&format!("/sys/class/net/{name}/type")).as_deref() {
        Some("772") => "loopback",
        _ if has("bridge") => "bridge",
        _ if has("bonding") => "bonding",
        Some("1") => "ether",
        Some("32") => "infiniband",
        Some("512") => "ppp",
        Some("65534") => "tunnel",
        _ => "unknown",
    }
}

fn scope(address: Ipv6Addr) -> &'static str {
    if address.is_loopback() {
        "host"
    } else if address.is_unicast_link_local() {
        "link"
    } else {
        "global"
    }
}

/// Our own address on the way to an address far away. Nothing is sent: a datagram socket only chooses its route.
fn source(bind: &str, far: &str) -> Option<IpAddr> {
    let socket = UdpSocket::bind((bind, 0)).ok()?;
    socket.connect((far, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn default_ipv4(host: &Host, found: &[Interface]) -> Option<Value> {
    let (name, gateway) = default_route(&host.text("/proc/net/route")?)?;
    let interface = found.iter().find(|interface| interface.name == name)?;
    // An address that is set aside for documentation: nobody is there, and only the default route leads to it.
    let source = source("0.0.0.0", "198.51.100.1");
    let (address, mask, broadcast) = interface
        .ipv4
        .iter()
        .find(|(address, ..)| Some(IpAddr::V4(*address)) == source)
        .or_else(|| interface.ipv4.first())?;
    let network = Ipv4Addr::from_bits(address.to_bits() & mask.to_bits());
    Some(json!({
        "address": address.to_string(),
        "alias": name,
        "broadcast": shown(*address, *broadcast),
        "gateway": gateway.to_string(),
        "interface": name,
        "macaddress": interface.mac,
        "mtu": host.text(&format!("/sys/class/net/{name}/mtu")).and_then(|mtu| mtu.parse::<u64>().ok()),
        "netmask": mask.to_string(),
        "network": network.to_string(),
        "prefix": mask.to_bits().count_ones().to_string(),
        "type": kind(host, &name),
    }))
}

/// Interface and gateway of the default route with the lowest metric. Addresses are hexadecimal in the byte order of the
/// machine (`man 5 proc`).
fn default_route(table: &str) -> Option<(String, Ipv4Addr)> {
    let routes = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, destination, gateway, flags, _, _, metric, mask, ..] = fields[..] else { return None };
        let up = u32::from_str_radix(flags, 16).ok()? & 1 == 1;
        let gateway = u32::from_str_radix(gateway, 16).ok()?;
        let default = destination == "00000000" && mask == "00000000" && up;
        default.then(|| (metric.parse::<u32>().unwrap_or(0), name.to_owned(), Ipv4Addr::from(gateway.to_ne_bytes())))
    });
    routes.min_by_key(|(metric, ..)| *metric).map(|(_, name, gateway)| (name, gateway))
}

fn default_ipv6(host: &Host, found: &[Interface]) -> Option<Value> {
    let (name, gateway) = default_route6(&host.text("/proc/net/ipv6_route")?)?;
    let interface = found.iter().find(|interface| interface.name == name)?;
    let source = source("::", "2001:db8::1");
    let (address, prefix) = interface
        .ipv6
        .iter()
        .find(|(address, _)| Some(IpAddr::V6(*address)) == source)
        .or_else(|| interface.ipv6.iter().find(|(address, _)| scope(*address) == "global"))?;
    Some(json!({
        "address": address.to_string(),
        "gateway": gateway.to_string(),
        "interface": name,
        "macaddress": interface.mac,
        "mtu": host.text(&format!("/sys/class/net/{name}/mtu")).and_then(|mtu| mtu.parse::<u64>().ok()),
        "prefix": prefix.to_string(),
        "scope": scope(*address),
        "type": kind(host, &name),
    }))
}

fn default_route6(table: &str) -> Option<(String, Ipv6Addr)> {
    table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [destination, "00", _, _, gateway, _, _, _, _, name] = fields[..] else { return None };
        let default = destination.bytes().all(|digit| digit == b'0') && name != "lo";
        let gateway = u128::from_str_radix(gateway, 16).ok()?;
        default.then(|| (name.to_owned(), Ipv6Addr::from_bits(gateway)))
    })
}

/// What `/etc/resolv.conf` says.
pub fn dns(host: &Host, facts: &mut Map) {
    let text = host.text("/etc/resolv.conf").unwrap_or_default();
    let mut dns = Map::new();
    let (mut servers, mut options) = (Vec::new(), Map::new());
    for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => servers.extend(words.next().map(Value::from)),
            Some("domain") => _ = dns.insert("domain".into(), words.next().into()),
            Some(list @ ("search" | "sortlist")) => _ = dns.insert(list.into(), words.collect()),
            Some("options") => options.extend(words.map(|word| match word.split_once(':') {
                Some((name, value)) => (name.to_owned(), value.into()),
                None => (word.to_owned(), true.into()),
            })),
            _ => {}
        }
    }
    if !servers.is_empty() {
        dns.insert("nameservers".into(), servers.into());
    }
    if !options.is_empty() {
        dns.insert("options".into(), options.into());
    }
    put(facts, "dns", dns);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::System;
    use crate::system::testing::host_with;

    #[test]
    fn the_default_route_with_the_lowest_metric_counts() {
        let table = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
                     wlan0 00000000 0100A8C0 0003 0 0 600 00000000 0 0 0\n\
                     eth0 00000000 010200C0 0003 0 0 100 00000000 0 0 0\n\
                     eth0 000200C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n";
        assert_eq!(default_route(table), Some(("eth0".into(), Ipv4Addr::new(192, 0, 2, 1))));
        assert_eq!(default_route("Iface\n"), None);
        let six = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
                   fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n";
        assert_eq!(default_route6(six), Some(("eth0".into(), "fe80::1".parse().unwrap())));
    }

    #[test]
    fn name_servers_and_options_are_read() {
        let text = "# made by hand\nsearch lab example\nnameserver 10.0.0.1\nnameserver ::1\noptions ndots:2 rotate\n";
        let (_root, system) = host_with(&[("etc/resolv.conf", text)]);
        let mut facts = Map::new();
        dns(&Host(&system), &mut facts);
        let expected = json!({
            "search": ["lab", "example"], "nameservers": ["10.0.0.1", "::1"], "options": {"ndots": "2", "rotate": true},
        });
        assert_eq!(facts["ansible_dns"], expected);
    }

    #[test]
    fn a_bridge_tells_its_ports() {
        let (_root, system) = host_with(&[
            ("sys/class/net/br0/bridge/bridge_id", "8000.02fc00000001\n"),
            ("sys/class/net/br0/bridge/stp_state", "0\n"),
            ("sys/class/net/br0/brif/eth1/x", ""),
            ("sys/class/net/br0/flags", "0x1103\n"),
            ("sys/class/net/br0/speed", "-1\n"),
        ]);
        let own = Ipv4Addr::new(10, 0, 0, 1);
        let ipv4 = vec![(own, Ipv4Addr::new(255, 255, 255, 0), Some(own))];
        let bridge = Interface { name: "br0".into(), ipv4, ..Interface::default() };
        let told = describe(&Host(&system), &bridge);
        for (name, value) in [
            ("type", json!("bridge")),
            ("id", json!("8000.02fc00000001")),
            ("interfaces", json!(["eth1"])),
            ("stp", json!(false)),
            ("promisc", json!(true)),
            ("speed", json!(-1)),
        ] {
            assert_eq!(told[name], value, "{name}");
        }
        assert_eq!(told["ipv4"]["broadcast"], "");
    }

    #[test]
    fn the_loopback_is_an_interface_but_not_an_address_of_the_host() {
        let mut facts = Map::new();
        interfaces(&Host(&System::new("/")), &mut facts);
        assert_eq!(facts["ansible_lo"]["type"], "loopback");
        assert_eq!(facts["ansible_lo"]["ipv4"]["address"], "127.0.0.1");
        assert!(!facts["ansible_all_ipv4_addresses"].as_array().unwrap().contains(&"127.0.0.1".into()));
    }
}
