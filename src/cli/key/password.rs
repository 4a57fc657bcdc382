//! Where passwords come from: a file, a descriptor, the terminal. Never the command line, which every user can see.

use super::files;
use crate::base::{Failure, Secret, failure::Result};
use crate::chain::keystore::password::first_line;
use crate::run::prompt;
use clap::Args;
use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Longer lines are no passwords, but a wrong file.
const MOST_BYTES: usize = 64 << 10;

/// The password of a key.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// Take the password from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Take the password from the first line that this open descriptor gives
    #[arg(long, value_name = "N", conflicts_with = "password_file")]
    pub password_fd: Option<u16>,
}

/// The password that a key is to have instead.
#[derive(Debug, Args)]
pub struct NewPasswordArgs {
    /// Take the new password from the first line of this file
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
    /// Take the new password from the first line that this open descriptor gives
    #[arg(long, value_name = "N", conflicts_with = "new_password_file")]
    new_password_fd: Option<u16>,
}

impl PasswordArgs {
    /// Whether options name it, so that nobody is asked.
    pub fn given(&self) -> bool {
        self.password_file.is_some() || self.password_fd.is_some()
    }

    /// The password of a key that exists.
    pub fn ask(&self, question: &str) -> Result<Secret> {
        match named(self.password_file.as_deref(), self.password_fd)? {
            Some(password) => Ok(password),
            None => typed(question, "--password-file"),
        }
    }

    /// The password of a new key; it is typed twice.
    pub fn choose(&self, question: &str) -> Result<Secret> {
        choose(self.password_file.as_deref(), self.password_fd, question, "--password-file")
    }
}

impl NewPasswordArgs {
    /// The new password; it is typed twice.
    pub fn choose(&self, question: &str, old: &PasswordArgs) -> Result<Secret> {
        if self.new_password_fd.is_some() && self.new_password_fd == old.password_fd {
            return Err(Failure::new("the old and the new password cannot come from the same descriptor"));
        }
        choose(self.new_password_file.as_deref(), self.new_password_fd, question, "--new-password-file")
    }
}

fn choose(file: Option<&Path>, descriptor: Option<u16>, question: &str, option: &str) -> Result<Secret> {
    let given = named(file, descriptor)?;
    let password = if let Some(password) = given {
        password
    } else {
        let password = typed(question, option)?;
        if !password.expose().is_empty() && password != typed("The same again", option)? {
            return Err(Failure::new("the two passwords differ; nothing was written"));
        }
        password
    };
    if password.expose().is_empty() {
        return Err(Failure::new("the new password is empty, and would protect nothing; nothing was written"));
    }
    Ok(password)
}

fn named(file: Option<&Path>, descriptor: Option<u16>) -> Result<Option<Secret>> {
    match (file, descriptor) {
        (Some(path), _) => Ok(Some(first_line(&files::read(path)?))),
        (None, Some(descriptor)) => of_descriptor(descriptor).map(Some),
        (None, None) => Ok(None),
    }
}

/// The kernel's own name of a descriptor is the way to it without `unsafe`. Only the first line is read: whoever
/// writes it need not close it.
fn of_descriptor(descriptor: u16) -> Result<Secret> {
    let wrong = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Failure::new(format!("the descriptor {descriptor} is not open"))
            .help(format!("open it for the command, as in `{descriptor}< FILE`")),
        _ => Failure::new(format!("the descriptor {descriptor} cannot be read: {error}")),
    };
    let mut source = File::open(format!("/proc/self/fd/{descriptor}")).map_err(wrong)?;
    let mut line = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
    let mut byte = [0];
    while line.len() < MOST_BYTES && source.read(&mut byte).map_err(wrong)? == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    match std::str::from_utf8(&line) {
        Ok(line) => Ok(first_line(line)),
        Err(_) => Err(Failure::new(format!("the descriptor {descriptor} gives a password that is no text"))),
    }
}

fn typed(question: &str, option: &str) -> Result<Secret> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new("there is no terminal to ask for the password").help(format!(
            "name a file that holds it with {option}, or a descriptor with {}",
            option.replace("file", "fd")
        )));
    }
    prompt::read(&format!("{question}: "), true).map(Secret::new)
}
