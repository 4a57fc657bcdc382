//! Besu. From its documentation and its changelog; never run here.

use super::row::Topic::{Api, Bootnode, Engine, Flag, Metrics, Peers, Reads, Rpc, State, Stop, Unlock};
use super::row::{Row, row};
use super::version::{ALWAYS, since};

const OPTIONS: &str = "besu.hyperledger.org: reference/cli/options";
const API: &str = "besu.hyperledger.org: reference/api";
// Merged after 1.4.6 of June 2020; the next release is 1.5.0, which reads both.
const ALLOWLIST: &str = "hyperledger/besu: pull request 1077, CHANGELOG.md of 1.5.0";
const PRIVATE: &str = "besu.hyperledger.org: private-networks";

/// One line a fact.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Engine, "clique", "for production", ALWAYS.before(25, 12, 0), PRIVATE),
    row(Engine, "clique", "deprecated for production; its removal is hyperledger/besu#9883", since(25, 12, 0), "changelog of 25.12.0"),
    row(Engine, "ibft2", "blocks are final; qbft is the newer", ALWAYS, PRIVATE),
    row(Engine, "qbft", "validators from blocks or from a contract", since(21, 10, 0), PRIVATE),
    row(Flag, "data-path", "--data-path", ALWAYS, OPTIONS),
    row(Flag, "genesis-file", "--genesis-file", ALWAYS, OPTIONS),
    row(Flag, "config-file", "--config-file", ALWAYS, OPTIONS),
    row(Flag, "node-private-key-file", "--node-private-key-file", ALWAYS, OPTIONS),
    row(Flag, "bootnodes", "--bootnodes", ALWAYS, OPTIONS),
    row(Flag, "discovery-enabled", "--discovery-enabled", ALWAYS, OPTIONS),
    row(Flag, "static-nodes-file", "--static-nodes-file", ALWAYS, OPTIONS),
    row(Flag, "p2p-host", "--p2p-host", ALWAYS, OPTIONS),
    row(Flag, "p2p-port", "--p2p-port", ALWAYS, OPTIONS),
    row(Flag, "rpc-http-enabled", "--rpc-http-enabled", ALWAYS, OPTIONS),
    row(Flag, "rpc-http-host", "--rpc-http-host", ALWAYS, OPTIONS),
    row(Flag, "rpc-http-api", "--rpc-http-api", ALWAYS, OPTIONS),
    row(Flag, "rpc-http-cors-origins", "--rpc-http-cors-origins", ALWAYS, OPTIONS),
    row(Flag, "rpc-ws-enabled", "--rpc-ws-enabled", ALWAYS, OPTIONS),
    row(Flag, "rpc-ws-api", "--rpc-ws-api", ALWAYS, OPTIONS),
    row(Flag, "host-allowlist", "--host-whitelist", ALWAYS.before(1, 5, 0), ALLOWLIST),
    row(Flag, "host-allowlist", "--host-allowlist", since(1, 5, 0), ALLOWLIST),
    row(Flag, "min-gas-price", "--min-gas-price", ALWAYS, OPTIONS),
    row(Flag, "data-storage-format", "--data-storage-format", ALWAYS, OPTIONS),
    row(Flag, "metrics-enabled", "--metrics-enabled", ALWAYS, OPTIONS),
    row(Flag, "ethstats", "--ethstats", ALWAYS, OPTIONS),
    row(Peers, "static-nodes.json", "a JSON list of enodes in the data folder, or named by --static-nodes-file", ALWAYS, PRIVATE),
    row(Peers, "names in enodes", "only with --Xdns-enabled", ALWAYS, OPTIONS),
    row(Reads, "key", "DATA/key: the node's key, which signs blocks too; made if it is missing", ALWAYS, OPTIONS),
    row(Reads, "genesis.json", "named by --genesis-file at every start; config keys are read whatever their case", ALWAYS, PRIVATE),
    row(Reads, "static-nodes.json", "DATA/static-nodes.json", ALWAYS, PRIVATE),
    row(Unlock, "none", "it has no accounts: the node's key signs; users' transactions come signed, or through EthSigner or Web3Signer", ALWAYS, PRIVATE),
    row(Bootnode, "besu", "any node that takes part in discovery; besu public-key export gives its key", ALWAYS, PRIVATE),
    row(State, "--data-storage-format", "FOREST keeps every state, BONSAI the newest", ALWAYS, OPTIONS),
    row(Stop, "the signal", "SIGTERM; no line of its log is known to prove that state was saved", ALWAYS, "not looked into"),
    row(Metrics, "--metrics-enabled", "/metrics in Prometheus' format, port 9545", ALWAYS, OPTIONS),
    row(Rpc, "GET /liveness, GET /readiness", "/readiness?minPeers=N&maxBlocksBehind=N", ALWAYS, API),
    row(Rpc, "eth_syncing, net_peerCount, admin_peers", "sync and peers", ALWAYS, API),
    row(Rpc, "qbft_getValidatorsByBlockNumber, qbft_getSignerMetrics", "who may seal; who has sealed lately; ibft_ for ibft2", ALWAYS, API),
    row(Rpc, "qbft_proposeValidatorVote, qbft_discardValidatorVote", "votes on validators; ibft_ for ibft2", ALWAYS, API),
    row(Rpc, "clique_getSigners, clique_propose, clique_discard", "signers and votes", ALWAYS, API),
    row(Api, "admin", "node and peers; dangerous to offer", ALWAYS, API),
    row(Api, "clique", "signers and votes", ALWAYS, API),
    row(Api, "debug", "dangerous to offer", ALWAYS, API),
    row(Api, "eth", "the chain", ALWAYS, API),
    row(Api, "ibft", "validators and votes", ALWAYS, API),
    row(Api, "miner", "dangerous to offer", ALWAYS, API),
    row(Api, "net", "the network", ALWAYS, API),
    row(Api, "perm", "permissions", ALWAYS, API),
    row(Api, "plugins", "plugins; dangerous to offer", ALWAYS, API),
    row(Api, "qbft", "validators and votes", ALWAYS, API),
    row(Api, "trace", "traces", ALWAYS, API),
    row(Api, "txpool", "pending transactions", ALWAYS, API),
    row(Api, "web3", "the client's version", ALWAYS, API),
];
