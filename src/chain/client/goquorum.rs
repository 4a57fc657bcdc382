//! GoQuorum: geth of an age with other engines. From its sources and documentation at the commits that are named; never run
//! here.

use super::row::Topic::{Api, Bootnode, Engine, Flag, Metrics, Peers, Reads, Rpc, State, Stop, Unlock};
use super::row::{Row, row};
use super::version::{ALWAYS, since};

const OPTIONS: &str = "Consensys/doc.goquorum: docs/reference/cli-syntax.md at d150a69";
// What it has from the geth that it is made of.
const GETH: &str = "Consensys/quorum: cmd/utils/flags.go at 362ecfe";
const API: &str = "Consensys/doc.goquorum: docs/reference/api-methods.md at 70519f2";
const CONSENSUS: &str = "Consensys/doc.goquorum: docs/configure-and-manage/configure/consensus-protocols: ibft.md at 51fb629, qbft.md at 5f9b52c, raft.md at 96db20a";

/// One line a fact.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Engine, "istanbul", "IBFT: extraData holds the validators", ALWAYS, CONSENSUS),
    row(Engine, "qbft", "as Besu's", since(21, 4, 0), CONSENSUS),
    row(Engine, "raft", "with --raft and --raftport; no block without a transaction", ALWAYS, CONSENSUS),
    row(Engine, "clique", "as geth's", ALWAYS, "Consensys/doc.goquorum: docs/configure-and-manage/configure/consensus-protocols/clique.md at 161a9f7"),
    row(Flag, "datadir", "--datadir", ALWAYS, GETH),
    row(Flag, "networkid", "--networkid", ALWAYS, GETH),
    row(Flag, "nodiscover", "--nodiscover", ALWAYS, GETH),
    row(Flag, "mine", "--mine", ALWAYS, GETH),
    row(Flag, "permissioned", "--permissioned", ALWAYS, OPTIONS),
    row(Flag, "raft", "--raft", ALWAYS, OPTIONS),
    row(Flag, "raftport", "--raftport", ALWAYS, OPTIONS),
    row(Flag, "raftjoinexisting", "--raftjoinexisting", ALWAYS, OPTIONS),
    row(Flag, "istanbul.blockperiod", "--istanbul.blockperiod", ALWAYS, OPTIONS),
    row(Flag, "emitcheckpoints", "--emitcheckpoints", ALWAYS, OPTIONS),
    row(Flag, "ptm.socket", "--ptm.socket", since(21, 7, 0), OPTIONS),
    row(Flag, "unlock", "--unlock", ALWAYS, GETH),
    row(Flag, "password", "--password", ALWAYS, GETH),
    row(Peers, "static-nodes.json", "a JSON list of enodes in the data folder; with raft each has ?raftport=50400", ALWAYS, CONSENSUS),
    row(Peers, "permissioned-nodes.json", "with --permissioned: who may connect at all", ALWAYS, CONSENSUS),
    row(Reads, "static-nodes.json", "DATADIR/static-nodes.json", ALWAYS, CONSENSUS),
    row(Reads, "permissioned-nodes.json", "DATADIR/permissioned-nodes.json", ALWAYS, CONSENSUS),
    row(Reads, "geth/nodekey", "the node's key; the validator's key with istanbul and qbft", ALWAYS, CONSENSUS),
    row(Reads, "PRIVATE_CONFIG", "an environment variable that must be set: the transaction manager's socket, or `ignore`", ALWAYS, OPTIONS),
    row(Unlock, "--unlock", "as geth's; istanbul and qbft sign with the node's key and need none", ALWAYS, GETH),
    row(Bootnode, "bootnode", "a program of its own; networks mostly go without discovery", ALWAYS, "Consensys/quorum: cmd/bootnode"),
    row(State, "--gcmode", "as geth 1.10: hash scheme; archive is advised", ALWAYS, GETH),
    row(Stop, "the last line", "Blockchain manager stopped, or Blockchain stopped where it is made of geth 1.10", ALWAYS, "Consensys/quorum: core/blockchain.go, as in geth 1.9 and 1.10"),
    row(Metrics, "--metrics", "as geth's: /debug/metrics/prometheus", ALWAYS, GETH),
    row(Rpc, "eth_syncing, net_peerCount, admin_peers", "sync and peers", ALWAYS, API),
    row(Rpc, "istanbul_getValidators, istanbul_propose, istanbul_discard", "validators and votes, of qbft too", ALWAYS, API),
    row(Rpc, "istanbul_status", "who has sealed how many of the last blocks", ALWAYS, API),
    row(Rpc, "raft_cluster, raft_role, raft_addPeer, raft_removePeer", "the members", ALWAYS, API),
    row(Api, "admin", "node and peers; dangerous to offer", ALWAYS, API),
    row(Api, "clique", "signers and votes", ALWAYS, API),
    row(Api, "debug", "dangerous to offer", ALWAYS, API),
    row(Api, "eth", "the chain", ALWAYS, API),
    row(Api, "istanbul", "validators and votes", ALWAYS, API),
    row(Api, "miner", "dangerous to offer", ALWAYS, API),
    row(Api, "net", "the network", ALWAYS, API),
    row(Api, "personal", "accounts; dangerous to offer", ALWAYS, API),
    row(Api, "quorumPermission", "permissions", ALWAYS, API),
    row(Api, "raft", "the members", ALWAYS, API),
    row(Api, "rpc", "which interfaces there are", ALWAYS, API),
    row(Api, "txpool", "pending transactions", ALWAYS, API),
    row(Api, "web3", "the client's version", ALWAYS, API),
];
