//! A node's command line in the words of its version, from options by today's names.

use super::geth_flags::HARMLESS;
use super::{Client, Topic, Version};
use crate::base::diagnostic::did_you_mean;
use crate::base::{Failure, Map, Value, failure::Result};

/// The flags, one text each: `--http.addr 10.0.0.1`. Options are flags by today's names without dashes; `true` is a flag
/// without a value, a list is joined with commas, `false` and `null` leave the flag out.
///
/// A flag that the version does not have is a failure, unless it can be left out without harm.
pub fn line(client: &Client, version: Version, options: &Map) -> Result<Vec<String>> {
    let mut flags = Vec::new();
    for (name, value) in options {
        let value = match value {
            Value::Null | Value::Bool(false) => continue,
            Value::Bool(true) => None,
            Value::Array(items) => Some(items.iter().map(text).collect::<Vec<_>>().join(",")),
            other => Some(text(other)),
        };
        if let Some(row) = client.row(version, Topic::Flag, name) {
            flags.push(value.map_or_else(|| row.says.to_owned(), |value| format!("{} {value}", row.says)));
        } else if !HARMLESS.iter().any(|(harmless, _)| harmless == name) {
            return Err(missing(client, version, name).with("option", serde_json::json!(["options", name])));
        }
    }
    Ok(flags)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn missing(client: &Client, version: Version, name: &str) -> Failure {
    if let Some(row) = client.all().filter(|row| row.topic == Topic::Flag && row.name == name).last() {
        return Failure::new(format!("{} {version} has no `{}`: it is known {}", client.name, row.says, row.span));
    }
    // Somebody writes what another age called it.
    let dashed = format!("--{name}");
    if let Some(row) = client.all().find(|row| row.topic == Topic::Flag && row.says == dashed) {
        return Failure::new(format!("`{name}` is what {} called `{}` {}", client.name, row.name, row.span))
            .help(format!("write `{}`: each version gets it in its own words", row.name));
    }
    let names = client.all().filter(|row| row.topic == Topic::Flag).map(|row| row.name);
    let failure = Failure::new(format!("no flag `--{name}` of {} is known", client.name));
    failure.help(did_you_mean(name, names).map_or_else(
        || format!("`chainwright client explain {} {version}` lists the flags", client.name),
        |near| format!("did you mean `{near}`?"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn geth(version: &str, options: &Value) -> Result<Vec<String>> {
        line(Client::geth(), version.parse().unwrap(), options.as_object().unwrap())
    }

    #[test]
    fn one_wish_is_written_as_each_version_calls_it() {
        let wish = json!({"http": true, "http.addr": "10.0.0.1", "http.api": ["eth", "net"], "nodiscover": false});
        assert_eq!(geth("1.9.13", &wish).unwrap(), ["--rpc", "--rpcaddr 10.0.0.1", "--rpcapi eth,net"]);
        assert_eq!(geth("1.9.25", &wish).unwrap(), ["--http", "--http.addr 10.0.0.1", "--http.api eth,net"]);
    }

    #[test]
    fn what_a_version_does_not_need_is_left_out() {
        let wish = json!({"authrpc.addr": "127.0.0.1", "nousb": true, "mine": true});
        assert_eq!(geth("1.9.25", &wish).unwrap(), ["--nousb", "--mine"]);
        assert_eq!(geth("1.13.15", &wish).unwrap(), ["--authrpc.addr 127.0.0.1", "--mine"]);
    }

    #[test]
    fn every_age_has_its_own_words_for_pools_logs_and_prices() {
        let wish = json!({"txpool.globalslots": 100, "log.vmodule": "eth/*=5", "gpo.blocks": 2, "light.maxpeers": 3,
            "pprof.cpuprofile": "cpu"});
        let old =
            ["--txpool.globalslots 100", "--vmodule eth/*=5", "--gpoblocks 2", "--lightpeers 3", "--cpuprofile cpu"];
        assert_eq!(geth("1.8.27", &wish).unwrap(), old);
        let new = [
            "--txpool.globalslots 100",
            "--log.vmodule eth/*=5",
            "--gpo.blocks 2",
            "--light.maxpeers 3",
            "--pprof.cpuprofile cpu",
        ];
        assert_eq!(geth("1.13.15", &wish).unwrap(), new);
    }

    #[test]
    fn besu_had_another_word_for_who_may_ask() {
        let wish = json!({"host-allowlist": ["one", "two"]});
        let besu = |version: &str| {
            line(super::super::find("besu").unwrap(), version.parse().unwrap(), wish.as_object().unwrap()).unwrap()
        };
        assert_eq!(besu("1.4.6"), ["--host-whitelist one,two"]);
        assert_eq!(besu("1.5.0"), ["--host-allowlist one,two"]);
        let options = json!({"miner-enabled": true});
        let failure =
            line(super::super::find("besu").unwrap(), "25.12.0".parse().unwrap(), options.as_object().unwrap());
        assert!(failure.unwrap_err().message.contains("it is known before 25.12.0"));
    }

    #[test]
    fn a_flag_that_is_gone_or_misspelt_is_named() {
        let failure = geth("1.17.4", &json!({"mine": true})).unwrap_err();
        assert_eq!(failure.message, "geth 1.17.4 has no `--mine`: it is known before 1.17.4");
        // One release forgot it.
        let failure = geth("1.8.24", &json!({"http.vhosts": "node"})).unwrap_err();
        assert!(failure.message.starts_with("geth 1.8.24 has no `--"), "{failure:?}");
        let failure = geth("1.13.15", &json!({"rpcapi": "eth"})).unwrap_err();
        assert_eq!(failure.help.as_deref(), Some("write `http.api`: each version gets it in its own words"));
        let failure = geth("1.13.15", &json!({"nodiscver": true})).unwrap_err();
        assert_eq!(failure.help.as_deref(), Some("did you mean `nodiscover`?"));
    }
}
