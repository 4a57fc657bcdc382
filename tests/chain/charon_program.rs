//! Real charon on this machine: the program, and a relay that it offers.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The version that everybody runs.
const VERSION: &str = "1.10.3";
/// The first that knows cluster files of v1.11.
pub const NEXT: &str = "1.11.0-rc1";

/// The program; built once for a machine.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| folder(VERSION).join("charon"))
}

/// The folder of another version's program, and of the cluster files that it is tested with; built now if it is not there.
#[track_caller]
pub fn folder(version: &str) -> PathBuf {
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/charon");
    let output = Command::new(build).arg(version).stdin(Stdio::null()).output().expect("the script is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// To be given its arguments.
pub fn charon() -> Command {
    let mut command = Command::new(program());
    command.stdin(Stdio::null());
    command
}

/// A program that runs until it is dropped, with its output in a file.
pub struct Running {
    pub child: Child,
    pub log: PathBuf,
}

impl Running {
    pub fn start(command: &mut Command, log: PathBuf) -> Self {
        let file = File::create(&log).expect("a log");
        let child = command.stdout(file.try_clone().expect("a log")).stderr(file).spawn().expect("it starts");
        Self { child, log }
    }

    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits for its end, and says whether it was a good one.
    #[track_caller]
    pub fn succeeded(&mut self, deadline: Instant) -> bool {
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.success();
            }
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.said());
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody has.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port()
}

/// A relay that answers already at this address and these ports (HTTP, nodes), with the key that it has in the folder.
pub fn relay_at(folder: &Path, ip: &str, (http, tcp): (u16, u16)) -> Running {
    let (http, tcp) = (format!("{ip}:{http}"), format!("{ip}:{tcp}"));
    let mut command = charon();
    command.args(["relay", "--auto-p2pkey", "--p2p-advertise-private-addresses", "--p2p-external-ip", ip]);
    command.args(["--http-address", &http, "--p2p-tcp-address", &tcp, "--data-dir"]).arg(folder.join("relay"));
    let running = Running::start(&mut command, folder.join("relay.log"));
    let deadline = Instant::now() + Duration::from_secs(90);
    while std::net::TcpStream::connect(&http).is_err() {
        assert!(Instant::now() < deadline, "no relay:\n{}", running.said());
        std::thread::park_timeout(Duration::from_millis(50));
    }
    running
}
