//! A client of the proxy: rustls, with HTTP/1.1 and a WebSocket on it.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned, SupportedProtocolVersion};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket, client::IntoClientRequest};

pub type Stream = StreamOwned<ClientConnection, TcpStream>;

/// What an answer's headers and body are.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Who asks one server, trusting one authority.
pub struct Client {
    address: String,
    port: u16,
    config: Arc<ClientConfig>,
}

impl Client {
    /// Speaks these versions of TLS.
    pub fn new(address: &str, port: u16, authority: &str, versions: &[&'static SupportedProtocolVersion]) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        Self { address: address.to_owned(), port, config }
    }

    /// An open connection, TCP at least: TLS follows with the first byte.
    fn stream(&self) -> Stream {
        let tcp = TcpStream::connect((self.address.as_str(), self.port)).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let name = ServerName::try_from(self.address.clone()).unwrap();
        StreamOwned::new(ClientConnection::new(self.config.clone(), name).unwrap(), tcp)
    }

    /// Which version of TLS they agree on, and the server's certificate.
    pub fn handshake(&self) -> Result<(ProtocolVersion, Vec<u8>), std::io::Error> {
        let mut stream = self.stream();
        stream.conn.complete_io(&mut stream.sock)?;
        let certificate = stream.conn.peer_certificates().unwrap()[0].to_vec();
        Ok((stream.conn.protocol_version().unwrap(), certificate))
    }

    /// One request. `head` is its further headers, each ended with CRLF.
    pub fn request(&self, method: &str, head: &str, body: &[u8]) -> Answer {
        let mut stream = self.stream();
        let text = format!(
            "{method} / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{head}Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(&[text.as_bytes(), body].concat()).unwrap();
        let answer = everything(&mut stream);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    /// One body of JSON.
    pub fn post(&self, body: &str) -> Answer {
        self.request("POST", "Content-Type: application/json\r\n", body.as_bytes())
    }

    /// A call's result.
    pub fn call(&self, method: &str) -> Value {
        let answer = self.post(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":[]}}"#));
        let body = answer.body.split_once('{').map(|(_, rest)| format!("{{{rest}")).unwrap_or_default();
        let end = body.rfind('}').map_or(0, |end| end + 1);
        serde_json::from_str::<Value>(&body[..end]).unwrap_or_else(|_| panic!("{} {}", answer.head, answer.body))["result"]
            .take()
    }

    /// So many requests at once on one connection; how many were answered with 429.
    pub fn flood(&self, requests: usize) -> usize {
        let mut stream = self.stream();
        let one = format!("GET / HTTP/1.1\r\nHost: {}\r\n", self.address);
        let text = format!("{one}\r\n").repeat(requests - 1) + &one + "Connection: close\r\n\r\n";
        stream.write_all(text.as_bytes()).unwrap();
        everything(&mut stream).matches("HTTP/1.1 429").count()
    }

    /// A WebSocket, opened by a page of this origin or by a program.
    pub fn websocket(&self, origin: Option<&str>) -> Result<WebSocket<Stream>, String> {
        let mut request = format!("wss://{}:{}/", self.address, self.port).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("Origin", origin.parse().unwrap());
        }
        tungstenite::client(request, self.stream()).map(|(socket, _)| socket).map_err(|error| error.to_string())
    }
}

/// Says something on a WebSocket; what is heard then.
pub fn say(socket: &mut WebSocket<Stream>, text: &str) -> String {
    socket.send(Message::text(text)).unwrap();
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            return text.as_str().to_owned();
        }
    }
}

fn everything(stream: &mut Stream) -> String {
    let mut bytes = Vec::new();
    // A server that hangs up without a word of TLS's has said all.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
