//! `chainwright rpc-filter`: what it does not take.

use crate::project::Project;

#[test]
fn settings_that_cannot_be_served_are_refused_with_what_to_write() {
    let check = |arguments: &[&str]| Project::new().chainwright(&[&["rpc-filter", "--check"], arguments].concat());
    check(&[]).code(0);
    check(&["--allow", "eth_call,debug_traceTransaction", "--ws", "127.0.0.1:8546"]).code(0);
    for (arguments, code, words) in [
        (["--allow", "eht_*"], 1, ["no client has a namespace `eht`", "did you mean `eth_*`?"]),
        (["--allow", "debug_*"], 1, ["offers more than it says", "one by one"]),
        (["--allow", "eth_call,miner_stop"], 1, ["commands the node", "leave it out"]),
        (["--allow", ""], 1, ["is not a method", "eth_call"]),
        (["--listen", "127.0.0.1:8545"], 1, ["cannot be the node's address", "--listen"]),
        (["--listen", "8580"], 5, ["--listen", "invalid socket address"]),
        (["--http", "http://127.0.0.1:8545"], 5, ["--http", "invalid socket address"]),
        (["--max-message", "10"], 5, ["--max-message", "1000"]),
        (["--max-batch", "0"], 5, ["--max-batch", "1..=1000"]),
        (["--ws-rate", "0"], 5, ["--ws-rate", "0"]),
    ] {
        let mut ran = check(&arguments).code(code);
        for word in words {
            ran = ran.says(word);
        }
    }
    check(&["--listen", "0.0.0.0:8580"]).code(0).says("without TLS");
}
