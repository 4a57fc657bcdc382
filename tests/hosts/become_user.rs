//! Becoming root: without a password, with one that nobody sees, with a wrong one, and where it cannot be.

use crate::lab::{self, Host};
use crate::run::{Ended, run, start_over};
use std::path::{Path, PathBuf};

/// The lab's operator has this password while a test runs: one that is found nowhere by chance.
const PASSWORD: &str = "Zq7-keks-mit-Quark";

/// Tells who it is, and searches both machines' processes for the password.
const SEARCH: &str = r#"
- hosts: all
  gather_facts: false
  tasks:
    - command: id -un
      changed_when: false
      register: me
    - assert: {that: me.stdout == "root"}
    - shell: cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' | sort -u; true
      changed_when: false
      register: there
    - shell: cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' | sort -u; true
      changed_when: false
      delegate_to: localhost
      become: false
      register: here
    - assert:
        that:
          - there.stdout is search("agent")
          - here.stdout is search("become-password-file")
"#;

/// Something on a host that is put back, even if the test fails.
struct PutBack<'a>(&'a Host, &'static str);

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        self.0.shell(self.1);
    }
}

fn operator_password(host: &Host) -> PutBack<'_> {
    host.shell(&format!("echo 'operator:{PASSWORD}' | chpasswd"));
    PutBack(host, "echo operator:operator | chpasswd")
}

fn playbook(folder: &Path) -> PathBuf {
    let path = folder.join("search.yml");
    std::fs::write(&path, SEARCH).expect("a playbook");
    path
}

fn as_user(host: &str, user: &str, password: Option<&str>) -> Ended {
    let folder = lab::folder();
    let inventory = format!("{host},");
    let mut arguments = vec!["-i", &inventory, "-u", user, "-b"];
    let file = folder.path().join("password");
    let file_name = file.display().to_string();
    if let Some(password) = password {
        std::fs::write(&file, format!("{password}\n")).expect("a password file");
        arguments.extend(["--become-password-file", &file_name]);
    }
    run(&playbook(folder.path()), &arguments)
}

#[test]
fn a_user_whom_sudo_trusts_becomes_root() {
    let (host, folder) = (Host::take(), lab::folder());
    let path = folder.path().join("who.yml");
    std::fs::write(
        &path,
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: id -un\n      changed_when: false\n      register: me\n    \
         - command: id -un\n      become: false\n      changed_when: false\n      register: plain\n    \
         - assert: {that: [me.stdout == 'root', plain.stdout == 'admin']}\n",
    )
    .unwrap();
    run(&path, &["-i", &format!("{},", &*host), "-u", "admin", "-b"]).expect(0);
    assert_eq!(host.shell("ps -eo args | grep '[c]hainwright' || true"), "", "an agent was left running");
}

#[test]
fn a_sudo_password_is_in_no_output_no_argument_and_no_environment() {
    let host = Host::take();
    let _back = operator_password(&host);
    let ended = as_user(&host, "operator", Some(PASSWORD)).expect(0);
    assert!(!ended.to_string().contains(PASSWORD), "the password was seen");

    let folder = lab::folder();
    let file = folder.path().join("password");
    std::fs::write(&file, PASSWORD).unwrap();
    let (ssh, inventory) = (format!("-F {}", lab::ssh_config().display()), format!("{},", &*host));
    let password = file.display().to_string();
    let arguments = ["-i", &inventory, "-u", "operator", "-b", "-vvvv", "--become-password-file", &password];
    let shown = start_over(&ssh, &playbook(folder.path()), &arguments).end().expect(0);
    assert!(!shown.to_string().contains(PASSWORD), "the password was seen");
}

#[test]
fn a_wrong_sudo_password_is_said_to_be_wrong_and_is_not_shown() {
    let host = Host::take();
    let ended = as_user(&host, "operator", Some("Falsch-und-geheim")).expect(2);
    assert!(ended.trouble().starts_with(&format!("wrong become password for {}", &*host)), "{ended}");
    assert!(ended.trouble().contains("-K"), "what to do: {ended}");
    assert!(!ended.to_string().contains("Falsch-und-geheim"));
}

#[test]
fn a_password_that_sudo_wants_and_nobody_gave_is_asked_for() {
    let host = Host::take();
    let ended = as_user(&host, "operator", None).expect(2);
    assert!(ended.trouble().starts_with(&format!("{} asks for a password to become root", &*host)), "{ended}");
}

#[test]
fn a_user_who_may_not_use_sudo_is_told_so() {
    let host = Host::take();
    host.shell("echo nosudo:Nichts-darf-ich | chpasswd");
    let _back = PutBack(&host, "usermod -p '!' nosudo");
    let trouble = as_user(&host, "nosudo", Some("Nichts-darf-ich")).expect(2).trouble();
    assert!(trouble.starts_with(&format!("not allowed to become root on {}: nosudo is not in", &*host)), "{trouble}");
    assert!(trouble.contains("sudoers"), "what to do: {trouble}");
}

#[test]
fn a_host_without_sudo_is_named_with_what_to_do() {
    let host = Host::take();
    host.shell("mv /usr/bin/sudo /usr/bin/sudo.away");
    let _back = PutBack(&host, "mv /usr/bin/sudo.away /usr/bin/sudo");
    let trouble = as_user(&host, "admin", None).expect(2).trouble();
    assert!(trouble.starts_with(&format!("there is no sudo on {}", &*host)), "{trouble}");
    assert!(trouble.contains("install it there"), "{trouble}");
}
