//! `chainwright rpc-filter`: passes on to a node what clients may ask of it.

use super::{answer, server};
use crate::base::{Failure, failure::Result};
use crate::rpc_filter::server::Limits;
use crate::rpc_filter::{Allow, Upstream, serve};
use clap::Args;
use std::net::SocketAddr;
use std::process::ExitCode;

/// Pass on to a node what clients may ask of it: calls by POST, batches and messages of a WebSocket, each call held against a list of methods.
///
/// What is not allowed is answered as by a node that does not have it. It listens behind a web server that ends TLS; the role
/// `proxy` sets up both. Runs until SIGTERM or SIGINT.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  chainwright rpc-filter --http 127.0.0.1:8545 --ws 127.0.0.1:8546
  chainwright rpc-filter --allow 'eth_*,net_version,debug_traceTransaction' --check")]
pub struct RpcFilterArgs {
    /// Where to listen
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8580")]
    listen: SocketAddr,
    /// The node's HTTP interface
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8545")]
    http: SocketAddr,
    /// The node's WebSocket interface; without it there is none
    #[arg(long, value_name = "IP:PORT")]
    ws: Option<SocketAddr>,
    /// The methods that are offered: names, or all of eth, net, txpool, web3 as in `eth_*`, but what uses the node's own accounts
    #[arg(long, value_name = "METHOD,...", value_delimiter = ',', default_value = "eth_*,net_*,web3_*")]
    allow: Vec<String>,
    /// The longest message, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, value_parser = clap::value_parser!(u32).range(1000..=64 << 20))]
    max_message: u32,
    /// The most calls in a batch
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    max_batch: u32,
    /// Calls a second on one WebSocket
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    ws_rate: u32,
    /// Subscriptions on one WebSocket
    #[arg(long, value_name = "N", default_value_t = 20)]
    ws_subscriptions: u32,
    /// Only say whether this could be served
    #[arg(long)]
    check: bool,
}

/// Serves until a signal.
pub fn run(args: &RpcFilterArgs) -> ExitCode {
    match serve_or_check(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => answer::refuse(&failure),
    }
}

fn serve_or_check(args: &RpcFilterArgs) -> Result<()> {
    let allow = Allow::parse(args.allow.iter().map(|word| word.trim()))?;
    if [Some(args.http), args.ws].contains(&Some(args.listen)) {
        return Err(Failure::new(format!("{} cannot be the node's address and its own", args.listen))
            .help("choose another port with --listen"));
    }
    if !args.listen.ip().is_loopback() {
        answer::warn("whoever reaches this address may ask, without TLS and as often as they like");
    }
    if args.check {
        return Ok(());
    }
    let upstream = Upstream { http: args.http, ws: args.ws };
    let limits = Limits {
        message: args.max_message as usize,
        batch: args.max_batch as usize,
        rate: args.ws_rate,
        subscriptions: args.ws_subscriptions as usize,
    };
    server::until_signal(args.listen, |listener, stop| serve(listener, upstream, allow, limits, stop))
        .map_err(Failure::new)
}
