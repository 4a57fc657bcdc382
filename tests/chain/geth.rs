//! geth, bootnode and chainwright as programs: run to their end, or running and asked over IPC.

use chainwright::chain::rpc::Client;
use chainwright::system::System;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The last version that seals Clique and has `bootnode`.
pub const VERSION: &str = "1.13.15";

/// The folder with `geth` and `bootnode`; built once for a machine.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| built(VERSION))
}

/// The folder with a version's programs; built now if it is not there.
#[track_caller]
pub fn built(version: &str) -> PathBuf {
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/geth");
    PathBuf::from(run(Command::new(build).arg(version)).trim())
}

/// Runs a program of geth's to its end, which must be a success; its standard output comes back.
#[track_caller]
pub fn geth(program: &str, args: &[&str]) -> String {
    run(Command::new(folder().join(program)).args(args))
}

/// Runs `chainwright`, which must succeed; its standard output comes back.
#[track_caller]
pub fn chainwright(args: &[&str]) -> String {
    run(Command::new(env!("CARGO_BIN_EXE_chainwright")).args(args))
}

/// As [`chainwright`], with `--json`.
#[track_caller]
pub fn ask(args: &[&str]) -> Value {
    serde_json::from_str(&chainwright(&[args, &["--json"]].concat())).expect("JSON")
}

#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("the program is there");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// A node that runs until it is dropped. It has ports of its own and speaks to nobody but this machine.
pub struct Node {
    child: Child,
    ipc: PathBuf,
    log: PathBuf,
}

impl Node {
    /// Starts geth with its data in `folder`, and waits until it answers.
    pub fn start(folder: &Path, args: &[&str]) -> Self {
        Self::start_in(folder, args, None)
    }

    /// As [`Node::start`], with this variable in its environment.
    pub fn start_in(folder: &Path, args: &[&str], environment: Option<(&str, &str)>) -> Self {
        let (ipc, log) = (folder.join("ipc"), folder.join("log"));
        let file = File::create(&log).expect("a log");
        let child = Command::new(self::folder().join("geth"))
            .arg("--datadir")
            .arg(folder.join("data"))
            .arg("--ipcpath")
            .arg(&ipc)
            .args(["--port", "0", "--authrpc.port", "0", "--bootnodes", "", "--netrestrict", "127.0.0.0/8"])
            .args(args)
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .expect("geth starts");
        let mut node = Self { child, ipc, log };
        node.when_it_can("web3_clientVersion", &Value::Null);
        node
    }

    /// Asks it something that it can do only when it has come far enough; it must not end before.
    #[track_caller]
    pub fn when_it_can(&mut self, method: &str, params: &Value) -> Value {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            match self.try_call(method, params) {
                Ok(answer) => return answer,
                Err(why) => {
                    let ended = self.child.try_wait().expect("a child").is_some();
                    assert!(!ended && Instant::now() < deadline, "{why}; geth says:\n{}", self.said());
                    std::thread::park_timeout(Duration::from_millis(20));
                }
            }
        }
    }

    /// Asks it something.
    #[track_caller]
    pub fn call(&self, method: &str, params: &Value) -> Value {
        self.try_call(method, params).unwrap_or_else(|why| panic!("{why}; geth says:\n{}", self.said()))
    }

    /// Asks it something that it may refuse.
    pub fn try_call(&self, method: &str, params: &Value) -> Result<Value, String> {
        let params = if params.is_null() { Value::Array(Vec::new()) } else { params.clone() };
        let system = System::new("/");
        Client::ipc(&system, &self.ipc).call(method, params).map_err(|failure| failure.to_string())
    }

    /// What every user of the host can read of it.
    pub fn command_line(&self) -> String {
        let line = std::fs::read(format!("/proc/{}/cmdline", self.child.id())).expect("it runs");
        String::from_utf8_lossy(&line).replace('\0', " ")
    }

    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
