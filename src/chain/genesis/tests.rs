//! Known networks have their known hashes.

use super::build::{Clique, Common};
use super::forks::{CLIQUE_FORKS, Target};
use super::*;
use crate::base::{Map, Value};
use crate::chain::client::Version;
use crate::chain::clique;
use alloy_primitives::{Address, U256, hex};
use serde_json::json;

/// Accounts 0x00 to 0xff with one wei each, and some more.
fn with_precompiles(more: &[(&str, &str)]) -> Value {
    let mut alloc: Map = (0..256).map(|byte| (format!("{byte:040x}"), json!({"balance": "0x1"}))).collect();
    alloc.extend(more.iter().map(|(address, balance)| ((*address).to_owned(), json!({"balance": balance}))));
    Value::Object(alloc)
}

fn hash(genesis: &Value) -> String {
    header(&genesis.to_string()).unwrap().hash().to_string()
}

#[test]
fn rinkeby_and_goerli_have_their_known_hashes() {
    let seal = "0".repeat(130);
    let rinkeby = json!({
        "config": {"chainId": 4, "clique": {"period": 15, "epoch": 30000}}, "difficulty": "1", "gasLimit": 4_700_000,
        "timestamp": "0x58ee40ba", "extraData": format!("0x52657370656374206d7920617574686f7269746168207e452e436172746d616e\
            42eb768f2244c8811c63729a21a3569731535f067ffc57839b00206d1ad20c69a1981b489f772031b279182d99e65703f0076e4812653aab85fca0f0{seal}"),
        "alloc": with_precompiles(&[("31b98d14007bdee637298086988a0bbd31184523",
            "0x200000000000000000000000000000000000000000000000000000000000000")]),
    });
    assert_eq!(hash(&rinkeby), "0x6341fd3daf94b748c72ced5a5b26028f2474f5f00d824504e4fa37a75767e177");
    let goerli = json!({
        "config": {"chainId": 5}, "difficulty": "0x1", "gasLimit": "0xa00000", "timestamp": 1_548_854_791,
        "extraData": format!("0x22466c6578692069732061207468696e6722202d204166726900000000000000e0a2bd4258d2768837baa26a28fe71dc079f84c7{seal}"),
        "alloc": with_precompiles(&[
            ("4c2ae482593505f0163cdefc073e81c63cda4107", "0x152d02c7e14af6800000"),
            ("a8e8f14732658e4b51e8711931053a8a69baf2b1", "0x152d02c7e14af6800000"),
            ("d9a5179f091d85051d3c982785efd1455cec8699", "0x84595161401484a000000"),
            ("e0a2bd4258d2768837baa26a28fe71dc079f84c7", "0x4a47e3c12448f4ad000000"),
        ]),
    });
    assert_eq!(hash(&goerli), "0xbf7e331f7f7c1dd2e05159666b3bf8bc7a8a3a9eb1d518969eab529dd9b88c1a");
}

#[test]
fn sepolia_which_begins_with_london_has_its_known_hash() {
    let alloc: Map = [
        ("a2A6d93439144FFE4D27c9E088dCD8b783946263", "0xD3C21BCECCEDA1000000"),
        ("Bc11295936Aa79d594139de1B2e12629414F3BDB", "0xD3C21BCECCEDA1000000"),
        ("7cF5b79bfe291A67AB02b393E456cCc4c266F753", "0xD3C21BCECCEDA1000000"),
        ("aaec86394441f915bce3e6ab399977e9906f3b69", "0xD3C21BCECCEDA1000000"),
        ("F47CaE1CF79ca6758Bfc787dbD21E6bdBe7112B8", "0xD3C21BCECCEDA1000000"),
        ("d7eDDB78ED295B3C9629240E8924fb8D8874ddD8", "0xD3C21BCECCEDA1000000"),
        ("8b7F0977Bb4f0fBE7076FA22bC24acA043583F5e", "0xD3C21BCECCEDA1000000"),
        ("e2e2659028143784d557bcec6ff3a0721048880a", "0xD3C21BCECCEDA1000000"),
        ("d9a5179f091d85051d3c982785efd1455cec8699", "0xD3C21BCECCEDA1000000"),
        ("beef32ca5b9a198d27B4e02F4c70439fE60356Cf", "0xD3C21BCECCEDA1000000"),
        ("0000006916a87b82333f4245046623b23794c65c", "0x84595161401484A000000"),
        ("b21c33de1fab3fa15499c62b59fe0cc3250020d1", "0x52B7D2DCC80CD2E4000000"),
        ("10F5d45854e038071485AC9e402308cF80D2d2fE", "0x52B7D2DCC80CD2E4000000"),
        ("d7d76c58b3a519e9fA6Cc4D22dC017259BC49F1E", "0x52B7D2DCC80CD2E4000000"),
        ("799D329e5f583419167cD722962485926E338F4a", "0xDE0B6B3A7640000"),
    ]
    .into_iter()
    .map(|(address, balance)| (address.to_lowercase(), json!({"balance": balance})))
    .collect();
    let sepolia = json!({
        "config": {"chainId": 11_155_111, "londonBlock": 0}, "difficulty": "0x20000", "gasLimit": "0x1c9c380",
        "timestamp": "0x6159af19", "nonce": "0x0", "alloc": alloc,
        "extraData": hex::encode_prefixed("Sepolia, Athens, Attica, Greece!"),
    });
    assert_eq!(hash(&sepolia), "0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9");
}

/// The first network of Aura: its built-in contracts 1 to 4 hold one wei, one account has all the money.
#[test]
fn kovan_a_chain_specification_has_its_known_hash() {
    let builtin = |wei: Option<&str>| {
        let mut account = json!({"builtin": {"name": "x", "pricing": {"0": {"price": {}}}}});
        if let Some(wei) = wei {
            account["balance"] = wei.into();
        }
        account
    };
    let mut accounts: Map = (1..10).map(|n| (format!("{n:#042x}"), builtin((n < 5).then_some("0x1")))).collect();
    accounts.insert(
        "0x00521965e7bd230323c423d96c657db5b79d099f".into(),
        json!({"balance": "1606938044258990275541962092341162602522202993782792835301376"}),
    );
    let kovan = json!({
        "name": "Kovan",
        "engine": {"authorityRound": {"params": {"stepDuration": "0x4", "validators": {"list": []}}}},
        "params": {"networkID": "0x2A"},
        "genesis": {
            "seal": {"authorityRound": {"step": "0x0", "signature": format!("0x{}", "0".repeat(130))}},
            "difficulty": "0x20000", "gasLimit": "0x5B8D80",
        },
        "accounts": accounts,
    });
    assert_eq!(hash(&kovan), "0xa3c565fc15c7478862d50ccd6561e3c06b24cc509bf388941c25ea985ce32cb9");
}

/// From OpenEthereum's `xdai.json` and `poasokol.json`; the hashes are in erigon's `params` and Nethermind's tests of its
/// configurations. Sokol runs a constructor in block 0: the root of its state is what its block explorer's tests have.
#[test]
fn xdai_and_sokol_have_their_known_hashes() {
    let spec = |gas_limit: &str, root: Option<&str>| {
        let builtin = json!({"name": "x", "pricing": {"0": {"price": {}}}});
        let account = |n: u8| match n {
            0..5 => json!({"balance": "1", "builtin": builtin}),
            _ => json!({"builtin": builtin}),
        };
        let accounts: Map = (1..10).map(|n| (format!("{n:#042x}"), account(n))).collect();
        let mut spec = json!({
            "name": "x",
            "engine": {"authorityRound": {"params": {"stepDuration": 5, "validators": {"list": []}}}},
            "params": {"networkID": "100"},
            "genesis": {
                "seal": {"authorityRound": {"step": "0x0", "signature": format!("0x{}", "0".repeat(130))}},
                "difficulty": "0x20000", "gasLimit": gas_limit,
            },
            "accounts": accounts,
        });
        if let Some(root) = root {
            spec["genesis"]["stateRoot"] = root.into();
        }
        spec
    };
    let xdai = spec("0x989680", None);
    let header = header(&xdai.to_string()).unwrap();
    assert_eq!(header.state_root.to_string(), "0x40cf4430ecaa733787d1a65154a3b9efb560c95d9e324a23b97f0609b539133b");
    assert_eq!(header.hash().to_string(), "0x4f1dd23188aab3a76b463e4af801b52b1248ef073c648cbdc4c9333d3da79756");
    let root = "0xfad4af258fd11939fae0c6c6eec9d340b1caac0b0196fd9a1bc3f489c5bf00b3";
    let sokol = hash(&spec("0x663BE0", Some(root)));
    assert_eq!(sokol, "0x5b28c1bfd3a15230c9a46b399cd0f9a6920d432e85381cc6a140b06e8410112f");
}

/// The test network of xDai begins with London: its base fee stands behind the seal. From Nethermind's `chiado.json` at
/// 054b941; it runs constructors in block 0, and the root of what they leave is erigon's `ChiadoGenesisStateRoot`, as the hash
/// is its `ChiadoGenesisHash`. Of Energy Web's chains, which run constructors too, the roots are nowhere to be read.
#[test]
fn chiado_which_begins_with_london_has_its_known_hash() {
    let chiado = json!({
        "name": "chiado",
        "engine": {"authorityRound": {"params": {"stepDuration": 5, "validators": {"list": []}}}},
        "params": {"networkID": 10_200, "eip1559Transition": "0x0"},
        "genesis": {
            "seal": {"authorityRound": {"step": "0x0", "signature": format!("0x{}", "0".repeat(130))}},
            "baseFeePerGas": "0x3b9aca00", "difficulty": "0x20000", "gasLimit": "0x989680",
            "stateRoot": "0x9ec3eaf4e6188dfbdd6ade76eaa88289b57c63c9a2cde8d35291d5a29e143d31",
        },
        "accounts": {},
    });
    assert_eq!(hash(&chiado), "0xada44fd8d2ecab8b08f256af07ad3e777f17fb434f8f8e678b312f576212ba9a");
}

/// Besu's development network, whose hash Apache Tuweni's tests know too.
#[test]
fn besu_s_development_network_has_its_known_hash() {
    let besu = json!({
        "config": {"chainId": 2018, "constantinopleFixBlock": 0, "ethash": {"fixeddifficulty": 100}},
        "nonce": "0x42", "timestamp": "0x0", "gasLimit": "0x1fffffffffffff", "difficulty": "0x10000",
        "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
        "alloc": {
            "fe3b557e8fb62b89f4916b721be55ceb828dbd73": {"privateKey": "8f2a", "balance": "0xad78ebc5ac6200000"},
            "627306090abaB3A6e1400e9345bC60c78a8BEf57": {"comment": "ours", "balance": "90000000000000000000000"},
            "f17f52151EbEF6C7334FAD080c5704D77216b732": {"balance": "90000000000000000000000"},
        },
    });
    let source = Source::new("genesis.json", besu.to_string());
    let file = read::read(&source, Some(Target::BESU)).unwrap();
    let header = BlockZero::new(&file.genesis).unwrap().header(Target::BESU);
    assert_eq!(header.state_root.to_string(), "0x166ed98eea93ab2b6f6b1a425526994adc2d675bf9a0d77d600ed1e02d8f77df");
    assert_eq!(header.hash().to_string(), "0xa08d1edb37ba1c62db764ef7c2566cbe368b850f5b3762c6c24114a3fd97b87f");
}

fn common() -> Common {
    Common {
        chain_id: 46_781,
        alloc: alloc(json!({"0x0303030303030303030303030303030303030303": "5 ether"}).as_object().unwrap()).unwrap(),
        gas_limit: 30_000_000,
        timestamp: 0,
        forks: CLIQUE_FORKS.iter().map(|fork| (*fork, 0)).collect(),
        config: Map::new(),
    }
}

fn network(signers: &[u8]) -> String {
    let signers = signers.iter().map(|byte| Address::repeat_byte(*byte)).collect();
    Clique { period: 2, epoch: 30_000, signers, besu: false }.to_json(&common()).unwrap()
}

#[test]
fn the_same_network_is_the_same_bytes() {
    let text = network(&[2, 1]);
    assert_eq!(text, network(&[1, 2]));
    let header = header(&text).unwrap();
    assert_eq!(header.base_fee, Some(U256::from(hash::FIRST_BASE_FEE)));
    assert_eq!(clique::signers(&header.extra).unwrap(), [Address::repeat_byte(1), Address::repeat_byte(2)]);
}

/// The judge was `geth init` 1.13.15, followed by `geth db get 0x6800000000000000006e`.
#[test]
fn a_network_of_ours_has_the_hash_that_geth_gives_it() {
    let hash = header(&network(&[2, 1])).unwrap().hash().to_string();
    assert_eq!(hash, "0x48702a8247db730e746bccb1b131285cbeca4f627f567f5eb0538bf7cf387838");
}

#[test]
fn one_file_has_another_hash_for_a_client_that_does_not_know_its_forks() {
    let text = network(&[1]);
    let source = Source::new("genesis.json", text);
    let file = read::read(&source, None).unwrap();
    let block = BlockZero::new(&file.genesis).unwrap();
    let old = block.header(Target::Geth(Version(1, 9, 25)));
    assert_eq!(old.base_fee, None);
    let ages = block.ages();
    assert_eq!(ages.len(), 2);
    assert_eq!((ages[0].before, ages[1].since), (Some(Version(1, 10, 4)), Version(1, 10, 4)));
    assert_eq!(ages[0].hash, old.hash());
    assert_eq!(ages[0].without, [forks::Fork::London]);
}

#[test]
fn what_does_not_follow_from_the_file_is_not_guessed() {
    let autonity =
        json!({"config": {"chainId": 1, "autonity": {}}, "gasLimit": "0x1", "difficulty": "0x0", "alloc": {}});
    assert!(header(&autonity.to_string()).unwrap_err().message.contains("does not follow from the file"));
    let contract = json!({
        "engine": {"authorityRound": {"params": {}}}, "params": {"networkID": 5},
        "genesis": {"difficulty": "0x20000", "gasLimit": "0x1"},
        "accounts": {"0x0000000000000000000000000000000000000005": {"balance": "1", "constructor": "0x6080"}},
    });
    assert!(header(&contract.to_string()).unwrap_err().message.contains("constructor"));
}

#[test]
fn a_genesis_that_cannot_be_read_says_where() {
    let failure = header("{\"config\": {},\n \"alloc\": {\"12\": {}}}").unwrap_err();
    assert_eq!(
        failure.message,
        "line 1, column 1: this genesis has no `gasLimit`, and no client starts without one, and 2 more"
    );
    assert!(header("no").is_err() && header("[]").is_err());
}
