//! How a run went, host by host, and the exit code that follows from it.

use super::event::{Done, Status};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The hosts that did anything, in the order in which they were named first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recap(pub IndexMap<String, Counts>);

/// A host's line in the recap; the words are Ansible's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Steps that ended well, changed and ignored ones included.
    pub ok: usize,
    /// Steps that changed something.
    pub changed: usize,
    /// Steps whose host did not answer.
    pub unreachable: usize,
    /// Steps that failed, unless ignored or rescued.
    pub failed: usize,
    /// Steps that did not run.
    pub skipped: usize,
    /// Failures that a `rescue` took over.
    pub rescued: usize,
    /// Failures that `ignore_errors` let pass.
    pub ignored: usize,
}

impl Recap {
    /// Counts a step. Items of a loop are not counted, only their step.
    pub fn count(&mut self, done: &Done) {
        let counts = self.0.entry(done.host.clone()).or_default();
        match done.status {
            Status::Ok => counts.ok += 1,
            Status::Changed => {
                counts.ok += 1;
                counts.changed += 1;
            }
            Status::Skipped => counts.skipped += 1,
            Status::Failed => counts.failed += 1,
            Status::Ignored => {
                counts.ok += 1;
                counts.ignored += 1;
                if done.result.get("changed").and_then(serde_json::Value::as_bool).unwrap_or(false) {
                    counts.changed += 1;
                }
            }
            Status::Rescued => counts.rescued += 1,
            Status::Unreachable => counts.unreachable += 1,
        }
    }

    /// Puts the hosts into this order.
    pub fn order(&mut self, hosts: &[String]) {
        let place: std::collections::HashMap<_, _> = hosts.iter().enumerate().map(|(i, host)| (host, i)).collect();
        self.0.sort_by_cached_key(|host, _| place.get(host).copied());
    }

    /// Ansible's exit code: 4 if a host was unreachable, else 2 if one failed, else 0.
    pub fn exit(&self) -> u8 {
        if self.0.values().any(|counts| counts.unreachable > 0) {
            4
        } else if self.0.values().any(|counts| counts.failed > 0) {
            2
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Map;

    fn done(host: &str, status: Status) -> Done {
        Done {
            task: 0,
            host: host.into(),
            delegate: None,
            status,
            item: None,
            result: Map::new(),
            diffs: Vec::new(),
            help: None,
            proofs: Vec::new(),
            seconds: 0.0,
        }
    }

    #[test]
    fn a_changed_step_is_ok_too_and_an_ignored_failure_does_not_fail_the_run() {
        let mut recap = Recap::default();
        recap.count(&done("a", Status::Changed));
        recap.count(&done("a", Status::Ignored));
        recap.count(&done("a", Status::Rescued));
        assert_eq!(recap.0["a"], Counts { ok: 2, changed: 1, ignored: 1, rescued: 1, ..Counts::default() });
        assert_eq!(recap.exit(), 0);
    }

    #[test]
    fn an_unreachable_host_weighs_more_than_a_failed_one() {
        let mut recap = Recap::default();
        recap.count(&done("a", Status::Failed));
        assert_eq!(recap.exit(), 2);
        recap.count(&done("b", Status::Unreachable));
        assert_eq!(recap.exit(), 4);
    }
}
