//! OpenEthereum, and Parity before it. From its command line's help and wiki, and from iExec's and Parity's published
//! deployments; never run here.

use super::row::Topic::{Api, Bootnode, Engine, Flag, Metrics, Peers, Reads, Rpc, State, Stop, Trouble, Unlock, Wire};
use super::row::{Row, row};
use super::version::{ALWAYS, since};

const HELP: &str = "parity --help, openethereum --help";
const WIKI: &str = "openethereum wiki";
const DEPLOY: &str = "parity-deploy (config/authority.toml, docker-compose.yml)";

/// One line a fact.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Engine, "aura", "authorityRound in spec.json; validators from a list, a contract, or by block from several", ALWAYS, WIKI),
    row(Wire, "eth/63", "spoken", ALWAYS, WIKI),
    row(Flag, "config", "--config", ALWAYS, HELP),
    row(Flag, "chain", "--chain", ALWAYS, HELP),
    row(Flag, "base-path", "--base-path", ALWAYS, HELP),
    row(Flag, "reserved-peers", "--reserved-peers", ALWAYS, HELP),
    row(Flag, "reserved-only", "--reserved-only", ALWAYS, HELP),
    row(Flag, "bootnodes", "--bootnodes", ALWAYS, HELP),
    row(Flag, "nat", "--nat", ALWAYS, HELP),
    row(Flag, "port", "--port", ALWAYS, HELP),
    row(Flag, "engine-signer", "--engine-signer", ALWAYS, HELP),
    row(Flag, "password", "--password", ALWAYS, HELP),
    row(Flag, "force-sealing", "--force-sealing", ALWAYS, HELP),
    row(Flag, "reseal-on-txs", "--reseal-on-txs", ALWAYS, HELP),
    row(Flag, "unlock", "--unlock", ALWAYS, HELP),
    row(Flag, "jsonrpc-interface", "--jsonrpc-interface", ALWAYS, HELP),
    row(Flag, "jsonrpc-apis", "--jsonrpc-apis", ALWAYS, HELP),
    row(Flag, "jsonrpc-cors", "--jsonrpc-cors", ALWAYS, HELP),
    row(Flag, "jsonrpc-hosts", "--jsonrpc-hosts", ALWAYS, HELP),
    row(Flag, "pruning", "--pruning", ALWAYS, HELP),
    row(Flag, "logging", "--logging", ALWAYS, HELP),
    row(Flag, "log-file", "--log-file", ALWAYS, HELP),
    row(Flag, "identity", "--identity", ALWAYS, HELP),
    row(Flag, "min-peers", "--min-peers", ALWAYS, HELP),
    row(Flag, "max-peers", "--max-peers", ALWAYS, HELP),
    row(Flag, "no-discovery", "--no-discovery", ALWAYS, HELP),
    row(Flag, "no-warp", "--no-warp", ALWAYS, HELP),
    row(Flag, "min-gas-price", "--min-gas-price", ALWAYS, HELP),
    row(Flag, "gas-floor-target", "--gas-floor-target", ALWAYS, HELP),
    row(Flag, "gas-cap", "--gas-cap", ALWAYS, HELP),
    row(Flag, "tracing", "--tracing", ALWAYS, HELP),
    row(Flag, "cache-size", "--cache-size", ALWAYS, HELP),
    row(Peers, "reserved_peers", "a text file with an enode a line, named by --reserved-peers or by network.reserved_peers", ALWAYS, DEPLOY),
    row(Reads, "authority.toml, node.toml", "the settings: [parity] [account] [network] [rpc] [mining] [websockets]", ALWAYS, DEPLOY),
    row(Reads, "spec.json", "the genesis, named by --chain", ALWAYS, DEPLOY),
    row(Reads, "network/key", "DATA/network/key: the node's key, 64 hex digits", ALWAYS, DEPLOY),
    row(Reads, "keys/NAME", "DATA/keys/NAME/: accounts, V3; NAME is the one in spec.json", ALWAYS, DEPLOY),
    row(Unlock, "engine_signer", "with [account] password = [FILE]; sealing needs it", ALWAYS, DEPLOY),
    row(Bootnode, "parity", "any node that takes part in discovery", ALWAYS, WIKI),
    row(State, "--pruning", "auto, fast, archive", ALWAYS, HELP),
    row(Stop, "the first line", "Finishing work, please wait...", ALWAYS, "parity/main.rs: warns after 60 s, waits 300 s"),
    row(Trouble, "at a stop", "Shutdown is taking longer than expected.", ALWAYS, "parity/run.rs"),
    row(Metrics, "--metrics", "/metrics in Prometheus' format, --metrics-port 3000", since(3, 0, 0), "OpenEthereum 3.0 changelog"),
    row(Rpc, "eth_syncing, net_peerCount", "sync and peers", ALWAYS, WIKI),
    row(Rpc, "parity_netPeers", "who the peers are: connected, max, peers", ALWAYS, WIKI),
    row(Rpc, "parity_mode, eth_mining", "whether it seals", ALWAYS, WIKI),
    row(Rpc, "parity_setEngineSigner", "the account to seal with, at run time", ALWAYS, WIKI),
    row(Api, "web3", "the client's version", ALWAYS, HELP),
    row(Api, "eth", "the chain", ALWAYS, HELP),
    row(Api, "net", "the network", ALWAYS, HELP),
    row(Api, "parity", "the node", ALWAYS, HELP),
    row(Api, "parity_set", "settings; dangerous to offer", ALWAYS, HELP),
    row(Api, "parity_pubsub", "subscriptions", ALWAYS, HELP),
    row(Api, "pubsub", "subscriptions", ALWAYS, HELP),
    row(Api, "parity_accounts", "accounts; dangerous to offer", ALWAYS, HELP),
    row(Api, "personal", "accounts; dangerous to offer", ALWAYS, HELP),
    row(Api, "signer", "requests that wait for a signature", ALWAYS, HELP),
    row(Api, "traces", "traces", ALWAYS, HELP),
    row(Api, "rpc", "which interfaces there are", ALWAYS, HELP),
    row(Api, "debug", "dangerous to offer", ALWAYS, HELP),
    row(Api, "secretstore", "keys shared among nodes", ALWAYS, HELP),
];
