//! The judge of `genesis hash` is geth itself: four versions make block 0 of the same files.
//!
//! Needs Go and no hosts: `tests/lab/geth VERSION` builds each version once for a machine.

mod judge;
mod random;

use chainwright::base::Source;
use chainwright::chain::client::Version;
use chainwright::chain::genesis::forks::Target;
use chainwright::chain::genesis::{BlockZero, read};
use judge::Geth;

const OLD: Version = Version(1, 9, 25);
const LONDON: Version = Version(1, 10, 26);
const LAST_CLIQUE: Version = Version(1, 13, 15);
const NEW: Version = Version(1, 17, 4);

/// Random files for each version; more with `GENESIS_CASES=100`.
fn cases() -> usize {
    std::env::var("GENESIS_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(6)
}

/// What this program says that `version` makes of a file.
fn ours(text: &str, version: Version) -> String {
    let source = Source::new("genesis.json", text);
    let file =
        read::read(&source, Some(Target::Geth(version))).unwrap_or_else(|mistakes| panic!("{mistakes:?}\n{text}"));
    assert!(file.mistakes.is_empty(), "{:?}\n{text}", file.mistakes);
    BlockZero::new(&file.genesis).expect("a hash").header(Target::Geth(version)).hash().to_string()
}

fn random_files_agree(version: Version) {
    let geth = Geth::of(version);
    for (number, text) in random::files(version, cases()).into_iter().enumerate() {
        let theirs = geth.hash_of_block_0(&text);
        assert_eq!(ours(&text, version), theirs, "file {number} for geth {version}:\n{text}");
    }
}

#[test]
fn random_files_have_the_hash_that_geth_1_9_25_gives_them() {
    random_files_agree(OLD);
}

#[test]
fn random_files_have_the_hash_that_geth_1_10_26_gives_them() {
    random_files_agree(LONDON);
}

#[test]
fn random_files_have_the_hash_that_geth_1_13_15_gives_them() {
    random_files_agree(LAST_CLIQUE);
}

#[test]
fn random_files_have_the_hash_that_geth_1_17_4_gives_them() {
    random_files_agree(NEW);
}

#[test]
fn public_networks_have_their_known_hashes() {
    for (version, network, hash) in [
        (LAST_CLIQUE, "mainnet", "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"),
        (LAST_CLIQUE, "sepolia", "0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9"),
        (LAST_CLIQUE, "goerli", "0xbf7e331f7f7c1dd2e05159666b3bf8bc7a8a3a9eb1d518969eab529dd9b88c1a"),
        (LONDON, "rinkeby", "0x6341fd3daf94b748c72ced5a5b26028f2474f5f00d824504e4fa37a75767e177"),
        (NEW, "holesky", "0xb5f7f912443c940f21fd611f12828d75b534364ed9e95ca4e307729a4661bde4"),
        (NEW, "hoodi", "0xbbe312868b376a3001692a646dd2d7d1e4406380dfd86b98aa8a34d1557c971b"),
    ] {
        assert_eq!(ours(&Geth::of(version).dump_genesis(network), version), hash, "{network}");
    }
}

/// London at block 0: geth 1.9.25 does not know it, and computes another block 0 from the same bytes.
#[test]
fn one_file_is_two_networks_for_clients_of_different_age() {
    let text = random::clique_with_london();
    let (old, young) = (Geth::of(OLD).hash_of_block_0(&text), Geth::of(LAST_CLIQUE).hash_of_block_0(&text));
    assert_ne!(old, young);
    assert_eq!((ours(&text, OLD), ours(&text, LAST_CLIQUE)), (old, young));
}

/// What `check` calls an error of notation, geth refuses; what it lets pass, geth takes.
#[test]
fn geth_refuses_what_check_says_that_it_refuses() {
    use chainwright::chain::genesis::check::check;
    let good = random::clique_with_london();
    let unquoted = good.replace("\"0x1c9c380\"", "30000000");
    let quoted = good.replace("\"berlinBlock\": 0", "\"berlinBlock\": \"0x0\"");
    let hole = good.replace("\"berlinBlock\": 0,", "");
    let bare = good.replace("\"extraData\": \"0x", "\"extraData\": \"");
    let unsigned = good.replace(&"01".repeat(20), "");
    let short = good.replace(&"0".repeat(64 + 2 * 32), "00");
    for (version, text) in [
        (LONDON, &good),
        (LAST_CLIQUE, &good),
        (LAST_CLIQUE, &unquoted),
        (LONDON, &unquoted),
        (LAST_CLIQUE, &quoted),
        (LAST_CLIQUE, &hole),
        (LAST_CLIQUE, &bare),
        (LAST_CLIQUE, &unsigned),
        (LAST_CLIQUE, &short),
    ] {
        let source = Source::new("genesis.json", text.as_str());
        let file = read::read(&source, Some(Target::Geth(version))).expect("a table");
        let errors = check(&file, Target::Geth(version)).iter().filter(|found| !found.warning).count();
        let refused = Geth::of(version).init(text).is_err();
        // A list without signers is taken, and never seals.
        let never_seals = text == &unsigned;
        assert_eq!(errors > 0, refused || never_seals, "geth {version}:\n{text}");
    }
}
