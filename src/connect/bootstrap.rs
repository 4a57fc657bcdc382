//! The line of shell that starts the agent on a host, and asks for it where it is missing.
//!
//! It says what it finds in lines that begin with a nonce, so that whatever a login shell prints before is passed over:
//! `NONCE start` when the agent takes over, `NONCE need MACHINE` when it wants the agent as gzip on stdin, in chunks as `Upload` sends
//! them, `NONCE got` when it has taken one, `NONCE failed REASON`.
//! It needs a POSIX shell, and for an upload coreutils, gzip and findutils.

use super::r#become::Become;

/// The folders for the agent besides the user's own cache: for homes that are full, read-only or mounted `noexec`, and
/// for an agent that another user must be able to start. A folder there that is not ours is never used.
const PUBLIC: &str = "/var/tmp/chainwright-$u /tmp/chainwright-$u";

/// What the script is about.
pub struct Bootstrap<'a> {
    /// Begins each line that is meant for us; also the password prompt.
    pub nonce: &'a str,
    /// The agent's hash.
    pub hash: &'a str,
    /// The size of the agent, in KiB.
    pub kib: u64,
    /// Whom the agent becomes.
    pub r#become: Option<&'a Become>,
}

/// What the script says.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// The agent takes over now.
    Start,
    /// The agent must be uploaded; this is the host's `uname -m`.
    Need(String),
    /// A chunk of the upload was taken.
    Got,
    /// It cannot be started, and why.
    Failed(String),
}

impl Bootstrap<'_> {
    /// The command for the login shell, whichever it is.
    pub fn command(&self) -> String {
        format!("exec sh -c {}", quote(&self.script()))
    }

    /// The script.
    fn script(&self) -> String {
        let Self { nonce, hash, kib, .. } = self;
        let launch = match self.r#become {
            Some(to) => to.launch(&self.prompt()),
            None => "launch() { exec \"$1\" agent; }".into(),
        };
        // Another user cannot read our home, except root.
        let private = self.r#become.is_none_or(|to| to.user == "root");
        let own = "\"$c/chainwright\" ";
        let places = format!("{}{PUBLIC}", if private { own } else { "" });
        let first = if private { "start \"$c/chainwright/agent-$h\";" } else { "" };
        format!(
            "n={nonce}; h={hash}; k={kib}; c=\"${{XDG_CACHE_HOME:-$HOME/.cache}}\"; {launch}; \
             start() {{ if [ -x \"$1\" ]; then echo \"$n start\"; launch \"$1\"; exit 127; fi; }}; \
             {first} u=$(id -u); umask 022; \
             ours() {{ [ -d \"$1\" ] && [ -O \"$1\" ] && [ ! -L \"$1\" ]; }}; \
             for d in {PUBLIC}; do if ours \"$d\"; then start \"$d/agent-$h\"; fi; done; \
             try() {{ mkdir -p -m 711 \"$1\" || return; \
             if ours \"$1\"; then :; else echo \"it is not ours\"; return 1; fi; \
             f=$(df -Pk \"$1\" | {{ read a; read a b c f e; echo \"$f\"; }}); \
             if [ \"$f\" -lt \"$k\" ]; then echo \"no room\"; return 1; fi; \
             echo \"#!/bin/sh\" > \"$1/.new-$$\" && chmod 755 \"$1/.new-$$\" && \"$1/.new-$$\"; }}; \
             w=; for d in {places}; do e=$(try \"$d\" 2>&1) && {{ w=$d; break; }}; \
             rm -f \"$d/.new-$$\" 2>/dev/null; r=\"$r$d: $e; \"; done; \
             if [ -z \"$w\" ]; then echo \"$n failed\" $r; exit 1; fi; \
             t=\"$w/.new-$$\"; trap \"rm -f \\\"$t\\\"\" EXIT; \
             if [ -x \"$c/chainwright/agent-$h\" ]; then cp -f \"$c/chainwright/agent-$h\" \"$t\"; \
             else echo \"$n need $(uname -m)\"; {{ e=$({{ while read -r z && [ \"$z\" -gt 0 ] && head -c \"$z\"; do \
             echo \"$n got\" >&3; done; }} 2>/dev/null | gzip -dc 2>&1 > \"$t\"); }} 3>&1; fi; \
             if [ $? = 0 ] && mv -f \"$t\" \"$w/agent-$h\"; then \
             for f in \"$w\"/agent-*; do [ \"$f\" = \"$w/agent-$h\" ] || rm -f \"$f\"; done; \
             for f in \"$w\"/.new-*; do [ ! -e \"$f\" ] || \
             {{ find \"$w\" -name \".new-*\" -mmin +60 -exec rm -f {{}} + 2>/dev/null; break; }}; done; \
             start \"$w/agent-$h\"; fi; echo \"$n failed\" $w: $e; exit 1"
        )
    }

    /// What sudo prints when it wants a password.
    pub fn prompt(&self) -> String {
        format!("{} password:", self.nonce)
    }

    /// What a line of the script's output says; `None` for anybody else's.
    pub fn parse(&self, line: &str) -> Option<Said> {
        // A banner without a newline may stand before it.
        let (_, said) = line.trim_end().split_once(self.nonce)?;
        let (word, rest) = said.trim_start().split_once(' ').unwrap_or((said.trim_start(), ""));
        match word {
            "start" => Some(Said::Start),
            "need" => Some(Said::Need(rest.to_owned())),
            "got" => Some(Said::Got),
            "failed" => Some(Said::Failed(rest.to_owned())),
            _ => None,
        }
    }
}

/// A word for a POSIX shell, whatever is in it.
pub fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::{Command, Output, Stdio};

    const BOOTSTRAP: Bootstrap = Bootstrap { nonce: "NONCE", hash: "abc", kib: 1, r#become: None };

    fn run(home: &Path, input: &[u8]) -> Output {
        run_command(&BOOTSTRAP.command(), home, input)
    }

    fn run_command(command: &str, home: &Path, input: &[u8]) -> Output {
        let mut child = Command::new("sh")
            .args(["-c", command])
            .env("HOME", home)
            .env_remove("XDG_CACHE_HOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A shell that gives up early does not take all of it.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input);
        child.wait_with_output().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, bytes).unwrap();
        let packed = gzip.finish().unwrap();
        let (first, second) = packed.split_at(packed.len() / 2);
        let chunk = |bytes: &[u8]| [format!("{}\n", bytes.len()).as_bytes(), bytes].concat();
        [chunk(first), chunk(second), b"0\n".to_vec()].concat()
    }

    fn text(output: &Output) -> String {
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    #[test]
    fn a_missing_agent_is_asked_for_kept_and_started_and_the_rest_of_stdin_is_its_own() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".cache/chainwright");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("agent-old"), "").unwrap();
        let input = [gzip(b"#!/bin/sh\necho $1; cat").as_slice(), b"frames"].concat();
        let output = run(home.path(), &input);
        let machine = std::env::consts::ARCH;
        assert_eq!(text(&output), format!("NONCE need {machine}\nNONCE got\nNONCE got\nNONCE start\nagent\nframes"));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "old agents and temporary files are gone");
        let again = run(home.path(), b"more");
        assert_eq!(text(&again), "NONCE start\nagent\nmore");
        let mode = std::fs::metadata(folder.join("agent-abc")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }

    #[test]
    fn an_upload_that_breaks_off_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let input = gzip(&vec![7; 100_000]);
        let output = run(home.path(), &input[..input.len() - 20]);
        assert!(text(&output).contains("NONCE failed"), "{}", text(&output));
        assert_eq!(std::fs::read_dir(home.path().join(".cache/chainwright")).unwrap().count(), 0);
    }

    #[test]
    fn a_disk_that_fills_during_the_upload_is_named_and_nothing_is_left_on_it() {
        let home = tempfile::tempdir().unwrap();
        let bin = home.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(bin.join("gzip"), "#!/bin/sh\nhead -c 9\necho 'No space left on device' >&2\nexit 1\n").unwrap();
        std::fs::set_permissions(bin.join("gzip"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("PATH={}:$PATH; {}", bin.display(), BOOTSTRAP.command());
        let output = run_command(&path, home.path(), &gzip(&vec![7; 100_000]));
        assert!(text(&output).contains("cache/chainwright: No space left on device"), "{}", text(&output));
        assert_eq!(std::fs::read_dir(home.path().join(".cache/chainwright")).unwrap().count(), 0);
    }

    #[test]
    fn lines_of_a_login_shell_are_passed_over() {
        assert_eq!(BOOTSTRAP.parse("Welcome to host1"), None);
        assert_eq!(BOOTSTRAP.parse("no newline NONCE start\n"), Some(Said::Start));
        assert_eq!(BOOTSTRAP.parse("NONCE need x86_64"), Some(Said::Need("x86_64".into())));
        assert_eq!(BOOTSTRAP.parse("NONCE failed /x: no room;"), Some(Said::Failed("/x: no room;".into())));
    }

    #[test]
    fn the_command_is_one_line_so_that_every_login_shell_takes_it() {
        let root = Become::root();
        for to in [None, Some(&root)] {
            assert!(!Bootstrap { r#become: to, ..BOOTSTRAP }.command().contains('\n'));
        }
    }
}
