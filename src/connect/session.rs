//! The life of one connection: start, bootstrap, upload, frames, end. One thread reads, one writes, one listens to
//! stderr, where sudo asks for its password.

use super::bootstrap::{Bootstrap, Said};
use super::outbox::{Next, Outbox};
use super::upload::Upload;
use super::{Kind, Message, Target, local, ssh, trouble};
use crate::agent::frame;
use crate::agent::protocol::{Reply, Request, SILENCE};
use crate::base::Failure;
use crate::base::failure::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the host's shell may take once ssh has connected, and an agent or sudo after it.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of what a login shell prints before our first line is passed over, in bytes.
const BANNER: usize = 64 << 10;
/// How much of stderr is kept, in bytes.
const SAID: usize = 8 << 10;

pub(super) type Sink = Arc<dyn Fn(Message) + Send + Sync>;

/// Shared by the threads of one connection.
pub(super) struct Session {
    target: Target,
    nonce: String,
    pub outbox: Outbox,
    pub sent: AtomicU64,
    pub received: AtomicU64,
    pub frames_sent: AtomicU64,
    pub frames_received: AtomicU64,
    /// The child of the present attempt, while it has not been waited for.
    child: Mutex<Option<Pid>>,
    stdin: Mutex<Option<ChildStdin>>,
    /// The end of what was said on stderr.
    said: Mutex<Vec<u8>>,
    /// Why we ended the child ourselves.
    verdict: Mutex<Option<Failure>>,
    /// No answer came in time, and the host's shell has said nothing.
    late: AtomicBool,
    /// The host's shell has said something.
    greeted: AtomicBool,
    over: Mutex<bool>,
    ended: Condvar,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("host", &self.target.host).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub fn start(target: Target, sink: Sink) -> Arc<Self> {
        let session = Arc::new(Self {
            target,
            nonce: nonce(),
            outbox: Outbox::default(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            frames_sent: AtomicU64::new(0),
            frames_received: AtomicU64::new(0),
            child: Mutex::new(None),
            stdin: Mutex::new(None),
            said: Mutex::new(Vec::new()),
            verdict: Mutex::new(None),
            late: AtomicBool::new(false),
            greeted: AtomicBool::new(false),
            over: Mutex::new(false),
            ended: Condvar::new(),
        });
        let (reader, writer) = (Arc::clone(&session), Arc::clone(&session));
        std::thread::spawn(move || writer.write());
        std::thread::spawn(move || {
            let failure = reader.run(&sink);
            let ours = reader.outbox.is_finished();
            reader.outbox.die();
            if !ours {
                sink(Message::Closed(failure));
            }
            reader.set_over();
        });
        session
    }

    pub fn send(&self, request: &Request) -> Result<u64> {
        let bytes = frame::encode(request).context("cannot send the task to the host")?;
        let size = bytes.len() as u64;
        let queued = match request {
            Request::Chunk { .. } => self.outbox.push_chunk(bytes),
            Request::Cancel { .. } => self.outbox.push_first(bytes),
            _ => self.outbox.push(bytes),
        };
        if queued {
            Ok(size)
        } else {
            Err(Failure::unreachable(format!("the connection to {} is closed", self.target.host)))
        }
    }

    pub fn bye(&self) {
        if let Ok(bytes) = frame::encode(&Request::Bye) {
            self.outbox.push(bytes);
        }
        self.outbox.finish();
    }

    pub fn wait(&self, patience: Duration) {
        if !self.is_over_within(patience) {
            self.kill();
            self.is_over_within(Duration::from_secs(1));
        }
    }

    fn set_over(&self) {
        *lock(&self.over) = true;
        self.ended.notify_all();
    }

    fn is_over_within(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut over = lock(&self.over);
        while !*over && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            over = self.ended.wait_timeout(over, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *over
    }

    /// Connects and serves the connection to its end; says why it ended.
    fn run(self: &Arc<Self>, sink: &Sink) -> Failure {
        let socket = match self.target.connection {
            Kind::Ssh => match ssh::socket(&self.target) {
                Ok(socket) => {
                    self.target.agent.pack_ahead();
                    socket
                }
                Err(failure) => return failure,
            },
            Kind::Local => None,
        };
        let reused = socket.as_ref().filter(|socket| socket.exists());
        match self.attempt(socket.as_ref(), reused.is_some(), sink) {
            // A master whose link is dead accepts sessions and never answers: begin anew without it.
            Stop::Late(late) => match reused {
                Some(stale) => {
                    let _ = std::fs::remove_file(stale);
                    self.attempt(socket.as_ref(), false, sink).into_failure(&self.target)
                }
                None => late,
            },
            stop => stop.into_failure(&self.target),
        }
    }

    /// One child, from its start to its end; why it ended.
    fn attempt(self: &Arc<Self>, socket: Option<&PathBuf>, reused: bool, sink: &Sink) -> Stop {
        let (mut child, bootstrapped) = match self.spawn(socket) {
            Ok(spawned) => spawned,
            Err(failure) => return Stop::Failure(failure),
        };
        let connecting = Duration::from_secs(self.target.timeout.max(1));
        self.outbox.expect_within(Some(if reused { connecting } else { connecting + PATIENCE }));
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Stop::Failure(Failure::new("a child without pipes"));
        };
        lock(&self.said).clear();
        *lock(&self.verdict) = None;
        *lock(&self.stdin) = child.stdin.take();
        *lock(&self.child) = Some(Pid::from_child(&child));
        // Never joined: an ssh master may keep its end of stderr open for long.
        let listener = Arc::clone(self);
        let listening = std::thread::spawn(move || listener.listen(stderr));

        let result = self.converse(BufReader::new(Counted(stdout, &self.received)), bootstrapped, sink);
        self.outbox.expect_within(None);
        if result.is_ok() && self.outbox.is_finished() {
            // The agent was asked to go, and its end is closed: what ssh and sshd still have to say to each other concerns nobody.
            self.set_over();
        }
        // A writer that is stuck has it, until there is nobody left to read.
        if let Ok(mut stdin) = self.stdin.try_lock() {
            stdin.take();
        }
        let code = self.reap(child);
        lock(&self.stdin).take();
        // What it said last may still be on its way to us.
        let until = Instant::now() + Duration::from_millis(200);
        while !listening.is_finished() && Instant::now() < until {
            std::thread::park_timeout(Duration::from_millis(2));
        }
        if let Some(verdict) = lock(&self.verdict).take() {
            return if self.late.swap(false, Ordering::Relaxed) { Stop::Late(verdict) } else { Stop::Failure(verdict) };
        }
        let said = self.heard();
        Stop::Failure(match result {
            Ok(()) => {
                let linked = match socket {
                    Some(socket) => UnixStream::connect(socket).is_ok(),
                    None => self.target.connection == Kind::Local,
                };
                trouble::lost(&self.target, &said, linked)
            }
            Err(Stop::Ended(printed)) => self.explain(&format!("{printed}{said}"), code),
            Err(other) => return other,
        })
    }

    /// Why no agent came up, from what was said instead.
    fn explain(&self, said: &str, code: Option<i32>) -> Failure {
        let target = &self.target;
        let becoming = target.r#become.as_ref().and_then(|to| to.explain(&target.host, said));
        becoming.unwrap_or_else(|| match target.connection {
            Kind::Ssh => trouble::cannot_connect(target, said, code),
            Kind::Local => Failure::unreachable(format!("cannot start the agent here: {}", trouble::tail(said))),
        })
    }

    fn spawn(&self, socket: Option<&PathBuf>) -> Result<(Child, bool)> {
        let (mut command, bootstrapped) = match self.target.connection {
            Kind::Local => local::command(&self.target, || self.bootstrap())?,
            Kind::Ssh => {
                let mut command = Command::new("ssh");
                let bootstrap = self.bootstrap()?.command();
                command.args(ssh::arguments(&self.target, socket.map(PathBuf::as_path), &bootstrap));
                (command, true)
            }
        };
        // Out of the terminal's reach: Ctrl-C is for us to hear, and to end things in order.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().map_err(|error| {
            let failure = Failure::unreachable(format!("cannot start {name}: {error}"));
            if name == "ssh" { failure.help("install OpenSSH's client (openssh-client) here") } else { failure }
        })?;
        Ok((child, bootstrapped))
    }

    fn bootstrap(&self) -> Result<Bootstrap<'_>> {
        let agent = &self.target.agent;
        Ok(Bootstrap {
            nonce: &self.nonce,
            hash: agent.hash()?,
            kib: agent.kib()?,
            r#become: self.target.r#become.as_ref(),
        })
    }

    /// Brings the agent up and passes on what it says, until it says no more.
    fn converse(&self, mut input: impl BufRead, bootstrapped: bool, sink: &Sink) -> std::result::Result<(), Stop> {
        if bootstrapped {
            self.bring_up(&mut input)?;
        }
        self.outbox.expect_within(Some(PATIENCE));
        let hello = frame::read::<Reply>(&mut input);
        let (version, uid, pending) = match hello {
            Ok(Some((Reply::Hello { version, uid, pending }, _))) => (version, uid, pending),
            Ok(Some((other, _))) => return Err(self.odd(&format!("the agent began with {other:?}"))),
            Ok(None) => return Err(Stop::Ended(String::new())),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(Stop::Ended(String::new())),
            Err(error) => return Err(self.odd(&error.to_string())),
        };
        let ours = env!("CARGO_PKG_VERSION");
        if version != ours {
            return Err(self.odd(&format!("the agent is version {version}, we are {ours}")));
        }
        self.frames_received.fetch_add(1, Ordering::Relaxed);
        self.outbox.expect_within(None);
        self.outbox.open();
        if !self.outbox.is_finished() {
            sink(Message::Opened { version, uid, pending });
        }
        loop {
            match frame::read::<Reply>(&mut input) {
                Ok(Some((reply, _))) => {
                    self.frames_received.fetch_add(1, Ordering::Relaxed);
                    if !self.outbox.is_finished() {
                        sink(Message::Reply(reply));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(self.odd(&error.to_string())),
                Ok(None) | Err(_) => return Ok(()),
            }
        }
    }

    fn bring_up(&self, input: &mut impl BufRead) -> std::result::Result<(), Stop> {
        let bootstrap = self.bootstrap()?;
        let host = &self.target.host;
        let mut printed = String::new();
        let mut upload = None;
        loop {
            let mut line = Vec::new();
            let count = input.take(BANNER as u64).read_until(b'\n', &mut line).unwrap_or(0);
            if count == 0 {
                return Err(Stop::Ended(printed));
            }
            self.greeted.store(true, Ordering::Relaxed);
            let line = String::from_utf8_lossy(&line);
            match bootstrap.parse(&line) {
                Some(Said::Start) => return Ok(()),
                Some(Said::Need(machine)) => {
                    self.outbox.expect_within(None);
                    self.send_chunks(upload.insert(self.upload(&machine)?));
                }
                Some(Said::Got) => {
                    if let Some(upload) = &mut upload {
                        upload.arrived(Instant::now());
                        self.send_chunks(upload);
                    }
                }
                Some(Said::Failed(reason)) => {
                    let why = reason.trim().trim_end_matches(';');
                    return Err(Stop::Failure(
                        Failure::unreachable(format!("cannot put the agent on {host}: {why}"))
                            .help("it needs about 10 MB in ~/.cache, /var/tmp or /tmp, where programs may be started"),
                    ));
                }
                None if printed.len() < BANNER => _ = write!(printed, "{line}"),
                None => return Err(self.odd("its login shell prints without end")),
            }
        }
    }

    fn upload(&self, machine: &str) -> std::result::Result<Upload, Stop> {
        let ours = std::env::consts::ARCH;
        if !machine.is_empty() && machine != ours {
            return Err(Stop::Failure(
                Failure::unreachable(format!(
                    "{} is a {machine}, and the agent's binary is for {ours}",
                    self.target.host
                ))
                .help("build one for it and name it in CHAINWRIGHT_AGENT"),
            ));
        }
        Ok(Upload::of(self.target.agent.packed()?))
    }

    /// Sends what may be sent of it. If the host does not take it, it says why on stdout.
    fn send_chunks(&self, upload: &mut Upload) {
        if let Some(stdin) = &mut *lock(&self.stdin)
            && let Ok(count) = upload.send(stdin)
        {
            self.sent.fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    fn odd(&self, what: &str) -> Stop {
        let failure = Failure::unreachable(format!("what answers on {} is not our agent: {what}", self.target.host));
        self.kill();
        Stop::Failure(failure)
    }

    /// Writes frames, and pings when there are none, until there is nothing more to write.
    fn write(&self) {
        loop {
            let frame = match self.outbox.next(SILENCE / 4) {
                Next::Frame(frame) => frame,
                Next::Idle => match frame::encode(&Request::Ping) {
                    Ok(frame) => frame,
                    Err(_) => return,
                },
                Next::Late => {
                    self.give_up_late();
                    continue;
                }
                Next::End => {
                    // The end of its stdin ends the agent, if `Bye` did not.
                    lock(&self.stdin).take();
                    return;
                }
            };
            let mut stdin = lock(&self.stdin);
            // If it cannot be written, the reader sees the end of the connection, and says so.
            if let Some(pipe) = stdin.as_mut()
                && pipe.write_all(&frame).is_ok()
            {
                self.sent.fetch_add(frame.len() as u64, Ordering::Relaxed);
                self.frames_sent.fetch_add(1, Ordering::Relaxed);
            } else {
                stdin.take();
            }
        }
    }

    fn give_up_late(&self) {
        let host = &self.target.host;
        let said = trouble::tail(&self.heard());
        let said = if said.is_empty() { said } else { format!(": {said}") };
        let failure = Failure::unreachable(format!("cannot reach {host}: no answer in time{said}"))
            .help("is it up, and does logging in work by hand? More time: timeout");
        self.late.store(!self.greeted.load(Ordering::Relaxed), Ordering::Relaxed);
        self.outbox.expect_within(None);
        self.judge(failure);
    }

    /// Keeps the end of what comes on stderr, and gives the password when it is asked for.
    fn listen(&self, mut stderr: ChildStderr) {
        let prompt = Bootstrap { nonce: &self.nonce, hash: "", kib: 0, r#become: None }.prompt();
        let asks = self.target.r#become.as_ref().map(|to| (to, to.asks(&prompt)));
        let mut asked = 0;
        let mut recent = String::new();
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = stderr.read(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..count]);
            recent.push_str(&text);
            if let Some((to, prompt)) = asks {
                while let Some(at) = recent.find(prompt) {
                    recent.drain(..at + prompt.len());
                    asked += 1;
                    match &to.password {
                        None => self.judge(to.missing(&self.target.host)),
                        Some(_) if asked > 1 => self.judge(to.wrong(&self.target.host)),
                        Some(password) => {
                            if let Some(stdin) = &mut *lock(&self.stdin) {
                                let line = zeroize::Zeroizing::new(format!("{}\n", password.expose()));
                                let _ = stdin.write_all(line.as_bytes());
                            }
                        }
                    }
                }
            }
            let keep = recent.len().saturating_sub(256);
            let keep = (keep..=recent.len()).find(|at| recent.is_char_boundary(*at)).unwrap_or(0);
            recent.drain(..keep);
            let mut said = lock(&self.said);
            said.extend_from_slice(&buffer[..count]);
            let extra = said.len().saturating_sub(SAID);
            said.drain(..extra);
        }
    }

    fn heard(&self) -> String {
        let said = String::from_utf8_lossy(&lock(&self.said)).into_owned();
        said.replace(&format!("{} password:", self.nonce), "")
    }

    /// Ends the child for a reason.
    fn judge(&self, failure: Failure) {
        lock(&self.verdict).get_or_insert(failure);
        self.kill();
    }

    fn kill(&self) {
        if let Some(pid) = *lock(&self.child) {
            let _ = kill_process(pid, Signal::TERM);
        }
        // Sudo cannot be killed by us, but it reads stdin. A writer that is stuck holds it, and is freed by the kill.
        if let Ok(mut stdin) = self.stdin.try_lock() {
            stdin.take();
        }
    }

    /// Waits for the child; one that lives on without its pipes is killed.
    fn reap(&self, mut child: Child) -> Option<i32> {
        let until = Instant::now() + Duration::from_secs(2);
        let mut code = None;
        loop {
            match child.try_wait() {
                Ok(None) if Instant::now() < until => std::thread::park_timeout(Duration::from_millis(1)),
                Ok(None) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break;
                }
                Ok(Some(status)) => {
                    code = status.code();
                    break;
                }
                Err(_) => break,
            }
        }
        *lock(&self.child) = None;
        code
    }
}

/// Why an attempt ended.
enum Stop {
    Failure(Failure),
    /// The other end closed; what it printed that was not for us.
    Ended(String),
    /// No answer in time.
    Late(Failure),
}

impl Stop {
    fn into_failure(self, target: &Target) -> Failure {
        match self {
            Self::Failure(failure) | Self::Late(failure) => failure,
            Self::Ended(printed) => trouble::lost(target, &printed, false),
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

struct Counted<'a>(ChildStdout, &'a AtomicU64);

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// A word that nothing else on the way prints. If the system has no randomness, time has to do: it is no secret.
fn nonce() -> String {
    let mut bytes = [0; 8];
    if getrandom::fill(&mut bytes).is_err() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        bytes = u64::try_from(now.as_nanos() & u128::from(u64::MAX)).unwrap_or_default().to_be_bytes();
    }
    bytes.iter().fold("chainwright-".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}
