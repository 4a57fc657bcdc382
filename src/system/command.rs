//! Running a program on the host.
//!
//! A program never gets the agent's own stdin and stdout: those are the protocol's. It runs in a process group of its
//! own, so that ending it ends its children. The root folder of a [`System`] is for files only: programs always see the
//! real root.

use super::watchdog::{self, Watchdog};
use super::{System, Writer};
use crate::base::Failure;
use crate::base::failure::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Where programs are looked for if the agent was started without a `PATH`.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The most that a program may print on one of its outputs, in bytes.
const MAX_OUTPUT: usize = 64 << 20;
/// How often cancellation is looked at.
const TICK: Duration = Duration::from_millis(50);
/// How long a program has between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// A program is over when it has exited and its pipes were quiet for this long: a daemon it left may keep them open.
const QUIET: Duration = Duration::from_millis(200);
/// And at the latest so long after its exit, if what it left behind keeps printing.
const CHATTER: Duration = Duration::from_secs(2);

/// A program to run. Its stdin is what `stdin` says or `/dev/null`, never the agent's own.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The working folder.
    pub folder: Option<String>,
    /// Given to the program; a pipe is closed after it.
    pub stdin: Option<Vec<u8>>,
    /// Beside the task's `environment`.
    pub environment: BTreeMap<String, String>,
    /// Ended after this many seconds.
    pub timeout: Option<u64>,
    /// How many seconds it has between SIGTERM and SIGKILL when it is ended, instead of 2.
    pub grace: Option<u64>,
}

impl Command {
    /// A program with its arguments, and nothing else.
    pub fn new<T: Into<String>>(argv: impl IntoIterator<Item = T>) -> Self {
        Self { argv: argv.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// How a program ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// Exit code; 128 + N after signal N.
    pub code: i32,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl System {
    /// Runs a program to its end. A program that cannot be started, prints more than 64 MiB, takes longer than its
    /// timeout or is cancelled is a failure; any exit code is not.
    ///
    /// For reading only: what changes the host goes through [`Writer::run`].
    pub fn run(&self, command: &Command) -> Result<Ended> {
        run(self, command, None)
    }

    /// The same, and `on_line` gets each line of both outputs when it is complete, without its newline.
    pub fn run_streaming(&self, command: &Command, on_line: &dyn Fn(&str)) -> Result<Ended> {
        run(self, command, Some(on_line))
    }
}

impl Writer {
    /// Runs a program that changes the host; as [`System::run`].
    pub fn run(&self, command: &Command) -> Result<Ended> {
        self.system.run(command)
    }

    /// Runs a program that changes the host; as [`System::run_streaming`].
    pub fn run_streaming(&self, command: &Command, on_line: &dyn Fn(&str)) -> Result<Ended> {
        self.system.run_streaming(command, on_line)
    }
}

fn run(system: &System, command: &Command, on_line: Option<&dyn Fn(&str)>) -> Result<Ended> {
    if system.cancelled.load(Ordering::Relaxed) {
        return Err(Failure::new("cancelled"));
    }
    let child = start(system, command)?;
    let name = command.argv.first().map_or("", String::as_str);
    Running::new(child, command, on_line)
        .map_err(|error| Failure::new(format!("cannot follow {name}: {error}")))?
        .finish(system, command)
}

fn start(system: &System, command: &Command) -> Result<Child> {
    let Some((program, arguments)) = command.argv.split_first() else {
        return Err(Failure::new("no command given").with("rc", 256));
    };
    if let Some(folder) = &command.folder
        && !std::path::Path::new(folder).is_dir()
    {
        return Err(Failure::new(format!("cannot run {program} in {folder}: there is no such folder")).with("rc", 2));
    }
    let mut process = std::process::Command::new(program);
    process.args(arguments).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    process.stdin(if command.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    if std::env::var_os("PATH").is_none_or(|path| path.is_empty()) {
        process.env("PATH", PATH);
    }
    process.envs(system.environment.iter()).envs(&command.environment);
    if let Some(folder) = &command.folder {
        process.current_dir(folder);
    }
    process.spawn().map_err(|error| {
        let code = error.raw_os_error().unwrap_or(1);
        match error.kind() {
            ErrorKind::NotFound => Failure::new(format!("cannot run {program}: there is no such program")),
            ErrorKind::PermissionDenied => Failure::new(format!("cannot run {program}: it is not executable for us")),
            ErrorKind::ArgumentListTooLong => Failure::new(format!("cannot run {program}: its arguments are too long")),
            _ => Failure::new(format!("cannot run {program}: {error}")),
        }
        .with("rc", code)
    })
}

/// A program that runs: its pipes, what it has printed, and when it must have ended.
struct Running<'a> {
    child: Child,
    /// Becomes readable when the program exits; old kernels have none, and the program is asked every few ms.
    pidfd: Option<OwnedFd>,
    stdin: Option<(ChildStdin, &'a [u8])>,
    stdout: Output<'a, ChildStdout>,
    stderr: Output<'a, ChildStderr>,
}

impl<'a> Running<'a> {
    fn new(mut child: Child, command: &'a Command, on_line: Option<&'a dyn Fn(&str)>) -> io::Result<Self> {
        let stdin = child.stdin.take().zip(command.stdin.as_deref());
        if let Some((pipe, _)) = &stdin {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        let pid = Pid::from_child(&child);
        Ok(Self {
            pidfd: pidfd_open(pid, PidfdFlags::empty()).ok(),
            stdin,
            stdout: Output::new(child.stdout.take(), on_line)?,
            stderr: Output::new(child.stderr.take(), on_line)?,
            child,
        })
    }

    fn finish(mut self, system: &System, command: &Command) -> Result<Ended> {
        let name = command.argv.first().map_or("", String::as_str);
        let failed = |error: io::Error| Failure::new(format!("cannot follow {name}: {error}"));
        let deadline = command.timeout.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let began = Instant::now();
        let mut watchdog = None;
        let status = loop {
            if watchdog.is_none() && began.elapsed() >= watchdog::AFTER {
                watchdog = Some(Watchdog::over(Pid::from_child(&self.child)));
            }
            let cancelled = system.cancelled.load(Ordering::Relaxed);
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            let verbose = self.stdout.bytes.len() > MAX_OUTPUT || self.stderr.bytes.len() > MAX_OUTPUT;
            if cancelled || late || verbose {
                self.end(command.grace.map_or(GRACE, Duration::from_secs)).map_err(failed)?;
                return Err(if cancelled {
                    Failure::new(format!("{name} was ended: the task was cancelled"))
                } else if late {
                    let seconds = command.timeout.unwrap_or_default();
                    Failure::new(format!("{name} was ended: it took longer than {seconds} s")).with("rc", 124)
                } else {
                    Failure::new(format!("{name} was ended: it printed more than {} MiB", MAX_OUTPUT >> 20))
                        .help("send its output to a file on the host")
                });
            }
            let left = deadline.map_or(TICK, |deadline| deadline.saturating_duration_since(Instant::now()).min(TICK));
            self.turn(left, true).map_err(failed)?;
            if let Some(status) = self.child.try_wait().map_err(failed)? {
                break status;
            }
        };
        drop(watchdog);
        self.drain().map_err(failed)?;
        Ok(Ended { code: code(status), stdout: self.stdout.finish(), stderr: self.stderr.finish() })
    }

    /// Waits until something happens, at most `patience`, and moves bytes. Says whether any moved.
    fn turn(&mut self, patience: Duration, alive: bool) -> io::Result<bool> {
        let patience = if alive && self.pidfd.is_none() { patience.min(Duration::from_millis(5)) } else { patience };
        let mut waiting = Vec::with_capacity(4);
        waiting.extend(self.pidfd.as_ref().filter(|_| alive).map(|fd| PollFd::new(fd, PollFlags::IN)));
        waiting.extend(self.stdin.as_ref().map(|(pipe, _)| PollFd::new(pipe, PollFlags::OUT)));
        waiting.extend(self.stdout.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        waiting.extend(self.stderr.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        match poll(&mut waiting, Timespec::try_from(patience).ok().as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        self.feed();
        Ok(self.stdout.pull()? | self.stderr.pull()?)
    }

    /// Gives the program what it has room for. One that does not want its stdin is no error.
    fn feed(&mut self) {
        while let Some((pipe, rest)) = &mut self.stdin {
            match pipe.write(rest) {
                Ok(count) if count < rest.len() => *rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => self.stdin = None,
            }
        }
    }

    /// Takes what is still in the pipes of a program that has exited.
    fn drain(&mut self) -> io::Result<()> {
        self.stdin = None;
        let exited = Instant::now();
        while (self.stdout.pipe.is_some() || self.stderr.pipe.is_some()) && exited.elapsed() < CHATTER {
            let open = (self.stdout.pipe.is_some(), self.stderr.pipe.is_some());
            let moved = self.turn(QUIET, false)?;
            if !moved && open == (self.stdout.pipe.is_some(), self.stderr.pipe.is_some()) {
                break;
            }
        }
        Ok(())
    }

    /// Ends the whole process group.
    fn end(&mut self, grace: Duration) -> io::Result<()> {
        let group = Pid::from_child(&self.child);
        let _ = kill_process_group(group, Signal::TERM);
        let started = Instant::now();
        while started.elapsed() < grace {
            self.turn(Duration::from_millis(20), true)?;
            // Until it is waited for, its number stays taken, so the second signal cannot hit a stranger.
            if self.pidfd.as_ref().is_some_and(is_readable) {
                break;
            }
        }
        let _ = kill_process_group(group, Signal::KILL);
        self.child.wait().map(|_| ())
    }
}

fn is_readable(fd: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

/// The exit code as a shell tells it.
fn code(status: ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}

/// One output of a program.
struct Output<'a, P> {
    pipe: Option<P>,
    bytes: Vec<u8>,
    /// Where the first line begins that has not been reported.
    line: usize,
    on_line: Option<&'a dyn Fn(&str)>,
}

impl<'a, P: Read + AsFd> Output<'a, P> {
    fn new(pipe: Option<P>, on_line: Option<&'a dyn Fn(&str)>) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(Self { pipe, bytes: Vec::new(), line: 0, on_line })
    }

    /// Reads what is there. Says whether anything was.
    fn pull(&mut self) -> io::Result<bool> {
        let before = self.bytes.len();
        let mut buffer = [0; 16 << 10];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.bytes.len() > MAX_OUTPUT {
                break;
            }
        }
        self.report(before);
        Ok(self.bytes.len() > before)
    }

    fn report(&mut self, mut searched: usize) {
        let Some(on_line) = self.on_line else { return };
        while let Some(end) = self.bytes[searched..].iter().position(|byte| *byte == b'\n') {
            let end = searched + end;
            on_line(&String::from_utf8_lossy(&self.bytes[self.line..end]));
            searched = end + 1;
            self.line = searched;
        }
    }

    fn finish(self) -> String {
        if let Some(on_line) = self.on_line
            && self.line < self.bytes.len()
        {
            on_line(&String::from_utf8_lossy(&self.bytes[self.line..]));
        }
        String::from_utf8(self.bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn system() -> System {
        System::new("/")
    }

    fn shell(script: &str) -> Command {
        Command::new(["sh", "-c", script])
    }

    #[test]
    fn outputs_and_exit_code_come_back_apart() {
        let ended = system().run(&shell("echo out; echo err >&2; exit 3")).unwrap();
        assert_eq!(ended, Ended { code: 3, stdout: "out\n".into(), stderr: "err\n".into() });
    }

    #[test]
    fn a_program_ended_by_a_signal_has_the_code_that_a_shell_would_tell() {
        assert_eq!(system().run(&shell("kill -9 $$")).unwrap().code, 137);
    }

    #[test]
    fn stdin_is_given_whole_while_output_is_read() {
        let text = vec![b'x'; 1 << 20];
        let ended = system().run(&Command { stdin: Some(text.clone()), ..Command::new(["cat"]) }).unwrap();
        assert_eq!(ended.stdout.len(), text.len());
    }

    #[test]
    fn a_program_that_ignores_its_stdin_is_no_error() {
        let command = Command { stdin: Some(vec![b'x'; 1 << 20]), ..Command::new(["true"]) };
        assert_eq!(system().run(&command).unwrap().code, 0);
    }

    #[test]
    fn without_stdin_a_program_reads_nothing() {
        assert_eq!(system().run(&Command::new(["cat"])).unwrap().stdout, "");
    }

    #[test]
    fn a_daemon_left_behind_does_not_hold_us_up_and_lives_on() {
        let started = Instant::now();
        let ended = system().run(&shell("sleep 30 & echo $!")).unwrap();
        assert!(started.elapsed() < Duration::from_secs(10));
        let pid = ended.stdout.trim();
        assert_eq!(system().run(&Command::new(["kill", pid])).unwrap().code, 0);
    }

    #[test]
    fn a_timeout_ends_the_whole_group() {
        let folder = tempfile::tempdir().unwrap();
        let script = format!("sleep 60 & echo $! > {}/pid; wait", folder.path().display());
        let failure = system().run(&Command { timeout: Some(1), ..shell(&script) }).unwrap_err();
        assert_eq!(failure.message, "sh was ended: it took longer than 1 s");
        let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let gone = || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim()));
            status.map_or(true, |status| status.contains("State:\tZ"))
        };
        while !gone() {
            assert!(Instant::now() < deadline, "the child lives");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_program_that_ignores_sigterm_is_killed() {
        let command = Command { timeout: Some(1), ..shell("trap '' TERM; while :; do sleep 1; done") };
        assert!(system().run(&command).unwrap_err().message.contains("longer than 1 s"));
    }

    #[test]
    fn cancelling_ends_a_running_program() {
        let system = system();
        let flag = system.cancelled.clone();
        let on_line = |_: &str| flag.store(true, Ordering::Relaxed);
        let failure = system.run_streaming(&shell("echo ready; sleep 60"), &on_line).unwrap_err();
        assert_eq!(failure.message, "sh was ended: the task was cancelled");
    }

    #[test]
    fn lines_are_reported_as_they_come_even_the_last_without_newline() {
        let lines = RefCell::new(Vec::new());
        let on_line = |line: &str| lines.borrow_mut().push(line.to_owned());
        system().run_streaming(&shell("printf 'a\\nb\\n'; printf c"), &on_line).unwrap();
        assert_eq!(*lines.borrow(), ["a", "b", "c"]);
    }

    #[test]
    fn the_task_environment_reaches_the_program_and_its_own_wins() {
        let system = system().with_environment([("A", "1"), ("B", "1")].map(|(k, v)| (k.into(), v.into())).into());
        let command = Command { environment: [("B".into(), "2".into())].into(), ..shell("echo $A$B") };
        assert_eq!(system.run(&command).unwrap().stdout, "12\n");
    }

    #[test]
    fn a_missing_program_and_a_missing_folder_are_told_apart() {
        let missing = system().run(&Command::new(["no-such-program"])).unwrap_err();
        assert_eq!(missing.message, "cannot run no-such-program: there is no such program");
        assert_eq!(missing.output["rc"], 2);
        let command = Command { folder: Some("/no/such".into()), ..Command::new(["true"]) };
        assert_eq!(system().run(&command).unwrap_err().message, "cannot run true in /no/such: there is no such folder");
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(system().run(&shell("printf 'a\\377b'")).unwrap().stdout, "a\u{fffd}b");
    }

    #[test]
    fn endless_output_is_stopped() {
        let failure = system().run(&Command::new(["yes"])).unwrap_err();
        assert_eq!(failure.message, "yes was ended: it printed more than 64 MiB");
    }
}
