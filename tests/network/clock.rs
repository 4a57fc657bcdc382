//! A node whose clock alone is wrong: the host's is right, and its program is untouched.
//!
//! All hosts of the lab have one clock, and Go asks the kernel for the time without libc, in the page of code that every process
//! gets from it (vdso(7)). In the copy of one process that code is exchanged for the system call and a sum.

use crate::run::until;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

/// The process, on this machine, of the only program that has this path on its host.
fn process(program: &str) -> Option<String> {
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let is_it = fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe == Path::new(program));
        is_it.then(|| entry.file_name().to_string_lossy().into_owned())
    })
}

/// Where the kernel's page is in a process.
fn vdso(process: &str) -> (u64, usize) {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let line = maps.lines().find(|line| line.ends_with("[vdso]")).expect("a vDSO");
    let (first, end) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
    let address = |text| u64::from_str_radix(text, 16).unwrap();
    (address(first), usize::try_from(address(end) - address(first)).unwrap())
}

/// Where in the page the time is told.
fn clock_gettime(page: &[u8]) -> u64 {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(page).unwrap();
    let listed = Command::new("nm").args(["--dynamic", "--defined-only"]).arg(file.path()).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let line = listed.lines().find(|line| line.contains(" __vdso_clock_gettime@"));
    let (offset, _) = line.unwrap_or_else(|| panic!("the vDSO tells no time: {listed}")).split_once(' ').unwrap();
    u64::from_str_radix(offset, 16).unwrap()
}

/// Sets the clock of a process ahead, from now until it ends: of the one process that runs this program of a host's.
pub fn put_ahead(program: &str, seconds: u8) {
    assert!(until(20, || process(program).is_some()), "{program} does not run");
    let process = process(program).unwrap();
    let memory = format!("/proc/{process}/mem");
    let (start, length) = vdso(&process);
    let mut page = vec![0; length];
    File::open(&memory).unwrap().read_exact_at(&mut page, start).unwrap();
    // mov eax, clock_gettime; syscall; test edi, edi (CLOCK_REALTIME is 0); jnz over; add qword [rsi], SECONDS; over: ret
    let code = [0xb8, 0xe4, 0, 0, 0, 0x0f, 0x05, 0x85, 0xff, 0x75, 0x04, 0x48, 0x83, 0x06, seconds, 0xc3];
    let at = start + clock_gettime(&page);
    OpenOptions::new().write(true).open(&memory).unwrap().write_all_at(&code, at).unwrap();
}
