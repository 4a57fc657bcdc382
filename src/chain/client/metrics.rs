//! What a node tells of itself to Prometheus or InfluxDB, as flags of its version; and a secret, which is never one of them.

use super::{Client, Topic, Version};
use crate::base::diagnostic::did_you_mean;
use crate::base::{Failure, Map, Value, failure::Result};
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

mod value;

/// Options of a node that tells of itself.
#[derive(Debug, Default, PartialEq)]
pub struct Metrics {
    /// Flags by today's names. No secret is among them.
    pub options: Map,
    /// The port at which Prometheus may ask, if any.
    pub port: Option<u16>,
    /// The address at which it listens for Prometheus.
    pub address: Option<IpAddr>,
    /// The environment variable that must hold the secret, if there is one.
    pub secret: Option<&'static str>,
}

/// Where metrics go to: one entry of the options, with its own entries.
struct Sink {
    name: &'static str,
    /// The flag that switches it on.
    switch: Option<&'static str>,
    fields: &'static [Field],
}

struct Field {
    name: &'static str,
    /// The flag by today's name; of a secret the environment variable.
    says: &'static str,
    kind: Kind,
    needed: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Address,
    Port,
    Url,
    Name,
    Tags,
    Secret,
}

const fn field(name: &'static str, says: &'static str, kind: Kind, needed: bool) -> Field {
    Field { name, says, kind, needed }
}

const ADDRESS: &str = "write an address of the host, 127.0.0.1 if only it may ask, or 0.0.0.0 for all of them";

/// geth's default for `--metrics.port`.
const PORT: u16 = 6060;

/// From `SetupMetrics` and the flags of cmd/utils/flags.go.
#[rustfmt::skip]
const SINKS: &[Sink] = &[
    Sink { name: "prometheus", switch: None, fields: &[
        field("address", "metrics.addr", Kind::Address, true),
        field("port", "metrics.port", Kind::Port, false),
    ] },
    Sink { name: "influxdb", switch: Some("metrics.influxdb"), fields: &[
        field("endpoint", "metrics.influxdb.endpoint", Kind::Url, true),
        field("database", "metrics.influxdb.database", Kind::Name, true),
        field("username", "metrics.influxdb.username", Kind::Name, false),
        field("password", "GETH_METRICS_INFLUXDB_PASSWORD", Kind::Secret, false),
        field("tags", "metrics.influxdb.tags", Kind::Tags, false),
    ] },
    Sink { name: "influxdb_v2", switch: Some("metrics.influxdbv2"), fields: &[
        field("endpoint", "metrics.influxdb.endpoint", Kind::Url, true),
        field("organization", "metrics.influxdb.organization", Kind::Name, true),
        field("bucket", "metrics.influxdb.bucket", Kind::Name, true),
        field("token", "GETH_METRICS_INFLUXDB_TOKEN", Kind::Secret, true),
        field("tags", "metrics.influxdb.tags", Kind::Tags, false),
    ] },
];

/// Flags that would put a secret on the command line, which every user of the host can read.
const SECRET_FLAGS: &[(&str, &str)] = &[
    ("metrics.influxdb.password", "give it with `geth_metrics`"),
    ("metrics.influxdb.token", "give it with `geth_metrics`"),
    ("nodekeyhex", "write it into a file, and name that in `nodekey`"),
    ("rpc.telemetry.password", "set GETH_RPC_TELEMETRY_PASSWORD in the node's environment"),
];

/// The row that says from when on a secret can be given without the command line.
const ENVIRONMENT: &str = "a secret from the environment";

/// What `wanted` means to a version, beside its other `options`; and everything in it that cannot be. `host` is the tag by which
/// InfluxDB knows the node. No failure shows a secret.
pub fn read(client: &Client, version: Version, wanted: &Map, options: &Map) -> (Metrics, Vec<Failure>) {
    let (mut metrics, mut refused) = (Metrics::default(), Vec::new());
    for (flag, remedy) in SECRET_FLAGS.iter().filter(|(flag, _)| options.contains_key(*flag)) {
        let failure =
            Failure::new(format!("`{flag}` on a command line is no secret: every user of the host can read it"));
        refused.push(failure.help(*remedy).with("option", json!(["options", flag])));
    }
    let host = wanted.get("host").filter(|host| !host.is_null());
    for name in wanted.keys().filter(|name| *name != "host" && !SINKS.iter().any(|sink| sink.name == *name)) {
        refused.push(unknown(name, None, SINKS.iter().map(|sink| sink.name)));
    }
    let asked: Vec<&Sink> = SINKS.iter().filter(|sink| wanted.get(sink.name).is_some_and(|it| !it.is_null())).collect();
    if asked.is_empty() {
        return (metrics, refused);
    }
    if client.name != "geth" {
        let failure = Failure::new(format!("how {} tells its metrics is not known here", client.name));
        return (metrics, vec![failure.with("option", json!(["metrics"]))]);
    }
    if asked.iter().filter(|sink| sink.switch.is_some()).count() > 1 {
        let failure = Failure::new("geth sends its metrics to one InfluxDB, and `influxdb` and `influxdb_v2` are two");
        let failure = failure.help("leave one of them out; `prometheus` may stand beside either");
        refused.push(failure.with("option", json!(["metrics", "influxdb_v2"])));
    }
    metrics.options.insert("metrics".into(), true.into());
    for sink in asked {
        read_sink(sink, &wanted[sink.name], host, (client, version), &mut metrics, &mut refused);
    }
    for flag in metrics.options.keys().filter(|flag| options.contains_key(*flag) && *flag != "metrics") {
        let failure = Failure::new(format!("`{flag}` is given twice: by `geth_metrics`, and as an option"));
        refused.push(failure.with("option", json!(["options", flag])));
    }
    refused.extend(metrics.port.and_then(|port| taken(port, client, version, options)));
    (metrics, refused)
}

fn read_sink(
    sink: &Sink,
    wanted: &Value,
    host: Option<&Value>,
    (client, version): (&Client, Version),
    metrics: &mut Metrics,
    refused: &mut Vec<Failure>,
) {
    let Some(table) = wanted.as_object() else {
        let names: Vec<&str> = sink.fields.iter().map(|field| field.name).collect();
        let failure = Failure::new(format!("`{}` of `geth_metrics` is not a table", sink.name));
        let failure = failure.help(format!("give it {}", names.join(", ")));
        return refused.push(failure.with("option", json!(["metrics", sink.name])));
    };
    for name in table.keys().filter(|name| !sink.fields.iter().any(|field| field.name == *name)) {
        refused.push(unknown(name, Some(sink.name), sink.fields.iter().map(|field| field.name)));
    }
    metrics.options.extend(sink.switch.map(|flag| (flag.to_owned(), true.into())));
    let given = |name: &str| table.get(name).filter(|value| !value.is_null());
    for field in sink.fields {
        let usual = match field.kind {
            Kind::Port => Some(PORT.into()),
            Kind::Tags => Some(json!({})),
            _ => None,
        };
        let Some(value) = given(field.name).cloned().or(usual) else {
            if field.needed {
                let help = if field.kind == Kind::Address { ADDRESS.to_owned() } else { String::new() };
                let failure = Failure::new(format!("`{}` of `geth_metrics` has no `{}`", sink.name, field.name));
                refused.push(failure.help(help).with("option", json!(["metrics", sink.name])));
            }
            continue;
        };
        match field.read(&value, host, (client, version), metrics) {
            Ok(Value::Null) => {}
            Ok(flag) => drop(metrics.options.insert(field.says.into(), flag)),
            Err(failure) => {
                let failure = failure.context(format!("`{}.{}` of `geth_metrics`", sink.name, field.name));
                refused.push(failure.with("option", json!(["metrics", sink.name, field.name])));
            }
        }
    }
    // geth would put a name or password of its own, `test`, beside the one that is given.
    for (has, lacks) in [("username", "password"), ("password", "username")] {
        if given(has).is_some() && given(lacks).is_none() {
            let failure = Failure::new(format!("`{}` of `geth_metrics` has a `{has}` and no `{lacks}`", sink.name));
            refused.push(failure.with("option", json!(["metrics", sink.name, has])));
        }
    }
}

impl Field {
    /// What stands behind its flag; nothing if it is left out.
    fn read(
        &self,
        given: &Value,
        host: Option<&Value>,
        (client, version): (&Client, Version),
        metrics: &mut Metrics,
    ) -> Result<Value> {
        Ok(match self.kind {
            Kind::Address => {
                let address = value::address(given)?;
                metrics.address = Some(address);
                value::written(address, version).into()
            }
            Kind::Port => {
                let port = value::port(given)?;
                metrics.port = Some(port);
                port.into()
            }
            Kind::Url => value::endpoint(given)?.into(),
            Kind::Name => value::plain(given)?.into(),
            Kind::Tags => value::tags(given, host)?.map_or(Value::Null, Value::from),
            Kind::Secret => {
                value::secret(given)?;
                only_from_the_environment(client, version)?;
                metrics.secret = Some(self.says);
                Value::Null
            }
        })
    }
}

fn only_from_the_environment(client: &Client, version: Version) -> Result<()> {
    if client.row(version, Topic::Metrics, ENVIRONMENT).is_some() {
        return Ok(());
    }
    let row = client.all().find(|row| row.topic == Topic::Metrics && row.name == ENVIRONMENT);
    let since = row.map(|row| row.span.to_string()).unwrap_or_default();
    Err(Failure::new(format!(
        "geth {version} takes a secret on its command line only, which every user of the host can read; from its environment {since}"
    ))
    .help("take a newer geth, or `prometheus`, or an InfluxDB that asks these hosts for no password"))
}

fn unknown(name: &str, sink: Option<&str>, known: impl Iterator<Item = &'static str> + Clone) -> Failure {
    let of = sink.map(|sink| format!("`{sink}` of ")).unwrap_or_default();
    let help = match did_you_mean(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
    };
    let path: Vec<&str> = ["metrics"].into_iter().chain(sink).chain([name]).collect();
    Failure::new(format!("{of}`geth_metrics` has no option `{name}`")).help(help).with("option", json!(path))
}

/// Another interface of the node that has the port already.
fn taken(port: u16, client: &Client, version: Version, options: &Map) -> Option<Failure> {
    const OTHERS: &[(&str, Option<&str>)] = &[
        ("port", None),
        ("authrpc.port", None),
        ("http.port", Some("http")),
        ("ws.port", Some("ws")),
        ("pprof.port", Some("pprof")),
    ];
    let on = |switch: Option<&str>| switch.is_none_or(|name| options.get(name) == Some(&Value::Bool(true)));
    let same = |name: &str| {
        let value = options.get(name).filter(|value| !value.is_null())?;
        (value::text(value).ok()? == port.to_string() && client.row(version, Topic::Flag, name).is_some()).then_some(())
    };
    let (name, _) = OTHERS.iter().find(|(name, switch)| on(*switch) && same(name).is_some())?;
    let failure =
        Failure::new(format!("port {port} of `prometheus` is the node's `{name}` too: geth would run without metrics"));
    Some(failure.help("give `prometheus` a `port` of its own").with("option", json!(["metrics", "prometheus", "port"])))
}

/// Where geth answers Prometheus.
pub const PATH: &str = "/debug/metrics/prometheus";

/// `ADDRESS:PORT` at which the node's own host can ask it.
pub fn own(address: IpAddr, port: u16) -> String {
    let address = match address {
        IpAddr::V4(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(any) if any.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    SocketAddr::new(address, port).to_string()
}

/// `ADDRESS:PORT` at which other hosts can ask a node that they reach at `host`; nothing if it listens for its own host only.
pub fn target(address: IpAddr, port: u16, host: &str) -> Option<String> {
    match address {
        address if address.is_loopback() => None,
        address if address.is_unspecified() && host.contains(':') => Some(format!("[{host}]:{port}")),
        address if address.is_unspecified() => Some(format!("{host}:{port}")),
        address => Some(SocketAddr::new(address, port).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::client::command;

    fn asked(version: &str, wanted: &Value, options: &Value) -> (Metrics, Vec<Failure>) {
        let (wanted, options) = (wanted.as_object().unwrap(), options.as_object().unwrap());
        read(Client::geth(), version.parse().unwrap(), wanted, options)
    }

    fn refused(version: &str, wanted: &Value, options: &Value) -> String {
        let (_, refused) = asked(version, wanted, options);
        let lines = refused.iter().map(|it| format!("{}; {}\n", it.message, it.help.as_deref().unwrap_or_default()));
        lines.collect()
    }

    fn influxdb(more: &Value) -> Value {
        let mut table = json!({"endpoint": "http://10.0.0.9:8086", "database": "geth"});
        table.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"influxdb": table, "host": "sealer1"})
    }

    #[test]
    fn a_node_that_tells_nothing_has_no_flag() {
        assert_eq!(
            asked("1.13.15", &json!({"host": "one", "influxdb": null}), &json!({})),
            (Metrics::default(), vec![])
        );
    }

    #[test]
    fn a_password_is_in_no_flag_and_the_variable_for_it_is_named() {
        let wanted = influxdb(&json!({"username": "geth", "password": "hunter 22", "tags": {"network": "main"}}));
        let (metrics, refused) = asked("1.13.15", &wanted, &json!({}));
        assert_eq!(refused, []);
        assert_eq!(metrics.secret, Some("GETH_METRICS_INFLUXDB_PASSWORD"));
        let flags = command::line(Client::geth(), Version(1, 13, 15), &metrics.options).unwrap().join(" ");
        for flag in
            ["--metrics ", "--metrics.influxdb ", "--metrics.influxdb.username geth", "host=sealer1,network=main"]
        {
            assert!(flags.contains(flag), "{flag}: {flags}");
        }
        assert!(!flags.contains("hunter"), "{flags}");
    }

    #[test]
    fn a_secret_is_refused_where_only_the_command_line_takes_it() {
        let wanted = influxdb(&json!({"username": "geth", "password": "hunter22"}));
        let said = refused("1.10.26", &wanted, &json!({}));
        assert!(said.contains("geth 1.10.26 takes a secret on its command line only"), "{said}");
        assert!(said.contains("from its environment since 1.13.1; take a newer geth"), "{said}");
        assert!(!said.contains("hunter"), "{said}");
        // Where none is asked for, it can send.
        assert_eq!(refused("1.9.25", &influxdb(&json!({})), &json!({})), "");
        let said = refused("1.13.15", &json!({}), &json!({"metrics.influxdb.token": "hunter22"}));
        assert!(
            said.contains("`metrics.influxdb.token` on a command line is no secret") && !said.contains("hunter"),
            "{said}"
        );
    }

    #[test]
    fn what_cannot_be_is_told_all_at_once() {
        let wanted = json!({
            "prometheus": {"port": 8545, "adress": "10.0.0.1"},
            "influxdb": {"endpoint": "http://geth:hunter22@10.0.0.9:8086", "username": "geth", "tags": {"a b": 1}},
            "influxdb_v2": {"endpoint": "10.0.0.9", "organization": "my org", "token": "hunter22\n"},
            "statsd": {},
        });
        let said = refused("1.13.15", &wanted, &json!({"http": true, "http.port": 8545}));
        for words in [
            "`geth_metrics` has no option `statsd`; known are prometheus, influxdb, influxdb_v2",
            "`prometheus` of `geth_metrics` has no option `adress`; did you mean `address`?",
            "`prometheus` of `geth_metrics` has no `address`; write an address of the host",
            "port 8545 of `prometheus` is the node's `http.port` too",
            "to one InfluxDB, and `influxdb` and `influxdb_v2` are two",
            "`influxdb.endpoint` of `geth_metrics`: a login does not belong into a URL",
            "`influxdb` of `geth_metrics` has no `database`",
            "`influxdb` of `geth_metrics` has a `username` and no `password`",
            "`influxdb.tags` of `geth_metrics`: tag `a b`: \"a b\" has ' '",
            "`influxdb_v2.endpoint` of `geth_metrics`: \"10.0.0.9\" is not the URL of an InfluxDB",
            "`influxdb_v2.organization` of `geth_metrics`: \"my org\" has ' '",
            "`influxdb_v2` of `geth_metrics` has no `bucket`",
            "`influxdb_v2.token` of `geth_metrics`: it has a control character",
        ] {
            assert!(said.contains(words), "`{words}` is missing in {said}");
        }
        assert!(!said.contains("hunter"), "{said}");
        let said = refused("1.13.15", &json!({"prometheus": true}), &json!({}));
        assert!(said.contains("`prometheus` of `geth_metrics` is not a table; give it address, port"), "{said}");
    }

    #[test]
    fn an_address_is_written_as_the_version_joins_it_and_found_from_other_hosts_unless_it_is_the_hosts_own() {
        let flag = |version| {
            asked(version, &json!({"prometheus": {"address": "::"}}), &json!({})).0.options["metrics.addr"].clone()
        };
        assert_eq!((flag("1.10.26"), flag("1.13.15")), (json!("[::]"), json!("::")));
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(own(ip("0.0.0.0"), 6060), "127.0.0.1:6060");
        assert_eq!(target(ip("127.0.0.1"), 6060, "10.0.0.1"), None);
        assert_eq!(target(ip("::"), 6060, "fd00::1").as_deref(), Some("[fd00::1]:6060"));
        assert_eq!(target(ip("10.0.0.2"), 6060, "10.0.0.1").as_deref(), Some("10.0.0.2:6060"));
    }
}
