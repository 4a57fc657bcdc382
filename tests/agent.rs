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
                results.push((call, result.map(|outcome| outcome.output)))
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
fn a_batch_stops_at_its_first_failure_unless_the_call_says_to_go_on() {
    let (connection, messages) = connect(target());
    let fails = || call("no_such_module", Map::new().into());
    connection
        .send(&batch(1, vec![Call { keep_going: true, ..fails() }, fails(), call("ping", Map::new().into())]))
        .unwrap();
    let results = results(&messages);
    assert_eq!(results.iter().map(|(call, _)| *call).collect::<Vec<_>>(), [0, 1]);
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
