//! Nethermind. From its sources at the commits that are named, and its documentation; never run here.

use super::row::Topic::{
    Api, Bootnode, Engine, Flag, Fork, Metrics, Peers, Reads, Refuses, Rpc, State, Stop, Trouble, Unlock,
};
use super::row::{Row, row};
use super::version::{ALWAYS, since};

const DOCS: &str = "NethermindEth/docs: versioned_docs/version-1.28.0/fundamentals/configuration.md at 16e7b22";
const RPC: &str = "NethermindEth/docs: versioned_docs/version-1.29.0/interacting/json-rpc-ns";
const INIT: &str = "NethermindEth/nethermind: Nethermind.Api/IInitConfig.cs at 0077e0e";
const NETWORK: &str = "NethermindEth/nethermind: Nethermind.Network/Config/INetworkConfig.cs at bb99551";
const AURA: &str = "NethermindEth/nethermind: Nethermind.Consensus.AuRa/Config/IAuraConfig.cs at 0a052f4";
const MODULES: &str = "NethermindEth/nethermind: Nethermind.JsonRpc/Modules/ModuleType.cs at 017ff38";
const MINING: &str = "NethermindEth/nethermind: Nethermind.Consensus/IMiningConfig.cs; since when was not looked up";
const PROGRAM: &str = "NethermindEth/nethermind: Nethermind.Runner/Program.cs";
const RUNNER: &str = "NethermindEth/nethermind: Nethermind.Runner/Ethereum/EthereumRunner.cs, StopAsync";
const PARAMS: &str = "NethermindEth/nethermind: Nethermind.Specs/ChainSpecStyle/Json/ChainSpecParamsJson.cs at 27be127";
const LOADER: &str = "NethermindEth/nethermind: Nethermind.Specs/ChainSpecStyle/ChainSpecLoader.cs at 06f9de5";

/// One line a fact. Of a fork the release is the first for a test network; older ones may know parts of it.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(Engine, "aura", "authorityRound in a chain spec as Parity's; a private network needs Aura.AllowAuRaPrivateChains", ALWAYS, AURA),
    row(Engine, "clique", "clique in a chain spec", ALWAYS, "NethermindEth/nethermind: Nethermind.Specs/ChainSpecStyle/CliqueParameters.cs at 16ea0c5"),
    row(Refuses, "eip1706Transition with eip2200Transition", "they are one: \"Both 'Eip2200Transition' and 'Eip1706Transition' are provided\"", ALWAYS, LOADER),
    row(Refuses, "eip1283ReenableTransition unlike eip1706Transition", "where eip1283DisableTransition is there too", ALWAYS, LOADER),
    row(Refuses, "emptyStepsTransition, startStep, immediateTransitions", "passed over in silence: another chain than OpenEthereum's", ALWAYS, "NethermindEth/nethermind: Nethermind.Consensus.AuRa/Config/AuRaChainSpecEngineParameters.cs at 1086c6f"),

    // By geth's keys; a chain spec has one key for each EIP instead.
    row(Fork, "byzantiumBlock", "Byzantium: eip140Transition", ALWAYS, PARAMS),
    row(Fork, "constantinopleBlock", "Constantinople: eip145Transition", ALWAYS, PARAMS),
    row(Fork, "petersburgBlock", "Petersburg: eip1283DisableTransition", ALWAYS, PARAMS),
    row(Fork, "istanbulBlock", "Istanbul: eip2200Transition, or eip1283ReenableTransition with eip1706Transition", ALWAYS, PARAMS),
    row(Fork, "berlinBlock", "Berlin: eip2929Transition", since(1, 10, 31), "blog.ethereum.org/2021/03/08/ethereum-berlin-upgrade-announcement"),
    row(Fork, "londonBlock", "London: eip1559Transition", since(1, 10, 73), "ethereum/execution-specs: network-upgrades/mainnet-upgrades/london.md at 01aa7df"),
    row(Fork, "shanghaiTime", "Shanghai: eip4895TransitionTimestamp", since(1, 17, 0), "NethermindEth/nethermind: notes of release 1.17.0"),
    row(Fork, "cancunTime", "Cancun: eip4844TransitionTimestamp", since(1, 25, 0), "NethermindEth/nethermind: notes of release 1.25.0-rc"),
    row(Fork, "pragueTime", "Prague: eip7002TransitionTimestamp", since(1, 31, 0), "NethermindEth/nethermind: notes of release 1.31.0"),

    row(Flag, "config", "--config", ALWAYS, DOCS),
    row(Flag, "datadir", "--datadir", ALWAYS, DOCS),
    row(Flag, "Init.ChainSpecPath", "--Init.ChainSpecPath", ALWAYS, INIT),
    row(Flag, "Init.BaseDbPath", "--Init.BaseDbPath", ALWAYS, INIT),
    row(Flag, "Init.GenesisHash", "--Init.GenesisHash", ALWAYS, INIT),
    row(Flag, "Init.StaticNodesPath", "--Init.StaticNodesPath", ALWAYS, INIT),
    row(Flag, "Init.DiscoveryEnabled", "--Init.DiscoveryEnabled", ALWAYS, INIT),
    row(Flag, "Init.LogFileName", "--Init.LogFileName", ALWAYS, INIT),
    row(Flag, "Network.StaticPeers", "--Network.StaticPeers", ALWAYS, NETWORK),
    row(Flag, "Network.OnlyStaticPeers", "--Network.OnlyStaticPeers", ALWAYS, NETWORK),
    row(Flag, "Network.ExternalIp", "--Network.ExternalIp", ALWAYS, NETWORK),
    row(Flag, "Network.LocalIp", "--Network.LocalIp", ALWAYS, NETWORK),
    row(Flag, "Network.P2PPort", "--Network.P2PPort", ALWAYS, NETWORK),
    row(Flag, "Network.DiscoveryPort", "--Network.DiscoveryPort", ALWAYS, "NethermindEth/nethermind: Nethermind.Runner/configs/fuse.cfg at 2196813"),
    row(Flag, "Discovery.Bootnodes", "--Discovery.Bootnodes", ALWAYS, DOCS),
    row(Flag, "Mining.Enabled", "--Mining.Enabled", ALWAYS, MINING),
    row(Flag, "Init.IsMining", "--Init.IsMining", ALWAYS, INIT),
    row(Flag, "Mining.MinGasPrice", "--Mining.MinGasPrice", ALWAYS, "NethermindEth/nethermind: Nethermind.Runner/configs/fuse.cfg at 2196813"),
    row(Flag, "Aura.ForceSealing", "--Aura.ForceSealing", ALWAYS, AURA),
    row(Flag, "Aura.AllowAuRaPrivateChains", "--Aura.AllowAuRaPrivateChains", ALWAYS, AURA),
    row(Flag, "KeyStore.BlockAuthorAccount", "--KeyStore.BlockAuthorAccount", ALWAYS, DOCS),
    row(Flag, "KeyStore.PasswordFiles", "--KeyStore.PasswordFiles", ALWAYS, DOCS),
    row(Flag, "KeyStore.UnlockAccounts", "--KeyStore.UnlockAccounts", ALWAYS, DOCS),
    row(Flag, "JsonRpc.Enabled", "--JsonRpc.Enabled", ALWAYS, DOCS),
    row(Flag, "JsonRpc.Host", "--JsonRpc.Host", ALWAYS, DOCS),
    row(Flag, "JsonRpc.Port", "--JsonRpc.Port", ALWAYS, "NethermindEth/nethermind: Nethermind.Runner/configs/fuse.cfg at 2196813"),
    row(Flag, "JsonRpc.EnabledModules", "--JsonRpc.EnabledModules", ALWAYS, DOCS),
    row(Flag, "Merge.Enabled", "--Merge.Enabled", ALWAYS, "NethermindEth/nethermind: Nethermind.Runner/configs/fuse.cfg at 2196813; an Aura network sets it to false"),
    row(Flag, "Metrics.Enabled", "--Metrics.Enabled", ALWAYS, DOCS),
    row(Flag, "EthStats.Enabled", "--EthStats.Enabled", ALWAYS, DOCS),
    row(Peers, "static-nodes.json", "a JSON list of enodes, named by Init.StaticNodesPath", ALWAYS, INIT),
    row(Peers, "Network.StaticPeers", "enodes with commas between them", ALWAYS, NETWORK),
    row(Reads, "NAME.json, NAME.cfg", "the settings, named by --config", ALWAYS, DOCS),
    row(Reads, "chainspec", "the genesis, named by Init.ChainSpecPath; Parity's form, keys whatever their case, unknown ones passed over", ALWAYS, LOADER),
    row(Reads, "geth's genesis.json", "where Init.ChainSpecPath names one", ALWAYS, INIT),
    row(Reads, "keystore", "accounts, V3, and the node's key", ALWAYS, DOCS),
    row(Unlock, "KeyStore.UnlockAccounts", "with KeyStore.PasswordFiles; KeyStore.BlockAuthorAccount is the one that seals", ALWAYS, DOCS),
    row(Bootnode, "nethermind", "any node that takes part in discovery", ALWAYS, DOCS),
    row(State, "Pruning.Mode", "Hybrid, Memory, Full, None", ALWAYS, DOCS),

    row(Stop, "the first line", "Nethermind is shutting down... Please wait until all, and then: activities are stopped, or: functions are stopped", ALWAYS, PROGRAM),
    row(Stop, "the databases", "All DBs closed", ALWAYS, RUNNER),
    row(Stop, "the last line", "Nethermind is shut down", ALWAYS, PROGRAM),
    row(Trouble, "at a stop", "without \"All DBs closed\" before the last line it was killed, or a part of it could not be stopped", ALWAYS, RUNNER),

    row(Metrics, "Metrics.ExposePort", "/metrics in Prometheus' format", ALWAYS, "NethermindEth/docs: versioned_docs/version-1.28.0/monitoring/metrics/metrics.md at 16e7b22"),
    row(Rpc, "eth_syncing, net_peerCount, admin_peers", "sync and peers", ALWAYS, RPC),
    row(Rpc, "clique_getSigners, clique_propose", "who may seal; votes", ALWAYS, RPC),
    row(Rpc, "GET /health", "with HealthChecks.Enabled", ALWAYS, "NethermindEth/docs: versioned_docs/version-1.28.0/monitoring/health-check.md at db65028"),
    row(Api, "admin", "the node; dangerous to offer", ALWAYS, MODULES),
    row(Api, "clique", "signers and votes", ALWAYS, MODULES),
    row(Api, "debug", "dangerous to offer", ALWAYS, MODULES),
    row(Api, "eth", "the chain", ALWAYS, MODULES),
    row(Api, "health", "health", ALWAYS, MODULES),
    row(Api, "net", "the network", ALWAYS, MODULES),
    row(Api, "parity", "as Parity's", ALWAYS, MODULES),
    row(Api, "personal", "accounts; dangerous to offer", ALWAYS, MODULES),
    row(Api, "proof", "proofs", ALWAYS, MODULES),
    row(Api, "rpc", "which interfaces there are", ALWAYS, RPC),
    row(Api, "subscribe", "subscriptions", ALWAYS, MODULES),
    row(Api, "trace", "traces", ALWAYS, MODULES),
    row(Api, "txpool", "pending transactions", ALWAYS, MODULES),
    row(Api, "web3", "the client's version", ALWAYS, MODULES),
];
