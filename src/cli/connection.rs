//! Options that say how hosts are connected and who is become there.

use crate::base::{Failure, Secret};
use crate::run::{Options, prompt};
use clap::{ArgAction, Args};
use std::path::PathBuf;

/// How hosts are connected: Ansible's options.
#[derive(Debug, Args)]
pub struct ConnectionArgs {
    /// Ask for the password that sudo wants
    #[arg(short = 'K', long)]
    ask_become_pass: bool,
    /// A file with the password that sudo wants
    #[arg(long, value_name = "FILE", alias = "become-pass-file")]
    become_password_file: Option<PathBuf>,
    /// How many hosts work at a time
    #[arg(short, long, value_name = "N", default_value_t = 50)]
    forks: usize,
    /// Say more; up to -vvvv
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Log in as this user
    #[arg(short, long = "user", value_name = "USER")]
    user: Option<String>,
    /// The key to log in with
    #[arg(long, value_name = "FILE", alias = "key-file")]
    private_key: Option<PathBuf>,
    /// How to connect: `ssh` or `local`
    #[arg(short, long, value_name = "KIND")]
    connection: Option<String>,
    /// Options for ssh, as one text
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    ssh_common_args: Option<String>,
    /// Seconds for a connection to come about
    #[arg(short = 'T', long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,
    /// Seconds for which an ssh connection outlives the run
    #[arg(long, value_name = "SECONDS", default_value_t = 60, env = "CHAINWRIGHT_PERSIST")]
    persist: u64,
}

impl ConnectionArgs {
    /// A run's options with these, and everything else as it is by default. Asks for the password if it is to be asked.
    pub fn options(&self) -> Result<Options, Failure> {
        Ok(Options {
            become_password: self.password()?,
            user: self.user.clone(),
            private_key: self.private_key.clone(),
            connection: self.connection.clone(),
            ssh_args: self.ssh_common_args.clone(),
            forks: self.forks,
            timeout: self.timeout,
            persist: self.persist,
            verbosity: self.verbose,
            ..Options::default()
        })
    }

    fn password(&self) -> Result<Option<Secret>, Failure> {
        if let Some(file) = &self.become_password_file {
            let text = std::fs::read_to_string(file);
            let text = text.map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
            return Ok(Some(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned())));
        }
        if !self.ask_become_pass {
            return Ok(None);
        }
        prompt::read("BECOME password: ", true).map(|password| Some(Secret::new(password)))
    }
}
