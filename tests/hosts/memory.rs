//! What large files cost: time and disk, not memory.

use crate::lab::{self, Host};
use crate::run::run;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

/// Far more than controller and agent may take.
const LARGE: u64 = 300 << 20;
/// What they may take while it passes, in KiB. The tests' own build needs more than a release does.
const MOST: u64 = 64 << 10;

#[test]
fn a_large_file_goes_to_a_host_and_back_and_nobody_takes_it_into_memory() {
    let host = Host::take();
    let folder = lab::folder();
    let sent = folder.path().join("sent");
    let mut file = File::create(&sent).expect("a file");
    file.set_len(LARGE).expect("a hole");
    file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(b"the end")).expect("an end");
    let playbook = folder.path().join("large.yml");
    let text = "\
- hosts: all
  gather_facts: false
  tasks:
    - copy: {src: sent, dest: /var/tmp/large}
    - fetch: {src: /var/tmp/large, dest: back, flat: true}
    - command: sh -c 'sed -n s/VmHWM://p /proc/$PPID/status'
      register: agent
    - debug: {msg: \"{{ agent.stdout | trim }}, {{ lookup('pipe', 'sed -n s/VmHWM://p /proc/$PPID/status') | trim }}\"}
    - file: {path: /var/tmp/large, state: absent}
";
    std::fs::write(&playbook, text).expect("a playbook");
    let ended = run(&playbook, &["-i", &format!("{},", &*host)]).expect(0);

    let back = File::open(folder.path().join("back")).expect("it came back");
    assert_eq!(back.metadata().expect("its size").len(), LARGE + 7);
    let mut end = [0; 8];
    back.read_exact_at(&mut end, LARGE - 1).expect("its end");
    assert_eq!(&end, b"\0the end");

    let said: Vec<String> =
        ended.steps().iter().filter_map(|step| Some(step.result.get("msg")?.as_str()?.to_owned())).collect();
    let peaks = said.iter().find(|text| text.contains("kB")).expect("the peaks");
    let kib: Vec<u64> = peaks.split(',').filter_map(|peak| peak.trim().strip_suffix(" kB")?.parse().ok()).collect();
    assert!(kib.len() == 2 && kib.iter().all(|peak| *peak < MOST), "agent and controller: {peaks}");
}
