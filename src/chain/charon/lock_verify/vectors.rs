//! Held against others: the vectors of the Distributed Validator Specifications, and clusters that people made.

use super::figures::{self, filled, suite, suite_validator};
use super::*;
use crate::base::Value;
use crate::chain::AccountKey;
use alloy_primitives::U256;
use blst::min_pk::AggregateSignature;
use serde_json::json;

/// `test_vectors/bls_threshold.json`: a key of which any three of four shares are enough, and what they signed.
const MESSAGE: &[u8] = b"distributed-validator-specs test vector";
const GROUP: &str =
    "0x84a6f81ad08d3491604f6eac59a23a8122545bbb09aa5221b0b9b3b31d4f2a802c31257dcb30a9dbc48116d5097dc99c";
const GROUP_SIGNATURE: &str = "0x801768d4f0352c5ba204ede60cfa70bc6888f71ff8f73bd27429f5a5d92d2a001db38caa59975fe729dd35c5319f9fee0792b67f912ba478a20f8f8af2b502aa934e7284d025debbaec6e3c6afea0fcd5ea0b2006135c88bf8388d43bb6af19d";
const PLAIN_AGGREGATE: &str = "0xaa87923abb4a288568e1d52053d077dcfeaf775c10260daed963c995bcc6eb82c1b25b19683800ad2af1fc0477a59d570524d1e58eb185514031f74a10408dcf7c1321bd54f59c5e2fdd3c5419adc48afaec3599f78f75e4fb9441682b56ef62";
const SECRETS: [&str; 4] = [
    "0x7113350cf92900d71d73cab886f244c12b589bfa98d2fd116e0d25265b82fedb",
    "0x2a14b99e273adba1640ac3ea6be7ab097b50c6f7e04292598513ebc615f2b4c8",
    "0x6c6d1daabbcbe076511a65f3b4a9204d03808d7d113ef8aff1520c541b1f5a8e",
    "0x5041128c63a114c57e2f00c44df2f4811c6ca7842bcb7816b2c786d26b08f02b",
];
const SHARES: [&str; 4] = [
    "0xa60fed59bf34aef87bc3936e29ed73dbb7eb1752706d5e479e96e1f40502a08d79dd0e9e81e685223bfcce53dd3f6718",
    "0x88720d6738df12cfd0446ed19381f3140f1722a72aefa7752893fbf0fda262777cf1f24bbb6bd5cbe965ca522787c918",
    "0xa6cdd5e776f805a3878ee5e7d867f4a8c94c8ecce81289b64e7f3cb55640d005559d48b5c5008f6a83dd75b228e2b9d5",
    "0xb2743d817a54a2cf4953543648556fa44620ff8fbe927c6ed229d3500095002a1a0ab99a900c16116a860225ec506282",
];

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

#[test]
fn clusters_that_people_made_are_true() {
    for cluster in [figures::V1_6, figures::V1_7] {
        assert_eq!(cluster.lock().verify(&Rules::default()), Ok(()), "{}", cluster.version);
    }
}

#[test]
fn an_operator_whose_account_is_a_contract_is_named_and_all_else_is_true() {
    let lock = figures::SAFE.lock();
    let failure = lock.verify(&Rules::default()).unwrap_err();
    let name = "the definition in the lock: operator 4 (0x4d6c432b7E2F326B4DDf524ea9E56649e5A7C298)";
    assert!(failure.message.starts_with(name), "{failure}");
    assert!(failure.to_string().contains("contract (Safe)"), "{failure}");
    assert_eq!(lock.verify_made(), Ok(()));
}

#[test]
fn several_signatures_of_one_creator_make_the_hashes_that_charon_made() {
    let lock = figures::V1_11.lock();
    assert_eq!(lock.definition.creator.config_signature.0.len(), 130);
    let (config, definition) = (lock.definition.compute_config_hash(), lock.definition.compute_definition_hash());
    assert_eq!(config.unwrap().to_string(), figures::V1_11.config_hash);
    assert_eq!(definition.unwrap().to_string(), figures::V1_11.definition_hash);
    assert_eq!(lock.verify_made(), Ok(()));
    let failure = lock.verify(&Rules { unsigned: true, ..Rules::default() }).unwrap_err();
    assert!(failure.message.contains("the creator's signature: it has 130 bytes"), "{failure}");
    // What we write is what we read.
    let text = lock.definition.to_json().unwrap();
    assert_eq!(text["creator"]["config_signature"], figures::V1_11.creator[1]);
    assert_eq!(Definition::read(&text).unwrap(), lock.definition);
}

#[test]
fn definitions_of_the_specifications_have_their_hashes() {
    let cases: [(Value, &str, &str); 5] = [
        (
            suite(
                0,
                0,
                false,
                &json!({"creator": {"address": "", "config_signature": ""}, "operators": null, "validators": null,
                "uuid": "00000000-0000-0000-0000-000000000000", "timestamp": null, "dkg_algorithm": "",
                "fork_version": "0x00000000", "consensus_protocol": ""}),
            ),
            "0x644ecd55b935e08d421dacc5f2dd9055baf01a8a657eb18f82ed03ae60a0ed1c",
            "0x7542d0f115175f0dfd51c1b941af5c99dd579cc44f627ab55a61fa0b9cf07d54",
        ),
        (
            suite(1, 1, false, &json!({"name": "signature collection"})),
            "0xad61a42a19a6eb0ae9745e187cdb77ffeea7aa8c8074e77f9316a2bd1c2ac64e",
            "0x52c387fbaee0914180f447e3a4c669d9257927f451cd8833f10d7bd25101af3d",
        ),
        (
            suite(1, 1, true, &json!({"name": "signature collection", "creator": creator()})),
            "0xad61a42a19a6eb0ae9745e187cdb77ffeea7aa8c8074e77f9316a2bd1c2ac64e",
            "0x22d967c8f542363442ac60654c25e2f8f39f41bbe1d55beb96c3a8085b1e8f22",
        ),
        (
            suite(
                3,
                2,
                true,
                &json!({"name": "three operators", "creator": creator(), "threshold": 2, "compounding": true,
                "deposit_amounts": ["1000000000", "31000000000"], "consensus_protocol": "abft",
                "target_gas_limit": 36_000_000}),
            ),
            "0x21a94ad346fb7bf4696d4488a3bbfbd73780f20ef69db76edf9aa826c076b783",
            "0xb3531e6c81f8d540b158d99c41dcfef006eabd81fdd3bcecfeac4afbf6922383",
        ),
        (
            suite(
                1,
                1,
                true,
                &json!({"name": "wide gas limit", "deposit_amounts": ["32000000000"], "consensus_protocol": "",
                "target_gas_limit": 1_u64 << 32}),
            ),
            "0x40c6bfa059224f725b078eae71aa0736af82e6e1289b39e73f3ac22d6fc8b53d",
            "0x910555584b48574754fd367ba879c0b07db319b0faf0f734306c9e41d73e5ea4",
        ),
    ];
    for (mut value, config, definition) in cases {
        value["config_hash"] = json!(config);
        let read = Definition::read(&value).unwrap();
        assert_eq!(read.compute_config_hash().unwrap().to_string(), config, "{}", read.name);
        assert_eq!(read.compute_definition_hash().unwrap().to_string(), definition, "{}", read.name);
    }
}

/// The suite's creator, who "signed".
fn creator() -> Value {
    json!({"address": format!("0x{:040x}", 0x00c0_ffee), "config_signature": filled(0x30, 65)})
}

#[test]
fn locks_of_the_specifications_have_their_hashes() {
    let made = |at: usize| {
        let deposit = json!({"pubkey": filled(0xa1 + at, 48), "withdrawal_credentials": filled(0xd1 + at, 32),
            "amount": "32000000000", "signature": filled(0xe1 + at, 96)});
        suite_validator(&filled(0xa1 + at, 48), &[&filled(0xb1 + at, 48), &filled(0xc1 + at, 48)], &json!([deposit]))
    };
    let bare = suite_validator(&filled(0xa1, 48), &[&filled(0xb1, 48), &filled(0xb2, 48)], &Value::Null);
    let cases = [
        (
            "no deposits",
            "0xda254455a838ef75d8ac9533c00ab055ca3199fd0259f6638db80da57815d0f0",
            Value::Null,
            vec![bare],
            "0x0044ddf511e99b25406d11c1898c76473e93f4d366895daf7ca1c6d9ebf44331",
        ),
        (
            "three validators",
            "0xd7c21f1b7ad689fbc11089f56ef7ee89ad68b9453ab75b52da810c50640e4642",
            json!(["32000000000"]),
            vec![made(0), made(1), made(2)],
            "0x2e5db48533646b43984fd25a2151f896329f948e8e1364b8b8e4c22442da3a4f",
        ),
    ];
    for (name, config, amounts, validators, hash) in cases {
        let more = json!({"name": name, "config_hash": config, "deposit_amounts": amounts});
        let lock = json!({"cluster_definition": suite(2, validators.len(), true, &more), "distributed_validators": validators});
        let lock = Lock::parse(&lock.to_string()).unwrap();
        assert_eq!(lock.definition.compute_config_hash().unwrap().to_string(), config);
        assert_eq!(lock.compute_lock_hash().unwrap().to_string(), hash, "{name}");
    }
}

/// `real_keys_3_of_4`: nodes and shares are real; the deposit and what builders are told are not.
fn real_keys() -> Lock {
    let deposit = json!({"pubkey": GROUP, "amount": "32000000000", "signature": filled(0x55, 96),
        "withdrawal_credentials": "0x010000000000000000000000000000000000000000000000000000000000dead"});
    let more = json!({"name": "real keys", "creator": creator(), "threshold": 3, "deposit_amounts": ["32000000000"],
        "config_hash": "0x3bead12c9c4818e31889a7f4f6a744d4f2550976c81db9c4b364f499a46ec05e"});
    let lock = json!({
        "cluster_definition": suite(4, 1, true, &more),
        "distributed_validators": [suite_validator(GROUP, &SHARES, &json!([deposit]))],
        "signature_aggregate": "0xb1e98dfe0c4b6009b4e2f0ae50431df5f154eabf3181e5a389c9543be4ea9abf0f762955799ed515c064d64f64d23a210ae10a5408923373e2a8d1f416a9ab5f39a159c4f7f2ee1ee8e55d89bfbaf9329fdc3a0512c758793c7c4ce0b12426c8",
        "lock_hash": "0xbea9a6627a8723a4038de4cb74b0e8b6b2e855a5023f6f79f2e41e067d7db9ee",
        "node_signatures": [
            "0x29d23e758587dbbf33a18cd9f532947c0b9f62ced9300eff0a21c9f23e8129a26161e98d1966f6f69a8932475f76d511be9b27934181268cd2173cfc94751d8300",
            "0x7a90169062106c1be6651b32919a0bb5e7a906df471ed2e3331575160fccd51a6bf7d2f82e803278de271afa0e7f79e336707da325747f6445190fb652674e9700",
            "0x74d9e1515f8944092a718d44aa740139e6b3869e841e2d2ebeee5b89a903299e302aa76763cfd90b3178ecf0cc1aa713ba1ebdc4b49513ef3bc75b6dcf74602901",
            "0x32c666c5eeb1ba5ac8f9f5d531d0b8e7f94760e961566c0e28b31dec0018efcc24eae18e7c749ea2e533e8375840a134a54a54f179a09d4810d90010a60a463000",
        ],
    });
    Lock::parse(&lock.to_string()).unwrap()
}

#[test]
fn nodes_and_shares_of_the_specifications_signed_their_lock() {
    let lock = real_keys();
    let hash = lock.compute_lock_hash().unwrap();
    assert_eq!(hash.as_slice(), lock.lock_hash.0);
    let definition = "0xcb0fe68e52d1c4a8156c49b8563c694b6a5b43fb8d4e543afb1add6a6c053c15";
    assert_eq!(lock.definition.compute_definition_hash().unwrap().to_string(), definition);
    assert_eq!(lock.verify_nodes(hash, Version::V1_10), Ok(()));
    let shares = lock.validators[0].verify_shares(&lock.definition).unwrap();
    assert!(bls::signed(&hash.0, &lock.signature_aggregate.0, &shares));
    let why = lock.verify_made().unwrap_err().message;
    assert!(why.starts_with("validator 1: the stake of a deposit does not go back to"), "{why}");
}

#[test]
fn keys_shares_and_aggregates_of_the_specifications_are_ours() {
    let small = "a4e8f4a4f81f855f46512af8cdcbc9ae8a7eb395a75f135e5569b758a8d92349681a0358500f2d41f4578d3f7ffaa90f";
    assert_eq!(hex::encode(bls::public_of(&U256::from(0x42).to_be_bytes::<32>()).unwrap()), small);
    for (secret, share) in SECRETS.iter().zip(SHARES) {
        assert_eq!(bls::public_of(&bytes(secret)).unwrap()[..], bytes(share));
    }
    let keys: Vec<PublicKey> = SHARES.iter().map(|share| bls::public_key(&bytes(share)).unwrap()).collect();
    let group = bls::public_key(&bytes(GROUP)).unwrap();
    for quorum in [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]] {
        let shares = quorum.map(|at| (at as u64 + 1, keys[at]));
        assert_eq!(bls::combine(&shares)[..], bytes(GROUP));
    }
    assert!(bls::signed(MESSAGE, &bytes(GROUP_SIGNATURE), &[group]));
    // The plain aggregate is what a lock carries: of all shares, and not of the group.
    let aggregate = bytes(PLAIN_AGGREGATE);
    assert!(bls::signed(MESSAGE, &aggregate, &keys) && !bls::signed(MESSAGE, &aggregate, &[group]));
    let each =
        SECRETS.map(|secret| bls::tests::sign(&blst::min_pk::SecretKey::from_bytes(&bytes(secret)).unwrap(), MESSAGE));
    let all = AggregateSignature::aggregate(&each.each_ref(), true).unwrap().to_signature();
    assert_eq!(all.to_bytes()[..], aggregate);
}

#[test]
fn signatures_of_the_specifications_are_ours_bit_by_bit() {
    // `test_vectors/secp256k1_signatures.json`.
    let key = AccountKey::from_hex("4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d").unwrap();
    for (hash, signature) in [
        (
            "0x3a08c29e25a343e6e5a15c629a9b8ffa4f2b39294544f4ccea75dfe659e77f60",
            "0xb837444477501e41f9ef0a8aa90e949c813ffe654d03769c15d8d6f84a160da155c6001e7ba0871d93cfcfb8ac20532dad8eaab35b960fc2d8f89b0c2840dc5d00",
        ),
        (
            "0x0000000000000000000000000000000000000000000000000000000000000000",
            "0x8d5afa353751d581b45c9b94d2cc57d1856b2da7648619bbdab4bc573cbb78ce3f94d958a7afd097b40ce2311b85a9edfd25b385ce6a7f79625faf0c1723c0bd00",
        ),
    ] {
        let (hash, signature): (B256, _) = (hash.parse().unwrap(), bytes(signature));
        let public = recover(hash, &signature).unwrap();
        assert_eq!(hex::encode(public), key.node().public_key());
        assert!(hex::encode(public).starts_with("e68acfc0253a10620dff706b0a1b1f1f5833ea3beb3bde2250d5f271f3563606"));
        let mut ours = key.sign(hash).unwrap();
        ours[64] -= 27;
        assert_eq!(ours[..], signature);
    }
}
