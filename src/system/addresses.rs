//! Host names to addresses, without the C library's resolver, which a static binary cannot use.

use super::System;
use crate::base::Failure;
use crate::base::failure::{Context, Result};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

impl System {
    /// The addresses of `name`: an address itself (also `[::1]`), what `/etc/hosts` says, then what the host's own
    /// `getent` finds. Never empty.
    pub fn addresses_of(&self, name: &str) -> Result<Vec<IpAddr>> {
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        if let Ok(address) = bare.parse() {
            return Ok(vec![address]);
        }
        let hosts = std::fs::read_to_string(self.locate("/etc/hosts".as_ref())).unwrap_or_default();
        let mut found = in_hosts(&hosts, bare);
        if found.is_empty() && bare.eq_ignore_ascii_case("localhost") {
            found.push(Ipv4Addr::LOCALHOST.into());
        }
        if found.is_empty() {
            found = getent(bare)?;
        }
        if found.is_empty() {
            return Err(Failure::new(format!("cannot find the address of `{bare}`"))
                .help("neither /etc/hosts nor DNS on this host knows the name"));
        }
        Ok(found)
    }

    /// Opens a TCP connection to the first address of `host` that answers within `timeout`.
    pub fn connect(&self, host: &str, port: u16, timeout: Duration) -> Result<TcpStream> {
        let deadline = Instant::now() + timeout;
        let mut last = io::Error::from(io::ErrorKind::TimedOut);
        for address in self.addresses_of(host)? {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match TcpStream::connect_timeout(&SocketAddr::new(address, port), left) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last).context(format!("{host}:{port}"))
    }
}

/// The addresses that the text of a hosts file gives a name, in its order.
fn in_hosts(text: &str, name: &str) -> Vec<IpAddr> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            let address = words.next()?.parse().ok()?;
            words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
        })
        .collect()
}

/// Asks the host's own resolver. A host without `getent` knows no names beyond its hosts file.
fn getent(name: &str) -> Result<Vec<IpAddr>> {
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '.' | '-' | '_');
    if name.is_empty() || name.starts_with('-') || !name.chars().all(plain) {
        return Err(Failure::new(format!("`{name}` is not a host name")));
    }
    let ended = Command::new("getent").args(["ahosts", name]).stdin(Stdio::null()).stderr(Stdio::null()).output();
    match ended {
        Ok(ended) => Ok(addresses(&String::from_utf8_lossy(&ended.stdout))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).context("getent"),
    }
}

/// `192.0.2.7  STREAM node1`, once for each kind of socket.
fn addresses(text: &str) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    for address in text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_the_hosts_file_by_any_of_its_forms() {
        let text = "127.0.0.1 localhost\n10.0.0.7 node7.lab node7 # rack 2\n# 10.0.0.8 node8\n";
        assert_eq!(in_hosts(text, "Node7"), ["10.0.0.7".parse::<IpAddr>().unwrap()]);
        assert!(in_hosts(text, "node8").is_empty());
        assert!(in_hosts(text, "rack").is_empty());
    }

    #[test]
    fn an_address_needs_no_files() {
        let system = System::new("/nonexistent");
        assert_eq!(system.addresses_of("[::1]").unwrap(), ["::1".parse::<IpAddr>().unwrap()]);
        assert_eq!(system.addresses_of("localhost").unwrap(), ["127.0.0.1".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn a_text_that_is_no_name_is_refused_before_anything_runs() {
        assert!(System::new("/nonexistent").addresses_of("--help").unwrap_err().message.contains("not a host name"));
    }

    #[test]
    fn every_address_is_listed_once() {
        let text = "10.0.0.7 STREAM node7\n10.0.0.7 DGRAM\nfe80::1%eth0 STREAM\n::1 RAW\n";
        assert_eq!(addresses(text).len(), 2);
    }
}
