//! HTTP and HTTPS from a host: its own names, its own certificate authorities, its own proxy settings.

mod netrc;
mod tls;
mod unix;
mod url;

pub use tls::Trust;
pub use url::without_login;

use super::System;
use crate::base::failure::{Context, Result};
use crate::base::{Failure, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use unix::{NoAddress, UnixConnector};
use ureq::config::{Config, RedirectAuthHeaders};
use ureq::http::Uri;
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Connector, DefaultConnector, NextTimeout, RustlsConnector};
use ureq::{Agent, Proxy, ResponseExt, http};
use url::split_login;

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: String,
    /// `http://` or `https://`; `user:password@` in it is sent as basic authentication.
    pub url: String,
    /// Sent as they are.
    pub headers: Vec<(String, String)>,
    /// What to send.
    pub body: Option<Vec<u8>>,
    /// For connecting, and then again for each wait for data.
    pub timeout: Duration,
    /// How many redirects to follow; the answer to the last one is returned whatever it is.
    pub redirects: u32,
    /// User and password for basic authentication.
    pub login: Option<(String, Secret)>,
    /// Without a login, use the one that the host's `.netrc` has for the server.
    pub netrc: bool,
    /// Ask the server to compress what it sends.
    pub compressed: bool,
    /// Use the proxy that the environment names.
    pub proxy: bool,
    /// Send it through this Unix socket of the host, wherever the URL leads.
    pub socket: Option<PathBuf>,
    /// How to be sure of the other side.
    pub trust: Trust,
}

impl Request {
    /// A request without headers and body that waits 30 seconds, follows 10 redirects and checks certificates.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(30),
            redirects: 10,
            login: None,
            netrc: false,
            compressed: true,
            proxy: true,
            socket: None,
            trust: Trust::default(),
        }
    }
}

/// An answer, whatever its status.
pub struct Response {
    /// 200, 404, ...
    pub status: u16,
    /// `OK (23 bytes)` in Ansible's words, or the reason phrase.
    pub reason: String,
    /// Where it came from in the end.
    pub url: String,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    /// `Content-Length`, if the server said.
    pub length: Option<u64>,
    /// The body; reading it may fail or take time.
    pub body: Box<dyn Read>,
}

impl Response {
    /// The failure of whoever asked `url` for something else.
    pub fn refusal(&self, url: &str) -> Failure {
        let message = format!("{}: the server answered {} {}", without_login(url), self.status, self.reason);
        Failure::new(message).with("status_code", self.status)
    }
}

impl System {
    /// Sends a request. Fails if no answer comes; a status of 404 or 500 is an answer.
    pub fn http(&self, request: &Request) -> Result<Response> {
        let (url, login) = split_login(&request.url)?;
        let ours = || url.parse::<Uri>().ok().and_then(|uri| self.netrc(uri.host()?));
        let login = request.login.clone().or(login).or_else(|| if request.netrc { ours() } else { None });
        let proxy = if request.proxy && request.socket.is_none() { self.proxy(&url)? } else { None };
        // A redirect may lead from http to https.
        let may_need_tls = url.starts_with("https:") || request.redirects > 0 || proxy.is_some();
        let tls = if may_need_tls { self.tls(&request.trust)? } else { TlsConfig::default() };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .user_agent(concat!("chainwright/", env!("CARGO_PKG_VERSION")))
            .accept_encoding(if request.compressed { "gzip" } else { "identity" })
            .max_redirects(request.redirects)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .timeout_resolve(Some(request.timeout))
            .timeout_connect(Some(request.timeout))
            .timeout_recv_response(Some(request.timeout))
            .timeout_per_read(Some(request.timeout))
            .timeout_per_write(Some(request.timeout))
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .tls_config(tls)
            .build();
        let agent = match &request.socket {
            None => Agent::with_parts(config, DefaultConnector::default(), HostResolver(self.clone())),
            Some(socket) if self.exists(socket)? => {
                let connector = ().chain(UnixConnector(self.locate(socket))).chain(RustlsConnector::default());
                Agent::with_parts(config, connector, NoAddress)
            }
            Some(socket) => return Err(Failure::new(format!("{url}: there is no socket {}", socket.display()))),
        };

        let mut builder = http::Request::builder().method(request.method.to_uppercase().as_str()).uri(&url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let authorised = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        if let (Some((user, password)), false) = (&login, authorised) {
            let token = STANDARD.encode(format!("{user}:{}", password.expose()));
            builder = builder.header("Authorization", format!("Basic {token}"));
        }
        let answer = match &request.body {
            Some(body) => builder.body(body.as_slice()).context(&url).and_then(|it| self.send(&url, agent.run(it)))?,
            None => builder.body(()).context(&url).and_then(|it| self.send(&url, agent.run(it)))?,
        };
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Ok(Response {
            status: answer.status().as_u16(),
            reason: answer.status().canonical_reason().unwrap_or("unknown").to_owned(),
            url: answer.get_uri().to_string(),
            headers: answer.headers().iter().map(header).collect(),
            length: answer.body().content_length(),
            body: Box::new(answer.into_body().into_with_config().limit(u64::MAX).reader()),
        })
    }

    fn send<T>(&self, url: &str, answer: std::result::Result<T, ureq::Error>) -> Result<T> {
        answer.map_err(|error| explain(url, &error, self.resolve_error(url, &error)))
    }

    /// Why the name was not found: ureq keeps only that it was not.
    fn resolve_error(&self, url: &str, error: &ureq::Error) -> Option<Failure> {
        let ureq::Error::HostNotFound = error else { return None };
        let uri: Uri = url.parse().ok()?;
        self.addresses_of(uri.host()?).err()
    }

    /// What the environment says, by a name in small letters or in capitals; nothing if it is empty.
    fn setting(&self, name: &str) -> Option<String> {
        [name.to_owned(), name.to_uppercase()].iter().find_map(|name| self.variable(name).filter(|it| !it.is_empty()))
    }

    /// The proxy that the environment names for `url`, unless `no_proxy` excepts its host.
    fn proxy(&self, url: &str) -> Result<Option<Proxy>> {
        let scheme = if url.starts_with("https:") { "https_proxy" } else { "http_proxy" };
        let Some(proxy) = self.setting(scheme).or_else(|| self.setting("all_proxy")) else { return Ok(None) };
        let host = url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
        if self.setting("no_proxy").is_some_and(|list| excepts(&list, &host)) {
            return Ok(None);
        }
        // The address may hold a password: it is not repeated in the message.
        Proxy::new(&proxy).map(Some).map_err(|_| Failure::new(format!("{scheme} in the environment is not an address")))
    }
}

/// Whether `no_proxy` (`.lab,10.0.0.7,*`) names `host`.
fn excepts(list: &str, host: &str) -> bool {
    list.split([',', ' ']).map(|entry| entry.trim().trim_start_matches('.')).filter(|entry| !entry.is_empty()).any(
        |entry| {
            entry == "*"
                || host.eq_ignore_ascii_case(entry)
                || host.to_lowercase().ends_with(&format!(".{}", entry.to_lowercase()))
        },
    )
}

/// What went wrong, for people.
fn explain(url: &str, error: &ureq::Error, name: Option<Failure>) -> Failure {
    if let Some(failure) = name.or_else(|| tls::trouble(error)) {
        return failure.context(url);
    }
    let text = error.to_string();
    match error {
        ureq::Error::Timeout(_) => Failure::new(format!("{url}: no answer in time")),
        ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => {
            Failure::new(format!("{url}: connection refused: nothing listens there"))
        }
        ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::TimedOut => {
            Failure::new(format!("{url}: no answer in time"))
        }
        _ => Failure::new(format!("{url}: {}", text.strip_prefix("io: ").unwrap_or(&text))),
    }
}

/// Gives ureq the addresses that [`System::resolve`] finds.
#[derive(Debug)]
struct HostResolver(System);

impl Resolver for HostResolver {
    fn resolve(&self, uri: &Uri, config: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let name = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let found = self.0.addresses_of(name).map_err(|_| ureq::Error::HostNotFound)?;
        let addresses: Vec<_> = found.into_iter().map(|address| SocketAddr::new(address, port)).collect();
        let mut result = self.empty();
        for address in config.ip_family().keep_wanted(addresses.into_iter()).take(16) {
            result.push(address);
        }
        if result.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(result) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread;

    /// Answers one request with `answer` and returns what was asked.
    fn serve(answer: &'static str) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = String::new();
            for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(std::result::Result::ok) {
                if line.is_empty() {
                    break;
                }
                lines += &line;
                lines.push('\n');
            }
            stream.write_all(answer.as_bytes()).unwrap();
            lines
        });
        (format!("http://{address}"), server)
    }

    fn system() -> System {
        System::new("/nonexistent")
    }

    #[test]
    fn an_answer_comes_with_status_headers_and_body() {
        let (url, server) = serve("HTTP/1.1 404 Not Found\r\nX-Head: 7\r\nContent-Length: 4\r\n\r\ngone");
        let mut request = Request::new("get", url.replace("http://", "http://ann:p%40ss@"));
        request.headers.push(("X-Ask".into(), "yes".into()));
        let mut response = system().http(&request).unwrap();
        let mut body = String::new();
        response.body.read_to_string(&mut body).unwrap();
        assert_eq!((response.status, body.as_str(), response.length), (404, "gone", Some(4)));
        assert!(response.headers.contains(&("x-head".into(), "7".into())));
        let asked = server.join().unwrap().to_lowercase();
        assert!(asked.starts_with("get / http/1.1"), "{asked}");
        assert!(asked.contains("x-ask: yes"));
        assert!(asked.contains(&format!("authorization: basic {}", STANDARD.encode("ann:p@ss")).to_lowercase()));
    }

    #[test]
    fn a_closed_port_is_named_as_such() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let failure = system().http(&Request::new("GET", format!("http://u:secret@{address}/x"))).err().unwrap();
        assert_eq!(failure.message, format!("http://{address}/x: connection refused: nothing listens there"));
    }

    #[test]
    fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut request = Request::new("GET", format!("http://{}/", listener.local_addr().unwrap()));
        request.timeout = Duration::from_millis(50);
        assert!(system().http(&request).err().unwrap().message.ends_with("no answer in time"));
    }

    #[test]
    fn plain_http_behind_https_is_explained() {
        let (url, server) = serve("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        let url = url.replace("http:", "https:");
        let mut request = Request::new("GET", url);
        request.timeout = Duration::from_secs(5);
        // The server reads lines until an empty one, which a TLS greeting may not have: closing is its other end.
        let failure = system().http(&request).err().unwrap();
        assert!(failure.message.starts_with("https://127.0.0.1:"), "{failure}");
        drop(server);
    }

    #[test]
    fn what_is_no_url_is_said_without_its_password() {
        let failure = system().http(&Request::new("GET", "ftp://u:secret@host/x")).err().unwrap();
        assert_eq!(failure.message, "`host/x` is not a URL");
    }

    #[test]
    fn no_proxy_names_hosts_and_domains() {
        assert!(excepts("localhost,.lab", "node1.lab"));
        assert!(excepts("node1.lab", "NODE1.lab"));
        assert!(!excepts("lab", "collab"));
        assert!(excepts("*", "anything"));
    }
}
