//! The server: calls by POST or on a WebSocket, both at any path; the node is asked what [`judge`] lets through.

use super::Allow;
use super::judge::{Judged, LIMIT, judge};
use super::room::{Metered, Room, Unread};
use super::subscriptions::Subscriptions;
use alloy_primitives::hex;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::ws::{self, CloseFrame, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::any;
use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::{self, protocol::WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// How long a node may take to answer; its own limit is half of that.
const ANSWER: Duration = Duration::from_mins(1);
/// How long a client may take to send its call, or to take a message.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a client is asked whether it is still there; it also keeps what is between from hanging up.
const PING: Duration = Duration::from_secs(25);
/// How long calls may go on once the server stops.
const FAREWELL: Duration = Duration::from_secs(3);
/// The largest answer of a node that is held in memory, in bytes: of a WebSocket, and to a batch of which a part was refused.
const LARGEST_ANSWER: usize = 64 << 20;
/// How much of calls and answers is held in memory in sum, in bytes.
const ALL_HELD: usize = 256 << 20;
/// Requests and open connections of a WebSocket at a time; one that comes then is told so.
const MOST: usize = 2000;

/// The node: where it answers calls, and its WebSocket if it has one.
#[derive(Debug, Clone, Copy)]
pub struct Upstream {
    /// Its HTTP interface.
    pub http: SocketAddr,
    /// Its WebSocket interface.
    pub ws: Option<SocketAddr>,
}

/// How much is taken.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a message.
    pub message: usize,
    /// Calls of a batch.
    pub batch: usize,
    /// Calls a second on one WebSocket. Requests are counted by who stands in front.
    pub rate: u32,
    /// Subscriptions on one WebSocket.
    pub subscriptions: usize,
}

/// What is said where others hold too much.
const NO_ROOM: &str = "too much is asked at once\n";

struct Shared {
    upstream: Upstream,
    allow: Allow,
    limits: Limits,
    places: Arc<Semaphore>,
    room: Room,
    stopping: watch::Receiver<bool>,
}

/// Serves on `listener` until `stop` is ready.
pub async fn serve(
    listener: TcpListener,
    upstream: Upstream,
    allow: Allow,
    limits: Limits,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let (stop_all, stopping) = watch::channel(false);
    let places = Arc::new(Semaphore::new(MOST));
    let room = Room::new(ALL_HELD);
    let shared = Shared { upstream, allow, limits, places, room, stopping: stopping.clone() };
    let app = Router::new().fallback(any(request)).with_state(Arc::new(shared));
    let signal = async move {
        stop.await;
        let _ = stop_all.send(true);
    };
    let serving = axum::serve(listener, app).with_graceful_shutdown(signal).into_future();
    let mut late = stopping;
    tokio::select! {
        _ = serving => {}
        () = async { stopped(&mut late).await; tokio::time::sleep(FAREWELL).await } => {}
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

async fn request(
    State(shared): State<Arc<Shared>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request<Body>,
) -> Response<Body> {
    let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() else {
        return said(StatusCode::SERVICE_UNAVAILABLE, "too many clients\n");
    };
    if let Ok(upgrade) = upgrade {
        let Some(node) = shared.upstream.ws else {
            return said(StatusCode::NOT_IMPLEMENTED, "there is no WebSocket here; POST calls\n");
        };
        let Ok(Ok(node)) = timeout(PATIENCE, connect(node, &shared.room)).await else {
            return said(StatusCode::BAD_GATEWAY, "the node does not answer\n");
        };
        let largest = shared.limits.message;
        return upgrade.max_message_size(largest).max_frame_size(largest).on_upgrade(move |client| async move {
            let (mut client, mut stopping) = (client, shared.stopping.clone());
            let (code, why) = tokio::select! {
                end = relay(&mut client, node, &shared) => end,
                () = stopped(&mut stopping) => (ws::close_code::AWAY, "stopping"),
            };
            let frame = ws::Message::Close(Some(CloseFrame { code, reason: why.into() }));
            let _ = timeout(Duration::from_millis(500), client.send(frame)).await;
            drop(place);
        });
    }
    if request.method() != Method::POST {
        return ([(header::ALLOW, "POST")], said(StatusCode::METHOD_NOT_ALLOWED, "POST calls here\n")).into_response();
    }
    if let Some(why) = wrong_headers(request.headers()) {
        return said(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
    }
    let (body, held) = match timeout(PATIENCE, shared.room.read(request.into_body(), shared.limits.message)).await {
        Ok(Ok(read)) => read,
        Ok(Err(Unread::NoRoom)) => return said(StatusCode::SERVICE_UNAVAILABLE, NO_ROOM),
        Ok(Err(_)) => return said(StatusCode::PAYLOAD_TOO_LARGE, "that is too long\n"),
        Err(_) => return said(StatusCode::REQUEST_TIMEOUT, "that took too long\n"),
    };
    let answer = call(&shared, &body).await;
    drop(held);
    answer
}

/// A body must be JSON as it is: other types could be sent by a page of any origin without asking first.
fn wrong_headers(headers: &HeaderMap) -> Option<&'static str> {
    let encodings = headers.get_all(header::CONTENT_ENCODING);
    if encodings.iter().any(|encoding| encoding != "identity") {
        return Some("send calls as they are, without Content-Encoding\n");
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = ["application/json", "application/json-rpc", "application/jsonrequest"].contains(&kind.as_str());
    (!known).then_some("send calls as Content-Type: application/json\n")
}

/// One body: a call or a batch.
async fn call(shared: &Shared, body: &[u8]) -> Response<Body> {
    let judged = judge(body, &shared.allow, shared.limits.batch);
    let Some(forward) = judged.forward() else {
        return json(StatusCode::OK, judged.answer().unwrap_or_default());
    };
    let Ok(Ok(answer)) = timeout(ANSWER, ask(shared.upstream.http, forward)).await else {
        return said(StatusCode::BAD_GATEWAY, "the node does not answer\n");
    };
    let status = answer.status();
    if judged.answers.is_empty() {
        return json(status, Body::new(answer.into_body()));
    }
    let read = timeout(ANSWER, shared.room.read(Body::new(answer.into_body()), LARGEST_ANSWER)).await;
    let joined = match &read {
        Ok(Ok((answer, _held))) => std::str::from_utf8(answer).ok().and_then(|answer| judged.join(answer)),
        Ok(Err(Unread::NoRoom)) => return said(StatusCode::SERVICE_UNAVAILABLE, NO_ROOM),
        _ => None,
    };
    match joined {
        Some(joined) => json(status, joined),
        None => said(StatusCode::BAD_GATEWAY, "the node's answer cannot be read\n"),
    }
}

/// Asks the node over HTTP. Nothing of the client's headers comes along.
async fn ask(
    node: SocketAddr,
    message: String,
) -> Result<Response<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(node).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer, or with whoever stops reading that.
    tokio::spawn(connection);
    let request = Request::post("/")
        .header(header::HOST, node.to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(message))?;
    Ok(sender.send_request(request).await?)
}

/// A node's WebSocket.
type NodeSocket = WebSocketStream<Metered<TcpStream>>;

async fn connect(node: SocketAddr, room: &Room) -> Result<NodeSocket, tungstenite::Error> {
    let stream = Metered::new(TcpStream::connect(node).await?, room.clone());
    let config = WebSocketConfig::default().max_message_size(Some(LARGEST_ANSWER)).max_frame_size(Some(LARGEST_ANSWER));
    Ok(client_async_with_config(format!("ws://{node}/"), stream, Some(config)).await?.0)
}

/// What happens next on a WebSocket.
enum Next {
    Client(Option<Result<ws::Message, axum::Error>>),
    Node(Option<Result<tungstenite::Message, tungstenite::Error>>),
    Ping,
}

/// Passes messages in both directions until one side ends; returns what the client is told then.
async fn relay(client: &mut WebSocket, mut node: NodeSocket, shared: &Shared) -> (u16, &'static str) {
    const GONE: (u16, &str) = (ws::close_code::NORMAL, "the client is gone");
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut budget = Budget::new(shared.limits.rate);
    let mut secret = [0; 16];
    if getrandom::fill(&mut secret).is_err() {
        return (ws::close_code::ERROR, "the kernel gives no random numbers");
    }
    let mut subscriptions = Subscriptions::new(shared.limits.subscriptions, hex::encode(secret) + "-");
    loop {
        let next = tokio::select! {
            message = client.recv() => Next::Client(message),
            message = node.next() => Next::Node(message),
            _ = ping.tick() => Next::Ping,
        };
        let from_node = matches!(next, Next::Node(_));
        let to_client = match next {
            Next::Client(Some(Ok(ws::Message::Text(text)))) => {
                let mut judged = on_websocket(text.as_bytes(), shared, &mut budget);
                subscriptions.ask(&mut judged);
                if let Some(forward) = judged.forward()
                    && !matches!(timeout(PATIENCE, node.send(tungstenite::Message::text(forward))).await, Ok(Ok(())))
                {
                    return (ws::close_code::ERROR, "the node is gone");
                }
                judged.answer().map(|answer| ws::Message::Text(answer.into()))
            }
            Next::Client(Some(Ok(ws::Message::Binary(_)))) => {
                return (ws::close_code::UNSUPPORTED, "send calls as text");
            }
            Next::Client(Some(Ok(ws::Message::Close(_))) | None) => return GONE,
            Next::Client(Some(Err(_))) => return (ws::close_code::POLICY, "not understood, or too long"),
            Next::Node(Some(Ok(tungstenite::Message::Text(text)))) => {
                let text = subscriptions.hear(text.as_str()).map_or_else(|| text.as_str().into(), Into::into);
                Some(ws::Message::Text(text))
            }
            Next::Node(Some(Ok(tungstenite::Message::Close(_)) | Err(_)) | None) => {
                return (ws::close_code::ERROR, "the node is gone");
            }
            // Signs of life: the libraries answer them.
            Next::Client(Some(Ok(ws::Message::Ping(_) | ws::Message::Pong(_)))) | Next::Node(Some(Ok(_))) => None,
            Next::Ping => Some(ws::Message::Ping(Bytes::new())),
        };
        if let Some(message) = to_client
            && !matches!(timeout(PATIENCE, client.send(message)).await, Ok(Ok(())))
        {
            return GONE;
        }
        if from_node {
            node.get_mut().let_go();
        }
    }
}

/// Judges a message of a WebSocket. Of a batch passes all or nothing: the answers to its parts could not be told from others'.
fn on_websocket(message: &[u8], shared: &Shared, budget: &mut Budget) -> Judged {
    let mut judged = judge(message, &shared.allow, shared.limits.batch);
    if !budget.spend(judged.calls) {
        judged.refuse_all(LIMIT, "limit exceeded: too many calls a second");
    } else if judged.batch && judged.allowed.len() < judged.calls {
        judged.refuse_all(LIMIT, "not done: another call of this batch is refused");
    }
    judged
}

/// Calls that a client may still make: as many a second as are allowed, and a second's worth at once.
struct Budget {
    rate: f64,
    left: f64,
    at: Instant,
}

impl Budget {
    fn new(rate: u32) -> Self {
        Self { rate: rate.into(), left: rate.into(), at: Instant::now() }
    }

    fn spend(&mut self, calls: usize) -> bool {
        let now = Instant::now();
        self.left = (self.left + now.duration_since(self.at).as_secs_f64() * self.rate).min(self.rate);
        self.at = now;
        let calls = f64::from(u32::try_from(calls).unwrap_or(u32::MAX));
        let enough = self.left >= calls;
        if enough {
            self.left -= calls;
        }
        enough
    }
}

fn json(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    (status, [(header::CONTENT_TYPE, "application/json")], body.into()).into_response()
}

fn said(status: StatusCode, text: &'static str) -> Response<Body> {
    (status, text).into_response()
}

#[cfg(test)]
mod tests;
