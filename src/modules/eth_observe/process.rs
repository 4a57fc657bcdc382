//! The node's process: what it was told, which bytes run, where it listens.

use crate::chain::doctor::Listener;
use crate::modules::Result;
use crate::system::{Algorithm, Command, System};
use std::net::SocketAddr;
use std::path::PathBuf;

/// A process, or the one that the unit would start. Its command line may hold secrets: it does not leave this host.
#[derive(Debug, Default)]
pub struct Process {
    /// The program's file.
    pub path: Option<String>,
    pid: Option<u32>,
    arguments: Vec<String>,
}

impl Process {
    /// What runs, or what would.
    pub fn of(system: &System, unit: &str, pid: Option<u32>) -> Self {
        let running = || -> Option<Self> {
            let folder = PathBuf::from(format!("/proc/{}", pid?));
            let line = system.read(&folder.join("cmdline")).ok()?;
            let arguments = line.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
            let path = system.read_link(&folder.join("exe")).ok()?;
            Some(Self { path: Some(path.display().to_string()), pid, arguments: arguments.collect() })
        };
        running().or_else(|| to_start(system, unit).ok()).unwrap_or_default()
    }

    /// The value of a flag: `--name value`, `--name=value`; of a bare `--name` the text is empty.
    pub fn flag(&self, name: &str) -> Option<String> {
        let mut arguments = self.arguments.iter().skip(1);
        while let Some(argument) = arguments.next() {
            let Some(own) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')) else { continue };
            if own == name {
                return Some(arguments.next().filter(|next| !next.starts_with("--")).cloned().unwrap_or_default());
            }
            if let Some(value) = own.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                return Some(value.to_owned());
            }
        }
        None
    }

    /// SHA-256 of the bytes that run, or of the file.
    pub fn sha256(&self, system: &System) -> Option<String> {
        let running = self.pid.map(|pid| PathBuf::from(format!("/proc/{pid}/exe")));
        let file = running.or_else(|| self.path.as_ref().map(PathBuf::from))?;
        system.checksum(&file, Algorithm::Sha256).ok()
    }

    /// Where it listens on TCP, but for devp2p's port.
    pub fn listeners(&self, system: &System, devp2p: u16) -> Vec<Listener> {
        let all = self.pid.and_then(|pid| system.listens(pid).ok()).unwrap_or_default();
        let listener = |place: SocketAddr| Listener {
            address: place.ip().to_canonical().to_string(),
            port: place.port(),
            loopback: place.ip().to_canonical().is_loopback(),
            namespaces: Vec::new(),
        };
        all.into_iter().filter(|place| place.port() != devp2p).map(listener).collect()
    }

    /// The namespaces of the port for WebSocket, by the command line.
    pub fn websocket(&self, port: u16) -> Vec<String> {
        let own = self.flag("ws.port").or_else(|| self.flag("wsport")).map_or(Some(8546), |text| text.parse().ok());
        if self.flag("ws").is_none() || own != Some(port) {
            return Vec::new();
        }
        let list = self.flag("ws.api").or_else(|| self.flag("wsapi")).unwrap_or_else(|| "net,web3".into());
        list.split(',').map(|name| name.trim().to_owned()).collect()
    }
}

/// `{ path=/opt/geth/geth ; argv[]=/opt/geth/geth --datadir /var/lib/geth ; ignore_errors=no ; ... }`
fn to_start(system: &System, unit: &str) -> Result<Process> {
    let ended = system.run(&Command::new(["systemctl", "show", "-p", "ExecStart", "--value", "--", unit]))?;
    let after = |mark: &str| {
        let (_, rest) = ended.stdout.split_once(mark)?;
        Some(rest.split(" ; ").next().unwrap_or(rest).to_owned())
    };
    let arguments = after("argv[]=").unwrap_or_default().split(' ').map(str::to_owned).collect();
    Ok(Process { path: after("path="), pid: None, arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(line: &str) -> Process {
        Process { arguments: line.split(' ').map(str::to_owned).collect(), ..Process::default() }
    }

    #[test]
    fn a_flag_is_found_however_it_is_written() {
        let process = process("/opt/geth --datadir /data --unlock=0xab,0xcd --mine --ws --ws.port 8600");
        assert_eq!(process.flag("datadir").as_deref(), Some("/data"));
        assert_eq!(process.flag("unlock").as_deref(), Some("0xab,0xcd"));
        assert_eq!(process.flag("mine").as_deref(), Some(""));
        assert_eq!(process.flag("data"), None);
        assert_eq!(process.websocket(8600), ["net", "web3"]);
        assert!(process.websocket(8545).is_empty());
    }
}
