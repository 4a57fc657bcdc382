//! `async_status`: what became of a task that was left to itself.

use super::loose::Text;
use super::{Cx, Module, Reach, Result};
use crate::base::{Diff, Failure, Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Looks at a task that was started with `async: SECONDS` and `poll: 0`; its result is this one's, once `finished` is true.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct AsyncStatus {
    /// The job: `ansible_job_id` of what the task registered.
    pub jid: Text,
    /// `status`, or `cleanup`, which removes the file with its result.
    #[serde(default)]
    pub mode: Mode,
    /// Where results are kept: `ansible_async_dir`; the engine fills it in.
    #[serde(default = "folder", rename = "_async_dir")]
    #[schemars(skip)]
    pub folder: String,
}

/// What to do with a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Look at it.
    #[default]
    Status,
    /// Forget it.
    Cleanup,
}

/// As Ansible has it.
fn folder() -> String {
    "~/.ansible_async".into()
}

impl Module for AsyncStatus {
    const NAME: &'static str = "async_status";
    const EXAMPLE: &'static str = "\
- command: /srv/reindex
  async: 3600
  poll: 0
  register: reindexing
- async_status: {jid: \"{{ reindexing.ansible_job_id }}\"}
  register: job
  until: job is finished
  retries: 360
  delay: 10";
    const REACH: Reach = Reach::World;
    type Output = Map;

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        let id = &self.jid.0;
        let mut output = Map::from_iter([("ansible_job_id".to_owned(), id.as_str().into())]);
        let told =
            |failure: Failure| failure.with("started", true).with("finished", true).with("ansible_job_id", id.as_str());
        if id.is_empty() || id.contains('/') {
            return Err(told(
                Failure::new(format!("`{id}` is no job")).help("give `ansible_job_id` of a registered result"),
            ));
        }
        let file = cx.system.expand(&self.folder)?.join(id);
        let Some(text) = cx.system.read_text_if_there(&file)? else {
            return Err(told(
                Failure::new(format!("could not find job {id}")).help("jobs are kept by the user as whom they run"),
            ));
        };
        let shown = file.display().to_string();
        if self.mode == Mode::Cleanup {
            cx.system.writer().remove(&file)?;
            output.insert("erased".into(), shown.into());
            return Ok(output);
        }
        output.insert("results_file".into(), shown.as_str().into());
        let Ok(Value::Object(mut result)) = serde_json::from_str(&text) else {
            return Err(told(Failure::new(format!("{shown} is not the result of a job"))));
        };
        if let Some(pid) = result.remove("_pid").filter(Value::is_u64)
            && !cx.system.exists(Path::new(&format!("/proc/{pid}")))?
        {
            return Err(told(
                Failure::new(format!("job {id} ended without a result")).help("it was killed, or the host restarted"),
            ));
        }
        if result.get("changed") == Some(&Value::Bool(true)) {
            cx.change(Diff::action(format!("job {id}")), |_| Ok(()))?;
        }
        output.extend(result);
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Host;
    use serde_json::json;

    /// A host with the folder of jobs; returns its path.
    fn host() -> (Host, String) {
        let (host, mut home) = (Host::new(), String::new());
        let expanded =
            host.with_cx(false, |cx| cx.system.expand(&super::folder()).map(|path| home = path.display().to_string()));
        expanded.unwrap();
        host.folder(&home);
        host.folder("/proc/7");
        (host, home)
    }

    #[test]
    fn a_job_runs_is_finished_and_is_forgotten() {
        let (host, jobs) = host();
        let status = || host.run("async_status", json!({"jid": "j1"})).unwrap();
        host.file(&format!("{jobs}/j1"), r#"{"started": true, "finished": false, "_pid": 7}"#);
        let running = status();
        assert!(running.output["finished"] == false && !running.output.contains_key("_pid"));
        host.file(&format!("{jobs}/j1"), r#"{"started": true, "finished": true, "changed": true, "rc": 0}"#);
        let over = status();
        assert!(over.changed() && over.output["finished"] == true && over.output["rc"] == 0);
        host.run("async_status", json!({"jid": "j1", "mode": "cleanup"})).unwrap();
        assert!(!host.has(&format!("{jobs}/j1")));
        assert!(host.fails("async_status", json!({"jid": "j1"})).starts_with("could not find job j1"));
    }

    #[test]
    fn a_job_that_was_killed_is_no_longer_waited_for() {
        let (host, jobs) = host();
        host.file(&format!("{jobs}/j1"), r#"{"started": true, "finished": false, "_pid": 8}"#);
        assert!(host.fails("async_status", json!({"jid": "j1"})).starts_with("job j1 ended without a result"));
        assert!(host.fails("async_status", json!({"jid": "../j1"})).starts_with("`../j1` is no job"));
    }
}
