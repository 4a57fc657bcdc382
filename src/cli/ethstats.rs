//! `chainwright ethstats`: the stats server of a network.

use super::server;
use crate::ethstats::{Secrets, serve};
use clap::Args;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Serve the stats page of a network: nodes report with `--ethstats NAME:SECRET@HOST:PORT`.
///
/// People open `/`, scripts read `/api/nodes`, watchers ask `/healthz`. Runs until SIGTERM or SIGINT.
#[derive(Debug, Args)]
pub struct EthstatsArgs {
    /// Where to listen, for nodes and browsers.
    #[arg(long, value_name = "IP:PORT", default_value = "0.0.0.0:3000")]
    pub listen: SocketAddr,
    /// The file that holds the nodes' shared secret; several are separated by `|`. It should be readable by nobody else.
    #[arg(long, value_name = "FILE")]
    pub secret_file: PathBuf,
    /// The network's name, for the page.
    #[arg(long, value_name = "NAME", default_value = "Ethereum network")]
    pub network: String,
}

/// Serves until a signal.
pub fn run(args: EthstatsArgs) -> ExitCode {
    match serve_until_signal(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve_until_signal(args: EthstatsArgs) -> Result<(), String> {
    let secrets = read_secrets(&args.secret_file)?;
    server::until_signal(args.listen, |listener, stop| serve(listener, args.network, secrets, stop))
}

fn read_secrets(path: &Path) -> Result<Secrets, String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0) {
        eprintln!("warning: everybody on this machine may use {name}; `chmod o= {name}` keeps the secret");
    }
    Secrets::parse(&text)
        .ok_or_else(|| format!("{name} holds no secret; write one into it, or several separated by `|`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_secret_file_is_refused_with_what_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        assert!(read_secrets(&path).unwrap_err().contains("No such file"));
        std::fs::write(&path, " \n").unwrap();
        assert!(read_secrets(&path).unwrap_err().contains("holds no secret"));
        std::fs::write(&path, "one|two\n").unwrap();
        assert_eq!(read_secrets(&path).unwrap().find("two"), Some(1));
    }
}
