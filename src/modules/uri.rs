//! `uri`: asks a web service.

mod multipart;

use super::attributes::{Attributes, describe};
use super::content::{Content, Put, put};
use super::http_options::HttpOptions;
use super::loose::{Flag, Text, Words};
use super::{BlobRef, Controller, Cx, Module, Result};
use crate::base::{Failure, Map, Value};
use crate::system::http::{Response, without_login};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

/// The largest answer that is taken in.
const LARGEST: u64 = 64 << 20;

/// Sends a request from the host to a web service and checks its answer. Not sent in check mode.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Uri {
    /// `http://HOST/PATH` or `https://HOST/PATH`.
    pub url: String,
    /// `GET`, `POST`, ...
    #[serde(default = "get")]
    pub method: String,
    /// What to send: a text, or data that `body_format` writes.
    #[serde(default)]
    pub body: Value,
    /// How to write `body`, and what `Content-Type` says.
    #[serde(default)]
    pub body_format: BodyFormat,
    /// A file to send instead of `body`: on the controller, searched in the role's `files`.
    #[serde(default)]
    pub src: Option<String>,
    /// `src`, and the files of a form, are on the host.
    #[serde(default)]
    pub remote_src: Flag,
    /// Which answers are right.
    #[serde(default = "two_hundred")]
    pub status_code: Words,
    /// Return the answer's text as `content`.
    #[serde(default)]
    pub return_content: Flag,
    /// `safe` (only for GET and HEAD), `all` or `none`.
    #[serde(default = "safe")]
    pub follow_redirects: Text,
    /// A Unix socket on the host to send the request through; the URL's host is then only a name for the server.
    #[serde(default)]
    pub unix_socket: Option<String>,
    /// A file on the host to write the answer to.
    #[serde(default)]
    pub dest: Option<String>,
    /// A path or pattern: if it exists, nothing is sent.
    #[serde(default)]
    pub creates: Option<String>,
    /// A path or pattern: if it does not exist, nothing is sent.
    #[serde(default)]
    pub removes: Option<String>,
    /// Accepted for Ansible's sake: answers are never taken from a cache.
    #[serde(default)]
    pub force: Flag,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub http: HttpOptions,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub attributes: Attributes,
    /// The controller's file.
    #[serde(default, rename = "_src", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub blob: Option<BlobRef>,
    /// The controller's files of a form.
    #[serde(default, rename = "_files", skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(skip)]
    pub files: multipart::Files,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BodyFormat {
    /// As it is.
    #[default]
    Raw,
    /// As JSON; a text is taken to be JSON already.
    Json,
    /// As a web form sends it: `a=1&b=2`.
    FormUrlencoded,
    /// As a web form with files in it: each field is a text, or a table with `filename` (a file of the controller, with
    /// `remote_src` of the host) or `content`, and if need be `mime_type` and `multipart_encoding` (`base64` or `7or8bit`).
    FormMultipart,
}

fn get() -> String {
    "GET".into()
}
fn two_hundred() -> Words {
    Words(vec!["200".into()])
}
fn safe() -> Text {
    Text("safe".into())
}

/// A text as it stands in a form or a URL's query.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A table or a list of pairs as a form; a list as a value repeats its name.
fn form(body: &Value) -> Result<String> {
    let mut pairs = Vec::new();
    let mut add = |name: &str, value: &Value| match value {
        Value::Array(values) => pairs.extend(values.iter().map(|value| (name.to_owned(), plain(value)))),
        value => pairs.push((name.to_owned(), plain(value))),
    };
    match body {
        Value::Object(table) => table.iter().for_each(|(name, value)| add(name, value)),
        Value::Array(list) => {
            for pair in list {
                match pair.as_array().map(Vec::as_slice) {
                    Some([name, value]) => add(&plain(name), value),
                    _ => return Err(Failure::new(format!("{pair} in `body` is not a pair of name and value"))),
                }
            }
        }
        other => return Err(Failure::new(format!("a form's `body` is a table or a list of pairs, not {other}"))),
    }
    Ok(pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&"))
}

/// Whether a `Content-Type` says that JSON follows.
fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.split_once('/').is_some_and(|(_, kind)| kind == "json" || kind.ends_with("+json") || kind == "javascript")
}

impl Uri {
    fn body(&self, cx: &Cx) -> Result<Option<(Vec<u8>, Option<String>)>> {
        if self.src.is_some() {
            let mut bytes = Vec::new();
            match (&self.blob, &self.src) {
                (Some(blob), _) => {
                    cx.blob(blob)?.read_to_end(&mut bytes).map_err(|error| Failure::new(format!("src: {error}")))?;
                }
                (None, Some(src)) => bytes = cx.system.read(&cx.system.expand(src)?)?,
                (None, None) => {}
            }
            return Ok(Some((bytes, None)));
        }
        let text = match (&self.body, self.body_format) {
            (Value::Null, _) => return Ok(None),
            (body, BodyFormat::FormMultipart) => {
                let (bytes, kind) = multipart::encode(cx, body, &self.files)?;
                return Ok(Some((bytes, Some(kind))));
            }
            (Value::String(text), _) => text.clone(),
            (body, BodyFormat::FormUrlencoded) => form(body)?,
            (body, BodyFormat::Raw | BodyFormat::Json) => body.to_string(),
        };
        let kind = match self.body_format {
            BodyFormat::Json => Some("application/json"),
            BodyFormat::FormUrlencoded => Some("application/x-www-form-urlencoded"),
            BodyFormat::Raw | BodyFormat::FormMultipart => None,
        };
        Ok(Some((text.into_bytes(), kind.map(str::to_owned))))
    }

    fn redirects(&self) -> Result<u32> {
        let reads = matches!(self.method.to_uppercase().as_str(), "GET" | "HEAD");
        match self.follow_redirects.0.as_str() {
            "all" | "yes" | "true" | "True" => Ok(10),
            "none" | "no" | "false" | "False" => Ok(0),
            "safe" | "urllib2" => Ok(if reads { 10 } else { 0 }),
            other => {
                Err(Failure::new(format!("`follow_redirects` cannot be `{other}`")).help("write safe, all or none"))
            }
        }
    }

    fn allowed(&self) -> Result<Vec<u16>> {
        let number = |word: &String| {
            word.trim().parse().map_err(|_| Failure::new(format!("`{word}` in `status_code` is not a status")))
        };
        self.status_code.0.iter().map(number).collect()
    }

    /// Why nothing need be sent.
    fn spared(&self, cx: &Cx) -> Result<Option<String>> {
        let there = |pattern: &str| -> Result<bool> { Ok(!cx.system.glob(&cx.system.expand(pattern)?)?.is_empty()) };
        if let Some(creates) = &self.creates
            && there(creates)?
        {
            return Ok(Some(format!("skipped, since '{creates}' exists")));
        }
        if let Some(removes) = &self.removes
            && !there(removes)?
        {
            return Ok(Some(format!("skipped, since '{removes}' does not exist")));
        }
        Ok(None)
    }
}

/// The cookies that a server sets, by name, without their terms.
fn cookies(headers: &[(String, String)]) -> Map {
    let set = headers.iter().filter(|(name, _)| name == "set-cookie");
    let pairs = set.filter_map(|(_, cookie)| cookie.split(';').next()?.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().into())).collect()
}

/// Status, final URL and headers; a header's name becomes a variable's: `content_type`.
fn summary(asked: &str, response: &Response, elapsed: u64) -> Map {
    let mut output = Map::new();
    for (name, value) in &response.headers {
        let name = name.replace('-', "_").to_lowercase();
        match output.get_mut(&name) {
            Some(Value::String(before)) => *before = format!("{before}, {value}"),
            _ => _ = output.insert(name, value.as_str().into()),
        }
    }
    let cookies = cookies(&response.headers);
    let words: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
    output.insert("cookies".into(), cookies.into());
    output.insert("cookies_string".into(), words.join("; ").into());
    output.insert("status".into(), response.status.into());
    output.insert("url".into(), response.url.as_str().into());
    output.insert("redirected".into(), (response.url.trim_end_matches('/') != asked.trim_end_matches('/')).into());
    output.insert("elapsed".into(), elapsed.into());
    output
}

impl Module for Uri {
    const NAME: &'static str = "uri";
    const EXAMPLE: &'static str = "\
- uri:
    url: http://127.0.0.1:8545
    method: POST
    body_format: json
    body: {jsonrpc: \"2.0\", id: 1, method: eth_blockNumber, params: []}
  register: head";
    const ALIASES: &'static [(&'static str, &'static str)] = HttpOptions::ALIASES;
    const REFUSED: &'static [(&'static str, &'static str)] = HttpOptions::REFUSED;
    type Output = Map;

    fn prepare(mut self, controller: &dyn Controller) -> Result<Self> {
        if let Some(src) = self.src.as_ref().filter(|_| !self.remote_src.0) {
            self.blob = Some(controller.blob_file(&controller.find("files", src)?)?);
        } else if self.body_format == BodyFormat::FormMultipart && !self.remote_src.0 {
            self.files = multipart::gather(&self.body, controller)?;
        }
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Map> {
        if let Some(why) = self.spared(cx)? {
            return Ok(Map::from_iter([("msg".to_owned(), why.into())]));
        }
        let allowed = self.allowed()?;
        if cx.check {
            let skipped = [("skipped", Value::from(true)), ("msg", "not sent in check mode".into())];
            return Ok(skipped.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        }
        let started = Instant::now();
        let mut request = self.http.request(&self.method, &self.url, 30);
        request.redirects = self.redirects()?;
        request.socket = self.unix_socket.as_ref().map(|socket| cx.system.expand(socket)).transpose()?;
        if let Some((body, kind)) = self.body(cx)? {
            let is_kind = |name: &str| name.eq_ignore_ascii_case("content-type");
            if self.body_format == BodyFormat::FormMultipart {
                // What separates its parts is known only here.
                request.headers.retain(|(name, _)| !is_kind(name));
            }
            let has_kind = request.headers.iter().any(|(name, _)| is_kind(name));
            request.headers.extend(kind.filter(|_| !has_kind).map(|kind| ("Content-Type".into(), kind)));
            request.body = Some(body);
        }
        let asked = without_login(&self.url);
        let words = || self.status_code.0.join(", ");
        let mut response = cx.system.http(&request).map_err(|failure| {
            // What `until: answer.status == 200` looks at.
            let elapsed = started.elapsed().as_secs();
            failure.with("status", -1).with("url", asked.as_str()).with("elapsed", elapsed).with("redirected", false)
        })?;
        let mut bytes = Vec::new();
        let read = response.body.by_ref().take(LARGEST + 1).read_to_end(&mut bytes);
        let mut output = summary(&asked, &response, started.elapsed().as_secs());
        if let Err(error) = read {
            let mut failure = Failure::new(format!("{asked}: the answer broke off: {error}"));
            failure.output = output;
            return Err(failure.with("status", -1));
        }
        if bytes.len() as u64 > LARGEST {
            return Err(Failure::new(format!("{asked}: the answer is larger than {} MiB", LARGEST >> 20))
                .help("download it with `get_url`"));
        }
        let kind = response.headers.iter().find(|(name, _)| name == "content-type").map_or("", |(_, kind)| kind);
        if is_json(kind)
            && let Ok(json) = serde_json::from_slice::<Value>(&bytes)
        {
            output.insert("json".into(), json);
        }
        let size = bytes.len();
        if self.return_content.0 {
            output.insert("content".into(), String::from_utf8_lossy(&bytes).into_owned().into());
        }
        if !allowed.contains(&response.status) {
            let message = format!(
                "Status code was {} and not [{}]: HTTP Error {}: {}",
                response.status,
                words(),
                response.status,
                response.reason
            );
            let mut failure = Failure::new(message).help(format!("{} {asked}", self.method.to_uppercase()));
            failure.output = output;
            return Err(failure);
        }
        output.insert("msg".into(), format!("{} ({size} bytes)", response.reason).into());
        if let Some(dest) = &self.dest {
            let mut path = cx.system.expand(dest)?;
            if cx.system.is_folder(&path)? {
                let name = Path::new(asked.split(['?', '#']).next().unwrap_or_default()).file_name();
                path.push(name.unwrap_or_else(|| "index.html".as_ref()));
            }
            put(cx, Put::new(&path, &self.attributes), Content::Bytes(&bytes))?;
            output.extend(describe(cx.system, &path)?);
            output.insert("path".into(), path.display().to_string().into());
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use super::*;
    use serde_json::json;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    /// Answers one request and returns it whole.
    fn serve(answer: &'static str) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut asked, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                asked += &line;
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            asked + &String::from_utf8(body).unwrap()
        });
        (url, server)
    }

    #[test]
    fn json_is_sent_and_json_comes_back_as_data() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Two: a\r\nX-Two: b\r\n\
                      Set-Cookie: id=7; Path=/\r\nSet-Cookie: lang=en\r\nContent-Length: 16\r\n\r\n\
                      {\"result\":\"0x7\"}";
        let (url, server) = serve(answer);
        let args =
            json!({"url": url, "method": "POST", "body_format": "json", "body": {"id": 1}, "return_content": true});
        let output = Host::new().run("uri", args).unwrap().output;
        assert_output(
            &output,
            json!({
                "status": 200, "json": {"result": "0x7"}, "content": "{\"result\":\"0x7\"}", "x_two": "a, b",
                "content_type": "application/json", "redirected": false, "msg": "OK (16 bytes)", "url": url,
                "cookies": {"id": "7", "lang": "en"}, "cookies_string": "id=7; lang=en",
            }),
        );
        let asked = server.join().unwrap();
        assert!(asked.starts_with("POST /x HTTP/1.1"), "{asked}");
        assert!(asked.to_lowercase().contains("content-type: application/json"), "{asked}");
        assert!(asked.ends_with("{\"id\":1}"), "{asked}");
    }

    #[test]
    fn another_status_than_the_wanted_one_is_a_failure_with_all_that_came() {
        let (url, _server) = serve("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nwait");
        let failure = Host::new().run("uri", json!({"url": url, "return_content": "yes"})).unwrap_err();
        assert!(failure.message.starts_with("Status code was 503 and not [200]"), "{failure}");
        assert_eq!((&failure.output["status"], &failure.output["content"]), (&json!(503), &json!("wait")));
        let (url, _server) = serve("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nwait");
        assert!(Host::new().run("uri", json!({"url": url, "status_code": "200, 503"})).is_ok());
    }

    #[test]
    fn no_answer_at_all_has_the_status_minus_one() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let failure = Host::new().run("uri", json!({"url": format!("http://{closed}/")})).unwrap_err();
        assert_eq!(failure.output["status"], -1);
        assert!(failure.message.contains("connection refused"), "{failure}");
    }

    #[test]
    fn a_form_is_encoded() {
        let (url, server) = serve("HTTP/1.1 204 No Content\r\n\r\n");
        let body = json!({"a b": "x&y", "list": [1, true]});
        let args =
            json!({"url": url, "method": "post", "body_format": "form-urlencoded", "body": body, "status_code": 204});
        Host::new().run("uri", args).unwrap();
        assert!(server.join().unwrap().ends_with("a+b=x%26y&list=1&list=true"));
        assert_eq!(form(&json!([["a", 1], ["a", 2]])).unwrap(), "a=1&a=2");
    }

    #[test]
    fn a_form_with_files_is_sent_in_parts() {
        let (url, server) = serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let host = Host::new();
        host.local("files/board.json", "{}");
        let body = json!({
            "text": "a b",
            "board": {"filename": "board.json"},
            "note": {"content": "hi", "filename": "n\"1.txt", "mime_type": "text/x-note"},
        });
        let args = json!({"url": url, "method": "POST", "body_format": "form-multipart", "body": body,
            "headers": {"Content-Type": "text/plain"}});
        host.run("uri", args).unwrap();
        let asked = server.join().unwrap();
        let boundary = asked.lines().find_map(|line| line.split_once("boundary=")).unwrap().1.trim().to_owned();
        assert!(asked.to_lowercase().contains("content-type: multipart/form-data; boundary=chainwright-"), "{asked}");
        let parts = format!(
            "--{boundary}\r\nContent-Transfer-Encoding: base64\r\nContent-Type: application/json\r\nContent-Disposition: \
             form-data; name=\"board\"; filename=\"board.json\"\r\n\r\ne30=\r\n--{boundary}\r\nContent-Type: \
             text/x-note\r\nContent-Disposition: form-data; name=\"note\"; filename=\"n\\\"1.txt\"\r\n\r\nhi\r\n\
             --{boundary}\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; \
             name=\"text\"\r\n\r\na b\r\n--{boundary}--\r\n"
        );
        assert!(asked.ends_with(&parts), "{asked}");
        let args = json!({"url": url, "method": "POST", "body_format": "form-multipart", "body": {"x": {"a": 1}}});
        assert!(host.fails("uri", args).contains("neither `filename` nor `content`"));
    }

    #[test]
    fn an_answer_may_be_kept_in_a_file() {
        let (url, _server) = serve("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        let host = Host::new();
        host.folder("/srv");
        let outcome = host.run("uri", json!({"url": url, "dest": "/srv/answer", "mode": "0600"})).unwrap();
        assert!(outcome.changed());
        assert_eq!((host.read("/srv/answer").as_str(), host.mode_of("/srv/answer")), ("hello", 0o600));
    }

    #[test]
    fn a_unix_socket_takes_the_place_of_the_network() {
        let host = Host::new();
        let listener = std::os::unix::net::UnixListener::bind(host.real("/api.sock")).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(std::result::Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").unwrap();
        });
        let args = json!({"url": "http://docker/info", "unix_socket": "/api.sock", "return_content": true});
        let output = host.run("uri", args).unwrap().output;
        assert_output(&output, json!({"content": "hi", "status": 200, "url": "http://docker/info"}));
    }

    #[test]
    fn nothing_is_sent_in_check_mode_or_when_the_work_is_done() {
        let host = Host::new();
        host.file("/done", "");
        let url = "http://127.0.0.1:1/";
        assert_eq!(host.check("uri", json!({"url": url})).unwrap().output["skipped"], true);
        let spared = host.run("uri", json!({"url": url, "creates": "/done"})).unwrap();
        assert_eq!(spared.output["msg"], "skipped, since '/done' exists");
    }
}
