//! The server: `/api` for nodes (WebSocket), `/api/nodes` for scripts, `/` for people, `/healthz` for watchers.

use super::state::{MAX_NODES, Network, Ticket, View};
use super::wire::{self, Hello, Message};
use super::{Secrets, page};
use axum::extract::ws::{self, CloseFrame, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// The largest message. A block's report names its transactions (77 bytes each): this is enough for 50 000 of them.
const MAX_MESSAGE: usize = 4 << 20;
/// Connections of nodes; some more than nodes, since a node's old connection may linger while it has a new one.
const MAX_NODE_CONNECTIONS: usize = MAX_NODES + 100;
/// Connections of nodes before they log in, browsers, and whoever else: more wait until somebody hangs up.
const MAX_CONNECTIONS: usize = 500;
/// A connection that asks for nothing for so long is closed; the page asks every two seconds.
const IDLE: Duration = Duration::from_secs(30);
/// How long a connection may take to log in, and to take an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// A connection that says nothing for so long is dead: geth reports every 15 seconds.
const SILENCE: Duration = Duration::from_mins(2);
/// How long closing all connections may take.
const FAREWELL: Duration = Duration::from_secs(2);

struct Shared {
    network: Mutex<Network>,
    name: String,
    secrets: Secrets,
    nodes: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
}

/// Serves on `listener` until `stop` is ready; then all connections are closed. `name` is the network's, for the page.
pub async fn serve(listener: TcpListener, name: String, secrets: Secrets, stop: impl Future<Output = ()>) {
    let (stop_all, stopping) = watch::channel(false);
    let nodes = Arc::new(Semaphore::new(MAX_NODE_CONNECTIONS));
    let network = Mutex::default();
    let app = router(Arc::new(Shared { network, name, secrets, nodes, stopping: stopping.clone() }));
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let accept = async {
        loop {
            let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let answer = http(stream, peer, app.clone(), stopping.clone());
                    tokio::spawn(async move {
                        answer.await;
                        drop(permit);
                    });
                }
                // Out of file descriptors, mostly: it passes when somebody hangs up.
                Err(error) => {
                    eprintln!("cannot accept a connection: {error}");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = stop => {}
    }
    drop(listener);
    let _ = stop_all.send(true);
    drop(app);
    // Every connection holds a receiver. One that does not end by itself must not keep the server alive.
    drop(stopping);
    let _ = timeout(FAREWELL, stop_all.closed()).await;
}

/// One connection of a browser, or of a node until it has upgraded.
async fn http(stream: TcpStream, peer: SocketAddr, app: Router, mut stopping: watch::Receiver<bool>) {
    let service = TowerToHyperService::new(app.layer(Extension(ConnectInfo(peer))));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    // An error is a browser that went away, or something that does not speak HTTP: geth tries TLS first.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopped(&mut stopping) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

fn router(shared: Arc<Shared>) -> Router {
    let plain = |kind: &'static str, text: &'static str| {
        let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")];
        get(move || async move { (headers, text) })
    };
    Router::new()
        .route("/", get(front))
        .route("/style.css", plain("text/css; charset=utf-8", page::STYLE))
        .route("/page.js", plain("text/javascript; charset=utf-8", page::SCRIPT))
        .route("/healthz", plain("text/plain; charset=utf-8", "ok\n"))
        .route("/api/nodes", get(nodes))
        .route("/api", get(api))
        .route("/api/", get(api))
        .with_state(shared)
}

async fn front(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_SECURITY_POLICY, page::POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Html(page::html(&shared.name)))
}

async fn nodes(State(shared): State<Arc<Shared>>) -> ([(HeaderName, &'static str); 1], Json<Vec<View>>) {
    ([(header::CACHE_CONTROL, "no-store")], Json(shared.with(|network| network.view(now()))))
}

async fn api(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Ok(permit) = Arc::clone(&shared.nodes).try_acquire_owned() else {
        eprintln!("refused {peer}: there are too many connections");
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE).on_upgrade(move |socket| async move {
        connection(socket, peer, &shared).await;
        drop(permit);
    })
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// A node's connection, from login to end.
async fn connection(mut socket: WebSocket, peer: SocketAddr, shared: &Shared) {
    let mut stopping = shared.stopping.clone();
    let login = tokio::select! {
        login = timeout(PATIENCE, login(&mut socket, shared)) => login,
        () = stopped(&mut stopping) => return close(socket, ws::close_code::AWAY, "stopping").await,
    };
    let (hello, ticket) = match login.unwrap_or(Err("it did not log in".into())) {
        Ok(login) => login,
        Err(why) => {
            eprintln!("refused {peer}: {why}");
            return close(socket, ws::close_code::POLICY, "refused").await;
        }
    };
    let id = &hello.id;
    eprintln!("{id} connected from {peer}: {}", hello.client);
    let number = ticket.number;
    let (code, why) = tokio::select! {
        why = listen(&mut socket, id, number, shared) => (ws::close_code::POLICY, why),
        _ = ticket.replaced => (ws::close_code::POLICY, "replaced by a newer connection"),
        () = stopped(&mut stopping) => (ws::close_code::AWAY, "stopping"),
    };
    shared.with(|network| network.logout(id, number));
    eprintln!("{id} disconnected: {why}");
    close(socket, code, why).await;
}

/// Waits for the login and answers it. The error is for the log and says nothing secret.
async fn login(socket: &mut WebSocket, shared: &Shared) -> Result<(Hello, Ticket), String> {
    loop {
        match text(socket).await?.as_deref().map(wire::parse) {
            Some(Ok(Message::Hello(hello))) => {
                let secret = shared.secrets.find(hello.secret.expose());
                let secret = secret.ok_or_else(|| format!("wrong secret of node `{}`", hello.id))?;
                let login = shared.with(|network| network.login(&hello, secret, now()));
                let ticket = login.map_err(|why| format!("node `{}`: {why}", hello.id))?;
                send(socket, wire::ready()).await?;
                return Ok((*hello, ticket));
            }
            Some(Ok(Message::Primus(time))) => send(socket, wire::primus_pong(&time)).await?,
            Some(Ok(_)) => return Err("it did not log in first".into()),
            Some(Err(why)) => return Err(why.into()),
            None => {}
        }
    }
}

/// Hears a node out; returns why it ended.
async fn listen(socket: &mut WebSocket, id: &str, ticket: u64, shared: &Shared) -> &'static str {
    loop {
        let message = match timeout(SILENCE, text(socket)).await {
            Err(_) => return "it fell silent",
            Ok(Err(why)) => return why,
            Ok(Ok(None)) => Message::Other,
            Ok(Ok(Some(text))) => match wire::parse(&text) {
                Ok(message) => message,
                Err(why) => return why,
            },
        };
        let answer = match &message {
            Message::Ping(time) => Some(wire::pong(time, milliseconds())),
            Message::Primus(time) => Some(wire::primus_pong(time)),
            _ => None,
        };
        shared.with(|network| network.heard(id, ticket, message, now()));
        if let Some(answer) = answer
            && let Err(why) = send(socket, answer).await
        {
            return why;
        }
    }
}

/// The next text; `None` for a frame of another kind.
async fn text(socket: &mut WebSocket) -> Result<Option<String>, &'static str> {
    match socket.recv().await {
        Some(Ok(ws::Message::Text(text))) => Ok(Some(text.as_str().to_owned())),
        Some(Ok(ws::Message::Close(_))) | None => Err("it hung up"),
        Some(Ok(ws::Message::Binary(_))) => Err("a message that is not text"),
        Some(Ok(ws::Message::Ping(_) | ws::Message::Pong(_))) => Ok(None),
        Some(Err(_)) => Err("the connection broke, or a message was too large"),
    }
}

async fn send(socket: &mut WebSocket, text: String) -> Result<(), &'static str> {
    match timeout(PATIENCE, socket.send(ws::Message::Text(text.into()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err("the connection broke"),
        Err(_) => Err("it takes no answer"),
    }
}

async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    let frame = ws::Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    let _ = timeout(Duration::from_millis(500), socket.send(frame)).await;
}

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut Network) -> T) -> T {
        act(&mut self.network.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn now() -> u64 {
    milliseconds() / 1000
}

fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
