//! What a real geth tells of itself with the flags that its version gets: to a real InfluxDB 1, which knows its user; over InfluxDB 2's
//! protocol to a real VictoriaMetrics, since Debian has no InfluxDB 2; to a real Prometheus.

use crate::charon_program::{Running, free_port};
use crate::geth::{Node, VERSION};
use chainwright::chain::client::{Client, command, metrics};
use chainwright::system::System;
use chainwright::system::http::Request;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// What systemd and shells read in ways of their own.
const SECRET: &str = "pa$$ \"word\" \\ 22";

/// geth sends every ten seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program of the Debian packages; they are fetched once for a machine.
fn program(name: &str) -> PathBuf {
    let fetch = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/metrics");
    let output = Command::new(fetch).stdin(Stdio::null()).output().expect("the script is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Path::new(String::from_utf8_lossy(&output.stdout).trim()).join(name)
}

/// geth as `geth_metrics` has it.
fn geth(folder: &Path, wanted: &Value) -> Node {
    let wanted = wanted.as_object().unwrap();
    let version = VERSION.parse().unwrap();
    let (told, refused) = metrics::read(Client::geth(), version, wanted, &serde_json::Map::new());
    assert_eq!(refused, []);
    let flags = command::line(Client::geth(), version, &told.options).unwrap();
    let args: Vec<&str> = flags.iter().flat_map(|flag| flag.split(' ')).collect();
    let node = Node::start_in(folder, &args, told.secret.map(|variable| (variable, SECRET)));
    assert!(
        !node.command_line().contains("word") && node.command_line().contains("--metrics"),
        "{}",
        node.command_line()
    );
    node
}

/// The status of an answer, and its body.
fn ask(method: &str, url: &str, query: &[(&str, &str)]) -> Result<(u16, String), String> {
    let encode = |text: &str| text.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02x}"));
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let mut request = Request::new(method, format!("{url}?{}", query.join("&")));
    request.proxy = false;
    let mut answer = System::new("/").http(&request).map_err(|failure| failure.to_string())?;
    let mut body = String::new();
    answer.body.read_to_string(&mut body).map_err(|error| error.to_string())?;
    Ok((answer.status, body))
}

/// Asks until the answer is what is waited for.
#[track_caller]
fn until<T>(what: &str, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(why) => assert!(Instant::now() < deadline, "{what}: {why}"),
        }
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

fn json_of(answer: Result<(u16, String), String>) -> Result<Value, String> {
    let (status, body) = answer?;
    if status == 200 { serde_json::from_str(&body).map_err(|_| body) } else { Err(format!("{status}: {body}")) }
}

#[test]
fn influxdb_takes_the_points_of_a_user_whose_password_is_on_no_command_line() {
    let folder = TempDir::new().unwrap();
    let port = free_port();
    let configuration = folder.path().join("influxdb.conf");
    let place = |name: &str| folder.path().join(name).display().to_string();
    let text = format!(
        "reporting-disabled = true\nbind-address = \"127.0.0.1:0\"\n[meta]\ndir = {:?}\n[data]\ndir = {:?}\nwal-dir = {:?}\n\
         [http]\nbind-address = \"127.0.0.1:{port}\"\nauth-enabled = true\n",
        place("meta"),
        place("data"),
        place("wal")
    );
    fs::write(&configuration, text).unwrap();
    let mut command = Command::new(program("influxd"));
    let server = Running::start(command.arg("-config").arg(&configuration), folder.path().join("influxd.log"));
    let url = format!("http://127.0.0.1:{port}/query");
    let admin = |query: &str| {
        let login = [("u", "admin"), ("p", "of the database"), ("db", "nodes"), ("epoch", "ms"), ("q", query)];
        json_of(ask("POST", &url, &login))
    };
    let quoted = SECRET.replace('\\', "\\\\");
    until("influxd", || admin("CREATE USER admin WITH PASSWORD 'of the database' WITH ALL PRIVILEGES"));
    for query in
        ["CREATE DATABASE nodes", &format!("CREATE USER geth WITH PASSWORD '{quoted}'"), "GRANT WRITE ON nodes TO geth"]
    {
        let made = admin(query).unwrap();
        assert!(made["results"][0]["error"].is_null(), "{query}: {made}");
    }
    let (status, _) = ask("POST", &url, &[("db", "nodes"), ("q", "SHOW MEASUREMENTS")]).unwrap();
    assert_eq!(status, 401, "who has no password is not let in: {}", server.said());

    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let mut influxdb =
        json!({"endpoint": format!("http://127.0.0.1:{port}"), "database": "nodes", "tags": {"network": "main"}});
    influxdb["username"] = "geth".into();
    influxdb["password"] = SECRET.into();
    let node = geth(folder.path(), &json!({"host": "sealer1", "influxdb": influxdb}));
    let point = until("a point", || {
        let select = "SELECT * FROM \"geth.chain/head/block.gauge\" WHERE host = 'sealer1' AND network = 'main'";
        let answer = admin(select)?;
        let series = &answer["results"][0]["series"][0];
        let (columns, point) = (series["columns"].as_array(), series["values"][0].as_array());
        columns.zip(point).map(|(columns, point)| json!([columns, point])).ok_or(format!("{answer}\n{}", node.said()))
    });
    assert!(point[1][0].as_u64().is_some_and(|time| u128::from(time) >= began), "{point}");
    assert!(point[0].as_array().unwrap().contains(&json!("value")), "{point}");
    assert!(!node.said().contains("word"), "{}", node.said());
}

#[test]
fn over_the_protocol_of_influxdb_2_the_token_the_organization_and_the_bucket_arrive() {
    let folder = TempDir::new().unwrap();
    let port = free_port();
    let mut command = Command::new(program("victoria-metrics"));
    command.arg(format!("-httpListenAddr=127.0.0.1:{port}")).arg("-storageDataPath").arg(folder.path().join("data"));
    let server = Running::start(&mut command, folder.path().join("victoria-metrics.log"));
    let url = format!("http://127.0.0.1:{port}");
    until("victoria-metrics", || ask("GET", &format!("{url}/metrics"), &[]));
    let (endpoint, seen) = scribe(port);

    let sink = json!({"endpoint": endpoint, "organization": "ops", "bucket": "nodes", "token": SECRET});
    let node = geth(folder.path(), &json!({"host": "sealer1", "influxdb_v2": sink}));
    until("a point", || {
        let series = json_of(ask("GET", &format!("{url}/api/v1/series"), &[("match[]", "{host=\"sealer1\"}")]))?;
        let names = series["data"].as_array().into_iter().flatten().map(|series| &series["__name__"]);
        let found = names.into_iter().any(|name| name.as_str().is_some_and(|name| name.contains("chain/head/block")));
        if found { Ok(()) } else { Err(format!("{series}\n{}\n{}", node.said(), server.said())) }
    });
    let seen = seen.lock().unwrap().clone();
    let write = seen.iter().find(|request| request[0].starts_with("POST /api/v2/write?")).expect("a write");
    for words in ["org=ops", "bucket=nodes", "precision=ns"] {
        assert!(write[0].contains(words), "{write:?}");
    }
    assert!(write.contains(&format!("authorization: Token {SECRET}")), "{write:?}");
    let (_, counted) = ask("GET", &format!("{url}/metrics"), &[]).unwrap();
    assert!(counted.contains("vm_rows_invalid_total{type=\"influx\"} 0\n"), "{counted}");
    assert!(!node.said().contains("word"), "{}", node.said());
}

/// Stands before a server and writes down the head of each request: the first line, then `name: value`.
fn scribe(port: u16) -> (String, Arc<Mutex<Vec<Vec<String>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let book = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let book = Arc::clone(&book);
            std::thread::spawn(move || pass_on(&stream, port, &book));
        }
    });
    (endpoint, seen)
}

/// One request and its answer; then the connection ends.
fn pass_on(stream: &TcpStream, port: u16, book: &Mutex<Vec<Vec<String>>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head: Vec<String> = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match (line.trim_end(), head.is_empty()) {
            ("", _) => break,
            (first, true) => head.push(first.to_owned()),
            (header, false) => {
                let (name, value) = header.split_once(": ")?;
                head.push(format!("{}: {value}", name.to_ascii_lowercase()));
            }
        }
    }
    let length =
        head.iter().find_map(|line| line.strip_prefix("content-length: ")).map_or(Some(0), |it| it.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    book.lock().ok()?.push(head.clone());
    head.retain(|line| !line.starts_with("connection: "));
    let mut server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    server.write_all(format!("{}\r\nconnection: close\r\n\r\n", head.join("\r\n")).as_bytes()).ok()?;
    server.write_all(&body).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    (&*stream).write_all(&answer).ok()
}

#[test]
fn prometheus_finds_the_node_by_a_file_of_targets_and_sees_its_chain() {
    let folder = TempDir::new().unwrap();
    let (node_port, port) = (free_port(), free_port());
    let node = geth(folder.path(), &json!({"prometheus": {"address": "127.0.0.1", "port": node_port}}));
    // As playbooks/metrics.yml writes it.
    let labels = json!({"instance": "sealer1", "network": "main", "role": "sealer", "__metrics_path__": metrics::PATH});
    let targets = json!([{"targets": [format!("127.0.0.1:{node_port}")], "labels": labels}]);
    fs::write(folder.path().join("targets.json"), targets.to_string()).unwrap();
    let configuration = folder.path().join("prometheus.yml");
    let text = "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: geth, file_sd_configs: [{files: [targets.json]}]}]\n";
    fs::write(&configuration, text).unwrap();
    let mut command = Command::new(program("prometheus"));
    command.arg("--config.file").arg(&configuration).arg("--storage.tsdb.path").arg(folder.path().join("tsdb"));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let server = Running::start(&mut command, folder.path().join("prometheus.log"));
    let api = format!("http://127.0.0.1:{port}/api/v1");
    until("the target is up", || {
        let targets = json_of(ask("GET", &format!("{api}/targets"), &[]))?;
        let up = targets["data"]["activeTargets"][0]["health"] == "up";
        if up { Ok(()) } else { Err(format!("{targets}\n{}\n{}", server.said(), node.said())) }
    });
    let query = [("query", "chain_head_block{instance=\"sealer1\", network=\"main\", role=\"sealer\"}")];
    let found = json_of(ask("GET", &format!("{api}/query"), &query)).unwrap();
    assert_eq!(found["data"]["result"][0]["value"][1], "0", "{found}");
}
