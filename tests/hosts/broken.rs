//! A host that dies, a link that breaks, a disk that is full: one clear error, nothing lost, and the next run converges.

use crate::interrupts::Work;
use crate::lab::{self, Host};
use crate::run::run;
use std::time::{Duration, Instant};

#[test]
fn a_host_that_dies_in_the_middle_of_a_task_is_unreachable_and_converges_when_it_is_back() {
    let (work, running) = Work::begin();
    let dead = work.host.kill();
    let ended = running.end_within(Duration::from_mins(1)).expect(4);
    assert!(ended.trouble().starts_with(&format!("the connection to {} was lost", &*work.host)), "{ended}");
    assert!(ended.trouble().contains("run again"), "what to do: {ended}");
    dead.heal();
    work.converges();
}

#[test]
fn a_connection_that_is_cut_for_ten_seconds_is_survived() {
    let (work, mut running) = Work::begin();
    let cut = work.host.cut();
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        assert!(!running.is_over(), "it gave up: {}", running.end());
        std::thread::park_timeout(Duration::from_millis(100));
    }
    cut.heal();
    work.may_go_on();
    let ended = running.end().expect(0);
    assert_eq!(ended.recap().0[&*work.host].changed, 4, "{ended}");
    work.converges();
}

#[test]
fn a_disk_that_fills_during_a_copy_leaves_the_old_file_and_no_part_of_the_new() {
    let (host, folder) = (Host::take(), lab::folder());
    let inventory = format!("{},", &*host);
    let small = "/var/tmp/chainwright-tests/small";
    host.shell(&format!(
        "umount {small} 2>/dev/null; mkdir -p {small} && mount -t tmpfs -o size=1m none {small} && echo old > {small}/file"
    ));
    std::fs::write(folder.path().join("big"), vec![7; 3 << 20]).unwrap();
    let playbook = folder.path().join("copy.yml");
    let text = format!(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - copy: {{src: big, dest: {small}/file}}\n    - copy: {{content: x, dest: {small}/later}}\n"
    );
    std::fs::write(&playbook, text).unwrap();

    let ended = run(&playbook, &["-i", &inventory]).expect(2);
    assert!(ended.trouble().contains("no space left on the disk"), "{ended}");
    assert!(ended.trouble().contains(small), "it names the place: {ended}");
    assert_eq!(host.shell(&format!("cat {small}/file; ls -A {small}")), "old\nfile\n");

    host.shell(&format!("mount -o remount,size=16m {small}"));
    run(&playbook, &["-i", &inventory]).expect(0);
    assert_eq!(run(&playbook, &["-i", &inventory]).expect(0).changed(), 0);
    assert_eq!(host.shell(&format!("stat -c %s {small}/file")), format!("{}\n", 3 << 20));
    host.shell(&format!("umount {small}"));
}
