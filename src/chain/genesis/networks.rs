//! Chain ids of public networks: a private one with such an id accepts their transactions, and they accept its.

/// The public network whose chain id this is.
pub fn public(chain_id: u64) -> Option<&'static str> {
    let name = match chain_id {
        1 => "Ethereum's main network",
        3 => "Ropsten",
        4 => "Rinkeby",
        5 => "Görli",
        10 => "OP Mainnet",
        14 => "Flare",
        25 => "Cronos",
        30 => "Rootstock",
        40 => "Telos",
        42 => "Kovan",
        50 => "XDC",
        56 => "BNB Smart Chain",
        61 => "Ethereum Classic",
        77 => "POA Sokol",
        97 => "BNB Smart Chain's test network",
        99 => "POA Core",
        100 => "Gnosis",
        122 => "Fuse",
        134 => "iExec's Bellecour",
        137 => "Polygon",
        246 => "Energy Web",
        250 => "Fantom",
        324 => "zkSync Era",
        1284 => "Moonbeam",
        5000 => "Mantle",
        8217 => "Kaia",
        8453 => "Base",
        10_200 => "Gnosis Chiado",
        17_000 => "Holesky",
        42_161 => "Arbitrum One",
        42_220 => "Celo",
        43_114 => "Avalanche",
        59_144 => "Linea",
        73_799 => "Energy Web's test network Volta",
        80_002 => "Polygon Amoy",
        84_532 => "Base Sepolia",
        560_048 => "Hoodi",
        11_155_111 => "Sepolia",
        _ => return None,
    };
    Some(name)
}

/// Chain ids that tools take for their own development networks.
pub fn development(chain_id: u64) -> Option<&'static str> {
    match chain_id {
        1337 => Some("geth --dev and Ganache"),
        31_337 => Some("Hardhat and Anvil"),
        _ => None,
    }
}
