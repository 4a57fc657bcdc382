//! Who listens on a port of the host, and who is connected to it: `/proc/net` (`proc_net(5)`, and `proc_net_tcp` in the kernel's
//! documentation) says which socket, the processes' open files say whose it is.

use super::System;
use crate::base::failure::Result;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// A kind of port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `tcp`
    Tcp,
    /// `udp`
    Udp,
}

impl Transport {
    /// `tcp`, `udp`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// The kernel's number of the state in which a socket waits for others: listening, or for UDP just open.
    fn open(self) -> usize {
        match self {
            Self::Tcp => 10,
            Self::Udp => 7,
        }
    }
}

/// A socket that has a port for itself, and whose it is as far as this user may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The user whose process it is.
    pub user: String,
    /// The process. None: it is another user's, and we may not look.
    pub process: Option<Process>,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name, `nginx`.
    pub name: String,
    /// The systemd unit that it belongs to, if any.
    pub unit: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = &self.user;
        match &self.process {
            None => write!(f, "a process of user {user}"),
            Some(Process { pid, name, unit: None }) => write!(f, "{name} (process {pid} of user {user})"),
            Some(Process { pid, name, unit: Some(unit) }) => write!(f, "{name} (process {pid} of user {user}, {unit})"),
        }
    }
}

impl System {
    /// Everybody who listens on a port, on whatever address; nobody twice.
    pub fn holders(&self, transport: Transport, port: u16) -> Result<Vec<Holder>> {
        let mut found = Vec::new();
        for socket in self.sockets(transport)? {
            if socket.local.port() != port || socket.state != transport.open() {
                continue;
            }
            let holder = Holder { user: self.user_name(socket.uid)?, process: self.process_with(&socket.file)? };
            if !found.contains(&holder) {
                found.push(holder);
            }
        }
        Ok(found)
    }

    /// Where a process listens on TCP, by its open files. Empty if it is another user's and we may not look.
    pub fn listens(&self, pid: u32) -> Result<Vec<SocketAddr>> {
        let files = self.list(Path::new(&format!("/proc/{pid}/fd")))?;
        let targets: Vec<PathBuf> = files.iter().filter_map(|file| self.read_link(file).ok()).collect();
        let mut found: Vec<SocketAddr> = Vec::new();
        for socket in self.sockets(Transport::Tcp)? {
            let listens = socket.state == Transport::Tcp.open() && targets.contains(&socket.file);
            if listens && !found.contains(&socket.local) {
                found.push(socket.local);
            }
        }
        found.sort();
        Ok(found)
    }

    /// Who is connected to a TCP port of the host: the other's address, and the connection's state, as in `ESTABLISHED`.
    pub fn connected(&self, port: u16) -> Result<Vec<(IpAddr, &'static str)>> {
        const STATES: &[&str] = &["", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"];
        let there = self.sockets(Transport::Tcp)?.into_iter().filter(|socket| socket.local.port() == port);
        // An IPv4 address in IPv6's clothes is an IPv4 address.
        Ok(there.filter_map(|socket| Some((socket.peer.ip().to_canonical(), *STATES.get(socket.state)?))).collect())
    }

    fn sockets(&self, transport: Transport) -> Result<Vec<Socket>> {
        let mut found = Vec::new();
        for table in [transport.word().to_owned(), format!("{}6", transport.word())] {
            let text = self.read_text_if_there(&Path::new("/proc/net").join(table))?.unwrap_or_default();
            found.extend(text.lines().skip(1).filter_map(socket));
        }
        Ok(found)
    }

    fn process_with(&self, wanted: &Path) -> Result<Option<Process>> {
        for folder in self.list(Path::new("/proc"))? {
            let pid = folder.file_name().and_then(|name| name.to_str()?.parse().ok());
            // Processes end while we look, and others' are closed to all but root.
            let (Some(pid), Ok(files)) = (pid, self.list(&folder.join("fd"))) else { continue };
            if files.iter().any(|file| self.read_link(file).is_ok_and(|target| target == wanted)) {
                let text = |name| self.read_text(&folder.join(name)).unwrap_or_default();
                let unit = text("cgroup").lines().find_map(unit_of);
                return Ok(Some(Process { pid, name: text("comm").trim().to_owned(), unit }));
            }
        }
        Ok(None)
    }
}

/// A line of the kernel's table.
struct Socket {
    local: SocketAddr,
    peer: SocketAddr,
    state: usize,
    uid: u32,
    /// What an open file that is this socket points to.
    file: PathBuf,
}

fn socket(line: &str) -> Option<Socket> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    Some(Socket {
        local: place(fields.get(1)?)?,
        peer: place(fields.get(2)?)?,
        state: usize::from_str_radix(fields.get(3)?, 16).ok()?,
        uid: fields.get(7)?.parse().ok()?,
        file: format!("socket:[{}]", fields.get(9)?).into(),
    })
}

/// `0100007F:1FAD` is 127.0.0.1:8109.
fn place(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let word = |part: usize| u32::from_str_radix(address.get(part * 8..part * 8 + 8)?, 16).ok();
    // The kernel prints each word of four bytes as the number that it is on this machine.
    let ip = if address.len() == 8 {
        IpAddr::V4(Ipv4Addr::from(word(0)?.to_ne_bytes()))
    } else {
        let words = [word(0)?, word(1)?, word(2)?, word(3)?].map(u32::to_ne_bytes);
        IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?))
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

/// `0::/system.slice/nginx.service` is `nginx.service`.
fn unit_of(line: &str) -> Option<String> {
    let unit = |part: &&str| part.rsplit_once('.').is_some_and(|(_, kind)| matches!(kind, "service" | "scope"));
    line.rsplit('/').find(unit).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const TABLE: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1FAD 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1FAD 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100 0 0 10 0
";

    fn host() -> (tempfile::TempDir, System) {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("etc/passwd", "dora:x:1000:1000::/home/dora:/bin/sh\n");
        write("proc/net/tcp", TABLE);
        write("proc/77/comm", "nginx\n");
        write("proc/77/cgroup", "0::/system.slice/nginx.service\n");
        write("proc/88/comm", "sh\n");
        std::fs::create_dir(folder.path().join("proc/77/fd")).unwrap();
        symlink("socket:[4711]", folder.path().join("proc/77/fd/3")).unwrap();
        let system = System::new(folder.path());
        (folder, system)
    }

    #[test]
    fn the_process_and_the_unit_that_hold_a_port_are_named() {
        let (_folder, system) = host();
        let holders = system.holders(Transport::Tcp, 8109).unwrap();
        assert_eq!(holders.len(), 1, "a connection to the port is no listener");
        assert_eq!(holders[0].to_string(), "nginx (process 77 of user dora, nginx.service)");
    }

    #[test]
    fn a_process_says_by_its_files_where_it_listens() {
        let (folder, system) = host();
        let v6 = "sl
   0: 00000000000000000000000000000000:2161 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1
";
        std::fs::write(folder.path().join("proc/net/tcp6"), v6).unwrap();
        symlink("socket:[4713]", folder.path().join("proc/77/fd/4")).unwrap();
        let places: Vec<String> = system.listens(77).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(places, ["127.0.0.1:8109", "[::]:8545"]);
    }

    #[test]
    fn who_is_connected_is_known_by_address_and_state() {
        let (_folder, system) = host();
        let seen = system.connected(8109).unwrap();
        assert_eq!(seen, [(IpAddr::from([127, 0, 0, 1]), "ESTABLISHED")]);
        assert_eq!(system.connected(8110).unwrap(), []);
    }

    #[test]
    fn of_a_process_that_is_hidden_the_user_is_named() {
        let (folder, system) = host();
        std::fs::remove_file(folder.path().join("proc/77/fd/3")).unwrap();
        assert_eq!(system.holders(Transport::Tcp, 8109).unwrap()[0].to_string(), "a process of user dora");
    }

    #[test]
    fn a_port_that_nobody_has_has_no_holder() {
        let (_folder, system) = host();
        assert_eq!(system.holders(Transport::Tcp, 30303).unwrap(), []);
        assert_eq!(system.holders(Transport::Udp, 8109).unwrap(), []);
    }
}
