//! A scripted node talks to a real server.

use super::*;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;

/// Everything must happen within this.
const DEADLINE: Duration = Duration::from_secs(20);

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let secrets = Secrets::parse("right|other").unwrap();
        let ended = tokio::spawn(serve(listener, "demo".into(), secrets, async {
            let _ = stopped.await;
        }));
        Self { address, stop, ended }
    }

    async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn nodes(&self) -> Value {
        let answer = self.get("/api/nodes").await;
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Waits until the first node is as `wanted`.
    async fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        timeout(DEADLINE, async {
            loop {
                let nodes = self.nodes().await;
                if wanted(&nodes[0]) {
                    return nodes[0].clone();
                }
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap()
    }
}

struct Node(WebSocketStream<TcpStream>);

impl Node {
    async fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address).await.unwrap();
        Self(tokio_tungstenite::client_async(format!("ws://{}/api", server.address), stream).await.unwrap().0)
    }

    async fn login(server: &Server, secret: &str) -> (Self, Option<Value>) {
        let mut node = Self::connect(server).await;
        let info = json!({"name": "sealer1", "node": "Geth/v1.13.15-stable/linux-amd64/go1.22.2", "net": "4224"});
        node.say("hello", json!({"id": "sealer1", "info": info, "secret": secret})).await;
        let answer = node.hear().await;
        (node, answer)
    }

    async fn say(&mut self, name: &str, data: Value) {
        self.raw(json!({"emit": [name, data]}).to_string()).await;
    }

    async fn raw(&mut self, text: String) {
        // The server may have hung up already; that shows in `hear`.
        let _ = self.0.send(Frame::text(text)).await;
    }

    /// The next message; `None` if the server hung up.
    async fn hear(&mut self) -> Option<Value> {
        match timeout(DEADLINE, self.0.next()).await.unwrap()? {
            Ok(Frame::Text(text)) => Some(serde_json::from_str(&text).unwrap()),
            _ => None,
        }
    }
}

fn ready() -> Value {
    json!({"emit": ["ready"]})
}

#[tokio::test]
async fn a_node_logs_in_reports_and_is_shown() {
    let server = Server::start().await;
    let (mut node, answer) = Node::login(&server, "right").await;
    assert_eq!(answer, Some(ready()));

    node.say("node-ping", json!({"id": "sealer1", "clientTime": "now"})).await;
    let pong = node.hear().await.unwrap();
    assert_eq!((&pong["emit"][0], &pong["emit"][1]["clientTime"]), (&json!("node-pong"), &json!("now")));
    node.say("latency", json!({"id": "sealer1", "latency": "4"})).await;
    let hash = format!("0x{}", "ab".repeat(32));
    let block = json!({"number": 7, "hash": hash, "timestamp": 1_700_000_000, "transactions": []});
    node.say("block", json!({"id": "sealer1", "block": block})).await;
    node.say("pending", json!({"id": "sealer1", "stats": {"pending": 2}})).await;
    node.say("history", json!({"id": "sealer1", "history": []})).await;
    node.say("stats", json!({"id": "sealer1", "stats": {"mining": true, "peers": 3, "syncing": false}})).await;
    node.raw("\"primus::ping::17\"".into()).await;
    assert_eq!(node.hear().await, Some(json!("primus::pong::17")));

    let mut shown = server.nodes().await;
    shown[0]["last_seen"].take();
    assert_eq!(
        shown,
        json!([{
            "name": "sealer1", "client": "Geth/v1.13.15-stable/linux-amd64/go1.22.2", "network": "4224", "state": "active",
            "online": true, "peers": 3, "head": {"number": 7, "hash": hash, "time": 1_700_000_000, "miner": ""},
            "latency_ms": 4, "pending": 2, "sealing": true, "syncing": false, "last_seen": null
        }])
    );
}

#[tokio::test]
async fn a_wrong_secret_is_rejected_and_leaves_no_trace() {
    let server = Server::start().await;
    let (_, answer) = Node::login(&server, "wrong").await;
    assert_eq!(answer, None);
    assert_eq!(server.nodes().await, json!([]));
}

#[tokio::test]
async fn who_does_not_log_in_first_is_rejected() {
    let server = Server::start().await;
    for text in [r#"{"emit":["stats",{"id":"sealer1"}]}"#, "garbage", "{}", r#"{"emit":["hello",{"secret":"right"}]}"#]
    {
        let mut node = Node::connect(&server).await;
        node.raw(text.into()).await;
        assert_eq!(node.hear().await, None, "{text}");
    }
    assert_eq!(server.nodes().await, json!([]));
}

#[tokio::test]
async fn garbage_and_oversize_end_the_connection_and_the_node_is_kept_as_offline() {
    let server = Server::start().await;
    for text in ["garbage".to_owned(), format!("\"{}\"", "x".repeat(MAX_MESSAGE + 1))] {
        let (mut node, answer) = Node::login(&server, "right").await;
        assert_eq!(answer, Some(ready()));
        node.raw(text).await;
        assert_eq!(node.hear().await, None);
        let shown = server.until(|node| node["online"] == false).await;
        assert_eq!(shown["state"], "offline");
    }
}

#[tokio::test]
async fn a_node_that_comes_back_replaces_itself_but_not_with_another_secret() {
    let server = Server::start().await;
    let (mut first, answer) = Node::login(&server, "right").await;
    assert_eq!(answer, Some(ready()));
    let (_, refused) = Node::login(&server, "other").await;
    assert_eq!(refused, None);
    let (mut second, answer) = Node::login(&server, "right").await;
    assert_eq!(answer, Some(ready()));
    assert_eq!(first.hear().await, None);
    second.say("latency", json!({"latency": "1"})).await;
    let shown = server.until(|node| node["latency_ms"] == 1).await;
    assert_eq!(shown["online"], true);
    drop(second);
    server.until(|node| node["online"] == false).await;
}

#[tokio::test]
async fn the_page_and_its_parts_are_served() {
    let server = Server::start().await;
    let page = server.get("/").await;
    assert!(page.contains("<h1>demo</h1>") && page.contains("content-security-policy: default-src 'none'"));
    assert!(server.get("/style.css").await.contains("prefers-color-scheme"));
    assert!(server.get("/page.js").await.contains("api/nodes"));
    assert!(server.get("/healthz").await.ends_with("\r\n\r\nok\n"));
    assert!(server.get("/nothing").await.starts_with("HTTP/1.1 404"));
    assert!(server.get("/api").await.starts_with("HTTP/1.1 4"));
}

#[tokio::test]
async fn stopping_closes_every_connection_at_once() {
    let server = Server::start().await;
    let (mut node, answer) = Node::login(&server, "right").await;
    assert_eq!(answer, Some(ready()));
    let mut waiting = Node::connect(&server).await;
    // A browser that keeps its connection open.
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut start = [0; 12];
    idle.read_exact(&mut start).await.unwrap();

    server.stop.send(()).unwrap();
    assert_eq!(node.hear().await, None);
    assert_eq!(waiting.hear().await, None);
    timeout(Duration::from_secs(5), server.ended).await.unwrap().unwrap();
    let mut rest = Vec::new();
    timeout(DEADLINE, idle.read_to_end(&mut rest)).await.unwrap().unwrap();
}
