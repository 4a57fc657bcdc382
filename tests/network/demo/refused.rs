//! Networks that cannot work: refused with one clear message, before anything is touched.

use super::{SEALERS, left_whole, network};
use crate::run::{Run, geth_started, on, play, root, turn};

/// What a refused run must leave as it was.
fn traces() -> Vec<String> {
    let files =
        "sha256sum /opt/geth/*/* /etc/geth/* /etc/systemd/system/geth.service; ls -A /opt/geth/* /etc/geth; id geth";
    let hosts = ["sealer1", "sealer2", "sealer3", "bootnode1", "rpc1"];
    hosts.iter().map(|host| on(host, files)).chain(SEALERS.map(geth_started)).collect()
}

#[track_caller]
fn refused(arguments: &[&str], texts: &[&str]) {
    let before = traces();
    let run = play("site.yml", arguments);
    assert_eq!(run.exit, 2, "{}", run.text);
    for text in texts {
        assert!(run.text.contains(text), "`{text}` is missing: {}", run.text);
    }
    assert_eq!(before, traces(), "something was touched: {}", run.text);
}

#[test]
fn another_genesis_is_refused_with_both_hashes() {
    let _turn = turn();
    network();
    refused(
        &[
            "-e",
            r#"{"network": {"name": "demo", "chain_id": 46781, "engine": "clique", "period": 2,
        "epoch": 30000, "alloc": {}, "client": {"name": "geth", "version": "{{ geth_version }}", "sha256": "{{ geth_sha256 }}",
        "source": "{{ lab_http }}/geth/{{ geth_version }}/geth"}}}"#,
        ],
        &["is the genesis of another network: it has hash 0x", "the arguments give 0x"],
    );
    left_whole();
}

/// All hosts of the lab share one clock, so the reading of it is what is put in place of the real one.
#[test]
fn a_sealer_whose_clock_is_60_s_off_as_a_fake_reading_says_is_named() {
    let _turn = turn();
    network();
    let fake_readings = r#"{"geth_clocks": {"sealer1": 0.0, "sealer2": 0.1, "sealer3": 60.4, "rpc1": 0.0}}"#;
    let texts = ["the clock of sealer3 is 60 s ahead of the others', 5 s are allowed", "timedatectl set-ntp true"];
    refused(&["-e", fake_readings], &texts);
    let restart = play("restart.yml", &["-e", fake_readings]);
    assert_eq!(restart.exit, 2, "{}", restart.text);
    assert!(restart.text.contains(texts[0]), "{}", restart.text);
    assert!(restart.hosts_of("eth_stop").is_empty(), "{}", restart.text);
    left_whole();
}

#[test]
fn a_client_with_a_wrong_sha256_is_refused_with_both_and_the_old_one_stays() {
    let _turn = turn();
    network();
    let wrong = "1".repeat(64);
    let right = on("sealer1", "sha256sum /opt/geth/1.13.15/geth");
    let right = right.split_whitespace().next().unwrap();
    let pin = format!("geth_sha256={wrong}");
    refused(&["-e", &pin], &["has the wrong checksum", &wrong, right, "is left as it was"]);
    let from_a_file = format!("lab_http={}", root().join(".lab/http").display());
    refused(&["-e", &pin, "-e", &from_a_file], &["/geth/1.13.15/geth has sha256", &wrong, right]);
    left_whole();
}

/// Another process that listens on a port, for as long as this value lives.
struct Squatter(&'static str);

impl Squatter {
    fn on(host: &'static str, port: u16) -> Self {
        on(
            host,
            &format!(
                "systemd-run -q --collect --unit squatter perl -MIO::Socket::INET -e \
                 '@s = IO::Socket::INET->new(Listen => 1, LocalPort => {port}, ReuseAddr => 1) or die; sleep' && \
                 until ss -lnt | grep -q :{port}; do sleep 0.1; done"
            ),
        );
        Self(host)
    }
}

impl Drop for Squatter {
    fn drop(&mut self) {
        on(self.0, "systemctl stop squatter");
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_who_has_it_and_the_next_run_converges() {
    let _turn = turn();
    network();
    on("rpc1", "systemctl stop geth");
    let squatter = Squatter::on("rpc1", 30303);
    refused(
        &[],
        &["port 30303/tcp (`geth_port`) is taken by perl (process", "of user root, squatter.service)", "end it"],
    );
    drop(squatter);
    let squatter = Squatter::on("rpc1", 8551);
    refused(&[], &["port 8551/tcp (`geth_authrpc_port`) is taken by perl (process"]);
    drop(squatter);
    on("ethstats1", "systemctl stop ethstats");
    let squatter = Squatter::on("ethstats1", 3000);
    refused(&[], &["port 3000/tcp (`ethstats_port`) is taken by perl (process"]);
    drop(squatter);
    let run: Run = play("site.yml", &[]);
    assert_eq!(run.exit, 0, "{}", run.text);
    left_whole();
}
