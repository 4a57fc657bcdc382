//! A folder with a playbook and an inventory of local hosts, and what comes of running it.

use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder of the user's.
pub struct Project {
    folder: TempDir,
}

/// How a command ended.
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Project {
    /// Local hosts `a`, `b`, `c` in the group `all`; `a` and `b` in `two`.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let project = Self { folder };
        project.file(
            "hosts.yml",
            "all:\n  vars: {ansible_connection: local}\n  hosts: {a: {n: 1}, b: {n: 2}, c: {n: 3}}\n  children:\n    two:\n      hosts: {a: , b: }\n",
        )
    }

    /// Writes a file.
    pub fn file(self, path: &str, text: &str) -> Self {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
        self
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `chainwright` there.
    pub fn chainwright(&self, args: &[&str]) -> Ran {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_chainwright"))
            .args(args)
            .current_dir(self.path())
            .env("NO_COLOR", "1")
            // What is pending on the hosts, which are all here.
            .env("XDG_STATE_HOME", self.path().join(".state"))
            .output()
            .expect("chainwright runs");
        Ran {
            code: status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&stdout).into_owned(),
            err: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// Runs `site.yml` with the given text.
    pub fn play(self, text: &str, args: &[&str]) -> Ran {
        let project = self.file("site.yml", text);
        let all: Vec<&str> =
            ["playbook", "-i", "hosts.yml", "site.yml"].into_iter().chain(args.iter().copied()).collect();
        project.chainwright(&all)
    }
}

impl Ran {
    /// The exit code must be this.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }

    /// Output or error must hold this.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.out.contains(text) || self.err.contains(text),
            "`{text}` is missing\n--- out\n{}\n--- err\n{}",
            self.out,
            self.err
        );
        self
    }

    /// Neither may hold this.
    #[track_caller]
    pub fn silent_about(self, text: &str) -> Self {
        assert!(!self.out.contains(text) && !self.err.contains(text), "`{text}` is there\n{}\n{}", self.out, self.err);
        self
    }

    /// These texts stand in the output in this order.
    #[track_caller]
    pub fn in_order(self, texts: &[&str]) -> Self {
        let mut rest = self.out.as_str();
        for text in texts {
            let Some((_, after)) = rest.split_once(text) else {
                panic!("`{text}` is missing or too early\n{}", self.out)
            };
            rest = after;
        }
        self
    }

    /// A host's line in the recap: `changed=0` and the like.
    #[track_caller]
    pub fn recap(self, host: &str, count: &str) -> Self {
        let line = self.out.lines().find(|line| line.starts_with(host) && line.contains("ok=")).unwrap_or_default();
        assert!(line.split_whitespace().any(|word| word == count), "`{count}` is not in `{line}`\n{}", self.out);
        self
    }
}
