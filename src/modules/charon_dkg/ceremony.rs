//! One run of `charon dkg`: from a true definition to files that are true, or back to where it began.

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
/// What is left of a round is enough if it is this part of the deadline.
const ENOUGH: u64 = 4;
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
    let seconds = wait_for_round(writer.system(), u64::try_from(hunt.module.deadline.0).unwrap_or(600), line)?;
    wait_for_key(writer, folder, line)?;
    if let Some(target) = folder.tidy(writer)? {
        line(&format!("what an earlier ceremony left is in {}", target.display()));
    }
    if let Some(parent) = folder.definition.parent() {
        writer.folders(parent, Traits::mode(0o700))?;
    }
    writer.write(&folder.definition, found.text.as_bytes(), Traits::mode(0o644))?;
    folder.begin(writer, &config_hash)?;
    let ended = start(hunt, writer, config_hash, seconds);
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

fn start(hunt: &Hunt, writer: &Writer, config_hash: B256, seconds: u64) -> Result<()> {
    let Hunt { module, folder, line, .. } = *hunt;
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

/// How many seconds to wait before charon is started, and how many it then has.
///
/// Charon takes nobody back who has left an exchange. Operators who try again as soon as they have failed meet others who still wait for
/// the end of theirs, in vain, and leave before those come back. So all end and begin at the same moments, about which they need not
/// talk: the whole multiples of a round since 1970.
fn round(now: u64, deadline: u64) -> (u64, u64) {
    let length = (deadline + GRACE).next_multiple_of(60);
    let left = length - now % length;
    let seconds = deadline.min(left.saturating_sub(GRACE));
    if seconds >= deadline.div_ceil(ENOUGH) { (0, seconds) } else { (left, deadline) }
}

/// Waits until a round has enough time left. Returns how many seconds of it charon has.
fn wait_for_round(system: &System, deadline: u64, line: &dyn Fn(&str)) -> Result<u64> {
    let (wait, seconds) = round(since_1970(), deadline);
    if wait > 0 {
        line(&format!("all operators begin anew in {wait} s"));
        system.rest(Duration::from_secs(wait))?;
    }
    Ok(seconds)
}

fn since_1970() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Two charons with one key disturb each other: waits until one that was killed is forgotten, and no longer. What `charon run`
/// noted of its cluster stays: charon itself knows how long that forbids another one.
fn wait_for_key(writer: &Writer, folder: &Folder, line: &dyn Fn(&str)) -> Result<()> {
    let system = writer.system();
    let deadline = Instant::now() + Duration::from_secs(15);
    let mut told = false;
    while let Some(renewed) = folder.key_renewed(system)? {
        if i64::try_from(since_1970()).unwrap_or(i64::MAX).saturating_sub(renewed) >= STALE {
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

#[cfg(test)]
mod tests {
    use super::round;

    #[test]
    fn whoever_comes_at_whatever_moment_ends_with_all_others_or_begins_with_them() {
        // A round of 11 minutes for 10, one of a minute for 45 s.
        for (deadline, length) in [(600, 660), (45, 60), (50, 60), (51, 120), (1, 60)] {
            for now in 1_700_000_000..1_700_000_000 + 2 * length {
                let (wait, seconds) = round(now, deadline);
                let ends = (now + wait) % length + seconds;
                assert!(seconds <= deadline && seconds * 4 >= deadline && ends <= length - 10, "{deadline} {now}");
                assert!(wait == 0 || (now + wait) % length == 0, "{deadline} {now}");
                assert!(wait * 3 < length + deadline, "{deadline} {now}");
            }
        }
    }

    #[test]
    fn at_the_beginning_all_of_the_deadline_is_there_and_at_the_end_the_next_round_is() {
        assert_eq!([round(660, 600), round(0, 600), round(100, 600)], [(0, 600), (0, 600), (0, 550)]);
        assert_eq!([round(500, 600), round(501, 600), round(659, 600)], [(0, 150), (159, 600), (1, 600)]);
    }
}
