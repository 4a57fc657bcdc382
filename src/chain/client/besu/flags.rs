//! Besu's flags. Its tests hold a file with every one of them: that of 2020 and that of 2025 were compared, and where a flag is
//! in the newer alone, the release between them that brought it was not looked up.

use super::super::row::{Row, Topic, row};
use super::super::version::{ALWAYS, Span, since};

/// In the file of 2020 and in that of 2025.
pub const FIRST: &str =
    "hyperledger/besu: everything_config.toml at 0197f9f (besu) and 003365d (app), src/test/resources";
/// In the file of 2025 alone.
pub const LATER: &str =
    "hyperledger/besu: app/src/test/resources/everything_config.toml at 003365d; not yet in 0197f9f of 2020";
// Merged after 1.4.6 of June 2020; the next release is 1.5.0, which reads both.
const ALLOWLIST: &str = "hyperledger/besu: pull request 1077, CHANGELOG.md of 1.5.0 and of 25.1.0";
const POW: &str = "hyperledger/besu: pull request 9486, CHANGELOG.md of 25.12.0";

const fn flag(name: &'static str, says: &'static str, span: Span) -> Row {
    row(Topic::Flag, name, says, span, FIRST)
}

const fn later(name: &'static str, says: &'static str, span: Span) -> Row {
    row(Topic::Flag, name, says, span, LATER)
}

/// One line a spelling.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    flag("data-path", "--data-path", ALWAYS),
    flag("genesis-file", "--genesis-file", ALWAYS),
    row(Topic::Flag, "config-file", "--config-file", ALWAYS, "hyperledger/besu: BesuCommand.java; the file cannot name itself"),
    flag("network", "--network", ALWAYS),
    flag("network-id", "--network-id", ALWAYS),
    flag("sync-mode", "--sync-mode", ALWAYS),
    flag("logging", "--logging", ALWAYS),
    flag("node-private-key-file", "--node-private-key-file", ALWAYS),
    later("identity", "--identity", ALWAYS),
    flag("key-value-storage", "--key-value-storage", ALWAYS),
    later("data-storage-format", "--data-storage-format", ALWAYS),
    row(Topic::Flag, "version-compatibility-protection", "--version-compatibility-protection", since(24, 3, 0), "hyperledger/besu: pull request 6307"),
    later("profile", "--profile", ALWAYS),

    flag("p2p-enabled", "--p2p-enabled", ALWAYS),
    flag("p2p-host", "--p2p-host", ALWAYS),
    flag("p2p-interface", "--p2p-interface", ALWAYS),
    flag("p2p-port", "--p2p-port", ALWAYS),
    flag("nat-method", "--nat-method", ALWAYS),
    flag("bootnodes", "--bootnodes", ALWAYS),
    flag("discovery-enabled", "--discovery-enabled", ALWAYS),
    row(Topic::Flag, "poa-discovery-retry-bootnodes", "--poa-discovery-retry-bootnodes", since(24, 7, 1), "hyperledger/besu: pull request 7314"),
    later("static-nodes-file", "--static-nodes-file", ALWAYS),
    flag("max-peers", "--max-peers", ALWAYS),
    later("net-restrict", "--net-restrict", ALWAYS),
    flag("banned-node-ids", "--banned-node-ids", ALWAYS),

    flag("rpc-http-enabled", "--rpc-http-enabled", ALWAYS),
    flag("rpc-http-host", "--rpc-http-host", ALWAYS),
    flag("rpc-http-port", "--rpc-http-port", ALWAYS),
    flag("rpc-http-api", "--rpc-http-api", ALWAYS),
    flag("rpc-http-cors-origins", "--rpc-http-cors-origins", ALWAYS),
    flag("rpc-http-authentication-enabled", "--rpc-http-authentication-enabled", ALWAYS),
    flag("rpc-ws-enabled", "--rpc-ws-enabled", ALWAYS),
    flag("rpc-ws-host", "--rpc-ws-host", ALWAYS),
    flag("rpc-ws-port", "--rpc-ws-port", ALWAYS),
    flag("rpc-ws-api", "--rpc-ws-api", ALWAYS),
    flag("graphql-http-enabled", "--graphql-http-enabled", ALWAYS),
    row(Topic::Flag, "host-allowlist", "--host-whitelist", ALWAYS.before(1, 5, 0), ALLOWLIST),
    row(Topic::Flag, "host-allowlist", "--host-allowlist", since(1, 5, 0), ALLOWLIST),

    flag("metrics-enabled", "--metrics-enabled", ALWAYS),
    flag("metrics-host", "--metrics-host", ALWAYS),
    flag("metrics-port", "--metrics-port", ALWAYS),
    flag("metrics-category", "--metrics-category", ALWAYS),
    later("ethstats", "--ethstats", ALWAYS),

    flag("min-gas-price", "--min-gas-price", ALWAYS),
    later("target-gas-limit", "--target-gas-limit", ALWAYS),
    flag("miner-extra-data", "--miner-extra-data", ALWAYS),
    row(Topic::Flag, "miner-enabled", "--miner-enabled", ALWAYS.before(25, 12, 0), POW),
    row(Topic::Flag, "miner-coinbase", "--miner-coinbase", ALWAYS.before(25, 12, 0), POW),
    flag("tx-pool-max-size", "--tx-pool-max-size", ALWAYS),
    row(Topic::Flag, "tx-pool", "--tx-pool", since(23, 10, 0), "hyperledger/besu: CHANGELOG.md of 23.10.0"),
    flag("permissions-nodes-config-file-enabled", "--permissions-nodes-config-file-enabled", ALWAYS),
    flag("permissions-nodes-config-file", "--permissions-nodes-config-file", ALWAYS),
    flag("permissions-accounts-config-file-enabled", "--permissions-accounts-config-file-enabled", ALWAYS),
    flag("permissions-accounts-config-file", "--permissions-accounts-config-file", ALWAYS),
    row(Topic::Flag, "permissions-nodes-contract-enabled", "--permissions-nodes-contract-enabled", ALWAYS.before(25, 6, 0), "hyperledger/besu: everything_config.toml at 0197f9f, pull request 8597"),
    row(Topic::Flag, "privacy-enabled", "--privacy-enabled", ALWAYS.before(25, 6, 0), "hyperledger/besu: everything_config.toml at 0197f9f, pull request 8369"),
    flag("revert-reason-enabled", "--revert-reason-enabled", ALWAYS),
];
