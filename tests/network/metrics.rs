//! `geth_metrics` on a host: the option comes to a sealer that runs with the ordered restart, its secret stays with root and geth, and
//! playbooks/metrics.yml says whether InfluxDB, from the distribution, takes what is sent.

use crate::plain::{Project, address};
use crate::run::{on, until};
use chainwright::system::System;
use chainwright::system::http::Request;
use std::io::Read;

/// What systemd, shells and YAML each read in ways of their own.
const SECRET: &str = "pa$$ `\"word\"` \\22 %n";

/// What InfluxDB on the host answers.
fn influxdb(query: &str) -> String {
    let query = query.replace(' ', "%20").replace('"', "%22");
    let url = format!("http://{}:8086/query?db=nodes&q={query}", address("host8"));
    let mut request = Request::new("POST", url);
    request.proxy = false;
    let mut text = String::new();
    if let Ok(mut answer) = System::new("/").http(&request) {
        let _ = answer.body.read_to_string(&mut text);
    }
    text
}

#[test]
fn a_sealer_tells_influxdb_and_prometheus_of_itself_once_it_is_restarted() {
    let (project, _) = Project::init(&["host8"], &[]);
    project.play("site.yml", &[]).expect(0);
    let none = on("host8", "ls /etc/geth; systemctl cat geth");
    assert!(!none.contains("metrics"), "{none}");

    let influx = format!(
        "{{endpoint: 'http://{}:8086', database: nodes, username: geth, password: '{SECRET}', tags: {{network: main}}}}",
        address("host8")
    );
    let options = format!("geth_metrics:\n  prometheus: {{address: '{{{{ node_address }}}}'}}\n  influxdb: {influx}\n");
    let all = "inventories/main/group_vars/all.yml";
    let before = std::fs::read_to_string(project.path(all)).unwrap();
    project.write(all, &format!("{before}\n{options}"));
    let site = project.play("site.yml", &["-vvv", "-D"]).expect(0);
    assert!(site.contains("host8 runs with its old configuration until playbooks/restart.yml"), "{site}");
    let waits = project.play("metrics.yml", &[]).expect(2);
    assert!(waits.contains("it runs without --metrics, --metrics.addr"), "{waits}");
    let restart = project.play("restart.yml", &["-e", "allow_halt=true", "-vvv", "-D"]).expect(0);

    // The secret is with root and with geth, and nobody else has seen it.
    assert_eq!(on("host8", "stat -c '%a %U %G' /etc/geth/metrics.env").trim(), "400 root root");
    let pid = on("host8", "systemctl show -p MainPID --value geth");
    let environment = on("host8", &format!("cat /proc/{}/environ", pid.trim()));
    assert!(environment.contains(&format!("GETH_METRICS_INFLUXDB_PASSWORD={SECRET}\0")), "{environment:?}");
    let open = on("host8", &format!("systemctl show geth; systemctl cat geth; cat /proc/{}/cmdline", pid.trim()));
    let log = on("host8", "journalctl --no-pager");
    for text in [site, waits, restart, open, log] {
        assert!(!text.contains("word\\\"") && !text.contains("word\"") && !text.contains("pa$$"), "{text}");
    }

    // Nobody listens there yet.
    let unheard = project.play("metrics.yml", &[]).expect(2);
    assert!(unheard.contains("InfluxDB does not take what it sends: WARN"), "{unheard}");
    on("host8", "apt-get -q update && apt-get -q -y install influxdb && systemctl start influxdb");
    assert!(until(120, || influxdb("CREATE DATABASE nodes").contains("statement_id")));
    let point = "SELECT * FROM \"geth.chain/head/block.gauge\" WHERE host = 'host8' AND network = 'main'";
    assert!(until(120, || influxdb(point).contains("\"values\"")), "{}", influxdb(point));
    assert!(until(60, || project.play("metrics.yml", &[]).code == 0));
    let targets = std::fs::read_to_string(project.path("inventories/main/prometheus-targets.json")).unwrap();
    let targets: serde_json::Value = serde_json::from_str(&targets).unwrap();
    assert_eq!(targets[0]["targets"][0], format!("{}:6060", address("host8")));
    assert_eq!((&targets[0]["labels"]["instance"], &targets[0]["labels"]["role"]), (&"host8".into(), &"sealer".into()));

    // What is not wanted any more is gone, the secret too.
    project.write(all, &before);
    project.play("site.yml", &[]).expect(0);
    let none = on("host8", "ls /etc/geth; systemctl cat geth");
    assert!(!none.contains("metrics"), "{none}");
}
