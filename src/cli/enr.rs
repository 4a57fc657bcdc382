//! `chainwright enr`: node records (EIP-778) signed, shown, checked, and as enodes.

use super::answer;
use super::key::node_key;
use crate::base::{Map, Value, failure::Result};
use crate::chain::enr::{Content, value};
use crate::chain::{Enode, Record};
use clap::{Args, Subcommand};
use serde_json::json;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::process::ExitCode;

/// Read, check and sign node records (EIP-778).
#[derive(Debug, Args)]
pub struct EnrArgs {
    #[command(subcommand)]
    command: Command,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sign a record
    #[command(
        after_help = "Examples:\n  chainwright enr encode --node-key geth/nodekey --ip 10.0.0.1 --tcp 30303 --udp 30303\n  \
        chainwright enr encode --node-key charon-enr-private-key --seq 0"
    )]
    Encode(EncodeArgs),
    /// Show what a record says, signed or not
    #[command(after_help = "Example:\n  chainwright enr decode enr:-IS4Q..")]
    Decode {
        /// `enr:` and base64
        enr: String,
    },
    /// Check a record's form and signature
    #[command(after_help = "Example:\n  chainwright enr verify enr:-IS4Q..")]
    Verify {
        /// `enr:` and base64
        enr: String,
    },
    /// Write the enode that says the same
    #[command(after_help = "Example:\n  chainwright enr convert enr:-IS4Q..")]
    Convert {
        /// `enr:` and base64
        enr: String,
    },
}

#[derive(Debug, Args)]
struct EncodeArgs {
    /// The node's key file
    #[arg(long, value_name = "FILE")]
    node_key: PathBuf,
    /// The record's sequence: higher than that of every record before it
    #[arg(long, value_name = "N", default_value_t = 1)]
    seq: u64,
    /// IPv4 address
    #[arg(long, value_name = "ADDRESS", value_parser = ipv4)]
    ip: Option<Ipv4Addr>,
    /// Port of devp2p
    #[arg(long, value_name = "PORT")]
    tcp: Option<u16>,
    /// Port of discovery
    #[arg(long, value_name = "PORT")]
    udp: Option<u16>,
    /// IPv6 address
    #[arg(long, value_name = "ADDRESS")]
    ip6: Option<Ipv6Addr>,
    /// Port of devp2p over IPv6, if it is another one
    #[arg(long, value_name = "PORT")]
    tcp6: Option<u16>,
    /// Port of discovery over IPv6, if it is another one
    #[arg(long, value_name = "PORT")]
    udp6: Option<u16>,
}

fn ipv4(text: &str) -> Result<Ipv4Addr, String> {
    text.parse().map_err(|error: std::net::AddrParseError| match text.parse::<Ipv6Addr>() {
        Ok(_) => "this is an IPv6 address: give it with --ip6".to_owned(),
        Err(_) => error.to_string(),
    })
}

/// Runs one of them.
pub fn run(args: &EnrArgs) -> ExitCode {
    match &args.command {
        Command::Encode(encode) => {
            answer::give_one("enr", self::encode(encode).map(|record| record.to_string()), args.json)
        }
        Command::Decode { enr } => decode(enr, args.json),
        Command::Verify { enr } => answer::give(verify(enr), args.json),
        Command::Convert { enr } => answer::give_one("enode", convert(enr).map(|enode| enode.to_string()), args.json),
    }
}

fn encode(args: &EncodeArgs) -> Result<Record> {
    let EncodeArgs { seq, ip, tcp, udp, ip6, tcp6, udp6, .. } = *args;
    Record::sign(&Content { seq, ip, tcp, udp, ip6, tcp6, udp6 }, &node_key(&args.node_key)?)
}

/// Shows also what is wrong: whoever looks into a broken record wants to see it.
fn decode(record: &str, json: bool) -> ExitCode {
    let record: Record = match record.parse() {
        Ok(record) => record,
        Err(failure) => return answer::refuse(&failure),
    };
    let valid = record.verify().and_then(|()| record.content().map(drop));
    let mut answer = Map::new();
    answer.insert("valid".into(), valid.is_ok().into());
    answer.append(&mut parts(&record));
    let exit = answer::give(Ok(answer), json);
    match valid {
        Ok(()) => exit,
        Err(failure) => answer::refuse(&failure),
    }
}

fn convert(record: &str) -> Result<Enode> {
    let record: Record = record.parse()?;
    record.verify()?;
    record.enode()
}

fn verify(record: &str) -> Result<Map> {
    let record: Record = record.parse()?;
    record.verify()?;
    record.content()?;
    let mut answer = Map::new();
    answer.insert("valid".into(), true.into());
    answer.insert("seq".into(), record.seq.into());
    answer.insert("node_id".into(), json!(alloy_primitives::hex::encode(record.id()?)));
    answer.insert("enode".into(), record.enode().ok().map(|enode| enode.to_string()).into());
    Ok(answer)
}

fn parts(record: &Record) -> Map {
    let mut answer = Map::new();
    answer.insert("seq".into(), record.seq.into());
    answer.insert("node_id".into(), record.id().ok().map(alloy_primitives::hex::encode).into());
    answer.insert("public_key".into(), record.public_key().ok().into());
    answer.insert("enode".into(), record.enode().ok().map(|enode| enode.to_string()).into());
    for (key, value) in record.pairs() {
        let name = String::from_utf8_lossy(key).into_owned();
        answer.insert(name.clone(), readable(record, &name).unwrap_or_else(|| value::show(value)));
    }
    answer
}

/// The values that EIP-778 defines, as people write them.
fn readable(record: &Record, name: &str) -> Option<Value> {
    let content = record.content().ok()?;
    match name {
        "id" => Some("v4".into()).filter(|_| record.id().is_ok()),
        "ip" => content.ip.map(|ip| ip.to_string().into()),
        "ip6" => content.ip6.map(|ip| ip.to_string().into()),
        "tcp" => content.tcp.map(Value::from),
        "udp" => content.udp.map(Value::from),
        "tcp6" => content.tcp6.map(Value::from),
        "udp6" => content.udp6.map(Value::from),
        _ => None,
    }
}
