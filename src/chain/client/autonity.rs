//! Autonity: geth with Tendermint. From its sources at 0.3.0, 0.7.1 and 0.14.1 and from Clearmatics' chart; never run here.

use super::row::Topic::{
    Api, Bootnode, Engine, Flag, Ignores, Metrics, Peers, Reads, Refuses, Rpc, State, Stop, Unlock,
};
use super::row::{Row, row};
use super::version::{ALWAYS, since};

const CHART: &str = "clearmatics/charts-ose-helm3: stable/autonity of chart 1.4.2";
const SOURCES: &str =
    "autonity/autonity: params, consensus/tendermint, node at 0.3.0, 0.7.1 and 0.14.1; once clearmatics/autonity";
const OF_07: &str = "autonity/autonity: params/autonity_contract.go at 0.7.1";
const OF_14: &str = "autonity/autonity: params/protocol_contracts.go at 0.14.1";
const API: &str = "autonity/autonity: consensus/tendermint/backend/api.go at 8fdcb2e";

/// One line a fact.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Engine, "tendermint", "config.tendermint and config.autonityContract in genesis.json; difficulty must be 1", ALWAYS.before(0, 14, 0), OF_07),
    row(Engine, "tendermint", "config.autonity, config.oracle, config.accountability; validators have BLS consensus keys", since(0, 14, 0), OF_14),
    row(Refuses, "fqdn:// in genesis.json", "no version ever knew it: an enode must name an address; tools resolved it before", ALWAYS, SOURCES),
    row(Refuses, "a genesis hash from the file alone", "block 0 runs contracts: its hash does not follow from the JSON", ALWAYS, SOURCES),
    row(Flag, "datadir", "--datadir", ALWAYS, CHART),
    row(Flag, "networkid", "--networkid", ALWAYS, CHART),
    row(Flag, "nodekey", "--nodekey", ALWAYS, CHART),
    row(Flag, "genesis", "--genesis", ALWAYS, CHART),
    row(Flag, "syncmode", "--syncmode", ALWAYS, CHART),
    row(Flag, "gcmode", "--gcmode", ALWAYS, CHART),
    row(Flag, "mine", "--mine", ALWAYS, CHART),
    row(Flag, "miner.threads", "--minerthreads", ALWAYS, CHART),
    row(Flag, "http", "--http", ALWAYS, CHART),
    row(Flag, "ws", "--ws", ALWAYS, CHART),
    row(Flag, "nat", "--nat", ALWAYS, CHART),
    row(Flag, "nousb", "--nousb", ALWAYS, CHART),
    row(Flag, "metrics", "--metrics", ALWAYS, CHART),
    row(Peers, "genesis.json, then the contract", "enodes of users in config.autonityContract, afterwards getWhitelist of the contract", ALWAYS, SOURCES),
    row(Reads, "genesis.json", "autonity init, or --genesis at every start", ALWAYS, CHART),
    row(Reads, "nodekey", "named by --nodekey: the node's key, which is the validator's account too", ALWAYS, CHART),
    row(Ignores, "static-nodes.json", "peers come from the contract", ALWAYS, SOURCES),
    row(Unlock, "none", "the node's key signs blocks; `autonity account import` is for transactions", ALWAYS, CHART),
    row(Bootnode, "none", "peers come from the contract", ALWAYS, SOURCES),
    row(State, "--gcmode", "archive in the chart", ALWAYS, CHART),
    row(Stop, "the last line", "as geth's of its age: Blockchain manager stopped, Blockchain stopped", ALWAYS, SOURCES),
    row(Metrics, "--metrics", "as geth's: /debug/metrics/prometheus", ALWAYS, CHART),
    row(Rpc, "eth_syncing, net_peerCount, admin_peers", "sync and peers", ALWAYS, SOURCES),
    row(Rpc, "tendermint_getContractAddress, getWhitelist, getValidators", "who may seal", ALWAYS, API),
    row(Api, "admin", "node and peers; dangerous to offer", ALWAYS, SOURCES),
    row(Api, "aut", "the contract", since(0, 14, 0), SOURCES),
    row(Api, "debug", "dangerous to offer", ALWAYS, SOURCES),
    row(Api, "eth", "the chain", ALWAYS, SOURCES),
    row(Api, "miner", "dangerous to offer", ALWAYS, SOURCES),
    row(Api, "net", "the network", ALWAYS, SOURCES),
    row(Api, "personal", "accounts; dangerous to offer", ALWAYS, SOURCES),
    row(Api, "tendermint", "validators", ALWAYS, API),
    row(Api, "txpool", "pending transactions", ALWAYS, SOURCES),
    row(Api, "web3", "the client's version", ALWAYS, SOURCES),
];
