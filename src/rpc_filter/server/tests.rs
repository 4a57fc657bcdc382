//! The server between real connections and a node that notes what it is asked.

use super::*;
use serde_json::{Value, json};
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::client_async;

const DEADLINE: Duration = Duration::from_secs(20);

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// A node that answers every call with its method, over HTTP and WebSocket.
#[derive(Clone, Default)]
struct Node {
    asked: Arc<Mutex<Vec<String>>>,
}

impl Node {
    fn answer(&self, text: &str) -> String {
        self.asked.lock().unwrap().push(text.to_owned());
        let one = |call: &Value| json!({"jsonrpc": "2.0", "id": call["id"], "result": call["method"]});
        match serde_json::from_str::<Value>(text).unwrap() {
            Value::Array(calls) => Value::Array(calls.iter().map(one).collect()).to_string(),
            call => one(&call).to_string(),
        }
    }

    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let handler = |State(node): State<Node>, upgrade: Upgrade, body: String| async move {
            let Ok(upgrade) = upgrade else { return node.answer(&body).into_response() };
            upgrade.on_upgrade(|mut socket| async move {
                while let Some(Ok(ws::Message::Text(text))) = socket.recv().await {
                    let _ = socket.send(ws::Message::Text(node.answer(&text).into())).await;
                }
            })
        };
        let app = Router::new().fallback(any(handler)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }
}

struct Filter {
    address: SocketAddr,
    node: Node,
}

impl Filter {
    async fn start(rate: u32) -> Self {
        let node = Node::default();
        let http = node.start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let allow = Allow::parse(["eth_*"]).unwrap();
        let limits = Limits { message: 2000, batch: 5, rate, subscriptions: 1 };
        let upstream = Upstream { http, ws: Some(http) };
        tokio::spawn(serve(listener, upstream, allow, limits, std::future::pending()));
        Self { address, node }
    }

    /// The status line's code, and the body.
    async fn post(&self, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let text = format!(
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(DEADLINE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    async fn call(&self, body: &str) -> String {
        let (status, answer) = self.post("Content-Type: application/json; charset=utf-8\r\n", body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.node.asked.lock().unwrap())
    }
}

fn one(id: u8, method: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"}}"#)
}

#[tokio::test]
async fn a_call_comes_through_and_others_do_not() {
    let filter = Filter::start(9).await;
    assert!(filter.call(&one(1, "eth_chainId")).await.contains(r#""result":"eth_chainId""#));
    assert!(filter.call(&one(1, "admin_peers")).await.contains("-32601"));
    let both = filter.call(&format!("[{},{}]", one(1, "admin_peers"), one(2, "eth_call"))).await;
    assert!(both.contains("-32601") && both.contains(r#""result":"eth_call""#), "{both}");
    assert_eq!(filter.asked(), [one(1, "eth_chainId"), format!("[{}]", one(2, "eth_call"))]);
}

#[tokio::test]
async fn only_plain_json_by_post_is_read() {
    let filter = Filter::start(9).await;
    let call = one(1, "eth_chainId");
    for headers in ["", "Content-Type: text/plain\r\n", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"]
    {
        assert_eq!(filter.post(headers, &call).await.0, 415, "{headers}");
    }
    assert_eq!(filter.post("Content-Type: application/json\r\n", &" ".repeat(2001)).await.0, 413);
    assert_eq!(filter.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn messages_of_a_websocket_are_judged_one_by_one() {
    let filter = Filter::start(4).await;
    let stream = TcpStream::connect(filter.address).await.unwrap();
    let (mut socket, _) = client_async(format!("ws://{}/", filter.address), stream).await.unwrap();
    let batch = format!("[{},{}]", one(3, "eth_call"), one(4, "admin_peers"));
    for (say, hear) in [
        (one(1, "eth_chainId"), r#""result":"eth_chainId""#),
        (one(2, "personal_listAccounts"), "-32601"),
        (batch, "not done"),
        (one(5, "eth_call"), "limit exceeded"),
    ] {
        socket.send(tungstenite::Message::text(say.clone())).await.unwrap();
        let heard = loop {
            let message = timeout(DEADLINE, socket.next()).await.unwrap().unwrap().unwrap();
            if let tungstenite::Message::Text(text) = message {
                break text;
            }
        };
        assert!(heard.contains(hear), "{say}: {heard}");
    }
    assert_eq!(filter.asked(), [one(1, "eth_chainId")]);
}

#[tokio::test]
async fn a_websocket_has_so_many_subscriptions_and_hears_of_them_under_its_own_ids() {
    let filter = Filter::start(9).await;
    let stream = TcpStream::connect(filter.address).await.unwrap();
    let (mut socket, _) = client_async(format!("ws://{}/", filter.address), stream).await.unwrap();
    for (id, hear) in [(1, r#""id":1,"#), (2, "at most 1 subscriptions")] {
        socket.send(tungstenite::Message::text(one(id, "eth_subscribe"))).await.unwrap();
        let heard = loop {
            if let tungstenite::Message::Text(text) = timeout(DEADLINE, socket.next()).await.unwrap().unwrap().unwrap()
            {
                break text;
            }
        };
        assert!(heard.contains(hear), "{heard}");
    }
    let asked = filter.asked();
    assert!(asked.len() == 1 && !asked[0].contains(r#""id":1,"#), "{asked:?}");
}

#[test]
fn a_budget_comes_back_with_time() {
    let mut budget = Budget::new(2);
    assert!(budget.spend(2) && !budget.spend(1));
    budget.at -= Duration::from_secs(1);
    assert!(budget.spend(2) && !budget.spend(1));
}
