//! Besu. From its sources, its changelog and its documentation; never run here.

use super::row::Topic::{
    Api, Bootnode, Engine, Fork, Metrics, Peers, Reads, Refuses, Rpc, State, Stop, Trouble, Unlock,
};
use super::row::{Row, row};
use super::version::{ALWAYS, since};

pub mod flags;

// Read from 24.1.0 to 26.5.0; of older releases only what a row names.
const CHANGES: &str = "besu-eth/besu: CHANGELOG.md at 00fe97c";
const CONFIG: &str =
    "hyperledger/besu: config/src/main/java/org/hyperledger/besu/config/JsonGenesisConfigOptions.java at 3f6bba5";
const RUNNER: &str = "hyperledger/besu: Runner.java at 080b8dd and 06d6879";
const NETWORK: &str = "hyperledger/besu: ethereum/p2p/.../NetworkRunner.java at 1c6418c, and a journal of 2022-11-04";
const APIS: &str = "hyperledger/besu: ethereum/api/.../RpcApis.java at 05ea900";
const DOCS: &str = "hyperledger/besu-docs: docs/public-networks/reference/api";
const PRIVATE: &str = "hyperledger/besu-docs: docs/private-networks/how-to/configure/consensus";
const NODE_KEYS: &str = "hyperledger/besu-docs: docs/public-networks/concepts/node-keys.md";
// What the changelog tells of a fork is the release for the first test network; see `genesis::forks`.
const BERLIN: &str = "hyperledger/besu: CHANGELOG.md of 21.1.2";
const LONDON: &str = "hyperledger/besu: CHANGELOG.md of 21.7.0";
const SHANGHAI: &str = "hyperledger/besu: CHANGELOG.md of 23.1.0";

/// One line a fact.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Engine, "clique", "for production", ALWAYS.before(25, 12, 0), CHANGES),
    row(Engine, "clique", "announced to end: from 26.4.0 on nothing seals it", since(25, 12, 0).before(26, 4, 0), CHANGES),
    row(Refuses, "clique", "it does not start with such a genesis any more", since(26, 4, 0), "besu-eth/besu: CHANGELOG.md of 26.4.0, pull request 9852"),
    row(Engine, "ibft2", "blocks are final; qbft is the newer", ALWAYS, PRIVATE),
    row(Engine, "qbft", "validators from blocks or from a contract", since(21, 10, 0), PRIVATE),
    row(Refuses, "Shanghai with QBFT or IBFT 2.0", "no release before 24.3.0 seals it", since(23, 1, 0).before(24, 3, 0), "hyperledger/besu: pull request 6353, CHANGELOG.md of 24.3.0"),
    row(Refuses, "--sync-mode=SNAP, CHECKPOINT with QBFT or IBFT 2.0", "it ends at its start", since(24, 5, 1).before(25, 7, 0), "hyperledger/besu: pull requests 6625, 6667, 8861"),
    row(Refuses, "Java before 21", "it neither starts nor builds", since(24, 6, 0), CHANGES),
    row(Refuses, "blocks before Byzantium", "it makes none on a network that has not reached that fork", since(25, 8, 0), "hyperledger/besu: pull request 9005"),
    row(Refuses, "permissions from contracts, private transactions", "removed with their flags; EEA and PRIV followed in 25.7.0", since(25, 6, 0), "hyperledger/besu: pull requests 8597, 8369, 8803"),

    // By geth's keys; Besu reads them whatever their case, and petersburgBlock also as constantinopleFixBlock.
    row(Fork, "homesteadBlock", "Homestead", ALWAYS, CONFIG),
    row(Fork, "daoForkBlock", "DAO", ALWAYS, CONFIG),
    row(Fork, "eip150Block", "Tangerine Whistle", ALWAYS, CONFIG),
    row(Fork, "eip158Block", "Spurious Dragon", ALWAYS, CONFIG),
    row(Fork, "byzantiumBlock", "Byzantium", ALWAYS, CONFIG),
    row(Fork, "constantinopleBlock", "Constantinople", ALWAYS, CONFIG),
    row(Fork, "petersburgBlock", "Petersburg; constantinopleFixBlock is the older name, and both together are refused", ALWAYS, CONFIG),
    row(Fork, "istanbulBlock", "Istanbul", ALWAYS, CONFIG),
    row(Fork, "muirGlacierBlock", "Muir Glacier", ALWAYS, CONFIG),
    row(Fork, "berlinBlock", "Berlin; 21.1.0 and 21.1.1 play by outdated rules", since(21, 1, 2), BERLIN),
    row(Fork, "londonBlock", "London", since(21, 7, 0), LONDON),
    row(Fork, "shanghaiTime", "Shanghai; with QBFT and IBFT 2.0 from 24.3.0 on", since(23, 1, 0), SHANGHAI),
    row(Fork, "cancunTime", "Cancun", since(24, 1, 0), "hyperledger/besu: pull request 6352, merged into 24.1.0-RC2"),
    row(Fork, "pragueTime", "Prague; read from 24.3.0 on, as a draft", since(25, 2, 0), "hyperledger/besu: pull requests 6473, 8163"),
    row(Fork, "osakaTime", "Osaka", since(25, 9, 0), "hyperledger/besu: pull request 9196"),
    row(Fork, "bpo1Time", "BPO 1, and the others to bpo5Time", since(25, 9, 0), "hyperledger/besu: pull requests 8671, 9196"),

    row(Peers, "static-nodes.json", "a JSON list of enodes in the data folder, or named by --static-nodes-file", ALWAYS, flags::LATER),
    row(Peers, "names in enodes", "only with --Xdns-enabled", ALWAYS, "hyperledger/besu: BesuCommand.java (getEnodeDnsConfiguration)"),
    row(Peers, "eth/62 to eth/65", "no more spoken: nodes that speak nothing newer are no peers", since(25, 4, 0), "hyperledger/besu: pull request 8492"),
    row(Peers, "eth/67", "no more spoken", since(25, 8, 0), "hyperledger/besu: pull request 9008"),
    row(Peers, "eth/69", "spoken by default; from 25.6.0 on with --Xeth-capability-max=69", since(25, 7, 0), "hyperledger/besu: pull requests 8519, 8858"),
    row(Peers, "validators of 25.x", "their proposals have another form: 26.4.0 reads them, and the release after 26.5.0 writes them too, with --Xbft-legacy-protocol-encoding on each new node", since(26, 1, 0), "besu-eth/besu: pull requests 9977, 10499"),
    row(Reads, "key", "DATA/key: the node's key, which signs blocks too; made if it is missing", ALWAYS, NODE_KEYS),
    row(Reads, "genesis.json", "named by --genesis-file at every start; config keys are read whatever their case", ALWAYS, CONFIG),
    row(Reads, "static-nodes.json", "DATA/static-nodes.json", ALWAYS, flags::LATER),
    row(Reads, "emptyblockperiodseconds in qbft, ibft2", "under the name xemptyblockperiodseconds", since(24, 10, 0).before(26, 5, 0), "hyperledger/besu: pull request 6965; JsonBftConfigOptions.java"),
    row(Reads, "emptyblockperiodseconds in qbft, ibft2", "and xemptyblockperiodseconds for a while", since(26, 5, 0), "besu-eth/besu: pull request 10264"),
    row(Unlock, "none", "it has no accounts: the node's key signs; users' transactions come signed, or through EthSigner or Web3Signer", ALWAYS, NODE_KEYS),
    row(Bootnode, "besu", "any node that takes part in discovery; besu public-key export gives its key", ALWAYS, "hyperledger/besu-docs: docs/public-networks/reference/cli/subcommands.md"),

    row(State, "format of a new database", "FOREST, which keeps every state, unless --data-storage-format=BONSAI", ALWAYS.before(24, 3, 0), CHANGES),
    row(State, "format of a new database", "BONSAI, which keeps the newest, unless --data-storage-format=FOREST; one that exists must be named: \"Mismatch: DB at '...' is FOREST (Version 1) but config expects BONSAI (Version 2)\"", since(24, 3, 0), "hyperledger/besu: pull request 6536"),
    row(State, "an older version again", "not before besu storage revert-metadata v2-to-v1", since(24, 5, 1), CHANGES),
    row(State, "an older version again", "none before 24.5.1: receipts are kept in another form", since(24, 9, 1), CHANGES),

    // All by the thread BesuCommand-Shutdown-Hook, in this order. Behind the last of them the databases are closed, without a
    // word: only the end of the process tells of that.
    row(Stop, "the first line", "Stopping synchronizer", ALWAYS, NETWORK),
    row(Stop, "the network", "Stopping Network.; Stopping eth Subprotocol.; eth Subprotocol stopped.", ALWAYS, NETWORK),
    row(Stop, "the last line", "Network stopped.; the databases are closed after it without a line, so the process must have ended too", ALWAYS, RUNNER),
    row(Trouble, "at a stop", "Service NAME did not shut down cleanly, after 30 s; Service NAME failed to shutdown", ALWAYS, RUNNER),
    row(Trouble, "at a stop", "Failed to stop Besu; Unable to close resource.", ALWAYS, "hyperledger/besu: BesuCommand.java, BesuController.java"),
    row(Trouble, "after a kill", "Unable to process block because parent world state ... is not available: with BONSAI the state and its log may differ", ALWAYS.before(25, 4, 0), "besu-eth/besu: issues 5362, 6569; pull request 8500"),
    row(Trouble, "at a start", "RocksDBException: While lock file: .../LOCK: another process has the database", ALWAYS, "besu-eth/besu: issue 2710"),

    row(Metrics, "--metrics-enabled", "/metrics in Prometheus' format, port 9545", ALWAYS, flags::FIRST),
    row(Rpc, "GET /liveness, GET /readiness", "/readiness?minPeers=N&maxBlocksBehind=N", ALWAYS, DOCS),
    row(Rpc, "eth_syncing, net_peerCount, admin_peers", "sync and peers", ALWAYS, DOCS),
    row(Rpc, "qbft_getValidatorsByBlockNumber, qbft_getSignerMetrics", "who may seal; who has sealed lately; ibft_ for ibft2", ALWAYS, DOCS),
    row(Rpc, "qbft_proposeValidatorVote, qbft_discardValidatorVote", "votes on validators; ibft_ for ibft2", ALWAYS, DOCS),
    row(Rpc, "clique_getSigners, clique_propose, clique_discard", "signers and votes", ALWAYS.before(26, 4, 0), DOCS),
    row(Rpc, "eth_coinbase", "the account that gets the fees", ALWAYS.before(25, 12, 0), "hyperledger/besu: pull request 9487"),

    row(Api, "admin", "node and peers; dangerous to offer", ALWAYS, APIS),
    row(Api, "clique", "signers and votes", ALWAYS.before(26, 4, 0), APIS),
    row(Api, "debug", "dangerous to offer", ALWAYS, APIS),
    row(Api, "eea", "private transactions", ALWAYS.before(25, 7, 0), "hyperledger/besu: RpcApis.java at 05ea900, pull request 8803"),
    row(Api, "eth", "the chain", ALWAYS, APIS),
    row(Api, "ibft", "validators and votes", ALWAYS, APIS),
    row(Api, "miner", "dangerous to offer", ALWAYS, APIS),
    row(Api, "net", "the network", ALWAYS, APIS),
    row(Api, "perm", "permissions", ALWAYS, APIS),
    row(Api, "plugins", "plugins; dangerous to offer", ALWAYS, APIS),
    row(Api, "priv", "private transactions", ALWAYS.before(25, 7, 0), "hyperledger/besu: RpcApis.java at 05ea900, pull request 8803"),
    row(Api, "qbft", "validators and votes", ALWAYS, APIS),
    row(Api, "trace", "traces", ALWAYS, APIS),
    row(Api, "txpool", "pending transactions", ALWAYS, APIS),
    row(Api, "web3", "the client's version", ALWAYS, APIS),
];
