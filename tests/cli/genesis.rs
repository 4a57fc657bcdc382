//! `chainwright genesis`: what a user types, and what the screen then says.

use crate::project::{Project, Ran};

const SIGNERS: [&str; 3] = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
];
/// What geth 1.13.15 says of the network below.
const HASH: &str = "0x7597a2717b3821eea19a7061e0a1e9840c80cf11067e67526880f51810edbd43";

fn build(project: &Project, more: &[&str]) -> Ran {
    let mut words = vec!["genesis", "build", "--chain-id", "46781", "--alloc"];
    words.push("0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB=1000 ether");
    words.extend(SIGNERS.iter().flat_map(|signer| ["--signer", signer]));
    words.extend(more);
    project.chainwright(&words)
}

/// A folder with `genesis.json` in it.
fn network() -> Project {
    let project = Project::new();
    build(&project, &["-o", "genesis.json"]).code(0).says(HASH);
    project
}

#[test]
fn a_genesis_is_built_hashed_and_found_sound() {
    let project = network();
    let hashed = project.chainwright(&["genesis", "hash", "genesis.json"]).code(0);
    assert_eq!(hashed.out, format!("{HASH}\n"));
    let hashed =
        hashed.says("the hash depends on the version of geth").says("geth before 1.10.4").says("without London");
    let old =
        project.chainwright(&["genesis", "hash", "genesis.json", "--client", "geth", "--version", "1.9.25"]).code(0);
    assert_ne!(old.out, hashed.out);
    assert_eq!(old.err, "");
    project.chainwright(&["genesis", "check", "genesis.json"]).code(0).says("nothing is wrong for geth 1.13.15");
}

#[test]
fn a_file_that_is_there_is_not_overwritten() {
    let project = network();
    build(&project, &["-o", "genesis.json"]).code(0);
    build(&project, &["-o", "genesis.json", "--period", "9"]).code(1).says("is there already, with another genesis");
    project.chainwright(&["genesis", "hash", "genesis.json"]).says(HASH);
}

#[test]
fn the_options_of_the_module_may_stand_in_a_file() {
    let options = format!(
        "chain_id: 46781\nengine: qbft\nperiod: 2\nvalidators: [\"{}\", \"{}\", \"{}\", \"0x0101010101010101010101010101010101010101\"]\n\
         alloc: {{\"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB\": 5 ether}}\nconfig: {{zeroBaseFee: true}}\n",
        SIGNERS[0], SIGNERS[1], SIGNERS[2]
    );
    let project = Project::new().file("network.yml", &options);
    let built = project.chainwright(&["genesis", "build", "--from", "network.yml", "-o", "qbft.json"]).code(0);
    built.says("hash of block 0: 0x");
    project.chainwright(&["genesis", "check", "qbft.json"]).code(0).says("nothing is wrong for Besu");
    project
        .chainwright(&["genesis", "explain", "qbft.json"])
        .code(0)
        .says("QBFT, a block every 2 s")
        .says("3 of 4 must be live");
    let project = project.file("bad.yml", "chain_id: 5\nengin: qbft\n");
    project.chainwright(&["genesis", "build", "--from", "bad.yml"]).code(1).says("did you mean `engine`?");
}

#[test]
fn every_engine_is_built_from_the_command_line() {
    let project = Project::new();
    for engine in ["clique", "qbft", "ibft2", "istanbul", "aura"] {
        let file = format!("{engine}.json");
        let wrong = if engine == "aura" { "geth" } else { "openethereum" };
        build(&project, &["--engine", engine, "-o", &file]).code(0).says("hash of block 0: 0x");
        project.chainwright(&["genesis", "check", &file]).code(0).says("nothing is wrong");
        project.chainwright(&["genesis", "explain", &file]).code(0).says("1000 ether");
        project.chainwright(&["genesis", "hash", &file, "--client", wrong]).code(1).says("does not read this file");
    }
    let words = ["genesis", "build", "--engine", "ethereum", "--chain-id", "46781"];
    let built = project.chainwright(&words).code(0);
    built.says("\"pragueTime\": 0").says("\"blobSchedule\"");
}

#[test]
fn a_client_that_is_too_old_is_told_with_line_and_remedy() {
    let project = network();
    let words = ["genesis", "check", "genesis.json", "--client", "geth", "--version", "1.9.25"];
    let checked = project.chainwright(&words).code(1);
    checked
        .says("genesis.json:13:")
        .says("\"londonBlock\": 0")
        .says("use geth 1.10.4 or later")
        .says("2 errors, 0 warnings");
}

#[test]
fn a_version_makes_a_difference_for_every_client_or_it_is_said() {
    let project = Project::new();
    build(&project, &["--engine", "qbft", "-o", "qbft.json"]).code(0);
    build(&project, &["--engine", "aura", "-o", "aura.json"]).code(0);
    let check = |file: &str, client: &str, version: &str| {
        project.chainwright(&["genesis", "check", file, "--client", client, "--version", version])
    };
    check("qbft.json", "besu", "21.1.2")
        .code(1)
        .says("use Besu 21.7.0 or later")
        .says("note: of Besu's versions only this makes a difference here");
    check("qbft.json", "besu", "25.1.0").code(0).says("nothing is wrong for Besu 25.1.0");
    check("aura.json", "openethereum", "2.5.13").code(1).says("OpenEthereum 2.5.13 does not know Berlin");
    check("aura.json", "nethermind", "1.25.0").code(0).says("only this makes a difference here: Berlin comes");
}

#[test]
fn besu_s_and_geth_s_clique_are_one_network() {
    let project = Project::new();
    build(&project, &["-o", "geth.json"]).code(0);
    build(&project, &["--client", "besu", "-o", "besu.json"]).code(0);
    project.chainwright(&["genesis", "diff", "geth.json", "besu.json"]).code(0).says("one network: the same meaning");
}

#[test]
fn all_problems_come_together_each_with_its_place() {
    let text = std::fs::read_to_string(network().path().join("genesis.json")).expect("a file");
    let text = text
        .replace("\"berlinBlock\": 0,", "\"berlinBlok\": 0,")
        .replace("\"gasLimit\": \"0x1c9c380\"", "\"gasLimit\": \"0x100\"");
    let text =
        text.replace("\"dbf03b407c01e7cd3cbea99509d93f8dddc8c6fb\"", "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6Fb");
    let project = Project::new().file("genesis.json", &text);
    let checked = project.chainwright(&["genesis", "check", "genesis.json"]).code(1);
    checked.in_order(&[
        "did you mean `berlinBlock`?",
        "stands without `berlinBlock`",
        "the gas limit is 256",
        "without quotes",
        "checksum of this address is wrong",
        "5 errors",
    ]);
}

#[test]
fn a_warning_is_an_error_only_where_it_shall_be() {
    let project = Project::new();
    build(&project, &["--chain-id", "1", "-o", "genesis.json"]).code(5);
    let text = build(&project, &[]).out.replace("46781", "1337");
    let project = project.file("genesis.json", &text);
    project.chainwright(&["genesis", "check", "genesis.json"]).code(0).says("everybody's development network");
    project.chainwright(&["genesis", "check", "--strict", "genesis.json"]).code(1).says("0 errors, 1 warning");
}

#[test]
fn files_are_compared_by_meaning() {
    let project = network();
    let text = std::fs::read_to_string(project.path().join("genesis.json")).expect("a file");
    let project = project
        .file("same.json", &text.replace("\"0x1c9c380\"", "30000000").replace("chainId", "chainID"))
        .file("later.json", &text.replace("\"berlinBlock\": 0", "\"berlinBlock\": 100"))
        .file("other.json", &text.replace("\"0x1c9c380\"", "\"0x1c9c381\""));
    let diff = |other: &str| project.chainwright(&["genesis", "diff", "genesis.json", other]);
    diff("same.json").code(0).says("one network: the same meaning");
    diff("later.json")
        .code(1)
        .says("splits the chain:")
        .says("Berlin: block 0 -> block 100")
        .says("fork id at block 0");
    diff("other.json")
        .code(1)
        .says("changes the hash of block 0:")
        .says("gas limit: 30000000 -> 30000001")
        .says("two networks");
    diff("nowhere.json").code(2).says("cannot be read");
}

#[test]
fn machines_get_json() {
    let project = network();
    let ask = |words: &[&str], code: i32| -> serde_json::Value {
        let ran = project.chainwright(&[&["genesis"], words, &["--json"]].concat()).code(code);
        assert_eq!(ran.err, "");
        serde_json::from_str(&ran.out).expect("JSON")
    };
    let hashed = ask(&["hash", "genesis.json"], 0);
    assert_eq!((hashed["hash"].as_str(), hashed["geth"][0]["without"][0].as_str()), (Some(HASH), Some("londonBlock")));
    let found = ask(&["check", "genesis.json", "--client", "geth", "--version", "1.10.0"], 1);
    assert_eq!((found[0]["line"].as_u64(), found[0]["severity"].as_str()), (Some(13), Some("error")));
    assert_eq!(ask(&["check", "genesis.json"], 0), serde_json::json!([]));
    assert_eq!(ask(&["diff", "genesis.json", "genesis.json"], 0)["same"], true);
}

#[test]
fn bad_input_is_one_clear_error() {
    let project = network().file("broken.json", "{\"alloc\": {").file("list.json", "[]").file("binary.json", "x");
    std::fs::write(project.path().join("binary.json"), [0xff, 0xfe, 0]).expect("a file");
    project
        .chainwright(&["genesis", "hash", "broken.json"])
        .code(1)
        .says("broken.json:1:11")
        .says("this table has no end");
    project.chainwright(&["genesis", "check", "broken.json"]).code(1).says("this table has no end");
    project.chainwright(&["genesis", "explain", "list.json"]).code(1).says("this is a list, not a genesis");
    project.chainwright(&["genesis", "check", "binary.json"]).code(2).says("is not UTF-8 text");
    project.chainwright(&["genesis", "check", "genesis.json", "--client", "gth"]).code(2).says("did you mean `geth`?");
    project
        .chainwright(&["genesis", "check", "genesis.json", "--client", "geth", "--version", "new"])
        .code(2)
        .says("is not a version");
    project.chainwright(&["genesis", "check", "genesis.json", "--version", "1.13.15"]).code(5).says("--client");
    build(&project, &["--fork", "londonBlock"]).code(1).says("has no `=`");
    build(&project, &["--engine", "qbtf"]).code(1).says("did you mean `qbft`?");
    project.chainwright(&["genesis", "build"]).code(1).says("there is no chain id");
    project.chainwright(&["genesis", "build", "--chain-id", "5"]).code(1).says("no signers");
}

#[test]
fn a_hash_that_does_not_follow_from_the_file_is_not_guessed() {
    let file = "{\"config\": {\"chainId\": 5, \"autonity\": {}}, \"gasLimit\": \"0x1c9c380\", \"difficulty\": \"0x0\", \"alloc\": {}}";
    let project = Project::new().file("autonity.json", file);
    let hashed = project.chainwright(&["genesis", "hash", "autonity.json"]).code(1);
    assert_eq!(hashed.out, "");
    hashed.says("deploys its contracts").says("eth_getBlockByNumber");
    project.chainwright(&["genesis", "explain", "autonity.json"]).code(0).says("Autonity's Tendermint");
}

#[test]
fn a_genesis_may_come_from_standard_input() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let text = build(&Project::new(), &[]).out;
    let mut child = Command::new(env!("CARGO_BIN_EXE_chainwright"))
        .args(["genesis", "hash", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chainwright runs");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("written");
    let ended = child.wait_with_output().expect("an end");
    assert_eq!(String::from_utf8_lossy(&ended.stdout), format!("{HASH}\n"));
}
