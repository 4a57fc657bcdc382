//! `eth_client`: what a client version makes of what is wanted of it, or why it cannot be.

use super::loose::{Flag, Text, Words};
use super::{Controller, Cx, Module, Reach, Result};
use crate::base::{Failure, Map, Value};
use crate::chain::client::{self, Client, StaticPeers, Version, command, metrics, upgrade, wish::Wish};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Says how a node of this client and version is run: its command line in the words of that version, where it reads its
/// static peers, which protocol versions it speaks. No host is contacted.
///
/// What the version cannot do is refused, all of it together, each with its place in the inventory: an engine that it does
/// not seal with, a fork that it does not know, an unlocked account behind HTTP, a namespace or flag that does not exist, a name
/// where it takes only addresses. `chainwright client explain geth 1.13.15` shows the table that this rests on.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthClient {
    /// The client. Command lines are known of geth.
    #[serde(default = "geth")]
    pub name: Text,
    /// Its version, `1.13.15`.
    pub version: Text,
    /// The consensus engine that it shall seal with, or follow.
    #[serde(default)]
    pub engine: Option<Text>,
    /// Forks as in `eth_genesis`. Those that it leaves out begin with block 0, up to London (Aura: Berlin); `null` is never.
    #[serde(default)]
    pub forks: Option<Map>,
    /// Flags by today's names without dashes: `{http: true, http.addr: 10.0.0.1, http.api: [eth, net]}`. `true` is a flag without a
    /// value, a list is joined with commas, `false` and nothing leave the flag out.
    #[serde(default)]
    pub options: Option<Map>,
    /// What it tells of itself, and to whom: `prometheus: {address, port}` to be asked, `influxdb: {endpoint, database, username,
    /// password, tags}` or `influxdb_v2: {endpoint, organization, bucket, token, tags}` to send to. `host` is its tag there. Password and
    /// token are looked at and not returned: they belong into the environment variable that `metrics.secret` names.
    #[serde(default)]
    pub metrics: Option<Map>,
    /// More flags, as they are: nobody checks them.
    #[serde(default)]
    pub extra: Words,
    /// Where nodes are reached: what enodes will hold.
    #[serde(default)]
    pub addresses: Words,
    /// Where static peers must stand: `json` (static-nodes.json) or `config`. Default: where the version reads them.
    #[serde(default)]
    pub static_peers: Option<Text>,
    /// The chain exists already: forks are not looked at.
    #[serde(default)]
    pub existing: Flag,
}

/// What a genesis has from block 0 on unless told otherwise, of the forks that some version of the table does not know. With Aura
/// Berlin is the last of them.
const USUAL_FORKS: &[&str] = &["constantinopleBlock", "petersburgBlock", "istanbulBlock", "berlinBlock", "londonBlock"];

fn geth() -> Text {
    Text("geth".into())
}

/// What `eth_client` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    /// The client's name.
    name: &'static str,
    /// Its version.
    version: String,
    /// The command line's flags, one text each.
    flags: Vec<String>,
    /// Where it reads its static peers: `static-nodes.json`, or `config`.
    static_peers: &'static str,
    /// Which versions of the protocol between nodes it speaks.
    wires: Vec<&'static str>,
    /// Where it tells of itself.
    metrics: MetricsOutput,
}

/// Where a node tells of itself.
#[derive(Debug, Serialize)]
pub struct MetricsOutput {
    /// The port at which Prometheus may ask; null if it may not.
    port: Option<u16>,
    /// Where Prometheus asks on the node's own host: a URL.
    url: Option<String>,
    /// Where Prometheus asks from other hosts, `ADDRESS:PORT`; null if it listens on its own host only.
    target: Option<String>,
    /// The environment variable of geth that must hold the password or token; null if there is none.
    secret: Option<&'static str>,
}

impl Module for EthClient {
    const NAME: &'static str = "eth_client";
    const EXAMPLE: &'static str = "\
- eth_client:
    name: geth
    version: 1.13.15
    engine: clique
    options:
      networkid: 46781
      nodiscover: true
      http: true
      http.api: [eth, net, web3]
  register: geth_client";
    const REACH: Reach = Reach::Controller;
    type Output = Output;

    fn prepare(self, controller: &dyn Controller) -> Result<Self> {
        match self.refused(|option| controller.place(option))? {
            None => Ok(self),
            Some(failure) => Err(failure),
        }
    }

    fn run(&self, _: &mut Cx) -> Result<Output> {
        if let Some(failure) = self.refused(|_| None)? {
            return Err(failure);
        }
        let client = client::find(&self.name.0)?;
        let version: Version = self.version.0.parse()?;
        let (metrics, _) = self.metrics(client, version);
        let mut flags = command::line(client, version, &self.options(&metrics))?;
        flags.extend(self.extra.0.iter().cloned());
        let static_peers = match version.static_peers() {
            StaticPeers::Json => "static-nodes.json",
            StaticPeers::Config => "config",
        };
        let wires = upgrade::wires(client, version);
        let metrics = self.told(&metrics);
        Ok(Output { name: client.name, version: version.to_string(), flags, static_peers, wires, metrics })
    }
}

impl EthClient {
    /// Everything that cannot be, in one failure.
    fn refused(&self, place: impl Fn(&[&str]) -> Option<String>) -> Result<Option<Failure>> {
        // What nobody wrote is wanted by default: then it is the version that does not fit.
        let at = |option: &[&str], failure: Failure| match place(option).or_else(|| place(&["version"])) {
            Some(place) => failure.context(place),
            None => failure,
        };
        let client = client::find(&self.name.0).map_err(|failure| at(&["name"], failure))?;
        let version: Version = self.version.0.parse().map_err(|failure| at(&["version"], failure))?;
        client.check(version).map_err(|failure| at(&["version"], failure))?;
        let wanted = self.static_peers.as_ref().map(|form| form.0.parse::<StaticPeers>());
        let static_peers = wanted.transpose().map_err(|failure| at(&["static_peers"], failure))?;
        let forks = self.forks();
        let (metrics, mut cannot) = self.metrics(client, version);
        let options = self.options(&metrics);
        let wish = Wish {
            engine: self.engine.as_ref().map(|engine| engine.0.as_str()),
            forks: forks.as_ref().filter(|_| !self.existing.0),
            options: Some(&options),
            addresses: &self.addresses.0,
            static_peers,
        };
        cannot.extend(wish.refused(client, version));
        let refused: Vec<Failure> = cannot
            .into_iter()
            .map(|failure| {
                let option = failure.output.get("option").and_then(Value::as_array).cloned().unwrap_or_default();
                let option: Vec<&str> = option.iter().filter_map(Value::as_str).collect();
                at(&option, failure)
            })
            .collect();
        let Some(first) = refused.first() else { return Ok(None) };
        if refused.len() == 1 {
            return Ok(Some(Failure::new(&first.message).help(first.help.clone().unwrap_or_default())));
        }
        let lines: Vec<String> = refused
            .iter()
            .map(|failure| match &failure.help {
                Some(help) => format!("{}; {help}", failure.message),
                None => failure.message.clone(),
            })
            .collect();
        Ok(Some(Failure::new(lines.join("\n"))))
    }

    fn metrics(&self, client: &Client, version: Version) -> (metrics::Metrics, Vec<Failure>) {
        let none = Map::new();
        let (wanted, options) = (self.metrics.as_ref().unwrap_or(&none), self.options.as_ref().unwrap_or(&none));
        metrics::read(client, version, wanted, options)
    }

    /// The options, with those that the metrics come to.
    fn options(&self, metrics: &metrics::Metrics) -> Map {
        let mut options = self.options.clone().unwrap_or_default();
        options.extend(metrics.options.clone());
        options
    }

    fn told(&self, metrics: &metrics::Metrics) -> MetricsOutput {
        let at = metrics.address.zip(metrics.port);
        let host = self.addresses.0.first().map_or("127.0.0.1", String::as_str);
        MetricsOutput {
            port: metrics.port,
            url: at.map(|(address, port)| format!("http://{}{}", metrics::own(address, port), metrics::PATH)),
            target: at.and_then(|(address, port)| metrics::target(address, port, host)),
            secret: metrics.secret,
        }
    }

    /// The forks of the genesis that `eth_genesis` will write, if there is to be one.
    fn forks(&self) -> Option<Map> {
        let given = self.forks.as_ref()?;
        let aura = self.engine.as_ref().is_some_and(|engine| engine.0 == "aura");
        let usual = USUAL_FORKS.iter().filter(|fork| !aura || **fork != "londonBlock");
        let mut forks: Map = usual.map(|fork| ((*fork).to_owned(), 0.into())).collect();
        forks.extend(given.iter().map(|(name, block)| (name.clone(), block.clone())));
        Some(forks)
    }
}

#[cfg(test)]
mod tests {
    use crate::modules::eth_tests::{Host, outcome};
    use serde_json::json;

    #[test]
    fn a_node_is_run_in_the_words_of_its_version() {
        let args = |version: &str| json!({"version": version, "options": {"http": true, "authrpc.addr": "127.0.0.1"}});
        let run = |version: &str| outcome(&Host::new(), "eth_client", &args(version), false).unwrap().output;
        assert_eq!(run("1.9.13")["flags"], json!(["--rpc"]));
        assert_eq!(run("1.13.15")["flags"], json!(["--http", "--authrpc.addr 127.0.0.1"]));
        assert_eq!(run("1.10.26")["static_peers"], "static-nodes.json");
    }

    #[test]
    fn where_a_node_tells_of_itself_is_said_and_its_secret_is_not() {
        let sink =
            json!({"endpoint": "https://influx.example", "organization": "ops", "bucket": "geth", "token": "hunter22"});
        let args = json!({"version": "1.13.15", "addresses": "10.0.0.1",
            "metrics": {"host": "sealer1", "prometheus": {"address": "0.0.0.0"}, "influxdb_v2": sink}});
        let output = outcome(&Host::new(), "eth_client", &args, false).unwrap().output;
        let told = json!({"port": 6060, "url": "http://127.0.0.1:6060/debug/metrics/prometheus",
            "target": "10.0.0.1:6060", "secret": "GETH_METRICS_INFLUXDB_TOKEN"});
        assert_eq!(output["metrics"], told);
        assert!(!format!("{output:?}").contains("hunter22"));
    }

    #[test]
    fn all_that_cannot_be_is_told_at_once() {
        let args = json!({"version": "1.14.0", "engine": "clique", "options": {"http": true, "http.api": "eth,eb3"}});
        let failure = outcome(&Host::new(), "eth_client", &args, false).unwrap_err();
        assert!(failure.message.contains("cannot seal clique") && failure.message.contains("`eb3`"), "{failure}");
    }

    #[test]
    fn forks_that_nobody_left_out_count() {
        let args = json!({"version": "1.9.25", "forks": {"londonBlock": null}});
        let failure = outcome(&Host::new(), "eth_client", &args, false).unwrap_err();
        assert!(failure.message.starts_with("geth 1.9.25 does not know `berlinBlock`"), "{failure}");
        let args = json!({"version": "1.9.25", "forks": {"londonBlock": null, "berlinBlock": null}});
        assert!(outcome(&Host::new(), "eth_client", &args, false).is_ok());
    }

    #[test]
    fn with_aura_berlin_is_the_last_fork_that_nobody_must_name() {
        let args = |version: &str, forks| json!({"name": "openethereum", "version": version, "engine": "aura", "forks": forks});
        let told = |version: &str, forks| outcome(&Host::new(), "eth_client", &args(version, forks), false);
        let failure = told("2.5.13", json!({})).unwrap_err();
        assert!(failure.message.starts_with("openethereum 2.5.13 does not know `berlinBlock`"), "{failure}");
        assert!(told("2.5.13", json!({"berlinBlock": null})).is_ok() && told("3.2.6", json!({})).is_ok());
        assert!(
            told("3.2.6", json!({"londonBlock": 5})).unwrap_err().message.contains("`londonBlock` (known since 3.3.0)")
        );
    }
}
