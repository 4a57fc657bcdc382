//! `chainwright init`: an inventory, the playbooks and the roles, ready to run.

use clap::Args;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

#[derive(RustEmbed)]
#[folder = "playbooks/"]
struct Playbooks;

#[derive(RustEmbed)]
#[folder = "roles/"]
struct Roles;

/// Write an inventory, the playbooks and the roles into a folder.
///
/// A host is what you would give to ssh: a name of your ssh configuration, an address, or USER@ADDRESS.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder; made if it does not exist, and nothing in it is overwritten
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// A host that seals; give at least one, three let one restart without a halt
    #[arg(long, value_name = "HOST", required = true)]
    sealer: Vec<String>,
    /// A host that answers to users
    #[arg(long, value_name = "HOST")]
    rpc: Vec<String>,
    /// A host by which others find the network
    #[arg(long, value_name = "HOST")]
    bootnode: Vec<String>,
    /// A host that shows the network's state
    #[arg(long, value_name = "HOST")]
    ethstats: Vec<String>,
    /// The network's name
    #[arg(long, default_value = "main")]
    name: String,
    /// The chain's id; a random one if not given
    #[arg(long, value_name = "N")]
    chain_id: Option<u32>,
    /// Seconds between blocks
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    period: u32,
    /// The client's program: a file on this machine or a URL; `geth` on the PATH if not given
    #[arg(long, value_name = "FILE|URL")]
    client: Option<String>,
    /// The client's version
    #[arg(long, value_name = "VERSION", default_value = "1.13.15")]
    client_version: String,
    /// SHA-256 of the client's program; computed if it is a file
    #[arg(long, value_name = "HEX")]
    client_sha256: Option<String>,
    /// Options for ssh, as one text
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    ssh_common_args: Option<String>,
}

/// The playbooks and the roles that are in this program.
pub fn built_in() -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for name in Playbooks::iter() {
        let bytes = Playbooks::get(&name).map(|file| file.data.into_owned()).unwrap_or_default();
        files.push((Path::new("playbooks").join(&*name), bytes));
    }
    for name in Roles::iter() {
        let bytes = Roles::get(&name).map(|file| file.data.into_owned()).unwrap_or_default();
        files.push((Path::new("roles").join(&*name), bytes));
    }
    files
}

/// Writes the folder.
pub fn run(args: &InitArgs) -> ExitCode {
    match write(args) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(1)
        }
    }
}

fn write(args: &InitArgs) -> Result<String, String> {
    let mut files = built_in();
    let inventory = Path::new("inventories").join(&args.name);
    let (hosts, sealers) = hosts(args)?;
    files.push((inventory.join("hosts.yml"), hosts.into_bytes()));
    let (variables, note) = variables(args, &sealers)?;
    files.push((inventory.join("group_vars").join("all.yml"), variables.into_bytes()));
    for (path, bytes) in &files {
        let path = args.folder.join(path);
        if std::fs::read(&path).is_ok_and(|there| there != *bytes) {
            return Err(format!(
                "{} exists and is different; nothing was written: choose another folder",
                path.display()
            ));
        }
    }
    for (path, bytes) in &files {
        let path = args.folder.join(path);
        let folder = path.parent().unwrap_or(&args.folder);
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let mut text = format!("{} files are in {}\n", files.len(), args.folder.display());
    if let Some(note) = note {
        let _ = writeln!(text, "\nFirst: {note}");
    }
    let _ = write!(
        text,
        "\nNext:\n  cd {}\n  chainwright playbook -i {} playbooks/site.yml\n  chainwright playbook -i {} playbooks/restart.yml",
        args.folder.display(),
        inventory.display(),
        inventory.display()
    );
    Ok(text)
}

/// The inventory, and the names of the sealers.
fn hosts(args: &InitArgs) -> Result<(String, Vec<String>), String> {
    let mut seen: Vec<&String> = Vec::new();
    let mut sealers = Vec::new();
    let mut text = String::from(
        "# The network's hosts. `node_address` is the address under which the other hosts reach it.\nall:\n  children:\n",
    );
    let nodes = [("sealers", &args.sealer), ("rpc", &args.rpc), ("bootnode", &args.bootnode)];
    text.push_str("    nodes:\n      children:\n");
    for (group, hosts) in nodes {
        write_group(&mut text, "        ", group, hosts, args)?;
    }
    if !args.ethstats.is_empty() {
        write_group(&mut text, "    ", "ethstats", &args.ethstats, args)?;
    }
    for host in nodes.iter().flat_map(|(_, hosts)| hosts.iter()).chain(&args.ethstats) {
        if seen.contains(&host) {
            return Err(format!("`{host}` is given twice; a host has one job"));
        }
        seen.push(host);
    }
    sealers.extend(args.sealer.iter().map(|host| name_of(host).to_owned()));
    Ok((text, sealers))
}

fn write_group(text: &mut String, indent: &str, group: &str, hosts: &[String], args: &InitArgs) -> Result<(), String> {
    if hosts.is_empty() {
        return Ok(());
    }
    let _ = writeln!(text, "{indent}{group}:\n{indent}  hosts:");
    for host in hosts {
        let _ = writeln!(text, "{indent}    {}:", name_of(host));
        if let Some((user, address)) = host.split_once('@') {
            let _ = writeln!(text, "{indent}      ansible_user: {user}\n{indent}      ansible_host: {address}");
        }
        let _ = writeln!(text, "{indent}      node_address: {}", address(host, args)?);
    }
    Ok(())
}

fn name_of(host: &str) -> &str {
    host.split_once('@').map_or(host, |(_, address)| address)
}

/// The address that ssh would connect to, as its configuration says; a name is looked up.
fn address(host: &str, args: &InitArgs) -> Result<IpAddr, String> {
    let name = name_of(host);
    if let Ok(address) = name.parse() {
        return Ok(address);
    }
    let extra = shlex::split(args.ssh_common_args.as_deref().unwrap_or_default())
        .ok_or("--ssh-common-args has an open quote")?;
    let said = output(Command::new("ssh").args(extra).args(["-G", "--", host]))?;
    let configured = said.lines().find_map(|line| line.strip_prefix("hostname ")).unwrap_or(name);
    if let Ok(address) = configured.parse() {
        return Ok(address);
    }
    let found = output(Command::new("getent").args(["ahosts", configured]))?;
    found
        .split_whitespace()
        .next()
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| format!("`{host}` has no address; give an address, or a name that ssh or the resolver knows"))
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{} does not run: {error}", command.get_program().display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The group variables, and what the user must still do.
fn variables(args: &InitArgs, sealers: &[String]) -> Result<(String, Option<String>), String> {
    let chain_id = match args.chain_id {
        Some(chain_id) => chain_id,
        None => random_chain_id()?,
    };
    let found = args.client.clone().or_else(|| on_path("geth"));
    let is_url = found.as_ref().is_some_and(|client| client.contains("://"));
    let sha256 = match (&args.client_sha256, &found) {
        (Some(sha256), _) => Some(sha256.clone()),
        (None, Some(file)) if !is_url => {
            let bytes = std::fs::read(file).map_err(|error| format!("--client {file}: {error}"))?;
            Some(alloy_primitives::hex::encode(Sha256::digest(bytes)))
        }
        _ => None,
    };
    let source = match &found {
        Some(file) if !is_url => std::path::absolute(file).map_or(file.clone(), |path| path.display().to_string()),
        Some(url) => url.clone(),
        None => "/path/to/geth".into(),
    };
    let note = match (&found, &sha256) {
        (None, _) => Some(format!(
            "put the path or URL of geth {} and its sha256 into group_vars/all.yml (no geth was found on the PATH)",
            args.client_version
        )),
        (Some(_), None) => Some("put the sha256 of the client's program into group_vars/all.yml".into()),
        _ => None,
    };
    // As in the first restart of three: the second, the third, the first.
    let order: Vec<&str> = sealers.iter().cycle().skip(1).take(sealers.len()).map(String::as_str).collect();
    let mut text = format!(
        "# The network. One version pin; every role takes it from here.\n\
         network:\n  name: {}\n  chain_id: {chain_id}\n  engine: clique\n  period: {}\n  epoch: 30000\n  \
         # Accounts that own something at the start: \"0xADDRESS\": 100 ether\n  alloc: {{}}\n  client:\n    \
         name: geth\n    version: \"{}\"\n    # http(s)://, or a file on this machine.\n    source: {source}\n    sha256: \"{}\"\n\n\
         # The order in which playbooks/restart.yml takes the sealers.\nrestart_order: [{}]\n",
        args.name,
        args.period,
        args.client_version,
        sha256.unwrap_or_default(),
        order.join(", ")
    );
    if let Some(ssh) = &args.ssh_common_args {
        let _ = write!(text, "\nansible_ssh_common_args: {}\n", serde_json::Value::from(ssh.as_str()));
    }
    Ok((text, note))
}

fn on_path(program: &str) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())?;
    Some(found.display().to_string())
}

/// A number that is nobody's public chain: between 100,000 and 1,000,000,000.
fn random_chain_id() -> Result<u32, String> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(100_000 + u32::from_le_bytes(bytes) % 999_900_000)
}
