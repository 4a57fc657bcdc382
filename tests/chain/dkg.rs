//! `chainwright dkg` on this machine: four operators, real charon, a real relay, and a stand-in of the Obol API; and what comes
//! of it when any of them is killed.

mod stand_in;

use crate::charon_program::{Running, free_port, program, relay_at};
use chainwright::chain::charon::{Definition, Plan, Rules, Version};
use chainwright::chain::{AccountKey, Address, NodeKey};
use serde_json::Value;
use stand_in::{Accident, StandIn, State, respond};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const CHAIN: u64 = 560_048;

/// An operator with a data folder and a file of its account's key.
struct Operator {
    account: AccountKey,
    data: PathBuf,
    account_file: PathBuf,
    charon: PathBuf,
}

impl Operator {
    fn new(folder: &Path, number: usize) -> Self {
        let account = AccountKey::generate().unwrap();
        let (data, account_file) = (folder.join(format!("node{number}")), folder.join(format!("account{number}")));
        fs::write(&account_file, account.node().to_hex().as_bytes()).unwrap();
        fs::set_permissions(&account_file, PermissionsExt::from_mode(0o600)).unwrap();
        Self { account, data, account_file, charon: program().to_owned() }
    }

    /// Starts `chainwright dkg`; standard output is in a file beside the log.
    fn start(&self, relay: u16, more: &[&str]) -> Running {
        let log = self.data.with_extension("log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
        command.args(["dkg", "--json", "--first-wait", "1", "--longest-wait", "2", "--data-dir"]);
        command.arg(&self.data).arg("--charon").arg(&self.charon).args(more);
        command
            .args(["--relay", &format!("http://127.0.0.1:{relay}"), "--option=--shutdown-delay=1s"])
            .stdin(Stdio::null());
        let out = File::create(self.data.with_extension("json")).unwrap();
        let err = File::options().create(true).append(true).open(&log).unwrap();
        let child = command.stdout(out).stderr(err).spawn().expect("chainwright starts");
        Running { child, log }
    }

    fn answer(&self) -> Value {
        serde_json::from_slice(&fs::read(self.data.with_extension("json")).unwrap()).expect("an answer")
    }

    fn has(&self, name: &str) -> bool {
        self.data.join(name).exists()
    }

    /// Leaves what the power leaves that goes when charon has written everything, and has not yet heard that all others have, too.
    fn forget_the_end(&self) {
        for name in ["dkg-manifest.sha256", ".dkg-published", "dkg.log"] {
            let _ = fs::remove_file(self.data.join(name));
        }
        fs::write(self.data.join(".dkg-running"), "").unwrap();
    }

    /// The process of a charon that works in this operator's folder.
    fn charon(&self) -> Option<u32> {
        let data = self.data.display().to_string();
        fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
            let command = fs::read(entry.path().join("cmdline")).ok()?;
            let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
            let is_it = words.first()?.ends_with(b"/charon") && words.contains(&data.as_bytes());
            is_it.then(|| entry.file_name().to_string_lossy().parse().ok()).flatten()
        })
    }
}

fn offered(operators: &[Operator], version: Version, timestamp: &str) -> Definition {
    Plan {
        name: format!("cluster of {timestamp}"),
        uuid: "0B0E4F43-5A1E-4C0B-9E5C-0C2D0C1B7A11".into(),
        timestamp: timestamp.into(),
        version,
        chain_id: CHAIN,
        operators: operators.iter().map(|it| it.account.address()).collect(),
        threshold: 3,
        validators: vec![(Address::repeat_byte(1), Address::repeat_byte(2))],
        deposit_amounts: Vec::new(),
    }
    .definition(&AccountKey::generate().unwrap())
    .unwrap()
}

#[track_caller]
fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(4);
    while !condition() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

fn kill(process: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
}

#[test]
fn four_strangers_agree_through_the_api_make_a_cluster_and_find_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let operators: Vec<Operator> = (0..4).map(|number| Operator::new(folder.path(), number)).collect();
    let (old, wanted) = (
        offered(&operators, Version::V1_9, "2026-01-01T00:00:00Z"),
        offered(&operators, Version::V1_10, "2026-02-01T00:00:00Z"),
    );
    let hash = wanted.compute_config_hash().unwrap().to_string();
    let api = StandIn::new(
        "127.0.0.1",
        State {
            definitions: vec![old, wanted],
            // Whoever comes first has a bad day.
            faults: vec![
                respond(503, "later"),
                b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"cluster_defi".to_vec(),
                respond(200, "<html>"),
                b"HTTP/1.1 429 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n".to_vec(),
            ],
            ..State::default()
        },
    );
    let ports = (free_port(), free_port());
    let _relay = relay_at(folder.path(), "127.0.0.1", ports);
    let start = |operator: &Operator| {
        let account = operator.account.address().to_string();
        let (file, backup) =
            (operator.account_file.display().to_string(), folder.path().join("backup").display().to_string());
        let more = ["--api", &api.url, "--config-hash", &hash, "--accept-with", &file, "--backup", &backup, &account];
        operator.start(ports.0, &more)
    };
    let deadline = Instant::now() + Duration::from_mins(3);
    let mut running: Vec<Running> = operators.iter().map(start).collect();
    for it in &mut running {
        assert!(it.succeeded(deadline), "{}", it.said());
    }
    let locks: Vec<String> = operators.iter().map(|it| it.answer()["lock_hash"].to_string()).collect();
    assert!(locks[0].len() == 68 && locks.iter().all(|it| *it == locks[0]), "{locks:?}");
    for (at, operator) in operators.iter().enumerate() {
        let answer = operator.answer();
        assert_eq!((&answer["operator"], &answer["config_hash"]), (&(at + 1).into(), &hash.clone().into()));
        for name in ["cluster-lock.json", "validator_keys/keystore-0.txt", "dkg-manifest.sha256"] {
            assert_eq!(fs::metadata(operator.data.join(name)).unwrap().permissions().mode() & 0o777, 0o400, "{name}");
        }
        assert!(
            operator.charon().is_none()
                && !operator.has("charon-enr-private-key.lock")
                && !operator.has(".dkg-running")
        );
        let said = running[at].said();
        assert!(
            said.contains("agreeing to the cluster") && !said.contains(&*operator.account.node().to_hex()),
            "{said}"
        );
    }
    // All have written: now the API knows it.
    assert_eq!(api.state().locks[&hash]["lock_hash"].to_string(), locks[0]);
    // Once more: nothing is made again.
    let mut again = start(&operators[0]);
    assert!(again.succeeded(Instant::now() + Duration::from_mins(1)), "{}", again.said());
    assert_eq!(operators[0].answer()["created"], Value::Bool(false));
    // Where the power went before charon had heard from all others, nothing says that they have written, too; but somebody has told
    // the API.
    operators[2].forget_the_end();
    fs::remove_dir_all(folder.path().join("backup")).unwrap();
    let mut joined = start(&operators[2]);
    assert!(joined.succeeded(Instant::now() + Duration::from_mins(1)), "{}", joined.said());
    assert!(joined.said().contains("our shares are here, its lock comes from the API"), "{}", joined.said());
    assert_eq!(operators[2].answer()["lock_hash"].to_string(), locks[2]);
    // Nobody has: it looks for the others, in vain, and says what to do. Any other operator has the lock.
    operators[2].forget_the_end();
    let alone = |more: &[&str]| {
        let all = [&["--api", "http://127.0.0.1:1", "--config-hash", &hash, "--deadline", "2"], more].concat();
        let mut it = operators[2].start(ports.0, &all);
        (it.succeeded(Instant::now() + Duration::from_mins(1)), it.said())
    };
    let (ended_well, said) = alone(&["--patience", "5"]);
    assert!(!ended_well && said.contains("if one of them says that it is over there, with the lock"), "{said}");
    let theirs = operators[3].data.join("cluster-lock.json").display().to_string();
    let (ended_well, said) = alone(&["--lock-file", &theirs]);
    assert!(ended_well, "{said}");
    assert_eq!(operators[2].answer()["lock_hash"].to_string(), locks[2]);
    // An operator who lost everything is not drawn into a ceremony that is over.
    let key = fs::read(operators[1].data.join("charon-enr-private-key")).unwrap();
    fs::remove_dir_all(&operators[1].data).unwrap();
    fs::create_dir(&operators[1].data).unwrap();
    fs::write(operators[1].data.join("charon-enr-private-key"), key).unwrap();
    let account = operators[1].account.address().to_string();
    let mut late =
        operators[1].start(ports.0, &["--api", &api.url, "--config-hash", &hash, "--patience", "1", &account]);
    assert!(!late.succeeded(Instant::now() + Duration::from_mins(1)));
    assert!(late.said().contains("its ceremony is over"), "{}", late.said());
}

#[test]
fn whoever_is_killed_the_ceremony_ends_well_on_a_later_run() {
    let folder = tempfile::tempdir().unwrap();
    let operators: Vec<Operator> = (0..4).map(|number| Operator::new(folder.path(), number)).collect();
    let mut definition = offered(&operators, Version::V1_10, "2026-03-01T00:00:00Z");
    for operator in &operators {
        let node = NodeKey::generate().unwrap();
        fs::create_dir(&operator.data).unwrap();
        fs::write(operator.data.join("charon-enr-private-key"), node.to_hex().as_bytes()).unwrap();
        assert!(definition.accept(&operator.account, &node, &Rules::default()).unwrap());
    }
    let file = folder.path().join("definition.json");
    fs::write(&file, definition.to_json().unwrap().to_string()).unwrap();
    let file = file.display().to_string();
    let ports = (free_port(), free_port());
    let start = |operator: &Operator| {
        let api = ["--api", "http://127.0.0.1:1", "--patience", "150"];
        operator.start(ports.0, &[&["--definition-file", &file, "--deadline", "45"], &api[..]].concat())
    };
    let relay = relay_at(folder.path(), "127.0.0.1", ports);
    let mut running: Vec<Option<Running>> = operators[..3].iter().map(|it| Some(start(it))).collect();
    for (operator, running) in operators.iter().zip(running.iter().flatten()) {
        wait("charon waits for the others", || running.said().contains("Waiting to connect to all peers"));
        wait("it runs", || operator.has(".dkg-running") && operator.charon().is_some());
    }
    // The first is told to stop: it ends charon first, and leaves nothing.
    let mut first = running[0].take().unwrap();
    kill(first.child.id(), "-TERM");
    assert_eq!(first.child.wait().unwrap().code(), Some(99), "{}", first.said());
    assert!(operators[0].charon().is_none(), "an orphan");
    assert!(!operators[0].has("charon-enr-private-key.lock") && !operators[0].has(".dkg-running"));
    // The second is killed, as with its host: no charon goes on behind the next run's back.
    let mut second = running[1].take().unwrap();
    second.child.kill().unwrap();
    second.child.wait().unwrap();
    wait("the killed one's charon ends", || operators[1].charon().is_none());
    assert!(operators[1].has(".dkg-running"));
    // The third's charon is killed: it is started again.
    let third = running[2].as_ref().unwrap();
    wait("the third tells", || {
        if let Some(charon) = operators[2].charon() {
            let _ = Command::new("kill").args(["-KILL", &charon.to_string()]).output();
        }
        third.said().contains("charon dkg ended with code 137")
    });
    // So is the relay; all come back, and the fourth comes at last.
    drop(relay);
    let relay = relay_at(folder.path(), "127.0.0.1", ports);
    running.push(None);
    for at in [0, 1, 3] {
        running[at] = Some(start(&operators[at]));
    }
    // In the middle of the exchange one is told to stop, the charon of another is killed, and so is the relay. An exchange takes
    // a second or two: on a busy machine one of them may be done with it, or have given up.
    let mut all: Vec<Running> = running.iter_mut().filter_map(Option::take).collect();
    wait("the exchange begins", || all[0].said().contains("All peers connected, starting DKG"));
    let charon = operators[2].charon();
    kill(all[1].child.id(), "-TERM");
    if let Some(charon) = charon {
        let _ = Command::new("kill").args(["-KILL", &charon.to_string()]).output();
    }
    drop(relay);
    let code = all[1].child.wait().unwrap().code();
    assert!(code == Some(99) || operators[1].has("cluster-lock.json"), "{}", all[1].said());
    assert!(operators[1].charon().is_none(), "an orphan");
    assert!(!operators[1].has("charon-enr-private-key.lock") && !operators[1].has(".dkg-running"));
    let _relay = relay_at(folder.path(), "127.0.0.1", ports);
    all[1] = start(&operators[1]);
    // Whoever was cut off when the others had heard from it that all is written, and not it from them, cannot find out by itself:
    // there is no API here. It says so when its patience is over, and gets the lock of another operator.
    let deadline = Instant::now() + Duration::from_mins(8);
    loop {
        let ended: Vec<bool> = all.iter_mut().map(|it| it.succeeded(deadline)).collect();
        if ended.iter().all(|well| *well) {
            break;
        }
        let over = ended.iter().position(|well| *well).map(|at| operators[at].data.join("cluster-lock.json"));
        let over = over.map(|file| file.display().to_string());
        for at in (0..4).filter(|at| !ended[*at]) {
            all[at] = match &over {
                Some(theirs) => operators[at].start(ports.0, &["--definition-file", &file, "--lock-file", theirs]),
                None => start(&operators[at]),
            };
        }
    }
    let locks: Vec<String> = operators.iter().map(|it| it.answer()["lock_hash"].to_string()).collect();
    assert!(locks[0].len() == 68 && locks.iter().all(|it| *it == locks[0]), "{locks:?}");
    for operator in &operators {
        assert!(operator.charon().is_none() && !operator.has(".dkg-running"));
    }
    // The log of what failed is kept.
    assert!(operators[2].has("failed-dkg/1/dkg.log"));
}

/// Real charon, but once it hangs between its shares and its lock, which it would write into a pipe that nobody reads, and is killed
/// there when the others have written everything.
fn cut_off_between_shares_and_lock(folder: &Path) -> PathBuf {
    // Before it waits for the others, charon tries whether it may write its files, and removes them again.
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = dkg ] && [ ! -e \"$3.cut\" ] || exec {0} \"$@\"\n: > \"$3.cut\"\n{0} \"$@\" & charon=$!\n\
         pipe=$3/cluster-lock.json\n\
         while kill -0 $charon 2>/dev/null; do\n  \
         [ -p \"$pipe\" ] || ! grep -qs 'Waiting to connect' \"$3/dkg.log\" || mkfifo \"$pipe\"\n  \
         [ ! -e \"$3/validator_keys/keystore-0.txt\" ] || [ ! -e {1}/node1/deposit-data-1eth.json ] || kill -KILL $charon\n  \
         sleep 0.05\ndone\nrm -f \"$pipe\"\nwait $charon\n",
        program().display(),
        folder.display()
    );
    let path = folder.join("charon-cut-off-between-shares-and-lock");
    // Another program writes it: nobody else has it open when it is to be run.
    fs::write(path.with_extension("sh"), script).unwrap();
    let mut install = Command::new("install");
    assert!(install.args(["-m", "755"]).arg(path.with_extension("sh")).arg(&path).status().unwrap().success());
    path
}

#[test]
fn when_one_is_cut_off_at_its_shares_nobody_takes_what_was_made_and_all_make_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut operators: Vec<Operator> = (0..4).map(|number| Operator::new(folder.path(), number)).collect();
    operators[0].charon = cut_off_between_shares_and_lock(folder.path());
    let definition = offered(&operators, Version::V1_10, "2026-06-01T00:00:00Z");
    let hash = definition.compute_config_hash().unwrap().to_string();
    let api = StandIn::new("127.0.0.1", State { definitions: vec![definition], ..State::default() });
    let ports = (free_port(), free_port());
    let _relay = relay_at(folder.path(), "127.0.0.1", ports);
    let start = |operator: &Operator| {
        let (account, file) = (operator.account.address().to_string(), operator.account_file.display().to_string());
        let more = ["--api", &api.url, "--config-hash", &hash, "--deadline", "45", "--accept-with", &file, &account];
        operator.start(ports.0, &more)
    };
    let mut running: Vec<Running> = operators.iter().map(start).collect();
    wait("one is cut off", || running[0].said().contains("charon dkg ended with code 137"));
    assert!(operators[0].has("failed-dkg/1/validator_keys"));
    // The others wait for it in vain until their time is up, unless they are told.
    for it in &mut running {
        kill(it.child.id(), "-TERM");
        assert!(!it.succeeded(Instant::now() + Duration::from_mins(1)), "{}", it.said());
    }
    running = operators.iter().map(start).collect();
    let deadline = Instant::now() + Duration::from_mins(4);
    for it in &mut running {
        assert!(it.succeeded(deadline), "{}", it.said());
    }
    assert!(!operators[0].has("failed-dkg/1/cluster-lock.json"));
    let kept = operators[1..].iter().filter(|it| it.has("failed-dkg/1/cluster-lock.json")).count();
    assert!(kept > 0, "nobody had made everything:\n{}", running[1].said());
    let locks: Vec<String> = operators.iter().map(|it| it.answer()["lock_hash"].to_string()).collect();
    assert!(locks[0].len() == 68 && locks.iter().all(|it| *it == locks[0]), "{locks:?}");
}

#[test]
fn the_api_dies_at_every_step_and_all_agree_and_make_the_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let operators: Vec<Operator> = (0..4).map(|number| Operator::new(folder.path(), number)).collect();
    let definition = offered(&operators, Version::V1_10, "2026-05-01T00:00:00Z");
    let hash = definition.compute_config_hash().unwrap().to_string();
    // The answer to the first who agrees is lost.
    let accidents = vec![("PUT", Accident::HangsUp)];
    let api = StandIn::new("127.0.0.1", State { definitions: vec![definition], accidents, ..State::default() });
    let ports = (free_port(), free_port());
    let _relay = relay_at(folder.path(), "127.0.0.1", ports);
    let start = |operator: &Operator| {
        let (account, file) = (operator.account.address().to_string(), operator.account_file.display().to_string());
        let more = ["--api", &api.url, "--config-hash", &hash, "--deadline", "60", "--accept-with", &file, &account];
        operator.start(ports.0, &more)
    };
    let agreed = || api.state().definitions[0].operators.iter().filter(|it| it.has_signed()).count();
    // It dies before the last has agreed.
    let mut running: Vec<Running> = operators[..3].iter().map(start).collect();
    wait("three agree", || agreed() == 3);
    api.kill();
    running.push(start(&operators[3]));
    let lost = |it: &Running| it.said().contains("refused") || it.said().contains("connect");
    for it in &running {
        wait("all see that it is dead", || lost(it));
    }
    // It comes back, and dies when it has told the last that it knows; all of them agreed, and nobody has seen it.
    api.state().accidents.push(("PUT", Accident::Dies));
    api.revive();
    wait("the last agrees", || api.is_dead());
    assert_eq!(agreed(), 4);
    // An operator's host dies between agreeing and looking; it comes back, and does not agree a second time.
    running[0].child.kill().unwrap();
    running[0].child.wait().unwrap();
    running[0] = start(&operators[0]);
    // When the first tells that all have written, the API hangs and dies: what it was told is on its disk.
    api.state().accidents.push(("POST /v1/lock", Accident::Hangs));
    api.revive();
    wait("the lock is told", || api.state().locks.contains_key(&hash));
    api.kill();
    let deadline = Instant::now() + Duration::from_mins(4);
    for it in &mut running {
        assert!(it.succeeded(deadline), "{}", it.said());
    }
    let is_untold = |it: &&Operator| !it.has(".dkg-published");
    let untold = operators.iter().find(is_untold).expect("whoever was hung up on does not know");
    api.revive();
    let mut later = start(untold);
    assert!(later.succeeded(Instant::now() + Duration::from_mins(4)), "{}", later.said());
    assert!(untold.has(".dkg-published"));
    let locks: Vec<String> = operators.iter().map(|it| it.answer()["lock_hash"].to_string()).collect();
    assert!(locks[0].len() == 68 && locks.iter().all(|it| *it == locks[0]), "{locks:?}");
    let agreements = operators.iter().map(|it| fs::read_to_string(it.data.with_extension("log")).unwrap());
    let agreements: Vec<usize> = agreements.map(|log| log.matches("agreeing to the cluster").count()).collect();
    assert_eq!((agreements, api.state().repeated), (vec![1; 4], 0));
}
