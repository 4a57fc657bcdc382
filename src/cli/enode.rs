//! `chainwright enode`: enodes from keys, their parts, and node records from them.

use super::answer;
use super::key::node_key;
use crate::base::{Failure, Map, failure::Result};
use crate::chain::enr::Content;
use crate::chain::{Enode, Record};
use clap::{Args, Subcommand};
use serde_json::json;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Read and write enodes: where a node is, and its key.
#[derive(Debug, Args)]
pub struct EnodeArgs {
    #[command(subcommand)]
    command: Command,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the enode of a node
    #[command(after_help = "Example:\n  chainwright enode encode --node-key geth/nodekey --host 10.0.0.1")]
    Encode(EncodeArgs),
    /// Show the parts of an enode
    #[command(after_help = "Example:\n  chainwright enode decode 'enode://..@10.0.0.1:30303?discport=0'")]
    Decode {
        /// `enode://PUBLIC_KEY@HOST:PORT`
        enode: String,
    },
    /// Check an enode: its key, its place, and whose it is
    #[command(after_help = "Example:\n  chainwright enode verify 'enode://..@10.0.0.1:30303' --node-key geth/nodekey")]
    Verify {
        /// `enode://PUBLIC_KEY@HOST:PORT`
        enode: String,
        /// Fail if it is not the enode of this node's key
        #[arg(long, value_name = "FILE")]
        node_key: Option<PathBuf>,
    },
    /// Write the node record (ENR) that says the same; its node's key signs it
    #[command(after_help = "Example:\n  chainwright enode convert 'enode://..@10.0.0.1:30303' --node-key geth/nodekey")]
    Convert {
        /// `enode://PUBLIC_KEY@ADDRESS:PORT`
        enode: String,
        /// The node's key file
        #[arg(long, value_name = "FILE")]
        node_key: PathBuf,
        /// The record's sequence: higher than that of every record before it
        #[arg(long, value_name = "N", default_value_t = 1)]
        seq: u64,
    },
}

#[derive(Debug, Args)]
struct EncodeArgs {
    /// The node's key file
    #[arg(long, value_name = "FILE", required_unless_present = "public_key")]
    node_key: Option<PathBuf>,
    /// The node's public key: 128 hexadecimal digits
    #[arg(long, value_name = "HEX", conflicts_with = "node_key")]
    public_key: Option<String>,
    /// The address, or the name, at which others reach the node
    #[arg(long)]
    host: String,
    /// The port of devp2p
    #[arg(long, value_name = "PORT", default_value_t = 30303)]
    tcp: u16,
    /// The port of discovery; 0 if the node takes no part in it. Default: that of devp2p
    #[arg(long, value_name = "PORT")]
    udp: Option<u16>,
}

/// Runs one of them.
pub fn run(args: &EnodeArgs) -> ExitCode {
    let json = args.json;
    match &args.command {
        Command::Encode(encode) => answer::give_one("enode", self::encode(encode).map(|enode| enode.to_string()), json),
        Command::Decode { enode } => answer::give(enode.parse().map(|enode| parts(&enode)), json),
        Command::Verify { enode, node_key } => answer::give(verify(enode, node_key.as_deref()), json),
        Command::Convert { enode, node_key, seq } => {
            answer::give_one("enr", convert(enode, node_key, *seq).map(|record| record.to_string()), json)
        }
    }
}

fn encode(args: &EncodeArgs) -> Result<Enode> {
    let public_key = match (&args.node_key, &args.public_key) {
        (Some(file), _) => node_key(file)?.public_key(),
        (None, text) => text.clone().unwrap_or_default(),
    };
    Enode::new(&public_key, &args.host, args.tcp, args.udp.unwrap_or(args.tcp))
}

fn parts(enode: &Enode) -> Map {
    [
        ("host", json!(enode.host)),
        ("tcp", json!(enode.tcp)),
        ("udp", json!(enode.udp)),
        ("public_key", json!(enode.public_key)),
        ("node_id", json!(enode.id())),
        ("address", json!(enode.address().to_checksum(None))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

/// What makes no enode wrong, but a network that does not find its peers.
fn notes(enode: &Enode) -> Vec<String> {
    let mut notes = Vec::new();
    match enode.ip() {
        None => notes.push(format!("`{}` is a name: geth before 1.9.3 takes only addresses", enode.host)),
        Some(ip) if ip.is_unspecified() => notes.push(format!("nobody can connect to {ip}")),
        Some(ip) if ip.is_loopback() => notes.push(format!("{ip} is reached only from the node's own host")),
        Some(IpAddr::V4(ip)) if ip.is_broadcast() || ip.is_multicast() => {
            notes.push(format!("{ip} is no host's address"));
        }
        Some(_) => {}
    }
    if enode.tcp == 0 {
        notes.push("the port is 0: it answers discovery only, as a bootnode does".into());
    }
    if enode.udp == 0 {
        notes.push("discport is 0: it takes no part in discovery, so it is no bootnode".into());
    }
    notes
}

fn verify(enode: &str, key: Option<&Path>) -> Result<Map> {
    let enode: Enode = enode.parse()?;
    let mut answer = Map::new();
    answer.insert("valid".into(), true.into());
    answer.append(&mut parts(&enode));
    if let Some(file) = key {
        belongs(&enode, &node_key(file)?.public_key(), file)?;
        answer.insert("key_matches".into(), true.into());
    }
    let notes = notes(&enode);
    if !notes.is_empty() {
        answer.insert("notes".into(), notes.into());
    }
    Ok(answer)
}

fn belongs(enode: &Enode, public_key: &str, file: &Path) -> Result<()> {
    if enode.public_key == public_key {
        return Ok(());
    }
    Err(Failure::new(format!("{} is not the key of this enode", file.display()))
        .help(format!("its public key is {public_key}")))
}

fn convert(enode: &str, file: &Path, seq: u64) -> Result<Record> {
    let enode: Enode = enode.parse()?;
    let key = node_key(file)?;
    belongs(&enode, &key.public_key(), file)?;
    Record::sign(&Content::of(&enode, seq)?, &key)
}
