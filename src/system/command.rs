//! Running a program on the host.

use std::collections::BTreeMap;

/// A program to run. Its stdin is what `stdin` says or `/dev/null`, never the agent's own.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The working folder.
    pub folder: Option<String>,
    /// Given to the program; a pipe is closed after it.
    pub stdin: Option<Vec<u8>>,
    /// Beside the task's `environment`.
    pub environment: BTreeMap<String, String>,
    /// Ended after this many seconds.
    pub timeout: Option<u64>,
}

/// How a program ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// Exit code; 128 + N after signal N.
    pub code: i32,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}
