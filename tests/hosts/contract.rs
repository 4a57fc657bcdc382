//! What every module promises, on a real host: check mode predicts the first run, and the second changes nothing.

use crate::run::{Ended, run};
use chainwright::base::Event;
use chainwright::base::event::{Done, Status};
use std::fmt::Write as _;
use std::path::Path;

/// Holds a playbook of `tests/modules` to the promise on one host; the error tells what was not as it should be.
pub fn hold(playbook: &Path, host: &str) -> Result<(), String> {
    let inventory = format!("{host},");
    let tagged = |tag: &str, more: &[&str]| {
        let ended = run(playbook, &[&["-i", inventory.as_str(), "-t", tag], more].concat());
        if ended.code == 0 { Ok(ended) } else { Err(format!("`-t {tag} {}`: {}", more.join(" "), brief(&ended))) }
    };
    tagged("setup", &[])?;
    let predicted = outcomes(&tagged("contract", &["-C", "-D"])?);
    let first = outcomes(&tagged("contract", &["-D"])?);
    compare(&predicted, &first)?;
    let second = tagged("contract", &["-D"])?;
    if second.changed() > 0 {
        let again = changes(&outcomes(&second));
        return Err(format!("the second run changes something again:\n{again}"));
    }
    tagged("verify", &[])?;
    tagged("cleanup", &[]).map(|_| ())
}

/// The ends of the run's steps and of their items, in order.
fn outcomes(ended: &Ended) -> Vec<Done> {
    let done = |event| match event {
        Event::StepDone(done) | Event::ItemDone(done) => Some(done),
        _ => None,
    };
    ended.events().into_iter().filter_map(done).collect()
}

fn compare(predicted: &[Done], first: &[Done]) -> Result<(), String> {
    let key = |done: &Done| (done.task, done.item.clone(), done.status, done.diffs.clone());
    // What cannot be foretold is skipped; then nothing may change either.
    let fits = |(said, did): (&Done, &Done)| {
        key(said) == key(did)
            || (said.task == did.task
                && said.status == Status::Skipped
                && did.status == Status::Ok
                && did.diffs.is_empty())
    };
    if predicted.len() == first.len() && predicted.iter().zip(first).all(fits) {
        return Ok(());
    }
    let mut report = "check mode predicts something else than the first run does".to_owned();
    for (said, did) in predicted.iter().zip(first).filter(|pair| !fits(*pair)) {
        let _ = write!(report, "\npredicted:\n{}did:\n{}", line(said), line(did));
    }
    if predicted.len() != first.len() {
        let _ = write!(report, "\n{} results were predicted, {} came", predicted.len(), first.len());
    }
    Err(report)
}

fn changes(done: &[Done]) -> String {
    done.iter().filter(|done| done.status == Status::Changed).map(line).collect()
}

fn line(done: &Done) -> String {
    let mut text = format!("  task {} {:?}", done.task, done.status);
    if let Some(item) = &done.item {
        let _ = write!(text, " item {item}");
    }
    for diff in &done.diffs {
        let _ = write!(text, "\n    {diff:?}");
    }
    text + "\n"
}

/// What failed, or all that was said if no step did.
fn brief(ended: &Ended) -> String {
    let failed = |event| match event {
        Event::StepDone(done) if matches!(done.status, Status::Failed | Status::Unreachable) => {
            Some(format!("task {}: {}", done.task, serde_json::Value::Object(done.result)))
        }
        _ => None,
    };
    let lines = ended.stdout.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok()).filter_map(failed);
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() { ended.to_string() } else { format!("exit code {}: {}", ended.code, lines.join("\n")) }
}
