//! What geth reads, knows and prints beside its flags. A source is a file of go-ethereum, and each bound is the first tag
//! at which it differs, of every tag from 1.8.0 to 1.17.10 except 1.8.5 and 1.14.1.

use super::row::Topic::Fork;
use super::row::Topic::{
    Api, Bootnode, Engine, Ignores, Metrics, Peers, Reads, Refuses, Rpc, State, Stop, Trouble, Unlock, Wire,
};
use super::row::{Row, row};
use super::version::{ALWAYS, Span, since};
use crate::chain::genesis::forks::FORKS;

const CONFIG: &str = "node/config.go";
const PARAMS: &str = "params/config.go";
const CHAIN: &str = "core/blockchain.go";
const PROTOCOL: &str = "eth/protocol.go, eth/protocols/eth/protocol.go";
const API: &str = "`Namespace:` in node/api.go, eth/backend.go, internal/ethapi/backend.go";

/// The forks, from the table that genesis files are read with.
pub const FORK_ROWS: &[Row] = &forks();

const fn forks() -> [Row; FORKS.len()] {
    let mut rows = [row(Fork, "", "", ALWAYS, PARAMS); FORKS.len()];
    let mut at = 0;
    while at < rows.len() {
        let span = Span { since: FORKS[at].since, before: None };
        rows[at] = row(Fork, FORKS[at].key, FORKS[at].name, span, PARAMS);
        at += 1;
    }
    rows
}

/// One line a fact.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Engine, "clique", "without a terminal total difficulty", ALWAYS.before(1, 14, 0), "eth/ethconfig/config.go"),
    row(Engine, "ethash", "proof of work", ALWAYS.before(1, 12, 0), "miner/worker.go, consensus/ethash"),
    row(Refuses, "clique", "it ends at its start: \"only PoS networks are supported, please transition old ones with Geth v1.13.x\"", since(1, 14, 0).before(1, 15, 0), "eth/ethconfig/config.go"),
    row(Refuses, "clique", "it ends at its start: \"'terminalTotalDifficulty' is not set in genesis block\"", since(1, 15, 0), "eth/ethconfig/config.go"),
    row(Refuses, "clique with Shanghai or later", "a block with such fields: \"clique does not support shanghai fork\"", since(1, 11, 0), "consensus/clique/clique.go"),
    row(Refuses, "sealing without --miner.etherbase", "\"etherbase must be explicitly specified\"; before, the first account seals", since(1, 11, 0).before(1, 14, 0), "eth/backend.go"),
    row(Refuses, "--mine, --miner.etherbase", "read and without effect: blocks come from a consensus client", since(1, 14, 0).before(1, 17, 4), "cmd/utils/flags.go"),

    // Two nodes without a common one never become peers.
    row(Wire, "eth/62", "spoken", ALWAYS.before(1, 9, 0), PROTOCOL),
    row(Wire, "eth/63", "spoken", ALWAYS.before(1, 10, 0), PROTOCOL),
    row(Wire, "eth/64", "spoken", since(1, 9, 7).before(1, 10, 3), PROTOCOL),
    row(Wire, "eth/65", "spoken", since(1, 9, 11).before(1, 10, 9), PROTOCOL),
    row(Wire, "eth/66", "spoken", since(1, 10, 0).before(1, 13, 3), PROTOCOL),
    row(Wire, "eth/67", "spoken", since(1, 10, 19).before(1, 13, 12), PROTOCOL),
    row(Wire, "eth/68", "spoken", since(1, 11, 0).before(1, 17, 1), PROTOCOL),
    row(Wire, "eth/69", "spoken", since(1, 16, 0), PROTOCOL),
    row(Wire, "eth/70", "spoken", since(1, 17, 3), PROTOCOL),
    row(Wire, "eth/71", "spoken", since(1, 17, 4), PROTOCOL),

    row(Peers, "static-nodes.json", "in the data folder: a JSON list of enodes", ALWAYS.before(1, 11, 0), CONFIG),
    row(Peers, "StaticNodes, TrustedNodes", "in [Node.P2P] of the file that --config names; an unknown key there ends the start", ALWAYS, "p2p/server.go, cmd/geth/config.go"),
    row(Peers, "names in enodes", "only addresses: a name is refused", ALWAYS.before(1, 9, 3), "p2p/discover/node.go, p2p/enode/urlv4.go"),
    row(Peers, "names in enodes", "looked up once, when the enode is read", since(1, 9, 3).before(1, 15, 0), "p2p/enode/urlv4.go"),
    row(Peers, "names in enodes", "looked up whenever the node dials", since(1, 15, 0), "p2p/dial.go, pull request 30822"),

    row(Reads, "static-nodes.json", "DATADIR/static-nodes.json, or DATADIR/geth/; with a warning from 1.8.20 on", ALWAYS.before(1, 11, 0), CONFIG),
    row(Reads, "trusted-nodes.json", "DATADIR/trusted-nodes.json, or DATADIR/geth/", ALWAYS.before(1, 11, 0), CONFIG),
    row(Reads, "geth/nodekey", "DATADIR/geth/nodekey: the node's key, 64 hex digits; made if it is missing", ALWAYS, CONFIG),
    row(Reads, "keystore", "DATADIR/keystore, or --keystore: accounts, V3", ALWAYS, CONFIG),
    row(Reads, "geth/jwtsecret", "DATADIR/geth/jwtsecret, for a consensus client; made if it is missing", since(1, 10, 17), "node/node.go"),
    row(Ignores, "static-nodes.json", "with an error in the log: \"The static-nodes.json file is deprecated and ignored. Use P2P.StaticNodes in config.toml instead.\"", since(1, 11, 0), CONFIG),
    row(Ignores, "trusted-nodes.json", "with an error in the log: \"The trusted-nodes.json file is deprecated and ignored. Use P2P.TrustedNodes in config.toml instead.\"", since(1, 11, 0), CONFIG),

    row(Unlock, "--unlock", "with --password FILE, one line an account; a sealer needs it", ALWAYS.before(1, 14, 12), "cmd/geth/main.go"),
    row(Unlock, "--unlock", "read and without effect", since(1, 14, 12).before(1, 17, 4), "cmd/geth/main.go"),
    row(Unlock, "with HTTP", "open to whoever reaches the interface", ALWAYS.before(1, 9, 0), "cmd/geth/main.go"),
    row(Unlock, "with HTTP", "it ends at its start, \"Account unlock with HTTP access is forbidden!\", unless --allow-insecure-unlock is given", since(1, 9, 0).before(1, 14, 12), "cmd/geth/main.go"),

    row(Bootnode, "bootnode", "a program of its own: bootnode -nodekey FILE -addr :30301", ALWAYS.before(1, 15, 0), "cmd/bootnode/main.go"),
    row(Bootnode, "devp2p", "devp2p key generate, to-enode; to-enr from 1.11.0 on; devp2p discv4 listen from 1.14.4 on", since(1, 9, 16), "cmd/devp2p/keycmd.go, cmd/devp2p/discv4cmd.go"),
    row(Bootnode, "geth", "any node that takes part in discovery", ALWAYS, "p2p/server.go"),
    row(Bootnode, "puppeth", "sets networks up", ALWAYS.before(1, 11, 0), "cmd/puppeth"),
    row(Bootnode, "clef", "signs in another process", since(1, 8, 4).before(1, 17, 4), "cmd/clef"),

    row(State, "scheme of a new database", "hash; the only one", ALWAYS.before(1, 13, 0), "core/rawdb"),
    row(State, "scheme of a new database", "hash, unless --state.scheme=path", since(1, 13, 0).before(1, 14, 0), "cmd/utils/flags.go"),
    row(State, "scheme of a new database", "path, unless --state.scheme=hash; one that exists stays as it is", since(1, 14, 0), "cmd/utils/flags.go"),
    row(State, "--syncmode", "full, fast, light", ALWAYS.before(1, 10, 0), "eth/downloader/modes.go"),
    row(State, "--syncmode", "full, fast, snap, light", since(1, 10, 0).before(1, 10, 14), "eth/downloader/modes.go"),
    row(State, "--syncmode", "full, snap, light", since(1, 10, 14).before(1, 13, 6), "eth/downloader/modes.go, eth/backend.go"),
    row(State, "--syncmode", "full, snap", since(1, 13, 6), "eth/backend.go, eth/downloader/modes.go, eth/ethconfig/syncmode.go"),
    row(State, "geth db get", "reads the database of a node that does not run", since(1, 10, 0), "cmd/geth/dbcmd.go"),

    row(Stop, "the first line", "Got interrupt, shutting down...", ALWAYS, "cmd/utils/cmd.go"),
    row(Stop, "the state", "Writing cached state to disk, up to three times; not with --gcmode=archive", ALWAYS, CHAIN),
    row(Stop, "the snapshot", "Writing snapshot state to disk", since(1, 9, 13), CHAIN),
    row(Stop, "the state, scheme path", "Persisting dirty state to disk, Persisted dirty state to disk", since(1, 13, 0).before(1, 16, 2), "trie/triedb/pathdb/journal.go, triedb/pathdb/journal.go"),
    row(Stop, "the state, scheme path", "Persisting dirty state, Persisted dirty state to disk, or to file", since(1, 16, 2), "triedb/pathdb/journal.go"),
    row(Stop, "the last line", "Blockchain manager stopped", ALWAYS.before(1, 9, 13), CHAIN),
    row(Stop, "the last line", "Blockchain stopped", since(1, 9, 13), CHAIN),
    row(Trouble, "at a stop", "Failed to commit recent state trie; Dangling trie nodes after full cleanup", ALWAYS, CHAIN),
    row(Trouble, "at a stop, the snapshot", "Failed to journal state snapshot", since(1, 9, 13), CHAIN),
    row(Trouble, "at a stop, scheme path", "Failed to journal in-memory trie nodes; Failed to close trie database", since(1, 13, 0), CHAIN),
    row(Trouble, "at a start", "Unclean shutdown detected, with the time at which that run began", since(1, 10, 0), "internal/shutdowncheck"),
    row(Trouble, "at a start", "Head state missing, repairing; Rewinding blockchain", ALWAYS, CHAIN),
    row(Trouble, "none", "Signed recently, must wait for others is normal on a sealer", ALWAYS.before(1, 10, 12), "consensus/clique/clique.go"),
    row(Trouble, "none", "Block sealing failed err=\"signed recently, must wait for others\" is normal on a sealer", since(1, 10, 12).before(1, 14, 0), "consensus/clique/clique.go, miner/worker.go"),

    row(Metrics, "--metrics", "/debug/metrics/prometheus, on the port of --pprof", since(1, 9, 0), "metrics/exp/exp.go"),
    row(Metrics, "--metrics.addr, --metrics.port", "the same on an address of its own", since(1, 9, 16), "cmd/utils/flags.go"),
    row(Metrics, "--metrics.influxdb", "pushes to InfluxDB", since(1, 8, 12), "cmd/utils/flags.go"),
    row(Metrics, "--metrics.influxdbv2", "pushes to InfluxDB 2, with a token", since(1, 10, 8), "cmd/utils/flags.go"),
    row(Metrics, "[Metrics] in config.toml", "read, shown by dumpconfig, and without effect", since(1, 10, 0).before(1, 15, 0), "cmd/utils/flags.go"),
    row(Metrics, "[Metrics] in config.toml", "read, as the flags are", since(1, 15, 0), "cmd/utils/flags.go"),
    row(Metrics, "a secret from the environment", "GETH_METRICS_INFLUXDB_PASSWORD, GETH_METRICS_INFLUXDB_TOKEN; before, only flags have effect", since(1, 13, 1), "internal/flags/helpers.go"),

    row(Rpc, "eth_syncing", "false when it has caught up, and also without any peer", ALWAYS, "internal/ethapi/api.go"),
    row(Rpc, "net_peerCount", "how many peers", ALWAYS, "internal/ethapi/api.go"),
    row(Rpc, "admin_peers, admin_nodeInfo", "who they are; block 0 and chain configuration", ALWAYS, "node/api.go"),
    row(Rpc, "eth_mining, eth_coinbase", "whether it seals, and with which account", ALWAYS.before(1, 14, 0), "eth/api_ethereum.go"),
    row(Rpc, "miner in eth_getBlockByNumber", "the sealer of a Clique block, though the header has zeros", since(1, 10, 8).before(1, 10, 9), "internal/ethapi/api.go"),
    row(Rpc, "clique_getSigners, clique_getSnapshot", "who may seal; who has sealed lately", ALWAYS.before(1, 16, 0), "consensus/clique/api.go"),
    row(Rpc, "clique_status", "who has sealed how many of the last 64 blocks", since(1, 9, 8).before(1, 16, 0), "consensus/clique/api.go"),
    row(Rpc, "clique_propose, clique_discard", "votes on signers", ALWAYS.before(1, 16, 0), "consensus/clique/api.go"),

    row(Api, "admin", "node and peers; dangerous to offer", ALWAYS, API),
    row(Api, "clique", "signers and votes", ALWAYS.before(1, 16, 0), "`Namespace:` in consensus/clique/clique.go"),
    row(Api, "debug", "dangerous to offer", ALWAYS, API),
    row(Api, "engine", "for a consensus client; needs its secret", since(1, 10, 17), API),
    row(Api, "eth", "the chain", ALWAYS, API),
    row(Api, "ethash", "proof of work", since(1, 8, 14).before(1, 12, 0), "`Namespace:` in consensus/ethash/ethash.go"),
    row(Api, "les", "light clients", since(1, 9, 0).before(1, 13, 6), "`Namespace:` in les/server.go, les/backend.go"),
    row(Api, "miner", "dangerous to offer", ALWAYS, API),
    row(Api, "net", "the network", ALWAYS, API),
    row(Api, "personal", "accounts; dangerous to offer", ALWAYS.before(1, 14, 12), API),
    row(Api, "rpc", "which interfaces there are", ALWAYS, "rpc/server.go"),
    row(Api, "txpool", "pending transactions", ALWAYS, API),
    row(Api, "web3", "the client's version", ALWAYS, API),
];
