//! One run of `charon dkg`: from a true definition to files that are true, or back to where it began.

use super::CharonDkg;
use super::cut_off::says_all_have_written;
use super::folder::{Folder, LOG};
use super::made::{Deposits, LOCK, Made, Ours, verify};
use super::wait::{Found, Hunt};
use crate::base::{Failure, failure::Result};
use crate::chain::B256;
use crate::chain::charon::Rules;
use crate::system::{Command, System, Traits, Writer};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// Charon takes a key for free when it was not renewed for 5 s.
const STALE: i64 = 6;
/// Charon itself looks at the deadline, and says what it waited for; it is ended so many seconds later if it does not.
const GRACE: u64 = 10;
/// Told to end, it may be writing what cannot be made again: it has so many seconds before it is killed.
const END: u64 = 20;
/// How often cancellation is looked at.
const TICK: Duration = Duration::from_millis(100);

/// Whether there is a program at all, before anybody waits for others: what it says of its version.
pub fn program(system: &System, charon: &str) -> Result<String> {
    let ended = system.run(&Command { timeout: Some(30), ..Command::new([charon, "version"]) }).map_err(|failure| {
        failure
            .context("charon cannot be run")
            .help("install it, or say where it is (`charon`); all operators need the same")
    })?;
    Ok(ended.stdout.lines().next().unwrap_or_default().to_owned())
}

/// Runs it once. A failure leaves the folder as it was, with what charon left in `failed-dkg`.
pub fn run(hunt: &Hunt, writer: &Writer, found: &Found) -> Result<Made> {
    let (folder, line) = (hunt.folder, hunt.line);
    let config_hash = found.config_hash;
    let rules = Rules { config_hash: Some(config_hash), ..hunt.ours.rules.clone() };
    let ours = Ours { key: hunt.ours.key, rules: &rules, lock_hash: None, keys_elsewhere: false };
    wait_for_key(writer, folder, line)?;
    if let Some(target) = folder.tidy(writer)? {
        line(&format!("what an earlier ceremony left is in {}", target.display()));
    }
    if let Some(parent) = folder.definition.parent() {
        writer.folders(parent, Traits::mode(0o700))?;
    }
    writer.write(&folder.definition, found.text.as_bytes(), Traits::mode(0o644))?;
    folder.begin(writer, &config_hash)?;
    let ended = start(hunt.module, writer, folder, config_hash, line);
    // Whatever came of it, charon is over: nobody renews this any more.
    folder.release_key(writer)?;
    // The files of deposits are in the lock as well, and are written after it: `settle` makes them complete, and then takes the
    // mark away.
    let system = writer.system();
    let lock = system.read_text(&folder.inside(LOCK));
    let made = lock.and_then(|text| verify(system, folder.path(), &text, &ours, Deposits::Renewed));
    let failure = match (made, ended) {
        (Ok(made), Ok(())) => return Ok(made),
        // What is true and what all have is true, even if charon stumbled after it.
        (Ok(made), Err(failure)) if says_all_have_written(&failure.message) || folder.all_have_written(system)? => {
            line(&format!("the cluster is made, and true, although {}", failure.message));
            return Ok(made);
        }
        (Ok(_), Err(failure)) => failure.context("all is made here, but not known to be made everywhere"),
        (Err(untrue), Ok(())) => untrue.context("what charon made is not true"),
        (Err(_), Err(failure)) => failure,
    };
    let place = folder.tidy(writer)?;
    folder.end(writer)?;
    let mut help = Vec::new();
    if let Some((lock_hash, file)) = folder.made_once(system, config_hash)? {
        help.push(format!(
            "all operators run it again; if one of them says that it is over there, with the lock {lock_hash}, \
             run it with `lock_file`: {}",
            file.display()
        ));
    }
    help.extend(place.map(|place| format!("charon's log and what it left are in {}", place.display())));
    Err(if help.is_empty() { failure } else { failure.help(help.join("; ")) })
}

fn start(module: &CharonDkg, writer: &Writer, folder: &Folder, config_hash: B256, line: &dyn Fn(&str)) -> Result<()> {
    let seconds = u64::try_from(module.deadline.0).unwrap_or(600);
    let shown = |path: &Path| path.display().to_string();
    let mut argv = vec![module.charon.clone(), "dkg".into()];
    let mut option = |name: &str, value: String| argv.extend([format!("--{name}"), value]);
    option("data-dir", shown(&writer.system().locate(folder.path())));
    option("definition-file", shown(&writer.system().locate(&folder.definition)));
    option("log-output-path", shown(&writer.system().locate(&folder.inside(LOG))));
    option("log-color", "disable".into());
    option("timeout", format!("{seconds}s"));
    if !module.relays.0.is_empty() {
        option("p2p-relays", module.relays.0.join(","));
    }
    // What the environment says of these is overruled: the shares would be in an archive or with a key manager, nobody would
    // have checked them, or the lock would be told to all the world before all operators have theirs.
    argv.extend(
        ["--zipped=false", "--keymanager-address=", "--keymanager-auth-token=", "--no-verify=false", "--publish=false"]
            .map(String::from),
    );
    argv.extend(module.options.0.iter().cloned());
    line(&format!("charon dkg for the cluster {config_hash}"));
    let command = Command { timeout: Some(seconds + GRACE), grace: Some(END), ..Command::new(argv) };
    let ended = writer.run_streaming(&command, line)?;
    if ended.code == 0 {
        return Ok(());
    }
    let output = format!("{}\n{}", ended.stdout, ended.stderr);
    let last = output.lines().rfind(|it| !it.trim().is_empty()).unwrap_or_default().trim();
    Err(Failure::new(format!("charon dkg ended with code {}: {last}", ended.code)).with("rc", ended.code))
}

/// Two charons with one key disturb each other: waits until one that was killed is forgotten, and no longer. What `charon run`
/// noted of its cluster stays: charon itself knows how long that forbids another one.
fn wait_for_key(writer: &Writer, folder: &Folder, line: &dyn Fn(&str)) -> Result<()> {
    let system = writer.system();
    let deadline = Instant::now() + Duration::from_secs(15);
    let mut told = false;
    while let Some(renewed) = folder.key_renewed(system)? {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        if i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(renewed) >= STALE {
            return folder.release_key(writer);
        }
        if Instant::now() >= deadline {
            return Err(Failure::new(format!("another charon runs with the key in {}", folder.path().display()))
                .help("stop it first: a key is for one program at a time"));
        }
        if !told {
            line("a charon used this key a moment ago; waiting until it is surely over");
            told = true;
        }
        system.rest(TICK)?;
    }
    Ok(())
}
