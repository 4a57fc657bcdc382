//! geth's flags, by today's names. Read from `cmd/utils/flags.go`, `flags_legacy.go`, `internal/debug/flags.go` and
//! `cmd/geth/main.go` of every release from 1.8.0 to 1.17.10, but for 1.8.5 and 1.14.1, which could not be had: a bound is the
//! first release at which it holds. What counts is whether `app.Flags` has the flag, not whether it is declared somewhere.
//!
//! `--help` of 1.9.25, 1.10.8, 1.10.26, 1.13.2, 1.13.15 and 1.17.4 is compared with the table by a test. The files of the
//! folder hold what the first table left out, by theme.

pub mod chain;
pub mod debug;
pub mod pool;
pub mod reach;
pub mod state;

use super::row::{Row, Topic, row};
use super::version::{ALWAYS, Span, since};

const FLAGS: &str = "cmd/utils/flags.go";
const LEGACY: &str = "cmd/utils/flags_legacy.go";

const fn flag(name: &'static str, says: &'static str, span: Span) -> Row {
    row(Topic::Flag, name, says, span, FLAGS)
}

const fn debug(name: &'static str, says: &'static str, span: Span) -> Row {
    row(Topic::Flag, name, says, span, "internal/debug/flags.go")
}

const fn old(name: &'static str, says: &'static str, span: Span) -> Row {
    row(Topic::Flag, name, says, span, LEGACY)
}

/// One line a spelling. Where two spellings are read, the newer one is used.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    flag("datadir", "--datadir", ALWAYS),
    flag("config", "--config", ALWAYS),
    flag("networkid", "--networkid", ALWAYS),
    flag("syncmode", "--syncmode", ALWAYS),
    flag("gcmode", "--gcmode", ALWAYS),
    flag("port", "--port", ALWAYS),
    flag("nat", "--nat", ALWAYS),
    flag("netrestrict", "--netrestrict", ALWAYS),
    flag("maxpeers", "--maxpeers", ALWAYS),
    flag("nodiscover", "--nodiscover", ALWAYS),
    flag("nodekey", "--nodekey", ALWAYS),
    flag("bootnodes", "--bootnodes", ALWAYS),
    old("bootnodes", "--bootnodesv4", ALWAYS.before(1, 10, 0)),
    flag("discovery.port", "--discovery.port", since(1, 10, 20)),
    old("discovery.v5", "--v5disc", ALWAYS.before(1, 17, 4)),
    flag("discovery.v5", "--discv5", since(1, 12, 1)),
    flag("discovery.v5", "--discovery.v5", since(1, 12, 1)),
    flag("discovery.v4", "--discv4", since(1, 12, 1)),
    flag("discovery.v4", "--discovery.v4", since(1, 12, 1)),
    flag("discovery.dns", "--discovery.dns", since(1, 9, 11)),
    flag("identity", "--identity", ALWAYS),
    flag("ethstats", "--ethstats", ALWAYS),

    flag("keystore", "--keystore", ALWAYS),
    flag("lightkdf", "--lightkdf", ALWAYS),
    flag("unlock", "--unlock", ALWAYS.before(1, 17, 4)),
    flag("password", "--password", ALWAYS),
    flag("allow-insecure-unlock", "--allow-insecure-unlock", since(1, 9, 0).before(1, 17, 4)),
    // From 1.10.0 on USB is off by itself, and the flag only earns a warning.
    flag("nousb", "--nousb", ALWAYS.before(1, 10, 0)),
    flag("usb", "--usb", since(1, 10, 0)),

    flag("mine", "--mine", ALWAYS.before(1, 17, 4)),
    old("miner.etherbase", "--etherbase", ALWAYS.before(1, 10, 0)),
    flag("miner.etherbase", "--miner.etherbase", since(1, 8, 14).before(1, 17, 4)),
    old("miner.gasprice", "--gasprice", ALWAYS.before(1, 10, 0)),
    flag("miner.gasprice", "--miner.gasprice", since(1, 8, 14)),
    old("miner.gaslimit", "--targetgaslimit", ALWAYS.before(1, 10, 0)),
    flag("miner.gaslimit", "--miner.gaslimit", since(1, 8, 15)),
    flag("miner.gastarget", "--miner.gastarget", since(1, 8, 14).before(1, 11, 0)),
    old("miner.extradata", "--extradata", ALWAYS.before(1, 10, 0)),
    flag("miner.extradata", "--miner.extradata", since(1, 8, 14)),
    flag("miner.recommit", "--miner.recommit", since(1, 8, 14)),
    old("miner.threads", "--minerthreads", ALWAYS.before(1, 10, 0)),
    flag("miner.threads", "--miner.threads", since(1, 8, 14).before(1, 12, 0)),

    flag("ipcpath", "--ipcpath", ALWAYS),
    old("http", "--rpc", ALWAYS.before(1, 10, 9)),
    flag("http", "--http", since(1, 9, 14)),
    old("http.addr", "--rpcaddr", ALWAYS.before(1, 10, 9)),
    flag("http.addr", "--http.addr", since(1, 9, 14)),
    old("http.port", "--rpcport", ALWAYS.before(1, 10, 9)),
    flag("http.port", "--http.port", since(1, 9, 14)),
    old("http.api", "--rpcapi", ALWAYS.before(1, 10, 9)),
    flag("http.api", "--http.api", since(1, 9, 14)),
    // 1.8.24 forgot these two.
    old("http.vhosts", "--rpcvhosts", ALWAYS.before(1, 8, 24)),
    old("http.vhosts", "--rpcvhosts", since(1, 8, 25).before(1, 10, 9)),
    flag("http.vhosts", "--http.vhosts", since(1, 9, 14)),
    old("http.corsdomain", "--rpccorsdomain", ALWAYS.before(1, 8, 24)),
    old("http.corsdomain", "--rpccorsdomain", since(1, 8, 25).before(1, 10, 9)),
    flag("http.corsdomain", "--http.corsdomain", since(1, 9, 14)),
    flag("http.rpcprefix", "--http.rpcprefix", since(1, 10, 0)),
    flag("ws", "--ws", ALWAYS),
    old("ws.addr", "--wsaddr", ALWAYS.before(1, 10, 0)),
    flag("ws.addr", "--ws.addr", since(1, 9, 14)),
    old("ws.port", "--wsport", ALWAYS.before(1, 10, 0)),
    flag("ws.port", "--ws.port", since(1, 9, 14)),
    old("ws.api", "--wsapi", ALWAYS.before(1, 10, 0)),
    flag("ws.api", "--ws.api", since(1, 9, 14)),
    old("ws.origins", "--wsorigins", ALWAYS.before(1, 10, 0)),
    flag("ws.origins", "--ws.origins", since(1, 9, 14)),
    flag("graphql", "--graphql", since(1, 9, 0)),
    flag("authrpc.addr", "--authrpc.addr", since(1, 10, 17)),
    flag("authrpc.port", "--authrpc.port", since(1, 10, 17)),
    flag("authrpc.vhosts", "--authrpc.vhosts", since(1, 10, 17)),
    flag("rpc.allow-unprotected-txs", "--rpc.allow-unprotected-txs", since(1, 10, 0)),
    flag("rpc.enabledeprecatedpersonal", "--rpc.enabledeprecatedpersonal", since(1, 11, 0).before(1, 17, 4)),

    flag("snapshot", "--snapshot", since(1, 9, 13)),
    flag("state.scheme", "--state.scheme", since(1, 13, 0)),
    flag("db.engine", "--db.engine", since(1, 11, 0)),
    old("history.transactions", "--txlookuplimit", since(1, 9, 14).before(1, 17, 4)),
    flag("history.transactions", "--history.transactions", since(1, 13, 0)),
    flag("history.state", "--history.state", since(1, 13, 0)),
    flag("cache", "--cache", ALWAYS),
    old("eth.requiredblocks", "--whitelist", since(1, 8, 20).before(1, 17, 4)),
    flag("eth.requiredblocks", "--eth.requiredblocks", since(1, 10, 17)),
    old("light.serve", "--lightserv", ALWAYS.before(1, 10, 0)),
    flag("light.serve", "--light.serve", since(1, 9, 0).before(1, 16, 0)),

    flag("verbosity", "--verbosity", ALWAYS),
    flag("log.json", "--log.json", since(1, 10, 0)),
    flag("log.format", "--log.format", since(1, 11, 6)),
    flag("metrics", "--metrics", ALWAYS),
    flag("metrics.addr", "--metrics.addr", since(1, 9, 16)),
    flag("metrics.port", "--metrics.port", since(1, 9, 16)),
    flag("metrics.influxdb", "--metrics.influxdb", since(1, 8, 12)),
    flag("metrics.influxdb.endpoint", "--metrics.influxdb.endpoint", since(1, 8, 12)),
    flag("metrics.influxdb.database", "--metrics.influxdb.database", since(1, 8, 12)),
    flag("metrics.influxdb.username", "--metrics.influxdb.username", since(1, 8, 12)),
    flag("metrics.influxdb.tags", "--metrics.influxdb.tags", since(1, 8, 23)),
    flag("metrics.influxdb.interval", "--metrics.influxdb.interval", since(1, 17, 1)),
    flag("metrics.influxdbv2", "--metrics.influxdbv2", since(1, 10, 8)),
    flag("metrics.influxdb.bucket", "--metrics.influxdb.bucket", since(1, 10, 8)),
    flag("metrics.influxdb.organization", "--metrics.influxdb.organization", since(1, 10, 8)),
    flag("pprof", "--pprof", ALWAYS),
    old("pprof.addr", "--pprofaddr", ALWAYS.before(1, 10, 0)),
    flag("pprof.addr", "--pprof.addr", since(1, 9, 14)),
    old("pprof.port", "--pprofport", ALWAYS.before(1, 10, 0)),
    flag("pprof.port", "--pprof.port", since(1, 9, 14)),
];

/// Flags that may be left out in silence where a version has none: what they keep from happening does not happen there.
pub const HARMLESS: &[(&str, &str)] = &[
    ("nousb", "USB is off by itself"),
    ("authrpc.addr", "there is no interface for a consensus client"),
    ("authrpc.port", "there is no interface for a consensus client"),
    ("authrpc.vhosts", "there is no interface for a consensus client"),
];
