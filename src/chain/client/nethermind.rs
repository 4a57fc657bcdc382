//! Nethermind. From its documentation; never run here.

use super::row::Topic::{Api, Bootnode, Engine, Flag, Metrics, Peers, Reads, Rpc, State, Stop, Unlock};
use super::row::{Row, row};
use super::version::ALWAYS;

const DOCS: &str = "docs.nethermind.io: fundamentals/configuration";
const RUNNER: &str =
    "NethermindEth/nethermind: src/Nethermind/Nethermind.Runner/Program.cs; at which tags was not looked up";
const RPC: &str = "docs.nethermind.io: interacting/json-rpc-ns";

/// One line a fact.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Engine, "aura", "authorityRound in a chain spec as Parity's", ALWAYS, DOCS),
    row(Engine, "clique", "clique in a chain spec", ALWAYS, DOCS),
    row(Flag, "config", "--config", ALWAYS, DOCS),
    row(Flag, "datadir", "--datadir", ALWAYS, DOCS),
    row(Flag, "Init.ChainSpecPath", "--Init.ChainSpecPath", ALWAYS, DOCS),
    row(Flag, "Init.BaseDbPath", "--Init.BaseDbPath", ALWAYS, DOCS),
    row(Flag, "Network.StaticPeers", "--Network.StaticPeers", ALWAYS, DOCS),
    row(Flag, "Network.ExternalIp", "--Network.ExternalIp", ALWAYS, DOCS),
    row(Flag, "Network.P2PPort", "--Network.P2PPort", ALWAYS, DOCS),
    row(Flag, "Discovery.Bootnodes", "--Discovery.Bootnodes", ALWAYS, DOCS),
    row(Flag, "Mining.Enabled", "--Mining.Enabled", ALWAYS, "NethermindEth/nethermind: Nethermind.Consensus/IMiningConfig.cs; since when was not looked up"),
    row(Flag, "Init.IsMining", "--Init.IsMining", ALWAYS, "NethermindEth/nethermind: issue 7258, where settings of 1.25 have it beside Mining.Enabled; until when was not looked up"),
    row(Flag, "KeyStore.BlockAuthorAccount", "--KeyStore.BlockAuthorAccount", ALWAYS, DOCS),
    row(Flag, "KeyStore.PasswordFiles", "--KeyStore.PasswordFiles", ALWAYS, DOCS),
    row(Flag, "KeyStore.UnlockAccounts", "--KeyStore.UnlockAccounts", ALWAYS, DOCS),
    row(Flag, "JsonRpc.Enabled", "--JsonRpc.Enabled", ALWAYS, DOCS),
    row(Flag, "JsonRpc.Host", "--JsonRpc.Host", ALWAYS, DOCS),
    row(Flag, "JsonRpc.EnabledModules", "--JsonRpc.EnabledModules", ALWAYS, DOCS),
    row(Flag, "Metrics.Enabled", "--Metrics.Enabled", ALWAYS, DOCS),
    row(Flag, "EthStats.Enabled", "--EthStats.Enabled", ALWAYS, DOCS),
    row(Peers, "static-nodes.json", "a JSON list of enodes, named by Init.StaticNodesPath", ALWAYS, DOCS),
    row(Peers, "Network.StaticPeers", "enodes with commas between them", ALWAYS, DOCS),
    row(Reads, "NAME.json, NAME.cfg", "the settings, named by --config", ALWAYS, DOCS),
    row(Reads, "chainspec", "the genesis, named by Init.ChainSpecPath; Parity's form", ALWAYS, DOCS),
    row(Reads, "keystore", "accounts, V3, and the node's key", ALWAYS, DOCS),
    row(Unlock, "KeyStore.UnlockAccounts", "with KeyStore.PasswordFiles; KeyStore.BlockAuthorAccount is the one that seals", ALWAYS, DOCS),
    row(Bootnode, "nethermind", "any node that takes part in discovery", ALWAYS, DOCS),
    row(State, "Pruning.Mode", "Hybrid, Memory, Full, None", ALWAYS, DOCS),
    row(Stop, "the first line", "Nethermind is shutting down... Please wait until all", ALWAYS, RUNNER),
    row(Stop, "the last line", "Nethermind is shut down; that every database was closed before it was not looked into", ALWAYS, RUNNER),
    row(Metrics, "Metrics.ExposePort", "/metrics in Prometheus' format", ALWAYS, "docs.nethermind.io: monitoring/metrics"),
    row(Rpc, "eth_syncing, net_peerCount, admin_peers", "sync and peers", ALWAYS, RPC),
    row(Rpc, "clique_getSigners, clique_propose", "who may seal; votes", ALWAYS, RPC),
    row(Rpc, "GET /health", "with HealthChecks.Enabled", ALWAYS, "docs.nethermind.io: monitoring/health-check"),
    row(Api, "admin", "the node; dangerous to offer", ALWAYS, RPC),
    row(Api, "clique", "signers and votes", ALWAYS, RPC),
    row(Api, "debug", "dangerous to offer", ALWAYS, RPC),
    row(Api, "eth", "the chain", ALWAYS, RPC),
    row(Api, "health", "health", ALWAYS, RPC),
    row(Api, "net", "the network", ALWAYS, RPC),
    row(Api, "parity", "as Parity's", ALWAYS, RPC),
    row(Api, "personal", "accounts; dangerous to offer", ALWAYS, RPC),
    row(Api, "proof", "proofs", ALWAYS, RPC),
    row(Api, "rpc", "which interfaces there are", ALWAYS, RPC),
    row(Api, "subscribe", "subscriptions", ALWAYS, RPC),
    row(Api, "trace", "traces", ALWAYS, RPC),
    row(Api, "txpool", "pending transactions", ALWAYS, RPC),
    row(Api, "web3", "the client's version", ALWAYS, RPC),
];
