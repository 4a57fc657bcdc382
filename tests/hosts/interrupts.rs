//! Ctrl-C, once and twice, and a controller or an agent that is killed: the next run converges.

use crate::lab::{self, Host};
use crate::run::{Ended, Running, run, start};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);

/// A file, a command that lasts until it may go on, another file.
const WORK: &str = r#"
- hosts: all
  gather_facts: false
  vars: {box: /var/tmp/chainwright-tests/work}
  tasks:
    - file: {path: "{{ box }}", state: directory}
    - copy: {dest: "{{ box }}/before", content: before}
    - shell: touch started; until [ -e go ]; do sleep 0.1; done; touch done
      args: {chdir: "{{ box }}", creates: "{{ box }}/done"}
    - copy: {dest: "{{ box }}/after", content: after}
"#;

/// The playbook, and a host on which it waits in its third task.
pub struct Work {
    pub host: Host,
    folder: TempDir,
}

impl Work {
    pub fn begin() -> (Self, Running) {
        Self::begin_with(WORK)
    }

    fn begin_with(playbook: &str) -> (Self, Running) {
        let (host, folder) = (Host::take(), lab::folder());
        std::fs::write(folder.path().join("work.yml"), playbook).expect("a playbook");
        // A test that failed may have left its command running.
        host.shell("pkill -KILL -f '[u]ntil .* -e go'; rm -rf /var/tmp/chainwright-tests/work");
        let work = Self { host, folder };
        let running = start(&work.playbook(), &["-i", &work.inventory()]);
        work.host.until("has begun the work", SOON, "test -e /var/tmp/chainwright-tests/work/started");
        (work, running)
    }

    pub fn may_go_on(&self) {
        self.host.shell("touch /var/tmp/chainwright-tests/work/go");
    }

    /// Runs it again to its end, and once more, which must change nothing.
    pub fn converges(&self) {
        self.host.shell("mkdir -p /var/tmp/chainwright-tests/work; touch /var/tmp/chainwright-tests/work/go");
        self.again().expect(0);
        let files = self.host.shell("cd /var/tmp/chainwright-tests/work; cat before after; ls -A");
        assert_eq!(files.split_whitespace().collect::<Vec<_>>().join(" "), "beforeafterafter before done go started");
        assert_eq!(self.again().expect(0).changed(), 0);
    }

    fn again(&self) -> Ended {
        run(&self.playbook(), &["-i", &self.inventory()])
    }

    /// Neither the agent nor what it ran is there any more.
    pub fn nothing_is_left(&self) {
        self.no_agent_is_left();
        self.host.until("is free of what we ran", SOON, "! ps -eo args | grep '[u]ntil .* -e go'");
    }

    pub fn no_agent_is_left(&self) {
        self.host.until("is free of agents", SOON, "! ps -eo args | grep '[c]hainwright/agent'");
    }

    fn playbook(&self) -> PathBuf {
        self.folder.path().join("work.yml")
    }

    fn inventory(&self) -> String {
        format!("{},", &*self.host)
    }
}

#[test]
fn one_ctrl_c_lets_the_running_task_end_and_starts_no_other() {
    let (work, running) = Work::begin();
    running.interrupt();
    lab::until("the interrupt is told", SOON, || running.has_said("press Ctrl-C again"));
    work.may_go_on();
    let ended = running.end_within(SOON).expect(99);
    assert_eq!(ended.recap().0[&*work.host].failed, 0, "{ended}");
    work.host.shell("cd /var/tmp/chainwright-tests/work && test -e done");
    work.nothing_is_left();
    work.converges();
}

#[test]
fn two_ctrl_c_end_the_running_task_at_once() {
    let (work, running) = Work::begin();
    running.interrupt();
    lab::until("the interrupt is told", SOON, || running.has_said("press Ctrl-C again"));
    running.interrupt();
    running.end_within(SOON).expect(99);
    work.nothing_is_left();
    work.host.shell("cd /var/tmp/chainwright-tests/work && ! test -e done && ! test -e after");
    work.converges();
}

#[test]
fn a_killed_controller_leaves_no_agent_behind() {
    let (work, running) = Work::begin();
    running.kill();
    running.end_within(SOON).expect(128 + 9);
    work.nothing_is_left();
    work.converges();
}

#[test]
fn a_killed_agent_is_named_and_the_next_run_converges() {
    let (work, running) = Work::begin();
    work.host.until("watches the command", SOON, "pgrep -f '[c]hainwright-watchdog'");
    work.host.shell("pkill -KILL -f '[c]hainwright/agent'");
    let ended = running.end_within(SOON).expect(4);
    assert!(ended.trouble().starts_with(&format!("the agent on {} died", &*work.host)), "{ended}");
    work.nothing_is_left();
    work.converges();
}

/// A change that notifies, and a command that lasts until it may go on; the handler says who it was notified by.
const NOTIFY: &str = r#"
- name: Web
  hosts: all
  gather_facts: false
  vars: {box: /var/tmp/chainwright-tests/work}
  tasks:
    - file: {path: "{{ box }}", state: directory, mode: "0777"}
    - copy: {dest: "{{ box }}/conf", content: "x\n"}
      become: true
      become_user: nobody
      notify: Reload
    - shell: touch started; until [ -e go ]; do sleep 0.1; done; touch done
      args: {chdir: "{{ box }}", creates: "{{ box }}/done"}
  handlers:
    - name: Reload
      shell: echo reloaded >> {{ box }}/log
"#;

#[test]
fn a_handler_whose_controller_was_killed_runs_in_the_next_run() {
    let (work, running) = Work::begin_with(NOTIFY);
    running.kill();
    running.end_within(SOON).expect(128 + 9);
    work.nothing_is_left();
    work.may_go_on();
    let next = work.again().expect(0);
    assert!(next.to_string().contains("handler `Reload` is pending from an earlier run"), "{next}");
    assert_eq!(work.again().expect(0).changed(), 0);
    assert_eq!(work.host.shell("cat /var/tmp/chainwright-tests/work/log"), "reloaded\n");
    work.host.shell("! find / -xdev -path '*chainwright*/pending' | grep .");
}
