//! The real binary as an agent on this machine.

use chainwright::agent::protocol::{Call, Reply, Request};
use chainwright::base::{Failure, Map};
use chainwright::connect::{AgentBinary, Connection, Kind, Message, Target, open};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn target() -> Target {
    Target {
        host: "here".into(),
        address: None,
        port: None,
        user: None,
        private_key: None,
        ssh_args: Vec::new(),
        timeout: 10,
        connection: Kind::Local,
        r#become: None,
        persist: 0,
        control_dir: None,
        agent: AgentBinary::at(env!("CARGO_BIN_EXE_chainwright")),
    }
}

fn connect(target: Target) -> (Connection, Receiver<Message>) {
    let (sender, messages) = channel();
    (open(target, move |message| _ = sender.send(message)), messages)
}

fn call(module: &str, args: serde_json::Value) -> Call {
    Call {
        module: module.into(),
        args: args.as_object().cloned().unwrap_or_else(Map::new),
        environment: [].into(),
        check: false,
        keep_going: false,
        step: 0,
        timeout: None,
        notes: vec![],
        job: None,
    }
}

fn batch(id: u64, calls: Vec<Call>) -> Request {
    Request::Batch { id, calls, blobs: vec![] }
}

/// The results of a batch by call, when it is over.
fn results(messages: &Receiver<Message>) -> Vec<(usize, Result<Map, Failure>)> {
    let mut results = Vec::new();
    loop {
        match messages.recv_timeout(PATIENCE).expect("the batch ends") {
            Message::Reply(Reply::Done { call, result, .. }) => {
                results.push((call, result.map(|outcome| outcome.output)));
            }
            Message::Reply(Reply::BatchDone { .. }) => return results,
            Message::Opened { .. } | Message::Reply(_) => {}
            Message::Closed(failure) => panic!("{failure}"),
        }
    }
}

#[test]
fn an_agent_opens_runs_a_batch_in_order_and_goes() {
    let (connection, messages) = connect(target());
    connection
        .send(&batch(1, vec![call("ping", serde_json::json!({"data": "a"})), call("ping", Map::new().into())]))
        .unwrap();
    let Message::Opened { version, .. } = messages.recv_timeout(PATIENCE).unwrap() else { panic!("not opened first") };
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let results = results(&messages);
    assert_eq!(results[0].1.as_ref().unwrap()["ping"], "a");
    assert_eq!(results[1].1.as_ref().unwrap()["ping"], "pong");
    connection.close(PATIENCE);
    assert!(messages.recv().is_err(), "nothing comes after the end");
}

#[test]
fn a_batch_stops_after_the_step_of_its_first_failure_unless_the_call_says_to_go_on() {
    let (connection, messages) = connect(target());
    let fails = |step| Call { step, ..call("no_such_module", Map::new().into()) };
    let works = |step| Call { step, ..call("ping", Map::new().into()) };
    let calls = vec![Call { keep_going: true, ..fails(0) }, fails(1), works(1), works(2)];
    connection.send(&batch(1, calls)).unwrap();
    let results = results(&messages);
    assert_eq!(results.iter().map(|(call, _)| *call).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(results[1].1.as_ref().unwrap_err().message, "the agent has no module no_such_module");
}

#[test]
fn a_program_that_is_no_agent_is_told_from_one() {
    let agent = AgentBinary::at("/bin/echo");
    let (_connection, messages) = connect(Target { agent, ..target() });
    let Message::Closed(failure) = messages.recv_timeout(PATIENCE).unwrap() else { panic!("opened") };
    assert!(failure.message.contains("not our agent"), "{failure}");
}

#[test]
fn a_missing_program_is_a_clear_failure() {
    let agent = AgentBinary::at("/no/such/agent");
    let (connection, messages) = connect(Target { agent, ..target() });
    let Message::Closed(failure) = messages.recv_timeout(PATIENCE).unwrap() else { panic!("opened") };
    assert!(failure.message.contains("/no/such/agent"), "{failure}");
    while connection.send(&Request::Ping).is_ok() {
        std::thread::yield_now();
    }
}

/// Waits until no process has `word` in its command line.
fn gone(word: &str) -> bool {
    let deadline = std::time::Instant::now() + PATIENCE;
    let runs = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes
            .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
            .any(|line| line.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes()))
    };
    while runs() {
        if std::time::Instant::now() > deadline {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

/// A `sleep` that no other test has, and that says when it runs.
fn sleeper(folder: &std::path::Path, seconds: &str) -> Call {
    let script = format!("touch {}; exec sleep {seconds}", folder.join("runs").display());
    call("command", serde_json::json!({"argv": ["sh", "-c", script]}))
}

fn runs(folder: &std::path::Path) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !folder.join("runs").exists() {
        assert!(std::time::Instant::now() < deadline, "the command does not start");
        std::thread::yield_now();
    }
}

#[test]
fn a_batch_that_is_cancelled_ends_its_command_and_runs_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let (connection, messages) = connect(target());
    connection.send(&batch(1, vec![sleeper(folder.path(), "61.17"), call("ping", Map::new().into())])).unwrap();
    runs(folder.path());
    connection.send(&Request::Cancel { id: 1 }).unwrap();
    let results = results(&messages);
    assert_eq!(results.len(), 1);
    assert!(results[0].1.as_ref().unwrap_err().message.contains("cancelled"), "{results:?}");
    assert!(gone("61.17"));
}

#[test]
fn a_call_that_takes_too_long_fails_and_the_agent_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let (connection, messages) = connect(target());
    let slow = Call { timeout: Some(1), keep_going: true, ..sleeper(folder.path(), "61.18") };
    connection.send(&batch(1, vec![slow, call("ping", Map::new().into())])).unwrap();
    let results = results(&messages);
    assert!(results[0].1.as_ref().unwrap_err().message.starts_with("timed out after 1 s"), "{results:?}");
    assert!(results[1].1.is_ok());
    assert!(gone("61.18"));
}

#[test]
fn when_the_controller_goes_the_agent_and_what_it_runs_go_too() {
    let folder = tempfile::tempdir().unwrap();
    let (connection, _messages) = connect(target());
    connection.send(&batch(1, vec![sleeper(folder.path(), "61.19")])).unwrap();
    runs(folder.path());
    drop(connection);
    assert!(gone("61.19"));
}

#[test]
fn when_the_agent_is_killed_what_it_runs_goes_too() {
    let folder = tempfile::tempdir().unwrap();
    let (connection, messages) = connect(target());
    let script = format!("echo $PPID > {}; sleep 61.21 & exec sleep 61.20", folder.path().join("agent").display());
    let stubborn = call("command", serde_json::json!({"argv": ["sh", "-c", script]}));
    connection.send(&batch(1, vec![stubborn])).unwrap();
    let agent = || std::fs::read_to_string(folder.path().join("agent")).ok()?.trim().parse::<i32>().ok();
    let agent = waited_for(agent);
    waited_for(|| children(agent).iter().any(|line| line.contains("chainwright-watchdog")).then_some(()));
    let agent = rustix::process::Pid::from_raw(agent).unwrap();
    rustix::process::kill_process(agent, rustix::process::Signal::KILL).unwrap();
    while !matches!(messages.recv_timeout(PATIENCE).unwrap(), Message::Closed(_)) {}
    assert!(gone("61.20") && gone("61.21"));
    assert!(gone("chainwright-watchdog"));
}

/// What comes, before it is too late.
fn waited_for<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        if let Some(came) = what() {
            return came;
        }
        assert!(std::time::Instant::now() < deadline, "it does not come");
        std::thread::yield_now();
    }
}

/// The command lines of a process's children.
fn children(of: i32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{of}/task")).unwrap().flatten();
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<String> =
        children.flat_map(|all| all.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect();
    children.iter().filter_map(|child| std::fs::read_to_string(format!("/proc/{child}/cmdline")).ok()).collect()
}

#[test]
fn a_large_blob_is_asked_for_and_comes_whole() {
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("file");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let sha256: String = <sha2::Sha256 as sha2::Digest>::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat();
    let (connection, messages) = connect(target());
    let blob = serde_json::json!({"sha256": sha256, "size": bytes.len()});
    connection.send(&batch(1, vec![call("copy", serde_json::json!({"dest": dest, "_blob": blob}))])).unwrap();
    loop {
        match messages.recv_timeout(PATIENCE).unwrap() {
            Message::Reply(Reply::Need { sha256 }) => connection.send_blob(sha256, std::io::Cursor::new(bytes.clone())),
            Message::Reply(Reply::Done { result, .. }) => break assert!(result.is_ok(), "{result:?}"),
            _ => {}
        }
    }
    assert!(std::fs::read(dest).unwrap() == bytes);
}
